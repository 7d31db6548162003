"""Connections to the mail servers, step by step: reach one, begin TLS, log in; nothing is sent."""

import asyncio
import ssl
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Literal

from tools.mail.account import Account
from workers.check.probing import PATIENCE
from workflows.errors import NeedsOwner


async def connect(account: Account) -> str:
    """Open and close a connection to the server."""
    async with _connected(account):
        return f"{account.host}:{account.port}"


@asynccontextmanager
async def _connected(account: Account) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    address = f"{account.host}:{account.port}"
    try:
        async with asyncio.timeout(PATIENCE):
            reader, writer = await asyncio.open_connection(account.host, account.port)
    except TimeoutError:
        raise NeedsOwner(f"{address} does not answer.", "Check host and port, and the firewall.") from None
    except OSError as error:
        reason = error.strerror or str(error)
        raise NeedsOwner(f"{address} cannot be reached ({reason}).", "Check host, port and the network.") from None
    try:
        yield reader, writer
    finally:
        writer.close()


async def handshake(account: Account, protocol: Literal["imap", "smtp"]) -> str:
    """Begin TLS as the settings say and verify chain and host name; no password is sent.

    Raises:
        NeedsOwner: the certificate is refused, or the server does not offer TLS.
    """
    from tools.mail import tls

    if account.tls == "none":
        tls.require_loopback(account, protocol)
        return "none (this machine)"
    context = await asyncio.to_thread(tls.context, account)
    async with _connected(account) as (reader, writer):
        try:
            async with asyncio.timeout(PATIENCE):
                if account.tls == "starttls":
                    await _ask_starttls(reader, writer, protocol)
                await writer.start_tls(context, server_hostname=account.host)
        except (OSError, TimeoutError, asyncio.IncompleteReadError) as error:
            raise _tls_problem(account, protocol, error) from None
        session: ssl.SSLObject = writer.get_extra_info("ssl_object")
        return f"{session.version()}, certificate of {account.host} verified"


def _tls_problem(account: Account, protocol: str, error: Exception) -> NeedsOwner:
    from tools.mail import tls

    return tls.certificate_problem(account, error) or NeedsOwner(
        f"{account.host}:{account.port} broke off while TLS began.", f"Check {protocol}.port and {protocol}.tls."
    )


async def _ask_starttls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, protocol: str) -> None:
    """The few plain words before STARTTLS."""
    if protocol == "imap":
        await reader.readline()
        answer = await _said(reader, writer, b"a STARTTLS\r\n", b"a ")
        well = answer.upper().startswith(b"A OK")
    else:
        await _reply(reader)
        writer.write(b"EHLO localhost\r\n")
        await _reply(reader)
        writer.write(b"STARTTLS\r\n")
        well = (await _reply(reader)).startswith(b"220")
    if not well:
        raise NeedsOwner(
            "The server does not offer STARTTLS, so the password would travel unprotected.",
            f'Set {protocol}.tls = "implicit" with port {"993" if protocol == "imap" else "465"}.',
        )


async def _said(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, line: bytes, tag: bytes) -> bytes:
    writer.write(line)
    while answer := await reader.readline():
        if answer.lower().startswith(tag):
            return answer
    raise ConnectionResetError


async def _reply(reader: asyncio.StreamReader) -> bytes:
    """The last line of an SMTP reply."""
    while answer := await reader.readline():
        if answer[3:4] != b"-":
            return answer
    raise ConnectionResetError


async def imap_login(account: Account) -> str:
    """Log in and out; raises NeedsOwner or Retryable in plain words."""
    from tools.mail.inbox import Mailbox

    mailbox = Mailbox(account)
    try:
        await mailbox.capabilities()
    finally:
        await mailbox.close()
    return account.user


async def smtp_login(account: Account) -> str:
    """Log in and out, nothing is sent; raises NeedsOwner or Retryable in plain words."""
    from tools.mail.sending.smtp import Transport

    await Transport(account).probe()
    return account.user or "no login (this machine)"
