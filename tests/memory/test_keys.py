"""Keys: made once, readable by the owner alone, gone when destroyed."""

import stat
import subprocess
import sys
import threading
from pathlib import Path

import pytest

from memory.keys import SIZE, Keys, case_key_name
from tests.patience import PATIENCE
from workflows.errors import NeedsOwner


def test_the_home_key_is_made_once_and_stays(tmp_path):
    keys = Keys(tmp_path / "keys")
    made = keys.home_key()
    assert len(made) == SIZE
    assert Keys(tmp_path / "keys").home_key() == made
    assert [path.name for path in (tmp_path / "keys").iterdir()] == ["home.key"]


def test_nobody_else_may_read_them(tmp_path):
    Keys(tmp_path / "keys").home_key()
    assert stat.S_IMODE((tmp_path / "keys").stat().st_mode) == 0o700
    assert stat.S_IMODE((tmp_path / "keys" / "home.key").stat().st_mode) == 0o600


def test_a_case_key_is_made_only_when_asked_for(tmp_path):
    keys = Keys(tmp_path)
    with pytest.raises(KeyError):
        keys.key(case_key_name(7))
    made = keys.key("case-7", make=True)
    assert keys.key("case-7") == Keys(tmp_path).key("case-7") == made
    assert made != keys.key("case-8", make=True)


def test_a_destroyed_key_is_gone_from_memory_and_disk(tmp_path):
    keys = Keys(tmp_path)
    made = keys.key("case-7", make=True)
    assert keys.destroy(7)
    assert not keys.destroy(7)
    with pytest.raises(KeyError):
        keys.key("case-7")
    assert all(made not in path.read_bytes() for path in tmp_path.iterdir())


def test_the_nonce_key_is_another_and_always_the_same(tmp_path):
    keys = Keys(tmp_path)
    assert keys.nonce_key() == Keys(tmp_path).nonce_key()
    assert keys.nonce_key() != keys.home_key()


@pytest.mark.parametrize(
    "name", ["", "../home", "case-0", "case-", "case-7/../home", "/etc/passwd", "case-7\n", "HOME"]
)
def test_a_name_is_never_a_path(tmp_path, name):
    with pytest.raises(KeyError):
        Keys(tmp_path).key(name, make=True)
    assert list(tmp_path.iterdir()) == []


def test_a_damaged_key_is_told_and_never_replaced(tmp_path):
    (tmp_path / "home.key").write_bytes(b"short")
    with pytest.raises(NeedsOwner, match="5 bytes instead of 32"):
        Keys(tmp_path).home_key()
    assert (tmp_path / "home.key").read_bytes() == b"short"


def test_a_folder_that_cannot_be_used_is_told(tmp_path):
    (tmp_path / "keys").write_text("a file where the folder should be")
    with pytest.raises(NeedsOwner, match="cannot be used"):
        Keys(tmp_path / "keys").home_key()


def test_threads_and_processes_agree_on_one_key(tmp_path):
    code = (
        "import sys; from pathlib import Path; from memory.keys import Keys\n"
        "print(Keys(Path(sys.argv[1])).home_key().hex())"
    )
    root = Path(__file__).parents[2]
    running = [
        subprocess.Popen([sys.executable, "-c", code, str(tmp_path)], cwd=root, stdout=subprocess.PIPE)
        for _ in range(3)
    ]
    found: list[str] = []
    threads = [threading.Thread(target=lambda: found.append(Keys(tmp_path).home_key().hex())) for _ in range(8)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    found += [process.communicate(timeout=PATIENCE)[0].decode().strip() for process in running]
    assert len(found) == 11
    assert len(set(found)) == 1
    assert [path.name for path in tmp_path.iterdir()] == ["home.key"]
