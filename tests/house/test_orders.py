"""Orders to the desk on a real house: by mail in Sent, once each, and what they hold holds."""

import json
import subprocess
import sys
import time
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, case_of, until
from tests.ledgers import client_at
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email

ACME = Address(name="Anna Acker", email="anna@acme.example")
BETA = Address(name="Bert Beta", email="bert@beta.example")
SHOP = Address(name="Shop", email="news@shop.example")


class Desk:
    """A running house whose owner orders by mail."""

    def __init__(self, house: House) -> None:
        self.house = house
        self._number = 0

    def order(self, subject: str, body: str = "", *, folder: str = "Sent", **fields: object) -> bytes:
        """The owner writes to himself; the copy lies in Sent (and arrives in INBOX, as it does)."""
        self._number += 1
        values = {
            "sender": self.house.owner, "to": (self.house.owner,), "subject": subject, "body": f"{body}\n",
            "message_id": f"<order-{self._number}-{time.monotonic_ns()}@mail.example>", "date": datetime.now(UTC),
        } | fields  # fmt: skip
        raw = mime.compose(**values)  # type: ignore[arg-type]
        if folder == "Sent":
            self.house.user.deliver(raw, "Sent", "\\Seen")
        self.house.user.deliver(raw)
        return raw

    def notices(self) -> list[Email]:
        return self.house.notices()

    def told(self, subject: str, body: str = "", **fields: object) -> Email:
        """Order something and wait for the one notice that answers it."""
        before = {notice.message_id for notice in self.notices()}
        self.order(subject, body, **fields)
        return self.next_notice(before)

    def ordered(self, subject: str, body: str = "", **fields: object) -> Email:
        """Order something that changes something: it is asked back, the owner says ok; the notice that answers that."""
        question = self.told(subject, body, **fields)
        assert question.subject.startswith("Is this from you"), question.subject
        return self.answered(question, "ok")

    def answered(self, notice: Email, words: str) -> Email:
        """Answer a notice and wait for the one that answers that."""
        before = {one.message_id for one in self.notices()}
        self.house.owner_answers(notice, words)
        return self.next_notice(before)

    def next_notice(self, before: set[str]) -> Email:
        def look() -> list[Email]:
            return [notice for notice in self.notices() if notice.message_id not in before]

        found = until(look, 30, f"a notice; said: {self.house.said[-10:]}")
        assert len(found) == 1
        return found[0]

    def handled(self) -> None:
        """Wait until everything that was delivered so far has been read and taken up."""
        content = mime.compose(
            sender=SHOP, to=(self.house.owner,), subject=f"Sale {time.monotonic_ns()}", body="Buy.\n",
            message_id=f"<probe-{time.monotonic_ns()}@shop.example>", date=datetime.now(UTC),
            headers=(("List-Unsubscribe", "<https://shop.example/u>"), ("List-Id", "<news.shop.example>")),
        )  # fmt: skip
        identity = mime.parse(content).identity
        sent = mime.compose(
            sender=self.house.owner, to=(self.house.owner,), subject="shopping", body=f"{time.monotonic_ns()}\n",
            message_id=f"<probe-{time.monotonic_ns()}@mail.example>", date=datetime.now(UTC),
        )  # fmt: skip
        own = mime.parse(sent).identity
        self.house.user.deliver(content)
        self.house.user.deliver(sent, "Sent", "\\Seen")
        with self.house.ledger() as ledger:
            until(lambda: ledger.email(identity) and ledger.email(own) and not ledger.undelivered(), 30, "the probes")

    def ask(self, number: int, sender: Address) -> Email:
        """A client writes, and the approval mail comes."""
        known = {approval.message_id for approval in self.house.approvals()}
        self.house.client_writes(number, sender=sender)
        approval = self.new_approval(known)
        until(lambda: self.stage(case_of(approval)) == "waiting", 30, "the case to wait")
        return approval

    def new_approval(self, known: set[str]) -> Email:
        def look() -> list[Email]:
            return [one for one in self.house.approvals() if one.message_id not in known]

        return until(look, 60, f"an approval mail; said: {self.house.said[-10:]}")[0]

    def stage(self, case: int) -> str:
        with self.house.ledger() as ledger:
            return ledger.case(case).stage

    def command(self, *words: str) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [sys.executable, "-P", "-m", "workers", "--home", str(self.house.home), *words],
            env={"PYTHONPATH": str(Path(__file__).parents[2]), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"},
            capture_output=True, text=True, timeout=60, check=False,
        )  # fmt: skip


