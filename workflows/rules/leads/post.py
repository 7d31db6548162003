"""Post: a lead as the factors and the refusals read it. Its text folded once, its words, places, languages, hours."""

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import cache
from typing import Any

from workflows.models.leads import Lead, Profile
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import fold, phrases, table

MOST_TEXT = 20_000  # characters of a post that are looked at
LONGEST_PIECE = 60  # characters of one quoted piece


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
        match = pattern_of(tuple(patterns)).search(self.folded)
        return one_line(match.group(), LONGEST_PIECE) if match else ""


def warnings_in(post: Post) -> list[tuple[Mapping[str, Any], str]]:
    """The rows of `red_flags` that the post fits, each with its words."""
    return [(row, word) for row in table("factors")["red_flags"] if (word := post.first(row["phrases"]))]


_COUNT = (
    r"(\d{1,3}|one|two|three|four|five|six|seven|eight|nine|ten|twelve|fifteen|twenty|thirty|forty|ein|eine[nr]?|zwei|drei"
    r"|vier|fünf|sechs|sieben|acht|neun|zehn|zwölf|fünfzehn|zwanzig|dreissig|vierzig)"
)
HOURS_A_WEEK = re.compile(
    rf"(?<![\w.,])(?:\d{{1,3}} ?(?:-|to|bis) ?)?{_COUNT}\+? ?(?:hours?|hrs?|h|stunden|std\.?)"
    r"(?: ?/ ?| (?:per|a|each|pro|die|in der) )(?:week|wk|woche)"
)
LASTS = re.compile(
    rf"(?<![\w.,])(?:(?:\d{{1,3}}|[a-z]{{3,6}}) ?(?:-|to|bis) ?)?{_COUNT}"
    r"\+? ?[- ]?(days?|weeks?|months?|years?|tage|wochen|monate|jahre)"
    r"(?! (?:of(?! (?:full[- ]time )?work)|old|experience|ago|erfahrung|notice|in))(?!\w)"
)
WEEKS = {"d": 0.2, "w": 1.0, "m": 4.3, "y": 52.0}
LASTS_UNIT = {"d": "d", "t": "d", "w": "w", "m": "m", "y": "y", "j": "y"}


def number_of(word: str) -> int:
    numbers: dict[str, int] = table("factors")["numbers"]
    return numbers.get(word) or int(word)


def post_of(lead: Lead, profile: Profile, now: datetime, wins: Sequence[Lead]) -> Post:
    text = "\n".join([lead.title[:500], lead.text[:MOST_TEXT], ", ".join(lead.skills[:50]), lead.place[:200]])
    return Post(lead=lead, profile=profile, now=now, wins=tuple(wins), text=text, folded=fold(text))


@cache
def pattern_of(patterns: tuple[str, ...]) -> re.Pattern[str]:
    return phrases(patterns)


def with_zone(moment: datetime) -> datetime:
    """A source may leave out the zone: then it is UTC."""
    return moment if moment.tzinfo else moment.replace(tzinfo=UTC)


def engagement_of(post: Post) -> tuple[str, str]:
    """The kind of work and the word that says so: the source's own field first, then the title, then the text."""
    engagement = fold(post.lead.engagement).replace("_", "-").replace(" ", "-").replace("fulltime", "full-time")
    kinds = table("factors")["engagements"]
    if engagement in kinds:
        return engagement, one_line(post.lead.engagement, LONGEST_PIECE)
    preferred = [fold(kind) for kind in post.profile.engagements]
    order = sorted(kinds, key=lambda kind: kind not in preferred)  # "full-time or contract" is also contract work
    for text in (fold(post.lead.title[:500]), post.folded):
        for kind in order:
            if match := pattern_of(tuple(kinds[kind])).search(text):
                return str(kind), one_line(match.group(), LONGEST_PIECE)
    return "", ""


def countries_in(folded: str) -> frozenset[str]:
    """The codes of every country that a text names, by itself or by its region."""
    data = table("factors")
    named = {code for code, names in data["countries"].items() if pattern_of(tuple(names)).search(folded)}
    for region, members in data["regions"].items():
        if pattern_of((re.escape(region),)).search(folded):
            named.update(members)
    return frozenset(named)


def countries_required(post: Post) -> frozenset[str]:
    """The countries of those sentences that say one must be there: a customer in Japan requires nothing."""
    only = pattern_of(tuple(table("factors")["place"]["only"]))
    sentences = [fold(part) for part in re.split(r"(?<=[.!?])\s|\n", post.text)]
    return frozenset().union(*(countries_in(part) for part in sentences if only.search(part)))


def languages_demanded(folded: str) -> list[tuple[str, str]]:
    data = table("factors")
    before, after = "|".join(data["spoken"]["before"]), "|".join(data["spoken"]["after"])
    demanded = []
    own_words = {code: words_in(code, "language")["posts"] for code in languages("language")}
    for code, words in (own_words | data["languages"]).items():
        name = "|".join(words)
        hit = _demand(f"(?:{before}) (?:{name})|(?:{name})[- ]?(?:{after})").search(folded)
        if hit:
            demanded.append((code, one_line(hit.group(), LONGEST_PIECE)))
    return demanded


@cache
def _demand(pattern: str) -> re.Pattern[str]:
    return phrases([pattern])
