"""The owner's own signature: learnt from what he sent to others, never from a line that says something."""

from dataclasses import replace
from datetime import UTC, datetime
from itertools import product
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.mail.mime import parse as parse_mail
from workflows.models.decisions import Approve, Edit, Later, Mine, Reject, Revise, Unclear
from workflows.models.mail import Address, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import read
from workflows.rules.answers.orders import order_in
from workflows.rules.answers.signatures import OwnersMail, answers_in, as_block, learnt

NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
OWNER = Owner(name="Nora Feld", address="nora@feld.example", language="de", timezone="Europe/Berlin", country="DE")
LEGAL = "Nora Feld · Grafik · Musterweg 1 · 12345 Berlin · USt-IdNr. DE123456789"
OUTLOOK = "Nora Feld\nTexts and pages\nTel. +49 40 7654321\nwww.feld.example"
PHONE = "Nora Feld - unterwegs getippt"
MAILS = Path(__file__).parents[1] / "mail" / "signatures"
BODIES = (
    "Hallo Tom,\n\nMittwoch passt.\n\nViele Grüße\nNora",
    "Hi Maria,\n\nthe pages come on Friday.\n\nBest,\nNora",
    "Passt!",
    "Danke, die Rechnung kommt morgen.",
    "Hallo zusammen,\n\nanbei die neue Fassung.\n\nLG Nora",
)


def sent(number: int, text: str, **fields: object) -> OwnersMail:
    values = {
        "identity": f"{number:064}",
        "blob": "b" * 64,
        "message_id": f"<{number}@feld.example>",
        "senders": (Address(email="nora@feld.example", name="Nora Feld"),),
        "to": (Address(email=f"client{number}@else.example"),),
        "text": text,
    }
    return OwnersMail(key=f"{number:064}", email=Email(**(values | fields)))


def signed(signature: str, bodies: tuple[str, ...] = BODIES, first: int = 1) -> list[OwnersMail]:
    return [sent(number, f"{body}\n\n{signature}\n") for number, body in enumerate(bodies, first)]


def texts(mails: list[OwnersMail], owner: Owner = OWNER) -> list[str]:
    return [signature.text for signature in learnt(mails, owner)]


# ---------------------------------------------------------------- learning


@pytest.mark.parametrize("signature", [LEGAL, OUTLOOK, PHONE, "Feld Design GmbH\nHRB 1234, AG Berlin\nGeschäftsführerin Nora Feld", "Nora Feld\n\nGrafik & Satz\n\n030 1234567", "Typed on a phone, excuse the brevity", "Nora Feld (sie/ihr)\nBüro: Mo-Do"])  # fmt: skip # noqa: E501
def test_what_ends_mails_in_three_threads_is_learnt(signature: str) -> None:
    assert texts(signed(signature)[:3]) == [as_block(signature)]
    assert texts(signed(signature)) == [as_block(signature)]
    assert texts(signed(signature)[:2]) == []


def test_the_text_above_is_left_where_it_is() -> None:
    mails = [sent(number, f"{body}\n\nBest,\nNora\n\n{OUTLOOK}") for number, body in enumerate(("One.", "Two.", "3."))]
    assert texts(mails) == [OUTLOOK]
    mails = [sent(number, f"{number}.\n\nI look forward to hearing from you.\n{OUTLOOK}") for number in range(4)]
    assert texts(mails) == [OUTLOOK]
    mails = [sent(number, f"{number}.\n\nBest regards,\nNora Feld") for number in range(4)]
    assert texts(mails) == []  # the grammar forgives that anyway, and an edited text keeps it


def test_one_thread_or_one_letter_to_many_is_one_witness() -> None:
    thread = [replace(mail, email=replace(mail.email, references=("<1@feld.example>",))) for mail in signed(OUTLOOK)]
    assert texts(thread) == []
    assert texts([sent(number, f"Wir ziehen um.\n\n{OUTLOOK}") for number in range(5)]) == []


def test_two_signatures_are_learnt_each_by_itself() -> None:
    assert set(texts([*signed(OUTLOOK), *signed(PHONE, first=20)])) == {OUTLOOK, PHONE}
    longer = f"{PHONE}\n{LEGAL}"
    assert set(texts([*signed(longer), *signed(LEGAL, first=20)])) == {longer, LEGAL}


