"""Several weeks of one project in the real workflows, on a server that skips time: each period's update, once."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack
from datetime import date, datetime, time, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from temporalio.client import WorkflowHandle
from temporalio.testing import WorkflowEnvironment

from tests.house.running import House
from tests.ledgers import StillClock
from tests.patience import PATIENCE
from tests.scripted import NAMES
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tests.servers.timeskip import time_skipping
from tools.mail import mime
from workers.rounds.polling import Polls
from workers.service import wiring
from workers.settings import loading
from workers.sources.work import NAME
from workers.temporal.engine import TemporalEngine
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.intake import Rhythm
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve

BERLIN = ZoneInfo("Europe/Berlin")
PROJECT = 'name = "Relaunch"\nemail = "maria@studio.example"\nupdate_every = "weekly"\n'


class Weeks:
    """The service's parts on the skipping server. Days are counted from the Monday on which it begins."""

    def __init__(self, environment: WorkflowEnvironment, house: House, now: datetime) -> None:
        self.environment, self.house, self.clock = environment, house, StillClock(now)
        self.parts = wiring.build(house.home, loading.load(house.home), self.clock)
        self.parts.ledger.first_run()
        self.engine = TemporalEngine(environment.client, self.parts.ledger, NAMES)
        today = now.astimezone(BERLIN).date()
        self.monday = today + timedelta(days=7 - today.weekday())
        self.rows: list[str] = []
        self.stack = AsyncExitStack()
        self.rhythm: WorkflowHandle[Any, Any] | None = None

    async def start(self) -> None:
        """The workers, and the look at the folders every four hours."""
        parts = self.parts
        self.polls = Polls(watches=parts.watches, ledger=parts.ledger, desk=parts.desk, health=parts.health)
        activities = Activities(
            parts.ledger,
            parts.recall,
            parts.drafter,
            parts.desk,
            self.engine,
            parts.researcher,
            self,
            parts.doing,
        )
        await self.stack.enter_async_context(
            running(build_workers(self.environment.client, activities, NAMES, patient=True))
        )
        self.rhythm = await self.environment.client.start_workflow(
            Rhythm.run,
            args=[NAME, 14_400.0, 0],
            id=f"{NAMES.prefix}rhythm:{self.clock.time}",
            task_queue=NAMES.queue("story"),
        )

    async def stop(self) -> None:
        """The machine is off."""
        assert self.rhythm
        await self.rhythm.terminate()
        await self.stack.aclose()
        self.stack = AsyncExitStack()

    async def poll(self, source: str) -> str:
        """As the service polls: what was recorded is delivered at once."""
        await self.tick()
        said = await self.polls.poll(source)
        for event in await asyncio.to_thread(self.parts.ledger.undelivered):
            await self.engine.deliver(event)
            await asyncio.to_thread(self.parts.ledger.mark_delivered, event.key, event.kind)
        return said

    async def tick(self) -> None:
        self.clock.time = await self.environment.get_current_time()

    async def until(self, day: int, hour: int = 12) -> None:
        """Skip to this hour of the day so many days after the first Monday."""
        moment = datetime.combine(self.monday + timedelta(days=day), time(hour), BERLIN)
        await self.environment.sleep(moment - await self.environment.get_current_time())
        await self.tick()

    def log(self, day: int, text: str) -> None:
        self.rows.append(f"{self.day(day)},Relaunch,{text},1.5\n")
        path = self.house.home / "timesheets" / "times.csv"
        path.parent.mkdir(exist_ok=True)
        path.write_text("date,project,description,hours\n" + "".join(self.rows))

    def day(self, day: int) -> date:
        return self.monday + timedelta(days=day)

    def open_updates(self) -> list[CaseState]:
        return [state for state in self.parts.ledger.open_cases() if state.kind == "update"]

    async def waiting(self) -> CaseState:
        """The one open update, once it waits for its answer."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await asyncio.to_thread(self.open_updates)
                if len(found) == 1 and found[0].stage == "waiting":
                    return found[0]
                await asyncio.sleep(0.02)

    async def say_ok(self) -> str:
        """The owner approves the update that waits; its text, once it has left."""
        state = await self.waiting()
        before = len(self.house.sent_to_clients())
        answer = Answer(
            key=f"ok-{state.case}", case=state.case, version=state.version, hash=state.hash, decision=Approve(),
            via="machine", at=self.clock.time,
        )  # fmt: skip
        await asyncio.to_thread(self.parts.ledger.record_answer, answer)
        await self.engine.answer(answer)
        async with asyncio.timeout(PATIENCE):
            while await asyncio.to_thread(self.open_updates):  # noqa: ASYNC110 - the case does not call us
                await asyncio.sleep(0.02)
        (sent,) = self.house.sent_to_clients()[before:]
        return mime.decoded_body(sent.content)

    async def close(self) -> None:
        await self.stop()
        await self.parts.aclose()


@pytest.fixture
async def weeks(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> AsyncIterator[Weeks]:
    house = House(tmp_path / "home", mailbox, smtp_server)
    (house.home / "projects").mkdir()
    (house.home / "projects" / "relaunch.toml").write_text(PROJECT)
    async with time_skipping() as environment:
        made = Weeks(environment, house, await environment.get_current_time())
        await made.start()
        yield made
        await made.close()


def points(body: str) -> list[str]:
    return [line.removeprefix("- ") for line in body.splitlines() if line.startswith("- ")]


async def test_each_week_is_told_once_none_without_work_and_what_expired_comes_again(weeks: Weeks) -> None:
    week = [weeks.day(7 * at).isocalendar().week for at in range(6)]
    # The first week: logged on Tuesday, told on the Monday after it.
    await weeks.until(1)
    weeks.log(1, "Header and footer")
    await weeks.until(6)
    assert weeks.open_updates() == []
    await weeks.until(7)
    body = await weeks.say_ok()
    assert points(body) == ["Header and footer"]
    assert f"week {week[0]}:" in body
    # The second week: nothing was logged, nothing is proposed.
    await weeks.until(14)
    assert weeks.open_updates() == []
    # The third week: logged, then the machine is off until Thursday of the next one.
    weeks.log(15, "Contact form")
    await weeks.until(18)
    await weeks.stop()
    await weeks.until(24)
    await weeks.start()
    await weeks.until(24, 18)
    body = await weeks.say_ok()
    assert points(body) == ["Contact form"]
    assert f"week {week[2]}:" in body
    # The fourth week: nobody answers for seven working days, and it expires.
    weeks.log(24, "Search")
    await weeks.until(28)
    unanswered = await weeks.waiting()
    await weeks.until(35)
    assert [state.case for state in weeks.open_updates()] == [unanswered.case]
    weeks.log(36, "Team page")
    await weeks.until(41)
    assert weeks.parts.ledger.case(unanswered.case).outcome == "expired"
    # The fifth had nothing of its own, and what lapsed alone is not asked about again; with the sixth's work it is.
    assert weeks.open_updates() == []
    await weeks.until(42)
    body = await weeks.say_ok()
    assert points(body) == ["Search", "Team page"]
    assert f"weeks {week[3]} to {week[5]}:" in body
    assert len(weeks.house.sent_to_clients()) == 3
    assert {mail.recipients for mail in weeks.house.sent_to_clients()} == {("maria@studio.example",)}


async def test_an_entry_corrected_while_the_draft_waits_makes_a_new_draft(weeks: Weeks) -> None:
    await weeks.until(1)
    weeks.log(1, "Header and footer")
    weeks.log(2, "Contact form")
    await weeks.until(7)
    first = await weeks.waiting()
    weeks.rows[1] = f"{weeks.day(2)},Relaunch,Contact form with spam guard,1.5\n"
    weeks.log(8, "Of the next week")
    await weeks.until(8)
    async with asyncio.timeout(PATIENCE):
        while (now := await weeks.waiting()).version == first.version:  # noqa: ASYNC110 - the case does not call us
            await asyncio.sleep(0.02)
    assert (now.case, now.version, now.changed) == (first.case, 2, "What was logged for it changed.")
    assert points(await weeks.say_ok()) == ["Header and footer", "Contact form with spam guard"]
    assert len(weeks.house.sent_to_clients()) == 1
