"""Lint, format and types hold over the whole tree."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
CHECKS = {
    "ruff check": ["ruff", "check", "--output-format", "concise", "."],
    "ruff format": ["ruff", "format", "--check", "."],
    # No cache: while modules come and go, mypy's remembers ones that were missing once.
    "mypy --strict": ["mypy", "--strict", "--no-error-summary", "--cache-dir=/dev/null"],
}


def complaints(command: list[str], root: Path) -> str:
    """What the tool has to say against the tree; "" when nothing."""
    done = subprocess.run(
        [sys.executable, "-m", *command], cwd=root, capture_output=True, text=True, timeout=600, check=False
    )
    return "" if done.returncode == 0 else done.stdout + done.stderr


@pytest.mark.parametrize("name", CHECKS)
def test_the_tree_is_clean(name: str) -> None:
    found = complaints(CHECKS[name], ROOT)
    assert not found, f"{name} in {ROOT}:\n{found}"


@pytest.mark.parametrize(
    ("name", "code"),
    [
        ("ruff check", "import os\n"),
        ("ruff format", "x = {  'a':1 }\n"),
        ("mypy --strict", "def f(x):\n    return x\n"),
    ],
)
def test_each_check_sees_what_is_wrong(name: str, code: str, tmp_path: Path) -> None:
    (tmp_path / "pyproject.toml").write_text((ROOT / "pyproject.toml").read_text())
    for package in ("workflows", "memory", "tools", "agents", "workers"):
        (tmp_path / package).mkdir()
        (tmp_path / package / "__init__.py").write_text("")
    assert complaints(CHECKS[name], tmp_path) == ""
    (tmp_path / "workers" / "bad.py").write_text(code)
    assert "bad.py" in complaints(CHECKS[name], tmp_path)
