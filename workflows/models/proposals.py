"""Proposals: things to do that stand beside a draft, are approved with it, and are done once after the yes."""

from dataclasses import dataclass
from typing import Literal

Argument = bool | int | float | str | tuple[str, ...]
Changing = Literal["write", "send"]
"""What a tool that changes something may do, in the words of a plugin's TOOLS."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Proposal:
    """One thing to do. `key` names it among those of its version, and is the word it is struck out by."""

    key: str
    tool: str  # "calendar.book", or the name of a plugin's tool
    permission: Changing
    arguments: tuple[tuple[str, Argument], ...] = ()
    says: str = ""  # what it does, in one sentence


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """A proposal that was approved, and how far it came. `fresh`: it was begun just now, by whoever asked."""

    key: str  # given to the tool: the same each time it is asked for
    proposal: Proposal
    state: Literal["begun", "done", "failed", "unknown"]
    outcome: str = ""  # for the owner
    fresh: bool = False
