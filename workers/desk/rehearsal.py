"""`check --rehearse`: a test question that the owner answers from each device, and what became of each answer.

No case stands behind it: the mail is in no outbox, so nothing that is answered to it can be sent to anyone. It has a
connection of its own and works beside a running service, which takes the test and its answers for mail to oneself.
"""

import asyncio
import contextlib
import secrets
import signal
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import datetime, timedelta

from tools.limited import Quarantined
from tools.mail import mime
from tools.mail.desk import NAME
from tools.mail.inbox import Mailbox
from tools.mail.parser import Parser
from tools.mail.sending.smtp import Transport
from workers.clock import SystemClock
from workers.desk.proving import ProofNotes, look_into_sent
from workers.settings import loading
from workers.settings.schema import Settings
from workers.voice.output import Output
from workflows.errors import DeskhandError
from workflows.models.decisions import Decision
from workflows.models.mail import Address, Email, FolderKind, RawMail
from workflows.models.people import Owner
from workflows.models.routes import Asked, Surroundings
from workflows.ports import Clock
from workflows.rules.answers.copies import answer_key, judge
from workflows.rules.answers.parents import ParentMail, is_answer_to
from workflows.rules.answers.proof import Proven, Unproven
from workflows.rules.answers.sent_headers import delivery_headers, learn_from_answer
from workflows.rules.quoted.typed import typed
from workflows.rules.text.canonical import one_line

PATIENCE = 600
"""Seconds to wait for answers, unless told otherwise."""
ON_ITS_WAY = 60.0
"""Seconds for the test to arrive, then it is put into INBOX by IMAP."""
EVERY = 2.0
_SHORT = 60
_ELSEWHERE = "This mail names the test, and it answers another mail."
_TEST = "test"
_TEXT = """\
Rehearsal: answer this test from each of your devices. Nobody gets anything.
----- answer above this line · 0.0.{nonce} -----
This is a test. No client is behind it, and nothing is sent whatever you answer.
Reply to this mail with "ok" from every telephone, computer and web page you will answer from, without changing its
address or its subject. The terminal where you began the test says what arrived of each answer.

----- draft 0.0 begins -----
Hello,

this text goes to nobody.
----- draft 0.0 ends -----

Answer: "ok" is what a yes looks like. "edit" and a text, "no", "later 2d" or a wish may be tried as well.
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy of an answer as it was found, and what Deskhand would make of it."""

    folder: str
    kind: FolderKind
    email: Email
    decision: Decision
    proof: Proven | Unproven
    seen_at: datetime

    @property
    def reason(self) -> str:
        return self.proof.reason if isinstance(self.proof, Unproven) else ""


def rehearse(output: Output, seconds: float) -> int:
    """Send the test, report each answer until the time is over or Ctrl-C; 0 when answers came and all are proven."""
    return asyncio.run(_rehearse(output, loading.load(output.home), seconds))


async def _rehearse(output: Output, loaded: Settings, seconds: float) -> int:
    home = output.home
    mailbox, parser = Mailbox(loaded.imap_account(home)), Parser()
    owner = loaded.owner_facts()
    notes = ProofNotes(home, owner)
    try:
        await look_into_sent(home, loaded, mailbox)
        junk = frozenset(folder.name for folder in await mailbox.folders() if folder.use == "junk")
        rehearsal = Rehearsal(
            owner=owner, mailbox=mailbox, parser=parser, transport=Transport(loaded.smtp_account(home)),
            notes=notes, clock=SystemClock(), output=output, places=await _places(loaded, mailbox, junk), junk=junk,
        )  # fmt: skip
        await rehearsal.send(by_append=loaded.approval.via == "append")
        with _stopped_by_ctrl_c() as stop:
            await rehearsal.listen(seconds, stop)
        return await rehearsal.conclude()
    finally:
        notes.close()
        parser.close()
        await mailbox.close()


async def _places(loaded: Settings, mailbox: Mailbox, junk: frozenset[str]) -> tuple[tuple[str, FolderKind], ...]:
    """Where a copy may lie: the watched folders, Junk, Sent."""
    sent = [folder.name for folder in await mailbox.sent_folders(loaded.imap.sent)]
    inboxes: list[tuple[str, FolderKind]] = [(name, "inbox") for name in (*loaded.imap.folders, *junk)]
    return (*inboxes, *((name, "sent") for name in sent))


@contextlib.contextmanager
def _stopped_by_ctrl_c() -> Iterator[asyncio.Event]:
    stop, loop = asyncio.Event(), asyncio.get_running_loop()
    try:
        loop.add_signal_handler(signal.SIGINT, stop.set)
    except (RuntimeError, ValueError):  # not the main thread: nobody presses keys there
        yield stop
        return
    try:
        yield stop
    finally:
        loop.remove_signal_handler(signal.SIGINT)


