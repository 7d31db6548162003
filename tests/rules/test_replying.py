"""What is new in a client's mail, in the quote styles of many programs and languages; and the frame of the reply."""

# ruff: noqa: RUF001, E501 (mail as programs in many languages write it, in one line each)

from dataclasses import replace
from time import process_time

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from tests.rules.test_triage import emails
from workflows.models.mail import Address, Email
from workflows.rules.mail.replying import gist, new_part, reply_to, written
from workflows.rules.mail.subjects import is_forward_subject, reply_subject
from workflows.rules.text.canonical import canonical

NEW = "Thursday works for us.\n\nCould you send the brief?"
OLD = "Shall we say Thursday?\n\nAda"
QUOTED = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))

ATTRIBUTIONS = [
    "On Mon, 16 Nov 2026 at 09:00, Ada Winter <ada@winter.example> wrote:",
    "On Mon, 16 Nov 2026 at 09:00, Ada Winter <ada@winter.example>\nwrote:",
    "On 16 Nov 2026, at 09:00, Ada Winter\n<a.very.long.address.indeed@winter.example>\nwrote:",
    "On 16/11/2026 09:00, Ada Winter wrote:",
    "Quoting Ada Winter <ada@winter.example>:",
    "Am 16.11.26 um 09:00 schrieb Ada Winter:",
    "Am Mo., 16. Nov. 2026 um 09:00 Uhr schrieb Ada Winter <\nada@winter.example>:",
    "Ada Winter <ada@winter.example> schrieb am Mo., 16. Nov. 2026, 09:00:",
    "Am 16.11.2026 um 09:00 hat Ada Winter <ada@winter.example> geschrieben:",
    "Le lun. 16 nov. 2026 à 09:00, Ada Winter <ada@winter.example> a écrit :",
    "Le 16/11/2026 à 09:00, Ada Winter a écrit\u00a0:",
    "El lun, 16 nov 2026 a las 9:00, Ada Winter (<ada@winter.example>) escribió:",
    "Em seg., 16 de nov. de 2026 às 09:00, Ada Winter <ada@winter.example> escreveu:",
    "Il giorno lun 16 nov 2026 alle ore 09:00 Ada Winter <ada@winter.example> ha\nscritto:",
    "Op ma 16 nov 2026 om 09:00 schreef Ada Winter <ada@winter.example>:",
    "pon., 16 lis 2026 o 09:00 Ada Winter <ada@winter.example> napisał(a):",
    "W dniu 16.11.2026 o 09:00, Ada Winter pisze:",
    "Den mån 16 nov. 2026 kl 09:00 skrev Ada Winter <ada@winter.example>:",
    "man. 16. nov. 2026 kl. 09.00 skrev Ada Winter <ada@winter.example>:",
    "ma 16. marrask. 2026 klo 9.00 Ada Winter (ada@winter.example) kirjoitti:",
    "po 16. 11. 2026 v 9:00 odesílatel Ada Winter <ada@winter.example> napsal:",
    "Ada Winter <ada@winter.example> ezt írta (időpont: 2026. nov. 16., H, 9:00):",
    "În lun., 16 nov. 2026 la 09:00, Ada Winter <ada@winter.example> a scris:",
    "16 Kas 2026 Pzt, 09:00 tarihinde Ada Winter <ada@winter.example> şunu yazdı:",
    "пн, 16 нояб. 2026 г. в 09:00, Ada Winter <ada@winter.example> написал:",
    "Στις Δευ 16 Νοε 2026 στις 9:00 π.μ., ο χρήστης Ada Winter <ada@winter.example> έγραψε:",
    "Ada Winter <ada@winter.example> 于2026年11月16日周一 09:00写道：",
    "2026年11月16日(月) 9:00 Ada Winter <ada@winter.example>:",
    "2026년 11월 16일 (월) 오전 9:00, Ada Winter <ada@winter.example>님이 작성:",
]


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_quoted_history_is_cut_in_many_languages(attribution: str) -> None:
    assert new_part(f"{NEW}\n\n{attribution}\n\n{QUOTED}\n") == NEW
    assert new_part(f"{NEW}\r\n\r\n{attribution}\r\n{QUOTED}".replace("\n", "\r\n").replace("\r\r", "\r")) == NEW


