"""The owner's time: working hours, working days, holidays, and what a person means by "Monday" or "2d".

Pure and total: nonsense in settings falls back (UTC, Mon-Fri 09:00-18:00, no holidays); the settings reader refuses it
long before. Holiday data changes with releases of `holidays`: compute a date once, in an activity, and store it.
"""

import re
import unicodedata
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from functools import lru_cache
from typing import Any
from zoneinfo import ZoneInfo

from workflows.models.people import Owner
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import known_language, words_in

_DEFAULT_HOURS = "Mon-Fri 09:00-18:00"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_LONGEST_SEARCH = 400  # days looked ahead for a working day


@dataclass(frozen=True, slots=True, kw_only=True)
class Span:
    """One stretch of working time on one weekday (0 is Monday), minutes since midnight, end exclusive (<= 1440)."""

    weekday: int
    start: int
    end: int


# ---------------------------------------------------------------- working hours


@lru_cache(maxsize=64)
def working_hours(text: str) -> tuple[Span, ...]:
    """The spans of `Mon-Thu 09:00-12:00, 13:00-18:00, Fri 09:00-13:00`, sorted; () when it cannot be read."""
    spans: list[Span] = []
    waiting: list[int] = []  # days named before their times: "Mon, Wed 09:00-12:00"
    current: list[int] = list(range(7))  # days for times that name none
    for piece in text.lower().split(","):
        match = _PIECE.fullmatch(piece.strip())
        if not match:
            return ()
        if match["first"]:
            waiting += _day_range(match["first"], match["last"] or match["first"])
        if not match["start"]:
            continue
        current, waiting = waiting or current, []
        start, end = _minutes(match["start"]), _minutes(match["end"])
        if not start < end:
            return ()
        spans += [Span(weekday=day, start=start, end=end) for day in current]
    return () if waiting else tuple(sorted(spans, key=lambda span: (span.weekday, span.start)))


_DAY = "(?:mon|tue|wed|thu|fri|sat|sun)"
_PIECE = re.compile(
    rf"(?:(?P<first>{_DAY})[a-z]*(?:\s*[-\u2013]\s*(?P<last>{_DAY})[a-z]*)?)?\s*"
    r"(?:(?P<start>(?:[01]?\d|2[0-3])(?::[0-5]\d)?)\s*[-\u2013]\s*(?P<end>(?:(?:[01]?\d|2[0-3])(?::[0-5]\d)?)|24(?::00)?))?",
    re.ASCII,
)


def _day_range(first: str, last: str) -> list[int]:
    start, count = _DAYS.index(first), (_DAYS.index(last) - _DAYS.index(first)) % 7
    return [(start + step) % 7 for step in range(count + 1)]


def _minutes(text: str) -> int:
    hours, _, minutes = text.partition(":")
    return int(hours) * 60 + int(minutes or 0)


def _spans(owner: Owner, weekday: int) -> tuple[Span, ...]:
    hours = working_hours(owner.hours) or working_hours(_DEFAULT_HOURS)
    return tuple(span for span in hours if span.weekday == weekday)


# ---------------------------------------------------------------- working days


def zone(owner: Owner) -> tzinfo:
    """The owner's time zone; UTC when the setting names none that is known."""
    return _zone(owner.timezone)


@lru_cache(maxsize=16)
def _zone(name: str) -> tzinfo:
    try:
        return ZoneInfo(name)
    except (ValueError, OSError, KeyError):
        return UTC


@lru_cache(maxsize=64)
def holidays_of(country: str, year: int) -> frozenset[date]:
    """Public holidays of a country (`DE`) or part of one (`DE-BY`) in a year; none when it is not known."""
    import holidays

    name, _, part = country.upper().partition("-")
    if name not in holidays.list_supported_countries():  # asked first: the library takes any name of its module for one
        return frozenset()
    try:
        return frozenset(holidays.country_holidays(name, subdiv=part or None, years=year))
    except (NotImplementedError, ValueError, KeyError):
        return frozenset()


def is_working_day(day: date, owner: Owner) -> bool:
    """Whether the owner works at all on that day: hours on that weekday, and no public holiday."""
    return bool(_spans(owner, day.weekday())) and day not in holidays_of(owner.country, day.year)


def working_minutes(day: date, owner: Owner) -> int:
    """How long the owner works on that day; 0 on a public holiday."""
    spans = _spans(owner, day.weekday()) if is_working_day(day, owner) else ()
    return sum(span.end - span.start for span in spans)


