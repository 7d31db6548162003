"""A client's mail, read and answered: what is new in it, and the frame of the reply.

A mail's lines are sorted into new, quoted and dropped ones first; everything else reads from that.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise
from typing import Literal

from workflows.models import Address, Email, Outgoing
from workflows.rules.canonical import canonical, one_line
from workflows.rules.words import fold, phrases, table

Part = Literal["new", "quote", "drop"]

_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_QUOTED = re.compile(r"\s{0,3}>|\s{0,3}\|\s?>")
_DASHES = "-_‐‑‒–—―=*"  # noqa: RUF001 (the dashes that mail programs really put there)
_RULE = re.compile(rf"[{re.escape(_DASHES)}]{{2,}}")
_TIME_OR_ADDRESS = re.compile(r"\d{1,2}\s?[:.h]\s?\d{2}(?!\d)|\S@\S|\b\d{1,2} ?(?:am|pm)\b")
_DATED_ADDRESS = re.compile(r"^\W{0,3}\d{4}[-年/. ].{4,200}<?\S+@\S+>?\s*[:：]$")  # noqa: RUF001 (CJK colon)
_FIELD = re.compile(r"^[\s*>_]{0,4}([^\W\d_][^:：@<]{0,30}?)\s?\*{0,2}\s?[:：]\*{0,2}\s?(.*)$")  # noqa: RUF001
_SIGNATURE = re.compile(r"^(?:--|—|–) ?$")  # noqa: RUF001
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_LINK = re.compile(r"<?https?://\S+")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")  # noqa: RUF001
_LONGEST_GIST = 2000
_LONGEST_SUBJECT = 1000  # characters of a subject that are looked at
_LONGEST_LINE = 600  # an attribution or a header line is never longer
_LONGEST_FOOTER = 160
_LONGEST_GREETING = 80
_MOST_LINES = 4000
_MOST_REFERENCES = 50
_CONTEXT = 2  # quoted lines kept above an answer that is written under them


def new_part(text: str) -> str:
    """What the sender wrote this time: without history, signature and phone footers; never empty for a non-empty text.

    Answers written under quoted lines keep the last two quoted lines above them, marked "> ".
    """
    parts = _sorted(text)
    if not any(kind == "new" and line.strip() for kind, line in parts):
        return text.strip() and _LINE_END.sub("\n", text).strip()
    return _joined(_with_context(parts))


def written(text: str) -> str:
    """The sender's own lines alone, not one quoted word among them; may be empty."""
    return _joined(line for kind, line in _sorted(text) if kind == "new")


def gist(text: str, limit: int = 90) -> str:
    """The first sentence that says something, on one line of at most `limit` characters."""
    lines = [line for line in new_part(text).split("\n") if line.strip() and not line.startswith(">")]
    rest = lines[1:] if len(lines) > 1 and _is_greeting(lines[0]) else lines
    first = next(
        (
            part
            for part in _SENTENCE_END.split(one_line("\n".join(rest)[:_LONGEST_GIST], _LONGEST_GIST))
            if len(part) > 1
        ),
        "",
    )
    return first if len(first) <= limit else first[: max(limit - 1, 0)].rstrip() + "…"[:limit]


def reply_to(email: Email, body: str, case: int, version: int) -> Outgoing:
    """The reply as it would leave: to the first From address alone, in the client's thread, body canonical.

    `to` is empty when the mail has no sender address: such a mail cannot be answered.
    """
    sender = email.sender
    recipient = Address(email=sender.email, name=one_line(sender.name[:_LONGEST_SUBJECT], 200))
    return Outgoing(
        case=case,
        version=version,
        to=(recipient,) if "@" in sender.email else (),
        subject=reply_subject(email.subject),
        body=canonical(body),
        in_reply_to=next(iter(_thread_ids((email.message_id,))), ""),
        references=_references(email),
    )


def reply_subject(subject: str) -> str:
    """The subject with exactly one "Re:" in front; forward marks and tags in brackets stay."""
    plain, tags = one_line(subject[:_LONGEST_SUBJECT], 500), ""
    while True:
        mark = _reply_mark().match(plain)
        shorter = plain[mark.end() :] if mark else plain
        tag = re.match(r"\[[^\[\]]{1,40}\]\s*", shorter)
        if tag and _reply_mark().match(shorter[tag.end() :]):
            tags, shorter = tags + tag.group().strip() + " ", shorter[tag.end() :]
        if shorter == plain:
            return f"Re: {tags}{plain}".rstrip()
        plain = shorter


def is_reply_subject(subject: str) -> bool:
    """Whether the subject says that the mail answers another one."""
    return bool(_reply_mark().match(one_line(subject[:_LONGEST_SUBJECT], 200)))


