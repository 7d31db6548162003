"""Probes of memory and model: the store is opened as the service does, the model is asked once."""

import asyncio
import tempfile
from pathlib import Path

from workers import home as homes
from workers.check.probing import Unneeded
from workers.settings.schema import Settings


async def probe_memory(home: Path, loaded: Settings) -> str:
    if not (home / "chroma").exists():
        raise Unneeded("There is nothing remembered yet; the first ./deskhand up makes the store.")
    holder = homes.holder(home)
    if holder:
        raise Unneeded(f"In use by {holder}.")
    return await asyncio.to_thread(_store, home, loaded)


def _store(home: Path, loaded: Settings) -> str:
    """Open the store while the home is held; what is damaged is set aside and rebuilt, and told."""
    from memory.index.keywords import Keywords
    from memory.index.store import Store
    from memory.journal import Journal
    from memory.ledger import Ledger
    from memory.record.blobs import Blobs
    from memory.record.schema import open_engine
    from workers.clock import SystemClock
    from workers.service.wiring import embedder

    notices: list[str] = []
    clock = SystemClock()
    with homes.hold(home, "check"):
        engine = open_engine(home / "ledger.sqlite")
        ledger = Ledger(engine, loaded.owner_facts(), clock, Blobs(home / "blobs"))
        keywords = Keywords(home / "index.sqlite", ledger.home(), clock, notices.append)
        # The embedder of the service, for the store takes a folder made by another one as damaged and rebuilds it.
        vectors = embedder(home, loaded, Journal(engine, clock, loaded.owner.timezone))
        store = Store(home / "chroma", ledger, keywords, vectors, clock, notices.append)
        try:
            count = store.count()
        finally:
            store.close()
    return " ".join((f"{count} vectors.", *notices))


async def probe_model(home: Path, loaded: Settings) -> str:
    if loaded.model is None:
        raise Unneeded("No model is configured: rules and templates do the work.")
    from agents.door.prices import Prices
    from agents.model import Model
    from memory.journal import Caps, Journal
    from memory.record.schema import open_engine
    from workers.clock import SystemClock

    part, clock = loaded.model, SystemClock()
    # A ledger of its own: the probe must work before there is one, and must not stand in any case's account.
    with tempfile.TemporaryDirectory() as folder:
        engine = open_engine(Path(folder) / "ledger.sqlite")
        model = Model(
            base_url=part.base_url,
            name=part.name,
            api_key=loaded.api_key(home, "model"),
            structured=part.structured,
            caps=Caps.parse(str(part.daily_cost), part.daily_calls, part.daily_tokens),
            journal=Journal(engine, clock, loaded.owner.timezone),
            prices=Prices.load(),
            clock=clock,
        )
        try:
            return await model.probe()
        finally:
            await model.aclose()
            engine.dispose()
