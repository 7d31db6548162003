"""What Deskhand says by mail, each through the outbox: questions and notices to the owner, replies to clients."""

import asyncio
import contextlib
import threading
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Literal

import structlog

from memory.ledger import Ledger
from memory.outbox.outgoing import OutgoingLedger
from memory.record.blobs import Blobs
from memory.record.notebook import DeferredNotice
from tools.mail import mime
from tools.mail.sending.evidence import Evidence
from tools.mail.sending.outbox import Outbox, Via
from tools.mail.trace import trace
from workflows.errors import DeskhandError, Permanent
from workflows.models.case import CaseState, ChangedBy
from workflows.models.drafts import Asking, Brief, Outgoing, Receipt
from workflows.models.mail import Address
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.asking import approval, digest
from workflows.rules.asking.packs import render_pack
from workflows.rules.mail.replying import gist, new_part
from workflows.rules.mail.urgency import urgent
from workflows.rules.text import calendar, canonical
from workflows.rules.text.languages import words_in

log = structlog.get_logger()
NAME = "Deskhand"
"""The display name of every mail to the owner; a client never sees it."""
_QUOTED = 160
_LOOK = 15  # seconds that the look into Sent may take before the owner is asked without it


_ANSWERING = ("unclear", "unproven", "refused", "late", "enough", "order-unclear")
"""How the keys of notices begin that answer an answer of the owner's which did nothing."""
_ANSWERING_INTENTS = (*(f"notice:{kind}:" for kind in _ANSWERING), "unclear:")
_A_DAY = timedelta(days=1)
MOST_ANSWERS_A_DAY = 12
"""Such notices about one case (0: about none) within a day: a machine that answers them is not answered without end."""
MANY = 3
"""From the third such notice on it says what helps."""
_NEVER_WAIT = frozenset(
    {
        *_ANSWERING, "order", "asked", "why", "pack", "resend", "failed", "uncertain", "held", "sent", "refused",
        "blocked", "cancelled", "payment", "second", "restored", "stranger", "astray", "kept", "keys",
    }
)  # fmt: skip
"""Notices that say what became of an order or a yes, ask something, or tell of a danger: no limit is for them."""
_AN_HOUR = timedelta(hours=1)
_MOST_KEPT = 50_000
"""Characters of one mail of notices that waited."""
_LAST = (
    "This is the last mail of this kind today. Further answers that I cannot use are kept and change nothing; the next "
    "one after a day is answered again."
)


