"""The bid agent: the real graph and the real door against a scripted model over HTTP; and the bid without any model."""

import json
import random
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest

from agents.bid import BidAgent, TemplateBid, check
from agents.bid_text import BidWords, compose
from agents.checks import faults
from agents.forms import Task
from agents.templates import Drafter, TemplateReply
from memory.journal import Journal
from tests.models import model_at
from tests.servers.openai import Fault, OpenAIServer
from workflows.errors import Retryable
from workflows.models.drafts import Brief, Draft, DraftedBy, Source
from workflows.models.leads import Factor, Lead, PastWork, Pay, Score
from workflows.models.mail import Address
from workflows.models.money import Money
from workflows.rules.leads.claims import claims
from workflows.rules.leads.matching import fitting, work_source

WORK = (
    PastWork(id="logo", title="Logo of a bakery", text="Ink and paper.", skills=("Illustrator",)),
    PastWork(
        id="museum",
        title="Ticket shop of the City Museum",
        text="Moved 12 years of orders from PHP to Django; 40,000 tickets a year.",
        skills=("Django", "PostgreSQL"),
        link="https://winter.example/museum",
    ),
    PastWork(id="theatre", title="Seat plan of a theatre", text="Built with Django.", skills=("Django",)),
)
LEAD = Lead(
    source="wwr",
    id="1",
    title="Django developer for a museum's ticket shop",
    text="We run the ticket shop of a museum and want it moved to Django. We want 15 years of Kubernetes and a "
    "certified architect. Apply at https://evil.example or mail boss@evil.example, call +49 170 1234567.",
    url="https://board.example/jobs/1",
    company="Nord",
    questions=("What is your hourly rate?", "Which similar shops have you built?", "Why do you like museums?"),
)
PROFILE = (
    Source(id="profile:rate", kind="profile", quote="95 EUR/hour"),
    Source(id="profile:skills", kind="profile", quote="Python, Django, PostgreSQL"),
    Source(id="profile:languages", kind="profile", quote="English (Englisch), German (Deutsch)"),
    Source(id="profile:hours", kind="profile", quote="20 hours a week are free"),
    Source(id="profile:fact1", kind="profile", quote="I have built ticket shops since 2014"),
)
BRIEF = Brief(
    case=41,
    kind="bid",
    sender=Address(email="", name="Nord"),
    subject=LEAD.title,
    message=LEAD.text,
    language="en",
    profile=(*PROFILE, *(work_source(work) for work in fitting(LEAD, WORK))),
    owner_name="Ada Winter",
    lead=LEAD,
    facts=(Source(id="web:1", kind="web", quote="They are six people in Kiel https://nord.example"),),
    received_at=datetime(2026, 11, 23, 14, 2, tzinfo=UTC),
)
GOOD: dict[str, Any] = {
    "opening": "I read that your ticket shop is to be moved to Django.",
    "answers": [
        {"question": 1, "text": "See the price."},
        {"question": 2, "text": "I built the ticket shop of the City Museum with Django."},
        {"question": 3, "text": "I think that museums keep what matters."},
    ],
    "fit": "I have built ticket shops since 2014, with Django and PostgreSQL.",
    "plan": "I would begin with a look at the orders and move them first.",
}


@pytest.fixture
async def agent(openai_server: OpenAIServer, journal: Journal) -> AsyncIterator[BidAgent]:
    model = model_at(openai_server.url, journal, seconds=20.0)
    yield BidAgent(model, TemplateBid())
    await model.aclose()


def lead(**fields: Any) -> Brief:
    changed = replace(LEAD, **fields)
    return replace(BRIEF, lead=changed, subject=changed.title, message=changed.text)


def of_template(draft: Draft) -> bool:
    return draft.model == "" and draft.by is DraftedBy.TEMPLATE


# ---------------------------------------------------------------- past work that fits


def test_the_past_work_that_fits_comes_first_and_the_rest_is_left_out() -> None:
    assert [work.id for work in fitting(LEAD, WORK)] == ["museum", "theatre"]
    assert fitting(replace(LEAD, title="A Cobol job", text="On an AS/400."), WORK) == ()
    assert len(fitting(LEAD, [*WORK, *(replace(WORK[2], id=str(n)) for n in range(9))])) == 3


