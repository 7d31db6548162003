"""The demo's mailbox: a real IMAP server (pymap, in memory, with IDLE) and a real SMTP server (aiosmtpd) on loopback.

Both run in a thread with a loop of its own: a start takes a third of a second, nothing is left behind when the
process ends, and a busy main loop cannot stall them. Every address has a mailbox as soon as it is named.
"""

import asyncio
import secrets
import ssl
import threading
from argparse import Namespace
from collections.abc import AsyncIterator, Callable, Coroutine
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from typing import Any, Self, TypeVar

from tools.mail.account import Account
from tools.mail.inbox import Mailbox

HOST = "127.0.0.1"
SENT = "Sent"
_GREETING = b"the embedded mailbox is ready"
_LARGEST = 50 * 1024 * 1024
_PATIENCE = 10.0

Result = TypeVar("Result")


@dataclass(frozen=True, slots=True, kw_only=True)
class Accounts:
    """How one user logs in."""

    imap: Account
    smtp: Account


class EmbeddedMail:
    """Both servers; `async with EmbeddedMail() as mail`, or `start` and `stop`."""

    def __init__(self) -> None:
        self._password = secrets.token_urlsafe(16)
        self._loop = asyncio.new_event_loop()
        self._thread: threading.Thread | None = None
        self._backend: Any = None
        self._servers: list[asyncio.Server] = []
        self._imap_port = 0
        self._smtp_port = 0

    async def __aenter__(self) -> Self:
        await self.start()
        return self

    async def __aexit__(self, *_: object) -> None:
        await self.stop()

    async def start(self) -> None:
        """Listen on free ports; both servers answer when this returns."""
        self._thread = threading.Thread(target=self._loop.run_forever, name="embedded-mail", daemon=True)
        self._thread.start()
        await self._there(self._listen())

    async def stop(self) -> None:
        """End both servers and forget every mail."""
        if self._thread is None:
            return
        await self._there(self._close())
        self._loop.call_soon_threadsafe(self._loop.stop)
        await asyncio.to_thread(self._thread.join, _PATIENCE)
        self._loop.close()
        self._thread = None

    def account_for(self, user: str) -> Accounts:
        """How this address logs in at both servers; its mailbox exists from now on."""
        user = user.lower()
        asyncio.run_coroutine_threadsafe(self._know(user), self._loop).result(_PATIENCE)
        imap = Account(host=HOST, port=self._imap_port, tls="none", user=user, password=self._password)
        return Accounts(imap=imap, smtp=replace(imap, port=self._smtp_port))

    async def deliver(self, user: str, raw: bytes, folder: str = "INBOX") -> None:
        """Put a mail into a folder, as APPEND does: whoever idles there hears of it."""
        await self._there(self._append(user.lower(), raw, folder))

    async def messages(self, user: str, folder: str = "INBOX") -> list[bytes]:
        """Every mail of a folder, oldest first, byte for byte, read by IMAP as a mail program would."""
        mailbox = Mailbox(self.account_for(user).imap)
        try:
            return [mail.content for mail in await mailbox.find(folder)]
        finally:
            await mailbox.close()

    # ------------------------------------------------------------ in the servers' thread

    async def _there(self, work: Coroutine[Any, Any, Result]) -> Result:
        return await asyncio.wrap_future(asyncio.run_coroutine_threadsafe(work, self._loop))

    async def _listen(self) -> None:
        self._backend, config, answer = _imap()
        config.apply_context()
        imap = await asyncio.start_server(answer, HOST, 0)
        smtp = await self._loop.create_server(_smtp(self._loop, self._password, self._append), HOST, 0)
        self._servers = [imap, smtp]
        self._imap_port, self._smtp_port = (server.sockets[0].getsockname()[1] for server in self._servers)

    async def _close(self) -> None:
        for server in self._servers:
            server.close()
        other_tasks = [task for task in asyncio.all_tasks() if task is not asyncio.current_task()]
        for task in other_tasks:
            task.cancel()
        await asyncio.gather(*other_tasks, return_exceptions=True)

    async def _know(self, user: str) -> None:
        async with self._session(user):
            pass

    async def _append(self, user: str, raw: bytes, folder: str) -> None:
        from pymap.parsing.message import AppendMessage

        async with self._session(user) as session:
            await session.append_messages(folder, [AppendMessage(raw, None, frozenset())])

    @asynccontextmanager
    async def _session(self, user: str) -> AsyncIterator[Any]:
        """The user's mailbox; made with a Sent folder when the address is new."""
        from pymap.backend.dict import Identity
        from pymap.user import UserMetadata

        login = self._backend.login
        is_known = user in login.users_dict
        if not is_known:
            login.users_dict[user] = UserMetadata(self._backend.config, user, password=self._password)
        async with Identity(user, login, None, frozenset()).new_session() as session:
            if not is_known:
                await session.create_mailbox(SENT)
            yield session


def _imap() -> tuple[Any, Any, Any]:
    """The backend, its settings, and what answers a connection."""
    from proxyprotocol.reader import ProxyProtocolReader
    from pymap.backend.dict import Config, DictBackend, Login
    from pymap.concurrent import Subsystem
    from pymap.imap import IMAPServer
    from pysasl.hashing import Cleartext

    class Settings(Config):
        @property
        def greeting(self) -> bytes:
            return _GREETING  # the library's own asks the DNS for this machine's name, which may take seconds

    config = Settings(
        Namespace(passlib_cfg=None, proxy_protocol=None),
        host=HOST,
        port=0,
        tls_enabled=False,
        ssl_context=ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER),
        hash_context=Cleartext(),
        cpu_subsystem=Subsystem.for_asyncio(),
        invalid_user_sleep=0,
        demo_data=False,
        demo_user="",
        demo_password="",
        max_append_len=_LARGEST,
    )
    backend = DictBackend(Login(config), config)
    return backend, config, ProxyProtocolReader(config.proxy_protocol).get_callback(IMAPServer(backend.login, config))


Deliver = Callable[[str, bytes, str], Coroutine[Any, Any, None]]


def _smtp(loop: asyncio.AbstractEventLoop, password: str, deliver: Deliver) -> Callable[[], Any]:
    """A factory of SMTP sessions that need a login and put each mail into every recipient's INBOX."""
    from aiosmtpd.smtp import SMTP, AuthResult

    class Handler:
        async def handle_MAIL(self, _server: Any, session: Any, envelope: Any, address: str, options: Any) -> str:  # noqa: N802
            if not session.authenticated:
                return "530 5.7.0 Authentication required"
            envelope.mail_from = address
            envelope.mail_options.extend(options)
            return "250 2.1.0 OK"

        async def handle_DATA(self, _server: Any, _session: Any, envelope: Any) -> str:  # noqa: N802
            for recipient in envelope.rcpt_tos:
                await deliver(recipient.lower(), envelope.original_content, "INBOX")
            return "250 2.0.0 OK"

    def authenticate(_server: Any, _session: Any, _envelope: Any, _mechanism: str, data: Any) -> AuthResult:
        right = secrets.compare_digest(data.password, password.encode())
        return AuthResult(success=right, handled=False)  # the server itself tells a wrong one

    return lambda: SMTP(
        Handler(),
        hostname="localhost",
        enable_SMTPUTF8=True,
        data_size_limit=_LARGEST,
        authenticator=authenticate,
        auth_require_tls=False,
        loop=loop,
    )
