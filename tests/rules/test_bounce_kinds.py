"""Reports of many mail servers and filters, most of them without a machine's part; and people who write about them."""

# ruff: noqa: E501 (reports as servers write them, in one line each)

import re
from dataclasses import replace

import pytest

from tests.ledgers import mail
from tests.rules.test_triage import AROUND, OWNER
from tools.mail import mime
from workflows.models.mail import Address, Attachment, Email
from workflows.rules.mail.bounces import read
from workflows.rules.triage import triage

TOM = "tom@reyes.example"
COPY = (
    "\nMessage-ID: <out-7-1@winter.example>\nFrom: Ada <ada@winter.example>\nTo: tom@reyes.example\nSubject: New pages"
)


def report(sender: str, name: str, subject: str, text: str) -> Email:
    return mail(
        text, subject=subject, senders=(Address(email=sender, name=name),) if sender else (),
        to=(Address(email="ada@winter.example"),), headers=(("from", f"{name} <{sender}>"),),
    )  # fmt: skip


REPORTS = [
    (
        "failed",
        report(
            "",
            "",
            "Message delivery has failed",
            "Unable to deliver message to: <tom@reyes.example>\nDelivery failed for the following reason:\nServer mx.reyes.example[192.0.2.1] failed with: 550 <tom@reyes.example> No such user here",
        ),
    ),
    (
        "failed",
        report(
            "sysadm@x.example",
            "System Administrator",
            "Undeliverable: New pages",
            "Your message\n\n  To:      tom@reyes.example\n  Subject: New pages\n\ndid not reach the following recipient(s):\n\ntom@reyes.example on Sun, 9 Jul\n    The recipient name is not recognized",
        ),
    ),
    (
        "failed",
        report(
            "imss@x.example",
            "InterScan MSS",
            "Mail could not be delivered",
            "Sent <<< RCPT TO:<tom@reyes.example>\nReceived >>> 550 5.1.1 unknown user\nUnable to deliver message to <tom@reyes.example>",
        ),
    ),
    (
        "failed",
        report(
            "mailer-daemon@x.example",
            "",
            "メール配信に失敗しました",
            "次の宛先へ配信できませんでした。\n<tom@reyes.example>: 550 unknown user",
        ),
    ),
    (
        "failed",
        report(
            "sysinfo@x.example",
            "SurfControl E-mail Filter",
            "Message not delivered",
            "Your message could not be sent.\nA transcript of the attempts to send the message follows.\nAddressed To:   tom@reyes.example\n550 Unknown user",
        ),
    ),
    (
        "failed",
        report(
            "mailer-daemon@mx.example",
            "",
            "failure notice",
            "Hi. This is the qmail-send program at mx.example.\nI'm afraid I wasn't able to deliver your message to the following addresses.\nThis is a permanent error; I've given up. Sorry it didn't work out.\n\n<tom@reyes.example>:\nSorry, no mailbox here by that name. (#5.1.1)\n\n--- Below this line is a copy of the message."
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "mailer-daemon@yahoo.com",
            "",
            "Failure Notice",
            "Sorry, we were unable to deliver your message to the following address.\n\n<tom@reyes.example>:\n552: 5.2.2 Over quota\n\n--- Below this line is a copy of the message.\n"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "microsoftexchange329e71ec88ae4615bbc36ab6ce41109e@reyes.example",
            "Microsoft Outlook",
            "Unzustellbar: New pages",
            "Fehler bei der Nachrichtenzustellung an folgende Empfänger oder Gruppen:\n\ntom@reyes.example (tom@reyes.example)\nDie eingegebene E-Mail-Adresse konnte nicht gefunden werden.\n\nDiagnoseinformationen für Administratoren:\nRemote Server returned '550 5.1.10 RESOLVER.ADR.RecipientNotFound'\n\nUrsprüngliche Nachrichtenkopfzeilen:\n"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "postmaster@reyes.example",
            "",
            "Non remis : New pages",
            "Échec de la remise aux destinataires ou groupes suivants :\n\ntom@reyes.example\nL'adresse de messagerie que vous avez entrée est introuvable.\n\nEn-têtes du message d'origine :\n"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "mailer-daemon@mail.zoho.eu",
            "Mail Delivery Subsystem",
            "Undelivered Mail Returned to Sender",
            "This message was created automatically by mail delivery software.\nA message that you sent could not be delivered to one or more of its recipients.\n\ntom@reyes.example, ERROR CODE :550 - 5.1.1 user unknown\n"
            + COPY,
        ),
    ),
    (
        "delayed",
        report(
            "mailer-daemon@mx.example",
            "Mail Delivery System",
            "Delayed Mail (still being retried)",
            "This is the mail system at host mx.example.\n\n# THIS IS A WARNING ONLY.  YOU DO NOT NEED TO RESEND YOUR MESSAGE.\n\nYour message could not be delivered for more than 4 hour(s). It will be retried until it is 5 days old.\n\n<tom@reyes.example>: connect to reyes.example: Connection timed out"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "postmaster@domino.example",
            "",
            "DELIVERY FAILURE: User tom (tom@reyes.example) not listed in Domino Directory",
            "Your message\n\n  Subject: New pages\n\nwas not delivered to:\n\n  tom@reyes.example\n\nbecause:\n\n  User tom (tom@reyes.example) not listed in Domino Directory",
        ),
    ),
    (
        "failed",
        report(
            "",
            "MAILER-DAEMON",
            "Returned mail: see transcript for details",
            "   ----- The following addresses had permanent fatal errors -----\n<tom@reyes.example>\n    (reason: 550 Host unknown)\n\n   ----- Transcript of session follows -----\n550 5.1.2 <tom@reyes.example>... Host unknown (Name server: reyes.example: host not found)"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "postmaster@mg.example",
            "Mailgun",
            "Message delivery failure",
            "Your message to tom@reyes.example could not be delivered.\nThe response was: 550 5.7.1 blocked\n" + COPY,
        ),
    ),
    (
        "failed",
        report(
            "spamfilter@barracuda.reyes.example",
            "",
            "**Message you sent blocked by our bulk email filter**",
            "Your message to: tom@reyes.example\nwas blocked by our Spam Firewall. The email you sent with the following subject has NOT BEEN DELIVERED:\n\nSubject: New pages",
        ),
    ),
    (
        "failed",
        report(
            "postmaster@hmail.example",
            "",
            "Message undeliverable: New pages",
            "Your message did not reach some or all of the intended recipients.\n\n   Subject: New pages\n\nThe following recipient(s) could not be reached:\n\n   tom@reyes.example\n      Error Type: SMTP\n      Error Description: No mail servers appear to exists for the recipient's address.",
        ),
    ),
    (
        "failed",
        report(
            "mdaemon@md.example",
            "MDaemon at md.example",
            "[***] Permanent Delivery Failure",
            "The attached message had PERMANENT fatal delivery errors!\nFailed address: tom@reyes.example\n--- Session Transcript ---\n550 <tom@reyes.example> No such user here",
        ),
    ),
    (
        "delayed",
        report(
            "mailer-daemon@exim.example",
            "Mail Delivery System",
            "Warning: message 1abc-0001 delayed 24 hours",
            "This message was created automatically by mail delivery software.\nA message that you sent has not yet been delivered to one or more of its recipients after more than 24 hours on the queue.\n\nThe address to which the message has not yet been delivered is:\n\n  tom@reyes.example\n\nNo action is required on your part.",
        ),
    ),
    (
        "failed",
        report(
            "noreply@provider.example",
            "Mail System",
            "Mail delivery failed: returning message to sender",
            "A message that you sent could not be delivered to one or more of its recipients. This is a permanent error. The following address(es) failed:\n\n  tom@reyes.example\n    all relevant MX records point to non-existent hosts\n"
            + COPY,
        ),
    ),
    (
        "failed",
        report(
            "system@groupwise.example",
            "System Administrator",
            "Message status - undeliverable",
            "The message that you sent was undeliverable to the following:\n   tom@reyes.example (user not found)",
        ),
    ),
    (
        "failed",
        report(
            "",
            "Courier mail server at mx.example",
            "NOTICE: mail delivery status.",
            "This is a delivery status notification from mx.example, running the Courier mail server.\n\nThe original message was received on Tue\n\nUNDELIVERABLE MAIL\n\nYour message to the following recipients cannot be delivered:\n\n<tom@reyes.example>:\n    mx.reyes.example [192.0.2.1]:\n>>> RCPT TO:<tom@reyes.example>\n<<< 550 User unknown.",
        ),
    ),
    (
        "failed",
        report(
            "e-mail-admin@t-online.example",
            "Mail-System",
            "Nachricht nicht zustellbar",
            "Ihre Nachricht an folgende Empfänger konnte nicht zugestellt werden:\n\ntom@reyes.example: Postfach ist voll\n",
        ),
    ),
    (
        "failed",
        report(
            "mailer-daemon@icloud.example",
            "Mail Delivery System",
            "Undeliverable: New pages",
            "<tom@reyes.example>: host mx said: 550 5.7.1 Message rejected due to policy" + COPY,
        ),
    ),
    (
        "failed",
        report(
            "postmaster@wp.example",
            "",
            "Niedostarczone: New pages",
            "Nie można dostarczyć wiadomości do tom@reyes.example: nie znaleziono użytkownika" + COPY,
        ),
    ),
    (
        "failed",
        report(
            "postmaster@x.example",
            "",
            "Errore di consegna",
            "Non è stato possibile recapitare il messaggio a tom@reyes.example: utente sconosciuto" + COPY,
        ),
    ),
    (
        "failed",
        report(
            "bounce+7f@amazonses.example",
            "",
            "Delivery Status Notification (Failure)",
            "An error occurred while trying to deliver the mail to the following recipients:\ntom@reyes.example" + COPY,
        ),
    ),
    (
        "failed",
        report(
            "mailer_daemon@x.example",
            "",
            "Mail failure",
            "Connected to mx but sender was rejected.\nRCPT TO:<tom@reyes.example>\n554 5.7.1 Relay access denied",
        ),
    ),
    (
        "failed",
        report(
            "administrador@x.example",
            "Administrador del sistema",
            "No se puede entregar: New pages",
            "El mensaje no se pudo entregar a tom@reyes.example. El usuario no existe.",
        ),
    ),
    (
        "failed",
        report(
            "postmaster@nl.example",
            "",
            "Onbestelbaar: New pages",
            "Uw bericht aan tom@reyes.example kon niet worden bezorgd. Ontvanger niet gevonden.",
        ),
    ),
    (
        "failed",
        report(
            "postmaster@pt.example",
            "",
            "Não foi possível entregar: New pages",
            "A sua mensagem para tom@reyes.example não foi possível entregar. O endereço não foi encontrado.",
        ),
    ),
]


