"""The stage of every demo: real servers on loopback, a throwaway home, the very service that `up` runs.

A demo plays the people: it delivers what clients write, shows the owner what arrives, types the owner's answer into a
mail, and looks into the clients' mailboxes for what really came.
"""

import asyncio
import sys
import time
from collections.abc import Awaitable, Callable, Mapping
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any, TextIO, TypeVar

from pydantic_settings import BaseSettings, PydanticBaseSettingsSource

from memory.record.blobs import Blobs
from memory.record.documents import Document
from tools.mail import mime
from tools.mail.embedded import SENT, EmbeddedMail
from workers.clock import SystemClock
from workers.service.supervisor import Service
from workers.settings.schema import Settings
from workers.voice.output import Output, indented
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.decisions import Why
from workflows.models.drafts import Draft
from workflows.models.mail import Address, Email
from workflows.stories import Kind

Found = TypeVar("Found")
Sections = Mapping[str, Mapping[str, Any]]

OWNER = Address(name="Ada Winter", email="ada@winter.example")
PATIENCE = 180.0
"""Seconds to wait for any one step; all of them together take a few. On a busy machine a step of a case may be lost
and is tried again after `steps.QUICK`, or found by the look of every minute: the limit lies above both."""
STILL = 15.0
"""Seconds after which somebody who watches is told that it still goes on."""
LOOK = 0.03
MOST_ANSWERS = 8
FINAL_NOES = ("rejected", "mine", "never")
_RESTS = ("closed", "placed")
_MOVES = ("approved", "sending")


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


def settings_of(mail: EmbeddedMail, owner: Address, sections: Sections) -> Settings:
    """Settings for these servers; `sections` add to them or stand in their place, key by key."""
    accounts = mail.account_for(owner.email)
    imap, smtp = accounts.imap, accounts.smtp
    server = {"tls": "none", "user": imap.user, "password": imap.password}
    defaults: dict[str, dict[str, Any]] = {
        "owner": {"name": owner.name or owner.email, "address": owner.email},
        "imap": {"host": imap.host, "port": imap.port, **server},
        "smtp": {"host": smtp.host, "port": smtp.port, "files_sent": "no", **server, "user": smtp.user},
        "intake": {"first_day": "ask"},
        "approval": {"grace": "0s"},
    }
    names = defaults.keys() | sections.keys()
    return DemoSettings.model_validate({name: {**defaults.get(name, {}), **sections.get(name, {})} for name in names})


async def raised(  # noqa: PLR0913 - what a stage stands on, by name
    stack: AsyncExitStack,
    output: Output,
    answer: str | None,
    *,
    owner: Address = OWNER,
    sections: Sections | None = None,
    permit: frozenset[str] = frozenset(),
) -> "DemoStage":
    """A stage with everything running; what the home needs lies there before. `permit`: the demo's own web pages."""
    output.progress("Starting a mail server, a Temporal server and Deskhand itself, all on this machine ...")
    mail = EmbeddedMail()
    await mail.start()
    stack.push_async_callback(mail.stop)
    settings = settings_of(mail, owner, sections or {})
    service = await stack.enter_async_context(
        Service(output.home, settings, say=lambda _: None, least_delay=0, permit=permit)
    )
    return DemoStage(output=output, service=service, mail=mail, owner=owner, scripted=answer)


