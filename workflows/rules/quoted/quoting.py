"""Our own lines in an answer: the asked text found again in its order, whatever the marks and line widths.

We hold the exact text that was asked, so no guess about styles is needed for this. What is not found stays typed.
"""

import re
from bisect import bisect_left, bisect_right
from collections import Counter
from dataclasses import dataclass
from typing import Literal

from workflows.rules.asking.approval import extract_draft
from workflows.rules.text.canonical import visible

MOST_LINES, MOST_CHARACTERS = 5_000, 200_000
_SURE = 20  # letters and digits: this much in a row is not met by chance
SHORTEST_WRAP = 50  # characters: a line that a mail program wraps is at least this long
_DEEPEST = 50

_QUOTE = re.compile(r"(?:[ \t\xa0]*[>|»\uff1e])+[ \xa0]?")
_LINKED = re.compile(r"(?<=\S)<(?:mailto:|https?://|tel:)[^<>\s]{0,2000}>", re.IGNORECASE)
_MARKDOWN = re.compile(r"\[([^\[\]\n]{1,500})\]\(((?:https?://|mailto:|tel:)[^()\s]{1,2000})\)", re.IGNORECASE)
_ESCAPES = re.compile(r"(?:=[0-9A-F]{2})+|=$")
MARKER = re.compile(r"\W{0,12}answer above this line\W{1,6}(\d+\.\d+)\.([0-9a-f]{8,})\W*", re.IGNORECASE)
EDGE = re.compile(r"\W{0,12}draft\s+(\d+\.\d+)\s+(begins|ends)\W{0,12}", re.IGNORECASE)
STRUCK = re.compile(r"~~[^~\n]{1,4000}~~")
"""What is struck out, as `markup` and people write it."""

Role = Literal["typed", "quote", "frame", "block"]


@dataclass(slots=True)
class ScannedLine:
    """One line of an answer while it is being read."""

    raw: str
    depth: int
    text: str  # without quote marks and link artefacts
    key: str  # its letters and digits
    role: Role = "typed"


@dataclass(frozen=True, slots=True)
class Original:
    """The asked text as one run of letters and digits, with the places where its lines begin."""

    stream: str
    starts: tuple[int, ...]
    depths: tuple[int, ...]  # quote marks that each line has by itself
    tag: str  # "41.1" of the draft lines, "" when it shows no draft
    draft: str | None
    signs: tuple[tuple[int, str], ...]  # its lines without a letter or digit ("[...]", an emoji), and their places
    links: bool  # it contains [label](address) itself
    strikes: bool  # it contains ~~text~~ itself

    def depth(self, place: int) -> int:
        """The quote marks that the line at this place has by itself."""
        at = bisect_right(self.starts, place) - 1
        return self.depths[at] if at >= 0 else 0

    def begins(self, place: int) -> bool:
        at = bisect_left(self.starts, place)
        return place == len(self.stream) or (at < len(self.starts) and self.starts[at] == place)

    def has_line(self, key: str) -> bool:
        """Whether one of its lines begins with these letters."""
        return any(self.stream.startswith(key, start) for start in self.starts)


def key_of(text: str) -> str:
    """Its letters and digits, without case."""
    return "".join(character for character in text.casefold() if character.isalnum())


def clean(text: str, *, links: bool) -> str:
    """The line without what Outlook and HTML add to addresses: `a@b<mailto:a@b>`, `[a@b](mailto:a@b)`."""
    text = _LINKED.sub("", text)
    return text if links else _MARKDOWN.sub(_unlinked, text)


def _unlinked(link: re.Match[str]) -> str:
    label, target = link[1], link[2]
    return label if key_of(label) in key_of(target) else f"{label} ({target})"


def original(asked_text: str) -> Original:
    """The asked text, made comparable."""
    text = visible(asked_text)
    links = "](" in text
    pieces: list[str] = []
    starts: list[int] = []
    depths: list[int] = []
    signs: list[tuple[int, str]] = []
    length = 0
    for line in lines_of(text, links=links):
        if line.key:
            starts.append(length)
            depths.append(line.depth)
            pieces.append(line.key)
            length += len(line.key)
        elif line.text:
            signs.append((length, line.text))
    edge = next((edge for edge in map(EDGE.fullmatch, text.split("\n")) if edge), None)
    tag = edge[1] if edge else ""
    draft, strikes = extract_draft(text), STRUCK.search(text) is not None
    return Original("".join(pieces), tuple(starts), tuple(depths), tag, draft, tuple(signs), links, strikes)


