"""An older ledger put back: nothing is sent twice, what had left is found, and the hold ends by itself. D3 in small."""

import shutil
from collections import Counter
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memory.outbox.entries import Claimed, Held
from memory.outbox.restored import Departures, Restored
from tests.approved import NOW, Desk
from tests.house.running import House, until
from tests.servers.smtp import Delivered
from tests.tools.test_outbox import OWNER, Office
from tools.mail import mime
from tools.mail.sending.evidence import Evidence
from tools.mail.sending.reconcile import Reconcile
from workflows.errors import DeskhandError
from workflows.models.decisions import Approve
from workflows.models.mail import Address, Email

FILES = ("ledger.sqlite", "ledger.sqlite-wal", "ledger.sqlite-shm")


def keep(home: Path, kept: Path) -> None:
    kept.mkdir(exist_ok=True)
    for name in FILES:
        if (home / name).exists():
            shutil.copy2(home / name, kept / name)


def put_back(home: Path, kept: Path) -> None:
    for name in FILES:
        (home / name).unlink(missing_ok=True)
        if (kept / name).exists():
            shutil.copy2(kept / name, home / name)


# ---------------------------------------------------------------- the parts


@pytest.fixture
def desk(tmp_path: Path) -> Iterator[Desk]:
    made = Desk(tmp_path / "home")
    yield made
    made.engine.dispose()


def parts(desk: Desk, folder: Path) -> tuple[Restored, Departures]:
    return Restored(desk.engine, desk.clock), Departures(folder / "keys" / "departures")


def test_a_count_that_is_ahead_of_the_ledger_holds_everything_made_before(desk, tmp_path):
    restored, departures = parts(desk, tmp_path)
    departures.keep("home-1", 5)
    intent = desk.approved()
    assert restored.begin("home-1", departures)
    held = desk.claim(intent)
    assert isinstance(held, Held)
    assert "looks into your Sent folder first" in held.reason
    assert held.until is not None
    restored.lift()
    assert isinstance(desk.claim(intent), Claimed)
    assert not restored.begin("home-1", departures), "known and done"
    desk.ledger.committing(intent)
    assert restored.departures() == 6


def test_what_is_made_after_the_hold_began_is_not_held(desk, tmp_path):
    restored, departures = parts(desk, tmp_path)
    departures.keep("home-1", 5)
    desk.clock.time = NOW - timedelta(hours=1)
    restored.begin("home-1", departures)
    desk.clock.time = NOW
    assert isinstance(desk.claim(desk.approved()), Claimed)


@pytest.mark.parametrize(("home", "count", "held"), [("", 0, False), ("home-1", 0, False), ("home-2", 0, True)])
def test_a_home_without_a_count_or_with_its_own_is_free(desk, tmp_path, home, count, held):
    restored, departures = parts(desk, tmp_path)
    if home:
        departures.keep(home, count)
    assert restored.begin("home-1", departures) is held


def test_the_restore_command_says_so(desk, tmp_path):
    from sqlalchemy import insert

    from memory.record.schema import meta

    restored, departures = parts(desk, tmp_path)
    desk.write(insert(meta).values(key="hold_after_restore", value="you restored the backup of Monday"))
    assert restored.begin("home-1", departures)
    assert restored.reason() == "you restored the backup of Monday"


def test_a_damaged_count_is_no_reason_to_stop(desk, tmp_path):
    restored, departures = parts(desk, tmp_path)
    (tmp_path / "keys").mkdir()
    (tmp_path / "keys" / "departures").write_bytes(b"\xff\x00 what")
    assert not restored.begin("home-1", departures)
    departures.keep("home-1", 1)
    assert departures.read() == ("home-1", 1)


# ---------------------------------------------------------------- against a real mailbox and a real SMTP server


class Notices:
    def __init__(self) -> None:
        self.told: list[tuple[str, str]] = []

    async def tell(self, _key: str, subject: str, text: str, _case: int = 0) -> None:
        self.told.append((subject, text))


def process(office: Office, folder: Path, *, later: float = 1) -> Reconcile:
    """A new process on the office's home, that much later; its outbox looks before it sends."""
    office.desk.clock.time += timedelta(minutes=later)
    made = Reconcile(
        restored=Restored(office.desk.engine, office.desk.clock),
        departures=Departures(folder / "departures"),
        evidence=Evidence(office.mailbox, mime.parse),
        home="home-1",
        begun=office.desk.clock.now(),
    )
    office.restart()
    office.outbox._reconcile = made
    return made


@pytest.fixture
async def office(tmp_path, smtp_server, mailbox):
    async with Office(tmp_path / "home", smtp_server, mailbox, files_sent="no") as made:
        yield made


