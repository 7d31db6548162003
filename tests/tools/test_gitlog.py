"""Deliverables from real repositories, made here; and what a repository must not be able to do to us."""

import os
import subprocess
from datetime import UTC, date
from pathlib import Path
from zoneinfo import ZoneInfo

import pytest

from tests.patience import PATIENCE
from tools.work.gitlog import commits, folder_of
from workflows.errors import NeedsOwner, Retryable

ADA = "ada@winter.example"
AUTHORS = frozenset({ADA, "12+ada@users.noreply.example"})
BERLIN = ZoneInfo("Europe/Berlin")
SINCE = date(2026, 11, 1)


class Repository:
    """A repository of its own, untouched by this machine's settings."""

    def __init__(self, path: Path) -> None:
        self.path = path
        path.mkdir(parents=True)
        self.git("init", "-q", "-b", "main")

    def git(self, *words: str, author: str = ADA, at: str = "2026-11-16T10:00:00+01:00", committed: str = "") -> str:
        environment = {
            "PATH": os.defpath, "HOME": str(self.path), "GIT_CONFIG_NOSYSTEM": "1",
            "GIT_AUTHOR_NAME": "Ada", "GIT_AUTHOR_EMAIL": author, "GIT_AUTHOR_DATE": at,
            "GIT_COMMITTER_NAME": "Ada", "GIT_COMMITTER_EMAIL": author, "GIT_COMMITTER_DATE": committed or at,
        }  # fmt: skip
        done = subprocess.run(
            ["git", *words],
            cwd=self.path,
            env=environment,
            check=True,
            capture_output=True,
            text=True,
            timeout=PATIENCE,
        )
        return done.stdout.strip()

    def commit(self, text: str, **given: str) -> str:
        self.git("commit", "-q", "--allow-empty", "-m", text, **given)
        return self.git("rev-parse", "HEAD")


@pytest.fixture
def repository(tmp_path: Path) -> Repository:
    return Repository(tmp_path / "code" / "site")


def texts(repository: Repository, since: date = SINCE) -> list[str]:
    return [commit.text for commit in commits(repository.path, AUTHORS, since, BERLIN)]


def test_the_owners_commits_with_their_hash_and_day(repository: Repository) -> None:
    name = repository.commit("Contact form validates\n\nA body that is not told.")
    (found,) = commits(repository.path, AUTHORS, SINCE, BERLIN)
    assert (found.id, found.day, found.text) == (f"git:{name[:12]}", date(2026, 11, 16), "Contact form validates")


def test_other_authors_merges_and_older_commits_are_left_out(repository: Repository) -> None:
    repository.commit("Long ago", at="2026-10-01T10:00:00+00:00")
    repository.commit("Mine")
    repository.commit("Theirs", author="bob@studio.example")
    repository.commit("Mine by another address", author="12+Ada@users.noreply.example", at="2026-11-17T10:00:00+00:00")
    repository.git("checkout", "-q", "-b", "side", "HEAD~1")
    repository.commit("On a branch", at="2026-11-18T10:00:00+00:00")
    repository.git("checkout", "-q", "main")
    repository.git("merge", "-q", "--no-ff", "-m", "Merge side", "side", at="2026-11-19T10:00:00+00:00")
    assert texts(repository) == ["Mine", "Mine by another address", "On a branch"]


def test_the_day_is_the_owners(repository: Repository) -> None:
    repository.commit("Late", at="2026-11-16T23:30:00+00:00")
    assert commits(repository.path, AUTHORS, SINCE, BERLIN)[0].day == date(2026, 11, 17)
    assert commits(repository.path, AUTHORS, SINCE, UTC)[0].day == date(2026, 11, 16)


def test_a_branch_not_merged_and_a_detached_head_count(repository: Repository) -> None:
    repository.commit("Base", at="2026-11-14T10:00:00+00:00")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit("Feature")
    repository.git("checkout", "-q", "--detach", "main")
    repository.commit("Detached", at="2026-11-17T10:00:00+00:00")
    assert texts(repository) == ["Base", "Feature", "Detached"]


def test_a_rebased_commit_is_one(repository: Repository) -> None:
    repository.commit("Base", at="2026-11-14T10:00:00+00:00")
    repository.git("checkout", "-q", "-b", "feature")
    repository.commit("Feature", at="2026-11-15T10:00:00+00:00")
    before = commits(repository.path, AUTHORS, SINCE, BERLIN)
    repository.git("checkout", "-q", "main")
    repository.commit("Meanwhile", at="2026-11-16T10:00:00+00:00")
    repository.git("cherry-pick", "--allow-empty", "feature", committed="2026-11-17T10:00:00+00:00", at="")
    after = commits(repository.path, AUTHORS, SINCE, BERLIN)
    assert [commit.text for commit in after] == ["Base", "Feature", "Meanwhile"]
    assert {commit.twin for commit in before} < {commit.twin for commit in after}


