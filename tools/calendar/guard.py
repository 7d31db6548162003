"""The last look at the calendar: before a mail leaves, the times that it agrees to or offers are asked once more."""

import asyncio
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from memory.desk.invited import Invited
from memory.desk.slots import HeldSlots, OwnSlot
from workflows.models.drafts import Outgoing
from workflows.ports import Calendar
from workflows.rules.desk.slots import Slot, without
from workflows.rules.desk.time_facts import lost_slots

_SECONDS = 30.0
"""How long the calendars may take: what is not known by then is held."""


@dataclass(frozen=True, slots=True, kw_only=True)
class SlotGuard:
    """Marks in the ledger which slots of a mail are lost; what is lost holds it until the owner says ok once more."""

    slots: HeldSlots
    invited: Invited
    calendar: Calendar
    zone: str

    async def before(self, outgoing: Outgoing) -> None:
        """Ask for the times of this mail, if it has any."""
        own = await asyncio.to_thread(self.slots.own_slots, outgoing.case)
        told = tuple(slot.slot for slot in own if self._stands_in(slot, outgoing))
        if not told:
            return
        lost = await self._lost(told, outgoing.case)
        await asyncio.to_thread(self.slots.mark_lost, outgoing.case, lost)

    async def _lost(self, told: Iterable[Slot], case: int) -> tuple[Slot, ...]:
        slots = tuple(told)
        first, last = min(slot.start for slot in slots), max(slot.end for slot in slots)
        try:
            async with asyncio.timeout(_SECONDS):
                view = await self.calendar.busy(first - timedelta(days=1), last + timedelta(days=1), anew=True)
        except TimeoutError:
            return slots
        others = await asyncio.to_thread(self.slots.held_slots, case)
        entered = await asyncio.to_thread(self.slots.own_entries, case)
        own = await asyncio.to_thread(self.invited.invited_to, case)  # many calendars enter an invitation by themselves
        return lost_slots(slots, without(view, {*entered, *own}), others)

    def _stands_in(self, own: OwnSlot, outgoing: Outgoing) -> bool:
        """An owner's own text may have left a time out."""
        clock = f"{own.slot.start.astimezone(ZoneInfo(self.zone)):%H:%M}"
        return own.version == outgoing.version or clock in outgoing.body
