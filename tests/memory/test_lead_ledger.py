"""Leads in a real ledger file: every post accounted for, each job once, and nothing half done."""

from dataclasses import replace
from datetime import timedelta
from pathlib import Path

import pytest
from sqlalchemy import select

from memory.leads.posts import Counts, SourcePost
from memory.record.schema import cases, reading, seen
from tests.ledgers import House, client_at
from workflows.models.leads import Flag, Lead, Pay
from workflows.models.mail import Address
from workflows.models.money import Money
from workflows.models.orders import Carried, Rescue
from workflows.models.routes import Event, Ignore, Start
from workflows.rules.leads.lead import UNREADABLE

LONG = " ".join(f"word{number}" for number in range(60))


@pytest.fixture
def house(tmp_path: Path):
    made = House(tmp_path / "home")
    yield made
    made.engine.dispose()


def lead(number: int, source: str = "wwr", **fields: object) -> Lead:
    values: dict[str, object] = {
        "title": f"Developer number {number}", "url": f"https://{source}.example/{number}", "text": f"{LONG} {number}"
    }  # fmt: skip
    return Lead(source=source, id=str(number), **(values | fields))


def post(found: Lead | Ignore, number: str = "") -> SourcePost:
    title = found.title if isinstance(found, Lead) else ""
    return SourcePost(id=found.id if isinstance(found, Lead) else number, title=title, found=found)


def bid(_: Lead) -> Start:
    return Start(kind="bid", reason="It is worth it.")


def below(_: Lead) -> Ignore:
    return Ignore(rule="score", reason="Its score 0.20 is below 0.55.")


def rows(house: House) -> list[tuple[str, str, str, int]]:
    with reading(house.engine) as connection:
        query = select(seen.c.kind, seen.c.state, seen.c.rule, seen.c.case).order_by(seen.c.id)
        return [tuple(row) for row in connection.execute(query)]


def events(house: House) -> list[Event]:
    return list(house.ledger.undelivered())


def test_every_post_is_accounted_for_and_the_counts_add_up(house: House):
    unreadable = Ignore(rule=UNREADABLE, reason="It has neither a title nor a text.")
    expired = Ignore(rule="expired", reason="It expired.")
    judge = {"1": bid, "2": below, "3": bid}
    posts = [
        post(lead(1)), post(lead(2)), post(lead(3)),
        post(lead(4, url="https://wwr.example/1", title="Developer number 1")),
        post(unreadable, "5"), post(expired, "6"),
    ]  # fmt: skip
    counts = house.ledger.record_leads("wwr", posts, lambda one: judge[one.id](one), {"page": 3})
    assert counts == Counts(posts=6, bids=2, duplicates=1, quarantined=1, skipped={"score": 1, "expired": 1})
    assert counts.bids + counts.duplicates + counts.quarantined + counts.known + sum(counts.skipped.values()) == 6
    assert str(counts) == "6 posts: 2 new leads, 1 below the threshold, 1 expired, 1 duplicate, 1 set aside"
    assert sorted(rows(house)) == sorted([
        ("lead", "recorded", "start", 1), ("lead", "ignored", "score", 0), ("lead", "recorded", "start", 2),
        ("lead", "ignored", "duplicate", 1), ("lead", "quarantined", UNREADABLE, 0), ("lead", "ignored", "expired", 0),
    ])  # fmt: skip
    assert [(one.kind, one.case) for one in events(house)] == [("lead", 1), ("lead", 2)]
    assert house.ledger.feed("wwr").state == {"page": 3}
    assert house.ledger.lead_of(1) == lead(1)
    assert house.ledger.lead_of(0) is None


def test_a_post_that_is_listed_again_is_only_counted(house: House):
    posts = [post(lead(1)), post(lead(2))]
    house.ledger.record_leads("wwr", posts, below, {})
    before = rows(house)
    counts = house.ledger.record_leads("wwr", [*posts, post(lead(3))], bid, {})
    assert counts == Counts(posts=3, bids=1, known=2)
    assert rows(house)[: len(before)] == before


def test_the_same_job_of_another_source_is_one_lead_and_says_of_which(house: House):
    house.ledger.record_leads("wwr", [post(lead(1, company="Acme GmbH"))], bid, {})
    house.ledger.record_leads("wwr", [post(lead(2, company="Globex"))], below, {})
    twins = [
        post(lead(1, "rok", company="ACME", title="Developer number 1 (Remote)", text=f"{LONG} 1 Apply!")),
        post(lead(2, "rok", company="Globex", text=f"{LONG} 2")),
        post(lead(3, "rok", company="Initech", title="Developer number 1")),
    ]
    counts = house.ledger.record_leads("rok", twins, bid, {})
    assert counts == Counts(posts=3, bids=1, duplicates=2)
    skipped = {one.reason: one.case for one in house.ledger.ignored() if one.rule == "duplicate"}
    assert skipped["The same job as case 1"] == 1
    assert any("skipped (Its score 0.20" in reason for reason in skipped)


