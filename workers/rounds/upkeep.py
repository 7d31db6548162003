"""What has to be looked at from time to time: copies not yet in Sent, mails set aside, the first day's account."""

import asyncio
import contextlib
from collections.abc import Awaitable, Sequence
from dataclasses import dataclass, field
from datetime import datetime, time, timedelta

import structlog

from memory.desk.standing import KINDS
from memory.ledger import Ledger
from memory.post.account import NOT_GIVEN
from memory.post.mails import FIRST_DAY, SeenMail
from tools.mail.sending.outbox import Outbox
from workers.rounds.digests import Rounds
from workflows.errors import DeskhandError
from workflows.models.people import Owner
from workflows.ports import Clock, Desk
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line

log = structlog.get_logger()
EVERY = 60.0
"""Seconds between two rounds."""
_LONGEST = 120
_MOST_SHOWN = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Upkeep:
    """One round a minute; what does not work is tried again in the next."""

    ledger: Ledger
    outbox: Outbox
    desk: Desk
    owner: Owner
    clock: Clock
    digest_at: Sequence[time]
    auto_after: int = 0  # unedited approvals in a row before autonomy is offered; 0: never
    undo: timedelta = timedelta(minutes=10)
    rounds: Rounds | None = None
    due: asyncio.Event = field(default_factory=asyncio.Event)  # set it to have a round at once

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            self.due.clear()
            await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self._pause()):
                    await self.due.wait()

    def _pause(self) -> float:
        """Seconds to the next round: until a digest or reminder is due, at most a minute."""
        if self.rounds is None:
            return EVERY
        seconds = (self.rounds.next_due() - self.clock.now()).total_seconds()
        return min(max(seconds, 0.05), EVERY)

    async def round(self) -> None:
        """Everything once."""
        if self.rounds is not None:
            await self._guarded(self.rounds.round())
        await self._guarded(self._settle())
        await self._guarded(self._tell_set_aside())
        await self._guarded(self._tell_leads_set_aside())
        await self._guarded(self._tell_first_day())
        await self._guarded(self._offer_autonomy())

    async def _settle(self) -> None:
        await self.outbox.resume()
        for problem in await self.outbox.file_unfiled():
            log.warning("a copy is not in Sent yet", problem=problem)

    async def _tell_set_aside(self) -> None:
        """Mails that could not be read or had, those of one round in one mail, each told once."""
        rows = await asyncio.to_thread(self.ledger.untold_quarantine)
        if not rows:
            return
        rows = rows[::-1]
        paragraphs = [_set_aside(mail) for mail in rows[:_MOST_SHOWN]]
        remainder = f"And {len(rows) - _MOST_SHOWN} more: ./deskhand ignored names them."
        await self.desk.tell(
            f"set-aside:{rows[-1].id}",
            "A mail was set aside unread" if len(rows) == 1 else f"{len(rows)} mails were set aside unread",
            "\n\n".join([*paragraphs, *([remainder] if len(rows) > _MOST_SHOWN else [])]),
        )
        await asyncio.to_thread(self.ledger.mark_told, [mail.id for mail in rows])

    async def _tell_leads_set_aside(self) -> None:
        """Posts and alert mails that were not understood, those of one round in one mail."""
        rows = await asyncio.to_thread(self.ledger.untold_leads_aside)
        if not rows:
            return
        items = [f"- {one_line(row.sender, 80)}: {row.reason}{_said_of(row)}" for row in reversed(rows)]
        remainder = [f"- and {len(items) - _MOST_SHOWN} more"] if len(items) > _MOST_SHOWN else []
        lines = "\n".join([*items[:_MOST_SHOWN], *remainder])
        count = "A job post was" if len(rows) == 1 else f"{len(rows)} job posts were"
        await self.desk.tell(
            f"leads-aside:{max(row.id for row in rows)}",
            f"{count} set aside",
            f"This could not be read as a job post, so no bid was drafted for it:\n\n{lines}\n\n"
            "An alert mail lies in your mailbox as before; look at it yourself. Where this goes on, the format of the "
            "source has changed: please report it with the code.\n",
        )
        await asyncio.to_thread(self.ledger.mark_told, [row.id for row in rows])

    async def _tell_first_day(self) -> None:
        """The first 24 hours only tell: what would have been drafted, at the digest times and when the day is over."""
        waiting = await asyncio.to_thread(self.ledger.untold_first_day)
        first_run = await asyncio.to_thread(self.ledger.first_run)
        now = self.clock.now()
        if not waiting or not (now >= first_run + FIRST_DAY or self._digest_since(waiting[-1].at, now)):
            return
        await self.desk.tell(
            f"first-day:{waiting[0].id}",
            f"{len(waiting)} mails I would have drafted for",
            self._account(waiting, first_run),
        )
        await asyncio.to_thread(self.ledger.mark_told, [mail.id for mail in waiting])

    async def _offer_autonomy(self) -> None:
        """After enough unedited approvals in a row, offer once to send that kind alone."""
        for kind in KINDS if self.auto_after else ():
            row = await asyncio.to_thread(self.ledger.row_of_approvals, kind)
            if len(row) < self.auto_after or await asyncio.to_thread(self.ledger.stands_for, kind):
                continue
            await self.desk.tell(
                f"auto-offer:{kind}:{row[-1]}",
                f"Shall I send each {kind} like these alone?",
                f"You approved the last {len(row)} drafts of the kind '{kind}' without a change. If you like, I send "
                "my own acknowledgement (thanks, and that you will answer) without waiting for your yes: you are shown "
                f"each one first, and any answer within {self._undo_words()} stops it. Any other text, new recipients, "
                "and mails of theirs that speak of money or a contract always wait for your yes.\n\n"
                f"To allow it, answer this mail with: auto {kind}\nTo end it at any time: stop auto {kind}\n"
                "An edit, a rejection or an undo ends it as well. Without an answer nothing changes.",
            )

    def _undo_words(self) -> str:
        minutes = self.undo.total_seconds() / 60
        return f"{minutes:.0f} minutes" if minutes >= 1 else f"{self.undo.total_seconds():.0f} seconds"

    def _digest_since(self, oldest: datetime, now: datetime) -> bool:
        """Whether a digest time of the owner's day has come since then."""
        zone = calendar.zone(self.owner)
        today = now.astimezone(zone).date()
        days = (today - timedelta(days=1), today)
        moments = (datetime.combine(day, at, zone) for day in days for at in self.digest_at)
        return any(oldest < moment <= now for moment in moments)

    def _account(self, waiting: Sequence[SeenMail], begun: datetime) -> str:
        lines = "\n".join(
            f"- {one_line(mail.sender, _LONGEST)}: {one_line(mail.subject, _LONGEST) or '(no subject)'}"
            for mail in reversed(waiting)
        )
        until = calendar.format_moment(begun + FIRST_DAY, self.owner)
        return (
            f"On its first day Deskhand only tells what it would have drafted a reply to:\n\n{lines}\n\n"
            f"Nothing was drafted or sent for these; please answer them yourself. From {until} on you are asked about "
            'each new mail. To be asked at once, set intake.first_day = "ask".\n'
        )

    async def _guarded(self, doing: Awaitable[None]) -> None:
        try:
            await doing
        except DeskhandError as error:
            log.warning("upkeep", problem=str(error))
        except Exception:  # a fault of ours in one of them leaves the others
            log.exception("upkeep")


def _set_aside(mail: SeenMail) -> str:
    if mail.rule == NOT_GIVEN:
        return (
            f"{mail.reason} Nothing was drafted for it, and the mails after it are handled as always. Look at it in "
            "your mail program. I ask for it again at each start and every hour, and handle it when it is given."
        )
    blob = mail.key.removeprefix("blob:")
    return (
        f"One of your mails{_said_of(mail)} could not be read safely: {mail.reason} Nothing was drafted for it, and it "
        f"lies in your mailbox as before. Its copy is blobs/{blob[:2]}/{blob} in Deskhand's home."
    )


def _said_of(mail: SeenMail) -> str:
    """What the header of a mail set aside says of itself, which nothing proves."""
    sender = f"from {one_line(mail.sender, _LONGEST)}" if mail.sender else ""
    subject = f'"{one_line(mail.subject, _LONGEST)}"' if mail.subject else ""
    details = ", ".join(part for part in (sender, subject) if part)
    return f" ({details}, by its own word)" if details else ""
