"""Temporal, seen from Deskhand: cases are started, told and answered here, and re-created when Temporal lost them.

The ledger is the record. Every call can be repeated: ids and keys make a second one say what the first one said.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from dataclasses import replace
from weakref import WeakValueDictionary

import structlog
from temporalio.client import (
    Client,
    WorkflowHandle,
    WorkflowUpdateFailedError,
    WorkflowUpdateRPCTimeoutOrCancelledError,
)
from temporalio.common import WorkflowIDConflictPolicy, WorkflowIDReusePolicy
from temporalio.exceptions import ApplicationError, WorkflowAlreadyStartedError
from temporalio.service import RPCError

from memory.ledger import Ledger
from workers.temporal.runs import Runs, Whose
from workflows.case import Story
from workflows.client import Approved, ClientVoice
from workflows.errors import Permanent, Retryable
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Edit
from workflows.models.routes import Event
from workflows.names import VOICE, Names
from workflows.stories import facts_of

log = structlog.get_logger()
ANSWERED_WITHIN = 25.0
"""Seconds a case may take to say something to an answer: less than a command waits for the service."""
MOST_TRIES = 5
LONGEST_CARRIED = 8_000
"""Characters of an own text that go through Temporal, whose payloads may have 256 KiB; `_BEGINNING` of a longer one."""
_BEGINNING = 200


class AnswerRefused(Permanent):
    """The case would not take the answer; the message says why, for the owner."""


class TemporalEngine:
    """Starts, tells and answers the cases of one home; implements `Engine`.

    Before a case is told anything its workflow is looked at: one that a stranger began under its id is ended, and the
    case is begun anew from the ledger, which is the record.
    """

    def __init__(self, client: Client, ledger: Ledger, names: Names) -> None:
        self._client = client
        self._ledger = ledger
        self._names = names
        self._runs = Runs(client, names)
        self._going: dict[str, str] = {}  # workflow -> the run of it that was found to be ours
        self._locks: WeakValueDictionary[str, asyncio.Lock] = WeakValueDictionary()
        self.strangers = asyncio.Event()
        """Set when a stranger's workflow was ended; the ledger has the time, and the lookout tells the owner."""

    async def deliver(self, event: Event) -> None:
        """Start the event's case, or tell it to the one it belongs to.

        Raises:
            Retryable: Temporal does not answer now, or the case is just ending.
        """
        state = await asyncio.to_thread(self._ledger.case, event.case)
        if state.stage == "closed":
            if event.key == state.event:
                return
            await self.deliver(await asyncio.to_thread(self._ledger.start_over, event))
            return
        async with _plainly():
            await self._stand(state)
            if event.key != state.event:
                await self._client.get_workflow_handle(self._names.case(event.case)).signal(Story.hear, event)

    async def recreate(self, state: CaseState) -> None:
        """Give Temporal an open case again that it may have lost; a running one of ours is left as it is."""
        async with _plainly():
            await self._stand(state)

    async def answer(self, answer: Answer) -> str:
        """Give the owner's decision to its case; what the case says.

        Raises:
            Refused: the case would not take it.
            Retryable: Temporal does not answer now.
        """
        state = await asyncio.to_thread(self._ledger.case, answer.case)
        if state.stage == "closed":
            raise AnswerRefused(await self._over(state))
        try:
            async with _plainly():
                await self._stand(state, besides=answer.key)
                return await self._update(answer)
        except Retryable:
            state = await asyncio.to_thread(self._ledger.case, answer.case)
            if state.stage == "closed":  # it ended while it was asked
                raise AnswerRefused(await self._over(state)) from None
            raise

    async def _over(self, state: CaseState) -> str:
        return closed(state, await asyncio.to_thread(self._ledger.when_sent, state.case, state.version))

    async def hand_over(self, client: str, case: int, version: int) -> None:
        """Give an approved version to the client's own workflow, started if need be."""
        voice = self._names.client(client or str(case))
        async with _plainly(), self._lock(voice):
            finding = await self._runs.look(voice, VOICE, None)
            if finding.whose is Whose.A_STRANGERS:
                await self._put_out(voice)
            elif finding.run:
                self._going[voice] = finding.run
            await self._client.start_workflow(
                ClientVoice.run,
                args=[client, []],
                id=voice,
                task_queue=self._names.queue("story"),
                id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                id_conflict_policy=WorkflowIDConflictPolicy.USE_EXISTING,
                start_signal="hand_over",
                start_signal_args=[Approved(case=case, version=version)],
            )

    async def running(self) -> dict[str, bool]:
        """The workflows that go on now, each with whether this very run was found to be ours.

        Raises:
            Retryable: Temporal does not answer now.
        """
        async with _plainly():
            runs = await self._runs.running()
        self._going = {name: run for name, run in self._going.items() if runs.get(name) == run}
        return {name: self._going.get(name) == run for name, run in runs.items()}

    def _lock(self, workflow_id: str) -> asyncio.Lock:
        lock = self._locks.get(workflow_id)
        if lock is None:
            lock = self._locks[workflow_id] = asyncio.Lock()
        return lock

    # ------------------------------------------------------------ a case's own workflow

    async def _stand(self, state: CaseState, besides: str = "") -> None:
        """Have the case's own workflow run; one that had to be begun anew hears what it has missed.

        `besides`: the key of an answer that the caller gives.
        """
        name, number = self._names.case(state.case), state.case
        async with self._lock(name):
            first_run = await asyncio.to_thread(self._ledger.run_of, number)
            if first_run:
                finding = await self._runs.look(name, _story(state), first_run)
                if finding.whose is Whose.OURS:
                    self._going[name] = finding.run
                    return
                if finding.whose is Whose.A_STRANGERS:
                    await self._put_out(name)
            # Read after the look: a workflow that has ended wrote its end into the ledger before.
            state = await asyncio.to_thread(self._ledger.case, number)
            if state.stage == "closed":
                raise Retryable(f"Case {number} is just ending.")
            await self._begin(state, name)
            if first_run:
                await self._catch_up(state, name, besides)

    async def _begin(self, state: CaseState, name: str) -> None:
        for _ in range(MOST_TRIES):
            try:
                handle = await self._client.start_workflow(
                    _story(state),
                    state,
                    id=name,
                    task_queue=self._names.queue("story"),
                    id_reuse_policy=WorkflowIDReusePolicy.ALLOW_DUPLICATE,
                    id_conflict_policy=WorkflowIDConflictPolicy.FAIL,
                )
            except WorkflowAlreadyStartedError:
                finding = await self._runs.look(name, _story(state), "")
                if finding.whose is Whose.A_STRANGERS:
                    await self._put_out(name)
                else:
                    await self._runs.end(name, "begun anew from the ledger")
            else:
                self._going[name] = run = handle.first_execution_run_id or ""
                await asyncio.to_thread(self._ledger.keep_run, state.case, run)
                return
        raise Retryable(f"Somebody else begins case {state.case} in Temporal again and again.")

    async def _catch_up(self, state: CaseState, name: str, besides: str) -> None:
        handle = self._client.get_workflow_handle(name)
        for event in await asyncio.to_thread(self._ledger.unheard, state):
            await handle.signal(Story.hear, event)
        for answer in await asyncio.to_thread(self._ledger.unconsumed_answers):
            if answer.case == state.case and answer.key != besides:
                with suppress(AnswerRefused):  # it is on its way to the ledger, or no longer fits
                    await self._update(answer)

    async def _put_out(self, name: str) -> None:
        """What a stranger began, ended or set back: no matter what it is now, it ends and is kept to be told."""
        log.warning("a workflow that is not as we left it is ended", workflow=name)
        await self._runs.end(name, "not begun by this Deskhand")
        self._going.pop(name, None)
        await asyncio.to_thread(self._ledger.note_stranger)
        self.strangers.set()

    async def _update(self, answer: Answer) -> str:
        handle: WorkflowHandle[Story, str] = self._client.get_workflow_handle(self._names.case(answer.case))
        try:
            async with asyncio.timeout(ANSWERED_WITHIN):
                return await handle.execute_update(Story.answer, _light(answer), id=self._names.update(answer.key))
        except WorkflowUpdateFailedError as error:
            cause = error.cause
            raise AnswerRefused(cause.message if isinstance(cause, ApplicationError) else str(cause)) from None
        except (TimeoutError, WorkflowUpdateRPCTimeoutOrCancelledError):
            raise Retryable("Its case does not answer now; the decision is kept and given again.") from None


