"""A later version of an invitation is known as a change, however often its case asks."""

from pathlib import Path

import pytest

from tests.ledgers import House
from workflows.rules.desk.invitations import Invitation, is_outdated, matter_of


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def review(sequence: int, recurrence: str = "", uid: str = "review") -> Invitation:
    return Invitation(method="request", uid=uid, sequence=sequence, recurrence=recurrence)


def test_the_first_is_new_and_a_higher_one_is_a_change(house: House) -> None:
    assert house.ledger.keep_invitation(1, review(0)) is None
    known = house.ledger.keep_invitation(2, review(1))
    assert known == 0
    assert matter_of(review(1), known) == "changed"
    assert house.ledger.keep_invitation(2, review(1)) == 0
    assert house.ledger.keep_invitation(1, review(0)) is None


def test_one_that_was_overtaken_is_outdated(house: House) -> None:
    house.ledger.keep_invitation(1, review(3))
    assert is_outdated(review(2), house.ledger.keep_invitation(2, review(2)))


def test_one_of_many_follows_all_of_them_and_not_its_neighbours(house: House) -> None:
    house.ledger.keep_invitation(1, review(1))
    assert house.ledger.keep_invitation(2, review(2, "20260312T090000Z")) == 1
    assert house.ledger.keep_invitation(3, review(2, "20260319T090000Z")) == 1
    assert house.ledger.keep_invitation(4, review(3)) == 1
    assert house.ledger.keep_invitation(5, review(0, uid="lunch")) is None
