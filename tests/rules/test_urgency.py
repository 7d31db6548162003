# ruff: noqa: E501 - sentences as they come
"""What will not wait for the digest: something is broken, or a deadline ends today or tomorrow, in eight languages."""

import time
from datetime import UTC, datetime

import pytest

from workflows.models.people import Owner
from workflows.rules.mail.urgency import urgent

OWNER = Owner(name="Ada", address="ada@winter.example", timezone="Europe/Berlin", language="de")
NOW = datetime(2026, 11, 24, 9, 0, tzinfo=UTC)  # Tuesday, ten in Berlin

BROKEN = {
    "en": [
        "The site is down!", "Our shop doesn't work any more.", "The checkout has stopped working.", "The website is not loading.",
        "The contact form is broken.", "Customers cannot log in.", "We have been hacked.", "I only see a white screen.",
        "The page shows a 500 error.", "The server crashed last night.", "Nobody can order.", "Login no longer works.",
        "Emails don't arrive.", "The app keeps crashing.", "We are losing orders.",
    ],
    "de": [
        "Die Seite geht nicht mehr!", "Der Shop ist down.", "Unsere Website ist nicht erreichbar.", "Das Kontaktformular funktioniert nicht.",
        "Kunden können nicht mehr bestellen.", "Nichts geht mehr!", "Wir wurden gehackt.", "Da ist nur noch eine weiße Seite.",
        "Der Server ist abgestürzt.", "Seit heute früh lädt die Seite nicht.", "Die Startseite zeigt Fehler 500.", "Die Kasse im Shop geht nicht.",
        "Unsere Mails gehen nicht mehr raus, das System ist tot.", "Der Login klappt nicht.", "Wir verlieren gerade Umsatz.",
    ],
    "fr": [
        "Le site ne marche plus !", "La boutique est en panne.", "Le site est inaccessible.", "Le formulaire ne fonctionne pas.",
        "Les clients ne peuvent plus commander.", "Plus rien ne marche.", "Nous avons été piratés.", "Je ne vois qu'une page blanche.",
        "Le serveur a planté.", "Erreur 500 sur la page d'accueil.",
    ],
    "es": [
        "¡La web no funciona!", "La tienda está caída.", "La página no carga.", "El formulario ya no funciona.",
        "Los clientes no pueden comprar.", "Nada funciona.", "Nos han hackeado.", "Sale la pantalla en blanco.", "El servidor se cayó.", "Error 500 en la página.",
    ],
    "it": [
        "Il sito non funziona più!", "Il server è giù.", "La pagina non si apre.", "I clienti non riescono a pagare.", "Ci hanno hackerato.",
        "Vedo solo una pagina bianca.", "Il negozio online è irraggiungibile.", "Il modulo non va.",
    ],
    "nl": [
        "De site doet het niet meer!", "De webshop ligt plat.", "De website is offline.", "Het formulier werkt niet.", "Klanten kunnen niet bestellen.",
        "We zijn gehackt.", "Ik zie alleen een witte pagina.", "Er is een storing.",
    ],
    "pt": [
        "O site não funciona!", "A loja está fora do ar.", "A página não abre.", "Os clientes não conseguem pagar.", "Fomos hackeados.",
        "Só vejo uma página em branco.", "O servidor caiu.", "O formulário parou de funcionar.",
    ],
    "pl": [
        "Strona nie działa!", "Sklep padł.", "Serwer jest niedostępny.", "Klienci nie mogą zapłacić.", "Zhakowali nas.", "Widzę tylko białą stronę, biała strona.",
        "Formularz przestał działać.", "Mamy awarię, awaria serwera.",
    ],
}  # fmt: skip
SOON = {
    "en": ["Could you look at it by tomorrow noon?", "I need it by tomorrow 5pm.", "Please send it by no later than tomorrow evening.", "Can you do it this afternoon?"],
    "de": ["Kannst du dir das bitte bis morgen Mittag ansehen?", "Bitte bis morgen Abend.", "Ich brauche es bis spätestens morgen 17 Uhr.", "Bis morgen früh wäre gut."],
    "fr": ["Peux-tu regarder ça avant demain midi ?", "Il me le faut d'ici demain soir.", "Pour demain matin, merci.", "Cet après-midi si possible."],
    "es": ["¿Puedes mirarlo antes de mañana al mediodía?", "Lo necesito para mañana.", "Esta tarde, por favor."],
    "it": ["Puoi guardarlo entro domani a mezzogiorno?", "Mi serve entro domani mattina.", "Questo pomeriggio, se puoi."],
    "nl": ["Kun je er voor morgenmiddag naar kijken?", "Ik heb het uiterlijk morgen nodig.", "Graag vanmiddag."],
    "pt": ["Pode ver isso até amanhã ao meio-dia?", "Preciso disso até amanhã.", "Ainda hoje, por favor."],
    "pl": ["Czy możesz na to zerknąć do jutra rana?", "Potrzebuję tego na jutro.", "Dziś po południu, proszę."],
}  # fmt: skip
CALM = [
    ("The new site looks great, thank you!", "en"), ("Thursday doesn't work for me.", "en"), ("Could we meet next week?", "en"),
    ("The shop is coming along nicely.", "en"), ("Please send it by Friday.", "en"), ("We broke down the costs.", "en"),
    ("It doesn't have to be perfect.", "en"), ("The form works well now.", "en"), ("Can customers pay by card?", "en"),
    ("I like the page, the colours are not too loud.", "en"), ("Our server has a new address.", "en"),
    ("Die Seite gefällt uns sehr.", "de"), ("Am Donnerstag geht es leider nicht.", "de"), ("Der Termin geht nicht.", "de"),
    ("Bitte bis Freitag.", "de"), ("Der Shop läuft gut.", "de"), ("Wann kann der Shop online gehen?", "de"), ("Können Kunden mit Karte bezahlen?", "de"),
    ("Le site est très beau.", "fr"), ("Vendredi ne me convient pas.", "fr"), ("Pour la semaine prochaine, merci.", "fr"),
    ("La web ha quedado muy bien.", "es"), ("El viernes no puedo.", "es"), ("Il sito è bellissimo.", "it"), ("Venerdì non posso.", "it"),
    ("De site ziet er mooi uit.", "nl"), ("Vrijdag kan ik niet.", "nl"), ("O site ficou ótimo.", "pt"), ("Sexta não posso.", "pt"),
    ("Strona wygląda świetnie.", "pl"), ("W piątek nie mogę.", "pl"),
]  # fmt: skip


