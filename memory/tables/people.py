"""Tables of people: clients and their addresses, and the documents that speak of them."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

clients = Table(
    "clients",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("written_to", Integer, nullable=False, default=0),
    Column("never", Integer, nullable=False, default=0),  # the owner said "never": no drafts for this sender
    Column("unwanted", Text, nullable=False, default=""),  # kinds the owner said "never" to for them, by spaces
    Column("hold", Text, nullable=False, default=""),  # why everything proactive is held ("complaint")
    Column("at", Instant, nullable=False),
    Column("sent_before", Integer),  # whether Sent held a mail to them when it was asked, once; empty: not asked
    Column("paused_at", Instant),  # since when the owner has them paused: nothing goes out, nothing is proposed
)

client_addresses = Table(
    "client_addresses",
    metadata,
    Column("email", String, primary_key=True),
    Column("client", String, nullable=False, index=True),
)

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),  # "mail:<12>" | "draft:41.1" | "edit:41.2" | "sent:41.1": a Source id
    Column("client", String, nullable=False, index=True),
    Column("case", Integer, nullable=False, default=0),
    Column("kind", String, nullable=False),  # received | drafted | edited | sent
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("indexed", Integer, nullable=False, default=0, index=True),  # bits: 1 in Chroma, 2 in the keyword index
)
