"""The look at projects, time and commits: what is new is kept, what is due is proposed, what is at risk is told.

Everything that can be read is taken in; what cannot is one notice with the mend, and is looked at again next time.
"""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import date, datetime, timedelta

from agents.lookup.reference import Reference
from agents.model import Model
from agents.update import TemplateUpdate, UpdateAgent
from memory.briefs.updates import UpdateBriefs
from memory.ledger import Ledger
from memory.work.projects import Begun, WorkChanges
from workers.rounds.polling import Watch
from workers.settings.schema import Settings
from workers.sources.folders import FolderReading, Folders, together
from workflows.models.drafts import Source
from workflows.models.people import Owner
from workflows.ports import Clock, Desk, Drafting
from workflows.rules.text import calendar
from workflows.rules.text.canonical import body_hash, one_line
from workflows.rules.text.words import counted
from workflows.rules.work import milestones

NAME = "work"
EVERY = timedelta(minutes=10)
"""How often the folders are looked at; an update is proposed once, however often."""
_MOST_NAMED = 5  # unknown projects


@dataclass(frozen=True, slots=True, kw_only=True)
class Working:
    """The update story's own parts, made from the settings. `desk` tells the owner what is at risk."""

    folders: Folders
    settings: Settings
    ledger: Ledger
    owner: Owner
    clock: Clock
    desk: Desk
    profile: tuple[Source, ...] = ()
    busy: asyncio.Lock = field(default_factory=asyncio.Lock)

    def briefs(self) -> UpdateBriefs:
        """Who builds the brief of an update."""
        return UpdateBriefs(self.ledger, self.owner, self.profile, share_hours=self.settings.work.share_hours)

    def watch(self) -> Watch:
        """The look at the folders, and at what is due."""
        return Watch(name=NAME, every=EVERY, run=self.look, own=True, daily=True)

    async def look(self) -> str:
        """Take in what the folders hold, then propose what is due and tell what is at risk; one line on all of it.

        Raises:
            NeedsOwner: a file or repository must be mended; everything else was taken in all the same.
            Retryable: a repository could not be read this time.
        """
        async with self.busy:
            today = self._now().date()
            findings, summary = await asyncio.to_thread(self._take_in, today)
            if self._is_time():
                updates = await asyncio.to_thread(
                    self.ledger.begin_updates, today, self.owner, unbilled=self.settings.work.unbilled
                )
                risks = await self._tell_risks(today)
                summary = "; ".join(
                    filter(None, (summary, _begun(updates), f"{risks} milestones at risk told" if risks else ""))
                )
        if findings.faults:
            raise together(findings.faults)
        return summary

    def _take_in(self, today: date) -> tuple[FolderReading, str]:
        """Keep what the folders hold; what that was in one line. The projects first: they say whose an entry is."""
        projects = self.folders.projects()
        self.ledger.keep_projects(projects.found, projects.unread, today)
        recorded = self.ledger.projects()
        findings = self.folders.work(recorded, today)
        findings.faults[:0] = projects.faults
        changes = self.ledger.keep_work(findings.pieces, findings.read, unbilled=self.settings.work.unbilled)
        return findings, _taken_in(len(recorded), findings, changes)

    def _now(self) -> datetime:
        return self.clock.now().astimezone(calendar.zone(self.owner))

    def _is_time(self) -> bool:
        """Whether the owner works today and the time of the day has come."""
        now = self._now()
        return now.time() >= self.settings.work.updates_at and calendar.is_working_day(now.date(), self.owner)

    async def _tell_risks(self, today: date) -> int:
        """Each milestone at risk is told to the owner, and only to him, once until it gets worse."""
        loads = await asyncio.to_thread(self.ledger.loads)
        risks = milestones.risks(loads, today, self.owner, self.settings.work.hours_per_week)
        news = await asyncio.to_thread(self.ledger.risk_news, risks)
        for risk, before in news:
            name = body_hash(f"{risk.load.project.id}\n{risk.load.milestone.name}")[:16]
            await self.desk.tell(f"risk:{name}:{before + 1}", milestones.subject(risk), milestones.account(risk, today))
            await asyncio.to_thread(self.ledger.mark_risk_told, risk)
        return len(news)


def drafting(model: Model | None, reference: Reference | None = None) -> Drafting:
    """Who writes updates: the model where one is configured, the template otherwise."""
    templates = TemplateUpdate()
    return UpdateAgent(model, templates, reference) if model else templates


# ---------------------------------------------------------------- in one line


def _taken_in(projects: int, found: FolderReading, kept: WorkChanges) -> str:
    if not projects:
        return "no projects"
    counts = f"{kept.new} new, {kept.changed} changed, {kept.removed} gone"
    pieces = counted(len(found.pieces), "piece of work", "pieces of work")
    summary = f"{counted(projects, 'project')}, {pieces}: {counts}"
    if not found.unknown:
        return summary
    named = ", ".join(one_line(name, 60) or "(none)" for name, _ in found.unknown.most_common(_MOST_NAMED))
    return f"{summary}; {counted(found.unknown.total(), 'entry', 'entries')} of no project here ({named})"


def _begun(begun: Sequence[Begun]) -> str:
    return "; ".join(
        f"{update.project} {update.period}: case {update.case}"
        if update.case
        else f"{update.project} {update.period}: {update.why}"
        for update in begun
    )