@pytest.mark.parametrize("attribution", ATTRIBUTIONS)
def test_history_without_quote_marks_is_cut_as_well(attribution: str) -> None:
    assert new_part(f"{NEW}\n\n{attribution}\n\n{OLD}\n") == NEW


BLOCKS = [
    "From: Ada Winter <ada@winter.example>\nSent: Monday, November 16, 2026 9:00 AM\nTo: Maria <maria@studio.example>\nSubject: Kick-off",
    "________________________________\nFrom: Ada Winter <ada@winter.example>\nSent: Monday\nTo: Maria\nCc: Bob\nSubject: Kick-off",
    "*From:* Ada Winter <ada@winter.example>\n*Sent:* Monday, November 16, 2026\n*To:* Maria\n*Subject:* Kick-off",
    "Von: Ada Winter <ada@winter.example>\nGesendet: Montag, 16. November 2026 09:00\nAn: Maria\nBetreff: Kick-off",
    "Von: Ada Winter\nDatum: Montag, 16. November 2026 um 09:00\nAn: Maria\nBetreff: Kick-off",
    "De : Ada Winter <ada@winter.example>\nEnvoyé : lundi 16 novembre 2026 09:00\nÀ : Maria\nObjet : Kick-off",
    "De: Ada Winter\nEnviado el: lunes, 16 de noviembre de 2026 9:00\nPara: Maria\nAsunto: Kick-off",
    "De: Ada Winter\nEnviada em: segunda-feira, 16 de novembro de 2026 09:00\nPara: Maria\nAssunto: Kick-off",
    "Da: Ada Winter\nInviato: lunedì 16 novembre 2026 09:00\nA: Maria\nOggetto: Kick-off",
    "Van: Ada Winter\nVerzonden: maandag 16 november 2026 09:00\nAan: Maria\nOnderwerp: Kick-off",
    "Od: Ada Winter\nWysłano: poniedziałek, 16 listopada 2026 09:00\nDo: Maria\nTemat: Kick-off",
    "Från: Ada Winter\nSkickat: den 16 november 2026 09:00\nTill: Maria\nÄmne: Kick-off",
    "-----Original Message-----\nFrom: Ada\nSubject: x",
    "-----Ursprüngliche Nachricht-----\nVon: Ada",
    "-------- Original message --------\nFrom: Ada",
    "----- Mensaje original -----\nDe: Ada",
    "-----Message d'origine-----\nDe : Ada",
    "------- Original Message -------\nOn Monday, November 16th, 2026 at 9:00 AM, Ada wrote:",
]


@pytest.mark.parametrize("block", BLOCKS)
def test_outlook_blocks_and_separators_are_cut(block: str) -> None:
    assert new_part(f"{NEW}\n\n{block}\n\n{OLD}\n") == NEW


@pytest.mark.parametrize(
    "footer",
    [
        "Sent from my iPhone", "Sent from my Samsung Galaxy smartphone.", "Sent from Yahoo Mail on Android",
        "Get Outlook for iOS", "Get Outlook for Android<https://aka.ms/AAb9ysg>", "Von meinem iPhone gesendet",
        "Gesendet mit der GMX Mail App", "Von meinem Samsung Gerät gesendet.", "Envoyé de mon iPhone",
        "Enviado desde mi iPhone", "Enviado do meu iPhone", "Inviato da iPhone", "Verstuurd vanaf mijn iPhone",
        "Wysłane z iPhone'a", "Skickat från min iPhone", "Sent with Proton Mail secure email.", "-- \nMaria\nStudio GmbH",
        "--\nMaria",
    ],
)  # fmt: skip
def test_signatures_and_phone_footers_are_cut(footer: str) -> None:
    assert new_part(f"{NEW}\n\n{footer}\n") == NEW
    assert new_part(f"{NEW}\n\n{footer}\n\n{ATTRIBUTIONS[0]}\n{QUOTED}") == NEW


def test_bottom_and_inline_answers_keep_a_little_of_what_they_answer() -> None:
    bottom = f"{ATTRIBUTIONS[0]}\n> Hi,\n> one\n> two\n> Can you come?\n\nYes, I can."
    assert new_part(bottom) == "> two\n> Can you come?\nYes, I can."
    inline = "> Which day?\nThursday.\n\n> Which time?\n\nTen."
    assert new_part(inline) == "> Which day?\nThursday.\n\n> Which time?\nTen."
    assert written(inline) == "Thursday.\n\nTen."


