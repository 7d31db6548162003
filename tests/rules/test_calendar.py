"""The owner's time: working hours and days, and what a person means by "Monday"."""

from datetime import UTC, date, datetime, timedelta
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.people import Owner
from workflows.rules.text.calendar import (
    Span,
    add_working_days,
    answer_by,
    expiry,
    format_deadline,
    format_moment,
    is_working_day,
    next_working_time,
    working_hours,
)
from workflows.rules.text.whens import parse_when

BERLIN = ZoneInfo("Europe/Berlin")


def owner(language="en", country="DE", timezone="Europe/Berlin", hours="Mon-Fri 09:00-18:00"):
    return Owner(
        name="Ada Winter",
        address="ada@winter.example",
        language=language,
        country=country,
        timezone=timezone,
        hours=hours,
    )


def at(text, zone=BERLIN):
    return datetime.fromisoformat(text).replace(tzinfo=zone)


NOW = at("2026-11-24T14:05")  # a Tuesday


@pytest.mark.parametrize(
    ("text", "spans"),
    [
        ("Mon-Fri 09:00-18:00", [(day, 540, 1080) for day in range(5)]),
        ("Mon-Tue 9-12, 13:00-17:30", [(0, 540, 720), (0, 780, 1050), (1, 540, 720), (1, 780, 1050)]),
        ("Mon, Wed 09:00-12:00", [(0, 540, 720), (2, 540, 720)]),
        ("Sat-Mon 10:00-24:00", [(0, 600, 1440), (5, 600, 1440), (6, 600, 1440)]),
        ("monday - tuesday 09:00 - 10:00", [(0, 540, 600), (1, 540, 600)]),
        ("", []),
        ("Mon-Fri", []),
        ("Mon-Fri 18:00-09:00", []),
        ("Mon-Fri 09:00-25:00", []),
        ("always", []),
    ],
)
def test_working_hours(text, spans):
    assert working_hours(text) == tuple(Span(weekday=day, start=start, end=end) for day, start, end in spans)


def test_holidays_are_no_working_days():
    assert not is_working_day(date(2026, 12, 25), owner())
    assert is_working_day(date(2026, 12, 28), owner())
    assert not is_working_day(date(2026, 1, 6), owner(country="DE-BY"))
    assert is_working_day(date(2026, 1, 6), owner())
    assert is_working_day(date(2026, 12, 25), owner(country=""))
    assert is_working_day(date(2026, 12, 25), owner(country="XX"))


def test_working_days_pass_over_weekends_and_holidays():
    friday = at("2026-11-27T10:00")
    assert add_working_days(friday, 2, owner()) == at("2026-12-01T10:00")
    assert add_working_days(at("2026-12-24T10:00"), 1, owner()) == at("2026-12-28T10:00")
    assert add_working_days(friday, 0, owner()) == friday


def test_next_working_time():
    assert next_working_time(NOW, owner()) == NOW
    assert next_working_time(at("2026-11-27T18:00"), owner()) == at("2026-11-30T09:00")
    assert next_working_time(at("2026-11-24T07:00"), owner()) == at("2026-11-24T09:00")
    lunch = owner(hours="Mon-Fri 09:00-12:00, 13:00-17:00")
    assert next_working_time(at("2026-11-24T12:30"), lunch) == at("2026-11-24T13:00")


