"""What stands under the owner's words and is none of them: lines that mail programs add, and signatures.

A footer is a whole line of a known program: listed as it stands, or made of listed words only, with an opening ("sent")
and a product in it. A signature is one that is known (the owner's own blocks), or that the form shows to be one: under
"-- ", or in the block that the mail program marked; and no line of it may say a wish.
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Any

from workflows.rules.quoted.quoting import clean, key_of
from workflows.rules.text.calendar import folded
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import table

_LONGEST_FOOTER, _FOOTER_LINES, _SIGNATURE_LINES = 300, 4, 14
_LONGEST_BLOCK = 40  # lines of a known signature
_SHORTEST_BLOCK = 3  # letters of one
_TAGLINE = 6  # words
_LINK = re.compile(r"[(<\[]?(?:https?://|www\.)[^\s()<>\[\]]{1,500}[)>\]]?")
_CONTACT = re.compile(
    r"[^\s@]+@[^\s@]+\.[^\s@]+|(?:https?://|www\.)\S+|[\w-]+(?:\.[\w-]+)*\.[a-z]{2,12}(?:/\S*)?", re.IGNORECASE
)
_PHONE = re.compile(r"(?:\+|00|\(0|0)\d[\d ()/.\u2011-]{5,24}")
_TOWN = r"(?:[A-Z]{1,2}-)?\d{4,5} [^\W\d_][^\d]{1,40}"
_PLACE = re.compile(rf"{_TOWN}|[^\W\d_][^\d,]{{2,40}} \d{{1,4}} ?[a-z]?(?:, ?{_TOWN})?")
_WORD = re.compile(r"[^\W\d_]+(?:'[^\W\d_]+)?")
_DASHES = {"--", "\u2014", "\u2013", "---", "\u2014\u2014"}


@dataclass(frozen=True, slots=True)
class Known:
    """What is known of the owner's signatures: his name, his own blocks, and what the mail program marked as one."""

    name: str
    blocks: tuple[str, ...] = ()
    marked: tuple[str, ...] = ()


def without_footers(lines: list[str], known: Known) -> list[str]:
    """The lines without footers and signatures at their end."""
    cleaned = [clean(line, links=False).rstrip() for line in lines]
    for _ in range(2 * _SIGNATURE_LINES):
        shorter = _without_one(cleaned, known)
        if len(shorter) == len(cleaned):
            return cleaned
        cleaned = shorter
    return cleaned


def _without_one(lines: list[str], known: Known) -> list[str]:
    """The lines without the last thing that was not typed."""
    end = len(lines)
    while end and (not lines[end - 1].strip() or lines[end - 1].strip() in _DASHES):
        end -= 1
    upper_lines = lines[:end]
    footer = _footer_lines(upper_lines)
    if footer:
        return upper_lines[:-footer]
    block = _known_block(upper_lines, known)
    if block:
        return upper_lines[:-block]
    start = next((index for index, line in enumerate(upper_lines) if line.strip() in _DASHES), -1)
    if start >= 0 and _is_signature(upper_lines[start + 1 :], known.name):
        return upper_lines[:start]
    start = _card(upper_lines, known.name)
    return upper_lines[:start] if start > 0 else upper_lines


# ---------------------------------------------------------------- lines of programs


@lru_cache(maxsize=1)
def _tables() -> dict[str, Any]:
    return table("footers")


@dataclass(frozen=True, slots=True)
class _Template:
    opens: tuple[str, ...]
    glue: frozenset[str]


@lru_cache(maxsize=1)
def _listed() -> frozenset[str]:
    lines = [line for language in languages("footers") for line in words_in(language, "footers")["lines"]]
    return frozenset(key_of(folded(line)) for line in (*lines, *_tables()["lines"]["other"]))


@lru_cache(maxsize=1)
def _templates() -> tuple[_Template, ...]:
    footer_lists = [words_in(language, "footers") for language in languages("footers")]
    return tuple(
        _Template(
            tuple(sorted((_bare(words) for words in table["opens"]), key=len, reverse=True)),
            frozenset(word for words in table["glue"] for word in _bare(words).split()),
        )
        for table in (*footer_lists, *_tables()["templates"].values())
    )


@lru_cache(maxsize=1)
def _products() -> re.Pattern[str]:
    table = _tables()["products"]
    names = sorted({re.escape(_bare(name)) for name in table["names"]} - {""}, key=len, reverse=True)
    suffix = "pro|plus|ultra|nord|max|mini|lite|air|fe|se|note|fold|flip|tab|5g|4g|edge"
    model = rf"{table['models']}(?: (?:[a-z]{{0,2}}\d{{1,4}}[a-z]{{0,2}}|{suffix})){{1,4}}"
    return re.compile(rf"(?<![\w-])(?:{model}|{'|'.join(names)})(?!\w)")


def _bare(text: str) -> str:
    """The words of a line, folded, signs taken as blanks; `'` and `-` inside a word stay."""
    return " ".join(re.sub(r"[^\w'&!+.\-]|(?<!\w)[.'\-]+|[.'\-!]+(?!\w)|_", " ", folded(text)).split())


