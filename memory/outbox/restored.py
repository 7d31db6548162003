"""Whether an older ledger was put back, and what it does not know has left.

How a restore is known: the `restore` command says so (meta `hold_after_restore`); or more mails have left than this
ledger counts (`keys/departures`, which is not part of the ledger's file); or a mail that the ledger calls unsent is
found in Sent. From then on nothing made before leaves until every approved mail was looked up in the mailbox.
"""

import json
import os
import threading
from dataclasses import dataclass
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection, select, update

from memory.outbox.last_look import LOOKING
from memory.post.mails import add_to_thread
from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.meta import read_meta, write_meta
from memory.record.schema import cases, from_json, outbox, versions
from workflows.errors import NeedsOwner
from workflows.models.drafts import Outgoing
from workflows.rules.text.canonical import body_hash

HOLD = "hold_after_restore"
"""The ledger's key for why it is held: set by `restore`, or by what is noticed; "" when nothing is held."""
DEPARTURES = "departures"
"""The ledger's key for how many mails were on their way to clients, ever."""
FOUND = "found_after_restore"
_UNSENT = ("approved", "claimed")


class Departures:
    """A count beside the ledger: how many mails this home ever handed over, so that an older ledger is known."""

    def __init__(self, path: Path) -> None:
        self._path = path

    def read(self) -> tuple[str, int]:
        """The home's id and its count; ("", 0) when nothing was kept or it cannot be understood."""
        try:
            home, _, count = self._path.read_text("ascii").strip().partition(" ")
            return home, int(count)
        except (OSError, ValueError):
            return "", 0

    def keep(self, home: str, count: int) -> None:
        """Written before the mail leaves.

        Raises:
            NeedsOwner: the disk is full, or the folder cannot be written.
        """
        if self.read() == (home, count):
            return
        # Two mails to two clients may leave at the same moment: each writes a file of its own.
        part = self._path.with_suffix(f".{os.getpid()}.{threading.get_ident()}.part")
        try:
            self._path.parent.mkdir(mode=0o700, exist_ok=True)
            handle = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
            with os.fdopen(handle, "w") as file:
                file.write(f"{home} {count}\n")
                file.flush()
                os.fsync(file.fileno())
            part.replace(self._path)
        except OSError as error:
            problem = f"{self._path} cannot be written ({error.strerror}), so nothing was sent."
            raise NeedsOwner(problem, "Free some disk space, or mend the permissions of the home folder.") from error


@dataclass(frozen=True, slots=True, kw_only=True)
class Unsent:
    """A version that the owner approved and that, as the ledger knows it, has not left."""

    case: int
    version: int
    outgoing: Outgoing
    made_at: datetime
    message_ids: tuple[str, ...] = ()