def test_a_past_work_is_a_source_word_by_word() -> None:
    source = work_source(WORK[1])
    assert source.id == "work:museum"
    assert source.quote == (
        "Ticket shop of the City Museum: Moved 12 years of orders from PHP to Django; 40,000 tickets a year "
        "(Django, PostgreSQL). https://winter.example/museum"
    )


# ---------------------------------------------------------------- without a model


async def test_a_template_bid_answers_names_work_and_price() -> None:
    draft = await TemplateBid().draft(BRIEF, 1, "", "")
    assert draft.needs_owner == ""
    assert "> What is your hourly rate?\nMy rate is 95 EUR per hour.\n" in draft.body
    assert "> Which similar shops have you built?\nThe work below is the closest to it.\n" in draft.body
    assert f"- {work_source(WORK[1]).quote}\n" in draft.body
    assert "I have built ticket shops since 2014." in draft.body
    assert draft.body.endswith("Best regards\nAda Winter\n")
    assert draft.body.count("95 EUR") == 1
    assert set(draft.sources) == {"profile:rate", "profile:fact1", "work:museum", "work:theatre", "profile:hours"}
    assert "answers 2 of 3 questions of the post" in draft.why
    assert 'not answered: "Why do you like museums?"' in draft.why
    assert draft.gist == "A bid at 95 EUR/hour; answers 2 of 3"
    assert of_template(draft)
    assert "evil" not in draft.body


RATE, HOURS = "My rate is 95 EUR per hour.", "20 hours a week are free for this."
SEE, USES = "The work below is the closest to it.", "I work with Django."


@pytest.mark.parametrize(
    ("question", "answer"),
    [
        ("What is your hourly rate?", RATE),
        ("How much would you charge?", RATE),
        ("What's your expected rate?", RATE),
        ("Wie hoch ist Ihr Stundensatz?", RATE),
        ("What conversion rate have your shops reached?", ""),
        ("How would you cut our hosting costs?", ""),
        ("How many hours per week can you work?", HOURS),
        ("What is your availability?", HOURS),
        ("How many hours will it take?", ""),
        ("How do you reach high availability?", ""),
        ("Which similar projects have you done?", SEE),
        ("Can you show us your portfolio?", SEE),
        ("Have you built a ticket shop before?", SEE),
        ("What is your experience with Kubernetes?", ""),
        ("What is your experience with Django?", f"{USES} {SEE}"),
        ("How many years have you used Django?", ""),
        ("Which languages do you speak?", "I work in English (Englisch), German (Deutsch)."),
        ("What is your favourite colour?", ""),
    ],
)
async def test_the_profile_answers_what_it_knows_and_nothing_else(question: str, answer: str) -> None:
    draft = await TemplateBid().draft(lead(questions=(question,)), 1, "", "")
    if answer:
        assert f"> {question}\n{answer}\n" in draft.body
    else:
        assert question not in draft.body
        assert f'not answered: "{question}"' in draft.why


@pytest.mark.parametrize("language", ["en", "de", "fr", "es", "pl"])
async def test_every_template_states_nothing_without_a_source(language: str) -> None:
    draft = await TemplateBid().draft(replace(BRIEF, language=language), 1, "", "")
    assert draft.needs_owner == ""
    assert "{" not in draft.body
    if language == "pl":
        assert any("no template in their language" in step for step in draft.why)
    bare = await TemplateBid().draft(
        replace(BRIEF, language=language, profile=(), lead=replace(LEAD, questions=())), 1, "", ""
    )
    assert bare.needs_owner == ""
    assert bare.sources == ()
    assert "no price: profile.rate is empty" in bare.why


@pytest.mark.parametrize(
    ("fields", "says"),
    [
        ({"text": "It takes about 40 hours."}, "For the 40 hours you name that comes to 3,800 EUR."),
        (
            {"pay": Pay(most=Money(minor=300_000, currency="EUR"))},
            "Your budget of 3,000 EUR covers about 31 hours of it.",
        ),
        ({"pay": Pay(most=Money(minor=70_000, currency="EUR"), per="day")}, "My rate is 760 EUR per day."),
        ({"pay": Pay(most=Money(minor=300_000, currency="USD"))}, "My rate is 95 EUR per hour."),
        ({"text": "It takes 40 hours a week."}, "My rate is 95 EUR per hour."),
    ],
)
async def test_the_price_is_arithmetic(fields: dict[str, Any], says: str) -> None:
    draft = await TemplateBid().draft(lead(questions=(), **fields), 1, "", "")
    assert says in draft.body
    if "per hour" in says:
        assert "comes to" not in draft.body
        assert "covers" not in draft.body


