"""Text slots filled by a model, checked by code, filled once more when the check finds faults: for every story.

The graph is write -> check -> (write -> check) -> end. A story brings its messages, its shape and its check; what
leaves is made of the slots by the story's own code.
"""

import asyncio
import hashlib
from collections.abc import Callable, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from typing import Any, Generic, Literal, TypedDict, TypeVar

from pydantic import BaseModel

from agents.checks import DraftFault
from agents.model import Message, Model, untraced
from agents.prompting import prompt
from agents.refusals import ModelFailed
from memory.journal import CallKey, GivenUp, SpendStopped
from memory.record.schema import from_json, to_json
from workflows.errors import NeedsOwner
from workflows.models.drafts import Brief

MOST_TRIES = 2
_NOTES = 30
_TEXT = 12_000

Slots = TypeVar("Slots", bound=BaseModel)


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """What is to be written: the brief, and what the owner wants changed about an earlier text."""

    brief: Brief
    version: int
    wishes: str = ""
    previous: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled(Generic[Slots]):
    """What came of it. `slots` None: nothing that may be shown, and `why` says so, a sentence each."""

    slots: Slots | None
    why: tuple[str, ...]
    faults: tuple[DraftFault, ...] = ()  # what the check found last


class WritingState(TypedDict):
    """What the nodes hand on: plain JSON values alone."""

    task: dict[str, Any]
    slots: dict[str, Any]
    faults: list[dict[str, Any]]
    kept: dict[str, Any]  # an earlier text that could be shown, with its soft faults
    tries: int


class Writing(Generic[Slots]):
    """Asks a model for `shape` until its check is content, twice at most."""

    def __init__(
        self,
        model: Model,
        shape: type[Slots],
        *,
        messages: Callable[[Task], Sequence[Message]],
        check: Callable[[Slots, Task], Sequence[DraftFault]],
        step: str = "draft",
    ) -> None:
        self._model, self._shape, self._messages, self._check, self._step = model, shape, messages, check, step

    async def fill(self, task: Task) -> Filled[Slots]:
        """The checked slots, or why there are none.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
        """
        fields = {"brief": to_json(task.brief), "version": task.version, "wishes": task.wishes}
        start = WritingState(task=fields | {"previous": task.previous}, slots={}, faults=[], kept={}, tries=0)
        try:
            with untraced():
                end = await self._compiled.ainvoke(start)
        except (ModelFailed, SpendStopped, GivenUp, NeedsOwner) as error:
            return Filled(slots=None, why=(str(error),))
        faults = [DraftFault(**fault) for fault in end["faults"]]
        if hard := [f"check: {fault.what}" for fault in faults if fault.hard]:
            return Filled(
                slots=None,
                why=(f"The draft of {self._model.name} was refused {end['tries']} times", *hard),
                faults=tuple(faults),
            )
        remarks = [f"check: {fault.what}" for fault in faults] or [_content(end["tries"])]
        return Filled(slots=self._shape(**end["slots"]), why=tuple(remarks), faults=tuple(faults))

    def graph(self) -> Any:
        """The nodes wired: write -> check -> (write -> check) -> end."""
        # Imported here: 1 s and 76 MB that a home without a model never pays.
        from langgraph.graph import END, START, StateGraph

        graph = StateGraph(WritingState)
        graph.add_node("write", self.write)
        graph.add_node("check", self.check)
        graph.add_edge(START, "write")
        graph.add_edge("write", "check")
        graph.add_conditional_edges("check", self.then, {"write": "write", "end": END})
        return graph

    async def write(self, state: WritingState) -> dict[str, Any]:
        """The slots, the second time with the faults of the first named."""
        task, tries = _task(state), state["tries"] + 1
        messages = list(self._messages(task))
        if state["faults"]:
            messages.append(("user", _told(state, boundary(task))))
        key = CallKey(case=task.brief.case, version=task.version, step=self._step, ordinal=tries)
        slots = await self._model.ask(messages, self._shape, key)
        return {"slots": slots.model_dump(), "tries": tries}

    async def check(self, state: WritingState) -> dict[str, Any]:
        """Code alone: what is wrong. A correction that made it unusable is taken back."""
        slots = self._shape(**state["slots"])
        faults = await asyncio.to_thread(self._check, slots, _task(state))
        if any(fault.hard for fault in faults) and state["kept"]:
            return state["kept"]
        outcome = {"slots": state["slots"], "faults": [asdict(fault) for fault in faults]}
        return outcome | {"kept": {} if any(fault.hard for fault in faults) else outcome}

    def then(self, state: WritingState) -> Literal["write", "end"]:
        """Once more when there are faults and this was the first try."""
        return "write" if state["faults"] and state["tries"] < MOST_TRIES else "end"

    @cached_property
    def _compiled(self) -> Any:
        return self.graph().compile()


def boundary(task: Task) -> str:
    """A word that nobody outside can know: it depends on what they wrote, and on what they cannot see."""
    brief = task.brief
    material = "\n".join([brief.message, task.previous, brief.owner_name, *(fact.quote for fact in brief.profile)])
    return hashlib.sha256(f"{brief.case}\n{material}".encode("utf-8", "replace")).hexdigest()[:12]


def item(task: Task, label: str, content: str) -> str:
    """One piece of data between its boundary lines."""
    return prompt("item", boundary=boundary(task), label=label, content=content[:_TEXT])


def wanted(task: Task) -> list[str]:
    """The earlier text and the owner's words on it, where there are any."""
    items = [item(task, "the earlier text", task.previous)] if task.previous else []
    return [*items, prompt("wishes", wishes=task.wishes[:_TEXT])] if task.wishes else items


def _task(state: WritingState) -> Task:
    fields = state["task"]
    return Task(
        brief=from_json(Brief, fields["brief"]),
        version=fields["version"],
        wishes=fields["wishes"],
        previous=fields["previous"],
    )


def _told(state: WritingState, word: str) -> str:
    last = "\n\n".join(str(value) for value in state["slots"].values())
    faults = "\n".join(f"- {fault['what']}" for fault in state["faults"][:_NOTES])
    text = prompt("item", boundary=word, label="your last text", content=last[:_TEXT])
    return f"{text}\n\n{prompt('faults', faults=faults)}"


def _content(tries: int) -> str:
    return f"check: figures, language, links and addresses hold{' after one correction' if tries > 1 else ''}"
