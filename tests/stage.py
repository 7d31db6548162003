"""One case at a time on the server that skips time: the workflow logic itself, with scripted ports behind it."""

import asyncio
import itertools
import uuid
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.testing import WorkflowEnvironment

from tests.patience import PATIENCE
from tests.scripted import NAMES, Desk, Gated, Office, Script, seal
from tests.servers.timeskip import time_skipping
from workers.temporal.engine import TemporalEngine
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.case import Story
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Decision
from workflows.models.routes import Event
from workflows.stories import facts_of

NUMBERS = itertools.count(1)


@dataclass
class Bench:
    """The time-skipping server with the real workers on it."""

    environment: WorkflowEnvironment
    office: Office
    begun: list[WorkflowHandle[Story, str]] = field(default_factory=list)

    @property
    def client(self) -> Client:
        return self.environment.client

    async def begin(self, script: Script | None = None, **state: Any) -> "Play":
        """A case of its own, started as the engine would."""
        number = state.get("case") or next(NUMBERS)
        given = CaseState(**({"case": number, "client": f"client-{number}", "event": f"mail-{number}"} | state))
        self.office.scripts[number] = script or Script()
        self.office.states[number] = given
        handle: WorkflowHandle[Story, str] = await self.client.start_workflow(
            facts_of(given.kind).workflow,
            given,
            result_type=str,
            id=NAMES.case(number),
            task_queue=NAMES.queue("story"),
        )
        self.begun.append(handle)
        return Play(self, number, handle)

    async def no_case_failed(self) -> None:
        """Whatever the tests did to them: each still waits, or has ended as completed."""
        for handle in self.begun:
            found = await self.client.get_workflow_handle(handle.id).describe()
            assert found.status in {WorkflowExecutionStatus.RUNNING, WorkflowExecutionStatus.COMPLETED}, handle.id


@dataclass
class Play:
    """One case under test, and what the people around it do."""

    bench: Bench
    number: int
    handle: WorkflowHandle[Story, str]

    @property
    def script(self) -> Script:
        return self.bench.office.scripts[self.number]

    async def state(self) -> CaseState:
        return await self.handle.query(Story.where, rpc_timeout=timedelta(seconds=PATIENCE))

    async def until(self, condition: Callable[[CaseState], bool]) -> CaseState:
        """Wait until the case stands so. Time is not skipped meanwhile."""
        state = None
        try:
            async with asyncio.timeout(PATIENCE):
                while not condition(state := await self.state()):  # noqa: ASYNC110 - the case does not call us
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"waited in vain; the case: {state}") from None
        return state

    async def at(self, stage: str, version: int = 1, round: int = 1) -> CaseState:  # noqa: A002
        return await self.until(lambda state: (state.stage, state.version, state.round) == (stage, version, round))

    async def reached(self, step: str, times: int = 1) -> None:
        async with asyncio.timeout(PATIENCE):
            while self.script.reached[step] < times:  # noqa: ASYNC110 - the step runs in a thread
                await asyncio.sleep(0.02)

    async def hears_of(self, beginning: str) -> tuple[str, str, str]:
        """The notice whose key begins so (key, subject, text), once told: the case knows it sooner."""
        async with asyncio.timeout(PATIENCE):
            while not (notices := [notice for notice in self.script.told if notice[0].startswith(beginning)]):  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        (notice,) = notices
        return notice

    async def shown_again(self, times: int = 2) -> CaseState:
        """The question as it was asked for that time, once it was: the case knows it sooner."""
        async with asyncio.timeout(PATIENCE):
            while len(self.script.asked) < times:  # noqa: ASYNC110
                await asyncio.sleep(0.02)
        return self.script.asked[times - 1]

    async def say(self, decision: Decision, version: int = 1, **given: Any) -> str:
        key = given.pop("key", None) or uuid.uuid4().hex
        values = {"case": self.number, "hash": seal(self.number, version)} | given
        answer = Answer(key=key, version=version, decision=decision, **values)
        return await self.handle.execute_update(Story.answer, answer, id=key)

    async def refused(self, decision: Decision, version: int = 1, **given: Any) -> str:
        given.setdefault("via", "machine")  # by mail, an answer to an older version is shown the newer one
        with pytest.raises(WorkflowUpdateFailedError) as error:
            await self.say(decision, version, **given)
        return str(error.value.cause)

    async def hears(self, key: str, kind: Any = "mail", **event: str) -> None:
        now = await self.bench.environment.get_current_time()
        event = Event(key=key, kind=kind, at=now, client=f"client-{self.number}", case=self.number, **event)
        await self.handle.signal(Story.hear, event)

    async def ends(self) -> str:
        """Its outcome; time is skipped as far as need be."""
        async with asyncio.timeout(PATIENCE):
            return await self.handle.result()

    async def passes(self, time: timedelta) -> None:
        async with asyncio.timeout(PATIENCE):
            await self.bench.environment.sleep(time)


@asynccontextmanager
async def staged() -> AsyncIterator[Bench]:
    """The server, the workers and the scripted ports; at the end no case may have failed."""
    async with time_skipping() as environment:
        office = Office()
        desk = Desk(office)
        engine = Gated(office, TemporalEngine(environment.client, office, NAMES))
        activities = Activities(office, office, desk, desk, engine, desk, desk, desk)
        async with running(build_workers(environment.client, activities, NAMES, patient=True)):
            made = Bench(environment, office)
            yield made
            await made.no_case_failed()
