"""`check` learns what the server adds to sent mail; `check --rehearse` shows what becomes of each device's answers."""

import json
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workers.__main__ import main
from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.rules.answers.sent_headers import learn, learn_from_answer

OWNER = Owner(name="Ada Winter", address="ada@winter.example")
ADA, MARIA = Address(email="ada@winter.example"), Address(email="maria@studio.example")
SUBMITTED = ("received", "from [10.0.0.7] by mail.winter.example (Postfix) with ESMTPSA id 4F; Mon, 23 Nov 2026")
DELIVERED = ("received", "from mx.evil.example by mail.winter.example (Postfix) with ESMTPS id 4F; Mon, 23 Nov 2026")
SENT = Email(identity="i", blob="b", senders=(ADA,), to=(MARIA,), headers=(("from", "ada@winter.example"),))


def sent(*headers: tuple[str, str], **changes: Any) -> Email:
    return replace(SENT, headers=(*SENT.headers, *headers), **changes)


# ---------------------------------------------------------------- the rule


def test_an_authenticated_submission_is_learnt_when_every_sample_has_it() -> None:
    learnt = learn([sent(SUBMITTED)] * 3, OWNER)
    assert learnt.headers == ("received: by mail.winter.example (postfix) with esmtpsa",)
    assert not learnt.strange
    assert learn([sent(SUBMITTED)] * 2, OWNER).headers == ()
    mixed = learn([sent(SUBMITTED), sent(SUBMITTED), sent(SUBMITTED), sent()], OWNER)
    assert mixed.headers == ()
    assert mixed.strange == ("received",)


@pytest.mark.parametrize(
    "poison",
    [
        sent(DELIVERED),
        sent(SUBMITTED, DELIVERED),
        sent(("delivered-to", "ada@winter.example")),
        sent(("return-path", "<eve@bad.example>")),
        sent(SUBMITTED, to=(MARIA, ADA)),
        sent(SUBMITTED, senders=(ADA, MARIA)),
        sent(SUBMITTED, senders=(MARIA,)),
        sent(SUBMITTED, ("x-deskhand-case", "41.1")),
        sent(SUBMITTED, ("auto-submitted", "auto-replied")),
        sent(SUBMITTED, to=()),
    ],
)
def test_what_may_have_been_delivered_teaches_nothing(poison: Email) -> None:
    assert learn([poison] * 10, OWNER).headers == ()


def test_a_rehearsal_answer_teaches_its_submission_alone() -> None:
    answer = sent(SUBMITTED, ("x-spam-status", "No"), to=(ADA,))
    assert learn_from_answer(answer, None) == ("received: by mail.winter.example (postfix) with esmtpsa",)
    arrived = sent(DELIVERED, to=(ADA,))
    assert learn_from_answer(answer, arrived)
    assert learn_from_answer(answer, sent(SUBMITTED, DELIVERED, to=(ADA,))) == ()  # filed by a rule from the inbox
    assert learn_from_answer(sent(DELIVERED, to=(ADA,)), None) == ()


# ---------------------------------------------------------------- the commands


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def run(house: House, *arguments: str, capsys: Any) -> tuple[int, list[dict[str, Any]]]:
    code = main([*arguments, "--json", "--home", str(house.home)])
    return code, [json.loads(line) for line in capsys.readouterr().out.splitlines()]


def play(house: House, act: Callable[[Email], None]) -> threading.Thread:
    """The owner: waits for the test mail in INBOX and answers it."""

    def wait_and_act() -> None:
        act(until(lambda: the_test(house), 40, "the test mail"))

    thread = threading.Thread(target=wait_and_act)
    thread.start()
    return thread


def the_test(house: House, folder: str = "INBOX") -> Email | None:
    mails = [mime.parse(stored.content) for stored in house.user.messages(folder)]
    return next((one for one in mails if one.header("x-deskhand-case") == "test"), None)


def with_header(raw: bytes, line: str) -> bytes:
    return line.encode() + b"\r\n" + raw


def test_check_learns_and_says_which_proof_there_is(house: House, capsys: Any) -> None:
    for number in range(4):
        raw = mime.compose(
            sender=house.owner, to=(MARIA,), subject=f"Hello {number}", body="Hi\n",
            message_id=f"<own-{number}@mail.example>", date=datetime.now(UTC),
        )  # fmt: skip
        house.user.deliver(with_header(raw, f"{SUBMITTED[0].title()}: {SUBMITTED[1]}"), "Sent", "\\Seen")
    _, probes = run(house, "check", capsys=capsys)
    proof = next(one for one in probes if one["name"] == "proof")
    assert proof["ok"], proof
    assert "Sent" in proof["detail"]
    assert "received: by mail.winter.example (postfix) with esmtpsa" in proof["detail"]
    with house.ledger() as ledger:
        assert json.loads(ledger.get_meta("sent_headers") or "") == [
            "received: by mail.winter.example (postfix) with esmtpsa"
        ]
    house.user.deliver(with_header(raw.replace(b"own-3", b"own-9"), "Received: x"), "Sent", "\\Seen")
    _, probes = run(house, "check", capsys=capsys)
    proof = next(one for one in probes if one["name"] == "proof")
    assert not proof["ok"]
    assert not proof["required"]
    assert "received" in proof["problem"]


