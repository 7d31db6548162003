"""The embedded Temporal server: the real CLI, real kills, real workflows."""

import asyncio
import http.client
import os
import signal
import socket
import stat
import subprocess
import sys
from collections.abc import AsyncIterator, Callable
from datetime import timedelta
from pathlib import Path

import pytest
from temporalio import workflow
from temporalio.api.workflowservice.v1 import DescribeNamespaceRequest
from temporalio.client import Client
from temporalio.worker import UnsandboxedWorkflowRunner, Worker

from tests.patience import PATIENCE
from workers.settings import environ
from workers.settings import schema as settings
from workers.temporal.server import PortTakenError, TemporalServer
from workers.temporal.temporal_cli import Cli, find_cli, server_inside
from workers.temporal.worker import running
from workflows.errors import NeedsOwner


@workflow.defn
class Waiting:
    """Open until it is told to end."""

    def __init__(self) -> None:
        self.word = ""

    @workflow.run
    async def run(self, name: str) -> str:
        await workflow.wait_condition(lambda: bool(self.word))
        return f"{name}: {self.word}"

    @workflow.signal
    def end(self, word: str) -> None:
        self.word = word


@pytest.fixture(scope="session")
async def cli() -> Cli:
    return await find_cli(environ.cache_folder())


@pytest.fixture
async def server(cli: Cli, tmp_path: Path) -> AsyncIterator[TemporalServer]:
    made = TemporalServer(cli, tmp_path, probe_every=0.2)
    yield made
    await made.stop()


async def until(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if condition():
                return
            await asyncio.sleep(0.01)


def environment(pid: int) -> set[bytes]:
    return set(Path(f"/proc/{pid}/environ").read_bytes().split(b"\0"))


def listening(pid: int) -> list[str]:
    """Every local address (hex, as /proc writes it) that the process listens on, both families."""
    links = (str(entry.readlink()) for entry in Path(f"/proc/{pid}/fd").iterdir())
    inodes = {link[8:-1] for link in links if link.startswith("socket:[")}
    rows = [row.split() for name in ("tcp", "tcp6") for row in Path(f"/proc/net/{name}").read_text().splitlines()[1:]]
    return [row[1] for row in rows if row[3] == "0A" and row[9] in inodes]


def alive(pid: int) -> bool:
    try:
        return bool(Path(f"/proc/{pid}/cmdline").read_bytes())
    except OSError:
        return False


async def test_it_boots_private_tuned_and_bounded(server: TemporalServer) -> None:
    address = await server.start()
    client = await Client.connect(address)
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="default"))
    assert found.config.workflow_execution_retention_ttl.seconds == timedelta(days=30).total_seconds()
    assert {b"GOGC=30", b"GOMEMLIMIT=96MiB"} <= environment(server.pid)
    for path in (server.database, server.log, server.database.parent / "temporal.json"):
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    pid = server.pid
    await server.stop()
    assert not alive(pid)
    assert server.pid == 0


async def test_a_web_page_reaches_nothing_by_the_http_port(server: TemporalServer) -> None:
    """A page of any site, in a browser of this machine, sends such requests without asking anybody (no preflight)."""
    address = await server.start()
    await Client.connect(address)
    workflows = "/api/v1/namespaces/default/workflows"
    body = '{"workflowType":{"name":"Reply"},"taskQueue":{"name":"nobody"}}'
    tried = 0
    for port in {int(row.partition(":")[2], 16) for row in listening(server.pid)} - {server.port}:
        hosts = ["evil.example", f"127.0.0.1:{port}", f"localhost:{port}", "127.0.0.1", "nobody.invalid", "*", ""]
        for host in hosts:
            for method, path in (("POST", f"{workflows}/a"), ("POST", f"{workflows}/a/terminate"), ("GET", workflows)):
                status = await asyncio.to_thread(asked, port, method, path, body, host)
                assert status in {400, 403, 404}, (port, host, method, path)
                tried += status == 403
    assert tried >= 15  # it is the HTTP port that was asked, and it refused
    client = await Client.connect(address)
    assert [found.id async for found in client.list_workflows()] == []


def asked(port: int, method: str, path: str, body: str, host: str) -> int:
    """The status of one request; 0 when what listens there speaks no HTTP."""
    connection = http.client.HTTPConnection("127.0.0.1", port, timeout=PATIENCE)
    try:
        connection.putrequest(method, path, skip_host=True)
        for name, value in (
            ("Host", host), ("Origin", "https://evil.example"), ("Content-Type", "text/plain"),
            ("Content-Length", str(len(body))),
        ):  # fmt: skip
            connection.putheader(name, value)
        connection.endheaders(body.encode())
        return connection.getresponse().status
    except (http.client.HTTPException, OSError):
        return 404
    finally:
        connection.close()


