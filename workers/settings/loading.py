"""Loading of the settings: `load(home)` gives a frozen `Settings`, or one plain sentence about its first fault."""

import difflib
import re
import tomllib
from collections.abc import Mapping
from pathlib import Path
from typing import Any

from pydantic import ValidationError

from workers.settings.environ import PREFIX, own_variables, variable_of
from workers.settings.faults import first_fault
from workers.settings.schema import Settings, keys
from workers.settings.secrets import holds_secret, refuse_open
from workflows.errors import NeedsOwner

FILE = "deskhand.toml"


def load(home: Path) -> Settings:
    """The settings of this home.

    Raises:
        NeedsOwner: there is no file, or one plain sentence about its first fault: file, line, key and the mend.
    """
    path = home / FILE
    text = _read(path)
    values = _parse(path, text)
    _refuse_unknown_variables()
    try:
        settings = Settings(**values)
    except ValidationError as error:
        raise first_fault(error.errors(), path, text) from None
    if any(holds_secret(section) for section in values.values()):
        refuse_open(path, path.stat().st_mode)
    return settings


def check_values(values: Mapping[str, Any], path: Path) -> None:
    """Refuse values (section -> key -> value) that `load` would refuse, before they are written to `path`."""
    try:
        Settings(**values)
    except ValidationError as error:
        raise first_fault(error.errors(), path, "") from None


def _read(path: Path) -> str:
    try:
        return path.read_text("utf-8-sig")
    except FileNotFoundError:
        raise NeedsOwner(f"There are no settings: {path} does not exist.", "Run ./deskhand init.") from None
    except UnicodeDecodeError:
        raise NeedsOwner(f"{path} is not UTF-8 text.", "Save it as UTF-8.") from None
    except OSError as error:
        raise NeedsOwner(f"{path} cannot be read: {error.strerror}.", "Mend the file's permissions.") from None


def _parse(path: Path, text: str) -> dict[str, Any]:
    try:
        return tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        reason = re.sub(r"\s*\(at .*\)$", "", str(error))
        place = re.search(r"line (\d+)", str(error))
        position = f", line {place.group(1)}" if place else ", at its end"
        raise NeedsOwner(
            f"{path}{position}: this is not TOML ({reason[:1].lower()}{reason[1:]}).",
            'Correct that line; text stands in quotes, as in name = "Ada".',
        ) from None


def _refuse_unknown_variables() -> None:
    variables = {variable_of(section, key) for section, names in keys().items() for key in names}
    for name in own_variables():
        if re.fullmatch(
            rf"{PREFIX}(?:SOURCES|MCP)__[A-Z0-9_-]+__[A-Z0-9_]+", name.upper()
        ):  # the names are the owner's own
            continue
        if name.upper() not in variables:
            near = difflib.get_close_matches(name.upper(), variables, n=1, cutoff=0.6)
            mend = f"Did you mean {near[0]}?" if near else "Remove it; docs/settings.md lists all settings."
            raise NeedsOwner(f"The environment variable {name} is not a setting.", mend)
