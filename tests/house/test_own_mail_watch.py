"""Mails to the owner that do not arrive: looked for, put in the way by the other road, said; and `via = "append"`."""

import asyncio
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from memory.outbox.entries import Entry
from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.proxy import Proxy
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.service import wiring
from workers.service.own_mail import PART, OwnMail
from workers.settings import loading
from workflows.models.mail import Email
from workflows.rules.asking.approval import ApprovalMail


@dataclass
class Clock:
    """The time, a while ahead."""

    ahead: timedelta = timedelta()

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead


@dataclass
class Post:
    """The parts of a home that write to the owner, with a clock that can be moved; INBOX is watched by `arrive`."""

    house: House
    parts: wiring.Parts
    clock: Clock
    health: dict[str, str] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.watch = OwnMail(
            rows=self.parts.rows, outbox=self.parts.outbox, evidence=self.parts.evidence, desk=self.parts.desk,
            owner=self.parts.owner, clock=self.clock, health=self.health,
        )  # fmt: skip

    async def tell(self, key: str) -> Entry:
        await self.parts.desk.tell(key, f"Notice {key}", f"This is {key}.")
        entry = self.parts.rows.entry(f"notice:{key}")
        assert entry
        return entry

    async def round(self, minutes: float) -> None:
        self.clock.ahead += timedelta(minutes=minutes)
        await self.watch.round()

    def seen(self) -> None:
        """What the watcher does: every mail in INBOX is recorded."""
        for stored in self.house.user.messages():
            email = mime.parse(stored.content)
            self.parts.ledger.record_mail(email, "inbox", ignore_all, self.clock.now())

    def entry(self, key: str) -> Entry:
        entry = self.parts.rows.entry(f"notice:{key}")
        assert entry
        return entry


def ignore_all(email: Email, around: object):
    from workflows.models.routes import Ignore

    return Ignore(rule="own-mail", reason="Deskhand sent it itself.")


@asynccontextmanager
async def post(house: House) -> AsyncIterator[Post]:
    clock = Clock()
    parts = wiring.build(house.home, loading.load(house.home), clock)
    try:
        yield Post(house, parts, clock)
    finally:
        await parts.aclose()


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def inbox(house: House, folder: str = "INBOX") -> list[str]:
    return [mime.parse(stored.content).subject for stored in house.user.messages(folder)]


def lose(house: House) -> None:
    """The provider swallows what the owner sends to himself."""
    house.smtp.on_message = lambda mail: None


async def test_what_arrives_is_left_alone(house: House) -> None:
    async with post(house) as desk:
        await desk.tell("one")
        desk.seen()
        assert desk.entry("one").arrived_at
        await desk.round(6)
        assert inbox(house) == ["Notice one [Deskhand]"]
        assert desk.health == {}


async def test_what_is_in_inbox_though_the_watcher_missed_it_is_no_alarm(house: House) -> None:
    async with post(house) as desk:
        await desk.tell("one")
        await desk.round(6)
        assert inbox(house) == ["Notice one [Deskhand]"]
        assert desk.entry("one").arrived_at


async def test_a_mail_that_the_server_gave_another_id_has_arrived(house: House) -> None:
    """Amazon SES and Outlook.com do; not every server says which, and some add a line below."""
    house.smtp.rewrite_ids, house.smtp.states_ids = True, False
    reference = "<1.1.abcdef@deskhand.invalid>"
    async with post(house) as desk:
        await desk.tell("one")
        house.smtp.on_message = lambda mail: house.user.deliver(mail.kept + b"\r\nScanned for viruses.\r\n")
        shown, maker = ApprovalMail(subject="Shall I?", text="The question.\n"), desk.parts.desk
        await desk.parts.outbox.post(
            intent="ask:1.1:1", purpose="approval", text=shown.text, case=1, version=1, reference=reference,
            compose=lambda message_id, date: maker._to_owner(shown, "1.1", message_id, date, reference),
        )  # fmt: skip
        await desk.round(6)
        assert inbox(house) == ["Notice one [Deskhand]", "Shall I?"]
        assert desk.health == {}
        for intent, sent in zip(("notice:one", "ask:1.1:1"), house.smtp.delivered, strict=True):
            entry = desk.parts.rows.entry(intent)
            assert entry
            assert entry.arrived_at
            assert entry.server_id == sent.server_id


async def test_an_answer_in_inbox_does_not_pass_for_the_question(house: House) -> None:
    lose(house)
    reference = "<1.1.abcdef@deskhand.invalid>"
    async with post(house) as desk:
        shown, maker = ApprovalMail(subject="Shall I?", text="The question.\n"), desk.parts.desk
        await desk.parts.outbox.post(
            intent="ask:1.1:1", purpose="approval", text=shown.text, case=1, version=1, reference=reference,
            compose=lambda message_id, date: maker._to_owner(shown, "1.1", message_id, date, reference),
        )  # fmt: skip
        entry = desk.parts.rows.entry("ask:1.1:1")
        assert entry
        answer = mime.compose(
            sender=house.owner, to=(house.owner,), subject="Re: Shall I?", body="ok\n", message_id="<a@x.example>",
            date=desk.clock.now(), in_reply_to=entry.message_id, references=(reference, entry.message_id),
        )  # fmt: skip
        bare = mime.compose(
            sender=house.owner, to=(house.owner,), subject="Re: Shall I?", body="ok\n", message_id="<b@x.example>",
            date=desk.clock.now(), in_reply_to="<srv@mx.example>", references=(reference,),
        )  # fmt: skip
        house.user.deliver(answer)
        house.user.deliver(bare)
        await desk.round(6)
        assert "Shall I?" in inbox(house)  # put there: neither of the two was taken for it


