"""What the ledger knows of the owner's decisions is what counts: a state that Temporal carries is not believed."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from tests.ledgers import NOON, House, mail
from workflows.errors import OutOfStep
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve, Attach, Edit, Mine, Reject, Without
from workflows.models.drafts import Draft, DraftedBy
from workflows.models.mail import Attachment

MINUTE = timedelta(minutes=1)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    built = House(tmp_path / "home")
    yield built
    built.engine.dispose()


def drafted(house: House, body: str = "Thursday works.") -> CaseState:
    house.receive(mail(f"When can we meet about {body}?", message_id=f"<{len(body)}@studio.example>"))
    state = house.ledger.open_cases()[-1]
    return house.ledger.add_version(state, Draft(body=body, gist="", by=DraftedBy.TEMPLATE))


def answer(house: House, state: CaseState, decision: Any, key: str = "k", **changes: Any) -> Answer:
    given = Answer(key=key, case=state.case, version=state.version, decision=decision, hash=state.hash, at=NOON)
    given = replace(given, **changes)
    house.ledger.record_answer(given)
    return given


def test_without_a_yes_on_record_nothing_is_approved_nor_may_leave(house: House) -> None:
    state = drafted(house)
    assert not house.ledger.approve_version(replace(state, stage="approved"))
    assert house.ledger.case(state.case).stage == "drafted"
    assert not house.ledger.may_leave(state.case, 1)
    answer(house, state, Approve())
    assert not house.ledger.may_leave(state.case, 1)  # said, and its case has not acted on it
    assert house.ledger.approve_version(replace(state, stage="approved"))
    assert house.ledger.may_leave(state.case, 1)


@pytest.mark.parametrize(
    ("decision", "changes"),
    [
        (Approve(), {"version": 2}),
        (Approve(), {"hash": "f" * 64}),
        (Edit(text="Another text.\n", send=True), {"version": 0}),
        (Edit(text="Thursday works.\n"), {"version": 0}),
        (Edit(text="Thursday works.\n", send=True), {"version": 1}),
        (Reject(), {}),
        (Mine(), {}),
    ],
)
def test_what_is_no_yes_to_this_text_approves_nothing(house: House, decision: Any, changes: dict[str, Any]) -> None:
    state = drafted(house)
    answer(house, state, decision, **changes)
    assert not house.ledger.approve_version(replace(state, stage="approved"))


def test_the_owners_own_text_with_the_word_to_send_is_a_yes_to_it(house: House) -> None:
    state = drafted(house)
    answer(house, state, Edit(text="Thursday works.\n", send=True), version=0)
    assert house.ledger.approve_version(replace(state, stage="approved"))


BRIEF = Attachment(name="brief.pdf", size=4, sha256="1" * 64)
PRICES = Attachment(name="prices.pdf", size=4, sha256="2" * 64)


def without(*names: str, send: bool = True) -> Without:
    return Without(words="ok, without ...", parts="...", names=names, send=send)


def with_files(house: House) -> CaseState:
    state = drafted(house)
    return house.ledger.change_parts(state, Attach(words="", files=(BRIEF, PRICES)))


def test_a_yes_to_less_than_was_shown_is_a_yes_to_exactly_that(house: House) -> None:
    shown = with_files(house)
    given = answer(house, shown, without("brief.pdf"))
    less = house.ledger.change_parts(shown, given.decision)
    assert house.ledger.change_parts(shown, given.decision) == less  # tried again: the same version
    assert [file.name for file in house.ledger.outgoing(shown.case, less.version).attachments] == ["prices.pdf"]
    assert house.ledger.approve_version(replace(less, stage="approved"))


@pytest.mark.parametrize("made_of", [("prices.pdf",), ("brief.pdf", "prices.pdf"), ()])
def test_it_is_none_to_anything_else(house: House, made_of: tuple[str, ...]) -> None:
    shown = with_files(house)
    answer(house, shown, without("brief.pdf"))
    for name, decision in {"k1": without("brief.pdf", send=False)}.items():
        answer(house, shown, decision, key=name)
    less = house.ledger.change_parts(shown, without(*made_of))
    assert not house.ledger.approve_version(replace(less, stage="approved"))


def test_the_owners_own_text_never_carries_a_file_that_was_not_shown(house: House) -> None:
    state = drafted(house)
    answer(house, state, Edit(text="Thursday works.\n", send=True))
    more = house.ledger.change_parts(state, Attach(words="", files=(BRIEF,)))
    assert not house.ledger.approve_version(replace(more, stage="approved"))


def test_an_answer_that_was_refused_never_comes_true_later(house: House) -> None:
    state = drafted(house)
    given = answer(house, state, Approve())
    house.ledger.answer_handled(given.key, "It was stopped.", taken=False)
    assert not house.ledger.approve_version(replace(state, stage="approved"))
    assert not house.ledger.may_leave(state.case, 1)


def test_another_cases_yes_is_none(house: House) -> None:
    first, second = drafted(house), drafted(house, "Friday works.")
    answer(house, first, Approve())
    assert not house.ledger.approve_version(replace(second, stage="approved"))


# ---------------------------------------------------------------- a case never goes back


@pytest.mark.parametrize(
    "older",
    [
        {"version": 0},
        {"heard": ("mail-2",)},
        {"heard": ()},
        {"consumed": ("answer-1",)},
        {"consumed": ()},
    ],
)
def test_a_state_that_is_behind_the_ledger_is_refused(house: House, older: dict[str, Any]) -> None:
    state = replace(
        drafted(house), heard=("mail-2", "mail-3"), consumed=("answer-1", "answer-2"), stage="waiting", round=1
    )
    house.ledger.save_case(state)
    for step in (house.ledger.save_case, house.ledger.close_case):
        with pytest.raises(OutOfStep, match="older than the ledger"):
            step(replace(state, **older))
    assert house.ledger.case(state.case) == state


def test_what_goes_on_is_not_behind(house: House) -> None:
    state = replace(drafted(house), heard=("mail-2",), consumed=("answer-1",), stage="waiting")
    house.ledger.save_case(state)
    house.ledger.save_case(state)  # the same step, made again
    house.ledger.save_case(replace(state, heard=(*state.heard, "mail-3"), consumed=(*state.consumed, "answer-2")))


def test_a_closed_case_is_not_opened_by_what_was_said_before(house: House) -> None:
    state = drafted(house)
    house.ledger.close_case(replace(state, outcome="rejected"))
    with pytest.raises(OutOfStep):
        house.ledger.save_case(replace(state, stage="waiting"))
    house.ledger.close_case(replace(state, outcome="rejected"))  # the last step, made again
    assert house.ledger.case(state.case).stage == "closed"


# ---------------------------------------------------------------- a standing yes


def shown(house: House, leaves_at: datetime | None = NOON, **changes: Any) -> CaseState:
    """A case that was asked about and leaves by itself at that time."""
    state = replace(drafted(house), stage="waiting", round=1, leaves_at=leaves_at, **changes)
    house.ledger.save_case(state)
    house.sent_row(
        intent=f"ask:{state.case}.1:1", purpose="approval", case=state.case, version=1, state="sent", sent_at=NOON
    )
    return state


def test_what_was_shown_and_waited_long_enough_may_leave(house: House) -> None:
    state = shown(house)
    assert house.ledger.due_to_stand(state.case, 1) == state


def test_its_own_recorded_yes_is_in_nobodys_way(house: House) -> None:
    state = shown(house)
    answer(house, state, Approve(), key=f"standing:{state.case}.1", via="standing")
    assert house.ledger.due_to_stand(state.case, 1) == state


@pytest.mark.parametrize("changes", [{"leaves_at": NOON + MINUTE}, {"leaves_at": None}, {"hold": "a complaint"}])
def test_what_is_not_due_waits_for_a_yes(house: House, changes: dict[str, Any]) -> None:
    state = shown(house, **changes)
    assert house.ledger.due_to_stand(state.case, 1) is None


def test_what_was_never_shown_waits_for_a_yes(house: House) -> None:
    state = replace(drafted(house), stage="waiting", round=1, leaves_at=NOON)
    house.ledger.save_case(state)
    assert house.ledger.due_to_stand(state.case, 1) is None
    assert house.ledger.due_to_stand(state.case, 2) is None
    assert house.ledger.due_to_stand(99, 1) is None


def test_whatever_was_said_since_takes_a_yes_of_its_own(house: House) -> None:
    state = shown(house)
    answer(house, state, Reject())
    assert house.ledger.due_to_stand(state.case, 1) is None


def test_a_client_who_wrote_again_takes_a_yes_of_its_own(house: House) -> None:
    first = mail("When can we meet?")
    house.receive(first)
    state = house.ledger.add_version(house.ledger.open_cases()[-1], Draft(body="Yes.", gist="", by=DraftedBy.TEMPLATE))
    state = replace(state, stage="waiting", round=1, leaves_at=NOON)
    house.ledger.save_case(state)
    house.sent_row(intent="ask:1.1:1", purpose="approval", case=state.case, version=1, state="sent", sent_at=NOON)
    assert house.ledger.due_to_stand(state.case, 1) == state
    house.receive(mail("And bring the contract.", in_reply_to=(first.message_id,), references=(first.message_id,)))
    assert house.ledger.due_to_stand(state.case, 1) is None
