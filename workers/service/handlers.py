"""The commands that reach the running service: the same answers as by mail, and the desk's own."""

import asyncio
import uuid
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from memory.ledger import Ledger
from workers.control import Handler
from workers.desk.answering import Answering
from workers.desk.ordering import Orders
from workers.desk.settling import Settling
from workflows.errors import NeedsOwner
from workflows.models import (
    Allow,
    Answer,
    Approve,
    Away,
    Back,
    Change,
    Chase,
    Decision,
    Disallow,
    Disputed,
    Edit,
    Ended,
    Later,
    Mine,
    Owner,
    Paid,
    Pause,
    Promised,
    Reject,
    Rescue,
    Resume,
    StopAll,
    StopChasing,
)
from workflows.ports import Clock
from workflows.rules.answers.orders import kind_named
from workflows.rules.text.whens import parse_when

LONGEST_REASON = 4_000
"""Characters, as of a mail's answer: a reason is part of every later state of its case."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Each command as a coroutine that says what happened: {"ok": bool, "says": one sentence}."""

    ledger: Ledger
    answering: Answering
    owner: Owner
    clock: Clock
    orders: Orders
    settling: Settling

    def table(self) -> Mapping[str, Handler]:
        """Command name to handler, for the `ControlServer`."""
        return {
            "approve": self.approve,
            "edit": self.edit,
            "reject": self.reject,
            "later": self.later,
            "mine": self.mine,
            "stop": self.stop,
            "auto": self.auto,
            "stop_auto": self.stop_auto,
            "resume": self.resume,
            "pause": self.pause,
            "away": self.away,
            "back": self.back,
            "rescue": self.rescue,
            "fix": self.fix,
            "paid": self.paid,
            "promised": self.promised,
            "dispute": self.dispute,
            "chase": self.chase,
            "ended": self.ended,
            "settle": self.settling.settle,
            "status": self.status,
        }

    async def approve(self, key: str, case: int, version: int, hash: str = "") -> dict[str, Any]:  # noqa: A002
        seal = hash or await asyncio.to_thread(self.ledger.version_hash, case, version)
        return await self._decide(key, case, version, Approve(), seal)

    async def edit(self, key: str, case: int, version: int, text: str, *, send: bool = False) -> dict[str, Any]:
        if not text.strip():
            raise NeedsOwner("The text is empty.", "Give a file that holds the text to send.")
        return await self._decide(key, case, version, Edit(text=text, send=send))

    async def reject(self, key: str, case: int, version: int, reason: str = "") -> dict[str, Any]:
        if len(reason) > LONGEST_REASON:
            raise NeedsOwner(f"The reason has {len(reason):,} characters.", f"At most {LONGEST_REASON:,} are kept.")
        return await self._decide(key, case, version, Reject(reason=reason))

    async def mine(self, key: str, case: int, version: int) -> dict[str, Any]:
        return await self._decide(key, case, version, Mine())

    async def later(self, key: str, case: int, version: int, when: str) -> dict[str, Any]:
        until = parse_when(when, self.clock.now(), self.owner)
        if until is None:
            raise NeedsOwner(f'"{when}" is not a time I understand.', 'Say "2d", "tomorrow 9:00" or "Monday".')
        return await self._decide(key, case, version, Later(until=until))

    async def stop(self) -> dict[str, Any]:
        return await self._order(StopAll())

    async def auto(self, kind: str) -> dict[str, Any]:
        return await self._order(Allow(what=kind_named(kind)))

    async def stop_auto(self, kind: str = "") -> dict[str, Any]:
        return await self._order(Disallow(what=kind_named(kind)))

    async def resume(self, client: str = "") -> dict[str, Any]:
        return await self._order(Resume(client=client))

    async def pause(self, client: str) -> dict[str, Any]:
        return await self._order(Pause(client=client))

    async def away(self, until: str) -> dict[str, Any]:
        moment = parse_when(until, self.clock.now(), self.owner)
        if moment is None:
            raise NeedsOwner(f'"{until}" is not a time I understand.', 'Say "14 Aug", "2d" or "Monday 9:00".')
        return await self._order(Away(until=moment))

    async def back(self) -> dict[str, Any]:
        return await self._order(Back())

    async def rescue(self, number: int) -> dict[str, Any]:
        return await self._order(Rescue(number=number))

    async def paid(self, what: str, amount: str = "") -> dict[str, Any]:
        return await self._order(Paid(what=what, amount=amount))

    async def promised(self, what: str, when: str) -> dict[str, Any]:
        until = parse_when(when, self.clock.now(), self.owner)
        if until is None:
            raise NeedsOwner(f'"{when}" is not a time I understand.', 'Say "Friday", "14 Aug" or "10d".')
        return await self._order(Promised(what=what, until=until))

    async def dispute(self, what: str, reason: str = "") -> dict[str, Any]:
        return await self._order(Disputed(what=what, reason=reason))

    async def chase(self, client: str, *, stop: bool = False) -> dict[str, Any]:
        return await self._order(StopChasing(client=client) if stop else Chase(client=client))

    async def ended(self, case: int, result: Literal["won", "lost", "no-answer"], reason: str = "") -> dict[str, Any]:
        return await self._order(Ended(case=case, result=result, reason=reason))

    async def _order(self, order: Change) -> dict[str, Any]:
        done = await self.orders.carry_out(uuid.uuid4().hex, order, self.clock.now())
        return {"ok": done.ok, "says": done.says}

    async def fix(self, key: str, case: int, words: str = "") -> dict[str, Any]:
        done = await self.orders.fix(key, case, words)
        return {"ok": done.ok, "says": done.says}

    async def status(self) -> dict[str, Any]:
        """How every part is: what it does, and what is unwell."""
        unwell = self.orders.unwell()
        return {
            "doing": [f"{part}: {state}" for part, state in self.orders.health.items() if part not in unwell],
            "unwell": [f"{part}: {state}" for part, state in unwell.items()],
        }

    async def _decide(self, key: str, case: int, version: int, decision: Decision, seal: str = "") -> dict[str, Any]:
        state = await asyncio.to_thread(self.ledger.case, case)
        answer = Answer(
            key=key,
            case=case,
            version=version or state.version,
            decision=decision,
            hash=seal,
            via="machine",
            at=self.clock.now(),
        )
        await asyncio.to_thread(self.ledger.record_answer, answer)
        taken, said = await self.answering.give(answer)
        return {"ok": taken, "says": said}
