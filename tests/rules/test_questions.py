"""The questions of a client's mail and what each is about: a labelled set, and what must not be taken for one."""

import tomllib
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from workflows.models.desk import ClientQuestion, Topic
from workflows.rules.desk.questions import MOST, asks_for_document, comes_back, questions, subjects_of
from workflows.rules.text.languages import languages

SET = Path(__file__).parents[1] / "data" / "desk" / "questions.toml"
MAILS: list[dict[str, Any]] = tomllib.loads(SET.read_text(encoding="utf-8"))["mail"]
ENOUGH = 0.95


def test_the_topics_of_a_labelled_set_are_read() -> None:
    wrong = {}
    for mail in MAILS:
        read = [asked.topic.value for asked in questions(mail["text"], mail["language"], "Hello")]
        if read != mail["topics"]:
            wrong[mail["text"]] = read
    assert len(MAILS) >= 120
    assert len(wrong) <= len(MAILS) * (1 - ENOUGH), wrong


@pytest.mark.parametrize(
    ("text", "language"),
    [
        ("Hi Ada, how are you? I hope you are well.", "en"),
        ("Thank you very much, that was quick.", "en"),
        ("Wie geht es Ihnen? Vielen Dank für die schnelle Antwort.", "de"),
        ("Comment allez-vous ? Merci pour tout.", "fr"),
        ("¿Qué tal? Muchas gracias por todo.", "es"),
        ("> Did you get our payment?\nYes, that is settled.", "en"),
        ("", "en"),
    ],
)
def test_politeness_and_quotes_are_no_questions(text: str, language: str) -> None:
    assert questions(text, language) == ()


def test_each_part_of_one_sentence_is_a_question_of_its_own() -> None:
    asked = questions("Does Thursday 10:00 work, and could you send the brief template?", "en")
    assert asked == (
        ClientQuestion(text="Does Thursday 10:00 work", topic=Topic.TIME),
        ClientQuestion(text="could you send the brief template?", topic=Topic.FILE),
    )


@pytest.mark.parametrize(
    "text",
    [
        "Can we pay the invoice in two instalments?",
        "Could you correct the address on invoice 2026-014?",
        "Would you grant us a discount on the bill?",
        "What is your IBAN?",
    ],
)
def test_what_the_ledger_cannot_answer_about_money_is_no_money_question(text: str) -> None:
    assert [asked.topic for asked in questions(text, "en")] == [Topic.OTHER]


def test_the_subject_lends_its_matter() -> None:
    (asked,) = questions("Could you resend it, please?", "en", "Invoice 2026-014")
    assert asked.topic is Topic.MONEY
    assert asks_for_document(asked.text, "en")


def test_a_sentence_that_only_puts_off_is_known() -> None:
    assert comes_back("On the price I will come back to you shortly.", "en")
    assert not comes_back("The price is 900 EUR.", "en")
    assert subjects_of("Price list", "en") == {"price"}


@given(st.text(max_size=400), st.sampled_from(languages("questions")))
def test_no_text_raises(text: str, language: str) -> None:
    assert len(questions(text, language, text[:40])) <= MOST
