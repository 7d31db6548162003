"""What comes too late, and how it is put right, at the real mailbox: "already sent", `fix`, two different answers."""

import re
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.house.test_digest import outcome, wait_a_moment
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    built.start()
    yield built
    built.close()


def test_a_late_no_is_told_when_it_was_sent_and_fix_drafts_a_correction_in_the_thread(house: House) -> None:
    question = mime.parse(house.client_writes(1))
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "ok")
    house.wait_sent(1)
    until(lambda: outcome(house, 1) == "sent", what="the end of the case")
    house.owner_answers(asked, "no")
    (told,) = until(house.notices, what="the answer to the late no")
    assert re.search(r"It was already sent (?:Mon|Tue|Wed|Thu|Fri|Sat|Sun) \d\d:\d\d\.", told.text)
    assert "'fix 1' drafts a correction." in told.text
    house.owner_answers(told, "fix 1 the day is wrong")
    correction = house.wait_approvals(2)[-1]
    assert "Changed: A correction of case 1, which was sent. You wrote: the day is wrong" in correction.text
    assert len(house.sent_to_clients()) == 1
    wait_a_moment(correction)
    house.owner_answers(correction, "edit!\nSorry, I meant Friday.\n\nAda")
    sent = mime.parse(house.wait_sent(2)[-1].content)
    assert sent.text.strip() == "Sorry, I meant Friday.\n\nAda"
    assert sent.in_reply_to == (question.message_id,)
    assert len(house.notices()) == 1


def test_there_is_nothing_to_fix_where_nothing_was_sent(house: House) -> None:
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "no")
    until(lambda: outcome(house, 1) == "rejected", what="the no")
    house.owner_answers(asked, "fix 1")
    (refusal,) = until(house.notices, what="the refusal")
    house.owner_answers(refusal, "fix 999")
    told = until(lambda: found if len(found := house.notices()) == 2 else [], what="both refusals")
    texts = sorted(mail.text for mail in told)
    assert texts[0].startswith("Nothing of case 1 was sent, so there is nothing to correct.")
    assert texts[1].startswith("There is no case 999")
    assert len(house.approvals()) == 1


def test_two_different_answers_send_neither_and_both_are_quoted(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    house = House(tmp_path / "slow", mailbox, smtp_server, approval={"grace": "8s"})
    with house.running():
        house.client_writes(1)
        (asked,) = house.wait_approvals(1)
        house.owner_answers(asked, "edit!\nMy own words for Maria.\n\nAda")
        with house.ledger() as ledger:
            until(lambda: ledger.case(1).stage == "approved", what="the yes")
        house.owner_answers(asked, "ok")
        shown = house.wait_approvals(2)[-1]
        assert shown.header("x-deskhand-case") == "1.2"
        again = next(line for line in shown.text.split("\n") if line.startswith("Again: "))
        assert '"edit!" with the text "My own words for Maria. Ada" to version 1' in again
        assert 'then "ok" to version 1. Neither was sent.' in again
        house.owner_answers(shown, "no")
        until(lambda: outcome(house, 1) == "rejected", what="the clear answer")
    assert house.sent_to_clients() == []
