"""What clients owe: their invoices, what came in, and what speaks against chasing.

Every function takes the `connection` of the caller's transaction: a payment mail, the hold it causes and the news for
the waiting case are kept together or not at all. Sources state invoices; proven payments and the owner's word are
noted beside them, so that a source which lags behind never makes a paid invoice open again.
"""

import hashlib
import re
from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import date, datetime, timedelta
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Row, delete, func, select, update
from sqlalchemy.dialects.sqlite import insert

from memory.record.book import Book
from memory.record.events import Beginning, begin, open_cases_of, tell
from memory.record.people import client_at, mark_written_to, read_client, standing_of
from memory.record.schema import (
    cases,
    debt_holds,
    debtors,
    from_json,
    imports,
    invoices,
    notices,
    outbox,
    payments,
    seen,
    to_json,
)
from workflows.models import Address, CaseState, Invoice, Money
from workflows.ports import Clock
from workflows.rules.debts.dunning import BusinessDays, Hold, HoldKind, Made, is_on, longest_hold, zone_of
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import format_money, totals
from workflows.stories import Kind, kinds_that

THANKS = "thanks"
"""The stage of a notice that chases nothing: what was paid is thanked for."""
_MADE = frozenset({"sent", "uncertain", "sent-by-owner", "answered-by-owner", "mine"})
_REFUSED = frozenset({"rejected", "expired", "failed"})
_SAYS = 300
OWNERS_WORD = "order:"
"""How the keys of payments begin that the owner told of."""
_OVER = 2
"""In the column `told`: more came in than was owed, and the owner was not told of it yet."""
MAIL = "mail:"
"""How the keys begin of what a client's mail said."""
_IMPORT = "import:"
"""How the keys of payments begin that a source told of."""
_SAME_MONEY = timedelta(days=10)
"""So long after its source a mail may still tell of the same money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Changes:
    """What an import brought, by invoice number."""

    appeared: tuple[str, ...] = ()
    changed: tuple[str, ...] = ()  # what is owed or when it is due is another than before: a plain sentence each
    paid: tuple[str, ...] = ()  # had a balance before, and has none now
    vanished: tuple[str, ...] = ()  # their source does not list them any more: they are chased no longer
    clashes: tuple[str, ...] = ()  # another source lists the same number otherwise, and is the one believed
    unreachable: tuple[str, ...] = ()  # without an address of the client: kept, never chased

    @property
    def says(self) -> str:
        """In one line: "3 new invoices, 1 changed, 2 paid"; "nothing new" when nothing is."""
        counts = (
            (len(self.appeared), "new"),
            (len(self.changed), "changed"),
            (len(self.paid), "paid"),
            (len(self.vanished), "no longer listed"),
            (len(self.clashes), "listed by another source too"),
            (len(self.unreachable), "without an address"),
        )
        return ", ".join(f"{count} {word}" for count, word in counts if count) or "nothing new"


@dataclass(frozen=True, slots=True, kw_only=True)
class Payment:
    """One sign of money: what it says and what it led to."""

    key: str
    client: str
    number: str
    amount: Money
    proven: bool
    over: bool = False  # more than was owed
    says: str
    result: str
    at: datetime


# ---------------------------------------------------------------- invoices


def keep_invoices(  # noqa: PLR0913 - an import and what is known of it
    connection: Connection,
    clock: Clock,
    source: str,
    found: Sequence[Invoice],
    *,
    complete: bool,
    read_at: datetime,
    aside: Collection[str] = (),
) -> Changes:
    """Keep what a source lists: new, changed and paid invoices; clients are found or made by their address.

    `complete`: the source listed all it has, so what it listed before and lists no more is chased no longer.
    `aside`: the numbers of what it lists and could not be taken; what is known of them stays as it is.
    `read_at`: from when its data is (a file's modification time, the time of an API's answer). Waiting cases are told.
    """
    news = _Import(connection, clock, source, read_at)
    for invoice in found:
        news.take(invoice)
    if complete:
        news.miss({invoice.number for invoice in found}.union(aside))
    news.settle()
    mine = (invoices.c.source == source) & (invoices.c.gone == 0)
    connection.execute(update(invoices).where(mine).values(read_at=read_at))
    newest = insert(imports).values(source=source, read_at=read_at)
    connection.execute(newest.on_conflict_do_update(index_elements=["source"], set_={"read_at": read_at}))
    return news.changes()


class _Import:
    """One import under way."""

    def __init__(self, connection: Connection, clock: Clock, source: str, read_at: datetime) -> None:
        self._connection, self._clock, self._source, self._read_at = connection, clock, source, read_at
        # Looked up once: an import that brings nothing new must not hold the ledger for longer than a moment.
        self._rows = {row.number: row for row in connection.execute(select(invoices)).all()}
        self._clients: dict[tuple[str, str], str] = {}  # (address, country) -> client
        self._found: dict[str, list[str]] = {}
        self._settled: dict[str, list[str]] = {}  # client -> numbers that were paid

    def take(self, invoice: Invoice) -> None:
        row = self._rows.get(invoice.number)
        if row is not None and row.source != self._source and not row.gone:
            if _facts(from_json(Invoice, row.invoice)) != _facts(invoice):
                self._note("clashes", invoice.number)
            return
        stated = replace(invoice, client=self._client_of(invoice), source=self._source)
        if row is None or row.gone:
            self._write(stated)
            self._note("appeared", invoice.number)
        elif row.invoice != to_json(stated):
            self._write(stated)
            self._compare(_as_known(row), _with_noted(stated, row.noted))
            self._note_received(from_json(Invoice, row.invoice), stated)

    def miss(self, listed: Collection[str]) -> None:
        """What the source had and has no more."""
        mine = [row for row in self._rows.values() if row.source == self._source and not row.gone]
        for row in mine:
            if row.number in listed:
                continue
            self._connection.execute(update(invoices).where(invoices.c.number == row.number).values(gone=1))
            if _as_known(row).balance.minor:
                self._note("vanished", row.number)
                summary = f"Invoice {row.number} is no longer listed by its source."
                key = f"gone:{row.number}:{self._read_at.isoformat()}"
                _withdraw(self._connection, self._clock, row.client, (row.number,), key, summary, "gone")

    def settle(self) -> None:
        """Whoever paid is chased no longer, and thanked where they had been."""
        for client, numbers in self._settled.items():
            key = f"paid:{'+'.join(sorted(numbers))}:{self._read_at.isoformat()}"
            _paid(self._connection, self._clock, client, tuple(numbers), key)

    def changes(self) -> Changes:
        return Changes(**{name: tuple(numbers) for name, numbers in self._found.items()})

    def _compare(self, before: Invoice, now: Invoice) -> None:
        if before.client != now.client and before.balance.minor:
            what = f"Invoice {now.number} now goes to somebody else."
            _withdraw(
                self._connection, self._clock, before.client, (now.number,), f"moved:{self._key(now)}", what, "gone"
            )  # fmt: skip
        if before.balance.minor and not now.balance.minor:
            if now.state == "cancelled":
                self._note("changed", f"Invoice {now.number} was cancelled.")
                _withdraw(
                    self._connection, self._clock, now.client, (now.number,),
                    self._key(now), f"Invoice {now.number} was cancelled.", "gone",
                )  # fmt: skip
                return
            self._note("paid", now.number)
            self._settled.setdefault(now.client, []).append(now.number)
        elif (what := _difference(before, now)) and now.balance.minor:
            self._note("changed", what)
            _stale(self._connection, self._clock, now.client, now.number, self._key(now), what)

    def _note_received(self, before: Invoice, now: Invoice) -> None:
        """What the source says came in since: the mail that tells of the same money may come after it."""
        more = _received(now) - _received(before)
        if more <= 0 or now.state == "cancelled":
            return
        row = insert(payments).values(
            key=f"{_IMPORT}{self._source}:{now.number}:{_received(now)}", client=now.client, number=now.number,
            minor=more, currency=now.amount.currency, proven=1, says=self._source, result="", told=1,
            at=self._clock.now(),
        )  # fmt: skip
        self._connection.execute(row.on_conflict_do_nothing(index_elements=["key"]))

    def _key(self, invoice: Invoice) -> str:
        seal = hashlib.sha256(to_json(invoice).encode()).hexdigest()[:12]
        return f"invoice:{invoice.number}:{seal}:{self._read_at.isoformat()}"

    def _client_of(self, invoice: Invoice) -> str:
        """The client with this address, made when nobody has it; "" without an address."""
        if "@" not in invoice.email:
            self._note("unreachable", invoice.number)
            return ""
        email = invoice.email.lower()
        if (email, invoice.country) not in self._clients:
            known = client_at(self._connection, Address(email=email, name=invoice.name), self._clock).id
            self._clients[email, invoice.country] = known
            mark_written_to(self._connection, known)
            if invoice.country:
                self._note_country(known, invoice.country)
        return self._clients[email, invoice.country]

    def _note_country(self, client: str, country: str) -> None:
        row = insert(debtors).values(client=client, country=country)
        values = {"country": country}
        self._connection.execute(row.on_conflict_do_update(index_elements=["client"], set_=values))

    def _write(self, invoice: Invoice) -> None:
        values = {
            "client": invoice.client,
            "source": invoice.source,
            "invoice": to_json(invoice),
            "gone": 0,
            "read_at": self._read_at,
        }
        row = insert(invoices).values(number=invoice.number, at=self._clock.now(), **values)
        self._connection.execute(row.on_conflict_do_update(index_elements=["number"], set_=values))

    def _note(self, what: str, number: str) -> None:
        self._found.setdefault(what, []).append(number)


def invoice(connection: Connection, number: str) -> Invoice | None:
    """The invoice with that number as it stands now, however its blanks, case and marks are written; None: unknown."""
    row = _row(connection, number)
    if row is None:
        plain = _plain(number)
        alike = [one for one in connection.execute(select(invoices)).all() if plain and _plain(one.number) == plain]
        row = alike[0] if len(alike) == 1 else None
    return None if row is None else _as_known(row)


def debts_of(connection: Connection, client: str) -> tuple[Invoice, ...]:
    """What this client owes now, late or not, the oldest first."""
    mine = select(invoices).where(invoices.c.client == client, invoices.c.gone == 0)
    known = (_as_known(row) for row in connection.execute(mine.order_by(invoices.c.number)).all())
    return tuple(sorted((one for one in known if one.balance.minor), key=_oldest_first))


def debtors_now(connection: Connection) -> tuple[str, ...]:
    """Every client who owes anything now, by id; whose debt is the oldest comes first."""
    rows = connection.execute(select(invoices).where(invoices.c.gone == 0, invoices.c.client != "")).all()
    owing = sorted((one for row in rows if (one := _as_known(row)).balance.minor), key=_oldest_first)
    return tuple(dict.fromkeys(one.client for one in owing))


def _oldest_first(one: Invoice) -> tuple[date, str]:
    return one.due, one.number


def bank_data_day(connection: Connection) -> date | None:
    """The day of the newest thing known about payments: an import's data or a payment; None when there is none."""
    imported = connection.execute(select(func.max(imports.c.read_at))).scalar()
    noted = connection.execute(select(func.max(payments.c.at)).where(payments.c.proven == 1)).scalar()
    days = [moment.date() for moment in (imported, noted) if moment]
    return max(days, default=None)


