"""Every side effect on one page. Each activity is a line or two over a port; the rules decided, the ports act.

An error becomes Temporal's `ApplicationError` here and nowhere else: Retryable and NeedsOwner are tried again (a
password may be mended meanwhile), Permanent is not.
"""

import asyncio
from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta
from functools import wraps
from inspect import iscoroutinefunction
from typing import Any, TypeVar

from temporalio import activity
from temporalio.exceptions import ApplicationError

from workflows.errors import DeskhandError, Permanent, Retryable
from workflows.models.case import CaseState
from workflows.models.decisions import Attach, Without
from workflows.models.desk import INVITATION
from workflows.models.drafts import Asking, Brief, Draft, DraftedBy, Outgoing, Receipt
from workflows.models.routes import Event
from workflows.names import case_of, client_of
from workflows.ports import Desk, Doing, Drafting, Engine, Polling, Record, Remembering, Researching
from workflows.rules.asking.proposed import still_meant
from workflows.rules.desk.invited import answering
from workflows.rules.desk.slots import Slot
from workflows.rules.files.carried import going_with, joined
from workflows.stories import Kind

BEAT = 2.0
"""Seconds between two signs of life of a step that waits for a network."""

Function = TypeVar("Function", bound=Callable[..., Any])


def _edge(function: Function) -> Function:
    """Turn our errors into Temporal's. Messages are for the owner and hold no personal data."""

    def translated(error: DeskhandError) -> ApplicationError:
        wait = timedelta(seconds=error.after) if isinstance(error, Retryable) and error.after else None
        return ApplicationError(
            str(error),
            type=type(error).__name__,
            non_retryable=isinstance(error, Permanent),
            next_retry_delay=wait,
        )

    @wraps(function)
    async def awaited(*arguments: Any) -> Any:
        beating = asyncio.create_task(_beat())
        try:
            return await function(*arguments)
        except DeskhandError as error:
            raise translated(error) from None
        finally:
            beating.cancel()

    @wraps(function)
    def called(*arguments: Any) -> Any:
        try:
            return function(*arguments)
        except DeskhandError as error:
            raise translated(error) from None

    return awaited if iscoroutinefunction(function) else called  # type: ignore[return-value]


async def _beat() -> None:
    """Tell Temporal that this step is alive, so that one that died with its worker is tried again within seconds."""
    while True:
        await asyncio.sleep(BEAT)
        activity.heartbeat()


