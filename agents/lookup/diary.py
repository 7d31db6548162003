"""Diary: when the owner is free, as a read tool: times alone, never by what the others are taken."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from itertools import islice
from typing import Any

from agents.lookup.tools import ReadTool
from workflows.models.drafts import Brief, Source
from workflows.models.people import Owner
from workflows.ports import Calendar, Clock
from workflows.rules.desk.slots import Diary, Offering, Slot, free_slots, three_slots, told

CALENDAR_FREE = "Times when the freelancer is free in the next days; ask it before any time is offered or agreed to."
_MOST = 24
_NOTHING = "Nothing is free in the next days: offer no time."
_UNKNOWN = "The calendar could not be read: promise no time."
_SCHEMA = {"type": "object", "properties": {}, "required": [], "additionalProperties": False}


@dataclass(frozen=True, slots=True, kw_only=True)
class FreeTimes:
    """What the tool reads. `held`: what the open drafts of other cases offer."""

    calendar: Calendar
    owner: Owner
    clock: Clock
    terms: Offering
    held: Callable[[int], tuple[Slot, ...]]

    def tool(self) -> ReadTool:
        """`calendar_free`: it tells nothing of a client, so it is there for every sender."""
        return ReadTool(
            name="calendar_free", says=CALENDAR_FREE, schema=_SCHEMA, origin="Deskhand", ask=self.ask, foreign=False
        )

    async def ask(self, brief: Brief, _: Mapping[str, Any]) -> Sequence[Source]:
        """Three slots to offer first, then what else is free; one sentence where no time may be promised."""
        now = self.clock.now()
        view = await self.calendar.busy(now, now + timedelta(days=self.terms.days))
        if not view.may_promise:
            return (Source(id="calendar:unknown", kind="calendar", quote=_UNKNOWN),)
        diary = Diary(view=view, now=now, owner=self.owner, terms=self.terms, held=self.held(brief.case))
        slots = dict.fromkeys((*three_slots(diary), *islice(free_slots(diary), _MOST)))
        if not slots:
            return (Source(id="calendar:none", kind="calendar", quote=_NOTHING),)
        return tuple(self._free(slot) for slot in slots)

    def _free(self, slot: Slot) -> Source:
        # The id names the slot itself: what a draft cites is what it holds.
        quote = f"{told(slot, 'en', self.owner.timezone)} ({self.owner.timezone}) is free."
        minutes = int((slot.end - slot.start).total_seconds() // 60)
        return Source(id=f"calendar:{slot.start:%Y%m%dT%H%MZ}-{minutes}m", kind="calendar", quote=quote)
