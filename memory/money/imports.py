"""Imports of invoices: what they bring is kept together with what the owner has to be told of it."""

import json
from collections.abc import Collection, Sequence
from dataclasses import asdict, dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from memory.money.invoicing import Changes, InvoiceListing, keep_invoices
from memory.record.book import Book
from memory.record.meta import read_meta, write_meta
from memory.record.schema import imports
from workflows.models.money import Invoice

_UNTOLD = "invoice_news"
_COUNTED = "invoice_news_told"


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceNews:
    """What changed by itself, for the owner; `subject`: of the mail that tells this alone."""

    subject: str
    says: str


class Imports(Book):
    """Taking invoices in, each import in one transaction."""

    def import_invoices(
        self, source: str, found: Sequence[Invoice], *, complete: bool, read_at: datetime, aside: Collection[str] = ()
    ) -> Changes:
        """As `keep_invoices`; what the owner has to know of it waits in `untold_invoice_news`."""
        with self._writing() as connection:
            listing = InvoiceListing(source=source, invoices=found, complete=complete, read_at=read_at, aside=aside)
            changes = keep_invoices(connection, self._clock, listing)
            changed = (InvoiceNews(subject=change.rstrip("."), says=change) for change in changes.changed)
            add_news(connection, (*changed, *(_vanished(number, source) for number in changes.vanished)))
        return changes

    def invoice_sources(self) -> tuple[str, ...]:
        """Every source that invoices were ever read from ("csv:2026.csv", "invoiceninja")."""
        with self._reading() as connection:
            return tuple(connection.execute(select(imports.c.source).order_by(imports.c.source)).scalars())

    def untold_invoice_news(self) -> tuple[int, tuple[InvoiceNews, ...]]:
        """What the owner does not know yet, and the number of the telling: the same until it was told."""
        with self._reading() as connection:
            return int((read_meta(connection, _COUNTED) or "") or 0), tuple(_untold(connection))

    def mark_invoice_news_told(self, count: int) -> None:
        """The owner knows of the first `count`."""
        with self._writing() as connection:
            write_meta(connection, _UNTOLD, json.dumps([asdict(item) for item in _untold(connection)[count:]]))
            write_meta(connection, _COUNTED, str(int((read_meta(connection, _COUNTED) or "") or 0) + 1))


def add_news(connection: Connection, news: Sequence[InvoiceNews]) -> None:
    """Within the caller's transaction: what the owner is told once about invoices."""
    if news:
        write_meta(connection, _UNTOLD, json.dumps([asdict(item) for item in (*_untold(connection), *news)]))


def _vanished(number: str, source: str) -> InvoiceNews:
    subject = f"Invoice {number} is no longer listed"
    return InvoiceNews(subject=subject, says=f"{subject} ({source}): it is chased no longer.")


def _untold(connection: Connection) -> list[InvoiceNews]:
    return [_news(item) for item in json.loads(read_meta(connection, _UNTOLD) or "[]")]


def _news(item: str | dict[str, str]) -> InvoiceNews:
    """What an older Deskhand kept has no subject of its own."""
    return InvoiceNews(subject="News of your invoices", says=item) if isinstance(item, str) else InvoiceNews(**item)
