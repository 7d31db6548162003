"""The folder `keys/` of a home vanishes, on the real service: it is said, nothing is lost, no old answer counts."""

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Email


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    made = House(tmp_path / "home", mailbox, smtp_server)
    yield made
    made.close()


def notices(house: House, subject: str) -> list[Email]:
    mails = (mime.parse(stored.content) for stored in house.user.messages())
    return [email for email in mails if subject in email.subject]


def test_a_home_without_its_keys_says_so_and_asks_anew(house: House) -> None:
    house.start()
    house.client_writes(1)
    (before,) = house.wait_approvals(1)
    assert house.stop() == 0
    shutil.rmtree(house.home / "keys")

    house.start()
    assert any("keys/" in line and "not those it had" in line for line in house.said), house.said[-20:]
    after = house.wait_approvals(2)[-1]
    assert after.text != before.text
    (notice,) = until(lambda: notices(house, "keys were lost"), what="the notice of the loss")
    assert "put keys/ back and start me again" in notice.text
    assert "Nothing that was approved is sent twice" in notice.text

    house.owner_answers(before, "ok")
    until(lambda: any("counts no more" in email.text for email in notices(house, "")), what="the old answer's refusal")
    assert house.sent_to_clients() == []
    house.owner_answers(after, "ok")
    (sent,) = house.wait_sent(1)
    assert "kick-off" in mime.parse(sent.kept).subject
    assert house.stop() == 0

    house.start()  # the new keys are the home's now: it is told once, and nothing is begun anew again
    assert len(notices(house, "keys were lost")) == 1
    assert len(house.approvals()) == 2
    assert len(house.sent_to_clients()) == 1
