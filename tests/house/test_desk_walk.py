"""The desk on real servers: a client with an open invoice and a project asks three things, and the draft holds them."""

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from tests.house.running import House, until
from tests.servers.dovecot import DovecotUser
from tests.servers.openai import Answer, OpenAIServer, Request
from tests.servers.smtp import RecordingSmtp
from tools.mail import mime
from workflows.models.mail import Email
from workflows.rules.asking.approval import extract_draft
from workflows.rules.debts.notices import format_day

TODAY = datetime.now(UTC).date()
DUE, LAUNCH = TODAY + timedelta(days=9), TODAY + timedelta(days=20)
HOURS = "I am at my desk from Monday to Thursday, 9:00 to 17:00."
KNOWN = "the payment (invoice:2026-014), the progress (project:website)"
ASKED = """Hi Ada,

has our payment for invoice 2026-014 reached you? How far are you with the website?
What are your office hours? And would you paint our office green?

Maria
"""


@pytest.fixture
def house(tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp) -> Iterator[House]:
    built = House(tmp_path / "home", mailbox, smtp_server)
    furnish(built.home)
    yield built
    built.close()


def furnish(home: Path) -> None:
    """An invoice, a project and a standing answer, as the owner keeps them; and one answer that cannot be read."""
    files = {
        "invoices/open.csv": "number,client,email,issued,due,amount,currency,paid\n"
        f"2026-014,Studio,maria@studio.example,{TODAY},{DUE},1250.00,EUR,500.00\n"
        f"2026-900,Rival,rival@other.example,{TODAY},{DUE},7777.00,EUR,0\n",
        "projects/website.toml": 'name = "Website relaunch"\nemail = "maria@studio.example"\n'
        '[[milestones]]\nname = "Design"\ndone = true\n'
        f'[[milestones]]\nname = "Launch"\ndue = {LAUNCH}\n',
        "projects/secret.toml": 'name = "Secret"\nemail = "rival@other.example"\n',
        "answers/hours.txt": f"+++\nverbatim = true\n+++\nOpening hours\n{HOURS}\n",
        "answers/broken.txt": "Only a title\n",
    }
    for name, text in files.items():
        (home / name).parent.mkdir(parents=True, exist_ok=True)
        (home / name).write_text(text, encoding="utf-8")


def asked(house: House) -> Email:
    """The approval mail of Maria's three questions, once the ledger knows the desk."""
    until(lambda: _is_known(house), 60, "invoices and projects to be read")
    house.client_writes(1, body=ASKED)
    (approval,) = house.wait_approvals(1)
    return approval


def _is_known(house: House) -> bool:
    with house.ledger() as ledger:
        return bool(ledger.debts()) and len(ledger.projects()) > 1


def test_three_questions_are_answered_without_a_model(house: House) -> None:
    house.start()
    approval = asked(house)
    body = (extract_draft(approval.text) or "").replace("\u00a0", " ")
    assert "Of invoice 2026-014 over 1,250.00 EUR, 500.00 EUR has come in; 750.00 EUR is still open" in body
    assert f"due on {format_day(DUE, 'en')}" in body
    assert "Design is finished." in body
    assert f"Next is Launch, planned for {format_day(LAUNCH, 'en')}." in body
    assert HOURS in body
    assert "7,777" not in approval.text
    assert "Secret" not in approval.text
    account = [line for line in approval.text.splitlines() if line.startswith(("Answers: ", "Answered from: "))]
    assert account == [
        'Answers: 3 of 4; open: "And would you paint our office green?"',
        f'Answered from: {KNOWN}, "What are your office hours?" (answer:hours)',
    ]
    house.owner_answers(approval, "ok")
    (sent,) = house.wait_sent(1)
    assert HOURS in mime.parse(sent.content).text
    assert any("Only a title" in note.text or "broken.txt" in note.text for note in house.notices())
    assert house.stop() == 0


def test_a_model_gets_the_same_facts_and_its_answers_are_counted(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp, openai_server: OpenAIServer
) -> None:
    written = (
        "Hi Maria,\n\nof invoice 2026-014, 750.00 EUR is still open. The website's Launch is planned for "
        f"{format_day(LAUNCH, 'en')}.\n\n{HOURS}\n\nOn the paint I will come back to you.\n\nBest\nAda Winter"
    )
    prompts: list[str] = []

    def answer(request: Request) -> Answer:
        prompts.append(request.text)
        if "asks" in request.schema["properties"]:
            return {"asks": ["payment"], "tone": "kind", "must_answer": ["payment"], "open_points": []}
        sources = ["invoice:2026-014", "project:website", "answer:hours"]
        return {"body": written, "gist": "Says what is open", "sources": sources}

    openai_server.answer(answer)
    house = House(
        tmp_path / "home", mailbox, smtp_server,
        model={"base_url": openai_server.url, "name": "test-model"},
    )  # fmt: skip
    furnish(house.home)
    try:
        house.start()
        approval = asked(house)
        assert "Model: test-model." in approval.text
        assert {"client_history", "standing_answers"} <= set(openai_server.looks[0].offered)
        assert 'Answers: 3 of 4; open: "And would you paint our office green?"' in approval.text
        assert "(invoice:2026-014)" in approval.text
        assert "7777" not in "".join(prompts)
        assert "750.00" in "".join(prompts)
        assert house.stop() == 0
    finally:
        house.close()


def event(start: datetime) -> str:
    lines = ("BEGIN:VCALENDAR", "VERSION:2.0", "PRODID:-//x//y//EN", "BEGIN:VEVENT", "UID:1@x", "SUMMARY:Dentist")
    times = (f"DTSTART:{start:%Y%m%dT%H%M%SZ}", f"DTEND:{start + timedelta(hours=1):%Y%m%dT%H%M%SZ}")
    return "\r\n".join((*lines, *times, "END:VEVENT", "END:VCALENDAR", ""))


def test_a_time_that_is_lost_between_yes_and_sending_holds_the_mail(
    tmp_path: Path, mailbox: DovecotUser, smtp_server: RecordingSmtp
) -> None:
    path = tmp_path / "work.ics"
    path.write_text(event(datetime.now(UTC) - timedelta(days=9)))
    house = House(
        tmp_path / "home", mailbox, smtp_server,
        owner={"hours": "Mon-Sun 00:00-24:00", "timezone": "UTC"},
        calendar={"sources": [{"name": "work", "path": str(path)}]},
    )  # fmt: skip
    day = (datetime.now(UTC) + timedelta(days=3)).replace(hour=10, minute=0, second=0, microsecond=0)
    try:
        house.start()
        house.client_writes(1, body=f"Hi Ada,\n\ndoes {day:%A} at 10:00 work for a call?\n\nMaria\n")
        (approval,) = house.wait_approvals(1)
        assert "10:00-10:30 works for me." in (extract_draft(approval.text) or "")
        assert "Answers: 1 of 1" in approval.text
        path.write_text(event(day))
        house.owner_answers(approval, "ok")
        (_, again) = house.wait_approvals(2)
        assert "A time in it is taken by now" in again.text
        assert "Dentist" not in again.text
        assert house.sent_to_clients() == []
        house.owner_answers(again, "ok")
        house.wait_sent(1)
        assert house.stop() == 0
    finally:
        house.close()
