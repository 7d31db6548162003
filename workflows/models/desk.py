"""Desk: what a draft may know besides the mail: what is open with a client, what was written, the owner's answers."""

from dataclasses import dataclass
from datetime import date, datetime
from enum import StrEnum

from workflows.models.mail import Attachment
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


@dataclass(frozen=True, slots=True, kw_only=True)
class InvitationFacts:
    """The invitation that a mail carries, and the answers to it that may go with a draft.

    Attributes:
        line: what it is, on one line in the owner's language.
        matter: "invited", "changed", "cancelled", "answered", "countered", "listed".
        availability: what the calendars say of its time, as in `TimeAnswer`; "unknown" decides nothing.
        when: its time as the owner reads it; "" where it names none.
        start, end: the same as moments.
        all_day: whether it takes whole days.
        zone: the owner's.
        accepting, declining: the calendar part of each answer; None where none may go, as to somebody else's organizer.
        reaction: what this draft answers, "accepted" or "declined"; "" is neither, or not decided yet.
        wished: whether the owner's own words decided that.
    """

    line: str
    matter: str
    availability: str = "unknown"
    when: str = ""
    start: datetime | None = None
    end: datetime | None = None
    all_day: bool = False
    zone: str = "UTC"
    accepting: Attachment | None = None
    declining: Attachment | None = None
    reaction: str = ""
    wished: bool = False

    @property
    def source_id(self) -> str:
        """What a Source calls it."""
        return INVITATION

    @property
    def asks(self) -> bool:
        """Whether it asks the owner to come."""
        return self.matter in {"invited", "changed"}

    @property
    def settles(self) -> bool:
        """Whether its own time is what the mail is about, whatever times stand in the text."""
        return self.asks or self.matter in {"countered", "cancelled"}

    @property
    def answer(self) -> Attachment | None:
        """The calendar part that goes with this draft."""
        parts = {"accepted": self.accepting, "declined": self.declining}
        return parts.get(self.reaction)


INVITATION = "invitation:1"
"""The source id of the one invitation of a mail."""
