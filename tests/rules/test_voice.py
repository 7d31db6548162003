"""What the desk says to its owner: in the owner's language, whole, with the same facts and with words that it reads."""

import re
import tomllib
from collections.abc import Iterator
from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from tests.ledgers import NOON, OWNER
from workers.voice import desk_texts
from workflows.models.case import CaseState
from workflows.models.decisions import Revise, Unclear
from workflows.models.mail import Address, Email
from workflows.models.orders import NotUnderstood, Pause
from workflows.models.people import Owner
from workflows.rules.answers import decisions, unclear
from workflows.rules.answers.orders import parse_order
from workflows.rules.orders.lists import example_in, in_words
from workflows.rules.orders.row import HelpLine, OrderRow
from workflows.rules.orders.rows import ROWS, row_of, subject_of
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import FOLDER, filled
from workflows.rules.text.speech import figure, say, say_count

LANGUAGES = ("de", "es", "fr", "it", "nl", "pl", "pt")
FILES = {path.stem: tomllib.loads(path.read_text("utf-8")) for path in FOLDER.glob("*.toml")}
ENGLISH: dict[str, dict[str, str]] = FILES["en"]["voice"]
SENTENCES = [(section, key) for section, sentences in ENGLISH.items() for key in sentences]
SAMPLES = {"words": "Acme", "name": "Acme", "kind": "reply", "case": "41"}
WRITTEN = [(row, line) for row in ROWS for line in row.help]
ALIKE = {"subject", "subject_stopped", "is_state"}
"""Keys whose few words may be those of English ("Status: {waits}")."""


def owner(language: str) -> Owner:
    return replace(OWNER, language=language)


def said(language: str, section: str, key: str) -> str:
    return str(FILES[language]["voice"][section][key])


def places(text: str) -> set[str]:
    return set(re.findall(r"\{(\w+)\}", text))


def key_of(value: Any) -> str:
    return {OrderRow: lambda: value.key, HelpLine: lambda: value.example}.get(type(value), lambda: str(value))()


