"""Holds: what speaks against chasing a client. Promises, disputes, absences, doubtful payments, the owner's stop."""

from collections.abc import Iterable
from dataclasses import replace
from datetime import date, datetime
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from memory.money.chases import Matter, withdraw
from memory.money.debts import calendar_of, country_of, debtors_now, invoice, name_of, today_of
from memory.record.dialect import insert
from memory.record.events import News, open_cases_of, tell
from memory.record.people import standing_of
from memory.record.schema import cases, debt_holds, debtors, seen
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, Hold, HoldKind, is_on, longest_hold, zone_of
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import ENGLISH
from workflows.rules.text.speech import say, weekday
from workflows.stories import kinds_that

LONGEST_SAYS = 300
MAIL = "mail:"
"""How the keys begin of what a client's mail said."""


def note_promise(connection: Connection, clock: Clock, matter: Matter, until: date) -> str:
    """They pay on `until`: nothing is chased before the business day after it.

    A newer promise takes the place of an older one. What a client promises holds for 45 days at most.
    """
    if not matter.by_owner:
        until = min(until, _longest(connection, clock, "promise", matter.client))
    claim = "you say they pay" if matter.by_owner else "they promised to pay"
    reason = f"{claim} by {until:%a} {until.day} {until:%b %Y}"
    sentence = speak_against(connection, clock, matter, Hold(kind="promise", until=until, says=reason), "promised")
    if not matter.by_owner:
        return sentence
    day, what = weekday(until, matter.language), owed_in(connection, matter)
    return say(matter.language, "done.promise_owner", day=day, what=what)


def note_dispute(connection: Connection, clock: Clock, matter: Matter, reason: str = "") -> str:
    """They contest it: nothing is chased until the owner says so."""
    words = f' ("{one_line(reason, 120)}")' if reason else ""
    hold = Hold(kind="dispute", says=f"it is disputed{words}")
    sentence = speak_against(connection, clock, matter, hold, "disputed")
    if not matter.by_owner:
        return sentence
    name = "dispute_words" if reason else "dispute_bare"
    return say(matter.language, f"done.{name}", words=one_line(reason, 120), what=owed_in(connection, matter))


def note_absence(connection: Connection, clock: Clock, matter: Matter, until: date) -> str:
    """They are away and back on `until`: nothing is chased before that day, 45 days at most."""
    if not matter.by_owner:
        until = min(until, _longest(connection, clock, "absence", matter.client))
    reason = f"they are away until {until:%a} {until.day} {until:%b %Y}"
    return speak_against(connection, clock, matter, Hold(kind="absence", until=until, says=reason), "stopped")


def _longest(connection: Connection, clock: Clock, kind: HoldKind, client: str) -> date:
    return longest_hold(kind, today_of(connection, clock, client), calendar_of(connection, client))


def stop_chasing(connection: Connection, clock: Clock, client: str, language: str = ENGLISH) -> str:
    """The owner wants no chasing of this client until they say otherwise."""
    now = clock.now()
    row = insert(debtors).values(client=client, stopped_at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["client"], set_={"stopped_at": now}))
    reason = "you said they are not to be chased"
    matter = Matter(key=f"stop-chasing:{now.isoformat()}", client=client)
    withdraw(connection, clock, matter, f"{reason}.", "stopped")
    return say(language, "done.not_chased", name=name_of(connection, client))


def resume_chasing(connection: Connection, clock: Clock, client: str, language: str = ENGLISH) -> str:
    """They are chased again: the stop, disputes, promises, absences and doubtful payments of this client are over."""
    connection.execute(update(debtors).where(debtors.c.client == client).values(stopped_at=None))
    over: tuple[HoldKind, ...] = ("promise", "dispute", "absence", "evidence", "wish", "mail", "complaint")
    end_holds(connection, clock, client, (), over)
    chased = say(language, "done.chased", name=name_of(connection, client))
    remaining = (say(language, "done.chased_until", reason=hold.says) for hold in holds_of(connection, client))
    return " ".join([chased, *remaining])


def hold_chasing(connection: Connection, clock: Clock, client: str, *, key: str, summary: str) -> None:
    """A complaint came: every open case of this client that it ends is over at once; nothing of it is sent."""
    for case in open_cases_of(connection, client, kinds_that(lambda story: story.ends_with_complaint)):
        tell(connection, clock, News(case=case, key=f"stopped:{key}:{case}", summary=summary, ends="stopped"))


