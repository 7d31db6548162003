"""The outbox: the only door through which a mail leaves.

approved -> claimed -> committing -> sent | uncertain | failed. It may die at any line: the ledger
(memory/outbox/outgoing.py) says how far each mail came, and from `committing` on only evidence (evidence.py) moves it.
"""

import asyncio
import secrets
from collections.abc import Awaitable, Callable, Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Literal
from weakref import WeakValueDictionary
from zoneinfo import ZoneInfo

from memory.outbox.entries import Claimed, Composed, Entry, Held, SendLimits
from memory.outbox.outgoing import OutgoingLedger
from memory.record.blobs import Blobs
from tools.mail import mime
from tools.mail.sending.evidence import Evidence, FilesSent, MailCopy, known_to_file
from tools.mail.sending.reconcile import Reconcile
from tools.mail.sending.smtp import Transport, Uncertain
from workflows.errors import DeskhandError, Permanent, Retryable
from workflows.models.drafts import Outgoing, Receipt
from workflows.models.mail import Address, Attachment
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.text.addresses import beyond_ascii
from workflows.rules.text.canonical import approved_hash, body_hash

Compose = Callable[[str, datetime], bytes]
"""Makes the whole mail of a Message-ID and a date."""

Via = Literal["smtp", "append"]
"""How mails to the owner go: sent, or put into INBOX by IMAP."""

_FILED, _APPENDING = 1, 2
_SURELY_FILED = timedelta(hours=1)  # a server that files by itself has done so by then, or does not


@dataclass(frozen=True, slots=True, kw_only=True)
class SearchPatience:
    """Seconds to go on looking: for a copy that proves an uncertain send, and for one the server files by itself."""

    proof: float = 30
    filing: float = 10
    pause: float = 1


