"""Promise A6: another user of the machine, who reaches the Temporal server without a login, can do nothing with it.

The stranger has no key and no file of the home; the names of workflows he reads from the server, like anybody.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.common.v1 import Payload, WorkflowExecution
from temporalio.api.history.v1 import HistoryEvent
from temporalio.api.workflowservice.v1 import ResetWorkflowExecutionRequest
from temporalio.client import Client, WorkflowExecutionStatus, WorkflowUpdateFailedError
from temporalio.common import RawValue, RetryPolicy
from temporalio.exceptions import ActivityError
from temporalio.service import RPCError
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.house.running import House, case_of, until
from tests.patience import PATIENCE
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.temporal.lookout import _SUBJECT as MEDDLING
from workflows.models.mail import Address, Email
from workflows.names import Names

"""The promise is 60 s; a busy machine is forgiven."""
Call = tuple[str, str, list[str]]
"""An activity that was called once: its name, its queue and its arguments as they lie there."""


@workflow.defn(name="Reply")
class Rogue:
    """A story of the stranger's own that calls our activities with what it found on the server."""

    @workflow.run
    async def run(self, calls: list[Call]) -> list[str]:
        said = []
        for name, queue, given in calls:
            arguments = [RawValue(Payload.FromString(bytes.fromhex(payload))) for payload in given]
            try:
                await workflow.execute_activity(
                    name, args=arguments, task_queue=queue, result_type=RawValue,
                    schedule_to_close_timeout=timedelta(seconds=20), retry_policy=RetryPolicy(maximum_attempts=1),
                )  # fmt: skip
                said.append(f"{name}: done")
            except ActivityError as error:
                said.append(f"{name}: {error.cause}")
        return said


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


async def stranger(house: House) -> Client:
    return await Client.connect(house.temporal_address)


def asked(house: House, number: int) -> Email:
    """A client writes and the owner is asked; the approval mail."""
    client = Address(name=f"Client {number}", email=f"client{number}@firm{number}.example")
    house.client_writes(number, sender=client)
    return until(
        lambda: next((mail for mail in house.approvals() if f"client{number}@" in mail.text), None),
        PATIENCE,
        f"client {number} to be asked about; said: {house.said[-20:]}",
    )


def told(house: House) -> list[str]:
    subjects = [mime.parse(stored.content).subject for stored in house.user.messages()]
    return [subject for subject in subjects if MEDDLING in subject]


async def going(client: Client, name: str) -> str:
    """The workflow's run that goes on now, "" for none."""
    try:
        seen = await client.get_workflow_handle(name).describe()
    except RPCError:
        return ""
    return seen.run_id if seen.status == WorkflowExecutionStatus.RUNNING else ""


async def begun_anew(client: Client, name: str, before: str) -> None:
    """Within a minute another run goes on than the one before."""
    began = time.monotonic()
    while await going(client, name) in {"", before}:
        assert time.monotonic() - began < PATIENCE, name
        await asyncio.sleep(0.2)


async def history(client: Client, name: str) -> list[HistoryEvent]:
    return [event async for event in client.get_workflow_handle(name).fetch_history_events()]


def start_of(events: list[HistoryEvent]) -> RawValue:
    return RawValue(events[0].workflow_execution_started_event_attributes.input.payloads[0])


def calls_in(events: list[HistoryEvent]) -> list[Call]:
    scheduled = (event.activity_task_scheduled_event_attributes for event in events)
    return [
        (call.activity_type.name, call.task_queue.name, [one.SerializeToString().hex() for one in call.input.payloads])
        for call in scheduled
        if call.activity_type.name
    ]


def outcome(house: House, case: int) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).outcome


# ---------------------------------------------------------------- ids taken, workflows ended


def test_ids_taken_in_advance_hold_nobody_up_and_the_owner_is_told_once(house: House) -> None:
    house.start()
    first = asked(house, 1)

    async def squat() -> None:
        client = await stranger(house)
        home = await anext(found.id.partition(":")[0] async for found in client.list_workflows())
        names = Names(home)
        await client.start_workflow("Reply", id=names.case(2), task_queue="nobody")
        await client.start_workflow("Reply", "plain", id=names.case(3), task_queue=names.queue("story"))
        await client.start_workflow("Bid", id=names.case(4), task_queue=names.queue("story"))
        stolen = start_of(await history(client, names.case(1)))
        await client.start_workflow("Reply", stolen, id=names.case(5), task_queue=names.queue("story"))
        with house.ledger() as ledger:
            voice = names.client(ledger.case(1).client)
        await client.start_workflow("Client", id=voice, task_queue="nobody")

    asyncio.run(squat())
    for number in range(2, 6):
        asked(house, number)
    until(lambda: told(house), PATIENCE, "the owner to be told")
    assert [case_of(mail) for mail in house.approvals()] == [1, 2, 3, 4, 5]
    house.owner_answers(first, "ok")
    house.owner_answers(house.approvals()[1], "ok")
    sent = house.wait_sent(2, PATIENCE)
    until(lambda: outcome(house, 1) == outcome(house, 2) == "sent", PATIENCE, "both to end")
    assert Counter(mail.recipients[0] for mail in sent) == {"client1@firm1.example": 1, "client2@firm2.example": 1}
    assert len(told(house)) == 1
    assert house.stop() == 0


