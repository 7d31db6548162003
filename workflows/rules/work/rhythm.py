"""When a client is to be told how their project goes: the last period that has ended, on a day the owner works. Pure.

Periods are calendar weeks (Monday to Sunday), blocks of them, or months, counted from fixed points: whoever starts,
stops or is down for a while always finds the same ones. Only the last ended period is ever due, so an outage of three
weeks leads to one update.
"""

import re
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Any

from workflows.models.people import Owner
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import words_in
from workflows.rules.text.words import fold

_MONDAY = date(1970, 1, 5)  # blocks of weeks are counted from here
_WEEK = 7
_MOST = 12  # months, or weeks, of one period
_LOOK_AHEAD = 40  # days: no holidays last longer
_LONGEST_NAME = 120


@dataclass(frozen=True, slots=True)
class Pace:
    """How long a period is: so many weeks, or so many months; neither is "never"."""

    weeks: int = 0
    months: int = 0


@dataclass(frozen=True, slots=True)
class Period:
    """Whole days, both ends included. `name` is its identity: "2026-W47" or "2026-11", that of its last part."""

    name: str
    first: date
    last: date


_NAMES = {
    "": Pace(),
    "never": Pace(),
    "weekly": Pace(weeks=1),
    "every week": Pace(weeks=1),
    "fortnightly": Pace(weeks=2),
    "every other week": Pace(weeks=2),
    "monthly": Pace(months=1),
    "every month": Pace(months=1),
    "quarterly": Pace(months=3),
}


def pace(text: str) -> Pace | None:
    """What `weekly`, `every 2 weeks`, `monthly`, `every 3 months` or `never` means; None when it is none of these."""
    folded_text = fold(text)
    if folded_text in _NAMES:
        return _NAMES[folded_text]
    match = re.fullmatch(r"every (\d{1,2}) (week|month)s?", folded_text)
    if not match or not 1 <= int(match[1]) <= _MOST:
        return None
    number = int(match[1])
    return Pace(weeks=number) if match[2] == "week" else Pace(months=number)


def last_ended(every: Pace, today: date) -> Period | None:
    """The newest period that is over on that day; None for "never"."""
    if every.weeks:
        return _weeks_before(every.weeks, today)
    return _months_before(every.months, today) if every.months else None


def due(every: Pace, today: date, owner: Owner) -> Period | None:
    """The period that an update may be proposed for today; None when the owner does not work today or it is too soon.

    The day is the first working day after the period, and every working day later until the next period has ended.
    """
    period = last_ended(every, today)
    if period is None or not calendar.is_working_day(today, owner):
        return None
    after = (period.last + timedelta(days=step) for step in range(1, _LOOK_AHEAD))
    first = next((day for day in after if calendar.is_working_day(day, owner)), None)
    return period if first is not None and today >= first else None


def next_update(every: str, today: date, owner: Owner) -> date | None:
    """The first working day after the period that runs on that day: when the next update is to be proposed."""
    length = pace(every) or Pace()
    ended = last_ended(length, today)
    if ended is None:
        return None
    days = (today + timedelta(days=step) for step in range(1, _LOOK_AHEAD * _MOST))
    over = next((day for day in days if last_ended(length, day) != ended), None)
    after = (over + timedelta(days=step) for step in range(_LOOK_AHEAD)) if over else ()
    return next((day for day in after if calendar.is_working_day(day, owner)), None)


def _weeks_before(weeks: int, today: date) -> Period:
    block = (today - _MONDAY).days // _WEEK // weeks
    last = _MONDAY + timedelta(days=block * weeks * _WEEK - 1)
    year, week, _ = last.isocalendar()
    return Period(f"{year}-W{week:02d}", last - timedelta(days=weeks * _WEEK - 1), last)


def _months_before(months: int, today: date) -> Period:
    ended = (today.year * 12 + today.month - 1) // months * months
    last, first = _month(ended) - timedelta(days=1), _month(ended - months)
    return Period(f"{last:%Y-%m}", first, last)


def _month(number: int) -> date:
    """The first day of a month counted from year 0."""
    return date(number // 12, number % 12 + 1, 1)


# ---------------------------------------------------------------- how a period is named to a client


def subject(project: str, first: date, last: date, language: str) -> str:
    """`Website relaunch: status, week 47` in the client's language (English where it is none of our eight)."""
    words = _words(language)
    text: str = words["subject"]
    return text.replace("{period}", period(first, last, language)).replace("{name}", one_line(project, _LONGEST_NAME))


def period(first: date, last: date, language: str) -> str:
    """`week 47`, `weeks 46 to 47`, `November 2026`, or `9 November to 18 November`."""
    words = _words(language)
    if _is_weeks(first, last):
        kind = "week" if (last - first).days < _WEEK else "weeks"
        return str(words[kind]).format(first=first.isocalendar().week, last=last.isocalendar().week)
    if is_whole(first, last):
        return str(words["month"]).format(month=words["months"][last.month - 1], year=last.year)
    return str(words["days"]).format(first=day(first, language), last=day(last, language))


def is_whole(first: date, last: date) -> bool:
    """Whether these days are whole weeks or one whole month, which have names of their own."""
    one_month = first.day == 1 and (first.year, first.month) == (last.year, last.month)
    return _is_weeks(first, last) or (one_month and (last + timedelta(days=1)).day == 1)


def _is_weeks(first: date, last: date) -> bool:
    return first.weekday() == 0 and last.weekday() == _WEEK - 1


def day(when: date, language: str) -> str:
    """`18 November` in that language."""
    words = _words(language)
    return str(words["day"]).format(day=when.day, month=words["months"][when.month - 1])


def _words(language: str) -> dict[str, Any]:
    return words_in(language, "rhythm")
