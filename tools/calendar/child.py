"""The child that reads calendars, answers of CalDAV servers and invitations: `python -m tools.calendar.child`."""

import sys
from datetime import UTC, datetime
from functools import partial
from typing import Any
from zoneinfo import ZoneInfo

from tools.calendar import expansion, itip, multistatus
from tools.limited import serve
from tools.web.foreign import Works, answer_with
from tools.web.markup import decode


def _works() -> Works:
    return {
        "busy": _busy,
        "resources": lambda _, content: multistatus.resources(content),
        "invitation": lambda facts, content: itip.invitation(content, ZoneInfo(facts["zone"])),
    }


def _busy(facts: dict[str, Any], content: bytes) -> dict[str, Any]:
    frame = expansion.Frame(
        first=datetime.fromtimestamp(facts["first"], UTC),
        last=datetime.fromtimestamp(facts["last"], UTC),
        zone=ZoneInfo(facts["zone"]),
        owners=frozenset(facts["owners"]),
    )
    texts, at = [], 0
    for size in facts["sizes"]:
        texts.append(decode(content[at : at + size], "utf-8"))
        at += size
    return expansion.busy(texts, frame)


if __name__ == "__main__":
    serve(partial(answer_with, _works), int(sys.argv[1]), float(sys.argv[2]))