async def test_a_mail_that_was_moved_by_its_owner_has_arrived(house: House) -> None:
    house.user.create("Deskhand")
    house.smtp.on_message = lambda mail: house.user.deliver(mail.kept, "Deskhand")
    async with post(house) as desk:
        await desk.tell("one")
        await desk.round(6)
        assert inbox(house) == []
        assert desk.entry("one").arrived_at


async def test_a_lost_mail_is_put_into_inbox_byte_for_byte_and_said_once(house: House) -> None:
    lose(house)
    async with post(house) as desk:
        entry = await desk.tell("one")
        await desk.round(4)
        assert inbox(house) == []
        await desk.round(2)
        first, said = house.user.messages()
        assert first.content == desk.parts.blobs.get(entry.blob)
        assert "\\Seen" not in first.flags
        notice = mime.parse(said.content)
        assert "did not reach your INBOX" in notice.subject
        assert "none of your folders" in notice.text
        assert 'approval.via = "append"' in notice.text
        desk.seen()
        await desk.round(60)
        assert len(house.user.messages()) == 2


async def test_a_mail_in_junk_is_named(house: House) -> None:
    house.smtp.on_message = lambda mail: house.user.deliver(mail.kept, "Junk")
    async with post(house) as desk:
        await desk.tell("one")
        await desk.round(6)
        assert "Notice one [Deskhand]" in inbox(house)
        notice = mime.parse(house.user.messages()[-1].content)
        assert "lies in Junk" in notice.text
        assert "Mark it as no junk" in notice.text


async def test_three_in_a_row_are_unwell_until_one_arrives(house: House) -> None:
    lose(house)
    async with post(house) as desk:
        for key in ("one", "two"):
            await desk.tell(key)
        await desk.round(6)
        assert desk.health == {}
        await desk.tell("three")
        desk.seen()
        await desk.round(6)
        # The notice about the first came, but by the other way: it says nothing of this one.
        assert sum("did not reach" in subject for subject in inbox(house)) == 1
        assert "did not reach INBOX" in desk.health[PART]
        assert 'approval.via = "append"' in desk.health[PART]
        house.smtp.on_message = house._arrive
        await desk.tell("seven")
        desk.seen()
        await desk.round(6)
        assert desk.health == {}


async def test_a_crash_between_the_two_steps_puts_no_second_copy(house: House) -> None:
    lose(house)
    async with post(house) as desk:
        entry = await desk.tell("one")
        desk.parts.rows.went_other_way(entry.intent, done=False)
        await desk.parts.outbox.post_other_way(entry)
        await desk.round(6)
        assert inbox(house).count("Notice one [Deskhand]") == 1


async def test_an_unreachable_mailbox_is_no_proof_of_absence(house: House, smtp_server: RecordingSmtp) -> None:
    lose(house)
    proxy = Proxy(house.user.server.tls_port)
    await proxy.start()
    try:
        raw = (house.home / "deskhand.toml").read_text()
        port = house.user.account().port
        (house.home / "deskhand.toml").write_text(raw.replace(f"port = {port}", f"port = {proxy.port}"))
        async with post(house) as desk:
            await desk.tell("one")
            await proxy.stop()
            from workflows.errors import DeskhandError

            with pytest.raises(DeskhandError):
                await desk.round(6)
            assert desk.entry("one").other_way == 0
    finally:
        await proxy.stop()


# ---------------------------------------------------------------- by IMAP


@pytest.fixture
def by_append(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server, approval={"via": "append"})
    yield built
    built.close()


async def test_append_puts_it_there_once_and_unread(by_append: House) -> None:
    async with post(by_append) as desk:
        entry = await desk.tell("one")
        assert entry.state == "sent"
        await desk.tell("one")
        (stored,) = by_append.user.messages()
        assert stored.content == desk.parts.blobs.get(entry.blob)
        assert "\\Seen" not in stored.flags
        assert by_append.smtp.transactions == []
        desk.seen()
        assert desk.entry("one").arrived_at


async def test_append_after_a_crash_looks_before_it_puts(by_append: House) -> None:
    async with post(by_append) as desk:
        entry = await desk.tell("one")
        rows = desk.parts.rows
        rows._set(entry.intent, state="committing", sent_at=None)  # killed before the answer was written down
        await desk.tell("one")
        assert len(by_append.user.messages()) == 1
        rows._set(entry.intent, state="claimed", sent_at=None)  # the connection was lost, and the next attempt begins
        await desk.tell("one")
        assert len(by_append.user.messages()) == 1
        assert desk.entry("one").state == "sent"


async def test_what_a_filter_takes_out_of_inbox_is_sent(by_append: House) -> None:
    async with post(by_append) as desk:
        entry = await desk.tell("one")
        by_append.user.clear()
        await desk.round(6)
        assert by_append.smtp.delivered[0].content == desk.parts.blobs.get(entry.blob)
        notice = mime.parse(by_append.user.messages()[-1].content)
        assert 'approval.via = "smtp"' in notice.text


def test_the_whole_way_by_append(by_append: House) -> None:
    by_append.start()
    by_append.client_writes(1)
    (asked,) = by_append.wait_approvals(1)
    by_append.owner_answers(asked, "ok")
    (sent,) = by_append.wait_sent(1)
    assert sent.recipients == ("maria@studio.example",)
    assert [mail.recipients for mail in by_append.smtp.delivered] == [("maria@studio.example",)]
    with by_append.ledger() as ledger:
        until(lambda: not ledger.open_cases(), what="the case to end")
    assert by_append.stop() == 0
    assert asyncio.run(arrivals(by_append)) == [True]


async def arrivals(house: House) -> list[bool]:
    async with post(house) as desk:
        entry = desk.parts.rows.entry("ask:1.1:1")
        assert entry
        return [entry.arrived_at is not None]
