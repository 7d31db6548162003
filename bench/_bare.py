"""The floor: bare IDLE, a bare workflow of no-op activities on the service's own Temporal server, bare SMTP."""

import asyncio
import contextlib
import threading
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from datetime import timedelta

from temporalio import activity, workflow

from tests.patience import PATIENCE, WaitedInVainError

with workflow.unsafe.imports_passed_through():
    from temporalio.client import Client
    from temporalio.worker import Worker

    from tests.servers.dovecot import DovecotUser
    from tools.mail.imap import Connection, ImapPatience, connect
    from tools.mail.sending.smtp import Transport
    from workers.temporal.worker import runner

QUEUE = "bench-bare"
_LIMIT = timedelta(seconds=60)


@dataclass(frozen=True, slots=True)
class BareActivities:
    """What does nothing, and what hands a mail to the server without an outbox."""

    transport: Transport
    recipient: str
    content: bytes

    @activity.defn
    async def nothing(self) -> None:
        return

    @activity.defn
    async def post(self) -> None:
        await self.transport.submit(self.content, self.recipient, [self.recipient], _no_record)


async def _no_record() -> None:
    return


@workflow.defn
class Bare:
    """As many activities as the measured story has, one after the other; the last one sends when `posts`."""

    @workflow.run
    async def run(self, activities: int, posts: bool) -> None:
        for _ in range(activities - posts):
            await workflow.execute_activity_method(BareActivities.nothing, start_to_close_timeout=_LIMIT)
        if posts:
            await workflow.execute_activity_method(BareActivities.post, start_to_close_timeout=_LIMIT)


@contextlib.asynccontextmanager
async def bare_worker(address: str, activities: BareActivities) -> AsyncIterator[Client]:
    """A worker with nothing but the bare workflow while the block lasts; its client."""
    client = await Client.connect(address)
    served = [activities.nothing, activities.post]
    async with Worker(client, task_queue=QUEUE, workflows=[Bare], activities=served, workflow_runner=runner()):
        yield client


class BareInbox:
    """One IDLE connection: `next_mail` waits for the next mail and fetches it. Nothing is recorded anywhere."""

    def __init__(self, user: DovecotUser) -> None:
        self._connection: Connection = connect(user.account(), ImapPatience())
        self._connection.ask(self._connection.examine, "INBOX")
        self._last = self._highest()
        self._ended = threading.Event()

    def begin(self) -> None:
        """Enter IDLE, so that whatever comes from now on is told."""
        self._ended.clear()
        self._connection.start_idle(lambda _: self._ended.set())

    def next_mail(self) -> bytes:
        """The mail that came since `begin`."""
        while True:
            if not self._ended.wait(PATIENCE):
                raise WaitedInVainError(f"Waited {PATIENCE:.0f} s in vain for a mail in the bare inbox.")
            uid = self._highest()
            if uid > self._last:
                self._last = uid
                return self._fetch(uid)
            self.begin()

    def close(self) -> None:
        self._connection.kill()

    def _highest(self) -> int:
        data = self._connection.ask(self._connection.uid, "SEARCH", "ALL")
        self._connection.forget_untagged()
        return max((int(word) for line in data if line for word in line.split()), default=0)

    def _fetch(self, uid: int) -> bytes:
        data = self._connection.ask(self._connection.uid, "FETCH", str(uid), "(UID BODY.PEEK[])")
        self._connection.forget_untagged()
        return next(bytes(item[1]) for item in data if isinstance(item, tuple))


async def seconds_of(doing: Callable[[], object]) -> float:
    """How long a blocking call takes, off the event loop."""
    loop = asyncio.get_running_loop()
    began = loop.time()
    await asyncio.to_thread(doing)
    return loop.time() - began
