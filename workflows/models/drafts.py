"""Drafts: what a draft is made from, what it says, and what leaves for whom."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from workflows import older
from workflows.models.desk import NO_AFFAIRS, NO_TIMES, Affairs, FittingAnswer, InvitationFacts, Reckoned, Times, Turn
from workflows.models.leads import Lead, Score
from workflows.models.mail import NOBODY, Address, Attachment
from workflows.models.money import Notice
from workflows.models.people import Client
from workflows.models.proposals import Proposal
from workflows.models.work import Report
from workflows.stories import Kind


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where something in a brief or draft comes from: an id the owner can look up, and a short quote."""

    id: str  # "mail:<first 12 of identity>", "draft:41.1", "profile:rate"
    # received | drafted | edited | sent | profile | invoice | project | case | answer | calendar | invitation | file
    kind: str
    quote: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Envelope:
    """To whom and about what a draft that answers no mail would leave."""

    to: tuple[Address, ...]
    subject: str
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    proactive: bool = False
    link: str = ""  # not empty: nothing is sent; the yes puts a paste-ready text with this link into the owner's inbox


@dataclass(frozen=True, slots=True, kw_only=True)
class FileOffer:
    """The owner's files that somebody asks for, and what the owner should know of those that are not attached."""

    files: tuple[Attachment, ...] = ()
    remarks: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Brief:
    """All an agent may know of one event: a stored value, so that a draft is a function of it."""

    case: int
    kind: Kind = "reply"
    client: Client | None = None
    sender: Address = NOBODY
    subject: str = ""
    message: str = ""  # the new part of the client's mail(s), quotes removed, newest last
    newest: str = ""  # of the last of them alone (old runs: "", which shows the beginning of `message`)
    left_out: tuple[str, ...] = ()  # what of the mails is not in `message` though nobody quoted it, in whole sentences
    older: str = ""  # what of the mails stands below the head of an older mail and may be new all the same
    files: tuple[Attachment, ...] = ()  # what the client attached
    offered: tuple[Attachment, ...] = ()  # files of the owner's that they ask for: attached to the draft
    language: str = "en"  # of the mail
    sources: tuple[Source, ...] = ()  # what memory knows that is relevant, best first
    profile: tuple[Source, ...] = ()  # what may be said about the owner
    owner_name: str = ""
    owner_language: str = ""  # in which the gist is written (old runs: "", which is English)
    hints: tuple[str, ...] = ()  # plain facts for the owner ("Reply-To differs: ...", "sender not proven")
    received_at: datetime | None = None
    # What follows is for the stories that no mail began: a reply has none of it.
    envelope: Envelope | None = None  # to whom and about what: from the ledger, never from an agent
    heading: str = ""  # what `message` is ("The post", "What they owe"); "" is "They wrote"
    trigger: str = ""  # what began it, in plain words; "" is "<person> wrote"
    facts: tuple[Source, ...] = ()  # what a draft may state, each with its source, besides `sources` and `profile`
    lead: Lead | None = None
    score: Score | None = None
    notice: Notice | None = None
    report: Report | None = None
    vouched: bool = False  # who the client is stands fast, so that memory may be looked up for it (old runs: not)
    plain: bool = False  # a standing yes stands: a template repeats none of their words
    # The desk: what a reply may draw on besides memory. Nothing of it is given for a sender who is not proven.
    affairs: Affairs = NO_AFFAIRS  # what is open with this client; as text, with their ids, it stands in `facts`
    conversation: tuple[Turn, ...] = ()  # what passed between them, oldest first, the mail at hand left out
    standing: tuple[FittingAnswer, ...] = ()  # the owner's standing answers that fit, best first
    times: Times = NO_TIMES  # what the calendars say of the times it names; as text it stands in `facts`
    invitation: InvitationFacts | None = None  # what the calendar part of their mail asks; its line stands in `facts`
    style: tuple[Source, ...] = ()  # how the owner writes (kind "style")
    held_before: bool = False  # a holding reply was proposed in this conversation already


class DraftedBy(StrEnum):
    """Whose words a draft is."""

    MODEL = "model"
    TEMPLATE = "template"
    OWNER = "owner"
    UNKNOWN = "unknown"  # an older Deskhand did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """What an agent proposes: text and why. Recipients never come from here."""

    body: str
    gist: str  # what it says, <= 60 characters, for the first line of the approval mail
    model: str = ""  # the model's name; "" when a template wrote it
    why: tuple[str, ...] = ()  # steps, checks and rules in plain words
    sources: tuple[str, ...] = ()  # the ids of the sources it used
    cost: str = "0"  # decimal, in the unit of `daily_cost`; "unpriced" when the model has no price
    needs_owner: str = ""  # not empty: no safe draft could be made, and this says why
    attachments: tuple[Attachment, ...] = ()  # the owner's files that go with it, each taken by `Filing`
    proposals: tuple[Proposal, ...] = ()  # what is to be done after the yes
    by: DraftedBy = DraftedBy.UNKNOWN
    looked_up: tuple[Source, ...] = ()  # those of its sources that the brief does not hold: a tool told them
    reckoning: tuple[Reckoned, ...] = ()  # the client's questions, each with what answers it
    holding: bool = False  # it says nothing but that an answer will come

    def __post_init__(self) -> None:
        """Whose an older draft is: its model says it, or one line of its why, which is then no reason any more."""
        if self.by is not DraftedBy.UNKNOWN:
            return
        codes = [DraftedBy(older.code_of("why", reason)) for reason in self.why]
        named = DraftedBy.MODEL if self.model else next(filter(_is_known, codes), DraftedBy.UNKNOWN)
        reasons = (reason for reason, code in zip(self.why, codes, strict=True) if code is not DraftedBy.TEMPLATE)
        object.__setattr__(self, "by", named)
        object.__setattr__(self, "why", tuple(reasons))


def _is_known(by: DraftedBy) -> bool:
    return by is not DraftedBy.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """One version of a draft as it would leave: the thing that is approved. Never holds wire bytes."""

    case: int
    version: int
    to: tuple[Address, ...]
    subject: str
    body: str  # canonical (rules/text/canonical.py)
    cc: tuple[Address, ...] = ()
    attachments: tuple[Attachment, ...] = ()
    proposals: tuple[Proposal, ...] = ()  # what is done after the yes, beside the mail
    in_reply_to: str = ""
    references: tuple[str, ...] = ()
    proactive: bool = False  # nobody wrote first: at most one a day to a client, none while there is a complaint
    link: str = ""  # as in `Envelope`: a text to be pasted there by the owner's own hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """An approval mail that left: when, until when it may be answered, and the grace that a yes will get."""

    asked_at: datetime
    expires_at: datetime
    grace: float  # seconds
    shown: bool = True  # False: it waits for the next digest
    leaves_at: datetime | None = None  # under a standing yes: it leaves then unless the owner says anything
    language: str = ""  # the owner's: what the case says of itself from then on is in it


OutboxState = Literal["approved", "claimed", "committing", "sent", "uncertain", "failed", "held"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """How a send ended, or why it has not. `held` may become anything later; the other three are final."""

    state: Literal["sent", "uncertain", "failed", "held"]
    message_id: str = ""
    at: datetime | None = None
    detail: str = ""  # for the owner: the server's words, why it is held, how to settle it
    until: datetime | None = None  # held: try again then
    rule: str = ""  # held until the owner says ok once more, and why in one word ("duplicate"): told at once
