"""`up` and `demo` run the service, `test` runs the suite: each in its own process or event loop."""

import asyncio
import importlib.util
import os
import shutil
import subprocess
import sys
from collections.abc import Sequence
from pathlib import Path

from workers.commands.output import Output
from workflows.errors import NeedsOwner

ROOT = Path(__file__).resolve().parents[2]
WHOLE = ("-n", "3", "--dist", "loadfile", "--no-loadscope-reorder")
"""The whole suite in three processes: most tests wait for a server. With arguments pytest runs as it is told.

Files in their own order: sorted by size, the single long test of test_crash.py would begin when all others end.
"""


def up(output: Output) -> int:
    """Run the service on this home until SIGTERM or Ctrl-C."""
    from workers import heap, home, settings

    loaded = settings.load(output.home)
    heap.share()
    with home.hold(output.home, "up"):
        from workers.supervisor import run

        asyncio.run(run(output.home, loaded, say=output.progress))
    return 0


def demo(output: Output, story: str, mail: Path | None, answer: str | None) -> int:
    """Do the main job once on embedded defaults in a throwaway home."""
    if mail is not None and not mail.is_file():
        raise NeedsOwner(f"There is no file {mail}.", "Give a mail saved as .eml.")
    from workers.demo.run import run

    return asyncio.run(run(story, mail, answer, output.as_json))


def test(arguments: Sequence[str]) -> int:
    """Run the whole suite; its summary is the last line, its exit code ours.

    Raises:
        NeedsOwner: pytest or a server program that the tests talk to is missing.
    """
    if importlib.util.find_spec("pytest") is None:
        raise NeedsOwner("The test tools are not installed here.", "Run ./deskhand test from a checkout.")
    _require_programs()
    _require_temporal()
    command = [sys.executable, "-m", "pytest", *(arguments or WHOLE)]
    with subprocess.Popen(command, cwd=ROOT) as child:  # noqa: S603 - our own interpreter
        while True:
            try:
                return child.wait()
            except KeyboardInterrupt:
                continue  # the runner got it as well and ends with its summary


_PROGRAMS = {
    "dovecot": "dovecot-imapd",
    "java": "default-jre-headless",
    "mvn": "maven",
    "mutt": "mutt",
    "tmux": "tmux",
}
"""What the tests talk to, and the Debian package each comes in."""


def _require_programs() -> None:
    search = os.pathsep.join((os.defpath, "/usr/sbin", "/usr/local/sbin"))
    missing = [
        package
        for program, package in _PROGRAMS.items()
        if not (shutil.which(program) or shutil.which(program, path=search))
    ]
    if missing:
        raise NeedsOwner(
            f"The tests talk to real programs and do not find: {', '.join(missing)}.",
            f"Run: apt-get install -y {' '.join(missing)}",
        )


def _require_temporal() -> None:
    from workers.settings import cache_folder
    from workers.temporal_cli import find_cli

    asyncio.run(find_cli(cache_folder()))
