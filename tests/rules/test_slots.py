"""Free or taken, and three slots to offer: working hours, holidays, buffer, held slots, two zones."""

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.people import Owner
from workflows.rules.desk.slots import (
    Availability,
    BusySpan,
    CalendarView,
    Diary,
    Offering,
    Slot,
    availability_of,
    free_slots,
    is_free,
    merged,
    three_slots,
    told,
    told_day,
    told_to_both,
)

BERLIN = ZoneInfo("Europe/Berlin")
OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")


def at(text: str) -> datetime:
    return datetime.fromisoformat(text).replace(tzinfo=BERLIN)


NOW = at("2026-03-09T09:30")  # a Monday


def busy(start: str, end: str, **more) -> BusySpan:
    return BusySpan(start=at(start), end=at(end), **more)


def slot(start: str, end: str) -> Slot:
    return Slot(start=at(start), end=at(end))


def diary(*spans: BusySpan, **more) -> Diary:
    return Diary(view=CalendarView(spans=spans), now=NOW, owner=OWNER, **more)


def shown(slots) -> list[str]:
    return [f"{one.start.astimezone(BERLIN):%m-%d %H:%M}" for one in slots]


@pytest.mark.parametrize(
    ("start", "end", "buffer", "free"),
    [
        ("2026-03-12T09:00", "2026-03-12T10:00", 0, True),  # ends where the other begins
        ("2026-03-12T09:00", "2026-03-12T10:00", 15, False),
        ("2026-03-12T09:00", "2026-03-12T09:45", 15, True),
        ("2026-03-12T10:30", "2026-03-12T10:45", 0, False),
        ("2026-03-12T11:00", "2026-03-12T12:00", 0, True),
        ("2026-03-12T11:00", "2026-03-12T12:00", 15, False),
        ("2026-03-12T09:30", "2026-03-12T12:00", 0, False),
    ],
)
def test_whether_a_time_is_free(start: str, end: str, buffer: int, free: bool) -> None:
    taken = (busy("2026-03-12T10:00", "2026-03-12T11:00"),)
    assert is_free(at(start), at(end), taken, (), timedelta(minutes=buffer)) is free
    held = (slot("2026-03-12T10:00", "2026-03-12T11:00"),)
    assert is_free(at(start), at(end), (), held, timedelta(minutes=buffer)) is free


@pytest.mark.parametrize(
    ("start", "end", "says"),
    [
        ("2026-03-12T14:00", "2026-03-12T15:00", Availability.FREE),
        ("2026-03-12T10:30", "2026-03-12T11:30", Availability.TAKEN),
        ("2026-03-12T11:00", "2026-03-12T12:00", Availability.FREE),  # the buffer is for what is offered
        ("2026-03-12T19:00", "2026-03-12T20:00", Availability.OUTSIDE),
        ("2026-03-12T17:30", "2026-03-12T18:30", Availability.OUTSIDE),
        ("2026-03-14T10:00", "2026-03-14T11:00", Availability.OUTSIDE),  # a Saturday
        ("2026-04-03T10:00", "2026-04-03T11:00", Availability.OUTSIDE),  # Good Friday
        ("2026-03-09T09:00", "2026-03-09T10:00", Availability.PAST),
    ],
)
def test_what_is_said_of_a_time_that_a_client_names(start: str, end: str, says: Availability) -> None:
    assert availability_of(slot(start, end), diary(busy("2026-03-12T10:00", "2026-03-12T11:00"))) is says


def test_a_tentative_time_is_taken() -> None:
    taken = diary(busy("2026-03-12T10:00", "2026-03-12T11:00", tentative=True))
    assert availability_of(slot("2026-03-12T10:00", "2026-03-12T11:00"), taken) is Availability.TAKEN


@pytest.mark.parametrize("view", [CalendarView(faults=("away",)), CalendarView(configured=False)])
def test_where_a_calendar_is_not_known_nothing_is_promised(view: CalendarView) -> None:
    unknown = replace(diary(), view=view)
    assert availability_of(slot("2026-03-12T10:00", "2026-03-12T11:00"), unknown) is Availability.UNKNOWN
    assert three_slots(unknown) == ()


def test_three_slots_lie_on_the_next_working_days_at_hours_that_differ() -> None:
    assert shown(three_slots(diary())) == ["03-10 10:00", "03-11 14:00", "03-12 11:00"]


def test_taken_and_held_times_and_their_buffer_are_not_offered() -> None:
    taken = busy("2026-03-10T09:00", "2026-03-10T13:00")
    held = (slot("2026-03-11T14:00", "2026-03-11T14:30"),)
    offers = three_slots(diary(taken, held=held))
    assert shown(offers) == ["03-10 13:30", "03-11 13:00", "03-12 11:00"]