class Activities:
    """The activities of every story. `memory`, `model` and `mail` name the task queue each is served on."""

    def __init__(  # noqa: PLR0913, PLR0917 - one port for each neighbour
        self,
        record: Record,
        remembering: Remembering,
        drafting: Drafting,
        desk: Desk,
        engine: Engine,
        researching: Researching,
        polling: Polling,
        doing: Doing,
    ) -> None:
        self._record = record
        self._remembering = remembering
        self._drafting = drafting
        self._desk = desk
        self._engine = engine
        self._researching = researching
        self._polling = polling
        self._doing = doing

    # ------------------------------------------------------------ memory

    @activity.defn(name="brief")
    @_edge
    def brief(self, state: CaseState) -> int:
        """Build and store what an agent may know of this case; its id."""
        _only_for(state.case)
        self._record.save_case(state)
        return self._remembering.brief(state)

    @activity.defn(name="remember")
    @_edge
    def remember(self, case: int) -> int:
        """Index what is new about the client; how many documents."""
        _only_for(case)
        return self._remembering.remember(case)

    @activity.defn(name="save")
    @_edge
    def save(self, state: CaseState) -> None:
        """Keep where the case stands."""
        _only_for(state.case)
        self._record.save_case(state)

    @activity.defn(name="edit")
    @_edge
    def edit(self, state: CaseState, text: str, key: str = "") -> CaseState:
        """Keep the owner's own text as the next version, with what was attached and the state's files.

        `key`: of the answer that holds it, where it is long.
        """
        _only_for(state.case)
        body = self._record.edited_text(key) if key else text
        earlier = self._record.outgoing(state.case, state.version) if state.version else None
        draft = Draft(
            body=body, gist="your own text", why=("you wrote this text",), by=DraftedBy.OWNER,
            attachments=joined(earlier.attachments if earlier else (), state.files),
            proposals=still_meant(earlier.proposals, body) if earlier else (),
        )  # fmt: skip
        return self._record.add_version(state, draft)

    @activity.defn(name="change_parts")
    @_edge
    def change_parts(self, state: CaseState, change: Attach | Without) -> CaseState:
        """Keep the same text with further files, or without what is struck out of it, as the next version."""
        _only_for(state.case)
        return self._record.change_parts(state, change)

    @activity.defn(name="approve")
    @_edge
    def approve(self, state: CaseState) -> bool:
        """Keep the owner's yes to the current version: only what is kept here can be claimed by the outbox.

        False when the ledger knows of no such yes: what Temporal carries is not believed.
        """
        _only_for(state.case)
        return self._record.approve_version(state)

    @activity.defn(name="stand")
    @_edge
    def stand(self, state: CaseState) -> bool:
        """Record the standing yes for the current version; false when it was taken back meanwhile."""
        _only_for(state.case)
        due = self._record.due_to_stand(state.case, state.version)
        return due is not None and self._record.say_yes(due) is not None

    @activity.defn(name="never")
    @_edge
    def never(self, client: str, kind: Kind = "reply") -> None:
        """No more drafts for this client; of a chase or an update: no more of these alone."""
        self._record.set_never(client, kind)

    @activity.defn(name="lapses_at")
    @_edge
    def lapses_at(self, state: CaseState) -> datetime:
        """When the time to answer is really over: the owner's absences do not count."""
        _only_for(state.case)
        return self._record.lapses_at(state)

    @activity.defn(name="close")
    @_edge
    def close(self, state: CaseState) -> None:
        """Keep the outcome."""
        _only_for(state.case)
        self._record.close_case(state)

    # ------------------------------------------------------------ model

    @activity.defn(name="draft")
    @_edge
    async def draft(self, state: CaseState) -> CaseState:
        """Draft the next version and keep it; `hold` says so when no safe draft can be made."""
        _only_for(state.case)
        brief = await asyncio.to_thread(self._record.stored_brief, state.brief)
        earlier = await asyncio.to_thread(self._record.outgoing, state.case, state.version) if state.version else None
        brief = replace(brief, offered=going_with(state, brief, earlier))
        brief = _answering(brief, state, earlier)
        draft = await self._drafting.draft(brief, state.version + 1, state.wishes, earlier.body if earlier else "")
        if draft.needs_owner:
            return replace(state, hold=draft.needs_owner)
        answer = brief.invitation.answer if brief.invitation else None
        files = joined(brief.offered, draft.attachments)
        draft = replace(draft, attachments=joined(files, [answer]) if answer else files)
        after = await asyncio.to_thread(self._record.add_version, state, draft)
        held = _held(brief, draft)
        if held or (state.version and brief.kind == "reply"):  # an earlier version may have held others
            await asyncio.to_thread(self._record.hold_slots, state.case, after.version, held)
        return after

    @activity.defn(name="research")
    @_edge
    async def research(self, state: CaseState) -> None:
        """Find out what can be found out about a lead and keep it, each fact with its source; once per case."""
        _only_for(state.case)
        await self._researching.research(state)

    # ------------------------------------------------------------ mail

    @activity.defn(name="poll")
    @_edge
    async def poll(self, source: str) -> str:
        """Ask a source and record what came; what it says came."""
        return await self._polling.poll(source)

    @activity.defn(name="ask")
    @_edge
    async def ask(self, state: CaseState) -> Asking:
        """Show the current version to the owner."""
        _only_for(state.case)
        await asyncio.to_thread(self._record.save_case, state)
        return await self._desk.ask(state)

    @activity.defn(name="send")
    @_edge
    async def send(self, case: int, version: int) -> Receipt:
        """Send an approved version to the client, at most once. Whether it is approved, the ledger says."""
        if not client_of(activity.info().workflow_id or ""):
            raise Permanent("Only a client's own voice sends; another workflow asked for it, and nothing was sent.")
        if not await asyncio.to_thread(self._record.may_leave, case, version):
            return Receipt(state="held", detail=f"There is no yes of yours on record for version {case}.{version}.")
        return await self._desk.send(case, version)

    @activity.defn(name="carry_out")
    @_edge
    async def carry_out(self, case: int, version: int, key: str) -> str:
        """Do what was proposed beside a mail that has left, once; what the owner must be told of it, "" for nothing."""
        _only_for(case)
        return await self._doing.carry_out(case, version, key)

    @activity.defn(name="tell")
    @_edge
    async def tell(self, key: str, subject: str, text: str, case: int) -> None:
        """Send the owner a notice, once per key."""
        _only_for(case)
        await self._desk.tell(key, subject, text, case)

    @activity.defn(name="explain")
    @_edge
    async def explain(self, key: str, case: int) -> None:
        """Send the owner the trace of a case, once per key."""
        _only_for(case)
        await self._desk.explain(key, case)

    # ------------------------------------------------------------ Temporal itself

    @activity.defn(name="hand_over")
    @_edge
    async def hand_over(self, client: str, case: int, version: int) -> None:
        """Give an approved version to the client's own workflow."""
        _only_for(case)
        await self._engine.hand_over(client, case, version)

    @activity.defn(name="start_over")
    @_edge
    async def start_over(self, event: Event) -> None:
        """A mail that reached a case just as it closed gets a case of its own."""
        _only_for(event.case)
        await self._engine.deliver(self._record.start_over(event))


