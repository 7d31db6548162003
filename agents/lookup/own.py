"""Desk: our own read tools: what is known of the brief's client, and nobody else. No argument names a client.

Each is one function from the brief and its arguments to sources, over a port; `tools_of` binds those whose port there
is. One more is a row: its name, what it says, its arguments, its function.
"""

import asyncio
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

from agents.lookup.tools import ReadTool
from workflows.models.drafts import Brief, Source
from workflows.models.money import Invoice
from workflows.models.work import Project, Work
from workflows.rules.debts.notices import format_day
from workflows.rules.text.canonical import one_line
from workflows.rules.text.money import format_money

ORIGIN = "Deskhand"
_MOST = 8  # sources of one answer
_NEWEST_WORK = 5
QUERY = {"type": "string", "description": "a few words: what to look for"}
Answering = Callable[[Brief, Mapping[str, Any]], Sequence[Source]]


OWN = {
    "client_history": "What was written with this client before.",
    "open_invoices": "What this client owes: number, open amount, due day.",
    "project_state": "This client's projects: milestones, newest work.",
}
"""What each of our own tools says of itself."""


STANDING_ANSWERS = "The freelancer's own texts for questions that come again: hours, prices, how they work."


class History(Protocol):
    """What was written with a client (memory/briefs/recall.py)."""

    def search(self, client: str, text: str, limit: int = ...) -> tuple[Source, ...]: ...


class Books(Protocol):
    """What the ledger knows of a client: invoices, projects, work."""

    def debts(self, client: str = "") -> tuple[Invoice, ...]: ...
    def projects_of(self, client: str) -> tuple[Project, ...]: ...
    def work_of(self, project: str) -> tuple[Work, ...]: ...


def own_tool(
    name: str, says: str, answer: Answering, arguments: Mapping[str, Any] | None = None, *, of_client: bool = True
) -> ReadTool:
    """One of our own tools. `answer` may read the ledger: it runs in a thread."""

    async def ask(brief: Brief, values: Mapping[str, Any]) -> Sequence[Source]:
        return (await asyncio.to_thread(answer, brief, values))[:_MOST]

    properties = dict(arguments or {})
    schema = {"type": "object", "properties": properties, "required": [*properties], "additionalProperties": False}
    return ReadTool(name=name, says=says, schema=schema, origin=ORIGIN, ask=ask, foreign=False, of_client=of_client)


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnTools:
    """What our own tools read."""

    history: History
    books: Books

    def tools(self) -> tuple[ReadTool, ...]:
        """Each of them, one line a tool."""
        return (
            own_tool("client_history", OWN["client_history"], self.client_history, {"query": QUERY}),
            own_tool("open_invoices", OWN["open_invoices"], self.open_invoices),
            own_tool("project_state", OWN["project_state"], self.project_state),
        )

    def client_history(self, brief: Brief, values: Mapping[str, Any]) -> Sequence[Source]:
        """Quotes of mails with this client that have to do with the query, best first."""
        return self.history.search(_client(brief), str(values["query"]), _MOST)

    def open_invoices(self, brief: Brief, _: Mapping[str, Any]) -> Sequence[Source]:
        """A source for each open invoice; one that says so when there is none."""
        invoices = self.books.debts(_client(brief))
        if not invoices:
            return (Source(id="invoice:none", kind="invoice", quote="No invoice of this client is open."),)
        return [_debt(invoice) for invoice in invoices]

    def project_state(self, brief: Brief, _: Mapping[str, Any]) -> Sequence[Source]:
        """A source for each project, each milestone that is open or done, and the newest logged work."""
        return [source for project in self.books.projects_of(_client(brief)) for source in self._state(project)]

    def _state(self, project: Project) -> Iterator[Source]:
        name = one_line(project.name, 120)
        milestones = "; ".join(
            f"{one_line(milestone.name, 80)}: {_standing(milestone.done, milestone.due)}"
            for milestone in project.milestones
        )
        yield Source(
            id=f"project:{project.id}", kind="project", quote=f"{name}. {milestones or 'No milestones are named.'}"
        )
        newest = sorted(self.books.work_of(project.id), key=lambda piece: piece.day)[-_NEWEST_WORK:]
        for piece in reversed(newest):
            yield Source(
                id=piece.id, kind="work", quote=f"{name}, {format_day(piece.day, 'en')}: {one_line(piece.text, 200)}"
            )


def _client(brief: Brief) -> str:
    """The brief's own client, whoever asks: the wall between clients stands here."""
    if brief.client is None or not brief.vouched:
        raise PermissionError("this sender's history is not looked up")
    return brief.client.id


def _debt(invoice: Invoice) -> Source:
    paid = f", of {format_money(invoice.amount)}" if invoice.balance != invoice.amount else ""
    quote = (
        f"Invoice {one_line(invoice.number, 60)}: {format_money(invoice.balance)} open{paid}, "
        f"due {format_day(invoice.due, 'en')}."
    )
    return Source(id=f"invoice:{one_line(invoice.number, 60)}", kind="invoice", quote=quote)


def _standing(done: bool, due: Any) -> str:
    if done:
        return "done"
    return f"open, due {format_day(due, 'en')}" if due else "open"
