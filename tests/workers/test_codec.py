"""A payload opens where it belongs and nowhere else: in its workflow, at its step, with its case's key."""

from pathlib import Path
from typing import Any

import pytest
from cryptography.hazmat.primitives.ciphers.aead import AESGCM
from temporalio.api.common.v1 import Payload
from temporalio.converter import ActivitySerializationContext, SerializationContext, WorkflowSerializationContext

from memory.keys import Keys
from tests.scripted import NAMES
from workers.temporal.codec import ENCODING, UNBOUND, UNREADABLE, Codec, converter, place
from workflows.names import OLD, Names, case_of, client_of, configured, named, names_of

OTHER = Names("ba9876543210")
SAID = Payload(metadata={"encoding": b"json/plain"}, data=b'"yes"')


def workflow(name: str) -> SerializationContext:
    return WorkflowSerializationContext(namespace="default", workflow_id=name)


def step(name: str, kind: str | None) -> SerializationContext:
    return ActivitySerializationContext(
        namespace="default", activity_id="1", activity_type=kind, activity_task_queue="q", workflow_id=name,
        workflow_type="Reply", is_local=False,
    )  # fmt: skip


def unbound(keys: Keys, name: str, key: str) -> Payload:
    """As payloads were made before they were bound."""
    nonce = b"n" * 12
    data = nonce + AESGCM(keys.key(key, make=True)).encrypt(nonce, SAID.SerializeToString(), key.encode())
    return Payload(metadata={"encoding": UNBOUND, "key": key.encode()}, data=data)


@pytest.fixture
def keys(tmp_path: Path) -> Keys:
    return Keys(tmp_path / "keys")


async def opened(keys: Keys, there: SerializationContext, payload: Payload, carried: tuple[str, ...] = ()) -> bool:
    (given,) = await Codec(keys, carried).with_context(there).decode([payload])
    assert given == SAID or given.metadata["encoding"] == UNREADABLE
    return given == SAID


async def made(keys: Keys, here: SerializationContext) -> Payload:
    (payload,) = await Codec(keys).with_context(here).encode([SAID])
    assert payload.metadata["encoding"] == ENCODING
    assert SAID.data not in payload.data
    return payload


HERE = [
    workflow(NAMES.case(1)),
    workflow(NAMES.case(12)),
    workflow(NAMES.client("maria")),
    workflow(NAMES.poll("wwr")),
    workflow(OTHER.case(1)),
    workflow(OLD.case(1)),
    workflow("evil:1"),
    step(NAMES.case(1), "approve"),
    step(NAMES.case(1), "send"),
    step(NAMES.case(1), None),
    step(NAMES.client("maria"), "send"),
]


@pytest.mark.parametrize("here", HERE, ids=str)
async def test_a_payload_opens_in_its_own_place_alone(keys: Keys, here: SerializationContext) -> None:
    payload = await made(keys, here)
    there = [place(other) for other in HERE if await opened(keys, other, payload)]
    assert set(there) == {place(here)}


async def test_a_run_of_a_schedule_reads_what_the_schedule_was_given(keys: Keys) -> None:
    payload = await made(keys, workflow(NAMES.poll("wwr")))
    run = f"{NAMES.poll('wwr')}-2026-11-30T10:08:24Z"
    assert await opened(keys, workflow(run), payload)
    assert not await opened(keys, workflow(f"{NAMES.poll('wwr')}-x"), payload)
    assert not await opened(keys, workflow(f"{NAMES.case(1)}-2026-11-30T10:08:24Z"), payload)
    answered = await made(keys, step(run, "poll"))
    assert await opened(keys, step(run, "poll"), answered)


async def test_what_was_made_before_is_read_by_those_that_began_then_alone(keys: Keys) -> None:
    payload = unbound(keys, "case:1", "case-1")
    carried = (OLD.case(1), OLD.client("maria"))
    assert await opened(keys, workflow(OLD.case(1)), payload, carried)
    assert await opened(keys, step(OLD.case(1), "save"), payload, carried)
    assert not await opened(keys, workflow(OLD.case(1)), payload)
    assert not await opened(keys, workflow(OLD.case(2)), payload, (*carried, OLD.case(2)))
    assert not await opened(keys, workflow(NAMES.case(1)), payload, carried)
    assert not await opened(keys, workflow(OLD.client("maria")), payload, carried)
    assert await opened(keys, workflow(OLD.client("maria")), unbound(keys, "client:maria", "home"), carried)
    assert not await opened(keys, workflow(OLD.case(1)), unbound(keys, "client:maria", "home"), carried)


async def test_what_is_foreign_plain_or_damaged_opens_nowhere(keys: Keys, tmp_path: Path) -> None:
    here = workflow(NAMES.case(1))
    foreign = await made(Keys(tmp_path / "other-keys"), here)
    await made(keys, here)  # a key of that name is there
    whole = await made(keys, here)
    flipped = Payload(metadata=whole.metadata, data=whole.data[:-1] + bytes([whole.data[-1] ^ 1]))
    pathless: dict[str, Any] = {"encoding": ENCODING, "key": b"../../etc/passwd"}
    for payload in (
        foreign, SAID, flipped, Payload(metadata=whole.metadata, data=b""), Payload(),
        Payload(metadata={"encoding": ENCODING}, data=whole.data), Payload(metadata=pathless, data=whole.data),
        Payload(metadata={"encoding": ENCODING, "key": b"\xff"}, data=whole.data),
    ):  # fmt: skip
        assert not await opened(keys, here, payload)
    keys.destroy(1)
    assert not await opened(keys, here, whole)


async def test_the_converter_hands_the_place_on(keys: Keys) -> None:
    here = converter(keys).with_context(workflow(NAMES.case(1)))
    there = converter(keys).with_context(workflow(NAMES.case(2)))
    payloads = await here.encode(["yes"])
    assert await here.decode(payloads, [str]) == ["yes"]
    with pytest.raises(KeyError):
        await there.decode(payloads, [str])


# ---------------------------------------------------------------- names


def test_a_name_tells_its_home_and_what_it_is() -> None:
    assert names_of("0123456789abcdef0123456789abcdef") == NAMES
    assert NAMES.case(41) == "0123456789ab:case:41"
    assert (NAMES.queue("story"), NAMES.queue("mail")) == ("deskhand-0123456789ab", "deskhand-0123456789ab-mail")
    assert (OLD.case(41), OLD.queue("story"), OLD.queue("mail")) == ("case:41", "deskhand", "deskhand-mail")
    for names in (NAMES, OTHER, OLD):
        for name in (names.case(41), names.client("maria"), names.poll("wwr")):
            assert named(name) == names
        assert case_of(names.case(41)) == 41
        assert client_of(names.client("a:b\nc")) == "a:b\nc"
        assert case_of(names.client("41")) == 0
        assert configured(f"{names.poll('a-2026')}-2026-11-30T10:08:24Z") == names.poll("a-2026")


@pytest.mark.parametrize(
    "name", ["", "case:", "case:0", "case:x", "case:٣", "case:1x", "x:case:1", "0123456789AB:case:1", "evil:1", "case"]
)
def test_what_is_no_case_of_ours_has_no_number(name: str) -> None:
    assert case_of(name) == 0