async def test_another_namespace_is_made_and_kept_as_long(cli: Cli, tmp_path: Path) -> None:
    server = TemporalServer(cli, tmp_path, namespace="desk")
    client = await Client.connect(await server.start(), namespace="desk")
    found = await client.workflow_service.describe_namespace(DescribeNamespaceRequest(namespace="desk"))
    assert found.config.workflow_execution_retention_ttl.seconds == timedelta(days=30).total_seconds()
    await server.stop()


async def test_nothing_but_loopback_is_listened_on(server: TemporalServer) -> None:
    await server.start()
    found = listening(server.pid)
    assert f"0100007F:{server.port:04X}" in found
    assert all(address.startswith("0100007F:") for address in found), found


async def test_a_killed_server_is_back_on_its_port_and_open_work_goes_on(server: TemporalServer) -> None:
    address = await server.start()
    events: list[str] = []
    supervising = asyncio.create_task(server.supervise(events.append))
    client = await Client.connect(address)
    async with Worker(client, task_queue="q", workflows=[Waiting], workflow_runner=UnsandboxedWorkflowRunner()):
        handle = await client.start_workflow(Waiting.run, "case 7", id="w", task_queue="q")
        for _ in range(3):
            first = server.pid
            os.kill(first, signal.SIGKILL)
            await until(lambda first=first: server.pid not in (0, first) and "answers again" in events[-1])
        assert server.address == address
        await handle.signal(Waiting.end, "done")
        assert await handle.result() == "case 7: done"
    assert "was ended by signal 9" in events[0]
    supervising.cancel()


async def test_a_hung_server_is_ended_and_started_again(server: TemporalServer) -> None:
    await server.start()
    events: list[str] = []
    supervising = asyncio.create_task(server.supervise(events.append))
    hung = server.pid
    os.kill(hung, signal.SIGSTOP)
    await until(lambda: bool(events) and "answers again" in events[-1])
    assert "did not answer" in events[0]
    assert not alive(hung)
    supervising.cancel()


ORPHAN = """
import asyncio, sys
from pathlib import Path
from workers.settings import environ
from workers.temporal.server import TemporalServer, find_cli

async def main():
    cli = await find_cli(environ.cache_folder())
    server = TemporalServer(cli, Path(sys.argv[1]))
    await server.start()
    print(server.pid, server.port, flush=True)
    await asyncio.Event().wait()

asyncio.run(main())
"""


async def service(home: Path) -> tuple[asyncio.subprocess.Process, int, int]:
    root = str(Path(settings.__file__).parents[2])
    child = await asyncio.create_subprocess_exec(
        "env", f"PYTHONPATH={root}", sys.executable, "-c", ORPHAN, str(home), stdout=subprocess.PIPE
    )
    assert child.stdout
    pid, port = map(int, (await child.stdout.readline()).split())
    return child, pid, port


async def test_it_dies_with_its_service_and_keeps_its_port(cli: Cli, tmp_path: Path) -> None:
    child, pid, port = await service(tmp_path)
    assert alive(pid)
    child.kill()
    await child.wait()
    await until(lambda: not alive(pid))
    server = TemporalServer(cli, tmp_path)
    assert await server.start() == f"127.0.0.1:{port}"
    await server.stop()


async def test_an_orphan_on_our_database_is_ended_and_no_other(
    cli: Cli, tmp_path: Path, tmp_path_factory: pytest.TempPathFactory
) -> None:
    other = TemporalServer(cli, tmp_path_factory.mktemp("other"))
    await other.start()
    first = TemporalServer(cli, tmp_path)
    await first.start()
    orphan = first.pid
    second = TemporalServer(cli, tmp_path)  # as after a kill where no parent-death signal exists
    await second.start()
    assert not alive(orphan)
    assert alive(second.pid)
    assert alive(other.pid)
    for server in (other, first, second):
        await server.stop()


