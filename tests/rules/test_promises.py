"""What debtors write: promises with their day, disputes and absences in four languages, and what is none of them."""

from datetime import UTC, date, datetime

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.rules.debts.promises import Absence, Dispute, PaidClaim, Promise, languages, money_words

NOW = datetime(2026, 11, 24, 10, 30, tzinfo=UTC)  # a Tuesday
FRIDAY = date(2026, 11, 27)
NEXT_FRIDAY = date(2026, 12, 4)


def read(text: str, language: str = ""):
    return money_words(text, language, NOW, "Europe/Berlin")


PROMISES = [
    ("en", "Sorry for the delay, we pay Friday.", FRIDAY),
    ("en", "We'll pay on Friday.", FRIDAY),
    ("en", "We will pay the invoice by Friday, 4 December.", NEXT_FRIDAY),
    ("en", "The payment goes out on the 15th.", date(2026, 12, 15)),
    ("en", "Payment will be made tomorrow.", date(2026, 11, 25)),
    ("en", "I will transfer the money today.", date(2026, 11, 24)),
    ("en", "We are going to settle invoice 2026-014 next week.", NEXT_FRIDAY),
    ("en", "Our accounting will process your invoice at the beginning of next week.", date(2026, 12, 2)),
    ("en", "You will have the money by the end of the month.", date(2026, 11, 30)),
    ("en", "You'll receive the payment by end of December.", date(2026, 12, 31)),
    ("en", "We'll wire 1,200.50 EUR within 10 days.", date(2026, 12, 4)),
    ("en", "My boss will release the payment on Monday.", date(2026, 11, 30)),
    ("en", "The invoice is scheduled to be paid on 2026-12-03.", date(2026, 12, 3)),
    ("en", "Our next payment run is on Thursday.", date(2026, 11, 26)),
    ("en", "We'll pay no later than Friday.", FRIDAY),
    ("en", "No problem, we will pay on Friday as soon as possible.", FRIDAY),
    ("en", "We can't pay today, but we will pay on Friday.", FRIDAY),
    ("en", "We'll pay half on Friday and the rest on 10 December.", date(2026, 12, 10)),
    ("en", "Hi Ada,\n\nthanks for the reminder. We will\npay this on Friday.\n\nBest\nMaria", FRIDAY),
    ("en", "I'm paying it right away.", date(2026, 11, 24)),
    ("en", "The transfer will be initiated in two weeks.", date(2026, 12, 8)),
    ("en", "We'll pay Thu.", date(2026, 11, 26)),
    ("en", "If that's ok with you, we will pay on Friday.", FRIDAY),
    ("en", "Will pay Friday.", FRIDAY),
    ("en", "Paying tomorrow!", date(2026, 11, 25)),
    ("en", "we transfer the money tomorrow morning", date(2026, 11, 25)),
    ("en", "We'll get this paid by EOD Friday.", FRIDAY),
    ("en", "I've forwarded it to accounting, they will pay it on Monday.", date(2026, 11, 30)),
    ("de", "Zahlung erfolgt bis Freitag.", FRIDAY),
    ("de", "Wir zahlen am Freitag.", FRIDAY),
    ("de", "Ich überweise den Betrag morgen.", date(2026, 11, 25)),
    ("de", "Die Überweisung geht am 15. raus.", date(2026, 12, 15)),
    ("de", "Wir werden die Rechnung bis zum 4. Dezember begleichen.", NEXT_FRIDAY),
    ("de", "Die Rechnung wird nächste Woche bezahlt.", NEXT_FRIDAY),
    ("de", "Sie erhalten das Geld bis Ende des Monats.", date(2026, 11, 30)),
    ("de", "Unsere Buchhaltung überweist heute noch.", date(2026, 11, 24)),
    ("de", "Die Zahlung wird bis Ende Dezember ausgeführt.", date(2026, 12, 31)),
    ("de", "Wir überweisen innerhalb von 10 Tagen.", date(2026, 12, 4)),
    ("de", "Am 3.12. zahlen wir.", date(2026, 12, 3)),
    ("de", "Kein Problem, die Zahlung erfolgt am Montag.", date(2026, 11, 30)),
    ("de", "Das Geld ist spätestens am Freitag auf Ihrem Konto.", FRIDAY),
    ("fr", "Nous paierons vendredi.", FRIDAY),
    ("fr", "Le virement sera effectué le 15 décembre.", date(2026, 12, 15)),
    ("fr", "Le paiement partira demain.", date(2026, 11, 25)),
    ("fr", "Nous allons régler la facture la semaine prochaine.", NEXT_FRIDAY),
    ("fr", "Votre facture sera payée à la fin du mois.", date(2026, 11, 30)),
    ("fr", "Nous vous réglerons au plus tard vendredi.", FRIDAY),
    ("fr", "Je fais le virement aujourd'hui.", date(2026, 11, 24)),
    ("es", "Pagaremos el viernes.", FRIDAY),
    ("es", "La transferencia se hará el 15 de diciembre.", date(2026, 12, 15)),
    ("es", "Te pago mañana.", date(2026, 11, 25)),
    ("es", "El pago se realizará la próxima semana.", NEXT_FRIDAY),
    ("es", "Vamos a pagar la factura a finales de mes.", date(2026, 11, 30)),
    ("es", "Recibirá el dinero el lunes.", date(2026, 11, 30)),
    ("es", "Haremos la transferencia hoy mismo.", date(2026, 11, 24)),
]

