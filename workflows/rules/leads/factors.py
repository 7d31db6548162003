"""What a lead is worth: one small pure function a factor, each with its value, weight and the words it rests on.

The total is the weighted mean of the values, so the table in the approval mail can be recomputed by hand. A factor that
cannot tell says so (`missing`) and counts as its own docstring says. Weights and words are data/factors.toml.
"""

import re
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from functools import cache
from typing import Any

from workflows.models import Factor, Ignore, Lead, Pay, Profile, Score, Start
from workflows.rules.leads.rates import HOURS, hourly, stated_hours, written
from workflows.rules.leads.skills import alike, names, names_any
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of, small_words
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import fold, phrases, table

THRESHOLD = 0.55
MOST_TEXT = 20_000  # characters of a post that are looked at
_WORDS = 60  # characters of one quoted piece
_TOO_MANY_WARNINGS = 1.5  # the sum of `takes` in data/factors.toml
_STALE = timedelta(days=45)  # a post without an end is over by then
_UNKNOWN = 0.5  # neither for nor against
_MOST_QUOTES = 5
_MOST_OF_IT = 0.9  # of a continent's countries: then its name was meant


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A lead as the factors read it: its text once, whole and folded."""

    lead: Lead
    profile: Profile
    now: datetime
    wins: tuple[Lead, ...]
    text: str  # title, text, skills and place, as written
    folded: str

    def first(self, patterns: Sequence[str]) -> str:
        """The first of these phrases as it stands in the folded text, "" when there is none."""
        found = _pattern(tuple(patterns)).search(self.folded)
        return one_line(found.group(), _WORDS) if found else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one factor found: `says` is a sentence for the owner, `words` what it rests on."""

    value: float
    says: str
    words: tuple[str, ...] = ()
    missing: bool = False


def score(
    lead: Lead, profile: Profile, now: datetime, *, threshold: float = THRESHOLD, wins: Sequence[Lead] = ()
) -> Score:
    """The worth of a lead: 0 to 1, two decimals. Total: any lead and profile have one. `wins`: posts once won."""
    post = _post(lead, profile, now, wins)
    factors = tuple(_factor(name, judge(post)) for name, judge in FACTORS.items())
    return Score(total=total(factors), threshold=threshold, factors=factors, refused=_refused(post))


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
        against = "; ".join(factor.says.rstrip(".") for factor in low if factor.value < _UNKNOWN)
        why = f" Against it: {against}." if against else ""
        return Ignore(rule="score", reason=f"Its score {found.total:.2f} is below {found.threshold:.2f}.{why}")
    return Start(kind="bid", reason=f"Its score {found.total:.2f} reaches {found.threshold:.2f}.")


# ---------------------------------------------------------------- the factors


def _skills(post: Post) -> Found:
    """How much of what is wanted the owner offers. Missing (a profile without skills): 0.5."""
    offered = post.profile.skills
    if not offered:
        return Found(value=_UNKNOWN, says="Your profile names no skills", missing=True)
    matched = [skill for skill in offered if names_any(post.folded, skill)]
    empty = frozenset(table("factors")["no_skills"])  # boards file the kind of work among the skills
    wanted = [skill for skill in post.lead.skills if skill.strip() and fold(skill[:100]) not in empty]
    if wanted:
        met = [want for want in wanted if any(alike(want, skill) for skill in offered)]
        value = max(len(met) / min(len(wanted), 6), 0.6 if len(matched) > 1 else 0.3 if matched else 0.0)
        says = f"You offer {len(met)} of the {len(wanted)} skills they list"
        return Found(value=value, says=says, words=tuple(met or matched))
    value = (0.0, 0.6, 0.85)[len(matched)] if len(matched) < 3 else 1.0  # noqa: PLR2004
    says = f"The post names {', '.join(matched[:_MOST_QUOTES])}" if matched else "The post names none of your skills"
    return Found(value=value, says=says, words=tuple(matched))


