"""Sources asked by real Temporal Schedules, and their faults: told once, tried again, in nobody's way."""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass, field, replace
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from temporalio.client import (
    Client,
    Schedule,
    ScheduleActionStartWorkflow,
    ScheduleHandle,
    ScheduleIntervalSpec,
    ScheduleOverlapPolicy,
    ScheduleSpec,
    ScheduleUpdate,
)

from memory.keys import Keys
from tests.ledgers import House
from tests.patience import PATIENCE
from tests.scripted import NAMES, Desk, Gated, Office
from workers.rounds.polling import NotAsked, Polls, Watch
from workers.settings.environ import cache_folder
from workers.temporal.codec import converter
from workers.temporal.engine import TemporalEngine
from workers.temporal.server import TemporalServer, find_cli
from workers.temporal.timetable import CATCH_UP, Timetable
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.errors import NeedsOwner, Retryable
from workflows.intake import Poll
from workflows.names import OLD, Names

HOUR = timedelta(hours=1)


@dataclass
class Source:
    """A source that says what it is told to say."""

    name: str
    asked: int = 0
    faults: list[Exception] = field(default_factory=list)

    async def run(self) -> str:
        self.asked += 1
        if self.faults:
            raise self.faults.pop(0)
        return f"{self.asked} looks"

    def watch(self, every: timedelta = HOUR) -> Watch:
        return Watch(name=self.name, every=every, run=self.run)


