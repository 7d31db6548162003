"""All that a client wrote is read, and nothing that the owner wrote: lines that look like history, and history."""

# ruff: noqa: RUF001, E501 (mail as programs and people write it, in one line each)

from dataclasses import replace
from pathlib import Path

import pytest

from tests.ledgers import OWNER, House, mail
from tools.mail import mime
from workflows.models.mail import Address, Attachment, Email
from workflows.models.people import Owner
from workflows.rules.mail.files import attached, described
from workflows.rules.mail.holds import hold_reason
from workflows.rules.mail.replying import left_out, maybe_older, new_part
from workflows.rules.routing import route
from workflows.rules.text.writers import Addressee

OWNER_ADDRESS = "nora@feld.example"
THREAT = "If it is not there by Friday, my lawyer will write to you."
NORA = Addressee(frozenset((OWNER_ADDRESS,)), (frozenset(("nora", "feld")),))
OLD = "about your complaint and the refund: my lawyer will write on Friday.\nI will sue you.\n\nNora"
Q = "\n".join(f"> {line}".rstrip() for line in OLD.split("\n"))


def held(text: str, *earlier: str) -> str:
    email = mail(
        text, subject="Re: Invoice", senders=(Address(email="carla@bigcorp.example"),),
        to=(Address(email=OWNER_ADDRESS, name="Nora Feld"),),
    )  # fmt: skip
    return hold_reason(email, earlier)


THEIRS = [
    "Hi Nora,\n\nas I wrote you on Tuesday at 14:30:\n\n" + THREAT,
    "Hi Nora,\n\nI wrote on 17 November 2026 at 14:30:\n\n" + THREAT,
    "Hallo Frau Feld,\n\nwie ich Ihnen am 17.11.2026 um 14:30 schrieb:\n\nSonst schalte ich meinen Anwalt ein.",
    "Hallo,\n\nam 17.11.2026 um 14:30 schrieb ich:\nSonst schalte ich meinen Anwalt ein.",
    "Bonjour,\n\ncomme je vous l'ai écrit le 17/11/2026 à 14:30 :\n\nNous allons saisir notre avocat.",
    "Hola Nora,\n\ncomo le escribió mi socio el 17/11/2026 a las 14:30:\n\nTomaremos acciones legales.",
    "Hi Nora,\n\nour contract of 3 May 2026 at 10:00 said:\n\n" + THREAT,
    "Hi Nora,\n\nOn Tuesday at 14:30 Tom wrote:\n\n" + THREAT,
    "Hi Nora,\n\nso to repeat what my boss said at 10:30:\n" + THREAT,
    "Ok.\n--\n" + THREAT,
    "Hi Nora,\n\nthanks.\n\n--\nIf it is not there by Friday,\nmy lawyer will write to you.\n\nCarla",
    "From: Big Corp Ltd, 1 Main St, carla@bigcorp.example\nDate: 24 November 2026, 10:00\nTo: Nora Feld\nSubject: Notice\n\n"
    + THREAT,
    "From: Carla <carla@bigcorp.example>\nDate: 24 November 2026, 10:00\nTo: Nora Feld <nora@feld.example>\nSubject: Notice\n\n"
    + THREAT,
    "Von: mir\nBetreff: Frist\n\nSonst schalte ich meinen Anwalt ein.",
    "Hi Nora\n\nSent from my desk\n\n" + THREAT,
    "Hello,\n\n--------\n" + THREAT,
    "Hello,\n\nMy message to nora@feld.example of 2026-05-03 10:00:\n\n" + THREAT,
    "Hello,\n\nThe agreement dated 2026-05-03 10:00 <nora@feld.example> with you:\n\n" + THREAT,
    "Hi\n\nFrom: the beginning we said\nTo: be clear\nDate: no\n" + THREAT,
    "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA256\n\n"
    + THREAT
    + "\n-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----",
    "Hi,\n\n1. Am 12.11.2026 um 9:00 rief ich an und Frau Feld schrieb:\nsie kommt nicht. Ich schalte meinen Anwalt ein.",
    "Hoi Nora,\n\nzoals ik op 17-11-2026 om 14:30 schreef:\n\nWij zullen een advocaat inschakelen.",
    "Dzień dobry,\n\njak pisze mój szef w dniu 17.11.2026 o 14:30:\n\nPodejmiemy kroki prawne.",
    "Buongiorno,\n\ncome ha scritto il mio capo il 17/11/2026 alle 14:30:\n\nSaremo costretti ad azioni legali.",
    "Olá Nora,\n\ncomo o meu chefe escreveu em 17/11/2026 às 14:30:\n\nVamos tomar medidas legais.",
]


