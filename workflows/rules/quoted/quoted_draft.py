"""The draft in the quote as the owner changed it, laid out as the draft was."""

import re
from difflib import SequenceMatcher

from workflows.rules.quoted.quoting import EDGE, SHORTEST_WRAP, STRUCK, Original, ScannedLine, clean, unescaped
from workflows.rules.text.canonical import canonical

_COMPARED = 1_000_000  # token pairs: beyond it the layout of an edited quote is only guessed


def edges(lines: list[ScannedLine], asked: Original, first: int) -> tuple[int, int] | None:
    """The lines "draft 41.1 begins" and "... ends" of the quote."""
    if asked.draft is None:
        return None
    begin = -1
    for index in range(first, len(lines)):
        edge = EDGE.fullmatch(lines[index].text)
        if not edge or edge[1] != asked.tag:
            continue
        if edge[2].lower() == "begins" and begin < 0:
            begin = index
        elif edge[2].lower() == "ends" and begin >= 0:
            return begin, index
    return None


def block(lines: list[ScannedLine], asked: Original, bounds: tuple[int, int], *, wrapped: bool) -> str | None:
    """The text between the draft lines when it is not the draft, laid out as the draft is; without strikes."""
    begin, end = bounds
    depth = lines[begin].depth
    indent = len(lines[begin].raw) - len(lines[begin].raw.lstrip()) if not depth else 0
    inside: list[str] = []
    for line in lines[begin + 1 : end]:
        if line.depth >= depth or not line.text:
            inside.append(clean(_unquoted(line.raw, depth, indent), links=asked.links))
            line.role = "block"
        elif line.role == "quote" and inside:
            inside[-1] += f" {line.text}"  # the rest of a line wrapped without a mark
    if not asked.strikes:
        inside = [STRUCK.sub("", line) for line in inside]
    draft = asked.draft or ""
    text = canonical("\n".join(inside))
    bare = ["".join(clean(each, links=asked.links).split()) for each in (text, draft)]
    plain = "".join(unescaped(each) for each in "\n".join(inside).split("\n"))
    if bare[0] == bare[1] or "".join(plain.split()) == bare[1]:
        return None
    return canonical(_laid_out(text, draft, wrapped=wrapped))


def _unquoted(raw: str, depth: int, indent: int) -> str:
    """The line without exactly `depth` quote marks (deeper ones are the draft's own) or the quote's indentation."""
    for _ in range(depth):
        raw = re.sub(r"^[ \t\xa0]*[>|»\uff1e]", "", raw, count=1)
    if depth:
        return raw.removeprefix(" ")
    return raw[min(indent, len(raw) - len(raw.lstrip())) :].rstrip()


def _laid_out(text: str, draft: str, *, wrapped: bool) -> str:
    """The edited text with the draft's own line ends wherever its words stand, and wraps undone elsewhere."""
    old, new = _tokens(draft), _tokens(text)
    width = max((len(line) for line in text.split("\n")), default=0) if wrapped else 0
    if not old or not new or len(old) * len(new) > _COMPARED:
        return text
    gaps = _kept_gaps([word for _, word in old], [word for _, word in new])
    lengths = _line_lengths(text)
    pieces: list[str] = []
    for index, (gap, word) in enumerate(new):
        draft_gap = old[gaps[index]][0] if index in gaps else None
        pieces += [_gap(gap, draft_gap, lengths[index], len(word), width) if index else "", word]
    return "".join(pieces)


def unspaced(text: str, plain: str) -> str:
    """The HTML text with no more blank lines than the plain text of the same words has.

    A style sheet that nobody sees may take a paragraph's margins away; the plain text is wrapped and Outlook's has
    blank lines of its own. Where both begin a new line, the smaller gap is what was typed.
    """
    lines, plain_tokens = _tokens(text), _tokens(plain)
    if [word for _, word in lines] != [word for _, word in plain_tokens]:
        return text
    pieces = []
    for (gap, word), (plain_gap, _) in zip(lines, plain_tokens, strict=True):
        feeds, most = gap.count("\n"), plain_gap.count("\n")
        pieces += ["\n" * most + gap.rpartition("\n")[2] if 0 < most < feeds else gap, word]
    return "".join(pieces)


def _tokens(text: str) -> list[tuple[str, str]]:
    """Each word with the white space before it."""
    return [(token[1], token[2]) for token in re.finditer(r"(\s*)(\S+)", text)]


def _kept_gaps(old: list[str], new: list[str]) -> dict[int, int]:
    """For each new word that follows the same word as in the draft: its index there."""
    matcher = SequenceMatcher(None, old, new, autojunk=False)
    return {run.b + step: run.a + step for run in matcher.get_matching_blocks() for step in range(1, run.size)}


def _line_lengths(text: str) -> list[int]:
    """For each word: how long the line before its own is (0 when it does not begin a line)."""
    lengths, before = [], 0
    for line in text.split("\n"):
        words = line.split()
        lengths += [before, *[0] * (len(words) - 1)] if words else []
        before = len(line)
    return lengths


def _gap(gap: str, own: str | None, before: int, word: int, width: int) -> str:
    """The white space before a word: the draft's where nothing changed, else as it stands with a wrap undone."""
    if own is not None:
        return own
    if gap.count("\n") == 1 and width >= SHORTEST_WRAP and before + 1 + word > width:
        return " "
    return gap
