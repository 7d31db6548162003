# ruff: noqa: E501 - plugins as people write them
"""Plugins: read before they run, refused by name with a plain reason, and one that breaks takes nobody with it."""

import json
import os
import re
import subprocess
import sys
import textwrap
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.servers.web import WebServer
from tools.feeds import pull
from tools.plugins import Declared, declared, load
from tools.web.client import Web
from workers.check import probing, trade
from workers.settings.loading import load as load_settings
from workers.settings.schema import Settings, SourceSection
from workflows.errors import NeedsOwner
from workflows.models.leads import Lead
from workflows.rules.leads.lead import lead_of

ROOT = Path(__file__).resolve().parents[2]

RATES = '''
def rate(currency: str) -> str:
    """Today's rate of a currency.

    More words.
    """
    return f"1 EUR is 1.1 {currency}"

TOOLS = {"read": [rate]}
'''
FEED = '''
def fetch(state: dict, get) -> tuple[list[dict], dict]:
    """Posts of a board."""
    return [], {}

SOURCES = [fetch]
'''


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    made = tmp_path / "plugins"
    made.mkdir()
    return made


def write(folder: Path, name: str, text: str) -> Path:
    path = folder / f"{name}.py"
    path.write_text(textwrap.dedent(text))
    return path


def foreign(folder: Path) -> list[Declared]:
    return [one for one in declared(folder) if one.origin != "own"]


def test_a_drop_in_of_four_lines_is_a_tool(folder: Path):
    write(
        folder, "rates", 'def rate(c: str) -> str:\n    """Today\'s rate."""\n    return c\nTOOLS = {"read": [rate]}\n'
    )
    plugins = load(folder)
    assert plugins.refused == ()
    (tool,) = plugins.tools.values()
    assert (tool.name, tool.permission, tool.plugin, tool.says) == ("rate", "read", "rates", "Today's rate.")
    assert tool.function("USD") == "USD"
    assert plugins.of("read") == (tool,)
    assert plugins.of("send") == ()


def test_a_source_is_named_by_its_plugin_or_by_itself(folder: Path):
    write(folder, "board", "EVERY = '2h'\n" + FEED)
    write(
        folder,
        "two",
        FEED.replace("fetch", "north")
        + FEED.replace("fetch", "south").replace("SOURCES = [south]", "SOURCES = [north, south]"),
    )
    plugins = load(folder)
    assert plugins.refused == ()
    assert {"board", "north", "south", "rss", "json_map", "weworkremotely", "remoteok", "hackernews"} == set(
        plugins.sources
    )
    assert plugins.sources["board"].every == timedelta(hours=2)
    assert plugins.sources["board"].says == "Posts of a board."


def test_our_own_sources_come_in_by_the_same_door(tmp_path: Path):
    own = [one for one in declared(tmp_path) if one.origin == "own"]
    assert [one.plugin for one in own] == ["hackernews", "json_map", "remoteok", "rss", "weworkremotely"]
    assert all(one.sources == ("fetch",) and not one.fault for one in own)
    assert {name: source.every for name, source in load(None).sources.items()}["weworkremotely"] == timedelta(hours=1)


def test_what_a_plugin_may_do_is_known_before_it_runs(folder: Path, tmp_path: Path):
    mark = tmp_path / "it-ran"
    write(folder, "eager", f"open({str(mark)!r}, 'w').close()\n" + RATES)
    (one,) = foreign(folder)
    assert (one.tools, one.says, one.fault) == ({"read": ("rate",)}, {"rate": "Today's rate of a currency."}, "")
    assert not mark.exists()
    load(folder)
    assert mark.exists()


