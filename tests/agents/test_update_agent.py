"""The status update: a template's list, and a model's points held to what was logged."""

from collections.abc import AsyncIterator
from dataclasses import replace
from datetime import date
from typing import Any

import pytest

from agents.forms import Task
from agents.update import Point, Points, TemplateUpdate, UpdateAgent, check
from memory.journal import Journal
from tests.models import model_at
from tests.servers.openai import Fault as Trouble
from tests.servers.openai import OpenAIServer
from workflows.errors import Retryable
from workflows.models.drafts import Brief, Draft, DraftedBy, Envelope
from workflows.models.mail import Address
from workflows.models.work import Report, Work
from workflows.rules.text.languages import languages


def work(number: int, text: str, minutes: int = 60, kind: str = "time", day: int = 16, **given: Any) -> Work:
    return Work(
        id=f"{kind}:{number:012x}",
        project="relaunch",
        day=date(2026, 11, day),
        text=text,
        minutes=0 if kind == "git" else minutes,
        **given,
    )


HEADER = work(1, "Header and footer of the start page", 150)
FORM = work(2, "Contact form: validation and spam guard", 76, day=17)
CALL = work(3, "Call about colours", 45, day=18, billable=False)
COMMIT = work(4, "feat(form): validate addresses (#12)", kind="git")
WORK = (HEADER, FORM, CALL, COMMIT)
REPORT = Report(
    project="relaunch",
    name="Website relaunch",
    since=date(2026, 11, 16),
    until=date(2026, 11, 22),
    work=WORK,
    minutes=271,
)


def brief(*pieces: Work, language: str = "en", hours: bool = False) -> Brief:
    return Brief(
        case=41,
        kind="update",
        language=language,
        owner_name="Ada Winter",
        message="\n".join(piece.text for piece in pieces or WORK),
        envelope=Envelope(to=(Address(email="maria@studio.example", name="Maria Alvarez"),), subject="Status"),
        report=replace(REPORT, work=pieces or WORK, tells_hours=hours),
    )


def drafted(given: Brief, wishes: str = "", previous: str = "") -> Draft:
    return TemplateUpdate().letter(given, wishes, previous)


# ---------------------------------------------------------------- without a model


def test_the_template_lists_what_was_logged_and_names_its_sources() -> None:
    draft = drafted(brief())
    assert draft.body == (
        "Hello Maria,\n"
        "\n"
        "here is what was done on Website relaunch in week 47:\n"
        "\n"
        "- Header and footer of the start page\n"
        "- Contact form: validation and spam guard\n"
        "- Call about colours\n"
        "\n"
        "In detail:\n"
        "\n"
        "- Validate addresses\n"
        "\n"
        "If anything is unclear, or something else is more urgent, just write to me.\n"
        "\n"
        "Best regards\n"
        "Ada Winter\n"
    )
    assert draft.sources == tuple(piece.id for piece in WORK)
    assert (draft.model, draft.needs_owner) == ("", "")
    assert (draft.by, draft.why) == (DraftedBy.TEMPLATE, ())


@pytest.mark.parametrize("language", languages("update"))
def test_it_is_written_in_the_clients_language(language: str) -> None:
    body = drafted(brief(language=language, hours=True)).body
    assert "{" not in body
    assert "- Header and footer of the start page\n" in body
    assert "3 h 46 min" in body  # the call is not billable
    assert "Ada Winter" in body
    others = {drafted(brief(language=one, hours=True)).body for one in languages("update")}
    assert len(others) == len(languages("update"))


def test_hours_are_told_only_where_the_setting_says_so() -> None:
    assert "3 h 46 min" not in drafted(brief()).body
    assert "Time spent: 3 h 46 min." in drafted(brief(hours=True)).body


def test_another_language_is_english_and_says_so() -> None:
    draft = drafted(brief(language="ja"))
    assert "Hello Maria" in draft.body
    assert any("no template in their language (ja)" in step for step in draft.why)


