"""Answer words: the decision in what was typed, read by the closed lists of grammar.py. Pure and total.

A yes is only ever a whole answer from the `approve` list. A refusal and a "mine" are also known in plain words, made of
the listed parts of one language: both only hold a mail back.
"""

import re
import unicodedata
from datetime import datetime, time, timedelta

from workflows.models.decisions import Approve, Decision, Edit, Later, Mine, Reject, Revise, Unclear, Why
from workflows.models.people import Owner
from workflows.rules.answers import parts
from workflows.rules.answers.closings import lines_without_closing, without_friendly
from workflows.rules.answers.grammar import Grammar, PlainWords, bare, common, head, when
from workflows.rules.answers.letters import is_letter
from workflows.rules.text import calendar
from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import canonical, visible
from workflows.rules.text.composed import composed
from workflows.rules.text.language import language_of
from workflows.rules.text.speech import say

LONGEST_WISH = 4_000
"""Characters of an answer that are read."""
_FEW = 3  # letters: too few for a wish
_LONGEST_PLAIN = 14  # words of a refusal or a "mine" in plain words
_PLAIN_SIGNS = ".,;:!'\"*_-()\u2019\u201c\u201d\u201e\u00ab\u00bb"
_ACCENTS = {220, 230}  # below and above a letter; overlays strike a word out


def understood(  # noqa: PLR0913 - the words and what they are read by
    words: str, html_words: str, owner: Owner, now: datetime, grammar: Grammar, *, to: frozenset[str] = frozenset()
) -> Decision | None:
    """The decision in the words alone; None when there are none. `to`: names of those whom the draft is for."""
    text = visible(words).strip()
    if not text:
        return None
    edit = _edit(text, visible(html_words).strip(), grammar)
    if edit is not None:
        return edit
    letter = _letter(text, visible(html_words).strip(), owner, to)
    text = text[:LONGEST_WISH]
    lines = lines_without_closing([line.strip() for line in text.split("\n") if line.strip()], owner, grammar)
    if len(words) <= LONGEST_WISH and len(lines) == 1:
        decision = whole(lines[0], grammar) or _later(lines[0], owner, now, grammar)
        if decision is not None:
            return decision
        if part := _part(lines[0], owner, now, grammar):
            return part
    return _no(lines, grammar) or letter or _plain_no(lines, grammar) or _wish(lines, text, grammar)


def unclear(language: str, name: str, /, **facts: object) -> Unclear:
    """What is not acted on, and what is said of it in the owner's language."""
    return Unclear(question=say(language, f"unclear.{name}", **facts))


def _part(line: str, owner: Owner, now: datetime, grammar: Grammar) -> Decision | None:
    """Files that go with the draft, or a part of it that is left out."""
    before = parts.before_without(line, grammar)
    if before is None:
        return parts.attaching(line, grammar)
    decides = understood(before, "", owner, now, grammar) if before else None
    return parts.leaving_out(line, grammar, decides)


# ---------------------------------------------------------------- answers that stand alone


def whole(line: str, grammar: Grammar) -> Decision | None:
    """The decision of an answer that is exactly one of the listed ones, or a refusal or "mine" in plain words."""
    words, emojis = without_friendly(line)
    # "ok?" asks, "ok..." hesitates; a "?" belongs to why alone.
    doubtful = "?" in folded(words) or ".." in folded(words)
    plain = bare(words.replace("?", " ").replace("\u061f", " "))
    for candidate in dict.fromkeys((plain, _without_thanks(plain, grammar))):
        decision = grammar.whole.get(candidate)
        if decision == Why() or (decision is not None and not doubtful and emojis <= 1 and only_words(words)):
            return decision
    if doubtful or emojis > 1 or not only_words(words):
        return None
    return _in_plain_words(plain, grammar)


def only_words(words: str) -> bool:
    """Whether nothing stands beside the words but plain punctuation: no second emoji, dislike, arrow or strike-out."""
    plain = composed("NFKC", words)
    return all(
        sign.isalnum() or sign.isspace() or sign in _PLAIN_SIGNS or unicodedata.combining(sign) in _ACCENTS
        for sign in plain
    )


def _without_thanks(plain: str, grammar: Grammar) -> str:
    for thanks in grammar.thanks:
        if plain.startswith(f"{thanks} "):
            plain = plain.removeprefix(f"{thanks} ")
            break
    for thanks in grammar.thanks:
        if plain.endswith(f" {thanks}"):
            return plain.removesuffix(f" {thanks}")
    return plain