REFUSED = [
    ("neither", "def rate(c: str) -> str:\n    '''Rate.'''\n", "neither TOOLS nor SOURCES"),
    ("unknown", RATES.replace('"read"', '"run"'), 'the permission "run". The permissions are read, write and send'),
    ("computed", RATES.replace('"read"', '"re" + "ad"'), "one that is computed"),
    ("silent", RATES.replace('"""Today\'s rate of a currency.\n\n    More words.\n    """', ""), "rate has no docstring"),
    ("untyped", RATES.replace("currency: str", "currency"), "the argument currency without a type. Write currency: str"),
    ("stars", RATES.replace("currency: str", "*currency"), "the argument currency without a type"),
    ("hidden", RATES.replace('{"read": [rate]}', "dict(read=[rate])"), "must be written out as a dict"),
    ("called", RATES.replace("[rate]", "[rate()]"), "must be a list of names of functions"),
    ("spread", RATES.replace("[rate]", "list(map(str, ()))"), "must be a list of names of functions"),
    ("nobody", 'missing = 7\nTOOLS = {"read": [missing]}\n', "names missing, which is no function"),
    ("nothing", 'TOOLS = {"read": [missing]}\n', "breaks when it is loaded (NameError"),
    ("broken", "import nowhere_to_be_found\n" + RATES, "breaks when it is loaded (ModuleNotFoundError"),
    ("quits", "raise SystemExit(3)\n" + RATES, "breaks when it is loaded (SystemExit: 3)"),
    ("typo", "def rate(:\n", "is not Python: invalid syntax in line 1"),
    ("null", "\0", "plugin null is left out"),
    ("grows", RATES + "\nTOOLS['send'] = [rate]\n", "changes its TOOLS while it is loaded"),
    ("swaps", RATES + "\ndef other(c: str) -> str:\n    '''Other.'''\nTOOLS['read'][0] = other\n", "changes its TOOLS"),
    ("lonely", FEED.replace("state: dict, get", "state: dict"), "must take two arguments: def fetch(state: dict, get)"),
    ("hasty", "EVERY = 'often'\n" + FEED, 'EVERY must be a time span such as "1h"'),
    ("doubled", RATES.replace("[rate]", "[rate, rate]"), "its tool rate has a name that doubled has taken"),
]  # fmt: skip


@pytest.mark.parametrize(("name", "text", "reason"), REFUSED, ids=[name for name, _, _ in REFUSED])
def test_a_plugin_that_breaks_a_rule_is_left_out_with_its_name_and_the_reason(
    folder: Path, name: str, text: str, reason: str
):
    write(folder, name, text)
    write(folder, "zz_fine", RATES.replace("rate", "fine"))
    plugins = load(folder)
    (refused,) = plugins.refused
    assert refused.plugin == name
    assert f"The plugin {name} is left out: " in refused.reason
    assert reason in refused.reason
    assert list(plugins.tools) == ["fine"]


def test_the_second_of_two_equal_names_is_refused_and_names_the_first(folder: Path):
    write(folder, "a_rates", RATES)
    write(folder, "b_rates", RATES)
    write(folder, "rss", FEED)
    plugins = load(folder)
    assert plugins.tools["rate"].plugin == "a_rates"
    assert {one.plugin: one.reason.partition(": ")[2] for one in plugins.refused} == {
        "b_rates": "its tool rate has a name that a_rates has taken. Give it another.",
        "rss": "its source rss has a name that rss has taken. Give it another.",
    }


def test_files_that_begin_with_a_line_and_other_files_are_no_plugins(folder: Path):
    write(folder, "_shared", "nothing")
    (folder / "notes.txt").write_text("nothing")
    assert foreign(folder) == []
    assert foreign(folder / "not-there") == []


def test_an_installed_package_is_found_by_its_entry_point(tmp_path: Path, monkeypatch: pytest.MonkeyPatch):
    """A real distribution on the path, as `pip install` would lay it down."""
    site = tmp_path / "site"
    package = site / "currency_tools"
    package.mkdir(parents=True)
    (package / "__init__.py").write_text("")
    (package / "rates.py").write_text(RATES)
    info = site / "currency_tools-1.0.dist-info"
    info.mkdir()
    (info / "METADATA").write_text("Metadata-Version: 2.1\nName: currency-tools\nVersion: 1.0\n")
    (info / "entry_points.txt").write_text(
        "[deskhand.tools]\nrates = currency_tools.rates\ngone = currency_tools.gone\n"
    )
    monkeypatch.syspath_prepend(str(site))
    plugins = load(None)
    assert plugins.tools["rate"].plugin == "rates"
    (refused,) = plugins.refused
    assert refused.reason.startswith("The plugin gone is left out: its module currency_tools.gone is not installed")


