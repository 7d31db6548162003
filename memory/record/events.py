"""Events that no mail brought: a lead, a debt that is due, a period to report on, and news for an open case.

Each is a row of `seen`, like a mail, and is delivered like one. Call these inside the transaction that keeps what the
event is about: so a crash leaves either both or neither.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Literal

from sqlalchemy import Connection, select

from memory.record.dialect import insert
from memory.record.openings import Opening, open_case
from memory.record.schema import cases, seen, to_json
from workflows.models.routes import Event
from workflows.ports import Clock
from workflows.rules.text.canonical import one_line
from workflows.stories import Begins, Kind

_TITLE, _SUMMARY = 200, 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Beginning:
    """What begins a case. `key` is the event's identity: the same key again begins nothing."""

    kind: Kind
    event: Begins
    key: str
    title: str  # for the list of cases
    client: str = ""
    summary: str = ""
    hold: str = ""  # why nothing may be drafted: the owner is shown it as it is
    sender: str = ""  # where it came from, for the account of what came in


def begin(connection: Connection, clock: Clock, beginning: Beginning) -> int:
    """Open a case and record the event that begins it; its number. The same key again gives the first one's."""
    query = select(seen.c.case).where(seen.c.key == beginning.key, seen.c.kind == beginning.event)
    earlier = connection.execute(query).scalar()
    if earlier is not None:
        return int(earlier)
    opening = Opening(
        kind=beginning.kind, title=one_line(beginning.title, _TITLE), client=beginning.client, event=beginning.key,
        hold=beginning.hold,
    )  # fmt: skip
    number = open_case(connection, clock, opening).case
    event = Event(
        key=beginning.key,
        kind=beginning.event,
        at=clock.now(),
        client=beginning.client,
        case=number,
        summary=one_line(beginning.summary, _SUMMARY),
        hold=beginning.hold,
    )
    _keep(connection, event, rule="start", sender=beginning.sender, title=beginning.title)
    return number


@dataclass(frozen=True, slots=True, kw_only=True)
class News:
    """What an open case has to hear, known by its key.

    `ends`: the outcome it closes with ("paid", "won"); "" makes its draft stale, and `summary` says what changed.
    `again`: neither; its question is shown once more, for this reason.
    """

    case: int
    key: str
    summary: str
    ends: str = ""
    again: str = ""


def tell(connection: Connection, clock: Clock, news: News) -> bool:
    """Record news for an open case, once per key; False when it has ended or was told already."""
    open_case = select(cases.c.client).where(cases.c.number == news.case, cases.c.closed_at.is_(None))
    client = connection.execute(open_case).scalar()
    if client is None:
        return False
    event = Event(
        key=news.key,
        kind="news",
        at=clock.now(),
        client=client,
        case=news.case,
        summary=one_line(news.summary, _SUMMARY),
        ends=news.ends,
        again=news.again,
    )
    return _keep(connection, event, rule="news", title=news.summary)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unopened:
    """What came in and made no case, and by which rule."""

    kind: Begins
    key: str
    state: Literal["ignored", "quarantined"]
    rule: str
    reason: str
    title: str = ""
    sender: str = ""
    case: int = 0


def account(connection: Connection, clock: Clock, line: Unopened) -> bool:
    """Keep one line for what came in and made no case, once per key; False when it was there."""
    row = insert(seen).values(
        key=line.key,
        kind=line.kind,
        state=line.state,
        rule=line.rule,
        reason=one_line(line.reason, _SUMMARY),
        case=line.case,
        sender=one_line(line.sender, _TITLE),
        subject=one_line(line.title, _TITLE),
        at=clock.now(),
    )
    return connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind"])).rowcount == 1


def open_cases_of(connection: Connection, client: str, kinds: Collection[Kind]) -> tuple[int, ...]:
    """The open cases of these kinds with this client, oldest first."""
    query = select(cases.c.number).where(
        cases.c.client == client, cases.c.kind.in_(tuple(kinds)), cases.c.closed_at.is_(None)
    )
    return tuple(connection.execute(query.order_by(cases.c.number)).scalars())


def _keep(connection: Connection, event: Event, *, rule: str, title: str, sender: str = "") -> bool:
    row = insert(seen).values(
        key=event.key,
        kind=event.kind,
        state="recorded",
        rule=rule,
        reason=event.summary,
        case=event.case,
        client=event.client,
        sender=one_line(sender, _TITLE),
        subject=one_line(title, _TITLE),
        event=to_json(event),
        at=event.at,
    )
    return connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind"])).rowcount == 1
