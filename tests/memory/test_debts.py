"""What clients owe, in a real ledger: imports, payments, promises, disputes, and the day's look at what is due."""

import random
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from pydantic import ValidationError
from sqlalchemy import select

from memory.briefs.chases import ChaseBriefs
from memory.money import holds, invoicing, payments
from memory.money.chases import Matter
from memory.money.dues import DueTerms
from memory.outbox.last_look import Doubt, Going, doubts
from memory.record.people import new_client
from memory.record.schema import from_json, notices, reading, seen, transaction
from tests.ledgers import OWNER, House, client_at, mail
from workers.settings.schema import MoneySection
from workers.sources.money import ChaseParts as Chasing
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.models.mail import Address, Email
from workflows.models.money import Invoice, Money
from workflows.models.routes import Event, Start
from workflows.rules.debts.dunning import Due, is_held

EUR = "EUR"
TERMS = DueTerms()
ADA = replace(OWNER, timezone="Europe/Berlin", country="DE", language="en")
Day = date
LATE = Day(2026, 11, 19)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    made.clock.time = datetime(2026, 11, 23, 8, 0, tzinfo=UTC)  # a Monday
    yield made
    made.engine.dispose()


def bill(number: str, due: Day = LATE, minor: int = 50000, **given: Any) -> Invoice:
    values = {"name": "Acme GmbH", "email": "ap@acme.example", "country": "DE"} | given
    currency = values.pop("currency", EUR)
    paid = values.pop("paid", None)
    return Invoice(
        number=number, due=due, amount=Money(minor=minor, currency=currency),
        paid=Money(minor=paid, currency=currency) if paid is not None else None, **values,
    )  # fmt: skip


def keep(house: House, *found: Invoice, complete: bool = True, source: str = "csv:invoices.csv") -> invoicing.Changes:
    return house.ledger.keep_invoices(source, found, complete=complete, read_at=house.clock.now())


def client(house: House, email: str = "ap@acme.example") -> str:
    known = client_at(house.ledger, email)
    assert known
    return known.id


def tell(house: House, note: Callable[..., str], **given: Any) -> str:
    matter = Matter(**{name: given.pop(name) for name in ("key", "client", "numbers", "by_owner") if name in given})
    with transaction(house.engine) as connection:
        return note(connection, house.clock, matter, **given)


def comes_in(house: House, **sign: Any) -> str:
    with transaction(house.engine) as connection:
        return payments.note_payment(connection, house.clock, payments.Sign(**sign))


def pays(house: House, minor: int = 50000, **given: Any) -> str:
    values = {"key": "stripe-1", "proven": True, "says": "Stripe mail"} | given
    if "client" not in values:
        values["client"] = client(house)
    return comes_in(house, amount=Money(minor=minor, currency=values.pop("currency", EUR)), **values)


def opened(house: House, terms: DueTerms = TERMS) -> list[tuple[str, tuple[str, ...]]]:
    return [(one.stage, one.numbers) for one in house.ledger.open_due(ADA, terms).opened]


def news(house: House) -> list[tuple[int, str, str]]:
    """Everything told to cases and not delivered yet: (case, how it ends, what it says)."""
    events = [event for event in house.ledger.undelivered() if event.kind == "news"]
    return [(event.case, event.ends, event.summary) for event in events]


def chases(house: House) -> list[CaseState]:
    return [state for state in house.ledger.open_cases() if state.kind == "chase"]


def close(house: House, outcome: str, state: CaseState | None = None) -> None:
    """As the workflow ends a case."""
    chosen = state or chases(house)[0]
    house.ledger.close_case(replace(chosen, stage="closed", outcome=outcome))


def deliver(house: House) -> None:
    """As the reception and the workflow do: an event that ends a case ends it, any other is heard."""
    for event in house.ledger.undelivered():
        if event.kind == "news":
            state = house.ledger.case(event.case)
            if event.ends and state.stage != "closed":
                house.ledger.close_case(replace(state, stage="closed", outcome=event.ends))
            else:
                house.ledger.save_case(replace(state, heard=(*state.heard, event.key)))
        house.ledger.mark_delivered(event.key, event.kind)


def theirs(text: str) -> Email:
    return mail(text, senders=(Address(email="ap@acme.example", name="Acme GmbH"),))


def brief(house: House, details: str = "") -> Brief:
    return ChaseBriefs(house.ledger, ADA, TERMS, details).build(chases(house)[-1])


# ---------------------------------------------------------------- what an import brings


def test_an_import_says_what_appeared_changed_was_paid_and_vanished(house) -> None:
    first = keep(house, bill("A"), bill("B"), bill("C"))
    assert first.appeared == ("A", "B", "C")
    assert first.says == "3 new"
    assert keep(house, bill("A"), bill("B"), bill("C")).says == "nothing new"
    second = keep(house, bill("A", minor=60000), bill("B", paid=50000))
    assert second.changed == ("Invoice A now has 600.00 EUR open instead of 500.00 EUR.",)
    assert (second.paid, second.vanished) == (("B",), ("C",))
    assert second.says == "1 changed, 1 paid, 1 no longer listed"
    assert [one.number for one in house.ledger.debts()] == ["A"]
    assert keep(house, bill("A", minor=60000), bill("C")).appeared == ("C",)


