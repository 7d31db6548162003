"""What a model's draft must not hold, and what it must be able to show. Pure: text in, faults out.

A hard fault makes a draft unusable: a link, an address, a number to call or an account that nobody named, our own
marker lines, a placeholder, the prompt. A soft one is told to the owner: a figure, day or name that stands in none of
the sources, or the wrong language. Nothing here trusts the model, nor the mail it read.
"""

import re
import tomllib
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

from agents.prompting import every_prompt
from workflows.models.drafts import Brief
from workflows.rules.text.canonical import defused, one_line, visible
from workflows.rules.text.composed import composed
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import known_language, speaks, with_added, words_in
from workflows.rules.text.redaction import ibans
from workflows.rules.text.words import fold, phrases

WORDS = Path(__file__).with_name("checks.toml")
SHORTEST, LONGEST = 20, 4_000  # characters of a body
_READ = 20_000  # characters of the mail from each end: more than a model is shown of it
_SHINGLE = 8  # words of a prompt in a row: nobody writes those by chance
_PHONE_DIGITS = 7
_SHOWN = 60  # characters of what was found, for the owner


@dataclass(frozen=True, slots=True)
class DraftFault:
    """One thing wrong: `what` is a plain sentence for the owner and, told back, for the model."""

    rule: str
    what: str
    hard: bool = True


@dataclass(frozen=True, slots=True)
class Allowed:
    """The texts a draft may draw on. `own` is what the client or the owner wrote for this very item."""

    own: str
    all: str
    files: bool = False  # something is attached: a sentence may say so


def allowed(brief: Brief, wishes: str = "", previous: str = "") -> Allowed:
    """What a draft for this brief may repeat.

    Links and addresses come from the mail at hand, the profile and the owner's own words alone; older mail supports
    facts, numbers and accounts, but a link in it may be long dead or somebody else's.
    """
    profile = [fact.quote for fact in brief.profile]
    people = [brief.owner_name, brief.sender.name, brief.sender.email, brief.client.name if brief.client else ""]
    standing = [fitting.answer.text for fitting in brief.standing]  # the owner's own words
    files = [file.name for file in brief.offered]
    message = (brief.message[:_READ], brief.message[-_READ:])
    own_texts = [brief.subject, *message, *profile, *standing, *people, *files, wishes, previous]
    supporting = [*own_texts, brief.older[:_READ], *(source.quote for source in brief.sources), *_of_desk(brief)]
    return Allowed(own=_plain("\n".join(own_texts)), all=_plain("\n".join(supporting)), files=bool(files))


def _of_desk(brief: Brief) -> Iterator[str]:
    """What is open with the client, and what was written before: it bears out figures, days and names."""
    if brief.kind == "reply":
        yield from (fact.quote for fact in brief.facts)
        yield from (turn.text for turn in brief.conversation)
        if brief.affairs.today:
            yield f"{brief.affairs.today:%Y-%m-%d %d.%m.%Y %A %B}"


def faults(body: str, brief: Brief, wishes: str = "", previous: str = "") -> tuple[DraftFault, ...]:
    """Everything wrong with a body, the hard faults first; () when it may be shown as it is."""
    if len(body) > LONGEST:
        return (
            DraftFault("length", f"The text has {len(body)} characters: more than the {LONGEST} a reply may have."),
        )
    support = allowed(brief, wishes, previous)
    text = _plain(body)
    problems = [*_form(body), *_contents(text, support), *_facts(text, brief, support)]
    if not wishes:  # the owner may well have asked for another language
        problems += _language(text, brief.language)
    unique = dict.fromkeys(problems)
    return tuple(sorted(unique, key=lambda fault: not fault.hard))


def safe_line(text: str, support: Allowed, limit: int) -> str:
    """A model's words for the owner's eyes on one line; "" when they hold anything a draft must not hold."""
    line = one_line(text, limit)
    return "" if next(_contents(_plain(text), support), None) else line


def _plain(text: str) -> str:
    """As a reader or a mail program sees it: no invisible characters, look-alike forms folded to the usual ones."""
    return composed("NFKC", visible(text)).replace("\u3002", ".")


# ---------------------------------------------------------------- form


def _form(body: str) -> Iterator[DraftFault]:
    text = visible(body)
    if len(text.strip()) < SHORTEST:
        yield DraftFault("length", f"The text has {len(text.strip())} characters: too short to be a reply.")
    if defused(text) != text or re.search(r"^\W*[-_=]{5,}", text, re.MULTILINE):
        yield DraftFault("marker", "A line looks like one of the lines Deskhand draws around a draft.")


