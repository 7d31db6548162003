"""How a command reaches the running service: JSON lines over a Unix socket (0600) in the home, `<home>/control.sock`.

One request a connection. `<home>/service.json` (0600) names the socket and holds a token that the request carries; the
answer carries a proof made with it, so that neither a foreign client nor a foreign server is believed.
"""

import asyncio
import hashlib
import hmac
import json
import os
import secrets
import shutil
import socket
import tempfile
from collections.abc import Awaitable, Callable, Iterator, Mapping
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable

FILE = "service.json"
SOCKET = "control.sock"
LONGEST_PATH: Final = 100
"""Bytes of a path that a socket's address can hold everywhere (Linux: 107, macOS: 103)."""
MOST: Final = 32
"""Connections that are served at the same time; more wait their turn."""
QUEUE: Final = 128
FIRST_LINE: Final = 2.0
"""Seconds within which a connection must have said what it wants."""
LARGEST: Final = 1024 * 1024
"""Bytes a request or an answer may have: an edited text is far smaller."""
PATIENCE: Final = 30.0
"""Seconds a command waits for the service's answer."""

Handler = Callable[..., Awaitable[dict[str, Any]]]


class NotRunning(NeedsOwner):
    """No service runs on this home; reading still works."""


@dataclass(frozen=True, slots=True)
class ServiceAddress:
    """Where the running service listens."""

    socket: Path
    pid: int
    token: str


class ControlServer:
    """The service's ear. `handlers`: command name -> coroutine taking the command's arguments by keyword.

    A handler returns a JSON-able dict, by custom with `ok` and a sentence `says`, or raises a DeskhandError.
    """

    def __init__(self, home: Path, handlers: Mapping[str, Handler]) -> None:
        self._home = home
        self._handlers = handlers
        self._token = secrets.token_hex(32)
        self._socket: socket.socket | None = None
        self._listening: asyncio.Task[None] | None = None
        self._serving: set[asyncio.Task[None]] = set()
        self._elsewhere: Path | None = None  # where the socket lies when the home's path is too long for one

    async def start(self) -> None:
        """Listen, and write where; call it only while the home is held."""
        path = self._home.absolute() / SOCKET
        try:
            self._socket = _bound(path)
        except OSError:  # a path too long for an address, or a disk that holds no sockets: a short folder of our own
            self._elsewhere = Path(tempfile.mkdtemp(prefix="deskhand-"))
            path = self._elsewhere / SOCKET
            self._socket = _bound(path)
        self._socket.listen(QUEUE)
        self._listening = asyncio.create_task(self._listen(self._socket))
        _write(self._home / FILE, {"socket": str(path), "pid": os.getpid(), "token": self._token})

    async def stop(self) -> None:
        """Take the file and the socket away and stop listening; requests under way are ended."""
        (self._home / FILE).unlink(missing_ok=True)
        (self._home / SOCKET).unlink(missing_ok=True)
        if self._elsewhere:
            shutil.rmtree(self._elsewhere, ignore_errors=True)
        ending = [task for task in (self._listening, *self._serving) if task]
        for task in ending:
            task.cancel()
        await asyncio.gather(*ending, return_exceptions=True)
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    async def _listen(self, listening: socket.socket) -> None:
        """Take connections in while there is room; the others wait in the system's queue."""
        loop, room = asyncio.get_running_loop(), asyncio.Semaphore(MOST)
        while True:
            await room.acquire()
            try:
                connection, _ = await loop.sock_accept(listening)
            except OSError:  # no file handle is left: the next moment may have one
                room.release()
                await asyncio.sleep(0.1)
                continue
            serving = asyncio.create_task(self._serve(connection))
            self._serving.add(serving)
            serving.add_done_callback(self._serving.discard)
            serving.add_done_callback(lambda _: room.release())

    async def _serve(self, connection: socket.socket) -> None:
        reader, writer = await asyncio.open_unix_connection(sock=connection, limit=LARGEST)
        try:
            async with asyncio.timeout(FIRST_LINE):
                line = await reader.readline()
            async with asyncio.timeout(PATIENCE):
                answer = await self._answer(line)
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
        except (ValueError, KeyError, TypeError, RecursionError):
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
        raise _not_running(home)  # whoever listens there is not the service of that file
    if "fault" in reply:
        raise _raised(reply["fault"])
    answer: dict[str, Any] = reply["answer"]
    return answer


def running(home: Path) -> ServiceAddress | None:
    """The service that the home's file names, None when there is no file or its process is gone."""
    try:
        record = json.loads((home / FILE).read_text("utf-8"))
        service = ServiceAddress(Path(str(record["socket"])), int(record["pid"]), str(record["token"]))
        os.kill(service.pid, 0)
    except PermissionError:
        return None  # another user's process has that number now
    except (OSError, ValueError, KeyError, TypeError):
        return None
    return service


async def _exchange(home: Path, service: ServiceAddress, line: bytes) -> dict[str, Any]:
    try:
        with _address(service.socket) as address:
            reader, writer = await asyncio.open_unix_connection(address, limit=LARGEST)
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


def _bound(path: Path) -> socket.socket:
    """A socket at this path that only its owner may use; not yet listening, so nobody can connect before it is so."""
    path.unlink(missing_ok=True)  # of a service that was killed
    listener = socket.socket(socket.AF_UNIX, socket.SOCK_STREAM)
    try:
        listener.setblocking(False)
        with _address(path) as address:
            listener.bind(address)
        path.chmod(0o600)
    except OSError:
        listener.close()
        raise
    return listener


@contextmanager
def _address(path: Path) -> Iterator[str]:
    """The socket's path; a long one by way of its folder's handle, for an address holds few bytes.

    Raises:
        OSError: there is no such folder.
    """
    if len(os.fsencode(path)) <= LONGEST_PATH:
        yield str(path)
        return
    handle = os.open(path.parent, os.O_RDONLY | os.O_DIRECTORY | os.O_CLOEXEC)
    try:
        yield f"/proc/self/fd/{handle}/{path.name}"
    finally:
        os.close(handle)


def _proof(token: str, nonce: str) -> str:
    return hmac.new(token.encode(), nonce.encode(), hashlib.sha256).hexdigest()


def _fault(error: DeskhandError) -> dict[str, Any]:
    kinds = (NeedsOwner, Retryable, Permanent)
    kind = next((candidate.__name__ for candidate in kinds if isinstance(error, candidate)), "Permanent")
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
