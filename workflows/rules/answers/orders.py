"""What the owner orders by mail: "status", "stop all", "pause Acme". Closed lists, pure and total, as decisions.py.

An order is the whole of what was typed, on one line. In an answer to an approval mail the answer comes first: only what
is no clear answer there can be an order ("stop" drops that draft, "stop all" stops the desk).
"""

import re
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime
from functools import lru_cache
from typing import Literal, TypeGuard

from workflows.models import (
    Allow,
    Approve,
    Asked,
    Away,
    Back,
    Change,
    Chase,
    Confirm,
    Disallow,
    Disputed,
    Email,
    Ended,
    Explain,
    Fix,
    Help,
    NotByMail,
    NotUnderstood,
    Order,
    Owner,
    Paid,
    Pause,
    Promised,
    Reject,
    Rescue,
    Resume,
    Revise,
    ShowIgnored,
    ShowStatus,
    StopAll,
    StopChasing,
    Unclear,
)
from workflows.rules.answers import decisions
from workflows.rules.answers.closings import without_closing
from workflows.rules.answers.grammar import languages_of
from workflows.rules.quoted.typed import Typed, typed
from workflows.rules.text.calendar import folded, format_deadline, parse_when
from workflows.rules.text.canonical import one_line, visible
from workflows.rules.text.languages import words_in
from workflows.rules.text.money import currency_of
from workflows.rules.text.words import table

_LONGEST = 300  # characters of an order
_SHOWN = 160
_LONGEST_PHRASE = 5  # words
_LARGEST = 9  # digits of a number
_SIGNS = " .,;:!?\"'*_()[]<>\u2019\u201c\u201d\u201e\u00ab\u00bb\u2026-"
_SUBJECT = re.compile(r"\s*deskhand(?![\w@-])[\s:,;.!-]*", re.IGNORECASE)
_NUMBER = re.compile(rf"(?:no\.? ?|nr\.? ?)?#?\s?(\d{{1,{_LARGEST}}})(?:\.\d{{1,4}})?")

_KINDS = (
    "status", "stop", "stop_alone", "auto", "stop_auto",
    "resume", "pause", "why", "fix", "ignored", "rescue", "away", "back", "help",
    "paid", "promised", "dispute", "stop_chasing", "chase", "won", "lost", "no_answer", "not_by_mail",
)  # fmt: skip
_ALONE: dict[str, Order] = {
    "status": ShowStatus(),
    "stop": StopAll(),
    "stop_alone": StopAll(),
    "ignored": ShowIgnored(),
    "back": Back(),
    "help": Help(),
}
_MAY_BE_ASKED = frozenset({"status", "stop", "stop_alone", "ignored", "help", "why", "not_by_mail"})
"""What "?" does not make doubtful: it only tells, or it errs on the side where nothing leaves."""
_NEVER_IN_AN_ANSWER = NotUnderstood | NotByMail
_ABOUT_AN_INVOICE = Paid | Promised | Disputed
_RESULTS: dict[str, Literal["won", "lost", "no-answer"]] = {"won": "won", "lost": "lost", "no_answer": "no-answer"}

