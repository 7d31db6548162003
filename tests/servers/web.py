"""A real web server on loopback that a test scripts page by page, down to the bytes on the socket.

    with WebServer() as web:
        web.put("/jobs.rss", feed, content_type="application/rss+xml")
        web.put("/moved", status=302, headers={"Location": "/jobs.rss"})
        web.raw("/drip", lambda peer: peer.sendall(b"HTTP/1.1 200 OK\\r\\n"))   # and closed when it returns
        Web(permit=web.permit)

Every request is recorded and every connection counted, also one that never asks. Pages come with an ETag, and a request
that names it gets a 304.
"""

import contextlib
import hashlib
import socket
import ssl
import threading
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Self

from tests.patience import PATIENCE

_LONGEST_HEAD = 100_000


@dataclass(frozen=True)
class Asked:
    """One request; header names in lower case."""

    path: str
    headers: dict[str, str]


@dataclass(frozen=True)
class Page:
    """What a path answers."""

    content: bytes = b""
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


Raw = Callable[[socket.socket], object]


class WebServer:
    """Listens while the `with` block lasts."""

    def __init__(self, host: str = "127.0.0.1", port: int = 0, certificate: tuple[str, str] | None = None) -> None:
        self.host = host
        self.requests: list[Asked] = []
        self.connections = 0
        self._pages: dict[str, Page | Raw] = {}
        self._tls = _context(*certificate) if certificate else None
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        self._socket = socket.create_server((host, port), family=family)
        self.port: int = self._socket.getsockname()[1]
        self._open: set[socket.socket] = set()
        self._threads: list[threading.Thread] = []
        self._ending = threading.Event()

    @property
    def netloc(self) -> str:
        return f"[{self.host}]:{self.port}" if ":" in self.host else f"{self.host}:{self.port}"

    @property
    def url(self) -> str:
        """The base, without a final slash."""
        return f"{'https' if self._tls else 'http'}://{self.netloc}"

    @property
    def permit(self) -> frozenset[str]:
        """What the guarded client needs to be told to come here."""
        return frozenset({f"{self.host}:{self.port}"})

    def put(
        self, path: str, content: bytes | str = b"", status: int = 200, *,
        headers: dict[str, str] | None = None, content_type: str = "",
    ) -> None:  # fmt: skip
        """Answer this at the path from now on."""
        body = content.encode() if isinstance(content, str) else content
        more = {"Content-Type": content_type} if content_type else {}
        tag = {"ETag": f'"{hashlib.sha256(body).hexdigest()[:16]}"'} if status == 200 else {}
        self._pages[path] = Page(body, status, tag | more | (headers or {}))

    def raw(self, path: str, answer: Raw) -> None:
        """Let this write to the socket, then close it; a client that is gone ends it."""
        self._pages[path] = answer

    def asked(self, path: str) -> list[Asked]:
        return [request for request in self.requests if request.path == path]

    def __enter__(self) -> Self:
        self._begin(self._accept)
        return self

    def __exit__(self, *_: object) -> None:
        self._ending.set()
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)  # wakes the thread in accept
        self._socket.close()
        for peer in list(self._open):
            with contextlib.suppress(OSError):
                peer.shutdown(socket.SHUT_RDWR)
        for thread in self._threads:
            thread.join(PATIENCE)

    def wait(self, seconds: float) -> bool:
        """Hold an answer back; True when the server ends in the meantime."""
        return self._ending.wait(seconds)

    def _begin(self, run: Callable[..., None], *arguments: object) -> None:
        thread = threading.Thread(target=run, args=arguments, name="web-server", daemon=True)
        self._threads.append(thread)
        thread.start()

    def _accept(self) -> None:
        while not self._ending.is_set():
            try:
                peer, _ = self._socket.accept()
            except OSError:
                return
            self.connections += 1
            self._open.add(peer)
            self._begin(self._serve, peer)

    def _serve(self, plain: socket.socket) -> None:
        peer = plain
        with contextlib.suppress(OSError, ValueError):
            plain.settimeout(PATIENCE)
            if self._tls:
                peer = self._tls.wrap_socket(plain, server_side=True)
                self._open.add(peer)
            while self._answer(peer):
                pass
        for one in (peer, plain):
            self._open.discard(one)
            with contextlib.suppress(OSError):
                one.close()

    def _answer(self, peer: socket.socket) -> bool:
        """One request on this connection; whether another may follow."""
        request = _read(peer)
        if request is None:
            return False
        self.requests.append(request)
        page = self._pages.get(request.path) or self._pages.get(request.path.partition("?")[0]) or Page(b"none", 404)
        if not isinstance(page, Page):
            page(peer)
            return False
        tag = page.headers.get("ETag")
        if tag and request.headers.get("if-none-match") == tag:
            page = Page(b"", 304, {"ETag": tag})
        peer.sendall(_written(page))
        return request.headers.get("connection", "").lower() != "close"


def _read(peer: socket.socket) -> Asked | None:
    head = b""
    while b"\r\n\r\n" not in head and len(head) < _LONGEST_HEAD:
        piece = peer.recv(65536)
        if not piece:
            return None
        head += piece
    first, *lines = head.partition(b"\r\n\r\n")[0].decode("latin-1").split("\r\n")
    headers = {name.strip().lower(): value.strip() for name, _, value in (line.partition(":") for line in lines)}
    return Asked(first.split(" ")[1], headers)


def _written(page: Page) -> bytes:
    fields = {"Date": "Mon, 23 Nov 2026 10:00:00 GMT", "Content-Length": str(len(page.content)), **page.headers}
    head = "".join(f"{name}: {value}\r\n" for name, value in fields.items())
    return f"HTTP/1.1 {page.status} Answer\r\n{head}\r\n".encode("latin-1") + page.content


def _context(certificate: str, key: str) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate, key)
    return context
