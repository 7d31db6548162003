"""A real Dovecot (Debian 2.3) with its own configuration, on free high ports, as root or as a normal user.

`Dovecot` is the server, `DovecotUser` one mailbox on it. Started as root it gives up its rights first, so both
ways run the same configuration.
"""

import contextlib
import getpass
import grp
import imaplib
import os
import pwd
import secrets
import shutil
import signal
import socket
import subprocess
import tempfile
import time
from dataclasses import dataclass
from email.message import EmailMessage
from pathlib import Path

import pytest

from tests.patience import PATIENCE
from tests.servers.certificates import Certificate, make_certificates
from tools.mail.account import Account, Tls

PASSWORD = "correct horse"

_CONFIGURATION = """
base_dir = {base}/run
state_dir = {base}/run
instance_name = {name}
log_path = {base}/dovecot.log
protocols = imap
listen = 127.0.0.1
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
disable_plaintext_auth = no
auth_mechanisms = plain login
auth_failure_delay = 0
mail_location = maildir:~/Maildir
mail_fsync = never
mail_max_userip_connections = 1000
mailbox_idle_check_interval = 1 secs
ssl = yes
ssl_cert = <{certificate}
ssl_key = <{key}
ssl_min_protocol = TLSv1.2
passdb {{
  driver = passwd-file
  args = scheme=plain username_format=%u {base}/users/%u
}}
userdb {{
  driver = static
  args = uid={user} gid={group} home={base}/mail/%u
}}
namespace inbox {{
  inbox = yes
  separator = /
  {folders}
}}
service anvil {{
  chroot =
  unix_listener anvil-auth-penalty {{
    mode = 0
  }}
}}
service stats {{
  chroot =
}}
service imap-login {{
  chroot =
  service_count = 0
  inet_listener imap {{
    port = {imap}
  }}
  inet_listener imaps {{
    port = {imaps}
    ssl = yes
  }}
}}
"""


