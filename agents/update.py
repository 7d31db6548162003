"""Status updates that cite logged work alone: a list made by a template, or points worded by a model and held to it.

Each point names the entries it rests on. What a point says of work, figures and how far things are must stand in them;
greeting, opening, hours and closing are put in by code.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from functools import cache
from typing import Any

from pydantic import BaseModel

from agents.checks import Allowed, DraftFault, allowed, faults, language_name, safe_line
from agents.forms import Form, Task, boundary, item, looked_up, wanted
from agents.letters import FOLDER, addressee, as_why, ending, gist_of, greeting, template_reasons
from agents.lookup.reference import Reference
from agents.model import Message, Model
from agents.prompting import prompt
from agents.writing import Writing
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.models.work import Report, Work
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import filled, known_language, with_added, words_in
from workflows.rules.text.words import fold
from workflows.rules.work import rhythm
from workflows.rules.work.milestones import hours
from workflows.rules.work.scope import content_words, same_word

_GIST = 60
_POINT = 240  # characters of one point
_MOST_POINTS = 25  # of a template's list
_MOST_MODEL_POINTS = 12
_REMARK = 400
_NOTHING = "nothing of what was logged can be told to a client as it is; write it yourself, or close the case with 'no'"
_PREFIX = re.compile(
    r"^(?:(?:feat|feature|fix|bugfix|hotfix|chore|docs?|style|refactor|perf|tests?|build|ci|revert|improvement)"
    r"(?:\([\w ./-]{1,40}\))?!?:\s+|\[[^\]]{1,30}\]\s*)",
    re.IGNORECASE,
)
_TICKET = re.compile(r"\s*\(?(?:#\d{1,7}|\b[A-Z]{2,10}-\d{1,6})\)?:?\s*")
_LENGTHS = re.compile(
    r"\b\d+(?:[.,:]\d+)?\s*(?:h|hrs?|hours?|std|stunden?|heures?|horas?|ore|uur|uren|godz\w*|min|mins|minutes?|minuten|"
    r"minutos?|minuti|minut\w*)\b",
    re.IGNORECASE,
)
_FIGURE = re.compile(r"\d(?:[\d.,:]*\d)?")
_IDS = re.compile(r"\b(?:time|git):[0-9a-f]{4,}", re.IGNORECASE)
_CLAUSE = re.compile(
    r"[.,;:!?()]+\s|\s+(?:and|as well as|und|sowie|et|ainsi que|y|así como|e|en|oraz|i)\s+|\s[-–—]\s",  # noqa: RUF001
    re.IGNORECASE,
)


@dataclass(frozen=True, slots=True)
class UpdateLine:
    """One line of the list, and the entries it rests on."""

    text: str
    sources: tuple[str, ...]


class Point(BaseModel):
    """What a model says was done, and where that stands."""

    text: str
    sources: list[str]


class Points(BaseModel):
    """What a model writes: the list; and, where the owner asked for it, a remark."""

    points: list[Point]
    remark: str
    gist: str


class TemplateUpdate:
    """The update without a model: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """The logged work as a list; wishes cannot be worked in, and the draft says so."""
        return self.letter(brief, wishes, previous)

    def letter(
        self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = (), cost: str = "0"
    ) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's words."""
        report = brief.report
        worked, delivered, left_out = _listed(report) if report else ((), (), 0)
        if report is None or not (worked or delivered):
            return Draft(body="", gist="Nothing can be told as it is.", needs_owner=_NOTHING, why=why, cost=cost)
        body = compose(brief, worked, delivered)
        if wishes and previous:  # a text the owner has seen, or wrote, is better than the same list again
            body = canonical(previous)
        return Draft(
            body=body,
            gist=gist_of(brief, "wishes") if wishes else _gist(brief),
            why=(*why, *_reasons(brief, wishes, left_out)),
            sources=_cited((*worked, *delivered)),
            cost=cost,
            by=DraftedBy.TEMPLATE,
        )


