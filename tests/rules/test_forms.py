"""Web forms: the visitor is the client, by Reply-To or by the address in the text; what is no form stays what it was."""

# ruff: noqa: E501 (mails in one line each)

from dataclasses import replace

import pytest

from tests.ledgers import House, mail
from tests.rules.test_triage import AROUND, OWNER
from workflows.models.mail import Address, Email
from workflows.rules.mail.forms import as_written_by
from workflows.rules.mail.holds import hold_reason
from workflows.rules.mail.replying import reply_to
from workflows.rules.routing import route
from workflows.rules.triage import triage

PAUL = Address(email="paul@florist.example", name="Paul Flores")
OWN = Address(email="ada@winter.example")
FIELDS = "Name: Paul Flores\nEmail: paul@florist.example\nMessage: I need a web shop, what does it cost?"


def form(sender: str, subject: str, text: str = FIELDS, *, reply: bool = True, name: str = "", **more: object) -> Email:
    return mail(
        text, subject=subject, senders=(Address(email=sender, name=name),), to=(OWN,),
        reply_to=(PAUL,) if reply else (), **more,
    )  # fmt: skip


SAID = "I need a web shop, what does it cost?"
FORMS = [
    form("wordpress@winter.example", "Contact form: new message"),
    form("wordpress@winter.example", "Anfrage", SAID),
    form("noreply@winter.example", "New enquiry", SAID),
    form("no-reply@www.winter.example", "A question", SAID),
    form("noreply@formspree.io", "New submission from winter.example"),
    form("noreply@formspree.io", "New submission from winter.example", reply=False),
    form(
        "formresponses@netlify.com",
        "[Netlify] Form submission: contact",
        "You've got a new form submission.\n\nname: Paul\nemail: paul@florist.example\nmessage: hello",
    ),
    form(
        "no-reply-forms@webflow.com",
        "You've received a new form submission",
        "Name: Paul Flores\nEmail: paul@florist.example",
    ),
    form("noreply@jotform.com", "Re: Contact us - Paul Flores", FIELDS),
    form(
        "followups@followups.typeform.io",
        "Typeform: New response for Contact",
        "Your typeform Contact has a new response:\n\nWhat is your name?\nPaul\n\nEmail\npaul@florist.example",
        reply=False,
    ),
    form("notifications@tally.so", "New Tally Form Submission for Contact", FIELDS, reply=False),
    form(
        "form-submission@squarespace.info",
        "Form Submission - Contact",
        "Sent via form submission from Winter\n\nName: Paul Flores\n\nEmail: paul@florist.example\n\nMessage: Hello",
    ),
    form(
        "notifications@wix-forms.com",
        "Contact 3 got a new submission",
        "Paul just submitted your form: Contact 3\n\nMessage Details:\nEmail: paul@florist.example\nName: Paul",
        reply=False,
    ),
    form(
        "forms-receipts-noreply@google.com",
        "New response to your form",
        "Name: Paul Flores\nEmail: paul@florist.example\nPhone: 1",
        reply=False,
    ),
    form("ada@winter.example", "Contact form", SAID),
    form("ada@winter.example", "Nachricht von Paul", SAID, name="Paul Flores"),
    form(
        "ada@winter.example",
        "Kontaktformular",
        "Name: Paul Flores\nE-Mail: paul@florist.example\nNachricht: Was kostet ein Shop?",
        reply=False,
    ),
    form(
        "wordpress@winter.example",
        "Kontaktanfrage",
        "Vor- und Nachname: Paul Flores\nE-Mail-Adresse: paul@florist.example\nTelefon: 0171\nNachricht: Hallo",
        reply=False,
    ),
    form(
        "wordpress@winter.example",
        'Winter "Hello"',
        "From: Paul Flores <paul@florist.example>\nSubject: Hello\n\nMessage Body:\nI need a shop\n\n-- \nThis is a notification that a contact form was submitted on your website (https://winter.example).",
        reply=False,
    ),
    form(
        "www-data@web12.hoster.example",
        "Formulaire de contact",
        "Nom: Paul Flores\nAdresse e-mail: paul@florist.example\nMessage: Bonjour",
        reply=False,
    ),
    form("noreply@sitebuilder.example", "New message from your website", FIELDS),
    form(
        "apache@srv.example",
        "Formulario de contacto",
        "Nombre: Paul\nCorreo electrónico: paul@florist.example\nMensaje: Hola",
        reply=False,
    ),
    form(
        "noreply@winter.example",
        "New lead from your site",
        FIELDS,
        headers=(
            ("auto-submitted", "auto-generated"),
            ("list-unsubscribe", "<https://x.example>"),
            ("precedence", "bulk"),
        ),
    ),
    form(
        "website@winter.example",
        "Nuovo messaggio dal sito",
        "Nome: Paul\nIndirizzo email: paul@florist.example\nMessaggio: Ciao",
        reply=False,
    ),
]


