# ruff: noqa: E501 - sentences as they come
"""What clients write of an invoice in plain words: contested, promised, paid, or something wanted first."""

from datetime import UTC, date, datetime

import pytest

from workflows.rules.debts.promises import Dispute, PaidClaim, Promise, Wish, money_words

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)  # a Tuesday
FRIDAY, NEXT_FRIDAY, MONDAY = date(2026, 11, 27), date(2026, 12, 4), date(2026, 11, 30)


def read(text: str, language: str = ""):
    return money_words(text, language, NOW, "Europe/Berlin")


DISPUTES = {
    "en": [
        "You billed 6 hours but we agreed on 4.",
        "We can't pay this invoice as it is.",
        "I don't agree with position 3.",
        "You charged us for 6 hours instead of 4.",
        "We were billed 6 hours, we agreed on 4.",
        "That's more than you quoted.",
        "The invoice is, from our point of view, too high.",
        "Please correct the invoice.",
        "Could you fix the invoice, there are two hours too many.",
        "We cannot accept the invoice in its current form.",
        "This is not the price we agreed on.",
        "That is not what we agreed.",
        "There must be a mistake, the hours are off.",
        "We're not happy with the number of hours you billed.",
        "Line item 2 was never agreed.",
        "I have a problem with this invoice.",
        "We agreed on a fixed price of 800, not 1,200.",
        "The rate on the invoice is not the one we agreed.",
        "We don't think this amount is justified.",
        "Why is it 1,200 when you quoted 800?",
        "We will not be paying for the second design.",
    ],
    "de": [
        "Die Rechnung ist aus unserer Sicht zu hoch.",
        "Die Rechnung können wir so nicht bezahlen.",
        "Bitte korrigieren Sie die Rechnung.",
        "Uns wurden 6 statt 4 Stunden berechnet.",
        "Sie haben 6 Stunden berechnet, vereinbart waren 4.",
        "Wir hatten 4 Stunden vereinbart, nicht 6.",
        "Mit Position 3 bin ich nicht einverstanden.",
        "So können wir das nicht akzeptieren.",
        "Könnten Sie die Rechnung bitte anpassen?",
        "Das ist mehr als vereinbart.",
        "Das ist deutlich mehr, als Sie angeboten hatten.",
        "Der Betrag ist für uns nicht nachvollziehbar.",
        "Die Stunden auf der Rechnung sind zu viel.",
        "Position 2 haben wir so nicht besprochen.",
        "Bitte stornieren Sie die Rechnung und stellen Sie eine neue.",
        "Auf der Rechnung ist ein Fehler.",
        "Das war anders abgesprochen.",
        "Der Preis war anders vereinbart.",
        "Die Rechnung liegt über dem Angebot.",
        "Diese Rechnung akzeptieren wir nicht.",
    ],
    "fr": [
        "La facture est, selon nous, trop élevée.",
        "Nous ne pouvons pas payer cette facture en l'état.",
        "Merci de corriger la facture.",
        "Vous avez facturé 6 heures au lieu de 4.",
        "Vous nous avez facturé 6 heures alors que nous avions convenu 4.",
        "Je ne suis pas d'accord avec la ligne 3.",
        "Nous ne sommes pas d'accord avec le montant.",
        "C'est plus que le devis.",
        "Ce n'est pas ce qui était convenu.",
        "Ce n'est pas le prix convenu.",
        "Il y a une erreur sur la facture.",
        "Pourriez-vous rectifier la facture ?",
        "Le montant dépasse le devis.",
        "Nous n'acceptons pas cette facture.",
        "Ce tarif n'a jamais été convenu.",
    ],
    "es": [
        "La factura nos parece demasiado alta.",
        "No podemos pagar esta factura tal como está.",
        "Por favor, corrija la factura.",
        "Nos ha facturado 6 horas en lugar de 4.",
        "Ha facturado 6 horas, pero acordamos 4.",
        "No estoy de acuerdo con la línea 3.",
        "No estamos conformes con el importe.",
        "Es más de lo presupuestado.",
        "Eso no es lo que acordamos.",
        "No es el precio acordado.",
        "Hay un error en la factura.",
        "¿Podría rectificar la factura?",
        "El importe supera el presupuesto.",
        "No aceptamos esta factura.",
        "Ese precio nunca se acordó.",
    ],
}
PROMISES = {
    "en": [
        ("I'll get to it Monday.", MONDAY),
        ("You'll have it by the end of next week.", NEXT_FRIDAY),
        ("It goes out with Friday's run.", FRIDAY),
        ("It will go out with the payment run on Friday.", FRIDAY),
        ("I'll sort it out on Monday.", MONDAY),
        ("I'll take care of it on Friday.", FRIDAY),
        ("It's in Friday's payment run.", FRIDAY),
        ("You'll get it on Friday.", FRIDAY),
        ("Paying it on Monday.", MONDAY),
        ("Payment on Friday.", FRIDAY),
        ("Will do the transfer on Monday.", MONDAY),
        ("It's scheduled for Friday.", FRIDAY),
        ("The money should be with you by Friday.", FRIDAY),
        ("It'll be paid this week.", FRIDAY),
        ("You can expect it by Friday.", FRIDAY),
    ],
    "de": [
        ("Geht Ende der Woche raus.", FRIDAY),
        ("Wird diese Woche bezahlt.", FRIDAY),
        ("Zahlung erfolgt zum 15.12.", date(2026, 12, 15)),
        ("Das geht am Freitag raus.", FRIDAY),
        ("Überweise ich am Montag.", MONDAY),
        ("Erledige ich am Montag.", MONDAY),
        ("Mache ich am Montag fertig.", MONDAY),
        ("Haben Sie bis Freitag.", FRIDAY),
        ("Ist Freitag auf Ihrem Konto.", FRIDAY),
        ("Kommt nächste Woche.", NEXT_FRIDAY),
        ("Wird mit dem Zahllauf am Freitag überwiesen.", FRIDAY),
        ("Ist für Freitag eingeplant.", FRIDAY),
        ("Die Rechnung ist im Zahllauf am Freitag.", FRIDAY),
        ("Geld kommt am Montag.", MONDAY),
        ("Weise ich morgen an.", date(2026, 11, 25)),
        ("Bezahlen wir zum Monatsende.", MONDAY),
    ],
    "fr": [
        ("Ça part vendredi.", FRIDAY),
        ("Ce sera réglé cette semaine.", FRIDAY),
        ("Vous l'aurez vendredi.", FRIDAY),
        ("Je m'en occupe lundi.", MONDAY),
        ("Je fais ça lundi.", MONDAY),
        ("Paiement au 15 décembre.", date(2026, 12, 15)),
        ("C'est prévu pour vendredi.", FRIDAY),
        ("Le virement part lundi.", MONDAY),
        ("Nous vous payons vendredi.", FRIDAY),
        ("Réglé d'ici vendredi.", FRIDAY),
    ],
    "es": [
        ("Sale el viernes.", FRIDAY),
        ("Se paga esta semana.", FRIDAY),
        ("Lo tendrá el viernes.", FRIDAY),
        ("Me ocupo el lunes.", MONDAY),
        ("Lo hago el lunes.", MONDAY),
        ("El pago será el 15 de diciembre.", date(2026, 12, 15)),
        ("Está previsto para el viernes.", FRIDAY),
        ("Le transfiero el lunes.", MONDAY),
        ("Pago el viernes.", FRIDAY),
        ("Os pagamos el viernes.", FRIDAY),
    ],
}
CLAIMS = {
    "en": [
        "wired it last night", "Payment is on its way.", "sent it yesterday", "Just paid it.", "All paid now.",
        "It went out this morning.", "The money is on its way to you.", "I've just sent the money.", "Transferred yesterday.",
        "It's paid.", "Should already be in your account.", "We settled this last week.", "The transfer went through yesterday.",
        "This was paid on 20 November.", "I paid you on Monday.",
    ],
    "de": [
        "Die Zahlung ist raus.", "Wurde am 27.11. überwiesen.", "Wurde am 20.11. überwiesen.", "Ist schon bezahlt.",
        "Hab ich gestern überwiesen.", "Ist überwiesen.", "Die Überweisung ging gestern raus.", "Das Geld ist unterwegs.",
        "Gestern bezahlt.", "Habe eben überwiesen.", "Die Rechnung ist bereits beglichen.", "Das Geld ist schon unterwegs.",
        "Ging heute früh raus.", "Ist erledigt, Zahlung ist raus.", "Haben wir letzte Woche bezahlt.",
    ],
    "fr": [
        "Le paiement est parti.", "C'est viré.", "J'ai fait le virement hier.", "Le virement est en cours.", "Déjà payé.",
        "Payé hier.", "La facture a été réglée.", "Nous l'avons payée la semaine dernière.", "Le virement est parti ce matin.",
        "L'argent est en route.",
    ],
    "es": [
        "El pago ya salió.", "Ya está pagado.", "Hice la transferencia ayer.", "La transferencia está en camino.", "Pagado ayer.",
        "Ya te pagué.", "Lo pagamos la semana pasada.", "La factura ya está pagada.", "El dinero está en camino.",
        "Transferido esta mañana.",
    ],
}  # fmt: skip
WISHES = {
    "en": [
        "We need a PO number on it before we can pay.", "Can we pay in two instalments?", "Could we pay half now and half in January?",
        "Please add our VAT number to the invoice.", "Could you send the invoice to accounting@studio.example?",
        "We need your bank details first.", "Could you resend the invoice?", "Please put the purchase order number on the invoice.",
        "Can you give us until the end of December?", "Would a payment plan be possible?", "Please send us the timesheet first.",
        "We can only pay once we have your tax form.", "Could you issue the invoice to Lund Holding Ltd?", "We have not received the invoice.",
        "Can we have a few more weeks to pay?",
        "We never received the invoice.", "Could you send the invoice again? Then we will pay on Friday.",
        "I have not seen your invoice, please resend it by Friday.",
    ],
    "de": [
        "Wir brauchen eine Bestellnummer auf der Rechnung, bevor wir zahlen können.", "Können wir in zwei Raten zahlen?",
        "Wäre eine Ratenzahlung möglich?", "Bitte ergänzen Sie unsere USt-IdNr. auf der Rechnung.", "Könnten Sie uns die Rechnung noch einmal schicken?",
        "Wir brauchen noch Ihre Bankverbindung.", "Bitte senden Sie die Rechnung an buchhaltung@studio.example.", "Auf der Rechnung fehlt die Bestellnummer.",
        "Können Sie uns einen Zahlungsaufschub bis Januar geben?", "Wir benötigen zuerst den Stundennachweis.", "Wir haben die Rechnung nicht erhalten.",
        "Bitte stellen Sie die Rechnung auf die Lund Holding GmbH aus.", "Ist eine Stundung möglich?", "Können wir die Hälfte jetzt und die Hälfte im Januar zahlen?",
        "Ohne PO-Nummer können wir nicht zahlen.",
    ],
    "fr": [
        "Il nous faut un numéro de commande sur la facture avant de pouvoir payer.", "Pouvons-nous payer en deux fois ?", "Un paiement échelonné serait-il possible ?",
        "Merci d'ajouter notre numéro de TVA sur la facture.", "Pourriez-vous nous renvoyer la facture ?", "Nous avons besoin de votre RIB.",
        "Merci d'envoyer la facture à compta@studio.example.", "Il manque le bon de commande.", "Pouvez-vous nous accorder un délai ?", "Nous n'avons pas reçu la facture.",
    ],
    "es": [
        "Necesitamos un número de pedido en la factura antes de poder pagar.", "¿Podemos pagar en dos plazos?", "¿Sería posible un pago fraccionado?",
        "Por favor, añada nuestro NIF a la factura.", "¿Podría reenviar la factura?", "Necesitamos su número de cuenta.",
        "Envíe la factura a contabilidad@studio.example.", "Falta el número de pedido.", "¿Nos puede dar un aplazamiento?", "No hemos recibido la factura.",
    ],
}  # fmt: skip
NOTHING = [
    "The invoice form on the new site shows the wrong colour.", "I don't agree with the font.", "You'll have the texts by Friday.",
    "Please correct the typo on the start page.", "We agreed on Friday, not Monday.", "The logo is too high on the page.",
    "The newsletter goes out on Friday.", "Can we talk on Friday?", "Could you send the logo again?", "We need your opinion first.",
    "Can we do it in two steps?", "Please add our phone number to the contact page.", "The mail went out yesterday.",
    "Paid plans should show a badge.", "Can you give us until Friday for the texts?", "We have not received the draft.",
    "Bitte korrigieren Sie den Tippfehler auf der Startseite.", "Mit dem Entwurf bin ich nicht einverstanden.", "Das Logo ist zu hoch.",
    "Die Rechnungsseite zeigt die falsche Farbe.", "Der Newsletter geht am Freitag raus.", "Können wir in zwei Schritten vorgehen?",
    "Bitte schicken Sie das Logo noch einmal.", "Wir brauchen noch Ihre Einschätzung.", "Auf der Seite fehlt das Impressum.",
    "Der Termin war anders abgesprochen, nämlich Freitag." , "Wir haben den Entwurf nicht erhalten.",
    "Merci de corriger le texte.", "Je ne suis pas d'accord avec la couleur.", "La newsletter part vendredi.", "Pourriez-vous renvoyer le logo ?",
    "Il manque une image.", "Nous n'avons pas reçu la maquette.", "Por favor, corrija el texto.", "No estoy de acuerdo con el color.",
    "El boletín sale el viernes.", "¿Podría reenviar el logo?", "Falta una imagen.", "No hemos recibido el borrador.",
]  # fmt: skip


