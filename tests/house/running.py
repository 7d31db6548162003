"""A whole Deskhand for tests: its own home, a real mailbox, a recording SMTP server, and `up` as a real process.

`House` also plays the people: clients write to the owner's mailbox, and the owner answers approval mails as a mail
program would, with a copy in Sent.
"""

import contextlib
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Self, TypeVar

import tomlkit

from memory.ledger import Ledger
from memory.record.blobs import Blobs
from memory.record.schema import open_engine
from tests.patience import PATIENCE, WaitedInVainError
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import Delivered, RecordingSmtp
from tools.mail import mime
from workers.clock import SystemClock
from workers.settings import loading
from workflows.models.mail import Address, Email
from workflows.names import Names, names_of

ROOT = Path(__file__).resolve().parents[2]
CLIENT = Address(name="Maria Alvarez", email="maria@studio.example")
Found = TypeVar("Found")
ALONE = "alone for a while"
SENT_FIRST, INBOX_FIRST, INBOX_ALONE = ("Sent", "INBOX"), ("INBOX", "Sent"), ("INBOX", ALONE, "Sent")
ORDERS_OF_ARRIVAL = (SENT_FIRST, INBOX_FIRST, INBOX_ALONE)
"""How the copies of an answer come: programs file the one in Sent before, after, or a while after it was sent."""


def until(look: Callable[[], Found], seconds: float = PATIENCE, what: str = "") -> Found:
    """Wait for a condition; what it found. It is given up after `seconds`, but never before PATIENCE.

    Raises:
        WaitedInVainError: it did not come.
    """
    limit = max(seconds, PATIENCE)
    deadline = time.monotonic() + limit
    while not (found := look()):
        if time.monotonic() > deadline:
            raise WaitedInVainError(f"Waited {limit:.0f} s in vain for {what or look}.")
        time.sleep(0.05)
    return found


