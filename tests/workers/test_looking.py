"""What `status` and `cases` list: all that is open however old, what waits, why something is held."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import update

from memory import views
from memory.record.schema import cases, to_json, transaction
from tests.ledgers import House, mail
from workers.clock import SystemClock
from workers.commands import bench, reading
from workers.voice.output import WIDTH, Output, columns, shorten, table
from workflows.models.case import CaseState

BERLIN = ZoneInfo("Europe/Berlin")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def waits(house: House, *, shown: bool = True, **changes: object) -> CaseState:
    """A case that waits for the owner, shown in a mail of its own unless told otherwise."""
    number = len(house.ledger.case_rows(1000)) + 1
    event = house.receive(mail(f"Question {number}", message_id=f"<q{number}@studio.example>"))
    assert event is not None
    state = replace(house.ledger.case(event.case), stage="waiting", version=1, round=1, **changes)
    keep(house, state)
    if shown:
        house.sent_row(intent=f"ask:{state.case}.1:1", purpose="approval", case=state.case, version=1)
    return state


def keep(house: House, state: CaseState) -> None:
    closed = house.clock.now() if state.stage == "closed" else None
    values = {"state": to_json(state), "stage": state.stage, "closed_at": closed}
    with transaction(house.engine) as connection:
        connection.execute(update(cases).where(cases.c.number == state.case).values(**values))


# ---------------------------------------------------------------- listing


def test_open_cases_are_listed_however_many_closed_ones_are_newer(house: House) -> None:
    old = waits(house)
    for _ in range(5):
        keep(house, replace(waits(house), stage="closed", outcome="sent"))
    newer = waits(house)
    listed = views.cases(house.engine, BERLIN, 2, only_open=True)
    assert [one["case"] for one in listed] == [newer.case, old.case]
    assert [one["case"] for one in views.cases(house.engine, BERLIN, 1, only_open=True)] == [newer.case]
    assert len(views.cases(house.engine, BERLIN, 3)) == 3


def test_that_no_case_is_open_is_not_said_as_that_there_are_none(
    house: House, capsys: pytest.CaptureFixture[str]
) -> None:
    reading.cases(Output(house.folder), 50, only_open=True)
    reading.cases(Output(house.folder), 50, only_open=False)
    assert capsys.readouterr().out == "No case is open.\nThere are no cases yet.\n"


# ---------------------------------------------------------------- what waits


def test_what_is_put_off_or_was_never_shown_does_not_wait(house: House) -> None:
    shown, unshown = waits(house), waits(house, shown=False)
    later = waits(house, later_until=house.clock.now() + timedelta(days=2))
    facts = views.status(house.engine, BERLIN, SystemClock())
    for key, state in (("waiting", shown), ("unshown", unshown), ("later", later)):
        assert [one["case"] for one in facts[key]] == [state.case], key
    assert house.ledger.others_waiting(case=0) == 1
    assert house.ledger.others_waiting(shown.case) == 0


def test_what_a_digest_showed_waits(house: House) -> None:
    state = waits(house, shown=False)
    house.ledger.open_digests("digest", [[state]], house.clock.now())
    assert [one["case"] for one in views.status(house.engine, BERLIN, SystemClock())["waiting"]] == [state.case]
    assert house.ledger.others_waiting(case=0) == 1


def test_status_says_each_where_it_belongs(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    waits(house)
    waits(house, shown=False)
    waits(house, later_until=house.clock.now() + timedelta(days=2))
    reading.status(Output(house.folder))
    said = capsys.readouterr().out
    for title in ("Waits for your answer:\n  1.1", "Put off by you:\n  3.1", "Drafted, in the next digest:\n  2.1"):
        assert title in said
    assert ", again Wed 25 Nov 12:00" in said


# ---------------------------------------------------------------- what is held


def test_status_says_why_a_mail_is_held_and_until_when(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    until = house.clock.now() + timedelta(hours=19)
    for number, (detail, held) in enumerate(
        (("It is quiet time (20:00-07:00, limits.quiet_hours).", until), ("Everything is stopped.", None), ("", None))
    ):
        state = waits(house)
        keep(house, replace(state, stage="sending", held_until=held))
        house.sent_row(
            intent=f"send:{state.case}.1", purpose="client", case=state.case, version=1, state="approved",
            recipients=f'["c{number}@x.example"]', detail=detail,
        )  # fmt: skip
    facts = views.status(house.engine, BERLIN, SystemClock())["held"]
    assert [one["until"] for one in facts] == ["2026-11-24T08:00:00+01:00", "", ""]
    reading.status(Output(house.folder))
    said = capsys.readouterr().out
    quiet = "It is quiet time (20:00-07:00, limits.quiet_hours). Looked at again Tue 24 Nov 07:00."  # no settings: UTC
    assert f"1.1 to c0@x.example (approved, Mon 23 Nov 12:00): {quiet}" in said
    assert "2.1 to c1@x.example (approved, Mon 23 Nov 12:00): Everything is stopped.\n" in said
    assert "3.1 to c2@x.example (approved, Mon 23 Nov 12:00): just leaving.\n" in said


# ---------------------------------------------------------------- tables

LONG = "a very long text that no terminal of this world shows on one line, and it goes on and on, " * 3
WIDE = "您好请问星期四可以吗" * 12
MARKED = "e\u0301" * 300


@pytest.mark.parametrize("cell", [LONG, WIDE, MARKED, "x", ""], ids=["long", "wide", "marked", "short", "empty"])
@pytest.mark.parametrize("count", [1, 2, 5, 7, 12])
@pytest.mark.parametrize("widths", [{}, {0: 300, 1: 40, 4: 500}], ids=["none", "some"])
def test_any_table_fits_a_plain_terminal(cell: str, count: int, widths: dict[int, int]) -> None:
    rows = [tuple("HEAD" for _ in range(count)), tuple(cell for _ in range(count)), tuple("ok" for _ in range(count))]
    lines = table(rows, widths).split("\n")
    assert len(lines) == 3
    assert max(map(columns, lines)) <= WIDTH


def test_what_fits_is_shown_whole() -> None:
    rows = [("CASE", "SUBJECT"), ("1.1", "x" * 74)]
    assert table(rows, {}) == f"CASE  SUBJECT\n1.1   {'x' * 74}"
    assert table([("CASE", "SUBJECT"), ("1.1", "x" * 75)], {}).endswith("x…")


def test_a_wide_letter_is_never_cut_in_two() -> None:
    assert shorten("您好您好", 8) == "您好您好"
    assert shorten("您好您好", 7) == "您好您…"
    assert shorten("您好您好", 6) == "您好…"


def test_the_lists_of_a_full_home_fit(house: House, capsys: pytest.CaptureFixture[str]) -> None:
    for number in range(3):
        state = waits(house, reason=LONG)
        with transaction(house.engine) as connection:
            title = (LONG, WIDE, "short")[number]
            connection.execute(update(cases).where(cases.c.number == state.case).values(title=title))
    reading.cases(Output(house.folder), 50, only_open=False)
    reading.ignored(Output(house.folder), 50)
    rows = [("FIGURE", "VALUE", "FLOOR", "RATIO", "GOAL", ""), bench._row({"id": LONG, "value": 1, "ok": False})]
    Output(house.folder).text(table(rows, {}))
    assert all(columns(line) <= WIDTH for line in capsys.readouterr().out.splitlines())
