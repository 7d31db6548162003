"""What the reading commands show, from the ledger alone: plain dicts that are also the JSON.

Times are ISO-8601 with zone. Nothing here writes, and nothing needs a running service.
"""

from collections.abc import Iterable, Mapping
from datetime import datetime
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, Select, desc, func, select

from memory.cases.story import AnswerLine, CallLine, SendLine, StoryBook, VersionLine, send_line
from memory.desk.digests import waiting_now
from memory.desk.orders import OWN_RULES
from memory.money.holds import not_chased
from memory.post.mails import SeenMail
from memory.record import schema
from memory.record.meta import read_meta
from memory.record.people import read_client
from memory.record.schema import from_json, open_engine, reading
from workflows.errors import NeedsOwner, Permanent
from workflows.models.case import CaseState
from workflows.models.drafts import Outgoing
from workflows.models.mail import Address
from workflows.ports import Clock
from workflows.rules.asking.approval import score_lines
from workflows.rules.asking.proposed import proposal_lines

LEDGER = "ledger.sqlite"
LATELY = 5
"""How many of the last ignored or quarantined mails `status` names."""

Facts = dict[str, Any]


def open_ledger(home: Path) -> Engine:
    """The ledger of this home.

    Raises:
        NeedsOwner: there is none yet, or it was written by a newer Deskhand.
    """
    path = home / LEDGER
    if not path.exists():
        first = (
            "Start ./deskhand up" if (home / "deskhand.toml").exists() else "Run ./deskhand init, then ./deskhand up"
        )
        raise NeedsOwner(f"There is no ledger yet in {home}.", f"{first}, or give another home with --home DIR.")
    return open_engine(path)


# ---------------------------------------------------------------- status


def status(engine: Engine, zone: ZoneInfo, clock: Clock) -> Facts:
    """What is under way, what waits, what is unwell, and what was ignored and why."""
    with reading(engine) as connection:
        rows = connection.execute(_case_rows().where(_OPEN))
        states = [(row, from_json(CaseState, row.state)) for row in rows]
        open_cases = [_case_line(row, state, zone) for row, state in states]
        waits = waiting_now(connection, (state for row, state in states if row.stage == "waiting"))
        shown_cases = {wait.state.case for wait in waits if wait.is_shown}
        return {
            "waiting": [line for line in open_cases if line["case"] in shown_cases],
            "unshown": [
                line for line in open_cases if line["case"] in {wait.state.case for wait in waits} - shown_cases
            ],
            "later": [line for line in open_cases if line["stage"] == "waiting" and line["later_until"]],
            "working": [line for line in open_cases if line["stage"] in {"new", "drafted", "approved", "sending"}],
            "placed": [line for line in open_cases if line["stage"] == "placed"],
            "needs_you": [line for line in open_cases if line["stage"] == "needs_owner"],
            "undelivered": _count(connection, select(schema.seen.c.id).where(schema.seen.c.state == "recorded")),
            "held": _held(connection, {state.case: state.held_until for _, state in states}, zone),
            "unsettled": _outbox(connection, ("uncertain",), zone),
            "failed": _outbox(connection, ("failed",), zone)[-LATELY:],
            "ignored": _skipped(connection, "ignored", zone),
            "quarantined": _skipped(connection, "quarantined", zone),
            "stopped": _stopped(connection),
            "held_clients": [
                {"client": row.name, "reason": row.hold}
                for row in connection.execute(select(schema.clients).where(schema.clients.c.hold != ""))
            ],
            "not_chased": _not_chased(connection, zone, clock.now()),
            "paused": _paused(connection, zone),
            "away_until": read_meta(connection, "away_until") or "",
        }


def _not_chased(connection: Connection, zone: ZoneInfo, now: datetime) -> list[Facts]:
    """Who owes and is not reminded of it, and why; what is paused or on hold altogether is said elsewhere."""
    lines = []
    for client, hold in not_chased(connection, now, zone.key):
        if hold.kind in {"promise", "dispute", "absence", "evidence", "wish", "mail", "stopped"}:
            person = read_client(connection, client)
            until = hold.until.isoformat() if hold.until else ""
            name = person.name if person else ""
            lines.append({"client": name, "invoice": hold.number, "reason": hold.says, "until": until})
    return lines


_OPEN = schema.cases.c.closed_at.is_(None)


def _count(connection: Connection, query: Select[Any]) -> int:
    return connection.execute(select(func.count()).select_from(query.subquery())).scalar_one()


def _stopped(connection: Connection) -> str:
    """Since when or why everything is stopped, "" when it is not."""
    return read_meta(connection, "stopped") or ""


