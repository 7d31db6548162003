"""Tables of the cases: each case, its briefs, versions and answers, and the notes of its story."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

cases = Table(
    "cases",
    metadata,
    Column("number", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),
    Column("client", String, nullable=False),
    Column("title", Text, nullable=False),
    Column("stage", String, nullable=False, index=True),
    Column("state", Text, nullable=False),  # CaseState as JSON
    Column("opened_at", Instant, nullable=False),
    Column("updated_at", Instant, nullable=False),
    Column("closed_at", Instant),
    Column("told", Integer, nullable=False, default=0),  # expired: the owner has been told
    Column("follows", Integer, nullable=False, default=0),  # the ended case that this one takes up again or corrects
    Column("run", String, nullable=False, default=""),  # the first run that we began for it in Temporal
    sqlite_autoincrement=True,
)

briefs = Table(
    "briefs",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case", Integer, nullable=False, index=True),
    Column("key", String(64), nullable=False, default="", index=True),  # hash of the state it was built for: a retry
    Column("brief", Text, nullable=False),  # Brief as JSON
    Column("at", Instant, nullable=False),
)

versions = Table(
    "versions",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("outgoing", Text, nullable=False),  # Outgoing as JSON: exactly what is approved
    Column("draft", Text, nullable=False),  # Draft as JSON: where it came from
    Column("changed", Text, nullable=False, default=""),
    Column("hash", String(64), nullable=False),  # over the canonical JSON of outgoing
    Column("state", String, nullable=False),  # current | superseded | approved | rejected | expired
    Column("by", String, nullable=False),  # model | template | owner
    Column("at", Instant, nullable=False),
)

answers = Table(
    "answers",
    metadata,
    Column("key", String, primary_key=True),
    Column("case", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("answer", Text, nullable=False),  # Answer as JSON
    Column("state", String, nullable=False),  # recorded | handled (the case took it) | refused
    Column("result", Text, nullable=False, default=""),  # what the case said
    Column("at", Instant, nullable=False),
)

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case", Integer, nullable=False, default=0, index=True),
    Column("what", Text, nullable=False),  # one line of a case's story that is in no other table
    Column("at", Instant, nullable=False),
)

held_slots = Table(
    "held_slots",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("start", Instant, primary_key=True),
    Column("end", Instant, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    Column("lost", Integer, nullable=False, default=0),  # 1: taken, or not known, when its mail was about to leave
    comment="times that a case's newest draft offers: nobody else is offered them",
)

invitations = Table(
    "invitations",
    metadata,
    Column("uid", String, primary_key=True),
    Column("recurrence", String, primary_key=True),  # which one of many, "" for all of them
    Column("case", Integer, primary_key=True),
    Column("sequence", Integer, nullable=False),
    Column("at", Instant, nullable=False),
    comment="invitations by mail: what is newer than which",
)
