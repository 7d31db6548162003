"""What the parts of a mail say: sealed text, a text with a name, a calendar's answer; and headers of gateways."""

# ruff: noqa: E501 (mails in one line each)

import pytest

from tests.rules.test_triage import AROUND, OWNER
from tools.mail.mime import parse
from workflows.models.mail import Email
from workflows.rules.mail.holds import hold_reason
from workflows.rules.triage import triage

HEAD = (
    "From: Carla <carla@bigcorp.example>\nTo: ada@winter.example\nSubject: {subject}\nMessage-ID: <p1@bigcorp.example>\n"
    "MIME-Version: 1.0\n"
)
ENCRYPTED, TNEF = "it is encrypted", "its text lies in winmail.dat"
PGP = "-----BEGIN PGP MESSAGE-----\n\nhQEMAw==\n=abcd\n-----END PGP MESSAGE-----\n"


def part(kind: str, text: str = "x", more: str = "") -> str:
    return f"Content-Type: {kind}\n{more}\n{text}\n"


def mail(kind: str, *parts: str, subject: str = "Offer", more: str = "") -> Email:
    body = "".join(f"--b\n{one}\n" for one in parts)
    return parse(f'{HEAD.format(subject=subject)}{more}Content-Type: {kind}; boundary="b"\n\n{body}--b--\n'.encode())


def plain(text: str, *headers: str, subject: str = "Offer", kind: str = "text/plain; charset=utf-8") -> Email:
    more = "".join(f"{one}\n" for one in headers)
    return parse(f"{HEAD.format(subject=subject)}{more}Content-Type: {kind}\n\n{text}\n".encode())


SEALED = {
    "smime": (plain("MIAG", kind='application/pkcs7-mime; smime-type=enveloped-data; name="smime.p7m"'), ENCRYPTED),
    "smime older type": (plain("MIAG", kind='application/x-pkcs7-mime; name="smime.p7m"'), ENCRYPTED),
    "smime within": (mail("multipart/mixed", part('application/pkcs7-mime; name="smime.p7m"')), ENCRYPTED),
    "smime and a footer": (
        mail("multipart/mixed", part("text/plain", ""), part("application/pkcs7-mime; smime-type=enveloped-data")),
        ENCRYPTED,
    ),
    "pgp/mime": (
        mail("multipart/encrypted", part("application/pgp-encrypted", "Version: 1"), part("application/octet-stream")),
        ENCRYPTED,
    ),
    "pgp/mime with a list's footer": (
        mail(
            "multipart/mixed", part("text/plain", "Sent by our gateway"), part("application/pgp-encrypted", "Version: 1"),
            part('application/octet-stream; name="encrypted.asc"', PGP),
        ),
        ENCRYPTED,
    ),
    "inline pgp": (plain(PGP), ENCRYPTED),
    "inline pgp below a line": (plain(f"Hi Ada,\n\n{PGP}"), ENCRYPTED),
    "attached pgp alone": (mail("multipart/mixed", part('application/octet-stream; name="msg.pgp"')), ENCRYPTED),
    "microsoft": (
        mail("multipart/mixed", part('application/x-microsoft-rpmsg-message; name="message.rpmsg"')), ENCRYPTED,
    ),
    "winmail": (mail("multipart/mixed", part('application/ms-tnef; name="winmail.dat"')), TNEF),
    "winmail as data": (mail("multipart/mixed", part('application/octet-stream; name="winmail.dat"')), TNEF),
    "winmail beside an empty text": (
        mail("multipart/mixed", part("text/plain", " "), part('application/ms-tnef; name="winmail.dat"')), TNEF,
    ),
}  # fmt: skip


@pytest.mark.parametrize("name", SEALED)
def test_what_cannot_be_read_is_held_with_its_reason(name: str) -> None:
    email, reason = SEALED[name]
    assert triage(email, OWNER, AROUND) is None
    assert hold_reason(email) == reason


