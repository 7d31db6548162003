"""The owner's word on a mail that may or may not have left, on a whole running Deskhand and a failing SMTP server."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.house.running import ROOT, House, until
from tests.servers.smtp import ACCEPT_THEN_DROP, DROP_BEFORE_ACCEPT
from tools.mail import mime


def command(house: House, *words: str) -> tuple[int, str, dict]:
    """`./deskhand ... --json` beside the service: its exit code, its words on stderr, its event."""
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "--home", str(house.home), "--json", *words],
        env={**os.environ, "PYTHONPATH": str(ROOT)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.returncode, done.stderr, json.loads(done.stdout.splitlines()[-1]) if done.stdout.strip() else {}


def outcome(house: House) -> str:
    with house.ledger() as ledger:
        return ledger.case_rows()[0].outcome


@pytest.fixture
def house(tmp_path: Path, mailbox, smtp_server):
    made = House(tmp_path / "home", mailbox, smtp_server)
    yield made
    made.close()


def uncertain(house: House, fault) -> None:
    """One approved reply whose hand-over ends without an answer."""
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.smtp.play(fault)
    house.owner_answers(asked, "ok")
    until(lambda: outcome(house) == "uncertain", 90, "the case to be uncertain")


def test_what_did_not_arrive_goes_once_more_as_the_very_same_mail(house):
    uncertain(house, DROP_BEFORE_ACCEPT)
    assert house.sent_to_clients() == []
    code, _, event = command(house, "settle", "1.1", "resend")
    assert (code, event["ok"]) == (0, True)
    (sent,) = house.wait_sent(1)
    tried = [one.content for one in house.smtp.transactions if one.content and house.owner.email not in one.recipients]
    assert tried == [sent.content] * len(tried)
    until(lambda: outcome(house) == "sent", 90, "the case to be sent")
    code, said, _ = command(house, "settle", "1.1", "resend")
    assert code == 2
    assert "1.1 is sent, so there is nothing to settle" in said
    assert len(house.sent_to_clients()) == 1


def test_what_arrived_counts_as_sent_and_never_goes_again(house):
    uncertain(house, ACCEPT_THEN_DROP)
    (notice,) = until(
        lambda: [one for one in map(_parsed, house.user.messages()) if "is uncertain" in one.subject], 30, "the notice"
    )
    assert "./deskhand settle 1.1 arrived" in notice.text
    code, said, _ = command(house, "settle", "1", "perhaps")
    assert code == 2
    assert "arrived" in said
    assert command(house, "settle", "1", "arrived")[0] == 0
    assert outcome(house) == "sent"
    assert len(house.sent_to_clients()) == 1
    assert command(house, "settle", "7", "arrived")[0] == 2


def _parsed(stored):
    return mime.parse(stored.content)
