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

follow_ups = Table(
    "follow_ups",
    metadata,
    Column("mail", String, primary_key=True),  # the source id of the mail that asked
    Column("client", String, nullable=False, index=True),
    Column("origin", String, nullable=False),  # bid | sent | by_hand
    Column("sender_case", Integer, nullable=False, default=0),  # the case that sent it; 0: by hand
    Column("question", Text, nullable=False),
    Column("email", String, nullable=False),
    Column("name", String, nullable=False, default=""),
    Column("subject", Text, nullable=False),
    Column("message_id", String, nullable=False),
    Column("refs", Text, nullable=False),  # of an answer in its thread, as JSON
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("case", Integer, nullable=False, default=0, index=True),  # the follow-up; 0: none was proposed
    Column("over", Integer, nullable=False, default=0),  # 1: somebody said something, nothing is waited for
    comment="sent mails that wait for an answer",
)
