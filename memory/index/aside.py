"""Moving a damaged index aside: nothing is thrown away unseen, and nothing damaged is opened twice."""

import shutil
from datetime import datetime
from pathlib import Path

from workflows.errors import DeskhandError, NeedsOwner, Retryable

KEPT = 2
"""Damaged copies that stay for a look; older ones are removed, or they would fill the disk."""


def not_damage(path: Path, why: str) -> DeskhandError | None:
    """The error to raise when an index is only busy or the disk only full; None when the index itself is unwell."""
    words = why.lower()
    if "is locked" in words or "busy" in words:
        return Retryable(f"The index {path.name} is in use by another process; it is tried again.")
    if "disk is full" in words or "no space left" in words:
        return NeedsOwner(
            f"The index {path} cannot be written: the disk is full.", "Free some disk space; nothing is lost."
        )
    return None


def move_aside(path: Path, now: datetime) -> Path:
    """Rename `path` to `<name>.damaged-<time>` beside it and give the new place.

    Raises:
        NeedsOwner: the folder around it cannot be written.
    """
    target = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}")
    number = 1
    while target.exists() or target.is_symlink():
        number += 1
        target = path.with_name(f"{path.name}.damaged-{now:%Y%m%dT%H%M%S}-{number}")
    try:
        path.rename(target)
    except OSError as error:
        raise NeedsOwner(
            f"The damaged index {path} cannot be moved aside: {error.strerror}.",
            "Mend the permissions of the home folder; the index is rebuilt from the ledger.",
        ) from error
    _drop_older(path)
    return target


def _drop_older(path: Path) -> None:
    copies = sorted(path.parent.glob(f"{path.name}.damaged-*"), key=lambda one: one.lstat().st_mtime, reverse=True)
    for old in copies[KEPT:]:
        if old.is_dir() and not old.is_symlink():
            shutil.rmtree(old, ignore_errors=True)
        else:
            old.unlink(missing_ok=True)
