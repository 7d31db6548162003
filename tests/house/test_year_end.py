"""Ninety days over a year's end, in the real workflows on a server that skips time: thirty invoices, every notice told.

The owner says ok to everything. Clients pay, promise, dispute, complain and are away; for five days the machine is
off. What left is read from the mails that a real SMTP server received.
"""

import asyncio
import contextlib
import re
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from datetime import date, datetime, time, timedelta
from email import message_from_bytes
from email.policy import default as modern
from email.utils import parsedate_to_datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import Connection, select
from temporalio import activity
from temporalio.client import WorkflowExecutionStatus
from temporalio.testing import WorkflowEnvironment
from temporalio.worker import ActivityInboundInterceptor, ExecuteActivityInput, Interceptor

from memory.money import holds, payments
from memory.money.chases import Matter
from memory.record.people import find_client
from memory.record.schema import cases, from_json, notices, reading, transaction
from tests.house.running import House
from tests.ledgers import mail
from tests.patience import PATIENCE
from tests.scripted import NAMES
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import Delivered, RecordingSmtp
from tests.servers.timeskip import time_skipping
from workers.rounds.polling import Polls
from workers.service import wiring
from workers.settings import loading
from workers.temporal.engine import AnswerRefused, TemporalEngine
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.intake import Rhythm
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve, Mine
from workflows.models.mail import Address
from workflows.models.money import Invoice, Money
from workflows.models.routes import Start

BERLIN = ZoneInfo("Europe/Berlin")
FIRST = date(2035, 11, 12)
"""A Monday far ahead: the server can only skip forward, and the table below is of these very weekdays."""
DAYS = 90
DOWN = (date(2035, 12, 13), date(2035, 12, 17))
"""The five days without Deskhand."""


# ---------------------------------------------------------------- who owes what


def person(name: str, house: str, country: str) -> tuple[str, str, str]:
    return name, f"{name.lower().replace(' ', '.')}@{house}.example", country


ANNA = person("Anna Lehmann", "alpha", "DE")
BOB = person("Bob Stone", "bravo", "US")
CHLOE = person("Chloe Cox", "cox", "GB")
DENIS = person("Denis Marchand", "delta", "FR")
EVA = person("Eva Huber", "echo", "AT")
FRITZ = person("Fritz Vogel", "fox", "DE")

# number, whose, due, minor units, currency
INVOICES = [
    ("A1", ANNA, "2035-11-09", 120000, "EUR"),
    ("A2", ANNA, "2035-11-23", 80050, "EUR"),
    ("A3", ANNA, "2035-11-26", 45000, "EUR"),
    ("A4", ANNA, "2035-12-10", 60000, "EUR"),
    ("A5", ANNA, "2035-12-21", 99900, "EUR"),
    ("A6", ANNA, "2035-12-28", 15000, "EUR"),
    ("A7", ANNA, "2036-01-18", 33333, "EUR"),
    ("A8", ANNA, "2036-02-20", 70000, "EUR"),
    ("B1", BOB, "2035-11-08", 250000, "USD"),
    ("B2", BOB, "2035-11-19", 75000, "USD"),
    ("B3", BOB, "2035-12-22", 125075, "USD"),
    ("B4", BOB, "2035-12-29", 40000, "USD"),
    ("B5", BOB, "2036-01-18", 90000, "USD"),
    ("B6", BOB, "2036-02-15", 10000, "USD"),
    ("C1", CHLOE, "2035-11-16", 310000, "GBP"),
    ("C2", CHLOE, "2035-11-30", 55000, "GBP"),
    ("C3", CHLOE, "2035-12-22", 20000, "GBP"),
    ("C4", CHLOE, "2036-01-04", 64250, "GBP"),
    ("C5", CHLOE, "2036-01-25", 12000, "GBP"),
    ("D1", DENIS, "2035-11-12", 180000, "EUR"),
    ("D2", DENIS, "2035-12-07", 95000, "EUR"),
    ("D3", DENIS, "2035-12-28", 30000, "EUR"),
    ("D4", DENIS, "2036-01-11", 110000, "EUR"),
    ("E1", EVA, "2035-11-15", 50000, "EUR"),
    ("E2", EVA, "2035-11-15", 25000, "EUR"),
    ("E3", EVA, "2035-12-31", 42000, "EUR"),
    ("E4", EVA, "2036-01-14", 87500, "EUR"),
    ("F1", FRITZ, "2035-11-26", 200000, "EUR"),
    ("F2", FRITZ, "2035-11-26", 150000, "USD"),
    ("F3", FRITZ, "2035-12-20", 36000, "EUR"),
]


