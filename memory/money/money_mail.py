"""What a mail changes about money: a service's notice of a payment, and a debtor's promise, dispute or absence.

Runs in the transaction that records the mail. A payment may close what is owed only when it is proven; whatever else a
mail says can hold a chase, and never end a debt.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import Connection, or_, select

from memory.money.chases import Matter
from memory.money.debts import debts_of
from memory.money.holds import MAIL, note_absence, note_dispute, note_promise
from memory.money.imports import InvoiceNews, add_news
from memory.money.objections import note_unanswered, note_wish
from memory.money.payments import Sign, note_payment
from memory.record.people import find_client
from memory.record.schema import cases, client_addresses, invoices, outbox
from workflows.models.mail import Email
from workflows.models.money import Invoice
from workflows.models.people import Client
from workflows.models.routes import Ignore, Route, Start, Tell
from workflows.ports import Clock
from workflows.rules.debts.payments import NotMoney, Payment, bare_name, is_shared_domain, numbers_in
from workflows.rules.debts.promises import Absence, Dispute, PaidClaim, Promise, Said, Wish
from workflows.rules.reading import Reading
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import totals

_PEOPLES = frozenset({"first-day", "paused", "never", "ignore-list", "copy-only"})
"""Rules that skip a mail which a person wrote: what it says of money is true all the same."""
_MACHINES = frozenset({"auto-reply"})
"""Rules that skip a mail whose author is away: it may say until when."""
_FEW_WORDS = 5
_MOST_PARENTS = 50


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """A mail from an inbox as it is being recorded. `client`: who sent it, where that is known."""

    reading: Reading
    route: Route
    client: Client | None

    @property
    def email(self) -> Email:
        return self.reading.email


def hear(connection: Connection, clock: Clock, heard: Heard) -> str:
    """Take in what the mail says of money; what it led to, in plain words, "" for nothing."""
    sign = heard.reading.payment
    if isinstance(sign, Payment):
        return _take_payment(connection, clock, heard.email, sign)
    if isinstance(sign, NotMoney):
        return _take_unread(connection, heard.email, sign) if _is_to_be_told(connection, heard.email, sign) else ""
    if not _is_of_a_person(heard.route) or heard.reading.is_unproven:
        return ""  # a forger must not be able to hold anything
    debtor = _debtor(connection, heard.email, heard.client)
    return _take_words(connection, clock, heard, debtor) if debtor else ""


def _is_of_a_person(route: Route) -> bool:
    if isinstance(route, Ignore):
        return route.rule in _PEOPLES | _MACHINES
    return isinstance(route, Start | Tell)


def _is_to_be_told(connection: Connection, email: Email, sign: NotMoney) -> bool:
    """Money that could not be read; and words nobody knows, where they name an invoice that is open."""
    return sign.unread or (sign.unknown and bool(numbers_in(f"{email.subject}\n{email.text}", _owed(connection))))


def _take_unread(connection: Connection, email: Email, sign: NotMoney) -> str:
    """Money may have come in, and how much is not known: the owner is told, and says what was paid."""
    subject, reason = one_line(email.subject, 120), sign.reason.rstrip(".")
    add_news(
        connection,
        (
            InvoiceNews(
                subject=reason, says=f'{reason} ("{subject}"). Look at it, and say "paid" with the invoice\'s number.'
            ),
        ),
    )
    return sign.reason


# ---------------------------------------------------------------- payments


def _take_payment(connection: Connection, clock: Clock, email: Email, sign: Payment) -> str:
    key = f"mail:{email.identity}"
    owed = _owed(connection)
    named = numbers_in(f"{email.subject}\n{email.text}", owed)
    client = _payer(connection, sign, [owed[number] for number in named] or list(owed.values()))
    matter = Matter(key=key, client=client)
    if len(named) > 1:
        return _take_several(connection, clock, matter, sign, [owed[number] for number in named])
    number = named[0] if named else sign.number
    return note_payment(
        connection, clock,
        Sign(
            key=key, client=client, amount=sign.amount, number=number, proven=sign.proven, says=sign.says.rstrip("."),
        ),
    )  # fmt: skip


def _take_several(connection: Connection, clock: Clock, matter: Matter, sign: Payment, named: Sequence[Invoice]) -> str:
    """One payment that names several invoices: it settles them where it is exactly what they owe together."""
    exact = {invoice.amount.currency for invoice in named} == {sign.amount.currency}
    exact = exact and sum(invoice.balance.minor for invoice in named) == sign.amount.minor
    if not (sign.proven and exact):
        reason = f"{sign.says} It names {len(named)} invoices, which owe another sum" if sign.proven else sign.says
        client_id = matter.client or (named[0].client if len({invoice.client for invoice in named}) == 1 else "")
        weak = Sign(key=matter.key, client=client_id, amount=sign.amount, proven=False, says=reason.rstrip("."))
        return note_payment(connection, clock, weak)
    shares = (
        Sign(
            key=f"{matter.key}:{invoice.number}", client=invoice.client, amount=invoice.balance,
            number=invoice.number, proven=True, says=sign.says,
        )
        for invoice in named
    )  # fmt: skip
    return " ".join([note_payment(connection, clock, share) for share in shares])


def _owed(connection: Connection) -> Mapping[str, Invoice]:
    """Every invoice with a balance, by its number."""
    client_ids = connection.execute(select(invoices.c.client).where(invoices.c.gone == 0).distinct()).scalars().all()
    return {invoice.number: invoice for client in client_ids for invoice in debts_of(connection, client)}


def _payer(connection: Connection, sign: Payment, owed: Sequence[Invoice]) -> str:
    """The client whom the service names: by address, else by the one name on an invoice that is the same."""
    if sign.email and (client := find_client(connection, sign.email)):
        return client.id
    named = {
        invoice.client
        for invoice in owed
        if invoice.client and sign.payer and bare_name(invoice.name) == bare_name(sign.payer)
    }
    return named.pop() if len(named) == 1 else ""


# ---------------------------------------------------------------- what people say


def _take_words(connection: Connection, clock: Clock, heard: Heard, debtor: str) -> str:
    key = f"{MAIL}{heard.email.identity}"
    words = heard.reading.of_money
    if isinstance(heard.route, Ignore) and heard.route.rule in _MACHINES and not isinstance(words, Absence):
        return ""
    numbers = _about(heard.reading, [invoice.number for invoice in debts_of(connection, debtor)])
    matter = Matter(key=key, client=debtor, numbers=numbers)
    if words is not None:
        return _note(connection, clock, matter, words)
    if not (numbers and isinstance(heard.route, Start | Tell) and _wants_an_answer(heard.reading)):
        return ""
    return note_unanswered(connection, clock, matter, heard.reading.gist)


def _note(connection: Connection, clock: Clock, matter: Matter, said: Said) -> str:
    match said:
        case PaidClaim(words=words):
            return _take_claim(connection, clock, matter, words)
        case Promise(until=until):
            return note_promise(connection, clock, matter, until)
        case Dispute(words=words):
            return note_dispute(connection, clock, matter, words)
        case Wish(words=words):
            return note_wish(connection, clock, matter, words)
        case Absence(until=until):
            return note_absence(connection, clock, replace(matter, numbers=()), until)


def _wants_an_answer(reading: Reading) -> bool:
    """Whether it says more than a thank-you does."""
    return "?" in reading.own_words or len(reading.own_words.split()) >= _FEW_WORDS


def _take_claim(connection: Connection, clock: Clock, matter: Matter, words: str) -> str:
    """They write that they have paid: no proof, and a reason to look into the account before they are reminded."""
    owed = [
        invoice
        for invoice in debts_of(connection, matter.client)
        if not matter.numbers or invoice.number in matter.numbers
    ]
    number = owed[0].number if len(owed) == 1 else ""
    amount = owed[0].balance if len(owed) == 1 else totals(invoice.balance for invoice in owed)[0]
    sign = Sign(
        key=matter.key, client=matter.client, amount=amount, number=number, proven=False, says=f'they write "{words}"'
    )
    return note_payment(connection, clock, sign)


def _about(reading: Reading, numbers: Sequence[str]) -> tuple[str, ...]:
    """Which invoices the mail names: in its own words, else in its subject; () is all of them."""
    return numbers_in(reading.own_words, numbers) or numbers_in(reading.email.subject, numbers)


def _debtor(connection: Connection, email: Email, client: Client | None) -> str:
    """Whose debt the sender speaks of: their own; else that of their firm, when they answer or name what it is about.

    An invoice goes to billing@acme.example, and anna@acme.example answers.
    """
    if client is not None and debts_of(connection, client.id):
        return client.id
    domain = email.sender.email.lower().rpartition("@")[2]
    if not domain or is_shared_domain(domain):
        return ""
    owed = {
        invoice.number: invoice for client in _of_firm(connection, domain) for invoice in debts_of(connection, client)
    }
    named = {owed[number].client for number in numbers_in(f"{email.subject}\n{email.text}", owed)}
    answered = _answered(connection, email) & {invoice.client for invoice in owed.values()}
    matches = answered or named
    return matches.pop() if len(matches) == 1 else ""


def _of_firm(connection: Connection, domain: str) -> Sequence[str]:
    """Every client with an address there."""
    of_domain = client_addresses.c.email.endswith(f"@{domain}", autoescape=True)
    return connection.execute(select(client_addresses.c.client).where(of_domain).distinct()).scalars().all()


def _answered(connection: Connection, email: Email) -> set[str]:
    """The clients of the chase mails that this mail answers."""
    parents = email.parents[:_MOST_PARENTS]
    if not parents:
        return set()
    of_parents = or_(outbox.c.message_id.in_(parents), outbox.c.server_id.in_(parents))
    query = select(cases.c.client).join(outbox, outbox.c.case == cases.c.number)
    rows = connection.execute(query.where(of_parents, outbox.c.purpose == "client", cases.c.kind == "chase"))
    return set(rows.scalars())
