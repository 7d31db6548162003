"""The root script on small checkouts of its own: real venv, pip and uv, packages from a folder, no network."""

import base64
import hashlib
import os
import resource
import shutil
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import zipfile
from collections.abc import Callable, Iterator
from importlib.metadata import distribution
from pathlib import Path

import pytest

from tests.patience import PATIENCE

SCRIPT = Path(__file__).parents[2] / "deskhand"
MAIN = """
import json, os, subprocess, sys
import agents, workers
child = subprocess.run([sys.executable, "-c", "import agents; print(agents.__file__)"], capture_output=True, text=True)
print(json.dumps({"arguments": sys.argv[1:], "cwd": os.getcwd(), "agents": agents.__file__,
                  "child": child.stdout.strip(), "prefix": sys.prefix}))
if sys.argv[1:2] == ["fail"]:
    sys.exit(7)
"""


def repack(name: str, wheels: Path) -> str:
    """A wheel of what is installed here, and its lines for a lock."""
    found = distribution(name)
    stem = f"{found.name.replace('-', '_')}-{found.version}"
    tag = next(line[5:] for line in (found.read_text("WHEEL") or "").splitlines() if line.startswith("Tag: "))
    path = wheels / f"{stem}-{tag}.whl"
    record = []
    with zipfile.ZipFile(path, "w") as wheel:
        for file in found.files or ():
            inside = str(file)
            if inside.startswith("../") and file.suffix == "" and name == "uv":
                inside = f"{stem}.data/scripts/{file.name}"  # the binaries; other packages' scripts are generated
            if inside.startswith("../") or file.suffix == ".pyc" or file.name in {"RECORD", "INSTALLER", "REQUESTED"}:
                continue
            content = Path(str(file.locate())).read_bytes()
            digest = base64.urlsafe_b64encode(hashlib.sha256(content).digest()).rstrip(b"=").decode()
            record.append(f"{inside},sha256={digest},{len(content)}\n")
            entry = zipfile.ZipInfo(inside)
            entry.external_attr = (0o100755 if "/scripts/" in inside else 0o100644) << 16
            wheel.writestr(entry, content)
        wheel.writestr(f"{stem}.dist-info/RECORD", "".join(record) + f"{stem}.dist-info/RECORD,,\n")
    return f"{found.name}=={found.version} \\\n    --hash=sha256:{hashlib.sha256(path.read_bytes()).hexdigest()}\n"


@pytest.fixture(scope="session")
def wheels(tmp_path_factory: pytest.TempPathFactory) -> dict[str, str]:
    """Lock lines by package name; under "folder" where the wheels lie."""
    folder = tmp_path_factory.mktemp("wheels")
    (folder / "uv.toml").write_text(f'no-index = true\nfind-links = ["{folder}"]\n')
    return {"folder": str(folder)} | {name: repack(name, folder) for name in ("uv", "iniconfig", "pluggy", "packaging")}


def write_lock(checkout: Path, wheels: dict[str, str], *names: str) -> None:
    (checkout / "requirements.lock").write_text("# a lock\n" + "".join(wheels[name] for name in names))


def checkout_at(path: Path, wheels: dict[str, str], *names: str) -> Path:
    path.mkdir(parents=True)
    shutil.copy(SCRIPT, path / "deskhand")
    for package in ("workflows", "memory", "tools", "agents", "workers"):
        (path / package).mkdir()
        (path / package / "__init__.py").write_text("")
    (path / "workers" / "__main__.py").write_text(MAIN)
    write_lock(path, wheels, "uv", *names)
    return path


def ambient(wheels: dict[str, str], **extra: str) -> dict[str, str]:
    """A bare machine's environment: pip and uv are told where packages are, as their own settings do it."""
    return {
        "PATH": f"{Path(sys._base_executable).resolve().parent}:/usr/bin:/bin",  # type: ignore[attr-defined]
        "PIP_NO_INDEX": "1",
        "PIP_FIND_LINKS": wheels["folder"],
        "UV_CONFIG_FILE": f"{wheels['folder']}/uv.toml",
        "UV_CACHE_DIR": f"{wheels['folder']}/cache",
    } | extra


def call(script: Path, environment: dict[str, str], *arguments: str, cwd: Path | None = None, **more: object):
    return subprocess.run(
        [str(script), *arguments],
        env=environment,
        cwd=cwd or script.parent,
        capture_output=True,
        text=True,
        timeout=3 * PATIENCE,
        check=False,
        **more,  # type: ignore[call-overload]
    )


def installed(checkout: Path) -> set[str]:
    packages = next((checkout / ".venv" / "lib").glob("python3*")) / "site-packages"
    return {folder.name.split("-")[0] for folder in packages.glob("*.dist-info")}