def _row(connection: Connection, number: str) -> Row[Any] | None:
    return connection.execute(select(invoices).where(invoices.c.number == number)).first()


def _as_known(row: Row[Any]) -> Invoice:
    """The invoice as its source states it, with what was noted beside it: the larger of both counts, never the sum."""
    return replace(_with_noted(from_json(Invoice, row.invoice), row.noted), client=row.client)


def _with_noted(stated: Invoice, noted: int) -> Invoice:
    if stated.state == "cancelled":
        return replace(stated, paid=stated.amount)
    paid = Money(minor=max(_received(stated), noted), currency=stated.amount.currency)
    settled = paid.minor >= stated.amount.minor
    return replace(stated, paid=paid if paid.minor else None, state="paid" if settled else "open")


def _received(stated: Invoice) -> int:
    """The minor units that the source says came in."""
    if stated.state == "paid":
        return stated.amount.minor
    return stated.paid.minor if stated.paid else 0


def _facts(one: Invoice) -> tuple[Any, ...]:
    return (one.amount, one.due, one.state, one.paid, one.email.lower())


def _difference(before: Invoice, now: Invoice) -> str:
    """What the owner and the waiting draft should know, "" for nothing that matters."""
    if before.balance != now.balance:
        was, is_now = (format_money(one.balance) for one in (before, now))
        return f"Invoice {now.number} now has {is_now} open instead of {was}."
    if before.due != now.due:
        return f"Invoice {now.number} is now due on {now.due:%Y-%m-%d} instead of {before.due:%Y-%m-%d}."
    if before.email.lower() != now.email.lower():
        return f"Invoice {now.number} now goes to {now.email} instead of {before.email}."
    return ""


