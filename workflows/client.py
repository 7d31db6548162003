"""One voice per person: whatever goes out to a client goes through here, one mail after the other.

It lives only while it has something to say; the ledger, not this workflow, remembers what was said.
"""

from dataclasses import dataclass

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows import steps
    from workflows.activities import Activities
    from workflows.models.drafts import Receipt
    from workflows.names import VOICE, named


@dataclass(frozen=True, slots=True, kw_only=True)
class Approved:
    """An approved version of a case, ready to leave."""

    case: int
    version: int


@workflow.defn(name=VOICE)
class ClientVoice:
    """Sends what is handed over, in order, and tells each case how it went."""

    @workflow.init
    def __init__(self, client: str, queue: list[Approved]) -> None:
        self.client = client
        self.queue = list(queue)

    @workflow.run
    async def run(self, client: str, queue: list[Approved]) -> int:
        processed = 0
        while self.queue:
            approved = self.queue.pop(0)
            await _report(approved, await _send(approved))
            processed += 1
            if workflow.info().is_continue_as_new_suggested():
                workflow.continue_as_new(args=[client, self.queue])
        return processed

    @workflow.signal(name="hand_over")
    def hand_over(self, approved: Approved) -> None:
        if approved not in self.queue:
            self.queue.append(approved)


async def _send(approved: Approved) -> Receipt:
    """How the send ended. One that is refused for good is a failed one: the next in the queue still goes out."""
    try:
        return await steps.mail(Activities.send, approved.case, approved.version)
    except ActivityError as error:
        if steps.ends_the_story(error):  # cancelled by somebody: what became of the mail, the outbox alone knows
            raise
        return Receipt(state="failed", detail=steps.words(error))


async def _report(approved: Approved, receipt: Receipt) -> None:
    try:
        case = named(workflow.info().workflow_id).case(approved.case)
        await workflow.get_external_workflow_handle(case).signal("receive", receipt)
    except ApplicationError:
        # The case is gone (closed meanwhile, or not re-created yet): the ledger has the receipt, and a re-created
        # case hands over again and is given the same one.
        workflow.logger.info("case %s was not there to be told", approved.case)
