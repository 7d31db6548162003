"""Plays every story once on a real Temporal server and stores its history under tests/histories/.

    .venv/bin/python -m tests.make_histories [NAME ...]

The payloads are plain JSON (no codec) so that a change is readable in a diff; all names in them are made up. A stored
history is a promise to cases that run right now (T2): a new file may be added at any time, an old one is replaced only
together with `workflow.patched` and a note in the changelog, for a case may still be running on it.
"""

import asyncio
import json
import sys
import tempfile
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from temporalio.client import Client, WorkflowHandle
from temporalio.contrib.pydantic import pydantic_data_converter

from tests.patience import PATIENCE
from tests.scripted import NAMES, Desk, Gated, Office, Script, seal
from workers.settings.environ import cache_folder
from workers.temporal.engine import TemporalEngine
from workers.temporal.server import TemporalServer, find_cli
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.case import Story
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve, Decision, Edit, Later, Mine, Never, Reject, Revise, Unclear, Why
from workflows.models.drafts import Receipt
from workflows.models.routes import Event
from workflows.names import OLD, Names
from workflows.stories import Kind, facts_of

FOLDER = Path(__file__).parent / "histories"
SECOND = timedelta(seconds=1)


class Stage:
    """One case on the real server; a play gives answers and events to it in order."""

    def __init__(self, office: Office, client: Client, number: int, kind: Kind = "reply", names: Names = NAMES) -> None:
        self.office, self.client, self.number, self.kind, self.names = office, client, number, kind, names
        self.script = office.scripts[number] = Script(grace=0.2)
        self.said = 0

    async def begin(self, **state: object) -> "Stage":
        first = {"case": self.number, "kind": self.kind, "client": f"client-{self.number}", "event": "mail-1"}
        given = CaseState(**(first | state))
        self.office.states[self.number] = given
        self.handle: WorkflowHandle[Story, str] = await self.client.start_workflow(
            facts_of(self.kind).workflow,
            given,
            id=self.names.case(self.number),
            task_queue=self.names.queue("story"),
            result_type=str,
        )
        return self

    async def at(self, stage: str, version: int = 1, round: int = 1) -> CaseState:  # noqa: A002
        async with asyncio.timeout(PATIENCE):
            while True:
                state = await self.handle.query(Story.where)
                if (state.stage, state.version, state.round) == (stage, version, round):
                    return state
                await asyncio.sleep(0.02)

    async def say(self, decision: Decision, version: int = 1) -> None:
        self.said += 1
        key = f"answer-{self.said}"
        answer = Answer(key=key, case=self.number, version=version, decision=decision, hash=seal(self.number, version))
        await self.handle.execute_update(Story.answer, answer, id=key)

    async def hears(self, key: str, kind: str = "mail", **event: str) -> None:
        at = (await self.handle.describe()).start_time
        await self.handle.signal(Story.hear, Event(key=key, kind=kind, at=at, case=self.number, **event))


Play = Callable[[Stage], Awaitable[object]]


async def approved(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Why())
    await stage.say(Approve())


async def edited(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Edit(text="Thursday suits me.\n"))
    await stage.at("waiting", 2)
    await stage.say(Approve(), 2)


async def edited_and_sent(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Edit(text="Thursday suits me.\n", send=True))


async def rejected(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Unclear(question="Is that a yes?"))
    await stage.say(Reject(reason="too cheap"))


async def rejected_in_grace(stage: Stage) -> None:
    stage.script.grace = 600
    await (await stage.begin()).at("waiting")
    await stage.say(Approve())
    await stage.at("approved")
    await stage.say(Reject())


async def revised_then_approved(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Revise(wishes="shorter"))
    await stage.at("waiting", 2)
    await stage.say(Approve(), 2)


async def older_version_approved(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Revise(wishes="shorter"))
    await stage.at("waiting", 2)
    await stage.say(Approve(), 1)
    await stage.at("waiting", 2, 2)
    await stage.say(Approve(), 2)


