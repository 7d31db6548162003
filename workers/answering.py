"""The owner's answer, from the mail in Sent or from the machine, to the case it is for.

A rule reads the decision and another its proof; both are pure. The answer is in the ledger before its case hears of it,
so a crash in between gives it again, and the key makes the second time say what the first one said.
"""

import asyncio
from dataclasses import dataclass, replace

from memory.ledger import Ledger
from workers.engine import Refused, TemporalEngine
from workflows.models import (
    Answer,
    Approve,
    Asked,
    CaseState,
    Decision,
    Edit,
    Email,
    Event,
    Later,
    Owner,
    Revise,
    Surroundings,
    Unclear,
)
from workflows.ports import Clock, Desk
from workflows.rules import decisions
from workflows.rules.frames import is_left_in
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
        if isinstance(answer, Unclear):
            await self.desk.tell(f"unclear:{event.key}", "I am not sure what you mean", answer.question)
            return
        if isinstance(answer, tuple):
            await self.give_items(event.key, answer)
            return
        await asyncio.to_thread(self.ledger.record_answer, answer)
        await self.give(answer)

    async def give_items(self, key: str, given: tuple[Answer, ...]) -> None:
        """All answers of one mail (`key`); one result names those that were decided elsewhere, success is silent."""
        await asyncio.to_thread(self.ledger.record_answers, given)
        refused = []
        for answer in given:
            taken, said = await self.give(answer, silent=True)
            if not taken:
                refused.append(f"{answer.case}: {said}")
        if refused:
            await self.desk.tell(
                f"refused:{key}",
                "A part of your answer changed nothing" if len(refused) < len(given) else "Your answer changed nothing",
                "\n".join(["What else you answered was taken in." if len(refused) < len(given) else "", *refused]),
            )

    async def give(self, answer: Answer, *, silent: bool = False) -> tuple[bool, str]:
        """Tell a recorded answer to its case: whether it was taken, and what was said to it.

        `silent`: a refusal is not told by mail, the caller does.
        """
        earlier = await asyncio.to_thread(self.ledger.answer_outcome, answer.key)
        if earlier is not None:
            return earlier
        try:
            taken, said = True, await self.engine.answer(answer)
        except Refused as refusal:
            again = await self._show_expired_again(answer)
            taken, said = bool(again), again or str(refusal)
            if answer.via == "mail" and not taken and not silent:
                await self.desk.tell(
                    f"refused:{answer.key}", f"Case {answer.case}: your answer changed nothing", said, answer.case
                )
        await asyncio.to_thread(self.ledger.answer_handled, answer.key, said, taken=taken)
        return taken, said

    async def _show_expired_again(self, answer: Answer) -> str:
        """After an expiry a yes sends nothing: the draft is shown again, as a case of its own; "" when it is not so."""
        state = await asyncio.to_thread(self.ledger.case, answer.case)
        if state.outcome != "expired" or not state.version or state.hold:
            return ""
        if not isinstance(answer.decision, Approve | Edit | Revise | Later):
            return ""
        shown = await asyncio.to_thread(self.ledger.reopen, answer.case)
        if shown.stage == "closed":
            return ""
        await self.engine.recreate(shown)
        if isinstance(answer.decision, Edit | Revise | Later):
            await self._pass_on(answer, shown)
        return f"Case {answer.case} had expired and nothing was sent; its draft is shown again as case {shown.case}."

    async def _pass_on(self, answer: Answer, shown: CaseState) -> None:
        """Wishes for an expired draft are wishes for the one shown in its place; only a yes must be given anew."""
        decision = replace(answer.decision, send=False) if isinstance(answer.decision, Edit) else answer.decision
        passed = replace(
            answer, key=f"{answer.key}:again", case=shown.case, version=1, hash=shown.hash, decision=decision
        )
        if await asyncio.to_thread(self.ledger.record_answer, passed):
            await self.give(passed)

    def _read(self, event: Event) -> Answer | tuple[Answer, ...] | Unclear | Unproven:
        email = self.ledger.email(event.key)
        if email is None:
            return Unproven(reason="The mail is no longer in the ledger.")
        around = self.ledger.surroundings(email, "sent")
        if around.asked is None:
            return Unproven(reason="It does not answer an approval mail of mine.")
        if around.asked.case == 0:
            return self._read_items(event, email, around, around.asked)
        decision = decisions.read(email, around.asked, self.owner, self.clock.now())
        proof = sent_proof(email, self.owner, around, around.asked, min_delay_seconds=self._delay(decision))
        if isinstance(proof, Unproven):
            return proof
        return self.answer_of(event.key, email, around.asked, decision)

    def _read_items(
        self, event: Event, email: Email, around: Surroundings, asked: Asked
    ) -> tuple[Answer, ...] | Unclear | Unproven:
        """The answers in a mail that answers a digest or reminder, each bound to the row that it showed."""
        found = self.items_of(event.key, email, asked)
        if found == ():
            return Unproven(reason="It does not answer an approval mail of mine.")
        said = (found,) if isinstance(found, Unclear) else tuple(answer.decision for answer in found)
        proof = sent_proof(email, self.owner, around, asked, min_delay_seconds=max(map(self._delay, said)))
        return proof if isinstance(proof, Unproven) else found

    def items_of(self, key: str, email: Email, asked: Asked) -> tuple[Answer, ...] | Unclear:
        """The answers in a mail (`key`) to a digest or reminder, as their cases are told; () when it shows none."""
        rows = {item.case: item for item in self.ledger.digest_items(asked.version)}
        if not rows:
            return ()
        found = decisions.read_items(email, asked, rows, self.owner, self.clock.now())
        if isinstance(found, Unclear):
            return found
        return tuple(
            Answer(
                key=f"{key}:{case}",
                case=case,
                version=rows[case].version,
                decision=self._with_setting(decision),
                hash=rows[case].hash,
                via="mail",
                at=self.clock.now(),
                words=email.text[:2000],
            )
            for case, decision in found
        )

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
        if self.edit_sends and isinstance(decision, Edit) and not is_left_in(decision.text, self.owner.addresses):
            return replace(decision, send=True)
        return decision

    async def _refuse(self, event: Event, reason: str) -> None:
        await asyncio.to_thread(self.ledger.note, event.case, f"An answer was not used: {reason}")
        await self.desk.tell(
            f"unproven:{event.key}",
            f"Case {event.case}: your answer could not be used" if event.case else "Your answer could not be used",
            f"{reason} Nothing was sent. Answer the approval mail itself from your own mailbox, or use "
            f"'./deskhand case {event.case or 'NUMBER'}' and the commands it names.",
            event.case,
        )
