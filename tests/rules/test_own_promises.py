"""What the owner's own mail promises, by table: what, until when, and everything that only looks like a promise."""

from datetime import UTC, date, datetime

import pytest

from workflows.models.mail import Attachment
from workflows.models.promises import Pledge
from workflows.rules.asking import acknowledgement
from workflows.rules.desk.own_promises import is_about_the_same, keeps, pledges_in

AT = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)  # a Tuesday
TOMORROW, THURSDAY, FRIDAY, MONDAY = date(2026, 11, 25), date(2026, 11, 26), date(2026, 11, 27), date(2026, 11, 30)
NEXT_FRIDAY, TODAY = date(2026, 12, 4), date(2026, 11, 24)

PROMISED: list[tuple[str, str, date | None]] = [
    ("I send the brief tomorrow.", "send", TOMORROW),
    ("I'll send you the brief tomorrow.", "send", TOMORROW),
    ("I will send the offer by Friday.", "send", FRIDAY),
    ("We will send you the contract on Monday.", "send", MONDAY),
    ("Tomorrow I will send you the invoice.", "send", TOMORROW),
    ("I'm going to send you the drafts next week.", "send", NEXT_FRIDAY),
    ("I'll send you the brief.", "send", None),
    ("I will forward the contract to you.", "send", None),
    ("You'll have the draft by Friday.", "send", FRIDAY),
    ("You will receive the offer on Monday.", "send", MONDAY),
    ("The brief follows tomorrow.", "send", TOMORROW),
    ("Your offer will be with you on Thursday.", "send", THURSDAY),
    ("I'm sending the invoice on 4 December.", "send", NEXT_FRIDAY),
    ("I'll check the numbers and send you the offer on Friday.", "send", FRIDAY),
    ("I will send it no later than Friday.", "send", FRIDAY),
    ("I'll send the brief tomorrow, let me know if you need anything else.", "send", TOMORROW),
    ("I'll get back to you on Friday.", "do", FRIDAY),
    ("I'll call you tomorrow at 10.", "do", TOMORROW),
    ("I will fix the header by Thursday.", "do", THURSDAY),
    ("The site will be online on Monday.", "do", MONDAY),
    ("I'll let you know by the end of this week.", "do", FRIDAY),
    ("We'll have the login ready on Friday.", "do", FRIDAY),
    ("I'll send it today.", "send", TODAY),
    ("Let me check and get back to you by Wednesday.", "do", TOMORROW),
    ("I promise to send the contract by Friday.", "send", FRIDAY),
    ("Ich schicke Ihnen das Angebot bis Freitag.", "send", FRIDAY),
    ("ich schicke Ihnen das Angebot bis Freitag", "send", FRIDAY),
    ("Morgen schicke ich dir den Entwurf.", "send", TOMORROW),
    ("Ich werde Ihnen die Unterlagen morgen zusenden.", "send", TOMORROW),
    ("Ich werde Ihnen die Unterlagen zuschicken.", "send", None),
    ("Sie erhalten das Angebot am Montag.", "send", MONDAY),
    ("Das Angebot folgt morgen.", "send", TOMORROW),
    ("Bis Donnerstag bekommen Sie von mir die Entwürfe.", "send", THURSDAY),
    ("Ich melde mich am Freitag bei Ihnen.", "do", FRIDAY),
    ("Wir erledigen das bis Montag.", "do", MONDAY),
    ("Die Seite ist am Donnerstag fertig.", "do", THURSDAY),
    ("Spätestens Freitag schicke ich Ihnen die Rechnung.", "send", FRIDAY),
    ("Nächste Woche schicke ich Ihnen den Vertrag.", "send", NEXT_FRIDAY),
    ("Je vous envoie le devis lundi.", "send", MONDAY),
    ("je vous envoie le devis lundi", "send", MONDAY),
    ("Je vous enverrai le devis.", "send", None),
    ("Nous vous transmettrons le contrat demain.", "send", TOMORROW),
    ("Vous recevrez la facture vendredi.", "send", FRIDAY),
    ("Je vais vous envoyer le brief demain.", "send", TOMORROW),
    ("Je vous rappelle jeudi.", "do", THURSDAY),
    ("Te lo mando mañana.", "send", TOMORROW),
    ("te lo mando mañana", "send", TOMORROW),
    ("Le enviaré el presupuesto el viernes.", "send", FRIDAY),
    ("Voy a enviarte el contrato mañana.", "send", TOMORROW),
    ("Recibirá la propuesta el lunes.", "send", MONDAY),
    ("Te llamaré el jueves.", "do", THURSDAY),
    ("Ti mando il preventivo domani.", "send", TOMORROW),
    ("Le invierò il contratto venerdì.", "send", FRIDAY),
    ("Ti chiamerò giovedì.", "do", THURSDAY),
    ("Ik stuur je de offerte morgen.", "send", TOMORROW),
    ("Morgen stuur ik u de offerte.", "send", TOMORROW),
    ("Ik zal u de factuur vrijdag sturen.", "send", FRIDAY),
    ("Ik bel je donderdag.", "do", THURSDAY),
    ("Wyślę ofertę jutro.", "send", TOMORROW),
    ("Zadzwonię do Pani w piątek.", "do", FRIDAY),
    ("Envio-lhe o orçamento amanhã.", "send", TOMORROW),
    ("Vou enviar o contrato na sexta-feira.", "send", FRIDAY),
]
NOTHING = [
    "Shall I send the brief tomorrow?",
    "Should I send you the offer on Friday?",
    "If you send me the logo, I will send the brief tomorrow.",
    "I'll send the brief tomorrow if you confirm.",
    "I will send the contract once you have signed the offer.",
    "As soon as you pay, I'll send the files.",
    "When you have time, I'll send it on Friday.",
    "I will not send the brief tomorrow.",
    "I won't send anything before Friday.",
    "I can't send it tomorrow.",
    "I look forward to your answer on Monday.",
    "I will get back to you.",
    "I'll get back to you shortly.",
    "I'll let you know.",
    "I hope to send the brief tomorrow.",
    "I might send it on Friday.",
    "I could send you the draft on Monday.",
    "I would send the offer on Monday.",
    "Please send me the brief tomorrow.",
    "You said you would send the brief on Friday.",
    "Maria sends the brief tomorrow.",
    "I sent the brief yesterday.",
    "Attached I send you the brief you need on Friday.",
    "I am sending you the invoice attached, due on Friday.",
    "I will build the shop with a login and a basket.",
    "We send an invoice.",
    "You will have to pay by Monday.",
    "You will have time until Friday.",
    "We will have a call on Friday.",
    "I'll be away until Monday.",
    "I'll see you on Thursday.",
    "See you on Friday!",
    "Have a nice weekend, until Monday.",
    "The meeting is on Thursday.",
    "Ich schicke Ihnen das Angebot.",
    "Wenn Sie mir das Logo schicken, sende ich den Entwurf morgen.",
    "Ich schicke das Angebot am Freitag, sobald Sie zugesagt haben.",
    "Soll ich das Angebot bis Freitag schicken?",
    "Ich schicke das Angebot nicht vor Freitag.",
    "Anbei sende ich Ihnen das Angebot für Freitag.",
    "Schicken Sie mir bitte das Logo bis Freitag.",
    "Ich freue mich auf Freitag.",
    "Ich melde mich.",
    "Vielleicht schicke ich es morgen.",
    "Si vous me confirmez, je vous envoie le devis lundi.",
    "Je ne vous envoie rien lundi.",
    "Veuillez trouver ci-joint le devis pour lundi.",
    "Envoyez-moi le logo lundi.",
    "Si me confirmas, te lo mando mañana.",
    "No te lo mando mañana.",
    "Adjunto te mando el presupuesto de mañana.",
    "Se mi confermi, ti mando il preventivo domani.",
    "Als je akkoord bent, stuur ik de offerte morgen.",
    "Jeśli Pani potwierdzi, wyślę ofertę jutro.",
    "Se confirmar, envio-lhe o orçamento amanhã.",
]  # fmt: skip


