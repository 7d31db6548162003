"""Mail to `Email` and back: real shapes are read, damage is forgiven and named, identity holds, text survives."""

import base64
import email
import email.policy
import hashlib
import quopri
from datetime import UTC, datetime
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tools.mail.message.headers import addresses, decode_words, encode_phrase, encode_text, parameters
from tools.mail.message.texts import MAX_TEXT
from tools.mail.mime import compose, decoded_body, parse
from tools.web import markup
from workflows.errors import Permanent
from workflows.models.mail import Address, Attachment, Email

RECEIVED = Path(__file__).parents[1] / "mail" / "received"
ADA = Address(email="ada@winter.example", name="Ada Winter")
MARIA = Address(email="maria@studio.example", name="Maria Álvarez")
NOON = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)


def received(name: str) -> Email:
    return parse((RECEIVED / f"{name}.eml").read_bytes())


def written(body: str = "Hello\n", **other: object) -> bytes:
    fields = {"sender": ADA, "to": [MARIA], "subject": "Kick-off", "message_id": "<1@winter.example>", "date": NOON}
    return compose(**{**fields, "body": body, **other})


# ---------------------------------------------------------------- reading


def test_every_received_sample_is_read() -> None:
    paths = sorted(RECEIVED.glob("*.eml"))
    assert len(paths) >= 9
    for path in paths:
        found = parse(path.read_bytes())
        assert found.senders, path.name
        assert found.text, path.name
        assert len(found.identity) == len(found.blob) == 64


def test_plain() -> None:
    found = received("plain_crlf")
    assert found.sender == Address(email="maria@studio.example", name="Maria Alvarez")
    assert found.text == "Hallo Ada,\n\npasst Donnerstag für dich?\n\nGrüße\nMaria"
    assert found.date == datetime(2026, 11, 23, 8, 12, tzinfo=UTC)
    assert (found.message_id, found.subject, found.defects) == ("<k1@studio.example>", "Kick-off date?", ())
    assert found.header("Subject") == "Kick-off date?"


def test_alternative_prefers_plain_and_keeps_html_apart() -> None:
    found = received("alternative")
    assert found.text == "Bonjour, le devis est bon, mais à quel prix ?"
    assert found.html_text == "Bonjour, le devis est bon"
    assert found.subject == "Devis - més questions"
    assert found.sender.name == "René"
    assert [address.email for address in found.cc] == ["team@atelier.example", "jane@atelier.example"]
    assert found.cc[1].name == "Doe, Jane"
    assert found.references == ("<first@atelier.example>", "<prev@winter.example>")
    assert found.parents == ("<prev@winter.example>", "<first@atelier.example>")
    (logo,) = found.attachments
    assert (logo.name, logo.size, logo.content_type) == ("logo.png", 8, "image/png")


def test_html_only_shows_what_a_reader_sees() -> None:
    found = received("html_only")
    assert "[this price](https://shop.example/x)" in found.text
    assert not [word for word in ("PREHEADER", "COMMENT", "ZERO", "WHITE") if word in found.text]
    assert found.html_text == found.text


def test_format_flowed() -> None:
    text = received("flowed").text
    assert text.startswith(
        "This line is soft broken and goes on.\n> quoted text goes on too.\nFrom the start: stuffed."
    )
    assert text.endswith("\n-- \nTom")


def test_file_names_of_every_style() -> None:
    found = received("rfc2231_names")
    assert [attachment.name for attachment in found.attachments] == [
        "Rechnung Größe.pdf",
        "Übersicht.zip",
        "winmail.dat",
        "invite.ics",
        "forwarded.eml",
    ]
    assert found.attachments[0].sha256 == hashlib.sha256(b"%PDF-1.4").hexdigest()
    assert found.text == "See the files."
    assert any("winmail.dat" in defect.says for defect in found.defects)


def test_lies_are_forgiven_and_named() -> None:
    found = received("charset_lies")
    assert found.text == "Grüße aus Köln"
    assert (found.to, found.date) == ((), None)
    assert {defect.says.split(" ")[0] for defect in found.defects} == {"no", "the", "damaged", "unknown"}