def test_weekends_holidays_and_days_off_are_left_out() -> None:
    easter = replace(diary(), now=at("2026-04-02T12:00"))  # Good Friday and Easter Monday follow
    assert shown(three_slots(easter)) == ["04-07 10:00", "04-08 14:00", "04-09 11:00"]
    owner = replace(OWNER, hours="Tue 09:00-11:00")
    assert shown(three_slots(replace(diary(), owner=owner))) == ["03-10 10:00", "03-17 10:30"]


def test_a_whole_day_away_takes_all_of_it() -> None:
    away = busy("2026-03-10T00:00", "2026-03-12T00:00")
    assert shown(three_slots(diary(away))) == ["03-12 10:00", "03-13 14:00", "03-16 11:00"]


def test_slots_lie_in_the_clients_day_if_that_can_be() -> None:
    offers = three_slots(diary(), "America/New_York")
    york = ZoneInfo("America/New_York")
    assert len(offers) == 3
    assert all(8 <= one.start.astimezone(york).hour < 19 for one in offers)
    assert three_slots(diary(), "Pacific/Auckland")  # no hour of Berlin's day is one there: better than nothing
    assert three_slots(diary(), "Nowhere/Land") == three_slots(diary())


def test_the_days_that_were_asked_for_come_first() -> None:
    week = slot("2026-03-16T00:00", "2026-03-20T23:59")
    assert shown(three_slots(diary(), within=week)) == ["03-16 10:00", "03-17 14:00", "03-18 11:00"]
    today = slot("2026-03-09T12:00", "2026-03-09T18:00")
    assert shown(three_slots(diary(), within=today)) == ["03-09 12:00", "03-09 14:00", "03-09 16:00"]
    full = diary(busy("2026-03-16T00:00", "2026-03-21T00:00"))
    assert shown(three_slots(full, within=week)) == ["03-10 10:00", "03-11 14:00", "03-12 11:00"]


def test_nothing_is_offered_too_soon_or_too_far_ahead() -> None:
    slots = list(free_slots(diary(terms=Offering(notice=timedelta(hours=4), days=2))))
    assert shown(slots)[0] == "03-09 13:30"
    assert {one.start.astimezone(BERLIN).day for one in slots} == {9, 10, 11}


def test_over_the_change_of_the_clock_hours_stay_those_of_the_wall() -> None:
    spring = replace(diary(), now=at("2026-03-27T17:00"))
    first = next(iter(three_slots(spring)))
    assert (shown([first]), first.start.astimezone(UTC).hour) == (["03-30 10:00"], 8)


def test_a_slot_in_words() -> None:
    offer = slot("2026-03-12T10:00", "2026-03-12T10:30")
    assert told(offer, "en", "Europe/Berlin") == "Thu 12 Mar 10:00-10:30"
    assert told(offer, "de", "Europe/Berlin") == "Do 12. Mrz 10:00-10:30".replace("Mrz", told_month())
    assert told_day(offer.start, "en", "Europe/Berlin") == "Thu 12 Mar"
    assert told_to_both(offer, "en", "Europe/Berlin", "America/New_York") == "Thu 12 Mar 10:00-10:30 (05:00 New York)"
    assert told_to_both(offer, "en", "Europe/Berlin", "Europe/Paris") == "Thu 12 Mar 10:00-10:30"
    assert told_to_both(offer, "en", "Europe/Berlin", "Pacific/Auckland").endswith("(22:00 Auckland)")


def told_month() -> str:
    from workflows.rules.text.languages import words_in

    return str(words_in("de", "calendar")["months"][2][0])


def test_the_same_event_of_two_calendars_is_one() -> None:
    one = busy("2026-03-12T10:00", "2026-03-12T11:00", uid="1")
    assert merged([one, busy("2026-03-10T10:00", "2026-03-10T11:00"), one]) == (
        busy("2026-03-10T10:00", "2026-03-10T11:00"),
        one,
    )


@given(
    st.datetimes(),
    st.sampled_from(["Mon-Fri 09:00-18:00", "Sat-Sun 00:00-24:00", "nonsense", "Fri 22:00-24:00"]),
    st.integers(-5, 400),
    st.integers(0, 1_000_000_000),
)
def test_nothing_makes_it_raise_and_what_is_offered_is_free(now: datetime, hours: str, days: int, length: int) -> None:
    owner = replace(OWNER, hours=hours)
    terms = Offering(slot=timedelta(seconds=max(length % 30_000, 300)), days=days)
    taken = BusySpan(start=now.replace(tzinfo=UTC), end=now.replace(tzinfo=UTC))
    desk = Diary(view=CalendarView(spans=(taken,)), now=now.replace(tzinfo=UTC), owner=owner, terms=terms)
    for offer in three_slots(desk):
        assert is_free(offer.start, offer.end, desk.view.spans, (), terms.buffer)
        assert availability_of(offer, desk) in {Availability.FREE, Availability.OUTSIDE}