@dataclass
class Post:
    """A desk that keeps what it is told; `tell` with a known key changes nothing, as the outbox has it."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        self.told.setdefault(key, (subject, text))


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def polls(house: House, post: Post, *sources: Source) -> Polls:
    return Polls(watches=[one.watch() for one in sources], ledger=house.ledger, desk=post, health={})


# ---------------------------------------------------------------- what becomes of a fault


async def test_what_the_owner_must_mend_is_told_once_until_it_is_mended(house: House) -> None:
    source, post = Source("wwr"), Post()
    asked = polls(house, post, source)
    fault = NeedsOwner("The feed answers with a web page.", "Correct sources.wwr.url.")
    source.faults = [fault, fault, fault]
    for _ in range(3):
        assert "web page" in await asked.poll("wwr")
    ((subject, text),) = post.told.values()
    assert subject == "wwr needs a look"
    assert "Correct sources.wwr.url." in text
    assert "web page" in asked.health["wwr"]
    assert await asked.poll("wwr") == "4 looks"
    assert asked.health["wwr"] == "idle"
    assert asked.news.is_set()
    source.faults = [fault]
    await asked.poll("wwr")
    assert len(post.told) == 2  # it was mended in between, so that it is there again is news


async def test_what_may_pass_by_itself_is_told_when_it_is_there_a_second_time(house: House) -> None:
    source, post = Source("wwr"), Post()
    asked = polls(house, post, source)
    source.faults = [Retryable("The feed does not answer.")] * 3
    await asked.poll("wwr")
    assert post.told == {}
    await asked.poll("wwr")
    await asked.poll("wwr")
    assert len(post.told) == 1


async def test_another_problem_is_another_notice(house: House) -> None:
    source, post = Source("wwr"), Post()
    asked = polls(house, post, source)
    source.faults = [NeedsOwner("One.", "Mend it."), NeedsOwner("Two.", "Mend it.")]
    await asked.poll("wwr")
    await asked.poll("wwr")
    assert len(post.told) == 2


async def test_the_same_fault_with_other_numbers_is_no_news_but_in_the_owners_own_files(house: House) -> None:
    theirs, mine, post = Source("wwr"), Source("invoices"), Post()
    watches = [theirs.watch(), replace(mine.watch(), own=True)]
    asked = Polls(watches=watches, ledger=house.ledger, desk=post, health={})
    for source in (theirs, mine):
        source.faults = [NeedsOwner(f"It cannot be read in line {line}.", "Mend it.") for line in (233, 1_241)]
        await asked.poll(source.name)
        await asked.poll(source.name)
    assert [subject for subject, _ in post.told.values()] == ["wwr needs a look"] + ["invoices needs a look"] * 2


async def test_a_source_that_was_not_asked_is_neither_mended_nor_well(house: House) -> None:
    fault = Retryable("It wants to be left alone.")
    said: list[str | Exception] = [fault, NotAsked("not before 11:00 UTC"), fault]

    async def run() -> str:
        if isinstance(one := said.pop(0), Exception):
            raise one
        return one

    post = Post()
    asked = Polls(watches=[Watch(name="wwr", every=HOUR, run=run)], ledger=house.ledger, desk=post, health={})
    await asked.poll("wwr")
    await asked.poll("wwr")
    assert asked.health["wwr"] == "not before 11:00 UTC"
    assert post.told == {}
    await asked.poll("wwr")
    assert len(post.told) == 1


async def test_a_source_that_is_configured_no_longer_says_so(house: House) -> None:
    assert await polls(house, Post()).poll("gone") == "gone is no longer configured."


# ---------------------------------------------------------------- real Schedules


@pytest.fixture(scope="module")
async def temporal(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[Client]:
    """The real server, with the encoding that a house uses."""
    folder = tmp_path_factory.mktemp("temporal")
    server = TemporalServer(await find_cli(cache_folder()), folder)
    address = await server.start()
    try:
        yield await Client.connect(address, data_converter=converter(Keys(folder / "keys")))
    finally:
        await server.stop()


async def until(look: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not look():  # noqa: ASYNC110 - the server does not call us
            await asyncio.sleep(0.05)


async def names(client: Client) -> set[str]:
    return {one.id async for one in await client.list_schedules()}


async def test_each_source_has_its_schedule_and_is_asked_at_once(temporal: Client, house: House) -> None:
    good, bad = Source("invoices"), Source("wwr")
    bad.faults = [NeedsOwner("The feed is no feed.", "Correct it.")]
    post, office = Post(), Office()
    asked, desk = polls(house, post, good, bad), Desk(office)
    engine = Gated(office, TemporalEngine(temporal, house.ledger, NAMES))
    activities = Activities(office, office, desk, desk, engine, desk, asked, desk)
    async with running(build_workers(temporal, activities, NAMES)):
        await Timetable(temporal, NAMES, asked.watches).look()
        await until(lambda: good.asked >= 1 and bad.asked >= 1)
        found = await temporal.get_schedule_handle(NAMES.poll("invoices")).describe()
        assert found.schedule.policy.overlap == ScheduleOverlapPolicy.SKIP
        assert found.schedule.policy.catchup_window == CATCH_UP
        assert found.schedule.spec.intervals[0].every == HOUR
        await until(lambda: len(post.told) == 1)
        # The next start: the same schedules with what the settings say now, and another look at once.
        await Timetable(temporal, NAMES, [good.watch(2 * HOUR)]).look()
        await until(lambda: good.asked >= 2)
        assert (await temporal.get_schedule_handle(NAMES.poll("invoices")).describe()).schedule.spec.intervals[
            0
        ].every == (2 * HOUR)
        async with asyncio.timeout(PATIENCE):
            # The list is brought up to date a moment later.
            while await names(temporal) != {NAMES.poll("invoices")}:  # noqa: ASYNC110
                await asyncio.sleep(0.05)


@pytest.mark.parametrize("deed", ["deleted", "paused", "slowed", "turned", "emptied"])
async def test_a_schedule_that_a_stranger_touched_is_put_right(temporal: Client, house: House, deed: str) -> None:
    """By whoever reaches the Temporal server: no key is needed for it."""
    stranger = await Client.connect(temporal.service_client.config.target_host)
    source = Source(deed)
    table = Timetable(temporal, NAMES, [source.watch()])
    assert not await table.look()
    assert not await table.look()
    handle = stranger.get_schedule_handle(NAMES.poll(deed))
    nothing = ScheduleActionStartWorkflow("Poll", id=NAMES.poll(deed), task_queue="nobody")
    empty = ScheduleActionStartWorkflow("Poll", "plain", id=NAMES.poll(deed), task_queue=NAMES.queue("story"))
    match deed:
        case "deleted":
            await handle.delete()
        case "paused":
            await handle.pause()
        case "slowed":
            await _change(handle, spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=1000 * HOUR)]))
        case "turned":
            await _change(handle, action=nothing)
        case _:
            await _change(handle, action=empty)
    assert await table.look()
    seen = (await temporal.get_schedule_handle(NAMES.poll(deed)).describe()).schedule
    assert seen.spec.intervals[0].every == HOUR
    assert isinstance(seen.action, ScheduleActionStartWorkflow)
    assert seen.action.task_queue == NAMES.queue("story")
    assert not seen.state.paused
    assert not await table.look()


async def _change(handle: ScheduleHandle, **changes: Any) -> None:
    await handle.update(lambda seen: ScheduleUpdate(schedule=replace(seen.description.schedule, **changes)))


async def test_two_homes_leave_each_others_schedules_alone(temporal: Client, house: House) -> None:
    other = Names("ba9876543210")
    await Timetable(temporal, other, [Source("theirs").watch()]).look()
    await Timetable(temporal, NAMES, [Source("ours").watch()]).look()
    async with asyncio.timeout(PATIENCE):
        while not {other.poll("theirs"), NAMES.poll("ours")} <= await names(temporal):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await Timetable(temporal, NAMES, []).look()
    async with asyncio.timeout(PATIENCE):
        while NAMES.poll("ours") in await names(temporal):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert other.poll("theirs") in await names(temporal)


async def test_a_homes_own_schedules_of_before_go_and_another_homes_stay(temporal: Client, tmp_path: Path) -> None:
    """Before names carried the home every home called it `poll:invoices`."""
    others = await Client.connect(
        temporal.service_client.config.target_host, data_converter=converter(Keys(tmp_path / "keys"))
    )
    for client, source in ((temporal, "mine"), (others, "not-mine")):
        await client.create_schedule(
            OLD.poll(source),
            Schedule(
                action=ScheduleActionStartWorkflow(Poll.run, source, id=OLD.poll(source), task_queue="deskhand"),
                spec=ScheduleSpec(intervals=[ScheduleIntervalSpec(every=HOUR)]),
            ),
            trigger_immediately=True,
        )
    async with asyncio.timeout(PATIENCE):
        while not {OLD.poll("mine"), OLD.poll("not-mine")} <= await names(temporal):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    await Timetable(temporal, NAMES, []).look()
    async with asyncio.timeout(PATIENCE):
        while OLD.poll("mine") in await names(temporal):  # noqa: ASYNC110
            await asyncio.sleep(0.05)
    assert OLD.poll("not-mine") in await names(temporal)
