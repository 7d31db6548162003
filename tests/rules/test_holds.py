"""Words after which nothing cheerful may be drafted, and the same words said harmlessly."""

from dataclasses import replace

import pytest

from workflows.models.mail import Address, Email
from workflows.rules.triage import hold_reason

MAIL = Email(identity="i", blob="b", senders=(Address(email="maria@studio.example"),), subject="Website")
LEGAL, THREAT, CANCEL = "a legal threat", "a threat", "a cancellation"
REFUND, COMPLAINT = "a refund request", "a complaint"

TRUE = [
    # English
    ("I want to file a formal complaint about your work.", COMPLAINT),
    ("We are extremely disappointed with the delivery.", COMPLAINT),
    ("This is simply unacceptable.", COMPLAINT),
    ("I'm not happy with the result at all.", COMPLAINT),
    ("Honestly, this was a waste of time and money.", COMPLAINT),
    ("You let us down again.", COMPLAINT),
    ("You did not deliver what we agreed.", COMPLAINT),
    ("I have to complain about the delay.", COMPLAINT),
    ("My lawyer will be in touch.", LEGAL),
    ("We will take legal action if this is not fixed.", LEGAL),
    ("You are in breach of contract.", LEGAL),
    ("Otherwise we will see you in court.", LEGAL),
    ("We will hold you liable for the losses.", LEGAL),
    ("We have passed this to our solicitors.", LEGAL),
    ("We have decided to terminate the agreement.", CANCEL),
    ("I would like to cancel our project.", CANCEL),
    ("Please take this as notice of termination.", CANCEL),
    ("We no longer need your services.", CANCEL),
    ("I think it is best to part ways.", CANCEL),
    ("I demand a full refund.", REFUND),
    ("Please refund the deposit.", REFUND),
    ("I want my money back.", REFUND),
    ("I have opened a PayPal dispute with PayPal over this.", REFUND),
    ("You will regret this.", THREAT),
    ("I will ruin your reputation.", THREAT),
    ("This is your final warning.", THREAT),
    ("I'll leave a negative review everywhere.", THREAT),
    # German
    ("Hiermit reiche ich eine formelle Beschwerde ein.", COMPLAINT),
    ("Ich bin mit dem Ergebnis überhaupt nicht zufrieden.", COMPLAINT),
    ("Wir sind sehr enttäuscht von der Umsetzung.", COMPLAINT),
    ("Das ist inakzeptabel.", COMPLAINT),
    ("So geht das nicht!", COMPLAINT),
    ("Das ist eine Frechheit.", COMPLAINT),
    ("Ich muss mich über die Verzögerung beschweren.", COMPLAINT),
    ("Ich werde meinen Anwalt einschalten.", LEGAL),
    ("Andernfalls leiten wir rechtliche Schritte ein.", LEGAL),
    ("Wir werden Schadensersatz fordern.", LEGAL),
    ("Dann beantragen wir einen Mahnbescheid.", LEGAL),
    ("Das übergeben wir an ein Inkassobüro.", LEGAL),
    ("Ich werde Sie verklagen.", LEGAL),
    ("Hiermit kündigen wir den Vertrag zum 31.12.", CANCEL),
    ("Wir möchten die Zusammenarbeit beenden.", CANCEL),
    ("Ich kündige den Wartungsvertrag fristlos.", CANCEL),
    ("Wir treten vom Vertrag zurück.", CANCEL),
    ("Bitte stornieren Sie den Auftrag: Wir stornieren den Auftrag.", CANCEL),
    ("Ich will mein Geld zurück.", REFUND),
    ("Bitte erstatten Sie uns den Betrag.", REFUND),
    ("Wir fordern die Anzahlung zurück.", REFUND),
    ("Ich verlange eine Rückerstattung.", REFUND),
    ("Das werden Sie noch bereuen.", THREAT),
    ("Ich erstatte Strafanzeige.", THREAT),
    ("Das ist die letzte Warnung.", THREAT),
    # French
    ("Je suis très déçu de votre travail.", COMPLAINT),
    ("C'est inacceptable.", COMPLAINT),
    ("Nous souhaitons déposer une réclamation.", COMPLAINT),
    ("Nous allons saisir notre avocat.", LEGAL),
    ("Ceci vaut mise en demeure.", LEGAL),
    ("Nous avons décidé de mettre fin à notre collaboration.", CANCEL),
    ("Je souhaite résilier le contrat.", CANCEL),
    ("Je demande le remboursement de la facture.", REFUND),
    ("Vous allez le regretter.", THREAT),
    # Spanish
    ("Estoy muy decepcionado con el trabajo.", COMPLAINT),
    ("Esto es inaceptable.", COMPLAINT),
    ("Quiero presentar una queja.", COMPLAINT),
    ("Tomaremos acciones legales.", LEGAL),
    ("Mi abogado le escribirá: mi abogado se pondrá en contacto.", LEGAL),
    ("Queremos rescindir el contrato.", CANCEL),
    ("Exijo un reembolso.", REFUND),
    ("Devuélvame el dinero.", REFUND),
    ("Se va a arrepentir.", THREAT),
    # Portuguese, Italian, Dutch, Polish
    ("Estou muito insatisfeito com o trabalho.", COMPLAINT),
    ("Vamos tomar medidas legais.", LEGAL),
    ("Quero o meu dinheiro de volta.", REFUND),
    ("Queremos rescindir o contrato.", CANCEL),
    ("Sono molto deluso dal risultato.", COMPLAINT),
    ("Procederemo per vie legali.", LEGAL),
    ("Chiedo il rimborso della fattura.", REFUND),
    ("Vogliamo disdire il contratto.", CANCEL),
    ("Wij zijn zeer ontevreden over de website.", COMPLAINT),
    ("Wij nemen juridische stappen.", LEGAL),
    ("Ik wil mijn geld terug.", REFUND),
    ("Wij willen de samenwerking beëindigen.", CANCEL),
    ("Jestem bardzo niezadowolony z projektu.", COMPLAINT),
    ("Podejmiemy kroki prawne.", LEGAL),
    ("Żądam zwrotu pieniędzy.", REFUND),
    ("Wypowiadamy umowę z końcem miesiąca.", CANCEL),
]

