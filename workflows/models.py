"""The nouns. Frozen values that cross a boundary; imports only the standard library and two leaves.

Times are timezone-aware datetimes. Every field after the first few has a default, so that a payload written by an
older Deskhand still reads (old runs: a missing field takes its default).
"""

from dataclasses import dataclass, field, replace
from datetime import date, datetime
from enum import StrEnum
from typing import Literal

from workflows import older
from workflows.stories import Begins, Kind

# ---------------------------------------------------------------- mail


@dataclass(frozen=True, slots=True, kw_only=True)
class Address:
    """One mailbox: `email` is lower-case and in full, `name` is what the sender calls it (may be empty)."""

    email: str
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Attachment:
    """What is known of an attachment without opening it: size in bytes, hash of the decoded content."""

    name: str
    size: int
    sha256: str
    content_type: str = "application/octet-stream"


@dataclass(frozen=True, slots=True)
class Defect:
    """Something that the parser had to forgive: a code to decide by, and a sentence for people."""

    code: str
    says: str

    @property
    def cuts(self) -> bool:
        """Whether something of the mail may not have been read; a code that nobody knows counts as that."""
        return self.code not in _NOTHING_LOST

    @property
    def cuts_text(self) -> bool:
        """Whether the text itself was cut off; what stood there before there were codes counts as that too."""
        return self.code in {"text", ""}


