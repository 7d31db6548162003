"""Decisions: what the owner's answer to an approval mail can mean."""

from dataclasses import dataclass, field
from datetime import datetime
from typing import Literal

from workflows.models.mail import Attachment


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
    files: tuple[Attachment, ...] = ()  # what lay with the answer: shown once more with it
    kind: Literal["edit"] = "edit"


@dataclass(frozen=True, slots=True, kw_only=True)
class Revise:
    """Wishes for a new draft, in the owner's words."""

    wishes: str
    files: tuple[Attachment, ...] = ()  # what lay with the answer
    kind: Literal["revise"] = "revise"


@dataclass(frozen=True, slots=True, kw_only=True)
class Attach:
    """These files go with the draft as well: shown once more, and never sent at once."""

    words: str = ""  # what the owner called them; "" when they lay with the answer
    files: tuple[Attachment, ...] = ()  # as they were taken
    kind: Literal["attach"] = "attach"


@dataclass(frozen=True, slots=True, kw_only=True)
class Without:
    """The draft without some of what was shown with it. `send`: that is also the yes, for it is less than was shown."""

    words: str  # what the owner wrote, whole: no such part, and it is a wish
    parts: str = ""  # how the owner called what is struck out
    names: tuple[str, ...] = ()  # names of files and keys of proposals
    send: bool = False
    kind: Literal["without"] = "without"


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


OF_A_VERSION = Approve | Edit | Revise | Attach | Without
"""What speaks of the version it answers, and of no other one."""
Decision = Approve | Edit | Revise | Attach | Without | Reject | Later | Mine | Never | Why | Unclear


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
