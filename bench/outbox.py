"""Promises S1, S2, S3 and T1: nothing twice, nothing silently lost, right threads, caps that hold, whoever dies.

The two rivals of S1 send the same mails through the same faults: one tries again until it is told "ok", one never does.
"""

import asyncio
import contextlib
import random
import shutil
import smtplib
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Callable, Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from pathlib import Path

from bench._figures import Figure, at_most, finished
from bench._house import MeasuredHouse, servers
from memory.outbox.entries import Claimed, Held
from tests.approved import FREE, NOW, Desk
from tests.house.running import AutomaticOwner, until
from tests.house.test_crash import BOUNDARIES, ENDS_WITHIN
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import (
    ACCEPT_THEN_DROP,
    DROP_BEFORE_ACCEPT,
    PERMANENT,
    STALL,
    TEMPORARY,
    Fault,
    RecordingSmtp,
)
from tests.tools.test_outbox import Office
from tools.mail import mime
from workflows.models.drafts import Outgoing
from workflows.models.mail import Address

SEED = 2026
MIX = (
    *(DROP_BEFORE_ACCEPT,) * 5, *(ACCEPT_THEN_DROP,) * 5, *(TEMPORARY,) * 2, *(PERMANENT,) * 2, *(STALL,) * 2,
    *(None,) * 4,
)  # fmt: skip
"""25 % dropped before the server took it, 25 % after, 10 % each 4xx, 5xx and stalled, 20 % well."""
REFUSED = "refused@studio.example"
PER_HOUR = 50
MOST_TRIES = 50
LANES = 4


async def run(full: bool) -> AsyncIterator[Figure]:
    """`S1` duplicates or lost (two kinds of server), `S2` broken threads, `S3` mails over the cap, `T1` as S1."""
    for name, rewrites in (("S1", False), ("S1.rewriting-server", True)):
        yield await finished(name, _faulty(name, 500 if full else 60, rewrites=rewrites))
    yield await finished("S2", _threads(200 if full else 30))
    yield await finished("S3", asyncio.to_thread(_caps, 10_000 if full else 500))
    yield await finished("T1", _deaths(_all_deaths() if full else _some_deaths(), lanes=LANES if full else 1))


# ---------------------------------------------------------------- S1


@contextlib.asynccontextmanager
async def _office(*, rewrites: bool = False) -> AsyncIterator[Office]:
    """An outbox; `rewrites`: a provider that gives its own Message-IDs and files what it sends into Sent."""
    with servers() as (dovecot, smtp, folder):
        user = dovecot.add_user()
        smtp.rewrite_ids = rewrites
        if rewrites:
            smtp.on_message = lambda mail: user.deliver(mail.kept, "Sent", "\\Seen")
        limits = replace(FREE, per_hour=100_000, per_recipient_per_day=100_000)
        async with Office(folder, smtp, user, files_sent="auto" if rewrites else "no", limits=limits) as office:
            yield office


async def _faulty(name: str, count: int, *, rewrites: bool) -> Figure:
    async with _office(rewrites=rewrites) as office:
        office.server.refused.add(REFUSED)
        office.server.script = _faults()
        drafts = [
            office.approved(case, body=_body(case), to=REFUSED if case % 20 == 0 else f"c{case}@x.example")
            for case in range(1, count + 1)
        ]
        lanes = asyncio.Semaphore(6)

        async def end(outgoing: Outgoing) -> tuple[str, str]:
            async with lanes:
                return outgoing.body, (await office.send_to_the_end(outgoing)).state

        ends = dict(await asyncio.gather(*map(end, drafts)))
        arrived = _arrived(office.server)
    states = Counter(ends.values())
    duplicates = sum(number - 1 for number in arrived.values())
    lost = sum(state == "sent" and not arrived[body] for body, state in ends.items())
    lost += count - states["sent"] - states["failed"] - states["uncertain"]
    return at_most(
        name, duplicates + lost, 0, sends=count, duplicates=duplicates, lost=lost, sent=states["sent"],
        failed_and_told=states["failed"], uncertain_and_told=states["uncertain"],
        blind_retry_duplicates=_blind_retry(count), at_most_once_lost=_at_most_once(count),
    )  # fmt: skip


