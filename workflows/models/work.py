"""Work: a project, its milestones, the hours logged, and the report that is due."""

from dataclasses import dataclass
from datetime import date


@dataclass(frozen=True, slots=True, kw_only=True)
class Milestone:
    name: str
    due: date | None = None
    estimate_minutes: int = 0
    done: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Project:
    """What was agreed with a client: one file of the projects folder."""

    id: str  # the file's stem
    name: str
    email: str  # of the client
    scope: tuple[str, ...] = ()  # what is agreed, a line each
    excluded: tuple[str, ...] = ()  # what is agreed not to be part of it
    milestones: tuple[Milestone, ...] = ()
    update_every: str = ""  # the client's own rhythm: "weekly", "every 2 weeks", "monthly", "" never
    repositories: tuple[str, ...] = ()  # folders whose git log shows deliverables
    client: str = ""  # the client's id, as the ledger resolved it
    contact: str = ""  # the client's name, for the greeting
    language: str = ""  # of updates, two letters; "" is the one they write in
    tracked_as: tuple[str, ...] = ()  # further names the time tool has for it ("Acme / Relaunch")


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """One logged piece of work: a time entry or a commit."""

    id: str  # "time:<12 hex>" or "git:<12 hex>"
    project: str  # Project.id
    day: date
    text: str
    minutes: int = 0  # 0 for a commit
    milestone: str = ""
    billable: bool = True
    source: str = ""  # the file or repository it was read from
    twin: str = ""  # the same for a commit before and after a rebase; "" is the id


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """What one status update is about: the logged work of one client's project since the last one."""

    project: str
    name: str
    since: date
    until: date
    work: tuple[Work, ...]
    minutes: int = 0
    milestones: tuple[Milestone, ...] = ()
    tells_hours: bool = False  # the setting work.share_hours: the client may be told how long it took
