"""Asking one source: conditional requests, its items as plain text, and every fault as one sentence with its mend.

A source is any function of the plugin contract; what it raises, gives back or leaves out is judged here alone.
"""

import asyncio
import inspect
import json
import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from html import unescape
from typing import Any, Final, NoReturn, Protocol

from tools.items import UNREADABLE, each, unreadable
from tools.plugins import PostSource
from tools.web.client import NotServed, Response
from tools.web.foreign import text_of
from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import table

LIMIT: Final = timedelta(seconds=50)
"""Longest time one source may take, all its requests together: its activity has a minute."""
MOST_REQUESTS: Final = 12
MOST_ITEMS: Final = 1_000
"""Most posts of one look: a page of 2 MB holds fewer."""
MOST_STATE: Final = 256_000
"""Most characters of what a source may remember."""

_TAGS = re.compile(r"</?(?:p|br|div|ul|ol|li|strong|b|em|i|a|span|h[1-6]|table|td)\b[^<>]{0,2000}>", re.IGNORECASE)
_ENTITY = re.compile(r"&(?:#\d{1,7}|#x[0-9a-f]{1,6}|[a-z]{2,10});", re.IGNORECASE)
_SHORT = ("title", "company", "place")
_NOT_MODIFIED = 304

Items = Sequence[Mapping[str, object]]


class Getting(Protocol):
    """The guarded client, as far as a source needs it (tools/web/client.py)."""

    async def get(self, url: str, *, headers: Mapping[str, str] | None = None) -> Response: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Pulled:
    """What a source gave. `gone`: ids of posts it says are there no more; `state`: to be kept with the items."""

    items: Items
    state: dict[str, Any]
    gone: tuple[str, ...] = ()
    changed: bool = True  # False: every page was as it was last time


async def pull(
    name: str, source: PostSource, settings: Mapping[str, Any], state: Mapping[str, Any], web: Getting
) -> Pulled:
    """Ask a source once. `name`: what the settings call it; `settings`: its table there.

    Raises:
        Retryable: it does not answer now, or wants to be left alone for a while (`after`).
        NeedsOwner: its answer cannot be read, or its settings are wrong.
    """
    asking = _Asking(web=web, known=dict(state.get("http") or {}))
    source_state = {key: value for key, value in state.items() if key != "http"} | {"settings": _Table(settings, name)}
    mend = f"If it does not mend itself, correct [sources.{name}] in deskhand.toml or take it out."
    try:
        async with asyncio.timeout(LIMIT.total_seconds()):
            delivery = await _call(source.fetch, source_state, asking)
        return await asyncio.to_thread(_read, delivery, asking)
    except TimeoutError:
        raise Retryable(f"The source {name} took longer than {LIMIT.total_seconds():.0f} seconds.") from None
    except (Retryable, NeedsOwner):
        raise
    except NotServed as error:
        raise NeedsOwner(f"The source {name} gives nothing: {error}", mend) from error
    except (Permanent, DeskhandError) as error:
        raise NeedsOwner(f"The source {name} cannot be read: {error}", mend) from error
    except Exception as error:
        problem = one_line(f"{type(error).__name__}: {error}", 300)
        raise NeedsOwner(f"The source {name} broke on what it was answered ({problem}).", mend) from error


class _Table(dict[str, Any]):
    """A source's settings: a key that it needs and that is not there is the owner's to add."""

    def __init__(self, values: Mapping[str, Any], name: str) -> None:
        super().__init__(values)
        self._name = name

    def __missing__(self, key: str) -> NoReturn:
        raise NeedsOwner(
            f"The source {self._name} needs the setting {key}.",
            f"Add {key} to [sources.{self._name}] in deskhand.toml; docs/leads.md describes each source.",
        )


async def _call(fetch: Callable[..., Any], state: dict[str, Any], asking: "_Asking") -> Any:
    if inspect.iscoroutinefunction(fetch):
        return await fetch(state, asking.get)
    loop = asyncio.get_running_loop()

    def get(url: str, headers: Mapping[str, str] | None = None) -> Response:
        return asyncio.run_coroutine_threadsafe(asking.get(url, headers), loop).result()

    result = await asyncio.to_thread(fetch, state, get)
    return await result if inspect.isawaitable(result) else result


