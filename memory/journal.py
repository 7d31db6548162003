"""The journal of model calls: every call is reserved before it is made, and answered once.

A reservation counts against the day's caps at once (calls, estimated tokens, estimated cost), in the same transaction
that looks for an earlier answer. So a retried activity never pays twice, and two calls at the same moment never share
the last cent. A call that was reserved and never ended (the process died) stays counted as if it had been made: it may
have been.

The key is (case, version, step, ordinal) with the hash of the prompt as a check. When a key holds another prompt (the
brief or a prompt file changed between two tries), the call gets the next free ordinal of that step: the older answer
stays on record and is never given for a question that was not asked.
"""

from dataclasses import dataclass
from datetime import datetime, time, timedelta
from decimal import Decimal
from typing import Any
from zoneinfo import ZoneInfo

from sqlalchemy import Connection, Engine, RowMapping, func, insert, select, update

from memory.record.schema import calls, reading, transaction
from workflows.errors import NeedsOwner, Permanent
from workflows.ports import Clock

MOST_ATTEMPTS = 4
"""How often the questions of one version may go unanswered before the model is given up.

Below the tries of a step (`PAID` in workflows/steps.py), and for all questions of the version together: a model that is
too slow for two of them must end in a template, not in a step that was tried for the last time.
"""


VECTORS = "vectors"
"""The step of calls for vectors: counted in rows of their own."""


class SpendStopped(Permanent):
    """The day's cap on money, calls or tokens is reached; no call was made."""


class GivenUp(Permanent):
    """The model was asked MOST_ATTEMPTS times without an answer."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Caps:
    """What one day of the owner may use. Local models have no price: calls and tokens hold them."""

    cost: Decimal
    calls: int
    tokens: int
    currency: str = "USD"

    @classmethod
    def parse(cls, daily_cost: str, daily_calls: int, daily_tokens: int) -> "Caps":
        """The caps as the settings write them, `daily_cost` as "2.00 USD".

        Raises:
            NeedsOwner: `daily_cost` is not an amount and a currency.
        """
        amount, _, currency = daily_cost.strip().partition(" ")
        try:
            cost = Decimal(amount)
        except ArithmeticError:
            cost = Decimal(-1)
        if not cost.is_finite() or cost < 0 or len(currency.strip()) != 3:  # noqa: PLR2004 (ISO 4217)
            problem = f'The setting model.daily_cost is "{daily_cost}", which is not an amount and a currency.'
            raise NeedsOwner(problem, 'Write it like daily_cost = "2.00 USD".')
        return cls(cost=cost, calls=daily_calls, tokens=daily_tokens, currency=currency.strip().upper())


@dataclass(frozen=True, slots=True, kw_only=True)
class CallKey:
    """Which call this is: the case's version that is drafted, the step, and the how-manieth call of that step."""

    case: int
    version: int
    step: str
    ordinal: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Estimate:
    """The most one call can use. `cost` is None when the model has no known price."""

    input_tokens: int
    output_tokens: int
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Usage:
    """What a finished call did use. `cost` is None when the model has no known price."""

    input_tokens: int
    output_tokens: int
    cost: Decimal | None = None


@dataclass(frozen=True, slots=True)
class Done:
    """The question was answered before; this is the answer."""

    answer: str


@dataclass(frozen=True, slots=True)
class Reserved:
    """The call may be made now. End it with `finish` or `failed`, under `key` (its ordinal may be a later one)."""

    key: CallKey
    estimate: Estimate
    attempt: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Spent:
    """One day's use so far. `unpriced`: calls of models without a known price, which `cost` does not hold."""

    calls: int = 0
    tokens: int = 0
    cost: Decimal = Decimal(0)
    unpriced: int = 0


