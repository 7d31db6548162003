"""`bench`: every module under bench/ has `run(full)`, which yields figures (a plain or an async generator).

A figure is a mapping with at least `id value goal ok`; `floor` and `ratio` where a floor was measured in the same run.
"""

import asyncio
import importlib
import sys
import traceback
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.commands.output import Output, table
from workflows.errors import DeskhandError, NeedsOwner

FOLDER = Path(__file__).resolve().parents[2] / "bench"

Figure = Mapping[str, Any]


def run(output: Output, name: str, *, full: bool, folder: Path = FOLDER) -> int:
    """Run one measurement or all; 1 when a goal is missed or a measurement failed: the others are run all the same.

    Raises:
        NeedsOwner: there is no measurement of that name.
        Exception: what the only measurement failed of, after the figures it gave.
    """
    chosen = _chosen(folder, name)
    figures: list[Figure] = []
    faults = [fault for one in chosen if (fault := _fault(output, folder, one, figures, full=full))]
    rows = [("FIGURE", "VALUE", "FLOOR", "RATIO", "GOAL", ""), *(_row(figure) for figure in figures)]
    output.text(table(rows, {}))
    if faults and len(chosen) == 1:
        raise faults[0]
    return 0 if not faults and all(figure["ok"] for figure in figures) else 1


def _fault(output: Output, folder: Path, name: str, figures: list[Figure], *, full: bool) -> Exception | None:
    """Measure, and what it failed of: one that fails costs the figures of no other."""
    try:
        _measure(output, folder, name, figures, full=full)
    except Exception as error:  # noqa: BLE001 - a measurement is any code, so any error is its own
        problem = str(error) if isinstance(error, DeskhandError) else f"{type(error).__name__}: {error}"
        output.event("failed", name=name, problem=problem)
        print(f"{name} failed: {problem}", file=sys.stderr, flush=True)
        if output.debug:
            traceback.print_exception(error)
        return error
    return None


def _chosen(folder: Path, name: str) -> list[str]:
    names = sorted(path.stem for path in folder.glob("*.py") if _is_measurement(path))
    if name and name not in names:
        raise NeedsOwner(f'There is no measurement "{name}".', f"There are: {', '.join(names) or 'none yet'}.")
    return [name] if name else names


def _is_measurement(path: Path) -> bool:
    text = path.read_text("utf-8")
    return not path.stem.startswith("_") and ("\ndef run(" in text or "\nasync def run(" in text)


def _measure(output: Output, folder: Path, name: str, figures: list[Figure], *, full: bool) -> None:
    """Run one measurement; its figures are told and kept as they come."""
    if str(folder.parent) not in sys.path:
        sys.path.insert(0, str(folder.parent))
    print(f"{name} ...", file=sys.stderr, flush=True)
    before = len(figures)
    found = importlib.import_module(f"{folder.name}.{name}").run(full)
    if hasattr(found, "__aiter__"):
        asyncio.run(_gather(output, found, figures))
    else:
        _take(output, found, figures)
    if len(figures) == before:
        raise NeedsOwner(f"The measurement {name} gave no figure.", f"Mend bench/{name}.py.")


def _take(output: Output, found: Iterable[Figure], figures: list[Figure]) -> None:
    for figure in found:
        figures.append(_told(output, figure))  # noqa: PERF401 - those before a fault stay


async def _gather(output: Output, found: AsyncIterator[Figure], figures: list[Figure]) -> None:
    async for figure in found:
        figures.append(_told(output, figure))  # noqa: PERF401 - those before a fault stay


def _told(output: Output, figure: Figure) -> Figure:
    output.event("figure", **figure)
    return figure


def _row(figure: Figure) -> tuple[str, ...]:
    shown = ("id", "value", "floor", "ratio", "goal")
    cells = tuple("" if figure.get(key) is None else str(figure[key]) for key in shown)
    return *cells, "ok" if figure["ok"] else "MISSED"
