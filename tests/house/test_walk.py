"""The main job on real servers: mails in, approvals out, answers in, replies out in the right threads, none twice."""

from collections import Counter
from pathlib import Path

import pytest

from tests.house.running import House, case_of, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def test_a_client_is_answered_in_the_right_thread_after_one_yes(house: House) -> None:
    house.start()
    question = mime.parse(house.client_writes(1))
    (approval,) = house.wait_approvals(1)
    assert "maria@studio.example" in approval.text
    house.owner_answers(approval, "ok")
    (sent,) = house.wait_sent(1)
    reply = mime.parse(sent.content)
    assert sent.recipients == ("maria@studio.example",)
    assert reply.in_reply_to == (question.message_id,)
    assert question.message_id in reply.references
    assert reply.subject == f"Re: {question.subject}"
    assert not any("deskhand" in value.lower() for _, value in reply.headers)
    assert house.stop() == 0


def test_twenty_clients_are_answered_once_each_through_two_kills(house: House) -> None:
    house.start()
    people = [Address(name=f"Client {number}", email=f"client{number}@firm{number}.example") for number in range(20)]
    questions = {
        person.email: mime.parse(house.client_writes(number, sender=person)) for number, person in enumerate(people)
    }
    house.wait_approvals(7)
    house.kill()
    house.start()
    approvals = house.wait_approvals(20, 120)
    for approval in approvals[:10]:
        house.owner_answers(approval, "ok")
    house.kill_temporal()
    for approval in approvals[10:]:
        house.owner_answers(approval, "ok")
    sent = house.wait_sent(20, 120)
    until(lambda: not _open_cases(house), 60, "every case to end")
    assert Counter(case_of(approval) for approval in house.approvals()).most_common(1)[0][1] == 1
    assert Counter(mail.recipients[0] for mail in sent) == Counter(person.email for person in people)
    assert len(house.sent_to_clients()) == 20
    for mail in sent:
        question = questions[mail.recipients[0]]
        reply = mime.parse(mail.content)
        assert reply.in_reply_to == (question.message_id,)
        assert question.message_id in reply.references
    assert house.stop() == 0


def _open_cases(house: House) -> tuple:
    with house.ledger() as ledger:
        return ledger.open_cases()
