"""Endings: the signatures that end the owner's own mails, as the Sent folder showed them up to a time.

They are read from the mails themselves each time, so that what was learnt, from which mails and when cannot differ
from what was seen. What Deskhand sent, answers to it and drafts that it put into the owner's folder teach nothing.
"""

from dataclasses import dataclass
from datetime import datetime

from sqlalchemy import Connection, select

from memory.record.book import Book
from memory.record.schema import from_json, mails, outbox, seen
from workflows.models.mail import Email
from workflows.models.people import Owner
from workflows.models.routes import Event
from workflows.rules.answers.signatures import THREADS, LearntSignature, OwnersMail, learnt
from workflows.rules.text.canonical import body_hash

_MOST_MAILS = 150
_BY_HAND = ("own-mail", "tell")
"""Rules of what lies in Sent and may be the owner's own mail to somebody else."""


@dataclass(frozen=True, slots=True, kw_only=True)
class TaughtSignature:
    """A learnt signature with what taught it."""

    text: str
    subjects: tuple[str, ...]  # of one mail of each thread
    since: datetime  # when the last mail that it takes was seen


class Endings(Book):
    """What is known of the owner's signatures."""

    _owner: Owner

    def taught_signatures(self) -> tuple[TaughtSignature, ...]:
        """Every signature that is learnt now, the longest first."""
        now = self._clock.now()
        with self._reading() as connection:
            return tuple(_taught(connection, signature) for signature in _learnt(connection, self._owner, now))


def signatures_before(connection: Connection, owner: Owner, before: datetime) -> tuple[str, ...]:
    """The signatures that the owner's mails seen before then show."""
    return tuple(signature.text for signature in _learnt(connection, owner, before))


def _learnt(connection: Connection, owner: Owner, before: datetime) -> tuple[LearntSignature, ...]:
    query = (
        select(mails.c.email, seen.c.event)
        .join(seen, seen.c.key == mails.c.identity)
        .where(seen.c.kind == "sent", seen.c.rule.in_(_BY_HAND), seen.c.at < before)
        .order_by(seen.c.id.desc())
        .limit(_MOST_MAILS)
    )
    rows = connection.execute(query).all()
    by_hand = [row.email for row in rows if not (row.event and from_json(Event, row.event).from_drafts)]
    ids, bodies = _ours(connection)
    emails = (from_json(Email, text) for text in reversed(by_hand))
    own_mails = [
        OwnersMail(key=email.identity, email=email)
        for email in emails
        if _is_to_others(email, owner) and email.message_id not in ids and body_hash(email.text) not in bodies
    ]
    return learnt(own_mails, owner)


def _ours(connection: Connection) -> tuple[frozenset[str], frozenset[str]]:
    """The ids and the bodies of what Deskhand sent to others itself."""
    rows = connection.execute(select(outbox.c.message_id, outbox.c.server_id, outbox.c.body_hash)).all()
    ids = frozenset(name for row in rows for name in (row.message_id, row.server_id) if name)
    return ids, frozenset(row.body_hash for row in rows if row.body_hash)


def _is_to_others(email: Email, owner: Owner) -> bool:
    recipients = {address.email.lower() for address in (*email.to, *email.cc, *email.bcc)}
    outsiders = recipients - owner.addresses - {owner.second.lower()}
    return email.sender.email.lower() in owner.addresses and bool(outsiders)


def _taught(connection: Connection, signature: LearntSignature) -> TaughtSignature:
    query = (
        select(seen.c.subject, seen.c.at)
        .where(seen.c.kind == "sent", seen.c.key.in_(signature.mails))
        .order_by(seen.c.at, seen.c.id)
    )
    rows = connection.execute(query).all()
    return TaughtSignature(text=signature.text, subjects=tuple(row.subject for row in rows), since=rows[THREADS - 1].at)
