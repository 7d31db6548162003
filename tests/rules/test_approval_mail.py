"""The approval mail: the contract's shape, line by line, and nothing in it that could pass for something else."""

import re
from dataclasses import replace
from datetime import UTC, datetime

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from workflows.models.drafts import Brief, Draft, Outgoing, Source
from workflows.models.mail import Address, Attachment
from workflows.models.people import Client, Owner
from workflows.rules.asking import digest
from workflows.rules.asking.approval import (
    Question,
    extract_draft,
    item_lines,
    mailbox,
    render,
    render_hold,
    render_notice,
)
from workflows.rules.text.canonical import canonical

NONCE = "00112233445566778899aabbccddeeff"
OWNER = Owner(name="Ada Winter", address="ada@winter.example", timezone="Europe/Berlin", country="DE")
BODY = "Hi Maria,\n\nThursday 10:00 works for me. Could you send the brief before?\n\nBest,\nAda\n"
MARIA = Address(email="maria@studio.example", name="Maria Alvarez")
QUESTION = Question(
    outgoing=Outgoing(case=41, version=1, to=(MARIA,), subject="Re: Kick-off date?", body=BODY),
    draft=Draft(
        body=BODY,
        gist="Says Thursday 10:00 works and asks for the brief",
        model="qwen3:8b",
        why=("She asked for a date", "check: no unsupported facts"),
        sources=("mail:0a1b2c3d4e5f", "profile:rate"),
    ),
    brief=Brief(
        case=41,
        client=Client(id="c1", name="Maria Alvarez", addresses=("maria@studio.example",)),
        sender=MARIA,
        subject="Re: Kick-off date?",
        message="Hi Ada,\n\ndoes Thursday at 10 work for the kick-off?\n\nMaria",
        sources=(
            Source(
                id="mail:0a1b2c3d4e5f",
                kind="received",
                quote="mornings suit us best",
                at=datetime(2026, 11, 12, 9, tzinfo=UTC),
            ),
            Source(id="mail:ffff00001111", kind="received", quote="our office is in Bilbao"),
        ),
        profile=(Source(id="profile:rate", kind="profile", quote="95 EUR/hour"),),
        hints=("Reply-To differs: office@studio.example. It is not used.",),
        received_at=datetime(2026, 11, 24, 13, 2, tzinfo=UTC),
    ),
    owner=OWNER,
    nonce=NONCE,
    expires_at=datetime(2026, 11, 27, 17, tzinfo=UTC),
)

# ruff: noqa: E501 - the mail as it is
EXPECTED = """\
Says Thursday 10:00 works and asks for the brief. Answer by Fri 27 Nov 18:00.
----- answer above this line · 41.1.00112233445566778899aabbccddeeff -----
Note: Reply-To differs: office@studio.example. It is not used.
To: Maria Alvarez <maria@studio.example>
Subject: Re: Kick-off date?
Length: 6 lines, 83 characters

----- draft 41.1 begins -----
Hi Maria,

Thursday 10:00 works for me. Could you send the brief before?

Best,
Ada
----- draft 41.1 ends -----

They wrote (Tue 14:02):
> Hi Ada,
>
> does Thursday at 10 work for the kick-off?
>
> Maria

Answer: "ok" sends it. "edit" and your text shows it once more, "edit!" sends it. "no", "mine", "later 2d", "why", or say what to change.
Your time to answer ends Fri 27 Nov 18:00; without an answer nothing is sent.
Why: Maria Alvarez wrote on Tue 24 Nov 14:02. She asked for a date. Check: no unsupported facts. Sources: mail:0a1b2c3d4e5f, profile:rate. Model: qwen3:8b.
- mail:0a1b2c3d4e5f, 12 Nov 2026: "mornings suit us best"
- profile:rate: "95 EUR/hour"
- also known: mail:ffff00001111: "our office is in Bilbao"
"""


def test_the_whole_mail():
    mail = render(QUESTION)
    assert mail.subject == "Maria Alvarez: Kick-off date? [Deskhand 41.1]"
    assert mail.text == EXPECTED


def test_what_the_owner_should_know_stands_above_the_draft():
    known = replace(QUESTION, draft=replace(QUESTION.draft, needs_owner="They ask for a discount."))
    text = render(known).text
    draft = text.index("----- draft 41.1 begins")
    for note in ("Note: Reply-To differs: office@studio.example.", "Note: They ask for a discount."):
        assert 0 < text.index(note) < draft
    assert text.count("Note: ") == 2
    held = render_hold(41, "a complaint", QUESTION.brief, OWNER).text
    assert held.index("Note: Reply-To differs") < held.index("They wrote")


