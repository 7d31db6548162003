"""Invoices from Invoice Ninja v5 by its API: every page, amounts exactly as stated, one address for each client."""

import asyncio
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import date
from decimal import ROUND_HALF_UP, Decimal
from typing import Any, Final, Literal
from urllib.parse import urlencode

from tools.web.addresses import permit_of
from tools.web.client import NotServed, Response, Web, named
from workflows.errors import NeedsOwner, Permanent
from workflows.models.money import Invoice, Money
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import from_decimal, places

SOURCE: Final = "invoiceninja"
PER_PAGE: Final = 50
"""Invoices asked for at once: with their clients about half a megabyte."""
MOST_PAGES: Final = 400

_DRAFT, _PAID = "1", "4"
_OVER = frozenset({"5", "6"})  # cancelled, reversed
_LONGEST_NUMBER, _LONGEST_NAME = 60, 200
_NOISE, _LEAST, _MOST = Decimal("0.0001"), Decimal("0.0005"), Decimal(10) ** 15
_REFUSED = (401, 403)
State = Literal["open", "paid", "cancelled"]
_MEND = "Correct it in Invoice Ninja; it is read again by itself."


@dataclass(frozen=True, slots=True, kw_only=True)
class Listing:
    """Everything Invoice Ninja lists, and what of it cannot be taken, a plain sentence each."""

    invoices: tuple[Invoice, ...]
    faults: tuple[str, ...] = ()
    complete: bool = True  # False: something changed between two pages, or an odd invoice has no number
    aside: frozenset[str] = frozenset()  # numbers of what could not be taken: they are there all the same


@dataclass(frozen=True, slots=True, kw_only=True)
class _Names:
    """What the numbers of Invoice Ninja stand for."""

    currencies: Mapping[str, str]  # its id -> ISO code
    countries: Mapping[str, str]
    home: str  # the company's own currency


class _Unreadable(Permanent):
    """One invoice that cannot be taken; the message says why."""


def permitted(url: str) -> frozenset[str]:
    """What reaches the owner's own server alone (`permit_of`).

    Raises:
        NeedsOwner: the setting is no web address.
    """
    return permit_of(url, "Correct invoiceninja.url, such as https://invoices.winter.example")


@dataclass(frozen=True, slots=True, kw_only=True)
class InvoiceNinja:
    """One Invoice Ninja. `url`: its base, without /api; `token`: an API token of the owner's."""

    web: Web
    url: str
    token: str

    async def read(self) -> Listing:
        """Everything it lists. Drafts are left out, cancelled and deleted invoices owe nothing.

        Raises:
            NeedsOwner: the address or the token is wrong.
            Retryable: it does not answer now.
        """
        names = await self._names()
        rows_by_id: dict[str, Mapping[str, Any]] = {}
        totals: set[object] = set()
        for page in range(1, MOST_PAGES + 1):
            # No filter: what `client_status` takes differs between its versions, and what was paid is news as well.
            answer = await self._ask("invoices", {"per_page": PER_PAGE, "page": page, "include": "client"})
            rows = [row for row in _list(answer.get("data")) if isinstance(row, dict)]
            rows_by_id |= {str(row.get("id")): row for row in rows}
            pages = _pages(answer)
            totals.add(pages.get("total"))
            if not rows or page >= int(pages.get("total_pages") or page):
                break
        return _listing(list(rows_by_id.values()), names, steady=len(totals) == 1)

    async def _names(self) -> _Names:
        statics = await self._ask("statics", {})
        companies = [row for row in _list((await self._ask("companies", {})).get("data")) if isinstance(row, dict)]
        settings = _table(companies[0].get("settings")) if companies else {}
        currencies = {str(row.get("id")): str(row.get("code")) for row in _rows(statics, "currencies")}
        return _Names(
            currencies=currencies,
            countries={str(row.get("id")): str(row.get("iso_3166_2")) for row in _rows(statics, "countries")},
            home=currencies.get(str(settings.get("currency_id") or ""), ""),
        )

    async def _ask(self, what: str, parameters: Mapping[str, object]) -> dict[str, Any]:
        query = f"?{urlencode(parameters)}" if parameters else ""
        headers = {"X-API-TOKEN": self.token, "X-Requested-With": "XMLHttpRequest", "Accept": "application/json"}
        try:
            answer = await self.web.get(f"{self.url.rstrip('/')}/api/v1/{what}{query}", headers=headers)
            return await asyncio.to_thread(_exactly, answer)
        except NotServed as error:
            raise self._not_served(error) from error
        except Permanent as error:
            raise NeedsOwner(
                f"Invoice Ninja cannot be read: {error}",
                "Correct invoiceninja.url: the address of its start page, without /api behind it.",
            ) from error

    def _not_served(self, error: NotServed) -> NeedsOwner:
        address = named(self.url)
        if error.status in _REFUSED:
            return NeedsOwner(
                f"Invoice Ninja at {address} does not take the token ({error.status}).",
                "Make a new one there (Settings > Account Management > API tokens) and put it into invoiceninja.token.",
            )
        return NeedsOwner(
            f"There is no Invoice Ninja v5 at {address} (it answered {error.status}).",
            "Correct invoiceninja.url: the address of its start page, without /api behind it.",
        )


