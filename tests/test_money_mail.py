"""Mails that speak of money, recorded in a real ledger by the real rules: what they close, what they only hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import select

from memory.debts import holds_of
from memory.dues import Terms
from memory.schema import reading, seen
from tests.ledgers import OWNER, House, mail
from tools.mail import mime
from workflows.models import Address, Email, Invoice, Money
from workflows.rules.routing import route

MAILS = Path(__file__).parent / "mail" / "payments"
ACME = Address(name="Acme GmbH", email="billing@acme.example")
DUE = date(2026, 11, 9)  # two weeks before the house's noon


def owed(number: str = "2026-014", minor: int = 50_000, **fields) -> Invoice:
    values = {"name": "Acme GmbH", "email": ACME.email, "due": DUE} | fields
    return Invoice(number=number, amount=Money(minor=minor, currency=values.pop("currency", "EUR")), **values)


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def import_(house: House, *invoices: Invoice) -> None:
    house.ledger.keep_invoices("csv:a.csv", invoices, complete=True, read_at=house.clock.now())


def receive(house: House, email: Email):
    return house.ledger.record_mail(email, "inbox", lambda one, around: route(one, OWNER, around), house.clock.now())


def notice(name: str, **words: str) -> Email:
    """A mail of the folder, with other words in it."""
    text = (MAILS / f"{name}.eml").read_text()
    for old, new in words.items():
        text = text.replace(old, new)
    return mime.parse(text.encode())


def says(text: str, sender: Address = ACME, subject: str = "Re: Invoice 2026-014", **fields) -> Email:
    return mail(text, senders=(sender,), subject=subject, message_id=f"<{abs(hash(text))}@acme.example>", **fields)


def chase(house: House) -> int:
    """The open chase of what is due, as the daily look opens it."""
    house.ledger.open_due(OWNER, Terms())
    (event,) = [event for event in house.ledger.undelivered() if event.kind == "debt"]
    return event.case


def news(house: House, case: int) -> list[tuple[str, str]]:
    events = [event for event in house.ledger.undelivered() if event.case == case and event.kind == "news"]
    return [(event.ends, event.summary) for event in events]


def balance(house: House, number: str) -> int:
    found = house.ledger.invoice(number)
    assert found is not None
    return found.balance.minor


def holds(house: House) -> list[str]:
    client = house.ledger.invoice("2026-014")
    assert client is not None
    with reading(house.engine) as connection:
        return [hold.kind for hold in holds_of(connection, client.client)]


def reason(house: House, email: Email) -> str:
    with reading(house.engine) as connection:
        return connection.execute(select(seen.c.reason).where(seen.c.key == email.identity)).scalar_one()


# ---------------------------------------------------------------- payments


def test_a_proven_payment_pays_its_invoice_and_ends_the_waiting_chase(house: House) -> None:
    import_(house, owed())
    case = chase(house)
    email = notice("stripe-invoice-paid")
    assert receive(house, email) is None  # a platform's notice makes no case
    assert balance(house, "2026-014") == 0
    assert [ends for ends, _ in news(house, case)] == ["paid"]
    assert "Invoice 2026-014 is paid" in reason(house, email)


def test_the_same_notice_once_more_changes_nothing(house: House) -> None:
    import_(house, owed(minor=120_000))
    email = notice("stripe-invoice-paid")
    receive(house, email)
    receive(house, email)
    assert balance(house, "2026-014") == 70_000


@pytest.mark.parametrize("name", ["paypal-phish", "paypal-forged-verdict"])
def test_a_lure_holds_and_asks_and_closes_nothing(house: House, name: str) -> None:
    import_(house, owed())
    case = chase(house)
    receive(house, notice(name))
    assert balance(house, "2026-014") == 50_000
    assert holds(house) == ["evidence"]
    assert [ends for ends, _ in news(house, case)] == ["stopped"]
    (asked,) = house.ledger.payments_to_ask_about()
    assert (asked.number, asked.proven) == ("2026-014", False)


def test_without_a_number_the_payer_and_the_exact_balance_tell_which(house: House) -> None:
    import_(house, owed("2026-050", 98_000, name="Beta", email="ap@beta.example"), owed())
    receive(house, notice("wise-german", **{"RE 2026-025": "danke"}))
    assert balance(house, "2026-050") == 0
    assert balance(house, "2026-014") == 50_000


def test_a_payment_that_fits_nothing_is_asked_about(house: House) -> None:
    import_(house, owed("2026-050", 97_999, name="Beta", email="ap@beta.example"))
    receive(house, notice("wise-german", **{"RE 2026-025": "danke"}))
    assert balance(house, "2026-050") == 97_999
    assert len(house.ledger.payments_to_ask_about()) == 1


def test_a_payment_in_another_currency_settles_nothing(house: House) -> None:
    import_(house, owed(currency="USD"))
    receive(house, notice("stripe-invoice-paid"))
    assert balance(house, "2026-014") == 50_000
    assert holds(house) == ["evidence"]


def test_one_payment_for_two_invoices(house: House) -> None:
    both = (owed(minor=20_000), owed("2026-015", 30_000))
    import_(house, *both)
    receive(house, notice("stripe-invoice-paid", **{"Customer: Acme": "for 2026-014 and 2026-015. Customer: Acme"}))
    assert (balance(house, "2026-014"), balance(house, "2026-015")) == (0, 0)


def test_one_payment_for_two_invoices_that_owe_another_sum_is_asked_about(house: House) -> None:
    import_(house, owed(minor=20_000), owed("2026-015", 30_001))
    receive(house, notice("stripe-invoice-paid", **{"Customer: Acme": "for 2026-014 and 2026-015. Customer: Acme"}))
    assert (balance(house, "2026-014"), balance(house, "2026-015")) == (20_000, 30_001)
    assert len(house.ledger.payments_to_ask_about()) == 1


@pytest.mark.parametrize("name", ["stripe-payout", "paypal-you-paid-german", "wise-you-spent", "stripe-refund"])
def test_other_mail_of_a_service_changes_nothing(house: House, name: str) -> None:
    import_(house, owed())
    receive(house, notice(name))
    assert balance(house, "2026-014") == 50_000
    assert holds(house) == []
    assert house.ledger.payments_to_ask_about() == ()


def test_a_notice_whose_amount_cannot_be_read_is_told(house: House) -> None:
    import_(house, owed())
    email = replace(notice("paypal-french"), text="Ouvrez la pièce jointe.", html_text="")
    receive(house, email)
    assert balance(house, "2026-014") == 50_000
    _, (news,) = house.ledger.untold_invoice_news()
    assert "PayPal writes that money came in" in news
    assert "paid" in news
    house.ledger.mark_invoice_news_told(1)
    assert house.ledger.untold_invoice_news()[1] == ()


def test_a_service_in_words_nobody_knows_is_told_where_it_names_an_open_invoice(house: House) -> None:
    import_(house, owed())
    strange = replace(notice("paypal-french"), subject="Something about 2026-014", text="Lookee here.", html_text="")
    receive(house, strange)
    assert balance(house, "2026-014") == 50_000
    _, (news,) = house.ledger.untold_invoice_news()
    assert "in words that Deskhand does not know" in news
    other = replace(notice("paypal-french"), identity="f" * 64, subject="Something else", text="Hm.", html_text="")
    receive(house, other)
    assert len(house.ledger.untold_invoice_news()[1]) == 1


# ---------------------------------------------------------------- what debtors say


def test_a_promise_holds_until_its_day_and_the_mail_is_still_answered(house: House) -> None:
    import_(house, owed())
    case = chase(house)
    event = receive(house, says("Sorry, we pay on Friday."))
    assert event is not None
    assert event.kind == "mail"
    assert holds(house) == ["promise"]
    assert [ends for ends, _ in news(house, case)] == ["promised"]
    assert "promised to pay by" in reason(house, says("Sorry, we pay on Friday."))


def test_we_pay_friday_holds_until_monday(house: House) -> None:
    import_(house, owed())
    receive(house, says("Sorry, we pay on Friday."))
    for _ in range(5):  # Monday to Friday
        assert house.ledger.open_due(OWNER, Terms()).opened == ()
        house.clock.move(days=1)
    house.clock.move(days=2)
    (opened,) = house.ledger.open_due(OWNER, Terms()).opened
    assert house.clock.now().strftime("%A") == "Monday"
    assert opened.numbers == ("2026-014",)


@pytest.mark.parametrize("several", [False, True])
def test_who_says_they_have_paid_is_not_reminded_and_the_owner_is_asked(house: House, *, several: bool) -> None:
    import_(house, owed(), *([owed("2026-015", 30_000)] if several else []))
    receive(house, says("We have already paid the invoice.", subject="Re: your reminder"))
    assert balance(house, "2026-014") == 50_000
    assert holds(house) == ["evidence"]
    (asked,) = house.ledger.payments_to_ask_about()
    assert "already paid" in asked.says
    assert asked.number == ("" if several else "2026-014")


def test_a_dispute_holds_and_keeps_their_words(house: House) -> None:
    import_(house, owed())
    chase(house)
    receive(house, says("This invoice is wrong."))
    assert holds(house) == ["dispute"]


def test_an_absence_of_a_machine_holds_and_its_other_words_do_not(house: House) -> None:
    import_(house, owed())
    auto = (("auto-submitted", "auto-replied"),)
    assert receive(house, says("We will pay on Friday.", headers=auto)) is None
    assert holds(house) == []
    assert receive(house, says("I am out of office until 7 December.", headers=auto)) is None
    assert holds(house) == ["absence"]


def test_a_colleague_of_the_debtor_is_heard_when_it_is_about_the_invoice(house: House) -> None:
    import_(house, owed())
    anna = Address(name="Anna", email="anna@acme.example")
    receive(house, says("Hello, we pay on Friday.", sender=anna, subject="Something else"))
    assert holds(house) == []
    receive(house, says("Hello, we pay invoice 2026-014 on Friday.", sender=anna, subject="Something else"))
    assert holds(house) == ["promise"]


@pytest.mark.parametrize(
    "email",
    [
        says("We pay on Friday.", sender=Address(email="maria@studio.example", name="Maria")),  # owes nothing
        says("We pay invoice 2026-014 on Friday.", sender=Address(email="eve@evil.example", name="Eve")),
        says("Shall we pay on Friday?"),
        says("> We pay on Friday.\n\nThanks."),
        says("We pay on Friday.", headers=(("authentication-results", "mail.winter.example; dmarc=fail"),)),
    ],
)
def test_what_holds_nothing(house: House, email: Email) -> None:
    import_(house, owed())
    receive(house, email)
    assert holds(house) == []


def test_strangers_at_a_shared_domain_have_nothing_to_do_with_each_other(house: House) -> None:
    import_(house, owed(email="acme@gmail.com"))
    receive(house, says("We pay invoice 2026-014 on Friday.", sender=Address(email="eve@gmail.com", name="Eve")))
    assert holds(house) == []


def test_a_promise_about_one_invoice_leaves_the_other(house: House) -> None:
    import_(house, owed(), owed("2026-015", 30_000))
    receive(house, says("We pay invoice 2026-015 on Friday.", subject="Re: your invoices"))
    found = house.ledger.invoice("2026-014")
    assert found is not None
    with reading(house.engine) as connection:
        assert [(hold.kind, hold.number) for hold in holds_of(connection, found.client)] == [("promise", "2026-015")]