def test_a_signature_under_dashes_and_above_a_quote_is_learnt() -> None:
    quote = "On Mon, 23 Nov 2026 at 10:00, Tom <tom@reyes.example> wrote:\n\n> Hi Nora,\n>\n> ok?\n>\n> Tom"
    under_dashes = [sent(number, f"{body}\n\n-- \n{OUTLOOK}\n\n{quote}") for number, body in enumerate(BODIES)]
    assert texts(under_dashes) == [OUTLOOK]
    below = [sent(number, f"{body}\n\n{quote}\n\n{OUTLOOK}") for number, body in enumerate(BODIES)]
    assert OUTLOOK in texts(below)


def test_html_alone_and_html_that_differs_are_learnt() -> None:
    plain = [sent(number, "", html_text=f"{body}\n\n{OUTLOOK}") for number, body in enumerate(BODIES)]
    assert texts(plain) == [OUTLOOK]
    both = [sent(number, f"{body}\n\n{LEGAL}", html_text=f"{body}\n\n{OUTLOOK}") for number, body in enumerate(BODIES)]
    assert set(texts(both)) == {OUTLOOK, LEGAL}


def test_what_is_forwarded_teaches_nothing() -> None:
    mails = [sent(number, f"{body}\n\n{OUTLOOK}", subject="Fwd: pages") for number, body in enumerate(BODIES)]
    assert texts(mails) == []


SAYING = [
    "ok", "nein", "no", "ja", "edit", "Nein danke", "nur wenn Tom zahlt", "Only if she pays", "Bitte kürzer",
    "please call before", "not yet", "nicht senden", "don't send this", "make it shorter", "Ändere den Preis",
    "later 2d", "später", "mine", "stop", "never", "warum?", "Is that right?", "ich", "but not on Friday",
    "Please consider the environment before printing", "erst nach Zahlung", "schreib ihr freundlicher", "abbrechen",
    "rather not", "lieber nicht", "mache ich selber", "approved", "warte noch", "ohne Rabatt, aber schneller",
]  # fmt: skip


@pytest.mark.parametrize("line", SAYING)
def test_a_block_that_says_something_is_no_signature(line: str) -> None:
    for block in (line, f"Nora Feld\n{line}", f"{line}\n{OUTLOOK}", f"Nora Feld\n{line}\n030 1234567"):
        found = texts(signed(block))
        assert not any(line in text.split("\n") for text in found), found


def test_an_owner_who_is_called_as_an_answer_has_a_signature_too() -> None:
    for first in ("Will", "Gut", "Klar", "Schon", "Sam", "Mai", "Jo"):
        owner = replace(OWNER, name=f"{first} Feld")
        block = f"{first} Feld\nGrafik\nMusterweg 1"
        assert texts(signed(block), owner) == [block]


def test_a_stated_line_that_is_an_answer_is_named() -> None:
    assert answers_in(as_block("Nora Feld\nNein!\n"), OWNER) == ("Nein!",)
    assert answers_in("ok", OWNER) == ("ok",)
    assert answers_in(OUTLOOK, OWNER) == answers_in(LEGAL, OWNER) == ()


@settings(max_examples=60, deadline=None)
@given(st.lists(st.text(max_size=80), max_size=6), st.sampled_from(["en", "de", "pl"]))
def test_total(bodies: list[str], language: str) -> None:
    mails = [sent(number, body, html_text=body[::-1]) for number, body in enumerate(bodies * 3)]
    for signature in learnt(mails, replace(OWNER, language=language)):
        assert signature.text.strip()


# ---------------------------------------------------------------- reading answers

TEXT = """\
Says Wednesday 9:00 suits. Answer by Mon 30 Nov 18:00.
----- answer above this line · 7.1.8f0e1d2c3b4a59687f6e5d4c3b2a1908 -----
To: Tom Reyes <tom@reyes.example>
Subject: Re: New pages
Length: 6 lines, 86 characters

----- draft 7.1 begins -----
Hi Tom,

Wednesday 9:00 suits me. Could you send the list of pages before?

Best,
Nora
----- draft 7.1 ends -----
"""
ASKED = Asked(case=7, version=1, purpose="approval", text=TEXT, sent_at=NOW)
QUOTED = "Am Di., 24. Nov. 2026 um 14:05 Uhr schrieb Deskhand <nora@feld.example>:\n\n" + "\n".join(
    f"> {line}".rstrip() for line in TEXT.splitlines()
)


def answer(words: str, html: str = "") -> Email:
    return Email(
        identity="a", blob="b", senders=(Address(email="nora@feld.example", name="Nora Feld"),),
        to=(Address(email="nora@feld.example"),), text=f"{words}\n\n{QUOTED}\n", html_text=html,
    )  # fmt: skip