# ---------------------------------------------------------------- what nobody named


# Every run is bounded: a hostile mail must not keep a search busy.
_ADDRESS = re.compile(r"""[^\s<>()\[\],;:"'@]{0,80}@[^\s<>()\[\],;:"']{0,200}""")
_HIDDEN_ADDRESS = re.compile(
    r"[\w.+-]{1,80}\s{0,3}[(\[{]\s{0,3}(?:at|ät|arobase|arroba)\s{0,3}[)\]}]\s{0,3}[\w.-]{1,80}", re.IGNORECASE
)
_LINK = re.compile(
    r"""(?ix)
    (?:[a-z][a-z0-9+.-]{0,20}:)?//\S{1,2000}
    |\bwww\.\S+
    |\b(?:mailto|tel|sms|javascript|data|file|skype|whatsapp|callto|facetime|bitcoin|geo):\S+
    |(?<![\w.-])(?:[\w-]{1,63}\.){1,9}[^\W\d_][\w-]{1,62}(?::\d{1,5})?(?:[/?#]\S{0,2000})?
    |(?<![\w.])\d{1,3}(?:\.\d{1,3}){3}(?![\w.])(?::\d+)?(?:/\S*)?
    """
)
_ENDINGS = ".,;:!?)>]}\"'»”’*_"  # noqa: RUF001 (quote marks that stand after a link)
_PHONE = re.compile(r"(?<![\w.,])[+(]?\d[\d ()./\u2010-\u2015-]{4,}\d(?!\w)")
_DATES = re.compile(r"\b\d{1,4}[./-]\d{1,2}[./-]\d{1,4}\b|\b\d{1,2}[:.h]\d{2}\b")
_CODE = re.compile(r"\b(?=\w*\d)(?=\w*[a-zA-Z])[a-zA-Z0-9]{24,}\b")
_PLACEHOLDER = re.compile(
    r"\[[^\]\n]{1,60}\]|\{\{?[^}\n]{1,60}\}|<[^<>\n@]{1,60}>|%\w+%|\$\{?[A-Za-z_]+"
    r"|\b(?:XX+|TBD|TODO|N\.N\.)\b|_{3,}|lorem ipsum",
    re.IGNORECASE,
)
_SOURCE_ID = re.compile(
    r"\b(?:mail:[0-9a-f]{6,}|(?:draft|edit|sent|bid|case):\d+|(?:profile|invoice|project|promise|answer|money):[\w-]+)"
)
_OURSELVES = re.compile(r"deskhand", re.IGNORECASE)


def _contents(text: str, support: Allowed) -> Iterator[DraftFault]:
    """What may stand in a text only if the client or the owner wrote it."""
    bare = _ADDRESS.sub(" ", text)
    links = _links(support.own) | _hosts(support.own)
    phones = _phones(support.all) | set(re.findall(r"\d+", support.all))
    yield from _foreign("address", "The address", _addresses(text), _addresses(support.own).__contains__)
    yield from _foreign("link", "The link", _links(bare), links.__contains__)
    yield from _foreign("phone", "The number", _phones(_without_accounts(bare)), phones.__contains__)
    yield from _foreign("account", "The account", _accounts(text), _accounts(support.all).__contains__)
    yield from _foreign("code", "The code", set(_CODE.findall(text)), _within(support.all))
    yield from _foreign("placeholder", "The placeholder", set(_PLACEHOLDER.findall(text)), _within(support.own))
    yield from _foreign("source-id", "The source id", set(_SOURCE_ID.findall(text)), _within(""))
    yield from _foreign("ourselves", "The word", set(_OURSELVES.findall(text)), _within(support.own))
    if match := _machine_talk().search(text):
        yield DraftFault("machine", f'It speaks as a machine: "{one_line(match.group(), _SHOWN)}".')
    if not support.files and (promise := _promised_file(text)):
        yield DraftFault("attachment", f'It promises a file, and none is attached: "{one_line(promise, _SHOWN)}".')
    if leaked := _leak(text):
        yield DraftFault("leak", f'It repeats its own instructions: "{one_line(leaked, _SHOWN)}".')


def _foreign(rule: str, name: str, found: Iterable[str], known: Callable[[str], bool]) -> Iterator[DraftFault]:
    for item in sorted(found):
        if not known(item):
            yield DraftFault(rule, f'{name} "{one_line(item, _SHOWN)}" was named neither by the client nor by you.')


