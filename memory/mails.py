"""What came in: each mail once, what was decided about it, and how far every folder has been read.

One transaction records a mail, resolves it to an open case or gives it a new case number, and keeps what the case will
need. So a crash leaves a mail either unseen, and it is read again, or recorded, and it is delivered again.
"""

import json
import secrets
from collections.abc import Callable, Iterable
from dataclasses import dataclass, replace
from datetime import UTC, datetime, timedelta
from email import message_from_bytes
from email.policy import default as modern
from typing import Any, Literal

from sqlalchemy import ColumnElement, Connection, Engine, Row, func, or_, select, update
from sqlalchemy.dialects.sqlite import insert

from memory import documents
from memory.blobs import Blobs
from memory.book import Book
from memory.bounces import keep_bounce
from memory.debts import hold_chasing
from memory.leads import Post, keep_posts
from memory.money_mail import Heard, hear
from memory.people import find_client, hold_proactive, mark_written_to, new_client, standing_of
from memory.placed import lies_in_drafts
from memory.schema import (
    cases,
    cursors,
    from_json,
    mails,
    meta,
    outbox,
    seen,
    threads,
    to_json,
)
from workflows.errors import Permanent
from workflows.models import (
    Answered,
    Asked,
    CaseState,
    Client,
    Cursor,
    Email,
    Event,
    FolderKind,
    Hinted,
    Ignore,
    Ordered,
    Owner,
    Posted,
    Route,
    Start,
    Surroundings,
    Tell,
)
from workflows.ports import Clock
from workflows.rules.canonical import body_hash, one_line
from workflows.rules.forms import as_written_by
from workflows.rules.holds import hold_reason
from workflows.rules.leads import unjudged
from workflows.rules.replying import new_part
from workflows.rules.sender import fails_dmarc

FIRST_DAY = timedelta(hours=24)
OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_REFERENCE_DOMAIN = "@deskhand.invalid>"
_MOST_PARENTS = 200
_MOST_RECIPIENTS = 20
_MOST_EARLIER = 12  # mails of a conversation, the nearest first, by whose words older text is known
_LEFT = ("committing", "sent", "uncertain")

SeenKind = Literal["mail", "sent"]
_BY_RULE: dict[type[Route], Literal["answer", "order", "hint"]] = {
    Answered: "answer",
    Ordered: "order",
    Hinted: "hint",
}
"""Events that no case hears as a mail: their rule in `seen` is their kind."""
_ALERT = "job-alert"
_IS_LEADS = (seen.c.kind == "lead") | (seen.c.rule == _ALERT)


@dataclass(frozen=True, slots=True, kw_only=True)
class Intake:
    """The settings that decide what becomes a case (`[intake]`)."""

    draft_for: Literal["people", "known", "none"] = "people"
    first_day: Literal["digest", "ask"] = "digest"
    ignore: tuple[str, ...] = ()
    alerts: bool = True  # alert mails of platforms become leads
    authserv_id: str = ""  # the owner's mail server, whose word on a sender counts; "": see rules/vouching.py


@dataclass(frozen=True, slots=True, kw_only=True)
class SeenMail:
    """One line of the account of what came in. `kind`: mail | sent; `state` as in the table `seen`."""

    id: int
    key: str
    kind: str
    state: str
    rule: str
    reason: str
    sender: str
    subject: str
    at: datetime
    case: int = 0
    client: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    email: Email
    kind: SeenKind
    at: datetime
    around: Surroundings
    client: Client | None = None
    case: int = 0


