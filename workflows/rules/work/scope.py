"""Whether a client asks for something that was not agreed: their words beside the agreement's. Pure and conservative.

Two rules. What the agreement names as excluded is asked for, by the words of the excluded line. Or something is to be
built on top, and not one word of it stands in the scope. It is only ever a note to the owner, who knows better.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from functools import cache, lru_cache

from workflows.models.work import Project
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of, small_words
from workflows.rules.text.words import fold, phrases, table

QUOTE = 130  # characters of each of the two quotes: with both, a note of an approval mail is not cut
_READ = 20_000  # characters of the request
_MOST_SENTENCES = 200
_LEAST_STEM, _SURE_STEM = 4, 5  # letters; "warten" and "Wartung" share four
_SAME = 0.6  # of the shorter word's letters, from its beginning
_LONGEST_ENDING = 6
_ENDS = re.compile(r"(?<=[.!?…])\s+|\n{2,}|\n(?=\s*(?:[-*•–]|\d{1,2}[.)])\s)|;\s+")  # noqa: RUF001 (list marks)
_WORD = re.compile(r"[^\W\d_]+(?:-[^\W\d_]+)*")
_BLANK_LINES = re.compile(r"\n{3,}")  # of blank lines alone, the next pattern takes the square of their number
_CLAUSE = re.compile(r"[,()/;:–—]")  # noqa: RUF001 (the dashes that people type)
_COMMA = re.compile(r"[,;:]\s|\s[-–—]\s")  # noqa: RUF001 (the dashes that people type)
_BUT = re.compile(r",?\s+(?:but|however|aber|jedoch|mais|pero|mas|ma|maar|ale)\s+")


@dataclass(frozen=True, slots=True, kw_only=True)
class Outside:
    """A request and what it is held against, each in its author's words; `rule`: excluded | not-agreed."""

    request: str
    agreement: str
    rule: str


def outside_scope(request: str, project: Project) -> Outside | None:
    """The first sentence of a request that goes beyond the project's agreement, beside the line it goes beyond."""
    sentences = _sentences(request)
    for sentence in sentences:
        if line := _excluded(sentence, project):
            return Outside(request=one_line(sentence, QUOTE), agreement=one_line(line, QUOTE), rule="excluded")
    names = (milestone.name for milestone in project.milestones)
    agreed = content_words(" ".join((project.name, *project.scope, *names)))
    if not project.scope or _differs(request, "\n".join(project.scope)):
        return None
    for sentence in sentences:
        if _is_addition(sentence) and not _shared(sentence, agreed):
            agreement = "; ".join(project.scope)
            return Outside(request=one_line(sentence, QUOTE), agreement=one_line(agreement, QUOTE), rule="not-agreed")
    return None


def told(found: Outside, project: Project) -> str:
    """One line for the owner with both quotes side by side."""
    name = one_line(project.name, 60)
    if found.rule == "excluded":
        agreed = f'agreed as not included: "{found.agreement}"'
        return f'Outside the agreed scope of {name}: they ask "{found.request}" - {agreed}'
    return f'Perhaps outside the agreed scope of {name}: they ask "{found.request}" - agreed: "{found.agreement}"'


# ---------------------------------------------------------------- the two rules


def _excluded(sentence: str, project: Project) -> str:
    """The excluded line that this sentence asks for, "" when it asks for none."""
    if not project.excluded or not _is_request(sentence):
        return ""
    # "We write the texts ourselves, please wait": what is asked for stands in the part that asks.
    requested = [content_words(part) for part in _COMMA.split(sentence) if _asks(part)]
    return next((line for line in project.excluded if any(_all_in(part, requested) for part in _parts(line))), "")


def _is_addition(sentence: str) -> bool:
    folded_text = fold(sentence)
    return (
        _is_request(sentence)
        and bool(_pattern("builds").search(folded_text))
        and bool(_pattern("extras").search(folded_text))
        and not _pattern("everyday").search(folded_text)
    )


