"""The owner's calendars as the settings name them, ready to be asked; and how each of them is now."""

import asyncio
import threading
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from pathlib import Path
from typing import Final

from tools.calendar.booking import CalendarBooking
from tools.calendar.caldav import CalDav, permitted
from tools.calendar.desk import Calendars, CalendarSource, NamedCalendar
from tools.calendar.events import LARGEST
from tools.calendar.ics import IcsAddress, IcsFiles, https_of
from tools.web.addresses import PORTS, reach_of
from tools.web.client import FetchLimits, Web
from workers.settings.schema import CalendarItem, Settings
from workers.settings.secrets import secret_of
from workflows.errors import DeskhandError, NeedsOwner
from workflows.ports import Clock
from workflows.rules.desk.slots import CalendarView, Offering
from workflows.rules.text.words import counted

LIMITS: Final = FetchLimits(size=LARGEST, time=timedelta(seconds=20))
"""What one answer of a calendar's server may cost."""


def calendars_of(settings: Settings, home: Path, clock: Clock) -> Calendars:
    """Every calendar of the settings (implements `workflows.ports.Calendar`).

    Raises:
        NeedsOwner: an address or a password must be mended first.
    """
    owner = settings.owner_facts()
    named = tuple(NamedCalendar(name=item.name, source=_source(item, home)) for item in settings.calendar.sources)
    return Calendars(calendars=named, zone=owner.timezone, owners=owner.addresses, clock=clock)


@dataclass(slots=True, kw_only=True)
class CalendarLook:
    """The calendars as a brief asks them: from a thread of the ledger's, one at a time, and not for long."""

    calendars: Calendars
    seconds: float = 10.0  # of the 20 that a step of the memory queue has
    _lock: threading.Lock = field(default_factory=threading.Lock)

    def busy(self, first: datetime, last: datetime) -> CalendarView:
        """What is taken between two moments. Never raises: what could not be asked in time is a fault of the view."""
        if not self.calendars.calendars:
            return CalendarView(configured=False)
        if not self._lock.acquire(timeout=self.seconds):
            return CalendarView(faults=(_TOO_SLOW,))
        try:
            return asyncio.run(self._asked(first, last))
        finally:
            self._lock.release()

    async def _asked(self, first: datetime, last: datetime) -> CalendarView:
        try:
            async with asyncio.timeout(self.seconds):
                return await self.calendars.busy(first, last)
        except TimeoutError:
            return CalendarView(faults=(_TOO_SLOW,))


_TOO_SLOW: Final = "The calendar did not answer in time, so no time is promised; look into it yourself."


def booking_of(settings: Settings, home: Path, clock: Clock) -> CalendarBooking | None:
    """Where times are entered: the first calendar of the settings that can be written to; None where none can.

    Raises:
        NeedsOwner: as `calendars_of`.
    """
    sources = (_source(item, home) for item in settings.calendar.sources if item.caldav)
    return next((CalendarBooking(source, clock) for source in sources if isinstance(source, CalDav)), None)


def offering_of(settings: Settings) -> Offering:
    """How times are offered."""
    section = settings.calendar
    return Offering(slot=section.slot, buffer=section.buffer, days=section.days, notice=section.notice)


def _source(item: CalendarItem, home: Path) -> CalendarSource:
    if item.path:
        return IcsFiles(path=home / Path(item.path).expanduser())
    if item.url:
        permit, ports = reach_of(https_of(item.url))
        return IcsAddress(web=Web(permit=permit, ports=PORTS | ports, limits=LIMITS), url=item.url)
    password = secret_of(home, "calendar.sources", "password", item)
    if not item.user or not password:
        raise NeedsOwner(
            f"The calendar {item.name} at {item.caldav} has no user or no password.",
            "Write the password into a file, and name user and password_file in its [[calendar.sources]].",
        )
    # A server of the owner's own may stand on a private address: exactly this one may be reached.
    web = Web(permit=permitted(item.caldav), ports=PORTS | reach_of(item.caldav)[1], limits=LIMITS)
    return CalDav(web=web, url=item.caldav, user=item.user, password=password)


async def probe(settings: Settings, home: Path, clock: Clock) -> tuple[str, tuple[DeskhandError | str, ...]]:
    """What each calendar says of the days ahead, and what is wrong with them, a sentence each."""
    desk = calendars_of(settings, home, clock)
    first = clock.now()
    last = first + timedelta(days=settings.calendar.days)
    told, faults = [], list[DeskhandError | str]()
    for calendar in desk.calendars:
        try:
            look = await desk.look(calendar, first, last)
        except DeskhandError as error:
            faults.append(error)
            continue
        told.append(f"{calendar.name}: {counted(len(look.spans), 'busy time')} in {settings.calendar.days} days.")
        faults += [f"The calendar {calendar.name} is not known whole: {fault}." for fault in look.faults]
        faults += [f"Calendar {calendar.name}: {aside}" for aside in look.asides]
    return " ".join(told), tuple(faults)
