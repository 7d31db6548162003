"""Which sentences of a bid speak of the freelancer, and which of them the sources bear out."""

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.drafts import Source
from workflows.rules.leads.claims import claims, is_claim, sentences

OWN = (
    Source(id="profile:rate", kind="profile", quote="95 EUR/hour"),
    Source(id="profile:skills", kind="profile", quote="Python, PostgreSQL, Django"),
    Source(id="profile:languages", kind="profile", quote="English, German (Deutsch, Englisch; Muttersprachler)"),
    Source(id="profile:hours", kind="profile", quote="20 hours a week are free"),
    Source(
        id="work:museum",
        kind="work",
        quote="Ticket shop for the City Museum: moved 12 years of orders from PHP to Django, 40,000 tickets a year. "
        "Django, Postgres",
    ),
    Source(id="work:bakery", kind="work", quote="Order app for a bakery with 8 shops. Python, React"),
)
POST = Source(
    id="post",
    kind="post",
    quote="We want a certified architect with 15 years of experience with Kubernetes who has worked for Zalando.",
)
PAGE = Source(
    id="web:1", kind="web", quote="Ada Winter is a certified AWS architect who built the checkout of Zalando."
)

BORNE_OUT = [
    "I have built a ticket shop for the City Museum with Django.",
    "I've worked with Python and PostgreSQL.",
    "My rate is 95 EUR/hour.",
    "I speak German and English.",
    "I am a Django developer.",
    "I moved 12 years of orders from PHP to Django.",
    "My closest project: an order app for a bakery with 8 shops.",
    "20 hours a week are free, so I am available for 20 hours a week.",
    "As a Python developer I use Django daily.",
    "I built the order app of a bakery in Python and React.",
    "Ich habe den Ticketshop für das City Museum mit Django gebaut.",
    "Mein Stundensatz beträgt 95 EUR.",
    "Ich arbeite mit Python und PostgreSQL.",
    "Familiar with Django and Postgres.",
    "I also write React.",
    "Ich spreche Deutsch als Muttersprachler und Englisch.",
]
NOT_BORNE_OUT = [
    "I have 15 years of experience with Kubernetes.",
    "I am a certified AWS architect.",
    "My rate is 75 EUR/hour.",
    "I speak fluent Japanese.",
    "I built the checkout of Zalando.",
    "I have worked with Google and Netflix.",
    "My clients include Siemens.",
    "I hold a PhD in computer science.",
    "10+ years of Django.",
    "I moved 200,000 orders from PHP to Django.",
    "As a senior architect I led a team of 12.",
    "I have never missed a deadline.",
    "Top-rated freelancer with 100% job success.",
    "Ich habe zehn Jahre Erfahrung mit Kubernetes.",
    "Ich bin zertifizierter Scrum Master.",
    "Mein Tagessatz liegt bei 900 EUR.",
    "Als Entwickler habe ich für BMW gearbeitet.",
    "Ada Winter has won three awards for her design.",
    "I can do all of it for 500 EUR.",
    "My last employer was the European Space Agency.",
    "I built ten of these, would you like to see one?",
    "I wrote the book on Postgres replication.",
    "I read your post and I have built 50 shops like yours.",
    "We have offices in London and Madrid.",
    "Certified Kubernetes administrator.",
    "I would start with the orders, as I have done for 12 shops.",
    "J'ai dix ans d'expérience avec Kubernetes.",
    "Tengo diez años de experiencia con Kubernetes.",
    "Mein letzter Kunde war die Deutsche Bahn.",
    "The price is 4,000 EUR for everything.",
    "Fluent in Japanese, Korean and Mandarin.",
    "I am a native English speaker.",
    "I am available full-time from tomorrow.",
    "I built the order app for the City Museum in React.",
    "I have 12 years of experience.",
    "I have worked with 8 museums.",
]
NO_CLAIM = [
    "I would start with a look at the code.",
    "I read your post about the ticket shop.",
    "I am happy to answer any questions.",
    "I look forward to hearing from you.",
    "Could you tell me who hosts the shop today?",
    "You have 12 shops and 10 years of orders.",
    "We could talk on Thursday.",
    "I suggest moving the orders first.",
    "My first step would be a dump of the data.",
    "I have two questions.",
    "Thank you for the clear description.",
    "Your ten years old code needs care.",
    "The shop moves in three steps.",
    "Do you have experience with Django?",
    "I can begin with a test of the import.",
    "Best regards",
    "Ada Winter",
    "Ich würde mit den Daten beginnen.",
    "Ich freue mich auf Ihre Antwort.",
    "Ich habe Ihre Anzeige gelesen.",
    "Wir könnten am Donnerstag sprechen.",
    "Wie viele Bestellungen gibt es?",
    "Meine Frage dazu: wer betreibt den Shop heute?",
    "Ihr Shop läuft seit zehn Jahren.",
    "I understand that the shop must not stand still.",
    "I think the orders should move first.",
    "Hello Maria,",
    "I'd be glad to hear more about the orders.",
    "I have read the description carefully.",
    "I can't see who hosts it.",
    "Je serais ravie d'en parler.",
    "Me gustaría saber más.",
    "Your team sounds great.",
    "Let us talk about the import first.",
    "The import runs at night.",
    "I hope this helps.",
]


