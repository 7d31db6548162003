"""The shape of the code, held by reading every module: who may import whom, and what may be touched where.

Each rule is a function from a tree to its violations, and is tried on a small bad tree first: it can fail.
"""

import ast
import math
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
ORDER = ("workflows", "memory", "tools", "agents", "workers")
FACE = {"models", "errors", "ports", "rules", "older", "stories"}  # what the others may take from `workflows`
ENGINE_ROOM = "workers"  # it runs the workflows, so it alone takes them whole

FENCES = {
    "chromadb": "memory/",
    "imaplib2": "tools/mail/",
    "imaplib": "tools/mail/",
    "aiosmtplib": "tools/mail/",
    "smtplib": "tools/mail/",
    "pymap": "tools/mail/",
    "aiosmtpd": "tools/mail/",
    "mcp": "tools/",
    "mcp_types": "tools/",
    "langgraph": "agents/",
    "langchain": "agents/",
    "langchain_core": "agents/",
    "langchain_openai": "agents/",
    "langsmith": "agents/",
}
WALL_CLOCKS = {
    "datetime.now", "datetime.utcnow", "datetime.today", "datetime.datetime.now", "datetime.datetime.utcnow",
    "datetime.datetime.today", "date.today", "datetime.date.today", "time.time", "time.time_ns", "time.localtime",
    "time.gmtime",
}  # fmt: skip
WEB_CLIENTS = {
    "httpcore", "httpcore2", "httpx", "httpx2", "requests", "urllib3", "aiohttp", "urllib.request", "http.client",
    "websockets", "websocket",
}  # fmt: skip
OWN_SERVERS = {  # beside the guarded client: what asks the servers that the owner named, and no stranger
    "tools/web/client.py", "agents/model.py", "memory/model/embedding.py", "memory/model/endpoint.py",
    "workers/setup/discovery.py",
}  # fmt: skip
SHORT = 32  # lines: 90 % of all functions are shorter; how long one may be at most is held by test_sizes.py


def modules(root: Path) -> Iterator[tuple[str, ast.Module]]:
    """Every module of the five packages: its path below `root`, and its tree."""
    for package in ORDER:
        for path in sorted((root / package).rglob("*.py")):
            yield path.relative_to(root).as_posix(), ast.parse(path.read_text(), str(path))


def imports(path: str, tree: ast.Module) -> Iterator[tuple[int, str]]:
    """(line, full dotted name) of each import, wherever it stands: in functions and under TYPE_CHECKING as well."""
    here = path.removesuffix(".py").removesuffix("/__init__").split("/")
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            base = here[: len(here) - node.level] if node.level else []
            source = ".".join([*base, *([node.module] if node.module else [])])
            yield from ((node.lineno, f"{source}.{alias.name}") for alias in node.names)
        elif isinstance(node, ast.Call) and dotted(node.func) in {"__import__", "importlib.import_module"}:
            names = [argument.value for argument in node.args if isinstance(argument, ast.Constant)]
            yield from ((node.lineno, str(name)) for name in names[:1])


def dotted(node: ast.expr) -> str:
    """`a.b.c` as text, "" for anything else."""
    if isinstance(node, ast.Name):
        return node.id
    if isinstance(node, ast.Attribute):
        left = dotted(node.value)
        return f"{left}.{node.attr}" if left else ""
    return ""


# ---------------------------------------------------------------- the rules


def wrong_way(root: Path) -> list[str]:
    """A package imports only itself and those to its left."""
    return [
        f"{path}:{line} imports {name}: {path.split('/')[0]} may not know {name.split('.')[0]}"
        for path, tree in modules(root)
        for line, name in imports(path, tree)
        if name.split(".")[0] in ORDER and ORDER.index(name.split(".")[0]) > ORDER.index(path.split("/")[0])
    ]


def behind_the_face(root: Path) -> list[str]:
    """From `workflows` the others take only its nouns, errors, ports and rules."""
    return [
        f"{path}:{line} imports {name}: only {', '.join(sorted(FACE))} of workflows may be taken"
        for path, tree in modules(root)
        if path.split("/")[0] not in {"workflows", ENGINE_ROOM}
        for line, name in imports(path, tree)
        if name.split(".")[0] == "workflows" and not FACE & set(name.split(".")[1:2])
    ]


