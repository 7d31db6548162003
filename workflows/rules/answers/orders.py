"""What the owner orders by mail: "status", "stop all", "pause Acme". Closed lists, pure and total, as decisions.py.

An order is the whole of what was typed, on one line. In an answer to an approval mail the answer comes first: only what
is no clear answer there can be an order ("stop" drops that draft, "stop all" stops the desk).
"""

import re
from dataclasses import replace
from datetime import datetime
from typing import TypeGuard

from workflows.models.decisions import Approve, Reject, Revise, Unclear, Without
from workflows.models.mail import Email
from workflows.models.orders import Change, Confirm, Ended, Fix, NotUnderstood, Order
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers import decisions
from workflows.rules.answers.closings import without_closing
from workflows.rules.answers.grammar import languages_of
from workflows.rules.orders.readers import Spoken, unknown, unread
from workflows.rules.orders.rows import BY_KEY, row_of
from workflows.rules.orders.words import LONGEST, SIGNS, head
from workflows.rules.quoted.typed import Typed, typed
from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import visible

_SUBJECT = re.compile(r"\s*deskhand(?![\w@-])[\s:,;.!-]*", re.IGNORECASE)

ASKED_BACK = "notice:ask-back:"
"""How the outbox's intent of a mail begins that asks an order back; the key of the order's mail follows."""


def order_in(email: Email, owner: Owner, now: datetime, asked: Asked | None) -> Order | NotUnderstood | None:
    """The order in a mail that the owner wrote to himself alone; None when it is none. It proves nothing: proof.py.

    `asked`: the mail of ours it answers. `now` is what "tomorrow" counts from.
    """
    if asked is None and not is_order_subject(email.subject):
        return None
    written = typed(email, asked.text if asked else "", owner.signatures)
    subject, case = (email.subject, 0) if asked is None else ("", asked.case)
    texts = [words for words in (written.words, written.html_words) if words.strip()] or [""]
    orders = {read_order(subject, words, owner, now, case) for words in texts}
    order = orders.pop() if len(orders) == 1 else unread(owner, "one_line")
    if asked is None:
        return order
    if asked.intent.startswith(ASKED_BACK) and isinstance(order, NotUnderstood | Ended):
        return _confirmed(email, owner, now, asked)
    if asked.purpose == "notice":
        machine = f"./deskhand case {asked.case}" if asked.case else "./deskhand cases"
        is_none = isinstance(order, NotUnderstood) and order.unknown
        return unread(owner, "notice", machine=machine) if is_none else order
    return order if written.block is None and _is_no_answer(order, written, owner, now, asked) else None


def _confirmed(email: Email, owner: Owner, now: datetime, asked: Asked) -> Order | NotUnderstood:
    """The owner's word on an order that was asked back, by the grammar of every other yes and no."""
    match decisions.read(email, replace(asked, purpose="approval"), owner, now):
        case Approve():
            return Confirm(yes=True)
        case Reject():
            return Confirm(yes=False)
        case _:
            return unread(owner, "confirm")


def is_asked_back(order: Order | NotUnderstood, asked: Asked | None) -> TypeGuard[Change | Fix]:
    """Whether the owner is asked before this is carried out: it changes something and answers no mail of ours.

    A link in anybody's mail ("Unsubscribe") can make a mail program write it. "stop all" can only hold.
    """
    row = row_of(order)
    return asked is None and row is not None and row.changes


def _is_no_answer(order: Order | NotUnderstood, said: Typed, owner: Owner, now: datetime, asked: Asked) -> bool:
    """Whether the whole answer to an approval mail is surely an order: whatever may speak of that draft is none."""
    row = row_of(order)
    if row is None or not row.counts(order, asked):
        return False
    if row.alone and _key_of(said.words or said.html_words, owner) == row.alone:
        return False
    answer = decisions.parse(said.words, owner, now, html_words=said.html_words, altered=said.altered)
    return isinstance(answer, Revise | Unclear) or (isinstance(answer, Without) and not answer.send)


def _key_of(words: str, owner: Owner) -> str:
    """The key that the first line of these words begins with, "" for none."""
    lines = without_closing(words, owner)
    return head(lines[0], languages_of(owner))[0] if lines else ""


def is_order_subject(subject: str) -> bool:
    """Whether a mail to oneself with this subject is for the desk: it begins with our name."""
    return _SUBJECT.match(visible(subject)) is not None


def read_order(subject: str, words: str, owner: Owner, now: datetime, case: int = 0) -> Order | NotUnderstood:
    """The order in "deskhand status", or in the words of a mail whose subject is only our name (or an answer's: "").

    `case`: what a bare "why" is about.
    """
    match = _SUBJECT.match(visible(subject))
    named = visible(subject)[match.end() :].strip() if match else ""
    if named:  # the body is a signature, or says the same once more
        return parse_order(named, owner, now, case)
    lines = without_closing(visible(words[: 20 * LONGEST]), owner)
    if len(lines) > 1:
        return unread(owner, "one_line_examples")
    return parse_order(lines[0] if lines else "help", owner, now, case)


def parse_order(line: str, owner: Owner, now: datetime, case: int = 0) -> Order | NotUnderstood:
    """The order that one line is; NotUnderstood says what to write instead."""
    languages = languages_of(owner)
    key, phrase, arguments = head(line, languages)
    row = BY_KEY.get(key)
    if row is None:
        return unknown(owner)
    if row.changes and ("?" in folded(line) or ".." in folded(line)):
        return unread(owner, "question_mark")
    order: Order | NotUnderstood = row.read(
        Spoken(phrase=phrase, rest=arguments.strip(SIGNS), owner=owner, now=now, languages=languages, case=case)
    )
    return order
