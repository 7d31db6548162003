"""The owner's calendars as one: asked side by side, remembered for some minutes, each fault one sentence."""

import asyncio
import re
from dataclasses import dataclass, field
from datetime import UTC, datetime, time, timedelta
from typing import Final, Protocol

from tools.calendar.events import Expansion, expanded
from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable
from workflows.ports import Clock
from workflows.rules.desk.slots import CalendarView, merged

FRESH: Final = timedelta(minutes=5)
"""How long an answer is good enough for a draft; the last look asks anew."""
_FRESH_FAULT = timedelta(seconds=30)
_ADDRESS = re.compile(r"https?://([^\s/?#]+)[^\s,;]*", re.IGNORECASE)


class CalendarSource(Protocol):
    """Where a calendar's text comes from."""

    async def read(self, first: datetime, last: datetime) -> tuple[bytes, ...]:
        """What touches these days, or everything."""


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedCalendar:
    """One `[[calendar.sources]]`, ready to be asked."""

    name: str
    source: CalendarSource


@dataclass(frozen=True, slots=True)
class _Asked:
    at: datetime
    first: datetime
    last: datetime
    view: CalendarView


@dataclass(slots=True, kw_only=True)
class Calendars:
    """All of them (implements `workflows.ports.Calendar`). `zone`: the owner's; `owners`: the owner's own addresses."""

    calendars: tuple[NamedCalendar, ...]
    zone: str
    owners: frozenset[str]
    clock: Clock
    fresh: timedelta = FRESH
    _asked: _Asked | None = None
    _lock: asyncio.Lock = field(default_factory=asyncio.Lock)

    async def busy(self, first: datetime, last: datetime, *, anew: bool = False) -> CalendarView:
        """What is taken between two moments. `anew`: ask, whatever is remembered."""
        if not self.calendars:
            return CalendarView(configured=False)
        async with self._lock:  # many drafts at once ask once
            asked = None if anew else self._remembered(first, last)
            if asked is None:
                asked = self._asked = await self._ask(_day_of(first), _day_of(last) + timedelta(days=1))
        spans = tuple(span for span in asked.view.spans if span.start < last and first < span.end)
        return CalendarView(spans=spans, faults=asked.view.faults, asides=asked.view.asides)

    async def look(self, calendar: NamedCalendar, first: datetime, last: datetime) -> Expansion:
        """One calendar, asked now.

        Raises:
            NeedsOwner, Retryable, Permanent: it cannot be read; one sentence with its name, and no address in full.
        """
        try:
            texts = await calendar.source.read(first, last)
            return await asyncio.to_thread(expanded, texts, first, last, self.zone, self.owners)
        except DeskhandError as error:
            raise _named(calendar.name, error) from error

    def _remembered(self, first: datetime, last: datetime) -> _Asked | None:
        asked = self._asked
        if asked is None or first < asked.first or last > asked.last:
            return None
        fresh = _FRESH_FAULT if asked.view.faults else self.fresh
        return asked if timedelta() <= self.clock.now() - asked.at <= fresh else None

    async def _ask(self, first: datetime, last: datetime) -> _Asked:
        at = self.clock.now()
        looks = await asyncio.gather(*(self._seen(calendar, first, last) for calendar in self.calendars))
        view = CalendarView(
            spans=merged(span for look in looks for span in look.spans),
            faults=tuple(fault for look in looks for fault in look.faults),
            asides=tuple(aside for look in looks for aside in look.asides),
        )
        return _Asked(at, first, last, view)

    async def _seen(self, calendar: NamedCalendar, first: datetime, last: datetime) -> Expansion:
        try:
            look = await self.look(calendar, first, last)
        except DeskhandError as error:
            return Expansion(spans=(), faults=(str(error),))
        faults = tuple(f"The calendar {calendar.name} is not known whole: {fault}." for fault in look.faults)
        asides = tuple(f"Calendar {calendar.name}: {aside}" for aside in look.asides)
        return Expansion(spans=look.spans, faults=faults, asides=asides)


def _day_of(moment: datetime) -> datetime:
    return datetime.combine(moment.astimezone(UTC).date(), time(), UTC)


def _named(name: str, error: DeskhandError) -> DeskhandError:
    """The same fault with the calendar's name; of an address its host alone, for the rest of it may be a secret."""
    problem = error.problem if isinstance(error, NeedsOwner) else str(error)
    plain = _ADDRESS.sub(r"\1", problem).rstrip(".")
    sentence = f"The calendar {name} cannot be read: {plain}."
    if isinstance(error, NeedsOwner):
        return NeedsOwner(sentence, error.mend)
    return Retryable(sentence, after=error.after) if isinstance(error, Retryable) else Permanent(sentence)
