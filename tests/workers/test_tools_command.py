"""`tools` and `tools new`: each tool with what it may, whence it is, its last call and how it is."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from memory.journal import CallKey
from memory.lookups import Lookups
from tests.ledgers import House
from tools.plugins import load
from workers.commands import plugins
from workers.voice.output import Output
from workflows.errors import NeedsOwner

CRM = Path(__file__).parents[1] / "servers" / "crm.py"
SETTINGS = """[owner]
name = "Ada"
address = "ada@winter.example"
[imap]
host = "imap.winter.example"
[smtp]
host = "smtp.winter.example"
[mcp.crm]
command = {command}
[mcp.crm.tools]
search_notes = "read"
add_note = "send"
"""


@pytest.fixture
def home(tmp_path: Path) -> Path:
    return tmp_path


def listed(home: Path, capsys: pytest.CaptureFixture[str]) -> tuple[int, dict[str, dict[str, str]]]:
    code = plugins.tools(Output(home=home, as_json=True))
    events = [json.loads(line) for line in capsys.readouterr().out.splitlines()]
    return code, {tool["name"]: tool for event in events for tool in event["tools"]}


def test_a_new_plugin_works_and_so_does_its_test(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert plugins.new(Output(home=home), "new", "price_list") == 0
    assert list(load(home / "plugins").tools) == ["price_list_lookup"]
    test = home / "plugins" / "_test_price_list.py"
    run = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", str(test)]
    assert "2 passed" in subprocess.run(run, capture_output=True, text=True, check=True, cwd=home).stdout
    capsys.readouterr()
    code, tools = listed(home, capsys)
    assert code == 0
    assert tools["price_list_lookup"]["permission"] == "read"
    assert tools["price_list_lookup"]["source"] == "plugin price_list"
    assert tools["client_history"]["source"] == "Deskhand"


@pytest.mark.parametrize("name", ["", "Price", "price-list", "../evil", "9lives", "x" * 60])
def test_a_name_that_is_none_is_refused(home: Path, name: str) -> None:
    with pytest.raises(NeedsOwner, match="is no name of a plugin"):
        plugins.new(Output(home=home), "new", name)
    assert not (home / "plugins").exists()


def test_nothing_is_overwritten_and_another_word_is_no_command(home: Path) -> None:
    plugins.new(Output(home=home), "new", "mine")
    (home / "plugins" / "mine.py").write_text("edited", encoding="utf-8")
    with pytest.raises(NeedsOwner, match="is there already"):
        plugins.new(Output(home=home), "new", "mine")
    assert (home / "plugins" / "mine.py").read_text("utf-8") == "edited"
    with pytest.raises(NeedsOwner, match="is no command"):
        plugins.new(Output(home=home), "neu", "mine")


def test_the_last_call_and_how_it_went_are_told(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    house = House(home)
    lookups = Lookups(house.engine, house.clock)
    for ordinal, (tool, problem) in enumerate([("open_invoices", ""), ("client_history", "It slept.")], start=1):
        place = lookups.begin(CallKey(case=1, version=1, step="look", ordinal=ordinal), tool, {})
        assert isinstance(place, CallKey)
        if problem:
            lookups.failed(place, problem)
        else:
            lookups.finish(place, "{}")
    house.engine.dispose()
    _, tools = listed(home, capsys)
    assert tools["open_invoices"]["health"] == "answered"
    assert tools["open_invoices"]["last_call"] == house.clock.now().isoformat()
    assert tools["client_history"]["health"] == "It slept."
    assert tools["project_state"]["health"] == "never asked"


def test_a_servers_tools_stand_there_with_their_permission(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    command = json.dumps([sys.executable, "-P", str(CRM), "stdio", "good"])
    (home / "deskhand.toml").write_text(SETTINGS.format(command=command), encoding="utf-8")
    code, tools = listed(home, capsys)
    assert code == 0
    assert (tools["crm_search_notes"]["permission"], tools["crm_add_note"]["permission"]) == ("read", "send")
    assert tools["crm_add_note"]["source"] == "mcp crm"


def test_a_server_in_trouble_is_named(home: Path, capsys: pytest.CaptureFixture[str]) -> None:
    (home / "deskhand.toml").write_text(SETTINGS.format(command='["/no/such"]'), encoding="utf-8")
    assert plugins.tools(Output(home=home)) == 1
    assert "The MCP server crm was not asked anything: it cannot be started" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("lines", "problem"),
    [
        ("[mcp.crm]\n", "mcp.crm must be a server with a command"),
        ('[mcp.crm]\ncommand = ["x"]\naddress = "https://x.example/mcp"\n', "mcp.crm must be a server with a command"),
        ('[mcp.crm]\naddress = "x"\n', "mcp.crm.address must be a web address"),
        ('[mcp.crm]\ncommand = ["x"]\n[mcp.crm.tools]\nsearch = "all"\n', "mcp.crm.tools.search must be one of"),
        ("[tools]\nrounds = 9\n", "tools.rounds must be at most 8"),
    ],
)
def test_a_fault_in_the_settings_of_tools_is_one_sentence(home: Path, lines: str, problem: str) -> None:
    from workers.settings import loading

    text = SETTINGS.partition("[mcp.crm]")[0] + lines
    (home / "deskhand.toml").write_text(text, encoding="utf-8")
    with pytest.raises(NeedsOwner) as fault:
        loading.load(home)
    assert problem in str(fault.value)
