"""Fetch one page in a process of its own and say what it cost: `python -m bench._fetch URL KIND`.

The process first fetches and reads a small page of every kind, so that libraries are not what is measured.
"""

import asyncio
import json
import sys
import time
from collections.abc import Callable
from pathlib import Path
from urllib.parse import urlsplit

from tools.web import markup
from tools.web.client import Response, Web
from workflows.errors import DeskhandError

READ: dict[str, Callable[[Response], object]] = {
    "text": lambda page: page.text(),
    "json": lambda page: page.json(),
    "xml": lambda page: markup.parse_xml(page.content, page.charset),
    "html": lambda page: markup.html_to_text(page.text()),
}


async def _measure(url: str, kind: str) -> dict[str, object]:
    base = urlsplit(url)
    web = Web(permit=frozenset({base.netloc}))
    for warm in READ:
        await _read(web, f"http://{base.netloc}/warm/{warm}", warm)
    _count_from_here()
    before, began = _kilobytes("VmRSS"), time.perf_counter()
    outcome = await _read(web, url, kind)
    seconds = time.perf_counter() - began
    return {"seconds": seconds, "rise": (_kilobytes("VmHWM") - before) / 1000, "outcome": outcome}


async def _read(web: Web, url: str, kind: str) -> str:
    try:
        page = await web.get(url)
        return f"read {len(str(READ[kind](page)))}"
    except DeskhandError as error:
        return f"{type(error).__name__}: {error}"


def _count_from_here() -> None:
    """Let the kernel forget the peak so far."""
    Path("/proc/self/clear_refs").write_text("5")


def _kilobytes(field: str) -> int:
    status = Path("/proc/self/status").read_text()
    return next(int(line.split()[1]) for line in status.splitlines() if line.startswith(f"{field}:"))


if __name__ == "__main__":
    print(json.dumps(asyncio.run(_measure(sys.argv[1], sys.argv[2]))))
