"""The outbox rows: the last look before a mail leaves, its caps, and which step may follow which."""

from dataclasses import replace
from datetime import datetime, timedelta

import pytest
from sqlalchemy import insert, select, update

from memory.outbox.entries import Claimed, Held, SendLimits
from memory.outbox.outgoing import OutgoingLedger
from memory.record.schema import client_addresses, clients, meta, threads, transaction, versions
from tests.approved import CLIENT, FREE, NOW, Desk
from workflows.errors import NeedsOwner, Permanent, Retryable
from workflows.models.decisions import Approve, Edit, Later, Mine, Never, Reject, Revise, Unclear, Why
from workflows.models.mail import Address


@pytest.fixture
def desk(tmp_path) -> Desk:
    return Desk(tmp_path)


def test_claim_keeps_the_bytes_before_the_row_names_them(desk):
    claim = desk.claim(desk.approved())
    assert isinstance(claim, Claimed)
    assert (claim.entry.state, claim.entry.message_id) == ("claimed", "<send:41.1@winter.example>")
    assert desk.blobs.get(claim.entry.blob) == b"send:41.1"


def test_second_claim_has_the_same_bytes_and_never_composes_again(desk):
    intent = desk.approved()
    first = desk.claim(intent)

    def never(entry):
        raise AssertionError("composed twice")

    second = desk.ledger.claim(intent, never, FREE, desk.clock.now())
    assert second.entry.blob == first.entry.blob
    assert second.entry.attempts == 2


def test_failed_compose_leaves_the_row_as_it_was(desk):
    intent = desk.approved()

    def broken(entry):
        raise Permanent("cannot be put into a mail")

    with pytest.raises(Permanent):
        desk.ledger.claim(intent, broken, FREE, desk.clock.now())
    assert desk.ledger.entry(intent).state == "approved"


def test_enqueue_twice_is_once_and_another_text_is_refused(desk):
    outgoing = desk.version()
    assert desk.enqueue(outgoing) == desk.enqueue(outgoing)
    with pytest.raises(Permanent):
        desk.enqueue(replace(outgoing, body="Another text.\n"))
    with pytest.raises(Permanent):
        desk.enqueue(replace(outgoing, to=(Address(email="eve@else.example"),)))


def test_without_a_recorded_yes_nothing_goes(desk):
    outgoing = desk.version()
    assert "no yes" in desk.claim(desk.enqueue(outgoing)).reason


@pytest.mark.parametrize(
    "decision", [Why(), Mine(), Never(), Reject(), Later(until=NOW), Edit(text="x"), Unclear(question="?")]
)
def test_no_other_answer_is_read_as_a_yes(desk, decision):
    outgoing = desk.version()
    desk.answer(outgoing, decision)
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Held)


@pytest.mark.parametrize("state", ["current", "superseded", "rejected", "expired"])
def test_only_an_approved_version_goes(desk, state):
    assert state in desk.claim(desk.approved(state=state)).reason


@pytest.mark.parametrize("digest", ["", "0" * 64])
def test_a_yes_to_another_text_does_not_count(desk, digest):
    outgoing = desk.version()
    desk.answer(outgoing, Approve(), digest=digest)
    assert "no yes" in desk.claim(desk.enqueue(outgoing)).reason


def test_a_yes_to_another_version_does_not_count(desk):
    outgoing = desk.version(version=2)
    desk.answer(outgoing, Approve(), version=1)
    assert "no yes" in desk.claim(desk.enqueue(outgoing)).reason


def test_a_changed_row_of_the_version_does_not_go(desk):
    intent = desk.approved()
    desk.write(update(versions).values(hash="0" * 64))
    assert "not the one" in desk.claim(intent).reason


@pytest.mark.parametrize(("text", "goes"), [("My own words.", True), ("Other words.", False)])
def test_edit_with_a_bang_is_a_yes_to_its_own_text_alone(desk, text, goes):
    outgoing = desk.version(version=2, body="My own words.\n")
    desk.answer(outgoing, Edit(text=text, send=True), version=1)
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Claimed) is goes


def test_edit_without_the_bang_is_no_yes(desk):
    outgoing = desk.version(version=2, body="My own words.\n")
    desk.answer(outgoing, Edit(text="My own words."), version=1)
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Held)


LATER = NOW + timedelta(seconds=5)
NOES = [
    Reject(reason="no"),
    Mine(),
    Never(),
    Later(until=NOW),
    Edit(text="x"),
    Revise(wishes="x"),
    Unclear(question="?"),
]


@pytest.mark.parametrize("decision", NOES)
def test_a_later_no_wins(desk, decision):
    outgoing = desk.version()
    desk.answer(outgoing, Approve())
    desk.answer(outgoing, decision, at=LATER)
    assert "later answer" in desk.claim(desk.enqueue(outgoing)).reason