@dataclass(slots=True, kw_only=True)
class DemoStage:
    """One run: the servers, what was shown, and what was answered to each case."""

    output: Output
    service: Service
    mail: EmbeddedMail
    owner: Address
    scripted: str | None
    shown: set[str] = field(default_factory=set)
    answers: dict[int, int] = field(default_factory=dict)
    arrived: list[bytes] = field(default_factory=list)  # at clients

    # ------------------------------------------------------------ approval mails and answers

    async def converse(self, case: int) -> CaseState:
        """Show what arrives for this case, answer it as the owner, until it ends or waits for something else."""
        question: Email | None = None
        while True:
            (arrived,) = await self.until(lambda: self._news(case))
            if arrived is None:
                return self.state(case)
            self.show(arrived, case)
            answer = await self._next_answer(arrived, case)
            if answer is None:
                return await self.until(lambda: self._settled(case))
            # After a notice ("why", "I am not sure what you mean") it is still the approval mail that is answered.
            question = arrived if question is None or version_of(arrived) is not None else question
            await self.answer(question, case, answer)

    async def _news(self, case: int) -> tuple[Email | None] | None:
        """The next mail about the case in the owner's mailbox; (None,) once it rests."""
        state = self.state(case)
        if mail := next(iter(await self.unseen(case)), None):
            return (mail,)
        return (None,) if state.stage in _RESTS or (state.later_until and self.answers.get(case)) else None

    async def _settled(self, case: int) -> CaseState | None:
        """Its state, once nothing is under way: a pack lies in the inbox a moment before its case knows."""
        state = self.state(case)
        return None if state.stage in _MOVES and not state.held_until else state

    async def unseen(self, case: int) -> list[Email]:
        """Deskhand's mails about the case that were not shown yet, oldest first."""
        mails = [mime.parse(raw) for raw in await self.mail.messages(self.owner.email, "INBOX")]
        return [mail for mail in mails if case_of(mail) == case and mail.message_id not in self.shown]

    async def notices(self) -> list[Email]:
        """Deskhand's mails about no case that were not shown yet, oldest first."""
        mails = [mime.parse(raw) for raw in await self.mail.messages(self.owner.email, "INBOX")]
        notices = (mail for mail in mails if mail.sender.name == "Deskhand" and not case_of(mail))
        return [mail for mail in notices if mail.message_id not in self.shown]

    def show(self, email: Email, case: int) -> None:
        """Print a mail of the owner's and say it as events."""
        self.shown.add(email.message_id)
        self.say(f"\nIn {self.owner.email}'s INBOX: {email.subject}\n")
        self.say(indented(email.text, "  | "))
        version = version_of(email)
        if version is None:
            self.event("told", subject=email.subject, text=email.text)
            return
        if version:
            draft = self.service.parts.ledger.draft(case, version)
            outgoing = self.service.parts.ledger.outgoing(case, version)
            self.event(
                "drafted", case=case, version=version, body=outgoing.body, model=draft.model or None,
                sources=sources_of(draft), attachments=[file.name for file in outgoing.attachments],
                proposals=[{"name": one.key, "tool": one.tool, **dict(one.arguments)} for one in outgoing.proposals],
            )  # fmt: skip
        self.event(
            "approval_sent", case=case, version=version, message_id=email.message_id, subject=email.subject,
            text=email.text,
        )  # fmt: skip

    async def _next_answer(self, email: Email, case: int) -> str | None:
        """What the owner types next; None when a script has nothing more to say."""
        version = version_of(email)
        if self.scripted is None:
            asks = version is not None or self.state(case).stage == "waiting"
            return await asyncio.to_thread(_typed, self._screen) if asks else None
        if version is None or self.answers.get(case, 0) >= MOST_ANSWERS:
            return None
        if not self.answers.get(case):
            return self.scripted
        if self.state(case).hold:
            return None
        self.say("A new version came; the demo's owner says yes to it.")
        return "ok"

    @property
    def _screen(self) -> TextIO:
        """Where people read: stdout holds JSON alone where it holds any."""
        return sys.stderr if self.output.as_json else sys.stdout

    async def answer(self, asked: Email, case: int, answer: str) -> None:
        """Type the answer above the quoted mail, as a mail program does, and leave it in Sent and INBOX."""
        self.answers[case] = self.answers.get(case, 0) + 1
        owner = self.owner
        quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
        now = f"{self.service.parts.clock.now():%a, %d %b %Y at %H:%M}"
        raw = written(
            owner,
            owner,
            f"Re: {asked.subject}",
            f"{answer}\n\nOn {now}, Deskhand <{owner.email}> wrote:\n\n{quoted}\n",
            message_id=f"<answer-{case}-{self.answers[case]}@demo.invalid>",
            in_reply_to=asked.message_id,
            references=(*asked.references, asked.message_id),
        )
        await self.mail.deliver(owner.email, raw, SENT)
        await self.mail.deliver(owner.email, raw)
        self.say(f"\nThe owner answers: {answer}\n")
        self.event("answered", case=case, answer=answer)

    # ------------------------------------------------------------ what came of it

    async def received(self, client: str, state: CaseState) -> list[bytes]:
        """What came to the client since the last look, this case's mail among it once it was sent; shown and said."""
        if state.outcome == "sent" or state.stage == "placed":
            await self.until(lambda: self._left(client, state))
            self.event("sent", case=state.case, version=state.version, message_id=self._send(state.case))
        received = [raw for raw in await self.mail.messages(client, "INBOX") if raw not in self.arrived]
        self.arrived += received
        for raw in received:
            self.say(f"{client} received:\n{indented(shown(raw), '  | ')}\n")
            self.event("client_received", body=mime.decoded_body(raw), identical=self.is_approved(state, raw))
        if not received:
            self.say(f"{client} received nothing.")
        return received

    async def _left(self, client: str, state: CaseState) -> list[bytes]:
        return [raw for raw in await self.mail.messages(client, "INBOX") if self.is_approved(state, raw)]

    def _send(self, case: int) -> str:
        story = self.service.parts.ledger.story(case)
        return next((line.message_id for line in story.sends if line.purpose == "client"), "")

    def well(self, state: CaseState, received: list[bytes]) -> bool:
        """Whether exactly the approved mail came, or nothing where the owner's word keeps it."""
        if state.outcome == "sent" or state.stage == "placed":
            return len(received) == 1 and self.is_approved(state, received[0])
        return not received and self.stopped(state)

    def waits(self, state: CaseState) -> bool:
        """Whether its yes came and it is held back all the same: said, where it is so."""
        if not state.held_until:
            return False
        self.say("A second mail that nobody asked for waits until tomorrow: one voice to each client.")
        self.event("waits", case=state.case, version=state.version, until=state.held_until.isoformat())
        return True

    def remembered(self, case: int) -> tuple[Document, ...]:
        """What memory holds of the case's client."""
        client = self.service.parts.ledger.client_of(case)
        texts = self.service.parts.ledger.documents(client.id) if client else ()
        self.say(f"Memory holds {len(texts)} texts of {client.name if client else 'nobody'}.")
        self.event("remembered", client=client.name if client else "", texts=[text.id for text in texts])
        return texts

    def stopped(self, state: CaseState) -> bool:
        """Whether the owner's word keeps it from leaving: a no, a later, or a question about it."""
        answers = self.service.parts.ledger.story(state.case).answers
        explained = bool(answers) and isinstance(answers[-1].answer.decision, Why)
        waits = state.stage == "waiting" and (state.later_until is not None or explained)
        return state.outcome in FINAL_NOES or waits

    def is_approved(self, state: CaseState, raw: bytes) -> bool:
        """The bytes are those composed at the claim, and the text in them is the approved one."""
        entry = self.service.parts.rows.entry(f"send:{state.case}.{state.version}")
        if entry is None or entry.blob != Blobs.address(raw):
            return False
        return mime.decoded_body(raw) == self.service.parts.ledger.outgoing(state.case, state.version).body

    # ------------------------------------------------------------ small steps

    async def look(self, name: str) -> str:
        """Have a watch look at once, as its schedule will; what it says came."""
        summary = await next(watch for watch in self.service.parts.watches if watch.name == name).run()
        self.service.reception.news.set()
        return summary

    async def cases(self, kind: Kind) -> list[int]:
        """The cases of a kind, oldest first."""
        return sorted(row.number for row in self.service.parts.ledger.case_rows(50) if row.kind == kind)

    def state(self, case: int) -> CaseState:
        return self.service.parts.ledger.case(case)

    def say(self, text: str) -> None:
        self.output.progress(text)

    def event(self, event: str, **fields: object) -> None:
        self.output.event(event, **fields)

    async def until(self, look: Callable[[], Awaitable[Found | None]]) -> Found:
        """Look until there is something (not None, not empty).

        Raises:
            Permanent: it did not come in time.
        """
        began = notified_at = time.monotonic()
        while (result := await look()) is None or result == []:
            now = time.monotonic()
            if now - began > PATIENCE:
                unwell = "; ".join(f"{part}: {state}" for part, state in self.service.parts.health.items())
                raise Permanent(f"The demo waited {PATIENCE:.0f} s in vain. {unwell}")
            if now - notified_at > STILL:
                notified_at = now
                self.say(f"This machine is busy: waiting for {now - began:.0f} s now, for at most {PATIENCE:.0f} s.")
            await asyncio.sleep(LOOK)
        return result


