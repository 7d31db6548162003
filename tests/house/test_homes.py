"""Names in Temporal: two homes share a namespace without meeting, and what ran under older names goes on."""

import asyncio
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from sqlalchemy import delete, update
from temporalio.api.common.v1 import Payload
from temporalio.client import Client, WorkflowExecutionStatus
from temporalio.converter import DataConverter
from temporalio.service import RPCError

from memory.keys import Keys
from memory.record.schema import cases, meta, open_engine, transaction
from tests.house.running import House, case_of, until
from tests.patience import PATIENCE
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.smtp import RecordingSmtp
from workers.settings.environ import cache_folder
from workers.temporal.carrying import NAMED
from workers.temporal.codec import UNBOUND, Codec, converter
from workers.temporal.runs import Runs
from workers.temporal.server import TemporalServer, find_cli
from workflows.models.mail import Address
from workflows.names import OLD


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


async def status(client: Client, name: str) -> WorkflowExecutionStatus | None:
    try:
        return (await client.get_workflow_handle(name).describe()).status
    except RPCError:
        return None


# ---------------------------------------------------------------- an update of Deskhand with cases open


class Unbound(Codec):
    """Encrypts as Deskhand did before payloads were bound to their workflow."""

    def _encrypted(self, cipher: AESGCM, payload: Payload) -> Payload:
        name = self._place.key.encode()
        data = cipher.encrypt(b"n" * 12, payload.SerializeToString(), name)
        return Payload(metadata={"encoding": UNBOUND, "key": name}, data=b"n" * 12 + data)


@asynccontextmanager
async def temporal_of(house: House, keys: Keys) -> AsyncIterator[Client]:
    """The home's own Temporal server while no service runs, and a client that speaks as the older Deskhand did."""
    server = TemporalServer(await find_cli(cache_folder()), house.home)
    address = await server.start()
    how = converter(keys)
    try:
        yield await Client.connect(address, data_converter=_unbound(how, keys))
    finally:
        await server.stop()


def _unbound(how: DataConverter, keys: Keys) -> DataConverter:
    return replace(how, payload_codec=Unbound(keys))


def test_cases_that_were_open_before_names_carried_the_home_go_on(house: House, tmp_path: Path) -> None:
    """Case 1 waits, case 2 has closed and not taken its last steps, case 3's old id is another home's."""
    house.start()
    for number in range(1, 4):
        sender = Address(name=f"Client {number}", email=f"client{number}@firm{number}.example")
        house.client_writes(number, sender=sender)
        house.wait_approvals(number)
    house.owner_answers(next(mail for mail in house.approvals() if case_of(mail) == 2), "no")
    until(lambda: _outcome(house, 2) == "rejected", 60, "the second to end")
    until(lambda: _stages(house) == {1: "waiting", 3: "waiting"}, 60, "the others to wait")
    assert house.stop() == 0
    asyncio.run(_as_it_was_before(house, tmp_path))
    house.start()
    asyncio.run(_carried_over(house))
    for mail in house.approvals():
        if case_of(mail) != 2:
            house.owner_answers(mail, "ok")
    sent = house.wait_sent(2)
    assert sorted(mail.recipients[0] for mail in sent) == ["client1@firm1.example", "client3@firm3.example"]
    until(lambda: not _stages(house), 60, "both to end")
    assert len(house.approvals()) == 3  # nobody was asked anew
    assert len(house.sent_to_clients()) == 2
    assert house.stop() == 0


async def _as_it_was_before(house: House, tmp_path: Path) -> None:
    """The home as the older Deskhand left it: old ids and queues, payloads that are bound to nothing."""
    names, keys = house.names, Keys(house.home / "keys")
    with house.ledger() as ledger:
        states = {number: ledger.case(number) for number in (1, 2, 3)}
    async with temporal_of(house, keys) as client:
        for number in (1, 3):
            await client.get_workflow_handle(names.case(number)).terminate()
        for number in (1, 2):
            await client.start_workflow("Reply", states[number], id=OLD.case(number), task_queue="deskhand")
        voice = OLD.client(states[1].client)
        await client.start_workflow("Client", args=[states[1].client, []], id=voice, task_queue="deskhand")
        other = await Client.connect(
            client.service_client.config.target_host,
            data_converter=_unbound(client.data_converter, Keys(tmp_path / "other-keys")),
        )
        await other.start_workflow("Reply", states[3], id=OLD.case(3), task_queue="deskhand")
        assert await Runs(client, OLD).opens(OLD.case(1), unbound=True)
        assert not await Runs(client, OLD).opens(OLD.case(1))
        assert not await Runs(client, OLD).opens(OLD.case(3), unbound=True)
    engine = open_engine(house.home / "ledger.sqlite")
    with transaction(engine) as connection:
        connection.execute(update(cases).values(run=""))
        connection.execute(delete(meta).where(meta.c.key == NAMED))
    engine.dispose()