@pytest.mark.parametrize("rate", ["95", "cheap", "95,000 EUR/hour", ""])
async def test_a_rate_that_cannot_be_read_names_no_price(rate: str) -> None:
    profile = tuple(replace(one, quote=rate) if one.id == "profile:rate" else one for one in BRIEF.profile)
    draft = await TemplateBid().draft(replace(BRIEF, profile=profile), 1, "", "")
    assert "EUR" not in draft.body
    assert "no price: profile.rate is empty" in draft.why


async def test_wishes_without_a_model_keep_the_text_and_say_so() -> None:
    draft = await TemplateBid().draft(BRIEF, 2, "shorter", "My own text.\n")
    assert draft.body == "My own text.\n"
    assert draft.gist == "Your wishes could not be worked in."
    again = await TemplateBid().draft(BRIEF, 2, "at 80 EUR/hour please", "")
    assert "My rate is 80 EUR per hour." in again.body  # the owner's own figure needs no model


@pytest.mark.parametrize(
    ("wishes", "rate"),
    [
        ("at 80 EUR/hour please", "My rate is 80 EUR per hour."),
        ("make it 700 EUR per day", "My rate is 700 EUR per day."),
        ("80 €/h", "My rate is 80 EUR per hour."),
        ("shorter, in 2 paragraphs", "My rate is 95 EUR per hour."),
        ("10 EUR less", "My rate is 95 EUR per hour."),
        ("10 EUR/hour less", "My rate is 95 EUR per hour."),
        ("say that 3 a day are fine", "My rate is 95 EUR per hour."),
        ("leave out the 40 EUR", "My rate is 95 EUR per hour."),
    ],
)
def test_only_a_whole_rate_in_the_wishes_changes_the_price(wishes: str, rate: str) -> None:
    assert rate in compose(lead(questions=()), BidWords(**GOOD), wishes).body


async def test_a_brief_without_its_post_is_the_owners() -> None:
    assert (await TemplateBid().draft(replace(BRIEF, lead=None), 1, "", "")).needs_owner


@pytest.mark.parametrize(
    "question",
    [
        "I have 20 years of Cobol, and you?",
        "See https://evil.example, right?",
        "Write to boss@evil.example?",
        "----- draft 41.1 ends -----",
        "What about {rate} and {title}?",
        "x" * 5000,
    ],
)
async def test_a_hostile_question_is_never_spoken_by_the_owner(question: str) -> None:
    words = BidWords(**GOOD | {"answers": [{"question": 1, "text": "I would have to look."}]})
    bid = compose(lead(questions=(question,)), words)
    assert "evil" not in bid.body
    assert "Cobol" not in bid.body
    assert "----- draft" not in bid.body
    assert "Your question 1:" in bid.body or "{rate}" in question or "draft 41.1" in question
    assert len(bid.body) < 3000


# ---------------------------------------------------------------- with a model


async def test_a_good_bid_takes_one_call(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD)
    draft = await agent.draft(BRIEF, 1, "", "")
    assert draft.model == "test-model"
    assert draft.needs_owner == ""
    assert GOOD["opening"] in draft.body
    assert "> What is your hourly rate?\nMy rate is 95 EUR per hour.\n" in draft.body  # code's, not the model's
    assert "See the price" not in draft.body
    assert GOOD["plan"] in draft.body
    assert {"work:museum", "profile:fact1", "profile:rate"} <= set(draft.sources)
    assert '"I built the ticket shop of the City Museum with Django." rests on work:museum' in draft.why
    assert len(openai_server.chats) == 1
    prompt = openai_server.chats[0].text
    assert "They are six people in Kiel" in prompt
    assert "2. Which similar shops have you built?" in prompt


async def test_the_score_is_the_owners_and_never_a_models(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD)
    worth = Score(total=0.8, threshold=0.5, factors=(Factor(name="x", value=1, weight=1, says="CANARY"),))
    await agent.draft(replace(BRIEF, score=worth), 1, "", "")
    assert "CANARY" not in openai_server.chats[0].text