@pytest.mark.parametrize("email", FORMS, ids=lambda email: f"{email.sender.email} {email.subject}")
def test_the_visitor_of_a_form_is_the_client(email: Email) -> None:
    assert triage(email, OWNER, AROUND) is None
    assert hold_reason(email) == ""
    visitor = as_written_by(email, OWNER.addresses)
    assert visitor.sender.email == PAUL.email
    assert visitor.form == email.sender.email
    assert as_written_by(visitor, OWNER.addresses) is visitor
    assert [one.email for one in reply_to(email, "Yes.", 1, 1).to] == [PAUL.email]


@pytest.mark.parametrize(
    "email",
    [
        form(
            "wordpress@winter.example", "Contact form", "Name: Paul\nPhone: 0171 1234567\nMessage: call me", reply=False
        ),
        form("noreply@formspree.io", "New submission from winter.example", "name: Paul\nmessage: call me", reply=False),
        form("noreply@winter.example", "Kontaktformular", "Nachricht: Ruf mich an", reply=False),
    ],
)
def test_a_form_without_an_address_is_told(email: Email) -> None:
    assert triage(email, OWNER, AROUND) is None
    assert hold_reason(email) == "it came through a web form and names no address to answer to"


@pytest.mark.parametrize(
    ("email", "rule"),
    [
        (form("noreply@shop.example", "Your order", "Thank you for your order."), "no-reply"),
        (form("no-reply@dropbox.com", "Paul shared a folder with you", "Paul shared it."), "platform-notice"),
        (form("drive-shares-noreply@google.com", "Document shared with you", "Paul shared a document."), "platform-notice"),
        (form("team@netlify.com", "Your deploy failed", "Log in to see why.", reply=False), "platform-notice"),
        (form("ada@winter.example", "Note to self", "call Paul, paul@florist.example", reply=False), "own-mail"),
        (form("wordpress@other.example", "Thank you for your message", "Name: Ada\nEmail: ada@winter.example\nMessage: hi"), "no-reply"),
        (form("wordpress@winter.example", '[Winter] Please moderate: "Hello"', "Author: Paul\nEmail: paul@florist.example"), "no-reply"),
        (form("noreply@github.com", "[x/y] New issue", "Paul opened an issue."), "platform-notice"),
    ],
)  # fmt: skip
def test_what_is_no_form_is_turned_away_as_before(email: Email, rule: str) -> None:
    verdict = triage(email, OWNER, AROUND)
    assert verdict is not None
    assert verdict.rule == rule


def test_a_person_with_another_reply_to_stays_that_person() -> None:
    email = form(
        "maria@studio.example",
        "Contact form of our site",
        "Could you build a contact form?\nName: x\nEmail: y@z.example",
    )
    assert as_written_by(email, OWNER.addresses) is email
    assert reply_to(email, "Yes.", 1, 1).to[0].email == "maria@studio.example"


def test_legal_words_of_a_visitor_are_held_and_never_hold_a_clients_money(tmp_path) -> None:
    email = form("wordpress@winter.example", "Contact form", f"{FIELDS}\nMy lawyer will write to you.")
    assert hold_reason(email) == "a legal threat"


def test_a_forged_form_sees_no_memory_and_leaves_none(tmp_path) -> None:
    house = House(tmp_path / "home")
    decide = lambda email, around: route(email, OWNER, around)  # noqa: E731
    house.ledger.record_mail(
        mail("The secret budget is 4800.", to=(OWN,), senders=(PAUL,)), "inbox", decide, house.clock.now()
    )
    known = house.ledger.surroundings(mail("x", senders=(PAUL,)), "inbox").client
    before = len(house.ledger.documents(known.id))
    event = house.ledger.record_mail(FORMS[0], "inbox", decide, house.clock.now())
    assert event.client == known.id
    assert len(house.ledger.documents(known.id)) == before
    house.engine.dispose()


def test_a_visitor_may_be_unwanted() -> None:
    verdict = triage(FORMS[0], OWNER, replace(AROUND, ignore=("florist.example",)))
    assert verdict is not None
    assert verdict.rule == "ignore-list"
