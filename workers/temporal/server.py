"""The embedded Temporal server: a child process on loopback, its database and log in the home.

It dies with us (parent-death signal), and if it could not, the next start ends it first. It keeps its port over
restarts, so that clients and workers connect again by themselves. The caller holds the home alone
(workers/home.py).
"""

import asyncio
import json
import os
import re
import secrets
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

from workers.temporal.process import (
    LAUNCH,
    bound_log,
    candidates,
    dotted,
    ending,
    free_port,
    is_free,
    last_words,
    lines_since,
    pause_after,
    read_known,
    send_signal,
    serves,
)
from workers.temporal.temporal_cli import Cli, Version, find_cli
from workflows.errors import NeedsOwner

if TYPE_CHECKING:
    from temporalio.client import Client


__all__ = ["Cli", "TemporalServer", "find_cli"]

NAMESPACE = "default"
RETENTION = timedelta(days=30)
"""Closed cases stay readable in Temporal that long; the ledger, not Temporal, is what rejects repeats."""

BOOT_LIMIT = 120.0  # seconds; it takes 0.3 on a free machine, half a minute on a very busy one
STOP_LIMIT = 5.0
PORT_LIMIT = 1.0  # a server that was just killed holds its port a moment longer than its name
HEALTHY_AFTER = 60.0  # seconds of life after which an end counts as the first one again
PROBE_EVERY = 15.0
PROBES_MISSED = 3

MEMORY = ("GOGC=30", "GOMEMLIMIT=96MiB")  # 176 -> 149 MB resident
TUNING = (
    *("--sqlite-pragma", "journal_mode=wal", "--sqlite-pragma", "synchronous=full"),
    # The default of 20 polls a second costs 50 ms at every hop.
    *("--dynamic-config-value", "history.transferProcessorMaxPollRPS=1000"),
    *("--dynamic-config-value", "history.timerProcessorMaxPollRPS=1000"),
    *("--dynamic-config-value", "system.enableActivityEagerExecution=true"),
)


def closed_to_web_pages() -> tuple[str, str]:
    """The server's HTTP port answers only to a host name that nobody knows: any browser here can reach the port."""
    return "--dynamic-config-value", f'frontend.httpAllowedHosts=["{secrets.token_hex(16)}.invalid"]'


class PortTakenError(NeedsOwner):
    """Another program holds a port that the server needs."""


def refusal(error: Exception) -> str:
    """Why a Temporal server did not take us, without the layers of the library that says so."""
    message = str(error).partition("\n")[0]
    inner = re.search(r'message: "([^"]+)"', message)
    return (inner[1] if inner else message)[:200] or "no answer"