@pytest.mark.parametrize(
    "text",
    [
        QUOTED, f"{ATTRIBUTIONS[0]}\n{QUOTED}", f"{ATTRIBUTIONS[5]}\n\n{OLD}", f"{BLOCKS[0]}\n\n{OLD}", "Sent from my iPhone",
        "--\nMaria",
    ],
)  # fmt: skip
def test_a_mail_never_becomes_empty(text: str) -> None:
    assert new_part(text) == text.strip()


@pytest.mark.parametrize(
    "text",
    [
        "FYI, can you fix this?\n\n---------- Forwarded message ---------\nFrom: Bob <bob@x.example>\nDate: Mon, 16 Nov 2026\nTo: Maria\n\nThe form is broken.",
        "Bitte ansehen.\n\n-------- Weitergeleitete Nachricht --------\nBetreff: Fehler\nVon: Bob\n\nEs geht nicht.",
        "See below.\n\nBegin forwarded message:\n\nFrom: Bob\nDate: Monday\nTo: Maria\n\nBroken.",
    ],
)
def test_what_a_client_forwards_is_the_message(text: str) -> None:
    assert new_part(text) == text


@pytest.mark.parametrize(
    "text",
    [
        "My colleague wrote:\nplease change the logo.",
        "Two things:\n\n1. the logo\n2. the font",
        "From: what I saw, all is fine.\nTo: be done by Friday.",
        "We met on 12 May at 10:00 and he said that it works:\nyes or no?\n\nFrom Monday on we are open.",
        "Subject: the new site\n\nTo do: logo\nDate: Friday",
        "Am Montag um 10 Uhr passt es.\nIch schrieb dir schon: ja.",
    ],
)
def test_what_only_looks_like_history_stays(text: str) -> None:
    assert new_part(text) == text


@settings(max_examples=300, deadline=None)
@given(
    st.lists(
        st.sampled_from([*ATTRIBUTIONS, *BLOCKS, NEW, QUOTED, "-- ", "", "Sent from my iPhone"]) | st.text(), max_size=8
    )
)
def test_the_new_part_is_total_and_never_empty(pieces: list[str]) -> None:
    text = "\n".join(pieces)
    part = new_part(text)
    assert bool(part.strip()) == bool(text.strip())
    assert len(gist(text, 60)) <= 60
    assert "\n" not in gist(text)
    written(text)


@pytest.mark.parametrize(
    "text",
    [
        "On " * 60_000, "> " * 90_000, "x\n" * 100_000, "From: a\n" * 20_000, "-" * 200_000, "wrote:\n" * 25_000,
        "On 1 at 10:00 a@b\n" * 10_000, "hat " + "a " * 90_000 + "geschrieben:", "Sent from " * 20_000, "(" * 200_000, ("a" * 590 + " 10:00 hat:\n") * 300,
    ],
    ids=str.split,
)  # fmt: skip
def test_hostile_text_is_sorted_quickly(text: str) -> None:
    started = process_time()
    new_part(text)
    gist(text)
    assert process_time() - started < 2.0


# ---------------------------------------------------------------- the frame of the reply

MAIL = Email(
    identity="i", blob="b", message_id="<m3@studio.example>", subject="Kick-off date?",
    senders=(Address(email="maria@studio.example", name="Maria Alvarez"), Address(email="bob@studio.example")),
    to=(Address(email="ada@winter.example"),), reply_to=(Address(email="other@evil.example"),),
    in_reply_to=("<m2@winter.example>",), references=("<m1@studio.example>", "<m2@winter.example>"), text="x",
)  # fmt: skip


def test_a_reply_goes_to_the_first_from_in_the_clients_thread() -> None:
    out = reply_to(MAIL, "Yes.\r\n", 41, 2)
    assert out.to == (Address(email="maria@studio.example", name="Maria Alvarez"),)
    assert (out.cc, out.case, out.version, out.subject) == ((), 41, 2, "Re: Kick-off date?")
    assert out.in_reply_to == "<m3@studio.example>"
    assert out.references == ("<m1@studio.example>", "<m2@winter.example>", "<m3@studio.example>")
    assert out.body == canonical("Yes.\r\n") == "Yes.\n"


