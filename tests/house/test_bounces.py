"""Mails that came back: read from the reports real servers write, tied to their case, told once in plain words."""

import re
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from memory.record.schema import notes, outbox, reading, to_json, transaction, versions
from tests.house.running import House as Running
from tests.house.running import until
from tests.ledgers import OWNER, House, mail
from tools.mail import mime
from workers.service.aftercare import Aftercare, told
from workflows.models.drafts import Draft, Outgoing
from workflows.models.mail import Address, Email
from workflows.rules.mail.bounces import read
from workflows.rules.routing import route

FOLDER = Path(__file__).parents[1] / "mail" / "bounces"
ID, MARIA = "<7f3a0c@winter.example>", "maria@studio.example"

EXPECTED = {  # file -> kind, reason, named by its Message-ID, status
    "postfix-unknown-user": ("failed", "does not exist", True, "5.1.1"),
    "postfix-delayed": ("delayed", "could not be reached", True, "4.4.1"),
    "postfix-mailbox-full": ("failed", "mailbox is full", True, "4.2.2"),
    "gmail-address-not-found": ("failed", "does not exist", True, "5.1.1"),
    "gmail-delay": ("delayed", "could not be reached", True, "4.4.1"),
    "exchange-ndr": ("failed", "does not exist", True, "5.1.10"),
    "office365-blocked": ("failed", "refused it", True, "5.7.509"),
    "exchange-size": ("failed", "too large", True, "5.2.3"),
    "sendmail-host-unknown": ("failed", "after the @", True, "5.1.2"),
    "forwarded-final-recipient": ("failed", "closed", True, "5.2.1"),
    "two-recipients-one-failed": ("failed", "could not be reached", True, "5.4.7"),
    "rewritten-id": ("failed", "does not exist", False, "5.1.1"),
    "exim-unrouteable": ("failed", "does not exist", True, ""),
    "exim-warning-delayed": ("delayed", "could not be reached", False, ""),
    "qmail-no-mailbox": ("failed", "does not exist", True, "5.1.1"),
    "german-provider": ("failed", "mailbox is full", True, ""),
    "provider-no-id": ("failed", "refused it", False, "5.7.1"),
    "gmail-send-as-misconfigured": ("failed", "never left", True, ""),
    "opensmtpd-multipart-mixed": ("failed", "after the @", True, "5.1.2"),
    "mailer-daemon-without-address": ("failed", "after the @", True, ""),
    "boundary-line-not-indented": ("failed", "does not exist", False, ""),
    "french-freetext": ("failed", "does not exist", True, ""),
}


def bounce(name: str) -> Email:
    return mime.parse((FOLDER / f"{name}.eml").read_bytes())


def decide(email, around):
    return route(email, OWNER, around)


# ---------------------------------------------------------------- the rule


@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_says_who_what_and_why(name):
    kind, reason, named, status = EXPECTED[name]
    found = read(bounce(name))
    assert found is not None
    assert (found.kind, found.recipients, found.status) == (kind, (MARIA,), status)
    assert reason in found.reason
    assert found.mend
    assert (ID in found.message_ids) is named


def test_every_stored_report_is_expected():
    assert {path.stem for path in FOLDER.glob("*.eml")} == {*EXPECTED, "delivered-receipt"}


def test_what_arrived_and_what_is_no_report_is_no_bounce():
    assert read(bounce("delivered-receipt")) is None
    assert read(mail("The parcel could not be delivered; shall I send it again?", subject="The parcel")) is None


@pytest.mark.parametrize("path", sorted((FOLDER.parent / "triage").glob("bounce--*.eml")), ids=lambda path: path.stem)
def test_reports_without_any_detail_are_still_read(path):
    found = read(mime.parse(path.read_bytes()))
    assert found is not None
    assert found.reason
    assert found.mend


