"""The owner's standing yes for a kind of mail: earned by unedited approvals in a row, gone with an edit or a no."""

from datetime import datetime

from sqlalchemy import Connection, select
from sqlalchemy.dialects.sqlite import insert

from memory.book import Book
from memory.schema import answers, cases, from_json, meta, to_json, versions
from workflows.models import Answer, Approve, CaseState
from workflows.rules.autonomy import Ending, in_a_row

KINDS = ("reply",)
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


def allow(connection: Connection, kind: str, now: datetime) -> bool:
    """The owner says yes to this kind from now on; False when no row of unedited approvals stands behind it."""
    if not _row(connection, kind):
        return False
    _keep(connection, f"auto:{kind}", now.isoformat())
    return True


def revoke(connection: Connection, kind: str, now: datetime) -> None:
    """The standing yes ends at once, and the row is counted from here."""
    _keep(connection, f"auto:{kind}", "")
    _keep(connection, f"auto-revoked:{kind}", now.isoformat())


def _stands(connection: Connection, kind: str) -> bool:
    return _moment(connection, f"auto:{kind}") is not None and bool(_row(connection, kind))


def _row(connection: Connection, kind: str) -> tuple[int, ...]:
    since = _moment(connection, f"auto-revoked:{kind}")
    ended = cases.c.closed_at.is_not(None) if since is None else cases.c.closed_at > since
    query = select(cases.c.number, cases.c.state).where(cases.c.kind == kind, ended)
    rows = connection.execute(query.order_by(cases.c.closed_at.desc(), cases.c.number.desc()).limit(_MOST)).all()
    numbers = [row.number for row in rows]
    by_owner = select(versions.c.case).where(versions.c.by == "owner", versions.c.case.in_(numbers))
    edited = frozenset(connection.execute(by_owner).scalars())
    alone = select(answers.c.case).where(answers.c.key.startswith("standing:"), answers.c.case.in_(numbers))
    standing = frozenset(connection.execute(alone).scalars())
    states = ((row.number, from_json(CaseState, row.state)) for row in rows)
    return in_a_row(
        Ending(
            case=number,
            outcome=state.outcome,
            edited=number in edited or state.version > 1,
            standing=number in standing,
        )
        for number, state in states
    )


def _moment(connection: Connection, key: str) -> datetime | None:
    value = connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()
    return datetime.fromisoformat(value) if value else None


def _keep(connection: Connection, key: str, value: str) -> None:
    row = insert(meta).values(key=key, value=value)
    connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))
