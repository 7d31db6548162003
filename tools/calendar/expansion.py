"""Expansion: entries of a calendar become spans of busy time, repetitions and all. Runs in the limited child alone.

An entry that cannot be read is set aside under its name, and the rest goes on; what would repeat without measure is cut
short by the processor time that one entry may take.
"""

import contextlib
import math
import re
import signal
import warnings
from collections.abc import Callable, Iterator, Sequence
from dataclasses import asdict, dataclass, field
from datetime import UTC, date, datetime, time, timedelta, tzinfo
from typing import Any, Final
from zoneinfo import ZoneInfo

from tools.calendar.blocks import MOST_EVENTS, Blocks, CalendarEntry, cut, day_in, groups
from tools.calendar.wall import on_one_wall
from workflows.errors import Permanent

MOST_OCCURRENCES: Final = 5_000
"""Times that one event may take place within the days asked for."""
_MOST_STEPS = 200_000  # of a rule, from its first day to the last one asked for
_MOST_SLOW = 5
_SECONDS = 1.0  # of processor time, for one event with all its repetitions
_MOST_ASIDE = 20
_AROUND = timedelta(days=2)
_STEPS = {"SECONDLY": 1, "MINUTELY": 60, "HOURLY": 3600, "DAILY": 86_400, "WEEKLY": 604_800}
_FREE = {"FREE", "WORKINGELSEWHERE"}


Span = tuple[float, float, bool, str]
"""Start, end, whether it is tentative, and the event's UID."""
Value = Callable[[str], str]
"""What an event says under a name."""


class _TooSlow(BaseException):
    """One entry took longer than it may. No `Exception`: a library must not swallow it."""