async def _carried_over(house: House) -> None:
    client, names = await Client.connect(house.temporal_address), house.names
    assert await status(client, OLD.case(1)) == WorkflowExecutionStatus.TERMINATED
    assert await status(client, names.case(1)) == WorkflowExecutionStatus.RUNNING
    assert await status(client, names.case(3)) == WorkflowExecutionStatus.RUNNING
    assert await status(client, OLD.case(3)) == WorkflowExecutionStatus.RUNNING  # another home's: not ours to end
    began = time.monotonic()
    with house.ledger() as ledger:
        voice = OLD.client(ledger.case(1).client)
        while ledger.get_meta(NAMED) != names.home:
            assert time.monotonic() - began < PATIENCE
            await asyncio.sleep(0.2)
    # What was just ending has taken its last steps on the old queues.
    assert await status(client, OLD.case(2)) == WorkflowExecutionStatus.COMPLETED
    assert await status(client, voice) == WorkflowExecutionStatus.COMPLETED


def _stages(house: House) -> dict[int, str]:
    with house.ledger() as ledger:
        return {state.case: state.stage for state in ledger.open_cases()}


def _outcome(house: House, case: int) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).outcome


# ---------------------------------------------------------------- two homes, one namespace


def test_two_homes_on_one_namespace_do_not_meet(tmp_path: Path, smtp_server: RecordingSmtp, dovecot: Dovecot) -> None:
    """Each has its case 1, its schedules and its owner; one is stopped while the other works."""
    other_smtp = RecordingSmtp()
    with other_smtp:
        asyncio.run(_two_homes(tmp_path, (smtp_server, other_smtp), dovecot))


async def _two_homes(tmp_path: Path, servers: tuple[RecordingSmtp, RecordingSmtp], dovecot: Dovecot) -> None:
    server = TemporalServer(await find_cli(cache_folder()), tmp_path)
    address = await server.start()
    homes = [
        House(tmp_path / name, dovecot.add_user(), smtp, temporal={"address": address})
        for name, smtp in zip(("one", "two"), servers, strict=True)
    ]
    try:
        await asyncio.to_thread(_both_work, homes)
        client = await Client.connect(address)
        for home in homes:
            assert await status(client, home.names.case(1)) == WorkflowExecutionStatus.COMPLETED
        schedules = {found.id async for found in await client.list_schedules()}
        assert all(any(name.startswith(home.names.poll("")) for name in schedules) for home in homes)
    finally:
        for home in homes:
            home.close()
        await server.stop()


def _both_work(homes: list[House]) -> None:
    one, two = homes
    one.start()
    two.start()
    for number, home in enumerate(homes):
        home.client_writes(1, sender=Address(name=f"Client {number}", email=f"client{number}@firm.example"))
    questions = [home.wait_approvals(1)[0] for home in homes]
    one.owner_answers(questions[0], "ok")
    assert one.wait_sent(1)[0].recipients == ("client0@firm.example",)
    assert one.stop() == 0
    assert two.sent_to_clients() == []
    two.owner_answers(questions[1], "ok")
    assert two.wait_sent(1)[0].recipients == ("client1@firm.example",)
    until(lambda: not _stages(two), 60, "the other's case to end")
    one.start()
    one.client_writes(2)
    one.wait_approvals(2)
    assert len(two.approvals()) == 1
    assert len(one.sent_to_clients()) == len(two.sent_to_clients()) == 1
    for home in homes:
        assert home.stop() == 0
