"""Events: calendars as strangers wrote them, read in a limited child; what comes back is when, and never what."""

import atexit
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any, Final

from tools.limited import ParserLimits
from tools.web.foreign import Reader
from workflows.errors import Permanent
from workflows.rules.desk.slots import BusySpan

LARGEST: Final = 10_000_000
"""Bytes of one calendar that are read."""
_LIMITS: Final = ParserLimits(seconds=20.0, memory=400 * 1024 * 1024)


@dataclass(frozen=True, slots=True, kw_only=True)
class Expansion:
    """One calendar, read. `faults`: why part of it is not known; `asides`: single events left out, by name."""

    spans: tuple[BusySpan, ...]
    faults: tuple[str, ...] = ()
    asides: tuple[str, ...] = ()


def expanded(
    texts: Sequence[bytes], first: datetime, last: datetime, zone: str, owners: frozenset[str] = frozenset()
) -> Expansion:
    """The busy time between two moments in the texts of one calendar. Blocking: for threads.

    Args:
        texts: a file, an answer of a server, or many files of one event each.
        first: where what is asked for begins.
        last: where it ends.
        zone: the owner's, for days and for times that name none.
        owners: the owner's own addresses: what they declined takes no time of theirs.

    Raises:
        Permanent: it is no calendar, larger than is read, or takes too long or too much memory.
        Retryable: no child process can be started just now.
    """
    refuse_large(sum(map(len, texts)))
    facts = {
        "sizes": [len(text) for text in texts],
        "first": first.timestamp(),
        "last": last.timestamp(),
        "zone": zone,
        "owners": sorted(owners),
    }
    answer = reader().ask("busy", facts, b"".join(texts))
    spans = tuple(sorted(map(_span, answer["spans"]), key=lambda span: (span.start, span.end)))
    return Expansion(spans=spans, faults=tuple(answer["faults"]), asides=tuple(answer["asides"]))


def refuse_large(size: int) -> None:
    """Refuse what is larger than is read.

    Raises:
        Permanent: it is.
    """
    if size > LARGEST:
        raise Permanent(f"it is larger than {LARGEST:,} bytes")


def _span(parts: Sequence[Any]) -> BusySpan:
    start, end, tentative, uid = parts
    return BusySpan(
        start=datetime.fromtimestamp(start, UTC), end=datetime.fromtimestamp(end, UTC), tentative=tentative, uid=uid
    )


@cache
def reader() -> Reader:
    """The one child of this process."""
    made = Reader(_LIMITS, "tools.calendar.child", "calendar")
    atexit.register(made.close)
    return made
