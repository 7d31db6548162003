"""What a delivery report says: which mail it speaks of, who did not get it, and why in the owner's words.

RFC 3464 reports, and the free texts of Postfix, Exim, qmail, Exchange, Gmail and their kin. Pure and total: a report
that says nothing usable gives empty fields, and mail that is no report gives None.
"""

import re
from collections.abc import Collection
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from workflows.models.mail import Email
from workflows.rules.mail import machines
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold, phrases, table

Kind = Literal["failed", "delayed"]

_READ = 40_000  # characters: the longest reports repeat our own mail below
_SUMMARY = 12  # lines in which a report may say what mail it is about, before whom it did not reach
_MOST = 50  # people and ids of one report
_LONGEST_QUOTE = 240
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}")
_NAMED = re.compile(r"[^\s<>;,\"]{1,64}@[^\s<>;,\"]{1,255}")
_X400 = re.compile(r"\bsmtp ?[=:]", re.IGNORECASE)  # "c=US;...;dda:SMTP=tom@reyes.example;"
_BARE_NAME = re.compile(r"[ \t]+([A-Za-z][\w.-]{1,63})[ \t]*$")
_HEADER_LINE = re.compile(
    r"(?:date|from|to|subject|sender|cc|reply-to|thread-\w+|x-[\w-]+|list-[\w-]+)[ \t]*:", re.IGNORECASE
)
_MESSAGE_ID = re.compile(r"^[ \t>|]{0,8}message-id[ \t]{0,4}:\s{0,4}(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(
    r"^(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]{0,4}:(.*)$", re.IGNORECASE
)
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SMTP = re.compile(r"(?<![\d.])[45]\d\d[ -](?:\d\.\d|[^\d\s])")
_PERMANENT = "5"
_HELPERS = frozenset(
    ("postmaster", "abuse", "support", "helpdesk", "admin", "noreply", "no-reply", "mailer-daemon", "info")
)
"""Whom a report tells to ask, not who was not reached."""
_COPY = re.compile(
    r"^[ \t>|]{0,8}(?:received|message-id|return-path|mime-version)[ \t]{0,4}:",
    re.IGNORECASE | re.MULTILINE,
)
_TO = re.compile(r"^[ \t>|]{0,8}(?:to|cc|rcpt to)[ \t]{0,4}:[ \t]*(.{1,2000})", re.IGNORECASE | re.MULTILINE)
_ACTIONS: dict[str, Kind] = {
    "failed": "failed", "failure": "failed", "fail": "failed", "expired": "failed", "undeliverable": "failed",
    "undelivered": "failed", "error": "failed", "bounced": "failed", "rejected": "failed",
    "delayed": "delayed", "delay": "delayed", "deferred": "delayed", "queued": "delayed", "retrying": "delayed",
    "warning": "delayed",
}  # fmt: skip
_ARRIVED = frozenset(("delivered", "relayed", "expanded", "success", "successful"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounce:
    """A report on one of our mails. `reason` and `mend` are plain words; `quote` is the server's own, one line."""

    kind: Kind
    recipients: tuple[str, ...]  # lower case, who did not get it; may be empty
    message_ids: tuple[str, ...]  # of the mail it speaks of, with angle brackets; may be empty
    reason: str
    mend: str
    quote: str = ""
    status: str = ""  # "5.1.1"


@dataclass(frozen=True, slots=True)
class _Group:
    """What a report says of one recipient."""

    recipient: str
    action: str
    status: str
    diagnostic: str
    arrived: bool  # its status is one of success


def read(email: Email) -> Bounce | None:
    """The report as a value; None when the mail is no report of a failure or a delay."""
    if machines.bounce(email) is None:
        return None
    text = email.text[:_READ]
    groups = _groups(text)
    if groups:
        return _from_groups(email, text, groups)
    report = f"{email.subject}\n{_above_copy(text)}"
    if _says(report, "arrived") and not _says(report, "trouble"):
        return None
    return _from_words(email, text)


# ---------------------------------------------------------------- RFC 3464


def _groups(text: str) -> tuple[_Group, ...]:
    """The per-recipient fields, in order; a folded line belongs to the one before."""
    groups: list[dict[str, str]] = []
    field = ""
    for line in text.split("\n"):
        match = _FIELD.match(line)
        if match is None:
            if field and line[:1] in {" ", "\t"} and groups:
                groups[-1][field] += f" {line.strip()}"
            else:
                field = ""
            continue
        field = match[1].lower()
        if not groups or field in groups[-1]:
            groups.append({})
        groups[-1].setdefault(field, match[2].strip())
    return tuple(_group(fields) for fields in groups[:_MOST] if "action" in fields)


def _group(fields: dict[str, str]) -> _Group:
    # The address that we wrote to counts; the final one may be where they forward it to.
    named = fields.get("original-recipient") or fields.get("final-recipient", "")
    address = _NAMED.search(named.partition(";")[2] or named)  # as it was written, for it may be no address at all
    return _Group(
        recipient=address.group().lower().strip("'") if address else "",
        action=fields["action"].split("(")[0].strip().lower(),
        status=_status(fields.get("status", "")),
        arrived=fields.get("status", "").startswith("2."),
        diagnostic=fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("diagnostic-code", ""),
    )


def _from_groups(email: Email, text: str, groups: tuple[_Group, ...]) -> Bounce | None:
    meant = [(_meant(group), group) for group in groups]
    kind: Kind | None = next(
        (kind for kind in ("failed", "delayed") if any(kind == meaning for meaning, _ in meant)), None
    )
    if kind is None:
        return None  # delivered, relayed, expanded: it arrived
    affected = [group for meaning, group in meant if meaning == kind]
    status = next((group.status for group in affected if group.status), "")
    diagnostic = next((group.diagnostic for group in affected if group.diagnostic), "")
    if status.endswith(".0.0"):
        status = _status(diagnostic) or status
    cause = _why(status, diagnostic or _above_copy(text))
    return Bounce(
        kind=kind,
        recipients=tuple(dict.fromkeys(group.recipient for group in affected if group.recipient))
        or _people(email, f"{email.subject}\n{_above_copy(text)}", text),
        message_ids=_ids(email, text),
        reason=cause["says"],
        mend=cause["mend"],
        quote=_quoted(diagnostic),
        status=status,
    )


def _meant(group: _Group) -> Kind | None:
    """What an action says; servers use words of their own, and then the status decides. None: it arrived."""
    word = group.action.strip('"<> .')
    if word in _ACTIONS:
        return _ACTIONS[word]
    if word in _ARRIVED or group.arrived:
        return None
    return "delayed" if group.status.startswith("4") else "failed"


# ---------------------------------------------------------------- free text


def _from_words(email: Email, text: str) -> Bounce:
    report = f"{email.subject}\n{_above_copy(text)}"
    delayed = _says(report, "still") or (_says(report, "delayed") and not _says(report, "failed"))
    kind: Kind = "delayed" if delayed else "failed"
    status, server_line = _status(report), _server_line(report)
    cause = _why(status, report)
    return Bounce(
        kind=kind,
        recipients=_people(email, report, text),
        message_ids=_ids(email, text),
        reason=cause["says"],
        mend=cause["mend"],
        quote=_quoted(server_line),
        status=status,
    )


def _above_copy(text: str) -> str:
    """The report's own words: what stands above the copy of our mail."""
    lines = text.split("\n")
    for number, line in enumerate(lines):
        if number and (_COPY.match(line) or _is_header(lines, number)):
            return "\n".join(lines[:number])
        if begins := _pattern("copy").search(fold(line[:_LONGEST_QUOTE])):
            # A report of HTML may be one line: then the copy begins within it.
            return "\n".join(lines[:number]) if number else fold(line)[: begins.start()]
    return text


def _is_header(lines: list[str], at: int) -> bool:
    """Whether the header of a mail begins here: two of its lines, one below the other, and no report goes on below."""
    if not all(_HEADER_LINE.match(line) for line in (lines[at : at + 2] if at + 1 < len(lines) else [""])):
        return False
    return not any(_says(line[:_LONGEST_QUOTE], "lead") for line in lines[at : at + _SUMMARY])


def _people(email: Email, told: str, text: str) -> tuple[str, ...]:
    """Who is named as not reached: by a header for it, by the report's own words, else by the copy of our mail."""
    below = _below_lead(told)
    sources = (
        email.header("x-failed-recipients"),
        below,
        _bare_names(email, below),
        told,
        "\n".join(_TO.findall(text)),
    )
    ids, excluded = _ids(email, text), {address.email.lower() for address in (*email.senders, *email.to)}
    for source in sources:
        people = dict.fromkeys(address.lower().strip("'.") for address in _ADDRESS.findall(_X400.sub(" ", source)))
        named = [address for address in people if _may_be_meant(address, excluded) and f"<{address}>" not in ids]
        if named:
            return tuple(named)[:_MOST]
    return ()


def _may_be_meant(address: str, own: Collection[str]) -> bool:
    return address not in own and address.split("@", maxsplit=1)[0] not in _HELPERS


def _below_lead(told: str) -> str:
    """What stands below "the following recipients could not be reached:"."""
    lines = told.split("\n")
    at = next((number for number, line in enumerate(lines) if _says(line[:_LONGEST_QUOTE], "lead")), len(lines))
    return "\n".join(lines[at + 1 :])


def _bare_names(email: Email, below: str) -> str:
    """Names without a domain: the server speaks of its own mailboxes."""
    domain = email.sender.email.partition("@")[2]
    names = (match[1] for line in below.split("\n")[:_MOST] if (match := _BARE_NAME.match(line)))
    return " ".join(f"{name}@{domain}" for name in names) if domain and "@" not in below else ""


def _server_line(told: str) -> str:
    """The line in which a server speaks: the one with a reply code."""
    return next((line for line in told.split("\n") if _SMTP.search(line) or _CODE.search(line)), "")


# ---------------------------------------------------------------- why


def _why(status: str, said: str) -> dict[str, str]:
    """By the words first, for servers give the right words under a wrong code; by the code when they say nothing."""
    words, code = fold(said[:_READ]), status.partition(".")[2]
    for kind in table("bounces")["kind"]:
        if _phrases_of(kind["name"]).search(words):
            return _told(kind)
    for pattern in (code, f"{code.partition('.')[0]}.*"):
        for kind in table("bounces")["kind"]:
            if code and pattern in kind["codes"]:
                return _told(kind)
    return {
        "says": "their server did not take it and gave no reason that Deskhand knows",
        "mend": "Its own words may tell more; else reach them another way.",
    }


def _told(kind: dict[str, Any]) -> dict[str, str]:
    return {"says": kind["says"], "mend": kind["mend"]}


def _status(text: str) -> str:
    """The first enhanced status code that is a failure; "" when there is none."""
    codes = _CODE.findall(text)
    failures = [parts for parts in codes if parts[0] == _PERMANENT] or [parts for parts in codes if parts[0] == "4"]
    return ".".join(failures[0]) if failures else ""


def _ids(email: Email, text: str) -> tuple[str, ...]:
    """The Message-IDs of the mail it speaks of, in the order of trust: the copy's own, then what the report answers."""
    return tuple(dict.fromkeys((*_MESSAGE_ID.findall(text), *email.parents)))[:_MOST]


def _says(text: str, which: str) -> bool:
    return bool(_pattern(which).search(fold(text)))


def _quoted(text: str) -> str:
    return one_line(text[: 4 * _LONGEST_QUOTE], _LONGEST_QUOTE)


@cache
def _pattern(which: str) -> re.Pattern[str]:
    return phrases(table("bounces")["free_text"][which])


@cache
def _phrases_of(name: str) -> re.Pattern[str]:
    return phrases(next(kind["phrases"] for kind in table("bounces")["kind"] if kind["name"] == name))
