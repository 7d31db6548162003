"""Lines that mail programs add are no words of the owner's; lines that only look like them are (promise A2)."""

# ruff: noqa: E501, RUF001 - tables of what programs write

from dataclasses import replace

import pytest

from tests.answer_styles import Reply, plain
from tests.rules.test_typed import NOW, asked, decide, owner, question
from tools.mail.mime import parse
from workflows.models.decisions import Approve
from workflows.models.mail import Email
from workflows.rules.answers.decisions import read
from workflows.rules.quoted import footers
from workflows.rules.quoted.footers import Known, is_footer
from workflows.rules.quoted.typed import typed
from workflows.rules.text.languages import languages, words_in
from workflows.rules.text.words import table

DATA = table("footers")
LISTED = [
    *DATA["lines"]["other"],
    *(line for language in languages("footers") for line in words_in(language, "footers")["lines"]),
]

UNLISTED = [
    "Sent from my Samsung Galaxy S23 Ultra", "Sent from my Galaxy A54 5G", "Sent from my Pixel 8 Pro", "Sent from my iPhone 15 Pro Max", "Sent from my Redmi Note 12", "Sent from my OnePlus Nord", "Sent from Outlook for Android", "Sent from Yahoo Mail on Android",
    "Sent from Yahoo Mail for iPad", "Sent from AOL on Android", "Sent from Gmail Mobile", "Sent with the GMX iPhone App", "Sent from my T-Mobile phone", "Sent via BlackBerry from T-Mobile", "Sent using Zoho Mail", "Sent with Mailspring", "Sent from Mailbird", "Sent from eM Client", "Written on my phone", "Written with Thunderbird",
    "Sent from my iPad using the Gmail app", "Get BlueMail for iPhone", "Get Outlook for Windows", "Get Spark for Mac", "Sent from Proton Mail for Windows", "Sent from [Proton Mail](https://proton.me/mail/home) for iOS", "Sent with [Proton Mail](https://proton.me/mail/home) secure email.", "Sent with Proton Mail (https://proton.me) secure email.", "Get [BlueMail for Android](https://bluemail.me)",
    "Gesendet von meinem Galaxy A52", "Von meinem iPad gesendet", "Gesendet von meinem iPhone 13", "Von meinem Samsung Galaxy Smartphone gesendet.", "Gesendet mit der WEB.DE Android App", "Von der GMX iOS App gesendet", "Gesendet mit der GMX Mail App", "Gesendet von Yahoo Mail auf Android", "Gesendet über Outlook für Android", "Gesendet mit Tuta Mail", "Gesendet mit Thunderbird für Android", "Diese E-Mail wurde von meinem Samsung Smartphone gesendet", "Diese Nachricht wurde von meinem Android-Gerät mit GMX Mail gesendet.", "Mit Outlook für Android gesendet", "Gesendet aus der Telekom Mail App", "Von unterwegs mit dem iPhone gesendet",
    "Envoyé depuis mon Galaxy S21", "Envoyé de mon iPad", "Envoyé depuis l'application Mail Orange", "Envoyé avec Thunderbird", "Envoyé depuis Outlook pour Android", "Envoyé depuis Yahoo Mail pour iPad", "Envoyé à partir de mon Samsung Galaxy",
    "Enviado desde mi Galaxy A32", "Enviado desde Outlook para Android", "Enviado desde mi Xiaomi", "Enviado con BlueMail", "Enviado do meu iPad", "Enviado do Outlook para iOS", "Enviado do meu Samsung Galaxy", "Enviado através do Yahoo Mail",
    "Inviato dal mio Galaxy", "Inviato da Outlook per Android", "Inviato da Yahoo Mail per iPad", "Inviato dall'app Libero Mail", "Inviato dal mio Huawei", "Verzonden vanaf mijn Galaxy", "Verzonden vanuit Outlook voor Android", "Verstuurd vanaf mijn iPad", "Verstuurd met BlueMail", "Wysłane z mojego iPada", "Wysłano z Outlook dla systemu Android", "Wysłane z telefonu Samsung", "Wysłane z aplikacji Onet Poczta", "Wysłano z mojego Galaxy",
    "Sendt fra Outlook til Android", "Sendt fra min iPad", "Skickat från min Galaxy", "Skickat från Outlook för iOS", "Sendt fra Yahoo Mail på Android", "Odesláno z mého iPhonu", "Odesláno ze Samsung Galaxy", "Отправлено с iPhone", "Отправлено из Outlook для Android", "Надіслано з Outlook",
]  # fmt: skip
TYPED = [
    "From my iPad only", "From my phone only", "Send from my phone later", "Send it with Outlook", "Send with Proton Mail", "Sent from Tom", "Sent from my phone, do not send it yet", "Sent from my phone later", "Not sent from my iPhone", "Sent from the office", "Get the phone first", "Get a new phone", "Get Tom on the phone", "Download the brief", "Sent with regret", "Written in a hurry", "Written with love", "Only from my iPhone", "Sent from hell", "Sent with the wrong price",
    "Holen Sie sich das Ja von Tom", "Holen Sie sich erst das OK", "Senden Sie es von meinem Handy", "Sende es mit Outlook", "Gesendet wird erst morgen", "Laden Sie Tom ein", "Nicht von meinem iPhone gesendet", "Von meinem Chef gesendet", "Von Tom gesendet", "Mit der GMX App senden", "Bitte mit Outlook senden", "Envoyer depuis mon iPhone", "Envoyé par erreur", "Obtenez l'accord de Tom", "Envía desde mi iPhone", "Enviado por error", "Invia dal mio iPhone", "Inviato per errore", "Wyślij z mojego telefonu", "Wysłane przez pomyłkę", "Verzend met Outlook", "Sent from iPhone?", "Sent from my iPhone but wait", "Yahoo Mail: search for the contract", "Please excuse Tom", "Virus-free is what I want", "Mail Tom from my phone", "iPhone", "Outlook", "Phone Tom", "Free phone", "Get free mail", "The front phone", "Spark", "For my phone", "From my phone",
]  # fmt: skip


