"""An invitation in a brief, read from the raw mail: its line, the time it asks for, the parts that may answer it."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from icalendar import Calendar

from memory.briefs.invitations import InvitationDesk
from memory.briefs.recall import DeskSources, Recall
from memory.index.keywords import Keywords
from memory.index.store import Store
from memory.model.embedding import HashingEmbedder
from tests.ledgers import OWNER, House
from tools.calendar.invitations import invitation_in
from tools.mail import mime
from workflows.models.drafts import Brief
from workflows.rules.desk.slots import BusySpan, CalendarView

MARIA = "maria@studio.example"
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=UTC)
LINE = "Invitation: Review, Thu 26 Nov 10:00-11:00 (your time), from maria@studio.example; you are free"


def raw_mail(
    method: str = "REQUEST", *, sequence: int = 0, text: str = "Please come.", organizer: str = MARIA,
    head: tuple[str, ...] = (), number: int = 1, entry: str = "",
) -> bytes:  # fmt: skip
    lines = (
        "BEGIN:VCALENDAR", "VERSION:2.0", f"METHOD:{method}", "BEGIN:VEVENT", "UID:review@studio.example",
        f"SEQUENCE:{sequence}", f"ORGANIZER:mailto:{organizer}",
        "ATTENDEE;PARTSTAT=NEEDS-ACTION;RSVP=TRUE:mailto:ada@winter.example", "SUMMARY:Review",
        "DTSTART:20261126T100000Z", "DTEND:20261126T110000Z", "END:VEVENT", "END:VCALENDAR", "",
    )  # fmt: skip
    return "\r\n".join(
        (
            f"From: Maria Alvarez <{MARIA}>", "To: ada@winter.example", "Subject: Review", *head,
            f"Message-ID: <{number}@studio.example>", "MIME-Version: 1.0",
            'Content-Type: multipart/alternative; boundary="b"', "", "--b", "Content-Type: text/plain", "", text, "--b",
            f"Content-Type: text/calendar; charset=utf-8; method={method}", "", entry or "\r\n".join(lines), "--b--",
            "",
        )
    ).encode()  # fmt: skip


class Memory:
    """A ledger with a recall that reads invitations, over one calendar."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.view = CalendarView()
        ledger, clock = self.house.ledger, self.house.clock
        keywords = Keywords(folder / "index.sqlite", ledger.home(), clock, print)
        self.store = Store(folder / "chroma", ledger, keywords, HashingEmbedder(), clock, print)
        invitations = InvitationDesk(
            ledger=ledger, blobs=self.house.blobs, owner=OWNER, read=invitation_in, look=self.busy
        )
        self.recall = Recall(ledger, self.store, (), OWNER, DeskSources(look=self.busy, invitations=invitations))

    def busy(self, first: datetime, last: datetime) -> CalendarView:
        return self.view

    def brief(self, raw: bytes) -> Brief:
        """The brief of the case that this mail begins."""
        self.house.blobs.put(raw)
        event = self.house.receive(mime.parse(raw))
        assert event is not None
        return self.house.ledger.stored_brief(self.recall.brief(self.house.ledger.case(event.case)))


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    made = Memory(tmp_path / "home")
    yield made
    made.store.close()


def test_the_line_is_told_and_both_answers_lie_ready(memory: Memory) -> None:
    brief = memory.brief(raw_mail(sequence=4))
    assert LINE in brief.hints
    assert [(fact.id, fact.quote) for fact in brief.facts if fact.kind == "invitation"] == [("invitation:1", LINE)]
    assert brief.invitation is not None
    states = {}
    for part in (brief.invitation.accepting, brief.invitation.declining):
        assert part is not None
        assert part.content_type == "text/calendar; method=REPLY; charset=utf-8"
        calendar = Calendar.from_ical(memory.house.blobs.get(part.sha256))
        event = calendar.walk("VEVENT")[0]
        states[str(event["ATTENDEE"].params["PARTSTAT"])] = (str(event["UID"]), int(event["SEQUENCE"]))
    assert states == dict.fromkeys(("ACCEPTED", "DECLINED"), ("review@studio.example", 4))


def test_a_taken_time_brings_offers_and_what_a_text_says_of_times_is_not_read_beside_it(memory: Memory) -> None:
    memory.view = CalendarView(spans=(BusySpan(start=THURSDAY, end=THURSDAY + timedelta(minutes=10), uid="x"),))
    brief = memory.brief(raw_mail(text="Does Friday 15:00 work for a call?"))
    assert [answer.kind for answer in brief.times.answers] == ["taken", "offer", "offer", "offer"]
    assert any("you are not free" in hint for hint in brief.hints)


def test_a_calendar_that_cannot_be_read_is_told_once(memory: Memory) -> None:
    memory.view = CalendarView(faults=("The calendar work cannot be read.",))
    brief = memory.brief(raw_mail())
    assert brief.hints.count("The calendar work cannot be read.") == 1
    assert brief.invitation is not None
    assert brief.invitation.availability == "unknown"


def test_a_later_case_tells_a_change_and_a_cancellation(memory: Memory) -> None:
    memory.brief(raw_mail())
    state = memory.house.ledger.case(1)
    memory.house.ledger.close_case(state)
    changed = memory.brief(raw_mail(sequence=1, number=2))
    assert changed.invitation is not None
    assert changed.invitation.matter == "changed"
    memory.house.ledger.close_case(memory.house.ledger.case(2))
    cancelled = memory.brief(raw_mail("CANCEL", sequence=2, number=3, text="I am ill, sorry."))
    assert cancelled.invitation is not None
    assert cancelled.invitation.matter == "cancelled"
    assert cancelled.invitation.accepting is None
    assert any(hint.startswith("Cancelled: Review") for hint in cancelled.hints)


def test_somebody_elses_organizer_is_answered_in_words_alone(memory: Memory) -> None:
    brief = memory.brief(raw_mail(organizer="boss@studio.example"))
    assert brief.invitation is not None
    assert brief.invitation.accepting is None
    assert brief.invitation.availability == "free"


def test_an_unproven_sender_gets_no_answer_and_no_calendar_is_asked(memory: Memory) -> None:
    memory.view = CalendarView(spans=(BusySpan(start=THURSDAY, end=THURSDAY + timedelta(hours=1)),))
    brief = memory.brief(raw_mail(head=("Authentication-Results: mx.winter.example; dmarc=fail",)))
    assert brief.invitation is not None
    assert (brief.invitation.accepting, brief.invitation.availability) == (None, "unknown")
    assert any("no answer to the invitation goes" in hint for hint in brief.hints)


def test_a_calendar_part_that_cannot_be_read_costs_one_sentence(memory: Memory) -> None:
    brief = memory.brief(raw_mail(entry="BEGIN:VCALENDAR\r\nBEGIN:VEVENT\r\nEND:VTODO\r\n"))
    assert brief.invitation is None
    (hint,) = brief.hints
    assert hint.startswith("Its calendar part was not read: it is no calendar entry that can be read. Nothing is")


def test_the_case_knows_what_it_was_invited_to(memory: Memory) -> None:
    memory.brief(raw_mail())
    assert memory.house.ledger.invited_to(1) == {"review@studio.example"}
