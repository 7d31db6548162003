"""Mails that show many cases, what waits to be shown or answered, and the times in which the owner was away."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Literal

from sqlalchemy import Connection, exists, func, select, update

from memory.record.book import Book
from memory.record.dialect import insert
from memory.record.meta import begin_meta, read_meta, write_meta
from memory.record.openings import Opening, keep_first_state, open_case
from memory.record.schema import (
    absences,
    briefs,
    cases,
    client_addresses,
    clients,
    digest_items,
    digests,
    from_json,
    outbox,
    seen,
    threads,
    to_json,
    versions,
)
from workflows import stories
from workflows.errors import Permanent
from workflows.models.case import CaseState, ChangedBy, Stage
from workflows.models.drafts import Brief, Outgoing

Kind = Literal["digest", "nudge"]
_LOOK_AGAIN = timedelta(hours=6)
"""While the owner is away, or back early: how late an expiry may be seen to be due."""
_AWAY = "away_until"


@dataclass(frozen=True, slots=True, kw_only=True)
class WaitingCase:
    """A case that waits for the owner, and how its current version (this round) was shown."""

    state: CaseState
    asked: bool  # by a mail of its own
    in_digest: bool
    nudged: bool

    @property
    def is_shown(self) -> bool:
        """Whether the owner has seen it: what nobody showed them waits for a digest, not for their answer."""
        return self.asked or self.in_digest or self.nudged


@dataclass(frozen=True, slots=True, kw_only=True)
class DigestItem:
    """One row of a digest or nudge: what an answer that names this case is bound to."""

    case: int
    version: int
    round: int
    hash: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expired:
    """A case that lapsed, and whom it was with. Names and titles are the client's words."""

    case: int
    name: str
    address: str
    title: str
    kind: stories.Kind = "reply"  # of the case


@dataclass(frozen=True, slots=True, kw_only=True)
class _Renewal:
    """What a case starts with that takes up an ended one; `anew`: its brief is built again. `mark`: once for each."""

    mark: str
    stage: Stage
    changed: str = ""
    wishes: str = ""
    again: str = ""
    anew: bool = False


