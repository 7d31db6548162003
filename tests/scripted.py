"""The ports of the activities as scripts: what each step gives back, per case. For the workflow logic itself.

The real parts behind these ports are at work in test_walk.py, test_crash.py and test_attacks.py.
"""

import asyncio
import threading
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any

from workflows.models.case import CaseState
from workflows.models.decisions import Answer
from workflows.models.drafts import Asking, Brief, Draft, DraftedBy, Outgoing, Receipt
from workflows.models.people import Client
from workflows.models.routes import Event
from workflows.names import Names
from workflows.rules.desk.slots import Slot
from workflows.stories import Kind

NAMES = Names("0123456789ab")
"""Of the home that plays."""
WAITS = timedelta(days=7)
GATE_LIMIT = 15.0


@dataclass
class Script:
    """What happened in one case, and what its next steps are to do."""

    asked: list[CaseState] = field(default_factory=list)
    told: list[tuple[str, str, str]] = field(default_factory=list)  # key, subject, text
    saved: list[CaseState] = field(default_factory=list)
    sent: list[int] = field(default_factory=list)  # versions
    explained: list[str] = field(default_factory=list)
    started_over: list[Event] = field(default_factory=list)
    closed: list[CaseState] = field(default_factory=list)
    drafted: list[tuple[int, str]] = field(default_factory=list)  # version, wishes
    remembered: int = 0
    approved: list[int] = field(default_factory=list)
    held: list[tuple[int, tuple[Slot, ...]]] = field(default_factory=list)  # version, the times that it offers
    unheard_of: set[int] = field(default_factory=set)  # versions with a yes that the ledger has no answer for
    grace: float = 60.0
    waits: timedelta = WAITS
    undo: timedelta | None = None  # how long the first question is shown under a standing yes, which then is refused
    receipts: deque[Receipt] = field(default_factory=deque)  # empty: sent
    lost_hand_overs: int = 0  # that many reach a client's workflow that dies with them
    holds: deque[str] = field(default_factory=deque)  # what the drafting says instead of a draft
    faults: defaultdict[str, deque[Exception]] = field(default_factory=lambda: defaultdict(deque))
    absences: deque[datetime] = field(default_factory=deque)  # what the ledger says at an expiry; empty: it is over
    gates: dict[str, threading.Event] = field(default_factory=dict)
    reached: defaultdict[str, int] = field(default_factory=lambda: defaultdict(int))

    def fail(self, step: str, *errors: Exception) -> None:
        self.faults[step].extend(errors)

    def gate(self, step: str) -> threading.Event:
        """The step waits until the event is set."""
        return self.gates.setdefault(step, threading.Event())

    def enter(self, step: str) -> None:
        self.reached[step] += 1
        gate = self.gates.get(step)
        if gate is not None:
            assert gate.wait(GATE_LIMIT), f"nobody opened the gate at {step}"
        if self.faults[step]:
            raise self.faults[step].popleft()

    @property
    def subjects(self) -> list[str]:
        return [subject for _, subject, _ in self.told]


