"""Looks every few seconds whether what is ours in Temporal still stands: anyone on the machine can end or replace it.

The ledger is the record: a case that was ended, set back or taken over is begun anew from there, a schedule that was
changed is put right, and the owner is told once a day that somebody meddles.
"""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from datetime import datetime

import structlog

from memory.ledger import Ledger
from memory.record.recovery import STRANGER
from workers.temporal.engine import TemporalEngine
from workflows.errors import DeskhandError, Retryable
from workflows.models.case import CaseState
from workflows.models.people import Owner
from workflows.names import Names
from workflows.ports import Clock, Desk
from workflows.rules.text import calendar

log = structlog.get_logger()
EVERY = 15.0
"""Seconds between two looks: a case is held no longer than a minute, whatever is done to it."""
TOLD = "stranger_told"
_SUBJECT = "Somebody meddles with my workflows"
_TEXT = (
    "Somebody else on this machine, or on your Temporal server, began, changed or ended what only I should: a case or "
    "a schedule of mine there was not as I left it. Nothing was sent because of it and nothing is lost: I put it right "
    "and go on from the ledger.\n\nSee who can log in to this machine. "
    'docs/operations.md ("Other users of the machine") says what they can and cannot do.'
)


@dataclass(slots=True, kw_only=True)
class Lookout:
    """`run` looks for as long as the service runs. `schedules` puts the schedules right; true when it had to."""

    ledger: Ledger
    engine: TemporalEngine
    desk: Desk
    owner: Owner
    clock: Clock
    names: Names
    schedules: Callable[[], Awaitable[bool]]
    _leaving: set[tuple[int, int]] = field(default_factory=set)

    async def run(self) -> None:
        while True:
            try:
                await self.look()
            except Retryable as error:  # Temporal is away: what runs it says so
                log.warning("looked in vain", problem=str(error))
            await self._rest()

    async def _rest(self) -> None:
        """Until it is time, or a stranger was met meanwhile: the owner is told at once."""
        try:
            async with asyncio.timeout(EVERY):
                await self.engine.strangers.wait()
        except TimeoutError:
            return

    async def look(self) -> None:
        self.engine.strangers.clear()
        running = await self.engine.running()
        states = await asyncio.to_thread(self.ledger.open_cases)
        for state in states:
            if not running.get(self.names.case(state.case)):
                await self._guarded(self.engine.recreate(state), state.case)
        await self._see_to_what_leaves(states, running)
        await self._tell()
        if await self.schedules():
            await asyncio.to_thread(self.ledger.note_stranger)
            await self._tell()

    async def _see_to_what_leaves(self, states: tuple[CaseState, ...], running: dict[str, bool]) -> None:
        """A case waits for word from its client's voice: when that was ended, the mail is handed over once more."""
        now = self.clock.now()
        leaving = {
            (state.case, state.version): state
            for state in states
            if state.stage == "sending" and not (state.held_until and state.held_until > now)
        }
        for key, state in leaving.items():
            voice = self.names.client(state.client or str(state.case))
            if key in self._leaving and not running.get(voice):
                await self._guarded(self.engine.hand_over(state.client, state.case, state.version), state.case)
        self._leaving = set(leaving)

    async def _guarded(self, doing: Awaitable[object], case: int) -> None:
        try:
            await doing
        except DeskhandError as error:
            log.warning("not begun anew yet", case=case, problem=str(error))

    async def _tell(self) -> None:
        """Once a day: whoever meddles does it again and again."""
        at = await asyncio.to_thread(self.ledger.get_meta, STRANGER)
        if not at:
            return
        day = datetime.fromisoformat(at).astimezone(calendar.zone(self.owner)).date().isoformat()
        if await asyncio.to_thread(self.ledger.get_meta, TOLD) == day:
            return
        try:
            await self.desk.tell(f"stranger:{day}", _SUBJECT, _TEXT)
        except DeskhandError as error:
            log.warning("not told yet", problem=str(error))
            return
        await asyncio.to_thread(self.ledger.set_meta, TOLD, day)
