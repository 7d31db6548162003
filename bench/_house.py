"""The service as it runs for real, with servers of its own, and the clock on what arrives at the owner's INBOX."""

import contextlib
import imaplib
import shutil
import tempfile
import threading
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from tests.house.running import House, until
from tests.patience import PATIENCE
from tests.servers.dovecot import Dovecot, DovecotUser
from tests.servers.smtp import Delivered, RecordingSmtp

LONG = 300.0
"""Seconds after which a measurement is given up: far above anything that is waited for here."""


class Delivery:
    """A provider's delivery into one mailbox: a session that stays open, so that logins are not what is measured."""

    def __init__(self, user: DovecotUser) -> None:
        self._client = imaplib.IMAP4("127.0.0.1", user.server.port, timeout=PATIENCE)
        self._client.login(user.user, user.password)
        self._lock = threading.Lock()

    def deliver(self, raw: bytes, folder: str = "INBOX") -> None:
        with self._lock:
            said, detail = self._client.append(folder, "", None, raw)
        if said != "OK":
            raise AssertionError(f"Dovecot refused: {detail}")

    def close(self) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.logout()


class MeasuredHouse(House):
    """A house that notes when each mail lay in the owner's INBOX (`time.perf_counter()` seconds)."""

    def __init__(self, home: Path, user: DovecotUser, smtp: RecordingSmtp, **changes: dict[str, Any]) -> None:
        self.arrived: list[float] = []
        self.provider = Delivery(user)
        self.clients = Delivery(user)
        super().__init__(home, user, smtp, **changes)

    def _arrive(self, mail: Delivered) -> None:
        if self.owner.email in mail.recipients:
            self.provider.deliver(mail.kept)
            self.arrived.append(time.perf_counter())

    def wait_arrived(self, count: int) -> float:
        """When the count-th mail to the owner lay in INBOX."""
        until(lambda: len(self.arrived) >= count, LONG, f"{count} mails to the owner; said: {self.said[-20:]}")
        return sorted(self.arrived)[count - 1]

    def wait_quiet(self) -> None:
        """Until every open case waits for the owner and every mail that reached the mailbox is in the ledger."""
        until(self._is_quiet, LONG, f"the service to be done; said: {self.said[-20:]}")

    def _is_quiet(self) -> bool:
        with self.ledger() as ledger:
            waiting = all(case.stage in {"waiting", "needs_owner"} for case in ledger.open_cases())
            known = ledger.cursor("INBOX")
        with self.user.session("INBOX") as client:
            _, data = client.uid("SEARCH", "ALL")
        uids = [int(uid) for uid in data[0].split()]
        return waiting and known is not None and known.last_uid >= max(uids, default=0)

    def close(self) -> None:
        super().close()
        self.provider.close()
        self.clients.close()


@contextlib.contextmanager
def servers() -> Iterator[tuple[Dovecot, RecordingSmtp, Path]]:
    """A real Dovecot, a recording SMTP server and a folder, gone afterwards."""
    folder = Path(tempfile.mkdtemp(prefix="dh-bench-", dir="/tmp"))
    dovecot = Dovecot()
    dovecot.start()
    try:
        with RecordingSmtp() as smtp:
            yield dovecot, smtp, folder
    finally:
        dovecot.stop()
        shutil.rmtree(folder, ignore_errors=True)


@contextlib.contextmanager
def house(**changes: dict[str, Any]) -> Iterator[MeasuredHouse]:
    """A house that runs, its first run behind it."""
    with servers() as (dovecot, smtp, folder):
        built = MeasuredHouse(folder / "home", dovecot.add_user(), smtp, **changes)
        try:
            built.start()
            yield built
        finally:
            built.close()
