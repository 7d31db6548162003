"""Graph of a draft, the same for every story: understand -> look up <-> tools -> write -> check -> write once more.

Compiled once a process. The state holds what the nodes hand on, as frozen values; what they only read (model, form,
tools) is the assignment, which travels as LangGraph's runtime context. This module costs 1 s and 76 MB: it is imported
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
from agents.forms import Assignment, Task, Understanding, look_messages, named_faults
from agents.lookup import loop
from agents.lookup.loop import Looking, Progress
from agents.lookup.policy import Item
from memory.journal import CallKey

MOST_TRIES = 2


class DraftState(TypedDict):
    """What the nodes hand on."""

    task: Task
    progress: Progress
    slots: BaseModel | None
    faults: tuple[DraftFault, ...]
    kept: tuple[BaseModel, tuple[DraftFault, ...]] | None  # an earlier text that could be shown, with its soft faults
    tries: int


async def draft(assignment: Assignment) -> DraftState:
    """Run the graph for one draft. Raises what the model's door raises."""
    start = DraftState(task=assignment.task, progress=Progress(), slots=None, faults=(), kept=None, tries=0)
    end: DraftState = await draft_graph().ainvoke(start, context=assignment)
    return end


@cache
def draft_graph() -> Any:
    """The nodes wired and compiled, once."""
    graph = StateGraph(DraftState, context_schema=Assignment)
    for node in (understand, look_up, tools, write, check):
        graph.add_node(node.__name__, node)
    graph.add_edge(START, "understand")
    graph.add_conditional_edges("understand", begins_looking, {"look_up": "look_up", "write": "write"})
    graph.add_conditional_edges("look_up", has_chosen, {"tools": "tools", "write": "write"})
    graph.add_conditional_edges("tools", goes_on, {"look_up": "look_up", "write": "write"})
    graph.add_edge("write", "check")
    graph.add_conditional_edges("check", then, {"write": "write", "end": END})
    return graph.compile()


async def understand(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """What the item asks, in the model's words; nothing where the story's own code knows."""
    assignment, task = runtime.context, state["task"]
    if assignment.form.questions is None:
        return {}
    understanding = await assignment.model.ask(assignment.form.questions(task), Understanding, _key(task, "understand"))
    return {"task": replace(task, understanding=understanding)}


def begins_looking(_: DraftState, runtime: Runtime[Assignment]) -> Literal["look_up", "write"]:
    """Straight on where there is nothing to ask."""
    return "look_up" if runtime.context.tools and runtime.context.lookups is not None else "write"


async def look_up(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """What the model wants to know before it writes."""
    assignment, task = runtime.context, state["task"]
    left = loop.calls_left(state["progress"], assignment.limits)
    messages = look_messages(task, assignment.form, left)
    return {"progress": await loop.choose(_looking(assignment, task), state["progress"], messages)}


def has_chosen(state: DraftState) -> Literal["tools", "write"]:
    return "tools" if state["progress"].chosen else "write"


async def tools(state: DraftState, runtime: Runtime[Assignment]) -> dict[str, Any]:
    """What the tools tell."""
    progress = await loop.ask(_looking(runtime.context, state["task"]), state["progress"])
    return {"progress": progress, "task": replace(state["task"], looked=progress.looked)}


def goes_on(state: DraftState, runtime: Runtime[Assignment]) -> Literal["look_up", "write"]:
    return "write" if loop.is_over(state["progress"], runtime.context.limits) else "look_up"


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


def _looking(assignment: Assignment, task: Task) -> Looking:
    assert assignment.lookups is not None
    return Looking(
        model=assignment.model,
        journal=assignment.lookups,
        tools=assignment.tools,
        brief=task.brief,
        item=Item(f"{task.brief.subject}\n{task.brief.sender.name}\n{task.brief.message}"),
        key=_key(task, "look"),
        limits=assignment.limits,
    )


def _key(task: Task, step: str, ordinal: int = 1) -> CallKey:
    return CallKey(case=task.brief.case, version=task.version, step=step, ordinal=ordinal)
