"""What is seen to beside the cases: mails that came back, a ledger put back, uncertain mails, folders in order."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field

import structlog

from memory.ledger import Ledger
from memory.post.bounces import Returned
from workflows.errors import DeskhandError
from workflows.models.people import Owner
from workflows.ports import Desk
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line

log = structlog.get_logger()
EVERY = 60.0
"""Seconds between two rounds."""
DRAFTS_EVERY = 5.0
"""The same where drafts are put into the mailbox: soon after they are shown, and soon away when they are old."""
Chore = Callable[[], Awaitable[None]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Aftercare:
    """One round a minute, and one at once when `due` is set; what does not work is tried again in the next."""

    ledger: Ledger
    desk: Desk
    owner: Owner
    chores: Sequence[Chore] = ()
    every: float = EVERY
    health: dict[str, str] = field(default_factory=dict)  # part -> how it is, for `status`
    due: asyncio.Event = field(default_factory=asyncio.Event)

    async def run(self) -> None:
        """Go round until cancelled."""
        while True:
            self.due.clear()
            await self.round()
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(self.every):
                    await self.due.wait()

    async def round(self) -> None:
        """Everything once."""
        problems = []
        for chore in (*self.chores, self._tell_bounces):
            try:
                await chore()
            except DeskhandError as error:
                problems.append(str(error))
                log.warning("aftercare", problem=str(error))
        self.health["aftercare"] = " ".join(dict.fromkeys(problems)) or "idle"

    async def _tell_bounces(self) -> None:
        """Which mail did not reach whom, why, and what to do: once for each."""
        for bounce in await asyncio.to_thread(self.ledger.untold_bounces):
            subject, text = told(bounce, self.owner)
            await self.desk.tell(f"bounce:{bounce.id}", subject, text, bounce.case)
            await asyncio.to_thread(self.ledger.mark_bounce_told, bounce.id)


def told(bounce: Returned, owner: Owner) -> tuple[str, str]:
    """The notice of a mail that did not arrive, or has not yet: its subject and text."""
    name = f"{bounce.case}.{bounce.version}"
    sent = f", sent {calendar.format_moment(bounce.sent_at, owner)}" if bounce.sent_at else ""
    mail = f"Your mail “{one_line(bounce.subject, 120)}” to {bounce.recipient} ({name}{sent})"
    quote = f' Their server said: "{bounce.quote}"' if bounce.quote else ""
    if bounce.kind == "delayed":
        text = (
            f"{mail} has not arrived yet: {bounce.reason}.{quote} The mail servers go on trying, so there is nothing "
            "to do: you are told if it fails for good, and it is not sent again."
        )
        return f"{name} to {bounce.recipient} is delayed", text
    text = (
        f"{mail} did not arrive: {bounce.reason}.{quote} {bounce.mend} Nothing was sent again; "
        f"'./deskhand case {bounce.case}' shows the text."
    )
    return f"{name} did not reach {bounce.recipient}", text
