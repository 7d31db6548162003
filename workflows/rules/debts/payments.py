"""What payment services write of money that came in: read from their mails, and how far it may be believed. Pure.

Everybody can write "You've received a payment". Money counts as proven only where the owner's own mail server vouches
for the service's domain, the mail is addressed to the owner and nothing in it is doubtful; else it is a hint to ask.
"""

import re
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from functools import cache, lru_cache
from typing import Any

from workflows.errors import Permanent
from workflows.models.mail import Email
from workflows.models.money import Money
from workflows.models.people import Owner
from workflows.rules.mail.vouching import vouched_domains
from workflows.rules.text.canonical import one_line
from workflows.rules.text.composed import composed
from workflows.rules.text.money import format_money, parse_amount
from workflows.rules.text.words import table

_READ = 12_000  # characters of a mail: a payment notice says it on top
_LONGEST_SUBJECT = 300
_LONGEST_REFERENCE = 140
_SHORT = 4  # characters up to which a number alone is not enough
_WRAPPED = 55  # characters from which a line was broken by a mail program, and not by who wrote it
_SPACES = re.compile(r"\s+")
_EMAIL = r"[^\s<>()@,;:]{1,64}@[^\s<>()@,;:]{1,190}"
_DIGITS = r"(?<![0-9.,])[0-9](?:[0-9.,'\u2019]|[ ](?=[0-9]{3}(?![0-9]))){0,20}"
_SIGN = r"(?-i:[A-Z]{1,3})?\$|[\u20a0-\u20bf\u00a3\u00a5\u0e3f]|z\u0142|k\u010d|kr|ft|lei|(?:fr|rs)\.?|(?-i:[A-Z]{3})"
_AMOUNT = rf"(?P<amount>(?:(?:{_SIGN})[ ]?)?{_DIGITS}(?:[ ]?(?:{_SIGN})(?!\w)){{0,2}})"
_PLAIN = {"$": "US$", "\u00a3": "GBP ", "\u00a5": "JPY "}
"""What these services mean by a sign that several currencies share: they write CA$ where it is another dollar."""
_WHO = r"(?<!\w)(?P<who>[^<>|:!?\n]{2,80}?)"  # a name never goes over the end of a line


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """Money that a mail says came in. `amount` is what the payer paid, before any fee of the service."""

    provider: str
    amount: Money
    payer: str = ""  # as the service names them
    email: str = ""  # the payer's address, lower-case, where it is stated
    reference: str = ""  # what the payer said it is for
    number: str = ""  # of the invoice, where the mail states one as such
    proven: bool = False
    says: str = ""  # in one plain sentence, for the owner


@dataclass(frozen=True, slots=True, kw_only=True)
class NotMoney:
    """A mail of a payment service that brings no money, and why one may say so."""

    provider: str
    reason: str
    unread: bool = False  # it speaks of money that came in, and could not be read
    unknown: bool = False  # its words are none of those that are known of this service


def payment_in(email: Email, owner: Owner, authserv_id: str = "") -> Payment | NotMoney | None:
    """What a mail says of money that came in; None when it is not about a payment service at all.

    `authserv_id`: the owner's mail server, where the owner has named it (rules/mail/vouching.py).
    """
    domain = email.sender.email.lower().rpartition("@")[2]
    for provider in table("payments")["provider"]:
        if _under(domain, provider["domains"]):
            return _of_provider(email, owner, provider, authserv_id)
    claimed = next((entry for entry in table("payments")["provider"] if _claims(email, entry)), None)
    return _of_stranger(email, owner, claimed, domain) if claimed else None


def lure(email: Email) -> str:
    """Why this is the classic lure (money told of in a service's name, from elsewhere), "" when it is not."""
    domain = email.sender.email.lower().rpartition("@")[2]
    if is_payment_sender(email.sender.email):
        return ""
    claimed = next((provider for provider in table("payments")["provider"] if _claims(email, provider)), None)
    if claimed is None or _read(email, None, claimed) is None:
        return ""
    return f"It calls itself {claimed['name']} and tells of money, and comes from {domain}."


def is_payment_sender(address: str) -> bool:
    """Whether mail from this address is from a payment service on the list; says nothing of whether it is genuine."""
    domain = address.lower().rpartition("@")[2]
    return any(_under(domain, provider["domains"]) for provider in table("payments")["provider"])


def is_shared_domain(domain: str) -> bool:
    """Whether strangers have addresses there (gmail.com): two of them have nothing to do with each other."""
    return domain.lower() in table("payments")["common"]["shared"]


