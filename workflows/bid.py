"""A lead becomes a bid: looked into, drafted, shown to the owner, handed over on a yes, and followed to its end."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import BID


@workflow.defn(name=BID.workflow)
class Bid(Story):
    """One lead. Ends with how it ended: won, lost, no answer, or the owner's no."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.research()
        await self.case.settle()
        return self.case.state.outcome