async def test_a_taken_port_is_left_alone_unless_it_was_asked_for(cli: Cli, tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        port = taken.getsockname()[1]
        (tmp_path / "temporal.json").write_text(f'{{"pid": 0, "port": {port}}}')
        server = TemporalServer(cli, tmp_path)
        await server.start()
        assert server.port != port
        await server.stop()
        with pytest.raises(NeedsOwner, match=f"Port {port} .* in use"):
            await TemporalServer(cli, tmp_path, port=port).start()


async def test_a_database_of_a_newer_server_is_refused_untouched(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "temporal.json").write_text('{"server": [9, 0, 0]}')
    (tmp_path / "temporal.sqlite").write_bytes(b"kept")
    with pytest.raises(NeedsOwner, match=r"written by Temporal server 9\.0\.0"):
        await TemporalServer(cli, tmp_path).start()
    assert (tmp_path / "temporal.sqlite").read_bytes() == b"kept"


async def test_a_broken_database_is_named_with_its_mend(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "temporal.sqlite").write_bytes(os.urandom(20_000))
    with pytest.raises(NeedsOwner, match=r"move .*temporal\.sqlite away"):
        await TemporalServer(cli, tmp_path).start()


async def test_a_damaged_note_of_the_last_start_does_no_harm(server: TemporalServer) -> None:
    (server.database.parent / "temporal.json").write_text('{"pid": "x", "port": [')
    await server.start()


async def test_the_log_is_bounded(server: TemporalServer) -> None:
    server.log.parent.mkdir()
    server.log.write_bytes(b"x" * 6_000_000)
    await server.start()
    assert server.log.stat().st_size < 1_000_000
    assert server.log.with_suffix(".log.1").stat().st_size == 5_000_000


# ---------------------------------------------------------------- finding the CLI


@pytest.mark.parametrize("name", ["missing", "not-a-cli", "folder"])
async def test_a_wrong_setting_names_its_key(name: str, tmp_path: Path) -> None:
    (tmp_path / "folder").mkdir()
    script = tmp_path / "not-a-cli"
    script.write_text("#!/bin/sh\necho hello\n")
    script.chmod(0o755)
    with pytest.raises(NeedsOwner, match=r"temporal\.cli"):
        await find_cli(tmp_path, setting=str(tmp_path / name))


async def test_setting_before_path_before_cache(cli: Cli, tmp_path: Path) -> None:
    for folder in ("path", "cache/bin"):
        (tmp_path / folder).mkdir(parents=True)
    (tmp_path / "path" / "temporal").symlink_to(cli.path)
    (tmp_path / "cache" / "bin" / "temporal-1.5.1").symlink_to(cli.path)
    cache, search = tmp_path / "cache", str(tmp_path / "path")
    by_setting = await find_cli(cache, setting=str(cli.path), search=search)
    by_path = await find_cli(cache, search=search)
    by_cache = await find_cli(cache, search=str(tmp_path))
    assert ["setting" in by_setting.source, "PATH" in by_path.source, "cache" in by_cache.source] == [True] * 3
    assert by_path.server == server_inside(cli.path)


async def test_a_cli_that_is_too_old_is_passed_over_and_told(cli: Cli, tmp_path: Path) -> None:
    (tmp_path / "cache" / "bin").mkdir(parents=True)
    (tmp_path / "cache" / "bin" / "temporal-1.5.1").symlink_to(cli.path)
    old = tmp_path / "temporal"
    old.write_text('#!/bin/sh\necho "temporal version 0.9.0 (server 1.19.0) (ui 2.9.0) Server 1.19.0"\n')
    old.chmod(0o755)
    said: list[str] = []
    found = await find_cli(tmp_path / "cache", search=str(tmp_path), say=said.append)
    assert "cache" in found.source
    assert str(old) in said[0]


async def test_workers_that_are_ended_before_they_have_begun_end(server: TemporalServer) -> None:
    """As Ctrl-C in the first moment of `up` or the demo: it found workers that had only asked the server yet."""
    await server.start()
    client = await Client.connect(server.address)
    worker = Worker(client, task_queue="q", workflows=[Waiting], workflow_runner=UnsandboxedWorkflowRunner())
    async with asyncio.timeout(PATIENCE):
        async with running([worker]):
            assert not worker.is_running
    assert worker.is_shutdown


async def test_a_port_taken_at_the_last_moment_is_known_from_a_panic(tmp_path: Path) -> None:
    """Between choosing a port and taking it another program may be faster; the server then ends in a stack."""
    server = TemporalServer(await find_cli(environ.cache_folder()), tmp_path)
    server.log.parent.mkdir(parents=True, exist_ok=True)
    stack = "goroutine 1 [running]:\nmain.main()\n\tgithub.com/temporalio/cli/main.go:18 +0x96\n"
    server.log.write_text(f"panic: listen tcp 127.0.0.1:7233: bind: address already in use\n\n{stack}")
    assert isinstance(server._why_not(2), PortTakenError)
    server.log.write_text(f"panic: disk I/O error\n\n{stack}")
    told = server._why_not(2)
    assert not isinstance(told, PortTakenError)
    assert "panic: disk I/O error" in str(told)
