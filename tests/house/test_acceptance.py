"""What a user meets from outside: faults at the first start, answers that come too late, what `status` lists."""

import json
import signal
import socket
import subprocess
import sys
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
import tomlkit

from tests.house.running import ROOT, House, until
from tests.patience import PATIENCE
from tests.rules.test_approval_mail import QUESTION
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Email
from workflows.rules.asking.approval import render


def command(house: House, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-P", "-m", "workers", "--home", str(house.home), *arguments],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home())},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )


def closed_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@pytest.mark.parametrize(
    ("section", "key", "value", "said", "not_said"),
    [
        ("smtp", "port", closed_port, "Check smtp.host", "tried again"),
        ("imap", "port", closed_port, "Check imap.host", "tried again"),
        ("imap", "password", "wrong", "refused the password", "b'"),
        ("temporal", "address", lambda: f"127.0.0.1:{closed_port()}", "Connection refused", "tonic"),
    ],
)
def test_a_fault_at_the_first_start_is_one_sentence_with_its_mend(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, section: str, key: str, value: Any, said: str,
    not_said: str,
):  # fmt: skip
    house = House(tmp_path / "home", mailbox, smtp_server)
    settings = tomlkit.parse((house.home / "deskhand.toml").read_text())
    settings.setdefault(section, {})[key] = value() if callable(value) else value
    (house.home / "deskhand.toml").write_text(tomlkit.dumps(settings))
    ended = command(house, "up")
    assert ended.returncode == 2, ended.stderr
    assert said in ended.stderr
    assert not_said not in ended.stderr
    assert "Traceback" not in ended.stderr


def test_a_yes_to_an_older_version_is_told_of_with_its_case(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
):
    house = House(tmp_path / "home", mailbox, smtp_server)
    with house.running():
        question = mime.parse(house.client_writes(1))
        (first,) = house.wait_approvals(1)
        again = mime.compose(
            sender=question.sender, to=(house.owner,), subject=f"Re: {question.subject}", body="Make it Friday.\n",
            message_id="<again@studio.example>", date=question.date, in_reply_to=question.message_id,
            references=(question.message_id,),
        )  # fmt: skip
        house.user.deliver(again)
        house.wait_approvals(2)
        house.owner_answers(first, "ok")
        told = until(lambda: _told(house, "That was version 1"), 30, "word that it was the old version")
        assert told[0].header("x-deskhand-case").partition(".")[0] == "1"
        assert "Refused" not in told[0].text
        assert not house.sent_to_clients()
        status = json.loads(command(house, "status", "--json").stdout)
        assert status["ignored"]["by_rule"] == {"own-mail": status["ignored"]["total"]}
        assert status["ignored"]["last"] == []
        assert "the last" not in command(house, "status").stdout


def _told(house: House, words: str) -> list[Email]:
    """The Deskhand mails in INBOX that say so."""
    mails = [mime.parse(stored.content) for stored in house.user.messages()]
    return [mail for mail in mails if mail.sender.name == "Deskhand" and words in mail.text]


def test_the_newest_mail_is_shown_when_there_is_too_much_to_show():
    long, newest = "a first brief, at length\n" * 200, "No, Friday instead of Thursday!"
    brief = replace(QUESTION.brief, message=f"{long}\n{newest}", newest=newest)
    text = render(replace(QUESTION, brief=brief)).text
    assert f"> {newest}\n> {len(long) + 1:,} more characters\n" in text


@pytest.mark.parametrize("how", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupted_demo_leaves_nothing_behind(tmp_path: Path, how: signal.Signals):
    demo = subprocess.Popen(
        [sys.executable, "-P", "-m", "workers", "demo", "--answer", "ok", "--json"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": str(tmp_path)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        until(lambda: list(tmp_path.glob("deskhand-demo-*/ledger.sqlite")), 30, "the demo's home")
        demo.send_signal(how)
        _, said = demo.communicate(timeout=PATIENCE)
    finally:
        demo.kill()
        demo.wait(PATIENCE)
    assert demo.returncode == 130, said
    assert "Traceback" not in said
    assert not list(tmp_path.glob("deskhand-demo-*"))


def test_a_demo_that_is_only_asked_why_shows_the_trace_and_ends_well(tmp_path: Path):
    demo = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "demo", "--answer", "why", "--json"],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": str(Path.home()), "TMPDIR": str(tmp_path)},
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
    )
    events = [json.loads(line) for line in demo.stdout.splitlines()]
    assert demo.returncode == 0, demo.stderr
    assert "your answer by mail: why" in next(one["text"] for one in events if one["event"] == "told")
    assert (events[-1]["ok"], events[-1]["outcome"], events[-1]["received"]) == (True, "waiting", 0)
    assert "client_received" not in [one["event"] for one in events]
