"""Texts of a mail: what a reader sees, what is a file, and what a calendar or a bounce says; each leaf decoded once."""

import hashlib
import re
from collections.abc import Iterable, Sequence

from tools.mail.message.beside import completed
from tools.mail.message.decoding import decoded_pieces, with_lf
from tools.mail.message.headers import Parameters, decode_words
from tools.mail.message.tree import Forgiving, MimePart, MimeTree
from tools.web import charsets
from workflows.models.mail import Attachment

_STATUS = {"message/delivery-status", "message/global-delivery-status"}
_COPIES = {"message/rfc822", "text/rfc822-headers", "message/global", "message/global-headers"}
_DAEMON = re.compile(
    r"mailer[._-]?daemon|post[._-]?master|mail delivery (?:sub)?system|microsoftexchange\w{20}", re.IGNORECASE
)
_REPORT_FIELD = re.compile(rb"(?im)^final-recipient[ \t]*:")
_CALENDARS = {"text/calendar", "application/ics"}
_METHOD = re.compile(r"^METHOD:([A-Za-z]{1,20})", re.MULTILINE)
_NOTE = re.compile(
    r"^COMMENT[^:\r\n]{0,200}:([^\r\n]{1,2000})|X-RESPONSE-COMMENT=\"([^\"\r\n]{1,2000})\"", re.MULTILINE
)
_LONGEST_ENTRY = 100_000
MAX_TEXT = 200_000
_CONTROLS = {code: None for code in (*range(32), *range(0x7F, 0xA0)) if code not in {9, 10}}
_IDENTITY_HEADERS = ("message-id", "from", "date", "subject")


class _Texts:
    """What a reader sees: the plain parts, and the HTML parts as text, as they were written, and without quotes."""

    def __init__(
        self,
        plain: Sequence[str] = (),
        html: Sequence[str] = (),
        written: Sequence[str] = (),
        unquoted: Sequence[str] = (),
    ) -> None:
        self.plain = list(plain)
        self.html = list(html)
        self.written = list(written)
        self.unquoted = list(unquoted)

    def add(self, other: "_Texts") -> None:
        self.plain += other.plain or other.html
        self.html += other.html
        self.written += other.written
        self.unquoted += other.unquoted