class Outbox:
    """Sends what is approved, at most once; and what the owner is told, at least once under one Message-ID."""

    def __init__(  # noqa: PLR0913 - the one place where all of these meet
        self,
        *,
        ledger: OutgoingLedger,
        blobs: Blobs,
        transport: Transport,
        evidence: Evidence,
        owner: Owner,
        limits: SendLimits,
        clock: Clock,
        files_sent: FilesSent = "auto",
        waiting: SearchPatience | None = None,
        reconcile: Reconcile | None = None,
        via: Via = "smtp",
        changed: Callable[[Iterable[Attachment]], str] = lambda _: "",
        guard: Callable[[Outgoing], Awaitable[None]] | None = None,
    ) -> None:
        """`changed`: what became of the owner's own file since it was approved, "" when all are as they were.

        `guard`: asked before a client's mail is claimed; what it finds is told by the last look.
        """
        self._ledger = ledger
        self._blobs = blobs
        self._transport = transport
        self._evidence = evidence
        self._owner = owner
        self._limits = limits
        self._clock = clock
        self._files_sent: FilesSent = files_sent
        self._waiting = waiting or SearchPatience()
        self._reconcile = reconcile
        self.via: Via = via
        self._changed = changed
        self._guard = guard
        self._domain = owner.address.rpartition("@")[2]
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()

    # ------------------------------------------------------------ to clients

    async def send(self, outgoing: Outgoing, approved: str, client: str = "") -> Receipt:
        """Send an approved version (`approved`: its approved hash) to the client, at most once however often called.

        Raises:
            Retryable: nothing was sent, call again. NeedsOwner: nothing was sent, something must be mended first.
            Permanent: the version is not the one that was approved.
        """
        if approved_hash(outgoing) != approved:
            raise Permanent(f"Version {outgoing.case}.{outgoing.version} is not the text that was approved; not sent.")
        intent = f"send:{outgoing.case}.{outgoing.version}"
        async with self._lock(intent):
            entry = await asyncio.to_thread(
                self._ledger.enqueue,
                intent=intent,
                purpose="client",
                recipients=[address.email for address in (*outgoing.to, *outgoing.cc)],
                hash=approved,
                case=outgoing.case,
                version=outgoing.version,
                client=client,
            )
            return await self._send(entry, outgoing)

    async def _send(self, entry: Entry, outgoing: Outgoing) -> Receipt:
        if entry.state in {"approved", "claimed"} and self._reconcile is not None:
            await self._reconcile.before(outgoing)
            entry = await self._reread(entry)
        if entry.state in {"approved", "claimed"}:
            if self._guard is not None:
                await self._guard(outgoing)
            change = await asyncio.to_thread(self._changed, outgoing.attachments)
            try:
                claim = await self._claim(
                    entry, lambda message_id, date: self._compose(outgoing, message_id, date), change
                )
            except Permanent as error:  # no mail can be made of it: an entry that stayed open would look held
                await asyncio.to_thread(self._ledger.failed, entry.intent, str(error))
                return _receipt(await self._reread(entry))
            if not isinstance(claim, Claimed):
                return Receipt(state="held", detail=claim.reason, until=claim.until, rule=claim.rule)
            entry = await self._attempt(claim.entry)
        if entry.state == "committing":
            entry = await self._settle(entry)
        if entry.state == "sent":
            await self._try_to_file(entry)
        return _receipt(entry)

    async def _attempt(self, entry: Entry) -> Entry:
        """One submission of the claimed bytes to a client; the row as it stands afterwards."""
        try:
            return await self._submit(entry)
        except Permanent as error:
            await asyncio.to_thread(self._ledger.failed, entry.intent, str(error))
        except Uncertain as error:
            await asyncio.to_thread(self._ledger.note, entry.intent, str(error))
        return await self._reread(entry)

    async def _submit(self, entry: Entry) -> Entry:
        committed = False

        async def commit() -> None:
            nonlocal committed
            await asyncio.to_thread(self._ledger.committing, entry.intent)
            committed = True
            if self._reconcile is not None and entry.purpose == "client":
                await self._reconcile.departing()

        content = await asyncio.to_thread(self._blobs.get, entry.blob)
        try:
            acceptance = await self._transport.submit(content, self._owner.address, entry.recipients, commit)
        except (Permanent, Uncertain):
            raise
        except DeskhandError as error:
            # Only the attempt that wrote `committing` may take it back: another one may be in DATA right now.
            back = self._ledger.retry if committed else self._ledger.note
            await asyncio.to_thread(back, entry.intent, str(error))
            raise
        return await asyncio.to_thread(
            self._ledger.sent, entry.intent, acceptance.reply, acceptance.server_id, self._clock.now()
        )

    async def _settle(self, entry: Entry) -> Entry:
        """Handed over, and no answer known: sent if the mailbox proves it, else uncertain. Never sent again."""
        content = await asyncio.to_thread(self._blobs.get, entry.blob)
        seconds = 0 if await self._server_files() is False else self._waiting.proof
        copy = await self._look(lambda: self._evidence.in_sent(entry, content), seconds)
        if copy is None:
            await asyncio.to_thread(self._ledger.uncertain, entry.intent, _how_to_settle(entry))
            return await self._reread(entry)
        reply = f"A copy lies in {copy.folder}, so it was sent."
        await asyncio.to_thread(
            self._ledger.sent, entry.intent, reply, copy.message_id, entry.claimed_at or self._clock.now()
        )
        await asyncio.to_thread(self._ledger.filed, entry.intent, _FILED)
        return await self._reread(entry)

    def _compose(self, outgoing: Outgoing, message_id: str, date: datetime) -> bytes:
        content = mime.compose(
            sender=Address(email=self._owner.address, name=self._owner.name),
            to=outgoing.to,
            cc=outgoing.cc,
            subject=outgoing.subject,
            body=outgoing.body,
            message_id=message_id,
            date=date,
            in_reply_to=outgoing.in_reply_to,
            references=outgoing.references,
            attachments=[(file, self._approved_bytes(file)) for file in outgoing.attachments],
        )
        if mime.decoded_body(content) != outgoing.body:
            raise Permanent(
                f"Version {outgoing.case}.{outgoing.version} cannot be put into a mail unchanged; not sent."
            )
        return content

    def _approved_bytes(self, file: Attachment) -> bytes:
        """The bytes that were approved: kept when the file was proposed."""
        try:
            return self._blobs.get(file.sha256)
        except KeyError:
            raise Permanent(f"The copy of {file.name} is missing from the home's blobs; nothing was sent.") from None

    # ------------------------------------------------------------ to the owner

    async def post(  # noqa: PLR0913
        self,
        *,
        intent: str,
        purpose: Literal["approval", "notice"],
        text: str,
        compose: Compose,
        case: int = 0,
        version: int = 0,
        reference: str = "",
        to: str = "",
        via: Via | None = None,
    ) -> datetime:
        """Send the owner (or `to`) a mail; when it left. `compose(message_id, date)` is called once for an intent.

        `via` "append" puts it into the owner's INBOX by IMAP instead of sending it; None: as the settings say.

        A second copy under the same Message-ID is harmless here, so nothing stays uncertain: what is not found in
        INBOX goes again, byte for byte.

        Raises:
            Retryable, NeedsOwner, Permanent: it has not left (yet); calling again tries again.
        """
        async with self._lock(intent):
            entry = await asyncio.to_thread(
                self._ledger.enqueue,
                intent=intent,
                purpose=purpose,
                recipients=[to or self._owner.address],
                hash=body_hash(text),
                case=case,
                version=version,
                reference=reference,
            )
            if entry.state == "committing":
                entry = await self._settle_post(entry, seconds=0)
            if entry.state != "sent":
                entry = await self._post(entry, compose, via or self.via)
        return entry.sent_at or entry.at

    async def _post(self, entry: Entry, compose: Compose, via: Via) -> Entry:
        claim = await self._claim(entry, compose)
        if not isinstance(claim, Claimed):
            raise Retryable(claim.reason)
        if via == "append" and self._is_to_owner(entry):
            return await self._append(claim.entry)
        try:
            return await self._submit(claim.entry)
        except Permanent as error:
            await asyncio.to_thread(self._ledger.retry, entry.intent, str(error))
            raise
        except Uncertain as error:
            settled = await self._settle_post(claim.entry, self._waiting.proof)
            if settled.state != "sent":
                raise Retryable(f"{error} It has not arrived in INBOX; the same mail goes again.") from error
            return settled

    async def _append(self, entry: Entry) -> Entry:
        """Put the claimed bytes into INBOX, unless an earlier attempt that never heard the answer did."""
        content = await self.content(entry)
        lies_there = entry.attempts > 1 and await self._evidence.in_inbox(entry, content) is not None
        await asyncio.to_thread(self._ledger.committing, entry.intent)
        if not lies_there:
            try:
                await self._evidence.put_into_inbox(content)
            except DeskhandError as error:
                # Whether it lies there is looked up before the next attempt.
                await asyncio.to_thread(self._ledger.retry, entry.intent, str(error))
                raise
        reply = "It lay in INBOX already." if lies_there else "Put into INBOX by IMAP."
        return await asyncio.to_thread(self._ledger.sent, entry.intent, reply, "", self._clock.now())

    async def post_other_way(self, entry: Entry) -> Via:
        """Put a mail to the owner that left and did not arrive in their way again, byte for byte; by which way.

        Raises:
            Retryable, NeedsOwner, Permanent: not now.
        """
        async with self._lock(entry.intent):
            content = await self.content(entry)
            if self.via == "append":
                await self._transport.submit(content, self._owner.address, entry.recipients, _nothing)
                return "smtp"
            await self._evidence.put_into_inbox(content)
            return "append"

    async def content(self, entry: Entry) -> bytes:
        """The mail as it was composed, byte for byte."""
        return await asyncio.to_thread(self._blobs.get, entry.blob)

    def _is_to_owner(self, entry: Entry) -> bool:
        return entry.recipients == (self._owner.address,)

    async def _settle_post(self, entry: Entry, seconds: float) -> Entry:
        if not self._is_to_owner(entry):  # nobody's mailbox but the owner's can be asked
            await asyncio.to_thread(self._ledger.retry, entry.intent, "No answer came; it goes again.")
            return await self._reread(entry)
        content = await self.content(entry)
        copy = await self._look(lambda: self._evidence.in_inbox(entry, content), seconds)
        if copy is None:
            await asyncio.to_thread(self._ledger.retry, entry.intent, "It was not found in INBOX; it goes again.")
            return await self._reread(entry)
        reply = f"It lies in {copy.folder}, so it was sent."
        return await asyncio.to_thread(
            self._ledger.sent, entry.intent, reply, copy.message_id, entry.claimed_at or self._clock.now()
        )

    # ------------------------------------------------------------ after a crash, and for the supervisor

    async def learn_reach(self, outgoing: Outgoing) -> None:
        """Ask the server, where it matters for these recipients, whether it takes letters beyond ASCII.

        Raises:
            Retryable, NeedsOwner: it cannot be asked now.
        """
        if any(beyond_ascii(address.email) for address in (*outgoing.to, *outgoing.cc)):
            takes = await self._transport.takes_beyond_ascii()
            host = self._transport.account.host
            await asyncio.to_thread(self._ledger.learn_takes_beyond_ascii, host, takes=takes)

    def undeliverable(self, outgoing: Outgoing) -> str:
        """Why the server would not take it, as far as is known; "" when nothing is known against it."""
        people = [recipient.email for recipient in (*outgoing.to, *outgoing.cc) if beyond_ascii(recipient.email)]
        host = self._transport.account.host
        if not people or self._ledger.takes_beyond_ascii(host) is not False:
            return ""
        return (
            f"{host} takes no address with letters beyond ASCII ({people[0]}). Your yes would fail; write to them from "
            "another mailbox, or ask them for another address."
        )

    async def resume(self) -> tuple[Entry, ...]:
        """Settle every mail to a client that an earlier process handed over without an answer; those it settled.

        Raises:
            Retryable, NeedsOwner: the mailbox cannot be looked into; calling again goes on.
        """
        settled = []
        for entry in await asyncio.to_thread(self._ledger.pending):
            if entry.purpose == "client" and entry.state == "committing":
                async with self._lock(entry.intent):
                    now = await self._reread(entry)
                    settled.append(await self._settle(now) if now.state == "committing" else now)
        return tuple(settled)

    async def file_unfiled(self) -> tuple[str, ...]:
        """Try again to put copies into Sent; why it still does not work, in plain words, each reason once."""
        problems: dict[str, None] = {}
        for entry in await asyncio.to_thread(self._ledger.unfiled):
            async with self._lock(entry.intent):
                if (problem := await self._try_to_file(await self._reread(entry))) is not None:
                    problems[problem] = None
        return tuple(problems)

    # ------------------------------------------------------------ the copy in Sent

    async def _try_to_file(self, entry: Entry) -> str | None:
        """See to the copy in Sent; a sent mail stays sent whatever happens here, `file_unfiled` tries again."""
        if entry.filed == _FILED:
            return None
        try:
            await self._file(entry)
        except DeskhandError as error:
            await asyncio.to_thread(self._ledger.not_filed, entry.intent, str(error))
            return str(error)
        return None

    async def _file(self, entry: Entry) -> None:
        host = self._transport.account.host
        files = await self._server_files()
        content = await asyncio.to_thread(self._blobs.get, entry.blob)
        ours_begun = entry.filed == _APPENDING
        copy = await self._look(
            lambda: self._evidence.in_sent(entry, content), 0 if files is False or ours_begun else self._waiting.filing
        )
        if copy is not None:
            if not ours_begun and not files:
                await asyncio.to_thread(self._ledger.learn_files_sent, host, files=True)
            await asyncio.to_thread(self._ledger.learned, entry.intent, copy.message_id)
        elif files and self._clock.now() - (entry.sent_at or entry.at) < _SURELY_FILED:
            raise Retryable("The server files what it sends by itself, but no copy has shown up yet.")
        else:
            await asyncio.to_thread(self._ledger.learn_files_sent, host, files=False)
            # Marked first: found again after a crash, this copy must not be taken for one that the server filed.
            await asyncio.to_thread(self._ledger.filed, entry.intent, _APPENDING)
            await self._evidence.file(content)
        await asyncio.to_thread(self._ledger.filed, entry.intent, _FILED)

    async def _server_files(self) -> bool | None:
        host = self._transport.account.host
        files = known_to_file(host, self._files_sent)
        return await asyncio.to_thread(self._ledger.files_sent, host) if files is None else files

    # ------------------------------------------------------------ small steps

    async def _claim(self, entry: Entry, compose: Compose, change: str = "") -> Claimed | Held:
        def whole(_: Entry) -> Composed:
            message_id = f"<{secrets.token_hex(16)}@{self._domain}>"
            date = self._clock.now().astimezone(ZoneInfo(self._owner.timezone)).replace(microsecond=0)
            content = compose(message_id, date)
            return Composed(content=content, message_id=message_id, body_hash=body_hash(mime.decoded_body(content)))

        return await asyncio.to_thread(self._ledger.claim, entry.intent, whole, self._limits, self._clock.now(), change)

    async def _look(self, look: Callable[[], Awaitable[MailCopy | None]], seconds: float) -> MailCopy | None:
        """Look until something is found or the time is over; at least once."""
        loop = asyncio.get_running_loop()
        end = loop.time() + seconds
        while (copy := await look()) is None and loop.time() < end:  # noqa: ASYNC110 - the server does not call us
            await asyncio.sleep(self._waiting.pause)
        return copy

    async def _reread(self, entry: Entry) -> Entry:
        return await asyncio.to_thread(self._ledger.entry, entry.intent) or entry

    def _lock(self, intent: str) -> asyncio.Lock:
        """One attempt at a time for each intent; an attempt that Temporal gave up on may still be running."""
        lock = self._locks.get(intent) or asyncio.Lock()
        self._locks[intent] = lock
        return lock


async def _nothing() -> None:
    """Before DATA of a mail that already left once: there is nothing to note."""


def _receipt(entry: Entry) -> Receipt:
    if entry.state not in {"sent", "uncertain", "failed"}:
        return Receipt(state="held", message_id=entry.message_id, detail=entry.detail)
    return Receipt(state=entry.state, message_id=entry.message_id, at=entry.sent_at, detail=entry.detail)


def _how_to_settle(entry: Entry) -> str:
    people, name = ", ".join(entry.recipients), f"{entry.case}.{entry.version}"
    return (
        f"The server was handed the mail to {people} but never said whether it took it, and no copy lies in Sent. "
        f"Deskhand will not send it again by itself. Look into your Sent folder or ask {people}. If it arrived: "
        f"'./deskhand settle {name} arrived'; if not: './deskhand settle {name} resend' sends the very same mail once "
        f"more ('./deskhand case {entry.case}' shows the text). {entry.detail}"
    ).strip()
