"""How a mail comes in: kept as bytes, parsed in the limited child, recorded with its case number, delivered.

Mail's own intake: an IDLE connection cannot live in an activity, so this process watches, and the ledger's `recorded`
state does what a durable workflow would: whatever is recorded is delivered until it was delivered.
"""

import asyncio
import contextlib
from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field, replace

import structlog

from memory.ledger import Ledger
from memory.post.mails import SeenKind
from memory.record.blobs import Blobs
from tools.limited import Quarantined
from tools.mail.parser import Parser
from workers.desk.answering import Answering
from workflows.errors import DeskhandError
from workflows.models.leads import Lead
from workflows.models.mail import RawMail
from workflows.models.people import Owner
from workflows.models.routes import Event, Ignore, Posted, Route, Start, Surroundings
from workflows.ports import Clock
from workflows.rules.debts.payments import is_payment_sender, lure
from workflows.rules.leads.lead import unjudged
from workflows.rules.mail.machines import bounce
from workflows.rules.reading import Reading
from workflows.rules.routing import route
from workflows.rules.text.canonical import one_line

log = structlog.get_logger()
Taker = Callable[[Event], Awaitable[object]]
AT_ONCE = 8
"""How many cases are told at the same time; within a case, in the order things happened."""
_SHOWN = 200
"""Characters of what an unreadable mail says of itself that are kept."""
SWEEP = 60.0
"""Seconds after which is looked again where nothing new came."""
FIRST_PAUSE = 1.0
"""Seconds until what could not be delivered is tried again; each further try waits twice as long, up to `SWEEP`."""


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
        event = await asyncio.to_thread(self.ledger.record_mail, email, raw.folder_kind, self._route, self.clock.now())
        log.info("mail", folder=raw.folder, uid=raw.uid, identity=email.identity[:12], case=event.case if event else 0)
        self.news.set()  # a mail that makes no case may still be news for one: a payment
        if event is None and (bounce(email) or is_payment_sender(email.sender.email) or lure(email)):
            self.aftercare_due.set()

    def _route(self, reading: Reading, around: Surroundings) -> Route:
        destination = route(reading, self.owner, around)
        if isinstance(destination, Posted):
            return replace(destination, verdicts=tuple(self.judge(lead) for lead in destination.leads))
        return destination

    async def _set_aside(self, raw: RawMail, blob: str, reason: str) -> None:
        """A mail that cannot be read is kept, told once, and never in the way of the next."""
        kind: SeenKind = "sent" if raw.folder_kind == "sent" else "mail"
        sender, subject = await asyncio.to_thread(self.parser.glimpse, raw.content)
        claims = one_line(sender, _SHOWN), one_line(subject, _SHOWN)
        await asyncio.to_thread(self.ledger.quarantine, blob, kind, reason, *claims)
        log.warning("quarantined", folder=raw.folder, uid=raw.uid, blob=blob[:12], reason=reason)
        self.upkeep_due.set()

    async def run(self) -> None:
        """Deliver what is recorded until cancelled: at once when something comes, soon when something did not work."""
        failures = 0
        while True:
            self.news.clear()
            failures = 0 if await self.deliver_all() else failures + 1
            with contextlib.suppress(TimeoutError):
                async with asyncio.timeout(pause(failures)):
                    await self.news.wait()

    async def deliver_all(self) -> bool:
        """Whether everything recorded was delivered, oldest first, orders before all; none holds up another."""
        events = await asyncio.to_thread(self.ledger.undelivered)
        # "stop all" must not wait behind a case that Temporal is slow to take.
        delivered = [await self._deliver_in_order([event for event in events if event.kind == "order"])]
        by_case: dict[int, list[Event]] = {}
        for event in events:
            if event.kind != "order":
                by_case.setdefault(event.case, []).append(event)
        at_once = asyncio.Semaphore(AT_ONCE)

        async def deliver(one_case: Sequence[Event]) -> bool:
            async with at_once:
                return await self._deliver_in_order(one_case)

        delivered += await asyncio.gather(*(deliver(one_case) for one_case in by_case.values()))
        for answer in await asyncio.to_thread(self.ledger.unhandled_answers):
            delivered.append(await self._guarded(self.answering.give(answer), case=answer.case))
        return all(delivered)

    async def _deliver_in_order(self, events: Sequence[Event]) -> bool:
        return all([await self._deliver(event) for event in events])  # a list: the later ones are tried, too

    async def _deliver(self, event: Event) -> bool:
        """Whether it was delivered, or waits for a part that this process does not run."""
        take = self.takers.get(event.kind)
        if take is None:  # written by a newer Deskhand, or for a part that this process does not run: it stays recorded
            log.warning("nobody takes this event", kind=event.kind, case=event.case)
            return True
        delivered = await self._guarded(take(event), case=event.case)
        if delivered:
            await asyncio.to_thread(self.ledger.mark_delivered, event.key, event.kind)
        return delivered

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


def pause(failures: int) -> float:
    """Seconds until the next look, after so many in which something could not be delivered.

    A case that is just ending, or a Temporal server that answers late, is there again in a moment: an owner's yes or a
    client's next mail must not wait out a whole minute for it.
    """
    return min(SWEEP, FIRST_PAUSE * 2 ** min(failures - 1, 10)) if failures else SWEEP