class TextReading:
    """One pass over a tree: every leaf is decoded once and either shown as text or listed as a file."""

    def __init__(self, tree: MimeTree) -> None:
        self._tree = tree
        self._forgive = Forgiving(tree)
        self._digests: dict[int, tuple[str, int]] = {}
        self.shown: set[MimePart] = set()
        self.html_list = False
        self.signatures: list[str] = []

    def texts(self, part: MimePart) -> _Texts:
        """The visible text under a part, alternatives chosen, in reading order."""
        if not part.children:
            return self._leaf(part)
        child_texts = [self.texts(child) for child in part.children]
        if part.kind == "multipart/alternative":
            return self._alternative(part, child_texts)
        combined = _Texts()
        for texts in child_texts:
            combined.add(texts)
        if self._is_report(part):
            combined.plain += self._report(part)
        return combined

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

    def attachment(self, part: MimePart) -> Attachment:
        """A leaf as a file: decoded size and hash, its content never kept."""
        if part.kind == "application/ms-tnef":
            self._forgive("container", "winmail.dat: an Outlook container that is not opened")
        digest, size = hashlib.sha256(), 0
        for piece in decoded_pieces(part, self._forgive):
            digest.update(piece)
            size += len(piece)
        self._digests.setdefault(id(part), (digest.hexdigest(), size))
        return Attachment(
            name=printable(part.name, one_line=True)[:255] or _unnamed(part),
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
            return self._read_text(leaf, with_lf(b"".join(decoded_pieces(leaf, self._forgive))))
        return _Texts()

    def calendar(self) -> tuple[str, str]:
        """What a calendar says with this mail ("request", "reply", "cancel"), and what a person wrote to it."""
        for leaf in self._tree.leaves():
            if leaf.kind in _CALENDARS:
                entry = b"".join(decoded_pieces(leaf, self._forgive))[:_LONGEST_ENTRY].decode("utf-8", "replace")
                unfolded = re.sub(r"\r?\n[ \t]", "", entry)
                method = leaf.content_type.get("method") or next(iter(_METHOD.findall(unfolded)), "")
                notes = (first or second for first, second in _NOTE.findall(unfolded))
                return method.strip().lower()[:20], printable(
                    next(notes, "").replace("\\n", "\n").replace("\\", "").strip()
                )
        return "", ""

    def _alternative(self, part: MimePart, found: list[_Texts]) -> _Texts:
        for kind in ("text/plain", "text/html"):
            variants = (texts for child, texts in zip(part.children, found, strict=True) if child.kind == kind)
            if len({"".join(joined_texts(texts.plain or texts.html).split()) for texts in variants} - {""}) > 1:
                self._forgive("alternatives", f"several alternatives of {kind}: one of them is read")
        plain = next((texts.plain for texts in found if joined_texts(texts.plain).strip()), [])
        html = next((texts.html for texts in reversed(found) if texts.html), [])
        written = next((texts.written for texts in reversed(found) if texts.html), [])
        unquoted = next((texts.unquoted for texts in reversed(found) if texts.html), [])
        if plain and html and not self._is_daemons:
            plain = [completed(joined_texts(plain), joined_texts(unquoted))]
        return _Texts(plain, html, written, unquoted)

    def _leaf(self, part: MimePart) -> _Texts:
        if not part.is_text and part is not self._tree.top:
            return _Texts()
        if not part.kind.startswith("text/"):
            return _Texts()
        self.shown.add(part)
        content = with_lf(b"".join(decoded_pieces(part, self._forgive)))
        written = content.rstrip(b"\n")
        self._digests[id(part)] = (hashlib.sha256(written).hexdigest(), len(written))
        return self._read_text(part, content)

    def _read_text(self, part: MimePart, content: bytes) -> _Texts:
        if len(content) > MAX_TEXT * 8:
            self._forgive("text", "a very long text part is read only in part")
            content = content[: MAX_TEXT * 8]
        text = printable(charsets.decode(content, part.content_type.get("charset"), self._forgive.charset))
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
        self.signatures += (printable(signature) for signature in written.signatures)
        visible = printable(markup.html_to_text(text))
        unquoted = printable(markup.html_to_text(text, quotes=False)) if markup.has_quotes(text) else visible
        return _Texts(html=[visible], written=[printable(written.text)], unquoted=[unquoted])

    def _is_report(self, part: MimePart) -> bool:
        """Also where a server calls its report a mixed mail, and where the mail's sender alone says what it is."""
        kinds = {child.kind for child in part.children}
        return part.kind == "multipart/report" or bool(kinds & _STATUS) or (bool(kinds & _COPIES) and self._is_daemons)

    @property
    def _is_daemons(self) -> bool:
        block = self._tree.top.block
        return block.first("return-path").replace(" ", "") == "<>" or bool(_DAEMON.search(block.first("from")))

    def _report(self, part: MimePart) -> list[str]:
        """The machine's part of a bounce, and the header of the mail it speaks of: what ties it to a case."""
        sections = []
        for child in part.children:
            if child.kind in _STATUS | _COPIES | {"message/disposition-notification"}:
                content = b"".join(decoded_pieces(child, self._forgive))[:8_000].replace(b"\r\n", b"\n")
                if child.kind in ("message/rfc822", "message/global") and not _REPORT_FIELD.search(content):
                    content = content.split(b"\n\n", 1)[0]  # a report within a filter's own is read whole
                sections.append(printable(charsets.decode(content, "utf-8", self._forgive.charset)))
        return sections

    def _digest(self, leaf: MimePart) -> tuple[str, int]:
        if id(leaf) not in self._digests:
            self.attachment(leaf)
        return self._digests[id(leaf)]


def joined_texts(texts: Iterable[str]) -> str:
    return "\n\n".join(text.strip("\n") for text in texts if text.strip())


def printable(text: str, *, one_line: bool = False) -> str:
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


def _unnamed(part: MimePart) -> str:
    names = {"message/rfc822": "forwarded.eml", "text/calendar": "invite.ics", "text/html": "text.html"}
    return names.get(part.kind, f"unnamed.{re.sub(r'[^a-z0-9]', '', part.kind.split('/')[-1])[:10] or 'bin'}")