class House:
    """One home with its servers. `owner` is the mailbox's own address."""

    def __init__(self, home: Path, user: DovecotUser, smtp: RecordingSmtp, **changes: dict[str, Any]) -> None:
        self.home, self.user, self.smtp = home, user, smtp
        self.owner = Address(name="Ada Winter", email=user.user)
        self.process: subprocess.Popen[str] | None = None
        self.said: list[str] = []
        self._lock = threading.Lock()
        smtp.on_message = self._arrive
        self._write_settings(changes)

    def _arrive(self, mail: Delivered) -> None:
        """The owner's provider: what is addressed to the owner lies in INBOX."""
        if self.owner.email in mail.recipients:
            self.user.deliver(mail.kept)

    def _write_settings(self, changes: dict[str, dict[str, Any]]) -> None:
        self.home.mkdir(mode=0o700, parents=True, exist_ok=True)
        imap = self.user.account()
        values: dict[str, dict[str, Any]] = {
            "owner": {"name": self.owner.name, "address": self.owner.email, "timezone": "Europe/Berlin"},
            "imap": {
                "host": "localhost", "port": imap.port, "tls": "implicit", "user": imap.user,
                "password": imap.password, "ca_file": str(imap.ca_file),
            },
            "smtp": {
                "host": "127.0.0.1", "port": self.smtp.port, "tls": "none", "user": "", "files_sent": "no",
            },
            "intake": {"first_day": "ask"},
            "approval": {"grace": "0s", "most_waiting": 1000},
            "limits": {"per_hour": 1000, "per_recipient_per_day": 1000, "to_owner_per_hour": 1000},
        }  # fmt: skip
        for section, keys in changes.items():
            values.setdefault(section, {}).update(keys)
        path = self.home / "deskhand.toml"
        path.write_text(tomlkit.dumps(values))
        path.chmod(0o600)

    # ------------------------------------------------------------ the service

    def start(
        self, program: Sequence[str] = ("-m", "workers"), arguments: Sequence[str] = ("up",), *, may_end: bool = False
    ) -> None:
        """Run `up` in a process of its own and wait until it says that it runs; `may_end`: or until it is dead."""
        self.process = subprocess.Popen(
            [sys.executable, "-P", *program, "--home", str(self.home), *arguments],
            env={**os.environ, "PYTHONPATH": str(ROOT)},
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            start_new_session=True,
        )
        self._listener = threading.Thread(target=self._listen, args=(self.process,), daemon=True)
        self._listener.start()
        until(lambda: self._runs() or self.ended(), what="the service to run")
        if not may_end and not self._runs():
            raise WaitedInVainError("The service ended before it ran; it said: " + " | ".join(self.said[-20:]))

    def _listen(self, process: subprocess.Popen[str]) -> None:
        self.said.append(f"-- process {process.pid}")
        assert process.stdout
        with process.stdout as lines:
            for line in lines:
                self.said.append(line.rstrip())

    def _runs(self) -> bool:
        assert self.process
        mine = self.said[_last_index(self.said, f"-- process {self.process.pid}") :]
        return any("is running" in line for line in mine)

    def ended(self) -> bool:
        return self.process is None or self.process.poll() is not None

    def stop(self) -> int:
        """SIGTERM, and how it ended."""
        assert self.process
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)

    def kill(self) -> None:
        """kill -9 of the service."""
        assert self.process
        self.process.kill()
        self.process.wait(PATIENCE)

    def kill_temporal(self) -> int:
        """kill -9 of the embedded Temporal server; its process id."""
        pid = int(self._temporal()["pid"])
        os.kill(pid, signal.SIGKILL)
        return pid

    @property
    def temporal_address(self) -> str:
        """Where the embedded Temporal server listens."""
        return f"127.0.0.1:{self._temporal()['port']}"

    def _temporal(self) -> dict[str, Any]:
        known: dict[str, Any] = json.loads((self.home / "temporal.json").read_text())
        return known

    @property
    def names(self) -> Names:
        """What things of this home are called in Temporal."""
        with self.ledger() as ledger:
            return names_of(ledger.home())

    def close(self) -> None:
        if self.process and self.process.poll() is None:
            self.kill()
        if self.process:
            self.process.wait(PATIENCE)
            self._listener.join(PATIENCE)

    @contextlib.contextmanager
    def running(self) -> Iterator["House"]:
        self.start()
        try:
            yield self
        finally:
            self.close()

    @contextlib.contextmanager
    def ledger(self) -> Iterator[Ledger]:
        """The ledger, read beside the running service."""
        loaded = loading.load(self.home)
        engine = open_engine(self.home / "ledger.sqlite")
        try:
            yield Ledger(engine, loaded.owner_facts(), SystemClock(), Blobs(self.home / "blobs"))
        finally:
            engine.dispose()

    # ------------------------------------------------------------ the people

    def client_writes(self, number: int, *, sender: Address = CLIENT, body: str = "") -> bytes:
        """A client's question lies in INBOX; its bytes."""
        raw = client_mail(number, self.owner, sender=sender, body=body)
        self.user.deliver(raw)
        return raw

    def approvals(self) -> list[Email]:
        """Every approval mail in the owner's INBOX, oldest first."""
        mails = (mime.parse(stored.content) for stored in self.user.messages())
        return [email for email in mails if is_approval(email)]

    def notices(self) -> list[Email]:
        """What Deskhand told the owner without a question, oldest first."""
        mails = (mime.parse(stored.content) for stored in self.user.messages())
        return [mail for mail in mails if mail.header("auto-submitted") and "answer above this line" not in mail.text]

    def wait_approvals(self, count: int, seconds: float = 60) -> list[Email]:
        def look() -> list[Email]:
            found = self.approvals()
            return found if len(found) >= count else []

        return until(look, seconds, f"{count} approval mails; said: {self.said[-20:]}")

    def owner_answers(self, asked: Email, text: str, copies: Sequence[str] = SENT_FIRST) -> bytes:
        """The owner's mail program: the answer above the quoted mail, one copy in Sent, one arriving in INBOX.

        `copies`: where they come, in their order; `INBOX_ALONE` waits until the first was taken in.
        """
        quoted = "\n".join(f"> {line}".rstrip() for line in asked.text.splitlines())
        raw = mime.compose(
            sender=self.owner,
            to=(self.owner,),
            subject=f"Re: {asked.subject}",
            body=f"{text}\n\nOn Mon, 23 Nov 2026 at 10:00, Deskhand <{self.owner.email}> wrote:\n\n{quoted}\n",
            message_id=f"<answer-{time.monotonic_ns()}@mail.example>",
            date=datetime.now(UTC),
            in_reply_to=asked.message_id,
            references=(*asked.references, asked.message_id),
        )
        self.files(raw, copies)
        return raw

    def files(self, raw: bytes, copies: Sequence[str], sent: bytes = b"") -> None:
        """Put the copies of a mail where they come, in their order; `sent`: the copy in Sent, where it differs."""
        for folder in copies:
            if folder == ALONE:
                until(lambda: self.has_seen(raw), what="the copy in INBOX to be taken in")
            else:
                filed = sent or raw if folder.startswith("Sent") else raw
                self.user.deliver(filed, folder, "\\Seen" if folder.startswith("Sent") else "")

    def has_seen(self, raw: bytes) -> bool:
        """Whether the running service has recorded this mail."""
        with self.ledger() as ledger:
            return ledger.email(mime.parse(raw).identity) is not None

    def sent_to_clients(self) -> list[Delivered]:
        """What really left for anyone but the owner."""
        return [mail for mail in self.smtp.delivered if self.owner.email not in mail.recipients]

    def wait_sent(self, count: int, seconds: float = 60) -> list[Delivered]:
        def look() -> list[Delivered]:
            found = self.sent_to_clients()
            return found if len(found) >= count else []

        return until(look, seconds, f"{count} mails to clients; said: {self.said[-20:]}")


