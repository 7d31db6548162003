"""Promises: what the owner said in sent mail that they will do, and until when."""

from dataclasses import dataclass
from datetime import date, datetime
from typing import Literal

PromiseState = Literal["open", "kept", "dropped"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Pledge:
    """One promise as a mail makes it. `about`: the words by which what was promised is known again, folded."""

    sentence: str
    kind: Literal["send", "do"]
    due: date | None = None  # in the owner's zone; None where no day was named
    about: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnPromise:
    """A promise on record, with its number and how it stands. `mail`: the source id of the mail that made it."""

    id: int
    client: str
    mail: str
    pledge: Pledge
    at: datetime
    state: PromiseState = "open"
    told: int = 0  # 1: the owner was reminded of it, 2: also that it is overdue

    @property
    def source(self) -> str:
        """What a brief calls it: "promise:3"."""
        return f"promise:{self.id}"
