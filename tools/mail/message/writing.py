"""Writing of a mail's parts: a text that no server has a reason to touch, files, headers that nothing breaks out of."""

import base64
import binascii
import hashlib
import re
from collections.abc import Sequence

from tools.mail.message.headers import MESSAGE_ID, encode_phrase
from workflows.errors import Permanent
from workflows.models.mail import Address, Attachment

_FORGES = re.compile(r"[\x00-\x08\x0a-\x1f\x7f]")
_PLAIN_NAME = re.compile(r"[\w.()+-](?:[\w.()+ -]{0,58}[\w.()+-])?", re.ASCII)
_UNQUOTED = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789.-_")
LONGEST_LINE = 900
_HEADER_NAME = re.compile(r"[!-9;-~]{1,60}")


def text_part(body: str) -> bytes:
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
        len(line) <= LONGEST_LINE and not line.endswith((b" ", b"\t")) and not line.startswith((b"From ", b"."))
        for line in content.split(b"\n")
    )


def _quoted(content: bytes) -> tuple[str, bytes]:
    lines = [binascii.b2a_qp(line, istext=True).replace(b"\n", b"\r\n") for line in content.split(b"\n")]
    encoded = b"\r\n".join(b"=46" + line[1:] if line.startswith(b"From ") else line for line in lines)
    # A text without a final line feed gets a soft one, so that no server adds a real one.
    return "quoted-printable", encoded if content.endswith(b"\n") else encoded + b"=\r\n"


def mixed_parts(text: bytes, message_id: str, attachments: Sequence[tuple[Attachment, bytes]]) -> bytes:
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
    kind, disposition = attachment.content_type, "attachment"
    if attachment.answers_invitation:
        disposition = "inline"  # what calendars read as an answer; many take an attachment for a file to be saved
    elif not re.fullmatch(r"[a-z0-9.+-]{1,60}/[a-z0-9.+-]{1,60}", kind) or kind.startswith(("multipart/", "message/")):
        kind = "application/octet-stream"
    head = (
        f"Content-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n"
        f"Content-Disposition: {disposition};\r\n {_file_name(attachment.name)}\r\n\r\n"
    )
    return head.encode("ascii") + base64.encodebytes(content).replace(b"\n", b"\r\n").removesuffix(b"\r\n")


def _file_name(name: str) -> str:
    """The parameter that names a file: as it stands where every program reads it so, else as RFC 2231 says."""
    plain = single_line("file name", name)
    if _PLAIN_NAME.fullmatch(plain):
        return f'filename="{plain}"'
    encoded = "".join(chr(byte) if chr(byte) in _UNQUOTED else f"%{byte:02X}" for byte in plain.encode())
    pieces = re.findall(r"(?:%..|.){1,20}", encoded)
    if len(pieces) <= 1:
        return f"filename*=utf-8''{encoded}"
    head, *further = pieces
    lines = [f"filename*0*=utf-8''{head}", *(f"filename*{at}*={piece}" for at, piece in enumerate(further, start=1))]
    return ";\r\n ".join(lines)


def single_line(name: str, value: str) -> str:
    if _FORGES.search(value):
        raise Permanent(f"{name} holds a line break or control character, which could forge another header.")
    try:
        value.encode("utf-8")
    except UnicodeEncodeError as error:
        raise Permanent(f"{name} holds half a character (a lone surrogate), which no mail can carry.") from error
    return value


def header_name(name: str) -> str:
    if not _HEADER_NAME.fullmatch(name):
        raise Permanent(f"{name!r} cannot be the name of a header.")
    return name


def checked_id(value: str) -> str:
    if not MESSAGE_ID.fullmatch(value) or not value.isascii() or not value.isprintable():
        raise Permanent("A Message-ID is not one word in angle brackets.")
    return value


def mailbox(address: Address) -> str:
    local, _, domain = single_line("An address", address.email).rpartition("@")
    try:
        host = domain.encode("idna").decode() if not domain.isascii() else domain
    except UnicodeError as error:
        raise Permanent(f"The domain of {address.email!r} cannot be written in a mail.") from error
    written = f"{local}@{host}"
    if not local or not host or not written.isascii() or re.search(r"[\s<>,;()\[\]\\]", written):
        raise Permanent(f"{address.email!r} is not an address that a mail can go to.")
    name = encode_phrase(single_line("A name", address.name))
    return f"{name} <{written}>" if name else written