def test_the_same_words_on_several_days_are_one_line_with_every_source() -> None:
    twice = work(9, "header and footer of the start page", day=19)
    draft = drafted(brief(HEADER, twice, work(10, "Header and footer of the start page", kind="git")))
    assert draft.body.lower().count("header and footer") == 1
    assert draft.sources == (HEADER.id, twice.id)


@pytest.mark.parametrize(
    "text",
    ["wip", "WIP.", "fix", "typo", "fixup! Header", "bump lodash", "Merge branch 'x'", "...", "", "12"],
)
def test_what_says_nothing_to_a_client_is_left_out_and_counted(text: str) -> None:
    draft = drafted(brief(HEADER, work(9, text, kind="git")))
    assert draft.sources == (HEADER.id,)
    assert any("1 entry says nothing to a client" in step for step in draft.why)


@pytest.mark.parametrize(
    "text",
    [
        "See https://evil.example/pay", "Mail bob@evil.example", "Call +49 170 1234567", "Key AKIA1234567890ABCDEFGHIJ",
        "As an AI I answered", "Pay to DE89 3704 0044 0532 0130 00", "Deskhand wrote this",
    ],
)  # fmt: skip
def test_links_numbers_and_machine_talk_of_a_log_reach_no_client(text: str) -> None:
    draft = drafted(brief(HEADER, work(9, text, kind="git"), work(10, text)))
    assert text.rsplit(maxsplit=1)[-1] not in draft.body
    assert draft.sources == (HEADER.id,)


def test_marker_lines_in_a_commit_are_defused() -> None:
    draft = drafted(brief(HEADER, work(9, "----- draft 41.1 ends ----- ok", kind="git")))
    assert "----- draft" not in draft.body


@pytest.mark.parametrize(
    ("said", "told"),
    [
        ("fix: the header jumps", "The header jumps"),
        ("feat(shop)!: cart", "Cart"),
        ("[ui] New colours", "New colours"),
        ("WEB-12: Footer links (#45)", "Footer links"),
        ("Footer: links", "Footer: links"),
    ],
)
def test_a_commit_is_told_without_its_codes(said: str, told: str) -> None:
    assert f"- {told}\n" in drafted(brief(work(9, said, kind="git"))).body


def test_a_log_that_says_nothing_is_the_owners_to_write() -> None:
    draft = drafted(brief(work(9, "wip", kind="git")))
    assert draft.body == ""
    assert "nothing of what was logged can be told" in draft.needs_owner


def test_a_long_list_ends_in_a_count() -> None:
    pieces = [work(100 + at, f"Piece {chr(65 + at)} of the shop") for at in range(30)]
    body = drafted(brief(*pieces)).body
    assert body.count("\n- ") == 26
    assert "- and 5 smaller things" in body


def test_wishes_keep_the_text_the_owner_saw_and_say_so() -> None:
    draft = drafted(brief(), wishes="shorter", previous="Hello Maria,\n\nmy own words.\n")
    assert draft.body == "Hello Maria,\n\nmy own words.\n"
    assert draft.gist == "Your wishes could not be worked in."


# ---------------------------------------------------------------- with a model


GOOD = {
    "points": [
        {"text": "The start page has its header and footer.", "sources": [HEADER.id]},
        {"text": "The contact form has validation and a spam guard.", "sources": [FORM.id, COMMIT.id]},
    ],
    "remark": "",
    "gist": "Header, footer and the contact form.",
}


@pytest.fixture
async def agent(openai_server: OpenAIServer, journal: Journal) -> AsyncIterator[UpdateAgent]:
    model = model_at(openai_server.url, journal)
    yield UpdateAgent(model, TemplateUpdate())
    await model.aclose()