@pytest.mark.parametrize("signature", [LEGAL, OUTLOOK, PHONE])
@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ("ok", Approve()),
        ("Ok, danke\n\nViele Grüße\nNora", Approve()),
        ("nein, zu billig", Reject(reason="zu billig")),
        ("mine", Mine()),
        ("bitte kürzer", Revise(wishes="bitte kürzer")),
    ],
)
def test_an_answer_is_read_without_the_signature(signature: str, words: str, decision: object) -> None:
    owner = replace(OWNER, signatures=(PHONE, OUTLOOK, LEGAL))
    assert read(answer(f"{words}\n\n{signature}"), ASKED, owner, NOW) == decision
    both = answer(f"{words}\n\n{signature}", html=f"{words}\n\n{signature}\n\n{QUOTED}")
    assert read(both, ASKED, owner, NOW) == decision


def test_an_edit_keeps_its_own_ending() -> None:
    owner = replace(OWNER, signatures=(OUTLOOK,))
    found = read(answer(f"edit\nHi Tom,\n\nThursday.\n\nBest,\nNora\n\n{OUTLOOK}"), ASKED, owner, NOW)
    assert found == Edit(text="Hi Tom,\n\nThursday.\n\nBest,\nNora\n")


def test_an_order_is_read_without_the_signature() -> None:
    owner = replace(OWNER, signatures=(OUTLOOK,))
    alone = replace(answer(f"status\n\n{OUTLOOK}"), subject="Deskhand")
    for order in ("stop all", "status"):
        found = order_in(answer(f"{order}\n\n{OUTLOOK}"), owner, NOW, ASKED)
        assert found == order_in(answer(order), OWNER, NOW, ASKED)
        assert found is not None
    assert order_in(replace(alone, text=f"status\n\n{OUTLOOK}"), owner, NOW, None) == order_in(
        replace(alone, text="status"), OWNER, NOW, None
    )


WORDS = ["ok", "no", "nein", "ok but shorter", "ok?", "nicht ok", "edit", "later 2d", "mine", "shorter please", "Nora"]
LINES = [*WORDS, *OUTLOOK.split("\n"), LEGAL, "Tel. +49 40 0000000", "if she pays", ""]


@settings(max_examples=400, deadline=None)
@given(st.lists(st.sampled_from(LINES), min_size=1, max_size=6))
def test_a_signature_only_ever_leaves_itself_out(lines: list[str]) -> None:
    words = "\n".join(lines)
    plain = read(answer(words), ASKED, OWNER, NOW)
    found = read(answer(words), ASKED, replace(OWNER, signatures=(OUTLOOK, LEGAL)), NOW)
    if isinstance(found, Approve) and not isinstance(plain, Approve):
        assert OUTLOOK in words or LEGAL in words
        bare = words.replace(OUTLOOK, "").replace(LEGAL, "").strip()
        assert read(answer(bare), ASKED, OWNER, NOW) == Approve()


REFUSED = [
    "no", "nein", "ok?", "ok but shorter", "not ok", "ok, wenn sie zahlt", "ok\nnein", "don't send", "lieber nicht",
    "I'll do it myself", "later", "edit\nHi Tom", "ok " + LEGAL, "ok\nGrafik", "Hi Tom,\nok\nNora", "",
]  # fmt: skip


@pytest.mark.parametrize(("words", "language"), [*product(REFUSED, ("en", "de", "fr", "pl"))])
def test_languages_and_signatures_never_make_a_yes(words: str, language: str) -> None:
    for languages in ((), ("de", "en"), ("fr", "it", "es", "pt", "nl", "pl", "de")):
        for signatures in ((), (OUTLOOK, LEGAL, PHONE)):
            owner = replace(OWNER, language=language, languages=languages, signatures=signatures)
            assert not isinstance(read(answer(words), ASKED, owner, NOW), Approve)
            assert not isinstance(read(answer(f"{words}\n\n{OUTLOOK}"), ASKED, owner, NOW), Approve)


def test_outlooks_signature_as_its_program_writes_it() -> None:
    email = parse_mail((MAILS / "outlook-ok.eml").read_bytes())
    asked = replace(ASKED, text=(MAILS / "asked.txt").read_text("utf-8"))
    owner = replace(OWNER, language="en", signatures=(OUTLOOK,))
    assert read(email, asked, owner, NOW) == Approve()
    assert isinstance(read(replace(email, text=email.text.replace("ok", "ok\nnot yet", 1)), asked, owner, NOW), Unclear | Revise)  # fmt: skip # noqa: E501


def test_a_time_stays_a_time_above_a_signature() -> None:
    found = read(answer(f"später 2t\n\n{PHONE}"), ASKED, replace(OWNER, signatures=(PHONE,)), NOW)
    assert isinstance(found, Later)
