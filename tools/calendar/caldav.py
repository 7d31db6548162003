"""CalDAV: the events of the owner's own server, asked for in the days that matter; written is what he approved.

Not by the library of that name: it follows redirects with the password in hand, asks the DNS by itself, and reads what
strangers wrote in the service's own process (docs/libraries.md). Here every address is judged by the guarded client,
and every answer is read in the limited child.
"""

import asyncio
import base64
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import urljoin

from tools.calendar.events import reader, refuse_large
from tools.web.addresses import permit_of, target
from tools.web.client import NotServed, Reading, Web, named
from workflows.errors import DeskhandError, NeedsOwner, Permanent

MOST_CALENDARS: Final = 50
_NO_LOGIN, _NOT_ALLOWED, _LIES_THERE = 401, 403, 412
_WELL_KNOWN = "/.well-known/caldav"
_FIND = (
    '<?xml version="1.0" encoding="utf-8"?><d:propfind xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav"><d:prop>'
    "<d:resourcetype/><d:current-user-principal/><c:calendar-home-set/><c:supported-calendar-component-set/>"
    "</d:prop></d:propfind>"
)
_EVENTS = (
    '<?xml version="1.0" encoding="utf-8"?><c:calendar-query xmlns:d="DAV:" xmlns:c="urn:ietf:params:xml:ns:caldav">'
    '<d:prop><c:calendar-data/></d:prop><c:filter><c:comp-filter name="VCALENDAR"><c:comp-filter name="VEVENT">'
    '<c:time-range start="{first:%Y%m%dT%H%M%SZ}" end="{last:%Y%m%dT%H%M%SZ}"/>'
    "</c:comp-filter></c:comp-filter></c:filter></c:calendar-query>"
)


def permitted(url: str) -> frozenset[str]:
    """What reaches the owner's own server alone (`permit_of`).

    Raises:
        NeedsOwner: the setting is no web address.
    """
    return permit_of(url, "Correct caldav, such as https://cloud.winter.example/dav")


@dataclass(frozen=True, slots=True, kw_only=True)
class CalDav:
    """One account. `url`: a calendar, the account's home, or the server's start; all of its calendars are read."""

    web: Web
    url: str
    user: str
    password: str

    async def read(self, first: datetime, last: datetime) -> tuple[bytes, ...]:
        """The text of every event that touches these days.

        Raises:
            NeedsOwner: the address or the password is wrong, or no calendar is there.
            Permanent: an address is refused, or the answer is larger than is read.
            Retryable: no answer now.
        """
        days = {"first": first.astimezone(UTC), "last": last.astimezone(UTC)}
        texts: list[bytes] = []
        for calendar in await self._calendars():
            rows = await self._ask("REPORT", calendar, _EVENTS.format(**days), depth="1")
            texts += [row["text"].encode() for row in rows]
            refuse_large(sum(map(len, texts)))
        return tuple(text for text in texts if text)

    async def enter(self, name: str, entry: bytes) -> None:
        """Put a new entry into the first calendar; one that lies under this name already is left as it is.

        Raises:
            NeedsOwner: as `read`, or nothing may be written there. Permanent: it is refused.
            Retryable: no answer; it may lie there or not.
        """
        first = (await self._calendars())[0]
        url = urljoin(f"{first.rstrip('/')}/", f"{name}.ics")
        headers = {**self._login, "If-None-Match": "*", "Content-Type": "text/calendar; charset=utf-8"}
        try:
            await self.web.put(url, content=entry, headers=headers)
        except NotServed as error:
            if error.status == _LIES_THERE:
                return
            if error.status == _NOT_ALLOWED:
                mend = "Name a calendar of your own as caldav, or allow writing there."
                raise NeedsOwner(f"{self._host} does not let {self.user} write into {named(first)}.", mend) from error
            raise self._refused(error) from error

    @property
    def _login(self) -> dict[str, str]:
        login = base64.b64encode(f"{self.user}:{self.password}".encode()).decode()
        return {"Authorization": f"Basic {login}"}

    async def _calendars(self) -> tuple[str, ...]:
        """Where the calendars are: the address itself is one, or leads to the account's home that lists them."""
        at, rows = await self._start()
        if any(row["is_calendar"] for row in rows):
            return (at,)
        home = _first(rows, "home")
        if not home and (principal := _first(rows, "principal")):
            at = self._joined(at, principal)
            home = _first(await self._ask("PROPFIND", at, _FIND, depth="0"), "home")
        listed = self._joined(at, home) if home else at
        rows = await self._ask("PROPFIND", listed, _FIND, depth="1")
        calendars = [self._joined(listed, row["href"]) for row in rows if row["is_calendar"] and row["has_events"]]
        if not calendars:
            raise NeedsOwner(f"{self._host} lists no calendar for {self.user}.", "Name the address of one as caldav.")
        return tuple(dict.fromkeys(calendars))[:MOST_CALENDARS]

    async def _start(self) -> tuple[str, Sequence[dict[str, Any]]]:
        """The address that was named; a bare server says by custom where its calendars are."""
        mend = "Correct caldav: name the address of your calendar or account."
        try:
            rows = await self._ask("PROPFIND", self.url, _FIND, depth="0")
            if any(row["is_calendar"] or row["principal"] or row["home"] for row in rows):
                return self.url, rows
        except _NothingHere as error:
            if target(self.url).path != "/":
                raise NeedsOwner(str(error), mend) from error
        known = urljoin(self.url, _WELL_KNOWN)
        try:
            return known, await self._ask("PROPFIND", known, _FIND, depth="0")
        except _NothingHere as error:
            raise NeedsOwner(str(error), mend) from error

    async def _ask(self, method: Reading, url: str, content: str, *, depth: str) -> list[dict[str, Any]]:
        headers = {**self._login, "Depth": depth, "Content-Type": "application/xml; charset=utf-8"}
        try:
            answer = await self.web.ask(method, url, content=content.encode(), headers=headers)
        except NotServed as error:
            raise self._refused(error) from error
        rows: list[dict[str, Any]] = await asyncio.to_thread(reader().ask, "resources", {}, answer.content)
        return rows

    def _refused(self, error: NotServed) -> DeskhandError:
        if error.status == _NO_LOGIN:
            mend = "Correct user and password_file; many servers want a password for apps here."
            return NeedsOwner(f"{self._host} refuses the login of {self.user}.", mend)
        if error.status == _NOT_ALLOWED:
            mend = "Correct caldav: name the address of your own calendar or account."
            return NeedsOwner(f"{self._host} does not let {self.user} read what is named as caldav.", mend)
        return _NothingHere(str(error))

    def _joined(self, base: str, href: str) -> str:
        """Where the server sends us; the password goes over https alone, or to the very server that was named."""
        url = urljoin(base, href)
        if not url.startswith("https://") and target(url).origin != target(self.url).origin:
            raise Permanent(f"it leads to {named(url)}, where your password would travel in the clear")
        return url

    @property
    def _host(self) -> str:
        return target(self.url).host


class _NothingHere(Permanent):
    """The server serves nothing of the kind there."""


def _first(rows: Sequence[dict[str, Any]], key: str) -> str:
    return next((str(row[key]) for row in rows if row[key]), "")
