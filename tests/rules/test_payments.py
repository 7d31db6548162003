"""What payment services write: read from real-shaped mails, and believed only as far as the owner's server vouches."""

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

import pytest

from tests.ledgers import OWNER
from tests.readings import routed
from tools.mail import mime
from workflows.models.mail import Address, Email
from workflows.models.money import Money
from workflows.models.routes import Ignore, Surroundings
from workflows.rules.debts.payments import NotMoney, Payment, is_payment_sender, lure, numbers_in, payment_in
from workflows.rules.mail.vouching import vouched_domains
from workflows.rules.text.money import parse_amount

MAILS = Path(__file__).parents[1] / "mail" / "payments"
SERVER = "mail.winter.example"


def mail(name: str) -> Email:
    return mime.parse((MAILS / f"{name}.eml").read_bytes())


def read(name: str) -> Payment | NotMoney | None:
    return payment_in(mail(name), OWNER)


def eur(minor: int) -> Money:
    return Money(minor=minor, currency="EUR")


def usd(minor: int) -> Money:
    return Money(minor=minor, currency="USD")


MONEY = {
    "stripe-payment-english": ("Stripe", usd(450_000), "Nourish App"),
    "stripe-invoice-paid": ("Stripe", eur(50_000), "Acme GmbH"),
    "stripe-payment-yen": ("Stripe", Money(minor=120_000, currency="JPY"), "Kobo KK"),
    "paypal-notification-english": ("PayPal", eur(8_600), "Jamie Zigel"),
    "paypal-sent-you-dollars": ("PayPal", usd(125_000), "Bob Stone"),
    "paypal-german": ("PayPal", eur(123_456), "Max Mustermann"),
    "paypal-german-html-only": ("PayPal", eur(25_000), "Max Mustermann"),
    "paypal-spanish": ("PayPal", eur(105_000), "Lucía Pérez"),
    "paypal-french": ("PayPal", eur(198_000), "Jean Dupont"),
    "wise-received": ("Wise", usd(425_000), "Google AdSense"),
    "wise-german": ("Wise", eur(98_000), "Beta AG"),
    "wise-google-mailbox": ("Wise", Money(minor=100_000, currency="GBP"), "Gamma Ltd"),
}
WEAK = {
    "stripe-unauthenticated": (usd(450_000), "does not confirm"),
    "stripe-lookalike": (usd(450_000), "which is not Stripe"),
    "paypal-phish": (eur(50_000), "which is not PayPal"),
    "paypal-forged-verdict": (eur(50_000), "does not confirm"),
    "paypal-sent-on-to-owner": (eur(50_000), "not addressed to you"),
    "paypal-pending-echeck": (usd(30_000), "not there yet"),
    "paypal-note-with-bigger-amount": (usd(100), "more than one amount"),
}
NOT_MONEY = (
    "stripe-payout", "stripe-receipt-as-customer", "stripe-refund", "paypal-you-paid-german", "paypal-receipt-english",
    "paypal-scam-invoice", "paypal-promo", "wise-you-spent", "wise-is-now-in", "wise-promo",
    "person-who-works-at-stripe",
)  # fmt: skip
NOTHING = ("client-says-paid",)


def test_every_mail_of_the_folder_is_judged() -> None:
    assert {*MONEY, *WEAK, *NOT_MONEY, *NOTHING} == {path.stem for path in MAILS.glob("*.eml")}
    assert len(list(MAILS.glob("*.eml"))) >= 20


@pytest.mark.parametrize("name", MONEY)
def test_money_that_the_owners_server_vouches_for_is_proven(name: str) -> None:
    found = read(name)
    provider, amount, payer = MONEY[name]
    assert isinstance(found, Payment)
    assert (found.provider, found.amount, found.payer) == (provider, amount, payer)
    assert found.proven
    assert payer in found.says
    assert provider in found.says


@pytest.mark.parametrize("name", WEAK)
def test_what_anybody_could_have_written_is_a_hint(name: str) -> None:
    found = read(name)
    amount, why = WEAK[name]
    assert isinstance(found, Payment)
    assert found.amount == amount
    assert not found.proven
    assert why in found.says


