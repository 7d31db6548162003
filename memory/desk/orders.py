"""The owner's orders to the desk. Each is carried out in the very transaction that keeps it: once, whatever dies when.

Orders that only tell (status, why, ignored, help) change nothing and are not kept here.
"""

from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, assert_never

from sqlalchemy import Connection, Engine, Row, select, update

from memory.desk.standing import KINDS, allow, revoke
from memory.leads.posts import rescue
from memory.money import money_orders
from memory.post.mails import Intake, Mails, SeenMail, seen_mail
from memory.post.promises import end_promise
from memory.record.blobs import Blobs
from memory.record.dialect import insert
from memory.record.meta import read_meta, write_meta
from memory.record.people import every_client, mark_written_to, paused_clients
from memory.record.schema import cases, clients, from_json, mails, orders, outbox, seen, to_json
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
                outcome = _stop(connection, given_at)
            case Resume(client=words):
                outcome = self._resume_client(connection, words) if words else _resume(connection, given_at)
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
                outcome = _promise_ended(connection, order)
            case _:
                assert_never(order)
        return outcome

    def _desk(self, connection: Connection, key: str) -> money_orders.OrderTransaction:
        def who(words: str) -> Sequence[Client] | Carried:
            people = _named(words, every_client(connection))
            return people if _are_one(words, people) else _which(words, people, "I know no client")

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
            return Carried(ok=False, says=f"{objection} Nothing was changed.")
        if kind not in KINDS:
            return Carried(ok=False, says=f'There is no kind "{one_line(kind, 40)}"; there are: {", ".join(KINDS)}.')
        if missing := allow(connection, kind, self._clock.now(), self._auto_after):
            return Carried(
                ok=False,
                says=f"It takes {self._auto_after} drafts of the kind '{kind}' approved in a row without a change "
                f"(approval.auto_after); {missing} more are to come, so each still waits for your yes.",
            )
        return Carried(
            ok=True,
            says="From now on my own acknowledgement (thanks, and that you will answer) leaves alone to people you "
            f"have written to: you are shown it first, and any answer stops it. Any other {kind} waits for your yes as "
            f"before, and so does what answers words of money or a contract. "
            f'"stop auto {kind}" ends this at once.',
        )

    def _disallow(self, connection: Connection, kind: str) -> Carried:
        if kind and kind not in _EVER:
            return Carried(ok=False, says=f'There is no kind "{one_line(kind, 40)}"; there are: {", ".join(KINDS)}.')
        for mail_kind in (kind,) if kind else _EVER:
            revoke(connection, mail_kind, self._clock.now())
        return Carried(ok=True, says=f"Each {kind or 'mail'} waits for your yes again, also those shown already.")

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
            return _which(words, people, "I know no client")
        now = self._clock.now()
        ids = [client.id for client in people]
        not_paused = clients.c.paused_at.is_(None)
        connection.execute(update(clients).where(clients.c.id.in_(ids), not_paused).values(paused_at=now))
        return Carried(
            ok=True,
            says=f"{_names(people)} paused: nothing goes out to them and nothing is drafted, also what you approved, "
            f'until "resume {one_line(words)}". Their mail is kept and taken up then; complaints are shown at once.',
        )

    def _resume_client(self, connection: Connection, words: str) -> Carried:
        paused = paused_clients(connection)
        people = _named(words, paused)
        if not _are_one(words, people):
            paused_names = f" Paused: {_names(paused)}." if paused else " Nobody is paused."
            refused = _which(words, people, "There is no paused client")
            return refused if people else Carried(ok=False, says=refused.says + paused_names)
        ids = [client.id for client in people]
        connection.execute(update(clients).where(clients.c.id.in_(ids)).values(paused_at=None))
        case_numbers = [
            self._take_up(connection, row, email, "You resumed this client.")
            for row, email in _waiting(connection, people)
        ]
        mail = f" {len(case_numbers)} of their mails are taken up now: {_cases(case_numbers)}." if case_numbers else ""
        sentence = f"{_names(people)} resumed: what you approved goes out again.{mail}"
        return Carried(ok=True, says=sentence)

    # ------------------------------------------------------------ rescue

    def _rescue(self, connection: Connection, number: int) -> Carried:
        row = connection.execute(select(seen).where(seen.c.id == number)).first()
        if row is None:
            return Carried(ok=False, says=f'There is no mail number {number}; "ignored" lists them.')
        if row.kind == "lead":
            return self._rescue_lead(connection, row)
        text = connection.execute(select(mails.c.email).where(mails.c.identity == row.key)).scalar()
        email = from_json(Email, text) if text else None
        if refusal := self._no_rescue(seen_mail(row), email):
            return Carried(ok=False, says=refusal)
        assert email is not None
        case = self._take_up(connection, row, email, "You rescued it.")
        _know(connection, row.id)
        return Carried(
            ok=True,
            says=f"Mail {number} of {one_line(row.sender)} is case {case} now, and its sender counts as known.",
        )

    def _rescue_lead(self, connection: Connection, row: Row[Any]) -> Carried:
        case = row.case or rescue(connection, self._clock, row.key, "You rescued it.")
        if not case:
            reason = one_line(row.reason).rstrip(".")
            return Carried(ok=False, says=f"Post {row.id} cannot be bid for: {reason}.")
        if row.rule == "rescue" or row.case:
            return Carried(ok=False, says=f"Post {row.id} belongs to case {case} already.")
        connection.execute(update(seen).where(seen.c.id == row.id).values(rule="rescue", case=case))
        return Carried(ok=True, says=f"Post {row.id} of {one_line(row.sender)} is case {case} now.")

    def _no_rescue(self, mail: SeenMail, email: Email | None) -> str:
        """Why this mail cannot be rescued, "" when it can."""
        if mail.state == "quarantined":
            return f"Mail {mail.id} could not be read safely, so it cannot be drafted for: {mail.reason}"
        if mail.case and mail.state != "ignored":
            return f"Mail {mail.id} was not skipped, or is rescued already: it belongs to case {mail.case}."
        if mail.state != "ignored" or mail.kind != "mail" or mail.sender.lower() in self._owner.addresses:
            return f"Mail {mail.id} is one of your own, so there is nothing to draft."
        if email is None or "@" not in email.sender.email.strip("@"):
            return f"Mail {mail.id} has no sender address, so nobody can be answered."
        return ""

    # ------------------------------------------------------------ away

    def _away(self, connection: Connection, until: datetime) -> Carried:
        if until <= self._clock.now():
            return Carried(ok=False, says="That time is over already, so nothing was changed.")
        write_meta(connection, AWAY, until.isoformat())
        return Carried(
            ok=True,
            says=f'You are away until {format_deadline(until, self._owner)}, or until you say "back": nothing expires '
            "and no reminders come meanwhile. New drafts are still shown, and nothing is sent without your yes.",
        )

    def _back(self, connection: Connection) -> Carried:
        until = read_meta(connection, AWAY) or ""
        write_meta(connection, AWAY, "")
        if not until or datetime.fromisoformat(until) <= self._clock.now():
            return Carried(ok=True, says="You were not away; nothing changed.")
        return Carried(ok=True, says="Welcome back: reminders and expiry go on.")