def _is_request(sentence: str) -> bool:
    folded_text = _pattern("not_denials").sub("please", fold(sentence))
    if _pattern("harmless").search(folded_text):
        return False
    return _asks(folded_text) and not _pattern("denials").search(_BUT.split(folded_text)[-1])


def _asks(text: str) -> bool:
    return bool(_pattern("requests").search(_pattern("not_denials").sub("please", fold(text))))


@lru_cache(maxsize=1024)
def _parts(line: str) -> tuple[frozenset[str], ...]:
    """The things an excluded line names, each by its telling words: `Hosting, operation (SLA)` is three."""
    pieces = _CLAUSE.split(_pattern("separators").sub(",", fold(line)))
    word_sets = (_telling(content_words(_head(piece))) or _telling(content_words(piece)) for piece in pieces)
    return tuple(words for words in word_sets if words)


def _head(piece: str) -> str:
    """`maintenance after launch` is about maintenance."""
    return _pattern("tails").split(piece.strip())[0]


def _telling(words: frozenset[str]) -> frozenset[str]:
    return frozenset(words - _generic()) or (words if len(words) > 1 else frozenset())


def _all_in(part: frozenset[str], asked: Sequence[frozenset[str]]) -> bool:
    """Whether one part of the sentence has all the words."""
    return any(all(any(same_word(required, word) for word in words) for required in part) for words in asked)


def _shared(sentence: str, agreed: frozenset[str]) -> bool:
    """Whether any telling word of the sentence stands in the agreement, or the sentence has none."""
    telling = frozenset(word for word in content_words(sentence) - _generic() if not _is_verb(word))
    return not telling or any(same_word(word, agreed_word) for word in telling for agreed_word in agreed)


# ---------------------------------------------------------------- words


def _sentences(text: str) -> list[str]:
    """The writer's own sentences: no quoted lines."""
    lines = (line.strip() for line in text[:_READ].splitlines())
    own_text = _BLANK_LINES.sub("\n\n", "\n".join(line for line in lines if not line.startswith(">")))
    return [part.strip(" \t\n-*•") for part in _ENDS.split(own_text) if part.strip()][:_MOST_SENTENCES]


def content_words(text: str) -> frozenset[str]:
    """The words that carry meaning, folded."""
    words = (word for run in _WORD.findall(fold(text)) for word in (run, *run.split("-")))
    return frozenset(word for word in words if len(word) > 1 and word not in _small())


def same_word(first: str, second: str) -> bool:
    """Whether two words are forms of one: `translation` and `translate`, `host` and `hosting`."""
    if first == second:
        return True
    # optimisation and optimization are one word.
    short, long = sorted((first.replace("z", "s"), second.replace("z", "s")), key=len)
    if len(short) < _LEAST_STEM:
        return long in {f"{short}s", f"{short}es"}
    common = next((at for at, (sign, twin) in enumerate(zip(short, long, strict=False)) if sign != twin), len(short))
    endings = len(long) - common <= _LONGEST_ENDING
    least = max(min(len(short) - 1, _SURE_STEM), _LEAST_STEM)
    return endings and common >= least and common >= _SAME * len(short)


def _is_verb(word: str) -> bool:
    return bool(_pattern("builds").fullmatch(word) or _pattern("requests").fullmatch(word))


def _differs(text: str, other: str) -> bool:
    """Whether the two are surely in different languages: then words cannot be compared."""
    first, second = language_of(text), language_of(other)
    return bool(first and second and first != second)


@cache
def _pattern(kind: str) -> re.Pattern[str]:
    return phrases(table("scope")[kind])


@cache
def _generic() -> frozenset[str]:
    return frozenset(fold(word) for word in table("scope")["generic"])


@cache
def _small() -> frozenset[str]:
    return frozenset(fold(word) for word in small_words())
