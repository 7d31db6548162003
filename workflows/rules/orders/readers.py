"""Order readers: what follows the words of an order, read as its value; and when it is none beside a draft.

Each is named by a row of the table (rows.py). Pure and total: what cannot be read is a `NotUnderstood` whose hint says
what to write instead.
"""

import re
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime
from typing import Literal, Protocol, TypeVar

from workflows.models.orders import (
    Allow,
    Away,
    Disallow,
    Disputed,
    Ended,
    Explain,
    Fix,
    NotByMail,
    NotUnderstood,
    Order,
    Paid,
    Pause,
    Promised,
    PromiseEnded,
    Rescue,
    Resume,
    ResumeChasing,
    ShowPromises,
    StopChasing,
)
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.orders.words import SIGNS, bare, head, invoice_labels, kind_named, number_in, phrases
from workflows.rules.text.calendar import folded
from workflows.rules.text.money import currency_of
from workflows.rules.text.speech import say
from workflows.rules.text.whens import parse_when

_MOST_OF_A_TIME = 12
"""Words: a longer end of a line names no time, and need not be tried."""

AnyOrder = TypeVar("AnyOrder", bound=Order)


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """What an order line says after the words that name the order, and what it is read with."""

    phrase: str  # the words themselves
    rest: str
    owner: Owner
    now: datetime
    languages: tuple[str, ...]
    case: int = 0  # of the mail that the line answers: what a bare "why" is about


def unknown(owner: Owner) -> NotUnderstood:
    """Nothing in it is an order."""
    return NotUnderstood(hint=say(owner.language, "hints.unknown"), unknown=True)


def unread(owner: Owner, hint: str, **facts: object) -> NotUnderstood:
    """It is an order, or nearly one, that cannot be carried out as it stands; `hint`: what is said of it."""
    return NotUnderstood(hint=say(owner.language, f"hints.{hint}", **facts))


# ---------------------------------------------------------------- what follows the words


def alone(order: AnyOrder) -> Callable[[Spoken], AnyOrder | NotUnderstood]:
    """Nothing may follow the words."""
    return lambda spoken: unknown(spoken.owner) if spoken.rest else order


def resume(spoken: Spoken) -> Resume:
    return Resume(client=spoken.rest)


def pause(spoken: Spoken) -> Pause | NotUnderstood:
    return Pause(client=spoken.rest) if spoken.rest else unread(spoken.owner, "pause_whom")


def why(spoken: Spoken) -> Explain | NotUnderstood:
    number = number_in(spoken.rest) if spoken.rest else spoken.case
    return Explain(case=number) if number else unread(spoken.owner, "why_what")


def fix(spoken: Spoken) -> Fix | NotUnderstood:
    match = re.fullmatch(r"(?:case |fall )?(\S+)(?:[\s:,;.-]+(.*))?", spoken.rest, re.IGNORECASE)
    number = number_in(match[1].strip(SIGNS)) if match else 0
    return Fix(case=number, words=(match[2] or "").strip()) if match and number else unread(spoken.owner, "fix_what")


def rescue(spoken: Spoken) -> Rescue | NotUnderstood:
    number = number_in(spoken.rest)
    return Rescue(number=number) if number else unread(spoken.owner, "rescue_what")


def away(spoken: Spoken) -> Away | NotUnderstood:
    until = parse_when(_after_until(spoken), spoken.now, spoken.owner) if spoken.rest else None
    return Away(until=until) if until else unread(spoken.owner, "away_when")


def auto(spoken: Spoken) -> Allow | NotUnderstood:
    return Allow(what=kind_named(spoken.rest)) if spoken.rest else unread(spoken.owner, "auto_what")


def stop_auto(spoken: Spoken) -> Disallow:
    return Disallow(what=kind_named(spoken.rest))


def paid(spoken: Spoken) -> Paid | NotUnderstood:
    """An invoice's number, or a client's words up to the first figure; then an amount."""
    tokens = _without_label(spoken.rest.split())
    if not _is_named(tokens):
        return unread(spoken.owner, "paid_what")
    length = max(1, next((at for at, token in enumerate(tokens) if _has_digit(token)), len(tokens)))
    # "Acme EUR 500" and "Acme \u20ac 500": the currency before the figure belongs to the amount.
    if 1 < length < len(tokens) and not _has_digit(tokens[length - 1]) and currency_of(tokens[length - 1]):
        length -= 1
    return Paid(what=_what(tokens[:length]), amount=" ".join(tokens[length:]))


def promised(spoken: Spoken) -> Promised | PromiseEnded | NotUnderstood:
    """What is promised, and by when: the longest end of the words that names a time."""
    if ended_promise := _promise_in_the_middle(spoken):
        return ended_promise
    tokens = _without_label(spoken.rest.split())
    for length in range(max(1, len(tokens) - _MOST_OF_A_TIME), len(tokens)):
        until = parse_when(" ".join(tokens[length:]), spoken.now, spoken.owner)
        if until:
            return Promised(what=_what(tokens[:length]), until=until)
    return unread(spoken.owner, "promised_what")