# ---------------------------------------------------------------- stop and resume


def _promise_ended(connection: Connection, order: PromiseEnded) -> Carried:
    words = end_promise(connection, order.number, order.result)
    if not words:
        return Carried(ok=False, says=f'There is no promise number {order.number}; "promises" lists them.')
    ending = "is kept" if order.result == "kept" else "is dropped: you are not reminded of it"
    return Carried(ok=True, says=f'Promise {order.number} ("{words}") {ending}.')


def _stop(connection: Connection, given_at: datetime) -> Carried:
    if since := (read_meta(connection, STOPPED) or ""):
        return Carried(ok=True, says=f'Everything is stopped already ({since}); nothing goes out until "resume".')
    write_meta(connection, STOPPED, given_at.isoformat(timespec="seconds"))
    return Carried(
        ok=True,
        says='Everything is stopped: nothing goes out to any client, also what you approved, until "resume" '
        "(by mail, or ./deskhand resume). You are still asked about new mail.",
    )


def _resume(connection: Connection, given_at: datetime) -> Carried:
    since = read_meta(connection, STOPPED) or ""
    paused = paused_clients(connection)
    reminder = f' Still paused: {_names(paused)}; "resume" with the name lets them go on.' if paused else ""
    if not since:
        return Carried(ok=True, says=f"Nothing was stopped.{reminder}")
    stopped_at = _moment(since)
    if stopped_at and given_at < stopped_at - _CLOCKS_DIFFER:
        return Carried(ok=False, says="You stopped everything after you gave this order, so it stays stopped.")
    write_meta(connection, STOPPED, "")
    return Carried(ok=True, says=f"Approved mails go out again.{reminder}")


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


def _which(words: str, found: Sequence[Client], nobody: str) -> Carried:
    phrase = one_line(words, 80)
    if not found:
        return Carried(ok=False, says=f'{nobody} "{phrase}", so nothing was changed. An address is surest.')
    listed = ", ".join(f"{one_line(client.name, 80)} <{client.addresses[0]}>" for client in found[:_NAMED])
    question = f'"{phrase}" could be several, so nothing was changed; say which address: {listed}.'
    return Carried(ok=False, says=question, is_several=True)


def _names(found: Sequence[Client]) -> str:
    names = ", ".join(one_line(client.name, 80) for client in found[:_NAMED])
    return f"{names} and {len(found) - _NAMED} others" if len(found) > _NAMED else names


def _cases(numbers: Sequence[int]) -> str:
    ordered = sorted(set(numbers))
    return f"case {ordered[0]}" if len(ordered) == 1 else f"cases {', '.join(map(str, ordered))}"


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
