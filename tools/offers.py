"""Offers: the tools of plugins and servers by one door, each as a value: what it may, what it takes, how it is asked.

A `read` tool may be asked by a draft's look-up; `write` and `send` tools are declared here and asked by nobody but the
owner's yes. What a foreign tool says of itself is data: its description is cut to a line, its schema rebuilt from the
few words that are understood, and a tool whose schema cannot be read is not offered.
"""

import asyncio
import inspect
import re
import threading
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import TypeAdapter, create_model
from pydantic.errors import PydanticUserError

from tools.plugins import Permission, Tool
from workflows.rules.text.canonical import one_line

LONGEST_NAME, LONGEST_TEXT = 64, 200
_MOST_FIELDS, _MOST_VALUES, _DEEPEST = 20, 100, 4
_TYPES = frozenset({"string", "integer", "number", "boolean", "array", "object"})
_NAME = re.compile(r"[A-Za-z_][A-Za-z0-9_-]{0,63}")

Run = Callable[[Mapping[str, Any]], Awaitable[Any]]


class ServerTrouble(Exception):
    """Why a tool or its server gave nothing, in half a sentence of our own."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Offer:
    """One tool of a plugin or a server."""

    name: str
    permission: Permission
    origin: str  # "plugin crm", "mcp crm"
    says: str
    schema: Mapping[str, Any]  # JSON schema of its arguments, an object
    run: Run


@dataclass(frozen=True, slots=True, kw_only=True)
class Offers:
    """What plugins and servers offer now, and a sentence for each that offers nothing."""

    offers: tuple[Offer, ...] = ()
    notes: tuple[str, ...] = ()

    def of(self, permission: Permission) -> tuple[Offer, ...]:
        """Those with this permission: `write` and `send` are proposals for the owner's yes, never asked by a model."""
        return tuple(offer for offer in self.offers if offer.permission == permission)


class Unreadable(Exception):
    """Why a tool is not offered, in half a sentence."""


def offer_of(tool: Tool) -> Offer:
    """A plugin's function as an offer. Raises Unreadable when its types cannot be told to a model."""
    parameters = inspect.signature(tool.function, eval_str=True).parameters
    fields: dict[str, Any] = {
        name: (parameter.annotation, ... if parameter.default is inspect.Parameter.empty else parameter.default)
        for name, parameter in parameters.items()
        if parameter.kind in {parameter.POSITIONAL_OR_KEYWORD, parameter.KEYWORD_ONLY}
    }
    try:
        shape = create_model(tool.name, **fields)
        schema = readable(shape.model_json_schema())
    except (PydanticUserError, NameError, TypeError) as error:
        raise Unreadable(f"its arguments have types that no model can be told ({type(error).__name__})") from error
    return Offer(
        name=tool.name,
        permission=tool.permission,
        origin=f"plugin {tool.plugin}",
        says=one_line(inspect.getdoc(tool.function) or tool.says, LONGEST_TEXT),
        schema=schema,
        run=_running(tool.function, {name: TypeAdapter(annotation) for name, (annotation, _) in fields.items()}),
    )


def _running(function: Callable[..., Any], types: Mapping[str, TypeAdapter[Any]]) -> Run:
    async def run(arguments: Mapping[str, Any]) -> Any:
        values = {name: types[name].validate_python(value) for name, value in arguments.items()}
        if inspect.iscoroutinefunction(function):
            return await function(**values)
        return await in_thread(function, values)

    return run


async def in_thread(function: Callable[..., Any], values: Mapping[str, Any]) -> Any:
    """A plain function in a thread of its own: one that hangs is left behind and holds up nobody's pool or exit."""
    loop = asyncio.get_running_loop()
    outcome: asyncio.Future[Any] = loop.create_future()

    def settle(result: Any, error: BaseException | None) -> None:
        if outcome.done():
            return
        if error is None:
            outcome.set_result(result)
        else:
            outcome.set_exception(error)

    def work() -> None:
        result, fault = None, None
        try:
            result = function(**values)
        except Exception as error:  # noqa: BLE001 - a plugin's own fault is its caller's to tell
            fault = error
        if not loop.is_closed():
            loop.call_soon_threadsafe(settle, result, fault)

    threading.Thread(target=work, name="tool", daemon=True).start()
    return await outcome


