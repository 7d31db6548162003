"""What an open case has not taken into account: told again when Temporal had to be given the case afresh."""

from datetime import timedelta

from sqlalchemy import select, update

from memory.record.book import Book
from memory.record.meta import write_meta
from memory.record.schema import answers, cases, from_json, seen
from workflows.models.case import CaseState
from workflows.models.decisions import Answer
from workflows.models.routes import Event

STRANGER = "stranger_at"
"""The ledger's key for when a stranger's workflow or schedule was last found in the place of ours."""


class Recovery(Book):
    """Compares what was delivered with what each case's kept state says it has heard."""

    def unheard(self, state: CaseState) -> tuple[Event, ...]:
        """Delivered mails and news of a case that its kept state does not know, oldest first."""
        heard = (state.event, *state.heard)
        query = select(seen.c.event).where(
            seen.c.case == state.case, seen.c.state == "delivered", seen.c.event != "", seen.c.key.not_in(heard)
        )
        with self._reading() as connection:
            events = (from_json(Event, text) for text in connection.execute(query.order_by(seen.c.id)).scalars())
            return tuple(event for event in events if event.kind in {"mail", "sent", "news"})

    def run_of(self, case: int) -> str:
        """The first run that was begun for the case in Temporal, "" before there was one."""
        with self._reading() as connection:
            return connection.execute(select(cases.c.run).where(cases.c.number == case)).scalar() or ""

    def keep_run(self, case: int, run: str) -> None:
        """From now on this run, and what continues it, is the case in Temporal; any other is a stranger's."""
        with self._writing() as connection:
            connection.execute(update(cases).where(cases.c.number == case).values(run=run))

    def lately_open(self, within: timedelta) -> tuple[CaseState, ...]:
        """Every case that is open, or was so within this time, oldest first."""
        recent = cases.c.closed_at.is_(None) | (cases.c.closed_at > self._clock.now() - within)
        query = select(cases.c.state).where(recent).order_by(cases.c.number)
        with self._reading() as connection:
            return tuple(from_json(CaseState, text) for text in connection.execute(query).scalars())

    def note_stranger(self) -> None:
        """Somebody else meddled with what is ours in Temporal: kept until the owner is told."""
        with self._writing() as connection:
            write_meta(connection, STRANGER, self._clock.now().isoformat())

    def unconsumed_answers(self) -> tuple[Answer, ...]:
        """Answers that open cases took and whose effect is not in their kept state, oldest first.

        Refused ones are not among them: what was refused must not come true later.
        """
        query = (
            select(answers.c.answer, cases.c.state)
            .join(cases, cases.c.number == answers.c.case)
            .where(answers.c.state == "handled", cases.c.closed_at.is_(None))
            .order_by(answers.c.at, answers.c.key)
        )
        with self._reading() as connection:
            rows = [
                (from_json(Answer, row.answer), from_json(CaseState, row.state)) for row in connection.execute(query)
            ]
        return tuple(answer for answer, state in rows if answer.key not in state.consumed)
