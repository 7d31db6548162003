"""The measurements under bench/: one really run, the figures' shape, and the sums they are made of."""

import importlib
import json
import random
import subprocess
import sys
from datetime import timedelta
from pathlib import Path

import pytest

from bench import _figures as figures
from bench._attacks import attacks
from bench.approval import _slipped
from bench.outbox import MIX, PER_HOUR, _all_deaths, _caps, _faults, _most_in_an_hour
from tests.approved import NOW
from tests.house.running import CLIENT
from tests.house.test_crash import BOUNDARIES
from tests.servers.smtp import ACCEPT_THEN_DROP, DROP_BEFORE_ACCEPT
from tools.mail import mime
from workers.commands import bench
from workers.voice.output import Output
from workflows.models.mail import Address

ROOT = Path(__file__).parents[2]
NAMES = ("agents", "approval", "arrival", "calls", "events", "idle", "month", "outbox", "restart", "rules", "web")
OWNER = Address(name="Ada Winter", email="ada@winter.example")


def test_every_promised_measurement_is_there_and_described():
    text = (ROOT / "docs" / "bench.md").read_text("utf-8")
    for name in NAMES:
        assert callable(importlib.import_module(f"bench.{name}").run)
        assert f"`{name}`" in text, f"docs/bench.md does not name {name}"


def test_a_measurement_really_runs_as_it_is_typed():
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "bench", "calls", "--json"],
        cwd=ROOT, capture_output=True, text=True, timeout=180, check=False, env={"PYTHONPATH": str(ROOT)},
    )  # fmt: skip
    assert done.returncode == 0, done.stderr
    found = {line["id"]: line for line in map(json.loads, done.stdout.splitlines())}
    assert set(found) == {"calls.ignored", "calls.draft", "calls.tokens"}
    assert all(line["event"] == "figure" and line["ok"] for line in found.values())
    assert found["calls.ignored"]["mails"] >= 40
    assert found["calls.ignored"]["calls"] == 0
    assert 0 < found["calls.draft"]["value"] <= 2


def test_a_measurement_without_figures_is_said_to_be_broken(tmp_path):
    folder = tmp_path / f"bench_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "silent.py").write_text("\ndef run(full):\n    return []\n")
    with pytest.raises(bench.NeedsOwner, match="silent gave no figure"):
        bench.run(Output(tmp_path), "silent", full=False, folder=folder)
    with pytest.raises(bench.NeedsOwner, match="no measurement"):
        bench.run(Output(tmp_path), "_house", full=False)


def test_a_measurement_that_fails_or_misses_costs_no_figure_of_the_others(tmp_path, capsys):
    folder = tmp_path / f"bench_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    figure = '{"id": "%s", "value": 1, "goal": "<= 1", "ok": %s}'
    (folder / "a_falls.py").write_text(
        f"\ndef run(full):\n    yield {figure % ('a', True)}\n    raise ValueError('boom')\n"
    )
    (folder / "b_misses.py").write_text(f"\nasync def run(full):\n    yield {figure % ('b', False)}\n")
    (folder / "c_holds.py").write_text(f"\ndef run(full):\n    yield {figure % ('c', True)}\n")
    assert bench.run(Output(tmp_path, as_json=True), "", full=False, folder=folder) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one.get("id") or one.get("name")) for one in told] == [
        ("figure", "a"), ("failed", "a_falls"), ("figure", "b"), ("figure", "c"),
    ]  # fmt: skip
    assert told[1]["problem"].startswith(
        "ValueError at a_falls.py:4 (raise ValueError('boom')): boom. Mend that and run"
    )
    assert bench.run(Output(tmp_path), "c_holds", full=False, folder=folder) == 0
    assert bench.run(Output(tmp_path), "a_falls", full=False, folder=folder) == 1
    shown = capsys.readouterr()
    assert "\na " in shown.out
    assert "a_falls could not be finished: ValueError at a_falls.py:4" in shown.err