@pytest.fixture(scope="module")
def desk(tmp_path_factory: pytest.TempPathFactory, dovecot: Dovecot) -> Iterator[Desk]:
    """One house for all: each test leaves it neither stopped, paused nor away."""
    mailbox: DovecotUser = dovecot.add_user()
    with RecordingSmtp() as smtp:
        house = House(tmp_path_factory.mktemp("orders") / "home", mailbox, smtp, approval={"grace": "2s"})
        with house.running():
            yield Desk(house)


# ---------------------------------------------------------------- telling


def test_status_says_what_waits(desk: Desk) -> None:
    approval = desk.ask(1, Address(name="Sia Status", email="sia@status.example"))
    notice = desk.told("deskhand status")
    assert notice.subject.startswith("Status: 1 waits for you")
    assert "Waits for your answer:" in notice.text
    assert approval.header("x-deskhand-case") in notice.text
    assert "Sia Status" in notice.text
    assert "answer above this line" not in notice.text
    desk.house.owner_answers(approval, "no")
    until(lambda: desk.stage(case_of(approval)) == "closed", 30, "the case to close")


def test_help_and_words_that_are_no_order(desk: Desk) -> None:
    assert "rescue 4" in desk.told("deskhand help").text
    assert "rescue 4" in desk.told("Deskhand", "").text
    notice = desk.told("deskhand", "sing a song")
    assert "nothing was done" in notice.text
    assert "stop all" in notice.text


@pytest.mark.parametrize(
    "words", ["forget Acme", "export /tmp/x", "settings approval.grace = 0s", "new approver x@y.z"]
)
def test_what_never_goes_by_mail_is_refused_with_the_reason(desk: Desk, words: str) -> None:
    before = (desk.house.home / "deskhand.toml").read_bytes()
    notice = desk.told(f"deskhand {words}")
    assert notice.subject.startswith("Not by mail")
    assert "mailbox can be broken into" in notice.text
    assert (desk.house.home / "deskhand.toml").read_bytes() == before


def test_an_invoice_that_is_not_known_is_said(desk: Desk) -> None:
    notice = desk.ordered("deskhand paid 2026-014")
    assert notice.subject.startswith("Not noted as paid")
    assert "nothing was changed" in notice.text


def test_why_tells_the_story_of_a_case(desk: Desk) -> None:
    approval = desk.ask(2, Address(name="Wanda Why", email="wanda@why.example"))
    number = case_of(approval)
    notice = desk.told(f"deskhand why {number}")
    assert "Wanda Why" in notice.text
    assert notice.header("x-deskhand-case") == str(number)
    assert desk.told("deskhand", "why 9999").subject.startswith("There is no case 9999")
    before = {one.message_id for one in desk.notices()}
    desk.house.owner_answers(approval, f"why {number}")
    assert "Wanda Why" in desk.next_notice(before).text
    assert desk.stage(number) == "waiting"
    desk.house.owner_answers(approval, "no")


# ---------------------------------------------------------------- stop all, resume


def test_stop_all_beats_an_approved_mail_in_its_grace_and_holds_across_restarts(desk: Desk) -> None:
    approval = desk.ask(3, Address(name="Stella Stop", email="stella@stop.example"))
    number = case_of(approval)
    desk.house.owner_answers(approval, "ok")
    until(lambda: desk.stage(number) in {"approved", "sending"}, 30, "the yes to be taken")
    before = {one.message_id for one in desk.notices()}
    desk.house.owner_answers(approval, "stop all")
    assert desk.next_notice(before).subject.startswith("Stopped")
    until(lambda: _held(desk, number), 30, "the send to be held")
    assert not _sent_to(desk, "stella@stop.example")
    desk.house.kill()
    desk.house.start()
    desk.handled()
    assert not _sent_to(desk, "stella@stop.example")
    assert "STOPPED" in desk.told("deskhand status").subject
    assert desk.ordered("deskhand resume").subject.startswith("Resumed")
    until(lambda: _sent_to(desk, "stella@stop.example"), 60, "the held mail to leave")
    assert len(_sent_to(desk, "stella@stop.example")) == 1


