"""Process of the embedded server: its launcher, the ports it may take, its log's last words, how it ended."""

import itertools
import json
import os
import signal
import socket
import subprocess
from pathlib import Path
from typing import Any

from workers.temporal.temporal_cli import Version

LOG_LIMIT = 5_000_000  # bytes, twice: temporal.log and temporal.log.1
LONGEST_PAUSE = 30.0


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


def candidates(known: dict[str, Any]) -> list[int]:
    """Processes that may be ours: all where /proc lists them, else the one we wrote down."""
    listed = [int(entry.name) for entry in Path("/proc").glob("[0-9]*")]
    return listed or [pid for pid in (known.get("pid"),) if isinstance(pid, int) and pid > 0]


def serves(pid: int, database: Path) -> bool:
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


def send_signal(pid: int, number: signal.Signals) -> None:
    try:
        os.kill(pid, number)
    except ProcessLookupError:
        return


def is_free(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)  # as the server itself: TIME_WAIT does not matter
        try:
            probe.bind(("127.0.0.1", port))
        except OSError:
            return False
        return True


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def pause_after(failures: int) -> float:
    return float(min(LONGEST_PAUSE, 0.25 * 2 ** min(failures, 10)))


def bound_log(log: Path) -> None:
    """Keep the log's size in bounds. The server appends, so that it goes on at the start of an emptied file."""
    try:
        if log.stat().st_size > LOG_LIMIT:
            log.with_suffix(".log.1").write_bytes(log.read_bytes()[-LOG_LIMIT:])
            os.truncate(log, 0)
    except OSError:
        return  # a log that cannot be kept must not stop the service


def lines_since(log: Path, since: int) -> list[str]:
    """What the server said last, line by line."""
    try:
        with log.open("rb") as file:
            file.seek(max(since, log.stat().st_size - 20_000))
            return file.read().decode(errors="replace").strip().splitlines()
    except OSError:
        return []


def last_words(lines: list[str]) -> str:
    """The line that tells most, at most 300 characters: a panic ends in a page of where it stood in the code."""
    telling = [line for line in lines if line.startswith(("panic:", "fatal error:"))] or lines
    return telling[-1][-300:] if telling else ""


def ending(code: int) -> str:
    return f"was ended by signal {-code}" if code < 0 else f"ended with code {code}"


def dotted(version: Version) -> str:
    return ".".join(str(part) for part in version)


def read_known(path: Path) -> dict[str, Any]:
    """What the last start wrote down; nothing when it is missing or damaged: it is only a hint."""
    try:
        content = json.loads(path.read_text())
    except (OSError, ValueError):
        return {}
    return content if isinstance(content, dict) else {}
