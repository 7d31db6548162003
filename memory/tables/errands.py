"""Table of what is done after a yes, beside the mail."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

errands = Table(
    "errands",
    metadata,
    Column("key", String, primary_key=True),  # <home>-<case>-<version>-<the proposal's key>: what the tool is given
    Column("case", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("tool", String, nullable=False),
    Column("state", String, nullable=False),  # begun | done | failed | unknown
    Column("outcome", Text, nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Column("ended_at", Instant),
    comment="proposals that were approved: each is begun once, and never again",
)
