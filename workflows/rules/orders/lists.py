"""Lists of orders: what help mails and commands read of the rows, and an order in words."""

from dataclasses import fields
from datetime import datetime
from typing import Any

from workflows.models.orders import Change, Fix, StopAll
from workflows.models.people import Owner
from workflows.rules.orders.row import HelpLine, OrderRow
from workflows.rules.orders.rows import ROWS, row_of
from workflows.rules.text.calendar import format_deadline
from workflows.rules.text.canonical import one_line

_SHOWN = 160
_COLUMN = 19  # characters of an order before what it does


def in_words(order: Change | Fix, owner: Owner) -> str:
    """The order as a person writes it, whatever language it was given in."""
    row = row_of(order)
    if row is None:
        return ""
    values = [getattr(order, part.name) for part in fields(order) if part.name not in {"kind", *row.fixed}]
    words = [format_deadline(value, owner) if isinstance(value, datetime) else str(value) for value in values]
    return one_line(" ".join((row.name, *words)), _SHOWN)


def help_list() -> str:
    """Each order as it is written, and what it does: one line each."""
    return "\n".join(_aligned(line) for row in ROWS for line in row.help)


def done_at_once() -> tuple[str, ...]:
    """The orders that a mail gives which answers none of ours: what tells, then what only holds."""
    at_once = [row for row in ROWS if row.help and not row.changes]
    return tuple(row.name for row in sorted(at_once, key=lambda row: row.order is StopAll))


def commands() -> tuple[tuple[OrderRow[Any], ...], ...]:
    """The commands at the machine, each with its orders: first the one that is meant without a switch."""
    rows = [(row, row.command) for row in ROWS if row.command]
    return tuple(
        tuple(row for row, line in sorted(rows, key=lambda pair: bool(pair[1].switch)) if line.name == name)
        for name in dict.fromkeys(line.name for _, line in rows)
    )


def _aligned(line: HelpLine) -> str:
    return f"{line.example:<{_COLUMN}}  {line.does}"