_UNKNOWN = (
    "I do not understand that order, so nothing was done. Write one order alone, for example: status, stop all, "
    "resume, pause Acme, why 41, ignored, rescue 4, away until 14 Aug, back, paid 2026-014, won 41, help."
)
_ONE_LINE = "Write one order alone on one line; nothing was done."
_WHOM = 'Pause whom? Write for example "pause Acme" or "pause maria@studio.example"; nothing was done.'
_WHY_WHAT = 'Which case? Write for example "why 41".'
_RESCUE_WHAT = 'Which mail? Write for example "rescue 4"; "ignored" lists the numbers. Nothing was done.'
_FIX_WHAT = 'Which case? Write for example "fix 41" or "fix 41 the date is wrong"; nothing was done.'
_AWAY_WHEN = 'Away until when? Write for example "away until 14 Aug" or "away until Monday 9:00"; nothing was done.'
_AUTO_WHAT = 'Which kind may leave alone? Write for example "auto reply"; nothing was done.'
_PAID_WHAT = 'Which invoice? Write for example "paid 2026-014" or "paid 2026-014 500 EUR"; nothing was done.'
_PROMISED_WHAT = 'Which invoice, and by when? Write for example "promised 2026-014 Friday"; nothing was done.'
_DISPUTE_WHAT = (
    'Which invoice? Write for example "dispute 2026-014" or "dispute 2026-014 wrong hours"; nothing was done.'
)
_CHASE_WHOM = 'Whom? Write for example "stop chasing Acme" or "chase Acme"; nothing was done.'
_ENDED_WHAT = 'Which bid? Write for example "won 41", "lost 41 too expensive" or "no answer 41"; nothing was done.'
_SURE = "That reads like a question, so nothing was done. Write the order without a question mark."
_CONFIRM = (
    "That is neither a clear yes nor a no to the order I asked about, so nothing was done. Answer that mail with just "
    '"ok" to have it done, or with "no" to drop it.'
)
ASKED_BACK = "notice:ask-back:"
"""How the outbox's intent of a mail begins that asks an order back; the key of the order's mail follows."""
_NOTICE = (
    "That mail asks nothing, and your answer to it is no order, so nothing was done. To decide about a draft, answer "
    "the approval mail that shows it, or use {machine} and the commands it names. Orders are for example: status, "
    'stop all, why 41, help ("help" lists them).'
)


def order_in(email: Email, owner: Owner, now: datetime, asked: Asked | None) -> Order | NotUnderstood | None:
    """The order in a mail that the owner wrote to himself alone; None when it is none. It proves nothing: proof.py.

    `asked`: the mail of ours it answers. `now` is what "tomorrow" counts from.
    """
    if asked is None and not is_order_subject(email.subject):
        return None
    said = typed(email, asked.text if asked else "", owner.signatures)
    subject, case = (email.subject, 0) if asked is None else ("", asked.case)
    texts = [words for words in (said.words, said.html_words) if words.strip()] or [""]
    orders = {read_order(subject, words, owner, now, case) for words in texts}
    order = orders.pop() if len(orders) == 1 else NotUnderstood(hint=_ONE_LINE)
    if asked is None:
        return order
    if asked.intent.startswith(ASKED_BACK) and isinstance(order, NotUnderstood | Ended):
        return _confirmed(email, owner, now, asked)
    if asked.purpose == "notice":
        machine = f"./deskhand case {asked.case}" if asked.case else "./deskhand cases"
        is_none = isinstance(order, NotUnderstood) and order.hint == _UNKNOWN
        return NotUnderstood(hint=_NOTICE.format(machine=machine)) if is_none else order
    return order if said.block is None and _is_no_answer(order, said, owner, now, asked) else None


def _confirmed(email: Email, owner: Owner, now: datetime, asked: Asked) -> Order | NotUnderstood:
    """The owner's word on an order that was asked back, by the grammar of every other yes and no."""
    match decisions.read(email, replace(asked, purpose="approval"), owner, now):
        case Approve():
            return Confirm(yes=True)
        case Reject():
            return Confirm(yes=False)
        case _:
            return NotUnderstood(hint=_CONFIRM)


def is_asked_back(order: Order | NotUnderstood, asked: Asked | None) -> TypeGuard[Change | Fix]:
    """Whether the owner is asked before this is carried out: it changes something and answers no mail of ours.

    A link in anybody's mail ("Unsubscribe") can make a mail program write it. "stop all" can only hold.
    """
    return asked is None and isinstance(order, Change | Fix) and not isinstance(order, StopAll)


