"""The owner's orders to the desk. Each is carried out in the very transaction that keeps it: once, whatever dies when.

Orders that only tell (status, why, ignored, help) change nothing and are not kept here.
"""

from collections.abc import Sequence
from dataclasses import replace
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import Connection, Engine, Row, select, update

from memory.desk.standing import KINDS, allow, revoke
from memory.leads.posts import rescue
from memory.money import money_orders
from memory.post.mails import Intake, Mails, SeenMail, seen_mail
from memory.record.blobs import Blobs
from memory.record.dialect import insert
from memory.record.meta import read_meta, write_meta
from memory.record.people import every_client, mark_written_to, paused_clients
from memory.record.schema import cases, clients, from_json, mails, orders, outbox, seen, to_json
from memory.sent.promises import end_promise
from workflows.models.mail import Email
from workflows.models.orders import (
    Allow,
    Away,
    Back,
    Carried,
    Change,
    Disallow,
    Disputed,
    Ended,
    Paid,
    Pause,
    Promised,
    PromiseEnded,
    Rescue,
    Resume,
    ResumeChasing,
    StopAll,
    StopChasing,
)
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.asking.autonomy import IN_A_ROW
from workflows.rules.text.calendar import folded, format_deadline
from workflows.rules.text.canonical import one_line
from workflows.rules.text.speech import say, say_count
from workflows.stories import STORIES, Kind, kinds_that

STOPPED = "stopped"
"""The ledger's key for "stop all": since when, "" when nothing is. The outbox claims nothing while it is set."""
AWAY = "away_until"
"""The ledger's key for "away": until when, "" when the owner is here."""

OWN_RULES = ("own-mail", "not-yours", "copy")
"""Why the owner's own mail is skipped: nothing to give account of."""
_CLOCKS_DIFFER = timedelta(seconds=5)
_NAMED = 10
_EVER: tuple[Kind, ...] = kinds_that(lambda story: story.may_stand or bool(story.always_asks))
"""The kinds a standing yes was ever taken for: any of them can be ended."""


