"""`./deskhand demo all`: one client who is lead, correspondent, debtor and customer at once: one voice, one history."""

from contextlib import AsyncExitStack
from dataclasses import dataclass, field
from typing import Any

from workers.clock import SystemClock
from workers.demo import desk, leads, money, status
from workers.demo.diary import DiaryServer
from workers.demo.site import Site
from workers.demo.stage import DemoStage, raised
from workers.voice.output import Output
from workflows.models.case import CaseState
from workflows.stories import Kind

CLIENT = money.CLIENT


async def play(stack: AsyncExitStack, output: Output, answer: str | None) -> int:
    """0 only if the four stories ended as they should, with one client, and one mail a day that was not asked for."""
    diary = DiaryServer.opened(stack)
    site = Site.opened(stack, leads.PAGES, SystemClock().now())
    await status.prepare(output.home)
    money.prepare(output.home)
    desk.furnish(output.home)
    sections: dict[str, Any] = {
        **desk.sections(diary),
        **money.SECTIONS,
        **status.SECTIONS,
        "profile": leads.PROFILE,
        "sources": {"hackernews": leads.sources(site)["hackernews"]},
    }
    stage = await raised(stack, output, answer, sections=sections, permit=frozenset({site.netloc}))
    return await Everything(stage, desk.DeskDemo(stage, diary)).through()


@dataclass(slots=True)
class Everything:
    """The four stories, one after the other, in one home."""

    stage: DemoStage
    desk: desk.DeskDemo
    ended: dict[Kind, tuple[CaseState, bool]] = field(default_factory=dict)

    async def through(self) -> int:
        """Play them; the exit code."""
        stage = self.stage
        await leads.LeadsDemo(stage).watched()
        (bid,) = await stage.cases("bid")
        await self._end("bid", bid)
        await self._end("reply", await self.desk.asked())
        await self._end("chase", await money.MoneyDemo(stage).chase())
        (update,) = await stage.until(lambda: stage.cases("update"))
        await self._end("update", update)
        one_client = self._one_client()
        texts = stage.remembered(bid)
        well = one_client and all(well for _, well in self.ended.values()) and self._one_voice() and bool(texts)
        outcomes = {kind: state.outcome or state.stage for kind, (state, _) in self.ended.items()}
        stage.event("done", ok=well, outcomes=outcomes, one_client=one_client, received=len(stage.arrived))
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    async def _end(self, kind: Kind, case: int) -> None:
        """Show and answer one case, and see what came to the client."""
        stage = self.stage
        state = await stage.converse(case)
        if stage.waits(state):
            self.ended[kind] = (state, not await stage.received(CLIENT.email, state))
        else:
            received = await stage.received(CLIENT.email, state)
            as_approved = kind != "reply" or self.desk.as_approved(state, received)
            self.ended[kind] = (state, stage.well(state, received) and as_approved)

    def _one_client(self) -> bool:
        """Whether all four cases are with one and the same person."""
        clients = {self.stage.service.parts.ledger.client_of(state.case) for state, _ in self.ended.values()}
        return len(clients) == 1 and None not in clients

    def _one_voice(self) -> bool:
        """Of the two mails that nobody asked for, one left today, and the other waits; neither after a no."""
        chase, update = self.ended["chase"][0], self.ended["update"][0]
        return bool(update.held_until) == (chase.outcome == "sent")
