"""Exports of time trackers as CSV: Toggl, Clockify, Harvest, and a plain one. What a tool calls its columns is data.

Times stand in the export's own time zone, days in the order the tool is set to; both are read for the file as a whole,
and what has two readings is refused with the mend instead of guessed.
"""

import csv
import hashlib
import io
import re
import tomllib
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, date, datetime, time, tzinfo
from functools import cache
from pathlib import Path
from typing import Any, Literal

from tools.spreadsheets import separated, text_of
from workflows.errors import NeedsOwner, Permanent
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases

SUFFIXES = (".csv", ".tsv")
OTHER_SUFFIXES = (".xlsx", ".xls", ".ods", ".numbers", ".pdf", ".json", ".html")
"""What a tracker may export as well: told, not silently passed by."""
MOST_BYTES = 20_000_000
MOST_ROWS = 200_000
_LONGEST = 500  # characters of a description
_MOST_HOURS = 1000  # of one entry: more is a slip
_EMPTY = frozenset({"-", "\u2013", "\u2014"})  # how Toggl's newer reports write a cell that holds nothing
_TABLE = Path(__file__).with_suffix(".toml")
DayOrder = Literal["auto", "dmy", "mdy", "ymd"]


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeEntry:
    """One time entry. `id` is "time:<12 hex>", the same in every export that has the entry; `day` is the owner's."""

    id: str
    day: date
    minutes: int
    project: str  # as the tool calls it
    client: str = ""
    task: str = ""
    text: str = ""
    tags: tuple[str, ...] = ()
    billable: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Timesheet:
    """What one file holds. `left_out`: rows without time (breaks, running timers, zeros)."""

    tool: str
    entries: tuple[TimeEntry, ...]
    left_out: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class SheetReading:
    """How an export is to be read: the order of a day's numbers, the zone its clocks show, the owner's own zone."""

    order: DayOrder
    zone: tzinfo
    owner_zone: tzinfo


def read_timesheet(path: Path, reading: SheetReading) -> Timesheet:
    """Every entry of one export.

    Raises:
        NeedsOwner: it is no export that is known, or has a line that cannot be read: file, line, column, mend.
    """
    if path.suffix.lower() in OTHER_SUFFIXES:
        raise NeedsOwner(f"{path} is no CSV file.", "Export it as CSV, and take this one out of the folder.")
    text = _text(path)
    header, rows = _rows(path, text)
    tool = _tool(path, header)
    columns = {key: _column(header, names) for key, names in tool.items() if isinstance(names, list)}
    order = _day_order(path, [(number, _cell(row, columns, "day")) for number, row in rows], reading.order)
    hours = any(_FRACTION.fullmatch(_cell(row, columns, "duration")) for _, row in rows)
    entries: list[TimeEntry] = []
    twice: Counter[str] = Counter()
    for number, row in rows:
        line = _Line(path, number, header, columns, row, hours)
        entry = _entry(line, order, reading)
        if entry is None:
            continue
        twice[entry.id] += 1  # two pieces of work may begin at the same minute, or have no clock at all
        entries.append(entry if twice[entry.id] == 1 else _again(entry, twice[entry.id]))
    return Timesheet(tool=tool["name"], entries=tuple(entries), left_out=len(rows) - len(entries))


# ---------------------------------------------------------------- the file


def _text(path: Path) -> str:
    try:
        if path.stat().st_size > MOST_BYTES:
            raise NeedsOwner(
                f"{path} is larger than {MOST_BYTES // 1_000_000} MB.", "Export a shorter time, for example one month."
            )
        content = path.read_bytes()
    except OSError as error:
        raise NeedsOwner(f"{path} cannot be read: {error.strerror}.", "Mend its permissions.") from None
    try:
        return text_of(content)
    except Permanent as error:
        raise NeedsOwner(f"{path} cannot be read: {error}", "Save it once more as CSV, in UTF-8.") from None


