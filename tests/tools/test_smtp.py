"""The transport against a real SMTP server: every fault has one truthful outcome."""

import ssl
from dataclasses import replace

import pytest

from tests.servers.certificates import Certificate, Certificates, make_certificates
from tests.servers.smtp import (
    ACCEPT_THEN_DROP,
    DROP_BEFORE_ACCEPT,
    PERMANENT,
    STALL,
    TEMPORARY,
    Fault,
    RecordingSmtp,
)
from tools.mail.account import Account
from tools.mail.sending.servers import stated_id
from tools.mail.sending.smtp import SmtpPatience, SmtpRefused, Submitted, Transport, Uncertain
from workflows.errors import NeedsOwner, Permanent, Retryable

SENDER, CLIENT = "ada@winter.example", "maria@studio.example"
MAIL = b"From: ada@winter.example\r\nTo: maria@studio.example\r\nSubject: Hi\r\n\r\n.dot\r\n..two\r\nend\r\n"
LARGE = MAIL + (b"x" * 900 + b"\r\n") * 20_000  # 18 MB, more than the buffers of a loopback connection
SES_ID = "0100018f0e2b4c5d-1a2b3c4d-5e6f-7081-92a3-b4c5d6e7f809-000000"
SES = f"Ok {SES_ID}"
SHORT = SmtpPatience(connect=1, command=0.5, final=0.5)


class Committing:
    """Counts how often the last step before DATA was taken, and can refuse it."""

    def __init__(self, error: Exception | None = None):
        self.times, self.error = 0, error

    async def __call__(self) -> None:
        self.times += 1
        if self.error is not None:
            raise self.error


def account(server: RecordingSmtp, **changes) -> Account:
    return replace(Account(host=server.host, port=server.port, tls=server.tls), **changes)


async def submit(server: RecordingSmtp, content=MAIL, recipients=(CLIENT,), step=None, sender=SENDER, **changes):
    transport = Transport(account(server, **changes), SHORT)
    return await transport.submit(content, sender, recipients, step or Committing())


@pytest.fixture(scope="module")
def certificates(tmp_path_factory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("smtp-certificates"))


def context(certificate: Certificate) -> ssl.SSLContext:
    made = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    made.load_cert_chain(certificate.certificate, certificate.key)
    return made


async def test_bytes_arrive_exactly_dots_and_all(smtp_server):
    step = Committing()
    result = await submit(smtp_server, step=step)
    assert smtp_server.delivered[0].content == MAIL
    assert smtp_server.delivered[0].recipients == (CLIENT,)
    assert step.times == 1
    assert result.reply.startswith("250 ")
    assert result.server_id == ""


async def test_large_mail_arrives_exactly(smtp_server):
    transport = Transport(account(smtp_server))
    await transport.submit(LARGE, SENDER, (CLIENT,), Committing())
    assert smtp_server.delivered[0].content == LARGE


async def test_server_id_is_read_from_the_reply():
    with RecordingSmtp(rewrite_ids=True) as server:
        result = await submit(server)
        assert result == Submitted(reply=result.reply, server_id=server.delivered[0].server_id)
        assert result.server_id.endswith("@mx.provider.example>")


@pytest.mark.parametrize(
    ("host", "reply", "given"),
    [
        ("smtp.office365.com", "2.0.0 OK <AM0PR1@EUR.PROD.OUTLOOK.COM> [Hostname=x]", "<AM0PR1@EUR.PROD.OUTLOOK.COM>"),
        ("email-smtp.us-east-1.amazonaws.com", SES, f"<{SES_ID}@email.amazonses.com>"),
        ("EMAIL-SMTP.eu-west-1.amazonaws.com", SES, f"<{SES_ID}@eu-west-1.amazonses.com>"),
        ("email-smtp-fips.us-west-2.amazonaws.com", SES, f"<{SES_ID}@us-west-2.amazonses.com>"),
        ("email-smtp.eu-west-1.amazonaws.com.evil.example", SES, ""),
        ("smtp.posteo.de", "2.0.0 Ok: queued as 4XyZ", ""),
    ],
)
def test_the_id_that_a_server_gives_is_read_as_it_states_it(host: str, reply: str, given: str) -> None:
    assert stated_id(host, reply) == given


async def test_machine_name_stays_private(smtp_server):
    await submit(smtp_server)
    assert smtp_server.commands[0] == (1, "EHLO [127.0.0.1]")


@pytest.mark.parametrize("at", ["connect", "ehlo", "mail", "rcpt", "data"])
@pytest.mark.parametrize("do", ["drop", "stall"])
async def test_lost_before_the_final_dot_is_retryable(smtp_server, at, do):
    smtp_server.play(Fault(at, do))
    step = Committing()
    with pytest.raises(Retryable):
        await submit(smtp_server, step=step)
    assert smtp_server.delivered == []
    assert step.times == (1 if at == "data" else 0)
    await submit(smtp_server)
    assert len(smtp_server.delivered) == 1