FALSE = [
    # English
    "Please put our legal name, Acme Ltd, on the invoice.",
    "Can we cancel the meeting on Friday?",
    "I can't complain, business is good.",
    "No complaints from our side, great work!",
    "Could you add a complaint form to the contact page?",
    "The refund button on the checkout page has the wrong colour.",
    "Please link our refund policy in the footer.",
    "The terminal shows an error when I run the script.",
    "Users should be able to cancel their subscription.",
    "If you are not happy with the date, tell me.",
    "Our legal team will review the draft contract next week.",
    "Can you terminate the old process on the server?",
    "We are very happy with the result!",
    "Let us know if this works, otherwise we'll find another day.",
    "The tennis court booking page is ready.",
    "I'm not disappointed at all, quite the opposite.",
    "Did you get the tax refund?",
    "Could you explain the termination clause?",
    "The warning in the console is gone.",
    "Would you review our page about debt and insolvency law?",
    "I would like to return to the topic of the logo.",
    "She will be back in the office on Monday.",
    # German
    "Können wir die Terminierung der Workshops besprechen?",
    "Ich kann mich nicht beschweren, alles läuft gut.",
    "Keine Beschwerden von unserer Seite!",
    "Bitte das Beschwerdeformular verlinken.",
    "Können wir das Meeting absagen?",
    "Wir möchten die neue Seite nächste Woche ankündigen.",
    "Wir sind sehr zufrieden mit dem Ergebnis.",
    "Falls Sie nicht zufrieden sind, melden Sie sich bitte.",
    "Kunden sollen ihren Vertrag online kündigen können.",
    "Wie lang ist die Kündigungsfrist im Angebot?",
    "Das Terminal zeigt einen Fehler.",
    "Die Erstattung der Reisekosten läuft über das Formular.",
    "Der Text zur Rechtsabteilung fehlt noch.",
    "Unser Kunde ist eine Anwaltskanzlei in Bonn.",
    "Ich bin gespannt, wie es aussieht.",
    "Damit wären wir vor Abmahnungen geschützt, oder?",
    "Können wir den Termin am Gericht vorbei legen, also auf den Parkplatz?",
    "Ich melde mich gleich zurück.",
    # French, Spanish and others
    "Je ne peux pas me plaindre, tout va bien.",
    "Pouvez-vous annuler la réunion de vendredi ?",
    "Ajoutez un formulaire de réclamation, s'il vous plaît.",
    "Le remboursement des frais de déplacement est prévu.",
    "Nous sommes très contents du résultat.",
    "No me puedo quejar, todo va bien.",
    "¿Podemos cancelar la reunión?",
    "Hay que enlazar la política de devoluciones.",
    "Queremos terminar el proyecto en marzo.",
    "La demanda de nuestros productos crece.",
    "Podemos cancelar a reunião de sexta?",
    "Possiamo annullare la riunione?",
    "Kunnen we de afspraak verzetten?",
    "Ik mag niet klagen, het gaat goed.",
    "Czy możemy przełożyć spotkanie?",
    "Nie mogę narzekać, wszystko działa.",
]


@pytest.mark.parametrize(("text", "kind"), TRUE)
def test_what_the_owner_must_read_himself(text: str, kind: str) -> None:
    assert hold_reason(replace(MAIL, text=f"Hello,\n\n{text}\n\nM.")) == kind


@pytest.mark.parametrize("text", FALSE)
def test_false_alarms(text: str) -> None:
    assert hold_reason(replace(MAIL, text=f"Hello,\n\n{text}\n\nM.")) == ""


def test_words_wrapped_over_lines_and_in_capitals_count() -> None:
    assert hold_reason(replace(MAIL, text="I WANT MY\nMONEY\nBACK!")) == REFUND
    assert hold_reason(replace(MAIL, text="It\u2019s totally\r\nunacceptable.")) == COMPLAINT


def test_a_new_subject_counts_and_an_old_one_does_not() -> None:
    assert hold_reason(replace(MAIL, subject="Kündigung des Vertrags", text="Siehe Anhang.")) == CANCEL
    assert hold_reason(replace(MAIL, subject="Complaint", text="See the file.")) == COMPLAINT
    assert hold_reason(replace(MAIL, subject="Re: Complaint about the site", text="All good now, thanks!")) == ""


def test_quoted_history_does_not_count() -> None:
    quoted = "Great, thanks!\n\nOn Mon, 16 Nov 2026 at 09:00, Ada <ada@winter.example> wrote:\n> I want my money back."
    assert hold_reason(replace(MAIL, text=quoted)) == ""
    inline = "> I want a full refund.\nNo, all is fine."
    assert hold_reason(replace(MAIL, text=inline)) == ""


def test_a_harmless_sentence_does_not_hide_a_complaint_beside_it() -> None:
    text = "No complaints about the first part. But I want a full refund of the second."
    assert hold_reason(replace(MAIL, text=text)) == REFUND


def test_a_web_form_is_held_only_when_nobody_could_be_answered() -> None:
    form = replace(
        MAIL,
        senders=(Address(email="wordpress@winter.example"),),
        to=(Address(email="ada@winter.example"),),
        reply_to=(Address(email="paul@florist.example"),),
        subject="Contact form: new message",
        text="What does a web shop cost?",
    )
    assert hold_reason(form) == ""
    assert hold_reason(replace(form, reply_to=())) == "it came through a web form and names no address to answer to"
