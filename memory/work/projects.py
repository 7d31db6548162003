"""Projects and what was logged for them: kept once, told to a client once, looked at for what is due and at risk.

A piece of work is told when the update that holds it was sent, or the owner took it into his own hands. What expired or
was stopped is not told, and stands in the next update.
"""

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date, timedelta
from typing import Any

from sqlalchemy import Connection, Row, bindparam, delete, func, select, true, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.events import Beginning, News, begin, open_cases_of, tell
from memory.record.people import client_at, read_client, standing_of
from memory.record.schema import cases, from_json, projects, risks, seen, to_json, update_work, updates, work
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.mail import Address
from workflows.models.people import Owner
from workflows.models.work import Project, Report, Work
from workflows.ports import Clock
from workflows.rules.text.canonical import one_line
from workflows.rules.work import milestones, rhythm
from workflows.stories import Kind

_NOT_TOLD = frozenset({"expired", "stopped", "failed"})
"""How an update may end without the client, or the owner in its stead, having had its work in hand."""
_MOST_BACK = 60  # periods that one update may reach back


@dataclass(frozen=True, slots=True, kw_only=True)
class WorkChanges:
    """What an import changed."""

    new: int = 0
    changed: int = 0
    removed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Begun:
    """One project that was due. `case` 0: nothing was begun, and `why` says it."""

    project: str
    period: str
    case: int = 0
    why: str = ""


