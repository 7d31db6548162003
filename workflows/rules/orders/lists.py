"""Lists of orders: what help mails and commands read of the rows, and an order in words, in the owner's language.

English is always read, whatever the language: what is shown is the first phrase of the language's own list.
"""

import re
from collections.abc import Mapping
from dataclasses import fields
from datetime import datetime
from typing import Any

from workflows.models.orders import Change, Fix, StopAll
from workflows.models.people import Owner
from workflows.rules.orders.row import HelpLine, OrderRow
from workflows.rules.orders.rows import ROWS, in_language, row_of
from workflows.rules.orders.words import words_of
from workflows.rules.text.calendar import format_deadline
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import ENGLISH, known_language, words_in

_SHOWN = 160
_COLUMN = 19  # characters of an order before what it does


def in_words(order: Change | Fix, owner: Owner) -> str:
    """The order as a person writes it in the owner's language, whatever language it was given in."""
    row = row_of(order)
    if row is None:
        return ""
    values = [getattr(order, part.name) for part in fields(order) if part.name not in {"kind", *row.fixed}]
    words = [format_deadline(value, owner) if isinstance(value, datetime) else str(value) for value in values]
    return one_line(" ".join((name_of(row, owner.language), *words)), _SHOWN)


def name_of(row: OrderRow[Any], language: str) -> str:
    """The order's own words in a language: the first of its list."""
    if known_language(language, "orders") == ENGLISH:
        return row.name
    return str(words_of(language).get(row.key, [row.name])[0])


def help_list(language: str) -> str:
    """Each order as it is written, and what it does: one line each."""
    return "\n".join(f"{example:<{_COLUMN}}  {does}" for example, does in help_lines(language))


def help_lines(language: str) -> list[tuple[str, str]]:
    """The same as pairs."""
    return [
        (example_in(row, line, language), in_language(row.key, f"does_{number}", language, line.does))
        for row in ROWS
        for number, line in enumerate(row.help, 1)
    ]


def example_in(row: OrderRow[Any], line: HelpLine, language: str) -> str:
    """The row's example as it is written in a language: its words, then the same client, number or day."""
    rest = line.example.removeprefix(row.name).strip()
    return " ".join(filter(None, (name_of(row, language), *(_in_language(word, language) for word in _parts(rest)))))


def _parts(rest: str) -> list[str]:
    """The words behind an order's name, a day and its month together."""
    return re.findall(r"\d+ [A-Z][a-z]{2}\b|\S+", rest)


def _in_language(word: str, language: str) -> str:
    """A word of an example that is not the same in every language: a day, a kind of mail."""
    days: Mapping[str, str] = words_in(language, "voice").get("examples", {})
    return days.get(word, word)


def done_at_once(language: str) -> tuple[str, ...]:
    """The orders that a mail gives which answers none of ours: what tells, then what only holds."""
    at_once = [row for row in ROWS if row.help and not row.changes]
    return tuple(name_of(row, language) for row in sorted(at_once, key=lambda row: row.order is StopAll))


def commands() -> tuple[tuple[OrderRow[Any], ...], ...]:
    """The commands at the machine, each with its orders: first the one that is meant without a switch."""
    rows = [(row, row.command) for row in ROWS if row.command]
    return tuple(
        tuple(row for row, line in sorted(rows, key=lambda pair: bool(pair[1].switch)) if line.name == name)
        for name in dict.fromkeys(line.name for _, line in rows)
    )
