"""Signatures in the ledger: which mails teach them, and from when they count."""

from datetime import timedelta

import pytest

from tests.ledgers import OWNER, House
from workflows.models.mail import Address, Email
from workflows.rules.routing import route
from workflows.rules.text.canonical import body_hash

SIGNATURE = "Ada Winter · Texte\nMusterweg 1 · 12345 Berlin\nUSt-IdNr. DE123456789"
BODIES = ("Mittwoch passt.", "Die Rechnung kommt morgen.", "Anbei die neue Fassung.", "Das freut mich.")


@pytest.fixture
def house(tmp_path):
    return House(tmp_path / "home")


def own(number: int, body: str, **fields: object) -> Email:
    values = {
        "identity": f"{number:064}",
        "blob": f"{number:064}",
        "message_id": f"<own-{number}@winter.example>",
        "senders": (Address(email="ada@winter.example", name="Ada Winter"),),
        "to": (Address(email=f"client{number}@else.example"),),
        "subject": f"Mail {number}",
        "text": f"{body}\n\n{SIGNATURE}\n",
    }
    return Email(**(values | fields))


def record(house: House, *emails: Email) -> None:
    for email in emails:
        house.ledger.record_mail(email, "sent", lambda one, around: route(one, OWNER, around), house.clock.now())


def known(house: House) -> list[str]:
    return [signature.text for signature in house.ledger.taught_signatures()]


def answer(asked: str = "<ask-1@winter.example>") -> Email:
    me = Address(email="ada@winter.example")
    return own(900, "ok", to=(me,), in_reply_to=(asked,), references=(asked,))


def test_mails_seen_before_the_approval_left_teach_and_later_ones_do_not(house: House) -> None:
    record(house, *(own(number, body) for number, body in enumerate(BODIES[:2])))
    house.clock.move(hours=1)
    house.approval(1, 1, "Says yes.", message_id="<ask-1@winter.example>")
    house.clock.move(hours=1)
    record(house, own(3, BODIES[2]))
    assert house.ledger.surroundings(answer(), "sent").signatures == ()
    house.clock.move(hours=1)
    house.approval(1, 2, "Says yes again.", message_id="<ask-2@winter.example>")
    assert house.ledger.surroundings(answer("<ask-2@winter.example>"), "sent").signatures == (SIGNATURE,)
    (taught,) = house.ledger.taught_signatures()
    assert taught.subjects == ("Mail 0", "Mail 1", "Mail 3")
    assert taught.since == house.clock.now() - timedelta(hours=1)


def test_answers_own_notes_and_what_deskhand_sent_teach_nothing(house: House) -> None:
    house.approval(1, 1, "Says yes.", message_id="<ask-1@winter.example>")
    me = Address(email="ada@winter.example")
    record(house, *(own(number, body, to=(me,)) for number, body in enumerate(BODIES)))
    record(
        house,
        *(own(number, body, in_reply_to=("<ask-1@winter.example>",)) for number, body in enumerate(BODIES, 10)),
    )
    for number, body in enumerate(BODIES, 20):
        sent = own(number, body)
        house.sent_row(
            intent=f"send:{number}.1", case=number, message_id=sent.message_id, body_hash=body_hash(sent.text)
        )
        record(house, sent)
    for number, body in enumerate(BODIES, 30):  # its text, filed once more under another id
        sent = own(number, f"Another {body}")
        house.sent_row(
            intent=f"send:{number}.1", case=number, message_id=f"<x{number}@winter.example>",
            body_hash=body_hash(sent.text),
        )  # fmt: skip
        record(house, sent)
    stranger = (Address(email="bob@else.example"),)
    record(house, *(own(number, body, senders=stranger) for number, body in enumerate(BODIES, 40)))
    record(house, *(own(n, body, headers=(("auto-submitted", "auto-replied"),)) for n, body in enumerate(BODIES, 50)))
    house.clock.move(minutes=1)
    assert known(house) == []
    record(house, *(own(number, f"Really {body}") for number, body in enumerate(BODIES, 60)))
    house.clock.move(minutes=1)
    assert known(house) == [SIGNATURE]


def test_an_order_of_its_own_is_read_without_the_signature(house: House) -> None:
    record(house, *(own(number, body) for number, body in enumerate(BODIES)))
    house.clock.move(minutes=1)
    me = Address(email="ada@winter.example")
    order = own(901, "stop all", to=(me,), subject="Deskhand")
    assert house.ledger.surroundings(order, "sent").signatures == (SIGNATURE,)
    record(house, order)
    assert [event.kind for event in house.ledger.undelivered()] == ["order"]
    assert house.ledger.surroundings(own(902, "Hello"), "sent").signatures == ()