class _Aside(Exception):
    """One entry that cannot be taken; the message completes "is left out: ..."."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Frame:
    """What is asked for: the days, the owner's zone for times that name none, and the owner's own addresses."""

    first: datetime
    last: datetime
    zone: ZoneInfo
    owners: frozenset[str] = frozenset()


@dataclass(slots=True)
class _Taken:
    spans: list[Span] = field(default_factory=list)
    faults: list[str] = field(default_factory=list)
    asides: list[str] = field(default_factory=list)
    unknown: list[tuple[str, str]] = field(default_factory=list)  # zones, each with the event that named it

    def say_zone(self, zone: str, called: str) -> None:
        if (zone, called) not in self.unknown and len(self.unknown) < _MOST_ASIDE:
            self.unknown.append((zone, called))
            self.asides.append(f'The zone "{zone}" of the event {called} is not known: its times were taken as yours.')

    def leave_out(self, called: str, reason: str) -> None:
        if len(self.asides) < _MOST_ASIDE:
            self.asides.append(f"The event {called} is left out: {reason}.")
        elif len(self.asides) == _MOST_ASIDE:
            self.asides.append("Further events are left out for reasons of the same kind.")


def busy(texts: Sequence[str], frame: Frame) -> dict[str, Any]:
    """The busy time in those texts, as plain values: spans (start, end, tentative, uid), faults and asides.

    Raises:
        Permanent: it is no calendar, or too much of it takes too long.
    """
    blocks = cut(texts)
    if not blocks.is_calendar and any(text.strip() for text in texts):
        raise Permanent("it is no calendar: no line in it says BEGIN:VCALENDAR")
    taken = _Taken()
    if blocks.too_many:
        taken.faults.append(f"it has more than {MOST_EVENTS:,} events, and the first {MOST_EVENTS:,} were read")
    _know_zones(blocks, taken)
    slow = 0
    for group in groups(blocks.events, frame.first.date(), frame.last.date()):
        slow += _take(group, blocks, frame, taken)
        if slow > _MOST_SLOW:
            raise Permanent(f"more than {_MOST_SLOW} of its events repeat without measure")
    for entry in blocks.frees:
        _take_free(entry, frame, taken)
    return asdict(taken)


def _know_zones(blocks: Blocks, taken: _Taken) -> None:
    """Zones that the calendar defines itself; a name that the world knows keeps the meaning it has there."""
    from icalendar import Timezone
    from icalendar.timezone import tzp

    tzp.use_zoneinfo()  # forgets what the calendar before this one defined
    for zone in blocks.zones[:200]:
        try:
            with _limited():
                tzp.cache_timezone_component(Timezone.from_ical(zone.text))
        except MemoryError:
            raise
        except (_TooSlow, Exception):  # noqa: BLE001  whatever it is made of, its events say which zone they lack
            name = " ".join(zone.value("TZID").split())[:60]
            taken.asides.append(f'The zone "{name}" as the calendar describes it cannot be read.')


def _take(group: Sequence[CalendarEntry], blocks: Blocks, frame: Frame, taken: _Taken) -> int:
    """The spans of one event with all its repetitions; 1 when it took too long."""
    called = next((entry.called for entry in group if not entry.has("RECURRENCE-ID")), group[0].called)
    try:
        with _limited():
            spans = list(_spans(group, blocks, frame, taken))
    except _Aside as aside:
        taken.leave_out(called, str(aside))
    except _TooSlow:
        taken.leave_out(called, "it repeats without measure")
        return 1
    except MemoryError:
        raise  # this child has no more: the next calendar gets another one
    except Exception as error:  # noqa: BLE001  one event must not hide the others, whatever it provokes
        taken.leave_out(called, f"it cannot be read ({type(error).__name__})")
    else:
        taken.spans += spans
    return 0


def _spans(group: Sequence[CalendarEntry], blocks: Blocks, frame: Frame, taken: _Taken) -> Iterator[Span]:
    if len(group) == 1 and (bounds := plain(group[0], frame.zone)):
        if not _takes_no_time(group[0].value):
            yield from _within(bounds, frame, _is_tentative(group[0].value), group[0].value("UID"))
        return
    import recurring_ical_events
    from icalendar import Calendar

    _measure(group, frame)
    calendar = Calendar()
    for entry in group:
        calendar.add_component(_event(entry, taken))
    published = named_zone(blocks.zone) if blocks.zone else None
    wall = on_one_wall(calendar.subcomponents, frame.zone, published)
    query = recurring_ical_events.of(calendar)
    occurrences = query.between(frame.first - _AROUND, frame.last + _AROUND)
    if len(occurrences) > MOST_OCCURRENCES:
        raise _Aside(f"it takes place more than {MOST_OCCURRENCES:,} times in these days")
    for event in occurrences:
        if not _takes_no_time(_value_of(event)) and not _is_declined(event, frame.owners):
            bounds = _bounds(event, wall, frame.zone)
            yield from _within(bounds, frame, _is_tentative(_value_of(event)), str(event.get("UID", "")))


_OUTLOOK = "X-MICROSOFT-CDO-BUSYSTATUS"


def _event(entry: CalendarEntry, taken: _Taken) -> Any:
    """The entry as the library reads it.

    Raises:
        _Aside: it was cut off, or a line of it that matters cannot be read.
    """
    from icalendar import Event

    if entry.cut:
        raise _Aside("the calendar breaks off in the middle of it")
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a guessed zone is right more often than none
        event = Event.from_ical(entry.text)
    broken = next((name for name, _ in event.errors if name), "")
    if broken:
        raise _Aside(f"its {broken} cannot be read")
    start = event.get("DTSTART")
    if start is None:
        raise _Aside("it has no start")
    zone = str(start.params.get("TZID", "")) if isinstance(start.dt, datetime) else ""
    if zone and start.dt.tzinfo is None:
        taken.say_zone(zone[:60], entry.called)
    return event


def _measure(group: Sequence[CalendarEntry], frame: Frame) -> None:
    """Look how many moments its rules go through.

    Raises:
        _Aside: more than anybody means.
    """
    for entry in group:
        rule = dict(part.partition("=")[::2] for part in entry.value("RRULE").upper().split(";") if part)
        start = day_in(entry.value("DTSTART"))
        if not rule or start is None:
            continue
        digits = re.fullmatch(r"\d{1,6}", rule.get("INTERVAL", "1"))
        interval = max(int(digits[0]), 1) if digits else 1
        seconds = _STEPS.get(rule.get("FREQ", ""), 30 * 86_400) * interval
        at_once = math.prod(rule.get(part, "").count(",") + 1 for part in ("BYHOUR", "BYMINUTE", "BYSECOND"))
        if (frame.last.date() - start).total_seconds() / seconds * at_once > _MOST_STEPS:
            raise _Aside("it repeats without measure")


def _takes_no_time(value: Value) -> bool:
    """Whether it is cancelled, or shown as free."""
    return (
        _word(value, "STATUS") == "CANCELLED"
        or _word(value, "TRANSP") == "TRANSPARENT"
        or _word(value, _OUTLOOK) in _FREE
    )


def _is_tentative(value: Value) -> bool:
    return "TENTATIVE" in {_word(value, "STATUS"), _word(value, _OUTLOOK)}


def _is_declined(event: Any, owners: frozenset[str]) -> bool:
    attendees = event.get("ATTENDEE", [])
    return any(
        str(attendee).lower().removeprefix("mailto:") in owners
        and str(attendee.params.get("PARTSTAT", "")).upper() == "DECLINED"
        for attendee in (attendees if isinstance(attendees, list) else [attendees])
    )


def _word(value: Value, name: str) -> str:
    return value(name).strip().upper()


def _value_of(event: Any) -> Value:
    return lambda name: str(event.get(name, ""))


def _within(bounds: tuple[datetime, datetime], frame: Frame, tentative: bool, uid: str) -> Iterator[Span]:
    start, end = bounds
    if start < end and end > frame.first and start < frame.last:
        yield start.timestamp(), end.timestamp(), tentative, uid[:200]


def _bounds(event: Any, wall: tzinfo, zone: ZoneInfo) -> tuple[datetime, datetime]:
    """When it is; a day is the owner's, a time is on the clock by which the event was counted."""
    start = event["DTSTART"].dt
    end = event["DTEND"].dt if "DTEND" in event else start
    if isinstance(start, datetime):
        return moment(start, wall), moment(end, wall)
    return moment(start, zone), moment(end if end > start else start + timedelta(days=1), zone)