def _paused(connection: Connection, zone: ZoneInfo) -> list[Facts]:
    """The clients the owner paused, and how many of their mails wait for `resume`."""
    clients, arrivals = schema.clients.c, schema.seen.c
    waiting = select(func.count()).where(
        arrivals.client == clients.id, arrivals.state == "ignored", arrivals.rule == "paused"
    )
    query = select(clients.name, clients.paused_at, waiting.scalar_subquery().label("mails"))
    rows = connection.execute(query.where(clients.paused_at.is_not(None)).order_by(clients.name))
    return [{"client": row.name, "since": _at(row.paused_at, zone), "mails": row.mails} for row in rows]


def ignored(engine: Engine, zone: ZoneInfo, limit: int) -> list[Facts]:
    """Other people's mails that were skipped or set aside, and why, newest first; `number` is for `rescue`."""
    arrivals = schema.seen.c
    set_aside = (
        arrivals.kind.in_(("mail", "lead"))
        & arrivals.state.in_(("ignored", "quarantined"))
        & arrivals.rule.not_in(OWN_RULES)
    )
    query = select(schema.seen).where(set_aside).order_by(desc(arrivals.id)).limit(limit)
    with reading(engine) as connection:
        return [
            {
                "number": row["id"],
                "at": _at(row["at"], zone),
                **{key: row[key] for key in ("state", "rule", "sender", "subject", "reason")},
            }
            for row in connection.execute(query).mappings()
        ]


def _skipped(connection: Connection, state: str, zone: ZoneInfo) -> Facts:
    arrivals = schema.seen.c
    counts = connection.execute(
        select(arrivals.rule, func.count())
        .where(arrivals.state == state)
        .group_by(arrivals.rule)
        .order_by(desc(func.count()))
    )
    rules: dict[str, int] = {row[0]: row[1] for row in counts}
    last = connection.execute(
        # The owner's own mail and Deskhand's are counted, and would only hide the others.
        select(schema.seen)
        .where(arrivals.state == state, arrivals.rule != "own-mail")
        .order_by(desc(arrivals.id))
        .limit(LATELY)
    ).mappings()
    newest = [
        {"at": _at(row["at"], zone), **{key: row[key] for key in ("rule", "sender", "subject", "reason")}}
        for row in last
    ]
    return {"total": sum(rules.values()), "by_rule": rules, "last": newest}


def _held(connection: Connection, until: Mapping[int, datetime | None], zone: ZoneInfo) -> list[Facts]:
    """What is approved and has not left: why, and when it is looked at again."""
    lines = _outbox(connection, ("approved", "claimed", "committing"), zone)
    return [{**line, "until": _at(until.get(line["case"]), zone)} for line in lines]


def _outbox(connection: Connection, states: Iterable[str], zone: ZoneInfo) -> list[Facts]:
    outbox = schema.outbox
    rows = connection.execute(select(outbox).where(outbox.c.state.in_(list(states))).order_by(outbox.c.id))
    return [_sent(send_line(row), row.case, zone) for row in rows]


# ---------------------------------------------------------------- cases


def cases(engine: Engine, zone: ZoneInfo, limit: int, *, only_open: bool = False) -> list[Facts]:
    """The cases, newest first; `only_open`: the newest of those that are not closed, however old they are."""
    chosen = _case_rows().where(_OPEN) if only_open else _case_rows()
    with reading(engine) as connection:
        rows = connection.execute(chosen.order_by(desc(schema.cases.c.number)).limit(limit))
        return [_case_line(row, from_json(CaseState, row.state), zone) for row in rows]


def _case_rows() -> Select[Any]:
    name = select(schema.clients.c.name).where(schema.clients.c.id == schema.cases.c.client).scalar_subquery()
    return select(schema.cases, name.label("client_name"))


def _case_line(row: Any, state: CaseState, zone: ZoneInfo) -> Facts:
    """`row`: a CaseRow, or a row of `_case_rows`, which names its columns alike."""
    return {
        "case": row.number,
        "kind": row.kind,
        "client": row.client_name or row.client,
        "title": row.title,
        "stage": row.stage,
        "version": state.version,
        "outcome": state.outcome,
        "reason": state.reason or state.hold,
        "opened_at": _at(row.opened_at, zone),
        "updated_at": _at(row.updated_at, zone),
        "closed_at": _at(row.closed_at, zone),
        "expires_at": _at(state.expires_at, zone),
        "later_until": _at(state.later_until, zone),
    }


# ---------------------------------------------------------------- one case


def case(engine: Engine, zone: ZoneInfo, clock: Clock, number: int) -> Facts:
    """One case's whole story.

    Raises:
        NeedsOwner: there is no such case.
    """
    try:
        story = StoryBook(engine, clock).story(number)
    except Permanent:
        with reading(engine) as connection:
            raise _no_case(connection, number) from None
    return {
        **_case_line(story.row, story.state, zone),
        "mails": [_mail(event, story.texts, zone) for event in story.events],
        "sources": [{"id": source.id, "kind": source.kind, "quote": source.quote} for source in story.sources],
        "facts": [{"id": fact.id, "kind": fact.kind, "quote": fact.quote} for fact in story.facts],
        "score": list(score_lines(story.score)) if story.score else [],
        "versions": [_version(line, zone) for line in story.versions],
        "answers": [_answer(line, zone) for line in story.answers],
        "sends": [_sent(line, number, zone) for line in story.sends],
        "calls": [_call(line, zone) for line in story.calls],
        "notes": [{"at": _at(line.at, zone), "what": line.what} for line in story.notes],
    }


