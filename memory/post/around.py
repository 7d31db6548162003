"""What the ledger knows around a mail: whose it is, which open case it continues, which mail of ours it answers."""

import json
from dataclasses import dataclass
from datetime import timedelta
from email import message_from_bytes
from email.policy import default as modern
from typing import Any, Literal

from sqlalchemy import Connection, Engine, Row, or_, select

from memory.money.debts import country_of
from memory.post.burning import has_id, is_it
from memory.post.threads import MOST_PARENTS, open_case
from memory.record.blobs import Blobs
from memory.record.endings import signatures_before
from memory.record.meta import read_meta
from memory.record.notebook import Notebook
from memory.record.people import find_client, standing_of
from memory.record.schema import from_json, mails, outbox
from workflows import older
from workflows.models.mail import Email, FolderKind
from workflows.models.people import Client, Owner
from workflows.models.routes import Asked, Astray, Surroundings
from workflows.ports import Clock
from workflows.rules.answers.orders import is_order_subject
from workflows.rules.answers.parents import ParentMail, direct_parent, is_answer_to, is_ours_by_form
from workflows.rules.debts.dunning import zone_of
from workflows.rules.text.canonical import body_hash
from workflows.rules.triage import OUR_HEADER

FIRST_DAY = timedelta(hours=24)
_LEFT = ("committing", "sent", "uncertain")
_MOST_QUESTIONS = 50
_MOST_EARLIER = 12  # mails of a conversation, the nearest first, by whose words older text is known
_ELSEWHERE = "This mail names a question of Deskhand's, and it answers another mail."
_NOT_HERE = "This ledger does not know the question that you answered; was an older copy of it put back?"


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The settings that decide what becomes a case (`[intake]`)."""

    draft_for: Literal["people", "known", "none"] = "people"
    first_day: Literal["digest", "ask"] = "digest"
    ignore: tuple[str, ...] = ()
    alerts: bool = True  # alert mails of platforms become leads
    authserv_id: str = ""  # the owner's mail server, whose word on a sender counts; "": see rules/mail/vouching.py


class Around(Notebook):
    """Looking a mail up; `Mails` does so in the transaction that records it."""

    def __init__(self, engine: Engine, owner: Owner, clock: Clock, blobs: Blobs, intake: Intake) -> None:
        super().__init__(engine, clock)
        self._owner = owner
        self._blobs = blobs
        self._intake = intake

    def surroundings(self, email: Email, folder_kind: FolderKind) -> Surroundings:
        """What the ledger knows around a mail now."""
        with self._writing() as connection:  # the first look sets the time of the first run
            return self._surroundings(connection, email, folder_kind)

    def _surroundings(self, connection: Connection, email: Email, folder_kind: FolderKind) -> Surroundings:
        client = self._whose(connection, email, folder_kind)
        asked_mail, burnt, astray = self._asked(connection, email)
        return Surroundings(
            folder_kind=folder_kind,
            now=self._clock.now(),
            open_case=open_case(connection, email, folder_kind, client),
            asked=asked_mail,
            burnt=burnt,
            astray=astray,
            signatures=self._signatures(connection, email, asked_mail),
            ours=self.row_of_ours(connection, email) is not None,
            client=client,
            never=client is not None and standing_of(connection, client.id).never,
            paused=client is not None and standing_of(connection, client.id).paused,
            draft_for=self._intake.draft_for,
            first_day=self._is_first_day(connection),
            ignore=self._intake.ignore,
            alerts=self._intake.alerts,
            sent_headers=tuple(json.loads(read_meta(connection, "sent_headers") or "[]")),
            earlier=self._earlier(connection, email),
            zone=zone_of(country_of(connection, client.id), "") if client else "",
        )

    def earlier(self, email: Email) -> tuple[str, ...]:
        """The texts of the mails that this one answers, as far as they are known."""
        with self._reading() as connection:
            return self._earlier(connection, email)

    def _earlier(self, connection: Connection, email: Email) -> tuple[str, ...]:
        parents = email.parents[:_MOST_EARLIER]
        if not parents:
            return ()
        parent_mails = select(mails.c.email).where(mails.c.message_id.in_(parents)).limit(2 * _MOST_EARLIER)
        texts = [from_json(Email, text).text for text in connection.execute(parent_mails).scalars()]
        own_blobs = select(outbox.c.blob).where(outbox.c.purpose == "client", has_id(parents)).limit(_MOST_EARLIER)
        texts += [self._text_of(blob) for blob in connection.execute(own_blobs).scalars()]
        return tuple(dict.fromkeys(text for text in texts if text.strip()))

    def _whose(self, connection: Connection, email: Email, folder_kind: FolderKind) -> Client | None:
        if folder_kind == "inbox":
            return find_client(connection, email.sender.email)
        recipients = self._recipients(email)
        return find_client(connection, recipients[0]) if recipients else None

    def _recipients(self, email: Email) -> tuple[str, ...]:
        """To whom the owner wrote, themselves left out."""
        addresses = (address.email.lower() for address in email.to if "@" in address.email)
        return tuple(dict.fromkeys(email for email in addresses if email not in self._owner.addresses))

    def _signatures(self, connection: Connection, email: Email, asked: Asked | None) -> tuple[str, ...]:
        """The owner's signatures as they were known before he was asked; an order of its own asks for them now."""
        if asked is None and not is_order_subject(email.subject):
            return ()
        return signatures_before(connection, self._owner, asked.sent_at if asked else self._clock.now())

    def _questions(self, connection: Connection, email: Email) -> tuple[tuple[ParentMail, str], ...]:
        """The mails of ours that this one names, newest first, each with why it is answered no more ("": it is)."""
        parents = email.parents[:MOST_PARENTS]
        if not parents:
            return ()
        own_questions = outbox.c.purpose.in_(("approval", "notice")) & has_id(parents)
        rows = connection.execute(
            select(outbox).where(own_questions).order_by(outbox.c.id.desc()).limit(_MOST_QUESTIONS)
        )
        return tuple((self._question(row), older.clause_of(row.burnt)) for row in rows)

    def _question(self, row: Row[Any]) -> ParentMail:
        asked_mail = Asked(
            case=row.case,
            version=row.version,
            purpose=row.purpose,
            text=self._text_of(row.blob),
            sent_at=row.sent_at or row.claimed_at or row.at,
            intent=row.intent,
        )
        ids = frozenset({row.message_id, row.server_id} - {""})
        return ParentMail(asked=asked_mail, ids=ids, reference=row.reference, is_at_hand=row.arrived_at is not None)

    def _asked(self, connection: Connection, email: Email) -> tuple[Asked | None, Asked | None, Astray | None]:
        """The Deskhand mail this one answers; or a burnt one; and why what it names is not answered by it."""
        questions = self._questions(connection, email)
        elsewhere = bool(questions) and _is_known(connection, direct_parent(email))
        for question, burnt in questions:
            if is_answer_to(email, question, parent_is_known=elsewhere):
                if not burnt:
                    return question.asked, None, None
                return None, question.asked, _astray(question, _burnt(question, burnt))
        return None, None, _astray(questions[0][0], _ELSEWHERE) if questions else _unknown(email)

    def _text_of(self, blob: str) -> str:
        # Our own message, composed once and kept: plain text, so the standard library reads it back exactly.
        if not blob:
            return ""
        message = message_from_bytes(self._blobs.get(blob), policy=modern)
        body = message.get_body(("plain",))
        return "" if body is None else str(body.get_content()).replace("\r\n", "\n")

    def row_of_ours(self, connection: Connection, email: Email) -> Row[Any] | None:
        """The outbox row whose mail this is: by id, or, where a server rewrites ids, by what it says.

        Only a mail that names the owner as its writer: a client knows the ids of what was sent to them.
        """
        if email.sender.email.lower() not in self._owner.addresses:
            return None
        if email.message_id:
            same_id = or_(outbox.c.message_id == email.message_id, outbox.c.server_id == email.message_id)
            row = connection.execute(select(outbox).where(same_id)).first()
            if row is not None:
                return row
        return self._row_by_reference(connection, email) or self._row_by_body(connection, email)

    def _row_by_reference(self, connection: Connection, email: Email) -> Row[Any] | None:
        """A mail to the owner whose id and text a server changed: its reference stays, and so do its words."""
        if not email.references or not email.has_header(OUR_HEADER):
            return None
        same_reference = (outbox.c.reference == email.references[-1]) & (outbox.c.blob != "")
        rows = connection.execute(
            select(outbox).where(same_reference).order_by(outbox.c.id.desc()).limit(_MOST_QUESTIONS)
        )
        return next((row for row in rows if is_it(row, email, self._owner, self._text_of)), None)

    def _row_by_body(self, connection: Connection, email: Email) -> Row[Any] | None:
        body = outbox.c.body_hash == body_hash(email.text)
        rows = connection.execute(select(outbox).where(body, outbox.c.state.in_(_LEFT))).all()
        if email.html_text and body_hash(email.html_text) != body_hash(email.text):
            rows = [row for row in rows if row.purpose == "client"]  # ours are plain: its reader sees something else
        to = {address.email.lower() for address in (*email.to, *email.cc)}
        return next(
            (row for row in rows if to >= {recipient.lower() for recipient in json.loads(row.recipients)}), None
        )

    def _is_first_day(self, connection: Connection) -> bool:
        if self._intake.first_day == "ask":
            return False
        return self._clock.now() < self._first_run(connection) + FIRST_DAY


def _is_known(connection: Connection, message_id: str) -> bool:
    """Whether a mail with this id came in: it is somebody's, and none of our questions."""
    if not message_id:
        return False
    return connection.execute(select(mails.c.identity).where(mails.c.message_id == message_id)).first() is not None


def _astray(question: ParentMail, reason: str) -> Astray:
    return Astray(case=question.asked.case, version=question.asked.version, reason=reason)


def _burnt(question: ParentMail, who: str) -> str:
    """What is said to an answer that comes too late to a burnt question; `who` knows it, or why else it is burnt."""
    sentence = f"The mail that you answered counts no more: {who}."
    return sentence if question.asked.purpose == "notice" else f"{sentence} Answer the one that was sent after it."


def _unknown(email: Email) -> Astray | None:
    """An answer to a question that is in no row: it was asked after the copy of the ledger that was put back."""
    if any(is_ours_by_form(parent) for parent in email.parents[:MOST_PARENTS]):
        return Astray(case=0, version=0, reason=_NOT_HERE)
    return None
