"""A client's mail line by line: what is new, what is quoted, what is older, and what a mail program put there.

Mail programs mark what is older in many ways, and people type lines that look like such a mark. So a mark counts only
as far as a program can have written it; where the older mail itself is known, its words decide. What is taken for older
without being quoted is never dropped in silence: `left_out` says how much it is, and below what.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Literal

from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

Part = Literal["new", "quote", "head", "older", "signature", "drop"]
Line = tuple[Part, str]

_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
QUOTED = re.compile(r"\s{0,3}>|\s{0,3}\|\s?>")
DASHES = "-_‐‑‒–—―=*#"  # noqa: RUF001 (the dashes that mail programs really put there)
_RULE = re.compile(rf"[{re.escape(DASHES)}]{{2,}}")
_RULES_APART = re.compile(rf"[{re.escape(DASHES)}]{{2,}}")
_TIME = re.compile(r"\d{1,2}\s?[:.h]\s?\d{2}(?!\d)|\b\d{1,2} ?(?:am|pm)\b")
_TIME_OR_ADDRESS = re.compile(rf"{_TIME.pattern}|\S@\S")
_BRACKETED = re.compile(r"[<(\[]{1,2}(?:mailto:)?[^\s<>()\[\]]{1,80}@[^\s<>]{1,300}[>)\]]")
_NAMED = re.compile(rf"(?:[^\s<\[(]{{1,40}} ){{0,2}}{_BRACKETED.pattern}")  # a name with its address
_DATE = re.compile(
    r"\d{4}[年년.]? ?\d{1,2}[月월][^\s]{0,8}"
    r"|(?<!\d)\d{1,4} ?[./-] ?\d{1,2} ?[./-] ?\d{2,4}(?!\d)"
    r"|(?<!\d)\d{1,2}(?:\.|st|nd|rd|th)?,? (?:de |d')?[^\W\d_]{3,12}\.?,? (?:de )?\d{4}(?!\d)"
    r"|[^\W\d_]{3,12}\.? \d{1,2}(?:st|nd|rd|th)?,? \d{4}(?!\d)"
    r"|(?<!\d)\d{4}\. ?[^\W\d_]{3,12}\.? \d{1,2}"
)
_DATED_ADDRESS = re.compile(r"^\W{0,3}\d{4}[-年/. ].{4,200}<?\S+@\S+>?\s*[:：]$")  # noqa: RUF001 (CJK colon)
_FIELD = re.compile(r"^[\s*>_]{0,40}([^\W\d_][^:：@<]{0,30}?)\s?\*{0,2}\s?[:：]\*{0,2}\s?(.*)$")  # noqa: RUF001
_FLAT_FIELD = re.compile(r"(?:^|(?<=[\s*>)\"]))\*{0,2}([^\W\d_]{1,14}(?: [^\W\d_]{1,10})?)\s?:\*{0,2}(?=\s|$)")
_SIGNATURE = re.compile(r"^(?:--|—|–) ?$")  # noqa: RUF001
_ARMOR = re.compile(r"-----BEGIN PGP SIGN(?:ED MESSAGE|ATURE)-----")
_LINK = re.compile(r"<?https?://\S+")
_CONTACT = re.compile(r"\S@\S|www\.|https?:|(?:\d[ ()/.-]?){6}")
_LONGEST_LINE = 600  # an attribution or a header line is never longer
LONGEST_FOOTER = 160
_MOST_LINES = 4000
_FLAT_FIELDS = 3  # colons that the fields of a header in one line have at least
_BLOCK = 14  # lines that a header block takes at most
_MOST_NAMES = 6  # words of a name in an attribution
_MOST_BEFORE = 3  # words before the date of an attribution: "On", "Il giorno", "W dniu"
_PROSE = 7  # words in a line from which on it is a sentence, not a line of a signature
_SHORT_PROSE = 4
_SHINGLE = 3  # words in a row by which a line is known from an older mail
_KNOWN = 0.5
_MOST_EARLIER = 400_000
_LONGEST_NAMED = 60


@dataclass(frozen=True, slots=True)
class LeftOut:
    """So many lines below this one are taken for an older mail, though nothing marks them line by line."""

    lines: int
    below: str


@dataclass(frozen=True, slots=True)
class _Head:
    """A line, or several, above what is older. `sure`: only a program writes it like this."""

    length: int
    sure: bool
    by_name: bool = False  # "... wrote:", not a block or a ruled line: more of them may follow further down


def sort_lines(text: str, earlier: Iterable[str] = ()) -> list[Line]:
    """Every line with what it is, in order. `earlier`: the mails that this one answers, as far as they are known."""
    lines = _LINE_END.sub("\n", text).split("\n")
    lines = [*lines[:_MOST_LINES], *(["\n".join(lines[_MOST_LINES:])] if len(lines) > _MOST_LINES else [])]
    known = _shingles_of(earlier)
    kept: list[Line] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if _is_forward_line(line):  # what is forwarded is the message: the rest stays as it is
            return [*_without_footers(kept), ("new", ""), *(("new", rest) for rest in lines[position:])]
        if armor := _armor(lines, position):
            kept += [("drop", rest) for rest in lines[position : position + armor]]
            position += armor
            continue
        head = _head(lines, position)
        if head is not None and _is_quoted_below(lines, position + head.length):
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
    return _without_footers(kept)


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


# ---------------------------------------------------------------- what stands below a head


def _is_quoted_below(lines: list[str], at: int) -> bool:
    return bool(QUOTED.match(_next_filled(lines, at)))


def _run(lines: list[str], at: int, head: _Head, kept: list[Line]) -> int:
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
        head = None if skip else _head(run, at)
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
    if not rows or _kind_of_field(line)[0]:
        return None
    return sum(row in known for row in rows) / len(rows)


def _shingles_of(earlier: Iterable[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(row for text in earlier for row in _rows(re.sub(r"(?m)^[\s>|]+", "", text[:_MOST_EARLIER])))


def _rows(text: str) -> Iterable[tuple[str, ...]]:
    words = re.findall(r"\w+", _LINK.sub(" ", fold(text)))
    return (tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


# ---------------------------------------------------------------- heads


def _head(lines: list[str], at: int) -> _Head | None:
    line = lines[at].strip()
    if len(line) > _LONGEST_LINE or not line:
        return None
    return _ruled(lines, at) or _block(lines, at) or _flat_block(line) or _attribution(lines, at)


def _ruled(lines: list[str], at: int) -> _Head | None:
    """Such as "----- Original Message -----", also with the fields behind it, and "reply above this line"."""
    line = lines[at].strip()
    if " " in line and _above().fullmatch(fold(line.strip(f"{DASHES} []().:~<>"))):
        return _Head(1, sure=True)
    if not _RULE.match(line):
        return None
    bare = line.strip(f"{DASHES} ").rstrip(":")
    if not bare:
        return _ruled_off(lines, at)
    title = _RULES_APART.split(bare, maxsplit=1)[0]
    return _Head(1, sure=True) if _original().fullmatch(fold(title.strip(" :"))) else None


def _ruled_off(lines: list[str], at: int) -> _Head | None:
    """A bare line of dashes above a header block."""
    following = [at + step for step in range(1, 4) if at + step < len(lines) and lines[at + step].strip()]
    block = _block(lines, following[0]) if following else None
    return None if block is None else _Head(following[0] - at + block.length, sure=True)


def _block(lines: list[str], at: int) -> _Head | None:
    """Outlook's lines above what is older: from whom, when, and to whom or about what, in any order."""
    if _kind_of_field(lines[at])[0] not in ("from", "date"):
        return None
    fields: dict[str, str] = {}
    end, strays = at, 0
    for number in range(at, min(at + _BLOCK, len(lines))):
        if not lines[number].strip():
            continue
        kind, value = _kind_of_field(lines[number])
        if not kind:
            strays += 1  # a long list of recipients goes on in the next line
            if strays > 1 or {"from", "date", "subject"} <= set(fields):
                break
            continue
        if kind in fields and kind in ("from", "date"):
            break
        fields.setdefault(kind, value)
        end = number
    if not {"from", "date"} <= set(fields) or not {"to", "subject"} & set(fields):
        return None
    return _Head(end - at + 1, sure=_is_from_a_program(fields["from"], fields["date"]))


