"""The brief of a status update: what was logged since the last one, and to whom it would go."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time

from memory.ledger import Ledger
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Envelope, Source
from workflows.models.mail import Address
from workflows.models.people import Client, Owner
from workflows.models.work import Project, Report, Work
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line
from workflows.rules.text.language import language_of
from workflows.rules.work import rhythm
from workflows.rules.work.milestones import hours
from workflows.stories import UPDATE

_NEWEST = 5  # texts of the client, from which their language is read
_TEXT = 300  # characters of one entry that are shown
_NAME = 100


class UpdateBriefs:
    """Builds the briefs of status updates (`Recall.also_builds`)."""

    def __init__(
        self, ledger: Ledger, owner: Owner, profile: tuple[Source, ...] = (), *, share_hours: bool = False
    ) -> None:
        """`share_hours`: whether a client may be told how long the work took."""
        self._ledger, self._owner, self._profile = ledger, owner, profile
        self._share_hours = share_hours

    def build(self, state: CaseState) -> Brief:
        """Everything an update may say: each logged piece of work is a fact with its source."""
        report, project = self._ledger.report(state.case)
        report = replace(report, tells_hours=self._share_hours)
        client = self._ledger.client_of(state.case)
        recipient = _recipient(project, client)
        language = self._language(project)
        subject = rhythm.subject(project.name, report.since, report.until, language)
        return Brief(
            case=state.case,
            kind=state.kind,
            client=client,
            sender=recipient,
            subject=subject,
            message="\n".join(_logged(report)),
            language=language,
            profile=self._profile,
            owner_name=self._owner.name,
            owner_language=self._owner.language,
            hints=tuple(_hints(report)),
            envelope=Envelope(to=(recipient,), subject=subject, proactive=True),
            heading=UPDATE.heading,
            trigger=_trigger(report, project),
            facts=tuple(self._fact(piece) for piece in report.work),
            report=report,
            vouched=True,
        )

    def _language(self, project: Project) -> str:
        """As the project says; else what they write in, else what the owner wrote to them in, else the owner's."""
        if project.language:
            return project.language
        documents = self._ledger.documents(project.client)
        for kind in ("received", "sent"):
            texts = [document.text for document in documents if document.kind == kind][-_NEWEST:]
            if language := language_of("\n".join(reversed(texts))):
                return language
        return calendar.language_of(self._owner)

    def _fact(self, piece: Work) -> Source:
        at = datetime.combine(piece.day, time(12), calendar.zone(self._owner))
        took = f"{hours(piece.minutes)}: " if piece.minutes else ""
        return Source(id=piece.id, kind="work", quote=f"{took}{one_line(piece.text, _TEXT)}", at=at)


def _recipient(project: Project, client: Client | None) -> Address:
    name = project.contact or (client.name if client and client.name != project.email else "")
    return Address(email=project.email, name=one_line(name, _NAME))


def _logged(report: Report) -> Iterator[str]:
    """A line for each piece of work, for the owner's eyes: day, length, words, where it stands."""
    for piece in report.work:
        took = f", {hours(piece.minutes)}" if piece.minutes else ""
        unbilled = "" if piece.billable else " (not billable)"
        yield f"{piece.day:%Y-%m-%d}{took}: {one_line(piece.text, _TEXT) or '(no words)'}{unbilled} [{piece.id}]"
    yield f"Together: {hours(report.minutes)}."


def _trigger(report: Report, project: Project) -> str:
    named = rhythm.period(report.since, report.until, "en")
    return f"The {one_line(project.update_every, 40)} update of {one_line(project.name, _NAME)} is due, for {named}"


def _hints(report: Report) -> Iterator[str]:
    late = [piece for piece in report.work if piece.day < report.since]
    if late:
        yield f"{_entries(len(late))} from before {report.since:%Y-%m-%d}, logged after the last update, is among it."
    if report.tells_hours and any(not piece.billable for piece in report.work):
        yield "Entries that are not billable are listed, and their time is not told."


def _entries(count: int) -> str:
    return "An entry" if count == 1 else f"{count} entries"
