"""Mail headers, read from bytes in linear time and capped first; and values written back so that they survive."""

import base64
import binascii
import re
from collections.abc import Iterator
from dataclasses import dataclass

from tools.web import charsets
from workflows.models.mail import Address, Defect

MAX_FIELD = 64 * 1024
MAX_ALL = 256 * 1024
MAX_FIELDS = 2_000
MAX_PARAMETERS = 4_000
"""Characters of a Content-Type or Content-Disposition that are read."""
MAX_ADDRESSES = 1_000

MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_FIELD = re.compile(rb"([!-9;-~]{1,200})[ \t]*:")
_LEFT_EDGE = re.compile(rb"[\w-]{1,40}(?:\*\d{0,3}\*?)?[ \t]*=")
"""A parameter that stands at the left edge: its line should have been indented."""
_WORD = re.compile(r"=\?([^?\s]{1,60})\?([bBqQ])\?([^?]*)\?=")
_BETWEEN_WORDS = re.compile(r"(\?=)[ \t\r\n]+(?==\?[^?\s]{1,60}\?[bBqQ]\?)")
_TOKEN = re.compile(r'"(?:[^"\\]|\\.)*"|<[^<>]*>|[,;:()]|[^,;:()<>"]+|.', re.DOTALL)
_EMAIL = re.compile(r"[^\s@<>,;:\"()]+@[^\s@<>,;:\"()]+")
_QUOTED_EMAIL = re.compile(r'"(?:[^"\\]|\\.)*"@[^\s@<>]+')
_PARAMETER = re.compile(r";\s*([^=;\s]+)\s*=\s*(\"(?:[^\"\\]|\\.)*\"|[^;]*)", re.DOTALL)
_PART_OF_NAME = re.compile(r"([^*]+)(?:\*(\d{1,3}))?(\*)?")
_PLAIN_PHRASE = re.compile(r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~ -]+")
_LONGEST_PLAIN = 200
_WORD_BYTES = 45


@dataclass(frozen=True, slots=True)
class Block:
    """One header block: (lower-case name, raw unfolded value) in mail order, and where its body starts."""

    fields: tuple[tuple[str, str], ...]
    end: int
    defects: tuple[Defect, ...] = ()

    def first(self, name: str) -> str:
        return next((value for key, value in self.fields if key == name), "")

    def all(self, name: str) -> tuple[str, ...]:
        return tuple(value for key, value in self.fields if key == name)

    def has(self, name: str) -> bool:
        return any(key == name for key, _ in self.fields)


@dataclass(frozen=True, slots=True)
class Parameters:
    """A structured value: `text/plain; charset=utf-8` as its first word (lower case) and its parameters."""

    value: str
    items: tuple[tuple[str, str], ...]

    def get(self, name: str) -> str:
        return next((value for key, value in self.items if key == name), "")


# ---------------------------------------------------------------- reading


def read_block(raw: bytes, start: int, end: int) -> Block:
    """The header block that begins at `start`; what is longer than the caps is dropped and named."""
    reader = _BlockReader(raw, start, end)
    return reader.read()


