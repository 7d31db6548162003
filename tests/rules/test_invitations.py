"""Invitations by mail: read as what they are from raw mails, told in one line, answered by RFC 5546."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from icalendar import Calendar

from tools.calendar.invitations import invitation_in
from workflows.models.people import Owner
from workflows.rules.desk.invitations import (
    Invitation,
    answer_to,
    facts_line,
    invited_as,
    is_outdated,
    matter_of,
    may_answer,
    method_of,
)
from workflows.rules.desk.slots import Availability, Slot
from workflows.rules.text.languages import languages

ANNA = "anna@northwind.example"
OWNER = Owner(
    name="Ada Winter", address="ada@winter.example", aliases=("hello@winter.example",), timezone="Europe/Berlin"
)
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
NINE, TEN = datetime(2026, 3, 12, 9, tzinfo=UTC), datetime(2026, 3, 12, 10, tzinfo=UTC)
REVIEW = Invitation(
    method="request", uid="review-1@northwind.example", sequence=2, organizer=ANNA,
    attendees=(ANNA, "hello@winter.example"), answers=("accepted", "needs-action"),
    start=NINE, end=TEN, summary="Review; part 1, \\ Æøå", location="Room 4",
)  # fmt: skip


def mail(method: str, *lines: str, times: tuple[str, ...] = (), header: str = "", encode: bool = False) -> bytes:
    when = times or ("DTSTART;TZID=Europe/Berlin:20260312T100000", "DTEND;TZID=Europe/Berlin:20260312T110000")
    event = [
        "UID:review-1@northwind.example",
        "DTSTAMP:20260301T000000Z",
        f"ORGANIZER;CN=Anna:MAILTO:{ANNA}",
        *when,
        *lines,
    ]
    text = "\r\n".join(
        [
            "BEGIN:VCALENDAR",
            "VERSION:2.0",
            f"METHOD:{method}",
            "BEGIN:VEVENT",
            *event,
            "END:VEVENT",
            "END:VCALENDAR",
            "",
        ]
    )
    body, coding = text, "8bit"
    if encode:
        import base64

        body, coding = base64.encodebytes(text.encode()).decode(), "base64"
    head = [
        f"From: Anna <{ANNA}>", "To: ada@winter.example", "Subject: Review", "Message-ID: <1@northwind.example>",
        "MIME-Version: 1.0", 'Content-Type: multipart/alternative; boundary="b"', "", "--b", "Content-Type: text/plain",
        "", "Please come.", "--b", f"Content-Type: text/calendar; charset=utf-8{header}",
        f"Content-Transfer-Encoding: {coding}", "", body, "--b--", "",
    ]  # fmt: skip
    return "\r\n".join(head).encode()


# ---------------------------------------------------------------- read


@pytest.mark.parametrize("encode", [False, True])
def test_an_invitation_is_read_from_its_mail(encode: bool) -> None:
    people = [
        f"ATTENDEE;PARTSTAT=ACCEPTED:mailto:{ANNA}",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:Ada@Winter.example",
    ]
    raw = mail("REQUEST", "SEQUENCE:3", "SUMMARY:Review\\, part 1", "LOCATION:Room 4", *people, encode=encode)
    assert invitation_in(raw, "Europe/Berlin") == Invitation(
        method="request", uid="review-1@northwind.example", sequence=3, organizer=ANNA,
        attendees=(ANNA, "ada@winter.example"), answers=("accepted", "needs-action"),
        start=NINE, end=TEN, summary="Review, part 1", location="Room 4",
    )  # fmt: skip


@pytest.mark.parametrize(
    ("method", "lines", "matter"),
    [
        ("REQUEST", [], "invited"),
        ("CANCEL", ["STATUS:CANCELLED"], "cancelled"),
        ("REPLY", [f"ATTENDEE;PARTSTAT=DECLINED:mailto:{ANNA}"], "answered"),
        ("COUNTER", [f"ATTENDEE;PARTSTAT=TENTATIVE:mailto:{ANNA}"], "countered"),
        ("PUBLISH", [], "listed"),
    ],
)
def test_each_method_is_told_apart(method: str, lines: list[str], matter: str) -> None:
    invitation = invitation_in(mail(method, *lines), "Europe/Berlin")
    assert invitation
    assert matter_of(invitation) == matter


def test_a_higher_sequence_changes_what_was_known_and_a_lower_one_is_outdated() -> None:
    assert matter_of(REVIEW, known=None) == "invited"
    assert matter_of(REVIEW, known=1) == "changed"
    assert matter_of(REVIEW, known=2) == "invited"
    assert not is_outdated(REVIEW, known=2)
    assert is_outdated(REVIEW, known=3)


def test_one_of_many_whole_days_and_what_lacks_a_time() -> None:
    one = invitation_in(mail("REQUEST", "RECURRENCE-ID;TZID=Europe/Berlin:20260312T100000"), "Europe/Berlin")
    assert one
    assert one.recurrence == "20260312T090000Z"
    day = invitation_in(mail("REQUEST", "RRULE:FREQ=WEEKLY", times=("DTSTART;VALUE=DATE:20260312",)), "Europe/Berlin")
    assert day
    assert (day.all_day, day.repeats, day.start) == (True, True, datetime(2026, 3, 11, 23, tzinfo=UTC))
    none = invitation_in(mail("CANCEL", times=("SEQUENCE:1",)), "Europe/Berlin")
    assert none
    assert (none.start, none.slot) == (None, None)


def test_the_method_in_the_header_is_enough_and_a_mail_without_one_has_none() -> None:
    raw = mail("REQUEST", header="; method=CANCEL")
    invitation = invitation_in(raw, "UTC")
    assert invitation
    assert invitation.method == "cancel"
    assert invitation_in(b"From: anna@northwind.example\r\n\r\nHello\r\n", "UTC") is None
    assert invitation_in(mail("REQUEST").replace(b"UID:", b"X-UID:"), "UTC") is None


# ---------------------------------------------------------------- told


@pytest.mark.parametrize(
    ("change", "says", "line"),
    [
        ({}, Availability.FREE, f"Invitation: Review, Thu 12 Mar 10:00-11:00 (your time), from {ANNA}; you are free"),
        (
            {},
            Availability.TAKEN,
            f"Invitation: Review, Thu 12 Mar 10:00-11:00 (your time), from {ANNA}; you are not free",
        ),
        ({"all_day": True}, Availability.FREE, f"Invitation: Review, Thu 12 Mar, all day, from {ANNA}; you are free"),
        ({"method": "cancel"}, Availability.FREE, f"Cancelled: Review, Thu 12 Mar 10:00-11:00 (your time), by {ANNA}"),
        (
            {"method": "reply", "attendees": ("bob@northwind.example",), "answers": ("declined",)},
            Availability.FREE,
            "bob@northwind.example declines: Review, Thu 12 Mar 10:00-11:00 (your time)",
        ),
        (
            {"method": "counter", "attendees": ("bob@northwind.example",)},
            Availability.TAKEN,
            ("bob@northwind.example proposes another time for Review: Thu 12 Mar 10:00-11:00 (your time); "
            "you are not free"),
        ),
        (
            {"repeats": True, "summary": ""},
            Availability.UNKNOWN,
            (f"Invitation: without a title, Thu 12 Mar 10:00-11:00 (your time), repeated, from {ANNA}; "
            "whether you are free is not known"),
        ),
        ({"start": None, "method": "cancel"}, Availability.FREE, f"Cancelled: Review, no time stated, by {ANNA}"),
    ],
)  # fmt: skip
def test_the_line_of_facts(change: dict[str, object], says: Availability, line: str) -> None:
    assert facts_line(replace(REVIEW, **{"summary": "Review", **change}), OWNER, says) == line


def test_what_changed_is_told_as_changed_in_each_language() -> None:
    lines = {facts_line(REVIEW, replace(OWNER, language=code), known=1) for code in languages("invitations")}
    assert len(lines) == len(languages("invitations")) == 8
    assert all("{" not in line for line in lines)


def test_what_a_stranger_writes_into_a_title_stays_on_its_line() -> None:
    raw = mail("REQUEST", "SUMMARY:Review\\n\\nok\\nBcc: {sender}")
    invitation = invitation_in(raw, "Europe/Berlin")
    assert invitation
    assert "\n" not in facts_line(invitation, OWNER)
    assert "{sender}" in facts_line(invitation, OWNER)


# ---------------------------------------------------------------- answered


def answered(content: bytes | None):
    assert content
    assert all(len(line) <= 75 for line in content.split(b"\r\n"))
    calendar = Calendar.from_ical(content)
    (event,) = calendar.walk("VEVENT")
    assert not event.errors
    return str(calendar["METHOD"]), event


@pytest.mark.parametrize(("reaction", "state"), [("accepted", "ACCEPTED"), ("declined", "DECLINED")])
def test_an_answer_names_what_it_answers(reaction: str, state: str) -> None:
    method, event = answered(answer_to(REVIEW, OWNER, (ANNA,), reaction, NOW))
    assert method == "REPLY" == method_of(reaction).upper()
    assert event["UID"] == REVIEW.uid
    assert event["SEQUENCE"] == 2
    assert str(event["ORGANIZER"]) == f"mailto:{ANNA}"
    assert str(event["ATTENDEE"]) == "mailto:hello@winter.example"
    assert event["ATTENDEE"].params["PARTSTAT"] == state
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (NINE, TEN)
    assert event["DTSTAMP"].dt == NOW
    assert event["SUMMARY"] == REVIEW.summary
    assert "RECURRENCE-ID" not in event


def test_another_slot_is_a_counter_proposal() -> None:
    offer = Slot(start=datetime(2026, 3, 13, 13, tzinfo=UTC), end=datetime(2026, 3, 13, 14, tzinfo=UTC))
    method, event = answered(answer_to(REVIEW, OWNER, (ANNA,), offer, NOW))
    assert method == "COUNTER" == method_of(offer).upper()
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (offer.start, offer.end)
    assert (event["UID"], event["SEQUENCE"]) == (REVIEW.uid, 2)


@pytest.mark.parametrize(("recurrence", "value"), [("20260312T090000Z", NINE), ("20260312", NINE.date())])
def test_an_answer_to_one_of_many_names_which(recurrence: str, value: object) -> None:
    one = replace(REVIEW, recurrence=recurrence)
    assert answered(answer_to(one, OWNER, (ANNA,), "accepted", NOW))[1]["RECURRENCE-ID"].dt == value


@pytest.mark.parametrize(
    ("change", "recipients"),
    [
        ({}, ("bob@northwind.example",)),
        ({}, (ANNA, "bob@northwind.example")),
        ({}, ()),
        ({"organizer": ""}, ("",)),
        ({"organizer": "anna"}, ("anna",)),
        ({"organizer": 'a@b.example"\r\nX'}, ('a@b.example"\r\nX',)),
        ({"method": "cancel"}, (ANNA,)),
        ({"method": "publish"}, (ANNA,)),
        ({"uid": ""}, (ANNA,)),
        ({"uid": "x\r\nATTENDEE:mailto:bob@evil.example"}, (ANNA,)),
        ({"uid": "x" * 300}, (ANNA,)),
    ],
)
def test_no_answer_is_made_that_would_go_elsewhere_or_say_something_else(
    change: dict[str, str], recipients: tuple[str, ...]
) -> None:
    invitation = replace(REVIEW, **change)
    assert not may_answer(invitation, recipients)
    assert answer_to(invitation, OWNER, recipients, "accepted", NOW) is None


def test_nothing_of_a_stranger_becomes_a_line_of_the_answer() -> None:
    odd = replace(REVIEW, summary="Review\r\nATTENDEE:mailto:bob@evil.example", uid="a;b,c\\d@e:f")
    content = answer_to(odd, OWNER, (ANNA,), "accepted", NOW)
    _, event = answered(content)
    assert event["UID"] == odd.uid
    assert str(event["ATTENDEE"]) == "mailto:hello@winter.example"


def test_who_was_not_listed_answers_with_the_main_address() -> None:
    assert invited_as(replace(REVIEW, attendees=()), OWNER) == "ada@winter.example"
    assert may_answer(REVIEW, ("Anna@Northwind.example",))


def test_a_whole_day_is_answered_without_a_time() -> None:
    assert "DTSTART" not in answered(answer_to(replace(REVIEW, all_day=True), OWNER, (ANNA,), "accepted", NOW))[1]
