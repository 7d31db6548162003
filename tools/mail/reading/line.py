"""IMAP line: one connection with a thread of its own, seen from the event loop."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Any, TypeVar

from tools.mail.account import Account
from tools.mail.imap import DROPS, Connection, ImapPatience, connect, is_refusal, lost
from workflows.errors import Retryable

Result = TypeVar("Result")
_GRACE = 2.0


class ImapLine:
    """One connection with a thread of its own, so that waiting for a server holds up nobody else's thread."""

    def __init__(self, account: Account, patience: ImapPatience) -> None:
        self.account, self.patience = account, patience
        self._thread = ThreadPoolExecutor(1, thread_name_prefix="imap")
        self._connection: Connection | None = None

    async def open(self) -> None:
        work = self._thread.submit(self._connect)
        within = self.patience.connect * 2 + self.patience.command * 3
        await self._result(asyncio.wrap_future(work), within)

    async def run(self, work: Callable[[Connection], Result], within: float = 0.0) -> Result:
        """Do this in the connection's thread.

        Raises:
            Retryable: the connection is lost, or the server does not answer in time (the watchdog).
            No: the server refused.
        """
        connection = self._connection
        if connection is None:
            raise Retryable(f"The connection to {self.account.host} is closed.")
        future = asyncio.wrap_future(self._thread.submit(work, connection))
        return await self._result(future, within or self.patience.command + _GRACE)

    async def idle(self, seconds: float) -> bool:
        """Wait until the server says something, at most this long. False: it does not IDLE, whatever it promised."""
        loop = asyncio.get_running_loop()
        ended = asyncio.Event()
        refused = False

        def on_end(outcome: Any) -> None:
            nonlocal refused
            refused = is_refusal(outcome)
            with contextlib.suppress(RuntimeError):  # the loop may be gone
                loop.call_soon_threadsafe(ended.set)

        await self.run(lambda connection: connection.start_idle(on_end))
        if not await _within(ended, seconds):
            await self.run(lambda connection: connection.end_idle())
            if not await _within(ended, self.patience.command):
                await self.close()
                raise Retryable(f"{self.account.host} went silent.")
        return not refused

    @property
    def is_open(self) -> bool:
        return self._connection is not None

    async def close(self) -> None:
        """End the connection; whatever its thread waits for is aborted."""
        connection, self._connection = self._connection, None
        if connection is not None:
            await asyncio.shield(asyncio.to_thread(connection.kill))
        self._thread.shutdown(wait=False)

    def _connect(self) -> None:
        self._connection = connect(self.account, self.patience)

    async def _result(self, future: "asyncio.Future[Result]", within: float) -> Result:
        future.add_done_callback(_look_at)
        try:
            async with asyncio.timeout(within):
                return await asyncio.shield(future)
        except TimeoutError:
            await self._give_up(future)
            raise Retryable(f"{self.account.host} does not answer.") from None
        except asyncio.CancelledError:
            await self._give_up(future)
            raise
        except DROPS as error:
            await self.close()
            raise lost(self.account, error) from error

    async def _give_up(self, future: "asyncio.Future[Any]") -> None:
        # A connection that is only now being made must not outlive the line.
        future.add_done_callback(lambda _: self._kill_late())
        await self.close()

    def _kill_late(self) -> None:
        connection, self._connection = self._connection, None
        if connection is not None:
            asyncio.get_running_loop().run_in_executor(None, connection.kill)


def _look_at(future: "asyncio.Future[Any]") -> None:
    if not future.cancelled():
        future.exception()  # retrieved: an answer that nobody waits for any more is no news


async def _within(event: asyncio.Event, seconds: float) -> bool:
    with contextlib.suppress(TimeoutError):
        async with asyncio.timeout(seconds):
            await event.wait()
    return event.is_set()


@contextlib.asynccontextmanager
async def open_line(account: Account, patience: ImapPatience) -> AsyncIterator[ImapLine]:
    line = ImapLine(account, patience)
    try:
        await line.open()
        yield line
    finally:
        await line.close()
