"""Fetching: what is done in the connection's thread. Open a folder, search it, list and fetch mails piece by piece."""

import re
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from tools.mail.imap import Connection, No
from tools.mail.parser import MAX_MAIL, OVERSIZE
from tools.mail.reading.folder_names import encode_name, quote
from workflows.errors import DeskhandError, NeedsOwner, Retryable

Part = Literal["whole", "header"]

PIECE = 512 * 1024
"""Bytes fetched at once: imaplib2 joins a line without end in quadratic time, and slow links must show progress."""
_BEGINNING = 64 * 1024
_MONTHS = ("Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec")
BIG_FETCH = 600.0


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedFolder:
    uidvalidity: int
    uidnext: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ListedMail:
    """A mail as the server lists it: `date` is when it arrived there."""

    uid: int
    size: int
    date: datetime | None


def examine_folder(connection: Connection, folder: str) -> OpenedFolder:
    try:
        connection.ask(connection.examine, quote(encode_name(folder)))
    except No as no:
        raise _not_opened(folder, connection.host, no) from no
    uidvalidity = _number(connection, "UIDVALIDITY")
    uidnext = _number(connection, "UIDNEXT") or max(search_uids(connection, "ALL"), default=0) + 1
    return OpenedFolder(uidvalidity=uidvalidity, uidnext=uidnext)


def _not_opened(folder: str, host: str, no: No) -> DeskhandError:
    if no.is_busy:
        return Retryable(f"The folder {folder!r} cannot be opened at {host} just now: {no}")
    mend = "Check imap.folders and imap.sent; ./deskhand check lists the folders there are."
    if "unsafe login" in str(no).lower():
        mend = "Allow mail programs (IMAP) in the mailbox's settings on the web, and use the code it gives as password."
    return NeedsOwner(f"The folder {folder!r} cannot be opened at {host}: {no}", mend)


def _number(connection: Connection, name: str) -> int:
    data = connection.response(name)[1]
    match = re.search(rb"\d+", data[-1]) if data and data[-1] else None
    return int(match.group()) if match else 0


def search_uids(connection: Connection, *criteria: str) -> list[int]:
    data = connection.ask(connection.uid, "SEARCH", *criteria)
    return sorted({int(word) for line in data if line for word in line.split() if word.isdigit()})


def uids_above(connection: Connection, last: int) -> list[int]:
    """UIDs above `last`. NOOP first: some servers show new mail only then; "n:*" always names the last mail."""
    connection.ask(connection.noop)
    uids = search_uids(connection, "UID", f"{last + 1}:*")
    connection.forget_untagged()
    return [uid for uid in uids if uid > last]


def list_mails(connection: Connection, uids: Sequence[int]) -> list[ListedMail]:
    numbers = ",".join(map(str, uids))
    try:
        data = connection.ask(connection.uid, "FETCH", numbers, "(UID RFC822.SIZE INTERNALDATE)")
    except No:
        data = []  # because of one of them, as it may be: each is asked for alone
    mails_by_uid = {}
    for line in data:
        if isinstance(line, bytes) and (listed := _listed(line)):
            mails_by_uid[listed.uid] = listed
    # One that the server listed oddly or not at all is fetched all the same: only its answer may say it is gone.
    return [mails_by_uid.get(uid) or ListedMail(uid=uid, size=PIECE + 1, date=None) for uid in uids]


def _listed(line: bytes) -> ListedMail | None:
    uid, size = re.search(rb"\bUID (\d+)", line), re.search(rb"RFC822\.SIZE (\d+)", line)
    if uid is None or size is None:
        return None
    date = re.search(rb'INTERNALDATE "([^"]+)"', line)
    return ListedMail(uid=int(uid[1]), size=int(size[1]), date=_internal_date(date[1]) if date else None)


def _internal_date(text: bytes) -> datetime | None:
    match = re.fullmatch(r"\s*(\d+)-(\w{3})-(\d{4}) (\d\d:\d\d:\d\d [+-]\d{4})", text.decode("ascii", "replace"))
    if match is None or match[2].title() not in _MONTHS:
        return None
    month = _MONTHS.index(match[2].title()) + 1
    try:
        return datetime.strptime(f"{match[1]} {month} {match[3]} {match[4]}", "%d %m %Y %H:%M:%S %z")
    except ValueError:
        return None


def fetch_mail(connection: Connection, listed: ListedMail, part: Part = "whole") -> bytes | None:
    """The mail's bytes; None when it is gone. A mail over the limit is its size and its beginning."""
    if part == "header":
        return _section(connection, listed.uid, "BODY.PEEK[HEADER]")
    if listed.size > MAX_MAIL:
        beginning = _section(connection, listed.uid, f"BODY.PEEK[]<0.{_BEGINNING}>")
        return None if beginning is None else OVERSIZE + f"{listed.size}\r\n".encode() + beginning
    if listed.size <= PIECE:
        return _section(connection, listed.uid, "BODY.PEEK[]")
    content = bytearray()
    while len(content) <= MAX_MAIL:
        piece = _section(connection, listed.uid, f"BODY.PEEK[]<{len(content)}.{PIECE}>")
        if piece is None:
            return None if not content else bytes(content)
        content += piece
        if len(piece) < PIECE:
            return bytes(content)
    return OVERSIZE + f"{len(content)}\r\n".encode() + bytes(content[:_BEGINNING])


def _section(connection: Connection, uid: int, section: str) -> bytes | None:
    data = connection.ask(connection.uid, "FETCH", str(uid), f"(UID {section})")
    connection.forget_untagged()
    for item in data:
        # A server may put other mails' flags between; the answer that holds the section is the one with a literal.
        if isinstance(item, tuple) and b"BODY[" in item[0]:
            return bytes(item[1])
        if isinstance(item, bytes) and re.search(rb'BODY\[[^\]]*\](?:<\d+>)? ""', item):
            return b""
    return None


def imap_date(date: datetime) -> str:
    return f"{date.day}-{_MONTHS[date.month - 1]}-{date.year}"
