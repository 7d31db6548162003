"""The outbox in the ledger: each mail that leaves is one row, and each step of it one transaction.

approved -> claimed -> committing -> sent | uncertain | failed. Up to `claimed` a retry is safe; from `committing` on
only evidence moves a row. `claim` is the last look: what it lets through is exactly what the owner said yes to.
"""

import json
from collections.abc import Callable, Iterable, Sequence
from datetime import datetime
from itertools import takewhile
from typing import Any

from sqlalchemy import Connection, Engine, Row, func, or_, select, update

from memory.outbox.clearance import A_MOMENT, held_back, keep_doubt
from memory.outbox.entries import Claimed, Composed, Entry, Held, Purpose, SendLimits
from memory.outbox.restored import count_departure
from memory.record.blobs import Blobs
from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.meta import read_meta, write_meta
from memory.record.schema import outbox, threads
from workflows.errors import Permanent, Retryable
from workflows.ports import Clock

_TO_OWNER = ("approval", "notice")
_LATE, _DONE = 1, 2
_MANY_IN_A_ROW = 50


class OutgoingLedger(Book):
    """The rows of table `outbox`, and the last look before a mail leaves."""

    def __init__(self, engine: Engine, clock: Clock, blobs: Blobs) -> None:
        super().__init__(engine, clock)
        self._blobs = blobs

    def enqueue(  # noqa: PLR0913
        self,
        *,
        intent: str,
        purpose: Purpose,
        recipients: Sequence[str],
        hash: str,  # noqa: A002
        case: int = 0,
        version: int = 0,
        client: str = "",
        reference: str = "",
    ) -> Entry:
        """The row of this intent, made in state `approved` if it is new; an existing one is left as it is.

        Raises:
            Permanent: a mail to a client exists for other recipients or another text.
        """
        values = {
            "intent": intent, "purpose": purpose, "case": case, "version": version, "client": client, "hash": hash,
            "recipients": json.dumps(list(recipients)), "reference": reference, "state": "approved",
            "at": self._clock.now(),
        }  # fmt: skip
        with self._writing() as connection:
            connection.execute(insert(outbox).values(values).on_conflict_do_nothing(index_elements=["intent"]))
            entry = _need(connection, intent)
        # What the owner is told may read differently when it is told again; the first wording stands.
        if purpose == "client" and (entry.hash, entry.recipients) != (hash, tuple(recipients)):
            raise Permanent(
                f"{intent} is already in the outbox with another text or other recipients; nothing was sent."
            )
        return entry

    def entry(self, intent: str) -> Entry | None:
        """The row of this intent, if there is one."""
        with self._reading() as connection:
            return _find(connection, intent)

    def count_since(self, case: int, intents: Sequence[str], since: datetime) -> int:
        """How many rows of this case, whose intents begin so, were made since then."""
        begins = or_(*(outbox.c.intent.startswith(begin, autoescape=True) for begin in intents))
        query = select(func.count()).where(outbox.c.case == case, outbox.c.at > since, begins)
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def count_unasked(self, owner: str, asked_for: Sequence[str], since: datetime) -> int:
        """How many mails to the owner were made since then, but those whose intents begin so."""
        begins = or_(*(outbox.c.intent.startswith(begin, autoescape=True) for begin in asked_for))
        query = select(func.count()).where(
            outbox.c.purpose != "client", outbox.c.recipients == json.dumps([owner]), outbox.c.at > since, ~begins
        )
        with self._reading() as connection:
            return int(connection.execute(query).scalar_one())

    def claim(
        self, intent: str, compose: Callable[[Entry], Composed], limits: SendLimits, now: datetime, change: str = ""
    ) -> Claimed | Held:
        """The last look, and the whole message made once; one transaction.

        `change`: what became of a file of the owner's since it was approved, as the folder shows it.

        A row already claimed by an attempt that sent nothing is looked at again in full (a no or a stop still wins,
        and it counts for the caps at the time it really leaves), with the bytes it has.
        """
        with self._writing() as connection:
            entry = _need(connection, intent)
            if entry.state not in {"approved", "claimed"}:
                return Held(reason=f"{intent} is {entry.state}.", until=now + A_MOMENT)
            if entry.purpose == "client" and (refusal := held_back(connection, entry, limits, now, change)):
                keep_doubt(connection, entry, refusal, now)
                return refusal
            values: dict[str, Any] = {"state": "claimed", "claimed_at": now, "attempts": entry.attempts + 1}
            if not entry.blob:
                composed = compose(entry)
                # The blob is durable before the row that names it: a row never points at nothing.
                values |= {"blob": self._blobs.put(composed.content), "message_id": composed.message_id}
                values["body_hash"] = composed.body_hash
            connection.execute(update(outbox).where(outbox.c.intent == intent).values(values))
            return Claimed(entry=_need(connection, intent))

    def committing(self, intent: str) -> None:
        """Every recipient was accepted and DATA comes next.

        Raises:
            Retryable: another attempt was quicker; this one must not send.
        """
        allowed = (outbox.c.intent == intent) & (outbox.c.state == "claimed")
        with self._writing() as connection:
            updated = connection.execute(update(outbox).where(allowed).values(state="committing", detail=""))
            if updated.rowcount and _need(connection, intent).purpose == "client":
                count_departure(connection)
        if not updated.rowcount:
            raise Retryable(f"{intent} is being sent by another attempt.")

    def retry(self, intent: str, detail: str) -> None:
        """The server said clearly that it did not take the mail: back to `claimed`, the same bytes go again."""
        self._move(intent, ("committing", "claimed"), state="claimed", detail=detail)

    def failed(self, intent: str, detail: str) -> None:
        """Refused for good; nothing was accepted."""
        self._move(intent, ("approved", "claimed", "committing"), state="failed", detail=detail)

    def uncertain(self, intent: str, detail: str) -> None:
        """Handed over, no answer, no evidence: the owner is told `detail`."""
        self._move(intent, ("committing",), state="uncertain", detail=detail)

    def sent(self, intent: str, reply: str, server_id: str, at: datetime) -> Entry:
        """Accepted by the server, or found where only a sent mail can be; evidence beats `uncertain`."""
        with self._writing() as connection:
            allowed = outbox.c.state.in_(("committing", "uncertain"))
            values = {"state": "sent", "detail": reply, "sent_at": at}
            connection.execute(update(outbox).where(outbox.c.intent == intent, allowed).values(values))
            return _learn(connection, _need(connection, intent), server_id)

    def settle(self, intent: str, *, arrived: bool) -> None:
        """The owner's word on an uncertain mail: it arrived, or it did not and the same bytes may go again."""
        left_at = func.coalesce(outbox.c.claimed_at, self._clock.now())  # as where evidence settles it
        values = {"state": "sent", "sent_at": left_at} if arrived else {"state": "claimed", "resend": 1}
        self._move(intent, ("uncertain",), detail="settled by the owner", **values)

    def to_resend(self) -> tuple[Entry, ...]:
        """What the owner wants sent once more and has not been seen to the end."""
        return self._entries(outbox.c.resend == 1)

    def resent(self, intent: str) -> None:
        """How sending it once more ended is known."""
        self._set(intent, resend=0)

    def of_case(self, case: int, version: int = 0) -> Entry | None:
        """The row of this version to the client; of version 0 the newest one, an uncertain one first."""
        entries = self._entries(outbox.c.purpose == "client", outbox.c.case == case)
        fitting = [entry for entry in entries if entry.version == version or not version]
        return max(fitting, key=lambda one: (one.state == "uncertain", one.version), default=None)

    def learned(self, intent: str, server_id: str) -> Entry:
        """The Message-ID that the server really gave it, found in Sent."""
        with self._writing() as connection:
            return _learn(connection, _need(connection, intent), server_id)

    def filed(self, intent: str, how_far: int = 1) -> None:
        """How far the copy in the Sent folder is: 2 before our own append, 1 when it lies there."""
        self._move(intent, ("sent",), filed=how_far, unfiled="")

    def not_filed(self, intent: str, why: str) -> None:
        """The copy in the Sent folder cannot be seen to now; the mail has left all the same."""
        self._set(intent, unfiled=why)

    def note(self, intent: str, detail: str) -> None:
        """Keep why it does not go on, without moving it."""
        with self._writing() as connection:
            connection.execute(update(outbox).where(outbox.c.intent == intent).values(detail=detail))

    def pending(self) -> tuple[Entry, ...]:
        """Every row that an attempt has begun and none has ended, oldest first."""
        return self._entries(outbox.c.state.in_(("claimed", "committing")))

    def unfiled(self) -> tuple[Entry, ...]:
        """Sent to clients, and no copy in Sent yet."""
        return self._entries(outbox.c.state == "sent", outbox.c.purpose == "client", outbox.c.filed != 1)

    # ------------------------------------------------------------ our own mails to the owner: did they arrive

    def missing(self, owner: str, after: datetime, before: datetime) -> tuple[Entry, ...]:
        """Mails to the owner that left between these times and that nobody has seen in the inbox, oldest first."""
        to_owner = outbox.c.recipients == json.dumps([owner])
        in_window = (outbox.c.sent_at > after) & (outbox.c.sent_at <= before)
        return self._entries(
            outbox.c.purpose.in_(_TO_OWNER), outbox.c.state == "sent", to_owner, in_window,
            outbox.c.arrived_at.is_(None), outbox.c.other_way != _DONE,
        )  # fmt: skip

    def arrived(self, intent: str) -> None:
        """It was found in the owner's mailbox."""
        self._set(intent, arrived_at=self._clock.now())

    def went_other_way(self, intent: str, *, done: bool) -> None:
        """It did not arrive by itself; `done`: it was put in the owner's way otherwise."""
        self._set(intent, other_way=_DONE if done else _LATE)

    def missed_in_a_row(self, owner: str, besides: str) -> int:
        """How many of the newest mails to the owner did not arrive by themselves.

        `besides`: the beginning of the intents that went another way from the start, and so tell nothing of this one.
        """
        query = (
            select(outbox.c.other_way)
            .where(outbox.c.purpose.in_(_TO_OWNER), outbox.c.recipients == json.dumps([owner]))
            .where(outbox.c.arrived_at.is_not(None) | (outbox.c.other_way > 0), ~outbox.c.intent.startswith(besides))
            .order_by(outbox.c.sent_at.desc(), outbox.c.id.desc())
            .limit(_MANY_IN_A_ROW)
        )
        with self._reading() as connection:
            ways = connection.execute(query).scalars()
            return sum(1 for _ in takewhile(bool, ways))

    def _set(self, intent: str, **values: Any) -> None:
        with self._writing() as connection:
            connection.execute(update(outbox).where(outbox.c.intent == intent).values(values))

    def is_ours(self, message_id: str, body_hash: str) -> bool:
        """Whether a mail is one that Deskhand made, by either of its ids or by its body."""
        by_id = or_(outbox.c.message_id == message_id, outbox.c.server_id == message_id)
        conditions = []
        if message_id:
            conditions.append(by_id)
        if body_hash:
            conditions.append(outbox.c.body_hash == body_hash)
        if not conditions:
            return False
        with self._reading() as connection:
            return connection.execute(select(outbox.c.id).where(or_(*conditions)).limit(1)).first() is not None

    def files_sent(self, host: str) -> bool | None:
        """Whether this server was seen to file what it sends; None: not learned yet."""
        with self._reading() as connection:
            value = read_meta(connection, f"files_sent:{host}")
        return None if value is None else value == "yes"

    def learn_files_sent(self, host: str, *, files: bool) -> None:
        """Keep what was seen."""
        with self._writing() as connection:
            write_meta(connection, f"files_sent:{host}", "yes" if files else "no")

    def takes_beyond_ascii(self, host: str) -> bool | None:
        """Whether this server was seen to take addresses with letters beyond ASCII; None: not asked yet."""
        with self._reading() as connection:
            value = read_meta(connection, f"smtputf8:{host}")
        return None if value is None else value == "yes"

    def learn_takes_beyond_ascii(self, host: str, *, takes: bool) -> None:
        """Keep what the server said."""
        with self._writing() as connection:
            write_meta(connection, f"smtputf8:{host}", "yes" if takes else "no")

    def _entries(self, *conditions: Any) -> tuple[Entry, ...]:
        with self._reading() as connection:
            rows = connection.execute(select(outbox).where(*conditions).order_by(outbox.c.id))
            return tuple(_entry(row) for row in rows)

    def _move(self, intent: str, before: Iterable[str], **values: Any) -> bool:
        allowed = outbox.c.state.in_(tuple(before))
        with self._writing() as connection:
            updated = connection.execute(update(outbox).where(outbox.c.intent == intent, allowed).values(values))
            return bool(updated.rowcount)


