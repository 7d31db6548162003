"""`./deskhand demo status`: a project's logged week becomes a status update; what is at risk is told to the owner."""

import asyncio
import shutil
from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

from workers.clock import SystemClock
from workers.demo.site import recorded
from workers.demo.stage import OWNER, DemoStage, raised
from workers.voice.output import Output

CLIENT = "maria@studio.example"
SECTIONS: dict[str, dict[str, Any]] = {
    "owner": {"hours": "Mon-Sun 00:00-24:00"},  # the demo may be watched on a Sunday
    "work": {"updates_at": "00:00", "hours_per_week": 20},
}
COMMITS = ("Validate addresses in the contact form", "Speed up the image gallery")


async def play(stack: AsyncExitStack, output: Output, answer: str | None) -> int:
    """0 only if the client received exactly the approved update, or nothing after a no."""
    await prepare(output.home)
    return await Status(await raised(stack, output, answer, sections=SECTIONS)).through()


async def prepare(home: Path) -> None:
    """The owner's files: one project, a week of Toggl's export, and a repository where there is git."""
    now = SystemClock().now()
    repository = await _repository(home / "code")
    files = {
        "projects/relaunch.toml": recorded("relaunch.toml", now, repositories=f'"{repository}"' if repository else ""),
        "timesheets/toggl.csv": recorded("toggl.csv", now),
    }
    for name, text in files.items():
        path = home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text, "utf-8")


async def _repository(folder: Path) -> Path | None:
    """A git repository with last week's commits; None where git is not installed."""
    git = shutil.which("git")
    if git is None:
        return None
    today = SystemClock().now()
    monday = today - timedelta(days=today.weekday() + 7)
    await _run(git, "init", "--quiet", str(folder))
    identity = ("-c", f"user.name={OWNER.name}", "-c", f"user.email={OWNER.email}", "-c", "commit.gpgsign=false")
    for number, text in enumerate(COMMITS):
        at = (monday + timedelta(days=number)).replace(hour=10).isoformat()
        await _run(git, "-C", str(folder), *identity, "commit", "--quiet", "--allow-empty", "--date", at, "-m", text)
    return folder


async def _run(*command: str) -> None:
    process = await asyncio.create_subprocess_exec(*command, stderr=asyncio.subprocess.DEVNULL)
    await process.wait()


@dataclass(slots=True)
class Status:
    """From the files to what the client received."""

    stage: DemoStage

    async def through(self) -> int:
        """Play it; the exit code."""
        stage = self.stage
        (case,) = await stage.until(lambda: stage.cases("update"))
        stage.say(f"A week of work is logged: {stage.service.parts.ledger.story(case).row.title}")
        stage.event("received", source="timesheets, git log", title=stage.service.parts.ledger.story(case).row.title)
        state = await stage.converse(case)
        received = await stage.received(CLIENT, state)
        well = stage.well(state, received)
        risk = (await stage.until(stage.notices))[0]
        stage.show(risk, 0)
        await self._remember(case)
        stage.event("done", ok=well, case=case, outcome=state.outcome or "waiting", received=len(received))
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    async def _remember(self, case: int) -> None:
        """Another look at the same files proposes nothing twice."""
        stage = self.stage
        summary = await stage.look("work")
        stage.say(f"The files are looked at once more: {summary}.")
        repeats = [number for number in await stage.cases("update") if number != case]
        stage.event("looked_again", said=summary, proposed_again=repeats)
        stage.remembered(case)
