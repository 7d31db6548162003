"""Money in a real house: invoices from the folder, payments, promises, disputes, and the owner's word both ways."""

import subprocess
import sys
import time
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, case_of, until
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email

MAILS = Path(__file__).parents[1] / "mail" / "payments"
DUE = (datetime.now(UTC).date() - timedelta(days=20)).isoformat()
FIRMS = ("stripe", "lure", "friday", "dispute", "bymail", "bycommand", "stop", "away")
ROWS = "".join(
    f"I-{number},{firm.title()} GmbH,pay@{firm}.example,{DUE},500.00,EUR\n" for number, firm in enumerate(FIRMS, 1)
)


class Desk:
    """A running house whose every client owes one invoice, each with a reminder that waits for the owner."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.approvals = {one.text.partition("@")[2].partition(".")[0]: one for one in house.wait_approvals(len(FIRMS))}

    def case(self, firm: str) -> int:
        return case_of(self.approvals[firm])

    def ended(self, firm: str) -> str:
        """How the firm's reminder ended."""

        def look() -> str:
            with self.house.ledger() as ledger:
                state = ledger.case(self.case(firm))
                return state.outcome if state.stage == "closed" else ""

        return until(look, 30, f"the reminder of {firm} to end; said: {self.house.said[-10:]}")

    def balance(self, firm: str) -> int:
        with self.house.ledger() as ledger:
            found = ledger.invoice(f"I-{FIRMS.index(firm) + 1}")
            assert found is not None
            return found.balance.minor

    def notice(self, name: str, **words: str) -> None:
        """A mail of the folder lies in INBOX, to this owner, with other words in it."""
        text = (MAILS / f"{name}.eml").read_text().replace("=\n", "")
        text = text.replace("ada@winter.example", self.house.owner.email)
        for old, new in words.items():
            text = text.replace(old, new)
        self.house.user.deliver(text.replace("\n", "\r\n").encode())

    def says(self, firm: str, body: str, **headers: str) -> None:
        """The debtor writes."""
        raw = mime.compose(
            sender=Address(name=f"{firm.title()} GmbH", email=f"pay@{firm}.example"),
            to=(self.house.owner,),
            subject=f"Re: Invoice I-{FIRMS.index(firm) + 1}",
            body=f"{body}\n",
            message_id=f"<{firm}-{time.monotonic_ns()}@{firm}.example>",
            date=datetime.now(UTC),
            headers=tuple(headers.items()),
        )
        self.house.user.deliver(raw)

    def orders(self, words: str) -> Email:
        """The owner orders by mail; the notice that answers it."""
        before = {notice.message_id for notice in self.notices()}
        raw = mime.compose(
            sender=self.house.owner, to=(self.house.owner,), subject=f"deskhand {words}", body="\n",
            message_id=f"<order-{time.monotonic_ns()}@mail.example>", date=datetime.now(UTC),
        )  # fmt: skip
        self.house.user.deliver(raw, "Sent", "\\Seen")
        question = self._next_notice(before)
        if not question.subject.startswith("Is this from you"):
            return question
        before.add(question.message_id)
        self.house.owner_answers(question, "ok")
        return self._next_notice(before)

    def _next_notice(self, before: set[str]) -> Email:
        return until(lambda: [one for one in self.notices() if one.message_id not in before], 30, "a notice")[0]

    def notices(self) -> list[Email]:
        return self.house.notices()

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "workers", "--home", str(self.house.home), *words],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip

    def hold(self, firm: str) -> list[tuple[str, date | None]]:
        """What speaks against chasing the firm, and until when."""
        from memory.money.holds import holds_of
        from memory.record.schema import open_engine, reading

        with self.house.ledger() as ledger:
            found = ledger.invoice(f"I-{FIRMS.index(firm) + 1}")
        assert found is not None
        engine = open_engine(self.house.home / "ledger.sqlite")
        try:
            with reading(engine) as connection:
                return [(hold.kind, hold.until) for hold in holds_of(connection, found.client)]
        finally:
            engine.dispose()


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[Desk]:
    with RecordingSmtp() as smtp:
        house = House(
            tmp_path_factory.mktemp("money") / "home", dovecot.add_user(), smtp,
            money={"business_days": False, "dues_at": "00:00"},
        )  # fmt: skip
        (house.home / "invoices").mkdir()
        (house.home / "invoices" / "all.csv").write_text(f"number,client,email,due,amount,currency\n{ROWS}")
        with house.running():
            yield Desk(house)


def test_every_debtor_of_the_folder_has_a_reminder_that_waits(desk: Desk) -> None:
    assert set(desk.approvals) == set(FIRMS)
    assert all("500.00" in one.text for one in desk.approvals.values())
    assert desk.house.sent_to_clients() == []


