"""A web server on loopback with recorded pages: what the feeds and pages of the demo really come from."""

import re
import threading
from collections.abc import Mapping
from contextlib import AsyncExitStack
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Self

DATA = Path(__file__).parent / "data"
_TOKEN = re.compile(r"\{\{(monday)?([+-]\d+)(?: (rfc|epoch|stamp))?\}\}")


def recorded(name: str, now: datetime, **words: str) -> str:
    """A file of the demo's data, as `dated`."""
    return dated((DATA / name).read_text("utf-8"), now, **words)


def dated(text: str, now: datetime, **words: str) -> str:
    """A recorded text with its days counted from now.

    `{{-3}}` is a day, `{{monday+2}}` one counted from the Monday of last week; also as `rfc`, `epoch` or `stamp`.
    Every other `{{word}}` is what `words` says.
    """
    today = now.astimezone(UTC)

    def day(found: re.Match[str]) -> str:
        first = today - timedelta(days=today.weekday() + 7) if found[1] else today
        at = first + timedelta(days=int(found[2]))
        match found[3]:
            case "rfc":
                return format_datetime(at)
            case "epoch":
                return str(int(at.timestamp()))
            case "stamp":
                return at.isoformat(timespec="seconds")
            case _:
                return at.date().isoformat()

    text = _TOKEN.sub(day, text)
    for word, replacement in words.items():
        text = text.replace(f"{{{{{word}}}}}", replacement)
    return text


class Site:
    """Serves `pages`: a path, or a path with the beginning of its query, to a file and its type."""

    def __init__(self, pages: Mapping[str, tuple[str, str]], now: datetime) -> None:
        self._pages = pages
        self._now = now
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), self._handler())
        self._server.daemon_threads = True
        self._thread = threading.Thread(target=self._server.serve_forever, args=(0.05,), name="demo-site", daemon=True)

    @classmethod
    def opened(cls, stack: AsyncExitStack, pages: Mapping[str, tuple[str, str]], now: datetime) -> Self:
        """One that listens until the stack is closed."""
        site = cls(pages, now)
        site._thread.start()
        stack.callback(site.close)
        return site

    @property
    def netloc(self) -> str:
        return f"127.0.0.1:{self._server.server_address[1]}"

    @property
    def url(self) -> str:
        return f"http://{self.netloc}"

    def close(self) -> None:
        self._server.shutdown()
        self._server.server_close()
        self._thread.join(5)

    def _page(self, path: str) -> tuple[bytes, str] | None:
        page = next((self._pages[prefix] for prefix in self._pages if path.startswith(prefix)), None)
        return (recorded(page[0], self._now, site=self.url).encode(), page[1]) if page else None

    def _handler(self) -> type[BaseHTTPRequestHandler]:
        site = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                page = site._page(self.path)
                content, kind = page or (b"There is no such page.", "text/plain")
                self.send_response(200 if page else 404)
                self.send_header("Content-Type", kind)
                self.send_header("Content-Length", str(len(content)))
                self.end_headers()
                self.wfile.write(content)

            def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the library's name
                """Nobody reads it."""

        return Handler