@dataclass(slots=True, kw_only=True)
class _Asking:
    """The client a source is given: says what it has of each page already, and counts."""

    web: Getting
    known: dict[str, dict[str, str]]
    asked: dict[str, dict[str, str]] = field(default_factory=dict)
    statuses: list[int] = field(default_factory=list)
    full: bool = False  # a page came that is not blank

    async def get(self, url: str, headers: Mapping[str, str] | None = None) -> Response:
        if len(self.statuses) >= MOST_REQUESTS:
            raise Permanent(f"it asked for more than {MOST_REQUESTS} pages at once.")
        fresh = "no-cache" in (headers or {}).get("cache-control", "")
        before = {} if fresh else self.known.get(url, {})
        conditional = {
            header: before[validator]
            for header, validator in (("if-none-match", "etag"), ("if-modified-since", "last-modified"))
            if validator in before
        }
        answer = await self.web.get(url, headers={**(headers or {}), **conditional})
        self.statuses.append(answer.status)
        self.full = self.full or bool(answer.content.strip())
        validators = {key: answer.headers[key][:500] for key in ("etag", "last-modified") if key in answer.headers}
        self.asked[url] = validators or (before if answer.status == _NOT_MODIFIED else {})
        return answer


def _read(found: Any, asking: _Asking) -> Pulled:
    try:
        items, after = found
        after = dict(after)
    except (TypeError, ValueError):
        raise Permanent("it must give back a list of items and its next state.") from None
    if not isinstance(items, list | tuple) or (items and not any(isinstance(item, Mapping) for item in items)):
        raise Permanent("it must give back its items as a list of dicts.")
    if len(items) > MOST_ITEMS:
        raise Permanent(f"it gave {len(items):,} posts at once, and at most {MOST_ITEMS:,} are taken.")
    empty, withdrawn = bool(after.pop("empty", False)), after.pop("gone", ())
    changed = not asking.statuses or any(status != _NOT_MODIFIED for status in asking.statuses)
    if (
        not any(UNREADABLE not in item for item in items if isinstance(item, Mapping))
        and asking.full
        and changed
        and not empty
    ):
        raise Permanent("it answered with a page in which no post could be found; its format may have changed.")
    after = {key: value for key, value in after.items() if key != "settings"}
    after["http"] = {url: validators for url, validators in asking.asked.items() if validators}
    if len(json.dumps(after)) > MOST_STATE:
        raise Permanent(f"it wants to remember more than {MOST_STATE:,} characters.")
    return Pulled(
        items=tuple(each(items, plain)), state=after, gone=tuple(str(item_id) for item_id in withdrawn), changed=changed
    )


def plain(item: object) -> dict[str, object]:
    """The item with its texts as a reader sees them: `html`, or a text that is HTML, becomes `text`."""
    if not isinstance(item, Mapping):
        return unreadable(item, "it is no dict")
    fields = {str(key): value for key, value in item.items() if key != "html"}
    html = item.get("html")
    text = item.get("text")
    if isinstance(html, str) and html.strip():
        fields["text"] = text_of(html)
    elif isinstance(text, str) and _TAGS.search(text):
        fields["text"] = text_of(text)
    elif isinstance(text, str) and _ENTITY.search(text):
        fields["text"] = unescape(text)
    for key in _SHORT:
        value = fields.get(key)
        if isinstance(value, str):
            bare = unescape(unescape(value)) if _ENTITY.search(value) else value
            fields[key] = _TAGS.sub(" ", bare)
    return fields


def least_pause(source: PostSource | None, urls: Sequence[str]) -> timedelta:
    """How long to wait between two requests at least: what the source says of itself, and what its host wants."""
    hosts: dict[str, int] = table("sources")["minutes"]
    named = [minutes for host, minutes in hosts.items() if any(_is_at(url, host) for url in urls)]
    every = source.every if source else timedelta()
    return max(every, *(timedelta(minutes=minutes) for minutes in named), timedelta())


def _is_at(url: str, host: str) -> bool:
    match = re.match(r"https?://([^/?#:]+)", url.lower())
    return match is not None and (match[1] == host or match[1].endswith(f".{host}"))