def test_a_stop_to_an_approval_mail_drops_that_draft_alone(desk: Desk) -> None:
    approval = desk.ask(4, Address(name="Drop Draft", email="drop@draft.example"))
    desk.house.owner_answers(approval, "stop")
    until(lambda: desk.stage(case_of(approval)) == "closed", 30, "the case to close")
    assert _meta(desk, "stopped") == ""


def test_an_older_resume_does_not_lift_a_newer_stop(desk: Desk) -> None:
    assert desk.command("stop").returncode == 0
    notice = desk.ordered("deskhand resume", date=datetime.now(UTC) - timedelta(hours=1))
    assert notice.subject == "Not resumed [Deskhand]"
    assert _meta(desk, "stopped")
    assert desk.ordered("deskhand resume").subject.startswith("Resumed")
    assert _meta(desk, "stopped") == ""


# ---------------------------------------------------------------- what never counts


def test_a_replayed_order_does_nothing(desk: Desk) -> None:
    before = {one.message_id for one in desk.notices()}
    raw = desk.order("deskhand stop all")
    desk.next_notice(before)
    assert desk.command("resume").returncode == 0
    count = len(desk.notices())
    for _ in range(3):
        desk.house.user.deliver(raw, "Sent", "\\Seen")
    desk.handled()
    assert _meta(desk, "stopped") == ""
    assert len(desk.notices()) == count


@pytest.mark.parametrize(
    ("name", "fields"),
    [
        ("forged from the owner", {}),
        ("from a stranger", {"sender": SHOP}),
        ("with a trace of delivery", {"headers": (("Received", "from evil.example by mx.example; now"),)}),
    ],
)
def test_an_order_in_the_inbox_does_nothing(desk: Desk, name: str, fields: dict[str, object]) -> None:
    count = len(desk.notices())
    desk.order("deskhand stop all", folder="INBOX", **fields)
    desk.handled()
    assert _meta(desk, "stopped") == "", name
    assert len(desk.notices()) == count


@pytest.mark.parametrize(
    ("fields", "reason"),
    [
        ({"date": datetime.now(UTC) - timedelta(hours=25)}, "24 hours"),
        ({"date": datetime.now(UTC) + timedelta(days=2)}, "future"),
        ({"headers": (("Received", "from evil.example by mx.example; now"),)}, "Received"),
        ({"headers": (("Delivered-To", "x@y.example"),)}, "Delivered-To"),
    ],
)
def test_an_order_without_proof_is_refused_with_the_reason(desk: Desk, fields: dict[str, object], reason: str) -> None:
    notice = desk.told("deskhand stop all", **fields)
    assert notice.subject.startswith("An order was not carried out")
    assert reason in notice.text
    assert _meta(desk, "stopped") == ""


def test_an_order_that_others_get_too_is_none(desk: Desk) -> None:
    count = len(desk.notices())
    desk.order("deskhand stop all", cc=(SHOP,))
    desk.handled()
    assert _meta(desk, "stopped") == ""
    assert len(desk.notices()) == count


def test_an_unproven_stop_all_that_carries_the_nonce_stops_and_never_sends(desk: Desk) -> None:
    approval = desk.ask(12, Address(name="Nina Nonce", email="nina@nonce.example"))
    without = replace(approval, text="answer above this line, and no nonce")
    desk.house.owner_answers(without, "stop all", copies=("INBOX",))
    desk.handled()
    assert _meta(desk, "stopped") == ""
    before = {one.message_id for one in desk.notices()}
    desk.house.owner_answers(approval, "stop all", copies=("INBOX",))
    stopped = desk.next_notice(before)
    assert stopped.subject.startswith("Stopped")
    assert approval.subject in stopped.text
    assert _meta(desk, "stopped")
    count = len(desk.notices())
    desk.house.owner_answers(approval, "resume", copies=("INBOX",))
    desk.handled()
    assert _meta(desk, "stopped")
    assert len(desk.notices()) == count
    assert desk.ordered("deskhand resume").subject.startswith("Resumed")
    desk.house.owner_answers(approval, "no")


