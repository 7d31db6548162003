"""Invited: which version of an invitation came before, so that a later one is told as a change."""

from sqlalchemy import func, select

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import invitations
from workflows.rules.desk.invitations import Invitation


class Invited(Book):
    """Invitations by UID, and by the one of many that is meant."""

    def keep_invitation(self, case: int, invitation: Invitation) -> int | None:
        """Keep what a case's mail says; the highest SEQUENCE of its UID before that case, None when there was none.

        Idempotent: asked again for the same case, the answer is the same.
        """
        row = {
            "uid": invitation.uid[:1000], "recurrence": invitation.recurrence, "case": case,
            "sequence": invitation.sequence, "at": self._clock.now(),
        }  # fmt: skip
        before = select(func.max(invitations.c.sequence)).where(
            invitations.c.uid == row["uid"],
            invitations.c.recurrence.in_({"", invitation.recurrence}),
            invitations.c.case < case,
        )
        with self._writing() as connection:
            new = insert(invitations).values(**row)
            newer = new.on_conflict_do_update(
                index_elements=["uid", "recurrence", "case"],
                set_={"sequence": new.excluded.sequence},
                where=new.excluded.sequence > invitations.c.sequence,
            )
            connection.execute(newer)
            known: int | None = connection.execute(before).scalar()
        return known

    def invited_to(self, case: int) -> frozenset[str]:
        """The UIDs of what a case's mails invite to: in a calendar, these are not what takes their own time."""
        query = select(invitations.c.uid).where(invitations.c.case == case)
        with self._reading() as connection:
            return frozenset(connection.execute(query).scalars())
