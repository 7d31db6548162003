"""Invoice Ninja v5 over real HTTP: every page, exact amounts, one plain sentence for each fault; and both imports."""

import json
import shutil
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path

import pytest

from tests.ledgers import House
from tests.patience import PATIENCE
from tests.servers.web import WebServer
from tools.money.invoiceninja import PER_PAGE, InvoiceNinja, Listing, permitted
from tools.web.client import FetchLimits, Web
from workers.settings.loading import load
from workers.settings.schema import Settings
from workers.sources.invoicing import Importing, ninja_of
from workflows.errors import NeedsOwner, Retryable
from workflows.models.money import Invoice, Money

FILES = Path(__file__).parents[1] / "data" / "invoices"
STATICS = {
    "currencies": [
        {"id": "1", "name": "US Dollar", "symbol": "$", "precision": "2", "code": "USD", "exchange_rate": 1},
        {"id": "3", "name": "Euro", "symbol": "\u20ac", "precision": "2", "code": "EUR", "exchange_rate": 1},
        {"id": "45", "name": "Japanese Yen", "symbol": "\u00a5", "precision": "0", "code": "JPY", "exchange_rate": 1},
    ],
    "countries": [{"id": "276", "name": "Germany", "iso_3166_2": "DE", "iso_3166_3": "DEU"}],
    "payment_types": [],
}
COMPANIES = {"data": [{"id": "VolejRejNm", "settings": {"currency_id": "3", "name": "Ada Winter"}}], "meta": {}}


def client(**values: object) -> dict[str, object]:
    contact = {"id": "Wpmbk5ezJn", "first_name": "Bill", "email": "Billing@acme.example", "is_primary": True}
    return {
        "id": "Opnel5aKBz", "name": "Acme GmbH", "display_name": "Acme GmbH", "country_id": "276",
        "settings": {"currency_id": "3", "language_id": "3"}, "contacts": [contact], "is_deleted": False,
    } | values  # fmt: skip


def invoice(number: str = "0014", amount: str = "1200.55", balance: str = "", **values: object) -> str:
    """One invoice as the API writes it, with its amounts letter by letter."""
    row = {
        "id": f"id{number}", "number": number, "status_id": "2", "date": "2026-10-01", "due_date": "2026-10-31",
        "amount": "AMOUNT", "balance": "BALANCE", "paid_to_date": 0, "is_deleted": False, "archived_at": 0,
        "client_id": "Opnel5aKBz", "client": client(), "line_items": [], "partial": 0, "partial_due_date": "",
    } | values  # fmt: skip
    return json.dumps(row).replace('"AMOUNT"', amount).replace('"BALANCE"', balance or amount)


def page(rows: list[str], number: int = 1, of: int = 1, total: int | None = None) -> str:
    meta = {
        "pagination": {
            "total": len(rows) if total is None else total, "count": len(rows), "per_page": PER_PAGE,
            "current_page": number, "total_pages": of, "links": {},
        }
    }  # fmt: skip
    return f'{{"data": [{", ".join(rows)}], "meta": {json.dumps(meta)}}}'


class Ninja:
    """A server that answers as Invoice Ninja does."""

    def __init__(self, web: WebServer) -> None:
        self.web = web
        self._put("statics", json.dumps(STATICS))
        self._put("companies", json.dumps(COMPANIES))
        self.client = InvoiceNinja(web=Web(permit=permitted(web.url)), url=f"{web.url}/", token="secret-token")

    def _put(self, path: str, body: str, status: int = 200, **headers: str) -> None:
        self.web.put(f"/api/v1/{path}", body, status, content_type="application/json", headers=headers)

    def lists(self, *rows: str) -> None:
        self.pages([list(rows)])

    def pages(self, pages: list[list[str]], totals: list[int] | None = None) -> None:
        for at, rows in enumerate(pages, start=1):
            path = f"invoices?per_page={PER_PAGE}&page={at}&include=client"
            total = totals[at - 1] if totals else sum(map(len, pages))
            self._put(path, page(rows, at, len(pages), total))

    async def read(self) -> Listing:
        return await self.client.read()


