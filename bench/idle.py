"""Resident memory of our processes after use and when idle, and what they use of a processor when nothing happens.

Ours are the service and its mail parser; the Temporal server is stated apart.
"""

import time
from collections.abc import Iterator

from bench._figures import Figure, at_most
from bench._house import MeasuredHouse, house
from bench._process import Process, ours, temporal
from tests.house.running import AutomaticOwner, until
from workflows.models.mail import Address

MEMORY_GOAL = 250
PROCESSOR_GOAL = 0.2
STILL = 3.0
"""Seconds without work after which the service counts as idle: mail that came is looked after twice."""


def run(full: bool) -> Iterator[Figure]:
    """`idle.memory.used`, `idle.memory` (MB) and `idle.processor` (percent of one core, over 120 s; 30 s in small)."""
    window, mails = (120, 60) if full else (30, 20)
    with house() as measured:
        _use(measured, mails)
        assert measured.process
        pid = measured.process.pid
        yield _memory("idle.memory.used", pid, mails)
        _wait_idle(pid)
        yield _memory("idle.memory", pid, mails)
        yield at_most("idle.processor", _processor(pid, window), PROCESSOR_GOAL, unit="%", seconds=window)


def _use(measured: MeasuredHouse, mails: int) -> None:
    """Every part has worked: mails came, drafts were asked about, answered and sent."""
    with AutomaticOwner(measured):
        for number in range(mails):
            measured.client_writes(number, sender=Address(name="Client", email=f"client{number}@firm.example"))
        measured.wait_sent(mails, 300)
    measured.wait_quiet()


def _memory(name: str, pid: int, mails: int) -> Figure:
    parts = {_name(process): round(process.resident) for process in ours(pid)}
    server = round(sum(process.resident for process in temporal(pid)))
    return at_most(name, sum(parts.values()), MEMORY_GOAL, unit="MB", processes=parts, temporal=server, mails=mails)


def _name(process: Process) -> str:
    return "parser" if "tools.mail.parser" in process.command else "service"


def _wait_idle(pid: int) -> None:
    """Until the service used next to nothing for a while."""
    last, since = Process(pid).processor_seconds, time.monotonic()

    def is_still() -> bool:
        nonlocal last, since
        used = Process(pid).processor_seconds
        if used - last > 0.02:
            last, since = used, time.monotonic()
        return time.monotonic() - since > STILL

    until(is_still, 120, "the service to be idle")


def _processor(pid: int, seconds: float) -> float:
    """Percent of one core over these seconds: the one wait here that is the measurement itself."""
    before, began = sum(process.processor_seconds for process in ours(pid)), time.monotonic()
    time.sleep(seconds)
    used = sum(process.processor_seconds for process in ours(pid)) - before
    return max(0.0, used) / (time.monotonic() - began) * 100
