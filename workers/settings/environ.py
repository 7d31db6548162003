"""Environment: the one reader of it. Where the home and the cache are, what the session says of zone and language."""

import os
import re
from pathlib import Path
from zoneinfo import available_timezones

from workflows.errors import NeedsOwner

PREFIX = "DESKHAND_"


def resolve_home(option: Path | None = None) -> Path:
    """The home folder: `--home`, else DESKHAND_HOME, else $XDG_DATA_HOME/deskhand, else ~/.local/share/deskhand."""
    location = option or os.environ.get("DESKHAND_HOME")
    if location:
        return _expanded(Path(location)).absolute()
    return _xdg("XDG_DATA_HOME", ".local/share") / "deskhand"


def cache_folder() -> Path:
    """What may be lost and made again: $XDG_CACHE_HOME/deskhand, else ~/.cache/deskhand."""
    return _xdg("XDG_CACHE_HOME", ".cache") / "deskhand"


def zone_hint() -> str:
    """The TZ variable, when it names a time zone ("Europe/Berlin"), else ""."""
    name = os.environ.get("TZ", "").lstrip(":")
    return name if name in available_timezones() else ""


def language_hint() -> str:
    """The language and country of the session ("de_DE"), or ""."""
    for name in ("LC_ALL", "LC_MESSAGES", "LANG"):
        match = re.match(r"[a-z]{2}(_[A-Z]{2})?\b", os.environ.get(name, ""))
        if match:
            return match.group()
    return ""


def _xdg(variable: str, default: str) -> Path:
    # The XDG rules: a relative path in these variables is to be ignored.
    folder = Path(os.environ.get(variable, ""))
    return folder if folder.is_absolute() else _expanded(Path("~") / default)


def _expanded(path: Path) -> Path:
    try:
        return path.expanduser()
    except RuntimeError:
        raise NeedsOwner(
            "No home folder is known: HOME is not set.", "Give one with --home DIR or the variable DESKHAND_HOME."
        ) from None


def variable_of(section: str, key: str) -> str:
    """The variable by which a setting can be given."""
    return f"{PREFIX}{section.upper()}__{key.upper()}"


def variable_set(section: str, key: str) -> str:
    """The variable that gives this setting now, as it is spelled in the environment, or ""."""
    variable = variable_of(section, key)
    spelled = next((name for name in os.environ if name.upper() == variable), "")
    return spelled if spelled and os.environ[spelled] else ""


def own_variables() -> list[str]:
    """Every variable that is meant to be a setting, known or not, in the order of names."""
    return [name for name in sorted(os.environ) if name.upper().startswith(PREFIX) and "__" in name]
