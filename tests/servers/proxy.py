"""A TCP proxy with faults: what networks and servers do to a connection at the worst moment."""

import asyncio
import contextlib
import socket
import struct
from typing import Literal

Fault = Literal["reset", "fin", "bye", "black hole"]

_BYE = b"* BYE the server is going away\r\n"


class Proxy:
    """Stands before `port` on loopback. Faults hit every connection that is open, or one after so many bytes."""

    def __init__(self, port: int) -> None:
        self._target = port
        self._server: asyncio.Server | None = None
        self._lines: set[_Line] = set()
        self.port = 0
        self.connections = 0
        self.faults = 0
        self.drop_after: int | None = None  # bytes from the server; the next connection that passes them is reset
        self.rewrite: tuple[bytes, bytes] | None = None  # of what the client says, where nothing is encrypted
        self.is_dark = False  # a black hole: connections stay open, nothing passes, new ones get no answer

    async def start(self) -> None:
        self._server = await asyncio.start_server(self._accept, "127.0.0.1", 0)
        self.port = self._server.sockets[0].getsockname()[1]

    async def stop(self) -> None:
        assert self._server
        self._server.close()
        for line in tuple(self._lines):
            line.end("fin")
        await self._server.wait_closed()

    def break_all(self, fault: Fault) -> int:
        """Do this to every open connection; how many there were."""
        lines = tuple(self._lines)
        self.faults += len(lines)
        if fault == "black hole":
            self.is_dark = True
            return len(lines)
        for line in lines:
            line.end(fault)
        return len(lines)

    def heal(self) -> None:
        """Let new connections pass again; those that were open in the dark never recover."""
        self.is_dark = False

    async def _accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        line = _Line(self, reader, writer)
        self._lines.add(line)
        try:
            await line.run(self._target)
        finally:
            self._lines.discard(line)


class _Line:
    """One connection through the proxy."""

    def __init__(self, proxy: Proxy, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self._proxy, self._reader, self._writer = proxy, reader, writer
        self._upstream: asyncio.StreamWriter | None = None
        self._passed = 0
        self._is_lost = False  # was open in the dark

    async def run(self, port: int) -> None:
        try:
            reader, self._upstream = await asyncio.open_connection("127.0.0.1", port)
            down = asyncio.ensure_future(self._pump(reader, self._writer, from_server=True))
            up = asyncio.ensure_future(self._pump(self._reader, self._upstream, from_server=False))
            await asyncio.wait({down, up}, return_when=asyncio.FIRST_COMPLETED)
            for task in (down, up):
                task.cancel()
            await asyncio.gather(down, up, return_exceptions=True)
        except OSError:
            pass  # the server is down: the client sees its connection closed
        finally:
            self.end("fin")

    def end(self, fault: Fault) -> None:
        if fault == "bye" and not self._writer.is_closing():
            self._writer.write(_BYE)
        for writer in (self._writer, self._upstream):
            if writer is None:
                continue
            if fault == "reset":
                _reset(writer)
            with contextlib.suppress(OSError, RuntimeError):
                writer.close()

    async def _pump(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, *, from_server: bool) -> None:
        with contextlib.suppress(OSError):
            while content := await reader.read(65_536):
                self._is_lost = self._is_lost or self._proxy.is_dark
                if self._is_lost:
                    continue
                if from_server and self._drops(len(content)):
                    writer.write(content[: len(content) // 2])
                    self.end("reset")
                    return
                if self._proxy.rewrite and not from_server:
                    content = content.replace(*self._proxy.rewrite)
                writer.write(content)
                await writer.drain()

    def _drops(self, count: int) -> bool:
        self._passed += count
        limit = self._proxy.drop_after
        if limit is None or self._passed < limit:
            return False
        self._proxy.drop_after = None
        self._proxy.faults += 1
        return True


def _reset(writer: asyncio.StreamWriter) -> None:
    sock = writer.get_extra_info("socket")
    if sock is not None:
        # SO_LINGER with 0 seconds: close sends RST instead of FIN.
        with contextlib.suppress(OSError):
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
