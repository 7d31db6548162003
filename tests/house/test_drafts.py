"""`approval.deliver = "drafts"`: a draft to send by hand, in its thread, and never one mail of the owner's touched."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from memory.leads.placed import Placed, PlacedDraft
from tests.house.running import House, until
from tests.ledgers import House as LedgerHouse
from tests.ledgers import mail
from tests.servers.dovecot import Dovecot, DovecotUser, Stored
from tools.mail import mime
from tools.mail.folders import Drafts
from tools.mail.inbox import Mailbox
from workflows.errors import NeedsOwner
from workflows.models.case import CaseState
from workflows.models.drafts import Draft as Text
from workflows.models.drafts import DraftedBy
from workflows.models.mail import Email
from workflows.models.people import Owner

ADA = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin")
HAND = b"From: ada@winter.example\r\nSubject: a letter of mine\r\nMessage-ID: <mine@winter.example>\r\n\r\nDear Bob\r\n"


class Desk:
    """A ledger with a case that waits, and the owner's real mailbox."""

    def __init__(self, folder: Path, user: DovecotUser) -> None:
        self.ledger_house = LedgerHouse(folder)
        self.user, self.ledger = user, self.ledger_house.ledger
        self.placed = Placed(self.ledger_house.engine, self.ledger_house.clock)
        self.mailbox = Mailbox(user.account())
        self.drafts = Drafts(
            placed=self.placed, mailbox=self.mailbox, blobs=self.ledger_house.blobs, owner=ADA,
            clock=self.ledger_house.clock,
        )  # fmt: skip

    def waiting(self, body: str = "Thursday works.\n", **fields) -> CaseState:
        """A case whose draft waits for the owner."""
        event = self.ledger_house.receive(mail("When can you start?", message_id="<q1@studio.example>", **fields))
        return self.shown(self.ledger.case(event.case), body)

    def shown(self, state: CaseState, body: str) -> CaseState:
        made = self.ledger.add_version(state, Text(body=body, gist="", by=DraftedBy.TEMPLATE))
        self.ledger.save_case(replace(made, stage="waiting"))
        return self.ledger.case(made.case)

    def in_drafts(self) -> list[Stored]:
        return self.user.messages("Drafts")


@pytest.fixture
async def desk(tmp_path, mailbox):
    made = Desk(tmp_path / "home", mailbox)
    yield made
    await made.mailbox.close()
    made.ledger_house.engine.dispose()


async def test_a_draft_lies_in_its_thread_as_the_owner_would_have_written_it(desk):
    desk.waiting()
    await desk.drafts.round()
    await desk.drafts.round()
    (stored,) = desk.in_drafts()
    assert {"\\Draft", "\\Seen"} <= set(stored.flags)
    email = mime.parse(stored.content)
    assert (email.sender.email, email.sender.name) == (ADA.address, ADA.name)
    assert email.in_reply_to == ("<q1@studio.example>",)
    assert "<q1@studio.example>" in email.references
    assert mime.decoded_body(stored.content) == "Thursday works.\n"
    assert b"deskhand" not in stored.content.lower()


async def test_a_newer_version_replaces_ours_and_touches_nothing_else(desk):
    desk.user.deliver(HAND, "Drafts", "\\Draft")
    desk.user.deliver(HAND.replace(b"mine@", b"old@"), "Drafts", "\\Draft \\Deleted")
    state = desk.waiting()
    await desk.drafts.round()
    desk.shown(state, "Friday works.\n")
    await desk.drafts.round()
    found = {mime.decoded_body(stored.content) for stored in desk.in_drafts()}
    assert found == {"Dear Bob\n", "Friday works.\n"}
    assert len(desk.in_drafts()) == 3, "what the owner has marked as deleted is still there"


