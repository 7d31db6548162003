"""The look at projects, time and commits: what is new is kept, what is due is proposed, what is at risk is told.

Everything that can be read is taken in; what cannot is one notice with the mend, and is looked at again next time.
"""

import asyncio
import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from agents.model import Model
from agents.update import TemplateUpdate, UpdateAgent
from memory.ledger import Ledger
from memory.updates import UpdateBriefs
from memory.work import Begun, Kept
from tools.gitlog import LIMIT, Commit, commits, folder_of
from tools.projects import Projects, names_of, read_projects
from tools.timesheets import Entry, Reading, read_timesheet, timesheets_in
from workers.polling import Watch
from workers.settings import Settings
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models import Owner, Project, Source, Work
from workflows.ports import Clock, Desk, Drafting
from workflows.rules import calendar, milestones
from workflows.rules.canonical import body_hash, one_line
from workflows.rules.words import fold

NAME = "work"
EVERY = timedelta(minutes=10)
"""How often the folders are looked at; an update is proposed once, however often."""
BACK = timedelta(days=60)
"""How far back commits are read."""
_GIT_LIMIT = 25.0
"""Seconds that all repositories together may take: the whole look has a minute."""
_MOST_FAULTS = 5  # told in one notice
_MOST_NAMED = 5  # unknown projects


@dataclass(frozen=True, slots=True, kw_only=True)
class Found:
    """What one look at the folders read: `read` names each source and from which day on it was read whole."""

    projects: Projects
    pieces: tuple[Work, ...]
    read: dict[str, date]
    unknown: Counter[str]  # entries by the name of a project that is none here
    faults: tuple[DeskhandError, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The update story's own parts, made from the settings. `desk` tells the owner what is at risk."""

    home: Path
    settings: Settings
    ledger: Ledger
    owner: Owner
    clock: Clock
    desk: Desk
    profile: tuple[Source, ...] = ()
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)
    slow: set[str] = field(default_factory=set)  # repositories that took too long: next time they come last

    def briefs(self) -> UpdateBriefs:
        """Who builds the brief of an update."""
        return UpdateBriefs(self.ledger, self.owner, self.profile, share_hours=self.settings.work.share_hours)

    def watch(self) -> Watch:
        """The look at the folders, and at what is due."""
        return Watch(name=NAME, every=EVERY, run=self.look)

    async def look(self) -> str:
        """Take in what the folders hold, then propose what is due and tell what is at risk; one line on all of it.

        Raises:
            NeedsOwner: a file or repository must be mended; everything else was taken in all the same.
            Retryable: a repository could not be read this time.
        """
        async with self.busy:
            today = self._now().date()
            found = await asyncio.to_thread(self._read, today)
            kept = await asyncio.to_thread(self.ledger.keep_work, found.pieces, found.read)
            said = [_taken_in(found, kept)]
            if self._is_time():
                begun = await asyncio.to_thread(
                    self.ledger.begin_updates, today, self.owner, unbilled=self.settings.work.unbilled
                )
                told = await self._tell_risks(today)
                said += [_begun(begun), f"{told} milestones at risk told" if told else ""]
        if found.faults:
            raise _together(found.faults)
        return "; ".join(part for part in said if part)

    def _now(self) -> datetime:
        return self.clock.now().astimezone(calendar.zone(self.owner))

    def _is_time(self) -> bool:
        """Whether the owner works today and the time of the day has come."""
        now = self._now()
        return now.time() >= self.settings.work.updates_at and calendar.is_working_day(now.date(), self.owner)

    async def _tell_risks(self, today: date) -> int:
        """Each milestone at risk is told to the owner, and only to him, once until it gets worse."""
        loads = await asyncio.to_thread(self.ledger.loads)
        found = milestones.risks(loads, today, self.owner, self.settings.work.hours_per_week)
        news = await asyncio.to_thread(self.ledger.risk_news, found)
        for risk, before in news:
            name = body_hash(f"{risk.load.project.id}\n{risk.load.milestone.name}")[:16]
            await self.desk.tell(f"risk:{name}:{before + 1}", milestones.subject(risk), milestones.account(risk, today))
            await asyncio.to_thread(self.ledger.mark_risk_told, risk)
        return len(news)

    # ------------------------------------------------------------ reading

    def _read(self, today: date) -> Found:
        """Everything the folders hold now; the projects are kept on the way, for they say whose an entry is."""
        work = self.settings.work
        folder = folder_of(work.projects, self.home)
        projects = read_projects(folder)
        self.ledger.keep_projects(projects.found, projects.unread, today)
        faults: list[DeskhandError] = list(projects.faults)
        known = self.ledger.projects()
        pieces: list[Work] = []
        read: dict[str, date] = {}
        unknown: Counter[str] = Counter()
        for source, since, entries in (*self._timesheets(known, unknown, faults), *self._commits(known, today, faults)):
            read[source] = since
            pieces += entries
        return Found(projects=projects, pieces=tuple(pieces), read=read, unknown=unknown, faults=tuple(faults))

    def _timesheets(
        self, known: Sequence[Project], unknown: Counter[str], faults: list[DeskhandError]
    ) -> Iterator[tuple[str, date, list[Work]]]:
        work = self.settings.work
        own = ZoneInfo(self.owner.timezone)
        reading = Reading(order=work.dates, zone=ZoneInfo(work.timezone) if work.timezone else own, owner_zone=own)
        by_name = {name: project for project in known for name in names_of(project)}
        try:
            for path in timesheets_in(folder_of(work.timesheets, self.home)) if known else ():
                try:
                    sheet = read_timesheet(path, reading)
                except DeskhandError as fault:
                    faults.append(fault)
                    continue
                ours = [(entry, _project_of(entry, by_name)) for entry in sheet.entries]
                unknown.update(entry.project for entry, project in ours if project is None)
                pieces = [_piece(entry, project, path.name) for entry, project in ours if project]
                yield path.name, date.min, pieces
        except DeskhandError as fault:
            faults.append(fault)

    def _commits(
        self, known: Sequence[Project], today: date, faults: list[DeskhandError]
    ) -> Iterator[tuple[str, date, list[Work]]]:
        since = today - BACK
        by_source = {f"{project.id}: {name}": (project, name) for project in known for name in project.repositories}
        ends = time.monotonic() + _GIT_LIMIT
        for source in sorted(by_source, key=lambda one: (one in self.slow, one)):
            project, name = by_source[source]
            left = ends - time.monotonic()
            if left <= 0:
                faults.append(Retryable(f"There was no time left for the repository {name}; it is tried again."))
                continue
            try:
                found = self._log(name, since, min(LIMIT, left))
                self.slow.discard(source)
            except DeskhandError as fault:
                faults.append(fault)
                if isinstance(fault, Retryable):
                    self.slow.add(source)
                continue
            yield source, since, [_delivered(one, project, source) for one in found]

    def _log(self, name: str, since: date, limit: float) -> tuple[Commit, ...]:
        authors = self.owner.addresses | frozenset(self.settings.work.authors)
        return commits(folder_of(name, self.home), authors, since, calendar.zone(self.owner), limit=limit)


