"""What the stories that no mail began do differently: a bid is followed to its end, news ends or changes a case."""

from collections.abc import AsyncIterator
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio.client import WorkflowHandle

from memory.record.people import new_client
from memory.record.schema import transaction
from tests.ledgers import House
from tests.scripted import NAMES, Script
from tests.stage import Bench, staged
from workflows.case import RESULT_WITHIN
from workflows.errors import Permanent
from workflows.intake import Poll, Rhythm
from workflows.models.decisions import Approve, Edit, Never, Reject, Why
from workflows.models.mail import Address

DAY = timedelta(days=1)


@pytest.fixture(scope="module")
async def bench() -> AsyncIterator[Bench]:
    async with staged() as made:
        yield made


# ---------------------------------------------------------------- bids


async def test_a_bid_is_researched_once_before_it_is_drafted(bench: Bench) -> None:
    play = await bench.begin(kind="bid")
    await play.at("waiting")
    assert play.script.reached["research"] == 1
    await play.say(Edit(text="My own words.\n"))
    await play.at("waiting", 2)
    assert play.script.reached["research"] == 1
    await play.say(Reject(), 2)
    assert await play.ends() == "rejected"


async def test_research_that_fails_for_good_stops_no_bid(bench: Bench) -> None:
    script = Script()
    script.fail("research", Permanent("Their site is away."))
    play = await bench.begin(script, kind="bid")
    await play.at("waiting")
    assert script.told == []
    await play.say(Reject())
    assert await play.ends() == "rejected"


@pytest.mark.parametrize("outcome", ["won", "lost", "no-answer"])
async def test_a_bid_that_left_waits_to_hear_how_it_ended(bench: Bench, outcome: str) -> None:
    play = await bench.begin(Script(grace=0.0), kind="bid")
    await play.at("waiting")
    await play.say(Approve())
    placed = await play.at("placed")
    assert placed.outcome == ""
    assert placed.result_by
    await play.hears(f"result-{outcome}", kind="news", ends=outcome, summary="the owner said so")
    assert await play.ends() == outcome
    assert play.script.sent == [1]
    assert play.script.closed[-1].reason == "the owner said so"


async def test_a_bid_that_nobody_answers_ends_by_itself(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0), kind="bid")
    await play.at("waiting")
    await play.say(Approve())
    placed = await play.at("placed")
    assert await play.ends() == "no-answer"
    assert await bench.environment.get_current_time() >= placed.approved_at + RESULT_WITHIN


async def test_a_bid_that_left_takes_no_second_decision(bench: Bench) -> None:
    play = await bench.begin(Script(grace=0.0), kind="bid")
    await play.at("waiting")
    await play.say(Approve())
    await play.at("placed")
    for decision in (Approve(), Reject(), Edit(text="Another.\n", send=True)):
        assert "has left. Say how it ended: won, lost or no answer." in await play.refused(decision)
    await play.say(Why(), key=f"why-{play.number}")
    await play.until(lambda state: f"why-{play.number}" in state.consumed)
    await play.hears("mail-late")  # their answer is a conversation of its own; the bid is not drafted again
    await play.until(lambda state: "mail-late" in state.heard)
    assert (await play.state()).stage == "placed"
    await play.hears("result", kind="news", ends="lost", summary="")
    assert await play.ends() == "lost"
    assert play.script.sent == [1]
    assert len(play.script.asked) == 1


# ---------------------------------------------------------------- news


@pytest.mark.parametrize(("kind", "ends"), [("bid", "gone"), ("chase", "paid"), ("update", "stopped")])
async def test_news_ends_a_case_that_waits(bench: Bench, kind: str, ends: str) -> None:
    play = await bench.begin(kind=kind)
    await play.at("waiting")
    await play.hears("news-1", kind="news", ends=ends, summary="it was paid on 3 Dec")
    assert await play.ends() == ends
    assert play.script.sent == []
    assert play.script.closed[-1].reason == "it was paid on 3 Dec"


async def test_a_payment_wins_over_a_yes_within_the_grace(bench: Bench) -> None:
    play = await bench.begin(kind="chase")
    await play.at("waiting")
    await play.say(Approve())
    await play.at("approved")
    await play.hears("news-1", kind="news", ends="paid", summary="it was paid")
    assert await play.ends() == "paid"
    assert play.script.sent == []


async def test_other_news_makes_the_draft_stale_and_says_what_changed(bench: Bench) -> None:
    play = await bench.begin(kind="chase")
    await play.at("waiting")
    await play.hears("news-1", kind="news", summary="Invoice 2026-014 is 450.00 EUR now.")
    shown = await play.at("waiting", 2)
    assert shown.changed == "Invoice 2026-014 is 450.00 EUR now."
    assert "version 2 is current" in await play.refused(Approve(), 1)
    await play.say(Approve(), 2)
    assert await play.ends() == "sent"
    assert play.script.sent == [2]


async def test_never_to_a_chase_is_about_chases_alone(bench: Bench) -> None:
    play = await bench.begin(kind="chase")
    await play.at("waiting")
    await play.say(Never())
    assert await play.ends() == "never"
    assert f"client-{play.number}:chase" in bench.office.nevers
    assert play.script.closed[-1].reason == "no more reminders to this client"


def test_a_client_may_be_unwanted_for_one_kind_and_answered_all_the_same(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    with transaction(house.engine) as connection:
        client = new_client(connection, Address(name="Maria", email="maria@studio.example"), house.clock).id
    house.ledger.set_never(client, "chase")
    house.ledger.set_never(client, "update")
    standing = house.ledger.standing(client)
    assert standing.refuses("chase")
    assert standing.refuses("update")
    assert not standing.refuses("reply")
    house.ledger.set_never(client)
    assert house.ledger.standing(client).refuses("bid")


# ---------------------------------------------------------------- asking a source


async def test_one_look_at_a_source(bench: Bench) -> None:
    said = await bench.client.execute_workflow(Poll.run, "wwr", id=NAMES.poll("wwr"), task_queue=NAMES.queue("story"))
    assert said == "wwr: nothing new"
    assert bench.office.polled.count("wwr") == 1


async def test_the_rhythm_looks_again_and_again_without_a_schedule(bench: Bench) -> None:
    before = await bench.environment.get_current_time()
    handle: WorkflowHandle[Rhythm, None] = await bench.client.start_workflow(
        Rhythm.run,
        args=["dues", DAY.total_seconds(), 250],
        id=f"{NAMES.prefix}rhythm:dues",
        task_queue=NAMES.queue("story"),
    )
    await handle.result()
    assert bench.office.polled.count("dues") == 250
    assert await bench.environment.get_current_time() - before >= 249 * DAY
