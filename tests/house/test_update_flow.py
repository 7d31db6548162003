"""Status updates through the whole house: files and a repository in, a mail to the client out, and what stops it."""

import re
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from tests.house.running import House, case_of, until
from tests.servers.dovecot import DovecotUser
from tests.servers.openai import Answer, OpenAIServer, Request
from tests.servers.smtp import RecordingSmtp
from tests.tools.test_gitlog import Repository
from tools.mail import mime
from workflows.models.mail import Email
from workflows.rules.asking.approval import extract_draft

ALWAYS = {"hours": "Mon-Sun 00:00-24:00"}
WORK = {"updates_at": "00:00"}
PROJECT = """
name = "Website relaunch"
email = "maria@studio.example"
contact = "Maria Alvarez"
update_every = "weekly"
scope = ["Design and build of five pages", "One contact form"]
excluded = ["Search engine optimisation (SEO)", "Translation into other languages"]
repositories = ["{repository}"]

[[milestones]]
name = "Launch"
due = {due}
estimate = "{estimate}h"
"""
HEADER = "User,Email,Client,Project,Task,Description,Billable,Start date,Start time,End date,End time,Duration,Tags\n"


def last_week() -> date:
    """The Monday of the week before this one, where the owner is."""
    today = datetime.now(UTC).astimezone(ZoneInfo("Europe/Berlin")).date()
    return today - timedelta(days=today.weekday() + 7)


def row(text: str, day: date, minutes: int = 90, project: str = "Website relaunch") -> str:
    length = f"{minutes // 60:02}:{minutes % 60:02}:00"
    return f"Ada,ada@winter.example,Studio,{project},,{text},Yes,{day},09:00:00,{day},11:00:00,{length},\n"


class Office:
    """A house with a project, a timesheet and a repository."""

    def __init__(
        self,
        tmp_path: Path,
        mailbox: DovecotUser,
        smtp: RecordingSmtp,
        *,
        estimate: int = 10,
        **changes: dict[str, Any],
    ) -> None:
        self.house = House(tmp_path / "home", mailbox, smtp, owner=ALWAYS, work=WORK, **changes)
        self.monday = last_week()
        self.repository = Repository(tmp_path / "code" / "site")
        due = self.monday + timedelta(days=28)
        self.write(
            "projects/relaunch.toml", PROJECT.format(repository=self.repository.path, due=due, estimate=estimate)
        )

    def write(self, name: str, text: str) -> None:
        path = self.house.home / name
        path.parent.mkdir(exist_ok=True)
        path.write_text(text)

    def log(self, *rows: str) -> None:
        self.write("timesheets/toggl.csv", HEADER + "".join(rows))

    def mails(self) -> list[Email]:
        """Everything in the owner's inbox."""
        return [mime.parse(stored.content) for stored in self.house.user.messages()]

    def notices(self, beginning: str) -> list[Email]:
        return [mail for mail in self.mails() if mail.subject.startswith(beginning)]