def _plain(number: str) -> str:
    return re.sub(r"[^\w]|_", "", number).casefold()


# ---------------------------------------------------------------- payments


def note_payment(  # noqa: PLR0913 - what a payment is known by
    connection: Connection,
    clock: Clock,
    *,
    key: str,
    client: str,
    amount: Money,
    number: str = "",
    proven: bool,
    says: str,
) -> str:
    """Take in a sign of a payment, once per key; what it led to, in one sentence for the owner.

    Proven and matched (by `number`, or by payer and exact balance where that is one invoice alone) it is noted, the
    waiting case told and a paid client thanked. Anything less holds the chase, and the owner is asked once.
    `client` "": the payer is unknown. `says`: where it comes from ("Stripe mail of 3 Dec", "you said so").
    """
    known = connection.execute(select(payments.c.result).where(payments.c.key == key)).scalar()
    if known is not None:
        return str(known)
    matched = _matched(connection, client, amount, number, proven=proven)
    whose = (matched.client if matched else "") or client
    if matched and _is_known(connection, clock, matched.number, amount):
        told, result = 1, f"{format_money(amount)} of invoice {matched.number} was known already."
    elif proven and matched and matched.amount.currency == amount.currency:
        # Who paid too much, or twice, will want it back: the owner hears of it, unless it is the owner's own word.
        over = amount.minor > matched.balance.minor and not key.startswith(OWNERS_WORD)
        told = _OVER if over else 1
        result = _note_proven(connection, clock, key, matched, amount)
    else:
        told, result = 0, _note_weak(connection, clock, key, whose, matched, amount, number, says)
    row = insert(payments).values(
        key=key, client=whose, number=matched.number if matched else "", minor=amount.minor, currency=amount.currency,
        proven=int(proven), says=one_line(says, _SAYS), result=result, told=told, at=clock.now(),
    )  # fmt: skip
    connection.execute(row)
    return result