class Works(Book):
    """The part of the ledger that knows projects, work, updates and milestones at risk."""

    # ------------------------------------------------------------ what is read in

    def keep_projects(self, found: Sequence[Project], unread: Collection[str], today: date) -> None:
        """Keep the projects as their files are now; those whose file is gone end, those not readable stay."""
        with self._writing() as connection:
            for project in found:
                _keep_project(connection, self._clock, project, today)
            project_ids = {project.id for project in found} | set(unread)
            connection.execute(update(projects).where(projects.c.id.not_in(project_ids)).values(gone=1))

    def keep_work(self, pieces: Iterable[Work], read: Mapping[str, date], *, unbilled: bool = True) -> WorkChanges:
        """Keep each piece once, by id (a rebased commit by its twin), as it is now.

        `read`: each source that was read whole, and from which day on: what it no longer holds is taken out unless
        it was told. An open update whose work changed is drafted again, with what came meanwhile.
        """
        with self._writing() as connection:
            by_twin = {piece.twin: piece for piece in _work(connection, true())}
            now = {piece.twin or piece.id: piece for piece in pieces}
            pairs = [(by_twin[twin], piece) for twin, piece in now.items() if twin in by_twin]
            changed = [before.id for before, piece in pairs if _says(piece) != _says(before)]
            for before, piece in pairs:
                if _kept(piece) != _kept(before):
                    connection.execute(update(work).where(work.c.id == before.id).values(**_values(piece)))
            new = [piece for twin, piece in now.items() if twin not in by_twin]
            self._add(connection, new)
            removed = _remove(connection, [piece for twin, piece in by_twin.items() if twin not in now], read)
            self._tell_open_updates(connection, {*changed, *removed}, unbilled=unbilled)
        return WorkChanges(new=len(new), changed=len(changed), removed=len(removed))

    def _add(self, connection: Connection, new: Sequence[Work]) -> None:
        """All in one statement: a first import may be ten years of entries, and others wait for the ledger."""
        at = self._clock.now()
        rows = [{"id": piece.id, "twin": piece.twin or piece.id, "at": at, **_values(piece)} for piece in new]
        if rows:
            connection.execute(insert(work), rows)

    def _tell_open_updates(self, connection: Connection, ids: frozenset[str] | set[str], *, unbilled: bool) -> None:
        """What an update under way rests on is not as it was: it is drafted again from all that is logged now."""
        query = select(updates).join(cases, cases.c.number == updates.c.case).where(cases.c.closed_at.is_(None))
        for row in connection.execute(query).all():
            if not ids & _work_of(connection, [row.case]):
                continue
            project_row = connection.execute(select(projects).where(projects.c.id == row.project)).one()
            if pieces := _untold(connection, project_row, date.fromisoformat(row.last), unbilled=unbilled):
                _hold(connection, row.case, pieces)
            remaining = (work.c.id.in_(_work_of(connection, [row.case]))) & (work.c.project == row.project)
            none_left = connection.execute(select(work.c.id).where(remaining)).first() is None
            before = select(func.count()).where(seen.c.case == row.case, seen.c.kind == "news")
            news = News(
                case=row.case,
                key=f"work:{row.case}:{connection.execute(before).scalar_one()}",
                summary="Nothing is logged for it any more." if none_left else "What was logged for it changed.",
                ends="stopped" if none_left else "",
            )
            tell(connection, self._clock, news)

    # ------------------------------------------------------------ what is known

    def projects(self) -> tuple[Project, ...]:
        """Every project whose file is there, by id."""
        with self._reading() as connection:
            rows = connection.execute(select(projects).where(projects.c.gone == 0).order_by(projects.c.id))
            return tuple(_project(row) for row in rows)

    def projects_of(self, client: str) -> tuple[Project, ...]:
        """A client's projects."""
        return tuple(project for project in self.projects() if client and project.client == client)

    def work_of(self, project: str) -> tuple[Work, ...]:
        """Everything logged for a project, oldest first."""
        with self._reading() as connection:
            return _work(connection, work.c.project == project)

    def loads(self) -> tuple[milestones.Load, ...]:
        """Every milestone of every project with what was logged for it."""
        return tuple(
            load for project in self.projects() for load in milestones.loads(project, self.work_of(project.id))
        )

    # ------------------------------------------------------------ updates

    def begin_updates(self, today: date, owner: Owner, *, unbilled: bool = True) -> tuple[Begun, ...]:
        """Open a case for each project whose update is due today; what each project that was due came to.

        At most one open update per client, none to one who complained, is paused or wants none, none without work.
        """
        with self._writing() as connection:
            query = select(projects).where(projects.c.gone == 0).order_by(projects.c.id)
            rows = connection.execute(query).all()
            outcomes = [self._begin_update(connection, row, today, owner, unbilled=unbilled) for row in rows]
        return tuple(outcome for outcome in outcomes if outcome is not None)

    def _begin_update(
        self, connection: Connection, row: Row[Any], today: date, owner: Owner, *, unbilled: bool
    ) -> Begun | None:
        project = _project(row)
        every = rhythm.pace(project.update_every) or rhythm.Pace()
        period = rhythm.due(every, today, owner)
        if period is None or _has_update(connection, project.id, period.name):
            return None
        history = _told(connection, project.id)
        pieces = _untold(connection, row, period.last, unbilled=unbilled)
        # What lapsed unheard comes along with something new; alone it is not asked about over and over.
        if all(piece.id in history.shown for piece in pieces):
            return None
        refusal = _refusal(connection, project.client)
        if refusal:
            return Begun(project=project.id, period=period.name, why=refusal)
        first = max(_first_day(every, period, pieces[0].day), history.until)
        number = self._open_update(connection, project, replace(period, first=first), pieces)
        return Begun(project=project.id, period=period.name, case=number)

    def _open_update(
        self, connection: Connection, project: Project, period: rhythm.Period, pieces: Sequence[Work]
    ) -> int:
        client = read_client(connection, project.client)
        named = rhythm.period(period.first, period.last, "en")
        number = begin(
            connection,
            self._clock,
            Beginning(
                kind="update",
                event="period",
                key=f"update:{project.id}:{period.name}",
                title=f"{one_line(client.name if client else project.email, 80)}: {project.name}, {named}",
                client=project.client,
                summary=f"{project.name}: {len(pieces)} entries, {named}",
            ),
        )
        connection.execute(
            insert(updates).values(
                case=number,
                project=project.id,
                client=project.client,
                period=period.name,
                first=period.first.isoformat(),
                last=period.last.isoformat(),
                at=self._clock.now(),
            )
        )
        _hold(connection, number, pieces)
        return number

    def report(self, case: int) -> tuple[Report, Project]:
        """What an update is about, as it is logged now, and its project.

        Raises:
            Permanent: the case is no update.
        """
        with self._reading() as connection:
            row = connection.execute(select(updates).where(updates.c.case == case)).first()
            if row is None:
                raise Permanent(f"Case {case} is no status update.")
            project_row = connection.execute(select(projects).where(projects.c.id == row.project)).one()
            named = select(update_work.c.work).where(update_work.c.case == case)
            pieces = _work(connection, work.c.id.in_(named) & (work.c.project == row.project))
        project = _project(project_row)
        report = Report(
            project=project.id,
            name=project.name,
            since=date.fromisoformat(row.first),
            until=date.fromisoformat(row.last),
            work=pieces,
            minutes=sum(piece.minutes for piece in pieces),
            milestones=project.milestones,
        )
        return report, project

    # ------------------------------------------------------------ milestones at risk

    def risk_news(self, found: Sequence[milestones.Risk]) -> tuple[tuple[milestones.Risk, int], ...]:
        """The risks the owner does not know of, each with how often they were told of that milestone before.

        News is a risk that is new, of another kind, for another day, or twice as bad as when it was told. One that is
        over is forgotten, so that it is news when it comes back.
        """
        with self._writing() as connection:
            rows = {(row.project, row.milestone): row for row in connection.execute(select(risks))}
            now = {(risk.load.project.id, risk.load.milestone.name) for risk in found}
            for project, milestone in rows.keys() - now:
                of_risk = (risks.c.project == project) & (risks.c.milestone == milestone)
                connection.execute(update(risks).where(of_risk).values(over=1))
        news = []
        for risk in found:
            row = rows.get((risk.load.project.id, risk.load.milestone.name))
            if row is None or row.over or _is_worse(risk, row):
                news.append((risk, row.number if row else 0))
        return tuple(news)

    def mark_risk_told(self, risk: milestones.Risk) -> None:
        """The owner was told of this risk as it is now."""
        due = risk.load.milestone.due or date.max
        values = {
            "kind": risk.kind,
            "due": due.isoformat(),
            "days": risk.days_short,
            "over": 0,
            "at": self._clock.now(),
        }
        row = insert(risks).values(project=risk.load.project.id, milestone=risk.load.milestone.name, number=1, **values)
        with self._writing() as connection:
            connection.execute(
                row.on_conflict_do_update(
                    index_elements=["project", "milestone"], set_={**values, "number": risks.c.number + 1}
                )
            )


