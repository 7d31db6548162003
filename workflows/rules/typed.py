"""What the owner typed into an answer, and what he changed in the quoted draft.

We hold the exact text that was asked, so quoting is undone by finding our own lines again, in their order, whatever
the marks and line widths; no guess about styles is needed for most of it. What frames a quote (attribution lines,
header blocks) is known by closed lists. Everything else counts as typed: what is not understood here must reach the
grammar, which then asks again. Nothing above the quote is ever taken for a quote.
"""

import re
import tomllib
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from difflib import SequenceMatcher
from functools import lru_cache
from pathlib import Path
from typing import Any, Literal

from workflows.models import Email
from workflows.rules.approval import extract_draft
from workflows.rules.calendar import folded
from workflows.rules.canonical import canonical, visible

_MOST_LINES, _MOST_CHARACTERS = 5_000, 200_000
_SURE = 20  # letters and digits: this much in a row is not met by chance
_SHORTEST_WRAP = 50  # characters: a line that a mail program wraps is at least this long
_ATTRIBUTION_LINES, _HEADER_LINES, _SIGNATURE_LINES = 4, 12, 14
_LONGEST_FRAME, _DEEPEST, _FEW_WORDS = 500, 50, 4
_COMPARED = 1_000_000  # token pairs: beyond it the layout of an edited quote is only guessed

_QUOTE = re.compile(r"(?:[ \t\xa0]*[>|»\uff1e])+[ \xa0]?")
_LINKED = re.compile(r"(?<=\S)<(?:mailto:|https?://|tel:)[^<>\s]{0,2000}>", re.IGNORECASE)
_MARKDOWN = re.compile(r"\[([^\[\]\n]{1,500})\]\(((?:https?://|mailto:|tel:)[^()\s]{1,2000})\)", re.IGNORECASE)
_ESCAPES = re.compile(r"(?:=[0-9A-F]{2})+|=$")
_MARKER = re.compile(r"\W{0,12}answer above this line\W{1,6}(\d+\.\d+)\.([0-9a-f]{8,})\W*", re.IGNORECASE)
_EDGE = re.compile(r"\W{0,12}draft\s+(\d+\.\d+)\s+(begins|ends)\W{0,12}", re.IGNORECASE)
_ADDRESS = re.compile(r"\S@\S|\bdeskhand\b", re.IGNORECASE)
_DATE = re.compile(r"\d{4}|\d{1,2}[:.]\d{2}|\d{1,2}[./-]\d{1,2}")
_DAY_AND_MONTH = re.compile(
    r"(?<![\d:.])\d{1,2}(?:st|nd|rd|th|\.)? ?(?:de )?[^\W\d_]{3,}"
    r"|[^\W\d_]{3,}\.? \d{1,2}\b|\d{1,2}(?:[./-]|\. )\d{1,2}|\d月"
)
_SIGNS = "-_*=\u2013\u2014"
_CONTACT = re.compile(r"\S@\S|https?://|www\.|\+?\d[\d ()/.-]{6,}\d")

