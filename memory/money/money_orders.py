"""The owner's word about money and bids: what came in, what is promised or contested, who is chased, how a bid ended.

The owner's word is proof: it closes what a mail may only hold. Runs in the transaction that keeps the order.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import assert_never
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, select

from memory.leads.posts import set_result
from memory.money.chases import Matter
from memory.money.debts import debts_of, invoice
from memory.money.holds import note_dispute, note_promise, resume_chasing, stop_chasing
from memory.money.payments import OWNERS_WORD, Sign, note_payment
from memory.record import documents
from memory.record.events import News, tell
from memory.record.schema import cases, from_json
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.money import Invoice, Money
from workflows.models.orders import Carried, Disputed, Ended, MoneyOrder, Paid, Promised, ResumeChasing, StopChasing
from workflows.models.people import Client, Owner
from workflows.ports import Clock
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import format_money, parse_amount
from workflows.rules.text.speech import named, say, say_count
from workflows.stories import facts_of

_SAID = 80
_LISTED = 10
_CLOSED_BIDS = frozenset({"won", "lost", "no-answer"})
_RESULTS = {"won": "was won", "lost": "was lost", "no-answer": "got no answer"}


@dataclass(frozen=True, slots=True, kw_only=True)
class OrderTransaction:
    """What an order is carried out with, inside one transaction. `who`: the clients that words name, or why none is."""

    connection: Connection
    clock: Clock
    owner: Owner
    key: str  # of the order
    who: Callable[[str], Sequence[Client] | Carried]

    def says(self, sentence: str, /, **facts: object) -> str:
        """A sentence about an order, in the owner's language."""
        return say(self.owner.language, f"done.{sentence}", **facts)

    def done(self, sentence: str, /, **facts: object) -> Carried:
        """It was carried out, or there was nothing left to do."""
        return Carried(ok=True, says=self.says(sentence, **facts))

    def refused(self, sentence: str, /, **facts: object) -> Carried:
        """It was not."""
        return Carried(ok=False, says=self.says(sentence, **facts))


def carry_out(desk: OrderTransaction, order: MoneyOrder | Ended) -> Carried:
    """Carry an order about money or a bid out; the caller sees to it that this happens once."""
    match order:
        case Paid():
            outcome = _paid(desk, order)
        case Promised():
            outcome = _promised(desk, order)
        case Disputed():
            outcome = _disputed(desk, order)
        case StopChasing(client=words):
            outcome = _for_each(desk, words, _stop_chasing)
        case ResumeChasing(client=words):
            outcome = _chase(desk, words)
        case Ended():
            outcome = _end_bid(desk, order)
        case _:
            assert_never(order)
    return outcome


# ---------------------------------------------------------------- invoices


def _paid(desk: OrderTransaction, order: Paid) -> Carried:
    debt = _invoice(desk, order.what)
    if isinstance(debt, Carried):
        return debt
    try:
        amount = parse_amount(order.amount, debt.amount.currency) if order.amount.strip() else debt.balance
    except Permanent as error:
        return desk.refused("unchanged_kind", objection=error)
    if not debt.balance.minor:
        return desk.done("owes_no_more", number=debt.number)
    if not amount.minor:
        return desk.refused("nothing_came")
    receipt = _note(desk, debt, amount)
    return Carried(ok=True, says=f"{receipt} {_who(desk, debt)}".strip())


def _note(desk: OrderTransaction, found: Invoice, amount: Money) -> str:
    sign = Sign(
        key=f"{OWNERS_WORD}{desk.key}", client=found.client, amount=amount, number=found.number, proven=True,
        says="you said so", language=desk.owner.language,
    )  # fmt: skip
    return note_payment(desk.connection, desk.clock, sign)


def _who(desk: OrderTransaction, found: Invoice) -> str:
    """What the same client still owes."""
    debts = debts_of(desk.connection, found.client)
    if not debts:
        return desk.says("owes_nothing_else", name=one_line(found.name, _SAID))
    return desk.says("still_owes", name=one_line(found.name, _SAID), invoices=_listed(desk, debts))


def _promised(desk: OrderTransaction, order: Promised) -> Carried:
    until = order.until.astimezone(ZoneInfo(desk.owner.timezone)).date()
    return _speak(desk, order.what, lambda client, numbers: _note_promise(desk, client, numbers, until))


def _note_promise(desk: OrderTransaction, client: str, numbers: tuple[str, ...], until: date) -> str:
    return note_promise(desk.connection, desk.clock, _matter(desk, client, numbers), until)


def _matter(desk: OrderTransaction, client: str, numbers: tuple[str, ...]) -> Matter:
    key, language = f"order:{desk.key}", desk.owner.language
    return Matter(key=key, client=client, numbers=numbers, by_owner=True, language=language)


def _disputed(desk: OrderTransaction, order: Disputed) -> Carried:
    def note(client: str, numbers: tuple[str, ...]) -> str:
        return note_dispute(desk.connection, desk.clock, _matter(desk, client, numbers), order.reason)

    outcome = _speak(desk, order.what, note)
    hint = f" {desk.says('chase_hint', words=one_line(order.what, _SAID))}" if outcome.ok else ""
    return replace(outcome, says=outcome.says + hint)


