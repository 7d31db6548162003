"""What the freelancer's mail programs send, and what is held against it afterwards."""

import re
from dataclasses import dataclass
from datetime import datetime

from bench._arrivals import addressed
from bench._days import Told
from bench._diary import NAME, OWNER, Program
from tests.answer_styles import STYLES, Reply
from tools.mail import mime
from workflows.models.mail import Address
from workflows.rules.asking.approval import extract_draft
from workflows.rules.text.canonical import canonical

ADA = Address(name=NAME, email=OWNER)
_SECTION = re.compile(r"^===== (\d+) · .*=====$", re.MULTILINE)


@dataclass(frozen=True, slots=True, kw_only=True)
class Yes:
    """One yes of hers: exactly this may reach exactly this person, once."""

    address: str
    body: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one answer went. `fault`: a sentence, "" when it was carried out at the first try."""

    clear: bool
    fault: str = ""
    silent: bool = False
    case: int = 0
    needs_word: bool = False  # what is right there is to be told something


def answer(words: str, asked: Told, program: Program, number: int, at: datetime) -> bytes:
    """Her words above the quoted mail, as that program writes it, its signature under them."""
    text = f"{words}\n\n{program.signature}" if program.signature else words
    raw = STYLES[program.style](Reply(text, asked.email.text, "de"))
    return addressed(raw, asked.email, subject=f"AW: {asked.email.subject}", message_id=_id(program, number), date=at)


def order(subject: str, program: Program, number: int, at: datetime) -> bytes:
    """A mail to herself: the order is its subject, and her program's own lines are all that stands in it."""
    body = program.signature or "Von meinem iPhone gesendet"
    return mime.compose(
        sender=ADA, to=(ADA,), subject=subject, body=f"\n{body}\n", message_id=_id(program, number), date=at
    )  # fmt: skip


def own_mail(number: int, at: datetime, signature: str) -> bytes:
    """A mail of hers to somebody who is no client, as it lies in Sent."""
    whom = Address(name=f"Kollege {number}", email=f"kollege{number}@buero{number}.example")
    text = ("Anbei die Rechnung für die Schriften.", "Kommst du am Mittwoch?", "Danke für den Kontakt!", "Bis Montag.")
    return mime.compose(
        sender=ADA, to=(whom,), subject=f"Kurz {number}",
        body=f"Hallo,\n\n{text[number % len(text)]}\n\nViele Grüße\nAda\n\n{signature}\n",
        message_id=f"<own-{number}@winter.example>", date=at,
    )  # fmt: skip


def _id(program: Program, number: int) -> str:
    return f"<{number}.{program.style}@winter.example>"


def draft_in(told: Told, case: int) -> str:
    """The draft of that case as this mail shows it, "" when it shows none."""
    text = told.email.text
    if told.shows_many:
        parts = _SECTION.split(text)
        text = dict(zip(parts[1::2], parts[2::2], strict=True)).get(str(case), "")
    return canonical(extract_draft(text) or "")


def shows(told: Told, case: int) -> bool:
    """Whether this mail asks about the case, alone or among others."""
    if told.shows_many:
        return str(case) in _SECTION.split(told.email.text)[1::2]
    return told.case == case
