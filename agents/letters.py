"""Letters: what every story's letter has in common: whom it greets, its language, its gist, why it is a template's."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from functools import cache
from pathlib import Path
from typing import Any

from workflows.models.drafts import Brief
from workflows.models.mail import Address
from workflows.rules.text.canonical import one_line
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import filled, speaks, words_in

FOLDER = Path(__file__).with_name("templates")
LONGEST_GIST = 60
_REASON = 300  # characters of one line of why
_NAME = 100


# ---------------------------------------------------------------- whom it greets, and who signs


def addressee(brief: Brief) -> Address:
    """To whom the letter goes: by its envelope, else to the sender of the mail."""
    return brief.envelope.to[0] if brief.envelope and brief.envelope.to else brief.sender


def greeting(reader: Address, phrases: Mapping[str, Any]) -> str:
    """By the first name where it is sure, else the language's neutral one."""
    name = first_name(reader)
    return filled(phrases["greeting"], name=name) if name else str(phrases["neutral"])


def ending(brief: Brief, phrases: Mapping[str, Any]) -> str:
    """The closing and the owner's name."""
    return f"{phrases['closing']}\n{one_line(brief.owner_name, _NAME)}"


def first_name(sender: Address) -> str:
    """The name to greet by, "" when it is not sure: the address must bear the name out."""
    name = one_line(sender.name, 80).strip("\"' ")
    if name.count(",") == 1:  # "Alvarez, Maria"
        name = " ".join(reversed([part.strip() for part in name.split(",")]))
    words = name.split()
    if any(word.lower().strip(".") in _name_words("titles") for word in words):
        return ""  # who writes "Dr." or "Frau" is not greeted by the first name
    if not 1 <= len(words) <= 3 or not all(_is_name(word) for word in words):  # noqa: PLR2004
        return ""
    local, _, host = sender.email.lower().partition("@")
    parts = [part for part in re.split(r"[^a-zß-ÿ]+", local) if part]
    first, last = _folded(words[0]), _folded(words[-1])
    borne_out = first in parts or last in parts or (first + last) in parts or (first[:1] + last) in parts
    if len(words) == 1:  # one word may as well be a brand, whose address then has it on both sides
        borne_out = first in parts and first not in host
    if not borne_out:
        return ""
    return words[0].capitalize() if words[0].isupper() else words[0]


def _is_name(word: str) -> bool:
    plain = word.replace("-", "").replace("'", "").replace("\u2019", "")
    return plain.isalpha() and word[0].isupper() and len(plain) > 1 and word.lower() not in _name_words("not_a_person")


def _folded(word: str) -> str:
    """As names are spelt in addresses: without accents, umlauts as two letters."""
    spelt = word.lower()
    for umlaut, letters in (("ä", "ae"), ("ö", "oe"), ("ü", "ue"), ("ß", "ss")):
        spelt = spelt.replace(umlaut, letters)
    return "".join(sign for sign in composed("NFD", spelt) if sign.isalpha())


@cache
def _name_words(kind: str) -> frozenset[str]:
    return frozenset(tomllib.loads((FOLDER / "names.toml").read_text(encoding="utf-8"))[kind])


# ---------------------------------------------------------------- what the owner is told of it


def gist_of(brief: Brief, kind: str, **values: object) -> str:
    """The gist of that kind; one that has no sentence of its own (the tone of a ladder) is a plain reminder."""
    sentences = words_in(brief.owner_language, "gist")
    return one_line(filled(sentences.get(kind, sentences["plain"]), **values), LONGEST_GIST)


def as_why(reasons: Iterable[str]) -> tuple[str, ...]:
    """Why there is no model's draft, or what its check found, as `Draft.why` holds it: a line each, no full stop."""
    return tuple(one_line(reason, _REASON).rstrip(".") for reason in reasons)


def template_reasons(
    brief: Brief, section: str, wishes: str, cause: str = "No model worked your wishes in"
) -> Iterator[str]:
    """What a template could not do: work wishes in, or write in a language that has no words for it."""
    if wishes:
        yield f'{cause}: answer "edit" and your text'
    elif not speaks(brief.language, section):
        yield f"There is no template in their language ({one_line(brief.language, 20)}), so it is in English"
