"""What became of an order is told in the owner's language, whatever became of it."""

import re
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.ledgers import NOON, OWNER, House, mail
from workflows.models.money import Invoice, Money
from workflows.models.orders import (
    Allow,
    Away,
    Back,
    Change,
    Disallow,
    Disputed,
    Ended,
    Paid,
    Pause,
    Promised,
    PromiseEnded,
    Rescue,
    Resume,
    ResumeChasing,
    StopAll,
    StopChasing,
)
from workflows.rules.text.language import language_of

LANGUAGES = ("de", "es", "fr", "it", "nl", "pl", "pt")
ORDERS: tuple[Change, ...] = (
    Resume(),
    StopAll(),
    StopAll(),
    Pause(client="maria"),
    Pause(client="nobody at all"),
    Resume(client="nobody at all"),
    Resume(),
    Resume(client="maria"),
    Rescue(number=99),
    Rescue(number=1),
    Away(until=NOON + timedelta(days=3)),
    Away(until=NOON - timedelta(days=3)),
    Back(),
    Back(),
    Allow(what="reply"),
    Allow(what="chase"),
    Allow(what="nonsense"),
    Disallow(what="reply"),
    Disallow(what=""),
    Disallow(what="nonsense"),
    Paid(what="Acme"),
    Paid(what="2026-014", amount="200"),
    Paid(what="2026-014", amount="900"),
    Paid(what="2026-014"),
    Paid(what="2026-099"),
    Paid(what="B-7", amount="nothing"),
    Promised(what="2026-015", until=NOON + timedelta(days=3)),
    Promised(what="Beta", until=NOON + timedelta(days=3)),
    Disputed(what="2026-015"),
    Disputed(what="Beta", reason="wrong hours"),
    StopChasing(client="Beta"),
    ResumeChasing(client="Beta"),
    ResumeChasing(client="2026-015"),
    PromiseEnded(number=99, result="kept"),
    Ended(case=99, result="won"),
    Ended(case=1, result="lost"),
)
ANOTHER_FILES = (Allow(what="chase"), Paid(what="B-7", amount="nothing"))
"""Why a story is always asked about, and what no amount is, stand in English in their own tables."""


def invoice(number: str, minor: int, name: str, email: str) -> Invoice:
    return Invoice(
        number=number, name=name, email=email, due=date(2026, 11, 9), amount=Money(minor=minor, currency="EUR")
    )


def house(folder: Path, language: str) -> House:
    folder.mkdir(exist_ok=True)
    home = House(folder / "home", owner=replace(OWNER, language=language))
    acme, beta = ("Acme GmbH", "billing@acme.example"), ("Beta AG", "ap@beta.example")
    invoices = (invoice("2026-014", 50_000, *acme), invoice("2026-015", 30_000, *acme), invoice("B-7", 9_900, *beta))
    home.ledger.keep_invoices("csv:a.csv", invoices, complete=True, read_at=home.clock.now())
    home.receive(mail())
    return home


def outcomes(folder: Path, language: str) -> list[tuple[Change, str]]:
    home = house(folder, language)
    return [
        (order, home.ledger.carry_out(f"k{number}", order, home.clock.now()).says)
        for number, order in enumerate(ORDERS)
    ]


def is_english(sentence: str) -> bool:
    plain = re.sub(r"\"[^\"]*\"|'[^']*'|\S+@\S+|\./deskhand \w+", "", sentence)
    return len(plain.split()) > 4 and language_of(plain) == "en"


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_outcome_is_told_in_the_owners_language(language: str, tmp_path: Path) -> None:
    english = dict(zip(ORDERS, (text for _, text in outcomes(tmp_path / "en", "en")), strict=True))
    for order, text in outcomes(tmp_path / language, language):
        assert text != english[order]
        if order not in ANOTHER_FILES:
            assert [sentence for sentence in re.split(r"(?<=[.;:])\s+", text) if is_english(sentence)] == []
        assert not re.search(r"\{\w+\}", text)


@pytest.mark.parametrize(
    ("language", "words"), [("en", "Fri 27 Nov 2026"), ("de", "Fr 27. Nov 2026"), ("pt", "sex 27 de nov de 2026")]
)
def test_a_day_is_written_as_the_language_does(language: str, words: str, tmp_path: Path) -> None:
    order = Promised(what="2026-015", until=NOON + timedelta(days=4))
    told = house(tmp_path, language).ledger.carry_out("k", order, NOON).says
    assert words in told
