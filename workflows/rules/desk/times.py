"""Times of a mail, answered: what the calendars say of each, as values of a brief and as its facts. Pure."""

from collections.abc import Callable
from dataclasses import replace
from datetime import datetime, timedelta

from workflows.models.desk import TimeAnswer, Times
from workflows.models.drafts import Source
from workflows.models.people import Owner
from workflows.rules.desk.asked_times import AskedTimes, asked_times
from workflows.rules.desk.slots import CalendarView, Diary, Offering, Slot, told_to_both
from workflows.rules.desk.time_facts import NamedSlot, TimeFacts, time_facts

Look = Callable[[datetime, datetime], CalendarView]
"""Asks the calendars what is taken between two moments."""
_AHEAD = timedelta(days=1)


def times_of(text: str, language: str, diary: Diary, look: Look, zone: str = "") -> tuple[Times, tuple[Source, ...]]:
    """What can be said of the times of a mail, and the same as facts. The calendars are asked only where it has any.

    `diary`: all that decides, its view left to `look`; `zone`: the client's, "" where it is not known.
    """
    asked = asked_times(text, language, diary.now, diary.owner, zone)
    if not asked.times and not asked.wants:
        return Times(), ()
    view = look(diary.now, _last(asked, diary))
    if not view.configured:
        return Times(), ()
    facts = time_facts(asked, replace(diary, view=view), zone)
    return replace(_times(facts, diary.owner, zone), entered=tuple(diary.agreed.values())), facts.sources(
        diary.owner.timezone, zone
    )


def diary_at(now: datetime, owner: Owner, terms: Offering, held: tuple[Slot, ...]) -> Diary:
    """A diary whose calendars were not asked yet."""
    return Diary(view=CalendarView(configured=False), now=now, owner=owner, terms=terms, held=held)


def told_time(answer: TimeAnswer, times: Times, language: str) -> str:
    """`Thu 12 Mar 10:00-10:30` in that language, with the client's clock behind it where it shows another time."""
    return told_to_both(Slot(start=answer.start, end=answer.end), language, times.zone, times.client_zone)


def _last(asked: AskedTimes, diary: Diary) -> datetime:
    ends = [one.end or one.start for one in asked.times]
    return max([diary.now + timedelta(days=diary.terms.days), *ends]) + _AHEAD


def _times(facts: TimeFacts, owner: Owner, zone: str) -> Times:
    """Numbered as the facts are: first what was named, then what is offered."""
    named = [_answer(number, one) for number, one in enumerate(facts.named, 1)]
    offers = [
        TimeAnswer(id=f"calendar:{number}", start=slot.start, end=slot.end, kind="offer")
        for number, slot in enumerate(facts.offers, len(named) + 1)
    ]
    return Times(answers=(*named, *offers), zone=owner.timezone, client_zone=zone, faults=facts.faults)


def _answer(number: int, named: NamedSlot) -> TimeAnswer:
    kind = named.availability.value if named.sure_of_zone else "unknown"
    slot = named.slot
    return TimeAnswer(id=f"calendar:{number}", start=slot.start, end=slot.end, kind=kind, exact=named.exact)