@pytest.fixture
def office(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Office:
    return Office(tmp_path, mailbox, smtp_server)


def test_what_was_logged_is_drafted_approved_and_reaches_the_client(office: Office) -> None:
    monday, house = office.monday, office.house
    office.log(
        row("Header and footer", monday, 150),
        row("Contact form with spam guard", monday + timedelta(days=1)),
        row("Timesheets", monday, 15, project="Admin"),
        row("Before the project was known here", monday - timedelta(days=1)),
    )
    at = f"{monday + timedelta(days=2)}T10:00:00+01:00"
    commit = office.repository.commit("feat: validate addresses", author=house.owner.email, at=at)
    office.repository.commit("Of a colleague", author="bob@studio.example", at=at)
    with house.running():
        (asked,) = house.wait_approvals(1)
        week = monday.isocalendar().week
        assert asked.subject == (f"Maria Alvarez: Website relaunch: status, week {week} [Deskhand {case_of(asked)}.1]")
        draft = extract_draft(asked.text)
        assert draft is not None
        assert "- Header and footer\n- Contact form with spam guard\n" in draft
        assert "- Validate addresses\n" in draft
        assert not re.search(r"Timesheets|colleague|Before", draft)
        assert "What was logged:" in asked.text
        assert f"[git:{commit[:12]}]" in asked.text
        assert "Together: 4 h." in asked.text
        assert "2 h 30 min: Header and footer" in asked.text  # the source, which the client never sees
        assert "2 h 30 min" not in draft
        house.owner_answers(asked, "ok")
        (sent,) = house.wait_sent(1)
        mail = mime.parse(sent.content)
        assert sent.recipients == ("maria@studio.example",)
        assert mail.subject == f"Website relaunch: status, week {week}"
        assert mime.decoded_body(sent.content) == draft
        assert "X-Deskhand" not in sent.content.decode("utf-8", "replace")
    assert house.sent_to_clients() == [sent]
    with house.running():  # the next start proposes nothing again
        until(lambda: "work" in _health(house), 30, "the look at the folders")
    assert len(house.approvals()) == 1
    assert house.sent_to_clients() == [sent]


def _health(house: House) -> str:
    log = house.home / "log"
    return "\n".join(path.read_text() for path in log.glob("*") if path.is_file())


def test_without_work_nothing_is_proposed_and_a_typo_and_a_risk_are_each_told_once(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    office = Office(tmp_path, mailbox, smtp_server, estimate=4000)
    office.write("projects/shop.toml", 'name = "Shop"\nemial = "bernd@laden.example"\n')
    office.log(row("Of this week", office.monday + timedelta(days=7), 600))
    house = office.house
    with house.running():
        (risk,) = until(lambda: office.notices("Milestone at risk: Launch"), 60, "the risk")
        (fault,) = until(lambda: office.notices("work needs a look"), 60, "the fault")
        assert "Estimated: 4000 h" in risk.text
        assert "Logged until" in risk.text
        assert re.search(r"Missing: 3990 h - \d+ h = \d+ h", risk.text)
        assert 'shop.toml, line 2: emial is not known in a project\'s file. Did you mean "email"?' in fault.text
        assert "Everything else goes on" in fault.text
    assert house.approvals() == []
    with house.running():
        until(lambda: _health(house).count("poll failed") > 1, 30, "another look")
    assert len(office.notices("Milestone at risk")) == 1
    assert len(office.notices("work needs a look")) == 1
    assert house.sent_to_clients() == []


def test_a_models_points_reach_the_client_as_they_were_approved(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, openai_server: OpenAIServer
) -> None:
    def answer(request: Request) -> Answer:
        first = re.findall(r"time:[0-9a-f]{12}", request.text)[0]
        return {
            "points": [{"text": "The start page has its header and footer.", "sources": [first]}],
            "remark": "",
            "gist": "Header and footer.",
        }

    openai_server.answer(answer)
    model = {"base_url": openai_server.url, "name": "test-model"}
    office = Office(tmp_path, mailbox, smtp_server, model=model)
    office.log(row("Header and footer of the start page", office.monday))
    with office.house.running():
        (asked,) = office.house.wait_approvals(1)
        assert "Model: test-model." in asked.text
        draft = extract_draft(asked.text)
        assert draft is not None
        assert "- The start page has its header and footer.\n" in draft
        office.house.owner_answers(asked, "ok")
        (sent,) = office.house.wait_sent(1)
        assert mime.decoded_body(sent.content) == draft
    assert len(openai_server.chats) == 1


def test_a_complaint_stops_an_update_that_waits(office: Office) -> None:
    house = office.house
    office.log(row("Header and footer", office.monday))
    with house.running():
        (asked,) = house.wait_approvals(1)
        number = case_of(asked)
        house.client_writes(
            1, body="Ada, this is a formal complaint: the site is down and I want my money back.\n\nMaria"
        )

        def stopped() -> bool:
            with house.ledger() as ledger:
                return ledger.case(number).outcome == "stopped"

        until(stopped, 30, "the update to be stopped")
        house.owner_answers(asked, "ok")
        until(lambda: any("was closed" in mail.text or "is closed" in mail.text for mail in office.mails()), 30)
    assert house.sent_to_clients() == []


def test_a_request_outside_the_scope_stands_in_the_replys_approval_with_both_quotes(office: Office) -> None:
    house = office.house
    with house.running(), house.ledger() as ledger:
        until(ledger.projects, 30, "the project")
        house.client_writes(1, body="Hi Ada,\n\nthe header is fine. Please also take care of the SEO.\n\nMaria")
        (asked,) = house.wait_approvals(1)
        assert (
            'Note: Outside the agreed scope of Website relaunch: they ask "Please also take care of the SEO." - agreed '
            'as not included: "Search engine optimisation (SEO)"'
        ) in asked.text
