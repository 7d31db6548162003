"""The tables of orders in docs/commands.md and docs/approval.md: what each is called, and what it does.

They are read from workflows/rules/orders/rows.py. After a change of a row: `./.venv/bin/python -m tests.orders`.
"""

from collections.abc import Mapping
from pathlib import Path

from workflows.rules.orders.row import DESK, MONEY
from workflows.rules.orders.rows import ROWS

DOCS = Path(__file__).resolve().parents[1] / "docs"


def at_the_machine(panel: str) -> str:
    """One line for each order with a command, as it is typed."""
    lines = [(row, row.command) for row in ROWS if row.command and row.command.panel == panel]
    return table("command", [(line.usage, row.command_page) for row, line in lines])


def by_mail() -> str:
    """One line for each line of the help mail."""
    return table("order", [(line.example, line.does + line.more) for row in ROWS for line in row.help])


def table(what: str, lines: list[tuple[str, str]]) -> str:
    return "\n".join([f"| {what} | does |", "|---|---|", *(f"| `{shown}` | {does} |" for shown, does in lines)])


BLOCKS: Mapping[str, Mapping[str, str]] = {
    "commands.md": {"desk": at_the_machine(DESK), "money and bids": at_the_machine(MONEY)},
    "approval.md": {"by mail": by_mail()},
}


def page(name: str, text: str) -> str:
    """The page's text with its tables as the rows have them now."""
    for title, block in BLOCKS[name].items():
        begin, end = f"<!-- orders, {title}: made by tests/orders.py -->\n", "<!-- end of orders -->"
        before, _, rest = text.partition(begin)
        assert rest, f"docs/{name} has no block for the orders, {title}"
        text = f"{before}{begin}\n{block}\n\n{end}{rest.partition(end)[2]}"
    return text


if __name__ == "__main__":
    for each in BLOCKS:
        (DOCS / each).write_text(page(each, (DOCS / each).read_text("utf-8")), "utf-8")