MADE = [
    ("en", "We paid the invoice yesterday."),
    ("en", "The payment was sent on Monday."),
    ("en", "I've already transferred the money."),
    ("en", "Invoice 2026-014 has already been paid."),
    ("en", "It's been paid, please check your account."),
    ("en", "Done, paid this morning."),
    ("de", "Überweisung ist raus."),
    ("fr", "C'est payé."),
    ("de", "Wir haben die Rechnung gestern bezahlt."),
    ("de", "Der Betrag wurde bereits überwiesen."),
    ("fr", "Nous avons payé la facture hier."),
    ("fr", "Le virement a été effectué."),
    ("es", "Ya hemos pagado la factura."),
    ("es", "Hicimos la transferencia ayer."),
]

NOTHING = [
    "",
    "Can we pay on Friday?",
    "Could we pay on Friday.",
    "We hope to pay on Friday.",
    "Maybe we will pay on Friday.",
    "We might pay next week.",
    "We will try to pay by Friday.",
    "We'll pay once our client has paid us, hopefully on Friday.",
    "We will pay on Friday if the bank agrees.",
    "As soon as the funds arrive on Friday we will pay.",
    "We will not pay on Friday without the report.",
    "We cannot pay before Friday.",
    "We haven't paid yet.",
    "We will pay soon.",
    "We will pay.",
    "Will you send the invoice by Friday?",
    "Please pay by Friday.",
    "The kick-off is on Friday and the budget is fine.",
    "I'll send you the feedback on Friday.",
    "I will make a list and send it tomorrow.",
    "> We will pay on Friday.\n\nThanks, noted.",
    "Thanks!\n\nOn Mon, 23 Nov 2026 at 10:00, Ada wrote:\n> The payment will be made by Friday.\n",
    "So we agreed on the price.",
    "You paid attention to every detail.",
    "Können wir am Freitag zahlen?",
    "Wir können nicht am Freitag zahlen.",
    "Vielleicht zahlen wir am Freitag.",
    "Wir zahlen, sobald unser Kunde am Freitag gezahlt hat.",
    "Wir haben noch nicht bezahlt.",
    "Ich hoffe, dass wir am Freitag zahlen.",
    "Der Termin ist am Freitag.",
    "Pouvons-nous payer vendredi ?",
    "Nous ne paierons pas vendredi sans le rapport signé.",
    "Nous paierons vendredi si la banque accepte.",
    "Nous allons peut-être payer vendredi.",
    "La réunion est vendredi.",
    "¿Podemos pagar el viernes?",
    "No pagamos el viernes.",
    "Tal vez pagaremos el viernes.",
    "Pagaremos el viernes si el banco lo permite.",
    "La reunión es el viernes.",
    "We paid attention.",
    "The invoice is due on Friday.",
    "The invoice was sent on Monday.",
    "The invoice will be approved on Friday.",
    "We will send you the money-related documents on Friday.",
    "The client will pay us on Friday.",
    "We'll discuss the invoice on Friday.",
    "Is the invoice wrong?",
    "There is nothing wrong with the invoice.",
    "We are not disputing the invoice.",
    "The invoice looks good, thanks.",
    "Mit der Rechnung ist alles in Ordnung.",
    "I ordered lunch.",
    "Are you away next week?",
    "I'll be back to you on Friday.",
    "Let us return to the design on Friday.",
    "Ich komme am Freitag darauf zurück.",
    "Je reviens vers vous vendredi.",
    "Volveré a escribirle el viernes.",
]

