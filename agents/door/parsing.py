"""From what a model said to a value: thinking and fences stripped, the JSON object found, the schema held."""

import json
import re
from typing import Any, TypeVar

from pydantic import BaseModel, ValidationError

Shape = TypeVar("Shape", bound=BaseModel)

_THINKING = re.compile(r"<(think|thinking|reasoning)>.*?(?:</\1>|\Z)", re.DOTALL | re.IGNORECASE)
_UNOPENED = re.compile(r"\A.*?</(?:think|thinking|reasoning)>", re.DOTALL | re.IGNORECASE)
_MOST_FAULTS = 5


class Unusable(Exception):
    """The text is not what was asked for; says what is wrong in words a model can mend it by."""


def read_answer(text: str, shape: type[Shape]) -> Shape:
    """The value a model's text holds.

    Raises:
        Unusable: there is no JSON object in it, or it does not follow the schema.
    """
    try:
        return shape.model_validate(_object(_bare(text)))
    except ValidationError as error:
        raise Unusable(_faults(error)) from None


def _bare(text: str) -> str:
    """Without thinking aloud. Some endpoints drop the opening tag: what stands before a lone closing one goes too."""
    return _UNOPENED.sub("", _THINKING.sub("", text)).strip()


def _object(text: str) -> dict[str, Any]:
    """The first whole JSON object in the text, whatever stands around it."""
    decoder = json.JSONDecoder()
    for start in (brace.start() for brace in re.finditer(r"\{", text[:20_000])):
        try:
            value, _ = decoder.raw_decode(text, start)
        except (ValueError, RecursionError):  # RecursionError: nested deeper than any answer
            continue
        if isinstance(value, dict):
            return _encodable(value)
    raise Unusable("it holds no whole JSON object." if text else "it was empty.")


def _encodable(value: dict[str, Any]) -> dict[str, Any]:
    """Without half surrogates, which JSON can say and no mail can hold."""
    cleaned: dict[str, Any] = json.loads(json.dumps(value, ensure_ascii=False).encode("utf-8", "replace"))
    return cleaned


def _faults(error: ValidationError) -> str:
    """What is wrong, without repeating the values: they may be anybody's text."""
    faults = [f"{'.'.join(map(str, fault['loc'])) or 'the object'}: {fault['msg']}" for fault in error.errors()]
    return "; ".join(faults[:_MOST_FAULTS]) + "."


def json_schema(shape: type[BaseModel]) -> dict[str, Any]:
    """The schema of a pydantic class as the strict dialect of the OpenAI protocol wants it.

    Every property is required and no other is allowed; a title and a description name it.
    """
    schema = shape.model_json_schema()
    _make_strict(schema)
    name = re.sub(r"\W", "_", str(schema.get("title") or shape.__name__))
    return schema | {"title": name, "description": schema.get("description") or name}


def _make_strict(node: Any) -> None:
    if isinstance(node, list):
        for item in node:
            _make_strict(item)
    elif isinstance(node, dict):
        node.pop("default", None)
        if node.get("type") == "object":
            node["required"] = list(node.get("properties", {}))
            node["additionalProperties"] = False
        for item in node.values():
            _make_strict(item)