def working_hours_on(weekday: int, owner: Owner) -> tuple[Span, ...]:
    """The owner's spans of work on a weekday (0 is Monday)."""
    return _spans(owner, weekday)


def add_working_days(start: datetime, days: int, owner: Owner) -> datetime:
    """The same wall-clock time `days` working days later (at least 0, at most 1000)."""
    local = local_time(start, owner)
    day, remaining = local.date(), min(max(days, 0), 1000)
    for candidate in _days_after(day):
        if not remaining:
            break
        if is_working_day(candidate, owner):
            day, remaining = candidate, remaining - 1
    return at_clock(day, local.time(), owner)


def _days_after(day: date) -> Iterator[date]:
    for step in range(1, 5 * _LONGEST_SEARCH):
        try:
            yield day + timedelta(days=step)
        except OverflowError:
            return


def next_working_time(now: datetime, owner: Owner) -> datetime:
    """`now` when the owner is at work, else the next moment work begins."""
    local = local_time(now, owner)
    minute = local.hour * 60 + local.minute
    today = _spans(owner, local.weekday()) if is_working_day(local.date(), owner) else ()
    for span in today:
        if minute < span.start:
            return at_clock(local.date(), _clock(span.start), owner)
        if minute < span.end:
            return local
    for day in _days_after(local.date()):
        if is_working_day(day, owner):
            return at_clock(day, _clock(_spans(owner, day.weekday())[0].start), owner)
    return local


def expiry(asked_at: datetime, days: float, owner: Owner) -> datetime:
    """When a question lapses: the end of work on the last of `days` working days, never before work next ends."""
    due = add_working_days(next_working_time(asked_at, owner), max(int(days), 0), owner)
    spans = _spans(owner, due.weekday())
    if not spans:
        return due
    end = at_clock(due.date(), _clock(spans[-1].end), owner)
    return end if end > asked_at else expiry(asked_at, 1, owner) if days < 1 else end


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60) if minute < 24 * 60 else time(23, 59)


def local_time(moment: datetime, owner: Owner) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone(owner))
    except OverflowError:
        return aware


def at_clock(day: date, clock: time, owner: Owner) -> datetime:
    # Through UTC: a time that summer time skips becomes the real moment after it.
    wall = datetime.combine(day, clock.replace(tzinfo=None), zone(owner))
    try:
        return wall.astimezone(UTC).astimezone(zone(owner))
    except OverflowError:
        return wall


# ---------------------------------------------------------------- words


def language_of(owner: Owner) -> str:
    """The owner's language as one we have words for ("de" for "de-AT"); English otherwise."""
    return known_language(owner.language, "calendar")


def _words_of(owner: Owner) -> dict[str, Any]:
    return words_in(owner.language, "calendar")


def folded(text: str) -> str:
    """The text for comparing: full-width made plain, no case, no accents, single blanks."""
    decomposed = composed("NFKD", composed("NFKC", text).casefold())
    bare = "".join(character for character in decomposed if not unicodedata.combining(character))
    return " ".join(bare.replace("\u2019", "'").replace("\u0142", "l").split())


def format_deadline(when: datetime, owner: Owner) -> str:
    """`Fri 27 Nov 18:00` in the owner's time zone and language."""
    words, local = _words_of(owner), local_time(when, owner)
    text: str = words["deadline"]
    return text.format(
        weekday=words["weekdays"][local.weekday()][0],
        day=local.day,
        month=words["months"][local.month - 1][0],
        time=f"{local:%H:%M}",
    )


def format_moment(when: datetime, owner: Owner) -> str:
    """`Tue 14:02` in the owner's time zone and language."""
    local = local_time(when, owner)
    return f"{_words_of(owner)['weekdays'][local.weekday()][0]} {local:%H:%M}"


def format_date(when: datetime, owner: Owner) -> str:
    """`24 Nov 2026` in the owner's time zone and language."""
    local = local_time(when, owner)
    return f"{local.day} {_words_of(owner)['months'][local.month - 1][0]} {local.year}"


def told_date(day: date, owner: Owner) -> str:
    """`Fri 27 Nov 2026` in the owner's language."""
    words = _words_of(owner)
    return f"{words['weekdays'][day.weekday()][0]} {day.day} {words['months'][day.month - 1][0]} {day.year}"


def answer_by(when: datetime, owner: Owner) -> str:
    """`Answer by Fri 27 Nov 18:00.` in the owner's language."""
    text: str = _words_of(owner)["answer_by"]
    return text.format(when=format_deadline(when, owner))