class UpdateAgent:
    """The points by a language model; without a usable answer of it, the template's list."""

    def __init__(self, model: Model, templates: TemplateUpdate, reference: Reference | None = None) -> None:
        self._model, self._templates = model, templates
        self._writing = Writing(model, Form(shape=Points, messages=_messages, check=check), reference)

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked update.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
            NeedsOwner: the endpoint refuses the key, the name or the way of asking.
        """
        plain = self._templates.letter(brief)
        if plain.needs_owner:  # nothing to write about is not asked about
            return plain
        filled = await self._writing.fill(Task(brief=brief, version=version, wishes=wishes, previous=previous))
        cost = self._model.cost(brief.case, version)
        if filled.slots is None:
            return self._templates.letter(brief, wishes, previous, why=as_why(filled.why), cost=cost)
        points = filled.slots
        lines = tuple(UpdateLine(one_line(point.text, _POINT), tuple(point.sources)) for point in points.points)
        return Draft(
            body=compose(brief, lines, (), points.remark if wishes else ""),
            gist=safe_line(points.gist, allowed(brief, wishes, previous), _GIST) or _gist(brief),
            model=self._model.name,
            by=DraftedBy.MODEL,
            why=(*filled.why, *_translated(brief)),
            sources=_cited(lines),
            cost=cost,
        )


# ---------------------------------------------------------------- the letter


def compose(brief: Brief, worked: Sequence[UpdateLine], delivered: Sequence[UpdateLine], remark: str = "") -> str:
    """The whole update: greeting, opening, the list, the hours where they are shared, closing, the owner's name."""
    report, phrases = brief.report, _phrases(brief)
    if report is None:
        return ""
    opening = filled(
        phrases["opening" if rhythm.is_whole(report.since, report.until) else "opening_days"],
        project=one_line(report.name, 120),
        period=_period(brief),
    )
    parts = [greeting(addressee(brief), phrases), opening, _list(worked, phrases)]
    if worked and delivered:
        parts.append(phrases["delivered"])
    parts.append(_list(delivered, phrases))
    billable = sum(piece.minutes for piece in report.work if piece.billable)
    if report.tells_hours and billable:
        parts.append(filled(phrases["time"], hours=hours(billable)))
    parts += [remark.strip(), phrases["ending"], ending(brief, phrases)]
    return canonical("\n\n".join(part for part in parts if part))


def _list(lines: Sequence[UpdateLine], phrases: dict[str, str]) -> str:
    bullets = [f"- {line.text}" for line in lines[:_MOST_POINTS]]
    if remainder := len(lines) - len(bullets):
        bullets.append(f"- {filled(phrases['more'], count=str(remainder))}")
    return "\n".join(bullets)


def _listed(report: Report) -> tuple[tuple[UpdateLine, ...], tuple[UpdateLine, ...], int]:
    """The lines of the time entries, those of commits that say something else, and how many entries tell nothing."""
    worded_pieces = [(piece, _tellable(piece)) for piece in report.work]
    worked = _merged((piece, text) for piece, text in worded_pieces if not piece.id.startswith("git:"))
    worked_texts = {fold(line.text) for line in worked}
    delivered = _merged((piece, text) for piece, text in worded_pieces if piece.id.startswith("git:"))
    return (
        worked,
        tuple(line for line in delivered if fold(line.text) not in worked_texts),
        sum(not text for _, text in worded_pieces),
    )


def _merged(told: "Iterator[tuple[Work, str]]") -> tuple[UpdateLine, ...]:
    """The same words on several days are one line."""
    lines: dict[str, UpdateLine] = {}
    for piece, text in told:
        if text:
            before = lines.get(fold(text), UpdateLine(text, ()))
            lines[fold(text)] = replace(before, sources=(*before.sources, piece.id))
    return tuple(lines.values())


def _tellable(piece: Work) -> str:
    """An entry's words as a client may read them; "" when they say nothing, or hold a link, number or placeholder."""
    text = one_line(piece.text, _POINT)
    if _is_noise(text):
        return ""
    if piece.id.startswith("git:"):
        text = _TICKET.sub(" ", _PREFIX.sub("", text)).strip(" -:.")
    text = safe_line(text.rstrip("."), Allowed(own="", all=""), _POINT)
    return "" if _is_noise(text) else text[:1].upper() + text[1:]


