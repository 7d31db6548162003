"""Every way a case can go, on a server that skips time: the workflow logic itself, with scripted ports behind it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import pytest
from temporalio.client import WorkflowFailureError

from tests.scripted import NAMES, Script, seal
from tests.stage import NUMBERS, PATIENCE, Bench, Play, staged
from workers.temporal.engine import TemporalEngine
from workflows.case import LONG_HISTORY, MOST_HEARD, MOST_VERSIONS
from workflows.client import Approved, ClientVoice
from workflows.errors import OutOfStep, Permanent, Retryable
from workflows.models.decisions import Answer, Approve, Decision, Edit, Later, Mine, Never, Reject, Revise, Unclear, Why
from workflows.models.drafts import Receipt
from workflows.rules.answers import unclear

LARGEST_PAYLOAD = 256 * 1024
MOST_EVENTS = 4096
DAY = timedelta(days=1)
REFUSED = Permanent("The server refuses it for good.")


@pytest.fixture(scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with staged() as made:
        yield made


# ---------------------------------------------------------------- the yes


async def test_a_yes_sends_the_version_after_the_grace(bench: Bench) -> None:
    play = await bench.begin()
    asked = await play.at("waiting")
    said = await play.say(Approve())
    assert said == f"Approved {play.number}.1: it leaves in 60 s unless you say no."
    assert await play.ends() == "sent"
    assert play.script.sent == [1]
    assert play.script.told == []
    assert play.script.remembered == 1
    stages = [state.stage for state in play.script.saved]
    assert stages == ["new", "drafted", "waiting", "sending"]
    assert play.script.approved == [1]  # which keeps the state with the yes, in one transaction
    assert [state.outcome for state in play.script.closed] == ["sent"]
    assert await bench.environment.get_current_time() - asked.asked_at >= timedelta(seconds=60)


async def test_nothing_leaves_before_the_grace_is_over(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.passes(timedelta(seconds=55))
    assert (await play.state()).stage == "approved"
    assert play.script.sent == []
    assert await play.ends() == "sent"


async def test_a_second_yes_is_told_that_it_is_one(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    assert await play.say(Approve()) == f"{play.number}.1 was already approved."
    assert await play.ends() == "sent"
    assert play.script.sent == [1]


async def test_the_same_answer_twice_counts_once(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Why(), key="answer-1")
    await play.until(lambda state: "answer-1" in state.consumed and bool(play.script.explained))
    assert await play.say(Why(), key="answer-1") == f"Case {play.number}: an answer follows by mail."  # Temporal's own
    assert play.script.explained == ["why:answer-1"]


async def test_an_answer_for_another_case_or_text_is_refused(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    assert "is for case 900, not for case" in await play.refused(Approve(), case=900)
    assert "is for case 900, not for case" in await play.refused(Reject(), case=900)
    assert "not the one this answer was given to" in await play.refused(Approve(), hash="another text")
    assert "not the one this answer was given to" in await play.refused(Approve(), hash="")
    assert (await play.state()).stage == "waiting"


# ---------------------------------------------------------------- the no wins


@pytest.mark.parametrize(
    ("decision", "outcome"), [(Reject(reason="too cheap"), "rejected"), (Mine(), "mine"), (Never(), "never")]
)
async def test_a_no_within_the_grace_wins(bench: Bench, decision: Decision, outcome: str) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    await play.passes(timedelta(seconds=50))
    assert await play.say(decision) == f"Case {play.number} is closed; nothing was sent."
    assert await play.ends() == outcome
    assert play.script.sent == []
    assert play.script.reached["send"] == 0


async def test_never_is_kept_for_the_client(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Never())
    assert await play.ends() == "never"
    assert f"client-{play.number}" in bench.office.nevers


async def test_a_no_wins_even_when_it_waited_for_a_step_and_the_grace_is_over(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0))
    await play.at("waiting")
    gate = play.script.gate("approve")
    await play.say(Approve())
    await play.reached("approve")
    await play.say(Reject(reason="wait"))
    gate.set()
    assert await play.ends() == "rejected"
    assert play.script.reached["hand_over"] == 0


async def test_a_no_wins_while_the_case_is_about_to_hand_over(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0))
    await play.at("waiting")
    gate = play.script.gate("save:sending")
    await play.say(Approve())
    await play.reached("save:sending")
    assert "is stopped unless it has just left" in await play.say(Reject())
    gate.set()
    assert await play.ends() == "rejected"
    assert play.script.reached["hand_over"] == 0


async def test_a_no_that_came_too_late_is_told_so(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0))
    await play.at("waiting")
    gate = play.script.gate("send")
    await play.say(Approve())
    await play.reached("send")
    await play.say(Reject(), key="late-no")
    gate.set()
    assert await play.ends() == "sent"
    ((key, subject, text),) = play.script.told
    assert (key, subject) == ("late:late-no", f"Case {play.number} was closed already")
    assert "(sent)" in text


# ---------------------------------------------------------------- edits and wishes


async def test_an_edit_is_shown_once_more_and_then_sent(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Edit(text="My own words\n"))
    shown = await play.at("waiting", version=2)
    assert shown.changed == "Your own text."
    assert "version 2 is current" in await play.refused(Approve(), version=1)
    await play.say(Approve(), version=2)
    assert await play.ends() == "sent"
    assert play.script.sent == [2]
    assert [state.version for state in play.script.asked] == [1, 2]


async def test_an_edit_that_sends_is_also_the_yes_and_a_no_still_wins(bench: Bench) -> None:
    sends, stopped = await bench.begin(), await bench.begin()
    for play in (sends, stopped):
        await play.at("waiting")
        assert "leaves in 60 s unless you say no" in await play.say(Edit(text="My own words\n", send=True))
        await play.at("approved", version=2)
    await stopped.say(Reject())
    assert await stopped.ends() == "rejected"
    assert await sends.ends() == "sent"
    assert (sends.script.sent, stopped.script.sent) == ([2], [])
    assert sends.script.approved == [2]
    assert len(sends.script.asked) == 1


async def test_an_edit_within_the_grace_replaces_what_was_approved(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    await play.say(Edit(text="Better\n"))
    await play.at("waiting", version=2)
    await play.passes(timedelta(minutes=5))
    assert play.script.sent == []
    await play.say(Reject(), version=2)
    assert await play.ends() == "rejected"


async def test_wishes_make_a_new_version_that_is_asked_again(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Revise(wishes="shorter"))
    asked = await play.at("waiting", version=2)
    assert asked.changed == "You asked for: shorter"
    assert play.script.drafted == [(1, ""), (2, "shorter")]
    assert "That was version 1" in await play.refused(Revise(wishes="longer"), version=1)
    await play.say(Approve(), version=2)
    assert await play.ends() == "sent"


async def test_there_is_an_end_to_new_versions(bench: Bench) -> None:
    play = await bench.begin()
    for version in range(1, MOST_VERSIONS):
        await play.at("waiting", version=version)
        await play.passes(timedelta(minutes=30))
        await play.say(Revise(wishes=f"wish {version}"), version=version)
    await play.at("waiting", version=MOST_VERSIONS)
    await play.say(Revise(wishes="once more"), version=MOST_VERSIONS, key="one-too-many")
    await play.until(lambda state: "one-too-many" in state.consumed)
    await play.say(Approve(), version=MOST_VERSIONS)
    assert await play.ends() == "sent"
    assert [key for key, _, _ in play.script.told] == ["enough:one-too-many"]
    assert len(play.script.drafted) == MOST_VERSIONS


# ---------------------------------------------------------------- time


async def test_later_comes_back_as_a_new_round_and_restarts_the_time_to_answer(bench: Bench) -> None:
    play = await bench.begin()
    first = await play.at("waiting")
    await play.say(Later(until=first.asked_at + 2 * DAY))
    await play.until(lambda state: state.later_until is not None)
    await play.passes(DAY)
    assert (await play.state()).round == 1
    await play.passes(DAY)
    again = await play.at("waiting", round=2)
    assert again.asked_at - first.asked_at >= 2 * DAY
    assert again.expires_at - first.expires_at >= 2 * DAY
    await play.say(Approve())
    assert await play.ends() == "sent"


async def test_later_takes_back_a_yes(bench: Bench) -> None:
    play = await bench.begin()
    first = await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    await play.say(Later(until=first.asked_at + 2 * DAY))
    await play.at("waiting", round=1)
    await play.passes(DAY)
    assert play.script.sent == []
    assert play.script.saved[-1].stage == "waiting"


async def test_a_new_mail_ends_a_later(bench: Bench) -> None:
    play = await bench.begin()
    first = await play.at("waiting")
    await play.say(Later(until=first.asked_at + DAY))
    await play.until(lambda state: state.later_until is not None)
    await play.hears("mail-next")
    await play.at("waiting", version=2)
    await play.passes(2 * DAY)  # the old 'later' is over: it must not show version 2 a second time
    assert (await play.state()).round == 1
    await play.say(Mine(), version=2)
    assert await play.ends() == "mine"


async def test_expiry_says_that_nothing_was_sent(bench: Bench) -> None:
    play = await bench.begin()
    asked = await play.at("waiting")
    assert await play.ends() == "expired"
    assert await bench.environment.get_current_time() >= asked.expires_at
    assert play.script.told == []  # one mail names all that expired on a day: test_nudge.py
    assert play.script.sent == []


async def test_an_absence_puts_the_expiry_off(bench: Bench) -> None:
    play = await bench.begin()
    asked = await play.at("waiting")
    play.script.absences.extend([asked.expires_at + DAY, asked.expires_at + 3 * DAY])
    assert await play.ends() == "expired"
    assert await bench.environment.get_current_time() >= asked.expires_at + 3 * DAY
    assert play.script.reached["lapses_at"] == 3


async def test_a_yes_during_the_absence_sends(bench: Bench) -> None:
    play = await bench.begin()
    asked = await play.at("waiting")
    play.script.absences.append(asked.expires_at + 3 * DAY)
    await play.passes(asked.expires_at - asked.asked_at + DAY)
    await play.until(lambda state: state.look_at is not None)
    await play.say(Approve())
    assert await play.ends() == "sent"


# ---------------------------------------------------------------- versions: one row, one decision


async def test_a_yes_to_an_older_version_is_shown_the_newer_one(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Revise(wishes="shorter"))
    await play.at("waiting", version=2)
    said = await play.say(Approve(), version=1)
    assert said == f"That was version 1; version 2 of case {play.number} is shown again."
    await play.at("waiting", version=2, round=2)
    assert play.script.asked[-1].again == "That was version 1; here is version 2."
    assert (play.script.approved, play.script.told) == ([], [])
    await play.say(Approve(), version=2)
    assert await play.ends() == "sent"
    assert play.script.sent == [2]


@pytest.mark.parametrize("second", [Approve(), Edit(text="Other words\n", send=True), Revise(wishes="longer")])
async def test_a_differing_answer_before_the_send_holds_the_case_and_both_are_quoted(
    bench: Bench, second: Decision
) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Edit(text="My own words\n", send=True))
    await play.at("approved", version=2)
    await play.say(second, version=1)
    held = await play.at("waiting", version=2, round=2)
    assert held.approved_at is None
    again = play.script.asked[-1].again
    assert again.startswith('You gave two different answers: "edit!" with the text "My own words" to version 1, then ')
    assert again.endswith("to version 1. Neither was sent.")
    await play.passes(timedelta(minutes=10))
    assert play.script.sent == []
    await play.say(Approve(), version=2)
    assert await play.ends() == "sent"
    assert play.script.sent == [2]


async def test_at_most_three_redrafts_an_hour(bench: Bench) -> None:
    play = await bench.begin()
    for version in (1, 2, 3):
        await play.at("waiting", version=version)
        await play.say(Revise(wishes=f"wish {version}"), version=version)
    await play.at("waiting", version=4)
    await play.say(Revise(wishes="once more"), version=4, key="too-soon")
    await play.reached("tell")
    await play.at("waiting", version=4)
    ((key, _, text),) = play.script.told
    assert key == "enough:too-soon"
    assert text.startswith("There were 3 new drafts within an hour, so no new one was made.")
    await play.passes(timedelta(hours=1))
    await play.say(Revise(wishes="now"), version=4)
    await play.at("waiting", version=5)
    await play.say(Mine(), version=5)
    assert await play.ends() == "mine"


async def test_a_client_cannot_have_drafts_made_without_end(bench: Bench) -> None:
    play = await bench.begin()
    for number in (1, 2, 3):
        await play.at("waiting", version=number)
        await play.hears(f"mail-{play.number}-{number}")
    await play.at("waiting", version=4)
    await play.hears(f"mail-{play.number}-4")
    held = await play.at("waiting", version=4, round=2)
    assert held.hold == "there were 3 new drafts within an hour"
    assert len(play.script.drafted) == 4
    await play.say(Edit(text="My own words\n", send=True), version=4)
    assert await play.ends() == "sent"


async def test_a_yes_that_came_before_the_expiry_counts_though_a_step_took_long(bench: Bench) -> None:
    play = await bench.begin(Script(waits=timedelta()))
    play.script.gate("save:waiting")
    await play.reached("save:waiting")
    await play.say(Approve())
    play.script.gates["save:waiting"].set()
    assert await play.ends() == "sent"


async def test_a_step_that_fails_for_an_hour_is_told_once_and_goes_on(bench: Bench) -> None:
    play = await bench.begin()
    play.script.fail("brief", *[Retryable("The disk is away.")] * 25)
    await play.passes(timedelta(hours=3))
    await play.at("waiting")
    told = [key for key, _, _ in bench.office.scripts[0].told if f":case:{play.number}:" in key]
    assert len(told) == 1
    await play.say(Approve())
    assert await play.ends() == "sent"


# ---------------------------------------------------------------- why, and what is not understood


async def test_why_explains_and_changes_nothing(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.say(Why(), key="why-1")
    assert await play.ends() == "sent"
    assert play.script.explained == ["why:why-1"]


async def test_every_unclear_answer_is_shown_the_draft_again_and_an_ok_to_that_sends(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    for number in range(1, 4):
        await play.say(Unclear(question="Is that a yes?"), key=f"unclear-{number}")
        await play.until(lambda state, number=number: state.stage == "waiting" and state.asked_again == number)
    first, second, third = play.script.asked[1:]
    assert (first.version, first.round, first.again) == (1, 2, "Is that a yes?")
    assert second.again == "Is that a yes?"
    assert "docs/approval.md" in third.again
    assert f"./deskhand approve {third.case}.1" in third.again
    assert play.script.told == []
    await play.say(Approve())
    assert await play.ends() == "sent"


async def test_a_yes_that_an_unclear_answer_takes_back_is_always_told(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Unclear(question="?"), key="unclear-1")
    await play.until(lambda state: state.stage == "waiting" and state.asked_again == 1)
    await play.say(Approve())
    await play.until(lambda state: state.stage == "approved")
    await play.say(Unclear(question="??"), key="unclear-2")
    await play.until(lambda state: state.stage == "waiting" and state.asked_again == 2)
    await play.passes(timedelta(minutes=5))
    assert [state.again for state in play.script.asked[1:]] == [
        "?",
        '?? Your earlier "ok" to version 1 is taken back until you answer this.',
    ]
    assert play.script.sent == []


async def test_machines_are_not_answered_without_end_and_the_last_mail_says_so(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    for number in range(12):
        await play.say(Unclear(question="Is that a yes?"), key=f"unclear-{number}")
        await play.until(
            lambda state, number=number: f"unclear-{number}" in state.consumed and state.stage == "waiting"
        )
    shown = play.script.asked[1:]
    assert len(shown) == unclear.MOST
    assert ["last such mail today" in state.again for state in shown] == [False] * (unclear.MOST - 1) + [True]
    await play.passes(timedelta(days=1, minutes=1))
    await play.say(Unclear(question="And now?"), key="the next day")
    await play.until(lambda state: "the next day" in state.consumed and state.stage == "waiting")
    assert "And now?" in play.script.asked[-1].again


async def test_an_unclear_answer_to_a_held_mail_is_shown_it_again(bench: Bench) -> None:
    play = await bench.begin(hold="a complaint")
    await play.at("waiting", version=0)
    await play.say(Unclear(question="What shall I do?"), version=0)
    await play.until(lambda state: state.stage == "waiting" and state.asked_again == 1)
    assert play.script.asked[-1].again == "What shall I do?"
    await play.say(Mine(), version=0)
    assert await play.ends() == "mine"


async def test_what_only_the_owners_word_lets_go_is_asked_by_an_approval_mail_once(bench: Bench) -> None:
    held = [Receipt(state="held", rule="duplicate", detail="say ok once more")] * 3
    play = await bench.begin(Script(receipts=deque(held)))
    await play.at("waiting")
    await play.say(Approve(), key="first")
    await play.passes(timedelta(minutes=2))
    await play.until(lambda state: state.doubted == ("1:duplicate",))
    await play.passes(timedelta(minutes=5))
    assert [state.again for state in play.script.asked[1:]] == ["It has not been sent. say ok once more"]
    assert play.script.asked[-1].round == 2
    await play.say(Approve(), key="once more")
    assert await play.ends() == "sent"


async def test_a_standing_yes_that_no_longer_covers_it_is_told_by_showing_it_again(bench: Bench) -> None:
    play = await bench.begin(Script(undo=timedelta(minutes=10)))
    await play.at("waiting")
    await play.passes(timedelta(minutes=11))
    await play.until(lambda state: state.stage == "waiting" and state.round == 2)
    assert "does not leave by itself" in play.script.asked[-1].again
    await play.say(Approve())
    assert await play.ends() == "sent"


# ---------------------------------------------------------------- held mails


async def test_a_held_mail_is_shown_without_a_draft_and_cannot_be_approved(bench: Bench) -> None:
    play = await bench.begin(hold="a complaint")
    await play.at("waiting", version=0)
    assert play.script.drafted == []
    assert "has no draft to approve" in await play.refused(Approve(), version=0, hash="")
    await play.say(Edit(text="I am sorry\n"), version=0)
    shown = await play.at("waiting", version=1)
    assert shown.hold == ""
    await play.say(Approve())
    assert await play.ends() == "sent"


async def test_wishes_for_a_held_mail_make_a_draft(bench: Bench) -> None:
    play = await bench.begin(hold="a complaint")
    await play.at("waiting", version=0)
    await play.say(Revise(wishes="say sorry"), version=0)
    await play.at("waiting", version=1)
    assert play.script.drafted == [(1, "say sorry")]
    await play.say(Mine())
    assert await play.ends() == "mine"


async def test_a_second_mail_in_a_held_case_is_shown_as_well(bench: Bench) -> None:
    play = await bench.begin(hold="a complaint")
    await play.at("waiting", version=0)
    await play.hears("mail-second")
    await play.at("waiting", version=0, round=2)
    assert [(state.version, state.round) for state in play.script.asked] == [(0, 1), (0, 2)]


async def test_a_complaint_makes_a_waiting_draft_stale_and_is_shown(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.hears("mail-angry", hold="a complaint")
    held = await play.at("waiting", version=1, round=2)
    assert held.hold == "a complaint"
    assert len(play.script.drafted) == 1
    assert "has no draft to approve" in await play.refused(Approve())
    await play.say(Mine())
    assert await play.ends() == "mine"


async def test_a_yes_that_a_complaint_overtook_sends_nothing(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    gate = play.script.gate("explain")
    await play.say(Why())
    await play.reached("explain")
    await play.say(Approve(), key="overtaken")
    await play.hears("mail-angry", hold="a complaint")
    gate.set()
    await play.until(lambda state: "overtaken" in state.consumed)
    await play.passes(timedelta(minutes=5))
    assert play.script.approved == []
    assert play.script.sent == []
    assert play.script.told == []
    assert "before something newer came. Nothing was sent." in play.script.asked[-1].again


async def test_a_draft_that_cannot_be_made_is_the_owners_to_write(bench: Bench) -> None:
    script = Script()
    script.holds.append("the model contradicts the facts")
    play = await bench.begin(script)
    held = await play.at("waiting", version=0)
    assert held.hold == "the model contradicts the facts"
    await play.say(Mine(), version=0)
    assert await play.ends() == "mine"


async def test_a_redraft_that_cannot_be_made_is_told(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    play.script.holds.append("the model contradicts the facts")
    await play.say(Revise(wishes="promise the moon"))
    await play.at("waiting", version=1, round=2)
    assert [(state.version, state.round, bool(state.hold)) for state in play.script.asked] == [
        (1, 1, False),
        (1, 2, True),
    ]


async def test_a_model_that_stays_away_holds_the_case(bench: Bench) -> None:
    script = Script()
    script.fail("draft", *[Retryable("The model does not answer.")] * 10)
    play = await bench.begin(script)
    await play.passes(timedelta(minutes=30))
    held = await play.at("waiting", version=0)
    assert held.hold == "no draft could be made: The model does not answer."


# ---------------------------------------------------------------- newer mail


async def test_a_newer_mail_makes_the_draft_stale(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.hears("mail-second")
    await play.hears("mail-second")
    shown = await play.at("waiting", version=2)
    assert shown.changed == "They wrote again."
    assert shown.heard == ("mail-second",)
    assert "version 2 is current" in await play.refused(Approve(), version=1)
    await play.say(Approve(), version=2)
    assert await play.ends() == "sent"
    assert play.script.sent == [2]


async def test_a_newer_mail_takes_back_a_yes(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    await play.hears("mail-second")
    await play.at("waiting", version=2)
    await play.passes(timedelta(minutes=5))
    assert play.script.sent == []


async def test_a_mail_that_comes_while_drafting_is_in_the_first_question(bench: Bench) -> None:
    script = Script()
    gate = script.gate("draft")
    play = await bench.begin(script)
    await play.reached("draft")
    await play.hears("mail-second")
    gate.set()
    await play.at("waiting", version=2)
    assert [state.version for state in play.script.asked] == [2]


async def test_the_owners_own_mail_closes_the_case_silently(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    await play.say(Approve())
    await play.hears("sent-by-hand", kind="sent")
    assert await play.ends() == "answered-by-owner"
    assert (play.script.sent, play.script.told) == ([], [])


async def test_a_mail_that_reaches_a_closing_case_starts_over(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    gate = play.script.gate("close")
    await play.say(Reject())
    await play.reached("close")
    await play.hears("mail-late")
    await play.hears("mail-later-still")
    assert "is closed: rejected" in await play.refused(Approve())
    gate.set()
    assert await play.ends() == "rejected"
    assert [event.key for event in play.script.started_over] == ["mail-late", "mail-later-still"]


# ---------------------------------------------------------------- receipts


async def test_a_held_send_is_tried_again_and_told_once_when_it_lasts(bench: Bench) -> None:
    script = Script(grace=0.0)
    script.receipts.extend([Receipt(state="held", detail="The cap of 50 an hour is reached.")] * 5)
    play = await bench.begin(script)
    await play.at("waiting")
    await play.say(Approve())
    assert await play.ends() == "sent"
    assert play.script.reached["send"] == 6
    assert {key for key, _, _ in play.script.told} == {f"held:{play.number}.1"}


async def test_a_held_send_waits_until_it_may_go(bench: Bench) -> None:
    now = await bench.environment.get_current_time()
    script = Script(grace=0.0)
    script.receipts.append(Receipt(state="held", detail="Quiet hours.", until=now + timedelta(hours=9)))
    play = await bench.begin(script)
    await play.at("waiting")
    await play.say(Approve())
    await play.until(lambda state: state.held_until is not None)
    assert play.script.sent == []
    assert await play.ends() == "sent"
    assert await bench.environment.get_current_time() >= now + timedelta(hours=9)


async def test_a_no_stops_a_held_send(bench: Bench) -> None:
    script = Script(grace=0.0)
    script.receipts.extend([Receipt(state="held", detail="stopped")] * 3)
    play = await bench.begin(script)
    await play.at("waiting")
    await play.say(Approve())
    await play.until(lambda state: state.held_until is not None)
    await play.say(Reject())
    assert await play.ends() == "rejected"
    assert play.script.sent == []


@pytest.mark.parametrize("state", ["uncertain", "failed"])
async def test_a_send_that_did_not_surely_work_is_told(bench: Bench, state: Any) -> None:
    script = Script(grace=0.0)
    script.receipts.append(Receipt(state=state, detail="How to settle it."))
    play = await bench.begin(script)
    await play.at("waiting")
    await play.say(Approve())
    assert await play.ends() == state
    assert play.script.told == [(f"{state}:{play.number}.1", f"{play.number}.1 is {state}", "How to settle it.")]


async def test_a_client_whose_workflow_died_is_handed_the_mail_again(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0, lost_hand_overs=2))
    await play.at("waiting")
    await play.say(Approve())
    assert await play.ends() == "sent"
    assert play.script.reached["hand_over"] == 3
    assert play.script.sent == [1]


# ---------------------------------------------------------------- what is refused for good


async def test_a_step_refused_for_good_parks_the_case_and_a_yes_moves_it_on(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    play.script.fail("approve", REFUSED)
    await play.say(Approve())
    parked = await play.at("needs_owner")
    assert parked.reason == str(REFUSED)
    await play.until(lambda _: bool(play.script.told))
    assert play.script.subjects == [f"Case {play.number} needs you"]
    await play.say(Approve())
    assert await play.ends() == "sent"


@pytest.mark.parametrize("step", ["brief", "save", "ask", "edit", "hand_over", "explain", "never"])
async def test_a_refused_step_waits_for_the_owner(bench: Bench, step: str) -> None:
    script = Script(grace=0.0)
    script.fail(step, REFUSED)
    play = await bench.begin(script)
    decision: Decision = {"edit": Edit(text="x\n"), "explain": Why(), "never": Never()}.get(step, Approve())
    if step not in {"brief", "save", "ask"}:
        await play.at("waiting")
        await play.say(decision)
    parked = await play.until(lambda state: state.stage == "needs_owner")
    assert parked.reason == str(REFUSED)
    await play.say(Mine(), version=parked.version)
    assert await play.ends() == "mine"
    assert play.script.sent == []


@pytest.mark.parametrize("step", ["close", "remember", "start_over", "tell"])
async def test_a_case_ends_though_a_last_step_is_refused(bench: Bench, step: str) -> None:
    play = await bench.begin()
    await play.at("waiting")
    play.script.fail(step, REFUSED)
    gate = play.script.gate("save:closed")
    await play.say(Unclear(question="What?"))
    await play.say(Reject())
    await play.reached("save:closed")
    await play.hears("mail-late")
    gate.set()
    assert await play.ends() == "rejected"


async def test_a_case_whose_every_mail_to_the_owner_is_refused_goes_on(bench: Bench) -> None:
    script = Script()
    script.fail("ask", REFUSED)
    script.fail("tell", REFUSED, REFUSED, REFUSED)
    play = await bench.begin(script)
    parked = await play.until(lambda state: state.stage == "needs_owner")
    assert parked.reason == str(REFUSED)
    await play.say(Approve())
    assert await play.ends() == "sent"


async def test_a_send_refused_for_good_is_failed_and_the_clients_next_mail_still_goes(bench: Bench) -> None:
    script = Script(grace=0.0)
    script.fail("send", REFUSED)
    play = await bench.begin(script)
    gate = script.gate("send")
    await play.at("waiting")
    await play.say(Approve())
    await play.reached("send")
    other = await bench.begin(Script(grace=0.0), client=f"client-{play.number}")
    await other.at("waiting")
    await other.say(Approve())
    await other.reached("hand_over")
    gate.set()
    assert await play.ends() == "failed"
    assert play.script.told == [(f"failed:{play.number}.1", f"{play.number}.1 is failed", str(REFUSED))]
    assert await other.ends() == "sent"


async def test_a_yes_that_the_ledger_does_not_know_sends_nothing(bench: Bench) -> None:
    """An update that somebody gave anew: no answer of the owner's stands behind it, and his own word still counts."""
    play = await bench.begin(Script(unheard_of={1}))
    await play.at("waiting")
    await play.say(Approve())
    await play.reached("approve")
    state = await play.at("waiting")
    assert state.approved_at is None
    assert play.script.sent == play.script.approved == []
    assert play.script.told == []
    play.script.unheard_of.clear()
    await play.say(Approve())
    assert await play.ends() == "sent"
    assert play.script.sent == [1]


