"""SMTP: give a server exactly these bytes for these recipients, and say truthfully what became of them.

DeskhandError
├── Retryable            nothing was accepted: the server is away, busy, or said 4xx
├── Permanent
│   └── Refused          nothing was accepted and never will be: 5xx, a refused recipient
├── NeedsOwner           password, certificate, settings
└── Uncertain            the final dot was sent and no answer came: only evidence can tell
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass

from aiosmtplib import (
    SMTP,
    SMTPAuthenticationError,
    SMTPException,
    SMTPResponseException,
)
from aiosmtplib.protocol import SMTPProtocol
from aiosmtplib.response import SMTPResponse

from tools.mail import login, tls
from tools.mail.account import Account
from tools.mail.sending.servers import stated_id
from workflows.errors import DeskhandError, NeedsOwner, Permanent, Retryable

_EHLO_NAME = "[127.0.0.1]"  # what mail programs say; the machine's real name is nobody's business
_BARE_LINE_END = re.compile(rb"\r(?!\n)|(?<!\r)\n")
_LEADING_DOT = re.compile(rb"(?m)^\.")
_ADDRESS = re.compile(r"[^\s<>\x00-\x1f\x7f]+@[^\s<>\x00-\x1f\x7f]+")

_AUTH_NEEDED, _PERMANENT = 530, 500
_OK, _START_INPUT = 250, 354


class SmtpRefused(Permanent):
    """The server said no for good; nothing was sent to anyone."""


class Uncertain(DeskhandError):
    """The whole mail was handed over and no answer came: it may or may not have been taken. Never retry blindly."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Submitted:
    """The server took the mail. `server_id`: the Message-ID it says it gave, "" when it says none."""

    reply: str
    server_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class SmtpPatience:
    """Seconds to wait: for the connection and TLS, for each command, for the answer to the final dot."""

    connect: float = 15
    command: float = 20
    final: float = 100  # scanners run before the answer; giving up early turns a sent mail into an uncertain one


