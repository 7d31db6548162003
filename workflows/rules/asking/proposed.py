"""Proposals as the owner reads them: one line each, with every argument. Pure."""

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