def bare_name(name: str) -> str:
    """A firm's name without case, marks and legal form: "Acme GmbH & Co. KG" and "ACME" are the same payer."""
    words = (word.strip(".,;()") for word in _flat(name).casefold().split())
    return " ".join(word for word in words if word and word not in table("payments")["common"]["forms"])


def numbers_in(text: str, known: Iterable[str]) -> tuple[str, ...]:
    """Which of these invoice numbers stand in the text as words of their own, in the order given.

    A short number ("14") counts only behind a word that says what it is ("invoice 14", "#14").
    """
    flat = _flat(text)
    folded = flat.casefold()
    near = (number for number in known if number and number.casefold() in folded)
    return tuple(number for number in near if _number_pattern(number).search(flat))


# ---------------------------------------------------------------- services on the list


def _of_provider(email: Email, owner: Owner, provider: Mapping[str, Any], authserv_id: str) -> Payment | NotMoney:
    name: str = provider["name"]
    subject = _flat(email.subject[:_LONGEST_SUBJECT])
    if reason := _no_notice(email, provider, subject):
        return NotMoney(provider=name, reason=reason)
    reading = _read(email, owner, provider)
    if reading is None:
        if _known_subject(subject, name) is None:
            reason = f"{name} writes in words that Deskhand does not know as a notice of money."
            return NotMoney(provider=name, reason=reason, unknown=True)
        reason = f"{name} writes that money came in, but not readably how much."
        return NotMoney(provider=name, reason=reason, unread=True)
    doubt = _unvouched(email, owner, provider, authserv_id) or reading.doubt
    return _payment(reading, name, doubt)


def _no_notice(email: Email, provider: Mapping[str, Any], subject: str) -> str:
    """What else a service writes about, "" when this may be a notice of money that came in."""
    name: str = provider["name"]
    local, _, domain = email.sender.email.lower().rpartition("@")
    if _under(domain, provider["promo"]):
        return f"It is an advertisement of {name}."
    if re.split(r"[+.]", local)[0] in provider.get("not_locals", ()):
        return f"{name} writes to you as somebody's customer."
    if any(pattern.fullmatch(subject) for pattern in _patterns(name, "out")):
        return f"{name} writes of something other than money that came in."
    return f"{name} writes of money that goes back or did not come." if _common("back").search(subject) else ""


def _unvouched(email: Email, owner: Owner, provider: Mapping[str, Any], authserv_id: str) -> str:
    """Why it is not sure that the service wrote this mail to the owner, "" when it is."""
    if len(email.senders) != 1:
        return "it has more than one sender"
    domain = email.sender.email.lower().rpartition("@")[2]
    vouched = vouched_domains(email, authserv_id)
    if not any(_aligned(domain, signer) and _under(signer, provider["domains"]) for signer in vouched):
        return f"your mail server does not confirm that {domain} sent it"
    # A genuine notice to somebody else can be sent on as it is, signature and all.
    if not any(recipient.email.lower() in owner.addresses for recipient in (*email.to, *email.cc)):
        return "it is not addressed to you"
    return ""


def _of_stranger(email: Email, owner: Owner, provider: Mapping[str, Any], domain: str) -> Payment | None:
    """A mail in a service's name from elsewhere: the classic lure, and never more than a reason to ask."""
    reading = _read(email, owner, provider)
    if reading is None:
        return None
    name = provider["name"]
    return _payment(reading, name, f"it comes from {domain or 'nowhere'}, which is not {name}")


def _claims(email: Email, provider: Mapping[str, Any]) -> bool:
    sender = f"{email.sender.name} {email.sender.email}".casefold()
    return any(re.search(rf"(?<![^\W_]){re.escape(brand)}(?![^\W_])", sender) for brand in provider["brand"])


def _payment(found: "_Found", name: str, doubt: str) -> Payment:
    payer = found.payer or found.email or "somebody"
    purpose = f' for "{found.reference}"' if found.reference else ""
    fee = f", of which {name} keeps {format_money(found.fee)}" if found.fee else ""
    summary = f"{name} writes that {payer} paid {format_money(found.amount)}{purpose}{fee}"
    return Payment(
        provider=name,
        amount=found.amount,
        payer=found.payer,
        email=found.email,
        reference=found.reference,
        number=found.number,
        proven=not doubt,
        says=f"{summary}; but {doubt}." if doubt else f"{summary}.",
    )


# ---------------------------------------------------------------- reading


@dataclass(frozen=True, slots=True, kw_only=True)
class _Found:
    amount: Money
    payer: str
    email: str
    reference: str
    number: str
    fee: Money | None
    doubt: str


