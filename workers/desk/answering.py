"""The owner's answer, from the mail in Sent or from the machine, to the case it is for.

A rule reads the decision and another its proof; both are pure. The answer is in the ledger before its case hears of it,
so a crash in between gives it again, and the key makes the second time say what the first one said.
"""

import asyncio
from dataclasses import dataclass, replace

from memory.ledger import Ledger
from workers.desk.parts import NamedParts
from workers.temporal.engine import AnswerRefused, TemporalEngine
from workers.voice import answer_texts
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve, Attach, Decision, Edit, Later, Reject, Revise, Unclear, Without
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Asked, Event, Surroundings
from workflows.ports import AnsweringDesk, Clock
from workflows.rules.answers import decisions
from workflows.rules.answers.copies import LEAST_DELAY, judge, prove
from workflows.rules.answers.proof import Unproven
from workflows.rules.quoted.frames import is_left_in
from workflows.rules.quoted.typed import typed

_NO_QUESTION = "It does not answer an approval mail of mine."


@dataclass(frozen=True, slots=True, kw_only=True)
class ItemsUnclear:
    """An answer to the digest or reminder with this number of which a part is not clear: none of it was acted on."""

    number: int
    question: str


@dataclass(frozen=True, slots=True)
class Answering:
    """Reads answer mails and gives answers to their cases."""

    ledger: Ledger
    engine: TemporalEngine
    desk: AnsweringDesk
    owner: Owner
    clock: Clock
    parts: NamedParts
    edit_sends: bool = False
    least_delay: float = LEAST_DELAY

    async def take(self, event: Event) -> None:
        """Read the answer mail that this event stands for and give the decision to its case."""
        answer = await asyncio.to_thread(self._read, event)
        if isinstance(answer, Unproven):
            await self._refuse(event, answer.reason)
            return
        if isinstance(answer, ItemsUnclear):
            await self.desk.ask_items_again(event.key, answer.number, answer.question)
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
            accepted, reply = await self.give(answer, silent=True)
            if not accepted:
                refused.append(f"{answer.case}: {reply}")
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
            accepted, reply = True, await self.engine.answer(answer)
        except AnswerRefused as refusal:
            renewal = await self._show_expired_again(answer)
            accepted, reply = bool(renewal), renewal or str(refusal)
            if answer.via == "mail" and not accepted and not silent:
                subject = answer_texts.changed_nothing(answer.case, self.owner)
                await self.desk.tell(f"refused:{answer.key}", subject, reply, answer.case)
        await asyncio.to_thread(self.ledger.answer_handled, answer.key, reply, taken=accepted)
        return accepted, reply

    async def _show_expired_again(self, answer: Answer) -> str:
        """After an expiry a yes sends nothing: the draft is shown again, as a case of its own; "" when it is not so."""
        state = await asyncio.to_thread(self.ledger.case, answer.case)
        if state.outcome != "expired" or not state.version or state.hold:
            return ""
        if not isinstance(answer.decision, Approve | Edit | Revise | Attach | Without | Later):
            return ""
        successor = await asyncio.to_thread(self.ledger.reopen, answer.case)
        if successor.stage == "closed":
            return ""
        await self.engine.recreate(successor)
        if isinstance(answer.decision, Edit | Revise | Attach | Later):
            await self._pass_on(answer, successor)
        return (
            f"Case {answer.case} had expired and nothing was sent; its draft is shown again as case {successor.case}."
        )

    async def _pass_on(self, answer: Answer, shown: CaseState) -> None:
        """Wishes for an expired draft are wishes for the one shown in its place; only a yes must be given anew."""
        decision = replace(answer.decision, send=False) if isinstance(answer.decision, Edit) else answer.decision
        passed = replace(
            answer, key=f"{answer.key}:again", case=shown.case, version=1, hash=shown.hash, decision=decision
        )
        if await asyncio.to_thread(self.ledger.record_answer, passed):
            await self.give(passed)

    def _read(self, event: Event) -> Answer | tuple[Answer, ...] | ItemsUnclear | Unproven:
        """What the first proven copy in Sent says; where none is proven, what is missing from the newest."""
        result: Answer | tuple[Answer, ...] | ItemsUnclear | Unproven = Unproven("The mail is no longer in the ledger.")
        for email in self.ledger.copies_to_judge(event.key):
            result = self._read_copy(event, email)
            if not isinstance(result, Unproven):
                break
        return result

    def _read_copy(self, event: Event, email: Email) -> Answer | tuple[Answer, ...] | ItemsUnclear | Unproven:
        around = self.ledger.surroundings(email, "sent")
        if around.asked is None:
            return Unproven(around.astray.reason if around.astray else _NO_QUESTION)
        if around.asked.case == 0:
            return self._read_items(event, email, around, around.asked)
        verdict = judge(email, self.owner, around, around.asked, self.least_delay)
        if isinstance(verdict.proof, Unproven):
            return verdict.proof
        return self.answer_of(event.key, email, around.asked, verdict.decision)

    def _read_items(
        self, event: Event, email: Email, around: Surroundings, asked: Asked
    ) -> tuple[Answer, ...] | ItemsUnclear | Unproven:
        """The answers in a mail that answers a digest or reminder, each bound to the row that it showed."""
        answers = self.items_of(event.key, email, asked, around.signatures)
        if answers == ():
            return Unproven(_NO_QUESTION)
        verdicts = (answers,) if isinstance(answers, Unclear) else tuple(answer.decision for answer in answers)
        proof = prove(email, self.owner, around, asked, verdicts, self.least_delay)
        if isinstance(proof, Unproven):
            return proof
        return (
            ItemsUnclear(number=asked.version, question=answers.question) if isinstance(answers, Unclear) else answers
        )

    def items_of(
        self, key: str, email: Email, asked: Asked, signatures: tuple[str, ...] = ()
    ) -> tuple[Answer, ...] | Unclear:
        """The answers in a mail (`key`) to a digest or reminder, as their cases are told; () when it shows none."""
        rows = {item.case: item for item in self.ledger.digest_items(asked.version)}
        if not rows:
            return ()
        items = decisions.read_items(email, asked, rows, self.owner.signing(signatures), self.clock.now())
        if isinstance(items, Unclear):
            return items
        return tuple(
            Answer(
                key=f"{key}:{case}",
                case=case,
                version=rows[case].version,
                decision=self._with_setting(self.parts.resolved(decision, None, case, rows[case].version)),
                hash=rows[case].hash,
                via="mail",
                at=self.clock.now(),
                words=email.text[:2000],
            )
            for case, decision in items
        )

    def answer_of(self, key: str, email: Email, asked: Asked, decision: Decision) -> Answer:
        """The decision in a mail that is proven, as its case is told."""
        if asked.version and decision == Reject():
            words = typed(email, asked.text, self.owner.signatures).words
            decision = self.parts.as_wish(decision, words, asked.case)
        return Answer(
            key=key,
            case=asked.case,
            version=asked.version,
            decision=self._with_setting(self.parts.resolved(decision, email, asked.case, asked.version)),
            hash=self.ledger.version_hash(asked.case, asked.version) if asked.version else "",
            via="mail",
            at=self.clock.now(),
            words=email.text[:2000],
        )

    def _with_setting(self, decision: Decision) -> Decision:
        if not self.edit_sends or not isinstance(decision, Edit) or decision.letter:
            return decision
        if not is_left_in(decision.text, self.owner.addresses):
            return replace(decision, send=True)
        return decision

    async def _refuse(self, event: Event, reason: str) -> None:
        await asyncio.to_thread(self.ledger.note, event.case, f"An answer was not used: {reason}")
        holds = answer_texts.held_words(await asyncio.to_thread(self.ledger.held_by, event.key), self.owner)
        subject, text = answer_texts.not_used(event.case, reason, holds, self.owner)
        await self.desk.tell(f"unproven:{event.key}", subject, text, event.case)
