"""The tables of docs/troubleshooting.md: every sentence by which Deskhand asks its owner to mend something.

They are read from the code. After a change of a sentence: `./.venv/bin/python -m tests.sentences`.
"""

import ast
import re
from collections.abc import Iterator, Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "troubleshooting.md"
BEGIN, END = "<!-- tables: made by tests/sentences.py -->\n", "<!-- end of tables -->\n"

SECTIONS = {
    "Settings": ("workers/settings/*.py", "workers/setup/init.py", "workers/setup/discovery.py"),
    "Home, disk and ledger": ("workers/home.py", "memory/*.py", "memory/*/*.py"),
    "Mailbox and sending": ("tools/mail/*.py", "tools/mail/*/*.py"),
    "Language model": ("agents/*.py",),
    "Temporal": ("workers/temporal/server.py", "workers/temporal/process.py", "workers/temporal/temporal_cli.py"),
    "Commands and the service": (
        "workers/commands/*.py", "workers/voice/*.py", "workers/control.py",
        "workers/service/handlers.py", "workers/demo/*.py",
        "workers/service/supervisor.py", "workers/service/watching.py", "workers/desk/settling.py",
        "workers/setup/suite.py",
    ),
    "Projects and time": ("tools/work/*.py", "workers/sources/work.py"),
    "Sources of job posts and plugins": ("tools/feeds.py", "tools/plugins.py", "workers/sources/feeds.py"),
    "Only in `check`": ("workers/check/*.py",),
}  # fmt: skip
ERRORS = {"NeedsOwner", "NotRunning", "Unreachable", "PortTakenError", "Warned"}


def tables() -> str:
    """The whole generated part of the page."""
    parts = []
    for title, patterns in SECTIONS.items():
        rows = sorted({row for pattern in patterns for path in ROOT.glob(pattern) for row in sentences(path)})
        lines = [f"| {problem} | {mend} |" for problem, mend in rows]
        parts.append("\n".join([f"### {title}", "", "| it says | mend it |", "|---|---|", *lines]))
    return "\n" + "\n\n".join(parts) + "\n\n"


def page(text: str) -> str:
    """The page's text with its tables as the code has them now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{tables()}{END}{rest.split(END)[1]}"


def sentences(path: Path) -> Iterator[tuple[str, str]]:
    """(problem, mend) of every error for the owner that a module raises, what varies shown as a word in capitals."""
    tree = ast.parse(path.read_text("utf-8"))
    for function in ast.walk(tree):
        if not isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            continue
        names = _texts_by_name(function)
        for call in ast.walk(function):
            if isinstance(call, ast.Call) and getattr(call.func, "id", "") in ERRORS and call.args:
                problem, mend = ([*(_text(arg, names) for arg in call.args), ""])[:2]
                if re.search("[a-z]", problem):
                    yield problem, mend


def _texts_by_name(function: ast.AST) -> Mapping[str, ast.expr]:
    assigned = [node for node in ast.walk(function) if isinstance(node, ast.Assign) and len(node.targets) == 1]
    return {
        node.targets[0].id: node.value
        for node in assigned
        if isinstance(node.targets[0], ast.Name) and isinstance(node.value, ast.Constant | ast.JoinedStr)
    }


def _text(node: ast.expr, names: Mapping[str, ast.expr]) -> str:
    """What a reader sees of an expression: its fixed words, and its name in capitals for what varies."""
    if isinstance(node, ast.Name) and node.id in names:
        return _text(names[node.id], {})
    if isinstance(node, ast.Constant):
        return str(node.value).replace("|", "\\|").replace("<", "&lt;").replace("\n", " ")
    if isinstance(node, ast.JoinedStr):
        shown = "".join(f"\0{_text(part, names)}" if _varies(part) else _text(part, names) for part in node.values)
        return re.sub(r"(?<=[A-Z…])\0", " ", shown).replace("\0", "")
    if isinstance(node, ast.FormattedValue):
        return _text(node.value, names)
    if isinstance(node, ast.Attribute | ast.Name):
        name = node.attr if isinstance(node, ast.Attribute) else node.id
        return "…" if name in {"strerror", "problem", "error", "mend"} else name.strip("_").upper()
    return "…"


def _varies(node: ast.expr) -> bool:
    return isinstance(node, ast.FormattedValue)


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
