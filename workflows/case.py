"""The one place where a human is awaited.

`Case` is a plain value with an inbox that a story owns; `Story` carries the handlers every story shares. A case moves
through its stages (`CaseState.stage`), and each stage is a step that can be entered afresh: after a crash, after
continue-as-new, or when the ledger re-creates a case that Temporal forgot.

    new -> drafted -> waiting -> approved -> sending -> closed
     ^                  |  ^         |          |         ^
     +---- revise ------+  +- later  +-- no ----+         |
                                                placed ---+  (a bid waits to hear how it ended)
"""

from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any

from temporalio import workflow
from temporalio.exceptions import ActivityError, ApplicationError

with workflow.unsafe.imports_passed_through():
    from workflows import steps
    from workflows.activities import Activities
    from workflows.models.case import CaseState, ChangedBy
    from workflows.models.decisions import (
        Answer,
        Approve,
        Attach,
        Edit,
        Later,
        Mine,
        Never,
        Reject,
        Revise,
        Unclear,
        Why,
        Without,
    )  # fmt: skip
    from workflows.models.drafts import Receipt
    from workflows.models.routes import Event
    from workflows.rules.answers import unclear
    from workflows.rules.asking import taken_in
    from workflows.rules.text.speech import named, say_count
    from workflows.stories import facts_of

TELL_WHEN_HELD = timedelta(minutes=10)
LOOK_AGAIN = timedelta(minutes=5)
MOST_VERSIONS = 5
MOST_REDRAFTS, REDRAFTS_WITHIN = 3, timedelta(hours=1)
ASK_AGAIN = timedelta(hours=1)
"""How long a hand-over may stay without a receipt before it is made again: the client's workflow may have died."""
RESULT_WITHIN = timedelta(days=60)
"""A bid that nobody says anything about for so long counts as not answered."""
LONG_HISTORY = 2000
"""Events after which a case continues as new: well before the 4,096 of promise T3 (docs/promises.md)."""
MOST_CARRIED = 100_000
"""Characters of what has arrived that may go into the next run: with the state well below Temporal's 256 KiB."""
MOST_HEARD, MOST_CONSUMED = 2000, 500
"""Keys a state keeps: it is part of every payload, and a thread of 5,000 mails must not outgrow them."""