@dataclass
class Books:
    """The owner's invoices folder, as it is read every morning."""

    amounts: dict[str, int] = field(default_factory=lambda: {row[0]: row[3] for row in INVOICES})

    def listed(self, today: date) -> list[Invoice]:
        """Every invoice is issued fourteen days before it is due; the folder never hears of a payment."""
        found = []
        for number, (name, email, country), due, _, currency in INVOICES:
            when = date.fromisoformat(due)
            if when - timedelta(days=14) <= today:
                amount = Money(minor=self.amounts[number], currency=currency)
                found.append(Invoice(number=number, name=name, email=email, due=when, amount=amount, country=country))
        return found


# ---------------------------------------------------------------- the machine


@dataclass
class ServerClock(Interceptor):
    """The time of the skipping server: as it was last asked for, or at which it began the newest step."""

    time: datetime

    def now(self) -> datetime:
        return self.time

    def intercept_activity(self, next: ActivityInboundInterceptor) -> ActivityInboundInterceptor:  # noqa: A002
        return _Ticking(next, self)


class _Ticking(ActivityInboundInterceptor):
    def __init__(self, following: ActivityInboundInterceptor, clock: ServerClock) -> None:
        super().__init__(following)
        self._clock = clock

    async def execute_activity(self, input: ExecuteActivityInput) -> Any:  # noqa: A002 - the SDK's own name
        self._clock.time = max(self._clock.time, activity.info().started_time)
        return await super().execute_activity(input)


