"""`test`: the programs that the suite talks to, installed where that can be done, and pytest run on it.

As root on Debian or Ubuntu what is missing is installed, named first; elsewhere the one line that installs it is said
and nothing is run: a suite that skips what it cannot do proves nothing.
"""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path

from workflows.errors import NeedsOwner

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""The whole suite in three processes: most tests wait for a server. With arguments pytest runs as it is told.

Files in their own order: sorted by size, the single long test of test_crash.py would begin when all others end.
"""
QUICK = ("--quick", "-n", "auto")
"""What starts no server (tests/quick.py finds it out)."""

PROGRAMS: Mapping[str, str] = {
    "dovecot": "dovecot-imapd",
    "git": "git",
    "java": "default-jre-headless",
    "mvn": "maven",
    "mutt": "mutt",
    "tmux": "tmux",
}
"""What the tests talk to, and the Debian package each comes in."""
_ENVIRONMENT = ("env", "RUNLEVEL=1", "DEBIAN_FRONTEND=noninteractive")
"""RUNLEVEL: the tests run Dovecot with settings of their own; the system's must not start beside it."""
_INSTALL = ("install", "--yes", "--no-install-recommends")


def test(arguments: Sequence[str], *, quick: bool) -> int:
    """Run the suite; its summary is the last line, its exit code ours.

    Raises:
        NeedsOwner: pytest or a server program that the tests talk to is missing and cannot be installed from here.
    """
    if importlib.util.find_spec("pytest") is None:
        raise NeedsOwner("The test tools are not installed here.", "Run ./deskhand test from a checkout.")
    if not quick:
        provide(_say)
        _provide_temporal()
    chosen = [*(QUICK if quick else ()), *arguments] if quick or arguments else WHOLE
    with subprocess.Popen([sys.executable, "-m", "pytest", *chosen], cwd=ROOT) as child:  # noqa: S603 - our own
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the runner got it as well and ends with its summary


def missing(programs: Mapping[str, str]) -> list[str]:
    """The packages of the programs that are not here."""
    search = os.pathsep.join((os.defpath, "/usr/sbin", "/usr/local/sbin"))
    return [
        package
        for program, package in programs.items()
        if not (shutil.which(program) or shutil.which(program, path=search))
    ]


def provide(say: Callable[[str], None], programs: Mapping[str, str] = PROGRAMS, *, root: bool | None = None) -> None:
    """Install what is missing; `root`: whether we may (else the kernel is asked).

    Raises:
        NeedsOwner: it is missing and only the owner can install it; the one line that does.
    """
    packages = missing(programs)
    if not packages:
        return
    apt = shutil.which("apt-get")
    allowed = os.geteuid() == 0 if root is None else root
    if apt is None or not allowed:
        raise NeedsOwner(
            f"The tests talk to real programs and do not find: {', '.join(packages)}.",
            f"Run: {install_line(packages, root=allowed)}",
        )
    say(f"Installing what the tests talk to, with apt-get: {', '.join(packages)}")
    # An old package index may still do: only the installation itself decides.
    if _apt(apt, "-qq", "update"):
        say("apt-get update failed; installing from what is known.")
    code = _apt(apt, "-qq", *_INSTALL, *packages)
    if code or (absent := missing(programs)):
        unfound = packages if code else absent
        raise NeedsOwner(
            f"apt-get could not install {', '.join(unfound)} (code {code}; its words stand above).",
            f"Mend that and run: {install_line(unfound, root=True)}",
        )


def install_line(packages: Sequence[str], *, root: bool) -> str:
    """One line for a shell that installs them, and no mail server that starts by itself."""
    install = f"RUNLEVEL=1 apt-get install -y --no-install-recommends {' '.join(packages)}"
    script = f"apt-get update; {install}"
    return script if root else f"sudo sh -c '{script}'"


def _apt(program: str, *words: str) -> int:
    """Run apt-get, its words on stderr, with nobody to answer a question; its exit code."""
    command = [*_ENVIRONMENT, program, *words]
    return subprocess.run(command, stdin=subprocess.DEVNULL, stdout=sys.stderr, check=False).returncode  # noqa: S603


def _provide_temporal() -> None:
    from workers.settings.environ import cache_folder
    from workers.temporal.temporal_cli import find_cli

    asyncio.run(find_cli(cache_folder()))


def _say(text: str) -> None:
    print(text, file=sys.stderr, flush=True)
