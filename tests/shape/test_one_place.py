"""One place: what a home remembers by name, where a case begins, and who reads a mail, each one module."""

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.shape.test_sizes import ROOT, paths, where

ONE_PLACE = {"meta": "memory/record/meta.py", "cases": "memory/record/openings.py"}
"""The table, and the one module that inserts its rows."""


def inserts(root: Path, table: str) -> Iterator[str]:
    """The modules that insert a row of this table."""
    for path in sorted((root / "memory").rglob("*.py")):
        for node in ast.walk(ast.parse(path.read_text("utf-8"))):
            if (
                isinstance(node, ast.Call)
                and _name(node.func) == "insert"
                and node.args
                and _name(node.args[0]) == table
            ):
                yield where(path, root)


def _name(node: ast.expr) -> str:
    return node.id if isinstance(node, ast.Name) else node.attr if isinstance(node, ast.Attribute) else ""


@pytest.mark.parametrize("table", ONE_PLACE)
def test_a_table_that_all_use_is_written_in_one_place(table: str) -> None:
    assert set(inserts(ROOT, table)) == {ONE_PLACE[table]}


def test_a_second_place_is_found(tmp_path: Path) -> None:
    (tmp_path / "memory").mkdir()
    (tmp_path / "memory/other.py").write_text("row = insert(schema.meta).values(key='a')")
    assert list(inserts(tmp_path, "meta")) == ["memory/other.py"]


READERS = {
    "hold_reason": {"workflows/rules/reading.py"},
    "payment_in": {"workflows/rules/reading.py"},
    "money_words": {"workflows/rules/reading.py"},
    "alerts": {"workflows/rules/reading.py"},
}
"""A reader of a mail's words, and who calls it: the others take what it read from the `Reading`."""


@pytest.mark.parametrize("reader", READERS)
def test_a_mail_is_read_once(reader: str) -> None:
    assert set(calls(ROOT, reader)) == READERS[reader]


def calls(root: Path, function: str) -> Iterator[str]:
    """The modules of the product that call this function, the one that defines it left out."""
    for path in paths(root):
        tree = ast.parse(path.read_text("utf-8"))
        if any(isinstance(node, ast.FunctionDef) and node.name == function for node in tree.body):
            continue
        if any(isinstance(node, ast.Call) and _name(node.func) == function for node in ast.walk(tree)):
            yield where(path, root)
