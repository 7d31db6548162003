"""Probes of this machine: the settings, our packages, the home folder, the disk."""

import asyncio
import importlib.util
from pathlib import Path
from typing import TYPE_CHECKING

from workers import home as homes
from workers.settings import loading
from workflows.errors import NeedsOwner

if TYPE_CHECKING:
    pass


ROOT = Path(__file__).resolve().parents[2]
PACKAGES = ("workflows", "memory", "tools", "agents", "workers")


async def probe_settings(home: Path) -> str:
    loaded = loading.load(home)
    loaded.owner_facts()
    loaded.imap_account(home)
    loaded.smtp_account(home)
    for section in ("model", "embeddings", "temporal"):
        loaded.api_key(home, section)
    return str(home / loading.FILE)


async def probe_packages() -> str:
    return await asyncio.to_thread(_own_packages)


def _own_packages() -> str:
    """The five names are plain words; another distribution may own one of them and would be imported instead."""
    for name in PACKAGES:
        spec = importlib.util.find_spec(name)
        origin = Path(spec.origin).resolve() if spec and spec.origin else None
        if origin is None or not origin.is_relative_to(ROOT):
            raise NeedsOwner(
                f'The package "{name}" comes from {origin or "nowhere"} and not from {ROOT}.',
                "Another distribution owns that name: remove it from this Python, or start by ./deskhand.",
            )
    return str(ROOT)


async def probe_home(home: Path) -> str:
    return await asyncio.to_thread(_closed_to_others, home)


def _closed_to_others(home: Path) -> str:
    if not home.is_dir():
        raise NeedsOwner(f"The home {home} does not exist.", "Run ./deskhand init.")
    paths = homes.open_to_others(home)
    if paths:
        remainder = f" (and {len(paths) - 1} more)" if len(paths) > 1 else ""
        raise NeedsOwner(f"Other users can look into {paths[0]}{remainder}.", f"Run: chmod -R go= {home}")
    return str(home)


async def probe_disk(home: Path) -> str:
    free = homes.free_bytes(home)
    if free < homes.LITTLE_SPACE:
        raise NeedsOwner(f"Only {free // 2**20} MB are free where {home} lies.", "Free some space.")
    return f"{free / 2**30:.1f} GB free"
