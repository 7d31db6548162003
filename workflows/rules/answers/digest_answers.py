"""Digest answers: many cases answered in one mail, `41 ok, 42 no too cheap` or `12 Ok. 10 Nein`. Pure and total.

An answer is read whole or not at all. A number is a case's number where that case was shown and a decision follows; any
other number is part of a reason, and where that is not sure nothing is read.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from datetime import datetime
from functools import cache
from itertools import zip_longest

from workflows.models.decisions import Approve, Decision, Edit, Later, Reject, Revise, Unclear
from workflows.models.people import Owner
from workflows.rules.answers.answer_words import only_words, understood, whole
from workflows.rules.answers.closings import lines_without_closing, names_of, without_friendly
from workflows.rules.answers.grammar import Grammar, bare, grammar_of, head
from workflows.rules.text.canonical import visible
from workflows.rules.text.words import table

_ITEMS = 10
_LONGEST_DECISION = 7  # words
_MOST_NUMBERS = 60
_LONGEST = 20_000  # characters
_ALL_OK = re.compile(r"(?:all|alle|alles|tout|tous|todos?|tudo|tutt[io]|wszystk(?:o|ie)) ok(?:ay)?")
_NUMBER = re.compile(
    r"(?<![\w#])(?<!\d[.,:/-])[(\[]?#?(?P<number>\d{1,9})(?:\.\d{1,4})?(?![\w%€$£]|[.,:/-]\d)"
    r"(?P<signs>[ \t]*[)\]:.=>\u2192\u2013\u2014-]{0,3})[ \t]*"
)
_HARD, _SOFT = "\n;,", ".!)]/|&+"


@dataclass(frozen=True, slots=True)
class _Mark:
    """A number in an answer, with what stands around it."""

    number: int
    start: int
    end: int  # behind it and its signs: where the words about it begin
    separated: bool  # it stands at the beginning, behind a sign that ends something, or behind "and"
    hard: bool  # that sign is a comma, a semicolon or the end of a line
    opens_line: bool
    colon: bool
    decided: bool  # a decision of the closed list follows
    measured: bool  # a unit follows: "10 EUR"


def parse_item(text: str, owner: Owner, now: datetime) -> Decision | None:
    """The decision for one item of a digest; None when it is not surely understood or needs a mail of its own."""
    decision = understood(text, "", owner, now, grammar_of(owner))
    return None if isinstance(decision, Edit | Unclear | None) or "\n" in text.strip() else decision


def parse_items(
    words: str, cases: Collection[int], owner: Owner, now: datetime
) -> tuple[tuple[int, Decision], ...] | None:
    """Every item of `41 ok, 42 no too cheap, 43 later`, or of `all ok` alone on its line; None unless all is clear."""
    grammar = grammar_of(owner)
    lines = [line.strip() for line in visible(words[:_LONGEST]).split("\n") if line.strip()]
    lines = lines_without_closing(lines, owner, grammar)
    if len(words) > _LONGEST:
        return None
    if len(lines) == 1 and _everything(lines[0]):
        return tuple((case, Approve()) for case in sorted(cases)[:_ITEMS])
    text = _without_name("\n".join(lines), owner)
    marks = _marks(text, grammar)
    bounds = _bounds(marks, text, cases)
    if not bounds or text[: bounds[0][0].start].strip():
        return None
    items = _items(text, bounds, owner, now, grammar)
    numbers = [number for number, _ in items or ()]
    return items if items and len(set(numbers)) == len(numbers) <= _ITEMS else None


def _everything(line: str) -> bool:
    """`all ok` alone on its line."""
    words, _ = without_friendly(line)
    return "?" not in words and only_words(words) and _ALL_OK.fullmatch(bare(words)) is not None


def _without_name(text: str, owner: Owner) -> str:
    """The text without the owner's name behind its last sentence: "12 ok. 10 no. Nora"."""
    sentences, stop, last = text.rpartition(".")
    return sentences if stop and bare(last) in names_of(owner) else text


# ---------------------------------------------------------------- numbers


def _marks(text: str, grammar: Grammar) -> list[_Mark]:
    marks = []
    for match in _NUMBER.finditer(text):
        before, after = text[: match.start()].rstrip(" \t"), text[match.end() :]
        hard = not before or before[-1] in _HARD
        following = _after(after, grammar)
        marks.append(
            _Mark(
                number=int(match["number"]),
                start=match.start(),
                end=match.end(),
                separated=hard or before[-1] in _SOFT or _ends_in_and(before),
                hard=hard,
                opens_line=not before or before[-1] == "\n",
                colon=":" in match["signs"],
                decided=following,
                measured=bare(after[:40]).split()[:1] != [] and bare(after[:40]).split()[0] in _units(),
            )
        )
        if len(marks) > _MOST_NUMBERS:
            break
    return marks


