"""Factors of a lead's score: one small pure function each, with its value and the words it rests on.

A factor that cannot tell says so (`missing`) and counts as its own docstring says. Words are factors.toml beside it.
"""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import timedelta
from decimal import Decimal

from workflows.models.leads import Lead
from workflows.rules.leads.post import (
    HOURS_A_WEEK,
    LASTS,
    LASTS_UNIT,
    LONGEST_PIECE,
    MOST_TEXT,
    WEEKS,
    Post,
    countries_in,
    countries_required,
    engagement_of,
    languages_demanded,
    number_of,
    pattern_of,
    warnings_in,
    with_zone,
)
from workflows.rules.leads.skills import alike, names_any
from workflows.rules.leads.worth import hourly_worth, hours_paid, not_comparable, pay_words
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of, small_words
from workflows.rules.text.words import fold, table

UNKNOWN = 0.5  # neither for nor against
MOST_QUOTES = 5
_MOST_OF_IT = 0.9  # of a continent's countries: then its name was meant


@dataclass(frozen=True, slots=True, kw_only=True)
class FactorReading:
    """What one factor found: `says` is a sentence for the owner, `words` what it rests on."""

    value: float
    says: str
    words: tuple[str, ...] = ()
    missing: bool = False


# ---------------------------------------------------------------- the factors


def skills_offered(post: Post) -> FactorReading:
    """How much of what is wanted the owner offers. Missing (a profile without skills): 0.5."""
    offered = post.profile.skills
    if not offered:
        return FactorReading(value=UNKNOWN, says="Your profile names no skills", missing=True)
    matched = [skill for skill in offered if names_any(post.folded, skill)]
    empty = frozenset(table("factors")["no_skills"])  # boards file the kind of work among the skills
    required = [skill for skill in post.lead.skills if skill.strip() and fold(skill[:100]) not in empty]
    if required:
        met = [want for want in required if any(alike(want, skill) for skill in offered)]
        value = max(len(met) / min(len(required), 6), 0.6 if len(matched) > 1 else 0.3 if matched else 0.0)
        note = f"You offer {len(met)} of the {len(required)} skills they list"
        return FactorReading(value=value, says=note, words=tuple(met or matched))
    value = (0.0, 0.6, 0.85)[len(matched)] if len(matched) < 3 else 1.0  # noqa: PLR2004
    note = f"The post names {', '.join(matched[:MOST_QUOTES])}" if matched else "The post names none of your skills"
    return FactorReading(value=value, says=note, words=tuple(matched))


def _rate(post: Post) -> FactorReading:
    """Their pay against the owner's rate, both by the hour.

    Missing (no pay or no rate stated, another currency, a project whose hours nobody states): 0.5.
    """
    pay, rate = post.lead.pay, post.profile.rate
    offered, own_rate = hourly_worth(post, pay), hourly_worth(post, rate)
    if not pay or not rate or not offered or not own_rate:
        return FactorReading(value=UNKNOWN, says=not_comparable(pay, rate), missing=True)
    share = float(min(offered / own_rate, Decimal(2)))
    pay_text = pay_words(pay)
    return FactorReading(
        value=min(max((share - 0.5) * 2, 0.0), 1.0),
        says=f"They offer {pay_text}: {share:.0%} of your rate",
        words=(pay_text, pay_words(rate)),
    )


def _budget(post: Post) -> FactorReading:
    """Whether it is said at all what is paid, and whether a project pays for at least a day. Missing: 0.4."""
    pay = post.lead.pay
    if not pay or not (pay.least or pay.most):
        word = post.first(table("factors")["budget"]["words"])
        note = "They speak of money and name no amount" if word else "Nothing is said about pay"
        return FactorReading(value=0.4, says=note, words=(word,) if word else (), missing=True)
    pay_text = pay_words(pay)
    hours = hours_paid(pay, post.profile.rate)
    if hours is None:
        return FactorReading(value=1.0, says=f"The pay is stated: {pay_text}", words=(pay_text,))
    note = f"The budget {pay_text} pays about {hours:.0f} hours at your rate"
    return FactorReading(value=min(hours / 16, 1.0), says=note, words=(pay_text,))


