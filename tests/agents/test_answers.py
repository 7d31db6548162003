"""What the template answers from the facts of the desk: a labelled set in eight languages, and what it never states."""

import re
import tomllib
from collections.abc import Sequence
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any

from agents.desk.answers import answered, asked
from agents.desk.notes import desk_notes, verbatim_faults
from agents.desk.reckoning import reckoned
from agents.templates import TemplateReply
from memory.briefs.fitting import fitting
from memory.model.embedding import HashingEmbedder
from workflows.models.desk import (
    Affairs,
    InvoiceStanding,
    ProjectStanding,
    Reckoned,
    StandingAnswer,
    TimeAnswer,
    Times,
    Turn,
)
from workflows.models.drafts import Brief, Draft
from workflows.models.mail import Address
from workflows.models.money import Invoice, Money
from workflows.models.work import Milestone
from workflows.rules.asking.account import account_lines
from workflows.rules.desk.standing import facts

SET = Path(__file__).parents[1] / "data" / "desk" / "mails.toml"
MAILS: list[dict[str, Any]] = tomllib.loads(SET.read_text(encoding="utf-8"))["mail"]
TODAY = date(2026, 11, 30)
ENOUGH = 0.9
HALF, DAY = timedelta(minutes=30), timedelta(days=1)


def standing(number: str, minor: int, due: date, paid: int = 0, paid_on: date | None = None) -> InvoiceStanding:
    amount = Money(minor=minor, currency="EUR")
    invoice = Invoice(
        number=number, name="Studio", email="maria@studio.example", due=due, amount=amount,
        paid=Money(minor=paid, currency="EUR") if paid else None, state="paid" if paid >= minor else "open",
    )  # fmt: skip
    return InvoiceStanding(invoice=invoice, last_payment=invoice.paid, paid_on=paid_on)


AFFAIRS = Affairs(
    today=TODAY,
    money_known=date(2026, 11, 28),
    invoices=(
        standing("2026-014", 125_000, date(2026, 11, 17)),
        standing("2026-015", 240_000, date(2026, 12, 10), paid=90_000, paid_on=date(2026, 11, 20)),
        standing("2026-011", 50_000, date(2026, 10, 17), paid=50_000, paid_on=date(2026, 11, 2)),
    ),
    projects=(
        ProjectStanding(
            id="website",
            name="Website relaunch",
            scope=("Five pages",),
            milestones=(
                Milestone(name="Design", due=date(2026, 11, 6), done=True),
                Milestone(name="Content", due=date(2026, 12, 4)),
                Milestone(name="Launch", due=date(2026, 12, 15)),
            ),
            last_work="Contact form",
            worked_on=date(2026, 11, 27),
            next_update=date(2026, 12, 7),
        ),
    ),
)
ANSWERS = (
    StandingAnswer(id="hours", title="Opening hours", text="I am at my desk from 9:00 to 17:00.", language="en"),
    StandingAnswer(id="work", title="How I work", text="There are two rounds of changes.", language="en"),
)


def brief(mail: dict[str, Any], **changed: Any) -> Brief:
    """The brief of a mail of the set, as memory builds it."""
    made = Brief(
        case=41,
        sender=Address(email="maria@studio.example", name="Maria Alvarez"),
        subject=mail.get("subject", ""),
        message=mail["text"],
        language=mail["language"],
        owner_name="Ada Winter",
        received_at=datetime(2026, 11, 30, 9, tzinfo=UTC),
        affairs=AFFAIRS,
        facts=facts(AFFAIRS),
    )
    fits = fitting(asked(made), ANSWERS, made.language, HashingEmbedder().embed)
    return replace(made, standing=fits, **changed)


def plain(text: str) -> str:
    return re.sub(r"[\u00a0\u202f]", " ", text)


def missed(mail: dict[str, Any]) -> list[str]:
    """Which of the right facts the draft lacks."""
    body = plain(TemplateReply().holding(brief(mail)).body)
    return [fact for fact in mail["holds"] if fact not in body]


def test_the_right_facts_stand_in_the_draft() -> None:
    assert len(MAILS) >= 40
    lacking = {mail["text"]: gone for mail in MAILS if (gone := missed(mail))}
    every = sum(len(mail["holds"]) for mail in MAILS)
    share = 1 - sum(map(len, lacking.values())) / every
    assert share >= ENOUGH, (share, lacking)