@pytest.fixture(scope="session")
def made(tmp_path_factory: pytest.TempPathFactory, wheels: dict[str, str]) -> Path:
    """A checkout whose set-up is done; copy it to change it."""
    checkout = checkout_at(tmp_path_factory.mktemp("made") / "desk hand", wheels, "iniconfig", "pluggy")
    first = call(checkout / "deskhand", ambient(wheels))
    assert first.returncode == 0, first.stderr
    assert "sets itself up" in first.stderr
    assert "install the 3 packages" in first.stderr
    return checkout


@pytest.fixture
def copy(made: Path, tmp_path: Path) -> Path:
    return Path(shutil.copytree(made, tmp_path / "copy of it", symlinks=True))


def test_first_call_sets_up_and_the_next_one_says_nothing(made: Path, wheels: dict[str, str]) -> None:
    assert {"iniconfig", "pluggy", "uv"} <= installed(made)
    assert (made / ".venv" / "ready").read_bytes() == (made / "requirements.lock").read_bytes()
    assert "uv failed" not in (made / ".venv" / "setup.log").read_text()
    again = call(made / "deskhand", ambient(wheels))
    assert (again.returncode, again.stderr) == (0, "")


def test_runs_from_anywhere_through_symlinks_and_is_not_shadowed(
    made: Path, wheels: dict[str, str], tmp_path: Path
) -> None:
    (tmp_path / "agents").mkdir()
    (tmp_path / "agents" / "__init__.py").write_text("raise SystemExit('the wrong agents')")
    (tmp_path / "bin").mkdir()
    (tmp_path / "bin" / "first").symlink_to(os.path.relpath(made / "deskhand", tmp_path / "bin"))
    (tmp_path / "second").symlink_to("bin/first")
    hostile = ambient(wheels, PYTHONPATH=str(tmp_path), PYTHONHOME="/nowhere", CDPATH="/usr")
    done = call(tmp_path / "second", hostile, "demo", "--mail", "my file.eml", cwd=tmp_path)
    assert done.returncode == 0, done.stderr
    for expected in ('["demo", "--mail", "my file.eml"]', f'"cwd": "{tmp_path}"', f'"child": "{made}/agents/'):
        assert expected in done.stdout


def test_works_when_called_through_path_or_by_sh(made: Path, wheels: dict[str, str]) -> None:
    environment = ambient(wheels)
    environment["PATH"] += f":{made}"
    by_path = subprocess.run(["deskhand", "x"], env=environment, capture_output=True, text=True, check=False)
    by_shell = subprocess.run(["sh", "deskhand", "x"], env=environment, cwd=made, capture_output=True, check=False)
    assert (by_path.returncode, by_shell.returncode) == (0, 0), by_path.stderr


def test_the_exit_code_is_handed_on(made: Path, wheels: dict[str, str]) -> None:
    assert call(made / "deskhand", ambient(wheels), "fail").returncode == 7


def test_a_second_run_adds_next_to_nothing(made: Path, wheels: dict[str, str]) -> None:
    (made / "workers" / "quick.py").write_text("")
    environment = ambient(wheels, PYTHONPATH=str(made))

    def seconds(*command: str) -> float:
        before = resource.getrusage(resource.RUSAGE_CHILDREN)  # of the processor: other programs do not lengthen it
        subprocess.run(command, env=environment, check=True, capture_output=True)
        after = resource.getrusage(resource.RUSAGE_CHILDREN)
        return after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime

    direct = statistics.median(seconds(f"{made}/.venv/bin/python", "-P", "-m", "workers") for _ in range(7))
    script = statistics.median(seconds(f"{made}/deskhand") for _ in range(7))
    assert script - direct < 0.3


def test_a_changed_lock_updates_and_keeps_what_the_user_added(copy: Path, wheels: dict[str, str]) -> None:
    environment = ambient(wheels)
    added = [f"{copy}/.venv/bin/python", "-m", "pip", "install", "packaging"]
    subprocess.run(added, env=environment, check=True, capture_output=True)
    write_lock(copy, wheels, "uv", "pluggy")
    changed = call(copy / "deskhand", environment)
    assert changed.returncode == 0, changed.stderr
    assert "iniconfig" not in installed(copy)
    assert {"pluggy", "packaging"} <= installed(copy)
    write_lock(copy, wheels, "uv", "pluggy", "iniconfig")
    assert call(copy / "deskhand", environment).returncode == 0
    assert "iniconfig" in installed(copy)


def test_a_venv_made_by_hand_is_adopted_not_wiped(copy: Path, wheels: dict[str, str]) -> None:
    (copy / ".venv" / "ready").unlink()
    witness = copy / ".venv" / "lib" / "witness"
    witness.write_text("")
    assert call(copy / "deskhand", ambient(wheels)).returncode == 0
    assert witness.exists()


