"""Mail: bytes to `Email`, and text to bytes. Pure: no network, no clock, no file.

`parse` never gives up on real mail: what it forgave is named in `Email.defects`. The standard library's parser is not
used, because it took 454 MB for one 112 kB header and copies a big mail several times; this one looks at byte ranges
of the raw mail and decodes each part once.
"""

import hashlib
import itertools
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from tools.mail.message.decoding import decoded_pieces, with_lf
from tools.mail.message.headers import MESSAGE_ID, Block, addresses, decode_words, encode_text
from tools.mail.message.texts import MAX_TEXT, TextReading, joined_texts, printable
from tools.mail.message.tree import MAX_DEPTH, MAX_PARTS, Forgiving, MimeTree
from tools.mail.message.writing import (
    LONGEST_LINE,
    checked_id,
    header_name,
    mailbox,
    mixed_parts,
    single_line,
    text_part,
)
from tools.web import charsets
from workflows.models.mail import Address, Attachment, Email

__all__ = [
    "MAX_DEPTH", "MAX_PARTS", "MAX_REFERENCES", "MAX_TEXT", "MAX_TRACE", "MAX_VALUE", "compose", "decoded_body",
    "parse",
]  # fmt: skip

MAX_REFERENCES = 100
MAX_VALUE = 4_000
"""Characters of one decoded value in `Email.headers`."""
_TRACE = frozenset(("received", "authentication-results"))
MAX_TRACE = 40
"""Lines of `Email.trace`: what the owner's own server wrote stands on top."""


# ---------------------------------------------------------------- reading


def parse(raw: bytes) -> Email:
    """The mail as a value; what was forgiven is in `defects`.

    Raises:
        Permanent: there is no header at all.
    """
    tree = MimeTree(raw)
    reading = TextReading(tree)
    block = tree.top.block
    texts = reading.texts(tree.top)
    if not (texts.plain or texts.html):
        texts = reading.named_texts()
    method, note = reading.calendar()
    files = tuple(reading.attachment(leaf) for leaf in tree.leaves() if leaf not in reading.shown)
    plain = joined_texts(texts.plain or texts.html)
    if texts.plain and not plain.strip():
        plain = joined_texts(texts.html)
    return Email(
        identity=reading.identity(),
        blob=hashlib.sha256(raw).hexdigest(),
        message_id=_message_id(block.first("message-id")),
        subject=printable(decode_words(block.first("subject")), one_line=True),
        senders=_people(tree, "from"),
        to=_people(tree, "to"),
        cc=_people(tree, "cc"),
        bcc=_people(tree, "bcc"),
        reply_to=_people(tree, "reply-to"),
        date=_date(tree, block.first("date")),
        in_reply_to=_ids(block.all("in-reply-to")),
        references=_ids(block.all("references")),
        text=reading.cap(plain),
        html_text=reading.cap(joined_texts(texts.written)),
        html_list=reading.html_list,
        html_signatures=tuple(dict.fromkeys(reading.signatures)),
        attachments=files,
        headers=tuple(
            (name, printable(decode_words(value), one_line=True)[:MAX_VALUE]) for name, value in block.fields
        ),
        trace=_trace(block),
        calendar=method,
        calendar_note=note,
        defects=tuple(tree.defects),
        size=len(raw),
    )


def _trace(block: Block) -> tuple[tuple[str, str], ...]:
    # Undecoded: an encoded word that somebody put in could turn into a verdict.
    fields = ((name, value[:MAX_VALUE]) for name, value in block.fields if name in _TRACE)
    return tuple(itertools.islice(fields, MAX_TRACE))


def decoded_body(raw: bytes) -> str:
    """The first text part exactly as written, LF line ends: nothing re-flowed, stripped or capped."""
    tree = MimeTree(raw)
    for leaf in tree.leaves():
        if leaf.is_text:
            content = b"".join(decoded_pieces(leaf, Forgiving(tree)))
            return with_lf(content).decode(charsets.codec(leaf.content_type.get("charset")) or "utf-8", "replace")
    return ""


def _people(tree: MimeTree, name: str) -> tuple[Address, ...]:
    people = tuple(address for value in tree.top.block.all(name) for address in addresses(value))
    if tree.top.block.has(name) and not people:
        tree.forgive("address", f"no readable address in {name.title()}")
    return people


def _message_id(value: str) -> str:
    match = MESSAGE_ID.search(value)
    if match:
        return match.group()
    bare = value.strip()
    return f"<{bare}>" if bare and not re.search(r"[\s<>]", bare) and len(bare) < LONGEST_LINE else ""


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    ids = list(dict.fromkeys(MESSAGE_ID.findall(" ".join(values))))
    if len(ids) > MAX_REFERENCES:  # the first names the thread, the last ones the conversation
        ids = [ids[0], *ids[-(MAX_REFERENCES - 1) :]]
    return tuple(ids)


def _date(tree: MimeTree, value: str) -> datetime | None:
    if not value:
        return None
    try:
        moment = parsedate_to_datetime(value[:200])
        return (moment if moment.tzinfo else moment.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        tree.forgive("date", "the date cannot be read")
        return None


# ---------------------------------------------------------------- writing


def compose(  # noqa: PLR0913  a mail has that many parts
    *,
    sender: Address,
    to: Sequence[Address],
    subject: str,
    body: str,
    message_id: str,
    date: datetime,
    cc: Sequence[Address] = (),
    in_reply_to: str = "",
    references: Sequence[str] = (),
    headers: Sequence[tuple[str, str]] = (),
    attachments: Sequence[tuple[Attachment, bytes]] = (),
) -> bytes:
    """A whole text/plain mail, CRLF line ends. `body` has LF ends; its decoded form is `body`, byte for byte.

    Raises:
        Permanent: a value would break out of its header, or an attachment is not what its hash says.
    """
    fields = [
        ("From", mailbox(sender)),
        ("To", ",\r\n ".join(map(mailbox, to))),
        ("Cc", ",\r\n ".join(map(mailbox, cc))),
        ("Subject", encode_text(single_line("Subject", subject))),
        ("Date", format_datetime(date)),
        ("Message-ID", checked_id(message_id)),
        ("In-Reply-To", checked_id(in_reply_to) if in_reply_to else ""),
        ("References", "\r\n ".join(map(checked_id, references))),
        *((header_name(name), encode_text(single_line(name, value))) for name, value in headers),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields if value or name == "Subject").encode("ascii")
    text = text_part(body)
    return head + (mixed_parts(text, message_id, attachments) if attachments else text)