def client_mail(number: int, owner: Address, *, sender: Address = CLIENT, body: str = "") -> bytes:
    """A short question of a client, its own thread."""
    return mime.compose(
        sender=sender,
        to=(owner,),
        subject=f"Question {number} about the kick-off",
        body=body
        or f"Hi Ada,\n\ndoes Thursday {number % 24}:00 work for the kick-off call number {number}?\n\nMaria\n",
        message_id=f"<question-{number}-{time.monotonic_ns()}@studio.example>",
        date=datetime.now(UTC),
    )


def is_approval(email: Email) -> bool:
    return email.has_header("x-deskhand-case") and "answer above this line" in email.text


def case_of(approval: Email) -> int:
    return int(approval.header("x-deskhand-case").partition(".")[0])


def _last_index(lines: list[str], wanted: str) -> int:
    return max((index for index, line in enumerate(lines) if line == wanted), default=0)


class AutomaticOwner:
    """An owner who says the same to every approval mail, each version once, as long as the block lasts."""

    def __init__(self, house: House, says: str = "ok") -> None:
        self._house, self._says = house, says
        self._answered: set[str] = set()
        self._stop = threading.Event()
        self._thread = threading.Thread(target=self._answer_all, daemon=True)
        self.faults: list[Exception] = []

    def __enter__(self) -> Self:
        self._thread.start()
        return self

    def __exit__(self, *_: object) -> None:
        self._stop.set()
        self._thread.join(PATIENCE)
        assert not self.faults, self.faults

    def _answer_all(self) -> None:
        while not self._stop.wait(0.2):
            try:
                for approval in self._house.approvals():
                    name = approval.header("x-deskhand-case")
                    if name not in self._answered:
                        self._answered.add(name)
                        self._house.owner_answers(approval, self._says)
            except OSError as error:
                self.faults.append(error)
