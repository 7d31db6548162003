"""Multistatus: what a CalDAV server answers, read as plain values. Runs in the limited child alone."""

from typing import Any
from xml.etree.ElementTree import Element

from tools.web.markup import parse_xml
from workflows.errors import Permanent

_DAV, _CAL = "{DAV:}", "{urn:ietf:params:xml:ns:caldav}"


def resources(content: bytes) -> list[dict[str, Any]]:
    """Each resource: its address, whether it is a calendar for events, where its owner is, its text.

    Raises:
        Permanent: it is no multistatus.
    """
    root = parse_xml(content)
    if root.tag != f"{_DAV}multistatus":
        raise Permanent("it answered with something else than CalDAV: no multistatus")
    return [_resource(node) for node in root.iter(f"{_DAV}response")]


def _resource(node: Element) -> dict[str, Any]:
    kinds = next(node.iter(f"{_DAV}resourcetype"), None)
    components = [one.get("name", "").upper() for one in node.iter(f"{_CAL}comp")]
    return {
        "href": _text(node.find(f"{_DAV}href")),
        "is_calendar": kinds is not None and kinds.find(f"{_CAL}calendar") is not None,
        "has_events": not components or "VEVENT" in components,
        "principal": _href(node, f"{_DAV}current-user-principal"),
        "home": _href(node, f"{_CAL}calendar-home-set"),
        "text": _text(next(node.iter(f"{_CAL}calendar-data"), None)),
    }


def _href(node: Element, name: str) -> str:
    around = next(node.iter(name), None)
    return "" if around is None else _text(around.find(f"{_DAV}href"))


def _text(node: Element | None) -> str:
    return "" if node is None else (node.text or "").strip()