@pytest.mark.parametrize("decision", NOES)
def test_a_no_its_case_has_not_heard_wins_whatever_its_date(desk, decision):
    outgoing = desk.version()
    desk.answer(outgoing, Approve())
    desk.answer(outgoing, decision, at=NOW - timedelta(hours=1), state="recorded")
    assert "later answer" in desk.claim(desk.enqueue(outgoing)).reason


def test_a_no_still_wins_after_an_attempt_that_sent_nothing(desk):
    outgoing = desk.version()
    desk.answer(outgoing, Approve())
    intent = desk.enqueue(outgoing)
    desk.claim(intent)
    desk.answer(outgoing, Reject(), at=LATER, state="recorded")
    assert isinstance(desk.claim(intent), Held)


@pytest.mark.parametrize(
    ("decision", "version"), [(Why(), 2), (Approve(), 2), (Revise(wishes="x"), 1), (Edit(text="x"), 1)]
)
def test_questions_and_stale_wishes_do_not_hold_it(desk, decision, version):
    outgoing = desk.version(version=2)
    desk.answer(outgoing, Approve())
    desk.answer(outgoing, decision, at=LATER, version=version)
    desk.clock.time = LATER
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Claimed)


def test_a_yes_after_later_counts(desk):
    outgoing = desk.version()
    desk.answer(outgoing, Later(until=NOW))
    desk.answer(outgoing, Approve(), at=LATER)
    desk.clock.time = LATER
    assert isinstance(desk.claim(desk.enqueue(outgoing)), Claimed)


def test_stop_all_beats_an_approval_already_given_and_claimed(desk):
    intent, other = desk.approved(), desk.approved(case=42)
    desk.claim(other)
    desk.write(insert(meta).values(key="stopped", value="2026-11-23"))
    assert "stopped" in desk.claim(intent).reason
    assert "stopped" in desk.claim(other).reason
    desk.write(update(meta).where(meta.c.key == "stopped").values(value=""))
    assert isinstance(desk.claim(intent), Claimed)


def test_held_client_is_still_answered(desk):
    """What is proactive waits (tests/memory/test_last_look.py); an answer that the owner approved goes."""
    desk.write(insert(clients).values(id="c1", name="Maria", hold="complaint", at=NOW))
    desk.write(insert(client_addresses).values(email="maria@studio.example", client="c1"))
    assert isinstance(desk.claim(desk.approved()), Claimed)


def test_grace_lets_a_no_win(desk):
    intent = desk.approved()
    held = desk.claim(intent, SendLimits())
    assert held.until == NOW + timedelta(seconds=60)
    desk.clock.time = held.until
    assert isinstance(desk.claim(intent, SendLimits()), Claimed)


def test_a_wrong_clock_in_the_answer_does_not_hold_the_mail_for_hours(desk):
    outgoing = desk.version()
    desk.answer(outgoing, Approve(), at=NOW + timedelta(hours=5))
    assert isinstance(desk.claim(desk.enqueue(outgoing), SendLimits()), Claimed)


@pytest.mark.parametrize(
    ("now", "until"),
    [
        ("2026-11-23T20:30+01:00", "2026-11-24T07:00+01:00"),
        ("2026-11-24T06:59+01:00", "2026-11-24T07:00+01:00"),
        ("2026-11-24T07:00+01:00", None),
        ("2026-11-23T19:59+01:00", None),
        ("2026-07-01T20:00+02:00", "2026-07-02T07:00+02:00"),
    ],
)
def test_quiet_hours_are_the_owners(desk, now, until):
    outgoing = desk.version()
    desk.answer(outgoing, Approve(), at=datetime.fromisoformat(now))
    desk.clock.time = datetime.fromisoformat(now)
    limits = SendLimits(grace=timedelta(0), quiet_hours="20:00-07:00", timezone="Europe/Berlin")
    found = desk.claim(desk.enqueue(outgoing), limits)
    assert getattr(found, "until", None) == (datetime.fromisoformat(until) if until else None)


@pytest.mark.parametrize("text", ["evening", "20:00", "20:00-25:00", "20:00-20:00"])
def test_unreadable_quiet_hours_are_told(desk, text):
    with pytest.raises(NeedsOwner, match="quiet_hours"):
        desk.claim(desk.approved(), replace(FREE, quiet_hours=text))


def test_a_cap_of_nothing_is_told():
    with pytest.raises(NeedsOwner, match="at least 1"):
        SendLimits(per_hour=0)