@dataclass(slots=True, kw_only=True)
class Rehearsal:
    """One test question and the copies of its answers."""

    owner: Owner
    mailbox: Mailbox
    parser: Parser
    transport: Transport
    notes: ProofNotes
    clock: Clock
    output: Output
    places: Sequence[tuple[str, FolderKind]]
    junk: frozenset[str] = frozenset()
    arrived_in: str = ""
    copies: list[Copy] = field(default_factory=list)
    _known: set[tuple[str, int, int]] = field(default_factory=set)
    _content: bytes = b""
    _ids: tuple[str, str] = ("", "")
    _asked: Asked | None = None

    # ------------------------------------------------------------ the question

    async def send(self, *, by_append: bool) -> None:
        """Compose the test and send it, or put it into INBOX.

        Raises:
            Retryable, Permanent, NeedsOwner: it did not leave.
        """
        domain = self.owner.address.rpartition("@")[2]
        message_id = f"<{secrets.token_hex(16)}@{domain}>"
        reference = f"<{_TEST}.{secrets.token_hex(12)}@deskhand.invalid>"
        text, now = _TEXT.format(nonce=secrets.token_hex(16)), self.clock.now()
        self._content = mime.compose(
            sender=Address(email=self.owner.address, name=NAME),
            to=(Address(email=self.owner.address, name=self.owner.name),),
            subject="Rehearsal: please answer this test [Deskhand test]",
            body=text,
            message_id=message_id,
            date=now,
            references=(reference,),
            headers=(("X-Deskhand-Case", _TEST), ("Auto-Submitted", "auto-generated")),
        )
        self._ids = (message_id, reference)
        self._asked = Asked(case=0, version=0, purpose="approval", text=text, sent_at=now)
        await self._put(by_append=by_append)

    async def _put(self, *, by_append: bool) -> None:
        if by_append:
            await self.mailbox.append("INBOX", self._content, ())
        else:
            await self.transport.submit(self._content, self.owner.address, (self.owner.address,), _nothing)
        way = "append" if by_append else "smtp"
        self.output.event("rehearsal_sent", via=way, message_id=self._ids[0], to=self.owner.address)
        how = "put into INBOX" if by_append else "sent"
        self.output.text(f"A test was {how} for {self.owner.address}: “Rehearsal: please answer this test”.")

    # ------------------------------------------------------------ the answers

    async def listen(self, seconds: float, stop: asyncio.Event) -> None:
        """Report every copy that turns up, until the time is over or `stop` is set."""
        self.output.text(
            f'Answer it with "ok" from each of your devices. I look for {seconds:.0f} s; Ctrl-C ends it earlier.\n'
        )
        loop = asyncio.get_running_loop()
        start = loop.time()
        helped = False
        while not stop.is_set() and loop.time() < start + seconds:
            await self._look()
            if not (self.arrived_in or helped) and loop.time() > start + ON_ITS_WAY:
                helped = True
                self.output.text("The test has not arrived anywhere yet; it is put into INBOX by IMAP now.")
                await self._put(by_append=True)
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(min(EVERY, max(start + seconds - loop.time(), 0))):
                    await stop.wait()
        await self._look()

    async def _look(self) -> None:
        """One look into every folder; one that cannot be read now is looked into the next time."""
        assert self._asked is not None
        since = self._asked.sent_at - timedelta(minutes=5)
        for folder, kind in self.places:
            try:
                mails = await self.mailbox.find(folder, since=since, answering=self._ids)
            except DeskhandError as error:
                self.output.progress(f"{folder} cannot be looked into just now: {error}")
                continue
            for raw in mails:
                key = (folder, raw.uidvalidity, raw.uid)
                if key not in self._known:
                    self._known.add(key)
                    await self._take(raw, kind)

    async def _take(self, raw: RawMail, kind: FolderKind) -> None:
        try:
            email = await asyncio.to_thread(self.parser.parse, raw.content)
        except Quarantined as error:
            self.output.text(f"A mail in {raw.folder} cannot be read: {error}")
            return
        if email.has_header("x-deskhand-case"):
            self._note_arrival(raw.folder, kind)
            return
        copy = self._judge(email, raw.folder, kind, self.clock.now())
        self.copies.append(copy)
        self._report(copy)

    def _note_arrival(self, folder: str, kind: FolderKind) -> None:
        if kind == "sent" or self.arrived_in:
            return
        self.arrived_in = folder
        self.output.event("rehearsal_arrived", folder=folder)
        hint = ' Mark it as no junk, or set approval.via = "append".' if folder in self.junk else ""
        self.output.text(f"The test lies in {folder}.{hint}")

    def _judge(self, email: Email, folder: str, kind: FolderKind, seen_at: datetime) -> Copy:
        assert self._asked is not None
        message_id, reference = self._ids
        question = ParentMail(asked=self._asked, ids=frozenset({message_id}), reference=reference)
        around = Surroundings(folder_kind=kind, now=seen_at, asked=self._asked, sent_headers=self.notes.headers())
        verdict = judge(email, self.owner, around, self._asked)
        proof = verdict.proof if is_answer_to(email, question) else Unproven(_ELSEWHERE)
        return Copy(folder=folder, kind=kind, email=email, decision=verdict.decision, proof=proof, seen_at=seen_at)

    def _report(self, copy: Copy) -> None:
        assert self._asked is not None
        number = self._numbers()[answer_key(copy.email)]
        headers = delivery_headers(copy.email)
        words = one_line(typed(copy.email, self._asked.text).words, _SHORT)
        program = one_line(copy.email.header("user-agent") or copy.email.header("x-mailer"), _SHORT)
        self.output.event(
            "copy", answer=number, folder=copy.folder, kind=copy.kind, program=program, headers=list(headers),
            verdict=copy.decision.kind, words=words, proven=isinstance(copy.proof, Proven), reason=copy.reason,
        )  # fmt: skip
        name = f"Answer {number} ({program})" if program else f"Answer {number}"
        heading = f"{name}: a copy in {copy.folder}, read as “{copy.decision.kind}”"
        carried = f", with the delivery headers {', '.join(headers)}" if headers else ", with no delivery headers"
        verdict = (
            "proven." if not copy.reason else f"no proof: {copy.reason}" if copy.kind == "sent" else "only a hint."
        )
        self.output.text(f"{heading}{carried}: {verdict}")

    def _numbers(self) -> dict[str, int]:
        """The answers, numbered as their first copies were found."""
        return {key: n for n, key in enumerate(dict.fromkeys(answer_key(c.email) for c in self.copies), 1)}

    # ------------------------------------------------------------ the end

    async def conclude(self) -> int:
        """Learn what the answers teach, judge them once more, and say plainly how it stands."""
        learnt = self._learn()
        answers = self._numbers()
        judged = {
            number: [c for c in self.copies if answer_key(c.email) == key and c.kind == "sent"]
            for key, number in answers.items()
        }
        proven = [number for number, copies in judged.items() if any(isinstance(c.proof, Proven) for c in copies)]
        ok = bool(answers) and len(proven) == len(answers)
        result = self._result(judged, proven)
        self.output.event(
            "rehearsal", ok=ok, arrived=self.arrived_in, answers=len(answers), proven=len(proven), learned=list(learnt),
            result=result,
        )  # fmt: skip
        self.output.text(f"\n{result}")
        return 0 if ok else 1

    def _learn(self) -> tuple[str, ...]:
        headers = set(self.notes.headers())
        taught: set[str] = set()
        for copy in self.copies:
            if copy.kind == "sent" and isinstance(copy.proof, Unproven):
                key = answer_key(copy.email)
                twins = (c.email for c in self.copies if c.kind == "inbox" and answer_key(c.email) == key)
                taught |= {*learn_from_answer(copy.email, next(twins, None))}
        if taught - headers:
            self.notes.keep_rehearsed(taught)
            self.copies = [self._judge(c.email, c.folder, c.kind, c.seen_at) for c in self.copies]
            names = ", ".join(sorted(taught - headers))
            self.output.text(f"Learnt: this server writes on what you send: {names}.")
        return tuple(sorted(taught - headers))

    def _result(self, judged: dict[int, list[Copy]], proven: Sequence[int]) -> str:
        if not judged:
            place = f"It lies in {self.arrived_in}." if self.arrived_in else "It has not arrived anywhere."
            return f"No answer to the test was found. {place} Answers by mail are not shown to work."
        if len(proven) == len(judged):
            return (
                f"Proven by the copy in Sent: {len(proven)} of {len(judged)} answers. These devices can answer by mail."
            )
        lines = [f"Proven by the copy in Sent: {len(proven)} of {len(judged)} answers."]
        for number, copies in judged.items():
            if number not in proven:
                lines.append(f"Answer {number}: {_why(copies)}")
        return "\n".join((*lines, "What cannot be proven by mail is approved at the machine: ./deskhand approve."))


def _why(copies: Sequence[Copy]) -> str:
    if copies:
        return copies[0].reason
    return (
        "it left no copy in your Sent folder. Let that mail program keep its sent mail on the server, in the folder "
        "that imap.sent names."
    )


async def _nothing() -> None:
    """Before DATA: the test is in no outbox, so there is nothing to note."""