def _rate(post: Post) -> Found:
    """Their pay against the owner's rate, both by the hour.

    Missing (no pay or no rate stated, another currency, a project whose hours nobody states): 0.5.
    """
    pay, rate = post.lead.pay, post.profile.rate
    offered, asked = _hourly(post, pay), _hourly(post, rate)
    if not pay or not rate or not offered or not asked:
        return Found(value=_UNKNOWN, says=_not_comparable(pay, rate), missing=True)
    share = float(min(offered / asked, Decimal(2)))
    stated = _pay_words(pay)
    return Found(
        value=min(max((share - 0.5) * 2, 0.0), 1.0),
        says=f"They offer {stated}: {share:.0%} of your rate",
        words=(stated, _pay_words(rate)),
    )


def _budget(post: Post) -> Found:
    """Whether it is said at all what is paid, and whether a project pays for at least a day. Missing: 0.4."""
    pay = post.lead.pay
    if not pay or not (pay.least or pay.most):
        word = post.first(table("factors")["budget"]["words"])
        says = "They speak of money and name no amount" if word else "Nothing is said about pay"
        return Found(value=0.4, says=says, words=(word,) if word else (), missing=True)
    stated = _pay_words(pay)
    hours = _hours_paid(pay, post.profile.rate)
    if hours is None:
        return Found(value=1.0, says=f"The pay is stated: {stated}", words=(stated,))
    says = f"The budget {stated} pays about {hours:.0f} hours at your rate"
    return Found(value=min(hours / 16, 1.0), says=says, words=(stated,))


def _engagement(post: Post) -> Found:
    """Whether it is the kind of work the owner wants. Missing (not stated): 0.5."""
    kind, word = _engagement_of(post)
    if not kind:
        return Found(value=_UNKNOWN, says="It is not said whether this is freelance work", missing=True)
    wanted = {fold(one) for one in post.profile.engagements}
    says = f"It is {kind} work, which you {'want' if kind in wanted else 'do not want'}"
    return Found(value=1.0 if kind in wanted else 0.0, says=says, words=(word,))


def _age(post: Post) -> Found:
    """How long it has been up: full for a day, nothing after three weeks. Missing (no date): 0.5."""
    if post.lead.published is None:
        return Found(value=_UNKNOWN, says="It bears no date", missing=True)
    days = max((_aware(post.now) - _aware(post.lead.published)) / timedelta(days=1), 0.0)
    value = min(max((21 - days) / 20, 0.0), 1.0)
    says = f"It was posted {days:.0f} days ago" if days >= 2 else f"It was posted {days * 24:.0f} hours ago"  # noqa: PLR2004
    return Found(value=value, says=says, words=(f"{_aware(post.lead.published):%Y-%m-%d}",))


def _place(post: Post) -> Found:
    """Whether the owner may be where they are. Missing (no place, or no country of yours): 0.6, as feeds are remote."""
    words = table("factors")["place"]
    stated = fold(post.lead.place)
    text = stated or post.folded
    on_site = _pattern(tuple(words["on_site"])).search(text)
    countries = _countries(text) if stated else _countries_required(post)
    here = post.profile.country.upper()
    quote = one_line(post.lead.place, _WORDS) or (one_line(on_site.group(), _WORDS) if on_site else "")
    if countries:
        named = quote or ", ".join(sorted(countries)[:_MOST_QUOTES])
        on_site = None if _pattern(tuple(words["choice"])).search(text) else on_site
        return _in(countries, here, post.profile.timezone, named, on_site=bool(on_site))
    if on_site and (choice := _pattern(tuple(words["choice"])).search(text)):
        return Found(value=1.0, says="It can be done remotely or on site", words=(one_line(choice.group(), _WORDS),))
    if on_site:
        return Found(value=0.2, says="The work is on site", words=(one_line(on_site.group(), _WORDS),))
    if anywhere := _pattern(tuple(words["anywhere"])).search(text):
        found = one_line(anywhere.group(), _WORDS)
        return Found(value=1.0, says="It can be done from anywhere", words=(found,))
    return Found(value=0.6, says="No place is named", missing=True)


def _in(countries: frozenset[str], here: str, timezone: str, named: str, *, on_site: bool) -> Found:
    """Whether the owner is in one of these countries, or, where none is named, on the time zone's continent."""
    near = frozenset(table("factors")["continents"].get(timezone.partition("/")[0], ()))
    if here in countries:
        return Found(value=0.6 if on_site else 1.0, says="Your country is among the places they name", words=(named,))
    if not here and (not near or countries & near):
        most = near and len(near & countries) >= _MOST_OF_IT * len(near)
        says = f"They want somebody in {named}; you name no country"
        return Found(value=1.0 if most else _UNKNOWN if near else 0.6, says=says, words=(named,), missing=not near)
    return Found(value=0.0, says=f"They want somebody elsewhere ({named})", words=(named,))


