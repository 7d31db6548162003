"""`calendar`: the owner's calendars asked now: when there is time, what would be offered, what drafts hold."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import timedelta
from itertools import groupby
from typing import Any

from workers.clock import SystemClock
from workers.settings import loading
from workers.sources.calendars import calendars_of, offering_of
from workers.voice.output import Output
from workflows.models.people import Owner
from workflows.rules.desk.slots import BusySpan, CalendarView, Diary, Slot, free_slots, three_slots, told, told_day
from workflows.rules.text.calendar import local_time

_NONE = "No calendar is read, so no time is promised: [calendar] in docs/settings.md."


def show(output: Output, days: int) -> int:
    """Ask every calendar; 1 when one cannot be read, for then no time is promised."""
    settings = loading.load(output.home)
    owner, now = settings.owner_facts(), SystemClock().now()
    desk = calendars_of(settings, output.home, SystemClock())
    view = asyncio.run(desk.busy(now, now + timedelta(days=days), anew=True))
    diary = Diary(view=view, now=now, owner=owner, terms=offering_of(settings), held=_held(output))
    free = [slot for slot in free_slots(diary) if slot.start <= now + timedelta(days=days)] if view.may_promise else []
    offers = three_slots(diary)
    output.event(
        "calendar",
        configured=view.configured,
        faults=view.faults,
        left_out=view.asides,
        taken=_moments(view.spans),
        free=_moments(_joined(free)),
        offered=_moments(offers),
        held=_moments(diary.held),
    )
    output.text("\n".join(_lines(view, _joined(free), offers, diary)))
    return 1 if view.faults else 0


def _held(output: Output) -> tuple[Slot, ...]:
    """What drafts offer; nothing where no ledger is there yet."""
    from memory import views
    from memory.desk.slots import HeldSlots

    if not (output.home / "ledger.sqlite").exists():
        return ()
    return HeldSlots(views.open_ledger(output.home), SystemClock()).held_slots()


def _joined(slots: Sequence[Slot]) -> list[Slot]:
    """Slots that touch or overlap as one stretch."""
    stretches: list[Slot] = []
    for slot in slots:
        if stretches and slot.start <= stretches[-1].end:
            stretches[-1] = Slot(start=stretches[-1].start, end=slot.end)
        else:
            stretches.append(slot)
    return stretches


def _moments(spans: Iterable[Slot | BusySpan]) -> list[dict[str, Any]]:
    return [{"start": span.start.isoformat(), "end": span.end.isoformat()} for span in spans]


def _lines(view: CalendarView, free: Sequence[Slot], offers: Sequence[Slot], diary: Diary) -> list[str]:
    if not view.configured:
        return [_NONE]
    owner = diary.owner
    lines = [*view.faults, *view.asides]
    if view.faults:
        return [*lines, "No time is promised until it can be read."]
    lines += [
        _day(owner, list(slots)) for _, slots in groupby(free, key=lambda slot: local_time(slot.start, owner).date())
    ]
    lines += ["", f"Would be offered: {', '.join(_worded(slot, owner) for slot in offers) or 'nothing'}."]
    if diary.held:
        lines.append(f"Held by drafts: {', '.join(_worded(slot, owner) for slot in diary.held)}.")
    return lines


def _day(owner: Owner, slots: Sequence[Slot]) -> str:
    clocks = ", ".join(f"{local_time(slot.start, owner):%H:%M}-{local_time(slot.end, owner):%H:%M}" for slot in slots)
    return f"{told_day(slots[0].start, owner.language, owner.timezone):<12} free {clocks}"


def _worded(slot: Slot, owner: Owner) -> str:
    return told(slot, owner.language, owner.timezone)
