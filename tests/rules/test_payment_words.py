# ruff: noqa: E501 - notices and tables as they come
"""Today's words of payment services, in lines and paragraphs as mail programs show them, and what only looks so."""

import time

import pytest

from tests.ledgers import OWNER
from tools.mail import mime
from workflows.rules.debts.payments import NotMoney, Payment, payment_in
from workflows.rules.text.money import parse_amount

MAIL = (
    "Authentication-Results: mail.winter.example; dmarc=pass header.from={domain}\r\n"
    "Received: from out.{domain} (out.{domain} [198.51.100.7]) by mail.winter.example with ESMTPS id 4X\r\n"
    "From: <{local}@{domain}>\r\nTo: <ada@winter.example>\r\nSubject: {subject}\r\nMessage-ID: <1@{domain}>\r\n"
    "MIME-Version: 1.0\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n{text}\r\n"
)


def read(domain: str, subject: str, text: str, local: str = "service") -> Payment | NotMoney | None:
    shown = MAIL.format(domain=domain, local=local, subject=subject, text=text.replace("\n", "\r\n"))
    return payment_in(mime.parse(shown.encode()), OWNER)


NOTICES = [
    # PayPal
    ("paypal.com", "You've got money", "Hello, Ada Winter\n\nMaria Lund sent you $500.00 USD\n\nTransaction ID\n5AB123\n", "500.00 USD"),
    ("paypal.com", "You've got money", "Hello, Ada Winter\nMaria Lund sent you $500.00 USD\nTransaction ID\n5AB123\n", "500.00 USD"),
    ("paypal.com", "You've got money", "Hello Ada Winter, Maria Lund sent you $500.00 USD", "500.00 USD"),
    ("paypal.com", "You've got money", "Hello, Ada Winter Maria Lund sent you $500.00 USD", "500.00 USD"),
    ("paypal.com", "You've got money", "Dear Ada,\nGreat news!\nMaria Lund sent you ₹5,00,000.00 INR", "500000.00 INR"),
    ("paypal.com", "Maria Lund sent you $500.00 USD", "Ada Winter\nGood news, Maria Lund sent you $500.00 USD", "500.00 USD"),
    ("paypal.com", "Maria Lund paid for your invoice (2026-014)", "Hello, Ada Winter\n\nYou received a $500.00 USD payment\n\nAmount paid $500.00 USD\n", "500.00 USD"),
    ("paypal.com", "Maria Lund paid your invoice", "Ada Winter\n\nAmount paid\n$500.00 USD\n\nInvoice number\n2026-014", "500.00 USD"),
    ("paypal.com", "Payment received from Maria Lund", "Hello Ada Winter,\n\nYou've received a payment of £450.00 GBP from Maria Lund (maria@studio.example)", "450.00 GBP"),
    ("paypal.com", "You received a payment", "Ada\n\nYou got CA$99.50 CAD from Maria Lund.\n", "99.50 CAD"),
    ("paypal.de", "Maria Lund hat Ihre Rechnung bezahlt", "Guten Tag, Ada Winter!\n\nGezahlter Betrag\n500,00 € EUR\n\nRechnungsnummer\n2026-014", "500.00 EUR"),
    ("paypal.de", "Sie haben Geld erhalten", "Guten Tag Ada Winter,\n\nMaria Lund hat Ihnen 1.250,00 € EUR gesendet\n", "1250.00 EUR"),
    ("paypal.de", "Zahlung von Maria Lund erhalten", "Hallo Ada\nMaria Lund hat dir 80,00 € EUR überwiesen", "80.00 EUR"),
    ("paypal.fr", "Maria Lund a payé votre facture", "Bonjour Ada Winter\n\nMontant payé : 500,00 € EUR\n\nMaria Lund a payé votre facture 2026-014", "500.00 EUR"),
    ("paypal.fr", "Vous avez reçu de l'argent", "Bonjour, Ada Winter\n\nMaria Lund vous a envoyé 500,00 € EUR", "500.00 EUR"),
    ("paypal.es", "Maria Lund ha pagado su factura", "Hola, Ada Winter:\n\nImporte pagado 500,00 € EUR", "500.00 EUR"),
    ("paypal.it", "Maria Lund ha pagato la tua fattura", "Ciao Ada Winter\n\nImporto pagato: 500,00 EUR", "500.00 EUR"),
    ("paypal.nl", "Maria Lund heeft je factuur betaald", "Hallo Ada\n\nBetaald bedrag\n500,00 EUR", "500.00 EUR"),
    ("paypal.pt", "Maria Lund pagou a sua fatura", "Olá Ada\n\nValor pago: 500,00 EUR", "500.00 EUR"),
    ("paypal.pl", "Maria Lund opłaciła twoją fakturę", "Dzień dobry\n\nZapłacona kwota: 500,00 PLN", "500.00 PLN"),
    # Wise
    ("wise.com", "You received 500 EUR from Maria Lund", "Hi Ada,\n\nYou received 500 EUR from Maria Lund.\n\nReference: 2026-014", "500.00 EUR"),
    ("wise.com", "Maria Lund sent you 500.00 EUR", "Hi Ada Winter\n\nMaria Lund sent you 500.00 EUR\n", "500.00 EUR"),
    ("wise.com", "Maria Lund just paid you 500.00 USD", "Hi Ada\nMaria Lund just paid you 500.00 USD", "500.00 USD"),
    ("wise.com", "You just got paid", "Hi Ada,\nMaria Lund paid you 500 GBP\n", "500.00 GBP"),
    ("wise.com", "500 EUR from Maria Lund has arrived", "Hi Ada,\n\n500 EUR from Maria Lund has arrived", "500.00 EUR"),
    ("wise.com", "Maria Lund paid your invoice", "Hi Ada,\n\nAmount received\n75,000.00 INR\n", "75000.00 INR"),
    ("wise.com", "Maria Lund hat deine Rechnung bezahlt", "Hallo Ada,\n\nMaria Lund hat dir 500,00 EUR gesendet\n", "500.00 EUR"),
    # Stripe
    ("stripe.com", "You received a payment of $500.00 from Maria Lund", "Hello,\n\nYou received a payment of $500.00 from Maria Lund", "500.00 USD"),
    ("stripe.com", "You received a $500.00 payment from Maria Lund", "Amount paid $500.00\nPaid by Maria Lund", "500.00 USD"),
    ("stripe.com", "Invoice 2026-014 has been paid", "Ada Winter Design\n\nAmount paid\n$500.00\n\nPaid by\nMaria Lund\n", "500.00 USD"),
    ("stripe.com", "Your invoice 2026-014 was paid by Maria Lund", "Total paid ₹5,00,000.00\n", "500000.00 INR"),
    ("stripe.com", "New payment of €500.00 from Maria Lund", "Hello Ada Winter\nMaria Lund paid you €500.00", "500.00 EUR"),
    ("stripe.com", "Maria Lund paid invoice 2026-014", "Amount paid €500.00", "500.00 EUR"),
]  # fmt: skip