def _matched(connection: Connection, client: str, amount: Money, number: str, *, proven: bool) -> Invoice | None:
    """The invoice that is meant: by its number; else the payer's one invoice with exactly this balance."""
    if number:
        return invoice(connection, number)
    if not (client and proven):
        return None
    fitting = [one for one in debts_of(connection, client) if one.balance == amount]
    return fitting[0] if len(fitting) == 1 else None


def _note_proven(connection: Connection, clock: Clock, key: str, found: Invoice, amount: Money) -> str:
    number, shown = found.number, format_money(amount)
    if not found.balance.minor:
        return f"Invoice {number} was paid already; {shown} more was noted."
    noted = (found.paid.minor if found.paid else 0) + amount.minor
    connection.execute(update(invoices).where(invoices.c.number == number).values(noted=noted))
    _end_holds(connection, clock, found.client, (number,), ("evidence",))
    left = found.balance.minor - amount.minor
    if left > 0:
        still = format_money(Money(minor=left, currency=amount.currency))
        what = f"{shown} of invoice {number} came in; {still} is still open."
        _stale(connection, clock, found.client, number, f"payment:{key}", what)
        return what
    _paid(connection, clock, found.client, (number,), key)
    extra = f" {format_money(Money(minor=-left, currency=amount.currency))} more than was open came in." if left else ""
    return f"Invoice {number} is paid ({shown}).{extra}"


def _is_known(connection: Connection, clock: Clock, number: str, amount: Money) -> bool:
    """Whether its source told of this very money in the last days; each time it did so explains one sign of it."""
    which = (
        (payments.c.number == number)
        & payments.c.key.startswith(_IMPORT, autoescape=True)
        & (payments.c.minor == amount.minor)
        & (payments.c.currency == amount.currency)
        & (payments.c.result == "")
        & (payments.c.at > clock.now() - _SAME_MONEY)
    )
    key = connection.execute(select(payments.c.key).where(which).order_by(payments.c.at)).scalar()
    if key is None:
        return False
    connection.execute(update(payments).where(payments.c.key == key).values(result="a sign of it came as well"))
    return True


