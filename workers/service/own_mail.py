"""Whether Deskhand's own mails reach their owner: a question that lies in Junk is a question nobody answers.

The watcher sees every mail in INBOX and notes ours. One that is not seen in time is looked for, put in the owner's way
by the other road (IMAP for SMTP, SMTP for IMAP), and said.
"""

import asyncio
from collections.abc import MutableMapping
from dataclasses import dataclass
from datetime import timedelta

import structlog

from memory.outbox.entries import Entry
from memory.outbox.outgoing import OutgoingLedger
from tools.mail.desk import MailDesk
from tools.mail.sending.evidence import Evidence
from tools.mail.sending.outbox import Outbox, Via
from workflows.errors import DeskhandError
from workflows.models.people import Owner
from workflows.ports import Clock

log = structlog.get_logger()
PATIENCE = timedelta(minutes=5)
"""How long a mail to the owner may be on its way."""
OLDEST = timedelta(hours=24)
"""What left longer ago is not looked for: after a long stop most of it has been read and tidied away."""
EVERY = 60.0
MANY = 3
"""So many in a row are a fault of the mailbox, not of a mail."""
PART = "own mail"
_ASTRAY = "astray:"


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnMail:
    """Looks after the mails to the owner; `health` hears when they keep going astray."""

    rows: OutgoingLedger
    outbox: Outbox
    evidence: Evidence
    desk: MailDesk
    owner: Owner
    clock: Clock
    health: MutableMapping[str, str]

    async def run(self) -> None:
        """Go round until cancelled; what does not work is tried again in the next round."""
        while True:
            try:
                await self.round()
            except DeskhandError as error:
                log.warning("own mail", problem=str(error))
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Look for every mail to the owner that should have been seen by now.

        Raises:
            Retryable, NeedsOwner: the mailbox or the SMTP server cannot be asked now.
        """
        now = self.clock.now()
        missing = await asyncio.to_thread(self.rows.missing, self.owner.address, now - OLDEST, now - PATIENCE)
        for entry in missing:
            await self._look_for(entry)
        self._judge(await self._in_a_row())

    async def _look_for(self, entry: Entry) -> None:
        copy = await self.evidence.anywhere(entry, await self.outbox.content(entry))
        junk = await self.evidence.junk_folders()
        if copy is not None and copy.folder not in junk:
            await asyncio.to_thread(self.rows.arrived, entry.intent)
            await asyncio.to_thread(self.rows.learned, entry.intent, copy.message_id)
            return
        place = f"lies in {copy.folder}" if copy else "is in none of your folders"
        log.warning("a mail to the owner did not arrive", intent=entry.intent, where=place)
        # Noted first: a copy found after a crash must not pass for one that arrived by itself.
        await asyncio.to_thread(self.rows.went_other_way, entry.intent, done=False)
        way = await self.outbox.post_other_way(entry)
        await asyncio.to_thread(self.rows.went_other_way, entry.intent, done=True)
        if await self._in_a_row() == 1:
            await self._say(entry, place, way)

    async def _in_a_row(self) -> int:
        return await asyncio.to_thread(self.rows.missed_in_a_row, self.owner.address, f"notice:{_ASTRAY}")

    async def _say(self, entry: Entry, where: str, way: Via) -> None:
        """Once for each row of such mails, by the way that works: a notice by the other would go astray as well."""
        how = "put into your INBOX by IMAP" if way == "append" else "sent by SMTP"
        first, mend = _mend(way, in_junk=where.startswith("lies"))
        await self.desk.tell(
            f"{_ASTRAY}{entry.intent}",
            "A mail of mine did not reach your INBOX",
            f"{first} and {where}. It is {how} now, and so is this notice.\n\n{mend}\n",
            entry.case,
            via=way,
        )

    def _judge(self, astray: int) -> None:
        if astray < MANY:
            self.health.pop(PART, None)
            return
        _, mend = _mend(self._way(), in_junk=False)
        self.health[PART] = f"The last {astray} mails to you did not reach INBOX by themselves. {mend}"

    def _way(self) -> Via:
        return "smtp" if self.outbox.via == "append" else "append"


def _mend(way: Via, *, in_junk: bool) -> tuple[str, str]:
    """What happened and what the owner can do, where the other way is `way`."""
    minutes = PATIENCE.seconds // 60
    if way == "smtp":
        first = f"A mail that I put into your INBOX was not there {minutes} minutes later"
        filtered = "A filter or another program takes it away: look for a rule that moves it, or set"
        return first, f'{filtered} approval.via = "smtp" to have such mails sent.'
    first = f"A mail that I sent to you has not reached your INBOX after {minutes} minutes"
    allow = "Mark it as no junk," if in_junk else "Look for a filter that takes it away,"
    listed = 'put your own address on the list of allowed senders, or set approval.via = "append" to have such mails'
    return first, f"{allow} {listed} put into INBOX directly."