def test_two_froms_groups_and_comments() -> None:
    found = received("two_froms")
    assert [address.email for address in found.senders] == ["ada@winter.example", "mallory@evil.example"]
    assert [address.email for address in found.to] == [
        "ada@winter.example",
        "bob@f.example",
        "carol@f.example",
        "dave@f.example",
    ]
    assert found.date == datetime(2026, 11, 24, 10, 0, tzinfo=UTC)


def test_a_bounce_tells_whom_and_which_mail() -> None:
    text = received("bounce").text
    assert "Final-Recipient: rfc822; gone@studio.example" in text
    assert "Message-ID: <ours-1@winter.example>" in text
    assert "body that we sent" not in text


def test_broken_multipart() -> None:
    found = received("broken_multipart")
    assert "this is no header" in found.text or "still readable" in found.text
    assert found.date is None
    assert found.defects


@pytest.mark.parametrize(
    ("stated", "codec", "text"),
    [
        ("iso-8859-1", "utf-8", "Grüße aus Köln"),
        ("us-ascii", "cp1252", "“smart” quotes — dash"),
        ("utf-8", "cp1252", "Größe"),
        ("gb2312", "gb18030", "你好请报价"),
        ("iso-2022-jp", "iso-2022-jp", "お世話になります"),
        ("windows-1251", "cp1251", "Добрый день"),
        ("", "utf-8", "schön"),
        ("zip", "utf-8", "not a codec"),
        ("utf-16", "utf-16", "wide"),
    ],
)
def test_charsets(stated: str, codec: str, text: str) -> None:
    head = f"From: a@b.example\nContent-Type: text/plain; charset={stated}\nContent-Transfer-Encoding: base64\n\n"
    assert parse(head.encode() + base64.b64encode(text.encode(codec))).text == text


@pytest.mark.parametrize(
    ("value", "wanted"),
    [
        ("ada@x.example", [("ada@x.example", "")]),
        ('"ada@winter.example" <mallory@evil.example>', [("mallory@evil.example", "ada@winter.example")]),
        ("ada@winter.example <mallory@evil.example>", [("mallory@evil.example", "ada@winter.example")]),
        ("<ada@x.example> <mallory@evil.example>", [("mallory@evil.example", "")]),
        ("Bob (the (nested) one) <bob@x.example>", [("bob@x.example", "Bob")]),
        ("=?utf-8?q?Smith=2C_Jo?= <jo@x.example>", [("jo@x.example", "Smith, Jo")]),
        ('"Quote \\"d\\"" <q@x.example>,,; <UPPER@X.EXAMPLE>', [("q@x.example", 'Quote "d"'), ("upper@x.example", "")]),
        (
            "Group: a@x.example, b@x.example;, c@x.example",
            [("a@x.example", ""), ("b@x.example", ""), ("c@x.example", "")],
        ),
        ("<@relay.example:ada@x.example>", [("ada@x.example", "")]),
        ("undisclosed-recipients:;", []),
        ('"never closed <ada@x.example>', [("ada@x.example", "never closed")]),
        ("", []),
    ],
)
def test_addresses(value: str, wanted: list[tuple[str, str]]) -> None:
    assert [(found.email, found.name) for found in addresses(value)] == wanted


def test_encoded_words() -> None:
    assert decode_words("=?utf-8?q?a?= =?utf-8?q?b?= c") == "ab c"
    assert decode_words("=?utf-8?b?ww==?= =?utf-8?b?pA?=") == "ä"
    assert decode_words("=?utf-8?q?caf=C3?= =?utf-8?q?=A9?=") == "café"
    assert decode_words("=?no-such?q?x=41?=") == "xA"
    assert decode_words("=?utf-8?x?what?= =?broken") == "=?utf-8?x?what?= =?broken"
    assert decode_words("=?utf-8*en?Q?spaces_and_words?=") == "spaces and words"


