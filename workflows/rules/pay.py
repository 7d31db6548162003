"""What a post says it pays: "$80-100/hr", "€600 per day", "Hourly: $40.00 - $60.00", "90k - 120k USD", exactly."""

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal

from workflows.models import Money, Pay
from workflows.rules.money import places
from workflows.rules.words import fold, table

Per = Literal["hour", "day", "week", "month", "year", "project"]
_PERS: tuple[Per, ...] = ("hour", "day", "week", "month", "year", "project")
_NUMBER = r"\d{1,3}(?:[ '\u2019,.]\d{3})+(?:[.,]\d{1,2})?|\d+(?:[.,]\d{1,2})?"
_AROUND = 60  # characters around an amount in which its unit is looked for
_MOST = Decimal(100_000_000)
_THOUSANDS = re.compile(r"(\d)[ '\u2019,.](?=\d{3}(?!\d))")


def pay_of(least: object, most: object, currency: str = "", per: str = "") -> Pay | None:
    """Pay from the fields of a source. 0 and what is no number count as not stated; None when nothing is left."""
    code = currency.strip().upper() or "USD"
    if not re.fullmatch(r"[A-Z]{3}", code):
        return None
    low, high = _money(_decimal(least), code), _money(_decimal(most), code)
    if low and high and low.minor > high.minor:
        low, high = high, low
    if low is None and high is None:
        return None
    return Pay(least=low, most=high, per=_unit(per) or _guess(high or low))


def pay_in(text: str) -> Pay | None:
    """The first amount of money a text states as pay, None when there is none that is clear."""
    for found in _amounts().finditer(text[:4000]):
        words = found.groupdict()
        code = _currency(words)
        if not code:
            continue
        first, second = words["first"], words["second"] or ""
        # "$80-100k": the k is said once and meant twice.
        kilo = 1000 if words["kilo2"] or (words["kilo"] and not second) else 1
        least = _times(_decimal(first), 1000 if words["kilo"] or (second and kilo > 1) else 1)
        most = _times(_decimal(second), kilo) if second else least
        unit = _unit(_near(text, found.start(), found.end())) or ""
        pay = pay_of(least, most, code, unit)
        if pay is not None:
            return pay
    return None


def _near(text: str, start: int, end: int) -> str:
    """What stands right after an amount, then right before it, in the same line."""
    after = text[end : end + _AROUND // 2].split("\n", 1)[0]
    before = text[max(start - _AROUND // 2, 0) : start].rsplit("\n", 1)[-1]
    return after if _unit(after) else before


@cache
def _amounts() -> re.Pattern[str]:
    symbols = "|".join(re.escape(one) for one in sorted(table("leads")["pay"]["symbols"], key=len, reverse=True))
    code = r"USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|INR|JPY|SGD|HKD|BRL|ZAR|ILS|KWD"
    return re.compile(
        rf"(?<![\w.])(?P<before>{symbols}|(?:{code})\s?)?\s?(?P<first>{_NUMBER})\s?(?P<kilo>k\b)?"
        rf"(?:\s?(?P<middle>{symbols})?\s?(?:-|\u2013|\u2014|to|bis)\s?(?:{symbols}|(?:{code})\s?)?\s?(?P<second>{_NUMBER})\s?(?P<kilo2>k\b)?)?"
        rf"\s?(?P<after>{symbols}|(?:{code})\b)?"
        # What a company has, raised or spent is nobody's pay.
        r"(?P<spent>\+?\s?(?:m|mm|bn?|mio|million|billion|spent|raised|in funding|arr|mrr|revenue)\b)?",
        re.IGNORECASE,
    )


def _currency(words: dict[str, str | None]) -> str:
    said = words["before"] or words["after"] or words["middle"] or ""
    if not said or words["spent"]:
        return ""
    known = table("leads")["pay"]["symbols"]
    return str(known.get(said.strip().lower()) or said.strip().upper())


def _unit(said: str) -> Per | None:
    words = fold(said)
    if not words:
        return None
    if words in _PERS:
        return words
    best: tuple[int, Per] | None = None
    for per in _PERS:
        found = _units(per).search(words)
        if found and (best is None or found.start() < best[0]):
            best = (found.start(), per)
    return best[1] if best else None


@cache
def _units(per: str) -> re.Pattern[str]:
    return re.compile("|".join(table("leads")["pay"][per]))


def _guess(amount: Money | None) -> Per:
    """What an amount without a unit is: nobody offers 90,000 an hour, nor 60 for a year."""
    if amount is None:
        return "project"
    whole = Decimal(amount.minor).scaleb(-(places(amount.currency) or 0))
    hourly, yearly = 250, 20_000
    if whole <= hourly:
        return "hour"
    return "year" if whole >= yearly else "project"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    text = re.sub(r"[^\d.,'\u2019 -]", "", str(value)).strip()
    text = _THOUSANDS.sub(r"\1", text).replace(" ", "").replace(",", ".")
    try:
        number = Decimal(text)
    except InvalidOperation:
        return None
    return number if number.is_finite() and 0 < number <= _MOST else None


def _times(number: Decimal | None, factor: int) -> Decimal | None:
    return None if number is None else number * factor


def _money(amount: Decimal | None, currency: str) -> Money | None:
    exponent = places(currency)
    if amount is None or exponent is None:
        return None
    minor = int(amount.scaleb(exponent))
    return Money(minor=minor, currency=currency) if minor > 0 else None