class Office:
    """Record, Remembering, Drafting and Desk in one; `engine` is set once there is a client."""

    def __init__(self) -> None:
        self.scripts: defaultdict[int, Script] = defaultdict(Script)
        self.states: dict[int, CaseState] = {}
        self.nevers: list[str] = []
        self.events: dict[str, Event] = {}
        self.polled: list[str] = []
        self.runs: dict[int, str] = {}

    # ------------------------------------------------------------ Record

    def save_case(self, state: CaseState) -> None:
        self.scripts[state.case].enter(f"save:{state.stage}")
        self.scripts[state.case].enter("save")
        self.scripts[state.case].saved.append(state)
        self.states[state.case] = state

    def case(self, number: int) -> CaseState:
        return self.states[number]

    def stored_brief(self, brief: int) -> Brief:
        return Brief(case=brief)

    def add_version(self, state: CaseState, draft: Draft) -> CaseState:
        if draft.by is DraftedBy.OWNER:
            self.scripts[state.case].enter("edit")
        number = state.version + 1
        return replace(state, version=number, hash=seal(state.case, number), stage="drafted")

    def hold_slots(self, case: int, version: int, slots: Sequence[Slot]) -> None:
        self.scripts[case].held.append((version, tuple(slots)))

    def edited_text(self, key: str) -> str:
        raise AssertionError(f"no text of these plays is long: {key}")

    def approve_version(self, state: CaseState) -> bool:
        self.scripts[state.case].enter("approve")
        if state.version in self.scripts[state.case].unheard_of:
            return False
        self.scripts[state.case].approved.append(state.version)
        return True

    def may_leave(self, case: int, version: int) -> bool:
        return version not in self.scripts[case].unheard_of

    def due_to_stand(self, case: int, version: int) -> CaseState | None:
        return self.states[case]

    def run_of(self, case: int) -> str:
        return self.runs.get(case, "")

    def keep_run(self, case: int, run: str) -> None:
        self.runs[case] = run

    def unheard(self, state: CaseState) -> tuple[Event, ...]:
        return ()

    def unconsumed_answers(self) -> tuple[Answer, ...]:
        return ()

    def say_yes(self, state: CaseState) -> Answer | None:
        self.scripts[state.case].enter("say_yes")
        return None

    def outgoing(self, case: int, version: int) -> Outgoing:
        return Outgoing(case=case, version=version, to=(), subject="", body=f"version {version}\n")

    def draft(self, case: int, version: int) -> Draft:
        return Draft(body="", gist="")

    def client_of(self, case: int) -> Client | None:
        return None

    def lapses_at(self, state: CaseState) -> datetime:
        script = self.scripts[state.case]
        script.enter("lapses_at")
        assert state.expires_at
        return script.absences.popleft() if script.absences else state.expires_at

    def close_case(self, state: CaseState) -> None:
        self.scripts[state.case].enter("close")
        self.scripts[state.case].closed.append(state)
        self.states[state.case] = state

    def start_over(self, event: Event) -> Event:
        self.scripts[event.case].enter("start_over")
        self.scripts[event.case].started_over.append(event)
        # As the ledger does for the owner's own mail: the closed case's first event, whose delivery is done.
        return replace(event, key=self.states[event.case].event)

    def set_never(self, client: str, kind: Kind = "reply") -> None:
        self.scripts[int(client.removeprefix("client-"))].enter("never")
        self.nevers.append(client if kind == "reply" else f"{client}:{kind}")

    def note(self, case: int, what: str) -> None:
        raise AssertionError(f"no activity notes: {case} {what}")

    # ------------------------------------------------------------ Remembering

    def brief(self, state: CaseState) -> int:
        self.scripts[state.case].enter("brief")
        return state.case

    def remember(self, case: int) -> int:
        self.scripts[case].enter("remember")
        self.scripts[case].remembered += 1
        return 1


class Desk:
    """Drafting and Desk: coroutines, so a gate must not block their loop."""

    def __init__(self, office: Office) -> None:
        self.office = office

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        script = await self._enter(brief.case, "draft")
        script.drafted.append((version, wishes))
        hold = script.holds.popleft() if script.holds else ""
        return Draft(body=f"version {version}\n", gist="A draft", needs_owner=hold)

    async def ask(self, state: CaseState) -> Asking:
        script = await self._enter(state.case, "ask")
        script.asked.append(state)
        assert state.asked_at
        leaves_at = state.asked_at + script.undo if script.undo and state.round == 1 else None
        return Asking(
            asked_at=state.asked_at, expires_at=state.asked_at + script.waits, grace=script.grace, leaves_at=leaves_at
        )

    async def send(self, case: int, version: int) -> Receipt:
        script = await self._enter(case, "send")
        receipt = script.receipts.popleft() if script.receipts else Receipt(state="sent", detail="250 ok")
        if receipt.state == "sent":
            script.sent.append(version)
        return receipt

    async def explain(self, key: str, case: int) -> None:
        (await self._enter(case, "explain")).explained.append(key)

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        (await self._enter(case, "tell")).told.append((key, subject, text))

    async def research(self, state: CaseState) -> None:
        await self._enter(state.case, "research")

    async def carry_out(self, case: int, version: int, key: str) -> str:
        """Nothing is proposed in these plays."""
        raise AssertionError(f"{case}.{version} proposes nothing, and {key} was asked for.")

    async def poll(self, source: str) -> str:
        self.office.polled.append(source)
        return f"{source}: nothing new"

    async def _enter(self, case: int, step: str) -> Script:
        script = self.office.scripts[case]
        await asyncio.to_thread(script.enter, step)
        return script


class Gated:
    """The real engine, with the script's faults at `hand_over`."""

    def __init__(self, office: Office, engine: Any) -> None:
        self.office, self.engine = office, engine

    async def hand_over(self, client: str, case: int, version: int) -> None:
        script = self.office.scripts[case]
        script.enter("hand_over")
        if script.lost_hand_overs:
            script.lost_hand_overs -= 1
            return
        await self.engine.hand_over(client, case, version)

    async def deliver(self, event: Event) -> None:
        await self.engine.deliver(event)


def seal(case: int, version: int) -> str:
    """The hash of a version, as the scripts have it."""
    return f"seal-{case}-{version}"
