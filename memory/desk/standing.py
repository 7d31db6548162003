"""The owner's standing yes for a kind of mail: earned by unedited approvals in a row, gone with an edit or a no."""

from collections.abc import Iterator
from datetime import datetime, timedelta

import structlog
from sqlalchemy import ColumnElement, Connection, and_, select

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.meta import read_meta, write_meta
from memory.record.people import read_client
from memory.record.schema import answers, briefs, cases, from_json, outbox, seen, to_json, versions
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve
from workflows.models.drafts import Brief, Draft, DraftedBy, Outgoing
from workflows.models.people import Owner
from workflows.rules.asking.autonomy import Ending, Leaving, in_a_row, needs_a_yes, unbroken
from workflows.rules.text.canonical import approved_hash
from workflows.stories import Kind, kinds_that

log = structlog.get_logger()

KINDS: tuple[Kind, ...] = kinds_that(lambda story: story.may_stand)
"""The kinds that a standing yes is taken for; which mails of a kind it covers is rules/asking/autonomy.py's to say."""
UNDO = timedelta(minutes=10)
_MOST = 200


class StandingYeses(Book):
    """Which kinds have a standing yes, and the answers given under it."""

    _owner: Owner
    _undo: timedelta = UNDO
    """How long a mail is shown before it leaves (the setting approval.undo)."""

    def row_of_approvals(self, kind: str) -> tuple[int, ...]:
        """The cases of the row that still stands, newest first; counted since the last time it was revoked."""
        with self._reading() as connection:
            return _row(connection, kind)

    def stands_for(self, kind: str) -> bool:
        """Whether the yes stands: given, not revoked, and nothing edited or refused since."""
        with self._reading() as connection:
            return _stands(connection, kind)

    def may_leave_alone(self, case: int, version: int) -> bool:
        """Whether a standing yes covers this version, as far as is known before it was shown."""
        with self._reading() as connection:
            return not _uncovered(connection, self._owner, case, version)

    def say_yes(self, state: CaseState) -> Answer | None:
        """Record the standing yes for a version, once; None when it does not cover it, or not yet.

        The state only names the case and its version. Whether it was shown, whether the time to undo is over, whether
        nobody said anything and whether this text may leave at all is read from the ledger, in this transaction.
        """
        key = f"standing:{state.case}.{state.version}"
        with self._writing() as connection:
            earlier = connection.execute(select(answers.c.answer).where(answers.c.key == key)).scalar()
            if earlier:
                return from_json(Answer, earlier)
            if reason := self._why_not(connection, state.case, state.version):
                log.info("no standing yes", case=state.case, version=state.version, why=reason)
                return None
            return _say(connection, key, state.case, state.version, self._clock.now())

    def _why_not(self, connection: Connection, case: int, version: int) -> str:
        shown_at = _shown_once(connection, case, version)
        if shown_at is None:
            return "it was not shown in a mail of its own, or more than once"
        if self._clock.now() < shown_at + self._undo:
            return "the time to undo is not over"
        if _spoken_to(connection, case):
            return "something was said or came in since"
        return _waits_no_more(connection, case, version) or _uncovered(connection, self._owner, case, version, shown_at)


def _say(connection: Connection, key: str, case: int, version: int, now: datetime) -> Answer:
    digest = connection.execute(select(versions.c.hash).where(_this(case, version))).scalar_one()
    answer = Answer(key=key, case=case, version=version, decision=Approve(), hash=str(digest), via="standing", at=now)
    values = {"key": key, "case": case, "version": version, "answer": to_json(answer), "state": "handled", "at": now}
    connection.execute(insert(answers).values(**values, result="It left under your standing yes."))
    return answer


# ---------------------------------------------------------------- whether this version may leave


def _this(case: int, version: int) -> ColumnElement[bool]:
    return and_(versions.c.case == case, versions.c.version == version)


