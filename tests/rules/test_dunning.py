"""The ladder: which notice is due to one client, on which of their days, and what speaks against it."""

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.money import Invoice, Money
from workflows.rules.debts.dunning import (
    BusinessDays,
    Due,
    Hold,
    Made,
    Nothing,
    is_on,
    ladder,
    ladders,
    next_notice,
    run_out,
    zone_of,
)
from workflows.rules.debts.notices import format_day, overview, subject
from workflows.rules.text.languages import language_of_country

GERMANY = BusinessDays(country="DE")
STANDARD = ladder("standard")
DUE = date(2026, 11, 2)  # a Monday


def owed(number: str = "A", due: date = DUE, minor: int = 10000, currency: str = "EUR") -> Invoice:
    money = Money(minor=minor, currency=currency)
    return Invoice(number=number, name="Acme", email="ap@acme.example", due=due, amount=money)


def sent(step: int, day: date, number: str = "A") -> Made:
    return Made(number=number, step=step, day=day, how="sent")


def refused(step: int, day: date, number: str = "A") -> Made:
    return Made(number=number, step=step, day=day, how="refused")


def asked(today: date, *, debts=None, notices=(), holds=(), calendar=GERMANY, rungs=STANDARD) -> Due | Nothing:
    return next_notice(debts if debts is not None else [owed()], notices, holds, today, calendar, rungs)


def steps(answer: Due | Nothing) -> dict[str, int]:
    return {item.invoice.number: item.step for item in answer.items} if isinstance(answer, Due) else {}


# ---------------------------------------------------------------- the ladder itself


def test_every_ladder_has_four_stages_or_more_in_order() -> None:
    assert set(ladders()) >= {"standard", "early", "gentle"}
    for name in ladders():
        stages = ladder(name).stages
        assert len(stages) >= 4
        assert [stage.step for stage in stages] == list(range(1, len(stages) + 1))
        assert sorted({stage.after for stage in stages}) == [stage.after for stage in stages]
    assert [stage.name for stage in STANDARD.stages] == ["reminder", "second", "firm", "final"]


def test_the_tone_called_the_second_reminder_is_that_of_the_second() -> None:
    for name in ladders():
        late = [stage for stage in ladder(name).stages if stage.after > 0]
        assert [stage.name for stage in late if stage.tone == "plain"] == [late[1].name] == ["second"]


def test_one_debt_walks_up_the_ladder_and_no_notice_comes_twice() -> None:
    made: list[Made] = []
    days = {}
    for ahead in range(120):
        today = DUE + timedelta(days=ahead)
        answer = asked(today, notices=made)
        if isinstance(answer, Due):
            days[answer.stage.name] = today
            made.append(sent(answer.items[0].step, today))
    assert days == {
        "reminder": date(2026, 11, 5),  # Thursday, 3 days late
        "second": date(2026, 11, 16),
        "firm": date(2026, 11, 30),
        "final": date(2026, 12, 17),
    }


def test_nothing_is_said_before_the_first_stage_and_it_says_when_to_look_again() -> None:
    assert asked(DUE + timedelta(days=2)) == Nothing(why="no next stage has come", until=date(2026, 11, 5))
    assert asked(DUE - timedelta(days=5)) == Nothing(why="nothing is late", until=date(2026, 11, 5))
    assert asked(DUE, debts=[]) == Nothing(why="nothing is owed")


@pytest.mark.parametrize(
    ("due", "first"),
    [
        (date(2026, 11, 4), date(2026, 11, 9)),  # the third day is a Saturday: Monday
        (date(2026, 12, 22), date(2026, 12, 28)),  # 25 Dec, 26 Dec (Saturday), Sunday
        (date(2026, 12, 29), date(2027, 1, 4)),  # New Year, then a weekend
        (date(2027, 3, 24), date(2027, 3, 30)),  # Easter 2027: 26 to 29 March
    ],
)
def test_a_notice_waits_for_a_business_day_of_the_client(due: date, first: date) -> None:
    found = [
        day for ahead in range(30) if isinstance(asked(day := due + timedelta(days=ahead), debts=[owed(due=due)]), Due)
    ]
    assert found[0] == first


def test_holidays_and_weekends_are_those_of_the_clients_country() -> None:
    kuwait, britain = BusinessDays(country="KW"), BusinessDays(country="GB")
    friday, sunday, boxing_day = date(2026, 11, 6), date(2026, 11, 8), date(2026, 12, 28)
    assert not kuwait.is_open(friday)
    assert kuwait.is_open(sunday)
    assert not britain.is_open(boxing_day)  # the substitute for Saturday 26 December
    assert GERMANY.is_open(boxing_day)
    assert BusinessDays().is_open(date(2026, 12, 25))  # no country: weekends alone
    assert BusinessDays(country="??").is_open(date(2026, 12, 25))
    assert BusinessDays(country="DE", every_day=True).is_open(date(2026, 12, 25))
    assert not BusinessDays(country="DE-BY").is_open(date(2027, 1, 6))
    assert GERMANY.is_open(date(2027, 1, 6))


def test_business_days_are_counted_over_weekends_and_holidays() -> None:
    assert GERMANY.add(date(2026, 12, 4), 1) == date(2026, 12, 7)
    assert GERMANY.add(date(2026, 12, 23), 2) == date(2026, 12, 28)
    assert GERMANY.add(date(2026, 12, 5), 0) == date(2026, 12, 5)
    assert GERMANY.first_open(date(2026, 12, 25)) == date(2026, 12, 28)


# ---------------------------------------------------------------- several invoices, one mail


def test_several_invoices_are_one_mail_at_the_highest_stage_each_with_its_own() -> None:
    debts = [owed("A"), owed("B", DUE + timedelta(days=10)), owed("C", DUE + timedelta(days=40))]
    answer = asked(date(2026, 11, 16), debts=debts, notices=[sent(1, date(2026, 11, 5))])
    assert isinstance(answer, Due)
    assert answer.stage.name == "second"
    assert steps(answer) == {"A": 2, "B": 1}


def test_a_client_is_not_written_to_again_within_the_gap() -> None:
    debts = [owed("A"), owed("B", DUE + timedelta(days=3))]
    notices = [sent(1, date(2026, 11, 5), "A")]
    assert asked(date(2026, 11, 9), debts=debts, notices=notices) == Nothing(
        why="they were written to on 2026-11-05", until=date(2026, 11, 10)
    )
    assert steps(asked(date(2026, 11, 10), debts=debts, notices=notices)) == {"B": 1}


def test_no_stage_is_left_out_however_old_the_invoice_is() -> None:
    late = date(2027, 1, 11)
    made: list[Made] = []
    order = []
    for ahead in range(60):
        answer = asked(late + timedelta(days=ahead), notices=made)
        if isinstance(answer, Due):
            order.append((answer.stage.name, late + timedelta(days=ahead)))
            made.append(sent(answer.items[0].step, late + timedelta(days=ahead)))
    assert order == [
        ("reminder", date(2027, 1, 11)),
        ("second", date(2027, 1, 18)),  # five business days later
        ("firm", date(2027, 1, 25)),
        ("final", date(2027, 2, 3)),  # seven
    ]


def test_five_days_down_lead_to_one_notice_at_the_stage_that_is_right_then() -> None:
    notices = [sent(1, date(2026, 11, 5))]
    back = date(2026, 11, 20)  # the second was due on the 16th
    answer = asked(back, notices=notices)
    assert steps(answer) == {"A": 2}
    assert isinstance(asked(back + timedelta(days=3), notices=[*notices, sent(2, back)]), Nothing)


# ---------------------------------------------------------------- what was refused


def test_what_was_refused_is_not_proposed_again_before_the_next_stage() -> None:
    no = [refused(1, date(2026, 11, 5))]
    days = [day for ahead in range(14) if isinstance(asked(day := DUE + timedelta(days=ahead), notices=no), Due)]
    assert days == []
    answer = asked(DUE + timedelta(days=14), notices=no)
    assert steps(answer) == {"A": 1}  # the client never had one: it is still the first


def test_the_last_stage_refused_is_proposed_again_after_ten_business_days() -> None:
    made = [sent(1, date(2026, 11, 5)), sent(2, date(2026, 11, 16)), sent(3, date(2026, 11, 30))]
    no = [*made, refused(4, date(2026, 12, 17))]
    days = [
        day
        for ahead in range(40)
        if isinstance(asked(day := date(2026, 12, 18) + timedelta(days=ahead), notices=no), Due)
    ]
    assert days[0] == GERMANY.add(date(2026, 12, 17), 10) == date(2027, 1, 4)


def test_after_the_last_stage_nothing_more_is_said() -> None:
    made = [sent(step, DUE + timedelta(days=15 * step)) for step in (1, 2, 3, 4)]
    assert asked(DUE + timedelta(days=400), notices=made) == Nothing(why="no next stage has come")


# ---------------------------------------------------------------- what speaks against it


def test_we_pay_friday_holds_until_monday() -> None:
    friday, monday = date(2026, 12, 4), date(2026, 12, 7)
    promise = Hold(kind="promise", until=friday, says="they promised to pay on Friday")
    for day in (date(2026, 11, 30), friday, date(2026, 12, 5), date(2026, 12, 6)):
        assert asked(day, holds=[promise]) == Nothing(why="they promised to pay on Friday", until=monday)
    assert isinstance(asked(monday, holds=[promise]), Due)
    assert run_out([promise], ["A"], friday, GERMANY) == ()
    assert run_out([promise], ["A"], monday, GERMANY) == (promise,)


def test_a_promise_before_a_holiday_holds_until_the_next_business_day() -> None:
    promise = Hold(kind="promise", until=date(2026, 12, 24))
    assert is_on(promise, date(2026, 12, 27), GERMANY)
    assert not is_on(promise, date(2026, 12, 28), GERMANY)


def test_an_absence_holds_until_the_day_they_are_back() -> None:
    away = Hold(kind="absence", until=date(2026, 11, 16))
    assert isinstance(asked(date(2026, 11, 13), holds=[away]), Nothing)
    assert isinstance(asked(date(2026, 11, 16), holds=[away]), Due)


@pytest.mark.parametrize("kind", ["dispute", "complaint", "stopped", "never", "paused"])
def test_what_only_the_owner_ends_holds_for_ever(kind) -> None:
    answer = asked(DUE + timedelta(days=900), holds=[Hold(kind=kind, says="so")])
    assert answer == Nothing(why="so", until=None)


def test_a_hold_on_one_invoice_leaves_the_others_to_be_chased() -> None:
    debts = [owed("A"), owed("B")]
    dispute = Hold(kind="dispute", number="A", says="it is disputed")
    assert steps(asked(date(2026, 11, 5), debts=debts, holds=[dispute])) == {"B": 1}
    assert asked(date(2026, 11, 5), debts=debts[:1], holds=[dispute]).why == "it is disputed"


def test_a_held_invoice_goes_on_where_it_stood() -> None:
    promise = Hold(kind="promise", number="A", until=date(2026, 11, 20))
    answer = asked(date(2026, 11, 23), holds=[promise], notices=[sent(1, date(2026, 11, 5))])
    assert steps(answer) == {"A": 2}


def test_a_word_before_the_due_date_is_only_said_before_it() -> None:
    early = ladder("early")
    assert steps(asked(DUE - timedelta(days=3), rungs=early)) == {"A": 1}
    assert isinstance(asked(DUE - timedelta(days=4), rungs=early), Nothing)
    answer = asked(DUE + timedelta(days=3), rungs=early)
    assert isinstance(answer, Due)
    assert answer.stage.name == "reminder"
    assert isinstance(asked(DUE + timedelta(days=1), rungs=early), Nothing)


# ---------------------------------------------------------------- for every history