def test_a_client_is_found_by_address_or_made_and_known_to_be_the_owners(house) -> None:
    keep(house, bill("A", email="AP@acme.example"), bill("B"), bill("C", email="bo@other.example", name="Bo"))
    assert len(house.ledger.clients()) == 2
    known = client_at(house.ledger, "ap@acme.example")
    assert known is not None
    assert (known.name, known.written_to) == ("Acme GmbH", True)


def test_an_invoice_without_an_address_is_kept_and_never_chased(house) -> None:
    assert keep(house, bill("A", email="")).unreachable == ("A",)
    assert opened(house) == []
    assert house.ledger.owed() == (Money(minor=50000, currency=EUR),)


def test_an_incomplete_import_takes_nothing_away(house) -> None:
    keep(house, bill("A"), bill("B"))
    assert keep(house, bill("A"), complete=False).vanished == ()
    assert len(house.ledger.debts()) == 2


def test_of_two_sources_with_the_same_number_the_first_is_believed(house) -> None:
    keep(house, bill("A"))
    clash = keep(house, bill("A", minor=99900), source="invoiceninja")
    assert clash.clashes == ("A",)
    assert house.ledger.owed() == (Money(minor=50000, currency=EUR),)
    assert keep(house, bill("A"), source="invoiceninja").says == "nothing new"
    keep(house)  # the first one lists it no more: now the other one is believed
    keep(house, bill("A", minor=99900), source="invoiceninja")
    assert house.ledger.owed() == (Money(minor=99900, currency=EUR),)


def test_a_source_that_lags_behind_never_opens_a_paid_invoice_again(house) -> None:
    keep(house, bill("A"))
    assert pays(house, number="A") == "Invoice A is paid (500.00 EUR)."
    assert keep(house, bill("A")).says == "nothing new"
    assert house.ledger.owed() == ()
    assert keep(house, bill("A", paid=50000)).says == "nothing new"
    again = keep(house, bill("A", minor=70000))  # corrected: 200 more than came in
    assert again.changed == ("Invoice A now has 200.00 EUR open instead of 0.00 EUR.",)
    assert house.ledger.owed() == (Money(minor=20000, currency=EUR),)


def test_a_cancelled_invoice_is_owed_no_more_and_ends_its_chase(house) -> None:
    keep(house, bill("A"))
    opened(house)
    assert keep(house, bill("A", state="cancelled")).changed == ("Invoice A was cancelled.",)
    assert [(ends, says) for _, ends, says in news(house)] == [("gone", "Invoice A was cancelled.")]


def test_a_number_is_known_however_it_is_written(house) -> None:
    keep(house, bill("RE-2026/014"), bill("RE-2026/015"))
    assert [getattr(house.ledger.invoice(text), "number", None) for text in ("re2026014", "RE 2026-015", "14", "")] == [
        "RE-2026/014", "RE-2026/015", None, None,
    ]  # fmt: skip


def test_the_day_of_the_newest_bank_data_is_that_of_imports_and_payments(house) -> None:
    assert house.ledger.bank_data_day() is None
    old = house.clock.now() - timedelta(days=20)
    house.ledger.keep_invoices("csv:a", [bill("A")], complete=True, read_at=old)
    assert house.ledger.bank_data_day() == old.date()
    pays(house, 100, number="A", proven=False)
    assert house.ledger.bank_data_day() == old.date()  # a mere sign of a payment is no bank data
    pays(house, 100, number="A", key="k2")
    assert house.ledger.bank_data_day() == house.clock.now().date()


# ---------------------------------------------------------------- the day's look


def test_a_late_invoice_opens_one_case_with_everything_the_owner_needs(house) -> None:
    keep(
        house, bill("A"), bill("B", Day(2026, 11, 9), 125099, currency="USD", paid=10000), bill("C", Day(2026, 12, 24))
    )
    assert house.ledger.open_due(ADA, TERMS).says == "1 debtor: 1 notice due"
    assert opened(house) == []
    found = brief(house)
    assert found.subject == "Zahlungserinnerung: Rechnungen B, A"
    assert found.envelope is not None
    assert [address.email for address in found.envelope.to] == ["ap@acme.example"]
    assert found.envelope.proactive
    assert found.heading == "What they owe"
    assert found.message.splitlines() == [
        "Number  Open                          Due         Days late  So far",
        "B       1,150.99 USD of 1,250.99 USD  2026-11-09  14         nothing",
        "A       500.00 EUR                    2026-11-19  4          nothing",
        "Total open: 500.00 EUR + 1,150.99 USD",
        "Payments are known up to 2026-11-23 (the newest bank data).",
    ]
    assert found.notice is not None
    assert (found.notice.stage, found.notice.tone, found.notice.step) == ("reminder", "friendly", 1)
    assert found.notice.totals == (Money(minor=50000, currency=EUR), Money(minor=115099, currency="USD"))
    assert {fact.id for fact in found.facts} == {"invoice:A", "invoice:B"}