def is_forward_subject(subject: str) -> bool:
    """Whether the subject says that the mail is a forward, under any number of reply marks."""
    return bool(
        _forward_mark().match(reply_subject(one_line(subject[:_LONGEST_SUBJECT], 200)).removeprefix("Re:").lstrip())
    )


# ---------------------------------------------------------------- sorting lines


def _sorted(text: str) -> list[tuple[Part, str]]:
    """Every line with what it is, in order."""
    lines = _LINE_END.sub("\n", text).split("\n")
    lines = [*lines[:_MOST_LINES], *(["\n".join(lines[_MOST_LINES:])] if len(lines) > _MOST_LINES else [])]
    sorted_lines: list[tuple[Part, str]] = []
    position = 0
    while position < len(lines):
        line = lines[position]
        if _is_forward_line(line):  # what is forwarded is the message: the rest stays as it is
            return [*_without_footers(sorted_lines), ("new", ""), *(("new", rest) for rest in lines[position:])]
        if _starts_history(lines, position):
            sorted_lines += [("drop", rest) for rest in lines[position:]]
            break
        if length := _attribution(lines, position):
            sorted_lines += [("drop", rest) for rest in lines[position : position + length]]
            position += length
            if not _QUOTED.match(_next_filled(lines, position)):
                sorted_lines += [("drop", rest) for rest in lines[position:]]
                break
            continue
        sorted_lines.append(("quote" if _QUOTED.match(line) else "new", line))
        position += 1
    return _without_footers(sorted_lines)


def _without_footers(parts: list[tuple[Part, str]]) -> list[tuple[Part, str]]:
    """Signatures after "-- " and phone footers at the end of a run of new lines become dropped ones."""
    kept: list[tuple[Part, str]] = []
    run: list[str] = []
    for kind, line in [*parts, ("drop", "")]:
        if kind == "new":
            run.append(line)
            continue
        kept += _footers_dropped(run)
        kept.append((kind, line))
        run = []
    return kept[:-1]


def _footers_dropped(lines: list[str]) -> list[tuple[Part, str]]:
    end = next((at for at, line in enumerate(lines) if _SIGNATURE.match(line.strip()) and at), len(lines))
    while end and (not lines[end - 1].strip() or _is_mobile(lines[end - 1])):
        end -= 1
    return [("new", line) for line in lines[:end]] + [("drop", line) for line in lines[end:]]


def _is_mobile(line: str) -> bool:
    if len(line) > _LONGEST_FOOTER:
        return False
    bare = _LINK.sub("", line).strip(" .*_<>[]-\t")
    return bool(_mobile().fullmatch(fold(bare)))


def _starts_history(lines: list[str], at: int) -> bool:
    """Whether everything from this line on is older: "----- Original Message -----", or Outlook's header block."""
    line = lines[at].strip()
    if len(line) > _LONGEST_LINE or not line:
        return False
    if _RULE.match(line):
        bare = fold(line.strip(_DASHES + " ").rstrip(":"))
        if bare:
            return bool(_original().fullmatch(bare))
        following = [at + step for step in range(1, 4) if at + step < len(lines) and lines[at + step].strip()]
        return bool(following) and _is_block(lines, following[0])
    return _is_block(lines, at)


def _is_block(lines: list[str], at: int) -> bool:
    if _field(lines[at]) not in _names("from"):
        return False
    fields = [_field(line) for line in [line for line in lines[at + 1 : at + 14] if line.strip()][:7]]
    return all(any(field in _names(kind) for field in fields) for kind in ("date", "to"))


def _field(line: str) -> str:
    found = _FIELD.match(line[:_LONGEST_LINE])
    return fold(found.group(1)).strip("* ") if found else ""


def _is_forward_line(line: str) -> bool:
    stripped = line.strip()
    if not stripped or len(stripped) > _LONGEST_FOOTER:
        return False
    bare = stripped.strip(_DASHES + " ")
    marked = bool(_RULE.match(stripped)) or stripped.endswith((":", "："))  # noqa: RUF001
    return marked and bool(_forwarded().fullmatch(fold(bare.rstrip(":： "))))  # noqa: RUF001


def _attribution(lines: list[str], at: int) -> int:
    """How many lines an "On <date>, <name> wrote:" takes that starts here; 0 when none does."""
    joined = ""
    for length, line in enumerate(lines[at : at + 3], start=1):
        if not line.strip() or len(line) > _LONGEST_LINE or _QUOTED.match(line):
            return 0
        joined = f"{joined} {line.strip()}" if joined else line.strip()
        if not joined.rstrip(" *_-").endswith((":", "：")):  # noqa: RUF001
            continue
        if length > 1 and not _may_start(lines[at]):
            return 0
        return length if _is_attribution(joined, quote_follows=_quote_follows(lines, at + length)) else 0
    return 0


