"""When an update is due, and how its period is named."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.people import Owner
from workflows.rules.text.languages import languages
from workflows.rules.work.rhythm import Pace, Period, day, due, last_ended, pace, period, subject

ADA = Owner(name="Ada", address="ada@winter.example", timezone="Europe/Berlin", country="DE")
WEEKLY, MONTHLY = Pace(weeks=1), Pace(months=1)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        ("", Pace()), ("never", Pace()), ("weekly", WEEKLY), ("Weekly", WEEKLY), ("every week", WEEKLY),
        ("every 2 weeks", Pace(weeks=2)), ("fortnightly", Pace(weeks=2)), ("every 4  weeks", Pace(weeks=4)),
        ("monthly", MONTHLY), ("every 3 months", Pace(months=3)), ("quarterly", Pace(months=3)),
        ("every 1 week", WEEKLY), ("daily", None), ("every 0 weeks", None), ("every 13 weeks", None), ("often", None),
    ],
)  # fmt: skip
def test_a_rhythm_is_read(said: str, meant: Pace | None) -> None:
    assert pace(said) == meant


@pytest.mark.parametrize(
    ("every", "today", "expected"),
    [
        (WEEKLY, date(2026, 11, 23), Period("2026-W47", date(2026, 11, 16), date(2026, 11, 22))),
        (WEEKLY, date(2026, 11, 22), Period("2026-W46", date(2026, 11, 9), date(2026, 11, 15))),
        (WEEKLY, date(2027, 1, 4), Period("2026-W53", date(2026, 12, 28), date(2027, 1, 3))),
        (MONTHLY, date(2026, 12, 1), Period("2026-11", date(2026, 11, 1), date(2026, 11, 30))),
        (MONTHLY, date(2027, 1, 31), Period("2026-12", date(2026, 12, 1), date(2026, 12, 31))),
        (Pace(months=3), date(2026, 11, 23), Period("2026-09", date(2026, 7, 1), date(2026, 9, 30))),
        (Pace(), date(2026, 11, 23), None),
    ],
)
def test_the_last_period_that_has_ended(every: Pace, today: date, expected: Period | None) -> None:
    assert last_ended(every, today) == expected


def test_two_weeks_are_the_same_two_whenever_one_looks() -> None:
    found = {last_ended(Pace(weeks=2), date(2026, 11, 2) + timedelta(days=step)) for step in range(28)}
    lengths = {(one.last - one.first).days for one in found if one}
    assert lengths == {13}
    assert len(found) in {2, 3}


@given(st.dates(date(2000, 1, 1), date(2100, 1, 1)), st.integers(1, 12), st.booleans())
def test_periods_follow_each_other_without_gap(today: date, number: int, weeks: bool) -> None:
    every = Pace(weeks=number) if weeks else Pace(months=number)
    one = last_ended(every, today)
    assert one is not None
    assert one.first <= one.last < today
    before = last_ended(every, one.last)
    assert before is not None
    assert before.last == one.first - timedelta(days=1)
    assert before.name != one.name


@pytest.mark.parametrize(
    ("every", "today", "expected"),
    [
        (WEEKLY, date(2026, 11, 23), "2026-W47"),  # Monday
        (WEEKLY, date(2026, 11, 26), "2026-W47"),  # down on Monday, up on Thursday
        (WEEKLY, date(2026, 11, 28), ""),  # Saturday
        (WEEKLY, date(2026, 11, 30), "2026-W48"),
        (WEEKLY, date(2027, 3, 29), ""),  # Easter Monday
        (WEEKLY, date(2027, 3, 30), "2027-W12"),
        (MONTHLY, date(2026, 8, 1), ""),  # a Saturday
        (MONTHLY, date(2026, 8, 3), "2026-07"),
        (MONTHLY, date(2027, 1, 1), ""),  # New Year
        (MONTHLY, date(2027, 1, 4), "2026-12"),
        (Pace(), date(2026, 11, 23), ""),
    ],
)
def test_it_is_due_on_the_owners_first_working_day_and_on_those_after_it(every, today, expected) -> None:
    found = due(every, today, ADA)
    assert (found.name if found else "") == expected


def test_an_owner_who_works_wednesdays_alone_is_asked_on_wednesday() -> None:
    owner = Owner(name="Ada", address="ada@winter.example", hours="Wed 09:00-12:00")
    days = [date(2026, 11, 23) + timedelta(days=step) for step in range(7)]
    assert [day.day for day in days if due(WEEKLY, day, owner)] == [25]


@pytest.mark.parametrize(
    ("first", "last", "language", "expected"),
    [
        (date(2026, 11, 16), date(2026, 11, 22), "en", "Relaunch: status, week 47"),
        (date(2026, 11, 16), date(2026, 11, 22), "de", "Relaunch: Stand der Dinge, KW 47"),
        (date(2026, 11, 9), date(2026, 11, 22), "fr", "Relaunch : point d'avancement, semaines 46 à 47"),
        (date(2026, 11, 1), date(2026, 11, 30), "es", "Relaunch: estado del proyecto, noviembre de 2026"),
        (date(2026, 11, 9), date(2026, 11, 18), "en", "Relaunch: status, 9 November to 18 November"),
        (date(2026, 11, 16), date(2026, 11, 22), "ja", "Relaunch: status, week 47"),
    ],
)
def test_the_subject_names_the_period_in_the_clients_language(first, last, language, expected) -> None:
    assert subject("Relaunch", first, last, language) == expected


def test_a_projects_name_cannot_break_the_subject() -> None:
    assert subject("A {period}\nBcc: x", date(2026, 11, 16), date(2026, 11, 22), "en") == (
        "A {period} Bcc: x: status, week 47"
    )


@pytest.mark.parametrize("language", languages("rhythm"))
def test_every_language_names_every_kind_of_period(language: str) -> None:
    for first, last in (
        (date(2026, 11, 16), date(2026, 11, 22)),
        (date(2026, 11, 9), date(2026, 11, 22)),
        (date(2026, 11, 1), date(2026, 11, 30)),
        (date(2026, 11, 10), date(2026, 11, 12)),
    ):
        assert "{" not in period(first, last, language)
    assert "18" in day(date(2026, 11, 18), language)
