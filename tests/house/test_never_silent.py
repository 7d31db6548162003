"""Never silent: whatever the owner answers ends in its effect or in a mail that says why not and what to do.

Every place where an answer of the owner's can end without an effect has a case here; `WAYS` names them.
"""

import asyncio
import time
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.house.running import House, case_of, until
from tests.house.test_unproven import look_again
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from tools.mail.desk import MOST_ANSWERS_A_DAY
from workflows.models.mail import Address, Email

BOB = Address(name="Bob", email="bob@books.example")
WAYS = {
    "unclear": "the approval mail again: workflows/case.py",
    "unclear-digest": "the digest again: workers/desk/answering.py (tests/house/test_digest.py)",
    "unproven": "workers/desk/answering.py, a copy in Sent that bears a trace of delivery",
    "refused": "workers/desk/answering.py, the case is closed",
    "to-others": "rules/routing.py, it also went to somebody else",
    "not-yours": "rules/routing.py, from an address that is not the owner's",
    "forward": "rules/routing.py, forwarded to oneself instead of answered",
    "notice": "rules/answers/orders.py, words to a notice that are no order",
    "notice-in-inbox": "workers/desk/hints.py, an answer to a notice without its copy in Sent",
    "hint": "workers/desk/hints.py, an answer without its copy in Sent (tests/house/test_unproven.py)",
    "late": "workflows/case.py, it reached the case as it ended (tests/workflows/test_case.py)",
    "held": "workflows/case.py, a doubt before the send (tests/house/test_held_word.py)",
}


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server, approval={"grace": "6s"})
    yield built
    built.close()


def answer(house: House, asked: Email, text: str, **fields: object) -> bytes:
    """An answer with something about it changed, as it lies in Sent."""
    quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
    values = {
        "sender": house.owner, "to": (house.owner,), "subject": f"Re: {asked.subject}", "body": f"{text}\n\n{quoted}\n",
        "message_id": f"<a-{time.monotonic_ns()}@mail.example>", "date": datetime.now(UTC),
        "in_reply_to": asked.message_id, "references": (*asked.references, asked.message_id),
    } | fields  # fmt: skip
    raw = mime.compose(**values)  # type: ignore[arg-type]
    house.user.deliver(raw, "Sent", "\\Seen")
    return raw


def next_notice(house: House, count: int) -> Email:
    return until(lambda: found if len(found := house.notices()) > count else [], 60, "a notice")[-1]


def wait_a_moment(asked: Email) -> None:
    """Words that are no plain yes count only once they cannot be an automatic reply."""
    until(lambda: asked.date and (datetime.now(UTC) - asked.date).total_seconds() > 7, what="the clock")


def test_every_unclear_answer_shows_the_draft_again_and_ok_to_the_last_one_sends(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    wait_a_moment(asked)
    for number, words in enumerate(("ok?", "ok, but only if Bob agrees", "hm ok maybe"), start=1):
        house.owner_answers(asked, words)
        asked = house.wait_approvals(1 + number)[-1]
        assert "Again: " in asked.text
        assert "draft 1.1 begins" in asked.text
        assert asked.header("x-deskhand-case") == "1.1"
        wait_a_moment(asked)
    assert "./deskhand approve 1.1" in " ".join(asked.text.split())
    assert house.sent_to_clients() == []
    house.owner_answers(asked, "ok")
    house.wait_sent(1)
    assert house.notices() == []


def test_an_unclear_answer_that_takes_a_yes_back_says_so(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    wait_a_moment(asked)
    house.owner_answers(asked, "ok")
    house.owner_answers(asked, "ok?")
    shown = house.wait_approvals(2)[-1]
    assert "is taken back until you answer this" in shown.text
    assert house.sent_to_clients() == []
    house.owner_answers(shown, "ok")
    house.wait_sent(1)


def test_each_way_an_answer_can_fail_is_told_with_the_mend(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    assert case_of(asked) == 1
    ways: dict[str, tuple[dict[str, object], str, str]] = {
        "unproven": ({"headers": (("Received", "from evil by mx; now"),)}, "Received", "./deskhand case 1"),
        "to-others": ({"cc": (BOB,)}, "bob@books.example", "to yourself alone"),
        "not-yours": ({"sender": BOB}, "bob@books.example", "owner.aliases"),
        "forward": ({"subject": f"Fwd: {asked.subject}"}, "forward", "Reply to the mail instead"),
    }
    assert set(ways) <= set(WAYS)
    for way, (fields, reason, mend) in ways.items():
        count = len(house.notices())
        answer(house, asked, "ok", **fields)
        until(lambda: _seen(house) == 0, what="the answer to be read")
        if way != "unproven":
            asyncio.run(look_again(house, 0))  # what the service does once a minute
        notice = " ".join(next_notice(house, count).text.split())
        assert reason in notice, way
        assert mend in notice, way
    assert house.sent_to_clients() == []
    asked = house.wait_approvals(2)[-1]  # Bob knows the first: it was shown anew
    house.owner_answers(asked, "no")
    with house.ledger() as ledger:
        until(lambda: ledger.case(1).outcome == "rejected", what="the no")
    count = len(house.notices())
    house.owner_answers(asked, "ok")
    refused = next_notice(house, count)
    assert "closed" in refused.text
    house.owner_answers(refused, "ok")
    assert "./deskhand case 1" in " ".join(next_notice(house, count + 1).text.split())
    raw = answer(house, refused, "stop all")
    assert mime.parse(raw).subject
    assert "Stopped" in next_notice(house, count + 2).subject


def test_an_answer_to_a_notice_that_lies_in_the_inbox_alone_is_told_once(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    house.owner_answers(asked, "no")
    with house.ledger() as ledger:
        until(lambda: ledger.case(1).outcome == "rejected", what="the no")
    house.owner_answers(asked, "ok")
    refused = next_notice(house, 0)
    house.owner_answers(refused, "resume", copies=("INBOX",))
    until(lambda: _seen(house) == 0, what="the answer to be read")
    for _ in range(2):
        asyncio.run(look_again(house, 11))
    found = [one for one in house.notices() if "only its copy in your Sent folder counts" in " ".join(one.text.split())]
    assert len(found) == 1


def test_two_machines_do_not_write_for_ever_and_the_last_mail_says_so(house: House) -> None:
    house.start()
    house.client_writes(1)
    (asked,) = house.wait_approvals(1)
    for number in range(MOST_ANSWERS_A_DAY + 3):
        answer(house, asked, "ok", headers=(("X-Loop", str(number)),))
    until(lambda: len(house.notices()) >= MOST_ANSWERS_A_DAY, 90, "the answers")
    until(lambda: _seen(house) == 0, what="everything to be read")
    told = house.notices()
    assert len(told) == MOST_ANSWERS_A_DAY
    assert sum("last mail of this kind today" in one.text for one in told) == 1
    assert sum("What helps" in one.text for one in told) == MOST_ANSWERS_A_DAY - 2
    house.owner_answers(asked, "ok")
    house.wait_sent(1)


def _seen(house: House) -> int:
    """How many mails are read and not yet taken up; -1 while one in the mailbox was not read."""
    with house.ledger() as ledger:
        mails = [*house.user.messages(), *house.user.messages("Sent")]
        unread = [one for one in mails if ledger.email(mime.parse(one.content).identity) is None]
        return -1 if unread else len(ledger.undelivered())