@pytest.mark.parametrize(("domain", "subject", "text", "amount"), NOTICES)
def test_todays_words_are_money_and_the_name_is_the_payers_alone(
    domain: str, subject: str, text: str, amount: str
) -> None:
    payment = read(domain, subject, text)
    assert isinstance(payment, Payment), payment
    assert (payment.payer, payment.amount, payment.proven) == ("Maria Lund", parse_amount(amount), True), payment.says


@pytest.mark.parametrize(
    ("domain", "subject", "text"),
    [
        ("paypal.com", "You paid Hosting Ltd", "Hello, Ada Winter\n\nYou paid $20.00 USD to Hosting Ltd"),
        ("paypal.com", "You paid an invoice", "Amount paid $20.00 USD"),
        ("paypal.com", "You've sent a payment", "Amount paid $20.00 USD"),
        ("paypal.com", "Receipt for your payment to Hosting Ltd", "Amount paid\n$20.00 USD"),
        ("paypal.com", "Payment reminder: invoice from Hosting", "Total $20.00 USD"),
        ("paypal.de", "Sie haben eine Rechnung bezahlt", "Gezahlter Betrag 20,00 EUR"),
        ("paypal.de", "Du hast 20,00 EUR gesendet", "Gezahlter Betrag 20,00 EUR"),
        ("paypal.fr", "Vous avez payé Hosting", "Montant payé 20,00 EUR"),
        ("paypal.es", "Has pagado 20,00 EUR a Hosting", "Importe pagado 20,00 EUR"),
        ("paypal.it", "Hai pagato 20,00 EUR a Hosting", "Importo pagato 20,00 EUR"),
        ("paypal.nl", "Je hebt 20,00 EUR betaald", "Betaald bedrag 20,00 EUR"),
        ("wise.com", "You paid 20 EUR to Hosting", "You paid 20 EUR"),
        ("wise.com", "Your money is now in Hosting's account", "500 EUR has arrived"),
        ("stripe.com", "Your receipt from Hosting #1234", "Amount paid $20.00"),
        ("stripe.com", "Payment failed for invoice 2026-014", "Amount $20.00"),
    ],
)
def test_what_the_owner_paid_is_never_money_that_came_in(domain: str, subject: str, text: str) -> None:
    payment = read(domain, subject, text)
    assert not (isinstance(payment, Payment) and payment.proven), payment


def test_a_name_of_several_words_or_with_a_greetings_word_stays_whole() -> None:
    for name in ("Beste Catering BV", "Hi-Fi Studio GmbH", "Lund, Maria", "Cara Delgado", "Ada Winterberg"):
        payment = read("paypal.com", "You've got money", f"Hello, Ada Winter\n\n{name} sent you $500.00 USD\n")
        assert isinstance(payment, Payment)
        assert payment.payer == name


def test_a_wrapped_line_is_one_line() -> None:
    text = (
        "Hello Ada Winter,\n\nwe are writing to let you know that you received a payment of\n$500.00 USD from Maria\n"
    )
    payment = read("paypal.com", "You received a payment", text)
    assert isinstance(payment, Payment)
    assert (payment.amount.minor, payment.payer) == (50_000, "Maria")


@pytest.mark.parametrize("text", ["a " * 6_000, "x" * 12_000, "Amount paid\n" * 1_000, "1 EUR from " * 1_000])
def test_a_long_notice_takes_little_time(text: str) -> None:
    payment_in(mime.parse(b"From: a@b.example\r\n\r\nx"), OWNER)
    for _ in range(2):  # the first call makes the patterns
        begun = time.process_time()
        read("paypal.com", "You've got money", text)
        spent = time.process_time() - begun
    assert spent < 1