def _is_noise(text: str) -> bool:
    folded, table = fold(text).rstrip(". "), _templates()["noise"]
    return (
        folded in table["whole"]
        or not re.search(r"[^\W\d_]{2}", folded)
        or folded.startswith(tuple(table["beginnings"]))
    )


def _cited(lines: Sequence[UpdateLine]) -> tuple[str, ...]:
    return tuple(dict.fromkeys(source for line in lines for source in line.sources))


def _gist(brief: Brief) -> str:
    report, language = brief.report, brief.owner_language
    return gist_of(brief, "update", period=rhythm.period(report.since, report.until, language) if report else "")


def _period(brief: Brief) -> str:
    report = brief.report
    return rhythm.period(report.since, report.until, _language(brief)) if report else ""


def _reasons(brief: Brief, wishes: str, left_out: int) -> Iterator[str]:
    if left_out:
        verb, holds, entries = ("says", "holds", "entry") if left_out == 1 else ("say", "hold", "entries")
        yield f"{left_out} {entries} {verb} nothing to a client, or {holds} a link or number; left out"
    yield from template_reasons(brief, "update", wishes)


def _translated(brief: Brief) -> tuple[str, ...]:
    logged = _logged_in(brief)
    if _comparable(logged, _language(brief)):
        return ()
    languages = f"The entries are in {language_name(logged)}, the update in {language_name(_language(brief))}"
    return (f"{languages}: its words could not be held against them, read it with the list below",)


# ---------------------------------------------------------------- the model's points


def _messages(task: Task) -> Sequence[Message]:
    brief = task.brief
    system = prompt(
        "update",
        boundary=boundary(task),
        owner=one_line(brief.owner_name, 100),
        language=language_name(_language(brief)),
    )
    pieces = brief.report.work if brief.report else ()
    entries = "\n".join(f"{piece.id} ({piece.day:%Y-%m-%d}): {one_line(piece.text, 300)}" for piece in pieces)
    name = brief.report.name if brief.report else ""
    items = [item(task, "the entries", f"Project: {one_line(name, 120)}\n\n{entries}"), *looked_up(task), *wanted(task)]
    return [("system", system), ("user", "\n\n".join(items))]


def check(points: Points, task: Task) -> Sequence[DraftFault]:
    """What is wrong with a model's points: a source that is none, work, a figure or a claim that its entries lack."""
    brief, report = task.brief, task.brief.report
    pieces = {piece.id: piece for piece in report.work} if report else {}
    problems = [*_shape(points, pieces, task)]
    for point in points.points:
        cited = [pieces[name] for name in point.sources if name in pieces]
        problems += _unsupported(point.text, cited, task)
    if task.wishes:
        problems += _foreign_remark(points.remark, task)
    text = "\n".join([*(point.text for point in points.points), points.remark if task.wishes else ""])
    for fault in faults(text, _for_checks(brief), task.wishes, task.previous):
        # A figure, day or name that nobody logged is no matter of taste here.
        problems.append(replace(fault, hard=True) if fault.rule == "fact" else fault)
    return tuple(sorted(dict.fromkeys(problems), key=lambda fault: not fault.hard))


def _shape(points: Points, pieces: dict[str, Work], task: Task) -> Iterator[DraftFault]:
    if not points.points:
        yield DraftFault("length", "There is no point.")
    if len(points.points) > _MOST_MODEL_POINTS:
        yield DraftFault("length", f"There are {len(points.points)} points: more than {_MOST_MODEL_POINTS}.")
    if len(points.remark) > _REMARK and task.wishes:
        yield DraftFault("length", f"The remark has {len(points.remark)} characters: more than {_REMARK}.")
    for point in points.points:
        excerpt = one_line(point.text, 60)
        if not point.text.strip() or len(point.text) > _POINT:
            yield DraftFault(
                "length", f'The point "{excerpt}" has {len(point.text)} characters: 1 to {_POINT} are right.'
            )
        if not any(name in pieces for name in point.sources):
            yield DraftFault("source", f'The point "{excerpt}" names no entry it rests on.')
        for name in point.sources:
            if name not in pieces:
                yield DraftFault("source", f'There is no entry "{one_line(name, 40)}".')
        if _IDS.search(point.text):
            yield DraftFault("source-id", f'The id "{_IDS.findall(point.text)[0]}" stands in the text.')


