"""Mails that the server lists and does not give, recorded in the ledger, so that their folder can be read on."""

import asyncio
from dataclasses import dataclass

import structlog

from memory.ledger import Ledger
from tools.mail.reading.missed import Missing

log = structlog.get_logger()


@dataclass(frozen=True, slots=True)
class LedgerShelf:
    """`tools.mail.reading.missed.Shelf` over the ledger; `upkeep_due` has the owner told."""

    ledger: Ledger
    upkeep_due: asyncio.Event

    async def put(self, mail: Missing) -> None:
        place = (mail.folder, mail.kind, mail.uidvalidity, mail.uid)
        await asyncio.to_thread(self.ledger.put_aside, *place, mail.reason)
        log.warning("not given", folder=mail.folder, uid=mail.uid, reason=mail.reason)
        self.upkeep_due.set()

    async def take(self, mail: Missing) -> None:
        await asyncio.to_thread(self.ledger.take_back, mail.folder, mail.uidvalidity, mail.uid)

    async def uids(self, folder: str, uidvalidity: int) -> tuple[int, ...]:
        return await asyncio.to_thread(self.ledger.not_given, folder, uidvalidity)