@pytest.mark.parametrize(("text", "kind", "due"), PROMISED)
def test_what_is_promised_and_until_when(text: str, kind: str, due: date | None) -> None:
    (pledge,) = pledges_in(f"Hello Maria,\n\n{text}\n", AT, "Europe/Berlin", ("en",))
    assert (pledge.kind, pledge.due, pledge.sentence) == (kind, due, text)


@pytest.mark.parametrize("text", NOTHING)
def test_what_only_looks_like_a_promise(text: str) -> None:
    assert pledges_in(f"Hello Maria,\n\n{text}\n", AT, "Europe/Berlin", ("en",)) == ()


def test_two_things_of_one_sentence_are_two_promises() -> None:
    text = "I'll send the brief tomorrow, and I'll send the invoice on Friday."
    brief, invoice = pledges_in(text, AT, "Europe/Berlin")
    assert (brief.due, invoice.due) == (TOMORROW, FRIDAY)
    assert brief.about == ("brief",)
    assert invoice.about == ("invoice",)


@pytest.mark.parametrize("language", sorted(acknowledgement.languages()))
def test_our_own_holding_reply_promises_nothing(language: str) -> None:
    body = acknowledgement.compose(language, "Maria", "Website", "Ada Winter")
    assert pledges_in(body, AT, "Europe/Berlin", (language,)) == ()


