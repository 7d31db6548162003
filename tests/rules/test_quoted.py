"""Answers that were misread once: what was typed is never lost in a frame, a signature or a strike (promise A2)."""

# ruff: noqa: E501 - tables of what people and programs write

from datetime import datetime
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.answer_programs import PROGRAMS
from tests.answer_styles import STYLES, Reply, as_html, bare, both, mail, marked
from tests.injected import all_injected
from tests.rules.test_typed import NOW as MOMENT
from tests.rules.test_typed import asked as asked_of
from tests.rules.test_typed import decide, owner, question
from tools.mail.mime import parse
from tools.web.markup import as_written
from workflows.models.decisions import Approve, Decision, Edit, Reject, Unclear
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import read
from workflows.rules.quoted.frames import is_left_in
from workflows.rules.text import quotes

FOLDER = Path(__file__).parents[1] / "mail" / "quoted"
NOW = datetime(2026, 11, 24, 14, 31, tzinfo=ZoneInfo("Europe/Berlin"))
SUITS = Edit(text="Hi Tom,\n\nThursday 9:00 suits me better.\n\nNora\n", send=True)
THINGS = Edit(text="Hi Tom,\n\nthree things:\n- the list\n- the logo\n- a date\n\nBest\nNora\n", send=True)
RIGHT: dict[str, Decision | None] = {
    "edit-sends-gmail-address-wrapped": SUITS,
    "edit-sends-signature-below-quote": SUITS,
    "edit-sends-proton-footer": SUITS,
    "edit-sends-outlook-lines-doubled": THINGS,
    "ok-outlook-signature": Approve(),
    "ok-owner-named-as-a-wish-word": Approve(),
    "ok-orange-webmail": Approve(),
    "ok-attribution-without-a-date": Approve(),
    "no-with-old-android-line": Reject(reason="too early"),
    "ok-then-dashes-then-condition": None,  # asked once more
    "ok-then-line-like-an-attribution": None,
    "ok-with-a-sentence-struck-out": None,
}


def nora(raw: bytes, language: str = "en", name: str = "Nora Feld") -> Decision:
    text = (FOLDER / f"asked.{language}.txt").read_text(encoding="utf-8")
    asked = Asked(case=7, version=1, purpose="approval", text=text, sent_at=NOW)
    who = Owner(name=name, address="nora@feld.example", language=language, timezone="Europe/Berlin", country="DE")
    return read(parse(raw), asked, who, NOW)


def test_every_answer_has_its_right_value() -> None:
    assert {path.stem for path in FOLDER.glob("*.eml")} == set(RIGHT)


@pytest.mark.parametrize("name", RIGHT)
def test_answers_that_were_misread(name: str) -> None:
    german = "wish-word" in name
    decision = nora((FOLDER / f"{name}.eml").read_bytes(), *(("de", "Will Super") if german else ()))
    assert decision == RIGHT[name] if RIGHT[name] else isinstance(decision, Unclear)


@pytest.mark.parametrize("name", ["Will Super", "Gut Klar", "Klar Schon", "Schon Nicht", "May Wait", "Sag Nein"])
@pytest.mark.parametrize(
    "style", ["orange", "outlook_importance", "kmail", "gmail_da", "posteo", "em_client", "samsung_one_line"]
)
def test_an_owner_may_be_called_as_a_wish_is(name: str, style: str) -> None:
    text = question()
    raw = PROGRAMS[style](Reply("ok", text)).replace(b"Ada Winter", name.encode())
    assert decide(raw, text.replace("Ada Winter", name)) == Approve()


def test_sentences_around_an_ok_are_never_lost() -> None:
    """A5, small size."""
    text = question()
    styles = {**STYLES, **PROGRAMS}
    for style, place, sentence, email in all_injected(2026, 120, styles, text):
        assert not isinstance(read(email, asked_of(text), owner(), MOMENT), Approve), (style, place, sentence)


@pytest.mark.parametrize(
    "line",
    [
        "From: Deskhand <ada@winter.example>",
        "Sent: Tuesday 14:05",
        "24.12.2026, 14:05 ada@winter.example:",
        "On 24.12.2026 at 10:00, Ada Winter wrote:",
        "On Tue, Nov 24, 2026 at 2:05 PM Deskhand <ada@winter.example> wrote:",
        "To: ada@winter.example",
        "Wednesday 10:00, ada@winter.example:",
    ],
)
@pytest.mark.parametrize("style", ["gmail_da", "kmail", "ox_en", "posteo", "gmail_web", "apple_mail_html"])
def test_one_frame_goes_and_no_more(line: str, style: str) -> None:
    """A second line that looks like a frame was typed: only the one right above our own lines is the program's."""
    text = question()
    for words in (f"ok\n{line}", f"ok\n\n{line}"):
        assert not isinstance(decide(PROGRAMS[style](Reply(words, text)), text), Approve)


