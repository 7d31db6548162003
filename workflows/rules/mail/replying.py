"""A client's mail, read and answered: what is new in it, and the frame of the reply.

Its lines are sorted first (`history.py`); everything else reads from that.
"""

import re
from collections.abc import Iterable
from functools import cache
from itertools import pairwise

from workflows.models.drafts import Outgoing
from workflows.models.mail import Address, Email
from workflows.rules.mail import history, sign_offs
from workflows.rules.mail.forms import as_written_by
from workflows.rules.mail.gateways import without_banner
from workflows.rules.mail.history import sort_lines
from workflows.rules.mail.sign_offs import Line
from workflows.rules.mail.subjects import is_reply_subject, reply_subject
from workflows.rules.text import heads
from workflows.rules.text.canonical import canonical, one_line
from workflows.rules.text.words import counted, fold, phrases, table
from workflows.rules.text.writers import NOBODY, Addressee, says_more

_LINE_END = re.compile(r"\r\n?|[\u2028\u2029\x0b\x0c\x85]")
_MESSAGE_ID = re.compile(r"<[^<>\s]{1,900}>")
_SENTENCE_END = re.compile(r"(?<=[.!?。！？])\s+")  # noqa: RUF001
_LONGEST_GIST = 2000
_LONGEST_SUBJECT = 1000  # characters of a subject that are looked at
_LONGEST_GREETING = 80
_MOST_REFERENCES = 50
_CONTEXT = 2  # quoted lines kept above an answer that is written under them


def new_part(text: str, earlier: Iterable[str] = (), addressee: Addressee = NOBODY) -> str:
    """What the sender wrote this time: without history, signature and phone footers; never empty for a non-empty text.

    Answers written under quoted lines keep the last two quoted lines above them, marked "> ". `earlier`: the mails that
    this one answers, as far as they are known: their words are older wherever they stand. `addressee`: who is answered.
    """
    parts = sort_lines(text, earlier, addressee)
    if not _has_new(parts):
        return text.strip() and _LINE_END.sub("\n", text).strip()
    return _joined(_with_context(parts))


def written(text: str, earlier: Iterable[str] = ()) -> str:
    """The sender's own lines alone, not one quoted word among them; may be empty."""
    return _joined(line for kind, line in sort_lines(text, earlier) if kind == "new")


def everything_written(text: str, earlier: Iterable[str] = (), addressee: Addressee = NOBODY) -> str:
    """All that may be the sender's: `written`, and what hides in a signature, in a head, or where it looks older.

    Not what is quoted, what is known from `earlier`, and the older words of the one who is answered.
    """
    parts = sort_lines(text, earlier, addressee)
    new = (line for kind, line in parts if kind == "new")
    signature = sign_offs.small_print(line for kind, line in parts if kind == "signature")
    return _joined([*new, *_unseen(parts, addressee), *signature])


def maybe_older(text: str, earlier: Iterable[str] = (), addressee: Addressee = NOBODY) -> str:
    """What `new_part` does not show and nobody quoted, where nobody knows whose words it is; "" when there is none."""
    parts = sort_lines(text, earlier, addressee)
    return _joined(_unseen(parts, addressee)) if _has_new(parts) else ""


def left_out(text: str, earlier: Iterable[str] = (), addressee: Addressee = NOBODY) -> str:
    """What `new_part` leaves out although nothing marks it as quoted, in one sentence for the owner; "" when nothing.

    It is most likely older, but only a known older mail would prove it.
    """
    parts = sort_lines(text, earlier, addressee)
    runs = history.left_out(parts) if _has_new(parts) else ()
    pieces = ", ".join(f"{counted(run.lines, 'line')} below “{run.below}”" for run in runs)
    return f"Not shown, taken for an older mail: {pieces}. The whole lies in your mailbox." if pieces else ""


def _unseen(parts: Iterable[Line], addressee: Addressee) -> Iterable[str]:
    """The lines that look older and may be new: below a head that names somebody else, and within any head."""
    head: list[str] = []
    for kind, line in [*parts, ("drop", "")]:
        if kind == "head":
            head.append(line)
            continue
        yield from _of_head(head, addressee, is_theirs=kind == "older")
        head = []
        if kind == "older":
            yield line


def _of_head(head: Iterable[str], addressee: Addressee, *, is_theirs: bool) -> Iterable[str]:
    """What of a head may be a person's words: no field of a header that only says what the older mail was about."""
    for line in head:
        kind, value = heads.kind_of_field(line)
        is_new = is_theirs and kind != "to" and not (kind == "subject" and is_reply_subject(value))
        is_program = kind or heads.is_ruled(line) or heads.is_flat(line) or heads.asks_above(line)
        if is_new or (not is_program and says_more(line, addressee)):
            yield line


def _has_new(parts: Iterable[Line]) -> bool:
    return any(kind == "new" and line.strip() for kind, line in parts)


def gist(text: str, limit: int = 90) -> str:
    """The first sentence that says something, on one line of at most `limit` characters."""
    lines = without_banner([line for line in new_part(text).split("\n") if line.strip() and not line.startswith(">")])
    body_lines = lines[1:] if len(lines) > 1 and _is_greeting(lines[0]) else lines
    first = next(
        (
            part
            for part in _SENTENCE_END.split(one_line("\n".join(body_lines)[:_LONGEST_GIST], _LONGEST_GIST))
            if len(part) > 1
        ),
        "",
    )
    return first if len(first) <= limit else first[: max(limit - 1, 0)].rstrip() + "…"[:limit]


def reply_to(email: Email, body: str, case: int, version: int) -> Outgoing:
    """The reply as it would leave: to the first From address alone, in the client's thread, body canonical.

    What came through a web form is answered to its visitor.

    `to` is empty when the mail has no sender address: such a mail cannot be answered.
    """
    sender = as_written_by(email).sender
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


# ---------------------------------------------------------------- joining lines


def _with_context(parts: Iterable[Line]) -> Iterable[str]:
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
    spaced = [line for before, line in pairwise(["", *stripped]) if line or before]
    return "\n".join(spaced).strip("\n")


def greets_somebody(text: str) -> bool:
    """Whether a text begins with a greeting."""
    first = next((line for line in text.split("\n") if line.strip()), "")
    return bool(_greeting().match(fold(first[:_LONGEST_GREETING])))


def _is_greeting(line: str) -> bool:
    return len(line) <= _LONGEST_GREETING and not re.search(r"[.?]\s*\S", line) and bool(_greeting().match(fold(line)))


# ---------------------------------------------------------------- thread


def _thread_ids(values: Iterable[str]) -> tuple[str, ...]:
    """The Message-IDs in these values; our own private references never leave towards a client."""
    message_ids = (message_id for value in values for message_id in _MESSAGE_ID.findall(value))
    return tuple(
        dict.fromkeys(message_id for message_id in message_ids if not message_id.lower().endswith("@deskhand.invalid>"))
    )


def _references(email: Email) -> tuple[str, ...]:
    """RFC 5322, 3.6.4: the parent's References (or its single In-Reply-To) and the parent's own id."""
    older = _thread_ids(email.references) or _thread_ids(email.in_reply_to)[:1]
    ids = tuple(dict.fromkeys((*older, *_thread_ids((email.message_id,)))))
    # RFC 5537, 3.4.4: when it grows too long, the first and the last ones are what threads hang on.
    return ids if len(ids) <= _MOST_REFERENCES else (ids[0], *ids[-(_MOST_REFERENCES - 1) :])


# ---------------------------------------------------------------- word lists, compiled once


@cache
def _greeting() -> re.Pattern[str]:
    return phrases(table("history")["greeting"]["words"])
