"""What is proposed beside a draft: shown with every argument, struck out by words, done once after the mail."""

from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.house.test_files import version
from tests.proposing import PLUGIN
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    (built.home / "plugins").mkdir()
    (built.home / "plugins" / "printer.py").write_text(PLUGIN)
    yield built
    built.close()


def start(house: House, *, may_end: bool = False) -> None:
    house.start(("-m", "tests.proposing"), (), may_end=may_end)


def orders(house: House) -> list[str]:
    book = house.home / "orders.txt"
    return book.read_text().splitlines() if book.exists() else []


def outcomes(house: House) -> list[tuple[str, str, str]]:
    with house.ledger() as ledger:
        return list(ledger.errands_of(1))


def notices(house: House, words: str) -> list[str]:
    mails = [mime.parse(stored.content) for stored in house.user.messages()]
    return [mail.text for mail in mails if words in mail.text]


def closed(house: House) -> bool:
    with house.ledger() as ledger:
        return ledger.case(1).stage == "closed"


def asks_for(house: House, what: str) -> None:
    house.client_writes(1, body=f"Hi Ada,\n\nplease print {what}, we need it soon.\n\nMaria\n")


def test_it_is_shown_with_every_argument_and_done_once_after_the_yes(house: House) -> None:
    start(house)
    asks_for(house, "posters")
    asked = version(house, "1.1")
    line = 'Does after the yes: print1: Orders prints of posters (order_print, write: what "posters", copies 2)'
    assert line in asked.text
    assert orders(house) == []
    house.owner_answers(asked, "ok, without print2")
    house.wait_sent(1)
    until(lambda: closed(house), what="the case to end")
    (order,) = orders(house)
    assert order.startswith("posters 2 ")
    assert order.endswith("-1-2-print1")
    assert outcomes(house) == [("order_print", "done", "ordered 2 of posters")]


def test_a_no_does_nothing(house: House) -> None:
    start(house)
    asks_for(house, "posters")
    house.owner_answers(version(house, "1.1"), "no")
    until(lambda: closed(house), what="the case to end")
    assert orders(house) == []
    assert outcomes(house) == []


def test_what_fails_is_told_in_one_sentence_and_the_mail_has_left(house: House) -> None:
    start(house)
    asks_for(house, "nothing")
    house.owner_answers(version(house, "1.1"), "ok, without print2")
    house.wait_sent(1)
    until(lambda: closed(house), what="the case to end")
    (told,) = until(lambda: notices(house, "This was not done"))
    assert "This was not done: Orders prints of nothing. ValueError: the printer refuses that" in told


def test_what_was_begun_when_the_service_died_is_told_and_never_done_again(house: House) -> None:
    start(house)
    asks_for(house, "the last thing")
    house.owner_answers(version(house, "1.1"), "ok, without print2")
    until(house.ended, what="the tool to end the service")
    assert len(orders(house)) == 1
    start(house)
    until(lambda: closed(house), what="the case to end")
    (told,) = until(lambda: notices(house, "not known whether this was done"))
    assert "Deskhand was stopped while it was being done. It is not tried again; please look." in told
    assert len(orders(house)) == 1
    assert [state for _, state, _ in outcomes(house)] == ["unknown"]
    assert len(house.sent_to_clients()) == 1
