"""Bids through the whole house: a feed in, the owner's yes, a pack or a mail out, and how it ended remembered."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from html import escape
from pathlib import Path
from typing import Any

import pytest

from tests.house.running import House, case_of, until
from tests.servers.dovecot import DovecotUser
from tests.servers.openai import OpenAIServer
from tests.servers.smtp import RecordingSmtp
from tests.servers.web import WebServer
from tools.mail import mime
from workflows.models.leads import Lead
from workflows.models.mail import Email
from workflows.rules.asking.approval import extract_draft
from workflows.rules.leads.factors import FACTORS

PROFILE = {
    "rate": "95 EUR/hour",
    "skills": ["Python", "Django", "PostgreSQL"],
    "facts": ["I have built ticket shops since 2014"],
    "languages": ["en", "de"],
    "hours_per_week": 20,
    "work": [
        {
            "id": "museum",
            "title": "Ticket shop of the City Museum",
            "text": "Moved 12 years of orders from PHP to Django.",
            "skills": ["Django"],
            "link": "https://winter.example/museum",
        }
    ],
}
TITLE = "Django developer for a museum's ticket shop (contract)"
TEXT = """<p>We run the ticket shop of a museum and want it moved from PHP to Django and PostgreSQL. You can work from
anywhere, about 20 hours a week for 3 months.</p><p>Please answer these questions:</p>
<ul><li>What is your hourly rate?</li><li>Which similar shops have you built?</li></ul>"""


def feed(*items: dict[str, str]) -> bytes:
    """An RSS feed of a small job board."""
    parts = []
    for number, item in enumerate(items, start=1):
        fields = "".join(f"<{name}>{escape(text)}</{name}>" for name, text in item.items())
        parts.append(f"<item><guid>post-{number}</guid>{fields}</item>")
    head = '<?xml version="1.0" encoding="UTF-8"?><rss version="2.0"><channel><title>Small Board</title>'
    return f"{head}{''.join(parts)}</channel></rss>".encode()


def item(**fields: str) -> dict[str, str]:
    posted = format_datetime(datetime.now(UTC) - timedelta(hours=2))
    return {
        "title": TITLE, "link": "https://board.example/jobs/1", "description": TEXT, "pubDate": posted,
        "company": "Studio Nord",
    } | fields  # fmt: skip


class Desk:
    """A house with a board that it watches."""

    def __init__(self, house: House, board: WebServer) -> None:
        self.house, self.board = house, board

    def mails(self) -> list[Email]:
        return [mime.parse(stored.content) for stored in self.house.user.messages()]

    def named(self, beginning: str) -> Email:
        """The newest mail to the owner whose subject begins so."""

        def look() -> list[Email]:
            return [mail for mail in self.mails() if mail.subject.startswith(beginning)]

        return until(look, 60, f"a mail {beginning!r}; said: {self.house.said[-20:]}")[-1]

    def outcome(self, case: int) -> str:
        with self.house.ledger() as ledger:
            return ledger.case(case).outcome

    def lead_of(self, case: int) -> Lead:
        with self.house.ledger() as ledger:
            found = ledger.lead_of(case)
        assert found
        return found


@pytest.fixture
def board() -> Iterator[WebServer]:
    with WebServer() as server:
        yield server


def desk(tmp_path: Path, mailbox: DovecotUser, smtp: RecordingSmtp, board: WebServer, **changes: Any) -> Desk:
    """A house whose one source is the board."""
    source = {"use": "rss", "url": f"{board.url}/jobs.rss", "every": "1m"}
    house = House(
        tmp_path / "home", mailbox, smtp, profile=PROFILE, sources={"board": source}, owner={"country": "DE"}, **changes
    )
    return Desk(house, board)


def between(text: str, name: str) -> str:
    """The text of a pack between its lines."""
    return text.partition(f"----- bid {name} begins -----\n")[2].partition(f"----- bid {name} ends -----")[0]


def test_a_post_becomes_a_pack_and_never_leaves_the_house(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, board: WebServer
) -> None:
    weak = item(title="Logo wanted", link="https://board.example/jobs/2", description="Very low budget, WhatsApp me.")
    board.put("/jobs.rss", feed(item(), weak), content_type="application/rss+xml")
    place = desk(tmp_path, mailbox, smtp_server, board)
    with place.house.running():
        (asked,) = place.house.wait_approvals(1)
        case = case_of(asked)
        assert asked.subject.startswith("Studio Nord: Django developer")
        draft = extract_draft(asked.text)
        assert draft
        assert "> What is your hourly rate?\nMy rate is 95 EUR per hour.\n" in draft
        assert "- Ticket shop of the City Museum: Moved 12 years of orders from PHP to Django (Django)." in draft
        assert all(f"- {name} " in asked.text for name in FACTORS)
        assert "Link: https://board.example/jobs/1" in asked.text
        assert "The post" in asked.text
        assert "work:museum" in asked.text
        shown = [line for line in asked.text.splitlines() if line.startswith("Score: ")]
        assert len(shown) == 1
        rows = [
            line.removeprefix(f"- {name} ").partition(":")[0].split(" x ")
            for name in FACTORS
            for line in asked.text.splitlines()
            if line.startswith(f"- {name} ")
        ]
        total = sum(float(value) * float(weight) for value, weight in rows) / sum(float(weight) for _, weight in rows)
        assert shown[0].startswith(f"Score: {total:.2f} ")

        place.house.owner_answers(asked, "ok")
        pack = place.named("Ready to paste: ")
        assert pack.text.startswith("https://board.example/jobs/1\n")
        assert between(pack.text, f"{case}.1") == draft
        assert '"won"' in pack.text
        place.house.owner_answers(pack, "why")
        trace = place.named(f"Why case {case}")
        assert shown[0] in trace.text
        assert trace.text.count("none: drafted from a template") == 1
        assert f"- {next(iter(FACTORS))} " in trace.text
        assert f"board listed: {TITLE}" in trace.text or "board listed: " in trace.text
        with place.house.ledger() as ledger:
            until(lambda: ledger.case(case).stage == "placed", 30, "the bid to be placed")
        place.house.owner_answers(pack, "won")
        until(lambda: place.outcome(case) == "won", 60, f"the bid to be won; said: {place.house.said[-20:]}")
        with place.house.ledger() as ledger:
            assert ledger.result_of(case) == "won"
            assert [lead.title for lead in ledger.wins()] == [place.lead_of(case).title]
        assert place.house.sent_to_clients() == []
        assert len(place.house.approvals()) == 1  # the weak post was none


def test_a_post_with_a_mail_address_is_bid_for_by_mail(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, board: WebServer
) -> None:
    described = TEXT + "<p>Write to maria@studio-nord.example.</p>"
    board.put("/jobs.rss", feed(item(description=described)), content_type="application/rss+xml")
    place = desk(tmp_path, mailbox, smtp_server, board)
    with place.house.running():
        (asked,) = place.house.wait_approvals(1)
        assert "maria@studio-nord.example" in asked.text.partition("----- draft")[0]
        assert "Link: " not in asked.text
        draft = extract_draft(asked.text)
        place.house.owner_answers(asked, "ok")
        (sent,) = place.house.wait_sent(1)
        assert sent.recipients == ("maria@studio-nord.example",)
        left = mime.parse(sent.content)
        assert left.text.strip() == (draft or "").strip()
        assert left.subject == asked.subject.partition(": ")[2].rpartition(" [Deskhand")[0]
        assert "deskhand" not in sent.content.decode().lower()
        case = case_of(asked)
        with place.house.ledger() as ledger:
            until(lambda: ledger.case(case).stage == "placed", 30, "the bid to be placed")


def test_a_claim_of_a_model_is_the_owners_to_make_and_a_no_sends_nothing(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, board: WebServer, openai_server: OpenAIServer
) -> None:
    board.put("/jobs.rss", feed(item()), content_type="application/rss+xml")
    openai_server.answer(
        lambda request: {
            "opening": "I read your post with care.",
            "answers": [{"question": 2, "text": "I have built ticket shops since 2014."}],
            "fit": "I have 15 years of experience with Kubernetes.",
            "plan": "I would begin with the orders.",
        }
    )
    place = desk(
        tmp_path, mailbox, smtp_server, board, model={"base_url": openai_server.url, "name": "test-model"}
    )  # fmt: skip
    with place.house.running():
        asked = place.named("Studio Nord: Django developer")
        assert "I have 15 years of experience with Kubernetes" in asked.text
        assert "profile.facts" in asked.text
        assert extract_draft(asked.text) is None
        case = case_of(asked)
        place.house.owner_answers(asked, "edit\n\nHello,\n\nI have 15 years of experience with Kubernetes.\n\nAda")
        (shown,) = place.house.wait_approvals(1)
        assert extract_draft(shown.text) == "Hello,\n\nI have 15 years of experience with Kubernetes.\n\nAda\n"
        place.house.owner_answers(shown, "no, too much work")
        until(lambda: place.outcome(case) == "rejected", 60, "the case to be closed")
        assert place.house.sent_to_clients() == []


def test_a_model_fills_the_slots_and_wishes_change_the_price(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, board: WebServer, openai_server: OpenAIServer
) -> None:
    board.put("/jobs.rss", feed(item()), content_type="application/rss+xml")
    openai_server.answer(
        lambda request: {
            "opening": "I read that your ticket shop is to be moved to Django and PostgreSQL.",
            "answers": [{"question": 2, "text": "I moved 12 years of orders from PHP to Django for the City Museum."}],
            "fit": "I have built ticket shops since 2014.",
            "plan": "I would begin with a copy of the orders and move them first.",
        }
    )
    place = desk(
        tmp_path, mailbox, smtp_server, board, model={"base_url": openai_server.url, "name": "test-model"}
    )  # fmt: skip
    with place.house.running():
        (asked,) = place.house.wait_approvals(1)
        assert "Model: test-model" in asked.text
        draft = extract_draft(asked.text) or ""
        assert "I moved 12 years of orders from PHP to Django for the City Museum.\n" in draft
        assert "My rate is 95 EUR per hour." in draft
        assert "rests on work:museum" in asked.text
        shown = asked.date
        assert shown
        # What a person types within 5 s of the question would be taken for an automatic reply.
        until(lambda: datetime.now(UTC) - shown > timedelta(seconds=7), 20, "the owner to have read it")
        place.house.owner_answers(asked, "a little cheaper, at 85 EUR/hour")
        again = place.house.wait_approvals(2)[-1]
        draft = extract_draft(again.text) or ""
        assert "My rate is 85 EUR per hour." in draft
        assert "95 EUR" not in draft
        place.house.owner_answers(again, "ok")
        pack = place.named("Ready to paste: ")
        assert between(pack.text, f"{case_of(asked)}.2") == draft
        assert place.house.sent_to_clients() == []