@pytest.mark.parametrize("text", THEIRS)
def test_what_a_client_typed_is_read_below_whatever_line(text: str) -> None:
    assert held(text) == "a legal threat"
    assert any(words in new_part(text) for words in ("lawyer", "nwalt", "avocat", "lega", "advoc", "kroki"))


def test_a_threat_at_the_end_of_a_very_long_mail_is_read() -> None:
    assert held("x\n" * 30_000 + THREAT) == "a legal threat"


OWNERS = [
    "Perfect, thanks!\n\nNora Feld <nora@feld.example> wrote (23.11.2026 17:12):\n" + OLD,
    "Perfect, thanks!\n\nNora Feld <nora@feld.example> 23.11.2026 17:12:\n" + OLD,
    "Perfect, thanks!\n\n23 Nov 2026, 17:12 +0100, Nora Feld <nora@feld.example>:\n" + OLD,
    "Perfect, thanks!\n\nOn 23 Nov 2026 at 17:12 +0100, Nora Feld <nora@feld.example>, wrote:\n" + OLD,
    "Perfect, thanks!\n\nNora Feld <nora@feld.example> schrieb am Mo., 23. Nov. 2026, 17:12:\n\n" + OLD,
    "Perfect, thanks!\n\nOn Monday, November 23, 2026, 05:12:33 PM GMT+1, Nora Feld <nora@feld.example> wrote:\n\n\n"
    + OLD,
    "Perfect, thanks!\n\n-------- Ursprüngliche Nachricht --------Von: Nora Feld <nora@feld.example> Datum: 23.11.26  17:12  (GMT+01:00) An: Carla <c@x.example> Betreff: Rechnung \n"
    + OLD,
    "Perfect, thanks!\n\n-------- Message d'origine --------De : Nora Feld <nora@feld.example> Date : 23/11/2026 17:12 (GMT+01:00) À : Carla <c@x.example> Objet : Re: facture\n"
    + OLD,
    "Perfect, thanks!\n\n##- Please type your reply above this line -##\n\n" + OLD,
    "Perfect, thanks!\n\n--- Reply above this line ---\n" + OLD,
    "Perfect, thanks!\n\n--- Bitte antworten Sie oberhalb dieser Zeile ---\n" + OLD,
    "Perfect, thanks!\n\nFrom: Nora Feld <nora@feld.example> Sent: Monday, November 23, 2026 5:12 PM To: Carla Subject: Invoice\n"
    + OLD,
    "Perfect, thanks!\n\n*Von:* Nora Feld <nora@feld.example> *Gesendet:* Montag, 23. November 2026 17:12 *An:* Carla *Betreff:* Rechnung\n\n"
    + OLD,
    "Perfect, thanks!\n\nVon: Nora Feld\nGesendet: Montag, 23. November 2026 17:12\nAn: Carla\nBetreff: Rechnung\n\n"
    + OLD,
    "Perfect, thanks!\n\nVon: Nora Feld\nBetreff: Rechnung\nDatum: 23. November 2026 um 17:12:33 MEZ\nAn: Carla\n\n"
    + OLD,
    'Perfect, thanks!\n\nGesendet: Montag, 23. November 2026 um 17:12 Uhr\nVon: "Nora Feld" <nora@feld.example>\nAn: carla@bigcorp.example\nBetreff: Rechnung\n'
    + OLD,
    "Perfect, thanks!\n\n" + Q,
    "Perfect, thanks!\n\nAm 23.11.26 um 17:12 schrieb Nora Feld:\n\n    " + OLD.replace("\n", "\n    "),
    "Perfect, thanks!\n\n________________________________\nDe: Nora Feld <nora@feld.example>\nEnviado: lunes, 23 de noviembre de 2026 17:12\nPara: Carla\nAsunto: x\n\n"
    + OLD,
    "Perfect, thanks!\n\n‐‐‐‐‐‐‐ Original Message ‐‐‐‐‐‐‐\nOn Monday, 23 November 2026 17:12, Nora Feld <nora@feld.example> wrote:\n\n"
    + OLD,
    "Perfect, thanks!\n\nEl lun, 23 nov 2026 a las 17:12, Nora Feld (<nora@feld.example>) escribió:\n\n" + OLD,
    "Perfect, thanks!\n\n> Le 23 nov. 2026 à 17:12, Nora Feld <nora@feld.example> a écrit :\n> \n" + Q,
    "Perfect, thanks!\n\nNora Feld wrote on 23/11/2026 17:12:\n" + Q,
    "Perfect, thanks!\n\nIl 23/11/2026 17:12, Nora Feld ha scritto:\n" + OLD,
    "Perfect, thanks!\n\nIn a message dated 11/23/2026 5:12:00 PM Central European Standard Time, nora@feld.example writes:\n\n"
    + OLD,
    "Perfect, thanks!\n\n-- \nCarla Stein\nBig Corp | Berlin\n\nAm 23.11.2026 um 17:12 schrieb Nora Feld <nora@feld.example>:\n"
    + OLD,
    "Perfect, thanks!\n\nNora Feld <nora@feld.example> escribió el lun., 23 nov. 2026 17:12:\n\n" + OLD,
    "Perfect, thanks!\n\n发件人: Nora Feld <nora@feld.example>\n发送时间: 2026年11月23日 17:12\n收件人: Carla\n主题: x\n\n"
    + OLD,
    "Perfect, thanks!\n\nFrom: Nora Feld <nora@feld.example>\nDate: Monday, 23. November 2026 at 17:12\nTo: Carla Stein <carla@bigcorp.example>,\n  Bob <bob@x.example>\nSubject: Invoice\n\n"
    + OLD,
]