def _rows(path: Path, text: str) -> tuple[list[str], list[tuple[int, list[str]]]]:
    """The folded headings, and every filled row with its line number. Quoted cells may hold line ends."""
    delimiter, plain = separated(text)
    reader = csv.reader(io.StringIO(plain, newline=""), delimiter=delimiter)
    header: list[str] = []
    rows: list[tuple[int, list[str]]] = []
    try:
        for cells in reader:
            if not any(cell.strip() for cell in cells):
                continue
            if not header:
                header = [fold(cell) for cell in cells]
                continue
            if len(rows) == MOST_ROWS:
                raise NeedsOwner(f"{path} has more than {MOST_ROWS} rows.", "Export a shorter time.")
            rows.append((reader.line_num, cells))
    except csv.Error as error:
        raise NeedsOwner(
            f"{path}, line {reader.line_num}: this is not CSV ({error}).", "Export it again as CSV."
        ) from None
    if not header:
        raise NeedsOwner(f"{path} is empty.", "Export it again, or remove it.")
    return header, rows


def _tool(path: Path, header: Sequence[str]) -> dict[str, Any]:
    for tool in _table()["tool"]:
        if all(name in header for name in tool["sure"]):
            known_tool: dict[str, Any] = tool
            return known_tool
    named = ", ".join(f'"{one_line(name, 40)}"' for name in header[:8])
    raise NeedsOwner(
        f"{path}, line 1: this is no timesheet that is known; its columns are {named}.",
        "Export the detailed report of Toggl or Clockify as CSV, or begin a plain one with: "
        "date,project,description,hours",
    )


def _column(header: Sequence[str], names: Sequence[str]) -> int:
    """Where the first of these headings stands; -1 when none does."""
    return next((header.index(name) for name in names if name in header), -1)


def _cell(row: Sequence[str], columns: Mapping[str, int], key: str) -> str:
    at = columns.get(key, -1)
    text = row[at].strip() if 0 <= at < len(row) else ""
    return "" if text in _EMPTY else text


@dataclass(frozen=True, slots=True)
class _Line:
    """One row, and how to name a cell of it."""

    path: Path
    number: int
    header: Sequence[str]
    columns: Mapping[str, int]
    row: Sequence[str]
    hours: bool = False  # some length in the column is written as 1.5: so are the whole numbers there

    def __getitem__(self, key: str) -> str:
        return _cell(self.row, self.columns, key)

    def wrong(self, key: str, expected: str, mend: str = "Correct it in the tool and export again.") -> NeedsOwner:
        name, excerpt = self.header[self.columns[key]], one_line(self[key], 60)
        return NeedsOwner(
            f'{self.path}, line {self.number}, column "{name}": "{excerpt}" is not {expected}.', mend
        )  # fmt: skip


# ---------------------------------------------------------------- one entry


def _entry(line: _Line, order: DayOrder, reading: SheetReading) -> TimeEntry | None:
    """The entry of a row; None for a break, a timer that still runs, and one of no length."""
    if fold(line["kind"]) in _words("breaks"):
        return None
    minutes = _minutes(line, order, reading)
    if not minutes:
        return None
    stated_day = _date(line, "day", order)
    clock = _clock(line, "start") if line["start"] else None
    day = stated_day
    if clock is not None:
        day = datetime.combine(stated_day, clock, reading.zone).astimezone(reading.owner_zone).date()
    description = line["text"] or line["task"]
    # Worded anew in the tool it is the same entry: the text counts only where there is no clock.
    parts = (
        line["who"].lower(),
        fold(line["project"]),
        f"{stated_day}",
        f"{clock}" if clock else f"{fold(description)} {minutes}",
    )
    return TimeEntry(
        id=f"time:{hashlib.sha256(chr(31).join(parts).encode('utf-8', 'replace')).hexdigest()[:12]}",
        day=day,
        minutes=minutes,
        project=one_line(line["project"], _LONGEST),
        client=one_line(line["client"], _LONGEST),
        task=one_line(line["task"], _LONGEST),
        text=one_line(description, _LONGEST),
        tags=tuple(one_line(tag, 80) for tag in line["tags"].split(",") if tag.strip()),
        billable=_billable(line),
    )


def _again(entry: TimeEntry, number: int) -> TimeEntry:
    return replace(entry, id=f"time:{hashlib.sha256(f'{entry.id} {number}'.encode()).hexdigest()[:12]}")


def _billable(line: _Line) -> bool:
    flag = fold(line["billable"])
    if line.columns.get("billable", -1) < 0 or flag in _words("yes"):
        return True
    if flag in _words("no"):
        return False
    raise line.wrong("billable", "yes or no")


_CLOCK = re.compile(r"(\d{1,2}):(\d{2})(?::(\d{2}))?\s*(am|pm|a\.m\.|p\.m\.)?", re.IGNORECASE)
_NOON, _HOURS = 12, 24


