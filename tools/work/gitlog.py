"""Deliverables of a project: the owner's own commits, read with `git log` from the repositories its file names.

git runs with a time limit, without a shell and without anything of the machine's or the repository's that could run a
program or ask a network: no hooks, pagers, signatures, lazy fetches. What commits say is anybody's text: one line each,
cut, never trusted.
"""

import hashlib
import os
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta, tzinfo
from pathlib import Path

from workflows.errors import NeedsOwner, Retryable
from workflows.rules.text.canonical import one_line

LIMIT = 10.0
"""Seconds one `git log` may take."""
MOST_COMMITS = 5000
_LONGEST = 200  # characters of a commit's first line
_FIELD, _FIELDS = "\x1f", 4
_CONFIG = """[safe]
	directory = *
[protocol]
	allow = never
[log]
	showSignature = false
[core]
	fsmonitor = false
	hooksPath = /dev/null
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class Commit:
    """One commit of the owner's. `id` is "git:<12 hex of its hash>"; `twin` is the same before and after a rebase."""

    id: str
    twin: str
    day: date  # on which it was written, in the owner's zone
    text: str  # its first line


def commits(
    repository: Path, authors: frozenset[str], since: date, zone: tzinfo, *, limit: float = LIMIT
) -> tuple[Commit, ...]:
    """The owner's commits on any local branch since that day, oldest first, merges left out.

    `authors`: addresses in lower case. A rebased or cherry-picked commit is given once.

    Raises:
        NeedsOwner: there is no such folder or repository, or no git.
        Retryable: it took too long.
    """
    git = shutil.which("git")
    if git is None:
        raise NeedsOwner("There is no git on this machine, and a project names a repository.", "Install git.")
    if not repository.is_dir():
        raise NeedsOwner(
            f"The repository {repository} does not exist.",
            "Correct repositories in the project's file, or leave it out.",
        )
    commits_by_twin: dict[str, Commit] = {}
    for line in _log(git, repository, since - timedelta(days=1), limit).split("\0"):
        fields = line.strip("\n").split(_FIELD, _FIELDS - 1)
        if len(fields) != _FIELDS or fields[2].lower() not in authors:
            continue
        commit = _commit(fields, zone)
        if commit is not None and commit.day >= since:
            commits_by_twin.setdefault(commit.twin, commit)
    return tuple(sorted(commits_by_twin.values(), key=lambda commit: (commit.day, commit.id)))


def _log(git: str, repository: Path, since: date, limit: float) -> str:
    """What git says, one record after another; "" for a repository without a commit."""
    command = [
        git, "--no-pager", "log", "--branches", "HEAD", "--no-merges", "--no-color", "--no-show-signature",
        "--no-ext-diff", "--no-mailmap", "--encoding=UTF-8", f"--max-count={MOST_COMMITS}",
        f"--since={since}T00:00:00Z", "-z", f"--format=%H{_FIELD}%aI{_FIELD}%ae{_FIELD}%s",
    ]  # fmt: skip
    with tempfile.TemporaryDirectory(prefix="deskhand-git-") as folder:
        config = Path(folder) / "config"
        config.write_text(_CONFIG)
        try:
            process = subprocess.run(  # noqa: S603 - a fixed command, no shell
                command, cwd=repository, env=dict(_environment(repository, config)), stdin=subprocess.DEVNULL,
                capture_output=True, timeout=limit, check=False,
            )  # fmt: skip
        except subprocess.TimeoutExpired:
            raise Retryable(f"git log of {repository} took longer than {limit:.0f} s; it is tried again.") from None
        except OSError as error:
            raise NeedsOwner(
                f"The repository {repository} cannot be read: {error.strerror}.", "Mend its permissions."
            ) from None
    if process.returncode == 0:
        return process.stdout.decode("utf-8", "replace")
    fault = one_line(process.stderr.decode("utf-8", "replace"), 200)
    if "does not have any commits" in fault or "ambiguous argument 'HEAD'" in fault or "bad revision 'HEAD'" in fault:
        return ""
    raise NeedsOwner(
        f"git cannot read {repository} ({fault}).",
        "Name the folder that holds .git in the project's file, and let Deskhand's user read it.",
    )


def _environment(repository: Path, config: Path) -> Iterator[tuple[str, str]]:
    """Nothing of the caller's: GIT_DIR and the like would point elsewhere, the owner's own config may run programs."""
    yield "PATH", os.defpath
    yield "HOME", str(config.parent)
    yield "LC_ALL", "C.UTF-8"
    yield "GIT_CONFIG_NOSYSTEM", "1"
    yield "GIT_CONFIG_GLOBAL", str(config)  # here safe.directory counts, on the command line old versions ignore it
    yield "GIT_CEILING_DIRECTORIES", str(repository.resolve().parent)  # never a repository around the one that is meant
    yield "GIT_TERMINAL_PROMPT", "0"
    yield "GIT_OPTIONAL_LOCKS", "0"
    yield "GIT_NO_LAZY_FETCH", "1"


def _commit(fields: list[str], zone: tzinfo) -> Commit | None:
    name, written, author, text = fields
    try:
        at = datetime.fromisoformat(written)
    except ValueError:
        return None
    moment = (at if at.tzinfo else at.replace(tzinfo=UTC)).astimezone(zone)
    # A rebase keeps author, author's time and words, and gives a new hash.
    identity = f"{at.isoformat()}{_FIELD}{author.lower()}{_FIELD}{text}"
    return Commit(
        id=f"git:{name[:12]}",
        twin=f"git:{hashlib.sha256(identity.encode('utf-8', 'replace')).hexdigest()[:24]}",
        day=moment.date(),
        text=one_line(text, _LONGEST),
    )


def folder_of(name: str, home: Path) -> Path:
    """The folder a project's file names: absolute, from the user's home with "~", else relative to Deskhand's home."""
    try:
        folder = Path(name).expanduser()
    except RuntimeError:
        folder = Path(name)
    return folder if folder.is_absolute() else home / folder
