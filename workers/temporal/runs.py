"""Whose a workflow is. Temporal asks nobody for a login, so an id alone says nothing: a stranger may have taken it."""

from dataclasses import dataclass
from datetime import timedelta
from enum import Enum

from temporalio.client import Client, WorkflowExecutionDescription, WorkflowExecutionStatus
from temporalio.service import RPCError, RPCStatusCode

from workers.temporal.codec import Codec
from workflows.names import Names

ANSWERS_WITHIN = timedelta(seconds=10)
_BY_HAND = (WorkflowExecutionStatus.TERMINATED, WorkflowExecutionStatus.CANCELED)
"""How a case never ends by itself: we end only what is not ours, and begin ours anew at once."""


class Whose(Enum):
    """What stands under an id."""

    OURS = "ours"
    NOBODYS = "nobody's"  # there is none, or it has ended
    UNKNOWN = "unknown"  # made with our keys, and not on record: we died between beginning it and writing that down
    A_STRANGERS = "a stranger's"  # not begun by us, or ended or set back by somebody else


@dataclass(frozen=True, slots=True)
class RunOwnership:
    """Whose the workflow is, and its run that goes on now ("" for none of ours)."""

    whose: Whose
    run: str = ""


@dataclass(frozen=True, slots=True)
class Runs:
    """Looks at the workflows of one home on the Temporal server."""

    client: Client
    names: Names

    async def look(self, workflow_id: str, story: str, begun: str | None) -> RunOwnership:
        """Whose the workflow is that should be this story.

        `begun`: the first run that we began, "" when none is on record, None when no record is kept of such workflows.
        """
        try:
            description = await self.client.get_workflow_handle(workflow_id).describe(rpc_timeout=ANSWERS_WITHIN)
        except RPCError as error:
            if error.status == RPCStatusCode.NOT_FOUND:
                return RunOwnership(Whose.NOBODYS)
            raise
        if description.status == WorkflowExecutionStatus.RUNNING:
            ownership = await self._whose(description, story, begun)
            return RunOwnership(ownership, "" if ownership is Whose.A_STRANGERS else description.run_id)
        is_as_left = not begun or (description.status not in _BY_HAND and await self._descends(description, begun))
        return RunOwnership(Whose.NOBODYS if is_as_left else Whose.A_STRANGERS)

    async def _whose(self, seen: WorkflowExecutionDescription, story: str, begun: str | None) -> Whose:
        if not self._fits(seen, story) or not (
            await self._descends(seen, begun) if begun else await self.opens(seen.id)
        ):
            return Whose.A_STRANGERS
        return Whose.UNKNOWN if begun == "" else Whose.OURS

    async def _descends(self, seen: WorkflowExecutionDescription, begun: str) -> bool:
        """Whether it is the run that we began, or continues it."""
        first = seen.raw_description.workflow_execution_info.first_run_id
        return (first or await self._first_run(seen.id)) == begun

    def _fits(self, seen: WorkflowExecutionDescription, story: str) -> bool:
        """A reset sets a workflow back to where it was before: that is not ours, whoever began it."""
        extended = seen.raw_description.workflow_extended_info
        return (
            seen.workflow_type == story
            and seen.task_queue == self.names.queue("story")
            and not extended.HasField("last_reset_time")
            and not extended.cancel_requested
        )

    async def _first_run(self, workflow_id: str) -> str:
        """From the history: an older server does not name it otherwise."""
        events = self.client.get_workflow_handle(workflow_id).fetch_history_events(page_size=1)
        return (await anext(events)).workflow_execution_started_event_attributes.first_execution_run_id

    async def opens(self, workflow_id: str, *, unbound: bool = False) -> bool:
        """Whether the first payload of the workflow was made for it with our keys."""
        codec = self.client.data_converter.payload_codec
        if not isinstance(codec, Codec):
            return True
        events = self.client.get_workflow_handle(workflow_id).fetch_history_events(page_size=1)
        async for event in events:
            payloads = event.workflow_execution_started_event_attributes.input.payloads
            return bool(payloads) and codec.opens(workflow_id, payloads[0], unbound=unbound)
        return False

    async def end(self, workflow_id: str, why: str) -> None:
        """Terminate it, whatever it is; one that has ended meanwhile is as good."""
        try:
            await self.client.get_workflow_handle(workflow_id).terminate(reason=why, rpc_timeout=ANSWERS_WITHIN)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise

    async def running(self) -> dict[str, str]:
        """The workflows of this home that go on now, each with its run. The list is a moment behind."""
        query = f'WorkflowId STARTS_WITH "{self.names.prefix}" AND ExecutionStatus = "Running"'
        return {execution.id: execution.run_id async for execution in self.client.list_workflows(query)}