def test_each_question_is_read_with_its_topic() -> None:
    wrong = {mail["text"]: topics for mail in MAILS if (topics := topics_of(mail)) != mail["topics"]}
    assert len(wrong) <= len(MAILS) * (1 - ENOUGH), wrong


def topics_of(mail: dict[str, Any]) -> list[str]:
    """The topics as they were read; a question that a standing answer takes is "other" whatever it speaks of."""
    made = brief(mail)
    taken = {text for fits in made.standing for text in fits.questions}
    return ["other" if question.text in taken else question.topic.value for question in asked(made)]


def test_what_is_left_open_is_named() -> None:
    wrong = {}
    for mail in MAILS:
        left = [one.question.topic.value for one in answered(brief(mail)).reckoning if not one.sources]
        if left != mail.get("open", []):
            wrong[mail["text"]] = left
    assert len(wrong) <= len(MAILS) * (1 - ENOUGH), wrong


def test_a_number_that_is_not_theirs_is_left_open() -> None:
    mail = {"language": "en", "subject": "x", "text": "Has invoice 2026-999 been paid?"}
    draft = TemplateReply().holding(brief(mail))
    assert "2026-999" not in draft.body
    assert "1,250.00" not in plain(draft.body)


def test_every_figure_of_the_letter_stands_in_the_facts() -> None:
    for mail in MAILS:
        made = brief(mail)
        draft = TemplateReply().holding(made)
        support = f"{made.message} {made.subject} {facts(AFFAIRS)} {[answer.text for answer in ANSWERS]} 2,750.00"
        digits = set(re.findall(r"\d+", support))
        assert [number for number in re.findall(r"\d+", plain(draft.body)) if number not in digits] == [], mail["text"]


def test_without_facts_the_letter_only_says_on_what_it_comes_back() -> None:
    mail = {"language": "en", "subject": "Hi", "text": "Did you get our payment? And do you sell cakes?"}
    draft = TemplateReply().holding(brief(mail, affairs=Affairs(), facts=()))
    assert "On the payment and your question “And do you sell cakes?” I will come back to you shortly." in draft.body
    assert draft.holding
    assert draft.sources == ()


def test_a_strangers_link_is_not_repeated() -> None:
    mail = {"language": "en", "subject": "Hi", "text": "Could you look at https://evil.example/win for us?"}
    draft = TemplateReply().holding(brief(mail))
    assert "evil" not in draft.body
    assert "your other question" in draft.body


def test_a_holding_reply_is_not_proposed_twice() -> None:
    mail = {"language": "en", "subject": "Hi", "text": "Any thoughts on the cakes?"}
    draft = TemplateReply().holding(brief(mail, affairs=Affairs(), facts=(), held_before=True))
    assert draft.body == ""
    assert "holding reply was proposed" in draft.needs_owner
    answering = {"language": "en", "subject": "Hi", "text": "Did you get our payment?"}
    assert TemplateReply().holding(brief(answering, held_before=True)).needs_owner == ""


def test_a_standing_yes_covers_the_plain_acknowledgement_alone() -> None:
    mail = {"language": "en", "subject": "Hi", "text": "Could you bake us a cake?"}
    draft = TemplateReply().holding(brief(mail, plain=True))
    assert "cake" not in draft.body
    assert "I will look at it properly" in draft.body


# ---------------------------------------------------------------- a model's text, held against the facts

MIXED = {
    "language": "en",
    "subject": "Questions",
    "text": "Did you get our payment for 2026-014? How far are you? What would a second logo cost?",
}


def reckoning(body: str, sources: Sequence[str] = (), mail: dict[str, Any] = MIXED) -> list[tuple[str, bool]]:
    made = reckoned(brief(mail), Draft(body=body, gist="", model="m", sources=tuple(sources)))
    return [(one.question.topic.value, bool(one.sources)) for one in made.reckoning]


def test_a_models_answer_counts_by_its_figures_days_and_names() -> None:
    body = (
        "Invoice 2026-014 is still open. The launch is planned for 15 December. On the price I will come back to you."
    )
    assert reckoning(body) == [("money", True), ("state", True), ("price", False)]


def test_a_model_that_only_puts_off_answers_nothing() -> None:
    body = "Thank you, I will check the payment and the logo cost and come back to you shortly."
    assert reckoning(body, ["invoice:2026-014"]) == [("money", False), ("state", False), ("price", False)]


