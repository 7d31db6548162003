"""I2: TLS is always verified. Six ways to be wrong, six refusals, and not one byte of the password on the wire."""

import contextlib
import os
import socket
import ssl
import threading
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.servers.certificates import Certificate, Certificates, make_certificates
from tests.servers.dovecot import Dovecot, DovecotUser
from tools.mail.account import Account
from tools.mail.imap import ImapPatience, Unreachable, connect
from workflows.errors import NeedsOwner, Retryable

PASSWORD = "hunter2 is long enough"
QUICK = ImapPatience(connect=5, command=5)


class Recorder:
    """A minimal IMAP server that keeps every byte it was sent, in clear and after TLS."""

    def __init__(
        self,
        certificate: Certificate | None,
        *,
        implicit: bool = True,
        offers_starttls: bool = True,
        oldest_only: bool = False,
        login: bytes = b"OK done",
        injects: bytes = b"",
    ) -> None:
        self.received = bytearray()
        self.commands: list[bytes] = []
        self._implicit, self._offers, self._login = implicit, offers_starttls, login
        self._injects = injects
        self._context = _server_context(certificate, oldest_only=oldest_only) if certificate else None
        self._socket = socket.create_server(("127.0.0.1", 0))
        self.port: int = self._socket.getsockname()[1]
        self._thread = threading.Thread(target=self._serve)
        self._thread.start()

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self._socket.shutdown(socket.SHUT_RDWR)
        self._socket.close()
        self._thread.join(PATIENCE)

    def _serve(self) -> None:
        with contextlib.suppress(OSError):
            while True:
                connection, _ = self._socket.accept()
                connection.settimeout(PATIENCE)
                with contextlib.suppress(OSError):
                    self._talk(connection)
                connection.close()

    def _talk(self, connection: socket.socket) -> None:
        if self._implicit and self._context:
            connection = self._context.wrap_socket(connection, server_side=True)
        connection.sendall(b"* OK ready\r\n")
        with connection, contextlib.closing(_Lines(connection, self.received)) as lines:
            while line := lines.read():
                tag, command = line.split()[0], line.split()[1].upper()
                self.commands.append(command)
                if command == b"STARTTLS" and self._context:
                    connection.sendall(tag + b" OK begin\r\n" + self._injects)
                    connection = lines.socket = self._context.wrap_socket(connection, server_side=True)
                elif command == b"CAPABILITY":
                    offer = b" STARTTLS" if self._offers else b""
                    connection.sendall(b"* CAPABILITY IMAP4rev1" + offer + b"\r\n" + tag + b" OK\r\n")
                elif command == b"LOGIN":
                    connection.sendall(tag + b" " + self._login + b"\r\n")
                else:
                    connection.sendall(tag + b" BAD\r\n")


class _Lines:
    def __init__(self, sock: socket.socket, record: bytearray) -> None:
        self.socket, self._record, self._rest = sock, record, b""

    def read(self) -> bytes:
        while b"\n" not in self._rest:
            content = self.socket.recv(4096)
            if not content:
                return b""
            self._record += content
            self._rest += content
        line, self._rest = self._rest.split(b"\n", 1)
        return line

    def close(self) -> None:
        with contextlib.suppress(OSError):
            self.socket.close()


def _server_context(certificate: Certificate, *, oldest_only: bool) -> ssl.SSLContext:
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(certificate.certificate, certificate.key)
    if oldest_only:
        context.set_ciphers("ALL:@SECLEVEL=0")
        import warnings

        with warnings.catch_warnings():
            warnings.simplefilter("ignore", DeprecationWarning)
            context.minimum_version = context.maximum_version = ssl.TLSVersion.TLSv1
    return context


@pytest.fixture(scope="module")
def certificates(tmp_path_factory: pytest.TempPathFactory) -> Certificates:
    return make_certificates(tmp_path_factory.mktemp("certificates"))


@contextlib.contextmanager
def recorder(certificate: Certificate | None, **options: object) -> Iterator[Recorder]:
    server = Recorder(certificate, **options)
    try:
        yield server
    finally:
        server.close()


def account(server: Recorder, ca: Path | None, tls: str = "implicit", host: str = "localhost") -> Account:
    return Account(host=host, port=server.port, tls=tls, user="ada@x.example", password=PASSWORD, ca_file=ca)


CASES = {
    "self-signed": ("self_signed", {}, "self-signed"),
    "wrong name": ("wrong_name", {}, "another host name"),
    "expired": ("expired", {}, "expired"),
    "wrong authority": ("foreign", {}, "authority"),
    "TLS 1.0": ("good", {"oldest_only": True}, "TLS"),
    "STARTTLS stripped": ("good", {"implicit": False, "offers_starttls": False}, "does not offer STARTTLS"),
}


@pytest.mark.parametrize("case", CASES)
def test_refused_before_any_password_byte(case: str, certificates: Certificates) -> None:
    name, options, words = CASES[case]
    tls = "starttls" if case == "STARTTLS stripped" else "implicit"
    with recorder(getattr(certificates, name), **options) as server:
        with pytest.raises(NeedsOwner) as refused:
            connect(account(server, certificates.ca, tls), QUICK)
        assert words in str(refused.value)
        assert refused.value.mend, "it must say what to do"
        assert PASSWORD.encode() not in server.received
        assert b"LOGIN" not in server.commands
        assert b"ada@x.example" not in server.received