async def test_an_own_text_without_an_answer_on_record_is_shown_and_not_sent(bench: Bench) -> None:
    play = await bench.begin(Script(unheard_of={2}))
    await play.at("waiting")
    await play.say(Edit(text="Thursday.\n", send=True))
    await play.at("waiting", 2)
    assert play.script.sent == play.script.approved == []
    assert [state.version for state in play.script.asked] == [1, 2]
    await play.say(Reject(), 2)
    assert await play.ends() == "rejected"


async def test_a_run_that_is_behind_the_ledger_ends_and_says_nothing(bench: Bench) -> None:
    """The lookout begins its case anew from the ledger; parked, it would wait for an answer that nobody owes."""
    play = await bench.begin()
    play.script.fail("save", OutOfStep("older"))
    with pytest.raises(WorkflowFailureError):
        await play.handle.result()
    assert play.script.told == []
    bench.begun.remove(play.handle)


async def test_a_cancelled_run_ends_and_is_not_parked(bench: Bench) -> None:
    play = await bench.begin()
    gate = play.script.gate("draft")
    await play.reached("draft")
    await play.handle.cancel()
    with pytest.raises(WorkflowFailureError):
        await play.handle.result()
    gate.set()
    assert play.script.told == []
    bench.begun.remove(play.handle)


