"""Drafts without a model."""

import subprocess
import sys
from pathlib import Path

import pytest

from agents.checks import faults
from agents.letters import first_name
from agents.templates import Drafter, TemplateReply
from workflows.models.drafts import Brief, DraftedBy, Source
from workflows.models.mail import Address
from workflows.rules.text.canonical import canonical
from workflows.rules.text.language import language_of

ROOT = Path(__file__).parents[2]


def brief(**changed) -> Brief:
    given = {
        "case": 41,
        "sender": Address(email="maria@studio.example", name="Maria Alvarez"),
        "subject": "Kick-off date?",
        "message": "Hi Ada, does Thursday 10:00 work for the kick-off?",
        "owner_name": "Ada Winter",
    }
    return Brief(**(given | changed))


async def drafted(wishes: str = "", previous: str = "", **changed):
    return await TemplateReply().draft(brief(**changed), 1, wishes, previous)


async def test_the_holding_reply_reads_well() -> None:
    draft = await drafted()
    said = "thank you for your message about “Kick-off date?”. On the date I will come back to you shortly."
    assert draft.body == f"Hello Maria,\n\n{said}\n\nBest regards\nAda Winter\n"
    assert draft.model == ""
    assert draft.cost == "0"
    assert (draft.by, draft.why) == (DraftedBy.TEMPLATE, ())
    assert len(draft.gist) <= 60


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
async def test_it_is_in_the_language_of_the_mail(language: str) -> None:
    draft = await drafted(language=language, subject="")
    assert language_of(draft.body) == language
    assert draft.body == canonical(draft.body)
    assert len(draft.gist) <= 60


async def test_another_language_gets_english_and_the_owner_is_told() -> None:
    draft = await drafted(language="fi")
    assert language_of(draft.body) == "en"
    assert any("no template in their language (fi)" in step for step in draft.why)


@pytest.mark.parametrize("language", ["en", "de", "fr", "es"])
async def test_it_passes_the_checks_that_a_model_must_pass(language: str) -> None:
    given = brief(language=language)
    draft = await TemplateReply().draft(given, 1, "", "")
    assert faults(draft.body, given) == ()


HOSTILE_SUBJECTS = [
    "Visit https://evil.example/win now",
    "Call +49 30 1234567",
    "evil.com",
    "Mail me: x@evil.example",
    "{name} {owner}",
    "----- draft 41.1 begins -----",
    "“nested” quotes",
    "A" * 300,
    "\u202egnp.exe",
    "[Your Name]",
    "<script>alert(1)</script>",
    "Pay to DE89 3704 0044 0532 0130 00",
    "Deskhand 41.1",
    "",
    "Re: ",
]


@pytest.mark.parametrize("subject", HOSTILE_SUBJECTS)
async def test_a_strangers_subject_is_never_a_way_in(subject: str) -> None:
    given = brief(subject=subject, message="Hello.")
    body = (await TemplateReply().draft(given, 1, "", "")).body
    blank = brief(subject="", message="Hello.")
    assert [fault for fault in faults(body, blank) if fault.hard] == []
    assert "evil" not in body
    assert "\u202e" not in body


@pytest.mark.parametrize(
    ("subject", "shown"), [("Re: AW: Logo", "“Logo”"), ("Fwd: Logo", "Logo"), ("  Logo \r\n v2 ", "“Logo v2”")]
)
async def test_the_subject_is_named_without_its_prefixes(subject: str, shown: str) -> None:
    assert shown in (await drafted(subject=subject)).body


NAMES = [
    ("Maria Alvarez", "maria@studio.example", "Maria"),
    ("Alvarez, Maria", "m.alvarez@studio.example", "Maria"),
    ("Dr. Jörg Müller", "joerg.mueller@firma.example", ""),
    ("Jörg Müller", "joerg.mueller@firma.example", "Jörg"),
    ("Maria", "maria@studio.example", "Maria"),
    ("Anne-Sophie Leroy", "asleroy@x.example", ""),
    ("José García", "jgarcia@x.example", "José"),
    ("Studio Nord", "hello@studio-nord.example", ""),
    ("Studio Nord", "studio@nord.example", ""),
    ("Acme GmbH", "info@acme.example", ""),
    ("Stripe", "stripe@stripe.example", ""),
    ("Maria Alvarez", "office@studio.example", ""),
    ("", "maria@studio.example", ""),
    ("maria@studio.example", "maria@studio.example", ""),
    ("Maria\r\nBcc: x@evil.example", "maria@studio.example", ""),
    ("https://evil.example", "https@evil.example", ""),
    ("Herr Müller", "mueller@firma.example", ""),
    ("MARIA ALVAREZ", "maria@studio.example", "Maria"),
]


@pytest.mark.parametrize(("name", "email", "expected"), NAMES)
def test_the_first_name_is_used_only_when_it_is_sure(name: str, email: str, expected: str) -> None:
    assert first_name(Address(email=email, name=name)) == expected


async def test_wishes_are_not_pretended_to_be_worked_in() -> None:
    draft = await drafted(wishes="shorter, and mention Friday", previous="Hello Maria,\n\nmy own words.\n\nAda\n")
    assert draft.body == "Hello Maria,\n\nmy own words.\n\nAda\n"
    assert any('No model is configured, so wishes cannot be worked in: answer "edit"' in step for step in draft.why)
    assert draft.gist == "Your wishes could not be worked in."


async def test_no_source_is_claimed() -> None:
    source = Source(id="mail:abc", kind="received", quote="The budget is 4,000 EUR")
    draft = await drafted(sources=(source,))
    assert draft.sources == ()
    assert "4,000" not in draft.body


async def test_the_drafter_takes_templates_where_there_is_no_model() -> None:
    assert await Drafter(TemplateReply()).draft(brief(), 1, "", "") == await drafted()


def test_templates_import_nothing_heavy() -> None:
    code = (
        "import sys, agents.templates, agents.reply; print([n for n in sys.modules if n.split('.')[0] in sys.argv[1:]])"
    )
    heavy = ["langchain_openai", "langchain_core", "langgraph", "openai", "langsmith", "chromadb", "httpx2"]
    done = subprocess.run([sys.executable, "-c", code, *heavy], cwd=ROOT, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]"


@pytest.mark.parametrize(
    ("language", "word"), [("en", "assistant"), ("de", "Assistenten"), ("fr", "assistant"), ("pl", "asystenta")]
)
async def test_an_owner_who_discloses_has_the_line_in_every_draft_once(language: str, word: str) -> None:
    drafter = Drafter(TemplateReply(), disclose=True)
    first = await drafter.draft(brief(language=language), 1, "", "")
    again = await drafter.draft(brief(language=language), 2, "shorter", first.body)
    assert first.body.rstrip().splitlines()[-1].count(word) == 1
    assert again.body == first.body
    assert word not in (await Drafter(TemplateReply()).draft(brief(language=language), 1, "", "")).body
