"""The daily look at what the owner promised: told once the working day before it is due, once more when it is late."""

import asyncio
from dataclasses import dataclass
from datetime import time, timedelta

from memory.ledger import Ledger
from workers.rounds.polling import Watch
from workers.voice import promise_texts
from workflows.models.people import Owner
from workflows.ports import Clock, Desk
from workflows.rules.text import calendar
from workflows.rules.text.words import counted

NAME = "promises"
EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class PromiseReminders:
    """Reminds the owner. `at`: the digest's hour, from which on a working day's promises are told."""

    ledger: Ledger
    owner: Owner
    clock: Clock
    desk: Desk
    at: time

    def watch(self) -> Watch:
        """The look: told once, however often it is made."""
        return Watch(name=NAME, every=EVERY, run=self.look, daily=True)

    async def look(self) -> str:
        """Tell what is due until the next working day, and what is overdue; one line on it."""
        now = calendar.local_time(self.clock.now(), self.owner)
        today, hour = now.date(), calendar.at_clock(now.date(), self.at, self.owner)
        if now < hour or not calendar.is_working_day(today, self.owner):
            return f"not before {self.at:%H:%M} of a working day"
        due_until = calendar.add_working_days(now, 1, self.owner).date()
        promises = await asyncio.to_thread(self.ledger.promises_to_tell, due_until, hour, today)
        if not promises:
            return "nothing is due"
        names = {client.id: client.name for client in await asyncio.to_thread(self.ledger.clients)}
        subject, text = promise_texts.reminder(promises, names, self.owner, today)
        key = "-".join(str(promise.id) for promise in promises)
        await self.desk.tell(f"promises:{today}:{key}", subject, text)
        await asyncio.to_thread(self.ledger.mark_promises_told, promises, today)
        return f"{counted(len(promises), 'promise')} told"