def _is_attribution(line: str, *, quote_follows: bool) -> bool:
    folded = fold(line.strip(" *_-"))
    if _DATED_ADDRESS.match(folded):
        return True
    if not (_wrote().search(folded) or any(mark in folded for mark in table("history")["wrote_joined"])):
        return bool(_quoting().match(folded)) and (quote_follows or "@" in folded)
    return quote_follows or bool(_TIME_OR_ADDRESS.search(folded) and re.search(r"\d|@", folded))


def _may_start(line: str) -> bool:
    folded = fold(line.lstrip(" *_-"))
    return bool(_starters().match(folded) or _TIME_OR_ADDRESS.search(folded)) and bool(re.search(r"\d|@", folded))


def _quote_follows(lines: list[str], at: int) -> bool:
    return bool(_QUOTED.match(_next_filled(lines, at)))


def _next_filled(lines: list[str], at: int) -> str:
    return next((line for line in lines[at : at + 4] if line.strip()), "")


def _with_context(parts: list[tuple[Part, str]]) -> Iterable[str]:
    """The new lines, and above each answer that stands under a quote the quote's last lines."""
    quoted: list[str] = []
    for kind, line in parts:
        if kind == "quote":
            quoted.append(line)
        elif kind == "new" and line.strip():
            yield from _context(quoted)
            quoted = []
            yield line
        elif kind == "new":
            yield line


def _context(quoted: list[str]) -> list[str]:
    bare = [re.sub(r"^[\s>|]+", "", line) for line in quoted]
    last = [line for line in bare if line.strip()][-_CONTEXT:]
    return ["", *(f"> {line}" for line in last)] if last else []


def _joined(lines: Iterable[str]) -> str:
    """The lines as text: no blanks at line ends, never two empty lines in a row, none at the edges."""
    stripped = [line.rstrip() for line in lines]
    kept = [line for before, line in pairwise(["", *stripped]) if line or before]
    return "\n".join(kept).strip("\n")


def _is_greeting(line: str) -> bool:
    return len(line) <= _LONGEST_GREETING and not re.search(r"[.?]\s*\S", line) and bool(_greeting().match(fold(line)))


# ---------------------------------------------------------------- thread


def _thread_ids(values: Iterable[str]) -> tuple[str, ...]:
    """The Message-IDs in these values; our own private references never leave towards a client."""
    found = (one for value in values for one in _MESSAGE_ID.findall(value))
    return tuple(dict.fromkeys(one for one in found if not one.lower().endswith("@deskhand.invalid>")))


def _references(email: Email) -> tuple[str, ...]:
    """RFC 5322, 3.6.4: the parent's References (or its single In-Reply-To) and the parent's own id."""
    older = _thread_ids(email.references) or _thread_ids(email.in_reply_to)[:1]
    ids = tuple(dict.fromkeys((*older, *_thread_ids((email.message_id,)))))
    # RFC 5537, 3.4.4: when it grows too long, the first and the last ones are what threads hang on.
    return ids if len(ids) <= _MOST_REFERENCES else (ids[0], *ids[-(_MOST_REFERENCES - 1) :])


# ---------------------------------------------------------------- word lists, compiled once


@cache
def _wrote() -> re.Pattern[str]:
    return phrases(table("history")["wrote"])


@cache
def _quoting() -> re.Pattern[str]:
    return phrases(table("history")["quoting"])


@cache
def _starters() -> re.Pattern[str]:
    return phrases(table("history")["starters"])


@cache
def _original() -> re.Pattern[str]:
    return phrases(table("history")["original"])


@cache
def _forwarded() -> re.Pattern[str]:
    return phrases(table("history")["forwarded"])


@cache
def _mobile() -> re.Pattern[str]:
    return phrases(table("history")["signature"]["mobile"])


@cache
def _greeting() -> re.Pattern[str]:
    return phrases(table("history")["greeting"]["words"])


@cache
def _names(kind: str) -> frozenset[str]:
    return frozenset(fold(name) for name in table("history")["block"][kind])


@cache
def _reply_mark() -> re.Pattern[str]:
    return _marks("reply")


@cache
def _forward_mark() -> re.Pattern[str]:
    return _marks("forward")


def _marks(kind: str) -> re.Pattern[str]:
    words = "|".join(re.escape(word) for word in table("history")["subject"][kind])
    return re.compile(rf"(?:{words})\s?(?:\[\d{{1,3}}\]|\(\d{{1,3}}\)|\^\d{{1,3}})?\s?[:：]\s*", re.IGNORECASE)  # noqa: RUF001
