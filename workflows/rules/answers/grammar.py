"""Grammar of the answers: the closed lists in the owner's languages, made comparable. Every reader of answers uses it.

Active at once are the owner's language, the other ones of the profile, and English.
"""

import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from functools import lru_cache
from itertools import islice, takewhile
from typing import Any

from workflows.models.decisions import Approve, Decision, Mine, Never, Reject, Why
from workflows.models.people import Owner
from workflows.rules.text import calendar, whens
from workflows.rules.text.calendar import folded
from workflows.rules.text.composed import composed
from workflows.rules.text.language import small_words
from workflows.rules.text.languages import words_in
from workflows.rules.text.words import table

_LONGEST_VERB = 7  # words
_LONGEST_WORD = 60  # characters
_OWN_WORDS = ("edit", "edited", "editar", "editer", "modifier", "bearbeiten", "andern", "aendern")
"""Verbs of editing that nobody begins a wish with."""


@dataclass(frozen=True, slots=True)
class PlainWords:
    """One language's words that a refusal, a "mine" and the beginning of a letter are made of."""

    refuse: frozenset[str]
    refuse_with: frozenset[str]
    refusals: frozenset[str]
    not_refusal: frozenset[str]
    mine_i: frozenset[str]
    mine_do: frozenset[str]
    mine_with: frozenset[str]
    mine: frozenset[str]
    not_mine: frozenset[str]
    greetings: tuple[str, ...]  # the longest first
    titles: frozenset[str]
    everyone: frozenset[str]
    subject_first: bool


@dataclass(frozen=True, slots=True)
class Grammar:
    """The active words, made comparable."""

    whole: dict[str, Decision]  # answers that must stand alone
    approving: frozenset[str]  # every word for yes, also those that mean something else in another active language
    edit: frozenset[str]
    commands: frozenset[str]  # edit words that are also plain imperatives ("modifica il prezzo")
    no: frozenset[str]
    no_stops: frozenset[tuple[str, str]]  # language and a word for no that also means "not": it may begin a sentence
    not_no: tuple[str, ...]
    later: frozenset[str]
    attach: frozenset[str]
    attach_ends: frozenset[str]
    without: tuple[str, ...]  # the longest first
    a_file: frozenset[str]
    a_booking: frozenset[str]
    an_invitation: frozenset[str]
    thanks: tuple[str, ...]
    closings: frozenset[str]
    hedges: frozenset[str]
    conditions: frozenset[str]
    instructions: frozenset[str]
    imperatives: frozenset[str]  # of the instructions, those that are no small words
    plain: tuple[PlainWords, ...]
    language: str  # the owner's own


def grammar_of(owner: Owner) -> Grammar:
    """The grammar that reads this owner's answers."""
    return _grammar(languages_of(owner))


def languages_of(owner: Owner) -> tuple[str, ...]:
    """The languages whose words are active: the owner's own first, English always."""
    first = calendar.language_of(owner)
    further = (calendar.language_of(replace(owner, language=code)) for code in owner.languages)
    return tuple(dict.fromkeys((first, *further, "en")))


def common(name: str) -> tuple[str, ...]:
    """A list of no language."""
    return _common(name)


def bare(text: str) -> str:
    """The text for comparing: folded, punctuation taken as blanks."""
    return " ".join(re.sub(r"[^\w'+?]|_", " ", folded(text)).split())


def head(line: str, verbs: frozenset[str]) -> tuple[str, str, str] | None:
    """The verb that begins the line, the signs right after it, and the rest of the line."""
    tokens = [(word[0], word.end()) for word in islice(re.finditer(r"\S+", line), _LONGEST_VERB)]
    tokens = list(takewhile(lambda token: len(token[0]) <= _LONGEST_WORD, tokens))
    for length in range(len(tokens), 0, -1):
        joined = " ".join(token for token, _ in tokens[:length])
        # "no-too cheap", "edit:Text": the signs may lack a blank after them.
        match = re.match(r"([\W_]*)(.*?)([^\w'\s]*)$", composed("NFKC", joined))
        if match and bare(match[2]) in verbs:
            return bare(match[2]), match[3], line[tokens[length - 1][1] :].strip()
    glued = re.match(r"([^\W\d_]+)([:,;!\u2013\u2014-]+)(\S.*)", line)
    if glued and bare(glued[1]) in verbs:
        return bare(glued[1]), glued[2], glued[3].strip()
    return None


