"""`tools`: every tool of plugins and servers: what it may, whence it is, when it was asked last, and how it is.

Plugins are read from their text and not run; the servers of [mcp.NAME] are asked what they offer. `tools new NAME`
writes a plugin that works, with its test.
"""

import asyncio
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from agents.lookup.diary import CALENDAR_FREE
from agents.lookup.own import OWN, STANDING_ANSWERS
from memory import views
from memory.lookups import LastCall, Lookups
from tools.mcp import McpServers
from tools.plugins import PERMISSIONS, Declared, declared, source_name
from workers.clock import SystemClock
from workers.settings import loading
from workers.settings.tooling import servers_of
from workers.voice.output import Output, table
from workflows.errors import NeedsOwner

Facts = dict[str, Any]
_ORIGINS = {"own": "Deskhand's own", "package": "installed package", "folder": "plugins folder"}
_NONE = "No plugins of yours. './deskhand tools new NAME' writes one; docs/leads.md says what it may do."
_NEVER = "never asked"

PLUGIN = '''"""The plugin {name}: what it does, in a sentence."""


def {name}_lookup(words: str, newest: bool = True) -> str:
    """What is known about these words. Agents choose by this line; they may ask with words of the mail alone."""
    notes = {{"shop": "The shop runs on Django 5.", "logo": "The logo is from 2019."}}
    lines = [text for word, text in notes.items() if word in words.lower()]
    return "\\n".join(reversed(lines) if newest else lines)


TOOLS = {{"read": [{name}_lookup]}}
'''
TEST = '''"""python -m pytest plugins/_test_{name}.py (the underscore keeps it from being loaded as a plugin)."""

import importlib.util
from pathlib import Path

spec = importlib.util.spec_from_file_location("{name}", Path(__file__).with_name("{name}.py"))
plugin = importlib.util.module_from_spec(spec)
spec.loader.exec_module(plugin)


def test_what_is_known_is_told():
    assert plugin.{name}_lookup("our shop") == "The shop runs on Django 5."


def test_what_is_not_known_is_nothing():
    assert plugin.{name}_lookup("the weather") == ""
'''


# ---------------------------------------------------------------- the list


def tools(output: Output) -> int:
    """List every tool and source; 1 when a plugin is refused or a server is in trouble."""
    calls = _last_calls(output.home)
    plugins = [_desk(calls), *(_facts(declaration, calls) for declaration in declared(output.home / "plugins"))]
    plugins += asyncio.run(_servers(output.home, calls))
    for plugin in plugins:
        output.event("plugin", **plugin)
    rows = [("TOOL", "MAY", "FROM", "LAST CALL", "HEALTH"), *(row for facts in plugins for row in _rows(facts))]
    output.text(table(rows, {0: 28, 2: 20, 3: 16, 4: 40}))
    refused = [facts for facts in plugins if facts["problem"]]
    for plugin in refused:
        output.text(f"\n{_refusal(plugin)}")
    if all(facts["origin"] in {"own", "desk"} for facts in plugins):
        output.text(f"\n{_NONE}")
    return 1 if refused else 0


def _refusal(plugin: Facts) -> str:
    if plugin["origin"] == "mcp":
        return str(plugin["problem"])
    return f"The plugin {plugin['plugin']} is left out: {plugin['problem']}"


def _last_calls(home: Path) -> Mapping[str, LastCall]:
    """When each tool was asked last; nothing where there is no ledger yet."""
    if not (home / "ledger.sqlite").is_file():
        return {}
    engine = views.open_ledger(home)
    try:
        return Lookups(engine, SystemClock()).last_calls()
    finally:
        engine.dispose()


