"""Worth of pay: what a post offers by the hour, held against the owner's rate, in figures and in words."""

from decimal import Decimal

from workflows.models.leads import Pay
from workflows.rules.leads.post import Post
from workflows.rules.leads.rates import HOURS, hourly, stated_hours, written


def hourly_worth(post: Post, pay: Pay | None) -> Decimal | None:
    """What it comes to by the hour in minor units of the owner's currency; None when that cannot be said."""
    rate = post.profile.rate or post.profile.minimum
    if not pay or not rate:
        return None
    bounds = [bound for bound in (pay.least, pay.most) if bound and bound.minor > 0]
    base = rate.least or rate.most
    if not bounds or not base or any(bound.currency != base.currency for bound in bounds):
        return None
    rates = [hourly(pay, bound, stated_hours(post.folded)) for bound in bounds]
    comparable = [hourly_rate for hourly_rate in rates if hourly_rate is not None]
    return sum(comparable, Decimal(0)) / len(comparable) if comparable else None


def hours_paid(pay: Pay, rate: Pay | None) -> float | None:
    """How many hours a project's budget pays at the owner's rate; None for other pay or another currency."""
    budget, base = pay.most or pay.least, (rate.least or rate.most) if rate else None
    if pay.per != "project" or not budget or not base or not rate or budget.currency != base.currency:
        return None
    by_hour = hourly(rate, base)
    return float(min(Decimal(budget.minor) / by_hour, Decimal(100_000))) if by_hour else None


def not_comparable(pay: Pay | None, rate: Pay | None) -> str:
    if not rate:
        return "Your profile names no rate"
    if not pay or not (pay.least or pay.most):
        return "No pay is stated"
    if pay.per not in HOURS:
        return f"{pay_words(pay)} for the whole project, without its hours, cannot be compared with your rate"
    return f"{pay_words(pay)} cannot be compared with your rate"


def pay_words(pay: Pay) -> str:
    """`40-60 EUR/hour` as it reads best."""
    least, most = pay.least, pay.most
    per = "" if pay.per == "project" else f"/{pay.per}"
    if least and most and least != most:
        return f"{written(least)} to {written(most)}{per}"
    only = least or most
    return f"{written(only)}{per}" if only else "nothing"