def test_the_next_notice_goes_into_the_thread_of_the_last_and_says_what_was_sent(house) -> None:
    keep(house, bill("A", Day(2026, 11, 19)))
    opened(house)
    case = chases(house)[0].case
    house.sent_row(intent="s", case=case, version=1, client=client(house), message_id="<first@winter.example>")
    close(house, "sent")
    assert opened(house) == []
    house.clock.move(days=10)  # Thursday 3 December: the fourteenth day late
    assert opened(house) == [("second", ("A",))]
    found = brief(house)
    assert found.envelope is not None
    assert found.envelope.in_reply_to == "<first@winter.example>"
    assert found.envelope.references == ("<first@winter.example>",)
    assert "reminder on 2026-11-23" in found.message
    assert found.hints == ("The newest bank data is 10 days old: look into your account before you say ok",)


def test_what_the_owner_refused_waits_for_the_next_stage(house) -> None:
    keep(house, bill("A"))
    opened(house)
    close(house, "rejected")
    house.clock.move(days=1)
    assert opened(house) == []
    house.clock.move(days=9)
    assert opened(house) == [("reminder", ("A",))]
    assert "reminder not sent, 2026-11-23" in brief(house).message


@pytest.mark.parametrize("outcome", ["mine", "sent-by-owner", "answered-by-owner", "uncertain"])
def test_what_may_have_reached_them_counts_as_a_notice(house, outcome) -> None:
    keep(house, bill("A"))
    opened(house)
    close(house, outcome)
    house.clock.move(days=10)
    assert opened(house) == [("second", ("A",))]


def test_a_notice_that_came_back_does_not_count_and_is_said(house) -> None:
    keep(house, bill("A"))
    opened(house)
    house.sent_row(intent="s", case=chases(house)[0].case, version=1, client=client(house), bounced="no such mailbox")
    close(house, "sent")
    house.clock.move(days=9)
    assert opened(house) == []
    house.clock.move(days=1)
    assert opened(house) == [("reminder", ("A",))]
    assert any(
        hint == "A notice to them came back (no such mailbox): look whether the address is right"
        for hint in brief(house).hints
    )


def test_what_left_counts_whatever_its_case_heard_in_the_last_moment(house) -> None:
    keep(house, bill("A"))
    opened(house)
    house.sent_row(intent="s", case=chases(house)[0].case, version=1, client=client(house))
    close(house, "promised")
    house.clock.move(days=10)
    assert opened(house) == [("second", ("A",))]


def test_more_that_comes_due_while_a_case_waits_renews_it(house) -> None:
    keep(house, bill("A"), bill("B", Day(2026, 11, 21)))
    assert opened(house) == [("reminder", ("A",))]
    deliver(house)
    house.clock.move(days=1)
    house.ledger.save_case(replace(chases(house)[0], stage="waiting", version=1))
    looked = house.ledger.open_due(ADA, TERMS)
    assert looked.says == "1 debtor: 0 notices due, 1 renewed, 1 wait for your answer"
    assert [one.numbers for one in looked.opened] == [("A", "B")]
    assert news(house) == [(chases(house)[0].case, "", "More has come due: B.")]
    assert opened(house) == []
    assert [one.number for one in brief(house).notice.invoices] == ["A", "B"]  # type: ignore[union-attr]
    assert len(chases(house)) == 1


def test_a_case_that_is_about_to_leave_is_not_renewed(house) -> None:
    keep(house, bill("A"), bill("B", Day(2026, 11, 21)))
    opened(house)
    house.ledger.save_case(replace(chases(house)[0], stage="sending", version=1))
    house.clock.move(days=1)
    assert opened(house) == []


def test_a_day_is_counted_in_the_clients_zone(house) -> None:
    keep(house, bill("A", Day(2026, 11, 20), country="NZ"))
    house.clock.time = datetime(2026, 11, 22, 10, 0, tzinfo=UTC)  # a Sunday here and there
    assert opened(house) == []
    house.clock.time = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)  # Monday 01:00 in Auckland
    assert opened(house) == [("reminder", ("A",))]


def test_any_day_will_do_where_the_owner_says_so(house) -> None:
    keep(house, bill("A"))
    house.clock.time = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
    assert opened(house) == []
    assert opened(house, DueTerms(business_days=False)) == [("reminder", ("A",))]


def test_bank_data_that_is_not_there_is_said(house) -> None:
    keep(house, bill("A"))
    opened(house)
    with transaction(house.engine) as connection:
        connection.exec_driver_sql("DELETE FROM imports")
    found = brief(house)
    assert "No bank data is known." in found.message
    assert found.hints == ("Nothing is known of any payment yet: look into your account before you say ok",)


