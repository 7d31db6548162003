"""A mail that was read only in part is never a yes, whatever it was that could not be read (promise A2)."""

import base64
from datetime import UTC, datetime

import pytest

from tools.mail import mime, parser
from tools.mail.message.headers import MAX_ALL, MAX_FIELD, MAX_FIELDS
from tools.web.markup import CAP
from workflows.models.decisions import Approve, Unclear
from workflows.models.mail import Defect, Email
from workflows.models.people import Owner
from workflows.models.routes import Asked
from workflows.rules.answers.decisions import read

NOW = datetime(2026, 11, 24, 14, 31, tzinfo=UTC)
OWNER = Owner(name="Ada Winter", address="ada@winter.example", language="en", timezone="Europe/Berlin", country="DE")
ASKED = Asked(case=41, version=1, purpose="approval", text="Shall it leave?\n", sent_at=NOW)
HEAD = "From: Ada Winter <ada@winter.example>\nMIME-Version: 1.0\nContent-Type: {kind}\n"
NO = "no, do not send it"


def mail(body: str, kind: str = "text/plain", head: str = "") -> bytes:
    return (HEAD.format(kind=kind) + head + "\n" + body).encode()


def part(content: str, head: str = "") -> str:
    return f"--b\n{head}\n{content}\n"


def many(number: int, last: str) -> bytes:
    parts = [part("ok"), *(part("") for _ in range(number)), part(last)]
    return mail("".join(parts) + "--b--\n", 'multipart/mixed; boundary="b"')


def nested(levels: int) -> bytes:
    inner = f"\n{NO}\n"
    for level in range(levels):
        inner = f'Content-Type: multipart/mixed; boundary="n{level}"\n\n--n{level}\n{inner}\n--n{level}--\n'
    return mail(f"--b\n\nok\n--b\n{inner}\n--b--\n", 'multipart/mixed; boundary="b"')


PARTIAL = {
    "parts": many(600, NO),
    "depth": nested(60),
    "text": mail("ok\n" + "\n" * 250_000 + NO),
    "long part": mail("ok\n" + "\n" * 2_000_000 + NO),
    "html": mail("ok<!--" + "x" * CAP + f"--><p>{NO}</p>", "text/html"),
    "tags": mail(f"<p>ok <s>{'<b>' * 30_000}{NO}", "text/html"),
    "header": mail("ok", head="".join(f"X-{n}: {'y' * (MAX_FIELD - 10)}\n" for n in range(MAX_ALL // MAX_FIELD + 2))),
    "header field": mail("ok", head=f"X-Note: {'y' * (MAX_FIELD + 10)}\n"),
    "header fields": mail("ok", head="X-A: b\n" * (MAX_FIELDS + 10)),
    "no end": mail("--b\n\nok\n--b\n\n", 'multipart/mixed; boundary="b"'),
    "base64": mail(base64.b64encode(b"ok\n").decode() + "!!" + base64.b64encode(NO.encode()).decode(),
                   head="Content-Transfer-Encoding: base64\n"),
    "encoding": mail("ok", head="Content-Transfer-Encoding: x-uuencode\n"),
    "two texts": mail(part("ok", "Content-Type: text/plain\n") + part(NO, "Content-Type: text/plain\n") + "--b--\n",
                      'multipart/alternative; boundary="b"'),
    "two pages": mail(part("ok", "Content-Type: text/plain\n") + part(NO, "Content-Type: text/html\n")
                      + part("ok", "Content-Type: text/html\n") + "--b--\n", 'multipart/alternative; boundary="b"'),
}  # fmt: skip


@pytest.mark.parametrize("name", PARTIAL)
def test_what_was_not_read_whole_is_no_yes(name: str) -> None:
    email = mime.parse(PARTIAL[name])
    assert email.is_partial, email.defects
    assert not isinstance(read(email, ASKED, OWNER, NOW), Approve)


def test_the_answer_says_what_could_not_be_read() -> None:
    decision = read(mime.parse(many(600, NO)), ASKED, OWNER, NOW)
    assert isinstance(decision, Unclear)
    assert "more than 500 parts" in decision.question


def test_the_child_process_says_the_same() -> None:
    with_child = parser.Parser()
    try:
        email = with_child.parse(PARTIAL["parts"])
    finally:
        with_child.close()
    assert email == mime.parse(PARTIAL["parts"])
    assert email.is_partial


WHOLE = {
    "plain": mail("ok"),
    "many": many(300, ""),
    "charset": mail("ok", "text/plain; charset=x-nobody-knows"),
    "escape": mail("ok =ZZ", head="Content-Transfer-Encoding: quoted-printable\n"),
    "date": mail("ok", head="Date: yesterday\n"),
    "same texts": mail(part("ok", "Content-Type: text/plain\n") + part("ok\n", "Content-Type: text/plain\n")
                       + "--b--\n", 'multipart/alternative; boundary="b"'),
}  # fmt: skip


@pytest.mark.parametrize("name", WHOLE)
def test_what_was_only_forgiven_is_read_whole(name: str) -> None:
    assert not mime.parse(WHOLE[name]).is_partial


def test_a_defect_that_nobody_knows_counts_as_cut() -> None:
    for defect in (Defect("new", "something new"), Defect("", "a sentence of an older Deskhand that no table knows")):
        email = Email(identity="i", blob="b", text="ok", defects=(defect,))
        assert email.is_partial
        assert isinstance(read(email, ASKED, OWNER, NOW), Unclear)