def test_parameters() -> None:
    found = parameters('multipart/mixed; Boundary="a;b\\"c"; x=1; name*=iso-8859-1\'de\'%FC.txt')
    assert (found.value, found.get("boundary"), found.get("name"), found.get("none")) == (
        "multipart/mixed",
        'a;b"c',
        "ü.txt",
        "",
    )


def test_references_are_capped_first_and_last_kept() -> None:
    ids = [f"<{number}@x>" for number in range(500)]
    found = parse(f"From: a@b\nReferences: {' '.join(ids)}\nIn-Reply-To: (comment) <499@x>\n\n".encode())
    assert len(found.references) == 100
    assert (found.references[0], found.references[-1]) == ("<0@x>", "<499@x>")
    assert found.in_reply_to == ("<499@x>",)


def test_text_is_capped_and_told() -> None:
    found = parse(b"From: a@b.example\n\n" + b"word " * 100_000)
    assert len(found.text) == MAX_TEXT
    assert any("is cut" in defect.says for defect in found.defects)


def test_nothing_in_an_email_can_choke_a_database_or_json() -> None:
    head = b"From: \xff\xfe <a@b.example>\nSubject: \x00\x1b[31m\xed\xa0\x80\nX-A: \x80\n\n"
    raw = head + b"nul\x00 esc\x1b[0m \xed\xa0\x80 end"
    found = parse(raw)
    everything = repr(found).encode("utf-8")
    assert b"\\x00" not in everything
    assert b"\\x1b" not in everything
    assert b"\\ud800" not in everything


@pytest.mark.parametrize("raw", [b"", b"\n\nbody only", b"no colon here at all"])
def test_what_is_no_mail_is_refused(raw: bytes) -> None:
    with pytest.raises(Permanent, match="no header"):
        parse(raw)


# ---------------------------------------------------------------- identity


def body_in(encoding: str, text: str) -> bytes:
    content = text.encode()
    if encoding == "base64":
        encoded = base64.encodebytes(content.replace(b"\n", b"\r\n"))
    elif encoding == "quoted-printable":
        encoded = quopri.encodestring(content)
    else:
        encoded = content
    head = (
        "From: Maria <maria@studio.example>\nDate: Mon, 23 Nov 2026 10:00:00 +0000\nSubject: Grüße\n"
        "Message-ID: <same@studio.example>\nMIME-Version: 1.0\n"
        'Content-Type: multipart/mixed; boundary="b1"\n\n--b1\nContent-Type: text/plain; charset=utf-8\n'
        f"Content-Transfer-Encoding: {encoding}\n\n"
    )
    tail = (
        b'\n--b1\nContent-Type: application/pdf; name="a.pdf"\nContent-Transfer-Encoding: base64\n\nJVBERi0=\n--b1--\n'
    )
    return head.encode() + encoded + tail


def test_identity_is_the_same_for_copies_of_one_mail() -> None:
    text = "Grüße aus Köln,\n\n  passt = Donnerstag?\n"
    plain = body_in("8bit", text)
    copies = [
        plain,
        plain.replace(b"\n", b"\r\n"),
        body_in("quoted-printable", text),
        body_in("quoted-printable", text).replace(b"\n", b"\r\n"),
        body_in("base64", text),
        b"Return-Path: <x@y>\nReceived: by mx (1)\n for ada\nDelivered-To: ada\n" + plain,
        plain.replace(b"Subject: Gr", b"X-Spam: no\nSubject: Gr"),
        plain.replace(b"Subject: Gr\xc3\xbc\xc3\x9fe", b"Subject: =?utf-8?q?Gr=C3=BC=C3=9Fe?="),
        plain.replace(b"From: Maria <", b"From: Maria\n <"),
        b"From sender Mon Nov 23\n" + plain,
    ]
    assert {parse(copy).identity for copy in copies} == {parse(plain).identity}
    assert len({parse(copy).blob for copy in copies}) == len(copies)


