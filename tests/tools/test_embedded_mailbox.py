"""The demo's mailbox: real IMAP and SMTP, in memory, on loopback."""

import asyncio
import imaplib
import smtplib
import time
from datetime import UTC, datetime

import imaplib2
import pytest

from tests.patience import PATIENCE, SHORTEST
from tools.mail import mime
from tools.mail.embedded import HOST, EmbeddedMail
from tools.mail.inbox import Mailbox
from tools.mail.sending.smtp import Transport
from workflows.errors import NeedsOwner
from workflows.models.mail import Address

ADA, MARIA = "ada@winter.example", "maria@studio.example"
MAIL = mime.compose(
    sender=Address(email=ADA, name="Ada"),
    to=(Address(email=MARIA),),
    subject="Kick-off?",
    body="Thursday ☕\n.\n..\nFrom me\n",
    message_id="<1@winter.example>",
    date=datetime(2026, 11, 23, tzinfo=UTC),
)


@pytest.fixture
async def mail():
    async with EmbeddedMail() as servers:
        yield servers


async def nothing() -> None:
    pass


async def send(mail: EmbeddedMail, *recipients: str, content=MAIL) -> None:
    await Transport(mail.account_for(ADA).smtp).submit(content, ADA, recipients, nothing)


async def test_accepted_mail_lies_byte_for_byte_in_every_recipients_inbox(mail):
    await send(mail, MARIA, "Joe@Studio.example", ADA)
    for user in (MARIA, "joe@studio.example", ADA):
        assert await mail.messages(user) == [MAIL]
    assert await mail.messages("nobody@else.example") == []


async def test_delivered_mail_is_heard_by_whoever_idles(mail):
    account = mail.account_for(ADA).imap
    client = await asyncio.to_thread(imaplib2.IMAP4, account.host, account.port)
    try:
        await asyncio.to_thread(client.login, account.user, account.password)
        await asyncio.to_thread(client.select, "INBOX", readonly=True)
        idling = asyncio.create_task(asyncio.to_thread(client.idle, timeout=PATIENCE))
        started = time.monotonic()
        while not idling.done():  # IDLE may not have begun yet: mails come until it ends
            await mail.deliver(ADA, MAIL)
            await asyncio.wait([idling], timeout=0.2)
        assert time.monotonic() - started < SHORTEST
        assert client.response("EXISTS")[1] != [None]
    finally:
        await asyncio.to_thread(client.logout)


async def test_any_bytes_come_back_as_they_are(mail):
    strange = [
        b"Date: nonsense\r\n\r\n\xff\x00\x80\r\n",
        b"A: b\n\nlf only\n",
        b"\r\nbody\r\n",
        b"A: b\r\n\r\nx",
        MAIL * 500,
    ]
    for raw in strange:
        await mail.deliver(ADA, raw)
    assert await mail.messages(ADA) == strange


async def test_sent_folder_is_there_and_found(mail):
    account = mail.account_for(ADA).imap
    mailbox = Mailbox(account)
    try:
        assert [folder.name for folder in await mailbox.sent_folders()] == ["Sent"]
        await mailbox.append("Sent", MAIL)
        assert len(await mailbox.find("Sent", message_id="<1@winter.example>")) == 1
        assert await mailbox.find("Sent", message_id="<2@winter.example>") == ()
    finally:
        await mailbox.close()
    assert await mail.messages(ADA, "Sent") == [MAIL]


async def test_wrong_password_is_refused_at_both(mail):
    accounts = mail.account_for(ADA)

    def wrong_imap() -> None:
        with imaplib.IMAP4(HOST, accounts.imap.port, timeout=PATIENCE) as client:
            client.login(ADA, "wrong")

    def wrong_smtp() -> None:
        with smtplib.SMTP(HOST, accounts.smtp.port, timeout=PATIENCE) as client:
            client.login(ADA, "wrong")

    with pytest.raises(imaplib.IMAP4.error):
        await asyncio.to_thread(wrong_imap)
    with pytest.raises(smtplib.SMTPAuthenticationError):
        await asyncio.to_thread(wrong_smtp)


async def test_smtp_without_login_is_refused(mail):
    accounts = mail.account_for(ADA)
    with pytest.raises(NeedsOwner, match="wants a login"):
        await Transport(type(accounts.smtp)(host=HOST, port=accounts.smtp.port, tls="none")).submit(
            MAIL, ADA, (MARIA,), nothing
        )
    assert await mail.messages(MARIA) == []


async def test_start_is_quick_and_stop_leaves_nothing(mail):
    begun = time.process_time()
    other = EmbeddedMail()
    await other.start()
    assert time.process_time() - begun < 1.5
    port = other.account_for(ADA).imap.port
    await other.deliver(ADA, MAIL)
    await other.stop()
    await other.stop()
    with pytest.raises(ConnectionRefusedError):
        await asyncio.open_connection(HOST, port)


async def test_busy_main_loop_does_not_stall_the_servers(mail):
    accounts = mail.account_for(ADA)
    with smtplib.SMTP(HOST, accounts.smtp.port, timeout=PATIENCE) as client:  # blocks this loop on purpose
        client.login(ADA, accounts.smtp.password)
        client.sendmail(ADA, [MARIA], MAIL)
    assert await mail.messages(MARIA) == [MAIL]
