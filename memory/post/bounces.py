"""Mails of ours that came back: each report tied to the mail it speaks of, and told once.

A report is matched by the Message-ID of the mail it returns (ours, or the one the server gave it); where it names none
that is known, by whom it could not reach and when that mail had left.
"""

import json
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, or_, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import bounces, from_json, mails, notes, outbox, versions
from workflows.models.drafts import Outgoing
from workflows.models.mail import Email
from workflows.rules.mail.bounces import Bounce
from workflows.rules.text.words import fold

MOST_DAYS = timedelta(days=6)
"""A server gives up after five days; a report that names no known mail speaks of one that left within this time."""
_LEFT = ("committing", "sent", "uncertain")


@dataclass(frozen=True, slots=True, kw_only=True)
class Returned:
    """One mail that did not reach one person (yet): `kind` failed | delayed, in plain words why and what to do."""

    id: int
    case: int
    version: int
    kind: str
    recipient: str
    subject: str
    reason: str
    mend: str
    quote: str
    sent_at: datetime | None
    at: datetime


class Bounces(Book):
    """What came back and the owner does not know of yet."""

    def untold_bounces(self) -> tuple[Returned, ...]:
        """Oldest first."""
        named = (versions.c.case == bounces.c.case) & (versions.c.version == bounces.c.version)
        query = (
            select(bounces, outbox.c.sent_at, versions.c.outgoing)
            .join(outbox, outbox.c.intent == bounces.c.intent)
            .outerjoin(versions, named)
            .where(bounces.c.told == 0)
            .order_by(bounces.c.id)
        )
        with self._reading() as connection:
            return tuple(_returned(row) for row in connection.execute(query))

    def mark_bounce_told(self, bounce: int) -> None:
        """The owner knows of it (`Returned.id`)."""
        with self._writing() as connection:
            connection.execute(update(bounces).where(bounces.c.id == bounce).values(told=1))


def keep_bounce(connection: Connection, email: Email, report: Bounce, at: datetime) -> bool:
    """Keep what a delivery report says of a mail of ours; False when it speaks of no mail of ours."""
    row = _mail_of(connection, report, email, at)
    if row is None:
        return False
    reached = {recipient.lower() for recipient in json.loads(row.recipients)}
    missed = [recipient for recipient in report.recipients if recipient in reached] or sorted(reached)
    news = [recipient for recipient in missed if _insert(connection, row, report, recipient, at)]
    if news:
        _note(connection, row, report, news, at)
    return True


def _insert(connection: Connection, row: Row[Any], report: Bounce, recipient: str, at: datetime) -> bool:
    """Whether this is news: each kind of report is told once for each person; after a failure a delay is none."""
    of_mail = (bounces.c.intent == row.intent) & (bounces.c.recipient == recipient) & (bounces.c.kind == "failed")
    if report.kind == "delayed" and connection.execute(select(bounces.c.id).where(of_mail)).first() is not None:
        return False
    values = {
        "intent": row.intent, "case": row.case, "version": row.version, "recipient": recipient, "kind": report.kind,
        "reason": report.reason, "mend": report.mend, "quote": report.quote, "at": at,
    }  # fmt: skip
    statement = insert(bounces).values(values).on_conflict_do_nothing(index_elements=["intent", "recipient", "kind"])
    return connection.execute(statement).rowcount == 1


def _note(connection: Connection, row: Row[Any], report: Bounce, people: Iterable[str], at: datetime) -> None:
    verdict = "bounced" if report.kind == "failed" else "delayed"
    of_mail = outbox.c.id == row.id
    connection.execute(update(outbox).where(of_mail).values(bounced=f"{verdict}: {report.reason}"))
    if row.state == "uncertain":  # what comes back was taken by the server
        values = {"state": "sent", "sent_at": row.claimed_at or at, "detail": f"It was handed on, and {verdict}."}
        connection.execute(update(outbox).where(of_mail).values(values))
    sentence = f"{row.case}.{row.version} to {', '.join(people)} {verdict}: {report.reason}."
    connection.execute(insert(notes).values(case=row.case, what=sentence, at=at))


# ---------------------------------------------------------------- which mail


def _mail_of(connection: Connection, report: Bounce, email: Email, at: datetime) -> Row[Any] | None:
    to_client = outbox.c.purpose == "client"
    ids = report.message_ids
    named = or_(outbox.c.message_id.in_(ids), outbox.c.server_id.in_(ids))
    named_row = connection.execute(select(outbox).where(to_client, named).order_by(outbox.c.id.desc())).first()
    if named_row is not None or not report.recipients:
        return named_row
    if connection.execute(select(mails.c.identity).where(mails.c.message_id.in_(ids)).limit(1)).first() is not None:
        return None  # a mail that the owner wrote by hand came back
    departed = outbox.c.state.in_(_LEFT) & (outbox.c.claimed_at <= at) & (outbox.c.claimed_at > at - MOST_DAYS)
    rows = connection.execute(select(outbox).where(to_client, departed).order_by(outbox.c.claimed_at.desc())).all()
    recipients = set(report.recipients)
    return next(
        (
            row
            for row in rows
            if recipients & {recipient.lower() for recipient in json.loads(row.recipients)}
            and (not ids or _names_subject(connection, row, email))
        ),
        None,
    )


def _names_subject(connection: Connection, row: Row[Any], email: Email) -> bool:
    """A server that gives mails its own ids: then the report must at least show our subject."""
    of_version = (versions.c.case == row.case) & (versions.c.version == row.version)
    text = connection.execute(select(versions.c.outgoing).where(of_version)).scalar()
    return text is not None and fold(from_json(Outgoing, text).subject) in fold(f"{email.subject} {email.text}")


def _returned(row: Row[Any]) -> Returned:
    return Returned(
        id=row.id,
        case=row.case,
        version=row.version,
        kind=row.kind,
        recipient=row.recipient,
        subject=from_json(Outgoing, row.outgoing).subject if row.outgoing else "",
        reason=row.reason,
        mend=row.mend,
        quote=row.quote,
        sent_at=row.sent_at,
        at=row.at,
    )