class _faults(deque[Fault | None]):  # noqa: N801  a script that never ends, the same for everyone
    """Endless faults of the mix, the same at every run."""

    def __init__(self) -> None:
        super().__init__()
        self._chance = random.Random(SEED)

    def __bool__(self) -> bool:
        return True

    def popleft(self) -> Fault | None:
        return self._chance.choice(MIX)


def _body(case: int) -> str:
    return f"Answer number {case}.\n"


def _arrived(server: RecordingSmtp) -> Counter[str]:
    return Counter(mime.decoded_body(mail.content) for mail in server.delivered)


def _blind_retry(count: int) -> int:
    """Duplicates of a sender that tries again until the server says that it took the mail."""
    with _rival() as (server, submit):
        for case in range(1, count + 1):
            any(submit(case) for _ in range(MOST_TRIES))
        return sum(number - 1 for number in _arrived(server).values())


def _at_most_once(count: int) -> int:
    """What a sender loses that tries each mail once and forgets it."""
    with _rival() as (server, submit):
        for case in range(1, count + 1):
            submit(case)
        return count - len(_arrived(server))


@contextlib.contextmanager
def _rival() -> Iterator[tuple[RecordingSmtp, Callable[[int], bool]]]:
    with RecordingSmtp() as server:
        server.script = _faults()

        def submit(case: int) -> bool:
            raw = f"From: ada@winter.example\r\nTo: c{case}@x.example\r\nSubject: Re: Hi\r\n\r\n{_body(case)}"
            try:
                with smtplib.SMTP(server.host, server.port, timeout=0.4) as client:
                    client.sendmail("ada@winter.example", [f"c{case}@x.example"], raw.replace("\r\n", "\n"))
            except (smtplib.SMTPException, OSError):
                return False
            return True

        yield server, submit


# ---------------------------------------------------------------- S2


async def _threads(count: int) -> Figure:
    """Replies in threads of every length: In-Reply-To and References whole, nothing of an approval mail in them."""
    chance = random.Random(SEED)
    broken = 0
    async with _office() as office:
        for case in range(1, count + 1):
            chain = tuple(f"<{case}.{step}@studio.example>" for step in range(chance.randrange(1, 60)))
            outgoing = office.approved(case, to=f"c{case}@x.example", in_reply_to=chain[-1], references=chain)
            await office.send(outgoing)
            delivered = office.server.delivered[-1].content
            email = mime.parse(delivered)
            broken += email.in_reply_to != (chain[-1],) or email.references != chain or b"deskhand" in delivered.lower()
    return at_most("S2", broken, 0, replies=count)


# ---------------------------------------------------------------- S3


def _caps(count: int) -> Figure:
    """Intents that all want to leave at once, through a process that keeps dying: the most in any sliding hour."""
    chance = random.Random(SEED)
    limits = replace(FREE, per_hour=PER_HOUR, per_recipient_per_day=count)
    folder = Path(tempfile.mkdtemp(prefix="dh-bench-", dir="/tmp"))
    left: list[datetime] = []
    try:
        desk = Desk(folder)
        for case in range(1, count + 1):
            if chance.random() < 0.02:
                desk = _restarted(desk, folder)
            intent = desk.approved(case=case)
            while isinstance(held := desk.claim(intent, limits), Held):
                assert held.until
                desk.clock.time = held.until
            assert isinstance(held, Claimed)
            left.append(desk.clock.now())
            desk.clock.time += timedelta(seconds=chance.randrange(3))
        desk.engine.dispose()
    finally:
        shutil.rmtree(folder)
    most = _most_in_an_hour(left)
    return at_most("S3", most, PER_HOUR, intents=count, hours=round((left[-1] - NOW) / timedelta(hours=1), 1))


