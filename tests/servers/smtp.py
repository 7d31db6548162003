"""A real SMTP server on loopback that records every transaction and breaks where a test tells it to.

It runs in a thread of its own, so that a test that blocks its event loop, or a child process, can talk to it. Each
transaction (MAIL ... DATA) takes the next entry of `script`; an empty script means a well-behaved server.
"""

import asyncio
import base64
import contextlib
import re
import ssl
import threading
import time
from collections import defaultdict, deque
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from typing import Literal, Self

from tests.patience import PATIENCE

Point = Literal["connect", "ehlo", "auth", "mail", "rcpt", "data", "content", "final"]
"""Where a fault strikes; `content`: after 354, while the bytes come; `final`: at the answer to the final dot."""

Deed = Literal["reply", "drop", "accept_then_drop", "stall", "accept_then_stall"]


@dataclass(frozen=True)
class Fault:
    """What goes wrong once: at which point, and how. `recipient` limits an `rcpt` fault to that address."""

    at: Point
    do: Deed = "reply"
    reply: str = "451 4.3.0 try again later"
    recipient: str = ""


DROP_BEFORE_ACCEPT = Fault("final", "drop")
ACCEPT_THEN_DROP = Fault("final", "accept_then_drop")
TEMPORARY = Fault("final", "reply", "451 4.3.0 try again later")
PERMANENT = Fault("final", "reply", "554 5.7.1 we do not like this mail")
STALL = Fault("final", "stall")


@dataclass
class Transaction:
    """One MAIL command and what followed it."""

    connection: int
    sender: str
    recipients: list[str] = field(default_factory=list)
    content: bytes | None = None  # what came in DATA, dot-stuffing undone; None when DATA was never finished
    replies: list[str] = field(default_factory=list)  # every reply after MAIL, the final one last
    accepted: bool = False
    told: bool = False  # the client was given the final reply
    reset: bool = False


@dataclass(frozen=True)
class Delivered:
    """A mail that the server took: `content` as it came, `kept` as the server files it (its own Message-ID maybe)."""

    sender: str
    recipients: tuple[str, ...]
    content: bytes
    kept: bytes
    server_id: str


class _Dropped(Exception):
    pass


