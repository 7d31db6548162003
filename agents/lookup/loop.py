"""Loop: look up <-> tools: a model chooses read tools, code asks them, until nothing is left to ask or a limit is met.

The two steps are functions from progress to progress, so that each graph wires them as nodes of its own. What a model
chooses is held against the policy; every call is journalled before it is made, and is never made again.
"""

import asyncio
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import TYPE_CHECKING, Any

from pydantic import BaseModel

from agents.door.refusals import ModelFailed
from agents.lookup.policy import Item, Refused, admitted
from agents.lookup.tools import LookedUp, ReadTool
from agents.model import Choice, Message, Model
from agents.prompting import prompt
from memory.journal import CallKey
from memory.lookups import Answered, Lookups
from memory.record.schema import from_json, to_json
from tools.offers import ServerTrouble
from workflows.models.drafts import Brief
from workflows.rules.text.canonical import one_line

if TYPE_CHECKING:
    from langchain_core.tools import StructuredTool

CALL_SECONDS = 15.0
"""How long one tool may take at most."""
_SAYS = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class Limits:
    """How much one draft may look up: the settings of [tools]."""

    rounds: int = 4
    calls: int = 6
    seconds: float = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Looking:
    """What a look-up reads and never changes. `key`: under which its calls are journalled."""

    model: Model
    journal: Lookups
    tools: tuple[ReadTool, ...]
    brief: Brief
    item: Item
    key: CallKey
    limits: Limits = field(default_factory=Limits)


@dataclass(frozen=True, slots=True, kw_only=True)
class Progress:
    """How far a look-up has come."""

    rounds: int = 0
    seconds: float = 0.0
    chosen: tuple[Choice, ...] = ()  # to be asked next
    looked: tuple[LookedUp, ...] = ()


class PlannedArgument(BaseModel):
    name: str
    value: str


class PlannedCall(BaseModel):
    tool: str
    arguments: list[PlannedArgument]


class Plan(BaseModel):
    """Which tools to ask."""

    calls: list[PlannedCall]


def is_over(progress: Progress, limits: Limits) -> bool:
    """Whether nothing more may be looked up."""
    spent = progress.seconds >= limits.seconds or len(progress.looked) >= limits.calls
    return spent or progress.rounds >= limits.rounds


async def choose(looking: Looking, progress: Progress, messages: Sequence[Message]) -> Progress:
    """One more round: what the model wants to look up. A model that cannot say it looks nothing up.

    Raises:
        Retryable, NeedsOwner, SpendStopped, GivenUp: as the model's door does.
    """
    rounds = progress.rounds + 1
    key = replace(looking.key, ordinal=rounds)
    try:
        chosen = await looking.model.choose(messages, [_bound(tool, looking.brief) for tool in looking.tools], key)
        if chosen is None:
            chosen = await _planned(looking, progress, messages, key)
    except ModelFailed:
        chosen = ()
    return replace(progress, rounds=rounds, chosen=chosen)


async def ask(looking: Looking, progress: Progress) -> Progress:
    """Ask what was chosen, all at once, as far as the limits go."""
    clock = asyncio.get_running_loop()
    began, before = clock.time(), len(progress.looked)
    room = looking.limits.calls - before
    distinct = {f"{choice.tool} {_as_text(choice.arguments)}": choice for choice in progress.chosen}
    seconds = min(CALL_SECONDS, looking.limits.seconds - progress.seconds)
    looked = await asyncio.gather(
        *(
            _looked_up(looking, choice, replace(looking.key, ordinal=before + number), seconds)
            for number, choice in enumerate([*distinct.values()][:room], start=1)
        )
    )
    took = progress.seconds + clock.time() - began
    return replace(progress, chosen=(), looked=(*progress.looked, *looked), seconds=took)


def calls_left(progress: Progress, limits: Limits) -> int:
    return max(limits.calls - len(progress.looked), 0)


# ---------------------------------------------------------------- choosing


def _bound(tool: ReadTool, brief: Brief) -> "StructuredTool":
    """The tool as LangChain binds it; what it names of a client is the brief's, whatever its arguments say."""
    from langchain_core.tools import StructuredTool

    async def run(**arguments: Any) -> Any:
        return await tool.ask(brief, arguments)

    return StructuredTool(
        name=tool.name,
        description=one_line(tool.says, _SAYS) or tool.name,
        args_schema=dict(tool.schema),
        coroutine=run,
    )


