"""The follow-up: one short, polite letter that names what was asked, by template or in a model's words held to it."""

from collections.abc import Iterator, Sequence
from dataclasses import replace

from pydantic import BaseModel

from agents.checks import DraftFault, allowed, faults, language_name, safe_line
from agents.forms import Form, Task, boundary, item, wanted
from agents.letters import LONGEST_GIST, addressee, as_why, ending, gist_of, greeting, template_reasons
from agents.model import Message, Model
from agents.prompting import prompt
from agents.writing import Writing
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.rules.debts.notices import format_day
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.languages import filled, known_language, words_in
from workflows.rules.work.scope import content_words, same_word

_SECTION = "followup"
_LONGEST = 600  # characters of a model's words: it is a reminder, not a letter
_QUESTION, _SUBJECT = 160, 120
_NOTHING = "it is not known any more what was asked; close the case with 'no'"


class FollowUpWords(BaseModel):
    """What a model may write: the text between greeting and closing."""

    text: str
    gist: str


class TemplateFollowUp:
    """The follow-up without a model: fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """Two sentences; wishes cannot be worked in, and the draft says so."""
        return self.letter(brief, wishes, previous)

    def letter(
        self, brief: Brief, wishes: str = "", previous: str = "", why: tuple[str, ...] = (), cost: str = "0"
    ) -> Draft:
        """The same at once. `why`: what the owner should know about there being no model's words."""
        if not brief.facts:
            return Draft(body="", gist="Nothing to follow up.", needs_owner=_NOTHING)
        phrases = words_in(brief.language, _SECTION)
        body = compose(brief, f"{_reminds(brief, phrases)} {phrases['asks']}")
        if wishes and previous:  # a text the owner has seen, or wrote, is better than the same words again
            body = canonical(previous)
        return Draft(
            body=body,
            gist=gist_of(brief, "wishes") if wishes else _gist(brief),
            why=(*why, *template_reasons(brief, _SECTION, wishes)),
            sources=_sources(brief),
            cost=cost,
            by=DraftedBy.TEMPLATE,
        )


class FollowUpAgent:
    """The follow-up by a language model; without a usable answer of it, by the template."""

    def __init__(self, model: Model, templates: TemplateFollowUp) -> None:
        self._model, self._templates = model, templates
        form = Form(shape=FollowUpWords, messages=_messages, check=check, holds="what was asked")
        self._writing = Writing(model, form)

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A checked follow-up.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
            NeedsOwner: the endpoint refuses the key, the name or the way of asking.
        """
        if not brief.facts:
            return self._templates.letter(brief)
        filled_form = await self._writing.fill(Task(brief=brief, version=version, wishes=wishes, previous=previous))
        cost = self._model.cost(brief.case, version)
        if filled_form.slots is None:
            return self._templates.letter(brief, wishes, previous, why=as_why(filled_form.why), cost=cost)
        words = filled_form.slots
        return Draft(
            body=compose(brief, words.text),
            gist=safe_line(words.gist, allowed(brief, wishes, previous), LONGEST_GIST) or _gist(brief),
            model=self._model.name,
            by=DraftedBy.MODEL,
            why=filled_form.why,
            sources=_sources(brief),
            cost=cost,
        )


# ---------------------------------------------------------------- the letter


def compose(brief: Brief, text: str) -> str:
    """The whole letter: greeting, the words, the closing and the owner's name."""
    phrases = words_in(brief.language, _SECTION)
    parts = (greeting(addressee(brief), phrases), text.strip(), ending(brief, phrases))
    return canonical("\n\n".join(parts))


def _reminds(brief: Brief, phrases: dict[str, str]) -> str:
    """When and what: the question as it was asked; the subject of a bid that asked nothing in words."""
    (fact, *_) = brief.facts
    day = format_day(fact.at.date(), _language(brief)) if fact.at else ""
    if brief.message:
        return filled(phrases["asked"], day=day, question=one_line(brief.message, _QUESTION))
    return filled(phrases["wrote"], day=day, subject=one_line(brief.subject, _SUBJECT))


def _gist(brief: Brief) -> str:
    return gist_of(brief, _SECTION, question=one_line(brief.message or brief.subject, _QUESTION))


def _sources(brief: Brief) -> tuple[str, ...]:
    return tuple(fact.id for fact in brief.facts)


def _language(brief: Brief) -> str:
    return known_language(brief.language, _SECTION)


# ---------------------------------------------------------------- the model's words


def _messages(task: Task) -> Sequence[Message]:
    brief = task.brief
    system = prompt(
        "followup",
        boundary=boundary(task),
        owner=one_line(brief.owner_name, 100),
        language=language_name(_language(brief)),
    )
    asked = f"Subject: {brief.subject}\n\n{brief.message or '(a bid; it asked nothing in words)'}"
    items = [item(task, "what was asked and not answered", asked), *wanted(task)]
    return [("system", system), ("user", "\n\n".join(items))]


def check(words: FollowUpWords, task: Task) -> Sequence[DraftFault]:
    """What is wrong with a model's words: too long, not about what was asked, or what no draft may hold."""
    brief = task.brief
    support = Brief(
        case=brief.case, sender=addressee(brief), subject=brief.subject, message=f"{brief.subject}\n{brief.message}",
        language=_language(brief), owner_name=brief.owner_name, facts=brief.facts,
    )  # fmt: skip
    # A figure, day or name that does not stand in what was asked is no matter of taste here.
    remarks = faults(words.text, support, task.wishes, task.previous)
    strict = (replace(fault, hard=True) if fault.rule == "fact" else fault for fault in remarks)
    return tuple(sorted(dict.fromkeys((*_own(words, task), *strict)), key=lambda fault: not fault.hard))


def _own(words: FollowUpWords, task: Task) -> Iterator[DraftFault]:
    text = words.text.strip()
    if not text or len(text) > _LONGEST:
        yield DraftFault("length", f"The text has {len(text)} characters: 1 to {_LONGEST} are right.")
    named = content_words(f"{task.brief.subject} {task.brief.message}")
    is_named = any(same_word(word, other) for word in named for other in content_words(text))
    if named and not is_named and not task.wishes:
        yield DraftFault("question", "It does not name what was asked.")
