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

from workflows.models import Owner
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import known_language, languages, words_in

_DEFAULT_HOURS = "Mon-Fri 09:00-18:00"
_DAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FARTHEST = timedelta(days=400)  # "later 2099-01-01" is a slip of the finger
_LONGEST_SEARCH = 400  # days looked ahead for a working day
_EVENING, _AFTERNOON, _NOON = time(18), time(14), time(12)
_PAIR, _WITH_YEAR = 2, 3


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
        found = _PIECE.fullmatch(piece.strip())
        if not found:
            return ()
        if found["first"]:
            waiting += _day_range(found["first"], found["last"] or found["first"])
        if not found["start"]:
            continue
        current, waiting = waiting or current, []
        start, end = _minutes(found["start"]), _minutes(found["end"])
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
    local = _local(start, owner)
    day, left = local.date(), min(max(days, 0), 1000)
    for candidate in _days_after(day):
        if not left:
            break
        if is_working_day(candidate, owner):
            day, left = candidate, left - 1
    return _at(day, local.time(), owner)


def _days_after(day: date) -> Iterator[date]:
    for step in range(1, 5 * _LONGEST_SEARCH):
        try:
            yield day + timedelta(days=step)
        except OverflowError:
            return


def next_working_time(now: datetime, owner: Owner) -> datetime:
    """`now` when the owner is at work, else the next moment work begins."""
    local = _local(now, owner)
    minute = local.hour * 60 + local.minute
    today = _spans(owner, local.weekday()) if is_working_day(local.date(), owner) else ()
    for span in today:
        if minute < span.start:
            return _at(local.date(), _clock(span.start), owner)
        if minute < span.end:
            return local
    for day in _days_after(local.date()):
        if is_working_day(day, owner):
            return _at(day, _clock(_spans(owner, day.weekday())[0].start), owner)
    return local


def expiry(asked_at: datetime, days: float, owner: Owner) -> datetime:
    """When a question lapses: the end of work on the last of `days` working days, never before work next ends."""
    due = add_working_days(next_working_time(asked_at, owner), max(int(days), 0), owner)
    spans = _spans(owner, due.weekday())
    if not spans:
        return due
    end = _at(due.date(), _clock(spans[-1].end), owner)
    return end if end > asked_at else expiry(asked_at, 1, owner) if days < 1 else end