def _speak(desk: OrderTransaction, what: str, note: Callable[[str, tuple[str, ...]], str]) -> Carried:
    """Note something about an invoice, or about all that a client owes."""
    debt = invoice(desk.connection, what)
    if debt is not None and debt.client:
        if not debt.balance.minor:
            return desk.refused("owes_no_more", number=debt.number)
        return Carried(ok=True, says=note(debt.client, (debt.number,)))
    client = _debtor(desk, what)
    return client if isinstance(client, Carried) else Carried(ok=True, says=note(client.id, ()))


def _invoice(desk: OrderTransaction, what: str) -> Invoice | Carried:
    """The invoice that is meant: by its number, or the only one of a client."""
    debt = invoice(desk.connection, what)
    if debt is not None:
        return debt
    client = _debtor(desk, what)
    if isinstance(client, Carried):
        return client
    owed = debts_of(desk.connection, client.id)
    if len(owed) == 1:
        return owed[0]
    return desk.refused("owes_several", name=one_line(client.name, _SAID), invoices=_listed(desk, owed))


def _debtor(desk: OrderTransaction, words: str) -> Client | Carried:
    """The one client these words name who owes something."""
    people = desk.who(words)
    if isinstance(people, Carried):
        return people if people.is_several else desk.refused("no_invoice", words=one_line(words, _SAID))
    owing = [client for client in people if debts_of(desk.connection, client.id)]
    if len(owing) == 1:
        return owing[0]
    if not owing:
        return desk.refused("owes_nothing", name=one_line(people[0].name, _SAID))
    names = ", ".join(one_line(f"{client.name} <{client.addresses[0]}>", _SAID) for client in owing[:_LISTED])
    return desk.refused("several_owe", names=names)


def _listed(desk: OrderTransaction, owed: Sequence[Invoice]) -> str:
    items = [f"{debt.number} ({format_money(debt.balance)})" for debt in owed[:_LISTED]]
    unlisted = len(owed) - _LISTED
    return ", ".join([*items, *([say_count(desk.owner.language, "lists.more", unlisted)] if unlisted > 0 else [])])


# ---------------------------------------------------------------- clients


def _chase(desk: OrderTransaction, words: str) -> Carried:
    """Chase a client again; an invoice's number names its client."""
    debt = invoice(desk.connection, words)
    if debt is not None and debt.client:
        return Carried(ok=True, says=_resume_chasing(desk, debt.client))
    return _for_each(desk, words, _resume_chasing)


def _stop_chasing(desk: OrderTransaction, client: str) -> str:
    return stop_chasing(desk.connection, desk.clock, client, desk.owner.language)


def _resume_chasing(desk: OrderTransaction, client: str) -> str:
    return resume_chasing(desk.connection, desk.clock, client, desk.owner.language)


def _for_each(desk: OrderTransaction, words: str, change: Callable[[OrderTransaction, str], str]) -> Carried:
    people = desk.who(words)
    if isinstance(people, Carried):
        return people
    return Carried(ok=True, says=" ".join(change(desk, client.id) for client in people))


# ---------------------------------------------------------------- bids


def _end_bid(desk: OrderTransaction, order: Ended) -> Carried:
    """How a bid ended: told to its waiting case, kept with its lead, and remembered with its client."""
    row = desk.connection.execute(select(cases).where(cases.c.number == order.case)).first()
    if row is None:
        return desk.refused("no_case", case=order.case)
    state = from_json(CaseState, row.state)
    if refusal := _no_end(desk, state):
        return refusal
    set_result(desk.connection, order.case, order.result)
    sentence = desk.says(f"bid_{order.result.replace('-', '_')}", case=order.case)
    reason = f": {one_line(order.reason, 200)}" if order.reason else "."
    if state.stage != "closed":
        summary = order.reason or f"You said it {_RESULTS[order.result]}."
        news = News(case=order.case, key=f"ended:{desk.key}", summary=summary, ends=order.result)
        tell(desk.connection, desk.clock, news)
    _remember(desk, state, order, row.title)
    outcome = named(desk.owner.language, "stages", state.outcome)
    before = f" {desk.says('noted_before', outcome=outcome)}" if state.stage == "closed" else ""
    return Carried(ok=True, says=f"{sentence}{reason}{before}")


def _no_end(desk: OrderTransaction, state: CaseState) -> Carried | None:
    """Why this case cannot end as a bid does, None when it can."""
    if not facts_of(state.kind).is_followed:
        return desk.refused("no_bid", case=state.case)
    if state.stage == "placed" or (state.stage == "closed" and state.outcome in _CLOSED_BIDS):
        return None
    if state.stage == "closed":
        outcome = named(desk.owner.language, "stages", state.outcome)
        return desk.refused("bid_never_left", case=state.case, outcome=outcome)
    return desk.refused("bid_not_left", case=state.case)


def _remember(desk: OrderTransaction, state: CaseState, order: Ended, title: str) -> None:
    """The client's history says how it ended, so that the next bid knows it."""
    if not state.client:
        return
    reason = f" {one_line(order.reason, 500)}" if order.reason else ""
    documents.keep(
        desk.connection,
        documents.Document(
            id=f"result:{order.case}.{order.result}",
            client=state.client,
            case=order.case,
            kind="sent",
            subject=title,
            text=f"The bid for this {_RESULTS[order.result]}.{reason}",
            at=desk.clock.now(),
        ),
    )
