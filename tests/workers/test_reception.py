"""What is recorded is delivered: at once, or soon after it could not be, without waiting for the minute's look."""

import asyncio
import contextlib
from pathlib import Path

import pytest

from tests.ledgers import OWNER, House, mail
from tests.patience import PATIENCE
from workers.service import reception as receptions
from workers.service.reception import FIRST_PAUSE, SWEEP, Reception, pause
from workflows.errors import Retryable
from workflows.models.routes import Event


class Case:
    """A case that is just ending: it takes nothing for a moment."""

    def __init__(self, refusals: int) -> None:
        self.refusals = refusals
        self.taken = asyncio.Event()

    async def take(self, event: Event) -> None:
        if self.refusals:
            self.refusals -= 1
            raise Retryable(f"Case {event.case} is just ending.")
        self.taken.set()


def reception_of(house: House, case: Case) -> Reception:
    return Reception(
        ledger=house.ledger, blobs=house.blobs, parser=None, takers={"mail": case.take}, owner=OWNER, clock=house.clock,
        answering=None, upkeep_due=asyncio.Event(), news=asyncio.Event(), aftercare_due=asyncio.Event(),
    )  # fmt: skip


async def test_what_was_refused_for_a_moment_does_not_wait_for_the_next_look(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(receptions, "SWEEP", 10 * PATIENCE)  # what waited for it would never be seen here
    monkeypatch.setattr(receptions, "FIRST_PAUSE", 0.01)
    house, case = House(tmp_path / "home"), Case(refusals=3)
    house.receive(mail("Hello, when can you start?"))
    running = asyncio.create_task(reception_of(house, case).run())
    async with asyncio.timeout(PATIENCE):
        await case.taken.wait()
        while house.ledger.undelivered():  # noqa: ASYNC110 - the ledger does not call us
            await asyncio.sleep(0.01)
    running.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await running


def test_the_pause_grows_up_to_the_look_of_every_minute() -> None:
    assert [pause(failures) for failures in (1, 2, 3)] == [FIRST_PAUSE, 2 * FIRST_PAUSE, 4 * FIRST_PAUSE]
    assert pause(0) == pause(7) == pause(10_000) == SWEEP