async def _servers(home: Path, calls: Mapping[str, LastCall]) -> list[Facts]:
    """The servers of the settings, each asked now; none while the settings have a fault."""
    try:
        servers = servers_of(loading.load(home).mcp, home)
    except NeedsOwner:
        return []
    offers = await asyncio.gather(*(McpServers([server]).offers() for server in servers))
    return [
        {
            "plugin": server.name,
            "origin": "mcp",
            "path": server.address or " ".join(server.command),
            "problem": " ".join(offered.notes),
            "tools": [
                _tool(offer.name, offer.permission, offer.says, f"mcp {server.name}", calls) for offer in offered.offers
            ],
            "sources": [],
        }
        for server, offered in zip(servers, offers, strict=True)
    ]


def _desk(calls: Mapping[str, LastCall]) -> Facts:
    """Our own read tools, each of which sees the client at hand alone."""
    rows = [
        _tool(name, "read", summary, "Deskhand", calls)
        for name, summary in (*OWN.items(), ("calendar_free", CALENDAR_FREE), ("standing_answers", STANDING_ANSWERS))
    ]
    return {"plugin": "desk", "origin": "desk", "path": "", "problem": "", "tools": rows, "sources": []}


def _facts(declaration: Declared, calls: Mapping[str, LastCall]) -> Facts:
    origin = f"plugin {declaration.plugin}"
    return {
        "plugin": declaration.plugin,
        "origin": declaration.origin,
        "path": declaration.path,
        "problem": declaration.fault,
        "tools": [
            _tool(name, permission, declaration.says.get(name, ""), origin, calls)
            for permission in PERMISSIONS
            for name in declaration.tools.get(permission, ())
        ],
        "sources": [
            {
                "name": source_name(declaration.plugin, name),
                "every": declaration.every,
                "says": declaration.says.get(name, ""),
            }
            for name in declaration.sources
        ],
    }


def _tool(name: str, permission: str, says: str, source: str, calls: Mapping[str, LastCall]) -> Facts:
    last = calls.get(name)
    return {
        "name": name,
        "permission": permission,
        "says": says,
        "source": source,
        "last_call": last.at.isoformat() if last else "",
        "health": (last.problem or "answered") if last else _NEVER,
    }


def _rows(facts: Facts) -> list[tuple[str, ...]]:
    rows: list[tuple[str, ...]] = [
        (tool["name"], tool["permission"], tool["source"], tool["last_call"][:16].replace("T", " "), tool["health"])
        for tool in facts["tools"]
    ]
    origin = f"plugin {facts['plugin']}"
    rows += [(source["name"], "fetch", origin, "", "a source of posts") for source in facts["sources"]]
    return rows or [("-", "nothing", facts["plugin"], "", f"left out ({_ORIGINS.get(facts['origin'], 'MCP server')})")]


# ---------------------------------------------------------------- a new one


def new(output: Output, step: str, name: str) -> int:
    """`tools new NAME`: write a plugin that works, with its test; nothing that is there is overwritten.

    Raises:
        NeedsOwner: it is another word than new, or the name is none, or taken.
    """
    if step != "new":
        raise NeedsOwner(f'"tools {step}" is no command.', 'Write "tools" for the list, "tools new NAME" for a plugin.')
    if not re.fullmatch(r"[a-z][a-z0-9_]{0,40}", name):
        raise NeedsOwner(f'"{name}" is no name of a plugin.', "Use small letters, digits and _, as in price_list.")
    folder = output.home / "plugins"
    texts = {folder / f"{name}.py": PLUGIN, folder / f"_test_{name}.py": TEST}
    if taken := next((path for path in texts if path.exists()), None):
        raise NeedsOwner(f"{taken} is there already.", "Choose another name, or edit that file.")
    folder.mkdir(parents=True, exist_ok=True)
    for path, text in texts.items():
        path.write_text(text.format(name=name), encoding="utf-8")
    plugin, test = texts
    output.event("plugin_written", path=str(plugin), test=str(test))
    output.text(
        f"Wrote {plugin} and its test. Try it: python -m pytest {test}\n"
        "It is loaded when Deskhand is started again; './deskhand tools' lists it."
    )
    return 0
