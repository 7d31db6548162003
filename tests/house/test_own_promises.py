"""The owner's own promise through the whole house: sent by hand, told the day before, kept by a later mail."""

from datetime import UTC, datetime, timedelta
from email.message import EmailMessage
from email.utils import format_datetime, make_msgid
from pathlib import Path

import pytest
from sqlalchemy import update

from memory.record.schema import own_promises, transaction
from tests.house.running import CLIENT, House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from workflows.models.promises import OwnPromise


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> House:
    return House(
        tmp_path / "home", mailbox, smtp_server,
        owner={"hours": "Mon-Sun 00:00-24:00"}, approval={"digest_at": ["00:00"]},
    )  # fmt: skip


def by_hand(house: House, text: str, attached: str = "") -> None:
    """The owner writes to the client from his own program: a copy lies in Sent."""
    mail = EmailMessage()
    mail["From"], mail["To"] = str(house.owner.email), CLIENT.email
    mail["Subject"], mail["Message-ID"] = "The relaunch", make_msgid(domain="mail.example")
    mail["Date"] = format_datetime(datetime.now(UTC))
    mail.set_content(text)
    if attached:
        mail.add_attachment(b"%PDF-1.4 a brief", maintype="application", subtype="pdf", filename=attached)
    house.user.deliver(mail.as_bytes(), "Sent", "\\Seen")


def open_promises(house: House) -> tuple[OwnPromise, ...]:
    with house.ledger() as ledger:
        return ledger.open_promises()


def test_a_promise_sent_by_hand_is_told_the_day_before_and_kept_by_a_later_mail(house: House) -> None:
    with house.running():
        by_hand(house, "Hi Maria,\n\nI'll send you the brief tomorrow.\n\nAda\n")
        (promise,) = until(lambda: open_promises(house), what="the promise")
        assert promise.pledge.sentence == "I'll send you the brief tomorrow."
    with house.ledger() as ledger, transaction(ledger._engine) as connection:
        connection.execute(update(own_promises).values(at=promise.at - timedelta(days=1)))
    with house.running():
        (told,) = until(lambda: [mail for mail in house.notices() if "of yours" in mail.subject], what="the reminder")
        assert told.subject.startswith("1 promise of yours: 1 due soon")
        assert "1  by " in told.text
        assert f'to {CLIENT.email}: "I\'ll send you the brief tomorrow."' in told.text
        by_hand(house, "Hi Maria,\n\nhere it is.\n\nAda\n", "brief-final.pdf")
        until(lambda: not open_promises(house), what="the promise to be kept")
    with house.running():
        until(
            lambda: "promises" in "\n".join(path.read_text() for path in (house.home / "log").glob("*")), what="a look"
        )
    assert len([mail for mail in house.notices() if "of yours" in mail.subject]) == 1
    assert house.sent_to_clients() == []
