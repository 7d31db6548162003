"""An invitation on real servers: the approval mail tells it, and one mail carries text and the answer of a calendar."""

import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.message import Message
from email.utils import format_datetime
from pathlib import Path

import pytest
from icalendar import Calendar

from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from workflows.models.mail import Email
from workflows.rules.asking.approval import extract_draft

START = (datetime.now(UTC) + timedelta(days=4)).replace(hour=10, minute=0, second=0, microsecond=0)
END = START + timedelta(hours=1)
UID = "5q0mvl4t9h@google.com"


def entry(owner: str, method: str, sequence: int) -> str:
    """As Google writes it: the organizer has accepted, the owner is asked."""
    return "\r\n".join((
        "BEGIN:VCALENDAR", "PRODID:-//Google Inc//Google Calendar 70.9054//EN", "VERSION:2.0", "CALSCALE:GREGORIAN",
        f"METHOD:{method}", "BEGIN:VEVENT", f"DTSTART:{START:%Y%m%dT%H%M%SZ}", f"DTEND:{END:%Y%m%dT%H%M%SZ}",
        "DTSTAMP:20261101T090000Z", "ORGANIZER;CN=Maria Alvarez:mailto:maria@studio.example", f"UID:{UID}",
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=ACCEPTED;RSVP=TRUE",
        " ;CN=Maria Alvarez;X-NUM-GUESTS=0:mailto:maria@studio.example",
        "ATTENDEE;CUTYPE=INDIVIDUAL;ROLE=REQ-PARTICIPANT;PARTSTAT=NEEDS-ACTION;RSVP=",
        f" TRUE;CN={owner};X-NUM-GUESTS=0:mailto:{owner}",
        "CREATED:20261101T085900Z", "DESCRIPTION:", "LAST-MODIFIED:20261101T090000Z", "LOCATION:Studio",
        f"SEQUENCE:{sequence}", "STATUS:CONFIRMED", "SUMMARY:Review", "TRANSP:OPAQUE", "END:VEVENT", "END:VCALENDAR",
        "",
    ))  # fmt: skip


def invitation(owner: str, method: str = "REQUEST", sequence: int = 1) -> bytes:
    """A mail of a calendar's service: text, calendar part, and the same once more as a file."""
    calendar = entry(owner, method, sequence)
    return "\r\n".join((
        "From: Maria Alvarez <maria@studio.example>", "Sender: Google Calendar <calendar-notification@google.com>",
        "Reply-To: Maria Alvarez <maria@studio.example>", f"To: {owner}", f"Date: {format_datetime(datetime.now(UTC))}",
        f"Message-ID: <calendar-{time.monotonic_ns()}@google.com>", f"Subject: Invitation: Review @ {START:%a %b %d}",
        "MIME-Version: 1.0", 'Content-Type: multipart/mixed; boundary="m"', "", "--m",
        'Content-Type: multipart/alternative; boundary="a"', "", "--a", 'Content-Type: text/plain; charset="UTF-8"', "",
        "Hi Ada, does this time work for you?", "", "Review", f"{START:%A %b %d, %Y} · 10am", "Studio", "",
        "--a", f'Content-Type: text/calendar; charset="UTF-8"; method={method}', "Content-Transfer-Encoding: 8bit", "",
        calendar, "--a--", "--m", 'Content-Type: application/ics; name="invite.ics"',
        'Content-Disposition: attachment; filename="invite.ics"', "Content-Transfer-Encoding: 8bit", "", calendar,
        "--m--", "",
    )).encode()  # fmt: skip


def busy(start: datetime, uid: str) -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", f"UID:{uid}", "SUMMARY:Dentist")
    times = (f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}")
    return "\r\n".join((*lines, *times, "END:VEVENT", "END:VCALENDAR", ""))


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    path = tmp_path / "work.ics"
    path.write_text(busy(START, UID))  # the service has entered its own invitation already
    built = House(
        tmp_path / "home", mailbox, smtp_server,
        owner={"hours": "Mon-Sun 00:00-24:00", "timezone": "UTC"},
        calendar={"sources": [{"name": "work", "path": str(path)}]},
    )  # fmt: skip
    yield built
    built.close()


def version(house: House, name: str) -> Email:
    def look() -> list[Email]:
        return [mail for mail in house.approvals() if mail.header("x-deskhand-case") == name]

    return until(look, what=f"the approval mail of {name}; said {house.said[-10:]}")[-1]


def calendar_part(raw: bytes) -> Message | None:
    parts = (part for part in message_from_bytes(raw).walk() if part.get_content_type() == "text/calendar")
    return next(parts, None)


def answered(raw: bytes) -> tuple[str, str, str, int]:
    """Whose answer it is, what it says, and of what."""
    part = calendar_part(raw)
    assert part is not None
    assert part.get_param("method") == "REPLY"
    payload = part.get_payload(decode=True)
    assert isinstance(payload, bytes)
    calendar = Calendar.from_ical(payload)
    assert str(calendar["METHOD"]) == "REPLY"
    (event,) = calendar.walk("VEVENT")
    attendee = event["ATTENDEE"]
    return str(attendee), str(attendee.params["PARTSTAT"]), str(event["UID"]), int(event["SEQUENCE"])


def test_an_invitation_is_told_accepted_after_the_yes_and_answered_in_the_same_mail(house: House) -> None:
    with house.running():
        house.files(invitation(house.owner.email), ("INBOX",))
        approval = version(house, "1.1")
        line = f"Note: Invitation: Review, {START:%a} {START.day} {START:%b} 10:00-11:00 (your time), from maria@studio"
        assert f"{line}.example; you are free" in approval.text
        assert "With it goes: acceptance of the invitation, " in approval.text
        assert "I am glad to accept your invitation" in (extract_draft(approval.text) or "")
        house.owner_answers(approval, "ok")
        (sent,) = house.wait_sent(1)
        assert answered(sent.kept) == (f"mailto:{house.owner.email}", "ACCEPTED", UID, 1)
        assert calendar_part(sent.content) is not None
        assert sent.recipients == ("maria@studio.example",)


def test_decline_makes_a_version_that_declines_and_asks_once_more(house: House) -> None:
    with house.running():
        house.files(invitation(house.owner.email), ("INBOX",))
        house.owner_answers(version(house, "1.1"), "decline")
        declining = version(house, "1.2")
        assert "With it goes: refusal of the invitation, " in declining.text
        assert "acceptance" not in declining.text.partition("They wrote")[0]
        assert "I have to decline your invitation" in (extract_draft(declining.text) or "")
        assert house.sent_to_clients() == []
        house.owner_answers(declining, "ok")
        (sent,) = house.wait_sent(1)
        assert answered(sent.kept)[1] == "DECLINED"


def test_the_answer_is_struck_out_by_name(house: House) -> None:
    with house.running():
        house.files(invitation(house.owner.email), ("INBOX",))
        house.owner_answers(version(house, "1.1"), "ok, without invite.ics")
        (sent,) = house.wait_sent(1)
        assert calendar_part(sent.kept) is None