STRIKES = [
    "<s>{}</s>", "<del>{}</del>", "<strike>{}</strike>", "<span style='text-decoration: line-through'>{}</span>",
    "<span style='text-decoration-line:line-through'>{}</span>", "<span style='text-decoration: underline line-through red'>{}</span>",
    "<b><i style='color:red;text-decoration:line-through'><u>{}</u></i></b>", "<span class='s1'>{}</span>", "<span class=MsoDel>{}</span>",
    "<div style='text-decoration:line-through'><p><span>{}</span></p></div>", "<font class='a gone'>{}</font>", "~~{}~~",
]  # fmt: skip
SHEET = "<style>span.s1 {text-decoration: line-through} .gone{color:red;text-decoration:line-through}</style>"
SENTENCE = "Could you send the brief before, so that I can read it on Wednesday evening at the latest?"


def struck(words: str, strike: str, sentence: str = SENTENCE) -> bytes:
    text = question()
    page = as_html(bare(Reply("", text)))
    assert sentence in page
    page = page.replace(sentence, strike.format(sentence), 1)
    head = "On Tue, Nov 24, 2026 at 2:05 PM Deskhand &lt;ada@winter.example&gt; wrote:"
    html = f"<html><head>{SHEET}</head><body><div>{words}</div><div>{head}</div><blockquote>{page}</blockquote></body></html>"
    frame = "On Tue, Nov 24, 2026 at 2:05 PM Deskhand <ada@winter.example> wrote:"
    return both(f"{words}\n\n{frame}\n{marked(Reply('', text))}\n", html, Reply(words, text))


@pytest.mark.parametrize("strike", STRIKES)
def test_a_sentence_struck_out_in_the_quote_is_an_edit(strike: str) -> None:
    text = question()
    assert isinstance(decide(struck("ok", strike), text), Unclear)
    decision = decide(struck("", strike), text)
    assert isinstance(decision, Edit)
    assert not decision.send
    assert "send the brief" not in decision.text
    assert "Thursday 10:00 works for me." in decision.text


@pytest.mark.parametrize("strike", STRIKES)
def test_a_strike_elsewhere_in_the_answer_is_no_yes(strike: str) -> None:
    text = question()
    assert not isinstance(decide(struck("ok", strike, "Subject: Re: Kick-off date?"), text), Approve)
    assert not isinstance(decide(struck(strike.format("ok"), "{}"), text), Approve)
    assert not isinstance(decide(struck("ok " + strike.format("no"), "{}"), text), Approve)


@pytest.mark.parametrize(
    ("html", "text"),
    [
        ("<div>a</div><div>&nbsp;</div><div>b</div>", "a\n\nb"),
        ("<div>a</div><div><br></div><div>b</div>", "a\n\nb"),
        ("<div>a</div><div><div><span><br></span></div></div><div>b</div>", "a\n\nb"),
        ("<p>a</p><p>b</p>", "a\n\nb"),
        ("<p>a</p><p>&nbsp;</p><p>b</p>", "a\n\nb"),
        ("<p class=MsoNormal>a<o:p></o:p></p><p class=MsoNormal>b</p>", "a\nb"),
        ("<p class=MsoNormal>a</p><p class=MsoNormal><o:p>&nbsp;</o:p></p><p class=MsoNormal>b</p>", "a\n\nb"),
        ("<p style='margin:0cm 0cm 0.0001pt'>a</p><p style='margin:0cm'>b</p>", "a\nb"),
        ("<p style='margin-top:0;margin-bottom:0'>a</p><p style='margin:0'>b</p>", "a\nb"),
        ("<p style='margin:0 0 12px'>a</p><p style='margin:0 0 12px'>b</p>", "a\n\nb"),
        ("<style>p{margin:0}</style><p>a</p><p>b</p>", "a\nb"),
        ("<div>a<br></div><div>b</div>", "a\nb"),
        ("a<br>\r\nb<br><br>c", "a\nb\n\nc"),
        ("<div>a<div>b</div></div>c", "a\nb\nc"),
        ("<pre>a\n\n b</pre>", "a\n\n b"),
        ("<div style='white-space:pre-wrap'>a\nb</div>", "a\nb"),
        ("<ol><li>a</li><li>b</li></ol>", "1. a\n2. b"),
        ("<div>a</div><div><br></div><div><br></div><div>b</div>", "a\n\n\nb"),
        (
            "see <a href='https://x.example/'>x.example</a> and <a href='https://y.example'>this</a>",
            "see x.example and [this](https://y.example)",
        ),
        ("ok <img alt='\U0001f44e' src='cid:1'> <img alt='logo of us' src='cid:2'>", "ok \U0001f44e"),
    ],
)
def test_html_is_read_as_it_was_typed(html: str, text: str) -> None:
    assert as_written(html).text == text