def _clock(minute: int) -> time:
    return time(minute // 60, minute % 60) if minute < 24 * 60 else time(23, 59)


def _local(moment: datetime, owner: Owner) -> datetime:
    aware = moment if moment.tzinfo else moment.replace(tzinfo=UTC)
    try:
        return aware.astimezone(zone(owner))
    except OverflowError:
        return aware


def _at(day: date, clock: time, owner: Owner) -> datetime:
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
    words, local = _words_of(owner), _local(when, owner)
    text: str = words["deadline"]
    return text.format(
        weekday=words["weekdays"][local.weekday()][0],
        day=local.day,
        month=words["months"][local.month - 1][0],
        time=f"{local:%H:%M}",
    )


def format_moment(when: datetime, owner: Owner) -> str:
    """`Tue 14:02` in the owner's time zone and language."""
    local = _local(when, owner)
    return f"{_words_of(owner)['weekdays'][local.weekday()][0]} {local:%H:%M}"


def format_date(when: datetime, owner: Owner) -> str:
    """`24 Nov 2026` in the owner's time zone and language."""
    local = _local(when, owner)
    return f"{local.day} {_words_of(owner)['months'][local.month - 1][0]} {local.year}"


def answer_by(when: datetime, owner: Owner) -> str:
    """`Answer by Fri 27 Nov 18:00.` in the owner's language."""
    text: str = _words_of(owner)["answer_by"]
    return text.format(when=format_deadline(when, owner))


# ---------------------------------------------------------------- what a person means by "Monday"


def parse_when(text: str, now: datetime, owner: Owner) -> datetime | None:
    """The future moment that `2d`, `tomorrow 9:00`, `Monday`, `14 Aug` names, in the owner's zone; None when unsure.

    Days are working days (`2d` on a Friday is Tuesday); a day without a time means the start of work on it, or on the
    next working day; a stated time is taken literally. At most 400 days ahead.
    """
    local = _local(now, owner)
    for language in dict.fromkeys((language_of(owner), "en")):
        found = _reading(folded(text)[:80].strip(" .,!"), local, owner, language)
        if found and timedelta() < found - local <= _FARTHEST:
            return found
    return None


@lru_cache(maxsize=16)
def _words(language: str) -> dict[str, str]:
    """Every known phrase of a language, folded -> what it is: "weekday 0", "month 8", "tomorrow", "days" ..."""
    table, words = words_in(language, "calendar"), {}
    for kind in ("weekday", "month"):
        for number, names in enumerate(table[f"{kind}s"]):
            # Short weekday and month names may clash (mar: mardi, mars); the first meaning of a phrase wins.
            words.update({folded(name): f"{kind} {number}" for name in names if folded(name) not in words})
    kinds = ("today", "tomorrow", "overmorrow", "next_week", "next_month", "morning", "noon", "afternoon", "evening")
    for kind in (*kinds, "minutes", "hours", "days", "weeks"):
        for phrase in table[kind]:
            words.setdefault(folded(phrase), kind)
    for phrase in table["fillers"]:
        words.setdefault(folded(phrase), "")
    return words


def _reading(text: str, now: datetime, owner: Owner, language: str) -> datetime | None:
    """One reading of the folded text in one language."""
    span = _relative(text, language)
    if span:
        return _after(span[0], span[1], now, owner)
    clock, rest = _clock_in(text, language)
    names = _phrases(rest, language, owner)
    if names is None or (not names and clock is None):
        return None
    part = next((name for name in names if name in _PARTS), "")
    days = [name for name in names if name not in _PARTS]
    if len(days) > 1 or len(names) - len(days) > 1 or (part and clock):
        return None
    day = _day(days[0], now) if days else _next_day_for(clock or _PARTS[part], now)
    if day is None:
        return None
    moment = clock or _PARTS[part]
    if moment:
        return _at(day, moment, owner)
    return next_working_time(_at(day, time(0), owner), owner)


_PARTS: dict[str, time | None] = {
    "": None,
    "morning": None,
    "noon": _NOON,
    "afternoon": _AFTERNOON,
    "evening": _EVENING,
}


def _relative(text: str, language: str) -> tuple[int, str] | None:
    """`2d`, `in 3 hours`, `2 working days` as amount and unit."""
    words = _words(language)
    found = re.fullmatch(r"(?:[a-z']+ ){0,2}?(\d{1,3}) ?([a-z][a-z ]*)", text)
    if not found:
        return None
    lead = text[: found.start(1)].split()
    unit = words.get(found[2], "")
    known = unit in {"minutes", "hours", "days", "weeks"} and all(words.get(word) == "" for word in lead)
    return (int(found[1]), unit) if known else None


def _after(amount: int, unit: str, now: datetime, owner: Owner) -> datetime:
    if unit == "minutes":
        return _local(now.astimezone(UTC) + timedelta(minutes=amount), owner)
    if unit == "hours":
        return _local(now.astimezone(UTC) + timedelta(hours=amount), owner)
    if unit == "weeks":
        return next_working_time(_at(now.date() + timedelta(weeks=min(amount, 60)), now.time(), owner), owner)
    return next_working_time(add_working_days(now, amount, owner), owner)


_CLOCKS = (
    re.compile(
        r"(?<![\d.:/-])(?P<hour>[01]?\d|2[0-3])(?::| ?[hu] ?)(?P<minute>[0-5]\d)(?![\d.:/])(?: ?(?P<half>am|pm)\b)?"
    ),
    re.compile(r"(?<![\d.:/-])(?P<hour>1[0-2]|0?\d)(?P<minute>) ?(?P<half>am|pm)\b"),
    re.compile(r"(?<![\d.:/-])(?P<hour>[01]?\d|2[0-3])(?P<minute>) ?(?:h|u|uhr|uur|ore|o'clock)\b(?P<half>)"),
    re.compile(r"(?<=\d )(?:um|at|o|om|alle|a las|as) (?P<hour>[01]?\d|2[0-3])(?:\.(?P<minute>[0-5]\d))?(?P<half>)$"),
    re.compile(r"\b(?:um|at|o|om|alle|a las|as|a) (?P<hour>[01]?\d|2[0-3])(?:\.(?P<minute>[0-5]\d))?(?P<half>)$"),
    re.compile(r"(?<=[a-z] )(?P<hour>[01]?\d|2[0-3])\.(?P<minute>[0-5]\d)(?P<half>)$"),
)


def _clock_in(text: str, language: str) -> tuple[time | None, str]:
    """The time of day named in the text, and the text without it."""
    for pattern in _CLOCKS:
        found = pattern.search(text)
        if not found:
            continue
        hour, minute = int(found["hour"]), int(found["minute"] or 0)
        if found["half"]:
            if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock face
                return None, text
            hour = hour % 12 + (12 if found["half"] == "pm" else 0)
        return time(hour, minute), f"{text[: found.start()]} {text[found.end() :]}".strip()
    bare = re.fullmatch(r"(.*[a-z]) ([01]?\d|2[0-3])", text)  # "tomorrow 9"
    if bare and not _words(language).get(bare[1].split()[-1], "").startswith("month"):
        return time(int(bare[2])), bare[1]
    return None, text


def _phrases(text: str, language: str, owner: Owner) -> list[str] | None:
    """What the words name, fillers left out; None when one of them is not known."""
    words, tokens, names, place = _words(language), text.replace(",", " ").split(), [], 0
    dated = _dated(tokens, language, owner)
    if dated:
        return [dated]
    while place < len(tokens):
        for length in (4, 3, 2, 1):
            known = words.get(" ".join(tokens[place : place + length]).rstrip("."))
            if known is not None and place + length <= len(tokens):
                break
        else:
            return None
        if known and not known.startswith("month"):
            names.append(known)
        elif known:
            return None
        place += length
    return names


def _dated(tokens: list[str], language: str, owner: Owner) -> str:
    """`date YEAR MONTH DAY` (year 0: not said) for `14 aug`, `aug 14 2026`, `14.8.`, `14/8`, `2026-08-14`; or ""."""
    words = _words(language)
    kept = [token for token in tokens if words.get(token.rstrip(".")) != "" and token != "de"]  # noqa: S105 - a word
    if kept and words.get(kept[0].rstrip("."), "").startswith("weekday"):
        kept = kept[1:]  # "Friday 14 Aug": the date says it better
    text = " ".join(kept)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    if iso:
        return f"date {int(iso[1])} {int(iso[2])} {int(iso[3])}"
    numeric = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})(?:\2(\d{4}|\d{2})?)?", text)
    if numeric:
        first, second, year = int(numeric[1]), int(numeric[3]), int(numeric[4] or 0)
        day, month = (second, first) if owner.country[:2].upper() == "US" and numeric[2] != "." else (first, second)
        return f"date {year + 2000 if 0 < year < 100 else year} {month} {day}"  # noqa: PLR2004 - two-digit years
    return _dated_by_name(kept, words)


