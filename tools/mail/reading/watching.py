"""Watcher of one folder: every mail that reaches it is handed over, in order, through lost connections and new UIDs."""

import asyncio
import random
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from functools import partial

from tools.mail.account import Account
from tools.mail.imap import ImapPatience, No, Unreachable
from tools.mail.reading.fetching import (
    BIG_FETCH,
    PIECE,
    ListedMail,
    OpenedFolder,
    examine_folder,
    fetch_mail,
    imap_date,
    list_mails,
    search_uids,
    uids_above,
)
from tools.mail.reading.line import ImapLine, open_line
from tools.mail.reading.missed import Missed, Missing, Shelf
from workflows.errors import NeedsOwner, Retryable
from workflows.models.mail import Cursor, FolderKind, RawMail
from workflows.ports import Clock

_SIZES_AT_ONCE = 200
_RESEARCH = timedelta(days=2)
_TRIES = 5
_BUGS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError, ValueError, RecursionError)


class _Unhandled(Exception):
    """A mail that was given, and that brings out a bug each time it is handled."""


@dataclass(slots=True, kw_only=True)
class FolderWatcher:
    """One folder, watched. Everything that must survive is behind `cursor` and `moved`."""

    account: Account
    folder: str
    kind: FolderKind
    cursor: Callable[[], Cursor | None]
    handle: Callable[[RawMail], Awaitable[None]]
    moved: Callable[[Cursor], Awaitable[None]]
    on_state: Callable[[str], None]
    clock: Clock
    patience: ImapPatience
    missed: Missed
    since: datetime | None = None
    shelf: Shelf | None = None
    reached: int = 0  # what is at or below was handed over, recorded, or is in `missed`
    uidvalidity: int = 0  # that `reached` and `missed` are of
    has_worked: bool = False
    failures: int = 0

    async def run(self) -> None:
        self.has_worked = self.cursor() is not None
        while True:
            try:
                async with open_line(self.account, self.patience) as line:
                    await self._follow(line)
            except (Retryable, Unreachable, No) as error:
                await self._pause(error, self._backoff())
            except NeedsOwner as error:
                if not self.has_worked:
                    raise
                await self._pause(error, self.patience.refused)
            except Exception as error:
                if not self.has_worked:
                    raise
                await self._pause(error, self._backoff())

    async def _follow(self, line: ImapLine) -> None:
        opened = await line.run(lambda connection: examine_folder(connection, self.folder))
        self.on_state("connected")
        await self._begin(line, opened)
        self.has_worked = True
        can_idle = await line.run(lambda connection: "IDLE" in connection.capabilities)
        quiet = False
        while True:
            has_news = await self._catch_up(line)
            self.failures = 0
            self.on_state("idle")
            # Not every server tells an IDLE of what came between the last search and its start: look again soon.
            seconds = (
                self.patience.poll if quiet and not has_news else min(self.patience.second_look, self.patience.poll)
            )
            quiet = not has_news
            can_idle = can_idle and await line.idle(max(0.05, min(seconds, self.missed.next_due_in())))
            if not can_idle:
                await asyncio.sleep(max(0.05, min(self.patience.poll, self.missed.next_due_in())))

    async def _begin(self, line: ImapLine, opened: OpenedFolder) -> None:
        """Make sure that there is a cursor for this UIDVALIDITY."""
        cursor = self.cursor()
        start = Cursor(
            folder=self.folder,
            uidvalidity=opened.uidvalidity,
            last_uid=opened.uidnext - 1,
            last_date=self.clock.now(),
        )
        first = start
        if cursor is None:  # the first run
            first = replace(start, last_uid=await self._last_older(line, start.last_uid))
            await self.moved(first)
        if self.uidvalidity != opened.uidvalidity:
            self.missed.forget()
            self.uidvalidity = opened.uidvalidity
            begin = first if cursor is None else cursor
            self.reached = begin.last_uid if begin.uidvalidity == opened.uidvalidity else 0
            await self._remember_the_shelf()
        if cursor is not None and cursor.uidvalidity != opened.uidvalidity:
            await self._recover(line, cursor, start)

    async def _last_older(self, line: ImapLine, last: int) -> int:
        """The last mail up to `last` that had arrived before the start; the server's times are whole seconds."""
        if self.since is None:
            return last
        begin = self.since.replace(microsecond=0)
        day = imap_date(begin - timedelta(days=1))  # servers compare dates without zones
        uids = await line.run(lambda connection: search_uids(connection, "SINCE", day))
        listed = [mail async for mail in self._listing(line, [uid for uid in uids if uid <= last])]
        return min((mail.uid - 1 for mail in listed if mail.date and mail.date >= begin), default=last)

    async def _remember_the_shelf(self) -> None:
        for uid in await self.shelf.uids(self.folder, self.uidvalidity) if self.shelf else ():
            self.missed.recorded(uid, due_in=0.0)

    async def _recover(self, line: ImapLine, known: Cursor, start: Cursor) -> None:
        """The server gave every mail a new UID: hand over all since the last known date, then go on from here."""
        since = f"SINCE {imap_date(known.last_date - _RESEARCH)}" if known.last_date else "ALL"
        uids = await line.run(lambda connection: search_uids(connection, since))
        older_uids = [uid for uid in uids if uid <= start.last_uid and not self.missed.is_waiting(uid)]
        async for listed in self._listing(line, older_uids):
            await self._hand_over(line, listed)
        # Only now: a crash before this line begins the search again, and nothing in it is skipped.
        self.reached = start.last_uid
        await self._move(replace(start, last_date=known.last_date or start.last_date))

    async def _catch_up(self, line: ImapLine) -> bool:
        """Hand over what is above the cursor, which moves past each mail once it is handled; whether there was any."""
        cursor = self.cursor()
        assert cursor is not None
        uids = await line.run(partial(uids_above, last=max(self.reached, cursor.last_uid)))
        async for listed in self._listing(line, uids):
            await self._hand_over(line, listed)
            self.reached = max(self.reached, listed.uid)
            dates = [date for date in (cursor.last_date, listed.date) if date]
            cursor = replace(cursor, last_date=max(dates, default=None))
            await self._move(cursor)
        await self._ask_again(line, cursor)
        return bool(uids)

    async def _ask_again(self, line: ImapLine, known: Cursor) -> None:
        """The mails that the server did not give: those that are due."""
        async for listed in self._listing(line, self.missed.due()):
            await self._hand_over(line, listed)
            await self._move(known)

    async def _move(self, cursor: Cursor) -> None:
        """Everything below the first mail that is still to be had is handled or recorded."""
        lowest = self.missed.lowest()
        last = self.reached if lowest is None else min(self.reached, lowest - 1)
        await self.moved(replace(cursor, last_uid=last))

    async def _listing(self, line: ImapLine, uids: Sequence[int]) -> AsyncIterator[ListedMail]:
        for start in range(0, len(uids), _SIZES_AT_ONCE):
            batch = uids[start : start + _SIZES_AT_ONCE]
            for listed in await line.run(partial(list_mails, uids=batch)):
                yield listed

    async def _hand_over(self, line: ImapLine, listed: ListedMail) -> None:
        try:
            content = await self._content(line, listed)
            if content is not None:
                await self._handle(listed.uid, content)
        except _Unhandled as error:
            self.missed.over(listed.uid)
            await self._miss(listed, str(error), is_lost=False)
            return
        except (Retryable, No) as error:
            # Counted before the connection is known to be dead: where asking for it is what ends connections, the
            # next connection begins with the other mails.
            self.reached = max(self.reached, listed.uid)
            await self._miss(listed, str(error), is_lost=not line.is_open)
            if isinstance(error, Retryable) and not line.is_open:
                raise
            return
        if self.missed.given(listed.uid) and self.shelf is not None:
            await self.shelf.take(self._missing(listed.uid))

    async def _content(self, line: ImapLine, listed: ListedMail) -> bytes | None:
        """Its bytes; None when it was deleted meanwhile, by its owner."""
        content = await line.run(partial(fetch_mail, listed=listed), BIG_FETCH if listed.size > PIECE else 0.0)
        if content is None:
            still_there = await line.run(lambda connection: search_uids(connection, "UID", str(listed.uid)))
            if listed.uid in still_there:
                raise Retryable(f"{self.account.host} lists mail {listed.uid} but does not give it.")
        return content

    async def _miss(self, listed: ListedMail, reason: str, *, is_lost: bool) -> None:
        """One more try that gave nothing; after the last it is recorded, and the cursor may pass."""
        is_over = self.missed.failed(listed.uid, is_lost=is_lost)
        if is_over and self.shelf is not None:
            await self.shelf.put(self._missing(listed.uid, reason))
            self.missed.recorded(listed.uid)
            if (cursor := self.cursor()) is not None and cursor.uidvalidity == self.uidvalidity:
                await self._move(cursor)

    def _missing(self, uid: int, reason: str = "") -> Missing:
        return Missing(folder=self.folder, kind=self.kind, uidvalidity=self.uidvalidity, uid=uid, reason=reason)

    async def _handle(self, uid: int, content: bytes) -> None:
        mail = RawMail(
            content=content, folder=self.folder, folder_kind=self.kind, uid=uid, uidvalidity=self.uidvalidity
        )
        tries = 0
        while True:
            try:
                await self.handle(mail)
            except Exception as error:
                tries += 1
                if self._is_its_own_fault(error) and (tries >= _TRIES or self.missed.is_waiting(uid)):
                    raise _Unhandled(f"handling it failed ({type(error).__name__}: {error})") from error
                # The cursor stays: this mail comes again, and none after it is handed over before it.
                await self._pause(error, self._backoff())
            else:
                self.failures = 0
                return

    def _is_its_own_fault(self, error: Exception) -> bool:
        """A bug that this mail brought out, not a house that can take no mail just now."""
        return self.shelf is not None and isinstance(error, _BUGS)

    async def _pause(self, error: Exception, seconds: float) -> None:
        self.on_state(f"lost: {error}")
        await asyncio.sleep(seconds)

    def _backoff(self) -> float:
        self.failures += 1
        seconds = min(self.patience.longest, self.patience.backoff * float(2 ** min(self.failures - 1, 10)))
        return seconds * random.uniform(0.8, 1.2)  # noqa: S311  spreads reconnects, keeps no secret