def _read(email: Email, owner: Owner | None, provider: Mapping[str, Any]) -> _Found | None:
    """The payment that the mail states; None when it states none that can be read."""
    name: str = provider["name"]
    subject, text = _flat(email.subject[:_LONGEST_SUBJECT]), _lines(email.text[:_READ])
    title = _known_subject(subject, name)
    hits = [hit for hit in (title, *_hits(text, _patterns(name, "texts"))) if hit is not None]
    amounts = [money for hit in hits if (money := _money(hit.groupdict().get("amount") or ""))]
    if not amounts or not (title or _is_early(text, name)):
        return None
    gross = [money for money in map(_money, _labelled(text, "gross")) if money]
    return _Found(
        amount=amounts[0],
        payer=_payer(hits, text, name, owner),
        email=_address(text),
        reference=_reference(text),
        number=_stated_number(_flat(f"{subject} {text}")),
        fee=next((money for money in map(_money, _labelled(text, "fee")) if money), None),
        doubt=_doubt(title is not None, {*gross, *amounts}, _flat(f"{subject} {text}")),
    )


def _doubt(titled: bool, amounts: set[Money], text: str) -> str:
    if not titled:
        return "its subject is not one that I know of such notices"
    if len(amounts) > 1:  # whoever pays may write a note, and make it look like the notice
        return "it speaks of more than one amount"
    return "it is not there yet" if _common("pending").search(text) else ""


def _known_subject(subject: str, name: str) -> re.Match[str] | None:
    matches = (pattern.fullmatch(subject) for pattern in _patterns(name, "subjects"))
    hits = [match for match in matches if match]
    return next((hit for hit in hits if hit.groupdict().get("amount")), hits[0] if hits else None)


def _hits(text: str, patterns: Sequence[re.Pattern[str]]) -> list[re.Match[str]]:
    """Every statement in the text, the earliest first: what a payer adds comes behind what the service says."""
    hits = [match for pattern in patterns for match in pattern.finditer(text)]
    return sorted(hits, key=lambda match: match.start("amount"))


def _is_early(text: str, name: str) -> bool:
    """Whether the text begins with the statement: deeper down it may be somebody's words."""
    hits = _hits(text, _patterns(name, "texts"))
    return bool(hits) and hits[0].start() < _LONGEST_SUBJECT


def _money(text: str) -> Money | None:
    amount = text.strip(" .,")
    plain = re.sub(r"(?<![A-Z])[$\u00a3\u00a5]", lambda sign: _PLAIN[sign.group()], amount)
    for candidate in (amount, plain):
        try:
            money = parse_amount(candidate)
        except Permanent:
            continue
        return money if money.minor else None
    return None


def _labelled(text: str, kind: str) -> Iterator[str]:
    for match in _label(kind).finditer(text):
        yield match["amount"]


@cache
def _label(kind: str) -> re.Pattern[str]:
    words = "|".join(table("payments")["common"][kind])
    return re.compile(rf"(?<!\w)(?:{words}):?\s-?{_AMOUNT}", re.IGNORECASE)


def _payer(hits: Sequence[re.Match[str]], text: str, name: str, owner: Owner | None) -> str:
    named = [hit.groupdict().get("who") for hit in (*hits, *_matches(text, _patterns(name, "payer")))]
    names = (_name_alone(payer, owner) for payer in named if payer and "@" not in payer)
    return next(
        (payer for payer in names if payer and payer.casefold() not in table("payments")["common"]["not_names"]), ""
    )


def _name_alone(said: str, owner: Owner | None) -> str:
    """The payer's name without the greeting that stands before it in the same line ("Hello Ada, Acme sent ...")."""
    bare = re.split(r"[.!;] ", said)[-1]
    if greeting := _greeting().match(bare):
        after_greeting = bare[greeting.end() :]
        if owners_name := _owners_name(after_greeting, owner):
            bare = after_greeting[len(owners_name) :]
        elif "," in bare:
            bare = after_greeting.partition(",")[2] or after_greeting
    return one_line(bare.strip(" .,\"'"), 80)


def _owners_name(text: str, owner: Owner | None) -> str:
    """As much of the owner's name as the text begins with."""
    names = [_flat(owner.name), _flat(owner.name).partition(" ")[0]] if owner else []
    lowered = text.casefold()
    return next((name for name in names if name and re.match(rf"{re.escape(name.casefold())}(?!\w)", lowered)), "")


@cache
def _greeting() -> re.Pattern[str]:
    words = "|".join(table("payments")["common"]["greetings"])
    return re.compile(rf"(?:{words})(?:,\s*|\s+)", re.IGNORECASE)


def _matches(text: str, patterns: Sequence[re.Pattern[str]]) -> Iterator[re.Match[str]]:
    for pattern in patterns:
        if match := pattern.search(text):
            yield match