_NOTHING_LOST = frozenset(("address", "blank line", "boundary", "charset", "date", "escape", "indent"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Email:
    """A parsed mail. `text` is everything a reader sees, hidden text stripped; quotes are still in it."""

    identity: str  # sha256 hex over Message-ID, From, Date, Subject, decoded body and attachments
    blob: str  # sha256 hex of the raw bytes: the address in the blob folder
    message_id: str = ""  # with angle brackets; "" when the mail has none
    subject: str = ""
    senders: tuple[Address, ...] = ()  # every From address
    to: tuple[Address, ...] = ()
    cc: tuple[Address, ...] = ()
    bcc: tuple[Address, ...] = ()
    reply_to: tuple[Address, ...] = ()
    date: datetime | None = None
    in_reply_to: tuple[str, ...] = ()
    references: tuple[str, ...] = ()
    text: str = ""
    html_text: str = ""  # the HTML part alone as text, paragraphs joined; "" when there is none
    html_list: bool = False  # a list stands in the HTML part: its numbers may be the mail program's, not the writer's
    html_signatures: tuple[str, ...] = ()  # blocks of the HTML part that a mail program marked as its signature
    attachments: tuple[Attachment, ...] = ()
    headers: tuple[tuple[str, str], ...] = ()  # (lower-case name, decoded value), mail order, each value capped
    defects: tuple[Defect, ...] = ()  # what the parser had to forgive
    size: int = 0  # raw bytes
    calendar: str = ""  # what its calendar part says: "request", "reply", "cancel" ...; "" when there is none
    calendar_note: str = ""  # what a person wrote to that answer
    form: str = ""  # the address of the web site whose form this came through; `senders` then names the visitor
    trace: tuple[tuple[str, str], ...] = ()  # Received and Authentication-Results as written, undecoded, topmost first

    @property
    def sender(self) -> Address:
        return self.senders[0] if self.senders else Address(email="")

    @property
    def is_partial(self) -> bool:
        """Whether it was read only in part."""
        return any(defect.cuts for defect in self.defects)

    def header(self, name: str) -> str:
        """The first header of that name, or ""."""
        return next((value for key, value in self.headers if key == name.lower()), "")

    def has_header(self, name: str) -> bool:
        return any(key == name.lower() for key, _ in self.headers)

    @property
    def parents(self) -> tuple[str, ...]:
        """Every Message-ID this mail refers to, the direct parent first."""
        ordered = (*self.in_reply_to, *reversed(self.references))
        return tuple(dict.fromkeys(ordered))


FolderKind = Literal["inbox", "sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class RawMail:
    """One mail as it lies on the server: its bytes and where they were found."""

    content: bytes
    folder: str
    folder_kind: FolderKind
    uid: int
    uidvalidity: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Cursor:
    """How far a folder has been read: everything at or below `last_uid` is in `seen`."""

    folder: str
    uidvalidity: int
    last_uid: int
    last_date: datetime | None = None  # the newest handled date, for the search after a UIDVALIDITY change


# ---------------------------------------------------------------- people, events and routing


@dataclass(frozen=True, slots=True, kw_only=True)
class Client:
    """A person the owner works for: a random id with one or more addresses."""

    id: str
    name: str
    addresses: tuple[str, ...]
    written_to: bool = False  # the owner has written to, imported or rescued this client


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """Something that happened, as the ledger recorded it. `key` is its identity (a mail's `identity`)."""

    key: str
    kind: Begins | Literal["sent", "answer", "order", "hint", "news"]
    at: datetime
    client: str = ""
    case: int = 0  # the case it starts or belongs to
    summary: str = ""
    hold: str = ""  # why nothing may be drafted for it ("a complaint")
    from_drafts: bool = False  # sent: while a draft of ours lay in the owner's Drafts folder to be sent by hand
    ends: str = ""  # news: the outcome its case ends with ("paid", "won"); "" makes the draft stale
    again: str = ""  # news: the draft stays, and its question is shown once more, for this reason


@dataclass(frozen=True, slots=True, kw_only=True)
class Ignore:
    """Nothing is to be done; `reason` says why in one plain sentence the owner can read."""

    rule: str  # short name of the rule, e.g. "auto-reply", "newsletter", "no-reply", "own-mail"
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """A new case of this kind. `hold` names why nothing is drafted ("complaint"): the owner reads it himself."""

    kind: Kind = "reply"
    hold: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tell:
    """The event belongs to this open case; `hold` as in `Start`."""

    case: int
    hold: str = ""
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """The mail is the owner's answer to an approval mail of this case and version."""

    case: int
    version: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ordered:
    """The mail is an order of the owner to the desk ("stop all"), or tries to be one."""

    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hinted:
    """A mail in an inbox looks like an answer to this case: a hint to look for its proof, never an answer by itself."""

    case: int
    version: int
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Posted:
    """The mail is a platform's alert: its jobs become leads. `code` is not empty: it was not wholly understood."""

    leads: "tuple[Lead, ...]"
    verdicts: tuple[Start | Ignore, ...] = ()  # of each lead, in order; none: every one is bid for
    reason: str = ""  # why it was not understood
    code: str = ""  # and in one word: "unknown-template"


Route = Start | Tell | Ignore | Answered | Ordered | Hinted | Posted


# ---------------------------------------------------------------- the owner's decisions
# `kind` is written with each decision: without it a stored "mine" reads back as a yes, the first empty class.


@dataclass(frozen=True, slots=True, kw_only=True)
class Approve:
    kind: Literal["approve"] = "approve"


@dataclass(frozen=True, slots=True, kw_only=True)
class Edit:
    """The owner's own text replaces the draft; `send` is true for "edit!": it is also the yes."""

    text: str
    send: bool = False
    cut: bool = False  # `text` is only its beginning: the whole lies in the ledger under the answer's key
    # A letter without the word "edit": always shown once more, also where the settings let an edit send.
    letter: bool = field(default=False, compare=False)
    kind: Literal["edit"] = "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """Wishes for a new draft, in the owner's words."""

    wishes: str
    kind: Literal["revise"] = "revise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Reject:
    reason: str = ""
    kind: Literal["reject"] = "reject"


@dataclass(frozen=True, slots=True, kw_only=True)
class Later:
    until: datetime
    kind: Literal["later"] = "later"


@dataclass(frozen=True, slots=True, kw_only=True)
class Mine:
    kind: Literal["mine"] = "mine"


@dataclass(frozen=True, slots=True, kw_only=True)
class Never:
    kind: Literal["never"] = "never"


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    kind: Literal["why"] = "why"


@dataclass(frozen=True, slots=True, kw_only=True)
class Unclear:
    """Not surely understood: asked again, once, in plain words. `question` is what to ask."""

    question: str
    kind: Literal["unclear"] = "unclear"


Decision = Approve | Edit | Revise | Reject | Later | Mine | Never | Why | Unclear


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """A decision with its proof, as it is told to a case by an update. `key` is also the update id."""

    key: str  # the answer mail's identity, or a UUID for a command at the machine
    case: int
    version: int
    decision: Decision
    hash: str = ""  # the draft hash the answer speaks of
    via: Literal["mail", "machine", "hint", "standing"] = "mail"  # hint: an unproven answer, which only holds
    at: datetime | None = None
    words: str = ""  # what the owner typed, for the record


# ---------------------------------------------------------------- the owner's orders to the desk
# `kind` is written with each order, as with decisions.


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowStatus:
    kind: Literal["status"] = "status"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopAll:
    kind: Literal["stop"] = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Resume:
    """Go on after "stop all", or with one paused client, in the owner's words ("" is everything)."""

    client: str = ""
    kind: Literal["resume"] = "resume"


@dataclass(frozen=True, slots=True, kw_only=True)
class Pause:
    """Nothing to this client, in the owner's words: a name, an address or a domain."""

    client: str
    kind: Literal["pause"] = "pause"


@dataclass(frozen=True, slots=True, kw_only=True)
class Explain:
    case: int
    kind: Literal["why"] = "why"


@dataclass(frozen=True, slots=True, kw_only=True)
class ShowIgnored:
    kind: Literal["ignored"] = "ignored"


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescue:
    """A skipped mail is work after all; `number` is the one the account of what was skipped gives it."""

    number: int
    kind: Literal["rescue"] = "rescue"


@dataclass(frozen=True, slots=True, kw_only=True)
class Away:
    until: datetime
    kind: Literal["away"] = "away"


@dataclass(frozen=True, slots=True, kw_only=True)
class Back:
    kind: Literal["back"] = "back"


@dataclass(frozen=True, slots=True, kw_only=True)
class Allow:
    """A standing yes for one kind of mail ("reply"), in the owner's words."""

    what: str
    kind: Literal["auto"] = "auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disallow:
    """The standing yes for a kind ends at once; "" ends every one."""

    what: str = ""
    kind: Literal["stop_auto"] = "stop_auto"


@dataclass(frozen=True, slots=True, kw_only=True)
class Help:
    kind: Literal["help"] = "help"


@dataclass(frozen=True, slots=True, kw_only=True)
class Paid:
    """Money came in. `what`: an invoice's number, or a client who owes one alone; `amount` "" is all of it."""

    what: str
    amount: str = ""  # in the owner's words ("500 EUR", "500"): the invoice's currency where none is named
    kind: Literal["paid"] = "paid"


@dataclass(frozen=True, slots=True, kw_only=True)
class Promised:
    """They pay by that moment's day; `what` as in `Paid`, or a client: all that they owe."""

    what: str
    until: datetime
    kind: Literal["promised"] = "promised"


@dataclass(frozen=True, slots=True, kw_only=True)
class Disputed:
    """They contest it: nothing is chased until the owner says so; `what` as in `Promised`."""

    what: str
    reason: str = ""
    kind: Literal["dispute"] = "dispute"


@dataclass(frozen=True, slots=True, kw_only=True)
class StopChasing:
    """A client is not chased, in the owner's words: a name, an address or a domain."""

    client: str
    kind: Literal["stop_chasing"] = "stop_chasing"


@dataclass(frozen=True, slots=True, kw_only=True)
class Chase:
    """A client is chased again: whatever held it is over."""

    client: str
    kind: Literal["chase"] = "chase"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """How a bid ended."""

    case: int
    result: Literal["won", "lost", "no-answer"]
    reason: str = ""
    kind: Literal["ended"] = "ended"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotByMail:
    """An order that is never taken by mail; `what` is the word that named it."""

    what: str
    kind: Literal["not_by_mail"] = "not_by_mail"


@dataclass(frozen=True, slots=True, kw_only=True)
class NotUnderstood:
    """Words that are no order; `hint` says what to write instead."""

    hint: str
    unknown: bool = False  # no word of it names an order
    kind: Literal["not_understood"] = "not_understood"


MoneyOrder = Paid | Promised | Disputed | StopChasing | Chase
"""The orders about what clients owe."""

Change = StopAll | Resume | Pause | Rescue | Away | Back | Allow | Disallow | MoneyOrder | Ended
"""The orders that change something."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """A correction of what a case sent is to be drafted; `words`: what was wrong, in the owner's words."""

    case: int
    words: str = ""
    kind: Literal["fix"] = "fix"


@dataclass(frozen=True, slots=True, kw_only=True)
class Confirm:
    """The owner's word on an order that was asked back: carry it out, or drop it."""

    yes: bool
    kind: Literal["confirm"] = "confirm"


Order = Change | Fix | ShowStatus | Explain | ShowIgnored | Help | NotByMail | Confirm


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedBack:
    """An order that waits for the owner's word, because the mail that gave it answers none of ours."""

    key: str  # of the mail that gave it
    order: Change | Fix
    given_at: datetime
    expires_at: datetime
    state: Literal["asked", "done", "dropped"] = "asked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Carried:
    """How an order ended: whether it did what it says, and what is said to the owner."""

    ok: bool
    says: str
    is_several: bool = False  # it was not carried out: the words could mean several


# ---------------------------------------------------------------- leads, money and work


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An exact amount in the currency's minor units (cents; yen has none): 12.50 EUR is Money(1250, "EUR")."""

    minor: int
    currency: str  # ISO 4217, upper case


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """What a post offers. A bound that is not stated, or stated as 0, is None."""

    least: Money | None = None
    most: Money | None = None
    per: Literal["hour", "day", "week", "month", "year", "project"] = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWork:
    """One finished work of the owner's that a bid may name; as a source its id is "work:<id>"."""

    id: str
    title: str
    text: str = ""
    skills: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the owner offers and wants, as the rules about leads and bids need it."""

    rate: Pay | None = None  # `least` and `most` are the same amount
    minimum: Pay | None = None  # what pays less is refused
    skills: tuple[str, ...] = ()
    work: tuple[PastWork, ...] = ()
    hours_per_week: int = 0  # free for new work, 0: not said
    languages: tuple[str, ...] = ("en",)  # two-letter codes
    engagements: tuple[str, ...] = ("freelance", "contract", "part-time")
    avoid: tuple[str, ...] = ()  # words and phrases whose posts are never bid for
    blocked: tuple[str, ...] = ()  # companies never bid to
    country: str = ""  # ISO 3166, upper case
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One job post. Every text is the poster's: plain text, hidden parts and honeypots taken out, never trusted."""

    source: str  # the configured source's name ("wwr"), or "mail:upwork"
    id: str  # the source's own id of the post
    title: str
    text: str = ""
    url: str = ""  # where a person reads it and bids; tracking taken out
    company: str = ""
    contact: Address = Address(email="")  # where a bid may be mailed to; email "": through the link alone
    published: datetime | None = None
    expires_at: datetime | None = None
    skills: tuple[str, ...] = ()
    engagement: str = ""  # freelance | contract | part-time | full-time | "" unknown
    pay: Pay | None = None
    place: str = ""  # where one has to be, in the post's words
    questions: tuple[str, ...] = ()  # what the post asks the bidder to answer
    flags: "tuple[Flag, ...]" = ()  # what was noticed
    attribution: str = ""  # how the source wants to be named


@dataclass(frozen=True, slots=True)
class Flag:
    """Something noticed about a post: a code to decide by, and a sentence for people."""

    code: Literal["honeypot", "unverified", "noted"]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One reason for or against a lead. Its part of the total is `value * weight`."""

    name: str
    value: float  # 0 (against) to 1 (for); what a missing value counts as is the factor's own to say
    weight: float
    words: tuple[str, ...] = ()  # of the post or the profile, on which it rests
    missing: bool = False
    says: str = ""  # in one plain sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A lead's worth: sum(value * weight) / sum(weight) over the factors, 0 to 1."""

    total: float
    threshold: float
    factors: tuple[Factor, ...] = ()
    refused: str = ""  # not empty: never bid for whatever the total, and why


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice of the owner, as its source states it."""

    number: str
    name: str  # of the client, as on the invoice
    email: str
    due: date
    amount: Money
    paid: Money | None = None  # what came in so far, in the same currency; None is nothing
    issued: date | None = None
    state: Literal["open", "paid", "cancelled"] = "open"
    source: str = "csv"  # "csv:<file>" or "invoiceninja"
    client: str = ""  # the client's id, as the ledger resolved it
    country: str = ""  # of the client ("AT", "DE-BY"), where the source states it: their holidays and time zone

    @property
    def balance(self) -> Money:
        """What is still owed, never below zero."""
        return Money(
            minor=max(self.amount.minor - (self.paid.minor if self.paid else 0), 0), currency=self.amount.currency
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one chase mail is about: these invoices of one client, at this stage of the ladder."""

    stage: str  # the stage's name in the ladder ("reminder")
    step: int  # 1 is the first stage
    invoices: tuple[Invoice, ...]
    today: date  # in the owner's time zone, when it was found due
    totals: tuple[Money, ...] = ()  # of the balances, one for each currency
    bank_data: date | None = None  # the day of the newest payment data; None: there is none
    tone: str = ""  # of the stage (data/dunning.toml), by which the wording is chosen
    steps: tuple[int, ...] = ()  # each invoice's own step, in their order: one at its first may stand beside a last
    others_open: bool = False  # the client owes more than this is about: not all is settled


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    name: str
    due: date | None = None
    estimate_minutes: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was agreed with a client: one file of the projects folder."""

    id: str  # the file's stem
    name: str
    email: str  # of the client
    scope: tuple[str, ...] = ()  # what is agreed, a line each
    excluded: tuple[str, ...] = ()  # what is agreed not to be part of it
    milestones: tuple[Milestone, ...] = ()
    update_every: str = ""  # the client's own rhythm: "weekly", "every 2 weeks", "monthly", "" never
    repositories: tuple[str, ...] = ()  # folders whose git log shows deliverables
    client: str = ""  # the client's id, as the ledger resolved it
    contact: str = ""  # the client's name, for the greeting
    language: str = ""  # of updates, two letters; "" is the one they write in
    tracked_as: tuple[str, ...] = ()  # further names the time tool has for it ("Acme / Relaunch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One logged piece of work: a time entry or a commit."""

    id: str  # "time:<12 hex>" or "git:<12 hex>"
    project: str  # Project.id
    day: date
    text: str
    minutes: int = 0  # 0 for a commit
    milestone: str = ""
    billable: bool = True
    source: str = ""  # the file or repository it was read from
    twin: str = ""  # the same for a commit before and after a rebase; "" is the id


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one status update is about: the logged work of one client's project since the last one."""

    project: str
    name: str
    since: date
    until: date
    work: tuple[Work, ...]
    minutes: int = 0
    milestones: tuple[Milestone, ...] = ()
    tells_hours: bool = False  # the setting work.share_hours: the client may be told how long it took


# ---------------------------------------------------------------- drafts and what goes out


@dataclass(frozen=True, slots=True, kw_only=True)
class Source:
    """Where something in a brief or draft comes from: an id the owner can look up, and a short quote."""

    id: str  # "mail:<first 12 of identity>", "draft:41.1", "profile:rate"
    kind: str  # received | drafted | edited | sent | profile
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
class Brief:
    """All an agent may know of one event: a stored value, so that a draft is a function of it."""

    case: int
    kind: Kind = "reply"
    client: Client | None = None
    sender: Address = Address(email="")
    subject: str = ""
    message: str = ""  # the new part of the client's mail(s), quotes removed, newest last
    newest: str = ""  # of the last of them alone (old runs: "", which shows the beginning of `message`)
    left_out: tuple[str, ...] = ()  # what of the mails is not in `message` though nobody quoted it, in whole sentences
    older: str = ""  # what of the mails stands below the head of an older mail and may be new all the same
    files: tuple[Attachment, ...] = ()  # what the client attached
    language: str = "en"  # of the mail
    sources: tuple[Source, ...] = ()  # what memory knows that is relevant, best first
    profile: tuple[Source, ...] = ()  # what may be said about the owner
    owner_name: str = ""
    owner_language: str = ""  # in which the gist is written (old runs: "", which is English)
    hints: tuple[str, ...] = ()  # plain facts for the owner ("Reply-To differs: ...", "sender not proven")
    received_at: datetime | None = None
    envelope: Envelope | None = None  # from here on for stories that no mail began; from the ledger alone
    heading: str = ""  # what `message` is ("The post", "What they owe"); "" is "They wrote"
    trigger: str = ""  # what began it, in plain words; "" is "<person> wrote"
    facts: tuple[Source, ...] = ()  # what a draft may state, each with its source, besides `sources` and `profile`
    lead: Lead | None = None
    score: Score | None = None
    notice: Notice | None = None
    report: Report | None = None
    plain: bool = False  # a standing yes stands: a template repeats none of their words


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
    by: DraftedBy = DraftedBy.UNKNOWN

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


# ---------------------------------------------------------------- a case

Stage = Literal["new", "drafted", "waiting", "approved", "sending", "placed", "closed", "needs_owner"]
"""`placed`: a bid has left and its case waits to hear how it ended."""


class ChangedBy(StrEnum):
    """Whose words or doing made a version another one than the one before."""

    NOBODY = ""  # it is the first one
    OWNER = "owner"
    CLIENT = "client"  # they wrote again
    NEWS = "news"  # what the ledger learnt: a payment, an edited post
    UNKNOWN = "unknown"  # an older Deskhand did not say


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseState:
    """Where a case stands: written to the ledger at every stage, and the input after continue-as-new."""

    case: int
    kind: Kind = "reply"
    client: str = ""
    stage: Stage = "new"
    event: str = ""  # key of the event that started it
    heard: tuple[str, ...] = ()  # keys of later events already taken into account
    consumed: tuple[str, ...] = ()  # keys of answers already acted on
    brief: int = 0  # id of the stored brief, 0 before there is one
    version: int = 0  # the current version, 0 before there is one
    hash: str = ""  # its approved hash
    hold: str = ""  # why nothing may be drafted ("complaint")
    wishes: str = ""  # the owner's words for the next draft
    changed: str = ""  # what is different from the version before, for the owner
    changed_by: ChangedBy = ChangedBy.NOBODY
    round: int = 0  # how often this version was shown: 0 before, 1 after the first approval mail
    asked_at: datetime | None = None
    later_until: datetime | None = None
    expires_at: datetime | None = None
    nudged: bool = False
    leaves_at: datetime | None = None  # under a standing yes: when the time to undo is over
    grace: float = 60.0  # seconds between the yes and the send in which a no still wins
    approved_at: datetime | None = None
    held_until: datetime | None = None  # a send that had to wait (quiet hours, caps): tried again then
    asked_again: int = 0  # how often an unclear answer was asked about for this version
    unclear_at: tuple[datetime, ...] = ()  # when the newest of them were: so many a day are answered and no more
    again: str = ""  # why the current version is shown once more
    doubted: tuple[str, ...] = ()  # what the owner was asked about before a send: "<version>:<rule of the last look>"
    said: str = ""  # the answer that approved the current version, in short, to be held against a differing one
    redrafted_at: tuple[datetime, ...] = ()  # when the newest redrafts were made
    look_at: datetime | None = None  # the time to answer may be over then: later than `expires_at` after an absence
    result_by: datetime | None = None  # placed: after this "no-answer" is how it ended
    outcome: str = ""  # sent | rejected | mine | never | expired | answered-by-owner | sent-by-owner | uncertain |
    # failed; a bid: won | lost | no-answer | gone; a chase: paid | promised | disputed | stopped; an update: stopped
    reason: str = ""  # the owner's words, or ours, for the outcome
    answers: tuple[Answer, ...] = ()  # across continue-as-new only: arrived and not acted on yet; never in the ledger
    events: tuple[Event, ...] = ()  # the same for mails

    def __post_init__(self) -> None:
        """A state of an older Deskhand says what changed in words alone."""
        if self.changed and self.changed_by is ChangedBy.NOBODY:
            object.__setattr__(self, "changed_by", ChangedBy(older.code_of("changed", self.changed)))

    @property
    def owners_turn(self) -> bool:
        """Whether what is shown answers something of the owner's: then it waits for no digest."""
        by_owner = self.changed_by in {ChangedBy.OWNER, ChangedBy.UNKNOWN}
        return bool(self.again) or by_owner or self.round > 1


# ---------------------------------------------------------------- what routing is told


@dataclass(frozen=True, slots=True, kw_only=True)
class Owner:
    """The owner, as the rules need to know them."""

    name: str
    address: str
    aliases: tuple[str, ...] = ()
    language: str = "en"
    timezone: str = "UTC"
    country: str = ""
    hours: str = "Mon-Fri 09:00-18:00"
    disclose: bool = False
    second: str = ""  # the address of a second approver: not one of the owner's own
    languages: tuple[str, ...] = ()  # whose words are understood in answers, beside `language` and English
    signatures: tuple[str, ...] = ()  # blocks of lines that end the owner's mails: no part of an answer

    @property
    def addresses(self) -> frozenset[str]:
        return frozenset((self.address.lower(), *(alias.lower() for alias in self.aliases)))

    def signing(self, signatures: tuple[str, ...]) -> "Owner":
        """The same owner, with these signatures beside those of the settings."""
        return replace(self, signatures=tuple(dict.fromkeys((*self.signatures, *signatures))))


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """The approval mail (or other Deskhand mail) that a mail answers, as the ledger knows it."""

    case: int
    version: int
    purpose: Literal["approval", "notice"]
    text: str  # the exact text we sent: subtracted from the answer
    sent_at: datetime
    nonce: str = ""
    intent: str = ""  # the outbox's name for it: by it an answer to an order that was asked back is known


@dataclass(frozen=True, slots=True, kw_only=True)
class Astray:
    """A mail of ours that a mail names without answering it; `reason` says why not, in one plain sentence."""

    case: int
    version: int
    reason: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Surroundings:
    """What the ledger knows around one mail, looked up in the same transaction that records it."""

    folder_kind: FolderKind
    now: datetime
    open_case: int = 0  # the open case whose conversation this mail continues, 0 when none
    asked: Asked | None = None  # the Deskhand mail that is its direct parent
    signatures: tuple[str, ...] = ()  # the owner's as they were known before that mail left, for reading the answer
    burnt: Asked | None = None  # or the one that was, which somebody else has seen since: it counts no more
    astray: Astray | None = None  # it names one and does not answer it, or what it answers counts no more
    ours: bool = False  # its id, or its body, is one that Deskhand itself sent
    client: Client | None = None  # who the sender (inbox) or first recipient (sent) is, when known
    never: bool = False  # the owner said "never" for this client
    paused: bool = False  # the owner said "pause" for this client
    draft_for: Literal["people", "known", "none"] = "people"
    first_day: bool = False  # the first 24 hours with first_day = "digest": only tell what would have been drafted
    ignore: tuple[str, ...] = ()  # addresses and domains never drafted for
    alerts: bool = True  # alert mails of platforms become leads
    sent_headers: tuple[str, ...] = ()  # delivery headers that `check` learned this server puts on really sent mail
    earlier: tuple[str, ...] = ()  # the texts of the mails this one answers, as far as the ledger has them