@pytest.mark.parametrize(("kind", "email"), REPORTS, ids=lambda value: getattr(value, "subject", value))
def test_a_report_of_any_server_is_read(kind: str, email: Email) -> None:
    verdict = triage(email, OWNER, AROUND)
    assert verdict is not None
    assert verdict.rule == "bounce"
    found = read(email)
    assert found is not None
    assert (found.kind, found.recipients) == (kind, (TOM,))
    assert ("<out-7-1@winter.example>" in found.message_ids) is ("out-7-1" in email.text)


NAMED = [
    # (kind, who was not reached, the report): others are named in it as well.
    (
        "failed",
        TOM,
        report(
            "e500@x.example",
            "",
            "Returned Mail - Error During Delivery",
            f"------ Failed Recipients ------\n\n<{TOM}>: Requested action not taken: mailbox unavailable. [SMTP Error Code 550]\n-------- Returned Mail --------",
        ),
    ),
    (
        "failed",
        TOM,
        report(
            "admin@x.example",
            "",
            "Non-Delivery: New pages",
            f'--- Non-Delivery Report ---\nThe email below could not be delivered to the following user:\n\n"{TOM}" <{TOM}>\n\nOld message:\nask maria@x.example',
        ),
    ),
    (
        "delayed",
        TOM,
        report(
            "postmaster\\@x.example@y.example",
            "",
            "Mail Delivery Warning",
            f'Delivery of email to this address\n\n"{TOM}"\n\nhas been postponed due to a full mailbox.\nWe will continue to try to deliver your message.',
        ),
    ),
    (
        "delayed",
        TOM,
        report(
            "gateway@x.example",
            "",
            "Delivery failure notification",
            f"Your message could not be delivered to the following recipients:\n\n{TOM}\n\nDelivery attempts will continue to be made for 5 day(s).",
        ),
    ),
    (
        "failed",
        TOM,
        report(
            "postmaster@x.example",
            "System Administrator",
            "Undeliverable: New pages",
            f"Your message\n\nTo: list@x.example\nCc: more@x.example\nSubject: New pages\n\ndid not reach the following recipient(s):\n\n{TOM} on Thu, 11 Jul 2026\n    The recipient name is not recognized\n\nDate: Thu, 11 Jul 2026\nFrom: Zoe <zoe@x.example>",
        ),
    ),
    (
        "failed",
        TOM,
        report(
            "postmaster@x.example",
            "",
            "Undeliverable: New pages",
            f"Your message\n\n  To:      list@x.example\n\ndid not reach the following recipient(s):\n\nc=US;a= ;p=X;o=Y;dda:SMTP={TOM}; on Fri, 4 Oct\n    The recipient name is not recognized",
        ),
    ),
    (
        "failed",
        "tomr@aol.example",
        report(
            "mailer-daemon@aol.example",
            "Mail Delivery Subsystem",
            "Mail Delivery Problem",
            "Your mail to the following recipients could not be delivered because they are not accepting mail from maria@x.example:\n\ttomr\n",
        ),
    ),
    (
        "failed",
        TOM,
        report(
            "mailer-daemon@x.example",
            "",
            "Undeliverable: New pages",
            f"Delivery has failed to these recipients or distribution lists:\n\n\t* [{TOM}]: 550 User account is overquota\n\nOriginal message details:\n\n\t* From: maria@x.example\n\t* To: list@x.example",
        ),
    ),
    (
        "failed",
        TOM,
        report(
            "mailer-daemon@x.example",
            "",
            "",
            f"I wasn't able to deliver the following message. Sorry it didn't work out. Subject: New pages To: {TOM} ---Below this line is a copy of the message. zoe@x.example",
        ),
    ),
    (
        "failed",
        "tom@#reyes.example",
        report(
            "mailer-daemon@x.example",
            "",
            "Returned mail",
            "Final-Recipient: RFC822; tom@#reyes.example\nAction: failed\nStatus: 5.1.2",
        ),
    ),
    (
        "failed",
        TOM,
        replace(
            report("", "", "", f"You sent mail to {TOM}. That's not a valid user here."),
            senders=(),
            headers=(("from", "<>"), ("return-path", "<>")),
        ),
    ),
]


