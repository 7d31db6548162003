"""Keys that were lost: a home put back without `keys/`, or a disk fault. The ledger is the record, and goes on alone.

A mark of the home's key is kept in the ledger. Where it no longer fits, every question that is out was sealed with a
key that is gone: it is answered no more, which is said to whoever answers it, and its case is shown once more.
"""

import hashlib
from typing import Final

from sqlalchemy import Connection, select, update

from memory.keys import Keys, case_key_name
from memory.record.book import Book
from memory.record.events import News, tell
from memory.record.meta import read_meta, write_meta
from memory.record.schema import cases, from_json, outbox
from workflows.models.case import CaseState

_MARK: Final = "key_mark"
_UNTOLD: Final = "keys_lost"
WHY: Final = "the key that this question was sealed with was lost"
_AGAIN: Final = (
    "My keys (the folder keys/) were lost, so what you answered to the mail before this one does not count, unless it "
    "was sent already. Answer this one."
)


class LostKeys(Book):
    """Looks, once at each start and before anything is begun, whether the keys are those of this ledger."""

    def look(self, keys: Keys) -> bool:
        """Whether keys were lost since the last start; every open case that waits is then shown once more."""
        mark = hashlib.sha256(b"deskhand key mark v1" + keys.home_key()).hexdigest()[:32]
        with self._writing() as connection:
            old_mark = read_meta(connection, _MARK)
            write_meta(connection, _MARK, mark)
            is_home_lost = old_mark != mark if old_mark else keys.is_new and _has_asked(connection)
            if not (is_home_lost or _is_a_case_lost(connection, keys)):
                return False
            write_meta(connection, _UNTOLD, mark)
            if is_home_lost:
                _burn_all(connection)
            for state in _waiting(connection):
                key = f"keys:{mark}:{state.case}:{state.version}"
                news = News(case=state.case, key=key, summary="The keys were lost.", again=_AGAIN)
                tell(connection, self._clock, news)
        return True

    def untold(self) -> str:
        """The mark of the loss that the owner does not know of yet, "" when there is none."""
        with self._reading() as connection:
            return read_meta(connection, _UNTOLD) or ""

    def mark_told(self) -> None:
        with self._writing() as connection:
            write_meta(connection, _UNTOLD, "")


def _has_asked(connection: Connection) -> bool:
    return connection.execute(select(outbox.c.id).limit(1)).first() is not None


def _is_a_case_lost(connection: Connection, keys: Keys) -> bool:
    """Whether an open case was begun in Temporal and its key is not there."""
    started = select(cases.c.number).where(cases.c.closed_at.is_(None), cases.c.run != "")
    return any(not keys.has(case_key_name(number)) for number in connection.execute(started).scalars())


def _burn_all(connection: Connection) -> None:
    questions = (outbox.c.purpose == "approval") & (outbox.c.burnt == "") & (outbox.c.blob != "")
    connection.execute(update(outbox).where(questions).values(burnt=WHY))


def _waiting(connection: Connection) -> list[CaseState]:
    # "drafted": its mail may have left although the step was never written down.
    query = select(cases.c.state).where(cases.c.closed_at.is_(None), cases.c.stage.in_(("drafted", "waiting")))
    return [from_json(CaseState, text) for text in connection.execute(query.order_by(cases.c.number)).scalars()]
