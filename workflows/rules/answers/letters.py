"""Letters: an answer that is itself the mail to the client, from "Hi Maria," to the owner's name. Pure and total.

Whoever writes that has written the draft anew and only left out the word "edit". It is told from wishes to Deskhand
("Hi, please make it shorter. Nora") by whom it greets: a person that the draft is for, or anybody by name.
"""

import re
from functools import cache

from workflows.models.people import Owner
from workflows.rules.answers.closings import is_contact, names_of
from workflows.rules.answers.grammar import Grammar, PlainWords, bare, grammar_of
from workflows.rules.text.canonical import visible
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import table

_LONGEST_LINE = 2_000  # characters of the first line
_BEHIND_COMMA = re.compile(r"^([^\W\d_]+(?: [^\W\d_]+)?), (?=[^\W\d_])")
_MOST_NAMES = 6  # words
_SHORT = 2  # letters that are no name
_GREETED = re.compile(
    r"(?P<greeting>[^,!:\n\u2013\u2014]{2,90}?)\s*"
    r"(?:(?P<end>[,!:]|\s[-\u2013\u2014]|\.(?=\s|$))\s*(?P<rest>.*)|$)"
)


def is_letter(text: str, owner: Owner, to: frozenset[str] = frozenset()) -> bool:
    """Whether these words are a mail to a client. `to`: the words of the names of those whom the draft is for."""
    lines = [line.strip() for line in visible(text).split("\n") if line.strip()]
    grammar = grammar_of(owner)
    first = _without_dots(lines[0][:_LONGEST_LINE], grammar) if lines else ""
    # "Hola, Maria:" greets behind a comma.
    behind = _BEHIND_COMMA.sub(r"\1 ", first, count=1)
    match = _GREETED.match(first)
    if match and _is_letter_to(match, [match["rest"] or "", *lines[1:]], owner, to, grammar):
        return True
    late = _GREETED.match(behind) if behind != first else None
    names_them = late is not None and _greets_only(late["greeting"], to, grammar)
    return late is not None and names_them and _ends([late["rest"] or "", *lines[1:]], owner, grammar)


def _is_letter_to(match: re.Match[str], body: list[str], owner: Owner, to: frozenset[str], grammar: Grammar) -> bool:
    """Whether it greets somebody and ends as a letter does. `body`: what follows the greeting."""
    greeting = match["greeting"]
    for words in grammar.plain:
        addressee = _addressee(greeting, words)
        if addressee is None or "deskhand" in addressee:
            continue
        if to & set(addressee) and _is_only_names(addressee, to, grammar):
            return _ends(body, owner, grammar, unsigned=bool(owner.signatures) and not body[0])
        if match["end"] != "." and _is_somebody(greeting, addressee, words, owner, grammar):
            return _ends(body, owner, grammar) and not _is_order(body, grammar)
    return _is_open_letter(greeting, body, owner, grammar)


def _greets_only(greeting: str, to: frozenset[str], grammar: Grammar) -> bool:
    """Whether the greeting names those whom the draft is for and says nothing else."""
    addressees = (_addressee(greeting, words) for words in grammar.plain)
    return any(addressee and set(addressee) <= to for addressee in addressees)


def _without_dots(line: str, grammar: Grammar) -> str:
    """The line without the full stop of a title: "Frau Dr. Alvarez"."""
    titles = frozenset().union(*(words.titles for words in grammar.plain))
    return " ".join(word.rstrip(".") if bare(word) in titles else word for word in line.split())


def recipients(asked_text: str) -> frozenset[str]:
    """The words of the names that the To and Cc lines of an approval mail show."""
    lines = [line for line in asked_text.split("\n") if line.startswith(("To: ", "Cc: "))]
    names = (name for line in lines for name in re.sub(r"<[^<>]*>", " ", line[4:]).split())
    local = (part for line in lines for part in re.findall(r"([\w.+-]+)@", line[4:]))
    words = {bare(name) for name in names} | {bare(part) for place in local for part in re.split(r"[._+-]", place)}
    return frozenset(word for word in words if len(word) > _SHORT)


