"""Plays the diary on the running house: the clients' mail, her answers and orders, and what was true afterwards."""

import itertools
from collections.abc import Sequence
from dataclasses import dataclass, field, replace
from datetime import timedelta

from bench import _diary as diary
from bench import _owner as owner
from bench._arrivals import SENT_FIRST, Arrival, copies, with_headers
from bench._days import Days, Told
from bench._diary import DESK, NOT_CLEAR, OWNER, PHONE, WORDLESS, Answer, Effect, Line, Order, Program, Row
from bench._owner import Verdict, Yes
from tests.house.running import ROOT
from tools.mail import mime
from workers.voice.desk_texts import status_subject
from workflows.models.case import CaseState
from workflows.models.mail import Address, Email
from workflows.rules.text.canonical import canonical

GRACE_IS_OVER = timedelta(minutes=3)
PATIENCE_IS_OVER = timedelta(minutes=12)
"""After this she is told of an answer that only lies in INBOX: what has not been said by then is silence."""
MAILS = ROOT / "tests" / "mail" / "triage"

ASKED_BACK = "Is this from you: "
"""How the subject begins of a mail that asks back for an order."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Before:
    """Where everything stood when she pressed "send"."""

    told: int
    left: int
    state: CaseState | None
    stopped: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One thing she said, with what it is held against."""

    line: Line
    words: str
    program: Program
    arrival: Arrival
    must: Effect
    case: int = 0
    whom: str = ""
    email: str = ""
    body: str = ""  # what must leave or be shown

    def __str__(self) -> str:
        about = f" to case {self.case} ({self.whom})" if self.case else ""
        return (
            f"Day {self.line.day + 1}, {self.line.hour}: {self.words!r}{about} from {self.program.name}, "
            f"{self.arrival.name}"
        )


