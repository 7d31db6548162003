"""Which of the owner's files a mail asks for, by the words of their names. Pure and total.

A file is only ever proposed: the approval mail shows it with size and hash before anything leaves. So a file is named
where a sentence asks for something and names every kind the file's name holds; where two fit alike, none is chosen.
"""

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache

from workflows.rules.text.calendar import folded
from workflows.rules.text.languages import languages
from workflows.rules.text.words import phrases, table

MOST_PROPOSED = 3
_LONGEST_MESSAGE = 20_000
_PLURALS = ("", "s", "es", "e", "n", "en", "er", "i", "y", "a", "u")
_COMPOUND = 5  # letters of a word that may be a part of a longer one
_TOKEN = re.compile(r"[^\W_]+")


@dataclass(frozen=True, slots=True)
class AskedFiles:
    """The files a mail asks for, and the groups of which one is meant and it is not clear which."""

    names: tuple[str, ...] = ()
    unsure: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True)
class _Label:
    """What a file's name says: the kinds it names, its further words, the language it is marked with."""

    name: str
    kinds: frozenset[int]
    words: frozenset[str]
    language: str
    numbers: frozenset[str]
    personal: bool  # another client's invoice is nobody else's

    def is_meant(self, kinds: frozenset[int], common: set[str], tokens: set[str]) -> bool:
        """Whether a sentence that names these kinds, and has these words in common with it, may mean it."""
        if not self.kinds <= kinds or (self.personal and not self.numbers <= tokens):
            return False
        return common == self.words if self.personal else bool(self.kinds) or (common == self.words and bool(common))


def asked_files(message: str, names: Iterable[str], language: str = "") -> AskedFiles:
    """What the message asks for. `names`: of the files there are; `language`: of the mail, to choose among versions."""
    labels = [_label(name) for name in dict.fromkeys(names)]
    chosen: dict[str, None] = {}
    unsure: dict[tuple[str, ...], None] = {}
    for best in (best for sentence in _requests(message) for best in _each(sentence, labels, language)):
        if len(best) > 1:
            unsure.setdefault(tuple(best))
        else:
            chosen.update(dict.fromkeys(best))
    return AskedFiles(tuple(chosen)[:MOST_PROPOSED], tuple(unsure)[:MOST_PROPOSED])


def meant_by(words: str, names: Iterable[str], language: str = "") -> tuple[str, ...]:
    """The files that these few words of the owner's mean: one, or several that fit alike, or none."""
    listed = tuple(dict.fromkeys(names))
    plain = folded(words).strip(" .,;:!\"'")
    exact = [name for name in listed if folded(name) == plain]
    stems = [name for name in listed if folded(name).rpartition(".")[0] == plain]
    labels = [replace(_label(name), personal=False) for name in listed]  # the owner knows whose they are
    return tuple(exact or stems or _best(plain, labels, language))


def _requests(message: str) -> list[str]:
    """The sentences that ask for something, folded; a dot within a file's name ends none."""
    sentences = re.split(r"[?!;]|\.(?=\s|$)|\n[ \t]*\n", message[:_LONGEST_MESSAGE])
    joined = (folded(sentence) for sentence in sentences)
    return [sentence for sentence in joined if _is_request(sentence)]


def _is_request(sentence: str) -> bool:
    forms = (sentence, sentence.replace("-", " "))  # "Briefing-Vorlage" is a word among others
    return any(_asks().search(form) for form in forms) and not any(_not_asks().search(form) for form in forms)


def _each(sentence: str, labels: Sequence[_Label], language: str) -> Iterator[list[str]]:
    """One after the other what a sentence names: "the brief template and the price list"."""
    kinds = _kinds_in(sentence)
    remaining = list(labels)
    for _ in range(MOST_PROPOSED):
        best = _best(sentence, remaining, language, kinds)
        if not best:
            return
        yield best
        named = {kind for label in remaining if label.name in best for kind in label.kinds}
        kinds -= named
        remaining = [label for label in remaining if label.name not in best and label.kinds and not label.kinds & named]