@pytest.fixture
def ninja():
    with WebServer() as web:
        yield Ninja(web)


async def test_an_invoice_is_read_exactly(ninja: Ninja) -> None:
    ninja.lists(invoice())
    listing = await ninja.read()
    assert listing == Listing(
        invoices=(
            Invoice(
                number="0014", name="Acme GmbH", email="billing@acme.example", due=date(2026, 10, 31),
                issued=date(2026, 10, 1), amount=Money(minor=120_055, currency="EUR"), source="invoiceninja",
                country="DE",
            ),
        )
    )  # fmt: skip
    (asked,) = ninja.web.asked(f"/api/v1/invoices?per_page={PER_PAGE}&page=1&include=client")
    assert asked.headers["x-api-token"] == "secret-token"


@pytest.mark.parametrize(
    ("amount", "minor"),
    [("1200.55", 120_055), ("0.1", 10), ("4503599627370.57", 450_359_962_737_057), ('"19.9"', 1_990), ("1e2", 10_000)],
)
async def test_amounts_keep_every_digit(ninja: Ninja, amount: str, minor: int) -> None:
    ninja.lists(invoice(amount=amount))
    (found,) = (await ninja.read()).invoices
    assert found.amount.minor == minor


async def test_every_page_is_read(ninja: Ninja) -> None:
    numbers = [f"{number:04}" for number in range(1, 121)]
    ninja.pages([[invoice(one) for one in numbers[at : at + 50]] for at in range(0, 120, 50)])
    listing = await ninja.read()
    assert [one.number for one in listing.invoices] == numbers
    assert listing.complete


async def test_what_shifts_between_two_pages_is_not_taken_for_gone(ninja: Ninja) -> None:
    ninja.pages([[invoice("0001")], [invoice("0001"), invoice("0002")]], totals=[2, 3])
    listing = await ninja.read()
    assert [one.number for one in listing.invoices] == ["0001", "0002"]
    assert not listing.complete


async def test_states_and_what_came_in(ninja: Ninja) -> None:
    ninja.lists(
        invoice("draft", status_id="1"),
        invoice("sent", "100.00", "100.00", status_id="2"),
        invoice("partial", "100.00", "40.50", status_id="3"),
        invoice("paid", "100.00", "0", status_id="4"),
        invoice("cancelled", "100.00", "0", status_id="5"),
        invoice("reversed", "100.00", "0", status_id="6"),
        invoice("deleted", "100.00", "100.00", is_deleted=True),
        invoice("number", "100.00", "100.00", status_id=2),
    )
    found = {one.number: (one.state, one.paid.minor if one.paid else 0) for one in (await ninja.read()).invoices}
    assert found == {
        "sent": ("open", 0), "partial": ("open", 5_950), "paid": ("paid", 10_000), "cancelled": ("cancelled", 0),
        "reversed": ("cancelled", 0), "deleted": ("cancelled", 0), "number": ("open", 0),
    }  # fmt: skip


async def test_currency_and_contact(ninja: Ninja) -> None:
    second = [{"email": "a@x.example", "is_primary": False}, {"email": "b@x.example", "is_primary": True}]
    ninja.lists(
        invoice("yen", "120000", client=client(settings={"currency_id": "45"})),
        invoice("home", client=client(settings={})),
        invoice("primary", client=client(contacts=second)),
        invoice("first", client=client(contacts=[{"email": ""}, second[0]], country_id="")),
    )
    found = {one.number: one for one in (await ninja.read()).invoices}
    assert found["yen"].amount == Money(minor=120_000, currency="JPY")
    assert found["home"].amount.currency == "EUR"
    assert found["primary"].email == "b@x.example"
    assert (found["first"].email, found["first"].country) == ("a@x.example", "")