class Mails(Book):
    """Recording mail, and the cursors."""

    def __init__(self, engine: Engine, owner: Owner, clock: Clock, blobs: Blobs, intake: Intake) -> None:
        super().__init__(engine, clock)
        self._owner = owner
        self._blobs = blobs
        self._intake = intake

    def record_mail(
        self,
        email: Email,
        folder_kind: FolderKind,
        decide: Callable[[Email, Surroundings], Route],
        received_at: datetime,
    ) -> Event | None:
        """Record a mail once per (identity, folder kind), in one transaction with what it leads to.

        Gives the event to deliver, or None: seen before, or ignored (the rule and reason are kept). `decide` is pure.
        """
        kind: SeenKind = "sent" if folder_kind == "sent" else "mail"
        if kind == "mail":
            email = as_written_by(email, self._owner.addresses)
        with self._writing() as connection:
            if _is_seen(connection, email.identity, kind):
                return None
            around = self._surroundings(connection, email, folder_kind)
            route = decide(email, around)
            arrival = _Arrival(email=email, kind=kind, at=received_at, around=around, client=around.client)
            return self._file(connection, arrival, route)

    def surroundings(self, email: Email, folder_kind: FolderKind) -> Surroundings:
        """What the ledger knows around a mail now."""
        with self._writing() as connection:  # the first look sets the time of the first run
            return self._surroundings(connection, email, folder_kind)

    def start_over(self, event: Event) -> Event:
        """A new case for a mail that was told to a case which has ended meanwhile; the event to deliver instead.

        The owner's own mail starts nothing: for it the ended case's first event comes back, whose delivery is done.
        """
        with self._writing() as connection:
            if event.kind != "mail":
                state = connection.execute(select(cases.c.state).where(cases.c.number == event.case)).scalar_one()
                return replace(event, key=from_json(CaseState, state).event)
            row = connection.execute(select(seen).where(seen.c.key == event.key, seen.c.kind == "mail")).first()
            mail = connection.execute(select(mails).where(mails.c.identity == event.key)).first()
            if row is None or mail is None:
                raise Permanent(f"The mail of case {event.case} is not in the ledger.")
            if row.case != event.case:  # done before a crash
                return from_json(Event, row.event)
            return self._start_over(connection, event, from_json(Email, mail.email))

    def _start_over(self, connection: Connection, event: Event, email: Email) -> Event:
        around = self._surroundings(connection, email, "inbox")
        arrival = _Arrival(email=email, kind="mail", at=event.at, around=around, client=around.client)
        route = Start(hold=event.hold, reason=f"case {event.case} had ended")
        number = self._open(connection, arrival, route)
        _keep_thread(connection, replace(arrival, case=number), route)
        after = replace(event, case=number)
        values = {"case": number, "event": to_json(after), "rule": "start", "reason": route.reason}
        connection.execute(update(seen).where(seen.c.key == event.key, seen.c.kind == "mail").values(**values))
        return after

    def _take_up(self, connection: Connection, row: Row[Any], email: Email, reason: str) -> int:
        """Make work of a mail that was skipped: told to the open case of its conversation, else a new one's first."""
        email = as_written_by(email, self._owner.addresses)
        around = self._surroundings(connection, email, "inbox")
        arrival = self._with_person(
            connection, _Arrival(email=email, kind="mail", at=row.at, around=around, client=around.client)
        )
        client = arrival.client.id if arrival.client else ""
        connection.execute(update(mails).where(mails.c.identity == email.identity).values(client=client))
        hold = hold_reason(email, around.earlier)
        route: Start | Tell = Start(hold=hold, reason=reason)
        if around.open_case:
            route = Tell(case=around.open_case, hold=hold, reason=reason)
        number = around.open_case or self._open(connection, arrival, Start(hold=hold))
        arrival = replace(arrival, case=number)
        _keep_thread(connection, arrival, route)
        _keep_document(connection, arrival, route)
        event = _event(arrival, route)
        connection.execute(
            update(seen)
            .where(seen.c.id == row.id)
            .values(state="recorded", rule="rescue", reason=reason, case=number, client=client, event=to_json(event))
        )
        return number

    # ------------------------------------------------------------ what surrounds a mail

    def _surroundings(self, connection: Connection, email: Email, folder_kind: FolderKind) -> Surroundings:
        client = self._whose(connection, email, folder_kind)
        return Surroundings(
            folder_kind=folder_kind,
            now=self._clock.now(),
            open_case=_open_case(connection, email, folder_kind, client),
            asked=self._asked(connection, email),
            ours=self._row_of_ours(connection, email) is not None,
            client=client,
            never=client is not None and standing_of(connection, client.id).never,
            paused=client is not None and standing_of(connection, client.id).paused,
            draft_for=self._intake.draft_for,
            first_day=self._is_first_day(connection),
            ignore=self._intake.ignore,
            alerts=self._intake.alerts,
            sent_headers=tuple(json.loads(_get_meta(connection, "sent_headers") or "[]")),
            earlier=self._earlier(connection, email),
        )

    def earlier(self, email: Email) -> tuple[str, ...]:
        """The texts of the mails that this one answers, as far as they are known."""
        with self._reading() as connection:
            return self._earlier(connection, email)

    def _earlier(self, connection: Connection, email: Email) -> tuple[str, ...]:
        parents = email.parents[:_MOST_EARLIER]
        if not parents:
            return ()
        known = select(mails.c.email).where(mails.c.message_id.in_(parents)).limit(2 * _MOST_EARLIER)
        texts = [from_json(Email, text).text for text in connection.execute(known).scalars()]
        ours = select(outbox.c.blob).where(outbox.c.purpose == "client", _has_id(parents)).limit(_MOST_EARLIER)
        texts += [self._text_of(blob) for blob in connection.execute(ours).scalars()]
        return tuple(dict.fromkeys(text for text in texts if text.strip()))

    def _whose(self, connection: Connection, email: Email, folder_kind: FolderKind) -> Client | None:
        if folder_kind == "inbox":
            return find_client(connection, email.sender.email)
        others = self._recipients(email)
        return find_client(connection, others[0]) if others else None

    def _recipients(self, email: Email) -> tuple[str, ...]:
        """To whom the owner wrote, themselves left out."""
        found = (address.email.lower() for address in email.to if "@" in address.email)
        return tuple(dict.fromkeys(email for email in found if email not in self._owner.addresses))

    def _asked(self, connection: Connection, email: Email) -> Asked | None:
        """The Deskhand mail this one answers: In-Reply-To first, then the nearest of References."""
        parents = email.parents[:_MOST_PARENTS]
        if not parents:
            return None
        asked = outbox.c.purpose.in_(("approval", "notice"))
        rows = connection.execute(select(outbox).where(asked, _has_id(parents)).order_by(outbox.c.id.desc())).all()
        for parent in parents:
            for row in rows:
                if parent in (row.message_id, row.server_id, row.reference):
                    return self._asked_by(row)
        return None

    def _asked_by(self, row: Row[Any]) -> Asked:
        return Asked(
            case=row.case,
            version=row.version,
            purpose=row.purpose,
            text=self._text_of(row.blob),
            sent_at=row.sent_at or row.claimed_at or row.at,
        )

    def _text_of(self, blob: str) -> str:
        # Our own message, composed once and kept: plain text, so the standard library reads it back exactly.
        if not blob:
            return ""
        message = message_from_bytes(self._blobs.get(blob), policy=modern)
        body = message.get_body(("plain",))
        return "" if body is None else str(body.get_content()).replace("\r\n", "\n")

    def _row_of_ours(self, connection: Connection, email: Email) -> Row[Any] | None:
        """The outbox row whose mail this is: by id, or, where a server rewrites ids, by body and recipients.

        Only a mail that names the owner as its writer: a client knows the ids of what was sent to them.
        """
        if email.sender.email.lower() not in self._owner.addresses:
            return None
        if email.message_id:
            same = or_(outbox.c.message_id == email.message_id, outbox.c.server_id == email.message_id)
            row = connection.execute(select(outbox).where(same)).first()
            if row is not None:
                return row
        body = outbox.c.body_hash == body_hash(email.text)
        rows = connection.execute(select(outbox).where(body, outbox.c.state.in_(_LEFT))).all()
        to = {address.email.lower() for address in (*email.to, *email.cc)}
        return next((row for row in rows if to >= {one.lower() for one in json.loads(row.recipients)}), None)

    # ------------------------------------------------------------ what is kept of it

    def _file(self, connection: Connection, arrival: _Arrival, route: Route) -> Event | None:
        if isinstance(route, Start | Tell):
            arrival = self._with_person(connection, arrival)
        number = self._open(connection, arrival, route) if isinstance(route, Start) else 0
        if isinstance(route, Tell | Answered | Hinted):
            number = route.case
        arrival = replace(arrival, case=number)
        self._note_what_the_owner_sent(connection, arrival, route)
        self._note_own_arrival(connection, arrival)
        _keep_mail(connection, arrival)
        _keep_thread(connection, arrival, route)
        _keep_document(connection, arrival, route)
        _hold_what_is_proactive(connection, self._clock, arrival, route)
        route = self._with_money(connection, arrival, route)
        if isinstance(route, Posted):
            route = self._with_leads(connection, route)
        if arrival.kind == "mail" and isinstance(route, Ignore):
            keep_bounce(connection, arrival.email, arrival.at)
        event = _event(arrival, route)
        if event is not None and event.kind == "sent":
            event = replace(event, from_drafts=lies_in_drafts(connection, event.case))
        _keep_seen(connection, arrival, route, event)
        return event

    def _with_money(self, connection: Connection, arrival: _Arrival, route: Route) -> Route:
        """Take in what the mail says of money; the route whose reason tells it."""
        if arrival.kind != "mail" or arrival.around.ours or arrival.email.form:
            return route
        heard = Heard(email=arrival.email, route=route, client=arrival.client)
        said = hear(connection, self._clock, self._owner, self._intake.authserv_id, heard)
        return replace(route, reason=f"{route.reason} {said}".strip()) if said else route

    def _with_leads(self, connection: Connection, route: Posted) -> Posted:
        """Account for the jobs of an alert mail; the route whose reason tells what became of them."""
        if not route.leads:
            return route
        verdicts = dict(zip((lead.id for lead in route.leads), route.verdicts, strict=False))
        posts = [Post(id=lead.id, title=lead.title, found=lead) for lead in route.leads]
        counts = keep_posts(
            connection, self._clock, route.leads[0].source, posts, lambda lead: verdicts.get(lead.id) or unjudged(lead)
        )
        return replace(route, reason=f"{route.reason} {counts}.".strip())

    def _with_person(self, connection: Connection, arrival: _Arrival) -> _Arrival:
        if arrival.kind == "sent" or arrival.client is not None:
            return arrival
        return replace(arrival, client=new_client(connection, arrival.email.sender, self._clock))

    def _open(self, connection: Connection, arrival: _Arrival, route: Start) -> int:
        """A new case number with its first state."""
        client = arrival.client.id if arrival.client else ""
        sender = arrival.email.sender
        subject = one_line(arrival.email.subject, 200) or "(no subject)"
        row = insert(cases).values(
            kind=route.kind,
            client=client,
            title=f"{one_line(sender.name, 80) or sender.email}: {subject}",
            stage="new",
            state="",
            opened_at=self._clock.now(),
            updated_at=self._clock.now(),
        )
        number: int = connection.execute(row.returning(cases.c.number)).scalar_one()
        state = CaseState(case=number, kind=route.kind, client=client, event=arrival.email.identity, hold=route.hold)
        connection.execute(update(cases).where(cases.c.number == number).values(state=to_json(state)))
        return number

    def _note_what_the_owner_sent(self, connection: Connection, arrival: _Arrival, route: Route) -> None:
        """Whom the owner writes to himself is known from then on; our own mail in Sent only lends its new id."""
        if arrival.kind != "sent" or isinstance(route, Answered):
            return
        if arrival.around.ours:
            row = self._row_of_ours(connection, arrival.email)
            if row is not None and row.purpose == "client":
                add_to_thread(connection, arrival.email.message_id, row.case)
            return
        if arrival.email.sender.email.lower() not in self._owner.addresses:
            return
        for address in arrival.email.to[:_MOST_RECIPIENTS]:
            if address.email.lower() in self._owner.addresses or "@" not in address.email:
                continue
            found = find_client(connection, address.email) or new_client(connection, address, self._clock)
            mark_written_to(connection, found.id)

    def _note_own_arrival(self, connection: Connection, arrival: _Arrival) -> None:
        """A mail of ours reached the owner's inbox: the watch over our own mails need not look for it."""
        if arrival.kind != "mail" or not arrival.around.ours:
            return
        row = self._row_of_ours(connection, arrival.email)
        if row is None:
            return
        values: dict[str, Any] = {} if row.arrived_at else {"arrived_at": self._clock.now()}
        name = arrival.email.message_id
        if row.purpose != "client" and not row.server_id and name not in {"", row.message_id}:
            values["server_id"] = name  # the server gave it another one, and an answer may name that alone
        if values:
            connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))

    # ------------------------------------------------------------ delivering what was recorded

    def undelivered(self) -> tuple[Event, ...]:
        """Every recorded event that no case has taken yet, oldest first."""
        query = select(seen.c.event).where(seen.c.state == "recorded", seen.c.event != "").order_by(seen.c.id)
        with self._reading() as connection:
            return tuple(from_json(Event, text) for text in connection.execute(query).scalars())

    def mark_delivered(self, key: str, kind: str) -> None:
        """The event reached its case. `kind` is the event's: mail | sent | answer | order | hint."""
        which = seen.c.rule == kind if kind in _BY_RULE.values() else seen.c.kind == kind
        with self._writing() as connection:
            connection.execute(
                update(seen).where(seen.c.key == key, which, seen.c.state == "recorded").values(state="delivered")
            )

    def quarantine(self, blob: str, kind: str, reason: str, sender: str, subject: str) -> bool:
        """Set a mail aside that cannot be parsed; False when it was set aside before, so that it is told once."""
        row = insert(seen).values(
            key=f"blob:{blob}",
            kind="sent" if kind == "sent" else "mail",
            state="quarantined",
            rule="quarantine",
            reason=reason,
            sender=sender,
            subject=subject,
            at=self._clock.now(),
        )
        with self._writing() as connection:
            return connection.execute(row.on_conflict_do_nothing(index_elements=["key", "kind"])).rowcount == 1

    # ------------------------------------------------------------ the account of what came in

    def ignored(self, limit: int = 50) -> tuple[SeenMail, ...]:
        """What was skipped and why, newest first. The owner's own mail is not among it."""
        return self._seen(seen.c.state == "ignored", limit)

    def quarantined(self, limit: int = 50) -> tuple[SeenMail, ...]:
        """What could not be parsed, newest first."""
        return self._seen(seen.c.state == "quarantined", limit)

    def untold_quarantine(self) -> tuple[SeenMail, ...]:
        """Mails that were set aside and the owner does not know of yet, newest first."""
        return self._seen((seen.c.state == "quarantined") & (seen.c.told == 0) & ~_IS_LEADS, 50)

    def untold_leads_aside(self) -> tuple[SeenMail, ...]:
        """Posts and alert mails that were set aside and the owner does not know of yet, newest first."""
        return self._seen((seen.c.state == "quarantined") & (seen.c.told == 0) & _IS_LEADS, 2_000)

    def untold_first_day(self) -> tuple[SeenMail, ...]:
        """What the first day only tells and the owner does not know of yet, newest first."""
        return self._seen((seen.c.rule == "first-day") & (seen.c.told == 0), 200)

    def mark_told(self, ids: Iterable[int]) -> None:
        """The owner knows of these (`SeenMail.id`)."""
        with self._writing() as connection:
            connection.execute(update(seen).where(seen.c.id.in_(tuple(ids))).values(told=1))

    def _seen(self, which: ColumnElement[bool], limit: int) -> tuple[SeenMail, ...]:
        with self._reading() as connection:
            rows = connection.execute(select(seen).where(which).order_by(seen.c.id.desc()).limit(limit))
            return tuple(seen_mail(row) for row in rows)

    def ignored_by_rule(self) -> dict[str, int]:
        """How many mails each rule has skipped."""
        query = select(seen.c.rule, func.count()).where(seen.c.state == "ignored").group_by(seen.c.rule)
        with self._reading() as connection:
            return {row[0]: row[1] for row in connection.execute(query)}

    def email(self, identity: str) -> Email | None:
        """The parsed mail with that identity."""
        with self._reading() as connection:
            text = connection.execute(select(mails.c.email).where(mails.c.identity == identity)).scalar()
        return None if text is None else from_json(Email, text)

    # ------------------------------------------------------------ cursors and small facts

    def cursor(self, folder: str) -> Cursor | None:
        """How far the folder has been read; None before the first look."""
        with self._reading() as connection:
            row = connection.execute(select(cursors).where(cursors.c.folder == folder)).first()
        if row is None:
            return None
        return Cursor(folder=row.folder, uidvalidity=row.uidvalidity, last_uid=row.last_uid, last_date=row.last_date)

    def move_cursor(self, cursor: Cursor) -> None:
        """Everything at or below `last_uid` is in `seen`."""
        values = {"uidvalidity": cursor.uidvalidity, "last_uid": cursor.last_uid, "last_date": cursor.last_date}
        row = insert(cursors).values(folder=cursor.folder, **values)
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["folder"], set_=values))

    def first_run(self) -> datetime:
        """When this home first ran: set by the first call, the same ever after."""
        with self._writing() as connection:
            return self._first_run(connection)

    def _first_run(self, connection: Connection) -> datetime:
        now = self._clock.now().astimezone(UTC).isoformat()
        row = insert(meta).values(key="first_run", value=now)
        connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
        return datetime.fromisoformat(_get_meta(connection, "first_run") or now)

    def _is_first_day(self, connection: Connection) -> bool:
        if self._intake.first_day == "ask":
            return False
        return self._clock.now() < self._first_run(connection) + FIRST_DAY

    def home(self) -> str:
        """The random id of this home, by which an index copied from elsewhere is known."""
        row = insert(meta).values(key="home", value=secrets.token_hex(16))
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))
            return _get_meta(connection, "home") or ""

    def get_meta(self, key: str) -> str | None:
        with self._reading() as connection:
            return _get_meta(connection, key)

    def set_meta(self, key: str, value: str) -> None:
        row = insert(meta).values(key=key, value=value)
        with self._writing() as connection:
            connection.execute(row.on_conflict_do_update(index_elements=["key"], set_={"value": value}))


