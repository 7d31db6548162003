"""The table of orders: every order has its row, its words in each language, its effect; all that is told is from it."""

import re
from dataclasses import MISSING, fields
from pathlib import Path
from typing import Any, get_args

import pytest

from tests import orders as pages
from tests.ledgers import NOON, OWNER, House
from workers.voice import desk_texts
from workflows.models.mail import Address, Email
from workflows.models.orders import Carried, Change, Confirm, Ended, Fix, Order
from workflows.models.routes import Asked
from workflows.rules.answers.orders import is_asked_back, order_in, parse_order
from workflows.rules.orders.lists import in_words
from workflows.rules.orders.row import HelpLine, OrderRow
from workflows.rules.orders.rows import BY_KEY, ROWS, row_of
from workflows.rules.orders.words import head, phrases, words_of

LANGUAGES = ("en", "de", "fr", "es", "pt", "it", "nl", "pl")
WRITTEN = [(row, line) for row in ROWS for line in row.help]
CHANGING = [(row, line) for row, line in WRITTEN if row.order in get_args(Change)]
TYPED = [row for row in ROWS if row.command]


def key(value: Any) -> str:
    return {OrderRow: lambda: value.key, HelpLine: lambda: value.example}.get(type(value), lambda: None)()


def read(line: HelpLine) -> Any:
    return parse_order(line.example, OWNER, NOON)


# ---------------------------------------------------------------- a row for each, and all of it


def test_every_order_has_a_row() -> None:
    """But the word on an order that was asked back: it is read like every other yes and no."""
    assert {row.order for row in ROWS} == set(get_args(Order)) - {Confirm}
    results = set(get_args(Ended.__annotations__["result"]))
    assert {row.fixed["result"] for row in ROWS if row.order is Ended} == results


def test_no_two_rows_share_a_key() -> None:
    assert sorted(BY_KEY) == sorted(key for row in ROWS for key in (row.key, row.alone) if key)


@pytest.mark.parametrize("language", LANGUAGES)
def test_every_row_has_words_in_each_language_and_no_word_lacks_a_row(language: str) -> None:
    assert set(words_of(language)) == set(BY_KEY)
    assert [key for key, words in words_of(language).items() if not words] == []


@pytest.mark.parametrize("row", ROWS, ids=key)
def test_a_row_is_whole(row: OrderRow) -> None:
    """An order that changes something can be given at the machine, and how it ended is told."""
    assert row.help or row.key == "not_by_mail"
    if row.order in {*get_args(Change), Fix}:
        assert row.command
        assert row.subject[1]
        assert row.subject[0] or row.order is Fix  # the draft of the correction is the answer
        assert row.changes or row.key == "stop"


@pytest.mark.parametrize("row", TYPED, ids=key)
def test_what_is_typed_at_the_machine_fills_the_value(row: OrderRow) -> None:
    parts = {part.name: part for part in fields(row.order)}
    filled = {argument.field or argument.name for argument in row.arguments} | set(row.fixed)
    assert filled <= set(parts)
    must = {name for name, part in parts.items() if part.default is MISSING and part.default_factory is MISSING}
    assert must <= {one.field or one.name for one in row.arguments if not one.optional} | set(row.fixed)
    assert all(argument.say for argument in row.arguments if argument.means == "time")


# ---------------------------------------------------------------- by mail


@pytest.mark.parametrize(("row", "line"), WRITTEN, ids=key)
def test_what_the_help_says_is_read_as_that_order(row: OrderRow, line: HelpLine) -> None:
    order = read(line)
    assert row_of(order) is row
    mail = Email(identity="i", blob="b", subject=f"deskhand {line.example}", senders=(Address(email=OWNER.address),))
    assert order_in(mail, OWNER, NOON, None) == order
    assert is_asked_back(order, None) == row.changes
    answered = Asked(case=0, version=0, purpose="notice", text="", sent_at=NOON)
    assert not is_asked_back(order, answered)
    assert order_in(Email(identity="i", blob="b", text=line.example), OWNER, NOON, answered) == order


@pytest.mark.parametrize(("row", "line"), [pair for pair in WRITTEN if pair[0].changes], ids=key)
def test_an_order_in_words_is_that_order(row: OrderRow, line: HelpLine) -> None:
    assert parse_order(in_words(read(line), OWNER), OWNER, NOON) == read(line)


@pytest.mark.parametrize("row", ROWS, ids=key)
def test_a_question_mark_makes_doubtful_what_changes_something(row: OrderRow) -> None:
    for line in row.help:
        order = parse_order(f"{line.example}?", OWNER, NOON)
        assert (row_of(order) is None) == row.changes


def test_a_language_without_words_of_its_own_leaves_english() -> None:
    assert words_of("sv") == words_of("en")
    assert phrases(("sv", "en")) == phrases(("en",))
    assert head("status", ("sv", "en")) == ("status", "status", "")
    assert head("alles stoppen", ("sv", "de", "en"))[0] == "stop"


# ---------------------------------------------------------------- its effect


@pytest.mark.parametrize(("row", "line"), CHANGING, ids=key)
def test_every_order_that_changes_something_is_carried_out(row: OrderRow, line: HelpLine, tmp_path: Path) -> None:
    done = House(tmp_path / "home").ledger.carry_out("k", read(line), NOON)
    assert isinstance(done, Carried)
    assert done.says.endswith(".")


# ---------------------------------------------------------------- what is told


def test_the_help_lists_every_line() -> None:
    listed = re.findall(r"^(\S+(?: \S+)*) {2,}(\S.*)$", desk_texts.help_text("en"), re.MULTILINE)
    assert listed == [(line.example, line.does) for _, line in WRITTEN]
    at_once = desk_texts.help_text("en").partition(" are done at once")[0].partition('("deskhand status"): ')[2]
    assert set(re.findall('"(.*?)"', at_once)) == {row.name for row in ROWS if row.help and not row.changes}


@pytest.mark.parametrize("name", pages.BLOCKS)
def test_the_pages_have_the_tables_of_the_rows(name: str) -> None:
    text = (pages.DOCS / name).read_text("utf-8")
    assert pages.page(name, text) == text, "Renew it: .venv/bin/python -m tests.orders"
    told = {"commands.md": [row.command.usage for row in TYPED], "approval.md": [line.example for _, line in WRITTEN]}
    assert [one for one in told[name] if f"\n| `{one}` | " not in text] == []