# ---------------------------------------------------------------- reading


def _exactly(answer: Response) -> dict[str, Any]:
    """The answer with every number as it is written: a float would be another amount."""
    value = answer.json(exact=True)
    if not isinstance(value, dict):
        raise Permanent(f"{named(answer.url)} answered with JSON of another shape than Invoice Ninja's.")
    return value


def _listing(rows: list[Mapping[str, Any]], names: _Names, *, steady: bool) -> Listing:
    invoices: dict[str, Invoice] = {}
    faults: list[str] = []
    aside: set[str] = set()
    for row in rows:
        if str(row.get("status_id")) == _DRAFT:
            continue
        try:
            invoice = _invoice(row, names)
        except (Permanent, ValueError, TypeError, ArithmeticError, AttributeError) as error:
            problem = str(error) if isinstance(error, Permanent) else "it is of another shape than it should be."
            aside.add(one_line(str(row.get("number") or ""), _LONGEST_NUMBER))
            faults.append(
                f"Invoice {one_line(str(row.get('number') or row.get('id')), 60)} of Invoice Ninja: {problem}"
            )
            continue
        if invoice.number not in invoices or invoice.state == "open":  # a deleted one may have had the number before
            invoices[invoice.number] = invoice
    return Listing(
        invoices=tuple(invoices.values()),
        faults=tuple(faults),
        complete=steady and "" not in aside,
        aside=frozenset(aside - {""}),
    )


def _invoice(row: Mapping[str, Any], names: _Names) -> Invoice:
    client = _table(row.get("client"))
    currency = names.currencies.get(str(_table(client.get("settings")).get("currency_id") or ""), "") or names.home
    if not currency:
        raise _Unreadable("its currency is not known.")
    amount = _money(_number_of(row, "amount"), currency)
    state = _state(row)
    email = _email(client)
    if state == "open" and not email:
        raise _Unreadable(f"no contact of {_name(client)} has a mail address. {_MEND}")
    return Invoice(
        number=_number(row),
        name=_name(client),
        email=email,
        due=_due(row, state),
        amount=amount,
        paid=_paid(row, amount, state),
        issued=_day(row.get("date")),
        state=state,
        source=SOURCE,
        country=names.countries.get(str(client.get("country_id") or ""), ""),
    )


def _state(row: Mapping[str, Any]) -> State:
    status = str(row.get("status_id"))
    if status in _OVER or row.get("is_deleted"):
        return "cancelled"
    # A cent too much came in, or a fraction of one is left of a conversion: nothing is owed.
    return "paid" if status == _PAID or _number_of(row, "balance") < _LEAST else "open"


def _number(row: Mapping[str, Any]) -> str:
    number = one_line(str(row.get("number") or ""), _LONGEST_NUMBER)
    if not number:
        raise _Unreadable("it has no number.")
    return number


def _due(row: Mapping[str, Any], state: State) -> date:
    due = _day(row.get("due_date"))
    if due is None and state != "open":
        due = _day(row.get("date"))  # it matters no more
    if due is None:
        raise _Unreadable(f"it has no due date, so it cannot be chased. {_MEND}")
    return due


def _paid(row: Mapping[str, Any], amount: Money, state: State) -> Money | None:
    """What came in: the amount less the balance; where all of it did, all of it."""
    if state == "paid":
        return amount
    if state == "cancelled":
        return None
    minor = amount.minor - _money(_number_of(row, "balance"), amount.currency).minor
    return Money(minor=minor, currency=amount.currency) if minor > 0 else None


def _number_of(row: Mapping[str, Any], key: str) -> Decimal:
    return Decimal(str(row.get(key)))


def _money(value: Decimal, currency: str) -> Money:
    """The exact amount; what counting in floating point left behind the last place is left out."""
    exponent = places(currency)
    if exponent is not None and value.is_finite() and abs(value) < _MOST:
        rounded = value.quantize(Decimal(1).scaleb(-exponent), ROUND_HALF_UP)
        value = rounded if abs(rounded - value) < _NOISE else value
    return from_decimal(value, currency)


def _day(value: object) -> date | None:
    return date.fromisoformat(value) if isinstance(value, str) and value else None


def _name(client: Mapping[str, Any]) -> str:
    return one_line(str(client.get("display_name") or client.get("name") or "a client without a name"), _LONGEST_NAME)


def _email(client: Mapping[str, Any]) -> str:
    """Where a reminder goes: the primary contact's address, else the first there is."""
    contacts = [contact for contact in _list(client.get("contacts")) if isinstance(contact, dict)]
    ranked = sorted(contacts, key=lambda contact: not contact.get("is_primary"))
    addresses = (str(contact.get("email") or "").strip().lower() for contact in ranked)
    return next((address for address in addresses if "@" in address.strip("@")), "")


def _pages(answer: Mapping[str, Any]) -> Mapping[str, Any]:
    return _table(_table(answer.get("meta")).get("pagination"))


def _rows(answer: Mapping[str, Any], name: str) -> Iterator[Mapping[str, Any]]:
    return (row for row in _list(answer.get(name)) if isinstance(row, dict))


def _list(value: object) -> list[Any]:
    return value if isinstance(value, list) else []


def _table(value: object) -> Mapping[str, Any]:
    return value if isinstance(value, dict) else {}
