"""Remote OK, by its JSON. Settings: `url`, for example with ?tags=python. Its posts must link back to it by name."""

import asyncio
from collections.abc import Awaitable, Callable
from typing import Any

from tools.items import each, unreadable
from tools.web.client import Response
from workflows.rules.leads.lead import engagement

EVERY = "1h"
FEED = "https://remoteok.com/api"
NOT_MODIFIED = 304


async def fetch(
    state: dict[str, Any], get: Callable[..., Awaitable[Response]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Remote OK's newest posts."""
    answer = await get(state["settings"].get("url", FEED))
    if answer.status == NOT_MODIFIED:
        return [], {}
    rows = await asyncio.to_thread(answer.json)
    if not isinstance(rows, list):
        raise TypeError("a list of posts was expected")
    posts = [row for row in rows if not _is_notice(row)]
    # With tags a day may have no post: then the notice stands alone.
    return each(posts, _post), {"empty": bool(rows) and not posts}


def _is_notice(one: object) -> bool:
    """Their legal notice, which stands first."""
    return isinstance(one, dict) and "legal" in one


def _post(one: Any) -> dict[str, Any]:
    if not isinstance(one, dict):
        return unreadable(one, "it is no object")
    raw_tags = one.get("tags")
    tags = raw_tags if isinstance(raw_tags, list) else []
    return {
        "id": one.get("id") or one.get("slug"),
        "title": one.get("position"),
        "html": one.get("description"),
        "url": one.get("url"),
        "published": one.get("date") or one.get("epoch"),
        "company": one.get("company"),
        "place": one.get("location"),
        "skills": tags,
        "engagement": next((kind for tag in tags if (kind := engagement(tag))), ""),
        "pay_min": one.get("salary_min"),
        "pay_max": one.get("salary_max"),
        "currency": "USD",
        "per": "year",
        "contact": "",
        "attribution": "Remote OK",
    }


SOURCES = [fetch]
