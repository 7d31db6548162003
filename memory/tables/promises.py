"""Tables of what the owner said in sent mail: what was promised, and what was asked and may be followed up."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from memory.tables.base import Instant, metadata

own_promises = Table(
    "own_promises",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("client", String, nullable=False, index=True),
    Column("mail", String, nullable=False),  # the source id of the mail that made it, or promised it last
    Column("position", Integer, nullable=False),  # among the promises of that mail
    Column("pledge", Text, nullable=False),  # Pledge as JSON
    Column("due", String(10), nullable=False, default=""),  # ISO date in the owner's zone; "": no day was named
    Column("state", String, nullable=False),  # open | kept | dropped
    Column("ended_by", String, nullable=False, default=""),  # the source id of the mail that kept it; "owner"
    Column("told", Integer, nullable=False, default=0),  # 1: reminded, 2: told that it is overdue
    Column("at", Instant, nullable=False),  # when it was promised, the last time
    UniqueConstraint("mail", "position"),
    sqlite_autoincrement=True,
)
