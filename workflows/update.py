"""A client is kept informed: what was logged since the last update, drafted, shown and sent on a yes."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import UPDATE


@workflow.defn(name=UPDATE.workflow)
class Update(Story):
    """One status update. When the next one is due is a rule over the ledger (rules/work/rhythm.py)."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome
