"""Every copy of an answer or an order: each with its own bytes and traces, all of them one event.

Mail programs send first and file the copy in Sent after, some with a later Date or in another encoding. The first copy
in each kind of folder makes the event; a later one that nobody has judged yet gives it once more.
"""

from sqlalchemy import ColumnElement, Connection, Row, exists, or_, select, update

from memory.post.account import SeenKind
from memory.post.burning import times_burnt
from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import answers, copies, from_json, mails, orders, seen, to_json
from workflows.models.mail import Email
from workflows.models.routes import Event
from workflows.ports import Clock
from workflows.rules.answers.copies import answer_key

BY_RULE = ("answer", "order", "hint")
"""The rules of `seen` whose rows stand for copies."""


class Copies(Book):
    """The copies of one event's mail."""

    def copies_to_judge(self, key: str) -> tuple[Email, ...]:
        """The copies in Sent of the mail whose event has this key, oldest first; they count as judged from now on."""
        sent_copies = (copies.c.key == key) & (copies.c.kind == "sent")
        with self._writing() as connection:
            rows = connection.execute(select(copies.c.email).where(sent_copies).order_by(copies.c.id)).scalars().all()
            connection.execute(update(copies).where(sent_copies).values(judged=1))
            if not rows:  # recorded by an older Deskhand
                rows = connection.execute(select(mails.c.email).where(mails.c.identity == key)).scalars().all()
        return tuple(from_json(Email, text) for text in rows)

    def sent_copy_seen(self, key: str) -> bool:
        """Whether a copy of this mail, or another mail under its Message-ID, was found in a Sent folder.

        That one is judged, and told, for itself.
        """
        with self._reading() as connection:
            return sent_copy(connection, key)

    def times_burnt(self, case: int, version: int) -> int:
        """How many mails that showed this version somebody else knows the ids of."""
        with self._reading() as connection:
            return times_burnt(connection, case, version)


def sent_copy(connection: Connection, key: str) -> bool:
    """What `sent_copy_seen` says."""
    query = select(seen.c.id).where(seen.c.key == key, seen.c.kind == "sent")
    if connection.execute(query).first() is not None:
        return True
    email = connection.execute(select(mails.c.email).where(mails.c.identity == key)).scalar()
    return email is not None and _lies_in_sent(connection, from_json(Email, email))


def _lies_in_sent(connection: Connection, email: Email) -> bool:
    conditions: list[ColumnElement[bool]] = [copies.c.answer == answer_key(email)]
    if email.message_id:
        conditions.append(copies.c.message_id == email.message_id)
    return connection.execute(select(copies.c.id).where(copies.c.kind == "sent", or_(*conditions))).first() is not None


def first_of(connection: Connection, email: Email, kind: SeenKind, rule: str) -> str:
    """The key of the event that an earlier copy of this mail made in this kind of folder; "" when it is the first."""
    query = (
        select(copies.c.key)
        .join(seen, (seen.c.key == copies.c.key) & (seen.c.kind == copies.c.kind))
        .where(copies.c.answer == answer_key(email), copies.c.kind == kind, seen.c.rule == rule)
        .order_by(copies.c.id)
    )
    return str(connection.execute(query).scalar() or "")


def keep_copy(connection: Connection, clock: Clock, email: Email, kind: SeenKind, key: str) -> bool:
    """Keep this copy beside the others of the event; False when these bytes are there already.

    The first is judged with its event in any case; one that comes after may come while the others are being judged.
    """
    other_copies = select(copies.c.id).where(copies.c.key == key, copies.c.kind == kind)
    is_first = connection.execute(other_copies).first() is None
    row = insert(copies).values(
        key=key,
        kind=kind,
        answer=answer_key(email),
        message_id=email.message_id,
        blob=email.blob,
        email=to_json(email),
        judged=int(is_first),
        at=clock.now(),
    )
    return connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind", "blob"])).rowcount == 1


def give_again(connection: Connection, key: str) -> Event | None:
    """The event of a mail in Sent that has one more copy, to be judged once more; None when it was carried out."""
    row = connection.execute(select(seen).where(seen.c.key == key, seen.c.kind == "sent")).first()
    if row is None or not row.event or _is_carried_out(connection, row):
        return None
    connection.execute(update(seen).where(seen.c.id == row.id).values(state="recorded"))
    return from_json(Event, row.event)


def _is_carried_out(connection: Connection, row: Row[tuple[object, ...]]) -> bool:
    order = connection.execute(select(orders.c.key).where(orders.c.key == row.key)).first()
    answer = select(answers.c.key).where(or_(answers.c.key == row.key, answers.c.key.startswith(f"{row.key}:")))
    return order is not None or connection.execute(answer).first() is not None


def all_judged(key: str) -> ColumnElement[bool]:
    """Whether no copy in Sent came while the others were being judged."""
    return ~exists().where(copies.c.key == key, copies.c.kind == "sent", copies.c.judged == 0)
