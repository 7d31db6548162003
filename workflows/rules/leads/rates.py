"""Rates and budgets as they are written and compared: "95 EUR/hour" against what a post offers.

Only like is compared with like: another currency, or a whole project without its hours, compares with nothing.
"""

import re
from dataclasses import dataclass
from decimal import Decimal
from functools import cache
from typing import Literal, get_args

from workflows.errors import Permanent
from workflows.models.leads import Lead, Pay
from workflows.models.money import Money
from workflows.rules.text.money import NO_BREAK, format_money, parse_amount, places
from workflows.rules.text.words import fold, table

Per = Literal["hour", "day", "week", "month", "year", "project"]

HOURS: dict[str, int] = {"hour": 1, "day": 8, "week": 40, "month": 160, "year": 1800}
"""Working hours that one unit of pay stands for: full days and weeks, a year without holidays and leave."""

_PER = r"(?:\s*(?:/|\b(?:per|pro|je|an?|par|por|al)\b)\s*(?P<per>[^\W\d]{1,12})\.?)?"
_RATE = re.compile(rf"^(?P<amount>.*?\d.*?){_PER}\s*$")
_LONGEST = 60
_WHOLE = re.compile(
    r"(?<![\w.,])(\d{1,4}) ?(?:hours?|hrs|stunden)(?! ?(?:/|(?:per|a|each|pro|die|in der)(?!\w)))(?!\w)"
)


def parse_rate(text: str) -> Pay | None:
    """The rate that such words state ("95 EUR/hour", "€ 800 per day"; by the hour when no unit stands there).

    None when they state none, or one that can be read in two ways.
    """
    match = _RATE.match(text[:_LONGEST].strip())
    per = unit(match["per"] or "hour") if match else None
    if not match or not per:
        return None
    try:
        money = parse_amount(match["amount"])
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


def stated_hours(folded: str) -> int:
    """The hours that a folded text states for a whole project ("about 40 hours", never "40 hours a week"), else 0."""
    match = _WHOLE.search(folded)
    return int(match[1]) if match else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class BidPrice:
    """What a bid asks: the rate in the unit they think in, and what it comes to where they said enough."""

    rate: Money
    per: Per
    hours: int = 0  # of the whole work, as they state them
    whole: Money | None = None  # rate times hours
    budget: Money | None = None  # theirs, in the same currency
    covers: int = 0  # whole hours that it pays


def price(rate: Pay, lead: Lead) -> BidPrice | None:
    """The owner's rate as a price for this lead, by arithmetic alone; None when the rate states no amount."""
    base = rate.least or rate.most
    by_hour = hourly(rate, base)
    if base is None or by_hour is None:
        return None
    per = lead.pay.per if lead.pay and lead.pay.per in {"hour", "day"} else rate.per
    amount = base if per == rate.per else Money(minor=round(by_hour * HOURS[per]), currency=base.currency)
    hours = stated_hours(fold(lead.text[:20_000]))
    budget = (lead.pay.most or lead.pay.least) if lead.pay and lead.pay.per == "project" else None
    comparable = budget is not None and budget.currency == base.currency
    return BidPrice(
        rate=amount,
        per=per,
        hours=hours,
        whole=Money(minor=round(by_hour * hours), currency=base.currency) if hours else None,
        budget=budget if comparable else None,
        covers=int(budget.minor / by_hour) if budget and comparable else 0,
    )


@cache
def _units() -> dict[str, Per]:
    rows: dict[str, list[str]] = table("factors")["units"]
    return {fold(word): per for per in get_args(Per) for word in rows.get(per, ())}
