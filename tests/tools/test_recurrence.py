"""Repeated events against tests/data/recurrence.toml: what the standard and recurring-ical-events say of each."""

import tomllib
from datetime import UTC, datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tools.calendar.blocks import cut
from tools.calendar.expansion import Frame, busy, plain

TABLE = Path(__file__).parents[1] / "data" / "recurrence.toml"
CASES: list[dict[str, Any]] = tomllib.loads(TABLE.read_text("utf-8"))["case"]


def calendar(events: list[list[str]], head: str = "", fold: bool = False) -> str:
    lines = ["BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Northwind//EN", *([head] if head else [])]
    for event in events:
        lines += ["BEGIN:VEVENT", "SUMMARY:Review", *event]
        lines += ["BEGIN:VALARM", "TRIGGER:-PT15M", "DURATION:PT5M", "END:VALARM", "END:VEVENT"]
    folded = [f"{line[:20]}\r\n {line[20:]}" if fold and len(line) > 20 else line for line in lines]
    return "\r\n".join([*folded, "END:VCALENDAR", ""])


def zone(name: str, offset: str) -> str:
    """A definition of a zone that has this offset all year."""
    rule = [
        "BEGIN:STANDARD",
        "DTSTART:19700101T000000",
        f"TZOFFSETFROM:{offset}",
        f"TZOFFSETTO:{offset}",
        "END:STANDARD",
    ]
    return "\r\n".join(["BEGIN:VTIMEZONE", f"TZID:{name}", *rule, "END:VTIMEZONE"])


def frame(case: dict[str, Any]) -> Frame:
    first, last = (datetime.fromisoformat(day).replace(tzinfo=UTC) for day in case["days"])
    return Frame(first=first, last=last, zone=ZoneInfo(case["zone"]))


def times(text: str, within: Frame) -> list[str]:
    answer = busy([text], within)
    assert answer["faults"] == []
    assert answer["asides"] == []
    return sorted(
        "/".join(f"{datetime.fromtimestamp(moment, UTC):%Y-%m-%dT%H:%M}" for moment in span[:2])
        for span in answer["spans"]
    )


def test_the_table_is_large_enough() -> None:
    assert len(CASES) >= 80
    assert len({case["name"] for case in CASES}) == len(CASES)


@pytest.mark.parametrize("case", CASES, ids=lambda case: case["name"])
def test_when_it_takes_place(case: dict[str, Any]) -> None:
    assert times(calendar(case["events"]), frame(case)) == case["times"]


@pytest.mark.parametrize("case", CASES[::4], ids=lambda case: case["name"])
def test_neither_folded_lines_nor_line_ends_change_anything(case: dict[str, Any]) -> None:
    folded = calendar(case["events"], fold=True)
    assert times(folded, frame(case)) == case["times"]
    assert times(folded.replace("\r\n", "\n"), frame(case)) == case["times"]


def test_a_plain_event_is_read_as_the_library_reads_it() -> None:
    """The fast way and the library agree wherever the fast way answers, and it does answer."""
    answered = 0
    for case in CASES:
        for entry in cut([calendar(case["events"])]).events:
            bounds = plain(entry, ZoneInfo(case["zone"]))
            if bounds is None:
                continue
            answered += 1
            slow = calendar(
                [[*(line for line in entry.lines if not line.startswith("SUMMARY")), "RDATE:18500101T000000Z"]]
            )
            assert times(slow, frame(case)) == times(calendar(case["events"]), frame(case))
    assert answered >= 6


def test_a_zone_that_lies_about_a_known_name_is_not_believed() -> None:
    lie = zone("Europe/Berlin", "+0900")
    event = ["UID:1", "DTSTART;TZID=Europe/Berlin:20260312T100000", "DTEND;TZID=Europe/Berlin:20260312T110000"]
    march = {"days": ["2026-03-01", "2026-04-01"], "zone": "Europe/Berlin"}
    assert times(calendar([event], lie), frame(march)) == ["2026-03-12T09:00/2026-03-12T10:00"]


def test_a_zone_of_the_calendars_own_is_taken_as_it_defines_it() -> None:
    own = zone("Office", "+0530")
    event = ["UID:1", "DTSTART;TZID=Office:20260312T100000", "DTEND;TZID=Office:20260312T110000"]
    march = {"days": ["2026-03-01", "2026-04-01"], "zone": "Europe/Berlin"}
    assert times(calendar([event], own), frame(march)) == ["2026-03-12T04:30/2026-03-12T05:30"]
    # and the next calendar does not know it any more
    answer = busy([calendar([event])], frame(march))
    assert answer["asides"] == [
        'The zone "Office" of the event "Review" of 2026-03-12 is not known: its times were taken as yours.'
    ]


def test_what_is_written_in_utc_repeats_by_the_published_zone() -> None:
    """Google writes 09:00Z and X-WR-TIMEZONE: the meeting stays at ten o'clock of Berlin in summer."""
    event = ["UID:1", "DTSTART:20260320T090000Z", "DTEND:20260320T100000Z", "RRULE:FREQ=WEEKLY;COUNT=3"]
    days = {"days": ["2026-03-01", "2026-05-01"], "zone": "UTC"}
    assert times(calendar([event], "X-WR-TIMEZONE:Europe/Berlin"), frame(days)) == [
        "2026-03-20T09:00/2026-03-20T10:00",
        "2026-03-27T09:00/2026-03-27T10:00",
        "2026-04-03T08:00/2026-04-03T09:00",
    ]
