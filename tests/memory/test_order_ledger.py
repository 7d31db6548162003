"""Orders in the ledger: once by their key, in one transaction with what they change; who is meant, what is rescued."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest

from tests.ledgers import House, client_at, mail, own_mail
from workflows.models.mail import Address
from workflows.models.orders import Away, Back, Pause, Rescue, Resume, StopAll
from workflows.models.routes import Ignore, Route, Surroundings
from workflows.rules.routing import route

PAUSED = Ignore(rule="paused", reason="You paused them.")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def told(house: House, key: str, order):
    return house.ledger.carry_out(key, order, house.clock.now())


def client(house: House, name: str, email: str):
    event = house.receive(mail(f"Hello from {email}", senders=(Address(email=email, name=name),)))
    assert event is not None
    return house.ledger.client(event.client)


def decide(email, around: Surroundings) -> Route:
    return PAUSED if around.paused else Ignore(rule="newsletter", reason="It has an unsubscribe link.")


def skip(house: House, email) -> int:
    assert house.ledger.record_mail(email, "inbox", decide, house.clock.now()) is None
    return house.ledger.skipped(1)[0].id


def test_an_order_is_carried_out_once(house: House) -> None:
    first = told(house, "a", StopAll())
    assert first.ok
    told(house, "b", Resume())
    assert told(house, "a", StopAll()) == first
    assert house.ledger.stopped_since() == ""


def test_an_order_that_was_repeated_before_the_first_was_answered_changes_nothing_more(house: House) -> None:
    told(house, "s", StopAll())
    told(house, "r", Resume())
    told(house, "s2", StopAll())
    assert told(house, "r", Resume()).says.startswith("Approved mails")
    assert house.ledger.stopped_since()


def test_a_resume_older_than_the_stop_leaves_it_stopped(house: House) -> None:
    written = house.clock.now()
    house.clock.move(minutes=1)
    told(house, "s", StopAll())
    assert not house.ledger.carry_out("r", Resume(), written).ok
    assert house.ledger.stopped_since()
    assert house.ledger.carry_out("r2", Resume(), house.clock.now()).ok
    assert house.ledger.stopped_since() == ""


def test_a_stop_for_another_reason_is_lifted_by_the_owner(house: House) -> None:
    house.ledger.set_meta("stopped", "a backup was restored")
    assert "a backup was restored" in told(house, "s", StopAll()).says
    assert told(house, "r", Resume()).ok
    assert house.ledger.stopped_since() == ""


def test_away_ends_by_itself_and_by_back(house: House) -> None:
    until = house.clock.now() + timedelta(days=2)
    assert told(house, "a", Away(until=until)).ok
    assert house.ledger.away_until() == until
    house.clock.move(days=3)
    assert house.ledger.away_until() is None
    assert "not away" in told(house, "b", Back()).says
    assert not told(house, "c", Away(until=until)).ok
    told(house, "d", Away(until=house.clock.now() + timedelta(days=1)))
    assert "Welcome back" in told(house, "e", Back()).says
    assert house.ledger.away_until() is None


@pytest.mark.parametrize(
    ("words", "paused"),
    [
        ("maria@studio.example", {"Maria Alvarez"}),
        ("MARIA@STUDIO.example", {"Maria Alvarez"}),
        ("María Álvarez", {"Maria Alvarez"}),
        ("Alvarez", {"Maria Alvarez"}),
        ("studio", {"Maria Alvarez"}),
        ("studio.example", {"Maria Alvarez"}),
        ("acme", {"Anna Acker", "Bob Acker"}),
        ("@acme.example", {"Anna Acker", "Bob Acker"}),
        ("Bob", {"Bob Acker"}),
        ("Acker", set()),  # two people, and no domain says that they belong together
        ("example", set()),
        ("nobody", set()),
        ("a", set()),
        ("%", set()),
    ],
)
def test_who_is_meant(house: House, words: str, paused: set[str]) -> None:
    client(house, "Maria Alvarez", "maria@studio.example")
    client(house, "Anna Acker", "anna@acme.example")
    client(house, "Bob Acker", "bob@acme.example")
    client(house, "Carl Acker", "carl@gamma.example")
    done = told(house, "p", Pause(client=words))
    assert done.ok == bool(paused)
    assert {one.name for one in house.ledger.clients() if house.ledger.standing(one.id).paused} == paused
    if paused:
        assert told(house, "r", Resume(client=words)).ok
        assert not any(house.ledger.standing(one.id).paused for one in house.ledger.clients())


def test_a_paused_clients_mail_waits_and_is_taken_up_in_order(house: House) -> None:
    maria = client(house, "Maria Alvarez", "maria@studio.example")
    told(house, "p", Pause(client="Maria"))
    skip(house, mail("Second question", message_id="<second@studio.example>"))
    skip(house, mail("One more thing", message_id="<third@studio.example>", in_reply_to=("<second@studio.example>",)))
    known = {event.key for event in house.ledger.undelivered()}
    done = told(house, "r", Resume(client="Maria"))
    assert "2 of their mails" in done.says
    new = [event for event in house.ledger.undelivered() if event.key not in known]
    assert [event.client for event in new] == [maria.id, maria.id]
    assert new[0].case == new[1].case
    assert new[0].kind == "mail"
    assert [one.text for one, _, _ in house.ledger.case_mails(house.ledger.case(new[0].case))] == ["Second question"]
    assert told(house, "r", Resume(client="Maria")) == done
    assert len(house.ledger.undelivered()) == len(known) + 2


def test_a_rescued_mail_becomes_a_case_once(house: House) -> None:
    number = skip(house, mail("Could you write for us?", senders=(Address(email="nora@letters.example", name="Nora"),)))
    done = told(house, "x", Rescue(number=number))
    assert done.ok
    (event,) = house.ledger.undelivered()
    known = client_at(house.ledger, "nora@letters.example")
    assert known is not None
    assert known.written_to
    assert (event.client, event.kind, event.hold) == (known.id, "mail", "")
    state = house.ledger.case(event.case)
    assert [client for _, client, _ in house.ledger.case_mails(state)] == [known.id]
    assert not told(house, "y", Rescue(number=number)).ok
    assert told(house, "x", Rescue(number=number)) == done
    assert len(house.ledger.case_rows()) == 1
    assert house.ledger.skipped() == ()


def test_a_rescued_complaint_is_shown_and_not_drafted(house: House) -> None:
    number = skip(house, mail("I want a full refund."))
    assert told(house, "x", Rescue(number=number)).ok
    (event,) = house.ledger.undelivered()
    assert event.hold
    assert house.ledger.case(event.case).hold == event.hold


def test_what_cannot_be_rescued_says_why(house: House) -> None:
    assert "no mail number 7" in told(house, "a", Rescue(number=7)).says
    event = house.receive(mail("Work"))
    assert event is not None
    assert f"case {event.case}" in told(house, "b", Rescue(number=1)).says
    house.receive(own_mail("To myself", to="ada@winter.example"), "sent")
    assert "your own" in told(house, "c", Rescue(number=2)).says
    house.ledger.quarantine("d" * 64, "mail", "It is too deep.", "", "")
    assert "could not be read safely" in told(house, "d", Rescue(number=3)).says
    nobody = skip(house, replace(mail("Who am I"), senders=(Address(email=""),)))
    assert "no sender address" in told(house, "e", Rescue(number=nobody)).says
    assert len(house.ledger.undelivered()) == 1


def test_the_account_of_what_was_skipped_leaves_the_owner_out(house: House) -> None:
    number = skip(house, mail("Sale", subject="Our newsletter"))
    house.receive(own_mail("To myself", to="ada@winter.example"), "sent")
    house.ledger.quarantine("d" * 64, "mail", "It is too deep.", "", "")
    assert [one.id for one in house.ledger.skipped()] == [number + 2, number]


def test_a_paused_client_with_a_complaint_is_shown_at_once(house: House) -> None:
    client(house, "Maria Alvarez", "maria@studio.example")
    told(house, "p", Pause(client="Maria"))
    owner = house.ledger._owner
    calm = house.ledger.record_mail(
        mail("Would Friday work for you?"),
        "inbox",
        lambda email, around: route(email, owner, around),
        house.clock.now(),
    )
    angry = house.ledger.record_mail(
        mail("I want a full refund now."), "inbox", lambda email, around: route(email, owner, around), house.clock.now()
    )
    assert calm is None
    assert angry is not None
    assert angry.hold == "a refund request"


def test_held_sends_are_those_of_cases_that_send(house: House) -> None:
    event = house.receive(mail("Hello"))
    assert event is not None
    house.sent_row(intent=f"send:{event.case}.1", case=event.case, version=1, state="approved")
    assert house.ledger.held_sends() == ()
    house.ledger.save_case(replace(house.ledger.case(event.case), stage="sending"))
    assert house.ledger.held_sends() == ((event.client, event.case, 1),)
