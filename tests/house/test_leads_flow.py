"""More than two hundred posts of six sources through the real house: every one accounted for, and the counts add up."""

import random
from collections import Counter, defaultdict
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path

import pytest
from sqlalchemy import select

from memory.ledger import Ledger
from memory.record.schema import lead_posts, leads, reading, seen
from tests import made_posts
from tests.house.running import House, case_of, until
from tests.made_posts import JSON_BOARD, SKILLS, TAG, WORDS, Made, twin
from tests.servers.dovecot import DovecotUser
from tests.servers.smtp import RecordingSmtp
from tests.servers.web import WebServer
from tools.mail import mime

PROFILE = {
    "rate": "95 EUR/hour", "skills": SKILLS, "languages": ["en", "de"], "hours_per_week": 20,
    "facts": ["I have built booking pages since 2014"],
}  # fmt: skip
ALERTS = Path(__file__).parents[1] / "mail" / "alerts"
SHARES = {"bid": 0.05, "refused": 0.2, "expired": 0.06, "set-aside": 0.03}


@pytest.fixture
def web() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def world(now: datetime) -> dict[str, list[Made]]:
    """The posts of every source, by its name in the settings; twins stand in several."""
    seeded = random.Random(20261123)
    found = {
        "wwr": made_posts.posts(80, 1000, now, seeded, **SHARES),
        # Remote OK says of no post when it ends.
        "remoteok": made_posts.posts(60, 2000, now, seeded, **(SHARES | {"expired": 0})),
        "board": made_posts.posts(40, 3000, now, seeded, **SHARES),
        "hackernews": made_posts.posts(20, 46_101_000, now, seeded, bid=0.1),
        "mail:upwork": made_posts.posts(12, 5000, now, seeded, bid=0.17),
    }
    # Every third post of one board is on the next as well.
    listed = [one for one in found["wwr"] if one.fate in {"bid", "score"}]
    found["remoteok"] += [twin(one, 2500 + at) for at, one in enumerate(listed[::3])]
    found["board"] += [twin(one, 3500 + at) for at, one in enumerate(listed[::5])]
    return found


def serve(web: WebServer, found: dict[str, list[Made]]) -> dict[str, dict[str, object]]:
    """Put everything on the web server; the settings of the sources."""
    web.put("/wwr.rss", made_posts.wwr(found["wwr"]), content_type="application/rss+xml")
    web.put("/rok", made_posts.remote_ok(found["remoteok"], random.Random(1)), content_type="application/json")
    web.put("/board", made_posts.json_board(found["board"]))
    threads, comments = made_posts.hacker_news(found["hackernews"], seekers=15)
    web.put("/hn/search_by_date?tags=story&query=freelancer%20seeking%20freelancer&hitsPerPage=30", threads)
    web.put("/hn/search_by_date", comments)
    web.put("/busy", "later", 429, headers={"Retry-After": "3600"})
    web.put("/moved", "<html>We have a new site!</html>", content_type="text/html")
    return {
        "wwr": {"use": "weworkremotely", "url": f"{web.url}/wwr.rss"},
        "remoteok": {"url": f"{web.url}/rok"},
        "board": {"url": f"{web.url}/board", **JSON_BOARD},
        "hackernews": {"url": f"{web.url}/hn"},
        "busy": {"use": "rss", "url": f"{web.url}/busy"},
        "moved": {"use": "remoteok", "url": f"{web.url}/moved"},
    }


def total(found: dict[str, list[Made]]) -> int:
    return sum(len(made) for made in found.values())


def accounted(ledger: Ledger) -> dict[tuple[str, str], str]:
    """(source, id) -> the lead it is, "" when it could not be read or was over."""
    with reading(ledger._engine) as connection:
        return {(row.source, row.id): row.lead for row in connection.execute(select(lead_posts))}


def rows(ledger: Ledger) -> list[tuple[str, str, str, int]]:
    with reading(ledger._engine) as connection:
        query = select(seen.c.key, seen.c.state, seen.c.rule, seen.c.case).where(seen.c.kind == "lead")
        return [tuple(row) for row in connection.execute(query)]


def test_two_hundred_posts_each_accounted_for(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, web: WebServer
) -> None:
    now = datetime.now(UTC).replace(microsecond=0)
    found = world(now)
    assert total(found) >= 200
    house = House(
        tmp_path / "home", mailbox, smtp_server, profile=PROFILE, sources=serve(web, found), owner={"country": "DE"},
        leads={"threshold": 0.7},
    )  # fmt: skip
    upwork = found["mail:upwork"]
    with house.running():
        for at in range(0, len(upwork), 4):
            mailbox.deliver(made_posts.upwork(upwork[at : at + 4], house.owner, now))
        for name in ("upwork-new-template", "upwork-forged", "upwork-payment"):
            mailbox.deliver((ALERTS / f"{name}.eml").read_bytes())
        with house.ledger() as ledger:
            until(lambda: len(accounted(ledger)) == total(found), 120, f"every post; said: {house.said[-20:]}")
            bids = {one.job for made in found.values() for one in made if one.fate == "bid"}
            asked = house.wait_approvals(len(bids), 240)
            until(lambda: not ledger.undelivered(), 60, "every event to be delivered")
            check_the_account(ledger, found)
            check_the_bids(ledger, found, {case_of(one) for one in asked}, bids)
        until(lambda: says(house, "The post 2"), 60, f"the notice; said: {house.said[-20:]}")
        until(lambda: says(house, "(code unknown-template)"), 90, f"the alert mail; said: {house.said[-20:]}")
        until(lambda: told(house, "source-moved needs a look"), 90, "the fault to be told")
    check_what_the_owner_sees(house, found)
    assert house.sent_to_clients() == [], "nothing leaves without a yes"
    assert len(web.asked("/busy")) == 1, "a source that asks for patience gets it"
    everything = b"".join(path.read_bytes() for path in (house.home / "log").glob("*"))
    assert TAG.encode() not in everything


