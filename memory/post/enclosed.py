"""What came with a mail, as text: each file is read once, and what was found is in the ledger.

A file that ended its reading badly (a crash, a lost step) is not read again: it would end the next one the same way.
"""

import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Protocol

from sqlalchemy import ColumnElement, Engine, delete, select, update

from memory.record.blobs import Blobs
from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import file_texts
from workflows.errors import Permanent
from workflows.models.drafts import Source
from workflows.models.mail import Attachment, Email
from workflows.ports import Clock
from workflows.rules.mail.files import attached, is_readable
from workflows.rules.text.canonical import one_line, visible

MOST_FILES = 8
MOST_IN_BRIEF = 12_000
"""Characters of all files of one brief."""
MOST_OF_ONE = 6_000
_SECONDS = 8.0
_NAME = 80
_INTERRUPTED = "reading it was broken off."
_NO_TIME = "the files before it took too long to read."


class TextReader(Protocol):
    """Reads a file out of a mail's bytes, somewhere it can do no harm."""

    def text(self, raw: bytes, file: Attachment) -> str:
        """Its text; raises Permanent with a clause that says why there is none."""


@dataclass(frozen=True, slots=True)
class Enclosed:
    """What the files of a mail say, and which of them say nothing to us, in whole sentences for the owner."""

    sources: tuple[Source, ...] = ()
    omissions: tuple[str, ...] = ()


class Enclosures(Book):
    """The files of received mails as bounded sources of the kind "file"."""

    def __init__(self, engine: Engine, clock: Clock, blobs: Blobs, reader: TextReader) -> None:
        super().__init__(engine, clock)
        self._blobs = blobs
        self._reader = reader

    def of(self, emails: Iterable[Email]) -> Enclosed:
        """What came with these mails, the newest first; blocking, for seconds at most."""
        end = time.monotonic() + _SECONDS
        sources: list[Source] = []
        omissions: list[str] = []
        room = MOST_IN_BRIEF
        for email, file in _readable(emails)[:MOST_FILES]:
            text, fault = self._text(email, file, in_time=time.monotonic() < end)
            name = one_line(file.name, _NAME)
            excerpt = visible(text)[: min(room, MOST_OF_ONE)]
            room -= len(excerpt)
            if excerpt:
                sources.append(Source(id=f"file:{name}", kind="file", quote=excerpt, at=email.date))
            if fault:
                omissions.append(f"{name} was not read: {fault}")
            elif len(excerpt) < len(text):
                omissions.append(f"Of {name} only the first {len(excerpt):,} characters were read for this draft.")
        return Enclosed(tuple(sources), tuple(omissions))

    def _text(self, email: Email, file: Attachment, *, in_time: bool) -> tuple[str, str]:
        """The file's text and why there is none: as the ledger has it, or read now."""
        earlier = self._earlier(email, file)
        if earlier is not None:
            return earlier
        if not in_time:
            return "", _NO_TIME
        self._begin(email, file)
        text, fault = "", ""
        try:
            text = self._reader.text(self._blobs.get(email.blob), file)
        except Permanent as error:
            fault = one_line(str(error), 200)
        except KeyError:
            fault = "the mail it came with is no longer kept."
        except BaseException:
            self._forget(email, file)  # no fault of the file's: there was no child to read it
            raise
        self._keep(email, file, text, fault)
        return text, fault

    def _earlier(self, email: Email, file: Attachment) -> tuple[str, str] | None:
        with self._reading() as connection:
            row = connection.execute(select(file_texts).where(_is(email, file))).first()
        if row is None:
            return None
        return ("", _INTERRUPTED) if row.state == "begun" else (row.text, row.fault)

    def _begin(self, email: Email, file: Attachment) -> None:
        row = insert(file_texts).values(mail=email.identity, sha256=file.sha256, state="begun", at=self._clock.now())
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing(index_elements=["mail", "sha256"]))

    def _forget(self, email: Email, file: Attachment) -> None:
        with self._writing() as connection:
            connection.execute(delete(file_texts).where(_is(email, file)))

    def _keep(self, email: Email, file: Attachment, text: str, fault: str) -> None:
        values = {"state": "refused" if fault else "read", "text": text, "fault": fault}
        with self._writing() as connection:
            connection.execute(update(file_texts).where(_is(email, file)).values(values))


def _is(email: Email, file: Attachment) -> ColumnElement[bool]:
    return (file_texts.c.mail == email.identity) & (file_texts.c.sha256 == file.sha256)


def _readable(emails: Iterable[Email]) -> list[tuple[Email, Attachment]]:
    """The files that a text may be had of, each once, those of the newest mail first."""
    by_hash = {
        file.sha256: (email, file) for email in emails for file in attached(email) if is_readable(file) and file.size
    }
    return list(reversed(by_hash.values()))