def in_words(order: Change | Fix, owner: Owner) -> str:
    """The order as a person writes it, whatever language it was given in."""
    match order:
        case Resume(client=rest) | StopChasing(client=rest) | Chase(client=rest) | Pause(client=rest):
            words = rest
        case Rescue(number=number):
            words = str(number)
        case Away(until=until):
            words = f"until {format_deadline(until, owner)}"
        case Allow(what=what) | Disallow(what=what):
            words = what
        case Paid(what=what, amount=amount):
            words = f"{what} {amount}"
        case Promised(what=what, until=until):
            words = f"{what} {format_deadline(until, owner)}"
        case Disputed(what=what, reason=reason):
            words = f"{what} {reason}"
        case Ended(case=case, reason=reason):
            words = f"{case} {reason}"
        case Fix(case=case, words=wish):
            words = f"{case} {wish}"
        case _:
            words = ""
    return one_line(f"{_name(order)} {words}", _SHOWN)


def _name(order: Change | Fix) -> str:
    if isinstance(order, Ended):
        return order.result.replace("-", " ")
    return "stop all" if isinstance(order, StopAll) else order.kind.replace("_", " ")


def _is_no_answer(order: Order | NotUnderstood, said: Typed, owner: Owner, now: datetime, asked: Asked) -> bool:
    """Whether the whole answer to an approval mail is surely an order: whatever may speak of that draft is none."""
    if isinstance(order, _NEVER_IN_AN_ANSWER) or _kind_of(said.words or said.html_words, owner) == "stop_alone":
        return False
    if isinstance(order, Fix) and order.case != asked.case:
        return False  # "fix 2 typos"
    if isinstance(order, _ABOUT_AN_INVOICE) and not any(sign.isdigit() for sign in order.what):
        return False  # "paid already"
    if isinstance(order, Ended) and (order.case != asked.case or order.reason):
        return False  # "lost the thread"
    if (
        isinstance(order, Pause | Resume | StopChasing | Chase)
        and order.client
        and not _is_addressed(order.client, asked.text)
    ):
        return False  # "pause it", "pause until Monday"
    answer = decisions.parse(said.words, owner, now, html_words=said.html_words, altered=said.altered)
    return isinstance(answer, Revise | Unclear)


def _kind_of(words: str, owner: Owner) -> str:
    """Which kind of order the first line of these words begins with, "" for none."""
    lines = without_closing(words, owner)
    return _head(lines[0], owner)[0] if lines else ""


def _is_addressed(client: str, text: str) -> bool:
    """Whether the approval mail's To line names this client."""
    to = next((line for line in text.split("\n") if line.startswith("To: ")), "")
    return re.search(rf"(?<!\w){re.escape(folded(client))}(?!\w)", folded(to)) is not None


def is_order_subject(subject: str) -> bool:
    """Whether a mail to oneself with this subject is for the desk: it begins with our name."""
    return _SUBJECT.match(visible(subject)) is not None


def read_order(subject: str, words: str, owner: Owner, now: datetime, case: int = 0) -> Order | NotUnderstood:
    """The order in "deskhand status", or in the words of a mail whose subject is only our name (or an answer's: "").

    `case`: what a bare "why" is about.
    """
    found = _SUBJECT.match(visible(subject))
    named = visible(subject)[found.end() :].strip() if found else ""
    if named:  # the body is a signature, or says the same once more
        return parse_order(named, owner, now, case)
    lines = without_closing(visible(words[: 20 * _LONGEST]), owner)
    if len(lines) > 1:
        return NotUnderstood(hint=f"{_ONE_LINE} Orders are for example: status, stop all, help.")
    return parse_order(lines[0] if lines else "help", owner, now, case)


def parse_order(line: str, owner: Owner, now: datetime, case: int = 0) -> Order | NotUnderstood:
    """The order that one line is; NotUnderstood says what to write instead."""
    kind, phrase, rest = _head(line, owner)
    if not kind:
        return NotUnderstood(hint=_UNKNOWN)
    if kind not in _MAY_BE_ASKED and ("?" in folded(line) or ".." in folded(line)):
        return NotUnderstood(hint=_SURE)
    rest = rest.strip(_SIGNS)
    if kind in _ALONE:
        return NotUnderstood(hint=_UNKNOWN) if rest else _ALONE[kind]
    if kind in _TIMED:
        return _TIMED[kind](rest, owner, now)
    return _read(kind, phrase, rest, case)


