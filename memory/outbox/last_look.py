"""What the last look before a send still has to ask: the conversation, the person, and what already went to them.

Each check reads the ledger inside the transaction of `claim` and gives its doubt, or None. A doubt with a rule needs
the owner's word: a yes given after it was raised overrides it. One without a rule ends by itself.
"""

import json
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from datetime import datetime, time, timedelta
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, and_, or_, select

from memory.record.meta import read_meta
from memory.record.schema import (
    cases,
    client_addresses,
    clients,
    from_json,
    held_slots,
    mails,
    notices,
    outbox,
    seen,
    versions,
)
from workflows.models.case import CaseState
from workflows.models.drafts import Outgoing
from workflows.models.mail import Email
from workflows.rules.debts.dunning import BusinessDays
from workflows.rules.mail.replying import new_part
from workflows.rules.text.canonical import body_hash, one_line
from workflows.rules.text.words import fold

DAY = timedelta(hours=24)
LOOKING = "look_first"
"""The ledger's key for "versions made up to this time wait until the mailbox was looked into"; "" when that is done."""
_A_MOMENT = timedelta(seconds=1)
_MONTH = timedelta(days=30)
_MORNING = time(9)
_LEFT = ("committing", "sent", "uncertain")
_NO_MAIL = ("answer", "order", "hint")
_CERTAINLY_KEPT = 1000  # a state may forget the oldest of more keys than this
_LONG_ENOUGH = 40  # characters of a text that may be found inside a longer one, a signature or a greeting around it


@dataclass(frozen=True, slots=True, kw_only=True)
class Doubt:
    """Why it should not go now. `rule` names a doubt that only the owner's word ends."""

    reason: str
    rule: str = ""
    until: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Going:
    """The mail that is about to leave: its row's facts and the version as it was approved."""

    intent: str
    case: int
    client: str  # the id of the client it was approved for, "" when the ledger knows none
    outgoing: Outgoing
    made_at: datetime  # when the version was made
    doubted_at: datetime | None = None  # when the owner was first asked for one more word
    change: str = ""  # what became of a file of the owner's since it was approved

    def day_before(self, now: datetime) -> datetime:
        """Since when a copy counts as a duplicate. What was held as one does not leave by itself when a day is over."""
        return min(now, self.doubted_at or now) - DAY

    @property
    def recipients(self) -> frozenset[str]:
        return frozenset(address.email.lower() for address in (*self.outgoing.to, *self.outgoing.cc))


def doubts(connection: Connection, going: Going, now: datetime) -> Iterator[Doubt]:
    """Every doubt about this mail, the most serious first."""
    checks = (
        _unsure_after_restore,
        _news,
        _foreign_address,
        _answered_by_hand,
        _slot_lost,
        _duplicate,
        _written_by_hand,
        _changed_file,
        _not_now,
        _not_today,
    )
    for check in checks:
        if (doubt := check(connection, going, now)) is not None:
            yield doubt


# ---------------------------------------------------------------- after a start


def _unsure_after_restore(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """An older ledger may have been put back: what it calls unsent is looked up in the mailbox first."""
    text = read_meta(connection, LOOKING)
    if not text or going.made_at > datetime.fromisoformat(text):
        return None
    reason = "Deskhand looks into your Sent folder first, in case an older copy of its ledger was put back."
    return Doubt(reason=reason, until=now + _A_MOMENT)


# ---------------------------------------------------------------- the calendar


def _slot_lost(connection: Connection, going: Going, _: datetime) -> Doubt | None:
    """A time that it agrees to or offers, as the calendar was asked right before (tools/calendar/guard.py)."""
    lost = (held_slots.c.case == going.case) & (held_slots.c.lost == 1)
    rows = connection.execute(select(held_slots.c.start).where(lost).order_by(held_slots.c.start)).scalars().all()
    if not rows:
        return None
    times = ", ".join(f"{start:%a %d %b %H:%M} UTC" for start in rows[:3])
    reason = f"A time in it is taken by now, or a calendar cannot be read: {times}. Say ok once more, or change it."
    return Doubt(reason=reason, rule="slot")


# ---------------------------------------------------------------- the conversation


def _news(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """A mail of this conversation that the case was told and has not taken into account."""
    text = connection.execute(select(cases.c.state).where(cases.c.number == going.case)).scalar()
    if not text:
        return None
    state = from_json(CaseState, text)
    heard = {state.event, *state.heard}
    # News is looked at before it is delivered, too: a payment that is in the ledger stops a notice at once.
    known_of = or_(seen.c.state == "delivered", and_(seen.c.state == "recorded", seen.c.kind == "news"))
    mail = and_(seen.c.case == going.case, known_of, seen.c.event != "")
    query = select(seen.c.key, seen.c.kind, seen.c.reason, seen.c.at).where(mail, seen.c.rule.not_in(_NO_MAIL))
    for row in connection.execute(query):
        if row.key in heard or (len(heard) >= _CERTAINLY_KEPT and row.at < going.made_at):
            continue
        reason = (
            "You wrote to them yourself in this conversation."
            if row.kind == "sent"
            else f"Something new came up: {row.reason}".rstrip(". ") + "."
            if row.kind == "news"
            else "A newer mail came in this conversation."
        )
        return Doubt(reason=f"{reason} Its case takes that up first.", until=now + _A_MOMENT)
    return None


# ---------------------------------------------------------------- the person


def _foreign_address(connection: Connection, going: Going, _now: datetime) -> Doubt | None:
    name = connection.execute(select(clients.c.name).where(clients.c.id == going.client)).scalar()
    if name is None:
        return None
    query = select(client_addresses.c.email).where(client_addresses.c.client == going.client)
    addresses = set(connection.execute(query).scalars())
    foreign = next((address.email for address in going.outgoing.to if address.email.lower() not in addresses), "")
    if not foreign:
        return None
    return Doubt(
        rule="address",
        reason=f"{foreign} is no longer an address of {one_line(name, 80)}. If it shall go there all the same, "
        f"say ok once more ('./deskhand approve {going.case}.{going.outgoing.version}').",
    )


# ---------------------------------------------------------------- what went to them already


def _duplicate(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """The same text left for the same person within a day: as an answer to the same mail, or before in this thread.

    Saying the very same again to the answer to it is how two machines talk to each other without end.
    """
    query = select(outbox, versions.c.outgoing).join(
        versions, and_(versions.c.case == outbox.c.case, versions.c.version == outbox.c.version)
    )
    departed = (
        (outbox.c.state.in_(_LEFT)) & (outbox.c.claimed_at >= going.day_before(now)) & (outbox.c.purpose == "client")
    )
    same_body = outbox.c.body_hash == body_hash(going.outgoing.body)
    for row in connection.execute(query.where(departed, same_body, outbox.c.intent != going.intent)):
        answered = {row.message_id, row.server_id} & set(going.outgoing.references)
        if _is_same_mail(
            going, from_json(Outgoing, row.outgoing), json.loads(row.recipients), said_before=bool(answered)
        ):
            return _already(going, f"It went to them already as {row.case}.{row.version}")
    return None


def _is_same_mail(going: Going, theirs: Outgoing, recipients: Sequence[str], *, said_before: bool) -> bool:
    people = {address.lower() for address in recipients}
    if {file.sha256 for file in theirs.attachments} != {file.sha256 for file in going.outgoing.attachments}:
        return False
    same_thread = said_before or theirs.in_reply_to == going.outgoing.in_reply_to
    return same_thread and fold(theirs.subject) == fold(going.outgoing.subject) and bool(going.recipients & people)


def _written_by_hand(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """The owner sent the same text to the same person by hand within a day, in whatever conversation."""
    for email, at in _sent_by_hand(connection, going, now):
        people = {address.email.lower() for address in (*email.to, *email.cc, *email.bcc)}
        if going.recipients & people and _says_the_same(going.outgoing.body, email.text):
            return _already(going, f"You sent them the same text yourself ({at:%d %b %H:%M} UTC)")
    return None


def _answered_by_hand(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """The owner's own answer to the very mail that this one answers, whatever it says."""
    parent = going.outgoing.in_reply_to
    if not parent:
        return None
    for email, at in _sent_by_hand(connection, going, now, since=now - _MONTH, naming=parent):
        if parent in email.parents[:1]:
            name = f"{going.case}.{going.outgoing.version}"
            return Doubt(
                rule="answered",
                reason=f"You answered that mail of theirs yourself ({at:%d %b %H:%M} UTC). If this shall go as well, "
                f"say ok once more ('./deskhand approve {name}'); 'no' or 'mine' ends the case.",
            )
    return None


def _sent_by_hand(
    connection: Connection, going: Going, now: datetime, since: datetime | None = None, naming: str = ""
) -> Iterator[tuple[Email, datetime]]:
    """The owner's own mails to these people, newest first; `naming`: only those that name this Message-ID."""
    since = since or going.day_before(now)
    own_mail = select(outbox.c.id).where(
        outbox.c.state.in_(_LEFT),
        or_(
            outbox.c.message_id == mails.c.message_id,
            outbox.c.server_id == mails.c.message_id,
            (outbox.c.purpose == "client") & (outbox.c.body_hash == body_hash(going.outgoing.body)),
        ),
        mails.c.message_id != "",
    )
    named = or_(*(mails.c.email.contains(address, autoescape=True) for address in sorted(going.recipients)))
    query = (
        select(mails.c.email, seen.c.at)
        .join(seen, seen.c.key == mails.c.identity)
        .where(seen.c.kind == "sent", seen.c.at >= since, named, ~own_mail.exists())
    )
    if naming:
        query = query.where(mails.c.email.contains(naming, autoescape=True))
    for row in connection.execute(query.order_by(seen.c.id.desc()).limit(200)):
        yield from_json(Email, row.email), row.at


def _says_the_same(ours: str, theirs: str) -> bool:
    draft_text, sent_text = fold(ours), fold(new_part(theirs))
    return draft_text == sent_text or (len(draft_text) >= _LONG_ENOUGH and draft_text in sent_text)


def _already(going: Going, what: str) -> Doubt:
    name = f"{going.case}.{going.outgoing.version}"
    return Doubt(
        rule="duplicate",
        reason=f"{what}, so it is not sent twice. If it shall go all the same, say ok once more "
        f"('./deskhand approve {name}'); 'no' or 'mine' ends the case.",
    )


def _changed_file(_connection: Connection, going: Going, _now: datetime) -> Doubt | None:
    """A file that was taken away or written anew says that the owner may no longer want what he approved."""
    if not going.change:
        return None
    name = f"{going.case}.{going.outgoing.version}"
    return Doubt(
        rule="file",
        reason=f"{going.change} If the copy that you approved shall go all the same, say ok once more "
        f"('./deskhand approve {name}'); 'no' or 'mine' ends the case, 'attach NAME' takes the file as it is now.",
    )


# ---------------------------------------------------------------- what nobody asked for


def _not_now(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """What is proactive: at most one a day to a client, none while a complaint or a dispute is open."""
    if not going.outgoing.proactive:
        return None
    row = connection.execute(select(clients.c.name, clients.c.hold).where(clients.c.id == going.client)).first()
    if row is not None and row.hold:
        return Doubt(reason=f"Nothing that {row.name} did not ask for goes out while there is {row.hold}.")
    query = select(outbox.c.claimed_at, versions.c.outgoing).join(
        versions, and_(versions.c.case == outbox.c.case, versions.c.version == outbox.c.version)
    )
    today = (outbox.c.purpose == "client") & (outbox.c.claimed_at > now - DAY) & (outbox.c.state != "failed")
    for mail_row in connection.execute(
        query.where(today, outbox.c.client == going.client, outbox.c.intent != going.intent)
    ):
        if from_json(Outgoing, mail_row.outgoing).proactive:
            reason = "They had one mail today that they did not ask for, and one a day is the limit."
            return Doubt(reason=reason, until=mail_row.claimed_at + DAY + _A_MOMENT)
    return None


def _not_today(connection: Connection, going: Going, now: datetime) -> Doubt | None:
    """A notice about money leaves on a business day of the client, whenever the yes was given."""
    row = connection.execute(select(notices).where(notices.c.case == going.case, notices.c.zone != "")).first()
    if row is None:
        return None
    zone, calendar = ZoneInfo(row.zone), BusinessDays(country=row.country)
    today = now.astimezone(zone).date()
    if calendar.is_open(today):
        return None
    first = calendar.first_open(today)
    reason = f"Today is no business day of theirs. It leaves on {first:%a} {first.day} {first:%b}, unless you say no."
    return Doubt(reason=reason, until=datetime.combine(first, _MORNING, zone))