# ---------------------------------------------------------------- rows


def add_to_thread(connection: Connection, message_id: str, case: int) -> None:
    """The Message-ID belongs to the case's conversation, unless an open case has it already."""
    if not message_id or message_id.endswith(_REFERENCE_DOMAIN):
        return
    row = insert(threads).values(message_id=message_id, case=case)
    ended = select(cases.c.number).where(cases.c.closed_at.is_not(None)).scalar_subquery()
    # A stranger who names someone's Message-ID must not pull an open conversation over to his own case.
    connection.execute(
        row.on_conflict_do_update(index_elements=["message_id"], set_={"case": case}, where=threads.c.case.in_(ended))
    )


def seen_mail(row: Row[Any]) -> SeenMail:
    return SeenMail(
        id=row.id,
        key=row.key,
        kind=row.kind,
        state=row.state,
        rule=row.rule,
        reason=row.reason,
        sender=row.sender,
        subject=row.subject,
        at=row.at,
        case=row.case,
        client=row.client,
    )


def _get_meta(connection: Connection, key: str) -> str | None:
    return connection.execute(select(meta.c.value).where(meta.c.key == key)).scalar()


def _is_seen(connection: Connection, key: str, kind: SeenKind) -> bool:
    query = select(seen.c.id).where(seen.c.key == key, seen.c.kind == kind)
    return connection.execute(query).first() is not None


