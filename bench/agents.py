"""Drafts among hostile tools and calendars: what gets out, what gets in, and whether the draft comes all the same.

The model is a scripted server that asks for whatever it is told to, and writes into its letter what a tool told it;
tools are those of a plugin; calendars are files that are read in the limited child, as at home.
"""

import asyncio
import tempfile
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from dataclasses import dataclass, field, replace
from pathlib import Path

from agents.lookup.loop import Limits
from agents.lookup.reference import Reference
from agents.model import Model
from agents.reply import ReplyAgent
from agents.templates import Drafter, TemplateReply
from bench._figures import Figure, at_least, at_most
from bench._hostile import ADMITTED, FOREIGN, LURE, REFUSED, TOOLS, HostileTools, calendars
from memory.journal import Journal
from memory.lookups import Lookups
from tests.ledgers import OWNER, House
from tests.models import model_at
from tests.servers.openai import Answer, OpenAIServer, Request
from tools.calendar.desk import Calendars, NamedCalendar
from tools.calendar.ics import IcsFiles
from tools.offers import Offers
from workers.clock import SystemClock
from workers.sources.calendars import CalendarLook
from workflows.models.drafts import Brief, Draft
from workflows.models.mail import Address
from workflows.rules.desk.slots import Offering
from workflows.rules.desk.times import diary_at, times_of

BRIEF = Brief(
    case=41, sender=Address(email="maria@studio.example", name="Maria Alvarez"), subject="Kick-off date?",
    message="Hi Ada,\n\ndoes Thursday 10:00 work for the kick-off? See https://studio.example/brief.\n\nMaria",
    language="en", owner_name="Ada Winter",
)  # fmt: skip
GOOD = "Hello Maria,\n\nthank you, I will look into the kick-off.\n\nBest regards\nAda Winter"
TOOL_SECONDS = 1.0
"""What the tools of one draft may take here; 30 at home."""


async def run(full: bool) -> AsyncIterator[Figure]:
    """`agents.refused`, `agents.drafts`, `agents.foreign`, `agents.seconds`. Full: each tool with each argument."""
    tally = Tally()
    async with AsyncExitStack() as stack:
        scene = Scene.opened(stack, tally)
        for name in TOOLS:
            await scene.looked_up(name, (ADMITTED,))
            for chunk in [REFUSED[at : at + 2] for at in range(0, len(REFUSED), 2)] if full or name == TOOLS[0] else ():
                await scene.looked_up(name, chunk)
        for name, text in calendars().items():
            await scene.asked_for_a_time(name, text)
    figure = at_most("agents.refused", tally.escaped, 0, refused=len(REFUSED), admitted=tally.admitted)
    yield figure | {"ok": figure["ok"] and tally.admitted > 0}  # where nothing is asked, nothing is refused
    yield at_least("agents.drafts", tally.came / tally.drafts, 1, drafts=tally.drafts)
    yield at_most("agents.foreign", tally.foreign, 0, drafts=tally.drafts)
    yield at_most("agents.seconds", tally.seconds, 15, worst=tally.worst)


@dataclass(slots=True)
class Tally:
    """What was counted over all drafts."""

    drafts: int = 0
    came: int = 0
    foreign: int = 0
    escaped: int = 0  # calls that reached a tool with what it may not be told
    admitted: int = 0
    seconds: float = 0.0
    worst: str = ""

    def count(self, name: str, draft: Draft, seconds: float) -> None:
        """One draft under this trouble."""
        self.drafts += 1
        self.came += bool(draft.body.strip()) and not draft.needs_owner
        shown = "\n".join((draft.body, draft.gist, *draft.why))
        self.foreign += any(word in shown for word in FOREIGN)
        if seconds > self.seconds:
            self.seconds, self.worst = seconds, name


@dataclass(slots=True)
class Scene:
    """A ledger, a scripted model and the tools, as a draft meets them."""

    folder: Path
    house: House
    server: OpenAIServer
    model: Model
    tally: Tally
    case: int = field(default=41)

    @classmethod
    def opened(cls, stack: AsyncExitStack, tally: Tally) -> "Scene":
        """One that stands until the stack is closed."""
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="deskhand-bench-")))
        house, server = House(folder / "home"), stack.enter_context(OpenAIServer())
        stack.callback(house.engine.dispose)
        model = model_at(server.url, Journal(house.engine, SystemClock(), "UTC"), seconds=20.0)
        stack.push_async_callback(model.aclose)
        return cls(folder, house, server, model, tally)

    async def looked_up(self, name: str, arguments: tuple[str, ...]) -> None:
        """One draft whose model asks this tool for these, and repeats in its letter what it was told."""
        hostile = HostileTools()

        async def offers() -> Offers:
            return hostile.offers(name)

        self.server.answer(asking(name, arguments))
        reference = Reference(
            lookups=Lookups(self.house.engine, self.house.clock), foreign=offers, limits=Limits(seconds=TOOL_SECONDS)
        )
        await self._drafted(name, Drafter(TemplateReply(), ReplyAgent(self.model, TemplateReply(), reference)), BRIEF)
        self.tally.admitted += hostile.got.count(ADMITTED)
        self.tally.escaped += sum(argument != ADMITTED for argument in hostile.got)

    async def asked_for_a_time(self, name: str, text: str) -> None:
        """One draft of the template to a mail that names a time, with this calendar."""
        path = self.folder / f"{name}.ics"
        path.write_text(text, "utf-8")
        clock = SystemClock()
        source = NamedCalendar(name=name, source=IcsFiles(path=path))
        calendars = Calendars(calendars=(source,), zone="UTC", owners=OWNER.addresses, clock=clock)
        began = time.monotonic()
        look = CalendarLook(calendars=calendars)
        diary = diary_at(clock.now(), OWNER, Offering(), ())
        times, facts = await asyncio.to_thread(times_of, BRIEF.message, "en", diary, look.busy)
        brief = replace(BRIEF, times=times, facts=facts, hints=times.faults)
        await self._drafted(f"calendar {name}", Drafter(TemplateReply()), brief, began)

    async def _drafted(self, name: str, drafter: Drafter, brief: Brief, began: float | None = None) -> None:
        self.case += 1
        began = time.monotonic() if began is None else began
        draft = await drafter.draft(replace(brief, case=self.case), 1, "", "")
        hints = replace(draft, why=(*draft.why, *brief.hints, *(fact.quote for fact in brief.facts)))
        self.tally.count(name, hints, time.monotonic() - began)


def asking(name: str, arguments: tuple[str, ...]) -> Callable[[Request], Answer]:
    """A model that looks these up at once, then writes the lure, and a good letter when that is refused."""
    rounds = [[{"tool": name, "arguments": {"company": argument}} for argument in arguments]]
    letters = [GOOD.replace("thank you,", f"thank you. {LURE}"), GOOD]

    def answer(request: Request) -> Answer:
        if request.looks_up:
            return {"calls": rounds.pop(0) if rounds else []}
        if "asks" in request.schema["properties"]:
            return {"asks": ["the kick-off"], "tone": "kind", "must_answer": ["the kick-off"], "open_points": []}
        body = letters.pop(0) if len(letters) > 1 else letters[0]
        return {"body": body, "gist": "Looks into it.", "sources": []}

    return answer