@pytest.mark.parametrize("text", OWNERS)
def test_the_owners_own_older_words_are_not_the_clients(text: str) -> None:
    assert held(text) == ""
    assert new_part(text).startswith("Perfect, thanks!")
    assert len(new_part(text)) < 40


BLOCK = "Sent: Monday, November 23, 2026 5:12 PM\nTo: Carla\nSubject: Complaint: refund\n\n"
SHORT = [
    "Von: Feld, Nora\n" + BLOCK,
    "From: Nora\n" + BLOCK,
    "From: Dr. Nora Feld\n" + BLOCK,
    "From: Nora Feld [mailto:nora@feld.example]\n" + BLOCK,
    "From: Nora Feld (Feld Design) <info@feld.example>\n" + BLOCK,
    "-----Original Message-----\nFrom: Nora Feld\n" + BLOCK,
    'Message du 23/11/26 17:12\nDe : "Nora Feld" <nora@feld.example>\nA : carla@bigcorp.example\nObjet : Facture\n\n',
    "Em seg., 23 de nov. de 2026 às 17:12, Nora Feld <nora@feld.example> escreveu:\n",
    "On Mon, Nov 23, 2026 at 5:12 PM Nora Feld <\nnora@feld.example> wrote:\n",
    "---- On Mon, 23 Nov 2026 17:12:33 +0100 Nora Feld <nora@feld.example> wrote ----\n",
    "Nora Feld 23.11.2026 17:12:\n",
    "Nora Feld schrieb:\n\n",
    "On Monday, Nora Feld wrote:\n\n",
    "Am Montag um 17 Uhr schrieb nora@feld.example:\n",
    "Von: Nora Feld\n\n",
    "From: Nora Feld\nSubject: Re: complaint\n\n",
    "##- Bitte geben Sie Ihre Antwort über dieser Zeile ein -##\n\n",
    "Nora Feld 于2026年11月23日周一 17:12写道：\n\n",
]


@pytest.mark.parametrize("head", SHORT)
def test_a_head_that_names_the_owner_and_no_more_is_one_however_short(head: str) -> None:
    text = f"Perfect, thanks!\n\n{head}{OLD}"
    assert held(text) == ""
    assert len(new_part(text, (), NORA)) < 50
    assert maybe_older(text, (), NORA) == ""
    assert "below" in left_out(text, (), NORA)


def test_an_owner_is_known_from_the_settings_and_from_an_address_that_spells_the_name() -> None:
    email = mail(
        "Perfect, thanks!\n\nVon: Nora Feld\n\n" + OLD, senders=(Address(email="c@bigcorp.example"),),
        to=(Address(email="nora@feld.example"),),
    )  # fmt: skip
    assert hold_reason(email) == ""
    hidden = replace(email, to=(Address(email="team@bigcorp.example"), Address(email="tom@bigcorp.example")))
    assert hold_reason(hidden) == "a legal threat"
    assert hold_reason(hidden, (), Owner(name="Nora Feld", address="nora@feld.example")) == ""


