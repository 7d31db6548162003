"""Which file a mail asks for: by the words of its name, in every language, and never a guess between two."""

import pytest

from workflows.rules.files.asked_files import AskedFiles, asked_files, meant_by

FILES = (
    "brief-template.pdf",
    "PriceList_2026.pdf",
    "nda.docx",
    "portfolio-winter.pdf",
    "logo-winter.zip",
    "onboarding.pdf",
)


@pytest.mark.parametrize(
    ("message", "name"),
    [
        ("Does Thursday 10:00 work, and could you send the brief template?", "brief-template.pdf"),
        ("Hi Ada,\n\nplease send me your brief\ntemplate.\n\nMaria", "brief-template.pdf"),
        ("Could you share brief-template.pdf with us?", "brief-template.pdf"),
        ("Können Sie mir bitte die Briefing-Vorlage schicken?", "brief-template.pdf"),
        ("Schickst du mir die Briefingvorlage? Danke!", "brief-template.pdf"),
        ("Pourriez-vous m'envoyer le modèle de brief ?", "brief-template.pdf"),
        ("¿Me podrías enviar la plantilla del brief?", "brief-template.pdf"),
        ("Potresti mandarmi il modello del brief?", "brief-template.pdf"),
        ("Kun je me het sjabloon voor de briefing sturen?", "brief-template.pdf"),
        ("Czy możesz przesłać szablon briefu?", "brief-template.pdf"),
        ("Pode enviar-me o modelo do briefing?", "brief-template.pdf"),
        ("Can we get your price list?", "PriceList_2026.pdf"),
        ("Haben Sie eine Preisliste?", "PriceList_2026.pdf"),
        ("J'aurais besoin de vos tarifs.", "PriceList_2026.pdf"),
        ("¿Tienes una lista de precios?", "PriceList_2026.pdf"),
        ("Heb je een prijslijst?", "PriceList_2026.pdf"),
        ("Poproszę o cennik.", "PriceList_2026.pdf"),
        ("We need the NDA before Friday.", "nda.docx"),
        ("I would love to see your portfolio.", "portfolio-winter.pdf"),
        ("Could you send over the logos?", "logo-winter.zip"),
        ("Please send the onboarding file again", "onboarding.pdf"),
    ],
)
def test_a_mail_that_asks_for_a_file_names_it(message: str, name: str) -> None:
    assert asked_files(message, FILES) == AskedFiles((name,))


@pytest.mark.parametrize(
    "message",
    [
        "",
        "Does Thursday 10:00 work?",
        "The price list was helpful.",
        "I'll send you the brief template tomorrow.",
        "Attached is our brief template, please use it.",
        "Anbei die Briefvorlage, bitte schicken Sie sie ausgefüllt zurück.",
        "Thanks for sending the price list. Could you call me?",
        "Could you send the brief?",
        "Could you send the invoice template?",
        "Wir brauchen keine Preisliste mehr.",
        "Can you send me a short reply?",
        "Could you send ../../etc/passwd?",
        "We need your help with the winter campaign.",
    ],
)
def test_what_asks_for_no_file_of_these_names_none(message: str) -> None:
    assert asked_files(message, FILES).names == ()


def test_two_that_fit_alike_are_named_and_none_is_chosen() -> None:
    names = ("price-list-shop.pdf", "price-list-web.pdf")
    assert asked_files("Could you send your price list?", names) == AskedFiles((), (names,))
    assert asked_files("Could you send the price list for the shop?", names) == AskedFiles(("price-list-shop.pdf",))


def test_of_two_versions_the_one_in_their_language_is_meant() -> None:
    names = ("price-list-de.pdf", "price-list-en.pdf")
    assert asked_files("Haben Sie eine Preisliste?", names, "de").names == ("price-list-de.pdf",)
    assert asked_files("Do you have a price list?", names, "en").names == ("price-list-en.pdf",)


def test_one_sentence_may_name_several_files() -> None:
    message = "Could I please have a copy of your brief template and also the NDA?"
    assert asked_files(message, FILES).names == ("brief-template.pdf", "nda.docx")
    assert asked_files("Würden Sie mir die Briefvorlage und die Preisliste mailen?", FILES).names == (
        "brief-template.pdf", "PriceList_2026.pdf",
    )  # fmt: skip


@pytest.mark.parametrize(
    "message",
    [
        "Send price list pls", "do u have a rate card", "Wäre es möglich, uns die Preisliste zukommen zu lassen?",
        "Hättest du noch die Preisliste für mich?", "Serait-il possible d'avoir vos tarifs ?",
        "Czy mogę prosić o cennik?",
        "I'd be grateful for your price list.", "Quick question: where is the price list?",
        "Sarebbe possibile avere il listino?",
    ],
)  # fmt: skip
def test_people_ask_in_many_ways(message: str) -> None:
    assert asked_files(message, FILES).names == ("PriceList_2026.pdf",)


@pytest.mark.parametrize(
    "message", ["Our legal team will send the NDA tomorrow.", "Could you sign the NDA and send it back?"]
)
def test_what_is_theirs_is_not_asked_for(message: str) -> None:
    assert asked_files(message, FILES).names == ()


def test_what_is_made_for_somebody_is_asked_for_by_its_number_alone() -> None:
    names = ("invoice-2026-014.pdf", "offer-northwind.pdf", "contract-template.docx")
    assert asked_files("Can you send the invoice again?", names).names == ()
    assert asked_files("Can you send me your offer?", names).names == ()
    assert asked_files("Can you send invoice 2026-014 again?", names).names == ("invoice-2026-014.pdf",)
    assert asked_files("Can you send the offer for Northwind?", names).names == ("offer-northwind.pdf",)
    assert asked_files("Can you send the contract template?", names).names == ("contract-template.docx",)
    assert meant_by("the invoice", names) == ("invoice-2026-014.pdf",)


def test_several_requests_name_several_files() -> None:
    message = "Could you send me your price list? We also need the NDA."
    assert asked_files(message, FILES).names == ("PriceList_2026.pdf", "nda.docx")


@pytest.mark.parametrize(
    ("words", "names"),
    [
        ("brief-template.pdf", ("brief-template.pdf",)),
        ("Brief-Template", ("brief-template.pdf",)),
        ("the price list", ("PriceList_2026.pdf",)),
        ("portfolio", ("portfolio-winter.pdf",)),
        ("../keys/imap", ()),
        ("", ()),
    ],
)
def test_the_owner_names_a_file_by_its_name_or_its_words(words: str, names: tuple[str, ...]) -> None:
    assert meant_by(words, FILES) == names
