"""Texts of files: what a reader would see of a PDF, a document, a table, a calendar entry. For the limited child alone.

Every format has its caps: pages, entries of an archive, bytes of what is unpacked, characters. What cannot be read says
why in a clause that ends "... was not read: ".
"""

import contextlib
import io
import re
import zipfile
from collections.abc import Callable, Iterator
from xml.parsers import expat

from tools.web import charsets
from workflows.errors import Permanent

MOST_CHARACTERS = 20_000
"""Of one file; the rest is left out and said so."""
MOST_PAGES = 60
_MOST_ENTRIES = 2_000
_MOST_UNPACKED = 30_000_000  # bytes of one entry of an archive
_DEEPEST = 200
_CONTROLS = {code: None for code in (*range(32), *range(0x7F, 0xA0)) if code not in {9, 10}}
_CALENDAR_FIELDS = re.compile(
    r"^(SUMMARY|DTSTART|DTEND|DURATION|RRULE|LOCATION|STATUS|METHOD|ORGANIZER|ATTENDEE|DESCRIPTION)([;:].*)$"
)


class _EnoughRead(Exception):
    """The characters that are read of one file are there."""


def text_of(name: str, content_type: str, content: bytes) -> str:
    """The file's text, at most MOST_CHARACTERS of it.

    Raises:
        Permanent: it cannot be read; a clause that says why.
    """
    reader = _reader(name.lower().rpartition(".")[2], content_type, content)
    try:
        text = reader(content)
    except (Permanent, MemoryError):
        raise
    except Exception as error:
        raise Permanent("it is damaged.") from error  # whatever a file provokes, it is the file's fault
    text = text[: MOST_CHARACTERS * 2].replace("\r\n", "\n").replace("\r", "\n").translate(_CONTROLS)
    text = re.sub(r"\n{3,}", "\n\n", "\n".join(line.rstrip() for line in text.split("\n"))).strip()
    if not text:
        raise Permanent("there is no text in it.")
    return text[:MOST_CHARACTERS]


def _reader(ending: str, content_type: str, content: bytes) -> Callable[[bytes], str]:
    """By what it is, then by what it is called: the type is whatever a mail program guessed."""
    if content[:1024].lstrip().startswith(b"%PDF"):
        return _pdf
    if content.startswith(b"PK\x03\x04"):
        return _archive
    if ending in {"ics", "ical", "vcs"} or content_type in {"text/calendar", "application/ics"}:
        return _calendar
    if ending in {"txt", "csv", "tsv", "md", "text"} or content_type.startswith("text/"):
        return _plain
    raise Permanent("it is not what its name says.")


# ---------------------------------------------------------------- PDF


def _pdf(content: bytes) -> str:
    from pypdf import PdfReader

    document = PdfReader(io.BytesIO(content), strict=False)
    if document.is_encrypted and not document.decrypt(""):
        raise Permanent("a password protects it.")
    return _joined(document.pages[number].extract_text() for number in range(min(len(document.pages), MOST_PAGES)))


def _joined(pieces: Iterator[str]) -> str:
    """As many of the pieces as hold the characters that are read."""
    texts, length = [], 0
    for piece in pieces:
        texts.append(piece)
        length += len(piece)
        if length > MOST_CHARACTERS:
            break
    return "\n".join(texts)


# ---------------------------------------------------------------- documents that are archives of XML


def _archive(content: bytes) -> str:
    try:
        with zipfile.ZipFile(io.BytesIO(content)) as archive:
            names = archive.namelist()
            if len(names) > _MOST_ENTRIES:
                raise Permanent(f"it holds more than {_MOST_ENTRIES:,} entries.")
            entry = next((name for name in ("word/document.xml", "content.xml") if name in names), "")
            if not entry:
                raise Permanent("it is no document but an archive.")
            with archive.open(entry) as file:
                markup = file.read(_MOST_UNPACKED + 1)
    except (zipfile.BadZipFile, OSError, EOFError, ValueError, NotImplementedError, RuntimeError) as error:
        raise Permanent("it is damaged or protected by a password.") from error
    if len(markup) > _MOST_UNPACKED:
        raise Permanent(f"it unpacks to more than {_MOST_UNPACKED // 1_000_000} MB.")
    return _Words(word=entry.startswith("word/")).read(markup)


class _Words:
    """The words of a DOCX or ODT, gathered from expat's events; what a bomb needs is refused."""

    def __init__(self, *, word: bool) -> None:
        self._holders = {"t"} if word else {"p", "h"}
        self._pieces: list[str] = []
        self._length = self._depth = self._open = 0
        self._parser = expat.ParserCreate(None, "}")
        self._parser.buffer_text = True
        self._parser.SetParamEntityParsing(expat.XML_PARAM_ENTITY_PARSING_NEVER)
        self._parser.StartElementHandler = self._start
        self._parser.EndElementHandler = self._end
        self._parser.CharacterDataHandler = self._data
        self._parser.EntityDeclHandler = self._entity

    def read(self, markup: bytes) -> str:
        with contextlib.suppress(_EnoughRead):
            self._parser.Parse(markup, True)
        return "".join(self._pieces)

    def _start(self, name: str, _: dict[str, str]) -> None:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise Permanent("it is nested deeper than any document.")
        local = name.rpartition("}")[2]
        self._open += local in self._holders
        if local == "tab":
            self._add("\t")
        elif local in {"br", "cr", "line-break"}:
            self._add("\n")
        elif local == "s":
            self._add(" ")

    def _end(self, name: str) -> None:
        self._depth -= 1
        local = name.rpartition("}")[2]
        self._open -= local in self._holders
        if local in {"p", "h"}:
            self._add("\n")

    def _data(self, text: str) -> None:
        if self._open:
            self._add(text)

    def _add(self, text: str) -> None:
        self._pieces.append(text)
        self._length += len(text)
        if self._length > MOST_CHARACTERS:
            raise _EnoughRead

    def _entity(self, *_: object) -> None:
        raise Permanent("it declares entities, which documents never need and bombs are made of.")


# ---------------------------------------------------------------- plain texts


def _plain(content: bytes) -> str:
    beginning = content[: MOST_CHARACTERS * 4 + 4]
    if beginning.startswith((b"\xff\xfe", b"\xfe\xff")):
        return beginning[: len(beginning) & ~1].decode("utf-16", "replace")[: MOST_CHARACTERS + 1]
    text = charsets.decode(beginning.removeprefix(b"\xef\xbb\xbf"), "", lambda _: None)
    return text[: MOST_CHARACTERS + 1]


def _calendar(content: bytes) -> str:
    """The fields of an entry that a reader is shown; alarms, zones and numbers are for programs."""
    unfolded = re.sub(r"\r?\n[ \t]", "", _plain(content))
    lines, within = [], ""
    for line in unfolded.splitlines():
        if line.startswith("BEGIN:"):
            within = line[6:].strip().upper()
        elif within in {"VEVENT", "VCALENDAR", "VTODO"} and (match := _CALENDAR_FIELDS.match(line)):
            lines.append(f"{match[1].title()}{match[2]}".replace("\\n", "\n").replace("\\,", ",").replace("\\;", ";"))
    return "\n".join(lines)
