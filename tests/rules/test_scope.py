"""Requests held against what was agreed: both sides, in the four languages a project is most often written in."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.work import Milestone, Project
from workflows.rules.work.scope import QUOTE, outside_scope, told

ENGLISH = Project(
    id="relaunch",
    name="Website relaunch",
    email="maria@studio.example",
    scope=("Design and build of five pages", "One contact form with spam protection", "Moving the blog articles"),
    excluded=(
        "Search engine optimisation (SEO)",
        "Translation into other languages",
        "Hosting and maintenance after launch",
        "Logo design",
        "Content writing",
    ),
    milestones=(Milestone(name="Launch"),),
)
GERMAN = Project(
    id="shop",
    name="Onlineshop",
    email="bernd@laden.example",
    scope=("Einrichtung des Shops mit bis zu 50 Artikeln", "Anbindung von PayPal", "Bestellbestätigung per E-Mail"),
    excluded=("Übersetzung", "Suchmaschinenoptimierung, SEO", "Produktfotos", "Pflege und Wartung nach Abnahme"),
)
FRENCH = Project(
    id="site",
    name="Site vitrine",
    email="claire@atelier.example",
    scope=("Création de quatre pages", "Formulaire de contact"),
    excluded=("Référencement naturel", "Traduction", "Hébergement"),
)
SPANISH = Project(
    id="web",
    name="Web corporativa",
    email="ana@taller.example",
    scope=("Diseño de cinco páginas", "Formulario de contacto"),
    excluded=("Traducción", "Posicionamiento en buscadores", "Mantenimiento"),
)

EXCLUDED = [
    (ENGLISH, "Could you translate the pages into French as well?", "Translation"),
    (ENGLISH, "Please also take care of the SEO.", "SEO"),
    (ENGLISH, "We'd like you to host it for us.", "Hosting"),
    (ENGLISH, "Would it be possible to have monthly maintenance?", "maintenance"),
    (ENGLISH, "Is search engine optimization included?", "Search engine"),
    (ENGLISH, "It would be great if you optimised it for search engines.", "Search engine"),
    (ENGLISH, "We need a logo by Friday.", "Logo"),
    (ENGLISH, "Why don't you do the translations too?", "Translation"),
    (ENGLISH, "Couldn't you maintain the site after the launch?", "maintenance"),
    (ENGLISH, "One more thing: please write the content of the about page.", "Content"),
    (ENGLISH, "I don't like the blue, but could you do a new logo?", "Logo"),
    (ENGLISH, "Quick q - can you sort out hosting too?", "Hosting"),
    (ENGLISH, "Also the client wants it in German and French, can you translate?", "Translation"),
    (ENGLISH, "Any chance you could do the SEO while you're there?", "SEO"),
    (ENGLISH, "Do you do logo design?", "Logo"),
    (GERMAN, "Könnten Sie den Shop auch ins Englische übersetzen?", "Übersetzung"),
    (GERMAN, "Wir bräuchten noch Produktfotos.", "Produktfotos"),
    (GERMAN, "Bitte machen Sie auch gleich die SEO.", "SEO"),
    (GERMAN, "Ist die Wartung enthalten?", "Wartung"),
    (GERMAN, "Könnten Sie nicht auch die Übersetzung machen?", "Übersetzung"),
    (GERMAN, "Was kostet die Wartung?", "Wartung"),
    (GERMAN, "Übernehmen Sie auch die Pflege nach dem Start?", "Pflege"),
    (GERMAN, "Machen Sie auch Produktfotos?", "Produktfotos"),
    (FRENCH, "Faites-vous aussi la traduction ?", "Traduction"),
    (SPANISH, "¿Cuánto cuesta el mantenimiento?", "Mantenimiento"),
    (FRENCH, "Pourriez-vous aussi traduire les pages en anglais ?", "Traduction"),
    (FRENCH, "Est-ce que l'hébergement est compris ?", "Hébergement"),
    (FRENCH, "Nous aimerions le référencement naturel en plus.", "Référencement"),
    (SPANISH, "¿Podrías traducir la web al inglés?", "Traducción"),
    (SPANISH, "También necesitamos el mantenimiento mensual.", "Mantenimiento"),
]
NOT_AGREED = [
    (ENGLISH, "Could you also build an app for iPhones?"),
    (ENGLISH, "Can you add a booking calendar as well?"),
    (ENGLISH, "While you're at it, please integrate our newsletter."),
    (ENGLISH, "We would like you to create another shop for our gadgets."),
    (ENGLISH, "can you also build us a members area with login"),
    (ENGLISH, "It would be great if there was a booking system too"),
    (ENGLISH, "Please set up Google Analytics as well"),
    (GERMAN, "Können Sie zusätzlich einen Newsletter einbauen?"),
    (GERMAN, "Wir möchten auch eine App entwickeln lassen, bitte ergänzen Sie das."),
    (FRENCH, "Pourriez-vous aussi créer une boutique ?"),
    (SPANISH, "¿Puedes crear también una tienda?"),
]
INSIDE = [
    (ENGLISH, "Could you add a phone field to the contact form too?"),
    (ENGLISH, "Please also move the two articles from March."),
    (ENGLISH, "Can you also add Bob to the call?"),
    (ENGLISH, "Thanks for the translation tips!"),
    (ENGLISH, "We don't need SEO."),
    (ENGLISH, "The hosting is with our old provider."),
    (ENGLISH, "No translation, please."),
    (ENGLISH, "Could you send the invoice as well?"),
    (ENGLISH, "Does Thursday 10:00 work for the kick-off?"),
    (ENGLISH, "Please make the header of the five pages blue."),
    (ENGLISH, "Great work on the new logo proposal from our designer."),
    (ENGLISH, "Could you tell me when the launch is?"),
    (ENGLISH, "As agreed, please leave the SEO to our agency."),
    (ENGLISH, "Can you please write back to me?"),
    (ENGLISH, "Could you also create a new invite for the meeting?"),
    (ENGLISH, "The hosting company says the server is full, what should we do?"),
    (ENGLISH, "We will write the content ourselves, please wait until Friday"),
    (ENGLISH, "Our SEO agency asks for the sitemap"),
    (ENGLISH, "Could you please add the new phone number to the footer?"),
    (ENGLISH, "Would Tuesday work too?"),
    (ENGLISH, "When do you need the translated texts from us?"),
    (ENGLISH, "The logo is blurry on the contact page. Can you have a look?"),
    (GERMAN, "Können Sie bitte auch die Bestellbestätigung anpassen?"),
    (GERMAN, "Vielen Dank für die Hinweise zur Wartung."),
    (GERMAN, "Eine Übersetzung brauchen wir nicht."),
    (GERMAN, "Könnten Sie auch PayPal Express einbauen?"),
    (GERMAN, "Die Bilder kommen morgen, bitte warten Sie so lange."),
    (GERMAN, "Bitte noch drei weitere Artikel einpflegen."),
    (GERMAN, "Bitte fügen Sie Herrn Maier noch zum Verteiler hinzu."),
    (GERMAN, "Die Produktfotos macht unsere Agentur."),
    (GERMAN, "Passt Ihnen ein neuer Termin am Montag? Bitte machen Sie einen Vorschlag."),
    (FRENCH, "Merci pour votre aide avec la traduction."),
    (FRENCH, "Pourriez-vous aussi ajouter un champ au formulaire ?"),
    (FRENCH, "Nous n'avons pas besoin d'hébergement."),
    (SPANISH, "Gracias por la traducción."),
    (SPANISH, "¿Puedes añadir también un campo al formulario?"),
    (SPANISH, "No necesitamos mantenimiento."),
]


@pytest.mark.parametrize(("project", "request_", "line"), EXCLUDED, ids=[text for _, text, _ in EXCLUDED])
def test_what_is_excluded_and_asked_for_is_named_with_its_line(project: Project, request_: str, line: str) -> None:
    found = outside_scope(f"Hi Ada,\n\nthe new header is fine.\n\n{request_}\n\nMaria", project)
    assert found is not None
    assert found.rule == "excluded"
    assert line in found.agreement
    assert found.agreement in project.excluded
    assert request_.rsplit(",", maxsplit=1)[-1].strip(" ?!.")[-12:] in found.request


@pytest.mark.parametrize(("project", "request_"), NOT_AGREED, ids=[text for _, text in NOT_AGREED])
def test_what_is_built_on_top_and_stands_nowhere_is_named_beside_the_scope(project: Project, request_: str) -> None:
    found = outside_scope(request_, project)
    assert found is not None
    assert found.rule == "not-agreed"
    assert found.request == request_
    assert found.agreement.startswith(project.scope[0])


@pytest.mark.parametrize(("project", "request_"), INSIDE, ids=[text for _, text in INSIDE])
def test_what_is_agreed_everyday_denied_or_done_is_let_be(project: Project, request_: str) -> None:
    assert outside_scope(request_, project) is None


def test_there_are_enough_sentences() -> None:
    assert len(EXCLUDED) + len(NOT_AGREED) + len(INSIDE) >= 40


def test_quoted_lines_ask_for_nothing() -> None:
    assert outside_scope("> Could you translate it?\n\nThat was my colleague.", ENGLISH) is None


def test_words_of_two_languages_are_not_compared() -> None:
    german = (
        "Guten Tag, können Sie zusätzlich noch einen Newsletter für uns einbauen? Das wäre sehr schön, vielen Dank."
    )
    assert outside_scope(german, ENGLISH) is None


def test_a_project_without_an_agreement_is_never_exceeded() -> None:
    bare = Project(id="x", name="X", email="x@x.example")
    for _, request_, _ in EXCLUDED:
        assert outside_scope(request_, bare) is None


def test_both_quotes_stand_side_by_side() -> None:
    found = outside_scope("Please also take care of the SEO.", ENGLISH)
    assert found is not None
    assert told(found, ENGLISH) == (
        'Outside the agreed scope of Website relaunch: they ask "Please also take care of the SEO." - agreed as not '
        'included: "Search engine optimisation (SEO)"'
    )


def test_a_note_holds_both_quotes_whole() -> None:
    long = Project(
        id="x", name="N" * 200, email="x@x.example", scope=("Pages " * 60,), excluded=(f"Translation {'of it ' * 80}",)
    )
    for text in ("Please translate it " + "and so on " * 60, "Please also build a new shop " + "for us " * 80):
        found = outside_scope(text, long)
        assert found is not None
        assert len(told(found, long)) <= 400
        assert found.agreement in told(found, long)


def test_a_quote_cannot_be_long_nor_break_the_line() -> None:
    found = outside_scope("Please translate it, " + "and soon, " * 100 + "\nok?", ENGLISH)
    assert found is not None
    assert len(found.request) <= QUOTE
    assert "\n" not in told(found, ENGLISH)


@settings(max_examples=200, deadline=None)
@given(st.text(max_size=400), st.lists(st.text(max_size=60), max_size=4), st.lists(st.text(max_size=60), max_size=4))
def test_it_is_total(text: str, scope: list[str], excluded: list[str]) -> None:
    project = Project(id="p", name="P", email="p@p.example", scope=tuple(scope), excluded=tuple(excluded))
    found = outside_scope(text, project)
    assert found is None or (found.request and found.agreement)


def test_what_a_line_is_about_stands_before_its_genitive() -> None:
    project = Project(id="p", name="Webseite", email="m@firma.example", excluded=("Schulung der Mitarbeiter",))
    found = outside_scope("Wir hätten gerne eine Schulung für unsere Leute.", project)
    assert found is not None
    assert found.agreement == "Schulung der Mitarbeiter"
    assert outside_scope("Können Sie die Mitarbeiter auf die Seite setzen?", project) is None


def test_more_of_the_same_is_an_addition() -> None:
    project = Project(id="p", name="Website", email="m@firma.example", scope=("Design and build of five pages",))
    assert outside_scope("Please add two more pages.", project) is not None
    assert outside_scope("Please wait two more days.", project) is None