def _unsupported(text: str, cited: Sequence[Work], task: Task) -> Iterator[DraftFault]:
    """Work, figures, lengths of time and claims of a point that none of its own entries has, nor the owner's words."""
    brief, excerpt = task.brief, one_line(text, 60)
    name = brief.report.name if brief.report else ""
    owners = (task.wishes, task.previous) if task.wishes else ()
    support = "\n".join([name, *(f"{piece.text}\n{piece.milestone}" for piece in cited), *owners])
    for length in dict.fromkeys(_LENGTHS.findall(text)):
        if length not in support:
            yield DraftFault(
                "hours", f'"{length}" is a length of time: the program puts those in where they are shared.'
            )
    for figure in dict.fromkeys(_FIGURE.findall(text)):
        if figure not in _FIGURE.findall(support):
            yield DraftFault("figure", f'The figure "{figure}" stands in none of the entries that "{excerpt}" names.')
    for claim in _claims():
        match = claim.search(fold(text))
        if match and not claim.search(fold(support)):
            yield DraftFault("claim", f'"{match.group()}" stands in none of the entries that "{excerpt}" names.')
    if _comparable(_logged_in(brief), _language(brief)):
        for clause in _foreign_clauses(text, support):
            yield DraftFault("work", f'"{one_line(clause, 80)}" stands in none of the entries that its point names.')


def _foreign_remark(remark: str, task: Task) -> Iterator[DraftFault]:
    """A remark says what the owner asked for, nothing else."""
    if _comparable(language_of(task.wishes), language_of(remark)):
        for clause in _foreign_clauses(remark, f"{task.wishes}\n{task.previous}"):
            yield DraftFault("work", f'"{one_line(clause, 80)}" was not asked for.')


def _foreign_clauses(text: str, support: str) -> Iterator[str]:
    """The parts of a text that have words of their own and share none of them with what supports it."""
    support_words = content_words(support)
    for clause in _CLAUSE.split(text):
        words = content_words(clause) - _plain()
        if words and not any(same_word(word, support_word) for word in words for support_word in support_words):
            yield clause


def _for_checks(brief: Brief) -> Brief:
    """What the general checks may hold the text against: the entries' own words, without ids and lengths."""
    report = brief.report
    pieces = report.work if report else ()
    name = report.name if report else ""
    words = "\n".join([name, *(f"{piece.text}\n{piece.milestone}" for piece in pieces)])
    return Brief(
        case=brief.case, sender=addressee(brief), message=words, language=_language(brief), owner_name=brief.owner_name
    )


def _comparable(one: str, other: str) -> bool:
    """Whether words of the two languages may be held against each other; "" is not known, and is tried."""
    return not (one and other) or one == other


def _logged_in(brief: Brief) -> str:
    """The language of the entries, "" when it does not show."""
    return language_of("\n".join(piece.text for piece in brief.report.work)) if brief.report else ""


# ---------------------------------------------------------------- the texts


@cache
def _templates() -> dict[str, dict[str, Any]]:
    return with_added(tomllib.loads((FOLDER / "update.toml").read_text(encoding="utf-8")), "update")


@cache
def _claims() -> tuple[re.Pattern[str], ...]:
    return tuple(re.compile(rf"\b(?:{'|'.join(row)})\b") for row in _templates()["claims"]["rows"])


@cache
def _plain() -> frozenset[str]:
    return frozenset(fold(word) for word in _templates()["plain"]["words"])


def _language(brief: Brief) -> str:
    return known_language(brief.language, "update")


def _phrases(brief: Brief) -> dict[str, str]:
    return words_in(brief.language, "update")