async def test_good_points_stand_between_our_own_words(openai_server, agent) -> None:
    openai_server.answer(lambda _: GOOD)
    draft = await agent.draft(brief(hours=True), 1, "", "")
    assert draft.body == (
        "Hello Maria,\n"
        "\n"
        "here is what was done on Website relaunch in week 47:\n"
        "\n"
        "- The start page has its header and footer.\n"
        "- The contact form has validation and a spam guard.\n"
        "\n"
        "Time spent: 3 h 46 min.\n"
        "\n"
        "If anything is unclear, or something else is more urgent, just write to me.\n"
        "\n"
        "Best regards\n"
        "Ada Winter\n"
    )
    assert draft.model == "test-model"
    assert draft.gist == "Header, footer and the contact form."
    assert draft.sources == (HEADER.id, FORM.id, COMMIT.id)
    assert len(openai_server.chats) == 1
    assert HEADER.id in openai_server.chats[0].text
    assert "2 h 30 min" not in openai_server.chats[0].text  # the model never knows how long anything took


async def test_invented_work_is_named_and_written_once_more(openai_server, agent) -> None:
    bad = GOOD | {"points": [*GOOD["points"], {"text": "The payment gateway was connected.", "sources": [FORM.id]}]}
    openai_server.script(bad, GOOD)
    draft = await agent.draft(brief(), 1, "", "")
    assert "gateway" not in draft.body
    assert draft.model == "test-model"
    assert "payment gateway was connected" in openai_server.chats[1].text


async def test_invented_work_twice_becomes_the_templates_list_that_says_why(openai_server, agent) -> None:
    openai_server.answer(
        lambda _: GOOD | {"points": [{"text": "The payment gateway was connected.", "sources": [FORM.id]}]}
    )
    draft = await agent.draft(brief(), 1, "", "")
    assert draft.model == ""
    assert "gateway" not in draft.body
    assert "- Contact form: validation and spam guard\n" in draft.body
    assert any("refused 2 times" in step for step in draft.why)
    assert any("gateway" in step for step in draft.why)
    assert len(openai_server.chats) == 2


async def test_a_broken_model_leaves_the_template(openai_server, agent) -> None:
    openai_server.answer(lambda _: "no json at all")
    draft = await agent.draft(brief(), 1, "", "")
    assert (draft.model, draft.sources) == ("", tuple(piece.id for piece in WORK))


async def test_an_endpoint_that_is_away_is_tried_again(openai_server, agent) -> None:
    openai_server.answer(lambda _: Trouble("500"))
    with pytest.raises(Retryable):
        await agent.draft(brief(), 1, "", "")


async def test_wishes_reach_the_model_and_support_a_remark(openai_server, agent) -> None:
    remark = "I am away on Friday 27 November."
    openai_server.answer(lambda _: GOOD | {"remark": remark})
    draft = await agent.draft(brief(), 2, "say that I am away on Friday 27 November", "Hello Maria, ...")
    assert remark in draft.body
    assert "say that I am away" in openai_server.chats[0].text


async def test_a_remark_nobody_asked_for_is_left_out(openai_server, agent) -> None:
    openai_server.answer(lambda _: GOOD | {"remark": "The next invoice follows."})
    draft = await agent.draft(brief(), 1, "", "")
    assert "invoice" not in draft.body


async def test_nothing_to_tell_costs_no_call(openai_server, agent) -> None:
    draft = await agent.draft(brief(work(9, "wip", kind="git")), 1, "", "")
    assert draft.needs_owner
    assert openai_server.chats == []


async def test_a_translated_update_says_that_it_could_not_be_held_against_the_log(openai_server, agent) -> None:
    points = [{"text": "Das Kontaktformular prüft jetzt die Eingaben.", "sources": [FORM.id]}]
    openai_server.answer(lambda _: GOOD | {"points": points, "gist": "Das Kontaktformular."})
    english = (FORM, HEADER, work(7, "The texts of the team page and what they say about us"))
    draft = await agent.draft(brief(*english, language="de"), 1, "", "")
    assert "- Das Kontaktformular prüft jetzt die Eingaben.\n" in draft.body
    assert any("The entries are in English, the update in German" in step for step in draft.why)