@pytest.mark.parametrize(
    ("row", "why"),
    [
        (invoice("9", due_date=""), "no due date"),
        (invoice("9", client=client(contacts=[])), "no contact of Acme GmbH has a mail address"),
        (invoice("9", "12.345"), "more decimals than EUR"),
        (invoice("9", client=client(settings={"currency_id": "45"})), "more decimals than JPY"),
        (invoice("9", due_date="31/10/2026"), "another shape"),
        (invoice("9", "null"), "another shape"),
        (invoice("9", "-5"), "no amount of money"),
        (invoice("9", "9" * 5_000), ""),
        (invoice("9", "1e99999999"), ""),
        (invoice("9", id="1", balance="9" * 5_000), ""),
        (invoice(""), "no number"),
    ],
)
async def test_one_that_cannot_be_taken_takes_down_no_other(ninja: Ninja, row: str, why: str) -> None:
    ninja.lists(row, invoice("good"))
    listing = await ninja.read()
    assert [one.number for one in listing.invoices] == ["good"]
    (fault,) = listing.faults
    assert why in fault
    assert "Invoice Ninja" in fault
    # What is known of it stays as it is; the others go on, and what is gone is gone. One without a number may be any.
    assert (listing.complete, listing.aside) == ((True, {"9"}) if '"number": "9"' in row else (False, set()))


@pytest.mark.parametrize(
    ("amount", "balance", "state", "left"),
    [
        ("1200.55", "-0.01", "paid", 0),
        ("1200.55", "-200", "paid", 0),
        ("1200.55", "0.000000001", "paid", 0),
        ("1200.55", "-0.000000001", "paid", 0),
        ("1200.55", "0.00", "paid", 0),
        ("1200.55", '"0"', "paid", 0),
        ("1200.55", "0.01", "open", 1),
        ("1200.5500000001", "1200.5500000001", "open", 120_055),
        ("1200.5499999999", "600.2799999999", "open", 60_028),
        ("1200.55", "1e2", "open", 10_000),
    ],
)
async def test_odd_balances_of_what_was_paid(ninja: Ninja, amount: str, balance: str, state: str, left: int) -> None:
    ninja.lists(invoice("9", amount, balance, status_id="3"), invoice("good"))
    listing = await ninja.read()
    assert (listing.complete, listing.faults) == (True, ())
    odd, good = listing.invoices
    assert (odd.state, odd.balance.minor, good.number) == (state, left, "good")


@pytest.mark.parametrize("balance", ["null", '"x"', "[]", "{}", '"1,200.55"', "true", "1e99999", "600.125"])
async def test_a_balance_that_is_no_number_is_set_aside_and_told(ninja: Ninja, balance: str) -> None:
    ninja.lists(invoice("9", "1200.55", balance, status_id="2"), invoice("good"))
    listing = await ninja.read()
    assert [one.number for one in listing.invoices] == ["good"]
    assert (listing.complete, listing.aside, len(listing.faults)) == (True, {"9"}, 1)


@pytest.mark.parametrize(
    ("status", "body", "why"),
    [
        (401, '{"message": "Invalid token"}', "does not take the token"),
        (403, '{"message": "no permission"}', "does not take the token"),
        (404, "not found", "no Invoice Ninja v5 at"),
        (200, "<!doctype html><html>Log in</html>", "web page where JSON"),
        (200, "[1, 2]", "another shape"),
        (200, "{broken", "broken JSON"),
    ],
)
async def test_what_the_owner_must_mend_is_said_plainly(ninja: Ninja, status: int, body: str, why: str) -> None:
    ninja.web.put("/api/v1/statics", body, status)
    with pytest.raises(NeedsOwner, match=why) as raised:
        await ninja.read()
    assert "invoiceninja." in raised.value.mend
    assert "secret-token" not in str(raised.value)


@pytest.mark.parametrize(("status", "after"), [(429, 30.0), (503, 0.0), (500, 0.0)])
async def test_what_passes_by_itself_is_tried_again(ninja: Ninja, status: int, after: float) -> None:
    headers = {"Retry-After": "30"} if after else {}
    ninja.web.put("/api/v1/statics", "slow down", status, headers=headers)
    with pytest.raises(Retryable) as raised:
        await ninja.read()
    assert raised.value.after == after


async def test_only_the_owners_own_server_may_stand_inside(ninja: Ninja) -> None:
    with WebServer() as other:
        ninja.web.put("/api/v1/statics", "", 302, headers={"Location": f"{other.url}/secret"})
        with pytest.raises(NeedsOwner, match=r"not a public address|no public page"):
            await ninja.read()
        assert other.connections == 0


