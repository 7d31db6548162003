"""Text of a bid: the post's own questions answered, past work, a price by arithmetic; each line with its source."""

import re
import tomllib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from functools import cache
from typing import Any

from pydantic import BaseModel

from agents.checks import Allowed, safe_line
from agents.letters import FOLDER, ending, greeting
from workflows.models.drafts import Brief, Source
from workflows.models.leads import Pay
from workflows.rules.leads.claims import is_claim, sentences
from workflows.rules.leads.rates import BidPrice, parse_rate, price, written
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.languages import known_language, with_added, words_in
from workflows.rules.text.words import fold, phrases

_MOST_QUESTIONS = 8
QUESTION = 200  # characters of one
NOTHING = Allowed(own="", all="")
_FIXED = ("work", "offer", "see_work", "opening_bare")
_RATE = re.compile(
    r"(?<![\w.,])(?P<rate>[€$£]?\s?\d[\d.,']*\s?(?:[€$£]|[A-Z]{3}\b)?\s?(?:/|\b(?:per|an?|pro|je|par|por)\b)\s?[^\W\d]+)"
    r"(?!\s+(?:less|more|lower|higher|cheaper|off|weniger|mehr|günstiger|de moins|de plus|menos|más))",
    re.IGNORECASE,
)


class ScreeningAnswer(BaseModel):
    question: int
    text: str


class BidWords(BaseModel):
    """The parts of a bid that are written; the rest is code's."""

    opening: str
    answers: list[ScreeningAnswer]
    fit: str
    plan: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ComposedBid:
    """A bid put together. `made`: the sentences that code made, each with the source it comes from."""

    body: str
    open: tuple[str, ...]  # questions of the post without an answer
    asked: int
    made: tuple[Source, ...]
    fixed: frozenset[str]  # sentences of the template itself, which state nothing
    price: str = ""  # "95 EUR/hour", for the owner


def compose(brief: Brief, words: BidWords, wishes: str = "", made: Sequence[Source] = ()) -> ComposedBid:
    """The whole bid: greeting, opening, questions with answers, fit, past work, plan, price, hours, closing, name.

    `made`: what code put into the words, with its sources. Questions about price and hours are answered by code alone.
    """
    wording = bid_phrases(brief)
    lines, hours = _priced(brief, wishes), _hours(brief)
    _, offered = _price(brief, wishes)
    works = [source for source in brief.profile if source.kind == "work"]
    questions = questions_of(brief)
    answers = {answer.question: answer.text.strip() for answer in words.answers if answer.text.strip()}
    code_answers = {
        number: {"price": lines, "hours": hours}.get(about_fact(question), []) for number, question in questions
    }
    answers |= {number: joined_lines(sources) for number, sources in code_answers.items() if sources}
    answered_lines = [line for sources in code_answers.values() for line in sources]
    parts = [greeting(brief.sender, wording), words.opening.strip()]
    parts += [_asked(brief, number, question, answers[number]) for number, question in questions if number in answers]
    parts += [words.fit.strip()]
    parts += ["\n".join([wording["work"], *(f"- {source.quote}" for source in works)])] if works else []
    parts += [
        words.plan.strip(),
        joined_lines([line for line in (*lines, *hours) if line not in answered_lines]),
        wording["offer"],
    ]
    parts += [ending(brief, wording)]
    return ComposedBid(
        body=canonical("\n\n".join(part for part in parts if part)),
        open=tuple(question for number, question in questions if number not in answers),
        asked=len(questions),
        made=(*works, *lines, *hours, *made),
        fixed=frozenset(sentences("\n".join(wording[name] for name in _FIXED))),
        price=f"{written(offered.rate)}/{offered.per}" if offered else "",
    )


def joined_lines(lines: Iterable[Source]) -> str:
    return " ".join(line.quote for line in lines)


def questions_of(brief: Brief) -> list[tuple[int, str]]:
    """The post's own questions with their numbers."""
    questions = brief.lead.questions if brief.lead else ()
    plain = [one_line(question) for question in questions if question.strip()]
    return list(enumerate(plain[:_MOST_QUESTIONS], start=1))


def _asked(brief: Brief, number: int, question: str, answer: str) -> str:
    """A question and its answer. A question that holds a link, or reads as a claim of ours, is named by its number."""
    quoted = safe_line(question, NOTHING, QUESTION)
    plain = bool(quoted) and len(question) <= QUESTION and not is_claim(quoted, brief.owner_name)
    head = f"> {quoted}" if plain else bid_phrases(brief)["question"].replace("{number}", str(number))
    return f"{head}\n{answer}"


def _price(brief: Brief, wishes: str) -> tuple[str, BidPrice | None]:
    """(source id, price): from the rate that the owner names in his wishes, else from the profile's."""
    wished = _wished_rate(wishes)
    profile_rate = next((source.quote for source in brief.profile if source.id == "profile:rate"), "")
    rate = wished or parse_rate(profile_rate)
    return "wishes" if wished else "profile:rate", price(rate, brief.lead) if rate and brief.lead else None


def _priced(brief: Brief, wishes: str) -> list[Source]:
    """The price in sentences, with what it comes to where they said enough."""
    name, offer = _price(brief, wishes)
    return [Source(id=name, kind="owner", quote=line) for line in _price_lines(offer, brief)] if offer else []


def _price_lines(found: BidPrice, brief: Brief) -> Iterator[str]:
    wording, language = bid_phrases(brief), bid_language(brief)
    yield wording["price"].replace("{rate}", f"{written(found.rate, language)} {wording['per'][found.per]}")
    if found.whole:
        yield _filled(wording["whole"], hours=str(found.hours), amount=written(found.whole, language))
    elif found.budget and found.covers:
        yield _filled(wording["covers"], hours=str(found.covers), budget=written(found.budget, language))


def _wished_rate(wishes: str) -> Pay | None:
    """The rate that the owner's words name with its unit ("80 EUR/hour"): "10 EUR less" names none."""
    rates = (parse_rate(match["rate"].strip()) for match in _RATE.finditer(wishes[:2000]))
    return next((rate for rate in rates if rate), None)


def _hours(brief: Brief) -> list[Source]:
    source = next((fact for fact in brief.profile if fact.id == "profile:hours"), None)
    number = re.search(r"\d+", source.quote) if source else None
    if not number:
        return []
    return [
        Source(id="profile:hours", kind="owner", quote=bid_phrases(brief)["hours"].replace("{hours}", number.group()))
    ]


def _filled(form: str, **values: str) -> str:
    """In one pass: what a value holds is never taken for a place of its own."""
    return re.sub(r"\{(\w+)\}", lambda found: values.get(found[1], found.group()), form)


def about_fact(question: str) -> str:
    """What a question of a post is about: price, hours, languages, work, or ""."""
    folded = fold(question)
    return next((str(row["about"]) for row in ask_rows() if phrases(row["phrases"]).search(folded)), "")


@cache
def bid_templates() -> dict[str, Any]:
    return with_added(tomllib.loads((FOLDER / "bid.toml").read_text(encoding="utf-8")), "bid")


def ask_rows() -> list[dict[str, Any]]:
    rows: list[dict[str, Any]] = bid_templates()["asks"]
    return rows


def bid_language(brief: Brief) -> str:
    return known_language(brief.language, "bid")


def bid_phrases(brief: Brief) -> dict[str, Any]:
    return words_in(brief.language, "bid")
