"""Chases: the notices of a client's invoices, those that are over and the case that waits, and what it is told."""

from collections.abc import Collection
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select

from memory.record.events import News, open_cases_of, tell
from memory.record.schema import cases, from_json, notices, outbox
from workflows.models.case import CaseState
from workflows.ports import Clock
from workflows.rules.debts.dunning import Made
from workflows.rules.text.languages import ENGLISH
from workflows.stories import Kind

THANKS = "thanks"
"""The stage of a notice that chases nothing: what was paid is thanked for."""
_MADE = frozenset({"sent", "uncertain", "sent-by-owner", "answered-by-owner", "mine"})
_REFUSED = frozenset({"rejected", "expired", "failed"})


def notices_of(connection: Connection, client: str, zone: str) -> tuple[Made, ...]:
    """The notices about this client's invoices that are over. `zone`: the client's, in which the day is counted.

    Sent is what left, whatever else its case heard; refused is what the owner refused or let lapse, and what came back.
    """
    query = (
        select(notices.c.number, notices.c.step, notices.c.case, cases.c.state, cases.c.closed_at)
        .join(cases, cases.c.number == notices.c.case)
        .where(notices.c.client == client, notices.c.step > 0, cases.c.closed_at.is_not(None))
    )
    rows = connection.execute(query.order_by(cases.c.closed_at)).all()
    departures = _left(connection, {row.case for row in rows})
    attempts = []
    for row in rows:
        outcome, day = from_json(CaseState, row.state).outcome, row.closed_at.astimezone(ZoneInfo(zone)).date()
        bounced = departures.get(row.case, "")
        if bounced or (outcome in _REFUSED and row.case not in departures):
            attempts.append(Made(number=row.number, step=row.step, day=day, how="refused"))
        elif outcome in _MADE or row.case in departures:
            attempts.append(Made(number=row.number, step=row.step, day=day, how="sent"))
    return tuple(attempts)


def _left(connection: Connection, about: Collection[int]) -> dict[int, str]:
    """The cases whose mail left for the client, and why it came back ("" when it did not)."""
    query = select(outbox.c.case, outbox.c.bounced).where(
        outbox.c.purpose == "client", outbox.c.case.in_(about), outbox.c.state.in_(("committing", "sent", "uncertain"))
    )
    return {row.case: row.bounced for row in connection.execute(query)}


def bounced_notices(connection: Connection, client: str) -> tuple[str, ...]:
    """Why notices to this client came back, the newest last."""
    query = (
        select(outbox.c.bounced)
        .join(notices, notices.c.case == outbox.c.case)
        .where(notices.c.client == client, outbox.c.purpose == "client", outbox.c.bounced != "")
    )
    return tuple(dict.fromkeys(connection.execute(query.order_by(outbox.c.id)).scalars()))


def open_chases(connection: Connection, client: str) -> dict[int, tuple[str, ...]]:
    """The open chase cases of a client, thank-yous left out: case -> the numbers it is about."""
    kinds: tuple[Kind, ...] = ("chase",)
    open_ones = open_cases_of(connection, client, kinds)
    query = select(notices.c.case, notices.c.number).where(notices.c.case.in_(open_ones), notices.c.stage != THANKS)
    by_case: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(query.order_by(notices.c.case, notices.c.number)):
        by_case[row.case] = (*by_case.get(row.case, ()), row.number)
    return by_case


@dataclass(frozen=True, slots=True, kw_only=True)
class Matter:
    """What is spoken of: whose debt it is, which invoices (() is all they owe), and by what key it is known."""

    key: str
    client: str
    numbers: tuple[str, ...] = ()
    by_owner: bool = False
    language: str = ENGLISH  # the owner's, where the owner is told


def withdraw(connection: Connection, clock: Clock, matter: Matter, summary: str, ends: str) -> None:
    """Take invoices from the waiting chase: it ends when none is left, else it is drafted again."""
    for case, numbers in open_chases(connection, matter.client).items():
        concerned = tuple(number for number in numbers if not matter.numbers or number in matter.numbers)
        if not concerned:
            continue
        if len(concerned) == len(numbers):
            tell(connection, clock, News(case=case, key=f"{matter.key}:{case}", summary=summary, ends=ends))
            continue
        dropped = (notices.c.case == case) & notices.c.number.in_(concerned)
        connection.execute(delete(notices).where(dropped))
        tell(connection, clock, News(case=case, key=f"{matter.key}:{case}", summary=summary))


def mark_stale(connection: Connection, clock: Clock, matter: Matter, summary: str) -> None:
    """What the waiting chase says about these invoices is no longer so: it is drafted again."""
    for case, numbers in open_chases(connection, matter.client).items():
        if any(number in numbers for number in matter.numbers):
            tell(connection, clock, News(case=case, key=f"{matter.key}:{case}", summary=summary))
