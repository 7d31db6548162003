"""What the owner typed into an answer, and what he changed in the quoted draft.

We hold the exact text that was asked, so quoting is undone by finding our own lines again (`quoting`), whatever the
marks and line widths. One frame right above them goes (`frames`), and what mail programs add below (`footers`).
Everything else counts as typed: what is not understood here must reach the grammar, which then asks again. Nothing
above the quote is ever taken for a quote.
"""

from dataclasses import dataclass
from itertools import islice

from workflows.models.mail import Email
from workflows.rules.quoted import footers, frames, quoted_draft, quoting
from workflows.rules.quoted.footers import Known
from workflows.rules.quoted.frames import Ours
from workflows.rules.quoted.quoting import MARKER, MOST_CHARACTERS, MOST_LINES, STRUCK, Original, ScannedLine

_MOST_TRIED = 100  # lines that may be ours, above which a frame is looked for: it stands at the head of a quote


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


@dataclass(frozen=True, slots=True)
class _Part:
    """One body of the answer, read."""

    words: str
    block: str | None
    shows_draft: bool
    altered: bool


@dataclass(frozen=True, slots=True)
class _Answered:
    """What is known of the mail that was answered, and of who answers."""

    asked: Original
    who: Ours
    known: Known


def is_too_long(email: Email) -> bool:
    """Whether there is more in this answer than is read of one."""
    texts = (email.text, email.html_text)
    if any(len(text) > MOST_CHARACTERS or text.count("\n") >= MOST_LINES for text in texts):
        return True
    return any(defect.cuts_text for defect in email.defects)  # cut by the parser


def typed(email: Email, asked_text: str, signatures: tuple[str, ...] = ()) -> Typed:
    """What was typed into this answer to `asked_text` (the exact text of our mail).

    `signatures`: blocks of lines that the owner's mail programs put under what he writes.
    """
    owner_footers = Known(email.sender.name, signatures, email.html_signatures)
    answered = _Answered(quoting.original(asked_text), frames.ours(email, asked_text), owner_footers)
    plain = _read(email.text, answered, wrapped=True)
    if not email.html_text.strip():
        return Typed(words=plain.words, block=plain.block, html_words="", altered=plain.altered)
    # Blanks at the start of an HTML line are layout (nested blocks), nothing that was typed.
    unindented = "\n".join(line.lstrip(" ") for line in email.html_text.split("\n"))
    html = _read(unindented, answered, wrapped=False)
    # HTML is not re-wrapped: where it shows the draft, it is the better witness of an edit.
    block = html.block if html.shows_draft else plain.block
    words = quoted_draft.unspaced(html.words, plain.words)
    return Typed(words=plain.words, block=block, html_words=words, altered=plain.altered or html.altered)


def _read(text: str, answered: _Answered, *, wrapped: bool) -> _Part:
    question = answered.asked
    lines = quoting.lines_of(text, links=question.links)
    first = _frame(lines, answered)
    for line in lines[:first]:
        line.depth = 0  # a mark that the owner typed
    quoting.match(lines, question, first)
    bounds = quoted_draft.edges(lines, question, first)
    block = quoted_draft.block(lines, question, bounds, wrapped=wrapped) if bounds else None
    altered = len(text) > MOST_CHARACTERS or text.count("\n") >= MOST_LINES
    altered = altered or any(line.depth and line.role == "typed" and quoting.says_something(line) for line in lines)
    altered = altered or (not question.strikes and any(_is_struck(line) for line in lines))
    return _Part(_words(lines, answered), block, bool(bounds), altered)


def _is_struck(line: ScannedLine) -> bool:
    return line.role != "block" and STRUCK.search(line.text) is not None


def _frame(lines: list[ScannedLine], answered: _Answered) -> int:
    """Mark the one frame above the quote; where frame and quote begin. Everything above was typed."""
    anchor, first = _anchor(lines, answered)
    for line in lines[first:anchor]:
        if line.text:
            line.role = "frame"
    return first


def _anchor(lines: list[ScannedLine], answered: _Answered) -> tuple[int, int]:
    """Where our own lines begin, and where the frame above them does."""
    marker = next((index for index, line in enumerate(lines) if MARKER.fullmatch(line.text)), len(lines))
    if marker < len(lines):
        anchor = quoting.gist_above(lines, marker, answered.asked)
        return anchor, frames.above(lines, anchor, answered.who)
    marked = next((index for index, line in enumerate(lines) if line.depth), len(lines))
    question = answered.asked
    places = (index for index, line in enumerate(lines) if line.text and (line.depth or _may_be_ours(line, question)))
    for index in (*islice(places, _MOST_TRIED), len(lines)):
        line = lines[index] if index < len(lines) else None
        if index > marked + 12:
            break
        first = frames.above(lines, index, answered.who)
        if first < index and (line is not None or frames.is_whole(lines, first, answered.who)):
            return index, first
    return marked, marked


def _may_be_ours(line: ScannedLine, asked: Original) -> bool:
    return len(line.key) >= 12 and asked.has_line(line.key)  # noqa: PLR2004 - enough of a first line


def _words(lines: list[ScannedLine], answered: _Answered) -> str:
    """What was typed, footers and signatures taken off, in the order of the mail."""
    runs: list[list[ScannedLine]] = [[]]
    for line in lines:
        if line.role == "typed" and not line.depth:
            runs[-1].append(line)
        elif runs[-1]:
            runs.append([])
    texts = ["\n".join(footers.without_footers([line.raw for line in run], answered.known)) for run in runs]
    words = "\n".join(text.strip("\n") for text in texts if text.strip())
    if not answered.asked.strikes:
        words = STRUCK.sub("", words)
    first, _, remainder = words.strip().partition("\n")
    words = remainder if remainder and footers.is_greeting(first) else words
    return words.strip()
