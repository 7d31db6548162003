"""What an older Deskhand stored as words alone is read with the code of today; what is unknown, on the safe side."""

import json
from pathlib import Path

import pytest
from sqlalchemy import insert, update
from temporalio.contrib.pydantic import pydantic_data_converter

from memory.leads.findings import NOTE
from memory.record.schema import findings, from_json, meta, to_json, transaction
from tests.ledgers import House
from workflows import older
from workflows.models.case import CaseState, ChangedBy
from workflows.models.drafts import Draft, DraftedBy
from workflows.models.leads import Flag, Lead
from workflows.models.mail import Defect, Email

NAMES_IT = "a mail from a,b@y.example names the mail that asked you"
EMAIL = Email(identity="i", blob="b", text="ok")


@pytest.fixture
def house(tmp_path: Path) -> House:
    return House(tmp_path / "home")


def stored(value, **fields) -> str:
    """As an older Deskhand wrote it: without the fields that are None here."""
    values = json.loads(to_json(value)) | fields
    return json.dumps({name: inner for name, inner in values.items() if inner is not None})


@pytest.mark.parametrize(
    ("changed", "by", "at_once"),
    [
        ("", ChangedBy.NOBODY, False),
        ("They wrote again.", ChangedBy.CLIENT, False),
        ("Your own text.", ChangedBy.OWNER, True),
        ("You asked for: shorter", ChangedBy.OWNER, True),
        ("Invoice 7 was cancelled.", ChangedBy.UNKNOWN, True),
        ("A sentence that nobody remembers.", ChangedBy.UNKNOWN, True),
    ],
)
async def test_a_state_says_who_changed_the_draft(changed: str, by: ChangedBy, at_once: bool) -> None:
    old = stored(CaseState(case=1, version=2, round=1), changed=changed, changed_by=None)
    state = from_json(CaseState, old)
    assert (state.changed, state.changed_by, state.owners_turn) == (changed, by, at_once)
    payload = (await pydantic_data_converter.encode([json.loads(old)]))[0]
    (carried,) = await pydantic_data_converter.decode([payload], [CaseState])
    assert carried == state
    assert from_json(CaseState, to_json(state)) == state


@pytest.mark.parametrize(
    ("sentence", "cuts"),
    [
        ("damaged quoted-printable", False),
        ("a multipart without its boundary is read as text", False),
        ("no readable address in Reply-To", False),
        ("text longer than 200000 characters is cut", True),
        ("more than 500 parts: the rest is not read", True),
        ("something of long ago", True),
    ],
)
def test_a_defect_without_a_code_counts_as_cut_unless_it_is_known(sentence: str, cuts: bool) -> None:
    email = from_json(Email, stored(EMAIL, defects=[sentence]))
    assert [(defect.says, defect.cuts, defect.cuts_text) for defect in email.defects] == [(sentence, cuts, cuts)]
    assert email.is_partial is cuts
    assert from_json(Email, to_json(email)) == email


def test_a_defect_of_today_is_left_as_it_is() -> None:
    email = from_json(Email, stored(EMAIL, defects=[{"code": "parts", "says": "too many"}]))
    assert email.defects == (Defect("parts", "too many"),)
    assert not email.defects[0].cuts_text


@pytest.mark.parametrize(
    ("why", "model", "by", "reasons"),
    [
        (["none: drafted from a template", "no wishes"], "", DraftedBy.TEMPLATE, ("no wishes",)),
        (["you wrote this text"], "", DraftedBy.OWNER, ("you wrote this text",)),
        (["it answers the question"], "m", DraftedBy.MODEL, ("it answers the question",)),
        (["something else"], "", DraftedBy.UNKNOWN, ("something else",)),
        ([], "", DraftedBy.UNKNOWN, ()),
    ],
)
def test_a_draft_says_whose_it_is(why: list[str], model: str, by: DraftedBy, reasons: tuple[str, ...]) -> None:
    draft = from_json(Draft, stored(Draft(body="Hi.", gist="hi"), why=why, model=model, by=None))
    assert (draft.by, draft.why) == (by, reasons)
    assert from_json(Draft, to_json(draft)) == draft


def test_flags_of_a_post_keep_their_meaning() -> None:
    said = ["honeypot: a word was taken out", "unverified: you forwarded it", "invitation: you were invited", "odd"]
    lead = from_json(Lead, stored(Lead(source="wwr", id="1", title="Rust"), flags=said))
    assert lead.flags == tuple(
        Flag(code, words) for code, words in zip(("honeypot", "unverified", "noted", "noted"), said, strict=True)
    )


def test_a_note_of_no_page_is_no_news(house: House) -> None:
    texts = ["The post names no page of its author's.", "Their site did not answer (https://old.example)."]
    with transaction(house.engine) as connection:
        for position, text in enumerate(texts):
            values = {"case": 1, "position": position, "kind": NOTE, "text": text, "url": "", "quote": ""}
            connection.execute(insert(findings).values(values | {"at": house.clock.now()}))
    found = house.ledger.findings(1)
    assert [(finding.kind, finding.is_fact) for finding in found] == [("no page", False), (NOTE, False)]


def test_news_of_invoices_that_were_not_told_yet_are_told(house: House) -> None:
    with transaction(house.engine) as connection:
        connection.execute(insert(meta).values(key="invoice_news", value=json.dumps(["Invoice 7 was cancelled."])))
    _, (news,) = house.ledger.untold_invoice_news()
    assert (news.subject, news.says) == ("News of your invoices", "Invoice 7 was cancelled.")
    with transaction(house.engine) as connection:
        connection.execute(update(meta).where(meta.c.key == "invoice_news").values(value=json.dumps([])))
    assert house.ledger.untold_invoice_news()[1] == ()


@pytest.mark.parametrize(
    ("row", "clause"),
    [
        (f"{NAMES_IT}, so somebody else has seen that one. It counts no more; answer this one.", NAMES_IT),
        ("the key was lost, so it counts no more. Answer the newer one.", "the key was lost"),
        (NAMES_IT, NAMES_IT),
        ("", ""),
    ],
)
def test_who_knows_a_burnt_question_is_one_clause(row: str, clause: str) -> None:
    assert older.clause_of(row) == clause
