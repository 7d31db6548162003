"""Probe: how one part was found, and what its failure means. A fault, a warning, or a part that is not in use."""

from collections.abc import AsyncIterator, Awaitable, Callable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING

from tools.mail.account import Account
from workers.settings.schema import Settings
from workflows.errors import DeskhandError, NeedsOwner

if TYPE_CHECKING:
    pass

PATIENCE = 15.0
"""Seconds for a connection or a TLS handshake."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Probe:
    """How one part was found. `detail`: what is good to know when it is well; not `required`: only a warning."""

    name: str
    ok: bool
    required: bool = True
    problem: str = ""
    mend: str = ""
    detail: str = ""


Work = Callable[[], Awaitable[str]]
"""Does one probe: a detail when well, a DeskhandError when not."""


Steps = tuple[tuple[str, Callable[[Account], Awaitable[str]]], ...]


class Unneeded(Exception):
    """The part is not in use, or cannot be tried now; the message says why. Not a fault."""


class Warned(Exception):
    """A fault that does not hinder the service."""

    def __init__(self, problem: str, mend: str) -> None:
        super().__init__(problem)
        self.problem = problem
        self.mend = mend


def with_settings(work: Callable[[Path, Settings], Awaitable[str]], home: Path, loaded: Settings | None) -> Work:
    async def run() -> str:
        if loaded is None:
            raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
        return await work(home, loaded)

    return run


async def probed(name: str, work: Work) -> Probe:
    try:
        return Probe(name=name, ok=True, detail=await work())
    except Unneeded as reason:
        return Probe(name=name, ok=True, required=False, detail=str(reason))
    except Warned as warning:
        return Probe(name=name, ok=False, required=False, problem=warning.problem, mend=warning.mend)
    except NeedsOwner as error:
        return Probe(name=name, ok=False, problem=error.problem, mend=error.mend)
    except DeskhandError as error:
        return Probe(name=name, ok=False, problem=str(error), mend="Try again in a while.")
    except Exception as error:  # noqa: BLE001 - one probe's own fault must not stop the others
        problem = f"This probe failed in a way it did not expect ({type(error).__name__}: {error})."
        return Probe(name=name, ok=False, problem=problem, mend="Run ./deskhand status and look into the log folder.")


async def in_turn(account: Account | None, steps: Steps) -> AsyncIterator[Probe]:
    """Each step stands on the one before."""
    well = True
    for name, step in steps:
        probe = await probed(name, step_of(step, account, well=well))
        well = probe.ok
        yield probe


def step_of(step: Callable[[Account], Awaitable[str]], account: Account | None, *, well: bool) -> Work:
    async def run() -> str:
        if account is None:
            raise NeedsOwner("Not tried, because the settings have a fault.", "Mend the settings first.")
        if not well:
            raise NeedsOwner("Not tried, because the probe before it failed.", "Mend that one first.")
        return await step(account)

    return run