@dataclass(frozen=True, slots=True)
class Transport:
    """One SMTP account. Each submission is a connection of its own; nothing is kept between them."""

    account: Account
    patience: SmtpPatience = SmtpPatience()

    async def submit(
        self,
        content: bytes,
        sender: str,
        recipients: Sequence[str],
        before_data: Callable[[], Awaitable[None]],
    ) -> Submitted:
        """Send these bytes (CRLF line ends) to all recipients or to none.

        `before_data` is awaited after every recipient was accepted, just before DATA; when it raises, nothing is sent.

        Raises:
            Refused: the server will not take it. Retryable: it was not taken now. Uncertain: no answer to the final
            dot. NeedsOwner: login, certificate or settings.
        """
        if _BARE_LINE_END.search(content) or not content.endswith(b"\r\n"):
            raise Permanent("A mail whose lines do not end in CRLF cannot be sent unchanged; compose it anew.")
        for address in (sender, *recipients):
            if not _ADDRESS.fullmatch(address):
                raise Permanent(f"{address!r} is no mail address, so nothing was sent; mend it where it is kept.")
        if not recipients:
            raise Permanent("A mail without recipients cannot be sent.")
        async with self._session() as client:
            with self._plainly():
                await self._envelope(client, content, sender, recipients)
            await before_data()
            return await self._data(client, content)

    async def probe(self) -> None:
        """Connect and log in, send nothing; raises as `submit` does."""
        async with self._session() as client:
            with self._plainly():
                await client.noop()

    async def takes_beyond_ascii(self) -> bool:
        """Whether the server takes addresses with letters beyond ASCII (SMTPUTF8); raises as `submit` does."""
        async with self._session() as client:
            return client.supports_extension("smtputf8")

    @contextlib.asynccontextmanager
    async def _session(self) -> AsyncIterator[SMTP]:
        tls.require_loopback(self.account, "smtp")
        secured = None if self.account.tls == "none" else await asyncio.to_thread(tls.context, self.account)
        client = SMTP(
            hostname=self.account.host,
            port=self.account.port,
            use_tls=self.account.tls == "implicit",
            start_tls=False,
            tls_context=secured,
            timeout=self.patience.command,
            local_hostname=_EHLO_NAME,
        )
        try:
            with self._plainly():
                await client.connect(timeout=self.patience.connect)
                await self._secure(client)
                await self._login(client)
            yield client
            with contextlib.suppress(SMTPException, OSError):
                await client.quit(timeout=2)
        finally:
            client.close()

    async def _secure(self, client: SMTP) -> None:
        await client.ehlo()
        if self.account.tls != "starttls":
            return
        if not client.supports_extension("starttls"):
            raise NeedsOwner(
                f"{self._where} offers no STARTTLS, so the password was not sent.",
                'Check smtp.port, or set smtp.tls to "implicit" (port 465). On a foreign network someone may be '
                "tampering with the connection.",
            )
        await client.starttls(timeout=self.patience.connect)
        await client.ehlo()

    async def _login(self, client: SMTP) -> None:
        if not self.account.user:
            return
        # One method, once: trying each in turn makes three wrong passwords of one, and accounts get locked.
        methods = client.server_auth_methods
        user, password = self.account.user, self.account.password
        try:
            if "plain" in methods:
                await client.auth_plain(user, password)
            elif "login" in methods:
                await client.auth_login(user, password)
            elif "cram-md5" in methods:
                await client.auth_crammd5(user, password)
            else:
                raise NeedsOwner(
                    f"{self._where} accepts no password login (it offers: {', '.join(methods) or 'nothing'}).",
                    "Check smtp.host and smtp.port; a provider that wants OAuth alone cannot be used this way.",
                )
        except SMTPAuthenticationError as error:
            raise self._login_problem(error) from None  # a server may repeat what it was sent

    def _login_problem(self, error: SMTPAuthenticationError) -> DeskhandError:
        answer = f"{error.code} {login.shown(self.account, error.message)}"
        lower = error.message.lower()
        if error.code < _PERMANENT or login.is_busy(error.message):
            return Retryable(f"{self._where} cannot check the login right now: {answer}")
        if "application-specific" in lower or "app password" in lower:
            return NeedsOwner(
                f"{self._where} wants an app password for {self.account.user}: {answer}",
                "Make one in the account's security settings and put it where smtp.password or password_file points.",
            )
        if "basic authentication is disabled" in lower or "5.7.139" in lower:
            return NeedsOwner(
                f"{self._where} refuses passwords altogether: {answer}",
                "Microsoft has switched them off for this mailbox; let its administrator allow SMTP AUTH, or use "
                "another mailbox.",
            )
        return NeedsOwner(
            f"{self._where} refused the login of {self.account.user}: {answer}",
            "Check smtp.user and the password (smtp.password, password_file or DESKHAND_SMTP__PASSWORD).",
        )

    async def _envelope(self, client: SMTP, content: bytes, sender: str, recipients: Sequence[str]) -> None:
        options, encoding = self._options(client, content, (sender, *recipients))
        await client.mail(sender, options=options, encoding=encoding)
        problems: list[tuple[int, str]] = []
        for recipient in recipients:
            try:
                await client.rcpt(recipient, encoding=encoding)
            except SMTPResponseException as error:
                problems.append((error.code, f"{recipient}: {error.code} {error.message}".replace("\n", " ")))
        if not problems:
            return
        with contextlib.suppress(SMTPException, OSError):
            await client.rset()
        summary = "; ".join(text for _, text in problems)
        if any(code >= _PERMANENT for code, _ in problems):
            raise SmtpRefused(f"{self._where} refused a recipient, so nothing was sent to anyone: {summary}")
        raise Retryable(f"{self._where} does not take a recipient right now: {summary}")

    def _options(self, client: SMTP, content: bytes, addresses: Sequence[str]) -> tuple[list[str], str]:
        header = content.split(b"\r\n\r\n", 1)[0]
        options = [f"SIZE={len(content)}"] if client.supports_extension("size") else []
        if not content.isascii() and client.supports_extension("8bitmime"):
            options.append("BODY=8BITMIME")
        if header.isascii() and all(address.isascii() for address in addresses):
            return options, "ascii"
        if not client.supports_extension("smtputf8"):
            raise SmtpRefused(
                f"{self._where} cannot send to or from addresses with letters beyond ASCII; nothing was sent."
            )
        return [*options, "SMTPUTF8"], "utf-8"

    async def _data(self, client: SMTP, content: bytes) -> Submitted:
        # Up to the final dot the server may not take the mail (RFC 5321, 4.1.1.4): every failure is safe to retry.
        with self._plainly():
            answer = await client.execute_command(b"DATA")
            if answer.code != _START_INPUT:
                raise SMTPResponseException(answer.code, answer.message)
            protocol = client.protocol
            if protocol is None:
                raise SMTPException("the connection was lost")
            protocol.write(_LEADING_DOT.sub(b"..", content))
            await self._drained(protocol)
        final = await self._final_dot(protocol)
        if final.code == _OK:
            server_id = stated_id(self.account.host, final.message)
            return Submitted(reply=f"{final.code} {final.message}", server_id=server_id)
        # A clear 4xx or 5xx means not accepted; anything else is no answer that one can build on.
        with self._plainly():
            if 400 <= final.code < 600:  # noqa: PLR2004
                raise SMTPResponseException(final.code, final.message)
        raise Uncertain(self._unknown(f"the answer was {final.code} {final.message}"))

    async def _drained(self, protocol: SMTPProtocol) -> None:
        """Wait until the bytes have left; aiosmtplib has no drain. Stalls longer than a command may take raise."""
        previous, idle = -1, 0.0
        while (transport := protocol.transport) is not None and (now := _unsent(transport)):
            idle = 0.0 if now != previous else idle + 0.02
            if idle > self.patience.command:
                raise SMTPException("it stopped reading")
            previous = now
            await asyncio.sleep(0.02)

    async def _final_dot(self, protocol: SMTPProtocol) -> SMTPResponse:
        with self._plainly():
            protocol.write(b".\r\n")  # raises before a byte has left when the connection is already known to be gone
        try:
            return await protocol.read_response(timeout=self.patience.final)
        except SMTPResponseException as error:
            raise Uncertain(self._unknown(f"its answer was not SMTP: {error.message}")) from error
        except (SMTPException, OSError) as error:
            raise Uncertain(self._unknown(str(error) or type(error).__name__)) from error

    @contextlib.contextmanager
    def _plainly(self) -> Iterator[None]:
        """Say what aiosmtplib raises as one of ours. For every step at which nothing has been accepted."""
        try:
            yield
        except SMTPResponseException as error:
            answer = f"{error.code} {error.message}".replace("\n", " ")
            if error.code == _AUTH_NEEDED:
                raise NeedsOwner(
                    f"{self._where} wants a login or TLS first: {answer}", "Set smtp.user, smtp.password and smtp.tls."
                ) from error
            if error.code >= _PERMANENT:
                raise SmtpRefused(f"{self._where} refused the mail, nothing was sent: {answer}") from error
            raise Retryable(f"{self._where} did not take the mail yet: {answer}") from error
        except (SMTPException, OSError) as error:
            problem = tls.certificate_problem(self.account, error)
            if problem is not None:
                raise problem from error
            raise Retryable(
                f"{self._where} cannot be reached or dropped the connection before the mail was sent ({error}); "
                "it is tried again."
            ) from error

    def _unknown(self, why: str) -> str:
        return (
            f"{self._where} was handed the whole mail and gave no clear answer ({why}), so it may or may not have left."
        )

    @property
    def _where(self) -> str:
        return f"The SMTP server {self.account.host}:{self.account.port}"


def _unsent(transport: asyncio.BaseTransport) -> int:
    return transport.get_write_buffer_size() if isinstance(transport, asyncio.WriteTransport) else 0
