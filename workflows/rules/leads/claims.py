"""Which sentences of a bid state a fact about the freelancer, and what each rests on.

A bid is read by somebody who decides about money: what it says about the owner must stand in the profile, the past work
or the owner's own earlier words. Neither the post nor a web page can bear out what is said about the owner. What is in
doubt counts as a claim, and a claim in doubt as unsupported: the owner is asked rather than misquoted.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from functools import cache
from itertools import takewhile

from workflows.models.drafts import Source
from workflows.rules.leads.skills import called
from workflows.rules.text.canonical import one_line, visible
from workflows.rules.text.language import language_of, small_words
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import fold, phrases, table

OWN_KINDS = frozenset({"profile", "work", "sent", "edited", "owner"})
"""The kinds of sources that may speak for the owner."""
_LONGEST = 12_000  # characters of a text that are read
_MOST = 300  # sentences that are weighed one by one
_LONGEST_SENTENCE = 1_000
_LONGEST_NAME = 200
_STEM = 5  # letters by which two forms of a word are one
_SHORTEST = 3
_STOPS = frozenset(",;:.!?()")
_COUNTED = 3  # words after a figure that say what it counts
_LONG, _LOOSE_IN_LONG = 6, 0.3
_MOST_LOOSE = 0.4  # the share of a claim's own words that may stand in no source


@dataclass(frozen=True, slots=True, kw_only=True)
class Claim:
    """One sentence that states something about the owner. `missing`: the words that no source bears out."""

    sentence: str
    sources: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()

    @property
    def supported(self) -> bool:
        return bool(self.sources) and not self.missing


def claims(text: str, sources: Iterable[Source], owner_name: str = "") -> tuple[Claim, ...]:
    """Every claim of a text in order, with the sources it rests on. Total; `sources` of other kinds are left out."""
    own_sources = [source for source in sources if source.kind in OWN_KINDS]
    source_words = [(source.id, _Words.of(source.quote[:_LONGEST])) for source in own_sources]
    return tuple(_claim(sentence, source_words) for sentence in sentences(text) if is_claim(sentence, owner_name))


def sentences(text: str) -> tuple[str, ...]:
    """The sentences of a text, each on one line; a line or a list item ends one as well."""
    parts = re.split(r"(?<=[.!?…])[\"'»”)]*\s+(?=[^\W\d_a-zß-ÿ]|[\"'«“„(]|\d)|\n", visible(text[:_LONGEST]))
    # What is more than anybody reads is one sentence in doubt.
    parts = [*parts[:_MOST], "\n".join(parts[_MOST:])]
    lines = (one_line(re.sub(r"^\s*(?:[-*•–]|\d{1,2}[.)])\s+", "", part)) for part in parts)  # noqa: RUF001
    return tuple(part for part in lines if part)


def is_claim(sentence: str, owner_name: str = "") -> bool:
    """Whether a sentence states something about the freelancer: in the first person, by name, or without a subject."""
    if len(sentence) > _LONGEST_SENTENCE:  # it cannot be weighed, and what is in doubt counts as a claim
        return True
    folded = fold(sentence)
    if re.search(table("claims")["money"]["amount"], folded):
        return True
    language = language_of(sentence)
    spoken = {"en", "de", language} & set(languages("claims"))
    if folded.endswith("?") and not any(_has_clause(folded, code) for code in spoken):
        return False
    if any(_states(folded, code) for code in spoken):
        return True
    # Whoever writes of the owner by name speaks of the owner; a bare name at the end is a signature.
    names = [fold(name) for name in owner_name[:_LONGEST_NAME].split() if len(name) > 1]
    return len(folded.split()) > 3 and any(re.search(rf"(?<!\w){re.escape(name)}(?!\w)", folded) for name in names)  # noqa: PLR2004


def _states(folded: str, language: str) -> bool:
    remaining_text = _pattern(language, "means_well").sub(" ", folded)
    match = _pattern(language, "states").search(remaining_text)
    if not match:
        return False
    # "Your ten years old code": what is said of "you" alone is not said of the writer.
    return bool(_writer(language).search(folded)) or not _READER.search(folded)


def _has_clause(folded: str, language: str) -> bool:
    """Whether a question carries a statement before its last clause ("I built ten of these, would you ...?")."""
    before = folded.rpartition(",")[0] or folded.rpartition(" - ")[0]
    return bool(before) and _states(before, language)


@cache
def _pattern(language: str, kind: str) -> re.Pattern[str]:
    return phrases(words_in(language, "claims")[kind])


_READER = re.compile(r"(?<!\w)(?:you|your|you're|ihr|ihre[nmrs]?|sie|ihnen|vous|votre|vos|usted|su)(?!\w)")


@cache
def _any_writer() -> re.Pattern[str]:
    words = [word for language in languages("claims") for word in words_in(language, "claims")["writers"]]
    return re.compile(rf"(?<![\w'])(?:{'|'.join(words)})(?![\w'])")


@cache
def _writer(language: str) -> re.Pattern[str]:
    return re.compile(rf"(?<![\w'])(?:{'|'.join(words_in(language, 'claims')['writers'])})(?![\w'])")


# ---------------------------------------------------------------- what bears a claim out


@dataclass(frozen=True, slots=True)
class _Words:
    """The words of a text that say something."""

    row: tuple[str, ...]  # every word in order, figures in one form
    exact: frozenset[str]  # what must be borne out itself: figures, terms ("c++"), names and big words
    stems: frozenset[str]  # the rest, by their beginnings
    everything: frozenset[str]  # every word, stem and other name of a skill: what this text can bear out

    @classmethod
    def of(cls, text: str, *, nouns: bool = False) -> "_Words":
        """`nouns`: in German every noun is capitalised, so a capital makes no name."""
        tokens = re.findall(r"[^\W_][\w+#.'-]*[\w+#]|[^\W_]|[,;:.!?()]", visible(text))
        words = [word.removesuffix("'s") for word in tokens]
        row = [_figure(low) or low for low in map(fold, words)]
        exact = {
            low
            for at, (word, low) in enumerate(zip(words, row, strict=True))
            if low.isdigit() or low in _set("big") or _is_term(word) or (at and not nouns and _is_name(word, low))
        }
        parts = {piece for low in row for piece in re.split(r"[-/.']", low) if piece}
        every = {name for low in {*row, *parts} for name in (low, _stem(low), *called(low))}
        stems = {_stem(low) for low in row if _speaks(low)} - {_stem(low) for low in exact}
        return cls(tuple(row), frozenset(exact), frozenset(stems), frozenset(every))

    @property
    def telling(self) -> frozenset[str]:
        return self.exact | self.stems


def _claim(sentence: str, known: Sequence[tuple[str, _Words]]) -> Claim:
    claimed = _Words.of(_about_the_writer(sentence), nouns=_is_german(sentence))
    bearing = [(name, words) for name, words in known if claimed.telling & words.everything]
    if not bearing:
        return Claim(sentence=sentence, missing=tuple(sorted(claimed.telling)) or ("everything",))
    profile = [words for name, words in bearing if name.startswith("profile:")]
    # One work at a time, with the profile: two works stitched together would make a third that never was.
    works = [[words] for name, words in bearing if not name.startswith("profile:")] or [[]]
    missing = min((_missing(claimed, [*work, *profile]) for work in works), key=len)
    return Claim(sentence=sentence, sources=_fewest(claimed, bearing), missing=missing)


def _about_the_writer(sentence: str) -> str:
    """The sentence without the clauses that speak of the reader alone ("..., so you would talk to me")."""
    clauses = re.split(r"(?<=[,;:])\s+|\s+[\u2013\u2014-]\s+", sentence)
    own_clauses = [
        clause for clause in clauses if _any_writer().search(fold(clause)) or not _READER.search(fold(clause))
    ]
    return " ".join(own_clauses) or sentence


def _missing(said: _Words, sources: Sequence[_Words]) -> tuple[str, ...]:
    """What of a claim these sources together leave open."""
    together: frozenset[str] = frozenset().union(*(words.everything for words in sources))
    lacking = sorted(said.exact - together)
    figures = [at for at, word in enumerate(said.row) if word.isdigit() and word in together]
    lacking += [
        said.row[at] for at in figures if not any(_counts_the_same(said.row, at, source.row) for source in sources)
    ]
    loose = sorted(said.stems - together)
    few = len(loose) <= _MOST_LOOSE * len(said.stems)
    # A long sentence that is borne out name by name and figure by figure may say it in words of its own.
    long = len(said.telling) >= _LONG and len(loose) <= _LOOSE_IN_LONG * len(said.telling)
    return (*lacking, *(() if few or long else loose))


def _counts_the_same(said: Sequence[str], at: int, known: Sequence[str]) -> bool:
    """Whether a source counts the same thing with this figure: "12 years of orders" is not "12 years of experience"."""
    if re.fullmatch(r"(?:19|20)\d\d", said[at]):  # a year counts nothing
        return said[at] in known
    after = list(takewhile(lambda word: word not in _STOPS, said[at + 1 : at + 1 + _COUNTED]))
    counted = {_stem(word) for word in after if word in _set("counted") or not _is_general(word)}
    places = [place for place, word in enumerate(known) if word == said[at]]
    return any(counted <= {_stem(word) for word in known[max(place - 1, 0) : place + 2 + _COUNTED]} for place in places)


def _fewest(said: _Words, bearing: Sequence[tuple[str, _Words]]) -> tuple[str, ...]:
    """As few sources as bear out all that is borne out, the one that bears out most first."""
    uncovered, chosen, candidates = said.telling, [], list(bearing)
    while candidates:
        name, words = max(candidates, key=lambda one: len(uncovered & one[1].everything))
        if not uncovered & words.everything:
            break
        chosen.append(name)
        uncovered -= words.everything
        candidates = [candidate for candidate in candidates if candidate[0] != name]
    return tuple(chosen)


def _is_german(sentence: str) -> bool:
    return language_of(sentence) == "de" or bool(_writer("de").search(fold(sentence)))


def _stem(word: str) -> str:
    return word.removesuffix("s")[:_STEM] if len(word) > _SHORTEST else word


def _figure(word: str) -> str:
    """The number that a word states, "" when it states none: "3,800", "twelve" and "10+" do."""
    numbers: dict[str, str] = table("claims")["words"]["numbers"]
    if word in numbers and word != "one":
        return numbers[word]
    if not re.fullmatch(r"\d[\d.,']*[+k%]?(?:st|nd|rd|th)?", word):
        return ""
    plain = re.sub(r"[.,]0{1,2}$", "", re.sub(r"[+%]|(?:st|nd|rd|th)$", "", word))
    return re.sub(r"[.,']", "", plain).lstrip("0") or "0"


def _is_term(word: str) -> bool:
    """Spelt as no ordinary word is: "C++", "PostgreSQL", "HTML5", "AWS"."""
    inner = re.search(r"[+#\d]|[a-zß-ÿ][A-Z]|^[A-Z]{2,}$|\w\.\w", word)
    return bool(inner) and fold(word) not in small_words()


def _is_name(word: str, low: str) -> bool:
    return word[0].isupper() and not _is_general(low) and low not in _set("big")


def _speaks(low: str) -> bool:
    return len(low) >= _SHORTEST and not _is_general(low) and not _figure(low)


def _is_general(low: str) -> bool:
    plain = low.partition("'")[0]  # "I've"
    return plain in _set("general") or plain in small_words()


@cache
def _set(kind: str) -> frozenset[str]:
    return frozenset(table("claims")["words"][kind])
