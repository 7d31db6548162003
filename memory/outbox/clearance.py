"""Clearance: whether a mail to a client may leave now. Its yes, what took it back, stops, doubts, caps, quiet hours."""

import json
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select, update

from memory.cases.decided import says_yes
from memory.outbox import last_look
from memory.outbox.entries import Entry, Held, SendLimits
from memory.record.meta import read_meta
from memory.record.schema import answers, cases, clients, from_json, outbox, seen, versions
from workflows.errors import NeedsOwner
from workflows.models.decisions import Answer, Attach, Edit, Later, Mine, Never, Reject, Revise, Unclear, Without
from workflows.models.drafts import Outgoing

HOUR, DAY = timedelta(hours=1), timedelta(days=1)
A_MOMENT = timedelta(seconds=1)


def held_back(connection: Connection, entry: Entry, limits: SendLimits, now: datetime, change: str = "") -> Held | None:
    """Why a mail to a client may not go now, the most serious reason first. `change`: of a file that goes with it."""
    approved = _approval(connection, entry)
    if isinstance(approved, Held):
        return approved
    return (
        _withdrawn(connection, entry, approved)
        or _stopped(connection, entry)
        or _overtaken(connection, entry, now)
        or _doubted(connection, entry, approved, now, change)
        or _in_grace(approved, limits, now)
        or _capped(connection, entry, limits, now)
        or _quiet(limits, now)
    )


@dataclass(frozen=True, slots=True)
class _Yes:
    key: str
    at: datetime
    outgoing: Outgoing
    made_at: datetime


def _approval(connection: Connection, entry: Entry) -> _Yes | Held:
    """The owner's latest yes to exactly this text, or why there is none."""
    name = f"{entry.case}.{entry.version}"
    query = select(versions).where(versions.c.case == entry.case, versions.c.version == entry.version)
    version = connection.execute(query).first()
    if version is None or version.state != "approved":
        return Held(reason=f"Version {name} is {version.state if version else 'unknown'}, not approved.")
    if version.hash != entry.hash:
        return Held(reason=f"The text of version {name} is not the one that was to be sent.")
    outgoing = from_json(Outgoing, version.outgoing)
    yeses = [
        _Yes(row.key, row.at, outgoing, version.at)
        for row in connection.execute(select(answers).where(answers.c.case == entry.case))
        if says_yes(connection, from_json(Answer, row.answer), version)
    ]
    if not yeses:
        return Held(reason=f"There is no yes of yours on record for the text of version {name}.")
    return max(yeses, key=lambda yes: yes.at)


def _withdrawn(connection: Connection, entry: Entry, yes: _Yes) -> Held | None:
    """A no wins: any that is later than the yes, and any that its case has not yet heard."""
    query = select(answers).where(answers.c.case == entry.case, answers.c.key != yes.key)
    for row in connection.execute(query):
        if (row.state == "recorded" or row.at >= yes.at) and _takes_back(from_json(Answer, row.answer), entry):
            return Held(reason="A later answer of yours came before it left, so the earlier yes does not count.")
    return None


def _takes_back(answer: Answer, entry: Entry) -> bool:
    match answer.decision:
        case Reject() | Mine() | Never() | Later() | Unclear():
            return True
        case Edit() | Revise() | Attach() | Without():
            # About an older version it is stale: its case says so and goes on.
            return answer.version >= entry.version
        case _:
            return False


def _stopped(connection: Connection, entry: Entry) -> Held | None:
    if read_meta(connection, "stopped"):
        return Held(reason="Everything is stopped; 'resume' lets it go.")
    of_case = select(cases.c.client).where(cases.c.number == entry.case).scalar_subquery()
    of_client = clients.c.id == (entry.client or of_case)
    query = select(clients.c.name, clients.c.paused_at).where(of_client)
    client = connection.execute(query).first()
    if client is not None and client.paused_at:
        return Held(reason=f"You paused {client.name}; 'resume {client.name}' lets it go.")
    return None