def test_a_python_that_was_removed_is_replaced(copy: Path, wheels: dict[str, str]) -> None:
    for link in (copy / ".venv" / "bin").glob("python*"):
        link.unlink()
        link.symlink_to("/usr/bin/python3.999")
    mended = call(copy / "deskhand", ambient(wheels))
    assert mended.returncode == 0, mended.stderr
    assert "make .venv" in mended.stderr


POINTS: dict[str, Callable[[Path], bool]] = {
    "venv begun": lambda venv: (venv / "pyvenv.cfg").exists(),
    "pip half unpacked": lambda venv: any(venv.glob("lib/python3*/site-packages/pip/_internal")),
    "installer asked for": lambda venv: (venv / "uv.lock").exists(),
    "packages begun": lambda venv: any(venv.glob("lib/python3*/site-packages/iniconfig*")),
}


def wait_for(condition: Callable[[], bool], seconds: float = PATIENCE) -> None:
    deadline = time.monotonic() + seconds
    while not condition():
        assert time.monotonic() < deadline, "it never came to that"
        time.sleep(0.002)


@pytest.mark.parametrize("point", POINTS)
def test_a_set_up_killed_at_any_point_mends_itself(point: str, wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "killed", wheels, "iniconfig", "pluggy")
    environment = ambient(wheels)
    child = subprocess.Popen(
        [str(checkout / "deskhand")], env=environment, start_new_session=True, stdout=-3, stderr=-3
    )
    wait_for(lambda: POINTS[point](checkout / ".venv"))
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    assert not (checkout / ".venv" / "ready").exists()
    mended = call(checkout / "deskhand", environment)
    assert mended.returncode == 0, mended.stderr
    assert "interrupted" in mended.stderr
    assert {"iniconfig", "pluggy", "uv"} <= installed(checkout)


def test_an_update_killed_half_way_mends_itself(copy: Path, wheels: dict[str, str]) -> None:
    write_lock(copy, wheels, "uv", "packaging")
    child = subprocess.Popen(
        [str(copy / "deskhand")], env=ambient(wheels), start_new_session=True, stdout=-3, stderr=-3
    )
    wait_for(lambda: not (copy / ".venv" / "ready").exists())
    os.killpg(child.pid, signal.SIGKILL)
    child.wait()
    mended = call(copy / "deskhand", ambient(wheels))
    assert mended.returncode == 0, mended.stderr
    assert installed(copy) == {"pip", "uv", "packaging", "setuptools"} & installed(copy) | {"packaging", "uv"}


def test_a_venv_whose_python_is_another_users_is_said(wheels: dict[str, str], open_folder: Path) -> None:
    checkout = checkout_at(open_folder / "others", wheels)
    (checkout / ".venv" / "bin").mkdir(parents=True)
    (checkout / ".venv" / "bin" / "python").symlink_to("/root/of/another/python")
    shutil.copy(checkout / "requirements.lock", checkout / ".venv" / "ready")
    (checkout / ".venv").chmod(0o555)
    other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    line = refused(call(checkout / "deskhand", ambient(wheels) | {"PATH": "/usr/bin:/bin"}, **other))
    (checkout / ".venv").chmod(0o755)
    assert "cannot run its Python" in line


def test_two_calls_at_once_set_up_once(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "twice", wheels, "iniconfig")
    calls = [
        subprocess.Popen([str(checkout / "deskhand")], env=ambient(wheels), stdout=-1, stderr=-1, text=True)
        for _ in range(3)
    ]
    said = [child.communicate(timeout=3 * PATIENCE)[1] for child in calls]
    assert [child.returncode for child in calls] == [0, 0, 0], said
    assert sum("sets itself up" in words for words in said) == 1


def refused(result: subprocess.CompletedProcess[str]) -> str:
    """The one sentence of a call that the user must mend: the last line."""
    assert result.returncode == 2, result.stderr
    assert "Traceback" not in result.stderr
    line = result.stderr.splitlines()[-1]
    assert line.startswith("deskhand: ")
    return line


def test_no_python_is_said_with_the_mend(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "bare", wheels)
    tools = tmp_path / "tools"
    tools.mkdir()
    for name in ("sh", "cmp", "readlink", "mkdir"):
        (tools / name).symlink_to(shutil.which(name) or name)
    assert "apt install python3" in refused(call(checkout / "deskhand", ambient(wheels, PATH=str(tools))))