@given(
    dues=st.lists(st.integers(min_value=-40, max_value=60), min_size=1, max_size=6),
    down=st.sets(st.integers(min_value=0, max_value=119), max_size=60),
    noes=st.sets(st.integers(min_value=0, max_value=119), max_size=40),
    country=st.sampled_from(["DE", "US", "KW", ""]),
    rungs=st.sampled_from(["standard", "early", "gentle"]),
)
def test_whatever_happens_no_invoice_has_a_stage_twice_and_no_day_is_wrong(dues, down, noes, country, rungs) -> None:
    """120 days with days without Deskhand and owners who refuse: every rule of the ladder holds throughout."""
    begin = date(2026, 11, 2)
    calendar, chosen = BusinessDays(country=country), ladder(rungs)
    debts = [owed(f"N{at}", begin + timedelta(days=due)) for at, due in enumerate(dues)]
    made: list[Made] = []
    for ahead in range(120):
        today = begin + timedelta(days=ahead)
        if ahead in down:
            continue
        answer = next_notice(debts, made, (), today, calendar, chosen)
        if not isinstance(answer, Due):
            assert answer.until is None or answer.until > today
            continue
        assert calendar.is_open(today)
        last = max((one.day for one in made if one.how == "sent"), default=None)
        assert last is None or today >= calendar.add(last, answer.stage.gap)
        assert answer.stage.step == max(item.step for item in answer.items)
        how = "refused" if ahead in noes else "sent"
        for item in answer.items:
            reached = [one.step for one in made if one.number == item.invoice.number and one.how == "sent"]
            assert item.step > max(reached, default=0)
            assert chosen.stages[item.step - 1].after <= (today - item.invoice.due).days
            made.append(Made(number=item.invoice.number, step=item.step, day=today, how=how))


# ---------------------------------------------------------------- zones, languages, words


def test_the_country_tells_zone_and_language_where_they_are_plain() -> None:
    assert zone_of("US", "Europe/Berlin") == "America/New_York"
    assert zone_of("DE-BY", "UTC") == "Europe/Berlin"
    assert zone_of("", "Europe/Berlin") == zone_of("XX", "Europe/Berlin") == "Europe/Berlin"
    assert [language_of_country(code) for code in ("FR", "AT", "CH", "BE", "")] == ["fr", "de", "", "", ""]


def test_a_subject_names_the_invoices_in_the_clients_language() -> None:
    assert subject("friendly", ["2026-014"], "en") == "Payment reminder: invoice 2026-014"
    assert subject("final", ["A", "B"], "de") == "Letzte Zahlungserinnerung: Rechnungen A, B"
    assert subject("plain", list("ABCDEF"), "fr") == "Deuxième rappel : factures A, B, C, D et 2 autres"
    assert subject("thanks", ["A"], "sv") == "Payment received: invoice A"
    assert subject("friendly", ["{numbers}\nBcc: x"], "en") == "Payment reminder: invoice {numbers} Bcc: x"


@pytest.mark.parametrize(
    ("language", "shown"),
    [("en", "1 March 2027"), ("de", "1. März 2027"), ("fr", "1 mars 2027"), ("es", "1 de marzo de 2027")],
)
def test_a_date_is_written_as_a_letter_does(language: str, shown: str) -> None:
    assert format_day(date(2027, 3, 1), language) == shown


def test_the_owners_table_has_number_amount_due_date_days_late_and_stage() -> None:
    part = Invoice(
        number="B", name="Acme", email="x@acme.example", due=date(2026, 12, 24),
        amount=Money(minor=50000, currency="USD"), paid=Money(minor=20000, currency="USD"),
    )  # fmt: skip
    assert overview([owed(), part], date(2026, 11, 16), ["reminder on 2026-11-05", "nothing"]).splitlines() == [
        "Number  Open                      Due         Days late  So far",
        "A       100.00 EUR                2026-11-02  14         reminder on 2026-11-05",
        "B       300.00 USD of 500.00 USD  2026-12-24  not yet    nothing",
        "Total open: 100.00 EUR + 300.00 USD",
    ]