def test_the_letter_is_in_the_language_they_write(house) -> None:
    keep(house, bill("A"))
    house.receive(theirs("Bonjour Ada, merci pour votre message. Nous avons bien reçu la facture."))
    opened(house)
    assert brief(house).language == "fr"


# ---------------------------------------------------------------- payments


def test_a_proven_payment_closes_the_chase_and_thanks(house) -> None:
    keep(house, bill("A"))
    opened(house)
    case = chases(house)[0].case
    assert pays(house, number="A") == "Invoice A is paid (500.00 EUR)."
    assert news(house) == [(case, "paid", "Invoice A is paid.")]
    thanks = chases(house)[-1]
    assert thanks.case != case
    deliver(house)
    found = brief(house)
    assert found.heading == "What they paid"
    assert found.message == "A: 500.00 EUR, due 2026-11-19\nTotal paid: 500.00 EUR"
    assert found.notice is not None
    assert (found.notice.stage, found.notice.tone, found.hints) == ("thanks", "thanks", ())
    assert opened(house) == []
    assert house.ledger.payments_to_ask_about() == ()


def test_one_payment_of_two_invoices_is_thanked_for_once(house) -> None:
    keep(house, bill("A"), bill("B"))
    opened(house)
    for number in ("A", "B"):  # as a mail that names both is taken in
        comes_in(
            house, key=f"mail:m1:{number}", client=client(house), number=number,
            amount=Money(minor=50000, currency=EUR), proven=True, says="PayPal mail",
        )  # fmt: skip
    assert len(chases(house)) == 2  # the chase itself, and one thank-you
    deliver(house)
    assert (
        brief(house).message == "A: 500.00 EUR, due 2026-11-19\nB: 500.00 EUR, due 2026-11-19\nTotal paid: 1,000.00 EUR"
    )


def test_the_same_payment_twice_counts_once(house) -> None:
    keep(house, bill("A", minor=100000))
    said = pays(house, 40000, number="A")
    assert said == "400.00 EUR of invoice A came in; 600.00 EUR is still open."
    assert pays(house, 40000, number="A") == said
    assert house.ledger.owed() == (Money(minor=60000, currency=EUR),)


def test_a_part_of_the_money_makes_the_waiting_draft_stale(house) -> None:
    keep(house, bill("A"))
    opened(house)
    pays(house, 20000, number="A")
    assert news(house) == [(chases(house)[0].case, "", "200.00 EUR of invoice A came in; 300.00 EUR is still open.")]
    assert len(chases(house)) == 1  # no thanks yet
    assert "300.00 EUR of 500.00 EUR" in brief(house).message


def test_money_that_source_and_mail_both_tell_of_counts_once_whoever_is_first(house) -> None:
    keep(house, bill("A"), bill("B"))
    keep(house, bill("A", paid=20000), bill("B"))  # the source is first ...
    assert pays(house, 20000, number="A", key="1") == "200.00 EUR of invoice A was known already."
    pays(house, 20000, number="B", key="2")  # ... or the mail is
    keep(house, bill("A", paid=20000), bill("B", paid=20000))
    assert [one.balance.minor for one in house.ledger.debts()] == [30000, 30000]
    assert "100.00 EUR is still open" in pays(house, 20000, number="A", key="3")  # as much once more is more money
    assert house.ledger.payments_to_ask_about() == ()


def test_a_mail_about_an_invoice_that_its_source_calls_paid_changes_nothing(house) -> None:
    keep(house, bill("A"))
    opened(house)
    keep(house, bill("A", state="paid"))
    deliver(house)
    assert pays(house, number="A") == "500.00 EUR of invoice A was known already."
    assert len(chases(house)) == 1  # one thank-you


def test_one_of_two_paid_leaves_the_other_to_be_chased(house) -> None:
    keep(house, bill("A"), bill("B"))
    opened(house)
    case = chases(house)[0].case
    pays(house, number="A")
    assert news(house) == [(case, "", "Invoice A is paid.")]
    found = ChaseBriefs(house.ledger, ADA, TERMS).build(house.ledger.case(case))
    assert [one.number for one in found.notice.invoices] == ["B"]  # type: ignore[union-attr]


def test_without_a_number_only_the_exact_balance_of_one_invoice_matches(house) -> None:
    keep(house, bill("A"), bill("B", minor=30000), bill("C", minor=30000))
    assert pays(house, key="1") == "Invoice A is paid (500.00 EUR)."
    assert "may have come in for an invoice of theirs" in pays(house, 30000, key="2")
    assert [one.number for one in house.ledger.debts()] == ["B", "C"]
    assert [one.key for one in house.ledger.payments_to_ask_about()] == ["2"]


