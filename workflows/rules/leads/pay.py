"""What a post says it pays: "$80-100/hr", "€600 per day", "Hourly: $40.00 - $60.00", "90k - 120k USD", exactly."""

import re
from decimal import Decimal, InvalidOperation
from functools import cache
from typing import Literal

from workflows.models.leads import Pay
from workflows.models.money import Money
from workflows.rules.text.money import places
from workflows.rules.text.words import fold, table

Per = Literal["hour", "day", "week", "month", "year", "project"]
_PERS: tuple[Per, ...] = ("hour", "day", "week", "month", "year", "project")
_NUMBER = (
    r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d{1,2})?"  # lakhs and crores: 15,00,000
    r"|\d{1,3}(?:[ '\u2019,.]\d{3})+(?:[.,]\d{1,2})?|\d{1,12}(?:[.,]\d{1,2})?"
)
_LETTER = re.compile(r"[^\W\d_]")
_INDIAN = re.compile(r"\d{1,2}(?:,\d{2})+,\d{3}(?:\.\d{1,2})?")
_AROUND = 60  # characters around an amount in which its unit is looked for
_WORKLOAD = re.compile(
    r"\d{1,3}\+? ?(?:hours?|hrs?|h|std\.?|stunden|heures|horas|days?|tage)\s?(?:/|\w{1,3}) ?"
    r"(?:day|week|month|tag|woche|monat)",
    re.IGNORECASE,
)
"""How much work it is: "10 hours a week" is no unit of the pay."""
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
    excerpt = text[:4000]
    for match in _amounts().finditer(excerpt):
        words = match.groupdict()
        unit = _unit_of(excerpt, match)
        code = _currency(words) or (_in_line(excerpt, match) if words["second"] and unit and not words["spent"] else "")
        if code and (pay := _stated(words, code, unit)):
            return pay
    return None


def _stated(words: dict[str, str | None], code: str, unit: Per | None) -> Pay | None:
    first, second = _decimal(words["first"]), _decimal(words["second"])
    once, last = _factor(words["times"]), _factor(words["times2"])
    # "$80-100k": the k is said once and meant twice.
    least, most = _times(first, once if words["times"] else last), _times(second, last)
    if least and most and most < least and not words["currency2"]:
        most = None  # "$50 - 3 months" is no range
    return pay_of(least, most or least, code, unit or "")


def _unit_of(text: str, found: re.Match[str]) -> Per | None:
    """What stands right after an amount, else before it, else behind it in the same line; else with its first half."""
    after = _WORKLOAD.sub(" ", text[found.end() : found.end() + _AROUND // 2].split("\n", 1)[0])
    before = text[max(found.start() - _AROUND // 2, 0) : found.start()].rsplit("\n", 1)[-1]
    beside = re.split(r"[,;]\s|\.\s", after)[0]
    each = (found["times2"] or found["times"] or "", beside, before, after, found["each"] or "")
    return next((unit for phrase in each if (unit := _unit(phrase))), None)


def _in_line(text: str, found: re.Match[str]) -> str:
    """The one currency that the line of an amount names elsewhere: "from 400 to 500 a day (EUR)"."""
    line = text[text.rfind("\n", 0, found.start()) + 1 :].split("\n", 1)[0]
    codes = {_code(match.group()) for match in _signs().finditer(line)}
    return codes.pop() if len(codes) == 1 else ""


@cache
def _signs() -> re.Pattern[str]:
    return re.compile(_SIGNS, re.IGNORECASE)


_CODES = "USD|EUR|GBP|CHF|CAD|AUD|NZD|SEK|NOK|DKK|PLN|CZK|HUF|INR|JPY|SGD|HKD|BRL|ZAR|ILS|KWD"
_SIGNS = "|".join(
    [
        *(
            re.escape(symbol) + (r"\b" if symbol[-1].isalpha() else "")
            for symbol in sorted(table("leads")["pay"]["symbols"], key=len, reverse=True)
        ),
        rf"(?:{_CODES})\b",
    ]
)


@cache
def _amounts() -> re.Pattern[str]:
    to = "|".join(table("leads")["pay"]["to"])
    times = "|".join(table("leads")["pay"]["times"])
    each = r"\s?(?:/|\b(?:per|pro|an?|each|the|par|la|de|por|al|za)\b)\s?(?:l'|all')?[^\W\d_]{1,8}\.?"
    dash = r"(?:[.,][-\u2013\u2014]{1,2})?"  # "80,- EUR"
    return re.compile(
        rf"(?<![\w.])(?P<before>{_SIGNS})?\s?(?P<first>{_NUMBER}){dash}\s?(?P<times>(?:{times})\b\.?)?"
        rf"(?:\s?(?P<middle>{_SIGNS})?(?P<each>{each})?\s?(?:[-\u2013\u2014]|\b(?:{to})\b)\s?"
        rf"(?P<currency2>{_SIGNS})?\s?(?P<second>{_NUMBER}){dash}\s?(?P<times2>(?:{times})\b\.?)?)?"
        rf"\s?(?P<after>{_SIGNS})?"
        # What a company has, raised or spent is nobody's pay.
        r"(?P<spent>\+?\s?(?:m|mm|bn?|mio|million|billion|spent|raised|in funding|arr|mrr|revenue)\b)?",
        re.IGNORECASE,
    )


def _factor(word: str | None) -> int:
    """What a word behind a number makes of it: "k" a thousand, "lakh" a hundred thousand."""
    rows = table("leads")["pay"]["times"]
    fits = (int(rows[pattern]) for pattern in rows if word and re.fullmatch(pattern, word.rstrip("."), re.IGNORECASE))
    return next(fits, 1)


def _currency(words: dict[str, str | None]) -> str:
    currency = words["before"] or words["after"] or words["middle"] or words["currency2"] or ""
    if words["spent"]:
        return ""
    times = words["times2"] or words["times"] or ""
    return _code(currency) if currency else "INR" if _factor(times) in _INDIAN_FACTORS else ""


_INDIAN_FACTORS = (100_000, 10_000_000)


def _code(said: str) -> str:
    symbols = table("leads")["pay"]["symbols"]
    return str(symbols.get(said.strip().lower()) or said.strip().upper())


def _unit(said: str) -> Per | None:
    words = fold(said)
    if not _LETTER.search(words):
        return None
    if words in _PERS:
        return words
    best: tuple[int, Per] | None = None
    for per in _PERS:
        match = _units(per).search(words)
        if match and (best is None or match.start() < best[0]):
            best = (match.start(), per)
    return best[1] if best else None


@cache
def _units(per: str) -> re.Pattern[str]:
    return re.compile("|".join(table("leads")["pay"][per]))


def _guess(amount: Money | None) -> Per:
    """What an amount without a unit is: nobody offers 90,000 an hour, nor 60 for a year."""
    if amount is None:
        return "project"
    value = Decimal(amount.minor).scaleb(-(places(amount.currency) or 0))
    hourly, yearly = 250, 20_000
    if value <= hourly:
        return "hour"
    return "year" if value >= yearly else "project"


def _decimal(value: object) -> Decimal | None:
    if isinstance(value, bool) or value is None:
        return None
    text = re.sub(r"[^\d.,'\u2019 -]", "", str(value)).strip()
    if _INDIAN.fullmatch(text):
        text = text.replace(",", "")
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
