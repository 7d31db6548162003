"""The commands that reach the running service: the same answers as by mail, and the desk's own."""

import asyncio
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from memory.ledger import Ledger
from workers.answering import Answering
from workers.control import Handler
from workflows.errors import NeedsOwner
from workflows.models import Answer, Approve, Decision, Edit, Later, Mine, Owner, Reject
from workflows.ports import Clock
from workflows.rules.calendar import parse_when

WELL = ("idle", "connected")
STOPPED = "stopped"
"""The ledger's key for "stop all": the outbox claims nothing while it is set."""


@dataclass(frozen=True, slots=True)
class Handlers:
    """Each command as a coroutine that says what happened: {"ok": bool, "says": one sentence}."""

    ledger: Ledger
    answering: Answering
    owner: Owner
    clock: Clock
    health: Mapping[str, str]

    def table(self) -> Mapping[str, Handler]:
        """Command name to handler, for the `ControlServer`."""
        return {
            "approve": self.approve,
            "edit": self.edit,
            "reject": self.reject,
            "later": self.later,
            "mine": self.mine,
            "stop": self.stop,
            "resume": self.resume,
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
        return await self._decide(key, case, version, Reject(reason=reason))

    async def mine(self, key: str, case: int, version: int) -> dict[str, Any]:
        return await self._decide(key, case, version, Mine())

    async def later(self, key: str, case: int, version: int, when: str) -> dict[str, Any]:
        until = parse_when(when, self.clock.now(), self.owner)
        if until is None:
            raise NeedsOwner(f'"{when}" is not a time I understand.', 'Say "2d", "tomorrow 9:00" or "Monday".')
        return await self._decide(key, case, version, Later(until=until))

    async def stop(self) -> dict[str, Any]:
        await asyncio.to_thread(self.ledger.set_meta, STOPPED, self.clock.now().isoformat())
        return {"ok": True, "says": 'Nothing goes out until "./deskhand resume".'}

    async def resume(self) -> dict[str, Any]:
        await asyncio.to_thread(self.ledger.set_meta, STOPPED, "")
        return {"ok": True, "says": "Approved mails go out again."}

    async def status(self) -> dict[str, Any]:
        """How every part is: what it does, and what is unwell."""
        well = [f"{part}: {state}" for part, state in self.health.items() if state in WELL]
        return {
            "doing": well,
            "unwell": [f"{part}: {state}" for part, state in self.health.items() if state not in WELL],
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
