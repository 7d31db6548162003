"""What an open case has not taken into account: told again when Temporal had to be given the case afresh."""

from sqlalchemy import select

from memory.book import Book
from memory.schema import answers, cases, from_json, seen
from workflows.models import Answer, CaseState, Event


class Recovery(Book):
    """Compares what was delivered with what each case's kept state says it has heard."""

    def unheard(self, state: CaseState) -> tuple[Event, ...]:
        """Delivered mails and news of a case that its kept state does not know, oldest first."""
        known = (state.event, *state.heard)
        query = select(seen.c.event).where(
            seen.c.case == state.case, seen.c.state == "delivered", seen.c.event != "", seen.c.key.not_in(known)
        )
        with self._reading() as connection:
            events = (from_json(Event, text) for text in connection.execute(query.order_by(seen.c.id)).scalars())
            return tuple(event for event in events if event.kind in {"mail", "sent", "news"})

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