@dataclass
class Year:
    """The service's parts on the skipping server, and the people around them."""

    environment: WorkflowEnvironment
    house: House
    clock: ServerClock
    parts: wiring.Parts
    books: Books = field(default_factory=Books)
    stack: AsyncExitStack = field(default_factory=AsyncExitStack)
    rhythm: str = ""

    @property
    def today(self) -> date:
        return self.clock.time.astimezone(BERLIN).date()

    async def start(self) -> None:
        """The workers and the daily look, as after every start."""
        engine = TemporalEngine(self.environment.client, self.parts.ledger, NAMES)
        polls = Polls(
            watches=self.parts.watches, ledger=self.parts.ledger, desk=self.parts.desk, health=self.parts.health
        )
        self.engine, self.polls = engine, polls
        activities = Activities(
            self.parts.ledger, self.parts.recall, self.parts.drafter, self.parts.desk, engine,
            self.parts.researcher, self, self.parts.doing,
        )  # fmt: skip
        workers = build_workers(self.environment.client, activities, NAMES, (self.clock,), patient=True)
        await self.stack.enter_async_context(running(workers))
        self.rhythm = f"{NAMES.prefix}rhythm:{self.today}"
        await self.environment.client.start_workflow(
            Rhythm.run, args=["dues", 21_600.0, 0], id=self.rhythm, task_queue=NAMES.queue("story")
        )

    async def stop(self) -> None:
        """The machine is off: nothing of ours runs, and nothing waits for it, or the server would not skip on."""
        await self.environment.client.get_workflow_handle(self.rhythm).terminate()
        rows = await asyncio.to_thread(self.parts.ledger.case_rows, 1000)
        stories = {NAMES.case(row.number) for row in rows if row.closed_at}
        for name in stories | {NAMES.client(row.client) for row in rows}:
            await self._ended(name)
        await self.stack.aclose()
        self.stack = AsyncExitStack()

    async def _ended(self, name: str) -> None:
        handle = self.environment.client.get_workflow_handle(name)
        async with asyncio.timeout(PATIENCE):
            while (await handle.describe()).status == WorkflowExecutionStatus.RUNNING:  # noqa: ASYNC110
                await asyncio.sleep(0.02)

    async def poll(self, source: str) -> str:
        """As the service polls: what was recorded is delivered at once."""
        said = await self.polls.poll(source)
        await self.deliver()
        return said

    async def tick(self) -> None:
        self.clock.time = await self.environment.get_current_time()

    async def until(self, day: date, hour: int, minute: int = 0) -> None:
        """Skip to this time of the owner's day."""
        moment = datetime.combine(day, time(hour, minute), BERLIN)
        await self.environment.sleep(moment - await self.environment.get_current_time())
        await self.tick()

    async def deliver(self) -> None:
        """Give every recorded event to its case, as the reception does."""
        for event in await asyncio.to_thread(self.parts.ledger.undelivered):
            await self.engine.deliver(event)
            await asyncio.to_thread(self.parts.ledger.mark_delivered, event.key, event.kind)

    # ------------------------------------------------------------ a day

    async def day(self, day: date, happens: Callable[["Year"], None] | None) -> None:
        """The folder is read at six, what is due is asked at eight, answered at nine; then the post comes."""
        await self.until(day, 6)
        await self.read_folder()
        await self.until(day, 9)
        await self.owner_says_ok()
        if happens:
            await self.until(day, 10)
            await asyncio.to_thread(happens, self)
            await self.deliver()
            await self.owner_says_ok()

    async def read_folder(self) -> None:
        listed = self.books.listed(self.today)
        await asyncio.to_thread(
            self.parts.ledger.keep_invoices, "csv:invoices.csv", listed, complete=True, read_at=self.clock.time
        )
        await self.deliver()

    async def owner_says_ok(self) -> None:
        """Until every chase has left, has ended, or waits for its day."""
        async with asyncio.timeout(PATIENCE):
            while not await self._settled():
                for state in await asyncio.to_thread(self.parts.ledger.open_cases):
                    if state.kind == "chase" and state.stage == "waiting":
                        await self._approve(state)
                await asyncio.sleep(0.02)

    async def _approve(self, state: CaseState) -> None:
        key = f"ok:{state.case}.{state.version}:{state.round}"
        answer = Answer(
            key=key, case=state.case, version=state.version, decision=Approve(), hash=state.hash, via="machine",
            at=self.clock.time,
        )  # fmt: skip
        await self.give(answer)

    async def give(self, answer: Answer) -> None:
        """As a command at the machine: on record first, then told to its case; given again it changes nothing."""
        await asyncio.to_thread(self.parts.ledger.record_answer, answer)
        with contextlib.suppress(AnswerRefused):
            await self.engine.answer(answer)

    async def _settled(self) -> bool:
        states = await asyncio.to_thread(self.parts.ledger.open_cases)
        return all(state.kind != "chase" or (state.stage == "sending" and state.held_until) for state in states)

    # ------------------------------------------------------------ what the post brings

    def note(self, what: Callable[..., str], whose: tuple[str, str, str], **given: Any) -> None:
        """As a mail that is recorded, or an order, notes it in its transaction."""
        with transaction(self.parts.engine) as connection:
            known = {"key": f"{self.today}:{what.__name__}", "client": id_of(connection, whose)}
            if what is payments.note_payment:
                what(connection, self.clock, payments.Sign(**known, **given))
                return
            known |= {name: given.pop(name) for name in ("numbers", "by_owner") if name in given}
            what(connection, self.clock, Matter(**known), **given)

    def pays(self, whose: tuple[str, str, str], minor: int, currency: str, number: str = "", **given: Any) -> None:
        values = {"proven": True, "says": "Stripe mail"} | given
        self.note(payments.note_payment, whose, amount=Money(minor=minor, currency=currency), number=number, **values)

    def chases_again(self, whose: tuple[str, str, str]) -> None:
        with transaction(self.parts.engine) as connection:
            holds.resume_chasing(connection, self.clock, id_of(connection, whose))

    def complains(self, whose: tuple[str, str, str]) -> None:
        sender = Address(email=whose[1], name=whose[0])
        words = "Guten Tag, ich möchte mich über die letzte Lieferung beschweren. Das ist nicht in Ordnung."
        angry = mail(words, senders=(sender,), subject="Die letzte Lieferung")
        self.parts.ledger.record_mail(angry, "inbox", lambda *_: Start(hold="a complaint"), self.clock.now())

    async def owner_settles_the_complaint(self) -> None:
        (state,) = [one for one in self.parts.ledger.open_cases() if one.kind == "reply"]
        answer = Answer(
            key=f"mine:{state.case}", case=state.case, version=state.version, decision=Mine(), via="machine"
        )  # fmt: skip
        await self.give(answer)
        async with asyncio.timeout(PATIENCE):
            while self.parts.ledger.case(state.case).stage != "closed":  # noqa: ASYNC110 - it does not call us
                await asyncio.sleep(0.02)


