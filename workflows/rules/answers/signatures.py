"""Signatures: the blocks of lines that end the owner's own mails, learnt from what he sent to others. Pure and total.

A block is learnt where it ends the typed part of mails in three threads. It is never made of words that an answer is
made of, so that leaving it out of an answer cannot leave out a "no" or a condition.
"""

import re
from collections import defaultdict
from collections.abc import Iterable, Sequence
from dataclasses import dataclass

from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.rules.answers.answer_words import whole
from workflows.rules.answers.closings import is_contact, is_sign_off, names_of
from workflows.rules.answers.grammar import Grammar, bare, grammar_of, head
from workflows.rules.mail.replying import new_part
from workflows.rules.mail.subjects import is_forward_subject
from workflows.rules.text.canonical import visible
from workflows.rules.text.words import table

THREADS = 3
"""In how many threads a block must end the owner's mails."""
_MOST_STATED = 200  # lines of a stated signature
_MOST_LINES = 14
_LONGEST_LINE = 200
_MOST_CHARACTERS = 50_000  # of a mail
_SENTENCE = 3  # words
_ADDRESS = re.compile(r"\S+@\S+|(?:https?://|www\.)\S+|\b[\w-]+(?:\.[\w-]+)*\.[a-z]{2,10}\b", re.IGNORECASE)
_DELIMITER = re.compile(r"^(?:--|—|–) ?$", re.MULTILINE)  # noqa: RUF001 (the dashes that mail programs put there)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnersMail:
    """A mail that the owner wrote to others. `key`: its identity in the ledger."""

    key: str
    email: Email

    @property
    def thread(self) -> str:
        """What the mails of one conversation share: the id of its first mail."""
        parents = (*self.email.references, *self.email.in_reply_to, self.email.message_id, self.key)
        return next(parent for parent in parents if parent)


@dataclass(frozen=True, slots=True, kw_only=True)
class LearntSignature:
    """A block that ends the owner's mails, and the mails it was learnt from, one of each thread."""

    text: str
    mails: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Ending:
    """The last lines of a mail's typed part, below its regards."""

    mail: OwnersMail
    lines: tuple[str, ...]


def as_block(text: str) -> str:
    """A signature as the readers of answers take it: its lines that say something, one below the other."""
    lines = (line.strip() for line in visible(text).split("\n"))
    return "\n".join(line for line in lines if _key(line))


def answers_in(block: str, owner: Owner) -> tuple[str, ...]:
    """The lines of a stated signature that would be an answer by themselves: such a line must never be left out."""
    grammar = grammar_of(owner)
    return tuple(line for line in block.split("\n")[:_MOST_STATED] if _is_answer(line, owner, grammar))


def learnt(mails: Iterable[OwnersMail], owner: Owner) -> tuple[LearntSignature, ...]:
    """Every signature that these mails show, the longest first."""
    grammar = grammar_of(owner)
    endings = _told_apart(ending for mail in mails for ending in _endings(mail, owner, grammar))
    shared: dict[tuple[str, ...], set[str]] = defaultdict(set)
    for ending in endings:
        for start in range(len(ending.lines)):
            shared[_keys(ending, start)].add(ending.mail.thread)
    blocks: dict[tuple[str, ...], dict[str, _Ending]] = defaultdict(dict)
    for ending in endings:  # the longest block that it shares with other threads
        starts = (start for start in range(len(ending.lines)) if len(shared[_keys(ending, start)]) >= THREADS)
        if (first := next(starts, None)) is not None:
            blocks[_keys(ending, first)].setdefault(ending.mail.thread, ending)
    signatures: dict[str, LearntSignature] = {}
    for keys, threads in blocks.items():
        text = _text(keys, threads, owner, grammar) if len(threads) >= THREADS else ""
        if text:
            signatures[text] = LearntSignature(text=text, mails=tuple(ending.mail.key for ending in threads.values()))
    return tuple(sorted(signatures.values(), key=lambda signature: (-len(signature.text), signature.text)))


def _keys(ending: _Ending, start: int) -> tuple[str, ...]:
    return tuple(map(_key, ending.lines[start:]))


def _text(keys: tuple[str, ...], endings: dict[str, _Ending], owner: Owner, grammar: Grammar) -> str:
    """The block's lines as the owner writes them; "" when it is no signature."""
    lines = list(next(iter(endings.values())).lines[-len(keys) :])
    while lines and _is_sentence(lines[0]):  # "I look forward to hearing from you." is part of the mail
        lines.pop(0)
    nothing = all(bare(line) in names_of(owner) or is_contact(line, owner) for line in lines)
    # What the reader of answers forgives anyway needs no learning, and stays in an edited text.
    return "" if nothing or any(_says_something(line, owner, grammar) for line in lines) else "\n".join(lines)