def when(text: str, now: datetime, owner: Owner) -> datetime | None:
    """The time that these words name in one of the owner's languages."""
    readings = (whens.parse_when(text, now, replace(owner, language=code)) for code in languages_of(owner))
    return next((until for until in readings if until), None)


# ---------------------------------------------------------------- made of the tables


@lru_cache(maxsize=4)
def _common(name: str) -> tuple[str, ...]:
    words = table("decisions")["common"][name]
    return tuple(words) if name == "friendly" else tuple(folded(word) for word in words)


def _bares(words: Iterable[str]) -> frozenset[str]:
    return frozenset(bare(word) for word in words)


@lru_cache(maxsize=64)
def _grammar(languages: tuple[str, ...]) -> Grammar:
    tables = [words_in(language, "decisions") for language in languages]

    def words(name: str) -> frozenset[str]:
        return _bares(word for active in tables for word in active.get(name, ()))

    approving = words("approve")
    phrases = frozenset(part for phrase in approving for part in phrase.split())
    hedges = words("hedges") | _bares(_common("hedges")) | phrases | words("thanks")
    instructions = words("instructions")
    return Grammar(
        whole=_whole_answers(tables),
        approving=approving,
        edit=words("edit"),
        commands=words("edit") - set(_OWN_WORDS),
        no=words("no") - words("no_never"),
        no_stops=frozenset(
            (code, bare(word))
            for code, active in zip(languages, tables, strict=True)
            for word in active.get("no_stops", ())
        ),
        not_no=tuple(sorted(words("not_no"))),
        later=words("later"),
        attach=words("attach"),
        attach_ends=words("attach_ends"),
        without=tuple(sorted(words("without"), key=len, reverse=True)),
        a_file=words("a_file"),
        a_booking=words("a_booking"),
        an_invitation=words("an_invitation"),
        thanks=tuple(sorted(words("thanks"), key=len, reverse=True)),
        closings=words("closings") | words("thanks"),
        hedges=hedges | words("closings") | words("conditions"),
        conditions=words("conditions"),
        instructions=instructions,
        imperatives=instructions - _bares(small_words()),
        plain=tuple(_plain_words(code) for code in languages),
        language=languages[0],
    )


def _whole_answers(tables: Sequence[dict[str, Any]]) -> dict[str, Decision]:
    """Each answer that must stand alone. One that means two things in the active languages is never a yes."""

    def words(name: str, active: Sequence[dict[str, Any]] = tables) -> frozenset[str]:
        return _bares(word for language_table in active for word in language_table.get(name, ()))

    kinds: tuple[tuple[str, Decision], ...] = (
        ("why", Why()), ("mine", Mine()), ("never", Never()), ("reject", Reject()),
    )  # fmt: skip
    answers = {word: decision for name, decision in kinds for word in words(name)}
    # "nie" is a German "never" and a Polish "no": the weaker one holds as well.
    answers |= {word: Reject() for word in words("no") & words("never")}
    clash = words("no") | words("edit") | words("later") | words("no_never") | frozenset(answers)
    yes: set[str] = set()
    for active in tables:
        rivals = [rival for rival in tables if rival is not active]
        doubts = (words(name, rivals) for name in ("hedges", "conditions", "closings", "thanks"))
        yes |= words("approve", [active]) - clash.union(*doubts)
    for word in words("approve") & frozenset(answers):
        del answers[word]
    return answers | {word: Approve() for word in yes}


@lru_cache(maxsize=16)
def _plain_words(language: str) -> PlainWords:
    lists = words_in(language, "plain_answers")
    thanks = _bares(words_in(language, "decisions")["thanks"])
    return PlainWords(
        refuse=_bares(lists["refuse"]),
        refuse_with=_bares(lists["refuse_with"]) | thanks,
        refusals=_bares(lists["refusals"]),
        not_refusal=_bares(lists["not_refusal"]),
        mine_i=_bares(lists["mine_i"]),
        mine_do=_bares(lists["mine_do"]),
        mine_with=_bares(lists["mine_with"]) | thanks,
        mine=_bares(lists["mine"]),
        not_mine=_bares(lists.get("not_mine", ())),
        greetings=tuple(sorted(_bares(lists["greetings"]), key=len, reverse=True)),
        titles=_bares(lists["titles"]),
        everyone=_bares(lists["everyone"]),
        subject_first=bool(lists.get("subject_first")),
    )
