"""Heads of older mail: the lines that a program writes above it. Attributions, header blocks, ruled lines."""

import re
from dataclasses import dataclass
from functools import cache, lru_cache

from workflows.rules.text import quotes
from workflows.rules.text.words import fold, phrases, table

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
FLAT_FIELD = re.compile(r"(?:^|(?<=[\s*>)\"-]))\*{0,2}([^\W\d_]{1,14}(?: [^\W\d_]{1,10})?)\s?:\*{0,2}(?=\s|$)")
LONGEST_LINE = 600  # an attribution or a header line is never longer
LONGEST_FOOTER = 160
MOST_LINES = 4000
_FIELDS = ("from", "date", "to", "subject")
_FLAT_FIELDS = 3  # colons that the fields of a header in one line have at least
_BLOCK = 14  # lines that a header block takes at most
_MOST_NAMES = 6  # words of a name in an attribution
_MOST_BEFORE = 3  # words before the date of an attribution: "On", "Il giorno", "W dniu"


@dataclass(frozen=True, slots=True)
class OlderHead:
    """A line, or several, above what is older. `sure`: only a program writes it like this."""

    length: int
    sure: bool
    by_name: bool = False  # "... wrote:", not a block or a ruled line: more of them may follow further down


def is_quoted_below(lines: list[str], at: int) -> bool:
    return bool(QUOTED.match(_next_filled(lines, at)))


def head_at(lines: list[str], at: int) -> OlderHead | None:
    line = lines[at].strip()
    if len(line) > LONGEST_LINE or not line:
        return None
    return _ruled(lines, at) or _block(lines, at) or _flat_block(line) or _attribution(lines, at)


def _ruled(lines: list[str], at: int) -> OlderHead | None:
    """Such as "----- Original Message -----", also with the fields behind it, and "reply above this line"."""
    line = lines[at].strip()
    if asks_above(line):
        return OlderHead(1, sure=True)
    if not _RULE.match(line):
        return None
    bare = line.strip(f"{DASHES} ").rstrip(":")
    if not bare:
        return _ruled_off(lines, at)
    title = _RULES_APART.split(bare, maxsplit=1)[0]
    return OlderHead(1, sure=True) if quotes.original().fullmatch(fold(title.strip(" :"))) else None


def asks_above(line: str) -> bool:
    """Whether it is "reply above this line": what stands below was sent by the one who is answered."""
    bare = line.strip()
    return " " in bare and bool(quotes.above().fullmatch(fold(bare.strip(f"{DASHES} []().:~<>"))))


def is_ruled(line: str) -> bool:
    """Whether a line begins with a row of dashes."""
    return bool(_RULE.match(line.strip()))


def _ruled_off(lines: list[str], at: int) -> OlderHead | None:
    """A bare line of dashes above a header block."""
    following = [at + step for step in range(1, 4) if at + step < len(lines) and lines[at + step].strip()]
    block = _block(lines, following[0]) if following else None
    return None if block is None else OlderHead(following[0] - at + block.length, sure=True)


def _block(lines: list[str], at: int) -> OlderHead | None:
    """Outlook's lines above what is older: from whom, when, and to whom or about what, in any order."""
    if kind_of_field(lines[at])[0] not in ("from", "date"):
        return None
    fields: dict[str, str] = {}
    end, strays = at, 0
    for number in range(at, min(at + _BLOCK, len(lines))):
        if not lines[number].strip():
            continue
        kind, value = kind_of_field(lines[number])
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
    return OlderHead(end - at + 1, sure=_is_from_a_program(fields["from"], fields["date"]))


def _is_from_a_program(sender: str, date: str) -> bool:
    folded = fold(date)
    return "@" in sender or bool(_TIME.search(folded) and re.search(r"\d", folded))


def is_flat(line: str) -> bool:
    """Whether a header block stands in this one line, as some phones and some conversions of HTML leave it."""
    return _flat_block(line.strip()) is not None


def _flat_block(line: str) -> OlderHead | None:
    if line.count(":") < _FLAT_FIELDS:
        return None
    fields = [(match, kind_of_flat(match[1])) for match in FLAT_FIELD.finditer(line)]
    kinds = [kind for _, kind in fields]
    if not {"from", "date"} <= set(kinds) or not {"to", "subject"} & set(kinds) or kinds[0] not in ("from", "date"):
        return None
    if line[: fields[0][0].start()].strip(f"{DASHES} >") or not ("@" in line or _TIME.search(fold(line))):
        return None
    return OlderHead(1, sure=True)


