"""What things are called in Temporal: workflows, schedules and task queues, each with the id of its home.

Many homes may share one namespace; the id in every name keeps them apart. Inside workflow code a name follows from the
workflow's own id, which never changes, so a story that began before names carried a home ("case:41", queue "deskhand")
goes on under the old ones and replays as it was recorded.
"""

import re
from dataclasses import dataclass
from typing import Final, Literal

Role = Literal["story", "memory", "model", "mail"]
VOICE: Final = "Client"
"""What Temporal calls the workflow through which everything to one client leaves (`workflows/client.py`)."""
POLL: Final = "Poll"
"""And the one that looks at a source once (`workflows/intake.py`)."""
SHORT: Final = 12
"""Digits of a home's random id that stand in names: enough never to meet, and nobody's personal data."""
_ID = re.compile(r"(?:(?P<home>[0-9a-f]{12}):)?(?P<kind>case|client|poll|rhythm):(?P<what>.+)", re.DOTALL)
_RUN = re.compile(r"-\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?Z\Z")


@dataclass(frozen=True, slots=True)
class Names:
    """The names of one home. `home`: the beginning of its id, "" for what began before names carried it."""

    home: str

    def case(self, number: int) -> str:
        return self._of_home(f"case:{number}")

    def client(self, client: str) -> str:
        return self._of_home(f"client:{client}")

    def poll(self, source: str) -> str:
        return self._of_home(f"poll:{source}")

    def update(self, key: str) -> str:
        """The id of the update that carries the answer with this key."""
        return self._of_home(key)

    def queue(self, role: Role) -> str:
        prefix = f"deskhand-{self.home}" if self.home else "deskhand"
        return prefix if role == "story" else f"{prefix}-{role}"

    @property
    def prefix(self) -> str:
        """What every id of this home begins with."""
        return self._of_home("")

    def _of_home(self, name: str) -> str:
        return f"{self.home}:{name}" if self.home else name


OLD: Final = Names("")


def names_of(home: str) -> Names:
    """The names of the home with this id (`Ledger.home`)."""
    return Names(home[:SHORT])


def named(workflow_id: str) -> Names:
    """The names of the home whose workflow has this id."""
    parts = _ID.fullmatch(workflow_id)
    return Names(parts["home"] or "") if parts else OLD


def case_of(workflow_id: str) -> int:
    """The number of the case whose story has this id, 0 for anything else."""
    parts = _ID.fullmatch(workflow_id)
    number = parts["what"] if parts and parts["kind"] == "case" else ""
    return int(number) if re.fullmatch(r"[1-9][0-9]{0,17}", number) else 0


def client_of(workflow_id: str) -> str:
    """The client whose voice has this id, "" for anything else."""
    parts = _ID.fullmatch(workflow_id)
    return parts["what"] if parts and parts["kind"] == "client" else ""


def configured(workflow_id: str) -> str:
    """The id as it was configured: a schedule starts its runs under its own id and the time."""
    parts = _ID.fullmatch(workflow_id)
    return _RUN.sub("", workflow_id) if parts and parts["kind"] == "poll" else workflow_id
