"""Rates and budgets as they are written and compared: "95 EUR/hour" against what a post offers.

Only like is compared with like: another currency, or a whole project without its hours, compares with nothing.
"""

import re
from decimal import Decimal
from functools import cache
from typing import Literal, get_args

from workflows.errors import Permanent
from workflows.models import Money, Pay
from workflows.rules.money import NO_BREAK, format_money, parse_amount, places
from workflows.rules.words import fold, table

Per = Literal["hour", "day", "week", "month", "year", "project"]

HOURS: dict[str, int] = {"hour": 1, "day": 8, "week": 40, "month": 160, "year": 1800}
"""Working hours that one unit of pay stands for: full days and weeks, a year without holidays and leave."""

_PER = r"(?:\s*(?:/|\b(?:per|pro|je|an?|par|por|al)\b)\s*(?P<per>[^\W\d]{1,12})\.?)?"
_RATE = re.compile(rf"^(?P<amount>.*?\d.*?){_PER}\s*$")
_LONGEST = 60


def parse_rate(text: str) -> Pay | None:
    """The rate that such words state ("95 EUR/hour", "€ 800 per day"; by the hour when no unit stands there).

    None when they state none, or one that can be read in two ways.
    """
    found = _RATE.match(text[:_LONGEST].strip())
    per = unit(found["per"] or "hour") if found else None
    if not found or not per:
        return None
    try:
        money = parse_amount(found["amount"])
    except Permanent:
        return None
    return Pay(least=money, most=money, per=per) if money.minor else None


def unit(word: str) -> Per | None:
    """What a word such as "hr", "Tag" or "mois" counts; None when it is none of ours."""
    return _units().get(fold(word))


def hourly(pay: Pay, amount: Money | None, hours: int = 0) -> Decimal | None:
    """An amount as minor units an hour; `hours`: what a whole project takes, 0 when nobody says so."""
    per = HOURS.get(pay.per, hours)
    return Decimal(amount.minor) / per if amount and per > 0 and amount.minor > 0 else None


def written(money: Money, language: str = "en") -> str:
    """`1,250 EUR`, `1.250,50 EUR` in German: with an ordinary blank, and without decimals where there are none."""
    text = format_money(money, language).replace(NO_BREAK, " ")
    exponent = places(money.currency) or 0
    if not exponent or money.minor % 10**exponent:
        return text
    number, _, code = text.rpartition(" ")
    return f"{number[: -exponent - 1]} {code}"


@cache
def _units() -> dict[str, Per]:
    rows: dict[str, list[str]] = table("factors")["units"]
    return {fold(word): per for per in get_args(Per) for word in rows.get(per, ())}
