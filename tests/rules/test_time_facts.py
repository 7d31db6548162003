"""From a client's mail and a calendar to what a draft may say: free or taken, three slots, what is held and lost."""

from dataclasses import replace
from datetime import datetime, timedelta
from zoneinfo import ZoneInfo

import pytest

from workflows.models.people import Owner
from workflows.rules.desk.asked_times import asked_times
from workflows.rules.desk.slots import Availability, BusySpan, CalendarView, Diary, Slot
from workflows.rules.desk.time_facts import TimeFacts, lost_slots, time_facts

BERLIN = ZoneInfo("Europe/Berlin")
OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


NOW = at("2026-03-09T09:30")  # a Monday
TAKEN = BusySpan(start=at("2026-03-12T10:00"), end=at("2026-03-12T11:00"), uid="lawyer")
DIARY = Diary(view=CalendarView(spans=(TAKEN,)), now=NOW, owner=OWNER)


def facts(text: str, language: str = "en", diary: Diary = DIARY, zone: str = "") -> TimeFacts:
    return time_facts(asked_times(text, language, NOW, OWNER, zone), diary, zone)


@pytest.mark.parametrize(
    ("language", "text", "says", "offers"),
    [
        ("en", "Does Thursday 10:00 work for a call?", ["taken"], 3),
        ("en", "Does Thursday 14:00 work for a call?", ["free"], 0),
        ("en", "Does Thursday at 10:00 or 14:00 work for a call?", ["taken", "free"], 0),
        ("en", "Does Saturday 10:00 work for a call?", ["outside"], 3),
        ("en", "When would you have time for a call?", [], 3),
        ("en", "Does Thursday 14:00 work for a call, or when would you have time?", ["free"], 3),
        ("en", "Could we have a call on Friday afternoon?", ["free"], 3),
        ("de", "Passt Ihnen Donnerstag um 10 Uhr?", ["taken"], 3),
        ("fr", "Êtes-vous disponible jeudi à 14h ?", ["free"], 0),
        ("es", "¿Podemos hablar el jueves a las 10:30?", ["taken"], 3),
        ("en", "Could you send the brief template?", [], 0),
    ],
)
def test_free_or_taken_and_slots_where_they_are_needed(language: str, text: str, says: list[str], offers: int) -> None:
    known = facts(text, language)
    assert [one.availability.value for one in known.named] == says
    assert len(known.offers) == offers


def test_the_sources_say_when_on_both_clocks_and_never_what() -> None:
    known = facts("Does Thursday 10am Berlin time work for a call?", zone="America/New_York")
    quotes = [source.quote for source in known.sources("Europe/Berlin", "America/New_York")]
    assert quotes[0] == "Thu 12 Mar 10:00-10:30 (05:00 New York) is taken."
    assert all(quote.endswith("can be offered.") for quote in quotes[1:])
    assert [source.id for source in known.sources("Europe/Berlin")] == [f"calendar:{at}" for at in (1, 2, 3, 4)]
    assert "lawyer" not in repr(known)


def test_slots_lie_in_the_stretch_that_was_named() -> None:
    known = facts("Could we have a call on Friday afternoon?")
    assert {slot.start.astimezone(BERLIN).day for slot in known.offers} == {13}
    assert all(slot.start.astimezone(BERLIN).hour >= 12 for slot in known.offers)


def test_a_stretch_without_room_is_taken_and_the_next_days_are_offered() -> None:
    full = replace(
        DIARY, view=CalendarView(spans=(BusySpan(start=at("2026-03-13T00:00"), end=at("2026-03-14T00:00")),))
    )
    known = facts("Could we have a call on Friday afternoon?", diary=full)
    assert [one.availability for one in known.named] == [Availability.TAKEN]
    assert len(known.offers) == 3


@pytest.mark.parametrize(
    "view", [CalendarView(faults=("The calendar work cannot be read.",)), CalendarView(configured=False)]
)
def test_where_the_calendar_is_not_known_nothing_is_said_to_be_free(view: CalendarView) -> None:
    known = facts(
        "Does Thursday 14:00 or Friday afternoon work? When do you have time?", diary=replace(DIARY, view=view)
    )
    assert known.named
    assert {one.availability for one in known.named} == {Availability.UNKNOWN}
    assert (known.offers, known.to_hold) == ((), ())
    assert known.faults == view.faults


def test_a_zone_that_can_mean_several_promises_nothing() -> None:
    known = facts("Does Thursday 2 pm IST work for a call?")
    assert [one.availability for one in known.named] == [Availability.UNKNOWN]
    assert "can mean several" in known.sources("Europe/Berlin")[0].quote


def test_a_draft_holds_what_it_agrees_to_and_what_it_offers() -> None:
    agreed = facts("Does Thursday 14:00 work for a call?").to_hold
    assert agreed == (Slot(start=at("2026-03-12T14:00"), end=at("2026-03-12T14:30")),)
    offered = facts("When would you have time for a call?")
    assert offered.to_hold == offered.offers
    again = facts("When would you have time for a call?", diary=replace(DIARY, held=offered.to_hold))
    assert not set(again.offers) & set(offered.offers)


def test_what_was_taken_meanwhile_is_lost() -> None:
    slots = facts("When would you have time for a call?").to_hold
    assert lost_slots(slots, DIARY.view) == ()
    spans = (BusySpan(start=slots[1].start + timedelta(minutes=10), end=slots[1].end),)
    assert lost_slots(slots, CalendarView(spans=spans)) == (slots[1],)
    assert lost_slots(slots, DIARY.view, held=(slots[0],)) == (slots[0],)
    assert lost_slots(slots, CalendarView(faults=("away",))) == slots