def through_a_fence(root: Path) -> list[str]:
    """A third-party library is known in one place alone."""
    return [
        f"{path}:{line} imports {name}: only {fence} may"
        for path, tree in modules(root)
        for line, name in imports(path, tree)
        if (fence := fence_of(name)) and not path.startswith(fence)
    ]


def fence_of(name: str) -> str:
    first = name.partition(".")[0]
    return "agents/" if first.startswith(("langchain", "langgraph")) else FENCES.get(first, "")


def names_the_dialect(root: Path) -> list[str]:
    """`memory/record/dialect.py` alone says which database keeps the ledger."""
    return [
        f"{path}:{line} imports {name}: take it from memory/record/dialect.py"
        for path, tree in modules(root)
        if path != "memory/record/dialect.py"
        for line, name in imports(path, tree)
        if name.startswith("sqlalchemy.dialects") or name == "sqlalchemy.create_engine"
    ]


def past_the_guard(root: Path) -> list[str]:
    """Everything on the web is fetched through tools/web/client.py; others ask servers the owner named."""
    return [
        f"{path}:{line} imports {name}: fetch through tools/web/client.py"
        for path, tree in modules(root)
        if path not in OWN_SERVERS
        for line, name in imports(path, tree)
        if any(name == client or name.startswith(f"{client}.") for client in WEB_CLIENTS)
    ]


def reads_the_environment(root: Path) -> list[str]:
    """`workers/settings/environ.py` alone reads the environment."""
    banned = {"os.environ", "os.environb", "os.getenv", "os.getenvb"}
    return [
        f"{path}:{line} reads {name}: only workers/settings/environ.py may"
        for path, tree in modules(root)
        if path != "workers/settings/environ.py"
        for line, name in [*imports(path, tree), *attributes(tree)]
        if any(name == word or name.startswith(f"{word}.") for word in banned)
    ]


def reads_the_wall_clock(root: Path) -> list[str]:
    """Only the `SystemClock` of `workers/clock.py` knows what time it is."""
    return [
        f"{path}:{line} reads {name}: the time comes from the Clock"
        for path, tree in modules(root)
        if path != "workers/clock.py"
        for line, name in [*imports(path, tree), *attributes(tree)]
        if name in WALL_CLOCKS
    ]


def attributes(tree: ast.Module) -> Iterator[tuple[int, str]]:
    for node in ast.walk(tree):
        if isinstance(node, ast.Attribute):
            yield node.lineno, dotted(node)


def not_empty(root: Path) -> list[str]:
    """Every `__init__.py` is empty."""
    return [
        f"{path.relative_to(root)} is not empty"
        for package in (*ORDER, "tests")
        for path in (root / package).rglob("__init__.py")
        if path.read_text().strip()
    ]


def impure_workflows(root: Path) -> list[str]:
    """Workflow code knows the standard library, temporalio and itself: it must replay after any upgrade."""
    allowed = sys.stdlib_module_names | {"temporalio", "workflows"}
    return [
        f"{path}:{line} imports {name}: workflow code may not"
        for path, tree in modules(root)
        if path.startswith("workflows/") and not path.startswith("workflows/rules/")
        for line, name in imports(path, tree)
        if name.split(".")[0] not in allowed
    ]


def impure_rules(root: Path) -> list[str]:
    """Rules know the standard library and the nouns; the calendar alone also `holidays`."""
    ours = ("workflows.models", "workflows.errors", "workflows.rules", "workflows.stories")
    return [
        f"{path}:{line} imports {name}: a rule may not"
        for path, tree in modules(root)
        if path.startswith("workflows/rules/")
        for line, name in imports(path, tree)
        if not name.startswith(ours)
        and name.split(".")[0] not in sys.stdlib_module_names
        and not (path.endswith("/calendar.py") and name.split(".")[0] == "holidays")
    ]


def waiting_rules(root: Path) -> list[str]:
    """A rule never awaits, opens, asks the network or draws lots."""
    outside = {"open", "input", "print"}
    modules_outside = {"asyncio", "socket", "subprocess", "urllib.request", "http.client", "random", "secrets", "os"}
    return [
        f"{path}:{line} {what}: rules are pure"
        for path, tree in modules(root)
        if path.startswith("workflows/rules/")
        for line, what in [
            *((node.lineno, "awaits") for node in ast.walk(tree) if isinstance(node, ast.Await | ast.AsyncFunctionDef)),
            *((node.lineno, f"calls {dotted(node.func)}") for node in calls(tree) if dotted(node.func) in outside),
            *((line, f"imports {name}") for line, name in imports(path, tree) if name in modules_outside),
        ]
    ]


