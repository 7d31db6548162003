"""The one frame that a mail program puts right above our quoted lines: an attribution or a block of headers.

A frame is known by what it is made of, not by whose it is: it names us (Deskhand, an address of this answer, the
subject of our mail), and has no word beyond names, dates and the closed list of what programs write around a quote. A
line with any other word was typed, whatever it looks like.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass, replace

from workflows.models.mail import Email
from workflows.rules.quoted.footers import wish_words
from workflows.rules.quoted.quoting import ScannedLine, key_of
from workflows.rules.text import quotes
from workflows.rules.text.calendar import folded
from workflows.rules.text.quotes import LETTERS, SCRIPTS

_LONGEST = 600  # characters of a line that may be (a part of) a frame
_BLANKS = 8  # lines between a frame and the quote, or between its own parts
_ATTRIBUTION_LINES, _HEADER_LINES = 5, 30
_STRANGE = 4  # words of a language that is not listed
_RULE = 8  # signs: longer than "-- "
_SIGNS = "-_*=~.\u2010\u2011\u2012\u2013\u2014\u2015\u2500\u2501|>+# "

_ADDRESS = re.compile(r"[^\s<>()\[\]\"',;:\uff1a]+@[^\s<>()\[\]\"',;:\uff1a]+")
_DAY_AND_MONTH = re.compile(
    r"(?<![\d:.])\d{1,2}(?:st|nd|rd|th|\.)? ?(?:de )?[^\W\d_]{3,}"
    r"|[^\W\d_]{3,}\.? \d{1,2}\b|\d{1,2}(?:[./-]|\. )\d{1,2}|\d\s?[月월]|\d{1,2} \S{1,14} \d{4}"
)
_YEAR_OR_TIME = re.compile(r"\d{4}|\d{1,2}[:.h]\d{2}|'\d{2}")
_TAG = re.compile(r"\[deskhand[ \d.]*\]?")
_ZONE = re.compile(r"\((?:utc|gmt)[+-]?[\d:]{0,6}\) [^\W\d_][^\d:;@<>]{0,80}$")
_PREFIX = re.compile(r"[^\W\d_]{1,12}(?:\[\d{1,3}\])?\s?[:\uff1a]\s?")


@dataclass(frozen=True, slots=True)
class Ours:
    """What a frame may name: the people of this answer and the mail that it answers."""

    addresses: frozenset[str]
    names: frozenset[str]  # the words of their names
    writer: frozenset[str]  # the words of the owner's own name
    subjects: tuple[str, ...]  # our subject, folded, longest first
    subject_words: frozenset[str]  # words that our subject is made of


@dataclass(frozen=True, slots=True)
class Glance:
    """What a piece of text names."""

    desk: bool = False  # Deskhand by name
    address: bool = False  # an address of ours
    writer: bool = False  # the owner's whole name
    verb: bool = False
    day: bool = False  # a day of the calendar
    subject: bool = False
    foreign: bool = True  # a word that no frame has
    strange: int = 99  # words that no frame has and no answer either: a language that is not listed
    mailbox: bool = False  # Deskhand and its address, as programs write them


def ours(email: Email, asked_text: str) -> Ours:
    """Who and what a frame of this answer may name."""
    people = (*email.senders, *email.to, *email.cc, *email.reply_to)
    ids = (name.strip("<>").lower() for name in (*email.in_reply_to, *email.references))
    names = frozenset(word for person in people for word in LETTERS.findall(folded(person.name[:200])))
    lines = [line for line in asked_text.split("\n", 40)[:40] if line.startswith(("To: ", "Subject: "))]
    head = " ".join((*lines[:2], email.subject[:400])).replace("\n", " ")
    return Ours(
        addresses=frozenset((*(person.email.lower() for person in people), *ids)) - {""},
        names=names,
        writer=frozenset(LETTERS.findall(folded(email.sender.name[:200]))),
        subjects=_subjects(folded(email.subject[:400])),
        subject_words=frozenset(LETTERS.findall(folded(head[:1000]))),
    )


def _subjects(subject: str) -> tuple[str, ...]:
    """The subject with and without what replies put before it; only one that bears our tag."""
    forms = []
    for _ in range(4):
        if not _TAG.search(subject):
            break
        forms.append(subject)
        prefix = _PREFIX.match(subject)
        if prefix is None:
            break
        subject = subject[prefix.end() :]
    return tuple(forms)


# ---------------------------------------------------------------- words


def glance(text: str, who: Ours) -> Glance:
    """What the text names, and whether it has a word that no frame has."""
    if len(text) > _LONGEST:
        return Glance()
    plain = _without_zone(folded(text).replace("mailto:", " ").replace("no dia ", "dia "))
    plain, subject = _without_subject(plain, who)
    address_of_ours, foreign, mailbox = False, False, False
    for match in _ADDRESS.finditer(plain):
        address = match[0].strip(".")
        ours_too = address in who.addresses or re.search(r"deskhand\W{0,6}$", plain[: match.start()][-20:]) is not None
        address_of_ours, foreign = address_of_ours or ours_too, foreign or not ours_too
        mailbox = mailbox or re.search(r"deskhand[\"']? ?[<(\[]+ ?$", plain[: match.start()][-20:]) is not None
    words = LETTERS.findall(_ADDRESS.sub(" ", plain))
    verb = quotes.has_verb(words)
    you = any(word in quotes.you() for word in words) and verb
    unknown = [word for word in words if not (_is_known(word, who) or (you and word in quotes.you()))]
    wished = foreign or any(word in wish_words() for word in unknown)
    return Glance(
        desk="deskhand" in words or you,
        address=address_of_ours,
        writer=len(who.writer) > 1 and who.writer <= set(words),
        verb=verb,
        day=_DAY_AND_MONTH.search(plain) is not None,
        subject=subject,
        foreign=foreign or bool(unknown),
        strange=99 if wished else len(unknown),
        mailbox=mailbox,
    )


def _without_zone(said: str) -> str:
    """Without `(UTC+01:00) Amsterdam, Berlin, Bern`: cities are in no list."""
    zone = _ZONE.search(said)
    if zone is None or any(word in wish_words() for word in LETTERS.findall(zone[0])):
        return said
    return said[: zone.start()]


def _without_subject(said: str, who: Ours) -> tuple[str, bool]:
    for subject in who.subjects:
        if subject in said:
            return said.replace(subject, " ", 1), True
    tag = _TAG.search(said)
    if tag is None:
        return said, False
    before = LETTERS.sub(lambda word: "" if word[0] in who.subject_words else word[0], said[: tag.start()])
    return f"{before} {said[tag.end() :]}", True


def _is_known(word: str, who: Ours) -> bool:
    if word == "deskhand" or word in who.names or quotes.is_listed(word):
        return True
    return len(word) == 1 and not SCRIPTS.search(word)


def _is_complete(joined: str, who: Ours) -> bool:
    """Whether the words are an attribution: who, and that he wrote or when, and nothing else."""
    view = glance(joined, who)
    dated = view.day and _YEAR_OR_TIME.search(joined) is not None
    if view.foreign:
        # In a language that is not listed: our whole mailbox, the day, and a few words that no answer is made of.
        written = view.mailbox or (view.desk and view.verb and joined.endswith((":", "\uff1a")))
        return written and dated and view.strange <= _STRANGE
    if view.desk or view.address:
        named = view.desk or joined.rstrip(" *_").endswith((":", "\uff1a"))
        return view.verb or view.subject or (dated and named)
    return view.writer and view.verb and dated


# ---------------------------------------------------------------- the frame


def above(lines: list[ScannedLine], anchor: int, who: Ours) -> int:
    """Where the frame that ends right above this line begins; the line itself when there is none."""
    bottom = _up(lines, anchor)
    rule = anchor
    while bottom >= 0 and _is_separator(lines[bottom].text):
        rule, bottom = bottom, _up(lines, bottom)
    if bottom < 0 or len(lines[bottom].text) > _LONGEST:
        return rule
    for start in (_header_block(lines, bottom, who), _attribution(lines, bottom, who)):
        if start >= 0:
            return _with_separator(lines, start)
    return rule


def is_whole(lines: list[ScannedLine], first: int, who: Ours) -> bool:
    """Whether a frame that nothing of ours follows names our subject, or us and the day: half of one is typed."""
    joined = " ".join(line.text for line in lines[first:] if line.text)
    view = glance(joined, who)
    return view.subject or (view.day and _YEAR_OR_TIME.search(joined) is not None)


def _up(lines: list[ScannedLine], index: int) -> int:
    """The next line above that is not blank, -1 when none is near."""
    for place in range(index - 1, max(index - 2 - _BLANKS, -1), -1):
        if lines[place].text:
            return place
    return -1


def _with_separator(lines: list[ScannedLine], start: int) -> int:
    for _ in range(3):
        place = _up(lines, start)
        if place < 0 or not _is_separator(lines[place].text):
            return start
        start = place
    return start


def _is_separator(text: str) -> bool:
    """`-----Original Message-----`, `________________`, `Begin forwarded message:`."""
    if len(text) > _LONGEST:
        return False
    inner = key_of(folded(text))
    if not inner:
        return set(text) <= set(_SIGNS) and (len(text) >= _RULE or set(text) <= {">", "|", " "})
    return inner in quotes.separators() and (text[0] in _SIGNS or text.endswith((":", "-", "\uff1a")))


def _header_name(text: str) -> str:
    """`from` for `*From:* Deskhand <...>` and for `From "Deskhand" <...>`; "" when no header name begins the line."""
    plain = folded(text[:80]).lstrip(_SIGNS)
    for name in quotes.header_names():
        if plain.startswith(name) and (len(plain) == len(name) or not plain[len(name)].isalnum()):
            return name
    return ""


def _header_block(lines: list[ScannedLine], bottom: int, who: Ours) -> int:
    """Where a block of headers that ends here begins, -1 when none does."""
    names: set[str] = set()
    start, place, gap = -1, bottom, 0
    sender = is_addressed = subject = strange = False
    joined = ""
    while place >= 0 and bottom - place < _HEADER_LINES:
        line = lines[place]
        if not line.text:
            gap += 1
            if gap > 2 or (sender and is_addressed):  # noqa: PLR2004 - Notes and QQ leave blank lines inside
                break
            place -= 1
            continue
        name, view = _header_name(line.text), glance(line.text, who)
        if not name and view.foreign:
            name, view = _strange_header(line.text, who) or ("", view)
            strange = strange or bool(name)
        is_subject_head = _subject_rest(line.text, joined, who)
        if name in names or (view.foreign and not is_subject_head) or (sender and is_addressed and not name):
            break
        gap, joined = 0, f"{line.text} {joined}"[:_LONGEST]
        subject = subject or view.subject or is_subject_head
        if name:
            names.add(name)
            start = place
            named = quotes.header_kind(name) == "from" or name.startswith("?")
            sender = sender or (view.desk if name.startswith("?") else named and (view.desk or view.address))
        elif view.desk:
            start, sender = place, True
        is_addressed = is_addressed or len(names) >= 2 or subject  # noqa: PLR2004 - two headers at least
        place -= 1
    counted = len(names) >= 3 or (len(names) >= 2 and (sender or subject))  # noqa: PLR2004
    sure = sender and subject if strange else sender or subject
    return start if counted and sure else -1


def _strange_header(text: str, who: Ours) -> tuple[str, Glance] | None:
    """A header whose name is in no list, known by what it says: one of us, our subject or a day, and nothing else."""
    name, colon, value = folded(text).replace("\uff1a", ":").partition(":")
    view = glance(value, who)
    dated = view.day and _YEAR_OR_TIME.search(value) is not None
    names_us = view.desk or view.address or view.subject or dated
    foreign = view.foreign and not (dated and view.strange <= _STRANGE)
    words = LETTERS.findall(name)
    if not colon or foreign or not names_us or not 0 < len(words) <= 3 or any(word in wish_words() for word in words):  # noqa: PLR2004
        return None
    return f"?{name}", replace(view, foreign=False)


def _subject_rest(text: str, below: str, who: Ours) -> bool:
    """Whether the line is the head of our subject, whose end a mail program put on the line below."""
    value = folded(text).partition(":")[2].strip() if _header_name(text) else folded(text)
    subject_line = f"{value} {folded(below[:_LONGEST])}"
    return bool(value) and any(
        subject.startswith(value) and subject_line.startswith(subject) for subject in who.subjects
    )


def _attribution(lines: list[ScannedLine], bottom: int, who: Ours) -> int:
    """Where an attribution that ends here begins, -1 when none does."""
    joined, start = "", -1
    for place in range(bottom, max(bottom - _ATTRIBUTION_LINES, -1), -1):
        text = lines[place].text
        if not text or len(joined) + len(text) > _LONGEST:
            break
        if start >= 0 and not _is_head(text, joined, who):
            break
        joined = f"{text} {joined}".strip()
        if _is_complete(joined, who):
            start = place
        elif start >= 0:
            break
    return start


def _is_head(above_it: str, joined: str, who: Ours) -> bool:
    """Whether the line above is the head of this attribution: it has the day, and the rest has none yet."""
    head = glance(above_it, who)
    if head.foreign or glance(joined, who).day or above_it.endswith((".", "!", "?")):
        return False
    begins = LETTERS.match(folded(above_it).lstrip(_SIGNS)) is not None
    return head.day and _YEAR_OR_TIME.search(above_it) is not None and (begins or len(above_it) > 20)  # noqa: PLR2004


# ---------------------------------------------------------------- the net under it


def is_left_in(text: str, addresses: Collection[str]) -> bool:
    """Whether a text that is about to leave still holds a piece of our own mail or of a frame around it."""
    owners = Ours(frozenset(address.lower() for address in addresses), frozenset(), frozenset(), (), frozenset())
    return any(_is_left(line.strip(), owners) for line in text.split("\n") if line.strip())


def _is_left(line: str, who: Ours) -> bool:
    plain = folded(line[:_LONGEST])
    if "deskhand" in plain or "answer above this line" in plain or re.search(r"draft \d+\.\d+ (?:begins|ends)", plain):
        return True
    view = glance(line, who)
    framed = view.address and (view.verb or view.day or quotes.header_kind(_header_name(line)) == "from")
    return framed or (_is_separator(line) and any(sign.isalnum() for sign in line))
