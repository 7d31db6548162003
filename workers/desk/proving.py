"""Which proof of the owner's answers this mailbox can give, and what its server adds to really sent mail."""

import asyncio
import json
from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING

from workers.settings.schema import Settings
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.rules.answers.sent_headers import LEAST, Learnt, learn

if TYPE_CHECKING:
    from tools.mail.inbox import Mailbox
    from tools.mail.parser import Parser

SENT_HEADERS = "sent_headers"
"""The ledger's key for what is learnt: what `rules/answers/proof.py` forgives on a Sent copy."""
_BY_CHECK, _BY_REHEARSAL = "sent_headers_check", "sent_headers_rehearsal"
_LOOKED_AT = 30
"""The newest mails of each Sent folder that are read."""


class ProofNotes:
    """What `check` learnt, kept in the ledger of this home; it may be open in the service at the same time."""

    def __init__(self, home: Path, owner: Owner) -> None:
        from memory.ledger import Ledger
        from memory.outbox.outgoing import OutgoingLedger
        from memory.record.blobs import Blobs
        from memory.record.schema import open_engine
        from workers.clock import SystemClock

        clock, blobs = SystemClock(), Blobs(home / "blobs")
        self._engine = open_engine(home / "ledger.sqlite")
        self._ledger = Ledger(self._engine, owner, clock, blobs)
        self._rows = OutgoingLedger(self._engine, clock, blobs)

    def close(self) -> None:
        self._engine.dispose()

    def headers(self) -> tuple[str, ...]:
        """Everything learnt so far."""
        return self._read(SENT_HEADERS)

    def keep_looked_up(self, headers: Iterable[str]) -> tuple[str, ...]:
        """Replace what the mails in Sent taught; everything learnt."""
        self._ledger.set_meta(_BY_CHECK, json.dumps(sorted(headers)))
        return self._join()

    def keep_rehearsed(self, headers: Iterable[str]) -> tuple[str, ...]:
        """Add what a rehearsal taught; everything learnt."""
        self._ledger.set_meta(_BY_REHEARSAL, json.dumps(sorted({*self._read(_BY_REHEARSAL), *headers})))
        return self._join()

    def is_ours(self, email: Email) -> bool:
        """Whether Deskhand made this mail."""
        return bool(email.message_id) and self._rows.is_ours(email.message_id, "")

    def _join(self) -> tuple[str, ...]:
        headers = tuple(sorted({*self._read(_BY_CHECK), *self._read(_BY_REHEARSAL)}))
        self._ledger.set_meta(SENT_HEADERS, json.dumps(headers))
        return headers

    def _read(self, key: str) -> tuple[str, ...]:
        return tuple(json.loads(self._ledger.get_meta(key) or "[]"))


async def look_into_sent(home: Path, loaded: Settings, mailbox: "Mailbox") -> tuple[tuple[str, ...], Learnt]:
    """Learn from the newest mails in the Sent folders and keep it: (the folders, what was learnt).

    Raises:
        Retryable, NeedsOwner: the mailbox or the ledger cannot be read.
    """
    from tools.mail.parser import Parser

    owner = loaded.owner_facts()
    folders = [folder.name for folder in await mailbox.sent_folders(loaded.imap.sent)]
    parser, notes = Parser(), ProofNotes(home, owner)
    try:
        emails = [email for name in folders for email in await _newest(mailbox, name, parser)]
        by_hand = [email for email in emails if not notes.is_ours(email)]
        learnt = learn(by_hand, owner)
        if learnt.samples >= LEAST:
            await asyncio.to_thread(notes.keep_looked_up, learnt.headers)
    finally:
        parser.close()
        notes.close()
    return tuple(folders), learnt


async def _newest(mailbox: "Mailbox", folder: str, parser: "Parser") -> list[Email]:
    from tools.limited import Quarantined

    emails = []
    for raw in await mailbox.find(folder, part="header", newest=_LOOKED_AT):
        try:
            emails.append(await asyncio.to_thread(parser.parse, raw.content))
        except Quarantined:
            continue  # what cannot be read teaches nothing
    return emails
