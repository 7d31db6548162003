"""The questions of a client's mail: split into single ones, each with what it is about, in the language it is in. Pure.

A sentence asks by its mark, or by words that ask or request ("please send", "wir haben noch keine"). What it is about
is weighed: sure words count three times the others, and what stands right before it, or in the subject, lends a little.
"""

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from functools import cache

from workflows.models.desk import ClientQuestion, Topic
from workflows.rules.text.canonical import one_line
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import known_language, words_in
from workflows.rules.text.words import any_phrase

MOST = 8
_READ = 20_000
_LONGEST = 300
_SURE, _PERHAPS, _BEFORE, _ABOVE = 3.0, 1.0, 0.3, 0.6
_LEAST = 1.0
_SHORTEST = 4  # words of a part that asks and is about nothing we know
_TOPICS = (Topic.MONEY, Topic.STATE, Topic.FILE, Topic.PRICE, Topic.TIME)
"""In this order they win where two weigh the same."""
_APOSTROPHES = str.maketrans({"\u2019": "'", "\u2018": "'", "`": "'", "\u00b4": "'", "\u00bf": " ", "\u00a1": " "})
_END = re.compile(
    r"(?<=[.!?\u2026])(?<!\d\.)(?<!\b[A-Za-z]\.)[\"')\u201d]*\s+|\n\s*\n|\n(?=\s*(?:[-*\u2022\u2013]|\d{1,2}[.)]|[a-z]\))\s)"
)
_ITEM = re.compile(r"^\s*(?:[-*\u2022\u2013]|\d{1,2}[.)]|[a-z]\))\s+")
_NUMBER = re.compile(r"(?<![\w.,/-])(?:[a-z]{1,4}[-_/. ]?)?\d{4}[-/]\d{1,6}(?![\w/-]|[.,]\d)")
"""What looks like the number of an invoice: `2026-014`, `RE-2026/15`."""
_CLAUSE = re.compile(r"\s*[;:]\s+|,\s+|\s+[-\u2013\u2014]\s+")


@dataclass(frozen=True, slots=True)
class _Clause:
    text: str
    asks: bool
    weights: tuple[float, ...]  # of `_TOPICS`

    @property
    def topic(self) -> Topic:
        best = max(self.weights)
        return _TOPICS[self.weights.index(best)] if best >= _LEAST else Topic.OTHER


def questions(text: str, language: str, subject: str = "") -> tuple[ClientQuestion, ...]:
    """Each question and request of a mail, in its order, at most `MOST`. `text`: what the client wrote this time."""
    words = _words(known_language(language, "questions"))
    above = _weights(words, subject)
    before = _Clause("", asks=False, weights=(0.0,) * len(_TOPICS))
    asked: list[ClientQuestion] = []
    for sentence in _sentences(text):
        clauses = list(_clauses(words, sentence))
        for clause in clauses:
            if clause.asks and not _is_idle(clause.text, words):
                topic = _settled(clause, before, above, words)
                asked.append(ClientQuestion(text=one_line(clause.text, _LONGEST), topic=topic))
        weights = [clause.weights for clause in clauses] or [before.weights]
        before = _Clause(sentence, asks=False, weights=tuple(max(column) for column in zip(*weights, strict=True)))
    return _each_once(asked, words)[:MOST]


def subjects_of(text: str, language: str) -> frozenset[str]:
    """What a question, or the title of a standing answer, speaks of: "price", "hours", "process" ..."""
    plain_text = plain(text)
    words = _words(known_language(language, "questions"))
    return frozenset(name for name, pattern in words.subjects if pattern.search(plain_text))


def comes_back(text: str, language: str) -> bool:
    """Whether a sentence only says that an answer will come."""
    return bool(_words(known_language(language, "questions")).later.search(plain(text)))


def asks_for_document(text: str, language: str) -> bool:
    """Whether they want something to be sent, not only to be told."""
    return bool(_words(known_language(language, "questions")).send.search(plain(text)))


def asks_for_rate(text: str, language: str) -> bool:
    """Whether it is the owner's rate that a question about a price asks for."""
    return bool(_words(known_language(language, "questions")).rate.search(plain(text)))


def names_invoice(text: str) -> bool:
    """Whether a number stands there that looks like an invoice's."""
    return _NUMBER.search(plain(text)) is not None


def plain(text: str) -> str:
    """Text for matching: small letters without accents, one blank between words."""
    letters = composed("NFKD", text.translate(_APOSTROPHES).casefold().replace("\u0142", "l"))
    return " ".join("".join(letter for letter in letters if not unicodedata.combining(letter)).split())


# ---------------------------------------------------------------- sentences and clauses


def _sentences(text: str) -> Iterator[str]:
    lines = [line for line in text[:_READ].split("\n") if not line.lstrip().startswith(">")]
    for piece in _END.split("\n".join(lines)):
        sentence = _ITEM.sub("", " ".join(piece.split()))
        if sentence:
            yield sentence


def _clauses(words: "_Words", sentence: str) -> Iterator[_Clause]:
    """The sentence, or its parts where several of them ask for different things."""
    marked = "?" in sentence
    if not marked and words.gives.search(plain(sentence)):  # they give something, and ask for nothing
        return
    parts = _parts(words, sentence)
    clauses = [_Clause(part, words.asks.search(plain(part)) is not None, _weights(words, part)) for part in parts]
    if len(clauses) < 2 or not _differ(clauses):  # noqa: PLR2004 (a sentence of one part)
        asks = marked or any(clause.asks for clause in clauses)
        yield _Clause(sentence, asks, _weights(words, sentence))
        return
    for number, clause in enumerate(clauses):
        carried = marked and (number == 0 or clause.topic is not Topic.OTHER)
        if clause.asks or carried:
            yield _Clause(clause.text, asks=True, weights=clause.weights)
        elif not marked:
            yield clause


