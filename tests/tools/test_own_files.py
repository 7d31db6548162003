"""The owner's files: by name and by no path, taken as they are, and what an agent may propose to attach."""

import os
from pathlib import Path

import pytest

from memory.record.blobs import Blobs
from tools.files.folders import OwnFiles
from workers.desk.proposed_files import FileProposals
from workflows.errors import Permanent
from workflows.models.drafts import Brief, Draft
from workflows.rules.asking.proposed import attaching, booking
from workflows.rules.files.carried import MOST_BYTES


@pytest.fixture
def files(tmp_path: Path) -> OwnFiles:
    folder, further = tmp_path / "files", tmp_path / "further"
    for path, content in {
        folder / "brief.pdf": b"brief",
        folder / ".hidden.pdf": b"no",
        folder / "deep" / "a" / "prices.pdf": b"prices",
        folder / "deep" / "a" / "b" / "c" / "d" / "too-deep.pdf": b"no",
        further / "brief.pdf": b"another",
        further / "film.mp4": bytes(MOST_BYTES + 1),
        tmp_path / "keys" / "imap": b"secret",
    }.items():
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    (folder / "link").symlink_to(tmp_path / "keys" / "imap")
    os.mkfifo(folder / "pipe")
    return OwnFiles((folder, further, tmp_path / "missing"), Blobs(tmp_path / "blobs"))


def test_only_files_of_the_folders_are_listed_and_the_first_folder_wins(files: OwnFiles) -> None:
    assert files.names() == ("brief.pdf", "prices.pdf", "film.mp4")
    assert files.blobs.get(files.take("brief.pdf").sha256) == b"brief"


@pytest.mark.parametrize("name", ["../keys/imap", "link", "pipe", ".hidden.pdf", "too-deep.pdf", "", "film.mp4"])
def test_nothing_else_can_be_taken(files: OwnFiles, name: str) -> None:
    with pytest.raises(Permanent):
        files.take(name)


def test_what_became_of_a_file_is_one_sentence(files: OwnFiles) -> None:
    taken = files.take("brief.pdf")
    assert files.changed([taken]) == ""
    path = Path(taken.origin)
    path.write_bytes(b"bri3f")
    assert "was changed after you approved it" in files.changed([taken])
    path.unlink()
    assert "is no longer where it was" in files.changed([taken])


async def test_what_an_agent_proposes_to_attach_is_attached_or_says_why_not(files: OwnFiles) -> None:
    from datetime import UTC, datetime, timedelta

    begins = datetime(2026, 12, 3, 9, tzinfo=UTC)
    call = booking(begins, begins + timedelta(minutes=30), "Kick-off")

    class Agent:
        async def draft(self, brief: Brief, version: int, wishes: str, previous: str) -> Draft:
            names = ("brief.pdf", "sand.pdf", "film.mp4")
            return Draft(body="Hi.\n", gist="", proposals=(*map(attaching, names), call))

    draft = await FileProposals(Agent(), files).draft(Brief(case=1), 1, "", "")
    assert [file.name for file in draft.attachments] == ["brief.pdf"]
    assert draft.proposals == (call,)
    assert [reason.partition(":")[0] for reason in draft.why] == ["Not attached", "Not attached"]