def _find(connection: Connection, intent: str) -> Entry | None:
    row = connection.execute(select(outbox).where(outbox.c.intent == intent)).first()
    return None if row is None else _entry(row)


def _need(connection: Connection, intent: str) -> Entry:
    entry = _find(connection, intent)
    if entry is None:
        raise Permanent(f"{intent} is not in the outbox.")
    return entry


def _entry(row: Row[Any]) -> Entry:
    values = dict(row._mapping)  # noqa: SLF001 - SQLAlchemy's public name for it
    values.pop("id")
    values["recipients"] = tuple(json.loads(values["recipients"]))
    return Entry(**{name: values[name] for name in Entry.__slots__})


def _learn(connection: Connection, entry: Entry, server_id: str) -> Entry:
    """Keep the server's id, and let answers to either id find the case."""
    if server_id and server_id != entry.message_id and not entry.server_id:
        connection.execute(update(outbox).where(outbox.c.intent == entry.intent).values(server_id=server_id))
        entry = _need(connection, entry.intent)
    if entry.purpose == "client" and entry.case:
        for message_id in filter(None, (entry.message_id, entry.server_id)):
            row = insert(threads).values(message_id=message_id, case=entry.case)
            connection.execute(row.on_conflict_do_nothing(index_elements=["message_id"]))
    return entry