def test_an_order_in_the_inbox_takes_no_yes_back(desk: Desk) -> None:
    approval = desk.ask(13, Address(name="Ines Inbox", email="ines@inbox.example"))
    desk.house.owner_answers(approval, "ok")
    until(lambda: desk.stage(case_of(approval)) in {"approved", "sending"}, 30, "the yes to be taken")
    desk.house.owner_answers(approval, "status", copies=("INBOX",))
    until(lambda: _sent_to(desk, "ines@inbox.example"), 60, "the approved mail to leave")


# ---------------------------------------------------------------- pause


def test_a_pause_holds_only_that_client(desk: Desk) -> None:
    acme, beta = desk.ask(5, ACME), desk.ask(6, BETA)
    notice = desk.ordered("deskhand pause Acme")
    assert "Anna Acker paused" in notice.text
    desk.house.owner_answers(acme, "ok")
    desk.house.owner_answers(beta, "ok")
    until(lambda: _sent_to(desk, BETA.email), 60, "Bert's mail to leave")
    until(lambda: _held(desk, case_of(acme)), 30, "Anna's mail to be held")
    known = {one.message_id for one in desk.house.approvals()}
    desk.house.client_writes(7, sender=ACME)
    desk.handled()
    assert {one.message_id for one in desk.house.approvals()} == known
    status = desk.told("deskhand status").text
    assert "Anna Acker: 1 mail since" in status
    assert not _sent_to(desk, ACME.email)
    resumed = desk.ordered("deskhand", "resume acme.example")
    assert "1 of their mails is taken up now" in resumed.text
    approval = desk.new_approval(known)
    assert "anna@acme.example" in approval.text
    assert "number 7" in approval.text
    desk.house.owner_answers(approval, "no")


def test_what_was_approved_before_a_newer_mail_is_not_sent_after_a_pause(desk: Desk) -> None:
    sender = Address(name="Petra Pause", email="petra@pause.example")
    approval = desk.ask(11, sender)
    number = case_of(approval)
    with desk.house.ledger() as ledger:
        question = ledger.email(ledger.case(number).event)
    assert question is not None
    assert desk.ordered("deskhand pause petra@pause.example").subject.startswith("Paused")
    desk.house.owner_answers(approval, "ok")
    until(lambda: _held(desk, number), 30, "Petra's mail to be held")
    known = {one.message_id for one in desk.house.approvals()}
    newer = mime.compose(
        sender=sender, to=(desk.house.owner,), subject=f"Re: {question.subject}",
        body="Hi Ada,\n\nplease forget Thursday, Friday is the only day that works now.\n\nPetra\n",
        message_id=f"<newer-{time.monotonic_ns()}@pause.example>", date=datetime.now(UTC),
        in_reply_to=question.message_id, references=(question.message_id,),
    )  # fmt: skip
    desk.house.user.deliver(newer)
    desk.handled()
    assert "1 of their mails is taken up now" in desk.ordered("deskhand resume Petra Pause").text
    again = desk.new_approval(known)
    assert case_of(again) == number
    assert "Friday is the only day" in again.text
    assert not _sent_to(desk, sender.email)
    desk.house.owner_answers(again, "no")
    until(lambda: desk.stage(number) == "closed", 30, "the case to close")
    assert not _sent_to(desk, sender.email)


def test_a_pause_that_could_mean_several_changes_nothing(desk: Desk) -> None:
    first, second = (
        desk.ask(8, Address(name="Max Muster", email="max@one.example")),
        desk.ask(9, Address(name="Max Meier", email="max@two.example")),
    )
    notice = desk.ordered("deskhand pause Max")
    assert notice.subject.startswith("Not paused")
    assert "max@one.example" in notice.text
    assert "max@two.example" in notice.text
    assert desk.ordered("deskhand pause nobody-at-all").subject.startswith("Not paused")
    assert desk.ordered("deskhand resume Max").subject.startswith("Not resumed")
    for approval in (first, second):
        desk.house.owner_answers(approval, "no")


