"""Follow-ups through the whole house: proposed after a silence, sent after a yes in its thread, ended by an answer."""

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import update

from memory.record.schema import follow_ups, transaction
from tests.house.running import CLIENT, House, case_of, client_mail, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.clock import SystemClock
from workflows.models.mail import Email
from workflows.rules.asking.approval import extract_draft

QUESTION = "Hello Maria,\n\ndoes Thursday suit you for the kick-off?\n\nAda Winter"
ASKED = "does Thursday suit you for the kick-off?"


Open = Callable[[str], House]
"""Opens the one home, with this grace."""


@pytest.fixture
def opened(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Open:
    def with_grace(grace: str) -> House:
        return House(
            tmp_path / "home", mailbox, smtp_server,
            owner={"hours": "Mon-Sun 00:00-24:00"}, approval={"digest_at": ["00:00"], "grace": grace},
        )  # fmt: skip

    return with_grace


def asked_and_silent(house: House) -> Email:
    """A reply that asks something was approved and sent, and ten days have passed; that mail."""
    with house.running():
        house.client_writes(1)
        (approval,) = house.wait_approvals(1)
        house.owner_answers(approval, f"edit!\n{QUESTION}")
        (sent,) = house.wait_sent(1)
        until(lambda: is_closed(house, case_of(approval)), what="the reply's case to end")
    with house.ledger() as ledger, transaction(ledger._engine) as connection:
        past = update(follow_ups).values(at=SystemClock().now() - timedelta(days=10))
        assert connection.execute(past).rowcount == 1
    return mime.parse(sent.content)


def is_closed(house: House, case: int) -> bool:
    with house.ledger() as ledger:
        return ledger.case(case).stage == "closed"


def outcome(house: House, case: int) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).outcome


def proposed(house: House) -> Email:
    """The approval mail of the follow-up."""
    (_, approval) = house.wait_approvals(2)
    return approval


def test_a_silence_is_followed_up_in_its_thread_after_a_yes(opened: Open) -> None:
    house = opened("0s")
    first = asked_and_silent(house)
    with house.running():
        approval = proposed(house)
        draft = extract_draft(approval.text)
        assert draft is not None
        assert ASKED in draft
        assert "What you had asked:" in approval.text
        assert "There is no answer to your mail of" in approval.text
        assert len(house.sent_to_clients()) == 1
        house.owner_answers(approval, "ok")
        _, sent = house.wait_sent(2)
        mail = mime.parse(sent.content)
        assert sent.recipients == (CLIENT.email,)
        assert mail.parents[0] == first.message_id
        assert mail.subject == first.subject
        assert mime.decoded_body(sent.content) == draft
        until(lambda: is_closed(house, case_of(approval)), what="the follow-up to end")
    with house.running():
        until(lambda: is_closed(house, case_of(approval)), what="the next look")
    assert len(house.approvals()) == 2
    assert len(house.sent_to_clients()) == 2


def test_an_answer_between_the_yes_and_the_sending_ends_it(opened: Open) -> None:
    asked_and_silent(opened("0s"))
    house = opened("10m")
    with house.running():
        approval = proposed(house)
        house.owner_answers(approval, "ok")
        until(lambda: stage(house, case_of(approval)) == "approved", what="the yes")
        house.user.deliver(client_mail(2, house.owner, body="Hi Ada,\n\nThursday is fine.\n\nMaria\n"))
        until(lambda: is_closed(house, case_of(approval)), what="the follow-up to end")
        assert outcome(house, case_of(approval)) == "answered"
    assert len(house.sent_to_clients()) == 1


def stage(house: House, case: int) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).stage
