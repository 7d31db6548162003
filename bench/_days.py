"""The service itself on the server that skips time: a real mailbox, real SMTP, real workflows, and a clock that leaps.

What the service does "every minute" is done here after each leap and at every full hour, so that a day costs seconds.
"""

import asyncio
import contextlib
import imaplib
import logging
import re
import threading
from collections import Counter
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import structlog
from sqlalchemy import select
from temporalio import activity
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from bench._arrivals import Copy
from bench._house import servers
from memory.record.schema import reading, seen
from tests.house.running import House, case_of
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import Delivered, RecordingSmtp
from tests.servers.timeskip import time_skipping
from tools.mail import mime
from workers.desk.hints import Hints
from workers.desk.ordering import Orders
from workers.rounds.upkeep import Upkeep
from workers.service import logs
from workers.service.aftercare import Aftercare
from workers.service.own_mail import OwnMail
from workers.service.supervisor import Service
from workers.settings import loading
from workflows.models.case import CaseState
from workflows.models.mail import Email

PATIENCE = 180.0
"""Seconds of real time in which the service must be done with what has come: a mail that IDLE missed takes a minute."""
_SKIPPED = frozenset({"schedules", "upkeep", "aftercare", "hints", "watch over own mail"})
"""Parts that wait in real time: their rounds are made by `Days`, and the skipping server has no schedules."""


class LeapingClock(Interceptor):
    """The real time and how far the house is ahead of it; an activity that begins later moves it on."""

    def __init__(self) -> None:
        self.ahead = timedelta(0)

    def now(self) -> datetime:
        return datetime.now(UTC) + self.ahead

    def reach(self, moment: datetime) -> None:
        self.ahead = max(self.ahead, moment - datetime.now(UTC))

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Reaching(next, self)


class _Reaching(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, clock: LeapingClock) -> None:
        super().__init__(following)
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's own name
        self._clock.reach(activity.info().started_time)
        return await super().execute_activity(input)


class LeapingService(Service):
    """The product's own service; only its waiting in real time is left out."""

    upkeep: Upkeep
    aftercare: Aftercare
    hints: Hints
    orders: Orders
    own_mail: OwnMail

    def _upkeep(self, *parts: Any) -> Upkeep:
        self.upkeep = super()._upkeep(*parts)
        return self.upkeep

    def _aftercare(self, *parts: Any) -> Aftercare:
        self.aftercare = super()._aftercare(*parts)
        return self.aftercare

    def _hints(self, *parts: Any) -> Hints:
        self.hints = super()._hints(*parts)
        return self.hints

    def _orders(self, *parts: Any) -> Orders:
        self.orders = super()._orders(*parts)
        return self.orders

    def _own_mail(self) -> OwnMail:
        self.own_mail = super()._own_mail()
        return self.own_mail

    def _keep(self, name: str, part: Callable[[], Awaitable[None]]) -> None:
        if name not in _SKIPPED:
            super()._keep(name, part)


class Post:
    """The owner's provider: mail arrives at the house's time, by one session that stays open."""

    def __init__(self, user: DovecotUser, clock: LeapingClock) -> None:
        self._client = imaplib.IMAP4("127.0.0.1", user.server.port, timeout=PATIENCE)
        self._client.login(user.user, user.password)
        self._clock = clock
        self._lock = threading.Lock()

    def deliver(self, raw: bytes, folder: str = "INBOX") -> int:
        """Put it there; its UID."""
        date = imaplib.Time2Internaldate(self._clock.now())
        with self._lock:
            said, detail = self._client.append(folder, "(\\Seen)" if folder == "Sent" else "", date, raw)
        if said != "OK":
            raise AssertionError(f"Dovecot refused: {detail}")
        return int(re.search(rb"APPENDUID \d+ (\d+)", detail[0])[1])

    def close(self) -> None:
        with contextlib.suppress(OSError, imaplib.IMAP4.error):
            self._client.logout()


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """A mail of Deskhand's to the owner, and when it came."""

    at: datetime
    email: Email

    @property
    def about(self) -> str:
        """The case and version it asks about ("41.1", several in a digest), "41" in a notice about a case, else ""."""
        return self.email.header("x-deskhand-case")

    @property
    def asks(self) -> bool:
        """Whether it asks about one case, by itself."""
        return "." in self.about and not self.shows_many

    @property
    def case(self) -> int:
        """The case of a mail that asks about one, else 0."""
        return case_of(self.email) if self.asks else 0

    @property
    def shows_many(self) -> bool:
        """A digest or a reminder."""
        return any(reference.startswith("<0.") for reference in self.email.references)


@dataclass(frozen=True, slots=True, kw_only=True)
class Left:
    """A mail that left for a client, and when."""

    at: datetime
    address: str
    body: str
    email: Email


