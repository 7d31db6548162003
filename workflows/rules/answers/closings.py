"""Closings: what ends a mail and says nothing: thanks, regards, the owner's name, contact lines. Pure and total."""

import re

from workflows.models.people import Owner
from workflows.rules.answers.grammar import Grammar, bare, common, grammar_of
from workflows.rules.text.calendar import folded
from workflows.rules.text.canonical import visible

_LONGEST = 200
"""Characters of a line of thanks or regards; a longer one says more than that."""


def without_closing(words: str, owner: Owner) -> list[str]:
    """The lines that were typed, blank ones and a sign-off at the end (thanks, regards, the name) left out."""
    lines = [line.strip() for line in visible(words).split("\n") if line.strip()]
    return lines_without_closing(lines, owner, grammar_of(owner))


def lines_without_closing(lines: list[str], owner: Owner, grammar: Grammar) -> list[str]:
    """The lines without a sign-off at the end: thanks, regards, the owner's name and what stands under it."""
    body, contacts = list(lines), 0
    while len(body) - contacts > 1:
        line = body[len(body) - contacts - 1]
        if is_sign_off(line, owner, grammar):
            del body[len(body) - contacts - 1 :]
            contacts = 0
        elif is_contact(line, owner):
            contacts += 1
        else:
            break
    return body


def is_sign_off(line: str, owner: Owner, grammar: Grammar, *, alone: bool = True) -> bool:
    """Whether the line is thanks or regards, with the owner's name or without; `alone`: the name by itself as well."""
    if len(line) > _LONGEST:
        return False
    plain, names = bare(without_friendly(line)[0]), names_of(owner)
    closing = (alone and plain in names) or plain in grammar.closings or _closing_and_name(plain, names, grammar)
    return closing and "?" not in plain


def names_of(owner: Owner) -> frozenset[str]:
    """What the owner may write under a mail: the name, one of its parts, initials."""
    parts = folded(owner.name).split()
    return frozenset(
        {" ".join(parts), *parts, "".join(part[0] for part in parts), *(part[0] for part in parts)},
    )


def _closing_and_name(plain: str, names: frozenset[str], grammar: Grammar) -> bool:
    """`lg ada`, `thanks, Ada Winter`."""
    closing, _, tail = plain.partition(" ")
    while tail:
        if closing in grammar.closings and tail in names:
            return True
        word, _, tail = tail.partition(" ")
        closing = f"{closing} {word}"
    return False


def is_contact(line: str, owner: Owner) -> bool:
    """A line of a signature: a telephone number, a web or mail address and nothing else."""
    plain = line.strip().lower()
    address = any(mailbox in plain and len(plain) < len(mailbox) + 12 for mailbox in owner.addresses)
    phone = re.fullmatch(
        r"(?:(?:tel|phone|mobil|mobile|cell|fon|t|m)[.:]?\s*)?(?:\+|00|\(0|0)\d[\d ()/.-]{6,24}", plain
    )
    return address or bool(phone) or bool(re.fullmatch(r"(?:https?://|www\.)\S+", plain))


def without_friendly(line: str) -> tuple[str, int]:
    """The line without friendly emoji and smileys, and how many there were."""
    plain = re.sub("[\ufe0e\ufe0f\U0001f3fb-\U0001f3ff]", "", line)
    count = 0
    for emoji in common("friendly"):
        count += plain.count(emoji)
        plain = plain.replace(emoji, " ")
    return plain.strip(), count
