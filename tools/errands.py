"""Errands: what was proposed beside a draft is done after the yes, each once, by the tool it names.

The ledger's row stands before the tool is asked. A tool that takes an argument `key` is given the errand's: the same
each time, so that a service which knows it does nothing twice.
"""

import asyncio
import inspect
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from typing import Any
from weakref import WeakValueDictionary

import structlog

from memory.cases.errands import Errands
from tools.plugins import Tool
from workflows.errors import DeskhandError, NeedsOwner, Retryable
from workflows.models.proposals import Errand, Proposal
from workflows.ports import Booking
from workflows.rules.asking.proposed import BOOK
from workflows.rules.text.canonical import one_line

log = structlog.get_logger()
PATIENCE = 30.0
"""Seconds a tool may take; after that nobody knows whether it did what it was asked."""
_CAUSE = 200


@dataclass(frozen=True, slots=True, kw_only=True)
class ErrandRunner:
    """Implements `workflows.ports.Doing`. `tools`: those of the plugins, loaded when one is needed."""

    ledger: Errands
    tools: Callable[[], Mapping[str, Tool]]
    booking: Callable[[], Booking | None] = lambda: None
    patience: float = PATIENCE
    locks: WeakValueDictionary[str, asyncio.Lock] = field(default_factory=WeakValueDictionary)

    async def carry_out(self, case: int, version: int, key: str) -> str:
        """Do what was approved, once however often called; "" when it is done, else one sentence for the owner."""
        async with self._lock(f"{case}.{version}:{key}"):
            errand = await asyncio.to_thread(self.ledger.begin_errand, case, version, key)
            if errand.fresh:
                errand = await self._done(errand)
            elif errand.state == "begun":  # whoever began it died before it said how it ended
                errand = _unknown(errand, "Deskhand was stopped while it was being done.")
            await asyncio.to_thread(self.ledger.end_errand, errand)
        return "" if errand.state == "done" else errand.outcome

    async def _done(self, errand: Errand) -> Errand:
        try:
            outcome = await asyncio.wait_for(self._call(errand), self.patience)
        except Retryable as error:  # it broke off: the tool may have been heard
            return _unknown(errand, str(error))
        except TimeoutError:
            return _unknown(errand, f"{errand.proposal.tool} gave no answer within {self.patience:.0f} s.")
        except Exception as error:  # noqa: BLE001 - whatever a tool does, the mail has left and the owner is told
            log.warning("a tool failed", tool=errand.proposal.tool, error=type(error).__name__)
            return replace(errand, state="failed", outcome=_failed(errand.proposal, error))
        return replace(errand, state="done", outcome=one_line(str(outcome or ""), _CAUSE))

    async def _call(self, errand: Errand) -> Any:
        proposal = errand.proposal
        if proposal.tool == BOOK:
            calendar = await asyncio.to_thread(self.booking)
            if calendar is None:
                raise NeedsOwner("No calendar can be written to.", "Name one with caldav in [[calendar.sources]].")
            return await calendar.book(errand.key, dict(proposal.arguments))
        tool = (await asyncio.to_thread(self.tools)).get(proposal.tool)
        if tool is None or tool.permission != proposal.permission:
            raise NeedsOwner(f"There is no tool {proposal.tool} any more.", "'./deskhand tools' lists those there are.")
        arguments: dict[str, Any] = dict(proposal.arguments)
        if "key" in inspect.signature(tool.function).parameters:
            arguments["key"] = errand.key
        if inspect.iscoroutinefunction(tool.function):
            return await tool.function(**arguments)
        return await asyncio.to_thread(tool.function, **arguments)

    def _lock(self, name: str) -> asyncio.Lock:
        """An attempt that Temporal gave up on may still be running."""
        lock = self.locks.get(name) or asyncio.Lock()
        self.locks[name] = lock
        return lock


def _unknown(errand: Errand, cause: str) -> Errand:
    """Not tried again: a second booking is worse than one that the owner looks after."""
    name = one_line(errand.proposal.says, _CAUSE) or errand.proposal.tool
    outcome = f"It is not known whether this was done: {name.rstrip('.')}. {cause} It is not tried again; please look."
    return replace(errand, state="unknown", outcome=outcome)


def _failed(proposal: Proposal, error: Exception) -> str:
    name = one_line(proposal.says, _CAUSE) or proposal.tool
    cause = str(error) if isinstance(error, DeskhandError) else f"{type(error).__name__}: {error}"
    return f"This was not done: {name.rstrip('.')}. {one_line(cause, _CAUSE)}"
