"""`check`: one probe for every part, each fault with its mend. One that fails does not stop the rest.

Exit 0 when all required probes hold, else 2: what they name is the owner's to mend.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from functools import partial
from pathlib import Path

from tools.mail.account import Account
from workers.check.connecting import connect, handshake, imap_login, smtp_login
from workers.check.machine import probe_disk, probe_home, probe_packages, probe_settings
from workers.check.mailbox import ask_mailbox, probe_folders, probe_idle, probe_proof, probe_sent
from workers.check.mind import probe_memory, probe_model
from workers.check.probing import Probe, Steps, in_turn, probed, step_of, with_settings
from workers.check.temporal import probe_temporal
from workers.check.trade import (
    probe_answers,
    probe_calendar,
    probe_invoices,
    probe_plugins,
    probe_profile,
    probe_signature,
    probe_sources,
    probe_work,
)
from workers.settings import loading
from workers.settings.schema import Settings
from workers.voice.output import Output
from workflows.errors import NeedsOwner

ORDER = (
    "settings", "packages", "home", "disk",
    "imap.connect", "imap.tls", "imap.login", "imap.idle", "imap.folders", "imap.sent", "proof",
    "smtp.connect", "smtp.tls", "smtp.login",
    "temporal", "memory", "model", "invoices", "work", "answers", "calendar",
    "plugins", "sources", "profile", "signature",
)  # fmt: skip

_LAST = (
    ("temporal", probe_temporal), ("memory", probe_memory), ("model", probe_model), ("invoices", probe_invoices),
    ("work", probe_work), ("answers", probe_answers), ("calendar", probe_calendar),
    ("plugins", probe_plugins), ("sources", probe_sources),
    ("profile", probe_profile), ("signature", probe_signature),
)  # fmt: skip
_WORTH_A_LOOK = 'What is marked "note" is worth a look.'


def check(output: Output) -> int:
    """Probe every part; 0 when all required ones hold, else 2."""
    return asyncio.run(_check(output))


async def _check(output: Output) -> int:
    faults, notes = 0, 0
    async for probe in probes(output.home):
        fields = {"required": probe.required, "problem": probe.problem, "mend": probe.mend, "detail": probe.detail}
        output.event("probe", name=probe.name, ok=probe.ok, **fields)
        output.text(_line(probe))
        faults += probe.required and not probe.ok
        notes += not probe.required and not probe.ok
    output.text("" if faults else f"\nNothing hinders it. {_WORTH_A_LOOK}" if notes else "\nAll is well.")
    return 2 if faults else 0


def _line(probe: Probe) -> str:
    mark = "ok  " if probe.ok else "FAIL" if probe.required else "note"
    text = probe.detail if probe.ok else f"{probe.problem} {probe.mend}"
    return f"{mark}  {probe.name:<13} {text}".rstrip()


async def probes(home: Path) -> AsyncIterator[Probe]:
    """Every probe in the order of `ORDER`."""
    first = await probed("settings", lambda: probe_settings(home))
    yield first
    loaded = loading.load(home) if first.ok else None
    yield await probed("packages", probe_packages)
    yield await probed("home", lambda: probe_home(home))
    yield await probed("disk", lambda: probe_disk(home))
    async for probe in _imap(home, loaded):
        yield probe
    async for probe in _smtp(home, loaded):
        yield probe
    for name, work in _LAST:
        yield await probed(name, with_settings(work, home, loaded))


# ---------------------------------------------------------------- mail


async def _imap(home: Path, loaded: Settings | None) -> AsyncIterator[Probe]:
    account = _account(lambda: loaded.imap_account(home)) if loaded else None
    steps: Steps = (
        ("imap.connect", connect),
        ("imap.tls", lambda account: handshake(account, "imap")),
        ("imap.login", imap_login),
    )
    well = True
    async for probe in in_turn(account, steps):
        well = probe.ok
        yield probe
    for name, question in (("imap.idle", probe_idle), ("imap.folders", probe_folders), ("imap.sent", probe_sent)):
        yield await probed(name, step_of(partial(ask_mailbox, question, loaded), account, well=well))
    yield await probed(
        "proof", step_of(partial(ask_mailbox, partial(probe_proof, home, loaded), loaded), account, well=well)
    )


async def _smtp(home: Path, loaded: Settings | None) -> AsyncIterator[Probe]:
    account = _account(lambda: loaded.smtp_account(home)) if loaded else None
    steps: Steps = (
        ("smtp.connect", connect),
        ("smtp.tls", lambda account: handshake(account, "smtp")),
        ("smtp.login", smtp_login),
    )
    async for probe in in_turn(account, steps):
        yield probe


def _account(made: Callable[[], Account]) -> Account | None:
    try:
        return made()
    except NeedsOwner:
        return None  # told by the probe "settings"
