"""The owner's standing yes for a kind of mail: earned by unedited approvals in a row, gone with an edit or a no."""

from collections.abc import Iterator
from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from memory.book import Book
from memory.schema import answers, cases, from_json, meta, to_json, versions
from workflows.models import Answer, Approve, CaseState
from workflows.rules.autonomy import Ending, in_a_row, unbroken

KINDS = ("reply", "update")
"""The kinds of action there are; which mails of a kind a standing yes covers is rules/autonomy.py's to say."""
_MOST = 200


class Standing(Book):
    """Which kinds have a standing yes, and the answers given under it."""

    def row_of_approvals(self, kind: str) -> tuple[int, ...]:
        """The cases of the row that still stands, newest first; counted since the last time it was revoked."""
        with self._reading() as connection:
            return _row(connection, kind)

    def stands_for(self, kind: str) -> bool:
        """Whether the yes stands: given, not revoked, and nothing edited or refused since."""
        with self._reading() as connection:
            return _stands(connection, kind)

    def say_yes(self, state: CaseState) -> Answer | None:
        """Record the standing yes for the state's version, once; None when it stands no more."""
        answer = Answer(
            key=f"standing:{state.case}.{state.version}",
            case=state.case,
            version=state.version,
            decision=Approve(),
            hash=state.hash,
            via="standing",
            at=self._clock.now(),
        )
        row = insert(answers).values(
            key=answer.key,
            case=answer.case,
            version=answer.version,
            answer=to_json(answer),
            state="handled",
            result="It left under your standing yes.",
            at=answer.at,
        )
        with self._writing() as connection:
            if not _stands(connection, state.kind):
                return None
            connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
        return answer


def allow(connection: Connection, kind: str, now: datetime, needed: int) -> int:
    """The owner says yes to this kind from now on, if so many unedited approvals in a row stand behind it.

    Gives how many are missing: 0 when it is given.
    """
    missing = max(needed - len(_row(connection, kind)), 0)
    if not missing:
        _keep(connection, f"auto:{kind}", now.isoformat())
    return missing


def revoke(connection: Connection, kind: str, now: datetime) -> None:
    """The standing yes ends at once, and the row is counted from here."""
    _keep(connection, f"auto:{kind}", "")
    _keep(connection, f"auto-revoked:{kind}", now.isoformat())


def _stands(connection: Connection, kind: str) -> bool:
    """An edit or a no since it was given ends it until it is given anew, whatever is approved afterwards."""
    given_at = _moment(connection, f"auto:{kind}")
    return given_at is not None and unbroken(_endings(connection, kind, given_at, most=None))


def _row(connection: Connection, kind: str) -> tuple[int, ...]:
    return in_a_row(_endings(connection, kind, _moment(connection, f"auto-revoked:{kind}"), most=_MOST))


def _endings(connection: Connection, kind: str, since: datetime | None, most: int | None) -> Iterator[Ending]:
    """How the cases of a kind ended since then, newest first."""
    ended = cases.c.closed_at.is_not(None) if since is None else cases.c.closed_at > since
    query = select(cases.c.number, cases.c.state).where(cases.c.kind == kind, ended)
    rows = connection.execute(query.order_by(cases.c.closed_at.desc(), cases.c.number.desc()).limit(most)).all()
    these = select(cases.c.number).where(cases.c.kind == kind, ended)
    by_owner = select(versions.c.case).where(versions.c.by == "owner", versions.c.case.in_(these))
    edited = frozenset(connection.execute(by_owner).scalars())
    alone = select(answers.c.case).where(answers.c.key.startswith("standing:"), answers.c.case.in_(these))
    standing = frozenset(connection.execute(alone).scalars())
    for row in rows:
        state = from_json(CaseState, row.state)
        yield Ending(
            case=row.number,
            outcome=state.outcome,
            edited=row.number in edited or state.version > 1,
            standing=row.number in standing,
        )


def _moment(connection: Connection, key: str) -> datetime | None:
    value = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return datetime.fromisoformat(value) if value else None


def _keep(connection: Connection, key: str, value: str) -> None:
    row = insert(meta).values(key=key, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
