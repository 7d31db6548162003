"""The daily look at what is due, and the question about money that may have come in."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta
from zoneinfo import ZoneInfo

from agents.chase import ChaseAgent, TemplateChase
from agents.lookup.reference import Reference
from agents.model import Model
from memory.briefs.chases import ChaseBriefs
from memory.ledger import Ledger
from memory.money.dues import DueTerms
from memory.money.payments import PaymentSign
from workers.rounds.polling import Watch
from workers.settings.schema import MoneySection
from workflows.models.people import Owner
from workflows.ports import Clock, Desk, Drafting
from workflows.rules.text.canonical import one_line

NAME = "dues"
EVERY = timedelta(hours=1)
"""How often it is looked whether the time of the day has come; what is due is opened once, however often."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ChaseParts:
    """The chase story's own parts, made from the settings."""

    settings: MoneySection
    ledger: Ledger
    owner: Owner
    clock: Clock

    @property
    def terms(self) -> DueTerms:
        """What the rules need of the settings."""
        return DueTerms(ladder=self.settings.ladder, business_days=self.settings.business_days)

    def briefs(self) -> ChaseBriefs:
        """Who builds the brief of a chase."""
        return ChaseBriefs(self.ledger, self.owner, self.terms, self.settings.details)

    def watch(self) -> Watch:
        """The daily look: soon after the start, then every hour until its time of the day has come."""
        return Watch(name=NAME, every=EVERY, run=self.look, daily=True)

    async def look(self) -> str:
        """Open a case for every notice that is due today, once the time of the day has come."""
        now = self.clock.now().astimezone(ZoneInfo(self.owner.timezone))
        if now.time() < self.settings.dues_at:
            return f"not before {self.settings.dues_at:%H:%M}"
        return (await asyncio.to_thread(self.ledger.open_due, self.owner, self.terms)).says


def drafting(model: Model | None, reference: Reference | None = None) -> Drafting:
    """Who writes the letters: the model where one is configured, templates otherwise."""
    templates = TemplateChase()
    return ChaseAgent(model, templates, reference) if model else templates


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubts:
    """Asks the owner about every payment that is not proven or fits nothing, once."""

    ledger: Ledger
    desk: Desk

    async def round(self) -> None:
        """Ask about what came since the last round."""
        for payment in await asyncio.to_thread(self.ledger.payments_to_ask_about):
            await self.desk.tell(f"payment:{payment.key}", _subject(payment), _question(payment))
            await asyncio.to_thread(self.ledger.mark_payment_told, payment.key)


def _subject(payment: PaymentSign) -> str:
    if payment.over:
        return f"More came in than {one_line(payment.number, 40)} owed"
    return f"Did they pay {one_line(payment.number, 40)}?" if payment.number else "Did a client pay?"


def _question(payment: PaymentSign) -> str:
    if payment.over:
        return (
            f"{one_line(payment.says, 300).rstrip('.')}. {payment.result}\n\n"
            "Look into your account, and agree with them whether it is paid back or counts for another invoice. "
            "Deskhand does neither; for another invoice, write to yourself with the subject "
            "'deskhand paid NUMBER AMOUNT'."
        )
    number = one_line(payment.number, 40) or "NUMBER"
    return (
        f"{payment.result}\n\n"
        "Look into your account. If the money is there, answer or write to yourself with a subject that begins "
        f"'deskhand': 'paid {number}', with an amount where it is another ('paid {number} 500 EUR'). "
        "If it is not, 'chase' and the client's name goes on at once; without a word it goes on by itself later. "
        "A mail that only says that money came proves nothing: it may be a trick, so open no link in it."
    )
