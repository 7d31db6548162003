"""Money: an exact amount, an invoice, and the notice that is due for it."""

from dataclasses import dataclass
from datetime import date
from typing import Literal


@dataclass(frozen=True, slots=True, kw_only=True)
class Money:
    """An exact amount in the currency's minor units (cents; yen has none): 12.50 EUR is Money(1250, "EUR")."""

    minor: int
    currency: str  # ISO 4217, upper case


@dataclass(frozen=True, slots=True, kw_only=True)
class Invoice:
    """One invoice of the owner, as its source states it."""

    number: str
    name: str  # of the client, as on the invoice
    email: str
    due: date
    amount: Money
    paid: Money | None = None  # what came in so far, in the same currency; None is nothing
    issued: date | None = None
    state: Literal["open", "paid", "cancelled"] = "open"
    source: str = "csv"  # "csv:<file>" or "invoiceninja"
    client: str = ""  # the client's id, as the ledger resolved it
    country: str = ""  # of the client ("AT", "DE-BY"), where the source states it: their holidays and time zone

    @property
    def balance(self) -> Money:
        """What is still owed, never below zero."""
        return Money(
            minor=max(self.amount.minor - (self.paid.minor if self.paid else 0), 0), currency=self.amount.currency
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class Notice:
    """What one chase mail is about: these invoices of one client, at this stage of the ladder."""

    stage: str  # the stage's name in the ladder ("reminder")
    step: int  # 1 is the first stage
    invoices: tuple[Invoice, ...]
    today: date  # in the owner's time zone, when it was found due
    totals: tuple[Money, ...] = ()  # of the balances, one for each currency
    bank_data: date | None = None  # the day of the newest payment data; None: there is none
    tone: str = ""  # of the stage (data/dunning.toml), by which the wording is chosen
    steps: tuple[int, ...] = ()  # each invoice's own step, in their order: one at its first may stand beside a last
    others_open: bool = False  # the client owes more than this is about: not all is settled
