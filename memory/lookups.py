"""Lookups: the journal of read tools: each call of a draft is begun once, and its answer is given again after a crash.

The key is (case, version, step, ordinal), as in the journal of model calls. The same tool with the same arguments is
the same call, whatever its ordinal: a step that is tried again gets the answer that there was. A call that was begun
and never ended was cut off by a crash; it counts as made, and is not made again.
"""

import json
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import RowMapping, func, insert, select, update

from memory.journal import CallKey
from memory.record.book import Book
from memory.record.schema import lookups

CUT_OFF = "It was cut off by a crash and is not asked again."


@dataclass(frozen=True, slots=True, kw_only=True)
class Answered:
    """How a call ended: `answer` as it was kept, or `problem`, why there is none."""

    answer: str = ""
    problem: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class LastCall:
    """When a tool was asked last, and what was wrong then ("" when it answered)."""

    at: datetime
    problem: str = ""


class Lookups(Book):
    """Calls of read tools in the ledger's table `lookups`."""

    def begin(self, key: CallKey, tool: str, arguments: Mapping[str, Any]) -> CallKey | Answered:
        """Room for this call under the key that is given back, or how it ended before."""
        text = json.dumps(arguments, sort_keys=True, ensure_ascii=False)
        with self._writing() as connection:
            step = _step(key)
            earlier = connection.execute(
                select(lookups).where(step & (lookups.c.tool == tool) & (lookups.c.arguments == text))
            ).mappings().first()  # fmt: skip
            if earlier is not None:
                return _ended(earlier["state"], earlier["answer"])
            taken = connection.execute(
                select(func.max(lookups.c.ordinal)).where(step & (lookups.c.ordinal >= key.ordinal))
            ).scalar()
            ordinal = key.ordinal if taken is None else taken + 1
            row = {"tool": tool, "arguments": text, "state": "begun", "at": self._clock.now()}
            place = CallKey(case=key.case, version=key.version, step=key.step, ordinal=ordinal)
            connection.execute(
                insert(lookups).values(
                    case=place.case, version=place.version, step=place.step, ordinal=place.ordinal, **row
                )
            )
            return place

    def finish(self, place: CallKey, answer: str) -> None:
        """Keep what the tool told."""
        self._end(place, "done", answer)

    def failed(self, place: CallKey, problem: str) -> None:
        """Keep why it told nothing, in one plain sentence."""
        self._end(place, "failed", problem)

    def last_calls(self) -> dict[str, LastCall]:
        """Each tool that was ever asked, with its last call."""
        latest = select(lookups.c.tool, func.max(lookups.c.at).label("at")).group_by(lookups.c.tool).subquery()
        rows = select(lookups).join(latest, (lookups.c.tool == latest.c.tool) & (lookups.c.at == latest.c.at))
        with self._reading() as connection:
            calls = connection.execute(rows.order_by(lookups.c.ordinal)).mappings().all()
        return {row["tool"]: _last(row) for row in calls}

    def _end(self, place: CallKey, state: str, answer: str) -> None:
        with self._writing() as connection:
            chosen = _step(place) & (lookups.c.ordinal == place.ordinal)
            connection.execute(update(lookups).where(chosen).values(state=state, answer=answer))


def _step(key: CallKey) -> Any:
    return (lookups.c.case == key.case) & (lookups.c.version == key.version) & (lookups.c.step == key.step)


def _last(row: RowMapping) -> LastCall:
    return LastCall(at=row["at"], problem=_ended(row["state"], row["answer"]).problem)


def _ended(state: str, answer: str) -> Answered:
    if state == "done":
        return Answered(answer=answer)
    return Answered(problem=answer or CUT_OFF)