def _in_plain_words(plain: str, grammar: Grammar) -> Reject | Mine | None:
    """A refusal or a "mine" that is made of the listed parts of one language, and of nothing else."""
    tokens = plain.split()
    short = _without_thanks(plain, grammar)
    if not 0 < len(tokens) <= _LONGEST_PLAIN or plain in grammar.no:
        return None
    if short in grammar.no or any(short in words.refusals for words in grammar.plain):  # "danke, nein"
        return Reject()
    if any(short == phrase or short.startswith(f"{phrase} ") for phrase in grammar.not_no):
        return None
    # What begins with "no" is a refusal with its reason ("no I will call her"), read as such.
    if tokens[0] not in grammar.no and any(_is_mine(tokens, short, words) for words in grammar.plain):
        return Mine()
    return Reject() if any(_is_refusal(tokens, short, words) for words in grammar.plain) else None


def _is_refusal(tokens: list[str], plain: str, words: PlainWords) -> bool:
    composed = len(tokens) > 1 and all(token in words.refuse or token in words.refuse_with for token in tokens)
    return composed and any(token in words.refuse for token in tokens) and plain not in words.not_refusal


def _is_mine(tokens: list[str], plain: str, words: PlainWords) -> bool:
    if plain in words.mine:
        return True
    doers = [place for place, token in enumerate(tokens) if token in words.mine_i]
    verbs = [place for place, token in enumerate(tokens) if token in words.mine_do]
    if not doers or not verbs or plain in words.not_mine or (words.subject_first and verbs[0] < doers[0]):
        return False
    # "nie zajmę się tym" and "I won't do it" say that nobody answers.
    return all(token in words.mine_i or token in words.mine_do or token in words.mine_with for token in tokens)


# ---------------------------------------------------------------- answers with text


def _edit(text: str, html: str, grammar: Grammar) -> Edit | Revise | None:
    """`edit` or `edit!` and the text after it; the HTML part's text where it has one (it is not re-wrapped)."""
    source = html if html and head(html.split("\n", maxsplit=1)[0], grammar.edit) else text
    first, _, below = source.partition("\n")
    match = head(first, grammar.edit)
    if not match or "?" in match[1] or ".." in match[1]:
        return None
    verb, signs, same_line = match
    if same_line.startswith("!"):  # French puts a blank before it
        signs, same_line = f"{signs}!", same_line.lstrip("! ")
    if same_line and verb in grammar.commands and ":" not in signs:
        return Revise(wishes=text[:LONGEST_WISH])
    new = canonical(f"{same_line}\n{below}" if same_line else below)
    return Edit(text=new, send="!" in signs and not _reads_as_instruction(new, grammar))


def _reads_as_instruction(text: str, grammar: Grammar) -> bool:
    """A single line that tells us what to do ("make it shorter") must not leave as the mail itself."""
    lines = text.strip().split("\n")
    if text == "\n" or len(lines) > 1:
        return False
    first = bare(lines[0]).split()[:1]
    return lines[0][:1].islower() or not first or first[0] in grammar.instructions


def _letter(text: str, html: str, owner: Owner, to: frozenset[str]) -> Edit | None:
    """A letter to the client without the word "edit": their new text, which is shown once more."""
    if not is_letter(text, owner, to):
        return None
    return Edit(text=canonical(html if html and is_letter(html, owner, to) else text), letter=True)


def _later(line: str, owner: Owner, now: datetime, grammar: Grammar) -> Decision | None:
    """`later`, `later 2d`, `tomorrow 9:00`, `Monday`."""
    words, _ = without_friendly(line)
    match = head(words, grammar.later)
    if match:
        time_words = _without_thanks_at_end(match[2], grammar)
        if "?" in words:
            return unclear(grammar.language, "later_when")
        until = when(time_words, now, owner) if time_words else _next_working_day(now, owner)
        return Later(until=until) if until else unclear(grammar.language, "later_when")
    until = when(words, now, owner) if re.search(r"[^\W\d_]{2}|\d\s*[a-z]|\d[./-]\d", words) else None
    lone_clock = re.fullmatch(r"[\d:.h \u202f]+(?:am|pm|uhr|h)?", folded(words)) and not re.search(
        r"\d[a-z]$", folded(words)
    )
    return Later(until=until) if until and "?" not in words and not lone_clock else None


def _without_thanks_at_end(text: str, grammar: Grammar) -> str:
    plain = folded(text).strip(" .!,")
    for thanks in grammar.thanks:
        if plain.endswith(f" {thanks}"):
            return text.strip(" .!,")[: -len(thanks)].strip(" ,")
    return text