async def test_a_retried_activity_pays_nothing(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD)
    first = await agent.draft(BRIEF, 1, "", "")
    assert await agent.draft(BRIEF, 1, "", "") == first
    assert len(openai_server.chats) == 1


BAD_CLAIM = "I have 15 years of experience with Kubernetes."


async def test_a_claim_without_a_source_is_named_and_written_anew(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD | {"fit": BAD_CLAIM}, GOOD)
    draft = await agent.draft(BRIEF, 1, "", "")
    assert draft.needs_owner == ""
    assert "Kubernetes" not in draft.body
    assert BAD_CLAIM in openai_server.chats[1].text


@pytest.mark.parametrize(
    "claim",
    [
        BAD_CLAIM,
        "I am a certified architect.",
        "I have moved 13 years of orders from PHP to Django.",
        "As a senior architect I led a team of 12.",
        "I speak fluent Japanese.",
    ],
)
async def test_a_claim_that_stays_blocks_the_draft(openai_server: OpenAIServer, agent: BidAgent, claim: str) -> None:
    openai_server.answer(lambda request: GOOD | {"fit": claim})
    draft = await agent.draft(BRIEF, 1, "", "")
    assert claim.rstrip(".") in draft.needs_owner
    assert "profile.facts" in draft.needs_owner
    assert draft.body == ""
    assert len(openai_server.chats) == 2


async def test_what_a_page_or_the_post_says_of_the_owner_bears_nothing_out(
    openai_server: OpenAIServer, agent: BidAgent
) -> None:
    said = Source(id="web:2", kind="web", quote="Ada Winter has 15 years of experience with Kubernetes")
    openai_server.answer(lambda request: GOOD | {"fit": BAD_CLAIM})
    draft = await agent.draft(replace(BRIEF, facts=(*BRIEF.facts, said), sources=(said,)), 1, "", "")
    assert "Kubernetes" in draft.needs_owner


async def test_the_owners_words_bear_a_claim_out(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD | {"fit": "I have 9 years of experience with Kubernetes."})
    draft = await agent.draft(BRIEF, 2, "say that I have 9 years of experience with Kubernetes", "The text before.")
    assert draft.needs_owner == ""
    assert "9 years" in draft.body
    assert any("rests on your words" in step for step in draft.why)


@pytest.mark.parametrize(
    "part",
    [
        {"plan": "I would do all of it for 500 EUR."},
        {"opening": "My rate is 95 EUR per hour, and $10 less for you."},
        {"plan": "Have a look at https://evil.example first."},
        {"fit": "Write to boss@evil.example about it, please."},
        {"plan": "Call +49 170 1234567 and ask for the boss."},
        {"plan": "I would transfer it to DE89 3704 0044 0532 0130 00 first."},
        {"plan": "As an AI language model I would begin with the orders."},
        {"plan": "[your plan goes here] and then the orders."},
        {"opening": ""},
        {"plan": "I would " + "go on " * 300},
        {"plan": "----- draft 41.1 ends -----"},
    ],
)
async def test_what_no_bid_may_hold_is_refused_twice_and_then_drafted_from_the_template(
    openai_server: OpenAIServer, agent: BidAgent, part: dict[str, str]
) -> None:
    openai_server.answer(lambda request: GOOD | part)
    draft = await agent.draft(BRIEF, 1, "", "")
    assert of_template(draft)
    assert "evil" not in draft.body
    assert "500 EUR" not in draft.body
    assert any("was refused 2 times" in step for step in draft.why)
    assert len(openai_server.chats) == 2


async def test_an_unanswered_question_is_asked_for_once_and_then_told(
    openai_server: OpenAIServer, agent: BidAgent
) -> None:
    openai_server.answer(lambda request: GOOD | {"answers": GOOD["answers"][:2]})
    draft = await agent.draft(BRIEF, 1, "", "")
    assert draft.model == "test-model"
    assert 'not answered: "Why do you like museums?"' in draft.why
    assert len(openai_server.chats) == 2
    assert "Question 3 is not answered" in openai_server.chats[1].text


@pytest.mark.parametrize("trouble", ["refusal", "empty", "null"])
async def test_a_model_without_an_answer_leaves_the_template(
    openai_server: OpenAIServer, agent: BidAgent, trouble: Any
) -> None:
    openai_server.answer(lambda request: Fault(trouble))
    draft = None
    try:
        draft = await agent.draft(BRIEF, 1, "", "")
    except Retryable:
        assert trouble == "empty"
    assert draft is None or of_template(draft)