FROM_REAL_LIFE = [
    "The invoice has been approved and will be paid on 30 November.",
    "Our accounts team tells me payment is due to go out this Friday.",
    "Payment has been scheduled for Dec 1st.",
    "I'll make the bank transfer first thing tomorrow.",
    "You'll have the money in your account by Wednesday.",
    "Invoice received, payment terms are 30 days, we will pay on 15 December.",
    "We'll settle up next week, sorry for the delay!",
    "Apologies, I was travelling. Will transfer today.",
    "The remaining 500 EUR will follow on Friday.",
    "I just spoke to finance: they will release the payment on Monday.",
    "We do our payment run on the 1st of every month, so you will be paid on 1 December.",
    "I will get this paid for you tomorrow.",
    "You will be paid on Friday.",
    "We can pay you by the end of next week.",
    "Let me pay this tomorrow.",
    "Wir begleichen die offene Rechnung bis spätestens 4.12.2026.",
    "Die Zahlung ist für den 30.11. vorgesehen.",
    "Habe die Überweisung für morgen eingestellt.",
    "Ich kümmere mich drum, Zahlung geht heute raus.",
    "Der Betrag wird am Donnerstag angewiesen.",
    "Unsere nächste Zahlung erfolgt am 1. Dezember.",
    "Sorry für die Verspätung, ich überweise gleich morgen früh.",
    "Geld ist morgen auf dem Konto.",
    "Das Geld überweise ich dir am Freitag.",
    "Je vous fais le virement demain matin.",
    "Le règlement interviendra en fin de semaine prochaine.",
    "La facture est programmée pour paiement le 30 novembre.",
    "Vous serez payé vendredi.",
    "Paiement prévu vendredi.",
    "Te hago la transferencia mañana por la mañana.",
    "La factura se abonará el 30 de noviembre.",
    "Le pagaremos a finales de la próxima semana.",
    "Pago programado para el viernes.",
    "Mañana mismo hacemos el ingreso.",
]

NOT_FROM_DEBTORS = [
    "The amount of work will be done by Friday.",
    "The transfer of the domain will be done on Friday.",
    "We'll send the signed contract on Friday.",
    "We'd pay on Friday but the bank account is blocked.",
    "I don't think we will be able to pay before Friday.",
    "Unfortunately the payment will not go out this week.",
    "The payment will be delayed until further notice.",
    "We will pay when the project is finished on Friday.",
    "We expect the payment of our client on Friday.",
    "Our client promised to pay us on Friday.",
    "You said we could pay on Friday.",
    "As agreed, please find attached the file, due on Friday.",
    "I'll check with accounting on Friday.",
    "We'll let you know on Friday when we can pay.",
    "I will ask finance to pay on Friday.",
    "The payment page will be online on Friday.",
    "The payment gateway goes live on Friday.",
    "The payment integration will be finished by Friday.",
    "Money is tight until Friday.",
    "Ich frage am Freitag in der Buchhaltung nach.",
    "Die Zahlungsseite geht am Freitag online.",
    "Wir melden uns am Freitag wegen der Zahlung.",
    "Sobald der Kunde zahlt, überweisen wir am Freitag.",
    "Die Zahlung verzögert sich bis Freitag.",
    "Nous attendons le paiement de notre client vendredi.",
    "Je vérifie avec la comptabilité vendredi.",
    "La page de paiement sera en ligne vendredi.",
    "El viernes lo consulto con contabilidad.",
    "La página de pago estará lista el viernes.",
    "Esperamos el pago de nuestro cliente el viernes.",
]

DISPUTES = [
    "This invoice is wrong.",
    "The amount seems to be incorrect, please check.",
    "We never ordered the second design.",
    "We didn't order this.",
    "Your invoice is much higher than agreed.",
    "We dispute this invoice.",
    "Why were we charged twice?",
    "You billed us for March twice.",
    "There is a mistake on the invoice.",
    "We won't pay this.",
    "Please send us a corrected invoice.",
    "The hours don't match our records.",
    "This invoice is wrong, we will pay on Friday once it is mended.",
    "Die Rechnung ist falsch.",
    "Der Betrag stimmt nicht.",
    "Das haben wir nie bestellt.",
    "Wir beanstanden die Rechnung 2026-014.",
    "Sie haben uns doppelt berechnet.",
    "Das werden wir so nicht bezahlen.",
    "Cette facture est incorrecte.",
    "Le montant ne correspond pas au devis.",
    "Nous n'avons jamais commandé cela.",
    "Nous contestons cette facture.",
    "La factura es incorrecta.",
    "Nunca hemos pedido esto.",
    "Nos han cobrado dos veces, está facturado dos veces.",
    "No estamos de acuerdo con la factura.",
]