def promises(spoken: Spoken) -> ShowPromises | PromiseEnded | NotUnderstood:
    if not spoken.rest:
        return ShowPromises()
    return _promise_in_the_middle(spoken) or unknown(spoken.owner)


def promise_ended(result: Literal["kept", "dropped"]) -> Callable[[Spoken], PromiseEnded | NotUnderstood]:
    """A promise of the owner's own, by its number."""

    def read(spoken: Spoken) -> PromiseEnded | NotUnderstood:
        number = number_in(spoken.rest)
        return PromiseEnded(number=number, result=result) if number else unread(spoken.owner, "promise_what")

    return read


def _promise_in_the_middle(spoken: Spoken) -> PromiseEnded | None:
    """`promise 3 done` is `promise done 3`."""
    first, _, words = spoken.rest.partition(" ")
    number = number_in(first) if words else 0
    key, _, rest = head(f"{spoken.phrase} {words}", spoken.languages) if number else ("", "", "")
    results: dict[str, Literal["kept", "dropped"]] = {"promise_kept": "kept", "promise_dropped": "dropped"}
    return PromiseEnded(number=number, result=results[key]) if key in results and not rest else None


def dispute(spoken: Spoken) -> Disputed | NotUnderstood:
    tokens = _without_label(spoken.rest.split())
    if not _is_named(tokens):
        return unread(spoken.owner, "dispute_what")
    return Disputed(what=_what(tokens[:1]), reason=" ".join(tokens[1:]))


def stop_chasing(spoken: Spoken) -> StopChasing | NotUnderstood:
    return StopChasing(client=spoken.rest) if spoken.rest else unread(spoken.owner, "chase_whom")


def chase(spoken: Spoken) -> ResumeChasing | NotUnderstood:
    return ResumeChasing(client=spoken.rest) if spoken.rest else unread(spoken.owner, "chase_whom")


def ended(result: Literal["won", "lost", "no-answer"]) -> Callable[[Spoken], Ended | NotUnderstood]:
    """A bid's end; without a number it is the bid of the mail that is answered, and the words are the reason."""

    def read(spoken: Spoken) -> Ended | NotUnderstood:
        match = re.fullmatch(r"(?:case |fall |bid )?(\S+)(?:[\s:,;.-]+(.*))?", spoken.rest, re.IGNORECASE)
        number = number_in(match[1].strip(SIGNS)) if match else 0
        if match and number and (not spoken.case or number == spoken.case or not match[2]):
            return Ended(case=number, result=result, reason=(match[2] or "").strip())
        if spoken.case:
            return Ended(case=spoken.case, result=result, reason=spoken.rest)
        return unread(spoken.owner, "ended_what")

    return read


def not_by_mail(spoken: Spoken) -> NotByMail:
    return NotByMail(what=spoken.phrase)


def _after_until(spoken: Spoken) -> str:
    """The time without a leading "until", where a short phrase ("away") met before a longer one ("away until")."""
    long = [phrase.split() for phrase, key in phrases(spoken.languages).items() if key == "away"]
    until = {words[-1] for words in long if len(words) > 1} | {"until", "till"}
    first, _, time_words = spoken.rest.partition(" ")
    return time_words if time_words and bare(first) in until else spoken.rest


def _without_label(tokens: list[str]) -> list[str]:
    """The words without "invoice" and its like in front."""
    while len(tokens) > 1 and bare(tokens[0]) in invoice_labels():
        tokens = tokens[1:]
    return tokens


def _is_named(tokens: list[str]) -> bool:
    return bool(tokens) and any(character.isalnum() for character in tokens[0])


def _what(tokens: list[str]) -> str:
    return " ".join(tokens).strip(SIGNS + "#")


def _has_digit(token: str) -> bool:
    return any(character.isdigit() for character in token)


# ---------------------------------------------------------------- in an answer to an approval mail
# Whatever may speak of that draft is no order there.


class _OfAClient(Protocol):
    @property
    def client(self) -> str: ...


def always(_order: Order, _asked: Asked) -> bool:
    return True


def never(_order: Order, _asked: Asked) -> bool:
    return False


def of_its_case(order: Fix, asked: Asked) -> bool:
    """No "fix 2 typos"."""
    return order.case == asked.case


def of_its_bid(order: Ended, asked: Asked) -> bool:
    """No "lost the thread"."""
    return order.case == asked.case and not order.reason


def of_an_invoice(order: Paid | Promised | Disputed, _asked: Asked) -> bool:
    """No "paid already"."""
    return _has_digit(order.what)


def of_a_promise(order: Promised | PromiseEnded, _asked: Asked) -> bool:
    """No "promised already"."""
    return isinstance(order, Promised) and _has_digit(order.what)


def of_its_client(order: _OfAClient, asked: Asked) -> bool:
    """No "pause it", "pause until Monday": the approval mail's To line names the client."""
    to = next((line for line in asked.text.split("\n") if line.startswith("To: ")), "")
    named = re.search(rf"(?<!\w){re.escape(folded(order.client))}(?!\w)", folded(to))
    return not order.client or named is not None
