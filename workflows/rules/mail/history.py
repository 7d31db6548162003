"""A client's mail line by line: what is new, what is quoted, what is older, and what a mail program put there.

Mail programs mark what is older in many ways, and people type lines that look like such a mark. So a mark counts only
as far as a program can have written it; where the older mail itself is known, its words decide. What is taken for older
without being quoted is never dropped in silence: `left_out` says how much it is, and below what.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows.rules.mail.sign_offs import LINK, Line, Part, armor_length, without_footers
from workflows.rules.text.canonical import one_line
from workflows.rules.text.heads import (
    DASHES,
    MOST_LINES,
    QUOTED,
    OlderHead,
    head_at,
    is_forward_line,
    is_quoted_below,
    kind_of_field,
)
from workflows.rules.text.words import fold
from workflows.rules.text.writers import NOBODY, Addressee, own_head_at, wrote_it

_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_SHINGLE = 3  # words in a row by which a line is known from an older mail
_KNOWN = 0.5
_SURELY_KNOWN = 0.9
_INDENT = 2
_MOST_EARLIER = 400_000
_LONGEST_NAMED = 60


_Known = frozenset[tuple[str, ...]]
"""Of the older mails that are known: each row of words, and each word by itself."""


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many lines below this one are taken for an older mail, though nothing marks them line by line."""

    lines: int
    below: str


def sort_lines(text: str, earlier: Iterable[str] = (), addressee: Addressee = NOBODY) -> list[Line]:
    """Every line with what it is, in order.

    `earlier`: the mails that this one answers, as far as they are known. `addressee`: whose older words are not the
    client's.
    """
    lines = _LINE_END.sub("\n", text).split("\n")
    lines = [*lines[:MOST_LINES], *(["\n".join(lines[MOST_LINES:])] if len(lines) > MOST_LINES else [])]
    phrases = _known_of(earlier)
    sorted_lines: list[Line] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if is_forward_line(line):  # what is forwarded is the message: the rest stays as it is
            return [
                *without_footers(sorted_lines),
                ("new", ""),
                *(("new", tail_line) for tail_line in lines[position:]),
            ]
        if armor := armor_length(lines, position):
            sorted_lines += [("drop", armor_line) for armor_line in lines[position : position + armor]]
            position += armor
            continue
        head = _head(lines, position, addressee)
        if head is not None and is_quoted_below(lines, position + head.length):
            sorted_lines += [("head", head_line) for head_line in lines[position : position + head.length]]
            position += head.length
            continue
        if head is not None and head.sure:
            end = _run(lines, position, head, sorted_lines)
            sorted_lines += _judged(_pieces(lines[position:end], addressee), phrases)
            position = end
            continue
        sorted_lines.append((_unmarked(line, phrases), line))
        position += 1
    return without_footers(sorted_lines)


def _head(lines: list[str], at: int, addressee: Addressee) -> OlderHead | None:
    head = head_at(lines, at)
    return head if head is not None and head.sure else own_head_at(lines, at, addressee) or head


def _unmarked(line: str, known: _Known) -> Part:
    """A line below no head: new, unless it is marked as quoted, or indented and known from an older mail."""
    if QUOTED.match(line):
        return "quote"
    is_known = known and _depth(line) >= _INDENT and (_share(line, known) or 0) >= _SURELY_KNOWN
    return "quote" if is_known else "new"


def left_out(lines: Sequence[Line]) -> tuple[LeftOut, ...]:
    """What is neither new nor quoted nor known from an older mail, and so is not shown as the client's words."""
    runs: list[LeftOut] = []
    head, count, before = "", 0, ""
    for kind, line in [*lines, ("new", "")]:
        if kind in ("older", "answered"):
            count += bool(line.strip())
            continue
        if kind == "head" and before != "head":
            if count:
                continue  # an older mail within the older mail
            head = line
        elif kind != "head" and count:
            runs.append(LeftOut(count, one_line(head.strip(f"{DASHES} >"), _LONGEST_NAMED)))
            count = 0
        before = kind
    return tuple(runs)


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


