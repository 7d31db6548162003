"""Openings: a case gets its number and its first state. The one place where a case begins."""

from dataclasses import dataclass

from sqlalchemy import Connection, update

from memory.record.dialect import insert
from memory.record.schema import cases, to_json
from workflows.models.case import CaseState, Stage
from workflows.ports import Clock
from workflows.rules.text.canonical import one_line
from workflows.stories import Kind

_TITLE = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class Opening:
    """What a case begins with. `follows`: the ended case that it goes on from, 0: none."""

    kind: Kind
    title: str  # for the list of cases
    client: str = ""
    event: str = ""  # the key of what began it
    hold: str = ""  # why nothing may be drafted: the owner is shown it as it is
    stage: Stage = "new"
    follows: int = 0


def open_case(connection: Connection, clock: Clock, opening: Opening) -> CaseState:
    """Give the case the next number and keep its first state, inside the caller's transaction; that state."""
    now = clock.now()
    row = insert(cases).values(
        kind=opening.kind, client=opening.client, title=one_line(opening.title, _TITLE), stage=opening.stage, state="",
        opened_at=now, updated_at=now, follows=opening.follows,
    )  # fmt: skip
    number: int = connection.execute(row.returning(cases.c.number)).scalar_one()
    state = CaseState(
        case=number, kind=opening.kind, client=opening.client, event=opening.event, hold=opening.hold,
        stage=opening.stage,
    )  # fmt: skip
    keep_first_state(connection, state)
    return state


def keep_first_state(connection: Connection, state: CaseState) -> None:
    """The state that a case begins with, before Temporal knows of it."""
    connection.execute(update(cases).where(cases.c.number == state.case).values(state=to_json(state)))
