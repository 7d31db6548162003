"""What a case's own history in Temporal tells: which activities it ran, and when. Payloads stay encrypted."""

from dataclasses import dataclass

from temporalio.api.enums.v1 import EventType
from temporalio.client import Client


@dataclass(frozen=True, slots=True)
class Step:
    """One activity: its name and the times (seconds since the epoch) it was scheduled, started and completed."""

    name: str
    scheduled: float
    started: float
    completed: float


async def steps_of(client: Client, name: str) -> tuple[float, list[Step]]:
    """When the case with this workflow id began, and its completed activities in order."""
    history = await client.get_workflow_handle(name).fetch_history()
    begun = history.events[0].event_time.ToMicroseconds() / 1e6
    events = {event.event_id: event for event in history.events}
    steps = []
    for event in history.events:
        if event.event_type == EventType.EVENT_TYPE_ACTIVITY_TASK_COMPLETED:
            done = event.activity_task_completed_event_attributes
            scheduled, started = events[done.scheduled_event_id], events[done.started_event_id]
            times = (one.event_time.ToMicroseconds() / 1e6 for one in (scheduled, started, event))
            name = scheduled.activity_task_scheduled_event_attributes.activity_type.name
            steps.append(Step(name, *times))
    return begun, steps


async def activities_of(client: Client, name: str, last: str = "") -> int:
    """How many activities the case ran, up to and including the first called `last`."""
    _, steps = await steps_of(client, name)
    names = [step.name for step in steps]
    return names.index(last) + 1 if last else len(names)
