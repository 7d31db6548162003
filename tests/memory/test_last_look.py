"""The last look before a send, on a real ledger: what holds an approved mail, in whose words, and what lets it go."""

from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import delete, insert, update

from memory.outbox.entries import Claimed, Held, SendLimits
from memory.outbox.outgoing import OutgoingLedger
from memory.record.schema import client_addresses, transaction, versions
from tests.approved import composed
from tests.ledgers import House, mail, own_mail
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve
from workflows.models.drafts import Draft, DraftedBy, Outgoing
from workflows.rules.text.canonical import approved_hash, body_hash

BODY = "Hi Maria,\n\nThursday at 10:00 works for me; please send the brief before.\n\nAda\n"
FREE = SendLimits(grace=timedelta(0))


@dataclass
class Look:
    """One house with its outbox, and cases whose draft the owner has approved."""

    house: House
    rows: OutgoingLedger

    def receive(self, text: str = "When can you start?", **fields: Any) -> CaseState:
        """A client's mail opens a case, which has heard of it."""
        event = self.house.receive(mail(text, **fields))
        self.house.ledger.mark_delivered(event.key, event.kind)
        return self.house.ledger.case(event.case)

    def drafted(self, state: CaseState, body: str = BODY, *, proactive: bool = False) -> CaseState:
        made = self.house.ledger.add_version(state, Draft(body=body, gist="", by=DraftedBy.TEMPLATE))
        if proactive:
            outgoing = replace(self.house.ledger.outgoing(made.case, made.version), proactive=True)
            with transaction(self.house.engine) as connection:
                text = self._json(outgoing)
                connection.execute(update(versions).where(versions.c.case == made.case).values(outgoing=text))
        return made

    def approve(self, state: CaseState) -> None:
        """One yes to the current version, at this time."""
        answer = Answer(
            key=f"yes-{state.case}-{self.house.clock.now().isoformat()}", case=state.case, version=state.version,
            decision=Approve(), hash=state.hash, at=self.house.clock.now(),
        )  # fmt: skip
        self.house.ledger.record_answer(answer)
        self.house.ledger.answer_handled(answer.key, "Approved.")
        self.house.ledger.approve_version(replace(state, stage="approved"))

    def ready(self, text: str = "When can you start?", body: str = BODY, **fields: Any) -> CaseState:
        """A case whose draft is approved and waits in the outbox."""
        proactive = fields.pop("proactive", False)
        state = self.drafted(self.receive(text, **fields), body, proactive=proactive)
        self.approve(state)
        outgoing = self.house.ledger.outgoing(state.case, state.version)
        self.rows.enqueue(
            intent=f"send:{state.case}.{state.version}", purpose="client", case=state.case, version=state.version,
            client=state.client, recipients=[one.email for one in outgoing.to], hash=approved_hash(outgoing),
        )  # fmt: skip
        return state

    def claim(self, state: CaseState) -> Claimed | Held:
        body = self.house.ledger.outgoing(state.case, state.version).body
        made = lambda entry: replace(composed(entry), body_hash=body_hash(body))  # noqa: E731
        return self.rows.claim(f"send:{state.case}.{state.version}", made, FREE, self.house.clock.now())

    def send(self, state: CaseState) -> None:
        assert isinstance(self.claim(state), Claimed)
        intent = f"send:{state.case}.{state.version}"
        self.rows.committing(intent)
        self.rows.sent(intent, "250 ok", "", self.house.clock.now())
        self.house.ledger.close_case(replace(self.house.ledger.case(state.case), outcome="sent"))

    def _json(self, outgoing: Outgoing) -> str:
        from memory.record.schema import to_json

        return to_json(outgoing)


@pytest.fixture
def look(tmp_path: Path) -> Iterator[Look]:
    house = House(tmp_path / "home")
    yield Look(house, OutgoingLedger(house.engine, house.clock, house.blobs))
    house.engine.dispose()