def _overtaken(connection: Connection, entry: Entry, now: datetime) -> Held | None:
    """A mail of this conversation is recorded and its case has not heard of it yet: what was approved may be stale."""
    news = (seen.c.case == entry.case) & (seen.c.state == "recorded") & seen.c.kind.in_(("mail", "sent"))
    for_case = seen.c.rule.not_in(("answer", "order", "hint"))
    if connection.execute(select(seen.c.id).where(news, for_case, seen.c.event != "").limit(1)).first() is None:
        return None
    return Held(reason="A newer mail in this conversation is being taken up first.", until=now + A_MOMENT)


def _doubted(connection: Connection, entry: Entry, yes: _Yes, now: datetime, change: str) -> Held | None:
    """What memory/outbox/last_look.py finds; a doubt that the owner has answered with one more yes is none."""
    of_case = connection.execute(select(cases.c.client).where(cases.c.number == entry.case)).scalar()
    going = last_look.Going(
        intent=entry.intent,
        case=entry.case,
        client=entry.client or of_case or "",
        outgoing=yes.outgoing,
        made_at=yes.made_at,
        doubted_at=entry.held_at,
        change=change,
    )
    answered = set(entry.held.split()) if entry.held_at and yes.at > entry.held_at else set[str]()
    doubts = last_look.doubts(connection, going, now)
    doubt = next((candidate for candidate in doubts if not candidate.rule or candidate.rule not in answered), None)
    return None if doubt is None else Held(reason=doubt.reason, until=doubt.until, rule=doubt.rule)


def keep_doubt(connection: Connection, entry: Entry, held: Held, now: datetime) -> None:
    """Only a yes given after the doubt was raised can end it."""
    if held.rule and held.rule not in entry.held.split():
        rules = f"{entry.held} {held.rule}".strip()
        connection.execute(update(outbox).where(outbox.c.intent == entry.intent).values(held=rules, held_at=now))


def _in_grace(yes: _Yes, limits: SendLimits, now: datetime) -> Held | None:
    over = yes.at + limits.grace
    # A yes from a clock that runs ahead measures nothing here; its case has waited out the grace by its own clock.
    waits = yes.at <= now < over
    return Held(reason="A no still wins for a moment after the yes.", until=over) if waits else None


def _capped(connection: Connection, entry: Entry, limits: SendLimits, now: datetime) -> Held | None:
    query = select(outbox.c.claimed_at, outbox.c.recipients).where(
        outbox.c.purpose == "client", outbox.c.claimed_at >= now - DAY, outbox.c.intent != entry.intent
    )
    recent = [(row.claimed_at, json.loads(row.recipients)) for row in connection.execute(query)]
    times = [at for at, _ in recent if at >= now - HOUR]
    if free := _free_at(times, limits.per_hour, HOUR):
        return Held(reason=f"{limits.per_hour} mails an hour is the limit (limits.per_hour).", until=free)
    for recipient in entry.recipients:
        times = [at for at, recipients in recent if recipient in recipients]
        if free := _free_at(times, limits.per_recipient_per_day, DAY):
            reason = f"{recipient} had {limits.per_recipient_per_day} mails in a day (limits.per_recipient_per_day)."
            return Held(reason=reason, until=free)
    return None


def _free_at(times: list[datetime], cap: int, window: timedelta) -> datetime | None:
    """When there is room again for one more; None: now."""
    if len(times) < cap:
        return None
    return sorted(times)[len(times) - cap] + window + A_MOMENT


def _quiet(limits: SendLimits, now: datetime) -> Held | None:
    if not limits.quiet_hours:
        return None
    begin, end = _hours(limits.quiet_hours)
    local = now.astimezone(ZoneInfo(limits.timezone))
    at = local.time()
    quiet = begin <= at < end if begin < end else (at >= begin or at < end)
    if not quiet:
        return None
    over = local.replace(hour=end.hour, minute=end.minute, second=0, microsecond=0)
    over = over if over > local else over + DAY
    return Held(reason=f"It is quiet time ({limits.quiet_hours}, limits.quiet_hours).", until=over)


def _hours(text: str) -> tuple[time, time]:
    try:
        begin, end = (time.fromisoformat(part.strip()) for part in text.split("-"))
    except ValueError:
        begin = end = time()
    if begin == end:
        raise NeedsOwner(
            f'limits.quiet_hours is "{text}", which is no span of hours.',
            'Write it like "20:00-07:00", or leave it "".',
        ) from None
    return begin, end
