"""README and docs: every command they show is run, every link and file they name is there, every example is real."""

import json
import os
import pty
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests import rooms, sentences
from tests.house.running import House, until
from tests.rules import test_digest_rules
from tests.servers.dovecot import Dovecot
from tests.servers.smtp import RecordingSmtp
from workers.voice import desk_texts
from workflows.models.mail import Address
from workflows.rules.asking.approval import extract_draft

ROOT = Path(__file__).resolve().parents[2]
README = ROOT / "README.md"
PAGES = (README, ROOT / "CHANGELOG.md", *sorted((ROOT / "docs").glob("*.md")))
PACKAGES = "workflows|memory|tools|agents|workers|tests|bench|docs"
CLIENTS = 6
DEMO = ["demo", "--answer", "ok", "--json"]

CANNOT_RUN = {
    "./deskhand test": "it would run this very test again",
    "./deskhand bench": "minutes; tests/shape/test_bench.py really runs one measurement",
    "./deskhand up": "the house of these tests is it: a process of `up`, started by the fixture",
}


def blocks(page: Path, language: str) -> list[str]:
    """The code blocks of a page that are marked with this language."""
    return re.findall(rf"^```{language}\n(.*?)^```$", page.read_text("utf-8"), re.DOTALL | re.MULTILINE)


def documented() -> list[str]:
    """Every `./deskhand` command in a shell block, once, in the order of the pages."""
    lines = [line for page in PAGES for block in blocks(page, "sh") for line in block.splitlines()]
    parts = [part.strip() for line in lines for part in line.split(" && ")]
    return list(dict.fromkeys(part for part in parts if part.startswith("./deskhand")))


# ---------------------------------------------------------------- commands


class Desk:
    """A running house with open cases; each command that decides one takes a case that none has had."""

    def __init__(self, house: House) -> None:
        self.house = house
        self.approvals = house.wait_approvals(CLIENTS)
        self._unanswered = [approval.header("x-deskhand-case") for approval in self.approvals]
        self.answer = house.home.with_name("answer.txt")
        self.answer.write_text("Thursday 10:00 works.\n")
        self.demo: subprocess.CompletedProcess[str] | None = None

    def fitted(self, command: str) -> list[str]:
        """The command's words with a case, version and file of this house in the place of the page's."""
        program, name, *arguments = shlex.split(command)
        assert program == "./deskhand"
        if arguments and name in {"approve", "edit", "reject", "later", "mine"}:
            tag = self._unanswered.pop(0)
            arguments[0] = tag if "." in arguments[0] else tag.partition(".")[0]
        elif name == "case":
            arguments[0] = self.approvals[0].header("x-deskhand-case").partition(".")[0]
        return [name, *(str(self.answer) if word == "answer.txt" else word for word in arguments)]

    def run(self, words: list[str], **options: object) -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            [ROOT / "deskhand", *words],
            env={**os.environ, "DESKHAND_HOME": str(self.house.home)},
            cwd=ROOT, capture_output=True, text=True, timeout=180, check=False, **options,
        )  # fmt: skip


@pytest.fixture(scope="module")
def desk(dovecot: Dovecot, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Desk]:
    with RecordingSmtp() as smtp:
        house = House(tmp_path_factory.mktemp("docs") / "home", dovecot.add_user(), smtp)
        with house.running():
            for number in range(CLIENTS):
                person = Address(name=f"Client {number}", email=f"client{number}@firm{number}.example")
                house.client_writes(number, sender=person)
            yield Desk(house)


@pytest.mark.parametrize("command", [command for command in documented() if command not in CANNOT_RUN])
def test_a_documented_command_runs(desk: Desk, command: str) -> None:
    words = desk.fitted(command)
    if words == ["demo"]:
        done = at_a_terminal(desk, words, "why\nok\n")
    elif words == DEMO:
        done = the_demo(desk)
    elif words == ["init"]:
        done = desk.run(words, stdin=subprocess.DEVNULL)
        assert (done.returncode, "--answers FILE" in done.stderr) == (2, True)
        return
    else:
        done = desk.run(words, stdin=subprocess.DEVNULL)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "Traceback" not in done.stderr
    if words[0] == "approve" or "--send" in words:
        tag = words[1]
        house = desk.house
        asked = next(one for one in desk.approvals if one.header("x-deskhand-case") == tag)
        to = re.search(r"^To: .*<(.*)>$", asked.text, re.MULTILINE)
        assert to
        until(lambda: any(mail.recipients == (to[1],) for mail in house.sent_to_clients()), 60, f"{tag} to be sent")


def at_a_terminal(desk: Desk, words: list[str], typed: str) -> subprocess.CompletedProcess[str]:
    """The command with a terminal as its standard input, into which the owner has typed."""
    ours, theirs = pty.openpty()
    try:
        os.write(ours, typed.encode())
        return desk.run(words, stdin=theirs)
    finally:
        os.close(ours)
        os.close(theirs)


def the_demo(desk: Desk) -> subprocess.CompletedProcess[str]:
    """One run of the demo for the two tests that look at it."""
    desk.demo = desk.demo or desk.run(DEMO, stdin=subprocess.DEVNULL)
    return desk.demo


def test_what_cannot_run_here_is_still_documented() -> None:
    assert set(CANNOT_RUN) <= set(documented())


