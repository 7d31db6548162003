"""Where invoices come from, asked from time to time: the folder of CSV files, and Invoice Ninja."""

import asyncio
import hashlib
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from pathlib import Path

from memory.ledger import Ledger
from memory.money.invoicing import Changes
from memory.record.schema import to_json
from tools.money.invoiceninja import SOURCE, InvoiceNinja, permitted
from tools.money.invoices import InvoiceFile, faults_of, read_folder
from tools.web.client import FetchLimits, Web
from workers.rounds.polling import Watch
from workers.settings.schema import Settings
from workflows.errors import NeedsOwner
from workflows.ports import Clock, Desk

FOLDER, NINJA = "invoices", "invoice ninja"
FOLDER_EVERY, NINJA_EVERY = timedelta(minutes=10), timedelta(minutes=30)
LIMITS = FetchLimits(size=8_000_000, time=timedelta(seconds=20))
"""What one page of Invoice Ninja may cost."""
_SHOWN = 10
_MOST_TOLD = 30


def ninja_of(settings: Settings, home: Path) -> InvoiceNinja | None:
    """The owner's Invoice Ninja, None where it is not configured.

    Raises:
        NeedsOwner: its address or token must be mended first.
    """
    url, token = settings.invoiceninja.url, settings.invoiceninja_token(home)
    if not url:
        return None
    # A server of the owner's own may stand on a private address: exactly this one may be reached.
    return InvoiceNinja(web=Web(permit=permitted(url), limits=LIMITS), url=url, token=token)


async def probe(settings: Settings, home: Path) -> tuple[str, tuple[str, ...]]:
    """What the sources list now, nothing kept, and what is wrong in them; "" where there is none.

    Raises:
        NeedsOwner, Retryable: a source cannot be read.
    """
    folder, ninja = home / settings.money.invoices, ninja_of(settings, home)
    files = await asyncio.to_thread(read_folder, folder) if folder.is_dir() else ()
    sentences, faults = [], [fault.says for fault in faults_of(files)]
    if any(file.invoices for file in files):
        sentences.append(f"{sum(len(file.invoices) for file in files)} invoices in {len(files)} files.")
    if ninja:
        listing = await ninja.read()
        faults += listing.faults
        sentences.append(
            f"{len(listing.invoices)} invoices in Invoice Ninja. Its own reminders must be off, or clients are "
            "reminded twice."
        )
    unread = [fault.says for fault in faults_of([file for file in files if file.unread])]
    if unread:
        remainder = f" And {len(unread) - 1} more." if len(unread) > 1 else ""
        raise NeedsOwner(
            f"Nothing could be read of a file of invoices. {unread[0]}{remainder}", "Mend it or take it out."
        )
    return " ".join(sentences), tuple(faults)