def reason(found: Claimed | Held) -> str:
    assert isinstance(found, Held), found
    return found.reason


# ---------------------------------------------------------------- the conversation


def test_nothing_in_the_way_lets_it_go(look):
    assert isinstance(look.claim(look.ready()), Claimed)


@pytest.mark.parametrize("delivered", [False, True])
def test_newer_mail_of_the_client_holds_until_the_case_has_heard_it(look, delivered):
    first = mail("When can you start?")
    state = look.ready("When can you start?")
    look.house.clock.move(minutes=5)
    event = look.house.receive(mail("Never mind, we found someone.", in_reply_to=(first.message_id,)))
    assert event.case == state.case
    if delivered:
        look.house.ledger.mark_delivered(event.key, event.kind)
    assert "newer mail" in reason(look.claim(state)).lower()
    assert look.claim(state).until is not None, "it is looked at again by itself"
    look.house.ledger.mark_delivered(event.key, event.kind)
    heard = replace(look.house.ledger.case(state.case), stage="sending", heard=(event.key,))
    look.house.ledger.save_case(heard)
    assert isinstance(look.claim(state), Claimed)


def test_the_owners_own_answer_in_the_thread_holds(look):
    first = mail("When can you start?")
    state = look.ready("When can you start?")
    event = look.house.receive(own_mail("I can start on Monday.", in_reply_to=(first.message_id,)), "sent")
    look.house.ledger.mark_delivered(event.key, event.kind)
    assert "You wrote to them yourself" in reason(look.claim(state))


def test_answers_and_mail_of_other_cases_do_not_hold(look):
    state = look.ready("When can you start?")
    other = look.receive("A question of somebody else", message_id="<x@else.example>", subject="Other")
    assert other.case != state.case
    assert isinstance(look.claim(state), Claimed)


# ---------------------------------------------------------------- the person


def test_an_address_that_is_no_longer_the_clients_holds_until_one_more_yes(look):
    state = look.ready()
    with transaction(look.house.engine) as connection:
        connection.execute(delete(client_addresses).where(client_addresses.c.email == "maria@studio.example"))
        connection.execute(insert(client_addresses).values(email="maria@new.example", client=state.client))
    held = look.claim(state)
    assert (held.rule, held.until) == ("address", None)
    assert "maria@studio.example is no longer an address of Maria Alvarez" in held.reason
    look.house.clock.move(days=3)
    assert look.claim(state).rule == "address", "time alone does not end it"
    look.approve(state)
    assert isinstance(look.claim(state), Claimed)


def test_an_address_that_moved_to_another_client_holds(look):
    state = look.ready()
    with transaction(look.house.engine) as connection:
        connection.execute(update(client_addresses).values(client="c-other"))
    assert look.claim(state).rule == "address"


# ---------------------------------------------------------------- twice


def test_the_same_text_sent_by_hand_holds_until_one_more_yes(look):
    state = look.ready()
    by_hand = own_mail(f"{BODY}\n--\nAda Winter\nwinter.example", subject="The kick-off")
    assert look.house.receive(by_hand, "sent") is None, "it is in no conversation that Deskhand knows"
    look.house.clock.move(minutes=20)
    held = look.claim(state)
    assert held.rule == "duplicate"
    assert "You sent them the same text yourself (23 Nov 12:00 UTC)" in held.reason
    assert f"./deskhand approve {state.case}.1" in held.reason
    look.house.clock.move(minutes=1)
    look.approve(state)
    assert isinstance(look.claim(state), Claimed)


def test_a_duplicate_once_held_does_not_leave_by_itself_when_the_day_is_over(look):
    state = look.ready()
    look.house.receive(own_mail(BODY), "sent")
    assert look.claim(state).rule == "duplicate"
    look.house.clock.move(hours=30)
    found = look.claim(state)
    assert isinstance(found, Held), "the owner was told that it is not sent without another word"


