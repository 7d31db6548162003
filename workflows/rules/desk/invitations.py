"""Invitations by mail: what is asked, in one line of facts, and the answer that goes back with the owner's mail.

RFC 5546 (iTIP): an answer names the UID, the SEQUENCE and the RECURRENCE-ID of what it answers, the organizer as it
stood there, and one attendee, the owner. It is made only where the organizer is who the mail goes to anyway.
"""

import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Final, Literal

from workflows.models.people import Owner
from workflows.rules.desk.slots import Availability, Slot, told, told_day
from workflows.rules.text.languages import filled, words_in

Reaction = Literal["accepted", "declined"] | Slot
"""What the owner answers; a slot is proposed instead."""
Matter = Literal["invited", "changed", "cancelled", "answered", "countered", "listed"]

_OCTETS: Final = 75  # of one line, before it is folded
_LONGEST_UID: Final = 255
_ADDRESS = re.compile(r"[^\s@<>\"';:,\\]{1,64}@[^\s@<>\"';:,\\]{1,190}")
_CONTROLS = re.compile(r"[\x00-\x1f\x7f]")
_STATES = ("accepted", "declined", "tentative")


@dataclass(frozen=True, slots=True, kw_only=True)
class Invitation:
    """What the calendar part of a mail says. Times are in UTC.

    Attributes:
        method: "request", "cancel", "reply", "counter", "publish" ... in small letters.
        answers: what each attendee said, beside `attendees`: "accepted", "declined", "tentative", "needs-action".
        recurrence: which one of many is meant, as RECURRENCE-ID states it in UTC; "" for all of them.
        repeats: whether it takes place more than once.
    """

    method: str
    uid: str
    sequence: int = 0
    organizer: str = ""
    attendees: tuple[str, ...] = ()
    start: datetime | None = None
    end: datetime | None = None
    summary: str = ""
    recurrence: str = ""
    location: str = ""
    answers: tuple[str, ...] = ()
    comment: str = ""
    all_day: bool = False
    repeats: bool = False

    @property
    def slot(self) -> Slot | None:
        """The time it takes, None when it names none."""
        if self.start is None:
            return None
        end = self.end if self.end and self.end > self.start else self.start + timedelta(minutes=30)
        return Slot(start=self.start, end=end)


def matter_of(invitation: Invitation, known: int | None = None) -> Matter:
    """What it is about. `known`: the SEQUENCE under which its UID came before, None when it never did."""
    plain: dict[str, Matter] = {"cancel": "cancelled", "reply": "answered", "counter": "countered"}
    if invitation.method != "request":
        return plain.get(invitation.method, "listed")
    return "invited" if known is None or invitation.sequence <= known else "changed"


def is_outdated(invitation: Invitation, known: int | None) -> bool:
    """Whether a newer one of the same UID came before it: mails overtake each other."""
    return known is not None and invitation.sequence < known


# ---------------------------------------------------------------- one line of facts


def facts_line(
    invitation: Invitation, owner: Owner, availability: Availability = Availability.UNKNOWN, known: int | None = None
) -> str:
    """`Invitation: Review, Thu 12 Mar 10:00-11:00 (your time), from anna@northwind.example; you are free`."""
    words = words_in(owner.language, "invitations")
    matter = matter_of(invitation, known)
    slot = invitation.slot
    when = _when(invitation, slot, owner, words) if slot else words["no_time"]
    state = next((state for state in invitation.answers if state in _STATES), "") if matter == "answered" else ""
    line = filled(
        words[f"answered_{state}"] if state else words[matter],
        title=invitation.summary or words["no_title"],
        when=when,
        sender=_teller(invitation, matter),
    )
    tail = words[f"is_{availability.value}"] if matter in {"invited", "changed", "countered"} and slot else ""
    return f"{line}; {tail}" if tail else line


def told_when(invitation: Invitation, owner: Owner) -> str:
    """Its time as the owner reads it, "" where it names none."""
    slot = invitation.slot
    return _when(invitation, slot, owner, words_in(owner.language, "invitations")) if slot else ""