async def test_a_mail_that_left_for_a_newer_ledger_is_found_and_not_sent_again(office, tmp_path):
    first = process(office, tmp_path)
    outgoing = office.approved(in_reply_to="<q1@studio.example>", references=("<q1@studio.example>",))
    home, kept = tmp_path / "home", tmp_path / "kept"
    keep(home, kept)
    assert (await office.send(outgoing)).state == "sent"
    assert first.departures.read() == ("home-1", 1)
    office.desk.engine.dispose()
    put_back(home, kept)
    again = process(office, tmp_path)
    receipt = await office.send(outgoing)
    assert receipt.state == "sent"
    assert "it had left before" in receipt.detail
    assert len(office.server.delivered) == 1
    assert again.restored.begin("home-1", again.departures)
    notices = Notices()
    await again.run(notices)
    await again.run(notices)
    ((subject, text),) = notices.told
    assert "older ledger" in subject
    assert "41.1" in text


async def test_what_has_not_left_is_sent_once_the_mailbox_was_looked_into(office, tmp_path):
    process(office, tmp_path)
    outgoing = office.approved()
    made = process(office, tmp_path)
    made.departures.keep("home-1", 9)
    made.restored.begin("home-1", made.departures)
    assert (await office.send(outgoing)).state == "held"
    notices = Notices()
    await made.run(notices)
    assert "None of the 1 approved mails" in notices.told[0][1]
    assert (await office.send(outgoing)).state == "sent"
    assert len(office.server.delivered) == 1


@pytest.mark.parametrize(
    "change", [{"body": "Another text.\n"}, {"to": (Address(email="joe@studio.example"),)}, {"subject": "Re: Other"}]
)
async def test_another_mail_in_sent_is_not_taken_for_it(office, tmp_path, change):
    process(office, tmp_path)
    outgoing = office.approved()
    other = replace(outgoing, **change)
    raw = mime.compose(
        sender=Address(email=OWNER.address), to=other.to, subject=other.subject, body=other.body,
        message_id="<hand@winter.example>", date=office.desk.clock.now(),
    )  # fmt: skip
    office.user.deliver(raw, "Sent", "\\Seen")
    process(office, tmp_path)
    assert (await office.send(outgoing)).state == "sent"
    assert len(office.server.delivered) == 1


async def test_a_mailbox_that_cannot_be_looked_into_holds_what_is_older_than_the_process(office, tmp_path, dovecot):
    process(office, tmp_path)
    older = office.approved(41)
    process(office, tmp_path)
    dovecot.set_password(office.user.user, "changed meanwhile")
    await office.mailbox.close()
    try:
        with pytest.raises(DeskhandError):
            await office.send(older)
        assert office.server.delivered == []
    finally:
        dovecot.set_password(office.user.user, office.user.password)
    assert (await office.send(older)).state == "sent"


# ---------------------------------------------------------------- the whole service


def copies(mails: list[Delivered]) -> Counter[str]:
    return Counter(mime.parse(mail.content).in_reply_to[0] for mail in mails)


def notices(house: House) -> list[Email]:
    found = (mime.parse(stored.content) for stored in house.user.messages())
    return [email for email in found if "older ledger" in email.subject]


@pytest.mark.parametrize("asked_before", [True, False], ids=["copy while they wait", "copy before they came"])
def test_an_older_ledger_put_back_sends_nothing_again(tmp_path, mailbox, smtp_server, asked_before):
    """D3: a copy of the ledger, five sends, the copy put back: no client gets a mail twice."""
    house, kept = House(tmp_path / "home", mailbox, smtp_server), tmp_path / "kept"

    def keep_a_copy() -> None:
        assert house.stop() == 0
        keep(house.home, kept)
        house.start()

    people = [Address(name=f"Client {number}", email=f"c{number}@firm{number}.example") for number in range(5)]
    with house.running():
        if not asked_before:
            keep_a_copy()
        for number, person in enumerate(people):
            house.client_writes(number, sender=person)
        asked = house.wait_approvals(5)
        if asked_before:
            keep_a_copy()
        for approval in asked:
            house.owner_answers(approval, "ok")
        house.wait_sent(5)
        until(lambda: len(mailbox.messages("Sent")) == 10, 30, "five answers and five copies in Sent")
        assert house.stop() == 0
        put_back(house.home, kept)
        house.start()
        until(lambda: notices(house), 60, "the notice of the restore")
        if asked_before:
            until(lambda: _closed(house, 5), 90, "every case to find that it was answered")
        else:
            until(lambda: _settled(house), 60, "what came after the copy to be read again")
        assert max(copies(house.sent_to_clients()).values()) == 1
        assert len(house.sent_to_clients()) == 5
    assert len(notices(house)) == 1


def _closed(house: House, count: int) -> bool:
    with house.ledger() as ledger:
        rows = ledger.case_rows()
        return len(rows) == count and all(row.stage == "closed" for row in rows)


def _settled(house: House) -> bool:
    with house.ledger() as ledger:
        waits = all(row.stage in {"waiting", "closed"} for row in ledger.case_rows())
        return waits and not ledger.undelivered() and len(ledger.ignored(100)) + len(ledger.case_rows()) >= 5


async def test_a_yes_of_before_is_no_yes_to_what_is_drafted_after_a_restore(desk):
    """The version row alone decides: an answer for another text is none."""
    outgoing = desk.version(body="New text.\n")
    desk.answer(outgoing, Approve(), digest="of the text before the restore")
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Held)