def _note_weak(  # noqa: PLR0913, PLR0917 - as `note_payment`
    connection: Connection,
    clock: Clock,
    key: str,
    client: str,
    matched: Invoice | None,
    amount: Money,
    number: str,
    says: str,
) -> str:
    """Not enough to close anything: what it may be about is held, and the owner is asked."""
    shown = format_money(amount)
    if not client:
        return f"{shown} may have come in ({one_line(says, _SAYS)}), and no invoice says for what. Nothing was changed."
    about = f"invoice {matched.number}" if matched else "an invoice of theirs"
    if matched and matched.amount.currency != amount.currency:
        about += f", which is in {matched.amount.currency}"
    elif number and not matched:
        about = f'"{one_line(number, 40)}", which is no invoice of yours'
    until = longest_hold("evidence", today_of(connection, clock, client), _calendar(connection, client))
    what = f"{shown} may have come in for {about} ({one_line(says, _SAYS)})"
    hold_once(
        connection, clock, key=key, client=client, numbers=(matched.number,) if matched else (), kind="evidence",
        until=until, says=what, by_owner=False,
    )  # fmt: skip
    _withdraw(connection, clock, client, (matched.number,) if matched else (), f"evidence:{key}", f"{what}.", "stopped")
    return f"{what}. Nothing is chased for it until {until:%Y-%m-%d} unless you say otherwise."


def _paid(connection: Connection, clock: Clock, client: str, numbers: tuple[str, ...], key: str) -> None:
    """These invoices are settled: no case chases them any more, and who was chased is thanked."""
    _end_holds(connection, clock, client, numbers, ("promise", "dispute", "evidence", "wish", "mail"))
    chased = [one for one in numbers if _was_chased(connection, one)]
    label = "Invoice" if len(numbers) == 1 else "Invoices"
    _withdraw(
        connection, clock, client, numbers, f"paid:{key}",
        f"{label} {', '.join(numbers)} {'is' if len(numbers) == 1 else 'are'} paid.", "paid",
    )  # fmt: skip
    standing = standing_of(connection, client)
    if not chased or standing.hold or standing.refuses("chase") or standing.paused:
        return
    person = read_client(connection, client)
    case = begin(
        connection,
        clock,
        Beginning(
            kind="chase",
            event="debt",
            # One payment of several invoices has a key for each of them, and is thanked for once.
            key=f"thanks:{key.removesuffix(f':{numbers[0]}')}",
            client=client,
            title=f"{person.name if person else client}: {', '.join(chased)} paid",
            summary=f"{', '.join(chased)} paid after a notice.",
            sender=person.name if person else "",
        ),
    )
    today = today_of(connection, clock, client).isoformat()
    for number in chased:
        row = insert(notices).values(case=case, number=number, client=client, step=0, stage=THANKS, day=today)
        connection.execute(row.on_conflict_do_nothing())


def _was_chased(connection: Connection, number: str) -> bool:
    query = select(notices.c.case).where(notices.c.number == number, notices.c.stage != THANKS)
    return connection.execute(query).first() is not None


# ---------------------------------------------------------------- what speaks against chasing


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
        until = min(until, longest_hold("promise", today_of(connection, clock, client), _calendar(connection, client)))
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
        until = min(until, longest_hold("absence", today_of(connection, clock, client), _calendar(connection, client)))
    what = f"they are away until {until:%a} {until.day} {until:%b %Y}"
    return speak_against(connection, clock, key, client, (), "absence", until, what, "stopped", by_owner=by_owner)


def stop_chasing(connection: Connection, clock: Clock, client: str) -> str:
    """The owner wants no chasing of this client until they say otherwise."""
    now = clock.now()
    row = insert(debtors).values(client=client, stopped_at=now)
    connection.execute(row.on_conflict_do_update(index_elements=["client"], set_={"stopped_at": now}))
    what = "you said they are not to be chased"
    _withdraw(connection, clock, client, (), f"stop-chasing:{now.isoformat()}", f"{what}.", "stopped")
    return f"{_name(connection, client)} is not chased any more until you say 'chase {_name(connection, client)}'."


def resume_chasing(connection: Connection, clock: Clock, client: str) -> str:
    """They are chased again: the stop, disputes, promises, absences and doubtful payments of this client are over."""
    connection.execute(update(debtors).where(debtors.c.client == client).values(stopped_at=None))
    over: tuple[HoldKind, ...] = ("promise", "dispute", "absence", "evidence", "wish", "mail", "complaint")
    _end_holds(connection, clock, client, (), over)
    still = "".join(f" Until then: {hold.says}." for hold in holds_of(connection, client))
    return f"{_name(connection, client)} is chased again when the next notice is due.{still}"


