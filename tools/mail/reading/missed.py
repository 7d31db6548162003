"""Mails that the server lists but does not give: tried again while the next are handled, then set aside and recorded.

A server may answer NO, BAD, an empty answer or nothing at all for one mail whose file is damaged there. Only time tells
whether it is that mail or the server, so it gets five tries over ten minutes; what is set aside is asked for again at
each start and every hour.
"""

import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from typing import Protocol

from workflows.models.mail import FolderKind


@dataclass(frozen=True, slots=True, kw_only=True)
class Missing:
    """A mail that the server did not give, by where it lies."""

    folder: str
    kind: FolderKind
    uidvalidity: int
    uid: int
    reason: str = ""


class Shelf(Protocol):
    """Where is recorded what was set aside, so that the cursor may pass it."""

    async def put(self, mail: Missing) -> None: ...

    async def take(self, mail: Missing) -> None:
        """The server gave it after all."""

    async def uids(self, folder: str, uidvalidity: int) -> tuple[int, ...]: ...


@dataclass(slots=True, kw_only=True)
class _Try:
    tries: int
    due: float
    is_recorded: bool = False


@dataclass(slots=True, kw_only=True)
class Missed:
    """What of one folder is still to be had. `pauses`: seconds between the tries, the last try sets aside."""

    pauses: Sequence[float]
    again: float
    now: Callable[[], float] = time.monotonic
    _tries: dict[int, _Try] = field(default_factory=dict)

    def failed(self, uid: int, *, is_lost: bool = False) -> bool:
        """Count a try that gave nothing; whether it is to be set aside now.

        `is_lost`: the connection ended meanwhile. The first time that is no fault of the mail.
        """
        if is_lost and uid not in self._tries:
            self._tries[uid] = _Try(tries=0, due=self.now())
            return False
        mail = self._tries.setdefault(uid, _Try(tries=0, due=0.0))
        mail.tries += 1
        is_over = mail.tries > len(self.pauses)
        mail.due = self.now() + (self.again if is_over else self.pauses[mail.tries - 1])
        return is_over and not mail.is_recorded

    def over(self, uid: int) -> None:
        """It had its tries elsewhere: the next failure is the last."""
        mail = self._tries.setdefault(uid, _Try(tries=0, due=0.0))
        mail.tries = max(mail.tries, len(self.pauses))

    def recorded(self, uid: int, *, due_in: float | None = None) -> None:
        """It stands on the shelf: the cursor may pass it, and it is asked for again from time to time."""
        due = self.now() + (self.again if due_in is None else due_in)
        self._tries[uid] = _Try(tries=len(self.pauses) + 1, due=due, is_recorded=True)

    def given(self, uid: int) -> bool:
        """It is done with; whether it stood on the shelf."""
        mail = self._tries.pop(uid, None)
        return mail is not None and mail.is_recorded

    def is_waiting(self, uid: int) -> bool:
        """Whether it failed already, so that it has times of its own."""
        return uid in self._tries

    def due(self) -> list[int]:
        """What is to be asked for again now, those first that have failed least."""
        now = self.now()
        return sorted((uid for uid, mail in self._tries.items() if mail.due <= now), key=self._order)

    def next_due_in(self) -> float:
        """Seconds until something is due; endless when nothing waits."""
        return max(0.0, min((mail.due for mail in self._tries.values()), default=float("inf")) - self.now())

    def lowest(self) -> int | None:
        """The first mail that is neither handled nor recorded: the cursor stays below it."""
        return min((uid for uid, mail in self._tries.items() if not mail.is_recorded), default=None)

    def forget(self) -> None:
        """The folder's mails have new numbers."""
        self._tries.clear()

    def _order(self, uid: int) -> tuple[int, int]:
        return self._tries[uid].tries, uid
