"""`up` and `demo` run the service, `test` runs the suite: each in its own process or event loop."""

import asyncio
from collections.abc import Sequence
from pathlib import Path

from workers.voice.output import Output
from workflows.errors import NeedsOwner


def up(output: Output) -> int:
    """Run the service on this home until SIGTERM or Ctrl-C."""
    from workers import home
    from workers.service import heap
    from workers.settings import loading

    loaded = loading.load(output.home)
    heap.share()
    with home.hold(output.home, "up"):
        from workers.service.supervisor import run

        asyncio.run(run(output.home, loaded, say=output.progress))
    return 0


def demo(output: Output, story: str, mail: Path | None, answer: str | None) -> int:
    """Do the main job once on embedded defaults in a throwaway home."""
    if mail is not None and not mail.is_file():
        raise NeedsOwner(f"There is no file {mail}.", "Give a mail saved as .eml.")
    from workers.demo.run import run

    return asyncio.run(run(story, mail, answer, output.as_json))


def test(arguments: Sequence[str], *, quick: bool) -> int:
    """Run the whole suite, or with `quick` what starts no server; what follows goes to pytest."""
    from workers.setup import suite

    return suite.test(arguments, quick=quick)
