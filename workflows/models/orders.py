"""Orders: what the owner tells the desk to do, by mail or at the machine."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal


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
class ResumeChasing:
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
class ShowPromises:
    kind: Literal["promises"] = "promises"


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseEnded:
    """What became of a promise of the owner's own; `number` is the one the list of promises gives it."""

    number: int
    result: Literal["kept", "dropped"]
    kind: Literal["promise_ended"] = "promise_ended"


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


MoneyOrder = Paid | Promised | Disputed | StopChasing | ResumeChasing
"""The orders about what clients owe."""


Change = StopAll | Resume | Pause | Rescue | Away | Back | Allow | Disallow | MoneyOrder | Ended | PromiseEnded
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


Order = Change | Fix | ShowStatus | Explain | ShowIgnored | ShowPromises | Help | NotByMail | Confirm


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