class Digests(Book):
    """What is asked in one mail for many cases."""

    def waiting(self) -> tuple[WaitingCase, ...]:
        """Every case that waits for an answer now, the longest waiting first; those put off are not among them."""
        query = select(cases.c.state).where(cases.c.closed_at.is_(None), cases.c.stage == "waiting")
        with self._reading() as connection:
            states = [from_json(CaseState, text) for text in connection.execute(query).scalars()]
            waits = waiting_now(connection, states)
        return tuple(sorted(waits, key=lambda one: (one.state.asked_at or self._clock.now(), one.state.case)))

    def others_waiting(self, case: int) -> int:
        """How many other cases wait for the owner, or are just being shown; not those put off or never shown."""
        was_asked = exists().where(outbox.c.case == cases.c.number, outbox.c.purpose == "approval")
        other_cases = cases.c.closed_at.is_(None) & (cases.c.number != case)
        counted = (cases.c.stage == "needs_owner") | ((cases.c.stage == "drafted") & was_asked)
        with self._reading() as connection:
            rows = connection.execute(select(cases.c.state).where(other_cases, cases.c.stage == "waiting")).scalars()
            questions = [
                wait for wait in waiting_now(connection, (from_json(CaseState, row) for row in rows)) if wait.is_shown
            ]
            return len(questions) + connection.execute(select(func.count()).where(other_cases, counted)).scalar_one()

    def is_making(self) -> bool:
        """Whether something that was recorded is not with its case yet, or a case is just being drafted or shown."""
        recorded = select(seen.c.id).where(seen.c.state == "recorded").limit(1)
        drafting = select(cases.c.number).where(cases.c.closed_at.is_(None), cases.c.stage.in_(("new", "drafted")))
        with self._reading() as connection:
            return any(connection.execute(query).first() is not None for query in (recorded, drafting.limit(1)))

    def open_digests(self, kind: Kind, batches: Sequence[Sequence[CaseState]], slot: datetime) -> None:
        """Keep what each digest shows, and that this moment's round is made, in one transaction."""
        with self._writing() as connection:
            for states in batches:
                row = insert(digests).values(kind=kind, at=self._clock.now())
                number: int = connection.execute(row.returning(digests.c.id)).scalar_one()
                for position, state in enumerate(states):
                    connection.execute(
                        insert(digest_items).values(
                            digest=number, position=position, case=state.case, version=state.version,
                            round=state.round, hash=state.hash,
                        )
                    )  # fmt: skip
            write_meta(connection, f"{kind}_slot", slot.isoformat())

    def last_slot(self, kind: Kind) -> datetime:
        """The moment of the last round; now when there was none yet."""
        with self._writing() as connection:
            return datetime.fromisoformat(begin_meta(connection, f"{kind}_slot", self._clock.now().isoformat()))

    def unposted_digests(self) -> tuple[tuple[int, str], ...]:
        """Digests that have not left yet, oldest first: (id, kind)."""
        posted = select(outbox.c.version).where(
            outbox.c.purpose == "approval", outbox.c.case == 0, outbox.c.state.in_(("sent", "failed"))
        )
        query = select(digests.c.id, digests.c.kind).where(digests.c.id.not_in(posted)).order_by(digests.c.id)
        with self._reading() as connection:
            return tuple((row.id, row.kind) for row in connection.execute(query))

    def digest_items(self, digest: int) -> tuple[DigestItem, ...]:
        """The rows of a digest or nudge, in their order; none when there is no such digest."""
        query = select(digest_items).where(digest_items.c.digest == digest).order_by(digest_items.c.position)
        with self._reading() as connection:
            return tuple(
                DigestItem(case=row.case, version=row.version, round=row.round, hash=row.hash)
                for row in connection.execute(query)
            )

    def as_shown(self, state: CaseState, item: DigestItem) -> CaseState:
        """The case as this row has it: what is newer by now is another round, and shown in a mail of its own."""
        if state.version == item.version:
            return state
        return replace(
            state, version=item.version, hash=item.hash, changed="", changed_by=ChangedBy.NOBODY, again="", hold=""
        )

    # ------------------------------------------------------------ absences

    def observe_absence(self) -> None:
        """Keep when the owner went away and came back, as the orders say it; called about once a minute."""
        now = self._clock.now()
        with self._writing() as connection:
            text = read_meta(connection, _AWAY)
            until = datetime.fromisoformat(text) if text else None
            row = connection.execute(select(absences).where(absences.c.ended_at.is_(None))).first()
            away = until is not None and until > now
            if away and row is None:
                connection.execute(insert(absences).values(begun_at=now))
            elif row is not None and not away:
                ended = max(min(until, now) if until else now, row.begun_at)
                connection.execute(update(absences).where(absences.c.id == row.id).values(ended_at=ended))

    def is_away(self) -> bool:
        """Whether the owner is away now."""
        with self._reading() as connection:
            return _absent_now(connection)

    def absent_since(self, since: datetime) -> timedelta:
        """How long the owner was away from that moment until now."""
        with self._reading() as connection:
            return _absent(connection, since, self._clock.now())

    def lapses_at(self, state: CaseState) -> datetime:
        """When the time to answer is over, absences left out; while away, when to look again at the latest."""
        now = self._clock.now()
        if state.expires_at is None or state.asked_at is None:
            return now
        with self._reading() as connection:
            over = state.expires_at + _absent(connection, state.asked_at, now)
            return min(max(over, now + timedelta(minutes=1)), now + _LOOK_AGAIN) if _absent_now(connection) else over

    # ------------------------------------------------------------ what expired

    def untold_expired(self) -> tuple[Expired, ...]:
        """What expired and the owner does not know of yet, oldest first."""
        query = (
            select(cases.c.number, cases.c.kind, cases.c.title, cases.c.client, cases.c.state, clients.c.name)
            .outerjoin(clients, clients.c.id == cases.c.client)
            .where(cases.c.closed_at.is_not(None), cases.c.told == 0, cases.c.state.contains('"outcome":"expired"'))
            .order_by(cases.c.number)
        )
        with self._reading() as connection:
            rows = [row for row in connection.execute(query) if from_json(CaseState, row.state).outcome == "expired"]
            return tuple(
                Expired(
                    case=row.number,
                    name=row.name or "",
                    address=_address(connection, row.client),
                    title=row.title,
                    kind=row.kind,
                )
                for row in rows
            )

    def mark_expired_told(self, numbers: Iterable[int]) -> None:
        """The owner knows that these expired."""
        with self._writing() as connection:
            connection.execute(update(cases).where(cases.c.number.in_(tuple(numbers))).values(told=1))

    # ------------------------------------------------------------ a case that goes on as another

    def reopen(self, case: int) -> CaseState:
        """A new case for the same mails whose first version is the ended one's last draft, to be shown. Idempotent."""
        with self._writing() as connection:
            state = _state(connection, case)
            follower = _follower(connection, case, "shown")
            if follower is not None:
                return follower
            notice = f"Case {case} had expired before your answer came, and nothing was sent. Here is its draft again."
            if stories.facts_of(state.kind).answers_them:
                return self._follow(connection, state, _Renewal(mark="shown", again=notice, stage="drafted"))
            # What it rests on (a balance, the logged work) may have changed since: looked at and drafted anew.
            changed = f"Case {case} had expired before your answer came; this is how things stand now."
            return self._follow(connection, state, _Renewal(mark="shown", stage="new", changed=changed, anew=True))

    def correct(self, case: int, key: str, words: str) -> CaseState:
        """A new case to the same client in the same thread that corrects what was sent; once per key.

        Raises:
            Permanent: nothing of that case was sent.
        """
        with self._writing() as connection:
            state = _state(connection, case)
            if state.outcome != "sent":
                raise Permanent(f"Nothing of case {case} was sent, so there is nothing to correct.")
            follower = _follower(connection, case, f"fix:{key}")
            if follower is not None:
                return follower
            wishes = f"This mail was sent already. Write a short correction of it. {words}".strip()
            changed = f"A correction of case {case}, which was sent.{f' You wrote: {words}' if words else ''}"
            renewal = _Renewal(mark=f"fix:{key}", wishes=wishes, stage="new", changed=changed)
            return self._follow(connection, state, renewal)

    def _follow(self, connection: Connection, state: CaseState, renewal: _Renewal) -> CaseState:
        """Copy an ended case with its last version into a new one."""
        now = self._clock.now()
        old = connection.execute(select(cases).where(cases.c.number == state.case)).one()
        opening = Opening(
            kind=old.kind, title=old.title, client=old.client, event=state.event, stage=renewal.stage,
            follows=state.case,
        )  # fmt: skip
        opened = open_case(connection, self._clock, opening)
        brief = from_json(
            Brief, connection.execute(select(briefs.c.brief).where(briefs.c.id == state.brief)).scalar_one()
        )
        row = insert(briefs).values(
            case=opened.case, key=renewal.mark, brief=to_json(replace(brief, case=opened.case)), at=now
        )
        brief_id: int = connection.execute(row.returning(briefs.c.id)).scalar_one()
        after = replace(
            opened, heard=state.heard, brief=0 if renewal.anew else brief_id, version=1, hash=state.hash, round=1,
            wishes=renewal.wishes, changed=renewal.changed, proposals=state.proposals,
            changed_by=ChangedBy.OWNER if renewal.changed else ChangedBy.NOBODY, again=renewal.again,
        )  # fmt: skip
        keep_first_state(connection, after)
        _copy_version(connection, state, opened.case, now)
        # What is written into this conversation from now on belongs to the new case.
        connection.execute(update(threads).where(threads.c.case == state.case).values(case=opened.case))
        return after


