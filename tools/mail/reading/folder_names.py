"""Folder names: IMAP's own spelling of them (modified UTF-7), and what a server lists of folders and namespaces."""

import binascii
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, cast


@dataclass(frozen=True, slots=True, kw_only=True)
class Folder:
    """One folder: its name for people, as the server writes it, and what it is for."""

    name: str
    raw: str  # modified UTF-7
    flags: tuple[str, ...] = ()  # as the server wrote them
    use: str = ""  # sent | junk | drafts | all | trash | archive | ""
    delimiter: str = ""


def encode_name(name: str) -> str:
    """A folder's name in IMAP's modified UTF-7."""
    pieces = []
    for match in re.finditer(r"[\x20-\x7e]+|[^\x20-\x7e]+", name):
        run = match.group()
        if run.isascii() and run.isprintable():
            pieces.append(run.replace("&", "&-"))
        else:
            encoded = binascii.b2a_base64(run.encode("utf-16-be"), newline=False).rstrip(b"=").decode()
            pieces.append(f"&{encoded.replace('/', ',')}-")
    return "".join(pieces)


def decode_name(raw: str) -> str:
    """The name for people; what is not modified UTF-7 stays as it is."""

    def decoded(match: re.Match[str]) -> str:
        if not match[1]:
            return "&"
        text = match[1].replace(",", "/")
        try:
            return binascii.a2b_base64(text + "=" * (-len(text) % 4)).decode("utf-16-be")
        except (binascii.Error, UnicodeDecodeError):
            return match[0]

    return re.sub(r"&([A-Za-z0-9+,]*)-", decoded, raw)


_LISTED = re.compile(rb'\((?P<flags>[^)]*)\) (?P<delimiter>"(?:[^"\\]|\\.)*"|NIL) ?(?P<name>.*)', re.DOTALL)


def read_folders(data: Sequence[Any]) -> tuple[Folder, ...]:
    """The folders in a LIST answer; what only holds other folders is left out."""
    folders = []
    for item in data:
        line, literal = item if isinstance(item, tuple) else (item, None)
        match = _LISTED.match(line) if isinstance(line, bytes) else None
        if match is None:
            continue
        flags = tuple(match["flags"].decode("ascii", "replace").split())
        raw = _unquoted(cast("bytes", literal) if literal is not None else match["name"])
        if raw and not {flag.lower() for flag in flags} & {"\\noselect", "\\nonexistent"}:
            delimiter = "" if match["delimiter"] == b"NIL" else _unquoted(match["delimiter"])
            name = decode_name(raw)
            use = _stated_use(flags)
            folders.append(Folder(name=name, raw=raw, flags=flags, use=use, delimiter=delimiter))
    return tuple(folders)


_SPACES = re.compile(rb'"((?:[^"\\\\]|\\\\.)*)"|([()])|([^\s()"]+)')


def read_namespaces(data: Sequence[Any]) -> dict[str, bool]:
    """The prefixes in a NAMESPACE answer (RFC 2342), each with whether it is the user's own."""
    spaces: dict[str, bool] = {}
    line = next((item for item in data if isinstance(item, bytes)), b"")
    depth = group = 0
    awaited = False  # the first string of an inner list is its prefix
    for match in _SPACES.finditer(line):
        sign = match[2]
        if sign:
            depth += 1 if sign == b"(" else -1
            awaited = sign == b"(" and depth == 2  # noqa: PLR2004 - ((prefix delimiter) ...)
            group += sign == b")" and depth == 0
        elif match[3] is not None:  # NIL: none of this kind
            group += depth == 0
        elif awaited:
            awaited = False
            spaces.setdefault(_unquoted(b'"' + match[1] + b'"'), group == 0)
    return spaces if any(spaces.values()) else {}


def _unquoted(text: bytes) -> str:
    if text[:1] == b'"' and text[-1:] == b'"' and len(text) > 1:
        text = re.sub(rb"\\(.)", rb"\1", text[1:-1])
    return text.decode("utf-8", "replace")


_USES = {"\\sent": "sent", "\\junk": "junk", "\\drafts": "drafts", "\\all": "all", "\\trash": "trash"}


def _stated_use(flags: Sequence[str]) -> str:
    return next((_USES[flag.lower()] for flag in flags if flag.lower() in _USES), "")


def quote(name: str) -> str:
    """A folder's raw name as a command argument."""
    escaped = name.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
