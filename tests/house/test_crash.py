"""Promise T1, small: kill -9 of the worker at every boundary of every activity of Reply, and of Temporal in between."""

from collections import Counter
from pathlib import Path

import pytest

from tests.dying import POINTS
from tests.house.running import AutomaticOwner, House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address

ACTIVITIES = ("brief", "draft", "ask", "save", "approve", "hand_over", "send", "close", "remember")
BOUNDARIES = tuple(f"{activity}:{point}" for activity in ACTIVITIES for point in POINTS)
ENDS_WITHIN = 120.0


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def test_no_approved_mail_is_lost_or_doubled_wherever_the_worker_dies(house: House) -> None:
    people = [
        Address(name=f"Person {number}", email=f"person{number}@firm.example") for number in range(len(BOUNDARIES))
    ]
    house.start()
    house.stop()  # the first run sets the cursors: what comes from now on is work
    with AutomaticOwner(house):
        for number, boundary in enumerate(BOUNDARIES):
            house.start(("-m", "tests.dying"), (boundary,), may_end=True)
            house.client_writes(number, sender=people[number])
            if number % 9 == 4:
                house.kill_temporal()
            until(house.ended, ENDS_WITHIN, f"death at {boundary}; said: {house.said[-10:]}")
        house.start()
        until(lambda: len(_rows(house)) == len(people), ENDS_WITHIN, "every mail to become a case")
        until(lambda: not _open(house), ENDS_WITHIN, "every case to end")
    sent = Counter(mail.recipients[0] for mail in house.sent_to_clients())
    rows = _rows(house)
    emails = {person.name: person.email for person in people}
    outcomes = {emails[row.client_name]: row.outcome for row in rows}
    assert set(outcomes.values()) <= {"sent", "uncertain"}
    assert [email for email, outcome in outcomes.items() if outcome == "sent" and sent[email] != 1] == []
    # One that was just leaving when all died is not known to have left, and is told: the owner settles it.
    assert [email for email, outcome in outcomes.items() if outcome == "uncertain" and sent[email] > 1] == []
    assert list(outcomes.values()).count("uncertain") < len(people) / 2
    subjects = [mime.parse(stored.content).subject for stored in house.user.messages()]
    for row in rows:
        told = [subject for subject in subjects if f"{row.number}.{row.version} is uncertain" in subject]
        assert len(told) == (row.outcome == "uncertain")
    assert house.stop() == 0


def _rows(house: House) -> tuple:
    with house.ledger() as ledger:
        return ledger.case_rows(100)


def _open(house: House) -> tuple:
    with house.ledger() as ledger:
        return ledger.open_cases()
