"""Tables of leads: jobs, the posts that offer them, where each source goes on, what was found out of an author."""

from sqlalchemy import Column, Integer, String, Table, Text

from memory.tables.base import Instant, metadata

leads = Table(
    "leads",
    metadata,
    Column("key", String, primary_key=True),  # rules/same_job.key_of: the identity of the job
    Column("page", Text, nullable=False, default="", index=True),  # canonical link, "" when there is none
    Column("company", Text, nullable=False, default=""),  # folded, for finding the same job again
    Column("title", Text, nullable=False, default="", index=True),  # folded
    Column("source", String, nullable=False),
    Column("lead", Text, nullable=False),  # Lead as JSON
    Column("case", Integer, nullable=False, default=0, index=True),  # 0: it was skipped
    Column("reason", Text, nullable=False, default=""),  # of the verdict
    Column("result", String, nullable=False, default=""),  # won | lost | no-answer
    Column("expires_at", Instant),
    Column("at", Instant, nullable=False),
    comment="each job once, however many posts offer it",
)

lead_posts = Table(
    "lead_posts",
    metadata,
    Column("source", String, primary_key=True),
    Column("id", String, primary_key=True),  # the source's own id of the post
    Column("lead", String, nullable=False, default="", index=True),  # leads.key; "" when it could not be read
    Column("gone", Integer, nullable=False, default=0),  # the source says that it is there no more
    Column("at", Instant, nullable=False),
    comment="every post that was accounted for",
)

feeds = Table(
    "feeds",
    metadata,
    Column("name", String, primary_key=True),
    Column("state", Text, nullable=False, default="{}"),  # what the source remembers, JSON
    Column("asked_at", Instant),
    Column("wait_until", Instant),  # it asked to be left alone until then
)

findings = Table(
    "findings",
    metadata,
    Column("case", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("kind", String, nullable=False),  # title | about | company | contact | fact | note (no fact: a word on it)
    Column("text", Text, nullable=False),
    Column("url", Text, nullable=False, default=""),
    Column("quote", Text, nullable=False, default=""),  # words that really stand on that page
    Column("at", Instant, nullable=False),
    comment="what was found out about a lead before it was bid for",
)
