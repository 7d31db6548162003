"""Tables of the house: its own marks, small learnt values, the journal of model calls."""

from sqlalchemy import Column, Integer, LargeBinary, String, Table, Text

from memory.tables.base import Instant, metadata

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    comment="schema: the version number · home: random id of this home · first_run: when the cursor was first set",
)

calls = Table(
    "calls",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("step", String, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("prompt_hash", String(64), nullable=False),
    Column("model", String, nullable=False),
    Column("state", String, nullable=False),  # reserved | done | failed
    Column("answer", Text, nullable=False, default=""),
    Column("input_tokens", Integer, nullable=False, default=0),
    Column("output_tokens", Integer, nullable=False, default=0),
    Column("cost", String, nullable=False, default="0"),  # decimal text; "" when the model is unpriced
    Column("attempts", Integer, nullable=False, default=1),  # tokens and cost are the sum over all of them
    Column("at", Instant, nullable=False, index=True),
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="small machine-learnt values, never passwords or keys (those are files under keys/)",
)

lookups = Table(
    "lookups",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("version", Integer, primary_key=True),
    Column("step", String, primary_key=True),
    Column("ordinal", Integer, primary_key=True),
    Column("tool", String, nullable=False, index=True),
    Column("arguments", Text, nullable=False),  # JSON, sorted
    Column("state", String, nullable=False),  # begun | done | failed
    Column("answer", Text, nullable=False, default=""),  # done: JSON of what it told; failed: why, in a sentence
    Column("at", Instant, nullable=False),
    comment="calls of read tools for a draft: each is begun once and never made again",
)
