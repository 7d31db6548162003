"""Debt book: what is owed, held and paid, as calls of their own, each in one transaction."""

from collections.abc import Sequence
from datetime import date, datetime

from sqlalchemy import select, update

from memory.money.debts import bank_data_day, debts_of, invoice, oldest_first
from memory.money.holds import holds_of
from memory.money.invoicing import Changes, InvoiceListing, keep_invoices
from memory.money.payments import OVER, PaymentSign, payment_of
from memory.record.book import Book
from memory.record.schema import invoices, payments
from workflows.models.money import Invoice, Money
from workflows.rules.debts.dunning import Hold
from workflows.rules.text.money import totals


class Debts(Book):
    """The same as calls of their own, each in one transaction."""

    def keep_invoices(self, source: str, found: Sequence[Invoice], *, complete: bool, read_at: datetime) -> Changes:
        """As the function of that name."""
        with self._writing() as connection:
            listing = InvoiceListing(source=source, invoices=found, complete=complete, read_at=read_at)
            return keep_invoices(connection, self._clock, listing)

    def invoice(self, number: str) -> Invoice | None:
        """The invoice with that number as it stands now."""
        with self._reading() as connection:
            return invoice(connection, number)

    def debts(self, client: str = "") -> tuple[Invoice, ...]:
        """What is owed now, by this client or (client "") by everybody."""
        with self._reading() as connection:
            client_ids = (
                [client] if client else connection.execute(select(invoices.c.client).distinct()).scalars().all()
            )
            debts = [debt for client_id in sorted(client_ids) for debt in debts_of(connection, client_id)]
        return tuple(sorted(debts, key=oldest_first))

    def holds(self, client: str) -> tuple[Hold, ...]:
        """What speaks against chasing this client now."""
        with self._reading() as connection:
            return holds_of(connection, client)

    def owed(self) -> tuple[Money, ...]:
        """Everything that is owed, one amount for each currency."""
        return totals(debt.balance for debt in self.debts())

    def bank_data_day(self) -> date | None:
        """The day of the newest thing known about payments."""
        with self._reading() as connection:
            return bank_data_day(connection)

    def payments_to_ask_about(self) -> tuple[PaymentSign, ...]:
        """What the owner was not told of yet: signs that are not enough, and more than was owed; oldest first."""
        query = select(payments).where(payments.c.told.in_((0, OVER))).order_by(payments.c.at)
        with self._reading() as connection:
            return tuple(payment_of(row) for row in connection.execute(query))

    def mark_payment_told(self, key: str) -> None:
        """The owner was asked about it."""
        with self._writing() as connection:
            connection.execute(update(payments).where(payments.c.key == key).values(told=1))
