"""What is done after the yes, beside the mail: each proposal is begun once, whatever dies in between.

A row is there before the tool is asked. What was begun and has no outcome may have been done or not: it is called
unknown, told, and never begun again.
"""

from sqlalchemy import Connection, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import errands, from_json, meta, outbox, versions
from workflows.errors import Permanent
from workflows.models.drafts import Outgoing
from workflows.models.proposals import Errand, Proposal

_ID = 12  # digits of the home's id


class Errands(Book):
    """The rows of table `errands`."""

    def begin_errand(self, case: int, version: int, key: str) -> Errand:
        """The errand of this proposal: begun now (`fresh`), or as far as it came.

        Raises:
            Permanent: the version has not left, or has no such proposal; nothing may be done.
        """
        with self._writing() as connection:
            proposal = _approved(connection, case, version, key)
            name = f"{_home(connection)}-{case}-{version}-{key}"
            row = insert(errands).values(
                key=name, case=case, version=version, tool=proposal.tool, state="begun", at=self._clock.now()
            )
            fresh = connection.execute(row.on_conflict_do_nothing(index_elements=["key"])).rowcount == 1
            state, outcome = connection.execute(
                select(errands.c.state, errands.c.outcome).where(errands.c.key == name)
            ).one()
        return Errand(key=name, proposal=proposal, state=state, outcome=outcome, fresh=fresh)

    def end_errand(self, errand: Errand) -> None:
        """How it ended; what is known beats `unknown`, and nothing beats what is known."""
        values = {"state": errand.state, "outcome": errand.outcome, "ended_at": self._clock.now()}
        open_rows = (errands.c.key == errand.key) & errands.c.state.in_(("begun", "unknown"))
        with self._writing() as connection:
            connection.execute(update(errands).where(open_rows).values(values))

    def errands_of(self, case: int) -> tuple[tuple[str, str, str], ...]:
        """(tool, state, outcome) of each errand of a case, in the order they were begun."""
        query = select(errands.c.tool, errands.c.state, errands.c.outcome).where(errands.c.case == case)
        with self._reading() as connection:
            return tuple((tool, state, outcome) for tool, state, outcome in connection.execute(query))


def _approved(connection: Connection, case: int, version: int, key: str) -> Proposal:
    """The proposal as it was approved: what Temporal carries is not believed, and the mail goes first."""
    of_version = (outbox.c.case == case) & (outbox.c.version == version) & (outbox.c.purpose == "client")
    sent = connection.execute(select(outbox.c.id).where(of_version, outbox.c.state == "sent")).first()
    this = (versions.c.case == case) & (versions.c.version == version)
    row = connection.execute(select(versions.c.state, versions.c.outgoing).where(this)).first()
    if row is None or row.state != "approved" or sent is None:
        raise Permanent(f"Version {case}.{version} has not left, so nothing beside it is done.")
    proposals = from_json(Outgoing, row.outgoing).proposals
    proposal = next((proposal for proposal in proposals if proposal.key == key), None)
    if proposal is None:
        raise Permanent(f"Version {case}.{version} proposes nothing of that name; nothing was done.")
    return proposal


def _home(connection: Connection) -> str:
    home = connection.execute(select(meta.c.value).where(meta.c.key == "home")).scalar()
    return str(home or "")[:_ID]
