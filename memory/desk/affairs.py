"""What is open with one client now: invoices, projects, bids and waiting cases, read together and never another's."""

from collections.abc import Iterable
from datetime import date, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from memory.money.debts import as_known, bank_data_day
from memory.money.holds import holds_of
from memory.record.book import Book
from memory.record.schema import cases, from_json, invoices, leads, payments, projects, work
from memory.sent.promises import open_promises
from workflows.models.case import CaseState
from workflows.models.desk import Affairs, CaseStanding, InvoiceStanding, ProjectStanding
from workflows.models.money import Invoice, Money
from workflows.models.people import Owner
from workflows.models.work import Project
from workflows.rules.debts.dunning import Hold
from workflows.rules.text.canonical import one_line
from workflows.rules.work.rhythm import next_update
from workflows.stories import Kind

MOST_INVOICES, MOST_PROJECTS, MOST_CASES = 12, 5, 6
_SETTLED = timedelta(days=120)
"""So long after it was due a paid invoice is still spoken of."""
_DECIDED = timedelta(days=90)
_LINE, _SCOPE, _MILESTONES = 160, 12, 20
_KINDS: tuple[Kind, ...] = ("bid", "update", "chase")


class AffairsBook(Book):
    """The part of the ledger that says how things stand with one client."""

    def affairs(self, client: str, owner: Owner, case: int = 0) -> Affairs:
        """Everything that is open with them, but for this case itself."""
        if not client:
            return Affairs()
        today = self._clock.now().astimezone(ZoneInfo(owner.timezone)).date()
        with self._reading() as connection:
            return Affairs(
                invoices=_invoices(connection, client, today),
                projects=_projects(connection, client, today, owner),
                own_promises=open_promises(connection, client),
                cases=_cases(connection, client, today, case),
                today=today,
                money_known=bank_data_day(connection),
            )


# ---------------------------------------------------------------- money


def _invoices(connection: Connection, client: str, today: date) -> tuple[InvoiceStanding, ...]:
    """The open ones, the longest due first, then what was settled lately, the newest first."""
    rows = connection.execute(select(invoices).where(invoices.c.client == client, invoices.c.gone == 0)).all()
    known = [as_known(row) for row in rows]
    owed = sorted((one for one in known if one.balance.minor), key=lambda one: (one.due, one.number))
    settled = [one for one in known if one.state == "paid" and one.due >= today - _SETTLED]
    settled.sort(key=lambda one: (one.due, one.number), reverse=True)
    holds = holds_of(connection, client)
    return tuple(_standing(connection, one, holds) for one in [*owed, *settled][:MOST_INVOICES])


def _standing(connection: Connection, invoice: Invoice, holds: Iterable[Hold]) -> InvoiceStanding:
    proven = (payments.c.number == invoice.number) & (payments.c.proven == 1)
    last = connection.execute(select(payments).where(proven).order_by(payments.c.at.desc()).limit(1)).first()
    spoken = [hold for hold in holds if hold.number in {"", invoice.number}]
    promised = next((hold.until for hold in reversed(spoken) if hold.kind == "promise"), None)
    return InvoiceStanding(
        invoice=invoice,
        last_payment=Money(minor=last.minor, currency=last.currency) if last else invoice.paid,
        paid_on=last.at.date() if last else None,
        promised=promised if invoice.balance.minor else None,
        disputed=any(hold.kind == "dispute" for hold in spoken),
    )


# ---------------------------------------------------------------- work


def _projects(connection: Connection, client: str, today: date, owner: Owner) -> tuple[ProjectStanding, ...]:
    """Whose file is there, the one that was worked on last first."""
    rows = connection.execute(select(projects).where(projects.c.client == client, projects.c.gone == 0)).all()
    standings = [_project(connection, from_json(Project, row.project), today, owner) for row in rows]
    standings.sort(key=lambda project: (project.worked_on or date.min, project.id), reverse=True)
    return tuple(standings[:MOST_PROJECTS])


def _project(connection: Connection, project: Project, today: date, owner: Owner) -> ProjectStanding:
    logged = select(work).where(work.c.project == project.id, work.c.day <= today.isoformat())
    last = connection.execute(logged.order_by(work.c.day.desc(), work.c.at.desc(), work.c.id).limit(1)).first()
    return ProjectStanding(
        id=project.id,
        name=one_line(project.name, _LINE),
        scope=tuple(one_line(line, _LINE) for line in project.scope[:_SCOPE]),
        milestones=project.milestones[:_MILESTONES],
        last_work=one_line(last.text, _LINE) if last else "",
        worked_on=date.fromisoformat(last.day) if last else None,
        next_update=next_update(project.update_every, today, owner),
    )


# ---------------------------------------------------------------- cases


def _cases(connection: Connection, client: str, today: date, without: int) -> tuple[CaseStanding, ...]:
    """Bids that wait or were decided lately, and every other draft of ours that waits; the newest first."""
    query = (
        select(cases.c.number, cases.c.kind, cases.c.title, cases.c.stage, cases.c.state, cases.c.updated_at)
        .where(cases.c.client == client, cases.c.kind.in_(_KINDS), cases.c.number != without)
        .order_by(cases.c.updated_at.desc())
        .limit(5 * MOST_CASES)
    )
    standings = []
    for row in connection.execute(query).all():
        result = connection.execute(select(leads.c.result).where(leads.c.case == row.number)).scalar() or ""
        outcome = result or from_json(CaseState, row.state).outcome
        if row.stage == "closed" and (row.kind != "bid" or row.updated_at.date() < today - _DECIDED):
            continue
        stage = outcome if row.stage == "closed" else "sent" if row.stage == "placed" else "not sent yet"
        standings.append(
            CaseStanding(
                case=row.number, kind=row.kind, title=one_line(row.title, _LINE), stage=stage, at=row.updated_at
            )
        )
    return tuple(standings[:MOST_CASES])
