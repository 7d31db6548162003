"""One IMAP connection: imaplib2 with what it lacks: verified TLS, time limits, clean ends, errors in plain words.

imaplib2 3.6 checks neither chain nor name by itself, has no connect timeout, and reads and writes one TLS socket from
two threads at once; its waits have no end when its handler thread dies. Blocking calls: for threads, not for a loop.
"""

import contextlib
import errno
import re
import select
import socket
import ssl
import threading
import time
import warnings
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, cast

from tools.mail import login, tls
from tools.mail.account import Account
from tools.mail.reading.folder_names import Folder, decode_name, encode_name, quote, read_folders, read_namespaces
from workflows.errors import NeedsOwner, Retryable

with warnings.catch_warnings():
    warnings.simplefilter("ignore")  # imaplib2's source has invalid escapes: a SyntaxWarning each time it is compiled
    import imaplib2

_TLS_RECORD = 16_384
_KEEPALIVE = (("TCP_KEEPIDLE", 30), ("TCP_KEEPINTVL", 10), ("TCP_KEEPCNT", 3), ("TCP_KEEPALIVE", 30))
_JOIN_WITHIN = 3.0

__all__ = [
    "DROPS", "Connection", "Folder", "ImapPatience", "No", "Unreachable", "connect", "decode_name", "encode_name",
    "is_refusal", "lost", "quote", "read_folders", "read_namespaces",
]  # fmt: skip

DROPS = (imaplib2.IMAP4.error, OSError, ValueError)
"""What a connection that ends in the middle raises; ValueError is a socket closed under a thread that polls it."""


class Unreachable(NeedsOwner):
    """No connection at all: a wrong host or port, or a server that is down just now."""


class No(Exception):
    """The server said NO or BAD; `code` is its response code ("TRYCREATE") or ""; `is_busy`: later it may say yes."""

    def __init__(self, text: str) -> None:
        super().__init__(text)
        match = re.match(r"\[([A-Z0-9-]+)", text)
        self.code = match[1] if match else ""
        self.is_busy = login.is_busy(text)


@dataclass(frozen=True, slots=True, kw_only=True)
class ImapPatience:
    """Seconds to wait for things."""

    connect: float = 15
    command: float = 20
    poll: float = 60  # the longest wait in IDLE, or between polls: renewed far more often than servers ask for
    second_look: float = 2  # the first IDLE after something happened is that short
    backoff: float = 1  # after the first failure; doubled up to `longest`
    longest: float = 60
    refused: float = 300  # between attempts that only the owner can mend
    pauses: tuple[float, ...] = (15, 45, 120, 420)  # between five tries for a mail that the server does not give
    again: float = 3_600  # between tries for one that was set aside


