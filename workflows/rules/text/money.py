"""Exact amounts of money: read from what people and programs write, and written as a language writes them.

Whole numbers of minor units throughout; no float ever. What can be read in two ways is refused, with both readings:
an amount that is wrong by a factor of a thousand is worse than a question.
"""

import re
from collections.abc import Iterable
from decimal import Decimal
from functools import cache
from typing import Literal, NoReturn

from workflows.errors import Permanent
from workflows.models.money import Money
from workflows.rules.text.composed import composed
from workflows.rules.text.languages import words_in
from workflows.rules.text.words import table

_MOST = 10**15
"""Minor units: more than any invoice, and well inside what a database keeps as a whole number."""
_SHOWN = 40
_GROUP = 3
_BLANKS = " \u00a0\u2007\u2009\u202f"
_APOSTROPHES = "'\u2019\u02bc`"  # the Swiss mark between thousands
_MARKS = ".,"
_NUMBER = re.compile(rf"[0-9](?:[0-9.,{_APOSTROPHES}{_BLANKS}]*[0-9])?")
_NO_CENTS = re.compile(r"(?<=[0-9])[.,][-\u2010-\u2015]{1,2}(?=\s|$)")  # "120.-"
NO_BREAK = "\u00a0"


# ---------------------------------------------------------------- currencies


def places(currency: str) -> int | None:
    """How many decimal places the currency has (ISO 4217); None when there is no such currency."""
    return _places().get(currency)


def currency_of(sign: str) -> str:
    """The ISO code that this code, sign or word stands for; "" when it is none, or may be several."""
    codes = _currencies(sign)
    return codes[0] if len(codes) == 1 else ""


@cache
def _places() -> dict[str, int]:
    rows: dict[str, str] = table("currencies")["places"]
    return {code: int(number) for number, codes in rows.items() for code in codes.split()}


def _currencies(sign: str) -> tuple[str, ...]:
    plain = sign.strip(_BLANKS)
    if plain.upper() in _places():
        return (plain.upper(),)
    return tuple(table("currencies")["signs"].get(plain.casefold(), ()))


# ---------------------------------------------------------------- reading


def parse_amount(text: str, currency: str = "", *, decimal: Literal["", ".", ","] = "") -> Money:
    """The amount that a text states: "1.234,56 €", "1,234.56", "1 234,56", "CHF 1'234.50".

    `currency`: the ISO code it is known to be in, "" when the text names it. `decimal`: the decimal mark, where it is
    known ("." for a program's file); without it "1,234" in a currency with cents is refused, for it has two readings.

    Raises:
        Permanent: it is no amount, has two readings, or names another currency; the sentence says which.
    """
    plain = _NO_CENTS.sub("", composed("NFKC", text).strip())
    numbers = _NUMBER.findall(plain)
    if len(numbers) != 1:
        raise Permanent(f'"{_short(text)}" is not one amount. Write it as 1234.56.')
    before, _, after = plain.partition(numbers[0])
    if "-" in before + after or "\u2212" in before + after or "(" in before:
        raise Permanent(f'"{_short(text)}" is less than nothing, which no amount of ours is.')
    code = _stated(text, (before + " " + after).split(), currency.upper())
    return Money(minor=_minor(numbers[0], code, decimal, text), currency=code)


def from_decimal(value: Decimal, currency: str) -> Money:
    """The amount of a number that a program states ("1234.5" of a JSON or database), exactly.

    Raises:
        Permanent: no such currency, more decimals than it has, less than nothing, or beyond all bounds.
    """
    exponent = places(currency)
    if exponent is None:
        raise Permanent(f'"{_short(currency)}" is no currency (ISO 4217: EUR, USD ...).')
    if not value.is_finite() or not 0 <= value < _MOST:
        raise Permanent(f'"{_short(str(value))}" is no amount of money.')
    scaled = value.scaleb(exponent)
    if scaled != scaled.to_integral_value():
        raise Permanent(f'"{_short(str(value))}" has more decimals than {currency} has ({exponent}).')
    return Money(minor=int(scaled), currency=currency)


def to_decimal(money: Money) -> Decimal:
    """The amount as a number of whole units: Money(1250, "EUR") is 12.50."""
    return Decimal(money.minor).scaleb(-(places(money.currency) or 0))


