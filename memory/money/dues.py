"""What is due: the day's look at every debtor, which opens a chase case or renews the one that waits."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, delete, select, update

from memory.money.chases import bounced_notices, notices_of, open_chases
from memory.money.debt_book import Debts
from memory.money.debts import bank_data_day, country_of, debtors_now, debts_of, invoice
from memory.money.holds import holds_of
from memory.money.objections import objections
from memory.record.dialect import insert
from memory.record.events import Beginning, News, begin, tell
from memory.record.people import read_client
from memory.record.schema import cases, notices, outbox, seen
from workflows.models.money import Invoice
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, Due, Hold, Ladder, Made, Nothing, ladder, next_notice, zone_of
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import format_money, totals

_TITLE = 200
_WAITING = ("drafted", "waiting", "needs_owner")


@dataclass(frozen=True, slots=True, kw_only=True)
class DueTerms:
    """The settings of `[money]` that decide when something is due."""

    ladder: str = "standard"
    business_days: bool = True  # False: any day will do


@dataclass(frozen=True, slots=True, kw_only=True)
class Opened:
    """One chase case that the day's look began, or renewed."""

    case: int
    client: str
    stage: str
    numbers: tuple[str, ...]
    renewed: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class DuesReport:
    """What the day's look found."""

    opened: tuple[Opened, ...]
    debtors: int  # clients who owe anything
    waiting: int  # of them, whose case waits for the owner's answer

    @property
    def says(self) -> str:
        """In one line: "4 debtors: 1 notice due, 2 wait for your answer"."""
        fresh = sum(1 for notice in self.opened if not notice.renewed)
        renewed = len(self.opened) - fresh
        parts = [f"{fresh} {'notice' if fresh == 1 else 'notices'} due"]
        parts += [f"{renewed} renewed"] if renewed else []
        parts += [f"{self.waiting} wait for your answer"] if self.waiting else []
        return f"{self.debtors} {'debtor' if self.debtors == 1 else 'debtors'}: {', '.join(parts)}"


@dataclass(frozen=True, slots=True, kw_only=True)
class Debtor:
    """One client's debts as the rule sees them today."""

    client: str
    zone: str
    today: date
    calendar: BusinessDays
    ladder: Ladder
    debts: tuple[Invoice, ...]
    holds: tuple[Hold, ...]
    notices: tuple[Made, ...]

    def next(self) -> Due | Nothing:
        """What is due to them today."""
        return next_notice(self.debts, self.notices, self.holds, self.today, self.calendar, self.ladder)


@dataclass(frozen=True, slots=True, kw_only=True)
class Chased:
    """What a chase case is about, as things stand now."""

    client: Client | None
    stage: str
    steps: tuple[tuple[str, int], ...]  # number -> the invoice's own step
    invoices: tuple[Invoice, ...]
    debtor: Debtor
    bank_data: date | None
    thread: tuple[str, ...]  # Message-IDs of what we sent about these invoices before, oldest first
    objections: tuple[str, ...] = ()  # what was said against it since the last one, a sentence each
    bounced: str = ""  # why the newest notice that came back did


def debtor(connection: Connection, clock: Clock, owner: Owner, client: str, terms: DueTerms) -> Debtor:
    """Everything the rule needs to know of one client. Country and time zone are the owner's where none is known."""
    country = country_of(connection, client)
    zone = zone_of(country, owner.timezone) if country else owner.timezone
    return Debtor(
        client=client,
        zone=zone,
        today=clock.now().astimezone(ZoneInfo(zone)).date(),
        calendar=BusinessDays(country=country or owner.country, every_day=not terms.business_days),
        ladder=ladder(terms.ladder),
        debts=debts_of(connection, client),
        holds=holds_of(connection, client),
        notices=notices_of(connection, client, zone),
    )


def due_notice(connection: Connection, clock: Clock, owner: Owner, client: str, terms: DueTerms) -> Opened | None:
    """Open a chase case for this client when a notice is due, or renew the one that waits; None when nothing is.

    Asked twice on one day, or after days without Deskhand, it opens nothing twice: what is due is a rule over what was
    sent and what is open. One open case to a client at most.
    """
    known_debtor = debtor(connection, clock, owner, client, terms)
    due = known_debtor.next()
    if isinstance(due, Nothing):
        return None
    chases = open_chases(connection, client)
    return (
        _renew(connection, clock, known_debtor, due, chases) if chases else _open(connection, clock, known_debtor, due)
    )


def _open(connection: Connection, clock: Clock, found: Debtor, due: Due) -> Opened:
    person = read_client(connection, found.client)
    name = one_line(person.name, 80) if person else found.client
    numbers = tuple(item.invoice.number for item in due.items)
    before = connection.execute(select(notices.c.case).where(notices.c.client == found.client).distinct()).all()
    case = begin(
        connection,
        clock,
        Beginning(
            kind="chase",
            event="debt",
            key=f"debt:{found.client}:{len(before) + 1}",
            client=found.client,
            title=_title(name, [item.invoice for item in due.items]),
            summary=f"{due.stage.name}: {', '.join(numbers)}",
            sender=name,
        ),
    )
    _keep(connection, case, found, due)
    return Opened(case=case, client=found.client, stage=due.stage.name, numbers=numbers)


def _title(name: str, late: Sequence[Invoice]) -> str:
    """What the case is called in lists: who owes how much of what."""
    owed = ", ".join(format_money(total) for total in totals(debt.balance for debt in late))
    return one_line(f"{name}: {owed} late ({', '.join(debt.number for debt in late)})", _TITLE)


