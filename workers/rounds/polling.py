"""The sources that are asked from time to time, and what becomes of their faults: told once, tried again."""

import asyncio
import re
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

import structlog

from memory.ledger import Ledger
from memory.record.schema import from_json, to_json
from workflows.errors import DeskhandError, NeedsOwner
from workflows.ports import Desk
from workflows.rules.text.canonical import body_hash, one_line

log = structlog.get_logger()
_NUMBERS = re.compile(r"\d[\d,.]*")


@dataclass(frozen=True, slots=True, kw_only=True)
class Watch:
    """One source: its name, how often it is asked, and the asking, which records what came and says it in one line.

    `run` raises NeedsOwner for what the owner must mend and Retryable for what the next look may find mended.
    """

    name: str
    every: timedelta
    run: Callable[[], Awaitable[str]]
    daily: bool = False  # it makes what is due on a day, which belongs into that day's digest
    own: bool = False  # it reads the owner's own files: the same fault in another line is another fault


class NotAsked(str):
    """What a run says that asked nothing, for it was too early: neither a fault nor the end of one."""

    __slots__ = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class SourceFault:
    """What is known of a source's faults: whether it fails now, what the owner was told, how often it was mended."""

    failing: bool = False
    told: str = ""  # the seal of the problem
    mended: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Polls:
    """Implements `Polling` over the watches; `news` wakes the delivery of what was recorded."""

    watches: Sequence[Watch]
    ledger: Ledger
    desk: Desk
    health: dict[str, str]
    news: asyncio.Event = field(default_factory=asyncio.Event)

    async def make_due(self) -> None:
        """Make now what is due on this day, as the schedule would within the hour."""
        for watch in self.watches:
            if watch.daily:
                await self.poll(watch.name)

    async def poll(self, source: str) -> str:
        """Ask this source; what it says came. A source that is no longer configured says so and does nothing."""
        watch = next((candidate for candidate in self.watches if candidate.name == source), None)
        if watch is None:
            return f"{source} is no longer configured."
        try:
            summary = await watch.run()
        except DeskhandError as error:
            await self._fault(source, error)
            return f"{source}: {error}"
        finally:
            self.news.set()
        if isinstance(summary, NotAsked):
            self.health[source] = summary if (await self._known(source)).failing else "idle"
        else:
            await self._mended(source)
            self.health[source] = "idle"
        log.info("polled", source=source, said=summary)
        return summary

    async def _fault(self, source: str, error: DeskhandError) -> None:
        """Told once for each problem; what may pass by itself is told when it is there a second time."""
        problem = one_line(str(error), 1000)
        log.warning("poll failed", source=source, problem=problem)
        self.health[source] = problem
        seal = self._seal(source, error, problem)
        before = await self._known(source)
        if before.told == seal:
            return
        if not isinstance(error, NeedsOwner) and not before.failing:
            await self._keep(source, replace(before, failing=True))
            return
        text = f"{problem}\n\nEverything else goes on, and it is tried again at its next time."
        await self.desk.tell(f"source:{source}:{before.mended}:{seal}", f"{source} needs a look", text)
        await self._keep(source, replace(before, failing=True, told=seal))

    def _seal(self, source: str, error: DeskhandError, problem: str) -> str:
        """By what a problem is known again. Numbers in what a stranger's server does change from look to look."""
        exact = isinstance(error, NeedsOwner) and any(watch.own for watch in self.watches if watch.name == source)
        return body_hash(problem if exact else _NUMBERS.sub("#", problem))[:16]

    async def _mended(self, source: str) -> None:
        """The same fault again is news once it was mended in between."""
        before = await self._known(source)
        if before.failing:
            await self._keep(source, SourceFault(mended=before.mended + 1))

    async def _known(self, source: str) -> SourceFault:
        record = await asyncio.to_thread(self.ledger.get_meta, f"source_fault:{source}")
        return from_json(SourceFault, record) if record else SourceFault()

    async def _keep(self, source: str, fault: SourceFault) -> None:
        await asyncio.to_thread(self.ledger.set_meta, f"source_fault:{source}", to_json(fault))
