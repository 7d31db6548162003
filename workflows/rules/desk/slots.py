"""Slots: which times of the owner's are free, from what a calendar says is taken; three of them to offer.

Pure and total. A calendar says when, never what: nothing here knows the title of an event.
"""

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, date, datetime, time, timedelta
from enum import StrEnum
from zoneinfo import ZoneInfo

from workflows.models.people import Owner
from workflows.rules.text.calendar import at_clock, is_working_day, local_time, working_hours_on
from workflows.rules.text.languages import words_in

_GRID = timedelta(minutes=30)  # slots begin at the hour or the half
_DAY = timedelta(days=1)
_LONGEST = 92  # days looked ahead at most
_CLIENT_DAY = (time(8), time(19))
_LIKED = (10, 14, 11)  # hours of the owner's day, one for each slot offered
_APART = timedelta(hours=2)  # two slots of one day


@dataclass(frozen=True, slots=True, kw_only=True)
class BusySpan:
    """A time that is taken, never by what. `uid`: the event's, so that one can be told from another."""

    start: datetime
    end: datetime
    tentative: bool = False
    uid: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CalendarView:
    """What the calendars say of some days.

    Attributes:
        spans: the times that are taken, sorted.
        faults: one sentence for each calendar that could not be read, or not whole: no time may be promised then.
        asides: one sentence for each single event that was left out; the rest is known.
        configured: whether the owner named a calendar at all; without one nothing is known and nothing is wrong.
    """

    spans: tuple[BusySpan, ...] = ()
    faults: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()
    configured: bool = True

    @property
    def may_promise(self) -> bool:
        """Whether a time may be called free."""
        return self.configured and not self.faults


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """A time that is offered or held, in UTC."""

    start: datetime
    end: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Offering:
    """How times are offered: how long, how much room around them, how far ahead, how soon at the earliest."""

    slot: timedelta = timedelta(minutes=30)
    buffer: timedelta = timedelta(minutes=15)
    days: int = 14
    notice: timedelta = timedelta(hours=2)


@dataclass(frozen=True, slots=True, kw_only=True)
class Diary:
    """All that decides about a time of the owner's.

    Attributes:
        view: what the calendars say.
        now: the present.
        owner: whose time it is, with zone, working hours and holidays.
        terms: how times are offered.
        held: what other drafts offer.
        agreed: what was entered for the client at hand, by uid: taken for new times, not for that they name it again.
    """

    view: CalendarView
    now: datetime
    owner: Owner
    terms: Offering = Offering()
    held: tuple[Slot, ...] = ()
    agreed: Mapping[str, datetime] = field(default_factory=dict)


class Availability(StrEnum):
    """What can be said of a time that a client names."""

    FREE = "free"
    TAKEN = "taken"
    OUTSIDE = "outside"  # free, and not in the owner's working hours
    PAST = "past"
    UNKNOWN = "unknown"  # a calendar could not be read, or there is none


# ---------------------------------------------------------------- free or taken


def is_free(
    start: datetime,
    end: datetime,
    spans: Sequence[BusySpan],
    held: Sequence[Slot] = (),
    buffer: timedelta = timedelta(),
) -> bool:
    """Whether nothing lies in that time, nor in the room around it; what is tentative or held counts as taken."""
    first, last = _moved(start, -buffer), _moved(end, buffer)
    taken: list[BusySpan | Slot] = [*spans, *held]
    return not any(span.start < last and first < span.end for span in taken)


def without(view: CalendarView, uids: Collection[str]) -> CalendarView:
    """The same without these events: what is entered for a client is not taken for that client."""
    return replace(view, spans=tuple(span for span in view.spans if span.uid not in uids)) if uids else view


def availability_of(slot: Slot, diary: Diary) -> Availability:
    """What can be said of a time that a client names. The buffer is the owner's own wish and makes no time taken."""
    if slot.start <= diary.now:
        return Availability.PAST
    if not diary.view.may_promise:
        return Availability.UNKNOWN
    if not is_free(slot.start, slot.end, without(diary.view, diary.agreed).spans, diary.held):
        return Availability.TAKEN
    return Availability.FREE if in_working_hours(slot, diary.owner) else Availability.OUTSIDE


def in_working_hours(slot: Slot, owner: Owner) -> bool:
    """Whether the owner is at work through all of it, on a day that is no holiday."""
    return any(start <= slot.start and slot.end <= end for start, end in _work(_day(slot.start, owner), owner))


# ---------------------------------------------------------------- offering


def free_slots(diary: Diary) -> Iterator[Slot]:
    """Every slot that could be offered, in order: in working hours, free with its buffer, not too soon."""
    terms, earliest = diary.terms, _moved(diary.now, diary.terms.notice)
    for start, end in _stretches(diary.now, diary.owner, terms.days):
        begin = _on_grid(start)
        while begin + terms.slot <= end:
            finish = begin + terms.slot
            if begin >= earliest and is_free(begin, finish, diary.view.spans, diary.held, terms.buffer):
                yield Slot(start=begin, end=finish)
            begin += _GRID


