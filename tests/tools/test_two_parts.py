"""A plain part and an HTML part of one mail: what the HTML alone says is read, and what nobody sees is not."""

# ruff: noqa: RUF001 (typography as programs write it)

import pytest

from tools.mail import mime
from workflows.models.mail import Email
from workflows.rules.mail.holds import hold_reason
from workflows.rules.mail.replying import new_part

THREAT = "If it is not there by Friday, my lawyer will write to you."
QUOTED = '<blockquote type="cite">I will sue you, you wrote.</blockquote>'


def two(plain: str, html: str, kind: str = "multipart/alternative") -> Email:
    raw = (
        "From: carla@bigcorp.example\r\nTo: Nora Feld <nora@feld.example>\r\nSubject: Invoice\r\nMIME-Version: 1.0\r\n"
        f'Content-Type: {kind}; boundary="b"\r\n\r\n'
        f"--b\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n{plain}\r\n"
        f"--b\r\nContent-Type: text/html; charset=utf-8\r\n\r\n<html><body>{html}</body></html>\r\n--b--\r\n"
    )
    return mime.parse(raw.encode())


@pytest.mark.parametrize(
    "plain",
    [
        "This message is in HTML. Please use a mail client that can show HTML.",
        "Your mail program does not display HTML messages.",
        "Hi Nora,\n\nthanks for the draft.",
        "Hi Nora,\n\nthanks for the draft.\n\n-- \nCarla",
        "Hi Nora,\n\nthanks for the draft.\n\nOn 17 Nov 2026 at 14:30, Nora Feld <nora@feld.example> wrote:\n> Look.",
        "Hi Nora,\n\nthanks for the draft. If it is not there",
    ],
)
def test_what_the_html_alone_says_is_the_clients(plain: str) -> None:
    email = two(plain, f"<p>Hi Nora,</p><p>thanks for the draft.</p><p>{THREAT}</p><p>-- <br>Carla</p>")
    assert hold_reason(email) == "a legal threat"
    assert THREAT in new_part(email.text)
    assert "thanks for the draft." in new_part(email.text)


def test_a_stub_is_no_word_of_the_client() -> None:
    email = two("This message is in HTML.", "<p>Hi Nora,</p><p>Tuesday suits me.</p>")
    assert email.text == "Hi Nora,\n\nTuesday suits me."


def test_an_answer_of_two_words_counts_as_well() -> None:
    assert hold_reason(two("Hi Nora,", "<p>Hi Nora,</p><p>I demand a full refund.</p>")) == "a refund request"


@pytest.mark.parametrize(
    "hidden",
    [
        f'<div style="display:none">{THREAT}</div>',
        f'<span style="font-size:0">{THREAT}</span>',
        f'<span style="color:#ffffff;background-color:#ffffff">{THREAT}</span>',
        f'<div style="max-height:0;overflow:hidden">{THREAT}</div>',
        f"<p hidden>{THREAT}</p>",
        '<img src="https://x.example/p.gif" width="1" height="1" alt="">',
        QUOTED,
        '<p class="gmail_attr">Nora wrote:</p><blockquote class="gmail_quote">I will sue you.</blockquote>',
    ],
)
def test_what_nobody_sees_or_is_quoted_is_not(hidden: str) -> None:
    plain = "Hi Nora,\r\n\r\nTuesday suits me."
    email = two(plain, f"{hidden}<p>Hi Nora,</p><p>Tuesday suits me.</p>{hidden}")
    assert email.text == plain.replace("\r", "")
    assert hold_reason(email) == ""


@pytest.mark.parametrize(
    ("plain", "html"),
    [
        ("See the draft <https://x.example/a> today.", '<p>See <a href="https://x.example/a">the draft</a> today.</p>'),
        ("*Tuesday* suits me,\r\nand so does Friday.", "<p><b>Tuesday</b> suits me, and so does Friday.</p>"),
        ("* One\r\n* Two\r\n", "<ul><li>One</li><li>Two</li></ul>"),
        ("> How?\r\nLike this.", "<blockquote type=cite>How?</blockquote><p>Like this.</p>"),
        ("It’s fine – really.", "<p>It&#39;s fine &ndash; really.</p>"),
        ("A B\r\nC D", "<table><tr><td>A</td><td>B</td></tr><tr><td>C</td><td>D</td></tr></table>"),
        ("Thanks! [cid:logo.png]", '<p>Thanks!</p><img src="cid:logo.png" alt="">'),
    ],
)
def test_the_same_words_laid_out_otherwise_are_the_same(plain: str, html: str) -> None:
    assert two(plain, html).text == plain.replace("\r", "").rstrip("\n")