def test_an_unproven_payment_holds_and_asks_once_and_closes_nothing(house) -> None:
    keep(house, bill("A"))
    opened(house)
    case = chases(house)[0].case
    said = pays(house, number="A", proven=False, says="a mail that says it is from PayPal")
    assert said.startswith("500.00 EUR may have come in for invoice A (a mail that says it is from PayPal).")
    assert [(number, ends) for number, ends, _ in news(house)] == [(case, "stopped")]
    deliver(house)
    assert opened(house) == []
    assert house.ledger.owed() == (Money(minor=50000, currency=EUR),)
    (asked,) = house.ledger.payments_to_ask_about()
    house.ledger.mark_payment_told(asked.key)
    assert house.ledger.payments_to_ask_about() == ()
    house.clock.move(days=14)  # ten business days: 7 December, and one more
    assert opened(house) == []
    house.clock.move(days=1)
    assert opened(house) == [("reminder", ("A",))]
    assert "nothing has shown that it did" in brief(house).message


def test_a_payment_in_another_currency_or_of_nobody_is_only_asked_about(house) -> None:
    keep(house, bill("A"))
    assert "which is in EUR" in pays(house, key="1", currency="USD", number="A")
    assert pays(house, key="2", client="", says="Wise mail").endswith("Nothing was changed.")
    assert "no invoice of yours" in pays(house, key="3", number="Z-9")
    assert len(house.ledger.payments_to_ask_about()) == 3
    assert len(house.ledger.debts()) == 1


def test_more_than_was_open_is_said(house) -> None:
    keep(house, bill("A"))
    assert pays(house, 51000, number="A") == "Invoice A is paid (510.00 EUR). 10.00 EUR more than was open came in."
    assert pays(house, 100, number="A", key="k2") == "Invoice A was paid already; 1.00 EUR more was noted."
    assert [(one.key, one.over) for one in house.ledger.payments_to_ask_about()] == [("stripe-1", True), ("k2", True)]


def test_the_owner_is_not_told_what_they_said_themselves(house) -> None:
    keep(house, bill("A"))
    assert "10.00 EUR more" in pays(house, 51000, number="A", key=f"{payments.OWNERS_WORD}1")
    assert house.ledger.payments_to_ask_about() == ()


def test_a_case_is_called_by_what_is_owed_now(house) -> None:
    keep(house, bill("A"))
    opened(house)
    pays(house, 20000, number="A")
    brief(house)
    assert [row.title for row in house.ledger.case_rows()] == ["Acme GmbH: 300.00 EUR late (A)"]


def test_who_paid_without_having_been_chased_is_not_thanked(house) -> None:
    keep(house, bill("A"))
    pays(house, number="A")
    assert chases(house) == []


def test_an_import_that_says_paid_closes_the_chase_and_thanks_once(house) -> None:
    keep(house, bill("A"), bill("B"))
    opened(house)
    case = chases(house)[0].case
    keep(house, bill("A", paid=50000), bill("B", state="paid"))
    assert news(house) == [(case, "paid", "Invoices A, B are paid.")]
    deliver(house)
    assert brief(house).subject == "Zahlungseingang: Rechnungen A, B"
    keep(house, bill("A", paid=50000), bill("B", state="paid"))
    assert len(chases(house)) == 1


def test_nobody_is_thanked_while_they_complain(house) -> None:
    keep(house, bill("A"))
    opened(house)
    house.hold(client(house), "a complaint")
    pays(house, number="A")
    deliver(house)
    assert chases(house) == []


# ---------------------------------------------------------------- what speaks against it


def test_we_pay_friday_ends_the_waiting_case_and_holds_until_monday(house) -> None:
    keep(house, bill("A"))
    opened(house)
    case = chases(house)[0].case
    said = tell(
        house, holds.note_promise, key="m1", client=client(house), until=Day(2026, 11, 27), by_owner=False
    )  # fmt: skip
    assert said == "They promised to pay by Fri 27 Nov 2026: what Acme GmbH owes is not chased meanwhile."
    assert [(number, ends) for number, ends, _ in news(house)] == [(case, "promised")]
    deliver(house)
    for _ in range(6):
        assert opened(house) == []
        house.clock.move(days=1)
    house.clock.move(days=1)
    assert f"{house.clock.now():%a %d}" == "Mon 30"
    assert opened(house) == [("reminder", ("A",))]
    assert "They promised to pay by Fri 27 Nov 2026, and it is still open." in brief(house).message


def test_a_newer_promise_takes_the_place_of_the_older(house) -> None:
    keep(house, bill("A"))
    debtor = client(house)
    tell(house, holds.note_promise, key="m1", client=debtor, until=Day(2026, 12, 18), by_owner=False)
    tell(house, holds.note_promise, key="m2", client=debtor, until=Day(2026, 11, 25), by_owner=False)
    house.clock.time = datetime(2026, 11, 26, 8, 0, tzinfo=UTC)
    assert opened(house) == [("reminder", ("A",))]


def test_a_client_cannot_promise_for_ever_but_the_owner_may(house) -> None:
    keep(house, bill("A"))
    debtor = client(house)
    far = Day(2031, 1, 1)
    assert "7 Jan 2027" in tell(house, holds.note_promise, key="m1", client=debtor, until=far, by_owner=False)
    assert "1 Jan 2031" in tell(house, holds.note_promise, key="m2", client=debtor, until=far, by_owner=True)


