"""A ledger whose versions are approved, as the rest of Deskhand would leave it: what the outbox sends from."""

import itertools
from datetime import UTC, datetime, timedelta
from pathlib import Path

from sqlalchemy import insert

from memory.outbox.entries import Composed, SendLimits
from memory.outbox.outgoing import OutgoingLedger
from memory.record.blobs import Blobs
from memory.record.schema import answers, open_engine, to_json, transaction, versions
from workflows.models.decisions import Answer, Approve
from workflows.models.drafts import Draft, Outgoing
from workflows.models.mail import Address
from workflows.rules.text.canonical import approved_hash

NOW = datetime(2026, 11, 23, 12, 0, tzinfo=UTC)
FREE = SendLimits(grace=timedelta(0))
CLIENT = "maria@studio.example"


class Hands:
    """A clock that a test turns."""

    def __init__(self) -> None:
        self.time = NOW

    def now(self) -> datetime:
        return self.time


class Desk:
    """A ledger with cases whose versions are approved, as the rest of Deskhand would leave them."""

    def __init__(self, folder: Path) -> None:
        folder.mkdir(exist_ok=True)
        self.clock = Hands()
        self.engine = open_engine(folder / "ledger.sqlite")
        self.blobs = Blobs(folder / "blobs")
        self.ledger = OutgoingLedger(self.engine, self.clock, self.blobs)
        self._keys = itertools.count()

    def write(self, statement) -> None:
        with transaction(self.engine) as connection:
            connection.execute(statement)

    def version(self, case=41, version=1, *, body="Thursday works.\n", state="approved", to=CLIENT, **more) -> Outgoing:
        people = (Address(email=to),)
        outgoing = Outgoing(case=case, version=version, to=people, subject="Re: Hi", body=body, **more)
        row = {
            "case": case, "version": version, "outgoing": to_json(outgoing), "hash": approved_hash(outgoing),
            "draft": to_json(Draft(body=body, gist="")), "state": state, "by": "model", "at": NOW,
        }  # fmt: skip
        self.write(insert(versions).values(row))
        return outgoing

    def answer(self, outgoing, decision, *, at=NOW, version=0, digest=None, state="handled") -> None:
        key = f"answer-{next(self._keys)}"
        answer = Answer(
            key=key, case=outgoing.case, version=version or outgoing.version, decision=decision,
            hash=approved_hash(outgoing) if digest is None else digest, at=at,
        )  # fmt: skip
        row = {"key": key, "case": answer.case, "version": answer.version, "answer": to_json(answer), "state": state}
        self.write(insert(answers).values(**row, at=at))

    def enqueue(self, outgoing: Outgoing) -> str:
        intent = f"send:{outgoing.case}.{outgoing.version}"
        self.ledger.enqueue(
            intent=intent, purpose="client", case=outgoing.case, version=outgoing.version, client="c1",
            recipients=[address.email for address in outgoing.to], hash=approved_hash(outgoing),
        )  # fmt: skip
        return intent

    def claim(self, intent: str, limits=FREE):
        return self.ledger.claim(intent, composed, limits, self.clock.now())

    def approved(self, **version) -> str:
        outgoing = self.version(**version)
        self.answer(outgoing, Approve())
        return self.enqueue(outgoing)


def composed(entry) -> Composed:
    return Composed(content=entry.intent.encode(), message_id=f"<{entry.intent}@winter.example>", body_hash="b" * 64)