@pytest.mark.parametrize("do", ["drop", "stall"])
async def test_lost_in_the_middle_of_a_large_mail_is_retryable(smtp_server, do):
    smtp_server.play(Fault("content", do))
    with pytest.raises(Retryable):
        await submit(smtp_server, content=LARGE)
    assert smtp_server.delivered == []
    assert smtp_server.transactions[0].content is None


@pytest.mark.parametrize("at", ["mail", "rcpt", "data", "final"])
@pytest.mark.parametrize(("reply", "error"), [("451 4.3.0 later", Retryable), ("550 5.7.1 no", SmtpRefused)])
async def test_clear_refusal_means_not_accepted(smtp_server, at, reply, error):
    smtp_server.play(Fault(at, "reply", reply))
    with pytest.raises(error, match=reply.split()[-1]):
        await submit(smtp_server)
    assert smtp_server.delivered == []


@pytest.mark.parametrize("reply", ["421 4.3.2 shutting down", "554 5.5.4 no service for you"])
async def test_refused_at_the_door(smtp_server, reply):
    smtp_server.play(Fault("connect", "reply", reply))
    with pytest.raises(Retryable if reply.startswith("4") else SmtpRefused):
        await submit(smtp_server)


@pytest.mark.parametrize("fault", [DROP_BEFORE_ACCEPT, ACCEPT_THEN_DROP, STALL, Fault("final", "accept_then_stall")])
async def test_no_answer_to_the_final_dot_is_uncertain(smtp_server, fault):
    smtp_server.play(fault)
    with pytest.raises(Uncertain, match="may or may not have left"):
        await submit(smtp_server)
    assert len(smtp_server.delivered) == (1 if fault.do.startswith("accept") else 0)


@pytest.mark.parametrize("reply", ["nonsense", "354 what", "250-never ends"])
async def test_unreadable_answer_to_the_final_dot_is_uncertain(smtp_server, reply):
    smtp_server.play(Fault("final", "reply", reply))
    with pytest.raises(Uncertain):
        await submit(smtp_server)


async def test_one_refused_recipient_means_nobody_gets_it(smtp_server):
    smtp_server.refused.add("gone@studio.example")
    step = Committing()
    with pytest.raises(SmtpRefused, match=r"gone@studio\.example: 550"):
        await submit(smtp_server, recipients=(CLIENT, "gone@studio.example", "joe@studio.example"), step=step)
    assert step.times == 0
    assert smtp_server.delivered == []
    assert smtp_server.transactions[0].content is None
    assert smtp_server.transactions[0].reset


async def test_greylisted_recipient_is_retryable(smtp_server):
    smtp_server.play(Fault("rcpt", "reply", "450 4.2.0 greylisted", recipient="joe@studio.example"))
    with pytest.raises(Retryable, match="greylisted"):
        await submit(smtp_server, recipients=(CLIENT, "joe@studio.example"))
    assert smtp_server.delivered == []


async def test_nothing_is_sent_when_committing_cannot_be_written(smtp_server):
    with pytest.raises(NeedsOwner, match="disk"):
        await submit(smtp_server, step=Committing(NeedsOwner("The disk is full.")))
    assert smtp_server.delivered == []
    assert "DATA" not in [command for _, command in smtp_server.commands]


@pytest.mark.parametrize("content", [b"a: b\n\nlf\n", b"a: b\r\n\r\nno end", b"a: b\r\n\r\nbare \r cr\r\n", b""])
async def test_bytes_that_would_be_changed_are_refused_unsent(smtp_server, content):
    with pytest.raises(Permanent):
        await submit(smtp_server, content=content)
    assert smtp_server.connections == 0


async def test_smtputf8_only_when_needed(smtp_server):
    await submit(smtp_server)
    await submit(smtp_server, recipients=("jürgen@studio.example",))
    mails = [command for _, command in smtp_server.commands if command.startswith("MAIL")]
    assert "SMTPUTF8" not in mails[0]
    assert "SMTPUTF8" in mails[1]
    assert smtp_server.delivered[1].recipients == ("jürgen@studio.example",)


async def test_international_address_at_an_old_server_is_refused():
    with RecordingSmtp(extensions=()) as server:
        with pytest.raises(SmtpRefused, match="ASCII"):
            await submit(server, recipients=("jürgen@studio.example",))
        assert server.transactions == []


async def test_command_injection_in_an_address_is_refused(smtp_server):
    for address in ("a@b.example>\r\nRCPT TO:<evil@x.example", "a@b.example> <evil@x.example", "a b@x.example", ""):
        with pytest.raises(Permanent):
            await submit(smtp_server, recipients=(CLIENT, address))
    assert smtp_server.connections == 0