def test_what_is_ended_cancelled_reset_or_started_from_what_was_goes_on(house: House) -> None:
    house.start()
    for number in range(1, 6):
        asked(house, number)
    names = house.names
    until(lambda: _all_wait(house, 5), PATIENCE, "all to wait")

    async def meddle() -> None:
        client = await stranger(house)
        before = {number: await going(client, names.case(number)) for number in range(1, 6)}
        assert all(before.values())
        await client.get_workflow_handle(names.case(1)).terminate()
        await client.get_workflow_handle(names.case(2)).cancel()
        events = await history(client, names.case(3))
        done = "workflow_task_completed_event_attributes"
        task = next(event.event_id for event in events if event.HasField(done))
        await client.workflow_service.reset_workflow_execution(
            ResetWorkflowExecutionRequest(
                namespace="default",
                workflow_execution=WorkflowExecution(workflow_id=names.case(3), run_id=before[3]),
                workflow_task_finish_event_id=task,
                request_id="stranger",
            )
        )
        # Begun again from its own first payload, which opens there: all that it has done since would be forgotten.
        stolen = start_of(await history(client, names.case(4)))
        await client.get_workflow_handle(names.case(4)).terminate()
        await client.start_workflow("Reply", stolen, id=names.case(4), task_queue=names.queue("story"))
        taken = await going(client, names.case(4))
        reset = await going(client, names.case(3))
        for number, run in ((1, before[1]), (2, before[2]), (3, reset), (4, taken)):
            await begun_anew(client, names.case(number), run)
        assert await going(client, names.case(5)) == before[5]

    asyncio.run(meddle())
    assert len(house.approvals()) == 5  # nobody is asked twice
    for mail in house.approvals():
        house.owner_answers(mail, "ok")
    sent = house.wait_sent(5, PATIENCE)
    until(lambda: all(outcome(house, case) == "sent" for case in range(1, 6)), PATIENCE, "all to end")
    assert Counter(mail.recipients[0] for mail in sent) == {f"client{n}@firm{n}.example": 1 for n in range(1, 6)}
    assert len(told(house)) == 1
    assert house.stop() == 0


def _all_wait(house: House, count: int) -> bool:
    with house.ledger() as ledger:
        return [state.stage for state in ledger.open_cases()] == ["waiting"] * count


# ---------------------------------------------------------------- what lies there, used again


def test_nothing_that_lies_there_can_be_used_again(house: House) -> None:
    """Every argument of every step, given to every queue by workflows of any id, and every update given anew."""
    house.start()
    answered, waiting, other = asked(house, 1), asked(house, 2), asked(house, 3)
    house.owner_answers(answered, "ok")
    house.wait_sent(1)
    until(lambda: outcome(house, 1) == "sent", PATIENCE, "the first to end")
    names = house.names

    async def replay() -> list[str]:
        client = await stranger(house)
        with house.ledger() as ledger:
            voice = names.client(ledger.case(1).client)
        found = {name: await history(client, name) for name in (names.case(1), names.case(2), names.case(3), voice)}
        calls = [call for events in found.values() for call in calls_in(events)]
        states = [call[2] for call in calls if call[0] == "ask"]
        approve = [("approve", names.queue("memory"), given) for given in states]
        stand = [("stand", names.queue("memory"), given) for given in states]
        said = []
        async with Worker(client, task_queue="evil", workflows=[Rogue], workflow_runner=UnsandboxedWorkflowRunner()):
            for name in ("evil:1", names.case(99), names.client("evil"), names.case(1)):
                everything = [*calls, *approve, *stand]
                said += await client.execute_workflow("Reply", everything, id=name, task_queue="evil")
        assert not [one for one in said if one.endswith("done") and not one.startswith(OF_ITS_OWN)]
        return await _updates(client, names, found[names.case(1)])

    answers = asyncio.run(replay())
    assert answers
    assert not [answer for answer in answers if answer.startswith("taken")]
    house.owner_answers(waiting, "no")
    until(lambda: outcome(house, 2) == "rejected", PATIENCE, "the second to end")
    house.owner_answers(other, "ok")
    sent = house.wait_sent(2)
    assert Counter(mail.recipients[0] for mail in sent) == {"client1@firm1.example": 1, "client3@firm3.example": 1}
    assert house.stop() == 0


OF_ITS_OWN = ("brief", "draft", "ask", "approve", "save", "close", "remember", "hand_over")
"""Steps of case 1 asked for once more under its own id, after it has ended: each says what it said before."""


async def _updates(client: Client, names: Names, events: list[HistoryEvent]) -> list[str]:
    """How cases 1, 2 and 3 take each update that case 1 was given."""
    said = []
    for event in events:
        accepted = event.workflow_execution_update_accepted_event_attributes.accepted_request
        for payload in accepted.input.args.payloads:
            for number in (1, 2, 3):
                handle = client.get_workflow_handle(names.case(number))
                try:
                    await handle.execute_update("answer", RawValue(payload), id=f"again-{number}", result_type=RawValue)
                    said.append(f"taken by {number}")
                except WorkflowUpdateFailedError as error:
                    said.append(f"refused by {number}: {error.cause}")
                except RPCError as error:
                    said.append(f"gone {number}: {error}")
    return said
