"""A late invoice through a real house: from the folder to the mail that leaves, and everything that changes it."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, case_of, until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import Delivered, RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email
from workflows.rules.asking.approval import extract_draft

TODAY = datetime.now(UTC).date()
LATE, LATER = TODAY - timedelta(days=20), TODAY - timedelta(days=9)
HEAD = "number,client,email,issued,due,amount,currency,paid,paid_at,country\n"
ROWS = (
    f"A-1,Anna Lehmann,anna.lehmann@alpha.example,,{LATE},1200.00,EUR,,,\n"
    f"A-2,Anna Lehmann,anna.lehmann@alpha.example,,{LATER},1450.50,USD,300.00,{LATER},\n"
    f"B-1,Ben Bishop,ben.bishop@bravo.example,,{LATE},99.00,EUR,,,\n"
    f"C-1,Cleo Carter,cleo.carter@charlie.example,,{LATE},500.00,EUR,,,\n"
    f"D-1,Dora Dent,dora.dent@delta.example,,{LATE},70000,JPY,,,\n"
)


class Office:
    """The running house, and what its owner sees of each debtor."""

    def __init__(self, house: House) -> None:
        self.house = house

    def shown(self, name: str, words: str = "", count: int = 1) -> Email:
        """The newest approval mail that would go to them and says these words, once there are so many."""

        def look() -> list[Email]:
            found = [one for one in self.house.approvals() if f"To: {name}" in one.text and words in one.text]
            return found if len(found) >= count else []

        return until(look, 60, f"approval mails to {name}; said: {self.house.said[-10:]}")[-1]

    def state(self, case: int) -> tuple[str, str]:
        with self.house.ledger() as ledger:
            found = ledger.case(case)
            return found.stage, found.outcome

    def ends(self, case: int) -> str:
        return until(lambda: outcome if (outcome := self.state(case)[1]) else "", 30, f"case {case} to end")

    def sent_to(self, address: str, count: int = 1) -> list[Delivered]:
        def look() -> list[Delivered]:
            found = [mail for mail in self.house.sent_to_clients() if address in mail.recipients]
            return found if len(found) >= count else []

        return until(look, 60, f"mail to {address}; said: {self.house.said[-10:]}")

    def writes(self, sender: Address, subject: str, body: str) -> None:
        raw = mime.compose(
            sender=sender, to=(self.house.owner,), subject=subject, body=f"{body}\n",
            message_id=f"<{time.monotonic_ns()}@{sender.email.partition('@')[2]}>", date=datetime.now(UTC),
        )  # fmt: skip
        self.house.user.deliver(raw)

    def command(self, *words: str) -> str:
        done = subprocess.run(
            [sys.executable, "-P", "-m", "workers", "--home", str(self.house.home), *words],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip
        assert done.returncode == 0, done.stderr
        return done.stdout


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[Office]:
    home = tmp_path_factory.mktemp("chase") / "home"
    (home / "invoices").mkdir(parents=True)
    home.chmod(0o700)
    (home / "invoices" / "2026.csv").write_text(HEAD + ROWS)
    money = {"business_days": False, "dues_at": "00:00", "details": "IBAN DE02 1203 0000 0000 2020 51"}
    with RecordingSmtp() as smtp:
        house = House(home, dovecot.add_user(), smtp, money=money)
        with house.running():
            yield Office(house)


def test_the_owner_is_shown_number_amount_due_date_days_late_and_the_bank_data(office: Office) -> None:
    asked = office.shown("Anna Lehmann")
    assert asked.subject.startswith("Anna Lehmann: Payment reminder: invoices A-1, A-2 [Deskhand ")
    lines = [line.removeprefix("> ") for line in asked.text.splitlines()]
    assert "What they owe:" in lines
    assert f"A-1     1,200.00 EUR                  {LATE}  20         nothing" in lines
    assert f"A-2     1,150.50 USD of 1,450.50 USD  {LATER}  9          nothing" in lines
    assert "Total open: 1,200.00 EUR + 1,150.50 USD" in lines
    assert f"Payments are known up to {TODAY:%Y-%m-%d} (the newest bank data)." in lines
    assert "The stage 'reminder' is due for A-1, A-2, in the ladder 'standard'" in asked.text
    assert "NEW ADDRESS" not in asked.text


def test_every_debtor_has_one_reminder_and_each_currency_is_written_right(office: Office) -> None:
    assert "Invoice D-1: 70,000 JPY" in office.shown("Dora Dent").text
    assert len(office.house.wait_approvals(4)) >= 4


def test_a_yes_sends_exactly_what_was_shown(office: Office) -> None:
    asked = office.shown("Anna Lehmann")
    office.house.owner_answers(asked, "ok")
    (left,) = office.sent_to("anna.lehmann@alpha.example")
    body = mime.decoded_body(left.content)
    assert body == extract_draft(asked.text)
    assert "Total: 1,200.00 EUR + 1,150.50 USD\nHow to pay: IBAN DE02 1203 0000 0000 2020 51\n" in body
    assert "deskhand" not in left.content.decode().lower()
    assert office.ends(case_of(asked)) == "sent"


def test_a_paid_client_is_thanked_in_the_same_thread(office: Office) -> None:
    (left,) = office.sent_to("anna.lehmann@alpha.example")
    assert "A-1 is paid" in office.command("paid", "A-1")
    thanks = office.shown("Anna Lehmann", "What they paid:")
    assert "Subject: Payment received: invoice A-1" in thanks.text
    assert "- Invoice A-1: 1,200.00 EUR\n" in thanks.text
    with office.house.ledger() as ledger:
        outgoing = ledger.outgoing(case_of(thanks), 1)
    assert outgoing.in_reply_to == mime.parse(left.content).message_id
    assert outgoing.proactive


def test_a_complaint_stops_the_waiting_reminder_and_nothing_of_it_can_leave(office: Office) -> None:
    asked = office.shown("Ben Bishop")
    ben = Address(name="Ben Bishop", email="ben.bishop@bravo.example")
    office.writes(ben, "Your work", "Ada, I want to make a formal complaint about the last delivery.\n\nBen")
    assert office.ends(case_of(asked)) == "stopped"
    office.house.owner_answers(asked, "ok")
    refusal = "It was stopped; nothing was sent."
    until(lambda: any(refusal in mime.parse(one.content).text for one in office.house.user.messages()), 30, refusal)
    assert not [mail for mail in office.house.sent_to_clients() if ben.email in mail.recipients]


def test_a_part_of_the_money_is_drafted_again_and_the_old_yes_no_longer_counts(office: Office) -> None:
    first = office.shown("Cleo Carter")
    assert "300.00 EUR" in office.command("paid", "C-1", "200.00 EUR")
    second = office.shown("Cleo Carter", "300.00 EUR of 500.00 EUR")
    assert second.header("x-deskhand-case") == f"{case_of(first)}.2"
    assert "Changed: 200.00 EUR of invoice C-1 came in; 300.00 EUR is still open." in second.text
    office.house.owner_answers(first, "ok")  # to what no longer stands
    again = office.shown("Cleo Carter", "Again: ")
    assert not [mail for mail in office.house.sent_to_clients() if "cleo.carter@charlie.example" in mail.recipients]
    office.house.owner_answers(again, "ok")
    (left,) = office.sent_to("cleo.carter@charlie.example")
    assert "- Invoice C-1: 300.00 EUR of 500.00 EUR still open" in mime.decoded_body(left.content)


def test_status_says_who_owes_and_is_not_chased_and_why(office: Office) -> None:
    office.command("dispute", "A-2", "the hours are wrong")
    said = office.command("status")
    assert "Owed and not chased:" in said
    assert 'Anna Lehmann, invoice A-2: it is disputed ("the hours are wrong")' in said


def test_a_refused_reminder_is_not_proposed_again_after_a_restart(office: Office) -> None:
    asked = office.shown("Dora Dent")
    office.house.owner_answers(asked, "no I will call her")
    assert office.ends(case_of(asked)) == "rejected"
    before = _looks(office)
    office.house.stop()
    office.house.start()
    until(lambda: _looks(office) > before, 60, "the look after the start")
    with office.house.ledger() as ledger:
        chases = [row for row in ledger.case_rows(100) if row.kind == "chase" and "Dora" in row.title]
    assert [row.outcome for row in chases] == ["rejected"]


def _looks(office: Office) -> int:
    """How often the service has looked at what is due."""
    files = (office.house.home / "log").glob("*")
    lines = (line for file in files for line in file.read_text("utf-8", "replace").splitlines())
    return sum("polled" in line and "dues" in line for line in lines)