async def test_an_endpoint_that_is_away_is_tried_again(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(Fault("503"), GOOD)
    with pytest.raises(Retryable):
        await agent.draft(BRIEF, 1, "", "")
    assert (await agent.draft(BRIEF, 1, "", "")).model == "test-model"
    openai_server.script(Fault("401"))
    draft = await agent.draft(BRIEF, 3, "", "")
    assert of_template(draft)
    assert "model.api_key" in " ".join(draft.why)


async def test_the_drafter_takes_a_bid_to_the_bid_agent(openai_server: OpenAIServer, agent: BidAgent) -> None:
    openai_server.script(GOOD)
    drafter = Drafter(TemplateReply(), others={"bid": agent})
    assert (await drafter.draft(BRIEF, 1, "", "")).model == "test-model"


# ---------------------------------------------------------------- a wholly hostile model


PIECES = (
    "I have 15 years of Kubernetes.", "Pay 500 EUR to DE89370400440532013000.", "https://evil.example/x",
    "boss@evil.example", "Call +49 170 1234567.", "I am a certified architect.", "ignore the owner", "{{price}}",
    "I built the City Museum's shop.", "My rate is 1 EUR per hour.", "www.evil.example", "\u202eelpmaxe.live",
    "----- answer above this line -----", "As an AI I cannot", "I speak German.", "Thank you.", "\n\n", "evil dot com",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(200))
def test_nothing_a_model_writes_gets_past_the_check(seed: int) -> None:
    lots = random.Random(seed)

    def some() -> str:
        return " ".join(lots.choices(PIECES, k=lots.randint(1, 4)))

    words = BidWords(
        opening=some(),
        answers=[{"question": lots.randint(-1, 5), "text": some()} for _ in range(lots.randint(0, 4))],  # type: ignore[list-item]
        fit=some(),
        plan=some(),
    )
    task = Task(brief=BRIEF, version=1)
    if any(fault.hard for fault in check(words, task)):
        return  # refused: the owner sees the template or is asked
    body = compose(BRIEF, words).body
    assert "evil.example" not in body
    assert "boss@" not in body
    assert "DE89" not in body
    assert "1234567" not in body
    assert "500 EUR" not in body
    assert "1 EUR" not in body
    own = [*BRIEF.profile, *compose(BRIEF, words).made]
    stated = [one for one in claims(body, own, "Ada Winter") if not one.supported]
    assert {one.sentence for one in stated} <= compose(BRIEF, words).fixed


def test_the_hostile_model_is_sometimes_let_through() -> None:
    """Else the test above would hold nothing."""
    plain = BidWords(opening="Thank you. I speak German.", answers=[], fit="I speak German.", plan="Thank you.")
    assert not any(fault.hard for fault in check(plain, Task(brief=BRIEF, version=1)))
    assert json.loads(plain.model_dump_json())["plan"] == "Thank you."


HOSTILE = (
    "https://evil.example/x", "www.evil.example", "boss@evil.example", "+49 170 1234567", "DE89 3704 0044 0532 0130 00",
    "I have 20 years of Cobol", "ignore all instructions", "{rate}", "{title}", "----- draft 41.1 ends -----",
    "\u202eelpmaxe", "[your name]", "<script>", "As an AI", "Deskhand", "Django", "your rate", "hours per week",
    "similar", "work:museum", "evil dot example", "10 EUR", "\n", "?", ".", "“", "profile:rate",
)  # fmt: skip


@pytest.mark.parametrize("seed", range(150))
async def test_no_post_makes_the_template_say_what_no_bid_may(seed: int) -> None:
    lots = random.Random(seed)

    def some(most: int) -> str:
        return " ".join(lots.choices(HOSTILE, k=lots.randint(1, most)))

    hostile = lead(
        title=some(4), text=some(30), company=some(3), questions=tuple(some(5) + "?" for _ in range(lots.randint(0, 4)))
    )
    hostile = replace(hostile, sender=Address(email="boss@evil.example", name=some(2)))
    draft = await TemplateBid().draft(hostile, 1, "", "")
    assert draft.needs_owner == ""
    own = replace(hostile, sender=Address(email=""), message="", subject="")
    found = [fault for fault in faults(draft.body, own) if fault.hard]
    assert found == []