def test_the_day_counts_where_the_owner_is() -> None:
    late = datetime(2026, 11, 24, 23, 30, tzinfo=UTC)  # Wednesday in Berlin
    (pledge,) = pledges_in("I'll send the brief tomorrow.", late, "Europe/Berlin")
    assert pledge.due == THURSDAY


# ---------------------------------------------------------------- what keeps one

BRIEF = Pledge(sentence="I send the brief tomorrow.", kind="send", due=TOMORROW, about=("brief",))
IT = Pledge(sentence="I'll send it tomorrow.", kind="send", due=TOMORROW)
HEADER = Pledge(sentence="I will fix the header by Thursday.", kind="do", due=THURSDAY, about=("header",))
OFFER = Pledge(sentence="Ich schicke Ihnen das Angebot bis Freitag.", kind="send", due=FRIDAY, about=("angebot",))


def file(name: str) -> tuple[Attachment, ...]:
    return (Attachment(name=name, content_type="application/pdf", size=5000, sha256=""),)


@pytest.mark.parametrize(
    ("pledge", "text", "files"),
    [
        (BRIEF, "Hello", file("brief.pdf")),
        (BRIEF, "Here is the brief.", ()),
        (BRIEF, "Attached the brief.", file("scan0001.pdf")),
        (BRIEF, "Here it is.", file("scan0001.pdf")),
        (BRIEF, "Attached, as promised.", file("scan0001.pdf")),
        (BRIEF, "I have just uploaded the brief to your folder.", ()),
        (IT, "Here it is.", file("scan0001.pdf")),
        (HEADER, "I have fixed the header.", ()),
        (HEADER, "The header is done.", ()),
        (OFFER, "Anbei das Angebot.", ()),
        (OFFER, "Guten Tag", file("Angebot_2026-11.pdf")),
        (OFFER, "Ich habe Ihnen das Angebot geschickt.", ()),
    ],
)
def test_what_keeps_a_promise(pledge: Pledge, text: str, files: tuple[Attachment, ...]) -> None:
    assert keeps(pledge, text, files, alone=True, spoken=("en", "de"))


@pytest.mark.parametrize(
    ("pledge", "text", "files"),
    [
        (BRIEF, "I send the brief on Friday.", ()),
        (BRIEF, "Thank you for the call.", ()),
        (BRIEF, "Here is the invoice.", file("invoice.pdf")),
        (BRIEF, "Hello", file("invoice.pdf")),
        (BRIEF, "The brief is not attached.", ()),
        (BRIEF, "Is the brief done?", ()),
        (HEADER, "Here it is.", file("scan0001.pdf")),
        (HEADER, "The footer is done.", ()),
        (OFFER, "Anbei die Rechnung.", file("Rechnung.pdf")),
        (OFFER, "Ich schicke Ihnen das Angebot am Montag.", ()),
    ],
)
def test_what_keeps_none(pledge: Pledge, text: str, files: tuple[Attachment, ...]) -> None:
    assert not keeps(pledge, text, files, alone=True, spoken=("en", "de"))


def test_an_unnamed_file_keeps_one_only_where_no_other_is_open() -> None:
    assert not keeps(BRIEF, "Here it is.", file("scan0001.pdf"), alone=False)


def test_promising_again_is_about_the_same_thing() -> None:
    (again,) = pledges_in("I'll send the brief on Friday.", AT, "Europe/Berlin")
    (other,) = pledges_in("I'll send the invoice on Friday.", AT, "Europe/Berlin")
    assert is_about_the_same(BRIEF, again)
    assert not is_about_the_same(BRIEF, other)
