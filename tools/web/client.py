"""The one guarded client: everything that Deskhand fetches from the web comes through here.

A name is resolved once, every address it gave is judged, and the connection goes to that very address: what the DNS
says later changes nothing. Each redirect begins anew. What comes back is bytes, capped in size and time.
"""

import asyncio
import re
import ssl
import zlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any, Final, Literal
from urllib.parse import urljoin

from tools.web import markup
from tools.web.addresses import PORTS, Target, is_own, is_public, target
from workflows.errors import Permanent, Retryable

if TYPE_CHECKING:
    import httpcore2

MOST_RATIO: Final = 200
"""Most bytes that one compressed byte may become, once more than `_RATIO_FROM` came out."""
MOST_HOPS: Final = 5
"""Most objects and lists in a JSON document: a small text can otherwise fill the memory."""
USER_AGENT: Final = "Deskhand/0.1 (a freelancer's own reader)"

_RATIO_FROM = 256_000
_CONNECT_SECONDS = 4.0
_MEMBERS = 16
_REDIRECTS = {301, 302, 303, 307, 308}
_AGAIN = {408, 425, 429, 500, 502, 503, 504}
_TRAVELS = {"accept", "accept-language", "user-agent"}
_OURS = {"host", "connection", "content-length", "transfer-encoding", "accept-encoding", "te", "upgrade", "expect"}
_CHARSET = re.compile(r"charset\s*=\s*[\"']?([\w.:-]{1,40})", re.IGNORECASE)
_URL_LETTER = re.compile(r"[\w%/?#&=+@~:$*-]")
_STOPS = re.compile(r"[.,;:!?)\]}'\"]*(?=[\s<>]|$)")

Resolve = Callable[[str], Awaitable[tuple[str, ...]]]
"""A host name to its addresses, best first; raises OSError when there are none."""