def _restarted(desk: Desk, folder: Path) -> Desk:
    """A new process on the same ledger."""
    desk.engine.dispose()
    fresh = Desk(folder)
    fresh.clock.time, fresh._keys = desk.clock.time, desk._keys  # noqa: SLF001  answers go on being numbered
    return fresh


def _most_in_an_hour(times: list[datetime]) -> int:
    window: deque[datetime] = deque()
    most = 0
    for at in times:
        window.append(at)
        while at - window[0] > timedelta(hours=1):
            window.popleft()
        most = max(most, len(window))
    return most


# ---------------------------------------------------------------- T1


@dataclass(frozen=True, slots=True)
class Death:
    """Where the worker dies, and whether Temporal is killed as well."""

    boundary: str
    temporal: bool


def _all_deaths() -> list[Death]:
    """Every boundary seven times and more, 216 runs, in an order and with kills of Temporal that the seed chooses."""
    chance = random.Random(SEED)
    deaths = [Death(boundary, chance.random() < 0.2) for boundary in BOUNDARIES for _ in range(8)]
    chance.shuffle(deaths)
    return deaths


def _some_deaths() -> list[Death]:
    names = ("draft:after", "ask:before", "ask:after", "send:before", "send:after", "close:completed")
    return [Death(name, temporal=name == "ask:after") for name in names]


async def _deaths(deaths: list[Death], lanes: int) -> Figure:
    """Several houses die side by side, each with its servers: most of a run is waiting."""
    shares = [deaths[lane::lanes] for lane in range(lanes)]
    tallies = await asyncio.gather(*(asyncio.to_thread(_die_in_turn, share) for share in shares))
    duplicates, lost, uncertain = (sum(column) for column in zip(*tallies, strict=True))
    return at_most(
        "T1", duplicates + lost, 0, runs=len(deaths), duplicates=duplicates, lost=lost, uncertain_and_told=uncertain
    )


def _die_in_turn(deaths: list[Death]) -> tuple[int, int, int]:
    """Duplicates, lost, and uncertain but told."""
    with servers() as (dovecot, smtp, folder):
        measured = _first_run(dovecot, smtp, folder)
        try:
            with AutomaticOwner(measured):
                for number, death in enumerate(deaths):
                    _die(measured, number, death)
                measured.start()
                with contextlib.suppress(AssertionError):  # what has not ended by then is counted as lost
                    until(lambda: _ended(measured) >= len(deaths), ENDS_WITHIN, "every case to end")
            return _tally(measured, len(deaths))
        finally:
            measured.close()


def _first_run(dovecot: Dovecot, smtp: RecordingSmtp, folder: Path) -> MeasuredHouse:
    measured = MeasuredHouse(folder / "home", dovecot.add_user(), smtp)
    measured.start()
    measured.stop()
    return measured


def _die(measured: MeasuredHouse, number: int, death: Death) -> None:
    measured.start(("-m", "tests.dying"), (death.boundary,), may_end=True)
    measured.client_writes(number, sender=_person(number))
    if death.temporal:
        measured.kill_temporal()
    until(measured.ended, ENDS_WITHIN, f"death at {death.boundary}; said: {measured.said[-10:]}")


def _person(number: int) -> Address:
    return Address(name=f"Person {number}", email=f"person{number}@firm{number}.example")


def _recipients(measured: MeasuredHouse) -> list[str]:
    return [mail.recipients[0] for mail in measured.sent_to_clients()]


def _ended(measured: MeasuredHouse) -> int:
    with measured.ledger() as ledger:
        return sum(row.closed_at is not None for row in ledger.case_rows(10_000))


def _tally(measured: MeasuredHouse, runs: int) -> tuple[int, int, int]:
    sent = Counter(_recipients(measured))
    with measured.ledger() as ledger:
        outcomes = Counter(row.outcome for row in ledger.case_rows(10_000))
    duplicates = sum(number - 1 for number in sent.values())
    lost = runs - len(sent) - outcomes["uncertain"] - outcomes["failed"]
    return duplicates, max(lost, 0), outcomes["uncertain"]