@pytest.mark.parametrize("name", NOT_MONEY)
def test_other_mail_of_a_service_is_no_money(name: str) -> None:
    found = read(name)
    assert isinstance(found, NotMoney)
    assert not found.unread
    assert found.reason.endswith(".")


@pytest.mark.parametrize("name", NOTHING)
def test_a_persons_mail_is_not_of_a_service(name: str) -> None:
    assert read(name) is None


@pytest.mark.parametrize("name", MONEY)
def test_without_the_servers_verdict_nothing_is_proven(name: str) -> None:
    found = payment_in(replace(mail(name), trace=()), OWNER)
    assert isinstance(found, Payment)
    assert not found.proven


@pytest.mark.parametrize("name", [name for name in MONEY if "google" not in name])
def test_a_named_server_alone_is_believed(name: str) -> None:
    named = payment_in(mail(name), OWNER, SERVER)
    other = payment_in(mail(name), OWNER, "mx.elsewhere.example")
    assert isinstance(named, Payment)
    assert isinstance(other, Payment)
    assert (named.proven, other.proven) == (True, False)


def test_what_it_is_for_is_read() -> None:
    paid = read("paypal-notification-english")
    assert isinstance(paid, Payment)
    assert (paid.email, paid.number) == ("jamie@zigel.example", "2026-021")
    assert "invoice 2026-021" in paid.reference
    assert "2.85" in paid.says
    invoice = read("stripe-invoice-paid")
    assert isinstance(invoice, Payment)
    assert invoice.number == "2026-014"
    wise = read("wise-german")
    assert isinstance(wise, Payment)
    assert wise.reference == "RE 2026-025"


def test_a_fee_does_not_make_the_invoice_smaller() -> None:
    for name in ("paypal-notification-english", "paypal-german", "paypal-spanish", "paypal-sent-you-dollars"):
        found = read(name)
        assert isinstance(found, Payment)
        assert found.amount == MONEY[name][1]
        assert "keeps" in found.says


@pytest.mark.parametrize(
    "note",
    [
        "Fee: $4,998.00 USD Gross amount: $6,248.00 USD",
        "Total amount: $9,000.00 USD",
        "Acme GmbH sent you $9,000.00 USD",
        "Amount: 9,000.00 EUR",
    ],
)
def test_a_payers_note_cannot_make_the_payment_bigger(note: str) -> None:
    email = mail("paypal-sent-you-dollars")
    for text in (
        f"{email.text}\nNote from Bob Stone: {note}",
        email.text.replace("Transaction", f"{note}\nTransaction"),
    ):
        found = payment_in(replace(email, text=text), OWNER)
        assert isinstance(found, Payment)
        assert (found.amount, found.proven) == (usd(125_000), False)


def test_a_payers_name_cannot_either() -> None:
    email = mail("paypal-sent-you-dollars")
    for name in ("You received a payment of $9,000.00 USD from Acme", "Acme GmbH sent you $9,000.00 USD. Bob"):
        swapped = {"text": email.text.replace("Bob Stone", name), "subject": email.subject.replace("Bob Stone", name)}
        found = payment_in(replace(email, **swapped), OWNER)
        assert not (isinstance(found, Payment) and found.proven and found.amount != usd(125_000))


def test_a_notice_of_money_without_a_readable_amount_is_told_apart() -> None:
    shown = replace(mail("paypal-french"), text="Bonjour, ouvrez la pièce jointe.", html_text="")
    found = payment_in(shown, OWNER)
    assert isinstance(found, NotMoney)
    assert found.unread


def test_two_senders_prove_nothing() -> None:
    two = replace(mail("wise-received"), senders=(Address(email="noreply@wise.com"), Address(email="x@evil.example")))
    found = payment_in(two, OWNER)
    assert isinstance(found, Payment)
    assert not found.proven


