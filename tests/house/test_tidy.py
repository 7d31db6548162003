"""`approval.tidy`: our own mails about ended cases leave INBOX, and nobody else's mail is ever moved."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import update

from memory.leads.placed import Placed
from memory.record.schema import outbox, transaction
from tests.house.running import House as Running
from tests.house.running import until
from tests.ledgers import NOON, OWNER, House, mail
from tests.servers.dovecot import Dovecot, DovecotUser
from tools.mail import mime
from tools.mail.folders import Tidying
from tools.mail.inbox import Mailbox
from workflows.models.decisions import Answer, Approve
from workflows.models.mail import Address
from workflows.rules.text.canonical import body_hash

ADA = Address(email=OWNER.address, name="Deskhand")
TEXT = "Says Thursday works.\n"


class Desk:
    """An ended case and an open one, each with an approval mail in the owner's real INBOX."""

    def __init__(self, folder: Path, user: DovecotUser, where="folder") -> None:
        self.house, self.user = House(folder), user
        self.mailbox = Mailbox(user.account())
        self.placed = Placed(self.house.engine, self.house.clock)
        self.tidying = Tidying(
            placed=self.placed, mailbox=self.mailbox, parse=mime.parse, owner=OWNER, where=where
        )  # fmt: skip
        for number in (1, 2):
            self.house.receive(mail(f"Question {number}", message_id=f"<q{number}@studio.example>"))
            self.approval(number)
        self.house.ledger.close_case(replace(self.house.ledger.case(1), outcome="sent"))

    def approval(self, case: int) -> None:
        self.house.sent_row(
            intent=f"ask:{case}.1:1", purpose="approval", case=case, version=1,
            message_id=f"<ask{case}@winter.example>", body_hash=body_hash(TEXT), arrived_at=NOON,
        )  # fmt: skip
        self.user.deliver(own(f"<ask{case}@winter.example>", f"{case}.1"))

    async def close(self) -> None:
        await self.mailbox.close()
        self.house.engine.dispose()

    def ids(self, folder: str) -> list[str]:
        return sorted(mime.parse(stored.content).message_id for stored in self.user.messages(folder))


def own(message_id: str, about: str, text: str = TEXT, sender: Address = ADA) -> bytes:
    return mime.compose(
        sender=sender, to=(ADA,), subject="Maria: Hi [Deskhand]", body=text, message_id=message_id,
        date=datetime.now(UTC), headers=(("X-Deskhand-Case", about),) if about else (),
    )  # fmt: skip


@pytest.fixture
async def desk(tmp_path, mailbox):
    made = Desk(tmp_path / "home", mailbox)
    yield made
    await made.close()


async def test_mails_of_ended_cases_go_and_all_others_stay(desk):
    desk.user.deliver(own("<client@studio.example>", "", sender=Address(email="maria@studio.example")))
    desk.user.deliver(own("<deleted@studio.example>", ""), flags="\\Deleted")
    await desk.tidying.round()
    assert desk.ids("Deskhand") == ["<ask1@winter.example>"]
    assert desk.ids("INBOX") == ["<ask2@winter.example>", "<client@studio.example>", "<deleted@studio.example>"]
    await desk.tidying.round()
    assert desk.ids("Deskhand") == ["<ask1@winter.example>"]


async def test_a_mail_with_our_id_that_is_not_ours_stays(desk):
    desk.user.clear()
    forged = "<ask1@winter.example>"
    desk.user.deliver(own(forged, "1.1", "Another text."))
    desk.user.deliver(own(forged, "", TEXT))
    desk.user.deliver(own(forged, "1.1", TEXT, sender=Address(email="eve@evil.example")))
    await desk.tidying.round()
    assert desk.ids("INBOX") == [forged] * 3


def answer_to(case: int, message_id: str, sender: Address = ADA) -> bytes:
    return mime.compose(
        sender=sender, to=(ADA,), subject="Re: Maria: Hi [Deskhand]", body=f"ok\n\n{message_id}\n",
        message_id=message_id, date=datetime.now(UTC), in_reply_to=f"<ask{case}@winter.example>",
        references=(f"<ask{case}@winter.example>",),
    )  # fmt: skip


