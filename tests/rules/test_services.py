"""Notices of services from ordinary addresses get no draft; people who write of the same things do."""

# ruff: noqa: E501 (mails in one line each)

import pytest

from tests.ledgers import mail
from tests.rules.test_triage import AROUND, KNOWN, OWNER
from workflows.models.mail import Address, Email
from workflows.rules.triage import triage


def sent(sender: str, subject: str, text: str, name: str = "") -> Email:
    return mail(text, subject=subject, senders=(Address(email=sender, name=name),), to=(Address(email=OWNER.address),))


NOTICES = [
    sent(
        "rechnung@hoster.example",
        "Ihre Rechnung",
        "Sehr geehrte Frau Winter,\n\nanbei erhalten Sie Ihre Rechnung RE-2026-1188.\n\nKundennummer: 448812\nDer Rechnungsbetrag von 9,90 EUR wird in den nächsten Tagen von Ihrem Konto abgebucht.\n\nIhr Hoster-Team",
    ),
    sent(
        "billing@hosting.example",
        "Your invoice for November",
        "Dear customer,\n\nyour invoice is now available. Customer number: 22. Log in to your account to view it.\n\nThe Hosting team",
    ),
    sent(
        "kundenservice@strom.example",
        "Ihre neue Rechnung ist online",
        "Guten Tag Frau Winter,\n\nIhre Rechnung liegt im Kundenportal bereit. Vertragsnummer: 1212.",
    ),
    sent(
        "factures@hebergeur.example",
        "Votre facture est disponible",
        "Bonjour,\n\nvotre facture est disponible dans votre espace client. Numéro client : 12.",
    ),
    sent(
        "clientes@telefonia.example",
        "Su factura de noviembre",
        "Estimado cliente: su factura está en el área de clientes.",
    ),
    sent(
        "faktury@hosting.example",
        "Nowa faktura",
        "Szanowny Kliencie, numer klienta: 12. Faktura jest w panelu klienta.",
    ),
    sent(
        "voicemail@pbx.example",
        "New voicemail from +49 171 1234567",
        "You have a new voicemail message.\n\nFrom: +49 171 1234567\nDuration: 0:31\nMailbox: 100",
    ),
    sent(
        "fritzbox@winter-net.example",
        "Anruf von 0171 1234567",
        "Neue Nachricht auf dem Anrufbeantworter\nRufnummer: 0171 1234567\nDauer: 31 Sekunden",
    ),
    sent(
        "telefonanlage@sip.example",
        "Neue Sprachnachricht von 01711234567",
        "Sie haben eine neue Sprachnachricht von der Nummer 01711234567.\nDauer: 12 s",
    ),
    sent(
        "messages@voip.example",
        "Nouveau message vocal",
        "Vous avez reçu un nouveau message vocal de +33 1 23 45 67 89.\nDurée : 0:12",
    ),
    sent(
        "info@bank.example",
        "Gutschrift auf Ihrem Konto",
        "Guten Tag Ada Winter,\n\nauf Ihrem Konto wurde ein Betrag gutgeschrieben.\nBetrag: 1.190,00 EUR\nAuftraggeber: Studio GmbH\n\nIhre Bank",
    ),
    sent(
        "payments@bank.example",
        "You received a payment",
        "A payment has been credited to your account ending 1234. Payer: Studio. Log in to online banking for details.",
    ),
    sent("avisos@banco.example", "Aviso de abono", "Se ha abonado en su cuenta un importe de 100 EUR."),
    sent(
        "avvisi.info@banca.example",
        "Accredito sul conto",
        "Gentile cliente, sul suo conto è stato accreditato un bonifico.",
    ),
    sent(
        "shop@papier.example",
        "Ihre Bestellung 10023",
        "Vielen Dank für Ihre Bestellung!\n\nBestellnummer: 10023\nLieferadresse: Ada Winter\nZwischensumme 12,00",
    ),
    sent(
        "orders@store.example",
        "Order confirmation #7781",
        "Thank you for your order.\n\nOrder number: 7781\nShipping address: Ada Winter\nSubtotal 12.00",
    ),
    sent(
        "commandes@boutique.example",
        "Confirmation de votre commande",
        "Merci pour votre commande.\nNuméro de commande : 778",
    ),
    sent("bestelling@winkel.example", "Je bestelling 778", "Bedankt voor je bestelling. Bestelnummer: 778"),
    sent(
        "portal@finanzamt.example",
        "Sie haben eine neue Nachricht",
        "Guten Tag,\n\nin Ihrem Postfach liegt eine neue Nachricht. Bitte melden Sie sich bei Mein ELSTER an.\n\nIhr Finanzamt",
    ),
    sent(
        "service@tax.example", "You have a new message", "A new message is waiting. Sign in to your account to read it."
    ),
    sent(
        "info@impots.example", "Vous avez un nouveau message", "Connectez-vous à votre espace particulier pour le lire."
    ),
    sent("avisos@hacienda.example", "Tiene una nueva notificación", "Acceda a la sede electrónica para leerla."),
    sent(
        "security@cloud.example", "New sign-in to your account", "If this was not you, sign in to change your password."
    ),
]