def _is_from_a_program(sender: str, date: str) -> bool:
    folded = fold(date)
    return "@" in sender or bool(_TIME.search(folded) and re.search(r"\d", folded))


def _flat_block(line: str) -> _Head | None:
    """The same in one line, as some phones and some conversions of HTML leave it."""
    if line.count(":") < _FLAT_FIELDS:
        return None
    found = [(match, _kind(match[1]) or _kind(match[1].split()[-1])) for match in _FLAT_FIELD.finditer(line)]
    kinds = [kind for _, kind in found]
    if not {"from", "date"} <= set(kinds) or not {"to", "subject"} & set(kinds) or kinds[0] not in ("from", "date"):
        return None
    if line[: found[0][0].start()].strip(f"{DASHES} >") or not ("@" in line or _TIME.search(fold(line))):
        return None
    return _Head(1, sure=True)


@lru_cache(maxsize=_MOST_LINES)
def _kind_of_field(line: str) -> tuple[str, str]:
    found = _FIELD.match(line[:_LONGEST_LINE])
    return (_kind(found[1]), found[2]) if found else ("", "")


def names_readers(line: str) -> bool:
    """Whether a line of a header block says to whom, or about what, and not who wrote."""
    return _kind_of_field(line)[0] in ("to", "subject")


def _kind(name: str) -> str:
    folded = fold(name).strip("* ")
    return next((kind for kind in ("from", "date", "to", "subject") if folded in _names(kind)), "")