def _engagement(post: Post) -> FactorReading:
    """Whether it is the kind of work the owner wants. Missing (not stated): 0.5."""
    kind, word = engagement_of(post)
    if not kind:
        return FactorReading(value=UNKNOWN, says="It is not said whether this is freelance work", missing=True)
    engagements = {fold(engagement) for engagement in post.profile.engagements}
    note = f"It is {kind} work, which you {'want' if kind in engagements else 'do not want'}"
    return FactorReading(value=1.0 if kind in engagements else 0.0, says=note, words=(word,))


def _age(post: Post) -> FactorReading:
    """How long it has been up: full for a day, nothing after three weeks. Missing (no date): 0.5."""
    if post.lead.published is None:
        return FactorReading(value=UNKNOWN, says="It bears no date", missing=True)
    days = max((with_zone(post.now) - with_zone(post.lead.published)) / timedelta(days=1), 0.0)
    value = min(max((21 - days) / 20, 0.0), 1.0)
    note = f"It was posted {days:.0f} days ago" if days >= 2 else f"It was posted {days * 24:.0f} hours ago"  # noqa: PLR2004
    return FactorReading(value=value, says=note, words=(f"{with_zone(post.lead.published):%Y-%m-%d}",))


def _place(post: Post) -> FactorReading:
    """Whether the owner may be where they are. Missing (no place, or no country of yours): 0.6, as feeds are remote."""
    words = table("factors")["place"]
    place = fold(post.lead.place)
    text = place or post.folded
    on_site = pattern_of(tuple(words["on_site"])).search(text)
    countries = countries_in(text) if place else countries_required(post)
    country = post.profile.country.upper()
    quote = one_line(post.lead.place, LONGEST_PIECE) or (one_line(on_site.group(), LONGEST_PIECE) if on_site else "")
    if countries:
        named = quote or ", ".join(sorted(countries)[:MOST_QUOTES])
        on_site = None if pattern_of(tuple(words["choice"])).search(text) else on_site
        return _in(countries, country, post.profile.timezone, named, on_site=bool(on_site))
    if on_site and (choice := pattern_of(tuple(words["choice"])).search(text)):
        return FactorReading(
            value=1.0, says="It can be done remotely or on site", words=(one_line(choice.group(), LONGEST_PIECE),)
        )
    if on_site:
        return FactorReading(value=0.2, says="The work is on site", words=(one_line(on_site.group(), LONGEST_PIECE),))
    if anywhere := pattern_of(tuple(words["anywhere"])).search(text):
        phrase = one_line(anywhere.group(), LONGEST_PIECE)
        return FactorReading(value=1.0, says="It can be done from anywhere", words=(phrase,))
    return FactorReading(value=0.6, says="No place is named", missing=True)


def _in(countries: frozenset[str], here: str, timezone: str, named: str, *, on_site: bool) -> FactorReading:
    """Whether the owner is in one of these countries, or, where none is named, on the time zone's continent."""
    near = frozenset(table("factors")["continents"].get(timezone.partition("/")[0], ()))
    if here in countries:
        return FactorReading(
            value=0.6 if on_site else 1.0, says="Your country is among the places they name", words=(named,)
        )
    if not here and (not near or countries & near):
        most = near and len(near & countries) >= _MOST_OF_IT * len(near)
        note = f"They want somebody in {named}; you name no country"
        return FactorReading(
            value=1.0 if most else UNKNOWN if near else 0.6, says=note, words=(named,), missing=not near
        )
    return FactorReading(value=0.0, says=f"They want somebody elsewhere ({named})", words=(named,))


