"""Payments: signs of money that came in, proven or not, matched with an invoice, and what each led to."""

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from typing import Any

from sqlalchemy import Connection, Row, select, update

from memory.money.chases import Matter, mark_stale, withdraw
from memory.money.debts import IMPORTED, calendar_of, debts_of, invoice, today_of
from memory.money.holds import LONGEST_SAYS, end_holds, hold_once
from memory.money.settled import settle_paid
from memory.record.dialect import insert
from memory.record.schema import invoices, payments
from memory.sent.follow_ups import BrokenSilence, end_waiting
from workflows.models.money import Invoice, Money
from workflows.ports import Clock
from workflows.rules.debts.dunning import Hold, longest_hold
from workflows.rules.text.canonical import one_line
from workflows.rules.text.languages import ENGLISH
from workflows.rules.text.money import format_money
from workflows.rules.text.speech import say

OWNERS_WORD = "order:"
"""How the keys of payments begin that the owner told of."""
OVER = 2
"""In the column `told`: more came in than was owed, and the owner was not told of it yet."""
_SAME_MONEY = timedelta(days=10)
"""So long after its source a mail may still tell of the same money."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PaymentSign:
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Sign:
    """A sign of a payment, known by its key; it is proven, or it only says so.

    `client` "": the payer is unknown. `says`: where it comes from ("Stripe mail of 3 Dec", "you said so").
    """

    key: str
    client: str
    amount: Money
    number: str = ""
    proven: bool
    says: str
    language: str = ENGLISH  # the owner's, where it is the owner's own word


def note_payment(connection: Connection, clock: Clock, sign: Sign) -> str:
    """Take in a sign of a payment, once per key; what it led to, in one sentence for the owner.

    Proven and matched (by `number`, or by payer and exact balance where that is one invoice alone) it is noted, the
    waiting case told and a paid client thanked. Anything less holds the chase, and the owner is asked once.
    """
    earlier = connection.execute(select(payments.c.result).where(payments.c.key == sign.key)).scalar()
    if earlier is not None:
        return str(earlier)
    amount = sign.amount
    matched = _matched(connection, sign)
    client_id = (matched.client if matched else "") or sign.client
    if matched and _is_known(connection, clock, matched.number, amount):
        figure = format_money(amount)
        told_state, result = 1, say(sign.language, "done.paid_known", amount=figure, number=matched.number)
    elif sign.proven and matched and matched.amount.currency == amount.currency:
        # Who paid too much, or twice, will want it back: the owner hears of it, unless it is the owner's own word.
        over = amount.minor > matched.balance.minor and not sign.key.startswith(OWNERS_WORD)
        told_state = OVER if over else 1
        result = _note_proven(connection, clock, sign, matched)
    else:
        told_state, result = 0, _note_weak(connection, clock, replace(sign, client=client_id), matched)
    if client_id:
        end_waiting(
            connection, clock, BrokenSilence(client=client_id, key=f"{sign.key}:news", summary=result, ends="paid")
        )
    row = insert(payments).values(
        key=sign.key, client=client_id, number=matched.number if matched else "", minor=amount.minor,
        currency=amount.currency, proven=int(sign.proven), says=one_line(sign.says, LONGEST_SAYS), result=result,
        told=told_state, at=clock.now(),
    )  # fmt: skip
    connection.execute(row)
    return result


def _matched(connection: Connection, sign: Sign) -> Invoice | None:
    """The invoice that is meant: by its number; else the payer's one invoice with exactly this balance."""
    if sign.number:
        return invoice(connection, sign.number)
    if not (sign.client and sign.proven):
        return None
    fitting = [debt for debt in debts_of(connection, sign.client) if debt.balance == sign.amount]
    return fitting[0] if len(fitting) == 1 else None


def _note_proven(connection: Connection, clock: Clock, sign: Sign, found: Invoice) -> str:
    number, amount, figure = found.number, sign.amount, format_money(sign.amount)
    if not found.balance.minor:
        return say(sign.language, "done.paid_already", number=number, amount=figure)
    noted = (found.paid.minor if found.paid else 0) + amount.minor
    connection.execute(update(invoices).where(invoices.c.number == number).values(noted=noted))
    end_holds(connection, clock, found.client, (number,), ("evidence",))
    balance = found.balance.minor - amount.minor
    remainder = format_money(Money(minor=abs(balance), currency=amount.currency))
    if balance > 0:
        summary = say(sign.language, "done.paid_part", amount=figure, number=number, open=remainder)
        matter = Matter(key=f"payment:{sign.key}", client=found.client, numbers=(number,))
        mark_stale(connection, clock, matter, summary)
        return summary
    settle_paid(connection, clock, found.client, (number,), sign.key)
    paid = say(sign.language, "done.paid_whole", number=number, amount=figure)
    return f"{paid} {say(sign.language, 'done.paid_too_much', amount=remainder)}" if balance else paid


def _is_known(connection: Connection, clock: Clock, number: str, amount: Money) -> bool:
    """Whether its source told of this very money in the last days; each time it did so explains one sign of it."""
    same_money = (
        (payments.c.number == number)
        & payments.c.key.startswith(IMPORTED, autoescape=True)
        & (payments.c.minor == amount.minor)
        & (payments.c.currency == amount.currency)
        & (payments.c.result == "")
        & (payments.c.at > clock.now() - _SAME_MONEY)
    )
    key = connection.execute(select(payments.c.key).where(same_money).order_by(payments.c.at)).scalar()
    if key is None:
        return False
    connection.execute(update(payments).where(payments.c.key == key).values(result="a sign of it came as well"))
    return True


def _note_weak(connection: Connection, clock: Clock, sign: Sign, matched: Invoice | None) -> str:
    """Not enough to close anything: what it may be about is held, and the owner is asked."""
    figure, source, client = format_money(sign.amount), one_line(sign.says, LONGEST_SAYS), sign.client
    if not client:
        return f"{figure} may have come in ({source}), and no invoice says for what. Nothing was changed."
    subject = f"invoice {matched.number}" if matched else "an invoice of theirs"
    if matched and matched.amount.currency != sign.amount.currency:
        subject += f", which is in {matched.amount.currency}"
    elif sign.number and not matched:
        subject = f'"{one_line(sign.number, 40)}", which is no invoice of yours'
    until = longest_hold("evidence", today_of(connection, clock, client), calendar_of(connection, client))
    summary = f"{figure} may have come in for {subject} ({source})"
    matter = Matter(key=sign.key, client=client, numbers=(matched.number,) if matched else ())
    hold_once(connection, clock, matter, Hold(kind="evidence", until=until, says=summary))
    withdraw(connection, clock, replace(matter, key=f"evidence:{sign.key}"), f"{summary}.", "stopped")
    return f"{summary}. Nothing is chased for it until {until:%Y-%m-%d} unless you say otherwise."


def payment_of(row: Row[Any]) -> PaymentSign:
    return PaymentSign(
        key=row.key,
        client=row.client,
        number=row.number,
        amount=Money(minor=row.minor, currency=row.currency),
        proven=bool(row.proven),
        over=row.told == OVER,
        says=row.says,
        result=row.result,
        at=row.at,
    )
