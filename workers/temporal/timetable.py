"""When each source is asked: one Temporal Schedule for each watch, put right again when somebody else touched it."""

from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta

import structlog
from temporalio.api.common.v1 import Payload
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionExecutionStartWorkflow,
    ScheduleActionStartWorkflow,
    ScheduleAlreadyRunningError,
    ScheduleDescription,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    SchedulePolicy,
    ScheduleSpec,
    ScheduleUpdate,
)
from temporalio.service import RPCError, RPCStatusCode

from workers.rounds.polling import Watch
from workers.temporal.codec import Codec
from workers.temporal.runs import Runs
from workflows.errors import Retryable
from workflows.intake import Poll
from workflows.names import OLD, POLL, Names

log = structlog.get_logger()
CATCH_UP = timedelta(hours=1)
"""How far back a missed look is made up for: never the default year."""


@dataclass(slots=True)
class Timetable:
    """The schedules of one home; those of other homes in the namespace are not touched."""

    client: Client
    names: Names
    watches: Sequence[Watch]
    _is_kept: bool = False

    async def look(self) -> bool:
        """Have every source asked at its times; the first call asks each at once. Whether a stranger had changed one.

        Raises:
            Retryable: Temporal does not answer.
        """
        async with _plainly():
            if self._is_kept:
                return any([await self._put_right(watch) for watch in self.watches])
            await self._remove_the_unwanted()
            for watch in self.watches:
                await self._keep(watch)
            self._is_kept = True
            return False

    async def _remove_the_unwanted(self) -> None:
        """What is configured no longer, and what this home began before ids carried the home."""
        names = {self.names.poll(watch.name) for watch in self.watches}
        for name in [schedule.id async for schedule in await self.client.list_schedules()]:
            if name.startswith(self.names.poll("")) and name not in names:
                await self.client.get_schedule_handle(name).delete()
            elif name.startswith(OLD.poll("")):
                await self._carry_over(name)

    async def _carry_over(self, name: str) -> None:
        handle = self.client.get_schedule_handle(name)
        description = await handle.describe()
        if not self._opens(name, description, unbound=True):
            return  # another home's
        await handle.delete()
        for run in description.info.running_actions:
            if isinstance(run, ScheduleActionExecutionStartWorkflow):
                await Runs(self.client, self.names).end(run.workflow_id, "its schedule has a new name")

    async def _keep(self, watch: Watch) -> None:
        name, schedule = self.names.poll(watch.name), self._wanted(watch)
        try:
            await self.client.create_schedule(name, schedule, trigger_immediately=True)
        except ScheduleAlreadyRunningError:
            handle = self.client.get_schedule_handle(name)
            await handle.update(lambda _: ScheduleUpdate(schedule=schedule))
            await handle.trigger(overlap=ScheduleOverlapPolicy.SKIP)
        except RPCError as error:
            if error.status != RPCStatusCode.ALREADY_EXISTS:
                raise

    async def _put_right(self, watch: Watch) -> bool:
        name = self.names.poll(watch.name)
        try:
            description = await self.client.get_schedule_handle(name).describe()
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise
        else:
            if self._is_as_wanted(name, watch, description):
                return False
        log.warning("a schedule that somebody else changed is put right", schedule=name)
        await self._keep(watch)
        return True

    def _is_as_wanted(self, name: str, watch: Watch, seen: ScheduleDescription) -> bool:
        schedule, plan = seen.schedule, self._wanted(watch)
        action, spec, state = schedule.action, schedule.spec, schedule.state
        return (
            isinstance(action, ScheduleActionStartWorkflow)
            and (action.workflow, action.id, action.task_queue) == (POLL, name, self.names.queue("story"))
            and self._opens(name, seen)
            and [(interval.every, interval.offset or timedelta()) for interval in spec.intervals]
            == [(watch.every, timedelta())]
            and not (spec.calendars or spec.skip or spec.start_at or spec.end_at or spec.jitter)
            and (schedule.policy.overlap, schedule.policy.catchup_window) == (plan.policy.overlap, CATCH_UP)
            and not (state.paused or state.limited_actions)
        )

    def _opens(self, name: str, seen: ScheduleDescription, *, unbound: bool = False) -> bool:
        """Whether what it gives to its runs was made with our keys for it."""
        codec, action = self.client.data_converter.payload_codec, seen.schedule.action
        if not isinstance(codec, Codec):
            return True
        arguments = action.args if isinstance(action, ScheduleActionStartWorkflow) else ()
        return (
            len(arguments) == 1
            and isinstance(arguments[0], Payload)
            and codec.opens(name, arguments[0], unbound=unbound)
        )

    def _wanted(self, watch: Watch) -> Schedule:
        name = self.names.poll(watch.name)
        return Schedule(
            action=ScheduleActionStartWorkflow(Poll.run, watch.name, id=name, task_queue=self.names.queue("story")),
            spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=watch.every)]),
            policy=SchedulePolicy(overlap=ScheduleOverlapPolicy.SKIP, catchup_window=CATCH_UP),
        )


@asynccontextmanager
async def _plainly() -> AsyncIterator[None]:
    try:
        yield
    except RPCError as error:
        raise Retryable(f"Temporal does not answer ({error.status.name}); it is tried again.") from error