class _BlockReader:
    def __init__(self, raw: bytes, start: int, end: int) -> None:
        self._raw, self._position, self._end = raw, start, max(start, end)
        self._fields: list[tuple[str, bytearray]] = []
        self._defects: dict[Defect, None] = {}
        self._taken = 0

    def read(self) -> Block:
        for line in self._lines():
            self._take(line)
        fields = tuple((name, _text(bytes(value))) for name, value in self._fields)
        return Block(fields, self._position, tuple(self._defects))

    def _lines(self) -> Iterator[bytes]:
        """Lines up to and without the blank one; a line that is no header ends the block too."""
        first = True
        while self._position < self._end:
            stop = self._raw.find(b"\n", self._position, self._end)
            stop = self._end if stop < 0 else stop + 1
            # Only as much as the caps allow is copied: a header of 50 MB is one line as well.
            line = self._raw[self._position : min(stop, self._position + MAX_FIELD + 2)]
            if len(line) < stop - self._position and self._is_header(line, first=first):
                self._forgive("header", f"a header field longer than {MAX_FIELD // 1024} kB is cut")
            if not line.strip(b"\r\n"):
                self._position = stop
                return
            if not self._is_header(line, first=first):
                self._forgive("blank line", "the blank line after the header is missing")
                return
            self._position, first = stop, False
            yield line

    def _is_header(self, line: bytes, *, first: bool) -> bool:
        mbox = first and line.startswith((b"From ", b">From "))
        return mbox or line[:1] in {b" ", b"\t"} or _FIELD.match(line) is not None or self._goes_on(line)

    def _goes_on(self, line: bytes) -> bool:
        """Whether the line before ends in a semicolon and this one is the parameter that it promises."""
        return bool(self._fields) and self._fields[-1][1].rstrip().endswith(b";") and bool(_LEFT_EDGE.match(line))

    def _take(self, line: bytes) -> None:
        content = line.rstrip(b"\r\n")
        if self._taken + len(content) > MAX_ALL:
            self._forgive("header", f"the header is longer than {MAX_ALL // 1024} kB: the rest is not read")
            return
        self._taken += len(content)
        if line[:1] in {b" ", b"\t"}:
            if self._fields:
                self._extend(content)
            return
        match = _FIELD.match(content)
        if match is None and self._goes_on(content):
            self._forgive("indent", "a header line that should be indented is not")
            self._extend(b" " + content)
            return
        if match is None:  # the mbox line
            return
        if len(self._fields) >= MAX_FIELDS:
            self._forgive("header", f"more than {MAX_FIELDS} header fields: the rest is not read")
            return
        self._fields.append((match[1].decode("ascii").lower(), bytearray()))
        self._extend(content[match.end() :])

    def _forgive(self, code: str, says: str) -> None:
        self._defects[Defect(code, says)] = None

    def _extend(self, content: bytes) -> None:
        value = self._fields[-1][1]
        room = MAX_FIELD - len(value)
        if len(content) > room:
            self._forgive("header", f"a header field longer than {MAX_FIELD // 1024} kB is cut")
        value += content[:room]


def _text(value: bytes) -> str:
    try:
        return value.decode("utf-8").strip(" \t")
    except UnicodeDecodeError:
        return value.decode("cp1252", "replace").strip(" \t")


def decode_words(value: str) -> str:
    """RFC 2047 encoded words undone; what cannot be decoded stays as it is written."""
    if "=?" not in value:
        return value
    joined = _BETWEEN_WORDS.sub(r"\1", value)
    pieces: list[str] = []
    pending: list[tuple[str, bytes]] = []  # neighbours of one charset: a character may be cut between them
    position = 0
    for match in _WORD.finditer(joined):
        if match.start() > position:
            pieces += [*_flush(pending), joined[position : match.start()]]
        content = _word_bytes(match[2], match[3])
        if content is None:
            pieces += [*_flush(pending), match[0]]
        else:
            pending.append((match[1].split("*")[0].lower(), content))
        position = match.end()
    return "".join([*pieces, *_flush(pending), joined[position:]])


def _flush(pending: list[tuple[str, bytes]]) -> list[str]:
    decoded, charset, content = [], "", bytearray()
    for name, piece in pending:
        if name != charset and content:
            decoded.append(charsets.decode(bytes(content), charset, _ignore))
            content.clear()
        charset = name
        content += piece
    if content:
        decoded.append(charsets.decode(bytes(content), charset, _ignore))
    pending.clear()
    return decoded


def _ignore(_defect: str) -> None:
    """A wrong charset in a header is forgiven silently: the value shows it."""


def _word_bytes(encoding: str, text: str) -> bytes | None:
    if encoding in "qQ":
        return binascii.a2b_qp(text.replace("_", " ").encode("utf-8"), header=False)
    clean = re.sub(r"[^A-Za-z0-9+/]", "", text)
    if len(clean) % 4 == 1:
        return None
    return binascii.a2b_base64(clean + "=" * (-len(clean) % 4))


def addresses(value: str) -> tuple[Address, ...]:
    """Every mailbox in an address header, groups opened; what holds no address is left out."""
    mailboxes: list[Address] = []
    for tokens in _mailboxes(value):
        address = _address(tokens)
        if address is not None:
            mailboxes.append(address)
        if len(mailboxes) >= MAX_ADDRESSES:
            break
    return tuple(mailboxes)


def _mailboxes(value: str) -> Iterator[list[str]]:
    """The tokens of each mailbox, comments out, a group's name and end dropped."""
    tokens: list[str] = []
    comment = 0
    for piece in _TOKEN.findall(value):
        if piece == "(":
            comment += 1
        elif piece == ")":
            comment = max(0, comment - 1)
        elif comment:
            continue
        elif piece in {",", ";"}:
            yield tokens
            tokens = []
        elif piece == ":" and not any(part.startswith("<") for part in tokens):
            tokens = []
        else:
            tokens.append(piece)
    yield tokens


