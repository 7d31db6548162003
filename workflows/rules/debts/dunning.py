"""When a client is written to about what they owe, and at which stage: a pure rule over what the ledger knows.

Nothing remembers anything between two days: the rule is asked with today, the open invoices, what was sent before and
what speaks against it. So days without Deskhand lead to one notice at the right stage, never to a row of them.
The ladders are data (data/dunning.toml).
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, timedelta
from functools import cache
from typing import Literal

from workflows.models.money import Invoice
from workflows.rules.text.calendar import holidays_of
from workflows.rules.text.words import table

HoldKind = Literal[
    "promise", "dispute", "absence", "evidence", "wish", "mail", "complaint", "stopped", "never", "paused"
]
_IN_BUSINESS_DAYS = frozenset({"evidence", "wish"})
_WEEKEND = (5, 6)
_LONGEST = 60
"""Days looked ahead for a business day: no country closes for so long."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Stage:
    """One step of a ladder. `after`: days after the due date; `gap`: business days since any notice to the client."""

    name: str
    step: int  # 1 is the first
    after: int
    gap: int
    tone: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ladder:
    """The stages in order; `again`: business days before what was refused is proposed again."""

    name: str
    stages: tuple[Stage, ...]
    again: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Made:
    """A notice about one invoice that is over. `day`: when it left, or was refused, in the client's time zone."""

    number: str
    step: int
    day: date
    how: Literal["sent", "refused"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Hold:
    """What speaks against writing: of one invoice, or of all (number ""). `until` None: until the owner says."""

    kind: HoldKind
    number: str = ""
    until: date | None = None  # promise: the day they pay; absence: the day they are back; evidence: its last day
    says: str = ""  # in plain words, for the owner


@dataclass(frozen=True, slots=True, kw_only=True)
class DueInvoice:
    """One invoice of a notice, with the stage that is its own."""

    invoice: Invoice
    step: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Due:
    """One mail is due, at this stage (the highest of its invoices)."""

    stage: Stage
    items: tuple[DueInvoice, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nothing:
    """No mail today: why, and the day to look again (None: only something new can change it)."""

    why: str
    until: date | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class BusinessDays:
    """The days on which business is done in a country (`DE`, `DE-BY`; "" knows weekends alone)."""

    country: str = ""
    every_day: bool = False  # for those to whom weekends and holidays do not matter

    def is_open(self, day: date) -> bool:
        """Neither of the weekend nor a public holiday."""
        if self.every_day:
            return True
        weekend = table("dunning")["weekends"].get(self.country[:2].upper(), _WEEKEND)
        return day.weekday() not in weekend and day not in holidays_of(self.country, day.year)

    def first_open(self, day: date) -> date:
        """The day itself where it is a business day, else the next one."""
        return next((candidate for candidate in _days_from(day) if self.is_open(candidate)), day)

    def add(self, day: date, count: int) -> date:
        """The business day `count` business days after (0: the day itself, open or not)."""
        for _ in range(count):
            day = self.first_open(day + timedelta(days=1))
        return day


def _days_from(day: date) -> Iterable[date]:
    return (day + timedelta(days=ahead) for ahead in range(_LONGEST))


# ---------------------------------------------------------------- the data


def ladders() -> tuple[str, ...]:
    """The names of the ladders there are."""
    return tuple(name for name, row in table("dunning").items() if "stage" in row)


@cache
def ladder(name: str) -> Ladder:
    """The ladder of that name; the standard one for a name that is none."""
    row = table("dunning")[name if name in ladders() else "standard"]
    stages = tuple(Stage(step=step, **values) for step, values in enumerate(row["stage"], start=1))
    return Ladder(name=name, stages=stages, again=row["again"])


def longest_hold(kind: HoldKind, since: date, calendar: BusinessDays) -> date:
    """The last day for which a hold of this kind, as a client's mail may cause it, is taken."""
    days: int = table("dunning")["held"][kind]
    return calendar.add(since, days) if kind in _IN_BUSINESS_DAYS else since + timedelta(days=days)


def zone_of(country: str, otherwise: str) -> str:
    """The time zone in which the business day of a country is counted."""
    zone: str = table("dunning")["zones"].get(country[:2].upper(), otherwise)
    return zone


# ---------------------------------------------------------------- the rule


def next_notice(  # noqa: PLR0913, PLR0917 - everything the answer depends on
    debts: Sequence[Invoice],
    notices: Sequence[Made],
    holds: Sequence[Hold],
    today: date,
    calendar: BusinessDays,
    ladder: Ladder,
) -> Due | Nothing:
    """What is due to one client today. `debts`: their open invoices with a balance, late or not."""
    day = _Day(notices=notices, holds=holds, today=today, calendar=calendar, ladder=ladder)
    if not debts:
        return Nothing(why="nothing is owed")
    client_holds = [hold for hold in holds if not hold.number and is_on(hold, today, calendar)]
    if client_holds:
        return Nothing(
            why=client_holds[0].says or client_holds[0].kind,
            until=_latest(ends_on(hold, calendar) for hold in client_holds),
        )
    if not calendar.is_open(today):
        return Nothing(why="it is no business day of theirs", until=calendar.first_open(today))
    in_order = sorted(debts, key=lambda one: (one.due, one.number))
    items = tuple(DueInvoice(invoice=invoice, step=step) for invoice in in_order if (step := _step(invoice, day)))
    if not items:
        return Nothing(why=_why_not_yet(debts, day), until=_next_look(debts, day))
    stage = ladder.stages[max(item.step for item in items) - 1]
    last = max((notice.day for notice in notices if notice.how == "sent"), default=None)
    if last and today < (earliest := calendar.add(last, stage.gap)):
        return Nothing(why=f"they were written to on {last:%Y-%m-%d}", until=earliest)
    return Due(stage=stage, items=items)


def is_on(hold: Hold, today: date, calendar: BusinessDays) -> bool:
    """Whether it still speaks against a notice: a promise through the business day after, an absence until the day."""
    end = ends_on(hold, calendar)
    return end is None or today < end


def ends_on(hold: Hold, calendar: BusinessDays) -> date | None:
    """The first day on which it holds nothing any more; None: the owner ends it."""
    if hold.until is None:
        return None
    return hold.until if hold.kind == "absence" else calendar.add(hold.until, 1)


def run_out(holds: Sequence[Hold], numbers: Sequence[str], today: date, calendar: BusinessDays) -> tuple[Hold, ...]:
    """The holds on these invoices that have run out without a payment: "they promised Friday, and nothing came"."""
    return tuple(
        hold
        for hold in holds
        if hold.until and (not hold.number or hold.number in numbers) and not is_on(hold, today, calendar)
    )


def is_held(invoice: Invoice, holds: Sequence[Hold], today: date, calendar: BusinessDays) -> bool:
    """Whether anything speaks against a notice about this invoice today."""
    return any(hold.number in {"", invoice.number} and is_on(hold, today, calendar) for hold in holds)


@dataclass(frozen=True, slots=True, kw_only=True)
class _Day:
    """What the answer for each single invoice depends on."""

    notices: Sequence[Made]
    holds: Sequence[Hold]
    today: date
    calendar: BusinessDays
    ladder: Ladder


def _step(invoice: Invoice, day: _Day) -> int:
    """The step that is due for one invoice, 0 for none. No step is left out: a second reminder follows a first."""
    if is_held(invoice, day.holds, day.today, day.calendar):
        return 0
    reached, last_step = _reached(invoice, day.today, day.ladder), _done(invoice, day)
    step = min(reached, last_step + 1)
    if step <= last_step:
        return 0
    refused = [notice.day for notice in day.notices if notice.number == invoice.number and notice.how == "refused"]
    if not refused:
        return step
    came_since = reached > _reached(invoice, max(refused), day.ladder)
    return step if came_since or day.today >= day.calendar.add(max(refused), day.ladder.again) else 0


def _reached(invoice: Invoice, day: date, ladder: Ladder) -> int:
    """The highest step whose day has come."""
    late = (day - invoice.due).days
    return max((stage.step for stage in ladder.stages if stage.after <= late), default=0)


def _done(invoice: Invoice, day: _Day) -> int:
    """The highest step that is behind it: sent, or for a time before the due date that is over."""
    early = sum(1 for stage in day.ladder.stages if stage.after < 0) if day.today > invoice.due else 0
    sent = (notice.step for notice in day.notices if notice.number == invoice.number and notice.how == "sent")
    return max((early, *sent))


def _why_not_yet(debts: Sequence[Invoice], day: _Day) -> str:
    late = [invoice for invoice in debts if invoice.due < day.today]
    numbers = {invoice.number for invoice in late}
    holds = [hold for hold in day.holds if hold.number in numbers and is_on(hold, day.today, day.calendar)]
    if holds and {hold.number for hold in holds} == numbers:
        return holds[0].says or holds[0].kind
    return "no next stage has come" if late else "nothing is late"


def _next_look(debts: Sequence[Invoice], day: _Day) -> date | None:
    """The first day on which the answer may be another, as far as can be known now."""
    days = [end for hold in day.holds if (end := ends_on(hold, day.calendar)) and end > day.today]
    for invoice in debts:
        if is_held(invoice, day.holds, day.today, day.calendar):
            continue
        last_step = _done(invoice, day)
        coming = [invoice.due + timedelta(days=stage.after) for stage in day.ladder.stages[last_step : last_step + 1]]
        days += [next_day for next_day in coming if next_day > day.today]
    return day.calendar.first_open(min(days)) if days else None


def _latest(days: Iterable[date | None]) -> date | None:
    ends = list(days)
    return None if None in ends else max((day for day in ends if day), default=None)
