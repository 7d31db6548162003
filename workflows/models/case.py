"""Case: where one matter stands, as the ledger and the workflow keep it."""

from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Literal

from workflows import older
from workflows.models.decisions import Answer
from workflows.models.mail import Attachment
from workflows.models.routes import Event
from workflows.stories import Kind

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
    proposals: tuple[str, ...] = ()  # keys of what the current version does after the yes
    wishes: str = ""  # the owner's words for the next draft
    files: tuple[Attachment, ...] = ()  # what the owner wants attached to it
    changed: str = ""  # what is different from the version before, for the owner
    changed_by: ChangedBy = ChangedBy.NOBODY
    round: int = 0  # how often this version was shown: 0 before, 1 after the first approval mail
    asked_at: datetime | None = None
    later_until: datetime | None = None
    expires_at: datetime | None = None
    nudged: bool = False
    leaves_at: datetime | None = None  # under a standing yes: when the time to undo is over
    language: str = ""  # the owner's, as of the last question: what we say of this case is in it; "": English
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
