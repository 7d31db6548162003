"""`./deskhand demo [STORY]`: the main job, once, on real parts in a throwaway home."""

import asyncio
import shutil
import signal
import sys
import tempfile
from collections.abc import Awaitable, Callable
from contextlib import AsyncExitStack
from pathlib import Path

from workers import home as homes
from workers.demo import desk, everything, leads, money, reply, status
from workers.service import logs
from workers.voice.output import Output
from workflows.errors import NeedsOwner

INTERRUPTED = 130
STORIES: dict[str, Callable[[AsyncExitStack, Output, str | None], Awaitable[int]]] = {
    "reply": reply.play,
    "leads": leads.play,
    "money": money.play,
    "status": status.play,
    "desk": desk.play,
    "all": everything.play,
}


async def run(story: str, mail: Path | None, answer: str | None, as_json: bool) -> int:
    """Play one story; 0 only if what had to arrive arrived exactly as approved, and nothing after a no.

    Raises:
        NeedsOwner: there is no such story, the mail cannot be read, or nobody is there to answer.
    """
    if story not in STORIES:
        raise NeedsOwner(f'There is no story "{story}".', f"There are: {', '.join(STORIES)}.")
    if mail is not None and story != "reply":
        raise NeedsOwner(f"The story {story} begins with no mail of yours.", "--mail is for the story reply.")
    if answer is None and not sys.stdin.isatty():
        raise NeedsOwner("Nobody is at a terminal to answer the approval mail.", 'Give the answer: --answer "ok".')
    playing = asyncio.current_task()
    if playing is not None:  # SIGTERM ends it as Ctrl-C does, or the throwaway home would stay behind
        asyncio.get_running_loop().add_signal_handler(signal.SIGTERM, playing.cancel)
    folder = Path(tempfile.mkdtemp(prefix="deskhand-demo-"))
    try:
        homes.prepare(folder)
        logs.configure(folder)
        output = Output(home=folder, as_json=as_json)
        async with AsyncExitStack() as stack:
            if mail is not None:
                return await reply.play(stack, output, answer, mail)
            return await STORIES[story](stack, output, answer)
    except asyncio.CancelledError:
        return INTERRUPTED
    finally:
        shutil.rmtree(folder, ignore_errors=True)
