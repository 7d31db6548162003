"""What was found out about a lead: each fact with the page it stands on and the words that say it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Row, select

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import findings
from workflows import older

NOTE = "note"
"""The kind of a row that is no fact but a word on the search itself ("their site did not answer")."""
NO_PAGE = "no page"
"""The kind of the one that says that there was nothing to look at: no news to who has read the post."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """One fact. `kind`: title | about | company | contact | fact; a word on the search itself: note | no page."""

    kind: str
    text: str
    url: str = ""
    quote: str = ""  # words that really stand on that page

    @property
    def is_fact(self) -> bool:
        return self.kind not in {NOTE, NO_PAGE}


class Findings(Book):
    """The facts of each case, in order; a case is looked into once."""

    def keep_findings(self, case: int, found: Sequence[Finding]) -> bool:
        """Keep what was found; False when the case has been looked into before, and nothing is changed."""
        rows = found or (Finding(kind=NOTE, text="Nothing was found."),)
        with self._writing() as connection:
            if connection.execute(select(findings.c.case).where(findings.c.case == case).limit(1)).first():
                return False
            for position, finding in enumerate(rows, start=1):
                connection.execute(
                    insert(findings).values(
                        case=case,
                        position=position,
                        kind=finding.kind,
                        text=finding.text,
                        url=finding.url,
                        quote=finding.quote,
                        at=self._clock.now(),
                    )
                )
        return True

    def findings(self, case: int) -> tuple[Finding, ...]:
        """Everything kept for the case, notes included; () when it was never looked into."""
        query = select(findings).where(findings.c.case == case).order_by(findings.c.position)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(Finding(kind=_kind(row), text=row.text, url=row.url, quote=row.quote) for row in rows)


def _kind(row: Row[Any]) -> str:
    return older.code_of("findings", row.text) if row.kind == NOTE else str(row.kind)
