"""One bad item never stops the rest: a feed, a JSON list, Hacker News, Remote OK, a plugin's list, each with one."""

import json
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from tools.feeds import _Asking, _read
from tools.items import UNREADABLE, each, unreadable
from tools.sources import hackernews, json_map, remoteok, rss, weworkremotely
from tools.web.client import Response
from workflows.models.leads import Lead
from workflows.models.routes import Ignore
from workflows.rules.leads.lead import UNREADABLE as SET_ASIDE
from workflows.rules.leads.lead import lead_of

NOW = datetime(2026, 11, 30, 9, 0, tzinfo=UTC)
LINKS = (
    "http://[::1",
    "https://[bad",
    "//[",
    "http://exa[mple/",
    "https://\u2100.example/",
    "http://a:port/",
    "javascript:x",
)
ODD: tuple[Any, ...] = (None, 7, "text", ["list"], [], True, 1.5)


def page(content: str) -> Response:
    return Response(status=200, url="https://board.example/feed", headers={}, content=content.encode())


def asked(content: str) -> Callable[..., Awaitable[Response]]:
    async def get(_url: str, _headers: object = None) -> Response:
        return page(content)

    return get


def read(items: list[dict[str, Any]]) -> tuple[list[str], list[Ignore]]:
    """The ids of what became leads, and why the others did not."""
    pulled = _read((items, {}), _Asking(web=None, known={}))  # type: ignore[arg-type]
    found = [lead_of({"attribution": "b", **item}, "board", NOW) for item in pulled.items]
    return [one.id for one in found if isinstance(one, Lead)], [one for one in found if isinstance(one, Ignore)]


def entry(number: int, link: str) -> str:
    said = f"<guid>{number}</guid><title>Job {number}</title><link>{link}</link><description>Words</description>"
    return f"<item>{said}</item>"


@pytest.mark.parametrize("link", LINKS)
@pytest.mark.parametrize("source", [rss, weworkremotely])
async def test_one_bad_link_leaves_a_feed_its_other_posts(source: Any, link: str) -> None:
    feed = "".join((entry(1, "https://board.example/1"), entry(2, link), entry(3, "/3")))
    items, _ = await source.fetch({"settings": {"url": "x"}}, asked(f"<rss><channel>{feed}</channel></rss>"))
    ids, aside = read(items)
    assert ids == ["1", "3"]
    assert [one.rule for one in aside] == [SET_ASIDE]


async def test_one_number_too_long_leaves_a_json_list_its_other_posts() -> None:
    rows = '[{"id": 1, "title": "One"}, {"id": 2, "title": %s}, {"id": 3, "title": "Three"}]' % ("9" * 5_000)
    settings = {"url": "x", "map": {"id": "id", "title": "title"}}
    items, _ = await json_map.fetch({"settings": settings}, asked(rows))
    ids, _aside = read(items)
    assert {"1", "3"} <= set(ids)


@pytest.mark.parametrize("odd", ODD)
async def test_one_odd_row_leaves_a_json_list_its_other_posts(odd: Any) -> None:
    rows = [{"id": 1, "title": "One"}, odd, {"id": 3, "title": "Three"}]
    settings = {"url": "x", "map": {"id": "id", "title": "title"}}
    items, _ = await json_map.fetch({"settings": settings}, asked(json.dumps(rows)))
    ids, aside = read(items)
    assert (ids, len(aside)) == (["1", "3"], 1)


@pytest.mark.parametrize(
    "field", ["title", "html", "text", "url", "published", "skills", "pay", "company", "expires", "id"]
)
@pytest.mark.parametrize("odd", [*ODD, {"a": 1}, "\ud800", "9" * 5_000, "x" * 200_000, -1, 10**40, "1e999"])
async def test_one_odd_field_leaves_the_other_posts(field: str, odd: Any) -> None:
    items = [{"id": "1", "title": "One"}, {"id": "2", "title": "Two", field: odd}, {"id": "3", "title": "Three"}]
    ids, aside = read(items)
    assert {"1", "3"} <= set(ids)
    assert len(ids) + len(aside) == 3
    json.dumps(ids).encode()


@pytest.mark.parametrize(
    "odd", [*ODD, {"tags": 7, "id": 2, "position": "Two"}, {"tags": [{}], "id": 2, "position": "T"}]
)
async def test_one_odd_row_leaves_remote_ok_its_other_posts(odd: Any) -> None:
    rows = [{"legal": "x"}, {"id": 1, "position": "One"}, odd, {"id": 3, "position": "Three"}]
    items, after = await remoteok.fetch({"settings": {}}, asked(json.dumps(rows)))
    ids, aside = read(items)
    assert {"1", "3"} <= set(ids)
    assert len(ids) + len(aside) == 3
    assert not after["empty"]


@pytest.mark.parametrize(
    "odd", [{"comment_text": 7}, {"comment_text": ["x"]}, {"comment_text": "SEEKING FREELANCER x"}]
)
async def test_one_odd_comment_leaves_hacker_news_its_others(odd: dict[str, Any]) -> None:
    comments = [
        {"objectID": str(number), "parent_id": 9, "comment_text": f"SEEKING FREELANCER | Job {number} | remote"}
        for number in (1, 3)
    ]
    comments.insert(1, {"parent_id": 9, **odd})
    odd_story = {"title": 7, "author": ["x"], "created_at_i": "soon", "objectID": None}
    story = {"title": "Freelancer? Seeking freelancer? (November)", "author": "whoishiring", "objectID": "9"}

    async def get(url: str, _headers: object = None) -> Response:
        hits = [odd_story, story] if "tags=story" in url else comments
        return page(json.dumps({"hits": hits, "nbPages": "one"}))

    items, _ = await hackernews.fetch({"settings": {}}, get)
    ids, aside = read(items)
    assert (ids, len(aside)) == (["1", "3"], 1)


def test_a_plugin_whose_list_holds_one_odd_item_keeps_the_others() -> None:
    ids, aside = read([{"id": "1", "title": "One"}, "nonsense", {"id": "3", "title": "Three"}])  # type: ignore[list-item]
    assert (ids, len(aside)) == (["1", "3"], 1)
    assert "it is no dict" in aside[0].reason


def test_the_same_bad_row_is_the_same_item_the_next_time() -> None:
    def broken(_: object) -> dict[str, Any]:
        raise RecursionError("deep")

    rows = [{"title": "A", "b": 1}, {"title": "B"}]
    first, second = each(rows, broken), each(rows, broken)
    assert first == second
    assert first[0]["id"] != first[1]["id"]
    assert first[0][UNREADABLE] == unreadable(rows[0], "it broke what reads it (RecursionError: deep)")[UNREADABLE]
