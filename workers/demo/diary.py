"""A calendar server on loopback: one CalDAV calendar that can be read and written to, as a provider's would be."""

import base64
import re
import threading
from contextlib import AsyncExitStack
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Self
from xml.sax.saxutils import escape

USER, PASSWORD = "ada", "demo"
CALENDAR = "/work/"
_LARGEST = 100_000
_CONTEXT = 'xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"'
_KIND = (
    "<d:resourcetype><d:collection/><c:calendar/></d:resourcetype>"
    '<c:supported-calendar-component-set><c:comp name="VEVENT"/></c:supported-calendar-component-set>'
)


class DiaryServer:
    """Holds events by name, each as it was put; nothing overwrites one that lies there."""

    def __init__(self) -> None:
        self.events: dict[str, str] = {}
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="demo-diary", daemon=True)

    @classmethod
    def opened(cls, stack: AsyncExitStack) -> Self:
        """One that listens until the stack is closed."""
        server = cls()
        server._thread.start()
        stack.callback(server.close)
        return server

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self._server.server_address[1]}{CALENDAR}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def put(self, path: str, event: str) -> int:
        """Keep a new event; the HTTP status."""
        if not re.fullmatch(rf"{CALENDAR}[\w.-]{{1,100}}\.ics", path):
            return 403
        if path in self.events:
            return 412
        self.events[path] = event
        return 201

    def listed(self, *, events: bool) -> bytes:
        """The calendar, or all its events, as a multistatus."""
        rows = (
            [(path, f"<c:calendar-data>{escape(event)}</c:calendar-data>") for path, event in self.events.items()]
            if events
            else [(CALENDAR, _KIND)]
        )
        answers = "".join(
            f"<d:response><d:href>{path}</d:href><d:propstat><d:prop>{properties}</d:prop>"
            "<d:status>HTTP/1.1 200 OK</d:status></d:propstat></d:response>"
            for path, properties in rows
        )
        return f'<?xml version="1.0" encoding="utf-8"?><d:multistatus {_CONTEXT}>{answers}</d:multistatus>'.encode()

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        diary = self
        login = "Basic " + base64.b64encode(f"{USER}:{PASSWORD}".encode()).decode()

        class Handler(BaseHTTPRequestHandler):
            def do_PROPFIND(self) -> None:
                self._received()
                self._answer(207, diary.listed(events=False))

            def do_REPORT(self) -> None:
                self._received()
                self._answer(207, diary.listed(events=True))

            def do_PUT(self) -> None:
                event = self._received().decode("utf-8", "replace")
                self._answer(diary.put(self.path, event), b"")

            def _received(self) -> bytes:
                length = self.headers.get("Content-Length", "")
                return self.rfile.read(min(int(length), _LARGEST)) if length.isdigit() else b""

            def _answer(self, status: int, content: bytes) -> None:
                if self.headers.get("Authorization") != login:
                    status, content = 401, b""
                self.send_response(status)
                self.send_header("Content-Type", "application/xml; charset=utf-8")
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Nobody reads it."""

        return Handler
