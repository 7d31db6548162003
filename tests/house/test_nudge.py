"""Reminders, expiry, absences and what comes too late, at the real mailbox."""

from collections.abc import Iterable, Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.desk.orders import AWAY
from memory.ledger import Ledger
from memory.record.blobs import Blobs
from memory.record.schema import open_engine
from tests.house.running import House, until
from tests.house.test_digest import PEOPLE, ZONE, Home, outcome, soon, waiting, write_from
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from workflows.models.case import CaseState
from workflows.models.orders import Away, Back
from workflows.models.people import Owner

NOW = datetime(2026, 11, 23, 9, 0, tzinfo=UTC)


@pytest.fixture
def home(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[Home]:
    built = Home(tmp_path / "home", mailbox, smtp_server)
    yield built
    for house in built.houses:
        house.close()


def test_all_reminders_that_are_due_come_in_one_mail_once_and_are_answered_by_number(home: Home) -> None:
    house = home.open()
    cases = write_from(house, PEOPLE[:3])
    singles = house.wait_approvals(3)
    house = home.open(nudge_after="1s", nudge_at=soon(6))
    nudge = house.wait_approvals(4)[-1]
    assert nudge.subject.startswith("3 still wait for your answer: Client ")
    assert nudge.subject.endswith(" [Deskhand reminder 1]")
    for case in cases.values():
        assert f"----- draft {case}.1 begins -----" in nudge.text
    a, b, c = (cases[person.email] for person in PEOPLE[:3])
    house.owner_answers(nudge, f"{a} ok, {b} no")
    (sent,) = house.wait_sent(1)
    assert sent.recipients == ("a@a.example",)
    until(lambda: outcome(house, b) == "rejected", what="the no")
    # The mail about one case still answers the same row.
    asked = next(mail for mail in singles if mail.header("x-deskhand-case") == f"{c}.1")
    # Another hour of reminders: what was named once is not named again.
    house = home.open(nudge_after="1s", nudge_at=soon(5))
    until(lambda: slot_passed(house, "nudge"), what="the next round")
    assert len(house.approvals()) == 4
    house.owner_answers(asked, "ok")
    house.wait_sent(2)
    assert house.notices() == []


def slot_passed(house: House, kind: str) -> bool:
    """Whether the round of the moment in the settings has been made."""
    with house.ledger() as ledger:
        at = datetime.fromisoformat(ledger.get_meta(f"{kind}_slot") or "").astimezone(ZONE)
        return datetime.now(UTC) - at < timedelta(seconds=20)


def test_a_reminder_of_one_case_takes_the_plain_words(home: Home) -> None:
    house = home.open()
    write_from(house, PEOPLE[:1])
    house.wait_approvals(1)
    house = home.open(nudge_after="1s", nudge_at=soon(6))
    nudge = house.wait_approvals(2)[-1]
    house.owner_answers(nudge, "ok")
    (sent,) = house.wait_sent(1)
    assert sent.recipients == ("a@a.example",)
    assert house.notices() == []


def test_what_expired_is_told_in_one_mail_and_an_ok_shows_it_again(home: Home) -> None:
    house = home.open(digest_at=[soon(-3600)])
    cases = write_from(house, PEOPLE[:2])
    singles = {mail.header("x-deskhand-case"): mail for mail in house.wait_approvals(2)}
    house.close()
    expire(house, cases.values())
    house = home.open()
    (told,) = until(house.notices, 150, "the notice")  # two rounds: the first may find one still closing
    assert told.subject.startswith("2 cases expired: nothing was sent")
    assert "- Client A <a@a.example>: " in told.text
    assert "- Client B <b@b.example>: " in told.text
    a = cases["a@a.example"]
    house.owner_answers(singles[f"{a}.1"], "ok")
    shown = house.wait_approvals(3)[-1]
    assert f"Again: Case {a} had expired before your answer came, and nothing was sent." in shown.text
    assert house.sent_to_clients() == []
    with house.ledger() as ledger:
        again = waiting(house)["a@a.example"]
        assert ledger.outgoing(again, 1).body == ledger.outgoing(a, 1).body
    house.owner_answers(shown, "ok")
    (sent,) = house.wait_sent(1)
    assert sent.recipients == ("a@a.example",)
    assert len(house.notices()) == 1


def expire(house: House, numbers: Iterable[int]) -> None:
    """As if the owner's working days were over: the cases are taken up afresh from the ledger."""
    with house.ledger() as ledger:
        for number in numbers:
            state = ledger.case(number)
            ledger.save_case(replace(state, expires_at=datetime.now(UTC) - timedelta(days=1)))
    for file in house.home.glob("temporal.sqlite*"):
        file.unlink()


def test_no_reminders_while_away_and_the_clock_goes_on_where_it_stood(home: Home) -> None:
    house = home.open()
    write_from(house, PEOPLE[:1])
    house.wait_approvals(1)
    house.close()
    with house.ledger() as ledger:
        ledger.set_meta(AWAY, (datetime.now(UTC) + timedelta(days=3)).isoformat())
    house = home.open(nudge_after="1s", nudge_at=soon(4))
    moment = datetime.now(UTC) + timedelta(seconds=6)
    until(lambda: datetime.now(UTC) > moment, what="the hour of reminders")
    assert len(house.approvals()) == 1
    with house.ledger() as ledger:
        assert ledger.is_away()
        ledger.set_meta(AWAY, "")
    house = home.open(nudge_after="1s", nudge_at=soon(6))
    house.wait_approvals(2)
    with house.ledger() as ledger:
        assert not ledger.is_away()


# ---------------------------------------------------------------- the ledger's clocks


class Clock:
    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[tuple[Ledger, Clock]]:
    clock = Clock()
    engine = open_engine(tmp_path / "ledger.sqlite")
    owner = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin")
    yield Ledger(engine, owner, clock, Blobs(tmp_path / "blobs")), clock
    engine.dispose()


def test_absences_do_not_count_and_end_by_themselves_or_by_coming_back(desk: tuple[Ledger, Clock]) -> None:
    ledger, clock = desk
    state = CaseState(case=1, asked_at=NOW, expires_at=NOW + timedelta(days=7))
    assert ledger.lapses_at(state) == NOW + timedelta(days=7)
    clock.time = NOW + timedelta(days=1)
    ledger.carry_out("a", Away(until=NOW + timedelta(days=4)), clock.time)
    ledger.observe_absence()
    clock.time = NOW + timedelta(days=2)
    ledger.observe_absence()
    assert ledger.is_away()
    assert ledger.absent_since(NOW) == timedelta(days=1)
    # Away: looked at again within hours, since the owner may come back early.
    assert ledger.lapses_at(state) == clock.time + timedelta(hours=6)
    clock.time = NOW + timedelta(days=6)  # the service was down when the absence ended
    ledger.observe_absence()
    assert not ledger.is_away()
    assert ledger.absent_since(NOW) == timedelta(days=3)
    assert ledger.absent_since(NOW + timedelta(days=3)) == timedelta(days=1)
    assert ledger.lapses_at(state) == NOW + timedelta(days=10)
    ledger.carry_out("b", Away(until=NOW + timedelta(days=20)), clock.time)
    ledger.observe_absence()
    clock.time = NOW + timedelta(days=8)
    ledger.carry_out("c", Back(), clock.time)
    ledger.observe_absence()
    assert ledger.absent_since(NOW) == timedelta(days=5)
    assert ledger.lapses_at(state) == NOW + timedelta(days=12)