def test_a_stash_and_a_remote_branch_are_no_deliverables(repository: Repository) -> None:
    name = repository.commit("Mine")
    repository.git("update-ref", "refs/remotes/origin/main", name)
    (repository.path / "file").write_text("x")
    repository.git("add", "file")
    repository.git("stash")
    assert texts(repository) == ["Mine"]


def test_what_a_commit_says_is_one_line_without_anything_hidden(repository: Repository) -> None:
    repository.commit("Fix \u202etxt.exe\x1b[31m \x1f or " + "very " * 100)
    (text,) = texts(repository)
    assert len(text) <= 200
    assert "\u202e" not in text
    assert "\x1b" not in text
    assert "\x1f" not in text


def test_an_empty_repository_has_no_work(repository: Repository) -> None:
    assert texts(repository) == []


def test_a_bare_repository_is_read(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Mine")
    repository.git("clone", "-q", "--bare", str(repository.path), str(tmp_path / "bare.git"))
    assert [commit.text for commit in commits(tmp_path / "bare.git", AUTHORS, SINCE, BERLIN)] == ["Mine"]


def test_a_worktree_of_a_repository_is_one(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Mine")
    repository.git("worktree", "add", "-q", "-b", "side", str(tmp_path / "side"))
    assert [commit.text for commit in commits(tmp_path / "side", AUTHORS, SINCE, BERLIN)] == ["Mine"]


def test_a_missing_folder_and_one_without_git_are_named(tmp_path: Path) -> None:
    with pytest.raises(NeedsOwner, match=r"nowhere does not exist\. Correct repositories"):
        commits(tmp_path / "nowhere", AUTHORS, SINCE, BERLIN)
    with pytest.raises(NeedsOwner, match="git cannot read"):
        commits(tmp_path, AUTHORS, SINCE, BERLIN)


def test_a_folder_inside_another_repository_is_not_that_repository(repository: Repository) -> None:
    repository.commit("Of the outer one")
    inner = repository.path / "docs"
    inner.mkdir()
    with pytest.raises(NeedsOwner, match="git cannot read"):
        commits(inner, AUTHORS, SINCE, BERLIN)


def test_a_repository_of_another_user_is_read(repository: Repository) -> None:
    """In a container the mounted folder belongs to somebody else: git refuses it without safe.directory."""
    repository.commit("Mine")
    if os.geteuid() == 0:  # nobody else can give files away
        for path in (repository.path, *repository.path.rglob("*")):
            os.chown(path, 12_345, 12_345)
    assert texts(repository) == ["Mine"]


def test_a_repository_runs_no_program_of_its_own(repository: Repository, tmp_path: Path) -> None:
    repository.commit("Mine")
    trap = tmp_path / "trap"
    trap.write_text(f"#!/bin/sh\ntouch {tmp_path}/sprung\n")
    trap.chmod(0o755)
    for key in ("core.pager", "core.fsmonitor", "gpg.program", "core.sshCommand", "pager.log", "core.editor"):
        repository.git("config", key, str(trap))
    repository.git("config", "log.showSignature", "true")
    assert texts(repository) == ["Mine"]
    assert not (tmp_path / "sprung").exists()


def test_the_callers_git_variables_change_nothing(repository: Repository, tmp_path: Path, monkeypatch) -> None:
    repository.commit("Mine")
    other = Repository(tmp_path / "other")
    other.commit("Elsewhere")
    monkeypatch.setenv("GIT_DIR", str(other.path / ".git"))
    assert texts(repository) == ["Mine"]


def test_a_git_that_hangs_is_given_up(repository: Repository) -> None:
    repository.commit("Mine")
    with pytest.raises(Retryable, match="took longer"):
        commits(repository.path, AUTHORS, SINCE, BERLIN, limit=0.000_01)


def test_where_a_project_says_its_repository_is(tmp_path: Path) -> None:
    assert folder_of("/srv/site", tmp_path) == Path("/srv/site")
    assert folder_of("code/site", tmp_path) == tmp_path / "code" / "site"
    assert folder_of("~/site", tmp_path) == Path("~/site").expanduser()
