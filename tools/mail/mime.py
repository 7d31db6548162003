"""Mail: bytes to `Email`, and text to bytes. Pure: no network, no clock, no file.

`parse` never gives up on real mail: what it forgave is named in `Email.defects`. The standard library's parser is not
used, because it took 454 MB for one 112 kB header and copies a big mail several times; this one looks at byte ranges
of the raw mail and decodes each part once.
"""

import base64
import binascii
import hashlib
import itertools
import re
from collections.abc import Iterable, Iterator, Sequence
from datetime import UTC, datetime
from email.utils import format_datetime, parsedate_to_datetime

from tools.mail.headers import (
    MESSAGE_ID,
    Block,
    Parameters,
    addresses,
    decode_words,
    encode_phrase,
    encode_text,
    parameters,
    read_block,
)
from tools.web import charsets
from workflows.errors import Permanent
from workflows.models import Address, Attachment, Defect, Email

MAX_DEPTH = 50
_NO_TEXT = {"text/calendar", "text/rfc822-headers", "text/vnd.google.email-reaction+json"}  # for programs
_STATUS = {"message/delivery-status", "message/global-delivery-status"}
_COPIES = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
_DAEMON = re.compile(
    r"mailer[._-]?daemon|post[._-]?master|mail delivery (?:sub)?system|microsoftexchange\w{20}", re.IGNORECASE
)
_CALENDARS = {"text/calendar", "application/ics"}
_METHOD = re.compile(r"^METHOD:([A-Za-z]{1,20})", re.MULTILINE)
_NOTE = re.compile(
    r"^COMMENT[^:\r\n]{0,200}:([^\r\n]{1,2000})|X-RESPONSE-COMMENT=\"([^\"\r\n]{1,2000})\"", re.MULTILINE
)
_LONGEST_ENTRY = 100_000
MAX_PARTS = 500
MAX_TEXT = 200_000
MAX_REFERENCES = 100
MAX_VALUE = 4_000
"""Characters of one decoded value in `Email.headers`."""

_CHUNK = 1 << 20
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_NOT_IN_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")
_BOUNDARY_END = re.compile(rb"(--)?[ \t]*(?:\r?\n|\Z)")
_CONTROLS = {code: None for code in (*range(32), *range(0x7F, 0xA0)) if code not in {9, 10}}
_FORGES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_LONGEST_LINE = 900
_HEADER_NAME = re.compile(r"[!-9;-~]{1,60}")
_TRACE = frozenset(("received", "authentication-results"))
MAX_TRACE = 40
"""Lines of `Email.trace`: what the owner's own server wrote stands on top."""
_IDENTITY_HEADERS = ("message-id", "from", "date", "subject")


class _Part:
    """A leaf or a branch of the MIME tree: a byte range of the raw mail and what its header says."""

    __slots__ = ("block", "body_end", "body_start", "children", "content_type", "disposition", "kind", "raw")

    def __init__(self, raw: bytes, block: Block, end: int, kind: str) -> None:
        self.raw = raw
        self.block = block
        self.body_start, self.body_end = block.end, max(block.end, end)
        self.content_type = parameters(block.first("content-type"))
        self.disposition = parameters(block.first("content-disposition"))
        self.kind = self.content_type.value if "/" in self.content_type.value else kind
        self.children: list[_Part] = []

    @property
    def encoding(self) -> str:
        return self.block.first("content-transfer-encoding").split(";")[0].strip().strip('"').lower()

    @property
    def name(self) -> str:
        return (self.disposition.get("filename") or self.content_type.get("name")).strip()

    @property
    def is_text(self) -> bool:
        """Whether a reader sees it as the mail's text, not as a file."""
        if not self.kind.startswith("text/") or self.kind in _NO_TEXT:
            return False
        return self.disposition.value != "attachment" and not self.name

    def content(self) -> memoryview:
        return memoryview(self.raw)[self.body_start : self.body_end]