def _parts(words: "_Words", sentence: str) -> list[str]:
    """Cut at commas and at "and" where what follows asks or speaks of something; else it stays one."""
    pieces = [part.strip() for part in words.joins.sub("\u241f", sentence).split("\u241f") if part.strip()]
    parts: list[str] = []
    cut = [(part, at > 0) for joined in pieces for at, part in enumerate(_CLAUSE.split(joined)) if part.strip()]
    for piece, by_comma in cut:
        asks = words.asks.search(plain(piece)) is not None
        speaks = asks or (not by_comma and max(_weights(words, piece)) >= _SURE)
        leads_in = by_comma and bool(parts) and max(_weights(words, parts[-1])) < _LEAST
        if parts and (leads_in or not (speaks and _tells(words, parts[-1]))):
            parts[-1] = f"{parts[-1]}, {piece}"
        else:
            parts.append(piece)
    return parts


def _tells(words: "_Words", part: str) -> bool:
    asks = words.asks.search(plain(part)) is not None
    long_enough = len(part.split()) >= _SHORTEST
    return (asks or long_enough) and (long_enough or max(_weights(words, part)) >= _LEAST)


def _differ(clauses: Iterable[_Clause]) -> bool:
    """Whether at least two parts are about different things."""
    return len({clause.topic for clause in clauses if clause.asks or clause.topic is not Topic.OTHER}) > 1


# ---------------------------------------------------------------- what it is about


def _settled(clause: _Clause, before: _Clause, above: tuple[float, ...], words: "_Words") -> Topic:
    """What the question is about; what was said right before it and the subject decide where it does not say."""
    sure = max(clause.weights) >= _SURE
    beyond = words.beyond.search(plain(clause.text)) or (not sure and words.beyond.search(plain(before.text)))
    if beyond:  # about money, and nothing that the ledger could answer
        return Topic.OTHER
    subject = _ABOVE if max(clause.weights) >= _PERHAPS else 0.0  # of what it does not touch, it tells nothing
    told = 0.0 if "?" in before.text else _BEFORE  # a question before it is a matter of its own
    lent = zip(clause.weights, before.weights, above, strict=True)
    weights = clause.weights if sure else tuple(own + told * near + subject * far for own, near, far in lent)
    topic = _Clause(clause.text, asks=True, weights=weights).topic
    if topic is not Topic.FILE:
        return topic
    if weights[_TOPICS.index(Topic.MONEY)] >= _SURE:  # an invoice that is to be sent
        return Topic.MONEY
    return topic if sure or words.send.search(plain(clause.text)) else Topic.OTHER


def _weights(words: "_Words", text: str) -> tuple[float, ...]:
    plain_text = plain(text)
    weights = [_weight(sure, perhaps, plain_text) for sure, perhaps in words.topics]
    if _NUMBER.search(plain_text):
        weights[_TOPICS.index(Topic.MONEY)] += _SURE
    return tuple(weights)


def _weight(sure: re.Pattern[str], perhaps: re.Pattern[str], plain_text: str) -> float:
    certain = len(set(sure.findall(plain_text)))
    return (_SURE + certain - 1 if certain else 0.0) + _PERHAPS * len(set(perhaps.findall(plain_text)))


def _is_idle(text: str, words: "_Words") -> bool:
    """Whether a sentence is politeness alone, with or without a name before it."""
    head, _, after = text.partition(",")
    parts = (text, after) if len(head.split()) < _SHORTEST else (text,)
    return any(words.idle.fullmatch(_bare(part)) is not None for part in parts)


def _bare(text: str) -> str:
    return plain(text).strip(" ?!.,:;-")


def _each_once(asked: Iterable[ClientQuestion], words: "_Words") -> tuple[ClientQuestion, ...]:
    """Two sentences about one matter are one question: "Did it arrive? We paid; please confirm" asks once."""
    by_key: dict[object, ClientQuestion] = {}
    for question in asked:
        wants_document = words.send.search(plain(question.text)) is not None
        key: object = plain(question.text)
        if question.topic in {Topic.MONEY, Topic.TIME}:
            key = (question.topic, wants_document)
        by_key.setdefault(key, question)
    return tuple(by_key.values())


@dataclass(frozen=True, slots=True, kw_only=True)
class _Words:
    """The words of one language, compiled."""

    asks: re.Pattern[str]
    joins: re.Pattern[str]
    idle: re.Pattern[str]
    beyond: re.Pattern[str]
    gives: re.Pattern[str]
    later: re.Pattern[str]
    send: re.Pattern[str]
    rate: re.Pattern[str]
    topics: tuple[tuple[re.Pattern[str], re.Pattern[str]], ...]
    subjects: tuple[tuple[str, re.Pattern[str]], ...]


@cache
def _words(language: str) -> _Words:
    table = words_in(language, "questions")
    joins = "|".join(table["joins"])
    return _Words(
        asks=any_phrase(table["asks"]),
        joins=re.compile(rf",?\s+(?:{joins})\s+", re.IGNORECASE),
        idle=re.compile("|".join(table["idle"])),
        beyond=any_phrase(table["beyond"]),
        gives=any_phrase(table["gives"]),
        later=any_phrase(table["later"]),
        send=any_phrase(table["send"]),
        rate=any_phrase(table["rate"]),
        topics=tuple((any_phrase(table["sure"][topic]), any_phrase(table["perhaps"][topic])) for topic in _TOPICS),
        subjects=tuple((name, any_phrase(patterns)) for name, patterns in table["subjects"].items()),
    )
