"""Order words: the phrases that name an order, in each language that is active, and what a line begins with.

Pure and total: a language without words of its own adds none, and English is always active.
"""

import re
from collections.abc import Mapping
from functools import lru_cache
from typing import Any

from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import visible
from workflows.rules.text.languages import words_in
from workflows.rules.text.words import table

LONGEST = 300  # characters of an order
SIGNS = " .,;:!?\"'*_()[]<>\u2019\u201c\u201d\u201e\u00ab\u00bb\u2026-"
_LONGEST_PHRASE = 5  # words
_LARGEST = 9  # digits of a number
_NUMBER = re.compile(rf"(?:no\.? ?|nr\.? ?)?#?\s?(\d{{1,{_LARGEST}}})(?:\.\d{{1,4}})?")


def words_of(language: str) -> Mapping[str, Any]:
    """One language's phrases by the keys of the rows; English ones for a language that has no file."""
    return words_in(language, "orders")


def _common() -> Mapping[str, Any]:
    """Words around an order, of no language or of all."""
    words: Mapping[str, Any] = table("orders")["common"]
    return words


@lru_cache(maxsize=16)
def phrases(languages: tuple[str, ...]) -> Mapping[str, str]:
    """Every active phrase -> its key. One that two languages use differently is the owner's own language's."""
    tables = [words_of(language) for language in reversed(languages)]
    return {bare(phrase): key for active in tables for key, words in active.items() for phrase in words}


def head(line: str, languages: tuple[str, ...]) -> tuple[str, str, str]:
    """The key that the longest known phrase at the start has ("" for none), that phrase, and what follows it."""
    if len(line) > LONGEST:
        return "", "", ""
    tokens = _without_greetings(visible(line).split())
    active = phrases(languages)
    for length in range(min(_LONGEST_PHRASE, len(tokens)), 0, -1):
        phrase = bare(" ".join(tokens[:length]))
        if phrase in active:
            return active[phrase], phrase, " ".join(tokens[length:])
    return "", "", ""


def bare(text: str) -> str:
    """The text for comparing: folded, without the signs around it."""
    return folded(text).strip(SIGNS)


def number_in(text: str) -> int:
    """The number that the text is, 0 when it is none."""
    match = _NUMBER.fullmatch(folded(text))
    return int(match[1]) if match else 0


def kind_named(words: str) -> str:
    """The kind of mail that these words name ("status updates" is "update"); else the words themselves, folded."""
    kinds: Mapping[str, list[str]] = _common()["kinds"]
    return next((kind for kind, names in kinds.items() if bare(words) in map(bare, names)), folded(words))


@lru_cache(maxsize=1)
def invoice_labels() -> frozenset[str]:
    """The words before an invoice's number that say what it is."""
    return frozenset(bare(word) for word in _common()["invoice"])


def _without_greetings(tokens: list[str]) -> list[str]:
    polite = _greetings()
    for length in (3, 2, 1):
        if len(tokens) > length and bare(" ".join(tokens[:length])) in polite:
            tokens = tokens[length:]
        if len(tokens) > length and bare(" ".join(tokens[-length:])) in polite:
            tokens = tokens[:-length]
    return tokens


@lru_cache(maxsize=1)
def _greetings() -> frozenset[str]:
    return frozenset(bare(word) for word in _common()["greetings"])
