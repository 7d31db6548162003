"""Foreign items, one by one: what cannot be read is set aside with its reason, and the others are read."""

import hashlib
from collections.abc import Callable, Iterable
from typing import Any, Final, TypeVar

from workflows.rules.text.canonical import one_line

Row = TypeVar("Row")
UNREADABLE: Final = "unreadable"
"""The key of an item that says why it cannot be read; `rules/leads/lead.py` sets it aside."""
_SHOWN = 200


def each(rows: Iterable[Row], read: Callable[[Row], dict[str, Any] | None]) -> list[dict[str, Any]]:
    """What `read` makes of every row; None is left out, and one that it breaks on becomes an item that says so."""
    items = []
    for row in rows:
        try:
            item = read(row)
        except Exception as error:  # noqa: BLE001  whatever one row provokes, the next must be read
            item = unreadable(row, f"it broke what reads it ({one_line(f'{type(error).__name__}: {error}', _SHOWN)})")
        if item is not None:
            items.append(item)
    return items


def unreadable(row: object, why: str) -> dict[str, Any]:
    """An item that stands for one that cannot be read; the same row is the same item the next time."""
    excerpt = _shown(row)
    digest = hashlib.sha256(excerpt.encode("utf-8", "replace")).hexdigest()[:16]
    return {"id": f"?{digest}", "title": _title(row), UNREADABLE: f"An item of the source was left out: {why}."}


def _title(row: object) -> str:
    title = row.get("title") if isinstance(row, dict) else None
    return title[:_SHOWN] if isinstance(title, str) else ""


def _shown(row: object) -> str:
    try:
        return repr(row)[:20_000] if isinstance(row, dict | list | str | int | float | None) else _of_element(row)
    except Exception:  # noqa: BLE001  even what it says of itself may be broken
        return type(row).__name__


def _of_element(row: Any) -> str:
    return "\n".join(row.itertext())[:20_000] if hasattr(row, "itertext") else type(row).__name__
