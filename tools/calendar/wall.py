"""Wall: the times of one event and its exceptions as one clock on the wall shows them. In the limited child.

`recurring-ical-events` knows an occurrence by its time in UTC and on the wall alike, so that an hourly event of Berlin
loses two hours where one was taken out. Without zones each has one name; the zone is put back when all is counted.
"""

from collections.abc import Sequence
from datetime import UTC, datetime, tzinfo
from typing import Any
from zoneinfo import ZoneInfo

_SINGLE = ("DTSTART", "DTEND", "RECURRENCE-ID")
_LISTS = ("EXDATE", "RDATE")


def on_one_wall(events: Sequence[Any], zone: ZoneInfo, published: tzinfo | None) -> tzinfo:
    """Take the zones out of the events' times; the zone whose clock they show now.

    Args:
        events: one event with its exceptions, as icalendar read them; they are changed.
        zone: the owner's, for times that name none.
        published: the calendar's own (X-WR-TIMEZONE): what it writes in UTC repeats by its clock.
    """
    core = next((event for event in events if "RECURRENCE-ID" not in event), events[0])
    start = core["DTSTART"].dt
    within: tzinfo = (start.tzinfo if isinstance(start, datetime) else None) or zone
    if published and within.utcoffset(datetime(2000, 7, 1)) == UTC.utcoffset(None) and str(within) == "UTC":  # noqa: DTZ001
        within = published
    for event in events:
        _take_out(event, within)
    return within


def _take_out(event: Any, within: tzinfo) -> None:
    for name in _SINGLE:
        if name in event:
            old = event.pop(name)
            span = old.params.get("RANGE")
            event.add(name, _on_wall(old.dt, within), parameters={"RANGE": span} if span else None)
    for name in _LISTS:
        lists = event.pop(name, [])
        for listed in lists if isinstance(lists, list) else [lists]:
            _add(event, name, [_on_wall(one.dt, within) for one in listed.dts])
    rules = event.get("RRULE", [])
    for rule in rules if isinstance(rules, list) else [rules]:
        if "UNTIL" in rule:
            rule["UNTIL"] = [_on_wall(until, within) for until in rule["UNTIL"]]


def _add(event: Any, name: str, values: list[Any]) -> None:
    kind = "PERIOD" if isinstance(values[0], tuple) else None if isinstance(values[0], datetime) else "DATE"
    event.add(name, values, parameters={"VALUE": kind} if kind else None)


def _on_wall(value: Any, within: tzinfo) -> Any:
    if isinstance(value, tuple):  # a period: its start, and its end or length
        return tuple(_on_wall(part, within) for part in value)
    if isinstance(value, datetime) and value.tzinfo is not None:
        return value.astimezone(within).replace(tzinfo=None)
    return value
