"""Conversations: which Message-ID belongs to which case, and which open case a mail continues."""

from sqlalchemy import Connection, select

from memory.record.dialect import insert
from memory.record.schema import cases, threads
from workflows.models.mail import Email, FolderKind
from workflows.models.people import Client
from workflows.stories import kinds_that

MOST_PARENTS = 200
_REFERENCE_DOMAIN = "@deskhand.invalid>"


def add_to_thread(connection: Connection, message_id: str, case: int) -> None:
    """The Message-ID belongs to the case's conversation, unless an open case has it already."""
    if not message_id or message_id.endswith(_REFERENCE_DOMAIN):
        return
    row = insert(threads).values(message_id=message_id, case=case)
    ended = select(cases.c.number).where(cases.c.closed_at.is_not(None)).scalar_subquery()
    # A stranger who names someone's Message-ID must not pull an open conversation over to his own case.
    connection.execute(
        row.on_conflict_do_update(index_elements=["message_id"], set_={"case": case}, where=threads.c.case.in_(ended))
    )


def open_case(connection: Connection, email: Email, folder_kind: FolderKind, client: Client | None) -> int:
    """The open case of this conversation; the nearest parent decides.

    A mail under an id that its case knows already is one more copy of that mail, but only from whom the case is with:
    anybody may write any Message-ID.
    """
    ids = (*email.parents[:MOST_PARENTS], email.message_id)
    query = (
        select(threads.c.message_id, threads.c.case, cases.c.client)
        .join(cases, cases.c.number == threads.c.case)
        .where(
            threads.c.message_id.in_(tuple(message_id for message_id in ids if message_id)), cases.c.closed_at.is_(None)
        )
    )
    if folder_kind == "inbox":  # an answer to a bid, a chase or an update is a conversation of its own
        query = query.where(cases.c.kind.in_(kinds_that(lambda story: story.answers_them)))
    rows = connection.execute(query).all()
    client_id = "" if client is None else client.id
    client_rows = [row for row in rows if folder_kind == "sent" or row.client == client_id]
    by_message = {row.message_id: row.case for row in rows if row in client_rows or row.message_id in email.parents}
    return next((int(by_message[message_id]) for message_id in ids if message_id in by_message), 0)
