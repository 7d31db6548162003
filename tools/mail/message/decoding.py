"""Transfer decoding: a part's content in pieces, base64 and quoted-printable undone, damage forgiven."""

import binascii
import re
from collections.abc import Iterator

from tools.mail.message.tree import Forgiving, MimePart

_CHUNK = 1 << 20
_NOT_BASE64 = bytes(set(range(256)) - set(b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"))
_NOT_IN_BASE64 = re.compile(rb"[^A-Za-z0-9+/=\s]")
_BAD_ESCAPE = re.compile(rb"=(?![0-9A-Fa-f]{2}|[ \t]*\r?\n|[ \t]*\Z)")


def decoded_pieces(part: MimePart, forgive: Forgiving) -> Iterator[bytes]:
    """The part's content in pieces, transfer encoding undone, damage forgiven."""
    encoding, content = part.encoding, part.content()
    if encoding == "base64":
        yield from _base64(content, forgive)
    elif encoding == "quoted-printable":
        encoded = bytes(content)
        if _BAD_ESCAPE.search(encoded):
            forgive("escape", "damaged quoted-printable")
        yield with_lf(binascii.a2b_qp(encoded))
    else:
        if encoding not in {"", "7bit", "8bit", "binary"}:
            forgive("encoding", f"unknown transfer encoding {encoding[:40]!r}")
        for start in range(0, len(content), _CHUNK):
            yield from _lines_of(content, start)


def _lines_of(content: memoryview, start: int) -> Iterator[bytes]:
    # CRLF and LF copies of one mail must give the same bytes; a pair cut by the chunk's edge counts as well.
    piece = bytes(content[start : start + _CHUNK])
    following = bytes(content[start + _CHUNK : start + _CHUNK + 1])
    yield with_lf(piece[:-1] if piece.endswith(b"\r") and following == b"\n" else piece)


def with_lf(content: bytes) -> bytes:
    return content.replace(b"\r\n", b"\n")


def _base64(content: memoryview, forgive: Forgiving) -> Iterator[bytes]:
    carry = b""
    for start in range(0, len(content), _CHUNK):
        piece = bytes(content[start : start + _CHUNK])
        if _NOT_IN_BASE64.search(piece):
            forgive("base64", "damaged base64")
        clean = carry + piece.translate(None, _NOT_BASE64)
        full_length = len(clean) & ~3
        carry = clean[full_length:]
        yield binascii.a2b_base64(clean[:full_length])
    if len(carry) == 1:
        forgive("base64", "damaged base64")
    elif carry:
        yield binascii.a2b_base64(carry + b"=" * (4 - len(carry)))