def _clock(line: _Line, key: str) -> time:
    match = _CLOCK.fullmatch(" ".join(line[key].split()))
    if match is None:
        raise line.wrong(key, 'a time such as "14:05" or "02:05:00 PM"')
    hour, half = int(match[1]), (match[4] or "").lower()[:1]
    if half:
        if not 1 <= hour <= _NOON:
            raise line.wrong(key, 'a time such as "14:05" or "02:05:00 PM"')
        hour = hour % _NOON + (_NOON if half == "p" else 0)
    try:
        return time(hour, int(match[2]), int(match[3] or 0))
    except ValueError:
        raise line.wrong(key, 'a time such as "14:05" or "02:05:00 PM"') from None


# ---------------------------------------------------------------- durations


_SIXTY = re.compile(r"(\d{1,4}):(\d{1,2})(?::(\d{1,2}))?")
_DECIMAL = re.compile(r"(\d{1,4})(?:[.,](\d{1,6}))?\s*h?", re.IGNORECASE)
_NUMBER = re.compile(r"\d{1,7}(?:[.,]\d{1,6})?")
_FRACTION = re.compile(r"\d{1,4}[.,]\d{1,6}")
_CLASSIC = re.compile(r"(\d{1,5})(?::(\d{1,2}))?\s*(min|sec)", re.IGNORECASE)
_SPELT = re.compile(r"(?:(\d{1,4})\s*h)?\s*(?:(\d{1,2})\s*m(?:in)?)?\s*(?:(\d{1,2})\s*s)?", re.IGNORECASE)


def _minutes(line: _Line, order: DayOrder, reading: SheetReading) -> int:
    """Whole minutes, rounded; a started one counts. 0 for nothing, and for a timer that has no end yet."""
    key = "duration" if line["duration"] else "decimal"
    length = line[key]
    if not length:
        return _between(line, order, reading) if line["start"] and line["end"] else 0
    seconds = _of_number(line, key, order) if _NUMBER.fullmatch(length) else _seconds(length)
    if seconds is None or seconds > _MOST_HOURS * 3600:
        raise line.wrong(key, 'a length of time such as "1:30:00" or "1.50"')
    return max(round(seconds / 60), 1) if seconds else 0


def _of_number(line: _Line, key: str, order: DayOrder) -> float | None:
    """Seconds of a number without a unit: by the column's heading, else by the clocks beside it, else by its decimals.

    Raises:
        NeedsOwner: "900" may be hours, minutes or seconds: ten minutes of work must not become ten hours.
    """
    number = float(line[key].replace(",", "."))
    if not number:
        return 0.0
    heading = line.header[line.columns[key]]
    unit = next((size for size, words in _units() if words.search(heading)), 0)
    if not unit and line["start"] and line["end"]:
        span = _span(line, order)
        # Half of it at least, for breaks are left out: no two units can both fit.
        unit = next((size for size, _ in _units() if span / 2 <= number * size <= span + 60), 0)
    elif not unit and (line.hours or _FRACTION.fullmatch(line[key])):
        unit = 3600
    if not unit:
        mend = 'Let the tool write lengths as 0:15 or 0.25, or name the column "hours", "minutes" or "seconds".'
        raise line.wrong(key, "a length of time whose unit can be told", mend)
    return number * unit


def _span(line: _Line, order: DayOrder) -> float:
    """Seconds from start to end; an end before its start is the next day's."""
    start, end = _clock(line, "start"), _clock(line, "end")
    days = (_date(line, "end_day", order) - _date(line, "day", order)).days if line["end_day"] else int(end < start)
    first, last = (moment.hour * 3600 + moment.minute * 60 + moment.second for moment in (start, end))
    return float(days * 86_400 + last - first)


@cache
def _units() -> tuple[tuple[int, re.Pattern[str]], ...]:
    """Seconds of a unit, and the words by which a heading names it; the longest unit first."""
    return tuple((size, phrases(_table()["units"][name])) for name, size in (("h", 3600), ("min", 60), ("s", 1)))


