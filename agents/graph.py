"""Graph of a draft: understand -> write -> check -> (write -> check) -> end, the same for every story.

Compiled once a process. The state holds what the nodes hand on, as frozen values; what they only read (model, form,
task) is the assignment, which travels as LangGraph's runtime context. This module costs 1 s and 76 MB: it is imported
by the first draft of a model and never by a home without one.
"""

import asyncio
from dataclasses import replace
from functools import cache
from typing import Any, Literal, TypedDict

from langgraph.graph import END, START, StateGraph
from langgraph.runtime import Runtime
from pydantic import BaseModel

from agents.checks import DraftFault
from agents.forms import Assignment, Task, Understanding, named_faults
from memory.journal import CallKey

MOST_TRIES = 2


class DraftState(TypedDict):
    """What the nodes hand on."""

    task: Task
    slots: BaseModel | None
    faults: tuple[DraftFault, ...]
    kept: tuple[BaseModel, tuple[DraftFault, ...]] | None  # an earlier text that could be shown, with its soft faults
    tries: int


async def draft(assignment: Assignment) -> DraftState:
    """Run the graph for one draft. Raises what the model's door raises."""
    start = DraftState(task=assignment.task, slots=None, faults=(), kept=None, tries=0)
    end: DraftState = await draft_graph().ainvoke(start, context=assignment)
    return end


@cache
def draft_graph() -> Any:
    """The nodes wired and compiled, once."""
    graph = StateGraph(DraftState, context_schema=Assignment)
    graph.add_node("understand", understand)
    graph.add_node("write", write)
    graph.add_node("check", check)
    graph.add_edge(START, "understand")
    graph.add_edge("understand", "write")
    graph.add_edge("write", "check")
    graph.add_conditional_edges("check", then, {"write": "write", "end": END})
    return graph.compile()


async def understand(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """What the item asks, in the model's words; nothing where the story's own code knows."""
    assignment, task = runtime.context, state["task"]
    if assignment.form.questions is None:
        return {}
    key = _key(task, "understand", 1)
    understanding = await assignment.model.ask(assignment.form.questions(task), Understanding, key)
    return {"task": replace(task, understanding=understanding)}


async def write(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """The slots, the second time with the faults of the first named."""
    assignment, task, tries = runtime.context, state["task"], state["tries"] + 1
    messages = list(assignment.form.messages(task))
    if state["slots"] is not None:
        messages.append(named_faults(task, state["slots"], state["faults"]))
    slots = await assignment.model.ask(messages, assignment.form.shape, _key(task, "draft", tries))
    return {"slots": slots, "tries": tries}


async def check(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """Code alone: what is wrong. A correction that made it unusable is taken back."""
    slots, kept = state["slots"], state["kept"]
    assert slots is not None
    # In a thread: a hostile mail may take it a second.
    faults = tuple(await asyncio.to_thread(runtime.context.form.check, slots, state["task"]))
    unusable = any(fault.hard for fault in faults)
    if unusable and kept is not None:
        return {"slots": kept[0], "faults": kept[1]}
    return {"faults": faults, "kept": None if unusable else (slots, faults)}


def then(state: DraftState) -> Literal["write", "end"]:
    """Once more when there are faults and this was the first try."""
    return "write" if state["faults"] and state["tries"] < MOST_TRIES else "end"


def _key(task: Task, step: str, ordinal: int) -> CallKey:
    return CallKey(case=task.brief.case, version=task.version, step=step, ordinal=ordinal)