def _has_id(ids: tuple[str, ...]) -> ColumnElement[bool]:
    return or_(outbox.c.message_id.in_(ids), outbox.c.server_id.in_(ids), outbox.c.reference.in_(ids))


def _open_case(connection: Connection, email: Email, folder_kind: FolderKind, client: Client | None) -> int:
    """The open case of this conversation; the nearest parent decides.

    A mail under an id that its case knows already is one more copy of that mail, but only from whom the case is with:
    anybody may write any Message-ID.
    """
    ids = (*email.parents[:_MOST_PARENTS], email.message_id)
    query = (
        select(threads.c.message_id, threads.c.case, cases.c.client)
        .join(cases, cases.c.number == threads.c.case)
        .where(threads.c.message_id.in_(tuple(one for one in ids if one)), cases.c.closed_at.is_(None))
    )
    if folder_kind == "inbox":  # an answer to a bid, a chase or an update is a conversation of its own
        query = query.where(cases.c.kind == "reply")
    rows = connection.execute(query).all()
    whose = "" if client is None else client.id
    theirs = [row for row in rows if folder_kind == "sent" or row.client == whose]
    found = {row.message_id: row.case for row in rows if row in theirs or row.message_id in email.parents}
    return next((int(found[one]) for one in ids if one in found), 0)