async def _planned(
    looking: Looking, progress: Progress, messages: Sequence[Message], key: CallKey
) -> tuple[Choice, ...]:
    """The same as a structured plan, for an endpoint without tool calls."""
    described = "\n".join(_described(tool) for tool in looking.tools)
    most = str(calls_left(progress, looking.limits))
    question = [*messages, ("user", prompt("look_plan", tools=described, most=most))]
    plan = await looking.model.ask(question, Plan, replace(key, step=f"{key.step}:plan"))
    schemas = {tool.name: tool.schema for tool in looking.tools}
    return tuple(
        Choice(
            tool=call.tool,
            arguments={
                argument.name: _typed(schemas.get(call.tool, {}), argument.name, argument.value)
                for argument in call.arguments
            },
        )
        for call in plan.calls
    )


def _described(tool: ReadTool) -> str:
    schema = json.dumps(tool.schema.get("properties", {}), ensure_ascii=False)
    return f"- {tool.name}: {one_line(tool.says, _SAYS)} Arguments: {schema}"


def _typed(schema: Mapping[str, Any], name: str, value: str) -> Any:
    """A value of a plan, which is text, as its schema wants it; the policy says whether it fits."""
    kind = schema.get("properties", {}).get(name, {}).get("type")
    if kind not in {"array", "object"}:
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return [value] if kind == "array" else value


# ---------------------------------------------------------------- asking


async def _looked_up(looking: Looking, choice: Choice, key: CallKey, seconds: float) -> LookedUp:
    """One call: refused, remembered, or made now and kept. Raises nothing of the tool's."""
    tool = next((tool for tool in looking.tools if tool.name == choice.tool), None)
    if tool is None:
        return LookedUp(tool=one_line(choice.tool, 64), problem="There is no such tool.")
    try:
        arguments = admitted(tool.schema, choice.arguments, looking.item if tool.foreign else None)
    except Refused as refusal:
        return LookedUp(tool=tool.name, foreign=tool.foreign, problem=f"Not asked: {refusal}")
    place = await asyncio.to_thread(looking.journal.begin, key, tool.name, arguments)
    if isinstance(place, Answered):
        return _remembered(tool, arguments, place)
    answer = await _answer(tool, looking.brief, arguments, seconds)
    if answer.problem:
        await asyncio.to_thread(looking.journal.failed, place, answer.problem)
    else:
        await asyncio.to_thread(looking.journal.finish, place, to_json(answer))
    return answer


async def _answer(tool: ReadTool, brief: Brief, arguments: Mapping[str, Any], seconds: float) -> LookedUp:
    try:
        async with asyncio.timeout(seconds):
            sources = tuple(await _bound(tool, brief).ainvoke(dict(arguments)))
    except TimeoutError:
        return _without(tool, arguments, f"gave no answer within {seconds:.0f} s")
    except Exception as error:  # noqa: BLE001 - a tool's own fault, of whatever kind: the draft goes on without it
        return _without(tool, arguments, f"failed ({_named(error)})")
    return LookedUp(tool=tool.name, arguments=arguments, sources=sources, foreign=tool.foreign)


def _remembered(tool: ReadTool, arguments: Mapping[str, Any], place: Answered) -> LookedUp:
    if place.problem:
        note = place.problem if tool.foreign else ""
        return LookedUp(tool=tool.name, arguments=arguments, foreign=tool.foreign, problem=place.problem, note=note)
    return from_json(LookedUp, place.answer)


def _without(tool: ReadTool, arguments: Mapping[str, Any], trouble: str) -> LookedUp:
    sentence = f"The tool {tool.name} ({tool.origin}) {trouble}; the draft was made without it."
    return LookedUp(tool=tool.name, arguments=arguments, foreign=tool.foreign, problem=sentence, note=sentence)


def _named(error: Exception) -> str:
    """The kind of an error; its words only where they are ours: a stranger's are no part of a mail to the owner."""
    return str(error).rstrip(".") if isinstance(error, ServerTrouble) else type(error).__name__


def _as_text(arguments: Mapping[str, Any]) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)
