"""`./deskhand demo leads`: posts of three sources become bids, one mailed and two handed over to be pasted."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from typing import Any

from tools.mail import mime
from workers.clock import SystemClock
from workers.demo.site import Site
from workers.demo.stage import DemoStage, case_of, raised
from workers.voice.output import Output
from workflows.models.case import CaseState
from workflows.models.leads import Lead
from workflows.models.mail import Email
from workflows.rules.text.canonical import canonical

PAGES = {
    "/wwr.rss": ("weworkremotely.rss", "application/rss+xml"),
    "/remoteok.json": ("remoteok.json", "application/json"),
    "/hn/search_by_date?tags=story": ("hn_threads.json", "application/json"),
    "/hn/search_by_date?tags=comment": ("hn_comments.json", "application/json"),
    "/northwind": ("northwind.html", "text/html; charset=utf-8"),
}
PROFILE: dict[str, Any] = {
    "rate": "95 EUR/hour",
    "skills": ["python", "django", "postgres"],
    "hours_per_week": 25,
    "avoid": ["unpaid test", "exposure"],
    "work": [
        {
            "id": "harbour", "title": "Booking system for a harbour",
            "text": "Berth booking in Django and Postgres, 12,000 bookings a year.", "skills": ["python", "django"],
        },
        {
            "id": "archive", "title": "Website and archive of a city museum",
            "text": "A Django site on 300,000 records in Postgres.", "skills": ["django", "postgres"],
        },
    ],
}  # fmt: skip
HONEYPOT = "GENUINE"


def sources(site: Site) -> dict[str, Any]:
    """The three sources, all at this site."""
    return {
        "weworkremotely": {"url": f"{site.url}/wwr.rss"},
        "remoteok": {"url": f"{site.url}/remoteok.json"},
        "hackernews": {"url": f"{site.url}/hn"},
    }


async def play(stack: AsyncExitStack, output: Output, answer: str | None) -> int:
    """0 only if each bid arrived where it belongs exactly as approved, or nothing anywhere after a no."""
    site = Site.opened(stack, PAGES, SystemClock().now())
    sections = {"profile": PROFILE, "sources": sources(site)}
    stage = await raised(stack, output, answer, sections=sections, permit=frozenset({site.netloc}))
    return await LeadsDemo(stage).through()


@dataclass(slots=True)
class LeadsDemo:
    """From the feeds to what left, and how a bid ended."""

    stage: DemoStage

    async def through(self) -> int:
        """Play it; the exit code."""
        stage = self.stage
        await self.watched()
        ended = {case: await self.bid(case) for case in await stage.cases("bid")}
        if ended and all(state.stage == "placed" for state, _ in ended.values()):
            await self.won(next(iter(ended)))
        well = bool(ended) and all(well for _, well in ended.values())
        outcomes = {str(case): stage.state(case).outcome or stage.state(case).stage for case in ended}
        stage.event("done", ok=well, cases=list(ended), outcomes=outcomes)
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    # ------------------------------------------------------------ what came in

    async def watched(self) -> None:
        """Until every source was asked; what came of each post."""
        stage, ledger = self.stage, self.stage.service.parts.ledger
        names = [watch.name.removeprefix("source-") for watch in stage.service.parts.watches if "source-" in watch.name]

        async def all_asked() -> bool | None:
            return all(ledger.feed(name).asked_at for name in names) or None

        await stage.until(all_asked)
        for case in await stage.cases("bid"):
            lead = self.lead(case)
            stage.say(f"A post comes in from {lead.source}: {lead.title} ({lead.company or 'no company'})")
            stage.event(
                "received", source=lead.source, title=lead.title, url=lead.url, flags=[flag.says for flag in lead.flags]
            )
        for post in ledger.ignored(50):
            stage.say(f"Skipped ({post.rule}): {post.subject}: {post.reason}")
            stage.event("ignored", title=post.subject, rule=post.rule, reason=post.reason)

    def lead(self, case: int) -> Lead:
        lead = self.stage.service.parts.ledger.lead_of(case)
        assert lead is not None
        return lead

    # ------------------------------------------------------------ one bid

    async def bid(self, case: int) -> tuple[CaseState, bool]:
        """Show, answer and follow one bid; where it stands, and whether all is as it should be."""
        stage = self.stage
        state = await stage.converse(case)
        for finding in filter(lambda one: one.url, stage.service.parts.ledger.findings(case)):
            stage.event("found", case=case, text=finding.text, url=finding.url)
        lead = self.lead(case)
        if lead.contact.email:
            return state, stage.well(state, await stage.received(lead.contact.email, state))
        if state.stage != "placed":
            return state, stage.stopped(state)
        return state, await self._handed_over(case, state)

    async def _handed_over(self, case: int, state: CaseState) -> bool:
        """Whether the owner holds the exact text with its link, and nothing of a honeypot in it."""
        pack = await self.stage.until(lambda: self._pack(f"{case}.{state.version}"))
        if pack.message_id not in self.stage.shown:
            self.stage.show(pack, case)
        outgoing = self.stage.service.parts.ledger.outgoing(case, state.version)
        exact = canonical(outgoing.body) in pack.text and outgoing.link in pack.text
        clean = HONEYPOT.lower() not in outgoing.body.lower()
        self.stage.event("sent", case=case, version=state.version, to="your inbox", link=outgoing.link, identical=exact)
        return exact and clean

    async def _pack(self, tag: str) -> Email | None:
        entry = self.stage.service.parts.rows.entry(f"notice:pack:{tag}")
        mails = [mime.parse(raw) for raw in await self.stage.mail.messages(self.stage.owner.email, "INBOX")]
        return next((mail for mail in mails if entry is not None and mail.message_id == entry.message_id), None)

    # ------------------------------------------------------------ how it ended

    async def won(self, case: int) -> None:
        """The owner says how the first bid ended, in an answer to a mail about it: that is remembered."""
        stage, ledger = self.stage, self.stage.service.parts.ledger
        mails = [mime.parse(raw) for raw in await stage.mail.messages(stage.owner.email, "INBOX")]
        await stage.answer(next(mail for mail in reversed(mails) if case_of(mail) == case), case, "won")

        async def closed() -> CaseState | None:
            state = stage.state(case)
            return state if state.stage == "closed" else None

        state = await stage.until(closed)
        lead = self.lead(case)
        stage.say(f"Case {case} ended: {state.outcome}. {lead.title} counts when the next post is weighed.")
        stage.event("remembered", case=case, outcome=state.outcome, won=[win.title for win in ledger.wins()])
