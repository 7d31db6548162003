"""Booking: one entry in the owner's own calendar by CalDAV, after the yes.

The entry names nobody: an attendee or organizer would have the server mail people past the outbox. It lies under a name
made of the errand's key, and is put only where nothing lies yet: asked twice, it is entered once.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from tools.calendar.caldav import CalDav
from workflows.errors import Permanent
from workflows.models.proposals import Argument
from workflows.ports import Clock
from workflows.rules.asking.proposed import entry_name
from workflows.rules.text.canonical import one_line, visible

_LONGEST = timedelta(days=1)
_NAMES = frozenset({"begins", "ends", "title", "note"})
_LINE = 70  # bytes of a folded line; RFC 5545 allows 75


@dataclass(frozen=True, slots=True)
class CalendarBooking:
    """Implements `workflows.ports.Booking` on one CalDAV account: its first calendar."""

    account: CalDav
    clock: Clock

    async def book(self, key: str, arguments: Mapping[str, Argument]) -> str:
        """Enter the time; what was booked in one line.

        Raises:
            Permanent: the arguments name no time. NeedsOwner: the calendar must be mended first. Retryable: not known.
        """
        if further := set(arguments) - _NAMES:
            raise Permanent(f"An entry in a calendar has no {', '.join(sorted(further))}.")
        begins, ends = _moment(arguments, "begins"), _moment(arguments, "ends")
        if not begins < ends <= begins + _LONGEST:
            raise Permanent("The entry ends before it begins, or takes longer than a day.")
        title = one_line(str(arguments.get("title", "")), 200) or "Booked"
        name = entry_name(key)
        note = visible(str(arguments.get("note", "")))[:2000]
        await self.account.enter(name, _entry(name, (begins, ends), title, note, self.clock.now()))
        return f"{title}, {begins:%Y-%m-%d %H:%M} to {ends:%H:%M}"


def _moment(arguments: Mapping[str, Argument], name: str) -> datetime:
    try:
        moment = datetime.fromisoformat(str(arguments.get(name, "")))
    except ValueError:
        raise Permanent(f'"{name}" of the entry is no time such as "2026-12-03T10:00+01:00".') from None
    if moment.tzinfo is None:
        raise Permanent(f'"{name}" of the entry says no time zone.')
    return moment


def _entry(name: str, span: tuple[datetime, datetime], title: str, note: str, now: datetime) -> bytes:
    begins, ends = span
    lines = [
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Deskhand//EN", "BEGIN:VEVENT", f"UID:{name}",
        f"DTSTAMP:{_utc(now)}", f"DTSTART:{_utc(begins)}", f"DTEND:{_utc(ends)}", f"SUMMARY:{_escaped(title)}",
        *([f"DESCRIPTION:{_escaped(note)}"] if note.strip() else []),
        "END:VEVENT", "END:VCALENDAR", "",
    ]  # fmt: skip
    return b"\r\n".join(_folded(line) for line in lines)


def _utc(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", text).replace("\n", "\\n")


def _folded(line: str) -> bytes:
    """Lines of at most 75 bytes, cut between letters."""
    pieces, piece = [], b""
    for sign in line:
        encoded = sign.encode()
        if len(piece) + len(encoded) > _LINE:
            pieces.append(piece)
            piece = b" "
        piece += encoded
    return b"\r\n".join([*pieces, piece])