def test_there_are_enough_and_each_has_a_language() -> None:
    assert len(LISTED) >= 120
    assert set(languages("footers")) >= {"en", "de", "fr", "es", "pt", "it", "nl", "pl"}


@pytest.mark.parametrize("line", [*LISTED, *UNLISTED])
def test_a_line_of_a_program_is_none_of_the_owners(line: str) -> None:
    assert is_footer(line)


@pytest.mark.parametrize("line", TYPED)
def test_a_line_that_only_looks_like_it_is_the_owners(line: str) -> None:
    assert not is_footer(line)
    text = question()
    for words in (f"ok\n\n{line}", f"ok\n-- \n{line}", f"ok\n{line}"):
        assert not isinstance(decide(plain(f"{words}\n", Reply(words, text)), text), Approve), words


@pytest.mark.parametrize(
    "footer",
    [
        "Sent with Tuta; enjoy secure & ad-free emails:\nhttps://tuta.com",
        "Sent with Proton Mail secure email.\nhttps://proton.me/mail/home",
        "-- \nSent from my Android device with K-9 Mail. Please excuse my brevity.",
        "Diese Nachricht wurde von meinem Android Mobiltelefon\nmit GMX Mail gesendet.",
        "Sent from my iPhone\n\n-- \nAda Winter\nada@winter.example\n+49 40 7654321",
        "Ada Winter\n+49 40 7654321\n\nSent from my iPhone",
        "Yahoo Mail: Search, Organize, Conquer",
        "Get Outlook for Android<https://aka.ms/AAb9ysg>",
        "Virus-free.www.avast.com<https://www.avast.com/sig-email>",
        "\u2014\nSent from Spark",
    ],
)
def test_footers_of_several_lines(footer: str) -> None:
    text = question()
    assert decide(plain(f"ok\n\n{footer}\n", Reply("ok", text)), text) == Approve()


BLOCK = "Ada Winter | Translations\nHauptstr. 5, 20095 Hamburg\nThe art of saying it twice.\nwinter.example"


@pytest.mark.parametrize(
    "answer",
    [
        "ok\n\n{block}\n\n{quote}",
        "ok\n{block}\n{quote}",
        "ok\n\n{quote}\n\n{block}",
        "ok\n\n-- \n{block}\n\n{quote}\n",
        "ok\n\nSent from my iPhone\n\n{block}\n\n{quote}\n",
        "ok\n\n{block}\n\nSent from my iPhone\n\n{quote}\n",
        "ok\n\nVB Ada\n\n{block}\n\n{quote}\n\n{block}",
        "ok\n\n{wrapped}\n\n{quote}\n",
        "ok\n\n{upper}\n\n{quote}\n",
    ],
)
def test_a_known_signature_goes_wherever_it_stands(answer: str) -> None:
    text = question()
    quote = "\n".join(f"> {line}" for line in text.split("\n"))
    wrapped = BLOCK.replace(" of ", "\nof ").replace("Hauptstr. 5, ", "Hauptstr. 5,\n")
    body = answer.format(block=BLOCK, quote=quote, wrapped=wrapped, upper=BLOCK.upper())
    email = parse(plain(body, Reply("ok", text)))
    assert typed(email, text, (BLOCK, "VB Ada")).words == "ok"
    assert not isinstance(read(email, asked(text), owner(), NOW), Approve)


def test_a_known_signature_goes_from_html_and_from_an_edit() -> None:
    text = question()
    words = f"edit!\nHi Maria,\n\nFriday.\n\nAda\n\n{BLOCK}"
    email = replace(parse(plain(words, Reply(words, text))), html_text=words)
    found = typed(email, text, (BLOCK,))
    assert found.words == found.html_words == "edit!\nHi Maria,\n\nFriday.\n\nAda"


def test_words_beside_a_known_signature_stay() -> None:
    text = question()
    email = parse(plain(f"ok\n\n{BLOCK}\nbut not before Friday\n", Reply("ok", text)))
    assert "but not" in typed(email, text, (BLOCK,)).words


@pytest.mark.parametrize(
    ("marked", "yes"),
    [
        ("Ada Winter\nTexts and pages\nTel. +49 40 7654321", True),
        ("Ada Winter\nTexts and pages\nonly after Friday\nTel. +49 40 7654321", False),
        ("ok but wait", False),
        ("Ada Winter\nAsk Tom first", False),
    ],
)
def test_a_block_that_the_program_marked_is_a_signature_when_it_reads_like_one(marked: str, yes: bool) -> None:
    email = Email(
        identity="i", blob="b", text=f"ok\n\n{marked}\n", html_text=f"ok\n\n{marked}\n", html_signatures=(marked,),
        senders=parse(plain("", Reply("", ""))).senders,
    )  # fmt: skip
    assert isinstance(read(email, asked(question()), owner(), NOW), Approve) is yes


def test_hostile_lines_are_read_in_time() -> None:
    for line in ("sent from " * 29, "a. " * 99, "https://" * 30, "galaxy " * 40, "[" * 299, "-- \n" * 3000):
        footers.without_footers(["ok", *line.split("\n")] * 3, Known("Ada Winter", ("x\n" * 40,)))