def test_a_dispute_holds_one_invoice_until_the_owner_says_otherwise(house) -> None:
    keep(house, bill("A"), bill("B"))
    opened(house)
    case = chases(house)[0].case
    debtor = client(house)
    tell(house, holds.note_dispute, key="m1", client=debtor, reason="never ordered", numbers=("A",), by_owner=False)
    assert [(number, ends) for number, ends, _ in news(house)] == [(case, "")]
    deliver(house)
    found = brief(house)
    assert [one.number for one in found.notice.invoices] == ["B"]  # type: ignore[union-attr]
    assert "Also late, and not part of this notice: A (500.00 EUR)." in found.message
    close(house, "sent")
    house.clock.move(days=60)
    tell(house, holds.note_dispute, key="m1", client=debtor, reason="never ordered", numbers=("A",), by_owner=False)
    with transaction(house.engine) as connection:
        assert len(holds.holds_of(connection, debtor)) == 1
        assert holds.resume_chasing(connection, house.clock, debtor).startswith("Acme GmbH is chased again")
    assert "A" in opened(house)[0][1]


def test_an_absence_holds_everything_until_they_are_back(house) -> None:
    keep(house, bill("A"))
    tell(house, holds.note_absence, key="m1", client=client(house), until=Day(2026, 12, 1))
    house.clock.time = datetime(2026, 11, 30, 8, 0, tzinfo=UTC)
    assert opened(house) == []
    house.clock.move(days=1)
    assert opened(house) == [("reminder", ("A",))]


def test_stop_chasing_ends_the_case_and_holds_until_chase_again(house) -> None:
    keep(house, bill("A"))
    opened(house)
    debtor = client(house)
    with transaction(house.engine) as connection:
        said = holds.stop_chasing(connection, house.clock, debtor)
    assert said == "Acme GmbH is not chased any more until you say 'chase Acme GmbH'."
    assert [ends for _, ends, _ in news(house)] == ["stopped"]
    deliver(house)
    house.clock.move(days=30)
    assert opened(house) == []
    with transaction(house.engine) as connection:
        holds.resume_chasing(connection, house.clock, debtor)
    assert opened(house) == [("reminder", ("A",))]


@pytest.mark.parametrize("what", ["never", "pause", "complaint"])
def test_never_pause_and_complaint_hold_every_notice(house, what) -> None:
    keep(house, bill("A"))
    debtor = client(house)
    if what == "never":
        house.ledger.set_never(debtor)
    elif what == "complaint":
        house.hold(debtor, "a complaint")
    else:
        with transaction(house.engine) as connection:
            connection.exec_driver_sql("UPDATE clients SET paused_at = '2026-11-01T00:00:00.000000+00:00'")
    assert opened(house) == []


def test_a_complaint_stops_the_open_chase_in_the_same_transaction(house) -> None:
    keep(house, bill("A"))
    opened(house)
    case = chases(house)[0].case
    angry = theirs("This is unacceptable. I want to complain about your work.")
    house.ledger.record_mail(angry, "inbox", lambda *_: Start(hold="a complaint"), house.clock.now())
    assert [(number, ends, says) for number, ends, says in news(house)] == [(case, "stopped", "There is a complaint.")]
    deliver(house)
    assert opened(house) == []
    assert house.ledger.standing(client(house)).hold == "a complaint"


def test_a_changed_amount_makes_the_waiting_draft_stale_and_is_told_once(house) -> None:
    keep(house, bill("A"))
    opened(house)
    keep(house, bill("A", minor=45000))
    keep(house, bill("A", minor=45000))
    assert [(ends, says) for _, ends, says in news(house)] == [
        ("", "Invoice A now has 450.00 EUR open instead of 500.00 EUR.")
    ]
    deliver(house)
    keep(house, bill("A", Day(2026, 11, 18), 45000))
    assert [says for _, _, says in news(house)] == ["Invoice A is now due on 2026-11-18 instead of 2026-11-19."]


def test_an_invoice_that_goes_to_another_client_ends_the_chase_of_the_first(house) -> None:
    keep(house, bill("A"))
    opened(house)
    changed = keep(house, bill("A", email="new@other.example", name="Other Ltd")).changed
    assert changed == ("Invoice A now goes to new@other.example instead of ap@acme.example.",)
    assert [(ends, says) for _, ends, says in news(house)] == [("gone", "Invoice A now goes to somebody else.")]
    deliver(house)
    assert opened(house) == [("reminder", ("A",))]
    assert brief(house).envelope.to[0].email == "new@other.example"  # type: ignore[union-attr]


async def test_nothing_is_proposed_before_the_time_of_the_day(house) -> None:
    keep(house, bill("A"))
    money = Chasing(settings=MoneySection(), ledger=house.ledger, owner=ADA, clock=house.clock)
    house.clock.time = datetime(2026, 11, 23, 6, 59, tzinfo=UTC)  # 07:59 in Berlin
    assert await money.look() == "not before 08:00"
    house.clock.move(minutes=1)
    assert await money.look() == "1 debtor: 1 notice due"
    assert await money.look() == "1 debtor: 0 notices due, 1 wait for your answer"
    assert (money.watch().name, money.watch().every) == ("dues", timedelta(hours=1))