def _language(post: Post) -> FactorReading:
    """Whether the owner writes the post's language and every one it demands. Missing (cannot be told): 0.5."""
    spoken = {code.lower() for code in post.profile.languages} or {"en"}
    demanded = languages_demanded(post.folded)
    lacking = [name for code, name in demanded if code not in spoken]
    if lacking:
        return FactorReading(value=0.0, says=f"It demands {lacking[0]}, which you do not list", words=tuple(lacking))
    language = language_of(post.text)
    if not language:
        return FactorReading(value=UNKNOWN, says="Its language cannot be told", missing=True)
    note = f"It is written in a language that you {'use' if language in spoken else 'do not list'} ({language})"
    return FactorReading(
        value=1.0 if language in spoken else 0.0, says=note, words=(language, *(name for _, name in demanded))
    )


def _clarity(post: Post) -> FactorReading:
    """Whether it says what is to be done: enough words, in an order, and figures. Missing (no text): 0.2."""
    text = post.lead.text[:MOST_TEXT]
    words = len(text.split())
    if not words:
        return FactorReading(value=0.2, says="It has a title and no text", missing=True)
    length = min(words / 50, 1.0) if words <= 1200 else 0.7  # noqa: PLR2004
    ordered = bool(re.search(r"^\s{0,3}(?:[-*•]|\d{1,2}[.)])\s", text, re.MULTILINE))
    figures = bool(re.search(r"\d", text))
    value = length * (0.6 + 0.2 * ordered + 0.2 * figures)
    parts = [f"{words} words", *(["a list"] if ordered else []), *(["figures"] if figures else [])]
    return FactorReading(
        value=value, says=f"It describes the work in {', '.join(parts)}", words=(one_line(text, LONGEST_PIECE),)
    )


def _reachable(post: Post) -> FactorReading:
    """How a bid reaches them: by mail, or by hand through the link. Never missing."""
    if "@" in post.lead.contact.email:
        return FactorReading(value=1.0, says="A bid goes to them by mail", words=(post.lead.contact.email,))
    if post.lead.url:
        return FactorReading(
            value=0.6, says="A bid has to be pasted by hand", words=(one_line(post.lead.url, LONGEST_PIECE),)
        )
    return FactorReading(value=0.0, says="Neither an address nor a link is known")


def _company(post: Post) -> FactorReading:
    """Whether they say who they are. Missing (no name): 0.4."""
    name = one_line(post.lead.company, LONGEST_PIECE)
    if not name:
        return FactorReading(value=0.4, says="They do not say who they are", missing=True)
    return FactorReading(value=1.0, says=f"They say who they are: {name}", words=(name,))


def _red_flags(post: Post) -> FactorReading:
    """Words that seldom end well, and what the intake noticed. Nothing found is 1; never missing."""
    hits = warnings_in(post)
    noticed = [flag for flag in post.lead.flags if flag.code == "unverified"]
    value = 1.0 - sum(float(row["takes"]) for row, _ in hits) - 0.2 * len(noticed)
    warnings = [*(str(row["says"]) for row, _ in hits), *(one_line(flag.says, LONGEST_PIECE) for flag in noticed)]
    note = f"Caution: {'; '.join(warnings)}" if warnings else "No words of warning"
    return FactorReading(value=max(value, 0.0), says=note, words=tuple(word for _, word in hits))


def _competition(post: Post) -> FactorReading:
    """How many others bid, when it says so: 5 are few, 50 are many. Missing (not stated): 0.5."""
    words = table("factors")["competition"]
    if first := post.first(words["none"]):
        return FactorReading(value=1.0, says="Hardly anybody has bid yet", words=(first,))
    match = re.search(
        rf"(?:(\d{{1,5}}) ?(?:to|-|bis) ?)?(\d{{1,5}})\+? (?:{'|'.join(words['nouns'])})(?!\w)", post.folded
    )
    if not match:
        return FactorReading(value=UNKNOWN, says="How many others bid is not said", missing=True)
    bidders = int(match[2])
    value = min(max((50 - bidders) / 45, 0.0), 1.0)
    return FactorReading(
        value=value, says=f"About {bidders} others bid", words=(one_line(match.group(), LONGEST_PIECE),)
    )


