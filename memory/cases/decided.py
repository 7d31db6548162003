"""What the ledger itself knows of the owner's decisions. What Temporal carries is never believed for what leaves.

Whoever reaches the Temporal server can repeat what lies there: start a case from an older state, give an activity the
arguments of an earlier call. So each step that brings a mail nearer to its leaving looks here.
"""

from typing import Any

from sqlalchemy import Connection, Row, Select, select

from memory.record.book import Book
from memory.record.schema import answers, cases, from_json, outbox, seen, versions
from workflows.errors import OutOfStep
from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Approve, Edit, Without
from workflows.models.drafts import Outgoing
from workflows.rules.files.carried import is_no_more, with_change
from workflows.rules.text.canonical import approved_hash, canonical

_ON_ITS_WAY = ("claimed", "committing", "sent", "uncertain", "failed")
_HEARD = ("mail", "sent", "news")


class Decided(Book):
    """Whether a version may leave, by what is recorded alone."""

    def may_leave(self, case: int, version: int) -> bool:
        """Whether this version is approved and a yes to its text is on record, or it is on its way already."""
        with self._reading() as connection:
            row = connection.execute(_version(case, version)).first()
            of_version = (outbox.c.purpose == "client") & (outbox.c.case == case) & (outbox.c.version == version)
            under_way = select(outbox.c.intent).where(of_version, outbox.c.state.in_(_ON_ITS_WAY))
            if connection.execute(under_way).first() is not None:
                return True
            return row is not None and row.state == "approved" and has_yes(connection, row)

    def due_to_stand(self, case: int, version: int) -> CaseState | None:
        """The case as the ledger has it, when this version may leave under a standing yes now; else None.

        It was shown, its time to undo is over, and neither the owner nor the client has said anything since.
        """
        with self._reading() as connection:
            text = connection.execute(select(cases.c.state).where(cases.c.number == case)).scalar()
            state = from_json(CaseState, text) if text else None
            if state is None or state.version != version or state.hold or not state.leaves_at:
                return None
            due = state.leaves_at <= self._clock.now() and _was_shown(connection, state)
            return state if due and not _was_spoken_to(connection, state) else None


def has_yes(connection: Connection, version: Row[Any]) -> bool:
    """Whether an answer that was not refused says yes to the text of this row of `versions`."""
    query = select(answers.c.answer).where(answers.c.case == version.case, answers.c.state != "refused")
    return any(says_yes(connection, from_json(Answer, text), version) for text in connection.execute(query).scalars())


def says_yes(connection: Connection, answer: Answer, version: Row[Any]) -> bool:
    """Whether the answer is a yes to exactly this row of `versions`, or to more than it."""
    if isinstance(answer.decision, Approve):
        return answer.version == version.version and bool(answer.hash == version.hash)
    # "edit!" and "ok, without ..." speak of the version before: what they make of it is compared with what goes.
    if not isinstance(answer.decision, Edit | Without) or not answer.decision.send or answer.version >= version.version:
        return False
    shown = connection.execute(_version(answer.case, answer.version)).first()
    outgoing = from_json(Outgoing, version.outgoing)
    if isinstance(answer.decision, Edit):
        is_text = canonical(answer.decision.text) == canonical(outgoing.body)
        return is_text and is_no_more(outgoing, from_json(Outgoing, shown.outgoing) if shown else None)
    if shown is None or shown.hash != answer.hash:
        return False
    return bool(approved_hash(with_change(from_json(Outgoing, shown.outgoing), answer.decision)) == version.hash)


def refuse_older(connection: Connection, state: CaseState) -> None:
    """A case never goes back: nothing it has heard, acted on or ended is undone.

    Raises:
        OutOfStep: the ledger has a newer state.
    """
    row = connection.execute(select(cases.c.state, cases.c.closed_at).where(cases.c.number == state.case)).first()
    if row is None or not row.state:
        return
    recorded = from_json(CaseState, row.state)
    if (
        (row.closed_at is not None and state.stage != "closed")
        or state.version < recorded.version
        or (recorded.heard and recorded.heard[-1] not in state.heard)
        or (recorded.consumed and recorded.consumed[-1] not in state.consumed)
    ):
        raise OutOfStep(f"What Temporal has of case {state.case} is older than the ledger; the ledger counts.")


def _version(case: int, version: int) -> Select[Any]:
    return select(versions).where(versions.c.case == case, versions.c.version == version)


def _was_shown(connection: Connection, state: CaseState) -> bool:
    of_version = (outbox.c.purpose == "approval") & (outbox.c.case == state.case) & (outbox.c.version == state.version)
    return (
        connection.execute(select(outbox.c.intent).where(of_version, outbox.c.sent_at.is_not(None))).first() is not None
    )


def _was_spoken_to(connection: Connection, state: CaseState) -> bool:
    replies = select(answers.c.key).where(answers.c.case == state.case, answers.c.key.not_like("standing:%"))
    heard = (state.event, *state.heard)
    news = select(seen.c.key).where(
        seen.c.case == state.case, seen.c.event != "", seen.c.kind.in_(_HEARD), seen.c.key.not_in(heard)
    )
    return connection.execute(replies).first() is not None or connection.execute(news).first() is not None
