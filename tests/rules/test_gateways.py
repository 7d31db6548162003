"""What gateways put around a mail: tags that must hide nothing, banners that are nobody's words."""

import pytest

from tests.ledgers import OWNER, mail
from tests.readings import routed
from workflows.models.routes import Ignore, Surroundings
from workflows.rules.mail.gateways import bare_subject, without_banner
from workflows.rules.mail.replying import gist
from workflows.rules.mail.subjects import is_forward_subject, is_reply_subject

TAGS = [
    "[External] ", "[EXT] ", "EXTERN: ", "(External) ", "***SPAM*** ", "{Spam?} ", "[EXTERNAL][Caution] ",
    "[list-name] ", "EXTERNAL: ", "[Extern] - ", "[Ticket#4711] ", "<External> ", "[EXTERNE] | ",
]  # fmt: skip
AUTOMATIC = [
    "Automatic reply: Offer",
    "Out of Office: Offer",
    "Automatische Antwort: Angebot",
    "Réponse automatique : Offre",
]


@pytest.mark.parametrize("tag", TAGS)
@pytest.mark.parametrize("subject", AUTOMATIC)
def test_a_tag_hides_no_automatic_reply(tag: str, subject: str, around) -> None:
    verdict = routed(mail("Hello.\n\nRegards\nMaria\n", subject=f"{tag}{subject}"), OWNER, around)
    assert isinstance(verdict, Ignore)
    assert verdict.rule == "auto-reply"


@pytest.fixture
def around() -> Surroundings:
    from tests.ledgers import NOON

    return Surroundings(folder_kind="inbox", now=NOON)


@pytest.mark.parametrize("tag", TAGS)
def test_a_tag_hides_no_mark_of_an_answer_or_a_forward(tag: str) -> None:
    assert is_reply_subject(f"{tag}Re: Offer")
    assert is_reply_subject(f"{tag}AW: Angebot")
    assert is_forward_subject(f"{tag}Fwd: Offer")
    assert not is_reply_subject(f"{tag}Offer")


@pytest.mark.parametrize(
    "subject", ["[External]", "(Draft) Contract", "Contract [v2]", "", "***", "External links: which ones?"]
)
def test_a_persons_own_words_are_no_tag(subject: str) -> None:
    assert bare_subject(subject) == subject


BANNERS = [
    "CAUTION: This email originated from outside of the organization. Do not click links or open attachments.",
    "CAUTION: This email originated from outside of the organization. Do not click\nlinks unless you know who it is.",
    "WARNING: external email.\nDo not click links.\nReport suspicious mails to the help desk.",
    "[EXTERNAL EMAIL] Be careful with links and attachments: do not click unless you know the sender.",
    "This message is from an external sender. Learn why this is important.",
    "You don't often get email from maria@studio.example. Learn why this is important",
    "*** This is an external email. Please verify the sender before you reply. ***",
    "ACHTUNG: Diese E-Mail kommt von außerhalb der Organisation. Klicken Sie nicht auf Links oder Anhänge.",
    "Externer Absender! Bitte prüfen Sie den Absender.",
    "Sie erhalten nicht oft E-Mails von maria@studio.example. Erfahren Sie, warum dies wichtig ist.",
    "Attention : ce message provient d'un expéditeur externe. Ne cliquez pas sur les liens.",
    "PRECAUCIÓN: Este correo proviene de fuera de la organización. No haga clic en enlaces.",
    "ATTENZIONE: questa e-mail proviene dall'esterno. Non cliccare sui link.",
    "Let op: deze e-mail is afkomstig van een externe afzender. Klik niet op links.",
    "UWAGA: wiadomość pochodzi spoza organizacji. Nie klikaj w linki.",
]  # fmt: skip


@pytest.mark.parametrize("banner", BANNERS, ids=range(len(BANNERS)))
@pytest.mark.parametrize("gap", ["\n\n", "\n"])
def test_the_gist_is_what_the_person_wrote(banner: str, gap: str) -> None:
    text = f"{banner}{gap}Hi Ada,\n\ncould you start on Thursday?\n\nMaria\n"
    assert gist(text) == "could you start on Thursday?"


PERSONS = [
    "The new form sends external mail to spam.\nCan you look?",
    "We will not pay the invoice.",
    "CAUTION: This email originated from outside of the organization. We will not pay the invoice.",
    "Do not click the old link any more.",
]


@pytest.mark.parametrize("text", PERSONS)
def test_a_persons_words_stay(text: str) -> None:
    lines = text.split("\n")
    assert without_banner(lines)[-1] == lines[-1]