def test_the_recorder_would_see_the_password(certificates: Certificates) -> None:
    """The proof that the six tests above could fail: with everything right the password does arrive."""
    with recorder(certificates.good) as server:
        connect(account(server, certificates.ca), QUICK).kill()
        assert PASSWORD.encode() in server.received


@pytest.mark.parametrize("name", ["self_signed", "wrong_name", "expired", "foreign"])
def test_starttls_verifies_as_much(name: str, certificates: Certificates) -> None:
    with recorder(getattr(certificates, name), implicit=False) as server:
        with pytest.raises(NeedsOwner):
            connect(account(server, certificates.ca, "starttls"), QUICK)
        assert b"STARTTLS" in server.commands
        assert PASSWORD.encode() not in server.received


def test_words_planted_before_tls_are_not_taken_for_the_servers(certificates: Certificates) -> None:
    """A man in the middle appends plain text to the answer to STARTTLS (CVE-2011-0411 and its kin)."""
    planted = b"* CAPABILITY IMAP4rev1 AUTH=PLAIN\r\n* PREAUTH welcome\r\n"
    with recorder(certificates.good, implicit=False, injects=planted) as server:
        with pytest.raises((NeedsOwner, Retryable)):
            connect(account(server, certificates.ca, "starttls"), QUICK)
        assert PASSWORD.encode() not in server.received


def test_no_threads_are_left_after_refusals(certificates: Certificates) -> None:
    before = threading.active_count()
    for _ in range(5):
        with recorder(certificates.self_signed, implicit=False) as server, pytest.raises(NeedsOwner):
            connect(account(server, certificates.ca, "starttls"), QUICK)
    assert threading.active_count() == before


def test_plain_is_for_this_machine_alone() -> None:
    with pytest.raises(NeedsOwner, match="not this machine"):
        connect(Account(host="imap.winter.example", port=143, tls="none", user="a", password=PASSWORD))


def test_the_right_certificate_works_for_name_and_number(mailbox: DovecotUser) -> None:
    for host in ("localhost", "127.0.0.1"):
        for tls in ("implicit", "starttls"):
            connection = connect(mailbox.account(tls, host=host))
            assert "TLSv1.3" in connection.sock.version()
            connection.kill()


SAYS = {
    b"NO [AUTHENTICATIONFAILED] Authentication failed.": ("refused the password", NeedsOwner),
    b"NO [ALERT] Application-specific password required: see help": ("app password", NeedsOwner),
    b"NO LOGIN failed. Basic authentication is disabled.": ("basic authentication is disabled", NeedsOwner),
    b"NO [UNAVAILABLE] Temporary authentication failure.": ("just now", Retryable),
}


@pytest.mark.parametrize("said", SAYS)
def test_a_refused_login_says_what_to_mend(said: bytes, certificates: Certificates) -> None:
    words, kind = SAYS[said]
    with recorder(certificates.good, login=said) as server:
        with pytest.raises(kind, match=words) as refused:
            connect(account(server, certificates.ca), QUICK)
        assert PASSWORD not in str(refused.value)


def test_nobody_there_and_no_such_host() -> None:
    with socket.create_server(("127.0.0.1", 0)) as probe:
        port = probe.getsockname()[1]
    with pytest.raises(Unreachable, match="refuses connections"):
        connect(Account(host="127.0.0.1", port=port, tls="implicit"))
    with pytest.raises(Unreachable, match="not known"):
        connect(Account(host="no-such-host.invalid", port=993))


def test_a_real_server_refuses_a_wrong_password(mailbox: DovecotUser) -> None:
    wrong = Account(
        host="localhost", port=mailbox.server.tls_port, user=mailbox.user, password="x", ca_file=mailbox.server.ca_file
    )
    with pytest.raises(NeedsOwner, match="refused the password"):
        connect(wrong)


@pytest.mark.parametrize("password", ["grüße 東京", 'quo"te\\back', "pass word"])
def test_any_password_can_log_in(dovecot: Dovecot, password: str) -> None:
    user = dovecot.add_user(password=password)
    connection = connect(user.account())
    assert connection.state == "AUTH"
    connection.kill()


def test_an_answer_that_never_comes_is_given_up(certificates: Certificates) -> None:
    with socket.create_server(("127.0.0.1", 0)) as silent:
        silent_account = Account(host="127.0.0.1", port=silent.getsockname()[1], tls="none")
        with pytest.raises(Retryable):
            connect(silent_account, ImapPatience(connect=1, command=1))


def test_a_ca_file_that_is_none_is_named(tmp_path: Path) -> None:
    junk = tmp_path / "ca.pem"
    junk.write_bytes(os.urandom(64))
    with pytest.raises(NeedsOwner, match="cannot be read"):
        connect(Account(host="localhost", port=1, ca_file=junk))
