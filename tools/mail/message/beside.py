"""Two parts of one text: what a client wrote in the HTML part and not in the plain one beside it.

Most programs make the plain part of the HTML one, and the plain one is read. Some send a stub ("This message is in
HTML"), some leave out what they could not turn into text; a reader sees the HTML. Its sentences that the plain part
lacks are put where the plain part's own words end. What a mail program marks as quoted in the HTML does not count, nor
what no reader sees there.
"""

import re
from collections.abc import Iterable

from workflows.rules.mail.history import sort_lines
from workflows.rules.mail.replying import written
from workflows.rules.text.words import fold

_LINKS = re.compile(r"\]\(\S{1,2000}\)|<?(?:https?|mailto):\S{1,2000}|\[(?:cid|image)[^\]]{0,200}\]")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+|\n")  # noqa: RUF001
_WORD = re.compile(r"[^\W_]+")
_ROW = 3  # words in a row by which a sentence is known
_KNOWN = 0.5
_STUB = re.compile(r"(?<!\w)html(?!\w)")
_LONGEST_STUB = 60  # words of a plain part that may say no more than that there is another
_READ = 200_000
_MOST_SENTENCES = 4_000
_OURS = re.compile(r"answer above this line", re.IGNORECASE)


def completed(plain: str, html: str) -> str:
    """The plain part with what the HTML part (as text, without what is marked as quoted) says besides.

    An answer to a mail of ours stays as it is: it is read part by part (`rules/quoted/typed.py`).
    """
    if not html.strip() or _OURS.search(plain) or _OURS.search(html):
        return plain
    phrases = _rows(_words(re.sub(r"(?m)^[\s>|]+", "", plain[:_READ])))
    missing = [sentence for sentence in _sentences(written(html[:_READ])) if not _is_known(sentence, phrases)]
    if not missing:
        return plain
    if _is_stub(plain, html):
        return html
    return _with(plain, missing)


def _with(plain: str, missing: Iterable[str]) -> str:
    """Above what is older and above a signature: below them it would be taken for a part of them."""
    lines = plain.split("\n")
    kinds = (kind for kind, _ in sort_lines(plain))
    end = next((at for at, kind in enumerate(kinds) if kind in ("head", "older", "answered", "signature")), len(lines))
    while end and not lines[end - 1].strip():
        end -= 1
    return "\n".join([*lines[:end], "", *missing, "", *lines[end:]]).strip("\n")


def _is_stub(plain: str, html: str) -> bool:
    """Whether the plain part only says that there is an HTML part: few words, of HTML, and none of them in it."""
    words = _words(plain)
    if len(words) > _LONGEST_STUB or not _STUB.search(fold(plain)):
        return False
    phrases = _rows(_words(html[:_READ]))
    return not any(_is_known(sentence, phrases) for sentence in _sentences(plain) if len(_words(sentence)) >= _ROW)


def _sentences(text: str) -> list[str]:
    sentences = (sentence.strip() for sentence in _SENTENCE_END.split(text))
    return [sentence for sentence in sentences if _words(sentence)][:_MOST_SENTENCES]


def _is_known(sentence: str, known: frozenset[tuple[str, ...]]) -> bool:
    """Whether most of a sentence stands in the other part; of a short one, all of it."""
    words = _words(sentence)
    if len(words) < _ROW:
        return tuple(words) in known
    rows = _rows_of(words, _ROW)
    return sum(row in known for row in rows) >= _KNOWN * len(rows)


def _rows(words: list[str]) -> frozenset[tuple[str, ...]]:
    return frozenset(row for length in range(1, _ROW + 1) for row in _rows_of(words, length))


def _rows_of(words: list[str], length: int) -> list[tuple[str, ...]]:
    return [tuple(words[at : at + length]) for at in range(len(words) - length + 1)]


def _words(text: str) -> list[str]:
    return _WORD.findall(fold(_LINKS.sub(" ", text)))
