"""After a restore: what the ledger calls unsent is looked up in the mailbox before anything leaves."""

import asyncio
from dataclasses import dataclass, field
from datetime import datetime

from memory.outbox.restored import Departures, Restored, Unsent
from tools.mail.sending.evidence import Evidence
from workflows.models.drafts import Outgoing
from workflows.ports import Desk

_NAMED = 30


@dataclass(frozen=True, slots=True, kw_only=True)
class Reconcile:
    """The ledger against the mailbox. `begun`: when this process began; an older version is looked up once."""

    restored: Restored
    departures: Departures
    evidence: Evidence
    home: str
    begun: datetime
    looked: set[tuple[int, int]] = field(default_factory=set)

    async def before(self, outgoing: Outgoing) -> None:
        """Before a version leaves that is older than this process: look whether it has left for a newer ledger.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into, so it must not leave now.
        """
        key = (outgoing.case, outgoing.version)
        if key in self.looked:
            return
        made_at = await asyncio.to_thread(self.restored.made_at, *key)
        if made_at is not None and made_at < self.begun:
            unsent = Unsent(case=outgoing.case, version=outgoing.version, outgoing=outgoing, made_at=made_at)
            if await self._look_up(unsent):
                reason = "a mail that it calls unsent lies among your sent mails"
                await asyncio.to_thread(self.restored.notice, reason)
        self.looked.add(key)

    async def departing(self) -> None:
        """Count the mail that is about to leave outside the ledger's file too, once the ledger has it.

        Raises:
            NeedsOwner: the count cannot be written.
        """
        count = await asyncio.to_thread(self.restored.departures)
        await asyncio.to_thread(self.departures.keep, self.home, count)

    async def run(self, desk: Desk) -> None:
        """While an older ledger is suspected: look up everything that is approved, then let go and say what was found.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into; everything stays held, call again.
        """
        reason = await asyncio.to_thread(self.restored.reason)
        if not reason:
            return
        unsent = await asyncio.to_thread(self.restored.unsent)
        for entry in unsent:
            await self._look_up(entry)
        findings = await asyncio.to_thread(self.restored.found_so_far)
        held_since = await asyncio.to_thread(self.restored.held_since)
        await desk.tell(
            f"restored:{held_since}", "An older ledger was put back", _account(reason, findings, len(unsent))
        )
        await asyncio.to_thread(self.restored.lift)

    async def _look_up(self, unsent: Unsent) -> bool:
        copy = await self.evidence.same_mail(unsent.outgoing, unsent.made_at, unsent.message_ids)
        if copy is None:
            return False
        await asyncio.to_thread(self.restored.found, unsent.case, unsent.version, copy.message_id, copy.folder)
        return True


def _account(reason: str, found: tuple[str, ...], looked: int) -> str:
    names = ", ".join(found[:_NAMED]) + (f" and {len(found) - _NAMED} more" if len(found) > _NAMED else "")
    had_left = (
        f"{len(found)} had left already and are not sent again: {names}."
        if found
        else f"None of the {looked} approved mails that it calls unsent lies among your sent mails."
    )
    return (
        f"It looks as if an older copy of Deskhand's ledger was put back: {reason}. So everything was held until your "
        f"sent mails were looked through. {had_left}\n\nNothing is held for this any more. Mails that came after that "
        "copy was made are read again, and you may be asked about some of them once more."
    )