def _keep_mail(connection: Connection, arrival: _Arrival) -> None:
    email = arrival.email
    row = insert(mails).values(
        identity=email.identity,
        blob=email.blob,
        message_id=email.message_id,
        client=arrival.client.id if arrival.client else "",
        at=arrival.at,
        email=to_json(email),
    )
    connection.execute(row.on_conflict_do_nothing(index_elements=["identity"]))


def _keep_thread(connection: Connection, arrival: _Arrival, route: Route) -> None:
    if isinstance(route, Start | Tell):
        add_to_thread(connection, arrival.email.message_id, arrival.case)
    if isinstance(route, Start):
        for parent in arrival.email.parents[:_MOST_PARENTS]:
            add_to_thread(connection, parent, arrival.case)


def _keep_document(connection: Connection, arrival: _Arrival, route: Route) -> None:
    """Memory is made of what is known to come from a client, and of what the owner wrote to one."""
    email, client = arrival.email, arrival.client
    if client is None or isinstance(route, Answered) or arrival.around.ours or arrival.around.asked is not None:
        return
    if arrival.kind == "mail" and (fails_dmarc(email) or email.form):  # a forger would write into their history
        return
    documents.keep(
        connection,
        documents.Document(
            id=document_id(email),
            client=client.id,
            case=arrival.case,
            kind="sent" if arrival.kind == "sent" else "received",
            subject=email.subject,
            text=new_part(email.text, arrival.around.earlier),
            at=_written_at(email, arrival.at),
        ),
    )


