"""The owner's answers: recorded before a case hears of them, handled once the case has replied."""

from collections.abc import Sequence

from sqlalchemy import Connection, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import answers, from_json, to_json
from workflows.errors import Permanent
from workflows.models.decisions import Answer, Edit


class Answers(Book):
    """Each answer once, by its key; what the case said to it is kept beside it."""

    def record_answer(self, answer: Answer) -> bool:
        """Keep the answer; False when this key was there already."""
        with self._writing() as connection:
            return self._record(connection, answer)

    def record_answers(self, given: Sequence[Answer]) -> None:
        """Keep the answers of one mail, all or none."""
        with self._writing() as connection:
            for answer in given:
                self._record(connection, answer)

    def _record(self, connection: Connection, answer: Answer) -> bool:
        row = insert(answers).values(
            key=answer.key,
            case=answer.case,
            version=answer.version,
            answer=to_json(answer),
            state="recorded",
            at=answer.at or self._clock.now(),
        )
        return connection.execute(row.on_conflict_do_nothing(index_elements=["key"])).rowcount == 1

    def answers(self, case: int) -> tuple[Answer, ...]:
        """Every answer to a case, oldest first."""
        query = select(answers.c.answer).where(answers.c.case == case).order_by(answers.c.at, answers.c.key)
        with self._reading() as connection:
            return tuple(from_json(Answer, text) for text in connection.execute(query).scalars())

    def unhandled_answers(self) -> tuple[Answer, ...]:
        """Recorded but not yet taken by their case, oldest first: told again after a crash."""
        query = select(answers.c.answer).where(answers.c.state == "recorded").order_by(answers.c.at, answers.c.key)
        with self._reading() as connection:
            return tuple(from_json(Answer, text) for text in connection.execute(query).scalars())

    def answer_handled(self, key: str, result: str, *, taken: bool = True) -> None:
        """The case has taken it, or refused it, and said `result`."""
        state = "handled" if taken else "refused"
        with self._writing() as connection:
            connection.execute(update(answers).where(answers.c.key == key).values(state=state, result=result))

    def edited_text(self, key: str) -> str:
        """The owner's own text in the answer with that key.

        Raises:
            Permanent: there is no such answer.
        """
        with self._reading() as connection:
            text = connection.execute(select(answers.c.answer).where(answers.c.key == key)).scalar()
        decision = from_json(Answer, text).decision if text else None
        if not isinstance(decision, Edit):
            raise Permanent("The text of your answer is not in the ledger, so nothing was changed.")
        return decision.text

    def answer_outcome(self, key: str) -> tuple[bool, str] | None:
        """Whether its case took it, and what the case said; None before it said something."""
        query = select(answers.c.state, answers.c.result).where(answers.c.key == key, answers.c.state != "recorded")
        with self._reading() as connection:
            row = connection.execute(query).first()
        return None if row is None else (row.state == "handled", row.result)
