"""A draft that promises a file is at fault while none is attached; talk of the client's own files is not."""

# ruff: noqa: E501 (sentences in a row)

import pytest

from agents.checks import faults
from workflows.models.drafts import Brief
from workflows.models.mail import Address

BRIEF = Brief(case=1, sender=Address(email="maria@studio.example", name="Maria"), subject="Brief", message="Hello Ada")


def promised(text: str) -> bool:
    body = f"Hello Maria,\n\n{text}\n\nBest regards\nAda"
    return any(fault.rule == "attachment" and fault.hard for fault in faults(body, BRIEF, wishes="any"))


@pytest.mark.parametrize(
    "text",
    [
        "Please find attached the brief template.", "Please find the brief template attached.", "Attached you will find it.",
        "Attached is the offer.", "I have attached the offer.", "I've attached our terms.", "I'm attaching the plan.",
        "The plan is attached.", "See the attached document.", "You find the details in the attachment.",
        "Enclosed please find my offer.", "Anbei die Vorlage.", "Im Anhang finden Sie die Vorlage.",
        "Die Vorlage habe ich angehängt.", "Ich habe Ihnen die Vorlage beigefügt.", "Ich hänge die Vorlage an.",
        "Das Angebot finden Sie in der Anlage.", "Als Anlage sende ich die Vorlage.", "Vous trouverez ci-joint le devis.",
        "Le devis est en pièce jointe.", "Je vous joins le devis.", "Adjunto le envío el presupuesto.",
        "Le adjunto el presupuesto.", "El presupuesto va adjunto.", "Segue em anexo o orçamento.", "Em anexo envio a proposta.",
        "In allegato il preventivo.", "Allego il preventivo.", "Trova in allegato il preventivo.",
        "In de bijlage vindt u de offerte.", "Bijgevoegd vindt u de offerte.", "W załączniku przesyłam ofertę.",
        "Załączam ofertę.",
    ],
)  # fmt: skip
def test_a_promised_file_is_a_fault(text: str) -> None:
    assert promised(text)


@pytest.mark.parametrize(
    "text",
    [
        "Thank you for the attached brief.", "I have read your attachment.", "The file you attached is fine.",
        "I send the template tomorrow.", "Your attachment did not open; could you send it again?",
        "The sketch attached to your mail is clear.", "I could not find any file; nothing was attached by you.",
        "Vielen Dank für den Anhang.", "Ihren Anhang habe ich gelesen.", "Die Datei im Anhang Ihrer Mail ist klar.",
        "Ohne Anhang kann ich es nicht prüfen.", "J'ai lu votre pièce jointe.", "He leído su adjunto.",
        "Ho letto il suo allegato.", "Ik heb uw bijlage gelezen.", "We attach great importance to that.",
        "Ich rufe Sie am Montag an.", "Ich schließe mich Ihrer Meinung an.", "Thursday suits me well.",
    ],
)  # fmt: skip
def test_what_promises_nothing_is_none(text: str) -> None:
    assert not promised(text)
