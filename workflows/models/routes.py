"""Routes: what happened outside, where it goes, and what routing is told to decide that."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.models.leads import Lead
from workflows.models.mail import FolderKind
from workflows.models.people import Client
from workflows.stories import Begins, Kind


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

    leads: tuple[Lead, ...]
    verdicts: tuple[Start | Ignore, ...] = ()  # of each lead, in order; none: every one is bid for
    reason: str = ""  # why it was not understood
    code: str = ""  # and in one word: "unknown-template"


Route = Start | Tell | Ignore | Answered | Ordered | Hinted | Posted


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
    zone: str = ""  # where "Friday" is counted for its writer, by the country that their invoices state; "": unknown

    @property
    def question(self) -> Asked | None:
        """The mail of ours that it hangs on, whether that may still be answered or not."""
        return self.asked or self.burnt
