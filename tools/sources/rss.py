"""Any RSS 0.9 to 2.0 or Atom feed. Settings: `url`."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tools.web.client import Response
from tools.web.foreign import channel_of

NOT_MODIFIED = 304
EVERY = "15m"


async def fetch(
    state: dict[str, Any], get: Callable[..., Awaitable[Response]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Any RSS or Atom feed."""
    answer = await get(state["settings"]["url"])
    if answer.status == NOT_MODIFIED:
        return [], {}
    name, items = await asyncio.to_thread(channel_of, answer)
    return [{"attribution": name, **item} for item in items], {"empty": not items}


SOURCES = [fetch]