def _between(line: _Line, order: DayOrder, reading: SheetReading) -> int:
    """From start to end, on the clocks of the export's zone: an hour that summer time takes away is not worked."""
    start = datetime.combine(_date(line, "day", order), _clock(line, "start"), reading.zone)
    end_day = _date(line, "end_day", order) if line["end_day"] else start.date()
    end = datetime.combine(end_day, _clock(line, "end"), reading.zone)
    minutes = round((end.astimezone(UTC) - start.astimezone(UTC)).total_seconds() / 60)
    if not 0 <= minutes <= _MOST_HOURS * 60:
        raise line.wrong("end", "a time after its start")
    return minutes


def _seconds(said: str) -> float | None:
    """Of `1:30:00`, `0:13` (hours and minutes), `1.50`, `1,5 h`, `47:06 min`, `2h 5m`; None for anything else."""
    if match := _SIXTY.fullmatch(said):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return None if max(minutes, seconds) >= 60 else float(hours * 3600 + minutes * 60 + seconds)  # noqa: PLR2004
    if match := _DECIMAL.fullmatch(said):
        return float(f"{match[1]}.{match[2] or 0}") * 3600
    if match := _CLASSIC.fullmatch(said):
        unit = 60 if match[3].lower() == "min" else 1
        return float(int(match[1]) * unit + int(match[2] or 0))
    match = _SPELT.fullmatch(said)
    if match and any(match.groups()):
        hours, minutes, seconds = (int(part or 0) for part in match.groups())
        return float(hours * 3600 + minutes * 60 + seconds)
    return None


# ---------------------------------------------------------------- days


_DAY = re.compile(r"(\d{1,4})([-/. ])(\d{1,2})\2(\d{1,4})")
_MONTHS = 12


def _day_order(path: Path, days: Sequence[tuple[int, str]], wanted: DayOrder) -> DayOrder:
    """Which number of a day is which, from all days of the file; dots always mean day first, as a year first is clear.

    Raises:
        NeedsOwner: every day of the file could be read both ways.
    """
    if wanted != "auto":
        return wanted
    matches = [match for _, day in days if (match := _DAY.fullmatch(day))]
    two = [(int(match[1]), int(match[3]), match[2]) for match in matches if len(match[1]) < 4]  # noqa: PLR2004 - a year
    if not two:
        return "ymd"
    if any(mark == "." or first > _MONTHS for first, _, mark in two):
        return "dmy"
    if any(second > _MONTHS for _, second, _ in two):
        return "mdy"
    if all(first == second for first, second, _ in two):
        return "dmy"  # both readings are the same day
    example = next(day for _, day in days if _DAY.fullmatch(day))
    raise NeedsOwner(
        f'{path}: the days can be read two ways ("{example}").',
        'Set work.dates = "dmy" or "mdy", or let the tool write days like 2026-11-23.',
    )


def _date(line: _Line, key: str, order: DayOrder) -> date:
    match = _DAY.fullmatch(line[key])
    expected = 'a day such as "2026-11-23"'
    if match is None:
        raise line.wrong(key, expected)
    first, second, third = int(match[1]), int(match[3]), int(match[4])
    if len(match[1]) == 4 or order == "ymd":  # noqa: PLR2004 - a year
        year, month, day = first, second, third
    elif order == "dmy":
        year, month, day = third, second, first
    else:
        year, month, day = third, first, second
    try:
        return date(year + 2000 if year < 100 else year, month, day)  # noqa: PLR2004 - two-digit years
    except ValueError:
        mend = 'Correct it, or set work.dates to the order your tool uses ("dmy", "mdy" or "ymd").'
        raise line.wrong(key, f'{expected} when read as "{order}"', mend) from None


# ---------------------------------------------------------------- the data


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(_TABLE.read_text(encoding="utf-8"))


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(fold(word) for word in _table()["words"][kind])


def timesheets_in(folder: Path) -> tuple[Path, ...]:
    """The exports of a folder, the oldest change first, so that the newest has the last word."""
    suffixes = (*SUFFIXES, *OTHER_SUFFIXES)
    try:
        paths = [path for path in folder.iterdir() if path.suffix.lower() in suffixes and path.is_file()]
        paths.sort(key=lambda path: (path.stat().st_mtime_ns, path.name))
    except FileNotFoundError:
        return ()
    except OSError as error:
        raise NeedsOwner(
            f"The timesheets folder {folder} cannot be read: {error.strerror}.",
            "Mend its permissions, or work.timesheets.",
        ) from None
    return tuple(path for path in paths if not path.name.startswith((".", "~")))
