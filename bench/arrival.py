"""From a client's mail in INBOX to the approval mail in INBOX, against bare IDLE, no-op activities and bare SMTP.

Both sides use the same Dovecot, the same Temporal server and the same SMTP server, and take turns.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from dataclasses import dataclass
from itertools import count
from uuid import uuid4

from temporalio.client import Client

from bench._bare import QUEUE, Bare, BareActivities, BareInbox, bare_worker
from bench._figures import Figure, against_floor
from bench._house import Delivery, MeasuredHouse, house
from bench._story import activities_of
from tests.house.running import client_mail, until
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import Delivered
from tools.mail.account import Account
from tools.mail.sending.smtp import Transport

WARM_UP = 5
GOAL = 1.25


async def run(full: bool) -> AsyncIterator[Figure]:
    """`arrival`: seconds, the median of 100 mails (10 in small)."""
    with house() as measured:
        neighbour = Neighbour(measured)
        inbox = await asyncio.to_thread(BareInbox, neighbour.user)
        try:
            async with bare_worker(measured.temporal_address, neighbour.activities()) as client:
                pair = _Pair(measured, neighbour, inbox, client)
                for _ in range(WARM_UP):
                    await pair.both()
                taken = [await pair.both() for _ in range(100 if full else 10)]
        finally:
            inbox.close()
            neighbour.close()
        yield against_floor(
            "arrival", [ours for ours, _ in taken], [floor for _, floor in taken], most=GOAL, unit="s",
            activities=pair.activities,
        )  # fmt: skip


class Neighbour:
    """A second mailbox on the same servers, served by the bare floor."""

    def __init__(self, measured: MeasuredHouse) -> None:
        self.measured = measured
        self.user: DovecotUser = measured.user.server.add_user()
        self.arrived: list[float] = []
        self._delivery, self._provider = Delivery(self.user), Delivery(self.user)
        ours = measured.smtp.on_message
        assert ours

        def arrive(mail: Delivered) -> None:
            if self.user.user in mail.recipients:
                self._provider.deliver(mail.kept)
                self.arrived.append(time.perf_counter())
            else:
                ours(mail)

        measured.smtp.on_message = arrive

    def activities(self) -> BareActivities:
        account = Account(host="127.0.0.1", port=self.measured.smtp.port, tls="none", user="", password="")
        return BareActivities(Transport(account), self.user.user, client_mail(0, self.measured.owner))

    def deliver(self, raw: bytes) -> None:
        self._delivery.deliver(raw)

    def close(self) -> None:
        self._delivery.close()
        self._provider.close()


@dataclass(slots=True)
class _Pair:
    """The service and its floor, once each."""

    measured: MeasuredHouse
    neighbour: Neighbour
    inbox: BareInbox
    client: Client
    activities: int = 0
    numbers: count = None  # type: ignore[assignment,type-arg]

    def __post_init__(self) -> None:
        self.numbers = count(1)

    async def both(self) -> tuple[float, float]:
        """Seconds from the client's mail to the owner's: the service's and the floor's."""
        number = next(self.numbers)
        ours = await asyncio.to_thread(self._through_the_service, number)
        if not self.activities:
            self.activities = await activities_of(self.client, self.measured.names.case(number), "ask")
        return ours, await self._through_the_floor(number)

    def _through_the_service(self, number: int) -> float:
        before = len(self.measured.arrived)
        raw = client_mail(number, self.measured.owner)
        began = time.perf_counter()
        self.measured.clients.deliver(raw)
        arrived = self.measured.wait_arrived(before + 1)
        self.measured.wait_quiet()
        return arrived - began

    async def _through_the_floor(self, number: int) -> float:
        before = len(self.neighbour.arrived)
        raw = client_mail(number, self.measured.owner)
        await asyncio.to_thread(self.inbox.begin)
        began = time.perf_counter()
        await asyncio.to_thread(self.neighbour.deliver, raw)
        await asyncio.to_thread(self.inbox.next_mail)
        await self.client.execute_workflow(
            Bare.run, args=[self.activities, True], id=f"bare-{uuid4()}", task_queue=QUEUE
        )
        await asyncio.to_thread(until, lambda: len(self.neighbour.arrived) > before)
        return self.neighbour.arrived[before] - began