def _next_working_day(now: datetime, owner: Owner) -> datetime:
    tomorrow = datetime.combine(now.astimezone(calendar.zone(owner)).date(), time(0), calendar.zone(owner))
    return calendar.next_working_time(tomorrow + timedelta(days=1), owner)


def _no(kept: list[str], grammar: Grammar) -> Decision | None:
    """`no` and the reason in the owner's words."""
    line, emojis = without_friendly(kept[0])
    match = head(line, grammar.no)
    if not match:
        return None
    verb, signs, reason = match
    plain = bare(line)
    doubtful = "?" in signs or ".." in signs or emojis
    if doubtful or any(plain == word or plain.startswith(f"{word} ") for word in grammar.not_no):
        return unclear(grammar.language, "unsure_no")
    if reason and not signs and _is_only_not(verb, reason, grammar):
        listed = whole(line, grammar) if len(kept) == 1 else None
        return listed or unclear(grammar.language, "unsure_no")
    return _refused("\n".join([reason, *kept[1:]]), grammar)


def _is_only_not(verb: str, rest: str, grammar: Grammar) -> bool:
    """Whether this word for no may begin a sentence in the language that it is of ("no menciones el precio")."""
    languages = {code for code, word in grammar.no_stops if word == verb}
    spoken = language_of(rest)
    return grammar.language in languages or spoken in languages or (bool(languages) and spoken not in {"", "en"})


def _refused(reason: str, grammar: Grammar) -> Decision:
    """A refusal with its reason, unless a part of that is by itself a yes ("no wait, ok")."""
    reason = reason.strip(" \n,.;:-\u2013\u2014")
    if _has_yes(reason, grammar):
        return unclear(grammar.language, "unsure_no")
    decision = whole(reason, grammar) if reason else None
    listed = grammar.whole.get(_without_thanks(bare(reason), grammar)) if reason else None
    if isinstance(listed, Mine):  # "no, I'll do it myself"; "no, I will call her" is a reason
        return listed
    says_nothing = bare(reason) in grammar.thanks or isinstance(decision, Reject)
    return Reject(reason="" if says_nothing else reason)


def _plain_no(kept: list[str], grammar: Grammar) -> Decision | None:
    """A refusal in plain words, and the reason: `rather not, too cheap`. What follows as an order is a wish instead."""
    match = re.match(r"(.{2,120}?)(?:[,;:!]|\.(?=\s|$)|\s[-\u2013\u2014])\s*(.*)", kept[0])
    clause, remark = (match[1], match[2]) if match else (kept[0], "")
    if "?" in kept[0] or not isinstance(whole(clause, grammar), Reject):
        return None
    reason = "\n".join([remark, *kept[1:]]).strip()
    first = _without_thanks(bare(reason), grammar).split()[:1]
    return None if first and first[0] in grammar.imperatives else _refused(reason, grammar)


def _has_yes(text: str, grammar: Grammar) -> bool:
    """Whether a line or clause of the text is by itself a yes ("no wait, ok")."""
    clauses = re.split(r"[\n,;.!]+", text)
    return any(
        whole(clause, grammar) == Approve() or bare(clause) in grammar.approving for clause in clauses if clause.strip()
    )


def _wish(kept: list[str], text: str, grammar: Grammar) -> Decision:
    """Anything else: wishes for a new draft, unless it could be a half-hearted yes or says nothing."""
    words = bare("\n".join(kept)).replace("?", " ").split()
    opening = without_friendly(kept[0])[0]
    first = re.split(r"[\s,.;:!?]+", folded(opening), maxsplit=1)[0]
    approving = bool(first) and (whole(first, grammar) == Approve() or bare(first) in grammar.approving)
    plain = folded(text)
    if any(phrase in plain for phrase in common("automatic")) or _is_reaction(plain):
        return unclear(grammar.language, "automatic")
    empty = all(word in grammar.hedges for word in words) or sum(map(len, words)) <= _FEW
    conditional = approving and any(word in grammar.conditions for word in words)
    several = len(kept) > 1 and any(whole(line, grammar) is not None for line in kept)
    if empty or conditional or several:
        return unclear(grammar.language, "unsure")
    return Revise(wishes=text)


def _is_reaction(plain: str) -> bool:
    return len(plain) < 300 and any(  # noqa: PLR2004 - a sentence of a program
        re.search(rf"(?:^|\W){re.escape(phrase)}(?:$|\W)", plain) for phrase in common("reactions")
    )
