"""What a client attaches is read in the limited child: its text, or one plain clause on why there is none."""

import hashlib
import zlib
from collections.abc import Iterator
from datetime import UTC, datetime

import pytest

from tests.made_files import CALENDAR, archive, docx, odt, pdf
from tools.files.reader import FileReader
from tools.files.texts import MOST_CHARACTERS
from tools.mail import mime
from workflows.errors import Permanent
from workflows.models.mail import Address, Attachment

ADA, MARIA = Address(email="ada@winter.example"), Address(email="maria@studio.example")
BOMB = docx("never", before='<!DOCTYPE a [<!ENTITY b "bbbb"><!ENTITY c "&b;&b;&b;&b;">]>')


@pytest.fixture(scope="module")
def reader() -> Iterator[FileReader]:
    reader = FileReader()
    yield reader
    reader.close()


def mail_with(name: str, content: bytes, kind: str) -> bytes:
    file = Attachment(name=name, size=len(content), sha256=hashlib.sha256(content).hexdigest(), content_type=kind)
    return mime.compose(
        sender=MARIA, to=(ADA,), subject="The brief", body="See the file.\n", message_id="<1@studio.example>",
        date=datetime(2026, 11, 23, 9, tzinfo=UTC), attachments=[(file, content)],
    )  # fmt: skip


def read(reader: FileReader, name: str, content: bytes, kind: str = "application/octet-stream") -> str:
    raw = mail_with(name, content, kind)
    return reader.text(raw, mime.parse(raw).attachments[0])


@pytest.mark.parametrize(
    ("name", "content", "says"),
    [
        ("brief.pdf", pdf(), "The budget is 4,200 EUR."),
        ("brief.bin", pdf(), "The budget is 4,200 EUR."),
        ("brief.docx", docx("Two pages.", "By Friday &amp; not later."), "Two pages.\nBy Friday & not later."),
        ("brief.odt", odt("Größe: A4", "Farbe: blau"), "Größe: A4\nFarbe: blau"),
        ("dates.csv", b"what;when\r\nlaunch;2026-12-03\r\n", "what;when\nlaunch;2026-12-03"),
        ("notes.txt", "Gr\u00fc\u00dfe".encode("cp1252"), "Gr\u00fc\u00dfe"),
        ("notes.txt", "\ufeffGr\u00fc\u00dfe".encode("utf-16"), "Gr\u00fc\u00dfe"),
        (
            "invite.ics", CALENDAR,
            "Method:REQUEST\nSummary:Kick-off, first call\nDtstart;TZID=Europe/Berlin:20261203T100000\nLocation:Studio",
        ),
    ],
)  # fmt: skip
def test_the_text_of_a_file_is_read(reader: FileReader, name: str, content: bytes, says: str) -> None:
    assert read(reader, name, content).lstrip("\ufeff") == says


@pytest.mark.parametrize(
    ("name", "content", "why"),
    [
        ("bomb.docx", BOMB, "it declares entities, which documents never need and bombs are made of."),
        ("bomb.docx", archive(word__document_xml=b" " * 40_000_000), "it unpacks to more than 30 MB."),
        ("many.odt", archive(**{f"entry{number}_txt": b"" for number in range(2_100)}), "more than 2,000 entries."),
        ("deep.odt", archive(content_xml=b"<a>" * 300), "it is nested deeper than any document."),
        ("cut.docx", docx("Two pages.")[:-40], "it is damaged"),
        ("cut.pdf", pdf()[:60], "it is damaged."),
        ("empty.pdf", pdf(""), "there is no text in it."),
        ("photos.docx", archive(photo_png=b"x"), "it is no document but an archive."),
        ("brief.docx", b"\xd0\xcf\x11\xe0old", "it is not what its name says."),
    ],
)
def test_what_cannot_be_read_says_why(reader: FileReader, name: str, content: bytes, why: str) -> None:
    with pytest.raises(Permanent) as refused:
        read(reader, name, content)
    assert why in str(refused.value)


@pytest.mark.parametrize(
    "content",
    [
        pdf(stream=zlib.compress(b"BT /F1 12 Tf (boom) Tj ET " * 20_000_000, 9)),
        pdf(pages=60, stream=zlib.compress(b"BT /F1 12 Tf 1 0 0 1 0 0 Tm (x) Tj ET " * 300_000, 9)),
    ],
    ids=["one large stream", "many slow pages"],
)
def test_a_pdf_that_is_built_to_take_long_costs_seconds_and_the_next_file_is_read(
    reader: FileReader, content: bytes
) -> None:
    with pytest.raises(Permanent) as refused:
        read(reader, "bomb.pdf", content)
    assert str(refused.value).endswith(("to read.", "it is damaged."))
    assert read(reader, "brief.pdf", pdf()) == "The budget is 4,200 EUR."


def test_no_more_is_read_of_a_file_than_its_cap(reader: FileReader) -> None:
    for name, content in (
        ("long.pdf", pdf("word " * 2_000, pages=50)),
        ("long.docx", docx(*["word " * 1_000] * 500)),
        ("long.txt", b"word " * 500_000),
    ):
        assert MOST_CHARACTERS * 0.9 < len(read(reader, name, content)) <= MOST_CHARACTERS


def test_the_bytes_of_a_file_are_those_of_its_hash(reader: FileReader) -> None:
    raw = mail_with("brief.pdf", pdf(), "application/pdf")
    file = mime.parse(raw).attachments[0]
    assert reader.content(raw, file) == pdf()
    with pytest.raises(Permanent, match="not in the mail"):
        reader.content(raw, Attachment(name="brief.pdf", size=3, sha256="0" * 64))
