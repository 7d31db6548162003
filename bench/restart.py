"""kill -9 of the service, and a start: seconds until it runs, and until a mail of the meantime has its approval mail.

The floor is what no start can avoid: importing the fixed packages in a fresh process, and the boot of Temporal on a
copy of the same database. Both take turns.
"""

import asyncio
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from itertools import count
from pathlib import Path

from bench._figures import Figure, against_floor, at_most
from bench._house import MeasuredHouse, house
from workers.settings.environ import cache_folder
from workers.temporal.server import TemporalServer, find_cli

GOAL = 1.25
ENDS_WITHIN = 120
"""Promise T1: every case goes on that soon after a restart."""
PACKAGES = "langgraph.graph, langchain_openai, temporalio.worker, pydantic, chromadb, imaplib2"


def run(full: bool) -> Iterator[Figure]:
    """`restart` and `restart.approval`: seconds, the median of 20 kills (3 in small)."""
    runs = 20 if full else 3
    starts, floors, approvals = [], [], []
    with house() as measured:
        for number in count(1):
            start, approval = _killed(measured, number)
            floor = _imports() + _boot(measured.home)
            if number == 1:
                continue  # warmed up
            starts.append(start)
            approvals.append(approval)
            floors.append(floor)
            if len(starts) == runs:
                break
    yield against_floor("restart", starts, floors, most=GOAL, unit="s")
    yield at_most("restart.approval", max(approvals), ENDS_WITHIN, unit="s", runs=runs)


def _killed(measured: MeasuredHouse, number: int) -> tuple[float, float]:
    """Seconds from a start after kill -9 until it runs, and until the mail of the meantime has been asked about."""
    before = len(measured.arrived)
    measured.kill()
    measured.client_writes(number)
    began = time.perf_counter()
    measured.start()
    running = time.perf_counter() - began
    asked = measured.wait_arrived(before + 1) - began
    measured.wait_quiet()
    return running, asked


def _imports() -> float:
    began = time.perf_counter()
    subprocess.run([sys.executable, "-W", "ignore", "-P", "-c", f"import {PACKAGES}"], check=True)
    return time.perf_counter() - began


def _boot(home: Path) -> float:
    """Seconds until a Temporal server on a copy of the home's database answers."""
    beside = home.parent / "beside"
    beside.mkdir(mode=0o700)
    try:
        for path in home.glob("temporal.sqlite*"):
            shutil.copy(path, beside)
        return asyncio.run(_boot_in(beside))
    finally:
        shutil.rmtree(beside)


async def _boot_in(home: Path) -> float:
    server = TemporalServer(await find_cli(cache_folder()), home)
    began = time.perf_counter()
    await server.start()
    took = time.perf_counter() - began
    await server.stop()
    return took
