"""`./deskhand test` on a bare machine: what is missing is installed as root, or the one line that does is said."""

import os
import shlex
import subprocess
import sys
from pathlib import Path

import pytest

from workers.setup import suite
from workflows.errors import NeedsOwner

ROOT = Path(__file__).parents[2]
NEEDED = {"deskhand-no-such-server": "no-such-serverd", "deskhand-no-such-client": "no-such-client", "sh": "dash"}


@pytest.fixture
def tools(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A folder in front of PATH, for an apt-get of ours."""
    folder = tmp_path / "tools"
    folder.mkdir()
    monkeypatch.setenv("PATH", f"{folder}:{os.environ['PATH']}")
    return folder


def apt(tools: Path, does: str) -> Path:
    """An apt-get that notes how it was called and then does this; the notes."""
    notes = tools.parent / "notes"
    (tools / "apt-get").write_text(
        f'#!/bin/sh\necho "$RUNLEVEL $DEBIAN_FRONTEND $*" >>"{notes}"\ncat >>"{notes}"\n{does}\n'
    )
    (tools / "apt-get").chmod(0o755)
    return notes


def makes(tools: Path, *programs: str) -> str:
    """The shell's words by which these programs come to be, at the installation only."""
    made = " ".join(f'"{tools}/{program}"' for program in programs)
    each = f'for one in {made}; do echo "#!/bin/sh" >"$one"; chmod 755 "$one"; done'
    return f'case "$*" in *install*) {each} ;; esac'


def test_as_root_what_is_missing_is_named_and_installed(tools: Path) -> None:
    notes = apt(tools, makes(tools, "deskhand-no-such-server", "deskhand-no-such-client"))
    told: list[str] = []
    suite.provide(told.append, NEEDED, root=True)
    assert told == ["Installing what the tests talk to, with apt-get: no-such-serverd, no-such-client"]
    assert notes.read_text().splitlines() == [
        "1 noninteractive -qq update",
        "1 noninteractive -qq install --yes --no-install-recommends no-such-serverd no-such-client",
    ]
    suite.provide(told.append, NEEDED, root=True)
    assert len(told) == 1, "what is there is not fetched again"


def test_an_old_package_index_may_still_do(tools: Path) -> None:
    programs = makes(tools, "deskhand-no-such-server", "deskhand-no-such-client")
    apt(tools, f'{programs}\ncase "$*" in *update*) exit 100 ;; esac')
    told: list[str] = []
    suite.provide(told.append, NEEDED, root=True)
    assert told[1] == "apt-get update failed; installing from what is known."


@pytest.mark.parametrize("does", ['case "$*" in *install*) exit 100 ;; esac', "exit 0"], ids=["fails", "does nothing"])
def test_what_cannot_be_installed_is_said_with_the_line(tools: Path, does: str) -> None:
    apt(tools, does)
    with pytest.raises(NeedsOwner, match="could not install no-such-serverd, no-such-client") as refusal:
        suite.provide(lambda _: None, NEEDED, root=True)
    assert suite.install_line(["no-such-serverd", "no-such-client"], root=True) in str(refusal.value)


def test_who_is_not_root_is_told_one_line_and_nothing_is_run(tools: Path) -> None:
    notes = apt(tools, "exit 0")
    with pytest.raises(NeedsOwner) as refusal:
        suite.provide(lambda _: None, NEEDED, root=False)
    assert not notes.exists()
    line = str(refusal.value).partition("Run: ")[2]
    assert "\n" not in line
    assert shlex.split(line)[:3] == ["sudo", "sh", "-c"]
    assert shlex.split(line)[3].endswith("install -y --no-install-recommends no-such-serverd no-such-client")


def test_where_there_is_no_apt_the_line_is_said(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(NeedsOwner, match="Run: apt-get update; RUNLEVEL=1 apt-get install"):
        suite.provide(lambda _: None, NEEDED, root=True)


def test_the_line_is_read_by_a_shell() -> None:
    line = suite.install_line(list(suite.PROGRAMS.values()), root=False)
    assert subprocess.run(["sh", "-n", "-c", line], check=False).returncode == 0


def test_ci_is_the_same_command_with_nobody_to_ask() -> None:
    commands = [line for line in (ROOT / ".ci" / "run").read_text().splitlines() if line and not line.startswith("#")]
    assert commands == [
        "set -euo pipefail",
        'exec </dev/null "$(dirname "$(readlink -f "$0")")/../deskhand" test',
    ]


def test_the_documents_name_every_package() -> None:
    for name in ("README.md", "docs/development.md"):
        text = (ROOT / name).read_text("utf-8")
        assert [package for package in suite.PROGRAMS.values() if package not in text] == [], name


@pytest.mark.parametrize("words", [["--quick", "-q"], ["-q", "--quick"]])
def test_quick_is_ours_and_the_rest_is_the_runners(words: list[str], tmp_path: Path) -> None:
    file = str(ROOT / "tests" / "rules" / "test_canonical.py")
    done = subprocess.run(
        [sys.executable, "-P", "-m", "workers", "test", *words, "-n", "0", file],
        env={"PYTHONPATH": str(ROOT), "PATH": "/usr/bin:/bin", "HOME": "/nonexistent"}, cwd=tmp_path, text=True,
        capture_output=True, check=False,
    )  # fmt: skip
    assert done.returncode == 0, done.stdout + done.stderr
    assert " passed" in done.stdout.splitlines()[-1]