def _attribution(lines: list[str], at: int) -> _Head | None:
    """Such as "On <date>, <name> wrote:", over one to three lines."""
    joined = ""
    for length, line in enumerate(lines[at : at + 3], start=1):
        if not line.strip() or len(line) > _LONGEST_LINE or QUOTED.match(line):
            return None
        joined = f"{joined} {line.strip()}" if joined else line.strip()
        if not joined.rstrip(" *_-").endswith((":", "：")):  # noqa: RUF001
            continue
        if length > 1 and not _may_start(lines[at]):
            return None
        quote_follows = _is_quoted_below(lines, at + length)
        if not quote_follows and not re.search(r"\d|@", joined):
            return None  # no date and no address: nothing a program writes
        if not _is_attribution(joined, quote_follows=quote_follows):
            return None
        return _Head(length, sure=_is_sure(joined), by_name=True)
    return None


def _is_attribution(line: str, *, quote_follows: bool) -> bool:
    folded = fold(line.strip(" *_-"))
    if _DATED_ADDRESS.match(folded) or (_BRACKETED.search(folded) and _DATE.search(folded) and _TIME.search(folded)):
        return True
    if not (_wrote().search(folded) or any(mark in folded for mark in table("history")["wrote_joined"])):
        return bool(_quoting().match(folded)) and (quote_follows or "@" in folded)
    return quote_follows or bool(_TIME_OR_ADDRESS.search(folded) and re.search(r"\d|@", folded))


def _is_sure(line: str) -> bool:
    """Whether a program wrote it: a whole date, a name, an address; no "I", no "you", nothing told."""
    folded = fold(line.strip(" *_-"))
    if _person().search(_NAMED.sub(" ", folded)):
        return False
    starts = bool(_starters().match(folded))
    address = _BRACKETED.search(folded) or (re.search(r"\S@\S", folded) if starts else None)
    date, time = _DATE.search(folded), _TIME.search(folded)
    if address and _quoting().match(folded):
        return True
    if not date or not (address or time):
        return bool(address and time)
    bare = _BRACKETED.sub(" ", folded)
    names = re.findall(r"[^\W\d_]{2,}", _TIME.sub(" ", _DATE.sub(" ", _wrote().sub(" ", bare))))
    before = re.findall(r"[^\W\d_]+", folded[: date.start()])
    starts = starts or not before or len(before) == 1
    few = len(before) <= _MOST_BEFORE and len(names) <= _MOST_NAMES + _MOST_BEFORE
    return bool(address) or (starts and few)


