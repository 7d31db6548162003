"""The home folder: closed to others, held by one."""

import os
import signal
import subprocess
import sys
from pathlib import Path

import pytest

from workers import home
from workflows.errors import NeedsOwner

ROOT = Path(__file__).resolve().parents[2]
HOLD = """
import sys
from pathlib import Path
from workers.home import hold
with hold(Path(sys.argv[1]), "up"):
    print("held", flush=True)
    sys.stdin.read()
"""


def other_process(folder: Path) -> subprocess.Popen[str]:
    child = subprocess.Popen(
        [sys.executable, "-c", HOLD, str(folder)],
        cwd=ROOT, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True,
    )  # fmt: skip
    assert child.stdout is not None
    assert child.stdout.readline() == "held\n"
    return child


def end(child: subprocess.Popen[str]) -> None:
    child.kill()
    child.communicate()


def mode(path: Path) -> int:
    return path.stat().st_mode & 0o777


def test_the_home_is_the_owners_alone(tmp_path: Path):
    folder = home.prepare(tmp_path / "a" / "home")
    (folder / "file").write_text("x")
    assert {mode(folder / name) for name in home.SUBFOLDERS} == {0o700}
    assert mode(folder) == 0o700
    assert mode(folder / "file") == 0o600
    assert home.open_to_others(folder) == ()


def test_an_opened_home_is_closed_and_what_is_open_is_named(tmp_path: Path):
    folder = home.prepare(tmp_path / "home")
    (folder / "deskhand.toml").touch()
    (folder / "keys" / "imap").touch()
    (folder / "keys" / "imap").chmod(0o644)
    folder.chmod(0o755)
    assert home.open_to_others(folder) == (folder, folder / "keys" / "imap")
    assert mode(home.prepare(folder)) == 0o700


def test_a_folder_of_somebody_else_is_not_closed(tmp_path: Path):
    folder = tmp_path / "srv"
    folder.mkdir()
    (folder / "index.html").touch()
    folder.chmod(0o755)
    with pytest.raises(NeedsOwner, match="holds other files"):
        home.prepare(folder)
    assert mode(folder) == 0o755


def test_a_home_under_a_file_is_one_sentence(tmp_path: Path):
    (tmp_path / "file").touch()
    with pytest.raises(NeedsOwner, match="cannot be used: Not a directory"):
        home.prepare(tmp_path / "file" / "home")


def test_a_second_holder_learns_who_the_first_is(tmp_path: Path):
    folder = tmp_path / "home"
    child = other_process(folder)
    try:
        found = home.holder(folder)
        assert found is not None
        assert (found.pid, found.command) == (child.pid, "up")
        with pytest.raises(NeedsOwner) as caught, home.hold(folder, "restore"):
            raise AssertionError("held twice")
        assert f"process {child.pid}, since 2" in caught.value.problem
        assert f"kill {child.pid}" in caught.value.mend
    finally:
        end(child)


@pytest.mark.parametrize("how", [signal.SIGTERM, signal.SIGKILL])
def test_a_dead_holder_holds_nothing(tmp_path: Path, how: signal.Signals):
    folder = tmp_path / "home"
    child = other_process(folder)
    os.kill(child.pid, how)
    child.communicate()
    assert home.holder(folder) is None
    with home.hold(folder, "up"):
        found = home.holder(folder)
        assert found is not None
        assert found.pid == os.getpid()
    assert home.holder(folder) is None


def test_holding_twice_in_one_process_is_refused(tmp_path: Path):
    with (
        home.hold(tmp_path / "home", "up"),
        pytest.raises(NeedsOwner, match="is in use by"),
        home.hold(tmp_path / "home", "up"),
    ):
        raise AssertionError("held twice")


def test_free_space_is_known_before_the_home_is_made(tmp_path: Path):
    assert home.free_bytes(tmp_path / "not" / "yet") > 0