def three_slots(diary: Diary, zone: str = "", within: Slot | None = None) -> tuple[Slot, ...]:
    """Up to three slots to offer: on the next working days, not three at the same hour, in the client's day too.

    Args:
        diary: what decides; where a calendar could not be read nothing is offered.
        zone: the client's, "" where it is not known.
        within: the days that the client asked for; where nothing is free in them, the next ones are offered. Nothing is
            offered for today unless the client asked for it.
    """
    if not diary.view.may_promise:
        return ()
    free, today = list(free_slots(diary)), _day(diary.now, diary.owner)
    asked = [slot for slot in free if within and within.start <= slot.start and slot.end <= within.end]
    later = [slot for slot in free if _day(slot.start, diary.owner) > today]
    return _spread(_seen_by(asked or later, zone), diary.owner)


def _seen_by(slots: list[Slot], zone: str) -> list[Slot]:
    """Those that lie in the client's day; all of them where none does, or no zone is known."""
    place = _zone(zone)
    return [slot for slot in slots if place and _in_day(slot, place)] or slots


def _in_day(slot: Slot, place: ZoneInfo) -> bool:
    start, end = slot.start.astimezone(place), slot.end.astimezone(place)
    return start.date() == end.date() and _CLIENT_DAY[0] <= start.time() and end.time() <= _CLIENT_DAY[1]


def _spread(slots: Sequence[Slot], owner: Owner) -> tuple[Slot, ...]:
    """One a day at hours that differ; where there are too few days, further ones of the same days, well apart."""
    chosen: list[Slot] = []
    by_day: dict[date, list[Slot]] = {}
    for slot in slots:
        by_day.setdefault(_day(slot.start, owner), []).append(slot)
    for hour, of_day in zip(_LIKED, by_day.values(), strict=False):
        chosen.append(min(of_day, key=lambda slot: _off(slot, hour, owner)))
    for slot in slots:
        if len(chosen) < len(_LIKED) and all(abs(slot.start - offer.start) >= _APART for offer in chosen):
            chosen.append(slot)
    return tuple(sorted(chosen, key=lambda slot: slot.start))


def _off(slot: Slot, hour: int, owner: Owner) -> int:
    local = local_time(slot.start, owner)
    return abs(local.hour * 60 + local.minute - hour * 60)


def _stretches(now: datetime, owner: Owner, days: int) -> Iterator[tuple[datetime, datetime]]:
    today = _day(now, owner)
    for step in range(min(max(days, 1), _LONGEST) + 1):
        try:
            day = today + timedelta(days=step)
        except OverflowError:
            return
        yield from _work(day, owner)


def _work(day: date, owner: Owner) -> Iterator[tuple[datetime, datetime]]:
    """The stretches of work on a day, in UTC."""
    if not is_working_day(day, owner):
        return
    for span in working_hours_on(day.weekday(), owner):
        yield _clock(day, span.start, owner), _clock(day, span.end, owner)


def _clock(day: date, minute: int, owner: Owner) -> datetime:
    whole, rest = divmod(minute, 24 * 60)  # 24:00 is the next day's beginning
    return at_clock(day + whole * _DAY, time(rest // 60, rest % 60), owner).astimezone(UTC)


def _on_grid(moment: datetime) -> datetime:
    past = timedelta(minutes=moment.minute, seconds=moment.second, microseconds=moment.microsecond) % _GRID
    return moment + (_GRID - past) % _GRID


def _day(moment: datetime, owner: Owner) -> date:
    return local_time(moment, owner).date()


def _moved(moment: datetime, by: timedelta) -> datetime:
    try:
        return moment + by
    except OverflowError:
        return moment


# ---------------------------------------------------------------- in words


def told(slot: Slot, language: str, zone: str) -> str:
    """`Thu 12 Mar 10:00-10:30` in that language and zone."""
    place = _zone(zone) or ZoneInfo("UTC")
    start, end = slot.start.astimezone(place), slot.end.astimezone(place)
    return _worded(start, language, f"{start:%H:%M}-{end:%H:%M}")


def told_day(moment: datetime, language: str, zone: str) -> str:
    """`Thu 12 Mar` in that language and zone."""
    return _worded(moment.astimezone(_zone(zone) or ZoneInfo("UTC")), language, "")


def _worded(local: datetime, language: str, clock: str) -> str:
    words = words_in(language, "calendar")
    text: str = words["deadline"]
    weekday, month = words["weekdays"][local.weekday()][0], words["months"][local.month - 1][0]
    return text.format(weekday=weekday, day=local.day, month=month, time=clock).strip(" ,")


def told_to_both(slot: Slot, language: str, zone: str, second: str) -> str:
    """The same with a second clock where it shows another time: `Thu 12 Mar 10:00-10:30 (04:00 New York)`."""
    text, place = told(slot, language, zone), _zone(second)
    local = slot.start.astimezone(_zone(zone) or ZoneInfo("UTC"))
    if place is None or slot.start.astimezone(place).utcoffset() == local.utcoffset():
        return text
    moved = slot.start.astimezone(place)
    weekday = words_in(language, "calendar")["weekdays"][moved.weekday()][0]
    day = "" if moved.date() == local.date() else f"{weekday} "
    return f"{text} ({day}{moved:%H:%M} {city_of(second)})"


def city_of(zone: str) -> str:
    """`New York` for `America/New_York`."""
    return zone.rpartition("/")[2].replace("_", " ")


def _zone(name: str) -> ZoneInfo | None:
    try:
        return ZoneInfo(name) if name else None
    except (ValueError, OSError, KeyError):
        return None


def merged(spans: Iterable[BusySpan]) -> tuple[BusySpan, ...]:
    """Spans in order, each once; the same event in two calendars is one."""
    return tuple(sorted(set(spans), key=lambda span: (span.start, span.end, span.uid)))