async def test_server_that_is_away_is_retryable(smtp_server):
    smtp_server.close()
    with pytest.raises(Retryable, match="cannot be reached"):
        await submit(smtp_server)
    smtp_server.start()
    await submit(smtp_server)
    assert len(smtp_server.delivered) == 1


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
async def test_login_over_verified_tls(certificates, tls):
    with RecordingSmtp(tls=tls, context=context(certificates.good), users={"ada": "pä ss"}) as server:
        result = await submit(server, user="ada", password="pä ss", ca_file=certificates.ca)
        assert result.reply
        assert server.logins == ["ada"]
        await Transport(account(server, user="ada", password="pä ss", ca_file=certificates.ca)).probe()
        assert server.logins == ["ada", "ada"]
        assert len(server.transactions) == 1


@pytest.mark.parametrize("tls", ["implicit", "starttls"])
@pytest.mark.parametrize(
    ("name", "words"),
    [
        ("expired", "expired"),
        ("wrong_name", "another host name"),
        ("self_signed", "self-signed"),
        ("good", "authority"),
    ],
)
async def test_untrusted_certificate_gets_no_password(certificates, tls, name, words):
    ca = None if name == "good" else certificates.ca
    with RecordingSmtp(tls=tls, context=context(getattr(certificates, name)), users={"ada": "geheim"}) as server:
        with pytest.raises(NeedsOwner, match=words) as caught:
            await submit(server, user="ada", password="geheim", ca_file=ca)
        assert caught.value.mend
        assert b"AUTH" not in b"".join(server.received.values())
        assert server.logins == []


async def test_stripped_starttls_gets_no_password(certificates):
    made = context(certificates.good)
    with RecordingSmtp(tls="starttls", context=made, users={"ada": "geheim"}, offer_starttls=False) as server:
        with pytest.raises(NeedsOwner, match="no STARTTLS"):
            await submit(server, user="ada", password="geheim", ca_file=certificates.ca)
        assert b"AUTH" not in b"".join(server.received.values())


async def test_plain_port_with_implicit_tls_is_told(smtp_server):
    with pytest.raises((NeedsOwner, Retryable)):
        await submit(smtp_server, tls="implicit", user="ada", password="geheim")
    assert b"geheim" not in b"".join(smtp_server.received.values())


async def test_old_tls_is_refused(certificates):
    made = context(certificates.good)
    made.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.warns(DeprecationWarning, match="TLSv1"):
        made.minimum_version, made.maximum_version = ssl.TLSVersion.TLSv1, ssl.TLSVersion.TLSv1
    with RecordingSmtp(tls="implicit", context=made, users={"ada": "geheim"}) as server:
        with pytest.raises((NeedsOwner, Retryable)):  # by how the server ends the handshake: an alert, or a mere close
            await submit(server, user="ada", password="geheim", ca_file=certificates.ca)
        assert server.received == {}


async def test_no_tls_beyond_this_machine():
    transport = Transport(Account(host="mail.winter.example", port=25, tls="none", user="a", password="b"))
    with pytest.raises(NeedsOwner, match="not this machine"):
        await transport.probe()


@pytest.mark.parametrize(
    ("reply", "words"),
    [
        ("535 5.7.8 bad credentials", "refused the login of ada"),
        ("534 5.7.9 Application-specific password required", "app password"),
        ("535 5.7.139 Authentication unsuccessful, basic authentication is disabled", "Microsoft"),
    ],
)
async def test_wrong_password_is_told_in_plain_words_and_tried_once(reply, words):
    with RecordingSmtp(users={"ada": "right"}, auth_error=reply) as server:
        with pytest.raises(NeedsOwner, match=words) as caught:
            await submit(server, user="ada", password="wrong")
        assert "wrong" not in str(caught.value)
        assert len([command for _, command in server.commands if command.startswith("AUTH")]) == 1


async def test_login_that_cannot_be_checked_now_is_retryable():
    with (
        RecordingSmtp(users={"ada": "right"}, auth_error="454 4.7.0 temporary failure") as server,
        pytest.raises(Retryable),
    ):
        await submit(server, user="ada", password="right?")


async def test_server_that_wants_a_login_says_so():
    with RecordingSmtp(users={"ada": "right"}) as server, pytest.raises(NeedsOwner, match="wants a login"):
        await submit(server)


async def test_faults_leave_the_next_mail_alone(smtp_server):
    smtp_server.play(TEMPORARY, PERMANENT, DROP_BEFORE_ACCEPT, None)
    for error in (Retryable, SmtpRefused, Uncertain):
        with pytest.raises(error):
            await submit(smtp_server)
    await submit(smtp_server)
    assert [mail.content for mail in smtp_server.delivered] == [MAIL]
