"""The account of what came in: each mail, post and alert in one line, with the rule that decided and why."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Literal

from sqlalchemy import ColumnElement, Row, delete, func, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import seen
from workflows.rules.text.canonical import one_line

ALERT = "job-alert"
"""The rule of a platform's alert mail whose jobs were taken in."""
_IS_LEADS = (seen.c.kind == "lead") | (seen.c.rule == ALERT)

NOT_GIVEN = "not-given"
"""The rule of a mail that lies in the mailbox, and that the server does not give."""

SeenKind = Literal["mail", "sent"]


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMail:
    """One line of the account of what came in. `kind`: mail | sent; `state` as in the table `seen`."""

    id: int
    key: str
    kind: str
    state: str
    rule: str
    reason: str
    sender: str
    subject: str
    at: datetime
    case: int = 0
    client: str = ""


def _place(folder: str, uidvalidity: int, uid: int | str) -> str:
    return f"uid:{folder}:{uidvalidity}:{uid}"


class SeenMails(Book):
    """Rows of `seen` as they are shown; those that the owner must know of until he was told."""

    def quarantine(self, blob: str, kind: str, reason: str, sender: str, subject: str) -> bool:
        """Set a mail aside that cannot be parsed; False when it was set aside before, so that it is told once."""
        row = insert(seen).values(
            key=f"blob:{blob}",
            kind="sent" if kind == "sent" else "mail",
            state="quarantined",
            rule="quarantine",
            reason=reason,
            sender=sender,
            subject=subject,
            at=self._clock.now(),
        )
        with self._writing() as connection:
            return connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind"])).rowcount == 1

    def put_aside(self, folder: str, kind: str, uidvalidity: int, uid: int, reason: str) -> None:
        """Record a mail that the server does not give, so that the folder's cursor may pass it."""
        row = insert(seen).values(
            key=_place(folder, uidvalidity, uid),
            kind="sent" if kind == "sent" else "mail",
            state="quarantined",
            rule=NOT_GIVEN,
            reason=f"Mail {uid} of the folder {folder} could not be had: {one_line(reason, 300).rstrip('.')}.",
            at=self._clock.now(),
        )
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind"]))

    def take_back(self, folder: str, uidvalidity: int, uid: int) -> None:
        """The server gave it, and it has a line of its own; or it was deleted."""
        of_place = (seen.c.key == _place(folder, uidvalidity, uid)) & (seen.c.rule == NOT_GIVEN)
        with self._writing() as connection:
            connection.execute(delete(seen).where(of_place))

    def not_given(self, folder: str, uidvalidity: int) -> tuple[int, ...]:
        """The UIDs of the folder's mails that were set aside because the server does not give them."""
        begins = _place(folder, uidvalidity, "")
        query = select(seen.c.key).where(seen.c.rule == NOT_GIVEN, seen.c.key.startswith(begins, autoescape=True))
        with self._reading() as connection:
            keys = connection.execute(query).scalars().all()
        return tuple(int(key.removeprefix(begins)) for key in keys)

    def ignored(self, limit: int = 50) -> tuple[SeenMail, ...]:
        """What was skipped and why, newest first. The owner's own mail is not among it."""
        return self._seen(seen.c.state == "ignored", limit)

    def quarantined(self, limit: int = 50) -> tuple[SeenMail, ...]:
        """What could not be parsed, newest first."""
        return self._seen(seen.c.state == "quarantined", limit)

    def untold_quarantine(self) -> tuple[SeenMail, ...]:
        """Mails that were set aside and the owner does not know of yet, newest first."""
        return self._seen((seen.c.state == "quarantined") & (seen.c.told == 0) & ~_IS_LEADS, 2_000)

    def untold_leads_aside(self) -> tuple[SeenMail, ...]:
        """Posts and alert mails that were set aside and the owner does not know of yet, newest first."""
        return self._seen((seen.c.state == "quarantined") & (seen.c.told == 0) & _IS_LEADS, 2_000)

    def untold_first_day(self) -> tuple[SeenMail, ...]:
        """What the first day only tells and the owner does not know of yet, newest first."""
        return self._seen((seen.c.rule == "first-day") & (seen.c.told == 0), 200)

    def mark_told(self, ids: Iterable[int]) -> None:
        """The owner knows of these (`SeenMail.id`)."""
        with self._writing() as connection:
            connection.execute(update(seen).where(seen.c.id.in_(tuple(ids))).values(told=1))

    def _seen(self, which: ColumnElement[bool], limit: int) -> tuple[SeenMail, ...]:
        with self._reading() as connection:
            rows = connection.execute(select(seen).where(which).order_by(seen.c.id.desc()).limit(limit))
            return tuple(seen_mail(row) for row in rows)

    def ignored_by_rule(self) -> dict[str, int]:
        """How many mails each rule has skipped."""
        query = select(seen.c.rule, func.count()).where(seen.c.state == "ignored").group_by(seen.c.rule)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}


def seen_mail(row: Row[Any]) -> SeenMail:
    return SeenMail(
        id=row.id,
        key=row.key,
        kind=row.kind,
        state=row.state,
        rule=row.rule,
        reason=row.reason,
        sender=row.sender,
        subject=row.subject,
        at=row.at,
        case=row.case,
        client=row.client,
    )
