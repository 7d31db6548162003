"""ICS: calendars as files, folders of files, and addresses where a service publishes one."""

import asyncio
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path
from typing import Final

from tools.calendar.events import refuse_large
from tools.web.client import NotServed, Web
from workflows.errors import NeedsOwner, Permanent

_SUFFIXES: Final = (".ics", ".ical", ".ifb", ".icalendar")
_MOST_FILES: Final = 50_000


@dataclass(frozen=True, slots=True, kw_only=True)
class IcsFiles:
    """A file, or a folder with its sub-folders: one calendar a file, or one event a file as vdirsyncer keeps them."""

    path: Path

    async def read(self, _first: datetime, _last: datetime) -> tuple[bytes, ...]:
        """Everything that lies there.

        Raises:
            NeedsOwner: there is nothing, or it cannot be read.
            Permanent: it is larger than is read.
        """
        return await asyncio.to_thread(self._contents)

    def _contents(self) -> tuple[bytes, ...]:
        try:
            paths = self._paths()
            refuse_large(sum(path.stat().st_size for path in paths))
            return tuple(path.read_bytes() for path in paths)
        except OSError as error:
            raise NeedsOwner(
                f"{self.path} cannot be read: {error.strerror}.", "Mend its path in the settings, or its permissions."
            ) from error

    def _paths(self) -> list[Path]:
        if not self.path.is_dir():
            return [self.path]
        paths = sorted(path for path in self.path.rglob("*") if path.suffix.lower() in _SUFFIXES and path.is_file())
        if not paths:
            raise NeedsOwner(f"{self.path} holds no calendar.", "Put files that end in .ics into it.")
        if len(paths) > _MOST_FILES:
            raise Permanent(f"it has more than {_MOST_FILES:,} files")
        return paths


@dataclass(frozen=True, slots=True, kw_only=True)
class IcsAddress:
    """An address where Google, Outlook, iCloud, Nextcloud or a colleague's server publishes a calendar."""

    web: Web
    url: str

    async def read(self, _first: datetime, _last: datetime) -> tuple[bytes, ...]:
        """What lies there now.

        Raises:
            NeedsOwner: the address leads to nothing.
            Permanent: it, or where it redirects to, is refused, or is larger than is read.
            Retryable: no answer now.
        """
        try:
            answer = await self.web.get(https_of(self.url), headers={"Accept": "text/calendar, */*;q=0.5"})
        except NotServed as error:
            mend = "Copy the address from your calendar once more: it may have been renewed."
            raise NeedsOwner(str(error), mend) from error
        refuse_large(len(answer.content))
        return (answer.content,)


def https_of(url: str) -> str:
    """`webcal://` is how calendars are offered to a click; it is https underneath."""
    return f"https://{url[9:]}" if url[:9].lower() == "webcal://" else url