def id_of(connection: Connection, whose: tuple[str, str, str]) -> str:
    known = find_client(connection, whose[1])
    assert known
    return known.id


# ---------------------------------------------------------------- what happens


def post(day: str) -> Callable[[Year], None] | None:
    """What comes on that day at ten."""
    return {
        "2035-11-15": lambda year: year.pays(ANNA, 120000, "EUR", "A1"),
        # Bob promises Friday for everything he owes, and pays only one of the two.
        "2035-11-23": lambda year: year.note(holds.note_promise, BOB, until=date(2035, 11, 30), by_owner=False),
        "2035-11-29": lambda year: year.pays(BOB, 250000, "USD"),
        # Chloe disputes one invoice; the owner takes the dispute back after three weeks.
        "2035-11-20": lambda year: year.note(
            holds.note_dispute, CHLOE, numbers=("C1",), reason="the hours are wrong", by_owner=False
        ),
        "2035-12-11": lambda year: year.chases_again(CHLOE),
        "2035-12-04": lambda year: year.books.amounts.update(A2=70050),  # a credit: the folder lists less
        # Denis is away over the turn of the year.
        "2035-12-19": lambda year: year.note(holds.note_absence, DENIS, until=date(2036, 1, 7)),
        # Eva complains on the day of her notices; the owner settles it with her himself.
        "2035-11-19": lambda year: year.complains(EVA),
        # A part of the money, while the rest stays open.
        "2035-12-03": lambda year: year.pays(FRITZ, 50000, "EUR", "F1"),
        # A mail that says money came, which nobody vouches for.
        "2035-12-28": lambda year: year.pays(ANNA, 99900, "EUR", "A5", proven=False, says="a mail from PayPal"),
        "2036-01-09": lambda year: year.pays(CHLOE, 310000, "GBP", "C1", says="you said so"),
        "2036-01-21": lambda year: year.pays(FRITZ, 150000, "EUR", "F1"),
    }.get(day)


# ---------------------------------------------------------------- what the clients received


LINE = re.compile(r"- \w+ (?P<number>\w+) ?: (?:noch )?(?P<amount>[\d\s.,]+ [A-Z]{3})")
TOTAL = re.compile(r"(?:Total|Summe) ?: (?P<total>.+)")
ALSO = ("Ebenfalls offen:", "Also open:", "Également en attente :")