def _shown_once(connection: Connection, case: int, version: int) -> datetime | None:
    """When the one approval mail about this version reached the owner; None when there is none, or another one."""
    asks = outbox.c.intent.startswith(f"ask:{case}.{version}:", autoescape=True) & (outbox.c.purpose == "approval")
    rows = connection.execute(select(outbox.c.state, outbox.c.sent_at).where(asks)).all()
    if len(rows) != 1 or rows[0].state != "sent":
        return None
    shown_at: datetime | None = rows[0].sent_at
    return shown_at


def _spoken_to(connection: Connection, case: int) -> bool:
    """Whether there is any answer to the case, or anything recorded for it that it has not taken yet."""
    replies = select(answers.c.key).where(answers.c.case == case).limit(1)
    waits = select(seen.c.id).where(seen.c.case == case, seen.c.state == "recorded", seen.c.event != "").limit(1)
    return any(connection.execute(query).first() is not None for query in (replies, waits))


def _waits_no_more(connection: Connection, case: int, version: int) -> str:
    """Why the case does not wait for a yes to this version, "" when it does."""
    row = connection.execute(select(cases.c.state, cases.c.closed_at).where(cases.c.number == case)).first()
    if row is None or row.closed_at is not None or not row.state:
        return "the case is over"
    state = from_json(CaseState, row.state)
    waits = state.stage == "waiting" and state.version == version and not state.hold and state.later_until is None
    return "" if waits else "the case does not wait for it"


def _uncovered(connection: Connection, owner: Owner, case: int, version: int, shown_at: datetime | None = None) -> str:
    """Why no standing yes covers this version, "" when one does. `shown_at`: it must have stood by then."""
    query = select(versions, cases.c.kind, cases.c.client, cases.c.state.label("case_state"))
    row = connection.execute(
        query.join(cases, cases.c.number == versions.c.case).where(_this(case, version), cases.c.state != "")
    ).first()
    if row is None or row.state != "current":
        return "it is not the current version"
    given_at = _moment(connection, f"auto:{row.kind}")
    if given_at is None or not _stands(connection, row.kind) or (shown_at and given_at > shown_at):
        return "no standing yes stood when it was shown"
    outgoing = from_json(Outgoing, row.outgoing)
    if approved_hash(outgoing) != row.hash or (outgoing.case, outgoing.version) != (case, version):
        return "its text is not what it was"
    return needs_a_yes(
        Leaving(
            brief=_brief(connection, case, from_json(CaseState, row.case_state).brief),
            outgoing=outgoing,
            draft=from_json(Draft, row.draft),
            client=read_client(connection, row.client),
            owner=owner,
            by=DraftedBy(row.by),
        )
    )


def _brief(connection: Connection, case: int, number: int) -> Brief:
    """The brief the case works from; one that is not its own is none, and covers nothing."""
    text = connection.execute(select(briefs.c.brief).where(briefs.c.id == number, briefs.c.case == case)).scalar()
    return from_json(Brief, text) if text else Brief(case=case, hints=("The brief of this case is not known.",))


# ---------------------------------------------------------------- whether it stands


def allow(connection: Connection, kind: str, now: datetime, needed: int) -> int:
    """The owner says yes to this kind from now on, if so many unedited approvals in a row stand behind it.

    Gives how many are missing: 0 when it is given.
    """
    missing = max(needed - len(_row(connection, kind)), 0)
    if not missing:
        write_meta(connection, f"auto:{kind}", now.isoformat())
    return missing


def revoke(connection: Connection, kind: str, now: datetime) -> None:
    """The standing yes ends at once, and the row is counted from here."""
    write_meta(connection, f"auto:{kind}", "")
    write_meta(connection, f"auto-revoked:{kind}", now.isoformat())


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
    ended_cases = select(cases.c.number).where(cases.c.kind == kind, ended)
    by_owner = select(versions.c.case).where(versions.c.by == DraftedBy.OWNER, versions.c.case.in_(ended_cases))
    edited = frozenset(connection.execute(by_owner).scalars())
    alone = select(answers.c.case).where(answers.c.key.startswith("standing:"), answers.c.case.in_(ended_cases))
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
    value = read_meta(connection, key)
    return datetime.fromisoformat(value) if value else None