def check_the_account(ledger: Ledger, found: dict[str, list[Made]]) -> None:
    """Bid, skipped with its reason, duplicate, set aside: each post is one of these, and the sum is all of them."""
    posts, account = accounted(ledger), rows(ledger)
    assert Counter(source for source, _ in posts) == Counter({name: len(made) for name, made in found.items()})
    states = Counter(("duplicate" if rule == "duplicate" else state) for _, state, rule, _ in account)
    by_fate = Counter(one.fate for made in found.values() for one in made)
    jobs: dict[str, list[Made]] = defaultdict(list)
    for made in found.values():
        for one in made:
            jobs[one.job].append(one)
    twins = sum(len(same) - 1 for same in jobs.values())
    assert twins > 20
    assert states == {
        "delivered": len([1 for same in jobs.values() if same[0].fate == "bid"]),
        "ignored": len([1 for same in jobs.values() if same[0].fate in {"score", "refused", "expired"}]),
        "duplicate": twins,
        "quarantined": by_fate["set-aside"],
    }
    assert sum(states.values()) == total(found) == len(account)
    rules = Counter(rule for _, state, rule, _ in account if state == "ignored" and rule != "duplicate")
    assert rules["expired"] == by_fate["expired"]
    assert rules["refused"] == by_fate["refused"]
    assert set(rules) == {"expired", "refused", "score"}
    assert all(reason for reason in (one.reason for one in ledger.ignored(1000)))


def check_the_bids(ledger: Ledger, found: dict[str, list[Made]], cases: set[int], bids: set[str]) -> None:
    assert len(cases) == len(bids)
    with reading(ledger._engine) as connection:
        kept = {row.case: row.title for row in connection.execute(select(leads).where(leads.c.case != 0))}
    assert set(kept) == cases
    for case in cases:
        lead = ledger.lead_of(case)
        assert lead is not None
        assert "booking page" in lead.title
        until(lambda number=case: ledger.case(number).stage == "waiting", 30, f"case {case} to wait")
        assert lead.contact.email.startswith("jobs@studio") == (lead.source == "hackernews")


def says(house: House, words: str) -> bool:
    """Whether a notice of what was set aside has these words."""
    mails = (mime.parse(stored.content) for stored in house.user.messages())
    return any("set aside" in email.subject and words in email.text for email in mails)


def told(house: House, words: str) -> bool:
    return any(words in mime.parse(stored.content).subject for stored in house.user.messages())


def check_what_the_owner_sees(house: House, found: dict[str, list[Made]]) -> None:
    """Honeypots are shown as what they are and stand in no draft; no mail carries the tag."""
    honeypots = 0
    for asked in house.approvals():
        draft = asked.text.partition("begins -----\n")[2].partition("----- draft")[0]
        assert draft
        assert not any(word in draft for word in WORDS)
        assert TAG not in asked.text
        honeypots += "honeypot" in asked.text
    assert honeypots


BOARD = '''
def fetch(state: dict, get) -> tuple[list[dict], dict]:
    """The town's board: a line for each post."""
    lines = get(state["settings"]["url"]).text().splitlines()
    posts = [dict(zip(("id", "url", "title", "text"), line.split("|"))) for line in lines if line]
    before = state.get("ids", [])
    ids = [post["id"] for post in posts]
    return posts, {"ids": ids, "gone": [one for one in before if one not in ids], "empty": not posts}

SOURCES = [fetch]
'''
LINE = (
    "Django developer for the {0}'s booking page|The {0} needs its booking page moved to Django and PostgreSQL, remote."
)


def test_a_drop_in_source_is_asked_and_what_is_gone_or_edited_reaches_its_case(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, web: WebServer
) -> None:
    lines = [
        f"{number}|https://town.example/{number}|{LINE.format(noun)}"
        for number, noun in enumerate(("museum", "ferry line"), 1)
    ]
    web.put("/board", "\n".join(lines))
    house = House(
        tmp_path / "home", mailbox, smtp_server, profile=PROFILE, owner={"country": "DE"},
        sources={"townboard": {"url": f"{web.url}/board"}},
    )  # fmt: skip
    folder = house.home / "plugins"
    folder.mkdir(mode=0o700)
    (folder / "townboard.py").write_text(BOARD)
    (folder / "unwell.py").write_text("import nowhere_to_be_found\nSOURCES = []\n")
    with house.running():
        cases = {case_of(one): one.subject for one in house.wait_approvals(2, 120)}
        until(lambda: told(house, "plugins needs a look"), 90, f"the broken plugin; said: {house.said[-20:]}")
        with house.ledger() as ledger:
            until(lambda: all(ledger.case(case).stage == "waiting" for case in cases), 30, "both to wait")
    web.put("/board", f"{lines[1]} It pays 120 EUR per hour.")
    museum = next(case for case, subject in cases.items() if "museum" in subject)
    with house.running(), house.ledger() as ledger:
        until(lambda: ledger.case(museum).outcome == "gone", 90, f"the case to end; said: {house.said[-20:]}")
        (again,) = [one for one in house.wait_approvals(3, 90) if one.header("x-deskhand-case").endswith(".2")]
        assert case_of(again) in set(cases) - {museum}
        assert "The post was changed: its pay, its text." in again.text
    subjects = [mime.parse(stored.content).subject for stored in house.user.messages()]
    assert sum("plugins needs a look" in subject for subject in subjects) == 1, "told once, across a restart"
