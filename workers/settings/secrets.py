"""Secrets of the settings: a password, key or token from its setting or its file, which nobody else may read."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from workflows.errors import NeedsOwner


def secret_of(home: Path, section: str, key: str, part: Any) -> str:
    """`key`, else the first line of the file named by `<key>_file` (relative to the home), else ""."""
    inline: str = getattr(part, key).get_secret_value()
    name: str = getattr(part, f"{key}_file")
    if inline or not name:
        return inline
    path = home / Path(name).expanduser()
    setting = f"{section}.{key}_file"
    try:
        mode, text = path.stat().st_mode, path.read_text("utf-8")
    except FileNotFoundError:
        raise NeedsOwner(
            f"The file {path} named by {setting} does not exist.", "Write the secret into it, or run ./deskhand init."
        ) from None
    except (OSError, UnicodeDecodeError) as error:
        reason = getattr(error, "strerror", None) or "it is not UTF-8 text"
        raise NeedsOwner(
            f"The file {path} named by {setting} cannot be read: {reason}.", "Mend the file or its permissions."
        ) from None
    refuse_open(path, mode)
    lines = text.strip("\r\n").splitlines()
    if len(lines) != 1 or not lines[0].strip():
        raise NeedsOwner(f"The file {path} named by {setting} must hold one line.", "Write only the secret into it.")
    return lines[0]


def refuse_open(path: Path, mode: int) -> None:
    if mode & 0o007:
        raise NeedsOwner(f"{path} holds a secret and everybody on this machine can read it.", f"Run: chmod 600 {path}")


def holds_secret(section: object) -> bool:
    if isinstance(section, list):
        return any(map(holds_secret, section))
    if not isinstance(section, Mapping):
        return False
    return any(map(section.get, ("password", "api_key", "token", "env"))) or any(map(holds_secret, section.values()))
