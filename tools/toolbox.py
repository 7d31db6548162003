"""Toolbox: the tools of plugins and of MCP servers, as offers, by one door.

Declared by permission: what may `read` is asked by drafts; `write` and `send` are there to be proposed to the owner.
"""

from collections.abc import Awaitable, Callable, Sequence

from tools.mcp import McpServer, McpServers
from tools.offers import Offer, Offers, Unreadable, offer_of
from tools.plugins import Plugins, Tool


class Toolbox:
    """One for the home. Plugins are loaded when they are first wanted, servers reached when they are asked."""

    def __init__(self, plugins: Callable[[], Awaitable[Plugins]], servers: Sequence[McpServer] = ()) -> None:
        self._plugins = plugins
        self._servers = McpServers(servers) if servers else None

    async def offers(self) -> Offers:
        """Everything that is offered now; one sentence for each tool or server that is not to be had."""
        plugins = await self._plugins()
        offers, notes = _offered(list(plugins.tools.values()))
        if self._servers is None:
            return Offers(offers=offers, notes=notes)
        theirs = await self._servers.offers()
        return Offers(offers=(*offers, *theirs.offers), notes=(*notes, *theirs.notes))


def _offered(tools: Sequence[Tool]) -> tuple[tuple[Offer, ...], tuple[str, ...]]:
    offers, notes = [], []
    for tool in tools:
        try:
            offers.append(offer_of(tool))
        except Unreadable as fault:
            notes.append(f"The tool {tool.name} of the plugin {tool.plugin} is left out: {fault}.")
    return tuple(offers), tuple(notes)