@dataclass(slots=True, kw_only=True)
class Days:
    """The running house, its people's mail, and the leaps."""

    environment: WorkflowEnvironment
    service: LeapingService
    clock: LeapingClock
    post: Post
    told: list[Told] = field(default_factory=list)
    left: list[Left] = field(default_factory=list)
    owner: str
    awaited: Counter[str] = field(default_factory=Counter)
    """The newest mail of each folder that somebody else than the service put there."""

    # ------------------------------------------------------------ mail

    def arrive(self, mail: Delivered) -> None:
        """What the SMTP server took: to the owner's INBOX, or away to a client."""
        email = mime.parse(mail.kept)
        if self.owner in mail.recipients:
            self.told.append(Told(at=self.clock.now(), email=email))
            self.post.deliver(mail.kept)
            return
        body = mime.decoded_body(mail.content)
        self.left += [Left(at=self.clock.now(), address=address, body=body, email=email) for address in mail.recipients]

    async def deliver(self, raw: bytes, folder: str = "INBOX") -> None:
        """One mail lies in that folder, and the service has done what it does about it."""
        self.awaited[folder] = await asyncio.to_thread(self.post.deliver, raw, folder)
        await self.settle()

    async def deliver_all(self, mails: Sequence[Copy]) -> None:
        """Several at once, and the service has done what it does about each."""
        for mail in mails:
            self.awaited[mail.folder] = await asyncio.to_thread(self.post.deliver, mail.raw, mail.folder)
        await self.settle()

    # ------------------------------------------------------------ time

    async def until(self, moment: datetime) -> None:
        """Leap there, with a round of the service at every full hour on the way."""
        while (now := self.clock.now()) < moment:
            hour = now.replace(minute=0, second=1, microsecond=0) + timedelta(hours=1)
            await self.leap(min(hour, moment) - now)

    async def leap(self, time: timedelta) -> None:
        """So much time passes; then everything that is due is done."""
        await self.environment.sleep(time)
        self.clock.reach(await self.environment.get_current_time())
        await self.settle()
        await self._rounds()
        await self.settle()

    async def _rounds(self) -> None:
        service = self.service
        for round_ in (service.upkeep, service.aftercare, service.hints, service.own_mail):
            await round_.round()

    async def settle(self) -> None:
        """Until every mail is read and told, every answer has had its effect, and every case waits for somebody."""
        try:
            async with asyncio.timeout(PATIENCE):
                while not await asyncio.to_thread(self._is_settled):  # noqa: ASYNC110 - the service does not call us
                    await asyncio.sleep(0.02)
        except TimeoutError:
            raise AssertionError(f"not done after {PATIENCE:.0f} s: {await asyncio.to_thread(self._open)}") from None
        if self.service.upkeep.due.is_set() or self.service.aftercare.due.is_set():
            self.service.upkeep.due.clear()
            self.service.aftercare.due.clear()
            await self._rounds()
            await self.settle()

    def _is_settled(self) -> bool:
        return not self._open()

    def _open(self) -> str:
        """What is still being done, in words; "" when nothing is."""
        ledger = self.service.parts.ledger
        for folder in ("INBOX", "Sent"):
            cursor = ledger.cursor(folder)
            if cursor is None or cursor.last_uid < self.awaited[folder]:
                return f"{folder} is not read"
        if ledger.undelivered() or ledger.unhandled_answers() or ledger.unconsumed_answers():
            return "not everything is delivered"
        busy = [state for state in ledger.open_cases() if self._is_busy(state) or ledger.unheard(state)]
        return ", ".join(f"case {state.case} is {state.stage}" for state in busy)

    def _is_busy(self, state: CaseState) -> bool:
        now = self.clock.now()
        if state.stage == "approved":  # the time in which a no still wins
            return state.approved_at is None or now > state.approved_at + timedelta(seconds=state.grace)
        if state.stage == "sending":
            return state.held_until is None
        if state.stage == "waiting" and state.later_until:
            return now > state.later_until
        return state.stage not in {"waiting", "needs_owner", "placed"}

    # ------------------------------------------------------------ what the ledger knows

    def case_of(self, raw: bytes) -> int:
        """The case that this mail of a client's became or joined, 0 when none."""
        row = self._seen(raw)
        return int(row.case) if row and row.state != "ignored" else 0

    def was_ignored(self, raw: bytes) -> bool:
        row = self._seen(raw)
        return row is not None and row.state == "ignored"

    def _seen(self, raw: bytes) -> Any:
        query = select(seen.c.case, seen.c.state).where(seen.c.key == mime.parse(raw).identity, seen.c.kind == "mail")
        with reading(self.service.parts.engine) as connection:
            return connection.execute(query).first()

    def state(self, case: int) -> CaseState:
        return self.service.parts.ledger.case(case)


@contextlib.asynccontextmanager
async def days(begin: datetime, address: str, /, **changes: dict[str, Any]) -> AsyncIterator[Days]:
    """The house as it runs from this moment on, with servers of its own; gone afterwards."""
    with servers() as (dovecot, smtp, folder):
        user = dovecot.add_user(address)
        async with time_skipping() as environment:
            server = environment.client.service_client.config.target_host
            temporal = {"address": server, "namespace": environment.client.namespace}
            home = _home(folder / "home", user, smtp, temporal=temporal, **changes)
            async with _moved_in(home, user, smtp, environment, begin) as running:
                yield running


def _home(home: Path, user: DovecotUser, smtp: RecordingSmtp, **changes: dict[str, Any]) -> Path:
    House(home, user, smtp, **changes)
    (home / "keys").mkdir(mode=0o700)
    return home


@contextlib.asynccontextmanager
async def _moved_in(
    home: Path, user: DovecotUser, smtp: RecordingSmtp, environment: WorkflowEnvironment, begin: datetime
) -> AsyncIterator[Days]:
    clock = LeapingClock()
    await environment.sleep(begin - await environment.get_current_time())
    clock.reach(await environment.get_current_time())
    post = Post(user, clock)
    said: list[str] = []
    service = LeapingService(home, loading.load(home), say=said.append, interceptors=(clock,), clock=clock)
    made = Days(environment=environment, service=service, clock=clock, post=post, owner=user.user)
    smtp.on_message = made.arrive
    try:
        with _logged(home):
            async with service:
                yield made
    finally:
        post.close()


@contextlib.contextmanager
def _logged(home: Path) -> Iterator[None]:
    """The service's log goes where it belongs, and nowhere after it."""
    root = logging.getLogger()
    before, level = root.handlers, root.level
    logs.configure(home)
    try:
        yield
    finally:
        for handler in root.handlers:
            handler.close()
        root.handlers, root.level = before, level
        structlog.reset_defaults()
