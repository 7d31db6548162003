"""What a command tells: text for people, or one JSON object a line for scripts, never both on stdout."""

import json
import re
import sys
import textwrap
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

# Mail decides much of what is printed: terminal escapes, bidi overrides and the like must not reach a terminal.
_UNPRINTABLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e\u2060-\u206f\ufeff\U000e0000-\U000e007f]"
)


@dataclass(frozen=True, slots=True)
class Output:
    """How a command was called: which home, and whether a script or a person listens."""

    home: Path
    as_json: bool = False
    debug: bool = False

    def event(self, event: str, **fields: Any) -> None:
        """One JSON object on stdout, with `--json` alone."""
        if self.as_json:
            print(json.dumps({"event": event, **fields}, default=str), flush=True)

    def text(self, text: str = "") -> None:
        """A result for people: on stdout without `--json`, else left out (the event has it)."""
        if not self.as_json:
            print(printable(text), flush=True)

    def progress(self, text: str) -> None:
        """What is going on meanwhile: on stderr with `--json`, so that stdout holds JSON alone."""
        print(printable(text), file=sys.stderr if self.as_json else sys.stdout, flush=True)


def printable(text: str) -> str:
    """The text without what could steer a terminal."""
    return _UNPRINTABLE.sub("\N{REPLACEMENT CHARACTER}", text.replace("\r\n", "\n"))


def table(rows: list[tuple[str, ...]], widths: Mapping[int, int]) -> str:
    """Rows as columns two spaces apart; `widths`: the most characters of a column (others: as needed)."""
    clean = [tuple(" ".join(printable(cell).split()) for cell in row) for row in rows]
    cut = [tuple(shorten(cell, widths.get(index, 200)) for index, cell in enumerate(row)) for row in clean]
    if not cut:
        return ""
    columns = [max(len(row[index]) for row in cut) for index in range(len(cut[0]))]
    return "\n".join(
        "  ".join(cell.ljust(size) for cell, size in zip(row, columns, strict=True)).rstrip() for row in cut
    )


def shorten(text: str, width: int) -> str:
    return text if len(text) <= width else text[: width - 1] + "…"


def indented(text: str, by: str = "    ") -> str:
    return textwrap.indent(text.rstrip("\n"), by)
