"""Tables of money: invoices and their imports, payments, debtors, holds, notices."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from memory.tables.base import Instant, metadata

invoices = Table(
    "invoices",
    metadata,
    Column("number", String, primary_key=True),
    Column("client", String, nullable=False, index=True),  # "" while it names no address
    Column("source", String, nullable=False),  # "csv:<file>" | "invoiceninja": the one that is believed
    Column("invoice", Text, nullable=False),  # Invoice as JSON, as its source states it
    Column(
        "noted", Integer, nullable=False, default=0
    ),  # minor units that came in by proven payments and the owner's word
    Column("gone", Integer, nullable=False, default=0),  # 1: its source does not list it any more
    Column("read_at", Instant, nullable=False),  # from when the source's data is
    Column("at", Instant, nullable=False),
)

notices = Table(
    "notices",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("number", String, primary_key=True, index=True),
    Column("client", String, nullable=False, index=True),
    Column("step", Integer, nullable=False),  # the invoice's own step in the ladder; 0 in a thank-you
    Column("stage", String, nullable=False),  # of the whole mail: the highest due, or "thanks"
    Column("day", String(10), nullable=False),  # ISO date in the client's zone on which it was found due
    Column("zone", String, nullable=False, default=""),  # of the client; "": it may leave on any day
    Column("country", String, nullable=False, default=""),  # whose business days count
    comment="which invoices a chase case is about; how it ended is the case's outcome",
)

payments = Table(
    "payments",
    metadata,
    Column("key", String, primary_key=True),  # the mail's identity, the order's key
    Column("client", String, nullable=False, default=""),
    Column("number", String, nullable=False, default=""),  # the invoice it was matched to, "" for none
    Column("minor", Integer, nullable=False),
    Column("currency", String(3), nullable=False),
    Column("proven", Integer, nullable=False),
    Column("says", Text, nullable=False),  # where it comes from, in plain words
    Column("result", Text, nullable=False),  # what it led to
    Column("told", Integer, nullable=False, default=0),  # 1: nothing to ask, or the owner has been asked
    Column("at", Instant, nullable=False),
)

debt_holds = Table(
    "debt_holds",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False),  # what caused it: a mail's identity, an order's key
    Column("client", String, nullable=False, index=True),
    Column("number", String, nullable=False, default=""),  # "" holds every invoice of the client
    Column("kind", String, nullable=False),  # promise | dispute | absence | evidence | wish | mail | complaint
    Column("until", String(10)),  # ISO date; empty: until the owner says
    Column("says", Text, nullable=False),
    Column("by_owner", Integer, nullable=False, default=0),
    Column("ended_at", Instant),
    Column("at", Instant, nullable=False),
    UniqueConstraint("key", "kind", "number"),
)

debtors = Table(
    "debtors",
    metadata,
    Column("client", String, primary_key=True),
    Column("country", String, nullable=False, default=""),
    Column("stopped_at", Instant),  # since when the owner wants no chasing of them
)

imports = Table(
    "imports",
    metadata,
    Column("source", String, primary_key=True),
    Column("read_at", Instant, nullable=False),
    comment="from when the newest data of each source of invoices is",
)
