"""What a notice about money says in every place: its subject, its dates, and the table of what is owed."""

from collections.abc import Iterable, Sequence
from datetime import date
from typing import Any

from workflows.models.money import Invoice, Money
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import words_in
from workflows.rules.text.money import format_money, totals

_MOST_NUMBERS = 4
_LONGEST_NUMBER = 40
_NO_TONE = "plain"


def format_day(day: date, language: str) -> str:
    """`1 November 2026`, `1. November 2026`, `1 de noviembre de 2026`: as a letter in that language writes it."""
    words = _words(language)
    text: str = words["day"]
    return text.format(day=day.day, month=words["months"][day.month - 1], year=day.year)


def subject(tone: str, numbers: Sequence[str], language: str) -> str:
    """`Payment reminder: invoice 2026-014`, in the client's language; long rows of numbers are cut."""
    words = _words(language)
    forms: dict[str, str] = words.get(tone, words[_NO_TONE])
    listed = ", ".join(one_line(number, _LONGEST_NUMBER) for number in numbers[:_MOST_NUMBERS])
    if len(numbers) > _MOST_NUMBERS:
        listed = words["and_more"].format(numbers=listed, count=len(numbers) - _MOST_NUMBERS)
    return forms["one" if len(numbers) == 1 else "many"].replace("{numbers}", listed)


def sums(amounts: Iterable[Money], language: str) -> str:
    """`1,250.00 EUR + 300.00 USD`: one amount for each currency."""
    return " + ".join(format_money(total, language) for total in totals(amounts))


def overview(invoices: Sequence[Invoice], today: date, so_far: Sequence[str]) -> str:
    """The owner's table: number, what is open, when it was due, days late, and the stage so far; then the totals."""
    rows = [("Number", "Open", "Due", "Days late", "So far")]
    for invoice, stage in zip(invoices, so_far, strict=True):
        full_amount = "" if invoice.balance == invoice.amount else f" of {format_money(invoice.amount)}"
        late = str((today - invoice.due).days) if invoice.due < today else "not yet"
        number = one_line(invoice.number, _LONGEST_NUMBER)
        rows.append((number, format_money(invoice.balance) + full_amount, f"{invoice.due:%Y-%m-%d}", late, stage))
    return "\n".join([*_aligned(rows), f"Total open: {sums((debt.balance for debt in invoices), 'en')}"])


def _aligned(rows: Sequence[tuple[str, ...]]) -> list[str]:
    widths = [max(len(row[column]) for row in rows) for column in range(len(rows[0]))]
    return ["  ".join(cell.ljust(width) for cell, width in zip(row, widths, strict=True)).rstrip() for row in rows]


def _words(language: str) -> dict[str, Any]:
    return words_in(language, "notices")
