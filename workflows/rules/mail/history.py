"""A client's mail line by line: what is new, what is quoted, what is older, and what a mail program put there.

Mail programs mark what is older in many ways, and people type lines that look like such a mark. So a mark counts only
as far as a program can have written it; where the older mail itself is known, its words decide. What is taken for older
without being quoted is never dropped in silence: `left_out` says how much it is, and below what.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows.rules.mail.heads import (
    DASHES,
    MOST_LINES,
    QUOTED,
    OlderHead,
    head_at,
    is_forward_line,
    is_quoted_below,
    kind_of_field,
)
from workflows.rules.mail.sign_offs import LINK, Line, Part, armor_length, without_footers
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_SHINGLE = 3  # words in a row by which a line is known from an older mail
_KNOWN = 0.5
_MOST_EARLIER = 400_000
_LONGEST_NAMED = 60


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many lines below this one are taken for an older mail, though nothing marks them line by line."""

    lines: int
    below: str


def sort_lines(text: str, earlier: Iterable[str] = ()) -> list[Line]:
    """Every line with what it is, in order. `earlier`: the mails that this one answers, as far as they are known."""
    lines = _LINE_END.sub("\n", text).split("\n")
    lines = [*lines[:MOST_LINES], *(["\n".join(lines[MOST_LINES:])] if len(lines) > MOST_LINES else [])]
    known = _shingles_of(earlier)
    kept: list[Line] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if is_forward_line(line):  # what is forwarded is the message: the rest stays as it is
            return [*without_footers(kept), ("new", ""), *(("new", rest) for rest in lines[position:])]
        if armor := armor_length(lines, position):
            kept += [("drop", rest) for rest in lines[position : position + armor]]
            position += armor
            continue
        head = head_at(lines, position)
        if head is not None and is_quoted_below(lines, position + head.length):
            kept += [("head", rest) for rest in lines[position : position + head.length]]
            position += head.length
            continue
        if head is not None and head.sure:
            run = _run(lines, position, head, kept)
            kept += _judged(lines[position : position + head.length], lines[position + head.length : run], known)
            position = run
            continue
        kept.append(("quote" if QUOTED.match(line) else "new", line))
        position += 1
    return without_footers(kept)


def left_out(lines: Sequence[Line]) -> tuple[LeftOut, ...]:
    """What is neither new nor quoted nor known from an older mail, and so is not shown as the client's words."""
    found: list[LeftOut] = []
    head, count, before = "", 0, ""
    for kind, line in [*lines, ("new", "")]:
        if kind == "older":
            count += bool(line.strip())
            continue
        if kind == "head" and before != "head":
            if count:
                continue  # an older mail within the older mail
            head = line
        elif kind != "head" and count:
            found.append(LeftOut(count, one_line(head.strip(f"{DASHES} >"), _LONGEST_NAMED)))
            count = 0
        before = kind
    return tuple(found)


def _run(lines: list[str], at: int, head: OlderHead, kept: list[Line]) -> int:
    """Where what is older ends: at the end, or where text that it was set apart from by its indent goes on."""
    start = at + head.length
    first = next((line for line in lines[start:] if line.strip()), "")
    depth = _depth(first)
    margin = min((_depth(line) for kind, line in kept if kind == "new" and line.strip()), default=0)
    if depth <= margin:
        return len(lines)
    for number in range(start + 1, len(lines)):
        line = lines[number]
        if line.strip() and _depth(line) <= margin and not lines[number - 1].strip():
            return number
    return len(lines)


def _depth(line: str) -> int:
    return len(line) - len(line.lstrip(" \t\u00a0"))


def _judged(head: list[str], run: list[str], known: frozenset[tuple[str, ...]]) -> list[Line]:
    """The lines below a sure head: older, unless the older mail is known and holds none of them."""
    older: list[Line] = [("head", line) for line in head]
    if not known:
        return [*older, *(("older", line) for line in run)]
    pieces = _pieces(run)
    if not any(_share(line, known) is not None for line in pieces[0]) or _is_known(pieces[0], known):
        return [*older, *(line for piece in pieces for line in _sifted(piece, known))]
    return [("new", line) for line in (*head, *run)]


def _pieces(run: list[str]) -> list[list[str]]:
    """An older mail may hold yet older ones: cut at their heads."""
    pieces: list[list[str]] = [[]]
    skip = 0
    for at, line in enumerate(run):
        head = None if skip else head_at(run, at)
        skip = max(skip - 1, 0)
        if head is not None:
            pieces.append([])
            skip = head.length - 1
        pieces[-1].append(line)
    return pieces


def _is_known(lines: Iterable[str], known: frozenset[tuple[str, ...]]) -> bool:
    return any((_share(line, known) or 0) >= _KNOWN for line in lines)


def _sifted(lines: list[str], known: frozenset[tuple[str, ...]]) -> list[Line]:
    """What a client typed between the lines of an older mail is new; a mail that is wholly unknown is older."""
    if not _is_known(lines, known):
        return [("older", line) for line in lines]
    kind: Part = "drop"
    sifted: list[Line] = []
    for line in lines:
        share = _share(line, known)
        if share is not None:
            kind = "drop" if share >= _KNOWN else "new"
        sifted.append((kind, line))
    return sifted


def _share(line: str, known: frozenset[tuple[str, ...]]) -> float | None:
    """How much of a line stands in an older mail; None for a line too short to tell, and for one of a header block."""
    rows = list(_rows(line))
    if not rows or kind_of_field(line)[0]:
        return None
    return sum(row in known for row in rows) / len(rows)


def _shingles_of(earlier: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(row for text in earlier for row in _rows(re.sub(r"(?m)^[\s>|]+", "", text[:_MOST_EARLIER])))


def _rows(text: str) -> Iterable[tuple[str, ...]]:
    words = re.findall(r"\w+", LINK.sub(" ", fold(text)))
    return (tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))
