"""Figures in the shape that the contract names, and the sums they need."""

from collections.abc import Awaitable, Sequence
from statistics import median
from typing import Any

Figure = dict[str, Any]


def at_most(name: str, value: float, goal: float, **more: object) -> Figure:
    """A figure whose value may not pass the goal."""
    return {"id": name, "value": _short(value), "goal": f"<= {goal:g}", "ok": value <= goal, **more}


def at_least(name: str, value: float, goal: float, **more: object) -> Figure:
    """A figure whose value must reach the goal."""
    return {"id": name, "value": _short(value), "goal": f">= {goal:g}", "ok": value >= goal, **more}


def stated(name: str, value: float, **more: object) -> Figure:
    """A figure without a goal of its own."""
    return {"id": name, "value": _short(value), "goal": "stated", "ok": True, **more}


def against_floor(
    name: str, values: Sequence[float], floors: Sequence[float], *, most: float = 0, least: float = 0, **more: object
) -> Figure:
    """Medians of the thing and of its floor, taken in turn; the goal is for their ratio."""
    value, floor = median(values), median(floors)
    ratio = value / floor
    return {
        "id": name,
        "value": _short(value),
        "floor": _short(floor),
        "ratio": round(ratio, 3),
        "goal": f"<= {most:g}" if most else f">= {least:g}",
        "ok": ratio <= most if most else ratio >= least,
        "runs": len(values),
        **more,
    }


async def finished(name: str, measuring: Awaitable[Figure]) -> Figure:
    """The figure, or instead of it what it failed of: the other figures of a measurement go on."""
    try:
        return await measuring
    except Exception as fault:  # noqa: BLE001 - a measurement is any code; `bench` says what went wrong
        return {"id": name, "ok": False, "fault": fault}


def _short(value: float) -> float:
    return value if isinstance(value, int) else round(value, 4)
