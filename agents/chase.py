"""The letters about late invoices: table, totals and how to pay by code; the words around them by template or model.

No figure ever comes from a model: its words may hold none at all, except those that the owner himself named.
"""

import re
import tomllib
from collections.abc import Iterator, Sequence
from functools import cache
from typing import Any

from pydantic import BaseModel

from agents.checks import DraftFault, allowed, faults, language_name, safe_line
from agents.forms import Form, Task, boundary, item, looked_up, wanted
from agents.letters import FOLDER, addressee, as_why, ending, gist_of, greeting, template_reasons
from agents.lookup.reference import Reference
from agents.model import Message, Model
from agents.prompting import prompt
from agents.writing import Writing
from memory.money.chases import THANKS
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.models.money import Invoice, Notice
from workflows.rules.debts.notices import format_day, sums
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.languages import known_language, with_added, words_in
from workflows.rules.text.money import format_money

_GIST = 60
_PART = 900  # characters of a model's words before or after the table
_NOTHING = "nothing of this is owed any more; close the case with 'no'"
_TONES = {
    "upcoming": "friendly and light: nothing is late yet",
    "friendly": "friendly: it may have slipped through",
    "plain": "plain and polite",
    "firm": "firm, polite and clear",
    "final": "final, serious and still polite",
    THANKS: "warm and short: they have paid",
}


class ChaseWords(BaseModel):
    """What a model may write: the text around the table."""

    before: str
    after: str
    gist: str


class TemplateChase:
    """The letter without a model: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """The letter of this stage; wishes cannot be worked in, and the draft says so."""
        return self.letter(brief, wishes, previous)

    def letter(
        self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = (), cost: str = "0"
    ) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's words."""
        notice = brief.notice
        if notice is None or not notice.invoices:
            return Draft(body="", gist="Nothing is owed any more.", needs_owner=_NOTHING)
        words = _tone(brief)
        form = "one" if len(_at_this_stage(notice)) == 1 else "many"
        after = words.get("after_some", words["after"]) if notice.others_open else words["after"]
        body = compose(brief, words["before"][form], after)
        # A text the owner has seen, or wrote, is kept where rules cannot work wishes in; but never with old figures.
        if wishes and previous and all(line in previous for line in _table(brief) if line):
            body = canonical(previous)
        gist = gist_of(brief, "wishes") if wishes else _gist(brief, notice)
        reasons, by = (*why, *template_reasons(brief, "chase", wishes)), DraftedBy.TEMPLATE
        return Draft(body=body, gist=gist, why=reasons, sources=_sources(brief), cost=cost, by=by)


class ChaseAgent:
    """The letter by a language model around the table; without a usable answer of it, by the template."""

    def __init__(self, model: Model, templates: TemplateChase, reference: Reference | None = None) -> None:
        self._model, self._templates = model, templates
        self._writing = Writing(model, Form(shape=ChaseWords, messages=_messages, check=check), reference)

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked letter.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
            NeedsOwner: the endpoint refuses the key, the name or the way of asking.
        """
        if brief.notice is None or not brief.notice.invoices:
            return self._templates.letter(brief)
        filled = await self._writing.fill(Task(brief=brief, version=version, wishes=wishes, previous=previous))
        cost = self._model.cost(brief.case, version)
        if filled.slots is None:
            return self._templates.letter(brief, wishes, previous, why=as_why(filled.why), cost=cost)
        words = filled.slots
        return Draft(
            body=compose(brief, words.before, words.after),
            gist=safe_line(words.gist, allowed(brief, wishes, previous), _GIST) or _gist(brief, brief.notice),
            model=self._model.name,
            by=DraftedBy.MODEL,
            why=filled.why,
            sources=_sources(brief),
            cost=cost,
        )


# ---------------------------------------------------------------- the letter


def compose(brief: Brief, before: str, after: str) -> str:
    """The whole letter: greeting, the words before, the table, the words after, the closing and the owner's name."""
    phrases = _phrases(brief)
    table = "\n".join(_table(brief))
    parts = (greeting(addressee(brief), phrases), before.strip(), table, after.strip(), ending(brief, phrases))
    return canonical("\n\n".join(parts))


def _table(brief: Brief) -> list[str]:
    """A line for each invoice; the total where there are several; how to pay, where the owner said."""
    notice, phrases = brief.notice, _phrases(brief)
    if notice is None:
        return []
    paid, words = notice.stage == THANKS, phrases | _tone(brief)
    lines = [_line(invoice, words, _language(brief), paid=paid) for invoice in _at_this_stage(notice)]
    # What this stage's words do not yet apply to is set apart: nobody is told of reminders that there were none of.
    if other_invoices := [invoice for invoice in notice.invoices if invoice not in _at_this_stage(notice)]:
        lines += [
            "",
            phrases["also"],
            *(_line(invoice, words, _language(brief), paid=paid) for invoice in other_invoices),
            "",
        ]
    if len(notice.invoices) > 1:
        amounts = [invoice.amount if paid else invoice.balance for invoice in notice.invoices]
        lines.append(phrases["total"].replace("{total}", sums(amounts, _language(brief))))
    details = next((fact.quote for fact in brief.facts if fact.id == "money:details"), "")
    if details and not paid:
        lines.append(phrases["details"].replace("{details}", one_line(details, 300)))
    return lines