@pytest.mark.parametrize("url", ["ftp://x.example", "invoices", "https://user:pass@x.example", "https://"])
def test_an_address_that_is_none_is_refused(url: str) -> None:
    with pytest.raises(NeedsOwner, match=r"invoiceninja\.url"):
        permitted(url)


def settings_of(tmp_path: Path, *lines: str) -> Settings:
    home = tmp_path / "home"
    home.mkdir()
    start = [
        "[owner]",
        'name = "Ada"',
        'address = "ada@winter.example"',
        "[imap]",
        'host = "h"',
        "[smtp]",
        'host = "h"',
    ]
    (home / "deskhand.toml").write_text("\n".join([*start, "[invoiceninja]", *lines]))
    (home / "deskhand.toml").chmod(0o600)
    return load(home)


def test_the_token_is_read_from_its_file_and_missed_plainly(tmp_path: Path) -> None:
    settings = settings_of(tmp_path, 'url = "https://invoicing.co"', 'token_file = "token"')
    home = tmp_path / "home"
    with pytest.raises(NeedsOwner, match=r"invoiceninja\.token_file"):
        ninja_of(settings, home)
    (home / "token").write_text("secret\n")
    (home / "token").chmod(0o600)
    found = ninja_of(settings, home)
    assert found is not None
    assert (found.token, found.web.permit) == ("secret", frozenset({"invoicing.co:443"}))


def test_without_a_token_or_an_address(tmp_path: Path) -> None:
    (tmp_path / "a").mkdir()
    assert ninja_of(settings_of(tmp_path / "a"), tmp_path) is None
    (tmp_path / "b").mkdir()
    with pytest.raises(NeedsOwner, match="No token is set"):
        ninja_of(settings_of(tmp_path / "b", 'url = "https://invoicing.co"'), tmp_path)


# ---------------------------------------------------------------- into the ledger


@dataclass
class Notices:
    """A desk that keeps what it tells, once per key as the outbox does."""

    told: dict[str, tuple[str, str]] = field(default_factory=dict)

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        self.told.setdefault(key, (subject, text))


class Import:
    def __init__(self, tmp_path: Path, ninja: InvoiceNinja | None = None) -> None:
        self.house = House(tmp_path / "home")
        self.folder = tmp_path / "home" / "invoices"
        self.folder.mkdir()
        self.desk = Notices()
        self.looks = 0
        self.importing = self.again(ninja)

    async def look(self) -> None:
        self.looks += 1

    def again(self, ninja: InvoiceNinja | None = None) -> Importing:
        """As after a restart."""
        return Importing(
            folder=self.folder, ninja=ninja, ledger=self.house.ledger, desk=self.desk, clock=self.house.clock,  # type: ignore[arg-type]
            then=self.look,
        )  # fmt: skip

    def write(self, name: str, *rows: str) -> None:
        text = "number,client,email,due,amount,currency,paid\n" + "".join(f"{row}\n" for row in rows)
        (self.folder / name).write_text(text)

    def balances(self) -> dict[str, int]:
        return {one.number: one.balance.minor for one in self.house.ledger.debts()}


@pytest.fixture
def imports(tmp_path: Path) -> Import:
    return Import(tmp_path)


ACME = "2026-014,Acme,a@acme.example,2026-10-31,500.00,EUR,"
BETA = "2026-015,Beta,b@beta.example,2026-10-31,300.00,EUR,"


async def test_a_folder_is_taken_in(imports: Import) -> None:
    imports.write("a.csv", ACME)
    imports.write("b.csv", BETA)
    assert await imports.importing.read_folder() == "a.csv: 1 new; b.csv: 1 new"
    assert imports.balances() == {"2026-014": 50_000, "2026-015": 30_000}
    assert imports.looks == 1  # at what is due
    assert await imports.importing.read_folder() == "2 files, nothing new"
    assert imports.looks == 1
    assert imports.desk.told == {}