Reading = Literal["GET", "PROPFIND", "REPORT"]
"""Methods that change nothing where they are asked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Question:
    """What each server on the way is asked."""

    method: Reading | Literal["PUT"]
    content: bytes = b""

    @property
    def length(self) -> list[tuple[str, str]]:
        return [("content-length", str(len(self.content)))] if self.content else []


_GET: Final = _Question(method="GET")


class NotServed(Permanent):
    """The server answered with a status that trying again does not mend: 401, 403, 404, 410 and their like."""

    def __init__(self, message: str, status: int) -> None:
        super().__init__(message)
        self.status = status


@dataclass(frozen=True, slots=True, kw_only=True)
class FetchLimits:
    """What one fetch may cost.

    Attributes:
        size: bytes of a body, counted after decompression.
        time: from the first name asked to the last byte, all redirects together.
    """

    size: int = 2_000_000
    time: timedelta = timedelta(seconds=9)


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """What a server answered: 2xx, or 304 to a conditional request. Header names are in lower case."""

    status: int
    url: str
    headers: Mapping[str, str]
    content: bytes

    @property
    def charset(self) -> str:
        """The charset that the Content-Type header states, "" when none."""
        match = _CHARSET.search(self.headers.get("content-type", ""))
        return match[1] if match else ""

    def text(self) -> str:
        """The body as text, by mark, header and declaration, whatever it lies about; never raises."""
        return markup.decode(self.content, self.charset)

    def json(self, *, exact: bool = False) -> Any:
        """The body as JSON, read in the limited child; blocking, so for threads. A number too long is text.

        `exact`: numbers with a fraction as they are written, as text.

        Raises:
            Permanent: it is a web page, no JSON, or built to fill the memory or to take long.
            Retryable: no child process can be started just now.
        """
        from tools.web.foreign import json_of

        return json_of(self, exact=exact)


class Web:
    """Fetches pages and feeds; opens a connection to nothing but public addresses.

    Attributes:
        permit: "host:port" of servers that may be reached wherever they stand: the base that the owner set himself, and
            tests. Nothing that comes from outside may ever fill it.
        ports: where public pages are served.
        resolve: how names become addresses; the system's way by default.
    """

    def __init__(
        self,
        *,
        permit: frozenset[str] = frozenset(),
        ports: frozenset[int] = PORTS,
        resolve: Resolve | None = None,
        limits: FetchLimits | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.permit = frozenset(entry.lower() for entry in permit)
        self._ports = ports
        self._resolve = resolve or _system_resolve
        self._limits = limits or FetchLimits()
        self._tls = tls

    async def get(
        self, url: str, *, headers: Mapping[str, str] | None = None, allowed_from: str | None = None
    ) -> Response:
        """GET a page. `allowed_from`: the text in which the address must stand letter by letter; None: it is our own.

        Raises:
            Retryable: no answer in time, a dropped connection, 408, 425, 429 or 5xx (`after`: seconds it asked for).
            NotServed: any other status but 2xx and 304.
            Permanent: the address is refused, or the answer is too large, compressed oddly or redirected too often.
        """
        if allowed_from is not None and not stands_in(url, allowed_from):
            raise Permanent(f"{named(url)} does not stand in the text it should come from, so it is not fetched.")
        request_headers = {name.lower(): value for name, value in (headers or {}).items() if name.lower() not in _OURS}
        return await self._in_time(url, request_headers, _GET)

    async def ask(self, method: Reading, url: str, *, content: bytes, headers: Mapping[str, str]) -> Response:
        """Ask a WebDAV server of the owner's with a method that only reads; guarded and raising as `get`."""
        request_headers = {name.lower(): value for name, value in headers.items() if name.lower() not in _OURS}
        return await self._in_time(url, request_headers, _Question(method=method, content=content))

    async def put(self, url: str, *, content: bytes, headers: Mapping[str, str]) -> Response:
        """Put a new thing on a server of the owner's; guarded and raising as `get`."""
        request_headers = {name.lower(): value for name, value in headers.items() if name.lower() not in _OURS}
        return await self._in_time(url, request_headers, _Question(method="PUT", content=content))

    async def _in_time(self, url: str, headers: dict[str, str], question: "_Question") -> Response:
        seconds = self._limits.time.total_seconds()
        try:
            async with asyncio.timeout(seconds):
                return await self._follow(url, headers, question)
        except TimeoutError as error:
            raise Retryable(f"{named(url)} took longer than {seconds:g} seconds.") from error

    async def _follow(self, url: str, headers: dict[str, str], question: "_Question") -> Response:
        hop = target(url)
        for _ in range(MOST_HOPS + 1):
            answer = await self._fetch(hop, headers, question)
            if isinstance(answer, Response):
                return answer
            next_hop = target(_joined(hop.url, answer))
            if hop.scheme == "https" and next_hop.scheme == "http":
                raise Permanent(f"{named(hop.url)} redirects from https to http, which is not followed.")
            if next_hop.origin != hop.origin:  # what was meant for one server is no other's business
                headers = {name: value for name, value in headers.items() if name in _TRAVELS}
            hop = next_hop
        raise Permanent(f"{named(url)} redirects more than {MOST_HOPS} times.")

    async def _fetch(self, here: Target, headers: dict[str, str], question: "_Question") -> "Response | str":
        """The answer of one server, or where it sends us."""
        import httpcore2

        addresses = await self._addresses(here)
        try:
            for last, address in ((candidate == addresses[-1], candidate) for candidate in addresses):
                try:
                    return await self._ask(here, address, headers, question)
                except (httpcore2.ConnectError, httpcore2.ConnectTimeout) as error:
                    if last:
                        raise _not_reached(here, error) from error
        except (httpcore2.NetworkError, httpcore2.TimeoutException) as error:
            raise Retryable(f"{named(here.url)} broke off: {type(error).__name__}.") from error
        except httpcore2.LocalProtocolError as error:
            raise Permanent(f"{named(here.url)} cannot be asked: a header is not valid ({error}).") from error
        except httpcore2.RemoteProtocolError as error:
            if "too long" in str(error) or "too many" in str(error):
                raise Permanent(f"{named(here.url)} sent headers larger than any server needs.") from error
            raise Retryable(f"{named(here.url)} broke off or answered with what is not HTTP: {error}.") from error
        raise Retryable(f"{here.host} has no address.")

    async def _addresses(self, here: Target) -> tuple[str, ...]:
        """Where to connect: judged, every one of them."""
        permitted = f"{here.host}:{here.port}" in self.permit
        if here.is_inner and not permitted:
            raise Permanent(f"{named(here.url)} is a name inside a network, not on the web.")
        if here.port not in self._ports and not permitted:
            raise Permanent(f"{named(here.url)} is at port {here.port}, which no public page uses.")
        try:
            addresses = (here.host,) if here.is_address else await self._resolve(here.host)
        except (OSError, UnicodeError) as error:
            raise Retryable(f"The name {here.host} was not found: {error}.") from error
        inside = [address for address in addresses if not is_public(address) or is_own(address)]
        if inside and not permitted:
            raise Permanent(f"{named(here.url)} leads to {inside[0]}, which is not a public address.")
        return addresses

    async def _ask(
        self, here: Target, address: str, headers: dict[str, str], question: "_Question"
    ) -> "Response | str":
        import httpcore2

        literal = f"[{address}]" if ":" in address else address
        origin = httpcore2.Origin(here.scheme.encode(), literal.encode(), here.port)
        request = httpcore2.Request(
            question.method,
            httpcore2.URL(scheme=origin.scheme, host=origin.host, port=here.port, target=here.path.encode()),
            headers=[("host", here.netloc), *_head(headers).items(), *question.length],
            content=question.content or None,
            extensions={"sni_hostname": here.host, "timeout": {"connect": _CONNECT_SECONDS}},
        )
        tls = self._context() if here.scheme == "https" else None
        async with httpcore2.AsyncHTTPConnection(origin, ssl_context=tls) as connection:
            reply = await connection.handle_async_request(request)
            try:
                return await self._answer(here, reply)
            finally:
                await reply.aclose()

    async def _answer(self, here: Target, reply: "httpcore2.Response") -> "Response | str":
        headers = _by_name(reply.headers)
        if reply.status in _REDIRECTS and headers.get("location"):
            return headers["location"]
        if reply.status in _AGAIN:
            raise Retryable(f"{named(here.url)} answered {reply.status}.", after=_wait(headers))
        if not (200 <= reply.status < 300 or reply.status == 304):  # noqa: PLR2004
            raise NotServed(f"{named(here.url)} answered {reply.status}.", reply.status)
        body = Body(headers.get("content-encoding", ""), self._limits.size, named(here.url))
        if int(headers["content-length"] if headers.get("content-length", "").isdigit() else 0) > self._limits.size:
            raise body.too_large()
        async for chunk in _parts(reply):
            body.take(chunk)
        content = b"" if reply.status == 304 else body.whole()  # noqa: PLR2004
        return Response(status=reply.status, url=here.url, headers=headers, content=content)

    def _context(self) -> ssl.SSLContext:
        if self._tls is None:
            self._tls = ssl.create_default_context()
        return self._tls


