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
from workflows.rules.answers.answer_words import unclear, understood
from workflows.rules.answers.digest_answers import parse_items
from workflows.rules.answers.grammar import common, grammar_of
from workflows.rules.answers.letters import recipients
from workflows.rules.mail.files import attached
from workflows.rules.quoted.frames import is_left_in
from workflows.rules.quoted.typed import Typed, is_too_long, typed
from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import canonical


def read(email: Email, asked: Asked, owner: Owner, now: datetime) -> Decision:
    """The decision in the owner's answer mail to `asked`. It proves nothing: see proof.py."""
    if is_automatic(email):
        return unclear(owner.language, "automatic")
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
        return unclear(owner.language, "too_long", name=name)
    typed_nothing = not answer.words.strip() and not answer.html_words.strip()
    decision = _with_files(decision, email, owner, typed_nothing=typed_nothing)
    if isinstance(decision, _PARTS) and email.is_partial:
        return unclear(owner.language, "partial", defect=_first_cut(email), name=name)
    if isinstance(decision, _PARTS) and asked.purpose != "approval":
        return unclear(owner.language, "no_draft")
    return decision


_PARTS = Approve | Edit | Attach | Without


def _with_files(decision: Decision, email: Email, owner: Owner, *, typed_nothing: bool) -> Decision:
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
    return unclear(owner.language, "attached") if isinstance(decision, Without) else decision


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
            name = "altered" if altered else "empty" if decision is None else "edit_what"
            return unclear(owner.language, name)
        return Edit(text=canonical(block), send=isinstance(decision, Edit) and decision.send)
    if block is not None and isinstance(decision, Approve | Edit | Revise | Attach | Without | Unclear):
        return unclear(owner.language, "both")
    if isinstance(decision, Approve | Without):
        differs = html_words.strip() and understood(html_words, "", owner, now, grammar) != decision
        doubt = "altered" if altered else "unsure" if differs else ""
        return unclear(owner.language, doubt) if doubt else decision
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
        return unclear(owner.language, "automatic")
    answer = typed(email, asked.text, owner.signatures)
    readings = {
        parse_items(words, cases, owner, now) for words in (answer.words, answer.html_words) if words.strip()
    } or {None}
    items = readings.pop() if len(readings) == 1 else None
    if items is None and len(cases) == 1:
        decision = read(email, asked, owner, now)
        return decision if isinstance(decision, Unclear) else ((next(iter(cases)), decision),)
    question = _why_not(email, answer, is_unclear=items is None)
    return unclear(owner.language, question) if question or items is None else items


def _why_not(email: Email, said: Typed, *, is_unclear: bool) -> str:
    """Why an answer to many cases is not acted on, by the name of what is said of it; "" when it may be."""
    if email.html_list or is_unclear:
        return "items_listed" if email.html_list else "items_unsure"
    if said.altered or said.block is not None or email.is_partial:
        return "altered"
    return "attached" if enclosed(email) else ""


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
