"""Clients: a random id with one or more addresses. An unknown address is a new client; only the owner merges."""

import secrets
from dataclasses import dataclass, replace

from sqlalchemy import Connection, func, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.schema import client_addresses, clients
from workflows.errors import Permanent
from workflows.models.mail import Address
from workflows.models.people import Client
from workflows.ports import Clock
from workflows.stories import Kind, facts_of


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientStanding:
    """What the owner decided about a client: no drafts at all, everything proactive held and why, or a pause."""

    never: bool = False
    hold: str = ""
    paused: bool = False
    unwanted: frozenset[str] = frozenset()  # kinds: no chases, no updates for them

    def refuses(self, kind: Kind) -> bool:
        """Whether the owner wants no drafts of this kind for them."""
        return self.never or kind in self.unwanted


def find_client(connection: Connection, email: str) -> Client | None:
    """Whose address this is."""
    query = select(client_addresses.c.client).where(client_addresses.c.email == email.lower())
    client_id = connection.execute(query).scalar()
    return None if client_id is None else read_client(connection, client_id)


def read_client(connection: Connection, client: str) -> Client | None:
    row = connection.execute(select(clients).where(clients.c.id == client)).first()
    if row is None:
        return None
    query = select(client_addresses.c.email).where(client_addresses.c.client == client)
    addresses = connection.execute(query.order_by(client_addresses.c.email)).scalars()
    return Client(id=row.id, name=row.name, addresses=tuple(addresses), written_to=bool(row.written_to))


def new_client(connection: Connection, address: Address, clock: Clock) -> Client:
    """A new person behind an address nobody has. The id is random: it may stand in workflow ids and logs."""
    client = Client(
        id=f"c-{secrets.token_hex(8)}", name=address.name or address.email, addresses=(address.email.lower(),)
    )
    connection.execute(insert(clients).values(id=client.id, name=client.name, at=clock.now()))
    if address.email:
        connection.execute(insert(client_addresses).values(email=address.email.lower(), client=client.id))
    return client


def client_at(connection: Connection, address: Address, clock: Clock) -> Client:
    """Whose address this is, somebody new when nobody has it; one known by the address alone gets the name."""
    client = find_client(connection, address.email)
    if client is None:
        return new_client(connection, address, clock)
    if not address.name or client.name.lower() not in client.addresses:
        return client
    connection.execute(update(clients).where(clients.c.id == client.id).values(name=address.name))
    return replace(client, name=address.name)


def mark_written_to(connection: Connection, client: str) -> None:
    connection.execute(update(clients).where(clients.c.id == client).values(written_to=1))


def hold_proactive(connection: Connection, client: str, reason: str) -> None:
    """Nothing that the client did not ask for goes out to them; an empty reason lets it go on."""
    connection.execute(update(clients).where(clients.c.id == client).values(hold=reason))


def standing_of(connection: Connection, client: str) -> ClientStanding:
    query = select(clients.c.never, clients.c.hold, clients.c.paused_at, clients.c.unwanted)
    row = connection.execute(query.where(clients.c.id == client)).first()
    if row is None:
        return ClientStanding()
    return ClientStanding(
        never=bool(row.never),
        hold=row.hold,
        paused=row.paused_at is not None,
        unwanted=frozenset(row.unwanted.split()),
    )


def paused_clients(connection: Connection) -> tuple[Client, ...]:
    """Everyone the owner has paused, by name."""
    query = select(clients.c.id).where(clients.c.paused_at.is_not(None)).order_by(clients.c.name, clients.c.id)
    people = (read_client(connection, client) for client in connection.execute(query).scalars().all())
    return tuple(client for client in people if client is not None)


def every_client(connection: Connection) -> tuple[Client, ...]:
    """Everyone, by name."""
    ids = connection.execute(select(clients.c.id).order_by(clients.c.name, clients.c.id)).scalars().all()
    people = (read_client(connection, client) for client in ids)
    return tuple(client for client in people if client is not None)


class People(Book):
    """The clients of the house."""

    def client(self, client: str) -> Client:
        """The client with that id.

        Raises:
            Permanent: there is none.
        """
        with self._reading() as connection:
            person = read_client(connection, client)
        if person is None:
            raise Permanent(f"The ledger knows no client {client}.")
        return person

    def namesakes(self, client: Client) -> tuple[str, ...]:
        """Addresses of other clients of the same name whom the owner has written to: one of them may be posed as."""
        same_name = func.lower(clients.c.name) == client.name.lower()
        namesakes = select(clients.c.id).where(same_name, clients.c.written_to == 1, clients.c.id != client.id)
        query = select(client_addresses.c.email).where(client_addresses.c.client.in_(namesakes))
        with self._reading() as connection:
            return tuple(connection.execute(query.order_by(client_addresses.c.email)).scalars())

    def sent_before(self, client: str) -> bool | None:
        """Whether a mail to them lay in the owner's Sent folder when it was looked for; None: nobody has looked."""
        with self._reading() as connection:
            mark = connection.execute(select(clients.c.sent_before).where(clients.c.id == client)).scalar()
        return None if mark is None else bool(mark)

    def keep_sent_before(self, client: str, *, found: bool) -> None:
        """What the look into Sent gave: it is made once."""
        with self._writing() as connection:
            connection.execute(update(clients).where(clients.c.id == client).values(sent_before=int(found)))

    def clients(self) -> tuple[Client, ...]:
        """Everyone, by name."""
        with self._reading() as connection:
            return every_client(connection)

    def standing(self, client: str) -> ClientStanding:
        """What the owner decided about this client."""
        with self._reading() as connection:
            return standing_of(connection, client)

    def set_never(self, client: str, kind: Kind = "reply") -> None:
        """No more drafts for this client; of a chase or an update: no more of these alone."""
        with self._writing() as connection:
            of_client = clients.c.id == client
            if facts_of(kind).never_is_for == "person":
                connection.execute(update(clients).where(of_client).values(never=1))
                return
            unwanted = standing_of(connection, client).unwanted | {kind}
            connection.execute(update(clients).where(of_client).values(unwanted=" ".join(sorted(unwanted))))