def about_to_leave(house: House) -> Going:
    """The open chase has a version, and its starting event was delivered."""
    draft = Draft(body="Please pay.", gist="reminds", by=DraftedBy.TEMPLATE)
    state = house.ledger.add_version(replace(chases(house)[0], brief=keep_brief(house)), draft)
    for event in house.ledger.undelivered():
        house.ledger.mark_delivered(event.key, event.kind)
    return Going(
        intent="send:1.1", case=state.case, client=state.client, outgoing=house.ledger.outgoing(state.case, 1),
        made_at=house.clock.now(),
    )  # fmt: skip


def last_look(house: House, going: Going) -> list[Doubt]:
    with reading(house.engine) as connection:
        return list(doubts(connection, going, house.clock.now()))


def test_a_payment_between_the_yes_and_the_send_stops_the_notice(house) -> None:
    """Also in the moment before the news of it is delivered to the case."""
    keep(house, bill("A"))
    opened(house)
    going = about_to_leave(house)
    assert last_look(house, going) == []
    pays(house, number="A")
    (doubt,) = last_look(house, going)
    assert doubt.reason.startswith("Something new came up: Invoice A is paid.")


def test_a_yes_on_their_day_off_waits_for_their_next_business_day(house) -> None:
    keep(house, bill("A", country="US"))
    opened(house)
    going = about_to_leave(house)
    assert last_look(house, going) == []
    house.clock.time = datetime(2026, 11, 26, 16, 0, tzinfo=UTC)  # Thanksgiving
    (doubt,) = last_look(house, going)
    assert doubt.reason == "Today is no business day of theirs. It leaves on Fri 27 Nov, unless you say no."
    assert doubt.until == datetime(2026, 11, 27, 14, 0, tzinfo=UTC)  # nine in New York
    assert doubt.rule == ""
    house.clock.time = doubt.until
    assert last_look(house, going) == []


def test_where_any_day_will_do_a_yes_is_carried_out_on_any_day(house) -> None:
    keep(house, bill("A"))
    opened(house, DueTerms(business_days=False))
    going = about_to_leave(house)
    house.clock.time = datetime(2026, 11, 29, 12, 0, tzinfo=UTC)  # a Sunday
    assert last_look(house, going) == []


def keep_brief(house: House) -> int:
    return house.ledger.keep_brief(brief(house), "a key")


def test_what_vanished_from_its_source_is_chased_no_longer(house) -> None:
    keep(house, bill("A"))
    opened(house)
    keep(house)
    assert [(ends, says) for _, ends, says in news(house)] == [("gone", "Invoice A is no longer listed by its source.")]


# ---------------------------------------------------------------- the record


def test_a_rolled_back_transaction_leaves_nothing_behind(house) -> None:
    keep(house, bill("A"))
    opened(house)
    before = house.ledger.undelivered()
    with pytest.raises(RuntimeError, match="pulled"):
        _paid_until_the_plug_is_pulled(house)
    assert house.ledger.undelivered() == before
    assert house.ledger.owed() == (Money(minor=50000, currency=EUR),)


def _paid_until_the_plug_is_pulled(house: House) -> None:
    with transaction(house.engine) as connection:
        sign = payments.Sign(
            key="k", client=client(house), amount=Money(minor=50000, currency=EUR), number="A", proven=True,
            says="Stripe",
        )  # fmt: skip
        payments.note_payment(connection, house.clock, sign)
        raise RuntimeError("the plug was pulled")


def test_every_begun_case_is_delivered_as_a_debt(house) -> None:
    keep(house, bill("A"))
    opened(house)
    with transaction(house.engine) as connection:
        row = connection.execute(select(seen).where(seen.c.kind == "debt")).one()
        about = connection.execute(select(notices)).all()
    event = from_json(Event, row.event)
    assert (event.kind, event.case, event.summary) == ("debt", chases(house)[0].case, "reminder: A")
    assert [(one.case, one.number, one.step, one.day) for one in about] == [(event.case, "A", 1, "2026-11-23")]
    assert house.ledger.case_rows()[0].title == "Acme GmbH: 500.00 EUR late (A)"


def test_what_the_rule_sees_of_one_client_can_be_asked(house) -> None:
    keep(house, bill("A"))
    seen_now = house.ledger.debtor(client(house), ADA, TERMS)
    assert isinstance(seen_now.next(), Due)
    assert (seen_now.today, seen_now.zone, seen_now.calendar.country) == (Day(2026, 11, 23), "Europe/Berlin", "DE")


def test_a_client_known_by_the_address_alone_gets_the_name_of_an_invoice_and_keeps_it(house):
    with transaction(house.engine) as connection:
        new_client(connection, Address(email="ap@acme.example"), house.clock)
    keep(house, bill("2026-001"))
    assert house.ledger.client(client(house)).name == "Acme GmbH"
    keep(house, bill("2026-001", name="Somebody Else"))
    assert house.ledger.client(client(house)).name == "Acme GmbH"
    assert len(house.ledger.clients()) == 1


