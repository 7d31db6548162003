"""What a hint leads to: an answer that lies in an inbox holds its case at once, and never sends.

The owner's waits for its copy in Sent and is told when that does not come; the second approver's carries its own proof.
"""

import asyncio
import hashlib
import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from datetime import datetime, timedelta

import structlog

from memory.ledger import Ledger
from memory.post.mails import SeenMail
from memory.record.blobs import Blobs
from tools.mail.message.signatures import Signatures
from workers.desk.answering import Answering
from workers.voice import answer_texts
from workflows.errors import DeskhandError, Retryable
from workflows.models.decisions import Answer, Approve, Decision, Revise, Unclear
from workflows.models.mail import Email, FolderKind
from workflows.models.orders import StopAll
from workflows.models.people import Owner
from workflows.models.routes import Asked, Event
from workflows.ports import Clock, Desk
from workflows.rules.answers import decisions
from workflows.rules.answers.decisions import is_automatic
from workflows.rules.answers.hints import carries_nonce, holds, is_second, strangers
from workflows.rules.answers.orders import order_in
from workflows.rules.answers.proof import Unproven
from workflows.rules.answers.second_proof import OLDEST, second_proof
from workflows.rules.quoted.typed import typed
from workflows.rules.text.canonical import one_line

log = structlog.get_logger()
PATIENCE = timedelta(minutes=10)
"""How long an answer waits for its copy in Sent before the owner is told."""
EVERY = 60.0
"""Seconds between two looks for overdue hints."""
NO_PROOF = "no_proof"
"""The ledger's key for why no answer of the owner's can be proven by mail just now; empty: it can."""
SENT_FOLDERS = "sent_folders"
"""The ledger's key for the names of the Sent folders found last."""
_SHORT = 80
_MENDS = {
    "answer-to-others": "Answer the mail itself, to yourself alone.",
    "not-yours": "If that is an address of yours, add it to owner.aliases; else answer from one of your own.",
    "forward": "Reply to the mail instead.",
    "own-mail": "Let the mail program you used keep its sent mail in your Sent folder on the server.",
}
"""What to do about an answer that a rule skipped."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Hints:
    """Takes hints in; `run` tells those whose proof does not come."""

    ledger: Ledger
    blobs: Blobs
    answering: Answering
    signatures: Signatures
    desk: Desk
    owner: Owner
    clock: Clock
    stop: Callable[
        [str, StopAll, datetime, Email, Asked | None], Awaitable[object]
    ]  # an unproven "stop all" stops; it never sends

    async def take(self, event: Event) -> None:
        """Hold the case if the words say so, and judge the proof if the mail brings its own.

        Raises:
            Retryable: DNS or the case cannot be asked now.
        """
        email = await asyncio.to_thread(self.ledger.email, event.key)
        around = None if email is None else await asyncio.to_thread(self.ledger.surroundings, email, "inbox")
        question = None if around is None else around.asked
        if around and around.burnt:
            return  # it holds nothing, since others know its nonce; without a copy in Sent it is told when overdue
        if not (email and around and question) or await asyncio.to_thread(self.ledger.sent_copy_seen, event.key):
            await asyncio.to_thread(self.ledger.hint_settled, event.key)
            return
        owner = self.owner if is_second(email, self.owner) else self.owner.signing(around.signatures)
        decision, items = await asyncio.to_thread(self._said, email, question, owner)
        order = None if is_second(email, self.owner) else order_in(email, owner, event.at, question)
        if isinstance(order, StopAll) and carries_nonce(email, question):
            await self.stop(event.key, order, event.at, email, question)
        if order is None and carries_nonce(email, question):
            targets = (
                (question,)
                if question.case and holds(decision)
                else tuple(item for item in items if holds(item.decision))
            )
            for target in targets:
                await self._hold(event, target.case, target.version)
        if is_second(email, self.owner):
            await self._take_second(event, email, question, decision, items)
        elif reason := await asyncio.to_thread(self.ledger.get_meta, NO_PROOF):
            await self._tell(
                event.key, question.case, question.version, f"{_quoted(email, question)} could not be used: {reason}"
            )

    def _said(self, email: Email, asked: Asked, owner: Owner) -> tuple[Decision, tuple[Answer, ...]]:
        """The decision, and where the mail it answers shows many cases what it says of each: then the least clear."""
        if asked.case or asked.purpose != "approval":
            return decisions.read(email, asked, owner, self.clock.now()), ()
        answers = self.answering.items_of(_second_key(email), email, asked, owner.signatures)
        if isinstance(answers, Unclear):
            return answers, ()
        vague = next((answer.decision for answer in answers if isinstance(answer.decision, Revise)), None)
        return vague or Approve(), answers

    async def _hold(self, event: Event, case: int, version: int) -> None:
        """Take back any yes of this case until there is a proven answer; the outbox sees it at once."""
        hold = Answer(
            key=f"hint:{event.key}" if event.case else f"hint:{event.key}:{case}",
            case=case,
            version=version,
            decision=Unclear(question=""),  # nothing is asked: the proof is awaited
            via="hint",
            at=self.clock.now(),
        )
        if await asyncio.to_thread(self.ledger.record_answer, hold):
            await asyncio.to_thread(self.ledger.note, case, "Held: an unproven answer of yours says not to send.")
        await self.answering.give(hold)

    # ------------------------------------------------------------ the second approver

    async def _take_second(
        self, event: Event, email: Email, asked: Asked, decision: Decision, items: tuple[Answer, ...]
    ) -> None:
        reason = await self._why_unproven(event, email, asked, decision)
        if reason:
            notice = f"{_quoted(email, asked, of=self.owner.second)} could not be used: {reason}"
            await self._tell(event.key, asked.case, asked.version, notice)
            return
        if not asked.case:
            await self._take_items_of_second(event, email, asked, decision, items)
            return
        key = _second_key(email)
        answer = await asyncio.to_thread(self.answering.answer_of, key, email, asked, decision)
        if await asyncio.to_thread(self.ledger.record_answer, answer):
            await asyncio.to_thread(self.ledger.note, asked.case, f"{self.owner.second} answered, proven by signature.")
        await self.answering.give(answer)
        await asyncio.to_thread(self.ledger.hint_settled, event.key)

    async def _take_items_of_second(
        self, event: Event, email: Email, asked: Asked, decision: Decision, items: tuple[Answer, ...]
    ) -> None:
        """Every part of a proven answer to a digest, or one notice that it was not clear."""
        if isinstance(decision, Unclear):
            notice = f"{_quoted(email, asked, of=self.owner.second)} was not used. {decision.question}"
            await self._tell(event.key, asked.case, asked.version, notice)
            return
        await self.answering.give_items(event.key, items)
        for answer in items:
            notice = f"{self.owner.second} answered, proven by signature."
            await asyncio.to_thread(self.ledger.note, answer.case, notice)
        await asyncio.to_thread(self.ledger.hint_settled, event.key)

    async def _why_unproven(self, event: Event, email: Email, asked: Asked, decision: Decision) -> str:
        soon = event.at - asked.sent_at < timedelta(seconds=self.answering.least_delay)
        if soon and isinstance(decision, Revise | Unclear):
            return "It came as quickly as an automatic reply would."
        raw = await asyncio.to_thread(self.blobs.get, email.blob)
        try:
            signed = await self.signatures.read(raw)
        except Retryable as error:
            if self.clock.now() - event.at > OLDEST:
                return str(error)
            raise
        # Judged as of its arrival: a service that was down meanwhile does not make an answer old.
        proof = second_proof(email, self.owner, asked, event.at, signed)
        return proof.reason if isinstance(proof, Unproven) else ""

    # ------------------------------------------------------------ those whose proof does not come

    async def run(self) -> None:
        """Look for overdue hints until cancelled."""
        while True:
            try:
                await self.round()
            except DeskhandError as error:
                log.warning("hints", problem=str(error))
            await asyncio.sleep(EVERY)

    async def round(self) -> None:
        """Tell each answer whose copy in Sent has not come in time, once."""
        for mail in await asyncio.to_thread(self.ledger.overdue_hints, self.clock.now() - PATIENCE):
            await self._tell_overdue(mail)
        now = self.clock.now()
        for mail in await asyncio.to_thread(self.ledger.refused_in_silence, now - OLDEST, now - PATIENCE):
            await self._tell_refused(mail)
            await asyncio.to_thread(self.ledger.mark_told, [mail.id])

    async def _tell_refused(self, mail: SeenMail) -> None:
        """An answer of the owner's that a rule skipped before its words were read: what was wrong with it."""
        folder: FolderKind = "sent" if mail.kind == "sent" else "inbox"
        email = await asyncio.to_thread(self.ledger.email, mail.key)
        around = None if email is None else await asyncio.to_thread(self.ledger.surroundings, email, folder)
        question = None if around is None else around.question
        if email is None or around is None or around.ours or question is None or is_automatic(email):
            return
        if mail.rule == "forward" and strangers(email, self.owner):
            return  # passed on to somebody: nothing was asked of us
        notice = f"{_quoted(email, question)} could not be used: {mail.reason} {_MENDS.get(mail.rule, '')}".rstrip()
        await self._tell(mail.key, question.case, question.version, notice)

    async def _tell_overdue(self, mail: SeenMail) -> None:
        email = await asyncio.to_thread(self.ledger.email, mail.key)
        around = None if email is None else await asyncio.to_thread(self.ledger.surroundings, email, "inbox")
        question = None if around is None else around.question
        if email is None or question is None or await asyncio.to_thread(self._is_answered, question, mail):
            await asyncio.to_thread(self.ledger.hint_settled, mail.key)
            return
        record = await asyncio.to_thread(self.ledger.get_meta, SENT_FOLDERS)
        folders = ", ".join(json.loads(record or "[]")) or "your Sent folder"
        notice = (
            f"{_quoted(email, question)} reached INBOX, but no copy of it was found in {folders} within "
            f"{PATIENCE.seconds // 60} minutes. Only that copy shows that it was you. Let the mail program you "
            "used keep its sent mail in that folder on the server, or name the folder it uses as imap.sent."
        )
        notice += answer_texts.held_words(await asyncio.to_thread(self.ledger.held_by, mail.key), self.owner)
        if await asyncio.to_thread(self.ledger.stopped_since):
            notice += ' Everything is stopped, until "resume".'
        await self._tell(mail.key, question.case, question.version, notice)

    def _is_answered(self, asked: Asked, mail: SeenMail) -> bool:
        """Whether an answer to a mail that shows many cases was taken in all the same: servers may change one copy."""
        if held_cases := self.ledger.held_by(mail.key):
            return self.ledger.all_answered(held_cases, mail.at)
        is_digest = asked.case == 0 and asked.purpose == "approval"
        cases = [row.case for row in self.ledger.digest_items(asked.version)] if is_digest else []
        return bool(cases) and self.ledger.any_answered(cases, mail.at)

    async def _tell(self, key: str, case: int, version: int, said: str) -> None:
        number = f"{case}.{version}" if case and version else str(case) if case else "NUMBER"
        text = (
            f"{said}\n\nNothing was sent for it. Answer at the machine instead: ./deskhand approve {number}, or "
            "reject, edit, later, mine. './deskhand check --rehearse' shows for each of your devices whether its "
            "answers can be proven.\n"
        )
        await self.desk.tell(f"unproven:{key}", answer_texts.not_used_subject(case, self.owner), text, case)
        await asyncio.to_thread(self.ledger.hint_settled, key)


def _second_key(email: Email) -> str:
    """By Message-ID, which is signed: a copy changed in what is not signed cannot be a second answer."""
    return f"second:{hashlib.sha256(email.message_id.encode()).hexdigest()}"


def _quoted(email: Email, asked: Asked, of: str = "") -> str:
    words = one_line(typed(email, asked.text).words, _SHORT)
    target = f"{asked.case}.{asked.version}" if asked.version else str(asked.case)
    if not asked.case:
        target = "the mail that shows several cases" if asked.purpose == "approval" else "a notice of mine"
    return f'The answer{f" of {of}" if of else ""} "{words}" to {target}'
