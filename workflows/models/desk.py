"""Desk: what a draft may know besides the mail: what is open with a client, what was written, the owner's answers."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from workflows.models.money import Invoice, Money
from workflows.models.promises import OwnPromise
from workflows.models.work import Milestone


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceStanding:
    """One invoice of a client as it stands now. Its source id is `invoice:<number>`."""

    invoice: Invoice
    last_payment: Money | None = None  # what came in last, as far as it was noted
    paid_on: date | None = None  # the day on which that was noted
    promised: date | None = None  # the day on which the client said they pay
    disputed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class ProjectStanding:
    """One project of a client as it stands now. Its source id is `project:<id>`."""

    id: str
    name: str
    scope: tuple[str, ...] = ()  # what is agreed, a line each
    milestones: tuple[Milestone, ...] = ()
    last_work: str = ""  # what was logged last, in the owner's words
    worked_on: date | None = None
    next_update: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseStanding:
    """One further case with a client: a bid that waits or was decided, a draft that waits for the owner."""

    case: int
    kind: str
    title: str
    stage: str  # "waits for you" | "sent" | "won" ..., in plain words
    at: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Affairs:
    """What is open with one client, from the ledger alone; the newest and most urgent first, never another client's."""

    invoices: tuple[InvoiceStanding, ...] = ()
    projects: tuple[ProjectStanding, ...] = ()
    cases: tuple[CaseStanding, ...] = ()
    today: date | None = None  # the owner's day on which it was read
    own_promises: tuple[OwnPromise, ...] = ()  # what the owner promised them and has not kept yet
    money_known: date | None = None  # from when the newest payment data is; None: nothing is known of payments


NO_AFFAIRS = Affairs()
"""Of whom nothing is known, or nothing may be."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """One mail of a conversation: who wrote what and when, and what a Source calls it."""

    at: datetime
    who: str  # "you", or the name of who wrote it
    text: str
    source_id: str = ""
    shortened: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingAnswer:
    """A text of the owner's that answers a question whenever it is asked. Its source id is `answer:<id>`."""

    id: str
    title: str
    text: str
    verbatim: bool = False  # used word for word or not at all
    keywords: tuple[str, ...] = ()
    language: str = ""  # two letters; "" is not known


@dataclass(frozen=True, slots=True, kw_only=True)
class FittingAnswer:
    """A standing answer with the questions of this mail that it fits, word for word as they were read."""

    answer: StandingAnswer
    questions: tuple[str, ...] = ()


class Topic(StrEnum):
    """What a question of a client's is about."""

    MONEY = "money"
    STATE = "state"
    TIME = "time"
    FILE = "file"
    PRICE = "price"
    OTHER = "other"


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientQuestion:
    """One question or request of a mail, in the client's words, and what it is about."""

    text: str
    topic: Topic = Topic.OTHER


@dataclass(frozen=True, slots=True, kw_only=True)
class Reckoned:
    """Whether a draft answers one question, and from which sources."""

    question: ClientQuestion
    sources: tuple[str, ...] = ()  # empty: it is left open


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeAnswer:
    """One time that a mail names, or that can be offered. Its source id is `calendar:<n>`."""

    id: str
    start: datetime
    end: datetime
    kind: str  # free | taken | outside | past | unknown, or "offer"
    exact: bool = True  # it has a clock; else it is a stretch of a day

    @property
    def is_to_hold(self) -> bool:
        """Whether a draft that says so keeps it for this client."""
        return self.kind == "offer" or (self.exact and self.kind == "free")


@dataclass(frozen=True, slots=True, kw_only=True)
class Times:
    """What the owner's calendars say of the times that a mail names or asks for, on the owner's clock."""

    answers: tuple[TimeAnswer, ...] = ()
    zone: str = "UTC"  # the owner's
    client_zone: str = ""  # "" where it is not known
    faults: tuple[str, ...] = ()  # why nothing may be promised, in whole sentences
    entered: tuple[datetime, ...] = ()  # beginnings of what stands in the calendar for this very client already
    books: bool = False  # a calendar of the owner's can be written to: what is agreed to may be entered after the yes


NO_TIMES = Times()
"""No time was named or asked for, or no calendar is known."""
