"""The follow-up story's own parts: what was met with silence is looked for at the hour of the first digest."""

import asyncio
from dataclasses import dataclass
from datetime import time, timedelta

from agents.followup import FollowUpAgent, TemplateFollowUp
from agents.model import Model
from memory.briefs.followups import FollowUpBriefs
from memory.ledger import Ledger
from workers.rounds.polling import Watch
from workers.settings.schema import FollowupSection
from workflows.models.drafts import Source
from workflows.models.people import Owner
from workflows.ports import Clock, Drafting
from workflows.rules.desk.follow_ups import FollowUpTerms
from workflows.rules.text import calendar
from workflows.rules.text.words import counted

NAME = "followups"
EVERY = timedelta(minutes=10)


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowingUp:
    """Proposes follow-ups. `at`: from this time of a working day on, so that they stand in its digest."""

    settings: FollowupSection
    ledger: Ledger
    owner: Owner
    clock: Clock
    at: time
    profile: tuple[Source, ...] = ()

    def briefs(self) -> FollowUpBriefs:
        """Who builds the brief of a follow-up."""
        return FollowUpBriefs(self.ledger, self.owner, self.profile)

    def watch(self) -> Watch:
        """The look: each mail is followed up once, however often it is made."""
        return Watch(name=NAME, every=EVERY, run=self.look, daily=True)

    async def look(self) -> str:
        """Open a case for each mail that nobody answered for long enough."""
        now = calendar.local_time(self.clock.now(), self.owner)
        if now.time() < self.at or not calendar.is_working_day(now.date(), self.owner):
            return f"not before {self.at:%H:%M} of a working day"
        terms = FollowUpTerms(**self.settings.model_dump())
        numbers = await asyncio.to_thread(self.ledger.begin_follow_ups, now, self.owner, terms)
        return f"{counted(len(numbers), 'follow-up')} proposed" if numbers else "nothing was met with silence"


def drafting(model: Model | None) -> Drafting:
    """Who writes follow-ups: the model where one is configured, the template otherwise."""
    templates = TemplateFollowUp()
    return FollowUpAgent(model, templates) if model else templates