def _read(kind: str, phrase: str, rest: str, case: int) -> Order | NotUnderstood:
    if kind in _RESULTS:
        return _ended(kind, rest, case)
    if kind == "why" and not rest:
        rest = str(case or "")
    return _READERS[kind](phrase if kind == "not_by_mail" else rest)


def _head(line: str, owner: Owner) -> tuple[str, str, str]:
    """The kind that the longest known phrase at the start names ("" for none), that phrase, and what follows it."""
    if len(line) > _LONGEST:
        return "", "", ""
    tokens = _without_greetings(visible(line).split())
    phrases = _phrases(languages_of(owner))
    for length in range(min(_LONGEST_PHRASE, len(tokens)), 0, -1):
        phrase = _bare(" ".join(tokens[:length]))
        if phrase in phrases:
            return phrases[phrase], phrase, " ".join(tokens[length:])
    return "", "", ""


# ---------------------------------------------------------------- what follows the words


def _resume(rest: str) -> Order:
    return Resume(client=rest)


def _pause(rest: str) -> Order | NotUnderstood:
    return Pause(client=rest) if rest else NotUnderstood(hint=_WHOM)


def _why(rest: str) -> Order | NotUnderstood:
    number = _number(rest)
    return Explain(case=number) if number else NotUnderstood(hint=_WHY_WHAT)


def _fix(rest: str) -> Order | NotUnderstood:
    found = re.fullmatch(r"(?:case |fall )?(\S+)(?:[\s:,;.-]+(.*))?", rest, re.IGNORECASE)
    number = _number(found[1].strip(_SIGNS)) if found else 0
    return Fix(case=number, words=(found[2] or "").strip()) if found and number else NotUnderstood(hint=_FIX_WHAT)


def _rescue(rest: str) -> Order | NotUnderstood:
    number = _number(rest)
    return Rescue(number=number) if number else NotUnderstood(hint=_RESCUE_WHAT)


def kind_named(words: str) -> str:
    """The kind of mail that these words name ("status updates" is "update"); else the words themselves, folded."""
    said = _bare(words)
    kinds: dict[str, list[str]] = table("orders")["common"]["kinds"]
    return next((kind for kind, names in kinds.items() if said in map(_bare, names)), folded(words))


def _auto(rest: str) -> Order | NotUnderstood:
    return Allow(what=kind_named(rest)) if rest else NotUnderstood(hint=_AUTO_WHAT)


def _stop_auto(rest: str) -> Order:
    return Disallow(what=kind_named(rest))


def _paid(rest: str) -> Order | NotUnderstood:
    """An invoice's number, or a client's words up to the first figure; then an amount."""
    tokens = _without_label(rest.split())
    if not tokens or not any(character.isalnum() for character in tokens[0]):
        return NotUnderstood(hint=_PAID_WHAT)
    length = 1 if _has_digit(tokens[0]) else next((at for at, one in enumerate(tokens) if _has_digit(one)), len(tokens))
    # "Acme EUR 500" and "Acme \u20ac 500": the currency before the figure belongs to the amount.
    if 1 < length < len(tokens) and not _has_digit(tokens[length - 1]) and currency_of(tokens[length - 1]):
        length -= 1
    return Paid(what=_what(tokens[:length]), amount=" ".join(tokens[length:]))


def _promised(rest: str, owner: Owner, now: datetime) -> Order | NotUnderstood:
    """What is promised, and by when: the longest end of the words that names a time."""
    tokens = _without_label(rest.split())
    for length in range(1, len(tokens)):
        until = parse_when(" ".join(tokens[length:]), now, owner)
        if until:
            return Promised(what=_what(tokens[:length]), until=until)
    return NotUnderstood(hint=_PROMISED_WHAT)


def _dispute(rest: str) -> Order | NotUnderstood:
    tokens = _without_label(rest.split())
    if not tokens or not any(character.isalnum() for character in tokens[0]):
        return NotUnderstood(hint=_DISPUTE_WHAT)
    return Disputed(what=_what(tokens[:1]), reason=" ".join(tokens[1:]))


