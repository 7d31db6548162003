"""Earned autonomy: a row of unedited approvals, what a standing yes never covers, and one played through."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.house import CLIENT, House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models import Address, Brief, Client, Draft, Outgoing
from workflows.rules.autonomy import Ending, in_a_row, needs_a_yes, unbroken

MARIA = Client(id="c-1", name="Maria", addresses=("maria@studio.example",), written_to=True)


def ending(case: int, outcome: str = "sent", *, edited: bool = False, standing: bool = False) -> Ending:
    return Ending(case=case, outcome=outcome, edited=edited, standing=standing)


def test_a_row_ends_at_an_edit_a_no_or_never_and_passes_over_what_says_nothing() -> None:
    assert in_a_row([ending(5), ending(4, "expired"), ending(3), ending(2, edited=True), ending(1)]) == (5, 3)
    assert in_a_row([ending(3), ending(2, "rejected"), ending(1)]) == (3,)
    assert in_a_row([ending(3, "never"), ending(2)]) == ()
    assert in_a_row([ending(3, standing=True), ending(2)]) == (2,)
    assert in_a_row([ending(4), ending(3, "rejected", standing=True), ending(2)]) == (4,)


def test_a_standing_yes_outlives_what_says_nothing_and_no_edit_or_no() -> None:
    assert unbroken([ending(3, standing=True), ending(2, "expired"), ending(1)])
    assert not unbroken([ending(3), ending(2, "rejected"), ending(1)])
    assert not unbroken([ending(3), ending(2, "rejected", standing=True)])
    assert not unbroken([ending(2, edited=True)])


@pytest.mark.parametrize(
    ("body", "message", "reason"),
    [
        ("Thursday works, see you then.", "Does Thursday work?", ""),
        ("The fee is fine.", "Does Thursday work?", "money"),
        ("Thursday works.", "Can we talk about 4,800 EUR?", "money"),
        ("Donnerstag passt.", "Was ist mit der Rechnung?", "money"),
        ("Thursday works.", "Please sign the agreement.", "a contract"),
        ("Jeudi me va.", "Le contrat est prêt.", "a contract"),
        ("That is $40.", "", "money"),
    ],
)
def test_money_and_contracts_always_wait(body: str, message: str, reason: str) -> None:
    outgoing = Outgoing(
        case=1, version=1, to=(Address(email="maria@studio.example"),), subject="Re: Kick-off", body=body
    )
    assert needs_a_yes(Brief(case=1, message=message), outgoing, Draft(body=body, gist=""), MARIA) == reason


@pytest.mark.parametrize(("kind", "reason"), [("reply", ""), ("update", ""), ("bid", "money"), ("chase", "money")])
def test_bids_and_reminders_always_wait(kind, reason: str) -> None:
    outgoing = Outgoing(
        case=1, version=1, to=(Address(email="maria@studio.example"),), subject="x", body="All is done."
    )
    assert needs_a_yes(Brief(case=1, kind=kind), outgoing, Draft(body="All is done.", gist=""), MARIA) == reason


def test_a_new_recipient_always_waits() -> None:
    outgoing = Outgoing(case=1, version=1, to=(Address(email="maria@other.example"),), subject="Re: x", body="Yes.")
    draft = Draft(body="Yes.", gist="")
    assert needs_a_yes(Brief(case=1), outgoing, draft, MARIA) == "a new address"
    assert needs_a_yes(Brief(case=1), outgoing, draft, None) == "a new recipient"


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server, approval={"auto_after": 2, "undo": "4s", "grace": "0s"})
    yield built
    built.close()


def test_a_standing_yes_is_offered_given_undone_and_gone(house: House) -> None:
    house.start()
    for number in (1, 2):
        house.client_writes(number)
        house.owner_answers(house.wait_approvals(number)[-1], "ok")
        house.wait_sent(number)
    offer = until(lambda: _notice(house, "alone?"), 90, "the offer")
    house.owner_answers(offer, "auto reply")
    until(lambda: _notice(house, "Allowed"), 30, "the standing yes")
    house.client_writes(3)
    shown = house.wait_approvals(3)[-1]
    assert "unless you say" in shown.text.splitlines()[0]
    house.wait_sent(3)  # nobody answered
    house.client_writes(4, body="Hi Ada,\n\nwhat does the second phase cost?\n\nMaria\n")
    money = house.wait_approvals(4)[-1]
    assert "unless you say" not in money.text.splitlines()[0]
    house.client_writes(5)
    house.owner_answers(house.wait_approvals(5)[-1], "undo")
    house.client_writes(6)
    again = house.wait_approvals(6)[-1]
    assert "unless you say" not in again.text.splitlines()[0]  # the undo ended it
    assert [mail.recipients[0] for mail in house.sent_to_clients()] == [CLIENT.email] * 3


def _notice(house: House, words: str) -> mime.Email | None:
    mails = (mime.parse(stored.content) for stored in house.user.messages())
    return next((mail for mail in mails if words in mail.subject), None)