@pytest.mark.parametrize(("kind", "who", "email"), NAMED)
def test_who_was_not_reached_stands_below_its_line(kind: str, who: str, email: Email) -> None:
    found = read(email)
    assert found is not None
    assert (found.kind, found.recipients) == (kind, (who,))


def test_a_report_within_a_filters_report_is_read() -> None:
    inner = f"From: postmaster@x.example\nSubject: Report\n\nFinal-Recipient: rfc822; {TOM}\nAction: failed\nStatus: 5.1.1\n"
    raw = (
        "From: postmaster@x.example\nTo: ada@winter.example\nSubject: Delivery Status Notification (Failure)\nMIME-Version: 1.0\n"
        f"Content-Type: multipart/mixed; boundary=b\n\n--b\nContent-Type: message/rfc822\n\n{inner}\n--b--\n"
    )
    found = read(mime.parse(raw.encode()))
    assert found is not None
    assert (found.kind, found.recipients, found.status) == ("failed", (TOM,), "5.1.1")


PEOPLE = [
    report(
        "maria@studio.example",
        "Maria",
        "Mail delivery failed",
        "Hi Ada,\n\nmy mail to you came back, 550 5.1.1 user unknown. Is your address right?\n\nMaria",
    ),
    report(
        "maria@studio.example",
        "Maria",
        "Fwd: Undelivered Mail Returned to Sender",
        "Hi Ada, see below.\n\n---------- Forwarded message ---------\nFrom: MAILER-DAEMON <mailer-daemon@x.example>\n\n<ada@winter.example>: user unknown",
    ),
    report(
        "maria@studio.example",
        "Maria",
        "Undeliverable",
        "Hi Ada,\nyesterday's mail could not be delivered. I send it again.\nMaria",
    ),
    report(
        "maria@studio.example", "Maria", "Delivery failed", "The parcel could not be delivered; shall I send it again?"
    ),
    report("exchange@studio.example", "Exchange", "Exchange server migration", "Hi Ada, could you migrate our server?"),
    report("admin@studio.example", "System Administrator", "New project", "Hi Ada,\nwe need a system."),
    report(
        "maria@studio.example",
        "Maria",
        "Re: Undeliverable: New pages",
        "Now it works, thanks. I have not delivered it yet.",
    ),
    report("jan@studio.example", "Jan Postmaster", "Offer", "Hi Ada, what does it cost?"),
    report(
        "maria@studio.example",
        "Maria",
        "Zustellung verzögert",
        "Hallo Ada, die Lieferung der Bilder ist verzögert und konnte nicht zugestellt werden. Wir melden uns.",
    ),
    report("maria@studio.example", "Maria", "Rejected: your offer", "Hello Ada, we could not accept it. Sorry."),
]


