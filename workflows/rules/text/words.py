"""Word lists: data, not code. Read once from the tables beside the rules, matched on folded text at word boundaries."""

import re
import tomllib
from collections.abc import Iterable
from functools import cache
from pathlib import Path
from typing import Any

from workflows.rules.text.composed import composed
from workflows.rules.text.languages import with_added

_RULES = Path(__file__).parents[1]
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u00b4": "'", "\u00a0": " ", "\u202f": " "})


@cache
def table(name: str) -> dict[str, Any]:
    """The list <name>.toml, of no language or of all: it lies in the room of the rules that read it, its name unique.

    The words of one language are its file in workflows/words (languages.py); what that adds to a mixed list is in it.
    """
    (path,) = (path for room in _RULES.iterdir() if (path := room / f"{name}.toml").is_file())
    return with_added(tomllib.loads(path.read_text(encoding="utf-8")), name)


def fold(text: str) -> str:
    """Text for matching: case-folded, composed, straight apostrophes, every run of white space one blank."""
    plain = composed("NFKC", text.translate(_APOSTROPHES).casefold())
    return " ".join(plain.split())


def counted(number: int, noun: str, many: str = "") -> str:
    """Such as "1 draft" and "1,200 drafts"; `many`: where it is not the noun with an s."""
    return f"{number:,} {noun if number == 1 else many or f'{noun}s'}"


def any_phrase(patterns: Iterable[str]) -> re.Pattern[str]:
    """As `phrases`, for asking whether one stands there at all: many times faster, for it goes by their first letters.

    Which of several phrases that begin in one place is found is not said.
    """
    by_letter: dict[str, list[str]] = {}
    irregular = []
    for pattern in (opened for phrase in dict.fromkeys(patterns) for opened in _opened(phrase.replace("ß", "ss"))):
        if _BEGINS_WITH_A_LETTER.match(pattern) and "|" not in _outside_groups(pattern):
            by_letter.setdefault(pattern[0], []).append(pattern[1:])
        else:
            irregular.append(f"(?<!\\w){pattern}")
    # The letter first and then that none stands before it: text without such a letter is passed over at once.
    lettered = [f"{letter}(?<!\\w{letter})(?:{'|'.join(ends)})" for letter, ends in by_letter.items()]
    return (
        re.compile(f"(?:{'|'.join((*lettered, *irregular))})(?!\\w)") if lettered or irregular else re.compile(r"(?!)")
    )


_BEGINS_WITH_A_LETTER = re.compile(r"[^\W\d_](?![?*+{])")
_GROUP = re.compile(r"\\.|\[[^\]]*\]|\([^()]*\)")
_LEADING = re.compile(r"\(\?:([^()\[\]]*)\)(\??)(?![*+{?])")
_MOST_OPENED = 64


def _opened(pattern: str) -> list[str]:
    """The pattern once for each choice that it begins with, so that each begins with its letter."""
    opened: list[str] = []
    waiting = [pattern]
    while waiting and len(opened) + len(waiting) < _MOST_OPENED:
        leading = _LEADING.match(waiting[0])
        first = waiting.pop(0)
        if leading is None or "|" in _outside_groups(first):
            opened.append(first)
            continue
        end = first[leading.end() :]
        waiting += [f"{choice}{end}" for choice in leading[1].split("|")] + ([end] if leading[2] else [])
    return [*opened, *waiting]


def _outside_groups(pattern: str) -> str:
    while (bare := _GROUP.sub("", pattern)) != pattern:
        pattern = bare
    return pattern


def phrases(patterns: Iterable[str]) -> re.Pattern[str]:
    """One pattern for any of these phrases as whole words; each phrase is a small regular expression on folded text."""
    alternatives = "|".join(pattern.replace("ß", "ss") for pattern in dict.fromkeys(patterns))
    return re.compile(rf"(?<!\w)(?:{alternatives})(?!\w)") if alternatives else re.compile(r"(?!)")
