"""Answers whose proof is missing: a no holds at once, a yes waits and is told, and neither ever sends."""

import asyncio
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.house.test_digest import PEOPLE, Home, soon, write_from
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.desk.answering import Answering
from workers.desk.hints import NO_PROOF, Hints
from workers.service import wiring
from workers.settings import loading
from workflows.models.mail import Address, Email


class LaterClock:
    """The time, a while ahead."""

    def __init__(self, ahead: timedelta) -> None:
        self.ahead = ahead

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server, approval={"grace": "6s"})
    yield built
    built.close()


def answers(house: House, case: int = 1) -> list[tuple[str, str]]:
    with house.ledger() as ledger:
        return [(one.via, one.decision.kind) for one in ledger.answers(case)]


def settled(house: House, case: int = 1) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).outcome


async def look_again(house: House, minutes: float) -> None:
    """One round of the watch over hints, that many minutes later, on the home's own parts."""
    loaded = loading.load(house.home)
    parts = wiring.build(house.home, loaded, LaterClock(timedelta(minutes=minutes)))
    answering = Answering(parts.ledger, None, parts.desk, parts.owner, parts.clock, parts.named_parts())
    hints = Hints(
        ledger=parts.ledger, blobs=parts.blobs, answering=answering, signatures=parts.signatures, desk=parts.desk,
        owner=parts.owner, clock=parts.clock,
        stop=lambda key, order, at, *_: asyncio.to_thread(parts.ledger.carry_out, key, order, at),
    )  # fmt: skip
    try:
        await hints.round()
    finally:
        await parts.aclose()


def seen_as(house: House, rule: str) -> int:
    from sqlalchemy import func, select

    from memory.record.schema import open_engine, reading, seen

    engine = open_engine(house.home / "ledger.sqlite")
    try:
        with reading(engine) as connection:
            query = select(func.count()).where(seen.c.rule == rule, seen.c.state == "delivered")
            return connection.execute(query).scalar_one()
    finally:
        engine.dispose()


def test_an_unproven_no_in_the_grace_takes_the_yes_back(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "ok")
    until(lambda: ("mail", "approve") in answers(house), what="the yes")
    house.owner_answers(asked, "no, too cheap", copies=("INBOX",))
    until(lambda: ("hint", "unclear") in answers(house), what="the hold")
    with house.ledger() as ledger:
        until(lambda: ledger.case(1).stage == "waiting", what="the case to wait again")
    before = len(house.sent_to_clients())
    # The next client's mail goes through the same grace and out: so much later, the first one has not gone.
    house.client_writes(2, sender=Address(email="bob@team.example", name="Bob"))
    second = house.wait_approvals(2)[1]
    house.owner_answers(second, "ok")
    sent = house.wait_sent(before + 1)
    assert [mail.recipients for mail in sent] == [("bob@team.example",)]
    assert not [one for one in house.notices() if "not sure" in one.subject]
    # A proven yes, later than the hold, sends.
    house.owner_answers(asked, "ok")
    assert ("maria@studio.example",) in [mail.recipients for mail in house.wait_sent(2)]
    assert house.stop() == 0


def test_an_unproven_answer_to_a_digest_holds_what_it_says_no_to_and_is_told(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    home = Home(tmp_path / "digests", mailbox, smtp_server)
    cases = write_from(home.open(mode="digest"), PEOPLE[:2])
    house = home.open(mode="digest", digest_at=[soon(6)])
    (digest,) = house.wait_approvals(1)
    refused, allowed = (cases[person.email] for person in PEOPLE[:2])
    house.owner_answers(digest, f"{refused} no, {allowed} ok", copies=("INBOX",))
    until(lambda: ("hint", "unclear") in answers(house, refused), what="the hold")
    assert answers(house, allowed) == []  # a yes is never taken from there

    def told() -> list[Email]:  # the watch finds what the house has recorded by then
        asyncio.run(look_again(house, 11))
        return house.notices()

    (notice,) = until(told, what="the notice")
    assert "the mail that shows several cases" in notice.text
    assert "Case 0" not in notice.subject
    assert not house.sent_to_clients()
    assert house.stop() == 0
    house.close()


def test_a_no_with_both_copies_closes_the_case_and_nothing_is_asked(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "no", copies=("INBOX",))
    until(lambda: ("hint", "unclear") in answers(house), what="the hold")
    raw = house.user.messages()[-1].content
    house.user.deliver(raw, "Sent", "\\Seen")
    until(lambda: settled(house) == "rejected", what="the case to end")
    assert not house.notices()
    asyncio.run(look_again(house, 11))
    assert not house.notices()
    assert not house.sent_to_clients()
    assert house.stop() == 0


def test_a_yes_without_its_sent_copy_is_told_once_after_ten_minutes(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "ok", copies=("INBOX",))
    until(lambda: seen_as(house, "hint"), what="the hint")
    assert house.stop() == 0
    asyncio.run(look_again(house, 9))
    assert not house.notices()
    asyncio.run(look_again(house, 11))
    asyncio.run(look_again(house, 12))
    (notice,) = until(house.notices, what="the notice")
    assert '"ok" to 1.1' in notice.text
    assert "Sent" in notice.text
    assert "./deskhand approve 1.1" in notice.text
    assert answers(house) == []
    assert not house.sent_to_clients()


def test_a_yes_in_both_folders_is_never_told(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "ok")
    house.wait_sent(1)
    until(lambda: seen_as(house, "hint"), what="the hint")
    assert house.stop() == 0
    asyncio.run(look_again(house, 11))
    assert not house.notices()


def test_a_no_without_the_nonce_holds_nothing(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "ok")
    bare = mime.compose(
        sender=house.owner, to=(house.owner,), subject=f"Re: {asked.subject}", body="no\n",
        message_id="<forged@mail.example>", date=datetime.now(UTC), in_reply_to=asked.message_id,
    )  # fmt: skip
    house.user.deliver(bare)
    until(lambda: seen_as(house, "hint") == 2, what="both hints")
    house.wait_sent(1)
    assert [via for via, _ in answers(house)] == ["mail"]
    assert house.stop() == 0


def test_without_a_sent_folder_answers_by_mail_are_refused_and_the_machine_works(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = House(tmp_path / "home", mailbox, smtp_server)
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    with house.ledger() as ledger:  # as the service leaves it when the folder is gone at a start
        ledger.set_meta(NO_PROOF, "The mailbox has no Sent folder.")
    house.owner_answers(asked, "ok", copies=("INBOX",))
    (notice,) = until(house.notices, what="the refusal")
    assert "no Sent folder" in notice.text
    assert "./deskhand approve 1.1" in notice.text
    assert not house.sent_to_clients()
    from workers.__main__ import main

    assert main(["approve", "1.1", "--home", str(house.home)]) == 0
    house.wait_sent(1)
    assert house.stop() == 0
    house.close()
