"""The letters about late invoices: figures by code alone, words by template or by a scripted model over HTTP."""

import re
from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date

import pytest

from agents.chase import ChaseAgent, ChaseWords, TemplateChase, check, compose
from agents.forms import Task
from agents.templates import Drafter, TemplateReply
from memory.journal import Journal
from tests.models import model_at
from tests.servers.openai import Fault as Trouble
from tests.servers.openai import OpenAIServer
from workflows.errors import Retryable
from workflows.models.drafts import Brief, Draft, DraftedBy, Envelope, Source
from workflows.models.mail import Address
from workflows.models.money import Invoice, Money, Notice
from workflows.rules.debts.dunning import ladder, ladders
from workflows.rules.text.language import language_of
from workflows.rules.text.languages import languages
from workflows.rules.text.money import totals

ANNA = Address(email="anna.lehmann@acme.example", name="Anna Lehmann")
TONES = ("upcoming", "friendly", "plain", "firm", "final", "thanks")


def bill(number: str, minor: int = 50000, currency: str = "EUR", paid: int = 0) -> Invoice:
    return Invoice(
        number=number, name="Acme", email=ANNA.email, due=date(2026, 11, 9),
        amount=Money(minor=minor, currency=currency),
        paid=Money(minor=paid, currency=currency) if paid else None,
    )  # fmt: skip


def brief(
    *invoices: Invoice, tone: str = "friendly", language: str = "en", steps: tuple[int, ...] = (), **given
) -> Brief:
    found = invoices or (bill("2026-014"),)
    stage = "thanks" if tone == "thanks" else "reminder"
    amounts = [one.amount if tone == "thanks" else one.balance for one in found]
    notice = Notice(
        stage=stage, step=max(steps, default=1), steps=steps, tone=tone, invoices=found, today=date(2026, 11, 23),
        totals=totals(amounts),
    )  # fmt: skip
    values = {
        "case": 41, "kind": "chase", "sender": ANNA, "language": language, "owner_name": "Ada Winter", "notice": notice,
        "envelope": Envelope(to=(ANNA,), subject="Payment reminder", proactive=True),
        "message": "Number  Open  Due\n2026-014  500.00 EUR  2026-11-09",
        "facts": tuple(Source(id=f"invoice:{one.number}", kind="invoice", quote="open") for one in found),
    } | given  # fmt: skip
    return Brief(**values)


def written(given: Brief, wishes: str = "", previous: str = "") -> Draft:
    return TemplateChase().letter(given, wishes, previous)


# ---------------------------------------------------------------- without a model


def test_a_letter_holds_the_table_the_total_and_how_to_pay() -> None:
    details = Source(id="money:details", kind="profile", quote="IBAN DE02 1203 0000 0000 2020 51")
    given = brief(bill("A"), bill("B", 125099, "USD", 10000), bill("C", 2500))
    given = replace(given, facts=(*given.facts, details))
    assert written(given).body == (
        "Hello Anna,\n\n"
        "I have not seen a payment for the following invoices yet; perhaps they have slipped through:\n\n"
        "- Invoice A: 500.00 EUR, due on 9 November 2026\n"
        "- Invoice B: 1,150.99 USD of 1,250.99 USD still open, due on 9 November 2026\n"
        "- Invoice C: 25.00 EUR, due on 9 November 2026\n"
        "Total: 525.00 EUR + 1,150.99 USD\n"
        "How to pay: IBAN DE02 1203 0000 0000 2020 51\n\n"
        "Could you arrange the payment in the next few days? "
        "If it is already on its way, please ignore this message.\n\n"
        "Best regards\nAda Winter\n"
    )
    assert written(given).gist == "Reminds them in a friendly way: 525.00 EUR + 1,150.99 USD"
    assert written(given).sources == ("invoice:A", "invoice:B", "invoice:C", "money:details")
    assert written(given).by is DraftedBy.TEMPLATE


@pytest.mark.parametrize("language", languages("chase"))
@pytest.mark.parametrize("tone", TONES)
def test_every_tone_is_written_in_every_language(language: str, tone: str) -> None:
    draft = written(brief(bill("A"), bill("B", 300000, "JPY"), tone=tone, language=language))
    assert language_of(draft.body) == language
    assert not re.search(r"[{}]", draft.body)
    assert "Ada Winter" in draft.body
    assert len(draft.gist) <= 60
    assert draft.needs_owner == ""
    one = written(brief(bill("A"), tone=tone, language=language)).body
    assert "500" in one
    assert not re.search(r"Total|Summe|Totale|Totaal|Razem", one)


def test_every_stage_of_every_ladder_has_words() -> None:
    assert {stage.tone for name in ladders() for stage in ladder(name).stages} <= set(TONES)


@pytest.mark.parametrize("language", languages("chase"))
def test_no_template_threatens_or_concedes(language: str) -> None:
    for tone in TONES:
        body = written(brief(tone=tone, language=language)).body
        words = ChaseWords(before=body, after="So.", gist="")
        assert [
            fault.what
            for fault in check(words, Task(brief=brief(language=language), version=1))
            if fault.rule == "threat"
        ] == []


def test_an_invoice_at_an_earlier_stage_stands_apart() -> None:
    body = written(brief(bill("A"), bill("B"), bill("C"), tone="final", steps=(4, 1, 2))).body
    assert (
        "despite my reminders, the following invoice has not been paid:\n\n"
        "- Invoice A: 500.00 EUR, due on 9 November 2026\n\n"
        "Also open:\n"
        "- Invoice B: 500.00 EUR, due on 9 November 2026\n"
        "- Invoice C: 500.00 EUR, due on 9 November 2026\n\n"
        "Total: 1,500.00 EUR\n"
    ) in body


def test_who_is_no_person_is_greeted_without_a_name() -> None:
    desk = Envelope(to=(Address(email="billing@acme.example", name="Acme GmbH Accounting"),), subject="")
    assert written(brief(envelope=desk)).body.startswith("Hello,\n")


def test_a_number_that_looks_like_a_place_of_ours_stays_itself() -> None:
    body = written(brief(bill("{total}"), bill("{day}\n-- \nBcc: x@evil.example"))).body
    assert "- Invoice {total}: 500.00 EUR" in body
    assert "- Invoice {day} -- Bcc: x@evil.example: 500.00 EUR" in body


def test_a_language_without_a_template_is_said() -> None:
    draft = written(brief(language="sv"))
    assert draft.body.startswith("Hello Anna")
    assert any("no template in their language (sv)" in line for line in draft.why)


def test_what_was_paid_is_thanked_for_without_how_to_pay() -> None:
    details = Source(id="money:details", kind="profile", quote="IBAN DE02")
    body = written(brief(bill("A", paid=50000), tone="thanks", facts=(details,))).body
    assert "- Invoice A: 500.00 EUR\n" in body
    assert "IBAN" not in body


def test_nothing_owed_any_more_is_the_owners_to_close() -> None:
    empty = Notice(stage="reminder", step=1, invoices=(), today=date(2026, 11, 23))
    draft = written(replace(brief(), notice=empty))
    assert draft.needs_owner == "nothing of this is owed any more; close the case with 'no'"


def test_wishes_keep_the_text_the_owner_saw_unless_its_figures_are_old() -> None:
    seen = written(brief()).body.replace("Best regards", "Yours")
    kept = written(brief(), "shorter", seen)
    assert kept.body == seen
    assert kept.gist == "Your wishes could not be worked in."
    assert any('answer "edit" and your text' in line for line in kept.why)
    assert "450.00 EUR" in written(brief(bill("2026-014", 45000)), "shorter", seen).body


async def test_the_drafter_gives_chases_to_the_chase_agent() -> None:
    drafter = Drafter(TemplateReply(), others={"chase": TemplateChase()}, disclose=True)
    draft = await drafter.draft(brief(), 1, "", "")
    assert "Invoice 2026-014" in draft.body
    assert "An assistant helped" in draft.body


# ---------------------------------------------------------------- with a model


GOOD = {
    "before": "I hope all is well. The invoice below has perhaps slipped through:",
    "after": "Could you look into it within the next few days? Thank you.",
    "gist": "A friendly reminder.",
}


@pytest.fixture
async def agent(openai_server: OpenAIServer, journal: Journal) -> AsyncIterator[ChaseAgent]:
    model = model_at(openai_server.url, journal, seconds=30.0)
    yield ChaseAgent(model, TemplateChase())
    await model.aclose()


async def test_the_model_writes_around_the_table(openai_server, agent) -> None:
    openai_server.script(GOOD)
    draft = await agent.draft(brief(), 1, "", "")
    assert draft.body == (
        "Hello Anna,\n\nI hope all is well. The invoice below has perhaps slipped through:\n\n"
        "- Invoice 2026-014: 500.00 EUR, due on 9 November 2026\n\n"
        "Could you look into it within the next few days? Thank you.\n\nBest regards\nAda Winter\n"
    )
    assert (draft.model, draft.gist) == ("test-model", "A friendly reminder.")
    assert draft.why == ("check: figures, language, links and addresses hold",)
    assert len(openai_server.chats) == 1


async def test_the_same_again_is_not_paid_twice(openai_server, agent) -> None:
    openai_server.script(GOOD)
    first = await agent.draft(brief(), 1, "", "")
    assert await agent.draft(brief(), 1, "", "") == first
    assert len(openai_server.chats) == 1


