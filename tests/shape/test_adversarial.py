"""No rule takes the square of a stranger's text: each public one, found by introspection, at 20 and at 40 kB."""

import contextlib
import unicodedata
from pathlib import Path
from time import process_time

import pytest

from agents.bid import check
from agents.bid_text import BidWords
from agents.forms import Task
from tests.adversarial import SHAPES, growth, public_rules
from tests.agents.test_bid_agent import lead
from tools.web import markup
from tools.web.client import Response
from tools.web.pages import read_page
from workflows.errors import Permanent
from workflows.rules.text.composed import MOST_MARKS, composed

ROOT = Path(__file__).parents[2]
FEW = (
    "marks in turn", "digits", "blanks and a sign", "blank lines", "quoted lines", "addresses",
    "dotted letters", "list", "half width marks",
)  # fmt: skip


@pytest.mark.parametrize("shape", FEW)
def test_twice_the_text_takes_about_twice_the_time(shape: str) -> None:
    steep = {rule.name: ratio for rule in public_rules() if (ratio := growth(rule, shape, 40_000)) > 2.5}
    assert steep == {}


def test_the_rules_are_found() -> None:
    names = {rule.name for rule in public_rules()}
    assert {"routing.route", "holds.hold_reason", "claims.claims", "lead.lead_of", "words.fold"} <= names
    assert len(names) > 200


def test_text_is_normalized_in_one_place_alone() -> None:
    """`unicodedata.normalize` takes the square of the marks on a letter."""
    folders = ("agents", "memory", "tools", "workers", "workflows")
    using = {
        str(path.relative_to(ROOT))
        for folder in folders
        for path in (ROOT / folder).rglob("*.py")
        if "unicodedata.normalize(" in (text := path.read_text("utf-8")) or "import normalize" in text
    }
    assert using == {"workflows/rules/text/composed.py"}


@pytest.mark.parametrize(
    "text", ["e\u0301\u0323", "Ångström", "ｱﾞ", "\u0f71\u0f72\u0f73", "한국어", "a" + "\u0301" * 30]
)
@pytest.mark.parametrize("form", ["NFC", "NFD", "NFKC", "NFKD"])
def test_what_people_write_is_composed_as_ever(form: str, text: str) -> None:
    assert composed(form, text) == unicodedata.normalize(form, text)  # type: ignore[arg-type]


@pytest.mark.parametrize(
    "marks", ["\u0301", "\u0323\u0301", "\uff9e\u0301", "\u0f73\u0344", "\U0001d165\u0301", "\u0327\u0f75"]
)
def test_a_letter_bears_only_so_many_marks(marks: str) -> None:
    began = process_time()
    text = composed("NFKC", f"a{marks * 100_000}b")
    assert process_time() - began < 2
    assert unicodedata.normalize("NFD", text)[0] == "a"
    assert text.endswith("b")
    assert len(text) <= MOST_MARKS * 3 + 2


# ---------------------------------------------------------------- pages, feeds, a model's words


def page(html: str) -> Response:
    return Response(status=200, url="https://a.example/", headers={"content-type": "text/html"}, content=html.encode())


PAGES = {
    "blanks in a style": lambda size: f'<p style="font-size:{" " * size}x">Words</p>',
    "blanks before a colon": lambda size: f'<p style="display{" " * size}x">Words</p>',
    "noughts in a style": lambda size: f'<p style="opacity:{"0" * size}x">Words</p>',
    "sizes": lambda size: f'<p style="{"font-size: " * (size // 11)}x">Words</p>',
    "comments without end": lambda size: f"<style>{'/*' * (size // 2)}</style><p>Words</p>",
    "rules without end": lambda size: f"<style>{'a{' * (size // 2)}</style><p>Words</p>",
    "media": lambda size: f"<style>{'@media{' * (size // 7)}</style><p>Words</p>",
    "addresses": lambda size: f"<p>{'a@a.' * (size // 4)}</p>",
    "marks": lambda size: f"<p>a{chr(0x301) * (size // 4)}{chr(0x323) * (size // 4)}</p>",
}
FEEDS = {
    "blanks": lambda size: " " * size + "x",
    "declarations": lambda size: "<?xml " * (size // 6),
    "blanks in a declaration": lambda size: "<?xml" + " " * size,
    "comments": lambda size: "<!--" * (size // 4),
    "ampersands": lambda size: f"<a>{'&' * size}</a>",
    "CDATA": lambda size: "<![CDATA[" * (size // 9),
}


def seconds(html: str) -> float:
    began = process_time()
    read_page(page(html))
    return process_time() - began


@pytest.mark.parametrize("name", PAGES)
def test_a_page_takes_no_square_of_its_text(name: str) -> None:
    assert "Words" in read_page(page(PAGES[name](10))).text or name in {"addresses", "marks"}
    assert min(seconds(PAGES[name](400_000)) for _ in range(2)) < 2


@pytest.mark.parametrize("name", FEEDS)
def test_a_feed_takes_no_square_of_its_text(name: str) -> None:
    began = process_time()
    with contextlib.suppress(Permanent):
        markup.parse_xml(FEEDS[name](1_000_000).encode())
    assert process_time() - began < 2


@pytest.mark.parametrize("piece", ["1", "1,", "1 ", "€", "- a\n", "I built it. "])
def test_the_length_of_a_models_words_is_looked_at_first(piece: str) -> None:
    text = piece * (200_000 // len(piece))
    began = process_time()
    faults = check(BidWords(opening=text, fit=text, plan=text, answers=[]), Task(brief=lead(), version=1))
    assert process_time() - began < 2
    assert {fault.rule for fault in faults} == {"length"}


def test_every_shape_is_about_as_long_as_it_is_asked_to_be() -> None:
    assert all(9_000 <= len(make(10_000).encode()) <= 10_100 for make in SHAPES.values())
