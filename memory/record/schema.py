"""The ledger's tables: one SQLite file (WAL, synchronous FULL), the record of everything Deskhand did and knows.

The dialect lives here alone, so that Postgres by URL can follow. Times are stored as UTC ISO-8601 text, values
(`CaseState`, `Email`, ...) as JSON written and read by pydantic, so that a field added with a default reads old rows.
"""

import json
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, TypeVar
from weakref import WeakKeyDictionary

from pydantic import TypeAdapter, ValidationError
from sqlalchemy import (
    Column,
    Connection,
    Engine,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    String,
    Table,
    Text,
    TypeDecorator,
    UniqueConstraint,
    create_engine,
    event,
    insert,
    inspect,
    select,
)
from sqlalchemy.exc import DBAPIError

from workflows import older
from workflows.errors import NeedsOwner

VERSION = 1
"""The schema this code writes. A ledger with a higher number was written by a newer Deskhand and is refused."""


Value = TypeVar("Value")


class Instant(TypeDecorator[datetime]):
    """A timezone-aware datetime, kept as UTC ISO-8601 text so that rows sort and read by eye."""

    impl = String(32)
    cache_ok = True

    def process_bind_param(self, value: datetime | None, dialect: Any) -> str | None:
        if value is None:
            return None
        if value.tzinfo is None:
            raise ValueError("a time without a zone must not reach the ledger")
        return value.astimezone(UTC).isoformat(timespec="microseconds")

    def process_result_value(self, value: Any, dialect: Any) -> datetime | None:
        return None if value is None else datetime.fromisoformat(value)


_adapters: dict[Any, TypeAdapter[Any]] = {}  # building one takes milliseconds, using it microseconds


def _adapter(kind: Any) -> TypeAdapter[Any]:
    if kind not in _adapters:
        _adapters[kind] = TypeAdapter(kind)
    return _adapters[kind]


def to_json(value: Any) -> str:
    """A frozen value (or a tuple of them) as JSON text."""
    return _adapter(type(value)).dump_json(value).decode()


def from_json(kind: type[Value], text: str) -> Value:
    """The value that `to_json` wrote; unknown fields are ignored, missing ones take their defaults."""
    try:
        value: Value = _adapter(kind).validate_json(text)
    except ValidationError:  # an older Deskhand kept sentences without their codes
        value = _adapter(kind).validate_json(json.dumps(older.renewed(json.loads(text))))
    return value


metadata = MetaData()

meta = Table(
    "meta",
    metadata,
    Column("key", String, primary_key=True),
    Column("value", Text, nullable=False),
    comment="schema: the version number · home: random id of this home · first_run: when the cursor was first set",
)

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

clients = Table(
    "clients",
    metadata,
    Column("id", String, primary_key=True),
    Column("name", String, nullable=False),
    Column("written_to", Integer, nullable=False, default=0),
    Column("never", Integer, nullable=False, default=0),  # the owner said "never": no drafts for this sender
    Column("unwanted", Text, nullable=False, default=""),  # kinds the owner said "never" to for them, by spaces
    Column("hold", Text, nullable=False, default=""),  # why everything proactive is held ("complaint")
    Column("at", Instant, nullable=False),
    Column("sent_before", Integer),  # whether Sent held a mail to them when it was asked, once; empty: not asked
    Column("paused_at", Instant),  # since when the owner has them paused: nothing goes out, nothing is proposed
)

client_addresses = Table(
    "client_addresses",
    metadata,
    Column("email", String, primary_key=True),
    Column("client", String, nullable=False, index=True),
)

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

digests = Table(
    "digests",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("kind", String, nullable=False),  # digest | nudge
    Column("at", Instant, nullable=False),
    sqlite_autoincrement=True,
    comment="mails that show many cases; the outbox row of one has the intent 'digest:<id>', case 0 and version <id>",
)

