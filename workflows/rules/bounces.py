"""What a delivery report says: which mail it speaks of, who did not get it, and why in the owner's words.

RFC 3464 reports, and the free texts of Postfix, Exim, qmail, Exchange, Gmail and their kin. Pure and total: a report
that says nothing usable gives empty fields, and mail that is no report gives None.
"""

import re
from dataclasses import dataclass
from functools import cache
from typing import Any, Literal

from workflows.models import Email
from workflows.rules import machines
from workflows.rules.canonical import one_line
from workflows.rules.words import fold, phrases, table

Kind = Literal["failed", "delayed"]

_READ = 40_000  # characters: the longest reports repeat our own mail below
_MOST = 50  # people and ids of one report
_LONGEST_QUOTE = 240
_ADDRESS = re.compile(r"[\w.!#$%&'*+/=?^`{|}~-]{1,64}@[\w-]{1,63}(?:\.[\w-]{1,63}){1,10}")
_MESSAGE_ID = re.compile(r"^[ \t>|]{0,8}message-id[ \t]{0,4}:\s{0,4}(<[^<>\s]{1,900}>)", re.IGNORECASE | re.MULTILINE)
_FIELD = re.compile(
    r"^(final-recipient|original-recipient|action|status|diagnostic-code)[ \t]{0,4}:(.*)$", re.IGNORECASE
)
_CODE = re.compile(r"(?<![\d.])([245])\.(\d{1,3})\.(\d{1,3})(?![\d.])")
_SMTP = re.compile(r"(?<![\d.])[45]\d\d[ -](?:\d\.\d|[^\d\s])")
_PERMANENT = "5"


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


def read(email: Email) -> Bounce | None:
    """The report as a value; None when the mail is no report of a failure or a delay."""
    if machines.bounce(email) is None:
        return None
    text = email.text[:_READ]
    groups = _groups(text)
    if groups:
        return _from_groups(email, text, groups)
    if machines.has_report(email) and not _says(text, "failed") and not _says(text, "delayed"):
        return None
    return _from_words(email, text)


# ---------------------------------------------------------------- RFC 3464


def _groups(text: str) -> tuple[_Group, ...]:
    """The per-recipient fields, in order; a folded line belongs to the one before."""
    groups: list[dict[str, str]] = []
    field = ""
    for line in text.split("\n"):
        found = _FIELD.match(line)
        if found is None:
            if field and line[:1] in {" ", "\t"} and groups:
                groups[-1][field] += f" {line.strip()}"
            else:
                field = ""
            continue
        field = found[1].lower()
        if not groups or field in groups[-1]:
            groups.append({})
        groups[-1].setdefault(field, found[2].strip())
    return tuple(_group(one) for one in groups[:_MOST] if "action" in one)


def _group(fields: dict[str, str]) -> _Group:
    # The address that we wrote to counts; the final one may be where they forward it to.
    named = fields.get("original-recipient") or fields.get("final-recipient", "")
    address = _ADDRESS.search(named.partition(";")[2] or named)
    return _Group(
        recipient=address.group().lower() if address else "",
        action=fields["action"].split("(")[0].strip().lower(),
        status=_status(fields.get("status", "")),
        diagnostic=fields.get("diagnostic-code", "").partition(";")[2].strip() or fields.get("diagnostic-code", ""),
    )


def _from_groups(email: Email, text: str, groups: tuple[_Group, ...]) -> Bounce | None:
    kinds: tuple[Kind, ...] = ("failed", "delayed")
    kind = next((kind for kind in kinds if any(group.action == kind for group in groups)), None)
    if kind is None:
        return None  # delivered, relayed, expanded: it arrived
    those = [group for group in groups if group.action == kind]
    status = next((group.status for group in those if group.status), "")
    said = next((group.diagnostic for group in those if group.diagnostic), "")
    if status.endswith(".0.0"):
        status = _status(said) or status
    why = _why(status, said or _above_copy(text))
    return Bounce(
        kind=kind,
        recipients=tuple(dict.fromkeys(group.recipient for group in those if group.recipient)),
        message_ids=_ids(email, text),
        reason=why["says"],
        mend=why["mend"],
        quote=_quoted(said),
        status=status,
    )


# ---------------------------------------------------------------- free text


def _from_words(email: Email, text: str) -> Bounce:
    told = f"{email.subject}\n{_above_copy(text)}"
    kind: Kind = "delayed" if _says(told, "delayed") and not _says(told, "failed") else "failed"
    status, said = _status(told), _server_line(told)
    why = _why(status, told)
    return Bounce(
        kind=kind,
        recipients=_people(email, told),
        message_ids=_ids(email, text),
        reason=why["says"],
        mend=why["mend"],
        quote=_quoted(said),
        status=status,
    )


def _above_copy(text: str) -> str:
    """The report's own words: what stands above the copy of our mail."""
    lines = text.split("\n")
    starts = _pattern("copy")
    end = next((number for number, line in enumerate(lines) if starts.search(fold(line[:_LONGEST_QUOTE]))), len(lines))
    return "\n".join(lines[:end])


def _people(email: Email, told: str) -> tuple[str, ...]:
    """Who is named as not reached: the header for it, else every address in the report's own words."""
    header = _ADDRESS.findall(email.header("x-failed-recipients"))
    own = {one.email.lower() for one in (*email.senders, *email.to)}
    found = (one.lower().rstrip(".") for one in header or _ADDRESS.findall(told))
    return tuple(dict.fromkeys(one for one in found if one not in own))[:_MOST]


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
    for wanted in (code, f"{code.partition('.')[0]}.*"):
        for kind in table("bounces")["kind"]:
            if code and wanted in kind["codes"]:
                return _told(kind)
    return {
        "says": "their server did not take it and gave no reason that Deskhand knows",
        "mend": "Its own words may tell more; else reach them another way.",
    }


def _told(kind: dict[str, Any]) -> dict[str, str]:
    return {"says": kind["says"], "mend": kind["mend"]}


def _status(text: str) -> str:
    """The first enhanced status code that is a failure; "" when there is none."""
    found = _CODE.findall(text)
    failures = [parts for parts in found if parts[0] == _PERMANENT] or [parts for parts in found if parts[0] == "4"]
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
