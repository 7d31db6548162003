"""One mail that asks about many cases: a digest of what is new, or a reminder of what waits. One shape for both.

Each draft is shown whole between its own lines, as in the mail about one case, so that a yes here is a yes to that
text. The answer names cases by number: decisions.parse_items.
"""

import hashlib
import json
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Literal

from workflows.models.drafts import Brief
from workflows.models.people import Owner
from workflows.rules.asking.approval import (
    FIRST_LINE,
    ApprovalMail,
    Question,
    cut,
    hold_lines,
    item_lines,
    person,
    tagged,
    texts,
)
from workflows.rules.text import calendar
from workflows.rules.text.languages import filled, words_in

MOST_ITEMS = 10
LARGEST = 60_000
"""Bytes of text of one mail."""
_FRAME = 2_000  # bytes kept for what stands around the items
_NAMES = 10

Kind = Literal["digest", "nudge"]


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestRow:
    """One case as it is shown; `question` is None where there is no draft, and `hold` says why."""

    case: int
    version: int
    hash: str
    brief: Brief
    question: Question | None = None
    hold: str = ""


def seal(items: Sequence[DigestRow]) -> str:
    """What the nonce of such a mail is bound to: its rows."""
    rows = [[item.case, item.version, item.hash] for item in items]
    return hashlib.sha256(json.dumps(rows).encode("ascii")).hexdigest()


def batches(items: Sequence[DigestRow], owner: Owner) -> list[list[DigestRow]]:
    """The items in as many mails as they need, in order: at most 10 and 60 kB each."""
    mails: list[list[DigestRow]] = []
    size = 0
    for item in items:
        length = item_size(item, owner)
        if not mails or len(mails[-1]) == MOST_ITEMS or size + length > LARGEST - _FRAME:
            mails.append([])
            size = 0
        mails[-1].append(item)
        size += length
    return mails


def fits(item: DigestRow, owner: Owner) -> bool:
    """Whether a mail for many cases can show this one at all."""
    return item_size(item, owner) <= LARGEST - _FRAME


def item_size(item: DigestRow, owner: Owner) -> int:
    """Bytes that it adds to the text."""
    return len("\n".join(_lines(item, owner)).encode()) + 2


def render(kind: Kind, number: int, nonce: str, items: Sequence[DigestRow], owner: Owner) -> ApprovalMail:
    """The mail. `number` and `nonce` stand in its marker line as 0.<number>.<nonce>."""
    names = list(dict.fromkeys(person(item.brief) for item in items))
    headline = f"{_counted(kind, len(items), owner)}: {', '.join(names[:_NAMES])}"
    parts = [
        _first_line(headline, items, owner),
        f"----- answer above this line · 0.{number}.{nonce} -----",
        _how_to_answer(items, owner),
    ]
    for item in items:
        parts += ["", *_lines(item, owner)]
    tag = "digest" if kind == "digest" else "reminder"
    return ApprovalMail(subject=tagged(headline, f"[Deskhand {tag} {number}]"), text="\n".join(parts) + "\n")


def _how_to_answer(items: Sequence[DigestRow], owner: Owner) -> str:
    """The words that can be answered with; one case alone needs no number."""
    words = texts(owner)
    if len(items) == 1:
        return words["answer" if items[0].question else "hold"]
    first, second = (items[0].case, items[1].case) if items else (0, 0)
    return words["items"].format(first=first, second=second)


def _lines(item: DigestRow, owner: Owner) -> list[str]:
    if item.question is None:
        return hold_lines(item.case, item.hold, item.brief, owner)
    return item_lines(item.question)


def _first_line(said: str, items: Sequence[DigestRow], owner: Owner) -> str:
    ends: list[datetime] = [item.question.expires_at for item in items if item.question]
    deadline = f". {calendar.answer_by(min(ends), owner)}" if ends else "."
    return f"{cut(said, FIRST_LINE - len(deadline))}{deadline}"


def _counted(kind: Kind, number: int, owner: Owner) -> str:
    wording = words_in(owner.language, "digest")
    stem = "waits" if kind == "nudge" else "new"
    return filled(wording[f"{stem}_one" if number == 1 else f"{stem}_many"], count=number)