@lru_cache(maxsize=MOST_LINES)
def kind_of_field(line: str) -> tuple[str, str]:
    field = _FIELD.match(line[:LONGEST_LINE])
    return (kind_of_name(field[1]), field[2]) if field else ("", "")


def kind_of_flat(name: str) -> str:
    """The same for a header within a line, before whose name the end of the value before it may stand."""
    return kind_of_name(name) or kind_of_name(name.rsplit(maxsplit=1)[-1])


def names_readers(line: str) -> bool:
    """Whether a line of a header block says to whom, or about what, and not who wrote."""
    return kind_of_field(line)[0] in ("to", "subject")


def kind_of_name(name: str) -> str:
    """What a header of that name says: "from", "date", "to", "subject", or "" for no header."""
    kind = quotes.header_kind(name)
    return kind if kind in _FIELDS else ""


def _attribution(lines: list[str], at: int) -> OlderHead | None:
    """Such as "On <date>, <name> wrote:", over one to three lines."""
    joined = ""
    for length, line in enumerate(lines[at : at + 3], start=1):
        if not line.strip() or len(line) > LONGEST_LINE or QUOTED.match(line):
            return None
        joined = f"{joined} {line.strip()}" if joined else line.strip()
        if not joined.rstrip(" *_-").endswith((":", "：")):  # noqa: RUF001
            continue
        if length > 1 and not _may_start(lines[at]):
            return None
        quote_follows = is_quoted_below(lines, at + length)
        if not quote_follows and not re.search(r"\d|@", joined):
            return None  # no date and no address: nothing a program writes
        if not _is_attribution(joined, quote_follows=quote_follows):
            return None
        return OlderHead(length, sure=_is_sure(joined), by_name=True)
    return None


def _is_attribution(line: str, *, quote_follows: bool) -> bool:
    folded = fold(line.strip(" *_-"))
    if _DATED_ADDRESS.match(folded) or (_BRACKETED.search(folded) and _DATE.search(folded) and _TIME.search(folded)):
        return True
    if not quotes.wrote().search(folded):
        return bool(quotes.quoting().match(folded)) and (quote_follows or "@" in folded)
    return quote_follows or bool(_TIME_OR_ADDRESS.search(folded) and re.search(r"\d|@", folded))


def _is_sure(line: str) -> bool:
    """Whether a program wrote it: a whole date, a name, an address; no "I", no "you", nothing told."""
    folded = fold(line.strip(" *_-"))
    if _person().search(_NAMED.sub(" ", folded)):
        return False
    starts = bool(quotes.starters().match(folded))
    address = _BRACKETED.search(folded) or (re.search(r"\S@\S", folded) if starts else None)
    date, time = _DATE.search(folded), _TIME.search(folded)
    if address and quotes.quoting().match(folded):
        return True
    if not date or not (address or time):
        return bool(address and time)
    bare = _BRACKETED.sub(" ", folded)
    names = re.findall(r"[^\W\d_]{2,}", _TIME.sub(" ", _DATE.sub(" ", quotes.wrote().sub(" ", bare))))
    before = re.findall(r"[^\W\d_]+", folded[: date.start()])
    starts = starts or not before or len(before) == 1
    few = len(before) <= _MOST_BEFORE and len(names) <= _MOST_NAMES + _MOST_BEFORE
    return bool(address) or (starts and few)


def _may_start(line: str) -> bool:
    folded = fold(line.lstrip(" *_-"))
    return bool(quotes.starters().match(folded) or _TIME_OR_ADDRESS.search(folded)) and bool(re.search(r"\d|@", folded))


def _next_filled(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 4] if line.strip()), "")


def is_forward_line(line: str) -> bool:
    stripped = line.strip()
    if not stripped or len(stripped) > LONGEST_FOOTER:
        return False
    bare = stripped.strip(f"{DASHES} ")
    marked = bool(_RULE.match(stripped)) or stripped.endswith((":", "："))  # noqa: RUF001
    return marked and bool(quotes.forwarded().fullmatch(fold(bare.rstrip(":： "))))  # noqa: RUF001


@cache
def _person() -> re.Pattern[str]:
    return phrases(table("history")["person"])