def _stop_chasing(rest: str) -> Order | NotUnderstood:
    return StopChasing(client=rest) if rest else NotUnderstood(hint=_CHASE_WHOM)


def _chase(rest: str) -> Order | NotUnderstood:
    return Chase(client=rest) if rest else NotUnderstood(hint=_CHASE_WHOM)


def _ended(kind: str, rest: str, case: int) -> Order | NotUnderstood:
    """A bid's end; without a number it is the bid of the mail that is answered, and the words are the reason."""
    found = re.fullmatch(r"(?:case |fall |bid )?(\S+)(?:[\s:,;.-]+(.*))?", rest, re.IGNORECASE)
    number = _number(found[1].strip(_SIGNS)) if found else 0
    if found and number and (not case or number == case or not found[2]):
        return Ended(case=number, result=_RESULTS[kind], reason=(found[2] or "").strip())
    return Ended(case=case, result=_RESULTS[kind], reason=rest) if case else NotUnderstood(hint=_ENDED_WHAT)


def _without_label(tokens: list[str]) -> list[str]:
    """The words without "invoice" and its like in front."""
    labels = {_bare(word) for word in table("orders")["common"]["invoice"]}
    while len(tokens) > 1 and _bare(tokens[0]) in labels:
        tokens = tokens[1:]
    return tokens


def _what(tokens: list[str]) -> str:
    return " ".join(tokens).strip(_SIGNS + "#")


def _has_digit(token: str) -> bool:
    return any(character.isdigit() for character in token)


def _not_by_mail(phrase: str) -> Order:
    return NotByMail(what=phrase)


_READERS: dict[str, Callable[[str], Order | NotUnderstood]] = {
    "resume": _resume,
    "pause": _pause,
    "why": _why,
    "fix": _fix,
    "rescue": _rescue,
    "auto": _auto,
    "stop_auto": _stop_auto,
    "paid": _paid,
    "dispute": _dispute,
    "stop_chasing": _stop_chasing,
    "chase": _chase,
    "not_by_mail": _not_by_mail,
}


def _away(rest: str, owner: Owner, now: datetime) -> Order | NotUnderstood:
    until = parse_when(_after_until(rest, owner), now, owner) if rest else None
    return Away(until=until) if until else NotUnderstood(hint=_AWAY_WHEN)


_TIMED: dict[str, Callable[[str, Owner, datetime], Order | NotUnderstood]] = {"away": _away, "promised": _promised}


def _number(text: str) -> int:
    """The number that the text is, 0 when it is none."""
    found = _NUMBER.fullmatch(folded(text))
    return int(found[1]) if found else 0


def _after_until(text: str, owner: Owner) -> str:
    """The time without a leading "until", where a short phrase ("away") met before a longer one ("away until")."""
    long = [phrase.split() for phrase, kind in _phrases(languages_of(owner)).items() if kind == "away"]
    until = {words[-1] for words in long if len(words) > 1} | {"until", "till"}
    first, _, others = text.partition(" ")
    return others if others and _bare(first) in until else text


def _without_greetings(tokens: list[str]) -> list[str]:
    polite = _greetings()
    for length in (3, 2, 1):
        if len(tokens) > length and _bare(" ".join(tokens[:length])) in polite:
            tokens = tokens[length:]
        if len(tokens) > length and _bare(" ".join(tokens[-length:])) in polite:
            tokens = tokens[:-length]
    return tokens


def _bare(text: str) -> str:
    return folded(text).strip(_SIGNS)


@lru_cache(maxsize=1)
def _greetings() -> frozenset[str]:
    return frozenset(_bare(word) for word in table("orders")["common"]["greetings"])


@lru_cache(maxsize=16)
def _phrases(languages: tuple[str, ...]) -> dict[str, str]:
    """Every active phrase -> its kind. One that two languages use differently is the owner's own language's."""
    tables = [words_in(language, "orders") for language in languages]
    return {_bare(phrase): kind for active in reversed(tables) for kind in _KINDS for phrase in active.get(kind, ())}
