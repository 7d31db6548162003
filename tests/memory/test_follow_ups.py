"""Follow-ups in the ledger: what waits for an answer, when it is followed up, and every word that ends the waiting."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from memory.money.payments import Sign, note_payment
from memory.record.schema import from_json, outbox, seen, transaction
from tests.ledgers import NOON, OWNER, House, client_at, mail, own_mail
from workflows.models.drafts import Draft, DraftedBy
from workflows.models.money import Money
from workflows.models.routes import Event
from workflows.rules.desk.follow_ups import FollowUpTerms

ASKS = "Hello Maria,\n\ndoes Thursday suit you for the kick-off?\n\nAda\n"
TELLS = "Hello Maria,\n\nthe header is blue now. Let me know if you have questions.\n\nAda\n"
ALL = FollowUpTerms(by_hand=True)
WEEK = timedelta(days=7)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def by_hand(house: House, text: str = ASKS, **fields) -> None:
    house.receive(own_mail(text, date=house.clock.now(), **fields), "sent")


def through_deskhand(house: House, text: str = ASKS) -> int:
    """A reply that was approved and sent; its case is over."""
    event = house.receive(mail("When do we start?"))
    assert event
    state = house.ledger.add_version(house.ledger.case(event.case), Draft(body=text, gist="", by=DraftedBy.TEMPLATE))
    house.sent_row(intent=f"send:{event.case}.1", case=event.case, version=1, message_id="<ours@winter.example>")
    house.ledger.record_sent(event.case, 1)
    close(house, event.case)
    return state.case


def close(house: House, case: int, outcome: str = "sent") -> None:
    house.ledger.close_case(replace(house.ledger.case(case), stage="closed", outcome=outcome))


def begin(house: House, after: timedelta = WEEK, terms: FollowUpTerms = ALL) -> tuple[int, ...]:
    house.clock.time = max(house.clock.time, NOON + after)
    return house.ledger.begin_follow_ups(house.clock.now(), OWNER, terms)


def endings(house: House, case: int) -> list[str]:
    """With which outcomes the case was told to end."""
    with house.engine.connect() as connection:
        rows = connection.execute(seen.select().where(seen.c.case == case, seen.c.kind == "news")).all()
    return [from_json(Event, row.event).ends for row in rows]


# ---------------------------------------------------------------- when


def test_a_mail_that_asked_and_met_silence_is_followed_up_once(house: House) -> None:
    sender = through_deskhand(house)
    assert begin(house, timedelta(days=4)) == ()  # Monday to Friday are four working days
    (case,) = begin(house)
    assert begin(house, 2 * WEEK) == ()
    silence = house.ledger.silence(case)
    assert (silence.question, silence.asked.case) == ("does Thursday suit you for the kick-off?", sender)
    assert silence.asked.message_id == "<ours@winter.example>"
    assert silence.asked.references[-1] == "<ours@winter.example>"
    state = house.ledger.case(case)
    client = client_at(house.ledger, "maria@studio.example")
    assert client is not None
    assert (state.kind, state.client) == ("followup", client.id)
    close(house, case)
    assert begin(house, 3 * WEEK) == ()  # at most one for each mail


def test_a_weekend_is_no_working_day(house: House) -> None:
    through_deskhand(house)
    assert begin(house, WEEK - timedelta(minutes=1)) == ()
    assert len(begin(house, WEEK)) == 1


def test_a_mail_that_asks_nothing_waits_for_nothing(house: House) -> None:
    through_deskhand(house, TELLS)
    assert begin(house) == ()


@pytest.mark.parametrize("by_hand_too", [False, True])
def test_mail_sent_by_hand_is_followed_up_only_where_the_settings_say_so(house: House, by_hand_too: bool) -> None:
    by_hand(house)
    assert len(begin(house, terms=FollowUpTerms(by_hand=by_hand_too))) == by_hand_too


def test_what_the_settings_leave_out_is_not_followed_up(house: House) -> None:
    through_deskhand(house)
    assert begin(house, terms=FollowUpTerms(sent=False)) == ()
    assert len(begin(house)) == 1


# ---------------------------------------------------------------- what keeps it back


def test_while_a_case_with_them_is_open_nothing_is_proposed(house: House) -> None:
    through_deskhand(house)
    house.receive(mail("Something else", message_id="<other@studio.example>", senders=()))  # of nobody
    other = house.receive(own_mail(ASKS, to="bernd@laden.example"), "sent")
    assert other is None
    assert len(begin(house)) == 2


@pytest.mark.parametrize("refusal", ["never", "unwanted", "hold"])
def test_against_the_owners_word_nothing_is_proposed(house: House, refusal: str) -> None:
    through_deskhand(house)
    client = client_at(house.ledger, "maria@studio.example")
    assert client is not None
    if refusal == "hold":
        house.hold(client.id, "a complaint")
    else:
        house.ledger.set_never(client.id, "reply" if refusal == "never" else "followup")
    assert begin(house) == ()


def test_what_came_back_is_not_followed_up(house: House) -> None:
    through_deskhand(house)
    with transaction(house.engine) as connection:
        connection.execute(outbox.update().values(bounced="There is no such address."))
    assert begin(house) == ()


def test_what_waited_for_months_is_not_taken_up_out_of_the_blue(house: House) -> None:
    through_deskhand(house)
    assert begin(house, timedelta(days=61)) == ()


# ---------------------------------------------------------------- what ends it


def answer(house: House) -> None:
    house.receive(mail("Thursday is fine.", message_id="<answer@studio.example>"))


def auto_reply(house: House) -> None:
    headers = (("auto-submitted", "auto-replied"),)
    house.receive(mail("I am out of office.", message_id="<auto@studio.example>", headers=headers))


def own_word(house: House) -> None:
    by_hand(house, "Hello Maria, forget my question.", message_id="<own@winter.example>")


def payment(house: House) -> None:
    client = client_at(house.ledger, "maria@studio.example")
    assert client is not None
    sign = Sign(
        key="sign:1", number="", amount=Money(minor=50_000, currency="EUR"), client=client.id, proven=False, says="paid"
    )
    with transaction(house.engine) as connection:
        note_payment(connection, house.clock, sign)


WORDS = [(answer, "answered"), (own_word, "answered-by-owner"), (payment, "paid")]


@pytest.mark.parametrize(("word", "outcome"), WORDS, ids=lambda value: getattr(value, "__name__", value))
def test_any_word_ends_the_waiting_before_it_is_proposed(house: House, word, outcome: str) -> None:
    through_deskhand(house)
    house.clock.move(days=1)
    word(house)
    for state in house.ledger.open_cases():
        close(house, state.case)
    assert begin(house) == ()


@pytest.mark.parametrize(("word", "outcome"), WORDS, ids=lambda value: getattr(value, "__name__", value))
def test_any_word_ends_a_follow_up_under_way_in_the_same_transaction(house: House, word, outcome: str) -> None:
    through_deskhand(house)
    (case,) = begin(house)
    word(house)
    assert endings(house, case) == [outcome]
    word(house)
    assert endings(house, case) == [outcome]


def test_an_automatic_answer_is_none(house: House) -> None:
    through_deskhand(house)
    (case,) = begin(house)
    auto_reply(house)
    assert endings(house, case) == []


def test_a_follow_up_that_left_is_not_followed_up(house: House) -> None:
    through_deskhand(house)
    (case,) = begin(house)
    state = house.ledger.case(case)
    assert state.kind == "followup"
    close(house, case)
    assert begin(house, 4 * WEEK) == ()


def test_a_later_question_takes_the_place_of_the_earlier_one(house: House) -> None:
    by_hand(house, message_id="<one@winter.example>")
    house.clock.move(days=2)
    by_hand(house, "Hello Maria,\n\ncould we say Friday instead?", message_id="<two@winter.example>")
    assert begin(house, WEEK) == ()
    (case,) = begin(house, timedelta(days=9))
    assert house.ledger.silence(case).question == "could we say Friday instead?"