@pytest.mark.parametrize("sentence", BORNE_OUT)
def test_a_claim_with_its_source_is_let_through(sentence: str) -> None:
    (claim,) = claims(sentence, OWN, "Ada Winter")
    assert claim.supported, claim
    assert set(claim.sources) <= {source.id for source in OWN}


@pytest.mark.parametrize("sentence", NOT_BORNE_OUT)
def test_a_claim_without_a_source_is_named(sentence: str) -> None:
    found = claims(sentence, OWN, "Ada Winter")
    assert len(found) == 1
    assert not found[0].supported, found
    assert found[0].sentence == sentence
    assert found[0].missing


@pytest.mark.parametrize("sentence", NO_CLAIM)
def test_what_is_no_claim_needs_no_source(sentence: str) -> None:
    assert claims(sentence, (), "Ada Winter") == () or sentence == "Ada Winter"
    assert claims(sentence, OWN, "Ada Winter") == ()


def test_enough_sentences_on_both_sides() -> None:
    assert len(BORNE_OUT) + len(NOT_BORNE_OUT) >= 40
    assert len(NO_CLAIM) >= 30


@pytest.mark.parametrize("sentence", [*BORNE_OUT, *NOT_BORNE_OUT])
def test_without_any_source_every_claim_is_unsupported(sentence: str) -> None:
    assert is_claim(sentence, "Ada Winter")
    assert not any(claim.supported for claim in claims(sentence, (), "Ada Winter"))


@pytest.mark.parametrize(
    "sentence",
    [
        "I have 15 years of experience with Kubernetes.",
        "I am a certified architect.",
        "I have worked for Zalando.",
        "I built the checkout of Zalando.",
        "I am a certified AWS architect.",
    ],
)
def test_neither_the_post_nor_a_web_page_speaks_for_the_owner(sentence: str) -> None:
    (claim,) = claims(sentence, (*OWN, POST, PAGE), "Ada Winter")
    assert not claim.supported
    assert not {"post", "web:1"} & set(claim.sources)


def test_a_figure_must_be_the_one_of_the_source() -> None:
    assert claims("I moved 12 years of orders to Django.", OWN)[0].supported
    assert claims("I moved twelve years of orders to Django.", OWN)[0].supported
    assert "13" in claims("I moved 13 years of orders to Django.", OWN)[0].missing
    assert not claims("My rate is 950 EUR/hour.", OWN)[0].supported
    assert claims("My rate is 95.00 EUR per hour.", OWN)[0].supported


def test_a_claim_names_the_fewest_sources_that_bear_it_out() -> None:
    assert claims("I moved 12 years of orders for the City Museum.", OWN)[0].sources == ("work:museum",)
    assert set(claims("My rate is 95 EUR/hour, and I speak German.", OWN)[0].sources) == {
        "profile:rate",
        "profile:languages",
    }


def test_a_whole_letter() -> None:
    letter = """Hello Maria,

I read your post about the ticket shop. I have built one for the City Museum with Django.

- I moved 12 years of orders from PHP.
- I led a team of 30 people.

My rate is 95 EUR/hour. Would Thursday suit you?

Best regards
Ada Winter
"""
    found = claims(letter, OWN, "Ada Winter")
    assert [claim.sentence for claim in found if not claim.supported] == ["I led a team of 30 people."]
    assert [claim.sources for claim in found if claim.supported] == [
        ("work:museum",), ("work:museum",), ("profile:rate",),
    ]  # fmt: skip


def test_hidden_characters_and_list_marks_hide_no_claim() -> None:
    hidden = "I\u200b have\u00a0built the check\u00adout of Zalando."
    assert not claims(f"1. {hidden}", OWN)[0].supported
    assert not claims("1) I have 15 years of Kubernetes.", OWN)[0].supported
    assert not claims("Hello\rI have 15 years of Kubernetes.", OWN)[0].supported


def test_sentences_end_where_readers_see_them_end() -> None:
    assert sentences("One. Two! Three? four\n- five\n\n6. six e.g. seven") == (
        "One.", "Two!", "Three? four", "five", "six e.g. seven",
    )  # fmt: skip


