"""The standing yes in the ledger: given, and gone for good with the first edit or no, however many approvals follow."""

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ledgers import House, mail
from workflows.models import Address, Allow, Disallow


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def end(house: House, outcome: str) -> None:
    """One more case of the client that ends so."""
    house.clock.move(minutes=1)
    number = house.clock.now().isoformat()
    event = house.receive(mail(f"Question {number}", senders=(Address(email="maria@studio.example"),)))
    assert event is not None
    state = house.ledger.case(event.case)
    house.clock.move(minutes=1)
    house.ledger.close_case(replace(state, stage="closed", outcome=outcome, version=1))


def allow(house: House, key: str) -> bool:
    return house.ledger.carry_out(key, Allow(what="reply"), house.clock.now()).ok


def test_a_no_ends_it_until_the_owner_allows_it_anew(house: House) -> None:
    assert not allow(house, "too early")
    end(house, "sent")
    assert allow(house, "first")
    assert house.ledger.stands_for("reply")
    end(house, "expired")
    end(house, "sent")
    assert house.ledger.stands_for("reply")
    end(house, "rejected")
    assert not house.ledger.stands_for("reply")
    end(house, "sent")
    assert not house.ledger.stands_for("reply")
    assert allow(house, "second")
    assert house.ledger.stands_for("reply")


def test_it_takes_so_many_in_a_row_as_the_settings_say_and_else_ten(tmp_path: Path):
    for auto_after, needed in ((3, 3), (0, 10)):
        house = House(tmp_path / str(needed), auto_after=auto_after)
        for number in range(needed):
            refused = house.ledger.carry_out(f"early {number}", Allow(what="reply"), house.clock.now())
            assert not refused.ok
            assert f"{needed - number} more are to come" in refused.says
            end(house, "sent")
        end(house, "rejected")
        assert not allow(house, "after a no")
        for _ in range(needed):
            end(house, "sent")
        assert allow(house, "at last")
        assert house.ledger.stands_for("reply")


def test_when_a_case_ended_is_kept_with_its_zone(house: House) -> None:
    end(house, "sent")
    (row,) = house.ledger.case_rows()
    assert row.closed_at == house.clock.now()


def test_taken_back_the_row_is_counted_anew_the_same_day(house: House) -> None:
    end(house, "sent")
    assert allow(house, "first")
    house.clock.move(minutes=1)
    house.ledger.carry_out("back", Disallow(what="reply"), house.clock.now())
    assert not allow(house, "second")
    end(house, "sent")
    assert not house.ledger.stands_for("reply")
    assert len(house.ledger.row_of_approvals("reply")) == 1
    assert allow(house, "third")
