"""The home folder: everything that lasts, readable by the owner alone, held by one service at a time."""

import fcntl
import json
import os
import shlex
import shutil
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import UTC, datetime
from pathlib import Path

from workflows.errors import NeedsOwner

SUBFOLDERS = ("keys", "blobs", "files", "plugins", "log")
LOCK = "hold.lock"
LITTLE_SPACE = 200 * 1024 * 1024
"""Bytes below which `check` and `status` warn."""


@dataclass(frozen=True, slots=True)
class Holder:
    """Which process holds a home, and since when (UTC)."""

    pid: int
    command: str
    since: datetime

    def __str__(self) -> str:
        return f'"./deskhand {self.command}", process {self.pid}, since {self.since:%Y-%m-%d %H:%M} UTC'


def prepare(home: Path) -> Path:
    """Make the home and its subfolders, 0700 each; what exists keeps its content and is closed to others.

    Raises:
        NeedsOwner: it cannot be made, or belongs to somebody else.
    """
    os.umask(0o077)
    try:
        if home.is_dir() and home.stat().st_mode & 0o077 and not _is_ours(home):
            # Never close somebody's /srv or home directory to the others because of a mistyped --home.
            raise NeedsOwner(
                f"{home} holds other files and is open to other users, so it is not used as Deskhand's home.",
                f"Give a folder of its own: --home {shlex.quote(str(home / 'deskhand'))}.",
            )
        for folder in (home, *(home / name for name in SUBFOLDERS)):
            folder.mkdir(mode=0o700, parents=True, exist_ok=True)
            if folder.stat().st_mode & 0o077:
                folder.chmod(0o700)
    except OSError as error:
        raise NeedsOwner(
            f"The home folder {home} cannot be used: {error.strerror}.",
            "Give another one with --home DIR, or mend its permissions.",
        ) from error
    return home


def _is_ours(home: Path) -> bool:
    names = {path.name for path in home.iterdir()}
    return not names or not names.isdisjoint({"deskhand.toml", "ledger.sqlite", LOCK})


def free_bytes(home: Path) -> int:
    """How much this user can still write where the home lies (or will lie)."""
    folder = home
    while not folder.exists():
        folder = folder.parent
    return shutil.disk_usage(folder).free


def open_to_others(home: Path) -> tuple[Path, ...]:
    """The home, its folders and files (two levels deep) that other users can read or write."""
    if not home.is_dir():
        return ()
    paths = (home, *home.glob("*"), *home.glob("keys/*"))
    return tuple(path for path in paths if not path.is_symlink() and path.stat().st_mode & 0o077)


@contextmanager
def hold(home: Path, command: str) -> Iterator[None]:
    """Hold the home alone while the block runs; the lock ends with the process, however it ends.

    Raises:
        NeedsOwner: another process holds it.
    """
    handle = os.open(prepare(home) / LOCK, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
    try:
        try:
            fcntl.flock(handle, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            raise _held(home) from None
        # Written after the lock is had: the file's time of change is the "since" that a second process reads.
        os.ftruncate(handle, 0)
        os.pwrite(handle, json.dumps({"pid": os.getpid(), "command": command}).encode(), 0)
        yield
        os.ftruncate(handle, 0)
    finally:
        os.close(handle)


def holder(home: Path) -> Holder | None:
    """Who holds the home now, None when nobody does."""
    try:
        handle = os.open(home / LOCK, os.O_RDONLY | os.O_CLOEXEC)
    except OSError:
        return None
    try:
        fcntl.flock(handle, fcntl.LOCK_SH | fcntl.LOCK_NB)
    except BlockingIOError:
        return _named(handle)
    finally:
        os.close(handle)
    return None


def _named(handle: int) -> Holder:
    since = datetime.fromtimestamp(os.fstat(handle).st_mtime, UTC)
    with suppress(ValueError, KeyError, TypeError):
        record = json.loads(os.pread(handle, 4096, 0))
        return Holder(int(record["pid"]), str(record["command"]), since)
    return Holder(0, "?", since)


def _held(home: Path) -> NeedsOwner:
    occupant = holder(home)
    return NeedsOwner(
        f"The home {home} is in use by {occupant or 'another process'}.",
        f"Stop it first{f' (kill {occupant.pid})' if occupant and occupant.pid else ''}, "
        f"or use another home: --home {shlex.quote(f'{home}-2')}.",
    )
