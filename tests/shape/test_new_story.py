"""Adding a story: the six files that docs/development.md names, tried on a copy of the tree with a story of thanks."""

import re
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tests.shape.test_dependency_rule import ORDER, ROOT

STORY = "thanks"
HEAD = "### A story"

RECORD = """
THANKS = StoryFacts(
    kind="thanks",
    workflow="Thanks",
    begins="anniversary",
    verb="comes round",
    began="An anniversary:",
    heading="What there is to thank for",
    never="no more thanks to this client",
    never_is_for="kind",
    gone="There was nothing to thank for any more.",
    answers_them=False,
    is_followed=False,
    ends_with_complaint=True,
    may_stand=False,
)


def facts_of("""

WORKFLOW = '''"""A client is thanked: a year together, drafted, shown and sent on a yes."""

from temporalio import workflow

with workflow.unsafe.imports_passed_through():
    from workflows.case import Story
    from workflows.models.case import CaseState
    from workflows.stories import THANKS


@workflow.defn(name=THANKS.workflow)
class Thanks(Story):
    """One year."""

    @workflow.init
    def __init__(self, state: CaseState) -> None:
        super().__init__(state)

    @workflow.run
    async def run(self, state: CaseState) -> str:
        await self.case.settle()
        return self.case.state.outcome
'''

BRIEF = '''"""The brief of a thank-you: how long a client is with the owner."""

from memory.ledger import Ledger
from workflows.models.case import CaseState
from workflows.models.drafts import Brief, Envelope
from workflows.models.mail import Address
from workflows.models.people import Owner
from workflows.stories import THANKS


class ThanksBriefs:
    """Builds the briefs of thanks."""

    def __init__(self, ledger: Ledger, owner: Owner) -> None:
        self._ledger, self._owner = ledger, owner

    def build(self, state: CaseState) -> Brief:
        client = self._ledger.client_of(state.case)
        to = Address(email=client.addresses[0], name=client.name) if client else Address(email="")
        return Brief(
            case=state.case, kind=state.kind, client=client, sender=to, subject="Thank you", message="A year.",
            owner_name=self._owner.name, heading=THANKS.heading, trigger="A year is over",
            envelope=Envelope(to=(to,), subject="Thank you", proactive=True),
        )
'''

DRAFTER = '''"""The thank-you, from a template."""

import tomllib

from agents.letters import FOLDER
from workflows.models.drafts import Brief, Draft, DraftedBy


class TemplateThanks:
    """Fills `Drafting` without asking anybody anything."""

    async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
        words = tomllib.loads((FOLDER / "thanks.toml").read_text(encoding="utf-8"))["en"]
        return Draft(body=words["body"], gist=words["gist"], by=DraftedBy.TEMPLATE)
'''

WORDS = '[en]\nbody = "Thank you for the year."\ngist = "Thanks for a year"\n'

WALK = """
import asyncio, sys
from pathlib import Path
from datetime import UTC, datetime

from temporalio import workflow

from memory.record.events import Beginning, begin
from memory.record.people import new_client
from memory.record.schema import transaction
from tools.mail.trace import trace
from workers.service import wiring
from workers.settings.loading import load
from workers.temporal.engine import closed
from workers.temporal.worker import STORIES
from workflows.models.case import CaseState
from workflows.models.mail import Address
from workflows.rules.asking.approval import Question, render
from workflows.stories import KINDS, facts_of

home = Path(sys.argv[1])
settings = load(home)
parts = wiring.build(home, settings)
ledger, owner, clock = parts.ledger, settings.owner_facts(), parts.clock
assert "thanks" in KINDS
names = {workflow._Definition.must_from_class(story).name for story in STORIES}
assert {facts_of(kind).workflow for kind in KINDS} <= names, names

with transaction(ledger._engine) as connection:
    client = new_client(connection, Address(email="maria@studio.example", name="Maria Alvarez"), clock)
    number = begin(connection, clock, Beginning(
        kind="thanks", event="anniversary", key="anniversary:1", title="A year", client=client.id, sender="Maria"))
state = ledger.case(number)
state = CaseState(case=number, kind=state.kind, client=client.id, event=state.event, brief=parts.recall.brief(state))
brief = ledger.stored_brief(state.brief)
draft = asyncio.run(parts.drafter.draft(brief, 1, "", ""))
state = ledger.add_version(state, draft)
mail = render(Question(
    outgoing=ledger.outgoing(number, 1), draft=draft, brief=brief, owner=owner, nonce="n",
    expires_at=datetime(2026, 12, 1, tzinfo=UTC)))
assert "What there is to thank for" in mail.text and "Thank you for the year." in mail.text, mail.text
assert "comes round" in trace(ledger.story(number), owner)
ledger.set_never(client.id, "thanks")
standing = ledger.standing(client.id)
assert standing.refuses("thanks") and not standing.never and not standing.refuses("chase")
assert "no more thanks to this client" in closed(CaseState(case=number, kind="thanks", outcome="never"))
assert "nothing to thank for" in closed(CaseState(case=number, kind="thanks", outcome="gone"))
print("walked")
"""