async def test_a_cancelled_voice_calls_nothing_failed(bench: Bench) -> None:
    """What became of the mail, only the outbox knows: another hand-over, as the lookout makes it, is told."""
    play = await bench.begin(Script(grace=0.1))
    await play.at("waiting")
    gate = play.script.gate("send")
    await play.say(Approve())
    await play.reached("send")
    await bench.client.get_workflow_handle(NAMES.client(f"client-{play.number}")).cancel()
    with pytest.raises(WorkflowFailureError):
        await bench.client.get_workflow_handle(NAMES.client(f"client-{play.number}")).result()
    gate.set()
    assert (await play.state()).stage == "sending"
    assert play.script.told == []
    await TemporalEngine(bench.client, bench.office, NAMES).hand_over(f"client-{play.number}", play.number, 1)  # type: ignore[arg-type]
    assert await play.ends() == "sent"


async def test_one_voice_sends_in_the_order_of_the_hand_overs(bench: Bench) -> None:
    numbers = [next(NUMBERS) for _ in range(3)]
    gate = bench.office.scripts[numbers[0]].gate("send")
    handle = await bench.client.start_workflow(
        ClientVoice.run,
        args=["someone", [Approved(case=number, version=1) for number in numbers[:2]]],
        id=NAMES.client("someone"),
        task_queue=NAMES.queue("story"),
    )
    await handle.signal(ClientVoice.hand_over, Approved(case=numbers[2], version=1))
    await handle.signal(ClientVoice.hand_over, Approved(case=numbers[2], version=1))
    gate.set()
    assert await handle.result() == 3
    assert [bench.office.scripts[number].sent for number in numbers] == [[1], [1], [1]]