def test_a_hostile_report_is_read_in_a_moment_and_quoted_on_one_safe_line():
    text = (
        "Final-Recipient: rfc822; "
        + "a@b" * 20_000
        + "\nAction: failed\nDiagnostic-Code: smtp; 550 "
        + "x\x1b[31m" * 999
    )
    text += "\n----- draft 41.1 begins -----\n" + "Action: failed\n" * 5_000 + "Message-ID: " + "<" * 9_000
    found = read(mail(text, senders=(Address(email="mailer-daemon@evil.example"),), subject="failure notice"))
    assert found is not None
    assert len(found.quote) <= 240
    assert "\x1b" not in found.quote
    assert "\n" not in found.quote


# ---------------------------------------------------------------- the ledger


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    yield made
    made.engine.dispose()


def sent(house: House, *, case: int, message_id: str, hours: float = 1, to: str = MARIA, state: str = "sent") -> None:
    """A reply of ours that left so long ago."""
    at = house.clock.now() - timedelta(hours=hours)
    outgoing = Outgoing(case=case, version=1, to=(Address(email=to),), subject="Re: Kick-off date?", body="Yes.\n")
    with transaction(house.engine) as connection:
        connection.execute(
            insert(versions).values(
                case=case, version=1, outgoing=to_json(outgoing), draft=to_json(Draft(body="", gist="")), hash="h",
                state="approved", by="model", at=at,
            )
        )  # fmt: skip
    house.sent_row(
        intent=f"send:{case}.1", case=case, version=1, recipients=f'["{to}"]', message_id=message_id, state=state,
        claimed_at=at, sent_at=at, server_id="",
    )  # fmt: skip


def arrives(house: House, email: Email) -> None:
    assert house.ledger.record_mail(email, "inbox", decide, house.clock.now()) is None, "a bounce starts nothing"


@pytest.mark.parametrize("name", EXPECTED)
def test_a_report_finds_its_mail_by_id_else_by_recipient_and_time(house, name):
    sent(house, case=40, message_id="<other@winter.example>", hours=100, to="joe@else.example")
    sent(house, case=41, message_id=ID)
    arrives(house, bounce(name))
    (found,) = house.ledger.untold_bounces()
    assert (found.case, found.version, found.recipient, found.kind) == (41, 1, MARIA, EXPECTED[name][0])
    assert found.subject == "Re: Kick-off date?"
    with reading(house.engine) as connection:
        row = connection.execute(select(outbox.c.bounced, outbox.c.state).where(outbox.c.case == 41)).one()
        (note,) = connection.execute(select(notes.c.what).where(notes.c.case == 41)).scalars()
    assert row.bounced.startswith("delayed:" if found.kind == "delayed" else "bounced:")
    assert row.state == "sent"
    assert MARIA in note


def test_the_newest_mail_to_them_is_meant_when_no_id_is_known(house):
    sent(house, case=40, message_id="<a@winter.example>", hours=50)
    sent(house, case=41, message_id="<b@winter.example>", hours=1)
    arrives(house, bounce("provider-no-id"))
    assert [found.case for found in house.ledger.untold_bounces()] == [41]


def test_a_report_on_older_or_foreign_mail_is_of_none_of_ours(house):
    sent(house, case=40, message_id="<a@winter.example>", hours=24 * 7)
    arrives(house, bounce("provider-no-id"))
    arrives(house, bounce("postfix-unknown-user"))
    assert house.ledger.untold_bounces() == ()


def test_a_mail_that_the_owner_wrote_by_hand_and_that_came_back_is_not_taken_for_ours(house):
    sent(house, case=41, message_id="<ours@winter.example>")
    by_hand = mail("By hand.", message_id=ID, senders=(Address(email=OWNER.address),), to=(Address(email=MARIA),))
    house.receive(by_hand, "sent")
    arrives(house, bounce("postfix-unknown-user"))
    assert house.ledger.untold_bounces() == ()


