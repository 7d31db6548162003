"""Routing: where each mail goes, from an inbox and from Sent, and that it never fails."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.readings import routed
from tests.rules.test_triage import emails, surroundings
from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.models.routes import Answered, Asked, Hinted, Ignore, Ordered, Start, Surroundings, Tell

NOW = datetime(2026, 11, 16, 9, 0, tzinfo=UTC)
OWNER = Owner(name="Ada Winter", address="ada@winter.example", aliases=("ada@oldname.example",))
INBOX = Surroundings(folder_kind="inbox", now=NOW)
SENT = Surroundings(folder_kind="sent", now=NOW)
ASKED = Asked(case=41, version=2, purpose="approval", text="the approval mail", sent_at=NOW)
ADA, MARIA, BOB = (Address(email=one) for one in ("ada@winter.example", "maria@studio.example", "bob@team.example"))
CLIENT_MAIL = Email(
    identity="i", blob="b", message_id="<m@studio.example>", subject="Kick-off",
    senders=(replace(MARIA, name="Maria"),), to=(ADA,), text="Hi Ada,\n\nwould Thursday work? Let me know.",
)  # fmt: skip
ANSWER = replace(
    CLIENT_MAIL,
    senders=(ADA,),
    subject="Re: Maria: Kick-off [Deskhand 41.2]",
    text="ok",
    message_id="<a@winter.example>",
)


def test_a_clients_question_starts_a_case() -> None:
    verdict = routed(CLIENT_MAIL, OWNER, INBOX)
    assert verdict == Start(reason="Maria writes: would Thursday work?")


def test_a_complaint_starts_a_case_that_drafts_nothing() -> None:
    verdict = routed(replace(CLIENT_MAIL, text="I want a full refund."), OWNER, INBOX)
    assert isinstance(verdict, Start)
    assert verdict.hold == "a refund request"


def test_a_mail_in_an_open_conversation_is_told_to_its_case() -> None:
    around = replace(INBOX, open_case=7)
    assert routed(CLIENT_MAIL, OWNER, around) == Tell(case=7, reason="Maria writes: would Thursday work?")
    angry = routed(replace(CLIENT_MAIL, text="My lawyer will contact you."), OWNER, around)
    assert isinstance(angry, Tell)
    assert angry.hold == "a legal threat"


@pytest.mark.parametrize(
    "machine",
    [
        replace(CLIENT_MAIL, headers=(("auto-submitted", "auto-replied"),)),
        replace(CLIENT_MAIL, senders=(Address(email="mailer-daemon@mx.example"),)),
    ],
)
def test_a_machines_answer_in_an_open_conversation_names_the_case(machine: Email) -> None:
    verdict = routed(machine, OWNER, replace(INBOX, open_case=7))
    assert isinstance(verdict, Ignore)
    assert "case 7" in verdict.reason


def test_the_first_day_only_tells_but_a_complaint_is_shown_at_once() -> None:
    first = replace(INBOX, first_day=True)
    verdict = routed(CLIENT_MAIL, OWNER, first)
    assert isinstance(verdict, Ignore)
    assert verdict.rule == "first-day"
    assert isinstance(routed(replace(CLIENT_MAIL, text="This is a complaint."), OWNER, first), Start)
    assert isinstance(routed(CLIENT_MAIL, OWNER, replace(first, open_case=7)), Tell)


@pytest.mark.parametrize("folder", [INBOX, SENT])
def test_a_mail_that_only_claims_to_be_deskhands_is_said_to(folder: Surroundings) -> None:
    claims = (("x-deskhand-case", "41.2"),)
    stranger = routed(replace(CLIENT_MAIL, headers=claims), OWNER, replace(folder, asked=ASKED, open_case=7))
    assert isinstance(stranger, Ignore)
    assert stranger.rule != "own-mail"  # the account of what was skipped leaves those out
    assert "maria@studio.example" in stranger.reason
    own = routed(replace(ANSWER, headers=claims), OWNER, replace(folder, asked=None))
    assert isinstance(own, Ignore)
    assert own.rule == "own-mail"
    assert own.reason == (
        "It only claims to be a mail of Deskhand's (X-Deskhand-Case): this Deskhand did not send it. It names your own "
        "address, ada@winter.example."
    )


def test_our_own_mail_is_never_work() -> None:
    for folder in (INBOX, SENT):
        for email in (CLIENT_MAIL, ANSWER):
            verdict = routed(email, OWNER, replace(folder, ours=True, open_case=7, asked=ASKED))
            assert isinstance(verdict, Ignore)
            assert verdict.rule == "own-mail"


def test_the_owners_yes_in_the_inbox_is_only_a_hint() -> None:
    verdict = routed(ANSWER, OWNER, replace(INBOX, asked=ASKED))
    assert isinstance(verdict, Hinted)
    assert (verdict.case, verdict.version) == (41, 2)
    assert routed(ANSWER, OWNER, INBOX).rule == "own-mail"
    notice = replace(ASKED, purpose="notice")
    assert "Sent" in routed(ANSWER, OWNER, replace(INBOX, asked=notice)).reason


@pytest.mark.parametrize(
    "changes",
    [
        {"headers": (("auto-submitted", "auto-replied"),)},
        {"to": (ADA, MARIA)},
        {"senders": (ADA, MARIA)},
        {"subject": "Fwd: Maria: Kick-off [Deskhand 41.2]"},
    ],
)
def test_not_even_a_hint(changes: dict[str, object]) -> None:
    assert isinstance(routed(replace(ANSWER, **changes), OWNER, replace(INBOX, asked=ASKED)), Ignore)


def test_the_second_approvers_answer_is_a_hint_and_only_theirs() -> None:
    owner = replace(OWNER, second="bob@team.example")
    around = replace(INBOX, asked=ASKED)
    answer = replace(ANSWER, senders=(BOB,), to=(ADA, BOB))
    assert isinstance(routed(answer, owner, around), Hinted)
    assert routed(answer, OWNER, around).rule == "foreign-answer"
    assert routed(replace(answer, senders=(MARIA,)), owner, around).rule == "foreign-answer"


def test_a_strangers_yes_is_no_answer() -> None:
    verdict = routed(replace(ANSWER, senders=(MARIA,)), OWNER, replace(INBOX, asked=ASKED, open_case=41))
    assert isinstance(verdict, Ignore)
    assert verdict.rule == "foreign-answer"
    assert "maria@studio.example" in verdict.reason


def test_the_owners_yes_in_sent_is_an_answer() -> None:
    verdict = routed(ANSWER, OWNER, replace(SENT, asked=ASKED))
    assert isinstance(verdict, Answered)
    assert (verdict.case, verdict.version) == (41, 2)
    alias = replace(ANSWER, to=(Address(email="ADA@oldname.example"),), cc=(ADA,))
    assert isinstance(routed(alias, OWNER, replace(SENT, asked=ASKED)), Answered)


@pytest.mark.parametrize(
    ("changes", "rule"),
    [
        ({"cc": (BOB,)}, "answer-to-others"),
        ({"bcc": (BOB,)}, "answer-to-others"),
        ({"to": (MARIA,)}, "answer-to-others"),
        ({"to": (MARIA, ADA)}, "answer-to-others"),
        ({"to": ()}, "answer-to-others"),
        ({"subject": "Fwd: Maria: Kick-off [Deskhand 41.2]"}, "forward"),
        ({"subject": "WG: Maria: Kick-off [Deskhand 41.2]"}, "forward"),
        ({"subject": "Re: Fwd: Maria: Kick-off [Deskhand 41.2]"}, "forward"),
        ({"senders": (ADA, MARIA)}, "not-yours"),
        ({"senders": (MARIA,)}, "not-yours"),
        ({"senders": ()}, "not-yours"),
        ({"headers": (("auto-submitted", "auto-replied"),)}, "auto-reply"),
        ({"headers": (("x-deskhand-case", "41.2"),)}, "own-mail"),
    ],
)
def test_what_looks_like_an_answer_and_is_none(changes: dict[str, object], rule: str) -> None:
    verdict = routed(replace(ANSWER, **changes), OWNER, replace(SENT, asked=ASKED, open_case=41))
    assert isinstance(verdict, Ignore)
    assert verdict.rule == rule


def test_an_answer_to_a_notice_and_a_mail_to_the_desk_are_orders() -> None:
    notice = replace(ASKED, purpose="notice")
    assert isinstance(routed(ANSWER, OWNER, replace(SENT, asked=notice)), Ordered)
    command = replace(ANSWER, subject="Deskhand: stop all")
    assert isinstance(routed(command, OWNER, SENT), Ordered)
    assert isinstance(routed(replace(ANSWER, text="stop all"), OWNER, replace(SENT, asked=ASKED)), Ordered)
    assert routed(replace(ANSWER, subject="shopping"), OWNER, SENT).rule == "own-mail"


def test_the_owner_answering_a_client_himself_reaches_the_case() -> None:
    own = replace(ANSWER, to=(MARIA,), subject="Re: Kick-off", text="Thursday is fine.")
    verdict = routed(own, OWNER, replace(SENT, open_case=7))
    assert isinstance(verdict, Tell)
    assert verdict.case == 7
    assert routed(own, OWNER, SENT).rule == "own-mail"


@pytest.mark.parametrize(
    "changes",
    [
        {"to": (BOB,), "subject": "Fwd: Kick-off"},
        {"to": (ADA,), "subject": "Re: Kick-off"},
        {"to": (MARIA,), "headers": (("auto-submitted", "auto-replied (vacation)"),)},
        {"to": (MARIA,), "senders": (BOB,)},
    ],
)
def test_a_forward_a_note_and_a_vacation_answer_leave_the_case_open(changes: dict[str, object]) -> None:
    assert isinstance(routed(replace(ANSWER, **changes), OWNER, replace(SENT, open_case=7)), Ignore)


asked_values = st.none() | st.just(ASKED) | st.just(replace(ASKED, purpose="notice"))


@settings(max_examples=300, deadline=None)
@given(email=emails, around=surroundings, asked=asked_values)
def test_routing_is_total(email: Email, around: Surroundings, asked: Asked | None) -> None:
    verdict = routed(email, OWNER, replace(around, asked=asked))
    assert isinstance(verdict, Start | Tell | Ignore | Answered | Ordered | Hinted)
    if isinstance(verdict, Ignore):
        assert verdict.rule
        assert verdict.reason


@settings(max_examples=300, deadline=None)
@given(email=emails, around=surroundings)
def test_nothing_in_an_inbox_is_ever_an_answer(email: Email, around: Surroundings) -> None:
    inbox = replace(around, folder_kind="inbox", asked=ASKED)
    assert isinstance(routed(email, OWNER, inbox), Ignore | Hinted)
    assert isinstance(routed(replace(email, senders=(ADA,)), OWNER, inbox), Ignore | Hinted)
