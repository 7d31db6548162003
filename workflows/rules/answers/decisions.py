"""What the owner's answer means: a strict grammar over closed lists. Pure and total; a model never gets a say.

A yes is only ever a whole answer from the `approve` list, with case, width, a full stop, thanks, a sign-off and one
friendly emoji forgiven. Whatever else stands beside it makes it something else.
"""

import re
from collections.abc import Collection
from dataclasses import replace
from datetime import datetime

from workflows.models.decisions import Approve, Attach, Decision, Edit, Revise, Unclear, Without
from workflows.models.mail import Attachment, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.answer_words import AUTOMATIC, UNSURE, understood
from workflows.rules.answers.digest_answers import parse_items
from workflows.rules.answers.grammar import common, grammar_of
from workflows.rules.answers.letters import recipients
from workflows.rules.mail.files import attached
from workflows.rules.quoted.frames import is_left_in
from workflows.rules.quoted.typed import Typed, is_too_long, typed
from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import canonical

_EMPTY = "Your answer was empty, so nothing was sent. Please answer with one word (ok, no, mine) or say what to change."
_BOTH = (
    "You wrote something and the quoted draft was changed as well, so nothing was sent. "
    'Please answer either "ok", or "edit" with the whole new text below it, or say what to change.'
)
_ALTERED = (
    "Something in the quoted mail was changed, so your answer was not taken as a yes and nothing was sent. "
    'Please answer "ok" above an unchanged quote, or "edit" with the whole new text below it.'
)
_EDIT_WHAT = (
    'You wrote "edit" without a text, so nothing was changed or sent. Please write the whole new text below it.'
)
_TOO_LONG = (
    "Your answer is longer than what is read of one (200,000 characters or 5,000 lines, the quote included), so "
    "nothing was changed or sent; your text lies in your Sent folder as before. Please answer again without the quote, "
    "or give the text at the machine: ./deskhand edit {name} FILE."
)
_PARTIAL = (
    "Only a part of your answer could be read ({defect}), so nothing was changed or sent. Please answer again with a "
    "short mail of its own words, or at the machine: ./deskhand approve, edit or reject {name}."
)
_ATTACHED = (
    "Your answer has an attachment, and it is not clear which draft it is for, so nothing was sent. Please answer the "
    'approval mail of that case alone with the file attached, or "ok" without it to send the draft as it is.'
)
_ITEMS_UNSURE = (
    "Not every part of your answer is clear, so none of it was acted on and nothing was sent. Please answer that mail "
    'again, each case by its number on a line of its own, for example "41 ok". To edit a draft, write "41" and your '
    "wishes, or wait for its own mail."
)
_ITEMS_LISTED = (
    "Your mail program made a list of your answer, and lists are numbered anew, so nothing was done. Please answer "
    'that mail again with the numbers in one line, for example "41 ok, 42 no too cheap".'
)
_NO_DRAFT = "That mail did not ask about a draft, so there was nothing to send."


def read(email: Email, asked: Asked, owner: Owner, now: datetime) -> Decision:
    """The decision in the owner's answer mail to `asked`. It proves nothing: see proof.py."""
    if is_automatic(email):
        return Unclear(question=AUTOMATIC)
    answer = typed(email, asked.text, owner.signatures)
    decision = parse(
        answer.words,
        owner,
        now,
        html_words=answer.html_words,
        block=answer.block,
        altered=answer.altered,
        to=recipients(asked.text),
    )
    name = f"{asked.case}.{asked.version}"
    if isinstance(decision, Edit) and decision.send and is_left_in(decision.text, owner.addresses):
        decision = Edit(text=decision.text)  # a piece of our own mail may never reach a client: shown once more
    if isinstance(decision, Edit) and is_too_long(email):
        return Unclear(question=_TOO_LONG.format(name=name))
    decision = _with_files(decision, email, typed_nothing=not answer.words.strip() and not answer.html_words.strip())
    if isinstance(decision, _PARTS) and email.is_partial:
        return Unclear(question=_PARTIAL.format(defect=_first_cut(email), name=name))
    if isinstance(decision, _PARTS) and asked.purpose != "approval":
        return Unclear(question=_NO_DRAFT)
    return decision


_PARTS = Approve | Edit | Attach | Without


def _with_files(decision: Decision, email: Email, *, typed_nothing: bool) -> Decision:
    """The decision with the files that lay with the answer: they are shown first, whatever it says, and never sent."""
    files = enclosed(email)
    if not files:
        return decision
    if isinstance(decision, Approve) or (isinstance(decision, Unclear) and typed_nothing):
        return Attach(files=files)
    if isinstance(decision, Edit):
        return replace(decision, files=files, send=False, letter=True)
    if isinstance(decision, Attach | Revise):
        return replace(decision, files=files)
    return Unclear(question=_ATTACHED) if isinstance(decision, Without) else decision