def _within(text: str) -> Callable[[str], bool]:
    return lambda item: item in text


def _addresses(text: str) -> set[str]:
    addresses = {item.strip(_ENDINGS + "*_").lower() for item in _ADDRESS.findall(text)}
    return addresses | {" ".join(item.lower().split()) for item in _HIDDEN_ADDRESS.findall(text)}


def _links(text: str) -> set[str]:
    return {link for item in _LINK.findall(text) if _is_link(link := item.rstrip(_ENDINGS))}


def _is_link(item: str) -> bool:
    """Not so: two sentences with the blank forgotten ("soon.Thanks"), unless a mail program would make a link of it."""
    end = re.split(r"[:/?#]", item)[0].rpartition(".")[2]
    joined = end.istitle() and end.lower() not in _words("endings") and re.fullmatch(r"[\w.-]+", item)
    return not joined


def _hosts(text: str) -> set[str]:
    """The bare hosts of links that were given: naming the site is no new link."""
    return {host for link in _links(text) if (host := re.sub(r"^[a-z][a-z0-9+.-]*://", "", link).split("/")[0])}


def _phones(text: str) -> set[str]:
    runs = (re.sub(r"\D", "", run) for run in _PHONE.findall(_DATES.sub(" ", text)))
    return {digits for digits in runs if len(digits) >= _PHONE_DIGITS}


def _accounts(text: str) -> set[str]:
    return {re.sub(r"[^A-Z0-9]", "", text[start:end].upper()) for start, end in ibans(text)}


def _without_accounts(text: str) -> str:
    for start, end in reversed(list(ibans(text))):
        text = f"{text[:start]} {text[end:]}"
    return text


def _without_contacts(text: str) -> str:
    """The text without what has its own check: accounts, addresses, links, telephone numbers."""
    text = _LINK.sub(" ", _ADDRESS.sub(" ", _without_accounts(text)))
    return _PHONE.sub(lambda run: " " if _phones(run.group()) else run.group(), text)


def contacts(text: str) -> frozenset[str]:
    """Each address, link, telephone and account number that stands in a text."""
    plain = _plain(text[:_READ])
    outside = _ADDRESS.sub(" ", plain)
    return frozenset(_addresses(plain) | _links(outside) | _phones(_without_accounts(outside)) | _accounts(plain))


def bare(text: str) -> str:
    """A stranger's text as it may bear a draft out: without its accounts, addresses, links and telephone numbers."""
    return _without_contacts(_plain(text[:_READ]))


@cache
def _machine_talk() -> re.Pattern[str]:
    return re.compile("|".join(rf"\b{re.escape(phrase)}\b" for phrase in _words("machine")), re.IGNORECASE)


def _promised_file(text: str) -> str:
    """The words that promise a file with this mail."""
    folded = fold(text)
    speaking = _of("attachment_of_theirs").sub(" . ", folded)
    match = _of("attachment").search(speaking)
    return match.group() if match else ""


@cache
def _of(kind: str) -> re.Pattern[str]:
    return phrases(_tables()[kind])


@cache
def _shingles() -> frozenset[tuple[str, ...]]:
    return frozenset(_rows(every_prompt()))


def _rows(text: str) -> Iterator[tuple[str, ...]]:
    words = re.findall(r"\w+", text.lower())
    return (tuple(words[at : at + _SHINGLE]) for at in range(len(words) - _SHINGLE + 1))


def _leak(text: str) -> str:
    return " ".join(next((row for row in _rows(text) if row in _shingles()), ()))


# ---------------------------------------------------------------- facts


_NUMBER = re.compile(r"\d{1,3}(?:[ \u202f]\d{3})+(?!\d)(?:[.,]\d+)?|\d+(?:[.,:/'-]\d+)*")
_LIST_MARK = re.compile(r"^\s*\d{1,2}[.)]\s", re.MULTILINE)
_NAME = re.compile(r"(?:(?<=[a-zß-ÿ] )|(?<=, ))([^\W\d_][\w'-]+)")
_TITLED = re.compile(r"\b(?:Herrn?|Frau|Mr\.?|Mrs\.?|Ms\.?|Dr\.?|M\.|Mme|Sra?\.?)\s+([^\W\d_][\w'-]+)")


