"""The words that mail programs put around a quote: one list for every rule that reads quoted mail.

`quotes.toml` has the languages without a file of their own; the words of the others stand in theirs.
"""

import re
from collections.abc import Iterable
from functools import cache, lru_cache
from typing import Any

from workflows.rules.text.calendar import folded
from workflows.rules.text.words import fold, phrases, table

LETTERS = re.compile(r"[^\W\d_]+")
SCRIPTS = re.compile("[\u0e00-\u0eff\u1000-\u109f\u3040-\u30ff\u3400-\u9fff\uac00-\ud7af\u1100-\u11ff]")
"""Letters of scripts that put no blanks between words."""
_SHORTEST_VERB = 4  # letters of a verb that can be told from another word
_APART = "[^:]{0,120} ?"
_NAME = "[^\\-]{1,80}"


# ---------------------------------------------------------------- headers


@lru_cache(maxsize=4000)
def header_kind(name: str) -> str:
    """What a header of that name says: "from", "date", "to", "subject", "other", or "" for no header."""
    return _kinds().get(folded(name).strip("* "), "")


@cache
def header_names() -> tuple[str, ...]:
    """Every name of a header, longest first."""
    return tuple(sorted(_kinds(), key=len, reverse=True))


@cache
def _kinds() -> dict[str, str]:
    lists = _lists()["headers"]
    # The name of two headers is that of the first: "data" is a date, and "a" to whom.
    rows = [(folded(name), kind) for kind in ("other", "subject", "to", "date", "from") for name in lists[kind]]
    return dict(rows)


# ---------------------------------------------------------------- words of an attribution


def is_listed(word: str) -> bool:
    """Whether programs write this word (folded) around a quote, whoever is named in it."""
    return word in _plain() or word in verbs() or (bool(SCRIPTS.search(word)) and not _without_pieces(word))


def has_verb(words: Iterable[str]) -> bool:
    """Whether one of these words (folded) says that somebody wrote."""
    return any(word in verbs() or (SCRIPTS.search(word) and _holds_a_verb(word)) for word in words)


@cache
def verbs() -> frozenset[str]:
    """Each word of a verb that is no word of a date or a header as well."""
    lists = _lists()
    heads = _words([*_kinds(), *lists["dates"]["words"]])
    long = (word for word in _verb_words() - heads if len(word) >= _SHORTEST_VERB or not word.isascii())
    return frozenset(word for word in long if len(word) > 1)


def _holds_a_verb(word: str) -> bool:
    return any(verb in word for verb in verbs() if SCRIPTS.search(verb))


def _without_pieces(word: str) -> str:
    for piece in _pieces():
        word = word.replace(piece, "")
    return word


@cache
def _pieces() -> tuple[str, ...]:
    written = (word for word in _plain() | _verb_words() if SCRIPTS.search(word))
    return tuple(sorted(written, key=len, reverse=True))


@cache
def _plain() -> frozenset[str]:
    lists = _lists()
    titles = _titles("original", "forwarded", "other")
    return _words([*_kinds(), *lists["attribution"]["words"], *lists["dates"]["words"], *titles])


@cache
def _verb_words() -> frozenset[str]:
    lists = _lists()["attribution"]
    return _words([*lists["verbs"], *lists["quoting"]])


@cache
def you() -> frozenset[str]:
    """What programs call the one who is answered."""
    return frozenset(folded(word) for word in _lists()["attribution"]["you"])


# ---------------------------------------------------------------- patterns on folded text


@cache
def wrote() -> re.Pattern[str]:
    """That somebody wrote: a verb by itself, or one in two pieces with the writer between them."""
    lists = _lists()["attribution"]
    spoken = [re.escape(fold(verb)) for verb in (*lists["verbs"], *lists["told"]) if not SCRIPTS.search(verb)]
    apart = [_APART.join(re.escape(fold(piece)) for piece in verb.split("...")) for verb in lists["apart"]]
    joined = "|".join(re.escape(fold(verb)) for verb in lists["verbs"] if SCRIPTS.search(verb) and len(verb) > 1)
    return re.compile(f"{phrases([*apart, *spoken]).pattern}|{joined}")


@cache
def quoting() -> re.Pattern[str]:
    """The first words of "Quoting Jane <jane@...>:"."""
    return phrases(re.escape(fold(word)) for word in _lists()["attribution"]["quoting"])


@cache
def starters() -> re.Pattern[str]:
    """The first words of an attribution."""
    return phrases(re.escape(fold(word)) for word in _lists()["attribution"]["starters"])


@cache
def original() -> re.Pattern[str]:
    """What stands between two rows of dashes above an older mail."""
    return phrases(re.escape(fold(title)) for title in _titles("original"))


@cache
def forwarded() -> re.Pattern[str]:
    """What stands above a mail that is sent on."""
    named = [f"{re.escape(fold(title))} {_NAME}" for title in _titles("forwarded_by")]
    return phrases([*(re.escape(fold(title)) for title in _titles("forwarded")), *named])


@cache
def above() -> re.Pattern[str]:
    """The line of many services above which one is to answer."""
    return phrases(_titles("above"))


@cache
def separators() -> frozenset[str]:
    """Every title between two rows of dashes, folded, its letters and digits alone."""
    titles = _titles("original", "forwarded", "other")
    return frozenset("".join(sign for sign in folded(title) if sign.isalnum()) for title in titles)


def _titles(*kinds: str) -> list[str]:
    return [title for kind in kinds for title in _lists()["separators"][kind]]


def _words(spoken: Iterable[str]) -> frozenset[str]:
    return frozenset(word for phrase in spoken for word in LETTERS.findall(folded(phrase)))


@cache
def _lists() -> dict[str, Any]:
    return table("quotes")
