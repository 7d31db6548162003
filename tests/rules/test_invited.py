"""An invitation as a draft answers it: free or taken by others alone, the parts that may go along, the owner's wish."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest

from tests.ledgers import OWNER
from workflows.models.desk import InvitationFacts
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.mail import Address, Attachment
from workflows.models.people import Client
from workflows.rules.answers.grammar import grammar_of
from workflows.rules.answers.parts import struck_names
from workflows.rules.asking.acknowledgement import compose
from workflows.rules.asking.autonomy import Leaving, needs_a_yes
from workflows.rules.desk.invitations import Invitation
from workflows.rules.desk.invited import (
    account_of,
    answering,
    availability_for,
    parts_for,
    told_answer,
    wished_reaction,
)
from workflows.rules.desk.slots import Availability, BusySpan, CalendarView, Diary, Offering
from workflows.rules.text.canonical import approved_hash
from workflows.rules.text.languages import languages

MARIA = "maria@studio.example"
NOW = datetime(2026, 3, 9, 8, tzinfo=UTC)
TEN = datetime(2026, 3, 12, 10, tzinfo=UTC)
REVIEW = Invitation(
    method="request", uid="review@studio.example", sequence=2, organizer=MARIA,
    attendees=("ada@winter.example",), start=TEN, end=TEN + timedelta(hours=1), summary="Review",
)  # fmt: skip
YES, NO = (
    Attachment(name="invite.ics", size=9, sha256=name, content_type="text/calendar; method=REPLY; charset=utf-8")
    for name in ("yes", "no")
)
PARTS = {"accepted": YES, "declined": NO}
ELSEWHERE = BusySpan(start=TEN, end=TEN + timedelta(minutes=30), uid="dentist")


def diary(*spans: BusySpan, faults: tuple[str, ...] = ()) -> Diary:
    return Diary(view=CalendarView(spans=spans, faults=faults), now=NOW, owner=OWNER, terms=Offering())


def account(invitation: Invitation = REVIEW, *spans: BusySpan, known: int | None = None, faults=()):
    return account_of(invitation, known, diary(*spans, faults=faults), PARTS)


def version(*files: Attachment) -> Outgoing:
    return Outgoing(
        case=1, version=1, to=(Address(email=MARIA),), subject="Re: Review", body="Yes.\n", attachments=files
    )


def test_the_line_says_what_it_is_and_whether_the_owner_is_free() -> None:
    told = account()
    assert told.remarks == (
        "Invitation: Review, Thu 12 Mar 10:00-11:00 (your time), from maria@studio.example; you are free",
    )
    assert [(source.id, source.kind) for source in told.sources] == [("invitation:1", "invitation")]
    assert [(time.id, time.kind) for time in told.times.answers] == [("invitation:1", "free")]


def test_its_own_entry_in_the_calendar_does_not_make_its_time_taken() -> None:
    own = replace(ELSEWHERE, uid=REVIEW.uid, tentative=True)
    assert availability_for(REVIEW, diary(own)) is Availability.FREE
    assert availability_for(REVIEW, diary(own, ELSEWHERE)) is Availability.TAKEN


def test_a_taken_time_brings_slots_as_long_as_what_is_asked() -> None:
    told = account(REVIEW, ELSEWHERE)
    offers = [time for time in told.times.answers if time.kind == "offer"]
    assert len(offers) == 3
    assert {time.end - time.start for time in offers} == {timedelta(hours=1)}
    assert [source.id for source in told.sources] == ["invitation:1", "calendar:1", "calendar:2", "calendar:3"]
    assert "Review" not in "".join(source.quote for source in told.sources[1:])


def test_an_unread_calendar_decides_nothing_and_is_told() -> None:
    told = account(faults=("The calendar work cannot be read.",))
    assert told.facts.availability == "unknown"
    assert told.remarks[-1] == "The calendar work cannot be read."
    assert answering(told.facts, "", None, "en").reaction == ""


def test_a_series_is_not_called_free_by_its_first_time_but_taken() -> None:
    series = replace(REVIEW, repeats=True)
    assert availability_for(series, diary()) is Availability.UNKNOWN
    assert availability_for(series, diary(ELSEWHERE)) is Availability.TAKEN


def test_a_whole_day_with_nothing_in_it_is_free() -> None:
    midnight = TEN.replace(hour=0)
    day = replace(REVIEW, all_day=True, start=midnight, end=midnight + timedelta(days=1))
    assert availability_for(day, diary()) is Availability.FREE
    assert availability_for(day, diary(ELSEWHERE)) is Availability.TAKEN


def test_a_newer_version_is_a_change_and_one_that_was_overtaken_is_answered_by_nothing() -> None:
    assert account(known=1).facts.matter == "changed"
    late = account(known=3)
    assert late.facts.accepting is None
    assert answering(late.facts, "accept", None, "en").answer is None
    assert "A newer version" in late.remarks[1]


def test_a_cancellation_is_told_and_nothing_is_accepted() -> None:
    told = account(replace(REVIEW, method="cancel"))
    assert told.remarks[0].startswith("Cancelled: Review, Thu 12 Mar 10:00-11:00 (your time), by maria@")
    assert answering(told.facts, "accept", None, "en").answer is None


def test_parts_go_to_the_organizer_alone_and_are_the_same_bytes_each_time() -> None:
    parts = list(parts_for(REVIEW, OWNER, (MARIA,), NOW))
    assert [reaction for reaction, _ in parts] == ["accepted", "declined"]
    assert parts == list(parts_for(REVIEW, OWNER, (MARIA,), NOW))
    assert list(parts_for(REVIEW, OWNER, ("assistant@studio.example",), NOW)) == []


@pytest.mark.parametrize(
    ("spans", "wishes", "earlier", "answer"),
    [
        ((), "", None, YES),
        ((ELSEWHERE,), "", None, None),
        ((), "ok but decline", version(YES), NO),
        ((ELSEWHERE,), "please accept", version(), YES),
        ((), "shorter, please", version(YES), YES),
        ((), "shorter, please", version(NO), NO),
        ((), "shorter, please", version(), None),  # it was struck out
        ((), "", version(), YES),  # a further mail: decided anew
    ],
)
def test_what_goes_with_a_draft(spans, wishes, earlier, answer) -> None:
    facts = account(REVIEW, *spans).facts
    assert answering(facts, wishes, earlier, "en").answer == answer


@pytest.mark.parametrize(
    ("words", "language", "reaction"),
    [
        ("ok but decline", "en", "declined"), ("decline", "en", "declined"), ("accept it", "en", "accepted"),
        ("don't accept", "en", "declined"), ("do not decline", "en", ""), ("now accept", "en", "accepted"),
        ("say yes or decline?", "en", "declined"), ("accept, don't decline", "en", ""), ("make it shorter", "en", ""),
        ("ok, aber sag ab", "de", "declined"), ("bitte zusagen", "de", "accepted"), ("nicht zusagen", "de", "declined"),
        ("decline", "de", "declined"), ("n'accepte pas", "fr", "declined"), ("refuse", "fr", "declined"),
        ("exceptional", "en", ""), ("unacceptable wording", "en", ""), ("", "en", ""),
    ],
)  # fmt: skip
def test_the_owners_wish(words: str, language: str, reaction: str) -> None:
    assert wished_reaction(words, language) == reaction


@pytest.mark.parametrize("language", languages("invitations"))
def test_what_goes_along_is_told_in_every_language(language: str) -> None:
    facts = account().facts
    told = {told_answer(part, facts, language) for part in (YES, NO)}
    assert len(told) == 2
    assert all(facts.when in line for line in told)
    assert told_answer(replace(YES, sha256="else"), facts, language) == ""


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("invite.ics", ("invite.ics",)), ("the acceptance", ("invite.ics",)), ("the invitation", ("invite.ics",)),
        ("brief.pdf", ("brief.pdf",)),
    ],
)  # fmt: skip
def test_it_is_struck_out_by_what_it_is_called(words: str, names: tuple[str, ...]) -> None:
    brief_file = Attachment(name="brief.pdf", size=1, sha256="b", content_type="application/pdf")
    assert struck_names(words, version(YES, brief_file), grammar_of(OWNER)) == names
    assert struck_names("the acceptance", version(brief_file), grammar_of(OWNER)) == ()


def test_the_part_is_in_the_approved_hash() -> None:
    assert len({approved_hash(version(*files)) for files in ((), (YES,), (NO,))}) == 3


def test_no_answer_rides_on_a_standing_yes() -> None:
    client = Client(id="c1", name="Maria", addresses=(MARIA,), written_to=True)
    body = compose("en", "", "", OWNER.name)
    plain = Leaving(
        brief=Brief(case=1, client=client, sender=Address(email=MARIA)), outgoing=replace(version(), body=body),
        draft=Draft(body=body, gist="x", by=DraftedBy.TEMPLATE), client=client, owner=OWNER, by=DraftedBy.TEMPLATE,
    )  # fmt: skip
    assert needs_a_yes(plain) == ""
    assert needs_a_yes(replace(plain, outgoing=replace(plain.outgoing, attachments=(YES,)))) == "something to look at"


def test_facts_of_an_older_brief_have_no_answer() -> None:
    assert InvitationFacts(line="Invitation", matter="listed").answer is None