def _language(post: Post) -> Found:
    """Whether the owner writes the post's language and every one it demands. Missing (cannot be told): 0.5."""
    known = {code.lower() for code in post.profile.languages} or {"en"}
    demanded = _languages_demanded(post.folded)
    lacking = [name for code, name in demanded if code not in known]
    if lacking:
        return Found(value=0.0, says=f"It demands {lacking[0]}, which you do not list", words=tuple(lacking))
    found = language_of(post.text)
    if not found:
        return Found(value=_UNKNOWN, says="Its language cannot be told", missing=True)
    says = f"It is written in a language that you {'use' if found in known else 'do not list'} ({found})"
    return Found(value=1.0 if found in known else 0.0, says=says, words=(found, *(name for _, name in demanded)))


def _clarity(post: Post) -> Found:
    """Whether it says what is to be done: enough words, in an order, and figures. Missing (no text): 0.2."""
    text = post.lead.text[:MOST_TEXT]
    words = len(text.split())
    if not words:
        return Found(value=0.2, says="It has a title and no text", missing=True)
    length = min(words / 50, 1.0) if words <= 1200 else 0.7  # noqa: PLR2004
    ordered = bool(re.search(r"^\s{0,3}(?:[-*•]|\d{1,2}[.)])\s", text, re.MULTILINE))
    figures = bool(re.search(r"\d", text))
    value = length * (0.6 + 0.2 * ordered + 0.2 * figures)
    parts = [f"{words} words", *(["a list"] if ordered else []), *(["figures"] if figures else [])]
    return Found(value=value, says=f"It describes the work in {', '.join(parts)}", words=(one_line(text, _WORDS),))


def _reachable(post: Post) -> Found:
    """How a bid reaches them: by mail, or by hand through the link. Never missing."""
    if "@" in post.lead.contact.email:
        return Found(value=1.0, says="A bid goes to them by mail", words=(post.lead.contact.email,))
    if post.lead.url:
        return Found(value=0.6, says="A bid has to be pasted by hand", words=(one_line(post.lead.url, _WORDS),))
    return Found(value=0.0, says="Neither an address nor a link is known")


def _company(post: Post) -> Found:
    """Whether they say who they are. Missing (no name): 0.4."""
    name = one_line(post.lead.company, _WORDS)
    if not name:
        return Found(value=0.4, says="They do not say who they are", missing=True)
    return Found(value=1.0, says=f"They say who they are: {name}", words=(name,))


def _red_flags(post: Post) -> Found:
    """Words that seldom end well, and what the intake noticed. Nothing found is 1; never missing."""
    hits = _warnings(post)
    noticed = [flag for flag in post.lead.flags if flag.startswith("unverified")]
    value = 1.0 - sum(float(row["takes"]) for row, _ in hits) - 0.2 * len(noticed)
    said = [*(str(row["says"]) for row, _ in hits), *(one_line(flag, _WORDS) for flag in noticed)]
    says = f"Caution: {'; '.join(said)}" if said else "No words of warning"
    return Found(value=max(value, 0.0), says=says, words=tuple(word for _, word in hits))


def _warnings(post: Post) -> list[tuple[Mapping[str, Any], str]]:
    """The rows of `red_flags` that the post fits, each with its words."""
    return [(row, word) for row in table("factors")["red_flags"] if (word := post.first(row["phrases"]))]


def _competition(post: Post) -> Found:
    """How many others bid, when it says so: 5 are few, 50 are many. Missing (not stated): 0.5."""
    words = table("factors")["competition"]
    if first := post.first(words["none"]):
        return Found(value=1.0, says="Hardly anybody has bid yet", words=(first,))
    found = re.search(
        rf"(?:(\d{{1,5}}) ?(?:to|-|bis) ?)?(\d{{1,5}})\+? (?:{'|'.join(words['nouns'])})(?!\w)", post.folded
    )
    if not found:
        return Found(value=_UNKNOWN, says="How many others bid is not said", missing=True)
    others = int(found[2])
    value = min(max((50 - others) / 45, 0.0), 1.0)
    return Found(value=value, says=f"About {others} others bid", words=(one_line(found.group(), _WORDS),))