@dataclass(frozen=True, slots=True)
class _Piece:
    """An older mail: its head, what stands below it, and whether the one who is answered wrote it."""

    head: tuple[str, ...]
    below: tuple[str, ...]
    is_answered: bool


def _pieces(run: list[str], addressee: Addressee) -> list[_Piece]:
    """An older mail may hold yet older ones: cut at their heads. One that a person may have typed changes no writer."""
    starts: list[tuple[int, OlderHead]] = []
    for at in range(len(run)):
        is_within = starts and at < starts[-1][0] + starts[-1][1].length
        head = None if is_within else _head(run, at, addressee)
        if head is not None:
            starts.append((at, head))
    pieces: list[_Piece] = []
    for (at, head), end in zip(starts, [*(at for at, _ in starts[1:]), len(run)], strict=True):
        lines = tuple(run[at : at + head.length])
        is_answered = wrote_it(lines, addressee) if head.sure or not pieces else pieces[-1].is_answered
        pieces.append(_Piece(lines, tuple(run[at + head.length : end]), is_answered))
    return pieces


def _judged(pieces: list[_Piece], known: _Known) -> list[Line]:
    """The lines from a sure head on: older, unless the older mail is known and holds none of them."""
    first = pieces[0].below
    is_unlike = bool(known) and any(_share(line, known) is not None for line in first) and not _is_known(first, known)
    return [line for piece in pieces for line in _of_piece(piece, known, is_unlike=is_unlike)]


def _of_piece(piece: _Piece, known: _Known, *, is_unlike: bool) -> Iterable[Line]:
    """The words of the one who is answered are theirs; a known mail's words decide; nobody knows of the rest."""
    if is_unlike and not piece.is_answered:
        return [("new", line) for line in (*piece.head, *piece.below)]
    below: list[Line] = [("answered" if piece.is_answered else "older", line) for line in piece.below]
    if not is_unlike and _is_known(piece.below, known):
        below = _sifted(piece.below, known)
    return [*(("head", line) for line in piece.head), *below]


def _is_known(lines: Iterable[str], known: _Known) -> bool:
    return bool(known) and any((_share(line, known) or 0) >= _KNOWN for line in lines)


def _sifted(lines: Iterable[str], known: _Known) -> list[Line]:
    """What a client typed between the lines of an older mail is new."""
    kind: Part = "drop"
    sifted: list[Line] = []
    for line in lines:
        share = _share(line, known)
        if share is not None:
            kind = "drop" if share >= _KNOWN else "new"
        elif kind == "drop" and not _is_within(line, known):
            kind = "new"
        sifted.append((kind, line))
    return sifted


def _share(line: str, known: _Known) -> float | None:
    """How much of a line stands in an older mail; None for a line too short to tell, and for one of a header block."""
    rows = list(_rows(line))
    if not rows or kind_of_field(line)[0]:
        return None
    return sum(row in known for row in rows) / len(rows)


def _is_within(line: str, known: _Known) -> bool:
    """Whether a line that is too short to tell has no word but an older mail's, or is one of a header block."""
    words = re.findall(r"[^\W\d_]+", LINK.sub(" ", fold(line)))
    return bool(kind_of_field(line)[0]) or all((word,) in known for word in words)


def _known_of(earlier: Iterable[str]) -> _Known:
    texts = [re.sub(r"(?m)^[\s>|]+", "", text[:_MOST_EARLIER]) for text in earlier]
    words = {(word,) for text in texts for word in re.findall(r"[^\W\d_]+", LINK.sub(" ", fold(text)))}
    return frozenset(row for text in texts for row in _rows(text)) | words


def _rows(text: str) -> Iterable[tuple[str, ...]]:
    words = re.findall(r"\w+", LINK.sub(" ", fold(text)))
    return (tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))
