"""The language of a short text, by its small words. No model: the detectors weigh 20 MB and more.

Small words ("the", "und", "pour") are a third of any running text and hardly overlap between languages; letters that
only one language uses speak as well. What does not speak clearly is "": the caller falls back to the thread's language.
"""

import re
from functools import cache

from workflows.rules.text.languages import ENGLISH, languages, words_in

_WORD = re.compile(r"[^\W\d_]+(?:['’][^\W\d_]+)*")  # noqa: RUF001 (the apostrophe that people's keyboards make)
_STRIP = re.compile(r"https?://\S+|\S+@\S+")
_MOST_CHARACTERS = 4000
_LEAST = 2.0
_LEAD = 1.25


def language_of(text: str) -> str:
    """The two-letter code of a language that has small words, or "" when the text does not tell."""
    words = _WORD.findall(_STRIP.sub(" ", text[:_MOST_CHARACTERS]).lower().replace("’", "'"))  # noqa: RUF001
    spanish = {"es": 2.0} if "¿" in text or "¡" in text else {}  # nobody else writes them
    ranked = sorted(
        ((_score(words, language) + spanish.get(language, 0.0), language) for language in _index()), reverse=True
    )
    (best, language), (second, _) = ranked[0], ranked[1]
    return language if best >= _LEAST and best >= second * _LEAD else ""


@cache
def small_words() -> frozenset[str]:
    """The small words of all languages: they say nothing about what a text is about."""
    return frozenset().union(*_index().values())


@cache
def _index() -> dict[str, frozenset[str]]:
    """Each language's small words. A file that is still a copy of the English one would only hide English."""
    index = {code: frozenset(words_in(code, "small_words")["words"].split()) for code in languages("small_words")}
    english = index[ENGLISH]
    return {code: small for code, small in index.items() if code == ENGLISH or len(small & english) < len(small) / 2}


def _score(words: list[str], language: str) -> float:
    letters = words_in(language, "small_words")["letters"]
    small, score = _index()[language], 0.0
    for word in words:
        parts = (word, *word.split("'")) if "'" in word else (word,)
        if any(part in small for part in parts):
            score += 1.0
        elif any(letter in letters for letter in word):
            score += 0.5
    return score
