"""Adding an order takes the four steps of docs/development.md, and none of them can be forgotten: tried on a copy."""

import os
import re
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
COPIED = ("workflows", "memory", "tools", "agents", "workers", "tests", "docs")
HELD_BY = ("tests/rules/test_order_rows.py", "tests/workers/test_order_commands.py")
VALUE = '''
@dataclass(frozen=True, slots=True, kw_only=True)
class Quiet:
    """No digest speaks of this client."""

    client: str
    kind: Literal["quiet"] = "quiet"


Change = Quiet | '''
ROW = """    OrderRow(
        key="quiet",
        order=Quiet,
        name="quiet",
        read=lambda spoken: Quiet(client=spoken.rest),
        help=(HelpLine("quiet Acme", "no digest speaks of this client"),),
        subject=("Quiet", "Not quiet"),
        command=CommandLine(name="quiet", arguments=(_WHO,)),
    ),
"""
EFFECT = """            case Quiet(client=words):
                outcome = Carried(ok=True, says=f"No digest speaks of {words}.")
"""


def put_in(path: Path, before: str, text: str) -> None:
    content = path.read_text("utf-8")
    assert content.count(before) == 1, f"{path.name} has no place before {before!r}"
    path.write_text(content.replace(before, text + before), "utf-8")


def value(tree: Path) -> None:
    path = tree / "workflows/models/orders.py"
    content = path.read_text("utf-8")
    assert content.count("\nChange = ") == 1
    path.write_text(content.replace("\nChange = ", VALUE), "utf-8")


def row(tree: Path) -> None:
    path = tree / "workflows/rules/orders/rows.py"
    put_in(path, "    Rescue,\n", "    Quiet,\n")
    put_in(path, '    OrderRow(\n        key="help",\n', ROW)


def effect(tree: Path) -> None:
    path = tree / "memory/desk/orders.py"
    put_in(path, "    Rescue,\n", "    Quiet,\n")
    put_in(path, "            case Back():\n", EFFECT)


def words(tree: Path) -> None:
    for path in (tree / "workflows/words").glob("*.toml"):
        added = re.sub(r"^rescue = ", 'quiet = ["quiet"]\nrescue = ', path.read_text("utf-8"), flags=re.MULTILINE)
        path.write_text(added, "utf-8")


STEPS: tuple[Callable[[Path], None], ...] = (value, row, effect, words)


def copied(folder: Path) -> Path:
    left_out = shutil.ignore_patterns("__pycache__", "mail", "histories", "data")
    for name in COPIED:
        skip = left_out if name == "tests" else shutil.ignore_patterns("__pycache__")
        shutil.copytree(ROOT / name, folder / name, ignore=skip)
    shutil.copy(ROOT / "pyproject.toml", folder)
    return folder


def run(tree: Path, *arguments: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, *arguments],
        env={**os.environ, "PYTHONPATH": str(tree), "PYTHONSAFEPATH": "1", "PYTHONDONTWRITEBYTECODE": "1"},
        cwd=tree, text=True, capture_output=True, timeout=300, check=False,
    )  # fmt: skip


def tried(tree: Path, *options: str) -> subprocess.CompletedProcess[str]:
    done = run(tree, "-m", "tests.orders")
    return run(tree, "-m", "pytest", "-q", *options, *HELD_BY) if not done.returncode else done


def test_four_steps_make_an_order_that_mail_machine_help_and_pages_know(tmp_path: Path) -> None:
    tree = copied(tmp_path)
    for step in STEPS:
        step(tree)
    done = tried(tree, "-vv", "-n0")
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr
    for what in (
        "test_what_the_help_says_is_read_as_that_order[quiet-quiet Acme]",
        "test_every_order_that_changes_something_is_carried_out[quiet-quiet Acme]",
        "test_a_command_is_the_order_that_the_same_words_are_by_mail[quiet-quiet Acme]",
    ):
        assert f"{what} PASSED" in done.stdout
    assert "| `quiet CLIENT` | no digest speaks of this client |" in (tree / "docs/commands.md").read_text("utf-8")
    assert "| `quiet Acme` | no digest speaks of this client |" in (tree / "docs/approval.md").read_text("utf-8")
    usage = run(tree, "-m", "workers", "quiet", "--help").stdout
    assert "No digest speaks of this client." in usage
    helped = run(tree, "-c", "from workers.voice import desk_texts; print(desk_texts.help_text('en'))").stdout
    assert "quiet Acme           no digest speaks of this client\n" in helped


@pytest.mark.parametrize("forgotten", STEPS[1:], ids=lambda step: step.__name__)
def test_no_step_is_forgotten_in_silence(tmp_path: Path, forgotten: Callable[[Path], None]) -> None:
    tree = copied(tmp_path)
    for step in STEPS:
        if step is not forgotten:
            step(tree)
    done = tried(tree, "-x", "-n0")
    assert done.returncode == 1, done.stdout[-3000:] + done.stderr
    assert "quiet" in done.stdout.lower()