@dataclass(slots=True, kw_only=True)
class Play:
    """A month under way, and what came of it."""

    house: Days
    verdicts: list[Verdict] = field(default_factory=list)
    yeses: list[Yes] = field(default_factory=list)
    missorted: list[str] = field(default_factory=list)
    received: int = 0
    _mails: dict[tuple[int, Row], bytes] = field(default_factory=dict)
    _texts: dict[tuple[int, Row], str] = field(default_factory=dict)
    _done: set[int] = field(default_factory=set)
    _numbers: "itertools.count[int]" = field(default_factory=lambda: itertools.count(1))

    @property
    def faults(self) -> list[str]:
        return [verdict.fault for verdict in self.verdicts if verdict.fault] + self.missorted

    async def moves_in(self) -> None:
        """She wrote to others before: what ends those mails is her signature."""
        for number in range(4):
            await self.house.deliver(owner.own_mail(number, self.house.clock.now(), DESK.signature), "Sent")

    async def happens(self, line: Line, together: Sequence[Line]) -> None:
        """One line of the diary; `together`: all of the same moment, which may be answered in one mail."""
        if id(line) in self._done:
            return
        self._done.add(id(line))
        if line.order:
            await self._orders(line, line.order)
        elif line.answer and line.row and line.answer.to == "digest":
            await self._answers_digest([each for each in together if each.answer and each.answer.to == "digest"])
        elif line.answer and line.row:
            await self._answers(line, line.row, line.answer)
        elif line.row:
            await self._receives(line, line.row)

    # ------------------------------------------------------------ the post

    async def _receives(self, line: Line, row: Row) -> None:
        raw = self._from_file(line, row) if row.files else self._from_client(line, row)
        self._mails[line.stretch, row] = raw
        before = len(self.house.told)
        await self.house.deliver(raw)
        self.received += 1
        if fault := self._missorted(row, raw, len(self.house.told) - before):
            self.missorted.append(f"Day {line.day + 1}, {line.hour}: {mime.parse(raw).subject!r} {fault}.")

    def _missorted(self, row: Row, raw: bytes, told: int) -> str:
        if row.files:
            quiet = "made a mail to her" if told else ""
            return quiet if self.house.was_ignored(raw) else "was not ignored"
        case = self.house.case_of(raw)
        if not case:
            return "became no case"
        held = bool(self.house.state(case).hold)
        if held != (row.what == "complaint"):
            return "was held" if held else "was not held"
        return ""

    def _from_file(self, line: Line, row: Row) -> bytes:
        raw = (MAILS / f"{row.files[line.stretch % len(row.files)]}.eml").read_bytes()
        whole = raw.replace(b"\r\n", b"\n").replace(b"\n", b"\r\n")
        return with_headers(whole, {"Date": f"{self.house.clock.now():%a, %d %b %Y %H:%M:%S +0000}"})

    def _from_client(self, line: Line, row: Row) -> bytes:
        who = diary.person(row.who, line.stretch)
        subject, text = diary.asks(row, line.stretch)
        chain = self._thread_with(who.email) if row.what == "follow-up" else ()
        if row.what == "one more":
            earlier = next(
                raw for (stretch, each), raw in self._mails.items() if (stretch, each.who) == (line.stretch, row.who)
            )
            chain = (mime.parse(earlier).message_id,)
        return mime.compose(
            sender=Address(name=who.name, email=who.email), to=(owner.ADA,), subject=subject, body=text,
            message_id=f"<{next(self._numbers)}@{who.email.partition('@')[2]}>", date=self.house.clock.now(),
            in_reply_to=chain[-1] if chain else "", references=chain,
        )  # fmt: skip

    def _first_mail_of(self, stretch: int, who: str) -> Email:
        raws = (raw for (when, row), raw in self._mails.items() if (when, row.who) == (stretch, who))
        return mime.parse(next(raws))

    def _thread_with(self, address: str) -> tuple[str, ...]:
        """The ids of the thread so far, as the client's program knows it."""
        mails = [mail.email for mail in self.house.left if mail.address == address]
        return (*mails[-1].references, mails[-1].message_id) if mails else ()

    # ------------------------------------------------------------ her answers

    async def _answers(self, line: Line, row: Row, answer: Answer) -> None:
        case = self.house.case_of(self._mails[line.stretch, row])
        asked = [told for told in self.house.told if case and told.case == case]
        said = self._said(line, row, answer, case)
        if not asked:
            self._never_asked(said)
            return
        if answer.to == "first" and asked[0].about == asked[-1].about:
            return  # the older draft waited for a digest: there is nothing old to answer
        shown = asked[0] if answer.to == "first" else asked[-1]
        said = self._with_body(said, row, shown)
        await self._says(said, shown, soon=answer.soon)

    async def _answers_digest(self, lines: Sequence[Line]) -> None:
        """What was asked in a mail of its own is answered there, the rest by number in one answer to the digest."""
        self._done.update(map(id, lines))
        by_number: dict[int, tuple[Told, list[Said]]] = {}
        for line in lines:
            assert line.row
            assert line.answer
            case = self.house.case_of(self._mails[line.stretch, line.row])
            shown = [told for told in self.house.told if case and owner.shows(told, case)]
            if not shown:
                self._never_asked(self._said(line, line.row, line.answer, case))
            elif any(told.asks for told in shown):
                await self._answers(line, line.row, line.answer)
            else:
                said = self._with_body(self._said(line, line.row, line.answer, case), line.row, shown[-1])
                by_number.setdefault(id(shown[-1]), (shown[-1], []))[1].append(said)
        for told, parts in by_number.values():
            await self._says_all(told, parts)

    def _said(self, line: Line, row: Row, answer: Answer, case: int) -> Said:
        who = diary.person(row.who, line.stretch)
        words = diary.words_of(answer.words, line.stretch)
        return Said(
            line=line, words=words, program=answer.program, must=answer.must, case=case, whom=who.name,
            arrival=diary.arrival_of(answer.arrival, line.stretch, line.position), email=who.email,
        )  # fmt: skip

    def _with_body(self, said: Said, row: Row, shown: Told) -> Said:
        """With the text that must leave: hers after an edit, else the draft that she was shown."""
        first = said.whom.partition(" ")[0]
        if said.words.rstrip("!").lower() in {words.rstrip("!").lower() for words in diary.WORDS["edit"]}:
            text = diary.TEXTS[(said.line.stretch + said.case) % len(diary.TEXTS)].format(first=first)
            return replace(said, words=f"{said.words}\n{text}", body=canonical(text))
        return replace(said, body=owner.draft_in(shown, said.case))

    def _never_asked(self, said: Said) -> None:
        clear = said.must not in NOT_CLEAR
        fault = f"{said}: there was no mail that she could have answered."
        self.verdicts.append(Verdict(clear=clear, fault=fault, case=said.case))

    async def _says(self, said: Said, shown: Told, *, soon: bool) -> None:
        before = self._before(said.case)
        self._note_yes([said])
        await self._sends(
            owner.answer(said.words, shown, said.program, next(self._numbers), self.house.clock.now()), said
        )
        if soon:  # she changes her mind at once: what comes of both is judged after the second
            return
        await self.house.leap(GRACE_IS_OVER)
        await self._judge(said, before, shown)

    async def _says_all(self, shown: Told, parts: Sequence[Said]) -> None:
        first = parts[0]
        separator = diary.SEPARATORS[first.line.stretch]
        words = separator.join(f"{said.case} {said.words.replace(',', '')}" for said in parts)
        befores = [self._before(said.case) for said in parts]
        self._note_yes(parts)
        await self._sends(self._typed(words, shown, first.program), first)
        await self.house.leap(GRACE_IS_OVER)
        for said, before in zip(parts, befores, strict=True):
            await self._judge(said, before, shown)

    async def _orders(self, line: Line, order: Order) -> None:
        said = Said(
            line=line, words=order.words, program=order.program, must=order.must,
            arrival=diary.arrival_of(order.arrival, line.stretch, line.position),
        )  # fmt: skip
        before, shown = self._before(0), None
        if order.in_answer:
            shown = [told for told in self.house.told if told.asks][-1]
            raw = self._typed(said.words, shown, said.program)
        else:
            raw = owner.order(said.words, said.program, next(self._numbers), self.house.clock.now())
        await self._sends(raw, said)
        await self.house.leap(GRACE_IS_OVER)
        if asked_back := next(
            (told for told in self._heard(before) if told.email.subject.startswith(ASKED_BACK)), None
        ):
            # What changes something and answers no mail of Deskhand's is asked back once: she says ok to that.
            await self._sends(self._typed("ok", asked_back, said.program), said)
            await self.house.leap(GRACE_IS_OVER)
        await self._judge(said, before, shown)

    def _typed(self, words: str, shown: Told, program: Program) -> bytes:
        return owner.answer(words, shown, program, next(self._numbers), self.house.clock.now())

    async def _sends(self, raw: bytes, said: Said) -> None:
        first, second = copies(raw, said.arrival, OWNER)
        await self.house.deliver(first.raw, first.folder)
        if said.arrival.apart:
            await self.house.leap(timedelta(minutes=said.arrival.apart))
        await self.house.deliver(second.raw, second.folder)

    def _note_yes(self, parts: Sequence[Said]) -> None:
        yes = {Effect.LEAVES, Effect.TEXT_LEAVES, Effect.HELD}
        self.yeses += [Yes(address=said.email, body=said.body) for said in parts if said.must in yes]

    def _before(self, case: int) -> Before:
        return Before(
            told=len(self.house.told), left=len(self.house.left), state=self.house.state(case) if case else None,
            stopped=self._stopped(),
        )  # fmt: skip

    # ------------------------------------------------------------ what came of it

    async def _judge(self, said: Said, before: Before, shown: Told | None) -> None:
        clear = said.must not in NOT_CLEAR
        why = self._fault(said, before)
        if not why:
            self.verdicts.append(Verdict(clear=clear, case=said.case, needs_word=said.must not in WORDLESS))
            return
        await self.house.leap(PATIENCE_IS_OVER)
        heard = self._heard(before)
        silent = not heard and not self._moved(said, before)
        answer = "; ".join(f"{told.email.subject!r}: {_first_line(told)!r}" for told in heard) or "nothing"
        fault = f"{said}: {said.must} was expected, but {why}. Deskhand said {answer}."
        self.verdicts.append(Verdict(clear=clear, fault=fault, silent=silent, case=said.case))
        if clear and shown and len(self.house.left) == before.left:
            await self._tries_again(said, shown)

    async def _tries_again(self, said: Said, shown: Told) -> None:
        """From the telephone, and the copy lies in Sent before it arrives."""
        words = f"{said.case} {said.words.replace(',', '')}" if shown.shows_many else said.words
        for copy in copies(self._typed(words, shown, PHONE), SENT_FIRST, OWNER):
            await self.house.deliver(copy.raw, copy.folder)
        await self.house.leap(GRACE_IS_OVER)

    def _fault(self, said: Said, before: Before) -> str:
        """Why it was not carried out, "" when it was."""
        left = [mail for mail in self.house.left[before.left :] if not said.email or mail.address == said.email]
        if said.must in {Effect.LEAVES, Effect.TEXT_LEAVES}:
            return _wrong(left[0].body, said.body) if len(left) == 1 else f"{len(left) or 'no'} mails left"
        if said.must is Effect.RESUMED:
            return self._fault_of_resume(before)
        if left:
            return f"a mail left for {left[0].address}"
        if said.must in {Effect.CLOSED, Effect.LATER, Effect.HELD}:
            return self._fault_of_state(said, self.house.state(said.case))
        return self._fault_of_telling(said, self._heard(before))

    def _fault_of_telling(self, said: Said, heard: Sequence[Told]) -> str:
        if not heard:
            return "she heard nothing"
        if said.must in {Effect.SHOWN, Effect.AGAIN}:
            return self._fault_of_showing(said, heard)
        return self._fault_of_order(said.must, heard)

    def _fault_of_order(self, must: Effect, heard: Sequence[Told]) -> str:
        ledger = self.house.service.parts.ledger
        if must is Effect.STOPPED:
            return "" if self._stopped() else "it was not stopped"
        if must in {Effect.AWAY, Effect.BACK}:
            away = ledger.away_until() is not None
            return "" if away == (must is Effect.AWAY) else f"she counts as {'away' if away else 'here'}"
        if must is Effect.STATUS:
            subject = status_subject(self.house.service.orders.facts())
            return "" if any(subject in told.email.subject for told in heard) else "no status came"
        return ""

    def _fault_of_showing(self, said: Said, heard: Sequence[Told]) -> str:
        again = [told for told in heard if told.case == said.case]
        if not again:
            return "it was not shown"
        shown = owner.draft_in(again[-1], said.case)
        return _wrong(shown, said.body) if said.must is Effect.SHOWN else ""

    def _fault_of_state(self, said: Said, state: CaseState) -> str:
        now = self.house.clock.now()
        fits = {
            Effect.CLOSED: state.stage == "closed" and state.outcome in {"rejected", "mine"},
            Effect.LATER: state.stage == "waiting" and state.later_until is not None and state.later_until > now,
            Effect.HELD: state.stage in {"approved", "sending"},
        }
        return "" if fits[said.must] else f"the case is {state.stage} {state.outcome}".rstrip()

    def _fault_of_resume(self, before: Before) -> str:
        if self._stopped() or not before.stopped:
            return "everything is still stopped" if before.stopped else "nothing was stopped before"
        if not self._heard(before):
            return "she heard nothing"
        states = self.house.service.parts.ledger.open_cases()
        held = [state.case for state in states if state.stage in {"approved", "sending"}]
        return f"case {held[0]} did not leave" if held else ""

    def _stopped(self) -> str:
        return self.house.service.parts.ledger.stopped_since()

    def _heard(self, before: Before) -> list[Told]:
        """Mails to her since then that are no digest and no reminder: those come at their hours, whatever she says."""
        return [told for told in self.house.told[before.told :] if not told.shows_many]

    def _moved(self, said: Said, before: Before) -> bool:
        if self._stopped() != before.stopped or len(self.house.left) > before.left:
            return True
        state = self.house.state(said.case) if said.case else None
        return _where(state) != _where(before.state)


def _where(state: CaseState | None) -> tuple[object, ...]:
    return (state.stage, state.version, state.round, state.outcome, state.later_until) if state else ()


def _wrong(body: str, wanted: str) -> str:
    """How a text differs from the one that was to be: the first line that does."""
    pairs = itertools.zip_longest(body.split("\n"), wanted.split("\n"))
    return next((f"{got!r} stands where {right!r} should" for got, right in pairs if got != right), "")


def _first_line(told: Told) -> str:
    return told.email.text.strip().partition("\n")[0][:300]
