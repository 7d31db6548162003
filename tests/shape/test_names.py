"""Names of the product: a public class is called what no other class is, and a local says what it holds.

Each figure is a function from a tree, and is tried on a small bad tree first: it can fail.
"""

import ast
from collections import defaultdict
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shape.test_sizes import PACKAGES, ROOT, paths, where

MOST_VAGUE = 0.02
"""The share of a package's locals that may say nothing."""
VAGUE = frozenset(
    {
        "about", "again", "another", "any", "asked", "begun", "both", "done", "found", "given", "gone", "got", "held",
        "here", "it", "kept", "known", "left", "made", "mine", "more", "one", "other", "others", "ours", "own", "rest",
        "said", "same", "says", "seen", "shown", "some", "stated", "still", "taken", "that", "theirs", "there", "these",
        "thing", "things", "this", "those", "told", "wanted", "what", "when", "where", "which", "who", "whole", "whose",
        "why",
    }
)  # fmt: skip
"""Pronouns, participles and adverbs: names that could stand for anything."""


def clashes(root: Path) -> dict[str, list[str]]:
    """The public class names that more than one module defines, each with its modules."""
    homes: dict[str, list[str]] = defaultdict(list)
    for path in paths(root):
        for node in ast.parse(path.read_text("utf-8")).body:
            if isinstance(node, ast.ClassDef) and not node.name.startswith("_"):
                homes[node.name].append(where(path, root))
    return {name: modules for name, modules in sorted(homes.items()) if len(modules) > 1}


def locals_of(path: Path) -> Iterator[tuple[int, str]]:
    """The locals of a module: the names that a function binds, once for each function that holds them."""
    for function in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(function, ast.FunctionDef | ast.AsyncFunctionDef):
            bound = (node for node in ast.walk(function) if isinstance(node, ast.Name))
            yield from {node.id: (node.lineno, node.id) for node in bound if isinstance(node.ctx, ast.Store)}.values()


def vague(package: Path) -> tuple[list[str], float]:
    """The locals of a package that say nothing, as `path:line name`, and their share of all."""
    every = [(path, line, name) for path in sorted(package.rglob("*.py")) for line, name in locals_of(path)]
    empty = [f"{where(path, package.parent)}:{line} {name}" for path, line, name in every if name in VAGUE]
    return empty, len(empty) / max(len(every), 1)


def test_a_public_class_name_is_unique() -> None:
    assert clashes(ROOT) == {}, "give each of them a noun of its own"


@pytest.mark.parametrize("package", PACKAGES)
def test_locals_say_what_they_hold(package: str, capsys: pytest.CaptureFixture[str]) -> None:
    empty, share = vague(ROOT / package)
    with capsys.disabled():
        print(f"\nlocals of {package} that say nothing: {share:.1%}")
    assert share < MOST_VAGUE, "\n".join(empty)


def test_both_figures_see_what_breaks_them(tmp_path: Path) -> None:
    for package, line in (("memory", "class Entry:"), ("tools", "class Entry:"), ("agents", "class _Entry:")):
        (tmp_path / package).mkdir()
        (tmp_path / package / "module.py").write_text(f"{line}\n    pass\n")
    (tmp_path / "workers").mkdir()
    (tmp_path / "workers" / "module.py").write_text(
        "async def read(rows, what):\n    found = [one for one in rows]\n    invoice, entry = found\n    found = what\n"
    )
    assert clashes(tmp_path) == {"Entry": ["memory/module.py", "tools/module.py"]}
    assert vague(tmp_path / "memory") == ([], 0)
    assert vague(tmp_path / "workers") == (["workers/module.py:4 found", "workers/module.py:2 one"], 0.5)
