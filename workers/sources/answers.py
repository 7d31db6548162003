"""The owner's standing answers: those of the settings and those of the folder `answers`, as they are now."""

import asyncio
import re
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Final

from tools.answers import AnswersFolder, answer_from, read_answers
from workers.rounds.polling import Watch
from workers.settings.schema import Settings
from workers.sources.folders import together
from workflows.errors import NeedsOwner
from workflows.models.desk import StandingAnswer
from workflows.rules.text.words import counted

FOLDER: Final = "answers"
EVERY: Final = timedelta(hours=1)


@dataclass(frozen=True, slots=True, kw_only=True)
class StandingTexts:
    """Where they are kept. Read anew for each draft: they are few, and a change counts at once."""

    home: Path
    settings: Settings

    def read(self) -> AnswersFolder:
        """All of them, and what is wrong with any; a file takes the place of an entry of the settings by its name."""
        answers: dict[str, StandingAnswer] = {}
        faults: list[NeedsOwner] = []
        for number, item in enumerate(self.settings.answers, 1):
            try:
                values = {key: value for key, value in item.model_dump().items() if value}
                answer = answer_from(_name_of(item.title, number), values, f"deskhand.toml, [[answers]] {number}")
                answers[answer.id] = answer
            except NeedsOwner as fault:
                faults.append(fault)
        folder = read_answers(self.home / FOLDER)
        answers |= {answer.id: answer for answer in folder.answers}
        return AnswersFolder(answers=tuple(answers.values()), faults=(*faults, *folder.faults))

    def now(self) -> tuple[StandingAnswer, ...]:
        """Those that can be read."""
        return self.read().answers

    def watches(self) -> tuple[Watch, ...]:
        """The look that tells what cannot be read; none where there is no answer and no folder."""
        if not self.settings.answers and not (self.home / FOLDER).exists():
            return ()
        return (Watch(name="answers", every=EVERY, run=self.look, own=True),)

    async def look(self) -> str:
        """How many there are.

        Raises:
            NeedsOwner: what cannot be read, a sentence each; the others are used all the same.
        """
        folder = await asyncio.to_thread(self.read)
        if folder.faults:
            raise together(folder.faults)
        return counted(len(folder.answers), "standing answer")


def _name_of(title: str, number: int) -> str:
    """`opening-hours`: what a source calls an entry of the settings."""
    return "-".join(re.findall(r"[^\W_]+", title.casefold()))[:40] or f"answer-{number}"
