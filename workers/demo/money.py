"""`./deskhand demo money`: late invoices become one reminder, a promise holds the next one, a payment ends it."""

from contextlib import AsyncExitStack
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from tools.mail import mime
from workers.clock import SystemClock
from workers.demo.site import recorded
from workers.demo.stage import DemoStage, raised, written
from workers.voice.output import Output
from workflows.models.case import CaseState
from workflows.models.mail import Address
from workflows.rules.text.money import format_money

CLIENT = Address(name="Maria Alvarez", email="maria@studio.example")
SECTIONS: dict[str, dict[str, Any]] = {
    "owner": {"hours": "Mon-Sun 00:00-24:00"},  # the demo may be watched on a Sunday
    "money": {"dues_at": "00:00", "business_days": False, "details": "IBAN DE02 1203 0000 0000 2020 51"},
    "approval": {"authserv_id": "mail.winter.example"},
}
PROMISE = """\
Hi Ada,

sorry, this one slipped through. We pay on Friday.

Maria
"""


async def play(stack: AsyncExitStack, output: Output, answer: str | None) -> int:
    """0 only if the client received exactly what was approved, or nothing after a no."""
    prepare(output.home)
    return await MoneyDemo(await raised(stack, output, answer, sections=SECTIONS)).through()


def prepare(home: Path) -> None:
    """The owner's list of invoices."""
    path = home / "invoices" / "invoices.csv"
    path.parent.mkdir(exist_ok=True)
    path.write_text(recorded("invoices.csv", SystemClock().now()), "utf-8")


@dataclass(slots=True)
class MoneyDemo:
    """From the list of invoices to what the client received, and what the mailbox changed."""

    stage: DemoStage

    async def through(self) -> int:
        """Play it; the exit code."""
        stage = self.stage
        case = await self.chase()
        state = await stage.converse(case)
        well = stage.well(state, await stage.received(CLIENT.email, state))
        if state.outcome == "sent":
            well = await self._promise(state) and await self._payment() and well
        stage.remembered(case)
        stage.event("done", ok=well, case=case, outcome=state.outcome or "waiting", received=len(stage.arrived))
        stage.say("Done." if well else "It did not end as it should: see above.")
        return 0 if well else 1

    async def chase(self) -> int:
        """Read the invoices and look at what is due; the chase's case."""
        stage = self.stage
        await stage.look("invoices")
        open_now = [f"{debt.number} ({format_money(debt.balance)})" for debt in stage.service.parts.ledger.debts()]
        stage.say(f"The list of invoices is read. Open: {', '.join(open_now)}")
        due = await stage.look("dues")
        stage.event("received", source="invoices", open=open_now, due=due)
        (case,) = await stage.until(lambda: stage.cases("chase"))
        return case

    # ------------------------------------------------------------ what the mailbox changes

    async def _promise(self, state: CaseState) -> bool:
        """The client answers that they pay on Friday: nothing more is due until then."""
        stage = self.stage
        chased = mime.parse(stage.arrived[-1])
        raw = written(
            CLIENT, stage.owner, f"Re: {chased.subject}", PROMISE, message_id="<friday@studio.example>",
            in_reply_to=chased.message_id, references=(*chased.references, chased.message_id),
        )  # fmt: skip
        await stage.mail.deliver(stage.owner.email, raw)
        stage.say(f"{CLIENT.email} answers: We pay on Friday.")
        client = stage.service.parts.ledger.client_of(state.case)
        assert client is not None

        async def held() -> str | None:
            return next((hold.says for hold in stage.service.parts.ledger.holds(client.id)), None)

        sentence = await stage.until(held)
        stage.say(f"Noted: {sentence}")
        stage.event("held", says=sentence, due=await stage.look("dues"))
        return True

    async def _payment(self) -> bool:
        """PayPal tells of the money, and the owner's server vouches for PayPal: the invoice is paid, thanks are due."""
        stage = self.stage
        raw = recorded("paypal.eml", SystemClock().now()).replace("\n", "\r\n").encode()
        await stage.mail.deliver(stage.owner.email, raw)
        stage.say("PayPal writes that 1,200.00 EUR came in.")

        async def paid() -> bool | None:
            invoice = stage.service.parts.ledger.invoice("2026-014")
            return True if invoice and not invoice.balance.minor else None

        await stage.until(paid)
        stage.event("paid", number="2026-014", open=[debt.number for debt in stage.service.parts.ledger.debts()])
        (_, thanks) = await stage.until(self._second)
        state = await stage.converse(thanks)
        return stage.waits(state) or stage.well(state, await stage.received(CLIENT.email, state))

    async def _second(self) -> list[int] | None:
        chases = await self.stage.cases("chase")
        return chases if len(chases) > 1 else None