# ---------------------------------------------------------------- rows


@dataclass(frozen=True, slots=True)
class _Told:
    """Which work of a project is in hand, which the owner was ever shown, and the day after the last that was told."""

    work: frozenset[str]
    shown: frozenset[str]
    until: date


def _told(connection: Connection, project: str, *, ended: bool = False) -> _Told:
    """`ended`: by updates that have ended alone, not by those under way.

    Work that was told stays told when its project's file gets another name: the ids count for all projects.
    """
    query = select(updates.c.case, updates.c.project, updates.c.last, cases.c.state, cases.c.closed_at)
    every = connection.execute(query.join(cases, cases.c.number == updates.c.case)).all()
    in_hand = [
        row
        for row in every
        if (not ended if row.closed_at is None else from_json(CaseState, row.state).outcome not in _NOT_TOLD)
    ]
    days = (date.fromisoformat(row.last) for row in in_hand if row.project == project)
    return _Told(
        work=_work_of(connection, [row.case for row in in_hand]),
        shown=_work_of(connection, [row.case for row in every if row.project == project]),
        until=max(days, default=date.min) + timedelta(days=1),
    )


def _work_of(connection: Connection, numbers: Sequence[int]) -> frozenset[str]:
    """The ids of the work in the updates of these cases."""
    named = select(update_work.c.work).where(update_work.c.case.in_(numbers))
    return frozenset(connection.execute(named).scalars())


def _first_day(every: rhythm.Pace, period: rhythm.Period, earliest: date) -> date:
    """The beginning of the period that holds the earliest piece of work."""
    for _ in range(_MOST_BACK):
        before = rhythm.last_ended(every, period.last)
        if period.first <= earliest or before is None:
            break
        period = before
    return period.first


