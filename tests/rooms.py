"""The tables of docs/rooms.md: every module, in its room, with the first sentence of its docstring.

They are read from the code. After a module is added, moved or described anew: `./.venv/bin/python -m tests.rooms`.
"""

import ast
from collections.abc import Iterator
from itertools import groupby
from pathlib import Path

ROOT = Path(__file__).resolve().parents[1]
PAGE = ROOT / "docs" / "rooms.md"
PACKAGES = ("workflows", "memory", "tools", "agents", "workers")
BEGIN, END = "<!-- tables: made by tests/rooms.py -->\n", "<!-- end of tables -->\n"


def modules() -> Iterator[Path]:
    """Every module of the product below the root, room by room."""
    for package in PACKAGES:
        paths = (path.relative_to(ROOT) for path in (ROOT / package).rglob("*.py") if path.stem != "__init__")
        yield from sorted(paths, key=lambda path: (path.parent, path.name))


def tables() -> str:
    """The whole generated part of the page."""
    parts = []
    for room, paths in groupby(modules(), key=lambda path: path.parent):
        rows = [f"| `{path.stem}` | {described(path)} |" for path in paths]
        parts.append("\n".join([f"## {room.as_posix()}/", "", "| module | what it is |", "|---|---|", *rows]))
    return "\n" + "\n\n".join(parts) + "\n\n"


def described(path: Path) -> str:
    """The first paragraph of a module's docstring, on one line."""
    text = ast.get_docstring(ast.parse((ROOT / path).read_text("utf-8"))) or ""
    return " ".join(text.partition("\n\n")[0].split()).replace("|", "\\|").replace("<", "&lt;")


def page(text: str) -> str:
    """The page's text with its tables as the code has them now."""
    before, rest = text.split(BEGIN)
    return f"{before}{BEGIN}{tables()}{END}{rest.split(END)[1]}"


if __name__ == "__main__":
    PAGE.write_text(page(PAGE.read_text("utf-8")), "utf-8")