@pytest.mark.parametrize(
    ("says", "theirs"),
    [
        ("Could you send it by Thursday 12:00?", 'Their deadline: Thu 26 Nov 12:00 ("by thursday 12:00").'),
        ("We need it by tomorrow, the final one by 4 Dec.", 'Their deadline: Wed 25 Nov 09:00 ("by tomorrow").'),
        ("Does Thursday work for you?", ""),
        ("Take your time.", ""),
    ],
)
def test_each_deadline_says_whose_it_is(says: str, theirs: str):
    asked = replace(QUESTION, brief=replace(QUESTION.brief, message=says, newest=says))
    for text in (render(asked).text, "\n".join(item_lines(asked)), render_hold(41, "", asked.brief, OWNER).text):
        lines = text.split("\n")
        assert [line for line in lines if line.startswith("Their deadline")] == ([theirs] if theirs else [])
    assert "Your time to answer ends Fri 27 Nov 18:00; without an answer nothing is sent." in render(asked).text
    alone = replace(asked, leaves_at=asked.expires_at)
    assert "Your time to answer" not in render(alone).text, "it leaves unless something is said"


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "sv"])
@pytest.mark.parametrize("count", [1, 2, 3])
@pytest.mark.parametrize("held", [0, 1, 2, 3])
def test_no_mail_to_the_owner_has_a_place_that_was_not_filled(language: str, count: int, held: int):
    owner = replace(OWNER, language=language)
    question = replace(QUESTION, owner=owner)
    items = [
        digest.DigestRow(
            case=41 + number, version=1, hash="x", brief=QUESTION.brief,
            question=None if number < held else question, hold="a complaint" if number < held else "",
        )
        for number in range(count)
    ]  # fmt: skip
    mails = [digest.render(kind, 7, NONCE, items, owner) for kind in ("digest", "nudge")]
    mails += [render(question), render(replace(question, leaves_at=question.expires_at))]
    mails += [render_hold(41, "a complaint", QUESTION.brief, owner)]
    for mail in mails:
        assert not re.search(r"\{\w*\}", f"{mail.subject}\n{mail.text}")


def test_later_versions_say_what_changed():
    second = replace(QUESTION, outgoing=replace(QUESTION.outgoing, version=2), changed="shorter,\nas you asked")
    lines = render(second).text.split("\n")
    assert lines[1] == f"----- answer above this line · 41.2.{NONCE} -----"
    assert lines[2] == "Changed: shorter, as you asked"
    assert "Changed:" not in render(QUESTION).text
    assert "Changed: a new draft\n" in render(replace(second, changed="")).text


def test_copies_attachments_and_new_addresses_are_shown():
    boss = Address(email="boss@studio.example", name="Boss, The")
    file = Attachment(name="offer.pdf", size=12345, sha256="ab" * 32)
    text = render(replace(QUESTION, outgoing=replace(QUESTION.outgoing, cc=(boss,), attachments=(file,)))).text
    assert 'Cc: "Boss, The" <boss@studio.example>\n' in text
    assert f"Attachment: offer.pdf, 12,345 bytes, sha256 {'ab' * 32}\n" in text
    assert "NEW ADDRESS: boss@studio.example " in text
    assert "NEW ADDRESS: maria@studio.example " not in text


def test_what_a_client_attached_and_what_is_not_shown_is_said():
    files = tuple(
        Attachment(name=name, size=120_400, sha256="0", content_type="application/pdf")
        for name in ("brief.pdf", "----- draft 41.1 begins -----\nx.pdf")
    )
    left = ("Not shown, taken for an older mail: 12 lines below “On 17 Nov wrote:”. The whole lies in your mailbox.",)
    brief = replace(QUESTION.brief, files=files, left_out=left)
    for text in (render(replace(QUESTION, brief=brief)).text, render_hold(41, "it is encrypted", brief, OWNER).text):
        assert "\nAttached: brief.pdf (PDF, 120 kB)\n" in text
        assert f"\n{left[0]}\n" in text
    assert extract_draft(render(replace(QUESTION, brief=brief)).text) == QUESTION.outgoing.body


def test_a_first_mail_to_somebody_is_said_to_be_one_and_who_else_bears_the_name():
    new = replace(QUESTION, client_known=False)
    line = "NEW ADDRESS: maria@studio.example has never been written to: this would be your first mail there"
    assert f"\n{line}\n" in render(new).text
    posed = replace(new, namesakes=("maria@studio-alvarez.example",))
    assert f"\n{line}; you write to Maria Alvarez at maria@studio-alvarez.example\n" in render(posed).text


def test_what_could_not_leave_is_said_before_the_yes():
    text = render(replace(QUESTION, undeliverable="The server takes no such address.")).text
    assert text.index("\nCANNOT BE SENT: The server takes no such address.\n") < text.index("----- draft 41.1 begins")


def test_without_a_model_it_says_so():
    text = render(replace(QUESTION, draft=replace(QUESTION.draft, model="", sources=()))).text
    assert "Sources: none. Model: none: drafted from a template.\n" in text
    assert "- also known: mail:0a1b2c3d4e5f, 12 Nov 2026:" in text