class _Tree:
    """The parts of one mail, built once, with what had to be forgiven on the way."""

    def __init__(self, raw: bytes) -> None:
        self.raw = raw
        self.defects: list[Defect] = []
        self.count = 0
        block = read_block(raw, 0, len(raw))
        if not block.fields:
            raise Permanent("The mail has no header at all, so it cannot be read.")
        self.defects += block.defects
        self.top = self._part(block, len(raw), "text/plain", 1)

    def forgive(self, code: str, says: str) -> None:
        defect = Defect(code, says)
        if defect not in self.defects:
            self.defects.append(defect)

    def leaves(self, part: _Part | None = None) -> Iterator[_Part]:
        stack = [part or self.top]
        while stack:
            found = stack.pop()
            if found.children:
                stack.extend(reversed(found.children))
            else:
                yield found

    def _part(self, block: Block, end: int, kind: str, depth: int) -> _Part:
        self.count += 1
        part = _Part(self.raw, block, end, kind)
        if not part.kind.startswith("multipart/"):
            return part
        if depth >= MAX_DEPTH:
            self.forgive("depth", f"parts nested deeper than {MAX_DEPTH} are kept as one file")
            part.kind = "application/octet-stream"
            return part
        self._branch(part, depth)
        return part

    def _branch(self, part: _Part, depth: int) -> None:
        boundary = part.content_type.get("boundary").encode("utf-8", "replace").rstrip()
        ranges = list(self._ranges(part, boundary)) if boundary else []
        if not ranges:
            self.forgive("boundary", "a multipart without its boundary is read as text")
            part.kind = "text/plain"
            return
        inner = "message/rfc822" if part.kind == "multipart/digest" else "text/plain"
        for start, end in ranges:
            if self.count >= MAX_PARTS:
                self.forgive("parts", f"more than {MAX_PARTS} parts: the rest is not read")
                return
            block = read_block(self.raw, start, end)
            part.children.append(self._part(block, end, inner, depth + 1))

    def _ranges(self, part: _Part, boundary: bytes) -> Iterator[tuple[int, int]]:
        """Where the children lie; a missing last boundary is forgiven."""
        raw, needle = self.raw, b"\n--" + boundary
        position, opened, read = part.body_start - 1, -1, 0
        while read <= MAX_PARTS and (found := raw.find(needle, max(position, 0), part.body_end)) >= 0:
            after = _BOUNDARY_END.match(raw, found + len(needle), part.body_end)
            if after is None:
                position = found + len(needle)
                continue
            if opened >= 0:
                read += 1
                yield opened, found - (raw[found - 1 : found] == b"\r")
            if after[1]:
                return
            opened, position = after.end(), max(after.end() - 1, found + 1)
        if opened >= 0:
            if read <= MAX_PARTS:
                self.forgive("end", "the last boundary is missing")
            yield opened, part.body_end


# ---------------------------------------------------------------- decoding parts


def _decoded(part: _Part, forgive: "_Forgive") -> Iterator[bytes]:
    """The part's content in pieces, transfer encoding undone, damage forgiven."""
    encoding, content = part.encoding, part.content()
    if encoding == "base64":
        yield from _base64(content, forgive)
    elif encoding == "quoted-printable":
        encoded = bytes(content)
        if _BAD_ESCAPE.search(encoded):
            forgive("escape", "damaged quoted-printable")
        yield _lf(binascii.a2b_qp(encoded))
    else:
        if encoding not in {"", "7bit", "8bit", "binary"}:
            forgive("encoding", f"unknown transfer encoding {encoding[:40]!r}")
        for start in range(0, len(content), _CHUNK):
            yield from _lines_of(content, start)


def _lines_of(content: memoryview, start: int) -> Iterator[bytes]:
    # CRLF and LF copies of one mail must give the same bytes; a pair cut by the chunk's edge counts as well.
    piece = bytes(content[start : start + _CHUNK])
    following = bytes(content[start + _CHUNK : start + _CHUNK + 1])
    yield _lf(piece[:-1] if piece.endswith(b"\r") and following == b"\n" else piece)


def _lf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _base64(content: memoryview, forgive: "_Forgive") -> Iterator[bytes]:
    rest = b""
    for start in range(0, len(content), _CHUNK):
        piece = bytes(content[start : start + _CHUNK])
        if _NOT_IN_BASE64.search(piece):
            forgive("base64", "damaged base64")
        clean = rest + piece.translate(None, _NOT_BASE64)
        whole = len(clean) & ~3
        rest = clean[whole:]
        yield binascii.a2b_base64(clean[:whole])
    if len(rest) == 1:
        forgive("base64", "damaged base64")
    elif rest:
        yield binascii.a2b_base64(rest + b"=" * (4 - len(rest)))


class _Forgive:
    """Names a defect once, with the tree's others."""

    def __init__(self, tree: _Tree) -> None:
        self._tree = tree

    def __call__(self, code: str, says: str) -> None:
        self._tree.forgive(code, says)

    def charset(self, says: str) -> None:
        self("charset", says)