@pytest.mark.parametrize("email", PEOPLE, ids=lambda email: email.subject)
def test_a_person_who_writes_about_a_report_is_a_person(email: Email) -> None:
    assert triage(email, OWNER, AROUND) is None
    assert read(email) is None


@pytest.mark.parametrize(
    ("action", "status", "kind"),
    [
        ("failed", "5.1.1", "failed"), ("Failed (bad address)", "5.0.0", "failed"), ("failure", "5.1.1", "failed"),
        ("expired", "4.4.7", "failed"), ("undeliverable", "", "failed"), ("delayed", "4.4.1", "delayed"),
        ("deferred", "4.2.0", "delayed"), ("gave-up", "5.4.7", "failed"), ("waiting", "4.4.1", "delayed"),
        ("delivered", "2.0.0", None), ("relayed", "2.1.5", None), ("expanded", "2.0.0", None), ("done", "2.0.0", None),
    ],
)  # fmt: skip
def test_the_action_counts_however_a_server_calls_it(action: str, status: str, kind: str | None) -> None:
    text = f"Final-Recipient: rfc822; {TOM}\nAction: {action}\nStatus: {status}\n{COPY}"
    found = read(report("mailer-daemon@x.example", "", "Report", text))
    assert (found and found.kind) == kind


def test_a_person_who_attaches_a_report_is_a_person() -> None:
    part = Attachment(name="report", size=1, sha256="0", content_type="message/delivery-status")
    email = mail("Hi Ada,\n\nthis came back. Is your address right?\n\nMaria", attachments=(part,))
    assert triage(email, OWNER, AROUND) is None
    assert read(replace(email, subject="Fwd: Undeliverable: x")) is None


def test_no_helper_and_no_message_id_is_taken_for_who_was_not_reached() -> None:
    text = f"Could not deliver <abc.1@reyes.example> to {TOM}. Ask postmaster@reyes.example or support@x.example."
    assert re.search("postmaster", text)
    found = read(report("mailer-daemon@x.example", "", "Undeliverable", f"{text}\nMessage-ID: <abc.1@reyes.example>"))
    assert found is not None
    assert found.recipients == (TOM,)