def _footer_lines(lines: list[str]) -> int:
    """How many lines at the end are one footer: a wrapped one, or one with its link below it."""
    end = len(lines)
    if end > 1 and _LINK.fullmatch(lines[-1].strip()):
        above = _footer_lines(lines[: end - 1]) if lines[end - 2].strip() else 0
        return above + 1 if above else int(is_footer(lines[-1]))
    for count in range(1, min(_FOOTER_LINES, end) + 1):
        if not lines[end - count].strip():
            return 0
        if is_footer(" ".join(line.strip() for line in lines[end - count :])):
            return count
    return 0


def is_footer(line: str) -> bool:
    """Whether the line is one that a mail program adds by itself ("Sent from my iPhone")."""
    if len(line) > _LONGEST_FOOTER:
        return False
    text = " ".join(_LINK.sub(" ", line).split()).strip(" *_[]()|")
    text_key, exact = key_of(folded(text)), key_of(folded(line))
    if text_key in _listed() or exact in _listed():
        return True
    if not text_key or "?" in line:
        return False
    return all(_is_templated(sentence) for sentence in _sentences(text))


def _sentences(text: str) -> list[str]:
    pieces = [piece for piece in re.split(r"(?<=\w)[.!;] +", text) if piece.strip()]
    if 1 < len(pieces) <= 3:  # noqa: PLR2004 - a program may say two or three things on one line
        return [piece for piece in pieces if key_of(folded(piece)) not in _listed()] or ["sent from iphone"]
    return [text]


def _is_templated(text: str) -> bool:
    bare = _bare(text)
    if not bare or len(bare.split()) > 16:  # noqa: PLR2004 - no footer is longer
        return False
    if _is_offer(bare):
        return True
    words = _products().sub(" \x00 ", bare)
    return "\x00" in words and any(_fits(words, bare, template) for template in _templates())


@lru_cache(maxsize=1)
def _offers() -> re.Pattern[str]:
    table = _tables()["offers"]
    opens, joins, ends, systems = (
        "|".join(sorted((re.escape(_bare(word)) for word in table[kind]), key=len, reverse=True))
        for kind in ("opens", "joins", "ends", "systems")
    )
    return re.compile(
        rf"(?P<open>(?:{opens}) )?(?P<app>[\w.&+ -]{{2,30}}) (?:{joins}) (?:{systems})(?P<end> (?:{ends}))?"
    )


def _is_offer(bare: str) -> bool:
    """`Get BlueMail for Android`, `Outlook für iOS beziehen`."""
    offer = _offers().fullmatch(bare)
    if offer is None or not (offer["open"] or offer["end"]):
        return False
    return _products().fullmatch(offer["app"]) is not None


def _fits(rest: str, bare: str, template: _Template) -> bool:
    """Whether the line has an opening of this language and, besides products, only its words."""
    for opening in template.opens:
        if f" {opening} " not in f" {bare} " and not (opening.isascii() is False and opening in bare):
            continue
        remainder = f" {rest} ".replace(f" {opening} ", " ") if f" {opening} " in f" {rest} " else f" {rest} "
        words = set(remainder.split()) - {"\x00"} - set(opening.split())
        if all(word in template.glue for word in words):
            return True
    return False


# ---------------------------------------------------------------- signatures


def _known_block(lines: list[str], known: Known) -> int:
    """How many lines at the end are a signature that is known, however it was wrapped."""
    blocks = [*known.blocks, *(block for block in known.marked if _may_be_marked(block, known.name))]
    keys = {key for key in (key_of(folded(block)) for block in blocks) if len(key) >= _SHORTEST_BLOCK}
    if not keys:
        return 0
    longest = max(map(len, keys))
    joined = ""
    for count in range(1, min(len(lines), _LONGEST_BLOCK) + 1):
        joined = key_of(folded(lines[-count])) + joined
        if joined in keys and lines[-count].strip():
            return count
        if len(joined) > longest:
            return 0
    return 0


def _may_be_marked(block: str, name: str) -> bool:
    """Whether a block that the mail program marked as the signature is one: words typed into it are none of it."""
    lines = [line for line in block.split("\n") if line.strip()]
    named = any(_is_name(line, name) or _is_contact(line) for line in lines)
    return named and len(lines) <= _SIGNATURE_LINES and not any(_may_be_typed(line, name) for line in lines)


def _may_be_typed(line: str, name: str) -> bool:
    return not (_is_name(line, name) or _is_contact(line) or is_footer(line) or _is_tagline(line))


def _is_signature(lines: list[str], name: str) -> bool:
    """Whether what stands under "-- " is a signature and not a second thought."""
    filled_lines = [line for line in lines if line.strip()]
    if len(filled_lines) > _SIGNATURE_LINES:
        return False
    sure = [_is_name(line, name) or _is_contact(line) or is_footer(line) for line in filled_lines]
    if all(sure):
        return True
    # A line between the owner's name and a way to reach him is what he calls himself.
    named = _is_name(filled_lines[0], name) or _is_titled(filled_lines[0])
    return named and sure[-1] and not any(_may_be_typed(line, name) for line in filled_lines)