async def test_a_draft_that_the_owner_has_edited_is_theirs(desk):
    state = desk.waiting()
    await desk.drafts.round()
    (stored,) = desk.in_drafts()
    desk.user.clear("Drafts")
    edited = stored.content.replace(b"Thursday works.", b"Thursday works well, dear Maria.")
    desk.user.deliver(edited, "Drafts", "\\Draft")
    desk.shown(state, "Friday works.\n")
    await desk.drafts.round()
    assert {mime.decoded_body(one.content) for one in desk.in_drafts()} == {
        "Thursday works well, dear Maria.\n",
        "Friday works.\n",
    }


async def test_a_closed_case_takes_its_draft_away(desk):
    state = desk.waiting()
    await desk.drafts.round()
    desk.ledger.close_case(replace(state, outcome="rejected"))
    await desk.drafts.round()
    assert desk.in_drafts() == []


async def test_a_crash_between_keeping_and_appending_makes_one_draft(desk):
    desk.waiting()
    await desk.drafts.round()
    draft = PlacedDraft(case=1, version=1, **_kept(desk))
    desk.placed.keep_draft(draft, "begun")  # as if the process had died after APPEND
    await desk.drafts.round()
    assert len(desk.in_drafts()) == 1
    desk.user.clear("Drafts")
    desk.placed.keep_draft(draft, "begun")  # as if it had died before
    await desk.drafts.round()
    assert len(desk.in_drafts()) == 1


def _kept(desk: Desk) -> dict[str, str]:
    (stored,) = desk.in_drafts()
    blob = desk.ledger_house.blobs.put(stored.content)
    return {"message_id": mime.parse(stored.content).message_id, "folder": "Drafts", "blob": blob}


async def test_a_mailbox_without_drafts_is_told_with_the_mend(tmp_path):
    server = Dovecot(special_use=False)
    server.start()
    desk = Desk(tmp_path / "home", server.add_user())
    desk.waiting()
    try:
        with pytest.raises(NeedsOwner, match="no Drafts folder"):
            await desk.drafts.round()
    finally:
        await desk.mailbox.close()
        desk.ledger_house.engine.dispose()
        server.stop()


# ---------------------------------------------------------------- the whole service


@pytest.fixture
def house(tmp_path: Path, mailbox, smtp_server):
    made = House(tmp_path / "home", mailbox, smtp_server, approval={"deliver": "drafts", "grace": "0s"})
    yield made
    made.close()


def drafts_of(house: House) -> list[Email]:
    return [mime.parse(stored.content) for stored in house.user.messages("Drafts")]


@pytest.mark.parametrize("edited", [False, True])
def test_the_owner_sends_it_by_hand_and_the_case_learns_and_closes(house, edited):
    house.start()
    house.client_writes(1)
    (draft,) = until(lambda: drafts_of(house), 60, "the draft in Drafts")
    text = "My own words instead.\n" if edited else draft.text
    sent = mime.compose(
        sender=house.owner, to=draft.to, subject=draft.subject, body=text, message_id="<program@mail.example>",
        date=datetime.now(UTC), in_reply_to=draft.in_reply_to[0], references=draft.references,
    )  # fmt: skip
    house.user.deliver(sent, "Sent", "\\Seen")
    until(lambda: _outcome(house) == "sent-by-owner", 60, "the case to close")
    until(lambda: not drafts_of(house), 60, "our draft to be taken away")
    assert house.sent_to_clients() == []
    with house.ledger() as ledger:
        state = ledger.case(1)
        kept = [one for one in ledger.documents(state.client) if one.kind == "sent"]
    assert text.strip().splitlines()[0] in kept[0].text, "what was really sent is memory"


def test_a_yes_still_sends_and_takes_the_draft_away(house):
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    until(lambda: drafts_of(house), 60, "the draft in Drafts")
    house.owner_answers(asked, "ok")
    house.wait_sent(1)
    until(lambda: not drafts_of(house), 60, "our draft to be taken away")
    assert house.sent_to_clients()[0].recipients == ("maria@studio.example",)


def _outcome(house: House) -> str:
    with house.ledger() as ledger:
        return ledger.case_rows()[0].outcome
