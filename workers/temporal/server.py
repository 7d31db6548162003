"""The embedded Temporal server: a child process on loopback, its database and log in the home.

It dies with us (parent-death signal), and if it could not, the next start ends it first. It keeps its port over
restarts, so that clients and workers connect again by themselves. The caller holds the home alone
(workers/home.py).
"""

import asyncio
import itertools
import json
import os
import re
import secrets
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import TYPE_CHECKING, Any

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
LOG_LIMIT = 5_000_000  # bytes, twice: temporal.log and temporal.log.1
HEALTHY_AFTER = 60.0  # seconds of life after which an end counts as the first one again
PROBE_EVERY = 15.0
PROBES_MISSED = 3
LONGEST_PAUSE = 30.0

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


# Run by a bare interpreter that becomes the server: asks the kernel to end it with its parent. Not `preexec_fn`, which
# runs Python between fork and exec while other threads hold locks. 1 is PR_SET_PDEATHSIG; macOS has no such call.
LAUNCH = """
import os, signal, sys
parent = int(sys.argv[1])
try:
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)
except Exception:
    pass
else:
    if os.getppid() != parent:
        sys.exit(1)
os.umask(0o077)
os.execvp("env", ["env", *sys.argv[2:]])
"""


class PortTakenError(NeedsOwner):
    """Another program holds a port that the server needs."""


def refusal(error: Exception) -> str:
    """Why a Temporal server did not take us, without the layers of the library that says so."""
    said = str(error).partition("\n")[0]
    inner = re.search(r'message: "([^"]+)"', said)
    return (inner[1] if inner else said)[:200] or "no answer"


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
        known = _read(self._state)
        self._refuse_newer(known)
        await self._end_orphans(known)
        for tries_left in (2, 1, 0):
            await self._choose_port(known)
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
        _send(child.pid, signal.SIGTERM)
        try:
            async with asyncio.timeout(STOP_LIMIT):
                await child.wait()
        except TimeoutError:
            _send(child.pid, signal.SIGKILL)
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
                await asyncio.sleep(_pause(failures))
            await self._revive(on_event)

    # ------------------------------------------------------------ one life of the child

    async def _boot(self) -> None:
        self.log.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
        _bound(self.log)
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
            _send(self._child.pid, signal.SIGKILL)
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
            *("--http-port", str(_free_port()), "--metrics-port", str(_free_port())),
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
        said = _said(self.log, self._log_from)
        words = _last_words(said)
        if any("address already in use" in line for line in said):
            return PortTakenError(
                f"Port {self.port} on 127.0.0.1 (or one beside it) is in use by another program.",
                "End that program, or start Deskhand again.",
            )
        return NeedsOwner(
            f"The Temporal server {_ending(code)} at once: {words or 'it said nothing'}",
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
                _bound(self.log)
                missed = 0 if await self._answers() else missed + 1
                if missed == PROBES_MISSED:
                    _send(child.pid, signal.SIGKILL)
                    await ended
                    return "did not answer any more and was ended"
        finally:
            ended.cancel()
        return _ending(child.returncode or 0)

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
                on_event(f"{problem} The next try is in {_pause(failures):.0f} s.")
                await asyncio.sleep(_pause(failures))
            else:
                on_event(f"The Temporal server answers again at {self.address} ({time.monotonic() - began:.1f} s).")
                return

    # ------------------------------------------------------------ before the first start

    def _refuse_newer(self, known: dict[str, Any]) -> None:
        before: Version = tuple(known.get("server", ()))
        if before > self.cli.server and self.database.exists():
            raise NeedsOwner(
                f"{self.database} was written by Temporal server {_dotted(before)}, and {self.cli.path} is the older"
                f" {_dotted(self.cli.server)}.",
                "Use the newer CLI (setting temporal.cli), or move the file away: open cases are made again from the"
                " ledger.",
            )

    async def _end_orphans(self, known: dict[str, Any]) -> None:
        """End what still runs on our database; two servers on one file would spoil it."""
        orphans = [pid for pid in _candidates(known) if _serves(pid, self.database)]
        for number in (signal.SIGTERM, signal.SIGKILL):
            for pid in orphans:
                _send(pid, number)
            deadline = time.monotonic() + STOP_LIMIT
            while orphans and time.monotonic() < deadline:
                await asyncio.sleep(0.02)
                orphans = [pid for pid in orphans if _serves(pid, self.database)]
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
            if not self.port or _is_free(self.port):
                break
            await asyncio.sleep(0.02)
        if self._fixed:
            self._refuse_foreign_port()
        elif not self.port or not _is_free(self.port):
            self.port = _free_port()

    def _refuse_foreign_port(self) -> None:
        if not _is_free(self.port):
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


# ---------------------------------------------------------------- processes, ports, words


def _candidates(known: dict[str, Any]) -> list[int]:
    """Processes that may be ours: all where /proc lists them, else the one we wrote down."""
    listed = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return listed or [pid for pid in (known.get("pid"),) if isinstance(pid, int) and pid > 0]


def _serves(pid: int, database: Path) -> bool:
    """Is this process a Temporal server on exactly that database file? A zombie has no command line: it is not."""
    try:
        words = Path(f"/proc/{pid}/cmdline").read_bytes().decode(errors="replace").split("\0")
    except OSError:
        if Path("/proc/self").exists():
            return False
        command = ["ps", "-ww", "-o", "command=", "-p", str(pid)]
        line = subprocess.run(command, capture_output=True, text=True, check=False).stdout  # noqa: S603
        return "start-dev" in line and f"--db-filename {database}" in line
    return "start-dev" in words and any(
        word == "--db-filename" and following == str(database) for word, following in itertools.pairwise(words)
    )


def _send(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself: TIME_WAIT does not matter
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def _pause(failures: int) -> float:
    return float(min(LONGEST_PAUSE, 0.25 * 2 ** min(failures, 10)))


def _bound(log: Path) -> None:
    """Keep the log's size in bounds. The server appends, so that it goes on at the start of an emptied file."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            log.with_suffix(".log.1").write_bytes(log.read_bytes()[-LOG_LIMIT:])
            os.truncate(log, 0)
    except OSError:
        return  # a log that cannot be kept must not stop the service


def _said(log: Path, since: int) -> list[str]:
    """What the server said last, line by line."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 20_000))
            return file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return []


def _last_words(lines: list[str]) -> str:
    """The line that tells most, at most 300 characters: a panic ends in a page of where it stood in the code."""
    telling = [line for line in lines if line.startswith(("panic:", "fatal error:"))] or lines
    return telling[-1][-300:] if telling else ""


def _ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def _dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


def _read(path: Path) -> dict[str, Any]:
    """What the last start wrote down; nothing when it is missing or damaged: it is only a hint."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}


async def _set_retention(client: "Client") -> None:
    """The CLI has no flag for it, and its default of 24 hours forgets closed cases too soon to look at them."""
    from google.protobuf.duration_pb2 import Duration
    from temporalio.api.namespace.v1 import NamespaceConfig
    from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest, UpdateNamespaceRequest

    wanted = Duration(seconds=int(RETENTION.total_seconds()))
    service = client.workflow_service
    found = await service.describe_namespace(DescribeNamespaceRequest(namespace=client.namespace), retry=True)
    if found.config.workflow_execution_retention_ttl != wanted:
        config = NamespaceConfig(workflow_execution_retention_ttl=wanted)
        await service.update_namespace(UpdateNamespaceRequest(namespace=client.namespace, config=config), retry=True)
