"""How a story calls its activities: the queues, the time limits and the patience, each named once."""

from collections.abc import Awaitable, Callable
from datetime import timedelta
from typing import Any, Concatenate, ParamSpec, TypeVar

from temporalio import workflow
from temporalio.common import RetryPolicy
from temporalio.exceptions import ActivityError, ApplicationError, is_cancelled_exception

with workflow.unsafe.imports_passed_through():
    from workflows.activities import Activities
    from workflows.errors import OutOfStep
    from workflows.names import Role, named

Parameters = ParamSpec("Parameters")
Result = TypeVar("Result")

QUICK = timedelta(seconds=20)
"""`start_to_close` of what only touches our own files. It is also how long a killed worker's step stays unnoticed."""
LIMIT = timedelta(seconds=60)
"""`start_to_close` of what waits for a network: the calls inside carry shorter limits of their own."""
THINKING = timedelta(minutes=5)
"""`start_to_close` of a draft: up to seven calls of a model, each at most 50 s, and what it looks up between them."""
HEARTBEAT = timedelta(seconds=6)
"""A network step that has not been heard of for so long died with its worker and is tried again."""
PATIENT = RetryPolicy(initial_interval=timedelta(seconds=1), maximum_interval=timedelta(minutes=5))
"""What touches the outside is tried until it works."""
PAID = RetryPolicy(
    initial_interval=timedelta(seconds=2),
    maximum_interval=timedelta(minutes=1),
    maximum_attempts=6,
    non_retryable_error_types=["NeedsOwner"],
)
"""What costs money is bounded; then the owner is asked to read the mail himself."""
_STILL_TRYING = (
    "The step '{step}' of {story} has not worked for an hour and is still being tried. Nothing is lost. "
    "'./deskhand status' and './deskhand check' say what is wrong."
)
SAY_SO = timedelta(hours=1)
"""After this the owner is told that something is still being tried."""


async def memory(
    method: Callable[Concatenate[Activities, Parameters], Result], *given: Parameters.args, **_: Parameters.kwargs
) -> Result:
    """The ledger and the history: on the queue that exactly one process serves."""
    result: Result = await _patiently(method, given, "memory", QUICK, None)
    return result


async def mail(
    method: Callable[Concatenate[Activities, Parameters], Awaitable[Result]],
    *given: Parameters.args,
    **_: Parameters.kwargs,
) -> Result:
    """Everything that leaves."""
    result: Result = await _patiently(method, given, "mail", LIMIT, HEARTBEAT)
    return result


async def model(
    method: Callable[Concatenate[Activities, Parameters], Awaitable[Result]],
    *given: Parameters.args,
    **_: Parameters.kwargs,
) -> Result:
    """What may cost money: bounded. Raises ActivityError when the bound is reached."""
    result: Result = await workflow.execute_activity_method(
        method,
        args=given,
        task_queue=_queue("model"),
        start_to_close_timeout=THINKING,
        heartbeat_timeout=HEARTBEAT,
        retry_policy=PAID,
    )
    return result


async def _patiently(
    method: Callable[..., Any], given: tuple[Any, ...], role: Role, limit: timedelta, heartbeat: timedelta | None
) -> Any:
    trying = workflow.start_activity_method(
        method,
        args=given,
        task_queue=_queue(role),
        start_to_close_timeout=limit,
        heartbeat_timeout=heartbeat,
        retry_policy=PATIENT,
    )
    finished, _ = await workflow.wait([trying], timeout=SAY_SO.total_seconds())
    if not finished:
        _say_so(method.__name__)
    return await trying


def _say_so(step: str) -> None:
    story = workflow.info().workflow_id
    # Not awaited: when it is the outgoing mail that fails, this notice waits with it and `status` has the reason.
    workflow.start_activity_method(
        Activities.tell,
        args=[
            f"slow:{story}:{step}:{workflow.info().get_current_history_length()}",
            "Something is taking long",
            _STILL_TRYING.format(step=step, story=story.removeprefix(named(story).prefix)),
            0,
        ],
        task_queue=_queue("mail"),
        start_to_close_timeout=LIMIT,
        retry_policy=PATIENT,
    )


def _queue(role: Role) -> str:
    """Of the home in the story's own id: what began under an older name goes on under it."""
    return named(workflow.info().workflow_id).queue(role)


def ends_the_story(error: ActivityError) -> bool:
    """Whether the run itself is over: it was cancelled, or is behind the ledger, from which its case is begun anew."""
    cause = error.cause
    return is_cancelled_exception(error) or (isinstance(cause, ApplicationError) and cause.type == OutOfStep.__name__)


def words(error: ActivityError) -> str:
    """What went wrong, in the words of the error that the activity raised."""
    cause = error.cause or error
    return cause.message if isinstance(cause, ApplicationError) else str(cause)  # its str begins with our class name
