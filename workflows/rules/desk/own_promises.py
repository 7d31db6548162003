"""What the owner promises in sent mail: "I send the brief tomorrow" is a promise, with its day; and what keeps one.

Only the owner's own plain words count: no question, nothing that hangs on the client ("if you send me X, I ..."), no
doubt, no "not". "I will get back to you" without a day is courtesy, as in every holding reply, and "I will build the
shop" without one describes the work; to send something is a promise also without a day. Pure and total.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta
from functools import cache
from typing import Final, Literal

from workflows.models.mail import Attachment
from workflows.models.people import Owner
from workflows.models.promises import Pledge
from workflows.rules.debts.promises import days_named
from workflows.rules.text.calendar import folded, zone
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import ENGLISH, known_language, languages, words_in
from workflows.rules.text.whens import time_words
from workflows.rules.text.words import fold, phrases
from workflows.rules.work.scope import content_words, same_word

_READ: Final = 12_000  # characters of a mail
_MOST: Final = 8  # promises of one mail: more is a list of work
_LONGEST: Final = 600  # characters of a sentence
_QUOTE: Final = 200
_SHORTEST: Final = 4  # letters of a word by which a thing is known again
_SHORT_ACT: Final = 3  # words of an act that names no thing besides
_FRIDAY: Final = 4
_WEEK: Final = timedelta(days=7)
_SENTENCE = re.compile(
    r"(?<=[!?])\s+|(?<=[^\d\s][.])\s+(?=[^\W\d_a-z\u00df-\u00ff]|[\"'(\u00bf\u00a1])|\n{2,}|\n(?=\s*[-*\u2022]\s)"
)
_CLAUSE = re.compile(r"(?:[,;:]|\s[-\u2013\u2014])\s+")


def pledges_in(text: str, at: datetime, timezone: str, spoken: Sequence[str] = ()) -> tuple[Pledge, ...]:
    """What a mail of the owner's promises, in its order, each thing once.

    Args:
        text: the owner's own words alone, without quotes and signature.
        at: when it was written: "tomorrow" counts from there.
        timezone: the owner's.
        spoken: the owner's languages, for a text that does not show its own.
    """
    spoken_here = _spoken(text[:_READ], spoken)
    place = zone(Owner(name="", address="", timezone=timezone))
    reader = _PledgeReader(at=at.astimezone(place), timezone=timezone)
    made: list[Pledge] = []
    for sentence in _sentences(text):
        promised = (reader.promised(sentence, language) for language in spoken_here)
        made += next(filter(None, promised), [])
    return tuple(dict.fromkeys(made))[:_MOST]


def keeps(pledge: Pledge, text: str, files: Sequence[Attachment], *, alone: bool, spoken: Sequence[str] = ()) -> bool:
    """Whether a later mail to the same client fulfils it: what was promised is in it, or is said to be done.

    Args:
        pledge: what was promised.
        text: the owner's own words of the later mail.
        files: what was attached to it.
        alone: no other promise to send something is open with them: an unnamed file can be no other.
        spoken: the owner's languages.
    """
    if pledge.kind == "send" and any(_names(pledge, _file_words(file.name)) for file in files):
        return True
    clauses = [clause for sentence in _sentences(text) for clause in _done_clauses(sentence, _spoken(text, spoken))]
    if any(_names(pledge, content_words(clause)) for clause in clauses):
        return True
    is_unnamed = not pledge.about or any(not _telling(content_words(clause), clause) for clause in clauses)
    return pledge.kind == "send" and alone and bool(files) and bool(clauses) and is_unnamed


def is_about_the_same(pledge: Pledge, other: Pledge) -> bool:
    """Whether the two promise one thing: the later one then only moves the day."""
    if not pledge.about or not other.about:
        return pledge.kind == other.kind and pledge.about == other.about
    return pledge.kind == other.kind and _names(pledge, frozenset(other.about))


# ---------------------------------------------------------------- sentences


def _spoken(text: str, spoken: Sequence[str]) -> tuple[str, ...]:
    """The languages a text is read in: its own, where it shows; else the owner's."""
    shown = language_of(text)
    named = (shown,) if shown in languages("own_promises") else (*spoken, *languages("own_promises"))
    return tuple(dict.fromkeys((*(known_language(code, "own_promises") for code in named), ENGLISH)))


def _sentences(text: str) -> Iterator[str]:
    for piece in _SENTENCE.split(text[:_READ]):
        if sentence := " ".join(piece[:_LONGEST].split()):
            yield sentence


@cache
def _words(language: str, kind: str) -> re.Pattern[str]:
    return phrases(words_in(language, "own_promises")[kind])


def _clauses(sentence: str, language: str) -> list[str]:
    plain = _words(language, "harmless").sub(" ", fold(sentence))
    parts = (part for piece in _CLAUSE.split(plain) for part in _words(language, "and").split(piece))
    return [clause for part in parts if (clause := " ".join(part.split()).strip(" .!-\u2013\u2014*\u2022()\"'"))]


# ---------------------------------------------------------------- what is promised


