"""The real service with a scripted drafter that proposes to use a plugin's tool; it may die while the tool is at work.

The plugin of `PLUGIN` writes each call into a file, and dies there when it is told to.
"""

import argparse
import asyncio
from dataclasses import replace
from pathlib import Path

from workers import home as homes
from workers.service.supervisor import Service
from workers.settings import loading
from workflows.models.drafts import Brief, Draft
from workflows.models.proposals import Proposal
from workflows.ports import Drafting

PLUGIN = '''
"""Orders at a printer's."""

import os
import signal
from pathlib import Path

BOOK = Path(__file__).parent.parent / "orders.txt"


def order_print(what: str, copies: int, key: str) -> str:
    """Order prints at the printer's."""
    if what == "nothing":
        raise ValueError("the printer refuses that")
    with BOOK.open("a") as book:
        book.write(f"{what} {copies} {key}\\n")
    if what == "the last thing":
        os.kill(os.getpid(), signal.SIGKILL)
    return f"ordered {copies} of {what}"


TOOLS = {"write": [order_print]}
'''


class Proposing:
    """Drafts as the house does, and proposes to order what the mail names behind "print"."""

    def __init__(self, drafting: Drafting) -> None:
        self._drafting = drafting

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        draft = await self._drafting.draft(brief, version, wishes, previous)
        what = brief.message.partition("print ")[2].partition(",")[0]
        proposals = tuple(
            Proposal(
                key=f"print{number}", tool="order_print", permission="write", says=f"Orders prints of {what}",
                arguments=(("what", what), ("copies", copies)),
            )
            for number, copies in enumerate((2, 5), start=1)
        )  # fmt: skip
        return replace(draft, proposals=proposals)


async def run(home: Path) -> None:
    with homes.hold(home, "up"):
        service = Service(home, loading.load(home), say=print)
        service.parts.drafter = Proposing(service.parts.drafter)  # type: ignore[assignment]  # it fills the same port
        async with service:
            print("Deskhand is running, with proposals.", flush=True)
            await asyncio.Event().wait()


if __name__ == "__main__":
    parser = argparse.ArgumentParser()
    parser.add_argument("--home", type=Path, required=True)
    asyncio.run(run(parser.parse_args().home))
