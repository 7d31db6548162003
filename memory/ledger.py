"""The record: everything Deskhand saw, decided, asked and sent, behind one class.

The parts stand in files of their own, one noun each: mails, orders, people, documents, cases, answers, story. Every
call is one transaction; nothing outside `memory/` knows what database it is.
"""

from datetime import timedelta

from sqlalchemy import Engine

from memory.cases.answers import Answers
from memory.cases.asked_back import AskedOrders
from memory.cases.cases import Cases
from memory.cases.decided import Decided
from memory.cases.errands import Errands
from memory.cases.story import StoryBook
from memory.desk.affairs import AffairsBook
from memory.desk.digests import Digests
from memory.desk.invited import Invited
from memory.desk.orders import OrderBook
from memory.desk.slots import HeldSlots
from memory.desk.standing import UNDO, StandingYeses
from memory.leads.findings import Findings
from memory.leads.posts import Leads
from memory.money.dues import Dues
from memory.money.imports import Imports
from memory.post.bounces import Bounces
from memory.post.conversations import Conversations
from memory.post.copies import Copies
from memory.post.hints import HintBook
from memory.post.mails import Intake, SeenKind
from memory.record.blobs import Blobs
from memory.record.documents import Documents
from memory.record.endings import Endings
from memory.record.people import People
from memory.record.recovery import Recovery
from memory.sent.follow_ups import FollowUps
from memory.sent.promises import OwnPromises
from memory.work.projects import Works
from workflows.models.people import Owner
from workflows.ports import Clock
from workflows.rules.text.calendar import format_moment

__all__ = ["Intake", "Ledger", "SeenKind"]


class Ledger(
    OrderBook,
    AskedOrders,
    Copies,
    HintBook,
    Cases,
    Digests,
    Answers,
    Decided,
    Errands,
    StandingYeses,
    People,
    Documents,
    StoryBook,
    Recovery,
    Bounces,
    Dues,
    Endings,
    Findings,
    HeldSlots,
    Invited,
    OwnPromises,
    FollowUps,
    Leads,
    Works,
    Imports,
    AffairsBook,
    Conversations,
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

    def when_sent(self, case: int, version: int) -> str:
        """`Tue 14:02`, when the version left for the client, in the owner's time zone; "" when it did not."""
        left_at = self.left_at(case, version)
        return format_moment(left_at, self._owner) if left_at else ""
