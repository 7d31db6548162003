"""Slots that drafts offer are held: while the case is open, and for some days after its mail left."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from memory.record.schema import cases, to_json, transaction
from tests.ledgers import House, mail
from workflows.models.mail import Address
from workflows.rules.desk.slots import Slot


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def case(house: House, number: int = 1) -> int:
    event = house.receive(mail(f"Question {number}", message_id=f"<q{number}@studio.example>"))
    assert event is not None
    return event.case


def close(house: House, number: int, outcome: str) -> None:
    state = replace(house.ledger.case(number), stage="closed", outcome=outcome)
    values = {"state": to_json(state), "stage": "closed", "closed_at": house.clock.now()}
    with transaction(house.engine) as connection:
        connection.execute(update(cases).where(cases.c.number == number).values(**values))


def slot(house: House, days: int) -> Slot:
    start = house.clock.now() + timedelta(days=days)
    return Slot(start=start, end=start + timedelta(minutes=30))


def test_what_an_open_draft_offers_is_held_and_a_new_version_offers_anew(house: House) -> None:
    number, first, second = case(house), slot(house, 1), slot(house, 2)
    house.ledger.hold_slots(number, 1, [first, second])
    house.ledger.hold_slots(number, 1, [first, second])
    assert house.ledger.held_slots() == (first, second)
    house.ledger.hold_slots(number, 2, [second])
    assert house.ledger.held_slots() == (second,)
    house.ledger.hold_slots(number, 3, [])
    assert house.ledger.held_slots() == ()


def test_a_client_is_not_hindered_by_what_they_were_offered(house: House) -> None:
    """What they choose may come as a case of its own: it must not be told that the time is taken."""
    rival = (Address(email="rival@other.example", name="Rival"),)
    first, second = case(house, 1), case(house, 2)
    event = house.receive(mail("Their question", senders=rival, message_id="<r@other.example>"))
    assert event is not None
    house.ledger.hold_slots(first, 1, [slot(house, 1)])
    house.ledger.hold_slots(second, 1, [slot(house, 2)])
    house.ledger.hold_slots(event.case, 1, [slot(house, 3)])
    assert house.ledger.held_slots(besides=second) == (slot(house, 3),)
    assert house.ledger.held_slots(besides=first) == (slot(house, 3),)
    assert house.ledger.held_slots(besides=event.case) == (slot(house, 1), slot(house, 2))


@pytest.mark.parametrize("outcome", ["rejected", "mine", "never", "expired"])
def test_what_was_never_sent_is_free_again(house: House, outcome: str) -> None:
    number = case(house)
    house.ledger.hold_slots(number, 1, [slot(house, 1)])
    close(house, number, outcome)
    assert house.ledger.held_slots() == ()


@pytest.mark.parametrize("outcome", ["sent", "sent-by-owner", "uncertain"])
def test_what_left_is_held_for_some_days(house: House, outcome: str) -> None:
    number, offer = case(house), slot(house, 9)
    house.ledger.hold_slots(number, 1, [offer])
    close(house, number, outcome)
    assert house.ledger.held_slots() == (offer,)
    house.clock.move(days=3, minutes=1)
    assert house.ledger.held_slots() == ()


def test_what_is_past_is_held_no_more(house: House) -> None:
    number = case(house)
    house.ledger.hold_slots(number, 1, [slot(house, 1)])
    house.clock.move(days=1, minutes=29)
    assert house.ledger.held_slots()
    house.clock.move(minutes=2)
    assert house.ledger.held_slots() == ()