def _hold_what_is_proactive(connection: Connection, clock: Clock, arrival: _Arrival, route: Route) -> None:
    """Nothing cheerful goes to a client who complains; what the owner approves as an answer still does."""
    dispute = route.hold if isinstance(route, Start | Tell) and not arrival.email.form else ""
    if dispute and arrival.client is not None:
        hold_proactive(connection, arrival.client.id, dispute)
        hold_chasing(connection, clock, arrival.client.id, key=arrival.email.identity, summary=f"There is {dispute}.")


def document_id(email: Email) -> str:
    """What a Source calls this mail."""
    return source_id(email.identity)


def source_id(identity: str) -> str:
    """What a Source calls the mail with this identity."""
    return f"mail:{identity[:12]}"


def _written_at(email: Email, received_at: datetime) -> datetime:
    """The Date the sender states where it can be true, else when it came."""
    if email.date is None:
        return received_at
    stated = email.date if email.date.tzinfo else email.date.replace(tzinfo=UTC)
    return stated if OLDEST < stated <= received_at else received_at


def _event(arrival: _Arrival, route: Route) -> Event | None:
    if isinstance(route, Ignore | Posted):
        return None
    return Event(
        key=arrival.email.identity,
        kind=_BY_RULE.get(type(route), arrival.kind),
        at=arrival.at,
        client=arrival.client.id if arrival.client else "",
        case=arrival.case,
        summary=one_line(arrival.email.subject, 120),
        hold=route.hold if isinstance(route, Start | Tell) else "",
    )


def _keep_seen(connection: Connection, arrival: _Arrival, route: Route, event: Event | None) -> None:
    names = {Start: "start", Tell: "tell", Posted: _ALERT, **_BY_RULE}
    state = "ignored" if event is None else "recorded"
    if isinstance(route, Posted):  # its leads have rows of their own; nothing more is to be delivered
        state = "quarantined" if route.code else "delivered"
    connection.execute(
        insert(seen).values(
            key=arrival.email.identity,
            kind=arrival.kind,
            state=state,
            rule=route.rule if isinstance(route, Ignore) else names[type(route)],
            reason=route.reason,
            case=arrival.case,
            client=arrival.client.id if arrival.client else "",
            sender=arrival.email.sender.email,
            subject=one_line(arrival.email.subject, 200),
            event="" if event is None else to_json(event),
            at=arrival.at,
        )
    )
