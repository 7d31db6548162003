"""`bench`: every module under bench/ has `run(full)`, which yields figures (a plain or an async generator).

A figure is a mapping with at least `id value goal ok`; `floor` and `ratio` where a floor was measured in the same run.
One that could not be finished is `id ok fault`: its fault is said in a sentence, and the others go on.
"""

import asyncio
import importlib
import sys
import traceback
from collections.abc import AsyncIterator, Iterable, Mapping
from pathlib import Path
from typing import Any

from workers.voice.output import Output, table
from workflows.errors import DeskhandError, NeedsOwner

FOLDER = Path(__file__).resolve().parents[2] / "bench"

Figure = Mapping[str, Any]


def run(output: Output, name: str, *, full: bool, folder: Path = FOLDER) -> int:
    """Run one measurement or all; 1 when a goal is missed or a measurement failed: the others are run all the same.

    Raises:
        NeedsOwner: there is no measurement of that name, or the only one needs something of the owner first.
    """
    chosen = _chosen(folder, name)
    figures: list[Figure] = []
    faults = [fault for measurement in chosen if (fault := _fault(output, folder, measurement, figures, full=full))]
    faults += [figure["fault"] for figure in figures if "fault" in figure]
    rows = [("FIGURE", "VALUE", "FLOOR", "RATIO", "GOAL", ""), *(_row(figure) for figure in figures)]
    output.text(table(rows, {}))
    if len(chosen) == 1 and faults and isinstance(faults[0], NeedsOwner):
        raise faults[0]
    return 0 if not faults and all(figure["ok"] for figure in figures) else 1


def _fault(output: Output, folder: Path, name: str, figures: list[Figure], *, full: bool) -> Exception | None:
    """Measure, and what it failed of: one that fails costs the figures of no other."""
    try:
        _measure(output, folder, name, figures, full=full)
    except Exception as error:  # noqa: BLE001 - a measurement is any code, so any error is its own
        _tell_fault(output, name, error)
        return error
    return None


def _tell_fault(output: Output, name: str, error: Exception, figure: str = "") -> None:
    """That a measurement, or one figure of it, could not be finished: what it waited for, and what to do."""
    problem = sentence(error, name)
    output.event("failed", name=name, **({"id": figure} if figure else {}), problem=problem)
    print(f"{figure or name} could not be finished: {problem}", file=sys.stderr, flush=True)
    if output.debug:
        traceback.print_exception(error)


def sentence(error: Exception, name: str) -> str:
    """What went wrong in a measurement and what to do about it."""
    if isinstance(error, DeskhandError):
        return str(error)
    advice = f"run ./deskhand bench {name} again, with --debug to see where it stood"
    if isinstance(error, TimeoutError | AssertionError):
        reason = str(error).rstrip(".") or f"What it waited for did not come or did not hold at {_place(error)}"
        return f"{reason}. If other programs keep this machine busy, end them; {advice}."
    return f"{type(error).__name__} at {_place(error)}: {error or 'no word'}. Mend that and {advice}."


def _place(error: Exception) -> str:
    """The last line of its own that it went through, not of what runs it."""
    libraries = (sys.prefix, sys.base_prefix, __file__)
    steps = [step for step in traceback.extract_tb(error.__traceback__) if not step.filename.startswith(libraries)]
    frames = [step for step in steps if not step.filename.endswith("_figures.py")] or steps
    return f"{Path(frames[-1].filename).name}:{frames[-1].lineno} ({frames[-1].line})" if frames else "an unknown place"


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
    results = importlib.import_module(f"{folder.name}.{name}").run(full)
    if hasattr(results, "__aiter__"):
        asyncio.run(_gather(output, name, results, figures))
    else:
        _take(output, name, results, figures)
    if len(figures) == before:
        raise NeedsOwner(f"The measurement {name} gave no figure.", f"Mend bench/{name}.py.")


def _take(output: Output, name: str, found: Iterable[Figure], figures: list[Figure]) -> None:
    for figure in found:
        figures.append(_told(output, name, figure))  # noqa: PERF401 - those before a fault stay


async def _gather(output: Output, name: str, found: AsyncIterator[Figure], figures: list[Figure]) -> None:
    async for figure in found:
        figures.append(_told(output, name, figure))  # noqa: PERF401 - those before a fault stay


def _told(output: Output, name: str, figure: Figure) -> Figure:
    if "fault" in figure:
        _tell_fault(output, name, figure["fault"], str(figure["id"]))
    else:
        output.event("figure", **figure)
    return figure


def _row(figure: Figure) -> tuple[str, ...]:
    columns = ("id", "value", "floor", "ratio", "goal")
    cells = tuple("" if figure.get(key) is None else str(figure[key]) for key in columns)
    return *cells, "NOT FINISHED" if "fault" in figure else "ok" if figure["ok"] else "MISSED"
