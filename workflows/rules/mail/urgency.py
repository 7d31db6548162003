"""Whether a client's mail can wait for the next digest: its words say it, something is broken, or a deadline is near.

Pure. Near is what ends today or tomorrow, by the owner's days.
"""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from workflows.models.people import Owner
from workflows.rules.text import calendar, whens
from workflows.rules.text.languages import ENGLISH, known_language, languages, words_in
from workflows.rules.text.words import fold, phrases

_READ = 5_000  # characters of the mail
_DEADLINES = 20  # looked at in one mail
_WORDS = 4  # of a deadline


def urgent(subject: str, text: str, language: str, received_at: datetime, owner: Owner) -> bool:
    """Whether what they wrote (new part only) will not wait: in the mail's language or English; broken in any."""
    folded_text = fold(f"{subject}\n{text[:_READ]}")
    broken = ". ".join(fold(part) for part in (subject, *re.split(r"\n+", text[:_READ])))
    if any(_is_broken(code).search(broken) for code in languages("urgency")):
        return True
    return any(
        _says_so(code).search(folded_text) is not None or _names_deadline(folded_text, code, received_at, owner)
        for code in dict.fromkeys((known_language(language, "urgency"), ENGLISH))
    )


def deadline(text: str, language: str, received_at: datetime, owner: Owner) -> tuple[str, datetime | None]:
    """The earliest time that they say they need it by, and the words that say so; ("", None) when there is none."""
    folded_text = fold(text[:_READ])
    named = [
        candidate
        for code in dict.fromkeys((known_language(language, "urgency"), ENGLISH))
        for candidate in _deadlines(folded_text, code, received_at, owner)
    ]
    return min(named, key=lambda found: found[1], default=("", None))


def _names_deadline(said: str, language: str, received_at: datetime, owner: Owner) -> bool:
    """A time of this day or the next right after a word such as "by"."""
    zone = calendar.zone(owner)
    last = received_at.astimezone(zone).date() + timedelta(days=1)
    return any(moment.astimezone(zone).date() <= last for _, moment in _deadlines(said, language, received_at, owner))


def _deadlines(said: str, language: str, received_at: datetime, owner: Owner) -> Iterator[tuple[str, datetime]]:
    """Every time right after a word such as "by", with both."""
    reader = replace(owner, language=language)
    for match in islice(_before(language).finditer(said), _DEADLINES):
        words = re.split(r"[\n,;!?()]|\.(?=\s|$)", said[match.end() : match.end() + 60])[0].split()
        for length in range(min(_WORDS, len(words)), 0, -1):
            moment = whens.parse_when(" ".join(words[:length]), received_at, reader)
            if moment is not None:
                yield f"{match[0].strip()} {' '.join(words[:length])}", moment
                break


@cache
def _says_so(language: str) -> re.Pattern[str]:
    return phrases(fold(word) if "\\" not in word else word for word in words_in(language, "urgency")["words"])


@cache
def _is_broken(language: str) -> re.Pattern[str]:
    return phrases(words_in(language, "urgency")["broken"])


@cache
def _before(language: str) -> re.Pattern[str]:
    # The longest first: "due by" before "due".
    words = sorted((fold(word) for word in words_in(language, "urgency")["before"]), key=len, reverse=True)
    return phrases(words)