def told(delivered: Delivered) -> str:
    """One mail as a line: its day at the owner's, to whom, its subject, and every figure in it.

    After ";" stand the invoices that have not come as far as the mail itself, after "=" the totals.
    """
    message = message_from_bytes(delivered.content, policy=modern)
    body = message.get_body(("plain",))
    assert body is not None
    day = parsedate_to_datetime(str(message["Date"])).astimezone(BERLIN).date()
    figures = ""
    for line in str(body.get_content()).replace("\u00a0", " ").splitlines():
        if found := LINE.match(line):
            figures += f"{', ' if figures[-1:].isalpha() else ''}{found['number']} {found['amount']}"
        elif line in ALSO:
            figures += "; "
        elif found := TOTAL.match(line):
            figures += f" = {found['total']}"
    return f"{day} {delivered.recipients[0].split('.')[0]} | {message['Subject']} | {figures}"


EXPECTED = (Path(__file__).parents[1] / "data" / "year-end.txt").read_text("utf-8").splitlines()[2:]
OPEN_AT_THE_END = sorted({row[0] for row in INVOICES} - {"A1", "B1", "C1", "F1"})
HOLIDAYS = {
    "DE": "2035-12-25 2035-12-26 2036-01-01",
    "AT": "2035-12-08 2035-12-25 2035-12-26 2036-01-01 2036-01-06",
    "FR": "2035-12-25 2036-01-01",
    "GB": "2035-12-25 2035-12-26 2036-01-01",
    "US": "2035-11-12 2035-11-22 2035-12-25 2036-01-01 2036-01-21",
}


@pytest.fixture
async def year(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> AsyncIterator[Year]:
    house = House(
        tmp_path / "home", mailbox, smtp_server, owner={"country": "DE"}, money={"details": "IBAN DE02 1203 0000"}
    )
    (house.home / "keys").mkdir(mode=0o700)
    async with time_skipping() as environment:
        clock = ServerClock(await environment.get_current_time())
        parts = wiring.build(house.home, loading.load(house.home), clock)
        made = Year(environment=environment, house=house, clock=clock, parts=parts)
        await made.until(FIRST, 2, 30)
        yield made
        await made.stop()
        await parts.aclose()


async def test_ninety_days_over_the_years_end_with_every_notice(year: Year) -> None:
    down_from, down_to = ((day - FIRST).days for day in DOWN)
    await year.start()
    for ahead in range(DAYS):
        day = FIRST + timedelta(days=ahead)
        if ahead == down_from:
            await year.stop()
        if down_from <= ahead <= down_to:
            continue
        if ahead == down_to + 1:
            await year.until(day, 2, 30)
            await year.start()
        await year.day(day, post(day.isoformat()))
        if day == date(2035, 11, 27):
            await year.owner_settles_the_complaint()
    left = [told(one) for one in year.house.sent_to_clients()]
    assert sorted(left) == EXPECTED
    check_the_days(year)
    check_that_nothing_is_twice(year)
    assert sorted(one.number for one in year.parts.ledger.debts()) == OPEN_AT_THE_END


def check_the_days(year: Year) -> None:
    """No notice on a weekend or a holiday of its client; none while the machine was off."""
    for one in year.house.sent_to_clients():
        day, name = date.fromisoformat(told(one)[:10]), told(one)[11:].partition(" ")[0]
        country = next(whose[2] for _, whose, *_ in INVOICES if whose[0].lower().startswith(name))
        if "Zahlungseingang" in told(one) or "Payment received" in told(one):
            continue  # thanks are said on the day the money came
        assert day.weekday() < 5, told(one)
        assert day.isoformat() not in HOLIDAYS[country].split(), told(one)
        assert not DOWN[0] <= day <= DOWN[1], told(one)


def check_that_nothing_is_twice(year: Year) -> None:
    """Every invoice climbed its ladder step by step, each step once; every case ended with its mail."""
    with reading(year.parts.engine) as connection:
        query = select(notices.c.number, notices.c.step, cases.c.state).join(cases, cases.c.number == notices.c.case)
        rows = [(row.number, row.step, from_json(CaseState, row.state)) for row in connection.execute(query)]
    for number, *_ in INVOICES:
        climbed = [step for one, step, state in rows if one == number and step and state.outcome == "sent"]
        assert climbed == list(range(1, len(climbed) + 1)), number
    assert {state.outcome for _, _, state in rows} == {"sent"}
