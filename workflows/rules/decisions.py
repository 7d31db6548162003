"""What the owner's answer means: a strict grammar over closed lists. Pure and total; a model never gets a say.

A yes is only ever a whole answer from the `approve` list, with case, width, a full stop, thanks, a sign-off and one
friendly emoji forgiven. Whatever else stands beside it makes it something else.
"""

import re
import tomllib
import unicodedata
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from functools import lru_cache
from itertools import islice, takewhile
from pathlib import Path
from typing import Any

from workflows.models import (
    Approve,
    Asked,
    Decision,
    Defect,
    Edit,
    Email,
    Later,
    Mine,
    Never,
    Owner,
    Reject,
    Revise,
    Unclear,
    Why,
)
from workflows.rules import calendar
from workflows.rules.calendar import folded
from workflows.rules.canonical import canonical, visible
from workflows.rules.frames import is_left_in
from workflows.rules.typed import Typed, is_too_long, typed

_LONGEST_VERB = 7  # words
_LONGEST_WORD = 60  # characters
_LONGEST_WISH = 4_000  # characters of an answer that are read
_FEW = 3  # letters: too few for a wish
_ITEMS = 10
_PLAIN_SIGNS = ".,;:!'\"*_-()\u2019\u201c\u201d\u201e\u00ab\u00bb"
_ACCENTS = {220, 230}  # below and above a letter; overlays strike a word out
_NUMBERED = re.compile(r"[,;\n]\s*#?\d{1,9}(?:\.\d+)?\s*[:.)-]?\s")
_ALL_OK = re.compile(r"(?:all|alle|alles|tout|tous|todos?|tudo|tutt[io]|wszystk(?:o|ie)) ok(?:ay)?")

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
_LATER_WHEN = 'It is not clear until when to wait. Please answer for example "later 2d", "later Monday 9:00".'
_UNSURE = (
    "It is not clear whether that is a yes, so nothing was sent. "
    'Please answer just "ok" to send it, "no" to drop it, or say what to change.'
)
_UNSURE_NO = (
    'It is not clear whether that is a no, so nothing was done. Please answer just "no", or say what to change.'
)
_AUTOMATIC = "This looks like an automatic reply or a reaction, not an answer, so nothing was sent."
_ATTACHED = (
    "Your answer has an attachment, and attachments to an answer are not sent on, so nothing was sent. "
    'Please answer "ok" without it to send the draft as it is, or "mine" to answer yourself.'
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
        return Unclear(question=_AUTOMATIC)
    said = typed(email, asked.text)
    decision = parse(said.words, owner, now, html_words=said.html_words, block=said.block, altered=said.altered)
    name = f"{asked.case}.{asked.version}"
    if isinstance(decision, Edit) and decision.send and is_left_in(decision.text, owner.addresses):
        decision = Edit(text=decision.text)  # a piece of our own mail may never reach a client: shown once more
    if isinstance(decision, Edit) and is_too_long(email):
        return Unclear(question=_TOO_LONG.format(name=name))
    if isinstance(decision, Approve | Edit) and email.is_partial:
        return Unclear(question=_PARTIAL.format(defect=_first_cut(email), name=name))
    if isinstance(decision, Approve | Edit) and asked.purpose != "approval":
        return Unclear(question=_NO_DRAFT)
    if isinstance(decision, Approve) and any(_is_file(file.content_type) for file in email.attachments):
        return Unclear(question=_ATTACHED)
    return decision


def parse(  # noqa: PLR0913 - the words and what is known of the mail they stood in
    words: str,
    owner: Owner,
    now: datetime,
    *,
    html_words: str = "",
    block: str | None = None,
    altered: bool = False,
) -> Decision:
    """The decision in what was typed.

    `html_words`: the same words from the HTML part, if there is one; `block`: the quoted draft as the owner changed
    it, else None; `altered`: the quote was changed in another way.
    """
    grammar = _grammar(calendar.language_of(owner))
    # An HTML-only mail has no words but these.
    decision = _understood(words if words.strip() or not html_words else html_words, html_words, owner, now, grammar)
    if decision is None or (isinstance(decision, Edit) and decision.text == "\n"):
        if block is None or altered:
            return Unclear(question=_ALTERED if altered else _EMPTY if decision is None else _EDIT_WHAT)
        return Edit(text=canonical(block), send=isinstance(decision, Edit) and decision.send)
    if block is not None and isinstance(decision, Approve | Edit | Revise | Unclear):
        return Unclear(question=_BOTH)
    if isinstance(decision, Approve):
        return _surely(html_words, owner, now, grammar, altered=altered)
    if isinstance(decision, Edit) and decision.send and altered:
        return Edit(text=decision.text)
    return decision


def parse_item(text: str, owner: Owner, now: datetime) -> Decision | None:
    """The decision for one item of a digest; None when it is not surely understood or needs a mail of its own."""
    decision = _understood(text, "", owner, now, _grammar(calendar.language_of(owner)))
    return None if isinstance(decision, Edit | Unclear | None) or "\n" in text.strip() else decision


def parse_items(
    words: str, cases: Collection[int], owner: Owner, now: datetime
) -> tuple[tuple[int, Decision], ...] | None:
    """Every item of `41 ok, 42 no too cheap, 43 later`, or of `all ok` alone on its line; None unless all is clear."""
    grammar = _grammar(calendar.language_of(owner))
    lines = _without_closing([line.strip() for line in visible(words).split("\n") if line.strip()], owner, grammar)
    if len(lines) == 1 and _everything(lines[0]):
        return tuple((case, Approve()) for case in sorted(cases)[:_ITEMS])
    if not cases:
        return None
    numbers = "|".join(str(case) for case in sorted(cases, reverse=True))
    pieces = re.split(rf"(?:^|[,;\n])\s*#?({numbers})(?:\.\d+)?\s*[:.)-]?\s+", "\n".join(lines))
    named, said = [int(number) for number in pieces[1::2]], [piece.strip(" ,;\n") for piece in pieces[2::2]]
    decisions = [parse_item(piece, owner, now) for piece in said]
    if pieces[0].strip() or not named or len(set(named)) < len(named) or len(named) > _ITEMS:
        return None
    if any(_NUMBERED.search(piece) for piece in said):  # a case that was not asked about is no part of a wish
        return None
    found = [(case, decision) for case, decision in zip(named, decisions, strict=True) if decision is not None]
    return tuple(found) if len(found) == len(named) else None


def read_items(
    email: Email, asked: Asked, cases: Collection[int], owner: Owner, now: datetime
) -> tuple[tuple[int, Decision], ...] | Unclear:
    """The decisions in an answer to a mail that shows these cases: all of them clear, or none. It proves nothing.

    Where it shows one case alone, the words of an answer to a single approval mail will do.
    """
    if is_automatic(email):
        return Unclear(question=_AUTOMATIC)
    said = typed(email, asked.text)
    readings = {parse_items(words, cases, owner, now) for words in (said.words, said.html_words) if words.strip()} or {
        None
    }
    found = readings.pop() if len(readings) == 1 else None
    if found is None and len(cases) == 1:
        decision = read(email, asked, owner, now)
        return decision if isinstance(decision, Unclear) else ((next(iter(cases)), decision),)
    question = _why_not(email, said, unclear=found is None)
    return Unclear(question=question) if question or found is None else found


def _why_not(email: Email, said: Typed, *, unclear: bool) -> str:
    """Why an answer to many cases is not acted on, "" when it may be."""
    if email.html_list or unclear:
        return _ITEMS_LISTED if email.html_list else _ITEMS_UNSURE
    if said.altered or said.block is not None or _cut_short(email):
        return _ALTERED
    return _ATTACHED if any(_is_file(file.content_type) for file in email.attachments) else ""


def is_automatic(email: Email) -> bool:
    """Whether the mail is no person's answer: auto-reply, receipt, reaction, calendar or delivery notice."""
    automatic = email.header("auto-submitted").split(";")[0].strip().lower() not in {"", "no"}
    loud = any(email.has_header(name) for name in ("x-autoreply", "x-autorespond", "x-auto-reply-from"))
    bulk = email.header("precedence").strip().lower() in {"auto_reply", "bulk", "junk", "list"}
    report = "multipart/report" in email.header("content-type").lower()
    kinds = {file.content_type.lower().split(";")[0] for file in email.attachments}
    machine = {"message/disposition-notification", "message/delivery-status", "text/vnd.google.email-reaction+json"}
    subject = folded(email.subject[:300])
    said = any(phrase in subject for phrase in _common("automatic"))
    receipt = bool(
        re.match(r"(?:read|gelesen|lu|leido|lido|letto|gelezen|przeczytano|not read|ungelesen)\s*:", subject)
    )
    return automatic or loud or bulk or report or bool(kinds & machine) or said or receipt


def _is_file(content_type: str) -> bool:
    """Whether an attachment may be something the owner wants sent on: not a signature's picture, key or card."""
    kind = content_type.lower()
    return not kind.startswith("image/") and not re.search(r"signature|pgp|pkcs7|vcard|x-vcard|directory", kind)


def _first_cut(email: Email) -> str:
    """What kept the mail from being read whole, for a sentence."""
    return next((defect.says for defect in email.defects if isinstance(defect, Defect) and defect.cuts), "unknown")


def _cut_short(email: Email) -> bool:
    return email.is_partial


# ---------------------------------------------------------------- the lists


@dataclass(frozen=True, slots=True)
class _Grammar:
    """The active words: the owner's language and English, made comparable."""

    whole: dict[str, Decision]  # answers that must stand alone
    edit: frozenset[str]
    commands: frozenset[str]  # edit words that are also plain imperatives ("modifica il prezzo")
    no: frozenset[str]
    no_stops: frozenset[str]  # words for no that also mean "not": a sentence may begin with them
    not_no: tuple[str, ...]
    later: frozenset[str]
    thanks: tuple[str, ...]
    closings: frozenset[str]
    hedges: frozenset[str]
    conditions: frozenset[str]
    instructions: frozenset[str]


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "decisions.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=4)
def _common(name: str) -> tuple[str, ...]:
    return tuple(folded(word) if name != "friendly" else word for word in _tables()["common"][name])


def _bare(text: str) -> str:
    """The text for comparing: folded, punctuation taken as blanks."""
    return " ".join(re.sub(r"[^\w'+?]|_", " ", folded(text)).split())


@lru_cache(maxsize=16)
def _grammar(language: str) -> _Grammar:
    tables = [_tables()[language], _tables()["en"]]

    def words(name: str) -> frozenset[str]:
        return frozenset(_bare(word) for table in tables for word in table.get(name, ()))

    kinds: dict[str, Decision] = {"why": Why(), "mine": Mine(), "never": Never(), "reject": Reject()}
    whole = {word: decision for name, decision in kinds.items() for word in words(name)}
    clash = words("no") | words("edit") | words("later") | words("no_never") | frozenset(whole)
    # A word that means two things in the two active languages is never a yes.
    whole |= {word: Approve() for word in words("approve") - clash}
    approving = frozenset(part for phrase in words("approve") for part in phrase.split())
    hedges = words("hedges") | {_bare(word) for word in _common("hedges")} | approving | words("thanks")
    return _Grammar(
        whole=whole,
        edit=words("edit"),
        commands=words("edit") - {"edit", "edited", "editar", "editer", "modifier", "bearbeiten", "andern", "aendern"},
        no=words("no") - words("no_never"),
        no_stops=words("no_stops"),
        not_no=tuple(sorted(words("not_no"))),
        later=words("later"),
        thanks=tuple(sorted(words("thanks"), key=len, reverse=True)),
        closings=words("closings") | words("thanks"),
        hedges=hedges | words("closings") | words("conditions"),
        conditions=words("conditions"),
        instructions=words("instructions"),
    )


# ---------------------------------------------------------------- reading


def _surely(html_words: str, owner: Owner, now: datetime, grammar: _Grammar, *, altered: bool) -> Decision:
    """A yes, unless the quote was changed or the HTML part says something else."""
    if altered:
        return Unclear(question=_ALTERED)
    if html_words.strip() and _understood(html_words, "", owner, now, grammar) != Approve():
        return Unclear(question=_UNSURE)
    return Approve()


def _understood(words: str, html_words: str, owner: Owner, now: datetime, grammar: _Grammar) -> Decision | None:
    """The decision in the words alone; None when there are none."""
    text = visible(words).strip()
    if not text:
        return None
    edit = _edit(text, visible(html_words).strip(), grammar)
    if edit is not None:
        return edit
    text = text[:_LONGEST_WISH]
    lines = [line.strip() for line in text.split("\n") if line.strip()]
    kept = _without_closing(lines, owner, grammar)
    if len(words) <= _LONGEST_WISH and len(kept) == 1:
        decision = _whole(kept[0], grammar) or _later(kept[0], owner, now, grammar)
        if decision is not None:
            return decision
    return _no(kept, grammar) or _wish(kept, text, grammar)


def _whole(line: str, grammar: _Grammar) -> Decision | None:
    """The decision of an answer that is exactly one of the listed ones."""
    said, emojis = _without_friendly(line)
    # "ok?" asks, "ok..." hesitates; a "?" belongs to why alone.
    doubtful = "?" in folded(said) or ".." in folded(said)
    bare = _bare(said.replace("?", " ").replace("\u061f", " "))
    for candidate in dict.fromkeys((bare, _without_thanks(bare, grammar))):
        decision = grammar.whole.get(candidate)
        if decision == Why() or (decision is not None and not doubtful and emojis <= 1 and _only_words(said)):
            return decision
    return None


def _only_words(said: str) -> bool:
    """Whether nothing stands beside the words but plain punctuation: no second emoji, dislike, arrow or strike-out."""
    plain = unicodedata.normalize("NFKC", said)
    return all(
        sign.isalnum() or sign.isspace() or sign in _PLAIN_SIGNS or unicodedata.combining(sign) in _ACCENTS
        for sign in plain
    )


def _without_friendly(line: str) -> tuple[str, int]:
    """The line without friendly emoji and smileys, and how many there were."""
    plain = re.sub("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]", "", line)
    count = 0
    for emoji in _common("friendly"):
        count += plain.count(emoji)
        plain = plain.replace(emoji, " ")
    return plain.strip(), count


def _without_thanks(bare: str, grammar: _Grammar) -> str:
    for thanks in grammar.thanks:
        if bare.startswith(f"{thanks} "):
            bare = bare.removeprefix(f"{thanks} ")
            break
    for thanks in grammar.thanks:
        if bare.endswith(f" {thanks}"):
            return bare.removesuffix(f" {thanks}")
    return bare


def _without_closing(lines: list[str], owner: Owner, grammar: _Grammar) -> list[str]:
    """The lines without a sign-off at the end: thanks, regards, the owner's name and what stands under it."""
    parts = folded(owner.name).split()
    names = {" ".join(parts), *parts, "".join(part[0] for part in parts), *(part[0] for part in parts)}
    kept, contacts = list(lines), 0
    while len(kept) - contacts > 1:
        line = kept[len(kept) - contacts - 1]
        said = _bare(_without_friendly(line)[0])
        if "?" not in said and (said in names or said in grammar.closings or _closing_and_name(said, names, grammar)):
            del kept[len(kept) - contacts - 1 :]
            contacts = 0
        elif _is_contact(line, owner):
            contacts += 1
        else:
            break
    return kept


def _closing_and_name(said: str, names: set[str], grammar: _Grammar) -> bool:
    """`lg ada`, `thanks, Ada Winter`."""
    head, _, tail = said.partition(" ")
    while tail:
        if head in grammar.closings and tail in names:
            return True
        word, _, tail = tail.partition(" ")
        head = f"{head} {word}"
    return False


def _is_contact(line: str, owner: Owner) -> bool:
    """A line of a signature: a telephone number, a web or mail address and nothing else."""
    plain = line.strip().lower()
    address = any(known in plain and len(plain) < len(known) + 12 for known in owner.addresses)
    phone = re.fullmatch(
        r"(?:(?:tel|phone|mobil|mobile|cell|fon|t|m)[.:]?\s*)?(?:\+|00|\(0|0)\d[\d ()/.-]{6,24}", plain
    )
    return address or bool(phone) or bool(re.fullmatch(r"(?:https?://|www\.)\S+", plain))


# ---------------------------------------------------------------- answers with text


def _head(line: str, verbs: frozenset[str]) -> tuple[str, str, str] | None:
    """The verb that begins the line, the signs right after it, and the rest of the line."""
    tokens = [(found[0], found.end()) for found in islice(re.finditer(r"\S+", line), _LONGEST_VERB)]
    tokens = list(takewhile(lambda token: len(token[0]) <= _LONGEST_WORD, tokens))
    for length in range(len(tokens), 0, -1):
        joined = " ".join(token for token, _ in tokens[:length])
        # "no-too cheap", "edit:Text": the signs may lack a blank after them.
        found = re.match(r"([\W_]*)(.*?)([^\w'\s]*)$", unicodedata.normalize("NFKC", joined))
        if found and _bare(found[2]) in verbs:
            return _bare(found[2]), found[3], line[tokens[length - 1][1] :].strip()
    glued = re.match(r"([^\W\d_]+)([:,;!\u2013\u2014-]+)(\S.*)", line)
    if glued and _bare(glued[1]) in verbs:
        return _bare(glued[1]), glued[2], glued[3].strip()
    return None


def _edit(text: str, html: str, grammar: _Grammar) -> Edit | Revise | None:
    """`edit` or `edit!` and the text after it; the HTML part's text where it has one (it is not re-wrapped)."""
    source = html if html and _head(html.split("\n", maxsplit=1)[0], grammar.edit) else text
    first, _, below = source.partition("\n")
    found = _head(first, grammar.edit)
    if not found or "?" in found[1] or ".." in found[1]:
        return None
    verb, signs, same_line = found
    if same_line.startswith("!"):  # French puts a blank before it
        signs, same_line = f"{signs}!", same_line.lstrip("! ")
    if same_line and verb in grammar.commands and ":" not in signs:
        return Revise(wishes=text[:_LONGEST_WISH])
    new = canonical(f"{same_line}\n{below}" if same_line else below)
    return Edit(text=new, send="!" in signs and not _reads_as_instruction(new, grammar))


def _reads_as_instruction(text: str, grammar: _Grammar) -> bool:
    """A single line that tells us what to do ("make it shorter") must not leave as the mail itself."""
    lines = text.strip().split("\n")
    if text == "\n" or len(lines) > 1:
        return False
    first = _bare(lines[0]).split()[:1]
    return lines[0][:1].islower() or not first or first[0] in grammar.instructions


def _later(line: str, owner: Owner, now: datetime, grammar: _Grammar) -> Decision | None:
    """`later`, `later 2d`, `tomorrow 9:00`, `Monday`."""
    said, _ = _without_friendly(line)
    found = _head(said, grammar.later)
    if found:
        rest = _without_thanks_at_end(found[2], grammar)
        if "?" in said:
            return Unclear(question=_LATER_WHEN)
        until = calendar.parse_when(rest, now, owner) if rest else _next_working_day(now, owner)
        return Later(until=until) if until else Unclear(question=_LATER_WHEN)
    until = calendar.parse_when(said, now, owner) if re.search(r"[^\W\d_]{2}|\d\s*[a-z]|\d[./-]\d", said) else None
    lone_clock = re.fullmatch(r"[\d:.h \u202f]+(?:am|pm|uhr|h)?", folded(said)) and not re.search(
        r"\d[a-z]$", folded(said)
    )
    return Later(until=until) if until and "?" not in said and not lone_clock else None


def _without_thanks_at_end(text: str, grammar: _Grammar) -> str:
    bare = folded(text).strip(" .!,")
    for thanks in grammar.thanks:
        if bare.endswith(f" {thanks}"):
            return text.strip(" .!,")[: -len(thanks)].strip(" ,")
    return text


def _next_working_day(now: datetime, owner: Owner) -> datetime:
    tomorrow = datetime.combine(now.astimezone(calendar.zone(owner)).date(), time(0), calendar.zone(owner))
    return calendar.next_working_time(tomorrow + timedelta(days=1), owner)


def _no(kept: list[str], grammar: _Grammar) -> Decision | None:
    """`no` and the reason in the owner's words."""
    line, emojis = _without_friendly(kept[0])
    found = _head(line, grammar.no)
    if not found:
        return None
    verb, signs, rest = found
    bare = _bare(line)
    if (
        "?" in signs
        or ".." in signs
        or emojis
        or any(bare == word or bare.startswith(f"{word} ") for word in grammar.not_no)
    ):
        return Unclear(question=_UNSURE_NO)
    if verb in grammar.no_stops and rest and not signs:
        return Unclear(question=_UNSURE_NO)
    reason = "\n".join([rest, *kept[1:]]).strip(" \n,.;:-")
    if _has_yes(reason, grammar):
        return Unclear(question=_UNSURE_NO)
    return Reject(reason="" if _bare(reason) in grammar.thanks else reason)


def _has_yes(text: str, grammar: _Grammar) -> bool:
    """Whether a line or clause of the text is by itself a yes ("no wait, ok")."""
    clauses = re.split(r"[\n,;.!]+", text)
    return any(_whole(clause, grammar) == Approve() for clause in clauses if clause.strip())


def _wish(kept: list[str], text: str, grammar: _Grammar) -> Decision:
    """Anything else: wishes for a new draft, unless it could be a half-hearted yes or says nothing."""
    words = _bare("\n".join(kept)).replace("?", " ").split()
    opening = _without_friendly(kept[0])[0]
    first = re.split(r"[\s,.;:!?]+", folded(opening), maxsplit=1)[0]
    approving = _whole(first, grammar) == Approve() if first else False
    said = folded(text)
    if any(phrase in said for phrase in _common("automatic")) or _is_reaction(said):
        return Unclear(question=_AUTOMATIC)
    empty = all(word in grammar.hedges for word in words) or sum(map(len, words)) <= _FEW
    conditional = approving and any(word in grammar.conditions for word in words)
    several = len(kept) > 1 and any(_whole(line, grammar) is not None for line in kept)
    if empty or conditional or several:
        return Unclear(question=_UNSURE)
    return Revise(wishes=text)


def _is_reaction(said: str) -> bool:
    return len(said) < 300 and any(  # noqa: PLR2004 - a sentence of a program
        re.search(rf"(?:^|\W){re.escape(phrase)}(?:$|\W)", said) for phrase in _common("reactions")
    )


def _everything(line: str) -> bool:
    """`all ok` alone on its line."""
    said, _ = _without_friendly(line)
    return "?" not in said and _only_words(said) and _ALL_OK.fullmatch(_bare(said)) is not None


def without_closing(words: str, owner: Owner) -> list[str]:
    """The lines that were typed, blank ones and a sign-off at the end (thanks, regards, the name) left out."""
    lines = [line.strip() for line in visible(words).split("\n") if line.strip()]
    return _without_closing(lines, owner, _grammar(calendar.language_of(owner)))