async def two_different_answers(stage: Stage) -> None:
    stage.script.grace = 600
    await (await stage.begin()).at("waiting")
    await stage.say(Edit(text="Thursday suits me.\n", send=True))
    await stage.at("approved", 2)
    await stage.say(Approve(), 1)
    await stage.at("waiting", 2, 2)
    await stage.say(Reject(), 2)


async def expired_after_an_absence(stage: Stage) -> None:
    stage.script.waits = SECOND
    stage.script.absences.append(datetime.now(UTC) + 4 * SECOND)
    await stage.begin()


async def newer_mail(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("mail-2")
    await stage.at("waiting", 2)
    await stage.say(Approve(), 2)


async def later(stage: Stage) -> None:
    first = await (await stage.begin()).at("waiting")
    assert first.asked_at
    await stage.say(Later(until=first.asked_at + 2 * SECOND))
    await stage.at("waiting", 1, 2)
    await stage.say(Mine())


async def expired(stage: Stage) -> None:
    stage.script.waits = SECOND
    await stage.begin()


async def held_then_sent(stage: Stage) -> None:
    first = await (await stage.begin()).at("waiting")
    assert first.asked_at
    until = first.asked_at + 2 * SECOND
    stage.script.receipts.append(Receipt(state="held", detail="Quiet hours.", until=until))
    await stage.say(Approve())


async def failed(stage: Stage) -> None:
    stage.script.receipts.append(Receipt(state="failed", detail="550 5.1.1 no such mailbox"))
    await (await stage.begin()).at("waiting")
    await stage.say(Approve())


async def uncertain(stage: Stage) -> None:
    stage.script.receipts.append(Receipt(state="uncertain", detail="How to settle it."))
    await (await stage.begin()).at("waiting")
    await stage.say(Approve())


async def complaint(stage: Stage) -> None:
    await (await stage.begin(hold="a complaint")).at("waiting", 0)
    await stage.say(Edit(text="I am sorry.\n"), 0)
    await stage.at("waiting", 1)
    await stage.say(Approve(), 1)


async def complaint_while_waiting(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("mail-2", hold="a complaint")
    await stage.at("waiting", 1, 2)
    await stage.say(Never())


async def answered_by_owner(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("sent-1", kind="sent")


async def parked_then_approved(stage: Stage) -> None:
    stage.script.fail("ask", Permanent("The server refuses it for good."))
    await (await stage.begin(grace=0.2)).at("needs_owner")
    await stage.say(Approve())


async def mail_at_the_end(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    gate = stage.script.gate("close")
    await stage.say(Reject())
    while not stage.script.reached["close"]:  # noqa: ASYNC110 - the step runs in a thread
        await asyncio.sleep(0.02)
    await stage.hears("mail-2")
    gate.set()


async def won(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Approve())
    await stage.at("placed")
    await stage.hears("result-1", kind="news", ends="won", summary="you won it")


async def edited_then_won(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.say(Edit(text="Here is my bid.\n", send=True))
    await stage.at("placed", 2)
    await stage.hears("result-1", kind="news", ends="won", summary="you won it")


async def gone(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("gone-1", kind="news", ends="gone", summary="the post is gone")


async def not_researched(stage: Stage) -> None:
    stage.script.fail("research", Permanent("Their site is away."))
    await (await stage.begin()).at("waiting")
    await stage.say(Reject())


async def paid(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("paid-1", kind="news", ends="paid", summary="it was paid")


async def changed(stage: Stage) -> None:
    await (await stage.begin()).at("waiting")
    await stage.hears("changed-1", kind="news", summary="The amount changed.")
    await stage.at("waiting", 2)
    await stage.say(Approve(), 2)


PLAYS: dict[str, Play] = {
    play.__name__: play
    for play in (
        approved, edited, edited_and_sent, rejected, rejected_in_grace, revised_then_approved, newer_mail, later,
        expired, held_then_sent, failed, uncertain, complaint, complaint_while_waiting, answered_by_owner,
        parked_then_approved, mail_at_the_end, older_version_approved, two_different_answers, expired_after_an_absence,
    )
}  # fmt: skip
_ENDED: dict[str, Play] = {play.__name__: play for play in (rejected, expired, failed)}
OTHERS: dict[Kind, dict[str, Play]] = {
    "bid": {"won": won, "gone": gone, "not_researched": not_researched, **_ENDED, "edited_then_won": edited_then_won},
    "chase": {"approved": approved, "edited": edited, "paid": paid, "changed": changed, **_ENDED},
    "update": {"approved": approved, "edited": edited, "stopped": paid, "changed": changed, **_ENDED},
    "followup": {"approved": approved, "edited": edited, "answered": paid, **_ENDED},
}
"""The plays of the stories that no mail began."""
VOICES = ("approved", "failed")
"""Plays whose client's workflow is stored as well."""
AT_HOME: tuple[tuple[Kind, str], ...] = (
    ("reply", "approved"), ("reply", "edited_and_sent"), ("reply", "newer_mail"), ("bid", "won"), ("chase", "paid"),
    ("update", "changed"),
)  # fmt: skip
"""Plays that are stored once more, as `<kind>-<name>_at_home`: under ids and queues that carry the home's id."""


def every_play() -> list[tuple[Kind, str, Play, Names]]:
    """Every story with each of its plays: the name of its history is `<kind>-<name>`.

    The first ones were stored before names carried the home.
    """
    told: dict[Kind, dict[str, Play]] = {"reply": PLAYS, **OTHERS}
    before = [(kind, name, play, OLD) for kind, plays in told.items() for name, play in plays.items()]
    return before + [(kind, f"{name}_at_home", told[kind][name], NAMES) for kind, name in AT_HOME]


async def make(names: set[str]) -> None:
    FOLDER.mkdir(exist_ok=True)
    with tempfile.TemporaryDirectory(prefix="deskhand-histories-") as folder:
        server = TemporalServer(await find_cli(cache_folder()), Path(folder))
        client = await Client.connect(await server.start(), data_converter=pydantic_data_converter)
        try:
            office = Office()
            desk = Desk(office)
            for home in (OLD, NAMES):
                engine = Gated(office, TemporalEngine(client, office, home))
                activities = Activities(office, office, desk, desk, engine, desk, desk, desk)
                async with running(build_workers(client, activities, home)):
                    for number, (kind, name, play, of) in enumerate(every_play(), start=1):
                        if of == home and (not names or f"{kind}-{name}" in names):
                            await _store(Stage(office, client, number, kind, home), name, play)
        finally:
            await server.stop()


async def _store(stage: Stage, name: str, play: Play) -> None:
    await play(stage)
    async with asyncio.timeout(PATIENCE):
        outcome = await stage.handle.result()
    await _write(stage.handle, f"{stage.kind}-{name}")
    print(f"{stage.kind}-{name}: {outcome}")
    if stage.kind == "reply" and name.removesuffix("_at_home") in VOICES:
        voice = stage.client.get_workflow_handle(stage.names.client(f"client-{stage.number}"))
        async with asyncio.timeout(PATIENCE):
            await voice.result()
        await _write(voice, f"client-{name}")


async def _write(handle: WorkflowHandle, name: str) -> None:
    history = json.loads((await handle.fetch_history()).to_json())
    (FOLDER / f"{name}.json").write_text(one_event_a_line(history))


def one_event_a_line(history: dict[str, Any]) -> str:
    """The history as JSON whose lines are its events: a change of a story shows as the events it changed."""
    return '{"events": [\n' + ",\n".join(json.dumps(event) for event in history["events"]) + "\n]}\n"


if __name__ == "__main__":
    asyncio.run(make(set(sys.argv[1:])))
