"""Errands on a real ledger, and the entry in a calendar on a real CalDAV server: once each, and nobody is named."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.cases.errands import Errands
from tests.approved import Desk
from tests.servers.radicale import RadicaleServer
from tests.tools.test_calendars import dav
from tools.calendar.booking import CalendarBooking
from tools.calendar.events import expanded
from tools.errands import ErrandRunner
from tools.plugins import Tool
from workflows.errors import Permanent, Retryable
from workflows.models.decisions import Approve
from workflows.models.proposals import Argument, Proposal

BEGINS, ENDS = "2026-12-03T10:00+01:00", "2026-12-03T10:30+01:00"
BOOKING = Proposal(
    key="booking", tool="calendar.book", permission="write", says="Books the kick-off call",
    arguments=(("begins", BEGINS), ("ends", ENDS), ("title", "Kick-off, Größe; and so on " * 4)),
)  # fmt: skip


@pytest.fixture
def server(tmp_path: Path) -> Iterator[RadicaleServer]:
    with RadicaleServer(tmp_path / "dav") as running:
        running.put("work", "other", "BEGIN:VCALENDAR\r\nVERSION:2.0\r\nPRODID:x\r\nEND:VCALENDAR\r\n")
        yield running


def entries(server: RadicaleServer) -> list[bytes]:
    folder = server._folder / "collections" / "collection-root" / "ada" / "work"
    return [path.read_bytes() for path in folder.glob("*.ics") if path.stem != "other"]


def left(desk: Desk, *proposals: Proposal) -> None:
    """Version 41.1 with these proposals is approved and has left."""
    outgoing = desk.version(proposals=proposals)
    desk.answer(outgoing, Approve())
    intent = desk.enqueue(outgoing)
    desk.claim(intent)
    desk.ledger.committing(intent)
    desk.ledger.sent(intent, "250 ok", "", desk.clock.now())


def runner(desk: Desk, **parts) -> ErrandRunner:
    return ErrandRunner(ledger=Errands(desk.engine, desk.clock), tools=parts.pop("tools", dict), **parts)


async def test_a_time_is_entered_once_and_the_entry_names_nobody(tmp_path: Path, server: RadicaleServer) -> None:
    desk = Desk(tmp_path / "home")
    left(desk, BOOKING)
    booking = CalendarBooking(dav(server.url, server.password), desk.clock)
    run = runner(desk, booking=lambda: booking)
    assert await asyncio.gather(*(run.carry_out(41, 1, "booking") for _ in range(3))) == ["", "", ""]
    (entry,) = entries(server)
    assert b"ATTENDEE" not in entry
    assert b"ORGANIZER" not in entry
    assert b"deskhand" not in entry.lower().replace(b"//deskhand//", b"")
    day = datetime(2026, 12, 3, tzinfo=UTC)
    spans = expanded((entry,), day, day + timedelta(days=1), "Europe/Berlin", frozenset()).spans
    assert [(span.start.isoformat(), span.end.isoformat()) for span in spans] == [
        ("2026-12-03T09:00:00+00:00", "2026-12-03T09:30:00+00:00")
    ]
    await booking.book("the same key", dict(BOOKING.arguments))
    await booking.book("the same key", dict(BOOKING.arguments))
    assert len(entries(server)) == 2


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        ({"begins": BEGINS, "ends": BEGINS}, "ends before it begins"),
        ({"begins": "Thursday", "ends": ENDS}, "is no time such as"),
        ({"begins": "2026-12-03T10:00", "ends": ENDS}, "says no time zone"),
        ({"begins": BEGINS, "ends": ENDS, "attendee": "maria@studio.example"}, "has no attendee"),
    ],
)
async def test_what_is_no_entry_is_refused(tmp_path: Path, arguments: dict[str, Argument], why: str) -> None:
    booking = CalendarBooking(dav("http://127.0.0.1:9/", "x"), Desk(tmp_path / "home").clock)
    with pytest.raises(Permanent, match=why):
        await booking.book("k", arguments)


async def test_nothing_is_done_before_the_mail_has_left_nor_what_was_not_approved(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    desk.approved(proposals=(BOOKING,))
    with pytest.raises(Permanent, match="has not left"):
        await runner(desk).carry_out(41, 1, "booking")
    other = Desk(tmp_path / "other")
    left(other, BOOKING)
    with pytest.raises(Permanent, match="proposes nothing of that name"):
        await runner(other).carry_out(41, 1, "another")


async def test_what_cannot_be_done_says_why(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    gone = Proposal(key="order", tool="order_print", permission="write", says="Orders prints")
    left(desk, BOOKING, gone)
    assert "No calendar can be written to. Name one with caldav" in await runner(desk).carry_out(41, 1, "booking")
    assert "This was not done: Orders prints." in await runner(desk).carry_out(41, 1, "order")


@pytest.mark.parametrize("fault", [Retryable("cal.example broke off."), TimeoutError()])
async def test_what_broke_off_is_unknown_and_never_tried_again(tmp_path: Path, fault: Exception) -> None:
    desk, calls = Desk(tmp_path / "home"), []

    def order() -> str:
        """Order something."""
        calls.append("order")
        raise fault

    tool = Tool(name="order", permission="send", plugin="p", function=order, says="")
    left(desk, Proposal(key="order", tool="order", permission="send", says="Orders it."))
    run = runner(desk, tools=lambda: {"order": tool})
    for _ in range(2):
        told = await run.carry_out(41, 1, "order")
        assert told.startswith("It is not known whether this was done: Orders it.")
    assert calls == ["order"]


async def test_a_tool_whose_permission_is_another_one_is_not_used(tmp_path: Path) -> None:
    desk = Desk(tmp_path / "home")
    tool = Tool(name="order", permission="send", plugin="p", function=print, says="")
    left(desk, Proposal(key="order", tool="order", permission="write"))
    assert "There is no tool order any more" in await runner(desk, tools=lambda: {"order": tool}).carry_out(
        41, 1, "order"
    )
