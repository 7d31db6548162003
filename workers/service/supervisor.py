"""Supervisor: runs the embedded Temporal server, the workers, the watchers, the ear for commands; and ends it tidily.

What dies is started again; what cannot be reached is tried again; whatever the process itself loses in a kill -9 is in
the ledger and is taken up at the next start.
"""

import asyncio
import contextlib
import signal
from collections.abc import Awaitable, Callable, Collection, Sequence
from pathlib import Path
from typing import Self

import structlog
from temporalio.client import Client
from temporalio.service import RPCError
from temporalio.worker import Interceptor

from memory.desk.lost_keys import LostKeys
from memory.leads.placed import Placed
from tools.mail.folders import Drafts, Tidying
from workers.control import ControlServer
from workers.desk.answering import Answering
from workers.desk.hints import Hints
from workers.desk.ordering import Orders
from workers.desk.settling import Settling
from workers.rounds.digests import Rounds
from workers.rounds.polling import Polls
from workers.rounds.upkeep import Upkeep
from workers.service import heap, logs, wiring
from workers.service.aftercare import DRAFTS_EVERY, EVERY, Aftercare
from workers.service.handlers import Handlers
from workers.service.keeping import Keeper, ended
from workers.service.lost_keys import SAYS, KeyNotice
from workers.service.model_watch import ModelWatch
from workers.service.own_mail import OwnMail
from workers.service.reception import Reception
from workers.service.watching import FolderWatches
from workers.settings.environ import cache_folder
from workers.settings.schema import Settings
from workers.sources.money import Doubts
from workers.temporal.carrying import CarryingOver
from workers.temporal.codec import converter
from workers.temporal.engine import AnswerRefused, TemporalEngine
from workers.temporal.lookout import Lookout
from workers.temporal.server import TemporalServer, find_cli, refusal
from workers.temporal.timetable import Timetable
from workers.temporal.worker import build_workers, running
from workflows.activities import Activities
from workflows.errors import DeskhandError, NeedsOwner
from workflows.names import OLD, Names, names_of
from workflows.ports import Clock
from workflows.rules.answers.copies import LEAST_DELAY

log = structlog.get_logger()
Say = Callable[[str], None]
START_LIMIT = 60.0
"""Seconds for a Temporal server that is not ours to answer."""


async def run(home: Path, settings: Settings, *, say: Say) -> None:
    """Run the service on this home until SIGTERM or Ctrl-C; the caller holds the home.

    Raises:
        NeedsOwner: something must be mended before it can start.
    """
    logs.configure(home)
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for number in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(number, stop.set)
    async with Service(home, settings, say=say):
        say("Deskhand is running. It stops on Ctrl-C or SIGTERM.")
        sweeping = asyncio.create_task(heap.keep_small(), name="heap")
        await stop.wait()
        sweeping.cancel()
        say("Stopping: steps under way are finished, nothing new is begun.")


