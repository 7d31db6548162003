"""The owner's own promises: kept in the transaction that records a sent mail, ended by a later one or by the owner."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import date, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import from_json, own_promises, to_json
from workflows.models.mail import Attachment
from workflows.models.people import Owner
from workflows.models.promises import OwnPromise, Pledge
from workflows.rules.desk.own_promises import is_about_the_same, keeps, pledges_in
from workflows.rules.text.canonical import one_line

_QUOTE = 120
_BY_OWNER = "owner"


@dataclass(frozen=True, slots=True, kw_only=True)
class SentWords:
    """A mail of the owner's to a client, as it left: `text` are the owner's own words, `mail` its source id."""

    client: str
    mail: str
    text: str
    at: datetime
    files: tuple[Attachment, ...] = ()


def keep_promises(connection: Connection, owner: Owner, sent: SentWords) -> None:
    """Take in what a sent mail promises and what it keeps; the same mail again changes nothing."""
    of_mail = (own_promises.c.mail == sent.mail) | (own_promises.c.ended_by == sent.mail)
    if connection.execute(select(own_promises.c.id).where(of_mail).limit(1)).first() is not None:
        return
    spoken = (owner.language, *owner.languages)
    made = list(pledges_in(sent.text, sent.at, owner.timezone, spoken))
    earlier = _promises(connection, _is_open(sent.client) & (own_promises.c.at <= sent.at))
    files_open = [promise for promise in earlier if promise.pledge.kind == "send"]
    for promise in earlier:
        again = next((at for at, pledge in enumerate(made) if is_about_the_same(promise.pledge, pledge)), None)
        if again is not None:
            _promised_again(connection, promise, made.pop(again), sent)
        elif keeps(promise.pledge, sent.text, sent.files, alone=len(files_open) == 1, spoken=spoken):
            _end(connection, promise.id, "kept", sent.mail)
    _add(connection, made, sent)


def end_promise(connection: Connection, number: int, state: Literal["kept", "dropped"]) -> str:
    """The owner says how a promise ended; what is said to that."""
    row = connection.execute(select(own_promises).where(own_promises.c.id == number)).first()
    if row is None:
        return ""
    _end(connection, number, state, _BY_OWNER)
    return one_line(_promise(row).pledge.sentence, _QUOTE)


def open_promises(connection: Connection, client: str = "") -> tuple[OwnPromise, ...]:
    """What is open, what is due first in front; `client`: with them alone."""
    return _promises(connection, _is_open(client))


class OwnPromises(Book):
    """The part of the ledger that knows what the owner promised."""

    def open_promises(self, client: str = "") -> tuple[OwnPromise, ...]:
        """What is open, what is due first in front; `client`: with them alone."""
        with self._reading() as connection:
            return open_promises(connection, client)

    def promises_to_tell(self, due_until: date, before: datetime, today: date) -> tuple[OwnPromise, ...]:
        """What the owner is to be told: due until that day and not told yet, or overdue and told at most once.

        `before`: only what was promised before this moment; nobody is reminded of what was just written.
        """
        due = (own_promises.c.due != "") & (own_promises.c.due <= due_until.isoformat()) & (own_promises.c.at < before)
        with self._reading() as connection:
            promises = _promises(connection, _is_open("") & due)
        return tuple(promise for promise in promises if promise.told < _step(promise, today))

    def mark_promises_told(self, promises: Iterable[OwnPromise], today: date) -> None:
        """The owner knows of them as they stand today."""
        with self._writing() as connection:
            for promise in promises:
                told = update(own_promises).where(own_promises.c.id == promise.id)
                connection.execute(told.values(told=_step(promise, today)))


# ---------------------------------------------------------------- rows


def _step(promise: OwnPromise, today: date) -> int:
    """How far the telling of a promise is once it was told today: reminded, or told that it is overdue."""
    return 2 if promise.pledge.due is not None and promise.pledge.due < today else 1


def _is_open(client: str) -> Any:
    is_open = own_promises.c.state == "open"
    return is_open & (own_promises.c.client == client) if client else is_open


def _promises(connection: Connection, which: Any) -> tuple[OwnPromise, ...]:
    in_order = (
        select(own_promises).where(which).order_by(own_promises.c.due == "", own_promises.c.due, own_promises.c.id)
    )
    return tuple(_promise(row) for row in connection.execute(in_order))


def _promise(row: Row[Any]) -> OwnPromise:
    return OwnPromise(
        id=row.id, client=row.client, mail=row.mail, pledge=from_json(Pledge, row.pledge), at=row.at,
        state=row.state, told=row.told,
    )  # fmt: skip


def _add(connection: Connection, made: Sequence[Pledge], sent: SentWords) -> None:
    for position, pledge in enumerate(made):
        row = insert(own_promises).values(
            client=sent.client, mail=sent.mail, position=position, state="open", at=sent.at, **_values(pledge)
        )  # fmt: skip
        connection.execute(row.on_conflict_do_nothing(index_elements=["mail", "position"]))


def _promised_again(connection: Connection, promise: OwnPromise, pledge: Pledge, sent: SentWords) -> None:
    """The same thing for another day: the promise moves, and is told anew."""
    latest = pledge if pledge.due or not promise.pledge.due else promise.pledge
    position = -promise.id  # no promise that a mail makes anew has this place
    moved = {"mail": sent.mail, "position": position, "at": sent.at, "told": 0, **_values(latest)}
    connection.execute(update(own_promises).where(own_promises.c.id == promise.id).values(**moved))


def _values(pledge: Pledge) -> dict[str, str]:
    return {"pledge": to_json(pledge), "due": pledge.due.isoformat() if pledge.due else ""}


def _end(connection: Connection, number: int, state: str, by: str) -> None:
    is_open = (own_promises.c.id == number) & (own_promises.c.state == "open")
    connection.execute(update(own_promises).where(is_open).values(state=state, ended_by=by))