@dataclass(frozen=True, slots=True, kw_only=True)
class _PledgeReader:
    """Reads one mail's sentences. `at`: when it was written."""

    at: datetime
    timezone: str

    def promised(self, sentence: str, language: str) -> list[Pledge]:
        """What a sentence promises in that language."""
        if sentence.rstrip(" \"')").endswith("?"):
            return []
        clauses = _clauses(sentence, language)
        hanging = {at for at in range(len(clauses)) if _hangs(clauses, at, language)}
        made: list[Pledge] = []
        lead = ""
        for at in range(len(clauses)):
            acts = self._act(clauses[at], language) or self._act(f"{lead} {clauses[at]}", language)
            if acts is None:
                continue
            lead = acts.matched[0].rpartition(" ")[0]
            pledge = None if at in hanging else self._pledge(sentence, acts, self._due_at(clauses, at, language))
            # "I send it, you will have it on Friday" promises one thing.
            if pledge and not any(_says_it_again(earlier, pledge) for earlier in made):
                made.append(pledge)
        return made

    def _act(self, clause: str, language: str) -> "_Act | None":
        """What the clause says that the owner does, were there a day."""
        for kind in ("will_send", "sends", "follows", "does"):
            if matched := _words(language, kind).search(clause):
                return _Act(kind=kind, clause=clause, matched=matched, language=language)
        return None

    def _pledge(self, sentence: str, act: "_Act", due: date | None) -> Pledge | None:
        if any(_words(act.language, kind).search(act.clause) for kind in ("negation", "hedge", "hereby")):
            return None
        if due is None and act.kind != "will_send":
            return None
        kind: Literal["send", "do"] = "do" if act.kind == "does" else "send"
        return Pledge(sentence=one_line(sentence, _QUOTE), kind=kind, due=due, about=_about(act))

    def _due_at(self, clauses: Sequence[str], at: int, language: str) -> date | None:
        return self._due(clauses[at], language) or self._due_beside(clauses, at, language)

    def _due_beside(self, clauses: Sequence[str], at: int, language: str) -> date | None:
        """A day that stands alone beside the clause: "I send it, on Friday"."""
        near = [clauses[place] for place in (at + 1, at - 1) if 0 <= place < len(clauses)]
        return next((day for clause in near if _is_bare(clause) and (day := self._due(clause, language))), None)

    def _due(self, clause: str, language: str) -> date | None:
        """The first day that the clause names, from the mail's own day on."""
        monday = self.at.date() - timedelta(days=self.at.weekday())
        if _words(language, "next_week").search(clause) and not _weekday(clause, language):
            return monday + _WEEK + timedelta(days=_FRIDAY)
        if _words(language, "this_week").search(clause):
            return max(monday + timedelta(days=_FRIDAY), self.at.date())
        today = {word for word, kind in time_words(language).items() if kind == "today"}
        if phrases(map(re.escape, today)).search(clause):
            return self.at.date()
        return min(days_named(clause, language, self.at, self.timezone), default=None)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Act:
    """What a clause says that the owner does, and by which words of which list."""

    kind: str
    clause: str
    matched: re.Match[str]
    language: str


def _says_it_again(earlier: Pledge, later: Pledge) -> bool:
    return earlier.kind == later.kind and (not later.about or not earlier.about or is_about_the_same(earlier, later))


def _hangs(clauses: Sequence[str], at: int, language: str) -> bool:
    """Whether a condition governs the clause: in it, begun right before it ("if ..., I"), or right after it."""
    condition = _words(language, "condition")
    if condition.search(clauses[at]):
        return True
    after = clauses[at + 1] if at + 1 < len(clauses) else ""
    return bool(condition.match(after)) or any(condition.match(clause) for clause in clauses[:at])


def _is_bare(clause: str) -> bool:
    return len(clause.split()) <= _SHORTEST


def _weekday(clause: str, language: str) -> bool:
    days = (
        word for word, kind in time_words(language).items() if kind.startswith("weekday") and len(word) >= _SHORTEST
    )
    return bool(phrases(map(re.escape, days)).search(clause))


# ---------------------------------------------------------------- what it is about, and what keeps it


def _about(act: _Act) -> tuple[str, ...]:
    """The telling words of the clause: neither who does what with it, nor when."""
    verbs = act.matched[0].split()
    acts = {*verbs[:1], *verbs[-1:]} | set(verbs if len(verbs) <= _SHORT_ACT else ())
    times = {word for phrase in time_words(act.language) for word in phrase.split()}
    words = content_words(act.clause) - acts
    return tuple(sorted(word for word in words if len(word) >= _SHORTEST and folded(word) not in times))


def _done_clauses(sentence: str, spoken: Sequence[str]) -> Iterator[str]:
    """The clauses that say that something is done, sent or in this very mail."""
    if sentence.rstrip(" \"')").endswith("?"):
        return
    for language in spoken:
        for clause in _clauses(sentence, language):
            if _words(language, "negation").search(clause):
                continue
            if _words(language, "hereby").search(clause) or _words(language, "done").search(clause):
                yield clause


def _telling(words: Iterable[str], clause: str) -> frozenset[str]:
    """Words of a clause that name a thing, besides those that say that it is here."""
    says = [
        matched[0]
        for language in languages("own_promises")
        for kind in ("hereby", "done")
        for matched in _words(language, kind).finditer(clause)
    ]
    spent = {word for phrase in says for word in content_words(phrase)}
    return frozenset(word for word in words if len(word) >= _SHORTEST and word not in spent)


def _names(pledge: Pledge, words: Iterable[str]) -> bool:
    named = [word for word in words if len(word) >= _SHORTEST]
    return any(same_word(about, word) for about in pledge.about for word in named)


def _file_words(name: str) -> frozenset[str]:
    return content_words(re.sub(r"[_.\d-]+", " ", name))
