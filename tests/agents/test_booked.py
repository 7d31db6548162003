"""What a draft agrees to is proposed for the calendar: one time, accepted, where a calendar can be written to."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from agents.desk.booked import with_booking
from agents.templates import Drafter, TemplateReply
from workflows.models.desk import TimeAnswer, Times
from workflows.models.drafts import Brief, Draft
from workflows.models.mail import Address
from workflows.rules.asking.proposed import booking, proposal_lines, still_meant
from workflows.rules.desk.times import told_time
from workflows.rules.text.languages import words_in

THURSDAY = datetime(2026, 12, 3, 9, tzinfo=UTC)  # 10:00 in Berlin
HALF = timedelta(minutes=30)
LANGUAGES = ("en", "de", "fr", "es", "it", "nl", "pl", "pt")


def answer(number: int = 1, kind: str = "free", days: int = 0, **fields) -> TimeAnswer:
    start = THURSDAY + timedelta(days=days)
    return TimeAnswer(id=f"calendar:{number}", start=start, end=start + HALF, kind=kind, **fields)


def brief(*answers: TimeAnswer, books: bool = True, message: str = "Does Thursday 10:00 work for a call?", **fields):
    times = Times(answers=answers or (answer(),), zone="Europe/Berlin", books=books)
    return Brief(
        case=41, sender=Address(email="maria@studio.example", name="Maria Alvarez"), subject="Re: Kick-off date?",
        message=message, owner_name="Ada Winter", times=times, **fields,
    )  # fmt: skip


async def drafted(asked: Brief, wishes: str = "", previous: str = "") -> Draft:
    return await Drafter(TemplateReply()).draft(asked, 1, wishes, previous)


async def test_the_accepted_time_is_proposed_with_every_argument() -> None:
    draft = await drafted(brief())
    (line,) = proposal_lines(draft.proposals)
    assert line == (
        "Does after the yes: booking: Enters the time in your calendar (calendar.book, write: "
        'begins "2026-12-03T10:00:00+01:00", ends "2026-12-03T10:30:00+01:00", title "Maria Alvarez: Kick-off date?")'
    )


@pytest.mark.parametrize(
    "asked",
    [
        brief(books=False),
        brief(answer(kind="taken"), answer(2, "offer", 1), answer(3, "offer", 2)),
        brief(answer(kind="outside")),
        brief(answer(exact=False)),
        brief(answer(), answer(2, "free", 1)),  # both are free: the client has yet to choose
        brief(answer(), answer(2, "offer", 1)),
    ],
    ids=["no calendar to write to", "taken", "outside", "a stretch of a day", "two free ones", "an offer beside it"],
)
async def test_nothing_else_is_proposed(asked: Brief) -> None:
    draft = await drafted(asked)
    assert draft.body
    assert draft.proposals == ()


async def test_one_of_two_named_times_that_is_free_is_the_one() -> None:
    draft = await drafted(brief(answer(kind="taken"), answer(2, "free", 1)))
    (proposal,) = draft.proposals
    assert dict(proposal.arguments)["begins"] == "2026-12-04T10:00:00+01:00"


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_model_that_accepts_books_and_one_that_declines_does_not(language: str) -> None:
    asked = replace(brief(), language=language)
    slot = told_time(asked.times.answers[0], asked.times, language)
    accepts = Draft(body=words_in(language, "desk")["time_free"].replace("{time}", slot), gist="")
    declines = Draft(body=words_in(language, "desk")["time_taken"].replace("{time}", slot), gist="")
    assert len(with_booking(asked, accepts).proposals) == 1
    assert with_booking(asked, declines).proposals == ()


def test_a_model_writes_the_day_and_the_clock_its_own_way() -> None:
    accepts = Draft(body="Hi Maria,\n\nThursday at 10:00 it is. Not a minute later!\n\nAda", gist="")
    silent = Draft(body="Hi Maria,\n\nI come back to you on Thursday.\n\nAda", gist="")
    assert len(with_booking(brief(), accepts).proposals) == 1
    assert with_booking(brief(), silent).proposals == ()


async def test_the_owners_own_words_keep_it_as_long_as_they_name_the_time() -> None:
    asked = brief()
    (proposal,) = (await drafted(asked)).proposals
    for text in ("Thursday 10:00 works.", "Thursday at 10 it is.", "Um 10 Uhr gern.", "à 10h", "at 10 am", "10.00 Uhr"):
        assert still_meant([proposal], text) == (proposal,), text
    for text in ("Friday 11:00 instead.", "110 EUR, 10:30", "I come back to you.", "at 10.30"):
        assert still_meant([proposal], text) == (), text


def test_by_twelve_hours_and_with_minutes() -> None:
    afternoon = booking(THURSDAY.replace(hour=15, minute=30), THURSDAY.replace(hour=16), "Call")
    assert still_meant([afternoon], "Thursday 3:30 pm works") == (afternoon,)
    assert still_meant([afternoon], "Thursday 3 pm works") == ()