# ---------------------------------------------------------------- the check


def faults_of(text: str, *sources: str, wishes: str = "", remark: str = "", language: str = "en") -> list[str]:
    points = Points(points=[Point(text=text, sources=list(sources or (FORM.id,)))], remark=remark, gist="x")
    task = Task(brief=brief(language=language), version=1, wishes=wishes)
    return [fault.rule for fault in check(points, task) if fault.hard]


@pytest.mark.parametrize(
    "text",
    [
        "The contact form has validation now.",
        "Validated the contact form and added its spam guard.",
        "Worked on the contact form, with a guard against spam.",
        "Further work on the website relaunch: the contact form.",
    ],
)
def test_what_the_entries_say_in_other_words_is_let_be(text: str) -> None:
    assert faults_of(text) == []


@pytest.mark.parametrize(
    ("text", "rule"),
    [
        ("The contact form and the payment gateway.", "work"),
        ("The database was migrated to a faster server.", "work"),
        ("The contact form is finished.", "claim"),
        ("The contact form is live.", "claim"),
        ("The contact form was tested with your team.", "claim"),
        ("The invoice for the contact form follows.", "claim"),
        ("The contact form is on schedule.", "claim"),
        ("The contact form took 3 hours.", "hours"),
        ("The contact form, 76 min.", "hours"),
        ("The contact form has 12 fields.", "figure"),
        ("The contact form will be ready on Friday.", "fact"),
        ("The contact form was discussed with Bob.", "fact"),
        ("The contact form, see https://evil.example/form.", "link"),
        ("The contact form: write to eve@evil.example.", "address"),
        (f"The contact form ({FORM.id}).", "source-id"),
        ("The contact form has [details].", "placeholder"),
        ("", "length"),
        ("The contact form " + "and the spam guard " * 20, "length"),
    ],
)
def test_what_the_entries_do_not_say_blocks(text: str, rule: str) -> None:
    assert rule in faults_of(text)


def test_a_point_must_name_an_entry_that_there_is() -> None:
    assert "source" in faults_of("The contact form has validation.", "time:ffffffffffff")
    points = Points(points=[Point(text="The contact form has validation.", sources=[])], remark="", gist="x")
    assert "source" in [fault.rule for fault in check(points, Task(brief=brief(), version=1))]
    assert check(Points(points=[], remark="", gist="x"), Task(brief=brief(), version=1))


def test_a_point_rests_on_its_own_entries_not_on_others() -> None:
    assert "work" in faults_of("The header of the start page.", FORM.id)
    assert faults_of("The header of the start page.", HEADER.id) == []


def test_a_claim_that_an_entry_makes_may_be_made() -> None:
    tested = work(8, "Contact form tested on phones, finished")
    points = Points(
        points=[Point(text="The contact form is finished and tested.", sources=[tested.id])], remark="", gist="x"
    )
    assert check(points, Task(brief=brief(tested), version=1)) == ()


def test_the_owners_words_support_what_he_wants_said() -> None:
    assert faults_of("The contact form is finished.", wishes="say that the contact form is finished") == []
    assert "claim" in faults_of("The contact form is finished.", wishes="shorter, please")


def test_claims_and_figures_are_held_in_a_translation_too() -> None:
    english = work(9, "The contact form and what it says when the entry is wrong")
    points = Points(
        points=[Point(text="Das Formular ist fertig und hat 12 Felder.", sources=[english.id])], remark="", gist=""
    )
    rules = [fault.rule for fault in check(points, Task(brief=brief(english, language="de"), version=1))]
    assert "claim" in rules
    assert "figure" in rules
    assert "work" not in rules


def test_a_remark_says_only_what_was_asked_for() -> None:
    wishes = "mention the meeting on Friday"
    assert (
        faults_of("The contact form has validation.", wishes=wishes, remark="We meet on Friday, at the meeting.") == []
    )
    assert "work" in faults_of("The contact form has validation.", wishes=wishes, remark="The shop opens soon.")
