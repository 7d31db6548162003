"""Whether a client's mail can wait for the next digest: its words say it, or name a deadline within a day. Pure."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from functools import cache
from itertools import islice

from workflows.models import Owner
from workflows.rules import calendar
from workflows.rules.words import fold, phrases, table

_SOON = timedelta(days=1)
_READ = 5_000  # characters of the mail
_DEADLINES = 20  # looked at in one mail
_WORDS = 4  # of a deadline


def urgent(subject: str, text: str, language: str, received_at: datetime, owner: Owner) -> bool:
    """Whether what they wrote (new part only) will not wait: in the mail's language or English."""
    said = fold(f"{subject}\n{text[:_READ]}")
    return any(
        _says_so(one).search(said) is not None or _names_deadline(said, one, received_at, owner)
        for one in dict.fromkeys((language if language in table("urgency") else "en", "en"))
    )


def deadline(text: str, language: str, received_at: datetime, owner: Owner) -> tuple[str, datetime | None]:
    """The earliest time that they say they need it by, and the words that say so; ("", None) when there is none."""
    said = fold(text[:_READ])
    named = [
        found
        for one in dict.fromkeys((language if language in table("urgency") else "en", "en"))
        for found in _deadlines(said, one, received_at, owner)
    ]
    return min(named, key=lambda found: found[1], default=("", None))


def _names_deadline(said: str, language: str, received_at: datetime, owner: Owner) -> bool:
    """A time within a day of the mail right after a word such as "by"."""
    return any(when - received_at <= _SOON for _, when in _deadlines(said, language, received_at, owner))


def _deadlines(said: str, language: str, received_at: datetime, owner: Owner) -> Iterator[tuple[str, datetime]]:
    """Every time right after a word such as "by", with both."""
    reader = replace(owner, language=language)
    for found in islice(_before(language).finditer(said), _DEADLINES):
        words = re.split(r"[\n,;!?()]|\.(?=\s|$)", said[found.end() : found.end() + 60])[0].split()
        for length in range(min(_WORDS, len(words)), 0, -1):
            when = calendar.parse_when(" ".join(words[:length]), received_at, reader)
            if when is not None:
                yield f"{found[0].strip()} {' '.join(words[:length])}", when
                break


@cache
def _says_so(language: str) -> re.Pattern[str]:
    return phrases(fold(word) if "\\" not in word else word for word in table("urgency")[language]["words"])


@cache
def _before(language: str) -> re.Pattern[str]:
    # The longest first: "due by" before "due".
    words = sorted((fold(word) for word in table("urgency")[language]["before"]), key=len, reverse=True)
    return phrases(words)
