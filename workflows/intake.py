"""How a source is asked: fetched and recorded by one activity, from a Temporal Schedule or by the rhythm below.

It owns nothing that the ledger does not have: what was seen, and where a source goes on, is kept there in the same
transaction as what came.
"""

from datetime import timedelta

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows import steps
    from workflows.activities import Activities
    from workflows.names import POLL

MOST_ROUNDS = 200
"""Rounds before the rhythm continues as new: its history stays small."""


@workflow.defn(name=POLL)
class Poll:
    """One look at one source; what it says came."""

    @workflow.run
    async def run(self, source: str) -> str:
        return await steps.mail(Activities.poll, source)


@workflow.defn(name="Rhythm")
class Rhythm:
    """The same again and again without a Schedule, for a Temporal server that has none."""

    @workflow.run
    async def run(self, source: str, every: float, rounds: int) -> None:
        """`every`: seconds from one look to the next; `rounds`: how many looks, 0 for ever."""
        for look in range(1, MOST_ROUNDS + 1):
            await steps.mail(Activities.poll, source)
            if look == rounds:
                return
            await workflow.sleep(timedelta(seconds=every))
        workflow.continue_as_new(args=[source, every, max(rounds - MOST_ROUNDS, 0)])