@pytest.mark.parametrize(
    ("old", "new"),
    [
        (b"same@", b"other@"),
        (b"maria@", b"mario@"),
        (b"10:00", b"10:01"),
        (b"Subject: Gr", b"Subject: X"),
        (b"Donnerstag", b"Freitag"),
        (b"JVBERi0=", b"JVBERiA="),
    ],
)
def test_identity_differs_when_what_was_written_differs(old: bytes, new: bytes) -> None:
    raw = body_in("8bit", "passt Donnerstag?\n")
    assert old in raw
    assert parse(raw).identity != parse(raw.replace(old, new)).identity


# ---------------------------------------------------------------- writing

TEXT = st.text(st.characters(exclude_characters="\r", exclude_categories=("Cs",)), max_size=400)
LINES = st.lists(
    st.one_of(
        TEXT,
        st.sampled_from(["From here", ".", "..", "-- ", " ", "\t", "=", "=20", "x" * 2_000, "ü" * 600, ">From", ""]),
    ),
    max_size=8,
).map("\n".join)
VALUE = st.text(st.characters(exclude_categories=("Cc", "Cs")), max_size=200)


@settings(max_examples=300, deadline=None)
@given(body=st.one_of(TEXT, LINES))
def test_the_decoded_body_is_the_given_body(body: str) -> None:
    raw = written(body)
    assert decoded_body(raw) == body
    stdlib = email.message_from_bytes(raw, policy=email.policy.default).get_payload(decode=True)
    assert stdlib.decode("utf-8").replace("\r\n", "\n") == body
    assert b"\n" not in raw.replace(b"\r\n", b"")
    assert b"\r" not in raw.replace(b"\r\n", b"")
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert raw.isascii()


@settings(max_examples=200, deadline=None)
@given(subject=VALUE, name=VALUE)
def test_subject_and_names_come_back(subject: str, name: str) -> None:
    raw = written(subject=subject, to=[Address(email="m@studio.example", name=name)])
    found = parse(raw)
    assert found.subject == subject
    assert [address.email for address in found.to] == ["m@studio.example"]
    assert all(len(line) <= 998 for line in raw.split(b"\r\n"))
    assert found.message_id == "<1@winter.example>"


def test_compose_whole() -> None:
    pdf = b"%PDF-1.4 \x00\xff" * 100
    attachment = Attachment(name="Größe “x”.pdf", size=len(pdf), sha256=hashlib.sha256(pdf).hexdigest())
    raw = written(
        "Hi Maria,\n\nThursday works.\n",
        cc=[Address(email="team@studio.example")],
        in_reply_to="<k1@studio.example>",
        references=["<k0@studio.example>", "<k1@studio.example>"],
        headers=[("X-Deskhand-Case", "41.1"), ("Auto-Submitted", "auto-generated")],
        attachments=[(attachment, pdf)],
    )
    found = parse(raw)
    assert found.text == "Hi Maria,\n\nThursday works."
    assert decoded_body(raw) == "Hi Maria,\n\nThursday works.\n"
    assert (found.attachments[0].name, found.attachments[0].sha256) == (attachment.name, attachment.sha256)
    assert found.to == (MARIA,)
    assert found.references == ("<k0@studio.example>", "<k1@studio.example>")
    assert found.header("x-deskhand-case") == "41.1"
    assert found.defects == ()
    stdlib = email.message_from_bytes(raw, policy=email.policy.default)
    assert stdlib["To"].addresses[0].display_name == "Maria Álvarez"
    assert [part.get_content() for part in stdlib.iter_attachments()] == [pdf]


@pytest.mark.parametrize(
    "name",
    [
        "brief.pdf",
        "Brief (final) v2.pdf",
        "Größe “x”.pdf",
        "名" * 60 + ".pdf",
        "a" * 200 + ".txt",
        'a";b=c\\.pdf',
    ],
)
def test_the_name_of_a_file_arrives_whatever_letters_it_has(name: str) -> None:
    file = Attachment(name=name, size=1, sha256=hashlib.sha256(b"x").hexdigest())
    raw = written("See the file.\n", attachments=[(file, b"x")])
    assert max(map(len, raw.split(b"\r\n"))) < 200
    assert parse(raw).attachments[0].name == name.strip()
    (part,) = email.message_from_bytes(raw, policy=email.policy.default).iter_attachments()
    assert part.get_filename() == name