class RecordingSmtp:
    """The server. Start and stop it, or use it as a context manager; every list may be read at any time."""

    def __init__(
        self,
        *,
        tls: Literal["none", "starttls", "implicit"] = "none",
        context: ssl.SSLContext | None = None,
        users: dict[str, str] | None = None,
        rewrite_ids: bool = False,
        on_message: Callable[[Delivered], None] | None = None,
        extensions: Iterable[str] = ("8BITMIME", "SMTPUTF8", "SIZE 52428800"),
        offer_starttls: bool = True,
        auth_error: str = "535 5.7.8 authentication failed",
    ) -> None:
        self.tls, self.context, self.users = tls, context, users
        self.rewrite_ids, self.on_message = rewrite_ids, on_message
        self.states_ids = True  # the reply names the Message-ID that the server gave
        self.extensions, self.offer_starttls, self.auth_error = tuple(extensions), offer_starttls, auth_error
        self.host, self.port = "127.0.0.1", 0
        self.script: deque[Fault | None] = deque()
        self.always: Fault | None = None
        self.refused: set[str] = set()
        self.commands: list[tuple[int, str]] = []
        self.received: defaultdict[int, bytearray] = defaultdict(
            bytearray
        )  # every byte a connection sent after decryption, for "no password came"
        self.logins: list[str] = []
        self.transactions: list[Transaction] = []
        self.delivered: list[Delivered] = []
        self.connections = 0
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._server: asyncio.Server | None = None
        self._tasks: set[asyncio.Task[None]] = set()

    # ------------------------------------------------------------ for the test

    def start(self) -> Self:
        if self._thread is None:
            self._thread = threading.Thread(target=self._loop.run_forever, name="smtp-server", daemon=True)
            self._thread.start()
        asyncio.run_coroutine_threadsafe(self._listen(), self._loop).result(10)
        return self

    def close(self) -> None:
        """Stop listening and cut every connection; `start` listens again on the same port."""
        asyncio.run_coroutine_threadsafe(self._close(), self._loop).result(10)

    def stop(self) -> None:
        self.close()
        self._loop.call_soon_threadsafe(self._loop.stop)
        if self._thread is not None:
            self._thread.join(PATIENCE)
        self._loop.close()

    def __enter__(self) -> Self:
        return self.start()

    def __exit__(self, *_: object) -> None:
        self.stop()

    def play(self, *faults: Fault | None) -> None:
        """Add to the script: the next transactions meet these faults, None is a good one."""
        self.script.extend(faults)

    def to(self, address: str) -> list[Delivered]:
        return [mail for mail in self.delivered if address in mail.recipients]

    async def wait(self, condition: Callable[["RecordingSmtp"], bool], seconds: float = PATIENCE) -> None:
        """Until the condition holds; fails the test when it does not in time."""
        limit = max(seconds, PATIENCE)
        deadline = time.monotonic() + limit
        while not condition(self):
            assert time.monotonic() < deadline, f"not in {limit:.0f} s; transactions: {self.transactions}"
            await asyncio.sleep(0.01)

    async def wait_delivered(self, count: int, seconds: float = PATIENCE) -> list[Delivered]:
        await self.wait(lambda server: len(server.delivered) >= count, seconds)
        return list(self.delivered)

    # ------------------------------------------------------------ the server

    async def _listen(self) -> None:
        context = self.context if self.tls == "implicit" else None
        self._server = await asyncio.start_server(self._client, self.host, self.port, ssl=context, limit=2**26)
        self.port = self._server.sockets[0].getsockname()[1]

    async def _close(self) -> None:
        if self._server is not None:
            self._server.close()
        for task in tuple(self._tasks):
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    async def _client(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        task = asyncio.current_task()
        assert task is not None
        self._tasks.add(task)
        self.connections += 1
        session = _Session(self, self.connections, reader, writer)
        try:
            with contextlib.suppress(_Dropped, ConnectionError, asyncio.IncompleteReadError, ssl.SSLError):
                await session.run()
        except asyncio.CancelledError:
            pass  # the server is being closed: asyncio's own callback must not see it as an error
        finally:
            self._tasks.discard(task)
            session.writer.transport.abort()

    def _next_fault(self) -> Fault | None:
        return self.script.popleft() if self.script else self.always

    def _keep(self, transaction: Transaction) -> Delivered:
        content = transaction.content or b""
        server_id, kept = "", content
        if self.rewrite_ids:
            server_id = f"<SRV{len(self.delivered):06d}.{transaction.connection}@mx.provider.example>"
            kept = re.sub(rb"(?im)^Message-ID:[^\r\n]*", b"Message-ID: " + server_id.encode(), content, count=1)
        mail = Delivered(transaction.sender, tuple(transaction.recipients), content, kept, server_id)
        self.delivered.append(mail)
        if self.on_message is not None:
            self.on_message(mail)
        transaction.accepted = True
        return mail


class _Session:
    """One connection."""

    def __init__(
        self, server: RecordingSmtp, number: int, reader: asyncio.StreamReader, writer: asyncio.StreamWriter
    ) -> None:
        self.server, self.number, self.reader, self.writer = server, number, reader, writer
        self.secure = server.tls == "implicit"
        self.user = ""
        self.transaction: Transaction | None = None
        self.fault: Fault | None = None
        self.pending = False  # `fault` was drawn and belongs to the coming transaction

    async def run(self) -> None:
        self._draw()
        if not await self._strikes("connect"):
            await self._say("220 mx.provider.example ESMTP")
        while line := await self._line():
            verb = line.split(" ")[0].upper()
            action = getattr(self, f"_do_{verb.lower()}", None)
            if action is None:
                await self._say("500 5.5.1 unknown command")
            elif await action(line) == "bye":
                return

    # ------------------------------------------------------------ wire

    async def _line(self) -> str:
        raw = await self.reader.readline()
        self._record(raw)
        text = raw.decode("utf-8", "surrogateescape").rstrip("\r\n")
        if raw:
            self.server.commands.append((self.number, text))
        return text if raw else ""

    def _record(self, raw: bytes) -> None:
        self.server.received[self.number] += raw

    async def _say(self, *lines: str) -> None:
        for position, line in enumerate(lines):
            dash = line[:3] + "-" + line[4:] if position < len(lines) - 1 else line
            self.writer.write(dash.encode("utf-8", "surrogateescape") + b"\r\n")
        if self.transaction is not None:
            self.transaction.replies.append(lines[-1])
        await self.writer.drain()

    def _draw(self) -> None:
        if not self.pending:
            self.fault, self.pending = self.server._next_fault(), True

    async def _strikes(self, at: Point, recipient: str = "") -> bool:
        """Do the fault of this point, if any. True: a reply was given."""
        fault = self.fault
        if fault is None or fault.at != at or (fault.recipient and fault.recipient != recipient):
            return False
        if fault.do in {"accept_then_drop", "accept_then_stall"}:
            assert self.transaction is not None
            await asyncio.to_thread(self.server._keep, self.transaction)
        if fault.do in {"stall", "accept_then_stall"}:
            self.fault = None
            await self.reader.read(1)  # until the client gives up or the server is closed
        if fault.do != "reply":
            raise _Dropped
        await self._say(fault.reply)
        return True

    # ------------------------------------------------------------ commands

    async def _do_ehlo(self, line: str) -> None:
        if await self._strikes("ehlo"):
            return
        lines = ["250 mx.provider.example", *(f"250 {extension}" for extension in self.server.extensions)]
        if self.server.tls == "starttls" and not self.secure and self.server.offer_starttls:
            lines.append("250 STARTTLS")
        if self.server.users is not None and (self.secure or self.server.tls == "none"):
            lines.append("250 AUTH PLAIN LOGIN")
        await self._say(*lines)

    async def _do_helo(self, line: str) -> None:
        await self._say("250 mx.provider.example")

    async def _do_starttls(self, line: str) -> None:
        if self.secure or self.server.context is None or not self.server.offer_starttls:
            await self._say("502 5.5.1 no TLS here")
            return
        await self._say("220 2.0.0 go ahead")
        await self.writer.start_tls(self.server.context)
        self.secure = True

    async def _do_auth(self, line: str) -> None:
        if await self._strikes("auth"):
            return
        method, _, initial = line[5:].partition(" ")
        if method.upper() == "PLAIN":
            answer = initial or await self._challenge("")
            _, user, password = base64.b64decode(answer).decode().split("\0")
        else:
            user = base64.b64decode(initial or await self._challenge("VXNlcm5hbWU6")).decode()
            password = base64.b64decode(await self._challenge("UGFzc3dvcmQ6")).decode()
        if (self.server.users or {}).get(user) != password:
            await self._say(self.server.auth_error)
            return
        self.user = user
        self.server.logins.append(user)
        await self._say("235 2.7.0 welcome")

    async def _challenge(self, text: str) -> str:
        await self._say(f"334 {text}")
        return await self._line()

    async def _do_mail(self, line: str) -> None:
        self._draw()
        sender = _address(line)
        if self.server.users is not None and not self.user:
            await self._say("530 5.7.0 log in first")
            return
        self.transaction = Transaction(self.number, sender)
        self.server.transactions.append(self.transaction)
        if not await self._strikes("mail"):
            await self._say("250 2.1.0 ok")

    async def _do_rcpt(self, line: str) -> None:
        recipient = _address(line)
        if self.transaction is None:
            await self._say("503 5.5.1 MAIL first")
        elif recipient in self.server.refused:
            await self._say(f"550 5.1.1 <{recipient}> no such user")
        elif not await self._strikes("rcpt", recipient):
            self.transaction.recipients.append(recipient)
            await self._say("250 2.1.5 ok")

    async def _do_data(self, line: str) -> None:
        transaction = self.transaction
        if transaction is None or not transaction.recipients:
            await self._say("503 5.5.1 RCPT first")
            return
        if await self._strikes("data"):
            return
        await self._say("354 go ahead")
        if self.fault is not None and self.fault.at == "content":
            await self.reader.readexactly(10)
            if self.fault.do == "stall":
                self.writer.transport.pause_reading()
                await asyncio.Event().wait()  # until the server is closed
            raise _Dropped
        transaction.content = await self._content()
        await self._finish(transaction)

    async def _content(self) -> bytes:
        lines: list[bytes] = []
        while (line := await self.reader.readline()) != b".\r\n":
            if not line:
                raise _Dropped
            self._record(line)
            lines.append(line[1:] if line.startswith(b".") else line)
        return b"".join(lines)

    async def _finish(self, transaction: Transaction) -> None:
        if not await self._strikes("final"):
            mail = await asyncio.to_thread(self.server._keep, transaction)
            stated = mail.server_id if self.server.states_ids else ""
            await self._say(f"250 2.0.0 Ok: queued as {stated or f'Q{len(self.server.delivered):08X}'}")
        transaction.told = True
        self.transaction, self.pending = None, False

    async def _do_rset(self, line: str) -> None:
        if self.transaction is not None:
            self.transaction.reset = True
        self.transaction, self.pending = None, False
        await self._say("250 2.0.0 ok")

    async def _do_noop(self, line: str) -> None:
        await self._say("250 2.0.0 ok")

    async def _do_quit(self, line: str) -> str:
        await self._say("221 2.0.0 bye")
        return "bye"


def _address(line: str) -> str:
    found = re.search(r"<([^>]*)>", line)
    return found.group(1).lower() if found else ""