Role = Literal["typed", "quote", "frame", "block"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Typed:
    """What an answer says apart from our own words.

    `words`: typed, from the text the mail program made. `block`: the quoted draft, marks and re-wrapping undone, when
    it differs from the draft; else None. `html_words`: typed, from the HTML part ("" when there is none).
    `altered`: something else in the quote is not as we wrote it, or there was too much to read.
    """

    words: str
    block: str | None
    html_words: str
    altered: bool = False


@dataclass(slots=True)
class _Line:
    """One line of an answer while it is being read."""

    raw: str
    depth: int
    text: str  # without quote marks and link artefacts
    key: str  # its letters and digits
    role: Role = "typed"


@dataclass(frozen=True, slots=True)
class _Original:
    """The asked text as one run of letters and digits, with the places where its lines begin."""

    stream: str
    starts: tuple[int, ...]
    depths: tuple[int, ...]  # quote marks that each line has by itself
    tag: str  # "41.1" of the draft lines, "" when it shows no draft
    draft: str | None
    signs: tuple[tuple[int, str], ...]  # its lines without a letter or digit ("[...]", an emoji), and their places
    links: bool  # it contains [label](address) itself

    def depth(self, place: int) -> int:
        """The quote marks that the line at this place has by itself."""
        found = bisect_right(self.starts, place) - 1
        return self.depths[found] if found >= 0 else 0

    def begins(self, place: int) -> bool:
        found = bisect_left(self.starts, place)
        return place == len(self.stream) or (found < len(self.starts) and self.starts[found] == place)


@dataclass(frozen=True, slots=True)
class _Part:
    """One body of the answer, read."""

    words: str
    block: str | None
    shows_draft: bool
    altered: bool


def is_too_long(email: Email) -> bool:
    """Whether there is more in this answer than is read of one."""
    texts = (email.text, email.html_text)
    if any(len(text) > _MOST_CHARACTERS or text.count("\n") >= _MOST_LINES for text in texts):
        return True
    return any(defect.startswith("text longer than") for defect in email.defects)  # the parser has cut it


def typed(email: Email, asked_text: str, signatures: tuple[str, ...] = ()) -> Typed:
    """What was typed into this answer to `asked_text` (the exact text of our mail), the owner's signatures left out."""
    original, name = _original(asked_text), email.sender.name
    plain = _read(email.text, original, name, wrapped=True)
    if not email.html_text.strip():
        words = _without_blocks(plain.words, signatures)
        return Typed(words=words, block=plain.block, html_words="", altered=plain.altered)
    # Blanks at the start of an HTML line are layout (nested blocks), nothing that was typed.
    unindented = "\n".join(line.lstrip(" ") for line in email.html_text.split("\n"))
    html = _read(unindented, original, name, wrapped=False)
    # HTML is not re-wrapped: where it shows the draft, it is the better witness of an edit.
    block = html.block if html.shows_draft else plain.block
    words, html_words = (_without_blocks(part.words, signatures) for part in (plain, html))
    return Typed(words=words, block=block, html_words=html_words, altered=plain.altered or html.altered)


def _without_blocks(words: str, signatures: tuple[str, ...]) -> str:
    """The words without a signature that ends them; blank lines and the signs around a line are layout."""
    lines = words.split("\n")
    filled = [place for place, line in enumerate(lines) if _key(line)]
    keys = [_key(lines[place]) for place in filled]
    for signature in sorted(signatures, key=len, reverse=True):
        block = [_key(line) for line in signature.split("\n") if _key(line)]
        if block and keys[-len(block) :] == block:
            return "\n".join(lines[: filled[-len(block)]]).strip()
    return words


# ---------------------------------------------------------------- keys


def _key(text: str) -> str:
    return "".join(character for character in text.casefold() if character.isalnum())


def _clean(text: str, *, links: bool) -> str:
    """The line without what Outlook and HTML add to addresses: `a@b<mailto:a@b>`, `[a@b](mailto:a@b)`."""
    text = _LINKED.sub("", text)
    return text if links else _MARKDOWN.sub(_unlinked, text)


def _unlinked(found: re.Match[str]) -> str:
    label, target = found[1], found[2]
    return label if _key(label) in _key(target) else f"{label} ({target})"


def _original(asked_text: str) -> _Original:
    text = visible(asked_text)
    links = "](" in text
    pieces: list[str] = []
    starts: list[int] = []
    depths: list[int] = []
    signs: list[tuple[int, str]] = []
    length = 0
    for line in _lines(text, links=links):
        if line.key:
            starts.append(length)
            depths.append(line.depth)
            pieces.append(line.key)
            length += len(line.key)
        elif line.text:
            signs.append((length, line.text))
    edge = next((found for found in map(_EDGE.fullmatch, text.split("\n")) if found), None)
    tag = edge[1] if edge else ""
    return _Original("".join(pieces), tuple(starts), tuple(depths), tag, extract_draft(text), tuple(signs), links)


def _lines(text: str, *, links: bool) -> list[_Line]:
    lines = []
    for raw in visible(text[:_MOST_CHARACTERS]).split("\n")[:_MOST_LINES]:
        mark = _QUOTE.match(raw)
        depth = min(sum(character in ">|»\uff1e" for character in mark[0]), _DEEPEST) if mark else 0
        content = _clean(raw[mark.end() :] if mark else raw, links=links).strip()
        lines.append(_Line(raw, depth, content, _key(content)))
    return lines


# ---------------------------------------------------------------- one body


def _read(text: str, original: _Original, name: str, *, wrapped: bool) -> _Part:
    lines = _lines(text, links=original.links)
    _mark_frames(lines, original)
    first = _first_quoted(lines, original)
    for line in lines[:first]:
        line.depth = 0  # a mark that the owner typed
    _match(lines, original, first)
    edges = _draft_edges(lines, original, first)
    block = _block(lines, original, edges, wrapped=wrapped) if edges else None
    altered = len(text) > _MOST_CHARACTERS or text.count("\n") >= _MOST_LINES
    altered = altered or any(line.depth and line.role == "typed" and _says_something(line) for line in lines)
    return _Part(_words(lines, name), block, bool(edges), altered)


def _says_something(line: _Line) -> bool:
    return bool(line.key) or bool(re.sub(r"[-_=*~.\s>|·•]", "", line.text))


def _next_line(lines: list[_Line], index: int) -> int:
    """The next line that is not blank, or the number of lines."""
    return next((place for place in range(index + 1, len(lines)) if lines[place].text), len(lines))


def _quote_begins(lines: list[_Line], index: int, original: _Original) -> bool:
    """Whether the quote goes on right below this line (or the mail ends there)."""
    following = _next_line(lines, index)
    if following == len(lines):
        return True
    line = lines[following]
    if line.role == "frame" or line.depth > 0 or _MARKER.fullmatch(line.text):
        return True
    return len(line.key) >= 12 and any(  # noqa: PLR2004 - enough of a first line
        original.stream.startswith(line.key, start) for start in original.starts
    )


# ---------------------------------------------------------------- frames: attribution lines and header blocks


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return tomllib.loads((Path(__file__).parent / "data" / "quotes.toml").read_text(encoding="utf-8"))


@lru_cache(maxsize=1)
def _header_names() -> tuple[frozenset[str], frozenset[str]]:
    table = _tables()["headers"]
    first = frozenset(folded(name) for name in (*table["first"], *table["dates"]))
    return first, first | {folded(name) for name in table["others"]}


@lru_cache(maxsize=1)
def _frame_words() -> tuple[tuple[str, ...], tuple[str, ...], frozenset[str]]:
    """Attribution verbs, attribution starters, separator phrases."""
    verbs = tuple(folded(verb) for verb in _tables()["attribution"]["verbs"])
    starters = tuple(f"{folded(word)} " for word in _tables()["attribution"]["starters"])
    return verbs, starters, frozenset(_key(folded(words)) for words in _tables()["separators"]["words"])


def _mark_frames(lines: list[_Line], original: _Original) -> None:
    """From the bottom up, because a frame is known by the quote below it."""
    for index in range(len(lines) - 1, -1, -1):
        line = lines[index]
        if line.role == "frame" or not line.text or len(line.text) > _LONGEST_FRAME:
            continue
        for length in (_separator(line), _header_block(lines, index), _attribution(lines, index)):
            start = index if length >= 0 else index + length + 1
            end = index + length if length >= 0 else index + 1
            if length and _quote_begins(lines, end - 1, original):
                for framed in lines[start:end]:
                    framed.role = "frame"
                break


def _separator(line: _Line) -> int:
    """1 for `-----Original Message-----` and `________________`, else 0."""
    inner = line.text.rstrip(":").strip(_SIGNS)
    if len(line.text) > _LONGEST_FRAME or not set(line.text[:2]) <= set(_SIGNS) or len(line.text) < len(inner) + 2:
        return 0
    said = _key(folded(line.text))
    return int(said in _frame_words()[2] or (not said and len(line.text) >= 8))  # noqa: PLR2004 - longer than "-- "


def _header_block(lines: list[_Line], index: int) -> int:
    """How many lines a header block that starts here has, 0 when none does."""
    first, names = _header_names()
    depth, found, place = lines[index].depth, 0, index
    seen: set[str] = set()
    while place < len(lines) and place - index < _HEADER_LINES and lines[place].depth == depth:
        name, text = _header_name(lines[place]), lines[place].text
        if name in seen or _says_a_wish(text) or not (_header_fits(name, text) or (found and _ADDRESS.search(text))):
            break  # the lines of our own mail begin, or something was typed
        if name in names:
            seen.add(name)
            found = place - index + 1
        place += 1
    return found if len(seen) >= 3 and seen & (first - _date_names()) else 0  # noqa: PLR2004


def _header_fits(name: str, text: str) -> bool:
    """Whether a header says what that header of our mail would: an address, a date, our subject."""
    first, names = _header_names()
    if name not in names:
        return False
    if name in first - _date_names():
        return bool(_ADDRESS.search(text))
    return bool(_ADDRESS.search(text) or re.search(r"\d", text) or len(text.split()) <= _FEW_WORDS)


@lru_cache(maxsize=1)
def _date_names() -> frozenset[str]:
    return frozenset(folded(name) for name in _tables()["headers"]["dates"])


def _says_a_wish(text: str) -> bool:
    """Whether a line that looks like a frame has words that a person types ("not", "but", "only after")."""
    words = re.findall(
        r"[^\W\d_']+(?:'[^\W\d_]+)?", folded(re.sub(r"\S+@\S+|<[^<>]*>|\[deskhand[^\]]*\]", " ", text.lower()))
    )
    said = " ".join(words).replace("no dia ", "")
    return any(word in _wish_words() for word in said.split())


@lru_cache(maxsize=1)
def _wish_words() -> frozenset[str]:
    """Words of yes, no and wishes in every language, less those that dates and attribution lines are made of."""
    folder = Path(__file__).parent / "data"
    answers = tomllib.loads((folder / "decisions.toml").read_text(encoding="utf-8"))
    times = tomllib.loads((folder / "calendar.toml").read_text(encoding="utf-8"))
    kinds = ("no", "reject", "hedges", "conditions", "instructions", "never", "later", "edit", "mine")
    phrases = [phrase for table in answers.values() for kind in kinds for phrase in table.get(kind, ())]
    dates = [
        name for table in times.values() for kind in ("weekdays", "months") for names in table[kind] for name in names
    ]
    dates += [word for table in times.values() for word in table["fillers"]]
    frames = [
        *_tables()["attribution"]["starters"],
        *_tables()["attribution"]["verbs"],
        "o",
        "um",
        "as",
        "het",
        "pm",
        "am",
    ]
    frames += [*_tables()["headers"]["first"], *_tables()["headers"]["dates"], *_tables()["headers"]["others"]]
    plain = {word for phrase in (*dates, *frames) for word in folded(phrase).split()} - {"no", "only", "until", "from"}
    return frozenset(word for phrase in phrases for word in folded(phrase).split()) - plain


def _header_name(line: _Line) -> str:
    """`from` for `*From:* Deskhand <...>`; Samsung and Yahoo write the separator on the same line."""
    found = re.match(r"[-\s*]*(?:-+[^-:]{3,40}-+\s*)?\*?([^\W\d_][^:\n]{0,20}?)\s?\*?\s?[:\uff1a]", line.text)
    return folded(found[1]) if found else ""


def _attribution(lines: list[_Line], index: int) -> int:
    """Minus the number of lines of an attribution that ends here, 0 when none does."""
    verbs, starters, _ = _frame_words()
    if not re.search(r"[:\uff1a]\**$|(?:wrote|写道|寫道|kirjoitti)\s*-*$", lines[index].text):
        return 0
    joined, length = "", 0
    for place in range(index, max(index - _ATTRIBUTION_LINES, -1), -1):
        line = lines[place]
        if not line.text or line.depth != lines[index].depth or len(joined) > 400:  # noqa: PLR2004 - a long line
            break
        broken = _broken_above(joined, line.text, starters) if length else True
        if length and _complete(joined, verbs) and not broken:
            break
        joined, length = f"{line.text} {joined}".strip(), index - place + 1
    return -length if _complete(joined, verbs) and not _says_a_wish(joined) else 0


def _complete(joined: str, verbs: tuple[str, ...]) -> bool:
    """Whether the words are an attribution: who (an address or our name) and either when or "wrote"."""
    said = folded(joined)
    dated = bool(_DATE.search(joined))
    return bool(_ADDRESS.search(joined)) and dated and (any(verb in said for verb in verbs) or _full_date(said))


def _full_date(said: str) -> bool:
    return bool(_DAY_AND_MONTH.search(said) and re.search(r"\d{4}|\d{1,2}[:.]\d{2}", said))


def _broken_above(joined: str, above: str, starters: tuple[str, ...]) -> bool:
    """Whether the line above is the head of this attribution: it begins like one, and the rest has no day yet."""
    head = folded(above)
    if _DAY_AND_MONTH.search(folded(joined)) or above.endswith((".", "!", "?")):
        return False
    return bool(re.search(r"\d", head)) and head.startswith(starters)


# ---------------------------------------------------------------- our own lines


def _first_quoted(lines: list[_Line], original: _Original) -> int:
    """Where the quote starts; everything above was typed."""
    frame = next((index for index, line in enumerate(lines) if line.role == "frame"), len(lines))
    marker = next((index for index, line in enumerate(lines) if _MARKER.fullmatch(line.text)), len(lines))
    if marker < len(lines):
        marker = _gist_above(lines, marker, original)
    if min(frame, marker) < len(lines):
        return min(frame, marker)
    return next((index for index, line in enumerate(lines) if line.depth), len(lines))


def _gist_above(lines: list[_Line], marker: int, original: _Original) -> int:
    """The start of our first line when it stands (wrapped or not) right above the marker."""
    gist = original.stream[: original.starts[1]] if len(original.starts) > 1 else original.stream
    joined = ""
    for index in range(marker - 1, max(marker - 6, -1), -1):
        joined = lines[index].key + joined
        if joined == gist:
            return index
    return marker


def _match(lines: list[_Line], original: _Original, first: int) -> None:
    """Find our lines again, in their order."""
    position, marked = 0, False
    signs = Counter(original.signs)
    for index in range(first, len(lines)):
        line = lines[index]
        if line.role == "frame" or not line.key:
            here = (position, line.text)
            if signs[here] and line.role != "frame" and (line.depth or not marked):
                signs[here] -= 1  # each stands for one of ours, where ours stands: a second "?" there was typed
                line.role = "quote"
            elif index and lines[index - 1].role == "quote" and not _says_something(line):
                line.role = "quote"  # the dashes of a marker line, wrapped
            continue
        following = _next_line(lines, index)
        after = lines[following].key if following < len(lines) else ""
        for key in dict.fromkeys((line.key, _key(_unescaped(line.text)))):
            place = _place(original, key, position, after, line, lines[index - 1] if index else None, marked=marked)
            if place >= 0:
                line.role, position = "quote", place + len(key)
                marked = marked or line.depth > original.depth(place)
                break


def _unescaped(text: str) -> str:
    """Quoted-printable that a mail program took for text (`=20`, `=C2=B7`, `=` at the end) undone."""
    return _ESCAPES.sub(lambda found: bytes.fromhex(found[0].replace("=", "")).decode("utf-8", "ignore"), text)


def _place(  # noqa: PLR0913, PLR0917 - one question with all it depends on
    original: _Original, key: str, position: int, after: str, line: _Line, above: _Line | None, *, marked: bool
) -> int:
    """Where in our text this line stands, -1 when it is not ours."""
    if not key:
        return -1
    stream, end = original.stream, position + len(key)
    goes_on = stream.startswith(key, position)
    if marked and not line.depth:
        # The quote has marks and this line has none: only the rest of a wrapped line can be ours.
        wrapped = above is not None and above.role == "quote" and len(above.raw) >= _SHORTEST_WRAP
        return position if goes_on and wrapped and not original.begins(position) else -1
    ours = line.depth or len(key) >= _SURE or _EDGE.fullmatch(line.text)
    if goes_on and (ours or end == len(stream) or _sure_with(stream, end, after)):
        return position
    if goes_on and not original.begins(position) and original.begins(end):
        return position
    return _jump(original, key, position, after, quoted=line.depth > 0)


def _sure_with(stream: str, end: int, after: str) -> bool:
    return bool(after) and stream.startswith(after, end)


def _jump(original: _Original, key: str, position: int, after: str, *, quoted: bool) -> int:
    """The place of a line that does not follow on the one before: lines were cut out above it."""
    stream, ahead = original.stream, bisect_left(original.starts, position)
    starts = original.starts[ahead:] + (original.starts[:ahead] if quoted else ())
    for start in starts:
        if stream.startswith(key, start):
            whole = quoted and original.begins(start + len(key))
            if len(key) >= _SURE or whole or _sure_with(stream, start + len(key), after):
                return start
    if len(key) < _SURE:
        return -1
    found = stream.find(key, position)
    return stream.find(key) if found < 0 and quoted else found


# ---------------------------------------------------------------- the quoted draft


def _draft_edges(lines: list[_Line], original: _Original, first: int) -> tuple[int, int] | None:
    """The lines "draft 41.1 begins" and "... ends" of the quote."""
    if original.draft is None:
        return None
    begin = -1
    for index in range(first, len(lines)):
        edge = _EDGE.fullmatch(lines[index].text)
        if not edge or edge[1] != original.tag:
            continue
        if edge[2].lower() == "begins" and begin < 0:
            begin = index
        elif edge[2].lower() == "ends" and begin >= 0:
            return begin, index
    return None


def _block(lines: list[_Line], original: _Original, edges: tuple[int, int], *, wrapped: bool) -> str | None:
    """The text between the draft lines when it is not the draft, laid out as the draft is."""
    begin, end = edges
    depth = lines[begin].depth
    indent = len(lines[begin].raw) - len(lines[begin].raw.lstrip()) if not depth else 0
    inside: list[str] = []
    for line in lines[begin + 1 : end]:
        if line.depth >= depth or not line.text:
            inside.append(_clean(_unquoted(line.raw, depth, indent), links=original.links))
            line.role = "block"
        elif line.role == "quote" and inside:
            inside[-1] += f" {line.text}"  # the rest of a line wrapped without a mark
    draft = original.draft or ""
    found = canonical("\n".join(inside))
    bare = ["".join(_clean(text, links=original.links).split()) for text in (found, draft)]
    unescaped = "".join(_unescaped(text) for text in "\n".join(inside).split("\n"))
    if bare[0] == bare[1] or "".join(unescaped.split()) == bare[1]:
        return None
    return canonical(_laid_out(found, draft, wrapped=wrapped))


def _unquoted(raw: str, depth: int, indent: int) -> str:
    """The line without exactly `depth` quote marks (deeper ones are the draft's own) or the quote's indentation."""
    for _ in range(depth):
        raw = re.sub(r"^[ \t\xa0]*[>|»\uff1e]", "", raw, count=1)
    if depth:
        return raw.removeprefix(" ")
    return raw[min(indent, len(raw) - len(raw.lstrip())) :].rstrip()


def _laid_out(found: str, draft: str, *, wrapped: bool) -> str:
    """The edited text with the draft's own line ends wherever its words stand, and wraps undone elsewhere."""
    old, new = _tokens(draft), _tokens(found)
    width = max((len(line) for line in found.split("\n")), default=0) if wrapped else 0
    if not old or not new or len(old) * len(new) > _COMPARED:
        return found
    kept = _kept_gaps([word for _, word in old], [word for _, word in new])
    lengths = _line_lengths(found)
    pieces: list[str] = []
    for index, (gap, word) in enumerate(new):
        own = old[kept[index]][0] if index in kept else None
        pieces += [_gap(gap, own, lengths[index], len(word), width) if index else "", word]
    return "".join(pieces)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Each word with the white space before it."""
    return [(found[1], found[2]) for found in re.finditer(r"(\s*)(\S+)", text)]


def _kept_gaps(old: list[str], new: list[str]) -> dict[int, int]:
    """For each new word that follows the same word as in the draft: its index there."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return {block.b + step: block.a + step for block in matcher.get_matching_blocks() for step in range(1, block.size)}


def _line_lengths(text: str) -> list[int]:
    """For each word: how long the line before its own is (0 when it does not begin a line)."""
    lengths, before = [], 0
    for line in text.split("\n"):
        words = line.split()
        lengths += [before, *[0] * (len(words) - 1)] if words else []
        before = len(line)
    return lengths


def _gap(gap: str, own: str | None, before: int, word: int, width: int) -> str:
    """The white space before a word: the draft's where nothing changed, else as found with a wrap undone."""
    if own is not None:
        return own
    if gap.count("\n") == 1 and width >= _SHORTEST_WRAP and before + 1 + word > width:
        return " "
    return gap


# ---------------------------------------------------------------- what is left


def _words(lines: list[_Line], name: str) -> str:
    """What was typed, signatures taken off, in the order of the mail."""
    runs: list[list[_Line]] = [[]]
    for line in lines:
        if line.role == "typed" and not line.depth:
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    texts = ["\n".join(_without_signature([line.raw for line in run], name)) for run in runs]
    words = "\n".join(text.strip("\n") for text in texts if text.strip())
    return re.sub(r"\n{3,}", "\n\n", words).strip()


def _without_signature(lines: list[str], name: str) -> list[str]:
    cleaned = [_clean(line, links=False).rstrip() for line in lines]
    for index, line in enumerate(cleaned):
        if line.strip() in {"--", "—"} and _is_signature(cleaned[index + 1 :], name):
            cleaned = cleaned[:index]
            break
    kept = list(cleaned)
    for index in range(len(cleaned) - 1, -1, -1):
        if cleaned[index].strip() and not _added_by_program(cleaned[index]):
            break
        kept.pop()
    return kept


def _is_signature(lines: list[str], name: str) -> bool:
    """Whether the lines under "-- " are a signature and not a second thought: they name the writer or a contact."""
    said = [line for line in lines if line.strip()]
    if len(said) > _SIGNATURE_LINES:
        return False
    text = folded(" ".join(said))
    parts = [part for part in folded(name).split() if len(part) > 2]  # noqa: PLR2004 - no initials
    known = any(part in text.split() for part in parts) or bool(_CONTACT.search(" ".join(said)[:2000]))
    return not said or known or all(_added_by_program(line) for line in said)


@lru_cache(maxsize=1)
def _added() -> re.Pattern[str]:
    table = _tables()["signatures"]
    names = sorted({re.escape(folded(device)) for device in table["devices"]}, key=len, reverse=True)
    devices = f"(?:{'|'.join(names)})"
    patterns = "|".join(pattern.replace("%device%", devices) for pattern in table["patterns"])
    # A program may put two of its sentences on one line.
    one = rf"(?:{patterns})(?: ?[(<]https?://\S*[)>])?"
    return re.compile(rf"{one}(?:\.? {one})?")


def _added_by_program(line: str) -> bool:
    """Whether the line is one that a mail program adds by itself ("Sent from my iPhone")."""
    said = re.sub(r"^[\s*_\[]+|[\s.!*_\]]+$", "", folded(line))
    return len(said) <= 300 and (said in {"--", ""} or bool(_added().fullmatch(said)))  # noqa: PLR2004
