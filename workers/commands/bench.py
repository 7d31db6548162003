"""`bench`: every module under bench/ has `run(full)`, which yields figures (a plain or an async generator).

A figure is a mapping with at least `id value goal ok`; `floor` and `ratio` where a floor was measured in the same run.
"""

import asyncio
import importlib
import sys
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.commands.output import Output, table
from workflows.errors import NeedsOwner

FOLDER = Path(__file__).resolve().parents[2] / "bench"

Figure = Mapping[str, Any]


def run(output: Output, name: str, *, full: bool, folder: Path = FOLDER) -> int:
    """Run one measurement or all; 1 when a goal is missed.

    Raises:
        NeedsOwner: there is no measurement of that name.
    """
    figures = [figure for one in _chosen(folder, name) for figure in _measure(output, folder, one, full=full)]
    rows = [("FIGURE", "VALUE", "FLOOR", "RATIO", "GOAL", ""), *(_row(figure) for figure in figures)]
    output.text(table(rows, {}))
    return 0 if all(figure["ok"] for figure in figures) else 1


def _chosen(folder: Path, name: str) -> list[str]:
    names = sorted(path.stem for path in folder.glob("*.py") if _is_measurement(path))
    if name and name not in names:
        raise NeedsOwner(f'There is no measurement "{name}".', f"There are: {', '.join(names) or 'none yet'}.")
    return [name] if name else names


def _is_measurement(path: Path) -> bool:
    text = path.read_text("utf-8")
    return not path.stem.startswith("_") and ("\ndef run(" in text or "\nasync def run(" in text)


def _measure(output: Output, folder: Path, name: str, *, full: bool) -> list[Figure]:
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    print(f"{name} ...", file=sys.stderr, flush=True)
    found = importlib.import_module(f"{folder.name}.{name}").run(full)
    figures = asyncio.run(_gather(output, found)) if hasattr(found, "__aiter__") else _take(output, found)
    if not figures:
        raise NeedsOwner(f"The measurement {name} gave no figure.", f"Mend bench/{name}.py.")
    return figures


def _take(output: Output, found: Iterable[Figure]) -> list[Figure]:
    return [_told(output, figure) for figure in found]


async def _gather(output: Output, found: AsyncIterator[Figure]) -> list[Figure]:
    return [_told(output, figure) async for figure in found]


def _told(output: Output, figure: Figure) -> Figure:
    output.event("figure", **figure)
    return figure


def _row(figure: Figure) -> tuple[str, ...]:
    shown = ("id", "value", "floor", "ratio", "goal")
    cells = tuple("" if figure.get(key) is None else str(figure[key]) for key in shown)
    return *cells, "ok" if figure["ok"] else "MISSED"
