"""What SMTP servers are known to do with what they send (servers.toml). Every other server is watched and learned."""

import re
import tomllib
from functools import cache
from pathlib import Path
from typing import Any

_STATED_ID = re.compile(r"<[^<>\s@]+@[^<>\s@]+>")


def files_what_it_sends(host: str) -> bool:
    """Whether this server surely puts what it sends into the owner's Sent folder by itself."""
    return host.lower() in _table()["files"]


def stated_id(host: str, reply: str) -> str:
    """The Message-ID that the server's answer to a mail says it has given it, "" when it says none."""
    if match := _STATED_ID.search(reply):
        return match.group()
    for row in _table()["ids"]:
        at, reply_match = re.fullmatch(row["host"], host.lower()), re.search(row["reply"], reply)
        if at and reply_match:
            return str(row["id"]).format(*at.groups(), said=reply_match[1])
    return ""


@cache
def _table() -> dict[str, Any]:
    return tomllib.loads(Path(__file__).with_name("servers.toml").read_text(encoding="utf-8"))