def _renew(
    connection: Connection, clock: Clock, found: Debtor, due: Due, chases: dict[int, tuple[str, ...]]
) -> Opened | None:
    """The case that waits, when more has come due since: drafted again with all of it. Else it waits on."""
    case = max(chases)
    stage = connection.execute(select(cases.c.stage).where(cases.c.number == case)).scalar()
    query = select(notices.c.number, notices.c.step).where(notices.c.case == case)
    case_steps = {(row.number, row.step) for row in connection.execute(query)}
    due_steps = {(item.invoice.number, item.step) for item in due.items}
    if stage not in _WAITING or not due_steps - case_steps or _has_news(connection, case):
        return None
    connection.execute(delete(notices).where(notices.c.case == case))
    _keep(connection, case, found, due)
    numbers = tuple(item.invoice.number for item in due.items)
    summary = f"More has come due: {', '.join(sorted(number for number, _ in due_steps - case_steps))}."
    tell(connection, clock, News(case=case, key=f"due:{case}:{found.today.isoformat()}", summary=summary))
    return Opened(case=case, client=found.client, stage=due.stage.name, numbers=numbers, renewed=True)


def _has_news(connection: Connection, case: int) -> bool:
    """Whether something is on its way to the case that may end it."""
    query = select(seen.c.id).where(seen.c.case == case, seen.c.kind == "news", seen.c.state == "recorded")
    return connection.execute(query).first() is not None


def _keep(connection: Connection, case: int, found: Debtor, due: Due) -> None:
    for item in due.items:
        row = insert(notices).values(
            case=case, number=item.invoice.number, client=found.client, step=item.step, stage=due.stage.name,
            day=found.today.isoformat(), zone="" if found.calendar.every_day else found.zone,
            country=found.calendar.country,
        )  # fmt: skip
        connection.execute(row)


def _thread(connection: Connection, case: int, numbers: tuple[str, ...]) -> tuple[str, ...]:
    """The mails about any of these invoices that left before, oldest first."""
    earlier_cases = select(notices.c.case).where(notices.c.number.in_(numbers), notices.c.case != case)
    query = select(outbox.c.message_id, outbox.c.server_id).where(
        outbox.c.purpose == "client", outbox.c.state.in_(("sent", "uncertain")), outbox.c.case.in_(earlier_cases)
    )
    rows = connection.execute(query.order_by(outbox.c.sent_at, outbox.c.id))
    return tuple(message_id for row in rows if (message_id := row.server_id or row.message_id))


class Dues(Debts):
    """The day's look, and what a chase case is about."""

    def open_due(self, owner: Owner, terms: DueTerms) -> DuesReport:
        """Open a chase case for everybody to whom a notice is due.

        Looked for without holding up anybody who writes, then opened in one short transaction for each client.
        """
        with self._reading() as connection:
            owing = debtors_now(connection)
            waiting = sum(len(open_chases(connection, client)) for client in owing)
        opened = [opened_case for client in owing if (opened_case := self._open_if_due(client, owner, terms))]
        return DuesReport(opened=tuple(opened), debtors=len(owing), waiting=waiting)

    def entitle(self, case: int, client: str, late: Sequence[Invoice]) -> None:
        """Call the case by what is owed now: lists must not show an amount that came in since."""
        with self._reading() as connection:
            person = read_client(connection, client)
            old_title = connection.execute(select(cases.c.title).where(cases.c.number == case)).scalar()
        title = _title(one_line(person.name, 80) if person else client, late)
        if old_title is None or title == old_title:
            return
        with self._writing() as connection:
            connection.execute(update(cases).where(cases.c.number == case).values(title=title))

    def _open_if_due(self, client: str, owner: Owner, terms: DueTerms) -> Opened | None:
        if isinstance(self.debtor(client, owner, terms).next(), Nothing):
            return None
        with self._writing() as connection:
            return due_notice(connection, self._clock, owner, client, terms)

    def debtor(self, client: str, owner: Owner, terms: DueTerms) -> Debtor:
        """One client's debts as the rule sees them today."""
        with self._reading() as connection:
            return debtor(connection, self._clock, owner, client, terms)

    def chased(self, case: int, client: str, owner: Owner, terms: DueTerms) -> Chased:
        """What a chase case is about now; no invoices when nothing of it is left."""
        with self._reading() as connection:
            rows = connection.execute(select(notices).where(notices.c.case == case)).all()
            debts = [current for row in rows if (current := invoice(connection, row.number))]
            ordered = tuple(sorted(debts, key=lambda one: (one.due, one.number)))
            numbers = tuple(debt.number for debt in ordered)
            steps = {row.number: row.step for row in rows}
            known_debtor = debtor(connection, self._clock, owner, client, terms)
            sent = [notice.day for notice in known_debtor.notices if notice.how == "sent" and notice.number in numbers]
            return Chased(
                client=read_client(connection, client),
                stage=rows[0].stage if rows else "",
                steps=tuple((number, steps[number]) for number in numbers),
                invoices=ordered,
                debtor=known_debtor,
                objections=objections(connection, client, numbers, max(sent, default=None), known_debtor.zone),
                bank_data=bank_data_day(connection),
                thread=_thread(connection, case, numbers),
                bounced=("", *bounced_notices(connection, client))[-1],
            )
