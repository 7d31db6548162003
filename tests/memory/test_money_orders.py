"""The owner's word about money and bids: by mail and at the machine, once each, in a real ledger and a real house."""

from dataclasses import replace
from datetime import date, datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from memory.money.dues import DueTerms
from memory.money.holds import holds_of
from memory.record.events import Beginning, begin
from memory.record.schema import cases, from_json, reading, to_json, transaction
from tests.ledgers import OWNER, House, mail
from workflows.models.case import CaseState
from workflows.models.mail import Address
from workflows.models.money import Invoice, Money
from workflows.models.orders import Disputed, Ended, Paid, Promised, ResumeChasing, StopChasing
from workflows.rules.text.money import format_money

ACME, BETA = "billing@acme.example", "ap@beta.example"
FRIDAY = datetime(2026, 11, 27, 9, 0, tzinfo=ZoneInfo("Europe/Berlin"))


def owed(number: str = "2026-014", minor: int = 50_000, name: str = "Acme GmbH", email: str = ACME) -> Invoice:
    return Invoice(
        number=number, name=name, email=email, due=date(2026, 11, 9), amount=Money(minor=minor, currency="EUR")
    )


@pytest.fixture
def house(tmp_path: Path) -> House:
    made = House(tmp_path / "home")
    listed = (owed(), owed("2026-015", 30_000), owed("B-7", 9_900, "Beta AG", BETA))
    made.ledger.keep_invoices("csv:a.csv", listed, complete=True, read_at=made.clock.now())
    return made


def told(house: House, order, key: str = "k"):
    return house.ledger.carry_out(key, order, house.clock.now())


def balance(house: House, number: str = "2026-014") -> int:
    found = house.ledger.invoice(number)
    assert found is not None
    return found.balance.minor


def holds(house: House, number: str = "2026-014") -> list[tuple[str, str]]:
    found = house.ledger.invoice(number)
    assert found is not None
    with reading(house.engine) as connection:
        return [(hold.kind, hold.number) for hold in holds_of(connection, found.client)]


def news(house: House, case: int) -> list[str]:
    return [event.ends for event in house.ledger.undelivered() if event.kind == "news" and event.case == case]


# ---------------------------------------------------------------- paid


@pytest.mark.parametrize(
    ("amount", "left"), [("", 0), ("500 EUR", 0), ("200", 30_000), ("200,50 \u20ac", 29_950), ("EUR 1.00", 49_900)]
)
def test_paid_takes_off_what_came_in(house: House, amount: str, left: int) -> None:
    done = told(house, Paid(what="2026-014", amount=amount))
    assert done.ok
    assert balance(house) == left
    assert "2026-015" in done.says  # what Acme still owes


@pytest.mark.parametrize("what", ["2026-014", "2026014", "2026-14-x", "Beta", "beta.example", BETA])
def test_an_invoice_is_named_by_its_number_or_by_whoever_owes_it_alone(house: House, what: str) -> None:
    done = told(house, Paid(what=what))
    assert done.ok == (what != "2026-14-x")
    settled = {"2026-014": balance(house), "B-7": balance(house, "B-7")}
    expected = {"2026-014": 0} if what.startswith("2026") and done.ok else {"B-7": 0} if done.ok else {}
    assert {number for number, left in settled.items() if not left} == set(expected)


@pytest.mark.parametrize(
    ("order", "why"),
    [
        (Paid(what="9999"), "no invoice"),
        (Paid(what="Acme"), "owes several"),
        (Paid(what="2026-014", amount="500 USD"), "not in EUR"),
        (Paid(what="2026-014", amount="1,234"), "two readings"),
        (Paid(what="2026-014", amount="a lot"), "not one amount"),
        (Paid(what="2026-014", amount="0"), "Nothing came in"),
        (Promised(what="nobody", until=FRIDAY), "no invoice"),
        (StopChasing(client="nobody"), "no client"),
        (ResumeChasing(client="nobody"), "no client"),
        (Ended(case=99, result="won"), "no case 99"),
    ],
)
def test_what_cannot_be_done_is_said_and_changes_nothing(house: House, order, why: str) -> None:
    done = told(house, order)
    assert not done.ok
    assert why in done.says
    assert (balance(house), balance(house, "2026-015"), balance(house, "B-7")) == (50_000, 30_000, 9_900)
    assert holds(house) == []