def _addressee(greeting: str, words: PlainWords) -> list[str] | None:
    """The words of the person who is greeted, titles left out; None when this is no greeting of that language."""
    plain = bare(greeting)
    for opening in words.greetings:
        if plain == opening or plain.startswith(f"{opening} "):
            addressee = plain.removeprefix(opening).strip()
            nested = _addressee(addressee, words) if addressee and addressee.split()[0] in words.greetings else None
            return nested if nested is not None else [word for word in addressee.split() if word not in words.titles]
    return None


def _is_somebody(greeting: str, addressee: list[str], words: PlainWords, owner: Owner, grammar: Grammar) -> bool:
    """Whether a person is greeted by a name that nobody told us: capitals, and no word of a wish."""
    named = [word for word in addressee if word not in words.everyone]
    if not named or set(named) & _weekdays() or len(addressee) > _MOST_NAMES or set(named) <= names_of(owner):
        return False
    if not _is_only_names(named, frozenset(), grammar):
        return False
    capitals = {bare(word) for word in greeting.split() if word[:1].isupper()}
    return named[-1] in capitals


def _is_only_names(words: list[str], to: frozenset[str], grammar: Grammar) -> bool:
    """Whether the greeting says nothing beside names ("Hi Maria and Tom", not "Hi Maria instead of Dear Maria")."""
    joining = set(table("plain_answers")["common"]["and"])
    wishes = grammar.hedges | grammar.instructions | frozenset(grammar.whole)
    return len(words) <= _MOST_NAMES and all(word in to or word in joining or word not in wishes for word in words)


def _is_open_letter(greeting: str, body: list[str], owner: Owner, grammar: Grammar) -> bool:
    """A letter that greets nobody by name: greeting and name on lines of their own, and no sentence is an order."""
    addressees = [_addressee(greeting, words) for words in grammar.plain]
    everyone = any(
        addressee is not None and set(addressee) <= words.everyone
        for addressee, words in zip(addressees, grammar.plain, strict=True)
    )
    own_lines = not body[0] and len(body) > 3  # noqa: PLR2004 - greeting, text, closing or name
    return everyone and own_lines and _ends(body, owner, grammar) and not _is_order(body, grammar)


def _is_order(body: list[str], grammar: Grammar) -> bool:
    """Whether a sentence of it begins as an order to us does ("make it shorter", "please say Friday")."""
    sentences = re.split(r"[\n.!?;]+", "\n".join(body))
    first = (bare(sentence).split()[:2] for sentence in sentences)
    return any(
        words[0] in grammar.imperatives or (words[0] in grammar.thanks and words[-1] in grammar.imperatives)
        for words in first
        if words
    )


def _ends(body: list[str], owner: Owner, grammar: Grammar, *, unsigned: bool = False) -> bool:
    """Whether it ends as a letter does: with the owner's name, or with regards under which the signature stood."""
    lines = [line for line in body if line]
    while len(lines) > 1 and is_contact(lines[-1], owner):
        lines.pop()
    if not lines or len(bare(" ".join(lines)).split()) <= _SHORT:  # a name alone says nothing to anybody
        return False
    last = bare(lines[-1])
    names = {name for name in names_of(owner) if len(name) > 1 or last == name}
    named = any(last == name or last.endswith(f" {name}") for name in names)
    closed = last in grammar.closings and len(lines) > 1
    return named or closed or (unsigned and not _is_order(body, grammar))


@cache
def _weekdays() -> frozenset[str]:
    """Days, for "Lieber Freitag, ..." greets nobody."""
    times = [words_in(language, "calendar") for language in languages("calendar")]
    return frozenset(bare(name) for words in times for names in words["weekdays"] for name in names)