def test_a_rehearsal_names_every_copy_and_its_verdict(house: House, capsys: Any) -> None:
    def act(test: Email) -> None:
        house.owner_answers(test, "ok")
        house.owner_answers(test, "no, too cheap")

    player = play(house, act)
    code, events = run(house, "check", "--rehearse", "--seconds", "12", capsys=capsys)
    player.join()
    assert code == 0, events
    assert [one["event"] for one in events][:2] == ["rehearsal_sent", "rehearsal_arrived"]
    copies = [one for one in events if one["event"] == "copy"]
    assert {(one["folder"], one["verdict"], one["proven"]) for one in copies} == {
        ("Sent", "approve", True), ("INBOX", "approve", False), ("Sent", "reject", True), ("INBOX", "reject", False),
    }  # fmt: skip
    last = events[-1]
    assert (last["event"], last["ok"], last["answers"], last["proven"]) == ("rehearsal", True, 2, 2)
    assert not house.sent_to_clients()


def test_a_device_that_keeps_its_sent_mail_to_itself_is_named(house: House, capsys: Any) -> None:
    player = play(house, lambda test: house.owner_answers(test, "ok", copies=("INBOX",)))
    code, events = run(house, "check", "--rehearse", "--seconds", "6", capsys=capsys)
    player.join()
    assert code == 1
    assert events[-1]["proven"] == 0
    assert "no copy in your Sent folder" in events[-1]["result"]
    assert "./deskhand approve" in events[-1]["result"]


def test_a_rehearsal_teaches_the_submission_line(house: House, capsys: Any) -> None:
    def act(test: Email) -> None:
        raw = house.owner_answers(test, "ok", copies=("INBOX",))
        house.user.deliver(with_header(raw, f"{SUBMITTED[0].title()}: {SUBMITTED[1]}"), "Sent", "\\Seen")

    player = play(house, act)
    code, events = run(house, "check", "--rehearse", "--seconds", "6", capsys=capsys)
    player.join()
    first = next(one for one in events if one["event"] == "copy" and one["folder"] == "Sent")
    assert "Received" in first["reason"]
    assert code == 0
    assert events[-1]["learned"] == ["received: by mail.winter.example (postfix) with esmtpsa"]


def test_a_copy_filed_by_a_rule_is_no_proof(house: House, capsys: Any) -> None:
    def act(test: Email) -> None:
        raw = house.owner_answers(test, "ok", copies=())
        house.user.deliver(with_header(raw, f"Delivered-To: {house.owner.email}"), "Sent", "\\Seen")

    player = play(house, act)
    code, events = run(house, "check", "--rehearse", "--seconds", "6", capsys=capsys)
    player.join()
    assert code == 1
    assert events[-1]["learned"] == []
    assert "Delivered-To" in events[-1]["result"]


def test_no_answer_is_said_plainly(house: House, capsys: Any) -> None:
    code, events = run(house, "check", "--rehearse", "--seconds", "2", capsys=capsys)
    assert code == 1
    assert events[-1]["answers"] == 0
    assert "No answer" in events[-1]["result"]


def test_a_rehearsal_beside_the_running_service_starts_no_case(house: House, capsys: Any) -> None:
    house.start()
    player = play(house, lambda test: house.owner_answers(test, "ok"))
    code, events = run(house, "check", "--rehearse", "--seconds", "8", capsys=capsys)
    player.join()
    assert code == 0, events
    with house.ledger() as ledger:
        assert ledger.open_cases() == ()
        assert ledger.answers(0) == ()
    assert not house.sent_to_clients()
    # It still does its work.
    house.client_writes(1)
    house.wait_approvals(1)
    assert house.stop() == 0


def test_a_rehearsal_by_append_sends_nothing(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, capsys: Any
):
    house = House(tmp_path / "home", mailbox, smtp_server, approval={"via": "append"})
    code, events = run(house, "check", "--rehearse", "--seconds", "2", capsys=capsys)
    assert code == 1
    assert events[0]["via"] == "append"
    assert smtp_server.transactions == []
    assert the_test(house)
