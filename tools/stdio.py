"""Standard input and output: a server that the owner's settings start, spoken to over its two pipes.

It runs in a process group of its own, which is killed whole when the talk is over, however that came about. A line has
a largest size and so has everything it writes: what floods is hung up on.
"""

import asyncio
import os
import signal
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.offers import ServerTrouble

MOST_BYTES = 1_000_000
"""Of one line, and of all lines of one talk."""
_GOODBYE = 0.2  # seconds between the end of its input and the kill


@dataclass(slots=True)
class Trouble:
    """What went wrong on the pipes, "" while nothing did."""

    says: str = ""


@asynccontextmanager
async def spoken_to(
    command: Sequence[str], environment: Mapping[str, str], folder: Path, trouble: Trouble
) -> AsyncIterator[Any]:
    """The two streams that an MCP client speaks over.

    Raises:
        ServerTrouble: the command cannot be started.
    """
    import anyio

    process = await _started(command, environment, folder)
    incoming, read = anyio.create_memory_object_stream[Any](0)
    write, outgoing = anyio.create_memory_object_stream[Any](0)
    try:
        async with anyio.create_task_group() as group:
            group.start_soon(_listen, process, incoming, trouble)
            group.start_soon(_speak, process, outgoing, incoming)
            try:
                yield read, write
            finally:
                group.cancel_scope.cancel()
    finally:
        with anyio.CancelScope(shield=True):
            await _ended(process)
            for stream in (incoming, read, write, outgoing):
                await stream.aclose()


async def _started(command: Sequence[str], environment: Mapping[str, str], folder: Path) -> asyncio.subprocess.Process:
    pipe, nowhere = asyncio.subprocess.PIPE, asyncio.subprocess.DEVNULL
    try:
        return await asyncio.create_subprocess_exec(
            *command, stdin=pipe, stdout=pipe, stderr=nowhere, limit=MOST_BYTES, cwd=folder, env=dict(environment),
            start_new_session=True,
        )  # fmt: skip
    except (OSError, ValueError) as error:
        reason = getattr(error, "strerror", None) or "its command cannot be run"
        raise ServerTrouble(f"it cannot be started: {reason}") from None


async def _listen(process: asyncio.subprocess.Process, incoming: Any, trouble: Trouble) -> None:
    """Each line as a message; the end of the stream when the server dies, floods or babbles."""
    import mcp_types
    from mcp.shared.message import SessionMessage

    assert process.stdout is not None
    size = 0
    async with incoming:
        while not trouble.says:
            try:
                line = await process.stdout.readline()
            except ValueError:  # longer than the limit
                line, size = b" ", MOST_BYTES + 1
            size += len(line)
            if size > MOST_BYTES:
                trouble.says = f"it told more than {MOST_BYTES:,} bytes"
            elif not line:
                trouble.says = "it ended"
            else:
                with suppress(ValueError):  # a line that is no message is left out, as its log would be
                    message = mcp_types.jsonrpc_message_adapter.validate_json(line, by_name=False)
                    await incoming.send(SessionMessage(message))


async def _speak(process: asyncio.subprocess.Process, outgoing: Any, incoming: Any) -> None:
    assert process.stdin is not None
    async with outgoing:
        async for message in outgoing:
            line = message.message.model_dump_json(by_alias=True, exclude_unset=True)
            process.stdin.write(f"{line}\n".encode())
            try:
                await process.stdin.drain()
            except OSError:  # it is gone: what waits for an answer hears so
                await incoming.aclose()
                return


async def _ended(process: asyncio.subprocess.Process) -> None:
    """Its input is closed, then its whole group is killed; nobody is waited for long."""
    if process.stdin is not None:
        process.stdin.close()
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), _GOODBYE)
    with suppress(ProcessLookupError, PermissionError):
        os.killpg(process.pid, signal.SIGKILL)  # also its children, when it went by itself
    with suppress(TimeoutError):
        await asyncio.wait_for(process.wait(), 1.0)
    transport = getattr(process, "_transport", None)  # else it stays open while a pipe is held by somebody
    if transport is not None:
        transport.close()