# ---------------------------------------------------------------- size


async def all_runs(play: Play) -> list[list[Any]]:
    """The histories from the first run on, by the chain of run ids (the test server lists nothing)."""
    histories: list[list[Any]] = []
    run_id: str | None = play.handle.first_execution_run_id
    while run_id:
        handle = play.bench.client.get_workflow_handle(NAMES.case(play.number), run_id=run_id)
        events = [event async for event in handle.fetch_history_events()]
        histories.append(events)
        run_id = events[-1].workflow_execution_continued_as_new_event_attributes.new_execution_run_id or None
    return histories


async def test_a_thousand_signals_and_a_hundred_answers_stop_nothing(bench: Bench) -> None:
    play = await bench.begin()
    await play.at("waiting")
    for start in range(0, 1000, 50):
        await asyncio.gather(
            *(play.hears(f"{start + number:064x}") for number in range(0, 50, 2)),
            *(play.handle.signal("hear", f"not an event {number}") for number in range(25)),
        )
        for number in range(5):
            await play.say(Why(), key=f"why-{start}-{number}", version=0)
    state = await play.until(lambda state: len(state.heard) == 500 and state.stage == "waiting")
    await play.until(lambda state: len(state.consumed) == 100)
    assert await play.say(Why(), key="why-0-0", version=0) == "This answer was already taken in."
    state = await play.until(lambda state: state.stage == "waiting")
    # By now there were so many redrafts within the hour that the owner's own text is wanted.
    await play.say(Edit(text="Enough now\n", send=True), version=state.version)
    assert await play.ends() == "sent"
    assert len(play.script.explained) == len(set(play.script.explained)) == 100
    histories = await all_runs(play)
    assert len(histories) > 1
    assert max(len(history) for history in histories) < MOST_EVENTS
    assert max(event.ByteSize() for history in histories for event in history) < LARGEST_PAYLOAD