def sources_of(draft: Draft) -> list[str]:
    """What a draft rests on, and what answers each question of the client's."""
    return list(dict.fromkeys((*draft.sources, *(source for one in draft.reckoning for source in one.sources))))


def case_of(email: Email) -> int:
    """The case that a mail of Deskhand's is about, 0 for none."""
    number = email.header("x-deskhand-case").partition(".")[0]
    return int(number) if number.isdigit() else 0


def version_of(email: Email) -> int | None:
    """Which version an approval mail shows (0: none could be drafted); None for a notice."""
    case, dot, version = email.header("x-deskhand-case").partition(".")
    return int(version) if case and dot else None


def shown(raw: bytes) -> str:
    """A mail as a reader sees it."""
    email = mime.parse(raw)
    to = ", ".join(address.email for address in email.to)
    return f"From: {email.sender.email}\nTo: {to}\nSubject: {email.subject}\n\n{mime.decoded_body(raw)}"


def written(  # noqa: PLR0913
    sender: Address,
    to: Address,
    subject: str,
    body: str,
    *,
    message_id: str,
    in_reply_to: str = "",
    references: tuple[str, ...] = (),
) -> bytes:
    """A mail as somebody's mail program writes it, now."""
    return mime.compose(
        sender=sender, to=(to,), subject=subject, body=body, message_id=message_id, date=SystemClock().now(),
        in_reply_to=in_reply_to, references=references,
    )  # fmt: skip


def _typed(shown_on: TextIO) -> str:
    """One line from the terminal; an end of input means "no"."""
    asks = "\nYour answer (ok, edit TEXT, no, mine, later 2d, why, or say what to change): "
    print(asks, end="", file=shown_on, flush=True)
    line = sys.stdin.readline()
    return line.strip() if line else "no"
