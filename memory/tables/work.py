"""Tables of work: projects, what was logged, status updates and what they told, milestones at risk."""

from sqlalchemy import Column, Integer, String, Table, Text, UniqueConstraint

from memory.tables.base import Instant, metadata

projects = Table(
    "projects",
    metadata,
    Column("id", String, primary_key=True),  # the file's stem
    Column("client", String, nullable=False, index=True),
    Column("project", Text, nullable=False),  # Project as JSON, as its file was last read without a fault
    Column("since", String(10), nullable=False),  # ISO date: what was logged before is never told
    Column("gone", Integer, nullable=False, default=0),  # 1: its file is not there any more
    Column("at", Instant, nullable=False),
)

work = Table(
    "work",
    metadata,
    Column("id", String, primary_key=True),  # "time:<12 hex>" | "git:<12 hex>": a Source id
    Column("twin", String, nullable=False, unique=True),  # the same for a commit before and after a rebase
    Column("project", String, nullable=False, index=True),
    Column("day", String(10), nullable=False),  # ISO date in the owner's zone
    Column("minutes", Integer, nullable=False),
    Column("milestone", String, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("billable", Integer, nullable=False, default=1),
    Column("source", String, nullable=False, index=True),  # the file or repository
    Column("at", Instant, nullable=False),
)

updates = Table(
    "updates",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("project", String, nullable=False, index=True),
    Column("client", String, nullable=False),
    Column("period", String, nullable=False),  # "2026-W47": with the project the identity of the update
    Column("first", String(10), nullable=False),
    Column("last", String(10), nullable=False),
    Column("at", Instant, nullable=False),
    UniqueConstraint("project", "period"),
    comment="how one ended is the case's outcome",
)

update_work = Table(
    "update_work",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("work", String, primary_key=True),
    comment="which pieces of work an update is about",
)

risks = Table(
    "risks",
    metadata,
    Column("project", String, primary_key=True),
    Column("milestone", String, primary_key=True),
    Column("kind", String, nullable=False),
    Column("due", String(10), nullable=False),
    Column("days", Integer, nullable=False),  # working days short, as the owner was last told
    Column("number", Integer, nullable=False),  # how often the owner was told of it
    Column("over", Integer, nullable=False, default=0),  # 1: it passed; the next one is news again
    Column("at", Instant, nullable=False),
    comment="milestones at risk that the owner was told of",
)
