"""The Temporal workers: which queue serves what. One process runs them all unless roles are split."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import asynccontextmanager
from datetime import timedelta
from functools import partial

from temporalio.client import Client
from temporalio.worker import Interceptor, Worker
from temporalio.worker.workflow_sandbox import SandboxedWorkflowRunner, SandboxRestrictions

from workers.sources.stories import WORKFLOWS
from workflows.activities import Activities, mail_activities, memory_activities, model_activities
from workflows.client import ClientVoice
from workflows.intake import Poll, Rhythm
from workflows.names import Names

DRAIN = timedelta(seconds=12)
"""How long a step under way may take after SIGTERM; what is cut off is done again after the next start."""
STICKY = timedelta(seconds=2)
"""How long a story waits for the worker that knows it before another may replay it: after a kill -9 it is gone."""
STORIES = [*WORKFLOWS, ClientVoice, Poll, Rhythm]


def runner() -> SandboxedWorkflowRunner:
    """The sandbox watches the stories for what would not replay; our own pure packages pass through."""
    return SandboxedWorkflowRunner(
        restrictions=SandboxRestrictions.default.with_passthrough_modules("workflows", "pydantic", "pydantic_core")
    )


def build_workers(
    client: Client,
    activities: Activities,
    names: Names,
    interceptors: Sequence[Interceptor] = (),
    *,
    patient: bool = False,
) -> tuple[Worker, ...]:
    """All four workers of a home, not yet running. `patient`: a story may think for more than two seconds."""
    # Ledger and Chroma block for milliseconds: they get threads of their own, few, because SQLite has one writer.
    threads = ThreadPoolExecutor(max_workers=4, thread_name_prefix="memory")
    serve = partial(Worker, client, graceful_shutdown_timeout=DRAIN, interceptors=interceptors)
    return (
        serve(
            task_queue=names.queue("story"),
            workflows=STORIES,
            workflow_runner=runner(),
            max_cached_workflows=200,
            debug_mode=patient,
            sticky_queue_schedule_to_start_timeout=STICKY,
        ),
        serve(
            task_queue=names.queue("memory"),
            activities=memory_activities(activities),
            activity_executor=threads,
            max_concurrent_activities=4,
        ),
        serve(task_queue=names.queue("model"), activities=model_activities(activities), max_concurrent_activities=4),
        serve(task_queue=names.queue("mail"), activities=mail_activities(activities), max_concurrent_activities=8),
    )


@asynccontextmanager
async def running(workers: Sequence[Worker]) -> AsyncIterator[None]:
    """Run the workers while the block lasts, then drain them all at once: the time to stop is theirs together."""
    tasks = [asyncio.create_task(worker.run()) for worker in workers]
    try:
        yield
    finally:
        # Also one that has not begun: its run() asks the server first, and would then serve for ever.
        await asyncio.gather(*(worker.shutdown() for worker in workers))
        await asyncio.gather(*tasks, return_exceptions=True)
