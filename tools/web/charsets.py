"""Bytes to text when the stated charset is missing, unknown or a lie."""

import codecs
import re
from collections.abc import Callable

# What mail programs write for what they mean: each right-hand codec reads all of the left-hand one.
_MEANT = {
    "ascii": "cp1252",
    "iso8859-1": "cp1252",
    "iso8859-9": "cp1254",
    "iso8859-11": "cp874",
    "gb2312": "gb18030",
    "gbk": "gb18030",
    "euc_kr": "cp949",
    "shift_jis": "cp932",
    "big5": "big5hkscs",
}
_SINGLE_BYTE = {"cp1252", "cp1254", "latin-1"}
_ALIASES = {"ks_c_5601-1987": "cp949", "x-sjis": "cp932", "x-gbk": "gb18030", "iso-8859-8-i": "iso8859-8"}
_NOT_A_NAME = re.compile(r"[^a-z0-9._:-]")


def codec(charset: str) -> str:
    """Python's codec for a stated charset, the wider one where senders mean it; "" when there is none."""
    name = _NOT_A_NAME.sub("", charset.strip().strip("'\"").lower())[:40]
    if name in {"", "unknown-8bit", "x-unknown", "default", "default_charset"}:
        return ""
    name = _ALIASES.get(name, re.sub(r"^(?:x-|cs)(?=[a-z]+[-0-9])", "", name))
    try:
        codec_info = codecs.lookup(name)
    except (LookupError, ValueError):
        return ""
    if not codec_info._is_text_encoding or codec_info.name in {"idna", "punycode", "undefined", "unicode-escape"}:  # noqa: SLF001
        return ""
    return _MEANT.get(codec_info.name, "" if codec_info.name == "raw-unicode-escape" else codec_info.name)


def decode(content: bytes, charset: str, forgive: Callable[[str], None]) -> str:
    """The text. UTF-8 wins over a stated western charset when it fits, because it hardly ever fits by chance."""
    if content.isascii() and b"\x1b" not in content and codec(charset) not in {"utf-7", "utf-16", "utf-32"}:
        return content.decode("ascii")
    stated_codec = codec(charset)
    if charset and not stated_codec:
        forgive(f"unknown charset {charset[:40]!r}")
    if stated_codec in {"", "utf-8", *_SINGLE_BYTE}:
        return _western(content, stated_codec, forgive)
    try:
        return content.decode(stated_codec)
    except (UnicodeError, ValueError):
        forgive(f"text is not in its stated charset {charset[:40]!r}")
    try:
        return content.decode("utf-8")
    except UnicodeDecodeError:
        return content.decode(stated_codec, "replace")


def _western(content: bytes, stated: str, forgive: Callable[[str], None]) -> str:
    try:
        text = content.decode("utf-8")
    except UnicodeDecodeError:
        if stated == "utf-8":
            forgive("text is not in its stated charset 'utf-8'")
        return content.decode(stated if stated in _SINGLE_BYTE else "cp1252", "replace")
    if stated in _SINGLE_BYTE:
        forgive("text is UTF-8, not its stated charset")
    return text