class OrderBook(Mails):
    """What the owner ordered, and what follows from it."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a ledger is made of
        self, engine: Engine, owner: Owner, clock: Clock, blobs: Blobs, intake: Intake, auto_after: int = 0
    ) -> None:
        """`auto_after`: unedited approvals in a row before a standing yes is taken; 0: the rule's own number."""
        super().__init__(engine, owner, clock, blobs, intake)
        self._auto_after = auto_after or IN_A_ROW

    def carry_out(self, key: str, order: Change, given_at: datetime) -> Carried:
        """Carry an order out, once per key; a repeated one says what the first one said.

        `given_at`: when the owner gave it; an old "resume" must not lift a newer "stop all".
        """
        with self._writing() as connection:
            row = connection.execute(select(orders.c.ok, orders.c.says).where(orders.c.key == key)).first()
            if row is not None:
                return Carried(ok=bool(row.ok), says=row.says)
            outcome = self._carry_out(connection, key, order, given_at)
            connection.execute(
                insert(orders).values(
                    key=key, order=to_json(order), ok=int(outcome.ok), says=outcome.says, at=self._clock.now()
                )
            )
        return outcome

    def _carry_out(self, connection: Connection, key: str, order: Change, given_at: datetime) -> Carried:
        match order:
            case StopAll():
                outcome = self._stop(connection, given_at)
            case Resume(client=words):
                outcome = self._resume_client(connection, words) if words else self._resume(connection, given_at)
            case Pause(client=words):
                outcome = self._pause(connection, words)
            case Rescue(number=number):
                outcome = self._rescue(connection, number)
            case Away(until=until):
                outcome = self._away(connection, until)
            case Back():
                outcome = self._back(connection)
            case Allow() | Disallow():
                outcome = self._standing_yes(connection, order)
            case Paid() | Promised() | Disputed() | StopChasing() | ResumeChasing() | Ended():
                outcome = money_orders.carry_out(self._desk(connection, key), order)
            case PromiseEnded():
                outcome = self._promise_ended(connection, order)
            case _:
                assert_never(order)
        return outcome

    def _desk(self, connection: Connection, key: str) -> money_orders.OrderTransaction:
        def who(words: str) -> Sequence[Client] | Carried:
            people = _named(words, every_client(connection))
            return people if _are_one(words, people) else self._which(words, people, "no_client")

        return money_orders.OrderTransaction(
            connection=connection, clock=self._clock, owner=self._owner, key=key, who=who
        )

    # ------------------------------------------------------------ a standing yes

    def _standing_yes(self, connection: Connection, order: Allow | Disallow) -> Carried:
        give = self._allow if isinstance(order, Allow) else self._disallow
        return give(connection, order.what)

    def _allow(self, connection: Connection, kind: str) -> Carried:
        objection = next((story.always_asks for story in STORIES if story.kind == kind), "")
        if objection:
            return self._not("unchanged_kind", objection=objection)
        if kind not in KINDS:
            return self._not("no_kind", kind=one_line(kind, 40), kinds=", ".join(KINDS))
        if missing := allow(connection, kind, self._clock.now(), self._auto_after):
            language = self._owner.language
            sentence = say_count(language, "done.auto_missing", missing, needed=self._auto_after, kind=kind)
            return Carried(ok=False, says=sentence)
        return self._done("auto", kind=kind)

    def _disallow(self, connection: Connection, kind: str) -> Carried:
        if kind and kind not in _EVER:
            return self._not("no_kind", kind=one_line(kind, 40), kinds=", ".join(KINDS))
        for mail_kind in (kind,) if kind else _EVER:
            revoke(connection, mail_kind, self._clock.now())
        return self._done("auto_off", kind=kind) if kind else self._done("auto_off_all")

    # ------------------------------------------------------------ reading

    def stopped_since(self) -> str:
        """Since when (ISO-8601) or why everything is stopped, "" when it is not."""
        return self.get_meta(STOPPED) or ""

    def away_until(self) -> datetime | None:
        """Until when the owner is away; None when they are here."""
        until = self.get_meta(AWAY)
        if not until:
            return None
        moment = datetime.fromisoformat(until)
        return moment if moment > self._clock.now() else None

    def held_sends(self) -> tuple[tuple[str, int, int], ...]:
        """What waits in the outbox for a hold to end, oldest first: (client, case, version)."""
        waiting = (outbox.c.purpose == "client") & outbox.c.state.in_(("approved", "claimed"))
        query = (
            select(cases.c.client, outbox.c.case, outbox.c.version)
            .join(cases, cases.c.number == outbox.c.case)
            .where(waiting, cases.c.stage == "sending")
            .order_by(outbox.c.id)
        )
        with self._reading() as connection:
            return tuple((row.client, row.case, row.version) for row in connection.execute(query))

    def skipped(self, limit: int = 50) -> tuple[SeenMail, ...]:
        """Others' mails and posts that were skipped or set aside, and why, newest first; `id` is for `rescue`."""
        set_aside = (
            seen.c.kind.in_(("mail", "lead"))
            & seen.c.state.in_(("ignored", "quarantined"))
            & seen.c.rule.not_in(OWN_RULES)
        )
        with self._reading() as connection:
            rows = connection.execute(select(seen).where(set_aside).order_by(seen.c.id.desc()).limit(limit))
            return tuple(seen_mail(row) for row in rows)

    # ------------------------------------------------------------ clients

    def _pause(self, connection: Connection, words: str) -> Carried:
        everyone = every_client(connection)
        people = _named(words, everyone)
        if not _are_one(words, people):
            return self._which(words, people, "no_client")
        now = self._clock.now()
        ids = [client.id for client in people]
        not_paused = clients.c.paused_at.is_(None)
        connection.execute(update(clients).where(clients.c.id.in_(ids), not_paused).values(paused_at=now))
        return self._done("paused", names=self._names(people), words=one_line(words))

    def _resume_client(self, connection: Connection, words: str) -> Carried:
        paused = paused_clients(connection)
        people = _named(words, paused)
        if not _are_one(words, people):
            refused = self._which(words, people, "no_paused_client")
            if people:
                return refused
            listed = self._says("paused_list", names=self._names(paused)) if paused else self._says("nobody_paused")
            return Carried(ok=False, says=f"{refused.says} {listed}")
        ids = [client.id for client in people]
        connection.execute(update(clients).where(clients.c.id.in_(ids)).values(paused_at=None))
        case_numbers = [
            self._take_up(connection, row, email, "You resumed this client.")
            for row, email in _waiting(connection, people)
        ]
        sentence = self._says("resumed", names=self._names(people))
        return Carried(ok=True, says=" ".join([sentence, *self._taken_up(case_numbers)]))

    def _taken_up(self, case_numbers: Sequence[int]) -> list[str]:
        if not case_numbers:
            return []
        language, ordered = self._owner.language, sorted(set(case_numbers))
        numbers = ", ".join(map(str, ordered))
        names = say_count(language, "lists.case", len(ordered), numbers=numbers)
        return [say_count(language, "done.resumed_mails", len(case_numbers), cases=names)]

    # ------------------------------------------------------------ rescue

    def _rescue(self, connection: Connection, number: int) -> Carried:
        row = connection.execute(select(seen).where(seen.c.id == number)).first()
        if row is None:
            return self._not("no_mail", number=number)
        if row.kind == "lead":
            return self._rescue_lead(connection, row)
        text = connection.execute(select(mails.c.email).where(mails.c.identity == row.key)).scalar()
        email = from_json(Email, text) if text else None
        if refusal := self._no_rescue(seen_mail(row), email):
            return Carried(ok=False, says=refusal)
        assert email is not None
        case = self._take_up(connection, row, email, "You rescued it.")
        _know(connection, row.id)
        return self._done("rescued", number=number, sender=one_line(row.sender), case=case)

    def _rescue_lead(self, connection: Connection, row: Row[Any]) -> Carried:
        case = row.case or rescue(connection, self._clock, row.key, "You rescued it.")
        if not case:
            reason = one_line(row.reason).rstrip(".")
            return self._not("post_refused", number=row.id, reason=reason)
        if row.rule == "rescue" or row.case:
            return self._not("post_has_case", number=row.id, case=case)
        connection.execute(update(seen).where(seen.c.id == row.id).values(rule="rescue", case=case))
        return self._done("rescued_post", number=row.id, sender=one_line(row.sender), case=case)

    def _no_rescue(self, mail: SeenMail, email: Email | None) -> str:
        """Why this mail cannot be rescued, "" when it can."""
        if mail.state == "quarantined":
            return self._says("mail_unread", number=mail.id, reason=mail.reason)
        if mail.case and mail.state != "ignored":
            return self._says("mail_has_case", number=mail.id, case=mail.case)
        if mail.state != "ignored" or mail.kind != "mail" or mail.sender.lower() in self._owner.addresses:
            return self._says("mail_own", number=mail.id)
        if email is None or "@" not in email.sender.email.strip("@"):
            return self._says("mail_no_sender", number=mail.id)
        return ""

    # ------------------------------------------------------------ away

    def _away(self, connection: Connection, until: datetime) -> Carried:
        if until <= self._clock.now():
            return self._not("away_over")
        write_meta(connection, AWAY, until.isoformat())
        return self._done("away", until=format_deadline(until, self._owner))

    def _back(self, connection: Connection) -> Carried:
        until = read_meta(connection, AWAY) or ""
        write_meta(connection, AWAY, "")
        if not until or datetime.fromisoformat(until) <= self._clock.now():
            return self._done("not_away")
        return self._done("back")

    # ------------------------------------------------------------ stop and resume

    def _stop(self, connection: Connection, given_at: datetime) -> Carried:
        if since := (read_meta(connection, STOPPED) or ""):
            return self._done("stopped_already", since=since)
        write_meta(connection, STOPPED, given_at.isoformat(timespec="seconds"))
        return self._done("stopped")

    def _resume(self, connection: Connection, given_at: datetime) -> Carried:
        since = read_meta(connection, STOPPED) or ""
        paused = paused_clients(connection)
        reminder = [self._says("still_paused", names=self._names(paused))] if paused else []
        stopped_at = _moment(since) if since else None
        if stopped_at and given_at < stopped_at - _CLOCKS_DIFFER:
            return self._not("stays_stopped")
        if since:
            write_meta(connection, STOPPED, "")
        sentence = self._says("goes_on" if since else "nothing_stopped")
        return Carried(ok=True, says=" ".join([sentence, *reminder]))

    # ------------------------------------------------------------ the owner's own promises

    def _promise_ended(self, connection: Connection, order: PromiseEnded) -> Carried:
        words = end_promise(connection, order.number, order.result)
        if not words:
            return self._not("no_promise", number=order.number)
        return self._done(f"promise_{order.result}", number=order.number, quote=words)

    # ------------------------------------------------------------ what the owner is told

    def _says(self, name: str, /, **facts: object) -> str:
        """A sentence about an order, in the owner's language."""
        return say(self._owner.language, f"done.{name}", **facts)

    def _done(self, name: str, /, **facts: object) -> Carried:
        return Carried(ok=True, says=self._says(name, **facts))

    def _not(self, name: str, /, **facts: object) -> Carried:
        return Carried(ok=False, says=self._says(name, **facts))

    def _which(self, words: str, found: Sequence[Client], nobody: str) -> Carried:
        phrase = one_line(words, 80)
        if not found:
            return self._not(nobody, words=phrase)
        names = ", ".join(f"{one_line(client.name, 80)} <{client.addresses[0]}>" for client in found[:_NAMED])
        return replace(self._not("several", words=phrase, names=names), is_several=True)

    def _names(self, found: Sequence[Client]) -> str:
        names = ", ".join(one_line(client.name, 80) for client in found[:_NAMED])
        unnamed = len(found) - _NAMED
        return say_count(self._owner.language, "lists.others", unnamed, names=names) if unnamed > 0 else names


