"""Model watch: what the owner must mend before the language model answers, told once while drafts are templates."""

import hashlib
from collections.abc import MutableMapping
from dataclasses import dataclass

from agents.model import Model
from workflows.ports import Clock, Desk

PART = "model"


@dataclass(frozen=True, slots=True, kw_only=True)
class ModelWatch:
    """Looks at how the model's last call ended; `health` hears of it for `status`."""

    model: Model
    desk: Desk
    clock: Clock
    health: MutableMapping[str, str]

    async def round(self) -> None:
        """Tell a fault that only the owner can mend: once, and again each week while it lasts."""
        trouble = self.model.trouble
        if not trouble:
            self.health.pop(PART, None)
            return
        self.health[PART] = trouble
        year, week, _ = self.clock.now().isocalendar()
        digest = hashlib.sha256(trouble.encode()).hexdigest()[:16]
        await self.desk.tell(
            f"model:{digest}:{year}-{week}",
            "The language model does not answer",
            f"{trouble} Until then drafts are made from templates, and each approval mail says so. "
            "'./deskhand check' tries the model again.",
        )
