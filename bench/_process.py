"""What a process uses, as the kernel says (Linux)."""

import os
from dataclasses import dataclass
from pathlib import Path

_TICKS = os.sysconf("SC_CLK_TCK")


@dataclass(frozen=True, slots=True)
class Process:
    """One process by its id."""

    pid: int

    @property
    def command(self) -> str:
        return (Path("/proc") / str(self.pid) / "cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")

    @property
    def resident(self) -> float:
        """Resident memory in MB (10^6 bytes)."""
        status = (Path("/proc") / str(self.pid) / "status").read_text()
        line = next(line for line in status.splitlines() if line.startswith("VmRSS:"))
        return int(line.split()[1]) * 1024 / 1e6

    @property
    def processor_seconds(self) -> float:
        """User and system time so far."""
        fields = (Path("/proc") / str(self.pid) / "stat").read_text().rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / _TICKS

    def children(self) -> list["Process"]:
        tasks = (Path("/proc") / str(self.pid) / "task").glob("*/children")
        return [Process(int(pid)) for task in tasks for pid in task.read_text().split()]


def ours(pid: int) -> list[Process]:
    """The service and its own children (the mail parser), without the Temporal server."""
    service = Process(pid)
    return [service, *(child for child in service.children() if "temporal" not in child.command)]


def temporal(pid: int) -> list[Process]:
    """The embedded Temporal server under the service."""
    return [child for child in Process(pid).children() if "temporal" in child.command]
