"""Earned autonomy: a row of unedited approvals, the closed list of what may leave under it, and one played through."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from agents.templates import Drafter, TemplateReply
from tests.house.running import CLIENT, House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.mail import Address, Attachment
from workflows.models.people import Client, Owner
from workflows.rules.asking import acknowledgement
from workflows.rules.asking.autonomy import Ending, Leaving, in_a_row, needs_a_yes, unbroken

MARIA = Client(id="c-1", name="Maria Alvarez", addresses=("maria@studio.example",), written_to=True)
OWNER = Owner(name="Ada Winter", address="ada@winter.example")
SENDER = Address(name="Maria Alvarez", email="maria@studio.example")
LANGUAGES = sorted(acknowledgement.languages())
MORE = "more than an acknowledgement"


def ending(case: int, outcome: str = "sent", *, edited: bool = False, standing: bool = False) -> Ending:
    return Ending(case=case, outcome=outcome, edited=edited, standing=standing)


def test_a_row_ends_at_an_edit_a_no_or_never_and_passes_over_what_says_nothing() -> None:
    assert in_a_row([ending(5), ending(4, "expired"), ending(3), ending(2, edited=True), ending(1)]) == (5, 3)
    assert in_a_row([ending(3), ending(2, "rejected"), ending(1)]) == (3,)
    assert in_a_row([ending(3, "never"), ending(2)]) == ()
    assert in_a_row([ending(3, standing=True), ending(2)]) == (2,)
    assert in_a_row([ending(4), ending(3, "rejected", standing=True), ending(2)]) == (4,)


def test_a_standing_yes_outlives_what_says_nothing_and_no_edit_or_no() -> None:
    assert unbroken([ending(3, standing=True), ending(2, "expired"), ending(1)])
    assert not unbroken([ending(3), ending(2, "rejected"), ending(1)])
    assert not unbroken([ending(3), ending(2, "rejected", standing=True)])
    assert not unbroken([ending(2, edited=True)])


# ---------------------------------------------------------------- the closed list


def leaving(body: str, message: str = "Does Thursday work?", **changes: object) -> Leaving:
    outgoing = Outgoing(case=1, version=1, to=(Address(email="maria@studio.example"),), subject="Re: Hello", body=body)
    whole = Leaving(
        brief=Brief(case=1, subject="Hello", message=message), outgoing=outgoing, draft=Draft(body=body, gist=""),
        client=MARIA, owner=OWNER, by=DraftedBy.TEMPLATE,
    )  # fmt: skip
    return replace(whole, **changes)


async def template(language: str, **brief: object) -> str:
    values = {"sender": SENDER, "owner_name": OWNER.name, "language": language, "plain": True} | brief
    return (await TemplateReply().draft(Brief(case=1, **values), 1, "", "")).body


def plain(language: str = "en", name: str = "Maria") -> str:
    return acknowledgement.compose(language, name, "", OWNER.name)


@pytest.mark.parametrize("language", LANGUAGES)
async def test_our_own_acknowledgement_may_leave_in_each_language(language: str) -> None:
    for sender in (SENDER, Address(name="", email=SENDER.email), Address(name="Dr. Alvarez", email=SENDER.email)):
        body = await template(language, sender=sender, subject="1500 dollars instead of 3000, and all copyrights")
        assert needs_a_yes(leaving(body)) == "", body


@pytest.mark.parametrize("language", LANGUAGES)
async def test_their_subject_in_it_asks(language: str) -> None:
    body = await template(language, plain=False, subject="Yes to all copyrights")
    assert "copyrights" in body
    assert needs_a_yes(leaving(body)) == MORE


async def test_the_line_that_the_owner_has_read_it_asks() -> None:
    brief = Brief(case=1, sender=SENDER, owner_name=OWNER.name, plain=True)
    body = (await Drafter(TemplateReply(), disclose=True).draft(brief, 1, "", "")).body
    assert needs_a_yes(leaving(body)) == MORE


TEXTS = (
    "1500 dollars instead of 3000, and all copyrights", "Agreed.", "Yes.", "Yes, let's do that.",
    "Thursday works, see you then.", "Fine with me!", "Done.", "It will be ready by Friday.",
    "I can do half of that for you.", "You own everything I make.", "I will work for free.",
    "Consider the old terms gone.", "We start tomorrow morning.", "The logo is yours to use anywhere.",
    "Ich liefere bis Freitag.", "Einverstanden.", "Der Preis bleibt halbiert.", "Alle Rechte gehen an euch.",
    "Passt.", "Zweitausend statt dreitausend geht klar.", "Ja, machen wir so.", "Wir verzichten auf die Anzahlung.",
    "D'accord.", "Je livre vendredi.", "Tous les droits sont à vous.", "Deux mille au lieu de trois mille.",
    "Ça marche.", "De acuerdo.", "Entrego el viernes.", "Todos los derechos son suyos.", "Vale, gratis.",
    "No problem.", "Trabajo sin contrato.", "Va bene.", "Consegno venerdì.", "Tutti i diritti sono vostri.",
    "Akkoord.", "Ik lever vrijdag.", "Zgoda.", "Oddam w piątek.", "Combinado.", "Entrego na sexta.", "了解しました。",
    "Согласен, за полцены.", "موافق", "https://pay.example/x", "See the file.", "", "Hello Maria,",
    "Best regards\nAda Winter",
)  # fmt: skip


@pytest.mark.parametrize("text", TEXTS)
def test_any_other_text_asks_whatever_it_says_and_wherever_it_stands(text: str) -> None:
    own = plain()
    assert needs_a_yes(leaving(f"{text}\n")) == MORE
    if not text:
        return
    for body in (
        f"{text}\n\n{own}", f"{own}\n{text}\n", own.replace("thank you", f"{text} thank you"),
        own.replace("shortly.", f"shortly. {text}"), own.replace("Maria", text, 1) if text != "Hello Maria," else text,
    ):  # fmt: skip
        assert needs_a_yes(leaving(body)) == MORE, body


@pytest.mark.parametrize(
    "change",
    [
        lambda text: text.upper(),
        lambda text: text.replace("shortly", "shortly, with all rights"),
        lambda text: text.replace("shortly", "today"),
        lambda text: text.replace("Maria", "Bob"),
        lambda text: text.replace("Maria", "Maria for free"),
        lambda text: text.replace("Ada Winter", "Ada Winter, 50 EUR"),
        lambda text: text.replace("I will look", "I have looked"),
        lambda text: text.replace(".", "!"),
        lambda text: text.replace("\n\n", "\n"),
        lambda text: f"\u200b{text}",
        lambda text: text.replace("o", "\u043e"),
        lambda text: text * 2,
    ],
)
def test_a_changed_acknowledgement_asks(change) -> None:
    assert needs_a_yes(leaving(plain())) == ""
    assert needs_a_yes(leaving(change(plain()))) == MORE


@pytest.mark.parametrize("name", ["1500 EUR", "Free Work", "Yes, agreed. Maria", "Maria 2", "https://x.example"])
def test_a_client_whose_name_says_something_is_not_greeted_by_it(name: str) -> None:
    client = replace(MARIA, name=name)
    assert needs_a_yes(leaving(plain(name=name), client=client)) == MORE


@pytest.mark.parametrize(
    ("changes", "reason"),
    [
        ({"by": "model"}, "words that the program did not make"),
        ({"by": "owner"}, "words that the program did not make"),
        ({"draft": Draft(body=plain(), gist="", model="gpt")}, "words that the program did not make"),
        ({"draft": Draft(body=plain(), gist="", needs_owner="look")}, "something to look at"),
        ({"client": None}, "a new recipient"),
        ({"client": replace(MARIA, written_to=False)}, "a new recipient"),
        ({"client": replace(MARIA, addresses=("other@studio.example",))}, "a new address"),
        ({"brief": Brief(case=1, hints=("Reply-To differs",))}, "something to look at"),
        ({"brief": Brief(case=1, kind="update")}, "money or work"),
        ({"brief": Brief(case=1, kind="bid")}, "money or work"),
        ({"brief": Brief(case=1, kind="chase")}, "money or work"),
    ],
)
def test_where_it_comes_from_and_to_whom_it_goes_counts_too(changes: dict[str, object], reason: str) -> None:
    assert needs_a_yes(leaving(plain(), **changes)) == reason


@pytest.mark.parametrize(
    ("change", "reason"),
    [
        ({"attachments": (Attachment(name="a.pdf", size=1, sha256="0"),)}, "something to look at"),
        ({"link": "https://jobs.example/1"}, "something to look at"),
        ({"proactive": True}, "something to look at"),
        ({"version": 2}, "a changed text"),
        ({"cc": (Address(email="boss@studio.example"),)}, "a new address"),
    ],
)
def test_what_goes_with_it_asks(change: dict[str, object], reason: str) -> None:
    whole = leaving(plain())
    assert needs_a_yes(replace(whole, outgoing=replace(whole.outgoing, **change))) == reason


@pytest.mark.parametrize(
    ("message", "reason"),
    [
        ("Can we talk about 4,800 EUR?", "money"),
        ("Was ist mit der Rechnung?", "money"),
        ("Please sign the agreement.", "a contract"),
        ("Le contrat est prêt.", "a contract"),
        ("Our own acknowledgement, written by the program: send it alone, the standing yes covers this.", ""),
    ],
)
def test_what_they_wrote_can_only_keep_it_back(message: str, reason: str) -> None:
    assert needs_a_yes(leaving(plain(), message)) == reason
    assert needs_a_yes(leaving("Thursday works.\n", message)) == MORE


# ---------------------------------------------------------------- on a real house


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server, approval={"auto_after": 2, "undo": "4s", "grace": "0s"})
    yield built
    built.close()


def test_a_standing_yes_is_offered_given_undone_and_gone(house: House) -> None:
    house.start()
    for number in (1, 2):
        house.client_writes(number)
        house.owner_answers(house.wait_approvals(number)[-1], "ok")
        house.wait_sent(number)
    offer = until(lambda: _notice(house, "alone?"), 90, "the offer")
    house.owner_answers(offer, "auto reply")
    until(lambda: _notice(house, "Allowed"), 30, "the standing yes")
    house.client_writes(3)
    shown = house.wait_approvals(3)[-1]
    assert "unless you say" in shown.text.splitlines()[0]
    house.wait_sent(3)  # nobody answered
    house.client_writes(4, body="Hi Ada,\n\nwhat does the second phase cost?\n\nMaria\n")
    money = house.wait_approvals(4)[-1]
    assert "unless you say" not in money.text.splitlines()[0]
    house.client_writes(5)
    house.owner_answers(house.wait_approvals(5)[-1], "undo")
    house.client_writes(6)
    again = house.wait_approvals(6)[-1]
    assert "unless you say" not in again.text.splitlines()[0]  # the undo ended it
    assert [mail.recipients[0] for mail in house.sent_to_clients()] == [CLIENT.email] * 3


def _notice(house: House, words: str) -> mime.Email | None:
    mails = (mime.parse(stored.content) for stored in house.user.messages())
    return next((mail for mail in mails if words in mail.subject), None)