class Journal:
    """Model calls in the ledger's table `calls`. Synchronous, thread-safe, one transaction a call."""

    def __init__(self, engine: Engine, clock: Clock, timezone: str = "UTC") -> None:
        self._engine = engine
        self._clock = clock
        self._zone = ZoneInfo(timezone)

    def reserve(self, key: CallKey, prompt_hash: str, model: str, caps: Caps, estimate: Estimate) -> Done | Reserved:
        """The stored answer to this question, or room for asking it.

        Raises:
            SpendStopped: the call could pass one of today's caps.
            GivenUp: this version's questions (or this one, where there is no case) went unanswered MOST_ATTEMPTS times.
        """
        now = self._clock.now()
        with transaction(self._engine) as connection:
            ordinal, row = _place(connection, key, prompt_hash)
            if row is not None and row["state"] == "done":
                return Done(row["answer"])
            _give_up(connection, key, row)
            self._refuse_past_caps(_spent(connection, self._midnight(now)), caps, estimate, now)
            place = CallKey(case=key.case, version=key.version, step=key.step, ordinal=ordinal)
            if row is None:
                connection.execute(
                    insert(calls).values(**_key_values(place), **_first(prompt_hash, model, estimate, now))
                )
            else:
                connection.execute(update(calls).where(_is(place)).values(**_again(row, model, estimate, now)))
            return Reserved(place, estimate, attempt=1 if row is None else row["attempts"] + 1)

    def finish(self, reserved: Reserved, answer: str, usage: Usage) -> None:
        """Keep the answer, and what the call did use in place of the estimate."""
        self._settle(reserved, usage, state="done", answer=answer)

    def failed(self, reserved: Reserved, reason: str, *, paid: bool) -> None:
        """Keep that there was no answer, and why (one plain sentence, nobody's text in it).

        `paid`: it may have cost money all the same, so the estimate stays counted.
        """
        nothing = Usage(
            input_tokens=0, output_tokens=0, cost=Decimal(0) if reserved.estimate.cost is not None else None
        )
        estimated = Usage(
            input_tokens=reserved.estimate.input_tokens,
            output_tokens=reserved.estimate.output_tokens,
            cost=reserved.estimate.cost,
        )
        self._settle(reserved, estimated if paid else nothing, state="failed", answer=reason)

    def charge(self, model: str, tokens: int, most_calls: int, most_tokens: int) -> None:
        """Count a call for vectors: a row a day, with a budget of its own, for nobody asks for such an answer again.

        Raises:
            SpendStopped: the call would pass a cap of [embeddings].
        """
        now = self._clock.now()
        day = self._midnight(now)
        place = CallKey(case=0, version=0, step=VECTORS, ordinal=int(f"{day:%Y%m%d}"))
        estimate = Estimate(input_tokens=tokens, output_tokens=0, cost=Decimal(0))
        with transaction(self._engine) as connection:
            row = connection.execute(select(calls).where(_is(place))).mappings().first()
            attempts, used = (row["attempts"], row["input_tokens"]) if row is not None else (0, 0)
            if attempts + 1 > most_calls or used + tokens > most_tokens:
                setting = "embeddings.daily_calls" if attempts + 1 > most_calls else "embeddings.daily_tokens"
                raise SpendStopped(
                    f"The budget of vectors for today is used up ({setting}); it starts anew at midnight."
                )
            if row is None:
                connection.execute(insert(calls).values(**_key_values(place), **_first("", model, estimate, now)))
            else:
                connection.execute(update(calls).where(_is(place)).values(**_again(row, model, estimate, now)))

    def spent_today(self) -> Spent:
        """What was used since the owner's last midnight."""
        with reading(self._engine) as connection:
            return _spent(connection, self._midnight(self._clock.now()))

    def cost(self, case: int, version: int) -> str:
        """What a version cost so far, as `Draft.cost` writes it: decimal text, or "unpriced"."""
        with reading(self._engine) as connection:
            chosen = (calls.c.case == case) & (calls.c.version == version)
            costs = connection.execute(select(calls.c.cost).where(chosen)).scalars().all()
        if "" in costs:
            return "unpriced"
        return _decimal_text(sum((Decimal(cost) for cost in costs), Decimal(0)))

    def _settle(self, reserved: Reserved, usage: Usage, *, state: str, answer: str) -> None:
        with transaction(self._engine) as connection:
            row = connection.execute(select(calls).where(_is(reserved.key))).mappings().one()
            estimate = reserved.estimate
            if row["state"] == "done":  # another attempt was quicker: its answer stands, what this one used counts too
                state, answer = row["state"], row["answer"]
            values = {
                "state": state,
                "answer": answer,
                "input_tokens": row["input_tokens"] - estimate.input_tokens + usage.input_tokens,
                "output_tokens": row["output_tokens"] - estimate.output_tokens + usage.output_tokens,
                "cost": _sum(row["cost"], usage.cost, minus=estimate.cost),
            }
            connection.execute(update(calls).where(_is(reserved.key)).values(**values))

    def _midnight(self, now: datetime) -> datetime:
        return datetime.combine(now.astimezone(self._zone).date(), time(), self._zone)

    def _refuse_past_caps(self, spent: Spent, caps: Caps, estimate: Estimate, now: datetime) -> None:
        tokens = spent.tokens + estimate.input_tokens + estimate.output_tokens
        cost = spent.cost + (estimate.cost or Decimal(0))
        if spent.calls + 1 > caps.calls:
            used, setting = f"{spent.calls} of {caps.calls} calls", "model.daily_calls"
        elif tokens > caps.tokens:
            used, setting = f"{spent.tokens} of {caps.tokens} tokens, the next call needs more", "model.daily_tokens"
        elif estimate.cost is not None and cost > caps.cost:
            used = f"{_decimal_text(spent.cost)} of {caps.cost} {caps.currency}, the next call may pass it"
            setting = "model.daily_cost"
        else:
            return
        end = self._midnight(now) + timedelta(days=1)
        raise SpendStopped(
            f"The model's budget for today is used up ({used}); it starts anew at midnight "
            f"({end:%a %d %b}, {self._zone.key}). Raise {setting} to go on sooner."
        )