def _facts(text: str, brief: Brief, support: Allowed) -> Iterator[DraftFault]:
    years = {str(brief.received_at.year + offset) for offset in (0, 1)} if brief.received_at else set()
    for number in _unsupported_numbers(text, support.all, years):
        yield _unsupported("figure", number)
    for day in _unsupported_days(text, support.all):
        yield _unsupported("day", day)
    for name in _unsupported_names(text, "de" if language_of(text) == "de" else brief.language, support.all):
        yield _unsupported("name", name)


def _unsupported(kind: str, what: str) -> DraftFault:
    return DraftFault(
        "fact", f'The {kind} "{one_line(what, _SHOWN)}" stands neither in their mail nor in what is known.', hard=False
    )


def _unsupported_numbers(text: str, support: str, years: set[str]) -> list[str]:
    known_numbers = {_digits_of(item) for item in _NUMBER.findall(support)}
    parts = {part.lstrip("0") for item in _NUMBER.findall(support) for part in re.findall(r"\d+", item)}
    parts |= {"", *years, *(str(at) for at in _named(support, "months"))}
    bare = _LIST_MARK.sub(" ", _without_contacts(text))
    return [item for item in dict.fromkeys(_NUMBER.findall(bare)) if not _known_number(item, known_numbers, parts)]


def _known_number(item: str, known: set[str], parts: set[str]) -> bool:
    pieces = [piece.lstrip("0") for piece in re.findall(r"\d+", item)]
    # A time or a date may be written in another way than the mail did: then each of its parts must be known.
    other_way = len(pieces) == 1 or ":" in item or len(pieces) > 2 or "/" in item  # noqa: PLR2004
    return _digits_of(item) in known or (other_way and all(piece in parts for piece in pieces))


def _digits_of(number: str) -> str:
    """One form for an amount however a country writes it: 1,250.00 and 1.250 are both 1250."""
    return re.sub(r"\D", "", re.sub(r"[.,]0{1,2}$", "", number)).lstrip("0")


def _unsupported_days(text: str, support: str) -> list[str]:
    missing = []
    for kind in ("weekdays", "months", "relative"):
        supported = _named(support, kind)
        missing += [word for at, word in _named(text, kind).items() if at not in supported]
    return missing


def _named(text: str, kind: str) -> dict[int, str]:
    """Which of the rows of words of that kind stand in the text: the row's number, and the word."""
    words_by_row: dict[int, str] = {}
    for at, pattern in enumerate(_rows_of_words(kind), start=1):
        if hit := pattern.search(text):
            words_by_row[at] = hit.group()
    return words_by_row


@cache
def _rows_of_words(kind: str) -> tuple[re.Pattern[str], ...]:
    rows: list[list[str]] = _tables()[kind]
    flags = re.IGNORECASE if kind != "months" else 0  # "may" is no month
    return tuple(re.compile(r"\b(?:" + "|".join(row) + r")\b", flags) for row in rows)


def _unsupported_names(text: str, language: str, support: str) -> list[str]:
    """Capitalised words within a sentence; in German, where every noun is one, only those after a title."""
    words = {word.lower() for word in re.findall(r"[^\W_][\w'-]*", support)} | _words("capitalised") | _day_words()
    candidates = _TITLED.findall(text) if language == "de" else _NAME.findall(text) + _TITLED.findall(text)
    names = [name for name in dict.fromkeys(candidates) if name[0].isupper() and not name.isupper()]
    return [name for name in names if not _is_known(name.lower(), words)]


def _is_known(name: str, known: "set[str] | frozenset[str]") -> bool:
    return name in known or name.removesuffix("'s") in known or any(part in known for part in name.split("-"))


@cache
def _day_words() -> frozenset[str]:
    rows = [*_tables()["weekdays"], *_tables()["months"]]
    return frozenset(word.lower() for row in rows for word in row)


# ---------------------------------------------------------------- language and words


def _language(text: str, wanted: str) -> Iterator[DraftFault]:
    language = language_of(text)
    if language and speaks(wanted, "small_words") and language != known_language(wanted, "small_words"):
        yield DraftFault(
            "language",
            f"It is written in {language_name(language)}, their mail in {language_name(wanted)}.",
            hard=False,
        )


def language_name(language: str) -> str:
    """The English name of a two-letter code; the code itself when it is none of ours."""
    return str(words_in(language, "language")["called"]) if speaks(language, "language") else language


@cache
def _tables() -> dict[str, Any]:
    return with_added(tomllib.loads(WORDS.read_text(encoding="utf-8")), "checks")


@cache
def _words(kind: str) -> frozenset[str]:
    return frozenset(_tables()[kind])
