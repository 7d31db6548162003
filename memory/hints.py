"""Hints: answers seen in an inbox, which wait for the proof that their author left the owner's own mailbox."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, or_, select, update

from memory.account import SeenMail, seen_mail
from memory.book import Book
from memory.copies import sent_copy
from memory.schema import answers, cases, from_json, seen
from workflows.models import Answer

_ABOUT_THE_SAME_TIME = timedelta(minutes=15)


class Hints(Book):
    """Rows of `seen` with the rule "hint"; `told` is set once nothing more is to be said about one."""

    def hint_settled(self, key: str) -> None:
        """Nothing more is to be said about this hint."""
        which = (seen.c.key == key) & (seen.c.rule == "hint")
        with self._writing() as connection:
            connection.execute(update(seen).where(which).values(told=1))

    def overdue_hints(self, before: datetime) -> tuple[SeenMail, ...]:
        """Hints from before that time whose proof has not come, oldest first; those that have it are settled."""
        which = (seen.c.rule == "hint") & (seen.c.told == 0) & (seen.c.state == "delivered") & (seen.c.at <= before)
        with self._writing() as connection:
            rows = connection.execute(select(seen).where(which).order_by(seen.c.id)).all()
            done = [row.id for row in rows if _is_answered(connection, row)]
            connection.execute(update(seen).where(seen.c.id.in_(done)).values(told=1))
            return tuple(seen_mail(row) for row in rows if row.id not in done)

    def any_answered(self, numbers: Iterable[int], at: datetime) -> bool:
        """Whether one of these cases was really answered at about that time or since."""
        with self._reading() as connection:
            return _answered(connection, tuple(numbers), at)


def _is_answered(connection: Connection, row: Row[tuple[object, ...]]) -> bool:
    """Its Sent copy is there, or the owner has answered this case otherwise since (a server may change the copies)."""
    closed = select(cases.c.number).where(cases.c.number == row.case, cases.c.closed_at.is_not(None))
    if sent_copy(connection, row.key) or connection.execute(closed).first():
        return True
    return _answered(connection, (row.case,), row.at)


def _answered(connection: Connection, numbers: tuple[int, ...], at: datetime) -> bool:
    since = at - _ABOUT_THE_SAME_TIME
    query = select(answers.c.answer).where(answers.c.case.in_(numbers), answers.c.at >= since)
    query = query.where(or_(answers.c.state == "handled", answers.c.state == "recorded"))
    return any(from_json(Answer, text).via != "hint" for text in connection.execute(query).scalars())
