"""Refusals: posts that are never bid for, whatever their score. Over, blocked, unwanted, underpaid, out of reach."""

from dataclasses import replace
from datetime import timedelta

from workflows.rules.leads.factors import skills_offered
from workflows.rules.leads.post import LONGEST_PIECE, Post, engagement_of, warnings_in, with_zone
from workflows.rules.leads.skills import names
from workflows.rules.leads.worth import hourly_worth, pay_words
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

_TOO_MANY_WARNINGS = 1.5  # the sum of `takes` in data/factors.toml
_STALE = timedelta(days=45)  # a post without an end is over by then


def refusal_of(post: Post) -> str:
    """Why this is never bid for whatever its score, "" when it may be."""
    return next((reason for check in _REFUSALS if (reason := check(post))), "")


def _over(post: Post) -> str:
    lead, now = post.lead, with_zone(post.now)
    if lead.expires_at and with_zone(lead.expires_at) <= now:
        return f"It expired on {with_zone(lead.expires_at):%Y-%m-%d}."
    if lead.published and not lead.expires_at and now - with_zone(lead.published) > _STALE:
        return f"It was posted on {with_zone(lead.published):%Y-%m-%d}, more than {_STALE.days} days ago."
    return ""


def _blocked(post: Post) -> str:
    company = fold(post.lead.company)
    blocked = next((name for name in post.profile.blocked if company and fold(name) == company), "")
    return f"{one_line(blocked, LONGEST_PIECE)} is on your list of companies you never bid to." if blocked else ""


def _avoided(post: Post) -> str:
    avoided = next((word for word in post.profile.avoid if word.strip() and names(post.folded, word)), "")
    return f'It holds "{one_line(avoided, LONGEST_PIECE)}", which you never want.' if avoided else ""


def _unwanted(post: Post) -> str:
    kind, word = engagement_of(post)
    engagements = {fold(engagement) for engagement in post.profile.engagements}
    return f'It is {kind} work ("{word}"), which you do not want.' if kind and kind not in engagements else ""


def _unskilled(post: Post) -> str:
    finding = skills_offered(post)
    return "" if finding.missing or finding.value else "It asks for none of the skills in your profile."


def _underpaid(post: Post) -> str:
    pay, least = post.lead.pay, post.profile.minimum
    best = replace(pay, least=None) if pay and pay.most else pay  # of a range only the upper end can be too little
    offered, minimum = hourly_worth(post, best), hourly_worth(post, least)
    if not pay or not least or not offered or not minimum or offered >= minimum:
        return ""
    return f"It pays {pay_words(pay)}, less than your minimum of {pay_words(least)}."


def _unreachable(post: Post) -> str:
    reachable = post.lead.url or "@" in post.lead.contact.email
    return "" if reachable else "It names neither a link nor an address to bid to."


def _warned(post: Post) -> str:
    """One word of warning may be about something else (a shop for gift cards); two serious ones seldom are."""
    hits = warnings_in(post)
    if sum(float(row["takes"]) for row, _ in hits) < _TOO_MANY_WARNINGS:
        return ""
    quoted = ", ".join(f'"{word}" ({row["says"]})' for row, word in hits)
    return one_line(f"It holds words of warning: {quoted}.", 300)


_REFUSALS = (_over, _blocked, _avoided, _unwanted, _unskilled, _underpaid, _unreachable, _warned)
