"""What passed between the owner and a client, mail by mail, as it was received and as it left."""

import json
from collections.abc import Sequence
from typing import Any

from sqlalchemy import Connection, Row, or_, select

from memory.post.around import Around
from memory.post.mails import source_id
from memory.record.people import read_client
from memory.record.schema import from_json, mails, outbox, seen, versions
from workflows.models.desk import Turn
from workflows.models.drafts import Draft
from workflows.models.mail import Address, Email
from workflows.models.people import Client
from workflows.rules.desk.conversation import PassedMail, quoted_of_unknown, thread_of, turns
from workflows.rules.mail.authentication import fails_dmarc

_MOST = 200
"""Mails of one client that are looked at, the newest first."""
_LEFT = ("sent", "uncertain", "committing")


class Conversations(Around):
    """The part of the ledger that knows what was written before."""

    def conversation(self, client: str, at_hand: Sequence[Email]) -> tuple[Turn, ...]:
        """Who wrote what when before the mails at hand, oldest first; drafts that never left are no part of it."""
        with self._reading() as connection:
            person = read_client(connection, client)
            if person is None:
                return ()
            passed = (*self._left_for(connection, client), *self._passed(connection, person))
            known = _known_ids(connection, at_hand, passed)
        return turns(thread_of(at_hand, passed), known)

    def quoted(self, at_hand: Sequence[Email]) -> str:
        """What the newest mail at hand quotes of a mail that is not in the ledger; "" when that is known."""
        if not at_hand:
            return ""
        with self._reading() as connection:
            known = _known_ids(connection, at_hand, ())
        return quoted_of_unknown(at_hand[-1], known)

    def held_before(self, case: int, at_hand: Sequence[Email]) -> bool:
        """Whether a reply that said nothing was proposed for an earlier mail of this thread; another thread is new."""
        parents = tuple(dict.fromkeys(parent for email in at_hand for parent in email.parents[:_MOST]))
        if not parents:
            return False
        own_ids = outbox.c.message_id.in_(parents) | outbox.c.server_id.in_(parents)
        left = select(outbox.c.case).where(outbox.c.purpose == "client", own_ids)
        came = select(seen.c.case).join(mails, mails.c.identity == seen.c.key).where(mails.c.message_id.in_(parents))
        with self._reading() as connection:
            numbers = {*connection.execute(left).scalars(), *connection.execute(came).scalars()} - {0, case}
            drafts = connection.execute(select(versions.c.draft).where(versions.c.case.in_(numbers))).scalars().all()
        return any(from_json(Draft, text).holding for text in drafts)

    def _passed(self, connection: Connection, client: Client) -> tuple[PassedMail, ...]:
        """What they wrote, and what the owner wrote to them, also before they were known as a client."""
        query = (
            select(mails.c.identity, mails.c.client, mails.c.email, mails.c.at, seen.c.kind)
            .join(seen, seen.c.key == mails.c.identity)
            .where(_of(client))
            .order_by(mails.c.at.desc())
            .limit(_MOST)
        )
        rows = connection.execute(query).all()
        passed = (self._passed_mail(row, client) for row in rows)
        return tuple(mail for mail in passed if mail is not None)

    def _passed_mail(self, row: Any, client: Client) -> PassedMail | None:
        email = from_json(Email, row.email)
        by_owner = email.sender.email.lower() in self._owner.addresses
        if by_owner != (row.kind == "sent"):  # who claims to be the owner, and whose mail is no copy in Sent
            return None
        if by_owner and not (_written_to(email) & set(client.addresses)):
            return None
        if not by_owner and (row.client != client.id or fails_dmarc(email) or email.form):
            return None
        return PassedMail(email=email, at=row.at, by_owner=by_owner, source_id=source_id(row.identity))

    def _left_for(self, connection: Connection, client: str) -> tuple[PassedMail, ...]:
        """What left through Deskhand, as it was composed."""
        of_client = (outbox.c.purpose == "client") & (outbox.c.client == client) & outbox.c.state.in_(_LEFT)
        rows = connection.execute(select(outbox).where(of_client).order_by(outbox.c.id.desc()).limit(_MOST)).all()
        return tuple(self._departed(row) for row in rows if row.blob)

    def _departed(self, row: Row[Any]) -> PassedMail:
        recipients = tuple(Address(email=email) for email in json.loads(row.recipients))
        email = Email(
            identity=f"sent:{row.case}.{row.version}",
            blob=row.blob,
            message_id=row.message_id,
            senders=(Address(email=self._owner.address, name=self._owner.name),),
            to=recipients,
            text=self._text_of(row.blob),
        )
        ids = frozenset({row.message_id, row.server_id}) - {""}
        name = f"sent:{row.case}.{row.version}"
        return PassedMail(email=email, at=row.sent_at or row.at, by_owner=True, source_id=name, ids=ids)


def _of(client: Client) -> Any:
    """Rows of this client; the owner's own mails of before they were known bear no client, but their address."""
    unowned = [mails.c.email.contains(f'"{address}"', autoescape=True) for address in client.addresses]
    return (mails.c.client == client.id) | ((mails.c.client == "") & (seen.c.kind == "sent") & or_(False, *unowned))


def _written_to(email: Email) -> set[str]:
    return {address.email.lower() for address in (*email.to, *email.cc, *email.bcc)}


def _known_ids(connection: Connection, at_hand: Sequence[Email], passed: Sequence[PassedMail]) -> frozenset[str]:
    """Which Message-IDs that these mails refer to are in the ledger."""
    named = {email.parents[0] for email in (*at_hand, *(mail.email for mail in passed)) if email.parents}
    stored = select(mails.c.message_id).where(mails.c.message_id.in_(tuple(named)))
    ids = set(connection.execute(stored).scalars())
    left = select(outbox.c.message_id, outbox.c.server_id).where(
        outbox.c.purpose == "client",
        or_(outbox.c.message_id.in_(tuple(named)), outbox.c.server_id.in_(tuple(named))),
    )
    return frozenset(ids | {name for row in connection.execute(left) for name in row}) - {""}
