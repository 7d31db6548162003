"""How the two copies of one answer reach a mailbox: in which order, how far apart, and how they differ.

A program sends first and files its copy afterwards, or the other way round. The copy that was sent comes back with
traces of delivery; the filed one may bear another second in its Date (mutt), or be encoded anew (Exchange, Gmail).
"""

import base64
import quopri
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from email import message_from_bytes, policy
from email.header import Header
from email.message import Message
from email.utils import format_datetime, parsedate_to_datetime

from tests.answer_styles import SUBJECT, encoded
from workflows.models.mail import Email

RAW = policy.compat32.clone(linesep="\r\n", mangle_from_=False, max_line_length=0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrival:
    """One way in which the two copies come. `apart`: minutes of the house's time between the first and the second."""

    name: str
    sent_first: bool = False
    apart: int = 0
    later_second: bool = False  # the filed copy's Date is one second later
    encoded_anew: bool = False  # the filed copy's text is encoded in another way


SENT_FIRST = Arrival(name="Sent first", sent_first=True)
INBOX_FIRST = Arrival(name="INBOX first")
INBOX_ALONE = Arrival(name="INBOX alone for 4 minutes", apart=4)
LATER_SECOND = Arrival(name="INBOX first, Sent a second later in its Date", later_second=True)
ENCODED_ANEW = Arrival(name="INBOX first, Sent encoded anew", encoded_anew=True)
ARRIVALS = (SENT_FIRST, INBOX_FIRST, INBOX_ALONE, LATER_SECOND, ENCODED_ANEW)


@dataclass(frozen=True, slots=True, kw_only=True)
class Copy:
    """One copy, and the folder that it comes to."""

    folder: str
    raw: bytes


def copies(raw: bytes, arrival: Arrival, owner: str) -> tuple[Copy, Copy]:
    """The two copies of the mail that a program wrote, in the order in which they come."""
    filed = raw
    if arrival.later_second:
        filed = with_headers(filed, {"Date": _a_second_later(filed)})
    if arrival.encoded_anew:
        filed = encoded_anew(filed)
    pair = Copy(folder="Sent", raw=filed), Copy(folder="INBOX", raw=delivered(raw, owner))
    return pair if arrival.sent_first else pair[::-1]


def delivered(raw: bytes, owner: str) -> bytes:
    """As it comes back from the owner's own provider: with traces of delivery on top."""
    date = _date(raw)
    traces = (
        f"Return-Path: <{owner}>\r\nDelivered-To: {owner}\r\n"
        f"Received: from phone.winter.example ([203.0.113.7]) by mail.winter.example with ESMTPSA; {date}\r\n"
    )
    return traces.encode() + raw


def addressed(raw: bytes, asked: Email, *, subject: str, message_id: str, date: datetime) -> bytes:
    """An answer of `tests/answer_styles.py` as the answer to this very mail, its own quote of the subject included."""
    fresh = with_headers(
        raw,
        {
            "Subject": subject if subject.isascii() else Header(subject, "utf-8").encode(linesep="\r\n"),
            "Date": format_datetime(date),
            "Message-ID": message_id,
            "In-Reply-To": asked.message_id,
            "References": " ".join((*asked.references, asked.message_id)),
        },
    )
    return _rewritten(fresh, lambda text: text.replace(SUBJECT, asked.subject))


def with_headers(raw: bytes, values: dict[str, str]) -> bytes:
    """The mail with these headers in the place of its own."""
    head, gap, body = raw.partition(b"\r\n\r\n")
    names = "|".join(map(re.escape, values))
    kept = re.sub(rb"(?im)^(?:%b):.*\r?\n(?:[ \t].*\r?\n)*" % names.encode(), b"", head + b"\r\n")
    lines = "".join(f"{name}: {value}\r\n" for name, value in values.items() if value)
    return lines.encode() + kept.removesuffix(b"\r\n") + gap + body


def encoded_anew(raw: bytes) -> bytes:
    """The same text in the other transfer encoding, as a server files it that keeps no bytes."""
    mail = message_from_bytes(raw, policy=RAW)
    for part in _texts(mail):
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        to_base64 = part["Content-Transfer-Encoding"] != "base64"
        payload = base64.encodebytes(data) if to_base64 else quopri.encodestring(data.replace(b"\r\n", b"\n"))
        part.set_payload(payload.replace(b"\n", b"\r\n").decode("ascii"))
        part.replace_header("Content-Transfer-Encoding", "base64" if to_base64 else "quoted-printable")
    return mail.as_bytes()


def _rewritten(raw: bytes, change: Callable[[str], str]) -> bytes:
    """Every text part changed, in the encoding it had."""
    mail = message_from_bytes(raw, policy=RAW)
    for part in _texts(mail):
        data = part.get_payload(decode=True)
        assert isinstance(data, bytes)
        text = data.decode("utf-8").replace("\r\n", "\n")
        if (changed := change(text)) != text:
            payload = encoded(changed, str(part["Content-Transfer-Encoding"]))
            part.set_payload(payload.decode("ascii", "surrogateescape"))
    return mail.as_bytes()


def _texts(mail: Message) -> Iterator[Message]:
    return (part for part in mail.walk() if part.get_content_maintype() == "text")


def _date(raw: bytes) -> str:
    return str(message_from_bytes(raw, policy=RAW)["Date"])


def _a_second_later(raw: bytes) -> str:
    return format_datetime(parsedate_to_datetime(_date(raw)) + timedelta(seconds=1))
