"""A client's mail becomes a reply: understood, drafted, shown to the owner, and sent on a yes."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import REPLY


@workflow.defn(name=REPLY.workflow)
class Reply(Story):
    """One conversation waiting for an answer. Ends with its outcome; the ledger has the rest."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome
