"""What came in: each mail once, what was decided about it, and what it leads to.

One transaction records a mail, resolves it to an open case or gives it a new case number, and keeps what the case will
need. So a crash leaves a mail either unseen, and it is read again, or recorded, and it is delivered again.
"""

from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any, Literal

from sqlalchemy import Connection, Row, delete, select, update

from memory.leads.placed import lies_in_drafts
from memory.leads.posts import SourcePost, keep_posts
from memory.money.holds import hold_chasing
from memory.money.money_mail import Heard, hear
from memory.post.account import ALERT, SeenKind, SeenMail, SeenMails, seen_mail
from memory.post.around import FIRST_DAY, Around, Intake
from memory.post.bounces import keep_bounce
from memory.post.burning import burn
from memory.post.copies import BY_RULE, all_judged, first_of, give_again, keep_copy
from memory.post.threads import MOST_PARENTS, add_to_thread
from memory.record import documents
from memory.record.dialect import insert
from memory.record.openings import Opening, open_case
from memory.record.people import find_client, hold_proactive, mark_written_to, new_client
from memory.record.schema import cases, from_json, mails, outbox, seen, to_json
from memory.sent.recording import SentNote, client_wrote, sent_by_hand
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.mail import Email, FolderKind
from workflows.models.people import Client
from workflows.models.routes import Answered, Event, Hinted, Ignore, Ordered, Posted, Route, Start, Surroundings, Tell
from workflows.ports import Clock
from workflows.rules.leads.lead import unjudged
from workflows.rules.mail.authentication import fails_dmarc
from workflows.rules.mail.forms import as_written_by
from workflows.rules.mail.replying import new_part
from workflows.rules.reading import Reading, read
from workflows.rules.text.canonical import one_line
from workflows.rules.text.writers import addressee_of

__all__ = ["FIRST_DAY", "Intake", "Mails", "SeenKind", "SeenMail", "add_to_thread", "document_id", "seen_mail"]

OLDEST = datetime(1990, 1, 1, tzinfo=UTC)
_MOST_RECIPIENTS = 20

_BY_RULE: dict[type[Route], Literal["answer", "order", "hint"]] = {
    Answered: "answer",
    Ordered: "order",
    Hinted: "hint",
}
"""Events that no case hears as a mail: their rule in `seen` is their kind."""


@dataclass(frozen=True, slots=True, kw_only=True)
class _Arrival:
    reading: Reading
    kind: SeenKind
    at: datetime
    around: Surroundings
    client: Client | None = None
    case: int = 0

    @property
    def email(self) -> Email:
        return self.reading.email


class Mails(SeenMails, Around):
    """Recording mail, and giving what it leads to until it is taken."""

    def record_mail(
        self,
        email: Email,
        folder_kind: FolderKind,
        decide: Callable[[Reading, Surroundings], Route],
        received_at: datetime,
    ) -> Event | None:
        """Record a mail once per (identity, folder kind), in one transaction with what it leads to.

        Gives the event to deliver, or None: seen before, or ignored (the rule and reason are kept). `decide` is pure;
        it and the rules that read the mail run while nobody waits for the ledger.
        """
        kind: SeenKind = "sent" if folder_kind == "sent" else "mail"
        if kind == "mail":
            email = as_written_by(email, self._owner.addresses)
        decided: tuple[_Arrival, Route] | None = None
        while True:
            with self._writing() as connection:
                row = _seen_before(connection, email.identity, kind)
                if row is not None and not self._may_count(connection, email, row):
                    return self._one_more_copy(connection, email, kind, row.key) if row.rule in BY_RULE else None
                around = self._surroundings(connection, email, folder_kind)
                if decided is not None and replace(around, now=decided[0].around.now) == decided[0].around:
                    return self._keep_decided(connection, *decided, row)
            # Read with what is known now; once more when something came in while it was read.
            reading = self._read(email, around)
            arrival = _Arrival(reading=reading, kind=kind, at=received_at, around=around, client=around.client)
            decided = arrival, decide(reading, around)

    def _keep_decided(
        self, connection: Connection, arrival: _Arrival, route: Route, row: Row[Any] | None
    ) -> Event | None:
        if row is not None:
            return self._file_after_all(connection, arrival, route, row)
        email, kind = arrival.email, arrival.kind
        key = first_of(connection, email, kind, _BY_RULE[type(route)]) if type(route) in _BY_RULE else ""
        if not key:
            return self._file(connection, arrival, route)
        _keep_mail(connection, arrival)
        _keep_seen(connection, arrival, Ignore(rule="copy", reason=f"One more copy: {route.reason}"), None)
        return self._one_more_copy(connection, email, kind, key)

    def _read(self, email: Email, around: Surroundings) -> Reading:
        return read(email, self._owner, around, self._intake.authserv_id)

    def _may_count(self, connection: Connection, email: Email, row: Row[Any]) -> bool:
        """Whether a mail in Sent that was passed over may be an answer in this copy: each is judged by itself."""
        if row.kind != "sent" or row.state != "ignored" or row.rule == "copy":
            return False
        blob = connection.execute(select(mails.c.blob).where(mails.c.identity == email.identity)).scalar()
        return blob != email.blob and bool(email.parents or email.subject)

    def _file_after_all(self, connection: Connection, arrival: _Arrival, route: Route, row: Row[Any]) -> Event | None:
        if not isinstance(route, Answered | Ordered):
            return None
        connection.execute(delete(seen).where(seen.c.id == row.id))
        return self._file(connection, arrival, route)

    def _one_more_copy(self, connection: Connection, email: Email, kind: SeenKind, key: str) -> Event | None:
        """Beside the copies that are there; one in Sent is judged as they were."""
        is_new = keep_copy(connection, self._clock, email, kind, key)
        return give_again(connection, key) if is_new and kind == "sent" else None

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
        reading = Reading(email=email)
        arrival = _Arrival(reading=reading, kind="mail", at=event.at, around=around, client=around.client)
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
        reading = self._read(email, around)
        arrival = self._with_person(
            connection, _Arrival(reading=reading, kind="mail", at=row.at, around=around, client=around.client)
        )
        client = arrival.client.id if arrival.client else ""
        connection.execute(update(mails).where(mails.c.identity == email.identity).values(client=client))
        route: Start | Tell = Start(hold=reading.hold, reason=reason)
        if around.open_case:
            route = Tell(case=around.open_case, hold=reading.hold, reason=reason)
        number = around.open_case or self._open(connection, arrival, Start(hold=reading.hold))
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

    # ------------------------------------------------------------ what is kept of it

    def _file(self, connection: Connection, arrival: _Arrival, route: Route) -> Event | None:
        if isinstance(route, Start | Tell):
            arrival = self._with_person(connection, arrival)
        number = self._open(connection, arrival, route) if isinstance(route, Start) else 0
        if isinstance(route, Tell | Answered | Hinted):
            number = route.case
        arrival = replace(arrival, case=number)
        shown_anew = burn(connection, self._clock, self._owner, arrival.email, self._text_of)
        self._note_what_the_owner_sent(connection, arrival, route)
        arrival = self._with_recipient(connection, arrival, route)
        self._note_own_arrival(connection, arrival)
        _keep_mail(connection, arrival)
        if type(route) in _BY_RULE:
            keep_copy(connection, self._clock, arrival.email, arrival.kind, arrival.email.identity)
        _keep_thread(connection, arrival, route)
        _keep_document(connection, arrival, route)
        self._note_sent_words(connection, arrival, route)
        _hold_what_is_proactive(connection, self._clock, arrival, route)
        route = self._with_money(connection, arrival, route)
        if isinstance(route, Posted):
            route = self._with_leads(connection, route)
        if shown_anew and isinstance(route, Ignore):
            route = replace(route, reason=f"{route.reason} It names {', '.join(shown_anew)}, which you are shown anew.")
        if arrival.reading.report and isinstance(route, Ignore):
            keep_bounce(connection, arrival.email, arrival.reading.report, arrival.at)
        event = _event(arrival, route)
        if event is not None and event.kind == "sent":
            event = replace(event, from_drafts=lies_in_drafts(connection, event.case))
        _keep_seen(connection, arrival, route, event)
        return event

    def _with_money(self, connection: Connection, arrival: _Arrival, route: Route) -> Route:
        """Take in what the mail says of money; the route whose reason tells it."""
        if arrival.kind != "mail" or arrival.around.ours or arrival.email.form:
            return route
        heard = Heard(reading=arrival.reading, route=route, client=arrival.client)
        money_note = hear(connection, self._clock, heard)
        return replace(route, reason=f"{route.reason} {money_note}".strip()) if money_note else route

    def _with_leads(self, connection: Connection, route: Posted) -> Posted:
        """Account for the jobs of an alert mail; the route whose reason tells what became of them."""
        if not route.leads:
            return route
        verdicts = dict(zip((lead.id for lead in route.leads), route.verdicts, strict=False))
        posts = [SourcePost(id=lead.id, title=lead.title, found=lead) for lead in route.leads]
        counts = keep_posts(
            connection, self._clock, route.leads[0].source, posts, lambda lead: verdicts.get(lead.id) or unjudged(lead)
        )
        return replace(route, reason=f"{route.reason} {counts}.".strip())

    def _with_person(self, connection: Connection, arrival: _Arrival) -> _Arrival:
        if arrival.kind == "sent" or arrival.client is not None:
            return arrival
        return replace(arrival, client=new_client(connection, arrival.email.sender, self._clock))

    def _with_recipient(self, connection: Connection, arrival: _Arrival, route: Route) -> _Arrival:
        """Whom the owner's first mail to a person has made known: that mail is part of their history as well."""
        if arrival.kind != "sent" or arrival.client is not None or not isinstance(route, Ignore):
            return arrival
        recipients = self._recipients(arrival.email)
        return replace(arrival, client=find_client(connection, recipients[0])) if recipients else arrival

    def _open(self, connection: Connection, arrival: _Arrival, route: Start) -> int:
        """A new case number with its first state."""
        client = arrival.client.id if arrival.client else ""
        sender = arrival.email.sender
        subject = one_line(arrival.email.subject, 200) or "(no subject)"
        opening = Opening(
            kind=route.kind, title=f"{one_line(sender.name, 80) or sender.email}: {subject}", client=client,
            event=arrival.email.identity, hold=route.hold,
        )  # fmt: skip
        return open_case(connection, self._clock, opening).case

    def _note_what_the_owner_sent(self, connection: Connection, arrival: _Arrival, route: Route) -> None:
        """Whom the owner writes to himself is known from then on; our own mail in Sent only lends its new id."""
        if arrival.kind != "sent" or isinstance(route, Answered):
            return
        if arrival.around.ours:
            row = self.row_of_ours(connection, arrival.email)
            if row is not None and row.purpose == "client":
                add_to_thread(connection, arrival.email.message_id, row.case)
            return
        if arrival.email.sender.email.lower() not in self._owner.addresses:
            return
        for address in arrival.email.to[:_MOST_RECIPIENTS]:
            if address.email.lower() in self._owner.addresses or "@" not in address.email:
                continue
            client = find_client(connection, address.email) or new_client(connection, address, self._clock)
            mark_written_to(connection, client.id)

    def _note_sent_words(self, connection: Connection, arrival: _Arrival, route: Route) -> None:
        """What was promised and asked by hand, and what an answer ends; what Deskhand sent is known already."""
        email = arrival.email
        if arrival.kind == "mail" and arrival.client is not None and not arrival.around.ours:
            client_wrote(connection, self._clock, arrival.client.id, email)
        if arrival.kind != "sent" or arrival.around.ours or isinstance(route, Answered | Ordered):
            return
        client = self._whose(connection, email, "sent")
        if client is not None and email.sender.email.lower() in self._owner.addresses:
            at, mail = _written_at(email, arrival.at), document_id(email)
            note = SentNote(owner=self._owner, clock=self._clock, client=client, mail=mail, at=at)
            sent_by_hand(connection, note, email, arrival.around.earlier)

    def _note_own_arrival(self, connection: Connection, arrival: _Arrival) -> None:
        """A mail of ours reached the owner's inbox: the watch over our own mails need not look for it."""
        if arrival.kind != "mail" or not arrival.around.ours:
            return
        row = self.row_of_ours(connection, arrival.email)
        if row is None:
            return
        if row.arrived_at:  # a later mail with its text may be anybody's, and lends it no id
            return
        values: dict[str, Any] = {"arrived_at": self._clock.now()}
        name = arrival.email.message_id
        if row.purpose != "client" and not row.server_id and name not in {"", row.message_id}:
            values["server_id"] = name  # the server gave it another one, and an answer may name that alone
        connection.execute(update(outbox).where(outbox.c.id == row.id).values(values))

    # ------------------------------------------------------------ delivering what was recorded

    def undelivered(self) -> tuple[Event, ...]:
        """Every recorded event that no case has taken yet, oldest first."""
        query = select(seen.c.event).where(seen.c.state == "recorded", seen.c.event != "").order_by(seen.c.id)
        with self._reading() as connection:
            return tuple(from_json(Event, text) for text in connection.execute(query).scalars())

    def mark_delivered(self, key: str, kind: str) -> None:
        """The event reached its case. `kind` is the event's: mail | sent | answer | order | hint."""
        of_kind = seen.c.rule == kind if kind in _BY_RULE.values() else seen.c.kind == kind
        if kind in {"answer", "order"}:
            of_kind &= all_judged(key)
        with self._writing() as connection:
            connection.execute(
                update(seen).where(seen.c.key == key, of_kind, seen.c.state == "recorded").values(state="delivered")
            )

    def email(self, identity: str) -> Email | None:
        """The parsed mail with that identity."""
        with self._reading() as connection:
            text = connection.execute(select(mails.c.email).where(mails.c.identity == identity)).scalar()
        return None if text is None else from_json(Email, text)


# ---------------------------------------------------------------- rows


def _seen_before(connection: Connection, key: str, kind: SeenKind) -> Row[Any] | None:
    return connection.execute(select(seen).where(seen.c.key == key, seen.c.kind == kind)).first()


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
        for parent in arrival.email.parents[:MOST_PARENTS]:
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
            text=new_part(email.text, arrival.around.earlier, addressee_of(email)),
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
    written = email.date if email.date.tzinfo else email.date.replace(tzinfo=UTC)
    return written if OLDEST < written <= received_at else received_at


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
    names = {Start: "start", Tell: "tell", Posted: ALERT, **_BY_RULE}
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