def test_another_job_on_the_same_page_of_a_source_is_a_lead_of_its_own(house: House):
    page = "https://acme.example/careers"
    posts = [post(lead(1, url=page)), post(lead(2, url=page, text="Quite another text about cheese."))]
    assert house.ledger.record_leads("acme", posts, bid, {}).bids == 2
    assert house.ledger.lead_of(2) == posts[1].found


def test_what_was_offered_long_ago_is_a_new_offer(house: House):
    house.ledger.record_leads("wwr", [post(lead(1))], bid, {})
    house.clock.move(days=61)
    again = replace(lead(1), id="1b")
    assert house.ledger.record_leads("wwr", [post(again)], bid, {}).bids == 1
    assert [one.case for one in events(house)] == [1, 2]
    assert house.ledger.lead_of(2) == again


def test_nothing_is_kept_of_a_look_that_breaks_off(house: House):
    def breaks(one: Lead) -> Start:
        if one.id == "2":
            raise RuntimeError("power cut")
        return bid(one)

    with pytest.raises(RuntimeError):
        house.ledger.record_leads("wwr", [post(lead(1)), post(lead(2))], breaks, {"page": 9})
    assert rows(house) == []
    assert house.ledger.feed("wwr").state == {}
    assert house.ledger.record_leads("wwr", [post(lead(1)), post(lead(2))], bid, {}).bids == 2


# ---------------------------------------------------------------- whom it is with


def test_an_address_makes_a_client_only_with_a_case(house: House):
    jane, joe = Address(email="jane@acme.example"), Address(email="joe@globex.example")
    house.ledger.record_leads("hn", [post(lead(1, contact=jane))], bid, {})
    house.ledger.record_leads("hn", [post(lead(2, contact=joe))], below, {})
    client = client_at(house.ledger, jane.email)
    assert client is not None
    assert house.ledger.case(1).client == client.id
    assert client_at(house.ledger, joe.email) is None


def test_a_known_client_is_recognised_and_one_the_owner_closed_the_door_to_is_not_bid_for(house: House):
    contact = Address(email="jane@acme.example")
    house.ledger.record_leads("hn", [post(lead(1, contact=contact))], bid, {})
    client = client_at(house.ledger, contact.email)
    assert client is not None
    house.ledger.record_leads("hn", [post(lead(2, contact=contact))], bid, {})
    assert house.ledger.case(2).client == client.id
    house.hold(client.id, "a complaint")
    house.ledger.record_leads("hn", [post(lead(3, contact=contact))], bid, {})
    assert house.ledger.case(3).hold == "a complaint"
    house.ledger.set_never(client.id)
    counts = house.ledger.record_leads("hn", [post(lead(4, contact=contact))], bid, {})
    assert counts.skipped == {"never": 1}


# ---------------------------------------------------------------- posts that go


def news(house: House) -> list[Event]:
    return [one for one in events(house) if one.kind == "news"]


def test_a_post_that_is_gone_ends_the_case_that_waits_once(house: House):
    house.ledger.record_leads("hn", [post(lead(1)), post(lead(2))], bid, {})
    counts = house.ledger.record_leads("hn", [post(lead(2))], bid, {}, gone=("1", "77"))
    assert counts.gone == 1
    assert [(one.case, one.ends, one.summary) for one in news(house)] == [(1, "gone", "hn lists the post no more.")]
    assert house.ledger.record_leads("hn", [], bid, {}, gone=("1",)).gone == 0


def test_a_job_is_gone_only_when_every_source_says_so(house: House):
    house.ledger.record_leads("hn", [post(lead(1, company="Acme"))], bid, {})
    house.ledger.record_leads("json", [post(lead(1, "json", company="Acme", text=f"{LONG} 1"))], bid, {})
    assert house.ledger.record_leads("hn", [], bid, {}, gone=("1",)).gone == 0
    assert house.ledger.record_leads("json", [], bid, {}, gone=("1",)).gone == 1


def test_a_post_that_expires_while_its_case_waits_ends_it(house: House):
    until = house.clock.now() + timedelta(days=2)
    house.ledger.record_leads("wwr", [post(lead(1, expires_at=until)), post(lead(2))], bid, {})
    assert house.ledger.record_leads("wwr", [], bid, {}).gone == 0
    house.clock.move(days=2)
    assert house.ledger.record_leads("other", [], bid, {}).gone == 1
    assert [(one.case, one.summary) for one in news(house)] == [(1, "The post has expired.")]


