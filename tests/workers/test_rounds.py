"""The digest of a morning holds what is due that morning: it is looked for and drafted before, not after it."""

import asyncio
from dataclasses import dataclass, field, replace
from datetime import time, timedelta
from pathlib import Path
from typing import Any

from tests.ledgers import NOON, OWNER, House, mail
from workers.rounds.digests import LOOK, READY_WITHIN, Rounds
from workers.rounds.polling import Polls, Watch
from workflows.errors import Retryable

SLOT = time(12, 30)


@dataclass
class Post:
    """The desk, as far as digests go: which were to leave, and when."""

    house: House
    shown: list[tuple[int, ...]] = field(default_factory=list)

    def items(self, states: Any) -> list[Any]:
        return []

    async def show(self, number: int, kind: str, states: Any) -> None:
        self.shown.append(tuple(state.case for state in states))

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        pass

    async def tell_kept(self) -> None:
        pass


class Morning:
    """A home shortly before its digest; `looked` notes each look for what is due."""

    def __init__(self, folder: Path, makes: int = 0, fault: Exception | None = None) -> None:
        self.house = House(folder)
        self.looked: list[str] = []
        self.fault, self.makes = fault, makes
        self.rounds = Rounds(
            ledger=self.house.ledger, desk=Post(self.house), owner=OWNER, clock=self.house.clock,  # type: ignore[arg-type]
            mode="digest", digest_at=(SLOT,), nudge_at=time(20), nudge_after=timedelta(days=1),
            before_digest=self.look,
        )  # fmt: skip

    async def look(self) -> None:
        self.looked.append(f"{self.house.clock.now():%H:%M}")
        for number in range(self.makes):
            self.house.receive(mail(f"Due {number}", message_id=f"<due-{number}@studio.example>"))
        if self.fault:
            raise self.fault

    @property
    def opened(self) -> bool:
        """Whether this morning's digest was made."""
        return self.house.ledger.last_slot("digest") == NOON + timedelta(minutes=30)


async def test_what_is_due_is_looked_for_first_and_the_digest_waits_until_it_is_drafted(tmp_path: Path) -> None:
    morning = Morning(tmp_path / "home", makes=2)
    await morning.rounds.round()
    assert morning.looked == [], "it is not time yet"
    morning.house.clock.move(minutes=30)
    await morning.rounds.round()
    assert morning.looked == ["12:30"]
    assert not morning.opened
    assert morning.rounds.next_due() == morning.house.clock.now() + LOOK
    await _drafted(morning.house)
    morning.house.clock.move(seconds=LOOK.seconds)
    await morning.rounds.round()
    assert morning.opened
    assert morning.looked == ["12:30"], "once for each digest"
    assert morning.rounds.next_due() > morning.house.clock.now() + timedelta(hours=1)


async def test_where_nothing_is_due_the_digest_leaves_at_once(tmp_path: Path) -> None:
    morning = Morning(tmp_path / "home")
    await morning.rounds.round()
    morning.house.clock.move(minutes=30)
    await morning.rounds.round()
    assert morning.opened


async def test_a_model_that_is_away_keeps_no_digest_back(tmp_path: Path) -> None:
    morning = Morning(tmp_path / "home", makes=1)
    await morning.rounds.round()
    morning.house.clock.move(minutes=30)
    await morning.rounds.round()
    morning.house.clock.move(seconds=READY_WITHIN.seconds - 1)
    await morning.rounds.round()
    assert not morning.opened
    morning.house.clock.move(seconds=1)
    await morning.rounds.round()
    assert morning.opened


async def test_a_look_that_fails_costs_the_digest_a_round(tmp_path: Path) -> None:
    morning = Morning(tmp_path / "home", fault=Retryable("The server is away."))
    await morning.rounds.round()
    morning.house.clock.move(minutes=30)
    await morning.rounds.round()
    await morning.rounds.round()
    assert morning.opened
    assert morning.looked == ["12:30"]


async def test_only_what_is_made_for_a_day_is_looked_for(tmp_path: Path) -> None:
    asked: list[str] = []

    def watch(name: str, *, daily: bool) -> Watch:
        async def run() -> str:
            asked.append(name)
            return "1 new"

        return Watch(name=name, every=timedelta(hours=1), run=run, daily=daily)

    house = House(tmp_path / "home")
    watches = (watch("dues", daily=True), watch("source-rss", daily=False), watch("work", daily=True))
    polls = Polls(watches=watches, ledger=house.ledger, desk=Post(house), health={})  # type: ignore[arg-type]
    await polls.make_due()
    assert asked == ["dues", "work"]
    assert polls.news.is_set()


async def _drafted(house: House) -> None:
    """Every recorded mail is with its case, and every case waits for the owner."""
    for event in await asyncio.to_thread(house.ledger.undelivered):
        house.ledger.mark_delivered(event.key, event.kind)
    for state in house.ledger.open_cases():
        house.ledger.save_case(replace(state, stage="waiting"))