def moment(value: date, zone: tzinfo) -> datetime:
    """A day or a time of a calendar as a moment; one that names no zone is in this one."""
    wall = value if isinstance(value, datetime) else datetime.combine(value, time())
    return (wall if wall.tzinfo else wall.replace(tzinfo=zone)).astimezone(UTC)


def plain(entry: CalendarEntry, zone: ZoneInfo) -> tuple[datetime, datetime] | None:
    """When an event takes place that happens once; None when only the library can tell. It is 40 times as fast."""
    if entry.cut or entry.has(*_NOT_PLAIN):
        return None
    start = _plain_time(*entry.line("DTSTART"), zone)
    end = _plain_time(*entry.line("DTEND"), zone)
    return (start, end) if start and end and start < end else None


_NOT_PLAIN = ("RRULE", "RDATE", "EXDATE", "RECURRENCE-ID", "DURATION", "ATTENDEE")
_PLAIN = re.compile(r"(\d{4})(\d\d)(\d\d)(?:T(\d\d)(\d\d)(\d\d)(Z?))?")
_PLAIN_ZONE = re.compile(r'(?:;VALUE=DATE(?:-TIME)?)?(?:;TZID="?([^";]+)"?)?(?:;VALUE=DATE(?:-TIME)?)?', re.IGNORECASE)


def _plain_time(parameters: str, value: str, zone: ZoneInfo) -> datetime | None:
    read, within = _PLAIN.fullmatch(value), _PLAIN_ZONE.fullmatch(parameters)
    if not read or not within or ("VALUE=DATE" in parameters.upper().replace("DATE-TIME", "") and read[4]):
        return None
    try:
        wall = datetime(*(int(part or 0) for part in read.groups()[:6]))  # type: ignore[arg-type]  # noqa: DTZ001
    except ValueError:
        return None
    place = UTC if read[7] else named_zone(within[1]) if within[1] else zone
    return None if place is None else moment(wall.replace(tzinfo=place), zone)


def named_zone(name: str) -> tzinfo | None:
    from icalendar.timezone import tzp

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # a guessed zone is right more often than none
        return tzp.timezone(name)


# ---------------------------------------------------------------- calendars that tell busy time alone


def _take_free(entry: CalendarEntry, frame: Frame, taken: _Taken) -> None:
    from icalendar import FreeBusy

    try:
        with _limited():
            spans = list(_free_spans(FreeBusy.from_ical(entry.text), frame))
    except MemoryError:
        raise
    except (_TooSlow, Exception):  # noqa: BLE001  as for an event
        taken.leave_out(entry.called, "its busy times cannot be read")
    else:
        taken.spans += spans


def _free_spans(entry: Any, frame: Frame) -> Iterator[Span]:
    listed = entry.get("FREEBUSY", [])
    for period in listed if isinstance(listed, list) else [listed]:
        kind = str(period.params.get("FBTYPE", "BUSY")).upper()
        for start, end in [(period.start, period.end)] if kind != "FREE" else []:
            bounds = moment(start, frame.zone), moment(end, frame.zone)
            yield from _within(bounds, frame, kind == "BUSY-TENTATIVE", str(entry.get("UID", "")))


# ---------------------------------------------------------------- one entry's time


@contextlib.contextmanager
def _limited() -> Iterator[None]:
    """Processor time for what is read inside: a busy machine makes no event slow."""

    def over(*_: object) -> None:
        raise _TooSlow

    before = signal.signal(signal.SIGVTALRM, over)
    signal.setitimer(signal.ITIMER_VIRTUAL, _SECONDS)
    try:
        yield
    finally:
        signal.setitimer(signal.ITIMER_VIRTUAL, 0)
        signal.signal(signal.SIGVTALRM, before)