def _refusal(connection: Connection, client: str) -> str:
    """Why nothing may be proposed to this client now, "" when it may."""
    standing = standing_of(connection, client)
    if standing.refuses("update") or standing.paused:
        return "you want nothing sent to them"
    if standing.hold:
        return f"held because of {standing.hold}"
    kinds: tuple[Kind, ...] = ("update",)
    return "another update to them waits" if open_cases_of(connection, client, kinds) else ""


def _has_update(connection: Connection, project: str, period: str) -> bool:
    of_period = (updates.c.project == project) & (updates.c.period == period)
    return connection.execute(select(updates.c.case).where(of_period)).first() is not None


def _keep_project(connection: Connection, clock: Clock, project: Project, today: date) -> None:
    address = Address(email=project.email, name=project.contact)
    client = client_at(connection, address, clock)
    stored = replace(project, client=client.id)
    every = rhythm.pace(project.update_every) or rhythm.Pace()
    period = rhythm.last_ended(every, today)
    since = period.first if period else today
    values = {"client": client.id, "project": to_json(stored), "gone": 0, "at": clock.now()}
    row = insert(projects).values(id=project.id, since=since.isoformat(), **values)
    connection.execute(row.on_conflict_do_update(index_elements=["id"], set_=values))


def _project(row: Row[Any]) -> Project:
    return replace(from_json(Project, row.project), client=row.client)


def _work(connection: Connection, which: Any) -> tuple[Work, ...]:
    rows = connection.execute(select(work).where(which).order_by(work.c.day, work.c.at, work.c.id))
    return tuple(
        Work(
            id=row.id,
            project=row.project,
            day=date.fromisoformat(row.day),
            text=row.text,
            minutes=row.minutes,
            milestone=row.milestone,
            billable=bool(row.billable),
            source=row.source,
            twin=row.twin,
        )
        for row in rows
    )


def _untold(connection: Connection, project: Row[Any], last: date, *, unbilled: bool) -> list[Work]:
    """What was logged for a project until that day and is in no update that told it or is under way."""
    history = _told(connection, project.id)
    days = (work.c.day >= project.since) & (work.c.day <= last.isoformat())
    pieces = _work(connection, (work.c.project == project.id) & days)
    return [piece for piece in pieces if piece.id not in history.work and (unbilled or piece.billable)]


def _hold(connection: Connection, case: int, pieces: Sequence[Work]) -> None:
    """The update of this case is about these pieces."""
    connection.execute(insert(update_work), [{"case": case, "work": piece.id} for piece in pieces])


def _remove(connection: Connection, missing: Sequence[Work], read: Mapping[str, date]) -> list[str]:
    """Take out what its source no longer holds; what was told stays on record."""
    dropped = [piece for piece in missing if piece.source in read and piece.day >= read[piece.source]]
    told_work = {name: _told(connection, name, ended=True).work for name in {piece.project for piece in dropped}}
    removed = [piece.id for piece in dropped if piece.id not in told_work[piece.project]]
    if removed:
        connection.execute(delete(work).where(work.c.id == bindparam("gone")), [{"gone": name} for name in removed])
    return removed


def _values(piece: Work) -> dict[str, Any]:
    return {
        "project": piece.project,
        "day": piece.day.isoformat(),
        "minutes": piece.minutes,
        "milestone": piece.milestone,
        "text": piece.text,
        "billable": int(piece.billable),
        "source": piece.source,
    }


def _says(piece: Work) -> tuple[object, ...]:
    """What an update could tell of it."""
    return piece.project, piece.day, piece.minutes, piece.text, piece.billable


def _kept(piece: Work) -> tuple[object, ...]:
    return *_says(piece), piece.milestone, piece.source


def _is_worse(risk: milestones.Risk, row: Row[Any]) -> bool:
    due = (risk.load.milestone.due or date.max).isoformat()
    # Twice as bad: what grows by a day each day is not told each day.
    return (risk.kind, due) != (row.kind, row.due) or risk.days_short >= 2 * max(row.days, 1)
