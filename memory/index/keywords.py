"""The keyword index: FTS5 in a file of its own, derived from the ledger and rebuilt from it whenever it is unwell."""

import sqlite3
import threading
from collections.abc import Callable, Sequence
from contextlib import closing, suppress
from pathlib import Path
from typing import Literal

from memory.index.aside import move_aside, not_damage
from memory.model.concepts import concept_of
from memory.model.embedding import folded
from memory.record.documents import Document
from workflows.errors import NeedsOwner
from workflows.ports import Clock

FORMAT = "1"
"""Raised when what is indexed changes; an index of another format is rebuilt."""
Found = Literal["kept", "missing", "damaged"]
_MOST_TERMS = 32
_STEM = 5

_TABLES = """
CREATE TABLE about (key TEXT PRIMARY KEY, value TEXT NOT NULL);
CREATE TABLE places (id INTEGER PRIMARY KEY, document TEXT NOT NULL UNIQUE, client TEXT NOT NULL);
CREATE VIRTUAL TABLE entries USING fts5(subject, text, concepts, tokenize = 'unicode61 remove_diacritics 2');
"""


class Keywords:
    """Full-text search over the texts of one client. One process writes; any thread may call."""

    def __init__(self, path: Path, home: str, clock: Clock, say: Callable[[str], None]) -> None:
        self.path = path
        self._home = home
        self._clock = clock
        self._say = say
        self._lock = threading.RLock()
        self._connection: sqlite3.Connection | None = None

    def open(self) -> Found:
        """Open the index. Unless it was `kept` it is a new, empty one, and everything has to be indexed."""
        with self._lock:
            if self._connection is not None:
                return "kept"
            condition: Found = "missing"
            if self.path.exists() or self.path.is_symlink():
                try:
                    self._connection = self._opened()
                except (sqlite3.Error, OSError, _Foreign) as error:
                    if fault := not_damage(self.path, str(error)):
                        raise fault from error
                    self._set_aside(str(error))
                    condition = "damaged"
                else:
                    return "kept"
            self._connection = self._created()
            return condition

    def add(self, documents: Sequence[Document]) -> None:
        """Index these texts; one that is there already is replaced."""
        with self._lock, self._open_connection() as connection:
            for document in documents:
                _remove(connection, document.id)
                place = connection.execute(
                    "INSERT INTO places (document, client) VALUES (?, ?)", (document.id, document.client)
                ).lastrowid
                connection.execute(
                    "INSERT INTO entries (rowid, subject, text, concepts) VALUES (?, ?, ?, ?)",
                    (place, document.subject, document.text, _concepts(f"{document.subject} {document.text}")),
                )

    def remove(self, documents: Sequence[str]) -> None:
        """Take these documents out."""
        with self._lock, self._open_connection() as connection:
            for document in documents:
                _remove(connection, document)

    def search(self, client: str, text: str, limit: int) -> tuple[str, ...]:
        """The ids of this client's documents that share words with `text`, best first (bm25)."""
        query = match_query(text)
        if not query:
            return ()
        with self._lock, self._open_connection() as connection:
            rows = connection.execute(
                "SELECT places.document FROM entries JOIN places ON places.id = entries.rowid"
                " WHERE entries MATCH ? AND places.client = ?"
                # Of equals the one indexed last, which is the newest but for a rebuild of a single text.
                " ORDER BY round(bm25(entries, 1.5, 1.0, 0.7), 6), places.id DESC LIMIT ?",
                (query, client, limit),
            )
            return tuple(row[0] for row in rows)

    def reset(self, why: str) -> None:
        """Move the index aside and begin an empty one."""
        with self._lock:
            self.close()
            if self.path.exists() or self.path.is_symlink():
                self._set_aside(why)
            self._connection = self._created()

    def close(self) -> None:
        with self._lock:
            if self._connection is not None:
                with suppress(sqlite3.Error):
                    self._connection.close()
            self._connection = None

    def _open_connection(self) -> sqlite3.Connection:
        self.open()
        assert self._connection is not None
        return self._connection

    def _opened(self) -> sqlite3.Connection:
        connection = self._connect()
        try:
            _check(connection, self._home)
        except BaseException:
            connection.close()
            raise
        return connection

    def _created(self) -> sqlite3.Connection:
        try:
            connection = self._connect()
            with connection:
                connection.executescript(_TABLES)
                labels = {"home": self._home, "format": FORMAT}
                connection.executemany("INSERT INTO about VALUES (?, ?)", labels.items())
            self.path.chmod(0o600)
        except (sqlite3.Error, OSError) as error:
            raise NeedsOwner(
                f"The keyword index {self.path} cannot be made: {error}.",
                "Free some disk space or mend the permissions of the home folder.",
            ) from error
        return connection

    def _connect(self) -> sqlite3.Connection:
        connection = sqlite3.connect(self.path, timeout=30, check_same_thread=False)
        connection.execute("PRAGMA journal_mode=WAL")
        connection.execute("PRAGMA synchronous=NORMAL")
        connection.execute("PRAGMA secure_delete=ON")
        return connection

    def _set_aside(self, why: str) -> None:
        for extra in ("-wal", "-shm"):  # they belong to the damaged file; a new one must not replay them
            self.path.with_name(self.path.name + extra).unlink(missing_ok=True)
        moved = move_aside(self.path, self._clock.now())
        self._say(
            f"The keyword index was unusable ({why}); it was moved to {moved.name} and is rebuilt from the ledger."
        )


class _Foreign(Exception):
    """The index belongs to another home, or is of another format."""


def _check(connection: sqlite3.Connection, home: str) -> None:
    with closing(connection.execute("PRAGMA quick_check(1)")) as rows:
        verdict = rows.fetchone()[0]
    if verdict != "ok":
        raise sqlite3.DatabaseError(str(verdict).splitlines()[0])
    labels = dict(connection.execute("SELECT key, value FROM about").fetchall())
    if labels.get("home") != home:
        raise _Foreign("it belongs to another home")
    if labels.get("format") != FORMAT:
        raise _Foreign("it was made by another version")
    with connection:
        connection.execute("INSERT INTO entries (entries) VALUES ('integrity-check')")


def _remove(connection: sqlite3.Connection, document: str) -> None:
    row = connection.execute("SELECT id FROM places WHERE document = ?", (document,)).fetchone()
    if row is not None:
        connection.execute("DELETE FROM entries WHERE rowid = ?", row)
        connection.execute("DELETE FROM places WHERE id = ?", row)


def _concepts(text: str) -> str:
    return " ".join(sorted({concept for concept in map(concept_of, folded(text)) if concept}))


def match_query(text: str) -> str:
    """An FTS5 expression: any of the text's telling words, long ones by their stem; "" when none tells."""
    words = tuple(dict.fromkeys(folded(text)))[:_MOST_TERMS]
    terms = [f'"{word[: max(_STEM, len(word) - 2)]}"*' if len(word) > _STEM else f'"{word}"' for word in words]
    concepts = sorted({concept for concept in map(concept_of, words) if concept})
    return " OR ".join(terms + [f'concepts : "{concept}"' for concept in concepts])
