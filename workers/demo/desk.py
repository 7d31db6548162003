"""`./deskhand demo desk`: one mail asks three things; the draft answers them, attaches the file and books the time."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

from tools.mail import mime
from workers.clock import SystemClock
from workers.demo import money
from workers.demo.diary import PASSWORD, USER, DiaryServer
from workers.demo.site import recorded
from workers.demo.stage import DemoStage, raised, written
from workers.voice.output import Output
from workflows.models.case import CaseState
from workflows.rules.asking.proposed import BOOK

CLIENT = money.CLIENT
FILE = "brief-template.txt"
OPEN_INVOICE = "2026-019"
SUBJECT = "Before the kick-off"
_AHEAD = timedelta(days=3)
_HOUR = timedelta(hours=1)


def question() -> str:
    """The client's mail: a time, money and a file."""
    return (
        f"Hi Ada,\n\ndoes {_call():%A} at 10:00 work for a call? How much of invoice {OPEN_INVOICE} is still open?\n"
        "And could you send us the brief template?\n\nMaria\n"
    )


def sections(diary: DiaryServer) -> dict[str, dict[str, Any]]:
    """A calendar in a file, and one on a server that may be written to."""
    server = {"name": "work", "caldav": diary.url, "user": USER, "password": PASSWORD}
    return {
        "owner": {"hours": "Mon-Sun 00:00-24:00"},  # the demo may be watched on a Sunday
        "calendar": {"sources": [{"name": "private", "path": "private.ics"}, server]},
    }


async def play(stack: AsyncExitStack, output: Output, answer: str | None) -> int:
    """0 only if the client received exactly what was approved, and the calendar holds what was approved with it."""
    diary = DiaryServer.opened(stack)
    furnish(output.home)
    _file(output.home / "invoices" / "open.csv", recorded("open.csv", SystemClock().now()))
    _file(output.home / "projects" / "relaunch.toml", recorded("relaunch.toml", SystemClock().now(), repositories=""))
    stage = await raised(stack, output, answer, sections=sections(diary))
    return await DeskDemo(stage, diary).through()


def furnish(home: Path) -> None:
    """The owner's calendar file, and the folder of files that may be attached."""
    _file(home / "private.ics", _private())
    _file(home / "files" / FILE, recorded(FILE, SystemClock().now()))


def _file(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, "utf-8")


def _call() -> datetime:
    """The time that the client names, on the owner's clock, which is UTC here."""
    return (SystemClock().now() + _AHEAD).replace(hour=10, minute=0, second=0, microsecond=0)


def _private() -> str:
    """An hour that is taken, right before the call."""
    begins = _call() - _HOUR
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//Deskhand//demo//EN", "BEGIN:VEVENT", "UID:dentist@winter.example",
        f"DTSTAMP:{begins:%Y%m%dT%H%M%SZ}", "SUMMARY:Dentist", f"DTSTART:{begins:%Y%m%dT%H%M%SZ}",
        f"DTEND:{begins + _HOUR:%Y%m%dT%H%M%SZ}", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(lines)


@dataclass(slots=True)
class DeskDemo:
    """From the client's three questions to what they received and what the calendar holds."""

    stage: DemoStage
    diary: DiaryServer

    async def through(self) -> int:
        """Play it; the exit code."""
        stage = self.stage
        case = await self.asked()
        state = await stage.converse(case)
        received = await stage.received(CLIENT.email, state)
        well = stage.well(state, received) and self.as_approved(state, received)
        stage.remembered(case)
        stage.event("done", ok=well, case=case, outcome=state.outcome or "waiting", received=len(received))
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    async def asked(self) -> int:
        """The desk is known, and the mail comes in; its case."""
        stage = self.stage
        await stage.look("invoices")
        await stage.look("work")
        raw = written(CLIENT, stage.owner, SUBJECT, question(), message_id="<desk@studio.example>")
        await stage.mail.deliver(stage.owner.email, raw)
        stage.say(f"A mail with three questions comes in from {CLIENT.email}: {SUBJECT}")
        stage.event("received", sender=CLIENT.email, subject=SUBJECT)
        (case,) = await stage.until(lambda: stage.cases("reply"))
        return case

    def as_approved(self, state: CaseState, received: list[bytes]) -> bool:
        """Whether the files came and the calendar holds what the approved version says, and nothing without a yes."""
        stage, entries = self.stage, list(self.diary.events.values())
        for entry in entries:
            says = {name: value for name, _, value in (line.partition(":") for line in entry.splitlines())}
            stage.say(f"The calendar work holds now: {says['SUMMARY']}, {says['DTSTART']}")
            stage.event("booked", case=state.case, title=says["SUMMARY"], begins=says["DTSTART"])
        if state.outcome != "sent":
            return not entries
        outgoing = stage.service.parts.ledger.outgoing(state.case, state.version)
        names = [file.name for raw in received for file in mime.parse(raw).attachments]
        approved = [proposal for proposal in outgoing.proposals if proposal.tool == BOOK]
        return names == [file.name for file in outgoing.attachments] and len(entries) == len(approved)