# ---------------------------------------------------------------- reading


def parse(raw: bytes) -> Email:
    """The mail as a value; what was forgiven is in `defects`.

    Raises:
        Permanent: there is no header at all.
    """
    tree = _Tree(raw)
    reading = _Reading(tree)
    block = tree.top.block
    texts = reading.texts(tree.top)
    if not (texts.plain or texts.html):
        texts = reading.named_texts()
    method, note = reading.calendar()
    files = tuple(reading.attachment(leaf) for leaf in tree.leaves() if leaf not in reading.shown)
    plain = _joined(texts.plain or texts.html)
    if texts.plain and not plain.strip():
        plain = _joined(texts.html)
    return Email(
        identity=reading.identity(),
        blob=hashlib.sha256(raw).hexdigest(),
        message_id=_message_id(block.first("message-id")),
        subject=_clean(decode_words(block.first("subject")), one_line=True),
        senders=_people(tree, "from"),
        to=_people(tree, "to"),
        cc=_people(tree, "cc"),
        bcc=_people(tree, "bcc"),
        reply_to=_people(tree, "reply-to"),
        date=_date(tree, block.first("date")),
        in_reply_to=_ids(block.all("in-reply-to")),
        references=_ids(block.all("references")),
        text=reading.cap(plain),
        html_text=reading.cap(_joined(texts.written)),
        html_list=reading.html_list,
        html_signatures=tuple(dict.fromkeys(reading.signatures)),
        attachments=files,
        headers=tuple((name, _clean(decode_words(value), one_line=True)[:MAX_VALUE]) for name, value in block.fields),
        trace=_trace(block),
        calendar=method,
        calendar_note=note,
        defects=tuple(tree.defects),
        size=len(raw),
    )


def _trace(block: Block) -> tuple[tuple[str, str], ...]:
    # Undecoded: an encoded word that somebody put in could turn into a verdict.
    found = ((name, value[:MAX_VALUE]) for name, value in block.fields if name in _TRACE)
    return tuple(itertools.islice(found, MAX_TRACE))


def decoded_body(raw: bytes) -> str:
    """The first text part exactly as written, LF line ends: nothing re-flowed, stripped or capped."""
    tree = _Tree(raw)
    for leaf in tree.leaves():
        if leaf.is_text:
            content = b"".join(_decoded(leaf, _Forgive(tree)))
            return _lf(content).decode(charsets.codec(leaf.content_type.get("charset")) or "utf-8", "replace")
    return ""


class _Texts:
    """What a reader sees: the plain parts, and the HTML parts as text and as they were written."""

    def __init__(self, plain: Sequence[str] = (), html: Sequence[str] = (), written: Sequence[str] = ()) -> None:
        self.plain = list(plain)
        self.html = list(html)
        self.written = list(written)

    def add(self, other: "_Texts") -> None:
        self.plain += other.plain or other.html
        self.html += other.html
        self.written += other.written


