"""A late invoice is chased: one notice at the stage that is due, to one client, about all that they owe."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import CHASE


@workflow.defn(name=CHASE.workflow)
class Chase(Story):
    """One notice. When the next one is due is a rule over the ledger (rules/debts/dunning.py)."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome
