"""Mails of the owner's that asked something: kept as they leave, followed up once after a silence, ended by any word.

An answer of the client, a payment, or another mail of the owner's to them ends the waiting in the transaction that
records it; a follow-up that is under way hears it as news, also between the yes and the sending.
"""

import json
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any, get_args

from sqlalchemy import Connection, Row, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.events import Beginning, News, begin, tell
from memory.record.people import read_client, standing_of
from memory.record.schema import cases, follow_ups, leads, outbox
from workflows.errors import Permanent
from workflows.models.mail import Address
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.desk.follow_ups import FollowUpTerms, Origin, asked_in, is_silent
from workflows.rules.text.canonical import one_line

_FORGOTTEN = timedelta(days=60)
"""A mail that was not followed up for so long, because of a hold or a pause, is not taken up out of the blue."""
_MOST_REFERENCES = 50
_NAME, _SUBJECT = 80, 120


@dataclass(frozen=True, slots=True, kw_only=True)
class AskedMail:
    """A mail of the owner's to a client, as it left. `text`: the owner's own words; `mail`: its source id."""

    client: str
    mail: str
    origin: Origin
    text: str
    to: Address
    subject: str
    message_id: str
    references: tuple[str, ...]
    at: datetime
    case: int = 0  # that sent it; 0: by hand


@dataclass(frozen=True, slots=True, kw_only=True)
class Silence:
    """What a follow-up is about: the mail, and what it asked ("" for a bid that asked nothing in words)."""

    asked: AskedMail
    question: str


@dataclass(frozen=True, slots=True, kw_only=True)
class BrokenSilence:
    """What ends the waiting for an answer of a client: why, and with which outcome; `without`: a case that goes on."""

    client: str
    key: str
    summary: str
    ends: str
    without: int = 0


def note_asked(connection: Connection, owner: Owner, asked: AskedMail) -> None:
    """Keep a mail that waits for an answer; the same mail again changes nothing."""
    question = asked_in(asked.text, (owner.language, *owner.languages))
    if not (question or asked.origin == "bid") or not asked.message_id or not asked.client:
        return
    references = (*asked.references, asked.message_id)[-_MOST_REFERENCES:]
    row = insert(follow_ups).values(
        mail=asked.mail, client=asked.client, origin=asked.origin, sender_case=asked.case, question=question,
        email=asked.to.email, name=asked.to.name, subject=asked.subject, message_id=asked.message_id,
        refs=json.dumps(references), text=asked.text, at=asked.at,
    )  # fmt: skip
    connection.execute(row.on_conflict_do_nothing(index_elements=["mail"]))


def end_waiting(connection: Connection, clock: Clock, heard: BrokenSilence, since: datetime | None = None) -> None:
    """Nothing that was asked of this client before waits any more; a follow-up under way ends.

    `since`: only what was asked before then.
    """
    waiting = (follow_ups.c.client == heard.client) & (follow_ups.c.over == 0)
    if heard.without:
        waiting &= follow_ups.c.case != heard.without
    if since is not None:
        waiting &= follow_ups.c.at < since
    rows = connection.execute(select(follow_ups.c.mail, follow_ups.c.case).where(waiting)).all()
    for row in rows:
        if row.case:
            news = News(case=row.case, key=f"{heard.key}:{row.case}", summary=heard.summary, ends=heard.ends)
            tell(connection, clock, news)
    connection.execute(update(follow_ups).where(follow_ups.c.mail.in_([row.mail for row in rows])).values(over=1))


class FollowUps(Book):
    """The part of the ledger that knows which mails wait for an answer."""

    def begin_follow_ups(self, now: datetime, owner: Owner, terms: FollowUpTerms) -> tuple[int, ...]:
        """Open a case for each mail that was met with silence long enough; their numbers.

        One to a client at a time, none while another case with them is open, and none against the owner's word.
        """
        origins = [origin for origin in get_args(Origin) if terms.covers(origin)]
        with self._writing() as connection:
            query = select(follow_ups).where(
                follow_ups.c.over == 0, follow_ups.c.case == 0, follow_ups.c.origin.in_(origins),
                follow_ups.c.at > now - _FORGOTTEN,
            )  # fmt: skip
            silent = [
                row
                for row in connection.execute(query.order_by(follow_ups.c.at)).all()
                if is_silent(row.at, now, terms, owner)
            ]
            return tuple(self._begin_follow_up(connection, row) for row in silent if _may_follow_up(connection, row))

    def _begin_follow_up(self, connection: Connection, row: Row[Any]) -> int:
        client = read_client(connection, row.client)
        name = one_line(client.name if client else row.email, _NAME)
        number = begin(
            connection,
            self._clock,
            Beginning(
                kind="followup",
                event="silence",
                key=f"silence:{row.mail}",
                title=f"{name}: {one_line(row.subject, _SUBJECT)}",
                client=row.client,
                summary=row.question or row.subject,
                sender=name,
            ),
        )
        connection.execute(update(follow_ups).where(follow_ups.c.mail == row.mail).values(case=number))
        return number

    def silence(self, case: int) -> Silence:
        """What a follow-up is about.

        Raises:
            Permanent: the case is no follow-up.
        """
        with self._reading() as connection:
            row = connection.execute(select(follow_ups).where(follow_ups.c.case == case)).first()
        if row is None:
            raise Permanent(f"Case {case} is no follow-up.")
        return Silence(question=row.question, asked=_asked(row))


# ---------------------------------------------------------------- rows


def _may_follow_up(connection: Connection, row: Row[Any]) -> bool:
    standing = standing_of(connection, row.client)
    if standing.refuses("followup") or standing.paused or standing.hold or _came_back(connection, row):
        return False
    return not _has_open_case(connection, row) and not _is_decided(connection, row)


def _came_back(connection: Connection, row: Row[Any]) -> bool:
    """Whether the mail never reached them."""
    bounced = (outbox.c.message_id == row.message_id) & (outbox.c.bounced != "")
    return connection.execute(select(outbox.c.id).where(bounced)).first() is not None


def _has_open_case(connection: Connection, row: Row[Any]) -> bool:
    """A case with them that is open; the bid itself stays so until it is decided, and is none."""
    with_them = (cases.c.client == row.client) & cases.c.closed_at.is_(None) & (cases.c.number != row.sender_case)
    return connection.execute(select(cases.c.number).where(with_them).limit(1)).first() is not None


def _is_decided(connection: Connection, row: Row[Any]) -> bool:
    """Whether the owner said how the bid ended."""
    if row.origin != "bid":
        return False
    return bool(connection.execute(select(leads.c.result).where(leads.c.case == row.sender_case)).scalar())


def _asked(row: Row[Any]) -> AskedMail:
    return AskedMail(
        client=row.client, mail=row.mail, origin=row.origin, text=row.text, subject=row.subject,
        to=Address(email=row.email, name=row.name), message_id=row.message_id,
        references=tuple(json.loads(row.refs)), at=row.at, case=row.sender_case,
    )  # fmt: skip
