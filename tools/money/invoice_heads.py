"""Column heads of invoice files in the languages of their owners: which column is which is data (invoices.toml)."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from workflows.rules.text.money import currency_of
from workflows.rules.text.words import fold

_TABLE = Path(__file__).with_name("invoices.toml")
_MARKS = re.compile(r"[\s_.:*/-]+")
_IN_BRACKETS = re.compile(r"[(\[]([^)\]]{1,12})[)\]]|\s(?:in\s)?(\S{1,4})$")


@dataclass(frozen=True, slots=True, kw_only=True)
class Heads:
    """The heads of one file. `columns`: our name of each, its own where it is none of ours."""

    columns: tuple[str, ...]
    currency: str = ""  # that the amount's head names: "Betrag (EUR)"
    day_first: bool = False  # 31/10/2026 has one reading in such a file


def heads(cells: Sequence[str]) -> Heads:
    """Which column is which. A head of our own counts first; of several for one column, the first in the data."""
    plain = [_plain(cell) for cell in cells]
    keys = [cell.strip().lower().replace(" ", "_") for cell in cells]
    columns, currency, distinct_keys = list(keys), "", set(keys)
    for column, names in _data()["columns"].items():
        bare = [
            _without_currency(cell, head) if column in {"amount", "paid"} else head
            for cell, head in zip(cells, plain, strict=True)
        ]
        at = (
            keys.index(column)
            if column in distinct_keys
            else next((bare.index(name) for name in names if name in bare), -1)
        )
        if at < 0 or (columns[at] in _data()["columns"] and columns[at] != keys[at]):
            continue
        if column == "amount" and bare[at] != plain[at]:
            currency = _currency(cells[at])
        if column not in distinct_keys:
            columns[at] = column
    first = any(word in head for word in _data()["day_first"]["languages"] for head in plain)
    return Heads(columns=tuple(columns), currency=currency, day_first=first)


def all_or_nothing(cell: str) -> str:
    """What a word in the column of what was paid means, "all" or "none"; "" where an amount stands there."""
    return next((kind for kind in ("all", "none") if fold(cell) in _folded(kind)), "")


def country_code(cell: str) -> str:
    """The code of a country's name as owners write it; the cell itself where it is none of these."""
    return next((code for code, names in _data()["countries"].items() if fold(cell) in map(fold, names)), cell)


def _plain(cell: str) -> str:
    return _MARKS.sub(" ", fold(cell)).strip()


def _without_currency(cell: str, head: str) -> str:
    named = _IN_BRACKETS.search(cell)
    return _plain(cell[: named.start()]) if named and _currency(cell) else head


def _currency(cell: str) -> str:
    named = _IN_BRACKETS.search(cell.strip())
    return currency_of(named[1] or named[2]) if named else ""


@cache
def _folded(kind: str) -> frozenset[str]:
    return frozenset(fold(word) for word in _data()["words"][kind])


@cache
def _data() -> dict[str, Any]:
    data = tomllib.loads(_TABLE.read_text(encoding="utf-8"))
    return data | {"columns": {column: [_plain(name) for name in names] for column, names in data["columns"].items()}}
