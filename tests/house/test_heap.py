"""The service's memory is swept when there is something to sweep; what it comes to is measured by `bench idle`."""

import gc
import subprocess
import sys
import weakref

import pytest

from tests.house.running import ROOT
from workers.service import heap

LIVES = """
import asyncio, gc
from workers.service import heap

class Knot: pass

async def main():
    heap.EVERY = 0.01
    sweeping = asyncio.create_task(heap.keep_small())
    await asyncio.sleep(0.05)
    assert gc.get_freeze_count() > 1000
    knots = 0
    while not gc.get_stats()[2]["collections"] > 3:
        for _ in range(30_000):
            knot = Knot(); knot.itself = knot; knots += 1
        await asyncio.sleep(0.02)
        assert knots < 5_000_000
    sweeping.cancel()
    print(sum(isinstance(one, Knot) for one in gc.get_objects()) < knots / 2)

asyncio.run(main())
"""


class Knot:
    """Garbage that only a sweep finds."""


@pytest.fixture
def by_hand():
    """No sweep but ours while the test runs."""
    gc.collect()
    gc.disable()
    yield
    gc.enable()


def test_a_sweep_finds_what_holds_itself(by_hand):
    knot = Knot()
    knot.itself = knot
    seen = weakref.ref(knot)
    del knot
    assert seen() is not None
    heap.sweep()
    assert seen() is None


def test_an_idle_service_is_not_swept():
    gc.collect()
    assert not heap.is_worth_it()


def test_what_came_after_the_start_is_swept_and_the_start_is_not():
    done = subprocess.run(
        [sys.executable, "-P", "-c", LIVES], env={"PYTHONPATH": str(ROOT)},
        capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    assert (done.returncode, done.stdout.strip()) == (0, "True"), done.stderr
