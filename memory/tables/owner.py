"""Tables of the owner's desk: digests, absences, orders, and what was asked back before one was carried out."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # digest | nudge
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="mails that show many cases; the outbox row of one has the intent 'digest:<id>', case 0 and version <id>",
)

digest_items = Table(
    "digest_items",
    metadata,
    Column("digest", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("case", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("hash", String(64), nullable=False),  # of the version: what "41 ok" is bound to
)

absences = Table(
    "absences",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),  # empty while the owner is away
    comment="when the owner was away: reminders and expiry stood still",
)

orders = Table(
    "orders",
    metadata,
    Column("key", String, primary_key=True),  # the order mail's identity, or a UUID for a command at the machine
    Column("order", Text, nullable=False),  # Order as JSON
    Column("ok", Integer, nullable=False),
    Column("says", Text, nullable=False),  # what the owner was told
    Column("at", Instant, nullable=False),
    comment="the owner's orders to the desk: each is carried out in the transaction that keeps it here, once",
)

asked_back = Table(
    "asked_back",
    metadata,
    Column("key", String, primary_key=True),  # the order mail's identity, as in `orders`
    Column("asked", Text, nullable=False),  # AskedBack as JSON, its state left out
    Column("state", String, nullable=False),  # asked | done | dropped
    Column("at", Instant, nullable=False),
    comment="orders that the owner is asked about first: they came in a mail that answers none of ours",
)
