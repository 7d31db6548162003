"""We Work Remotely, by its RSS feeds: "Company: Role" titles, closing dates, skills. Settings: `url` of a category."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tools.items import UNREADABLE, each
from tools.sources.rss import NOT_MODIFIED
from tools.web.client import Response
from tools.web.foreign import channel_of
from workflows.rules.leads.lead import company_and_role

EVERY = "1h"
FEED = "https://weworkremotely.com/remote-jobs.rss"


async def fetch(
    state: dict[str, Any], get: Callable[..., Awaitable[Response]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """We Work Remotely's posts of one category, or of all."""
    answer = await get(state["settings"].get("url", FEED))
    if answer.status == NOT_MODIFIED:
        return [], {}
    # About 25, newest first; a feed without any is a fault: theirs is never empty.
    _, items = await asyncio.to_thread(channel_of, answer)
    return each(items, _post), {}


def _post(item: dict[str, Any]) -> dict[str, Any]:
    if UNREADABLE in item:
        return item
    company, role = company_and_role(item.get("title", ""))
    # Bids go through their page, which names the company's own form.
    return {**item, "title": role, "company": company, "contact": "", "attribution": "We Work Remotely"}


SOURCES = [fetch]
