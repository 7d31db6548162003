"""What ran before ids carried the home: open cases are begun anew under their new ids, what is just ending ends there.

A workflow under an old id is this home's when its first payload was made with its keys: another home in the namespace
may have had a case of the same number. An open case goes on from the ledger, as after any loss of Temporal. One whose
case is closed may still have last steps to take, and a client's voice a mail under way: they are served on the old
queues until they have ended, and are the only ones that may read payloads of before.
"""

import asyncio
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass, field
from datetime import timedelta

import structlog
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from memory.ledger import Ledger
from workers.temporal.runs import Runs
from workflows.errors import Retryable
from workflows.names import OLD, Names

log = structlog.get_logger()
NAMED = "named_in_temporal"
"""The ledger's key for the home's id in names: set once nothing runs under another."""
LATELY = timedelta(days=1)
EVERY = 2.0
"""Seconds between two looks whether the last one has ended."""


@dataclass(slots=True)
class CarryingOver:
    """`begin` before anything is started, then `run` until nothing is left. `carried`: what the codec may read."""

    client: Client
    ledger: Ledger
    names: Names
    carried: set[str] = field(default_factory=set)

    async def begin(self) -> None:
        """Find what runs under old ids, end the open cases among it and remember the rest.

        Raises:
            Retryable: Temporal does not answer.
        """
        if await asyncio.to_thread(self.ledger.get_meta, NAMED) == self.names.home:
            return
        try:
            await self._find()
        except RPCError as error:
            raise Retryable(f"Temporal does not answer ({error.status.name}); it is tried again.") from error
        if not self.carried:
            await self._done()

    async def run(self, serve: Callable[[], AbstractAsyncContextManager[None]]) -> None:
        """Serve the old queues until what still runs there has ended."""
        if not self.carried:
            return
        log.info("served under their old ids", workflows=sorted(self.carried))
        async with serve():
            while self.carried:
                for name in sorted(self.carried):
                    if not await self._runs(name):
                        self.carried.discard(name)
                await asyncio.sleep(EVERY)
        await self._done()

    async def _find(self) -> None:
        runs = Runs(self.client, OLD)
        cases = await asyncio.to_thread(self.ledger.lately_open, LATELY)
        for state in cases:
            name = OLD.case(state.case)
            if not await self._is_ours(runs, name):
                continue
            if state.stage == "closed":
                self.carried.add(name)
            else:
                await runs.end(name, f"it goes on as {self.names.case(state.case)}")
        for name in sorted({OLD.client(state.client or str(state.case)) for state in cases}):
            if await self._is_ours(runs, name):
                self.carried.add(name)

    async def _is_ours(self, runs: Runs, name: str) -> bool:
        return await self._runs(name) and await runs.opens(name, unbound=True)

    async def _runs(self, name: str) -> bool:
        try:
            description = await self.client.get_workflow_handle(name).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
            return False
        return description.status == WorkflowExecutionStatus.RUNNING

    async def _done(self) -> None:
        await asyncio.to_thread(self.ledger.set_meta, NAMED, self.names.home)