class Case:
    """A case's state and what has reached it since; `settle` brings it to its end."""

    def __init__(self, state: CaseState) -> None:
        self.state = replace(state, answers=(), events=())
        self._answers: list[Answer] = list(state.answers)
        self._events: list[Event] = list(state.events)
        self._receipts: list[Receipt] = []
        self._is_kept = False  # whether the ledger has the state as it is

    # ------------------------------------------------------------ what reaches a case

    def check(self, answer: Answer) -> None:
        """Refuse an answer that cannot be acted on; the text is for the owner."""
        if why := taken_in.refusal(self.state, answer):
            raise ApplicationError(why, type="Refused", non_retryable=True)

    def accept(self, answer: Answer) -> str:
        """Take an answer in, once per key; what to say to the owner."""
        if answer.key in (*self.state.consumed, *(waiting.key for waiting in self._answers)):
            return self._says("taken_in")
        acknowledgement = taken_in.acknowledgement(self.state, answer)
        self._answers.append(replace(answer, words=""))  # the ledger has the words; a state stays small
        return acknowledgement

    def hear(self, event: Event) -> None:
        """Take in a later event of this conversation, once per key."""
        if event.key not in (self.state.event, *self.state.heard, *(waiting.key for waiting in self._events)):
            self._events.append(event)

    def receive(self, receipt: Receipt) -> None:
        """How a send ended, as the client's workflow says."""
        self._receipts.append(receipt)

    def _says(self, sentence: str, /, **facts: object) -> str:
        """A sentence about this case, in its owner's language."""
        return taken_in.says(self.state, sentence, **facts)

    # ------------------------------------------------------------ the story

    async def research(self) -> None:
        """Find out more before the first draft. What cannot be found out is missing from the brief, nothing more."""
        if not self.state.brief and not self.state.version:
            await self._surely(steps.model(Activities.research, self.state))

    async def settle(self) -> None:
        """Draft, ask, wait, revise and send until the case is closed."""
        while self.state.stage != "closed":
            try:
                await self._step()
            except ActivityError as error:
                await self._park(error)
            await self._continue_as_new_when_long()
        await self._leave()

    async def _leave(self) -> None:
        """Keep the outcome; what came too late for this case is neither lost nor left unsaid."""
        await self._surely(steps.memory(Activities.close, self.state))
        for answer in (late for late in self._answers if late.via != "hint"):
            outcome = named(self.state.language, "stages", self.state.outcome)
            text = f"{self._says('late', outcome=outcome)}{self._how_to_correct()}"
            await self._tell(f"late:{answer.key}", self._says("late_subject"), text)
        await self._surely(steps.memory(Activities.remember, self.state.case))
        while self._events:
            await self._surely(steps.mail(Activities.start_over, self._events.pop(0)))

    def _how_to_correct(self) -> str:
        if self.state.outcome != "sent":
            return ""
        return f" {self._says('late_fix', sent=self.state.reason)}"

    async def _surely(self, step: Awaitable[object]) -> None:
        """A step that the case must not fail on: when it is refused for good, the log says so and the rest goes on."""
        try:
            await step
        except ActivityError as error:
            if steps.ends_the_story(error):
                raise
            workflow.logger.error("case %s: a step was refused: %s", self.state.case, steps.words(error))

    async def _park(self, error: ActivityError) -> None:
        """No case ever fails: what cannot go on waits for the owner, and says so. A run that is over ends, no more."""
        if steps.ends_the_story(error):
            raise error
        self._to(stage="needs_owner", reason=steps.words(error), approved_at=None, held_until=None)
        await self._surely(steps.memory(Activities.save, self.state))
        await self._tell(
            f"parked:{self.state.case}.{self.state.version}:{self.state.round}",
            self._says("needs_you"),
            self._says("parked", reason=self.state.reason),
        )

    async def _step(self) -> None:
        match self.state.stage:
            case "new":
                await self._prepare()
            case "drafted":
                await self._ask()
            case "waiting" | "needs_owner":
                await self._wait()
            case "approved":
                await self._wait_out_the_grace()
            case "placed":
                await self._wait_for_the_result()
            case _:
                await self._send()

    async def _prepare(self) -> None:
        """A brief, then a draft. What cannot be drafted is shown to the owner as it is."""
        before = self.state.version
        if not self.state.brief:
            self._to(brief=await steps.memory(Activities.brief, self.state))
        if not self.state.hold and before and (enough := self._enough_drafts()):
            self._to(hold=enough)
        if not self.state.hold:
            try:
                drafted = await steps.model(Activities.draft, self.state)
                self._to(version=drafted.version, hash=drafted.hash, hold=drafted.hold, proposals=drafted.proposals)
            except ActivityError as error:
                if steps.ends_the_story(error):
                    raise
                self._to(hold=self._says("no_draft_made", reason=steps.words(error)))
        if before and self.state.version != before:
            self._to(redrafted_at=(*self.state.redrafted_at, workflow.now())[-MOST_REDRAFTS:])
        # Without a new version (held) this is one more question about the old one, not the same question again.
        next_round = 1 if self.state.version != before else self.state.round + 1
        self._to(stage="drafted", round=next_round, asked_at=None, asked_again=0, files=())

    def _enough_drafts(self) -> str:
        """Why no further draft is made now, "" when one may be."""
        if self.state.version >= MOST_VERSIONS:
            return say_count(self.state.language, "case.versions", self.state.version)
        recent = [at for at in self.state.redrafted_at if at > workflow.now() - REDRAFTS_WITHIN]
        sentence = say_count(self.state.language, "case.redrafts", len(recent))
        return sentence if len(recent) >= MOST_REDRAFTS else ""

    async def _ask(self) -> None:
        if self._events:  # a newer mail came while we drafted: an approval of this version would be stale
            await self._take_events()
            return
        # Kept with the first attempt: a retried question must be the very same mail, its deadline included.
        self._to(asked_at=self.state.asked_at or workflow.now())
        asking = await steps.mail(Activities.ask, self.state)
        self._to(
            stage="waiting", asked_at=asking.asked_at, expires_at=asking.expires_at, grace=asking.grace,
            leaves_at=asking.leaves_at, language=asking.language or self.state.language,
            look_at=None, again="",
        )  # fmt: skip
        await self._save()

    async def _wait(self) -> None:
        """Until the owner answers, the client writes again, a 'later' is due, or the time is over."""
        state = self.state
        deadline = state.later_until or state.leaves_at or state.look_at or state.expires_at
        if await self._woken_by(deadline):
            await self._take_news()
        elif self.state.later_until:
            self._to(stage="drafted", round=self.state.round + 1, asked_at=None, later_until=None)
        elif self.state.leaves_at:
            await self._leave_under_the_standing_yes()
        elif deadline and deadline <= workflow.now():
            await self._expire()

    async def _leave_under_the_standing_yes(self) -> None:
        """The time to undo is over. When the standing yes was taken back meanwhile, the case waits for a yes."""
        self._to(leaves_at=None)
        if await steps.memory(Activities.stand, self.state):
            await self._approve()
        elif workflow.patched("standing-yes-refused-is-told"):
            self._to(stage="drafted", again=self._says("standing_over"), round=self.state.round + 1, asked_at=None)
        await self._save()

    async def _wait_out_the_grace(self) -> None:
        """Between yes and send any later no, stop or edit wins."""
        approved_at = self.state.approved_at or workflow.now()
        if await self._woken_by(approved_at + timedelta(seconds=self.state.grace)):
            await self._take_news()
        else:
            self._to(stage="sending", held_until=None)
            await self._save()

    async def _send(self) -> None:
        # A hold that is over still lets what has arrived go first: a no wins until the outbox has claimed the mail.
        if await self._woken_by(self.state.held_until or workflow.now()):
            await self._take_news()
            return
        self._to(held_until=None)
        self._receipts.clear()
        await steps.mail(Activities.hand_over, self.state.client, self.state.case, self.state.version)
        await self._within(ASK_AGAIN, lambda: bool(self._receipts) or _is_long())
        if self._receipts:  # else it is handed over again: a second time says what the first one said
            await self._take_receipt(self._receipts.pop())

    async def _wait_for_the_result(self) -> None:
        """Won, lost or no answer: the owner's word, or a long silence."""
        if await self._woken_by(self.state.result_by):
            await self._take_news()
        elif self.state.result_by and self.state.result_by <= workflow.now():
            self._close("no-answer", self._says("silence", days=RESULT_WITHIN.days))

    async def _take_receipt(self, receipt: Receipt) -> None:
        if receipt.state == "sent":
            await self._carry_out()
        match receipt.state:
            case "held":
                await self._hold(receipt)
            case "sent" if facts_of(self.state.kind).is_followed:
                self._to(stage="placed", reason=receipt.detail, result_by=workflow.now() + RESULT_WITHIN)
                await self._save()
            case "sent":
                self._close("sent", receipt.detail)
            case _:
                name = f"{self.state.case}.{self.state.version}"
                state = named(self.state.language, "stages", receipt.state)
                undone = taken_in.undone(self.state)
                text = f"{receipt.detail}{undone}"
                await self._tell(f"{receipt.state}:{name}", self._says("is_state", state=state), text)
                self._close(receipt.state, receipt.detail)

    async def _carry_out(self) -> None:
        """What was approved beside the mail. A case of before there were proposals has none, and replays as it was."""
        name = f"{self.state.case}.{self.state.version}"
        for key in self.state.proposals:
            try:
                fault = await steps.mail(Activities.carry_out, self.state.case, self.state.version, key)
            except ActivityError as error:
                if steps.ends_the_story(error):
                    raise
                fault = steps.words(error)
            if fault:
                await self._tell(f"failed:{name}:{key}", self._says("part_needs_you", part=key), fault)

    async def _hold(self, receipt: Receipt) -> None:
        """The outbox would not take it now: look again, and say so once when it lasts."""
        now = workflow.now()
        self._to(held_until=max(receipt.until or now + LOOK_AGAIN, now + timedelta(seconds=1)))
        approved_at = self.state.approved_at or now
        name = f"{self.state.case}.{self.state.version}"
        if receipt.rule and workflow.patched("held-is-shown-again"):
            await self._ask_about_hold(receipt)
        elif receipt.rule:  # only the owner's word ends it: told at once, once for each such reason
            text = self._says("not_sent", detail=receipt.detail)
            await self._tell(f"held:{name}:{receipt.rule}", self._says("waits"), text)
        elif self.state.held_until and self.state.held_until - approved_at > TELL_WHEN_HELD:
            text = self._says("not_sent_yet", detail=receipt.detail)
            await self._tell(f"held:{name}", self._says("waits"), text)
        await self._save()

    async def _ask_about_hold(self, receipt: Receipt) -> None:
        """Only the owner's word ends it: asked at once, once for each such reason, in a mail that an ok answers."""
        doubt = f"{self.state.version}:{receipt.rule}"
        if doubt in self.state.doubted:
            return
        self._to(doubted=(*self.state.doubted, doubt), round=self.state.round + 1)
        state = replace(self.state, again=self._says("not_sent", detail=receipt.detail), asked_at=workflow.now())
        await self._surely(steps.mail(Activities.ask, state))

    # ------------------------------------------------------------ news

    async def _woken_by(self, deadline: datetime | None) -> bool:
        """Whether something came before the deadline: an answer, an event, or so much else that the history is long."""
        if self._answers or self._events:  # also when the deadline has passed meanwhile: what came in time counts
            return True
        remaining = deadline - workflow.now() if deadline else None
        if remaining is not None and remaining <= timedelta():
            return False
        return await self._within(remaining, lambda: bool(self._answers or self._events) or _is_long())

    async def _within(self, limit: timedelta | None, condition: Callable[[], bool]) -> bool:
        """Whether the condition came true in time."""
        try:
            await workflow.wait_condition(condition, timeout=limit)
        except TimeoutError:
            return False
        return True

    async def _take_news(self) -> None:
        self._to(leaves_at=None)  # whatever is said, from now on it takes a yes of its own
        if self._events:
            await self._take_events()
        elif self._answers:
            await self._take_answer(self._answers.pop(0))

    async def _take_events(self) -> None:
        """The owner's own mail ends the case; the client's next mails, all that are there, make the draft stale."""
        events = tuple(self._events)
        self._events.clear()
        self._to(heard=(*self.state.heard, *(event.key for event in events))[-MOST_HEARD:])
        by_hand = [event for event in events if event.kind == "sent"]
        if any(event.from_drafts for event in by_hand):
            self._close("sent-by-owner", self._says("from_drafts"))
            return
        if by_hand:
            self._close("answered-by-owner", self._says("by_hand"))
            return
        if ended := next((event for event in events if event.ends), None):
            self._close(ended.ends, ended.summary)
            return
        if self.state.stage == "placed":  # what has left is not drafted again
            await self._save()
            return
        if all(event.again for event in events):
            self._show_anew(events[-1].again)
            await self._save()
            return
        changed, by = self._what_changed(events) if self.state.version or self.state.hold else ("", ChangedBy.NOBODY)
        hold = next((event.hold for event in events if event.hold), self.state.hold)
        self._to(
            stage="new", brief=0, hold=hold, wishes="", changed=changed, changed_by=by,
            later_until=None, approved_at=None, held_until=None,
        )  # fmt: skip
        await self._save()

    async def _take_answer(self, answer: Answer) -> None:
        self._to(consumed=(*self.state.consumed, answer.key)[-MOST_CONSUMED:])
        if taken_in.is_stale(self.state, answer):
            self._show_again(answer)
        else:
            await self._decide(answer)
        await self._save()

    def _show_again(self, answer: Answer) -> None:
        """Nothing is sent for an answer to what no longer stands: the owner is shown what does, and why."""
        state = self.state
        if state.approved_at:  # two different answers: neither counts
            second = taken_in.quoted(state, answer)
            reason = self._says("two_answers", first=state.said, second=second)
        elif answer.version != state.version:
            reason = self._says("older_version", answered=answer.version)
        else:
            reason = self._says("overtaken", answered=answer.version)
        if state.stage in {"new", "drafted"}:  # it is shown in any case
            self._to(again=reason)
            return
        self._to(
            stage="drafted", again=reason, round=state.round + 1, asked_at=None, asked_again=0,
            approved_at=None, held_until=None, later_until=None, said="",
        )  # fmt: skip

    def _show_anew(self, why: str) -> None:
        """The same draft in another mail, for the one that showed it counts no more; a yes to that one neither."""
        state = self.state
        if state.stage == "new" or state.later_until:  # it is shown in any case, in its time
            self._to(again=why)
            return
        self._to(
            stage="drafted", again=why, round=state.round + 1, asked_at=None, asked_again=0,
            approved_at=None, held_until=None, said="",
        )  # fmt: skip

    async def _decide(self, answer: Answer) -> None:
        match answer.decision:
            case Approve():
                await self._approve(taken_in.quoted(self.state, answer))
            case Edit() as edit:
                await self._replace(edit, answer)
            case Attach() | Without() as change:
                await self._change_parts(change, answer)
            case Revise() as wish:
                await self._revise(answer, wish)
            case Reject(reason=reason):
                self._close("rejected", reason)
            case Mine():
                self._close("mine", self._says("mine"))
            case Never():
                await steps.memory(Activities.never, self.state.client, self.state.kind)
                self._close("never", facts_of(self.state.kind).never)
            case decision:
                await self._put_off(answer, decision)

    async def _put_off(self, answer: Answer, decision: Later | Why | Unclear) -> None:
        """What decides nothing yet."""
        match decision:
            case Later(until=until):
                self._to(stage="waiting", later_until=until, approved_at=None, held_until=None)
            case Why():
                await steps.mail(Activities.explain, f"why:{answer.key}", self.state.case)
            case Unclear(question=question):
                await self._ask_again(answer, question)

    async def _approve(self, said: str = "") -> None:
        if self.state.stage not in {"waiting", "needs_owner"}:
            self._to(held_until=None)  # one more yes may be what a held mail waits for: looked at again now
            return
        self._to(stage="approved", approved_at=workflow.now(), later_until=None, said=said)
        if await steps.memory(Activities.approve, self.state) is False:  # the ledger has no such yes: none was given
            self._to(stage="waiting" if self.state.asked_at else "drafted", approved_at=None, said="")
            return
        self._is_kept = True

    async def _replace(self, edit: Edit, answer: Answer) -> None:
        """The owner's own text is the next version; shown once more, or with "edit!" approved as it is."""
        state = replace(self.state, files=edit.files)
        edited = await steps.memory(Activities.edit, state, edit.text, answer.key if edit.cut else "")
        await self._take_version(edited, self._says("own_text"), answer, send=edit.send)

    async def _change_parts(self, change: Attach | Without, answer: Answer) -> None:
        """The same text with more files, which is shown once more; or with less, which a yes to it may send at once."""
        changed = await steps.memory(Activities.change_parts, self.state, change)
        send = isinstance(change, Without) and change.send
        await self._take_version(changed, taken_in.what_changed(self.state, change), answer, send=send)

    async def _take_version(self, version: CaseState, changed: str, answer: Answer, *, send: bool) -> None:
        self._to(
            stage="waiting", version=version.version, hash=version.hash, hold="", changed=changed,
            changed_by=ChangedBy.OWNER, round=1, proposals=version.proposals,
            asked_at=None, asked_again=0, approved_at=None, held_until=None, later_until=None,
        )  # fmt: skip
        if send:
            await self._approve(taken_in.quoted(self.state, answer))
        else:
            self._to(stage="drafted")

    async def _revise(self, answer: Answer, wish: Revise) -> None:
        if enough := self._enough_drafts():
            await self._tell(
                f"enough:{answer.key}",
                self._says("needs_you"),
                self._says("enough", reason=f"{enough[0].upper()}{enough[1:]}"),
            )
            self._to(stage="waiting", approved_at=None, held_until=None)
            return
        self._to(
            stage="new", wishes=wish.wishes, files=wish.files, changed=self._says("asked_for", wishes=wish.wishes),
            changed_by=ChangedBy.OWNER, hold="",
            approved_at=None, held_until=None, later_until=None,
        )  # fmt: skip

    async def _ask_again(self, answer: Answer, question: str) -> None:
        """What is not surely understood is asked again, each time, and nothing is sent meanwhile."""
        if question and workflow.patched("unclear-is-shown-again"):
            self._show_as_unclear(question)
            return
        withdrawn = self.state.approved_at is not None
        self._to(stage="waiting", approved_at=None, held_until=None)
        if not question:  # an unproven no: held without a word, its proof is on its way or will be asked for
            return
        if self.state.asked_again and not withdrawn:
            return
        self._to(asked_again=1)
        await self._tell(f"unclear:{answer.key}", self._says("unsure"), question)

    def _show_as_unclear(self, question: str) -> None:
        """The question is the approval mail itself once more, so that a mere "ok" to it is a yes to what it shows."""
        now = workflow.now()
        recent = tuple(at for at in self.state.unclear_at if at > now - unclear.WITHIN)
        if len(recent) >= unclear.MOST:  # the last one said so; a yes is taken back all the same
            self._to(stage="waiting", approved_at=None, held_until=None)
            return
        self._to(
            stage="drafted", again=unclear.shown_again(question, self.state, len(recent)),
            asked_again=self.state.asked_again + 1, unclear_at=(*recent, now),
            round=self.state.round + 1, asked_at=None, approved_at=None, held_until=None, said="",
        )  # fmt: skip

    async def _expire(self) -> None:
        """Unless the owner was away meanwhile. Upkeep names all that expired in one mail."""
        over = await steps.memory(Activities.lapses_at, self.state)
        if over > workflow.now():
            self._to(look_at=over)
            await self._save()
            return
        self._close("expired", self._says("expired"))

    # ------------------------------------------------------------ small steps

    def _what_changed(self, events: tuple[Event, ...]) -> tuple[str, ChangedBy]:
        news = [event.summary for event in events if event.kind == "news" and event.summary]
        return (" ".join(news), ChangedBy.NEWS) if news else (self._says("wrote_again"), ChangedBy.CLIENT)

    def _to(self, **changes: Any) -> None:
        self.state = replace(self.state, **changes)
        self._is_kept = False

    def _close(self, outcome: str, reason: str) -> None:
        self._to(stage="closed", outcome=outcome, reason=reason)

    async def _save(self) -> None:
        """Keep where the case stands, unless the step before did that already."""
        if self._is_kept:
            return
        await steps.memory(Activities.save, self.state)
        self._is_kept = True

    async def _tell(self, key: str, subject: str, text: str) -> None:
        await self._surely(steps.mail(Activities.tell, key, subject, text, self.state.case))

    async def _continue_as_new_when_long(self) -> None:
        """Only here, between two steps. What has arrived goes along, unless it is so much that it is taken in first."""
        if not _is_long():
            return
        await workflow.wait_condition(workflow.all_handlers_finished)
        answers, events = tuple(self._answers), tuple(self._events)
        if self.state.stage != "closed" and len(repr((answers, events))) < MOST_CARRIED:
            workflow.continue_as_new(replace(self.state, answers=answers, events=events))


def _is_long() -> bool:
    return workflow.info().get_current_history_length() >= LONG_HISTORY


class Story:
    """What every story shares: its case and the handlers that reach it."""

    def __init__(self, state: CaseState) -> None:
        self.case = Case(state)

    @workflow.update(name="answer")
    def answer(self, answer: Answer) -> str:
        """The owner's decision. The update id is the answer's key, so a repeated delivery is answered the same."""
        return self.case.accept(answer)

    @answer.validator
    def check_answer(self, answer: Answer) -> None:
        self.case.check(answer)

    @workflow.signal(name="hear")
    def hear(self, event: Event) -> None:
        self.case.hear(event)

    @workflow.signal(name="receive")
    def receive(self, receipt: Receipt) -> None:
        self.case.receive(receipt)

    @workflow.query(name="where")
    def where(self) -> CaseState:
        return self.case.state
