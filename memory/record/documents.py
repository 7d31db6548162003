"""The texts that passed between the owner and a client: what memory is made of.

Rows here are the record. The vectors in Chroma and the keyword index are derived from them and may be thrown away.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from enum import IntFlag
from typing import Any

from sqlalchemy import Connection, Row, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import documents


class Index(IntFlag):
    """Which index has a document; the bits of `documents.indexed`."""

    VECTORS = 1
    KEYWORDS = 2


LONGEST = 50_000
"""Characters of one text that memory keeps; the whole mail stays in `mails` and in its blob."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Document:
    """One text of a client's history. `id` is what a Source names; `kind`: received | drafted | edited | sent."""

    id: str
    client: str
    kind: str
    text: str
    at: datetime
    case: int = 0
    subject: str = ""


def keep(connection: Connection, document: Document) -> None:
    """Add the document; the same id again changes nothing."""
    row = insert(documents).values(
        id=document.id,
        client=document.client,
        case=document.case,
        kind=document.kind,
        subject=document.subject,
        text=document.text[:LONGEST],
        at=document.at,
    )
    connection.execute(row.on_conflict_do_nothing(index_elements=["id"]))


class Documents(Book):
    """Reading them, and knowing which are not indexed yet."""

    def documents(self, client: str) -> tuple[Document, ...]:
        """Everything of one client, oldest first. Nobody else's: this is the wall between clients."""
        query = select(documents).where(documents.c.client == client).order_by(documents.c.at, documents.c.id)
        with self._reading() as connection:
            return tuple(_document(row) for row in connection.execute(query))

    def document(self, document: str) -> Document | None:
        """The one with that id."""
        with self._reading() as connection:
            row = connection.execute(select(documents).where(documents.c.id == document)).first()
        return None if row is None else _document(row)

    def unindexed(self, index: Index, limit: int) -> tuple[Document, ...]:
        """The oldest that this index does not have yet."""
        missing = documents.c.indexed.bitwise_and(int(index)) == 0
        query = select(documents).where(missing).order_by(documents.c.at, documents.c.id).limit(limit)
        with self._reading() as connection:
            return tuple(_document(row) for row in connection.execute(query))

    def mark_indexed(self, index: Index, ids: Iterable[str]) -> None:
        """The index has these documents now."""
        marked = documents.c.indexed.bitwise_or(int(index))
        with self._writing() as connection:
            connection.execute(update(documents).where(documents.c.id.in_(tuple(ids))).values(indexed=marked))

    def unmark_indexed(self, index: Index) -> int:
        """The index is gone: every document is to be indexed again. How many had been."""
        had = documents.c.indexed.bitwise_and(int(index)) != 0
        without = documents.c.indexed.bitwise_and(~int(index) & 3)
        with self._writing() as connection:
            return connection.execute(update(documents).where(had).values(indexed=without)).rowcount


def _document(row: Row[Any]) -> Document:
    return Document(
        id=row.id, client=row.client, case=row.case, kind=row.kind, subject=row.subject, text=row.text, at=row.at
    )
