"""Who wrote what is older: the one who is answered here, or somebody else.

The words of the one who is answered are no words of the client's. So a head of older mail is read for whom it names:
by an address, by a display name, or as a header without an address. It names somebody else as soon as it says anything
more, and what stands below it is read with the client's own words.
"""

import re
from collections.abc import Sequence
from dataclasses import dataclass

from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.rules.text.calendar import folded
from workflows.rules.text.heads import (
    DASHES,
    FLAT_FIELD,
    LONGEST_LINE,
    QUOTED,
    OlderHead,
    asks_above,
    is_flat,
    is_ruled,
    kind_of_field,
    kind_of_flat,
)
from workflows.rules.text.quotes import LETTERS, has_verb, is_listed

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:：]{1,80}@[^\s<>()\[\]\"',;:：]{1,300}")  # noqa: RUF001 (CJK colon)
_LONGEST_NAME = 200
_LONGEST_HEAD = 1200  # characters of a head that are looked at
_MOST_PEOPLE = 5
_MOST_FIELDS = 14  # lines of a header block
_MOST_LINES = 3  # lines of an attribution
_SPELLED = 3  # letters of a name from which on an address can spell it
_TITLES = frozenset(("dr", "ing", "dipl", "prof", "mr", "mrs", "ms", "herr", "frau", "mme", "m", "msc", "sig", "via"))


@dataclass(frozen=True, slots=True)
class Addressee:
    """Whom a mail answers: addresses in small letters, and of each name its words."""

    addresses: frozenset[str] = frozenset()
    names: tuple[frozenset[str], ...] = ()
    others: tuple[frozenset[str], ...] = ()  # names of those who write here


NOBODY = Addressee()


def addressee_of(email: Email, owner: Owner | None = None) -> Addressee:
    """Whom this mail answers: the owner as the settings name them, and as the mail itself does."""
    senders = {sender.email.lower() for sender in email.senders}
    people = _people(email, owner)
    addresses = {person.email.lower() for person in people} | (owner.addresses if owner else frozenset())
    sender_names = tuple(words for sender in email.senders if (words := _words(sender.name)))
    names = dict.fromkeys(words for person in people if (words := _words(person.name)) and words not in sender_names)
    return Addressee(frozenset(addresses - senders - {""}), tuple(names), sender_names)


def _people(email: Email, owner: Owner | None) -> tuple[Address, ...]:
    """The owner, and under which name and address this mail reached them: the only one, where it is not known."""
    if owner is None:
        return email.to[:_MOST_PEOPLE]
    to = [recipient for recipient in (*email.to, *email.cc) if recipient.email.lower() in owner.addresses]
    alias = email.to if not to and len(email.to) == 1 else ()  # an address that the settings do not know
    return (Address(email=owner.address, name=owner.name), *to[:_MOST_PEOPLE], *alias)


def own_head_at(lines: Sequence[str], at: int, who: Addressee) -> OlderHead | None:
    """A head that says of one who is answered that they wrote, and not a word more: however short it is, it is one."""
    if who is NOBODY or not lines[at].strip() or len(lines[at]) > LONGEST_LINE:
        return None
    kind, value = kind_of_field(lines[at])
    if kind == "from" and not _is_bare(value, who):
        return None
    if kind == "from":
        length = next((step for step, line in enumerate(lines[at : at + _MOST_FIELDS]) if not _is_field(line)), 1)
        return OlderHead(length, sure=True)
    joined = ""
    for length, line in enumerate(lines[at : at + _MOST_LINES], start=1):
        if not line.strip() or QUOTED.match(line) or len(joined) + len(line) > LONGEST_LINE:
            return None
        joined = f"{joined} {line.strip()}" if joined else line.strip()
        if joined.rstrip(f"{DASHES} ").endswith((":", "：")) or is_ruled(joined[::-1]):  # noqa: RUF001
            return OlderHead(length, sure=True, by_name=True) if _says_it_wrote(joined, who) else None
    return None


