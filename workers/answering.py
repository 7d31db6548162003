"""The owner's answer, from the mail in Sent or from the machine, to the case it is for.

A rule reads the decision and another its proof; both are pure. The answer is in the ledger before its case hears of it,
so a crash in between gives it again, and the key makes the second time say what the first one said.
"""

import asyncio
from dataclasses import dataclass, replace

from memory.ledger import Ledger
from workers.engine import Refused, TemporalEngine
from workflows.models import Answer, Asked, Decision, Edit, Email, Event, Owner, Revise, Unclear
from workflows.ports import Clock, Desk
from workflows.rules import decisions
from workflows.rules.proof import Unproven, sent_proof

LEAST_DELAY = 5.0
"""Seconds before free text counts as the owner's: an automatic reply comes sooner."""


@dataclass(frozen=True, slots=True)
class Answering:
    """Reads answer mails and gives answers to their cases."""

    ledger: Ledger
    engine: TemporalEngine
    desk: Desk
    owner: Owner
    clock: Clock
    edit_sends: bool = False
    least_delay: float = LEAST_DELAY

    async def take(self, event: Event) -> None:
        """Read the answer mail that this event stands for and give the decision to its case."""
        answer = await asyncio.to_thread(self._read, event)
        if isinstance(answer, Unproven):
            await self._refuse(event, answer.reason)
            return
        await asyncio.to_thread(self.ledger.record_answer, answer)
        await self.give(answer)

    async def give(self, answer: Answer) -> tuple[bool, str]:
        """Tell a recorded answer to its case: whether it was taken, and what was said to it."""
        earlier = await asyncio.to_thread(self.ledger.answer_result, answer.key)
        if earlier is not None:
            return True, earlier
        try:
            taken, said = True, await self.engine.answer(answer)
        except Refused as refusal:
            taken, said = False, str(refusal)
            if answer.via == "mail":
                await self.desk.tell(
                    f"refused:{answer.key}", f"Case {answer.case}: your answer changed nothing", said, answer.case
                )
        await asyncio.to_thread(self.ledger.answer_handled, answer.key, said, taken=taken)
        return taken, said

    def _read(self, event: Event) -> Answer | Unproven:
        email = self.ledger.email(event.key)
        if email is None:
            return Unproven(reason="The mail is no longer in the ledger.")
        around = self.ledger.surroundings(email, "sent")
        if around.asked is None:
            return Unproven(reason="It does not answer an approval mail of mine.")
        decision = decisions.read(email, around.asked, self.owner, self.clock.now())
        proof = sent_proof(email, self.owner, around, around.asked, min_delay_seconds=self._delay(decision))
        if isinstance(proof, Unproven):
            return proof
        return self.answer_of(event.key, email, around.asked, decision)

    def answer_of(self, key: str, email: Email, asked: Asked, decision: Decision) -> Answer:
        """The decision in a mail that is proven, as its case is told."""
        return Answer(
            key=key,
            case=asked.case,
            version=asked.version,
            decision=self._with_setting(decision),
            hash=self.ledger.version_hash(asked.case, asked.version) if asked.version else "",
            via="mail",
            at=self.clock.now(),
            words=email.text[:2000],
        )

    def _delay(self, decision: Decision) -> float:
        # An automatic reply is free text and comes at once; no machine says just "ok".
        return self.least_delay if isinstance(decision, Revise | Unclear) else 0.0

    def _with_setting(self, decision: Decision) -> Decision:
        if self.edit_sends and isinstance(decision, Edit):
            return replace(decision, send=True)
        return decision

    async def _refuse(self, event: Event, reason: str) -> None:
        await asyncio.to_thread(self.ledger.note, event.case, f"An answer was not used: {reason}")
        await self.desk.tell(
            f"unproven:{event.key}",
            f"Case {event.case}: your answer could not be used",
            f"{reason} Nothing was sent. Answer the approval mail itself from your own mailbox, or use "
            f"'./deskhand case {event.case}' and the commands it names.",
            event.case,
        )
