"""The language of a mail by its small words, and silence where a text does not tell."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.rules.text.language import language_of
from workflows.rules.text.languages import languages

TEXTS = {
    "en": (
        "Hi Ada, can we move the call to Thursday? Thanks, Maria",
        "Please find attached the brief for the website. Let me know what you think.",
        "When can you start?",
        "Could you send me the invoice again? The bank rejected the transfer.",
        "Sounds good, see you on Monday!",
    ),
    "de": (
        "Hallo Ada, können wir den Termin auf Donnerstag verschieben? Viele Grüße",
        "Anbei das Briefing für die Webseite. Bitte geben Sie mir Bescheid.",
        "Wann können Sie anfangen?",
        "Die Rechnung ist bei uns noch nicht angekommen.",
        "Ich melde mich am Montag.",
    ),
    "fr": (
        "Bonjour Ada, pouvez-vous me renvoyer la facture ? Merci, cordialement",
        "Nous avons bien reçu votre devis et nous vous remercions.",
        "Quand pouvez-vous commencer ?",
        "C'est très bien, à lundi !",
        "Je ne suis pas d'accord avec le prix.",
    ),
    "es": (
        "Hola Ada, ¿puede enviarme la factura otra vez? Gracias",
        "Estimada señora, hemos recibido su presupuesto y nos parece bien.",
        "¿Cuándo puede empezar?",
        "El logo está en el archivo adjunto, un saludo",
        "Necesito una respuesta antes del lunes, por favor.",
    ),
    "pt": (
        "Olá Ada, pode enviar-me a fatura outra vez? Obrigada",
        "Não recebemos o seu orçamento, pode mandar de novo?",
        "Quando você pode começar?",
        "Bom dia, segue em anexo o briefing para o site. Atenciosamente",
        "Muito obrigado pela ajuda, até segunda.",
    ),
    "it": (
        "Ciao Ada, puoi mandarmi di nuovo la fattura? Grazie",
        "Gentile signora, abbiamo ricevuto il suo preventivo e ci va bene.",
        "Quando può iniziare?",
        "In allegato trova il logo, cordiali saluti",
        "Non sono d'accordo con il prezzo.",
    ),
    "nl": (
        "Hallo Ada, kunt u mij de factuur nog een keer sturen? Bedankt",
        "Wij hebben uw offerte ontvangen en gaan graag akkoord.",
        "Wanneer kunt u beginnen?",
        "In de bijlage vindt u het logo, met vriendelijke groet",
        "Ik ben het niet eens met de prijs.",
    ),
    "pl": (
        "Dzień dobry, czy może Pani ponownie wysłać fakturę? Dziękuję",
        "Otrzymaliśmy Pani ofertę i zgadzamy się na cenę.",
        "Kiedy może Pani zacząć?",
        "W załączniku jest logo, pozdrawiam",
        "Nie zgadzam się z ceną.",
    ),
}


@pytest.mark.parametrize(("language", "text"), [(key, text) for key, texts in TEXTS.items() for text in texts])
def test_a_sentence_tells_its_language(language, text):
    assert language_of(text) == language


@pytest.mark.parametrize(
    "text", ["", "ok", "ok, send it", "👍", "12.345,67 EUR", "Logo", "https://the.and.example/und"]
)
def test_what_does_not_tell_is_left_open(text):
    assert language_of(text) == ""


@pytest.mark.parametrize("text", ["これは日本語のメールです", "Это письмо на русском языке", "مرحبا كيف حالك"])
def test_another_script_is_not_taken_for_one_we_know(text):
    assert language_of(text) == ""


@given(st.text(max_size=400))
def test_any_text_has_an_answer(text):
    assert language_of(text) in {*languages("small_words"), ""}