def hold_chasing(connection: Connection, clock: Clock, client: str, *, key: str, summary: str) -> None:
    """A complaint came: every open case of this client that it ends is over at once; nothing of it is sent."""
    for case in open_cases_of(connection, client, kinds_that(lambda story: story.ends_with_complaint)):
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
    about = f"invoice {', '.join(known)}" if known else f"what {_name(connection, client)} owes"
    sentence = f"{what[0].upper()}{what[1:]}: {about} is not chased meanwhile."
    if hold_once(
        connection, clock, key=key, client=client, numbers=known, kind=kind, until=until, says=what, by_owner=by_owner
    ):
        _withdraw(connection, clock, client, known, f"{kind}:{key}", sentence, ends)
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
    _end_holds(connection, clock, client, tuple(numbers), (kind,))
    for number in numbers or ("",):
        row = insert(debt_holds).values(
            key=key, client=client, number=number, kind=kind, until=until.isoformat() if until else None,
            says=one_line(says, _SAYS), by_owner=int(by_owner), at=clock.now(),
        )  # fmt: skip
        connection.execute(row)
    return True


def _end_holds(
    connection: Connection, clock: Clock, client: str, numbers: tuple[str, ...], kinds: Iterable[HoldKind]
) -> None:
    """End the holds of these kinds on these invoices; () ends those on all of the client's."""
    which = (debt_holds.c.client == client) & debt_holds.c.kind.in_(tuple(kinds)) & debt_holds.c.ended_at.is_(None)
    if numbers:
        which &= debt_holds.c.number.in_(numbers)
    connection.execute(update(debt_holds).where(which).values(ended_at=clock.now()))


# ---------------------------------------------------------------- the waiting case


def notices_of(connection: Connection, client: str, zone: str) -> tuple[Made, ...]:
    """The notices about this client's invoices that are over. `zone`: the client's, in which the day is counted.

    Sent is what left, whatever else its case heard; refused is what the owner refused or let lapse, and what came back.
    """
    query = (
        select(notices.c.number, notices.c.step, notices.c.case, cases.c.state, cases.c.closed_at)
        .join(cases, cases.c.number == notices.c.case)
        .where(notices.c.client == client, notices.c.step > 0, cases.c.closed_at.is_not(None))
    )
    rows = connection.execute(query.order_by(cases.c.closed_at)).all()
    left = _left(connection, {row.case for row in rows})
    found = []
    for row in rows:
        outcome, day = from_json(CaseState, row.state).outcome, row.closed_at.astimezone(ZoneInfo(zone)).date()
        bounced = left.get(row.case, "")
        if bounced or (outcome in _REFUSED and row.case not in left):
            found.append(Made(number=row.number, step=row.step, day=day, how="refused"))
        elif outcome in _MADE or row.case in left:
            found.append(Made(number=row.number, step=row.step, day=day, how="sent"))
    return tuple(found)


def _left(connection: Connection, about: Collection[int]) -> dict[int, str]:
    """The cases whose mail left for the client, and why it came back ("" when it did not)."""
    query = select(outbox.c.case, outbox.c.bounced).where(
        outbox.c.purpose == "client", outbox.c.case.in_(about), outbox.c.state.in_(("committing", "sent", "uncertain"))
    )
    return {row.case: row.bounced for row in connection.execute(query)}


def bounced_notices(connection: Connection, client: str) -> tuple[str, ...]:
    """Why notices to this client came back, the newest last."""
    query = (
        select(outbox.c.bounced)
        .join(notices, notices.c.case == outbox.c.case)
        .where(notices.c.client == client, outbox.c.purpose == "client", outbox.c.bounced != "")
    )
    return tuple(dict.fromkeys(connection.execute(query.order_by(outbox.c.id)).scalars()))


def open_chases(connection: Connection, client: str) -> dict[int, tuple[str, ...]]:
    """The open chase cases of a client, thank-yous left out: case -> the numbers it is about."""
    kinds: tuple[Kind, ...] = ("chase",)
    open_ones = open_cases_of(connection, client, kinds)
    query = select(notices.c.case, notices.c.number).where(notices.c.case.in_(open_ones), notices.c.stage != THANKS)
    found: dict[int, tuple[str, ...]] = {}
    for row in connection.execute(query.order_by(notices.c.case, notices.c.number)):
        found[row.case] = (*found.get(row.case, ()), row.number)
    return found


