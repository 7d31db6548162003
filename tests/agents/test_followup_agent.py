"""Follow-ups in words: short, in the mail's language, naming what was asked; a model is held to it."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import UTC, datetime

import pytest

from agents.followup import FollowUpAgent, TemplateFollowUp
from memory.journal import Journal
from tests.models import model_at
from tests.servers.openai import OpenAIServer
from workflows.models.drafts import Brief, Draft, DraftedBy, Envelope, Source
from workflows.models.mail import Address
from workflows.rules.text.languages import languages

AT = datetime(2026, 11, 24, 9, tzinfo=UTC)
ASKED = "Does Thursday suit you for the kick-off?"
MARIA = Address(email="maria@studio.example", name="Maria Alvarez")
BRIEF = Brief(
    case=41,
    kind="followup",
    sender=MARIA,
    subject="Kick-off",
    message=ASKED,
    owner_name="Ada Winter",
    envelope=Envelope(to=(MARIA,), subject="Re: Kick-off", in_reply_to="<1@x>", references=("<1@x>",), proactive=True),
    facts=(Source(id="sent:12.1", kind="sent", quote=ASKED, at=AT),),
)
GOOD = {"text": "I had asked whether Thursday suits you for the kick-off. Is there any news?", "gist": "Asks again"}


def drafted(brief: Brief = BRIEF, wishes: str = "", previous: str = "") -> Draft:
    return TemplateFollowUp().letter(brief, wishes, previous)


def test_the_template_names_what_was_asked_and_when() -> None:
    draft = drafted()
    assert draft.body == (
        "Hello Maria,\n\n"
        "on 24 November 2026 I asked you: “Does Thursday suit you for the kick-off?” Is there any news on this? "
        "A short line is enough.\n\n"
        "Best regards\nAda Winter\n"
    )
    assert (draft.by, draft.sources, draft.needs_owner) == (DraftedBy.TEMPLATE, ("sent:12.1",), "")
    assert draft.gist == "Asks once more: Does Thursday suit you for the kick-off?"


@pytest.mark.parametrize("language", languages("followup"))
def test_it_is_written_in_the_language_of_the_mail(language: str) -> None:
    body = drafted(replace(BRIEF, language=language)).body
    assert ASKED in body
    assert "{" not in body
    everybody = {drafted(replace(BRIEF, language=code)).body for code in languages("followup")}
    assert len(everybody) == len(languages("followup"))


def test_a_bid_that_asked_nothing_is_named_by_its_subject() -> None:
    assert "I wrote to you about “Kick-off”." in drafted(replace(BRIEF, message="")).body


def test_another_language_is_english_and_says_so() -> None:
    draft = drafted(replace(BRIEF, language="ja"))
    assert "Hello Maria" in draft.body
    assert any("no template in their language (ja)" in step for step in draft.why)


def test_wishes_without_a_model_leave_the_text_the_owner_saw() -> None:
    draft = drafted(wishes="shorter", previous="Hello Maria,\n\nany news?\n\nAda\n")
    assert draft.body == "Hello Maria,\n\nany news?\n\nAda\n"
    assert any("wishes" in step for step in draft.why)


def test_without_the_mail_nothing_is_drafted() -> None:
    assert drafted(replace(BRIEF, facts=())).needs_owner


@pytest.fixture
async def agent(openai_server: OpenAIServer, journal: Journal) -> AsyncIterator[FollowUpAgent]:
    model = model_at(openai_server.url, journal)
    yield FollowUpAgent(model, TemplateFollowUp())
    await model.aclose()


async def test_a_models_words_stand_between_our_own(openai_server: OpenAIServer, agent: FollowUpAgent) -> None:
    openai_server.answer(lambda _: GOOD)
    draft = await agent.draft(BRIEF, 1, "", "")
    assert draft.body == f"Hello Maria,\n\n{GOOD['text']}\n\nBest regards\nAda Winter\n"
    assert (draft.by, draft.gist) == (DraftedBy.MODEL, "Asks again")
    assert ASKED in openai_server.chats[0].text


@pytest.mark.parametrize(
    "text",
    [
        "Is there any news? I would be glad to hear.",  # names nothing
        "Thursday for the kick-off costs 500 EUR extra.",
        "Thursday for the kick-off? See https://evil.example/now.",
        "Does Thursday suit you for the kick-off? " + "I ask again and again. " * 40,
    ],
)
async def test_words_that_do_not_hold_become_the_templates(
    openai_server: OpenAIServer, agent: FollowUpAgent, text: str
) -> None:
    openai_server.answer(lambda _: GOOD | {"text": text})
    draft = await agent.draft(BRIEF, 1, "", "")
    assert len(openai_server.chats) == 2
    assert draft.by is DraftedBy.TEMPLATE
    assert any("refused 2 times" in step for step in draft.why)