@dataclass(frozen=True, slots=True, kw_only=True)
class Importing:
    """The watches over where invoices come from. `ninja`: None where it is not configured."""

    folder: Path
    ninja: InvoiceNinja | None
    ledger: Ledger
    desk: Desk
    clock: Clock
    then: Callable[[], Awaitable[object]]  # looks at what is due, once an import brought something
    _seals: dict[str, str] = field(default_factory=dict)  # of the files as they were taken in by this process

    def watches(self) -> tuple[Watch, ...]:
        """The folder always, for it may be filled any day."""
        folder = Watch(name=FOLDER, every=FOLDER_EVERY, run=self.read_folder, own=True)
        return (folder, Watch(name=NINJA, every=NINJA_EVERY, run=self.read_ninja)) if self.ninja else (folder,)

    async def read_folder(self) -> str:
        """Take in what the files list.

        Raises:
            NeedsOwner: what is wrong in them; everything else was taken in.
        """
        await self.tell_news()
        if not self.folder.is_dir():
            return f"there is no folder {self.folder.name}"
        files = await asyncio.to_thread(read_folder, self.folder)
        lines, clashes = [], []
        for file in files:
            changes = await self._take_in(file)
            if changes is not None:
                lines.append(f"{file.name}: {changes[0]}")
                clashes += [f"{number} in {file.name}" for number in changes[1]]
        lines += await self._forget_files(files)
        await self._settle(brought=bool(lines))
        _raise_faults([fault.says for fault in faults_of(files)], clashes)
        return "; ".join(lines) or f"{len(files)} files, nothing new"

    async def read_ninja(self) -> str:
        """Take in what Invoice Ninja lists.

        Raises:
            NeedsOwner: it cannot be read, or what is wrong in it.
            Retryable: it does not answer now.
        """
        if self.ninja is None:
            return "not configured"
        read_at = self.clock.now()
        listing = await self.ninja.read()
        changes = await asyncio.to_thread(
            self.ledger.import_invoices, SOURCE, listing.invoices, complete=listing.complete, read_at=read_at,
            aside=listing.aside,
        )  # fmt: skip
        await self._settle(brought=changes != Changes())
        _raise_faults(list(listing.faults), [f"{number} of Invoice Ninja" for number in changes.clashes])
        return f"{len(listing.invoices)} invoices: {changes.says}"

    async def _settle(self, *, brought: bool) -> None:
        await self.tell_news()
        if brought:
            await self.then()

    async def tell_news(self) -> None:
        """Tell the owner what changed by itself, once."""
        number, news = await asyncio.to_thread(self.ledger.untold_invoice_news)
        if not news:
            return
        remainder = [f"and {len(news) - _MOST_TOLD} more"] if len(news) > _MOST_TOLD else []
        lines = "\n".join(f"- {line}" for line in (*(item.says for item in news[:_MOST_TOLD]), *remainder))
        subject = news[0].subject if len(news) == 1 else f"{len(news)} news of your invoices"
        text = f"{lines}\n\nDrafts that wait and are about it are written anew; nothing was sent."
        await self.desk.tell(f"invoices:{number}.{len(news)}", subject, text)
        await asyncio.to_thread(self.ledger.mark_invoice_news_told, len(news))

    async def _take_in(self, file: InvoiceFile) -> tuple[str, tuple[str, ...]] | None:
        """What a file brought and which numbers clash; None when it is as it was."""
        seal = hashlib.sha256(f"{file.read_at}{to_json(file.invoices)}{file.complete}".encode()).hexdigest()
        if self._seals.get(file.source) == seal:
            return None
        changes = await asyncio.to_thread(
            self.ledger.import_invoices, file.source, file.invoices, complete=file.complete, read_at=file.read_at
        )
        if not changes.clashes:  # which are said as long as they are there
            self._seals[file.source] = seal
        return changes.says, changes.clashes

    async def _forget_files(self, files: Sequence[InvoiceFile]) -> list[str]:
        """A file that was taken away lists nothing any more."""
        sources = {file.source for file in files}
        lines = []
        for source in await asyncio.to_thread(self.ledger.invoice_sources):
            if source.startswith("csv:") and source not in sources and self._seals.get(source) != "gone":
                changes = await asyncio.to_thread(
                    self.ledger.import_invoices, source, (), complete=True, read_at=self.clock.now()
                )
                self._seals[source] = "gone"
                lines += [f"{source}: {changes.says}"] if changes.vanished else []
        return lines


def _raise_faults(faults: Sequence[str], clashes: Sequence[str]) -> None:
    if clashes:
        listing = ", ".join(clashes[:_SHOWN])
        faults = [*faults, f"Listed by two sources differently, the first is believed: {listing}. List each once."]
    if not faults:
        return
    remainder = f" And {len(faults) - _SHOWN} more." if len(faults) > _SHOWN else ""
    count = "One line of your invoices was" if len(faults) == 1 else f"{len(faults)} lines of your invoices were"
    raise NeedsOwner(f"{count} left out. {' '.join(faults[:_SHOWN])}{remainder}", "All others were taken in.")