def _hours(post: Post) -> FactorReading:
    """The hours a week it wants against those that are free. Missing (either is not stated): 0.5."""
    free = post.profile.hours_per_week
    match = HOURS_A_WEEK.search(post.folded)
    if not match or free <= 0:
        return FactorReading(value=UNKNOWN, says="The hours a week are not stated", missing=True)
    hours = number_of(match[1])
    value = min(free / hours, 1.0) if hours else UNKNOWN
    note = f"It wants {hours} hours a week; you have {free}"
    return FactorReading(value=value, says=note, words=(one_line(match.group(), LONGEST_PIECE),))


def _duration(post: Post) -> FactorReading:
    """How long it lasts: the longer the better, for a bid costs the same. Missing (not stated): 0.5."""
    words = table("factors")["duration"]
    if long := post.first(words["long"]):
        return FactorReading(value=1.0, says="It is meant to last", words=(long,))
    if match := LASTS.search(post.folded):
        weeks = number_of(match[1]) * WEEKS[LASTS_UNIT[match[2][0]]]
        duration = one_line(match.group(), LONGEST_PIECE)
        return FactorReading(value=min(0.3 + weeks / 18, 1.0), says=f"It lasts {duration}", words=(duration,))
    if short := post.first(words["short"]):
        return FactorReading(value=0.3, says="It is one small job", words=(short,))
    return FactorReading(value=UNKNOWN, says="How long it lasts is not said", missing=True)


def _similar_wins(post: Post) -> FactorReading:
    """How like it is to posts that were won before. Missing (none was won yet): 0.5."""
    if not post.wins:
        return FactorReading(value=UNKNOWN, says="No bid was won yet", missing=True)
    words_by_stem = _telling(post.lead)
    best = max((_telling(win) for win in post.wins), key=lambda win: _likeness(words_by_stem, win))
    # Only words of this post are named: what another client wrote is nobody else's business.
    shared = tuple(dict.fromkeys(word for stem, word in words_by_stem.items() if stem in best))[:MOST_QUOTES]
    likeness = _likeness(words_by_stem, best)
    note = f"It shares {', '.join(shared)} with a post you won" if shared else "It is unlike what you won before"
    return FactorReading(value=0.4 + 0.6 * likeness, says=note, words=shared)


def _questions(post: Post) -> FactorReading:
    """Whether they ask for something in particular: who asks reads the answers. Missing (no question): 0.5."""
    questions = [one_line(question, LONGEST_PIECE) for question in post.lead.questions if question.strip()]
    if not questions:
        return FactorReading(value=UNKNOWN, says="It asks no question of its own", missing=True)
    value = 1.0 if len(questions) <= 6 else 0.4  # noqa: PLR2004
    note = f"It asks {len(questions)} question{'s' if len(questions) > 1 else ''} of its own"
    return FactorReading(value=value, says=note, words=tuple(questions[:MOST_QUOTES]))


FACTORS: dict[str, Callable[[Post], FactorReading]] = {
    "skills": skills_offered,
    "rate": _rate,
    "budget": _budget,
    "engagement": _engagement,
    "age": _age,
    "place": _place,
    "language": _language,
    "clarity": _clarity,
    "reachable": _reachable,
    "company": _company,
    "red_flags": _red_flags,
    "competition": _competition,
    "hours": _hours,
    "duration": _duration,
    "similar_wins": _similar_wins,
    "questions": _questions,
}


# ---------------------------------------------------------------- likeness


def _likeness(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """0 to 1: the stems that two posts share (Jaccard)."""
    together = one.keys() | other.keys()
    return len(one.keys() & other.keys()) / len(together) if together else 0.0


def _telling(lead: Lead) -> dict[str, str]:
    """The words of a title and its skills that say what it is about, by their stems."""
    words = re.findall(r"[\w+#]{2,}", fold(f"{lead.title[:500]} {' '.join(lead.skills[:50])}"))
    return {word[:6]: word for word in words if word not in small_words()}