class Body:
    """A body that grows chunk by chunk and is decompressed on the way, never past its cap."""

    def __init__(self, encoding: str, most: int, where: str) -> None:
        self._most = most
        self._where = where
        self._taken = 0
        self._members = 0
        self._content = bytearray()
        self._wrapped = encoding.strip().lower()
        if self._wrapped not in {"", "identity", "gzip", "x-gzip", "deflate"}:
            raise Permanent(f"{where} answered in the compression {encoding[:40]!r}, which was not asked for.")
        self._packed = self._wrapped not in {"", "identity"}
        self._unpack = zlib.decompressobj(47) if self._packed else None

    def take(self, chunk: bytes) -> None:
        """Add what came.

        Raises:
            Permanent: it grows past the cap, or is not compressed as it says.
        """
        self._taken += len(chunk)
        if not self._packed:
            self._add(chunk)
        while self._packed and chunk:
            chunk = self._unpacked(chunk)

    def whole(self) -> bytes:
        """All of it, once the server is done.

        Raises:
            Retryable: the compressed body ends in the middle.
        """
        if self._unpack is not None and self._taken and not self._unpack.eof:
            raise Retryable(f"{self._where} broke off in the middle of its compressed answer.")
        return bytes(self._content)

    def too_large(self) -> Permanent:
        return Permanent(f"{self._where} is larger than {self._most:,} bytes.")

    def _unpacked(self, chunk: bytes) -> bytes:
        """Decompress; what is left of the chunk when a member ends or the output is full."""
        if self._unpack is None or self._unpack.eof:
            self._members += 1
            if self._members > _MEMBERS:
                raise Permanent(f"{self._where} is compressed in more than {_MEMBERS} pieces.")
            self._unpack = zlib.decompressobj(47)
        room = self._most - len(self._content) + 1
        try:
            self._add(self._unpack.decompress(chunk, room))
        except zlib.error as error:
            if self._wrapped != "deflate" or self._content:
                raise Permanent(f"{self._where} is not compressed as it says: {error}.") from error
            self._wrapped, self._unpack = "raw deflate", zlib.decompressobj(-15)
            return chunk
        return self._unpack.unconsumed_tail or self._unpack.unused_data

    def _add(self, content: bytes) -> None:
        self._content += content
        if len(self._content) > self._most:
            raise self.too_large()
        if len(self._content) > max(_RATIO_FROM, self._taken * MOST_RATIO):
            raise Permanent(f"{self._where} unpacks to more than {MOST_RATIO} times its size: a bomb.")


