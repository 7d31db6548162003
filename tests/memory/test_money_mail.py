"""Mails that speak of money, recorded in a real ledger by the real rules: what they close, what they only hold."""

from dataclasses import replace
from datetime import date
from pathlib import Path

import pytest
from sqlalchemy import insert, select

from agents.chase import TemplateChase
from memory.briefs.chases import ChaseBriefs
from memory.money.chases import open_chases
from memory.money.dues import DueTerms
from memory.money.holds import holds_of, resume_chasing
from memory.money.payments import Sign, note_payment
from memory.record.schema import answers, reading, seen, to_json, transaction
from tests.ledgers import OWNER, House, mail
from tools.mail import mime
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Reject
from workflows.models.mail import Address, Email
from workflows.models.money import Invoice, Money
from workflows.rules.routing import route

MAILS = Path(__file__).parents[1] / "mail" / "payments"
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
    house.ledger.open_due(OWNER, DueTerms())
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
    assert "PayPal writes that money came in" in news.says
    assert "PayPal" in news.subject
    assert "paid" in news.says
    house.ledger.mark_invoice_news_told(1)
    assert house.ledger.untold_invoice_news()[1] == ()


def test_a_service_in_words_nobody_knows_is_told_where_it_names_an_open_invoice(house: House) -> None:
    import_(house, owed())
    strange = replace(notice("paypal-french"), subject="Something about 2026-014", text="Lookee here.", html_text="")
    receive(house, strange)
    assert balance(house, "2026-014") == 50_000
    _, (news,) = house.ledger.untold_invoice_news()
    assert "in words that Deskhand does not know" in news.says
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
        assert house.ledger.open_due(OWNER, DueTerms()).opened == ()
        house.clock.move(days=1)
    house.clock.move(days=2)
    (opened,) = house.ledger.open_due(OWNER, DueTerms()).opened
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
        says("Thanks, got it!"),
        says("Shall we pay on Friday?", subject="Dates"),  # names no invoice
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


# ---------------------------------------------------------------- what was said stands in the next reminder


def close(house: House, case: int, outcome: str) -> None:
    house.ledger.close_case(replace(state_of(house, case), outcome=outcome))


def state_of(house: House, case: int) -> CaseState:
    return house.ledger.case(case) or CaseState(case=case, kind="reply", client=client_of(house))


def client_of(house: House) -> str:
    invoice = house.ledger.invoice("2026-014")
    assert invoice is not None
    return invoice.client


def shown(house: House) -> str:
    """What the approval mail of the next reminder says of what they owe."""
    client = client_of(house)
    house.ledger.open_due(OWNER, DueTerms())
    with reading(house.engine) as connection:
        (case,) = open_chases(connection, client)
    state = CaseState(case=case, kind="chase", client=client)
    return ChaseBriefs(house.ledger, OWNER, DueTerms()).build(state).message


def test_an_unanswered_mail_that_names_the_invoice_holds_its_reminder_until_its_case_is_over(house: House) -> None:
    import_(house, owed())
    waiting = chase(house)
    event = receive(house, says("Which hours are in it, and who asked for the second design?"))
    assert holds(house) == ["mail"]
    assert [ends for ends, _ in news(house, waiting)] == ["stopped"]
    close(house, waiting, "stopped")
    assert house.ledger.open_due(OWNER, DueTerms()).opened == ()
    close(house, event.case, "rejected")
    assert holds(house) == []
    said = shown(house)
    assert "2026-014: On Mon 23 Nov 2026 they wrote about it" in said
    assert "Which hours are in it" in said
    assert "nothing was sent to them since" in said


def test_a_colleagues_question_holds_it_too(house: House) -> None:
    import_(house, owed())
    anna = Address(name="Anna", email="anna@acme.example")
    receive(house, says("Who ordered what is in invoice 2026-014, please?", sender=anna, subject="A question"))
    assert holds(house) == ["mail"]


def test_a_dispute_that_the_owner_ended_stands_in_the_next_reminder(house: House) -> None:
    import_(house, owed())
    receive(house, says("The amount is wrong."))
    assert holds(house) == ["dispute"]
    with transaction(house.engine) as connection:
        resume_chasing(connection, house.clock, client_of(house))
    assert 'it is disputed ("The amount is wrong.")' in shown(house)


def test_a_wish_holds_for_ten_business_days_and_stands_in_the_next_reminder(house: House) -> None:
    import_(house, owed())
    event = receive(house, says("We need a PO number on it before we can pay."))
    assert holds(house) == ["wish"]
    assert house.ledger.open_due(OWNER, DueTerms()).opened == ()
    close(house, event.case, "rejected")
    house.clock.move(days=15)
    assert 'they want something before they pay ("We need a PO number on it before we can pay.")' in shown(house)


def test_the_owners_earlier_reason_stands_in_the_next_reminder(house: House) -> None:
    import_(house, owed())
    first = chase(house)
    answer = Answer(
        key="a1", case=first, version=1, decision=Reject(reason="they asked for time"), hash="", via="mail",
        at=house.clock.now(),
    )  # fmt: skip
    with transaction(house.engine) as connection:
        row = {"key": "a1", "case": first, "version": 1, "answer": to_json(answer), "state": "handled"}
        connection.execute(insert(answers).values(**row, at=house.clock.now()))
    close(house, first, "rejected")
    house.clock.move(days=15)
    assert 'On Mon 23 Nov 2026 you said no to a reminder: "they asked for time".' in shown(house)


@pytest.mark.parametrize(("outcome", "rests"), [("sent-by-owner", True), ("mine", True), ("expired", False)])
def test_a_complaint_that_the_owner_answered_rests_money_for_two_business_days(
    house: House, outcome: str, *, rests: bool
) -> None:
    import_(house, owed())
    event = receive(house, says("I want to complain: this is unacceptable, we are very disappointed.", subject="Site"))
    assert holds(house)[:1] == ["complaint"]
    state = replace(state_of(house, event.case), hold="a complaint", outcome=outcome)
    house.ledger.close_case(state)
    if not rests:
        assert holds(house) == ["complaint"]  # nobody has seen to it
        return
    assert house.ledger.open_due(OWNER, DueTerms()).opened == ()  # Monday
    house.clock.move(days=1)
    assert house.ledger.open_due(OWNER, DueTerms()).opened == ()
    house.clock.move(days=1)
    assert "You answered their complaint on Mon 23 Nov 2026" in shown(house)


def test_a_thank_you_knows_what_else_is_open(house: House) -> None:
    import_(house, owed(), owed("2026-015", due=date(2026, 12, 20)))  # not even due yet
    case = chase(house)
    sent_to(house, case)
    with transaction(house.engine) as connection:
        sign = Sign(
            key="order:1", client=client_of(house), number="2026-014", amount=Money(minor=50_000, currency="EUR"),
            proven=True, says="you said so",
        )  # fmt: skip
        note_payment(connection, house.clock, sign)
    (thanks,) = [event.case for event in house.ledger.undelivered() if event.kind == "debt" and event.case != case]
    brief = ChaseBriefs(house.ledger, OWNER, DueTerms()).build(
        CaseState(case=thanks, kind="chase", client=client_of(house))
    )
    assert brief.notice is not None
    assert (brief.notice.stage, brief.notice.others_open) == ("thanks", True)
    assert "Still open: 2026-015 (500.00 EUR)" in brief.message
    assert "settle" not in TemplateChase().letter(brief).body


def sent_to(house: House, case: int) -> None:
    """The reminder was sent by the owner himself."""
    close(house, case, "sent-by-owner")