def _best(sentence: str, labels: Sequence[_Label], language: str, named: frozenset[int] | None = None) -> list[str]:
    """The file that fits best; several where they fit alike. `named`: the kinds that the sentence names."""
    for label in labels:
        if re.search(rf"(?<![\w.-]){re.escape(folded(label.name))}(?![\w-])", sentence):
            return [label.name]
    tokens, kinds = set(_TOKEN.findall(sentence)), _kinds_in(sentence) if named is None else named
    scores: dict[str, tuple[int, int, bool]] = {}
    for label in labels:
        common = {word for word in label.words if any(_is_word(word, token) for token in tokens)}
        if label.is_meant(kinds, common, tokens):
            in_language = bool(language) and label.language == language
            scores[label.name] = (len(label.kinds) + len(common), -len(label.words - common), in_language)
    top = max(scores.values(), default=None)
    return [name for name, score in scores.items() if score == top]


@lru_cache(maxsize=2000)
def _label(name: str) -> _Label:
    stem = name.rpartition(".")[0] or name
    spaced = folded(re.sub(r"(?<=[a-zß-ÿ])(?=[A-Z])", " ", stem).replace("_", " ").replace("-", " ").replace(".", " "))
    parts = spaced.split()
    codes = {*languages("language")}
    marked = [part for part in parts[1:] if part in codes]
    idle = set(table("asked_files")["names"]["idle"])
    kinds = _kinds_in(spaced)
    words = (
        part
        for part in parts
        if len(part) > 2 and part not in idle and not any(sign.isdigit() for sign in part)  # noqa: PLR2004
    )
    named = frozenset(word for word in words if not _kinds_in(word) & kinds and not _in_phrase(word, spaced))
    numbers = frozenset(part for part in parts if part.isdigit() and len(part) > 1)
    rows = [table("asked_files")["kind"][kind] for kind in kinds]
    personal = any(row.get("personal") for row in rows) and not any(row.get("blank") for row in rows)
    return _Label(name, frozenset(kinds), named, marked[-1] if marked else "", numbers, personal)


def _in_phrase(word: str, spaced: str) -> bool:
    """Whether the word is a part of a kind of several words ("price" of "price list")."""
    return any(
        word in phrase.split() and re.search(rf"(?<!\w){re.escape(phrase)}(?!\w)", spaced)
        for phrases_of in _kinds()
        for phrase in phrases_of
        if " " in phrase
    )


def _kinds_in(text: str) -> frozenset[int]:
    """The kinds of files that the folded text names."""
    tokens = set(_TOKEN.findall(text))
    return frozenset(
        number
        for number, words in enumerate(_kinds())
        if any(
            re.search(rf"(?<!\w){re.escape(word)}(?!\w)", text)
            if " " in word or "-" in word
            else any(_is_word(word, token) for token in tokens)
            for word in words
        )
    )


def _is_word(word: str, token: str) -> bool:
    """Whether the token is this word: as it stands, in the plural, or as a part of a compound ("briefvorlage")."""
    if token == word or (len(word) > 3 and any(token == word + ending for ending in _PLURALS)):  # noqa: PLR2004
        return True
    if len(token) < len(word) + 4:
        return False
    if token.endswith(word):
        return len(word) >= _COMPOUND
    rest = token.removeprefix(word).removeprefix("s")
    return token.startswith(word) and len(word) >= _COMPOUND and any(rest.startswith(other) for other in _long_words())


@lru_cache(maxsize=1)
def _kinds() -> tuple[tuple[str, ...], ...]:
    return tuple(tuple(row["words"]) for row in table("asked_files")["kind"])


@lru_cache(maxsize=1)
def _long_words() -> frozenset[str]:
    return frozenset(word for words in _kinds() for word in words if len(word) >= _COMPOUND and " " not in word)


@lru_cache(maxsize=1)
def _asks() -> re.Pattern[str]:
    return phrases(table("asked_files")["asks"]["patterns"])


@lru_cache(maxsize=1)
def _not_asks() -> re.Pattern[str]:
    return phrases(table("asked_files")["asks"]["not_asks"])