def _when(invitation: Invitation, slot: Slot, owner: Owner, words: dict[str, str]) -> str:
    language, zone = owner.language, owner.timezone
    whole_day = f"{told_day(slot.start, language, zone)}, {words['all_day']}"
    text = whole_day if invitation.all_day else f"{told(slot, language, zone)} ({words['your_time']})"
    return f"{text}, {words['repeats']}" if invitation.repeats else text


def _teller(invitation: Invitation, matter: Matter) -> str:
    """Who says it: an answer comes from an attendee, everything else from the organizer."""
    if matter in {"answered", "countered"} and invitation.attendees:
        return invitation.attendees[0]
    return invitation.organizer or "?"


# ---------------------------------------------------------------- the answer


def may_answer(invitation: Invitation, recipients: tuple[str, ...]) -> bool:
    """Whether an answer may go with a mail to these: the organizer is the only one it goes to."""
    plain = tuple(address.strip().lower() for address in recipients)
    return (
        invitation.method == "request"
        and plain == (invitation.organizer,)
        and bool(_ADDRESS.fullmatch(invitation.organizer))
        and 0 < len(invitation.uid) <= _LONGEST_UID
        and not _CONTROLS.search(invitation.uid)
    )


def answer_to(
    invitation: Invitation, owner: Owner, recipients: tuple[str, ...], reaction: Reaction, now: datetime
) -> bytes | None:
    """The calendar part that accepts, declines, or proposes a slot instead; None where none may be made.

    It goes as `text/calendar; method=...; charset=utf-8`, see `method_of`.
    """
    if not may_answer(invitation, recipients):
        return None
    state = "TENTATIVE" if isinstance(reaction, Slot) else reaction.upper()
    lines = [
        "BEGIN:VCALENDAR", "PRODID:-//Deskhand//EN", "VERSION:2.0", f"METHOD:{method_of(reaction).upper()}",
        "BEGIN:VEVENT", f"UID:{_escaped(invitation.uid)}", f"SEQUENCE:{invitation.sequence}",
        f"DTSTAMP:{_stamp(now)}", f"ORGANIZER:mailto:{invitation.organizer}",
        f"ATTENDEE;PARTSTAT={state}:mailto:{invited_as(invitation, owner)}",
        *_recurrence(invitation.recurrence),
        *_times(invitation, reaction),
        *([f"SUMMARY:{_escaped(invitation.summary)}"] if invitation.summary else []),
        "END:VEVENT", "END:VCALENDAR",
    ]  # fmt: skip
    return "".join(f"{_folded(line)}\r\n" for line in lines).encode()


def method_of(reaction: Reaction) -> str:
    """`reply` or `counter`, as the part's Content-Type states it."""
    return "counter" if isinstance(reaction, Slot) else "reply"


def invited_as(invitation: Invitation, owner: Owner) -> str:
    """The address of the owner that was invited; the main one where the list names none of them."""
    return next((address for address in invitation.attendees if address in owner.addresses), owner.address.lower())


def _recurrence(value: str) -> list[str]:
    if not value:
        return []
    return [f"RECURRENCE-ID;VALUE=DATE:{value}" if value.isdigit() else f"RECURRENCE-ID:{value}"]


def _times(invitation: Invitation, reaction: Reaction) -> list[str]:
    """When; a whole day is left out of a plain answer, for its date would depend on a zone that nobody stated."""
    slot = reaction if isinstance(reaction, Slot) else None if invitation.all_day else invitation.slot
    return [f"DTSTART:{_stamp(slot.start)}", f"DTEND:{_stamp(slot.end)}"] if slot else []


def _stamp(moment: datetime) -> str:
    return f"{moment.astimezone(UTC):%Y%m%dT%H%M%SZ}"


def _escaped(text: str) -> str:
    return re.sub(r"([\\;,])", r"\\\1", _CONTROLS.sub(" ", text))


def _folded(line: str) -> str:
    """A line as RFC 5545 folds it: at most 75 octets each, never within a character."""
    pieces, piece = [], ""
    for character in line:
        if len((piece + character).encode()) > _OCTETS:
            pieces.append(piece)
            piece = " "
        piece += character
    return "\r\n".join([*pieces, piece])
