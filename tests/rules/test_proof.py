"""Who answered: one mutation of a really sent answer at a time, each refused for its own reason."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.mail import Address, Attachment, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked, Surroundings
from workflows.rules.answers.proof import Proven, Unproven, sent_proof

OWNER = Owner(name="Ada Winter", address="ada@winter.example", aliases=("Office@winter.example",))
ASKED_AT = datetime(2026, 11, 24, 13, 5, 10, 250_000, tzinfo=UTC)
ASKED = Asked(case=41, version=1, purpose="approval", text="Gist.\n", sent_at=ASKED_AT)
ADA = Address(email="ada@winter.example", name="Ada Winter")
HEADERS = (
    ("from", "Ada Winter <ada@winter.example>"),
    ("to", "Deskhand <ada@winter.example>"),
    ("date", "Tue, 24 Nov 2026 14:06:00 +0100"),
    ("content-type", "text/plain; charset=utf-8"),
)
ANSWER = Email(
    identity="i",
    blob="b",
    message_id="<x@winter.example>",
    subject="Re: Maria Alvarez: Kick-off date? [Deskhand 41.1]",
    senders=(ADA,),
    to=(ADA,),
    date=ASKED_AT.replace(microsecond=0) + timedelta(seconds=50),
    in_reply_to=("<41@winter.example>",),
    text="ok",
    headers=HEADERS,
)
AROUND = Surroundings(folder_kind="sent", now=ASKED_AT + timedelta(seconds=60), asked=ASKED)


def prove(email=ANSWER, around=AROUND, **settings):
    return sent_proof(email, OWNER, around, ASKED, **settings)


def test_a_really_sent_answer_is_proven():
    assert prove() == Proven()
    alias = Address(email="office@winter.example")
    assert prove(replace(ANSWER, to=(alias,), senders=(alias,))) == Proven()
    assert prove(replace(ANSWER, headers=(*HEADERS, ("auto-submitted", "no")))) == Proven()
    assert prove(replace(ANSWER, bcc=(ADA,))) == Proven()
    late = replace(ANSWER, date=ASKED_AT - timedelta(seconds=70))  # the telephone's clock is behind
    assert prove(late) == Proven()


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"senders": ()}, "0 From"),
        ({"senders": (ADA, ADA)}, "2 From"),
        ({"senders": (Address(email="eve@bad.example"),)}, "eve@bad.example"),
        ({"headers": (*HEADERS, ("from", "Eve <eve@bad.example>"))}, "2 From"),
        ({"headers": (*HEADERS, ("sender", "Eve <eve@bad.example>"))}, "on your behalf"),
        ({"to": ()}, "no recipient"),
        ({"to": (Address(email="maria@studio.example"),)}, "maria@studio.example"),
        ({"cc": (Address(email="maria@studio.example"),)}, "maria@studio.example"),
        ({"bcc": (Address(email="eve@bad.example"),)}, "eve@bad.example"),
        ({"in_reply_to": ()}, "which mail"),
        ({"date": None}, "no date"),
        ({"date": ASKED_AT - timedelta(hours=1)}, "not after"),
        ({"date": ASKED_AT + timedelta(days=500)}, "not after"),
        ({"date": ASKED_AT.replace(microsecond=0) + timedelta(seconds=2)}, "within 5 seconds"),
        ({"subject": "Fwd: Maria Alvarez: Kick-off date? [Deskhand 41.1]"}, "forwards"),
        ({"subject": "WG: Maria Alvarez: Kick-off date?"}, "forwards"),
        ({"text": "ok\n\n---------- Forwarded message ---------\nFrom: Deskhand"}, "forwards"),
        ({"attachments": (Attachment(name="x", size=1, sha256="0", content_type="message/rfc822"),)}, "forwards"),
    ],
)
def test_one_thing_wrong(change, reason):
    found = prove(replace(ANSWER, **change))
    assert isinstance(found, Unproven)
    assert reason in found.reason


@pytest.mark.parametrize(
    "header",
    [
        ("received", "from mx.bad.example by mx.winter.example"),
        ("return-path", "<eve@bad.example>"),
        ("delivered-to", "ada@winter.example"),
        ("x-original-to", "ada@winter.example"),
        ("authentication-results", "mx.winter.example; dkim=pass"),
        ("received-spf", "pass"),
        ("resent-from", "ada@winter.example"),
        ("list-id", "<x.example>"),
        ("list-unsubscribe", "<mailto:x@x.example>"),
        ("x-spam-status", "No"),
        ("x-forwarded-for", "ada@winter.example"),
        ("x-deskhand-case", "41.1"),
        ("auto-submitted", "auto-replied"),
        ("auto-submitted", "auto-generated (rejected)"),
        ("precedence", "bulk"),
        ("x-autoreply", "yes"),
    ],
)
def test_a_trace_of_delivery_or_of_a_program(header):
    found = prove(replace(ANSWER, headers=(*HEADERS, header)))
    assert isinstance(found, Unproven)
    assert found.reason.endswith(".")


def test_what_check_learned_is_allowed_but_never_redirects():
    received = ("received", "from [10.0.0.2] by smtp.winter.example with ESMTPSA id 1")
    sent = replace(ANSWER, headers=(*HEADERS, received))
    assert prove(sent, replace(AROUND, sent_headers=("received",))) == Proven()
    assert prove(sent, replace(AROUND, sent_headers=("received: by smtp.winter.example with esmtpsa",))) == Proven()
    assert isinstance(prove(sent, replace(AROUND, sent_headers=("received: by mx.winter.example",))), Unproven)
    redirected = replace(ANSWER, headers=(*HEADERS, ("resent-from", "x"), ("list-id", "y")))
    assert isinstance(prove(redirected, replace(AROUND, sent_headers=("resent-from", "list-id"))), Unproven)


def test_only_the_sent_folder_and_never_our_own_mail():
    assert "Sent folder" in prove(around=replace(AROUND, folder_kind="inbox")).reason
    assert "Deskhand itself" in prove(around=replace(AROUND, ours=True)).reason
    assert "answers 42.1" in prove(around=replace(AROUND, asked=replace(ASKED, case=42))).reason


def test_the_least_delay_can_be_set():
    quick = replace(ANSWER, date=ASKED_AT.replace(microsecond=0))
    at_once = replace(AROUND, now=ASKED_AT + timedelta(seconds=1))
    assert isinstance(prove(quick, at_once), Unproven)
    assert prove(quick, at_once, min_delay_seconds=0) == Proven()
    assert isinstance(prove(quick, replace(AROUND, now=ASKED_AT - timedelta(seconds=1)), min_delay_seconds=0), Unproven)


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=60)
ADDRESSES = st.lists(st.builds(Address, email=ANY_TEXT), max_size=3).map(tuple)


@settings(max_examples=200, deadline=None)
@given(
    ADDRESSES,
    ADDRESSES,
    ANY_TEXT,
    ANY_TEXT,
    st.lists(st.tuples(st.sampled_from(["from", "sender", "received", "auto-submitted", "x"]), ANY_TEXT)).map(tuple),
    st.none() | st.datetimes(timezones=st.just(UTC)) | st.datetimes(),
)
def test_total(senders, to, subject, text, headers, date):
    email = replace(ANSWER, senders=senders, to=to, subject=subject, text=text, headers=headers, date=date)
    found = prove(email)
    assert isinstance(found, Proven | Unproven)
    if isinstance(found, Proven):
        assert all(address.email.lower() in OWNER.addresses for address in (*senders, *to))