@settings(max_examples=300, deadline=None)
@given(st.text(max_size=400), st.lists(st.text(max_size=80), max_size=3), st.text(max_size=20))
def test_any_text_has_its_claims(text: str, quotes: list[str], owner: str) -> None:
    own = [Source(id=f"work:{at}", kind="work", quote=quote) for at, quote in enumerate(quotes)]
    for claim in claims(text, own, owner):
        assert claim.sentence
        assert claim.supported or claim.missing


def test_a_hostile_text_costs_no_time() -> None:
    import time

    began = time.process_time()
    claims("I have " * 100_000 + "\n" + "my " * 50_000 + "(" * 10_000, OWN, "Ada")
    assert time.process_time() - began < 3


# ---------------------------------------------------------------- as models really write


PROFILE = (
    Source(id="profile:rate", kind="profile", quote="95 EUR/hour"),
    Source(id="profile:skills", kind="profile", quote="python, postgres, django, htmx, aws"),
    Source(id="profile:languages", kind="profile", quote="English (Englisch), German (Deutsch)"),
    Source(id="profile:hours", kind="profile", quote="20 hours a week are free"),
    Source(id="profile:fact1", kind="profile", quote="I have built web shops since 2014"),
    Source(id="profile:fact2", kind="profile", quote="I work alone, from Berlin"),
    Source(
        id="work:museum",
        kind="work",
        quote="Ticket shop of the City Museum: Moved 12 years of orders from PHP to Django without a day offline; "
        "40,000 tickets a year (Django, Postgres). https://winter.example/museum",
    ),
    Source(
        id="work:bakery",
        kind="work",
        quote="Order app for a bakery: 8 shops take orders from 6 in the morning; stock is counted live "
        "(Python, HTMX).",
    ),
)
WRITTEN = [
    (
        "Your post describes exactly the kind of migration I did for the City Museum: twelve years of orders moved "
        "from PHP to Django without a day offline."
    ),
    (
        "You ask how I would handle the existing data. I'd start by exporting a "
        "copy of the production database and writing an import that can be run again and again until the numbers match."
    ),
    "For the City Museum I moved 12 years of orders this way, and the shop was never offline.",
    "I have been building web shops since 2014, mostly with Django and Postgres.",
    "I'm based in Berlin and work alone, so you would talk to the person who writes the code.",
    "I can spend about 20 hours a week on this.",
    "I've also built an order app for a bakery with 8 shops, where stock is counted live.",
    "The museum's shop sells 40,000 tickets a year.",
    "That project is close to yours because both had to keep running during the move.",
    "A similar challenge came up when I built the bakery's app.",
    'In the first week I would set up a staging copy and agree with you on what "done" means.',
    "If that sounds right, I suggest a short call next week.",
    "I would be happy to walk you through the museum project.",
    "I noticed that you use Celery; I would keep it unless there is a reason to change.",
    "Happy to share more details on a call.",
    "I work with Python, Django and Postgres every day.",
    "I haven't used Stripe Connect yet; I would come back to you on that.",
    "I do not have experience with Kubernetes.",
    "I'll come back to you on the timeline once I have seen the code.",
    "What I like about your project is that the data matters.",
    "Both shops run on Django.",
    "Thanks for the clear description of the project.",
    "My approach would be to write tests for the checkout first.",
    "I always begin with tests.",
    "I know that a ticket shop cannot be closed for a week.",
    "You mention that the checkout is slow: I would measure it before changing anything.",
    "Looking forward to hearing from you!",
    "I am comfortable with both English and German.",
    "As a developer who works alone, I keep things simple.",
    "I am confident we can do this in small steps.",
    "I understand you need somebody who can start soon.",
    "Ich habe den Ticketshop des City Museum von PHP auf Django umgestellt.",
    "Seit 2014 baue ich Webshops mit Django.",
    "Ich würde zuerst die Daten ansehen.",
]
MADE_UP = [
    "I have 12 years of experience with Django.",
    "I have migrated dozens of shops like yours.",
    "I've led teams of up to 8 developers.",
    "I'm an AWS certified solutions architect.",
    "I built the ticketing platform of the Louvre.",
    "My clients call me the best Django developer in Berlin.",
    "I have extensive experience with Stripe Connect and Kubernetes.",
    "Over the last decade I have delivered more than 40 projects.",
    "I am available immediately and full-time.",
    "I have worked with museums across Europe for years.",
    "I can guarantee that nothing will be offline.",
    "I'm a former Google engineer.",
    "The City Museum saved 40,000 EUR a year through my work.",
    "I wrote Django's admin.",
    "I reduced page load times by 60%.",
    "My team of five will handle it.",
    "I speak French fluently.",
    "Ich habe über 15 Jahre Erfahrung mit Django.",
    "Ich habe bereits für Siemens und BMW gearbeitet.",
]
TOO_MUCH = [  # true perhaps, and more than the profile says: the owner is asked
    "My German is fluent, so meetings with your team can be in German or English.",
    "I use AWS for hosting.",
    "Ich arbeite allein und von Berlin aus.",
    "Mein Deutsch ist selbstverständlich fließend.",
]


