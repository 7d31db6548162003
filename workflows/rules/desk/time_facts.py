"""Time facts: what a draft may say of the times that a mail names or asks for, and what it holds while it waits.

The brief takes these as sources, the template as values, the last look asks `lost_slots` once more.
"""

from collections.abc import Sequence
from dataclasses import dataclass

from workflows.models.drafts import Source
from workflows.rules.desk.asked_times import AskedTime, AskedTimes
from workflows.rules.desk.slots import (
    Availability,
    CalendarView,
    Diary,
    Slot,
    availability_of,
    free_slots,
    is_free,
    three_slots,
    told_to_both,
)

_SAYS = {
    Availability.FREE: "is free",
    Availability.TAKEN: "is taken",
    Availability.OUTSIDE: "is outside working hours",
    Availability.PAST: "is past",
    Availability.UNKNOWN: "cannot be promised: the calendar is not known",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedSlot:
    """A time that the mail names, and what can be said of it. `exact`: it has a clock; else it is a stretch."""

    slot: Slot
    availability: Availability
    exact: bool = True
    sure_of_zone: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class TimeFacts:
    """What a draft may say of time.

    Attributes:
        named: the times that the mail names.
        offers: slots to propose; none where a named time is free and nothing else was asked.
        faults: why nothing may be promised, a sentence for the approval mail each.
    """

    named: tuple[NamedSlot, ...] = ()
    offers: tuple[Slot, ...] = ()
    faults: tuple[str, ...] = ()

    @property
    def to_hold(self) -> tuple[Slot, ...]:
        """What the draft holds while it waits: the free times it agrees to, and those that it offers."""
        agreed = (one.slot for one in self.named if one.exact and one.availability is Availability.FREE)
        return tuple(dict.fromkeys((*agreed, *self.offers)))

    def sources(self, owner_zone: str, zone: str = "") -> tuple[Source, ...]:
        """One source a fact, ids "calendar:1" ..., times on the owner's clock with the client's behind it."""
        quotes = [f"{told_to_both(one.slot, 'en', owner_zone, zone)} {_says(one)}." for one in self.named]
        quotes += [f"{told_to_both(slot, 'en', owner_zone, zone)} can be offered." for slot in self.offers]
        return tuple(Source(id=f"calendar:{at}", kind="calendar", quote=quote) for at, quote in enumerate(quotes, 1))


def time_facts(asked: AskedTimes, diary: Diary, zone: str = "") -> TimeFacts:
    """Free or taken for each time that a mail names, and slots where it needs some.

    Args:
        asked: what the mail asks.
        diary: what the calendars say, and all else that decides.
        zone: the client's, "" where it is not known.
    """
    if not asked.times and not asked.wants:
        return TimeFacts()
    named = tuple(_named(one, diary) for one in asked.times)
    settled = any(one.exact and one.availability is Availability.FREE for one in named)
    offers = () if settled and not asked.wants else three_slots(diary, zone, asked.within)
    return TimeFacts(named=named, offers=offers, faults=diary.view.faults)


def lost_slots(slots: Sequence[Slot], view: CalendarView, held: Sequence[Slot] = ()) -> tuple[Slot, ...]:
    """Those of a draft's slots that are taken by now; all of them where the calendar cannot be read: it is held."""
    if view.configured and not view.may_promise:
        return tuple(slots)
    return tuple(slot for slot in slots if not is_free(slot.start, slot.end, view.spans, held))


def _named(asked: AskedTime, diary: Diary) -> NamedSlot:
    slot = asked.slot(diary.terms.slot)
    if not asked.zone:
        return NamedSlot(slot=slot, availability=Availability.UNKNOWN, exact=asked.exact, sure_of_zone=False)
    if asked.exact:
        return NamedSlot(slot=slot, availability=availability_of(slot, diary))
    if not diary.view.may_promise:
        return NamedSlot(slot=slot, availability=Availability.UNKNOWN, exact=False)
    inside = any(slot.start <= free.start and free.end <= slot.end for free in free_slots(diary))
    return NamedSlot(slot=slot, availability=Availability.FREE if inside else Availability.TAKEN, exact=False)


def _says(named: NamedSlot) -> str:
    if not named.sure_of_zone:
        return "cannot be promised: its time zone can mean several"
    if not named.exact and named.availability is Availability.FREE:
        return "has free time"
    return _SAYS[named.availability]