def test_cap_per_recipient_per_day(desk):
    limits = replace(FREE, per_recipient_per_day=2)
    intents = [desk.approved(case=case) for case in range(1, 4)]
    assert isinstance(desk.claim(intents[0], limits), Claimed)
    assert isinstance(desk.claim(intents[1], limits), Claimed)
    held = desk.claim(intents[2], limits)
    assert CLIENT in held.reason
    assert isinstance(desk.claim(desk.approved(case=9, to="joe@studio.example"), limits), Claimed)
    desk.clock.time = held.until
    assert isinstance(desk.claim(intents[2], limits), Claimed)


def test_cap_per_hour_is_never_passed_in_any_sliding_hour(desk):
    """S3, small: 600 intents against 50 an hour, restarts between, retries that count when they really leave."""
    count, cap = 600, 50
    waiting = [desk.approved(case=case, to=f"c{case}@studio.example") for case in range(1, count + 1)]
    limits, left = replace(FREE, per_hour=cap), []
    while waiting:
        intent = waiting.pop(0)
        claim = desk.claim(intent, limits)
        if isinstance(claim, Held):
            waiting.insert(0, intent)
            desk.clock.time = claim.until
            desk.ledger = OutgoingLedger(desk.engine, desk.clock, desk.blobs)  # a restart forgets nothing
            continue
        if len(left) % 7 == 3 and claim.entry.attempts == 1:
            waiting.insert(min(20, len(waiting)), intent)  # nothing was sent; it goes again later
            continue
        left.append(desk.clock.time)
        desk.clock.time += timedelta(seconds=1)
    assert len(left) == count
    for first, last in zip(left, left[cap:], strict=False):
        assert last - first > timedelta(hours=1)


def test_mails_to_the_owner_are_not_capped_or_held(desk):
    desk.write(insert(meta).values(key="stopped", value="yes"))
    desk.ledger.enqueue(intent="ask:1.1", purpose="approval", recipients=["ada@winter.example"], hash="h")
    assert isinstance(desk.claim("ask:1.1", SendLimits(per_hour=1)), Claimed)


def test_only_one_attempt_may_commit(desk):
    intent = desk.approved()
    desk.claim(intent)
    desk.ledger.committing(intent)
    with pytest.raises(Retryable, match="another attempt"):
        desk.ledger.committing(intent)
    assert isinstance(desk.claim(intent), Held)


def test_states_never_go_backwards(desk):
    intent = desk.approved()
    desk.claim(intent)
    desk.ledger.sent(intent, "250 ok", "", NOW)
    assert desk.ledger.entry(intent).state == "claimed", "sent needs committing"
    desk.ledger.committing(intent)
    assert desk.ledger.sent(intent, "250 ok", "", NOW).state == "sent"
    desk.ledger.retry(intent, "x")
    desk.ledger.failed(intent, "x")
    desk.ledger.uncertain(intent, "x")
    assert desk.ledger.entry(intent).state == "sent"
    with pytest.raises(Retryable):
        desk.ledger.committing(intent)


def test_evidence_beats_uncertain_and_the_owner_settles_the_rest(desk):
    first, second, third = (desk.approved(case=case) for case in (1, 2, 3))
    for intent in (first, second, third):
        desk.claim(intent)
        desk.ledger.committing(intent)
        desk.ledger.uncertain(intent, "no answer")
    desk.ledger.sent(first, "found in Sent", "", NOW)
    desk.ledger.settle(second, arrived=True)
    desk.ledger.settle(third, arrived=False)
    assert [desk.ledger.entry(intent).state for intent in (first, second, third)] == ["sent", "sent", "claimed"]


def test_answers_to_either_id_find_the_case(desk):
    intent = desk.approved()
    desk.claim(intent)
    desk.ledger.committing(intent)
    desk.ledger.sent(intent, "250 ok", "<SRV1@mx.example>", NOW)
    for message_id in ("<send:41.1@winter.example>", "<SRV1@mx.example>"):
        assert desk.ledger.is_ours(message_id, "")
    with transaction(desk.engine) as connection:
        rows = connection.execute(select(threads.c.message_id, threads.c.case)).all()
    assert sorted(rows) == [("<SRV1@mx.example>", 41), ("<send:41.1@winter.example>", 41)]


def test_what_is_ours_by_body(desk):
    desk.ledger.enqueue(
        intent="ask:1.1", purpose="approval", recipients=["ada@winter.example"], hash="h", reference="<1.1.r@d.invalid>"
    )
    assert not desk.ledger.is_ours("", "")
    assert not desk.ledger.is_ours("<other@x>", "b" * 64)
    desk.claim("ask:1.1")
    assert desk.ledger.is_ours("<other@x>", "b" * 64)


def test_what_the_server_files_is_learned(desk):
    assert desk.ledger.files_sent("smtp.winter.example") is None
    desk.ledger.learn_files_sent("smtp.winter.example", files=True)
    desk.ledger.learn_files_sent("smtp.winter.example", files=False)
    assert desk.ledger.files_sent("smtp.winter.example") is False
