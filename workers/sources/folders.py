"""What the folders of projects and timesheets, and the repositories, hold now; and what cannot be read, and why.

Nothing is kept here; `workers/sources/work.py` does that, and `check` only looks.
"""

import time
from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

from tools.work.gitlog import LIMIT, Commit, commits, folder_of
from tools.work.projects import Projects, names_of, read_projects
from tools.work.timesheets import SheetReading, TimeEntry, read_timesheet, timesheets_in
from workers.settings.schema import WorkSection
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.people import Owner
from workflows.models.work import Project, Work
from workflows.rules.text import calendar
from workflows.rules.text.words import fold

BACK = timedelta(days=60)
"""How far back commits are read."""
_GIT_LIMIT = 25.0
"""Seconds that all repositories together may take: the whole look has a minute."""
_MOST_FAULTS = 5  # told in one notice

Source = tuple[str, date, list[Work]]
"""One file or repository: its name, from which day on it was read whole, what it holds."""


@dataclass(slots=True)
class FolderReading:
    """What one look read. `read` names each source and from which day on it was read whole."""

    pieces: list[Work] = field(default_factory=list)
    read: dict[str, date] = field(default_factory=dict)
    unknown: Counter[str] = field(default_factory=Counter)  # entries by the name of a project that is none here
    faults: list[DeskhandError] = field(default_factory=list)


@dataclass(frozen=True, slots=True, kw_only=True)
class Folders:
    """The folders of the settings, relative to the home."""

    home: Path
    settings: WorkSection
    owner: Owner
    slow: set[str] = field(default_factory=set)  # repositories that took too long: next time they come last

    def projects(self) -> Projects:
        """Every project's file.

        Raises:
            NeedsOwner: the folder itself cannot be read.
        """
        return read_projects(folder_of(self.settings.projects, self.home))

    def work(self, known: Sequence[Project], today: date) -> FolderReading:
        """Everything logged and committed for these projects; a fault of one source leaves the others."""
        findings = FolderReading()
        for name, since, pieces in (*self._timesheets(known, findings), *self._repositories(known, today, findings)):
            findings.read[name] = since
            findings.pieces += pieces
        return findings

    def _timesheets(self, known: Sequence[Project], found: FolderReading) -> Iterator[Source]:
        owner_zone = ZoneInfo(self.owner.timezone)
        zone = ZoneInfo(self.settings.timezone) if self.settings.timezone else owner_zone
        reading = SheetReading(order=self.settings.dates, zone=zone, owner_zone=owner_zone)
        by_name = {name: project for project in known for name in names_of(project)}
        for path in self._exports(found) if known else ():
            try:
                sheet = read_timesheet(path, reading)
            except DeskhandError as fault:
                found.faults.append(fault)
                continue
            pairs = [(entry, _project_of(entry, by_name)) for entry in sheet.entries]
            found.unknown.update(entry.project for entry, project in pairs if project is None)
            yield path.name, date.min, [_logged(entry, project, path.name) for entry, project in pairs if project]

    def _exports(self, found: FolderReading) -> tuple[Path, ...]:
        try:
            return timesheets_in(folder_of(self.settings.timesheets, self.home))
        except DeskhandError as fault:
            found.faults.append(fault)
            return ()

    def _repositories(self, known: Sequence[Project], today: date, found: FolderReading) -> Iterator[Source]:
        since, ends = today - BACK, time.monotonic() + _GIT_LIMIT
        twins: set[str] = set()
        by_source = {f"{project.id}: {name}": (project, name) for project in known for name in project.repositories}
        for source in sorted(by_source, key=lambda one: (one in self.slow, one)):
            project, name = by_source[source]
            try:
                read = self._log(name, since, ends - time.monotonic())
                self.slow.discard(source)
            except DeskhandError as fault:
                found.faults.append(fault)
                if isinstance(fault, Retryable):
                    self.slow.add(source)
                continue
            # A repository that two projects name tells the first of them.
            by_twin = {commit.twin: commit for commit in read if commit.twin not in twins}
            twins |= set(by_twin)
            yield source, since, [_delivered(commit, project, source) for commit in by_twin.values()]

    def _log(self, name: str, since: date, left: float) -> tuple[Commit, ...]:
        if left <= 0:
            raise Retryable(f"There was no time left for the repository {name}; it is tried again.")
        authors = self.owner.addresses | frozenset(self.settings.authors)
        zone = calendar.zone(self.owner)
        return commits(folder_of(name, self.home), authors, since, zone, limit=min(LIMIT, left))


def together(faults: Sequence[DeskhandError]) -> DeskhandError:
    """One error for all that could not be read: the owner's to mend, if any of it is."""
    if all(isinstance(fault, Retryable) for fault in faults):
        return faults[0]
    problem = " ".join(str(fault) for fault in faults[:_MOST_FAULTS])
    surplus = len(faults) - _MOST_FAULTS
    return NeedsOwner(problem, f"And {surplus} more like these." if surplus > 0 else "")


# ---------------------------------------------------------------- whose an entry is


def _project_of(entry: TimeEntry, by_name: dict[str, Project]) -> Project | None:
    """By `client / project` first, then by the project's name alone."""
    names = (f"{entry.client} / {entry.project}", entry.project)
    return next((by_name[fold(name)] for name in names if fold(name) in by_name), None)


def _logged(entry: TimeEntry, project: Project, source: str) -> Work:
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
        twin=commit.twin,
    )
