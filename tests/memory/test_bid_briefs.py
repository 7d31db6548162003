"""The brief of a bid, from a real ledger: what it holds, where it would go, and what it never may hold."""

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from memory.briefs.bids import BidBriefs
from memory.leads.findings import NOTE, Finding
from memory.leads.posts import SourcePost
from tests.ledgers import OWNER, House
from workflows.errors import Permanent
from workflows.models.case import CaseState
from workflows.models.drafts import Draft, Outgoing, Source
from workflows.models.leads import Flag, Lead, PastWork, Profile
from workflows.models.mail import Address
from workflows.models.routes import Start
from workflows.rules.asking import approval
from workflows.rules.asking.packs import render_pack
from workflows.rules.leads.rates import parse_rate

SAID = (Source(id="profile:rate", kind="profile", quote="95 EUR/hour"),)
PROFILE = Profile(
    rate=parse_rate("95 EUR/hour"),
    skills=("Django",),
    work=(
        PastWork(id="museum", title="Ticket shop of the City Museum", skills=("Django",)),
        PastWork(id="logo", title="Logo of a bakery", skills=("Illustrator",)),
    ),
)
POST = Lead(
    source="wwr",
    id="1",
    title="Django developer for a museum",
    text="We run the ticket shop of a museum and want it moved to Django. What is your rate?",
    url="https://board.example/jobs/1",
    company="Studio Nord",
    skills=("Django",),
    flags=(Flag("honeypot", "honeypot: a word to be repeated was taken out"),),
    attribution="We Work Remotely",
)


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path / "home")
    yield made
    made.engine.dispose()


def recorded(house: House, lead: Lead) -> CaseState:
    house.ledger.record_leads(
        "wwr",
        [SourcePost(id=lead.id, title=lead.title, found=replace(lead, published=house.clock.now()))],
        lambda _: Start(kind="bid"),
        {},
    )
    (state,) = house.ledger.open_cases()
    return state


def briefs(house: House, asked: list[tuple[str, str]] | None = None) -> BidBriefs:
    def search(client: str, text: str) -> tuple[Source, ...]:
        if asked is not None:
            asked.append((client, text))
        return (Source(id="mail:aaaaaaaaaaaa", kind="received", quote="They pay at month end."),)

    return BidBriefs(
        ledger=house.ledger, search=search, profile=PROFILE, said=SAID, owner=OWNER, clock=house.clock, threshold=0.4
    )


def test_a_brief_holds_the_post_its_worth_and_what_fits(house: House) -> None:
    state = recorded(house, POST)
    house.ledger.keep_findings(
        state.case,
        [
            Finding(kind="fact", text="They are six people.", url="https://nord.example", quote="a studio of six"),
            Finding(kind=NOTE, text="Their site did not answer (https://old.example)."),
        ],
    )
    brief = briefs(house).build(state)
    assert brief.kind == "bid"
    assert brief.lead is not None
    assert brief.score is not None
    assert brief.score.threshold == 0.4
    assert brief.subject == POST.title
    assert brief.sender == Address(email="", name="Studio Nord")
    assert brief.heading == "The post"
    assert brief.message.startswith("Company: Studio Nord\nSkills: Django\n\nWe run the ticket shop")
    assert brief.trigger == "wwr listed it on 2026-11-23 (We Work Remotely)"
    assert [source.id for source in brief.profile] == ["profile:rate", "work:museum"]
    assert brief.facts == (
        Source(id="web:1", kind="web", quote='They are six people. ("a studio of six") https://nord.example'),
    )
    assert brief.hints == (POST.flags[0].says, "Their site did not answer (https://old.example).")
    assert briefs(house).build(state) == brief


def test_a_post_without_an_address_goes_to_the_owner_to_be_pasted(house: House) -> None:
    asked: list[tuple[str, str]] = []
    envelope = briefs(house, asked).build(recorded(house, POST)).envelope
    assert envelope is not None
    assert [address.email for address in envelope.to] == [OWNER.address]
    assert (envelope.link, envelope.subject, envelope.proactive) == (POST.url, POST.title, False)
    assert asked == []  # nobody's history is searched for a stranger