def test_expiry_is_the_end_of_work_on_the_last_day():
    assert expiry(NOW, 3, owner()) == at("2026-11-27T18:00")
    assert expiry(at("2026-11-28T10:00"), 1, owner()) == at("2026-12-01T18:00")  # asked on a Saturday: Monday is day 0
    assert expiry(NOW, 0, owner()) == at("2026-11-24T18:00")
    assert expiry(at("2026-11-24T19:00"), 0, owner()) == at("2026-11-25T18:00")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("2d", "2026-11-26T14:05"),
        ("4d", "2026-11-30T14:05"),  # working days: over the weekend
        ("in 2 days", "2026-11-26T14:05"),
        ("3h", "2026-11-24T17:05"),
        ("in 3 hours", "2026-11-24T17:05"),
        ("30 min", "2026-11-24T14:35"),
        ("1w", "2026-12-01T14:05"),
        ("tomorrow", "2026-11-25T09:00"),
        ("Tomorrow 9:00", "2026-11-25T09:00"),
        ("tomorrow at 9", "2026-11-25T09:00"),
        ("tomorrow 9am", "2026-11-25T09:00"),
        ("tomorrow 3:30 pm", "2026-11-25T15:30"),
        ("tomorrow morning", "2026-11-25T09:00"),
        ("tomorrow afternoon", "2026-11-25T14:00"),
        ("the day after tomorrow", "2026-11-26T09:00"),
        ("Monday", "2026-11-30T09:00"),
        ("on Monday.", "2026-11-30T09:00"),
        ("next Monday 14:00", "2026-11-30T14:00"),
        ("Tuesday", "2026-12-01T09:00"),  # today is Tuesday: the next one
        ("until Friday", "2026-11-27T09:00"),
        ("Saturday", "2026-11-30T09:00"),  # no work on Saturday
        ("Saturday 10:00", "2026-11-28T10:00"),  # a stated time is meant
        ("next week", "2026-11-30T09:00"),
        ("next month", "2026-12-01T09:00"),
        ("16:00", "2026-11-24T16:00"),
        ("9:00", "2026-11-25T09:00"),
        ("tonight", "2026-11-24T18:00"),
        ("14 Dec", "2026-12-14T09:00"),
        ("Dec 14", "2026-12-14T09:00"),
        ("December 14th, 15:00", "2026-12-14T15:00"),
        ("14 Aug", "2027-08-16T09:00"),  # a Saturday in 2027
        ("14.12.", "2026-12-14T09:00"),
        ("14.12.2026", "2026-12-14T09:00"),
        ("14/12", "2026-12-14T09:00"),
        ("2026-12-14", "2026-12-14T09:00"),
        ("2026-12-14 10:30", "2026-12-14T10:30"),
        ("Mon 14 Dec", "2026-12-14T09:00"),
        ("25 Dec", "2026-12-28T09:00"),  # a holiday, then the weekend
    ],
)
def test_parse_when_in_english(text, expected):
    assert parse_when(text, NOW, owner()) == at(expected)


@pytest.mark.parametrize(
    ("language", "text", "expected"),
    [
        ("de", "morgen", "2026-11-25T09:00"),
        ("de", "morgen um 9 Uhr", "2026-11-25T09:00"),
        ("de", "morgen früh", "2026-11-25T09:00"),
        ("de", "übermorgen 10:30", "2026-11-26T10:30"),
        ("de", "Montag", "2026-11-30T09:00"),
        ("de", "in 2 Tagen", "2026-11-26T14:05"),
        ("de", "2T", "2026-11-26T14:05"),
        ("de", "14. Dezember", "2026-12-14T09:00"),
        ("de", "nächste Woche", "2026-11-30T09:00"),
        ("de", "14.12. um 15:00", "2026-12-14T15:00"),
        ("de", "tomorrow", "2026-11-25T09:00"),
        ("fr", "demain 9h30", "2026-11-25T09:30"),
        ("fr", "demain à 9h", "2026-11-25T09:00"),
        ("fr", "lundi", "2026-11-30T09:00"),
        ("fr", "dans 2 jours", "2026-11-26T14:05"),
        ("fr", "14 décembre", "2026-12-14T09:00"),
        ("fr", "après-demain", "2026-11-26T09:00"),
        ("es", "mañana a las 9:00", "2026-11-25T09:00"),
        ("es", "lunes", "2026-11-30T09:00"),
        ("es", "el lunes", "2026-11-30T09:00"),
        ("es", "14 de diciembre", "2026-12-14T09:00"),
        ("es", "dentro de 2 días", "2026-11-26T14:05"),
        ("pt", "amanhã às 9:00", "2026-11-25T09:00"),
        ("pt", "segunda-feira", "2026-11-30T09:00"),
        ("pt", "2 dias", "2026-11-26T14:05"),
        ("it", "domani alle 9", "2026-11-25T09:00"),
        ("it", "lunedì", "2026-11-30T09:00"),
        ("it", "tra 2 giorni", "2026-11-26T14:05"),
        ("nl", "morgen om 9 uur", "2026-11-25T09:00"),
        ("nl", "maandag", "2026-11-30T09:00"),
        ("nl", "over 2 dagen", "2026-11-26T14:05"),
        ("pl", "jutro o 9:00", "2026-11-25T09:00"),
        ("pl", "w poniedziałek", "2026-11-30T09:00"),
        ("pl", "za 2 dni", "2026-11-26T14:05"),
        ("pl", "14 grudnia", "2026-12-14T09:00"),
    ],
)
def test_parse_when_in_the_owners_language(language, text, expected):
    assert parse_when(text, NOW, owner(language)) == at(expected)