def _stated(text: str, words: list[str], currency: str) -> str:
    """The currency, from what stands beside the number and what is known."""
    if currency and currency not in _places():
        raise Permanent(f'"{_short(currency)}" is no currency (ISO 4217: EUR, USD ...).')
    named = [_currencies(word) for word in words]
    if not all(named):
        raise Permanent(f'"{_short(text)}" holds more than an amount and its currency.')
    fitting = set.intersection(*map(set, named)) if named else ({currency} if currency else set())
    if currency and currency not in fitting:
        raise Permanent(f'"{_short(text)}" is not in {currency}.')
    if currency:
        return currency
    if len(fitting) != 1:
        reason = "names no currency" if not named else f"may be {' or '.join(sorted(fitting)) or 'no currency at all'}"
        raise Permanent(f'"{_short(text)}" {reason}. Write the amount with its code, such as 1234.56 EUR.')
    return fitting.pop()


def _minor(number: str, currency: str, decimal: str, text: str) -> int:
    exponent = _places()[currency]
    units, fraction = _parted(number, exponent, decimal, text)
    if len(fraction.rstrip("0")) > exponent:
        raise Permanent(f'"{_short(text)}" has more decimals than {currency} has ({exponent}).')
    unit: int = 10**exponent
    minor = int(units) * unit + int(fraction[:exponent].ljust(exponent, "0") or "0")
    if minor >= _MOST:
        raise Permanent(f'"{_short(text)}" is beyond all bounds.')
    return minor


def _parted(number: str, exponent: int, decimal: str, text: str) -> tuple[str, str]:
    """The digits before and after the decimal mark."""
    blanks = re.sub(rf"[{_BLANKS}]", " ", re.sub(f"[{_APOSTROPHES}]", "'", number))
    marks = [mark for mark in _MARKS if mark in blanks]
    point = _decimal_mark(blanks, marks, exponent, decimal, text)
    units, _, fraction = blanks.rpartition(point) if point else (blanks, "", "")
    groups = re.split(r"[.,' ]", units)
    separators = {character for character in units if not character.isdigit()}
    if len(separators) > 1 or (point and point in separators) or (point and not fraction.isdigit()):
        raise Permanent(f'"{_short(text)}" cannot be read as an amount. Write it as 1234.56.')
    # Thousands in threes; lakhs and crores in twos before the last three (12,34,567).
    inner = {len(group) for group in groups[1:-1]}
    if len(groups) > 1 and not (len(groups[-1]) == _GROUP and inner <= {2, _GROUP} and 1 <= len(groups[0]) <= _GROUP):
        raise Permanent(f'"{_short(text)}" cannot be read as an amount. Write it as 1234.56.')
    return "".join(groups), fraction


def _decimal_mark(number: str, marks: list[str], exponent: int, decimal: str, text: str) -> str:
    """Which of the marks is the decimal mark, "" when none is. Both: the last one. One alone: where it can be told."""
    if decimal:
        return decimal if decimal in number else ""
    if len(marks) == len(_MARKS):
        return max(marks, key=number.rindex)
    if not marks or number.count(marks[0]) > 1:
        return ""
    before, mark, after = number.partition(marks[0])
    if len(after) == _GROUP and before.isdigit() and len(before) <= _GROUP and before[0] != "0":
        # Three digits after a lone mark: thousands, or decimals.
        return "" if exponent == 0 else _refuse_both(before, after, exponent, text)
    return mark


def _refuse_both(before: str, after: str, exponent: int, text: str) -> NoReturn:
    raise Permanent(
        f'"{_short(text)}" has two readings: {before}{after} and {before}.{after}. '
        f"Write it as {before}{after}.{'0' * exponent} or with its decimals."
    )


def _short(text: str) -> str:
    line = " ".join(text.split())
    return line if len(line) <= _SHOWN else f"{line[:_SHOWN]}..."


# ---------------------------------------------------------------- writing and adding


def format_money(money: Money, language: str = "en") -> str:
    """`1,234.56 EUR`, `1.234,56 EUR`: the number as the language writes it, no-break spaces inside it."""
    exponent = places(money.currency) or 0
    thousands, point = words_in(language, "numbers")["marks"]
    digits = str(abs(money.minor)).rjust(exponent + 1, "0")
    units, fraction = (digits[:-exponent], digits[-exponent:]) if exponent else (digits, "")
    grouped = f"{int(units):,}".replace(",", thousands.replace(" ", NO_BREAK))
    sign = "-" if money.minor < 0 else ""
    return f"{sign}{grouped}{point + fraction if exponent else ''} {money.currency}"


def totals(amounts: Iterable[Money]) -> tuple[Money, ...]:
    """The sum of each currency, by its code."""
    sums: dict[str, int] = {}
    for money in amounts:
        sums[money.currency] = sums.get(money.currency, 0) + money.minor
    return tuple(Money(minor=minor, currency=currency) for currency, minor in sorted(sums.items()))