def test_a_stripe_mail_ends_the_waiting_reminder(desk: Desk) -> None:
    desk.notice("stripe-invoice-paid", **{"2026-014": "I-1", "Acme GmbH": "Stripe GmbH"})
    assert desk.ended("stripe") == "paid"
    assert desk.balance("stripe") == 0


def test_a_lure_ends_it_too_but_pays_nothing_and_the_owner_is_asked(desk: Desk) -> None:
    desk.notice("paypal-phish", **{"2026-014": "I-2", "Acme GmbH": "Lure GmbH"})
    assert desk.ended("lure") == "stopped"
    assert desk.balance("lure") == 50_000
    asked = until(lambda: [one for one in desk.notices() if "Did they pay I-2?" in one.subject], 90, "the question")[0]
    assert "which is not PayPal" in asked.text
    assert "paid I-2" in asked.text
    desk.house.owner_answers(asked, "paid I-2")
    until(lambda: desk.balance("lure") == 0, 30, "the owner's word to count")


def test_we_pay_friday_holds_until_then(desk: Desk) -> None:
    desk.says("friday", "Sorry for the delay, we pay on Friday.")
    assert desk.ended("friday") == "promised"
    ((kind, day),) = desk.hold("friday")
    assert kind == "promise"
    assert day is not None
    assert day.strftime("%A") == "Friday"


def test_a_dispute_ends_it_until_the_owner_says_so(desk: Desk) -> None:
    desk.says("dispute", "This invoice is wrong, we never ordered the second page.")
    assert desk.ended("dispute") in {"disputed", "stopped"}
    assert ("dispute", None) in desk.hold("dispute")
    notice = desk.orders("chase Dispute GmbH")
    assert "chased again" in notice.text
    assert ("dispute", None) not in desk.hold("dispute")


def test_an_absence_holds_until_they_are_back(desk: Desk) -> None:
    back = datetime.now(UTC).date() + timedelta(days=10)
    desk.says("away", f"I am out of office until {back:%d %B %Y}.", **{"Auto-Submitted": "auto-replied"})
    assert desk.ended("away") == "stopped"
    assert desk.hold("away") == [("absence", back)]


def test_paid_by_mail(desk: Desk) -> None:
    notice = desk.orders("paid I-5 200 EUR")
    assert notice.subject.startswith("Paid")
    assert desk.balance("bymail") == 30_000
    assert "300.00" in notice.text
    desk.orders("paid I-5")
    assert desk.ended("bymail") == "paid"
    assert desk.balance("bymail") == 0


def test_paid_by_command(desk: Desk) -> None:
    done = desk.command("paid", "I-6", "500", "EUR")
    assert (done.returncode, "I-6 is paid" in done.stdout) == (0, True), done.stdout + done.stderr
    assert desk.ended("bycommand") == "paid"
    wrong = desk.command("paid", "I-99")
    assert (wrong.returncode, "no invoice" in wrong.stderr) == (1, True)


def test_stop_chasing_by_command_and_mail(desk: Desk) -> None:
    done = desk.command("chase", "Stop", "GmbH", "--stop")
    assert done.returncode == 0, done.stdout + done.stderr
    assert desk.ended("stop") == "stopped"
    assert desk.hold("stop") == [("stopped", None)]
    assert "chased again" in desk.orders("chase stop.example").text
    assert desk.hold("stop") == []


def test_promised_and_disputed_by_command(desk: Desk) -> None:
    done = desk.command("promised", "I-7", "Friday")
    assert (done.returncode, "Friday" in done.stdout or "Fri" in done.stdout) == (0, True), done.stdout + done.stderr
    assert [kind for kind, _ in desk.hold("stop")] == ["promise"]
    assert desk.command("dispute", "I-7", "too", "high").returncode == 0
    assert {kind for kind, _ in desk.hold("stop")} == {"promise", "dispute"}
    assert desk.command("chase", "I-7").returncode == 0
    assert desk.hold("stop") == []
    refused = desk.command("promised", "I-7", "one", "day")
    assert (refused.returncode, "not a time" in refused.stderr) == (2, True)


def test_only_a_bid_can_be_won(desk: Desk) -> None:
    for words in (("won", "1"), ("lost", "1", "too expensive"), ("no-answer", "1")):
        done = desk.command(*words)
        assert (done.returncode, "is no bid" in done.stderr) == (1, True), done.stdout + done.stderr


def test_nothing_left_without_a_yes(desk: Desk) -> None:
    assert desk.house.sent_to_clients() == []
