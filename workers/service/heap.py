"""The service's memory: garbage is swept when there is some, and what is free goes back to the system.

Python looks for cycles among old objects only when a quarter more of them have come, which for a service that loads a
thousand modules is some 12 MB of garbage. What the start left behind is never garbage: it is taken out of the search.
"""

import asyncio
import contextlib
import ctypes
import gc
from typing import Final

EVERY: Final = 5.0
"""Seconds between two looks; while nothing happens a look costs nothing."""
_WORTH_IT = 1
"""Sweeps of middle-aged objects since the last whole one: each stands for 7,000 objects more."""
_ARENA_MAX = -8  # M_ARENA_MAX of malloc.h


def share() -> None:
    """Let the threads share two heaps: glibc gives each of them its own, 30 MB more after a day's mail."""
    with contextlib.suppress(OSError, AttributeError):  # another C library has no such call, and no such habit
        ctypes.CDLL(None).mallopt(_ARENA_MAX, 2)


async def keep_small() -> None:
    """Sweep now and then, for ever. For a process that is the service alone: what its start made is kept for good."""
    await asyncio.sleep(2 * EVERY)  # Chroma and what else is opened late
    sweep()
    gc.freeze()
    while True:
        await asyncio.sleep(EVERY)
        if is_worth_it():
            sweep()


def is_worth_it() -> bool:
    """Whether enough has happened since the last sweep."""
    return gc.get_count()[2] >= _WORTH_IT


def sweep() -> None:
    """Collect the garbage and give free memory back."""
    gc.collect()
    with contextlib.suppress(OSError, AttributeError):
        ctypes.CDLL(None).malloc_trim(0)
