"""What Deskhand says by mail, each through the outbox: questions and notices to the owner, replies to clients."""

import asyncio
from dataclasses import dataclass
from datetime import datetime

from memory.blobs import Blobs
from memory.ledger import Ledger
from memory.outgoing import OutgoingLedger
from tools.mail import mime
from tools.mail.outbox import Outbox, Via
from tools.mail.trace import trace
from workflows.errors import Permanent
from workflows.models import Address, Asking, CaseState, Owner, Receipt
from workflows.ports import Clock
from workflows.rules import approval, calendar, canonical

NAME = "Deskhand"
"""The display name of every mail to the owner; a client never sees it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Terms:
    """How long an approval may wait (the owner's working days), and how long after a yes a no still wins (seconds)."""

    expire_after_days: float = 7
    grace: float = 60


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDesk:
    """Implements `Desk`. `key` makes the nonces and references."""

    ledger: Ledger
    rows: OutgoingLedger
    outbox: Outbox
    blobs: Blobs
    owner: Owner
    clock: Clock
    terms: Terms
    key: bytes

    async def ask(self, state: CaseState) -> Asking:
        """Show the current version (or why there is none) to the owner, once per version and round."""
        intent = f"ask:{state.case}.{state.version}:{state.round}"
        expires_at = calendar.expiry(state.asked_at or self.clock.now(), self.terms.expire_after_days, self.owner)
        mail = await asyncio.to_thread(self._question, intent, state, expires_at)
        reference = canonical.reference(self.key, state.case, state.version)
        about = f"{state.case}.{state.version}"
        left_at = await self.outbox.post(
            intent=intent,
            purpose="approval",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, about, message_id, date, reference),
            case=state.case,
            version=state.version,
            reference=reference,
        )
        if self.owner.second and state.version:
            await self._ask_second(intent, state, mail, reference)
        return Asking(asked_at=left_at, expires_at=expires_at, grace=self.terms.grace)

    async def _ask_second(self, intent: str, state: CaseState, mail: approval.ApprovalMail, reference: str) -> None:
        """The same question to the second approver, as a mail of its own: the owner's is what it always was.

        One that can never reach them is told to the owner, who is asked all the same.
        """
        about, second = f"{state.case}.{state.version}", Address(email=self.owner.second)
        try:
            await self.outbox.post(
                intent=f"second:{intent}",
                purpose="approval",
                text=mail.text,
                compose=lambda message_id, date: self._to_owner(mail, about, message_id, date, reference, second),
                case=state.case,
                version=state.version,
                reference=reference,
                to=second.email,
            )
        except Permanent as error:
            await self.tell(
                f"second:{intent}",
                f"The second approver was not asked about {about}",
                f"The question could not be sent to {second.email}: {error} You can answer it yourself; to ask nobody "
                'else, set approval.second = "".',
                state.case,
            )

    async def send(self, case: int, version: int) -> Receipt:
        """Send an approved version to the client, at most once."""
        outgoing = await asyncio.to_thread(self.ledger.outgoing, case, version)
        approved = await asyncio.to_thread(self.ledger.version_hash, case, version)
        client = await asyncio.to_thread(self.ledger.client_of, case)
        receipt = await self.outbox.send(outgoing, approved, client.id if client else "")
        if receipt.state == "sent":
            await asyncio.to_thread(self.ledger.record_sent, case, version)
        return receipt

    async def tell(self, key: str, subject: str, text: str, case: int = 0, via: Via | None = None) -> None:
        """A plain notice, once per key; `via`: in another way than the settings say."""
        mail = approval.render_notice(subject, text, case)
        await self.outbox.post(
            intent=f"notice:{key}",
            purpose="notice",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, str(case or ""), message_id, date),
            case=case,
            via=via,
        )

    async def explain(self, key: str, case: int) -> None:
        """The whole trace of a case, once per key."""
        if await asyncio.to_thread(self.rows.entry, f"notice:{key}") is None:
            story = await asyncio.to_thread(self.ledger.story, case)
            await self.tell(key, f"Why case {case}", trace(story, self.owner), case)

    def _question(self, intent: str, state: CaseState, expires_at: datetime) -> approval.ApprovalMail:
        entry = self.rows.entry(intent)
        if entry and entry.blob:  # composed before: a retry sends those bytes, whatever the settings are by now
            content = self.blobs.get(entry.blob)
            return approval.ApprovalMail(subject=mime.parse(content).subject, text=mime.decoded_body(content))
        brief = self.ledger.stored_brief(state.brief)
        if state.hold or not state.version:
            return approval.render_hold(state.case, state.hold, brief, self.owner)
        return approval.render(
            approval.Question(
                outgoing=self.ledger.outgoing(state.case, state.version),
                draft=self.ledger.draft(state.case, state.version),
                brief=brief,
                owner=self.owner,
                nonce=canonical.nonce(self.key, state.case, state.version, state.hash),
                expires_at=expires_at,
                changed=state.changed,
            )
        )

    def _to_owner(  # noqa: PLR0913, PLR0917 - what differs from one mail to the next
        self,
        mail: approval.ApprovalMail,
        about: str,
        message_id: str,
        date: datetime,
        reference: str = "",
        to: Address | None = None,
    ) -> bytes:
        """The whole mail: from the owner's own address to it, marked as machine-made; `about`: "41.1", "41" or ""."""
        return mime.compose(
            sender=Address(email=self.owner.address, name=NAME),
            to=(to or Address(email=self.owner.address, name=self.owner.name),),
            subject=mail.subject,
            body=mail.text,
            message_id=message_id,
            date=date,
            references=(reference,) if reference else (),
            headers=((("X-Deskhand-Case", about),) if about else ()) + (("Auto-Submitted", "auto-generated"),),
        )
