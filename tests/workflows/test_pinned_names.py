"""What Temporal stores of us stays called as it is: renaming a class or a method changes no stored name.

A name below may be added; one that is taken away or changed strands every case that runs under it.
"""

import ast
import json
from collections.abc import Iterator
from pathlib import Path

import pytest

from workflows import names, stories

ROOT = Path(__file__).parents[2]
HISTORIES = sorted((ROOT / "tests" / "histories").glob("*.json"))
PACKAGES = ("workflows", "memory", "tools", "agents", "workers")

PINNED: dict[str, set[str]] = {
    "workflow.defn": {"Reply", "Bid", "Chase", "Update", "FollowUp", "Client", "Poll", "Rhythm"},
    "workflow.signal": {"hear", "receive", "hand_over"},
    "workflow.update": {"answer"},
    "workflow.query": {"where"},
    "activity.defn": {
        "brief", "remember", "save", "edit", "change_parts", "approve", "stand", "never", "lapses_at", "close", "draft",
        "research", "poll", "ask", "send", "carry_out", "tell", "explain", "hand_over", "start_over",
    },
}  # fmt: skip


def decorators(source: str) -> Iterator[tuple[str, str | None]]:
    """(`workflow.signal`, its explicit name) of every definition that Temporal knows by a name."""
    for node in ast.walk(ast.parse(source)):
        if not isinstance(node, ast.ClassDef | ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        for decorator in node.decorator_list:
            call = decorator if isinstance(decorator, ast.Call) else None
            what = ast.unparse(call.func if call else decorator)
            if what in PINNED:
                written = [word.value for word in (call.keywords if call else []) if word.arg == "name"]
                yield what, next(map(_written, written), None)


def _written(name: ast.expr) -> str:
    """A literal, a constant of `workflows/names.py`, or what a story's record says."""
    match name:
        case ast.Attribute(value=ast.Name(id=record), attr=fact):
            return str(getattr(getattr(stories, record), fact))
        case ast.Name(id=constant):
            return str(getattr(names, constant))
    return str(ast.literal_eval(name))


def every_decorator() -> list[tuple[str, str | None]]:
    files = [path for package in PACKAGES for path in (ROOT / package).rglob("*.py")]
    return [found for path in files for found in decorators(path.read_text())]


def test_every_name_is_written_out_and_pinned() -> None:
    found = every_decorator()
    assert [what for what, name in found if name is None] == []
    assert {what: {name for kind, name in found if kind == what} for what in PINNED} == PINNED


@pytest.mark.parametrize("code", ["@workflow.defn\nclass A: ...", "@activity.defn()\nasync def a(): ..."])
def test_a_name_that_follows_the_code_is_seen(code: str) -> None:
    assert [name for _, name in decorators(code)] == [None]


@pytest.mark.parametrize("path", HISTORIES, ids=lambda path: path.stem)
def test_every_name_that_a_history_holds_is_pinned(path: Path) -> None:
    keys = {
        "workflowExecutionStartedEventAttributes": ("workflowType", "workflow.defn"),
        "activityTaskScheduledEventAttributes": ("activityType", "activity.defn"),
    }
    events = json.loads(path.read_text())["events"]
    named = [(keys[key], event[key]) for event in events for key in keys if key in event]
    assert named
    assert all(attributes[field]["name"] in PINNED[what] for (field, what), attributes in named)
    signals = [event["workflowExecutionSignaledEventAttributes"]["signalName"] for event in events
               if "workflowExecutionSignaledEventAttributes" in event]  # fmt: skip
    assert set(signals) <= PINNED["workflow.signal"]