def holds_of(connection: Connection, client: str) -> tuple[Hold, ...]:
    """Everything that speaks, or spoke, against chasing this client and was not ended by the owner or a payment."""
    standing = standing_of(connection, client)
    holds = []
    if standing.refuses("chase"):
        holds.append(Hold(kind="never", says="you said never to remind them"))
    if standing.paused:
        holds.append(Hold(kind="paused", says="you have paused them"))
    if standing.hold:
        holds.append(Hold(kind="complaint", says=f"there is {standing.hold}"))
    stopped = select(debtors.c.stopped_at).where(debtors.c.client == client)
    if connection.execute(stopped).scalar():
        holds.append(Hold(kind="stopped", says="you said they are not to be chased"))
    query = select(debt_holds).where(debt_holds.c.client == client, debt_holds.c.ended_at.is_(None))
    for row in connection.execute(query.order_by(debt_holds.c.id)):
        if row.kind == "mail" and not _waits(connection, row.key):
            continue  # it was answered, or the owner let it be
        until = date.fromisoformat(row.until) if row.until else None
        holds.append(Hold(kind=row.kind, number=row.number, until=until, says=row.says))
    return tuple(holds)


def _waits(connection: Connection, key: str) -> bool:
    """Whether the case that answers this mail is open still."""
    query = select(cases.c.number).join(seen, seen.c.case == cases.c.number)
    of_mail = (seen.c.key == key.removeprefix(MAIL)) & (seen.c.kind == "mail") & cases.c.closed_at.is_(None)
    return connection.execute(query.where(of_mail)).first() is not None


def not_chased(connection: Connection, now: datetime, zone: str) -> tuple[tuple[str, Hold], ...]:
    """Who owes and is not chased now, and why: (client, hold). `zone`: the owner's, for clients without a country."""
    holds: list[tuple[str, Hold]] = []
    for client in debtors_now(connection):
        country = country_of(connection, client)
        calendar, today = BusinessDays(country=country), now.astimezone(ZoneInfo(zone_of(country, zone))).date()
        holds += [(client, hold) for hold in holds_of(connection, client) if is_on(hold, today, calendar)]
    return tuple(holds)


def speak_against(connection: Connection, clock: Clock, matter: Matter, hold: Hold, ends: str) -> str:
    """Keep a hold once per key, and take what it is about from the waiting case."""
    numbers = tuple(debt.number for number in matter.numbers if (debt := invoice(connection, number)))
    subject = f"invoice {', '.join(numbers)}" if numbers else f"what {name_of(connection, matter.client)} owes"
    sentence = f"{hold.says[0].upper()}{hold.says[1:]}: {subject} is not chased meanwhile."
    matter = replace(matter, numbers=numbers)
    if hold_once(connection, clock, matter, hold):
        withdraw(connection, clock, replace(matter, key=f"{hold.kind}:{matter.key}"), sentence, ends)
    return sentence


def owed_in(connection: Connection, matter: Matter) -> str:
    """What a matter is about, in its owner's language: its invoices, or all that the client owes."""
    numbers = [debt.number for number in matter.numbers if (debt := invoice(connection, number))]
    if numbers:
        return say(matter.language, "done.what_invoice", numbers=", ".join(numbers))
    return say(matter.language, "done.what_owed", name=name_of(connection, matter.client))


def hold_once(connection: Connection, clock: Clock, matter: Matter, hold: Hold) -> bool:
    """Keep it, once per key; False when it was there. A newer one of its kind takes the place of an older one."""
    query = select(debt_holds.c.id).where(debt_holds.c.key == matter.key, debt_holds.c.kind == hold.kind)
    if connection.execute(query).first():
        return False
    end_holds(connection, clock, matter.client, matter.numbers, (hold.kind,))
    for number in matter.numbers or ("",):
        row = insert(debt_holds).values(
            key=matter.key, client=matter.client, number=number, kind=hold.kind,
            until=hold.until.isoformat() if hold.until else None, says=one_line(hold.says, LONGEST_SAYS),
            by_owner=int(matter.by_owner), at=clock.now(),
        )  # fmt: skip
        connection.execute(row)
    return True


def end_holds(
    connection: Connection, clock: Clock, client: str, numbers: tuple[str, ...], kinds: Iterable[HoldKind]
) -> None:
    """End the holds of these kinds on these invoices; () ends those on all of the client's."""
    of_kinds = (debt_holds.c.client == client) & debt_holds.c.kind.in_(tuple(kinds)) & debt_holds.c.ended_at.is_(None)
    if numbers:
        of_kinds &= debt_holds.c.number.in_(numbers)
    connection.execute(update(debt_holds).where(of_kinds).values(ended_at=clock.now()))