# ---------------------------------------------------------------- the files


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_sentence_holds_the_facts_of_the_english_one(language: str) -> None:
    for section, key in SENTENCES:
        assert places(said(language, section, key)) == places(ENGLISH[section][key]), (section, key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_number_has_its_form(language: str) -> None:
    few = bool(FILES[language]["numbers"]["few"])
    counted = {key for _, key in SENTENCES if key.endswith("_many")}
    forms = {
        key: text
        for section in FILES[language]["voice"].values()
        for key, text in section.items()
        if key.endswith("_few")
    }
    assert {f"{key.removesuffix('_few')}_many" for key in forms} == (counted if few else set())


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_order_is_told_of(language: str) -> None:
    told = FILES[language]["voice"]["orders"]
    lines = {f"{row.key}_does_{number}" for row in ROWS for number in range(1, len(row.help) + 1)}
    ends = {f"{row.key}_{end}" for row in ROWS for end, text in zip(("done", "not"), row.subject, strict=True) if text}
    assert set(told) == lines | ends


@pytest.mark.parametrize("language", LANGUAGES)
def test_no_sentence_is_left_in_english(language: str) -> None:
    for section, sentences in FILES[language]["voice"].items():
        for key, text in sentences.items():
            assert not is_english(text), (section, key)
            english = ENGLISH.get(section, {}).get(key)
            assert english != text or key in ALIKE or len(text.split()) == 1, (section, key)


def is_english(text: str) -> bool:
    """Whether a sentence surely is: two or three words may be those of another language as well."""
    plain = re.sub(r"\{\w+\}", "", without_quotes(text))
    return len(plain.split()) > 4 and language_of(plain) == "en"


def without_quotes(text: str) -> str:
    """Without what may be typed, and without commands of the machine."""
    return re.sub(r"'[^']*deskhand[^']*'|\./deskhand [a-z -]*|\"[^\"]*\"", "", text)


# ---------------------------------------------------------------- words that may be typed


def meanings(language: str, text: str) -> set[str]:
    """What the quoted words of a sentence mean as an order, else as an answer; what means neither is not listed."""
    kinds = set()
    for quote in re.findall(r"""(?<!\w)(?:"([^"]+)"|'([^']+)')(?!\w)""", text):
        words = filled("".join(quote), **SAMPLES)
        if "deskhand" in words or not re.search(r"\w", re.sub(r"\{\w+\}", "", "".join(quote))):
            continue
        order = parse_order(words, owner(language), NOON)
        answer = decisions.parse(words, owner(language), NOON)
        if not isinstance(order, NotUnderstood):
            kinds.add(type(order).__name__)
        elif not isinstance(answer, Unclear | Revise):
            kinds.add(type(answer).__name__)
    return kinds


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("section", ENGLISH)
def test_what_is_shown_to_be_typed_is_read(section: str, language: str) -> None:
    for key, english in ENGLISH[section].items():
        assert meanings(language, said(language, section, key)) == meanings("en", english), key


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("key", ["unknown", "one_line_examples"])
def test_the_examples_of_orders_are_orders(key: str, language: str) -> None:
    english, translated = (
        [type(parse_order(line, owner(code), NOON)) for line in examples(said(code, "hints", key))]
        for code in ("en", language)
    )
    assert NotUnderstood not in english
    assert translated == english


def examples(sentence: str) -> list[str]:
    return sentence.rpartition(":")[2].strip(" .").split(", ")


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize(("row", "line"), WRITTEN, ids=key_of)
def test_an_example_of_the_help_is_that_order(row: OrderRow, line: HelpLine, language: str) -> None:
    order = parse_order(example_in(row, line, language), owner(language), NOON)
    assert order == parse_order(line.example, OWNER, NOON)
    if row.changes:
        assert parse_order(in_words(order, owner(language)), owner(language), NOON) == order


# ---------------------------------------------------------------- what is sent

MAIL = Email(
    identity="i", blob="b", subject="deskhand pause Acme", senders=(Address(email=OWNER.address),), date=NOON,
    to=(Address(email=OWNER.address),),
)  # fmt: skip
STATE = CaseState(case=41, kind="reply", version=3, asked_again=6, approved_at=NOON, said='"ok" 41.3')
CASE = {"case": 41, "version": 2, "title": "Kick-off", "expires_at": NOON.isoformat(), "stage": "sending", "reason": ""}
SEND = {"purpose": "client", "case": 41, "version": 2, "to": ["maria@studio.example"], "state": "claimed", "detail": ""}
FACTS: dict[str, Any] = {
    "waiting": [CASE] * 31, "needs_you": [CASE], "working": [CASE], "placed": [CASE], "held": [SEND],
    "unsettled": [SEND], "failed": [SEND], "held_clients": [{"client": "Maria", "reason": "x"}],
    "not_chased": [{"client": "Maria", "invoice": "2026-014", "reason": "x"}],
    "paused": [{"client": "Acme", "mails": 3}], "stopped": NOON.isoformat(), "away_until": NOON + timedelta(days=3),
    "ignored": {"by_rule": {"bulk": 1_250}}, "undelivered": 5,
}  # fmt: skip
NONE: dict[str, Any] = {key: type(value)() if isinstance(value, list) else 0 for key, value in FACTS.items()}
QUIET = NONE | {"ignored": {"by_rule": {}}, "stopped": "", "away_until": None}


def mails(language: str) -> Iterator[str]:
    """Every text that a voice function of the desk makes, in one language."""
    person = owner(language)
    yield desk_texts.help_text(language)
    yield desk_texts.status(FACTS, {}, person)
    yield desk_texts.status(QUIET, {}, person)
    yield desk_texts.ignored([], person)
    yield desk_texts.not_asked(person)
    yield desk_texts.cause(MAIL, None, person)
    for pair in (
        desk_texts.ask_back("x", MAIL, NOON, person),
        desk_texts.too_late("x", person),
        desk_texts.dropped("x", person),
        desk_texts.already_done("x", person),
        desk_texts.not_carried_out("", person),
        desk_texts.not_by_mail("x", person),
        desk_texts.no_case(41, person),
    ):
        yield "\n".join(pair)
    for words in ("???", "", "ok?", "edit"):
        answer = decisions.parse(words, person, NOON)
        assert isinstance(answer, Unclear)
        yield unclear.shown_again(answer.question, replace(STATE, language=language), 7)
    for words in ("gibberish", "pause", "away until", "paid", "promised", "fix", "won", "chase"):
        order = parse_order(words, person, NOON)
        assert isinstance(order, NotUnderstood)
        yield order.hint


def sentences(text: str) -> list[str]:
    return re.split(r"(?<=[.;:?!])\s+|\n+", without_quotes(text))


@pytest.mark.parametrize("language", LANGUAGES)
def test_a_mail_is_in_the_owners_language_to_its_last_sentence(language: str) -> None:
    for text in mails(language):
        assert language_of(without_quotes(text)) != "en", text
        assert [sentence for sentence in sentences(text) if is_english(sentence)] == []
        assert not places(text)
    assert language_of(without_quotes(desk_texts.help_text(language))) == language


def test_the_english_mails_are_english() -> None:
    assert {language_of(without_quotes(text)) for text in mails("en")} <= {"en", ""}
    assert language_of(without_quotes(desk_texts.help_text("en"))) == "en"
    assert any(is_english(sentence) for text in mails("en") for sentence in sentences(text))


@pytest.mark.parametrize("language", LANGUAGES)
@pytest.mark.parametrize("row", [row for row in ROWS if row.subject[0]], ids=key_of)
def test_the_subject_of_a_notice_is_not_the_english_one(row: OrderRow, language: str) -> None:
    assert subject_of(row.order(**{**samples(row), **row.fixed}), language, done=True) != row.subject[0]


def samples(row: OrderRow) -> dict[str, Any]:
    order = parse_order(row.help[0].example, OWNER, NOON)
    assert row_of(order) is row
    return {name: getattr(order, name) for name in order.__dataclass_fields__ if name != "kind"}


@pytest.mark.parametrize(
    ("language", "count", "words"),
    [
        ("pl", 1, "1 sprawa czeka na Ciebie"),
        ("pl", 2, "2 sprawy czekają na Ciebie"),
        ("pl", 5, "5 spraw czeka na Ciebie"),
        ("pl", 12, "12 spraw czeka na Ciebie"),
        ("pl", 22, "22 sprawy czekają na Ciebie"),
        ("pl", 21, "21 spraw czeka na Ciebie"),
        ("fr", 1, "1 dossier vous attend"),
        ("fr", 2, "2 dossiers vous attendent"),
        ("de", 2, "2 warten auf Sie"),
        ("en", 1, "1 waits for you"),
    ],
)
def test_a_number_takes_its_form(language: str, count: int, words: str) -> None:
    assert say_count(language, "status.waits", count) == words


@pytest.mark.parametrize(
    ("language", "written"), [("en", "1,250"), ("de", "1.250"), ("fr", "1\u00a0250"), ("pl", "1\u00a0250")]
)
def test_a_number_is_written_as_the_language_does(language: str, written: str) -> None:
    assert figure(1_250, language) == written
    assert written in desk_texts.status(FACTS, {}, owner(language))


def test_english_words_are_read_whatever_the_owners_language() -> None:
    for language in LANGUAGES:
        assert parse_order("pause Acme", owner(language), NOON) == Pause(client="Acme")


def test_what_a_sentence_holds_is_never_a_place_of_its_own() -> None:
    assert say("en", "asked.subject", words="{words} {until}") == 'Is this from you: "{words} {until}"?'