def require(engine: Engine, number: int, version: int) -> None:
    """Raises NeedsOwner when there is no such case, or no such version of it (0: any)."""
    versions = schema.versions.c
    with reading(engine) as connection:
        if not connection.execute(select(schema.cases.c.number).where(schema.cases.c.number == number)).first():
            raise _no_case(connection, number)
        numbers = connection.execute(select(versions.version).where(versions.case == number)).scalars().all()
    if version and version not in numbers:
        latest = f"The latest is {number}.{max(numbers)}." if numbers else "It has no draft."
        raise NeedsOwner(f"Case {number} has no version {version}.", latest)


def _no_case(connection: Connection, number: int) -> NeedsOwner:
    last = connection.execute(select(func.max(schema.cases.c.number))).scalar()
    latest = f"The last one is {last}." if last else "There are none yet."
    return NeedsOwner(f"There is no case {number}.", f"{latest} ./deskhand cases lists them.")


def current(engine: Engine, clock: Clock, number: int) -> tuple[int, str, str]:
    """The version of a case that waits for an answer: its number, its hash and the text it shows.

    Raises:
        NeedsOwner: there is no such case, or nothing of it waits for an answer.
    """
    versions = schema.versions.c
    with reading(engine) as connection:
        row = connection.execute(
            select(schema.versions)
            .where(versions.case == number, versions.state == "current")
            .order_by(desc(versions.version))
        ).first()
    if row is None:
        stage = case(engine, ZoneInfo("UTC"), clock, number)["stage"]
        raise NeedsOwner(
            f"Case {number} has no draft that waits for an answer (it is {stage.replace('_', ' ')}).",
            f"./deskhand case {number} shows its story.",
        )
    outgoing = from_json(Outgoing, row.outgoing)
    return row.version, row.hash, f"{_head(outgoing)}\n\n{outgoing.body}"


def _head(outgoing: Outgoing) -> str:
    lines = [f"To: {_people(outgoing.to)}"]
    lines += [f"Cc: {_people(outgoing.cc)}"] if outgoing.cc else []
    lines += [f"Attached: {item.name} ({item.size} bytes, {item.sha256[:12]})" for item in outgoing.attachments]
    lines += proposal_lines(outgoing.proposals)
    return "\n".join((*lines, f"Subject: {outgoing.subject}"))


def _people(addresses: Iterable[Address]) -> str:
    return ", ".join(f"{address.name} <{address.email}>" if address.name else address.email for address in addresses)


def _mail(event: SeenMail, texts: Mapping[str, str], zone: ZoneInfo) -> Facts:
    return {
        "at": _at(event.at, zone),
        "kind": event.kind,
        "sender": event.sender,
        "subject": event.subject,
        "rule": event.rule,
        "reason": event.reason,
        "text": texts.get(event.key, ""),
    }


def _version(line: VersionLine, zone: ZoneInfo) -> Facts:
    return {
        "version": line.version,
        "state": line.state,
        "by": line.by,
        "at": _at(line.at, zone),
        "hash": line.hash,
        "to": _people(line.outgoing.to),
        "subject": line.outgoing.subject,
        "body": line.outgoing.body,
        "changed": line.changed,
        "gist": line.draft.gist,
        "why": list(line.draft.why),
        "sources": list(line.draft.sources),
        "model": line.draft.model,
        "cost": line.draft.cost,
    }


def _answer(line: AnswerLine, zone: ZoneInfo) -> Facts:
    return {
        "at": _at(line.at, zone),
        "version": line.answer.version,
        "decision": line.answer.decision.kind,
        "via": line.answer.via,
        "words": line.answer.words,
        "state": line.state,
        "result": line.result,
    }


def _sent(line: SendLine, case: int, zone: ZoneInfo) -> Facts:
    return {
        "intent": line.intent,
        "purpose": line.purpose,
        "case": case,
        "version": line.version,
        "to": list(line.recipients),
        "state": line.state,
        "message_id": line.message_id,
        "detail": line.detail,
        "at": _at(line.sent_at or line.claimed_at or line.at, zone),
    }


def _call(line: CallLine, zone: ZoneInfo) -> Facts:
    fields = ("version", "step", "ordinal", "model", "state", "input_tokens", "output_tokens", "cost")
    return {"at": _at(line.at, zone), **{key: getattr(line, key) for key in fields}}


def _at(moment: datetime | None, zone: ZoneInfo) -> str:
    return moment.astimezone(zone).isoformat(timespec="seconds") if moment else ""
