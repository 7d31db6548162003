"""Speech: our own sentences to the owner, in the owner's language, from codes and facts. Pure and total.

A sentence is named by its section and its key under `[voice]` in the files of workflows/words; what a language's file
lacks is English. A sentence about a number has one form for each that the language tells apart (`_one`, `_few`,
`_many`).
"""

from collections.abc import Sequence
from datetime import date
from typing import Any

from workflows.rules.text.languages import filled, known_language, words_in

_VOICE = "voice"


def say(language: str, name: str, /, **facts: object) -> str:
    """The sentence of that name ("status.stopped"), its places filled."""
    section, _, key = name.partition(".")
    return filled(_section(language, section)[key], **facts)


def say_count(language: str, name: str, count: int, /, **facts: object) -> str:
    """The sentence of that name in its form for so many; {count} is the number as the language writes it."""
    section, _, key = name.partition(".")
    sentences = _section(language, section)
    sentence = sentences.get(f"{key}_{_form(language, count)}") or sentences[f"{key}_many"]
    return filled(sentence, count=figure(count, language), **facts)


def named(language: str, section: str, code: str) -> str:
    """What the owner reads for a code, such as the stage of a case; the code itself where there is no word for it."""
    return str(_section(language, section).get(code, code))


def listed(language: str, items: Sequence[str]) -> str:
    """Such as: status, why and stop all."""
    *leading, last = items
    return f"{', '.join(leading)} {say(language, 'lists.and')} {last}" if leading else last


def figure(number: int, language: str) -> str:
    """The number with the language's mark between thousands."""
    return f"{number:,}".replace(",", words_in(language, "numbers")["marks"][0].replace(" ", "\u00a0"))


def weekday(when: date, language: str) -> str:
    """Such as: Fri 18 Dec 2026, Fr 18. Dez 2026."""
    words = words_in(language, "calendar")
    day = filled(
        words_in(language, "notices")["day"], day=when.day, month=words["months"][when.month - 1][0], year=when.year
    )
    return f"{words['weekdays'][when.weekday()][0]} {day}"


def _section(language: str, section: str) -> dict[str, Any]:
    sentences: dict[str, Any] = words_in(language, _VOICE)[section]
    return sentences


def _form(language: str, count: int) -> str:
    """Which form of a sentence the number takes: "one", "few" or "many"."""
    numbers = words_in(known_language(language, _VOICE), "numbers")
    if count in numbers["one"]:
        return "one"
    is_few = count % 10 in numbers["few"] and count % 100 not in numbers["not_few"]
    return "few" if is_few else "many"