def rooms_in_a_circle(root: Path) -> list[str]:
    """Between the rooms of one package the imports go one way: a folder, or a module that lies in none, is a room."""
    arrows: dict[str, dict[str, str]] = {}
    names = {path.removesuffix(".py").removesuffix("/__init__").replace("/", ".") for path, _ in modules(root)}
    for path, tree in modules(root):
        for line, name in imports(path, tree):
            target = name if name in names else name.rpartition(".")[0]
            here, there = room_of(path.removesuffix(".py").replace("/", ".")), room_of(target)
            if target in names and here != there and here.partition(".")[0] == there.partition(".")[0]:
                arrows.setdefault(here, {}).setdefault(there, f"{path}:{line} imports {name}")
    return [
        f"{where}: {there} leads back to {here}"
        for here, targets in arrows.items()
        for there, where in targets.items()
        if here in reached(there, arrows)
    ]


def room_of(module: str) -> str:
    """`workflows.rules.text` of `workflows.rules.text.words`; what lies in no room is its own."""
    package, *rest = module.split(".")
    if package == "workflows":
        rules = rest[:1] == ["rules"]
        return ".".join([package, *rest[: 2 if rules else 1]])
    return ".".join([package, *rest[:1]])


def reached(room: str, arrows: dict[str, dict[str, str]]) -> set[str]:
    known, waiting = set(), [room]
    while waiting:
        further = set(arrows.get(waiting.pop(), ())) - known
        known |= further
        waiting += further
    return known


def calls(tree: ast.Module) -> Iterator[ast.Call]:
    return (node for node in ast.walk(tree) if isinstance(node, ast.Call))


def too_long(root: Path) -> list[str]:
    """90 % of the functions are under 32 lines."""
    lengths = sorted(
        ((node.end_lineno or node.lineno) - node.lineno + 1, f"{path}:{node.lineno} {node.name}")
        for path, tree in modules(root)
        for node in ast.walk(tree)
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef)
    )
    long = [f"{where} has {lines} lines" for lines, where in lengths if lines >= SHORT]
    over = len(long) - math.floor(len(lengths) * 0.1)
    return [f"{over} functions too many have {SHORT} lines or more:", *long] if over > 0 else []


RULES: tuple[Callable[[Path], list[str]], ...] = (
    wrong_way, behind_the_face, through_a_fence, names_the_dialect, past_the_guard, reads_the_environment,
    reads_the_wall_clock, not_empty, impure_workflows, impure_rules, waiting_rules, rooms_in_a_circle, too_long,
)  # fmt: skip


@pytest.mark.parametrize("rule", RULES, ids=lambda rule: rule.__name__)
def test_the_tree_keeps_the_rule(rule: Callable[[Path], list[str]]) -> None:
    violations = rule(ROOT)
    assert not violations, "\n".join([rule.__doc__ or "", *violations])


