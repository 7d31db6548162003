"""The bid story's own parts, made from the settings: whom a lead is read up on, briefed and drafted by."""

from dataclasses import dataclass

from agents.bid import BidAgent, TemplateBid
from agents.lookup.reference import Reference
from agents.model import Model
from agents.research import Fetching, Researcher
from memory.briefs.bids import BidBriefs, Search
from memory.ledger import Ledger
from workers.settings.schema import Settings
from workflows.models.people import Owner
from workflows.ports import Clock, Drafting


@dataclass(frozen=True, slots=True, kw_only=True)
class Bids:
    """One for the home."""

    settings: Settings
    ledger: Ledger
    owner: Owner
    clock: Clock
    threshold: float

    def briefs(self, search: Search) -> BidBriefs:
        """Who builds the brief of a bid."""
        return BidBriefs(
            ledger=self.ledger,
            search=search,
            profile=self.settings.profile_facts(),
            said=self.settings.profile_sources(),
            owner=self.owner,
            clock=self.clock,
            threshold=self.threshold,
        )

    def researcher(self, web: Fetching, model: Model | None, reference: Reference | None = None) -> Researcher:
        """Who finds out more about a post's author; `reference`: the read tools of plugins and servers."""
        return Researcher(ledger=self.ledger, web=web, model=model, reference=reference, owner_name=self.owner.name)


def drafting(model: Model | None, reference: Reference | None = None) -> Drafting:
    """Who writes the bids: the model where one is configured, templates otherwise."""
    templates = TemplateBid()
    return BidAgent(model, templates, reference) if model else templates
