"""A real ledger in a folder, a clock that stands still until it is moved, and mails to put into it."""

import hashlib
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from pathlib import Path

from sqlalchemy import Engine, insert

from memory.ledger import Intake, Ledger
from memory.record.blobs import Blobs
from memory.record.people import hold_proactive
from memory.record.schema import open_engine, outbox, transaction
from workflows.models.mail import Address, Email
from workflows.models.people import Client, Owner
from workflows.models.routes import Answered, Ignore, Route, Start, Surroundings, Tell
from workflows.rules.reading import Reading
from workflows.rules.text.canonical import body_hash

OWNER = Owner(name="Ada Winter", address="ada@winter.example", aliases=("hello@winter.example",))
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


@dataclass
class StillClock:
    """The time, moved by hand."""

    time: datetime = NOON

    def now(self) -> datetime:
        return self.time

    def move(self, **by: float) -> None:
        self.time += timedelta(**by)


@dataclass
class House:
    """One home's ledger, with what a test needs to fill it."""

    folder: Path
    intake: Intake = field(default_factory=lambda: Intake(first_day="ask"))
    clock: StillClock = field(default_factory=StillClock)
    auto_after: int = 1
    owner: Owner = OWNER

    def __post_init__(self) -> None:
        self.folder.mkdir(exist_ok=True)
        self.engine: Engine = open_engine(self.folder / "ledger.sqlite")
        self.blobs = Blobs(self.folder / "blobs")
        self.ledger = Ledger(self.engine, self.owner, self.clock, self.blobs, self.intake, self.auto_after)

    def receive(self, email: Email, folder_kind="inbox"):
        """Record a mail as the watcher would, with the plainest of rules."""
        return self.ledger.record_mail(email, folder_kind, plain_route, self.clock.now())

    def hold(self, client: str, reason: str) -> None:
        """Hold everything proactive to a client, as a complaint of theirs does; "" lets it go on."""
        with transaction(self.engine) as connection:
            hold_proactive(connection, client, reason)

    def sent_row(self, **values) -> None:
        """A row of the outbox, as the mail side leaves it once a mail has left."""
        row = {
            "purpose": "client", "recipients": "[]", "hash": "", "state": "sent",
            "at": self.clock.now(), "sent_at": self.clock.now(),
        }  # fmt: skip
        with transaction(self.engine) as connection:
            connection.execute(insert(outbox).values(**(row | values)))

    def approval(self, case: int, version: int, text: str, *, message_id: str, **values) -> None:
        """An approval mail that left: its composed bytes lie in the blob folder."""
        message = EmailMessage()
        message.set_content(text, cte="quoted-printable")
        blob = self.blobs.put(message.as_bytes())
        self.sent_row(
            intent=f"ask:{case}.{version}", purpose="approval", case=case, version=version, blob=blob,
            message_id=message_id, body_hash=body_hash(text), recipients='["ada@winter.example"]', **values,
        )  # fmt: skip


def client_at(ledger: Ledger, email: str) -> Client | None:
    """Whose address this is."""
    return next((client for client in ledger.clients() if email.lower() in client.addresses), None)


def plain_route(reading: Reading, around: Surroundings) -> Route:
    """The shape of routing without its rules; the rules have tests of their own."""
    if around.ours:
        return Ignore(rule="own-mail", reason="Deskhand sent it.")
    if around.folder_kind == "sent" and around.asked is not None:
        return Answered(case=around.asked.case, version=around.asked.version, reason="it answers an approval mail")
    if around.open_case:
        return Tell(case=around.open_case, reason="it continues an open case")
    if around.folder_kind == "sent":
        return Ignore(rule="own-mail", reason="You wrote it yourself; remembered.")
    if "newsletter" in reading.email.subject.lower():
        return Ignore(rule="newsletter", reason="It has an unsubscribe link.")
    return Start(reason="a person writes")


def mail(text: str = "Hello Ada, when can you start?", **fields) -> Email:
    """A client's mail; its identity follows from what is in it."""
    values = {
        "message_id": f"<{hashlib.md5(repr((text, sorted(fields.items()))).encode()).hexdigest()}@studio.example>",
        "subject": "Kick-off date?",
        "senders": (Address(email="maria@studio.example", name="Maria Alvarez"),),
        "to": (Address(email=OWNER.address, name=OWNER.name),),
        "text": text,
    } | fields
    content = repr(sorted(values.items())).encode()
    digest = hashlib.sha256(content).hexdigest()
    return Email(identity=digest, blob=digest, size=len(content), **values)


def own_mail(text: str, to: str = "maria@studio.example", **fields) -> Email:
    """A mail the owner wrote by hand, as it lies in Sent."""
    return mail(text, senders=(Address(email=OWNER.address),), to=(Address(email=to, name=""),), **fields)
