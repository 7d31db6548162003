"""Small facts of a home: how far every folder has been read, when it first ran, its id, and what parts of it learnt."""

import secrets
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime

from sqlalchemy import Connection, select

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.meta import begin_meta, read_meta, read_metas, write_meta
from memory.record.schema import cursors, from_json, to_json
from workflows.models.mail import Cursor

_KEPT = "kept-notice:"


@dataclass(frozen=True, slots=True, kw_only=True)
class DeferredNotice:
    """A notice that waits for a mail with others, because too many came in one hour."""

    key: str
    subject: str
    text: str
    case: int = 0


class Notebook(Book):
    """Cursors, and values by name (table `meta`)."""

    def cursor(self, folder: str) -> Cursor | None:
        """How far the folder has been read; None before the first look."""
        with self._reading() as connection:
            row = connection.execute(select(cursors).where(cursors.c.folder == folder)).first()
        if row is None:
            return None
        return Cursor(folder=row.folder, uidvalidity=row.uidvalidity, last_uid=row.last_uid, last_date=row.last_date)

    def move_cursor(self, cursor: Cursor) -> None:
        """Everything at or below `last_uid` is in `seen`."""
        values = {"uidvalidity": cursor.uidvalidity, "last_uid": cursor.last_uid, "last_date": cursor.last_date}
        row = insert(cursors).values(folder=cursor.folder, **values)
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["folder"], set_=values))

    def first_run(self) -> datetime:
        """When this home first ran: set by the first call, the same ever after."""
        with self._writing() as connection:
            return self._first_run(connection)

    def _first_run(self, connection: Connection) -> datetime:
        now = self._clock.now().astimezone(UTC).isoformat()
        return datetime.fromisoformat(begin_meta(connection, "first_run", now))

    def home(self) -> str:
        """The random id of this home, by which an index copied from elsewhere is known."""
        with self._writing() as connection:
            return begin_meta(connection, "home", secrets.token_hex(16))

    def get_meta(self, key: str) -> str | None:
        with self._reading() as connection:
            return read_meta(connection, key)

    def keep_notice(self, notice: DeferredNotice) -> None:
        """Keep a notice until it is told with others; one of that key that was told is not told again."""
        with self._writing() as connection:
            begin_meta(connection, f"{_KEPT}{notice.key}", to_json(notice))

    def is_kept(self, key: str) -> bool:
        """Whether it was kept, told meanwhile or not."""
        return self.get_meta(f"{_KEPT}{key}") is not None

    def kept_notices(self) -> tuple[DeferredNotice, ...]:
        """What is still to be told, in the order of its coming."""
        with self._reading() as connection:
            texts = read_metas(connection, _KEPT).values()
        return tuple(from_json(DeferredNotice, text) for text in texts if text)

    def mark_kept_told(self, keys: Iterable[str]) -> None:
        with self._writing() as connection:
            for key in keys:
                write_meta(connection, f"{_KEPT}{key}", "")

    def set_meta(self, key: str, value: str) -> None:
        with self._writing() as connection:
            write_meta(connection, key, value)