def _hours(post: Post) -> Found:
    """The hours a week it wants against those that are free. Missing (either is not stated): 0.5."""
    free = post.profile.hours_per_week
    found = _HOURS_A_WEEK.search(post.folded)
    if not found or free <= 0:
        return Found(value=_UNKNOWN, says="The hours a week are not stated", missing=True)
    wanted = _number(found[1])
    value = min(free / wanted, 1.0) if wanted else _UNKNOWN
    says = f"It wants {wanted} hours a week; you have {free}"
    return Found(value=value, says=says, words=(one_line(found.group(), _WORDS),))


def _duration(post: Post) -> Found:
    """How long it lasts: the longer the better, for a bid costs the same. Missing (not stated): 0.5."""
    words = table("factors")["duration"]
    if long := post.first(words["long"]):
        return Found(value=1.0, says="It is meant to last", words=(long,))
    if found := _LASTS.search(post.folded):
        weeks = _number(found[1]) * _WEEKS[_LASTS_UNIT[found[2][0]]]
        said = one_line(found.group(), _WORDS)
        return Found(value=min(0.3 + weeks / 18, 1.0), says=f"It lasts {said}", words=(said,))
    if short := post.first(words["short"]):
        return Found(value=0.3, says="It is one small job", words=(short,))
    return Found(value=_UNKNOWN, says="How long it lasts is not said", missing=True)


def _similar_wins(post: Post) -> Found:
    """How like it is to posts that were won before. Missing (none was won yet): 0.5."""
    if not post.wins:
        return Found(value=_UNKNOWN, says="No bid was won yet", missing=True)
    here = _telling(post.lead)
    best = max((_telling(win) for win in post.wins), key=lambda win: _likeness(here, win))
    # Only words of this post are named: what another client wrote is nobody else's business.
    shared = tuple(dict.fromkeys(word for stem, word in here.items() if stem in best))[:_MOST_QUOTES]
    likeness = _likeness(here, best)
    says = f"It shares {', '.join(shared)} with a post you won" if shared else "It is unlike what you won before"
    return Found(value=0.4 + 0.6 * likeness, says=says, words=shared)


def _questions(post: Post) -> Found:
    """Whether they ask for something in particular: who asks reads the answers. Missing (no question): 0.5."""
    asked = [one_line(question, _WORDS) for question in post.lead.questions if question.strip()]
    if not asked:
        return Found(value=_UNKNOWN, says="It asks no question of its own", missing=True)
    value = 1.0 if len(asked) <= 6 else 0.4  # noqa: PLR2004
    says = f"It asks {len(asked)} question{'s' if len(asked) > 1 else ''} of its own"
    return Found(value=value, says=says, words=tuple(asked[:_MOST_QUOTES]))