def _is_sentence(line: str) -> bool:
    return line.endswith((".", "!", ":", ",")) and len(line.split()) >= _SENTENCE and not _ADDRESS.search(line)


# ---------------------------------------------------------------- how a mail ends


def _endings(mail: OwnersMail, owner: Owner, grammar: Grammar) -> list[_Ending]:
    """How the mail ends: its text, and its HTML part where that ends otherwise."""
    if is_forward_subject(mail.email.subject):  # what it ends in is somebody else's
        return []
    texts = (mail.email.text[:_MOST_CHARACTERS], mail.email.html_text[:_MOST_CHARACTERS])
    endings = [_ending(mail, text, owner, grammar) for text in texts if text.strip()]
    return [ending for ending in endings if ending is not None]


def _ending(mail: OwnersMail, text: str, owner: Owner, grammar: Grammar) -> _Ending | None:
    typed_part = new_part(_DELIMITER.sub("", visible(text)))
    lines = [line.strip() for line in typed_part.split("\n")]
    quoted = max((place for place, line in enumerate(lines) if line.startswith(">")), default=-1)
    lines = lines[quoted + 1 :]
    below = _below_regards(lines, owner, grammar)
    filled = [place for place in range(below, len(lines)) if _key(lines[place])][-_MOST_LINES:]
    if not filled or any(len(lines[place]) > _LONGEST_LINE for place in filled):
        return None
    return _Ending(mail, tuple(lines[place] for place in filled))


def _below_regards(lines: Sequence[str], owner: Owner, grammar: Grammar) -> int:
    """Where what stands under the last regards (and the name below them) begins."""
    filled = [place for place, line in enumerate(lines) if _key(line)]
    regards = [at for at, place in enumerate(filled) if is_sign_off(lines[place], owner, grammar, alone=False)]
    if not regards:
        return 0
    at = regards[-1]
    only_closing = bare(lines[filled[at]]) in grammar.closings
    if only_closing and at + 1 < len(filled) and bare(lines[filled[at + 1]]) in names_of(owner):
        at += 1
    return filled[at] + 1


def _told_apart(endings: Iterable[_Ending]) -> list[_Ending]:
    """The endings of different mails: one letter to many is one witness."""
    texts: set[tuple[str, str]] = set()
    distinct: list[_Ending] = []
    letters: dict[str, str] = {}
    for ending in endings:
        text = _key(ending.mail.email.text or ending.mail.email.html_text)
        if letters.setdefault(text, ending.mail.key) != ending.mail.key:
            continue
        mark = (ending.mail.key, "\n".join(map(_key, ending.lines)))
        if mark not in texts:
            texts.add(mark)
            distinct.append(ending)
    return distinct


def _key(line: str) -> str:
    return "".join(sign for sign in line.casefold() if sign.isalnum())


# ---------------------------------------------------------------- what no signature says


def _says_something(line: str, owner: Owner, grammar: Grammar) -> bool:
    """Whether a line holds a word of the answers, a condition, a wish or a question."""
    plain = _ADDRESS.sub(" ", line)
    if "?" in plain or _is_answer(line, owner, grammar):
        return True
    tokens = [token for token in bare(plain).split() if token not in names_of(owner)]
    if any(token in grammar.conditions or token in _decision_words(grammar) for token in tokens):
        return True
    if any(token in _wish_words() for token in tokens):
        return True
    sentences = (bare(sentence).split()[:1] for sentence in re.split(r"[.!;:\u00b7|]+", plain))
    return "deskhand" in tokens or any(first and first[0] in grammar.imperatives for first in sentences)


def _is_answer(line: str, owner: Owner, grammar: Grammar) -> bool:
    if bare(line) in names_of(owner):
        return False
    begins = head(line, grammar.no | grammar.edit | grammar.later)
    return begins is not None or whole(line, grammar) is not None or bare(line) in grammar.approving


def _decision_words(grammar: Grammar) -> frozenset[str]:
    """Words that are an answer by themselves."""
    phrases = (*grammar.whole, *grammar.approving, *grammar.edit, *grammar.no, *grammar.later)
    return frozenset(phrase for phrase in phrases if " " not in phrase)


def _wish_words() -> frozenset[str]:
    return frozenset(map(bare, table("plain_answers")["common"]["wish"]))
