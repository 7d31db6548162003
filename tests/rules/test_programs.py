"""Every quoting style understood and every edit exact; owners whose names are words of a wish (promise A2)."""

import pytest

from tests.answer_programs import HELD_BACK, PAGES, PROGRAMS
from tests.answer_styles import STYLES, Reply
from tests.rules.test_typed import BODY, decide, question
from tools.mail.mime import parse as parse_mail
from workflows.models.decisions import Approve, Edit, Reject, Unclear
from workflows.rules.asking.approval import extract_draft
from workflows.rules.quoted.typed import typed

LETTER = "Hi Maria,\n\nFriday 9:00 suits me better:\n- the brief\n- the logo\n\nBest\nAda\n"


def test_there_are_sixty_and_a_third_is_held_back() -> None:
    assert len(PROGRAMS) + len(STYLES) >= 60
    assert len(HELD_BACK) * 3 >= len(PROGRAMS)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("place", ["top", "bottom", "inline"])
def test_a_yes_and_a_no_are_understood(name: str, place: str) -> None:
    text = question()
    for words, expected in (("ok", Approve()), ("no, too early", Reject(reason="too early"))):
        raw = PROGRAMS[name](Reply(words, text, place=place))
        assert decide(raw, text) == expected, typed(parse_mail(raw), text)


@pytest.mark.parametrize("name", PROGRAMS)
@pytest.mark.parametrize("place", ["top", "bottom"])
def test_an_edit_is_exact(name: str, place: str) -> None:
    text = question()
    raw = PROGRAMS[name](Reply(f"edit!\n{LETTER}".rstrip("\n"), text, place=place))
    decision = decide(raw, text)
    assert isinstance(decision, Edit), typed(parse_mail(raw), text)
    assert (decision.text, decision.send) == (LETTER, True)


@pytest.mark.parametrize("name", PROGRAMS)
def test_an_edit_inside_the_quote(name: str) -> None:
    text = question()
    edited = text.replace("Thursday 10:00 works for me.", "Friday 11:00 works best for me, since I am away before.")
    decision = decide(PROGRAMS[name](Reply("", text, quote=edited)), text)
    assert decision == Edit(text=extract_draft(edited) or "")
    assert isinstance(decide(PROGRAMS[name](Reply("ok", text, quote=edited)), text), Unclear)


def test_pasted_lines_of_the_draft_are_the_owners() -> None:
    text, letter = question(), BODY.replace("Thursday", "Friday")
    for name in ("gmail_da", "orange", "groupwise", *PAGES):
        decision = decide(PROGRAMS[name](Reply(f"edit!\n{letter}".rstrip("\n"), text)), text)
        assert isinstance(decision, Edit)
        assert decision.text == letter, name
