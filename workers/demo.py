"""`./deskhand demo`: the main job, once, on real parts in a throwaway home.

A real IMAP and a real SMTP server on loopback, a real Temporal server, the very service that `up` runs. The demo plays
the two people: it delivers the client's mail, shows the owner what arrives, types the owner's answer into a mail, and
looks into the client's mailbox for what really came.
"""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from memory.blobs import Blobs
from tools.mail import mime
from tools.mail.embedded import SENT, EmbeddedMail
from tools.mail.parser import Parser, Quarantined
from workers import home as homes
from workers import logs
from workers.clock import SystemClock
from workers.commands.output import Output, indented
from workers.settings import Settings
from workers.supervisor import Service
from workflows.errors import NeedsOwner, Permanent
from workflows.models import Address, Brief, CaseState, Email, Why

Found = TypeVar("Found")

STORIES = ("reply",)
OWNER = Address(name="Ada Winter", email="ada@winter.example")
CLIENT = Address(name="Maria Alvarez", email="maria@studio.example")
PATIENCE = 30.0
"""Seconds to wait for any one step; all of them together take a few."""
LOOK = 0.03
MOST_ANSWERS = 8
INTERRUPTED = 130
FINAL_NOES = ("rejected", "mine", "never")

QUESTION = """\
Hi Ada,

we would like to start the new website with you. Does Thursday 10:00 work for the kick-off call? And could you send us
the brief template you mentioned, so that we can fill it in before?

The budget of 4,800 EUR for the first phase is approved on our side.

Best,
Maria
"""
SECOND = """\
Hello again,

one more thing about the kick-off call: is there anything we should prepare besides the brief template?
"""


async def run(story: str, mail: Path | None, answer: str | None, as_json: bool) -> int:
    """Play one story; 0 only if the client received exactly the approved text, or nothing after a no.

    Raises:
        NeedsOwner: there is no such story, the mail cannot be read, or nobody is there to answer.
    """
    if story not in STORIES:
        raise NeedsOwner(f'There is no story "{story}".', f"There are: {', '.join(STORIES)}.")
    if answer is None and not sys.stdin.isatty():
        raise NeedsOwner("Nobody is at a terminal to answer the approval mail.", 'Give the answer: --answer "ok".')
    playing = asyncio.current_task()
    if playing is not None:  # SIGTERM ends it as Ctrl-C does, or the throwaway home would stay behind
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    folder = Path(tempfile.mkdtemp(prefix="deskhand-demo-"))
    try:
        homes.prepare(folder)
        logs.configure(folder)
        output = Output(home=folder, as_json=as_json)
        async with AsyncExitStack() as stack:
            play = await _open(stack, output, _question(mail), answer)
            return await play.through()
    except asyncio.CancelledError:
        return INTERRUPTED
    finally:
        shutil.rmtree(folder, ignore_errors=True)


# ---------------------------------------------------------------- the stage


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """The client's mail: its bytes, who wrote it, and to whom (the demo's owner takes that address)."""

    raw: bytes
    sender: Address
    owner: Address
    subject: str


def _question(file: Path | None) -> Question:
    if file is None:
        raw = _mail(CLIENT, OWNER, "Kick-off date?", QUESTION, message_id="<kick-off@studio.example>")
        return Question(raw=raw, sender=CLIENT, owner=OWNER, subject="Kick-off date?")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise NeedsOwner(f"{file} cannot be read: {error.strerror}.", "Give a mail saved as .eml.") from None
    parser = Parser()
    try:
        email = parser.parse(raw)
    except Quarantined:
        return Question(raw=raw, sender=CLIENT, owner=OWNER, subject="")  # the service sets it aside, and says so
    finally:
        parser.close()
    owner = next((one for one in email.to if "@" in one.email), OWNER)
    sender = email.sender if "@" in email.sender.email else CLIENT
    if owner.email == sender.email:
        owner = OWNER
    return Question(raw=raw, sender=sender, owner=owner, subject=email.subject)


