"""Forms: what a story brings to the one graph, and what a question to a model is made of.

A form is the shape of a story's text slots, how they are asked for and what is held against them. What leaves is made
of the slots by the story's own code.
"""

import hashlib
import json
from collections.abc import Callable, Collection, Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Generic, TypeVar

from pydantic import BaseModel

from agents.checks import DraftFault, bare
from agents.lookup.loop import Limits
from agents.lookup.tools import LookedUp, ReadTool
from agents.model import Message, Model
from agents.prompting import prompt
from memory.lookups import Lookups
from workflows.models.drafts import Brief, Source
from workflows.rules.text.canonical import one_line

NOTES = 30
_TEXT = 12_000  # characters of one item
_KNOWN = 300  # characters of a note

Slots = TypeVar("Slots", bound=BaseModel)


class Understanding(BaseModel):
    """What the item at hand asks for."""

    asks: list[str]
    tone: str
    must_answer: list[str]
    open_points: list[str]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be written: the brief, and what the owner wants changed about an earlier text."""

    brief: Brief
    version: int
    wishes: str = ""
    previous: str = ""
    understanding: Understanding | None = None  # once the item was read
    looked: tuple[LookedUp, ...] = ()  # what was asked of tools for it

    @property
    def ground(self) -> Brief:
        """The brief with what was looked up: what the text may rest on. A stranger's answer bears out no address."""
        sources = [
            replace(source, quote=bare(source.quote)) if lookup.foreign else source
            for lookup in self.looked
            for source in lookup.sources
        ]
        return replace(self.brief, sources=(*self.brief.sources, *sources))


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[Slots]):
    """What a story brings. `questions`: how a model is asked what the item wants; None: the story's code knows it."""

    shape: type[Slots]
    messages: Callable[[Task], Sequence[Message]]
    check: Callable[[Slots, Task], Sequence[DraftFault]]
    questions: Callable[[Task], Sequence[Message]] | None = None
    knows: Callable[[Task], Iterable[str]] | None = None  # what is known already, as items; None: earlier mail alone
    shows: Callable[[Task], str] | None = None  # the item at hand between its boundary lines; None: `at_hand`
    holds: str = "figures"  # what the check is content with, besides language, links and addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What the nodes of one draft read and never change."""

    model: Model
    form: Form[BaseModel]
    task: Task
    tools: tuple[ReadTool, ...] = ()
    lookups: Lookups | None = None
    limits: Limits = field(default_factory=Limits)


# ---------------------------------------------------------------- what a question is made of


def boundary(task: Task) -> str:
    """A word that nobody outside can know: it depends on what they wrote, and on what they cannot see."""
    brief = task.brief
    material = "\n".join(
        [brief.message, brief.older, task.previous, brief.owner_name, *(fact.quote for fact in brief.profile)]
    )
    return hashlib.sha256(f"{brief.case}\n{material}".encode("utf-8", "replace")).hexdigest()[:12]


def item(task: Task, label: str, content: str) -> str:
    """One piece of data between its boundary lines."""
    return prompt("item", boundary=boundary(task), label=label, content=_middle_cut(content))


def wanted(task: Task) -> list[str]:
    """The earlier text and the owner's words on it, where there are any."""
    items = [item(task, "the earlier text", task.previous)] if task.previous else []
    return [*items, prompt("wishes", wishes=task.wishes[:_TEXT])] if task.wishes else items


def at_hand(task: Task) -> str:
    """The item at hand, for a story that has no form of its own for it."""
    brief = task.brief
    return item(task, brief.heading or "the item at hand", f"{one_line(brief.subject, 300)}\n\n{brief.message}")


def look_messages(task: Task, form: Form[Any], left: int) -> Sequence[Message]:
    """How a model is asked what it wants to look up: the item, what it asks for, what is known so far."""
    system = prompt("look", boundary=boundary(task), owner=one_line(task.brief.owner_name, 100), left=str(left))
    items = [(form.shows or at_hand)(task)]
    if task.understanding:
        points = (*task.understanding.must_answer, *task.understanding.open_points)
        items.append(item(task, "what it asks for", "\n".join(f"- {one_line(point, 300)}" for point in points[:NOTES])))
    items += (form.knows or earlier_mail)(task)
    return [("system", system), ("user", "\n\n".join([*items, *looked_up(task), *wanted(task)]))]


def cited(task: Task, names: Collection[str]) -> tuple[Source, ...]:
    """The looked-up sources among these, each cut to a quote: kept with the draft, for the brief knows them not."""
    sources = {source.id: source for lookup in task.looked for source in lookup.sources if source.id in names}
    return tuple(replace(source, quote=one_line(source.quote, _KNOWN)) for source in sources.values())


def earlier_mail(task: Task) -> Iterable[str]:
    """What memory gave the brief."""
    if task.brief.sources:
        notes = "\n".join(f"{source.id}: {one_line(source.quote, _KNOWN)}" for source in task.brief.sources[:NOTES])
        yield item(task, "known from earlier mail", notes)


def looked_up(task: Task) -> list[str]:
    """What tools told, each between its boundary lines: data, like everything that others wrote."""
    return [item(task, _label(lookup), _told(lookup)) for lookup in task.looked]


def _label(lookup: LookedUp) -> str:
    arguments = json.dumps(lookup.arguments, ensure_ascii=False, sort_keys=True, default=str)
    return f"looked up by {lookup.tool} {one_line(arguments, _KNOWN)}"


def _told(lookup: LookedUp) -> str:
    if lookup.problem:
        return lookup.problem
    return "\n".join(f"{source.id}: {source.quote}" for source in lookup.sources) or "Nothing was found."


def named_faults(task: Task, slots: BaseModel, faults: Sequence[DraftFault]) -> Message:
    """The last text with what is wrong with it."""
    last = "\n\n".join(str(value) for value in slots.model_dump().values())
    fault_lines = "\n".join(f"- {fault.what}" for fault in faults[:NOTES])
    return "user", f"{item(task, 'your last text', last)}\n\n{prompt('faults', faults=fault_lines)}"


def _middle_cut(text: str) -> str:
    """A long text says what it wants at its beginning or its end."""
    if len(text) <= _TEXT:
        return text
    half = _TEXT // 2
    return f"{text[:half]}\n[{len(text) - 2 * half} characters left out]\n{text[-half:]}"