ABSENCES = [
    ("I am out of office until 7 January.", date(2027, 1, 7)),
    ("I'm on vacation and will be back on Monday, 30 November.", date(2026, 11, 30)),
    ("Our office is closed from 24 December to 4 January.", date(2027, 1, 4)),
    ("I am away until Friday.", FRIDAY),
    ("Ich bin bis zum 7. Januar abwesend.", date(2027, 1, 7)),
    ("Vielen Dank für Ihre Nachricht. Ich bin ab dem 30.11. wieder im Büro.", date(2026, 11, 30)),
    ("Ich bin am Freitag wieder zurück.", FRIDAY),
    ("I return to the office on 30 November.", date(2026, 11, 30)),
    ("Je suis absent jusqu'au 7 janvier.", date(2027, 1, 7)),
    ("Je serai de retour le 30 novembre.", date(2026, 11, 30)),
    ("Estoy fuera de la oficina hasta el 7 de enero.", date(2027, 1, 7)),
    ("Vuelvo el lunes 30 de noviembre.", date(2026, 11, 30)),
]


@pytest.mark.parametrize(("language", "text", "until"), PROMISES, ids=[text[:50] for _, text, _ in PROMISES])
def test_a_promise_has_its_day(language: str, text: str, until: date) -> None:
    for spoken in (language, ""):
        found = read(text, spoken)
        assert isinstance(found, Promise), spoken
        assert found.until == until


@pytest.mark.parametrize(("language", "text"), MADE, ids=[text for _, text in MADE])
def test_who_says_they_have_paid_is_heard(language: str, text: str) -> None:
    found = read(text, language)
    assert isinstance(found, PaidClaim)
    assert found.words in " ".join(text.split())


@pytest.mark.parametrize("text", FROM_REAL_LIFE)
def test_promises_as_people_write_them(text: str) -> None:
    assert isinstance(read(text), Promise)


@pytest.mark.parametrize("text", [*NOTHING, *NOT_FROM_DEBTORS])
def test_what_promises_nothing(text: str) -> None:
    assert read(text) is None


@pytest.mark.parametrize("text", DISPUTES)
def test_who_contests_is_heard(text: str) -> None:
    found = read(text)
    assert isinstance(found, Dispute)
    assert found.words in " ".join(text.split())


@pytest.mark.parametrize(("text", "until"), ABSENCES)
def test_an_absence_ends_on_its_day(text: str, until: date) -> None:
    found = read(text)
    assert isinstance(found, Absence)
    assert found.until == until


def test_there_are_enough_sentences_on_both_sides() -> None:
    assert len(PROMISES) + len(MADE) + len(DISPUTES) + len(ABSENCES) >= 80
    assert len(NOTHING) >= 40
    assert set(languages()) == {"en", "de", "fr", "es"}


def test_friday_counts_from_where_the_client_is() -> None:
    late = datetime(2026, 11, 26, 23, 30, tzinfo=UTC)  # Friday already in Berlin
    berlin, utc = (money_words("We will pay tomorrow.", "en", late, zone) for zone in ("Europe/Berlin", "UTC"))
    assert isinstance(berlin, Promise)
    assert isinstance(utc, Promise)
    assert (utc.until, berlin.until) == (FRIDAY, date(2026, 11, 28))


def test_a_day_too_far_away_is_no_promise() -> None:
    assert read("We will pay on 3 November.") is None  # next year's: a slip, or the past


@given(st.text(max_size=400))
def test_any_text_is_read(text: str) -> None:
    read(text)


@pytest.mark.parametrize(
    "text", ["we pay " * 4000, "friday " * 4000, "1 " * 9000, "die rechnung " * 3000, "a" * 50_000]
)
def test_long_texts_are_read_quickly(text: str) -> None:
    start = datetime.now(UTC)
    read(text)
    assert (datetime.now(UTC) - start).total_seconds() < 5


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("The work isn't finished, so we withhold payment.", "en"),
        ("Wir legen Widerspruch gegen die Rechnung ein.", "de"),
        ("Wir sind mit der Rechnung nicht einverstanden.", "de"),
        ("Bis dahin halten wir die Zahlung zurück.", "de"),
    ],
)
def test_a_refusal_without_a_word_of_the_amount_is_a_dispute(text: str, language: str) -> None:
    assert isinstance(read(text, language), Dispute)


def test_an_amount_between_the_verb_and_the_day() -> None:
    for text, day in (
        ("We will transfer 1,200 EUR on 1 December.", date(2026, 12, 1)),
        ("We paid 500 EUR today and pay the rest on Friday.", FRIDAY),
    ):
        said = read(text, "en")
        assert isinstance(said, Promise)
        assert said.until == day
