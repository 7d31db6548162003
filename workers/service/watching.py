"""Watches of the mailbox: every folder of the settings and of what the owner sent, each followed from now on."""

import asyncio
import json
from collections.abc import Callable
from dataclasses import dataclass
from datetime import datetime

import structlog

from tools.mail.inbox import watch
from workers.desk.hints import NO_PROOF, SENT_FOLDERS
from workers.service.keeping import Keeper
from workers.service.reception import Reception
from workers.service.shelf import LedgerShelf
from workers.service.wiring import Parts
from workers.settings.servers import ImapSection
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.mail import Cursor, FolderKind

log = structlog.get_logger()
OPEN_WITHIN = 60.0
"""Seconds for the folders to open at a first start."""
_NO_SENT = "The mailbox has no Sent folder, and the owner's answers are read from it."


@dataclass(frozen=True, slots=True, kw_only=True)
class FolderWatches:
    """The folders of one mailbox; `since` is when the service began: on a first run, older mail is memory alone."""

    parts: Parts
    imap: ImapSection
    keeper: Keeper
    reception: Reception
    since: datetime
    say: Callable[[str], None]

    async def begin(self) -> None:
        """Watch every folder of the settings; on a home that never ran, a fault here is the owner's to mend first."""
        sent = await self._sent_folders()
        folders: list[tuple[str, FolderKind]] = [(name, "inbox") for name in self.imap.folders]
        folders += [(name, "sent") for name in sent]
        started = [self._watch(folder, kind) for folder, kind in folders]
        if not await self._has_run(folders):
            await self._probe_sending()
            async with asyncio.timeout(OPEN_WITHIN):
                await asyncio.gather(*started)

    async def _probe_sending(self) -> None:
        account = self.parts.transport.account
        try:
            await self.parts.transport.probe()
        except Retryable as error:
            raise NeedsOwner(
                f"The SMTP server {account.host}:{account.port} does not answer as it should "
                f"({error.__cause__ or error}).",
                "Check smtp.host, smtp.port and smtp.tls; the first start needs it, later ones wait for it.",
            ) from error

    async def _has_run(self, folders: list[tuple[str, FolderKind]]) -> bool:
        cursors = [await asyncio.to_thread(self.parts.ledger.cursor, folder) for folder, _ in folders]
        return all(cursors)

    async def _sent_folders(self) -> tuple[str, ...]:
        """Where the owner's own mail lies: asked each time, and remembered for a start without the mail server."""
        ledger = self.parts.ledger
        try:
            folders = await self.parts.mailbox.sent_folders(self.imap.sent)
        except DeskhandError as error:
            record = await asyncio.to_thread(ledger.get_meta, SENT_FOLDERS)
            if record is None:
                raise
            self.keeper.unwell("imap", str(error))
            return tuple(json.loads(record))
        record = await asyncio.to_thread(ledger.get_meta, SENT_FOLDERS)
        if not folders and record is None:
            raise NeedsOwner(_NO_SENT, "Make one in your mail program, or name it at imap.sent.")
        reason = "" if folders else f"{_NO_SENT} Make one in your mail program and start Deskhand again."
        await asyncio.to_thread(ledger.set_meta, NO_PROOF, reason)
        if reason:
            self.parts.health["proof"] = f"{reason} Until then answers by mail are refused; approve at the machine."
            self.say(self.parts.health["proof"])
        names = tuple(folder.name for folder in folders)
        await asyncio.to_thread(ledger.set_meta, SENT_FOLDERS, json.dumps(names))
        return names

    def _watch(self, folder: str, kind: FolderKind) -> asyncio.Future[None]:
        """Watch one folder from now on; the future is done once it is open, or says what must be mended first."""
        ledger = self.parts.ledger
        opened: asyncio.Future[None] = asyncio.get_running_loop().create_future()

        async def moved(cursor: Cursor) -> None:
            await asyncio.to_thread(ledger.move_cursor, cursor)

        def on_state(name: str, state: str) -> None:
            log.info("folder", folder=name, state=state)
            self.parts.health[f"imap {name}"] = state
            if state == "idle" and not opened.done():
                opened.set_result(None)

        async def follow() -> None:
            try:
                await watch(
                    self.parts.imap_account,
                    folder,
                    kind,
                    cursor=lambda: ledger.cursor(folder),
                    handle=self.reception.take,
                    moved=moved,
                    on_state=on_state,
                    clock=self.parts.clock,
                    since=self.since,
                    shelf=LedgerShelf(ledger, self.reception.upkeep_due),
                )
            except NeedsOwner as error:
                if not opened.done():
                    opened.set_exception(error)
                raise

        self.keeper.keep(f"watch {folder}", follow)
        return opened
