"""`./deskhand demo reply`: a client's mail becomes a reply."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path

from tools.limited import Quarantined
from tools.mail.parser import Parser
from workers.demo.stage import OWNER, DemoStage, raised, written
from workers.voice.output import Output
from workflows.errors import NeedsOwner
from workflows.models.drafts import Brief
from workflows.models.mail import Address

CLIENT = Address(name="Maria Alvarez", email="maria@studio.example")

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


async def play(stack: AsyncExitStack, output: Output, answer: str | None, mail: Path | None = None) -> int:
    """0 only if the client received exactly the approved text, or nothing after a no.

    Raises:
        NeedsOwner: the mail cannot be read.
    """
    question = _question(mail)
    return await ReplyDemo(await raised(stack, output, answer, owner=question.owner), question).through()


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientMail:
    """The client's mail: its bytes, who wrote it, and to whom (the demo's owner takes that address)."""

    raw: bytes
    sender: Address
    owner: Address
    subject: str


def _question(file: Path | None) -> ClientMail:
    if file is None:
        raw = written(CLIENT, OWNER, "Kick-off date?", QUESTION, message_id="<kick-off@studio.example>")
        return ClientMail(raw=raw, sender=CLIENT, owner=OWNER, subject="Kick-off date?")
    try:
        raw = file.read_bytes()
    except OSError as error:
        raise NeedsOwner(f"{file} cannot be read: {error.strerror}.", "Give a mail saved as .eml.") from None
    parser = Parser()
    try:
        email = parser.parse(raw)
    except Quarantined:
        return ClientMail(raw=raw, sender=CLIENT, owner=OWNER, subject="")  # the service sets it aside, and says so
    finally:
        parser.close()
    owner = next((recipient for recipient in email.to if "@" in recipient.email), OWNER)
    sender = email.sender if "@" in email.sender.email else CLIENT
    if owner.email == sender.email:
        owner = OWNER
    return ClientMail(raw=raw, sender=sender, owner=owner, subject=email.subject)


@dataclass(slots=True)
class ReplyDemo:
    """From the client's mail to what the client received, and what is remembered."""

    stage: DemoStage
    question: ClientMail

    async def through(self) -> int:
        """Play it; the exit code."""
        stage, question = self.stage, self.question
        await stage.mail.deliver(question.owner.email, question.raw)
        stage.say(f"A mail comes in from {question.sender.email}: {question.subject or '(no subject)'}")
        stage.event("received", sender=question.sender.email, subject=question.subject)
        case = await stage.until(self._first_case_or_skip)
        if case == 0:
            return self._skipped()
        state = await stage.converse(case)
        received = await stage.received(question.sender.email, state)
        well = stage.well(state, received)
        if state.outcome != "never":
            await self._remember(case)
        stage.event("done", ok=well, case=case, outcome=state.outcome or "waiting", received=len(received))
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    # ------------------------------------------------------------ a mail that no case was made of

    async def _first_case_or_skip(self) -> int | None:
        """The case's number, 0 when the mail was skipped, None while nothing is decided."""
        ledger = self.stage.service.parts.ledger
        if rows := ledger.case_rows(1):
            return rows[0].number
        return 0 if ledger.ignored(1) or ledger.quarantined(1) else None

    def _skipped(self) -> int:
        ledger = self.stage.service.parts.ledger
        mail = (ledger.ignored(1) or ledger.quarantined(1))[0]
        self.stage.say(f"Nothing is drafted for this mail ({mail.rule}): {mail.reason}")
        self.stage.event("ignored", state=mail.state, rule=mail.rule, reason=mail.reason)
        self.stage.event("done", ok=True, outcome=mail.state, received=0)
        return 0

    # ------------------------------------------------------------ what came of it

    async def _remember(self, first: int) -> None:
        """A second mail of the same client: what memory gave to its draft."""
        client = self.stage.service.parts.ledger.client_of(first)
        if client is None:
            return
        raw = written(
            self.question.sender, self.question.owner, "One more thing", SECOND, message_id="<more@demo.invalid>"
        )
        await self.stage.mail.deliver(self.question.owner.email, raw)
        self.stage.say("A second mail from the same client comes in, to see what is remembered.")
        brief = await self.stage.until(lambda: self._second_brief(first))
        documents = self.stage.service.parts.ledger.documents(client.id)
        self.stage.say(f"Memory holds {len(documents)} texts of {client.name}; the next draft was given:")
        for source in brief.sources:
            self.stage.say(f"  {source.id}: {source.quote}")
        self.stage.event(
            "remembered", client=client.name, texts=[document.id for document in documents],
            next_draft_was_given=[source.id for source in brief.sources],
        )  # fmt: skip

    async def _second_brief(self, first: int) -> Brief | None:
        """The brief of the second case, once its approval mail lies in the owner's mailbox."""
        row = self.stage.service.parts.ledger.case_rows(1)[0]
        state = self.stage.state(row.number)
        if row.number == first or state.stage != "waiting":
            return None
        return self.stage.service.parts.ledger.stored_brief(state.brief)