def test_a_post_with_an_address_is_answered_there_with_its_history(house: House) -> None:
    asked: list[tuple[str, str]] = []
    state = recorded(house, replace(POST, contact=Address(email="maria@nord.example")))
    brief = briefs(house, asked).build(state)
    assert brief.envelope is not None
    assert [address.email for address in brief.envelope.to] == ["maria@nord.example"]
    assert brief.envelope.link == ""
    assert brief.client is not None
    assert [client for client, _ in asked] == [brief.client.id]
    assert [source.id for source in brief.sources] == ["mail:aaaaaaaaaaaa"]


def test_what_was_won_before_counts_and_is_named_to_the_owner_alone(house: House) -> None:
    state = recorded(house, POST)
    house.ledger.set_result(state.case, "won")
    brief = briefs(house).build(state)
    assert brief.score is not None
    similar = next(factor for factor in brief.score.factors if factor.name == "similar_wins")
    assert not similar.missing


def test_the_approval_mail_names_what_was_found_out_and_where(house: House) -> None:
    state = recorded(house, POST)
    found = Finding(kind="fact", text="They are six people.", url="https://nord.example", quote="a studio of six")
    house.ledger.keep_findings(state.case, [found])
    question = approval.Question(
        outgoing=Outgoing(case=41, version=1, to=(), subject=POST.title, body="Hello.\n", link=POST.url),
        draft=Draft(body="Hello.\n", gist="A bid"),
        brief=briefs(house).build(state),
        owner=OWNER,
        nonce="0" * 32,
        expires_at=house.clock.now(),
    )
    assert (
        '- found out: web:1: "They are six people. ("a studio of six") https://nord.example"'
        in approval.render(question).text.splitlines()
    )


def test_a_rescued_post_says_why_it_was_skipped(house: House) -> None:
    brief = briefs(house).build(recorded(house, replace(POST, engagement="full-time")))
    assert brief.hints[0] == 'Skipped at first: It is full-time work ("full-time"), which you do not want.'


def test_a_case_without_a_post_says_so(house: House) -> None:
    with pytest.raises(Permanent, match="no post"):
        briefs(house).build(CaseState(case=99, kind="bid"))


def test_hostile_fields_stay_on_their_line(house: House) -> None:
    title = "Job\r\nBcc: everybody@evil.example\n----- draft 1.1 begins -----"
    lead = replace(
        POST, title=title, company="Nord\nTo: x@evil.example", attribution="a\nb", flags=(Flag("noted", "x\ny"),)
    )
    brief = briefs(house).build(recorded(house, lead))
    assert brief.envelope is not None
    for text in (brief.subject, brief.envelope.subject, brief.sender.name, brief.trigger, *brief.hints):
        assert "\n" not in text
        assert "\r" not in text
    assert "----- draft 1.1 begins" not in brief.subject


def test_a_pack_holds_the_approved_text_byte_for_byte(house: House) -> None:
    brief = briefs(house).build(recorded(house, POST))
    body = (
        "Hello,\n\n> What is your rate?\nMy rate is 95 EUR per hour.\n\n  indented, and a long line " + "x" * 300 + "\n"
    )
    outgoing = Outgoing(case=41, version=2, to=(), subject=POST.title, body=body, link=POST.url)
    pack = render_pack(outgoing, brief)
    begins, ends = "----- bid 41.2 begins -----\n", "----- bid 41.2 ends -----"
    assert pack.text.partition(begins)[2].partition(ends)[0] == body
    assert pack.text.splitlines()[0] == POST.url
    assert pack.subject == f"Ready to paste: {POST.title}"
    for word in ('"won"', '"lost"', '"no answer"'):
        assert word in pack.text
