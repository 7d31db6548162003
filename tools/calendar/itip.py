"""iTIP: the calendar part of a mail, read as what it is: invited, changed, cancelled, answered. In the child."""

from collections.abc import Iterator
from datetime import date, datetime, timedelta
from itertools import islice
from typing import Any
from zoneinfo import ZoneInfo

from tools.calendar.expansion import moment
from tools.mail.message.decoding import decoded_pieces
from tools.mail.message.tree import Forgiving, MimeTree
from tools.web.markup import decode

_KINDS = {"text/calendar", "application/ics"}
_LARGEST = 200_000
_MOST_PEOPLE = 200
_LONGEST = 300


def invitation(raw: bytes, zone: ZoneInfo) -> dict[str, Any] | None:
    """What the first usable calendar part of a mail says, as plain values; None when there is none."""
    from icalendar import Calendar
    from icalendar.timezone import tzp

    tzp.use_zoneinfo()  # forgets the zones of the mail before this one
    for stated, content in _parts(raw):
        calendar = Calendar.from_ical(decode(content, "utf-8"))
        method = stated or str(calendar.get("METHOD", ""))
        event = next(iter(calendar.walk("VEVENT")), None)
        if event is not None and method.strip() and event.get("UID"):
            return _facts(method.strip().lower()[:20], event, zone)
    return None


def _parts(raw: bytes) -> Iterator[tuple[str, bytes]]:
    """The method that each calendar part's header states, and its content."""
    tree = MimeTree(raw)
    for leaf in tree.leaves():
        if leaf.kind in _KINDS:
            yield leaf.content_type.get("method"), b"".join(decoded_pieces(leaf, Forgiving(tree)))[:_LARGEST]


def _facts(method: str, event: Any, zone: ZoneInfo) -> dict[str, Any]:
    start = event["DTSTART"].dt if "DTSTART" in event else None
    end = None if start is None else _end(event, start)
    people = list(islice(_listed(event, "ATTENDEE"), _MOST_PEOPLE))
    return {
        "method": method,
        "uid": str(event["UID"]),
        "sequence": _number(event.get("SEQUENCE", 0)),
        "organizer": _address(event.get("ORGANIZER", "")),
        "attendees": [_address(one) for one in people],
        "answers": [str(one.params.get("PARTSTAT", "")).lower()[:20] for one in people],
        "start": None if start is None else moment(start, zone).isoformat(),
        "end": None if end is None else moment(end, zone).isoformat(),
        "all_day": start is not None and not isinstance(start, datetime),
        "summary": _plain(event.get("SUMMARY", "")),
        "location": _plain(event.get("LOCATION", "")),
        "comment": _plain(event.get("COMMENT", "")),
        "repeats": "RRULE" in event,
        "recurrence": _recurrence(event, zone),
    }


def _end(event: Any, start: date) -> date:
    if "DTEND" in event:
        end: date = event["DTEND"].dt
        return end
    length = event["DURATION"].dt if "DURATION" in event else timedelta(days=0 if isinstance(start, datetime) else 1)
    return start + length


def _recurrence(event: Any, zone: ZoneInfo) -> str:
    """Which of many times is meant, as `RECURRENCE-ID` is written in UTC; "" for all of them."""
    if "RECURRENCE-ID" not in event:
        return ""
    value = event["RECURRENCE-ID"].dt
    return f"{moment(value, zone):%Y%m%dT%H%M%SZ}" if isinstance(value, datetime) else f"{value:%Y%m%d}"


def _listed(event: Any, name: str) -> list[Any]:
    listed = event.get(name, [])
    return listed if isinstance(listed, list) else [listed]


def _number(value: Any) -> int:
    try:
        return max(int(value), 0)
    except (TypeError, ValueError):
        return 0


def _address(value: Any) -> str:
    text = str(value).strip()
    plain = text[7:] if text[:7].lower() == "mailto:" else text
    return plain.strip().lower()[:_LONGEST]


def _plain(value: Any) -> str:
    text = value[0] if isinstance(value, list) and value else value
    return " ".join("".join(one if one.isprintable() else " " for one in str(text or "")).split())[:_LONGEST]