def of(table: dict) -> list:
    return [(language, text) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("language", "text"), of(DISPUTES))
def test_plain_words_contest(language: str, text: str) -> None:
    assert isinstance(read(text, language), Dispute)
    assert isinstance(read(text), Dispute)


@pytest.mark.parametrize(("language", "promise"), of(PROMISES))
def test_plain_words_promise(language: str, promise: tuple[str, date]) -> None:
    text, until = promise
    found = read(text, language)
    assert isinstance(found, Promise)
    assert found.until == until


@pytest.mark.parametrize(("language", "text"), of(CLAIMS))
def test_plain_words_say_that_it_is_paid(language: str, text: str) -> None:
    assert isinstance(read(text, language), PaidClaim)


@pytest.mark.parametrize(("language", "text"), of(WISHES))
def test_plain_words_want_something_first(language: str, text: str) -> None:
    found = read(text, language)
    assert isinstance(found, Wish)
    assert isinstance(read(text), Wish)
    assert found.words in " ".join(text.split())


@pytest.mark.parametrize("text", NOTHING)
def test_other_work_of_the_same_client_is_none_of_it(text: str) -> None:
    assert read(text) is None


# ---------------------------------------------------------------- others of each kind, none of which a pattern was written for first

OTHERS = {
    Dispute: (
        "The total doesn't match your quote.",
        "We only ordered three pages, you invoiced five.",
        "I think you overcharged us.",
        "This is way too expensive, we agreed on 500.",
        "Please take the second item off the invoice.",
        "We expected 800 euros, not 1,100.",
        "I'm not going to pay for the extra hours.",
        "The VAT on your invoice is wrong.",
        "Why does the invoice say 12 hours?",
        "The invoice includes work we did not order.",
        "Your invoice doesn't reflect our agreement.",
        "Das war so nicht vereinbart.",
        "Der Stundensatz stimmt nicht.",
        "Warum sind das 12 Stunden, wir hatten 8 ausgemacht?",
        "Wir zahlen nur die vereinbarten 800 Euro.",
        "Die Mehrwertsteuer ist falsch ausgewiesen.",
        "Das kommt uns zu teuer vor.",
        "Die zusätzlichen Stunden bezahlen wir nicht.",
        "Ihre Rechnung enthält Leistungen, die wir nicht bestellt haben.",
        "Bitte nehmen Sie Position 2 von der Rechnung.",
        "Die Rechnung weicht vom Angebot ab.",
        "Cette facture ne correspond pas à notre accord.",
        "Vous avez compté trop d'heures.",
        "La TVA est fausse.",
        "C'est trop cher par rapport au devis.",
        "La factura no coincide con el presupuesto.",
        "Han cobrado demasiadas horas.",
        "El IVA está mal.",
        "Es demasiado caro.",
    ),
    Promise: (
        "We'll settle up on Friday.",
        "Expect it Monday.",
        "Should hit your account by Friday.",
        "Will be with you Monday.",
        "Our bank run is Thursday, you're on the list.",
        "I'll do the transfer tonight.",
        "You'll be paid on the 1st.",
        "We process payments on Fridays, yours is in this week's batch.",
        "Ich zahle Freitag.",
        "Kriegst du morgen.",
        "Überweisung folgt am Montag.",
        "Der Betrag geht Ihnen bis Freitag zu.",
        "Wir überweisen zum Monatsende.",
        "Ich kümmere mich am Montag darum.",
        "Sollte bis Freitag da sein.",
        "On paie vendredi.",
        "Le virement sera fait demain.",
        "Cobrará el viernes.",
        "Mañana te lo ingreso.",
        "Te lo pago a final de mes.",
    ),
    PaidClaim: (
        "Paid this morning.",
        "We transferred the amount on Friday.",
        "I sent the payment last week.",
        "It should be in your account already.",
        "Settled yesterday.",
        "Done, payment sent.",
        "Habe ich schon gezahlt.",
        "Ist bezahlt.",
        "Geld ist raus.",
        "Überwiesen am Montag.",
        "Die Rechnung haben wir am 20.11. beglichen.",
        "J'ai payé hier.",
        "C'est réglé.",
        "Virement fait ce matin.",
        "Pagado.",
        "Acabo de hacer la transferencia.",
        "Ya hice el pago.",
    ),
    Wish: (
        "Could you put our PO number on the invoice?",
        "We need a W-9 before we can process this.",
        "Can I pay in three installments?",
        "Please invoice our parent company instead.",
        "Could you extend the payment term by two weeks?",
        "Please resend the invoice as PDF.",
        "We need an itemised invoice.",
        "Can we pay part now and the rest next month?",
        "The invoice must show our cost centre.",
        "We're short on cash, could we pay later?",
        "Können wir die Zahlung um zwei Wochen verschieben?",
        "Bitte schicken Sie die Rechnung als PDF.",
        "Wir bräuchten eine Aufschlüsselung der Stunden.",
        "Können wir in drei Teilbeträgen zahlen?",
        "Bitte die Rechnung auf unsere GmbH umschreiben.",
        "Uns fehlt Ihre IBAN.",
        "Pouvez-vous ajouter notre numéro de commande ?",
        "Peut-on payer en trois fois ?",
        "Il nous manque votre IBAN.",
        "¿Podemos pagar en tres veces?",
        "Necesitamos el número de orden de compra.",
        "¿Puede enviarla en PDF?",
    ),
}
OTHER_WORK = (
    "This plugin is too expensive.",
    "The stock photos are too expensive.",
    "The opening hours on the contact page are wrong.",
    "Why is the invoice page blank?",
    "Please correct the hours on the contact page.",
    "The total in the cart doesn't match the design.",
    "The order form should include the VAT ID.",
    "Please add the order number to the confirmation mail.",
    "Could you send the draft as PDF?",
    "We need a breakdown of the pages.",
    "I will take care of the texts by Friday.",
    "We have not received the new logo files yet.",
    "It should be with the print shop on Friday.",
    "We never ordered the premium font, did we?",
    "Das Plugin ist zu teuer.",
    "Wir hatten 10 Uhr vereinbart.",
    "Die Öffnungszeiten stimmen nicht.",
    "Der Preis auf der Seite stimmt nicht.",
    "Bitte senden Sie uns den Entwurf noch einmal.",
    "Die Aufstellung der Bilder gefällt mir.",
    "Sollte am Freitag auf der Seite stehen.",
    "Wir verschieben den Termin.",
    "Können wir das Meeting verschieben?",
    "Le plugin est trop cher pour nous.",
    "El plugin es demasiado caro.",
    "¿Puede enviar el logo en PDF?",
    "Je m'occupe des textes vendredi.",
    "Erledige ich, danke.",
    "Thanks for the invoice!",
    "The invoice arrived, thank you.",
    "Danke für die Rechnung.",
    "Can you invoice us in December?",
    "When will you send the invoice?",
    "I'll send you the photos on Monday.",
    "You'll get the texts on Friday.",
    "Wir melden uns am Freitag.",
    "Kommt nächste Woche jemand vorbei?",
    "Die neuen Texte kommen nächste Woche.",
    "We'll have a look on Monday.",
    "The texts are on their way.",
)


@pytest.mark.parametrize(("kind", "text"), [(kind, text) for kind, texts in OTHERS.items() for text in texts])
def test_others_of_each_kind(kind: type, text: str) -> None:
    assert isinstance(read(text), kind)


@pytest.mark.parametrize("text", OTHER_WORK)
def test_words_of_money_about_other_work(text: str) -> None:
    assert read(text) is None
