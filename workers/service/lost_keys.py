"""What is done when the keys of a home are lost: its cases are begun anew from the ledger, and the owner is told."""

import asyncio
from dataclasses import dataclass
from typing import Final

from memory.desk.lost_keys import LostKeys
from workflows.ports import Desk

SAYS: Final = (
    "The keys of this home (the folder keys/) are not those it had: every open case is begun anew from the ledger and "
    "its question is shown once more."
)
_SUBJECT: Final = "My keys were lost"
_TEXT: Final = (
    "The folder keys/ of my home is gone or is another one: this happens when a home is put back from a backup without "
    "it. I have made new keys and go on from the ledger. Nothing that was approved is sent twice; nothing is lost.\n"
    "\nWhat changes: every question that waited for you is shown once more, in a new mail. Please answer the new one; "
    "an answer to an older mail is refused, and you are told so. The steps of closed cases in Temporal cannot be read "
    "any more.\n\nIf you have the old folder, stop me, put keys/ back and start me again; else nothing is to be done. "
    'Keep keys/ in your backups: docs/operations.md ("Backups") says how.\n'
)


@dataclass(frozen=True, slots=True)
class KeyNotice:
    """Tells the owner once of each loss."""

    lost: LostKeys
    desk: Desk

    async def round(self) -> None:
        mark = await asyncio.to_thread(self.lost.untold)
        if mark:
            await self.desk.tell(f"keys:{mark}", _SUBJECT, _TEXT)
            await asyncio.to_thread(self.lost.mark_told)
