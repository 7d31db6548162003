"""Many cases in one mail, at the real mailbox: shown whole, answered by number, each row decided once."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address, Email
from workflows.rules.asking.approval import extract_draft

ZONE = ZoneInfo("Europe/Berlin")
PEOPLE = [Address(name=f"Client {letter}", email=f"{letter.lower()}@{letter.lower()}.example") for letter in "ABCDEFGH"]


def soon(seconds: float) -> str:
    """A time of the owner's day shortly ahead."""
    return f"{datetime.now(ZONE) + timedelta(seconds=seconds):%H:%M:%S}"


@pytest.fixture
def home(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator["Home"]:
    built = Home(tmp_path / "home", mailbox, smtp_server)
    yield built
    for house in built.houses:
        house.close()


class Home:
    """Opens the same home with other settings."""

    def __init__(self, path: Path, user: DovecotUser, smtp: RecordingSmtp) -> None:
        self.path, self.user, self.smtp = path, user, smtp
        self.houses: list[House] = []

    def open(self, **approval: object) -> House:
        for house in self.houses:
            house.close()
        house = House(
            self.path, self.user, self.smtp,
            approval={"grace": "0s", "digest_at": [soon(-3600)], "nudge_at": soon(-3600)} | approval,
        )  # fmt: skip
        self.houses.append(house)
        house.start()
        return house


def waiting(house: House) -> dict[str, int]:
    """Who waits for the owner's answer: address -> case."""
    with house.ledger() as ledger:
        cases = [one.state.case for one in ledger.waiting()]
        return {ledger.outgoing(case, 1).to[0].email: case for case in cases}


def outcome(house: House, case: int) -> str:
    with house.ledger() as ledger:
        return ledger.case(case).outcome


def write_from(house: House, people: list[Address], body: str = "") -> dict[str, int]:
    before = waiting(house)
    for number, person in enumerate(people):
        house.client_writes(number + 1, sender=person, body=body)
    wanted = {*before, *(person.email for person in people)}
    return until(lambda: found if wanted <= set(found := waiting(house)) else {}, 60, "the cases to wait")


def test_a_digest_shows_each_draft_whole_and_is_answered_by_number(home: Home) -> None:
    house = home.open(mode="digest")
    cases = write_from(house, PEOPLE[:4])
    assert house.approvals() == []
    house = home.open(mode="digest", digest_at=[soon(6)])
    (digest,) = house.wait_approvals(1)
    assert len(digest.text.encode()) <= 60_000
    with house.ledger() as ledger:
        for case in cases.values():
            body = ledger.outgoing(case, 1).body
            begin, end = f"----- draft {case}.1 begins -----\n", f"\n----- draft {case}.1 ends -----"
            assert digest.text.partition(begin)[2].partition(end)[0] == body.rstrip("\n")
    a, b, c, d = (cases[person.email] for person in PEOPLE[:4])
    house.owner_answers(digest, f"{a} ok, {b} no too cheap, {c} later 2d")
    (sent,) = house.wait_sent(1)
    assert sent.recipients == ("a@a.example",)
    until(lambda: outcome(house, b) == "rejected", what="the no")
    with house.ledger() as ledger:
        until(lambda: ledger.case(c).later_until is not None, what="later")
        assert ledger.case(b).reason == "too cheap"
        assert ledger.case(d).stage == "waiting"
    # What was not named stays pending and can be answered by the same mail; what is decided is named so.
    house.owner_answers(digest, f"{a} no, {d} ok")
    assert {mail.recipients[0] for mail in house.wait_sent(2)} == {"a@a.example", "d@d.example"}
    told = until(house.notices, what="the result")
    assert len(told) == 1
    assert f"{a}: Case {a} is closed. It was already sent " in told[0].text
    assert f"'fix {a}'" in told[0].text
    assert f"Case {d}" not in told[0].text


def test_an_answer_that_is_not_clear_as_a_whole_does_nothing(home: Home) -> None:
    house = home.open(mode="digest")
    cases = write_from(house, PEOPLE[:2])
    house = home.open(mode="digest", digest_at=[soon(6)])
    (digest,) = house.wait_approvals(1)
    a, b = (cases[person.email] for person in PEOPLE[:2])
    wait_a_moment(digest)
    for number, words in enumerate(
        ["ok", f"{a} ok, {b} hm", f"{a} ok, {a} no", "all ok, but wait", f"{a} ok, 999 ok"], start=1
    ):
        house.owner_answers(digest, words)
        question = house.wait_approvals(1 + number)[-1]
        assert question.text.startswith("Not every part of your answer is clear, so none of it was acted on")
        assert question.text.partition("\n")[2] == digest.text.partition("\n")[2]  # the digest itself, shown again
        assert ("docs/approval.md" in question.text) == (number >= 3)
    house.user.deliver(listed(house, digest, a, b), "Sent", "\\Seen")
    question = house.wait_approvals(7)[-1]
    assert "made a list" in question.text
    assert house.sent_to_clients() == []
    assert waiting(house) == cases
    house.owner_answers(question, "all ok")
    house.wait_sent(2)
    assert house.notices() == []


def wait_a_moment(asked: Email) -> None:
    """Words that are no plain yes or no count only once they cannot be an automatic reply."""
    until(lambda: asked.date and datetime.now(UTC) > asked.date + timedelta(seconds=7), what="the clock")


def listed(house: House, digest: Email, first: int, second: int) -> bytes:
    """What Outlook makes of "41. ok" on a line: an HTML list, numbered anew in the plain part."""
    html = f'<ol start="{first}"><li>ok</li><li>no</li></ol>'
    plain = f"{first}. ok\r\n{second}. ok\r\n"
    date = datetime.now(UTC).strftime("%a, %d %b %Y %H:%M:%S +0000")
    return (
        f"From: Ada Winter <{house.owner.email}>\r\nTo: <{house.owner.email}>\r\nSubject: Re: {digest.subject}\r\n"
        f"Date: {date}\r\nMessage-ID: <listed@mail.example>\r\nIn-Reply-To: {digest.message_id}\r\n"
        f"References: {' '.join((*digest.references, digest.message_id))}\r\nMIME-Version: 1.0\r\n"
        'Content-Type: multipart/alternative; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{plain}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n{html}\r\n--b--\r\n"
    ).encode()


def test_from_the_sixth_on_new_cases_wait_for_the_digest_unless_urgent(home: Home) -> None:
    house = home.open(most_waiting=3)
    write_from(house, PEOPLE[:3])
    assert len(house.wait_approvals(3)) == 3
    cases = write_from(house, PEOPLE[3:5])
    house.client_writes(9, sender=PEOPLE[5], body="Hi Ada,\n\nthe server is down, this is urgent.\n\nF\n")
    assert "f@f.example" in house.wait_approvals(4)[-1].text
    assert len(house.approvals()) == 4
    house = home.open(most_waiting=3, digest_at=[soon(6)])
    digest = house.wait_approvals(5)[-1]
    shown = [f"draft {case}.1 begins" in digest.text for case in cases.values()]
    assert sorted(shown) == [False, False, False, True, True]
    house.owner_answers(digest, "all ok")
    assert {mail.recipients[0] for mail in house.wait_sent(2)} == {"d@d.example", "e@e.example"}


def test_the_single_mail_and_the_digest_answer_the_same_row(home: Home) -> None:
    house = home.open(mode="both")
    cases = write_from(house, PEOPLE[:2])
    single = {mail.header("x-deskhand-case"): mail for mail in house.wait_approvals(2)}
    house = home.open(mode="both", digest_at=[soon(6)])
    digest = house.wait_approvals(3)[-1]
    a, b = (cases[person.email] for person in PEOPLE[:2])
    house.owner_answers(single[f"{a}.1"], "no")
    until(lambda: outcome(house, a) == "rejected", what="the no")
    house.owner_answers(digest, "all ok")
    (sent,) = house.wait_sent(1)
    assert sent.recipients == ("b@b.example",)
    told = until(house.notices, what="the result")[0]
    assert f"{a}: Case {a} is closed. You had said no; nothing was sent." in told.text
    house.owner_answers(single[f"{b}.1"], "ok")
    until(lambda: len(house.notices()) == 2, what="the second yes")
    assert len(house.sent_to_clients()) == 1


def test_an_edited_quote_in_a_digest_is_asked_again(home: Home) -> None:
    house = home.open(mode="digest")
    cases = write_from(house, PEOPLE[:2])
    house = home.open(mode="digest", digest_at=[soon(6)])
    (digest,) = house.wait_approvals(1)
    body = extract_draft(digest.text)
    assert body
    changed = mime.parse(digest_with(digest, body.replace(body.split("\n", maxsplit=1)[0], "Dear all,")))
    wait_a_moment(digest)
    house.owner_answers(changed, f"{cases['a@a.example']} ok")
    question = house.wait_approvals(2)[-1]
    assert "was changed" in question.text.splitlines()[0]
    assert house.sent_to_clients() == []


def digest_with(digest: Email, body: str) -> bytes:
    return mime.compose(
        sender=digest.sender, to=digest.to, subject=digest.subject,
        body=digest.text.replace(extract_draft(digest.text) or "", body), message_id=digest.message_id,
        date=datetime.now(UTC), references=digest.references,
    )  # fmt: skip