def _story(state: CaseState) -> str:
    """What Temporal calls the story of this case."""
    return facts_of(state.kind).workflow


def _light(answer: Answer) -> Answer:
    """The answer as it goes through Temporal: a long text stays in the ledger, whose row the case's step reads."""
    decision = answer.decision
    if not isinstance(decision, Edit) or len(decision.text) <= LONGEST_CARRIED:
        return answer
    return replace(answer, decision=replace(decision, text=decision.text[:_BEGINNING], cut=True))


def closed(state: CaseState, when: str = "") -> str:
    """What is said to an answer that comes after the end; `when`: it was sent ("Tue 14:02")."""
    sent = f"sent {when}" if when else "sent"
    endings = {
        "sent": f"It was already {sent}. 'fix {state.case}' drafts a correction.",
        "expired": "It had expired; nothing was sent.",
        "won": "You won it.",
        "lost": "You had said it was lost.",
        "no-answer": "Nobody answered the bid.",
        "gone": facts_of(state.kind).gone,
        "paid": "It was paid meanwhile; nothing was sent.",
        "answered": "They had answered meanwhile; nothing was sent.",
        "promised": "They promised to pay; nothing was sent.",
        "disputed": "They dispute it; nothing was sent.",
        "stopped": "It was stopped; nothing was sent.",
        "rejected": "You had said no; nothing was sent.",
        "mine": "You answer it yourself; nothing was sent.",
        "never": f"You said never: {facts_of(state.kind).never}. Nothing was sent.",
        "sent-by-owner": "You had sent it yourself from your Drafts folder.",
        "answered-by-owner": "You had written to them yourself; nothing was sent by Deskhand.",
    }
    return f"Case {state.case} is closed. {endings.get(state.outcome, f'Its outcome: {state.outcome}.')}"


@asynccontextmanager
async def _plainly() -> AsyncIterator[None]:
    """Temporal being away is Retryable."""
    try:
        yield
    except RPCError as error:
        raise Retryable(f"Temporal does not answer ({error.status.name}); it is tried again.") from error