def test_a_bid_that_has_left_is_not_taken_back(house: House):
    house.ledger.record_leads("hn", [post(lead(1))], bid, {})
    house.ledger.save_case(replace(house.ledger.case(1), stage="placed"))
    assert house.ledger.record_leads("hn", [], bid, {}, gone=("1",)).gone == 0


# ---------------------------------------------------------------- posts that change


def test_an_edited_post_makes_the_draft_stale_and_keeps_whom_it_goes_to(house: House):
    contact = Address(email="jane@acme.example")
    before = lead(1, contact=contact)
    house.ledger.record_leads("wwr", [post(before)], bid, {})
    paid = Pay(least=Money(minor=9000, currency="EUR"), per="hour")
    after = replace(before, pay=paid, text=f"{LONG} 1 and more", contact=Address(email="x@evil.example"))
    assert house.ledger.record_leads("wwr", [post(after)], bid, {}).known == 1
    assert house.ledger.record_leads("wwr", [post(after)], bid, {}).known == 1
    assert [(one.case, one.ends, one.summary) for one in news(house)] == [(1, "", "The post was changed: its pay.")]
    assert house.ledger.lead_of(1) == replace(after, contact=contact)
    rewritten = replace(
        after, contact=contact, title="Rust developer", text=" ".join(f"other{number}" for number in range(60))
    )
    house.ledger.record_leads("wwr", [post(rewritten)], bid, {})
    assert news(house)[-1].summary == "The post was changed: its title, its text."


def test_what_a_bid_does_not_rest_on_changes_without_a_word(house: House):
    until = house.clock.now() + timedelta(days=2)
    house.ledger.record_leads("wwr", [post(lead(1, expires_at=until))], bid, {})
    later = lead(1, expires_at=until + timedelta(days=5), flags=(Flag("honeypot", "honeypot: x"),), skills=("go",))
    house.ledger.record_leads("wwr", [post(later)], bid, {})
    assert news(house) == []
    house.clock.move(days=3)
    assert house.ledger.record_leads("wwr", [], bid, {}).gone == 0, "the new day counts"


def test_an_edit_of_another_sources_copy_and_of_a_bid_that_left_is_nobodys_news(house: House):
    house.ledger.record_leads("wwr", [post(lead(1, company="Acme"))], bid, {})
    copy = lead(1, "rok", company="Acme", text=f"{LONG} 1")
    house.ledger.record_leads("rok", [post(copy)], bid, {})
    house.ledger.record_leads("rok", [post(replace(copy, title="Another"))], bid, {})
    house.ledger.save_case(replace(house.ledger.case(1), stage="placed"))
    house.ledger.record_leads("wwr", [post(lead(1, company="Acme", title="Another"))], bid, {})
    cut = lead(2, "mail:upwork")
    house.ledger.record_leads("mail:upwork", [post(cut)], bid, {})
    house.ledger.record_leads("mail:upwork", [post(replace(cut, text="Cut off..."))], bid, {})
    assert news(house) == []


# ---------------------------------------------------------------- results and sources


def test_how_a_bid_ended_is_kept_with_its_lead(house: House):
    house.ledger.record_leads("hn", [post(lead(1)), post(lead(2))], bid, {})
    assert house.ledger.set_result(2, "won")
    assert house.ledger.set_result(1, "no-answer")
    assert not house.ledger.set_result(9, "won")
    assert not house.ledger.set_result(0, "won")
    assert house.ledger.wins() == (lead(2),)
    assert (house.ledger.result_of(1), house.ledger.result_of(2), house.ledger.result_of(9)) == ("no-answer", "won", "")


def test_a_source_that_wants_to_be_left_alone_is_until_it_was_asked_again(house: House):
    until = house.clock.now() + timedelta(hours=2)
    house.ledger.record_leads("rok", [], bid, {"a": 1})
    house.ledger.let_rest("rok", until)
    feed = house.ledger.feed("rok")
    assert (feed.state, feed.asked_at, feed.wait_until) == ({"a": 1}, house.clock.now(), until)
    house.ledger.record_leads("rok", [], bid, {"a": 2})
    assert house.ledger.feed("rok").wait_until is None
    house.ledger.let_rest("new", until)
    assert house.ledger.feed("new").wait_until == until


def test_the_case_is_named_after_company_and_title(house: House):
    house.ledger.record_leads("hn", [post(lead(1, company="Acme")), post(lead(2))], bid, {})
    with reading(house.engine) as connection:
        titles = list(connection.execute(select(cases.c.title).order_by(cases.c.number)).scalars())
    assert titles == ["Acme: Developer number 1", "Developer number 2"]