def _dated_by_name(tokens: list[str], words: dict[str, str]) -> str:
    numbers, month = [], ""
    for token in tokens:
        plain = re.sub(r"(?<=\d)(?:st|nd|rd|th|er|\.)$", "", token).rstrip(".")
        name = _month(plain, words)
        if name and not month:
            month = name
        elif plain.isascii() and plain.isdigit() and len(plain) in {1, 2, 4}:
            numbers.append(int(plain))
        else:
            return ""
    if not month or len(numbers) not in {1, _PAIR} or len(tokens) > _WITH_YEAR:
        return ""
    return f"date {numbers[1] if len(numbers) == _PAIR else 0} {month} {numbers[0]}"


def _month(word: str, words: dict[str, str]) -> str:
    """The month's number for a word, also where a weekday has the same short name ("mar")."""
    for language in languages("calendar"):
        for number, names in enumerate(words_in(language, "calendar")["months"]):
            if words.get(folded(names[-1])) == f"month {number}" and word in {folded(name) for name in names}:
                return str(number + 1)
    return ""


def _day(name: str, now: datetime) -> date | None:
    """The day a phrase names, seen from now."""
    today = now.date()
    if name.startswith("weekday"):
        return today + timedelta(days=(int(name.split()[1]) - today.weekday() - 1) % 7 + 1)
    if name.startswith("date"):
        return _written_date(*(int(part) for part in name.split()[1:]), today=today)
    if name == "next_month":
        return (today.replace(day=1) + timedelta(days=32)).replace(day=1)
    if name == "next_week":
        return today + timedelta(days=7 - today.weekday())
    return today + timedelta(days={"today": 0, "tomorrow": 1, "overmorrow": 2}.get(name, 500))


def _written_date(year: int, month: int, day: int, *, today: date) -> date | None:
    try:
        if year:
            return date(year, month, day)
        this_year = date(today.year, month, day)
        return this_year if this_year >= today else date(today.year + 1, month, day)
    except ValueError:
        return None


def _next_day_for(clock: time | None, now: datetime) -> date | None:
    """The first day on which that time of day is still to come."""
    if clock is None:
        return None
    return now.date() if clock > now.time() else now.date() + timedelta(days=1)
