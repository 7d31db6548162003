"""The text of a table as a spreadsheet or a program saved it: each chooses its own encoding and line ends."""

import re

from workflows.errors import Permanent

_BOMS = ((b"\xef\xbb\xbf", "utf-8-sig"), (b"\xff\xfe", "utf-16"), (b"\xfe\xff", "utf-16"))


def text_of(content: bytes) -> str:
    """UTF-8, UTF-16 (also without a mark) or Windows-1252, with LF line ends.

    Raises:
        Permanent: none of them fits.
    """
    named = next((name for mark, name in _BOMS if content.startswith(mark)), "")
    # Two bytes a letter without a mark: every other byte of a plain header is zero.
    bare = {(True, False): "utf-16-be", (False, True): "utf-16-le"}.get((content[:1] == b"\0", content[1:2] == b"\0"))
    for encoding in (named,) if named else (bare,) if bare else ("utf-8", "cp1252"):
        try:
            return content.decode(encoding).replace("\r\n", "\n").replace("\r", "\n")
        except UnicodeDecodeError:
            continue
    raise Permanent("Its letters are in no encoding that is known.")


DELIMITERS = ",;\t"
_STATED = re.compile(r'[ \t]*"?sep=(.)"?[\s,;]*', re.IGNORECASE)


def separated(text: str) -> tuple[str, str]:
    """What stands between a table's cells, and the text with each line at its place.

    A line "sep=;" of a spreadsheet's own states it, and is left empty; else the first line with words tells.
    """
    lines = text.split("\n")
    first = next((at for at, line in enumerate(lines) if _speaks(line)), 0)
    match = _STATED.fullmatch(lines[first])
    if match is None:
        return max(DELIMITERS, key=lines[first].count), text
    return match[1], "\n".join([*lines[:first], "", *lines[first + 1 :]])


def _speaks(line: str) -> bool:
    return bool(line.strip("\ufeff \t,;")) and not line.lstrip("\ufeff ").startswith("#")
