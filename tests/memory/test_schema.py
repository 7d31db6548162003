"""The ledger file: made once, completed when it is older, left alone when it is newer, told when it is broken."""

import sqlite3
import stat
import subprocess
import sys
import time
from datetime import UTC, datetime, timedelta, timezone
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from memory.record.schema import VERSION, cursors, meta, open_engine, reading, transaction
from tests.ledgers import House, mail
from workflows.errors import NeedsOwner

COLUMN = "told"


def test_a_new_ledger_is_readable_by_the_owner_alone_and_durable(tmp_path):
    engine = open_engine(tmp_path / "ledger.sqlite")
    assert stat.S_IMODE((tmp_path / "ledger.sqlite").stat().st_mode) == 0o600
    with engine.connect() as connection:
        pragmas = {
            name: connection.exec_driver_sql(f"PRAGMA {name}").scalar() for name in ("journal_mode", "synchronous")
        }
        assert pragmas == {"journal_mode": "wal", "synchronous": 2}
        assert connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar() == str(VERSION)


def test_a_newer_ledger_is_refused_and_not_touched(tmp_path):
    path = tmp_path / "ledger.sqlite"
    with sqlite3.connect(path) as plain:
        plain.execute("CREATE TABLE meta (key TEXT PRIMARY KEY, value TEXT NOT NULL)")
        plain.execute("INSERT INTO meta VALUES ('schema', ?)", (str(VERSION + 1),))
    with pytest.raises(NeedsOwner, match="newer Deskhand") as caught:
        open_engine(path)
    assert "Update Deskhand" in caught.value.mend
    with sqlite3.connect(path) as plain:
        assert plain.execute("SELECT name FROM sqlite_master WHERE type = 'table'").fetchall() == [("meta",)]


def test_an_older_ledger_gets_the_columns_and_tables_it_lacks(tmp_path):
    house = House(tmp_path / "home")
    event = house.receive(mail())
    house.engine.dispose()
    with sqlite3.connect(house.folder / "ledger.sqlite") as plain:
        plain.execute(f"ALTER TABLE seen DROP COLUMN {COLUMN}")
        plain.execute("DROP TABLE notes")
    again = House(tmp_path / "home")
    assert again.ledger.undelivered() == (event,)
    again.ledger.quarantine("b" * 64, "mail", "broken", "", "")
    assert len(again.ledger.untold_quarantine()) == 1
    again.ledger.note(event.case, "works")
    assert again.ledger.story(event.case).notes[0].what == "works"


@pytest.mark.parametrize("content", [b"this is no database at all" * 100, b"SQLite format 3\x00" + b"\xff" * 4000])
def test_a_file_that_is_no_ledger_is_told_and_kept(tmp_path, content):
    path = tmp_path / "ledger.sqlite"
    path.write_bytes(content)
    with pytest.raises(NeedsOwner, match="is damaged"):
        open_engine(path)
    assert path.read_bytes() == content


def test_a_home_that_is_not_there_is_told(tmp_path):
    with pytest.raises(NeedsOwner, match="cannot be opened"):
        open_engine(tmp_path / "nowhere" / "ledger.sqlite")


def test_times_are_kept_in_utc_and_never_without_a_zone(tmp_path):
    engine = open_engine(tmp_path / "ledger.sqlite")
    there = datetime(2026, 11, 23, 12, 0, tzinfo=timezone(timedelta(hours=9)))
    row = {"folder": "INBOX", "uidvalidity": 1, "last_uid": 1}
    with transaction(engine) as connection:
        connection.execute(insert(cursors).values(**row, last_date=there))
    with reading(engine) as connection:
        kept = connection.execute(select(cursors.c.last_date)).scalar()
    assert (kept, kept.tzinfo) == (there, UTC)
    with pytest.raises(Exception, match="without a zone"), transaction(engine) as connection:
        connection.execute(insert(cursors).values(**(row | {"folder": "x"}), last_date=there.replace(tzinfo=None)))


def test_processes_that_make_the_same_ledger_at_once_all_succeed(tmp_path):
    code = (
        "import sys; from pathlib import Path; from tests.ledgers import House; "
        "print(House(Path(sys.argv[1])).ledger.home())"
    )
    running = [
        subprocess.Popen(
            [sys.executable, "-c", code, str(tmp_path / "home")],
            cwd=Path(__file__).parents[2], stdout=subprocess.PIPE, stderr=subprocess.PIPE,
        )
        for _ in range(4)
    ]  # fmt: skip
    results = [(*process.communicate(timeout=60), process.returncode) for process in running]
    assert [code for _, _, code in results] == [0] * 4, results
    assert len({out for out, _, _ in results}) == 1


def test_opening_again_is_quick(tmp_path):
    open_engine(tmp_path / "ledger.sqlite").dispose()
    taken = []
    for _ in range(5):
        start = time.process_time()
        open_engine(tmp_path / "ledger.sqlite").dispose()
        taken.append(time.process_time() - start)
    assert min(taken) < 0.2  # measured: about 15 ms