LONG = "def long():\n" + "    x = 1\n" * 40
BAD: dict[Callable[[Path], list[str]], list[tuple[str, str]]] = {
    wrong_way: [
        ("memory/a.py", "import tools.mail"),
        ("workflows/b.py", "from typing import TYPE_CHECKING\nif TYPE_CHECKING:\n    from agents.reply import Reply"),
        ("tools/mail/c.py", "def late():\n    from workers import settings"),
        ("memory/d.py", "import importlib\nimportlib.import_module('agents.model')"),
        ("tools/e.py", "from ..workers import settings"),
    ],
    behind_the_face: [
        ("agents/a.py", "from workflows.case import Case"),
        ("memory/b.py", "from workflows import reply"),
        ("tools/c.py", "import workflows"),
    ],
    through_a_fence: [
        ("workers/a.py", "import chromadb.config"),
        ("tools/web/client.py", "from imaplib2 import IMAP4"),
        ("workers/b.py", "def send():\n    import smtplib"),
        ("workflows/c.py", "from langgraph.graph import StateGraph"),
        ("memory/d.py", "import langchain_community"),
    ],
    names_the_dialect: [
        ("memory/money/a.py", "from sqlalchemy.dialects.sqlite import insert"),
        ("memory/b.py", "from sqlalchemy import create_engine"),
    ],
    past_the_guard: [
        ("tools/sources/a.py", "import httpx2"),
        ("agents/b.py", "def look():\n    from urllib.request import urlopen"),
        ("workers/c.py", "from httpcore2 import URL"),
        ("memory/d.py", "import aiohttp.web"),
    ],
    reads_the_environment: [
        ("memory/a.py", "import os\nx = os.environ['A']"),
        ("tools/b.py", "from os import environ"),
        ("workers/c.py", "import os\nx = os.getenv('A')"),
        ("agents/d.py", "import os\nx = os.environ.get('A')"),
    ],
    reads_the_wall_clock: [
        ("memory/a.py", "from datetime import datetime, UTC\nx = datetime.now(UTC)"),
        ("tools/b.py", "import time\nx = time.time()"),
        ("agents/c.py", "import datetime\nx = datetime.date.today()"),
        ("workers/d.py", "from time import time"),
    ],
    not_empty: [("tools/mail/__init__.py", "from tools.mail.inbox import Mailbox")],
    impure_workflows: [("workflows/a.py", "import pydantic"), ("workflows/b.py", "def f():\n    import httpx2")],
    impure_rules: [
        ("workflows/rules/a.py", "import temporalio"),
        ("workflows/rules/b.py", "from workflows.ports import Clock"),
        ("workflows/rules/c.py", "import holidays"),
    ],
    waiting_rules: [
        ("workflows/rules/a.py", "async def f(): ..."),
        ("workflows/rules/b.py", "x = open('words.txt')"),
        ("workflows/rules/c.py", "import random"),
    ],
    rooms_in_a_circle: [
        ("memory/a.py", "from memory import b"),
        ("workers/desk/a.py", "from workers.service.b import b"),
        ("workflows/rules/text/a.py", "from workflows.rules.mail.b import c"),
    ],
    too_long: [("agents/a.py", LONG)],
}


BACK = {  # what closes the circle
    "memory/a.py": {"memory/b.py": "import memory.a"},
    "workers/desk/a.py": {
        "workers/service/b.py": "from workers.temporal import c",
        "workers/temporal/c.py": "from workers.desk.a import d",
    },
    "workflows/rules/text/a.py": {"workflows/rules/mail/b.py": "from workflows.rules.text import a"},
}


@pytest.mark.parametrize(
    ("rule", "path", "code"),
    [(rule, *bad) for rule, all_bad in BAD.items() for bad in all_bad],
    ids=lambda v: getattr(v, "__name__", str(v)),
)
def test_each_rule_sees_what_breaks_it(rule: Callable[[Path], list[str]], path: str, code: str, tmp_path: Path) -> None:
    (tmp_path / path).parent.mkdir(parents=True)
    (tmp_path / path).write_text(code)
    for back, words in BACK.get(path, {}).items():
        (tmp_path / back).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / back).write_text(words)
    violations = rule(tmp_path)
    assert violations
    assert path in " ".join(violations)


def test_a_good_tree_breaks_nothing(tmp_path: Path) -> None:
    good = {
        "workflows/rules/text/calendar.py": "import holidays\nfrom workflows.models.mail import Email\n",
        "workflows/case.py": "from temporalio import workflow\nfrom workflows.models.mail import Email\n",
        "tools/web/client.py": "import httpcore2\n",
        "memory/index/store.py": "import chromadb\nfrom workflows.errors import Retryable\n",
        "tools/mail/sending/outbox.py": "import aiosmtplib\nfrom memory.index.store import Store\n",
        "agents/reply.py": "from langgraph.graph import StateGraph\nimport time\nx = time.monotonic()\n",
        "workers/settings/environ.py": "import os\nx = os.environ\n",
        "workers/clock.py": "from datetime import datetime, UTC\nx = datetime.now(UTC)",
        "workers/service/wiring.py": "from workflows.case import Case",
        "workers/__init__.py": "",
    }
    for path, code in good.items():
        (tmp_path / path).parent.mkdir(parents=True, exist_ok=True)
        (tmp_path / path).write_text(code)
    assert {rule.__name__: rule(tmp_path) for rule in RULES if rule(tmp_path)} == {}


def test_every_rule_is_tried() -> None:
    assert set(BAD) == set(RULES)
