"""The parts of the stories that no mail began: whom a lead, a debt and a project are read, drafted and watched by.

`workers/service/wiring.py` calls `stories` once everything shared is there. A story adds its workflow, builder,
drafter and watches here.
"""

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from datetime import time
from pathlib import Path

from agents.lookup.diary import FreeTimes
from agents.lookup.loop import Limits
from agents.lookup.own import QUERY, STANDING_ANSWERS, OwnTools, own_tool
from agents.lookup.reference import Reference
from agents.lookup.tools import ReadTool
from agents.model import Model
from memory.briefs.recall import Builder, Recall
from memory.leads.posts import Judge
from memory.ledger import Ledger
from memory.lookups import Lookups
from tools.toolbox import Toolbox
from tools.web.client import Web
from workers.rounds.polling import Watch
from workers.settings.schema import Settings
from workers.settings.tooling import servers_of
from workers.sources import bids, calendars, feeds, followups, invoicing, money, work
from workers.sources.folders import Folders
from workers.sources.promises import PromiseReminders
from workflows.bid import Bid
from workflows.case import Story
from workflows.chase import Chase
from workflows.followup import FollowUp
from workflows.models.people import Owner
from workflows.ports import Clock, Desk, Drafting, Researching
from workflows.reply import Reply
from workflows.stories import Kind
from workflows.update import Update

WORKFLOWS: list[type[Story]] = [Reply, Bid, Chase, Update, FollowUp]
"""The story of each kind, for the workers that run them."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Ground:
    """What every story stands on."""

    home: Path
    settings: Settings
    ledger: Ledger
    recall: Recall
    owner: Owner
    clock: Clock
    model: Model | None
    lookups: Lookups
    desk: Desk
    permit: frozenset[str] = frozenset()  # "host:port" here that research may look at: for the demo and tests


@dataclass(frozen=True, slots=True, kw_only=True)
class Stories:
    """What the stories bring along."""

    builders: Mapping[Kind, Builder]
    drafters: Mapping[Kind, Drafting]
    researcher: Researching
    watches: tuple[Watch, ...]
    judge: Judge
    reference: Reference | None


def stories(ground: Ground) -> Stories:
    """Every story that is not a mail's."""
    chase = money.ChaseParts(
        settings=ground.settings.money, ledger=ground.ledger, owner=ground.owner, clock=ground.clock
    )
    updates = work.Working(
        folders=Folders(home=ground.home, settings=ground.settings.work, owner=ground.owner),
        settings=ground.settings,
        ledger=ground.ledger,
        owner=ground.owner,
        clock=ground.clock,
        desk=ground.desk,
        profile=ground.settings.profile_sources(),
    )
    follow_ups = _follow_ups(ground)
    leads = _feeds(ground)
    offers = bids.Bids(
        settings=ground.settings,
        ledger=ground.ledger,
        owner=ground.owner,
        clock=ground.clock,
        threshold=ground.settings.leads.threshold,
    )
    reference = _reference(ground, leads)
    return Stories(
        builders={
            "bid": offers.briefs(ground.recall.search).build,
            "chase": chase.briefs().build,
            "update": updates.briefs().build,
            "followup": follow_ups.briefs().build,
        },
        drafters={
            "bid": bids.drafting(ground.model, reference),
            "chase": money.drafting(ground.model, reference),
            "update": work.drafting(ground.model, reference),
            "followup": followups.drafting(ground.model),
        },
        researcher=offers.researcher(Web(permit=ground.permit), ground.model, reference),
        judge=leads.judged,
        reference=reference,
        watches=(
            *leads.watches(),
            *_importing(ground, chase.look).watches(),
            chase.watch(),
            updates.watch(),
            _reminders(ground).watch(),
            follow_ups.watch(),
        ),
    )


def _reminders(ground: Ground) -> PromiseReminders:
    """What tells the owner of his own promises, at the hour of the first digest."""
    return PromiseReminders(
        ledger=ground.ledger, owner=ground.owner, clock=ground.clock, desk=ground.desk, at=_first_digest(ground)
    )  # fmt: skip


def _follow_ups(ground: Ground) -> followups.FollowingUp:
    """What proposes follow-ups, at the same hour."""
    return followups.FollowingUp(
        settings=ground.settings.followup, ledger=ground.ledger, owner=ground.owner, clock=ground.clock,
        at=_first_digest(ground), profile=ground.settings.profile_sources(),
    )  # fmt: skip


def _first_digest(ground: Ground) -> time:
    return min(ground.settings.approval.digest_at, default=time(8))


def _feeds(ground: Ground) -> feeds.Feeds:
    """Where job posts are asked for."""
    return feeds.Feeds(
        home=ground.home,
        leads=ground.settings.leads,
        sources=ground.settings.sources,
        profile=ground.settings.profile_facts(),
        ledger=ground.ledger,
        owner=ground.owner,
        clock=ground.clock,
    )


def _reference(ground: Ground, leads: feeds.Feeds) -> Reference | None:
    """What drafts are looked up by, where there is a model to ask: our own tools, plugins', servers'."""
    if ground.model is None:
        return None
    toolbox = Toolbox(leads.plugins, servers_of(ground.settings.mcp, ground.home))
    limits = ground.settings.tools
    standing = own_tool("standing_answers", STANDING_ANSWERS, ground.recall.standing_answers, {"query": QUERY})
    own = (*OwnTools(history=ground.recall, books=ground.ledger).tools(), standing, *_calendar_tools(ground))
    return Reference(
        lookups=ground.lookups,
        own=own,
        foreign=toolbox.offers,
        limits=Limits(rounds=limits.rounds, calls=limits.calls, seconds=limits.seconds),
    )


def _calendar_tools(ground: Ground) -> tuple[ReadTool, ...]:
    """`calendar_free`, where the owner named a calendar."""
    if not ground.settings.calendar.sources:
        return ()
    times = FreeTimes(
        calendar=calendars.calendars_of(ground.settings, ground.home, ground.clock),
        owner=ground.owner,
        clock=ground.clock,
        terms=calendars.offering_of(ground.settings),
        held=ground.ledger.held_slots,
    )
    return (times.tool(),)


def _importing(ground: Ground, then: Callable[[], Awaitable[object]]) -> invoicing.Importing:
    """Where invoices are read from: the folder, and Invoice Ninja where it is configured."""
    return invoicing.Importing(
        folder=ground.home / ground.settings.money.invoices,
        ninja=invoicing.ninja_of(ground.settings, ground.home),
        ledger=ground.ledger,
        desk=ground.desk,
        clock=ground.clock,
        then=then,
    )