class Connection(imaplib2.IMAP4):  # type: ignore[misc]  # imaplib2 has no types
    """An imaplib2 connection over a socket that is verified before anything secret is said."""

    def __init__(self, account: Account, context: ssl.SSLContext | None, patience: ImapPatience) -> None:
        self._account, self._context, self._patience = account, context, patience
        self._io = threading.Lock()  # OpenSSL allows one thread at a time on a connection
        self._broken = False
        super().__init__(account.host, account.port, timeout=patience.command, identifier="imap")

    # ---- what imaplib2 lets a subclass do

    def open(self, host: str | None = None, port: int | None = None) -> None:
        """Connect; with implicit TLS, verify before the first byte is read."""
        self.host, self.port = self._account.host, self._account.port
        # imaplib2 waits for ever for a sloppy server's "A1 OK" that has no text behind it.
        self.tagre = re.compile(rb"(?P<tag>" + self.tagpre + rb"\d+) (?P<type>[A-Z]+) ?(?P<data>.*)", re.ASCII)
        self.sock = socket.create_connection((self.host, self.port), self._patience.connect)
        try:
            _keep_alive(self.sock)
            if self._account.tls == "implicit":
                self.ssl_wrap_socket()
        except BaseException:
            self.sock.close()
            raise
        self.sock.setblocking(False)
        self.read_fd = self.sock.fileno()

    def ssl_wrap_socket(self) -> None:
        """Start TLS on the socket: chain, host name and version are verified here and nowhere else."""
        if self._context is None:
            raise ssl.SSLError("TLS was not asked for")
        self.sock.settimeout(self._patience.connect)
        self.sock = self._context.wrap_socket(self.sock, server_hostname=self.host)
        if self.sock.version() is None:  # the peer was gone before the handshake: Python then wraps without one
            raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
        self.sock.setblocking(False)
        self.read_fd = self.sock.fileno()

    def read(self, size: int) -> bytes:
        """What has come, waiting for it."""
        while not self._broken:
            with self._io, contextlib.suppress(BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                content: bytes = self.sock.recv(size)
                if not content:
                    raise ConnectionResetError(errno.ECONNRESET, "the server closed the connection")
                return content
            # Readable but nothing to read: half a TLS record, or a session ticket. The lock must be free meanwhile.
            _wait(self.sock, select.POLLIN, 1.0)
        raise ConnectionAbortedError(errno.ECONNABORTED, "the connection was ended here")

    def send(self, data: bytes) -> None:
        """All of it; the time limit counts from the last byte that went out."""
        unsent = memoryview(data)
        moved = time.monotonic()
        while unsent:
            sent = self._send_some(unsent[:_TLS_RECORD])
            unsent = unsent[sent:]
            if sent:
                moved = time.monotonic()
            elif self._broken or time.monotonic() - moved > self._patience.command:
                raise TimeoutError(errno.ETIMEDOUT, "the server takes no more bytes")
            else:
                _wait(self.sock, select.POLLIN | select.POLLOUT, 0.5)

    def shutdown(self) -> None:
        """Close the socket; a server that already did is no error."""
        self._broken = True
        with contextlib.suppress(OSError):
            self.sock.shutdown(socket.SHUT_RDWR)
        self.sock.close()

    def _send_some(self, data: memoryview) -> int:
        with self._io:
            try:
                sent: int = self.sock.send(data)
            except (BlockingIOError, ssl.SSLWantReadError, ssl.SSLWantWriteError):
                return 0
            return sent

    def _print_log(self) -> None:
        """Nothing: imaplib2 would write its own log to stderr on every drop."""

    # ---- logging in

    def secure(self) -> None:
        """STARTTLS when the account asks for it.

        Raises:
            NeedsOwner: the server does not offer it, which is also what an attacker in the middle would show.
        """
        if self._account.tls != "starttls":
            return
        if self.state != imaplib2.imaplib2.NONAUTH or "STARTTLS" not in self.capabilities:
            raise NeedsOwner(
                f"{self.host}:{self.port} does not offer STARTTLS, so the password was not sent.",
                'Set imap.tls to "implicit" with port 993. If it worked before, someone may be in between.',
            )
        self.starttls()
        self.forget_untagged()  # what was said before TLS may be anyone's words

    def log_in(self) -> None:
        """Log in with whatever the server allows; without a user name nothing is done.

        Raises:
            NeedsOwner: the password is refused, in the owner's words.
            Retryable: the server cannot check it now.
        """
        if not self._account.user or self.state != imaplib2.imaplib2.NONAUTH:
            return
        try:
            login.log_in(self, self._account)
        except imaplib2.IMAP4.abort:
            raise
        except imaplib2.IMAP4.error as error:
            raise login.refusal(self._account, login.words_of(error)) from None
        self._get_capabilities()  # IDLE and others may be offered only now
        self._introduce()

    def login_by_literals(self, user: bytes, password: bytes) -> None:
        """LOGIN with both as literals: the only form that carries every letter where AUTH=PLAIN is not offered."""
        self.literal = _Literals(user + b" {%d}" % len(password), password).following
        try:
            kind, data = self._simple_command("LOGIN", f"{{{len(user)}}}")
            if kind != "OK":
                raise self.error(data[-1])
            self.state = imaplib2.imaplib2.AUTH
        finally:
            self._release_state_change()

    def quoted(self, text: str) -> str:
        """As a quoted string of the protocol."""
        return cast("str", self._quote(text))

    def _introduce(self) -> None:
        """Say who asks (RFC 2971) where the server can hear it: NetEase opens no folder to who does not."""
        if "ID" in self.capabilities:
            with contextlib.suppress(No):
                self.ask(self.id, "name", "Deskhand", "version", "1", "vendor", "Deskhand")

    def _command_complete(self, request: Any, options: dict[str, Any]) -> tuple[str, list[Any]]:
        # imaplib2's own quotes the command that was refused: of LOGIN that is the password.
        self._check_bye()
        kind, data = request.get_response(f"command: {_name(request.name)} => %s")
        if kind == "BAD":
            raise self.error(data[-1] if data else b"")
        if "untagged_response" in options:
            return cast("tuple[str, list[Any]]", self._untagged_response(kind, data, options["untagged_response"]))
        return kind, data

    # ---- ends

    def _close_threads(self) -> None:
        self.kill()

    def kill(self) -> None:
        """End it now, whatever state it is in: every waiting command is aborted and its threads end."""
        self.Terminate = self.TerminateReader = True
        self.shutdown()
        with contextlib.suppress(Exception):
            self.ouq.put_nowait(None)
        self.inq.put((self.abort, "the connection was ended here"))
        for thread in (self.wrth, self.rdth, self.inth):
            if thread is not threading.current_thread() and thread.ident is not None:
                thread.join(_JOIN_WITHIN)
        self._abort_waiting()

    def _abort_waiting(self) -> None:
        # imaplib2's handler does this, unless it died of its own race around IDLE.
        with self.commands_lock:
            waiting = list(self.tagged_commands.values())
            self.tagged_commands.clear()
        for request in waiting:
            request.abort(self.abort, "the connection was ended here")
        self.state_change_free.set()

    # ---- commands with their answers checked

    def ask(self, command: Callable[..., tuple[str, list[Any]]], *arguments: Any) -> list[Any]:
        """The command's data.

        Raises:
            No: the server refused.
        """
        try:
            kind, data = command(*arguments)
        except imaplib2.IMAP4.abort:
            raise
        except imaplib2.IMAP4.error as error:  # BAD
            raise No(login.shown(self._account, login.words_of(error))) from None
        if kind != "OK":
            last = data[-1] if data else b""
            raise No(last.decode("utf-8", "replace") if isinstance(last, bytes) else str(last))
        return data

    def start_idle(self, callback: Callable[[Any], None]) -> None:
        """Enter IDLE; `callback` is called, in another thread, when it ends for whatever reason."""
        # The timeout must be an int: imaplib2 silently takes 29 minutes for a float.
        self.idle(3_600, callback=callback)

    def end_idle(self) -> None:
        """Leave IDLE, also when its "+" was hidden behind an untagged line, where imaplib2 would never say DONE."""
        if self.idle_rqb is not None:
            self._end_idle()
        else:
            self.send(b"DONE\r\n")

    @property
    def is_in_folder(self) -> bool:
        return bool(self.state == imaplib2.imaplib2.SELECTED)

    def forget_untagged(self) -> None:
        """Drop what the server volunteered: imaplib2 keeps it for ever."""
        with self.commands_lock:
            self.untagged_responses: list[Any] = []


class _Literals:
    """What follows a command, a piece for each "+" of the server's. imaplib2 wants a bound method."""

    def __init__(self, *pieces: bytes) -> None:
        self._rest = list(pieces)

    def following(self, _answer: bytes, _request: object) -> bytes | None:
        return self._rest.pop(0) if self._rest else None


def is_refusal(outcome: Any) -> bool:
    """Whether what imaplib2 gave a callback means NO or BAD; a connection that ended is none."""
    response, _, error = outcome
    if error is not None:  # a BAD comes as an error, a drop as an abort, which is an error too
        return not issubclass(error[0], imaplib2.IMAP4.abort)
    return response is not None and response[0] != "OK"


def connect(account: Account, patience: ImapPatience | None = None) -> Connection:
    """A connection, verified and logged in.

    Raises:
        NeedsOwner: password, certificate, settings; `Unreachable` when there is no connection at all.
        Retryable: it dropped on the way.
    """
    tls.require_loopback(account, "imap")
    context = None if account.tls == "none" else tls.context(account)
    with _plain_words(account):
        connection = Connection(account, context, patience or ImapPatience())
        try:
            connection.secure()
            connection.log_in()
        except BaseException:
            connection.kill()
            raise
        return connection


class _plain_words(contextlib.AbstractContextManager[None]):  # noqa: N801  used as a function
    """Turn what sockets, TLS and imaplib2 raise into errors that say what to do."""

    def __init__(self, account: Account) -> None:
        self._account = account

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, OSError | imaplib2.IMAP4.error):
            raise _connect_error(self._account, error) from None


