"""Keeper: runs the parts of the service for as long as it runs; one that ends unasked is said and started again."""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable

import structlog

from workflows.errors import DeskhandError

log = structlog.get_logger()
REST = 5.0
"""Seconds before a part that ended is started again."""


class Keeper:
    """What is kept ends with the `stack`; `health` holds what each part suffers from."""

    def __init__(self, stack: contextlib.AsyncExitStack, health: dict[str, str], say: Callable[[str], None]) -> None:
        self._stack, self._health, self._say = stack, health, say

    def keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        """Run a part for as long as the service runs; one that ends unasked is said and started again."""

        async def lasting() -> None:
            while True:
                self._health.pop(name, None)
                try:
                    await part()
                except DeskhandError as error:
                    self.unwell(name, str(error))
                except Exception as error:
                    log.exception("a part failed", part=name)
                    self.unwell(name, f"{type(error).__name__}: {error}")
                await asyncio.sleep(REST)

        task = asyncio.create_task(lasting(), name=name)
        self._stack.push_async_callback(ended, task)

    def unwell(self, name: str, problem: str) -> None:
        self._health[name] = problem
        self._say(f"{name}: {problem} It is tried again.")


async def ended(task: asyncio.Task[None]) -> None:
    """Cancel a task and wait until it has ended."""
    task.cancel()
    with contextlib.suppress(asyncio.CancelledError):
        await task
