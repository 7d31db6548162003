"""Writing: a form filled by a model, checked by code, filled once more when there are faults: for every story."""

from dataclasses import dataclass
from typing import Generic, cast

from agents.checks import DraftFault
from agents.door.refusals import ModelFailed
from agents.forms import Assignment, Form, Slots, Task
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

    def __init__(self, model: Model, form: Form[Slots]) -> None:
        self._model, self._form = model, form

    async def fill(self, task: Task) -> Filled[Slots]:
        """The checked slots, or why there are none.

        Raises:
            Retryable: the model's endpoint is away or busy; the calls already answered are not paid again.
        """
        from agents.graph import draft  # imported here: 1 s and 76 MB that a home without a model never pays

        try:
            with untraced():
                end = await draft(Assignment(model=self._model, form=self._form, task=task))  # type: ignore[arg-type]
        except (ModelFailed, SpendStopped, GivenUp, NeedsOwner) as error:
            return Filled(slots=None, why=(str(error),), task=task)
        faults, tries = end["faults"], end["tries"]
        if hard := [f"check: {fault.what}" for fault in faults if fault.hard]:
            refused = f"The draft of {self._model.name} was refused {tries} times"
            return Filled(slots=None, why=(refused, *hard), task=end["task"], faults=faults)
        remarks = tuple(f"check: {fault.what}" for fault in faults) or (self._content(tries),)
        slots = cast("Slots", end["slots"])
        return Filled(slots=slots, why=remarks, task=end["task"], faults=faults)

    def _content(self, tries: int) -> str:
        correction = " after one correction" if tries > 1 else ""
        return f"check: {self._form.holds}, language, links and addresses hold{correction}"