def _address(tokens: list[str]) -> Address | None:
    """The last <...> is the address, the words before it the name; without one the bare word with an @."""
    angles = [token for token in tokens if token.startswith("<") and token.endswith(">")]
    if angles:
        # A route ("<@relay:ada@x>") ends in the address; an address in the name is only a name.
        inside = angles[-1][1:-1].strip().rsplit(":", 1)[-1].strip().strip("'")
        name = "".join(token for token in tokens if token not in angles)
        return Address(email=inside.lower(), name=_name(name)) if "@" in inside.strip("@") else None
    written = "".join(tokens).strip()
    match = _QUOTED_EMAIL.search(written) or _EMAIL.search(written)
    if match is None:
        return None
    name = (written[: match.start()] + written[match.end() :]).strip()
    return Address(email=match.group().strip("'").lower(), name=_name(name))


def _name(written: str) -> str:
    unquoted = re.sub(r'"((?:[^"\\]|\\.)*)"', lambda match: re.sub(r"\\(.)", r"\1", match[1]), written)
    decoded = decode_words(" ".join(unquoted.split()))
    printable = "".join(character if character.isprintable() else " " for character in decoded)
    name = " ".join(printable.encode("utf-8", "replace").decode().split()).strip("'")
    return (name.strip('"') if name.count('"') == 1 else name).strip()[:200]


def parameters(value: str) -> Parameters:
    """A Content-Type or Content-Disposition, RFC 2231 pieces and charsets joined, encoded words forgiven."""
    value = value[:MAX_PARAMETERS]
    head = value.split(";", 1)[0].strip().lower()
    plain: dict[str, str] = {}
    pieces: dict[str, dict[int, tuple[str, bool]]] = {}
    for name, text in _PARAMETER.findall(value):
        match = _PART_OF_NAME.fullmatch(name.strip().lower())
        if match is None:
            continue
        content = _unquoted(text.strip())
        if match[2] is None and match[3] is None:
            plain.setdefault(match[1], decode_words(content))
        else:
            pieces.setdefault(match[1], {}).setdefault(int(match[2] or 0), (content, match[3] is not None))
    joined = {name: _joined(numbered) for name, numbered in pieces.items()}
    return Parameters(head, tuple({**plain, **joined}.items()))


def _unquoted(text: str) -> str:
    if len(text) > 1 and text.startswith('"') and text.endswith('"'):
        return re.sub(r"\\(.)", r"\1", text[1:-1])
    return text


def _joined(numbered: dict[int, tuple[str, bool]]) -> str:
    charset, content = "utf-8", bytearray()
    for number, (text, is_encoded) in sorted(numbered.items()):
        written = text
        if number == min(numbered) and is_encoded and written.count("'") >= 2:  # noqa: PLR2004  charset'language'text
            charset, _, written = written.split("'", 2)
        content += _percent(written) if is_encoded else written.encode("utf-8")
    return charsets.decode(bytes(content), charset or "utf-8", _ignore)


def _percent(text: str) -> bytes:
    return re.sub(rb"%([0-9A-Fa-f]{2})", lambda match: bytes([int(match[1], 16)]), text.encode("utf-8"))


# ---------------------------------------------------------------- writing


def encode_text(value: str) -> str:
    """An unstructured value for the wire: as it is when it is short plain ASCII, else as encoded words."""
    is_plain = value.isascii() and value.isprintable() and len(value) <= _LONGEST_PLAIN
    if is_plain and "=?" not in value and value == value.strip():
        return value
    return _words(value)


def encode_phrase(name: str) -> str:
    """A display name: bare, quoted, or encoded words; "" stays ""."""
    if not name:
        return ""
    if not name.isascii() or "=?" in name or len(name) > _LONGEST_PLAIN or not name.isprintable():
        return _words(name)
    if _PLAIN_PHRASE.fullmatch(name) and name == name.strip():
        return name
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


def _words(value: str) -> str:
    pieces, piece = [], ""
    for character in value:
        if len((piece + character).encode()) > _WORD_BYTES:
            pieces.append(piece)
            piece = ""
        piece += character
    pieces.append(piece)
    encoded = (base64.b64encode(piece.encode()).decode() for piece in pieces)
    return "\r\n ".join(f"=?utf-8?b?{text}?=" for text in encoded)