def drafting(model: Model | None) -> Drafting:
    """Who writes updates: the model where one is configured, the template otherwise."""
    templates = TemplateUpdate()
    return UpdateAgent(model, templates) if model else templates


# ---------------------------------------------------------------- whose an entry is


def _project_of(entry: Entry, by_name: dict[str, Project]) -> Project | None:
    """By `client / project` first, then by the project's name alone."""
    names = (f"{entry.client} / {entry.project}", entry.project)
    return next((by_name[fold(name)] for name in names if fold(name) in by_name), None)


def _piece(entry: Entry, project: Project, source: str) -> Work:
    by_name = {fold(milestone.name): milestone.name for milestone in project.milestones}
    named = next((by_name[fold(name)] for name in (entry.task, *entry.tags) if fold(name) in by_name), "")
    return Work(
        id=entry.id,
        project=project.id,
        day=entry.day,
        text=entry.text,
        minutes=entry.minutes,
        milestone=named,
        billable=entry.billable,
        source=source,
    )


def _delivered(commit: Commit, project: Project, source: str) -> Work:
    return Work(
        id=commit.id,
        project=project.id,
        day=commit.day,
        text=commit.text,
        source=source,
        twin=f"{project.id}:{commit.twin}",
    )


# ---------------------------------------------------------------- in one line


def _taken_in(found: Found, kept: Kept) -> str:
    if not found.projects.found and not found.projects.unread:
        return "no projects"
    counts = f"{kept.new} new, {kept.changed} changed, {kept.removed} gone"
    said = f"{len(found.projects.found)} projects, {len(found.pieces)} pieces of work: {counts}"
    if not found.unknown:
        return said
    named = ", ".join(one_line(name, 60) or "(none)" for name, _ in found.unknown.most_common(_MOST_NAMED))
    return f"{said}; {found.unknown.total()} entries of no project here ({named})"


def _begun(begun: Sequence[Begun]) -> str:
    return "; ".join(
        f"{one.project} {one.period}: case {one.case}" if one.case else f"{one.project} {one.period}: {one.why}"
        for one in begun
    )


def _together(faults: Sequence[DeskhandError]) -> DeskhandError:
    """One error for all that could not be read: the owner's to mend, if any of it is."""
    if all(isinstance(fault, Retryable) for fault in faults):
        return faults[0]
    shown = " ".join(str(fault) for fault in faults[:_MOST_FAULTS])
    more = len(faults) - _MOST_FAULTS
    return NeedsOwner(shown, f"And {more} more like these." if more > 0 else "")
