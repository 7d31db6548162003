"""`check` for the owner's signatures: what is stated, what was learnt from Sent, and where to state it."""

import asyncio
from pathlib import Path

from memory.ledger import Ledger
from memory.record.blobs import Blobs
from memory.record.endings import TaughtSignature
from memory.record.schema import open_engine
from workers.clock import SystemClock
from workers.settings.schema import Settings
from workflows.rules.text.canonical import one_line
from workflows.rules.text.words import counted

_STATE = "If your mail program puts one under your answers, state it as owner.signature (docs/settings.md)."
_SHORT = 60


async def signatures(home: Path, loaded: Settings) -> str:
    """One sentence on what is left out of the owner's answers."""
    owner = loaded.owner_facts()
    configured = [f"{_short(block)} (owner.signature)" for block in owner.signatures]
    learnt = [
        f"{_short(signature.text)} ({_taught_by(signature)})"
        for signature in await asyncio.to_thread(_taught, home, loaded)
    ]
    if not configured and not learnt:
        return f"None is learnt yet: it takes three mails of yours to others that end alike. {_STATE}"
    advice = "" if configured else " Is it wrong or not all of it, state yours as owner.signature (docs/settings.md)."
    return f"Left out of your answers: {'; '.join([*configured, *learnt])}.{advice}"


def _taught(home: Path, loaded: Settings) -> tuple[TaughtSignature, ...]:
    file = home / "ledger.sqlite"
    if not file.exists():
        return ()
    engine = open_engine(file)
    try:
        return Ledger(engine, loaded.owner_facts(), SystemClock(), Blobs(home / "blobs")).taught_signatures()
    finally:
        engine.dispose()


def _short(block: str) -> str:
    return f'"{one_line(block.replace(chr(10), " · "), _SHORT)}"'


def _taught_by(signature: TaughtSignature) -> str:
    subjects = ", ".join(f'"{one_line(subject, 40)}"' for subject in signature.subjects[:3])
    threads = counted(len(signature.subjects), "conversation")
    return f"learnt from {threads} since {signature.since:%Y-%m-%d}: {subjects}"
