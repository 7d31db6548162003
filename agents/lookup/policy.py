"""Policy: what a read tool may be asked with. Pure: schema, arguments and the item at hand in; values or refusal out.

A foreign tool learns nothing that is not in the item at hand, for what it is asked leaves the house: words must stand
there (in any order), values of the schema's own lists, yes and no and whole numbers up to 100 are free, and addresses,
telephone and account numbers never pass, not even in pieces. Our own tools see one client alone and are only capped.
"""

import json
import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

from agents.checks import bare, contacts
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

LONGEST, LONGEST_IN_ALL, MOST_VALUES = 200, 600, 12
_FREE_NUMBER = 100
_SHORTEST_SECRET = 6  # letters and figures: shorter pieces of an address or a number are anybody's words
_SPELT = frozenset({"at", "dot", "punkt", "arobase", "point", "arroba", "punto", "chiocciola", "ponto"})
_NUMBER = re.compile(r"\d+(?:[.,]\d+)*")


class Refused(Exception):
    """Why a tool is not asked that, in one plain sentence."""


@dataclass(frozen=True)
class Item:
    """The item at hand, as what a foreign tool may be told of."""

    text: str

    @cached_property
    def words(self) -> frozenset[str]:
        """Each word that stands there outside of addresses, links, telephone and account numbers."""
        return frozenset(_words(bare(self.text)))

    @cached_property
    def secrets(self) -> tuple[str, ...]:
        """Its addresses and numbers, each as bare letters and figures."""
        squeezed = {_squeezed(contact) for contact in contacts(self.text)}
        return tuple(secret for secret in squeezed if len(secret) >= _SHORTEST_SECRET)


def admitted(schema: Mapping[str, Any], arguments: Mapping[str, Any], item: Item | None) -> dict[str, Any]:
    """The arguments as they may be passed. `item` None: one of our own tools, whose question leaves no house.

    Raises:
        Refused: an argument is unknown, missing, of another kind, too long, or says more than the item.
    """
    values = _object(schema, arguments, item)
    leaves = [str(leaf) for leaf in _leaves(values)]
    if len(leaves) > MOST_VALUES or len(json.dumps(values, ensure_ascii=False)) > LONGEST_IN_ALL:
        raise Refused(f"The arguments are too many or too long: {LONGEST_IN_ALL} characters are the most.")
    if item is not None:
        _refuse_contacts(" ".join(leaves), item)
    return values


def _object(schema: Mapping[str, Any], arguments: Any, item: Item | None) -> dict[str, Any]:
    if not isinstance(arguments, Mapping):
        raise Refused("The arguments are no object.")
    properties: Mapping[str, Any] = schema.get("properties", {})
    for name in arguments:
        if name not in properties:
            raise Refused(f'There is no argument "{one_line(str(name), 40)}".')
    named = {name: value for name, value in arguments.items() if value is not None and value != ""}
    for name in schema.get("required", ()):
        if name not in named:
            raise Refused(f'The argument "{name}" is missing.')
    return {name: _value(name, properties[name], value, item) for name, value in named.items()}


def _value(name: str, schema: Mapping[str, Any], value: Any, item: Item | None) -> Any:
    kind = schema.get("type")
    if "enum" in schema:
        match = next((choice for choice in schema["enum"] if str(choice) == str(value)), None)
        if match is None:
            raise Refused(f'The argument "{name}" is none of the values that the tool takes.')
        return match
    if kind == "object":
        return _object(schema, value, item)
    if kind == "array":
        if not isinstance(value, list):
            raise Refused(f'The argument "{name}" is no list.')
        return [_value(name, schema["items"], part, item) for part in value]
    if kind == "boolean":
        return _boolean(name, value)
    if kind in {"integer", "number"}:
        return _number(name, kind, value, item)
    return _text(name, value, item)


def _boolean(name: str, value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if str(value).lower() not in {"true", "false"}:
        raise Refused(f'The argument "{name}" is neither true nor false.')
    return str(value).lower() == "true"


def _number(name: str, kind: str, value: Any, item: Item | None) -> int | float:
    text = "" if isinstance(value, bool) else str(value).strip()
    if not re.fullmatch(r"-?\d{1,15}(?:\.\d{1,6})?", text):
        raise Refused(f'The argument "{name}" is no number.')
    number = float(text)
    if kind == "integer" and number != int(number):
        raise Refused(f'The argument "{name}" is no whole number.')
    is_free = number == int(number) and abs(number) <= _FREE_NUMBER
    if item is not None and not is_free and text.lstrip("-") not in _NUMBER.findall(bare(item.text)):
        raise Refused(f'The number "{text}" does not stand in the item at hand.')
    return int(number) if number == int(number) and (kind == "integer" or "." not in text) else number


def _text(name: str, value: Any, item: Item | None) -> str:
    if not isinstance(value, str | int | float) or isinstance(value, bool):
        raise Refused(f'The argument "{name}" is no text.')
    text = one_line(str(value))
    if len(text) > LONGEST:
        raise Refused(f'The argument "{name}" has {len(text)} characters: {LONGEST} are the most.')
    if item is not None:
        for word in _words(text):
            if word not in item.words:
                raise Refused(f'"{one_line(word, 40)}" does not stand in the item at hand.')
    return text


def _refuse_contacts(text: str, item: Item) -> None:
    """Addresses, telephone and account numbers never pass: whole, spelt out, or spread over several arguments."""
    if contacts(text):
        raise Refused("An address, a telephone or an account number is told to no tool.")
    figures, letters = re.sub(r"\D", "", text), _squeezed(text)
    if any(secret in (figures if secret.isdigit() else letters) for secret in item.secrets):
        raise Refused("An address, a telephone or an account number is told to no tool, not in pieces either.")


def _words(text: str) -> Iterator[str]:
    yield from re.findall(r"\w+", fold(text))


def _squeezed(text: str) -> str:
    return "".join(word.replace("_", "") for word in _words(text) if word not in _SPELT)


def _leaves(value: Any) -> Iterator[Any]:
    parts = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else None
    if parts is None:
        yield value
        return
    for part in parts:
        yield from _leaves(part)
