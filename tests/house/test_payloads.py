"""Promise T3: nothing that a client or the owner wrote can be read in Temporal's database, failures included."""

import asyncio
import base64
import secrets
from pathlib import Path

import pytest

from memory.keys import Keys
from tests.house.running import House, case_of, until
from tests.house.test_attacks import _connect as connect
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import Fault, RecordingSmtp
from workflows.models.mail import Address

LARGEST_PAYLOAD = 256 * 1024


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


class Canaries:
    """Words that occur in one place each, made for this run."""

    def __init__(self) -> None:
        self.name = f"Canaryname{secrets.token_hex(6)}"
        self.mailbox = f"canary{secrets.token_hex(6)}"
        self.body = f"canarybody{secrets.token_hex(6)}"
        self.edit = f"canaryedit{secrets.token_hex(6)}"
        self.reason = f"canaryreason{secrets.token_hex(6)}"

    @property
    def client(self) -> Address:
        return Address(name=self.name, email=f"{self.mailbox}@canary.example")

    def all(self) -> tuple[str, ...]:
        return (self.name, self.mailbox, self.body, self.edit, self.reason, "Question 1 about")


def database(house: House) -> bytes:
    """Every byte of Temporal's database, its write-ahead log and the server's own log."""
    files = [*house.home.glob("temporal.sqlite*"), *house.home.glob("log/temporal*")]
    assert any(file.name == "temporal.sqlite" for file in files)
    return b"".join(file.read_bytes() for file in sorted(files))


def forms(word: str) -> tuple[bytes, ...]:
    """How a word may lie there: as it is, in UTF-16, and in base64 at each of its three offsets."""
    shifted = [base64.b64encode(b"\0" * shift + word.encode())[4 if shift else 0 : -4] for shift in range(3)]
    return (
        word.encode(),
        word.lower().encode(),
        word.encode("utf-16-le"),
        *(form for form in shifted if len(form) > 8),
    )


def test_no_word_of_a_client_is_in_temporals_database(house: House) -> None:
    canaries = Canaries()
    house.start()
    house.smtp.play(refusing("451 4.3.0", canaries))  # the first question fails once: the words of the failure are kept
    writes(house, canaries, 1)
    house.owner_answers(house.wait_approvals(1, 90)[-1], f"edit!\nThursday it is, about {canaries.edit}.\nKind regards")
    (sent,) = house.wait_sent(1)
    assert canaries.edit.encode() in sent.content
    until(lambda: not _open(house), 30, "the case to end")
    writes(house, canaries, 2)
    asked = house.wait_approvals(2)[-1]
    house.smtp.play(refusing("451 4.3.0", canaries), refusing("554 5.7.1", canaries))
    house.owner_answers(asked, "ok")
    until(lambda: not _open(house), 30, "the send to fail for good")
    writes(house, canaries, 3)
    house.owner_answers(house.wait_approvals(3)[-1], f"no {canaries.reason}")
    until(lambda: not _open(house), 30, "the last case to end")
    with house.ledger() as ledger:
        assert [ledger.case(number).outcome for number in (1, 2, 3)] == ["sent", "failed", "rejected"]
    assert asyncio.run(largest_payload(house)) < LARGEST_PAYLOAD
    assert house.stop() == 0
    raw = database(house)
    assert b"binary/deskhand-2" in raw  # it is the database that the cases went through
    assert [(word, form) for word in canaries.all() for form in forms(word) if form in raw] == []


def writes(house: House, canaries: Canaries, number: int) -> None:
    body = f"Hi Ada,\n\ncould we meet about {canaries.body}, number {number}?\n\n{canaries.name}\n"
    house.client_writes(number, sender=canaries.client, body=body)


def refusing(code: str, canaries: Canaries) -> Fault:
    """A server that repeats what it was given in its refusal."""
    return Fault("final", "reply", f"{code} not taken from <{canaries.client.email}>: {canaries.body}")


async def largest_payload(house: House) -> int:
    """Bytes of the largest event of every case's history."""
    client = await connect(house, Keys(house.home / "keys"))
    sizes = []
    for number in {case_of(approval) for approval in house.approvals()}:
        history = await client.get_workflow_handle(house.names.case(number)).fetch_history()
        sizes += [event.ByteSize() for event in history.events]
    return max(sizes)


def test_the_search_finds_what_is_there() -> None:
    """Each form of a word is found in the bytes it stands for: the search above can fail."""
    word = "canarybody0123456789"
    plain, _, wide, *encoded = forms(word)
    assert plain in f"x{word}y".encode()
    assert wide in f"x{word}".encode("utf-16-le")
    for shift, form in enumerate(encoded):
        assert form in base64.b64encode(b"z" * shift + word.encode() + b"tail")


def _open(house: House) -> tuple:
    with house.ledger() as ledger:
        return ledger.open_cases()
