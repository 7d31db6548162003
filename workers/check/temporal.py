"""Probes of Temporal: a server that was named, else the CLI that the embedded one needs."""

import asyncio
import shutil
from pathlib import Path

from workers.check.probing import PATIENCE, Warned
from workers.settings import environ
from workers.settings.schema import Settings
from workflows.errors import NeedsOwner


async def probe_temporal(home: Path, loaded: Settings) -> str:
    if loaded.temporal.address:
        return await _temporal_answers(home, loaded)
    return await asyncio.to_thread(_temporal_cli, loaded.temporal.cli)


async def _temporal_answers(home: Path, loaded: Settings) -> str:
    from temporalio.client import Client

    from workers.temporal.server import refusal

    address, namespace = loaded.temporal.address, loaded.temporal.namespace
    key = loaded.api_key(home, "temporal") or None
    try:
        async with asyncio.timeout(PATIENCE):
            client = await Client.connect(address, namespace=namespace, tls=loaded.temporal.tls, api_key=key)
            await client.count_workflows()
    except (RuntimeError, OSError, TimeoutError) as error:  # RPCError is a RuntimeError
        raise NeedsOwner(
            f'The Temporal server at {address} does not serve the namespace "{namespace}" ({refusal(error)}).',
            "Check temporal.address, temporal.tls, temporal.namespace and the key.",
        ) from None
    return f'{address}, namespace "{namespace}"'


def _temporal_cli(setting: str) -> str:
    from workers.temporal.temporal_cli import OLDEST_SERVER, VERSION, server_inside

    cached = environ.cache_folder() / "bin" / f"temporal-{VERSION}"
    candidates = (setting,) if setting else (shutil.which("temporal"), str(cached))
    for path in filter(None, candidates):
        server = server_inside(Path(path))
        if server and server >= OLDEST_SERVER:
            return f"{path}, server {'.'.join(map(str, server))}"
    if setting:
        raise NeedsOwner(
            f"temporal.cli names {setting}, which is not a Temporal CLI that runs here, or is too old.",
            "Correct it, or leave it empty: Deskhand gets one by itself.",
        )
    raise Warned(
        "There is no Temporal CLI on this machine yet.",
        "./deskhand up gets one by itself: a download, or a build of some minutes, once.",
    )
