"""Hacker News: "SEEKING FREELANCER" comments of the newest monthly freelance thread, by Algolia's search."""

import asyncio
import re
from collections.abc import Awaitable, Callable
from typing import Any

from tools.items import each
from tools.web.client import Response
from tools.web.foreign import text_of

EVERY = "30m"
API = "https://hn.algolia.com/api/v1"
NOT_MODIFIED = 304
_THREAD = re.compile(r"\bfreelancer\?\s.*\bseeking freelancer\b", re.IGNORECASE)
_SEEKING = re.compile(r"\W{0,5}seeking\s+(freelance\w*|contractors?|work)\b", re.IGNORECASE)
_AUTHORS = {"whoishiring", "jon_north"}  # code in the wild disagrees on who opens it: both have
_PER_PAGE, _MOST_PAGES = 300, 4

Get = Callable[..., Awaitable[Response]]


async def fetch(state: dict[str, Any], get: Get) -> tuple[list[dict[str, Any]], dict[str, Any]]:
    """Clients who seek a freelancer, in the newest monthly thread."""
    api = state["settings"].get("url", API).rstrip("/")
    story = await _thread(api, get) or state.get("story", "")
    if not story:
        raise ValueError("no monthly freelance thread was found")
    comments = await _comments(api, get, story)
    if comments is None:
        return [], {"story": story, "listed": state.get("listed", [])}
    posts = await asyncio.to_thread(each, comments, lambda one: _post(one, story))
    listed = [post["id"] for post in posts]
    before = state.get("listed", []) if state.get("story") == story else []
    withdrawn = [post_id for post_id in before if post_id not in listed]  # deleted by who wrote it: found somebody
    return posts, {"story": story, "listed": listed, "gone": withdrawn, "empty": not posts}


async def _thread(api: str, get: Get) -> str:
    # By date: the plain search gives years-old threads first. "" when nothing is new.
    answer = await get(f"{api}/search_by_date?tags=story&query=freelancer%20seeking%20freelancer&hitsPerPage=30")
    if answer.status == NOT_MODIFIED:
        return ""
    hits = _hits(await asyncio.to_thread(answer.json))
    threads = [hit for hit in hits if _THREAD.search(str(hit.get("title"))) and str(hit.get("author")) in _AUTHORS]
    newest = max((thread for thread in threads if thread.get("objectID")), key=_made, default=None)
    return str(newest["objectID"]) if newest else ""


def _made(story: dict[str, Any]) -> float:
    at = story.get("created_at_i")
    return at if isinstance(at, int | float) else 0


async def _comments(api: str, get: Get, story: str) -> list[dict[str, Any]] | None:
    """Every comment of the thread; None when no page of it changed."""
    comments: list[dict[str, Any]] = []
    for page in range(_MOST_PAGES):
        url = f"{api}/search_by_date?tags=comment,story_{story}&hitsPerPage={_PER_PAGE}&page={page}"
        # Each new comment moves the pages on: an unchanged first page says that nothing came, a later one nothing.
        answer = await get(url, {"cache-control": "no-cache"} if page else None)
        if answer.status == NOT_MODIFIED:
            return None
        body = await asyncio.to_thread(answer.json)
        comments += _hits(body)
        pages = body.get("nbPages")
        if not isinstance(pages, int) or page + 1 >= pages:
            break
    return comments


def _hits(body: Any) -> list[dict[str, Any]]:
    hits = body.get("hits") if isinstance(body, dict) else None
    if not isinstance(hits, list):
        raise TypeError("a list of hits was expected")
    return [hit for hit in hits if isinstance(hit, dict)]


def _post(one: dict[str, Any], story: str) -> dict[str, Any] | None:
    if str(one.get("parent_id")) != story or not one.get("comment_text"):
        return None
    text = text_of(one["comment_text"])
    first = text.split("\n", 1)[0]
    seeking = _SEEKING.match(text)
    if seeking is None or seeking[1].lower() == "work":
        return None
    number = str(one["objectID"])
    return {
        "id": number,
        "title": _SEEKING.sub("", first, count=1).strip(" |:-\u2013\u2014,.") or first,
        "text": text,
        "url": f"https://news.ycombinator.com/item?id={number}",
        "published": one.get("created_at") or one.get("created_at_i"),
        "engagement": "freelance",
        "attribution": "Hacker News",
    }


SOURCES = [fetch]
