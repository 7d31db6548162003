"""Files and proposals that an answer names: "attach brief.pdf", "ok, without booking", in every language."""

from dataclasses import replace
from datetime import UTC, datetime

import pytest

from tests.rules.test_approval_mail import QUESTION
from workflows.models.decisions import Approve, Attach, Decision, Edit, Reject, Revise, Unclear, Without
from workflows.models.mail import Attachment, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import parse, read
from workflows.rules.answers.grammar import grammar_of
from workflows.rules.answers.parts import pieces, struck_names

NOW = datetime(2026, 11, 24, 14, 5, tzinfo=UTC)
ASKED = Asked(case=41, version=1, purpose="approval", text="Gist.\n", sent_at=NOW)
BRIEF = Attachment(name="brief.pdf", size=9, sha256="1" * 64, content_type="application/pdf")
PRICES = Attachment(name="prices 2026.pdf", size=9, sha256="2" * 64, content_type="application/pdf")


def owner(language: str = "en") -> Owner:
    return Owner(name="Ada Winter", address="ada@winter.example", language=language)


def said(words: str, language: str = "en") -> Decision:
    return parse(words, owner(language), NOW)


@pytest.mark.parametrize(
    ("language", "words", "files"),
    [
        ("en", "attach brief.pdf", "brief.pdf"),
        ("en", "Attach: brief.pdf", "brief.pdf"),
        ("en", "please attach brief.pdf and prices 2026.pdf", "brief.pdf and prices 2026.pdf"),
        ("en", "attach the price list, please", "the price list"),
        ("de", "hänge brief.pdf an", "brief.pdf"),
        ("de", "brief.pdf anhängen", "brief.pdf"),
        ("de", "attach brief.pdf", "brief.pdf"),
        ("es", "adjunta brief.pdf", "brief.pdf"),
        ("fr", "joindre brief.pdf", "brief.pdf"),
        ("it", "allega brief.pdf", "brief.pdf"),
        ("nl", "voeg brief.pdf bij", "brief.pdf"),
        ("pl", "załącz brief.pdf", "brief.pdf"),
        ("pt", "anexa brief.pdf", "brief.pdf"),
    ],
)
def test_files_are_named_by_a_verb(language: str, words: str, files: str) -> None:
    assert said(words, language) == Attach(words=files)
    assert said(f"{words}\n\nAda", language) == Attach(words=files)


@pytest.mark.parametrize(
    ("language", "words", "parts", "send"),
    [
        ("en", "ok, without booking", "booking", True),
        ("en", "OK without brief.pdf", "brief.pdf", True),
        ("en", "send it, but without the file", "the file", True),
        ("en", "without brief.pdf", "brief.pdf", False),
        ("de", "ok ohne Termin", "Termin", True),
        ("de", "ja, aber ohne brief.pdf", "brief.pdf", True),
        ("es", "sí, sin brief.pdf", "brief.pdf", True),
        ("fr", "oui, sans le rendez-vous", "le rendez-vous", True),
        ("it", "ok, senza brief.pdf", "brief.pdf", True),
        ("nl", "ok zonder bijlage", "bijlage", True),
        ("pl", "ok, bez brief.pdf", "brief.pdf", True),
        ("pt", "ok, sem brief.pdf", "brief.pdf", True),
    ],
)
def test_what_is_struck_out_is_less_than_was_shown(language: str, words: str, parts: str, send: bool) -> None:
    decision = said(words, language)
    assert isinstance(decision, Without)
    assert (decision.parts, decision.send) == (parts, send)


@pytest.mark.parametrize(
    "words",
    [
        "ok without brief.pdf?", "ok, make it shorter without brief.pdf", "no, without brief.pdf",
        "ok if without brief.pdf",
        "ok, without brief.pdf\nand call her", "maybe without booking", "not ok without brief.pdf",
    ],
)  # fmt: skip
def test_what_is_not_surely_a_yes_to_less_is_none(words: str) -> None:
    decision = said(words)
    assert not isinstance(decision, Approve)
    assert not (isinstance(decision, Without) and decision.send)


@pytest.mark.parametrize(
    ("parts", "names"),
    [
        ("brief.pdf", ("brief.pdf",)),
        ("the brief", ("brief.pdf",)),
        ("brief.pdf and prices 2026.pdf", ("brief.pdf", "prices 2026.pdf")),
        ("files", ("brief.pdf", "prices 2026.pdf")),
        ("the last paragraph", ()),
        ("brief.pdf and the last paragraph", ()),
        ("", ()),
    ],
)
def test_the_parts_are_those_of_the_version(parts: str, names: tuple[str, ...]) -> None:
    outgoing = replace(QUESTION.outgoing, attachments=(BRIEF, PRICES))
    assert struck_names(parts, outgoing, grammar_of(owner())) == names


def test_pieces_are_parted_by_commas_and_by_and() -> None:
    assert pieces("brief.pdf, logo.zip and the sand.pdf") == ("brief.pdf", "logo.zip", "the sand.pdf")


@pytest.mark.parametrize(
    ("words", "decision"),
    [
        ("ok", Attach(files=(BRIEF,))),
        ("", Attach(files=(BRIEF,))),
        ("attach prices.pdf", Attach(words="prices.pdf", files=(BRIEF,))),
        ("no", Reject()),
        ("make it shorter please", Revise(wishes="make it shorter please", files=(BRIEF,))),
    ],
)
def test_a_file_that_lies_with_an_answer_is_shown_first(words: str, decision: Decision) -> None:
    email = Email(identity="i", blob="b", text=words, attachments=(BRIEF,))
    assert read(email, ASKED, owner(), NOW) == decision


def test_an_edit_with_a_file_never_sends_at_once() -> None:
    email = Email(identity="i", blob="b", text="edit!\nThursday works for me, see the file.", attachments=(BRIEF,))
    decision = read(email, ASKED, owner(), NOW)
    assert isinstance(decision, Edit)
    assert (decision.send, decision.letter, decision.files) == (False, True, (BRIEF,))


@pytest.mark.parametrize(
    ("name", "kind", "size"),
    [
        ("image001.png", "image/png", 4_000),
        ("smime.p7s", "application/pkcs7-signature", 4_000),
        ("signature.asc", "application/pgp-signature", 800),
        ("ada.vcf", "text/vcard", 300),
        ("OpenPGP_0xAB.asc", "application/pgp-keys", 3_000),
        ("photo.png", "image/png", 900_000),
    ],
)
def test_what_a_mail_program_adds_is_no_file_to_send(name: str, kind: str, size: int) -> None:
    file = Attachment(name=name, size=size, sha256="3" * 64, content_type=kind)
    assert read(Email(identity="i", blob="b", text="ok", attachments=(file,)), ASKED, owner(), NOW) == Approve()


def test_a_changed_quote_or_a_differing_html_part_is_no_yes_to_less() -> None:
    assert isinstance(parse("ok, without brief.pdf", owner(), NOW, altered=True), Unclear)
    assert isinstance(parse("ok, without brief.pdf", owner(), NOW, html_words="no, without brief.pdf"), Unclear)