@pytest.mark.parametrize(
    ("text", "to", "hours"),
    [("Something else entirely.", "maria@studio.example", 0), (BODY, "bob@else.example", 0), (BODY, "", 25)],
)
def test_other_texts_other_people_and_older_mail_are_no_duplicates(look, text, to, hours):
    look.house.receive(own_mail(text, to=to or "maria@studio.example"), "sent")
    look.house.clock.move(hours=hours)
    assert isinstance(look.claim(look.ready()), Claimed)


def test_short_texts_are_duplicates_only_when_they_are_the_whole_mail(look):
    state = look.ready(body="Yes.\n")
    look.house.receive(own_mail("Yes. And one more thing: the invoice is attached.", subject="A"), "sent")
    assert isinstance(look.claim(state), Claimed)


def test_the_same_answer_twice_to_the_same_mail_holds(look):
    """As when a mail arrives once more under another identity and both are approved."""
    fields = {"message_id": "<q1@studio.example>"}
    look.send(look.ready("When can you start?", **fields))
    again = look.ready("When can you start? ", **fields)
    look.house.clock.move(hours=1)
    held = look.claim(again)
    assert held.rule == "duplicate"
    assert "It went to them already as 1.1" in held.reason


def test_one_template_answers_two_questions_of_a_client(look):
    look.send(look.ready("First?", subject="First"))
    assert isinstance(look.claim(look.ready("Second?", subject="Second")), Claimed)


def test_two_doubts_are_both_asked_and_one_later_yes_ends_both(look):
    state = look.ready()
    look.house.receive(own_mail(BODY), "sent")
    with transaction(look.house.engine) as connection:
        connection.execute(update(client_addresses).values(client="c-other"))
    assert look.claim(state).rule == "address"
    look.house.clock.move(minutes=1)
    look.approve(state)
    assert look.claim(state).rule == "duplicate"
    look.house.clock.move(minutes=1)
    look.approve(state)
    assert isinstance(look.claim(state), Claimed)


# ---------------------------------------------------------------- complaints, and what nobody asked for


def test_a_complaint_holds_what_is_proactive_and_not_the_approved_answer(look):
    look.house.receive(mail("I am unhappy.", subject="Complaint"), "inbox")
    answer, greeting = look.ready("Q?", subject="Q"), look.ready("R?", subject="R", proactive=True)
    look.house.hold(answer.client, "a complaint")
    assert isinstance(look.claim(answer), Claimed)
    assert "while there is a complaint" in reason(look.claim(greeting))
    look.house.hold(answer.client, "")
    assert isinstance(look.claim(greeting), Claimed)


def test_one_proactive_mail_a_day_to_a_client(look):
    first, second = (look.ready(f"{n}?", subject=f"{n}", body=f"News {n}.\n", proactive=True) for n in (1, 2))
    reply = look.ready("3?", subject="3", body="Yes.\n")
    look.send(first)
    held = look.claim(second)
    assert "one a day is the limit" in held.reason
    assert isinstance(look.claim(reply), Claimed), "an answer is never counted"
    look.house.clock.time = held.until
    assert isinstance(look.claim(second), Claimed)


def test_a_mail_with_a_complaint_holds_and_the_end_of_its_case_lets_go(look):
    from tests.ledgers import OWNER
    from workflows.rules.routing import route

    text = "I want to file a formal complaint about your work; this is unacceptable."
    email = mail(text, subject="Complaint about the site")
    decide = lambda given, around: route(given, OWNER, around)  # noqa: E731
    event = look.house.ledger.record_mail(email, "inbox", decide, look.house.clock.now())
    state = look.house.ledger.case(event.case)
    assert state.hold
    assert look.house.ledger.standing(state.client).hold == state.hold
    look.house.ledger.close_case(replace(state, outcome="expired"))
    assert look.house.ledger.standing(state.client).hold, "nobody has seen to it yet"
    look.house.ledger.close_case(replace(state, outcome="mine"))
    assert look.house.ledger.standing(state.client).hold == ""
