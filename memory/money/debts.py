"""Debts: what clients owe now, read from the invoices their sources state and from what was noted beside them.

Proven payments and the owner's word are noted beside an invoice, so that a source which lags behind never makes a paid
one open again. Every function takes the `connection` of the caller's transaction: a payment mail, the hold it causes
and the news for the waiting case are kept together or not at all.
"""

import re
from dataclasses import replace
from datetime import date
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, func, select

from memory.record.people import read_client
from memory.record.schema import debtors, from_json, imports, invoices, payments
from workflows.models.money import Invoice, Money
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, zone_of
from workflows.rules.text.canonical import one_line

IMPORTED = "import:"
"""How the keys of payments begin that a source told of."""


def invoice(connection: Connection, number: str) -> Invoice | None:
    """The invoice with that number as it stands now, however its blanks, case and marks are written; None: unknown."""
    row = _row(connection, number)
    if row is None:
        plain = _plain(number)
        alike = [
            candidate
            for candidate in connection.execute(select(invoices)).all()
            if plain and _plain(candidate.number) == plain
        ]
        row = alike[0] if len(alike) == 1 else None
    return None if row is None else as_known(row)


def debts_of(connection: Connection, client: str) -> tuple[Invoice, ...]:
    """What this client owes now, late or not, the oldest first."""
    query = select(invoices).where(invoices.c.client == client, invoices.c.gone == 0)
    current = (as_known(row) for row in connection.execute(query.order_by(invoices.c.number)).all())
    return tuple(sorted((debt for debt in current if debt.balance.minor), key=oldest_first))


def debtors_now(connection: Connection) -> tuple[str, ...]:
    """Every client who owes anything now, by id; whose debt is the oldest comes first."""
    rows = connection.execute(select(invoices).where(invoices.c.gone == 0, invoices.c.client != "")).all()
    owing = sorted((open_invoice for row in rows if (open_invoice := as_known(row)).balance.minor), key=oldest_first)
    return tuple(dict.fromkeys(debt.client for debt in owing))


def oldest_first(one: Invoice) -> tuple[date, str]:
    return one.due, one.number


def bank_data_day(connection: Connection) -> date | None:
    """The day of the newest thing known about payments: an import's data or a payment; None when there is none."""
    imported = connection.execute(select(func.max(imports.c.read_at))).scalar()
    noted = connection.execute(select(func.max(payments.c.at)).where(payments.c.proven == 1)).scalar()
    days = [moment.date() for moment in (imported, noted) if moment]
    return max(days, default=None)


def _row(connection: Connection, number: str) -> Row[Any] | None:
    return connection.execute(select(invoices).where(invoices.c.number == number)).first()


def as_known(row: Row[Any]) -> Invoice:
    """The invoice as its source states it, with what was noted beside it: the larger of both counts, never the sum."""
    return replace(with_noted(from_json(Invoice, row.invoice), row.noted), client=row.client)


def with_noted(stated: Invoice, noted: int) -> Invoice:
    if stated.state == "cancelled":
        return replace(stated, paid=stated.amount)
    paid = Money(minor=max(received(stated), noted), currency=stated.amount.currency)
    settled = paid.minor >= stated.amount.minor
    return replace(stated, paid=paid if paid.minor else None, state="paid" if settled else "open")


def received(stated: Invoice) -> int:
    """The minor units that the source says came in."""
    if stated.state == "paid":
        return stated.amount.minor
    return stated.paid.minor if stated.paid else 0


def _plain(number: str) -> str:
    return re.sub(r"[^\w]|_", "", number).casefold()


# ---------------------------------------------------------------- the client's day


def country_of(connection: Connection, client: str) -> str:
    """The client's country where an invoice stated it, else ""."""
    return str(connection.execute(select(debtors.c.country).where(debtors.c.client == client)).scalar() or "")


def calendar_of(connection: Connection, client: str) -> BusinessDays:
    return BusinessDays(country=country_of(connection, client))


def today_of(connection: Connection, clock: Clock, client: str) -> date:
    """The day it is where the client is."""
    return clock.now().astimezone(ZoneInfo(zone_of(country_of(connection, client), "UTC"))).date()


def name_of(connection: Connection, client: str) -> str:
    person = read_client(connection, client)
    return one_line(person.name, 80) if person else "nobody"
