"""What every part of the ledger shares: one transaction per call, and a database's complaints in plain words."""

from collections.abc import Iterator
from contextlib import contextmanager

from sqlalchemy import Connection, Engine
from sqlalchemy.exc import DBAPIError

from memory.record.schema import reading, transaction
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.ports import Clock

_FULL = ("disk is full", "disk i/o error")
_CLOSED = ("readonly database", "unable to open database", "permission denied")
_BROKEN = ("not a database", "malformed")


class Book:
    """A part of the ledger: synchronous, safe from any thread, one transaction per call."""

    def __init__(self, engine: Engine, clock: Clock) -> None:
        self._engine = engine
        self._clock = clock

    @contextmanager
    def _writing(self) -> Iterator[Connection]:
        with plainly(), transaction(self._engine) as connection:
            yield connection

    @contextmanager
    def _reading(self) -> Iterator[Connection]:
        with plainly(), reading(self._engine) as connection:
            yield connection


@contextmanager
def plainly() -> Iterator[None]:
    """Turn a database error into Retryable (busy) or NeedsOwner (disk, permissions, damage)."""
    try:
        yield
    except DBAPIError as error:
        raise _plain(error) from error


def _plain(error: DBAPIError) -> DeskhandError | DBAPIError:
    # The database's own words are safe to show; the statement and its values hold people's texts and are left out.
    words = str(error.orig).lower()
    if "locked" in words or "busy" in words:
        return Retryable("The ledger is in use by another process; it is tried again.")
    if any(sign in words for sign in _FULL):
        return NeedsOwner(
            "The ledger cannot be written: the disk is full or broken.", "Free some disk space; nothing is lost."
        )
    if any(sign in words for sign in _CLOSED):
        return NeedsOwner(
            "The ledger cannot be written.", "Mend the permissions of the home folder; nothing is lost meanwhile."
        )
    if any(sign in words for sign in _BROKEN):
        return NeedsOwner(
            "The ledger file is damaged.", "Put back your last copy of the home folder (docs/operations.md)."
        )
    return error
