"""The real service, which kills itself with -9 at a named boundary of an activity: `draft:before`, `send:after` ...

before: the activity has not begun · after: its side effect is done, Temporal does not know · completed: Temporal knows.
"""

import argparse
import asyncio
import os
import signal
from pathlib import Path
from typing import Any

from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from workers import home as homes
from workers.service.supervisor import Service
from workers.settings import loading

POINTS = ("before", "after", "completed")


def die() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


class Dying(Interceptor):
    """Ends the process at the first time that the boundary is reached."""

    def __init__(self, boundary: str) -> None:
        self.activity, _, self.point = boundary.partition(":")

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Inbound(next, self)


class _Inbound(ActivityInboundInterceptor):
    def __init__(self, next: ActivityInboundInterceptor, dying: Dying) -> None:  # noqa: A002
        super().__init__(next)
        self.dying = dying

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002
        if input.fn.__name__ != self.dying.activity:
            return await super().execute_activity(input)
        if self.dying.point == "before":
            die()
        result = await super().execute_activity(input)
        if self.dying.point == "after":
            die()
        asyncio.get_running_loop().call_later(0.05, die)
        return result


async def run(home: Path, boundary: str) -> None:
    with homes.hold(home, "up"):
        async with Service(home, loading.load(home), say=print, interceptors=(Dying(boundary),)):
            print("Deskhand is running, not for long.", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    parser.add_argument("boundary")
    given = parser.parse_args()
    asyncio.run(run(given.home, given.boundary))