def test_a_python_without_venv_is_said_with_the_mend(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "bare", wheels)
    (tmp_path / "ensurepip.py").write_text("raise ImportError")  # as Debian's python3 without python3-venv
    environment = with_apt(ambient(wheels, PYTHONPATH=str(tmp_path)), tmp_path, "exit 100")
    line = refused(call(checkout / "deskhand", environment))
    assert "-venv" in line
    assert "has no venv module" in line


def with_apt(environment: dict[str, str], folder: Path, does: str, user: int = 0) -> dict[str, str]:
    """This environment with an apt-get that keeps its words in `apt` and then does this; `user` is who calls."""
    tools = folder / "apt-tools"
    tools.mkdir()
    (tools / "apt-get").write_text(f'#!/bin/sh\necho "$DEBIAN_FRONTEND $*" >>"{folder}/apt"\n{does}\n')
    (tools / "id").write_text(f"#!/bin/sh\necho {user}\n")
    for tool in tools.iterdir():
        tool.chmod(0o755)
    return environment | {"PATH": f"{tools}:{environment['PATH']}"}


def test_as_root_the_missing_venv_is_named_and_installed(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "bare", wheels)
    broken = tmp_path / "ensurepip.py"
    broken.write_text("raise ImportError")
    environment = ambient(wheels, PYTHONPATH=str(tmp_path))
    done = call(checkout / "deskhand", with_apt(environment, tmp_path, f'[ "$2" = update ] || rm "{broken}"'))
    assert done.returncode == 0, done.stderr
    assert "install with apt-get: python3-venv" in done.stderr
    asked = (tmp_path / "apt").read_text().splitlines()
    assert asked == [" -qq update", "noninteractive -qq install --yes --no-install-recommends python3-venv"]


def test_who_is_not_root_installs_nothing(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "bare", wheels)
    (tmp_path / "ensurepip.py").write_text("raise ImportError")
    environment = with_apt(ambient(wheels, PYTHONPATH=str(tmp_path)), tmp_path, "exit 0", user=1000)
    assert "has no venv module" in refused(call(checkout / "deskhand", environment))
    assert not (tmp_path / "apt").exists()


def test_no_network_is_said_and_the_next_call_mends(copy: Path, wheels: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("no-index = true\n")
    away = {"PIP_FIND_LINKS": str(tmp_path), "UV_CONFIG_FILE": f"{tmp_path}/uv.toml", "UV_CACHE_DIR": f"{tmp_path}/c"}
    write_lock(copy, wheels, "uv", "packaging")
    line = refused(call(copy / "deskhand", ambient(wheels, **away)))
    assert "could not be reached" in line
    assert str(copy / ".venv" / "setup.log") in line
    assert call(copy / "deskhand", ambient(wheels)).returncode == 0
    assert "packaging" in installed(copy)


def test_a_wrong_hash_is_never_installed(copy: Path, wheels: dict[str, str]) -> None:
    lines = wheels["packaging"].partition("sha256:")
    (copy / "requirements.lock").write_text(wheels["uv"] + lines[0] + lines[1] + "0" * 64 + "\n")
    assert "wrong hash" in refused(call(copy / "deskhand", ambient(wheels)))
    assert "packaging" not in installed(copy)


def test_where_only_pip_knows_the_mirror_pip_installs(copy: Path, wheels: dict[str, str], tmp_path: Path) -> None:
    (tmp_path / "uv.toml").write_text("no-index = true\n")
    write_lock(copy, wheels, "uv", "packaging")
    done = call(copy / "deskhand", ambient(wheels, UV_CONFIG_FILE=f"{tmp_path}/uv.toml", UV_CACHE_DIR=f"{tmp_path}/c"))
    assert done.returncode == 0, done.stderr
    assert "packaging" in installed(copy)


@pytest.fixture
def open_folder() -> Iterator[Path]:
    """A folder that any user may walk into (pytest's own is private)."""
    with tempfile.TemporaryDirectory(dir="/tmp") as name:
        Path(name).chmod(0o755)
        yield Path(name)


def test_a_folder_that_cannot_be_written_is_said(wheels: dict[str, str], open_folder: Path) -> None:
    checkout = checkout_at(open_folder / "locked", wheels)
    checkout.chmod(0o555)
    other = {"user": 65534, "group": 65534, "extra_groups": []} if os.geteuid() == 0 else {}
    environment = ambient(wheels) | {"PATH": "/usr/bin:/bin"}
    line = refused(call(checkout / "deskhand", environment, **other))
    checkout.chmod(0o755)
    assert "cannot be written" in line
    assert str(checkout) in line


def test_a_colon_in_the_path_is_refused(wheels: dict[str, str], tmp_path: Path) -> None:
    checkout = checkout_at(tmp_path / "a:b", wheels)
    assert "colon" in refused(call(checkout / "deskhand", ambient(wheels)))
