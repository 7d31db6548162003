"""Prompts are files: read once, filled by name. Values are never read as templates themselves."""

from functools import cache
from pathlib import Path
from string import Template

FOLDER = Path(__file__).with_name("prompts")


@cache
def _template(name: str) -> Template:
    return Template((FOLDER / f"{name}.md").read_text(encoding="utf-8"))


def prompt(name: str, **values: str) -> str:
    """The prompt `prompts/<name>.md` with each $name filled in; a value that is missing is a KeyError."""
    return _template(name).substitute(values).strip()


@cache
def every_prompt() -> str:
    """The text of all prompts, to know them again when a model repeats them."""
    return "\n".join(path.read_text(encoding="utf-8") for path in sorted(FOLDER.glob("*.md")))