class _Reading:
    """One pass over a tree: every leaf is decoded once and either shown as text or listed as a file."""

    def __init__(self, tree: _Tree) -> None:
        self._tree = tree
        self._forgive = _Forgive(tree)
        self._digests: dict[int, tuple[str, int]] = {}
        self.shown: set[_Part] = set()
        self.html_list = False
        self.signatures: list[str] = []

    def texts(self, part: _Part) -> _Texts:
        """The visible text under a part, alternatives chosen, in reading order."""
        if not part.children:
            return self._leaf(part)
        found = [self.texts(child) for child in part.children]
        if part.kind == "multipart/alternative":
            return self._alternative(part, found)
        whole = _Texts()
        for texts in found:
            whole.add(texts)
        if self._is_report(part):
            whole.plain += self._report(part)
        return whole

    def identity(self) -> str:
        """sha256 over what the sender wrote; the same for copies that differ in trace headers or encoding."""
        digest = hashlib.sha256()
        for name in _IDENTITY_HEADERS:
            for value in self._tree.top.block.all(name):
                written = " ".join(decode_words(value).split())
                digest.update(f"{name}:{written}\n".encode())
        for leaf in self._tree.leaves():
            content, size = self._digest(leaf)
            digest.update(f"{leaf.kind.split('/')[0]}:{content}:{size}\n".encode())
        return digest.hexdigest()

    def attachment(self, part: _Part) -> Attachment:
        """A leaf as a file: decoded size and hash, its content never kept."""
        if part.kind == "application/ms-tnef":
            self._forgive("container", "winmail.dat: an Outlook container that is not opened")
        digest, size = hashlib.sha256(), 0
        for piece in _decoded(part, self._forgive):
            digest.update(piece)
            size += len(piece)
        self._digests.setdefault(id(part), (digest.hexdigest(), size))
        return Attachment(
            name=_clean(part.name, one_line=True)[:255] or _unnamed(part),
            size=size,
            sha256=digest.hexdigest(),
            content_type=part.kind[:100],
        )

    def cap(self, text: str) -> str:
        """At most MAX_TEXT characters, said so when cut."""
        if len(text) <= MAX_TEXT:
            return text
        self._forgive("text", f"text longer than {MAX_TEXT} characters is cut")
        return text[:MAX_TEXT]

    def named_texts(self) -> _Texts:
        """The text of a mail whose only text is a part with a name: some programs name what was typed as well."""
        named = [leaf for leaf in self._tree.leaves() if leaf.kind in ("text/plain", "text/html")]
        typed = [leaf for leaf in named if leaf.disposition.value != "attachment"] or (named if len(named) == 1 else [])
        for leaf in typed[:1]:
            if leaf.disposition.value != "attachment":
                self.shown.add(leaf)
            return self._read_text(leaf, _lf(b"".join(_decoded(leaf, self._forgive))))
        return _Texts()

    def calendar(self) -> tuple[str, str]:
        """What a calendar says with this mail ("request", "reply", "cancel"), and what a person wrote to it."""
        for leaf in self._tree.leaves():
            if leaf.kind in _CALENDARS:
                entry = b"".join(_decoded(leaf, self._forgive))[:_LONGEST_ENTRY].decode("utf-8", "replace")
                unfolded = re.sub(r"\r?\n[ \t]", "", entry)
                stated = leaf.content_type.get("method") or next(iter(_METHOD.findall(unfolded)), "")
                notes = (first or second for first, second in _NOTE.findall(unfolded))
                return stated.strip().lower()[:20], _clean(
                    next(notes, "").replace("\\n", "\n").replace("\\", "").strip()
                )
        return "", ""

    def _alternative(self, part: _Part, found: list[_Texts]) -> _Texts:
        for kind in ("text/plain", "text/html"):
            told = (texts for child, texts in zip(part.children, found, strict=True) if child.kind == kind)
            if len({"".join(_joined(texts.plain or texts.html).split()) for texts in told} - {""}) > 1:
                self._forgive("alternatives", f"several alternatives of {kind}: one of them is read")
        plain = next((texts.plain for texts in found if _joined(texts.plain).strip()), [])
        html = next((texts.html for texts in reversed(found) if texts.html), [])
        written = next((texts.written for texts in reversed(found) if texts.html), [])
        return _Texts(plain, html, written)

    def _leaf(self, part: _Part) -> _Texts:
        if not part.is_text and part is not self._tree.top:
            return _Texts()
        if not part.kind.startswith("text/"):
            return _Texts()
        self.shown.add(part)
        content = _lf(b"".join(_decoded(part, self._forgive)))
        written = content.rstrip(b"\n")
        self._digests[id(part)] = (hashlib.sha256(written).hexdigest(), len(written))
        return self._read_text(part, content)

    def _read_text(self, part: _Part, content: bytes) -> _Texts:
        if len(content) > MAX_TEXT * 8:
            self._forgive("text", "a very long text part is read only in part")
            content = content[: MAX_TEXT * 8]
        text = _clean(charsets.decode(content, part.content_type.get("charset"), self._forgive.charset))
        if part.kind == "text/html":
            return self._html(text)
        return _Texts(plain=[_unflowed(text, part.content_type)])

    def _html(self, text: str) -> _Texts:
        from tools.web import markup

        if len(text) > markup.CAP:
            self._forgive("html", f"HTML longer than {markup.CAP} characters is cut")
        self.html_list = self.html_list or markup.has_list(text)
        written = markup.as_written(text)
        if written.bare:
            self._forgive("html", f"HTML of more than {markup.MOST_TAGS // 2:,} elements is read as bare words")
        self.signatures += (_clean(signature) for signature in written.signatures)
        return _Texts(html=[_clean(markup.html_to_text(text))], written=[_clean(written.text)])

    def _is_report(self, part: _Part) -> bool:
        """Also where a server calls its report a mixed mail, and where the mail's sender alone says what it is."""
        kinds = {child.kind for child in part.children}
        return part.kind == "multipart/report" or bool(kinds & _STATUS) or (bool(kinds & _COPIES) and self._is_daemons)

    @property
    def _is_daemons(self) -> bool:
        block = self._tree.top.block
        return block.first("return-path").replace(" ", "") == "<>" or bool(_DAEMON.search(block.first("from")))

    def _report(self, part: _Part) -> list[str]:
        """The machine's part of a bounce, and the header of the mail it speaks of: what ties it to a case."""
        told = []
        for child in part.children:
            if child.kind in _STATUS | _COPIES | {"message/disposition-notification"}:
                content = b"".join(_decoded(child, self._forgive))[:8_000].replace(b"\r\n", b"\n")
                if child.kind in ("message/rfc822", "message/global"):
                    content = content.split(b"\n\n", 1)[0]
                told.append(_clean(charsets.decode(content, "utf-8", self._forgive.charset)))
        return told

    def _digest(self, leaf: _Part) -> tuple[str, int]:
        if id(leaf) not in self._digests:
            self.attachment(leaf)
        return self._digests[id(leaf)]


