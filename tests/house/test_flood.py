"""A flood of strangers' mails is few mails to the owner; what waits is in the digest, and nothing is lost or untold."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from memory.record.notebook import DeferredNotice
from tests.house.running import House, until
from tests.ledgers import House as Books
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address

ZONE = ZoneInfo("Europe/Berlin")
MOST = 4


@pytest.fixture
def flooded(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    ahead = f"{datetime.now(ZONE) + timedelta(hours=3):%H:%M}"
    house = House(
        tmp_path / "home", mailbox, smtp_server,
        approval={"grace": "60s", "digest_at": [ahead], "nudge_at": ahead}, limits={"to_owner_per_hour": MOST},
    )  # fmt: skip
    house.start()
    yield house
    house.close()


def letter(number: int, subject: str, body: str, to: Address) -> bytes:
    return mime.compose(
        sender=Address(name=f"S{number}", email=f"s{number}@stranger.example"), to=(to,), subject=subject, body=body,
        message_id=f"<{subject.split(maxsplit=1)[0]}-{number}@stranger.example>", date=datetime.now(UTC),
    )  # fmt: skip


def test_a_flood_is_few_mails_and_all_of_it_waits_for_the_digest(flooded: House) -> None:
    for number in range(3):
        urgent = "Hi,\n\nurgent: the site is down, I need an answer today, asap!\n"
        complaint = "Hi,\n\nI am very disappointed and want a refund, my lawyer will contact you.\n"
        flooded.user.deliver(letter(number, f"URGENT: server down {number}", urgent, flooded.owner))
        flooded.user.deliver(letter(number, f"Complaint {number}", complaint, flooded.owner))
        flooded.user.deliver(f"no header {number}".encode())

    def shown_or_waiting() -> bool:
        with flooded.ledger() as ledger:
            return len(ledger.waiting()) == 6 and not ledger.untold_quarantine()

    until(shown_or_waiting, 120, "every stranger's mail to be asked about or to wait")
    to_owner = [mail for mail in flooded.smtp.delivered if flooded.owner.email in mail.recipients]
    assert len(to_owner) <= MOST
    with flooded.ledger() as ledger:
        asked = sum(one.asked for one in ledger.waiting())
        told = [one for one in ledger.quarantined() if one.rule == "quarantine"]
    assert 0 < asked <= MOST
    assert len(told) == 3


def test_a_kept_notice_is_kept_once_and_told_once(tmp_path: Path) -> None:
    ledger = Books(tmp_path / "home").ledger
    first, second = (
        DeferredNotice(key="source:a", subject="A", text="one"),
        DeferredNotice(key="source:b", subject="B", text="two"),
    )
    for notice in (first, second, DeferredNotice(key="source:a", subject="A", text="anew")):
        ledger.keep_notice(notice)
    assert set(ledger.kept_notices()) == {first, second}
    ledger.mark_kept_told(["source:a"])
    ledger.keep_notice(first)
    assert ledger.kept_notices() == (second,)
    assert ledger.is_kept("source:a")
