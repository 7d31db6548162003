"""Promise T2: a release never strands a running case. Stored histories of every story replay with today's code.

When this fails after a change of workflows/: the change would strand cases that run right now. Put it behind
`workflow.patched("what-changed")`, so that old histories take the old way, and add new histories of the new way with
`.venv/bin/python -m tests.make_histories NAME`. Only while nothing was released may the old ones be made anew, all of
them, by the same command without a NAME.
"""

import base64
import json
import re
from pathlib import Path
from typing import Any

import pytest
from temporalio import workflow
from temporalio.client import WorkflowHistory
from temporalio.contrib.pydantic import pydantic_data_converter
from temporalio.worker import Replayer, UnsandboxedWorkflowRunner, WorkflowRunner
from temporalio.workflow import NondeterminismError

from tests.make_histories import AT_HOME, VOICES, every_play, one_event_a_line
from tests.scripted import NAMES
from workers.temporal.worker import STORIES, runner
from workflows import steps
from workflows.activities import Activities
from workflows.case import Case, Story
from workflows.client import Approved, ClientVoice, _report
from workflows.models.case import CaseState
from workflows.models.decisions import Answer
from workflows.names import OLD, named

FOLDER = Path(__file__).parents[1] / "histories"
FILES = sorted(FOLDER.glob("*.json"))


def history(path: Path) -> WorkflowHistory:
    content = path.read_text()
    return WorkflowHistory.from_json(began(content)["workflowId"], content)


def began(content: str) -> dict[str, Any]:
    """How the workflow was started, by the first event of its history."""
    attributes: dict[str, Any] = json.loads(content)["events"][0]["workflowExecutionStartedEventAttributes"]
    return attributes


async def replay(path: Path, stories: list[type], how: WorkflowRunner) -> BaseException | None:
    """How replaying it fails; None when it replays."""
    replayer = Replayer(workflows=stories, workflow_runner=how, data_converter=pydantic_data_converter)
    return (await replayer.replay_workflow(history(path), raise_on_replay_failure=False)).replay_failure


def test_every_story_has_its_histories() -> None:
    stories = {f"{kind}-{name}" for kind, name, _, _ in every_play()}
    voices = {f"client-{name}" for name in VOICES} | {
        f"client-{name}_at_home" for kind, name in AT_HOME if kind == "reply" and name in VOICES
    }
    assert {path.stem for path in FILES} == stories | voices
    assert len(FILES) >= 12


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_history_lies_there_one_event_a_line(path: Path) -> None:
    content = path.read_text()
    assert content == one_event_a_line(json.loads(content))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_every_name_in_a_history_is_its_homes(path: Path) -> None:
    """Ids and queues follow from the workflow's own id: the old ones stay old, the new ones carry the home."""
    content = path.read_text()
    home = NAMES if "_at_home" in path.stem else OLD
    assert named(began(content)["workflowId"]) == home
    queues = set(re.findall(r'"name": "(deskhand[^"]*)"', content))
    assert queues <= {home.queue(role) for role in ("story", "memory", "model", "mail")}
    assert home.queue("story") in queues
    for workflow_id in re.findall(r'"workflowId": "([^"]+)"', content):
        assert named(workflow_id) == home


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
async def test_a_stored_history_replays(path: Path) -> None:
    assert await replay(path, STORIES, runner()) is None


def test_no_history_holds_a_persons_data() -> None:
    """They are public: made-up clients only, and no address of anybody."""
    for path in FILES:
        assert not re.search(r"[\w.]+@(?!.*deskhand)[\w-]+\.[a-z]{2,}", _payloads(path)), path.name


def _payloads(path: Path) -> str:
    found = re.findall(r'"data": "([A-Za-z0-9+/=]+)"', path.read_text())
    return "\n".join(base64.b64decode(one).decode("utf-8", "replace") for one in found)


# ---------------------------------------------------------------- incompatible edits, each as somebody might make it


class Forgetful(Case):
    """No longer remembers at the end: an activity removed."""

    async def _leave(self) -> None:
        await steps.memory(Activities.close, self.state)


class Hasty(Case):
    """Skips the stage between yes and send: the save of "sending" is gone, and with it the grace."""

    async def _wait_out_the_grace(self) -> None:
        self._to(stage="sending", held_until=None)


class Swapped(Case):
    """Remembers before it closes: two activities swapped."""

    async def _leave(self) -> None:
        await steps.memory(Activities.remember, self.state.case)
        await steps.memory(Activities.close, self.state)


class Diligent(Case):
    """Saves once more before it asks: an activity added."""

    async def _ask(self) -> None:
        await self._save()
        await super()._ask()


class Elsewhere(Case):
    """Asks without the hour's timer: a command less around each step."""

    async def _save(self) -> None:
        await workflow.execute_activity_method(
            Activities.save,
            self.state,
            task_queue=OLD.queue("memory"),
            start_to_close_timeout=steps.QUICK,
            retry_policy=steps.PATIENT,
        )


class Silent(Case):
    """Takes an answer without keeping the state."""

    async def _take_answer(self, answer: Answer) -> None:
        self._to(consumed=(*self.state.consumed, answer.key))
        await self._decide(answer)


MUTANTS = [Forgetful, Hasty, Swapped, Diligent, Elsewhere, Silent]


FRAME: dict[str, type[Case]] = {"case": Case}
"""The case that `Mutant` owns: Temporal takes no classes made in a function."""


@workflow.defn(name="Reply")
class Mutant(Story):
    """The story "Reply" around another case."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        self.case = FRAME["case"](state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome


@workflow.defn(name="Client")
class Louder:
    """Reports twice."""

    @workflow.init
    def __init__(self, client: str, queue: list[Approved]) -> None:
        self.queue = list(queue)

    @workflow.run
    async def run(self, client: str, queue: list[Approved]) -> int:
        approved = self.queue.pop(0)
        receipt = await steps.mail(Activities.send, approved.case, approved.version)
        await _report(approved, receipt)
        await _report(approved, receipt)
        return 1

    @workflow.signal
    def hand_over(self, approved: Approved) -> None:
        self.queue.append(approved)


async def replays_of(case: type[Case]) -> list[BaseException | None]:
    """How every history of Reply replays with this case in it."""
    FRAME["case"] = case
    replies = [path for path in FILES if path.stem.startswith("reply")]
    return [await replay(path, [Mutant, ClientVoice], UnsandboxedWorkflowRunner()) for path in replies]


@pytest.mark.parametrize("mutant", MUTANTS, ids=lambda mutant: mutant.__name__)
async def test_an_incompatible_edit_is_caught(mutant: type[Case]) -> None:
    assert any(isinstance(failure, NondeterminismError) for failure in await replays_of(mutant))


async def test_the_unchanged_case_in_the_same_frame_is_not_caught() -> None:
    """The mutants fail for their edits, not for the frame they are tried in."""
    assert not any(await replays_of(Case))


async def test_an_incompatible_voice_is_caught() -> None:
    failure = await replay(FOLDER / "client-approved.json", [Louder], UnsandboxedWorkflowRunner())
    assert isinstance(failure, NondeterminismError)