def test_an_order_is_carried_out_once(house: House) -> None:
    first = told(house, Paid(what="2026-014", amount="100"))
    assert told(house, Paid(what="2026-014", amount="100")) == first
    assert balance(house) == 40_000
    told(house, Paid(what="2026-014", amount="100"), "another")
    assert balance(house) == 30_000


def test_paid_ends_the_waiting_chase_and_more_than_is_owed_is_said(house: House) -> None:
    (acme, beta) = house.ledger.open_due(OWNER, DueTerms()).opened
    told(house, Paid(what="2026-014"), "a")
    told(house, Paid(what="2026-015"), "b")
    assert "paid" in news(house, acme.case)
    assert news(house, beta.case) == []
    done = told(house, Paid(what="B-7", amount="100"), "c")
    assert format_money(Money(minor=100, currency="EUR")) in done.says
    assert told(house, Paid(what="B-7"), "d").says.endswith("nothing was changed.")


# ---------------------------------------------------------------- promised, disputed, chased


def test_a_promise_the_owner_heard_of_holds(house: House) -> None:
    done = told(house, Promised(what="2026-014", until=FRIDAY))
    assert done.ok
    assert "27 Nov 2026" in done.says
    assert holds(house) == [("promise", "2026-014")]
    told(house, Promised(what="Acme", until=FRIDAY), "b")
    assert ("promise", "") in holds(house)


def test_a_dispute_holds_until_the_owner_says_chase(house: House) -> None:
    done = told(house, Disputed(what="2026-014", reason="they say 10 hours"))
    assert done.ok
    assert "10 hours" in done.says
    assert "chase" in done.says
    assert holds(house) == [("dispute", "2026-014")]
    assert told(house, ResumeChasing(client="2026-014"), "b").ok
    assert holds(house) == []


def test_stop_chasing_and_chase_again(house: House) -> None:
    opened = house.ledger.open_due(OWNER, DueTerms()).opened
    acme = next(one for one in opened if "2026-014" in one.numbers)
    assert told(house, StopChasing(client="Acme"), "a").ok
    assert news(house, acme.case) == ["stopped"]
    assert [kind for kind, _ in holds(house)] == ["stopped"]
    assert told(house, ResumeChasing(client="acme.example"), "b").ok
    assert holds(house) == []


# ---------------------------------------------------------------- bids


def bid(house: House, stage: str = "placed", outcome: str = "", client: str = "") -> int:
    with transaction(house.engine) as connection:
        beginning = Beginning(kind="bid", event="lead", key=f"lead:{stage}{outcome}", title="A post", client=client)
        case = begin(connection, house.clock, beginning)
        state = from_json(CaseState, connection.execute(cases.select().where(cases.c.number == case)).one().state)
        after = replace(state, stage=stage, outcome=outcome)
        closed = {"closed_at": house.clock.now()} if stage == "closed" else {}
        connection.execute(
            update(cases).where(cases.c.number == case).values(state=to_json(after), stage=stage, **closed)
        )
    return case


@pytest.mark.parametrize("result", ["won", "lost", "no-answer"])
def test_how_a_bid_ended_is_told_to_its_case_and_remembered(house: House, result) -> None:
    event = house.receive(mail("Are you free?", senders=(Address(email="nora@post.example", name="Nora"),)))
    assert event is not None
    case = bid(house, client=event.client)
    done = told(house, Ended(case=case, result=result, reason="they liked it"))
    assert done.ok
    assert news(house, case) == [result]
    (remembered,) = [one for one in house.ledger.documents(event.client) if one.id.startswith("result:")]
    assert "they liked it" in remembered.text
    assert remembered.case == case
    assert told(house, Ended(case=case, result=result, reason="they liked it")) == done


@pytest.mark.parametrize(
    ("stage", "outcome", "why"),
    [("waiting", "", "has not left yet"), ("closed", "rejected", "never left"), ("closed", "lost", "")],
)
def test_only_a_bid_that_left_can_end(house: House, stage: str, outcome: str, why: str) -> None:
    case = bid(house, stage, outcome)
    done = told(house, Ended(case=case, result="won"))
    assert done.ok == (not why)
    assert why in done.says
    assert news(house, case) == []


def test_a_case_that_is_no_bid_does_not_end_so(house: House) -> None:
    event = house.receive(mail("Hello"))
    assert event is not None
    assert "is no bid" in told(house, Ended(case=event.case, result="won")).says