@pytest.mark.parametrize(
    ("subject", "expected"),
    [
        ("X", "Re: X"), ("Re: X", "Re: X"), ("RE: re: X", "Re: X"), ("Re: Re: AW: X", "Re: X"), ("SV: Antw: X", "Re: X"),
        ("Re[2]: X", "Re: X"), ("RE : X", "Re: X"), ("RES: RIF: Odp: X", "Re: X"), ("回复：X", "Re: X"), ("R: X", "Re: X"),
        ("Fwd: X", "Re: Fwd: X"), ("Re: Fwd: Re: X", "Re: Fwd: Re: X"), ("WG: X", "Re: WG: X"), ("", "Re:"), ("Re:", "Re:"),
        ("  Re:   X  ", "Re: X"), ("[EXT] Re: X", "Re: [EXT] X"), ("[Ticket 4] X", "Re: [Ticket 4] X"),
        ("Regarding: X", "Re: Regarding: X"), ("Area: X", "Re: Area: X"), ("Ref: 12", "Re: Ref: 12"),
        ("X\r\nBcc: evil@x.example", "Re: X Bcc: evil@x.example"), ("a\u202eb\u200bc\x00", "Re: abc"),
    ],
)  # fmt: skip
def test_exactly_one_re(subject: str, expected: str) -> None:
    assert reply_subject(subject) == expected
    assert reply_subject(expected) == expected


def test_forwards_are_told_under_any_number_of_reply_marks() -> None:
    assert all(is_forward_subject(one) for one in ("Fwd: X", "FW: X", "Re: WG: X", "AW: Re: TR: X", "RV: X", "转发：X"))
    assert not any(is_forward_subject(one) for one in ("X", "Re: X", "Forward: plans", "Wagner: X", ""))


def test_references_are_deduplicated_capped_and_never_private() -> None:
    many = tuple(f"<r{n}@x.example>" for n in range(200))
    out = reply_to(replace(MAIL, references=(*many, many[0], "<41.1.abc@deskhand.invalid>")), "x", 1, 1)
    assert len(out.references) == 50
    assert out.references[0] == "<r0@x.example>"
    assert out.references[-2:] == ("<r199@x.example>", "<m3@studio.example>")
    assert not any("deskhand.invalid" in one for one in out.references)


def test_a_mail_without_references_lends_its_single_parent() -> None:
    out = reply_to(replace(MAIL, references=()), "x", 1, 1)
    assert out.references == ("<m2@winter.example>", "<m3@studio.example>")
    lone = reply_to(replace(MAIL, references=(), in_reply_to=(), message_id=""), "x", 1, 1)
    assert (lone.in_reply_to, lone.references) == ("", ())


def test_hostile_names_and_ids_cannot_inject_a_header() -> None:
    hostile = replace(
        MAIL,
        senders=(Address(email="m@x.example", name="M\r\nBcc: evil@x.example\u202e"),),
        message_id="<a@b>\r\nBcc: evil@x.example",
        references=("<a b@c>", "junk", "<ok@x.example>\n<two@x.example>"),
    )
    out = reply_to(hostile, "x", 1, 1)
    everything = [out.to[0].name, out.subject, out.in_reply_to, *out.references]
    assert not any(set(one) & set("\r\n\u202e") for one in everything)
    assert out.references == ("<ok@x.example>", "<two@x.example>", "<a@b>")
    assert out.in_reply_to == "<a@b>"


@settings(max_examples=300, deadline=None)
@given(email=emails, body=st.text())
def test_the_frame_is_total_and_header_safe(email: Email, body: str) -> None:
    out = reply_to(email, body, 1, 1)
    assert out.subject.startswith("Re:")
    assert "\n" not in out.subject
    assert "\r" not in out.subject
    assert len(out.references) <= 50
    assert all(address.email == email.sender.email for address in out.to)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("Hi Ada,\n\nCan we move it? I am in Rome.", "Can we move it?"),
        ("Sehr geehrte Frau Winter,\n\nanbei die Rechnung.", "anbei die Rechnung."),
        ("Thursday works", "Thursday works"),
        ("Hello!", "Hello!"),
        ("", ""),
        ("> old question?\nYes, please.", "Yes, please."),
    ],
)
def test_the_gist_is_the_first_sentence_that_says_something(text: str, expected: str) -> None:
    assert gist(text) == expected


def test_a_long_gist_is_cut_with_an_ellipsis() -> None:
    assert gist("word " * 100, 20) == "word word word word…"
    assert gist("word", 0) == ""