def _at_this_stage(notice: Notice) -> tuple[Invoice, ...]:
    """The invoices that have come as far as the notice itself; all of them where their own steps are not known."""
    if len(notice.steps) != len(notice.invoices):
        return notice.invoices
    return tuple(invoice for invoice, step in zip(notice.invoices, notice.steps, strict=True) if step == notice.step)


def _line(one: Invoice, phrases: dict[str, Any], language: str, *, paid: bool) -> str:
    partly = one.balance != one.amount and not paid
    form = phrases["paid" if paid else "part" if partly else "line"]
    values = {
        "{number}": one_line(one.number, 60),
        "{amount}": format_money(one.amount if paid else one.balance, language),
        "{whole}": format_money(one.amount, language),
        "{day}": format_day(one.due, language),
    }
    # One pass: what a number or name holds is never taken for a place of its own.
    return re.sub(r"\{\w+\}", lambda found: values.get(found.group(), found.group()), form)


def _gist(brief: Brief, notice: Notice) -> str:
    return gist_of(brief, notice.tone, total=sums(notice.totals, brief.owner_language))


def _sources(brief: Brief) -> tuple[str, ...]:
    return tuple(fact.id for fact in brief.facts)


# ---------------------------------------------------------------- the model's words


def _messages(task: Task) -> Sequence[Message]:
    brief = task.brief
    tone = _TONES.get(brief.notice.tone if brief.notice else "", _TONES["plain"])
    if brief.notice and brief.notice.stage == THANKS and brief.notice.others_open:
        tone += "; they still owe other invoices, so do not say that everything is settled or paid"
    system = prompt(
        "chase",
        boundary=boundary(task),
        owner=one_line(brief.owner_name, 100),
        language=language_name(_language(brief)),
        tone=tone,
    )
    items = [item(task, "what the letter is about", brief.message), *looked_up(task), *wanted(task)]
    return [("system", system), ("user", "\n\n".join(items))]


def check(words: ChaseWords, task: Task) -> Sequence[DraftFault]:
    """What is wrong with a model's words: figures the owner did not name, threats, and what no draft may hold."""
    brief, text = task.brief, f"{words.before.strip()}\n\n{words.after.strip()}"
    problems = [*_own(words, text, task.wishes, brief.notice)]
    in_language = Brief(
        case=brief.case, sender=addressee(brief), message=brief.message, language=_language(brief),
        owner_name=brief.owner_name, profile=brief.profile,
    )  # fmt: skip
    problems += faults(text, in_language, task.wishes, task.previous)
    return tuple(sorted(dict.fromkeys(problems), key=lambda fault: not fault.hard))


def _own(words: ChaseWords, text: str, wishes: str, notice: Notice | None) -> Iterator[DraftFault]:
    for part, passage in (("before", words.before), ("after", words.after)):
        if not passage.strip():
            yield DraftFault("length", f"Nothing is written {part} the list.")
        elif len(passage) > _PART:
            yield DraftFault("length", f"What stands {part} the list has {len(passage)} characters: more than {_PART}.")
    named = set(re.findall(r"\d+", wishes))
    for figure in dict.fromkeys(re.findall(r"\d[\d.,/:-]*", text)):
        if not set(re.findall(r"\d+", figure)) <= named:
            yield DraftFault("figure", f'The figure "{one_line(figure, 40)}" stands in the words around the list.')
    some_open = notice is not None and notice.stage == THANKS and notice.others_open
    if some_open and (claim := _settled().search(text)):
        yield DraftFault("settled", f'"{one_line(claim.group(), 40)}" is not so: they owe other invoices too.')
    for phrase in dict.fromkeys(match.group() for match in _forbidden().finditer(text)):
        if phrase.lower() not in wishes.lower():
            yield DraftFault("threat", f'"{one_line(phrase, 40)}" was not decided by you: no threat and no concession.')


@cache
def _forbidden() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_templates()['forbidden']['words'])})\b", re.IGNORECASE)


@cache
def _settled() -> re.Pattern[str]:
    return re.compile(rf"\b(?:{'|'.join(_templates()['settled']['words'])})\b", re.IGNORECASE)


# ---------------------------------------------------------------- the texts


@cache
def _templates() -> dict[str, dict[str, Any]]:
    return with_added(tomllib.loads((FOLDER / "chase.toml").read_text(encoding="utf-8")), "chase")


def _language(brief: Brief) -> str:
    return known_language(brief.language, "chase")


def _phrases(brief: Brief) -> dict[str, Any]:
    return words_in(brief.language, "chase")


def _tone(brief: Brief) -> dict[str, Any]:
    """The words of this tone; those of a plain reminder for one that has none."""
    phrases = _phrases(brief)
    tone: dict[str, Any] = phrases.get(brief.notice.tone if brief.notice else "", phrases["plain"])
    return tone
