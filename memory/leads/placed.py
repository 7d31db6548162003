"""Drafts of ours that lie in the owner's Drafts folder, and mails of ours that may be tidied away."""

from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, Row, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import answers, cases, from_json, outbox, placed, versions
from workflows.models.drafts import Outgoing

_LEAVING = ("claimed", "committing", "sent", "uncertain")


@dataclass(frozen=True, slots=True, kw_only=True)
class PlacedDraft:
    """A version's place in the Drafts folder; `blob`: the bytes that were put there, "" before."""

    case: int
    version: int
    message_id: str = ""
    folder: str = ""
    blob: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class EndedCaseMail:
    """A mail of ours to the owner about a case that has ended; `answers`: the owner's, by the mails' identities."""

    intent: str
    reference: str = ""  # what an answer to it names as a parent, beside its Message-IDs
    answers: frozenset[str] = frozenset()
    message_ids: tuple[str, ...]
    body_hash: str


class Placed(Book):
    """What of ours lies in the owner's folders."""

    def drafts_to_place(self) -> tuple[tuple[PlacedDraft, Outgoing], ...]:
        """Every version that waits for the owner's yes and has not been put into Drafts."""
        of_version = (placed.c.case == versions.c.case) & (placed.c.version == versions.c.version)
        query = (
            select(versions.c.case, versions.c.version, versions.c.outgoing)
            .join(cases, cases.c.number == versions.c.case)
            .outerjoin(placed, of_version)
            .where(versions.c.state == "current", cases.c.stage == "waiting", placed.c.case.is_(None))
            .order_by(versions.c.case)
        )
        with self._reading() as connection:
            return tuple(
                (PlacedDraft(case=row.case, version=row.version), from_json(Outgoing, row.outgoing))
                for row in connection.execute(query)
            )

    def drafts_begun(self) -> tuple[PlacedDraft, ...]:
        """Those whose bytes are kept and of which nobody knows whether they lie in Drafts: the process died."""
        return self._drafts(placed.c.state == "begun")

    def drafts_to_remove(self) -> tuple[PlacedDraft, ...]:
        """Those that lie in Drafts and no longer stand: a newer version, a case that has ended, a mail that leaves."""
        same_draft = (outbox.c.case == placed.c.case) & (outbox.c.version == placed.c.version)
        leaving = (
            select(outbox.c.id).where(same_draft, outbox.c.purpose == "client", outbox.c.state.in_(_LEAVING)).exists()
        )
        of_version = (versions.c.case == placed.c.case) & (versions.c.version == placed.c.version)
        stands = select(versions.c.case).where(of_version, versions.c.state.in_(("current", "approved"))).exists()
        ended = select(cases.c.number).where(cases.c.number == placed.c.case, cases.c.closed_at.is_not(None)).exists()
        return self._drafts(placed.c.state == "placed", leaving | ~stands | ended)

    def keep_draft(self, draft: PlacedDraft, state: str) -> None:
        """`state`: begun | placed | removed | changed (the owner's now: never touched again)."""
        values = {"blob": draft.blob, "message_id": draft.message_id, "folder": draft.folder, "state": state}
        row = insert(placed).values(case=draft.case, version=draft.version, at=self._clock.now(), **values)
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["case", "version"], set_=values))

    def own_mails_to_tidy(self) -> tuple[EndedCaseMail, ...]:
        """Our mails to the owner about cases that have ended, that arrived and were not moved yet, oldest first."""
        to_owner = outbox.c.purpose.in_(("approval", "notice")) & (outbox.c.state == "sent")
        query = (
            select(
                outbox.c.intent,
                outbox.c.message_id,
                outbox.c.server_id,
                outbox.c.reference,
                outbox.c.body_hash,
                outbox.c.case,
            )
            .join(cases, cases.c.number == outbox.c.case)
            .where(to_owner, cases.c.closed_at.is_not(None), outbox.c.arrived_at.is_not(None), outbox.c.tidied == 0)
            .order_by(outbox.c.id)
        )
        with self._reading() as connection:
            rows = connection.execute(query).all()
            answered = {row.case: _answers(connection, row.case) for row in rows}
        return tuple(
            EndedCaseMail(
                intent=row.intent,
                reference=row.reference,
                answers=answered[row.case],
                message_ids=tuple(message_id for message_id in (row.message_id, row.server_id) if message_id),
                body_hash=row.body_hash,
            )
            for row in rows
        )

    def mark_tidied(self, intent: str) -> None:
        """It was moved, or the owner has moved it himself."""
        with self._writing() as connection:
            connection.execute(update(outbox).where(outbox.c.intent == intent).values(tidied=1))

    def _drafts(self, *conditions: Any) -> tuple[PlacedDraft, ...]:
        query = select(placed).where(*conditions).order_by(placed.c.case, placed.c.version)
        with self._reading() as connection:
            return tuple(_draft(row) for row in connection.execute(query))


def _answers(connection: Connection, case: int) -> frozenset[str]:
    """The identities of the mails in which the owner answered this case, proven and taken up."""
    keys = connection.execute(select(answers.c.key).where(answers.c.case == case)).scalars()
    return frozenset(key.partition(":")[0] for key in keys)


def lies_in_drafts(connection: Connection, case: int) -> bool:
    """Whether the owner has a draft of this case in the Drafts folder: what they send there is sent by their hand."""
    of_case = (placed.c.case == case) & placed.c.state.in_(("begun", "placed", "changed"))
    return connection.execute(select(placed.c.case).where(of_case).limit(1)).first() is not None


def _draft(row: Row[Any]) -> PlacedDraft:
    return PlacedDraft(case=row.case, version=row.version, message_id=row.message_id, folder=row.folder, blob=row.blob)
