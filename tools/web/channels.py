"""Channels: what an RSS 0.9 to 2.0 or Atom feed holds, as items."""

from collections.abc import Iterator
from typing import Any
from urllib.parse import urljoin
from xml.etree.ElementTree import Element, tostring

from tools.items import each
from tools.web.client import Response
from tools.web.markup import parse_xml

_ROOTS = {"rss", "rdf", "feed"}
_FIELDS = {
    "id": ("guid", "id"),
    "title": ("title",),
    "html": ("encoded", "content", "description", "summary"),
    "published": ("pubdate", "published", "date", "updated", "issued"),
    "company": ("company", "company_name"),
    "place": ("location", "region"),
    "engagement": ("job_type", "type"),
    "skills": ("skills",),
    "expires": ("expires_at", "expires", "expirationdate"),
    "pay": ("salary", "budget"),
}
"""Item key -> names of elements, namespaces left out, the first that is there wins."""


def channel(answer: Response) -> tuple[str, list[dict[str, Any]]]:
    """(the feed's title, its entries as items)."""
    root = parse_xml(answer.content, answer.charset)
    if local(root) not in _ROOTS:
        raise ValueError(f"this is not a feed: it begins with <{local(root)[:40]}>")
    entries = [node for node in root.iter() if local(node) in {"item", "entry"}]
    head = next((node for node in root.iter() if local(node) == "title"), None)
    name = "" if head is None or any(head in entry for entry in entries) else text_of(head)
    return name, each(entries, lambda entry: _item(entry, answer.url))


def _item(entry: Element, base: str) -> dict[str, Any]:
    texts: dict[str, str] = {}
    for node in entry:
        if markup := markup_of(node):
            texts.setdefault(local(node), markup)
    item: dict[str, Any] = {
        key: next((texts[name] for name in names if name in texts), None) for key, names in _FIELDS.items()
    }
    link = next(_links(entry), "")
    item["url"] = _absolute(base, link)
    item["id"] = item["id"] or item["url"] or item["title"]
    return {key: value for key, value in item.items() if value is not None}


def _absolute(base: str, link: str) -> str:
    """The link from the feed's own address; one that is none stays as it is, and is said of its post alone."""
    try:
        return urljoin(base, link) if link else ""
    except ValueError:
        return link


def _links(entry: Element) -> Iterator[str]:
    """The page of an entry: Atom's alternate link, RSS's link, a guid that is one."""
    for node in entry:
        if (
            local(node) == "link"
            and node.get("rel", "alternate") == "alternate"
            and (node.get("href") or text_of(node))
        ):
            yield (node.get("href") or text_of(node)).strip()
    for node in entry:
        if local(node) == "guid" and text_of(node).startswith("http"):
            yield text_of(node)


def local(node: Element) -> str:
    """The element's name in lower case, without its namespace."""
    return str(node.tag).rpartition("}")[2].lower()


def markup_of(node: Element) -> str:
    """What an element holds: its text, or the XHTML within it as markup, so that its lines stay lines."""
    if not len(node) or local(node) in {"author", "link"}:
        return text_of(node)
    return "".join(tostring(_bare(child), encoding="unicode", method="html") for child in node).strip()


def _bare(node: Element) -> Element:
    """The element without namespaces and attributes: its words and their order."""
    copy = Element(local(node))
    copy.text, copy.tail = node.text, node.tail
    copy.extend(_bare(child) for child in node)
    return copy


def text_of(node: Element) -> str:
    """All text within an element."""
    return "".join(node.itertext()).strip()
