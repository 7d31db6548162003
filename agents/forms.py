"""Forms: what a story brings to the one graph, and what a question to a model is made of.

A form is the shape of a story's text slots, how they are asked for and what is held against them. What leaves is made
of the slots by the story's own code.
"""

import hashlib
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Generic, TypeVar

from pydantic import BaseModel

from agents.checks import DraftFault
from agents.model import Message, Model
from agents.prompting import prompt
from workflows.models.drafts import Brief

NOTES = 30
_TEXT = 12_000  # characters of one item

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


@dataclass(frozen=True, slots=True, kw_only=True)
class Form(Generic[Slots]):
    """What a story brings. `questions`: how a model is asked what the item wants; None: the story's code knows it."""

    shape: type[Slots]
    messages: Callable[[Task], Sequence[Message]]
    check: Callable[[Slots, Task], Sequence[DraftFault]]
    questions: Callable[[Task], Sequence[Message]] | None = None
    holds: str = "figures"  # what the check is content with, besides language, links and addresses


@dataclass(frozen=True, slots=True, kw_only=True)
class Assignment:
    """What the nodes of one draft read and never change."""

    model: Model
    form: Form[BaseModel]
    task: Task


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