def lines_of(text: str, *, links: bool) -> list[ScannedLine]:
    """The lines of a body, their quote marks counted."""
    lines = []
    for raw in visible(text[:MOST_CHARACTERS]).split("\n")[:MOST_LINES]:
        mark = _QUOTE.match(raw)
        depth = min(sum(character in ">|»\uff1e" for character in mark[0]), _DEEPEST) if mark else 0
        content = clean(raw[mark.end() :] if mark else raw, links=links).strip()
        lines.append(ScannedLine(raw, depth, content, key_of(content)))
    return lines


def says_something(line: ScannedLine) -> bool:
    """Whether it is more than a rule or dots."""
    return bool(line.key) or bool(re.sub(r"[-_=*~.\s>|·•]", "", line.text))


def next_line(lines: list[ScannedLine], index: int) -> int:
    """The next line that is not blank, or the number of lines."""
    return next((place for place in range(index + 1, len(lines)) if lines[place].text), len(lines))


def gist_above(lines: list[ScannedLine], marker: int, asked: Original) -> int:
    """The start of our first line when it stands (wrapped or not) right above the marker."""
    gist = asked.stream[: asked.starts[1]] if len(asked.starts) > 1 else asked.stream
    joined = ""
    for index in range(marker - 1, max(marker - 9, -1), -1):
        joined = lines[index].key + joined
        if joined == gist:
            return index
    return marker


def match(lines: list[ScannedLine], asked: Original, first: int) -> None:
    """Find our lines again, in their order."""
    position, marked = 0, False
    signs = Counter(asked.signs)
    for index in range(first, len(lines)):
        line = lines[index]
        if line.role == "frame" or not line.key:
            sign_at = (position, line.text)
            if signs[sign_at] and line.role != "frame" and (line.depth or not marked):
                signs[sign_at] -= 1  # each stands for one of ours, where ours stands: a second "?" there was typed
                line.role = "quote"
            elif line.text and index and lines[index - 1].role == "quote" and not says_something(line):
                line.role = "quote"  # the dashes of a marker line, wrapped
            continue
        following = next_line(lines, index)
        after = lines[following].key if following < len(lines) else ""
        for key in dict.fromkeys((line.key, key_of(unescaped(line.text)))):
            place = _place(asked, key, position, after, line, lines[index - 1] if index else None, marked=marked)
            if place >= 0:
                line.role, position = "quote", place + len(key)
                marked = marked or line.depth > asked.depth(place)
                break


def unescaped(text: str) -> str:
    """Quoted-printable that a mail program took for text (`=20`, `=C2=B7`, `=` at the end) undone."""
    return _ESCAPES.sub(lambda escape: bytes.fromhex(escape[0].replace("=", "")).decode("utf-8", "ignore"), text)


def _place(  # noqa: PLR0913, PLR0917 - one question with all it depends on
    asked: Original, key: str, position: int, after: str, line: ScannedLine, above: ScannedLine | None, *, marked: bool
) -> int:
    """Where in our text this line stands, -1 when it is not ours."""
    if not key:
        return -1
    stream, end = asked.stream, position + len(key)
    goes_on = stream.startswith(key, position)
    if marked and not line.depth:
        # The quote has marks and this line has none: only the rest of a wrapped line can be ours.
        wrapped = above is not None and above.role == "quote" and len(above.raw) >= SHORTEST_WRAP
        return position if goes_on and wrapped and not asked.begins(position) else -1
    is_ours = line.depth or len(key) >= _SURE or EDGE.fullmatch(line.text)
    if goes_on and (is_ours or end == len(stream) or _sure_with(stream, end, after)):
        return position
    if goes_on and not asked.begins(position) and asked.begins(end):
        return position
    return _jump(asked, key, position, after, quoted=line.depth > 0)


def _sure_with(stream: str, end: int, after: str) -> bool:
    return bool(after) and stream.startswith(after, end)


def _jump(asked: Original, key: str, position: int, after: str, *, quoted: bool) -> int:
    """The place of a line that does not follow on the one before: lines were cut out above it."""
    stream, ahead = asked.stream, bisect_left(asked.starts, position)
    starts = asked.starts[ahead:] + (asked.starts[:ahead] if quoted else ())
    for start in starts:
        if stream.startswith(key, start):
            is_whole_line = quoted and asked.begins(start + len(key))
            if len(key) >= _SURE or is_whole_line or _sure_with(stream, start + len(key), after):
                return start
    if len(key) < _SURE:
        return -1
    place = stream.find(key, position)
    return stream.find(key) if place < 0 and quoted else place
