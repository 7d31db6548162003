"""Score of a lead: the weighted mean of its factors, and whether it is bid for.

The table in the approval mail can be recomputed by hand. Weights are in factors.toml.
"""

from collections.abc import Sequence
from datetime import datetime

from workflows.models.leads import Factor, Lead, Profile, Score
from workflows.models.routes import Ignore, Start
from workflows.rules.leads.factors import FACTORS, MOST_QUOTES, UNKNOWN, FactorReading
from workflows.rules.leads.post import post_of
from workflows.rules.leads.refusals import refusal_of
from workflows.rules.text.words import table

THRESHOLD = 0.55


def score(
    lead: Lead, profile: Profile, now: datetime, *, threshold: float = THRESHOLD, wins: Sequence[Lead] = ()
) -> Score:
    """The worth of a lead: 0 to 1, two decimals. Total: any lead and profile have one. `wins`: posts once won."""
    post = post_of(lead, profile, now, wins)
    factors = tuple(_factor(name, judge(post)) for name, judge in FACTORS.items())
    return Score(total=total(factors), threshold=threshold, factors=factors, refused=refusal_of(post))


def total(factors: Sequence[Factor]) -> float:
    """The weighted mean of the values, two decimals; 0 without factors."""
    weight = sum(factor.weight for factor in factors)
    return round(sum(factor.value * factor.weight for factor in factors) / weight, 2) if weight else 0.0


def verdict(found: Score) -> Start | Ignore:
    """Whether a lead with this score is bid for; the reason is a sentence the owner can read."""
    if found.refused:
        return Ignore(rule="refused", reason=found.refused)
    if found.total < found.threshold:
        low = sorted(found.factors, key=lambda factor: (factor.value - 1) * factor.weight)[:3]
        against = "; ".join(factor.says.rstrip(".") for factor in low if factor.value < UNKNOWN)
        reason = f" Against it: {against}." if against else ""
        return Ignore(rule="score", reason=f"Its score {found.total:.2f} is below {found.threshold:.2f}.{reason}")
    return Start(kind="bid", reason=f"Its score {found.total:.2f} reaches {found.threshold:.2f}.")


def _factor(name: str, found: FactorReading) -> Factor:
    """With its weight; the value is rounded before it counts, so that a recount by hand comes out the same."""
    return Factor(
        name=name,
        value=round(min(max(found.value, 0.0), 1.0), 2),
        weight=float(table("factors")["weights"][name]),
        words=tuple(word for word in found.words[:MOST_QUOTES] if word),
        missing=found.missing,
        says=found.says,
    )
