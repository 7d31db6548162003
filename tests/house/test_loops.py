"""Promise I4: Deskhand never joins a mail loop, even when its owner says yes to everything."""

from collections import Counter
from contextlib import ExitStack
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.house.running import AutomaticOwner, House, until
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.smtp import Delivered, RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Address

MACHINES = Path(__file__).parents[1] / "mail" / "triage"
KINDS = ("auto-reply", "bounce", "bulk", "calendar-notice", "mailing-list", "newsletter", "no-reply", "read-receipt")
MOST_PER_THREAD = 3
ABSENT = Address(name="Otto Away", email="otto@away.example")


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp):
    built = House(tmp_path / "home", mailbox, smtp_server)
    yield built
    built.close()


def test_machines_get_no_draft(house: House) -> None:
    mails = [path for kind in KINDS for path in sorted(MACHINES.glob(f"{kind}--*.eml"))]
    assert len(mails) > 25
    house.start()
    house.user.deliver_many([path.read_bytes() for path in mails])
    house.client_writes(1)
    house.wait_approvals(1)
    until(lambda: _ignored(house) >= len(mails), 60, "every machine's mail to be ignored")
    assert len(house.approvals()) == 1
    assert house.sent_to_clients() == []


def test_an_out_of_office_responder_gets_one_mail(house: House) -> None:
    arrive = house.smtp.on_message
    replied: list[bytes] = []

    def responder(mail: Delivered) -> None:
        assert arrive
        arrive(mail)
        if ABSENT.email in mail.recipients:
            replied.append(_out_of_office(mime.parse(mail.content).message_id, house.owner))
            house.user.deliver(replied[-1])

    house.smtp.on_message = responder
    house.start()
    with AutomaticOwner(house):
        house.client_writes(1, sender=ABSENT)
        house.wait_sent(1)
        until(lambda: _ignored(house) >= len(replied) == 1, 30, "the responder's mail to be ignored")
        house.client_writes(2)  # a mail after it, whose reply shows that everything before was dealt with
        house.wait_sent(2)
    assert len(house.smtp.to(ABSENT.email)) == 1


def _out_of_office(answers: str, owner: Address) -> bytes:
    """A responder that says nothing about itself in its headers, but in its words."""
    return mime.compose(
        sender=ABSENT,
        to=(owner,),
        subject="Out of office: Re: Question 1 about the kick-off",
        body="I am out of the office until Monday with no access to my mail.\n",
        message_id=f"<away-{datetime.now(UTC).timestamp()}@away.example>",
        date=datetime.now(UTC),
        in_reply_to=answers,
        references=(answers,),
    )


def test_two_deskhands_stop_by_themselves(dovecot: Dovecot, tmp_path: Path) -> None:
    with ExitStack() as stack:
        servers = [stack.enter_context(RecordingSmtp()) for _ in range(2)]
        houses = [House(tmp_path / f"home{n}", dovecot.add_user(), server) for n, server in enumerate(servers)]
        for one in houses:
            one.smtp.on_message = lambda mail: _route(mail, houses)
            stack.enter_context(one.running())
        stack.enter_context(AutomaticOwner(houses[0]))
        stack.enter_context(AutomaticOwner(houses[1]))
        first, second = houses
        second.client_writes(1, sender=first.owner)
        second.wait_sent(1)
        # Others are served meanwhile: what those need, a loop would have had time for as well.
        for number in range(10, 18):
            for one in houses:
                one.client_writes(number, sender=Address(name="Maria", email=f"maria{number}@studio.example"))
            for one in houses:
                until(lambda one=one, number=number: one.smtp.to(f"maria{number}@studio.example"), 60)
        threads = Counter(_thread(mail) for one in houses for mail in _between(one, houses))
    assert max(threads.values()) + 1 <= MOST_PER_THREAD, threads


def _route(mail: Delivered, houses: list[House]) -> None:
    for one in houses:
        if one.owner.email in mail.recipients:
            one.user.deliver(mail.kept)


def _between(house: House, houses: list[House]) -> list[Delivered]:
    others = {one.owner.email for one in houses if one is not house}
    return [mail for mail in house.smtp.delivered if others & set(mail.recipients)]


def _thread(mail: Delivered) -> str:
    email = mime.parse(mail.content)
    return (email.references or email.in_reply_to)[0]


def _ignored(house: House) -> int:
    with house.ledger() as ledger:
        return sum(count for rule, count in ledger.ignored_by_rule().items() if rule != "own-mail")
