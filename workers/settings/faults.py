"""Faults in the settings, each as one plain sentence: the file, the line, the key and the mend."""

import difflib
import re
from pathlib import Path

from pydantic_core import ErrorDetails

from workers.settings.environ import variable_set
from workers.settings.schema import keys
from workflows.errors import NeedsOwner


def first_fault(errors: list[ErrorDetails], path: Path, text: str) -> NeedsOwner:
    """The first fault as one sentence; unknown keys come first, for they often cause the others."""
    error = min(errors, key=lambda item: item["type"] != "extra_forbidden")
    section = str(error["loc"][0]) if error["loc"] else ""
    key = str(error.get("ctx", {}).get("key") or (error["loc"][1] if len(error["loc"]) > 1 else ""))
    place = _place(path, text, section, key)
    # An entry of a list of tables is named by its own key: profile.work.skills.
    name = ".".join([section, key, *(str(part) for part in error["loc"][2:] if isinstance(part, str))]).rstrip(".")
    if error["type"] == "extra_forbidden":
        return NeedsOwner(f"{place}: {name} is not a setting.", _nearest(section, key))
    if error["type"] == "missing":
        return NeedsOwner(f"{place}: {name} is missing.", f"Add it, or run ./deskhand init; {_example(section, key)}")
    expected = _expected(error)
    return NeedsOwner(f"{place}: {name} must be {expected}.", "Correct it; docs/settings.md describes each setting.")


def _expected(error: ErrorDetails) -> str:
    kind, context = error["type"], error.get("ctx", {})
    if kind == "setting":
        return str(context["expected"])
    if kind == "literal_error":
        return f"one of {context['expected']}".replace("'", '"')
    plain = {
        "greater_than_equal": f"at least {context.get('ge')}",
        "less_than_equal": f"at most {context.get('le')}",
        "string_too_short": "not empty",
        "too_short": "not empty",
        "tuple_type": 'a list such as ["one", "two"]',
        "model_type": "a section with keys",
        "model_attributes_type": "a section with keys",
    }
    for beginning, text in (
        ("int", "a whole number"),
        ("float", "a number"),
        ("bool", "true or false"),
        ("string_type", "text in quotes"),
    ):
        if kind.startswith(beginning):
            return text
    return plain.get(kind, error["msg"].lower())


def _place(path: Path, text: str, section: str, key: str) -> str:
    if key and (variable := variable_set(section, key)):
        return f"The environment variable {variable}"
    line = line_of(text, section, key)
    return f"{path}, line {line}" if line else str(path)


def line_of(text: str, section: str, key: str = "") -> int:
    """The line (from 1) where a key stands, else where its section begins, else 0."""
    current, start = "", 0
    for number, line in enumerate(text.splitlines(), 1):
        head = re.match(r"\s*\[{1,2}\s*\"?([^\]\"]+?)\"?\s*\]", line)
        if head:
            current = head.group(1)
            start = number if current in {section, f"{section}.{key}"} else start
            continue
        match = re.match(r"\s*\"?([\w.-]+?)\"?\s*=", line)
        if match and (f"{current}.{match.group(1)}".lstrip(".") in (f"{section}.{key}", section)):
            return number
    return start


def _nearest(section: str, key: str) -> str:
    sections = keys()
    if section in sections:
        near = difflib.get_close_matches(key, sections[section], n=1, cutoff=0.6)
        if near:
            return f'Did you mean "{near[0]}"?'
        home = next((name for name, names in sections.items() if key in names), "")
        return f"It belongs into the section [{home}]." if home else f"Known here: {', '.join(sections[section])}."
    home = next((name for name, names in sections.items() if section in names), "")
    if home:
        return f"It belongs into the section [{home}]."
    near = difflib.get_close_matches(section, sections, n=1, cutoff=0.6)
    return f"Did you mean the section [{near[0]}]?" if near else f"The sections are {', '.join(sections)}."


_EXAMPLES = {
    "owner.name": 'name = "Ada Winter"',
    "owner.address": 'address = "ada@winter.example"',
    "imap.host": 'host = "imap.winter.example"',
    "smtp.host": 'host = "smtp.winter.example"',
    "model.base_url": 'base_url = "http://127.0.0.1:11434/v1"',
    "model.name": 'name = "qwen3:8b"',
    "embeddings.base_url": 'base_url = "http://127.0.0.1:11434/v1"',
    "embeddings.name": 'name = "nomic-embed-text"',
}


def _example(section: str, key: str) -> str:
    if not key:
        return f"the section begins with [{section}]."
    return f"for example {_EXAMPLES.get(f'{section}.{key}', key)} in the section [{section}]."
