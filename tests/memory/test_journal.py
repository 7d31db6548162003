"""The journal of model calls, on a real ledger file."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from sqlalchemy import Engine

from memory.journal import (
    MOST_ATTEMPTS,
    CallKey,
    Caps,
    Done,
    Estimate,
    GivenUp,
    Journal,
    Reserved,
    SpendStopped,
    Usage,
)
from memory.record.schema import open_engine
from workflows.errors import NeedsOwner

KEY = CallKey(case=7, version=1, step="draft")
CAPS = Caps(cost=Decimal(2), calls=10, tokens=100_000)
SMALL = Estimate(input_tokens=100, output_tokens=50, cost=Decimal("0.01"))
USED = Usage(input_tokens=90, output_tokens=20, cost=Decimal("0.004"))


class Hands:
    """A clock that a test sets."""

    def __init__(self, now: datetime) -> None:
        self.time = now

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def clock() -> Hands:
    return Hands(datetime(2026, 11, 23, 12, 0, tzinfo=UTC))


@pytest.fixture
def engine(tmp_path: Path) -> Iterator[Engine]:
    engine = open_engine(tmp_path / "ledger.sqlite")
    yield engine
    engine.dispose()


@pytest.fixture
def journal(engine: Engine, clock: Hands) -> Journal:
    return Journal(engine, clock, "Europe/Berlin")


def reserve(journal: Journal, key: CallKey = KEY, asked: str = "a", caps: Caps = CAPS, estimate: Estimate = SMALL):
    return journal.reserve(key, asked, "m", caps, estimate)


def reserved(journal: Journal, **given) -> Reserved:
    place = reserve(journal, **given)
    assert isinstance(place, Reserved)
    return place


def test_an_answered_question_is_given_its_answer_again(journal: Journal) -> None:
    journal.finish(reserved(journal), "the answer", USED)
    assert reserve(journal) == Done("the answer")
    spent = journal.spent_today()
    assert (spent.calls, spent.tokens, spent.cost) == (1, 110, Decimal("0.004"))
    assert journal.cost(7, 1) == "0.004"


def test_another_prompt_under_the_same_key_gets_the_next_ordinal_and_keeps_the_old_answer(journal: Journal) -> None:
    journal.finish(reserved(journal), "old", USED)
    place = reserved(journal, asked="b")
    assert place.key.ordinal == 2
    journal.finish(place, "new", USED)
    assert reserve(journal, asked="b") == Done("new")
    assert reserve(journal, asked="a") == Done("old")


def test_the_next_call_of_a_step_is_never_answered_by_the_one_before(journal: Journal) -> None:
    journal.finish(reserved(journal), "first", USED)
    second = CallKey(case=7, version=1, step="draft", ordinal=2)
    place = reserved(journal, key=second)
    assert place.key == second


def test_a_call_whose_process_died_stays_counted_and_may_be_tried_again(journal: Journal) -> None:
    reserved(journal)  # the process dies here
    again = reserved(journal)
    assert again.attempt == 2
    journal.finish(again, "late", USED)
    spent = journal.spent_today()
    assert (spent.calls, spent.tokens) == (2, 150 + 110)
    assert spent.cost == Decimal("0.014")


def test_a_refused_call_frees_money_and_tokens_but_stays_a_call(journal: Journal) -> None:
    journal.failed(reserved(journal), "rate limit", paid=False)
    spent = journal.spent_today()
    assert (spent.calls, spent.tokens, spent.cost) == (1, 0, Decimal(0))


def test_a_call_that_may_have_been_paid_stays_counted(journal: Journal) -> None:
    journal.failed(reserved(journal), "timed out", paid=True)
    assert journal.spent_today().tokens == 150
    assert journal.cost(7, 1) == "0.01"


def test_a_question_never_answered_is_given_up_with_the_last_reason(journal: Journal) -> None:
    for _ in range(MOST_ATTEMPTS):
        journal.failed(reserved(journal), "It gave no answer within 50 s.", paid=True)
    with pytest.raises(GivenUp, match=r"asked 4 times .* within 50 s"):
        reserve(journal)
    assert journal.spent_today().calls == MOST_ATTEMPTS


def test_the_questions_of_a_version_share_their_patience(journal: Journal) -> None:
    """A model too slow for two questions ends in a template, not in a step tried for the last time."""
    for ordinal in range(1, MOST_ATTEMPTS + 1):
        key = CallKey(case=7, version=1, step="understand" if ordinal % 2 else "draft", ordinal=1)
        journal.failed(reserved(journal, key=key), "It gave no answer within 50 s.", paid=True)
    with pytest.raises(GivenUp, match=r"asked 4 times"):
        reserve(journal, key=CallKey(case=7, version=1, step="draft", ordinal=2))
    reserve(journal, key=CallKey(case=7, version=2, step="draft"))  # the next version is asked anew


@pytest.mark.parametrize(
    ("caps", "setting"),
    [
        (Caps(cost=Decimal(2), calls=3, tokens=100_000), "daily_calls"),
        (Caps(cost=Decimal(2), calls=10, tokens=450), "daily_tokens"),
        (Caps(cost=Decimal("0.03"), calls=10, tokens=100_000), "daily_cost"),
    ],
)
def test_each_cap_stops_before_it_is_passed_and_names_its_setting(journal: Journal, caps: Caps, setting: str) -> None:
    for ordinal in range(1, 4):
        reserved(journal, key=CallKey(case=7, version=1, step="draft", ordinal=ordinal), caps=caps)
    with pytest.raises(SpendStopped, match=setting):
        reserve(journal, key=CallKey(case=7, version=1, step="draft", ordinal=4), caps=caps)
    spent = journal.spent_today()
    assert spent.calls == 3
    assert spent.tokens <= caps.tokens
    assert spent.cost <= caps.cost


def test_an_answer_already_paid_for_is_given_past_the_cap(journal: Journal) -> None:
    one = Caps(cost=Decimal(2), calls=1, tokens=100_000)
    journal.finish(reserved(journal, caps=one), "kept", USED)
    assert reserve(journal, caps=one) == Done("kept")


def test_the_day_ends_at_the_owners_midnight(journal: Journal, clock: Hands) -> None:
    one = Caps(cost=Decimal(2), calls=1, tokens=100_000)
    clock.time = datetime(2026, 11, 23, 22, 59, tzinfo=UTC)  # 23:59 in Berlin
    reserved(journal, caps=one)
    with pytest.raises(SpendStopped, match=r"Tue 24 Nov, Europe/Berlin"):
        reserve(journal, key=CallKey(case=8, version=1, step="draft"), caps=one)
    clock.time += timedelta(minutes=1)
    assert journal.spent_today().calls == 0
    assert reserved(journal, key=CallKey(case=8, version=1, step="draft"), caps=one).attempt == 1


def test_a_model_without_a_price_is_held_by_calls_and_tokens_and_shown_as_unpriced(journal: Journal) -> None:
    free = Estimate(input_tokens=100, output_tokens=50)
    broke = Caps(cost=Decimal(0), calls=10, tokens=200)
    place = reserved(journal, estimate=free, caps=broke)
    journal.finish(place, "yes", Usage(input_tokens=90, output_tokens=20))
    assert journal.cost(7, 1) == "unpriced"
    assert journal.spent_today().unpriced == 1
    with pytest.raises(SpendStopped, match="daily_tokens"):
        reserve(journal, key=CallKey(case=8, version=1, step="draft"), estimate=free, caps=broke)


def test_callers_at_the_same_moment_never_share_the_last_call(journal: Journal) -> None:
    caps = Caps(cost=Decimal(2), calls=5, tokens=100_000)

    def one(case: int) -> bool:
        try:
            return isinstance(reserve(journal, key=CallKey(case=case, version=1, step="draft"), caps=caps), Reserved)
        except SpendStopped:
            return False

    with ThreadPoolExecutor(8) as pool:
        won = list(pool.map(one, range(1, 25)))
    assert sum(won) == 5
    assert journal.spent_today().calls == 5


def test_a_slower_attempt_never_takes_the_answer_back(journal: Journal) -> None:
    slow, quick = reserved(journal), reserved(journal)
    journal.finish(quick, "here", USED)
    journal.failed(slow, "timed out", paid=True)
    assert reserve(journal) == Done("here")
    assert journal.spent_today().tokens == 110 + 150


def test_a_version_without_calls_cost_nothing(journal: Journal) -> None:
    assert journal.cost(99, 1) == "0"


def test_caps_are_read_as_the_settings_write_them() -> None:
    assert Caps.parse("2.00 USD", 500, 1_000_000) == Caps(cost=Decimal("2.00"), calls=500, tokens=1_000_000)
    assert Caps.parse(" 1.5  eur ", 1, 1).currency == "EUR"


@pytest.mark.parametrize("text", ["", "two USD", "2.00", "-1 USD", "NaN USD", "inf USD", "2 dollars"])
def test_a_cap_that_is_no_amount_names_the_setting(text: str) -> None:
    with pytest.raises(NeedsOwner, match=r"model\.daily_cost"):
        Caps.parse(text, 1, 1)