# ---------------------------------------------------------------- whatever happens

PEOPLE = [("Anna Lehmann", "anna@alpha.example", "DE"), ("Bob Stone", "bob@bravo.example", "US"),
          ("Chloe Cox", "chloe@cox.example", "GB")]  # fmt: skip


@pytest.mark.parametrize("seed", range(3))
def test_sixty_days_of_chance_never_chase_what_is_not_owed(house, seed) -> None:
    """Payments, promises, disputes, refusals and days off at random: what is proposed is open, free and right."""
    chance = random.Random(seed)
    listed = [
        bill(f"{name[0]}{number}", Day(2026, 11, 5) + timedelta(days=chance.randrange(50)), chance.randrange(1, 10**7),
             currency=chance.choice(["EUR", "USD", "JPY"]), name=name, email=email, country=country)
        for name, email, country in PEOPLE for number in range(4)
    ]  # fmt: skip
    house.clock.time = datetime(2026, 11, 9, 9, 0, tzinfo=UTC)
    proposed: set[tuple[str, int]] = set()
    for _ in range(60):
        house.clock.move(days=1)
        keep(house, *listed)
        if chance.random() < 0.5:
            something_happens(house, chance, listed)
        deliver(house)
        if chance.random() < 0.2:
            continue
        for one in house.ledger.open_due(ADA, TERMS).opened:
            check_a_proposal(house, one.client, one.case)
        deliver(house)
        for state in chases(house):
            if chance.random() < 0.7:
                outcome = chance.choice(["sent", "sent", "sent", "rejected", "expired", "mine"])
                proposed |= climbed(house, state, outcome, proposed)
                close(house, outcome, state)
    assert len(proposed) > 10
    for one in house.ledger.debts():
        noted = next(bill_ for bill_ in listed if bill_.number == one.number)
        assert 0 < one.balance.minor <= noted.amount.minor


def something_happens(house: House, chance: random.Random, listed: list[Invoice]) -> None:
    one = chance.choice(listed)
    now = house.ledger.invoice(one.number)
    assert now is not None
    given = {"key": f"{house.clock.now()}", "client": now.client}
    until = house.clock.now().date() + timedelta(days=chance.randrange(1, 12))
    part = max(now.balance.minor // 2, 1)
    match chance.randrange(9):
        case 0:
            pays(house, now.balance.minor or 1, currency=one.amount.currency, number=one.number, **given)
        case 1:
            pays(house, part, currency=one.amount.currency, number=one.number, **given)
        case 2:
            pays(house, part, currency=one.amount.currency, number=one.number, proven=False, **given)
        case 3:
            tell(house, holds.note_promise, until=until, by_owner=chance.random() < 0.5, **given)
        case 4:
            tell(house, holds.note_dispute, numbers=(one.number,), reason="wrong", by_owner=False, **given)
        case 5:
            tell(house, holds.note_absence, until=until, **given)
        case 6:
            with transaction(house.engine) as connection:
                holds.resume_chasing(connection, house.clock, now.client)


def check_a_proposal(house: House, debtor: str, case: int) -> None:
    """One open case to a client; everything in it is owed, free of holds, late, and adds up."""
    mine = [state for state in chases(house) if state.client == debtor]
    briefs = {state.case: ChaseBriefs(house.ledger, ADA, TERMS).build(state) for state in mine}
    asking = [found for found in briefs.values() if found.notice and found.notice.stage != "thanks"]
    assert len(asking) == 1
    notice = briefs[case].notice
    assert notice is not None
    owed = {one.number: one for one in house.ledger.debts(debtor)}
    seen_now = house.ledger.debtor(debtor, ADA, TERMS)
    assert seen_now.calendar.is_open(seen_now.today)
    for one in notice.invoices:
        assert one == owed[one.number]
        assert one.due < seen_now.today
        assert not is_held(one, seen_now.holds, seen_now.today, seen_now.calendar)
    for total in notice.totals:
        assert total.minor == sum(
            one.balance.minor for one in notice.invoices if one.balance.currency == total.currency
        )


def climbed(house: House, state: CaseState, outcome: str, before: set[tuple[str, int]]) -> set[tuple[str, int]]:
    """The steps that this mail takes its invoices to: none of them twice, none left out."""
    if outcome not in {"sent", "mine"}:
        return set()
    with reading(house.engine) as connection:
        query = select(notices.c.number, notices.c.step).where(notices.c.case == state.case, notices.c.step > 0)
        taken = {(row.number, row.step) for row in connection.execute(query)}
    assert not taken & before
    assert all(step == 1 or (number, step - 1) in before for number, step in taken)
    return taken


def test_a_ladder_that_is_none_is_refused_with_the_ladders_there_are() -> None:
    with pytest.raises(ValidationError, match="one of standard, early, gentle"):
        MoneySection(ladder="steep")