def _moment(text: str) -> datetime | None:
    """When everything was stopped; None where a reason stands instead of a time."""
    try:
        moment = datetime.fromisoformat(text)
    except ValueError:
        return None
    return moment if moment.tzinfo else None


# ---------------------------------------------------------------- who is meant


def _named(words: str, known: Sequence[Client]) -> tuple[Client, ...]:
    """The clients that these words name: an address, a whole name, else a domain, a firm or a part of the name."""
    terms = folded(words)
    for fits in (_has_address, _has_name):
        if matches := tuple(client for client in known if fits(client, terms)):
            return matches
    return tuple(client for client in known if _has_domain(client, terms) or _has_words(client, terms))


def _has_address(client: Client, wanted: str) -> bool:
    return wanted in client.addresses


def _has_name(client: Client, wanted: str) -> bool:
    return wanted == folded(client.name)


def _has_domain(client: Client, wanted: str) -> bool:
    """`acme.example`, or `acme` for it."""
    domains = (address.rpartition("@")[2] for address in client.addresses)
    return any(wanted.removeprefix("@") == domain or wanted in domain.split(".")[:-1] for domain in domains)


def _has_words(client: Client, wanted: str) -> bool:
    name = folded(client.name).split()
    return bool(wanted) and all(word in name for word in wanted.split())


def _are_one(words: str, found: Sequence[Client]) -> bool:
    """Whether the words name one client, or the people of one firm by its domain."""
    return len(found) == 1 or (bool(found) and all(_has_domain(client, folded(words)) for client in found))


def _waiting(connection: Connection, whose: Sequence[Client]) -> list[tuple[Row[Any], Email]]:
    """The mails of these clients that were kept for later while they were paused, oldest first."""
    query = (
        select(seen, mails.c.email.label("email"))
        .join(mails, mails.c.identity == seen.c.key)
        .where(seen.c.state == "ignored", seen.c.rule == "paused", seen.c.client.in_([client.id for client in whose]))
        .order_by(seen.c.id)
    )
    return [(row, from_json(Email, row.email)) for row in connection.execute(query)]


def _know(connection: Connection, number: int) -> None:
    """Whom the owner rescued is known from then on."""
    client = connection.execute(select(seen.c.client).where(seen.c.id == number)).scalar_one()
    mark_written_to(connection, client)