class DemoSettings(Settings):
    """The demo's settings are what it says they are: the environment of a real installation does not reach it."""

    @classmethod
    def settings_customise_sources(  # type: ignore[override]
        cls,
        settings_cls: type[BaseSettings],  # noqa: ARG003 - the library's signature
        init_settings: PydanticBaseSettingsSource,
        **_: PydanticBaseSettingsSource,
    ) -> tuple[PydanticBaseSettingsSource, ...]:
        return (init_settings,)


def _settings(mail: EmbeddedMail, owner: Address) -> Settings:
    accounts = mail.account_for(owner.email)
    imap, smtp = accounts.imap, accounts.smtp
    server = {"tls": "none", "user": imap.user, "password": imap.password}
    return DemoSettings.model_validate(
        {
            "owner": {"name": owner.name or owner.email, "address": owner.email},
            "imap": {"host": imap.host, "port": imap.port, **server},
            "smtp": {"host": smtp.host, "port": smtp.port, "files_sent": "no", **server, "user": smtp.user},
            "intake": {"first_day": "ask"},
            "approval": {"grace": "0s"},
        }
    )


async def _open(stack: AsyncExitStack, output: Output, question: Question, answer: str | None) -> "Play":
    output.progress("Starting a mail server, a Temporal server and Deskhand itself, all on this machine ...")
    mail = EmbeddedMail()
    await mail.start()
    stack.push_async_callback(mail.stop)
    service = await stack.enter_async_context(
        Service(output.home, _settings(mail, question.owner), say=lambda _: None, least_delay=0)
    )
    return Play(output=output, service=service, mail=mail, question=question, scripted=answer)


# ---------------------------------------------------------------- the play


