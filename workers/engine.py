"""Temporal, seen from Deskhand: cases are started, told and answered here, and re-created when Temporal lost them.

The ledger is the record. Every call can be repeated: ids and keys make a second one say what the first one said.
"""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from typing import Any

from temporalio.client import Client, WorkflowHandle, WorkflowUpdateFailedError
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError, RPCStatusCode

from memory.ledger import Ledger
from workflows.bid import Bid
from workflows.case import Story
from workflows.chase import Chase
from workflows.client import Approved
from workflows.client import Client as ClientVoice
from workflows.errors import Permanent, Retryable
from workflows.models import Answer, CaseState, Edit, Event, Kind
from workflows.reply import Reply
from workflows.steps import STORY_QUEUE
from workflows.update import Update

STORIES: Mapping[Kind, Callable[[Any, CaseState], Awaitable[str]]] = {
    "reply": Reply.run,
    "bid": Bid.run,
    "chase": Chase.run,
    "update": Update.run,
}


LONGEST_CARRIED = 8_000
"""Characters of an own text that go through Temporal, whose payloads may have 256 KiB; `_BEGINNING` of a longer one."""
_BEGINNING = 200


class Refused(Permanent):
    """The case would not take the answer; the message says why, for the owner."""


class TemporalEngine:
    """Starts, tells and answers cases; implements `Engine`."""

    def __init__(self, client: Client, ledger: Ledger) -> None:
        self._client = client
        self._ledger = ledger

    async def deliver(self, event: Event) -> None:
        """Start the event's case, or tell it to the one it belongs to.

        Raises:
            Retryable: Temporal does not answer now.
        """
        state = await asyncio.to_thread(self._ledger.case, event.case)
        if state.stage == "closed":
            if event.key == state.event:
                return
            await self.deliver(await asyncio.to_thread(self._ledger.start_over, event))
            return
        async with _plainly():
            try:
                await self._start(state, event)
            except WorkflowAlreadyStartedError:
                # It ended in Temporal, and its last step into the ledger is still on its way.
                raise Retryable(f"Case {event.case} is just ending.") from None

    async def recreate(self, state: CaseState) -> None:
        """Give Temporal an open case again that it may have lost; a running one is left as it is."""
        async with _plainly():
            try:
                await self._start(state, None)
            except WorkflowAlreadyStartedError:
                return

    async def answer(self, answer: Answer) -> str:
        """Give the owner's decision to its case; what the case says.

        Raises:
            Refused: the case would not take it.
            Retryable: Temporal does not answer now.
        """
        state = await asyncio.to_thread(self._ledger.case, answer.case)
        if state.stage == "closed":
            raise Refused(closed(state))
        try:
            return await self._update(answer)
        except RPCError as error:
            if error.status != RPCStatusCode.NOT_FOUND:
                raise Retryable("Temporal does not answer; the decision is kept and given again.") from error
        state = await asyncio.to_thread(self._ledger.case, answer.case)
        if state.stage == "closed":
            raise Refused(closed(state))
        await self.recreate(state)
        async with _plainly():
            return await self._update(answer)

    async def hand_over(self, client: str, case: int, version: int) -> None:
        """Give an approved version to the client's own workflow, started if need be."""
        async with _plainly():
            await self._client.start_workflow(
                ClientVoice.run,
                args=[client, []],
                id=f"client:{client or case}",
                task_queue=STORY_QUEUE,
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="hand_over",
                start_signal_args=[Approved(case=case, version=version)],
            )

    async def _start(self, state: CaseState, event: Event | None) -> None:
        told = event is not None and event.key != state.event
        await self._client.start_workflow(
            STORIES[state.kind],
            state,
            id=f"case:{state.case}",
            task_queue=STORY_QUEUE,
            # A case that was terminated by hand may come back; one that ended is not started twice.
            id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE_FAILED_ONLY,
            id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
            start_signal="hear" if told else None,
            start_signal_args=[event] if told else [],
        )

    async def _update(self, answer: Answer) -> str:
        handle: WorkflowHandle[Story, str] = self._client.get_workflow_handle(f"case:{answer.case}")
        try:
            return await handle.execute_update(Story.answer, _light(answer), id=answer.key)
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise Refused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None


def _light(answer: Answer) -> Answer:
    """The answer as it goes through Temporal: a long text stays in the ledger, whose row the case's step reads."""
    decision = answer.decision
    if not isinstance(decision, Edit) or len(decision.text) <= LONGEST_CARRIED:
        return answer
    return replace(answer, decision=replace(decision, text=decision.text[:_BEGINNING], cut=True))


_GONE: Mapping[Kind, str] = {
    "bid": "The post was gone before a bid was made.",
    "chase": "The invoice was no longer open; nothing was sent.",
}


def closed(state: CaseState) -> str:
    """What is said to an answer that comes after the end."""
    said = {
        "sent": f"It was already {_when_sent(state)}. 'fix {state.case}' drafts a correction.",
        "expired": "It had expired; nothing was sent.",
        "won": "You won it.",
        "lost": "You had said it was lost.",
        "no-answer": "Nobody answered the bid.",
        "gone": _GONE.get(state.kind, "It was over; nothing was sent."),
        "paid": "It was paid meanwhile; nothing was sent.",
        "promised": "They promised to pay; nothing was sent.",
        "disputed": "They dispute it; nothing was sent.",
        "stopped": "It was stopped; nothing was sent.",
        "rejected": "You had said no; nothing was sent.",
        "mine": "You answer it yourself; nothing was sent.",
        "never": "You want no drafts for this sender; nothing was sent.",
        "sent-by-owner": "You had sent it yourself from your Drafts folder.",
        "answered-by-owner": "You had written to them yourself; nothing was sent by Deskhand.",
    }
    return f"Case {state.case} is closed. {said.get(state.outcome, f'Its outcome: {state.outcome}.')}"


def _when_sent(state: CaseState) -> str:
    """`sent Tue 14:02`, as the receipt says it; the server's own words are left out."""
    said = state.reason.partition(" (")[0]
    return said if said.startswith("sent ") else "sent"


@asynccontextmanager
async def _plainly() -> AsyncIterator[None]:
    """Temporal being away is Retryable."""
    try:
        yield
    except RPCError as error:
        raise Retryable(f"Temporal does not answer ({error.status.name}); it is tried again.") from error