def _answering(brief: Brief, state: CaseState, earlier: Outgoing | None) -> Brief:
    """The brief with what its draft answers to the invitation that came with the mail, if one did."""
    if brief.invitation is None:
        return brief
    return replace(brief, invitation=answering(brief.invitation, state.wishes, earlier, brief.owner_language))


def _held(brief: Brief, draft: Draft) -> tuple[Slot, ...]:
    """The times that a draft agrees to or offers: nobody else is offered them while it waits."""
    used = {*draft.sources, *(source for reckoned in draft.reckoning for source in reckoned.sources)}
    if brief.invitation and brief.invitation.asks:
        used = used - {INVITATION} | ({INVITATION} if brief.invitation.reaction == "accepted" else set())
    answers = (answer for answer in brief.times.answers if answer.is_to_hold and answer.id in used)
    return tuple(Slot(start=answer.start, end=answer.end) for answer in answers)


def _only_for(case: int) -> None:
    """A step is done for the case whose story asks for it. 0 is about no case.

    Raises:
        Permanent: another workflow carries what is this case's.
    """
    asking = activity.info().workflow_id or ""
    if case and case_of(asking) != case:
        raise Permanent(f"A workflow that is not case {case} asked for a step of it; nothing was done.")


def memory_activities(activities: Activities) -> list[Callable[..., Any]]:
    """Served by exactly one process: Chroma allows one writer."""
    names = activities
    return [
        names.brief, names.remember, names.save, names.edit, names.change_parts, names.approve, names.stand,
        names.never, names.lapses_at,
        names.close,
    ]  # fmt: skip


def model_activities(activities: Activities) -> list[Callable[..., Any]]:
    return [activities.draft, activities.research]


def mail_activities(activities: Activities) -> list[Callable[..., Any]]:
    return [
        activities.poll,
        activities.ask,
        activities.send,
        activities.carry_out,
        activities.tell,
        activities.explain,
        activities.hand_over,
        activities.start_over,
    ]