@pytest.mark.parametrize(
    "text",
    [
        "",
        "received",
        "You received a payment of",
        "$",
        "1" * 20_000,
        "You received a payment of " * 2_000,
        "\x00\ufeff",
    ],
)
def test_any_text_is_read_quickly(text: str) -> None:
    for name in ("stripe-payment-english", "paypal-german", "wise-received"):
        assert payment_in(replace(mail(name), text=text, subject=text), OWNER) is not None


def test_who_a_payment_service_is() -> None:
    assert is_payment_sender("service@paypal.de")
    assert is_payment_sender("x@intl.paypal.com")
    assert not is_payment_sender("service@paypal.com.evil.example")
    assert not is_payment_sender("service@wise.community")


@pytest.mark.parametrize("name", sorted({*MONEY, *WEAK, *NOT_MONEY, *NOTHING}))
def test_a_lure_is_no_persons_mail(name: str) -> None:
    reason = lure(mail(name))
    assert bool(reason) == (name in {"paypal-phish", "stripe-lookalike"})
    around = Surroundings(folder_kind="inbox", now=datetime(2026, 11, 16, tzinfo=UTC))
    found = routed(mail(name), OWNER, around)
    if reason:
        assert isinstance(found, Ignore)
        assert found.rule in {"phishing", "no-reply"}


# ---------------------------------------------------------------- numbers of invoices


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("for invoice 2026-014.", ("2026-014",)),
        ("RE 2026-014, 2026-015", ("2026-014", "2026-015")),
        ("2026-0145 and 12026-014", ()),
        ("2026-014/2", ()),
        ("invoice 14", ("14",)),
        ("Rechnung Nr. 14 ist bezahlt", ("14",)),
        ("#14", ("14",)),
        ("14 business days", ()),
        ("invoice 14,50 EUR", ()),
        ("inv_2026-014", ()),
        ("INV-2026-014 paid", ("2026-014",)),
        ("RE2026-014", ("2026-014",)),
        ("X-2026-014", ()),
        ("", ()),
    ],
)
def test_numbers_stand_as_words_of_their_own(text: str, found: tuple[str, ...]) -> None:
    assert numbers_in(text, ("2026-014", "2026-015", "14")) == found


# ---------------------------------------------------------------- whom the owner's server vouches for

VERDICT = "Authentication-Results: mail.winter.example; dkim=pass header.d=paypal.de\r\n"
OUTSIDE = "Received: from mx.paypal.de (mx.paypal.de [198.51.100.9]) by mail.winter.example with ESMTPS; Mon\r\n"
FILTER = "Received: from localhost (localhost [127.0.0.1]) by mail.winter.example with ESMTP; Mon\r\n"
LMTP = "Received: from mail.winter.example by store.winter.example with LMTP; Mon\r\n"
GOOGLE = "Received: by 2002:a05:6a10:8c1d:b0:5d2:3b5e with SMTP id a; Mon\r\n"
OF_GOOGLE = "Authentication-Results: mx.google.com; dmarc=pass (p=REJECT) header.from=paypal.de\r\n"