def test_the_same_report_again_and_further_delays_are_told_once(house):
    sent(house, case=41, message_id=ID)
    arrives(house, bounce("postfix-delayed"))
    arrives(house, bounce("exim-warning-delayed"))
    assert [found.kind for found in house.ledger.untold_bounces()] == ["delayed"]
    arrives(house, bounce("postfix-unknown-user"))
    arrives(house, bounce("qmail-no-mailbox"))
    arrives(house, bounce("gmail-delay"))
    assert [found.kind for found in house.ledger.untold_bounces()] == ["delayed", "failed"]


def test_a_bounce_settles_an_uncertain_mail(house):
    sent(house, case=41, message_id=ID, state="uncertain")
    arrives(house, bounce("postfix-unknown-user"))
    with reading(house.engine) as connection:
        assert connection.execute(select(outbox.c.state).where(outbox.c.case == 41)).scalar_one() == "sent"


class Notices:
    """The desk's notices, kept instead of mailed: what is said is under test here."""

    def __init__(self) -> None:
        self.told: dict[str, tuple[str, str, int]] = {}

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        self.told[key] = (subject, text, case)


async def test_the_owner_is_told_which_mail_to_whom_why_and_what_to_do(house):
    sent(house, case=41, message_id=ID)
    arrives(house, bounce("postfix-unknown-user"))
    desk = Notices()
    care = Aftercare(ledger=house.ledger, desk=desk, owner=OWNER)  # type: ignore[arg-type]
    await care.round()
    await care.round()
    ((subject, text, case),) = desk.told.values()
    assert (subject, case) == (f"41.1 did not reach {MARIA}", 41)
    for words in (
        "“Re: Kick-off date?”",
        "the address does not exist there",
        "550 5.1.1",
        "slip of the pen",
        "case 41",
    ):
        assert words in text
    assert house.ledger.untold_bounces() == ()


def test_a_delay_is_told_as_a_delay(house):
    sent(house, case=41, message_id=ID)
    arrives(house, bounce("gmail-delay"))
    subject, text = told(house.ledger.untold_bounces()[0], OWNER)
    assert "is delayed" in subject
    assert "not sent again" in text
    assert "did not arrive" not in text
    again = told(replace(house.ledger.untold_bounces()[0], kind="failed"), OWNER)
    assert again[0] != subject


# ---------------------------------------------------------------- the whole service, real servers


def test_bounces_of_a_closed_and_of_a_running_case_are_told_and_nothing_is_drafted(tmp_path, mailbox, smtp_server):
    house = Running(tmp_path / "home", mailbox, smtp_server)
    with house.running():
        house.client_writes(1)
        (asked,) = house.wait_approvals(1)
        house.owner_answers(asked, "ok")
        (left,) = house.wait_sent(1)
        sent_id = mime.parse(left.content).message_id
        # The client writes again in the thread: that case runs when the bounce comes.
        again = mime.compose(
            sender=Address(email=MARIA, name="Maria Alvarez"), to=(house.owner,), subject="Re: Question 1",
            body="And Friday?\n", message_id="<again@studio.example>", date=mime.parse(left.content).date,
            in_reply_to=sent_id, references=(sent_id,),
        )  # fmt: skip
        house.user.deliver(again)
        until(lambda: _waiting(house) == [2], what="the second case to wait")
        raw = (FOLDER / "postfix-unknown-user.eml").read_text().replace(ID, sent_id)
        house.user.deliver(re.sub("ada@winter.example", house.owner.email, raw).encode())
        notices = until(
            lambda: [email for email in _inbox(house) if "did not reach" in email.subject], 30, "the notice"
        )
        assert MARIA in notices[0].subject
        assert "the address does not exist there" in notices[0].text
        assert len(house.approvals()) == 1, "nothing was drafted for the report"
    with house.ledger() as ledger:
        assert [state.case for state in ledger.open_cases()] == [2]


def _waiting(house) -> list[int]:
    with house.ledger() as ledger:
        return [state.case for state in ledger.open_cases() if state.stage == "waiting"]


def _inbox(house) -> list[Email]:
    return [mime.parse(stored.content) for stored in house.user.messages()]