def _what_helps(case: int) -> str:
    machine = f"./deskhand case {case}" if case else "./deskhand cases"
    return (
        "What helps: one word alone on the first line, above the quote; docs/approval.md lists the words under "
        f'"What you can answer" and "Orders to the desk". At the machine {machine} names the commands.'
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalTerms:
    """How the owner is asked: how long an approval may wait (working days), how long after a yes a no wins (seconds).

    `mode` as the setting; while `most_waiting` cases wait, only what is urgent is asked at once.
    """

    expire_after_days: float = 7
    grace: float = 60
    undo: float = 600  # seconds between showing a mail that leaves under a standing yes and its leaving
    mode: Literal["each", "digest", "both"] = "each"
    most_waiting: int = 5
    per_hour: int = 30  # mails to the owner that he did not ask for; the rest waits and is told in one


@dataclass(frozen=True, slots=True, kw_only=True)
class MailDesk:
    """Implements `Desk`. `key` makes the nonces and references."""

    ledger: Ledger
    rows: OutgoingLedger
    outbox: Outbox
    blobs: Blobs
    owner: Owner
    clock: Clock
    terms: ApprovalTerms
    key: bytes
    evidence: Evidence | None = None  # the owner's Sent folder, where mails to a new address may lie
    looking: set[asyncio.Task[None]] = field(default_factory=set)  # the loop keeps only weak references
    deciding: threading.Lock = field(default_factory=threading.Lock)

    async def ask(self, state: CaseState) -> Asking:
        """Show the current version, or why there is none, once per version and round; not `shown`: a digest will."""
        intent = f"ask:{state.case}.{state.version}:{state.round}"
        asked_at = state.asked_at or self.clock.now()
        expires_at = calendar.expiry(asked_at, self.terms.expire_after_days, self.owner)
        asking = Asking(asked_at=asked_at, expires_at=expires_at, grace=self.terms.grace, language=self.owner.language)
        leaves_at = await asyncio.to_thread(self._leaves_at, state, asked_at)
        await self._learn_reach(state)
        await self._look_into_sent(state)
        mail = await asyncio.to_thread(self._question, intent, state, expires_at, leaves_at)
        if not await asyncio.to_thread(self._is_asked_now, intent, state, mail):
            return replace(asking, shown=False)
        reference = await asyncio.to_thread(self._reference, intent, state, mail)
        case_label = f"{state.case}.{state.version}"
        left_at = await self.outbox.post(
            intent=intent,
            purpose="approval",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, case_label, message_id, date, reference),
            case=state.case,
            version=state.version,
            reference=reference,
        )
        if self.owner.second and state.version:
            await self._ask_second(intent, (state.case, state.version), case_label, mail, reference)
        if leaves_at:  # the time to undo begins when the mail has left, however long that took
            leaves_at = max(leaves_at, left_at + timedelta(seconds=self.terms.undo))
        return replace(asking, asked_at=left_at, leaves_at=leaves_at)

    async def _learn_reach(self, state: CaseState) -> None:
        if state.version and not state.hold:
            outgoing = await asyncio.to_thread(self.ledger.outgoing, state.case, state.version)
            with contextlib.suppress(DeskhandError):  # not known now: the question is asked all the same
                await self.outbox.learn_reach(outgoing)

    async def _look_into_sent(self, state: CaseState) -> None:
        """Whom the ledger has never seen written to, the owner may have: Sent is asked once before it is said so."""
        client = await asyncio.to_thread(self.ledger.client_of, state.case) if state.version else None
        if self.evidence is None or client is None or client.written_to:
            return
        if await asyncio.to_thread(self.ledger.sent_before, client.id) is not None:
            return
        look = asyncio.create_task(self._search_sent(self.evidence, client))
        self.looking.add(look)
        look.add_done_callback(self.looking.discard)
        # A slow server keeps nobody from being asked; what it says later counts for the next mail.
        await asyncio.wait({look}, timeout=_LOOK)

    async def _search_sent(self, evidence: Evidence, client: Client) -> None:
        with contextlib.suppress(DeskhandError):  # not known now: it is said as if nothing lay there
            looks = [await evidence.written_to(address, self.owner.addresses) for address in client.addresses]
            await asyncio.to_thread(self.ledger.keep_sent_before, client.id, found=any(looks))

    def _leaves_at(self, state: CaseState, asked_at: datetime) -> datetime | None:
        """When a first draft leaves under the owner's standing yes; None when it waits for a yes of its own."""
        if state.version != 1 or state.round > 1 or state.hold or state.again:
            return None
        covered = self.ledger.may_leave_alone(state.case, state.version)
        return asked_at + timedelta(seconds=self.terms.undo) if covered else None

    async def _ask_second(
        self, intent: str, row: tuple[int, int], about: str, mail: approval.ApprovalMail, reference: str
    ) -> None:
        """The same question to the second approver, as a mail of its own: the owner's is what it always was.

        One that can never reach them is told to the owner, who is asked all the same.
        """
        (case, version), second = row, Address(email=self.owner.second)
        try:
            await self.outbox.post(
                intent=f"second:{intent}",
                purpose="approval",
                text=mail.text,
                compose=lambda message_id, date: self._to_owner(mail, about, message_id, date, reference, second),
                case=case,
                version=version,
                reference=reference,
                to=second.email,
            )
        except Permanent as error:
            await self.tell(
                f"second:{intent}",
                f"The second approver was not asked about {about}",
                f"The question could not be sent to {second.email}: {error} You can answer it yourself; to ask nobody "
                'else, set approval.second = "".',
                case,
            )

    async def send(self, case: int, version: int) -> Receipt:
        """Send an approved version to the client, at most once."""
        outgoing = await asyncio.to_thread(self.ledger.outgoing, case, version)
        if outgoing.link:
            return await self._hand_to_owner(outgoing)
        approved = await asyncio.to_thread(self.ledger.version_hash, case, version)
        client = await asyncio.to_thread(self.ledger.client_of, case)
        receipt = await self.outbox.send(outgoing, approved, client.id if client else "")
        if receipt.state == "sent":
            await asyncio.to_thread(self.ledger.record_sent, case, version)
        return self._with_times(receipt)

    async def _hand_to_owner(self, outgoing: Outgoing) -> Receipt:
        """Nothing is submitted anywhere: the approved text lies in the owner's inbox, ready to be pasted."""
        brief = await asyncio.to_thread(self.ledger.brief_of, outgoing.case)
        pack = render_pack(outgoing, brief)
        await self.tell(f"pack:{outgoing.case}.{outgoing.version}", pack.subject, pack.text, outgoing.case)
        return self._with_times(Receipt(state="sent", at=self.clock.now(), detail="to your inbox, ready to be pasted"))

    def _with_times(self, receipt: Receipt) -> Receipt:
        """The receipt with its time in the owner's time zone, as the owner may be told it."""
        if receipt.state == "sent" and receipt.at:
            sent_note = f"sent {calendar.format_moment(receipt.at, self.owner)}"
            return replace(receipt, detail=f"{sent_note} ({receipt.detail})" if receipt.detail else sent_note)
        if receipt.state == "held" and receipt.until:
            until = calendar.format_deadline(receipt.until, self.owner)
            return replace(receipt, detail=f"{receipt.detail} It is tried again on {until}.".strip())
        return receipt

    # ------------------------------------------------------------ many cases in one mail

    async def show(self, number: int, kind: digest.Kind, states: Sequence[CaseState]) -> None:
        """Send the digest or reminder with this number; the cases are those of its rows, as they were kept."""
        intent = f"digest:{number}"
        mail = await asyncio.to_thread(self._digest, intent, number, kind, states)
        reference = canonical.reference(self.key, 0, number, canonical.body_hash(mail.text))
        case_labels = " ".join(f"{state.case}.{state.version}" for state in states)
        await self.outbox.post(
            intent=intent,
            purpose="approval",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, case_labels, message_id, date, reference),
            version=number,
            reference=reference,
        )
        if self.owner.second and kind == "digest":  # a reminder shows what they were asked already
            await self._ask_second(intent, (0, number), case_labels, mail, reference)

    def items(self, states: Sequence[CaseState]) -> list[digest.DigestRow]:
        """The cases as a digest shows them, in order; one that cannot be shown is left out, and is no other's fault."""
        items = []
        for state in states:
            try:
                items.append(self._item(state))
            except Exception:
                log.exception("a case cannot be shown", case=state.case)
        return items

    def _digest(
        self, intent: str, number: int, kind: digest.Kind, states: Sequence[CaseState]
    ) -> approval.ApprovalMail:
        entry = self.rows.entry(intent)
        if entry and entry.blob:
            content = self.blobs.get(entry.blob)
            return approval.ApprovalMail(subject=mime.parse(content).subject, text=mime.decoded_body(content))
        items = [self._item(state) for state in states]
        return digest.render(kind, number, canonical.nonce(self.key, 0, number, digest.seal(items)), items, self.owner)

    def _item(self, state: CaseState) -> digest.DigestRow:
        brief = self.ledger.stored_brief(state.brief)
        is_held = bool(state.hold) or not state.version
        asked_at = state.asked_at or self.clock.now()
        ends = state.expires_at or calendar.expiry(asked_at, self.terms.expire_after_days, self.owner)
        return digest.DigestRow(
            case=state.case,
            version=state.version,
            hash=state.hash,
            brief=brief,
            question=None if is_held else self._draft_of(state, brief, ends),
            hold=state.hold,
        )

    def _is_asked_now(self, intent: str, state: CaseState, mail: approval.ApprovalMail) -> bool:
        """Whether this question leaves by itself now, or waits for the next digest. Once it left, it has left."""
        with self.deciding:  # of many at once, only as many as may wait are asked
            if self.rows.entry(intent) is None and self._can_wait(state):
                return False
            self.rows.enqueue(
                intent=intent,
                purpose="approval",
                recipients=[self.owner.address],
                hash=canonical.body_hash(mail.text),
                case=state.case,
                version=state.version,
                reference=self._reference(intent, state, mail),
            )
            return True

    def _reference(self, intent: str, state: CaseState, mail: approval.ApprovalMail) -> str:
        """The reference of a question, the same each time: that of its row once there is one."""
        entry = self.rows.entry(intent)
        if entry and entry.reference:
            return entry.reference
        over = canonical.body_hash(mail.text) if state.hold or not state.version else self._seal(state)
        return canonical.reference(self.key, state.case, state.version, over)

    def _seal(self, state: CaseState) -> str:
        return canonical.seal(state.hash, self.ledger.times_burnt(state.case, state.version))

    def _can_wait(self, state: CaseState) -> bool:
        if state.owners_turn or not digest.fits(self._item(state), self.owner):
            return False
        if not self._has_room():
            return True
        if state.hold or not state.version:
            return False
        if self.terms.mode == "digest":
            return True
        brief = self.ledger.stored_brief(state.brief)
        received_at = brief.received_at or self.clock.now()
        if state.version > 1 or urgent(brief.subject, brief.message, brief.language, received_at, self.owner):
            return False
        return self.ledger.others_waiting(state.case) >= self.terms.most_waiting

    # ------------------------------------------------------------ notices

    async def tell(self, key: str, subject: str, text: str, case: int = 0, via: Via | None = None) -> None:
        """A plain notice, once per key; `via`: in another way than the settings say."""
        bounded = await asyncio.to_thread(self._bounded, key, text, case)
        if not bounded:
            log.warning("no further answer today", key=key.partition(":")[0], case=case)
            return
        if await asyncio.to_thread(self._is_kept, key, subject, bounded, case):
            return
        mail = approval.render_notice(subject, bounded, case)
        await self.outbox.post(
            intent=f"notice:{key}",
            purpose="notice",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, str(case or ""), message_id, date),
            case=case,
            via=via,
        )

    async def tell_kept(self) -> None:
        """What waited because of the hour's limit, in one mail, as soon as there is room for one."""
        notices = await asyncio.to_thread(self.ledger.kept_notices)
        if not notices or not await asyncio.to_thread(self._has_room):
            return
        batch = list(notices[:1])
        for notice in notices[1:]:
            if sum(len(entry.text) for entry in (*batch, notice)) > _MOST_KEPT:
                break
            batch.append(notice)
        count = "A notice" if len(batch) == 1 else f"{len(batch)} notices"
        head = (
            f"More than {self.terms.per_hour} mails an hour would have come (limits.to_owner_per_hour), so this waited."
        )
        text = "\n\n".join([head, *(f"----- {entry.subject} -----\n\n{entry.text.strip()}" for entry in batch)])
        await self.tell(f"kept:{canonical.body_hash(text)[:16]}", f"{count} that waited", f"{text}\n")
        await asyncio.to_thread(self.ledger.mark_kept_told, [entry.key for entry in batch])

    def _is_kept(self, key: str, subject: str, text: str, case: int) -> bool:
        """Whether this notice waits for a mail with others; nothing is told twice."""
        if key.partition(":")[0] in _NEVER_WAIT or self.rows.entry(f"notice:{key}"):
            return False
        with self.deciding:
            if not self.ledger.is_kept(key):
                if self._has_room():
                    return False
                self.ledger.keep_notice(DeferredNotice(key=key, subject=subject, text=text, case=case))
            return True

    def _has_room(self) -> bool:
        """Whether one more mail that the owner did not ask for may come in this hour."""
        asked_for = (*(f"notice:{kind}:" for kind in _NEVER_WAIT - {"kept"}), "unclear:", "second:")
        since = self.clock.now() - _AN_HOUR
        return self.rows.count_unasked(self.owner.address, asked_for, since) < self.terms.per_hour

    def _bounded(self, key: str, text: str, case: int) -> str:
        """What answers an answer of the owner's, so often a day; "" after that: two machines could go on for ever."""
        intent = f"notice:{key}"
        if key.partition(":")[0] not in _ANSWERING or self.rows.entry(intent):
            return text
        before = self.rows.count_since(case, _ANSWERING_INTENTS, self.clock.now() - _A_DAY)
        if before >= MOST_ANSWERS_A_DAY:
            return ""
        last = before + 1 == MOST_ANSWERS_A_DAY
        return "\n\n".join(
            [text.rstrip("\n"), *([_what_helps(case)] if before + 1 >= MANY else []), *([_LAST] if last else [])]
        )

    async def ask_items_again(self, key: str, number: int, question: str) -> None:
        """A digest or reminder once more under the question its answer left open: answered as the first one is."""
        intent = f"unclear:{key}"
        first = await asyncio.to_thread(self.rows.entry, f"digest:{number}")
        wording = await asyncio.to_thread(self._bounded, f"unclear:{key}", question, 0)
        if first is None or not first.blob or not wording:
            await self.tell(f"unclear:{key}", words_in(self.owner.language, "answering")["unsure"], question)
            return
        content = await asyncio.to_thread(self.blobs.get, first.blob)
        first_mail, body = mime.parse(content), mime.decoded_body(content).partition("\n")[2]
        mail = approval.ApprovalMail(subject=first_mail.subject, text=f"{canonical.one_line(wording)}\n{body}")
        case_labels = first_mail.header("x-deskhand-case")
        await self.outbox.post(
            intent=intent,
            purpose="approval",
            text=mail.text,
            compose=lambda message_id, date: self._to_owner(mail, case_labels, message_id, date, first.reference),
            version=number,
            reference=first.reference,
        )

    async def explain(self, key: str, case: int) -> None:
        """The whole trace of a case, once per key."""
        if await asyncio.to_thread(self.rows.entry, f"notice:{key}") is None:
            story = await asyncio.to_thread(self.ledger.story, case)
            await self.tell(key, f"Why case {case}", trace(story, self.owner), case)

    def _question(
        self, intent: str, state: CaseState, expires_at: datetime, leaves_at: datetime | None = None
    ) -> approval.ApprovalMail:
        entry = self.rows.entry(intent)
        if entry and entry.blob:  # composed before: a retry sends those bytes, whatever the settings are by now
            content = self.blobs.get(entry.blob)
            return approval.ApprovalMail(subject=mime.parse(content).subject, text=mime.decoded_body(content))
        brief = self.ledger.stored_brief(state.brief)
        if state.hold or not state.version:
            return approval.render_hold(state.case, state.hold, brief, self.owner, state.again)
        return approval.render(replace(self._draft_of(state, brief, expires_at), leaves_at=leaves_at))

    def _draft_of(self, state: CaseState, brief: Brief, expires_at: datetime) -> approval.Question:
        outgoing = self.ledger.outgoing(state.case, state.version)
        client = self.ledger.client_of(state.case)  # as it is now: the brief's may be older than the first mail to them
        return approval.Question(
            outgoing=outgoing,
            client_known=client is not None and (client.written_to or bool(self.ledger.sent_before(client.id))),
            namesakes=() if client is None else self.ledger.namesakes(client),
            undeliverable=self.outbox.undeliverable(outgoing),
            draft=self.ledger.draft(state.case, state.version),
            brief=brief,
            owner=self.owner,
            nonce=canonical.nonce(self.key, state.case, state.version, self._seal(state)),
            expires_at=expires_at,
            changed=self._what_changed(state),
            again=state.again,
        )

    def _what_changed(self, state: CaseState) -> str:
        """With the newest words of the client, where it was they who changed something."""
        mails = self.ledger.case_mails(state) if state.changed_by is ChangedBy.CLIENT else ()
        quote = gist(new_part(mails[-1][0].text), _QUOTED) if mails else ""
        return f'{state.changed} "{quote}"' if quote else state.changed

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
