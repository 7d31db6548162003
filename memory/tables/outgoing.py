"""Tables of what leaves: the outbox, and the drafts that lie in the owner's own folder."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

outbox = Table(
    "outbox",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("intent", String, nullable=False, unique=True),  # "send:41.1" | "ask:41.1" | "nudge:..." | "notice:<key>"
    Column("purpose", String, nullable=False),  # client | approval | notice
    Column("case", Integer, nullable=False, default=0, index=True),
    Column("version", Integer, nullable=False, default=0),
    Column("client", String, nullable=False, default=""),
    Column("recipients", Text, nullable=False),  # JSON array of addresses, for caps and evidence
    Column("hash", String(64), nullable=False),  # approved hash (client) or hash of the text (others)
    Column("body_hash", String(64), nullable=False, default=""),  # sha256 of the decoded body: evidence by body
    Column("state", String, nullable=False, index=True),  # approved | claimed | committing | sent | uncertain | failed
    Column("blob", String(64), nullable=False, default=""),  # the whole composed message, from claim on
    Column("message_id", String, nullable=False, default="", index=True),  # ours
    Column("server_id", String, nullable=False, default="", index=True),  # the id the server really gave it
    Column("reference", String, nullable=False, default="", index=True),  # <41.1.RANDOM@deskhand.invalid>
    Column("attempts", Integer, nullable=False, default=0),
    Column("detail", Text, nullable=False, default=""),
    Column("at", Instant, nullable=False),
    Column("claimed_at", Instant, index=True),
    Column("sent_at", Instant),
    Column("filed", Integer, nullable=False, default=0),  # 1: a copy lies in Sent; 2: our own append was begun
    Column("unfiled", Text, nullable=False, default=""),  # why no copy lies in Sent yet, in plain words
    Column("arrived_at", Instant),  # approval, notice: when it was seen in the owner's inbox
    Column("held", Text, nullable=False, default=""),  # doubts of the last look that wait for the owner's word, by rule
    Column("held_at", Instant),  # when the newest of them was raised: a later yes ends it
    Column("bounced", Text, nullable=False, default=""),  # why it came back, when it did
    Column("tidied", Integer, nullable=False, default=0),  # approval, notice: it was moved out of the inbox
    Column("resend", Integer, nullable=False, default=0),  # it was uncertain, and the owner wants it sent once more
    Column("other_way", Integer, nullable=False, default=0),  # it did not arrive by itself; 2: sent the other way
    Column("burnt", Text, nullable=False, default=""),  # to the owner: who else knows its ids; it is answered no more
)

placed = Table(
    "placed",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("folder", String, nullable=False),
    Column("message_id", String, nullable=False),
    Column("blob", String(64), nullable=False),  # the bytes that were put there
    Column("state", String, nullable=False, index=True),  # begun | placed | removed | changed (the owner's now)
    Column("at", Instant, nullable=False),
    comment="drafts that lie in the owner's Drafts folder",
)