def _connect_error(account: Account, error: Exception) -> Exception:
    server = f"{account.host}:{account.port}"
    problem = tls.certificate_problem(account, error)
    if problem is not None:
        return problem
    if isinstance(error, socket.gaierror):
        mend = "Check imap.host" if error.errno != socket.EAI_AGAIN else "Check that this machine is online"
        return Unreachable(f"The mail server {account.host} is not known.", f"{mend}.")
    if isinstance(error, ConnectionRefusedError):
        return Unreachable(f"{server} refuses connections.", "Check imap.host and imap.port; the server may be down.")
    if isinstance(error, TimeoutError) and not isinstance(error, imaplib2.IMAP4.error):
        return Unreachable(f"{server} does not answer.", "Check imap.host and imap.port, and this machine's network.")
    if isinstance(error, OSError) and error.errno in {errno.ENETUNREACH, errno.EHOSTUNREACH, errno.EADDRNOTAVAIL}:
        return Unreachable(f"{server} cannot be reached from this network.", "Check that this machine is online.")
    return lost(account, error)


def lost(account: Account, error: BaseException) -> Retryable:
    """A connection that ended in the middle; trying again helps."""
    return Retryable(
        f"The connection to {account.host}:{account.port} was lost: {login.shown(account, login.words_of(error))}."
    )


def _name(command: str | bytes) -> str:
    return command.decode("ascii", "replace") if isinstance(command, bytes) else command


def _keep_alive(sock: socket.socket) -> None:
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_KEEPALIVE, 1)
    sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
    for name, value in _KEEPALIVE:
        if hasattr(socket, name):
            sock.setsockopt(socket.IPPROTO_TCP, getattr(socket, name), value)


def _wait(sock: socket.socket, events: int, seconds: float) -> None:
    poll = select.poll()
    poll.register(sock.fileno(), events)  # a closed socket raises ValueError, which ends the thread that waits
    poll.poll(seconds * 1000)
