"""Every order at the machine: by command line, control socket and ledger it is what the same words are by mail.

Each command is tried as the row's help writes the order, so that a new row is tried without a new line here.
"""

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import select
from typer.main import get_command

from memory.record.schema import orders, reading, to_json
from tests.ledgers import NOON, OWNER, House
from workers.__main__ import main
from workers.cli import app
from workers.control import ControlServer, call
from workers.desk.ordering import Orders
from workers.desk.settling import Settling
from workers.service.handlers import Handlers
from workflows.errors import NeedsOwner
from workflows.models.orders import Fix
from workflows.rules.answers.orders import parse_order
from workflows.rules.orders.row import HelpLine, OrderRow
from workflows.rules.orders.rows import ROWS

TYPED = [(row, line) for row in ROWS if row.command for line in row.help]

NOTHING_TO_STOP = (
    'There is nothing to stop that is called "aut reply". Say ./deskhand stop for everything, or ./deskhand stop auto '
    "reply for the standing yes."
)


@dataclass
class Machine:
    """A home whose ledger is real and whose service listens; there is no Temporal, which no order of these needs."""

    home: Path
    house: House

    async def type(self, *words: str) -> int:
        return await asyncio.to_thread(main, [*words, "--home", str(self.home)])

    def kept(self) -> list[str]:
        with reading(self.house.engine) as connection:
            return list(connection.execute(select(orders.c.order)).scalars())


@pytest.fixture
async def machine(tmp_path: Path) -> AsyncIterator[Machine]:
    house = House(tmp_path)

    async def nobody(*_: Any) -> None:
        raise AssertionError("nothing is handed over here")

    ordering = Orders(
        ledger=house.ledger, engine=house.engine, desk=None, owner=OWNER, clock=house.clock, hand_over=nobody,
        begin=nobody,
    )  # fmt: skip
    settling = Settling(ledger=house.ledger, rows=None, desk=None, hand_over=nobody)
    handlers = Handlers(house.ledger, None, OWNER, house.clock, ordering, settling)
    server = ControlServer(tmp_path, handlers.table())
    await server.start()
    yield Machine(tmp_path, house)
    await server.stop()


def typed(row: OrderRow, line: HelpLine) -> list[str]:
    """The words of an order as they are typed at the machine: "chase Acme --stop" for "stop chasing Acme"."""
    assert row.command
    rest = line.example.removeprefix(row.name).split()
    switch = [row.command.switch] if row.command.switch else []
    first, last = ([], switch) if row.command.option else (switch, [])
    return [row.command.name, *first, *rest, *last]


@pytest.mark.parametrize(("row", "line"), TYPED, ids=lambda value: getattr(value, "key", None) or value.example)
async def test_a_command_is_the_order_that_the_same_words_are_by_mail(
    machine: Machine, capsys: pytest.CaptureFixture[str], row: OrderRow, line: HelpLine
) -> None:
    order = parse_order(line.example, OWNER, NOON)
    code = await machine.type(*typed(row, line), "--json")
    told = json.loads(capsys.readouterr().out)
    assert row.command
    assert told["event"] == (row.command.event or row.key)
    assert told["ok"] == (code == 0)
    if isinstance(order, Fix):
        assert (order.case, told["case"], told["says"]) == (41, 41, "There is no case 41 in the ledger.")
    else:
        assert machine.kept() == [to_json(order)]


@pytest.mark.parametrize("row", [row for row in ROWS if row.command], ids=lambda row: row.key)
def test_the_usage_of_a_command_is_its_rows(row: OrderRow) -> None:
    assert row.command
    command = get_command(app).commands[row.command.name]  # type: ignore[attr-defined]
    first = next(one for one in ROWS if one.command and one.command.name == row.command.name and not one.command.switch)
    assert command.help == first.command_help
    names = {parameter.name for parameter in command.params}
    if row.command.switch and not row.command.option:
        assert names >= {"what"}
    else:
        assert names >= {argument.name for argument in row.arguments}


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["away", "some", "day"], '"some day" is not a time I understand. Say "14 Aug", "2d" or "Monday 9:00".'),
        (["promised", "7", "soon"], '"soon" is not a time I understand. Say "Friday", "14 Aug" or "10d".'),
        (["stop", "aut", "reply"], NOTHING_TO_STOP),
        (["stop", "auto", "reply", "now"], 'There is nothing to stop that is called "auto reply now".'),
        (["won", "forty"], '"forty" is not a case. Give its number, or number and version: 41 or 41.2.'),
        (["won"], "Missing argument 'CASE'."),
        (["rescue", "0"], "greater than or equal to 1"),
        (["paid"], "Missing argument 'NUMBER'."),
        (["pause"], "Missing argument"),
        (["back", "soon"], "unexpected extra argument"),
    ],
)  # fmt: skip
async def test_what_is_no_order_changes_nothing(
    machine: Machine, capsys: pytest.CaptureFixture[str], words: list[str], says: str
) -> None:
    assert await machine.type(*words) == 2
    assert says in capsys.readouterr().err
    assert machine.kept() == []


@pytest.mark.parametrize("words", [["stop"], ["stop", "all"], ["stop", "ALL"]])
async def test_stop_stops_everything(machine: Machine, words: list[str]) -> None:
    assert await machine.type(*words) == 0
    assert machine.house.ledger.stopped_since()


async def test_an_argument_that_the_service_does_not_know_is_refused(machine: Machine) -> None:
    """Left out in silence, "chase --stop" of another version would chase."""
    with pytest.raises(NeedsOwner, match='does not know "stop" here'):
        await call(machine.home, "chase", client="Acme", stop=True)
    assert machine.kept() == []