def _joined(texts: Iterable[str]) -> str:
    return "\n\n".join(text.strip("\n") for text in texts if text.strip())


def _clean(text: str, *, one_line: bool = False) -> str:
    """No control characters and no lone surrogates: nothing that a database, JSON or a terminal chokes on."""
    text = text.replace("\r\n", "\n").replace("\r", "\n")
    if one_line:
        text = text.replace("\n", " ").replace("\t", " ")
    return text.translate(_CONTROLS).encode("utf-8", "replace").decode("utf-8")


def _unflowed(text: str, content_type: Parameters) -> str:
    """format=flowed (RFC 3676) undone: soft-broken lines of one quote depth joined, space-stuffing removed."""
    if content_type.get("format").lower() != "flowed":
        return text
    joins_without_space = content_type.get("delsp").lower() == "yes"
    lines: list[str] = []
    open_depth = -1  # the quote depth of a line that waits for its continuation
    for line in text.split("\n"):
        depth = len(line) - len(line.lstrip(">"))
        content = line[depth:].removeprefix(" ")
        is_soft = content.endswith(" ") and content != "-- "
        piece = content[:-1] if is_soft and joins_without_space else content
        if depth == open_depth and content != "-- ":
            lines[-1] += piece
        else:
            lines.append((">" * depth + " " if depth else "") + piece)
        open_depth = depth if is_soft else -1
    return "\n".join(lines)


def _people(tree: _Tree, name: str) -> tuple[Address, ...]:
    found = tuple(address for value in tree.top.block.all(name) for address in addresses(value))
    if tree.top.block.has(name) and not found:
        tree.forgive("address", f"no readable address in {name.title()}")
    return found


def _message_id(value: str) -> str:
    found = MESSAGE_ID.search(value)
    if found:
        return found.group()
    bare = value.strip()
    return f"<{bare}>" if bare and not re.search(r"[\s<>]", bare) and len(bare) < _LONGEST_LINE else ""


def _ids(values: Sequence[str]) -> tuple[str, ...]:
    found = list(dict.fromkeys(MESSAGE_ID.findall(" ".join(values))))
    if len(found) > MAX_REFERENCES:  # the first names the thread, the last ones the conversation
        found = [found[0], *found[-(MAX_REFERENCES - 1) :]]
    return tuple(found)


def _date(tree: _Tree, value: str) -> datetime | None:
    if not value:
        return None
    try:
        found = parsedate_to_datetime(value[:200])
        return (found if found.tzinfo else found.replace(tzinfo=UTC)).astimezone(UTC)
    except (ValueError, TypeError, OverflowError, IndexError):
        tree.forgive("date", "the date cannot be read")
        return None


