"""A time that a draft agrees to: proposed for the calendar, approved with the mail, entered once after the yes."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.house.test_files import version
from tests.servers.dovecot import DovecotUser
from tests.servers.radicale import RadicaleServer
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime

EMPTY = "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n"
DAY = (datetime.now(UTC) + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)


@pytest.fixture
def calendar(tmp_path: Path) -> Iterator[RadicaleServer]:
    with RadicaleServer(tmp_path / "dav") as running:
        running.put("work", "empty", EMPTY)
        yield running


@pytest.fixture
def house(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, calendar: RadicaleServer
) -> Iterator[House]:
    source = {"name": "work", "caldav": calendar.url, "user": calendar.user, "password": calendar.password}
    built = House(
        tmp_path / "home", mailbox, smtp_server,
        owner={"hours": "Mon-Sun 00:00-24:00", "timezone": "UTC"}, calendar={"sources": [source]},
    )  # fmt: skip
    yield built
    built.close()


def entries(calendar: RadicaleServer) -> list[str]:
    folder = calendar._folder / "collections" / "collection-root" / calendar.user / "work"
    return [path.read_text("utf-8") for path in folder.glob("*.ics") if path.stem != "empty"]


def asks_for(house: House, number: int, hour: int) -> None:
    body = f"Hi Ada,\n\ndoes {DAY:%A} at {hour}:00 work for a call?\n\nMaria\n"
    house.client_writes(number, body=body)


def closed(house: House, case: int) -> bool:
    with house.ledger() as ledger:
        return ledger.case(case).stage == "closed"


def test_it_is_entered_once_after_the_yes_and_never_without(house: House, calendar: RadicaleServer) -> None:
    house.start()
    asks_for(house, 1, 10)
    asked = version(house, "1.1")
    begins, ends = DAY.isoformat(), (DAY + timedelta(minutes=30)).isoformat()
    line = f'(calendar.book, write: begins "{begins}", ends "{ends}", title "Maria Alvarez: '
    assert line in asked.text
    assert entries(calendar) == []
    house.owner_answers(asked, "ok")
    house.wait_sent(1)
    until(lambda: closed(house, 1), what="the case to end")
    (entry,) = entries(calendar)
    assert f"DTSTART:{DAY:%Y%m%dT%H%M%SZ}" in entry
    assert "ATTENDEE" not in entry
    assert "ORGANIZER" not in entry
    with house.ledger() as ledger:
        assert [(tool, state) for tool, state, _ in ledger.errands_of(1)] == [("calendar.book", "done")]

    asks_for(house, 4, 10)  # they name it once more: it is theirs, and stands in the calendar already
    again = version(house, "2.1")
    assert "10:00-10:30 works for me." in again.text
    assert "calendar.book" not in again.text
    house.owner_answers(again, "ok")
    house.wait_sent(2)

    asks_for(house, 2, 14)  # struck out by words
    house.owner_answers(version(house, "3.1"), "ok, without booking")
    house.wait_sent(3)
    asks_for(house, 3, 16)  # the owner's own words name another time
    house.owner_answers(version(house, "4.1"), "edit! Hi Maria,\n\n17:00 would be better.\n\nAda")
    house.wait_sent(4)
    until(lambda: closed(house, 3) and closed(house, 4), what="the cases to end")
    assert len(entries(calendar)) == 1
    assert "17:00 would be better." in mime.parse(house.sent_to_clients()[-1].content).text
    assert house.stop() == 0
