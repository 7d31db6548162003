"""Settled invoices: whoever paid is chased no longer, and thanked where they had been chased."""

from sqlalchemy import Connection, select

from memory.money.chases import THANKS, Matter, withdraw
from memory.money.debts import today_of
from memory.money.holds import end_holds
from memory.record.dialect import insert
from memory.record.events import Beginning, begin
from memory.record.people import read_client, standing_of
from memory.record.schema import notices
from memory.sent.follow_ups import BrokenSilence, end_waiting
from workflows.ports import Clock


def settle_paid(connection: Connection, clock: Clock, client: str, numbers: tuple[str, ...], key: str) -> None:
    """These invoices are settled: no case chases them any more, and who was chased is thanked."""
    end_holds(connection, clock, client, numbers, ("promise", "dispute", "evidence", "wish", "mail"))
    chased = [invoice_number for invoice_number in numbers if _was_chased(connection, invoice_number)]
    label = "Invoice" if len(numbers) == 1 else "Invoices"
    paid = f"{label} {', '.join(numbers)} {'is' if len(numbers) == 1 else 'are'} paid."
    end_waiting(connection, clock, BrokenSilence(client=client, key=f"paid:{key}:news", summary=paid, ends="paid"))
    withdraw(connection, clock, Matter(key=f"paid:{key}", client=client, numbers=numbers), paid, "paid")
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
