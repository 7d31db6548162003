"""A send that is held for the owner's word: told at once, and one more yes is taken up without waiting."""

from collections import deque

from tests.scripted import Script
from tests.workflows.test_case import Bench, bench  # noqa: F401 - the fixture of the time-skipping server
from workflows.models.decisions import Approve
from workflows.models.drafts import Receipt


async def test_a_doubt_is_told_at_once_and_one_more_yes_sends(bench: Bench):  # noqa: F811
    held = Receipt(state="held", rule="duplicate", detail="You sent them the same text yourself.")
    play = await bench.begin(Script(grace=0, receipts=deque([held])))
    await play.at("waiting")
    await play.say(Approve())
    state = await play.until(lambda state: state.held_until is not None)
    assert state.stage == "sending"
    shown = await play.shown_again()
    assert (shown.version, shown.round) == (1, 2)
    assert "same text yourself" in shown.again
    await play.say(Approve())
    assert await play.handle.result() == "sent"
