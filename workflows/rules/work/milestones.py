"""Whether a milestone can still be met: what is left of its estimate against the hours that are free until it is due.

Pure, and by sums that can be done by hand. A milestone is at risk when all that is due by its day, of every project,
is more than the owner's hours until that day: the earliest due comes first, so later work never takes its time.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Literal

from workflows.models.people import Owner
from workflows.models.work import Milestone, Project, Work
from workflows.rules.text import calendar
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import fold

_FARTHEST = 400  # days ahead that hours are counted for
_MOST_NAMED = 8  # other milestones a notice lists
_NAME = 80

RiskKind = Literal["short", "used-up", "overdue"]
"""More is left than there are free hours · the estimate is used up and it is not done · its day has passed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Load:
    """One milestone with what was logged for it (minutes)."""

    project: Project
    milestone: Milestone
    logged: int

    @property
    def left(self) -> int:
        """What remains of the estimate; 0 when it is done."""
        return 0 if self.milestone.done else max(self.milestone.estimate_minutes - self.logged, 0)


@dataclass(frozen=True, slots=True, kw_only=True)
class Free:
    """The owner's hours until a day: minutes on each of the working days from today, that day included."""

    days: int
    minutes: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Risk:
    """A milestone at risk, with every number it rests on; minutes throughout."""

    kind: RiskKind
    load: Load
    free: Free
    others: tuple[Load, ...] = ()  # what else is due by that day, and has something left

    @property
    def others_left(self) -> int:
        return sum(load.left for load in self.others)

    @property
    def short(self) -> int:
        """How many minutes are missing."""
        return max(self.load.left + self.others_left - self.free.minutes, 0)

    @property
    def days_short(self) -> int:
        """The same in whole working days, for telling whether it got worse."""
        per_day = self.free.minutes // self.free.days if self.free.days else 8 * 60
        return -(-self.short // max(per_day, 1))


def loads(project: Project, work: Iterable[Work]) -> tuple[Load, ...]:
    """What was logged for each milestone, the earliest due first.

    Work that names a milestone counts for it. The rest fills the milestones in the order they are due, each up to its
    estimate, and what is over counts for the last one.
    """
    in_order = sorted(project.milestones, key=lambda one: one.due or date.max)
    named = {fold(entry.name): 0 for entry in in_order}
    pool = 0
    for piece in work:
        if fold(piece.milestone) in named:
            named[fold(piece.milestone)] += piece.minutes
        else:
            pool += piece.minutes
    filled = []
    for milestone in in_order:
        logged = named[fold(milestone.name)]
        share = pool if milestone is in_order[-1] else min(pool, max(milestone.estimate_minutes - logged, 0))
        pool -= share
        filled.append(Load(project=project, milestone=milestone, logged=logged + share))
    return tuple(filled)


def risks(every: Sequence[Load], today: date, owner: Owner, hours_per_week: float = 0) -> tuple[Risk, ...]:
    """Every milestone at risk, the earliest due first. `hours_per_week` for projects; 0: all of the owner's hours."""
    open_ones = sorted(
        (load for load in every if not load.milestone.done and load.milestone.due),
        key=lambda load: (load.milestone.due or date.max, load.project.id, load.milestone.name),
    )
    assessed = (_risk(load, open_ones, today, owner, hours_per_week) for load in open_ones)
    return tuple(risk for risk in assessed if risk is not None)


def free_until(last: date, today: date, owner: Owner, hours_per_week: float = 0) -> Free:
    """The owner's hours from today to that day, both included: working days, public holidays left out."""
    week = [today - timedelta(days=today.weekday()) + timedelta(days=step) for step in range(7)]
    working = [day for day in week if calendar.working_hours_on(day.weekday(), owner)]
    share = round(hours_per_week * 60 / len(working)) if hours_per_week and working else 0
    span = range(min((last - today).days, _FARTHEST) + 1)
    days = [day for step in span if calendar.is_working_day(day := today + timedelta(days=step), owner)]
    return Free(days=len(days), minutes=sum(share or calendar.working_minutes(day, owner) for day in days))


def _risk(load: Load, open_ones: Sequence[Load], today: date, owner: Owner, hours_per_week: float) -> Risk | None:
    due = load.milestone.due or date.max
    free = free_until(due, today, owner, hours_per_week)
    earlier = tuple(
        peer for peer in open_ones if peer is not load and peer.left and (peer.milestone.due or date.max) <= due
    )  # fmt: skip
    if due < today:
        return Risk(kind="overdue", load=load, free=free, others=earlier)
    if not load.milestone.estimate_minutes:
        return None
    if not load.left:
        return Risk(kind="used-up", load=load, free=free, others=earlier)
    risk = Risk(kind="short", load=load, free=free, others=earlier)
    return risk if risk.short else None


# ---------------------------------------------------------------- how it is told to the owner


def subject(risk: Risk) -> str:
    """`Milestone at risk: Launch (Website relaunch), due 18 Dec 2026`."""
    milestone, project = risk.load.milestone, risk.load.project
    state = {"short": "at risk", "used-up": "has used up its estimate", "overdue": "is overdue"}[risk.kind]
    return f"Milestone {state}: {_name(milestone.name)} ({_name(project.name)}), due {_day(milestone.due)}"


def account(risk: Risk, today: date) -> str:
    """The numbers, line by line, so that they can be added up by hand; and what may be done."""
    load = risk.load
    lines = [
        f"{_name(load.milestone.name)} of {_name(load.project.name)} is due {_day(load.milestone.due)}.",
        "",
        f"Estimated: {hours(load.milestone.estimate_minutes)}",
        f"Logged until {_day(today)}: {hours(load.logged)}",
        f"Left: {hours(load.left)}",
    ]
    if risk.kind == "short":
        lines += _sum(risk)
    return "\n".join([*lines, "", _advice(risk)]) + "\n"


def hours(minutes: int) -> str:
    """`12 h 30 min`, `45 min`, `0 h`."""
    hour, spare = divmod(minutes, 60)
    return " ".join(
        part for part in (f"{hour} h" if hour or not spare else "", f"{spare} min" if spare else "") if part
    )


def _sum(risk: Risk) -> list[str]:
    free, due = risk.free, _day(risk.load.milestone.due)
    each = f" of {hours(free.minutes // free.days)}" if free.days and free.minutes % free.days == 0 else ""
    lines = [f"Your hours until then: {hours(free.minutes)} ({free.days} working days{each}, from today to {due})"]
    for earlier in risk.others[:_MOST_NAMED]:
        milestone, day = earlier.milestone, _day(earlier.milestone.due)
        lines.append(
            f"Due before or with it: {hours(earlier.left)} for {_name(milestone.name)} "
            f"({_name(earlier.project.name)}, {day}: {hours(milestone.estimate_minutes)} less {hours(earlier.logged)})"
        )
    if unlisted := risk.others[_MOST_NAMED:]:
        lines.append(
            f"Due before or with it, {len(unlisted)} more milestones: {hours(sum(load.left for load in unlisted))}"
        )
    needed = f"{hours(risk.load.left)} + {hours(risk.others_left)}" if risk.others else hours(risk.load.left)
    return [*lines, f"Missing: {needed} - {hours(free.minutes)} = {hours(risk.short)}"]


def _advice(risk: Risk) -> str:
    notice = "The client has been told nothing."
    if risk.kind == "short":
        return f"{notice} You may move the day, cut the scope, or make room; then change the project's file."
    if risk.kind == "used-up":
        return f"{notice} If it is done, say done = true in the project's file; if not, raise its estimate."
    return f"{notice} If it is done, say done = true in the project's file; if not, agree on a new day."


def _day(when: date | None) -> str:
    return f"{when.day} {when:%b %Y}" if when else "no day"


def _name(text: str) -> str:
    return one_line(text, _NAME)