READABLE = {
    "signed": mail(
        "multipart/signed", part("text/plain", "Does Monday suit?"), part("application/pgp-signature", "sig")
    ),
    "signed by s/mime": mail(
        "multipart/signed",
        part("text/plain", "Does Monday suit?"),
        part('application/pkcs7-signature; name="smime.p7s"'),
    ),
    "signed inline": plain(
        "-----BEGIN PGP SIGNED MESSAGE-----\nHash: SHA512\n\nDoes Monday suit?\n"
        "-----BEGIN PGP SIGNATURE-----\n\niQ==\n-----END PGP SIGNATURE-----"
    ),
    "winmail beside text": mail(
        "multipart/mixed", part("text/plain", "Does Monday suit?"), part('application/ms-tnef; name="winmail.dat"')
    ),
    "a public key": mail(
        "multipart/mixed", part("text/plain", "Does Monday suit?"), part('application/pgp-keys; name="key.asc"')
    ),
    "a secret file beside text": mail(
        "multipart/mixed", part("text/plain", "Does Monday suit?"), part('application/octet-stream; name="plan.pgp"')
    ),
    "named": mail("multipart/mixed", part('text/plain; name="mail.txt"', "Does Monday suit?"), part("application/pdf")),
    "named by its disposition": mail(
        "multipart/mixed", part("text/plain", "Does Monday suit?", 'Content-Disposition: inline; filename="a.txt"\n')
    ),
    "named html": mail(
        "multipart/mixed", part('text/html; name="mail.html"', "<p>Does Monday suit?</p>"), part("application/pdf")
    ),
    "attached alone": mail(
        "multipart/mixed",
        part("text/plain", "Does Monday suit?", 'Content-Disposition: attachment; filename="a.txt"\n'),
    ),
    "quoted pgp": plain("Does Monday suit?\n\n> -----BEGIN PGP MESSAGE-----\n> hQEMAw=="),
}


@pytest.mark.parametrize("name", READABLE)
def test_what_can_be_read_is_read(name: str) -> None:
    from workflows.rules.mail.replying import new_part

    email = READABLE[name]
    assert new_part(email.text) == "Does Monday suit?"
    assert triage(email, OWNER, AROUND) is None
    assert hold_reason(email) == ""


def test_a_text_file_beside_a_text_stays_a_file() -> None:
    email = mail(
        "multipart/mixed", part("text/plain", "Does Monday suit?"), part('text/plain; name="notes.txt"', "old notes")
    )
    assert email.text == "Does Monday suit?"
    assert [file.name for file in email.attachments] == ["notes.txt"]


# ---------------------------------------------------------------- calendars


def entry(method: str, *lines: str) -> str:
    text = "\n".join(["BEGIN:VCALENDAR", f"METHOD:{method}", "BEGIN:VEVENT", *lines, "END:VEVENT", "END:VCALENDAR"])
    return part(f"text/calendar; charset=utf-8; method={method}", text)


def calendar(text: str, event: str, subject: str = "Kick-off") -> Email:
    return mail("multipart/alternative", part("text/plain", text), event, subject=subject)


@pytest.mark.parametrize(
    "email",
    [
        calendar("", entry("REPLY"), "Accepted: Kick-off"),
        calendar("", entry("REPLY"), "Hyväksytty: Kick-off"),
        calendar("Carla has accepted this invitation.", entry("REPLY"), "Kick-off"),
        calendar("When: Monday 10:00\nWhere: Teams", entry("CANCEL"), "Kick-off"),
        calendar("Wann: Montag 10:00\nOrt: Büro\n*~*~*~*~*", entry("REPLY"), "Zugesagt: Kick-off"),
        plain("BEGIN:VCALENDAR\nMETHOD:REPLY\nEND:VCALENDAR", kind="text/calendar"),
    ],
)
def test_a_calendars_own_answer_is_a_notice(email: Email) -> None:
    verdict = triage(email, OWNER, AROUND)
    assert verdict is not None
    assert verdict.rule == "calendar-notice"