def _withdraw(  # noqa: PLR0913, PLR0917 - what is told to a case
    connection: Connection,
    clock: Clock,
    client: str,
    numbers: tuple[str, ...],
    key: str,
    summary: str,
    ends: str,
) -> None:
    """Take invoices (() is all) from the waiting chase: it ends when none is left, else it is drafted again."""
    for case, about in open_chases(connection, client).items():
        concerned = tuple(one for one in about if not numbers or one in numbers)
        if not concerned:
            continue
        if len(concerned) == len(about):
            tell(connection, clock, case=case, key=f"{key}:{case}", summary=summary, ends=ends)
            continue
        which = (notices.c.case == case) & notices.c.number.in_(concerned)
        connection.execute(delete(notices).where(which))
        tell(connection, clock, case=case, key=f"{key}:{case}", summary=summary)


def _stale(  # noqa: PLR0913, PLR0917 - what is told to a case
    connection: Connection, clock: Clock, client: str, number: str, key: str, summary: str
) -> None:
    """What the waiting chase says about this invoice is no longer so: it is drafted again."""
    for case, about in open_chases(connection, client).items():
        if number in about:
            tell(connection, clock, case=case, key=f"{key}:{case}", summary=summary)


# ---------------------------------------------------------------- the client's day


def country_of(connection: Connection, client: str) -> str:
    """The client's country where an invoice stated it, else ""."""
    return str(connection.execute(select(debtors.c.country).where(debtors.c.client == client)).scalar() or "")


def _calendar(connection: Connection, client: str) -> BusinessDays:
    return BusinessDays(country=country_of(connection, client))


def today_of(connection: Connection, clock: Clock, client: str) -> date:
    """The day it is where the client is."""
    return clock.now().astimezone(ZoneInfo(zone_of(country_of(connection, client), "UTC"))).date()


def _name(connection: Connection, client: str) -> str:
    person = read_client(connection, client)
    return one_line(person.name, 80) if person else "nobody"


# ---------------------------------------------------------------- the ledger's own calls


class Debts(Book):
    """The same as calls of their own, each in one transaction."""

    def keep_invoices(self, source: str, found: Sequence[Invoice], *, complete: bool, read_at: datetime) -> Changes:
        """As the function of that name."""
        with self._writing() as connection:
            return keep_invoices(connection, self._clock, source, found, complete=complete, read_at=read_at)

    def invoice(self, number: str) -> Invoice | None:
        """The invoice with that number as it stands now."""
        with self._reading() as connection:
            return invoice(connection, number)

    def debts(self, client: str = "") -> tuple[Invoice, ...]:
        """What is owed now, by this client or (client "") by everybody."""
        with self._reading() as connection:
            wanted = [client] if client else connection.execute(select(invoices.c.client).distinct()).scalars().all()
            found = [one for whose in sorted(wanted) for one in debts_of(connection, whose)]
        return tuple(sorted(found, key=_oldest_first))

    def holds(self, client: str) -> tuple[Hold, ...]:
        """What speaks against chasing this client now."""
        with self._reading() as connection:
            return holds_of(connection, client)

    def owed(self) -> tuple[Money, ...]:
        """Everything that is owed, one amount for each currency."""
        return totals(one.balance for one in self.debts())

    def bank_data_day(self) -> date | None:
        """The day of the newest thing known about payments."""
        with self._reading() as connection:
            return bank_data_day(connection)

    def payments_to_ask_about(self) -> tuple[Payment, ...]:
        """What the owner was not told of yet: signs that are not enough, and more than was owed; oldest first."""
        query = select(payments).where(payments.c.told.in_((0, _OVER))).order_by(payments.c.at)
        with self._reading() as connection:
            return tuple(_payment(row) for row in connection.execute(query))

    def mark_payment_told(self, key: str) -> None:
        """The owner was asked about it."""
        with self._writing() as connection:
            connection.execute(update(payments).where(payments.c.key == key).values(told=1))


def _payment(row: Row[Any]) -> Payment:
    return Payment(
        key=row.key,
        client=row.client,
        number=row.number,
        amount=Money(minor=row.minor, currency=row.currency),
        proven=bool(row.proven),
        over=row.told == _OVER,
        says=row.says,
        result=row.result,
        at=row.at,
    )