# ---------------------------------------------------------------- ignored, rescue


def test_what_was_skipped_is_told_and_rescued_once(desk: Desk) -> None:
    raw = mime.compose(
        sender=Address(name="Nora News", email="nora@letters.example"), to=(desk.house.owner,),
        subject="Our letter 77", body="Dear Ada,\n\ncould you write a piece for us by Friday?\n\nNora\n",
        message_id=f"<letter-{time.monotonic_ns()}@letters.example>", date=datetime.now(UTC),
        headers=(("List-Unsubscribe", "<https://letters.example/u>"), ("Precedence", "bulk")),
    )  # fmt: skip
    desk.house.user.deliver(raw)
    desk.handled()
    account = desk.told("deskhand ignored").text
    line = next(line for line in account.splitlines() if "Our letter 77" in line)
    number = int(line.split()[0])
    assert "nora@letters.example" in line
    listed = [json.loads(one) for one in desk.command("ignored", "--json").stdout.splitlines()]
    assert next(one for one in listed if one["number"] == number)["subject"] == "Our letter 77"
    known = {one.message_id for one in desk.house.approvals()}
    rescued = desk.ordered("deskhand", f"rescue {number}")
    assert rescued.subject.startswith("Rescued")
    approval = desk.new_approval(known)
    assert "nora@letters.example" in approval.text
    with desk.house.ledger() as ledger:
        client = client_at(ledger, "nora@letters.example")
    assert client is not None
    assert client.written_to
    again = desk.ordered(f"deskhand rescue {number}")
    assert again.subject.startswith("Not rescued")
    assert f"case {case_of(approval)}" in again.text
    assert desk.ordered("deskhand rescue 99999").subject.startswith("Not rescued")
    desk.house.owner_answers(approval, "ok")
    until(lambda: _sent_to(desk, "nora@letters.example"), 60, "the rescued mail's answer")


# ---------------------------------------------------------------- away, back


def test_away_and_back(desk: Desk) -> None:
    notice = desk.ordered("deskhand away until 2d")
    assert notice.subject.startswith("Away")
    with desk.house.ledger() as ledger:
        moment = ledger.away_until()
    assert moment is not None
    assert moment > datetime.now(UTC)
    assert "You are away until" in desk.told("deskhand status").text
    assert desk.ordered("deskhand", "back").subject.startswith("Back")
    with desk.house.ledger() as ledger:
        assert ledger.away_until() is None
    assert desk.told("deskhand away until whenever").subject.startswith("I did not understand")


# ---------------------------------------------------------------- the same at the machine


def test_the_commands_at_the_machine_do_the_same(desk: Desk) -> None:
    approval = desk.ask(10, Address(name="Mia Machine", email="mia@machine.example"))
    assert desk.command("pause", "mia@machine.example").returncode == 0
    assert "Mia Machine" in desk.command("status").stdout
    wrong = desk.command("pause", "nobody-at-all")
    assert (wrong.returncode, wrong.stdout) == (1, "")
    assert "no client" in wrong.stderr
    assert desk.command("resume", "Mia", "Machine").returncode == 0
    assert desk.command("away", "until-whenever").returncode == 2
    assert desk.command("away", "14", "Aug").returncode == 0
    assert "You are away" in desk.command("status").stdout
    assert desk.command("back").returncode == 0
    refused = desk.command("rescue", "99999", "--json")
    assert refused.returncode == 1
    assert json.loads(refused.stdout)["ok"] is False
    desk.house.owner_answers(approval, "no")


def _sent_to(desk: Desk, address: str) -> list[bytes]:
    return [mail.content for mail in desk.house.sent_to_clients() if address in mail.recipients]


def _held(desk: Desk, case: int) -> bool:
    with desk.house.ledger() as ledger:
        state = ledger.case(case)
    return state.stage == "sending" and state.held_until is not None


def _meta(desk: Desk, key: str) -> str:
    with desk.house.ledger() as ledger:
        return ledger.get_meta(key) or ""
