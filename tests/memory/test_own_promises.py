"""The owner's own promises in the ledger: made by sent mail, moved and kept by a later one, told, ended by his word."""

from datetime import date, timedelta
from pathlib import Path

import pytest

from memory.record.schema import transaction
from memory.sent.promises import SentWords, keep_promises
from tests.ledgers import NOON, OWNER, House, client_at, mail, own_mail
from workflows.models.case import CaseState
from workflows.models.drafts import Draft, DraftedBy
from workflows.models.mail import Attachment
from workflows.models.orders import PromiseEnded
from workflows.models.promises import OwnPromise
from workflows.rules.desk.standing import facts

BRIEF = "Hello Maria,\n\nI send the brief on Wednesday.\n\nAda\n"
WEDNESDAY, FRIDAY = date(2026, 11, 25), date(2026, 11, 27)
DAY = timedelta(days=1)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def write(house: House, text: str, **fields) -> None:
    house.receive(own_mail(text, date=house.clock.now(), **fields), "sent")


def only(house: House) -> OwnPromise:
    (promise,) = house.ledger.open_promises()
    return promise


def pdf(name: str) -> tuple[Attachment, ...]:
    return (Attachment(name=name, content_type="application/pdf", size=5000, sha256=""),)


def test_a_mail_sent_by_hand_makes_a_promise_once(house: House) -> None:
    write(house, BRIEF)
    write(house, BRIEF)
    promise = only(house)
    client = client_at(house.ledger, "maria@studio.example")
    assert client is not None  # the first mail to a person is taken in as well
    assert (promise.client, promise.pledge.due, promise.pledge.kind) == (client.id, WEDNESDAY, "send")
    assert promise.pledge.sentence == "I send the brief on Wednesday."
    assert promise.source == f"promise:{promise.id}"
    assert house.ledger.open_promises(client.id) == (promise,)
    assert house.ledger.open_promises("c-somebody-else") == ()


def test_what_is_quoted_promises_nothing(house: House) -> None:
    write(house, "Thank you!\n\nOn Monday, Maria Alvarez wrote:\n> I will send you the logo on Friday.\n")
    assert house.ledger.open_promises() == ()


def test_a_clients_own_promise_is_none_of_the_owners(house: House) -> None:
    house.receive(mail("I send the brief on Wednesday."))
    assert house.ledger.open_promises() == ()


def sent_by_deskhand(house: House, text: str) -> CaseState:
    event = house.receive(mail("Could you send the brief?", message_id=f"<{len(text)}@studio.example>"))
    assert event
    state = house.ledger.case(event.case)
    house.ledger.save_case(state)
    state = house.ledger.add_version(state, Draft(body=text, gist="", by=DraftedBy.TEMPLATE))
    house.sent_row(intent=f"send:{event.case}.1", case=event.case, version=1, message_id="<ours@winter.example>")
    house.ledger.record_sent(event.case, 1)
    return state


def test_what_deskhand_sent_makes_a_promise_once(house: House) -> None:
    state = sent_by_deskhand(house, BRIEF)
    house.ledger.record_sent(state.case, 1)
    copy = own_mail(BRIEF, message_id="<ours@winter.example>")
    house.receive(copy, "sent")
    assert only(house).mail == f"sent:{state.case}.1"


def test_a_later_mail_that_promises_again_moves_the_day(house: House) -> None:
    write(house, BRIEF)
    first = only(house)
    house.ledger.mark_promises_told([first], NOON.date())
    house.clock.move(days=1)
    write(house, "I am sorry for the delay, I'll send the brief on Friday.")
    moved = only(house)
    assert (moved.id, moved.pledge.due, moved.told) == (first.id, FRIDAY, 0)
    assert moved.mail != first.mail


@pytest.mark.parametrize(
    ("text", "files"),
    [("Here is the brief.", ()), ("Hello", "brief.pdf"), ("Here it is, as promised.", "scan.pdf")],
)
def test_a_later_mail_keeps_it(house: House, text: str, files: str) -> None:
    write(house, BRIEF)
    house.clock.move(hours=5)
    write(house, text, attachments=pdf(files) if files else ())
    assert house.ledger.open_promises() == ()


def test_mail_to_somebody_else_keeps_nothing(house: House) -> None:
    write(house, BRIEF)
    house.clock.move(hours=5)
    house.receive(own_mail("Here is the brief.", to="bernd@laden.example", attachments=pdf("brief.pdf")), "sent")
    assert only(house).pledge.due == WEDNESDAY


def test_of_two_promises_the_one_that_is_named_is_kept(house: House) -> None:
    write(house, "I'll send the brief tomorrow, and I'll send the invoice on Friday.")
    house.clock.move(hours=5)
    write(house, "Here is the brief.", attachments=pdf("scan.pdf"))
    assert only(house).pledge.about == ("invoice",)


def test_an_older_mail_that_is_seen_later_keeps_nothing(house: House) -> None:
    write(house, BRIEF)
    client = only(house).client
    with transaction(house.engine) as connection:
        words = SentWords(client=client, mail="mail:old", text="Here is the brief.", at=NOON - DAY)
        keep_promises(connection, OWNER, words)
    assert only(house).pledge.due == WEDNESDAY


# ---------------------------------------------------------------- telling


def test_it_is_told_the_day_before_and_once_more_when_it_is_late(house: House) -> None:
    write(house, BRIEF)
    tuesday, wednesday, thursday = (NOON + days * DAY for days in (1, 2, 3))
    look = house.ledger.promises_to_tell
    assert look(tuesday.date(), NOON - timedelta(hours=4), NOON.date()) == ()  # written after this day's hour
    (due,) = look(wednesday.date(), tuesday, tuesday.date())
    house.ledger.mark_promises_told([due], tuesday.date())
    assert look(wednesday.date(), tuesday, tuesday.date()) == ()
    assert look(thursday.date(), wednesday, wednesday.date()) == ()
    (late,) = look(thursday.date(), thursday, thursday.date())
    house.ledger.mark_promises_told([late], thursday.date())
    assert look(thursday.date() + 9 * DAY, thursday + 9 * DAY, thursday.date() + 9 * DAY) == ()


def test_without_a_day_nothing_is_told(house: House) -> None:
    write(house, "I'll send you the brief.")
    assert only(house).pledge.due is None
    assert house.ledger.promises_to_tell(date(2027, 1, 1), NOON + 9 * DAY, date(2026, 12, 31)) == ()


# ---------------------------------------------------------------- the owner's word


def test_the_owners_word_ends_it(house: House) -> None:
    write(house, BRIEF)
    number = only(house).id
    outcome = house.ledger.carry_out("k1", PromiseEnded(number=number, result="kept"), NOON)
    assert (outcome.ok, outcome.says) == (True, f'Promise {number} ("I send the brief on Wednesday.") is kept.')
    assert house.ledger.open_promises() == ()


def test_a_number_that_is_none_is_said(house: House) -> None:
    outcome = house.ledger.carry_out("k1", PromiseEnded(number=7, result="dropped"), NOON)
    assert (outcome.ok, outcome.says) == (False, 'There is no promise number 7; "promises" lists them.')


def test_the_brief_of_a_reply_names_what_is_open_with_this_client(house: House) -> None:
    write(house, BRIEF)
    promise = only(house)
    (fact,) = facts(house.ledger.affairs(promise.client, OWNER))
    assert (fact.id, fact.kind) == (f"promise:{promise.id}", "promise")
    assert fact.quote.startswith('you promised them "I send the brief on Wednesday.", due')
    assert "(2026-11-25)" in fact.quote
    assert facts(house.ledger.affairs("c-somebody-else", OWNER)) == ()
