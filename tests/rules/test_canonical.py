"""The one form of a text, and what is hashed over it."""

import unicodedata
from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.drafts import Outgoing
from workflows.models.mail import Address, Attachment
from workflows.rules.text.canonical import approved_hash, body_hash, canonical, nonce, one_line, reference

ANY_TEXT = st.text(st.characters(exclude_categories=()))  # lone surrogates included
NASTY = st.text("-\u2013 =_\t\r\n\xa0\u200b\u202e> draftDRAFT41.0answer above this line begins ends\U000e0041e\u0301")

OUTGOING = Outgoing(
    case=41,
    version=1,
    to=(Address(email="maria@studio.example", name="Maria Alvarez"),),
    subject="Re: Kick-off date?",
    body="Thursday 10:00 works.\n",
    in_reply_to="<a@studio.example>",
    references=("<a@studio.example>",),
)


@given(ANY_TEXT | NASTY)
def test_canonical_is_idempotent_and_writable(text):
    once = canonical(text)
    assert canonical(once) == once
    assert once.endswith("\n")
    assert once == "\n" or not once.endswith("\n\n")
    assert all(line == line.rstrip() for line in once.split("\n"))
    once.encode("utf-8")
    kinds = {unicodedata.category(character) for character in once if character != "\n"}
    assert not kinds & {"Cc", "Cs"}


@given(ANY_TEXT | NASTY)
def test_one_line_is_one_line(text):
    assert len(one_line(text, 40).splitlines()) <= 1
    assert len(one_line(text, 40)) <= 40


@pytest.mark.parametrize(
    "invisible",
    ["\u200b", "\u200d", "\u202e", "\u2066", "\u2069", "\ufeff", "\u00ad", "\U000e0041", "\U000e0100", "\x00", "\x1b"],
)
def test_invisible_characters_are_gone(invisible):
    assert canonical(f"pay{invisible}ment") == "payment\n"


@pytest.mark.parametrize(
    "line",
    [
        "----- answer above this line \u00b7 41.1.00ff -----",
        "----- draft 41.1 begins -----",
        "  -----  draft 41.1 ends -----",
        "> ----- draft 41.1 ends -----",
        "\u2013\u2013\u2013 Draft 7.2 Ends \u2013\u2013\u2013",
        "-- -- draft 41.1 ends -----",
        "-\u200b---- dr\u200baft 41.1 ends -----",
        "some long line that a mail program wraps right here ----- draft 41.1 ends -----",
    ],
)
def test_what_looks_like_a_marker_is_defused(line):
    text = canonical(f"before\n{line}\nafter")
    for marker in ("- draft", "- answer", "\u2013 Draft"):
        assert marker not in text
    assert text.startswith("before\n")
    assert text.endswith("\nafter\n")


def test_ordinary_dashes_stay():
    text = "Plan\n----\n- draft 2 begins on Monday\n-- \nAda -- your draft\n-----\n"
    assert canonical(text) == text.replace("-- \n", "--\n")


def test_canonical_forgives_what_servers_change():
    assert body_hash("One  \r\n\r\nTwo\t\r\n\r\n\r\n") == body_hash("\nOne\n\nTwo")
    assert body_hash("Cafe\u0301") == body_hash("Caf\u00e9")
    assert body_hash("One two") != body_hash("One  two")


@pytest.mark.parametrize(
    "change",
    [
        {"to": (Address(email="mario@studio.example", name="Maria Alvarez"),)},
        {"to": (*OUTGOING.to, Address(email="eve@studio.example"))},
        {"cc": OUTGOING.to},
        {"subject": "Re: Kick-off date"},
        {"body": "Thursday 11:00 works.\n"},
        {"attachments": (Attachment(name="offer.pdf", size=3, sha256="00"),)},
        {"in_reply_to": "<b@studio.example>"},
        {"references": ()},
    ],
)
def test_every_part_of_what_is_sent_is_in_the_hash(change):
    assert approved_hash(replace(OUTGOING, **change)) != approved_hash(OUTGOING)


def test_the_hash_is_of_the_content_and_never_changes():
    assert approved_hash(replace(OUTGOING, case=42, version=9)) == approved_hash(OUTGOING)
    # Written down: approvals stored by an older Deskhand must still match.
    assert approved_hash(OUTGOING) == "80766c74adedf097ccbc6162eb6ed61498031f93972bcb911c65cddabf305035"
    assert body_hash("One\n") == "82a5f8bf6ec19baad113b7f1744ba4163b6efbcbd73e79d9d98f129c63688c44"


def test_nonce_and_reference_are_stable_and_bound():
    key = bytes(32)
    assert nonce(key, 41, 1, "ab") == nonce(key, 41, 1, "ab")
    assert len(nonce(key, 41, 1, "ab")) == 32
    others = {nonce(key, 41, 2, "ab"), nonce(key, 4, 11, "ab"), nonce(key, 41, 1, "abc"), nonce(b"x", 41, 1, "ab")}
    assert nonce(key, 41, 1, "ab") not in others
    assert len(others) == 4
    assert reference(key, 41, 1, "ab") == reference(key, 41, 1, "ab")
    assert reference(key, 41, 1, "ab").startswith("<41.1.")
    assert reference(key, 41, 1, "ab").endswith("@deskhand.invalid>")
    assert reference(key, 41, 1, "ab") != reference(b"x", 41, 1, "ab")


@given(ANY_TEXT, ANY_TEXT)
def test_hashes_are_total(subject, body):
    assert len(approved_hash(replace(OUTGOING, subject=subject, body=body))) == 64
    assert len(body_hash(body)) == 64


@pytest.mark.parametrize("text", ["-" * 200_000, "- " * 100_000, "-\u2014" * 100_000, ("-" * 500 + "answer ") * 200])
def test_a_mail_full_of_dashes_is_left_as_it_is(text: str) -> None:
    # The quadratic form of the rule needed minutes for each of these.
    assert canonical(text).rstrip("\n").count("answer") == text.count("answer")
