"""Tables of the post: folders and how far they are read, mails, what became of each, threads, copies, bounces."""

from sqlalchemy import Column, Index, Integer, String, Table, Text, UniqueConstraint

from memory.tables.base import Instant, metadata

cursors = Table(
    "cursors",
    metadata,
    Column("folder", String, primary_key=True),
    Column("uidvalidity", Integer, nullable=False),
    Column("last_uid", Integer, nullable=False),
    Column("last_date", Instant),
)

mails = Table(
    "mails",
    metadata,
    Column("identity", String(64), primary_key=True),
    Column("blob", String(64), nullable=False),
    Column("message_id", String, nullable=False, index=True),
    Column("client", String, nullable=False, index=True),  # "" while it belongs to nobody
    Column("at", Instant, nullable=False),
    Column("email", Text, nullable=False),  # Email as JSON
)

seen = Table(
    "seen",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False),  # the mail's identity, or "blob:<sha256>" for one that cannot be parsed
    Column("kind", String, nullable=False),  # mail (INBOX and the like) | sent
    Column("state", String, nullable=False),  # recorded | delivered | ignored | quarantined
    Column("rule", String, nullable=False),  # which rule decided
    Column("reason", Text, nullable=False),  # one plain sentence
    Column("case", Integer, nullable=False, default=0),
    Column("client", String, nullable=False, default=""),
    Column("sender", String, nullable=False, default=""),
    Column("subject", Text, nullable=False, default=""),
    Column("event", Text, nullable=False, default=""),  # Event as JSON, "" when nothing is to be delivered
    Column("told", Integer, nullable=False, default=0),  # quarantined: the owner has been told
    Column("at", Instant, nullable=False),
    UniqueConstraint("key", "kind"),
    Index("seen_state", "state"),
)

threads = Table(
    "threads",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("case", Integer, nullable=False, index=True),
    comment="every Message-ID of a case's conversation: received, sent by us, sent by the owner",
)

copies = Table(
    "copies",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("key", String, nullable=False, index=True),  # of the mail's row in `seen`: the copy that was seen first
    Column("kind", String, nullable=False),  # mail | sent, as in `seen`
    Column("answer", String, nullable=False, index=True),  # rules/copies.answer_key: the same for all copies
    Column("message_id", String, nullable=False, default="", index=True),
    Column("blob", String(64), nullable=False),  # this copy's own bytes
    Column("email", Text, nullable=False),  # Email as JSON
    Column("judged", Integer, nullable=False, default=0),
    Column("at", Instant, nullable=False),
    UniqueConstraint("key", "kind", "blob"),
    comment="every copy of an answer or an order, each with its own traces of delivery",
)

file_texts = Table(
    "file_texts",
    metadata,
    Column("mail", String(64), primary_key=True),  # the mail's identity
    Column("sha256", String(64), primary_key=True),
    Column("state", String, nullable=False),  # begun | read | refused
    Column("text", Text, nullable=False, default=""),
    Column("fault", Text, nullable=False, default=""),  # why it was not read, in plain words
    Column("at", Instant, nullable=False),
    comment="what the files say that came with a mail; each is read once",
)

bounces = Table(
    "bounces",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("intent", String, nullable=False),  # the outbox row that came back
    Column("case", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("recipient", String, nullable=False),
    Column("kind", String, nullable=False),  # failed | delayed
    Column("reason", Text, nullable=False),  # in plain words
    Column("mend", Text, nullable=False),
    Column("quote", Text, nullable=False, default=""),  # the server's own words
    Column("told", Integer, nullable=False, default=0),
    Column("at", Instant, nullable=False),
    UniqueConstraint("intent", "recipient", "kind"),
)