class Service:
    """The whole service as an async context manager; `parts` and `reception` are there once it is entered."""

    def __init__(  # noqa: PLR0913 - how it runs, all by name
        self,
        home: Path,
        settings: Settings,
        *,
        say: Say,
        interceptors: Sequence[Interceptor] = (),
        least_delay: float = LEAST_DELAY,
        permit: frozenset[str] = frozenset(),
        clock: Clock | None = None,
    ) -> None:
        self._home = home
        self._settings = settings
        self._say = say
        self._interceptors = interceptors
        self._least_delay = least_delay
        self._stack = contextlib.AsyncExitStack()
        self.parts = wiring.build(home, settings, clock, permit)
        self._started = self.parts.clock.now()
        self._keeper = Keeper(self._stack, self.parts.health, say)

    async def __aenter__(self) -> Self:
        try:
            await self._start()
        except BaseException:
            await self._stack.aclose()
            raise
        return self

    async def __aexit__(self, *_: object) -> None:
        await self._stack.aclose()

    async def _start(self) -> None:
        parts = self.parts
        self._stack.push_async_callback(parts.aclose)
        parts.ledger.first_run()
        self._set_temporal_aside_after_a_restore()
        self._look_for_lost_keys()
        self.names = names_of(parts.ledger.home())
        carried: set[str] = set()
        self.client = await self._connect(carried)
        carrying = CarryingOver(self.client, parts.ledger, self.names, carried)
        await carrying.begin()
        engine = TemporalEngine(self.client, parts.ledger, self.names)
        answering = self._answering(engine)
        orders = self._orders(engine)
        polls = Polls(
            watches=parts.watches, ledger=parts.ledger, desk=parts.desk, health=parts.health, news=orders.news
        )  # fmt: skip
        settling = Settling(ledger=parts.ledger, rows=parts.rows, desk=parts.desk, hand_over=engine.hand_over)
        upkeep, aftercare = self._upkeep(polls), self._aftercare(settling)
        hints = self._hints(answering, orders)
        takers = {
            **dict.fromkeys(("mail", "sent", "lead", "debt", "period", "news"), engine.deliver),
            "answer": answering.take,
            "order": orders.take,
            "hint": hints.take,
        }
        self.reception = Reception(
            ledger=parts.ledger, blobs=parts.blobs, parser=parts.parser,
            takers=takers, answering=answering,
            owner=parts.owner, clock=parts.clock, upkeep_due=upkeep.due, news=orders.news, aftercare_due=aftercare.due,
            judge=parts.judge,
        )  # fmt: skip
        activities = Activities(
            parts.ledger, parts.recall, parts.drafter, parts.desk, engine, parts.researcher, polls, parts.doing
        )
        await self._stack.enter_async_context(self._working(activities, self.names))
        if carried:
            self._keeper.keep("carrying over", lambda: carrying.run(lambda: self._working(activities, OLD)))
        await self._take_up(engine)
        self._keeper.keep("lookout", self._lookout(engine).run)
        # Chroma takes a second to open: not in the way of the first mail.
        self._stack.push_async_callback(ended, asyncio.create_task(self._warm_up()))
        self._keeper.keep("delivery", self.reception.run)
        await self._folder_watches().begin()
        self._keeper.keep("upkeep", upkeep.run)
        self._keeper.keep("aftercare", aftercare.run)
        self._keeper.keep("hints", hints.run)
        self._keeper.keep("watch over own mail", self._own_mail().run)
        await self._listen(Handlers(parts.ledger, answering, parts.owner, parts.clock, orders, settling))

    async def _listen(self, handlers: Handlers) -> None:
        ear = ControlServer(self._home, handlers.table())
        await ear.start()
        self._stack.push_async_callback(ear.stop)

    def _look_for_lost_keys(self) -> None:
        parts = self.parts
        self._lost_keys = LostKeys(parts.engine, parts.clock)
        if self._lost_keys.look(parts.keys):
            self._say(SAYS)
            parts.health["keys"] = f"{SAYS} Keep keys/ in your backups (docs/operations.md)."
            self._set_temporal_aside("lost-keys")

    def _answering(self, engine: TemporalEngine) -> Answering:
        parts = self.parts
        return Answering(
            ledger=parts.ledger,
            engine=engine,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            parts=parts.named_parts(),
            edit_sends=self._settings.approval.edit_sends,
            least_delay=self._least_delay,
        )

    def _folder_watches(self) -> FolderWatches:
        return FolderWatches(
            parts=self.parts,
            imap=self._settings.imap,
            keeper=self._keeper,
            reception=self.reception,
            since=self._started,
            say=self._say,
        )

    def _working(self, activities: Activities, names: Names) -> contextlib.AbstractAsyncContextManager[None]:
        return running(build_workers(self.client, activities, names, self._interceptors))

    def _lookout(self, engine: TemporalEngine) -> Lookout:
        parts = self.parts
        return Lookout(
            ledger=parts.ledger,
            engine=engine,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            names=self.names,
            schedules=Timetable(self.client, self.names, parts.watches).look,
        )

    def _hints(self, answering: Answering, orders: Orders) -> Hints:
        parts = self.parts
        return Hints(
            ledger=parts.ledger,
            blobs=parts.blobs,
            answering=answering,
            signatures=parts.signatures,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            stop=orders.stop,
        )

    def _own_mail(self) -> OwnMail:
        parts = self.parts
        return OwnMail(
            rows=parts.rows,
            outbox=parts.outbox,
            evidence=parts.evidence,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            health=parts.health,
        )

    def _orders(self, engine: TemporalEngine) -> Orders:
        parts = self.parts
        return Orders(
            ledger=parts.ledger,
            engine=parts.engine,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            hand_over=engine.hand_over,
            begin=engine.recreate,
            health=parts.health,
        )

    def _set_temporal_aside_after_a_restore(self) -> None:
        """An older ledger and a newer Temporal contradict each other: the ledger is the record, so it alone counts."""
        reconcile = self.parts.reconcile
        if not reconcile.restored.begin(reconcile.home, reconcile.departures):
            return
        self._say("An older ledger was put back: everything is held until your sent mails were looked through.")
        self._set_temporal_aside("before-restore")

    def _set_temporal_aside(self, why: str) -> None:
        for path in self._home.glob("temporal.sqlite*"):
            if path.name.removeprefix("temporal.sqlite") in {"", "-wal", "-shm", "-journal"}:
                path.replace(path.with_name(f"{path.name}.{why}"))

    def _aftercare(self, settling: Settling) -> Aftercare:
        parts, approval = self.parts, self._settings.approval
        placed = Placed(parts.engine, parts.clock)
        drafts = Drafts(
            placed=placed, mailbox=parts.mailbox, blobs=parts.blobs, owner=parts.owner, clock=parts.clock
        )  # fmt: skip
        tidying = Tidying(
            placed=placed, mailbox=parts.mailbox, parse=parts.parser.parse, owner=parts.owner, where=approval.tidy
        )  # fmt: skip
        by_hand = approval.deliver == "drafts"
        return Aftercare(
            ledger=parts.ledger,
            desk=parts.desk,
            owner=parts.owner,
            chores=(
                lambda: parts.reconcile.run(parts.desk),
                settling.round,
                KeyNotice(self._lost_keys, parts.desk).round,
                Doubts(ledger=parts.ledger, desk=parts.desk).round,
                *((drafts.round,) if by_hand else ()),
                tidying.round,
                *self._model_watch(),
            ),
            every=DRAFTS_EVERY if by_hand else EVERY,
            health=parts.health,
        )

    def _model_watch(self) -> tuple[Callable[[], Awaitable[None]], ...]:
        parts = self.parts
        if parts.model is None:
            return ()
        watch = ModelWatch(model=parts.model, desk=parts.desk, clock=parts.clock, health=parts.health)
        return (watch.round,)

    def _upkeep(self, polls: Polls) -> Upkeep:
        parts = self.parts
        return Upkeep(
            ledger=parts.ledger,
            outbox=parts.outbox,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            digest_at=self._settings.approval.digest_at,
            rounds=self._rounds(polls),
            auto_after=self._settings.approval.auto_after,
            undo=self._settings.approval.undo,
        )

    def _rounds(self, polls: Polls) -> Rounds:
        parts, approval = self.parts, self._settings.approval
        return Rounds(
            ledger=parts.ledger,
            desk=parts.desk,
            owner=parts.owner,
            clock=parts.clock,
            mode=approval.mode,
            digest_at=approval.digest_at,
            nudge_at=approval.nudge_at,
            nudge_after=approval.nudge_after,
            before_digest=polls.make_due,
        )

    async def _connect(self, carried: Collection[str]) -> Client:
        """The Temporal client: of the server that the settings name, else of our own child."""
        temporal = self._settings.temporal
        if temporal.address:
            return await self._connect_to(temporal.address, carried)
        cli = await find_cli(cache_folder(), setting=temporal.cli, say=self._say)
        server = TemporalServer(cli, self._home, namespace=temporal.namespace)
        await server.start()
        self._stack.push_async_callback(server.stop)
        self._keeper.keep("temporal", lambda: server.supervise(self._say))
        return await self._connect_to(server.address, carried)

    async def _connect_to(self, address: str, carried: Collection[str]) -> Client:
        temporal = self._settings.temporal
        try:
            async with asyncio.timeout(START_LIMIT):
                return await Client.connect(
                    address,
                    namespace=temporal.namespace,
                    api_key=self._settings.api_key(self._home, "temporal") or None,
                    tls=temporal.tls,
                    data_converter=converter(self.parts.keys, carried),
                )
        except (RuntimeError, RPCError, TimeoutError) as error:
            raise NeedsOwner(
                f"No Temporal server answers at {address} ({refusal(error)}).",
                'Start it, correct temporal.address, or set temporal.address = "" to use the embedded one.',
            ) from None

    async def _take_up(self, engine: TemporalEngine) -> None:
        """Give Temporal every open case that it does not know: a lost database or another server loses nothing."""
        states = await asyncio.to_thread(self.parts.ledger.open_cases)
        for state in states:
            await engine.recreate(state)
            for event in await asyncio.to_thread(self.parts.ledger.unheard, state):
                await engine.deliver(event)
        for answer in await asyncio.to_thread(self.parts.ledger.unconsumed_answers):
            with contextlib.suppress(AnswerRefused):  # it is on its way to the ledger, or no longer fits
                await engine.answer(answer)
        if states:
            self._say(f"{len(states)} open cases are taken up again.")

    async def _warm_up(self) -> None:
        try:
            await asyncio.to_thread(self.parts.recall.remember, 0)
        except DeskhandError as error:
            self._keeper.unwell("memory", str(error))
