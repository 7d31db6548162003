"""The answer to an invitation as a part of a mail: read by calendars, and nothing else passes for one."""

import hashlib
from datetime import UTC, datetime
from email import message_from_bytes

import pytest

from tools.mail import mime
from workflows.models.mail import Address, Attachment

CONTENT = b"BEGIN:VCALENDAR\r\nMETHOD:REPLY\r\nEND:VCALENDAR\r\n"


def composed(kind: str) -> bytes:
    part = Attachment(
        name="invite.ics", size=len(CONTENT), sha256=hashlib.sha256(CONTENT).hexdigest(), content_type=kind
    )
    return mime.compose(
        sender=Address(email="ada@winter.example"), to=(Address(email="maria@studio.example"),), subject="Re: Review",
        body="Yes.\n", message_id="<1@winter.example>", date=datetime(2026, 3, 9, tzinfo=UTC),
        attachments=[(part, CONTENT)],
    )  # fmt: skip


def test_it_states_its_method_and_stands_beside_the_text() -> None:
    raw = composed("text/calendar; method=REPLY; charset=utf-8")
    text, calendar = message_from_bytes(raw).get_payload()
    assert text.get_content_type() == "text/plain"
    assert (calendar.get_content_type(), calendar.get_param("method")) == ("text/calendar", "REPLY")
    assert calendar.get_content_disposition() == "inline"
    assert calendar.get_filename() == "invite.ics"
    assert calendar.get_payload(decode=True) == CONTENT
    assert mime.decoded_body(raw) == "Yes.\n"


def test_its_copy_in_sent_is_known_by_the_same_hash() -> None:
    copy = mime.parse(composed("text/calendar; method=REPLY; charset=utf-8"))
    assert [file.sha256 for file in copy.attachments] == [hashlib.sha256(CONTENT).hexdigest()]
    assert copy.text.strip() == "Yes."
    assert copy.calendar == "reply"


@pytest.mark.parametrize(
    "kind",
    [
        "text/calendar; method=REQUEST; charset=utf-8", "text/calendar; method=CANCEL; charset=utf-8",
        "text/calendar; method=REPLY; charset=utf-8\r\nBcc: x@y.example", "text/html; method=REPLY; charset=utf-8",
    ],
)  # fmt: skip
def test_nothing_else_states_a_method(kind: str) -> None:
    (_, part) = message_from_bytes(composed(kind)).get_payload()
    assert part.get_content_type() == "application/octet-stream"
    assert part.get_content_disposition() == "attachment"
