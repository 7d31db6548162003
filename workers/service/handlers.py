"""The commands that reach the running service: the same answers as by mail, and the desk's own."""

import asyncio
import uuid
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

from memory.ledger import Ledger
from workers.control import Handler
from workers.desk.answering import Answering
from workers.desk.ordering import Orders
from workers.desk.settling import Settling
from workflows.errors import NeedsOwner
from workflows.models.decisions import Answer, Approve, Decision, Edit, Later, Mine, Reject
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.orders.row import OrderArgument, OrderRow
from workflows.rules.orders.rows import ROWS
from workflows.rules.orders.words import kind_named
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
            "settle": self.settling.settle,
            "status": self.status,
            **{row.key: partial(self.order, row) for row in ROWS if row.command},
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

    async def order(self, row: OrderRow[Any], **arguments: str | int) -> dict[str, Any]:
        """Carry out the order of this row, whichever it is; `arguments` are those of its command line."""
        order = row.order(**row.fixed, **self._fields(row.arguments, arguments))
        outcome = await self.orders.carry_out(uuid.uuid4().hex, order, self.clock.now())
        return {"ok": outcome.ok, "says": outcome.says}

    def _fields(self, known: Sequence[OrderArgument], arguments: Mapping[str, str | int]) -> dict[str, Any]:
        """The fields of an order's value that these arguments fill."""
        names = {argument.name: argument for argument in known}
        if strange := [name for name in arguments if name not in names]:
            raise NeedsOwner(f'The running service does not know "{strange[0]}" here.', "Restart ./deskhand up.")
        return {names[name].field or name: self._value(names[name], words) for name, words in arguments.items()}

    def _value(self, argument: OrderArgument, words: str | int) -> object:
        if argument.means == "kind":
            return kind_named(str(words))
        if argument.means != "time":
            return words
        moment = parse_when(str(words), self.clock.now(), self.owner)
        if moment is None:
            examples = argument.say
            raise NeedsOwner(f'"{words}" is not a time I understand.', f"Say {examples}.")
        return moment

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
        accepted, reply = await self.answering.give(answer)
        return {"ok": accepted, "says": reply}
