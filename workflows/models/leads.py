"""Leads: a job post, what it pays, how well it fits, and what the owner says of himself."""

from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.models.mail import NOBODY, Address
from workflows.models.money import Money


@dataclass(frozen=True, slots=True, kw_only=True)
class Pay:
    """What a post offers. A bound that is not stated, or stated as 0, is None."""

    least: Money | None = None
    most: Money | None = None
    per: Literal["hour", "day", "week", "month", "year", "project"] = "project"


@dataclass(frozen=True, slots=True, kw_only=True)
class PastWork:
    """One finished work of the owner's that a bid may name; as a source its id is "work:<id>"."""

    id: str
    title: str
    text: str = ""
    skills: tuple[str, ...] = ()
    link: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Profile:
    """What the owner offers and wants, as the rules about leads and bids need it."""

    rate: Pay | None = None  # `least` and `most` are the same amount
    minimum: Pay | None = None  # what pays less is refused
    skills: tuple[str, ...] = ()
    work: tuple[PastWork, ...] = ()
    hours_per_week: int = 0  # free for new work, 0: not said
    languages: tuple[str, ...] = ("en",)  # two-letter codes
    engagements: tuple[str, ...] = ("freelance", "contract", "part-time")
    avoid: tuple[str, ...] = ()  # words and phrases whose posts are never bid for
    blocked: tuple[str, ...] = ()  # companies never bid to
    country: str = ""  # ISO 3166, upper case
    timezone: str = "UTC"


@dataclass(frozen=True, slots=True, kw_only=True)
class Lead:
    """One job post. Every text is the poster's: plain text, hidden parts and honeypots taken out, never trusted."""

    source: str  # the configured source's name ("wwr"), or "mail:upwork"
    id: str  # the source's own id of the post
    title: str
    text: str = ""
    url: str = ""  # where a person reads it and bids; tracking taken out
    company: str = ""
    contact: Address = NOBODY  # where a bid may be mailed to; email "": through the link alone
    published: datetime | None = None
    expires_at: datetime | None = None
    skills: tuple[str, ...] = ()
    engagement: str = ""  # freelance | contract | part-time | full-time | "" unknown
    pay: Pay | None = None
    place: str = ""  # where one has to be, in the post's words
    questions: tuple[str, ...] = ()  # what the post asks the bidder to answer
    flags: "tuple[Flag, ...]" = ()  # what was noticed
    attribution: str = ""  # how the source wants to be named


@dataclass(frozen=True, slots=True)
class Flag:
    """Something noticed about a post: a code to decide by, and a sentence for people."""

    code: Literal["honeypot", "unverified", "noted"]
    says: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Factor:
    """One reason for or against a lead. Its part of the total is `value * weight`."""

    name: str
    value: float  # 0 (against) to 1 (for); what a missing value counts as is the factor's own to say
    weight: float
    words: tuple[str, ...] = ()  # of the post or the profile, on which it rests
    missing: bool = False
    says: str = ""  # in one plain sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Score:
    """A lead's worth: sum(value * weight) / sum(weight) over the factors, 0 to 1."""

    total: float
    threshold: float
    factors: tuple[Factor, ...] = ()
    refused: str = ""  # not empty: never bid for whatever the total, and why