def listed() -> set[str]:
    """The files of a new story, as docs/development.md names them."""
    section = (ROOT / "docs" / "development.md").read_text().partition(HEAD)[2].partition("\n#")[0]
    return {name.replace("NAME", STORY) for name in re.findall(r"^\d\. `([^`]+)`", section, re.MULTILINE)}


@pytest.fixture
def copy(tmp_path: Path) -> Path:
    for package in ORDER:
        shutil.copytree(ROOT / package, tmp_path / package, ignore=shutil.ignore_patterns("__pycache__"))
    shutil.copy(ROOT / "pyproject.toml", tmp_path)
    return tmp_path


def with_kind(root: Path) -> None:
    edit(root, "workflows/stories.py", 'Kind = Literal["reply", "bid", "chase", "update", "followup"]',
         'Kind = Literal["reply", "bid", "chase", "update", "followup", "thanks"]')  # fmt: skip


def add(root: Path) -> None:
    """Everything that a new story takes."""
    with_kind(root)
    edit(root, "workflows/stories.py", '"period", "silence"]', '"period", "silence", "anniversary"]')
    edit(root, "workflows/stories.py", "\ndef facts_of(", RECORD)
    edit(
        root,
        "workflows/stories.py",
        "        case _:\n",
        '        case "thanks":\n            facts = THANKS\n        case _:\n',
    )
    (root / "workflows" / "thanks.py").write_text(WORKFLOW)
    (root / "memory" / "briefs" / "thanks.py").write_text(BRIEF)
    (root / "agents" / "thanks.py").write_text(DRAFTER)
    (root / "agents" / "templates" / "thanks.toml").write_text(WORDS)
    wired = "workers/sources/stories.py"
    edit(
        root,
        wired,
        "from agents.model import Model\n",
        "from agents.model import Model\nfrom agents.thanks import TemplateThanks\n",
    )
    edit(
        root,
        wired,
        "from memory.briefs.recall import",
        "from memory.briefs.thanks import ThanksBriefs\nfrom memory.briefs.recall import",
    )
    edit(
        root, wired, "from workflows.update import", "from workflows.thanks import Thanks\nfrom workflows.update import"
    )
    edit(root, wired, "[Reply, Bid, Chase, Update, FollowUp]", "[Reply, Bid, Chase, Update, FollowUp, Thanks]")
    edit(
        root,
        wired,
        "        builders={\n",
        '        builders={\n            "thanks": ThanksBriefs(ground.ledger, ground.owner).build,\n',
    )
    edit(root, wired, "        drafters={\n", '        drafters={\n            "thanks": TemplateThanks(),\n')


def edit(root: Path, path: str, before: str, after: str) -> None:
    text = (root / path).read_text()
    assert text.count(before) == 1, (path, before)
    (root / path).write_text(text.replace(before, after))


def touched(root: Path) -> set[str]:
    files = {path.relative_to(root) for package in ORDER for path in (root / package).rglob("*") if path.is_file()}
    return {
        path.as_posix()
        for path in files
        if not (ROOT / path).is_file() or (ROOT / path).read_bytes() != (root / path).read_bytes()
    }


def run(root: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    where = {"PYTHONPATH": str(root), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1", "PATH": "/usr/bin:/bin"}
    return subprocess.run(
        [sys.executable, *arguments], cwd=root, env=where, capture_output=True, text=True, check=False
    )


def test_a_new_story_takes_six_files_and_they_are_the_named_ones(copy: Path) -> None:
    add(copy)
    assert touched(copy) == listed()
    assert len(listed()) <= 6


def test_a_story_so_added_goes_its_way(copy: Path) -> None:
    add(copy)
    home = copy / "home"
    home.mkdir(mode=0o700)
    settings = (
        '[owner]\nname = "Ada Winter"\naddress = "ada@winter.example"\ntimezone = "UTC"\n'
        '[imap]\nhost = "localhost"\nport = 1\ntls = "implicit"\npassword = "x"\n'
        '[smtp]\nhost = "127.0.0.1"\nport = 1\ntls = "none"\nuser = ""\n'
    )
    (home / "deskhand.toml").write_text(settings)
    (home / "deskhand.toml").chmod(0o600)
    (copy / "walk.py").write_text(WALK)
    walked = run(copy, "walk.py", str(home))
    assert walked.stdout.strip().endswith("walked"), walked.stderr


@pytest.mark.parametrize("whole", [False, True])
def test_a_kind_without_its_record_fails_the_type_check(copy: Path, whole: bool) -> None:
    (add if whole else with_kind)(copy)
    checked = run(copy, "-m", "mypy", "--strict", "--cache-dir", str(copy / "cache"), "workflows/stories.py")
    assert (checked.returncode == 0) is whole, checked.stdout
    if not whole:
        assert "assert_never" in checked.stdout