@pytest.mark.parametrize("sentence", WRITTEN)
def test_what_a_model_writes_from_the_profile_passes(sentence: str) -> None:
    assert [claim for claim in claims(sentence, PROFILE, "Ada Winter") if not claim.supported] == []


@pytest.mark.parametrize("sentence", [*MADE_UP, *TOO_MUCH])
def test_what_a_model_makes_up_is_named(sentence: str) -> None:
    (claim,) = claims(sentence, PROFILE, "Ada Winter")
    assert not claim.supported


GERMAN = (
    Source(id="profile:rate", kind="profile", quote="95 EUR/Stunde"),
    Source(id="profile:skills", kind="profile", quote="python, postgres, django, htmx, aws"),
    Source(id="profile:languages", kind="profile", quote="English (Englisch), German (Deutsch)"),
    Source(id="profile:hours", kind="profile", quote="20 hours a week are free"),
    Source(id="profile:fact1", kind="profile", quote="Ich baue seit 2014 Webshops"),
    Source(id="profile:fact2", kind="profile", quote="Ich arbeite allein und von Berlin aus"),
    Source(
        id="work:museum",
        kind="work",
        quote="Ticketshop des Stadtmuseums: 12 Jahre Bestellungen von PHP nach Django umgezogen, ohne einen Tag "
        "Ausfall; 40.000 Karten im Jahr (Django, Postgres).",
    ),
    Source(
        id="work:bakery",
        kind="work",
        quote="Bestell-App einer Bäckerei: 8 Filialen, der Bestand wird laufend gezählt (Python, HTMX).",
    ),
)
GESCHRIEBEN = [
    "Guten Tag Frau Alvarez,",
    "ich habe Ihre Ausschreibung mit Interesse gelesen.",
    "Für das Stadtmuseum habe ich den Ticketshop von PHP nach Django umgezogen.",
    "Dabei habe ich 12 Jahre Bestellungen ohne einen Tag Ausfall umgezogen.",
    "Ich baue seit 2014 Webshops, meist mit Django und Postgres.",
    "Ich arbeite allein und von Berlin aus, Sie hätten also immer denselben Ansprechpartner.",
    "Ich würde mit einer Kopie der Datenbank beginnen.",
    "Außerdem habe ich die Bestell-App einer Bäckerei mit 8 Filialen gebaut.",
    "Gern zeige ich Ihnen beides in einem Gespräch.",
    "Wie viele Bestellungen gibt es heute?",
    "Zu Kubernetes kann ich noch nichts sagen und melde mich dazu.",
    "Mein Vorschlag wäre, zuerst die Daten zu prüfen.",
    "Ich freue mich auf Ihre Rückmeldung.",
    "Der Ticketshop verkauft 40.000 Karten im Jahr.",
    "Ich arbeite mit Python, Django und Postgres.",
    "Im ersten Schritt würde ich die Tests schreiben.",
    "Ich verstehe, dass der Shop nicht stillstehen darf.",
]
ERFUNDEN = [
    "Ich habe 12 Jahre Erfahrung mit Django.",
    "Ich habe über 50 Webshops gebaut.",
    "Als zertifizierter AWS-Architekt kenne ich das gut.",
    "Ich habe bereits für die Deutsche Bahn gearbeitet.",
    "Ich spreche fließend Französisch.",
    "Meine Kunden schätzen meine langjährige Erfahrung mit Kubernetes.",
    "Ich leite ein Team von fünf Entwicklern.",
    "Mein Tagessatz beträgt 600 EUR.",
    "Ich bin ab sofort in Vollzeit verfügbar.",
    "Ich habe Informatik an der TU München studiert.",
    "Wir haben Büros in Hamburg und Köln.",
    "Garantiert ohne Ausfall, das verspreche ich.",
]


@pytest.mark.parametrize("sentence", GESCHRIEBEN)
def test_what_a_german_bid_says_from_a_german_profile_passes(sentence: str) -> None:
    assert [claim for claim in claims(sentence, GERMAN, "Ada Winter") if not claim.supported] == []


@pytest.mark.parametrize("sentence", ERFUNDEN)
def test_what_a_german_bid_makes_up_is_named(sentence: str) -> None:
    (claim,) = claims(sentence, GERMAN, "Ada Winter")
    assert not claim.supported