def test_plain_text_stays_readable_on_the_wire() -> None:
    assert b"Content-Transfer-Encoding: 7bit\r\n\r\nHello\r\n" in written("Hello\n")


@pytest.mark.parametrize(
    "bad",
    [
        {"subject": "a\r\nBcc: all@x.example"},
        {"subject": "a\nb"},
        {"to": [Address(email="m@x.example", name="a\r\nBcc: b@x")]},
        {"to": [Address(email="m@x.example\r\nBcc: b@x")]},
        {"to": [Address(email="m@x.example, b@x.example")]},
        {"to": [Address(email="no-at-sign")]},
        {"message_id": "<1@x>\r\nX: y"},
        {"message_id": "1@x"},
        {"in_reply_to": "<a@x> <b@x>"},
        {"references": ["<a@x>\n"]},
        {"headers": [("X-Y: z\r\nBcc", "b@x")]},
        {"headers": [("X-Y", "z\r\nBcc: b@x")]},
        {"headers": [("X-Y", "z\x00")]},
        {"subject": "half \ud800"},
        {"body": "half \udfff"},
        {"body": "a\r\nb"},
        {"attachments": [(Attachment(name="a", size=1, sha256="0" * 64), b"x")]},
    ],
)
def test_nothing_breaks_out_of_its_place(bad: dict[str, object]) -> None:
    with pytest.raises(Permanent):
        written(**bad)


def test_values_for_the_wire() -> None:
    assert encode_text("Re: Kick-off date?") == "Re: Kick-off date?"
    assert encode_phrase('Doe, "J"') == '"Doe, \\"J\\""'
    assert encode_phrase("") == ""


# ---------------------------------------------------------------- HTML


HIDDEN = [
    '<p style="display:none">HIDDEN</p>',
    '<p style="visibility: hidden">HIDDEN</p>',
    '<p style="font-size:0px">HIDDEN</p>',
    '<p style="opacity:0">HIDDEN</p>',
    '<div style="height:0;overflow:hidden">HIDDEN</div>',
    '<div style="max-height:0px; overflow:hidden; mso-hide:all">HIDDEN</div>',
    '<span style="color:#fff;background:white">HIDDEN</span>',
    "<div hidden>HIDDEN</div>",
    "<!-- HIDDEN -->",
    "<style>.p{display:none !important}</style><div class=p>HIDDEN</div>",
    "<script>HIDDEN</script><template>HIDDEN</template><title>HIDDEN</title>",
]


@pytest.mark.parametrize("hidden", HIDDEN)
def test_hidden_text_is_gone(hidden: str) -> None:
    assert markup.html_to_text(f"<html><body><p>before</p>{hidden}<p>after</p></body></html>").split() == [
        "before",
        "after",
    ]


@pytest.mark.parametrize(
    "shown",
    [
        '<p style="font-size:10px">SHOWN</p>',
        '<p style="font-size:0.9em">SHOWN</p>',
        '<p style="opacity:0.5">SHOWN</p>',
        '<p style="color:#fff;background:#000">SHOWN</p>',
        '<div style="line-height:0;overflow:hidden">SHOWN</div>',
        "<style>@media (max-width:600px){.p{display:none}}</style><div class=p>SHOWN</div>",
        "<div>" * 2_000 + "SHOWN",
    ],
)
def test_shown_text_stays(shown: str) -> None:
    assert "SHOWN" in markup.html_to_text(f"<html><body><p>before</p>{shown}<p>after</p></body></html>")


def test_lists_tables_and_links_read_well() -> None:
    text = markup.html_to_text(
        "<ul><li>one<li>two</ul><table><tr><td>a</td><td>1</td></tr></table><a href='https://x.example'>x</a>"
    )
    assert text.split() == ["*", "one", "*", "two", "a", "1", "[x](https://x.example)"]