FACTORS: dict[str, Callable[[Post], Found]] = {
    "skills": _skills,
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


# ---------------------------------------------------------------- what is never bid for


def _refused(post: Post) -> str:
    """Why this is never bid for whatever its score, "" when it may be."""
    return next((reason for check in _REFUSALS if (reason := check(post))), "")


def _over(post: Post) -> str:
    lead, now = post.lead, _aware(post.now)
    if lead.expires_at and _aware(lead.expires_at) <= now:
        return f"It expired on {_aware(lead.expires_at):%Y-%m-%d}."
    if lead.published and not lead.expires_at and now - _aware(lead.published) > _STALE:
        return f"It was posted on {_aware(lead.published):%Y-%m-%d}, more than {_STALE.days} days ago."
    return ""


def _blocked(post: Post) -> str:
    company = fold(post.lead.company)
    found = next((name for name in post.profile.blocked if company and fold(name) == company), "")
    return f"{one_line(found, _WORDS)} is on your list of companies you never bid to." if found else ""


def _avoided(post: Post) -> str:
    found = next((word for word in post.profile.avoid if word.strip() and names(post.folded, word)), "")
    return f'It holds "{one_line(found, _WORDS)}", which you never want.' if found else ""


def _unwanted(post: Post) -> str:
    kind, word = _engagement_of(post)
    wanted = {fold(one) for one in post.profile.engagements}
    return f'It is {kind} work ("{word}"), which you do not want.' if kind and kind not in wanted else ""


def _unskilled(post: Post) -> str:
    found = _skills(post)
    return "" if found.missing or found.value else "It asks for none of the skills in your profile."


def _underpaid(post: Post) -> str:
    pay, least = post.lead.pay, post.profile.minimum
    best = replace(pay, least=None) if pay and pay.most else pay  # of a range only the upper end can be too little
    offered, asked = _hourly(post, best), _hourly(post, least)
    if not pay or not least or not offered or not asked or offered >= asked:
        return ""
    return f"It pays {_pay_words(pay)}, less than your minimum of {_pay_words(least)}."


def _unreachable(post: Post) -> str:
    reachable = post.lead.url or "@" in post.lead.contact.email
    return "" if reachable else "It names neither a link nor an address to bid to."


def _warned(post: Post) -> str:
    """One word of warning may be about something else (a shop for gift cards); two serious ones seldom are."""
    hits = _warnings(post)
    if sum(float(row["takes"]) for row, _ in hits) < _TOO_MANY_WARNINGS:
        return ""
    quoted = ", ".join(f'"{word}" ({row["says"]})' for row, word in hits)
    return one_line(f"It holds words of warning: {quoted}.", 300)


_REFUSALS = (_over, _blocked, _avoided, _unwanted, _unskilled, _underpaid, _unreachable, _warned)


# ---------------------------------------------------------------- reading a post


_COUNT = (
    r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|ein|eine[nr]?|zwei|drei"
    r"|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|fünfzehn|zwanzig|dreissig|vierzig)"
)
_HOURS_A_WEEK = re.compile(
    rf"(?<![\w.,])(?:\d{{1,3}} ?(?:-|to|bis) ?)?{_COUNT}\+? ?(?:hours?|hrs?|h|stunden|std\.?)"
    r"(?: ?/ ?| (?:per|a|each|pro|die|in der) )(?:week|wk|woche)"
)
_LASTS = re.compile(
    rf"(?<![\w.,])(?:(?:\d{{1,3}}|[a-z]{{3,6}}) ?(?:-|to|bis) ?)?{_COUNT}"
    r"\+? ?[- ]?(days?|weeks?|months?|years?|tage|wochen|monate|jahre)"
    r"(?! (?:of(?! (?:full[- ]time )?work)|old|experience|ago|erfahrung|notice|in))(?!\w)"
)
_WEEKS = {"d": 0.2, "w": 1.0, "m": 4.3, "y": 52.0}
_LASTS_UNIT = {"d": "d", "t": "d", "w": "w", "m": "m", "y": "y", "j": "y"}


def _number(word: str) -> int:
    numbers: dict[str, int] = table("factors")["numbers"]
    return numbers.get(word) or int(word)


def _post(lead: Lead, profile: Profile, now: datetime, wins: Sequence[Lead]) -> Post:
    text = "\n".join([lead.title[:500], lead.text[:MOST_TEXT], ", ".join(lead.skills[:50]), lead.place[:200]])
    return Post(lead=lead, profile=profile, now=now, wins=tuple(wins), text=text, folded=fold(text))


def _factor(name: str, found: Found) -> Factor:
    """With its weight; the value is rounded before it counts, so that a recount by hand comes out the same."""
    return Factor(
        name=name,
        value=round(min(max(found.value, 0.0), 1.0), 2),
        weight=float(table("factors")["weights"][name]),
        words=tuple(word for word in found.words[:_MOST_QUOTES] if word),
        missing=found.missing,
        says=found.says,
    )


@cache
def _pattern(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return phrases(patterns)


def _aware(moment: datetime) -> datetime:
    """A source may leave out the zone: then it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def _engagement_of(post: Post) -> tuple[str, str]:
    """The kind of work and the word that says so: the source's own field first, then the title, then the text."""
    stated = fold(post.lead.engagement).replace("_", "-").replace(" ", "-").replace("fulltime", "full-time")
    kinds = table("factors")["engagements"]
    if stated in kinds:
        return stated, one_line(post.lead.engagement, _WORDS)
    wanted = [fold(kind) for kind in post.profile.engagements]
    order = sorted(kinds, key=lambda kind: kind not in wanted)  # "full-time or contract" is also contract work
    for text in (fold(post.lead.title[:500]), post.folded):
        for kind in order:
            if found := _pattern(tuple(kinds[kind])).search(text):
                return str(kind), one_line(found.group(), _WORDS)
    return "", ""


def _countries(folded: str) -> frozenset[str]:
    """The codes of every country that a text names, by itself or by its region."""
    data = table("factors")
    named = {code for code, names in data["countries"].items() if _pattern(tuple(names)).search(folded)}
    for region, members in data["regions"].items():
        if _pattern((re.escape(region),)).search(folded):
            named.update(members)
    return frozenset(named)


def _countries_required(post: Post) -> frozenset[str]:
    """The countries of those sentences that say one must be there: a customer in Japan requires nothing."""
    only = _pattern(tuple(table("factors")["place"]["only"]))
    sentences = [fold(part) for part in re.split(r"(?<=[.!?])\s|\n", post.text)]
    return frozenset().union(*(_countries(part) for part in sentences if only.search(part)))


def _languages_demanded(folded: str) -> list[tuple[str, str]]:
    data = table("factors")
    before, after = "|".join(data["spoken"]["before"]), "|".join(data["spoken"]["after"])
    found = []
    ours = {code: words_in(code, "language")["posts"] for code in languages("language")}
    for code, words in (ours | data["languages"]).items():
        name = "|".join(words)
        hit = _demand(f"(?:{before}) (?:{name})|(?:{name})[- ]?(?:{after})").search(folded)
        if hit:
            found.append((code, one_line(hit.group(), _WORDS)))
    return found


@cache
def _demand(pattern: str) -> re.Pattern[str]:
    return phrases([pattern])


# ---------------------------------------------------------------- money


def _hourly(post: Post, pay: Pay | None) -> Decimal | None:
    """What it comes to by the hour in minor units of the owner's currency; None when that cannot be said."""
    rate = post.profile.rate or post.profile.minimum
    if not pay or not rate:
        return None
    bounds = [bound for bound in (pay.least, pay.most) if bound and bound.minor > 0]
    own = rate.least or rate.most
    if not bounds or not own or any(bound.currency != own.currency for bound in bounds):
        return None
    found = [hourly(pay, bound, stated_hours(post.folded)) for bound in bounds]
    known = [one for one in found if one is not None]
    return sum(known, Decimal(0)) / len(known) if known else None


def _hours_paid(pay: Pay, rate: Pay | None) -> float | None:
    """How many hours a project's budget pays at the owner's rate; None for other pay or another currency."""
    budget, own = pay.most or pay.least, (rate.least or rate.most) if rate else None
    if pay.per != "project" or not budget or not own or not rate or budget.currency != own.currency:
        return None
    by_hour = hourly(rate, own)
    return float(min(Decimal(budget.minor) / by_hour, Decimal(100_000))) if by_hour else None


def _not_comparable(pay: Pay | None, rate: Pay | None) -> str:
    if not rate:
        return "Your profile names no rate"
    if not pay or not (pay.least or pay.most):
        return "No pay is stated"
    if pay.per not in HOURS:
        return f"{_pay_words(pay)} for the whole project, without its hours, cannot be compared with your rate"
    return f"{_pay_words(pay)} cannot be compared with your rate"


def _pay_words(pay: Pay) -> str:
    """`40-60 EUR/hour` as it reads best."""
    least, most = pay.least, pay.most
    per = "" if pay.per == "project" else f"/{pay.per}"
    if least and most and least != most:
        return f"{written(least)} to {written(most)}{per}"
    only = least or most
    return f"{written(only)}{per}" if only else "nothing"


# ---------------------------------------------------------------- likeness


def _likeness(one: Mapping[str, str], other: Mapping[str, str]) -> float:
    """0 to 1: the stems that two posts share (Jaccard)."""
    together = one.keys() | other.keys()
    return len(one.keys() & other.keys()) / len(together) if together else 0.0


def _telling(lead: Lead) -> dict[str, str]:
    """The words of a title and its skills that say what it is about, by their stems."""
    words = re.findall(r"[\w+#]{2,}", fold(f"{lead.title[:500]} {' '.join(lead.skills[:50])}"))
    return {word[:6]: word for word in words if word not in small_words()}
