"""Read tools: what a draft may be looked up by, ours and foreign ones, each as one value.

A tool gives sources: quotes with an id. Ours are bound to the brief's client here, in code: no argument names a client.
"""

from collections.abc import Awaitable, Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from tools.offers import Offer
from workflows.models.drafts import Brief, Source

TOLD = 4_000
"""Characters of one answer that are read."""

Ask = Callable[[Brief, Mapping[str, Any]], Awaitable[Sequence[Source]]]


@dataclass(frozen=True, slots=True, kw_only=True)
class ReadTool:
    """One tool of a look-up. `foreign`: its question leaves the house, and its answer is a stranger's text."""

    name: str
    says: str
    schema: Mapping[str, Any]
    origin: str
    ask: Ask
    foreign: bool = True
    of_client: bool = False  # it tells of the brief's client: never for a sender who is not proven


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What is within reach of a draft now, and a note for each server or plugin that is not."""

    tools: tuple[ReadTool, ...] = ()
    notes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class LookedUp:
    """One call and what it told: sources, or the problem why there are none."""

    tool: str
    arguments: Mapping[str, Any] = field(default_factory=dict)
    sources: tuple[Source, ...] = ()
    foreign: bool = True
    problem: str = ""  # refused by us, or the tool's own trouble
    note: str = ""  # what the owner is told of that trouble; "" for a refusal, which is the model's matter


def read_tool(offer: Offer) -> ReadTool:
    """A plugin's or a server's read tool."""

    async def ask(_: Brief, arguments: Mapping[str, Any]) -> Sequence[Source]:
        text = str(await offer.run(arguments))[:TOLD].strip()
        return (Source(id=f"tool:{offer.name}", kind="tool", quote=text),) if text else ()

    return ReadTool(name=offer.name, says=offer.says, schema=offer.schema, origin=offer.origin, ask=ask)


def within_reach(tools: Iterable[ReadTool], brief: Brief) -> tuple[ReadTool, ...]:
    """Those that this brief may be looked up by."""
    knows_client = brief.client is not None and brief.vouched
    return tuple(tool for tool in tools if knows_client or not tool.of_client)