def _unnamed(part: _Part) -> str:
    names = {"message/rfc822": "forwarded.eml", "text/calendar": "invite.ics", "text/html": "text.html"}
    return names.get(part.kind, f"unnamed.{re.sub(r'[^a-z0-9]', '', part.kind.split('/')[-1])[:10] or 'bin'}")


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
        ("From", _mailbox(sender)),
        ("To", ",\r\n ".join(map(_mailbox, to))),
        ("Cc", ",\r\n ".join(map(_mailbox, cc))),
        ("Subject", encode_text(_single_line("Subject", subject))),
        ("Date", format_datetime(date)),
        ("Message-ID", _checked_id(message_id)),
        ("In-Reply-To", _checked_id(in_reply_to) if in_reply_to else ""),
        ("References", "\r\n ".join(map(_checked_id, references))),
        *((_header_name(name), encode_text(_single_line(name, value))) for name, value in headers),
        ("MIME-Version", "1.0"),
    ]
    head = "".join(f"{name}: {value}\r\n" for name, value in fields if value or name == "Subject").encode("ascii")
    text = _text_part(body)
    return head + (_mixed(text, message_id, attachments) if attachments else text)


def _text_part(body: str) -> bytes:
    if "\r" in body:
        raise Permanent("The text holds a carriage return; line ends must be plain line feeds.")
    try:
        content = body.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Permanent("The text holds half a character (a lone surrogate), which no mail can carry.") from error
    encoding, encoded = ("7bit", content.replace(b"\n", b"\r\n")) if _travels_as_is(content) else _quoted(content)
    return (
        f'Content-Type: text/plain; charset="utf-8"\r\nContent-Transfer-Encoding: {encoding}\r\n\r\n'
    ).encode() + encoded


def _travels_as_is(content: bytes) -> bool:
    """Whether no server on the way has a reason to touch it: spaces at line ends and "From " are touched by some."""
    if not content.isascii() or not content.endswith(b"\n") or re.search(rb"[\x00-\x08\x0b-\x1f\x7f]", content):
        return False
    return all(
        len(line) <= _LONGEST_LINE and not line.endswith((b" ", b"\t")) and not line.startswith((b"From ", b"."))
        for line in content.split(b"\n")
    )


def _quoted(content: bytes) -> tuple[str, bytes]:
    lines = [binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n") for line in content.split(b"\n")]
    encoded = b"\r\n".join(b"=46" + line[1:] if line.startswith(b"From ") else line for line in lines)
    # A text without a final line feed gets a soft one, so that no server adds a real one.
    return "quoted-printable", encoded if content.endswith(b"\n") else encoded + b"=\r\n"


def _mixed(text: bytes, message_id: str, attachments: Sequence[tuple[Attachment, bytes]]) -> bytes:
    boundary = "=_" + hashlib.sha256(message_id.encode()).hexdigest()[:40]  # "=_" never occurs in qp or base64
    parts = [text]
    for attachment, content in attachments:
        if hashlib.sha256(content).hexdigest() != attachment.sha256:
            raise Permanent(f"The attachment {attachment.name!r} is not the file that was approved.")
        parts.append(_file_part(attachment, content))
    opening = f'Content-Type: multipart/mixed; boundary="{boundary}"\r\n\r\n'.encode()
    edge = f"--{boundary}".encode()
    return opening + b"".join(edge + b"\r\n" + part + b"\r\n" for part in parts) + edge + b"--\r\n"


def _file_part(attachment: Attachment, content: bytes) -> bytes:
    kind = attachment.content_type
    if not re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    quoted = "".join(f"%{byte:02X}" for byte in _single_line("file name", attachment.name).encode())
    head = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: attachment;\r\n filename*=utf-8''{quoted}\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _single_line(name: str, value: str) -> str:
    if _FORGES.search(value):
        raise Permanent(f"{name} holds a line break or control character, which could forge another header.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Permanent(f"{name} holds half a character (a lone surrogate), which no mail can carry.") from error
    return value


def _header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise Permanent(f"{name!r} cannot be the name of a header.")
    return name


def _checked_id(value: str) -> str:
    if not MESSAGE_ID.fullmatch(value) or not value.isascii() or not value.isprintable():
        raise Permanent("A Message-ID is not one word in angle brackets.")
    return value


def _mailbox(address: Address) -> str:
    local, _, domain = _single_line("An address", address.email).rpartition("@")
    try:
        host = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError as error:
        raise Permanent(f"The domain of {address.email!r} cannot be written in a mail.") from error
    written = f"{local}@{host}"
    if not local or not host or not written.isascii() or re.search(r"[\s<>,;()\[\]\\]", written):
        raise Permanent(f"{address.email!r} is not an address that a mail can go to.")
    name = encode_phrase(_single_line("A name", address.name))
    return f"{name} <{written}>" if name else written
