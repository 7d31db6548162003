"""Holds: what speaks against chasing a client. Promises, disputes, absences, doubtful payments, the owner's stop."""

from collections.abc import Iterable, Sequence
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from memory.money.chases import withdraw
from memory.money.debts import calendar_of, country_of, debtors_now, invoice, name_of, today_of
from memory.record.dialect import insert
from memory.record.events import open_cases_of, tell
from memory.record.people import standing_of
from memory.record.schema import cases, debt_holds, debtors, seen
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, Hold, HoldKind, is_on, longest_hold, zone_of
from workflows.rules.text.canonical import one_line

LONGEST_SAYS = 300
MAIL = "mail:"
"""How the keys begin of what a client's mail said."""


def note_promise(  # noqa: PLR0913 - what a promise is
    connection: Connection,
    clock: Clock,
    *,
    key: str,
    client: str,
    until: date,
    numbers: Sequence[str] = (),
    by_owner: bool,
) -> str:
    """They pay on `until`: nothing is chased before the business day after it. `numbers` (): all that they owe.

    A newer promise takes the place of an older one. What a client promises holds for 45 days at most.
    """
    if not by_owner:
        until = min(
            until, longest_hold("promise", today_of(connection, clock, client), calendar_of(connection, client))
        )
    who = "you say they pay" if by_owner else "they promised to pay"
    what = f"{who} by {until:%a} {until.day} {until:%b %Y}"
    return speak_against(connection, clock, key, client, numbers, "promise", until, what, "promised", by_owner=by_owner)


def note_dispute(  # noqa: PLR0913 - what a dispute is
    connection: Connection,
    clock: Clock,
    *,
    key: str,
    client: str,
    reason: str = "",
    numbers: Sequence[str] = (),
    by_owner: bool,
) -> str:
    """They contest it: nothing is chased until the owner says so. `numbers` (): all that they owe."""
    words = f' ("{one_line(reason, 120)}")' if reason else ""
    what = f"it is disputed{words}"
    return speak_against(connection, clock, key, client, numbers, "dispute", None, what, "disputed", by_owner=by_owner)


def note_absence(  # noqa: PLR0913 - what an absence is
    connection: Connection, clock: Clock, *, key: str, client: str, until: date, by_owner: bool = False
) -> str:
    """They are away and back on `until`: nothing is chased before that day, 45 days at most."""
    if not by_owner:
        until = min(
            until, longest_hold("absence", today_of(connection, clock, client), calendar_of(connection, client))
        )
    what = f"they are away until {until:%a} {until.day} {until:%b %Y}"
    return speak_against(connection, clock, key, client, (), "absence", until, what, "stopped", by_owner=by_owner)


def stop_chasing(connection: Connection, clock: Clock, client: str) -> str:
    """The owner wants no chasing of this client until they say otherwise."""
    now = clock.now()
    row = insert(debtors).values(client=client, stopped_at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["client"], set_={"stopped_at": now}))
    what = "you said they are not to be chased"
    withdraw(connection, clock, client, (), f"stop-chasing:{now.isoformat()}", f"{what}.", "stopped")
    return f"{name_of(connection, client)} is not chased any more until you say 'chase {name_of(connection, client)}'."


def resume_chasing(connection: Connection, clock: Clock, client: str) -> str:
    """They are chased again: the stop, disputes, promises, absences and doubtful payments of this client are over."""
    connection.execute(update(debtors).where(debtors.c.client == client).values(stopped_at=None))
    over: tuple[HoldKind, ...] = ("promise", "dispute", "absence", "evidence", "wish", "mail", "complaint")
    end_holds(connection, clock, client, (), over)
    still = "".join(f" Until then: {hold.says}." for hold in holds_of(connection, client))
    return f"{name_of(connection, client)} is chased again when the next notice is due.{still}"


def hold_chasing(connection: Connection, clock: Clock, client: str, *, key: str, summary: str) -> None:
    """A complaint came: every open chase and update case of this client ends at once; nothing of it is sent."""
    for case in open_cases_of(connection, client, ("chase", "update")):
        tell(connection, clock, case=case, key=f"stopped:{key}:{case}", summary=summary, ends="stopped")