async def test_a_thread_of_five_thousand_mails_fits(bench: Bench) -> None:
    play = await bench.begin(heard=tuple(f"{number:064x}" for number in range(5000 - 250)))
    await play.at("waiting")
    for start in range(0, 250, 50):
        await asyncio.gather(*(play.hears(f"{10_000 + start + number:064x}") for number in range(50)))
    last = f"{10_249:064x}"
    state = await play.until(lambda state: last in state.heard and state.stage == "waiting")
    assert len(state.heard) == MOST_HEARD
    # By now there were so many redrafts within the hour that the owner's own text is wanted.
    await play.say(Edit(text="Enough now\n", send=True), version=state.version)
    assert await play.ends() == "sent"
    # The first run's input is the test's own: a state that large cannot come from the case.
    events = [event for history in await all_runs(play) for event in history[1:] if event.ByteSize() > LARGEST_PAYLOAD]
    assert not [event for event in events if event.event_id > 50]


async def test_repeated_news_lets_a_waiting_case_continue_as_new(bench: Bench) -> None:
    play = await bench.begin()
    asked = await play.at("waiting")
    for _ in range(0, LONG_HISTORY, 100):
        await asyncio.gather(*(play.hears(f"mail-{play.number}") for _ in range(100)))
    async with asyncio.timeout(PATIENCE):
        while len(histories := await all_runs(play)) == 1:  # noqa: ASYNC110 - the case does not call us
            await asyncio.sleep(0.2)
    assert max(len(history) for history in histories) < MOST_EVENTS
    assert (await play.state()).expires_at == asked.expires_at
    assert len(play.script.asked) == 1
    await play.say(Approve())
    assert await play.ends() == "sent"


async def test_what_had_arrived_goes_along_into_the_next_run(bench: Bench) -> None:
    number = 10_000 + next(NUMBERS)
    now = await bench.environment.get_current_time()
    waiting = {
        "case": number, "stage": "waiting", "version": 1, "round": 1, "hash": seal(number, 1), "brief": number,
        "asked_at": now, "expires_at": now + 7 * DAY, "consumed": ("old",),
    }  # fmt: skip
    carried = Answer(key="carried", case=number, version=1, decision=Why())
    play = await bench.begin(answers=(carried,), **waiting)
    await play.until(lambda state: state.consumed == ("old", "carried") and bool(play.script.explained))
    assert play.script.explained == ["why:carried"]
    assert await play.say(Why(), key="old") == "This answer was already taken in."
    await play.say(Mine())
    assert await play.ends() == "mine"
