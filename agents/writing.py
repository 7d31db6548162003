"""Writing: a form filled by a model, checked by code, filled once more when there are faults: for every story."""

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, replace
from typing import Generic, cast

from agents.checks import DraftFault
from agents.door.refusals import ModelFailed
from agents.forms import Assignment, Form, Slots, Task
from agents.lookup.reference import Reference
from agents.model import Model, untraced
from memory.journal import GivenUp, SpendStopped
from workflows.errors import NeedsOwner


@dataclass(frozen=True, slots=True, kw_only=True)
class Filled(Generic[Slots]):
    """What came of it. `slots` None: nothing that may be shown, and `why` says so, a sentence each."""

    slots: Slots | None
    why: tuple[str, ...]
    task: Task  # with what was understood
    faults: tuple[DraftFault, ...] = ()  # what the check found last


class Writing(Generic[Slots]):
    """Asks a model for the slots of a form until its check is content, twice at most."""

    def __init__(self, model: Model, form: Form[Slots], reference: Reference | None = None) -> None:
        """`reference`: what a draft may be looked up by; None: it is written from its brief alone."""
        self._model, self._form, self._reference = model, form, reference

    async def fill(self, task: Task) -> Filled[Slots]:
        """The checked slots, or why there are none.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
        """
        from agents.graph import draft  # imported here: 1 s and 76 MB that a home without a model never pays

        assignment, notes = await self._assignment(task)
        try:
            with untraced():
                end = await draft(assignment)
        except (ModelFailed, SpendStopped, GivenUp, NeedsOwner) as error:
            return Filled(slots=None, why=(str(error), *notes), task=task)
        notes = (*_lookups(end["task"]), *notes)
        faults, tries = end["faults"], end["tries"]
        if hard := [f"check: {fault.what}" for fault in faults if fault.hard]:
            refused = f"The draft of {self._model.name} was refused {tries} times"
            return Filled(slots=None, why=(refused, *hard, *notes), task=end["task"], faults=faults)
        remarks = tuple(f"check: {fault.what}" for fault in faults) or (self._content(tries),)
        slots = cast("Slots", end["slots"])
        return Filled(slots=slots, why=(*notes, *remarks), task=end["task"], faults=faults)

    async def _assignment(self, task: Task) -> tuple[Assignment, tuple[str, ...]]:
        """What the nodes read, and a note for each server or plugin that is out of reach."""
        assignment = Assignment(model=self._model, form=self._form, task=task)  # type: ignore[arg-type]
        if self._reference is None:
            return assignment, ()
        reach = await self._reference.reach(task.brief, task.version)
        lookups, limits = self._reference.lookups, self._reference.limits
        return replace(assignment, tools=reach.tools, lookups=lookups, limits=limits), reach.notes

    def _content(self, tries: int) -> str:
        correction = " after one correction" if tries > 1 else ""
        return f"check: {self._form.holds}, language, links and addresses hold{correction}"


def _lookups(task: Task) -> Iterator[str]:
    """What was looked up, and one line for each tool that gave nothing."""
    counts = Counter(lookup.tool for lookup in task.looked if not lookup.problem)
    if counts:
        names = ", ".join(f"{tool} ({count})" if count > 1 else tool for tool, count in counts.items())
        yield f"looked up: {names}"
    yield from dict.fromkeys(lookup.note.rstrip(".") for lookup in task.looked if lookup.note)
