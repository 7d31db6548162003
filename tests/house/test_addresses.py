"""Addresses that no mail can go to are said before the owner is asked, not after the yes."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from tests.house.running import CLIENT, House, until
from tests.ledgers import House as Home
from tests.ledgers import mail, own_mail
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.errors import Permanent
from workflows.models.drafts import Draft, DraftedBy
from workflows.models.mail import Address, Email
from workflows.rules.text.addresses import unsendable

ABROAD = Address(name="Jörg Müller", email="jörg@studio.example")


@pytest.mark.parametrize(
    ("email", "why"),
    [
        ("maria@studio.example", ""),
        ("o'hara+jobs=x@sub.studio.example", ""),
        ("jörg@studio.example", ""),
        ("root@localhost", ""),
        ("undisclosed-recipients:;", "no mail address"),
        ("", "no mail address"),
        ("maria@", "no mail address"),
        ("maria alvarez@studio.example", "no mail address"),
        ("maria@studio.example>,bob@x.example", "no mail address"),
        ("ma..ria@studio.example", "no mail address"),
        (f"{'m' * 65}@studio.example", "longer"),
        (f"maria@{'x.' * 130}example", "longer"),
        (f"maria@{'x' * 64}.example", "name of a server"),
        ("maria@-studio.example", "name of a server"),
    ],
)
def test_what_no_mail_can_go_to_is_named(email: str, why: str) -> None:
    problem = unsendable(email)
    assert bool(problem) == bool(why)
    assert why in problem


@given(st.text(max_size=300))
def test_any_text_is_judged(email: str) -> None:
    assert "\n" not in unsendable(email)


def test_a_draft_that_could_never_leave_is_not_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    for sender, problem in (("a@b c", "is no mail address"), ("nobody", "names no address")):
        event = home.receive(mail(f"Hello from {sender}", senders=(Address(email=sender),)))
        assert event is not None
        with pytest.raises(Permanent, match=problem):
            home.ledger.add_version(
                home.ledger.case(event.case), Draft(body="Hello.", gist="hi", by=DraftedBy.TEMPLATE)
            )


def test_people_of_the_same_name_are_found_only_where_the_owner_writes_to_them(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.receive(own_mail("Hello Maria", to="maria@studio.example"), "sent")
    for email in ("maria@studio.example", "maria@studi0.example", "mar1a@studio.example"):
        home.receive(mail(f"From {email}", senders=(Address(email=email, name="Maria Alvarez"),)))
    clients = {client.addresses[0]: client for client in home.ledger.clients()}
    posing = clients["maria@studi0.example"]
    known = clients["maria@studio.example"]
    assert home.ledger.namesakes(replace(posing, name=known.name.upper())) == ("maria@studio.example",)
    assert home.ledger.namesakes(known) == ()


@pytest.fixture
def plain_server() -> RecordingSmtp:
    return RecordingSmtp(extensions=("8BITMIME",))


def test_a_server_without_smtputf8_and_an_address_that_is_none_are_told_before_any_yes(
    tmp_path: Path, mailbox: DovecotUser, plain_server: RecordingSmtp
) -> None:
    with plain_server:
        house = House(tmp_path / "home", mailbox, plain_server)
        with house.running():
            house.client_writes(1, sender=CLIENT)
            (first,) = house.wait_approvals(1)
            assert f"NEW ADDRESS: {CLIENT.email} has never been written to" in first.text
            house.owner_answers(first, "ok")
            house.wait_sent(1)
            house.client_writes(2, sender=CLIENT)
            second = house.wait_approvals(2)[-1]
            assert "NEW ADDRESS" not in second.text
            raw = house.client_writes(3, sender=CLIENT).replace(
                CLIENT.email.encode(), ABROAD.email.encode(), 1
            )  # the address as a server with SMTPUTF8 hands it over
            house.user.deliver(raw.replace(b"question-3", b"question-4"))
            abroad = until(lambda: _told(house, "CANNOT BE SENT: "), 60, "the warning")
            assert "takes no address with letters beyond ASCII" in abroad.text


def test_sent_is_asked_once_before_an_address_is_called_new(
    tmp_path: Path, mailbox: DovecotUser, plain_server: RecordingSmtp
) -> None:
    stranger = Address(name="Bob Stone", email="bob@stone.example")
    with plain_server:
        house = House(tmp_path / "home", mailbox, plain_server)
        for to in (
            CLIENT.email,
            f"x{stranger.email}",
        ):  # before Deskhand; the second only holds the other
            house.user.deliver(
                mime.compose(
                    sender=house.owner, to=(Address(email=to),), subject="Hello", body="Hello",
                    message_id=f"<old-{to}>", date=datetime(2025, 1, 2, tzinfo=UTC),
                ),
                "Sent",
            )  # fmt: skip
        with house.running():
            house.client_writes(1, sender=CLIENT)
            (known,) = house.wait_approvals(1)
            assert "NEW ADDRESS" not in known.text
            house.client_writes(2, sender=stranger)
            new = house.wait_approvals(2)[-1]
            assert f"NEW ADDRESS: {stranger.email} has never been written to" in new.text


def test_what_the_look_into_sent_gave_is_kept(tmp_path: Path) -> None:
    home = Home(tmp_path / "home")
    home.receive(mail("Hello"))
    (client,) = home.ledger.clients()
    assert home.ledger.sent_before(client.id) is None
    home.ledger.keep_sent_before(client.id, found=False)
    assert home.ledger.sent_before(client.id) is False
    home.ledger.keep_sent_before(client.id, found=True)
    assert home.ledger.sent_before(client.id) is True


def _told(house: House, words: str) -> Email | None:
    mails = (mime.parse(stored.content) for stored in house.user.messages())
    return next((email for email in mails if words in email.text), None)
