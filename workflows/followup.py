"""A mail that asked something met with silence: one short follow-up in its thread, shown and sent on a yes."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import FOLLOWUP


@workflow.defn(name=FOLLOWUP.workflow)
class FollowUp(Story):
    """One follow-up. When it is due is a rule over the ledger (rules/desk/follow_ups.py); a word of theirs ends it."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome
