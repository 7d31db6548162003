"""What the activities need of the packages to the right, named without importing them.

One Protocol per neighbour. `workers/service/wiring.py` fills them with the real classes. Methods that touch the ledger,
Chroma or a file are plain functions and run in the activity thread pool; those that wait for a network are coroutines.
"""

from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime
from typing import Protocol

from workflows.models.case import CaseState
from workflows.models.decisions import Answer, Attach, Without
from workflows.models.drafts import Asking, Brief, Draft, Offer, Outgoing, Receipt
from workflows.models.mail import Attachment
from workflows.models.people import Client
from workflows.models.proposals import Argument
from workflows.models.routes import Event
from workflows.rules.desk.slots import CalendarView, Slot
from workflows.stories import Kind


class Clock(Protocol):
    """The one source of "now" outside workflow code (inside it: `workflow.now()`)."""

    def now(self) -> datetime:
        """The current time, timezone-aware."""


class Calendar(Protocol):
    """The owner's calendars, as far as a draft needs them: when something is, never what."""

    async def busy(self, first: datetime, last: datetime, *, anew: bool = False) -> CalendarView:
        """What is taken between two moments, at most some minutes old; `anew`: asked this very moment.

        Never raises: a calendar that cannot be read is one sentence in `faults`, and then no time may be promised.
        """


class Record(Protocol):
    """The ledger, as far as a case needs it. Every write is one transaction."""

    def save_case(self, state: CaseState) -> None:
        """Keep where the case stands."""

    def case(self, number: int) -> CaseState:
        """Where the case stands now."""

    def stored_brief(self, brief: int) -> Brief:
        """The brief with that id."""

    def add_version(self, state: CaseState, draft: Draft) -> CaseState:
        """Keep a draft as the next version (recipients and thread come from the ledger) and the state that has it.

        Idempotent: the same draft for the same `state.version + 1` is kept once.
        """

    def change_parts(self, state: CaseState, change: Attach | Without) -> CaseState:
        """The state's version with further files or without some of its parts, kept as the next one. Idempotent."""

    def say_yes(self, state: CaseState) -> Answer | None:
        """Record the owner's standing yes for the state's version, once; None when it stands no more."""

    def edited_text(self, key: str) -> str:
        """The owner's own text in the answer with that key."""

    def hold_slots(self, case: int, version: int, slots: Sequence[Slot]) -> None:
        """Hold the times that a version offers, instead of what the one before did."""

    def approve_version(self, state: CaseState) -> bool:
        """The owner said yes to the state's current version: keep that and the state in one transaction.

        False when no such yes is on record.
        """

    def may_leave(self, case: int, version: int) -> bool:
        """Whether this version is approved and a yes to its text is on record, or it is on its way already."""

    def due_to_stand(self, case: int, version: int) -> CaseState | None:
        """The case as it is kept, when this version may leave under a standing yes now; else None."""

    def outgoing(self, case: int, version: int) -> Outgoing:
        """The version exactly as it would leave."""

    def draft(self, case: int, version: int) -> Draft:
        """Where the version came from."""

    def client_of(self, case: int) -> Client | None:
        """Whom the case is with."""

    def lapses_at(self, state: CaseState) -> datetime:
        """When the time to answer is over, the owner's absences left out; while away, when to look again."""

    def close_case(self, state: CaseState) -> None:
        """Keep the outcome; the case is ended."""

    def start_over(self, event: Event) -> Event:
        """Give an event that came too late for its case a new one; the event as it is to be delivered. Idempotent."""

    def set_never(self, client: str, kind: Kind = "reply") -> None:
        """No more drafts for this client; of a chase or an update: no more of these alone."""

    def note(self, case: int, what: str) -> None:
        """One line for the case's story."""


class Remembering(Protocol):
    """Client history: what is relevant now, and what is new to know."""

    def brief(self, state: CaseState) -> int:
        """Build the brief of a case from its mails and the client's history, store it and give its id."""

    def remember(self, case: int) -> int:
        """Index every document that is not indexed yet; how many there were."""


class Filing(Protocol):
    """The owner's files that may go with a mail."""

    def names(self) -> tuple[str, ...]:
        """The names of all of them."""

    def file_candidates(self, question: str) -> tuple[str, ...]:
        """The names of those that this text asks for, best first."""

    def meant_by(self, words: str) -> tuple[str, ...]:
        """The names of those that these few words of the owner's mean: one, several that fit alike, none."""

    def take(self, name: str) -> Attachment:
        """The file as it is now, its bytes kept in the blobs; raises Permanent with one plain sentence."""

    def offer(self, message: str, language: str = "") -> Offer:
        """The files that a client's words ask for, taken, and what the owner should know of the others."""

    def changed(self, files: Iterable[Attachment]) -> str:
        """What became of one of these since it was taken, in one sentence; "" when all are as they were."""


class Drafting(Protocol):
    """The agents."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        """A draft for this brief. `wishes`: the owner's words; `previous`: the body they spoke of, or ""."""


class Desk(Protocol):
    """Everything that leaves by mail, each through the outbox."""

    async def ask(self, state: CaseState) -> Asking:
        """Send the approval mail of the current version to the owner, once per (version, round) however often called.

        Version 0 is a case without a draft: the mail says why the owner should read this one himself.
        """

    async def send(self, case: int, version: int) -> Receipt:
        """Send an approved version to the client, at most once however often called."""

    async def explain(self, key: str, case: int) -> None:
        """Send the owner the whole trace of a case ("why"), once per key."""

    async def tell(self, key: str, subject: str, text: str, case: int = 0) -> None:
        """Send the owner a plain notice, once per key."""


class AnsweringDesk(Desk, Protocol):
    """What it takes to answer an answer."""

    async def ask_items_again(self, key: str, number: int, question: str) -> None:
        """Show a digest or reminder once more under the question that its answer left open, once per key."""


class Engine(Protocol):
    """Temporal, seen from inside an activity."""

    async def hand_over(self, client: str, case: int, version: int) -> None:
        """Give an approved version to the client's own workflow, started if need be."""

    async def deliver(self, event: Event) -> None:
        """Start the event's case, or tell it to the one it belongs to."""


class Researching(Protocol):
    """What can be found out about a lead before it is bid for."""

    async def research(self, state: CaseState) -> None:
        """Look the lead of this case up and keep what was found, each fact with its source; once per case.

        A site that is away or hostile leaves a note instead of facts: it never stops the case.
        """


class Doing(Protocol):
    """What is done after a yes, beside the mail."""

    async def carry_out(self, case: int, version: int, key: str) -> str:
        """Do what this proposal of a version that has left says, once however often called.

        One sentence for the owner when it failed or nobody knows whether it was done; "" when it is done.
        """


class Booking(Protocol):
    """The owner's own calendar, to be written to."""

    async def book(self, key: str, arguments: Mapping[str, Argument]) -> str:
        """Enter this time (`begins`, `ends` as ISO 8601 with zone; `title`, `note`), what was booked in one line.

        The entry names nobody: a server that saw an attendee would mail him past the outbox. The same key again enters
        nothing twice. Raises NeedsOwner, Permanent or Retryable when nothing was booked.
        """


class Polling(Protocol):
    """The sources that are asked from time to time: feeds, invoices, the day's look at what is due."""

    async def poll(self, source: str) -> str:
        """Ask this source and record what came, in the ledger; one line on what that was.

        A fault of the source is told to the owner once and does not raise: the next look tries again.
        """
