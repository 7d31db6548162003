"""Proposals as the owner reads them: one line each, with every argument. Pure."""

import hashlib
import re
from collections.abc import Iterable, Iterator
from datetime import datetime

from workflows.models.proposals import Proposal
from workflows.rules.text.canonical import one_line

BOOK, ATTACH = "calendar.book", "file.attach"
MOST_PROPOSALS = 5
MOST_OF_ARGUMENTS = 2_000
"""Characters of all arguments of one proposal: what nobody reads in a mail is not proposed."""


def booking(begins: datetime, ends: datetime, title: str, note: str = "") -> Proposal:
    """To enter this time in the owner's calendar after the yes."""
    arguments = (("begins", begins.isoformat()), ("ends", ends.isoformat()), ("title", one_line(title, 200)))
    return Proposal(
        key="booking", tool=BOOK, permission="write", says="Enters the time in your calendar",
        arguments=(*arguments, ("note", note)) if note else arguments,
    )  # fmt: skip


def entry_name(key: str) -> str:
    """Under which name, and uid, the calendar holds what this errand entered."""
    return hashlib.sha256(key.encode()).hexdigest()[:32]


def beginning_of(proposals: Iterable[Proposal]) -> datetime | None:
    """When the time begins that one of these enters; None where none does."""
    begins = (str(dict(proposal.arguments).get("begins", "")) for proposal in proposals if proposal.tool == BOOK)
    try:
        return next((datetime.fromisoformat(moment) for moment in begins), None)
    except ValueError:
        return None


def attaching(name: str) -> Proposal:
    """To attach one of the owner's files: shown with size and hash like any other, and part of the mail."""
    return Proposal(key=f"attach {name}", tool=ATTACH, permission="write", arguments=(("name", name),))


def proposal_lines(proposals: Iterable[Proposal]) -> Iterator[str]:
    """`Does after the yes: booking: Books Thu 3 Dec 10:00 (calendar.book, write: begins "...", ends "...")`."""
    for proposal in proposals:
        arguments = ", ".join(f"{one_line(name)} {_shown(value)}" for name, value in proposal.arguments)
        says = one_line(proposal.says, 200).rstrip(".")
        does = f"{one_line(proposal.tool)}, {proposal.permission}: {arguments or 'nothing further'}"
        yield f"Does after the yes: {one_line(proposal.key)}: {f'{says} ({does})' if says else does}"


def _shown(value: object) -> str:
    if isinstance(value, str):
        return f'"{one_line(value)}"'
    if isinstance(value, tuple):
        return f"[{', '.join(map(_shown, value))}]"
    return str(value)


def still_meant(proposals: Iterable[Proposal], body: str) -> tuple[Proposal, ...]:
    """Those that go with a text of the owner's own: a time that it names no more is not entered."""
    return tuple(one for one in proposals if one.tool != BOOK or _names_beginning(one, body))


def _names_beginning(proposal: Proposal, body: str) -> bool:
    """`10:00`, `10.00`, `10h00`, or the bare hour, on the owner's clock or by twelve hours."""
    begins = re.search(r"T(\d\d):(\d\d)", str(dict(proposal.arguments).get("begins", "")))
    if begins is None:
        return True
    hour, minutes = int(begins[1]), begins[2]
    clock = r"(?:[:.h]\s?00|h)?" if minutes == "00" else rf"[:.h]\s?{minutes}"
    return any(re.search(rf"(?<![\d:.])0?{one}{clock}(?!\d|[:.]\d)", body) for one in (hour, hour % 12 or 12))


def too_much(proposals: Iterable[Proposal]) -> str:
    """Why these cannot stand in one approval mail, "" when they can."""
    listed = tuple(proposals)
    if len(listed) > MOST_PROPOSALS:
        return f"The draft proposes {len(listed)} things to do; at most {MOST_PROPOSALS} are shown and done."
    if len({proposal.key for proposal in listed}) < len(listed):
        return "The draft proposes two things under one name."
    if any(len(repr(proposal.arguments)) > MOST_OF_ARGUMENTS for proposal in listed):
        return f"The draft proposes something with more than {MOST_OF_ARGUMENTS:,} characters of arguments."
    return ""
