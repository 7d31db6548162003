"""Held slots: the times that drafts offer, so that no two clients are offered the same one."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Final

from sqlalchemy import Select, delete, insert, select, update

from memory.record.book import Book
from memory.record.schema import cases, errands, from_json, held_slots, versions
from workflows.models.case import CaseState
from workflows.models.drafts import Outgoing
from workflows.rules.asking.proposed import BOOK, beginning_of, entry_name
from workflows.rules.desk.slots import Slot

HOLD: Final = timedelta(days=3)
"""How long a slot is kept for a client who was offered it, and may take it any day."""


@dataclass(frozen=True, slots=True)
class OwnSlot:
    """A time that a case holds, and since which of its versions."""

    slot: Slot
    version: int


class HeldSlots(Book):
    """Which times are offered by whom."""

    def now(self) -> datetime:
        """The present, by the ledger's clock."""
        return self._clock.now()

    def hold_slots(self, case: int, version: int, slots: Sequence[Slot]) -> None:
        """Hold what this version of a case offers, instead of what the one before did. Idempotent."""
        at = self._clock.now()
        rows = [{"case": case, "version": version, "start": slot.start, "end": slot.end, "at": at} for slot in slots]
        with self._writing() as connection:
            connection.execute(delete(held_slots).where(held_slots.c.case == case))
            if rows:
                connection.execute(insert(held_slots), rows)

    def own_slots(self, case: int) -> tuple[OwnSlot, ...]:
        """What this case holds, the past ones too."""
        query = select(held_slots).where(held_slots.c.case == case).order_by(held_slots.c.start)
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(OwnSlot(Slot(start=row.start, end=row.end), row.version) for row in rows)

    def mark_lost(self, case: int, slots: Sequence[Slot]) -> None:
        """These are lost and the case's other ones are not: the last look holds a mail for those that are."""
        of_case = held_slots.c.case == case
        starts = tuple(slot.start for slot in slots)
        with self._writing() as connection:
            connection.execute(update(held_slots).where(of_case).values(lost=0))
            connection.execute(update(held_slots).where(of_case & held_slots.c.start.in_(starts)).values(lost=1))

    def held_slots(self, besides: int = 0) -> tuple[Slot, ...]:
        """The times ahead that open drafts offer, and those of mails that left a short while ago.

        `besides`: a case whose client's offers do not count, for nobody stands in their own way; 0: none.
        """
        now = self._clock.now()
        query = (
            select(held_slots.c.start, held_slots.c.end, cases.c.state, cases.c.closed_at)
            .join(cases, cases.c.number == held_slots.c.case)
            .where(held_slots.c.end > now, cases.c.number.not_in(_cases_of_client(besides)))
            .order_by(held_slots.c.start)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        return tuple(
            Slot(start=row.start, end=row.end)
            for row in rows
            if row.closed_at is None
            or (from_json(CaseState, row.state).outcome in _LEFT and now - row.closed_at <= HOLD)
        )

    def own_entries(self, case: int) -> dict[str, datetime]:
        """What was entered in the calendar for this case's client after a yes: its uid there, and its beginning."""
        query = (
            select(errands.c.key, versions.c.outgoing)
            .join(versions, (versions.c.case == errands.c.case) & (versions.c.version == errands.c.version))
            .where(errands.c.tool == BOOK, errands.c.state != "failed", errands.c.case.in_(_cases_of_client(case)))
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
        begins = {entry_name(row.key): beginning_of(from_json(Outgoing, row.outgoing).proposals) for row in rows}
        return {uid: moment for uid, moment in begins.items() if moment}


def _cases_of_client(case: int) -> Select[tuple[int]]:
    client = select(cases.c.client).where(cases.c.number == case).scalar_subquery()
    return select(cases.c.number).where((cases.c.number == case) | (cases.c.client == client))


_LEFT = frozenset(("sent", "sent-by-owner", "uncertain"))