def says_more(line: str, who: Addressee) -> bool:
    """Whether an attribution has a word that is neither a program's nor, as it begins with a capital, a name's."""
    words = LETTERS.findall(_ADDRESS.sub(" ", line[:_LONGEST_HEAD]))
    spelled = frozenset().union(*who.names)
    return any(word.islower() and not is_listed(folded(word)) and folded(word) not in spelled for word in words)


def _is_field(line: str) -> bool:
    return bool(kind_of_field(line)[0])


def _says_it_wrote(joined: str, who: Addressee) -> bool:
    words = LETTERS.findall(folded(joined))
    return _is_bare(joined, who) and (has_verb(words) or bool(re.search(r"\d", joined)))


def _is_bare(named: str, who: Addressee) -> bool:
    """Whether it names one who is answered, and has no word beyond names and what programs write."""
    plain = folded(named).replace("mailto:", " ")
    addresses = {address.strip(".") for address in _ADDRESS.findall(plain)}
    words = frozenset(LETTERS.findall(_ADDRESS.sub(" ", plain))) - _TITLES
    name = next((name for name in who.names if name <= words), frozenset())
    strangers = frozenset(word for word in words if not is_listed(word))
    if addresses:
        return addresses <= who.addresses and strangers <= frozenset().union(*who.names, _spelling(who))
    if not who.names:
        return _is_spelled(tuple(strangers), who)
    return bool(words) and ((bool(name) and strangers <= name) or any(words <= name for name in who.names))


def wrote_it(head: Sequence[str], who: Addressee) -> bool:
    """Whether this head of older mail names the one who is answered as its writer."""
    if asks_above(head[0]):
        return True
    named = _named(head)
    return bool(named) and _is(named, who)


def _named(head: Sequence[str]) -> str:
    """The part of a head that says who wrote; "" when none does."""
    for line in head:
        if kind_of_field(line)[0] == "from" and not is_flat(line):
            return kind_of_field(line)[1][:_LONGEST_HEAD]
    joined = " ".join(line.strip() for line in head)[:_LONGEST_HEAD]
    fields = list(FLAT_FIELD.finditer(joined))
    for at, field in enumerate(fields):
        if kind_of_flat(field[1]) == "from":
            return joined[field.end() : fields[at + 1].start() if at + 1 < len(fields) else len(joined)]
    return joined.strip(f"{DASHES} ")


def _is(named: str, who: Addressee) -> bool:
    """By the first address, by a name before which nothing else stands, or by a part of the name alone."""
    named = re.sub("mailto:", " ", named, flags=re.IGNORECASE)
    address = _ADDRESS.search(folded(named))
    before = named[: named.find("@")] if address else named
    words = [word for word in LETTERS.findall(_ADDRESS.sub(" ", before)) if not is_listed(folded(word))]
    strangers = [word for word in words if not any(folded(word) in name for name in who.names)]
    if address and address[0].strip(".") in who.addresses:
        return not any(word.islower() and folded(word) not in _spelling(who) for word in strangers)
    spoken = [folded(word) for word in words]
    return any(_begins_with(spoken, name) for name in who.names) or (not address and _is_spelled(spoken, who))


def _begins_with(words: Sequence[str], name: frozenset[str]) -> bool:
    """The whole name, and a firm's behind it; or a part of it and nothing else."""
    bare = [word for word in words if word not in _TITLES]
    if len(name) > 1 and set(bare[: len(name)]) == name:
        return True
    return bool(bare) and set(bare) <= name


def _is_spelled(words: Sequence[str], who: Addressee) -> bool:
    """Whether an address spells this name, where no name is known: nora@feld.example is Nora Feld's."""
    if who.names or len(words) < 2 or set(words) in who.others:  # noqa: PLR2004
        return False
    return any(all(len(word) >= _SPELLED and word in address for word in words) for address in who.addresses)


def _spelling(who: Addressee) -> frozenset[str]:
    return frozenset(word for address in who.addresses for word in LETTERS.findall(address))


def _words(name: str) -> frozenset[str]:
    return frozenset(LETTERS.findall(folded(_ADDRESS.sub(" ", name[:_LONGEST_NAME]))))