class TemporalServer:
    """`start`, then `supervise` for as long as it is needed, then `stop`. `address` is "127.0.0.1:PORT"."""

    def __init__(
        self,
        cli: Cli,
        home: Path,
        *,
        namespace: str = NAMESPACE,
        port: int = 0,
        probe_every: float = PROBE_EVERY,
    ) -> None:
        """`port` 0: the one used last when it is free, else any free one."""
        self.cli = cli
        self.database = (home / "temporal.sqlite").absolute()
        self.log = home / "log" / "temporal.log"
        self.port = port
        self._namespace = namespace
        self._state = home / "temporal.json"
        self._fixed = port != 0
        self._probe_every = probe_every
        self._child: asyncio.subprocess.Process | None = None
        self._client: Client | None = None
        self._stopping = False
        self._log_from = 0  # where this child's own words begin

    @property
    def address(self) -> str:
        return f"127.0.0.1:{self.port}"

    @property
    def pid(self) -> int:
        """The child's process id, 0 when there is none."""
        return self._child.pid if self._child and self._child.returncode is None else 0

    async def start(self) -> str:
        """Run the server and wait until it answers; the address to connect to.

        Raises:
            NeedsOwner: the port is taken, the database is a newer server's or broken, or it does not start here.
        """
        self._stopping = False
        record = read_known(self._state)
        self._refuse_newer(record)
        await self._end_orphans(record)
        for tries_left in (2, 1, 0):
            await self._choose_port(record)
            try:
                await self._boot()
            except PortTakenError:
                if self._fixed or not tries_left:
                    raise
            else:
                break
        return self.address

    async def stop(self) -> None:
        """End the server: asked first, killed after five seconds. Nothing is lost either way."""
        self._stopping = True
        self._client = None
        child = self._child
        if child is None or child.returncode is not None:
            return
        send_signal(child.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await child.wait()
        except TimeoutError:
            send_signal(child.pid, signal.SIGKILL)
            await child.wait()
        self._remember(0)

    async def supervise(self, on_event: Callable[[str], None]) -> None:
        """Keep it running until cancelled or stopped: one that ends or hangs is started again on the same port."""
        failures = 0
        while not self._stopping:
            began = time.monotonic()
            ended = await self._watch()
            if self._stopping:
                return
            lived = time.monotonic() - began
            failures = 0 if lived > HEALTHY_AFTER else failures + 1
            on_event(f"The Temporal server {ended}; starting it again.")
            if failures > 1:
                await asyncio.sleep(pause_after(failures))
            await self._revive(on_event)

    # ------------------------------------------------------------ one life of the child

    async def _boot(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        bound_log(self.log)
        with self._open_log() as out:
            self._log_from = out.tell()
            self._child = await asyncio.create_subprocess_exec(
                *(sys.executable, "-I", "-S", "-c", LAUNCH, str(os.getpid())),
                *MEMORY,
                *self._command(),
                stdin=subprocess.DEVNULL,
                stdout=out,
                stderr=out,
                start_new_session=True,  # Ctrl-C is ours to answer: the server must outlive the drain
            )
        self._remember(self._child.pid)
        try:
            self._client = await self._answering(self._child)
        except BaseException:
            send_signal(self._child.pid, signal.SIGKILL)
            await self._child.wait()
            raise
        await _set_retention(self._client)
        self.database.chmod(0o600)

    def _open_log(self) -> Any:
        handle = os.open(self.log, os.O_WRONLY | os.O_APPEND | os.O_CREAT, 0o600)
        return os.fdopen(handle, "ab")

    def _command(self) -> list[str]:
        return [
            *(str(self.cli.path), "server", "start-dev", "--headless", "--log-level", "error"),
            *("--ip", "127.0.0.1", "--port", str(self.port), "--namespace", self._namespace),
            *("--http-port", str(free_port()), "--metrics-port", str(free_port())),
            *("--db-filename", str(self.database), *TUNING, *closed_to_web_pages()),
            *("--disable-config-file", "--disable-config-env"),  # a profile of the user's is about other servers
        ]

    async def _answering(self, child: asyncio.subprocess.Process) -> "Client":
        """A client once a real GetSystemInfo came back; `connect` asks it."""
        from temporalio.client import Client

        deadline = time.monotonic() + BOOT_LIMIT
        while child.returncode is None:
            try:
                return await Client.connect(self.address, namespace=self._namespace)
            except RuntimeError:
                if time.monotonic() > deadline:
                    raise NeedsOwner(
                        f"The Temporal server does not answer at {self.address} after {BOOT_LIMIT:.0f} s.",
                        f"See {self.log}; a full or very slow disk is the usual cause.",
                    ) from None
                await asyncio.sleep(0.02)
        raise self._why_not(child.returncode)

    def _why_not(self, code: int) -> NeedsOwner:
        lines = lines_since(self.log, self._log_from)
        words = last_words(lines)
        if any("address already in use" in line for line in lines):
            return PortTakenError(
                f"Port {self.port} on 127.0.0.1 (or one beside it) is in use by another program.",
                "End that program, or start Deskhand again.",
            )
        return NeedsOwner(
            f"The Temporal server {ending(code)} at once: {words or 'it said nothing'}",
            f"See {self.log}. If its database is broken, move {self.database} away: open cases are made again from the"
            " ledger.",
        )

    async def _watch(self) -> str:
        """Wait until the child ends, or end it when it hangs; how it ended, in words."""
        child = self._child
        if child is None:
            return "was not started"
        ended = asyncio.ensure_future(child.wait())
        missed = 0
        try:
            while not (await asyncio.wait({ended}, timeout=self._probe_every))[0]:
                bound_log(self.log)
                missed = 0 if await self._answers() else missed + 1
                if missed == PROBES_MISSED:
                    send_signal(child.pid, signal.SIGKILL)
                    await ended
                    return "did not answer any more and was ended"
        finally:
            ended.cancel()
        return ending(child.returncode or 0)

    async def _answers(self) -> bool:
        from temporalio.api.workflowservice.v1 import GetSystemInfoRequest
        from temporalio.service import RPCError

        if self._client is None:
            return False
        try:
            limit = timedelta(seconds=min(self._probe_every, 5))
            await self._client.workflow_service.get_system_info(GetSystemInfoRequest(), timeout=limit)
        except RPCError:
            return False
        return True

    async def _revive(self, on_event: Callable[[str], None]) -> None:
        """Try until it runs: workers and clients wait for this very address."""
        failures = 0
        began = time.monotonic()
        while not self._stopping:
            try:
                self._refuse_foreign_port()
                await self._boot()
            except NeedsOwner as problem:
                failures += 1
                on_event(f"{problem} The next try is in {pause_after(failures):.0f} s.")
                await asyncio.sleep(pause_after(failures))
            else:
                on_event(f"The Temporal server answers again at {self.address} ({time.monotonic() - began:.1f} s).")
                return

    # ------------------------------------------------------------ before the first start

    def _refuse_newer(self, known: dict[str, Any]) -> None:
        before: Version = tuple(known.get("server", ()))
        if before > self.cli.server and self.database.exists():
            raise NeedsOwner(
                f"{self.database} was written by Temporal server {dotted(before)}, and {self.cli.path} is the older"
                f" {dotted(self.cli.server)}.",
                "Use the newer CLI (setting temporal.cli), or move the file away: open cases are made again from the"
                " ledger.",
            )

    async def _end_orphans(self, known: dict[str, Any]) -> None:
        """End what still runs on our database; two servers on one file would spoil it."""
        orphans = [pid for pid in candidates(known) if serves(pid, self.database)]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in orphans:
                send_signal(pid, number)
            deadline = time.monotonic() + STOP_LIMIT
            while orphans and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
                orphans = [pid for pid in orphans if serves(pid, self.database)]
        if orphans:
            raise NeedsOwner(
                f"A Temporal server (process {orphans[0]}) still holds {self.database} and cannot be ended.",
                f"End it: kill -9 {orphans[0]}",
            )

    async def _choose_port(self, known: dict[str, Any]) -> None:
        before = known.get("port")
        if not self.port and isinstance(before, int):
            self.port = before
        for _ in range(int(PORT_LIMIT / 0.02)):
            if not self.port or is_free(self.port):
                break
            await asyncio.sleep(0.02)
        if self._fixed:
            self._refuse_foreign_port()
        elif not self.port or not is_free(self.port):
            self.port = free_port()

    def _refuse_foreign_port(self) -> None:
        if not is_free(self.port):
            raise PortTakenError(
                f"Port {self.port} on 127.0.0.1 is in use by another program.",
                "End that program, or start Deskhand again: it takes another port.",
            )

    def _remember(self, pid: int) -> None:
        content = {"pid": pid, "port": self.port, "server": list(self.cli.server), "cli": str(self.cli.path)}
        fresh = self._state.with_suffix(".new")
        with os.fdopen(os.open(fresh, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600), "w") as file:
            json.dump(content, file)
        fresh.replace(self._state)


async def _set_retention(client: "Client") -> None:
    """The CLI has no flag for it, and its default of 24 hours forgets closed cases too soon to look at them."""
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.namespace.v1 import NamespaceConfig
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest

    retention = Duration(seconds=int(RETENTION.total_seconds()))
    service = client.workflow_service
    description = await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace), retry=True)
    if description.config.workflow_execution_retention_ttl != retention:
        config = NamespaceConfig(workflow_execution_retention_ttl=retention)
        await service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config), retry=True)
