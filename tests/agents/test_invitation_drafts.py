"""What a draft says of an invitation, without a model and as a model is told."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.desk.notes import desk_notes
from agents.templates import TemplateReply
from workflows.models.desk import InvitationFacts, TimeAnswer, Times
from workflows.models.drafts import Brief
from workflows.models.mail import Address, Attachment
from workflows.rules.text.languages import languages

TEN = datetime(2026, 3, 12, 10, tzinfo=UTC)
PART = Attachment(name="invite.ics", size=9, sha256="yes", content_type="text/calendar; method=REPLY; charset=utf-8")
INVITATION = InvitationFacts(
    line="Invitation: Review", matter="invited", availability="free", when="Thu 12 Mar", start=TEN,
    end=TEN + timedelta(hours=1), accepting=PART, declining=replace(PART, sha256="no"),
)  # fmt: skip
OFFER = TimeAnswer(id="calendar:1", start=TEN + timedelta(days=1), end=TEN + timedelta(days=1, hours=1), kind="offer")
TIME = "Thu 12 Mar 10:00-11:00"


def brief(message: str = "", offers: tuple[TimeAnswer, ...] = (), language: str = "en", **changes) -> Brief:
    return Brief(
        case=1, sender=Address(email="maria@studio.example", name="Maria Alvarez"), subject="Review", message=message,
        language=language, owner_name="Ada Winter", invitation=replace(INVITATION, **changes),
        times=Times(answers=offers),
    )  # fmt: skip


def test_a_free_time_is_accepted() -> None:
    draft = TemplateReply().holding(brief(reaction="accepted"))
    assert f"I am glad to accept your invitation: {TIME}." in draft.body
    assert draft.gist == "Accepts the invitation."
    assert draft.sources == ("invitation:1",)
    assert not draft.holding


def test_a_taken_time_is_answered_by_slots() -> None:
    draft = TemplateReply().holding(brief(offers=(OFFER,), availability="taken"))
    assert f"{TIME} does not work for me, unfortunately. I could offer Fri 13 Mar 10:00-11:00." in draft.body
    assert draft.sources == ("invitation:1", "calendar:1")
    assert "Review" not in draft.body.replace("about “Review”", "")


def test_an_unknown_time_is_neither_accepted_nor_declined() -> None:
    draft = TemplateReply().holding(brief(availability="unknown"))
    assert draft.holding
    assert "12 Mar" not in draft.body


def test_the_owners_wish_makes_a_version_that_declines() -> None:
    wished = brief(reaction="declined", wished=True)
    draft = TemplateReply().holding(wished, wishes="ok but decline", previous="Yes, I come.\n")
    assert f"I have to decline your invitation, unfortunately: {TIME}." in draft.body
    assert "Yes, I come" not in draft.body
    assert draft.gist == "Declines the invitation."
    assert draft.why == ()


def test_a_wish_of_something_else_keeps_the_text() -> None:
    draft = TemplateReply().holding(brief(reaction="accepted"), wishes="shorter", previous="Yes, I come.\n")
    assert draft.body == "Yes, I come.\n"


def test_a_cancellation_is_confirmed_and_nothing_accepted() -> None:
    draft = TemplateReply().holding(brief(matter="cancelled", availability="unknown"))
    assert f"I have noted that this is cancelled: {TIME}." in draft.body
    assert "accept" not in draft.body


def test_a_time_proposed_back_is_answered_and_the_question_for_it_counts() -> None:
    draft = TemplateReply().holding(brief("Does this time work for you?", matter="countered"))
    assert draft.body.count(TIME) == 1
    assert f"{TIME} works for me." in draft.body
    assert [reckoned.sources for reckoned in draft.reckoning] == [("invitation:1",)]


@pytest.mark.parametrize("language", languages("desk"))
def test_every_language_accepts_declines_and_confirms(language: str) -> None:
    kinds = ({"reaction": "accepted"}, {"reaction": "declined"}, {"matter": "cancelled"})
    bodies = {TemplateReply().holding(brief(language=language, **kind)).body for kind in kinds}
    assert len(bodies) == 3
    assert not any("{" in body for body in bodies)


@pytest.mark.parametrize(
    ("changes", "says"),
    [
        ({"reaction": "accepted"}, "accepts the invitation; a calendar answer"),
        ({"reaction": "declined"}, "declines the invitation; a calendar answer"),
        ({"reaction": "accepted", "accepting": None}, "Your reply accepts the invitation."),
        ({"availability": "unknown"}, "neither accepts nor declines"),
        ({"availability": "taken"}, "offers the times"),
        ({"matter": "cancelled"}, "accepts nothing"),
    ],
)
def test_a_model_is_told_what_its_reply_answers(changes: dict, says: str) -> None:
    notes = dict(desk_notes(brief(**changes)))
    assert says in notes["the invitation, as the freelancer answers it"]
