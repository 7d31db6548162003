"""Any JSON: `url`, `items` (where the list is, "data.jobs"), `map` (item key = where it is in a post, "company.name").

In a map, "{slug}" within a text is filled in from the post, and a text that begins with "=" stands for itself.
`complete = true` says that the page lists every open post, so that one that is missing is gone. Where a token is set,
it goes into the header that `auth` writes ("Authorization: Bearer {token}" when it is left out).
"""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tools.items import each, unreadable
from tools.web.client import Response

EVERY = "15m"
NOT_MODIFIED = 304
_MOST_IDS = 2_000


async def fetch(
    state: dict[str, Any], get: Callable[..., Awaitable[Response]]
) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Any JSON page, by a map of its fields."""
    settings = state["settings"]
    answer = await get(settings["url"], _proof(settings))
    if answer.status == NOT_MODIFIED:
        return [], {"listed": state.get("listed", [])}
    path = settings.get("items", "")
    posts = at(await asyncio.to_thread(answer.json), path)
    if not isinstance(posts, list):
        raise TypeError(f'there is no list at items = "{path}"')
    fields = settings["map"]
    items = each(posts, lambda one: _item(one, fields))
    after: dict[str, Any] = {"empty": not posts}
    if settings.get("complete"):
        after["listed"] = [str(item.get("id")) for item in items][:_MOST_IDS]
        after["gone"] = [item_id for item_id in state.get("listed", []) if item_id not in after["listed"]]
    return items, after


def _proof(settings: dict[str, Any]) -> dict[str, str]:
    if "token" not in settings:
        return {}
    name, _, value = settings.get("auth", "Authorization: Bearer {token}").partition(":")
    return {name.strip().lower(): value.strip().replace("{token}", settings["token"])}


def _item(post: Any, fields: dict[str, str]) -> dict[str, Any]:
    if not isinstance(post, dict):
        return unreadable(post, "it is no object")
    item = {key: _value(post, path) for key, path in fields.items()}
    return {key: value for key, value in item.items() if value is not None}


def _value(post: dict[str, Any], where: str) -> Any:
    if where.startswith("="):
        return where[1:]
    if "{" in where:
        return re.sub(r"\{([\w.]+)\}", lambda name: str(at(post, name[1]) or ""), where)
    return at(post, where)


def at(value: Any, path: str) -> Any:
    """What lies at "a.b.0.c", None when nothing does; of a list of objects, "tags.name" is the list of their names."""
    for step in path.split(".") if path else ():
        if isinstance(value, dict):
            value = value.get(step)
        elif isinstance(value, list) and step.isdigit():
            value = value[int(step)] if int(step) < len(value) else None
        elif isinstance(value, list):
            value = [element.get(step) for element in value if isinstance(element, dict)]
        else:
            return None
    return value


SOURCES = [fetch]