PEOPLE = [
    sent(
        "max@bigcorp.example",
        "Ihre Rechnung",
        "Hallo Frau Winter,\n\nIhre Rechnung 2026-11 stimmt nicht. Können Sie den Betrag prüfen? Kundennummer ist 12.\n\nMax",
    ),
    sent(
        "buchhaltung@bigcorp.example",
        "Ihre Rechnung 2026-11",
        "Sehr geehrte Frau Winter,\n\nIhre Rechnung haben wir erhalten, der Rechnungsbetrag wird am Freitag angewiesen.\n\nBuchhaltung",
    ),
    sent(
        "buchhaltung@bigcorp.example",
        "Rechnung Nr. 12",
        "Hallo Ada,\n\nauf der Rechnung fehlt die Kundennummer 4711.\n\nSabine",
    ),
    sent(
        "billing@bigcorp.example",
        "Your invoice 12",
        "Dear Ms Winter,\n\nI have a question about the amount due.\n\nTom",
    ),
    sent("accounts@bigcorp.example", "Invoice number 12", "Hello Ada,\n\nwe will pay the amount due on Friday.\n\nTom"),
    sent(
        "info@cafe.example",
        "Ihre Bestellung",
        "Hallo Ada, für deine Bestellung der Speisekarte fehlt die Bestellnummer. Schickst du sie?",
    ),
    sent(
        "shop@florist.example",
        "Order confirmation page",
        "Hi Ada,\n\nthe order number is missing on the page. Could you add it?\n\nPaul",
    ),
    sent(
        "shop@florist.example",
        "Order #12 on our page",
        "Hi Ada,\n\nthe order number is shown twice on the page.\n\nPaul",
    ),
    sent(
        "tom@startup.example",
        "New voicemail feature",
        "We'd like a voicemail feature: caller: shown, duration: shown. What would it cost?",
    ),
    sent("paul@florist.example", "Missed call", "Hi Ada, you have a missed call from me. Ring me when you can."),
    sent(
        "hello@studio.example", "Payment received", "Hi Ada, payment has been received, thanks. I will write on Monday."
    ),
    sent("info@verein.example", "Überweisung", "Liebe Ada,\nich habe auf Ihr Konto überwiesen. Gruß Karl"),
    sent(
        "team@agency.example",
        "You have a new message design",
        "We saw the message cent page; log in to see our notes and let us know.",
    ),
    sent(
        "maria@studio.example",
        "Neue Nachricht",
        "Hallo Frau Winter, in Ihrem Portal klappt das Anmelden nicht. Bitte prüfen Sie es.",
    ),
    sent(
        "service@autohaus.example",
        "Rechnung für Oktober",
        "Guten Tag Frau Winter,\nbitte korrigieren Sie die Kundennummer auf der Rechnung.\nMüller",
    ),
    sent("contact@boulangerie.example", "Facture", "Bonjour, je ne comprends pas le numéro client sur la facture."),
    sent("clientes@tienda.example", "Factura", "Hola Ada, necesito el número de cliente en la factura."),
    sent(
        "support@saas.example",
        "New sign-in page",
        "Hi Ada, can you design the page? If you did not see the brief, tell us.",
    ),
    sent(
        "info@kanzlei.example",
        "Neuer Bescheid",
        "Sehr geehrte Frau Winter, ich habe den Bescheid in Ihr Postfach eingestellt und rufe an.",
    ),
]


@pytest.mark.parametrize("email", NOTICES, ids=lambda email: email.sender.email)
def test_a_notice_of_a_service_gets_no_draft(email: Email) -> None:
    verdict = triage(email, OWNER, AROUND)
    assert verdict is not None
    assert verdict.rule == "service-notice", verdict


@pytest.mark.parametrize("email", PEOPLE, ids=lambda email: email.subject)
def test_a_person_who_writes_of_such_things_is_a_person(email: Email) -> None:
    assert triage(email, OWNER, AROUND) is None


@pytest.mark.parametrize("email", NOTICES, ids=lambda email: email.sender.email)
def test_whom_the_owner_has_written_to_is_never_a_service(email: Email) -> None:
    assert triage(email, OWNER, KNOWN) is None