@pytest.mark.parametrize(
    ("headers", "vouched"),
    [
        (VERDICT + OUTSIDE, True),
        (LMTP + VERDICT + OUTSIDE, True),
        (FILTER + VERDICT + OUTSIDE, True),
        (GOOGLE + OUTSIDE + OF_GOOGLE, True),
        (VERDICT.replace("header.d=", "header.i=@") + OUTSIDE, True),  # as Gmail and others name a signature alone
        (VERDICT.replace("header.d=", "header.i=service@") + OUTSIDE, True),
        (VERDICT.replace("header.d=", "header.s=s1 header.i=@").replace("\r\n", " header.b=abcd\r\n") + OUTSIDE, True),
        (VERDICT.replace("header.d=", "header.i=") + OUTSIDE, False),
        (VERDICT.replace("header.d=", "header.d=evil.example header.i=@") + OUTSIDE, False),
        (VERDICT.replace("header.d=", "header.i=@evil.example header.i=@") + OUTSIDE, False),
        (VERDICT.replace("header.d=paypal.de", '"header.i=@paypal.de"') + OUTSIDE, False),
        (VERDICT.replace("header.d=paypal.de", 'header.i="x @paypal.de"') + OUTSIDE, False),
        (VERDICT.replace("dkim=pass header.d=", "dkim=fail header.i=@") + OUTSIDE, False),
        (OUTSIDE + VERDICT.replace("header.d=", "header.i=@"), False),
        (OUTSIDE + VERDICT, False),  # below what the owner's server wrote: anybody's
        (FILTER + OUTSIDE + VERDICT, False),
        (OUTSIDE + FILTER + VERDICT, False),
        (FILTER.replace("(localhost [127.0.0.1])", "(mx.evil.example [203.0.113.5])") + VERDICT, False),
        (OUTSIDE + OF_GOOGLE, False),  # Google's name in a mailbox that is not Google's
        (GOOGLE + VERDICT + OF_GOOGLE, False),  # not Google's own verdict on top
        (VERDICT.replace("pass", "fail") + OUTSIDE, False),
        (VERDICT.replace("header.d=paypal.de", "(header.d=paypal.de)") + OUTSIDE, False),
        (VERDICT.replace("dkim=pass", '"; dkim=pass') + OUTSIDE, False),
        (OUTSIDE, False),
        ("", False),
    ],
)
def test_only_what_the_owners_server_wrote_counts(headers: str, *, vouched: bool) -> None:
    raw = f"{headers}From: PayPal <service@paypal.de>\r\nTo: ada@winter.example\r\nSubject: x\r\n\r\nx\r\n"
    assert ("paypal.de" in vouched_domains(mime.parse(raw.encode()))) == vouched


SERVICE = (
    "Authentication-Results: mail.winter.example; dmarc=pass header.from={domain}\r\n"
    "Received: from out.{domain} (out.{domain} [198.51.100.7]) by mail.winter.example with ESMTPS id 4X\r\n"
    "From: <service@{domain}>\r\nTo: <ada@winter.example>\r\nSubject: {subject}\r\nMessage-ID: <1@{domain}>\r\n"
    "Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
)
ELSEWHERE = [
    ("paypal.it", "Hai ricevuto un pagamento", "Acme Srl ti ha inviato 1.200,00 EUR", "1200.00 EUR"),
    ("paypal.nl", "Je hebt een betaling ontvangen", "Acme BV heeft je 1.200,00 EUR gestuurd", "1200.00 EUR"),
    ("paypal.pt", "Recebeu um pagamento", "Recebeu um pagamento de 1.200,00 EUR de Acme Lda.", "1200.00 EUR"),
    ("paypal.pl", "Otrzymano płatność", "Otrzymano płatność w wysokości 1 200,00 PLN od Acme", "1200.00 PLN"),
    (
        "wise.com",
        "Je hebt 1.200,00 EUR ontvangen van Acme BV",
        "Je hebt 1.200,00 EUR van Acme BV ontvangen",
        "1200.00 EUR",
    ),
    ("wise.com", "Hai ricevuto 1.200,00 EUR da Acme Srl", "Hai ricevuto 1.200,00 EUR da Acme Srl.", "1200.00 EUR"),
    ("paypal.it", "Ricevuta del tuo pagamento a Hosting", "Hai inviato un pagamento di 12,00 EUR a Hosting", ""),
    ("paypal.nl", "Je betaling aan Hosting", "Je hebt 12,00 EUR gestuurd naar Hosting", ""),
    ("paypal.pl", "Potwierdzenie płatności", "Wysłano płatność 12,00 PLN", ""),
    ("wise.com", "Je hebt 12,00 EUR uitgegeven bij Hosting", "Je hebt 12,00 EUR uitgegeven bij Hosting", ""),
]


@pytest.mark.parametrize(("domain", "subject", "text", "amount"), ELSEWHERE)
def test_notices_in_the_other_languages_of_the_owner(domain: str, subject: str, text: str, amount: str) -> None:
    found = payment_in(mime.parse(SERVICE.format(domain=domain, subject=subject, text=text).encode()), OWNER)
    if amount:
        assert isinstance(found, Payment)
        assert (found.amount, found.proven, found.payer[:4]) == (parse_amount(amount), True, "Acme")
    else:
        assert isinstance(found, NotMoney)
