"""The record: everything Deskhand saw, decided, asked and sent, behind one class.

The parts stand in files of their own, one noun each: mails, orders, people, documents, cases, answers, story. Every
call is one transaction; nothing outside `memory/` knows what database it is.
"""

from datetime import timedelta

from sqlalchemy import Engine

from memory.answers import Answers
from memory.asked_back import AskedOrders
from memory.blobs import Blobs
from memory.bounces import Bounces
from memory.cases import Cases
from memory.copies import Copies
from memory.decided import Decided
from memory.digests import Digests
from memory.documents import Documents
from memory.dues import Dues
from memory.endings import Endings
from memory.findings import Findings
from memory.hints import Hints
from memory.imports import Imports
from memory.leads import Leads
from memory.mails import Intake, SeenKind
from memory.orders import Orders
from memory.people import People
from memory.recovery import Recovery
from memory.standing import UNDO, Standing
from memory.story import Stories
from memory.work import Works
from workflows.models import Owner
from workflows.ports import Clock

__all__ = ["Intake", "Ledger", "SeenKind"]


class Ledger(
    Orders,
    AskedOrders,
    Copies,
    Hints,
    Cases,
    Digests,
    Answers,
    Decided,
    Standing,
    People,
    Documents,
    Stories,
    Recovery,
    Bounces,
    Dues,
    Endings,
    Findings,
    Leads,
    Works,
    Imports,
):
    """All of the record (implements `workflows.ports.Record`). Synchronous, safe from any thread and process."""

    def __init__(  # noqa: PLR0913, PLR0917 - what a ledger is made of
        self,
        engine: Engine,
        owner: Owner,
        clock: Clock,
        blobs: Blobs,
        intake: Intake | None = None,
        auto_after: int = 0,
        undo: timedelta = UNDO,
    ) -> None:
        super().__init__(engine, owner, clock, blobs, intake or Intake(), auto_after)
        self._undo = undo
