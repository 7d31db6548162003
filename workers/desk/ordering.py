"""The desk's orders, by mail or at the machine: one class, so that both do the same.

What changes something is changed by the ledger, once per order; what is told is one notice per order mail.
"""

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

import structlog
from sqlalchemy import Engine

from memory import views
from memory.ledger import Ledger
from workers.voice import desk_texts, promise_texts
from workflows.errors import DeskhandError, Permanent
from workflows.models.case import CaseState
from workflows.models.mail import Email
from workflows.models.orders import (
    AskedBack,
    Carried,
    Change,
    Confirm,
    Explain,
    Fix,
    Help,
    NotByMail,
    NotUnderstood,
    Order,
    Resume,
    ShowIgnored,
    ShowPromises,
    ShowStatus,
    StopAll,
)
from workflows.models.people import Owner
from workflows.models.routes import Asked, Event
from workflows.ports import Clock, Desk
from workflows.rules.answers.copies import proven_copy
from workflows.rules.answers.orders import ASKED_BACK, is_asked_back, order_in
from workflows.rules.answers.proof import Unproven, order_proof
from workflows.rules.orders.lists import in_words
from workflows.rules.orders.rows import subject_of
from workflows.rules.text.speech import say

log = structlog.get_logger()
ASK_BACK_FOR = timedelta(days=3)
"""How long an order that was asked back waits for the owner's word."""
WELL = ("idle", "connected")
"""The states of a part in which nothing is the matter."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Given:
    """An order mail that is proven: what it orders, when it was written, and the mail of ours it answers."""

    key: str
    order: Order | NotUnderstood
    at: datetime
    email: Email
    asked: Asked | None


@dataclass(frozen=True, slots=True, kw_only=True)
class Orders:
    """Reads order mails and carries orders out."""

    ledger: Ledger
    engine: Engine  # of the ledger, for what the reading commands show
    desk: Desk
    owner: Owner
    clock: Clock
    hand_over: Callable[[str, int, int], Awaitable[None]]  # an approved version to its client's own workflow
    begin: Callable[[CaseState], Awaitable[None]]  # a case of the ledger that Temporal does not know yet
    health: Mapping[str, str] = field(default_factory=dict)
    news: asyncio.Event = field(default_factory=asyncio.Event)  # set when there is something new to deliver

    # ------------------------------------------------------------ by mail

    async def take(self, event: Event) -> None:
        """Carry out the order mail that this event stands for, and answer it with one notice.

        Raises:
            Retryable, NeedsOwner: it could not be carried out or answered now; call again.
        """
        read = await asyncio.to_thread(self._read, event)
        if isinstance(read, Unproven):
            log.warning("order refused", reason=read.reason)
            await self.desk.tell(_unclear(event.key), *desk_texts.not_carried_out(read.reason, self.owner))
            return
        log.info("order", kind=read.order.kind)
        await self._answer(read)

    def _read(self, event: Event) -> Given | Unproven:
        copies = self.ledger.copies_to_judge(event.key)
        email = proven_copy(copies, lambda copy: order_proof(copy, self.owner, self.ledger.surroundings(copy, "sent")))
        if isinstance(email, Unproven):
            return email
        around = self.ledger.surroundings(email, "sent")
        # "tomorrow" counts from when the mail was first seen, also when it is read again after a crash.
        order = order_in(email, self.owner.signing(around.signatures), event.at, around.asked)
        if order is None:
            return Unproven(reason=say(self.owner.language, "asked.no_order"))
        return Given(key=event.key, order=order, at=_given_at(email, event), email=email, asked=around.asked)

    async def _answer(self, given: Given) -> None:
        if is_asked_back(given.order, given.asked):
            await self._ask_back(given, given.order)
            return
        key = given.key
        match given.order:
            case Confirm(yes=yes):
                await self._confirm(given, yes=yes)
            case StopAll() as order:
                await self.stop(key, order, given.at, given.email, given.asked)
            case Explain(case=case):
                await self._explain(key, case)
            case ShowStatus():
                facts = await asyncio.to_thread(self.facts)
                await self._tell(key, desk_texts.status_subject(facts, self.owner.language), self.status(facts))
            case ShowIgnored() | ShowPromises() as order:
                listing = self.ignored if isinstance(order, ShowIgnored) else self.promises
                await self._tell(key, self._subject(order), await asyncio.to_thread(listing))
            case Help() as order:
                await self._tell(key, self._subject(order), desk_texts.help_text(self.owner.language))
            case NotByMail(what=what):
                await self._tell(key, *desk_texts.not_by_mail(what, self.owner))
            case NotUnderstood(hint=hint):
                await self.desk.tell(_unclear(key), *desk_texts.not_understood(hint, self.owner))
            case order:
                await self._carry_out(key, key, order, given.at)

    async def _carry_out(self, key: str, notice: str, order: Change | Fix, given_at: datetime) -> None:
        """Carry an order out and say how it ended, where the order's row has a subject for that."""
        outcome = await self.carry_out(key, order, given_at)
        if subject := self._subject(order, done=outcome.ok):
            await self._tell(notice, subject, outcome.says)

    async def stop(self, key: str, order: StopAll, given_at: datetime, email: Email, asked: Asked | None) -> None:
        """Stop everything at once, whoever wrote it, and say which mail did it: a link may have."""
        outcome = await self.carry_out(key, order, given_at)
        cause = desk_texts.cause(email, asked, self.owner)
        await self._tell(key, self._subject(order, done=outcome.ok), f"{outcome.says}\n\n{cause}\n")

    # ------------------------------------------------------------ asked back

    async def _ask_back(self, given: Given, order: Change | Fix) -> None:
        """Ask once before an order is carried out that answers no mail of ours."""
        new = AskedBack(key=given.key, order=order, given_at=given.at, expires_at=self.clock.now() + ASK_BACK_FOR)
        question = await asyncio.to_thread(self.ledger.ask_back, new)
        words = in_words(order, self.owner)
        subject, text = desk_texts.ask_back(words, given.email, question.expires_at, self.owner)
        await self.desk.tell(f"{ASKED_BACK.removeprefix('notice:')}{given.key}", subject, text)

    async def _confirm(self, given: Given, *, yes: bool) -> None:
        """The owner's word on an order that was asked back; the first one stands."""
        key = given.asked.intent.removeprefix(ASKED_BACK) if given.asked else ""
        question = await asyncio.to_thread(self.ledger.asked_back, key)
        if question is None:
            subject = desk_texts.not_carried_out_subject(self.owner)
            await self.desk.tell(_unclear(given.key), subject, desk_texts.not_asked(self.owner))
            return
        words = in_words(question.order, self.owner)
        if question.state == "asked" and given.at > question.expires_at:
            await self._tell(given.key, *desk_texts.too_late(words, self.owner))
        elif question.state == "dropped" or (question.state == "asked" and not yes):
            await asyncio.to_thread(self.ledger.decide_asked_back, key, "dropped")
            await self._tell(given.key, *desk_texts.dropped(words, self.owner))
        elif not yes:
            await self._tell(given.key, *desk_texts.already_done(words, self.owner))
        else:
            # Under the key of the mail that gave it: a second ok says what the first one did, and does nothing.
            await self._carry_out(question.key, given.key, question.order, question.given_at)
            await asyncio.to_thread(self.ledger.decide_asked_back, key, "done")

    async def _tell(self, key: str, subject: str, text: str) -> None:
        await self.desk.tell(_notice(key), subject, text)

    def _subject(self, order: Order, *, done: bool = True) -> str:
        return subject_of(order, self.owner.language, done=done)

    async def _explain(self, key: str, case: int) -> None:
        try:
            await asyncio.to_thread(self.ledger.case, case)
        except Permanent:
            await self._tell(key, *desk_texts.no_case(case, self.owner))
            return
        await self.desk.explain(_notice(key), case)

    # ------------------------------------------------------------ by mail and at the machine

    async def carry_out(self, key: str, order: Change | Fix, given_at: datetime) -> Carried:
        """Carry out an order that changes something, once per key; what is said to the owner."""
        if isinstance(order, Fix):
            return await self._fix(key, order)
        outcome = await asyncio.to_thread(self.ledger.carry_out, key, order, given_at)
        self.news.set()  # a rescued mail, or those of a client who is no longer paused
        if isinstance(order, Resume):
            await self._hand_over_held()
        return outcome

    async def _fix(self, key: str, order: Fix) -> Carried:
        """Draft a correction of what a case sent, as a case of its own."""
        try:
            state = await asyncio.to_thread(self.ledger.correct, order.case, key, order.words)
        except Permanent as error:
            return Carried(ok=False, says=str(error))
        if state.stage != "closed":
            await self.begin(state)
        sentence = say(self.owner.language, "done.corrected", case=order.case, correction=state.case)
        return Carried(ok=True, says=sentence)

    async def _hand_over_held(self) -> None:
        """What was held looks again at once. Its case does so by itself within minutes: a failure here loses nothing.

        A client whose newer mail is being taken up is not hurried: the last look holds that send for a moment.
        """
        for client, case, version in await asyncio.to_thread(self.ledger.held_sends):
            try:
                await self.hand_over(client, case, version)
            except DeskhandError as error:
                log.warning("not handed over yet", case=case, problem=str(error))

    def facts(self) -> dict[str, Any]:
        """What `status` tells, from the ledger."""
        facts = views.status(self.engine, ZoneInfo(self.owner.timezone), self.clock)
        return {**facts, "away_until": self.ledger.away_until()}

    def status(self, facts: Mapping[str, Any]) -> str:
        """How things stand, as text."""
        return desk_texts.status(facts, self.unwell(), self.owner)

    def unwell(self) -> dict[str, str]:
        """Every part that something is the matter with, and what."""
        return {part: state for part, state in self.health.items() if state not in WELL}

    def ignored(self) -> str:
        """What was skipped and why, as text."""
        return desk_texts.ignored(self.ledger.skipped(), self.owner)

    def promises(self) -> str:
        """What the owner promised and has not kept, as text."""
        names = {client.id: client.name for client in self.ledger.clients()}
        return promise_texts.listed(self.ledger.open_promises(), names, self.owner)


def _notice(key: str) -> str:
    return f"order:{key}"


def _unclear(key: str) -> str:
    """A notice that nothing was done for an order: the desk sends so many a day and no more."""
    return f"order-unclear:{key}"


def _given_at(email: Email, event: Event) -> datetime:
    """When the owner wrote it: a telephone may have kept it in its outbox for hours."""
    return min(email.date, event.at) if email.date and email.date.tzinfo else event.at
