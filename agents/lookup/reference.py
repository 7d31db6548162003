"""Reference: all that a draft may be looked up by: our own tools, those of plugins, those of servers; and the limits.

Registering one of our own tools is one line where the reference is made (workers/service/wiring.py).
"""

import asyncio
import json
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from agents.lookup.loop import Limits
from agents.lookup.tools import Reach, ReadTool, read_tool, within_reach
from memory.journal import CallKey
from memory.lookups import Answered, Lookups
from tools.offers import Offers, ServerTrouble
from workflows.models.drafts import Brief, Source

_REACH = "reach"  # the step under which it is kept what was within reach


@dataclass(frozen=True, slots=True, kw_only=True)
class Reference:
    """One for the home."""

    lookups: Lookups
    own: tuple[ReadTool, ...] = ()
    foreign: Callable[[], Awaitable[Offers]] | None = None
    limits: Limits = field(default_factory=Limits)

    async def reach(self, brief: Brief, version: int) -> Reach:
        """What this version may be looked up by. A step that is tried again gets the tools of its first try."""
        if not self.limits.rounds or not self.limits.calls:
            return Reach()
        offers = await self.foreign() if self.foreign else Offers()
        foreign = [read_tool(offer) for offer in offers.of("read")]
        near = within_reach(_named_once([*self.own, *foreign]), brief)
        key = CallKey(case=brief.case, version=version, step=_REACH)
        place = await asyncio.to_thread(self.lookups.begin, key, _REACH, {})
        if isinstance(place, Answered) and place.answer:
            return Reach(tools=_as_before(place.answer, near), notes=offers.notes)
        if isinstance(place, CallKey):
            await asyncio.to_thread(self.lookups.finish, place, _declared(near))
        return Reach(tools=near, notes=offers.notes)


def _named_once(tools: Sequence[ReadTool]) -> tuple[ReadTool, ...]:
    """The first of each name: ours come first, so that no plugin stands in their place."""
    by_name: dict[str, ReadTool] = {}
    for tool in tools:
        by_name.setdefault(tool.name, tool)
    return tuple(by_name.values())


def _declared(tools: Sequence[ReadTool]) -> str:
    rows = [{"name": tool.name, "says": tool.says, "schema": tool.schema, "origin": tool.origin} for tool in tools]
    return json.dumps(rows, ensure_ascii=False)


def _as_before(declared: str, near: Sequence[ReadTool]) -> tuple[ReadTool, ...]:
    """The tools of the first try, in its words: the same question is answered from the journal and not paid again."""
    now = {tool.name: tool for tool in near}
    return tuple(_renewed(row, now.get(row["name"])) for row in json.loads(declared))


def _renewed(row: Mapping[str, Any], tool: ReadTool | None) -> ReadTool:
    if tool is not None:
        return replace(tool, says=row["says"], schema=row["schema"])

    async def ask(_: Brief, __: Mapping[str, Any]) -> Sequence[Source]:
        raise ServerTrouble("it cannot be reached any more")

    return ReadTool(name=row["name"], says=row["says"], schema=row["schema"], origin=row["origin"], ask=ask)