OTHERS = [
    "On 17 Nov 2026 at 14:30, Carla Stein <carla@bigcorp.example> wrote:\n\n" + THREAT,
    "On 17 Nov 2026 at 14:30, Carla Stein wrote:\n\n" + THREAT,
    "----- Original Message -----\n" + THREAT,
    "Von: Carla\nGesendet: 17.11.2026 14:30\nAn: Nora Feld\nBetreff: Frist\n\n" + THREAT,
    "From: Legal <legal@bigcorp.example> Sent: Monday, 23 Nov 2026 5:12 PM To: Nora Feld <nora@feld.example> Subject: x\n"
    + THREAT,
    "Am 17.11.2026 um 14:30 schrieb Carla Stein an Nora Feld:\n" + THREAT,
    "Legal action starts on 17 Nov 2026 10:00 against <nora@feld.example>:\n\n" + THREAT,
    "Legal action will start on 17 Nov 2026 10:00 against Nora Feld <nora@feld.example>:\n\nRegards",
    "As nothing came, my lawyer will write to you on 17.11. at 14:30:\n> foo",
    "From: Nora Feld <nora@feld.example>\nmy lawyer will write to you.\nSent: 23 Nov 2026 5:12 PM\nTo: Carla\nSubject: x\n\nHi",
    "Am 17.11.2026 um 14:30 schrieb Nora Feld:\n\n    Passt das?\n\n" + THREAT,
    "From: Carla <c@bigcorp.example>\nSent: 23 Nov 2026 5:12 PM\nTo: Nora\nSubject: My lawyer will write to you\n\nHi",
    "-----BEGIN PGP SIGNATURE-----\n" + THREAT + "\n-----END PGP SIGNATURE-----",
    "-----BEGIN PGP SIGNED MESSAGE-----\n" + THREAT + "\n\nHi",
    "Nora Feld <nora@feld.example> wrote on 23.11.2026 17:12:\nGood.\n\nOn 17 Nov 2026 at 14:30, Tom <tom@x.example> wrote:\n"
    + THREAT,
]


@pytest.mark.parametrize("text", OTHERS)
def test_what_stands_below_anybody_elses_head_is_read(text: str) -> None:
    assert held(f"Hi Nora,\n\n{text}") == "a legal threat"
    assert "lawyer" in maybe_older(f"Hi\n\n{text}", (), NORA) + new_part(f"Hi\n\n{text}", (), NORA) or "egal" in text


@pytest.mark.parametrize("name", ["html-only-reply-gmx", "html-only-reply-blockquote", "text-reply-samsung-one-line"])
def test_replies_without_quote_marks(name: str) -> None:
    email = mime.parse((Path(__file__).parents[1] / "mail" / "triage" / f"person--{name}.eml").read_bytes())
    assert new_part(email.text) in ("Perfekt, danke!", "Perfect, thanks!")
    assert hold_reason(email) == ""


def test_the_older_mail_itself_decides_where_it_is_known() -> None:
    text = f"Hi Nora,\n\nOn 17 Nov 2026 at 14:30, Tom Reyes <tom@bigcorp.example> wrote:\n\n{THREAT}"
    assert held(text) == "a legal threat", "nobody knows whether it is older"
    assert held(text, THREAT) == "", "it is"
    assert "2 lines" not in left_out(text)
    assert "1 line below “On 17 Nov 2026 at 14:30" in left_out(text), "and the owner is told what is not shown"
    assert held(text, "We can start on Monday, the text follows. Nora") == "a legal threat"
    between = OWNERS[0].replace("I will sue you.", "I will sue you.\nNo, we do not agree with that, we go to court")
    assert new_part(between, [OLD]) == "Perfect, thanks!\nNo, we do not agree with that, we go to court\n\nNora"
    assert left_out(OWNERS[0], [OLD]) == ""


def test_a_conversation_is_known_from_the_ledger(tmp_path: Path) -> None:
    house = House(tmp_path / "home")
    asked = mail("Hello")
    house.ledger.record_mail(asked, "inbox", lambda email, around: route(email, OWNER, around), house.clock.now())
    answer = mail("x", in_reply_to=(asked.message_id,))
    assert house.ledger.surroundings(answer, "inbox").earlier == ("Hello",)
    assert house.ledger.earlier(answer) == ("Hello",)
    house.engine.dispose()


def test_files_are_named_with_kind_and_size() -> None:
    def file(name: str, kind: str, size: int) -> Attachment:
        return Attachment(name=name, size=size, sha256="0", content_type=kind)

    assert described(file("brief.pdf", "application/octet-stream", 120_400)) == "brief.pdf (PDF, 120 kB)"
    assert described(file("", "audio/mpeg", 2_340_000)) == "a file without a name (sound, 2.3 MB)"
    assert described(file("a\nb.xyz", "application/x-odd", 12)) == "a b.xyz (application/x-odd, 12 bytes)"
    files = (
        file("signature.asc", "application/pgp-signature", 800), file("image001.png", "image/png", 4_000),
        file("image001.png", "image/png", 400_000), file("brief.pdf", "application/pdf", 9),
    )  # fmt: skip
    assert [one.size for one in attached(Email(identity="i", blob="b", attachments=files))] == [400_000, 9]