def of(table: dict) -> list:
    return [(text, language) for language, texts in table.items() for text in texts]


@pytest.mark.parametrize(("text", "language"), of(BROKEN))
def test_something_is_broken(text: str, language: str) -> None:
    assert urgent("Hello", text, language, NOW, OWNER)
    assert urgent(text, "", "", NOW, OWNER)  # a short subject, its language not known


@pytest.mark.parametrize(("text", "language"), of(SOON))
def test_a_deadline_of_today_or_tomorrow(text: str, language: str) -> None:
    assert urgent("Hello", text, language, NOW, OWNER)


@pytest.mark.parametrize(("text", "language"), CALM)
def test_what_can_wait(text: str, language: str) -> None:
    assert not urgent("Hello", text, language, NOW, OWNER)


@pytest.mark.parametrize("text", ["the site " * 600, "die seite ist " * 400, "ne " * 2_000, "site is a b c " * 400])
def test_hostile_text_is_read_quickly(text: str) -> None:
    urgent("", "", "en", NOW, OWNER)
    begun = time.process_time()
    urgent("", text, "en", NOW, OWNER)
    assert time.process_time() - begun < 1


OTHERS = (
    "Our website is down",
    "The contact page gives an error",
    "I can't log in to the shop",
    "Payments fail since this morning",
    "Orders aren't coming through",
    "The homepage is completely broken",
    "Site offline!!",
    "Something is wrong with the checkout, nobody gets through",
    "Der Shop ist offline",
    "Seite kaputt",
    "Die Bestellungen kommen nicht mehr an",
    "Ich komme nicht mehr ins Backend",
    "Unsere Homepage zeigt nur eine Fehlermeldung",
    "Die Webseite spinnt total",
    "Der Warenkorb ist kaputt",
    "Le site est tombé",
    "La page affiche une erreur",
    "Impossible de se connecter",
    "Le paiement ne passe plus",
    "No podemos entrar en la web",
    "La web da error",
    "Se ha caído el servidor",
    "Il sito è down",
    "Non riesco ad accedere al sito",
    "De site ligt eruit",
    "Ik kan niet meer inloggen",
    "O site está fora do ar",
    "Não consigo entrar no site",
    "Strona leży",
    "Nie mogę się zalogować",
)
OTHER_CALM = (
    "Could you make the contact page broader?",
    "We show an error message when the field is empty.",
    "The log-in page should have a link.",
    "What does the error page look like?",
    "The form is down below the text.",
    "Please write down the steps.",
    "The shop closes at 6.",
    "The server is in Frankfurt.",
    "Wie soll die Fehlerseite aussehen?",
    "Der Login kommt auf die rechte Seite.",
    "Die Seite ist noch leer, das ist klar.",
    "Kunden können jetzt bestellen.",
    "We cannot pay by card here.",
    "Can customers log in with Google?",
    "Die Zahlung ist nicht eilig.",
    "Le paiement passe par Stripe.",
    "The payment page is not final.",
    "The checkout is not working as I imagined, but it can wait.",
)


@pytest.mark.parametrize("text", OTHERS)
def test_others_that_tell_of_something_broken(text: str) -> None:
    assert urgent("", text, "", NOW, OWNER)


@pytest.mark.parametrize("text", OTHER_CALM)
def test_others_that_can_wait(text: str) -> None:
    assert not urgent("", text, "", NOW, OWNER)
