"""Hints: answers seen in an inbox, which wait for the proof that their author left the owner's own mailbox."""

from collections.abc import Iterable
from datetime import datetime, timedelta

from sqlalchemy import Connection, Row, and_, or_, select, update

from memory.post.account import SeenMail, seen_mail
from memory.post.copies import sent_copy
from memory.record.book import Book
from memory.record.schema import answers, cases, from_json, seen
from workflows.models.decisions import Answer, Approve

_ABOUT_THE_SAME_TIME = timedelta(minutes=15)


class HintBook(Book):
    """Rows of `seen` with the rule "hint"; `told` is set once nothing more is to be said about one."""

    def hint_settled(self, key: str) -> None:
        """Nothing more is to be said about this hint."""
        of_hint = (seen.c.key == key) & (seen.c.rule == "hint")
        with self._writing() as connection:
            connection.execute(update(seen).where(of_hint).values(told=1))

    def overdue_hints(self, before: datetime) -> tuple[SeenMail, ...]:
        """Hints from before that time whose proof has not come, oldest first; those that have it are settled."""
        overdue = (seen.c.rule == "hint") & (seen.c.told == 0) & (seen.c.state == "delivered") & (seen.c.at <= before)
        with self._writing() as connection:
            rows = connection.execute(select(seen).where(overdue).order_by(seen.c.id)).all()
            settled = [row.id for row in rows if _is_answered(connection, row)]
            connection.execute(update(seen).where(seen.c.id.in_(settled)).values(told=1))
            return tuple(seen_mail(row) for row in rows if row.id not in settled)

    def refused_in_silence(self, since: datetime, before: datetime) -> tuple[SeenMail, ...]:
        """Mails of the owner's that may be answers and were skipped by a rule, which nobody was told of, oldest first.

        Those in Sent at once; those seen in an inbox alone when they came before that time.
        """
        in_sent = and_(seen.c.kind == "sent", seen.c.rule.in_(("answer-to-others", "not-yours", "forward")))
        sent = seen.alias()
        twin = select(sent.c.id).where(sent.c.key == seen.c.key, sent.c.kind == "sent")
        in_inbox = and_(seen.c.kind == "mail", seen.c.rule == "own-mail", seen.c.at <= before, ~twin.exists())
        skipped = and_(seen.c.state == "ignored", seen.c.told == 0, seen.c.at >= since, or_(in_sent, in_inbox))
        with self._reading() as connection:
            return tuple(seen_mail(row) for row in connection.execute(select(seen).where(skipped).order_by(seen.c.id)))

    def held_by(self, key: str) -> tuple[int, ...]:
        """The open cases that the unproven answer with that key holds back."""
        with self._reading() as connection:
            return _held_by(connection, key)

    def any_answered(self, numbers: Iterable[int], at: datetime) -> bool:
        """Whether one of these cases was really answered at about that time or since."""
        with self._reading() as connection:
            return _answered(connection, tuple(numbers), at)

    def all_answered(self, numbers: Iterable[int], at: datetime) -> bool:
        """Whether each of these cases, which an unproven answer holds, was really answered since, or said no before."""
        with self._reading() as connection:
            return all(_answered(connection, (number,), at, held=True) for number in numbers)


def _is_answered(connection: Connection, row: Row[tuple[object, ...]]) -> bool:
    """Its Sent copy is there, or the owner has answered this case otherwise since (a server may change the copies)."""
    closed = select(cases.c.number).where(cases.c.number == row.case, cases.c.closed_at.is_not(None))
    if sent_copy(connection, row.key) or connection.execute(closed).first():
        return True
    return _answered(connection, (row.case,), row.at, held=bool(_held_by(connection, str(row.key))))


def _held_by(connection: Connection, key: str) -> tuple[int, ...]:
    by_it = or_(answers.c.key == f"hint:{key}", answers.c.key.startswith(f"hint:{key}:", autoescape=True))
    query = select(answers.c.case).join(cases, cases.c.number == answers.c.case)
    rows = connection.execute(query.where(by_it, cases.c.closed_at.is_(None)).order_by(answers.c.case))
    return tuple(int(number) for number in rows.scalars())


def _answered(connection: Connection, numbers: tuple[int, ...], at: datetime, *, held: bool = False) -> bool:
    """`held`: what was answered takes a yes back, so an earlier yes is not that answer."""
    since = at - _ABOUT_THE_SAME_TIME
    query = select(answers.c.answer).where(answers.c.case.in_(numbers), answers.c.at >= since)
    query = query.where(or_(answers.c.state == "handled", answers.c.state == "recorded"))
    real = (answer for answer in map(_answer, connection.execute(query).scalars()) if answer.via != "hint")
    return any(not held or not isinstance(answer.decision, Approve) or (answer.at or since) >= at for answer in real)


def _answer(text: str) -> Answer:
    return from_json(Answer, text)
