"""What a command tells: text for people, or one JSON object a line for scripts, never both on stdout."""

import json
import re
import sys
import textwrap
import unicodedata
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


WIDTH = 80
"""Columns of the plainest terminal: no table is wider."""
_GAP = 2


def table(rows: list[tuple[str, ...]], widths: Mapping[int, int]) -> str:
    """Rows as columns two spaces apart, at most `WIDTH` wide; `widths`: the most of a column (others: as needed).

    What is too wide is taken from the widest columns; JSON has every text whole.
    """
    clean = [tuple(" ".join(printable(cell).split()) for cell in row) for row in rows]
    if not clean:
        return ""
    needed = [max(columns(row[index]) for row in clean) for index in range(len(clean[0]))]
    sizes = _fitted([min(size, widths.get(index, WIDTH)) for index, size in enumerate(needed)])
    return "\n".join(_row(row, sizes) for row in clean)


def _fitted(sizes: list[int]) -> list[int]:
    """The sizes, the widest made narrower one by one until all fit beside each other."""
    room = WIDTH - _GAP * (len(sizes) - 1)
    while sum(sizes) > room and max(sizes) > 1:
        widest = sizes.index(max(sizes))
        sizes[widest] -= 1
    return sizes


def _row(row: tuple[str, ...], sizes: list[int]) -> str:
    cells = (shorten(cell, size) for cell, size in zip(row, sizes, strict=True))
    padded = (cell + " " * (size - columns(cell)) for cell, size in zip(cells, sizes, strict=True))
    return (" " * _GAP).join(padded).rstrip()


def columns(text: str) -> int:
    """How many columns a terminal gives it: a wide letter takes two, a mark on the letter before none."""
    return sum(_width(letter) for letter in text)


def _width(letter: str) -> int:
    if unicodedata.combining(letter) or unicodedata.category(letter) in {"Mn", "Me", "Cf"}:
        return 0
    return 2 if unicodedata.east_asian_width(letter) in "WF" else 1


def shorten(text: str, width: int) -> str:
    """The text, or its beginning and an ellipsis: at most so many columns."""
    if columns(text) <= width:
        return text
    beginning, cells = "", 1  # the ellipsis
    for letter in text:
        cells += _width(letter)
        if cells > width:
            break
        beginning += letter
    return f"{beginning}…" if width > 0 else ""


def indented(text: str, by: str = "    ") -> str:
    return textwrap.indent(text.rstrip("\n"), by)