def _after(text: str, grammar: Grammar) -> bool:
    """Whether a decision of the closed lists stands at the beginning of this text."""
    line = text.split("\n", maxsplit=1)[0][:400]
    if head(line, grammar.no | grammar.later | grammar.edit):
        return True
    tokens = re.findall(r"\S+", line)[:_LONGEST_DECISION]
    starts = [" ".join(tokens[:length]) for length in range(1, len(tokens) + 1)]
    return any(whole(start.rstrip(".,;:"), grammar) is not None for start in starts) or any(
        bare(start) in grammar.approving for start in starts
    )


def _ends_in_and(before: str) -> bool:
    return before.rpartition("\n")[2].rpartition(" ")[2].casefold() in table("plain_answers")["common"]["and"]


@cache
def _units() -> frozenset[str]:
    return frozenset(bare(unit) for unit in table("plain_answers")["common"]["units"])


def _bounds(marks: list[_Mark], text: str, cases: Collection[int]) -> list[tuple[_Mark, ...]] | None:
    """The numbers of cases, each with those that are answered together with it ("12 and 10 ok"); None when unsure."""
    if len(marks) > _MOST_NUMBERS:
        return None
    bounds: list[tuple[_Mark, ...]] = []
    waiting: list[_Mark] = []
    for mark, following in zip_longest(marks, marks[1:]):
        if following and _joined(text[mark.end : following.start]):
            if not mark.separated and not waiting:  # "she asked for 11 and 10 ok"
                return None
            waiting.append(mark)
            continue
        if mark.decided or waiting or (mark.hard and not mark.measured):
            if mark.number not in cases or any(earlier.number not in cases for earlier in waiting):
                return None
            if waiting and not mark.decided:
                return None
            bounds.append((*waiting, mark))
            waiting = []
        elif not _is_part_of_a_reason(mark, following, text, cases):
            return None
    return bounds


def _joined(between: str) -> bool:
    """Whether nothing but "and" stands between two numbers."""
    return between.strip().casefold() in {"&", "+", *table("plain_answers")["common"]["and"]}


def _is_part_of_a_reason(mark: _Mark, following: _Mark | None, text: str, cases: Collection[int]) -> bool:
    """Whether a number that no decision follows is surely no case's."""
    after = text[mark.end : following.start if following else len(text)].strip(" \t\n,;.!")
    return mark.measured or (not mark.separated and (mark.number not in cases or bool(after)))


# ---------------------------------------------------------------- items


def _items(
    text: str, bounds: list[tuple[_Mark, ...]], owner: Owner, now: datetime, grammar: Grammar
) -> tuple[tuple[int, Decision], ...] | None:
    items: list[tuple[int, Decision]] = []
    ends = [bound[0].start for bound in bounds[1:]]
    before: Decision | None = None
    for bound, end in zip(bounds, [*ends, len(text)], strict=True):
        words = _words(text[bound[-1].end : end], is_last=end == len(text))
        decision = parse_item(words, owner, now)
        if decision is None or not _is_sure(bound, decision, before, words, grammar):
            return None
        items += [(mark.number, decision) for mark in bound]
        before = decision
    return tuple(items)


def _words(piece: str, *, is_last: bool) -> str:
    """What is said of one case, without what leads over to the next."""
    words = piece.strip(" \t\n,;([|/&+#\u2013\u2014-")
    last = words.rpartition(" ")
    if not is_last and last[0] and last[2].casefold() in table("plain_answers")["common"]["and"]:
        words = last[0].strip(" \t\n,;")
    return words


def _is_sure(
    bound: tuple[_Mark, ...], decision: Decision, before: Decision | None, words: str, grammar: Grammar
) -> bool:
    """Whether the number really begins a case's answer: it may also stand in the reason of the one before."""
    mark = bound[0]
    if isinstance(decision, Revise):
        opening = re.split(r"[\s,.;:!?]+", words, maxsplit=1)[0]
        if mark.decided or bare(opening) in grammar.approving or len(bound) > 1:
            return False
        return mark.opens_line or mark.colon or not _has_text(before)
    if mark.separated or not _has_text(before):
        return True
    return not isinstance(decision, Approve)  # "12 no, she wanted 10 ok"


def _has_text(decision: Decision | None) -> bool:
    """Whether free words or a time end the answer before."""
    return isinstance(decision, Revise | Later) or (isinstance(decision, Reject) and bool(decision.reason))