def _address(text: str) -> str:
    """The first address in the text that is no service's own."""
    addresses = (match.group().lower().strip(".") for match in re.finditer(_EMAIL, text))
    return next((address for address in addresses if not is_payment_sender(address)), "")


def _reference(text: str) -> str:
    match = _reference_pattern().search(text)
    return one_line(match["said"].strip(" .,\"'\u201c\u201d\u201e"), _LONGEST_REFERENCE) if match else ""


@cache
def _reference_pattern() -> re.Pattern[str]:
    words = "|".join(phrase.replace("{who}", r"[^:]{2,60}") for phrase in table("payments")["common"]["reference"])
    return re.compile(
        rf"(?<!\w)(?:{words}):\s?(?P<said>.{{2,140}}?)(?=$|[.!] | (?:view|transaction|amount|date|sent|see|fee)\b)",
        re.IGNORECASE | re.MULTILINE,
    )


def _stated_number(text: str) -> str:
    """A number that stands behind "invoice" and has a digit in it; "" when there is none or more than one."""
    numbers = {match["number"].strip(".,") for match in _stated().finditer(text)}
    return numbers.pop() if len(numbers) == 1 else ""


@cache
def _stated() -> re.Pattern[str]:
    words = "invoice|rechnung|rechnungsnummer|facture|factura|fattura|factuur"
    marks = r"(?:\s?(?:no|nr|number|num|nummer|n\u00b0|n\u00ba)\b\.?)?[\s:#(]{1,3}"
    return re.compile(rf"(?<!\w)(?:{words}){marks}(?P<number>(?=[^\s]*\d)[\w/.-]{{1,40}})", re.IGNORECASE)


@lru_cache(maxsize=256)
def _number_pattern(number: str) -> re.Pattern[str]:
    words = "|".join(map(re.escape, table("payments")["common"]["numbers"]))
    if len(number) > _SHORT or not number.isdigit():
        # "INV-2026-014" is 2026-014 too: services put a word of their own before it.
        return re.compile(rf"(?<![\w-])(?:(?:{words})-?)?{re.escape(number)}(?![\w-]|[./]\w)", re.IGNORECASE)
    return re.compile(rf"(?<!\w)(?:{words})[\s.:#-]{{0,3}}{re.escape(number)}(?![\w-]|[./,]\w)", re.IGNORECASE)


# ---------------------------------------------------------------- patterns


@cache
def _patterns(name: str, kind: str) -> tuple[re.Pattern[str], ...]:
    provider = next(entry for entry in table("payments")["provider"] if entry["name"] == name)
    texts = (*provider[kind], *table("payments")["common"][kind])
    return tuple(re.compile(_expanded(text), re.IGNORECASE | re.MULTILINE) for text in texts)


def _expanded(text: str) -> str:
    """The pattern with its amounts and names; a name that comes up twice may be captured once only.

    A blank is any white space, also the end of a line, which only a name never goes over.
    """
    plain = text.replace(" ", r"\s").replace("{email}", _EMAIL)
    for mark, group in (("{amount}", _AMOUNT), ("{who}", _WHO)):
        first, separator, tail = plain.partition(mark)
        plain = first + (group if separator else "") + tail.replace(mark, re.sub(r"\?P<\w+>", "?:", group))
    return plain


@cache
def _common(kind: str) -> re.Pattern[str]:
    return re.compile("|".join(f"(?:{pattern})" for pattern in table("payments")["common"][kind]), re.IGNORECASE)


def _flat(text: str) -> str:
    """One line with single blanks; a straight apostrophe, so that one pattern fits all."""
    return _SPACES.sub(" ", composed("NFKC", text).replace("\u2019", "'")).strip()


def _lines(text: str) -> str:
    """The same with its lines kept, without empty ones; a line that a mail program wrapped is one with the next."""
    paragraphs = re.split(r"\n[ \t]*(?=\n)", composed("NFKC", text).replace("\r", ""))
    return "\n".join(line for paragraph in paragraphs for line in _unwrapped(paragraph) if line)


def _unwrapped(paragraph: str) -> Iterator[str]:
    line = ""
    for part in map(_flat, paragraph.split("\n")):
        if len(line) >= _WRAPPED and line[-1] not in ".!?:;":
            line = f"{line} {part}"
            continue
        yield line
        line = part
    yield line


def _under(domain: str, parents: Iterable[str]) -> bool:
    return any(domain == parent or domain.endswith(f".{parent}") for parent in parents)


def _aligned(domain: str, vouched: str) -> bool:
    return domain == vouched or domain.endswith(f".{vouched}") or vouched.endswith(f".{domain}")