async def test_the_owners_own_answers_go_along_and_no_other_mail(desk):
    mine, forged, other, open_one = (
        answer_to(1, "<mine@winter.example>"),
        answer_to(1, "<forged@evil.example>"),
        answer_to(1, "<other@studio.example>", Address(email="maria@studio.example")),
        answer_to(2, "<open@winter.example>"),
    )
    for raw in (mine, forged, other, open_one):
        desk.user.deliver(raw)
    desk.user.deliver(mine, "Sent", "\\Seen")
    for case, raw in ((1, mine), (2, open_one)):  # proven by their copies in Sent
        answer = Answer(
            key=mime.parse(raw).identity, case=case, version=1, hash="", decision=Approve(), via="mail", at=NOON,
        )  # fmt: skip
        desk.house.ledger.record_answer(answer)
    await desk.tidying.round()
    assert desk.ids("Deskhand") == ["<ask1@winter.example>", "<mine@winter.example>"]
    assert desk.ids("INBOX") == [
        "<ask2@winter.example>", "<forged@evil.example>", "<open@winter.example>", "<other@studio.example>",
    ]  # fmt: skip
    assert desk.ids("Sent") == ["<mine@winter.example>"]


async def test_off_moves_nothing(tmp_path, mailbox):
    desk = Desk(tmp_path / "off", mailbox, where="off")
    await desk.tidying.round()
    assert len(desk.ids("INBOX")) == 2
    await desk.close()


async def test_archive_uses_the_folder_that_is_there(tmp_path, mailbox):
    mailbox.create("Archiv")
    desk = Desk(tmp_path / "archive", mailbox, where="archive")
    await desk.tidying.round()
    assert desk.ids("Archiv") == ["<ask1@winter.example>"]
    await desk.close()


async def test_a_server_without_move_copies_and_deletes_that_one_alone(tmp_path):
    server = Dovecot(settings="imap_capability = IMAP4rev1 UIDPLUS SPECIAL-USE LIST-EXTENDED IDLE")
    server.start()
    desk = Desk(tmp_path / "home", server.add_user())
    desk.user.deliver(own("<deleted@studio.example>", ""), flags="\\Deleted")
    try:
        assert "MOVE" not in await desk.mailbox.capabilities()
        await desk.tidying.round()
        assert desk.ids("Deskhand") == ["<ask1@winter.example>"]
        assert desk.ids("INBOX") == ["<ask2@winter.example>", "<deleted@studio.example>"]
    finally:
        await desk.close()
        server.stop()


async def test_a_server_that_cannot_delete_one_mail_alone_is_left_alone(tmp_path):
    server = Dovecot(settings="imap_capability = IMAP4rev1 SPECIAL-USE LIST-EXTENDED IDLE")
    server.start()
    desk = Desk(tmp_path / "home", server.add_user())
    try:
        await desk.tidying.round()
        assert len(desk.ids("INBOX")) == 2
    finally:
        await desk.close()
        server.stop()


async def test_what_has_not_arrived_is_not_looked_for(desk):
    with transaction(desk.house.engine) as connection:
        connection.execute(update(outbox).values(arrived_at=None))
    assert desk.placed.own_mails_to_tidy() == ()


def test_the_service_tidies_the_approval_mail_of_a_case_that_was_sent(tmp_path, mailbox, smtp_server):
    house = Running(tmp_path / "home", mailbox, smtp_server, approval={"tidy": "folder", "deliver": "drafts"})
    with house.running():
        house.client_writes(1)
        (asked,) = house.wait_approvals(1)
        house.owner_answers(asked, "ok")
        house.wait_sent(1)
        until(lambda: not house.approvals(), 60, "the approval mail to leave INBOX")
        until(lambda: len(mailbox.messages("Deskhand")) == 2, what="the owner's answer to go along")
        moved, answer = [mime.parse(stored.content) for stored in mailbox.messages("Deskhand")]
        assert moved.message_id in answer.references
        assert moved.message_id == asked.message_id
        assert len(mailbox.messages()) == 1, "the client's mail stays"