async def test_an_amount_that_changed_is_told_once(imports: Import) -> None:
    imports.write("a.csv", ACME)
    await imports.importing.read_folder()
    imports.write("a.csv", ACME.replace("500.00", "450.00"))
    await imports.importing.read_folder()
    await imports.again().read_folder()
    ((subject, _),) = imports.desk.told.values()
    assert "2026-014" in subject
    assert "450.00" in subject
    assert imports.balances() == {"2026-014": 45_000}


async def test_a_wrong_line_is_told_and_the_others_are_taken_in(imports: Import) -> None:
    imports.write("a.csv", ACME.replace("2026-10-31", "31/10/2026"), BETA)
    imports.write("b.csv", "C-1,Carl,c@carl.example,2026-10-31,100.00,EUR,")
    with pytest.raises(NeedsOwner, match=r"a\.csv, line 2, column due.*YEAR-MONTH-DAY"):
        await imports.importing.read_folder()
    assert imports.balances() == {"2026-015": 30_000, "C-1": 10_000}


async def test_a_line_that_cannot_be_read_does_not_make_its_invoice_vanish(imports: Import) -> None:
    imports.write("a.csv", ACME, BETA)
    await imports.importing.read_folder()
    imports.write("a.csv", ACME.replace("500.00", "5oo"), BETA)
    with pytest.raises(NeedsOwner):
        await imports.importing.read_folder()
    assert imports.balances() == {"2026-014": 50_000, "2026-015": 30_000}


async def test_a_line_or_a_file_taken_out_is_chased_no_longer(imports: Import) -> None:
    imports.write("a.csv", ACME, BETA)
    imports.write("b.csv", "C-1,Carl,c@carl.example,2026-10-31,100.00,EUR,")
    await imports.importing.read_folder()
    imports.write("a.csv", ACME)
    (imports.folder / "b.csv").unlink()
    await imports.again().read_folder()
    assert imports.balances() == {"2026-014": 50_000}
    told = " ".join(text for _, text in imports.desk.told.values())
    assert "2026-015" in told
    assert "C-1" in told
    (imports.folder / "a.csv").unlink()
    await imports.importing.read_folder()
    assert imports.balances() == {}


async def test_a_folder_that_is_away_takes_nothing_away(imports: Import) -> None:
    imports.write("a.csv", ACME)
    await imports.importing.read_folder()
    shutil.rmtree(imports.folder)
    assert "no folder" in await imports.importing.read_folder()
    assert imports.balances() == {"2026-014": 50_000}


async def test_the_same_number_in_two_places_is_told(imports: Import) -> None:
    imports.write("a.csv", ACME)
    imports.write("b.csv", ACME.replace("500.00", "700.00"))
    for _ in range(2):
        with pytest.raises(NeedsOwner, match=r"two sources differently.*2026-014 in b\.csv"):
            await imports.importing.read_folder()
    assert imports.balances() == {"2026-014": 50_000}


async def test_invoice_ninja_is_taken_in_and_what_was_paid_there_is_paid(tmp_path: Path, ninja: Ninja) -> None:
    imports = Import(tmp_path, ninja.client)
    ninja.lists(invoice("0014", "100.00"), invoice("0015", "200.00"))
    assert await imports.importing.read_ninja() == "2 invoices: 2 new"
    ninja.lists(invoice("0014", "100.00", "0", status_id="4"), invoice("0015", "200.00", "150.00", status_id="3"))
    imports.house.clock.move(hours=1)
    assert await imports.importing.read_ninja() == "2 invoices: 1 changed, 1 paid"
    assert imports.balances() == {"0015": 15_000}
    assert {watch.name for watch in imports.importing.watches()} == {"invoices", "invoice ninja"}


async def test_a_slow_server_costs_no_more_than_its_time(tmp_path: Path) -> None:
    with WebServer() as web:
        web.raw("/api/v1/statics", lambda peer: web.wait(PATIENCE))
        limits = FetchLimits(time=timedelta(seconds=0.3))
        slow = InvoiceNinja(web=Web(permit=web.permit, limits=limits), url=web.url, token="t")
        with pytest.raises(Retryable, match="took longer"):
            await slow.read()