# ---------------------------------------------------------------- schemas


def readable(schema: Any) -> dict[str, Any]:
    """The schema of an object's arguments in the few words that are understood. Raises Unreadable."""
    if not isinstance(schema, Mapping):
        raise Unreadable("its schema is no object")
    plain = _node(schema, schema.get("$defs") or {}, 0)
    if plain.get("type") != "object":
        raise Unreadable("its schema does not describe an object of arguments")
    return plain


def _node(node: Any, definitions: Any, depth: int) -> dict[str, Any]:
    if depth > _DEEPEST or not isinstance(node, Mapping):
        raise Unreadable("its schema is nested too deep or is none")
    node = _chosen(node, definitions)
    plain: dict[str, Any] = {}
    if isinstance(node.get("description"), str):
        plain["description"] = one_line(node["description"], LONGEST_TEXT)
    values = node.get("enum", [node["const"]] if "const" in node else None)
    if values is not None:
        plain["enum"] = _values(values)
    kind = node.get("type", "object" if "properties" in node else None)
    if kind is None and values is None:
        raise Unreadable("its schema leaves open what an argument is")
    if kind is not None:
        if kind not in _TYPES:
            raise Unreadable("its schema has a type that there is not")
        plain["type"] = kind
    if kind == "object":
        plain |= _object(node, definitions, depth)
    if kind == "array":
        plain["items"] = _node(node.get("items", {"type": "string"}), definitions, depth + 1)
    return plain


def _chosen(node: Mapping[str, Any], definitions: Any) -> Mapping[str, Any]:
    """Behind a reference, or the one kind of an optional argument."""
    reference = node.get("$ref")
    if isinstance(reference, str):
        name = reference.rpartition("/")[2]
        target = definitions.get(name) if isinstance(definitions, Mapping) else None
        if not isinstance(target, Mapping) or "$ref" in target:
            raise Unreadable("its schema refers to what is not there")
        return target
    kinds = node.get("anyOf", node.get("oneOf"))
    if isinstance(kinds, list):
        choices = [choice for choice in kinds if isinstance(choice, Mapping) and choice.get("type") != "null"]
        if len(choices) != 1:
            raise Unreadable("its schema leaves open what an argument is")
        named = {"description": node["description"]} if "description" in node else {}
        return {**_chosen(choices[0], definitions), **named}
    if isinstance(node.get("type"), list):
        names = [name for name in node["type"] if name != "null"]
        return {**node, "type": names[0] if len(names) == 1 else None}
    return node


def _values(values: Any) -> list[Any]:
    if not isinstance(values, list) or not 0 < len(values) <= _MOST_VALUES:
        raise Unreadable(f"its schema lists no values, or more than {_MOST_VALUES}")
    if not all(isinstance(value, str | int | float | bool) and len(str(value)) <= LONGEST_TEXT for value in values):
        raise Unreadable("its schema lists values that are no short words or numbers")
    return list(values)


def _object(node: Mapping[str, Any], definitions: Any, depth: int) -> dict[str, Any]:
    properties, required = node.get("properties", {}), node.get("required", [])
    if not isinstance(properties, Mapping) or len(properties) > _MOST_FIELDS or not isinstance(required, list):
        raise Unreadable(f"its schema has no readable arguments, or more than {_MOST_FIELDS}")
    if not all(isinstance(name, str) and _NAME.fullmatch(name) for name in properties):
        raise Unreadable("its schema has an argument whose name is no name")
    if not all(name in properties for name in required):
        raise Unreadable("its schema requires an argument that it does not describe")
    return {
        "properties": {name: _node(part, definitions, depth + 1) for name, part in properties.items()},
        "required": list(required),
        "additionalProperties": False,
    }