def _place(connection: Connection, key: CallKey, prompt_hash: str) -> tuple[int, RowMapping | None]:
    """The ordinal this question has, and its row if it was put before."""
    step = (calls.c.case == key.case) & (calls.c.version == key.version) & (calls.c.step == key.step)
    chosen = select(calls).where(step, calls.c.ordinal >= key.ordinal).order_by(calls.c.ordinal)
    rows = connection.execute(chosen).mappings().all()
    earlier = next((row for row in rows if row["prompt_hash"] == prompt_hash), None)
    if earlier is not None:
        return earlier["ordinal"], earlier
    if rows and rows[0]["ordinal"] == key.ordinal:
        return rows[-1]["ordinal"] + 1, None
    return key.ordinal, None


def _give_up(connection: Connection, key: CallKey, row: RowMapping | None) -> None:
    """Raise GivenUp when the patience with this version's questions is over."""
    if key.case == 0:  # `check` and the like: each question for itself
        unanswered, last = (row["attempts"], row["answer"]) if row is not None else (0, "")
    else:
        of_version = select(calls).where((calls.c.case == key.case) & (calls.c.version == key.version))
        rows = connection.execute(of_version.order_by(calls.c.at)).mappings().all()
        unanswered = sum(each["attempts"] - (each["state"] == "done") for each in rows)
        last = next((each["answer"] for each in reversed(rows) if each["state"] == "failed"), "")
    if unanswered >= MOST_ATTEMPTS:
        detail = f" The last time: {last}" if last else ""
        raise GivenUp(f"The model was asked {unanswered} times and never gave an answer.{detail}")


def _is(key: CallKey) -> Any:
    return (
        (calls.c.case == key.case)
        & (calls.c.version == key.version)
        & (calls.c.step == key.step)
        & (calls.c.ordinal == key.ordinal)
    )


def _key_values(key: CallKey) -> dict[str, Any]:
    return {"case": key.case, "version": key.version, "step": key.step, "ordinal": key.ordinal}


def _first(prompt_hash: str, model: str, estimate: Estimate, now: datetime) -> dict[str, Any]:
    return {
        "prompt_hash": prompt_hash,
        "model": model,
        "state": "reserved",
        "input_tokens": estimate.input_tokens,
        "output_tokens": estimate.output_tokens,
        "cost": "" if estimate.cost is None else _decimal_text(estimate.cost),
        "attempts": 1,
        "at": now,
    }


def _again(row: RowMapping, model: str, estimate: Estimate, now: datetime) -> dict[str, Any]:
    """A further attempt adds to what the earlier ones used: they may have been paid for."""
    return {
        "model": model,
        "state": "reserved",
        "input_tokens": row["input_tokens"] + estimate.input_tokens,
        "output_tokens": row["output_tokens"] + estimate.output_tokens,
        "cost": _sum(row["cost"], estimate.cost),
        "attempts": row["attempts"] + 1,
        "at": now,
    }


def _sum(kept: str, plus: Decimal | None, minus: Decimal | None = Decimal(0)) -> str:
    if kept == "" or plus is None or minus is None:
        return ""
    return _decimal_text(Decimal(kept) + plus - minus)


def _spent(connection: Connection, since: datetime) -> Spent:
    today = (calls.c.at >= since) & (calls.c.step != VECTORS)
    totals = select(
        func.coalesce(func.sum(calls.c.attempts), 0),
        func.coalesce(func.sum(calls.c.input_tokens + calls.c.output_tokens), 0),
    )
    attempts, tokens = connection.execute(totals.where(today)).one()
    # Summed here, not by the database: money is never a float.
    costs = connection.execute(select(calls.c.cost).where(today)).scalars().all()
    priced = sum((Decimal(cost) for cost in costs if cost), Decimal(0))
    return Spent(calls=attempts, tokens=tokens, cost=priced, unpriced=sum(1 for cost in costs if not cost))


def _decimal_text(value: Decimal) -> str:
    """Plain digits, at least no exponent: 0.00125, 0, 2."""
    return f"{value.normalize():f}"
