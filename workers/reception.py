"""How a mail comes in: kept as bytes, parsed in the limited child, recorded with its case number, delivered.

Mail's own intake: an IDLE connection cannot live in an activity, so this process watches, and the ledger's `recorded`
state does what a durable workflow would: whatever is recorded is delivered until it was delivered.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from memory.blobs import Blobs
from memory.ledger import Ledger
from memory.mails import SeenKind
from tools.mail.parser import Parser, Quarantined
from workers.answering import Answering
from workflows.errors import DeskhandError
from workflows.models import Email, Event, Ignore, Lead, Owner, Posted, RawMail, Route, Start, Surroundings
from workflows.ports import Clock
from workflows.rules.canonical import one_line
from workflows.rules.leads import unjudged
from workflows.rules.machines import bounce
from workflows.rules.payments import is_payment_sender, lure
from workflows.rules.routing import route

log = structlog.get_logger()
Taker = Callable[[Event], Awaitable[object]]
AT_ONCE = 8
"""How many cases are told at the same time; within a case, in the order things happened."""
_SHOWN = 200
"""Characters of what an unreadable mail says of itself that are kept."""
SWEEP = 60.0
"""Seconds after which what could not be delivered is tried again."""


@dataclass(slots=True)
class Reception:
    """Takes raw mail in; `run` delivers what is recorded, in order, for as long as the service runs."""

    ledger: Ledger
    blobs: Blobs
    parser: Parser
    takers: Mapping[str, Taker]  # event kind -> who takes it
    answering: Answering
    owner: Owner
    clock: Clock
    upkeep_due: asyncio.Event
    news: asyncio.Event = field(default_factory=asyncio.Event)
    aftercare_due: asyncio.Event = field(default_factory=asyncio.Event)
    judge: Callable[[Lead], Start | Ignore] = unjudged  # of the jobs in alert mails

    async def take(self, raw: RawMail) -> None:
        """Record one mail. When this returns the mail cannot be lost any more.

        Raises:
            Retryable, NeedsOwner: it could not be recorded now; the folder's cursor must not move past it.
        """
        blob = await asyncio.to_thread(self.blobs.put, raw.content)
        try:
            email = await asyncio.to_thread(self.parser.parse, raw.content)
        except Quarantined as error:
            await self._set_aside(raw, blob, str(error))
            return
        routes: list[Route] = []

        def decide(email: Email, around: Surroundings) -> Route:
            routes.append(self._route(email, around))
            return routes[-1]

        event = await asyncio.to_thread(self.ledger.record_mail, email, raw.folder_kind, decide, self.clock.now())
        log.info("mail", folder=raw.folder, uid=raw.uid, identity=email.identity[:12], case=event.case if event else 0)
        self.news.set()  # a mail that makes no case may still be news for one: a payment
        if event is None and (bounce(email) or is_payment_sender(email.sender.email) or lure(email)):
            self.aftercare_due.set()

    def _route(self, email: Email, around: Surroundings) -> Route:
        found = route(email, self.owner, around)
        if isinstance(found, Posted):
            return replace(found, verdicts=tuple(self.judge(lead) for lead in found.leads))
        return found

    async def _set_aside(self, raw: RawMail, blob: str, reason: str) -> None:
        """A mail that cannot be read is kept, told once, and never in the way of the next."""
        kind: SeenKind = "sent" if raw.folder_kind == "sent" else "mail"
        sender, subject = await asyncio.to_thread(self.parser.glimpse, raw.content)
        said = one_line(sender, _SHOWN), one_line(subject, _SHOWN)
        await asyncio.to_thread(self.ledger.quarantine, blob, kind, reason, *said)
        log.warning("quarantined", folder=raw.folder, uid=raw.uid, blob=blob[:12], reason=reason)
        self.upkeep_due.set()

    async def run(self) -> None:
        """Deliver what is recorded until cancelled: at once when something comes, else every minute."""
        while True:
            self.news.clear()
            await self.deliver_all()
            try:
                async with asyncio.timeout(SWEEP):
                    await self.news.wait()
            except TimeoutError:
                continue

    async def deliver_all(self) -> None:
        """Everything recorded, oldest first, orders before all. One that cannot be delivered holds up no other."""
        events = await asyncio.to_thread(self.ledger.undelivered)
        # "stop all" must not wait behind a case that Temporal is slow to take.
        await self._deliver_in_order([event for event in events if event.kind == "order"])
        by_case: dict[int, list[Event]] = {}
        for event in events:
            if event.kind != "order":
                by_case.setdefault(event.case, []).append(event)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def deliver(one_case: Sequence[Event]) -> None:
            async with at_once:
                await self._deliver_in_order(one_case)

        await asyncio.gather(*(deliver(one_case) for one_case in by_case.values()))
        for answer in await asyncio.to_thread(self.ledger.unhandled_answers):
            await self._guarded(self.answering.give(answer), case=answer.case)

    async def _deliver_in_order(self, events: Sequence[Event]) -> None:
        for event in events:
            await self._deliver(event)

    async def _deliver(self, event: Event) -> None:
        take = self.takers.get(event.kind)
        if take is None:  # written by a newer Deskhand, or for a part that this process does not run: it stays recorded
            log.warning("nobody takes this event", kind=event.kind, case=event.case)
            return
        if await self._guarded(take(event), case=event.case):
            await asyncio.to_thread(self.ledger.mark_delivered, event.key, event.kind)

    async def _guarded(self, doing: Awaitable[object], *, case: int) -> bool:
        """Whether it worked. What did not stays recorded, and the next round tries it again."""
        try:
            await doing
        except DeskhandError as error:
            log.warning("not delivered yet", case=case, problem=str(error))
            return False
        except Exception:  # a fault of ours at one item must not hold up those behind it: it stays recorded
            log.exception("not delivered yet", case=case)
            return False
        return True