def _card(lines: list[str], name: str) -> int:
    """Where a business card begins that stands, after a blank line, under a single line of words; 0 when none does."""
    written = [index for index, line in enumerate(lines) if line.strip()]
    if not 3 <= len(written) <= _SIGNATURE_LINES or lines[written[1] - 1].strip():  # noqa: PLR2004
        return 0
    card = [lines[index] for index in written[1:]]
    parts = [part for part in _WORD.findall(folded(card[0])) if part in _WORD.findall(folded(name))]
    full = _is_name(card[0], name) and len(set(parts)) > 1
    return written[1] if full and _is_contact(card[-1]) and _is_signature(card, name) else 0


def _is_name(line: str, name: str) -> bool:
    """Whether the line is the owner's name, with or without a title."""
    words = _WORD.findall(folded(line))
    name_words = set(_WORD.findall(folded(name[:200])))
    titles = {folded(title) for title in _tables()["cards"]["titles"]}
    named = any(word in name_words for word in words)
    return (
        named
        and all(word in name_words | titles for word in words)
        and not any(sign.isdigit() or sign in "?!" for sign in line)
    )


def _is_titled(line: str) -> bool:
    """Whether it is written as names are: two to four words, each with a capital."""
    words = line.split()
    return 2 <= len(words) <= 4 and all(word[0].isupper() and word.isalpha() for word in words)  # noqa: PLR2004


def _is_contact(line: str) -> bool:
    """A line of a business card: telephone, address, web page, tax number; nothing else."""
    text = " ".join(line.split()).strip(" |·•,")
    if not text or len(text) > 200 or "?" in text or "!" in text:  # noqa: PLR2004
        return False
    pieces = [
        piece.strip()
        for piece in re.split(r" [|·•/\u2013\u2014-] |, (?=tel|fax|mob|www|http)| \| ", text, flags=re.IGNORECASE)
    ]
    return all(_is_way(piece) for piece in pieces if piece)


def _is_way(text: str) -> bool:
    label = next((label for label in _labels() if folded(text).startswith(label)), "")
    remainder = folded(text)[len(label) :] if label and not folded(text)[len(label) : len(label) + 1].isalnum() else ""
    value = remainder.strip(" .:/-\u2013") if remainder else text
    if any(form.fullmatch(value.strip()) for form in (_CONTACT, _PHONE)):
        return True
    return bool(remainder) and _is_number(value) and not _is_said(text[len(label) :])


def _is_number(value: str) -> bool:
    return any(sign.isdigit() for sign in value) and len(value.split()) <= _TAGLINE


def _is_said(value: str) -> bool:
    """Whether words are said of a number ("only after 17:00") and do not just name it ("HRB 1234 Berlin")."""
    words = _WORD.findall(value)
    small = [word for word in words if word[0].islower() and len(word) > 2 and word != "ext"]  # noqa: PLR2004
    return bool(small) or any(word in wish_words() for word in _WORD.findall(folded(value)))


@lru_cache(maxsize=1)
def _labels() -> tuple[str, ...]:
    return tuple(sorted((folded(label) for label in _tables()["cards"]["labels"]), key=len, reverse=True))


def _is_tagline(line: str) -> bool:
    """Whether the line may be a profession, a firm or a street: short, no sentence, no word of a wish, yes or no."""
    text = line.strip()
    words = _WORD.findall(folded(text))
    if not words or len(words) > _TAGLINE or len(text) > 80 or not text[0].isupper():  # noqa: PLR2004
        return bool(_PLACE.fullmatch(text))
    if any(sign in text for sign in "?!;:\u2026") or text.endswith("."):
        return False
    if any(sign.isdigit() for sign in text) and not _PLACE.fullmatch(text):
        return False
    return not any(word in wish_words() for word in words)


@lru_cache(maxsize=1)
def wish_words() -> frozenset[str]:
    """Words of yes, no, wishes and days in every language: what is no part of a business card."""
    plain = {
        "and",
        "und",
        "et",
        "y",
        "e",
        "i",
        "en",
        "the",
        "der",
        "die",
        "das",
        "le",
        "la",
        "of",
        "de",
        "for",
        "to",
        "a",
        "o",
    }
    phrases = [
        phrase
        for language in languages("decisions")
        for words in words_in(language, "decisions").values()
        for phrase in words
    ]
    phrases += table("decisions")["common"]["hedges"]
    times = [words_in(language, "calendar")["weekdays"] for language in languages("calendar")]
    days = [name for weekdays in times for names in weekdays for name in names]
    return frozenset(word for phrase in (*phrases, *days) for word in _WORD.findall(folded(phrase))) - plain


def is_greeting(line: str) -> bool:
    """Whether the line only greets Deskhand, as The Bat! does by itself."""
    words = [word for word in _bare(line).split() if word != "deskhand"]
    greetings = {word for phrase in _tables()["cards"]["greetings"] for word in _bare(phrase).split()}
    return "deskhand" in _bare(line).split() and bool(words) and all(word in greetings for word in words)
