"""What a reply's brief knows of the desk: what is open with this client alone, and what was written before."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path

import pytest

from memory.briefs.recall import DeskSources, Recall
from memory.index.keywords import Keywords
from memory.index.store import Store
from memory.model.embedding import HashingEmbedder
from tests.ledgers import NOON, OWNER, House, mail, own_mail
from workflows.models.desk import StandingAnswer
from workflows.models.drafts import Brief, Draft, DraftedBy
from workflows.models.mail import Address
from workflows.models.money import Invoice, Money
from workflows.models.work import Milestone, Project, Work
from workflows.rules.desk.slots import BusySpan, CalendarView, Slot

FAILED = (("authentication-results", "mx.winter.example; dmarc=fail header.from=studio.example"),)
THURSDAY = datetime(2026, 11, 26, 10, tzinfo=UTC)
HOURS = StandingAnswer(id="hours", title="Opening hours", text="Mon-Thu 9 to 17 o'clock.", verbatim=True, language="en")


class Memory:
    """A ledger with its indexes and a recall over them."""

    def __init__(self, folder: Path) -> None:
        self.house = House(folder)
        self.asked: list[tuple[datetime, datetime]] = []
        self.view = CalendarView(spans=(BusySpan(start=THURSDAY, end=THURSDAY + timedelta(hours=2)),))
        ledger, clock = self.house.ledger, self.house.clock
        keywords = Keywords(folder / "index.sqlite", ledger.home(), clock, print)
        self.store = Store(folder / "chroma", ledger, keywords, HashingEmbedder(), clock, print)
        self.recall = Recall(ledger, self.store, (), OWNER, DeskSources(standing=lambda: [HOURS], look=self.busy))

    def busy(self, first: datetime, last: datetime) -> CalendarView:
        """Taken on Thursday from 10:00 to 12:00 UTC; what could not be read is told."""
        self.asked.append((first, last))
        return self.view

    def brief(self, text: str, **fields) -> Brief:
        """The brief of the case that this mail begins."""
        event = self.house.receive(mail(text, **fields))
        assert event is not None
        ledger = self.house.ledger
        state = ledger.case(event.case)
        if state.event != event.key:
            state = replace(state, heard=(*state.heard, event.key))
        return ledger.stored_brief(self.recall.brief(state))

    def bill(
        self, number: str, *, email: str = "maria@studio.example", due: date = date(2026, 11, 10), **given
    ) -> None:
        """An invoice as an import brings it."""
        paid = given.pop("paid", None)
        invoice = Invoice(
            number=number, name="Studio", email=email, due=due, amount=Money(minor=125_000, currency="EUR"),
            paid=Money(minor=paid, currency="EUR") if paid else None, **given,
        )  # fmt: skip
        source = f"csv:{number}"
        self.house.ledger.keep_invoices(source, [invoice], complete=False, read_at=self.house.clock.now())

    def project(self, name: str, *, email: str = "maria@studio.example") -> None:
        """A project with one milestone done and one ahead, worked on three days ago."""
        project = Project(
            id=name.lower(), name=name, email=email, update_every="weekly", scope=("Five pages",),
            milestones=(Milestone(name="Design", done=True), Milestone(name="Launch", due=date(2026, 12, 15))),
        )  # fmt: skip
        known = [known for known in self.house.ledger.projects() if known.id != project.id]
        self.house.ledger.keep_projects([*known, project], [], NOON.date())
        piece = Work(id=f"time:{name}", project=project.id, day=date(2026, 11, 20), text="Contact form", source="t.csv")
        self.house.ledger.keep_work([piece], {})


@pytest.fixture
def memory(tmp_path: Path) -> Iterator[Memory]:
    made = Memory(tmp_path / "home")
    yield made
    made.store.close()


def test_what_is_open_with_this_client_stands_in_the_facts_and_never_anothers(memory) -> None:
    memory.bill("2026-014")
    memory.bill("2026-011", paid=125_000, state="paid")
    memory.bill("2026-099", email="rival@other.example")
    memory.project("Website")
    memory.project("Secret", email="rival@other.example")
    brief = memory.brief("Hello Ada, did you get our payment?")
    by_id = {fact.id: fact.quote for fact in brief.facts}
    assert {"invoice:2026-014", "invoice:2026-011", "project:website", "money:known"} == set(by_id)
    assert "1,250.00 EUR open" in by_id["invoice:2026-014"].replace("\u00a0", " ")
    assert "due 10 November 2026 (2026-11-10)" in by_id["invoice:2026-014"]
    assert "paid in full" in by_id["invoice:2026-011"]
    assert "milestone Launch due 15 December 2026" in by_id["project:website"]
    assert "last work on 20 November 2026 (2026-11-20): Contact form" in by_id["project:website"]
    assert brief.affairs.today == NOON.date()
    assert "2026-099" not in str(brief)
    assert "Secret" not in str(brief)


def test_a_sender_who_is_not_proven_gets_nothing_of_it(memory) -> None:
    memory.bill("2026-014")
    memory.project("Website")
    memory.house.receive(own_mail("We offer variant A and variant B.", subject="Offer", message_id="<offer@winter>"))
    brief = memory.brief("Did you get our payment? What are your opening hours?", headers=FAILED, trace=FAILED)
    assert (brief.facts, brief.affairs.invoices, brief.conversation, brief.standing) == ((), (), (), ())


def test_many_invoices_are_bounded_and_the_longest_due_come_first(memory) -> None:
    for day in range(1, 25):
        memory.bill(f"2026-{day:03d}", due=date(2026, 10, day))
    brief = memory.brief("What do we owe you?")
    numbers = [standing.invoice.number for standing in brief.affairs.invoices]
    assert numbers == [f"2026-{day:03d}" for day in range(1, 13)]


def test_the_owners_first_mail_by_hand_is_part_of_the_conversation(memory) -> None:
    offer = own_mail("We can do a small logo or a large one.", subject="Offer", message_id="<offer@winter.example>")
    memory.house.receive(offer, "sent")
    memory.house.clock.move(hours=20)
    brief = memory.brief(
        "We take the second one.\n\n> We can do a small logo or a large one.",
        subject="Re: Offer", in_reply_to=("<offer@winter.example>",), references=("<offer@winter.example>",),
    )  # fmt: skip
    assert [(turn.who, turn.text) for turn in brief.conversation] == [("you", "We can do a small logo or a large one.")]
    assert brief.conversation[0].at == NOON
    assert brief.conversation[0].source_id.startswith("mail:")


def test_a_mail_that_names_no_parent_follows_what_was_sent_to_them_last(memory) -> None:
    memory.house.receive(own_mail("Variant A costs less.", subject="Offer", message_id="<offer@winter>"), "sent")
    memory.house.clock.move(days=2)
    brief = memory.brief("We take variant A.", subject="Your offer")
    assert [turn.text for turn in brief.conversation] == ["Variant A costs less."]


def test_what_is_quoted_of_a_mail_that_nobody_knows_is_kept(memory) -> None:
    brief = memory.brief(
        "We take the second one.\n\nOn Fri, 20 Nov 2026 at 09:00, Ada Winter <ada@winter.example> wrote:\n"
        "> First: a small logo.\n> Second: a large logo.",
        subject="Re: Offer", in_reply_to=("<unknown@winter.example>",),
    )  # fmt: skip
    assert brief.message == "We take the second one."
    assert "Second: a large logo." in brief.conversation[-1].text


def test_turns_are_in_order_and_drafts_that_never_left_are_none(memory) -> None:
    ledger = memory.house.ledger
    first = memory.brief("Can you start in May?", message_id="<1@studio.example>")
    draft = Draft(body="Never sent.", gist="Nothing", by=DraftedBy.TEMPLATE)
    state = ledger.add_version(ledger.case(first.case), draft)
    ledger.save_case(state)
    memory.house.clock.move(hours=1)
    memory.house.receive(
        own_mail("Yes, in May.", message_id="<2@winter.example>", in_reply_to=("<1@studio.example>",)), "sent"
    )
    memory.house.clock.move(hours=1)
    newest = memory.brief(
        "Great, which day?", message_id="<3@studio.example>",
        in_reply_to=("<2@winter.example>",), references=("<1@studio.example>", "<2@winter.example>"),
    )  # fmt: skip
    turns = newest.conversation
    assert newest.case == first.case  # its first mail is at hand as well
    assert [turn.text for turn in turns] == ["Yes, in May."]
    assert "Never sent." not in str(turns)


def test_another_clients_mail_is_no_turn(memory) -> None:
    rival = (Address(email="rival@other.example", name="Rival"),)
    memory.house.receive(mail("Our secret budget is 9,000.", senders=rival, message_id="<r@other.example>"))
    brief = memory.brief("Here is what we think of it.")
    assert brief.conversation == ()
    assert "secret budget" not in str(brief)


def test_a_standing_answer_is_brought_for_its_question(memory) -> None:
    brief = memory.brief("Hello Ada,\n\nwhat are your office hours? And do you like cats?")
    (fitting,) = brief.standing
    assert fitting.answer == HOURS
    assert fitting.questions == ("what are your office hours?",)


def test_standing_answers_are_looked_up_by_a_few_words(memory) -> None:
    brief = memory.brief("Hello Ada, I have a question.")
    (fits,) = memory.recall.standing_answers(brief, {"query": "office hours"})
    assert (fits.id, fits.kind) == ("answer:hours", "answer")
    assert fits.quote == "Opening hours, to be used word for word: Mon-Thu 9 to 17 o'clock."
    (nothing,) = memory.recall.standing_answers(brief, {"query": "cats"})
    assert nothing.quote == "No standing answer has to do with that."


def test_a_named_time_is_free_or_taken_and_never_by_what(memory) -> None:
    brief = memory.brief("Hi Ada, does Thursday 10:30 work for a call?")
    (named, *offers) = brief.times.answers
    assert (named.kind, named.start) == ("taken", THURSDAY + timedelta(minutes=30))
    assert [offer.kind for offer in offers] == ["offer"] * 3
    assert any(fact.id == "calendar:1" and "is taken" in fact.quote for fact in brief.facts)
    assert len(memory.asked) == 1


def test_a_mail_without_a_time_asks_no_calendar(memory) -> None:
    brief = memory.brief("Hi Ada, did you get our payment?")
    assert brief.times.answers == ()
    assert memory.asked == []


def test_a_calendar_that_cannot_be_read_is_told_and_promises_nothing(memory) -> None:
    memory.view = CalendarView(faults=("The calendar work cannot be read.",))
    brief = memory.brief("Hi Ada, does Thursday 15:00 work for a call?")
    assert "The calendar work cannot be read." in brief.hints
    assert [answer.kind for answer in brief.times.answers] == ["unknown"]


def test_what_another_draft_offers_is_not_offered_again(memory) -> None:
    brief = memory.brief("Hi Ada, when do you have time for a call?")
    offers = [Slot(start=offer.start, end=offer.end) for offer in brief.times.answers]
    assert len(offers) == 3
    memory.house.ledger.hold_slots(brief.case, 1, offers)
    rival = (Address(email="rival@other.example", name="Rival"),)
    second = memory.brief("When could we talk next week?", senders=rival, message_id="<r@other.example>")
    assert {answer.start for answer in second.times.answers}.isdisjoint(offer.start for offer in offers)