class Restored(Book):
    """The hold after a restore, in the ledger."""

    def begin(self, home: str, departures: Departures) -> bool:
        """Once at each start, before anything can leave: whether an older ledger was put back."""
        kept_home, kept_count = departures.read()
        with self._writing() as connection:
            behind = bool(kept_home) and (kept_home != home or kept_count > _count(connection))
            if behind and not read_meta(connection, HOLD):
                write_meta(connection, HOLD, "more mails have left than this copy of the ledger knows of")
            is_held = bool(read_meta(connection, HOLD))
            if is_held:
                write_meta(connection, LOOKING, self._clock.now().isoformat())
                # From now on this ledger is the one that counts.
                write_meta(connection, DEPARTURES, str(max(kept_count, _count(connection))))
            count = _count(connection)
        if is_held:
            departures.keep(home, count)
        return is_held

    def notice(self, reason: str) -> None:
        """Something shows that an older ledger was put back: everything made until now is looked up first."""
        with self._writing() as connection:
            if not read_meta(connection, LOOKING):
                write_meta(connection, HOLD, reason)
                write_meta(connection, LOOKING, self._clock.now().isoformat())

    def reason(self) -> str:
        """Why everything is held; "" when nothing is."""
        with self._reading() as connection:
            return (read_meta(connection, HOLD) or "") if read_meta(connection, LOOKING) else ""

    def held_since(self) -> str:
        """When the hold began, ISO-8601; "" when nothing is held."""
        with self._reading() as connection:
            return read_meta(connection, LOOKING) or ""

    def unsent(self) -> tuple[Unsent, ...]:
        """Every approved version that has not left, as far as this ledger knows, oldest first."""
        of_version = (outbox.c.case == versions.c.case) & (outbox.c.version == versions.c.version)
        query = (
            select(versions, outbox.c.message_id, outbox.c.server_id)
            .outerjoin(outbox, of_version & (outbox.c.purpose == "client"))
            .where(versions.c.state == "approved", outbox.c.state.is_(None) | outbox.c.state.in_(_UNSENT))
            .order_by(versions.c.at, versions.c.case)
        )
        with self._reading() as connection:
            return tuple(
                Unsent(
                    case=row.case,
                    version=row.version,
                    outgoing=from_json(Outgoing, row.outgoing),
                    made_at=row.at,
                    message_ids=tuple(message_id for message_id in (row.message_id, row.server_id) if message_id),
                )
                for row in connection.execute(query)
            )

    def made_at(self, case: int, version: int) -> datetime | None:
        """When the version was made."""
        of_version = (versions.c.case == case) & (versions.c.version == version)
        with self._reading() as connection:
            return connection.execute(select(versions.c.at).where(of_version)).scalar()

    def found(self, case: int, version: int, message_id: str, where: str) -> None:
        """It lies among the sent mails: it has left, whatever this ledger says, and never leaves again."""
        with self._writing() as connection:
            of_version = (versions.c.case == case) & (versions.c.version == version)
            row = connection.execute(select(versions).where(of_version)).one()
            outgoing, now = from_json(Outgoing, row.outgoing), self._clock.now()
            client = connection.execute(select(cases.c.client).where(cases.c.number == case)).scalar() or ""
            values = {
                "intent": f"send:{case}.{version}", "purpose": "client", "case": case, "version": version,
                "client": client, "hash": row.hash, "at": now, "state": "approved",
                "recipients": json.dumps([address.email for address in (*outgoing.to, *outgoing.cc)]),
                "body_hash": body_hash(outgoing.body),
            }  # fmt: skip
            connection.execute(insert(outbox).values(values).on_conflict_do_nothing(index_elements=["intent"]))
            departure = {"state": "sent", "sent_at": now, "claimed_at": now, "filed": 1, "server_id": message_id}
            departure["detail"] = f"A copy lies in {where}, so it had left before."
            unsent = (outbox.c.intent == values["intent"]) & outbox.c.state.in_(_UNSENT)
            if connection.execute(update(outbox).where(unsent).values(departure)).rowcount:
                add_to_thread(connection, message_id, case)
                recovered = (read_meta(connection, FOUND) or "").split()
                write_meta(connection, FOUND, " ".join((*recovered, f"{case}.{version}")))

    def found_so_far(self) -> tuple[str, ...]:
        """What was found to have left ("41.1") since the hold began."""
        with self._reading() as connection:
            return tuple((read_meta(connection, FOUND) or "").split())

    def lift(self) -> None:
        """Everything was looked up: what has not left may leave."""
        with self._writing() as connection:
            for key in (LOOKING, HOLD, FOUND):
                write_meta(connection, key, "")

    def departures(self) -> int:
        """How many mails were on their way to clients, as this ledger counts."""
        with self._reading() as connection:
            return _count(connection)


def count_departure(connection: Connection) -> None:
    """One more mail goes out; in the transaction that says so."""
    write_meta(connection, DEPARTURES, str(_count(connection) + 1))


def _count(connection: Connection) -> int:
    return int(read_meta(connection, DEPARTURES) or 0)
