"""Import of invoices: what a source lists, kept; what is new, changed, paid or gone since, and who is told of it."""

import hashlib
from collections.abc import Collection, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import Any

from sqlalchemy import Connection, select, update

from memory.money.chases import Matter, mark_stale, withdraw
from memory.money.debts import IMPORTED, as_known, received, with_noted
from memory.money.settled import settle_paid
from memory.record.dialect import insert
from memory.record.people import client_at, mark_written_to
from memory.record.schema import debtors, from_json, imports, invoices, payments, to_json
from workflows.models.mail import Address
from workflows.models.money import Invoice
from workflows.ports import Clock
from workflows.rules.text.money import format_money


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an import brought, by invoice number."""

    appeared: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()  # what is owed or when it is due is another than before: a plain sentence each
    paid: tuple[str, ...] = ()  # had a balance before, and has none now
    vanished: tuple[str, ...] = ()  # their source does not list them any more: they are chased no longer
    clashes: tuple[str, ...] = ()  # another source lists the same number otherwise, and is the one believed
    unreachable: tuple[str, ...] = ()  # without an address of the client: kept, never chased

    @property
    def says(self) -> str:
        """In one line: "3 new invoices, 1 changed, 2 paid"; "nothing new" when nothing is."""
        counts = (
            (len(self.appeared), "new"),
            (len(self.changed), "changed"),
            (len(self.paid), "paid"),
            (len(self.vanished), "no longer listed"),
            (len(self.clashes), "listed by another source too"),
            (len(self.unreachable), "without an address"),
        )
        return ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing new"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceListing:
    """What a source lists.

    `complete`: it listed all it has, so what it listed before and lists no more is chased no longer.
    `aside`: the numbers of what it lists and could not be taken; what is known of them stays as it is.
    `read_at`: from when its data is (a file's modification time, the time of an API's answer).
    """

    source: str
    invoices: Sequence[Invoice]
    complete: bool
    read_at: datetime
    aside: Collection[str] = ()


def keep_invoices(connection: Connection, clock: Clock, listing: InvoiceListing) -> Changes:
    """Keep what a source lists: new, changed and paid invoices; clients are found or made by their address.

    Waiting cases are told.
    """
    source, read_at = listing.source, listing.read_at
    news = _Import(connection, clock, source, read_at)
    for invoice in listing.invoices:
        news.take(invoice)
    if listing.complete:
        news.miss({invoice.number for invoice in listing.invoices}.union(listing.aside))
    news.settle()
    of_source = (invoices.c.source == source) & (invoices.c.gone == 0)
    connection.execute(update(invoices).where(of_source).values(read_at=read_at))
    newest = insert(imports).values(source=source, read_at=read_at)
    connection.execute(newest.on_conflict_do_update(index_elements=["source"], set_={"read_at": read_at}))
    return news.changes()


class _Import:
    """One import under way."""

    def __init__(self, connection: Connection, clock: Clock, source: str, read_at: datetime) -> None:
        self._connection, self._clock, self._source, self._read_at = connection, clock, source, read_at
        # Looked up once: an import that brings nothing new must not hold the ledger for longer than a moment.
        self._rows = {row.number: row for row in connection.execute(select(invoices)).all()}
        self._clients: dict[tuple[str, str], str] = {}  # (address, country) -> client
        self._found: dict[str, list[str]] = {}
        self._settled: dict[str, list[str]] = {}  # client -> numbers that were paid

    def take(self, invoice: Invoice) -> None:
        row = self._rows.get(invoice.number)
        if row is not None and row.source != self._source and not row.gone:
            if _facts(from_json(Invoice, row.invoice)) != _facts(invoice):
                self._note("clashes", invoice.number)
            return
        imported = replace(invoice, client=self._client_of(invoice), source=self._source)
        if row is None or row.gone:
            self._write(imported)
            self._note("appeared", invoice.number)
        elif row.invoice != to_json(imported):
            self._write(imported)
            self._compare(as_known(row), with_noted(imported, row.noted))
            self._note_received(from_json(Invoice, row.invoice), imported)

    def miss(self, listed: Collection[str]) -> None:
        """What the source had and has no more."""
        rows = [row for row in self._rows.values() if row.source == self._source and not row.gone]
        for row in rows:
            if row.number in listed:
                continue
            self._connection.execute(update(invoices).where(invoices.c.number == row.number).values(gone=1))
            if as_known(row).balance.minor:
                self._note("vanished", row.number)
                summary = f"Invoice {row.number} is no longer listed by its source."
                key = f"gone:{row.number}:{self._read_at.isoformat()}"
                self._withdraw(Matter(key=key, client=row.client, numbers=(row.number,)), summary)

    def settle(self) -> None:
        """Whoever paid is chased no longer, and thanked where they had been."""
        for client, numbers in self._settled.items():
            key = f"paid:{'+'.join(sorted(numbers))}:{self._read_at.isoformat()}"
            settle_paid(self._connection, self._clock, client, tuple(numbers), key)

    def changes(self) -> Changes:
        return Changes(**{name: tuple(numbers) for name, numbers in self._found.items()})

    def _compare(self, before: Invoice, now: Invoice) -> None:
        if before.client != now.client and before.balance.minor:
            change = f"Invoice {now.number} now goes to somebody else."
            self._withdraw(Matter(key=f"moved:{self._key(now)}", client=before.client, numbers=(now.number,)), change)
        if before.balance.minor and not now.balance.minor:
            if now.state == "cancelled":
                self._note("changed", f"Invoice {now.number} was cancelled.")
                matter = Matter(key=self._key(now), client=now.client, numbers=(now.number,))
                self._withdraw(matter, f"Invoice {now.number} was cancelled.")
                return
            self._note("paid", now.number)
            self._settled.setdefault(now.client, []).append(now.number)
        elif (change := _difference(before, now)) and now.balance.minor:
            self._note("changed", change)
            matter = Matter(key=self._key(now), client=now.client, numbers=(now.number,))
            mark_stale(self._connection, self._clock, matter, change)

    def _withdraw(self, matter: Matter, summary: str) -> None:
        withdraw(self._connection, self._clock, matter, summary, "gone")

    def _note_received(self, before: Invoice, now: Invoice) -> None:
        """What the source says came in since: the mail that tells of the same money may come after it."""
        increase = received(now) - received(before)
        if increase <= 0 or now.state == "cancelled":
            return
        row = insert(payments).values(
            key=f"{IMPORTED}{self._source}:{now.number}:{received(now)}", client=now.client, number=now.number,
            minor=increase, currency=now.amount.currency, proven=1, says=self._source, result="", told=1,
            at=self._clock.now(),
        )  # fmt: skip
        self._connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))

    def _key(self, invoice: Invoice) -> str:
        seal = hashlib.sha256(to_json(invoice).encode()).hexdigest()[:12]
        return f"invoice:{invoice.number}:{seal}:{self._read_at.isoformat()}"

    def _client_of(self, invoice: Invoice) -> str:
        """The client with this address, made when nobody has it; "" without an address."""
        if "@" not in invoice.email:
            self._note("unreachable", invoice.number)
            return ""
        email = invoice.email.lower()
        if (email, invoice.country) not in self._clients:
            client_id = client_at(self._connection, Address(email=email, name=invoice.name), self._clock).id
            self._clients[email, invoice.country] = client_id
            mark_written_to(self._connection, client_id)
            if invoice.country:
                self._note_country(client_id, invoice.country)
        return self._clients[email, invoice.country]

    def _note_country(self, client: str, country: str) -> None:
        row = insert(debtors).values(client=client, country=country)
        values = {"country": country}
        self._connection.execute(row.on_conflict_do_update(index_elements=["client"], set_=values))

    def _write(self, invoice: Invoice) -> None:
        values = {
            "client": invoice.client,
            "source": invoice.source,
            "invoice": to_json(invoice),
            "gone": 0,
            "read_at": self._read_at,
        }
        row = insert(invoices).values(number=invoice.number, at=self._clock.now(), **values)
        self._connection.execute(row.on_conflict_do_update(index_elements=["number"], set_=values))

    def _note(self, what: str, number: str) -> None:
        self._found.setdefault(what, []).append(number)


def _facts(one: Invoice) -> tuple[Any, ...]:
    return (one.amount, one.due, one.state, one.paid, one.email.lower())


def _difference(before: Invoice, now: Invoice) -> str:
    """What the owner and the waiting draft should know, "" for nothing that matters."""
    if before.balance != now.balance:
        was, is_now = (format_money(invoice.balance) for invoice in (before, now))
        return f"Invoice {now.number} now has {is_now} open instead of {was}."
    if before.due != now.due:
        return f"Invoice {now.number} is now due on {now.due:%Y-%m-%d} instead of {before.due:%Y-%m-%d}."
    if before.email.lower() != now.email.lower():
        return f"Invoice {now.number} now goes to {now.email} instead of {before.email}."
    return ""