@dataclass(slots=True, kw_only=True)
class Play:
    """One run: what was shown, what was answered, and what came of it."""

    output: Output
    service: Service
    mail: EmbeddedMail
    question: Question
    scripted: str | None
    shown: set[str] = field(default_factory=set)
    answers: int = 0

    async def through(self) -> int:
        """From the client's mail to what the client received; the exit code."""
        await self.mail.deliver(self.question.owner.email, self.question.raw)
        self._say(f"A mail comes in from {self.question.sender.email}: {self.question.subject or '(no subject)'}")
        self._event("received", sender=self.question.sender.email, subject=self.question.subject)
        case = await self._until(self._first_case_or_skip)
        if case == 0:
            return self._skipped()
        state = await self._converse(case)
        received = await self._received(state)
        well = self._well(state, received)
        if state.outcome != "never":
            await self._remember(case)
        self._event("done", ok=well, case=case, outcome=state.outcome or "waiting", received=len(received))
        self._say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    # ------------------------------------------------------------ a mail that no case was made of

    async def _first_case_or_skip(self) -> int | None:
        """The case's number, 0 when the mail was skipped, None while nothing is decided."""
        ledger = self.service.parts.ledger
        if rows := ledger.case_rows(1):
            return rows[0].number
        return 0 if ledger.ignored(1) or ledger.quarantined(1) else None

    def _skipped(self) -> int:
        ledger = self.service.parts.ledger
        mail = (ledger.ignored(1) or ledger.quarantined(1))[0]
        self._say(f"Nothing is drafted for this mail ({mail.rule}): {mail.reason}")
        self._event("ignored", state=mail.state, rule=mail.rule, reason=mail.reason)
        self._event("done", ok=True, outcome=mail.state, received=0)
        return 0

    # ------------------------------------------------------------ approval mails and answers

    async def _converse(self, case: int) -> CaseState:
        """Show what arrives, answer it as the owner, until the case ends or waits for another day."""
        asked: Email | None = None
        while True:
            (arrived,) = await self._until(lambda: self._news(case))
            if arrived is None:
                return self._state(case)
            self._show(arrived, case)
            answer = await self._next_answer(arrived, case)
            if answer is None:
                return self._state(case)
            # After a notice ("why", "I am not sure what you mean") it is still the approval mail that is answered.
            asked = arrived if asked is None or _version(arrived) is not None else asked
            await self._answer(asked, case, answer)

    async def _news(self, case: int) -> tuple[Email | None] | None:
        """The next Deskhand mail in the owner's mailbox; (None,) once the case ended or was put off."""
        for raw in await self.mail.messages(self.question.owner.email, "INBOX"):
            email = mime.parse(raw)
            if email.has_header("x-deskhand-case") and email.message_id not in self.shown:
                return (email,)
        state = self._state(case)
        return (None,) if state.stage == "closed" or (state.later_until and self.answers) else None

    def _show(self, email: Email, case: int) -> None:
        self.shown.add(email.message_id)
        self._say(f"\nIn {self.question.owner.email}'s INBOX: {email.subject}\n")
        self._say(indented(email.text, "  | "))
        version = _version(email)
        if version is None:
            self._event("told", subject=email.subject, text=email.text)
            return
        if version:
            draft = self.service.parts.ledger.draft(case, version)
            body = self.service.parts.ledger.outgoing(case, version).body
            self._event("drafted", case=case, version=version, body=body, model=draft.model or None)
        self._event(
            "approval_sent", case=case, version=version, message_id=email.message_id, subject=email.subject,
            text=email.text,
        )  # fmt: skip

    async def _next_answer(self, email: Email, case: int) -> str | None:
        """What the owner types next; None when a script has nothing more to say."""
        if self.scripted is None:
            return await asyncio.to_thread(_typed)
        version = _version(email)
        if version is None or self.answers >= MOST_ANSWERS:
            return None
        if not self.answers:
            return self.scripted
        if self._state(case).hold:
            return None
        self._say("A new version came; the demo's owner says yes to it.")
        return "ok"

    async def _answer(self, asked: Email, case: int, answer: str) -> None:
        """Type the answer above the quoted mail, as a mail program does, and leave it in Sent and INBOX."""
        self.answers += 1
        owner = self.question.owner
        quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
        raw = _mail(
            owner,
            owner,
            f"Re: {asked.subject}",
            f"{answer}\n\nOn {self._now()}, Deskhand <{owner.email}> wrote:\n\n{quoted}\n",
            message_id=f"<answer-{self.answers}@demo.invalid>",
            in_reply_to=asked.message_id,
            references=(*asked.references, asked.message_id),
        )
        await self.mail.deliver(owner.email, raw, SENT)
        await self.mail.deliver(owner.email, raw)
        self._say(f"\nThe owner answers: {answer}\n")
        self._event("answered", case=case, answer=answer)

    # ------------------------------------------------------------ what came of it

    async def _received(self, state: CaseState) -> list[bytes]:
        """What lies in the client's mailbox now."""
        client = self.question.sender.email
        if state.outcome == "sent":
            await self._until(lambda: self.mail.messages(client, "INBOX"))
            story = self.service.parts.ledger.story(state.case)
            send = next(line for line in story.sends if line.purpose == "client")
            self._event("sent", case=state.case, version=state.version, message_id=send.message_id)
        received = list(await self.mail.messages(client, "INBOX"))
        for raw in received:
            self._say(f"{client} received:\n{indented(_shown(raw), '  | ')}\n")
            self._event("client_received", body=mime.decoded_body(raw), identical=self._is_approved(state, raw))
        if not received:
            self._say(f"{client} received nothing.")
        return received

    def _is_approved(self, state: CaseState, raw: bytes) -> bool:
        """The bytes are those composed at the claim, and the text in them is the approved one."""
        entry = self.service.parts.rows.entry(f"send:{state.case}.{state.version}")
        if entry is None or entry.blob != Blobs.address(raw):
            return False
        return mime.decoded_body(raw) == self.service.parts.ledger.outgoing(state.case, state.version).body

    def _well(self, state: CaseState, received: list[bytes]) -> bool:
        if state.outcome == "sent":
            return len(received) == 1 and self._is_approved(state, received[0])
        waits = state.stage == "waiting" and (state.later_until is not None or self._was_explained(state.case))
        return not received and (state.outcome in FINAL_NOES or waits)

    def _was_explained(self, case: int) -> bool:
        """The owner only asked "why": the trace came, and the case goes on waiting for a yes or no."""
        given = self.service.parts.ledger.story(case).answers
        return bool(given) and isinstance(given[-1].answer.decision, Why)

    async def _remember(self, first: int) -> None:
        """A second mail of the same client: what memory gave to its draft."""
        client = self.service.parts.ledger.client_of(first)
        if client is None:
            return
        raw = _mail(
            self.question.sender, self.question.owner, "One more thing", SECOND, message_id="<more@demo.invalid>"
        )
        await self.mail.deliver(self.question.owner.email, raw)
        self._say("A second mail from the same client comes in, to see what is remembered.")
        brief = await self._until(lambda: self._second_brief(first))
        documents = self.service.parts.ledger.documents(client.id)
        self._say(f"Memory holds {len(documents)} texts of {client.name}; the next draft was given:")
        for source in brief.sources:
            self._say(f"  {source.id}: {source.quote}")
        self._event(
            "remembered", client=client.name, texts=[document.id for document in documents],
            next_draft_was_given=[source.id for source in brief.sources],
        )  # fmt: skip

    async def _second_brief(self, first: int) -> Brief | None:
        """The brief of the second case, once its approval mail lies in the owner's mailbox."""
        row = self.service.parts.ledger.case_rows(1)[0]
        state = self._state(row.number)
        if row.number == first or state.stage != "waiting":
            return None
        return self.service.parts.ledger.stored_brief(state.brief)

    # ------------------------------------------------------------ small steps

    def _now(self) -> str:
        return f"{self.service.parts.clock.now():%a, %d %b %Y at %H:%M}"

    def _state(self, case: int) -> CaseState:
        return self.service.parts.ledger.case(case)

    async def _until(self, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """Look until there is something (not None, not empty).

        Raises:
            Permanent: it did not come in time.
        """
        try:
            async with asyncio.timeout(PATIENCE):
                while (found := await look()) is None or found == []:  # noqa: ASYNC110 - two servers and a file
                    await asyncio.sleep(LOOK)
        except TimeoutError:
            unwell = "; ".join(f"{part}: {state}" for part, state in self.service.parts.health.items())
            raise Permanent(f"The demo waited {PATIENCE:.0f} s in vain. {unwell}") from None
        return found

    def _say(self, text: str) -> None:
        self.output.progress(text)

    def _event(self, event: str, **fields: object) -> None:
        self.output.event(event, **fields)


def _version(email: Email) -> int | None:
    """Which version an approval mail shows (0: none could be drafted); None for a notice."""
    case, dot, version = email.header("x-deskhand-case").partition(".")
    return int(version) if case and dot else None


def _typed() -> str:
    """One line from the terminal; an end of input means "no"."""
    print("\nYour answer (ok, edit TEXT, no, mine, later 2d, why, or say what to change): ", end="", flush=True)
    line = sys.stdin.readline()
    return line.strip() if line else "no"


def _shown(raw: bytes) -> str:
    email = mime.parse(raw)
    to = ", ".join(address.email for address in email.to)
    return f"From: {email.sender.email}\nTo: {to}\nSubject: {email.subject}\n\n{mime.decoded_body(raw)}"


def _mail(  # noqa: PLR0913
    sender: Address,
    to: Address,
    subject: str,
    body: str,
    *,
    message_id: str,
    in_reply_to: str = "",
    references: tuple[str, ...] = (),
) -> bytes:
    return mime.compose(
        sender=sender, to=(to,), subject=subject, body=body, message_id=message_id, date=SystemClock().now(),
        in_reply_to=in_reply_to, references=references,
    )  # fmt: skip