def holds_of(connection: Connection, client: str) -> tuple[Hold, ...]:
    """Everything that speaks, or spoke, against chasing this client and was not ended by the owner or a payment."""
    standing = standing_of(connection, client)
    found = []
    if standing.refuses("chase"):
        found.append(Hold(kind="never", says="you said never to remind them"))
    if standing.paused:
        found.append(Hold(kind="paused", says="you have paused them"))
    if standing.hold:
        found.append(Hold(kind="complaint", says=f"there is {standing.hold}"))
    stopped = select(debtors.c.stopped_at).where(debtors.c.client == client)
    if connection.execute(stopped).scalar():
        found.append(Hold(kind="stopped", says="you said they are not to be chased"))
    mine = select(debt_holds).where(debt_holds.c.client == client, debt_holds.c.ended_at.is_(None))
    for row in connection.execute(mine.order_by(debt_holds.c.id)):
        if row.kind == "mail" and not _waits(connection, row.key):
            continue  # it was answered, or the owner let it be
        until = date.fromisoformat(row.until) if row.until else None
        found.append(Hold(kind=row.kind, number=row.number, until=until, says=row.says))
    return tuple(found)


def _waits(connection: Connection, key: str) -> bool:
    """Whether the case that answers this mail is open still."""
    query = select(cases.c.number).join(seen, seen.c.case == cases.c.number)
    mine = (seen.c.key == key.removeprefix(MAIL)) & (seen.c.kind == "mail") & cases.c.closed_at.is_(None)
    return connection.execute(query.where(mine)).first() is not None


def not_chased(connection: Connection, now: datetime, zone: str) -> tuple[tuple[str, Hold], ...]:
    """Who owes and is not chased now, and why: (client, hold). `zone`: the owner's, for clients without a country."""
    found: list[tuple[str, Hold]] = []
    for client in debtors_now(connection):
        country = country_of(connection, client)
        calendar, today = BusinessDays(country=country), now.astimezone(ZoneInfo(zone_of(country, zone))).date()
        found += [(client, hold) for hold in holds_of(connection, client) if is_on(hold, today, calendar)]
    return tuple(found)


def speak_against(  # noqa: PLR0913, PLR0917 - what a hold is
    connection: Connection,
    clock: Clock,
    key: str,
    client: str,
    numbers: Sequence[str],
    kind: HoldKind,
    until: date | None,
    what: str,
    ends: str,
    *,
    by_owner: bool,
) -> str:
    """Keep a hold once per key, and take what it is about from the waiting case."""
    known = tuple(found.number for number in numbers if (found := invoice(connection, number)))
    about = f"invoice {', '.join(known)}" if known else f"what {name_of(connection, client)} owes"
    sentence = f"{what[0].upper()}{what[1:]}: {about} is not chased meanwhile."
    if hold_once(
        connection, clock, key=key, client=client, numbers=known, kind=kind, until=until, says=what, by_owner=by_owner
    ):
        withdraw(connection, clock, client, known, f"{kind}:{key}", sentence, ends)
    return sentence


def hold_once(  # noqa: PLR0913 - a row of the table
    connection: Connection,
    clock: Clock,
    *,
    key: str,
    client: str,
    numbers: Sequence[str],
    kind: HoldKind,
    until: date | None,
    says: str,
    by_owner: bool,
) -> bool:
    """Keep it, once per key; False when it was there. A newer one of its kind takes the place of an older one."""
    there = select(debt_holds.c.id).where(debt_holds.c.key == key, debt_holds.c.kind == kind)
    if connection.execute(there).first():
        return False
    end_holds(connection, clock, client, tuple(numbers), (kind,))
    for number in numbers or ("",):
        row = insert(debt_holds).values(
            key=key, client=client, number=number, kind=kind, until=until.isoformat() if until else None,
            says=one_line(says, LONGEST_SAYS), by_owner=int(by_owner), at=clock.now(),
        )  # fmt: skip
        connection.execute(row)
    return True


def end_holds(
    connection: Connection, clock: Clock, client: str, numbers: tuple[str, ...], kinds: Iterable[HoldKind]
) -> None:
    """End the holds of these kinds on these invoices; () ends those on all of the client's."""
    which = (debt_holds.c.client == client) & debt_holds.c.kind.in_(tuple(kinds)) & debt_holds.c.ended_at.is_(None)
    if numbers:
        which &= debt_holds.c.number.in_(numbers)
    connection.execute(update(debt_holds).where(which).values(ended_at=clock.now()))