class Dovecot:
    """One running server. `port` speaks plain IMAP and STARTTLS, `tls_port` IMAPS; any user name can be added."""

    def __init__(self, *, special_use: bool = True, certificate: Certificate | None = None, settings: str = "") -> None:
        self.program = _program()
        self.base = Path(tempfile.mkdtemp(prefix="dh-dovecot-", dir="/tmp"))
        self.base.chmod(0o755)  # as root, the server is another user
        self.certificates = make_certificates(self.base)
        self.certificate = certificate or self.certificates.good
        self.port, self.tls_port = _free_ports(2)
        self._owner = _server_user()
        self._process: subprocess.Popen[bytes] | None = None
        self._configure(special_use=special_use, settings=settings)

    @property
    def ca_file(self) -> Path:
        return self.certificates.ca

    def start(self) -> None:
        """Start it and wait until it greets."""
        rights = {"user": self._owner.pw_uid, "group": self._owner.pw_gid, "extra_groups": []}
        self._process = subprocess.Popen(
            [self.program, "-F", "-c", str(self.base / "dovecot.conf")],
            stdin=subprocess.DEVNULL,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,
            **(rights if os.geteuid() == 0 else {}),
        )
        self._await_greeting()

    def stop(self) -> None:
        """End it in good order and remove its files."""
        self._end(signal.SIGTERM)
        shutil.rmtree(self.base, ignore_errors=True)

    def kill(self) -> None:
        """kill -9 of every process of it; mail on disk stays, and `start` brings it back."""
        self._end(signal.SIGKILL)
        for lock in (self.base / "mail").rglob("*.lock"):
            lock.unlink(missing_ok=True)  # what it held when it died: Dovecot would wait for it to grow old

    def restart(self) -> None:
        """Stop it (every client sees BYE or a closed connection) and start it on the same ports."""
        self._end(signal.SIGTERM)
        self.start()

    def add_user(self, name: str = "", password: str = PASSWORD) -> "DovecotUser":
        """A new mailbox; without a name one that no other test has."""
        user = name or f"user-{secrets.token_hex(6)}@owner.example"
        self._write_password(user, password)
        return DovecotUser(server=self, user=user, password=password)

    def set_password(self, user: str, password: str) -> None:
        """Change it, and wait until the server knows: it looks at the file once a second."""
        self._write_password(user, password)
        deadline = time.monotonic() + PATIENCE
        while not self._accepts(user, password):
            if time.monotonic() > deadline:
                raise AssertionError(f"Dovecot does not know the new password:\n{self.log()}")
            time.sleep(0.05)

    def log(self) -> str:
        """What the server wrote: put it into a failing assertion."""
        path = self.base / "dovecot.log"
        return path.read_text(errors="replace") if path.exists() else ""

    def _configure(self, *, special_use: bool, settings: str) -> None:
        for name in ("run", "mail", "users"):
            (self.base / name).mkdir()
        group = grp.getgrgid(self._owner.pw_gid).gr_name
        names = ("Sent", "Drafts", "Junk", "Trash") if special_use else ()
        mailboxes = "".join(f"mailbox {n} {{\n auto = create\n special_use = \\{n}\n}}\n" for n in names)
        text = _CONFIGURATION.format(
            base=self.base,
            name=self.base.name,
            user=self._owner.pw_name,
            group=group,
            certificate=self.certificate.certificate,
            key=self.certificate.key,
            folders=mailboxes,
            imap=self.port,
            imaps=self.tls_port,
        )
        (self.base / "dovecot.conf").write_text(f"{text}\n{settings}\n")
        if os.geteuid() == 0:
            for path in (self.base, *self.base.iterdir()):
                os.chown(path, self._owner.pw_uid, self._owner.pw_gid)

    def _write_password(self, user: str, password: str) -> None:
        path = self.base / "users" / user
        fresh = path.with_name(f".{user}")
        fresh.write_text(f"{user}:{{PLAIN}}{password}::::::\n", encoding="utf-8")
        fresh.chmod(0o644)
        fresh.replace(path)

    def _accepts(self, user: str, password: str) -> bool:
        client = imaplib.IMAP4("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            client.login(user, password)
        except imaplib.IMAP4.error:
            return False
        else:
            return True
        finally:
            client.logout()

    def _await_greeting(self) -> None:
        deadline = time.monotonic() + PATIENCE
        while True:
            if self._process is not None and self._process.poll() is not None:
                stderr = self._process.stderr.read().decode(errors="replace") if self._process.stderr else ""
                pytest.exit(f"Dovecot ended at once: {stderr}\n{self.log()}", returncode=2)
            with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", self.port), PATIENCE) as probe:
                probe.settimeout(PATIENCE)
                if probe.recv(4) == b"* OK":
                    return
            if time.monotonic() > deadline:
                pytest.exit(f"Dovecot did not greet within {PATIENCE} s:\n{self.log()}", returncode=2)
            time.sleep(0.02)

    def _end(self, how: signal.Signals) -> None:
        process, self._process = self._process, None
        if process is None:
            return
        if how is signal.SIGKILL:
            os.killpg(process.pid, how)  # its own session: only what it started
        else:
            process.send_signal(how)
        try:
            process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait(PATIENCE)
        finally:
            with contextlib.suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
            if process.stderr:
                process.stderr.close()


@dataclass(frozen=True, slots=True, kw_only=True)
class Stored:
    """One mail in a mailbox as the server holds it."""

    uid: int
    content: bytes
    flags: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class DovecotUser:
    """One mailbox: deliver to it, look into it, and the `Account` to log in with."""

    server: Dovecot
    user: str
    password: str = PASSWORD

    def account(self, tls: Tls = "implicit", *, port: int = 0, host: str = "127.0.0.1") -> Account:
        """How Deskhand logs in here; `port` to go through a proxy."""
        default = self.server.tls_port if tls == "implicit" else self.server.port
        return Account(
            host=host,
            port=port or default,
            tls=tls,
            user=self.user,
            password=self.password,
            ca_file=self.server.ca_file,
        )

    @property
    def maildir(self) -> Path:
        return self.server.base / "mail" / self.user / "Maildir"

    @contextlib.contextmanager
    def session(self, folder: str = "", *, readonly: bool = True):
        """A plain imaplib session, in `folder` when given."""
        client = imaplib.IMAP4("127.0.0.1", self.server.port, timeout=PATIENCE)
        try:
            client.login(self.user, self.password)
            if folder:
                _ok(client.select(f'"{folder}"', readonly=readonly))
            yield client
        finally:
            with contextlib.suppress(OSError, imaplib.IMAP4.error):
                client.logout()

    def deliver(self, raw: bytes | EmailMessage, folder: str = "INBOX", flags: str = "") -> None:
        """Put one mail into a folder, unread, as a delivery would."""
        content = raw if isinstance(raw, bytes) else raw.as_bytes()
        with self.session() as client:
            _ok(client.append(f'"{folder}"', flags, None, content))

    def deliver_many(self, raws: list[bytes], folder: str = "INBOX") -> None:
        with self.session() as client:
            for raw in raws:
                _ok(client.append(f'"{folder}"', "", None, raw))

    def create(self, folder: str) -> None:
        """Make a folder; `folder` is in modified UTF-7 already."""
        with self.session() as client:
            _ok(client.create(f'"{folder}"'))

    def remove(self, folder: str) -> None:
        with self.session() as client:
            _ok(client.delete(f'"{folder}"'))

    def messages(self, folder: str = "INBOX") -> list[Stored]:
        """Everything in a folder, by UID; looking changes nothing."""
        with self.session(folder) as client:
            _, data = client.uid("SEARCH", "ALL")
            mails = (self._fetch(client, uid) for uid in data[0].split())
            return [mail for mail in mails if mail is not None]

    def clear(self, folder: str = "INBOX") -> None:
        with self.session(folder, readonly=False) as client:
            client.store("1:*", "+FLAGS", "\\Deleted")
            client.expunge()

    def change_uidvalidity(self, folder: str = "INBOX") -> None:
        """Every mail gets a new UID under a new UIDVALIDITY, as after a restore of the server."""
        path = self.maildir if folder == "INBOX" else self.maildir / f".{folder}"
        uidlist = path / "dovecot-uidlist"
        old = int(uidlist.read_text().split("V", 1)[1].split(" ", 1)[0])
        header = f"3 V{old + 1} N1 G{secrets.token_hex(16)}\n"
        for index in path.glob("dovecot.index*"):
            index.unlink(missing_ok=True)
        owner = uidlist.stat()
        fresh = path / "uidlist.new"
        fresh.write_text(header)
        if os.geteuid() == 0:
            os.chown(fresh, owner.st_uid, owner.st_gid)
        fresh.replace(uidlist)

    def _fetch(self, client: imaplib.IMAP4, uid: bytes) -> Stored | None:
        """None: the service has moved it since the search."""
        _, data = client.uid("FETCH", uid.decode(), "(FLAGS BODY.PEEK[])")
        fetched = next((part for part in data if isinstance(part, tuple)), None)
        if fetched is None:
            return None
        head, content = fetched
        tail = b"".join(part for part in data if isinstance(part, bytes))
        flags = imaplib.ParseFlags(head) or imaplib.ParseFlags(tail)
        return Stored(uid=int(uid), content=content, flags=tuple(flag.decode() for flag in flags))


def _ok(answer: tuple[str, list]) -> None:
    if answer[0] != "OK":
        raise AssertionError(f"Dovecot refused: {answer}")


def _program() -> str:
    found = shutil.which("dovecot", path="/usr/sbin:/usr/bin:/usr/local/sbin:/usr/local/bin:/opt/homebrew/sbin")
    if found is None:
        pytest.exit("The tests need Dovecot: apt-get install dovecot-imapd", returncode=2)
    return found


def _server_user() -> pwd.struct_passwd:
    # Dovecot refuses to read mail as root, so root hands the server to nobody.
    return pwd.getpwnam("nobody" if os.geteuid() == 0 else getpass.getuser())


def _free_ports(count: int) -> list[int]:
    with contextlib.ExitStack() as stack:
        probes = [stack.enter_context(socket.socket()) for _ in range(count)]
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