def enclosed(email: Email) -> tuple[Attachment, ...]:
    """The files of an answer that somebody meant to send on: no logo, key, card or picture of a signature."""
    return tuple(file for file in attached(email) if _is_file(file.content_type) and file.size)


def parse(  # noqa: PLR0913 - the words and what is known of the mail they stood in
    words: str,
    owner: Owner,
    now: datetime,
    *,
    html_words: str = "",
    block: str | None = None,
    altered: bool = False,
    to: frozenset[str] = frozenset(),
) -> Decision:
    """The decision in what was typed.

    `html_words`: the same words from the HTML part, if there is one; `block`: the quoted draft as the owner changed
    it, else None; `altered`: the quote was changed in another way; `to`: names of those whom the draft is for.
    """
    grammar = grammar_of(owner)
    # An HTML-only mail has no words but these.
    plain = words if words.strip() or not html_words else html_words
    decision = understood(plain, html_words, owner, now, grammar, to=to)
    if decision is None or (isinstance(decision, Edit) and decision.text == "\n"):
        if block is None or altered:
            return Unclear(question=_ALTERED if altered else _EMPTY if decision is None else _EDIT_WHAT)
        return Edit(text=canonical(block), send=isinstance(decision, Edit) and decision.send)
    if block is not None and isinstance(decision, Approve | Edit | Revise | Attach | Without | Unclear):
        return Unclear(question=_BOTH)
    if isinstance(decision, Approve | Without):
        differs = html_words.strip() and understood(html_words, "", owner, now, grammar) != decision
        return Unclear(question=_ALTERED if altered else UNSURE) if altered or differs else decision
    if isinstance(decision, Edit) and decision.send and altered:
        return Edit(text=decision.text)
    return decision


def read_items(
    email: Email, asked: Asked, cases: Collection[int], owner: Owner, now: datetime
) -> tuple[tuple[int, Decision], ...] | Unclear:
    """The decisions in an answer to a mail that shows these cases: all of them clear, or none. It proves nothing.

    Where it shows one case alone, the words of an answer to a single approval mail will do.
    """
    if is_automatic(email):
        return Unclear(question=AUTOMATIC)
    answer = typed(email, asked.text, owner.signatures)
    readings = {
        parse_items(words, cases, owner, now) for words in (answer.words, answer.html_words) if words.strip()
    } or {None}
    items = readings.pop() if len(readings) == 1 else None
    if items is None and len(cases) == 1:
        decision = read(email, asked, owner, now)
        return decision if isinstance(decision, Unclear) else ((next(iter(cases)), decision),)
    question = _why_not(email, answer, unclear=items is None)
    return Unclear(question=question) if question or items is None else items


def _why_not(email: Email, said: Typed, *, unclear: bool) -> str:
    """Why an answer to many cases is not acted on, "" when it may be."""
    if email.html_list or unclear:
        return _ITEMS_LISTED if email.html_list else _ITEMS_UNSURE
    if said.altered or said.block is not None or email.is_partial:
        return _ALTERED
    return _ATTACHED if enclosed(email) else ""


def is_automatic(email: Email) -> bool:
    """Whether the mail is no person's answer: auto-reply, receipt, reaction, calendar or delivery notice."""
    automatic = email.header("auto-submitted").split(";")[0].strip().lower() not in {"", "no"}
    loud = any(email.has_header(name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply-from"))
    bulk = email.header("precedence").strip().lower() in {"auto_reply", "bulk", "junk", "list"}
    report = "multipart/report" in email.header("content-type").lower()
    kinds = {file.content_type.lower().split(";")[0] for file in email.attachments}
    machine = {"message/disposition-notification", "message/delivery-status", "text/vnd.google.email-reaction+json"}
    subject = folded(email.subject[:300])
    in_subject = any(phrase in subject for phrase in common("automatic"))
    receipt = bool(
        re.match(r"(?:read|gelesen|lu|leido|lido|letto|gelezen|przeczytano|not read|ungelesen)\s*:", subject)
    )
    return automatic or loud or bulk or report or bool(kinds & machine) or in_subject or receipt


def _is_file(content_type: str) -> bool:
    """Whether an attachment may be something the owner wants sent on: not a signature's picture, key or card."""
    kind = content_type.lower()
    return not kind.startswith("image/") and not re.search(r"signature|pgp|pkcs7|vcard|x-vcard|directory", kind)


def _first_cut(email: Email) -> str:
    """What kept the mail from being read whole, for a sentence."""
    return next((defect.says for defect in email.defects if defect.cuts), "unknown")