def stands_in(url: str, text: str) -> bool:
    """Whether the whole address stands in the text letter by letter, as a word of its own."""
    start = text.find(url) if url else -1
    while start >= 0:
        end = start + len(url)
        begins = start == 0 or not _URL_LETTER.match(text[start - 1])
        if begins and _STOPS.match(text, end):
            return True
        start = text.find(url, start + 1)
    return False


def named(url: str) -> str:
    """An address as it is told to people and logs: no query, which may hold a secret, at most 120 characters."""
    plain = re.sub(r"[^\x21-\x7e]", "?", url.partition("?")[0].partition("#")[0])
    return re.sub(r"//[^/]*@", "//...@", plain)[:120] or "an empty address"


async def _system_resolve(host: str) -> tuple[str, ...]:
    import socket

    loop = asyncio.get_running_loop()
    entries = await loop.getaddrinfo(host, None, type=socket.SOCK_STREAM)
    return tuple(dict.fromkeys(str(entry[4][0]) for entry in entries))


async def _parts(reply: "httpcore2.Response") -> AsyncIterator[bytes]:
    stream = reply.stream
    async for chunk in stream:  # type: ignore[union-attr]
        yield chunk


def _head(headers: Mapping[str, str]) -> dict[str, str]:
    fixed_headers = {"accept-encoding": "gzip, deflate", "connection": "close"}
    return {"user-agent": USER_AGENT, "accept": "*/*", **headers, **fixed_headers}


def _by_name(headers: list[tuple[bytes, bytes]]) -> dict[str, str]:
    return {name.decode("latin-1").lower(): value.decode("latin-1") for name, value in headers}


def _wait(headers: Mapping[str, str]) -> float:
    """Seconds that Retry-After asks for: a number, or a time beside the server's own."""
    delay = headers.get("retry-after", "").strip()
    if delay.isdigit():
        return float(delay[:9])
    try:
        waited = parsedate_to_datetime(delay) - parsedate_to_datetime(headers.get("date", ""))
    except (TypeError, ValueError):
        return 0.0
    return max(0.0, waited.total_seconds())


def _joined(base: str, location: str) -> str:
    """Where a redirect leads; its letters came one byte each."""
    try:
        return urljoin(base, location.encode("latin-1").decode("utf-8", "replace"))
    except ValueError as error:
        raise Permanent(f"{named(base)} redirects to what is no address.") from error


def _not_reached(here: Target, error: Exception) -> Retryable | Permanent:
    causes: BaseException | None = error
    while causes is not None:
        if isinstance(causes, ssl.SSLCertVerificationError):
            return Permanent(
                f"{here.host} shows a certificate that is not its own or not trusted: {causes.verify_message}."
            )
        causes = causes.__cause__ or causes.__context__
    return Retryable(f"{named(here.url)} cannot be reached: {error or type(error).__name__}.")