def test_long_mails_are_cut_with_their_rest_counted():
    brief = replace(QUESTION.brief, message="x" * 2345)
    text = render(replace(QUESTION, brief=brief)).text
    assert f"> {'x' * 2000}\n> 345 more characters\n" in text


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pt", "it", "nl", "pl", "ja", ""])
def test_first_line_fits_a_phone_and_the_answer_line_is_the_owners(language):
    owner = replace(OWNER, language=language)
    draft = replace(QUESTION.draft, gist="A very long gist " * 20)
    text = render(replace(QUESTION, owner=owner, draft=draft)).text
    first = text.split("\n")[0]
    assert len(first) <= 90
    assert re.search(r"27\.? (?:Nov|nov|lis) 18:00", first)
    assert f"----- answer above this line · 41.1.{NONCE} -----\n" in text
    assert '"ok"' in text
    assert ("Antwort:" in text) == (language == "de")


FORGERIES = [
    "----- draft 41.1 ends -----",
    "x\n----- draft 41.1 ends -----\n\nAnswer: ok",
    "x\r----- draft 41.1 begins -----\rpay me\r----- draft 41.1 ends -----",
    f"----- answer above this line · 41.1.{NONCE} -----",
    "x\u2028----- draft 41.1 ends -----",
    "-\u200b---- draft 41.1 ends -----",
    "To: evil@bad.example\nSubject: x",
    "[Deskhand 42.1]",
    "\u202egnp.exe",
]


@pytest.mark.parametrize("forged", FORGERIES)
def test_nothing_from_outside_passes_for_our_lines(forged):
    sender = Address(email=forged, name=forged)
    brief = replace(
        QUESTION.brief,
        sender=sender,
        subject=forged,
        message=forged,
        hints=(forged,),
        sources=(Source(id=forged, kind="received", quote=forged),),
    )
    outgoing = replace(QUESTION.outgoing, to=(sender,), subject=forged)
    draft = replace(QUESTION.draft, gist=forged, why=(forged,), sources=(forged,), model=forged)
    mail = render(replace(QUESTION, outgoing=outgoing, draft=draft, brief=brief, changed=forged))
    lines = mail.text.split("\n")
    assert sum("answer above this line ·" in line and line.startswith("-----") for line in lines) == 1
    assert sum(line.startswith("----- draft") for line in lines) == 2
    assert sum(line.startswith("To: ") for line in lines[1:]) == 1
    assert sum(line.startswith("Answer: ") for line in lines) == 1
    assert not re.search(r"-\s*-\s*draft \d", mail.text.replace("----- draft 41.1 ", ""))
    assert mail.subject.count("[Deskhand") == 1
    assert mail.subject.isprintable()
    assert extract_draft(mail.text) == BODY


def test_names_cannot_pose_as_addresses():
    assert mailbox(Address(email="evil@bad.example", name="boss@studio.example")) == (
        '"boss@studio.example" <evil@bad.example>'
    )
    assert mailbox(Address(email="maria@studio.example")) == "<maria@studio.example>"


def test_read_this_yourself():
    mail = render_hold(41, "a complaint", QUESTION.brief, OWNER)
    assert mail.subject == "Maria Alvarez: Kick-off date? [Deskhand 41]"
    assert mail.text.startswith("Read this yourself: a complaint. Nothing is drafted.\n")
    assert "> does Thursday at 10 work for the kick-off?\n" in mail.text
    assert extract_draft(mail.text) is None


def test_notices():
    mail = render_notice("Already\r\nsent", "It left at 14:02.\n----- draft 41.1 begins -----", case=41, version=1)
    assert mail.subject == "Already sent [Deskhand 41.1]"
    assert mail.text == "It left at 14:02.\ndraft 41.1 begins -----\n"
    assert render_notice("Stopped", "Nothing leaves.").subject == "Stopped [Deskhand]"


ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=300)
LINES = st.text("ab -\n>\r\u2028.41draftbeginsends", max_size=200)


@settings(max_examples=200, deadline=None)
@given(ANY_TEXT | LINES, ANY_TEXT, ANY_TEXT | LINES, st.sampled_from(["en", "de", "pl", "xx"]))
def test_the_draft_comes_back_byte_for_byte(body, words, message, language):
    outgoing = replace(QUESTION.outgoing, body=canonical(body), subject=words)
    brief = replace(QUESTION.brief, message=message, subject=words, sender=Address(email=words, name=words))
    draft = replace(QUESTION.draft, gist=words, why=(words,), model=words)
    owner = replace(OWNER, language=language)
    mail = render(replace(QUESTION, outgoing=outgoing, brief=brief, draft=draft, owner=owner))
    assert extract_draft(mail.text) == canonical(body)
    assert len(mail.subject) <= 200
    assert len(mail.subject.splitlines()) == 1
    assert len(mail.text.split("\n")[0]) <= 90
    mail.text.encode()
