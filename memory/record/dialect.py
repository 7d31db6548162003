"""Dialect: SQLite, named in this file alone, so that Postgres by URL can follow.

`insert` is the one that can say what happens when the row is there already.
"""

from pathlib import Path
from typing import Any

from sqlalchemy import Connection, Engine, create_engine, event
from sqlalchemy.dialects.sqlite import insert

__all__ = ["insert", "is_damage", "new_engine"]


def new_engine(path: Path) -> Engine:
    """The engine over one file (WAL, synchronous FULL); nothing is opened yet."""
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "isolation_level": None})
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    return engine


def is_damage(why: str) -> bool:
    """Whether the database's own words say that its file is damaged."""
    return "not a database" in why or "malformed" in why


def _tune(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later must not fail half-way because another one wrote.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")
