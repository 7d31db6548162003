"""Blocks: a calendar's text cut into its entries, in one pass, with the lines that say when and whether one is busy.

The library that reads them is slow and trusting: what is long past, far ahead or of no use never reaches it.
"""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from typing import Final

MOST_EVENTS: Final = 50_000
"""Events of one calendar that are read."""

_TOP = {"VEVENT", "VFREEBUSY", "VTIMEZONE"}
_OF_EVENTS = {
    "UID", "DTSTART", "DTEND", "DURATION", "RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "SEQUENCE", "STATUS", "TRANSP",
    "SUMMARY", "FREEBUSY", "X-MICROSOFT-CDO-BUSYSTATUS",
}  # fmt: skip
_NAME = re.compile(r"[A-Za-z0-9-]{1,60}")
_LINE = re.compile(r'([A-Za-z0-9-]{1,60})((?:;[^:";]*(?:"[^"]*"[^:";]*)*)*):(.*)', re.DOTALL)
_LONGEST_LINE = 20_000
_SLACK = timedelta(days=2)  # more than any two time zones lie apart
_DIGITS = re.compile(r"\d{8}")
_REPEATS = ("RRULE", "RDATE", "RECURRENCE-ID")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarEntry:
    """One entry of a calendar: its kind and its unfolded lines. `cut`: it was never closed."""

    kind: str
    lines: tuple[str, ...]
    cut: bool = False

    def value(self, name: str) -> str:
        """What stands after the colon of the first line of that name, "" when there is none."""
        return self.line(name)[1]

    def line(self, name: str) -> tuple[str, str]:
        """The parameters (";TZID=Europe/Berlin") and the value of the first line of that name."""
        first = next((line for line in self.lines if line[: len(name)].upper() == name and _ends(line, name)), "")
        matched = _LINE.fullmatch(first)
        return (matched[2], matched[3].strip()) if matched else ("", "")

    def has(self, *names: str) -> bool:
        return any(line[: len(name)].upper() == name and _ends(line, name) for line in self.lines for name in names)

    @property
    def text(self) -> str:
        return "\r\n".join((f"BEGIN:{self.kind}", *self.lines, f"END:{self.kind}", ""))

    @property
    def called(self) -> str:
        """How the owner is told of it: its title and its day."""
        title = " ".join(re.sub(r"\\(.)", r" ", self.value("SUMMARY")).split())[:60] or "without a title"
        day = day_in(self.value("DTSTART"))
        return f'"{title}"' + (f" of {day}" if day else "")


@dataclass(slots=True)
class Blocks:
    """One calendar, cut into its entries."""

    zones: list[CalendarEntry] = field(default_factory=list)
    events: list[CalendarEntry] = field(default_factory=list)
    frees: list[CalendarEntry] = field(default_factory=list)
    zone: str = ""  # what X-WR-TIMEZONE says
    is_calendar: bool = False
    too_many: bool = False

    def add(self, entry: CalendarEntry) -> None:
        if len(self.events) + len(self.frees) >= MOST_EVENTS and entry.kind != "VTIMEZONE":
            self.too_many = True
            return
        {"VTIMEZONE": self.zones, "VEVENT": self.events, "VFREEBUSY": self.frees}[entry.kind].append(entry)


def cut(texts: Sequence[str]) -> Blocks:
    """The entries of one source: a file, an answer of a server, or many files of one event each."""
    blocks = Blocks()
    for text in texts:
        cutter = _Cutter(blocks)
        for line in _unfolded(text):
            cutter.take(line)
        cutter.end(cut=True)
    return blocks


@dataclass(slots=True)
class _Cutter:
    """Goes through one text line by line. `inner`: how deep inside an entry, among its alarms."""

    blocks: Blocks
    kind: str = ""
    lines: list[str] = field(default_factory=list)
    inner: int = 0

    def take(self, line: str) -> None:
        name, _, rest = line.partition(":")
        word, what = name.strip().upper(), rest.strip().upper()
        if word == "BEGIN" and what in _TOP:
            self.end(cut=True)
            self.kind = what
        elif word == "END" and what == self.kind:
            self.end()
        elif self.kind:
            self._keep(line, {"BEGIN": 1, "END": -1}.get(word, 0))
        elif word == "X-WR-TIMEZONE":
            self.blocks.zone = self.blocks.zone or rest.strip()[:100]
        elif word == "BEGIN" and what == "VCALENDAR":
            self.blocks.is_calendar = True

    def end(self, *, cut: bool = False) -> None:
        """The entry at hand, if there is one, is over."""
        if self.kind:
            self.blocks.add(CalendarEntry(kind=self.kind, lines=tuple(self.lines), cut=cut))
        self.kind, self.lines, self.inner = "", [], 0

    def _keep(self, line: str, step: int) -> None:
        self.inner = max(self.inner + step, 0)
        if self.kind == "VTIMEZONE" or (not self.inner and not step and _is_of_use(line)):
            self.lines.append(line)


def _unfolded(text: str) -> Iterator[str]:
    """Lines as they were before a mail program or server folded them; what a line holds past its cap is dropped."""
    whole = ""
    for piece in text.lstrip("\ufeff").split("\n"):
        line = piece.rstrip("\r")
        if line[:1] in {" ", "\t"}:
            whole += line[1:] if len(whole) < _LONGEST_LINE else ""
            continue
        if whole:
            yield whole
        whole = line[:_LONGEST_LINE]
    if whole:
        yield whole


def _is_of_use(line: str) -> bool:
    name = _NAME.match(line)
    word = name[0].upper() if name else ""
    return word in _OF_EVENTS or (word == "ATTENDEE" and "DECLINED" in line.upper())


def _ends(line: str, name: str) -> bool:
    return line[len(name) : len(name) + 1] in {":", ";"}


# ---------------------------------------------------------------- which of them matter


def groups(events: Sequence[CalendarEntry], first: date, last: date) -> Iterator[tuple[CalendarEntry, ...]]:
    """Events that belong together (one UID), those left out that surely lie outside the days asked for."""
    together: dict[str, list[CalendarEntry]] = {}
    for number, event in enumerate(events):
        together.setdefault(event.value("UID") or f"\0{number}", []).append(event)
    for group in together.values():
        if not all(_outside(event, first - _SLACK, last + _SLACK) for event in group):
            yield tuple(group)


def _outside(event: CalendarEntry, first: date, last: date) -> bool:
    """Whether the event, with all its repetitions, surely lies outside; False when that cannot be told."""
    start = day_in(event.value("DTSTART"))
    if event.cut or start is None or event.has("RDATE", "RECURRENCE-ID"):
        return False
    if start > last:
        return True
    end = day_in(event.value("DTEND")) or start
    if event.has("DURATION") or end < start:
        return False
    if not event.has("RRULE"):
        return end < first
    until = re.search(r"UNTIL=(\d{8})", event.value("RRULE").upper())
    ends = day_in(until[1]) if until else None
    return ends is not None and ends + (end - start) < first


def day_in(value: str) -> date | None:
    """The day with which a value begins, None when it begins with none."""
    digits = _DIGITS.match(value)
    try:
        return date(int(value[:4]), int(value[4:6]), int(value[6:8])) if digits else None
    except ValueError:
        return None
