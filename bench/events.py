"""Events a second through the whole service, against bare workflows of as many no-op activities.

A burst of mails lies in INBOX at once; it is done when the last approval mail lies in INBOX. Its floor is a burst of
as many bare workflows on the same Temporal server. Bursts take turns.
"""

import asyncio
import time
from collections.abc import AsyncIterator
from uuid import uuid4

from temporalio.client import Client

from bench._bare import QUEUE, Bare, BareActivities, bare_worker
from bench._figures import Figure, against_floor
from bench._house import MeasuredHouse, house
from bench._story import activities_of
from tests.house.running import client_mail
from tools.mail.account import Account
from tools.mail.sending.smtp import Transport
from workflows.models.mail import Address

GOAL = 0.7


async def run(full: bool) -> AsyncIterator[Figure]:
    """`events`: events a second, the median of 5 bursts of 60 mails (2 bursts in small), after one to warm up."""
    size, bursts = 60, 5 if full else 2
    with house() as measured:
        async with bare_worker(measured.temporal_address, _no_ops(measured)) as client:
            await asyncio.to_thread(_burst, measured, 0, 10)
            activities = await activities_of(client, measured.names.case(1))
            await _bare_burst(client, 10, activities)
            ours, floors = [], []
            for number in range(1, bursts + 1):
                ours.append(size / await asyncio.to_thread(_burst, measured, number, size))
                floors.append(size / await _bare_burst(client, size, activities))
        yield against_floor("events", ours, floors, least=GOAL, unit="events/s", activities=activities, burst=size)


def _no_ops(measured: MeasuredHouse) -> BareActivities:
    account = Account(host="127.0.0.1", port=measured.smtp.port, tls="none", user="", password="")
    return BareActivities(Transport(account), "nobody@bench.example", b"")


def _burst(measured: MeasuredHouse, burst: int, size: int) -> float:
    """Seconds from the first mail to the last approval mail; each mail is another client's."""
    mails = [
        client_mail(number, measured.owner, sender=Address(name="Client", email=f"c{number}@firm{burst}.example"))
        for number in range(size)
    ]
    before = len(measured.arrived)
    began = time.perf_counter()
    for raw in mails:
        measured.clients.deliver(raw)
    done = measured.wait_arrived(before + size)
    measured.wait_quiet()
    return done - began


async def _bare_burst(client: Client, size: int, activities: int) -> float:
    began = time.perf_counter()
    async with asyncio.TaskGroup() as group:
        for _ in range(size):
            group.create_task(
                client.execute_workflow(Bare.run, args=[activities, False], id=f"bare-{uuid4()}", task_queue=QUEUE)
            )
    return time.perf_counter() - began