WAITS = """
from bench._figures import at_most, finished
from tests.patience import WaitedInVainError

async def tide(error):
    raise error

async def held(): return at_most("c", 0, 0)

async def run(full):
    yield await finished("a", tide(WaitedInVainError("Waited 120 s in vain for the tide.")))
    yield await finished("b", tide(AssertionError()))
    yield await finished("c", held())
"""


def test_a_figure_that_cannot_be_finished_says_what_it_waited_for_and_the_others_go_on(tmp_path, capsys):
    folder = tmp_path / f"bench_{tmp_path.name.replace('-', '_')}"
    folder.mkdir()
    (folder / "waits.py").write_text(WAITS)
    assert bench.run(Output(tmp_path, as_json=True), "waits", full=False, folder=folder) == 1
    told = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    assert [(one["event"], one["id"]) for one in told] == [("failed", "a"), ("failed", "b"), ("figure", "c")]
    assert told[0]["problem"] == (
        "Waited 120 s in vain for the tide. If other programs keep this machine busy, end them; run ./deskhand bench "
        "waits again, with --debug to see where it stood."
    )
    assert told[1]["problem"].startswith(
        "What it waited for did not come or did not hold at waits.py:6 (raise error). If"
    )
    assert bench.run(Output(tmp_path), "waits", full=False, folder=folder) == 1
    shown = capsys.readouterr()
    assert "a could not be finished: Waited 120 s in vain" in shown.err
    assert "NOT FINISHED" in shown.out


def test_a_figure_holds_its_goal():
    assert figures.at_most("A", 0, 0)["ok"]
    assert not figures.at_most("A", 0.3, 0.2)["ok"]
    assert not figures.at_least("A", 0.5, 0.6)["ok"]
    slow = figures.against_floor("A", [3.0, 1.3, 1.2], [1.0, 1.0, 9.0], most=1.25)
    assert (slow["value"], slow["floor"], slow["ratio"], slow["goal"], slow["ok"]) == (1.3, 1.0, 1.3, "<= 1.25", False)
    assert figures.against_floor("A", [8.0], [10.0], least=0.7)["ok"]


def test_a_sliding_hour_is_counted_whole():
    minutes = [0, 30, 59, 60, 61, 200]
    assert _most_in_an_hour([NOW + timedelta(minutes=minute) for minute in minutes]) == 4


def test_the_cap_holds_and_is_reached():
    figure = _caps(120)
    assert (figure["value"], figure["ok"]) == (PER_HOUR, True)
    assert figure["hours"] >= 2


def test_faults_are_the_promised_mix_and_the_same_each_time():
    first, again = _faults(), _faults()
    drawn = [first.popleft() for _ in range(2000)]
    assert drawn == [again.popleft() for _ in range(2000)]
    for fault in (DROP_BEFORE_ACCEPT, ACCEPT_THEN_DROP):
        assert 0.2 < drawn.count(fault) / 2000 < 0.3
        assert MIX.count(fault) / len(MIX) == 0.25


def test_full_t1_kills_at_every_boundary():
    deaths = _all_deaths()
    assert len(deaths) >= 200
    assert {death.boundary for death in deaths} == set(BOUNDARIES)
    assert any(death.temporal for death in deaths)


def test_attacks_are_many_and_each_another_mail():
    approval = mime.compose(
        sender=OWNER, to=(OWNER,), subject="Maria: Hi [Deskhand 41.1]", body="----- answer above this line -----\n",
        message_id="<ask@winter.example>", date=NOW, references=("<41.1.abc@deskhand.invalid>",),
        headers=(("X-Deskhand-Case", "41.1"),),
    )  # fmt: skip
    made = list(attacks(mime.parse(approval), approval, OWNER, CLIENT))
    assert len(made) >= 60
    assert len({attack.name for attack in made}) == len(made)
    assert len({attack.raw for attack in made}) >= len(made) - 1


def test_a_slip_changes_at_most_one_letter():
    chance = random.Random(1)
    for _ in range(300):
        spoilt = _slipped("no, too cheap", chance)
        assert abs(len(spoilt) - len("no, too cheap")) <= 1
        assert spoilt.endswith("cheap")