def test_compose_is_started_as_its_own_file_says() -> None:
    own = (ROOT / "docker-compose.yml").read_text("utf-8").partition("\nname:")[0]
    lines = {" ".join(line.strip("# ").partition("   ")[0].split()) for line in own.splitlines()}
    for page in (README, ROOT / "docs" / "operations.md"):
        shown = [block for block in blocks(page, "sh") if "docker compose" in block]
        assert shown
        assert {line.strip() for block in shown for line in block.splitlines()} <= lines


# ---------------------------------------------------------------- links and names


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_leads_somewhere(page: Path) -> None:
    targets = re.findall(r"\]\(([^)\s]+)\)", page.read_text("utf-8"))
    inside = [target.partition("#")[0] for target in targets if not re.match(r"[a-z]+:", target)]
    assert [target for target in inside if not (page.parent / target).exists()] == []


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_file_that_is_named_is_there(page: Path) -> None:
    named = re.findall(rf"(?<![\w/.<])(?:{PACKAGES})/[\w./*-]*[\w/*]", page.read_text("utf-8"))
    missing = [name for name in dict.fromkeys(named) if "NAME" not in name and not any(ROOT.glob(name.rstrip("/")))]
    assert missing == []


def test_every_page_is_listed_in_the_readme() -> None:
    listed = set(re.findall(r"\]\(docs/([\w-]+\.md)\)", README.read_text("utf-8")))
    assert listed == {page.name for page in (ROOT / "docs").glob("*.md")}


def test_every_module_has_its_line_on_the_page_of_rooms() -> None:
    text = rooms.PAGE.read_text("utf-8")
    assert [str(path) for path in rooms.modules() if not rooms.described(path)] == []
    assert rooms.page(text) == text, "Renew it: .venv/bin/python -m tests.rooms"


def test_every_sentence_for_the_owner_has_its_mend_on_the_page() -> None:
    text = sentences.PAGE.read_text("utf-8")
    assert sentences.page(text) == text, "Renew it: .venv/bin/python -m tests.sentences"


# ---------------------------------------------------------------- examples


def undated(text: str) -> str:
    """An approval mail without what differs from run to run: nonce, days and times."""
    text = re.sub(r"\b[0-9a-f]{32}\b", "NONCE", text)
    return re.sub(r"\b(?:Mon|Tue|Wed|Thu|Fri|Sat|Sun)(?: \d{1,2} [A-Z][a-z]{2})? \d\d:\d\d", "WHEN", text)


def test_the_readme_shows_the_approval_mail_of_the_demo(desk: Desk) -> None:
    (shown,) = (block for block in blocks(README, "text") if "answer above this line" in block)
    subject, _, text = shown.partition("\n\n")
    events = [json.loads(line) for line in the_demo(desk).stdout.splitlines()]
    sent = next(event for event in events if event["event"] == "approval_sent")
    assert subject == f"Subject: {sent['subject']}"
    assert undated(text) == undated(f"{sent['text']}\n")
    assert extract_draft(text) == next(event["body"] for event in events if event["event"] == "drafted")


def test_the_page_on_approval_shows_a_digest_as_it_is_sent() -> None:
    items = (
        test_digest_rules.item(41, "Hello Maria,\n\nThursday 10:00 works.\n\nAda\n"),
        test_digest_rules.item(42, "Hello Bob,\n\nthe offer follows today.\n\nAda\n", name="Bob Stone"),
    )
    assert blocks(ROOT / "docs" / "approval.md", "text") == [test_digest_rules.shown(*items)]


def test_the_page_on_approval_lists_every_order() -> None:
    page = (ROOT / "docs" / "approval.md").read_text("utf-8").partition("## Orders to the desk")[2]
    listed = {order for row in re.findall(r"^\| (`.*?) \|", page, re.MULTILINE) for order in re.findall("`(.*?)`", row)}
    assert listed == set(re.findall(r"^(\S+(?: \S+)*) {2,}\S", desk_texts.help_text("en"), re.MULTILINE))


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_lines_are_short_enough_to_read(page: Path) -> None:
    """Tables and examples apart, as docs/development.md says."""
    prose = re.sub(r"^```.*?^```$", "", page.read_text("utf-8"), flags=re.DOTALL | re.MULTILINE)
    assert [line for line in prose.split("\n") if len(line) > 120 and not line.startswith("|")] == []


def test_the_systemd_unit_is_one(tmp_path: Path) -> None:
    (unit,) = blocks(README, "ini")
    start = re.search(r"^ExecStart=%h/deskhand/deskhand (\w+)$", unit, re.MULTILINE)
    assert start
    assert start[1] == "up"
    limit = re.search(r"^TimeoutStopSec=(\d+)$", unit, re.MULTILINE)
    assert limit
    assert int(limit[1]) > 20, "up drains for up to 20 s"
    if program := shutil.which("systemd-analyze"):
        assert complaints(program, tmp_path, unit) == ""
        assert "KillMod" in complaints(program, tmp_path, unit.replace("KillMode", "KillMod"))


def complaints(program: str, folder: Path, unit: str) -> str:
    """What systemd says of the unit, with the path of this checkout in it."""
    path = folder / "deskhand.service"
    path.write_text(unit.replace("%h/deskhand/deskhand", str(ROOT / "deskhand")))
    done = subprocess.run(
        [program, "--user", "verify", path],
        env={**os.environ, "XDG_RUNTIME_DIR": str(folder)}, capture_output=True, text=True, timeout=60, check=False,
    )  # fmt: skip
    return done.stderr
