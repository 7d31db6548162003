"""MCP servers: their tools by the door of the plugins, each with the permission that the settings give it.

A server is trusted with what it is asked and with nothing else: it gets little time and little room, what it says of
its tools is read as data, and when it hangs, dies, floods or lies it costs one sentence. The package `mcp` costs 50 MB:
it is imported when a server is asked for the first time.
"""

import asyncio
import importlib
import json
import re
from collections.abc import Awaitable, Callable, Iterator, Mapping, Sequence
from contextlib import AbstractAsyncContextManager, AsyncExitStack
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, TypeVar

from memory.model.endpoint import http_client
from tools.offers import LONGEST_NAME, LONGEST_TEXT, Offer, Offers, ServerTrouble, Unreadable, readable
from tools.plugins import Permission
from tools.stdio import MOST_BYTES, Trouble, spoken_to
from workflows.rules.text.canonical import one_line

LIST_SECONDS, CALL_SECONDS = 10.0, 15.0
_FRESH, _SORE = 600.0, 60.0  # seconds: how long a list of tools holds, and how long a server in trouble is left alone
_MOST_PAGES, _MOST_TOOLS = 5, 200

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class McpServer:
    """One `[mcp.NAME]`: how it is reached, and what each of its tools may."""

    name: str
    tools: Mapping[str, Permission]
    command: tuple[str, ...] = ()
    address: str = ""
    token: str = ""
    environment: Mapping[str, str] = field(default_factory=dict)
    folder: Path = Path()


@dataclass(frozen=True, slots=True)
class _Listing:
    offers: Offers
    until: float


class McpServers:
    """All of them. One talk a question: nothing runs between drafts."""

    def __init__(
        self, servers: Sequence[McpServer], list_seconds: float = LIST_SECONDS, call_seconds: float = CALL_SECONDS
    ) -> None:
        self._servers = tuple(servers)
        self._list_seconds, self._call_seconds = list_seconds, call_seconds
        self._listings: dict[str, _Listing] = {}

    async def offers(self) -> Offers:
        """What all of them offer now, and one sentence for each that is in trouble. Raises nothing of theirs."""
        listings = await asyncio.gather(*(self._listed(server) for server in self._servers))
        return Offers(
            offers=tuple(offer for listing in listings for offer in listing.offers),
            notes=tuple(note for listing in listings for note in listing.notes),
        )

    async def _listed(self, server: McpServer) -> Offers:
        now = asyncio.get_running_loop().time()
        known = self._listings.get(server.name)
        if known is not None and now < known.until:
            return known.offers
        try:
            declared = await _talk(server, _declared, self._list_seconds)
            offers, lasting = self._offered(server, declared), _FRESH
        except ServerTrouble as trouble:
            note = f"The MCP server {server.name} was not asked anything: {trouble}."
            offers, lasting = Offers(notes=(note,)), _SORE
        self._listings[server.name] = _Listing(offers, now + lasting)
        return offers

    def _offered(self, server: McpServer, declared: Sequence[Any]) -> Offers:
        """The tools that the settings name, each with its permission; a sentence for the first that is not there."""
        by_name = {tool.name: tool for tool in declared}
        offers, notes = [], []
        for name, permission in server.tools.items():
            try:
                offers.append(self._offer(server, name, permission, by_name.get(name)))
            except Unreadable as fault:
                notes.append(f"The tool {one_line(name, 40)} of the MCP server {server.name} is left out: {fault}.")
        return Offers(offers=tuple(offers), notes=tuple(notes[:1]))

    def _offer(self, server: McpServer, name: str, permission: Permission, tool: Any) -> Offer:
        if tool is None:
            raise Unreadable(f"the server has no such tool; correct [mcp.{server.name}.tools]")
        seconds = self._call_seconds

        async def run(arguments: Mapping[str, Any]) -> str:
            async def call(client: Any) -> str:
                return _text(await client.call_tool(name, dict(arguments)))

            return await _talk(server, call, seconds)

        return Offer(
            name=offer_name(server.name, name),
            permission=permission,
            origin=f"mcp {server.name}",
            says=one_line(str(tool.description or tool.title or name), LONGEST_TEXT),
            schema=readable(tool.input_schema),
            run=run,
        )


def offer_name(server: str, tool: str) -> str:
    """What agents call a server's tool: unique in the house, in the letters that endpoints take."""
    return re.sub(r"[^A-Za-z0-9_-]", "_", f"{server}_{tool}")[:LONGEST_NAME]


# ---------------------------------------------------------------- one talk


async def _talk(server: McpServer, what: Callable[[Any], Awaitable[Result]], seconds: float) -> Result:
    """Reach the server, do this one thing, hang up. Raises ServerTrouble for whatever goes wrong on the way."""
    await asyncio.to_thread(importlib.import_module, "mcp.client.client")  # seconds, the first time
    from mcp.client.client import Client

    trouble = Trouble()
    try:
        async with asyncio.timeout(seconds), AsyncExitStack() as stack:
            streams = await _reached(server, trouble, stack)
            client = await stack.enter_async_context(Client(streams, read_timeout_seconds=seconds))
            return await what(client)
    except TimeoutError:
        raise ServerTrouble(trouble.says or f"it gave no answer within {seconds:.0f} s") from None
    except Exception as error:  # noqa: BLE001 - a stranger's dozens of ways to fail, alone or in groups: one sentence
        raise ServerTrouble(trouble.says or _reason(error)) from None


async def _reached(server: McpServer, trouble: Trouble, stack: AsyncExitStack) -> AbstractAsyncContextManager[Any]:
    if server.command:
        from mcp.client.stdio import get_default_environment

        environment = {**get_default_environment(), **server.environment}
        return spoken_to(server.command, environment, server.folder, trouble)
    from mcp.client.streamable_http import streamable_http_client

    http = await stack.enter_async_context(http_client(most_bytes=MOST_BYTES))
    if server.token:
        http.headers["Authorization"] = f"Bearer {server.token}"
    return streamable_http_client(server.address, http_client=http, max_sse_event_size=MOST_BYTES)


async def _declared(client: Any) -> list[Any]:
    tools: list[Any] = []
    cursor = None
    for _ in range(_MOST_PAGES):
        page = await client.list_tools(cursor=cursor)
        tools += page.tools
        cursor = page.next_cursor
        if not cursor or len(tools) > _MOST_TOOLS:
            break
    return tools[:_MOST_TOOLS]


def _text(result: Any) -> str:
    """What a tool told, as text; pictures and sounds tell nothing."""
    if result.is_error:
        raise ServerTrouble("it answered with an error")
    texts = [part.text for part in result.content if getattr(part, "type", "") == "text"]
    if not texts and result.structured_content is not None:
        return json.dumps(result.structured_content, ensure_ascii=False)
    return "\n".join(texts)


def _reason(error: BaseException) -> str:
    """The first of a group that is ours; else only the kind: a stranger's words are no part of a mail to the owner."""
    parts = [*_parts(error)]
    own = next((part for part in parts if isinstance(part, ServerTrouble)), None)
    return str(own) if own else f"it broke off ({type(parts[0]).__name__})"


def _parts(error: BaseException) -> Iterator[BaseException]:
    if not isinstance(error, BaseExceptionGroup):
        yield error
        return
    for part in error.exceptions:
        yield from _parts(part)