def _may_start(line: str) -> bool:
    folded = fold(line.lstrip(" *_-"))
    return bool(_starters().match(folded) or _TIME_OR_ADDRESS.search(folded)) and bool(re.search(r"\d|@", folded))


def _next_filled(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 4] if line.strip()), "")


def _is_forward_line(line: str) -> bool:
    stripped = line.strip()
    if not stripped or len(stripped) > LONGEST_FOOTER:
        return False
    bare = stripped.strip(f"{DASHES} ")
    marked = bool(_RULE.match(stripped)) or stripped.endswith((":", "："))  # noqa: RUF001
    return marked and bool(_forwarded().fullmatch(fold(bare.rstrip(":： "))))  # noqa: RUF001


# ---------------------------------------------------------------- signatures


def _armor(lines: list[str], at: int) -> int:
    """How many lines a signature that proves the text takes here (inline PGP); the text between is the mail."""
    if not _ARMOR.match(lines[at]):
        return 0
    if "MESSAGE" in lines[at]:
        blank = next((step for step in range(1, 6) if at + step < len(lines) and not lines[at + step].strip()), 0)
        return blank + 1
    end = next((step for step, line in enumerate(lines[at : at + 200]) if line.startswith("-----END PGP")), 0)
    return end + 1


def _without_footers(parts: list[Line]) -> list[Line]:
    """Signatures after "-- " and phone footers at the end of a run of new lines are no part of what was written."""
    kept: list[Line] = []
    run: list[str] = []
    for kind, line in [*parts, ("drop", "")]:
        if kind == "new":
            run.append(line)
            continue
        kept += _footers_apart(run)
        kept.append((kind, line))
        run = []
    return kept[:-1]


def _footers_apart(lines: list[str]) -> list[Line]:
    marks = (at for at, line in enumerate(lines) if _SIGNATURE.match(line.strip()) and at)
    end = next((at for at in marks if not _is_prose(lines[at + 1 :])), len(lines))
    while end and (not lines[end - 1].strip() or _is_mobile(lines[end - 1])):
        end -= 1
    return [("new", line) for line in lines[:end]] + [("signature", line) for line in lines[end:]]


def _is_prose(lines: list[str]) -> bool:
    """Whether somebody wrote on below "--": a sentence that is neither how to reach them nor a lawyer's small print."""
    for line in lines:
        folded = fold(line[:_LONGEST_LINE])
        if _boilerplate().search(folded):
            return False
        words = len(re.findall(r"[^\W\d_]{2,}", folded))
        whole = words >= _SHORT_PROSE and line.rstrip().endswith((".", "!", "?"))
        if (words >= _PROSE or whole) and not _CONTACT.search(line[:_LONGEST_LINE]):
            return True
    return False


def small_print(lines: Iterable[str]) -> Iterable[str]:
    """The lines of a signature that are somebody's own: what comes before a lawyer's small print."""
    for line in lines:
        if _boilerplate().search(fold(line[:_LONGEST_LINE])):
            return
        yield line


def _is_mobile(line: str) -> bool:
    if len(line) > LONGEST_FOOTER:
        return False
    bare = _LINK.sub("", line).strip(" .*_<>[]-\t")
    return bool(_mobile().fullmatch(fold(bare)))


# ---------------------------------------------------------------- word lists, compiled once


@cache
def _wrote() -> re.Pattern[str]:
    return phrases(table("history")["wrote"])


@cache
def _quoting() -> re.Pattern[str]:
    return phrases(table("history")["quoting"])


@cache
def _starters() -> re.Pattern[str]:
    return phrases(table("history")["starters"])


@cache
def _person() -> re.Pattern[str]:
    return phrases(table("history")["person"])


@cache
def _original() -> re.Pattern[str]:
    return phrases(table("history")["original"])


@cache
def _above() -> re.Pattern[str]:
    return phrases(table("history")["above"])


@cache
def _forwarded() -> re.Pattern[str]:
    return phrases(table("history")["forwarded"])


@cache
def _mobile() -> re.Pattern[str]:
    return phrases(table("history")["signature"]["mobile"])


@cache
def _boilerplate() -> re.Pattern[str]:
    return phrases(table("history")["signature"]["small_print"])


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(fold(name) for name in table("history")["block"][kind])