@pytest.mark.parametrize(
    "email",
    [
        calendar("Could we start at 11 instead? Carla", entry("REPLY"), "Declined: Kick-off"),
        calendar("Can't make it, does Tuesday suit?\n\nWhen: Monday 10:00\nWhere: Teams", entry("CANCEL"), "Canceled: Kick-off"),
        calendar("Carla has declined this invitation with a note.", entry("REPLY", "COMMENT:Does Tuesday suit?"), "Declined"),
        calendar("Carla has declined", entry("REPLY", 'ATTENDEE;X-RESPONSE-COMMENT="Tuesday?":mailto:c@x.example')),
        calendar("What should I bring along? Carla", entry("REQUEST"), "Kick-off"),
        calendar("", entry("REQUEST"), "Kick-off"),
        plain("Hi Ada,\n\nyour offer is accepted. When do we start?", subject="Accepted: your offer"),
        plain("Hallo Ada,\n\nwann geht es los?", subject="Abgesagt: Termin am Montag"),
        mail(
            "multipart/mixed", part("text/plain", "My flight is cancelled, see the new one. Can we move?"),
            part('text/calendar; name="flight.ics"', "BEGIN:VCALENDAR\nMETHOD:PUBLISH\nEND:VCALENDAR"), subject="Cancelled: flight",
        ),
    ],
)  # fmt: skip
def test_a_persons_words_beside_a_calendar_go_on(email: Email) -> None:
    assert triage(email, OWNER, AROUND) is None


# ---------------------------------------------------------------- gateways


@pytest.mark.parametrize(
    "header",
    [
        "X-MC-Unique: k3Jd82hQPnW0a1-1", "X-Mimecast-Spam-Score: 0", "X-Proofpoint-Virus-Version: vendor=fsecure",
        "X-Proofpoint-Spam-Details: rule=notspam", "X-Barracuda-Envelope-From: carla@bigcorp.example",
        "X-Barracuda-Spam-Score: 0.00", "X-antispameurope-sender: carla@bigcorp.example", "X-Hornetsecurity: clean",
        "X-MS-Exchange-Organization-AuthSource: ex.bigcorp.example", "X-MS-Exchange-AntiSpam-MessageData: 1",
        "X-Forefront-Antispam-Report: CIP:1", "X-SES-Outgoing: 2026.11.24-54.240.1.1", "X-SG-EID: abc",
        "Feedback-ID: 1.eu-west-1:AmazonSES", "X-Mailgun-Sid: abc", "X-HubSpot-Message-Id: abc", "X-PM-Message-Id: abc",
        "X-CSA-Complaints: csa-complaints@eco.de", "X-Sophos-OBS: success", "X-Cisco-ESA: clean", "X-IronPort-AV: E=Sophos",
        "X-TM-AS-Product-Ver: 1", "X-FEAS-Client-IP: 192.0.2.1", "X-Gm-Message-State: abc", "X-Google-Smtp-Source: abc",
        "X-Salesforce-Mail: yes", "X-Zendesk-From-Account-Id: 1", "X-Report-Abuse-To: spam@relay.example",
        "List-Help: <mailto:help@bigcorp.example>", "X-Intercom-Bin: 1",
    ],
)  # fmt: skip
def test_what_gateways_and_relays_add_makes_no_newsletter_of_a_person(header: str) -> None:
    assert triage(plain("Hi Ada,\n\ncould you start on Monday?\n\nCarla", header), OWNER, AROUND) is None


def test_an_answer_through_a_relay_that_offers_to_unsubscribe_is_a_person() -> None:
    answer = plain("Monday suits.", "List-Unsubscribe: <https://crm.example/u>", "In-Reply-To: <o@winter.example>")
    assert triage(answer, OWNER, AROUND) is None
    news = plain("Our November offers.", "List-Unsubscribe: <https://crm.example/u>")
    assert triage(news, OWNER, AROUND).rule == "newsletter"
    group = plain("Hi Ada, a question?", "List-ID: <info.winter.example>", "List-Post: <mailto:info@winter.example>")
    assert triage(group, OWNER, AROUND) is None