WRONG = [
    {"before": "You owe me 550.00 EUR:"},
    {"before": "Invoice 2026-014 is open:"},  # the right one, yet no figure is the model's to write
    {"after": "Please pay by 1 December 2026."},
    {"after": "Please pay within 7 days."},
    {"after": "Otherwise my lawyer will write to you."},
    {"after": "Sonst folgt ein Mahnbescheid."},
    {"after": "I will have to charge late fees."},
    {"after": "I can offer you a discount if you pay soon."},
    {"after": "Pay here: https://pay.evil.example/x"},
    {"after": "Write to billing@evil.example instead."},
    {"after": "Transfer it to DE89 3704 0044 0532 0130 00."},
    {"after": "[add the bank details here] Thank you."},
    {"before": ""},
    {"before": "word " * 300},
]


@pytest.mark.parametrize("wrong", WRONG)
async def test_a_wrong_figure_threat_link_or_account_blocks_and_is_written_anew(openai_server, agent, wrong) -> None:
    openai_server.script(GOOD | wrong, GOOD)
    draft = await agent.draft(brief(), 1, "", "")
    assert GOOD["after"] in draft.body
    assert draft.why == ("check: figures, language, links and addresses hold after one correction",)
    assert len(openai_server.chats) == 2


async def test_twice_wrong_is_the_template_and_says_why(openai_server, agent) -> None:
    openai_server.script(GOOD | WRONG[0], GOOD | WRONG[4])
    draft = await agent.draft(brief(), 1, "", "")
    assert draft.model == ""
    assert draft.body == written(brief()).body
    assert draft.why[0] == "The draft of test-model was refused 2 times"
    assert any("lawyer" in line for line in draft.why)
    assert draft.cost == "unpriced"


async def test_what_the_owner_asks_for_may_be_said(openai_server, agent) -> None:
    openai_server.script(GOOD | {"after": "Please pay by 15 December; otherwise I will give it to my lawyer."})
    draft = await agent.draft(brief(), 2, "give them until 15 December, then the lawyer", "the text before")
    assert "15 December" in draft.body
    assert draft.model == "test-model"
    asked = openai_server.chats[0].text
    assert "give them until 15 December" in asked
    assert "the text before" in asked


async def test_a_model_that_is_away_is_tried_again_later(openai_server, agent) -> None:
    openai_server.script(Trouble("500"))
    with pytest.raises(Retryable):
        await agent.draft(brief(), 1, "", "")


async def test_the_model_is_told_the_tone_and_the_language(openai_server, agent) -> None:
    german = {"before": "zur folgenden Rechnung fehlt mir noch die Zahlung:", "after": "Ich bitte um Überweisung."}
    openai_server.script(GOOD | german)
    await agent.draft(brief(language="de", tone="final"), 1, "", "")
    asked = openai_server.chats[0].text
    assert "German" in asked
    assert "final, serious and still polite" in asked


async def test_nothing_owed_asks_no_model(openai_server, agent) -> None:
    empty = Notice(stage="reminder", step=1, invoices=(), today=date(2026, 11, 23))
    assert (await agent.draft(replace(brief(), notice=empty), 1, "", "")).needs_owner
    assert openai_server.chats == []


def test_the_letter_is_the_same_however_often_it_is_composed() -> None:
    assert compose(brief(), "a:", "b") == compose(brief(), " a: ", "b\n")


# ---------------------------------------------------------------- a thank-you while other invoices are open


@pytest.mark.parametrize("language", languages("chase"))
def test_a_thank_you_says_that_all_is_settled_only_when_it_is(language: str) -> None:
    given = brief(bill("A", paid=50000), tone="thanks", language=language)
    assert given.notice is not None
    some = replace(given, notice=replace(given.notice, others_open=True))
    settled, partly = written(given).body, written(some).body
    assert len(partly) < len(settled)
    check_for = check(
        ChaseWords(before="Thank you:", after=settled.split("\n\n")[-2], gist="x"), Task(brief=some, version=1)
    )
    assert "settled" in {fault.rule for fault in check_for}
    after = partly.split("\n\n")[-2]
    assert after in settled
    assert "settled" not in {
        fault.rule for fault in check(ChaseWords(before="x:", after=after, gist="x"), Task(brief=some, version=1))
    }


def test_a_models_thank_you_may_say_it_when_nothing_else_is_open() -> None:
    given = brief(bill("A", paid=50000), tone="thanks")
    words = ChaseWords(before="Thank you, it has arrived:", after="Now everything is settled.", gist="Thanks")
    assert "settled" not in {fault.rule for fault in check(words, Task(brief=given, version=1))}
