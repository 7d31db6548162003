"""HTTP client for OpenAI-compatible endpoints: nothing from the environment, bounded answers, no redirects.

One client for the language model (`agents/model.py`) and for the embeddings (`embedding.py` beside it): no proxy and
no `.netrc` of the machine ever sees a question, an answer has a largest size, and a redirect leads nowhere.
"""

import logging
from collections.abc import AsyncIterator, Callable
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import httpx2

CONNECT_SECONDS = 10.0
READ_SECONDS = 45.0
MOST_BYTES = 2_000_000
"""Bytes of one answer on the wire; it is asked for unpacked, so that the bound holds for what is read, too."""
_UNASKED = ("openai-", "x-stainless-")  # headers the SDK adds from the environment and about this machine

Reading = Callable[[int, bytes], tuple[int, bytes]]
"""From a status and a body as they came to those that the caller is given."""


def as_it_came(status: int, body: bytes) -> tuple[int, bytes]:
    return status, body


def http_client(reading: Reading = as_it_came, most_bytes: int = MOST_BYTES) -> "httpx2.AsyncClient":
    """A client of our own; each answer is read whole and goes through `reading` first.

    Raises (when it is used): the errors of httpx2; `ReadError` for an answer above `most_bytes`.
    """
    import httpx2

    class Transport(httpx2.AsyncHTTPTransport):
        async def handle_async_request(self, request: httpx2.Request) -> httpx2.Response:
            # A copy: the SDK reads its own headers again on the way back.
            headers = [(name, value) for name, value in request.headers.items() if not name.startswith(_UNASKED)]
            plain = httpx2.Request(request.method, request.url, headers=headers, stream=request.stream)
            plain.headers["accept-encoding"] = "identity"
            plain.extensions = request.extensions
            response = await super().handle_async_request(plain)
            try:
                body = await _whole(response.stream, most_bytes)
            finally:
                await response.aclose()
            status, body = reading(response.status_code, body)
            response_headers = [(name, value) for name, value in response.headers.items() if name not in _OF_THE_BODY]
            return httpx2.Response(status, headers=response_headers, content=body, extensions=response.extensions)

    class Client(httpx2.AsyncClient):
        async def send(self, request: httpx2.Request, **options: Any) -> httpx2.Response:
            return await super().send(request, **{**options, "follow_redirects": False})

    timeout = httpx2.Timeout(READ_SECONDS, connect=CONNECT_SECONDS)
    logging.getLogger("httpx2").setLevel(logging.WARNING)  # a line a request is noise
    return Client(transport=Transport(retries=0, trust_env=False), timeout=timeout, trust_env=False)


_OF_THE_BODY = frozenset({"content-length", "transfer-encoding", "content-encoding"})


async def _whole(stream: Any, most: int) -> bytes:
    import httpx2

    pieces: list[bytes] = []
    size = 0
    async for piece in _pieces(stream):
        size += len(piece)
        if size > most:
            raise httpx2.ReadError(f"more than {most} bytes")
        pieces.append(piece)
    return b"".join(pieces)


async def _pieces(stream: Any) -> AsyncIterator[bytes]:
    async for piece in stream:
        yield piece
