"""The Temporal workers: which queue serves what. One process runs them all unless roles are split."""

from concurrent.futures import ThreadPoolExecutor
from datetime import timedelta

from temporalio.client import Client
from temporalio.worker import Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workflows import steps
from workflows.activities import Activities, mail_activities, memory_activities, model_activities
from workflows.client import Client as ClientVoice
from workflows.reply import Reply

DRAIN = timedelta(seconds=15)
"""How long a step under way may take after SIGTERM; what is cut off is done again after the next start."""
STORIES = [Reply, ClientVoice]


def runner() -> SandboxedWorkflowRunner:
    """The sandbox watches the stories for what would not replay; our own pure packages pass through."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows", "pydantic", "pydantic_core")
    )


def build_workers(client: Client, activities: Activities) -> list[Worker]:
    """All four workers, not yet running."""
    # Ledger and Chroma block for milliseconds: they get threads of their own, few, because SQLite has one writer.
    threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="memory")
    return [
        Worker(
            client, task_queue=steps.STORY_QUEUE, workflows=STORIES, workflow_runner=runner(),
            graceful_shutdown_timeout=DRAIN, max_cached_workflows=200,
        ),
        Worker(
            client, task_queue=steps.MEMORY_QUEUE, activities=memory_activities(activities),
            activity_executor=threads, max_concurrent_activities=4, graceful_shutdown_timeout=DRAIN,
        ),
        Worker(
            client, task_queue=steps.MODEL_QUEUE, activities=model_activities(activities),
            max_concurrent_activities=4, graceful_shutdown_timeout=DRAIN,
        ),
        Worker(
            client, task_queue=steps.MAIL_QUEUE, activities=mail_activities(activities),
            max_concurrent_activities=8, graceful_shutdown_timeout=DRAIN,
        ),
    ]  # fmt: skip
