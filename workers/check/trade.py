"""Probes of the owner's trade: invoices, projects and time, plugins, sources, profile, signature."""

import asyncio
from pathlib import Path
from zoneinfo import ZoneInfo

from workers import home as homes
from workers.check.probing import Unneeded, Warned
from workers.settings.schema import Settings
from workflows.errors import NeedsOwner
from workflows.rules.text.words import counted


async def probe_invoices(home: Path, loaded: Settings) -> str:
    """The folder of invoices and Invoice Ninja: read as the service does, nothing kept."""
    from workers.sources import invoicing

    detail, faults = await invoicing.probe(loaded, home)
    if faults:
        remainder = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        raise Warned(f"{faults[0]}{remainder}", "Mend it; everything else is taken in meanwhile.")
    if not detail:
        raise Unneeded("There are no invoices: docs/money.md says where they come from.")
    return detail


async def probe_work(home: Path, loaded: Settings) -> str:
    """The folders of projects and timesheets, and the repositories: read as the service does, nothing kept."""
    from workers.clock import SystemClock
    from workers.sources.folders import Folders, together

    folders = Folders(home=home, settings=loaded.work, owner=loaded.owner_facts())
    today = SystemClock().now().astimezone(ZoneInfo(loaded.owner.timezone)).date()
    projects = await asyncio.to_thread(folders.projects)
    work = await asyncio.to_thread(folders.work, projects.found, today)
    if faults := [*projects.faults, *work.faults]:
        fault = together(faults)
        if isinstance(fault, NeedsOwner):
            raise Warned(fault.problem, fault.mend or "Mend it; everything else is taken in meanwhile.")
        raise fault
    if not projects.found:
        raise Unneeded("There are no projects: docs/status.md says how one is written.")
    pieces = counted(len(work.pieces), "piece of work", "pieces of work")
    return f"{counted(len(projects.found), 'project')}, {pieces}."


async def probe_answers(home: Path, loaded: Settings) -> str:
    """The standing answers of the settings and of the folder, read as each draft does."""
    from workers.sources.answers import StandingTexts

    folder = await asyncio.to_thread(StandingTexts(home=home, settings=loaded).read)
    if folder.faults:
        remainder = f" And {len(folder.faults) - 1} more." if len(folder.faults) > 1 else ""
        first = folder.faults[0]
        raise Warned(f"{first.problem}{remainder}", first.mend or "Mend it; the others are used meanwhile.")
    if not folder.answers:
        raise Unneeded("There are no standing answers: docs/desk.md says how one is written.")
    verbatim = sum(answer.verbatim for answer in folder.answers)
    return f"{counted(len(folder.answers), 'standing answer')}, {verbatim} used word for word."


async def probe_plugins(home: Path, loaded: Settings) -> str:
    """Every plugin is run as the service does, and every configured source has one that gives it."""
    from tools.plugins import foreign, load

    declarations = await asyncio.to_thread(foreign, home / "plugins")
    if not declarations and not loaded.sources:
        raise Unneeded("There are no plugins and no sources: docs/leads.md describes both.")
    plugins = await asyncio.to_thread(load, home / "plugins")
    if plugins.refused:
        raise NeedsOwner(
            " ".join(refusal.reason for refusal in plugins.refused), "Plugins are trusted code: run only your own."
        )
    for name, section in loaded.sources.items():
        kind = section.use or name
        if kind not in plugins.sources:
            raise NeedsOwner(
                f'The source {name} uses "{kind}", which no plugin gives.',
                f"Set use in [sources.{name}] to one of {', '.join(sorted(plugins.sources))}.",
            )
    runs = "which runs" if len(declarations) == 1 else "which run"
    return f"{counted(len(declarations), 'plugin')}, {runs} with your rights; {counted(len(loaded.sources), 'source')}."


async def probe_sources(home: Path, loaded: Settings) -> str:
    """Each source is asked once, as the service does; nothing is kept."""
    from workers.clock import SystemClock
    from workers.sources import feeds

    if not loaded.sources:
        raise Unneeded("No job posts are read: docs/leads.md describes how.")
    if holder := homes.holder(home):
        raise Unneeded(f"Asked by {holder}: ./deskhand status tells how that goes.")
    detail, faults = await feeds.probe(loaded.sources, home, SystemClock().now())
    needed = [fault for fault in faults if isinstance(fault, NeedsOwner)]
    if needed:
        remainder = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
        raise NeedsOwner(f"{needed[0].problem}{remainder}", needed[0].mend)
    if faults:
        raise Warned(" ".join(str(fault) for fault in faults), "Nothing to do: it is asked again.")
    return detail


async def probe_profile(_home: Path, loaded: Settings) -> str:
    """What leads are weighed by and bids are made of."""
    profile = loaded.profile
    if not loaded.sources:
        raise Unneeded("No job posts are read, so no profile is needed: docs/leads.md describes both.")
    lacking = [key for key in ("rate", "skills", "work") if not getattr(profile, key)]
    if lacking:
        missing = " and no ".join(lacking)
        raise Warned(
            f"The profile names no {missing}: job posts are weighed without, and bids say nothing of it.",
            "Fill in [profile]; docs/settings.md describes each key.",
        )
    past = counted(len(profile.work), "piece of past work", "pieces of past work")
    counts = f"{counted(len(profile.skills), 'skill')}, {past}, {counted(len(profile.facts), 'fact')}"
    return f"Bids are made of {profile.rate}, {counts}."


async def probe_signature(home: Path, loaded: Settings) -> str:
    """What is left out of the owner's answers as his signature."""
    from workers.desk.endings import signatures

    return await signatures(home, loaded)


async def probe_calendar(home: Path, loaded: Settings) -> str:
    """Each calendar is asked once, as a draft does; nothing is kept."""
    from workers.clock import SystemClock
    from workers.sources import calendars

    if not loaded.calendar.sources:
        raise Unneeded("No calendar is read, so no time is promised: [calendar] in docs/settings.md.")
    detail, faults = await calendars.probe(loaded, home, SystemClock())
    more = f" And {len(faults) - 1} more." if len(faults) > 1 else ""
    needed = next((fault for fault in faults if isinstance(fault, NeedsOwner)), None)
    if needed:
        raise NeedsOwner(f"{needed.problem}{more}", needed.mend)
    if faults:
        raise Warned(f"{faults[0]}{more}", "No time is promised while a calendar cannot be read; it is asked again.")
    return detail
