"""How a command reaches the running service: JSON lines over loopback TCP, found by `<home>/service.json`.

One request a connection. The request carries the token of the port file (0600), the answer a proof made with it, so
that neither a foreign client nor a foreign server on a reused port is believed.
"""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
from collections.abc import Awaitable, Callable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable

FILE = "service.json"
LARGEST: Final = 1024 * 1024
"""Bytes a request or an answer may have: an edited text is far smaller."""
PATIENCE: Final = 30.0
"""Seconds a command waits for the service's answer."""

Handler = Callable[..., Awaitable[dict[str, Any]]]


class NotRunning(NeedsOwner):
    """No service runs on this home; reading still works."""


@dataclass(frozen=True, slots=True)
class Service:
    """Where the running service listens."""

    port: int
    pid: int
    token: str


class ControlServer:
    """The service's ear. `handlers`: command name -> coroutine taking the command's arguments by keyword.

    A handler returns a JSON-able dict, by custom with `ok` and a sentence `says`, or raises a DeskhandError.
    """

    def __init__(self, home: Path, handlers: Mapping[str, Handler]) -> None:
        self._path = home / FILE
        self._handlers = handlers
        self._token = secrets.token_hex(32)
        self._server: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen on a free loopback port and write the port file; call it only while the home is held."""
        self._server = await asyncio.start_server(self._serve, "127.0.0.1", 0, limit=LARGEST)
        port = self._server.sockets[0].getsockname()[1]
        _write(self._path, {"port": port, "pid": os.getpid(), "token": self._token})

    async def stop(self) -> None:
        """Take the port file away and stop listening; requests under way are ended."""
        self._path.unlink(missing_ok=True)
        if self._server is not None:
            self._server.close()
            await self._server.wait_closed()
            self._server = None

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            async with asyncio.timeout(PATIENCE):
                answer = await self._answer(await reader.readline())
                writer.write(json.dumps(answer).encode() + b"\n")
                await writer.drain()
        except (ValueError, TimeoutError, OSError):
            pass  # too long, too slow or gone: nothing was done that the caller could not ask about again
        finally:
            writer.close()
            with suppress(OSError):
                await writer.wait_closed()

    async def _answer(self, line: bytes) -> dict[str, Any]:
        try:
            request = json.loads(line)
            token, nonce = str(request["token"]), str(request["nonce"])
            command, arguments = str(request["command"]), dict(request["arguments"])
        except (ValueError, KeyError, TypeError):
            return _fault(Permanent("The request is not understood."))
        if not hmac.compare_digest(token.encode(), self._token.encode()):
            return _fault(Permanent("The request does not carry this service's token."))
        return {**await self._run(command, arguments), "proof": _proof(self._token, nonce)}

    async def _run(self, command: str, arguments: dict[str, Any]) -> dict[str, Any]:
        handler = self._handlers.get(command)
        if handler is None:
            return _fault(NeedsOwner(f'The running service does not know "{command}".', "Restart ./deskhand up."))
        try:
            return {"answer": await handler(**arguments)}
        except DeskhandError as error:
            return _fault(error)
        except Exception as error:  # noqa: BLE001 - a fault in one command must not end the service
            return _fault(Permanent(f"The service failed at this command ({type(error).__name__}); see its log."))


async def call(home: Path, command: str, **arguments: Any) -> dict[str, Any]:
    """Have the running service carry out a command; its answer.

    Raises:
        NotRunning: no service runs on this home.
        DeskhandError: what the service raised, with its words; Retryable when its answer did not arrive.
    """
    service = running(home)
    if service is None:
        raise _not_running(home)
    nonce = secrets.token_hex(16)
    request = {"token": service.token, "nonce": nonce, "command": command, "arguments": arguments}
    line = json.dumps(request, ensure_ascii=False).encode() + b"\n"
    if len(line) > LARGEST:
        raise NeedsOwner(f"The text is too long: {len(line)} bytes.", f"At most {LARGEST} bytes are taken.")
    reply = await _exchange(home, service, line)
    if not hmac.compare_digest(str(reply.get("proof", "")).encode(), _proof(service.token, nonce).encode()):
        raise _not_running(home)  # whoever listens there is not the service of that port file
    if "fault" in reply:
        raise _raised(reply["fault"])
    answer: dict[str, Any] = reply["answer"]
    return answer


def running(home: Path) -> Service | None:
    """The service that the port file names, None when there is no file or its process is gone."""
    try:
        found = json.loads((home / FILE).read_text("utf-8"))
        service = Service(int(found["port"]), int(found["pid"]), str(found["token"]))
        os.kill(service.pid, 0)
    except PermissionError:
        return None  # another user's process has that number now
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return service


async def _exchange(home: Path, service: Service, line: bytes) -> dict[str, Any]:
    try:
        reader, writer = await asyncio.open_connection("127.0.0.1", service.port, limit=LARGEST)
    except OSError:
        raise _not_running(home) from None
    try:
        async with asyncio.timeout(PATIENCE):
            writer.write(line)
            await writer.drain()
            reply = json.loads(await reader.readline())
            return reply if isinstance(reply, dict) else {}
    except (ValueError, TimeoutError, OSError):
        raise Retryable(
            "The service did not answer, so it is not known whether the command was carried out. "
            "Look with ./deskhand status, then give it again."
        ) from None
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


def _proof(token: str, nonce: str) -> str:
    return hmac.new(token.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def _fault(error: DeskhandError) -> dict[str, Any]:
    kinds = (NeedsOwner, Retryable, Permanent)
    kind = next((known.__name__ for known in kinds if isinstance(error, known)), "Permanent")
    problem, mend = (error.problem, error.mend) if isinstance(error, NeedsOwner) else (str(error), "")
    return {"fault": {"kind": kind, "problem": problem, "mend": mend}}


def _raised(fault: Mapping[str, str]) -> DeskhandError:
    if fault["kind"] == "NeedsOwner":
        return NeedsOwner(fault["problem"], fault["mend"])
    return Retryable(fault["problem"]) if fault["kind"] == "Retryable" else Permanent(fault["problem"])


def _not_running(home: Path) -> NotRunning:
    return NotRunning(f"Deskhand is not running on {home}.", "Start ./deskhand up, then give the command again.")


def _write(path: Path, value: Mapping[str, Any]) -> None:
    part = path.with_suffix(".part")
    handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(handle, "w") as file:
        json.dump(value, file)
    part.replace(path)
