"""`tools`: every plugin with what it may do, read from its text and not run."""

from typing import Any

from tools.plugins import PERMISSIONS, Declared, declared, source_name
from workers.voice.output import Output, table

Facts = dict[str, Any]
_ORIGINS = {"own": "Deskhand's own", "package": "installed package", "folder": "plugins folder"}
_NONE = "No plugins of yours. docs/leads.md shows how small one is."


def tools(output: Output) -> int:
    """List every plugin, its tools with their permissions, and its sources; 1 when one is refused."""
    plugins = [_facts(declaration) for declaration in declared(output.home / "plugins")]
    for plugin in plugins:
        output.event("plugin", **plugin)
    rows = [("PLUGIN", "NAME", "MAY", "WHAT"), *(row for facts in plugins for row in _rows(facts))]
    output.text(table(rows, {0: 24, 1: 28, 3: 80}))
    refused = [facts for facts in plugins if facts["problem"]]
    for plugin in refused:
        output.text(f"\nThe plugin {plugin['plugin']} is left out: {plugin['problem']}")
    if all(facts["origin"] == "own" for facts in plugins):
        output.text(f"\n{_NONE}")
    return 1 if refused else 0


def _facts(one: Declared) -> Facts:
    return {
        "plugin": one.plugin,
        "origin": one.origin,
        "path": one.path,
        "problem": one.fault,
        "tools": [
            {"name": name, "permission": permission, "says": one.says.get(name, "")}
            for permission in PERMISSIONS
            for name in one.tools.get(permission, ())
        ],
        "sources": [
            {"name": source_name(one.plugin, name), "every": one.every, "says": one.says.get(name, "")}
            for name in one.sources
        ],
    }


def _rows(one: Facts) -> list[tuple[str, ...]]:
    plugin, origin = one["plugin"], _ORIGINS[one["origin"]]
    rows: list[tuple[str, ...]] = [(plugin, tool["name"], tool["permission"], tool["says"]) for tool in one["tools"]]
    rows += [(plugin, source["name"], "fetch", source["says"]) for source in one["sources"]]
    return rows or [(plugin, "-", "nothing", f"left out ({origin})")]
