"""The owner's word on a mail of which nobody knows whether it left: it arrived, or it shall go once more."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, replace
from typing import Any, Literal

from memory.ledger import Ledger
from memory.outbox.entries import Entry
from memory.outbox.outgoing import OutgoingLedger
from workflows.errors import NeedsOwner
from workflows.models.drafts import OutboxState
from workflows.ports import Desk

HandOver = Callable[[str, int, int], Awaitable[None]]
Word = Literal["arrived", "resend"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Settling:
    """Settles uncertain mails. What shall go once more is handed over until it left or was refused: `round`."""

    ledger: Ledger
    rows: OutgoingLedger
    desk: Desk
    hand_over: HandOver

    async def settle(self, case: int, version: int, word: str) -> dict[str, Any]:
        """Take the owner's word.

        Raises:
            NeedsOwner: the word is none, or that mail is not uncertain.
        """
        if word not in {"arrived", "resend"}:
            raise NeedsOwner(f'"{word}" settles nothing.', 'Say "arrived" or "resend".')
        entry = await self._uncertain(case, version)
        await asyncio.to_thread(self.rows.settle, entry.intent, arrived=word == "arrived")
        if word == "arrived":
            await asyncio.to_thread(self._ended, entry, "sent", "you said that it arrived")
            return {"ok": True, "says": f"{case}.{entry.version} counts as sent."}
        await self.round()
        return {
            "ok": True,
            "says": f"{case}.{entry.version} goes once more, the very same mail under the same Message-ID, after "
            f"the last look; './deskhand case {case}' shows how it goes.",
        }

    async def round(self) -> None:
        """See to every mail that shall go once more."""
        for entry in await asyncio.to_thread(self.rows.to_resend):
            if entry.state in {"approved", "claimed", "committing"}:
                await self.hand_over(entry.client, entry.case, entry.version)
                continue
            if entry.state != "sent":
                name = f"{entry.case}.{entry.version}"
                await self.desk.tell(
                    f"resend:{name}:{entry.attempts}", f"{name} is {entry.state}", entry.detail, entry.case
                )
            await asyncio.to_thread(self._ended, entry, entry.state, f"sent once more: {entry.state}")

    async def _uncertain(self, case: int, version: int) -> Entry:
        entry = await asyncio.to_thread(self.rows.of_case, case, version)
        if entry is None:
            raise NeedsOwner(f"Nothing of case {case} was handed to a mail server.", f"See './deskhand case {case}'.")
        if entry.state != "uncertain":
            name = f"{case}.{entry.version}"
            raise NeedsOwner(
                f"{name} is {entry.state}, so there is nothing to settle.", f"See './deskhand case {case}'."
            )
        return entry

    def _ended(self, entry: Entry, outcome: OutboxState, reason: str) -> None:
        self.rows.resent(entry.intent)
        state = self.ledger.case(entry.case)
        if outcome == "sent":
            self.ledger.record_sent(entry.case, entry.version)
        if state.stage == "closed" and state.outcome == "uncertain":
            self.ledger.close_case(replace(state, outcome=outcome, reason=reason))
