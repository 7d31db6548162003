"""Unicode's normal forms in linear time: the one place where text is normalized.

`unicodedata.normalize` sorts the marks on a letter by insertion, which takes the square of their number: 200,000 marks
in one mail held up everything for more than a minute. No writing has more than a few on a letter; Unicode's own
"stream-safe" text (UAX 15) has at most 30, and so has ours.
"""

import re
import unicodedata
from typing import Final, Literal

MOST_MARKS: Final = 30
"""Marks on one letter that are read; further ones are left out."""

# Whatever becomes marks is neither letter nor blank nor ASCII, but for two Japanese voice marks of half width.
_MAY_BE_MARKS = re.compile(rf"(?:[^\w\s\x00-\x7f]|[\uff9e\uff9f]){{{MOST_MARKS + 1},}}")
_TURN_INTO_MARKS: Final = frozenset("\u0f73\u0f75\u0f81\uff9e\uff9f")


_LIGATURES = dict.fromkeys((0xFDFA, 0xFDFB), " ")  # one letter each, of which compatibility forms make up to eighteen


def composed(form: Literal["NFC", "NFD", "NFKC", "NFKD"], text: str) -> str:
    """The text in that normal form, of at most 30 marks on a letter."""
    if text.isascii():
        return text
    bounded = _MAY_BE_MARKS.sub(_bounded, text)
    return unicodedata.normalize(form, bounded.translate(_LIGATURES) if form in ("NFKC", "NFKD") else bounded)


def _bounded(run: re.Match[str]) -> str:
    signs, marks = [], 0
    for sign in run[0]:
        marks = marks + 1 if unicodedata.combining(sign) or sign in _TURN_INTO_MARKS else 0
        if marks <= MOST_MARKS:
            signs.append(sign)
    return "".join(signs)