# ---------------------------------------------------------------- the command and the probe


def run(home: Path, *words: str) -> tuple[int, list[dict[str, Any]], str]:
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "--home", str(home), *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, cwd=ROOT, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    shown = [json.loads(line) for line in done.stdout.splitlines()] if "--json" in words else []
    return done.returncode, shown, done.stdout


def test_the_command_lists_permissions_without_running_anything(tmp_path: Path):
    folder = tmp_path / "plugins"
    folder.mkdir()
    mark = tmp_path / "it-ran"
    write(folder, "rates", f"open({str(mark)!r}, 'w').close()\n" + RATES)
    code, shown, _ = run(tmp_path, "tools", "--json")
    assert code == 0
    rates = next(one for one in shown if one["plugin"] == "rates")
    (rate,) = rates["tools"]
    assert (rate["name"], rate["permission"], rate["says"]) == ("rate", "read", "Today's rate of a currency.")
    assert (rate["source"], rate["last_call"], rate["health"]) == ("plugin rates", "", "never asked")
    assert [one["plugin"] for one in shown if one["origin"] == "own"] == [
        "hackernews", "json_map", "remoteok", "rss", "weworkremotely",
    ]  # fmt: skip
    write(folder, "broken", "TOOLS = 3\n")
    code, _, text = run(tmp_path, "tools")
    assert code == 1
    assert "The plugin broken is left out: its TOOLS must be written out as a dict" in text
    assert not mark.exists()


async def test_check_fails_on_a_broken_plugin_and_on_a_source_nobody_gives(tmp_path: Path):
    loaded = Settings(
        owner={"name": "Ada", "address": "ada@winter.example"},
        imap={"host": "localhost", "user": "", "tls": "none"},
        smtp={"host": "localhost", "user": "", "tls": "none"},
    )  # fmt: skip
    with pytest.raises(probing.Unneeded):
        await trade.probe_plugins(tmp_path, loaded)
    folder = tmp_path / "plugins"
    folder.mkdir()
    write(folder, "rates", RATES)
    assert (await trade.probe_plugins(tmp_path, loaded)).startswith("1 plugin, which runs with your rights")
    used = loaded.model_copy(update={"sources": {"board": SourceSection(use="bord")}})
    with pytest.raises(NeedsOwner, match='The source board uses "bord", which no plugin gives'):
        await trade.probe_plugins(tmp_path, used)
    write(folder, "broken", "import nowhere_to_be_found\n" + FEED)
    with pytest.raises(NeedsOwner, match=r"The plugin broken is left out: it breaks when it is loaded"):
        await trade.probe_plugins(tmp_path, loaded)


# ---------------------------------------------------------------- the page about it


def block(language: str) -> str:
    """The code block of docs/leads.md in this language."""
    (found,) = re.findall(
        rf"^```{language}\n(.*?)^```$", (ROOT / "docs" / "leads.md").read_text("utf-8"), re.DOTALL | re.MULTILINE
    )
    return found


async def test_the_plugin_on_the_page_is_one(folder: Path):
    (folder / "townboard.py").write_text(block("python"))
    plugins = load(folder)
    assert plugins.refused == ()
    assert plugins.sources["townboard"].every == timedelta(hours=2)
    with WebServer() as web:
        web.put("/board", "1\tLogo wanted\tA logo for a bakery.\thttps://town.example/1\t2026-11-20\n")
        settings = {"url": f"{web.url}/board"}
        pulled = await pull("townboard", plugins.sources["townboard"], settings, {}, Web(permit=web.permit))
    found = lead_of(pulled.items[0], "townboard", datetime(2026, 11, 23, tzinfo=UTC))
    assert isinstance(found, Lead)
    assert (found.title, found.url) == ("Logo wanted", "https://town.example/1")


def test_the_settings_on_the_page_are_some(tmp_path: Path):
    people = '[owner]\nname = "Ada"\naddress = "ada@winter.example"\n[imap]\nhost = "h"\n[smtp]\nhost = "h"\n'
    (tmp_path / "deskhand.toml").write_text(people + block("toml"))
    loaded = load_settings(tmp_path)
    known = load(None).sources
    assert {section.use or name for name, section in loaded.sources.items()} == set(known)
