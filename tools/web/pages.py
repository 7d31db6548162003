"""What a web page says of itself, read from its bytes: title, description, visible text, addresses of its own."""

import re
from dataclasses import dataclass
from urllib.parse import urlsplit

from tools.web.client import Response
from tools.web.markup import CAP, html_to_text
from workflows.rules.text.canonical import one_line

MOST_TEXT = 20_000  # characters of a page's visible text
_LINE = 300  # characters of a title or description
_ADDRESS = re.compile(r"(?<![\w.+-])[\w.+-]{1,64}@(?:[\w-]{1,63}\.){1,5}[a-zA-Z]{2,24}(?![\w-])")


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """One page: every text is its author's, on one line each but `text`; "" where it says nothing."""

    url: str
    title: str = ""
    description: str = ""
    text: str = ""  # as a reader sees it, hidden parts left out
    addresses: tuple[str, ...] = ()  # mail addresses at the page's own domain


def read_page(answer: Response) -> Page:
    """The page of an answer; anything but HTML and plain text is a page without words."""
    kind = answer.headers.get("content-type", "text/html").partition(";")[0].strip().lower()
    body = answer.text() if kind.startswith("text/") or "html" in kind else ""
    if not body.strip():
        return Page(url=answer.url)
    if kind == "text/plain":
        return Page(url=answer.url, text=body[:MOST_TEXT], addresses=_addresses(body, answer.url))
    head = _head(body)
    text = html_to_text(body)[:MOST_TEXT]
    return Page(
        url=answer.url,
        title=head["title"] or head["og:site_name"],
        description=head["description"] or head["og:description"],
        text=text,
        addresses=_addresses(f"{text}\n{head['mailto']}", answer.url),
    )


def _head(html: str) -> dict[str, str]:
    # Imported here: a home without leads never pays for it.
    from selectolax.lexbor import LexborHTMLParser

    tree = LexborHTMLParser(html[:CAP])
    title = tree.css_first("title")
    fields = {"title": one_line(title.text() if title else "", _LINE)}
    for name, selector in {
        "description": 'meta[name="description"]',
        "og:description": 'meta[property="og:description"]',
        "og:site_name": 'meta[property="og:site_name"]',
    }.items():
        node = tree.css_first(selector)
        fields[name] = one_line((node.attributes.get("content") or "") if node else "", _LINE)
    links = (node.attributes.get("href") or "" for node in tree.css('a[href^="mailto:"]')[:20])
    fields["mailto"] = " ".join(link.removeprefix("mailto:").partition("?")[0] for link in links)
    return fields


def _addresses(text: str, url: str) -> tuple[str, ...]:
    host = (urlsplit(url).hostname or "").removeprefix("www.")
    addresses = (address.lower() for address in _ADDRESS.findall(text[:CAP]))
    own_addresses = [address for address in addresses if host and f".{address.rpartition('@')[2]}".endswith(f".{host}")]
    return tuple(dict.fromkeys(own_addresses))[:3]