def test_the_mail_to_the_owner_counts_on_three_lines_at_most() -> None:
    draft = TemplateReply().holding(brief(MIXED))
    assert list(account_lines(draft)) == [
        "Answers: 2 of 3; open: the price",
        "Answered from: the payment (invoice:2026-014), the progress (project:website)",
    ]
    assert list(account_lines(Draft(body="x", gist=""))) == []


# ---------------------------------------------------------------- word for word

VERBATIM = StandingAnswer(
    id="prices", title="Price list", text="A logo costs 900 EUR, each further page 250 EUR.", verbatim=True
)


def verbatim_brief() -> Brief:
    mail = {"language": "en", "subject": "Price", "text": "What does a logo cost?"}
    made = brief(mail)
    return replace(made, standing=fitting(asked(made), [VERBATIM], "en", HashingEmbedder().embed))


def test_a_verbatim_answer_stands_in_the_letter_as_it_is() -> None:
    draft = TemplateReply().holding(verbatim_brief())
    assert VERBATIM.text in draft.body
    assert draft.sources == ("answer:prices",)


def test_a_model_that_has_it_otherwise_is_refused() -> None:
    made = verbatim_brief()
    assert list(verbatim_faults(f"Hi,\n\n{VERBATIM.text}\n\nAda", made)) == []
    (fault,) = verbatim_faults("A logo costs about 900 EUR.", made)
    assert fault.hard
    assert "word for word" in fault.what


def test_the_prompt_holds_the_desk() -> None:
    turn = Turn(at=datetime(2026, 11, 28, 8, tzinfo=UTC), who="you", text="We can do A or B.", source_id="mail:1")
    notes = dict(desk_notes(replace(brief(MIXED), conversation=(turn,))))
    assert "invoice:2026-014" in notes["facts of the desk about this client"]
    assert "Saturday 2026-11-28 08:00 you wrote:\nWe can do A or B." in "\n".join(notes.values())
    assert "Today is Monday 2026-11-30." in notes["when it is"]


def test_reckoned_leaves_a_templates_account() -> None:
    draft = TemplateReply().holding(brief(MIXED))
    assert reckoned(brief(MIXED), draft) == draft
    assert all(isinstance(one, Reckoned) for one in draft.reckoning)


# ---------------------------------------------------------------- times

THURSDAY = datetime(2026, 12, 3, 9, tzinfo=UTC)  # 10:00 in Berlin


def times(says: str, *offers: datetime, faults: tuple[str, ...] = ()) -> Times:
    named = TimeAnswer(id="calendar:1", start=THURSDAY, end=THURSDAY + HALF, says=says)
    slots = [
        TimeAnswer(id=f"calendar:{number}", start=start, end=start + HALF, says="offer")
        for number, start in enumerate(offers, 2)
    ]
    return Times(answers=(named, *slots), zone="Europe/Berlin", faults=faults)


CALL = {"language": "en", "subject": "Call", "text": "Does Thursday 10:00 work for a call?"}


def test_a_free_time_is_agreed_to() -> None:
    draft = TemplateReply().holding(brief(CALL, times=times("free")))
    assert "Thu 3 Dec 10:00-10:30 works for me." in draft.body
    assert draft.sources == ("calendar:1",)


def test_a_taken_one_gets_slots_to_choose_from_in_their_language() -> None:
    call = {"language": "de", "subject": "Termin", "text": "Passt Ihnen Donnerstag um 10 Uhr?"}
    draft = TemplateReply().holding(brief(call, times=times("taken", THURSDAY + DAY, THURSDAY + 4 * DAY)))
    assert "Do 3. Dez 10:00-10:30 passt mir leider nicht." in draft.body
    assert "Anbieten kann ich Fr 4. Dez 10:00-10:30 oder Mo 7. Dez 10:00-10:30." in draft.body
    assert draft.sources == ("calendar:1", "calendar:2", "calendar:3")


def test_no_time_is_promised_while_a_calendar_is_not_known() -> None:
    for made in (times("unknown"), times("free", faults=("The calendar x cannot be read.",)), times("past")):
        draft = TemplateReply().holding(brief(CALL, times=made))
        assert draft.holding
        assert "On the date I will come back to you shortly." in draft.body


def test_a_models_time_counts_by_its_day_and_clock() -> None:
    made = brief(CALL, times=times("free"))
    (one,) = reckoned(made, Draft(body="Thursday at 10:00 is fine.", gist="", model="m")).reckoning
    assert one.sources == ("calendar:1",)
