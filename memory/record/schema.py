"""Schema of the ledger: every table, and the file that holds them, the record of everything Deskhand did and knows.

The tables lie by area in `memory/tables/` and are taken from here. Times are stored as UTC ISO-8601 text, values
(`CaseState`, `Email`, ...) as JSON written and read by pydantic, so that a field added with a default reads old rows.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import Column, Connection, Engine, Table, inspect
from sqlalchemy.exc import DBAPIError

from memory.record.dialect import is_damage, new_engine
from memory.record.meta import read_meta, write_meta
from memory.tables.base import metadata
from memory.tables.errands import errands
from memory.tables.house import calls, lookups, meta, secrets
from memory.tables.leads import feeds, findings, lead_posts, leads
from memory.tables.money import debt_holds, debtors, imports, invoices, notices, payments
from memory.tables.outgoing import outbox, placed
from memory.tables.owner import absences, asked_back, digest_items, digests, orders
from memory.tables.people import client_addresses, clients, documents
from memory.tables.post import bounces, copies, cursors, file_texts, mails, seen, threads
from memory.tables.promises import follow_ups, own_promises
from memory.tables.stories import answers, briefs, cases, held_slots, invitations, notes, versions
from memory.tables.work import projects, risks, update_work, updates, work
from workflows import older
from workflows.errors import NeedsOwner

__all__ = [
    "VERSION", "absences", "answers", "asked_back", "bounces", "briefs", "calls", "cases", "client_addresses",
    "clients", "copies", "cursors", "debt_holds", "debtors", "digest_items", "digests", "documents", "errands",
    "feeds", "file_texts", "findings", "follow_ups", "from_json", "held_slots", "imports", "invitations", "invoices",
    "lead_posts", "leads", "lookups", "mails", "meta", "metadata", "notes", "notices", "open_engine", "orders",
    "outbox", "own_promises", "payments", "placed", "projects", "reading", "risks", "secrets", "seen", "threads",
    "to_json", "transaction", "update_work", "updates", "versions", "work",
]  # fmt: skip

VERSION = 1
"""The schema this code writes. A ledger with a higher number was written by a newer Deskhand and is refused."""

Value = TypeVar("Value")

_adapters: dict[Any, TypeAdapter[Any]] = {}  # building one takes milliseconds, using it microseconds


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_json(value: Any) -> str:
    """A frozen value (or a tuple of them) as JSON text."""
    return _adapter(type(value)).dump_json(value).decode()


def from_json(kind: type[Value], text: str) -> Value:
    """The value that `to_json` wrote; unknown fields are ignored, missing ones take their defaults."""
    try:
        value: Value = _adapter(kind).validate_json(text)
    except ValidationError:  # an older Deskhand kept sentences without their codes
        value = _adapter(kind).validate_json(json.dumps(older.renewed(json.loads(text))))
    return value


def open_engine(path: Path) -> Engine:
    """The engine over the ledger file, made if missing, its tables completed if an older Deskhand made it.

    Raises:
        NeedsOwner: the file was written by a newer Deskhand, or cannot be opened.
    """
    engine = new_engine(path)
    try:
        _prepare(engine, path)
        path.chmod(0o600)
    except DBAPIError as error:
        engine.dispose()
        raise _unusable(path, str(error.orig)) from error
    except OSError as error:
        engine.dispose()
        raise _unusable(path, str(error.strerror)) from error
    except NeedsOwner:
        engine.dispose()
        raise
    return engine


def _prepare(engine: Engine, path: Path) -> None:
    """Look before touching: a newer ledger is left as it is. Two processes may do this at once."""
    with reading(engine) as connection:
        ledger_version = _version(connection)
    if ledger_version is not None and ledger_version > VERSION:
        raise NeedsOwner(
            f"The ledger {path} was written by a newer Deskhand (schema {ledger_version}, this one knows {VERSION}).",
            "Update Deskhand, or restore the backup made before the update.",
        )
    if ledger_version == VERSION and _is_complete(engine):
        return
    with transaction(engine) as connection:
        metadata.create_all(connection)
        for table, column in _missing(connection):
            _add(connection, table, column)
        if _version(connection) is None:
            write_meta(connection, "schema", str(VERSION))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table("meta"):
        return None
    version = read_meta(connection, "schema")
    return None if version is None else int(version)


def _is_complete(engine: Engine) -> bool:
    with reading(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        return set(metadata.tables) <= tables and not _missing(connection)


def _missing(connection: Connection) -> list[tuple[Table, Column[Any]]]:
    """Columns that this code knows and the file does not: an older Deskhand made the table."""
    look = inspect(connection)
    tables = [table for table in metadata.sorted_tables if look.has_table(table.name)]
    columns = {table.name: {column["name"] for column in look.get_columns(table.name)} for table in tables}
    return [(table, column) for table in tables for column in table.c if column.name not in columns[table.name]]


def _add(connection: Connection, table: Table, column: Column[Any]) -> None:
    """Columns are only ever added, each with a default or empty, so that old rows read on."""
    kind = column.type.compile(connection.dialect)
    default = ""
    if column.default is not None and not column.nullable:
        value = column.default.arg  # type: ignore[attr-defined]
        default = f" NOT NULL DEFAULT {value if isinstance(value, int) else repr(str(value))}"
    connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}{default}')


def _unusable(path: Path, why: str) -> NeedsOwner:
    if is_damage(why):
        return NeedsOwner(
            f"The ledger {path} is damaged.", "Put back your last copy of the home folder (docs/operations.md)."
        )
    return NeedsOwner(
        f"The ledger {path} cannot be opened: {why}.", "Mend the permissions of the home folder, or free disk space."
    )


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed when the block ends, rolled back when it raises."""
    # SQLite lets a waiting writer sleep and look again, up to 100 ms at a time; a lock wakes the next one at once.
    with _writer(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _writer(engine: Engine) -> threading.RLock:
    with _making:
        return _writers.setdefault(engine, threading.RLock())


_making = threading.Lock()
_writers: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
"""This process's writers, one at a time; other processes wait for SQLite's own lock."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent look at the ledger; writes nothing."""
    with engine.connect() as connection, connection.begin():
        yield connection