# ---------------------------------------------------------------- rows


def waiting_now(connection: Connection, states: Iterable[CaseState]) -> list[WaitingCase]:
    """Of cases in the stage "waiting" those that are not put off, and how each was shown."""
    return [_waiting(connection, state) for state in states if state.later_until is None]


def _waiting(connection: Connection, state: CaseState) -> WaitingCase:
    of_version = (digest_items.c.case == state.case) & (digest_items.c.version == state.version)
    query = select(digests.c.kind).join(digest_items, digest_items.c.digest == digests.c.id)
    kinds = set(connection.execute(query.where(of_version, digest_items.c.round == state.round)).scalars())
    intent = f"ask:{state.case}.{state.version}:{state.round}"
    question = connection.execute(select(outbox.c.id).where(outbox.c.intent == intent)).first()
    return WaitingCase(state=state, asked=question is not None, in_digest="digest" in kinds, nudged="nudge" in kinds)


def _state(connection: Connection, case: int) -> CaseState:
    text = connection.execute(select(cases.c.state).where(cases.c.number == case)).scalar()
    if text is None:
        raise Permanent(f"There is no case {case} in the ledger.")
    return from_json(CaseState, text)


def _follower(connection: Connection, case: int, mark: str) -> CaseState | None:
    query = (
        select(cases.c.state)
        .join(briefs, briefs.c.case == cases.c.number)
        .where(cases.c.follows == case, briefs.c.key == mark)
    )
    text = connection.execute(query).scalar()
    return None if text is None else from_json(CaseState, text)


def _copy_version(connection: Connection, state: CaseState, number: int, now: datetime) -> None:
    of_version = (versions.c.case == state.case) & (versions.c.version == state.version)
    row = connection.execute(select(versions).where(of_version)).one()
    outgoing = replace(from_json(Outgoing, row.outgoing), case=number, version=1)
    connection.execute(
        insert(versions).values(
            case=number, version=1, outgoing=to_json(outgoing), draft=row.draft, changed="", hash=row.hash,
            state="current", by=row.by, at=now,
        )
    )  # fmt: skip


def _address(connection: Connection, client: str) -> str:
    query = select(client_addresses.c.email).where(client_addresses.c.client == client)
    return connection.execute(query.order_by(client_addresses.c.email)).scalar() or ""


def _absent_now(connection: Connection) -> bool:
    return connection.execute(select(absences.c.id).where(absences.c.ended_at.is_(None))).first() is not None


def _absent(connection: Connection, since: datetime, now: datetime) -> timedelta:
    spans = (min(row.ended_at or now, now) - max(row.begun_at, since) for row in connection.execute(select(absences)))
    return sum((span for span in spans if span > timedelta()), timedelta())
