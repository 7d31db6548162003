"""Sign-offs: signatures and phone footers at the end of what was written, and inline PGP around it."""

import re
from collections.abc import Iterable
from functools import cache
from typing import Literal

from workflows.rules.text.heads import LONGEST_FOOTER, LONGEST_LINE
from workflows.rules.text.words import fold, phrases, table

Part = Literal["new", "quote", "head", "older", "answered", "signature", "drop"]
"""`older`: nobody knows whose it is. `answered`: the older words of the one who is answered. `drop`: known."""
Line = tuple[Part, str]
_SIGNATURE = re.compile(r"^(?:--|—|–) ?$")  # noqa: RUF001
_ARMOR = re.compile(r"-----BEGIN PGP SIGN(?:ED MESSAGE|ATURE)-----")
_ARMOR_HEADER = re.compile(r"\s*$|(?:Hash|Charset|Version|Comment|MessageID|NotDashEscaped): ?\S{0,80}$")
_ARMORED = re.compile(r"\s*$|(?:Version|Comment): .{0,80}$|[A-Za-z0-9+/=]{1,100}\s*$")
_MOST_ARMOR = 200  # lines
LINK = re.compile(r"<?https?://\S+")
_CONTACT = re.compile(r"\S@\S|www\.|https?:|(?:\d[ ()/.-]?){6}")
_PROSE = 7  # words in a line from which on it is a sentence, not a line of a signature
_SHORT_PROSE = 4


def armor_length(lines: list[str], at: int) -> int:
    """How many lines a signature that proves the text takes here (inline PGP); the text between is the mail."""
    if not _ARMOR.match(lines[at]):
        return 0
    inside = _ARMOR_HEADER if "MESSAGE" in lines[at] else _ARMORED
    for step, line in enumerate(lines[at + 1 : at + _MOST_ARMOR], start=1):
        if line.startswith("-----END PGP"):
            return step + 1
        if not inside.match(line):  # somebody's words: no signature has any
            return step
        if inside is _ARMOR_HEADER and not line.strip():
            return step + 1
    return 1


def without_footers(parts: list[Line]) -> list[Line]:
    """Signatures after "-- " and phone footers at the end of a run of new lines are no part of what was written."""
    sorted_lines: list[Line] = []
    run: list[str] = []
    for kind, line in [*parts, ("drop", "")]:
        if kind == "new":
            run.append(line)
            continue
        sorted_lines += _footers_apart(run)
        sorted_lines.append((kind, line))
        run = []
    return sorted_lines[:-1]


def _footers_apart(lines: list[str]) -> list[Line]:
    marks = (at for at, line in enumerate(lines) if _SIGNATURE.match(line.strip()) and at)
    end = next((at for at in marks if not _is_prose(lines[at + 1 :])), len(lines))
    while end and (not lines[end - 1].strip() or _is_mobile(lines[end - 1])):
        end -= 1
    return [("new", line) for line in lines[:end]] + [("signature", line) for line in lines[end:]]


def _is_prose(lines: list[str]) -> bool:
    """Whether somebody wrote on below "--": a sentence that is neither how to reach them nor a lawyer's small print."""
    for line in lines:
        folded = fold(line[:LONGEST_LINE])
        if _boilerplate().search(folded):
            return False
        words = len(re.findall(r"[^\W\d_]{2,}", folded))
        is_sentence = words >= _SHORT_PROSE and line.rstrip().endswith((".", "!", "?"))
        if (words >= _PROSE or is_sentence) and not _CONTACT.search(line[:LONGEST_LINE]):
            return True
    return False


def small_print(lines: Iterable[str]) -> Iterable[str]:
    """The lines of a signature that are somebody's own: what comes before a lawyer's small print."""
    for line in lines:
        if _boilerplate().search(fold(line[:LONGEST_LINE])):
            return
        yield line


def _is_mobile(line: str) -> bool:
    if len(line) > LONGEST_FOOTER:
        return False
    bare = LINK.sub("", line).strip(" .*_<>[]-\t")
    return bool(_mobile().fullmatch(fold(bare)))


@cache
def _mobile() -> re.Pattern[str]:
    return phrases(table("history")["signature"]["mobile"])


@cache
def _boilerplate() -> re.Pattern[str]:
    return phrases(table("history")["signature"]["small_print"])
