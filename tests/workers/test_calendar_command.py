"""`calendar` and the probe of `check`: the calendars asked now, every fault with its mend, never a title."""

import json
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.servers.web import WebServer
from workers.__main__ import main
from workers.check import trade
from workers.check.probing import Unneeded, Warned
from workers.commands.calendar import show
from workers.settings.loading import load
from workers.voice.output import Output
from workflows.errors import NeedsOwner

SETTINGS = """
[owner]
name = "Ada Winter"
address = "ada@winter.example"
timezone = "Europe/Berlin"
hours = "Mon-Sun 00:00-24:00"
[imap]
host = "imap.winter.example"
[smtp]
host = "smtp.winter.example"
"""


def event(uid: str, start: datetime, title: str = "Lawyer") -> str:
    end = start + timedelta(hours=2)
    times = f"DTSTART:{start:%Y%m%dT%H%M%SZ}\r\nDTEND:{end:%Y%m%dT%H%M%SZ}"
    return f"BEGIN:VEVENT\r\nUID:{uid}\r\n{times}\r\nSUMMARY:{title}\r\nEND:VEVENT\r\n"


def calendar(*events: str) -> str:
    return f"BEGIN:VCALENDAR\r\nVERSION:2.0\r\n{''.join(events)}END:VCALENDAR\r\n"


TOMORROW = (datetime.now(UTC) + timedelta(days=1)).replace(hour=9, minute=0, second=0, microsecond=0)


@pytest.fixture
def home(tmp_path: Path) -> Path:
    settings(tmp_path, "")
    return tmp_path


def settings(home: Path, more: str) -> None:
    path = home / "deskhand.toml"
    path.write_text(SETTINGS + more, "utf-8")
    path.chmod(0o600)


def source(name: str, place: str) -> str:
    return f'[[calendar.sources]]\nname = "{name}"\n{place}\n'


def shown(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict]:
    code = show(Output(home, as_json=True), 7)
    return code, json.loads(capsys.readouterr().out)


def test_without_a_calendar_it_says_how_to_name_one(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main(["--home", str(home), "calendar"]) == 0
    assert "No calendar is read" in capsys.readouterr().out
    assert shown(home, capsys)[1]["configured"] is False


def test_it_lists_what_is_taken_free_and_offered_and_no_title(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "work.ics").write_text(calendar(event("1", TOMORROW)))
    settings(home, source("work", 'path = "work.ics"'))
    code, facts = shown(home, capsys)
    assert code == 0
    assert [one["start"] for one in facts["taken"]] == [TOMORROW.isoformat()]
    assert len(facts["offered"]) == 3
    spans = [(datetime.fromisoformat(one["start"]), datetime.fromisoformat(one["end"])) for one in facts["free"]]
    assert all(
        end <= TOMORROW - timedelta(minutes=15) or start >= TOMORROW + timedelta(hours=2) for start, end in spans
    )
    assert show(Output(home), 7) == 0
    text = capsys.readouterr().out
    assert "Would be offered: " in text
    assert "Lawyer" not in text + json.dumps(facts)


def test_a_calendar_that_cannot_be_read_is_said_and_nothing_is_offered(
    home: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    settings(home, source("work", 'path = "gone.ics"'))
    code, facts = shown(home, capsys)
    assert code == 1
    assert (facts["offered"], facts["free"]) == ([], [])
    assert facts["faults"][0].startswith("The calendar work cannot be read")
    assert show(Output(home), 7) == 1
    assert "No time is promised until it can be read." in capsys.readouterr().out


# ---------------------------------------------------------------- check


async def test_check_has_nothing_to_do_without_a_calendar(home: Path) -> None:
    with pytest.raises(Unneeded, match="No calendar is read"):
        await trade.probe_calendar(home, load(home))


async def test_check_asks_each_calendar(home: Path) -> None:
    (home / "work.ics").write_text(calendar(event("1", TOMORROW)))
    with WebServer() as server:
        server.put("/private.ics", calendar(event("2", TOMORROW), event("3", TOMORROW)))
        settings(home, source("work", 'path = "work.ics"') + source("home", f'url = "{server.url}/private.ics"'))
        detail = await trade.probe_calendar(home, load(home))
    assert detail == "work: 1 busy time in 14 days. home: 2 busy times in 14 days."


async def test_check_names_what_the_owner_must_mend_and_how_many_more(home: Path) -> None:
    with WebServer() as server:
        server.put("/gone.ics", status=404)
        settings(home, source("home", f'url = "{server.url}/gone.ics"') + source("work", 'path = "none.ics"'))
        with pytest.raises(NeedsOwner) as caught:
            await trade.probe_calendar(home, load(home))
    assert "The calendar home cannot be read" in caught.value.problem
    assert caught.value.problem.endswith("And 1 more.")
    assert "Copy the address" in caught.value.mend


async def test_check_notes_what_does_not_answer_now_and_single_events(home: Path) -> None:
    with WebServer() as server:
        server.put("/away.ics", status=503)
        settings(home, source("home", f'url = "{server.url}/away.ics"'))
        with pytest.raises(Warned, match=r"The calendar home cannot be read: .* answered 503"):
            await trade.probe_calendar(home, load(home))
    (home / "work.ics").write_text(calendar("BEGIN:VEVENT\r\nUID:1\r\nDTSTART:x\r\nSUMMARY:Lunch\r\nEND:VEVENT\r\n"))
    settings(home, source("work", 'path = "work.ics"'))
    with pytest.raises(Warned, match='Calendar work: The event "Lunch" is left out'):
        await trade.probe_calendar(home, load(home))


async def test_an_address_of_the_owners_own_house_is_reached_because_it_was_named(home: Path) -> None:
    """A number on the settings' own line is the owner's; where it redirects to is not."""
    with WebServer() as server, WebServer() as inside:
        inside.put("/x.ics", calendar())
        server.put("/x.ics", status=302, headers={"Location": f"{inside.url}/x.ics"})
        settings(home, source("work", f'url = "{server.url}/x.ics"'))
        with pytest.raises(Warned, match="The calendar work cannot be read"):
            await trade.probe_calendar(home, load(home))
        assert inside.requests == []
