"""Whens: what a person means by "Monday", "in two weeks", "tomorrow at 9"; a time of the owner's day."""

import re
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from workflows.models.people import Owner
from workflows.rules.text.calendar import (
    add_working_days,
    at_clock,
    folded,
    language_of,
    local_time,
    next_working_time,
)
from workflows.rules.text.languages import languages, words_in

_FARTHEST = timedelta(days=400)  # "later 2099-01-01" is a slip of the finger
_EVENING, _AFTERNOON, _NOON = time(18), time(14), time(12)
_PAIR, _WITH_YEAR = 2, 3


def parse_when(text: str, now: datetime, owner: Owner) -> datetime | None:
    """The future moment that `2d`, `tomorrow 9:00`, `Monday`, `14 Aug` names, in the owner's zone; None when unsure.

    Days are working days (`2d` on a Friday is Tuesday); a day without a time means the start of work on it, or on the
    next working day; a stated time is taken literally. At most 400 days ahead.
    """
    local = local_time(now, owner)
    for language in dict.fromkeys((language_of(owner), "en")):
        moment = _reading(folded(text)[:80].strip(" .,!"), local, owner, language)
        if moment and timedelta() < moment - local <= _FARTHEST:
            return moment
    return None


@lru_cache(maxsize=16)
def time_words(language: str) -> dict[str, str]:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedTime:
    """What a phrase names: a day and how it is called ("weekday 3"), a time of day, a part of it ("afternoon")."""

    called: str = ""
    day: date | None = None
    clock: time | None = None
    part: str = ""


def named_time(text: str, now: datetime, owner: Owner, language: str) -> NamedTime | None:
    """What the folded phrase names in that language, nothing filled in; None when a word of it is not known."""
    clock, day_words = _clock_in(text, language)
    names = _phrases(day_words, language, owner)
    if names is None or (not names and clock is None):
        return None
    part = next((name for name in names if name in _PARTS), "")
    days = [name for name in names if name not in _PARTS]
    if len(days) > 1 or len(names) - len(days) > 1:
        return None
    called = days[0] if days else ""
    return NamedTime(called=called, day=_day(called, now) if called else None, clock=clock, part=part)


def _reading(text: str, now: datetime, owner: Owner, language: str) -> datetime | None:
    """One reading of the folded text in one language."""
    span = _relative(text, language)
    if span:
        return _after(span[0], span[1], now, owner)
    named = named_time(text, now, owner, language)
    if named is None or (named.part and named.clock):
        return None
    moment = named.clock or _PARTS[named.part]
    day = named.day if named.called else _next_day_for(moment, now)
    if day is None:
        return None
    if moment:
        return at_clock(day, moment, owner)
    return next_working_time(at_clock(day, time(0), owner), owner)


_PARTS: dict[str, time | None] = {
    "": None,
    "morning": None,
    "noon": _NOON,
    "afternoon": _AFTERNOON,
    "evening": _EVENING,
}


def _relative(text: str, language: str) -> tuple[int, str] | None:
    """`2d`, `in 3 hours`, `2 working days` as amount and unit."""
    words = time_words(language)
    match = re.fullmatch(r"(?:[a-z']+ ){0,2}?(\d{1,3}) ?([a-z][a-z ]*)", text)
    if not match:
        return None
    lead = text[: match.start(1)].split()
    unit = words.get(match[2], "")
    is_span = unit in {"minutes", "hours", "days", "weeks"} and all(words.get(word) == "" for word in lead)
    return (int(match[1]), unit) if is_span else None


def _after(amount: int, unit: str, now: datetime, owner: Owner) -> datetime:
    if unit == "minutes":
        return local_time(now.astimezone(UTC) + timedelta(minutes=amount), owner)
    if unit == "hours":
        return local_time(now.astimezone(UTC) + timedelta(hours=amount), owner)
    if unit == "weeks":
        return next_working_time(at_clock(now.date() + timedelta(weeks=min(amount, 60)), now.time(), owner), owner)
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
        match = pattern.search(text)
        if not match:
            continue
        hour, minute = int(match["hour"]), int(match["minute"] or 0)
        if match["half"]:
            if not 1 <= hour <= 12:  # noqa: PLR2004 - a clock face
                return None, text
            hour = hour % 12 + (12 if match["half"] == "pm" else 0)
        return time(hour, minute), f"{text[: match.start()]} {text[match.end() :]}".strip()
    bare = re.fullmatch(r"(.*[a-z]) ([01]?\d|2[0-3])", text)  # "tomorrow 9"
    if bare and not time_words(language).get(bare[1].split()[-1], "").startswith("month"):
        return time(int(bare[2])), bare[1]
    return None, text


def _phrases(text: str, language: str, owner: Owner) -> list[str] | None:
    """What the words name, fillers left out; None when one of them is not known."""
    words, tokens, names, place = time_words(language), text.replace(",", " ").split(), [], 0
    dated = _dated(tokens, language, owner)
    if dated:
        return [dated]
    while place < len(tokens):
        for length in (4, 3, 2, 1):
            meaning = words.get(" ".join(tokens[place : place + length]).rstrip("."))
            if meaning is not None and place + length <= len(tokens):
                break
        else:
            return None
        if meaning and not meaning.startswith("month"):
            names.append(meaning)
        elif meaning:
            return None
        place += length
    return names


def _dated(tokens: list[str], language: str, owner: Owner) -> str:
    """`date YEAR MONTH DAY` (year 0: not said) for `14 aug`, `aug 14 2026`, `14.8.`, `14/8`, `2026-08-14`; or ""."""
    words = time_words(language)
    significant = [token for token in tokens if words.get(token.rstrip(".")) != "" and token != "de"]  # noqa: S105 - a word
    if significant and words.get(significant[0].rstrip("."), "").startswith("weekday"):
        significant = significant[1:]  # "Friday 14 Aug": the date says it better
    text = " ".join(significant)
    iso = re.fullmatch(r"(\d{4})-(\d{1,2})-(\d{1,2})", text)
    if iso:
        return f"date {int(iso[1])} {int(iso[2])} {int(iso[3])}"
    numeric = re.fullmatch(r"(\d{1,2})([./-])(\d{1,2})(?:\2(\d{4}|\d{2})?)?", text)
    if numeric:
        first, second, year = int(numeric[1]), int(numeric[3]), int(numeric[4] or 0)
        day, month = (second, first) if owner.country[:2].upper() == "US" and numeric[2] != "." else (first, second)
        return f"date {year + 2000 if 0 < year < 100 else year} {month} {day}"  # noqa: PLR2004 - two-digit years
    return _dated_by_name(significant, words)


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