digest_items = Table(
    "digest_items",
    metadata,
    Column("digest", Integer, primary_key=True),
    Column("position", Integer, primary_key=True),
    Column("case", Integer, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("round", Integer, nullable=False),
    Column("hash", String(64), nullable=False),  # of the version: what "41 ok" is bound to
)

absences = Table(
    "absences",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("begun_at", Instant, nullable=False),
    Column("ended_at", Instant),  # empty while the owner is away
    comment="when the owner was away: reminders and expiry stood still",
)

threads = Table(
    "threads",
    metadata,
    Column("message_id", String, primary_key=True),
    Column("case", Integer, nullable=False, index=True),
    comment="every Message-ID of a case's conversation: received, sent by us, sent by the owner",
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

documents = Table(
    "documents",
    metadata,
    Column("id", String, primary_key=True),  # "mail:<12>" | "draft:41.1" | "edit:41.2" | "sent:41.1": a Source id
    Column("client", String, nullable=False, index=True),
    Column("case", Integer, nullable=False, default=0),
    Column("kind", String, nullable=False),  # received | drafted | edited | sent
    Column("subject", Text, nullable=False, default=""),
    Column("text", Text, nullable=False),
    Column("at", Instant, nullable=False),
    Column("indexed", Integer, nullable=False, default=0, index=True),  # bits: 1 in Chroma, 2 in the keyword index
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

notes = Table(
    "notes",
    metadata,
    Column("id", Integer, primary_key=True, autoincrement=True),
    Column("case", Integer, nullable=False, default=0, index=True),
    Column("what", Text, nullable=False),  # one line of a case's story that is in no other table
    Column("at", Instant, nullable=False),
)

orders = Table(
    "orders",
    metadata,
    Column("key", String, primary_key=True),  # the order mail's identity, or a UUID for a command at the machine
    Column("order", Text, nullable=False),  # Order as JSON
    Column("ok", Integer, nullable=False),
    Column("says", Text, nullable=False),  # what the owner was told
    Column("at", Instant, nullable=False),
    comment="the owner's orders to the desk: each is carried out in the transaction that keeps it here, once",
)

asked_back = Table(
    "asked_back",
    metadata,
    Column("key", String, primary_key=True),  # the order mail's identity, as in `orders`
    Column("asked", Text, nullable=False),  # AskedBack as JSON, its state left out
    Column("state", String, nullable=False),  # asked | done | dropped
    Column("at", Instant, nullable=False),
    comment="orders that the owner is asked about first: they came in a mail that answers none of ours",
)

secrets = Table(
    "secrets",
    metadata,
    Column("name", String, primary_key=True),
    Column("value", LargeBinary, nullable=False),
    comment="small machine-learnt values, never passwords or keys (those are files under keys/)",
)

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


def open_engine(path: Path) -> Engine:
    """The engine over the ledger file, made if missing, its tables completed if an older Deskhand made it.

    Raises:
        NeedsOwner: the file was written by a newer Deskhand, or cannot be opened.
    """
    engine = create_engine(f"sqlite:///{path}", connect_args={"timeout": 30, "isolation_level": None})
    event.listen(engine, "connect", _tune)
    event.listen(engine, "begin", _begin)
    try:
        _prepare(engine, path)
        path.chmod(0o600)
    except DBAPIError as error:
        engine.dispose()
        raise _unusable(path, str(error.orig)) from error
    except OSError as error:
        engine.dispose()
        raise _unusable(path, str(error.strerror)) from error
    except NeedsOwner:
        engine.dispose()
        raise
    return engine


def _prepare(engine: Engine, path: Path) -> None:
    """Look before touching: a newer ledger is left as it is. Two processes may do this at once."""
    with reading(engine) as connection:
        found = _version(connection)
    if found is not None and found > VERSION:
        raise NeedsOwner(
            f"The ledger {path} was written by a newer Deskhand (schema {found}, this one knows {VERSION}).",
            "Update Deskhand, or restore the backup made before the update.",
        )
    if found == VERSION and _is_complete(engine):
        return
    with transaction(engine) as connection:
        metadata.create_all(connection)
        for table, column in _missing(connection):
            _add(connection, table, column)
        if _version(connection) is None:
            connection.execute(insert(meta).values(key="schema", value=str(VERSION)))


def _version(connection: Connection) -> int | None:
    if not inspect(connection).has_table("meta"):
        return None
    found = connection.execute(select(meta.c.value).where(meta.c.key == "schema")).scalar()
    return None if found is None else int(found)


def _is_complete(engine: Engine) -> bool:
    with reading(engine) as connection:
        tables = set(inspect(connection).get_table_names())
        return set(metadata.tables) <= tables and not _missing(connection)


def _missing(connection: Connection) -> list[tuple[Table, Column[Any]]]:
    """Columns that this code knows and the file does not: an older Deskhand made the table."""
    look = inspect(connection)
    tables = [table for table in metadata.sorted_tables if look.has_table(table.name)]
    known = {table.name: {column["name"] for column in look.get_columns(table.name)} for table in tables}
    return [(table, column) for table in tables for column in table.c if column.name not in known[table.name]]


def _add(connection: Connection, table: Table, column: Column[Any]) -> None:
    """Columns are only ever added, each with a default or empty, so that old rows read on."""
    kind = column.type.compile(connection.dialect)
    default = ""
    if column.default is not None and not column.nullable:
        value = column.default.arg  # type: ignore[attr-defined]
        default = f" NOT NULL DEFAULT {value if isinstance(value, int) else repr(str(value))}"
    connection.exec_driver_sql(f'ALTER TABLE "{table.name}" ADD COLUMN "{column.name}" {kind}{default}')


def _unusable(path: Path, why: str) -> NeedsOwner:
    if "not a database" in why or "malformed" in why:
        return NeedsOwner(
            f"The ledger {path} is damaged.", "Put back your last copy of the home folder (docs/operations.md)."
        )
    return NeedsOwner(
        f"The ledger {path} cannot be opened: {why}.", "Mend the permissions of the home folder, or free disk space."
    )


def _tune(connection: Any, _record: Any) -> None:
    for pragma in ("journal_mode=WAL", "synchronous=FULL", "foreign_keys=ON", "secure_delete=ON"):
        connection.execute(f"PRAGMA {pragma}").close()


def _begin(connection: Connection) -> None:
    # IMMEDIATE: a transaction that reads first and writes later must not fail half-way because another one wrote.
    writes = connection.get_execution_options().get("writes", False)
    connection.exec_driver_sql("BEGIN IMMEDIATE" if writes else "BEGIN")


@contextmanager
def transaction(engine: Engine) -> Iterator[Connection]:
    """One write transaction: committed when the block ends, rolled back when it raises."""
    # SQLite lets a waiting writer sleep and look again, up to 100 ms at a time; a lock wakes the next one at once.
    with _writer(engine), engine.connect().execution_options(writes=True) as connection, connection.begin():
        yield connection


def _writer(engine: Engine) -> threading.RLock:
    with _making:
        return _writers.setdefault(engine, threading.RLock())


_making = threading.Lock()
_writers: WeakKeyDictionary[Engine, threading.RLock] = WeakKeyDictionary()
"""This process's writers, one at a time; other processes wait for SQLite's own lock."""


@contextmanager
def reading(engine: Engine) -> Iterator[Connection]:
    """One consistent look at the ledger; writes nothing."""
    with engine.connect() as connection, connection.begin():
        yield connection