@pytest.mark.parametrize(
    "left",
    [
        "On Tue, Nov 24, 2026 at 2:05 PM Deskhand <ada@winter.example> zapisal:",
        "[Deskhand 41.1]",
        "----- answer above this line \u00b7 41.1.0123456789abcdef -----",
        "----- draft 41.1 ends -----",
        "<41.1.abc@deskhand.invalid>",
        "From: ada@winter.example",
        "24.11.2026 14:05, ada@winter.example:",
        "-----Original Message-----",
    ],
)
def test_a_piece_of_our_own_mail_is_shown_once_more_and_never_sent(left: str) -> None:
    assert is_left_in(f"Hi Maria,\n\nFriday.\n\n{left}\n", ("ada@winter.example",))
    text = question()
    words = f"edit!\nHi Maria,\n\nFriday.\n{left}\n\nAda"
    decision = decide(PROGRAMS["gmail_da"](Reply(words, text)), text)
    assert not (isinstance(decision, Edit) and decision.send)


@pytest.mark.parametrize(
    "fine",
    [
        "Ada Winter\nada@winter.example",
        "Write to me: ada@winter.example",
        "On Friday Tom wrote to me.",
        "From: Monday",
        "----",
    ],
)
def test_an_ordinary_letter_may_leave(fine: str) -> None:
    assert not is_left_in(f"Hi Maria,\n\n{fine}\n", ("ada@winter.example",))


@pytest.mark.parametrize(
    ("page", "plain", "typed_text"),
    [
        (
            "<p class=x>Hi,</p><p class=x>a</p><p class=x>b</p>",
            "Hi,\na\nb",
            "Hi,\na\nb",
        ),  # margins taken away elsewhere
        ("<p class=MsoNormal>Hi,</p><p class=MsoNormal>a</p>", "Hi,\n\na", "Hi,\na"),  # Outlook's own blank lines
        ("<div>Hi,</div><div><br></div><div>a b c d</div>", "Hi,\n\na b\nc d", "Hi,\n\na b c d"),  # wrapped text
    ],
)
def test_both_parts_tell_where_lines_ended(page: str, plain: str, typed_text: str) -> None:
    text = question()
    raw = both(f"edit!\n{plain}\n", f"<html><body><div>edit!</div>{page}</body></html>", Reply("", text))
    decision = decide(raw, text)
    assert isinstance(decision, Edit)
    assert decision.text == f"{typed_text}\n"


ORDERS = "not no nicht nein kein but aber only nur if wenn wait change make send senden later never pas non mais no pero não mas non niet maar nie ale tylko stop ok yes ja oui"


def test_no_word_of_a_frame_says_yes_no_or_what_to_do() -> None:
    assert not any(quotes.is_listed(word) or quotes.has_verb([word]) for word in ORDERS.split())
    assert not any(word in piece for piece in quotes._pieces() for word in ("不", "否", "안", "だめ", "ない", "ไม่"))


def unquoted(words: str) -> Decision:
    text = question("en")
    return decide(mail(words.encode(), "text/plain; charset=utf-8", Reply(words, text)), text)


TYPED_BESIDE = [
    "ok\n-- \nNora\nTel: only after 17:00",
    "ok\n-- \nAda Winter\nMobile: call me first, 17:00",
    "ok\n-- \nAda Winter\nTel. nicht vor 9 Uhr",
    "ok\nOn Friday Deskhand wrote:",
    "ok\nDeskhand wrote:",
    "ok\nAm Montag schrieb Deskhand:",
]


@pytest.mark.parametrize("words", TYPED_BESIDE)
def test_half_a_frame_and_words_beside_a_number_are_typed(words: str) -> None:
    assert not isinstance(unquoted(words), Approve)


def test_a_whole_frame_without_a_quote_is_the_programs() -> None:
    frame = "On Tue, Nov 24, 2026 at 2:05 PM Deskhand <ada@winter.example> wrote:"
    for words in (f"ok\n\n{frame}", "ok\n-- \nAda Winter\nTel: +49 30 1234567\nHRB 12345 Berlin"):
        assert isinstance(unquoted(words), Approve)