def test_americans_write_the_month_first():
    american = owner(country="US", timezone="America/New_York")
    now = datetime(2026, 11, 24, 14, 5, tzinfo=ZoneInfo("America/New_York"))
    assert parse_when("12/1", now, american) == datetime(2026, 12, 1, 9, tzinfo=ZoneInfo("America/New_York"))


@pytest.mark.parametrize(
    "text",
    [
        "",
        "soon",
        "when it rains",
        "Monday or Tuesday",
        "Monday Tuesday",
        "tomorrow if possible",
        "2026-02-30",
        "2020-01-01",
        "2099-01-01",
        "31.13.",
        "0d",
        "Montag",  # German is not active for an English owner
        "2",
        "95 EUR",
        "today",
        "tomorrow 9:00 or 10:00",
        "13pm",
        "999999999d",
    ],
)
def test_unsure_is_none(text):
    assert parse_when(text, NOW, owner()) is None


def test_daylight_saving():
    eve = at("2026-03-27T10:00")
    assert parse_when("Sunday 2:30", eve, owner()).astimezone(UTC) == datetime(2026, 3, 29, 1, 30, tzinfo=UTC)
    assert parse_when("1d", at("2026-10-23T09:30"), owner()) == at("2026-10-26T09:30")
    before = at("2026-10-24T23:00")
    assert parse_when("6h", before, owner()) - before.astimezone(UTC) == timedelta(hours=6)


@pytest.mark.parametrize(
    ("language", "text"),
    [
        ("en", "Fri 27 Nov 18:00"),
        ("de", "Fr 27. Nov 18:00"),
        ("fr", "ven 27 nov 18:00"),
        ("es", "vie 27 nov 18:00"),
        ("pt", "sex 27 nov 18:00"),
        ("it", "ven 27 nov 18:00"),
        ("nl", "vr 27 nov 18:00"),
        ("pl", "pt 27 lis 18:00"),
        ("xx", "Fri 27 Nov 18:00"),
        ("de-AT", "Fr 27. Nov 18:00"),
    ],
)
def test_format_deadline(language, text):
    assert format_deadline(at("2026-11-27T18:00").astimezone(UTC), owner(language)) == text
    assert text in answer_by(at("2026-11-27T18:00"), owner(language))


def test_format_moment():
    assert format_moment(at("2026-11-24T14:02"), owner()) == "Tue 14:02"


LANGUAGES = st.sampled_from(["en", "de", "fr", "es", "pt", "it", "nl", "pl", "", "xx"])


@settings(max_examples=300, deadline=None)
@given(
    st.text(max_size=60) | st.text("0123456789 .:/-dhwamp", max_size=20),
    st.datetimes(datetime(1971, 1, 1), datetime(9998, 1, 1), timezones=st.just(UTC)),  # noqa: DTZ001
    LANGUAGES,
    st.text(max_size=20),
)
def test_nothing_a_person_writes_breaks_it(text, now, language, odd):
    someone = owner(language, country=odd[:3], timezone=odd, hours=odd)
    found = parse_when(text, now, someone)
    assert found is None or now < found <= now + timedelta(days=401)
    assert next_working_time(now, someone) >= now.replace(second=0, microsecond=0)
    assert expiry(now, 7, someone) > now
    assert format_deadline(now, someone)