def test_a_skipped_post_is_rescued_once_and_bid_for(house: House):
    house.ledger.record_leads("wwr", [post(lead(1)), post(lead(2), "2")], below, {})
    skipped = {one.subject: one.id for one in house.ledger.skipped()}
    number = skipped["Developer number 1"]
    done = house.ledger.carry_out("order-1", Rescue(number=number), house.clock.now())
    assert done == Carried(ok=True, says=f"Post {number} of wwr is case 1 now.")
    assert house.ledger.lead_of(1) == lead(1)
    assert [(one.kind, one.case) for one in events(house)] == [("lead", 1)]
    again = house.ledger.carry_out("order-2", Rescue(number=number), house.clock.now())
    assert again == Carried(ok=False, says=f"Post {number} belongs to case 1 already.")
    assert len(house.ledger.open_cases()) == 1


def test_a_post_without_a_lead_cannot_be_rescued(house: House):
    house.ledger.record_leads("wwr", [post(Ignore(rule="expired", reason="It expired."), "6")], below, {})
    (row,) = house.ledger.skipped()
    done = house.ledger.carry_out("order-1", Rescue(number=row.id), house.clock.now())
    assert done == Carried(ok=False, says=f"Post {row.id} cannot be bid for: It expired.")


# ---------------------------------------------------------------- an id is no identity

SHOP = replace(
    lead(1, title="Django developer for a shop", text=f"{LONG} payments", contact=Address(email="jobs@shop.example")),
    id="job",
)
SLOW = replace(
    lead(2, title="Postgres tuning", text=" ".join(f"query{number}" for number in range(60))),
    id="job", contact=Address(email="cto@slow.example"),
)  # fmt: skip


def kept(house: House) -> list[Lead]:
    found = [house.ledger.lead_of(number) for number in range(1, 9)]
    return [one for one in found if one is not None]


@pytest.mark.parametrize("together", [True, False])
@pytest.mark.parametrize(
    "other",
    [
        SLOW,
        replace(SLOW, url=""),  # no link at all
        replace(SLOW, url=SHOP.url),  # one page for all jobs
        replace(SLOW, title=SHOP.title),  # the same words above another job
        replace(SLOW, contact=SHOP.contact),  # an agent with two clients
        replace(SLOW, text="Short."),
    ],
)  # fmt: skip
def test_two_posts_under_one_id_are_two_leads_and_mix_nothing(house: House, other: Lead, *, together: bool):
    looks = [[post(SHOP), post(other)]] if together else [[post(SHOP)], [post(other)]]
    for look in looks * 2:
        house.ledger.record_leads("wwr", look, bid, {})
        house.clock.move(days=1)
    assert kept(house) == [SHOP, other]


def test_three_posts_without_links_under_one_id(house: House):
    posts = [replace(lead(n, url=""), id="1", text=" ".join(f"w{n}x{m}" for m in range(40))) for n in range(3)]
    for _ in range(2):
        house.ledger.record_leads("wwr", [post(one) for one in posts], bid, {})
    assert kept(house) == posts


@pytest.mark.parametrize(
    "edited",
    [
        replace(SHOP, text=f"{LONG} payments and more"),
        replace(SHOP, text=" ".join(f"new{n}" for n in range(60))),
        replace(SHOP, url="https://wwr.example/moved"),
        replace(SHOP, url=""),
        replace(SHOP, title="Senior Django developer for a shop"),
        replace(SHOP, title="Senior Django developer", text=" ".join(f"new{n}" for n in range(60))),
    ],
)
def test_an_edited_post_stays_one_lead(house: House, edited: Lead):
    house.ledger.record_leads("wwr", [post(SHOP)], bid, {})
    assert house.ledger.record_leads("wwr", [post(edited), post(lead(9))], bid, {}).known == 1
    assert [one.contact for one in kept(house)] == [SHOP.contact, Address(email="")]
    assert kept(house)[0].text == edited.text


def test_a_post_that_could_not_be_read_is_taken_in_when_it_can_be(house: House):
    expired = Ignore(rule="expired", reason="It expired.")
    house.ledger.record_leads("wwr", [post(expired, "job")], bid, {})
    assert house.ledger.record_leads("wwr", [post(SHOP)], bid, {}).bids == 1
    assert house.ledger.record_leads("wwr", [post(SHOP), post(SLOW)], bid, {}).known == 1


def test_what_a_shared_id_says_is_gone_ends_nothing(house: House):
    house.ledger.record_leads("wwr", [post(SHOP), post(SLOW)], bid, {})
    assert house.ledger.record_leads("wwr", [], bid, {}, gone=["job"]).gone == 0
